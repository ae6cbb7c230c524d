"""Before the app, on a dongle that is to find out by itself what it hears: listens on the battery
wire until detect.py is sure.

The answer is kept in flash and used at the next start; the app forgets it again when the line
contradicts it. While searching, the light says "no data yet", or, when every speed has been tried
in vain, "electronics and data line" in the colour of the unknown.
"""

from micropython import const

from deckwatch import status
from deckwatch.alert import ELECTRONICS
from deckwatch.detect import GARBAGE, SETTLED, SILENT, VERDICTS, Detector
from deckwatch.hal.clock import now_ms, wait_ms
from deckwatch.hal.lines import open_battery_line
from deckwatch.meters.link import IDLE, LOW
from deckwatch.outputs.led import Led
from deckwatch.status import Status

_POLL_MS = const(10)


def find(light, dog) -> Detector:
    """The settled Detector: family, baud, inverted, sure_pct, verdict. Takes as long as the line
    stays silent or unclear."""
    detector = Detector()
    shown = Status()
    led = Led()
    told = -1
    line = open_battery_line(detector.baud, detector.inverted)
    while detector.verdict < SETTLED:
        dog.feed()
        now = now_ms()
        n = line.read()
        while n:
            detector.feed(line.buf, n, now)
            n = line.read()
        level = line.look(now)
        if level == LOW or level == IDLE:
            detector.rests(level == LOW)
        if detector.tick(now):
            line.close()
            line = open_battery_line(detector.baud, detector.inverted)
        if detector.verdict != told:
            told = detector.verdict
            print("search: %s" % VERDICTS[told])
        _show(detector, shown, now)
        led.render(shown, now)
        light.show(led.colour)
        wait_ms(_POLL_MS)
    line.close()
    return detector


def _show(detector, shown, now: int) -> None:
    if detector.verdict == GARBAGE:
        shown.show(status.UNKNOWN, ELECTRONICS, False, now)
    elif detector.verdict == SILENT:
        shown.show(status.NO_DATA, 0, False, now)
    else:
        shown.show(status.PARTIAL, 0, False, now)

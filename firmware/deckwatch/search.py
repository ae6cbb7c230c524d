"""Before the app, on a dongle that is to find out by itself what it hears: listens on the battery
wire until detect.py is sure. Where the owner allows it, a line that rests high and stays silent is
asked read-only questions, one family after the other.

The answer is kept in flash and used at the next start; the app forgets it again when the line
contradicts it. While searching, the light says "no data yet", or, when every speed has been tried
in vain, "electronics and data line" in the colour of the unknown.
"""

from micropython import const

from deckwatch import status
from deckwatch.alert import ELECTRONICS
from deckwatch.detect import ECHO, GARBAGE, SETTLED, SILENT, VERDICTS, Detector, probes
from deckwatch.hal.clock import now_ms, wait_ms
from deckwatch.hal.lines import open_battery_line
from deckwatch.meters.link import IDLE, LOW
from deckwatch.outputs.led import Led
from deckwatch.status import Status
from deckwatch.ticks import age_ms

_POLL_MS = const(10)
_SILENCE_MS = const(5000)
_ANSWER_MS = const(700)  # a slow reply at 9600 baud, and the gap after it


class _Search:
    """One search: the line as it is open now, and what is known of it."""

    def __init__(self, light, dog, may_ask: bool) -> None:
        self.detector = Detector()
        self._light = light
        self._dog = dog
        self._asks = probes() if may_ask else []
        self._asked = -1  # the question asked last
        self._asked_at = now_ms()
        self._shown = Status()
        self._led = Led()
        self._told = -1
        self._line = self._open()

    def _open(self):
        detector = self.detector
        return open_battery_line(detector.baud, detector.inverted, bool(self._asks))

    def _reopen(self) -> None:
        self._line.close()
        self._line = self._open()

    def step(self, now: int) -> None:
        """Everything that has come, then what follows from it."""
        detector = self.detector
        line = self._line
        self._dog.feed()
        n = line.read()
        while n:
            detector.feed(line.buf, n, now)
            n = line.read()
        line.look(now)
        detector.rests(line.level == LOW)
        if detector.tick(now):
            self._reopen()
        if self._asks and line.level == IDLE:
            self._ask(now)
        if detector.verdict != self._told:
            self._told = detector.verdict
            print("search: %s" % VERDICTS[self._told])
        _show(detector, self._shown, now)
        self._led.render(self._shown, now)
        self._light.show(self._led.colour)

    def _ask(self, now: int) -> None:
        """The next question to a line that was silent for 5 s; one that was answered once more."""
        detector = self.detector
        waited_ms = age_ms(now, self._asked_at)
        if self._asked < 0 and (detector.verdict != SILENT or waited_ms < _SILENCE_MS):
            return
        if waited_ms < _ANSWER_MS:
            return
        if not detector.hits:
            self._asked = (self._asked + 1) % len(self._asks)
        baud, request = self._asks[self._asked]
        before = detector.baud
        detector.aim(baud)
        if baud != before:
            self._reopen()
        self._line.write(request)
        detector.asked(request)
        self._asked_at = now

    def end(self) -> None:
        """Lets the line go."""
        self._line.close()


def find(light, dog, may_ask: bool) -> Detector:
    """The settled Detector: family, baud, inverted, sure_pct, verdict. Takes as long as the line
    stays silent or unclear. may_ask: questions may be sent (option "probe")."""
    search = _Search(light, dog, may_ask)
    while search.detector.verdict < SETTLED:
        search.step(now_ms())
        wait_ms(_POLL_MS)
    search.end()
    return search.detector


def _show(detector, shown, now: int) -> None:
    if detector.verdict == GARBAGE:
        shown.show(status.UNKNOWN, ELECTRONICS, False, now)
    elif detector.verdict == SILENT or detector.verdict == ECHO:
        shown.show(status.NO_DATA, 0, False, now)
    else:
        shown.show(status.PARTIAL, 0, False, now)

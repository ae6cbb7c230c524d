"""A dongle as the source: its firmware is stopped, and a few lines of MicroPython on it pass on
what its receivers hear, levels too, over USB. Nothing it does makes a wired pin an output."""

import queue
import time

from packlab.capture import LEVELS, PORTS
from packlab.errors import PacklabError
from packlab.flash.link import Link
from packlab.record.heard import Heard, Source

# A line is `~ port microseconds hex` or `~ port microseconds !level`; the clock wraps at 2**30.
_PASS_ON = """
import time
from deckwatch.hal.lines import open_lines
from deckwatch.meters.link import PORTS, LINE_STATES
lines = open_lines({baud}, {inverted}, False)
print("~ ports", " ".join([PORTS[line.port] for line in lines]))
looked = time.ticks_ms()
while True:
    for line in lines:
        n = line.read()
        if n:
            print("~", PORTS[line.port], time.ticks_us(), bytes(line.buf[:n]).hex())
        else:
            level = line.look(time.ticks_ms() & 0x3FFFFFFF)
            if level:
                print("~", PORTS[line.port], time.ticks_us(), "!" + LINE_STATES[level])
    time.sleep_ms(1)
"""
_PERIOD_US = 1 << 30
_LISTEN_S = 0.3


class PassOn(Source):
    """The dongle at a serial port. PacklabError where it has no firmware of ours to do it with."""

    accuracy = (
        "stamped by the dongle's own clock, within 3 ms of a chunk's last byte; its clock runs"
        " within 20 ppm of the truth"
    )

    def __init__(
        self, device: str, baud: int, into: "queue.SimpleQueue[Heard]", *, inverted: bool = False
    ) -> None:
        super().__init__(device, into)
        self._device = device
        self._link = Link(device)
        self._link.enter()
        self._link.follow(_PASS_ON.format(baud=baud, inverted=inverted), "it was asked to listen")
        self.ports = self._first_word()
        self._last_us = -1
        self._base_ns = 0

    def _first_word(self) -> tuple[str, ...]:
        said = []
        for line in self._link.lines(5.0):
            words = line.split()
            if words[:2] == ["~", "ports"]:
                return tuple(words[2:])
            said.append(line)
            if "Error" in line:
                break
        last = said[-1] if said else "nothing at all"
        raise PacklabError(
            f"the dongle at {self._device} does not listen (it says: {last[:80]}); run"
            " 'packlab flash' first"
        )

    def run(self) -> None:
        """Until `end`; afterwards the dongle starts its own firmware again."""
        with self._link:
            while not self.ending.is_set():
                try:
                    for line in self._link.lines(_LISTEN_S):
                        self._take(line, time.monotonic_ns())
                except PacklabError as gone:
                    self.tell(PORTS[0], lost=str(gone))
                    return
            self._link.enter(fresh=False)  # ends the loop there; leaving the link restarts it

    def _take(self, line: str, now_ns: int) -> None:
        words = line.split()
        if len(words) != 4 or words[0] != "~" or words[1] not in PORTS:
            return
        try:
            t_ns = self._time(int(words[2]), now_ns)
            data = b"" if words[3].startswith("!") else bytes.fromhex(words[3])
        except ValueError:
            return  # a line the cable has damaged
        level = words[3][1:] if words[3][1:] in LEVELS else ""
        self._into.put(Heard(t_ns, words[1], data, level))

    def _time(self, ticks_us: int, now_ns: int) -> int:
        """The dongle's clock on the computer's scale, fixed at its first word; both go on from
        there."""
        if self._last_us < 0:
            self._base_ns = now_ns
        else:
            self._base_ns += (ticks_us - self._last_us) % _PERIOD_US * 1000
        self._last_us = ticks_us
        return self._base_ns

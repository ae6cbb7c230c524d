"""Plays a line: as fast as it goes or paced, into a capture, a feed for the virtual board, or live
on a port, where somebody outside may ask."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from packlab.capture import CaptureWriter, Chunk, Event, Header
from packlab.fake.line import BMS_TX, InOrder, Line
from packlab.fake.ports import Port

_NAP_S = 0.001  # a millisecond more or less matters to no family
_FEED_PORTS = {"bms_tx": "bms", "host_tx": "host"}


def header(line: Line, source: str) -> Header:
    """The top of a capture of the line; `source` is the command that made it."""
    note = ("note", "no battery was involved; every value is of a model")
    return Header("made", source, line.settings, (note,))


class Recorder:
    """Writes events as they begin to a capture, in the order of their stamps."""

    def __init__(self, stream: TextIO, line: Line, source: str) -> None:
        self._writer = CaptureWriter(stream, header(line, source))
        self._in_order = InOrder(line.baud)

    def take(self, events: Iterable[Event]) -> None:
        """What has begun."""
        for event in self._in_order.add(events):
            self._writer.write(event)

    def close(self) -> None:
        """The last ones."""
        for event in self._in_order.rest():
            self._writer.write(event)


def capture(line: Line, until_us: int, recorder: Recorder, speed: float | None) -> None:
    """Play up to `until_us`; speed None = as fast as it goes."""
    start = time.monotonic()
    for event in line.advance(until_us):
        if speed is not None:
            time.sleep(max(0.0, start + event.t_us / 1e6 / speed - time.monotonic()))
        recorder.take((event,))


def feed(line: Line, until_us: int) -> Iterator[str]:
    """Lines for boards/VIRTUAL, in the order in which things begin (its README.md has the
    grammar)."""
    for port in line.settings:
        yield f"0 {_FEED_PORTS[port]} baud {line.baud}"
    for event in line.advance(until_us):
        what = event.data.hex() if isinstance(event, Chunk) else "!" + event.level
        yield f"{event.t_us} {_FEED_PORTS[event.port]} {what}"
    yield f"{until_us} end"


class Live:
    """A line on a port, at `speed` times real time. record: called with what begins. clock, sleep:
    in seconds."""

    def __init__(
        self,
        line: Line,
        port: Port,
        *,
        speed: float = 1.0,
        record: Callable[[list[Event]], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._line = line
        self._port = port
        self._speed = speed
        self._record = record
        self._clock = clock
        self._sleep = sleep
        self._start = clock()
        self._waiting: list[tuple[int, int, bytes]] = []
        self._sent = 0

    def run(self, until_us: int) -> None:
        """Until that moment of line time; the caller may break it off."""
        while (now_us := self._now_us()) < until_us:
            self.step(now_us)
            self._sleep(_NAP_S)

    def step(self, now_us: int) -> None:
        """What has come in is heard, what is due is sent."""
        heard = self._port.read()
        begun = list(self._line.advance(now_us))
        if heard:
            begun += self._line.receive(heard, now_us)
            begun += self._line.advance(now_us)
        self._record(begun)
        for event in begun:
            if isinstance(event, Chunk) and event.port == BMS_TX:
                self._sent += 1
                due_us = 0 if self._port.keeps_time else event.t_us
                heapq.heappush(self._waiting, (due_us, self._sent, event.data))
        while self._waiting and self._waiting[0][0] <= now_us:
            self._port.write(heapq.heappop(self._waiting)[2])

    def _now_us(self) -> int:
        return int((self._clock() - self._start) * 1e6 * self._speed)

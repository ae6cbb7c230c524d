"""Joins sources, files and gauge: drains what was heard, puts it in order of time, and writes it,
until it is told to end or the time is up."""

import queue
import time
from collections.abc import Callable, Sequence

from packlab.capture import Chunk, Event, Level
from packlab.record.book import Book
from packlab.record.gauge import Gauge
from packlab.record.heard import Heard, Source

_SETTLE_NS = 100_000_000  # how long an event waits for earlier ones of another source
_STEP_S = 0.05


class Recorder:
    """One recording. say: is told in words when a source goes or comes back."""

    def __init__(
        self,
        sources: Sequence[Source],
        heard: "queue.SimpleQueue[Heard]",
        book: Book,
        gauge: Gauge,
        say: Callable[[str], None],
    ) -> None:
        self._sources = sources
        self._heard = heard
        self._book = book
        self._gauge = gauge
        self._say = say
        self._held: list[Heard] = []
        self._start_ns = time.monotonic_ns()

    def start(self) -> None:
        """Begin to listen."""
        for source in self._sources:
            source.start()

    def step(self) -> None:
        """What has come since the last step; waits a little where nothing has."""
        try:
            self._held.append(self._heard.get(timeout=_STEP_S))
            while True:
                self._held.append(self._heard.get_nowait())
        except queue.Empty:
            pass
        self._write(time.monotonic_ns() - _SETTLE_NS)

    def end(self) -> None:
        """Stop listening and write all that was heard."""
        for source in self._sources:
            source.end()
        while not self._heard.empty():
            self._held.append(self._heard.get())
        self._write(time.monotonic_ns() + _SETTLE_NS)
        self._book.close()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return (time.monotonic_ns() - self._start_ns) / 1e9

    def _write(self, until_ns: int) -> None:
        self._held.sort(key=lambda heard: heard.t_ns)
        ready = [heard for heard in self._held if heard.t_ns <= until_ns]
        del self._held[: len(ready)]
        events: list[Event] = []
        for heard in ready:
            if heard.lost or heard.back:
                self._book.write(events)
                events = []
                self._tell(heard)
                continue
            events.append(self._event(heard))
        self._gauge.take(events)
        self._book.write(events)

    def _event(self, heard: Heard) -> Event:
        t_us = max(0, (heard.t_ns - self._start_ns) // 1000)
        if heard.level:
            return Level(t_us, heard.port, heard.level)
        return Chunk(t_us, heard.port, heard.data)

    def _tell(self, heard: Heard) -> None:
        at_s = (heard.t_ns - self._start_ns) / 1e9
        what = "is back" if heard.back else f"is gone ({heard.lost}); waiting for it"
        self._book.remark(f"{at_s:.3f} s: {heard.port} {what}")
        self._book.flush()
        self._say(f"{heard.port} {what}")

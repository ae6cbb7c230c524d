"""Line faults on events that come one by one, while answers depend on what was heard: the filters
of packlab.faults pull from a stream, so they run in a thread of their own and are handed one event
at a time. It never runs beside the caller; that is what keeps the outcome the same every time."""

import queue
import threading
from collections.abc import Iterator, Sequence

from packlab.capture import Event, Header, Level
from packlab.faults import Spec, apply

_CLOCK = "clock"  # a port that no line has: its events only tell filters the time


class LiveFaults:
    """`push` an event in order of time, get what becomes of it and of earlier ones."""

    def __init__(self, specs: Sequence[Spec], header: Header, seed: int) -> None:
        self._given: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._wants_more: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._out: list[Event] = []
        self._stream = apply(self._events(), specs, header, seed) if specs else None
        if self._stream is not None:
            threading.Thread(target=self._run, daemon=True).start()
            self._wait()

    def push(self, event: Event) -> list[Event]:
        """What comes out because of `event`."""
        if self._stream is None:
            return [event]
        self._given.put(event)
        self._wait()
        out, self._out = self._out, []
        return [event for event in out if event.port != _CLOCK]

    def pass_time(self, t_us: int) -> list[Event]:
        """What was held back until `t_us`."""
        return [] if self._stream is None else self.push(Level(t_us, _CLOCK, "idle"))

    def close(self) -> None:
        """End the thread."""
        if self._stream is not None:
            self._given.put(None)

    def _events(self) -> Iterator[Event]:
        while True:
            self._wants_more.put(None)
            event = self._given.get()
            if event is None:
                return
            yield event

    def _run(self) -> None:
        assert self._stream is not None
        try:
            for event in self._stream:
                self._out.append(event)
        except BaseException as failure:
            self._wants_more.put(failure)

    def _wait(self) -> None:
        failure = self._wants_more.get()
        if failure is not None:
            raise failure

"""The score of the data line over time. The trace tells only where it ended and how low it fell,
so the firmware's own meter is run over the capture's events on their way to the replay."""

from collections.abc import Iterable, Iterator
from typing import Any

from packlab.capture import Chunk, Event
from packlab.checkout import firmware

_SECOND_MS = 1000
_TICKS = (1 << 30) - 1


class LinkScore:
    """`points`: (t_ms, score of 100) whenever it changed, the last one at the capture's end."""

    def __init__(self, family: str) -> None:
        frames = firmware(f"protocols.{family}").FRAMES
        link = firmware("meters.link")
        framer = firmware("framer")
        self._ports = {name: number for number, name in enumerate(link.PORTS)}
        self._framers = [framer.Framer(frames, self, port) for port in self._ports.values()]
        self._idle = link.IDLE
        self._states = link.LINE_STATES
        self._chunk = framer.CHUNK
        self._link = link.Link(self._framers)
        self._telemetry = firmware("telemetry").Telemetry()
        self._second_ms: int | None = None
        self.points: list[tuple[int, int]] = []

    def on_frame(self, framer: Any) -> None:
        """Called by the framers for each frame that holds, and counted by themselves."""
        self._link.heard(framer.frame, framer.port)

    def watch(self, events: Iterable[Event]) -> Iterator[Event]:
        """The same events."""
        t_ms = 0
        for event in events:
            t_ms = event.t_us // 1000
            self._pass_time(t_ms)
            self._take(event, t_ms)
            self._measure(t_ms)
            yield event
        self.points.append((t_ms, self._link.score))

    def _take(self, event: Event, t_ms: int) -> None:
        port = self._ports[event.port]
        if not isinstance(event, Chunk):
            state = self._states.index(event.level)
            if state != self._idle:
                self._framers[port].lose(t_ms & _TICKS)
            self._link.line(port, state)
            return
        for start in range(0, len(event.data), self._chunk):
            part = event.data[start : start + self._chunk]
            buffer = bytearray(part.ljust(self._chunk, b"\0"))
            self._framers[port].feed(buffer, len(part), t_ms & _TICKS)

    def _pass_time(self, t_ms: int) -> None:
        """The meter is asked every second, whatever comes."""
        if self._second_ms is None:
            self._second_ms = t_ms
        while self._second_ms < t_ms:
            self._measure(self._second_ms)
            self._second_ms += _SECOND_MS

    def _measure(self, t_ms: int) -> None:
        now = t_ms & _TICKS
        for framer in self._framers:
            framer.idle(now)
        self._link.update(self._telemetry, now)
        score = self._link.score
        if not self.points or self.points[-1][1] != score:
            self.points.append((t_ms, score))

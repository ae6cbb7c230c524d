"""How the line does while it is recorded: bytes and frames a second, and the share of good frames,
once it is known which family speaks."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from packlab.capture import Chunk, Event
from packlab.identify import Listener, families

_WINDOW_S = 5.0
_ENOUGH = 2


@dataclass
class Rate:
    """One port: bytes in all, bytes and frames a second lately, link score in % (-1 = nothing to
    judge)."""

    bytes: int = 0
    bytes_per_s: float = 0.0
    frames_per_s: float = 0.0
    score: int = -1


class Gauge:
    """Judges every port's bytes by all families until one of them is understood."""

    def __init__(self, ports: Iterable[str], baud: int) -> None:
        self.rates = {port: Rate() for port in ports}
        self._listeners = {
            port: [Listener(name, baud) for name in families()] for port in self.rates
        }
        self._bytes = dict.fromkeys(self.rates, 0)
        self._frames = dict.fromkeys(self.rates, 0)
        self._since = time.monotonic()
        self.family = ""

    def take(self, events: Iterable[Event]) -> None:
        """What has been heard."""
        for event in events:
            if not isinstance(event, Chunk):
                continue
            rate = self.rates[event.port]
            rate.bytes += len(event.data)
            self._bytes[event.port] += len(event.data)
            now = event.t_us // 1000 & (1 << 30) - 1
            for listener in self._listeners[event.port]:
                before = listener.share.frames
                listener.feed(event.data, now)
                if listener.share.family == self.family:
                    self._frames[event.port] += listener.share.frames - before
        if not self.family:
            self._settle()
        if time.monotonic() - self._since >= _WINDOW_S:
            self._measure()

    def _settle(self) -> None:
        heard = [one.share for port in self._listeners for one in self._listeners[port]]
        best = max(heard, key=lambda share: share.bytes, default=None)
        if best is None or best.frames < _ENOUGH:
            return
        self.family = best.family
        for port, listeners in self._listeners.items():
            self._listeners[port] = [one for one in listeners if one.share.family == self.family]

    def _measure(self) -> None:
        now = time.monotonic()
        span, self._since = now - self._since, now
        for port, rate in self.rates.items():
            rate.bytes_per_s = self._bytes[port] / span
            rate.frames_per_s = self._frames[port] / span
            self._bytes[port] = self._frames[port] = 0
            if self.family:
                rate.score = self._listeners[port][0].score()

    def line(self) -> str:
        """One line of text for people."""
        parts = []
        for port, rate in self.rates.items():
            said = f"{port} {rate.bytes} bytes, {rate.bytes_per_s:.0f}/s"
            if self.family:
                said += f", {rate.frames_per_s:.1f} frames/s"
            if rate.score >= 0:
                said += f", link {rate.score} %"
            parts.append(said)
        return f"{'; '.join(parts)}; {self.family or 'no family understood yet'}"

"""When each alert stood, and how bad it was: the stretches of time that plots colour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNSEEN = "unknown"  # in place of a level: the values have gone stale while it stood


@dataclass(frozen=True, slots=True)
class Band:
    """One alert at one level, or unseen, from one moment to another."""

    code: str
    pack: int
    level: str
    from_ms: int
    to_ms: int


class Bands:
    """Takes the alert events of a trace; `all` are the bands, by their beginnings."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], tuple[str, int]] = {}
        self._closed: list[Band] = []

    def take(self, event: Mapping[str, Any]) -> None:
        """An alert event; a level that is told again goes on."""
        key, t_ms = (event["code"], event["pack"]), event["t_ms"]
        level = {"set": event["level"], "unknown": UNSEEN}.get(event["state"], "")
        if key in self._open and self._open[key][0] != level:
            self._close(key, t_ms)
        if level and key not in self._open:
            self._open[key] = level, t_ms

    def all(self, end_ms: int) -> list[Band]:
        """What stands at the end stands until `end_ms`."""
        for key in list(self._open):
            self._close(key, end_ms)
        return sorted(self._closed, key=lambda band: (band.from_ms, band.code, band.pack))

    def _close(self, key: tuple[str, int], t_ms: int) -> None:
        level, from_ms = self._open.pop(key)
        self._closed.append(Band(*key, level, from_ms, t_ms))

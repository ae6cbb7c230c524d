"""Alerts as lines of text on the USB console, for mpremote and packlab doctor; made after the round, never inside it."""

from micropython import const

from deckwatch.alert import LEVELS, STATES
from deckwatch.guardrails.table import CODES
from deckwatch.telemetry import SLOTS

_ROOM = const(32)


class Console:
    """Remembers which alerts changed; text() turns the oldest into a line."""

    def __init__(self) -> None:
        self._packs = [None] * _ROOM
        self._codes = bytearray(_ROOM)
        self._first = 0
        self.waiting = 0
        self.missed = 0

    def note(self, alerts, code: int) -> None:
        """Called inside the round; allocates nothing."""
        if self.waiting == _ROOM:
            self.missed += 1
            return
        place = (self._first + self.waiting) % _ROOM
        self._packs[place] = alerts
        self._codes[place] = code
        self.waiting += 1

    def text(self) -> str:
        """`alert cell_spread set warn 103 limit 100 cell_spread_mv where 7 peak 103 count 1 pack 1`"""
        alerts = self._packs[self._first]
        code = self._codes[self._first]
        self._first = (self._first + 1) % _ROOM
        self.waiting -= 1
        return "alert %s %s %s %d limit %d %s where %d peak %d count %d pack %d" % (
            CODES[code],
            STATES[alerts.state[code]],
            LEVELS[alerts.level[code]],
            alerts.value[code],
            alerts.limit[code],
            SLOTS[alerts.slot[code]],
            alerts.where[code],
            alerts.peak[code],
            alerts.count[code],
            alerts.pack + 1,
        )

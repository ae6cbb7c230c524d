"""Decides when the dongle lies down to sleep: when the scooter is off and nobody is here, and soon
where the pack is nearly empty; app.py asks. A pure rule: the hal sleeps and wakes.
"""

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms

PACK_MV = INDEX["pack_mv"]  # the slot that says whether the pack is spent

SPENT_MV = const(3300)  # of a cell: below it the dongle's own draw counts (design sheet)
_MINUTE_MS = const(60000)
_MOST_MIN = const(1440)


class Parking:
    """minutes: how long the scooter is off before the dongle sleeps; 0 = it never does."""

    again = True  # making.py

    def __init__(self, minutes: int, now: int) -> None:
        self._wait_ms = min(minutes, _MOST_MIN) * _MINUTE_MS
        self._since = now
        self._heard = 0

    def update(self, heard: int, is_off: bool, is_spent: bool, is_met: bool, now: int) -> bool:
        """Is it time to sleep? heard: bytes of all wires so far; is_off: the wires are held low;
        is_spent: the pack was last seen nearly empty; is_met: somebody presses the button or is
        connected. A spent pack is left alone a minute after its last word."""
        if heard != self._heard or is_met or not (is_off or is_spent):
            self._heard = heard
            self._since = now
            return False
        wait_ms = min(_MINUTE_MS, self._wait_ms) if is_spent else self._wait_ms
        return self._wait_ms > 0 and age_ms(now, self._since) >= wait_ms

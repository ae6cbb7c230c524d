"""How two packs share a load: one that stays idle leaves the other to carry the ride.

What flows out of each is added up while both are heard, the load is 5 A or more and the voltages
are level; after 100 As each is told its share. Packs that are not level take turns by right, as
behind an adapter that uses the fuller one.
"""

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_SHARE = INDEX["share_pct"]

_LOAD_MA = const(5000)
_LEVEL_MV = const(500)
_ENOUGH_MAS = const(100000)
_LONGEST_MS = const(1000)  # a sample stands for no longer than this


class Share:
    """share_pct of each of two packs, in their telemetries; 100 while nothing speaks against
    it."""

    def __init__(self) -> None:
        self._flowed_mas = [0, 0]
        self._pct = [100, 100]
        self._blocks = 1
        self._at = 0

    def update(self, first, second, now: int) -> None:
        """Adds up the time since the last call."""
        passed = min(age_ms(now, self._at), _LONGEST_MS)
        self._at = now
        one, two = -first.value[_CURRENT], -second.value[_CURRENT]
        both = first.fresh(_CURRENT, now) and second.fresh(_CURRENT, now)
        if both and one >= 0 and two >= 0 and one + two >= _LOAD_MA:
            if _are_level(first, second, now):
                self._add(one * passed // 1000, two * passed // 1000)
            else:
                self._flowed_mas[0] = self._flowed_mas[1] = 0
        for number in range(2):
            t = second if number else first
            if t.fresh(_CURRENT, now):
                t.derive(_SHARE, self._pct[number], 0, t.stamp[_CURRENT], self._blocks)

    def _add(self, one_mas: int, two_mas: int) -> None:
        flowed = self._flowed_mas
        flowed[0] += one_mas
        flowed[1] += two_mas
        total = flowed[0] + flowed[1]
        if total >= _ENOUGH_MAS:
            self._pct[0] = flowed[0] * 100 // total
            self._pct[1] = flowed[1] * 100 // total
            self._blocks = (self._blocks + 1) & 0xFFFF
            flowed[0] = flowed[1] = 0

    def reset(self) -> None:
        """The scooter was switched off."""
        self._flowed_mas[0] = self._flowed_mas[1] = 0

    def saturate(self, now: int) -> None:
        """Keeps an old stamp old across the tick wrap."""
        self._at = saturated(now, self._at)


def _are_level(first, second, now: int) -> bool:
    if not first.fresh(_PACK, now) or not second.fresh(_PACK, now):
        return False
    return abs(first.value[_PACK] - second.value[_PACK]) <= _LEVEL_MV

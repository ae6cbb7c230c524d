"""Is this a living battery? Its values repeat exactly while something else proves that it works,
or they are those of a chip that stands in for one.

Proof of a load: the controller draws 5 A by its own measure. Proof of a ride: the scooter moves by
its own measure, or the battery itself tells of a ride. A standing scooter is constant for minutes
and is innocent. Voltage and current decide; percent, charge and temperatures change too slowly.

A stand-in: a pack below what any board can live on, or cells all alike at 2.5 V or less, with two
probes at exactly 20 degC and no current (published emulator boards, xiaomi.md 5.2); or 29 Ah that
never change and never a current, while the voltage moves by a volt (Rita, xiaomi.md 5.3).
"""

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

try:
    from deckwatch.meters.tell_viper import tell, told
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.meters.tell_plain import tell, told

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_REMAINING = INDEX["remaining_mah"]
_RIDING = INDEX["riding"]
_SUPPLY = INDEX["supply_ma"]
_SPEED = INDEX["speed_mh"]
_HIGHEST = INDEX["highest_mv"]
_LOWEST = INDEX["lowest_mv"]
_LOAD = INDEX["frozen_load_ms"]
_RIDE = INDEX["frozen_ride_ms"]
_STAND_IN = INDEX["stand_in"]
_RESULTS = bytes((_LOAD, _RIDE, _STAND_IN))

_LOAD_MA = const(5000)
_MOVES_MH = const(3000)
_ALIKE_MV = const(2500)
_NO_CELL_MV = const(500)
_SAME_DC = const(200)
_FIXED_MAH = const(29000)
_NEARLY_MAH = const(100)
_MOVED_MV = const(1000)
_NO_SERIES = const(1)


class Frozen:
    """One pack's: frozen_load_ms, frozen_ride_ms: since when nothing has changed in spite of a
    proof; stand_in: 1 = it is one."""

    def __init__(self) -> None:
        self._count = 0
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._heard = False
        self._mv = self._ma = 0
        self._same_since = 0
        self._loaded = self._rides = False
        self._loaded_since = self._rides_since = 0
        self._flowed = False  # a current has been told since power-on
        self._least_mv = self._most_mv = 0

    def update(self, t, now: int) -> None:
        """Looks at each new pair of voltage and current."""
        if not t.fresh(_PACK, now) or not t.fresh(_CURRENT, now):
            self._heard = False
            return
        if t.count[_CURRENT] == self._count:
            return
        self._count = t.count[_CURRENT]
        self._prove(t, now)
        self._repeat(t.value[_PACK], t.value[_CURRENT], now)
        load = self._both_ms(self._loaded, self._loaded_since, now)
        ride = self._both_ms(self._rides, self._rides_since, now)
        told[0] = load
        told[1] = ride
        told[2] = self._is_stand_in(t, now)
        tell(t, _RESULTS, told, _CURRENT)

    def _prove(self, t, now: int) -> None:
        loaded = t.fresh(_SUPPLY, now) and t.value[_SUPPLY] <= -_LOAD_MA
        rides = t.fresh(_SPEED, now) and t.value[_SPEED] >= _MOVES_MH
        if t.fresh(_RIDING, now) and t.value[_RIDING]:
            rides = True
        if loaded and not self._loaded:
            self._loaded_since = now
        if rides and not self._rides:
            self._rides_since = now
        self._loaded = loaded
        self._rides = rides

    def _repeat(self, mv: int, ma: int, now: int) -> None:
        if not self._heard:
            self._heard = True
            self._same_since = now
            self._flowed = False
            self._least_mv = self._most_mv = mv
        elif mv != self._mv or ma != self._ma:
            self._same_since = now
        self._mv = mv
        self._ma = ma
        self._flowed = self._flowed or ma != 0
        self._least_mv = min(self._least_mv, mv)
        self._most_mv = max(self._most_mv, mv)

    def _both_ms(self, proven: bool, since: int, now: int) -> int:
        return min(age_ms(now, since), age_ms(now, self._same_since)) if proven else 0

    def _is_stand_in(self, t, now: int) -> bool:
        if self._flowed:
            return False
        if self._most_mv - self._least_mv >= _MOVED_MV and t.fresh(_REMAINING, now):
            return abs(t.value[_REMAINING] - _FIXED_MAH) <= _NEARLY_MAH
        return _are_fixed(t, now) and self._is_no_pack(t, now)

    def _is_no_pack(self, t, now: int) -> bool:
        if t.fresh(_HIGHEST, now) and t.groups > 1:
            return t.value[_LOWEST] == t.value[_HIGHEST] <= _ALIKE_MV
        return t.value[_PACK] < _NO_CELL_MV * (t.series or _NO_SERIES)

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._same_since = saturated(now, self._same_since)
        self._loaded_since = saturated(now, self._loaded_since)
        self._rides_since = saturated(now, self._rides_since)


def _are_fixed(t, now: int) -> bool:
    """Two probes at exactly 20 degC."""
    if t.probes < 2:
        return False
    for probe in range(t.probes):
        if t.temp_dc[probe] != _SAME_DC or age_ms(now, t.temp_stamp[probe]) > t.ttl_ms:
            return False
    return True

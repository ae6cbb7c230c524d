"""What a pack did while nobody looked: its loss while parked, how it was stored, how it settles
after a charge.

From the last rest in one power-on to the first reading in a later one; what is between them is
known when the time of day is (memory.py), or when the dongle was never without supply. A rest is
0.5 A and less for a minute; after a charge it takes an hour without a ride, for the voltage still
falls. The pack counts as untouched until it rides or charges; then what was found is over, and the
next rest is kept.

Loss is what the two voltages prove: each may be off by 10 mV a cell, and the fall of a group by
2 mV against the others. So 1 % a day shows after two days or so, and never too early.
"""

from micropython import const

from deckwatch.memory import CHARGE_MV, CHARGE_S, REST_DC, REST_MV, REST_PERMILLE, REST_S
from deckwatch.meters.median import median
from deckwatch.meters.ocv import curve_of, permille
from deckwatch.telemetry import INDEX

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_HIGHEST = INDEX["highest_mv"]
_COLDEST = INDEX["coldest_dc"]
_BALANCING = (INDEX["balance_a"], INDEX["balance_b"])
_CHARGING = INDEX["charging"]
_RIDING = INDEX["riding"]
_RESTING = INDEX["resting"]
_LOSS = INDEX["loss_permille"]
_FALL = INDEX["group_fall_mv"]
_STORED = INDEX["stored"]
_PARKED_MV = INDEX["parked_cell_mv"]
_SETTLE = INDEX["settle_mv"]

_IDLE_MA = const(500)
_DAY_S = const(86400)
_WEEK_S = const(604800)
_HOUR_S = const(3600)
_UNSURE_MV = const(10)
_UNSURE_FALL_MV = const(2)
_NEWS_MV = const(20)  # a rest is stored again when it has moved by so much
_SMALL_MAH = const(5000)  # taken where nobody knows the capacity: the dongle's share is large then
_DC_OFFSET = const(1000)  # memory.py: 0 is not known


class Parked:
    """loss_permille: a day, beyond the dongle's own draw; group_fall_mv: a day, of one group
    beyond the median; stored: 1 at a power-on after 7 days and more; parked_cell_mv: a cell's mean
    then; settle_mv: how far the pack has fallen since the charge ended, within 1 h.

    Of the config: full_mv; design_mah; dongle_ua, what the dongle draws from the parked pack.
    """

    def __init__(self, config, memory) -> None:
        self._curve = curve_of(config.full_mv)
        self._own_permille = config.dongle_ua * 24 // (config.design_mah or _SMALL_MAH)  # a day
        self._memory = memory
        self._count = 0
        self._kept_mv = 0  # of the rest that was last asked to be stored
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off; what it says next is a power-on."""
        if self._kept_mv:
            self._memory.want(1)
        self._untouched = True
        self._before_ma = _IDLE_MA  # two agree before a current counts as none
        self._loss = self._fall = self._fall_cell = self._settle = 0
        self._cell_mv = 0
        self._kept_mv = 0

    def update(self, t, now: int) -> None:
        """Takes each new voltage."""
        if t.count[_PACK] == self._count or not t.fresh(_PACK, now) or not t.fresh(_CURRENT, now):
            return
        self._count = t.count[_PACK]
        groups = t.series or t.groups
        ma = abs(t.value[_CURRENT])
        idle = max(ma, self._before_ma) < _IDLE_MA
        self._before_ma = ma
        if not self._is_used(t, now) and idle:
            self._follow_settling(t.value[_PACK])
        self._tell(t, _SETTLE, self._settle, 0)
        if not groups:
            return
        span_s = self._memory.since_s(self._memory.kept[REST_S])
        if self._untouched and span_s >= 0 and idle:
            self._compare(t, groups, span_s, now)
        if span_s >= 0 or not self._untouched:
            self._tell_parked(t, span_s, now)
        if t.fresh(_RESTING, now) and t.value[_RESTING]:
            self._keep(t, groups, now)

    def _is_used(self, t, now: int) -> bool:
        rides = t.fresh(_RIDING, now) and t.value[_RIDING] != 0
        charges = t.fresh(_CHARGING, now) and t.value[_CHARGING] != 0
        if rides:
            self._memory.kept[CHARGE_MV] = 0  # what falls from here on is not settling
        if rides or charges:
            self._untouched = False
            self._loss = self._fall = self._fall_cell = self._settle = 0
            self._kept_mv = 0
        return rides or charges

    def _follow_settling(self, mv: int) -> None:
        memory = self._memory
        since_s = memory.since_s(memory.kept[CHARGE_S])
        if memory.kept[CHARGE_MV] and 0 <= since_s <= _HOUR_S:
            self._settle = max(memory.kept[CHARGE_MV] - mv, 0)

    def _compare(self, t, groups: int, span_s: int, now: int) -> None:
        """With the last rest, once that is a day ago."""
        memory = self._memory
        if not self._cell_mv:
            self._cell_mv = t.value[_PACK] // groups
        if span_s < _DAY_S:
            return
        then = permille(self._curve, memory.kept[REST_MV] // groups - _UNSURE_MV)
        lost = then - permille(self._curve, t.value[_PACK] // groups + _UNSURE_MV)
        self._loss = max(0, _a_day(lost, span_s) - self._own_permille)
        if memory.cells == groups and t.fresh(_HIGHEST, now) and t.cells >= groups:
            self._compare_groups(t, groups, span_s)

    def _compare_groups(self, t, groups: int, span_s: int) -> None:
        before_mv = self._memory.cell_mv
        usual_mv = median(before_mv, groups, t.cell_mv) + _UNSURE_FALL_MV
        beyond_mv = place = 0
        for cell in range(groups):
            fall_mv = before_mv[cell] - t.cell_mv[cell] - usual_mv
            if fall_mv > beyond_mv:
                beyond_mv = fall_mv
                place = cell + 1
        self._fall = _a_day(beyond_mv, span_s)
        self._fall_cell = place

    def _tell_parked(self, t, span_s: int, now: int) -> None:
        stored = self._untouched and span_s >= _WEEK_S
        self._tell(t, _LOSS, self._loss, 0)
        self._tell(t, _STORED, 1 if stored else 0, 0)
        self._tell(t, _PARKED_MV, self._cell_mv, 0)
        if t.fresh(_HIGHEST, now):
            self._tell(t, _FALL, self._fall, self._fall_cell)

    def _keep(self, t, groups: int, now: int) -> None:
        """The rest to compare with at a later power-on."""
        memory = self._memory
        if self._untouched and memory.kept[REST_S]:
            return  # the one there is goes further back
        since_s = memory.since_s(memory.kept[CHARGE_S])
        if memory.kept[CHARGE_MV] and 0 <= since_s < _HOUR_S:
            return
        mv = t.value[_PACK]
        if not self._kept_mv:
            memory.cells = 0
        memory.kept[REST_S] = memory.now_s
        memory.kept[REST_MV] = mv
        memory.kept[REST_PERMILLE] = permille(self._curve, mv // groups)
        memory.kept[REST_DC] = t.value[_COLDEST] + _DC_OFFSET if t.fresh(_COLDEST, now) else 0
        if t.fresh(_HIGHEST, now) and t.cells >= groups and not _is_balancing(t, now):
            memory.cells = groups
            for cell in range(groups):
                memory.cell_mv[cell] = t.cell_mv[cell]
        if abs(mv - self._kept_mv) >= _NEWS_MV:
            self._kept_mv = mv
            memory.want(1)

    def _tell(self, t, slot: int, value: int, where: int) -> None:
        t.derive(slot, value, where, t.stamp[_PACK], self._count)


def _a_day(change: int, span_s: int) -> int:
    """To the nearest; at most 5000 mV times a day: below 2**30."""
    return (change * _DAY_S + span_s // 2) // span_s


def _is_balancing(t, now: int) -> bool:
    for slot in _BALANCING:
        if t.fresh(slot, now) and t.value[slot]:
            return True
    return False

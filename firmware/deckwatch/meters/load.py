"""What a change of the load tells: resistance of the pack and of each group, who gives way most,
and how far the pack sags when load sets in.

Resistance is taken from clean steps only. The pack's: from one current that lasts to another, 5 A
apart or more and 5 s at most, voltage and current of both told in one moment; "lasts" = within 1 A
and a sixteenth of itself for 600 ms. A group's: from one set of cells to another, 5 A apart and
10 s at most; how much the current moved from before a set to after it counts against it, and both
together must be less than half of the step. An estimate is known once three steps agree.

Cold cells resist more, which is no defect: the pack's is compared with its best as if both were
at 20 degC, by 2 % a degree (within 7 % of typical cells from -10 to 40 degC).
"""

from array import array

from micropython import const

from deckwatch.memory import BEST_UOHM
from deckwatch.meters.median import median
from deckwatch.telemetry import INDEX, MAX_CELLS
from deckwatch.ticks import age_ms, saturated

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_HIGHEST = INDEX["highest_mv"]
_WILD = INDEX["wild_cells"]
_COLDEST = INDEX["coldest_dc"]
_SAG = INDEX["sag_permille"]
_WEAK_RATIO = INDEX["weak_ratio_pct"]
_WEAK_SAG = INDEX["weak_sag_mv"]
_PACK_UOHM = INDEX["pack_uohm"]
_GROWN = INDEX["resistance_pct"]

_TOGETHER_MS = const(250)  # voltage and current this close were told in one moment
_STEP_MA = const(5000)
_LASTS_MS = const(600)
_LEVEL_MA = const(1000)
_PACK_STEP_MS = const(5000)  # longest from one current to the other
_CELLS_STEP_MS = const(10000)
_BESIDE_MS = const(1500)  # a current further away from a set says nothing about it
_MOVED_MA = const(3000)  # a current that moves more during a set spoils it
_LEAST_DROP_MV = const(20)  # of the median group: less is too near to what a board resolves
_LEAST_UOHM = const(1000)
_MOST_UOHM = const(5000000)
_LIGHT_MA = const(2000)
_SAG_MS = const(2500)  # 2 s, and half a second for the first frame that shows the load
_AGREE = const(3)
_COLD_DC = const(-100)
_WARM_DC = const(450)


class Estimate:
    """The mean of readings that agree within a fifth; known from the third on, lost with one that
    does not agree and found with the next that does."""

    def __init__(self) -> None:
        self.value = 0
        self.agreed = 0

    def take(self, reading: int) -> bool:
        """True when it agrees with those before."""
        if not self.agreed or abs(reading - self.value) * 5 > self.value:
            self.agreed -= 1
            if self.agreed <= 0:
                self.value = reading
                self.agreed = 1
            return False
        self.agreed = min(self.agreed + 1, _AGREE)
        self.value += (reading - self.value) // self.agreed
        return True


class Load:
    """One pack's. Its best resistance is `memory`'s, which outlives a power-off. series: cells,
    0 = as many as there are."""

    def __init__(self, series: int, memory) -> None:
        groups = series or MAX_CELLS
        self._memory = memory
        self._pack = Estimate()
        self._group = Estimate()  # the median group's
        self._steps = 1  # of the pack, and of the groups; that there was none yet is the first
        self._cell_steps = 1
        self._grown_pct = 100
        self._group_uohm = array("H", bytes(2 * groups))
        self._waiting_mv = array("H", bytes(2 * groups))
        self._from_mv = array("H", bytes(2 * groups))
        self._weak_pct = 100
        self._weak_mv = self._weak_cell = 0
        self._count = self._sets = 0
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off: steps begin anew, estimates stay."""
        self._levels = False  # the current now lasting: since when, what it began as, last sample
        self._level_since = 0
        self._level_ma = 0
        self._ma = self._mv = self._at = 0
        self._taken = False  # a step to this current has been taken
        self._from_pack_mv = 0  # at the end of the one before it; 0 = there is none
        self._from_ma = self._from_at = 0
        self._waits = False  # cells that wait for the current after them
        self._waiting_ma = self._waiting_at = 0
        self._has_cells = False
        self._cells_ma = self._cells_moved_ma = self._cells_at = 0
        self._light_mv = self._light_at = 0  # 0 mV: never yet
        self._loaded = False
        self._loaded_mv = self._loaded_at = 0

    def update(self, t, now: int) -> None:
        """Follows current, voltage and cells."""
        if not t.fresh(_CURRENT, now):
            self.reset()
            return
        if t.count[_CURRENT] != self._count:
            self._count = t.count[_CURRENT]
            self._follow(t, t.value[_CURRENT], t.stamp[_CURRENT], now)
        if t.count[_HIGHEST] != self._sets and t.fresh(_HIGHEST, now):
            self._sets = t.count[_HIGHEST]
            self._wait(t, now)
        if t.fresh(_HIGHEST, now):
            stamp = t.stamp[_HIGHEST]
            t.derive(_WEAK_RATIO, self._weak_pct, self._weak_cell, stamp, self._cell_steps)
            t.derive(_WEAK_SAG, self._weak_mv, self._weak_cell, stamp, self._cell_steps)

    def _follow(self, t, ma: int, stamp: int, now: int) -> None:
        lasts = self._levels and abs(ma - self._level_ma) < _LEVEL_MA + abs(self._level_ma) // 16
        if not lasts:
            if self._lasted(self._at):
                self._from_ma = self._ma
                self._from_pack_mv = self._mv
                self._from_at = self._at
            self._levels = True
            self._level_ma = ma
            self._level_since = stamp
            self._taken = False
        self._ma = ma
        self._at = stamp
        self._mv = t.value[_PACK] if _together(t, stamp) else 0
        if self._waits:
            self._waits = False
            moved = abs(ma - self._waiting_ma)
            if moved <= _MOVED_MA and age_ms(stamp, self._waiting_at) <= _BESIDE_MS:
                self._step_cells(t, (ma + self._waiting_ma) // 2, moved)
        if self._mv > 0:
            self._sink(t, ma, stamp)
            if not self._taken and self._lasted(stamp):
                self._taken = True
                self._step_pack(t, now)
            if t.fresh(_COLDEST, now):
                t.derive(_GROWN, self._grown_pct, 0, stamp, self._steps)

    def _lasted(self, stamp: int) -> bool:
        return self._levels and age_ms(stamp, self._level_since) >= _LASTS_MS

    # --- the pack ---

    def _sink(self, t, ma: int, stamp: int) -> None:
        """How far the voltage has fallen within 2 s of load, in thousandths of that before it."""
        sag = 0
        if ma > -_STEP_MA:
            self._loaded = False
            if abs(ma) < _LIGHT_MA:
                self._light_mv = self._mv
                self._light_at = stamp
        else:
            if not self._loaded:
                before = age_ms(stamp, self._light_at) <= _SAG_MS
                self._loaded = True
                self._loaded_mv = self._light_mv if before else 0
                self._loaded_at = stamp
            if self._loaded_mv and age_ms(stamp, self._loaded_at) <= _SAG_MS:
                sag = max(0, (self._loaded_mv - self._mv) * 1000 // self._loaded_mv)
        t.derive(_SAG, sag, 0, stamp, t.count[_CURRENT])

    def _step_pack(self, t, now: int) -> None:
        if not self._from_pack_mv or age_ms(self._at, self._from_at) > _PACK_STEP_MS:
            return
        if abs(self._ma - self._from_ma) < _STEP_MA:
            return
        found = _uohm(self._mv - self._from_pack_mv, self._ma - self._from_ma)
        if not _LEAST_UOHM <= found < _MOST_UOHM:
            return
        self._pack.take(found)
        if self._pack.agreed == _AGREE:
            t.derive(_PACK_UOHM, self._pack.value, 0, self._at, self._steps)
            if t.fresh(_COLDEST, now):
                self._compare(t.value[_COLDEST])

    def _compare(self, dc: int) -> None:
        """The pack's resistance at 20 degC against the best there ever was."""
        memory = self._memory
        at_20 = self._pack.value // 100 * (2 * min(max(dc, _COLD_DC), _WARM_DC) + 600) // 10
        if not memory.kept[BEST_UOHM] or at_20 * 50 < memory.kept[BEST_UOHM] * 49:
            memory.kept[BEST_UOHM] = at_20
            memory.want(1)
        self._steps = (self._steps + 1) & 0xFFFF
        self._grown_pct = at_20 // 10 * 100 // (memory.kept[BEST_UOHM] // 10)

    # --- groups ---

    def _wait(self, t, now: int) -> None:
        """A set has come behind a current: it counts if the next current says so too."""
        begun = t.stamp[_HIGHEST]
        if t.value[_WILD] or age_ms(now, begun) > age_ms(now, self._at):
            return
        if age_ms(begun, self._at) > _BESIDE_MS:
            return
        for cell in range(t.groups):
            self._waiting_mv[cell] = t.cell_mv[cell]
        self._waits = True
        self._waiting_ma = self._ma
        self._waiting_at = begun

    def _step_cells(self, t, ma: int, moved: int) -> None:
        """The waiting set is good, at `ma`: what the groups did since the one that is kept, which
        is kept on where the two make no clean step."""
        step = ma - self._cells_ma
        if self._has_cells and age_ms(self._waiting_at, self._cells_at) <= _CELLS_STEP_MS:
            if abs(step) < _STEP_MA or 2 * (moved + self._cells_moved_ma) > abs(step):
                return
            self._compare_groups(t, step)
        self._has_cells = True
        self._cells_ma = ma
        self._cells_moved_ma = moved
        self._cells_at = self._waiting_at
        self._waiting_mv, self._from_mv = self._from_mv, self._waiting_mv

    def _compare_groups(self, t, step: int) -> None:
        more, less = self._waiting_mv, self._from_mv
        if step < 0:  # more load, so that voltages have fallen
            more, less = less, more
        middle = median(more, t.groups, less)
        if middle < _LEAST_DROP_MV:
            return
        worst = cell = 0
        for group in range(t.groups):
            drop = more[group] - less[group]
            if drop > worst:
                worst = drop
                cell = group + 1
        self._estimate(t, more, less, middle, abs(step))
        # Three steps must agree on which group it is
        same = cell == self._weak_cell or not self._weak_cell
        self._weak_pct = worst * 100 // middle if same else 100
        self._weak_mv = worst - middle if same else 0
        self._weak_cell = cell
        self._cell_steps = (self._cell_steps + 1) & 0xFFFF

    def _estimate(self, t, more, less, middle: int, step: int) -> None:
        agrees = self._group.take(_uohm(middle, step))
        if agrees or self._group.agreed == 1:
            for group in range(t.groups):
                found = min(max(_uohm(more[group] - less[group], step), 0), 0xFFFF)
                before = self._group_uohm[group] if agrees else found
                self._group_uohm[group] = before + (found - before) // self._group.agreed

    def group_uohm(self, group: int) -> int:
        """Resistance of a group, counted from 0; 0 = not known, 65535 = that or more."""
        return self._group_uohm[group] if self._group.agreed == _AGREE else 0

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._level_since = saturated(now, self._level_since)
        self._at = saturated(now, self._at)
        self._from_at = saturated(now, self._from_at)
        self._cells_at = saturated(now, self._cells_at)
        self._light_at = saturated(now, self._light_at)
        self._loaded_at = saturated(now, self._loaded_at)


def _together(t, stamp: int) -> bool:
    """Is the pack's voltage from the moment of the current?"""
    if not t.seen[_PACK]:
        return False
    told = t.stamp[_PACK]
    return age_ms(stamp, told) <= _TOGETHER_MS or age_ms(told, stamp) <= _TOGETHER_MS


def _uohm(mv: int, ma: int) -> int:
    """Microohms, in steps of 10; both are halved until the product fits 30 bits."""
    while abs(mv) > 10000:
        mv //= 2
        ma //= 2
    return mv * 100000 // ma * 10 if ma else 0

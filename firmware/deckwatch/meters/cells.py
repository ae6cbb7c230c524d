"""Cell voltages: highest, lowest, spread, the sum against the pack, and readings no cell can give.

A sample is a complete set: every cell of the string read anew since the sample before, all within
one moment. What else passes by changes nothing. A reading below 0.5 V beyond the string is an
input not fitted; within the string it is a fault, and such a reading never sets highest, lowest or
spread.
"""

from array import array

from micropython import const

from deckwatch.telemetry import INDEX, MAX_CELLS
from deckwatch.ticks import age_ms, saturated

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_CELL_COUNT = INDEX["cell_count"]
_STEADY = INDEX["steady"]
_HIGHEST = INDEX["highest_mv"]
_LOWEST = INDEX["lowest_mv"]
_SPREAD = INDEX["cell_spread_mv"]
_REST_SPREAD = INDEX["rest_spread_mv"]
_LOAD_SPREAD = INDEX["load_spread_mv"]
_STILL = INDEX["still"]
_TOP_SPREAD = INDEX["top_spread_mv"]
_SUM_MV = INDEX["sum_error_mv"]
_SUM_PERMILLE = INDEX["sum_error_permille"]
_WILD = INDEX["wild_cells"]
_DEAD = INDEX["dead_cells"]
_JUMP = INDEX["cell_jump_mv"]
_MISCOUNTED = INDEX["miscounted_cells"]

_FITTED_MV = const(500)
_UNFITTED = const(2)  # cells in a row at 0 V that end a string: one may be a dead group
_TOP_MV = const(50)  # "within 50 mV of full"
_LOAD_MA = const(5000)
_MOMENT_MS = const(500)  # longest a set may take: 16 Daly frames last 217 ms (sheet daly.md 1)
_PAIR_MS = const(1000)  # furthest apart pack and cell readings may lie to be compared
_PAST = const(3)  # samples kept to compare with: cells, and
_MA = const(0)
_AT = const(3)
_JUMP_MS = const(10000)
_STEP_MA = const(3000)
_MOST_ERROR_MV = const(1000000)  # keeps the thousandfold below 2**30


class Cells:
    """One pack's cell meter.

    series: cells in series, 0 = as many as the board names, else as far as cells are fitted; as
    in the telemetry.
    full_mv: a full cell; wild_mv: more than any cell can read.
    """

    def __init__(self, series: int, full_mv: int, wild_mv: int) -> None:
        self._full_mv = full_mv
        self._wild_mv = wild_mv
        self._samples = 0  # goes on counting when the scooter is switched off: a new sample is new
        self._past_mv = array("H", bytes(2 * (series or MAX_CELLS) * _PAST))
        self._past = array("i", bytes(4 * 2 * _PAST))
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._frames = 0
        self._sampled = False  # the following belong to the latest sample
        self._total_mv = 0
        self._sampled_at = 0
        self._oldest_at = 0
        self._kept = 0  # samples; of _PAST the oldest is the next to go: then _PAST + its place

    def update(self, t, now: int) -> None:
        """Takes a sample when a set has become complete; compares it with the pack voltage."""
        if t.cell_frames != self._frames:
            self._frames = t.cell_frames
            series = t.series or _named_or_fitted(t)
            if self._is_sample(t, series, now):
                self._samples += 1
                self._take(t, series)
                self._split_spread(t, now)
                self._compare_past(t, series, now)
                self._compare_count(t, now)
            elif t.series:
                self._compare_name(t, now)
        if self._sampled:
            self._compare_sum(t, now)

    def _is_sample(self, t, series: int, now: int) -> bool:
        """Has every cell been read since the sample before, and all within one moment?"""
        if not series or t.cells < series:
            return False
        oldest = 0
        youngest = age_ms(now, t.cell_stamp[0])
        for cell in range(series):
            age = age_ms(now, t.cell_stamp[cell])
            if age > oldest:
                oldest = age
            if age < youngest:
                youngest = age
        if oldest - youngest > _MOMENT_MS:
            return False
        if self._sampled and oldest >= age_ms(now, self._sampled_at):
            return False
        self._sampled = True
        self._sampled_at = now
        self._oldest_at = (now - oldest) & (1 << 30) - 1
        return True

    def _take(self, t, series: int) -> None:
        highest = lowest = high_cell = low_cell = total = 0
        wild = wild_cell = dead = dead_cell = 0
        for cell in range(t.cells):
            mv = t.cell_mv[cell]
            if cell >= series and (mv < _FITTED_MV or not self._belongs(t, cell)):
                continue
            total += mv
            if mv < _FITTED_MV or mv > self._wild_mv:
                wild += 1
                wild_cell = wild_cell or cell + 1
                if not mv:
                    dead += 1
                    dead_cell = dead_cell or cell + 1
                continue
            if mv > highest:
                highest = mv
                high_cell = cell + 1
            if not lowest or mv < lowest:
                lowest = mv
                low_cell = cell + 1
        t.groups = series
        self._total_mv = total
        self._tell(t, _WILD, wild, wild_cell)
        self._tell(t, _DEAD, dead, dead_cell)
        if highest:
            top = highest - lowest if highest >= self._full_mv - _TOP_MV else 0
            self._tell(t, _HIGHEST, highest, high_cell)
            self._tell(t, _LOWEST, lowest, low_cell)
            self._tell(t, _SPREAD, highest - lowest, low_cell)
            self._tell(t, _TOP_SPREAD, top, low_cell)

    def _compare_count(self, t, now: int) -> None:
        """What the board names, or else what it reads, against the string the owner has set."""
        if t.series and not self._compare_name(t, now):
            cells = _last_fitted(t)
            while cells > t.series and not self._belongs(t, cells - 1):
                cells -= 1
            off = cells - t.series
            if not cells or -_UNFITTED < off < 0:
                off = 0  # readings no cell can give say nothing about their number
            self._tell(t, _MISCOUNTED, abs(off), 0)

    def _compare_name(self, t, now: int) -> bool:
        """The same for the number the board names; False where it names none."""
        if not t.seen[_CELL_COUNT] or age_ms(now, t.stamp[_CELL_COUNT]) > t.ttl_ms:
            return False
        off = abs(t.value[_CELL_COUNT] - t.series)
        t.derive(_MISCOUNTED, off, 0, t.stamp[_CELL_COUNT], t.count[_CELL_COUNT])
        return True

    def _split_spread(self, t, now: int) -> None:
        """Spread at rest and under a load that lasts are kept apart: one tells of charge, the
        other of resistance as well."""
        if t.stamp[_SPREAD] != self._oldest_at:
            return  # no cell was fit to be compared
        if t.fresh(_STILL, now) and t.value[_STILL]:
            self._tell(t, _REST_SPREAD, t.value[_SPREAD], t.where[_SPREAD])
        elif _is_steady(t, now) and t.value[_CURRENT] <= -_LOAD_MA:
            self._tell(t, _LOAD_SPREAD, t.value[_SPREAD], t.where[_SPREAD])

    def _belongs(self, t, cell: int) -> bool:
        """Was a cell beyond the string read together with it?"""
        return age_ms(t.cell_stamp[cell], self._oldest_at) <= _MOMENT_MS

    def _tell(self, t, slot: int, value: int, cell: int) -> None:
        t.derive(slot, value, cell, self._oldest_at, self._samples)

    def _compare_sum(self, t, now: int) -> None:
        """Sum of the fitted cells against the pack voltage, while the current stands still."""
        pack = t.value[_PACK]
        if pack <= 0 or not t.fresh(_PACK, now) or not _is_steady(t, now):
            return
        apart = age_ms(now, t.stamp[_PACK]) - age_ms(now, self._oldest_at)
        if not -_PAIR_MS <= apart <= _PAIR_MS:
            return
        stamp = t.stamp[_PACK] if apart > 0 else self._oldest_at
        error = min(abs(self._total_mv - pack), _MOST_ERROR_MV)
        permille = (error * 1000 - 1) // pack + 1  # rounded up: 10 means 1 % at the most
        t.derive(_SUM_MV, error, 0, stamp, self._samples)
        t.derive(_SUM_PERMILLE, permille, 0, stamp, self._samples)

    def _compare_past(self, t, series: int, now: int) -> None:
        """Largest change of one cell against one and against three samples ago.

        So a jump that lasts shows in three samples, a jittering wire in every one, and a single
        wrong reading in two. Nothing is compared across a step of the current, which moves cells
        too, nor while the current is not known.
        """
        if not _is_steady(t, now):
            self._kept = 0
            return
        jump = jump_cell = 0
        for back in (1, _PAST):
            place = (self._kept + _PAST - back) % _PAST
            if back <= self._kept and self._comparable(t, place, now):
                for cell in range(series):
                    moved = abs(t.cell_mv[cell] - self._past_mv[cell * _PAST + place])
                    if moved > jump:
                        jump = moved
                        jump_cell = cell + 1
        self._tell(t, _JUMP, jump, jump_cell)
        self._keep(t, series, now)

    def _comparable(self, t, place: int, now: int) -> bool:
        step = abs(t.value[_CURRENT] - self._past[_MA + place])
        return age_ms(now, self._past[_AT + place]) <= _JUMP_MS and step < _STEP_MA

    def _keep(self, t, series: int, now: int) -> None:
        place = self._kept % _PAST
        for cell in range(series):
            self._past_mv[cell * _PAST + place] = t.cell_mv[cell]
        self._past[_MA + place] = t.value[_CURRENT]
        self._past[_AT + place] = now
        self._kept += 1
        if self._kept == 2 * _PAST:
            self._kept = _PAST

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._oldest_at = saturated(now, self._oldest_at)
        self._sampled_at = saturated(now, self._sampled_at)
        for place in range(_AT, _AT + _PAST):
            self._past[place] = saturated(now, self._past[place])


def _is_steady(t, now: int) -> bool:
    return t.fresh(_STEADY, now) and t.value[_STEADY] != 0


def _named_or_fitted(t) -> int:
    """Cells in series when the owner has not said: what the board names, else the last fitted."""
    if t.seen[_CELL_COUNT]:
        return t.value[_CELL_COUNT]
    return _last_fitted(t)


def _last_fitted(t) -> int:
    cells = t.cells
    while cells and t.cell_mv[cells - 1] < _FITTED_MV:
        cells -= 1
    return cells

"""Cell voltages: highest, lowest, spread, the sum against the pack, and readings no cell can give.

Judged only when every cell of the series string is fresh and all come from one moment. A reading below 0.5 V beyond the string is
an input not fitted; within the string it is a fault, and such a reading never sets highest, lowest or spread.
"""

from array import array

from micropython import const

from deckwatch.telemetry import INDEX, MAX_CELLS
from deckwatch.ticks import age_ms

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_STEADY = INDEX["steady"]
_HIGHEST = INDEX["highest_mv"]
_LOWEST = INDEX["lowest_mv"]
_SPREAD = INDEX["cell_spread_mv"]
_TOP_SPREAD = INDEX["top_spread_mv"]
_SUM_MV = INDEX["sum_error_mv"]
_SUM_PERMILLE = INDEX["sum_error_permille"]
_WILD = INDEX["wild_cells"]
_DEAD = INDEX["dead_cells"]
_JUMP = INDEX["cell_jump_mv"]

_ALL = (_HIGHEST, _LOWEST, _SPREAD, _TOP_SPREAD, _SUM_MV, _SUM_PERMILLE, _WILD, _DEAD, _JUMP)

_FITTED_MV = const(500)
_TOP_MV = const(50)  # "within 50 mV of full"
_MOMENT_MS = const(500)  # longest a complete set may take: 16 Daly frames last 217 ms (sheet daly.md 1)
_PAIR_MS = const(1000)  # furthest apart pack and cell readings may lie to be compared
_JUMP_MS = const(10000)
_STEP_MA = const(3000)


class Cells:
    """One pack's cell meter. series: cells in series, 0 = as many as the board names; full_mv, wild_mv: per cell."""

    def __init__(self, series: int, full_mv: int, wild_mv: int) -> None:
        self._series = series
        self._full_mv = full_mv
        self._wild_mv = wild_mv
        self._before = array("H", bytes(2 * MAX_CELLS))
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._compared = False  # `_before` holds the sample before
        self._before_ma = 0
        self._before_at = 0
        self._frames = 0

    def update(self, t, now: int) -> None:
        series = self._series or t.cells
        oldest = self._oldest_ms(t, series, now)
        if oldest < 0 or oldest > t.ttl_ms:
            self._drop(t)
            return
        stamp = now - oldest & (1 << 30) - 1
        self._extremes(t, series, stamp)
        self._compare_sum(t, series, now, stamp)
        if t.cell_frames != self._frames:
            self._frames = t.cell_frames
            self._compare_before(t, series, now, stamp)

    def _oldest_ms(self, t, series: int, now: int) -> int:
        """Age of the oldest cell of a set from one moment; -1 when there is no such set."""
        if not series or t.cells < series:
            return -1
        oldest = 0
        youngest = 1 << 29
        for cell in range(series):
            age = age_ms(now, t.cell_stamp[cell])
            if age > oldest:
                oldest = age
            if age < youngest:
                youngest = age
        return oldest if oldest - youngest <= _MOMENT_MS else -1

    def _extremes(self, t, series: int, stamp: int) -> None:
        highest = lowest = high_cell = low_cell = wild = wild_cell = dead = dead_cell = 0
        for cell in range(t.cells):
            mv = t.cell_mv[cell]
            if mv < _FITTED_MV and cell >= series:
                continue
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
        count = t.cell_frames
        t.derive(_WILD, wild, wild_cell, stamp, count)
        t.derive(_DEAD, dead, dead_cell, stamp, count)
        if not highest:
            t.drop(_HIGHEST)
            t.drop(_LOWEST)
            t.drop(_SPREAD)
            t.drop(_TOP_SPREAD)
            return
        t.derive(_HIGHEST, highest, high_cell, stamp, count)
        t.derive(_LOWEST, lowest, low_cell, stamp, count)
        t.derive(_SPREAD, highest - lowest, low_cell, stamp, count)
        top = highest - lowest if highest >= self._full_mv - _TOP_MV else 0
        t.derive(_TOP_SPREAD, top, low_cell, stamp, count)

    def _compare_sum(self, t, series: int, now: int, stamp: int) -> None:
        """Sum of the fitted cells against the pack voltage, only while the current stands still."""
        pack = t.value[_PACK]
        paired = t.fresh(_PACK, now) and pack > 0 and t.fresh(_STEADY, now) and t.value[_STEADY]
        apart = age_ms(now, t.stamp[_PACK]) - age_ms(now, stamp)
        if not paired or not -_PAIR_MS <= apart <= _PAIR_MS:
            t.drop(_SUM_MV)
            t.drop(_SUM_PERMILLE)
            return
        total = 0
        for cell in range(t.cells):
            if cell < series or t.cell_mv[cell] >= _FITTED_MV:
                total += t.cell_mv[cell]
        error = abs(total - pack)
        t.derive(_SUM_MV, error, 0, stamp, t.cell_frames)
        t.derive(_SUM_PERMILLE, error * 1000 // pack, 0, stamp, t.cell_frames)

    def _compare_before(self, t, series: int, now: int, stamp: int) -> None:
        """Largest change of one cell since the sample before, excused when the current moved too or was not known."""
        steady = t.fresh(_STEADY, now) and t.value[_STEADY] and t.fresh(_CURRENT, now)
        if not steady:
            self._compared = False
            t.drop(_JUMP)
            return
        ma = t.value[_CURRENT]
        jump = jump_cell = 0
        if self._compared and age_ms(now, self._before_at) <= _JUMP_MS and abs(ma - self._before_ma) < _STEP_MA:
            for cell in range(series):
                moved = abs(t.cell_mv[cell] - self._before[cell])
                if moved > jump:
                    jump = moved
                    jump_cell = cell + 1
        t.derive(_JUMP, jump, jump_cell, stamp, t.cell_frames)
        for cell in range(series):
            self._before[cell] = t.cell_mv[cell]
        self._before_ma = ma
        self._before_at = now
        self._compared = True

    def _drop(self, t) -> None:
        self._compared = False
        for slot in _ALL:
            t.drop(slot)

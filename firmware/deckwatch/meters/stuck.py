"""A group whose reading stands still while the others move: a failed sensing capacitor on the
board makes the pack look balanced.

Sets of cells are compared with one kept from before, until every group has moved. LFP cells in the
flat part of their curve hardly move by charge alone, so there only a step of the current counts.
"""

from array import array

from micropython import const

from deckwatch.meters.median import median
from deckwatch.telemetry import INDEX, MAX_CELLS
from deckwatch.ticks import age_ms, saturated

_CURRENT = INDEX["current_ma"]
_HIGHEST = INDEX["highest_mv"]
_WILD = INDEX["wild_cells"]
_STUCK = INDEX["stuck_cell_mv"]

_STILL_MV = const(2)
_GAP_MS = const(10000)  # sets further apart have nothing to do with each other
_KEEP_MS = const(1800000)
_STEP_MA = const(3000)
_LFP_FULL_MV = const(4000)  # full cells below this are LFP


class Stuck:
    """One pack's: stuck_cell_mv, by how much the median group has moved while one (where) has
    not. series: cells, 0 = as many as there are; full_mv: of one."""

    def __init__(self, series: int, full_mv: int) -> None:
        self._lfp = full_mv < _LFP_FULL_MV
        self._kept_mv = array("H", bytes(2 * (series or MAX_CELLS)))
        self._sets = 0
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._groups = 0  # in the set that is kept
        self._kept_at = self._last_at = 0
        self._kept_ma = 0

    def update(self, t, now: int) -> None:
        """Compares each new set."""
        if t.count[_HIGHEST] != self._sets and t.fresh(_HIGHEST, now):
            self._sets = t.count[_HIGHEST]
            if t.value[_WILD]:
                return
            old = age_ms(now, self._last_at) > _GAP_MS or age_ms(now, self._kept_at) > _KEEP_MS
            if old or self._groups != t.groups:
                self._keep(t, now)
            self._last_at = now
            self._compare(t, now)

    def _compare(self, t, now: int) -> None:
        still = 0
        for cell in range(self._groups):
            if abs(t.cell_mv[cell] - self._kept_mv[cell]) <= _STILL_MV:
                still = cell + 1
                break
        moved = abs(median(t.cell_mv, self._groups, self._kept_mv))
        if self._lfp and not self._stepped(t, now):
            moved = 0
        if not still:
            self._keep(t, now)
            moved = 0
        t.derive(_STUCK, moved, still, t.stamp[_HIGHEST], self._sets)

    def _stepped(self, t, now: int) -> bool:
        return t.fresh(_CURRENT, now) and abs(t.value[_CURRENT] - self._kept_ma) >= _STEP_MA

    def _keep(self, t, now: int) -> None:
        self._groups = t.groups
        for cell in range(t.groups):
            self._kept_mv[cell] = t.cell_mv[cell]
        self._kept_at = now
        self._kept_ma = t.value[_CURRENT]

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._kept_at = saturated(now, self._kept_at)
        self._last_at = saturated(now, self._last_at)

"""How full the pack is by its voltage at rest, and how far the percent shown is from that.

The curves are typical open-circuit voltages of 18650 NMC and of LFP cells, read off published
figures; cells of other makes are off by up to 5 points. In between it is a straight line.
LFP tells little from 20 to 95 %: there 15 mV, which is what a cell still recovers after ten
minutes and what a board may be wrong by, are many points; so the percent shown is only wrong where
no voltage within 15 mV can mean it.
"""

from micropython import const

from deckwatch.telemetry import INDEX

_PACK = INDEX["pack_mv"]
_SOC = INDEX["soc_pct"]
_RESTING = INDEX["resting"]
_OCV = INDEX["ocv_pct"]
_ERROR = INDEX["soc_error_pct"]

# mV, thousandths, rising
NMC = (
    3000, 0, 3300, 50, 3430, 100, 3550, 200, 3610, 300, 3660, 400, 3730, 500, 3820, 600, 3910, 700,
    4010, 800, 4095, 900, 4200, 1000,
)  # fmt: skip
LFP = (
    2600, 0, 2900, 30, 3050, 60, 3150, 100, 3220, 200, 3255, 300, 3280, 400, 3290, 500, 3305, 600,
    3325, 700, 3330, 800, 3335, 900, 3350, 960, 3420, 990, 3600, 1000,
)  # fmt: skip
_LFP_FULL_MV = const(4000)  # full cells below this are LFP
_UNSURE_MV = const(15)
_NOT_EMPTY = const(80)  # 3.38 V, LFP 3.10 V: a board that shows 0 % there has lost count
_LOST_PCT = const(25)


class Ocv:
    """One pack's: ocv_pct at rest, soc_error_pct. full_mv: of a cell."""

    def __init__(self, full_mv: int) -> None:
        self._curve = curve_of(full_mv)
        # The last answers: a pack at rest asks the same again and again
        self._mv = self._soc = -1
        self._pct = self._error_pct = 0

    def update(self, t, now: int) -> None:
        """Both as old as the pack's voltage; away from rest there is no error to speak of."""
        groups = t.series or t.groups
        if not groups or not t.fresh(_PACK, now) or t.value[_PACK] <= 0:
            return
        mv = t.value[_PACK] // groups
        stamp, count = t.stamp[_PACK], t.count[_PACK]
        resting = t.fresh(_RESTING, now) and t.value[_RESTING] != 0
        soc = t.value[_SOC]
        if resting and (mv != self._mv or soc != self._soc):
            self._mv = mv
            self._soc = soc
            self._pct = (permille(self._curve, mv) + 5) // 10
            self._error_pct = self._error(soc, mv)
        if resting:
            t.derive(_OCV, self._pct, 0, stamp, count)
        if t.fresh(_SOC, now):
            t.derive(_ERROR, self._error_pct if resting else 0, 0, stamp, count)

    def _error(self, soc: int, mv: int) -> int:
        """Points between the percent shown and the nearest one the voltage can mean."""
        least = permille(self._curve, mv - _UNSURE_MV) // 10
        most = (permille(self._curve, mv + _UNSURE_MV) + 9) // 10
        error = max(0, least - soc, soc - most)
        if soc <= 0 and permille(self._curve, mv) >= _NOT_EMPTY:
            error = max(error, _LOST_PCT)
        return error


def curve_of(full_mv: int) -> tuple:
    """The curve of cells that are full at `full_mv`."""
    return LFP if full_mv < _LFP_FULL_MV else NMC


def permille(curve: tuple, mv: int) -> int:
    """Charge in thousandths of a cell that rests at `mv`, rounded down."""
    if mv <= curve[0]:
        return 0
    for k in range(2, len(curve), 2):
        if mv < curve[k]:
            span = curve[k] - curve[k - 2]
            return curve[k - 1] + (mv - curve[k - 2]) * (curve[k + 1] - curve[k - 1]) // span
    return 1000

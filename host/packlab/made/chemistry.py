"""What cells of a kind do: open-circuit voltage by state of charge, and how cold and age change
their resistance. pack.py asks it.

The curves are typical ones, drawn by hand after published figures of 18650 NMC and 32700 LFP
cells; no cell was measured for them.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

# Resistance in thousandths of that at 20 °C, by temperature in 0.1 °C
_COLD_PERMILLE = (
    (-200, 3500),
    (-100, 2400),
    (0, 1700),
    (100, 1280),
    (200, 1000),
    (300, 850),
    (400, 760),
    (600, 680),
)
# For each percent of its capacity a cell has lost, its resistance has grown by so many.
RESISTANCE_PER_WEAR = 3


@dataclass(frozen=True)
class Chemistry:
    """A curve of (percent, mV at rest), the voltage at the end of a charge, and that of the name
    plate."""

    name: str
    curve_mv: tuple[tuple[int, int], ...]
    full_mv: int
    nominal_mv: int
    _knots_pct: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_knots_pct", [percent for percent, _ in self.curve_mv])

    def open_circuit_uv(self, charge_mams: int, one_pct_mams: int) -> int:
        """The voltage at rest, in microvolts; beyond the curve's ends its last legs go on."""
        above = bisect_right(self._knots_pct, charge_mams // one_pct_mams)
        above = min(max(above, 1), len(self.curve_mv) - 1)
        (low_pct, low_mv), (high_pct, high_mv) = self.curve_mv[above - 1 : above + 1]
        over_mams = charge_mams - low_pct * one_pct_mams
        span_mams = (high_pct - low_pct) * one_pct_mams
        return low_mv * 1000 + (high_mv - low_mv) * 1000 * over_mams // span_mams


# fmt: off
NMC = Chemistry("nmc", (
    (-5, 2000),
    (0, 3000), (5, 3300), (10, 3430), (20, 3550), (30, 3610), (40, 3660), (50, 3730),
    (60, 3820), (70, 3910), (80, 4010), (90, 4095), (100, 4200), (110, 4320),
), full_mv=4200, nominal_mv=3600)
LFP = Chemistry("lfp", (
    (-5, 1500),
    (0, 2600), (3, 2900), (6, 3050), (10, 3150), (20, 3220), (30, 3255), (40, 3280), (50, 3290),
    (60, 3305), (70, 3325), (80, 3330), (90, 3335), (96, 3350), (99, 3420), (100, 3600),
    (101, 3750), (110, 4200),
), full_mv=3650, nominal_mv=3200)
# fmt: on
CHEMISTRIES = {chemistry.name: chemistry for chemistry in (NMC, LFP)}


def cold_permille(temp_dc: int) -> int:
    """Resistance at `temp_dc` (0.1 °C) in thousandths of that at 20 °C."""
    if temp_dc <= _COLD_PERMILLE[0][0]:
        return _COLD_PERMILLE[0][1]
    for (low_dc, low), (high_dc, high) in pairwise(_COLD_PERMILLE):
        if temp_dc <= high_dc:
            return low + (high - low) * (temp_dc - low_dc) // (high_dc - low_dc)
    return _COLD_PERMILLE[-1][1]

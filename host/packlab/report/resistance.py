"""What the pack and each of its groups give way under load, in milliohms, from the steps of the
current between one second and the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from packlab.report.samples import Samples

_LEAST_STEP_MA = 3000
_LONGEST_MS = 2500  # between two samples; slower than that the cell's own voltage moves, too
_ENOUGH = 5  # steps that must agree on anything


@dataclass(frozen=True, slots=True)
class Resistance:
    """Milliohms: medians over `steps` of the current, and half of what the middle half of them
    spans (`pack_spread`). groups: in order, () where the cells are not known with the current."""

    steps: int
    pack_mohm: float
    pack_spread_mohm: float
    groups_mohm: tuple[float, ...]


def resistance(samples: Samples) -> Resistance | None:
    """None where the current hardly moves. V = V0 + I R, with the current + when it charges."""
    pack = [dv / di * 1000 for dv, di in _steps(samples, samples.values["pack_mv"])]
    if len(pack) < _ENOUGH:
        return None
    groups: list[float] = []
    for number in range(samples.cells):
        column = [cells[number] if len(cells) > number else None for cells in samples.cells_mv]
        steps = [dv / di * 1000 for dv, di in _steps(samples, column)]
        if len(steps) < _ENOUGH:
            groups = []
            break
        groups.append(round(median(steps), 1))
    quarter = len(pack) // 4
    middle = sorted(pack)[quarter : len(pack) - quarter]
    spread = (middle[-1] - middle[0]) / 2
    return Resistance(len(pack), round(median(pack), 1), round(spread, 1), tuple(groups))


def _steps(samples: Samples, mv: list[int | None]) -> Iterator[tuple[int, int]]:
    """Change of the voltage, mV, and of the current, mA, wherever the latter steps."""
    rows = zip(samples.t_ms, mv, samples.values["current_ma"], strict=True)
    for (t0, v0, i0), (t1, v1, i1) in pairwise(rows):
        if v0 is None or v1 is None or i0 is None or i1 is None or t1 - t0 > _LONGEST_MS:
            continue
        if abs(i1 - i0) >= _LEAST_STEP_MA:
            yield v1 - v0, i1 - i0

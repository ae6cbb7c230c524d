"""What a trace tells of one battery, second by second, as columns; everything that is plotted or
worked out begins with them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SLOTS = (
    *("pack_mv", "current_ma", "soc_pct", "remaining_mah", "cell_spread_mv"),
    *("highest_mv", "lowest_mv", "coldest_dc", "hottest_dc", "mos_temp_dc", "board_temp_dc"),
    *("charging", "riding", "resting", "full_mah", "design_mah", "cycles", "health_pct"),
)
GAP_MS = 5000  # as long the firmware takes a value for known; a line is not drawn over more

Column = list[int | None]
Point = tuple[int, int]
Stroke = list[Point]


@dataclass(slots=True)
class Samples:
    """One battery. t_ms: when it spoke, rising. values: a column per slot of SLOTS. cells_mv,
    temps_dc: per sample, () where they are not fresh; a probe that is not fitted is None."""

    t_ms: list[int] = field(default_factory=list)
    values: dict[str, Column] = field(default_factory=lambda: {slot: [] for slot in SLOTS})
    cells_mv: list[tuple[int, ...]] = field(default_factory=list)
    temps_dc: list[tuple[int | None, ...]] = field(default_factory=list)

    def add(self, event: Mapping[str, Any], cells_mv: Iterable[int]) -> None:
        """A telemetry event, and the fitted cells where all of them are fresh."""
        self.t_ms.append(event["t_ms"])
        for slot, column in self.values.items():
            column.append(event.get(slot))
        self.cells_mv.append(tuple(cells_mv))
        self.temps_dc.append(tuple(event["temp_dc"]) if "coldest_dc" in event else ())

    def known(self, slot: str) -> Iterator[Point]:
        """Time and value wherever the slot is known."""
        for t_ms, value in zip(self.t_ms, self.values[slot], strict=True):
            if value is not None:
                yield t_ms, value

    def cell(self, number: int) -> Iterator[Point]:
        """Time and voltage, mV, of a cell counted from 1."""
        for t_ms, cells in zip(self.t_ms, self.cells_mv, strict=True):
            if len(cells) >= number:
                yield t_ms, cells[number - 1]

    def probe(self, number: int) -> Iterator[Point]:
        """Time and temperature, 0.1 °C, of a probe counted from 1."""
        for t_ms, probes in zip(self.t_ms, self.temps_dc, strict=True):
            if len(probes) >= number and (dc := probes[number - 1]) is not None:
                yield t_ms, dc

    @property
    def cells(self) -> int:
        """How many there are."""
        return max(map(len, self.cells_mv), default=0)

    @property
    def probes(self) -> int:
        """How many there are."""
        return max(map(len, self.temps_dc), default=0)


def strokes(points: Iterable[Point], from_ms: int, to_ms: int, most: int = 400) -> list[Stroke]:
    """The points as lines to be drawn without lifting the pen, which gaps do. Where there are
    many, only the lowest and the highest of each stretch of time stay, so that no peak is lost.

    most: stretches from one end of the plot to the other.
    """
    stretch_ms = max(1, -(-(to_ms - from_ms + 1) // most))
    drawn: list[Stroke] = []
    last_ms = from_ms
    for stretch in _stretches(points, from_ms, stretch_ms):
        kept = sorted({min(stretch, key=_value), max(stretch, key=_value)})
        if not drawn or kept[0][0] - last_ms > max(GAP_MS, 2 * stretch_ms):
            drawn.append([])
        drawn[-1] += kept if len(stretch) > 2 else stretch
        last_ms = stretch[-1][0]
    return drawn


def _value(point: Point) -> int:
    return point[1]


def _stretches(points: Iterable[Point], from_ms: int, stretch_ms: int) -> Iterator[Stroke]:
    stretch: Stroke = []
    for point in points:
        if (
            stretch
            and (point[0] - from_ms) // stretch_ms != (stretch[0][0] - from_ms) // stretch_ms
        ):
            yield stretch
            stretch = []
        stretch.append(point)
    if stretch:
        yield stretch

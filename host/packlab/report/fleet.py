"""How packs change from capture to capture: delta at rest, resistance, capacity, what they lose
while parked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from statistics import median
from typing import TypeVar

from packlab.report.study import PackStudy, Study

_LEAST_CHANGE_PCT = 20  # of charge counted, for a capacity to follow
_LEAST_DAYS = 2  # parked, for a loss to follow from whole percents and millivolts
_EVER_MS = 1 << 60

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one capture says of a pack; None where it does not.

    rest_spread_mv: median delta at rest. capacity_mah: as the BMS tells it, else counted
    (`capacity_from`). first_pct, first_cells_mv: as it was found at rest, before any charge or
    ride; last_pct, last_cells_mv: as it was left at rest, after the last.
    """

    when: str
    capture: str
    seconds: float
    worst_level: str
    rest_spread_mv: int | None
    pack_mohm: float | None
    groups_mohm: tuple[float, ...]
    capacity_mah: int | None
    capacity_from: str
    first_pct: int | None
    last_pct: int | None
    first_cells_mv: tuple[int, ...]
    last_cells_mv: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parked:
    """What a pack lost between two captures, if nobody charged it: percent a day of its charge,
    and by how many millivolts a day each group fell (positive), () where cells are not known."""

    from_when: str
    to_when: str
    days: int
    lost_pct_per_day: float
    groups_mv_per_day: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """One battery through all its captures, in order of their dates."""

    name: str
    readings: tuple[Reading, ...]
    parked: tuple[Parked, ...]


def fleet(studies: Sequence[Study]) -> list[Pack]:
    """All packs of some captures, by name; the second battery of a line is a pack of its own."""
    rows = [(_name(study, pack), study, pack) for study in studies for pack in study.packs]
    rows.sort(key=lambda row: (row[0], row[1].when, row[1].name))
    packs = []
    for name, group in groupby(rows, key=lambda row: row[0]):
        readings = tuple(_reading(study, pack) for _, study, pack in group)
        packs.append(Pack(name, readings, tuple(_parked(readings))))
    return packs


def _name(study: Study, pack: PackStudy) -> str:
    return study.pack if pack.number == 1 else f"{study.pack}, pack {pack.number}"


def _reading(study: Study, pack: PackStudy) -> Reading:
    rest = _Rest(pack)
    spreads = [mv for mv in rest.all(pack.samples.values["cell_spread_mv"]) if mv is not None]
    percents, cells = pack.samples.values["soc_pct"], pack.samples.cells_mv
    capacity_mah, capacity_from = _capacity(pack)
    return Reading(
        study.when,
        study.name,
        study.summary.seconds,
        study.summary.worst_level,
        rest_spread_mv=round(median(spreads)) if spreads else None,
        pack_mohm=pack.resistance.pack_mohm if pack.resistance else None,
        groups_mohm=pack.resistance.groups_mohm if pack.resistance else (),
        capacity_mah=capacity_mah,
        capacity_from=capacity_from,
        first_pct=rest.first(percents),
        last_pct=rest.last(percents),
        first_cells_mv=rest.first(cells) or (),
        last_cells_mv=rest.last(cells) or (),
    )


class _Rest:
    """The samples of a battery at rest; those before its first and after its last charge or ride
    say how it was found and how it was left."""

    def __init__(self, pack: PackStudy) -> None:
        samples = pack.samples
        flags = samples.values["resting"]
        self._places = [place for place, flag in enumerate(flags) if flag]
        starts = [session.from_ms for session in pack.sessions]
        ends = [session.to_ms for session in pack.sessions]
        found_ms, left_ms = min(starts, default=_EVER_MS), max(ends, default=-_EVER_MS)
        self._found = [place for place in self._places if samples.t_ms[place] < found_ms]
        self._left = [place for place in self._places if samples.t_ms[place] > left_ms]

    def all(self, column: Sequence[Value]) -> list[Value]:
        """The column at rest."""
        return [column[place] for place in self._places]

    def first(self, column: Sequence[Value]) -> Value | None:
        """What was known first, as it was found."""
        return next((column[place] for place in self._found if _is_known(column[place])), None)

    def last(self, column: Sequence[Value]) -> Value | None:
        """What was known last, as it was left."""
        left = reversed(self._left)
        return next((column[place] for place in left if _is_known(column[place])), None)


def _is_known(value: object) -> bool:
    return value is not None and value != ()


def _capacity(pack: PackStudy) -> tuple[int | None, str]:
    """What a full charge holds, and how that is known."""
    told = [mah for _, mah in pack.samples.known("full_mah") if mah]
    if told:
        return told[-1], "told by the BMS"
    for session in pack.sessions:
        if session.from_pct is None or session.to_pct is None:
            continue
        change_pct = session.to_pct - session.from_pct
        if abs(change_pct) >= _LEAST_CHANGE_PCT:
            counted_mah = session.into_mah - session.out_mah
            return round(counted_mah * 100 / change_pct), f"counted over {abs(change_pct)} %"
    return None, ""


def _parked(readings: Sequence[Reading]) -> Iterator[Parked]:
    """Between a capture that ends at rest and the next one, if that begins at rest, no fuller."""
    for before, after in pairwise(readings):
        days = (date.fromisoformat(after.when) - date.fromisoformat(before.when)).days
        if before.last_pct is None or after.first_pct is None or days < _LEAST_DAYS:
            continue
        lost_pct = before.last_pct - after.first_pct
        if lost_pct < 0:
            continue
        groups: tuple[float, ...] = ()
        if before.last_cells_mv and len(before.last_cells_mv) == len(after.first_cells_mv):
            pairs = zip(before.last_cells_mv, after.first_cells_mv, strict=True)
            groups = tuple(round((was - now) / days, 2) for was, now in pairs)
        yield Parked(before.when, after.when, days, round(lost_pct / days, 2), groups)

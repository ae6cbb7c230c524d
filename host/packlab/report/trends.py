"""What the index says of all packs: their latest figures, plots over months, and captures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from packlab.report import clock
from packlab.report.content import Cell, Figure, Table, number
from packlab.report.fleet import Pack, Reading
from packlab.report.svg import Plot, fitting, round_steps
from packlab.view.words import count

_WIDTH, _HEIGHT, _RIGHT = 480, 170, 96
_HEADS = [
    *("worst", "capture", "date", "length", "delta at rest", "resistance", "capacity"),
    "known by",
]
_PARKED_HEADS = ["from", "to", "days", "charge lost", "fastest group", "beyond the median"]


@dataclass(frozen=True, slots=True)
class Row:
    """One capture of a pack."""

    level: str
    name: str
    href: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class PackContent:
    """One pack's part of the index."""

    name: str
    figures: list[Figure]
    plots: list[Markup]
    heads: list[str]
    rows: list[Row]
    parked: Table


@dataclass(frozen=True, slots=True)
class FleetContent:
    """The index. failed: why captures were left out, a sentence each."""

    title: str
    lead: str
    packs: list[PackContent]
    failed: list[str]


def fleet_content(
    packs: Sequence[Pack], hrefs: dict[str, str], title: str, failed: Sequence[str]
) -> FleetContent:
    """hrefs: where each capture's page is, by its name."""
    captures = sum(len(pack.readings) for pack in packs)
    hours = sum(reading.seconds for pack in packs for reading in pack.readings) / 3600
    lead = f"{count(len(packs), 'pack')}, {count(captures, 'capture')}, {hours:.1f} hours of line."
    return FleetContent(title, lead, [_pack(pack, hrefs) for pack in packs], list(failed))


def _pack(pack: Pack, hrefs: dict[str, str]) -> PackContent:
    plots = [
        _single(pack, "rest_spread_mv", "Delta at rest, mV", 20),
        _groups(pack),
        _single(pack, "capacity_mah", "Capacity, mAh", 500),
        _lost(pack),
    ]
    return PackContent(
        pack.name,
        _figures(pack),
        [Markup(plot.render()) for plot in plots if plot is not None],
        _HEADS,
        [_row(reading, hrefs[reading.capture]) for reading in reversed(pack.readings)],
        _parked(pack),
    )


def _figures(pack: Pack) -> list[Figure]:
    figures = [
        Figure(name, [number(slot, value)])
        for name, slot, value in (
            ("Delta at rest", "rest_spread_mv", _latest(pack, "rest_spread_mv")),
            ("Resistance", "pack_mohm", _latest(pack, "pack_mohm")),
            ("Capacity", "capacity_mah", _latest(pack, "capacity_mah")),
            ("Lost while parked", "lost_pct_per_day", _latest_loss(pack)),
        )
    ]
    return [figure for figure in figures if figure.values[0].value is not None]


def _latest(pack: Pack, name: str) -> float | None:
    told = (getattr(reading, name) for reading in reversed(pack.readings))
    return next((value for value in told if value is not None), None)


def _latest_loss(pack: Pack) -> float | None:
    return pack.parked[-1].lost_pct_per_day if pack.parked else None


def _row(reading: Reading, href: str) -> Row:
    cells: list[Cell] = [
        reading.when,
        number("length_ms", reading.seconds * 1000),
        number("rest_spread_mv", reading.rest_spread_mv),
        number("pack_mohm", reading.pack_mohm),
        number("capacity_mah", reading.capacity_mah),
        reading.capacity_from,
    ]
    return Row(reading.worst_level, reading.capture, href, cells)


def _parked(pack: Pack) -> Table:
    rows: list[list[Cell]] = []
    for parked in pack.parked:
        groups = parked.groups_mv_per_day
        fastest = max(groups, default=None)
        middle = sorted(groups)[len(groups) // 2] if groups else None
        rows.append(
            [
                parked.from_when,
                parked.to_when,
                f"{parked.days}",
                number("lost_pct_per_day", parked.lost_pct_per_day),
                f"{groups.index(fastest) + 1}" if fastest is not None else "–",
                _beyond(fastest, middle),
            ]
        )
    note = (
        "Between a capture that ends at rest and the next one that begins at rest, where nobody "
        "charged meanwhile. A healthy pack loses well under 1 % a day; a group that falls 5 mV a "
        "day faster than the others leaks."
    )
    return Table("While parked", _PARKED_HEADS, rows, note)


def _beyond(fastest: float | None, middle: float | None) -> str:
    if fastest is None or middle is None:
        return "–"
    return f"{fastest - middle:.1f} mV a day"


def _single(pack: Pack, name: str, title: str, least: float) -> Plot | None:
    points = [
        (_day(reading.when), value)
        for reading in pack.readings
        if (value := getattr(reading, name)) is not None
    ]
    return _drawn(name, title, {name: points}, least)


def _groups(pack: Pack) -> Plot | None:
    """Each group where groups are known, else the pack."""
    groups = max((len(reading.groups_mohm) for reading in pack.readings), default=0)
    lines = {
        f"group {number}": [
            (_day(reading.when), reading.groups_mohm[number - 1])
            for reading in pack.readings
            if len(reading.groups_mohm) == groups
        ]
        for number in range(1, groups + 1)
    }
    if lines:
        return _drawn("groups_mohm", "Resistance of each group, mΩ", lines, 2)
    points = [(_day(r.when), r.pack_mohm) for r in pack.readings if r.pack_mohm is not None]
    return _drawn("pack_mohm", "Resistance of the pack, mΩ", {"pack": points}, 10)


def _lost(pack: Pack) -> Plot | None:
    points = [(_day(parked.to_when), parked.lost_pct_per_day) for parked in pack.parked]
    return _drawn("lost_pct_per_day", "Lost while parked, % a day", {"loss": points}, 0.5)


Line = list[tuple[int, float]]


def _drawn(name: str, title: str, lines: dict[str, Line], least: float) -> Plot | None:
    """Values over days, a dot each; None where a line would have but one."""
    days = [day for line in lines.values() for day, _ in line]
    values = [value for line in lines.values() for _, value in line]
    if len(set(days)) < 2:
        return None
    low, high = fitting([0, *values], least, floor=0)
    span = (min(days), max(days))
    plot = Plot(name, title, span, (low, high), _HEIGHT, width=_WIDTH, right=_RIGHT)
    plot.grid(round_steps(low, high, 5), lambda value: f"{value:g}")
    plot.times(clock.steps_days(*span), clock.day)
    last = {name: line[-1][1] for name, line in lines.items()}
    worst = max(last, key=last.__getitem__)
    for series, line in sorted(lines.items(), key=lambda item: item[0] == worst):
        kind = "cell low" if series == worst else "cell"
        plot.line(series, [line], kind)
        plot.line(series, [[point] for point in line], f"{kind} dots")
    plot.label(last[worst], worst if len(lines) > 1 else f"{last[worst]:g}", "low")
    return plot


def _day(when: str) -> int:
    return date.fromisoformat(when).toordinal()

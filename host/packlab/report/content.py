"""What a page says of a capture, in the order in which it says it: figures, findings, plots,
tables. Templates only lay it out."""

from dataclasses import dataclass

from markupsafe import Markup

from packlab.report import clock
from packlab.report.plots import plots, series
from packlab.report.samples import Samples
from packlab.report.sessions import CHARGE, RIDE, Session
from packlab.report.study import PackStudy, Study
from packlab.view import sentences, units, words
from packlab.view.state import Alert

ORIGINS = {
    "real": "recorded on a wire",
    "derived": "recorded on a wire and changed since, see the source",
    "made": "made by a program: no battery was involved",
}
_KINDS = {"alarm": "alarm", "warn": "warning", "info": "remark"}


@dataclass(frozen=True, slots=True)
class Number:
    """A value as people read it, and as programs do: `value` in the unit that ends the slot."""

    slot: str
    value: float | None
    text: str


def number(slot: str, value: float | None) -> Number:
    """`None` is a dash."""
    if value is None:
        return Number(slot, None, "–")
    match slot.rpartition("_")[2]:
        case "mohm":
            text = f"{value:.1f} mΩ"
        case "mwh":
            text = f"{value / 1000:.1f} Wh"
        case "day":
            text = f"{value:.2f} % a day"
        case "ms":
            text = clock.length(value)
        case _:
            text = units.value(slot, round(value))
    return Number(slot, value, text)


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the numbers at the top. values: shown with arrows or dashes between them."""

    name: str
    values: list[Number]
    joint: str = "–"


@dataclass(frozen=True, slots=True)
class Finding:
    """An alert in plain words."""

    level: str
    word: str
    said: str
    meaning: str
    advice: str


# Text, a number, or two numbers from which to which it went.
Cell = str | Number | tuple[Number, Number]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below their names."""

    title: str
    heads: list[str]
    rows: list[list[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Battery:
    """One battery's part of the page."""

    title: str
    figures: list[Figure]
    plots: list[Markup]
    absent: str
    tables: list[Table]


@dataclass(frozen=True, slots=True)
class Content:
    """One capture's page."""

    anchor: str
    title: str
    origin: str
    origin_words: str
    about: list[tuple[str, str]]
    level: str
    verdict: str
    findings: list[Finding]
    not_watched: list[tuple[str, str]]
    batteries: list[Battery]
    line: Table


def content(study: Study, anchor: str) -> Content:
    """`anchor`: where other pages find this one."""
    summary = study.summary
    return Content(
        anchor,
        study.name,
        study.header.origin,
        ORIGINS[study.header.origin],
        _about(study),
        summary.worst_level,
        verdict(study),
        [_finding(alert, name_pack=summary.several_packs) for alert in summary.alerts],
        words.by_family(summary.not_watched),
        [_battery(study, pack) for pack in study.packs],
        _line(study),
    )


def verdict(study: Study) -> str:
    """`2 alarms, 1 warning`."""
    levels = [alert.worst_level for alert in study.summary.alerts]
    counted = [
        words.count(levels.count(level), noun) for level, noun in _KINDS.items() if level in levels
    ]
    return ", ".join(counted) or "nothing found, as far as it was watched"


def _about(study: Study) -> list[tuple[str, str]]:
    summary = study.summary
    about = [
        ("Battery", study.pack),
        ("Date", f"{study.when} (by {study.when_from})"),
        ("Length", clock.length(summary.seconds * 1000)),
        ("Source", study.header.source),
        ("Judged as", f"profile {summary.profile}, protocol {summary.family}"),
    ]
    if study.pace != 1:
        faster = f"the made pack's time runs {study.pace} times as fast as the line's"
        about.append(("Time", faster))
    return about


def _finding(alert: Alert, *, name_pack: bool) -> Finding:
    level = alert.worst_level
    return Finding(
        level,
        _KINDS.get(level, level).capitalize(),
        sentences.incidents(alert, name_pack=name_pack),
        words.words(alert.code).meaning,
        sentences.advice(alert, level),
    )


def _battery(study: Study, pack: PackStudy) -> Battery:
    several = len(study.packs) > 1
    drawn = series(study, pack)
    return Battery(
        f"Pack {pack.number}" if several else "",
        _figures(study, pack),
        [Markup(plot) for plot in plots(study, pack, drawn)],
        _absent(pack),
        [table for table in (_charges(pack), _rides(pack), _resistance(pack)) if table.rows],
    )


def _absent(pack: PackStudy) -> str:
    """What is not plotted because nobody told it."""
    samples = pack.samples
    missing = [
        name
        for name, known in (
            ("cells and their delta", samples.cells),
            ("pack voltage", any(samples.known("pack_mv"))),
            ("current", any(samples.known("current_ma"))),
            ("temperatures", samples.probes),
            ("state of charge", any(samples.known("soc_pct"))),
        )
        if not known
    ]
    return ", ".join(missing)


def _figures(study: Study, pack: PackStudy) -> list[Figure]:
    samples = pack.samples
    figures = [
        Figure("State of charge", _ends(samples, "soc_pct"), "→"),
        Figure("Pack", _ends(samples, "pack_mv"), "→"),
        Figure("Lowest to highest cell", _span(samples, "lowest_mv", "highest_mv")),
        Figure("Largest delta", _span(samples, "", "cell_spread_mv")),
        Figure("Temperatures", _span(samples, "coldest_dc", "hottest_dc")),
        Figure("Most current out", [number("current_ma", _most_out(samples))]),
        Figure(
            "Resistance",
            [number("pack_mohm", pack.resistance.pack_mohm if pack.resistance else None)],
        ),
        Figure("Link score, worst", [_score(study.summary.worst_link_score)]),
    ]
    return [figure for figure in figures if any(n.value is not None for n in figure.values)]


def _ends(samples: Samples, slot: str) -> list[Number]:
    known = [value for _, value in samples.known(slot)]
    return [number(slot, known[0]), number(slot, known[-1])] if known else []


def _span(samples: Samples, low: str, high: str) -> list[Number]:
    """The lowest of one slot and the highest of another."""
    found = []
    if low:
        found.append(number(low, min((value for _, value in samples.known(low)), default=None)))
    found.append(number(high, max((value for _, value in samples.known(high)), default=None)))
    return found


def _most_out(samples: Samples) -> int | None:
    lowest = min((value for _, value in samples.known("current_ma")), default=None)
    return None if lowest is None else max(0, -lowest)


def _score(score: int) -> Number:
    return Number("worst_link_score", score, f"{score} of 100")


_CHARGE_HEADS = [
    *("from", "length", "charge", "pack", "into the pack, counted", "by the BMS's counter"),
    *("most current", "at the end", "coldest", "hottest", "highest cell", "delta at the end"),
]
_RIDE_HEADS = [
    *("from", "length", "charge", "pack", "out, counted", "of it energy", "back by braking"),
    *("by the BMS's counter", "most out", "most back", "lowest pack", "lowest cell", "hottest"),
]


def _charges(pack: PackStudy) -> Table:
    rows = [
        [
            *_beginning(session),
            number("into_mah", session.into_mah),
            number("told_mah", session.told_mah),
            number("most_in_ma", session.most_in_ma),
            number("last_ma", session.last_ma),
            number("coldest_dc", session.coldest_dc),
            number("hottest_dc", session.hottest_dc),
            number("highest_cell_mv", session.highest_cell_mv),
            number("end_spread_mv", session.end_spread_mv),
        ]
        for session in pack.sessions
        if session.kind == CHARGE
    ]
    return Table("Charges", _CHARGE_HEADS, rows)


def _rides(pack: PackStudy) -> Table:
    rows = [
        [
            *_beginning(session),
            number("out_mah", session.out_mah),
            number("out_mwh", session.out_mwh),
            number("into_mah", session.into_mah),
            number("told_mah", session.told_mah),
            number("most_out_ma", session.most_out_ma),
            number("most_in_ma", session.most_in_ma),
            number("pack_mv", session.lowest_pack_mv),
            number("lowest_cell_mv", session.lowest_cell_mv),
            number("hottest_dc", session.hottest_dc),
        ]
        for session in pack.sessions
        if session.kind == RIDE
    ]
    return Table("Rides", _RIDE_HEADS, rows)


def _beginning(session: Session) -> list[Cell]:
    return [
        clock.tick(session.from_ms),
        number("length_ms", session.to_ms - session.from_ms),
        (number("from_pct", session.from_pct), number("to_pct", session.to_pct)),
        (_volts("from_mv", session.from_mv), _volts("to_mv", session.to_mv)),
    ]


def _volts(slot: str, value: int | None) -> Number:
    """Of a whole pack: two digits are meant."""
    return Number(slot, value, number("pack_mv", value).text)


def _resistance(pack: PackStudy) -> Table:
    found = pack.resistance
    if found is None:
        return Table("Resistance", [], [])
    heads = ["pack", *(f"group {n}" for n in range(1, len(found.groups_mohm) + 1))]
    values = [number("pack_mohm", found.pack_mohm)]
    values += [number("group_mohm", mohm) for mohm in found.groups_mohm]
    note = (
        "What the voltage gives way by when the current steps by 3 A or more from one second to"
        f" the next: the median of {found.steps} steps, for the pack"
        f" ± {found.pack_spread_mohm:.1f} mΩ. "
        "Groups and pack may be read at different moments; compare groups with each other."
    )
    return Table("Resistance", heads, [[*values]], note)


def _line(study: Study) -> Table:
    summary = study.summary
    counted = (
        *("frames", "bad_check", "bad_length", "cut", "noise", "unknown", "requests", "replies"),
        *("link_score", "worst_link_score"),
    )
    heads = [
        *("good frames", "wrong check", "wrong length", "cut off", "noise, bytes", "unknown"),
        *("questions", "answers", "link score", "its worst"),
    ]
    numbers: list[Cell] = [
        Number(name, value, f"{value}") for name in counted for value in (getattr(summary, name),)
    ]
    return Table("Data line", heads, [numbers])

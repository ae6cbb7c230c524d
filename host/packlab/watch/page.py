"""A dongle's live values as text: a page for a terminal, a line where there is none."""

from collections.abc import Iterator

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from packlab.checkout import firmware
from packlab.view import units, words
from packlab.watch.live import LEVELS, OLD_S, Live

_STYLES = {"info": "green", "warn": "bold yellow", "alarm": "bold red"}
_LIGHTS = {
    "off": ("dim", "dark: the scooter is off"),
    "no_data": ("bold bright_blue", "blue: no data yet"),
    "partial": ("bold bright_blue", "blue: not yet all that can be watched here"),
    "fine": ("bold green", "green: all that can be watched here is watched and fine"),
    "info": ("bold green", "green, with a remark"),
    "unknown": ("bold magenta", "violet: something was wrong and can no longer be seen"),
    "warn": ("bold yellow", "amber: a warning"),
    "alarm": ("bold red", "red: an alarm"),
}
_STALE_S = 10
_BAR_MV = (2500, 4300)
_BAR = 24


def codes() -> tuple[str, ...]:
    """The guardrails' names in the order of their numbers."""
    names: tuple[str, ...] = firmware("guardrails.table").CODES
    return names


def alerts(live: Live) -> Iterator[tuple[str, str, bool]]:
    """(code, level, whether it can still be seen), the worst first."""
    found = [
        (name, LEVELS[level], number not in live.unknown)
        for number, (name, level) in enumerate(zip(codes(), live.levels, strict=False))
        if level
    ]
    yield from sorted(found, key=lambda one: (one[2], LEVELS.index(one[1])), reverse=True)


def not_watched(live: Live) -> list[str]:
    """Codes whose inputs are not there now."""
    return [name for number, name in enumerate(codes()) if number not in live.watched]


def line(live: Live) -> str:
    """One line: `62 %  39.52 V  1.98 A charging  delta 0.012 V  23.0 °C  fine`."""
    parts = list(_values(live))
    if live.delta_mv is not None:
        parts.append(f"delta {units.value('mv', live.delta_mv)}")
    parts += [units.value("temp_dc", dc) for dc in live.temps_dc if dc is not None]
    parts.append(live.look)
    parts += [f"{level} {code}{'' if seen else ' (unseen)'}" for code, level, seen in alerts(live)]
    return "  ".join(parts)


def _values(live: Live) -> Iterator[str]:
    if live.soc_pct is not None:
        yield f"{live.soc_pct:g} %"
    if live.pack_mv is not None:
        yield units.value("pack_mv", live.pack_mv)
    if live.current_ma is not None:
        told = {
            "current_ma": live.current_ma,
            "riding": bool(live.riding),
            "charging": bool(live.charging),
        }
        yield units.current(told)
    if live.watts is not None:
        yield f"{live.watts:+.0f} W"


def draw(name: str, live: Live) -> Panel:
    """The page."""
    style, meaning = _LIGHTS[live.look]
    rows = [
        Text.assemble(("● ", style), meaning, "  (muted)" if live.muted else ""),
        Text("   ".join(_values(live)) or "no values yet", _age_style(live.pack_age_s)),
        *_cells(live),
        *_temps(live),
        Text(""),
        *_alerts(live),
        *_unwatched(live),
    ]
    return Panel(Group(*rows), title=name)


def _age_style(age_s: int | None) -> str:
    return "dim" if age_s is None or age_s > _STALE_S else ""


def _cells(live: Live) -> Iterator[Text]:
    cells = live.believable_mv
    if not cells:
        yield Text("cells: nobody has told them", "dim")
        return
    highest, lowest = max(cells), min(cells)
    age = live.cells_age_s
    old = "" if age is None or age <= _STALE_S else f", {age if age < OLD_S else f'{age}+'} s old"
    yield Text(f"cells: delta {units.value('mv', highest - lowest)}{old}", _age_style(age))
    for number, mv in enumerate(live.cells_mv, 1):
        mark = "▲" if mv == highest else "▼" if mv == lowest else " "
        low, high = _BAR_MV
        filled = max(0, min(_BAR, (mv - low) * _BAR // (high - low)))
        bar = "█" * filled + "░" * (_BAR - filled)
        yield Text(f"  {number:2} {bar} {units.value('mv', mv)} {mark}", _age_style(age))


def _temps(live: Live) -> Iterator[Text]:
    if live.temps_dc:
        told = (
            f"probe {number} {'–' if dc is None else units.value('temp_dc', dc)}"
            for number, dc in enumerate(live.temps_dc, 1)
        )
        yield Text("   ".join(told))


def _alerts(live: Live) -> Iterator[Text]:
    found = list(alerts(live))
    if not found:
        yield Text("no alerts")
    for code, level, seen in found:
        style = _STYLES[level] if seen else "magenta"
        unseen = "" if seen else " (can no longer be seen)"
        yield Text(f"{level.upper()} {words.words(code).title}{unseen}", style)
        yield Text(f"      {words.words(code).advice}")


def _unwatched(live: Live) -> Iterator[Text]:
    missing = not_watched(live)
    if missing:
        yield Text(f"not watched: {', '.join(words.words(code).title for code in missing)}", "dim")

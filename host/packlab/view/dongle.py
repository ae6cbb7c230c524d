"""Draws the dongle and what it knows as one page of text, for one moment of the trace.

player.py calls it many times a second.
"""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Group
from rich.panel import Panel
from rich.text import Text

from packlab.view import sentences, units, words
from packlab.view.signals import is_lit, is_sounding
from packlab.view.state import FRESH_MS, Alert, Pack, Picture

COLOUR_STYLES = {
    "off": "dim",
    "green": "bold green",
    "blue": "bold bright_blue",
    "amber": "bold yellow",
    "red": "bold red",
    "violet": "bold magenta",
}
_LABEL_WIDTH = 8
_ALERT_INDENT = 10
_BAR_FROM_MV, _BAR_TO_MV = 2500, 4300
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_CELL_WIDTH, _WIDEST_CELL = 24, 44
_CELL_ROWS = 5  # more only when the page is too narrow for the columns
_FEWEST_ALERT_LINES = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """One drawing of a replay: its place in the trace, and that of the drawing before it.

    end_ms: where the trace will end. speed: times real time, None for as fast as it goes.
    """

    title: str
    now_ms: float
    before_ms: float
    end_ms: float
    speed: float | None


def draw(picture: Picture, frame: Frame, width: int, height: int) -> Panel:
    """Return the page, `width` columns wide and, as far as it can be, `height` lines high."""
    inner = max(width - 4, 20)
    top = [_light(picture, frame), _sound(picture, frame)]
    for pack in picture.packs.values():
        if pack.number == 1 or pack.values:
            top += _pack(picture, pack, frame.now_ms, inner)
    bottom = [*_watch(picture, inner), _progress(picture, frame, inner)]
    room = max(height - 2 - len(top) - len(bottom) - 2, _FEWEST_ALERT_LINES)
    lines = [*top, Text(), *_alerts(picture, inner, room), Text(), *bottom]
    for line in lines:
        line.no_wrap = True
        line.overflow = "ellipsis"
    border = COLOUR_STYLES[picture.light.colour]
    return Panel(Group(*lines), title=Text(frame.title), border_style=border, padding=(0, 1))


def _labelled(label: str, *parts: Text | str) -> Text:
    return Text.assemble((f"{label:{_LABEL_WIDTH}}", "dim"), *parts)


def _light(picture: Picture, frame: Frame) -> Text:
    light = picture.light
    sign = "●" if is_lit(light, frame.now_ms) else "○"
    said = words.light(light.look, light.colour, light.blinks)
    style = COLOUR_STYLES[light.colour]
    return _labelled("LIGHT", Text(sign, style), "  ", Text(said, style))


def _sound(picture: Picture, frame: Frame) -> Text:
    """A group that began since the drawing before is shown even if it is over already."""
    sound = picture.sound
    if not sound.groups:
        return _labelled("BUZZER", Text("-  silent", "dim"))
    said = f"{words.count(sound.beeps, 'beep')} at {sound.tone_hz} Hz"
    if is_sounding(sound, frame.now_ms) or sound.at_ms > frame.before_ms:
        return _labelled("BUZZER", Text(f"♪  {said}", "bold reverse"))
    return _labelled("BUZZER", Text(f"-  silent; {said} at {units.clock(sound.at_ms)}", "dim"))


def _pack(picture: Picture, pack: Pack, now_ms: float, inner: int) -> list[Text]:
    name = f"PACK {pack.number}" if picture.has_several_packs() else "PACK"
    if not pack.values:
        return [_labelled(name, Text("nothing heard yet", "dim"))]
    style, age = _freshness(pack.at_ms, now_ms)
    parts = _measured(pack)
    lines = [_labelled(name, Text("   ".join(parts) + age, style))]
    if probes := units.temperatures(pack.values):
        lines.append(_labelled("PROBES", *_probes(picture, pack, probes, style)))
    if pack.cells_ms is not None:
        lines += _cells(picture, pack, now_ms, inner)
    else:
        lines.append(_labelled("CELLS", Text("nobody has read them yet", "dim")))
    return lines


def _freshness(at_ms: float, now_ms: float) -> tuple[str, str]:
    """Style of a value told at `at_ms`, and its age in words when it is old."""
    age_ms = now_ms - at_ms
    if age_ms <= FRESH_MS:
        return "default", ""
    minutes, seconds = divmod(round(age_ms / 1000), 60)
    return "dim", f"   {minutes} min ago" if minutes > 1 else f"   {60 * minutes + seconds} s ago"


def _measured(pack: Pack) -> list[str]:
    values = pack.values
    parts = [units.value("pack_mv", values["pack_mv"])] if "pack_mv" in values else []
    parts += [units.current(values)] if "current_ma" in values else []
    parts += [units.value(slot, values[slot]) for slot in _AMOUNTS if slot in values]
    session = units.session(values)
    return [*parts, f"({session})"] if session else parts


_AMOUNTS = ("soc_pct", "remaining_mah")


def _probes(picture: Picture, pack: Pack, probes: list[str], style: str) -> Iterable[Text]:
    named = {alert.probe: alert for alert in picture.standing() if alert.pack == pack.number}
    for number, said in enumerate(probes, 1):
        alert = named.get(number)
        yield Text(f"{number}: {said}", _style(alert) if alert else style)
        yield Text(f" {_mark(alert)}   ", _style(alert)) if alert else Text("   ")


def _cells(picture: Picture, pack: Pack, now_ms: float, inner: int) -> list[Text]:
    cells_mv = pack.cells_mv
    style, age = _freshness(pack.cells_ms or 0, now_ms)
    named = {alert.cell: alert for alert in picture.standing() if alert.pack == pack.number}
    real = [mv for mv in cells_mv if mv]
    highest, lowest = max(real), min(real)
    head = (
        f"▲ {cells_mv.index(highest) + 1}: {highest / 1000:.3f} V   "
        f"▼ {cells_mv.index(lowest) + 1}: {lowest / 1000:.3f} V   "
        f"spread {(highest - lowest) / 1000:.3f} V{age}"
    )
    columns = max(1, min(-(-len(cells_mv) // _CELL_ROWS), inner // _CELL_WIDTH))
    rows = -(-len(cells_mv) // columns)
    width = min(inner // columns, _WIDEST_CELL)
    lines = [_labelled("CELLS", Text(head, style))]
    for row in range(rows):
        line = Text()
        for number in range(row + 1, len(cells_mv) + 1, rows):
            mv = cells_mv[number - 1]
            extreme = "▲" if mv == highest else "▼" if mv == lowest else " "
            line.append_text(_cell(number, mv, extreme, named.get(number), style, width))
        lines.append(line)
    return lines


def _cell(number: int, mv: int, extreme: str, alert: Alert | None, style: str, width: int) -> Text:
    shown = _style(alert) if alert else style
    mark = _mark(alert) if alert else ""
    text = Text(f"{number:2} ", shown)
    text.append_text(_bar(mv, width - 16, shown))
    return text.append(f" {mv / 1000:.3f} V {extreme}{mark:2} ", shown)


def _bar(mv: int, width: int, style: str) -> Text:
    """A bar from 2.5 to 4.3 V, an eighth of a column fine."""
    full = (mv - _BAR_FROM_MV) * width * 8 // (_BAR_TO_MV - _BAR_FROM_MV)
    full = min(max(full, 0), width * 8)
    bar = "█" * (full // 8) + (_EIGHTHS[full % 8] if full % 8 else "")
    return Text.assemble((bar, style), ("░" * (width - len(bar)), "dim"))


def _alerts(picture: Picture, inner: int, room: int) -> list[Text]:
    """Standing alerts; then, as far as there is room, advice, meaning, and what is over."""
    standing, past = picture.standing(), picture.past()
    if not standing and not past:
        return [_labelled("ALERTS", Text("none", "green"))]
    name_pack = picture.has_several_packs()
    shown = standing if len(standing) <= room else standing[: room - 1]
    left = room - len(shown)
    if shown is not standing:
        return [
            *(_standing(alert, name_pack) for alert in shown),
            Text(f"… and {len(standing) - len(shown)} more", "dim"),
        ]
    below: dict[int, list[Text]] = {number: [] for number in range(len(shown))}
    for say in (_advice, _meaning):
        for number, alert in enumerate(shown):
            wrapped = say(alert, inner)
            if len(wrapped) <= left:
                below[number] += wrapped
                left -= len(wrapped)
    lines = []
    for number, alert in enumerate(shown):
        lines += [_standing(alert, name_pack), *below[number]]
    return lines + [_past(alert, name_pack) for alert in past[:left]]


def _standing(alert: Alert, name_pack: bool) -> Text:
    if alert.state == "unknown":
        said = sentences.lost(alert, name_pack=name_pack)
        return _alert_line(words.UNKNOWN_MARK, "unseen", said, _style(alert))
    said = sentences.alert(alert, name_pack=name_pack)
    word = words.LEVEL_WORDS[alert.level]
    return _alert_line(words.LEVEL_MARKS[alert.level], word, said, _style(alert))


def _past(alert: Alert, name_pack: bool) -> Text:
    said = sentences.over(alert, name_pack=name_pack)
    return _alert_line(words.LEVEL_MARKS["ok"], "over", said, "dim")


def _alert_line(mark: str, word: str, said: str, style: str) -> Text:
    return Text.assemble((f"{mark:2} {word:7}", style), (said, style))


def _advice(alert: Alert, width: int) -> list[Text]:
    return _wrapped("→ ", sentences.advice(alert), width)


def _meaning(alert: Alert, width: int) -> list[Text]:
    return _wrapped("  ", words.words(alert.code).meaning, width)


def _wrapped(sign: str, said: str, width: int) -> list[Text]:
    indent = " " * _ALERT_INDENT
    lines = textwrap.wrap(
        said, max(width, 20), initial_indent=indent + sign, subsequent_indent=indent + "  "
    )
    return [Text(line) for line in lines]


def _watch(picture: Picture, inner: int) -> list[Text]:
    said = words.not_watched(picture.not_watched(), picture.known()) or "everything is watched"
    lines = textwrap.wrap(said, max(inner - _LABEL_WIDTH, 10))
    return [_labelled("" if number else "WATCH", line) for number, line in enumerate(lines)]


def _progress(picture: Picture, frame: Frame, inner: int) -> Text:
    first_ms = picture.first_ms or 0
    share = (frame.now_ms - first_ms) / max(frame.end_ms - first_ms, 1)
    share = 1.0 if picture.summary is not None else min(max(share, 0.0), 1.0)
    speed = "full speed" if frame.speed is None else f"{frame.speed:g}×"
    before = f"{units.clock(frame.now_ms)} of {units.clock(frame.end_ms)} "
    after = f" {share:4.0%}  {speed}"
    width = max(inner - len(before) - len(after), 4)
    done = round(share * width)
    return Text.assemble(before, ("━" * done, "bold"), ("─" * (width - done), "dim"), after)


def _style(alert: Alert) -> str:
    return words.UNKNOWN_STYLE if alert.state == "unknown" else words.LEVEL_STYLES[alert.level]


def _mark(alert: Alert) -> str:
    return words.UNKNOWN_MARK if alert.state == "unknown" else words.LEVEL_MARKS[alert.level]

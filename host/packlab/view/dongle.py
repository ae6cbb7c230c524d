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
_BAR_STYLE = "cyan"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_CELL_WIDTH, _WIDEST_CELL = 24, 44
_CELL_ROWS = 5  # more only when the page is too narrow for the columns
_FEWEST_ALERT_LINES = 3
_FRAME_LINES = 4  # the border, and a blank line above and below the alerts


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
    """Return the page, `width` columns wide and `height` lines high at most, if that can be.

    Where cells would push alerts off the page, their bars are left out.
    """
    inner = max(width - 4, 20)
    bottom = [*_watch(picture, inner), _progress(picture, frame, inner)]
    name_pack = picture.has_several_packs()
    standing = [_standing(alert, name_pack, inner) for alert in picture.standing()]
    needed = max(sum(len(lines) for lines in standing), _FEWEST_ALERT_LINES)
    for bars in (True, False):
        top = [_light(picture, frame), _sound(picture, frame)]
        for pack in picture.packs.values():
            if pack.number == 1 or pack.values:
                top += _pack(picture, pack, frame.now_ms, inner, bars=bars)
        room = height - _FRAME_LINES - len(top) - len(bottom)
        if room >= needed:
            break
    alerts = _alerts(picture, standing, inner, max(room, _FEWEST_ALERT_LINES))
    lines = [*top, Text(), *alerts, Text(), *bottom]
    for line in lines:
        line.no_wrap = True
        line.overflow = "ellipsis"
    border = COLOUR_STYLES[picture.light.colour]
    return Panel(
        Group(*lines),
        title=Text(frame.title, overflow="ellipsis"),
        border_style=border,
        padding=(0, 1),
    )


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
    said = words.beeps(sound.beeps, sound.tone_hz)
    if is_sounding(sound, frame.now_ms) or sound.at_ms > frame.before_ms:
        return _labelled("BUZZER", Text(f"♪  {said}", "bold reverse"))
    return _labelled("BUZZER", Text(f"-  silent; {said} at {units.clock(sound.at_ms)}", "dim"))


def _pack(picture: Picture, pack: Pack, now_ms: float, inner: int, *, bars: bool) -> list[Text]:
    name = f"PACK {pack.number}" if picture.has_several_packs() else "PACK"
    if not pack.values:
        return [_labelled(name, Text("nothing heard yet", "dim"))]
    style, age = _freshness(pack.at_ms, now_ms)
    session = units.session(pack.values)
    said = units.battery(pack.values) + ([f"({session})"] if session else [])
    lines = [_labelled(name, Text(("   ".join(said) or "nothing known now") + age, style))]
    if probes := units.temperatures(pack.values):
        lines.append(_labelled("PROBES", *_probes(picture, pack, probes, style)))
    if pack.cells_ms is None:
        return [*lines, _labelled("CELLS", Text("nobody has read them yet", "dim"))]
    style, age = _freshness(pack.cells_ms, now_ms)
    lines.append(_labelled("CELLS", Text(_extremes(pack) + age, style)))
    return lines + (_cells(picture, pack, inner, style) if bars else [])


def _freshness(at_ms: float, now_ms: float) -> tuple[str, str]:
    """Style of a value told at `at_ms`, and its age in words when it is old."""
    age_ms = now_ms - at_ms
    if age_ms <= FRESH_MS:
        return "default", ""
    minutes, seconds = divmod(round(age_ms / 1000), 60)
    return "dim", f"   {minutes} min ago" if minutes > 1 else f"   {60 * minutes + seconds} s ago"


def _probes(picture: Picture, pack: Pack, probes: list[str], style: str) -> Iterable[Text]:
    named = {alert.probe: alert for alert in picture.standing() if alert.pack == pack.number}
    for number, said in enumerate(probes, 1):
        alert = named.get(number)
        yield Text(f"{number}: {said}", _style(alert) if alert else style)
        yield Text(f" {_mark(alert)}   ", _style(alert)) if alert else Text("   ")


def _extremes(pack: Pack) -> str:
    marked = [
        f"{sign} {pack.cells_mv.index(mv) + 1}: {units.value('cell_mv', mv)}"
        for sign, mv in (("▲", pack.highest_mv), ("▼", pack.lowest_mv))
    ]
    spread = units.value("cell_mv", pack.highest_mv - pack.lowest_mv)
    return "   ".join([*marked, f"spread {spread}"])


def _cells(picture: Picture, pack: Pack, inner: int, style: str) -> list[Text]:
    """A bar for each cell, in columns from top to bottom."""
    cells_mv = pack.cells_mv
    named = {alert.cell: alert for alert in picture.standing() if alert.pack == pack.number}
    columns = max(1, min(-(-len(cells_mv) // _CELL_ROWS), inner // _CELL_WIDTH))
    rows = -(-len(cells_mv) // columns)
    width = min(inner // columns, _WIDEST_CELL)
    lines = []
    for row in range(rows):
        line = Text()
        for number in range(row + 1, len(cells_mv) + 1, rows):
            mv = cells_mv[number - 1]
            extreme = "▲" if mv == pack.highest_mv else "▼" if mv == pack.lowest_mv else " "
            line.append_text(_cell(number, mv, extreme, named.get(number), style, width))
        lines.append(line)
    return lines


def _cell(number: int, mv: int, extreme: str, alert: Alert | None, style: str, width: int) -> Text:
    shown = _style(alert) if alert else style
    mark = _mark(alert) if alert else ""
    text = Text(f"{number:2} ", shown)
    text.append_text(_bar(mv, width - 16, _BAR_STYLE if shown == "default" else shown))
    return text.append(f" {mv / 1000:.3f} V {extreme}{mark:2} ", shown)


def _bar(mv: int, width: int, style: str) -> Text:
    """A bar from 2.5 to 4.3 V, an eighth of a column fine."""
    full = (mv - _BAR_FROM_MV) * width * 8 // (_BAR_TO_MV - _BAR_FROM_MV)
    full = min(max(full, 0), width * 8)
    bar = "█" * (full // 8) + (_EIGHTHS[full % 8] if full % 8 else "")
    return Text.assemble((bar, style), ("░" * (width - len(bar)), "dim"))


def _alerts(picture: Picture, shown: list[list[Text]], inner: int, room: int) -> list[Text]:
    """The standing alerts `shown`; as far as there is room, advice, meaning, and what is over."""
    past = picture.past()
    if not shown and not past:
        return [_labelled("ALERTS", Text("none", "green"))]
    left = room - sum(len(lines) for lines in shown)
    if left < 0:
        return _cut_short(shown, room)
    for say in (_advice, _meaning):
        for alert, lines in zip(picture.standing(), shown, strict=True):
            more = say(alert, inner)
            if len(more) <= left:
                lines += more
                left -= len(more)
    over = [_past(alert, picture.has_several_packs(), inner) for alert in past]
    return [line for lines in shown + over for line in lines][:room]


def _cut_short(shown: list[list[Text]], room: int) -> list[Text]:
    kept: list[Text] = []
    for number, lines in enumerate(shown):
        if len(kept) + len(lines) >= room:
            return [*kept, Text(f"… and {len(shown) - number} more", "bold")]
        kept += lines
    return kept


def _standing(alert: Alert, name_pack: bool, inner: int) -> list[Text]:
    if alert.state == "unknown":
        said = sentences.lost(alert, name_pack=name_pack)
        return _alert_lines(words.UNKNOWN_MARK, "unseen", said, _style(alert), inner)
    said = sentences.alert(alert, name_pack=name_pack)
    mark, word = words.LEVEL_MARKS[alert.level], words.LEVEL_WORDS[alert.level]
    return _alert_lines(mark, word, said, _style(alert), inner)


def _past(alert: Alert, name_pack: bool, inner: int) -> list[Text]:
    said = sentences.over(alert, name_pack=name_pack)
    return _alert_lines(words.LEVEL_MARKS["ok"], "over", said, "dim", inner)


def _alert_lines(mark: str, word: str, said: str, style: str, inner: int) -> list[Text]:
    return _wrapped(f"{mark:2} {word:{_ALERT_INDENT - 3}}", said, inner, style)


def _advice(alert: Alert, inner: int) -> list[Text]:
    return _wrapped(f"{'→':>{_ALERT_INDENT + 1}} ", sentences.advice(alert, alert.level), inner)


def _meaning(alert: Alert, inner: int) -> list[Text]:
    return _wrapped(" " * (_ALERT_INDENT + 2), words.words(alert.code).meaning, inner)


def _wrapped(head: str, said: str, inner: int, style: str = "default") -> list[Text]:
    """`head` and the words behind it, later lines as far in as the words."""
    indent = " " * len(head)
    width = max(inner, len(head) + 10)
    lines = textwrap.wrap(said, width, initial_indent=head, subsequent_indent=indent)
    return [Text(line, style) for line in lines]


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

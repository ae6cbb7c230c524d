"""How a replay ended: the counts of its last event and what was found, as data and as a box."""

from dataclasses import dataclass

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from packlab.errors import PacklabError
from packlab.view import sentences, units, words
from packlab.view.state import Alert, Event, Picture


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a trace.

    seconds: from first to last event. frames to unknown: as the framers counted; noise in bytes.
    link_score, worst_link_score: 0 to 100. worst_level: ok, info, warn or alarm. not_watched:
    codes that never were. alerts: every guardrail that spoke, the worst first. last: the first
    battery's slots as last heard, however old.
    """

    profile: str
    family: str
    seconds: float
    frames: int
    bad_check: int
    bad_length: int
    cut: int
    noise: int
    unknown: int
    requests: int
    replies: int
    link_score: int
    worst_link_score: int
    worst_level: str
    not_watched: tuple[str, ...]
    alerts: tuple[Alert, ...]
    several_packs: bool
    beep_groups: int
    last: Event

    @classmethod
    def of(cls, picture: Picture) -> "Summary":
        """Return the summary; PacklabError when the trace broke off before its last line."""
        event = picture.summary
        if event is None:
            when = units.clock(picture.now_ms)
            raise PacklabError(
                f"the trace breaks off at {when} without a summary; replay it again"
            )
        severity = words.LEVELS.index
        alerts = sorted(
            picture.alerts.values(), key=lambda a: (-severity(a.worst_level), a.first_ms)
        )
        return cls(
            **{name: event[name] for name in _COPIED},
            not_watched=tuple(event["not_watched"]),
            alerts=tuple(alerts),
            several_packs=picture.has_several_packs(),
            beep_groups=picture.sound.groups,
        )


_COPIED = (
    *("profile", "family", "seconds", "frames", "bad_check", "bad_length", "cut", "noise"),
    *("unknown", "requests", "replies", "link_score", "worst_link_score", "worst_level", "last"),
)


def box(summary: Summary, title: str) -> Panel:
    """Return the summary as a framed table."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    rows.add_row("line", _line(summary))
    rows.add_row("link score", f"{summary.link_score} of 100, worst {summary.worst_link_score}")
    rows.add_row("at the end", _last(summary.last))
    rows.add_row("found", _found(summary))
    for alert in summary.alerts:
        said = sentences.incidents(alert, name_pack=summary.several_packs)
        rows.add_row(_level(alert), said)
        rows.add_row("", Text(f"→ {sentences.advice(alert, alert.worst_level)}", "dim"))
    rows.add_row("buzzer", words.count(summary.beep_groups, "group") + " of beeps")
    never = [
        f"{family} not watched: {subjects}"
        for family, subjects in words.by_family(summary.not_watched)
    ]
    rows.add_row("all along", "\n".join(never) or "all was watched at one time or another")
    return Panel(rows, title=Text(title, overflow="ellipsis"), border_style="dim", padding=(0, 1))


def _line(summary: Summary) -> str:
    bad = {
        "wrong check": summary.bad_check,
        "wrong length": summary.bad_length,
        "cut off": summary.cut,
        "unknown": summary.unknown,
    }
    told = ", ".join(f"{number} {what}" for what, number in bad.items() if number)
    noise = f", {words.count(summary.noise, 'byte')} of noise" if summary.noise else ""
    frames = f"{words.count(summary.frames, 'frame')} in {summary.seconds:.1f} s"
    questions = f"{words.count(summary.requests, 'question')}, {summary.replies} answered"
    return f"{frames}, {told or '0 bad'}{noise}; {questions}"


def _last(values: Event) -> str:
    parts = units.battery(values) + units.temperatures(values)
    return "  ".join(parts) or "scooter off or silent, nothing is known of the battery"


def _found(summary: Summary) -> Text:
    levels = [alert.worst_level for alert in summary.alerts]
    counted = [
        f"{words.count(levels.count(level), noun)}"
        for level, noun in (("alarm", "alarm"), ("warn", "warning"), ("info", "remark"))
        if level in levels
    ]
    style = words.LEVEL_STYLES[summary.worst_level]
    return Text(", ".join(counted) or "no warning, no alarm", style)


def _level(alert: Alert) -> Text:
    mark, word = words.LEVEL_MARKS[alert.worst_level], words.LEVEL_WORDS[alert.worst_level]
    return Text(f"{mark:2} {word}", words.LEVEL_STYLES[alert.worst_level])

"""A trace or a journal boiled down to what a finding stands on: what the dongle alerted, and how
the groups of cells differ at rest, under load and while charging.

of_trace() and of_journal() are the two ways in; rules.py reads the result.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from packlab.view.state import Alert, Picture
from packlab.view.summary import Summary
from packlab.virtual import place

if TYPE_CHECKING:
    from packlab.journal import Journal

LOAD_MA = 5000  # under load, as guardrail weak_cell has it
REST_MA = 500
STATES = ("rest", "load", "charge")


@dataclass(slots=True)
class Groups:
    """How the groups differ in one state of the pack: sums over samples of each group's distance
    from the median, mV, and of the current."""

    samples: int = 0
    away_mv: list[float] = field(default_factory=list)
    current_ma: float = 0.0

    def add(self, cells_mv: list[int], current_ma: int) -> None:
        """One sample of all groups."""
        if len(self.away_mv) != len(cells_mv):
            self.samples, self.current_ma = 0, 0.0
            self.away_mv = [0.0] * len(cells_mv)
        middle = median(cells_mv)
        for group, mv in enumerate(cells_mv):
            self.away_mv[group] += mv - middle
        self.samples += 1
        self.current_ma += current_ma

    def mean_mv(self) -> list[float]:
        """Each group's mean distance from the median."""
        return [away / self.samples for away in self.away_mv] if self.samples else []

    def mean_ma(self) -> float:
        """The mean current, positive when it charges."""
        return self.current_ma / self.samples if self.samples else 0.0


@dataclass(slots=True)
class Evidence:
    """What there is to judge by.

    kind: "trace" or "journal". origin: real, derived, made or "" (not known). alerts: every
    guardrail that spoke, the worst first. watched: those that were, at any time; None = not known.
    link_score: the worst, None = not known. first_mv, last_mv: the groups' distances from the
    median in the first and last samples at rest or charging, drift_s apart. sum_error_mv: largest
    difference between groups and pack while nothing moved. rest_mv: groups as last seen at rest.
    lowest: how often each group was the lowest of a checkpoint. trips: supplies lost under load.
    kept: how many records of each kind a journal holds; notes: what the owner did.
    """

    kind: str
    source: str
    origin: str = ""
    profile: str = ""
    family: str = ""
    seconds: float = 0.0
    alerts: list[Alert] = field(default_factory=list)
    watched: set[str] | None = None
    known: tuple[str, ...] = ()
    link_score: int | None = None
    groups: dict[str, Groups] = field(default_factory=lambda: {s: Groups() for s in STATES})
    first_mv: list[float] = field(default_factory=list)
    last_mv: list[float] = field(default_factory=list)
    drift_s: float = 0.0
    sum_error_mv: int | None = None
    rest_mv: list[int] = field(default_factory=list)
    lowest: dict[int, int] = field(default_factory=dict)
    trips: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def alert(self, code: str) -> Alert | None:
        """The alert of this code, of whichever pack."""
        return next((found for found in self.alerts if found.code == code), None)

    def cells_seen(self) -> bool:
        """Was any whole set of cells read?"""
        return any(groups.samples for groups in self.groups.values())


def of_trace(events: Iterable[Mapping[str, Any]], source: str, origin: str = "") -> Evidence:
    """From a trace with values and its summary."""
    picture = Picture()
    found = Evidence("trace", source, origin)
    watched: set[str] = set()
    first_ms: int | None = None
    for event in events:
        picture.fold(event)
        if event["event"] == "watch":
            watched.update(event["watched"])
        elif event["event"] == "telemetry" and event["pack"] == 1:
            first_ms = _take(found, picture, event, first_ms)
    summary = Summary.of(picture)
    found.profile, found.family = summary.profile, summary.family
    found.seconds, found.link_score = summary.seconds, summary.worst_link_score
    found.alerts = list(summary.alerts)
    found.watched = watched
    found.known = tuple(picture.known()) or tuple(summary.not_watched)
    return found


def _take(
    found: Evidence, picture: Picture, event: Mapping[str, Any], first_ms: int | None
) -> int | None:
    """The groups of one telemetry event, if all of them are fresh."""
    pack = picture.packs[1]
    if pack.cells_ms != picture.now_ms or len(pack.cells_mv) < 2 or "current_ma" not in event:
        return first_ms
    state = state_of(event["current_ma"])
    if not state:
        return first_ms
    found.groups[state].add(pack.cells_mv, event["current_ma"])
    if state == "load":
        return first_ms
    middle = median(pack.cells_mv)
    away = [mv - middle for mv in pack.cells_mv]
    found.last_mv = away
    found.rest_mv = list(pack.cells_mv)
    if "sum_error_mv" in event:
        found.sum_error_mv = max(found.sum_error_mv or 0, event["sum_error_mv"])
    if first_ms is None or len(found.first_mv) != len(away):
        found.first_mv = away
        return picture.now_ms
    found.drift_s = (picture.now_ms - first_ms) / 1000
    return first_ms


def state_of(current_ma: int) -> str:
    """One of STATES, "" in between."""
    if current_ma <= -LOAD_MA:
        return "load"
    if abs(current_ma) < REST_MA:
        return "rest"
    return "charge" if current_ma >= REST_MA else ""


def of_journal(journal: "Journal", source: str) -> Evidence:
    """From a dongle's black box (packlab.journal); what was watched it does not tell."""
    picture = Picture()
    found = Evidence("journal", source)
    before_ms = last_ms = 0
    boot = None
    for record in journal.records:
        if record.boot != boot:
            boot, before_ms = record.boot, last_ms
        last_ms = max(last_ms, before_ms + record.uptime_s * 1000)
        fields = record.fields
        found.kept[record.kind] = found.kept.get(record.kind, 0) + 1
        if record.kind == "note":
            found.notes.append(fields["text"])
        if record.kind == "alert":
            picture.fold(_alert_event(fields, last_ms, record.pack or 1))
        elif record.kind == "checkpoint" and fields.get("lowest_cell"):
            cell = fields["lowest_cell"]
            found.lowest[cell] = found.lowest.get(cell, 0) + 1
        elif record.kind == "memory" and len(fields.get("cell_mv", ())) > 1:
            found.rest_mv = list(fields["cell_mv"])
            found.groups["rest"].add(found.rest_mv, 0)
        elif record.kind == "supply" and fields["verdict"] == "tripped":
            found.trips += 1
    found.seconds = last_ms / 1000
    levels = ("ok", "info", "warn", "alarm")
    found.alerts = sorted(
        picture.alerts.values(), key=lambda a: (-levels.index(a.worst_level), a.first_ms)
    )
    return found


def _alert_event(fields: Mapping[str, Any], t_ms: int, pack: int) -> dict[str, Any]:
    """A journal's alert as a trace tells it."""
    copied = ("code", "state", "level", "value", "limit", "unit", "peak", "count")
    event = {name: fields[name] for name in copied}
    where = place(fields["unit"], fields["where"])
    return {"t_ms": t_ms, "event": "alert", "pack": pack, **event, **where}

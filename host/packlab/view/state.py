"""Folds the events of a trace into one picture: what the dongle shows, knows and has found.

Timeline and drawing read the picture; nothing here knows how it will look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packlab.view.units import LOWER_IS_WORSE
from packlab.view.words import LEVELS

Event = Mapping[str, Any]

NOT_FITTED_MV = 500  # trailing inputs below it have no cell (protocol sheet xiaomi 3.4)
FRESH_MS = 5000  # as long the firmware takes a value for known, unless told otherwise


@dataclass(slots=True)
class Light:
    """The pattern of the light since `since_ms`."""

    look: str = "no_data"
    colour: str = "off"
    blinks: int = 0
    since_ms: int = 0


@dataclass(slots=True)
class Sound:
    """The last group of beeps, and how many groups there were."""

    tone_hz: int = 0
    beeps: int = 0
    at_ms: int = 0
    groups: int = 0


@dataclass(slots=True)
class Pack:
    """What was last told of one battery.

    values: the slots fresh at `at_ms`. cells_mv: fitted cells in their order, 0 where a cell of
    the string reads nothing; read at `cells_ms`, None before the first complete set. highest_mv,
    lowest_mv: among the cells that can be believed.
    """

    number: int
    values: Event = field(default_factory=dict)
    at_ms: int = 0
    cells_mv: list[int] = field(default_factory=list)
    cells_ms: int | None = None
    highest_mv: int = 0
    lowest_mv: int = 0
    watched: tuple[str, ...] = ()
    not_watched: tuple[str, ...] = ()


@dataclass(slots=True)
class Alert:
    """One guardrail of one pack, from its first incident on.

    state: set, clear or unknown. level: of the present or last incident; worst_level: of all.
    value, limit, worst: in `unit`. cell, probe, fault, error: what it is about, 0 or '' where that
    says nothing; family: whose number an error is. since_ms: of this incident; first_ms: of the
    first; until_ms: end of the last.
    """

    code: str
    pack: int
    since_ms: int
    first_ms: int
    state: str = "clear"
    level: str = "ok"
    worst_level: str = "ok"
    unit: str = ""
    value: int = 0
    limit: int = 0
    worst: int = 0
    cell: int = 0
    probe: int = 0
    fault: str = ""
    error: int = 0
    count: int = 0
    until_ms: int | None = None
    family: str = ""


class Picture:
    """All of the dongle at one moment of the trace; `fold` moves it on by one event. family: as
    far as it is known before the summary tells it."""

    def __init__(self, family: str = "") -> None:
        self.family = family
        self.now_ms = 0
        self.first_ms: int | None = None
        self.light = Light()
        self.sound = Sound()
        self.packs: dict[int, Pack] = {}
        self.alerts: dict[tuple[int, str], Alert] = {}
        self.summary: Event | None = None

    def fold(self, event: Event) -> None:
        """Take one event in; kinds this view does not show (edges) only move the time."""
        kind = event["event"]
        if kind == "summary":
            self.summary = event
            for alert in self.alerts.values():
                alert.family = event.get("family", self.family)
            return
        self.now_ms = event["t_ms"]
        if self.first_ms is None:
            self.first_ms = self.now_ms
        if kind == "telemetry":
            self._fold_telemetry(event)
        elif kind == "alert":
            self._fold_alert(event)
        elif kind == "watch":
            pack = self._pack(event)
            pack.watched, pack.not_watched = tuple(event["watched"]), tuple(event["not_watched"])
        elif kind == "led":
            self.light = Light(event["look"], event["colour"], event["blinks"], self.now_ms)
        elif kind == "buzzer":
            groups = self.sound.groups + 1
            self.sound = Sound(event["tone_hz"], event["beeps"], self.now_ms, groups)

    def standing(self) -> list[Alert]:
        """Alerts that are set or unknown, the worst first, the newest first among equals."""
        found = [alert for alert in self.alerts.values() if alert.state != "clear"]
        return sorted(found, key=lambda alert: (*_badness(alert), alert.since_ms), reverse=True)

    def past(self) -> list[Alert]:
        """Alerts that have cleared, the newest first."""
        found = [alert for alert in self.alerts.values() if alert.state == "clear"]
        return sorted(found, key=lambda alert: alert.until_ms or 0, reverse=True)

    def has_several_packs(self) -> bool:
        """Whether more than one battery has spoken."""
        return sum(bool(pack.values) for pack in self.packs.values()) > 1

    def not_watched(self) -> list[str]:
        """Codes not watched now in any battery that has spoken; before that, in the first."""
        spoken = [pack for pack in self.packs.values() if pack.values or pack.number == 1]
        return list(dict.fromkeys(code for pack in spoken for code in pack.not_watched))

    def known(self) -> set[str]:
        """All codes this firmware has."""
        return {code for pack in self.packs.values() for code in pack.watched + pack.not_watched}

    def _pack(self, event: Event) -> Pack:
        number = event["pack"]
        return self.packs.setdefault(number, Pack(number))

    def _fold_telemetry(self, event: Event) -> None:
        pack = self._pack(event)
        pack.values = event
        pack.at_ms = self.now_ms
        for alert in self.alerts.values():
            if alert.pack == pack.number and alert.state == "set" and alert.unit in event:
                alert.value = event[alert.unit]
                alert.worst = _worse(alert.unit, alert.worst, alert.value)
        # Old cells stay in the event; the extremes are told only while all of them are fresh.
        if "highest_mv" in event:
            pack.cells_ms = self.now_ms
            pack.highest_mv, pack.lowest_mv = event["highest_mv"], event["lowest_mv"]
            pack.cells_mv = _fitted(event["cell_mv"], max(len(pack.cells_mv), self._cells(pack)))

    def _cells(self, pack: Pack) -> int:
        """The highest number of a cell that an alert names: it is fitted, whatever it reads."""
        return max((a.cell for a in self.alerts.values() if a.pack == pack.number), default=0)

    def _fold_alert(self, event: Event) -> None:
        key = (event["pack"], event["code"])
        if key not in self.alerts:
            self.alerts[key] = Alert(
                event["code"], event["pack"], self.now_ms, self.now_ms, family=self.family
            )
        alert = self.alerts[key]
        if event["state"] == "set":
            self._set(alert, event)
        elif alert.until_ms is None:
            alert.until_ms = self.now_ms
        if event["unit"] == alert.unit:
            alert.worst = _worse(alert.unit, alert.worst, event["peak"])
        alert.state = event["state"]
        alert.count = event["count"]

    def _set(self, alert: Alert, event: Event) -> None:
        if alert.state != "set":
            alert.since_ms = self.now_ms
            alert.until_ms = None
        if event["unit"] != alert.unit:
            alert.unit = event["unit"]
            alert.worst = event["peak"]
        alert.level = event["level"]
        if LEVELS.index(alert.level) > LEVELS.index(alert.worst_level):
            alert.worst_level = alert.level
        alert.value, alert.limit = event["value"], event["limit"]
        alert.cell, alert.probe = event.get("cell", 0), event.get("probe", 0)
        alert.fault, alert.error = event.get("fault", ""), event.get("error", 0)


def _badness(alert: Alert) -> tuple[bool, int]:
    return alert.state == "set", LEVELS.index(alert.level)


def _worse(unit: str, one: int, other: int) -> int:
    return min(one, other) if unit in LOWER_IS_WORSE else max(one, other)


def _fitted(cells_mv: list[int], at_least: int) -> list[int]:
    """Drop what lies behind the last cell that reads anything."""
    fitted = [number for number, mv in enumerate(cells_mv, 1) if mv >= NOT_FITTED_MV]
    return cells_mv[: max([at_least, *fitted])]

"""A pack on its way back: each group's start, slope, distance to the target and time to go, and
whether anything says stop.

follow() takes the events of a trace one by one; result() may be asked at any time.
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from packlab.advice import book
from packlab.view.state import Alert, Picture
from packlab.view.words import DEAD_MV, DEEP_MV, LEVELS
from packlab.view.words import advice as advice_words

WITHIN_MV = 5  # "within a few mV", as the dongle has it
WINDOW_S = 900.0  # the slope is that of the last quarter of an hour
SETTLED_S = 60.0  # before it there is none
STANDS_MV_H = 2.0  # less is no movement: a reading steps by 1 mV

# Guardrails that end the attempt: the cells' voltage and heat. The spread is what it is about.
STOPS = (
    *("cell_high", "charge_hot", "charge_cold", "discharge_hot", "heat_rise", "charge_voltage"),
    *("ghost_voltage", "board_hot"),
)

_MOST_NOTE = 255  # characters of a record
_NOTE = re.compile(r"recovering (\d+) min target (\d+): ((?:\d+>\d+ ?)+)")  # firmware sessions.py

REACHED, RISING, STANDING, FALLING, UNSEEN = "reached", "rising", "standing", "falling", "unseen"
ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Group:
    """One group. slope_mv_h: None before there is one. left_h: hours to go, None = not so."""

    number: int
    start_mv: int
    now_mv: int
    slope_mv_h: float | None
    away_mv: int
    state: str
    left_h: float | None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What came of it. outcome: "reached", "on its way", "stuck", "stopped" or "unseen"; why: in
    a sentence."""

    source: str
    target_mv: int
    within_mv: int
    seconds: float
    groups: tuple[Group, ...]
    outcome: str
    why: str
    left_h: float | None
    stops: tuple[str, ...]
    spread_start_mv: int
    spread_now_mv: int


class Recovering:
    """One attempt. target_mv 0: the median of the groups when first seen."""

    def __init__(self, source: str, target_mv: int = 0, within_mv: int = WITHIN_MV) -> None:
        self.source = source
        self._target_mv = target_mv
        self._within_mv = within_mv
        self._picture = Picture()
        self._start: list[int] = []
        self._start_ms = 0
        self._seen: deque[tuple[int, list[int]]] = deque()

    @property
    def now_ms(self) -> int:
        """Time of the last event."""
        return self._picture.now_ms

    def follow(self, event: Mapping[str, Any]) -> None:
        """Take one event of the trace."""
        picture = self._picture
        picture.fold(event)
        pack = picture.packs.get(1)
        if event["event"] != "telemetry" or pack is None or pack.cells_ms != picture.now_ms:
            return
        cells = list(pack.cells_mv)
        if len(cells) != len(self._start):
            self._start, self._start_ms = cells, picture.now_ms
            self._seen.clear()
        self._seen.append((picture.now_ms, cells))
        while picture.now_ms - self._seen[0][0] > WINDOW_S * 1000:
            self._seen.popleft()

    def result(self) -> Recovery:
        """How it stands."""
        stops = tuple(_stop(alert) for alert in self._picture.alerts.values() if _is_stop(alert))
        if not self._seen:
            why = "no group of cells was ever seen; let an app or the dongle read them"
            return self._recovery((), 0, "unseen", why, None, stops)
        target_mv = self._target_mv or round(median(self._start))
        now = self._seen[-1][1]
        groups = tuple(
            _group(n, start, mv, self._slope(n - 1), target_mv, self._within_mv)
            for n, (start, mv) in enumerate(zip(self._start, now, strict=True), 1)
        )
        return self._recovery(groups, target_mv, *_outcome(groups, stops), stops)

    def _recovery(
        self,
        groups: tuple[Group, ...],
        target_mv: int,
        outcome: str,
        why: str,
        left_h: float | None,
        stops: tuple[str, ...],
    ) -> Recovery:
        now = self._seen[-1][1] if self._seen else []
        spreads = [max(cells) - min(cells) if cells else 0 for cells in (self._start, now)]
        seconds = (self._seen[-1][0] - self._start_ms) / 1000 if self._seen else 0.0
        return Recovery(
            self.source,
            target_mv,
            self._within_mv,
            seconds,
            groups,
            outcome,
            why,
            left_h,
            stops,
            *spreads,
        )

    def _slope(self, group: int) -> float | None:
        """mV an hour, a straight line through the last quarter of an hour."""
        first_ms, last_ms = self._seen[0][0], self._seen[-1][0]
        if last_ms - first_ms < SETTLED_S * 1000:
            return None
        times = [(at - first_ms) / 3_600_000 for at, _ in self._seen]
        values = [cells[group] for _, cells in self._seen]
        middle, mean = sum(times) / len(times), sum(values) / len(values)
        moved = sum((t - middle) * (v - mean) for t, v in zip(times, values, strict=True))
        return moved / sum((t - middle) ** 2 for t in times)


def of_note(source: str, note: str, within_mv: int = WITHIN_MV) -> Recovery | None:
    """What a dongle wrote into its journal at the end of a session, `recovering 35 min target
    3500: 3412>3420 2512>3050 …`; None for any other note. Slopes are those of the whole session.
    """
    if len(note) >= _MOST_NOTE:
        note = note[: note.rfind(" ")]  # it was cut off within a group
    found = _NOTE.fullmatch(note)
    if not found:
        return None
    minutes, target_mv = int(found[1]), int(found[2])
    pairs = [pair.split(">") for pair in found[3].split()]
    readings = [(int(start), int(now)) for start, now in pairs]
    groups = tuple(
        _group(
            n, start, now, (now - start) * 60 / minutes if minutes else None, target_mv, within_mv
        )
        for n, (start, now) in enumerate(readings, 1)
    )
    spreads = [max(told) - min(told) for told in zip(*readings, strict=True)]
    outcome = _outcome(groups, ())
    return Recovery(source, target_mv, within_mv, minutes * 60.0, groups, *outcome, (), *spreads)


def _group(
    number: int, start_mv: int, now_mv: int, slope: float | None, target_mv: int, within_mv: int
) -> Group:
    away = now_mv - target_mv
    left_h = None
    if abs(away) <= within_mv:
        state, left_h = REACHED, 0.0
    elif slope is None:
        state = UNSEEN
    elif abs(slope) < STANDS_MV_H:
        state = STANDING
    else:
        state = RISING if slope > 0 else FALLING
        if away * slope < 0:
            left_h = (abs(away) - within_mv) / abs(slope)
    if away > within_mv and left_h is None:
        state = ABOVE
    warning = advice_words("cell_low", "alarm", now_mv) if now_mv <= DEEP_MV else ""
    return Group(number, start_mv, now_mv, slope, away, state, left_h, warning)


def _is_stop(alert: Alert) -> bool:
    return (
        alert.code in STOPS
        and alert.state != "clear"
        and LEVELS.index(alert.level) >= LEVELS.index("warn")
    )


def _stop(alert: Alert) -> str:
    where = (
        f", group {alert.cell}" if alert.cell else f", probe {alert.probe}" if alert.probe else ""
    )
    said = book("guardrails")[alert.code]
    return f"{said.title}{where}: {advice_words(alert.code, alert.level, alert.worst)}"


def _outcome(groups: tuple[Group, ...], stops: tuple[str, ...]) -> tuple[str, str, float | None]:
    """(outcome, why, hours to go): what the slowest group allows."""
    if stops:
        return "stopped", f"stop here: {stops[0]}", None
    dead = [group for group in groups if group.now_mv < DEAD_MV]
    if dead:
        return "stopped", f"stop here: group {dead[0].number}: {dead[0].warning}", None
    left = [group for group in groups if group.state not in (REACHED, ABOVE)]
    above = [group for group in groups if group.state == ABOVE]
    if not left and not above:
        return "reached", "every group is at the target", 0.0
    if not left:
        numbers = ", ".join(str(group.number) for group in above)
        return "on its way", f"group {numbers} still above the target: bleed it", None
    if any(group.slope_mv_h is None for group in left):
        return "on its way", "too early to tell: watch for more than a minute", None
    stuck = [group for group in left if group.left_h is None]
    if stuck:
        return "stuck", f"group {stuck[0].number} does not move towards the target", None
    slowest = max(left, key=lambda group: group.left_h or 0.0)
    hours = slowest.left_h or 0.0
    return "on its way", f"group {slowest.number} needs {hours:.1f} h at this pace", hours

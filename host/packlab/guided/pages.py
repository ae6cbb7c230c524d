"""The results of guided sessions as papers and as plain data."""

from dataclasses import asdict
from typing import Any

from packlab.guided.commission import FAILED, NOT_SEEN, PASSED, Commissioning
from packlab.guided.recover import Recovery
from packlab.paper import Bars, Marked, Paper, Table
from packlab.view import units

_MARKS = {PASSED: "ok", FAILED: "alarm", NOT_SEEN: "warn"}
_OUTCOMES = {
    "reached": "ok",
    "on its way": "info",
    "stuck": "warn",
    "stopped": "alarm",
    "unseen": "warn",
    "passed": "ok",
    "failed": "alarm",
    "not complete": "warn",
}


def recovery_paper(result: Recovery) -> Paper:
    """How far a recovery has come."""
    made = Paper(f"Recovery: {result.source}")
    summary: list[Any] = [
        Marked(
            f"{result.outcome.capitalize()}: {result.why}",
            _OUTCOMES[result.outcome],
            headline=True,
        )
    ]
    if result.groups:
        summary.append(
            f"{units.clock(round(result.seconds * 1000))} watched; target {result.target_mv} mV a "
            f"group, within {result.within_mv} mV; spread {result.spread_start_mv} -> "
            f"{result.spread_now_mv} mV."
        )
    made.section("In short", *summary)
    if result.stops:
        made.section("What says stop", [Marked(text, "alarm") for text in result.stops])
    warned = [g for g in result.groups if g.warning]
    if warned:
        texts = [Marked(f"Group {g.number}, {g.now_mv} mV: {g.warning}", "alarm") for g in warned]
        made.section("Deeply empty groups", texts)
    if result.groups:
        rows = tuple(
            (
                str(group.number),
                str(group.start_mv),
                str(group.now_mv),
                "?" if group.slope_mv_h is None else f"{group.slope_mv_h:+.0f}",
                f"{group.away_mv:+d}",
                group.state,
                "" if group.left_h is None else f"{group.left_h:.1f} h",
            )
            for group in result.groups
        )
        head = ("group", "start mV", "now mV", "mV/h", "from target", "state", "to go")
        bars = Bars(
            tuple(f"group {group.number}" for group in result.groups),
            tuple(float(group.away_mv) for group in result.groups),
            "mV",
        )
        made.section("Groups", Table(head, rows), "Distance from the target:", bars)
    return made


def recovery_line(result: Recovery, now_ms: int) -> str:
    """One line while it goes on."""
    lowest = min(result.groups, key=lambda group: group.now_mv, default=None)
    said = f"{units.clock(now_ms)}  {result.outcome}: {result.why}"
    if lowest is None:
        return said
    slope = "?" if lowest.slope_mv_h is None else f"{lowest.slope_mv_h:+.0f}"
    return f"{said}; lowest group {lowest.number} {lowest.now_mv} mV, {slope} mV/h"


def commissioning_paper(result: Commissioning) -> Paper:
    """The checklist, ticked off."""
    made = Paper(f"Commissioning: {result.source}")
    counts = ", ".join(
        f"{sum(item.state == state for item in result.items)} {state}"
        for state in (PASSED, FAILED, NOT_SEEN)
    )
    made.section(
        "In short",
        Marked(
            f"{result.outcome.capitalize()}: {counts}.", _OUTCOMES[result.outcome], headline=True
        ),
        f"Profile {result.profile}, {units.clock(round(result.seconds * 1000))} watched.",
    )
    rows = tuple((item.name, item.state, item.found) for item in result.items)
    made.section("Checklist", Table(("item", "", "what was seen"), rows))
    missing = [item for item in result.items if item.how]
    if missing:
        made.section("What would show the rest", [f"{item.name}: {item.how}" for item in missing])
    failed = [item for item in result.items if item.state == FAILED]
    if failed:
        texts = [Marked(f"{item.name}: {item.found}", _MARKS[FAILED]) for item in failed]
        made.section("What must be mended first", texts)
    return made


def as_data(result: Recovery | Commissioning) -> dict[str, Any]:
    """For a program."""
    return asdict(result)

"""The finding: problems with how sure they are, the likely culprit, and what could not be watched.

find() weighs what rules.py found; pages.py writes it down.
"""

from dataclasses import dataclass, field
from typing import Any

from packlab.advice import Advice, book, error
from packlab.checkout import firmware
from packlab.diagnose.evidence import Evidence
from packlab.diagnose.rules import SIDES, Clue, clues
from packlab.limits import of_row
from packlab.view import sentences
from packlab.view.conditions import INPUTS
from packlab.view.state import Alert
from packlab.view.words import advice as advice_words

SURE, LIKELY, POSSIBLE = "sure", "likely", "possible"
LONG_MS = 60_000  # an alert that stood so long is no flicker
BAD_LINK, GOOD_LINK = 70, 90  # worst link score, of 100

_OF_CELLS = ("cell_spread", "weak_cell", "cell_high", "cell_low", "stuck_cell", "cell_count")
_OF_HEAT = ("charge_cold", "charge_hot", "discharge_hot", "heat_rise")


@dataclass(frozen=True, slots=True)
class Problem:
    """One guardrail that spoke. where: the group or probe, "". sure: SURE, LIKELY or POSSIBLE,
    with the reason in why."""

    code: str
    level: str
    title: str
    said: str
    where: str
    sure: str
    why: str
    meaning: str
    now: str
    causes: tuple[str, ...]
    later: str


@dataclass(frozen=True, slots=True)
class Finding:
    """culprit: a sentence; side: of SIDES, "both", "none" or "unseen"; sure: how much. groups:
    those that clues or problems name, the most often named first. unwatched: (what, why) each."""

    evidence: Evidence
    problems: tuple[Problem, ...]
    clues: tuple[Clue, ...]
    side: str
    sure: str
    culprit: str
    groups: tuple[int, ...]
    unwatched: tuple[tuple[str, str], ...]
    scores: dict[str, int] = field(default_factory=dict)


def find(evidence: Evidence) -> Finding:
    """Weigh the evidence."""
    found = clues(evidence)
    scores = {side: sum(c.weight for c in found if c.side == side) for side in SIDES}
    side, sure, culprit = _culprit(evidence, scores)
    problems = tuple(_problem(alert, evidence) for alert in evidence.alerts)
    return Finding(
        evidence,
        problems,
        tuple(found),
        side,
        sure,
        culprit,
        _groups(evidence, found, side),
        tuple(_unwatched(evidence)),
        scores,
    )


def _culprit(evidence: Evidence, scores: dict[str, int]) -> tuple[str, str, str]:
    cells, bms = scores["cells"], scores["bms"]
    other = max(("charger", "line", "use"), key=lambda side: scores[side])
    if cells or bms:
        side, more, less = ("cells", cells, bms) if cells >= bms else ("bms", bms, cells)
        if more < 2 * less:
            text = "Both cells and BMS are under suspicion; measure the groups with a meter."
            return "both", POSSIBLE, text
        sure = SURE if more >= 5 and less <= 1 else LIKELY if more >= 3 else POSSIBLE
        return side, sure, f"Look at {SIDES[side]} first."
    if scores[other]:
        sure = LIKELY if scores[other] >= 3 else POSSIBLE
        text = f"Nothing speaks against cells or BMS; look at {SIDES[other]}."
        return other, sure, text
    if evidence.alerts:
        return "none", POSSIBLE, "Nothing points at cells or BMS in particular."
    if not evidence.cells_seen():
        text = "Nothing was found, but the cells were never seen: of them nothing is known."
        return "unseen", POSSIBLE, text
    return "none", LIKELY, "Nothing was found in what could be watched."


def _groups(evidence: Evidence, found: list[Clue], side: str) -> tuple[int, ...]:
    """Groups by how much names them: clues of the culprit's side first of all."""
    votes: dict[int, int] = {}
    for clue in found:
        if clue.group:
            weight = clue.weight * (2 if clue.side == side else 1)
            votes[clue.group] = votes.get(clue.group, 0) + weight
    for alert in evidence.alerts:
        if alert.cell and alert.pack == 1 and alert.worst_level in ("warn", "alarm"):
            votes[alert.cell] = votes.get(alert.cell, 0) + 1
    return tuple(sorted(votes, key=lambda group: (-votes[group], group)))


def _problem(alert: Alert, evidence: Evidence) -> Problem:
    said = advice_on(alert, evidence.family)
    sure, why = _sure(alert, evidence)
    several = any(other.pack > 1 for other in evidence.alerts)
    where = f"group {alert.cell}" if alert.cell else f"probe {alert.probe}" if alert.probe else ""
    if several:
        where = f"{where} of pack {alert.pack}" if where else f"pack {alert.pack}"
    if alert.fault or alert.error:
        now = said.now
    else:
        now = advice_words(alert.code, alert.worst_level, alert.worst) or said.now
    return Problem(
        alert.code,
        alert.worst_level,
        said.title[0].upper() + said.title[1:],
        sentences.incidents(alert, name_pack=several),
        where,
        sure,
        why,
        said.meaning,
        now,
        said.causes,
        said.later,
    )


def advice_on(alert: Alert, family: str) -> Advice:
    """The advice of a named fault or error number, else the guardrail's own."""
    if alert.fault in book("faults"):
        return book("faults")[alert.fault]
    if alert.error:
        said = error(alert.error, family)
        if said:
            return said
    return book("guardrails")[alert.code]


def _sure(alert: Alert, evidence: Evidence) -> tuple[str, str]:
    """How sure an alert is, and why; docs/diagnose.md says the same."""
    if alert.code in _OF_CELLS and evidence.alert("ghost_voltage"):
        return POSSIBLE, "other cell readings are false, so this one may be, too"
    probe = evidence.alert("temp_sensor")
    if probe and alert.code in _OF_HEAT and probe.probe in (0, alert.probe):
        return POSSIBLE, "that probe is not believable"
    if evidence.alert("frozen_data") and alert.code not in ("frozen_data", "silence"):
        return POSSIBLE, "the data stood still at times, so it may not be the pack's own"
    score = evidence.link_score
    if score is not None and score < BAD_LINK and alert.code not in ("silence", "link_noise"):
        return POSSIBLE, f"the line was bad (link score down to {score})"
    end_ms = alert.until_ms
    stood_ms = None if end_ms is None else end_ms - alert.since_ms
    if alert.count > 1:
        again = f"it came {alert.count} times"
        return (SURE, again) if score is None or score >= GOOD_LINK else (LIKELY, again)
    if stood_ms is None or stood_ms >= LONG_MS:
        return SURE, "it stood to the end" if stood_ms is None else "it stood for a minute or more"
    return LIKELY, f"it was seen once, for {stood_ms / 1000:.0f} s"


def _is_armed(rows: list[Any], profile: str) -> bool:
    """Has any of a guardrail's rows a limit in this profile?"""
    known = profile in firmware("index").PROFILES
    loaded = firmware("config").load({"profile": profile} if known else {})
    return any(limit is not None for row in rows for limit in of_row(loaded, row))


def _unwatched(evidence: Evidence) -> list[tuple[str, str]]:
    """What could not be watched, and what it would have needed, guardrails with the same need
    together."""
    if evidence.watched is None:
        return [("unknown", "a journal does not tell what was watched; replay a capture for that")]
    table = firmware("guardrails.table")
    by_need: dict[str, list[str]] = {}
    for code in table.CODES:
        if code in evidence.watched:
            continue
        rows = [row for row in table.ROWS if row[0] == code]
        slots = dict.fromkeys(slot for row in rows for slot in table.needs(row))
        need = ", ".join(INPUTS.get(slot, slot) for slot in slots) or "its own measuring"
        if not _is_armed(rows, evidence.profile):
            need = "a limit of yours: none is set"
        by_need.setdefault(need, []).append(book("guardrails")[code].title)
    return [(", ".join(titles), need) for need, titles in by_need.items()]

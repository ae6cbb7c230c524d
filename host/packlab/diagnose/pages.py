"""The finding as a paper, and as plain data for JSON."""

from dataclasses import asdict
from typing import Any

from packlab.diagnose.finding import Finding, Problem
from packlab.diagnose.rules import SIDES
from packlab.paper import Bars, Marked, Paper, Table
from packlab.view import units
from packlab.view.words import count

_ORIGINS = {
    "real": "a real line, recorded",
    "derived": "a real line, changed in one place",
    "made": "made by a program: no scooter was involved",
}

_ASK = (
    "On this line the cells pass by only while an app reads them, or while the dongle asks "
    "(mode assist)."
)


def paper(finding: Finding) -> Paper:
    """One page: what is wrong, where, what to do, what could not be seen."""
    evidence = finding.evidence
    made = Paper(f"Finding: {evidence.source}")
    made.section("What this is about", *_about(finding))
    summary: list[Any] = [Marked(_headline(finding), _level(finding), headline=True)]
    if finding.groups:
        named = ", ".join(str(group) for group in finding.groups[:3])
        summary.append(f"Group to look at first: {finding.groups[0]} (named: {named}).")
    summary.append(f"{finding.culprit} ({finding.sure})")
    made.section("In short", *summary)
    if finding.clues:
        rows = tuple(
            (clue.text, SIDES[clue.side], str(clue.weight), clue.rule) for clue in finding.clues
        )
        table = Table(("what speaks", "for", "weight", "rule"), rows)
        made.section("Why", table, "The rules and their weights are in docs/diagnose.md.")
    for problem in finding.problems:
        made.section(f"{problem.level.upper()}: {problem.title}", *_told(problem))
    if evidence.cells_seen():
        made.section("Groups", *_groups(finding))
    unwatched = tuple((what, need) for what, need in finding.unwatched)
    if evidence.watched is None:
        made.section("What could not be watched", finding.unwatched[0][1].capitalize() + ".")
    elif unwatched:
        made.section("What could not be watched", Table(("guardrails", "they need"), unwatched))
        if not evidence.cells_seen() and evidence.family in ("xiaomi", "ninebot"):
            made.sections[-1].blocks.append(_ASK)
    else:
        made.section("What could not be watched", "Everything was watched at one time or another.")
    return made


def data(finding: Finding) -> dict[str, Any]:
    """The same for a program."""
    evidence = finding.evidence
    return {
        "source": evidence.source,
        "kind": evidence.kind,
        "origin": evidence.origin,
        "profile": evidence.profile,
        "family": evidence.family,
        "seconds": evidence.seconds,
        "worst_link_score": evidence.link_score,
        "culprit": finding.side,
        "sure": finding.sure,
        "scores": finding.scores,
        "groups": list(finding.groups),
        "clues": [asdict(clue) for clue in finding.clues],
        "problems": [asdict(problem) for problem in finding.problems],
        "unwatched": [{"guardrails": what, "need": need} for what, need in finding.unwatched],
    }


def _about(finding: Finding) -> list[Any]:
    evidence = finding.evidence
    line = ", ".join(
        part
        for part in (
            _ORIGINS.get(evidence.origin, ""),
            f"profile {evidence.profile}" if evidence.profile else "",
            f"family {evidence.family}" if evidence.family else "",
            f"{units.clock(round(evidence.seconds * 1000))} long",
            f"worst link score {evidence.link_score}" if evidence.link_score is not None else "",
        )
        if part
    )
    said: list[Any] = [line[0].upper() + line[1:] + "."]
    if evidence.kind == "journal":
        said.append(
            "A dongle's black box: alerts, checkpoints and what it remembers, not every value."
        )
        counted = ", ".join(
            count(evidence.kept[kind], noun)
            for kind, noun in (("boot", "start"), ("ride", "ride"), ("charge", "charge"))
            if kind in evidence.kept
        )
        trips = f"supply lost under load: {evidence.trips}"
        said.append(f"It holds {counted or 'no start'}; {trips}.")
        said += [f"Owner: {note}." for note in evidence.notes if "recovering" in note]
    return said


def _headline(finding: Finding) -> str:
    if not finding.problems:
        return "No guardrail spoke."
    worst = finding.problems[0]
    more = len(finding.problems) - 1
    rest = f", and {more} more" if more else ""
    return f"{worst.title}{f' ({worst.where})' if worst.where else ''}{rest}."


def _level(finding: Finding) -> str:
    if finding.problems:
        return finding.problems[0].level
    return "dim" if finding.side == "unseen" else "ok"


def _told(problem: Problem) -> list[Any]:
    return [
        problem.said[0].upper() + problem.said[1:] + ".",
        f"How sure: {problem.sure}, because {problem.why}.",
        problem.meaning,
        Marked(f"Now: {problem.now}", problem.level),
        "Likely causes, the likeliest first:",
        list(problem.causes),
        f"Later: {problem.later}",
    ]


def _groups(finding: Finding) -> list[Any]:
    said: list[Any] = []
    for state, groups in finding.evidence.groups.items():
        if groups.samples:
            mean = groups.mean_mv()
            names = tuple(f"group {number}" for number in range(1, len(mean) + 1))
            amps = units.current({"current_ma": round(groups.mean_ma())})
            said.append(
                f"Distance from the median, mean of {groups.samples} samples "
                f"({'at rest' if state == 'rest' else f'{state}, {amps}'}):"
            )
            said.append(Bars(names, tuple(mean), "mV"))
    return said

"""Outcomes as a JUnit file, which every build server reads."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from packlab.capture import new_file
from packlab.corpus.judge import DIFFERS, FAILED, NEW, Outcome


def write(outcomes: Sequence[Outcome], suite: str, path: Path) -> None:
    """Write a test case a capture, by name: one that differs is a failure, one that cannot be
    replayed an error, one with nothing to compare with is skipped."""
    verdicts = [outcome.verdict for outcome in outcomes]
    root = ElementTree.Element("testsuites")
    element = ElementTree.SubElement(
        root,
        "testsuite",
        name=suite,
        tests=str(len(outcomes)),
        failures=str(verdicts.count(DIFFERS)),
        errors=str(verdicts.count(FAILED)),
        skipped=str(verdicts.count(NEW)),
        time=f"{sum(outcome.wall_s for outcome in outcomes):.3f}",
    )
    for outcome in sorted(outcomes, key=lambda outcome: outcome.name):
        element.append(_case(outcome))
    ElementTree.indent(root)
    with new_file(path) as stream:
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        stream.write(ElementTree.tostring(root, "unicode") + "\n")


def _case(outcome: Outcome) -> ElementTree.Element:
    folder, _, name = outcome.name.rpartition("/")
    case = ElementTree.Element(
        "testcase", classname=folder or ".", name=name, time=f"{outcome.wall_s:.3f}"
    )
    if outcome.verdict == DIFFERS:
        ElementTree.SubElement(case, "failure", message=outcome.detail)
    elif outcome.verdict == FAILED:
        ElementTree.SubElement(case, "error", message=outcome.detail)
    elif outcome.verdict == NEW:
        ElementTree.SubElement(case, "skipped", message="no expected trace (.exp)")
    return case

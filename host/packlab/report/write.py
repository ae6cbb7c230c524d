"""Puts the pages where they are wanted: one page with everything, or an index with a page a
capture beside it."""

import re
from collections.abc import Sequence
from pathlib import Path

from packlab.capture import new_file
from packlab.report import page
from packlab.report.content import content
from packlab.report.fleet import fleet
from packlab.report.study import Study
from packlab.report.trends import fleet_content

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def write_report(
    studies: Sequence[Study], failed: Sequence[str], out: Path, title: str, *, apart: bool
) -> int:
    """Write `out`, and with `apart` a page a capture in the folder of its name beside it; returns
    how many those are. PacklabError where nothing can be written."""
    if len(studies) == 1 and not failed and not apart:
        (study,) = studies
        with new_file(out) as stream:
            page.write(stream, study.name, studies, fleet(studies), [content(study, "c1")], None)
        return 0
    anchors = _anchors(studies)
    hrefs = {
        study.name: f"{out.stem}/{anchor}.html" if apart else f"#{anchor}"
        for study, anchor in zip(studies, anchors, strict=True)
    }
    packs = fleet(studies)
    index = fleet_content(packs, hrefs, title, failed)
    together = [] if apart else list(map(content, studies, anchors))
    if apart:
        _write_apart(studies, anchors, out.with_suffix(""))
    with new_file(out) as stream:
        page.write(stream, title, [] if apart else studies, packs, together, index)
    return len(studies) if apart else 0


def _write_apart(studies: Sequence[Study], anchors: Sequence[str], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for study, anchor in zip(studies, anchors, strict=True):
        with new_file(folder / f"{anchor}.html") as stream:
            page.write(stream, study.name, [study], [], [content(study, anchor)], None)


def _anchors(studies: Sequence[Study]) -> list[str]:
    """A name for each that fits into an address and a file's name, no two alike."""
    anchors: list[str] = []
    for number, study in enumerate(studies, 1):
        anchor = _UNSAFE.sub("-", study.name).strip("-.") or f"capture-{number}"
        anchors.append(f"{anchor}-{number}" if anchor in anchors else anchor)
    return anchors

"""What is known of a capture besides its trace: whose it is, when it was recorded, against which
limits it is judged."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packlab.capture import Header
from packlab.checkout import firmware
from packlab.corpus.cases import Case
from packlab.formats import stem as _stem
from packlab.limits import of_row

_PACED = re.compile(r"pack time runs (\d+) times")
_DATED = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
_DATE_NOTES = ("started", "recorded", "date")


def pack_name(case: Case, header: Header) -> str:
    """The battery the capture is of: the header's note `pack`, else the folder it lies in, else
    its own name without a date."""
    noted = dict(header.notes).get("pack")
    folder = Path(case.name).parent.name
    if noted or folder:
        return noted or folder
    stem = _stem(case.path)
    return _DATED.sub("", stem).strip("-_ .") or stem


def recorded(case: Case, header: Header) -> tuple[str, str]:
    """When, as an ISO date, and what says so: the header's note, the file's name, or the file's
    own date."""
    notes = dict(header.notes)
    for name in _DATE_NOTES:
        if found := _date(notes.get(name, "")):
            return found, "its header"
    if found := _date(_stem(case.path)):
        return found, "its name"
    changed = datetime.fromtimestamp(case.path.stat().st_mtime, UTC)
    return changed.date().isoformat(), "the file's date"


def _date(text: str) -> str:
    """The first date in a text, '' without one."""
    for match in _DATED.finditer(text):
        try:
            year, month, day = map(int, match.groups())
            return date(year, month, day).isoformat()
        except ValueError:
            continue
    return ""


def pace_of(header: Header) -> int:
    """How many times as fast as the line the time of a made pack runs; 1 for all others."""
    if header.origin != "made":
        return 1
    notes = dict(header.notes)
    noted = notes.get("pace", "")
    said = _PACED.search(notes.get("note", ""))
    return int(noted) if noted.isdecimal() and int(noted) else int(said[1]) if said else 1


def limits(config: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    """Slot -> (level, limit) of every guardrail row that is armed, in the unit of the slot."""
    levels = firmware("alert").LEVELS
    loaded = firmware("config").load(config)
    found: dict[str, list[tuple[str, int]]] = {}
    for row in firmware("guardrails.table").ROWS:
        for level, limit in zip(row[8], of_row(loaded, row), strict=True):
            told = levels[level[0]], limit
            if limit is not None and told not in found.setdefault(row[1], []):
                found[row[1]].append(told)
    return found

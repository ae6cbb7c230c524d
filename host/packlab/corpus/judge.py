"""One capture replayed and compared with the trace that is expected of it, `x.exp` beside `x.cap`;
with `update` the expected trace is written anew."""

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any

from packlab import formats
from packlab.capture import new_file
from packlab.corpus.cases import Case
from packlab.corpus.trace import trace
from packlab.files import Lines, opened

SAME, DIFFERS, NEW, WRITTEN, FAILED = "same", "differs", "new", "written", "failed"
BAD = (DIFFERS, FAILED)
_SHOWN = 160  # characters of a line that differs


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a capture.

    verdict: same, differs, new (nothing expected), written or failed. detail: why, or ''. line_s:
    length of the capture. wall_s: how long it took. digest: SHA-256 of the trace as a file, '' if
    it failed. worst_level: as in the summary.
    """

    name: str
    verdict: str
    detail: str = ""
    line_s: float = 0.0
    wall_s: float = 0.0
    digest: str = ""
    worst_level: str = ""


def expected_path(case: Case) -> Path:
    """Where the trace expected of it lies: `x.exp`, at app depth `x.app.exp`."""
    ending = ".app.exp" if case.settings.depth == "app" else ".exp"
    return case.path.with_name(formats.stem(case.path) + ending)


def judge(case: Case, *, update: bool = False) -> Outcome:
    """Replay it and compare. PacklabError for a capture that cannot be replayed."""
    began = time.monotonic()
    path = expected_path(case)
    lines = _Passing(trace(case))
    detail = ""
    if update:
        verdict = _write(lines, path)
    elif path.exists() and not case.spoiling.faults:
        detail = _difference(lines, path)
        verdict = DIFFERS if detail else SAME
    else:
        deque(lines, 0)
        verdict = NEW
    summary = lines.summary()
    length_s, wall_s = summary["seconds"], time.monotonic() - began
    worst = summary["worst_level"]
    return Outcome(case.name, verdict, detail, length_s, wall_s, lines.digest(), worst)


class _Passing:
    """Lines on their way: what is remembered of them is their digest and the last one."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._digest = sha256()
        self._last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._digest.update(f"{line}\n".encode())
            self._last = line
            yield line

    def digest(self) -> str:
        return self._digest.hexdigest()

    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads(self._last)
        return summary


def _write(lines: _Passing, path: Path) -> str:
    before = sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    with new_file(path) as stream:
        stream.writelines(f"{line}\n" for line in lines)
    return SAME if lines.digest() == before else WRITTEN


def _difference(lines: _Passing, path: Path) -> str:
    """The first line that is not as expected, in words; '' when there is none."""
    passing = iter(lines)
    with opened(path) as expected:
        wanted = (line.rstrip("\n") for line in Lines(expected, path, "trace"))
        for number, (got, want) in enumerate(zip_longest(passing, wanted), 1):
            if got != want:
                deque(passing, 0)
                return f"{path.name}, line {number}: expected {_cut(want)}, got {_cut(got)}"
    return ""


def _cut(line: str | None) -> str:
    if line is None:
        return "no more"
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"

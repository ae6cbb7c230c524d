"""From the last byte of a frame that makes an alarm at once to the light's pin: the reader's poll
period, and instructions counted at the chip's clock.

Counted are passes of the app's own tasks (boards/BENCH/latency_load.py), here under callgrind on
this computer; a count from a 32-bit target takes its place through `read`. One instruction a cycle
is assumed, and hardware that takes no time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from packlab.errors import PacklabError

from .instructions import callgrind

POLL_MS = 12  # firmware/deckwatch/app.py; a test holds them together
BYTES_S = 115200 // 10  # of a full line
LINES = 3
TIMES = 2
SIZE = 360  # bytes of a full line in two poll periods
_OTHER_TASKS = 3
_COUNTS = ("empty", "pin", "others", "switch")


@dataclass(frozen=True, slots=True)
class Work:
    """Instructions by latency_load.py's names. target: whose they are. full: for 1, 2 and 3 lines
    without a pause, those for each byte of one line, judging included."""

    target: str
    empty: float
    pin: float
    others: float
    switch: float
    full: tuple[float, ...]

    def idle_ms(self, mhz: int) -> float:
        """All lines at rest but for this frame, which has just missed a pass."""
        return POLL_MS + (self.switch + self.empty + self.pin) / (mhz * 1000)

    def crowded_ms(self, mhz: int) -> float:
        """The same, with every other task due before the reader."""
        return POLL_MS + (self._tasks() + self.empty + self.pin) / (mhz * 1000)

    def saturated_ms(self, lines: int, mhz: int) -> float | None:
        """So many lines without a pause: the frame's last byte has just missed its line's turn,
        all lines are emptied once more, and again with what has come meanwhile. None when the
        processor cannot keep up."""
        share = self.full[lines - 1] * BYTES_S / (mhz * 1e6)
        if share >= 1:
            return None
        period_ms = (POLL_MS + self._tasks() / (mhz * 1000)) / (1 - share)
        return 2 * period_ms - POLL_MS + self.pin / (mhz * 1000)

    def _tasks(self) -> float:
        return self.others + (_OTHER_TASKS + 1) * self.switch


def count(command: Sequence[str], folders: Sequence[Path], target: str) -> Work:
    """Counts on an interpreter for which the folders have firmware, latency_load and hardware."""

    @cache
    def idle(work: str) -> int:
        return callgrind(command, folders, "latency_load", [work, 0, TIMES, 0, 0])

    def one(work: str, lines: int = 0, size: int = 0) -> float:
        arguments = [work, TIMES, TIMES, lines, size]
        return (callgrind(command, folders, "latency_load", arguments) - idle(work)) / TIMES

    full = tuple(one("full", lines, SIZE) / SIZE for lines in range(1, LINES + 1))
    return Work(target, one("empty"), one("pin"), one("others"), one("switch"), full)


def read(path: Path) -> Work:
    """Counts made elsewhere, such as on rv32 under QEMU: JSON with the members of Work."""
    try:
        given = json.loads(path.read_text("utf-8"))
        work = Work(**{**given, "full": tuple(map(float, given["full"]))})
        counts = (*(getattr(work, name) for name in _COUNTS), *work.full)
        sound = len(work.full) == LINES and all(n > 0 for n in counts)
    except (OSError, ValueError, TypeError, KeyError):
        sound = False
    if not sound:
        members = ", ".join(field.name for field in fields(Work))
        raise PacklabError(f"{path} holds no counts; it must be a JSON object with {members}")
    return work

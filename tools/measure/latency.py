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
SOON_MS = 10  # the same: from pass to pass while bytes come
LEAST_MS = 1  # the pause behind a pass that has taken longer
BYTES_S = 115200 // 10  # of a full line
LINES = 3
TIMES = 2
SIZES = (180, 360)  # bytes that each full line brings in a pass
_OTHER_TASKS = 3
_COUNTS = ("empty", "pin", "others", "switch")


@dataclass(frozen=True, slots=True)
class Work:
    """Instructions by latency_load.py's names. target: whose they are. For 1, 2 and 3 lines
    without a pause: full, those for each byte of one line, and round, those of a pass besides,
    judging included."""

    target: str
    empty: float
    pin: float
    others: float
    switch: float
    full: tuple[float, ...]
    round: tuple[float, ...]

    def idle_ms(self, mhz: int) -> float:
        """All lines at rest but for this frame, which has just missed a pass."""
        return POLL_MS + (self.switch + self.empty + self.pin) / (mhz * 1000)

    def crowded_ms(self, mhz: int) -> float:
        """The same, with every other task due before the reader."""
        return POLL_MS + (self._tasks() + self.empty + self.pin) / (mhz * 1000)

    def saturated_ms(self, lines: int, mhz: int) -> float | None:
        """So many lines without a pause. The battery's is emptied last: the frame's last byte has
        just missed that, a round follows, a pause, every other task, and all that has come
        meanwhile on all lines is taken in before the round that makes the alarm. None when the
        processor cannot keep up."""
        period_ms = self._period_ms(lines, mhz)
        if period_ms is None:
            return None
        late_ms = self._tasks() / (mhz * 1000) / (1 - self._share(lines, mhz))
        return period_ms + late_ms + self.pin / (mhz * 1000)

    def busy(self, lines: int, mhz: int) -> float:
        """Share of the processor that so many lines without a pause take, 1 = all of it; the other
        tasks once a second included."""
        period_ms = self._period_ms(lines, mhz)
        if period_ms is None:
            return 1
        rounds = (self.round[lines - 1] + self.switch) / (mhz * 1000) / period_ms
        return self._share(lines, mhz) + rounds + self._tasks() / (mhz * 1e6)

    def _share(self, lines: int, mhz: int) -> float:
        return self.full[lines - 1] * BYTES_S / (mhz * 1e6)

    def _period_ms(self, lines: int, mhz: int) -> float | None:
        """From pass to pass; what comes during a pass belongs to it."""
        share = self._share(lines, mhz)
        if share >= 1:
            return None
        least_ms = LEAST_MS + (self.round[lines - 1] + self.switch) / (mhz * 1000)
        return max(SOON_MS, least_ms / (1 - share))

    def _tasks(self) -> float:
        return self.others + (_OTHER_TASKS + 1) * self.switch


def work(
    target: str,
    empty: float,
    pin: float,
    others: float,
    switch: float,
    passes: Sequence[tuple[float, float]],
) -> Work:
    """The Work of these counts; passes: of 1, 2 and 3 full lines, with both SIZES."""
    few, many = SIZES
    full = tuple((more - less) / (many - few) for less, more in passes)
    rounds = tuple(less - few * a_byte for (less, _), a_byte in zip(passes, full, strict=True))
    return Work(target, empty, pin, others, switch, full, rounds)


def count(command: Sequence[str], folders: Sequence[Path], target: str) -> Work:
    """Counts on an interpreter for which the folders have firmware, latency_load and hardware."""

    @cache
    def idle(what: str) -> int:
        return callgrind(command, folders, "latency_load", [what, 0, TIMES, 0, 0])

    def one(what: str, lines: int = 0, size: int = 0) -> float:
        arguments = [what, TIMES, TIMES, lines, size]
        return (callgrind(command, folders, "latency_load", arguments) - idle(what)) / TIMES

    few, many = SIZES
    passes = [(one("full", n, few), one("full", n, many)) for n in range(1, LINES + 1)]
    return work(target, one("empty"), one("pin"), one("others"), one("switch"), passes)


def read(path: Path) -> Work:
    """Counts made elsewhere, such as on rv32 under QEMU: JSON with the members of Work."""
    try:
        given = json.loads(path.read_text("utf-8"))
        lists = {name: tuple(map(float, given[name])) for name in ("full", "round")}
        found = Work(**{**given, **lists})
        counts = (*(getattr(found, name) for name in _COUNTS), *found.full, *found.round)
        sound = len(found.full) == len(found.round) == LINES and all(n > 0 for n in counts)
    except (OSError, ValueError, TypeError, KeyError):
        sound = False
    if not sound:
        members = ", ".join(field.name for field in fields(Work))
        raise PacklabError(f"{path} holds no counts; it must be a JSON object with {members}")
    return found

"""Processor instructions for each byte received, counted by valgrind's callgrind: the same count
on every run, however busy the machine is."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from packlab.errors import PacklabError

from .families import Family

ROUNDS = 10
_RUN = "import sys; sys.argv[:] = {arguments!r}; import {program}"
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Instructions:
    """Instructions a byte. feed: framing, checksum, decoding and telemetry. check: the checksums
    as they run on the dongle, called bare. plain: the same in bytecode. round_bytes: bytes of all
    frames once."""

    round_bytes: int
    feed: float
    check: float
    plain: float


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts for one interpreter. command: without a shell in front. folders: where the firmware
    and decode_load.mpy are."""

    command: Sequence[str]
    folders: Sequence[Path]

    def per_byte(self, family: Family, rounds: int = ROUNDS) -> Instructions:
        """Counts a family's frames; what a run without rounds costs is taken off."""
        with TemporaryDirectory() as folder:
            frames = Path(folder) / "frames"
            frames.write_text("".join(frame + "\n" for frame in family.frames))
            idle = self._count(family, frames, "feed", 0)
            counts = [
                self._count(family, frames, work, rounds) - idle
                for work in ("feed", "check", "plain")
            ]
        size = sum(len(frame) // 2 for frame in family.frames)
        return Instructions(size, *(count / (rounds * size) for count in counts))

    def _count(self, family: Family, frames: Path, work: str, rounds: int) -> int:
        arguments = [family.name, family.profile, str(frames), work, rounds]
        try:
            return callgrind(self.command, self.folders, "decode_load", arguments)
        except PacklabError as failure:
            raise PacklabError(f"{family.name}'s frames: {failure}") from failure


def callgrind(
    command: Sequence[str], folders: Sequence[Path], program: str, arguments: Sequence[object]
) -> int:
    """Instructions of one run of a module in the folders, start-up and all. command: without a
    shell in front."""
    run = _RUN.format(arguments=["", *map(str, arguments)], program=program)
    with TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        counting = [_valgrind(), "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]
        done = subprocess.run(
            [*counting, *command, "-X", "heapsize=4m", "-c", run],
            env={**os.environ, "MICROPYPATH": ":".join([*map(str, folders), ".frozen"])},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
            raise PacklabError(f"valgrind could not run {program}: {said[-1]}")
        total = _TOTAL.search(out.read_text())
    if total is None:
        raise PacklabError(f"{out} holds no count; is this valgrind older than 3.19?")
    return int(total[1])


def _valgrind() -> str:
    found = shutil.which("valgrind")
    if found is None:
        raise PacklabError("valgrind is not installed; on Debian and Ubuntu: apt install valgrind")
    return found

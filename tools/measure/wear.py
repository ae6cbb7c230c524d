"""How the black box wears the flash, and how long it stands still: days of riding on LittleFS in
RAM (boards/BENCH/wear.py), erases and programs counted; the rest is computed from a data sheet."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packlab.checkout import root
from packlab.errors import PacklabError

FIRMWARE_KB = 600  # beside it: two bundles of all families
# W25Q32JV, a common flash of ESP32 boards: cycles a block endures, ms to erase 4 KB and to program
# a page, typical and at most
CYCLES = 100_000
ERASE_MS = (45.0, 400.0)
PROGRAM_MS = (0.4, 3.0)
_BLOCKS = 512  # as boards/BENCH/wear.py has them
_BLOCK_KB = 4


@dataclass(frozen=True, slots=True)
class Step:
    """Writes that erase so many blocks: how many there were, and the most programs in one."""

    erases: int
    times: int
    programs: int

    def stall_ms(self, typical: bool = True) -> float:
        """How long the processor stands still in the longest of them."""
        which = 0 if typical else 1
        return self.erases * ERASE_MS[which] + self.programs * PROGRAM_MS[which]


@dataclass(frozen=True, slots=True)
class Wear:
    """What so many days have done. worst: erases of the block that had most."""

    days: int
    writes: int
    erases: int
    worst: int
    steps: tuple[Step, ...]

    @property
    def least_years(self) -> float:
        """If the same block went on being the worst, which LittleFS does not let happen: it moves
        what is written often after 100 erases."""
        return CYCLES / (self.worst / self.days) / 365

    @property
    def even_years(self) -> float:
        """If erases spread evenly over the blocks that are free."""
        free = _BLOCKS - FIRMWARE_KB // _BLOCK_KB
        return CYCLES * free / (self.erases / self.days) / 365


def measure(command: Sequence[str], days: int = 30) -> Wear:
    """Live through so many days on an interpreter."""
    script = root() / "boards" / "BENCH" / "wear.py"
    folders: tuple[Path, ...] = (root() / "firmware", script.parent)
    done = subprocess.run(
        [*command, "-X", "heapsize=8m", str(script), str(days), str(FIRMWARE_KB)],
        env={**os.environ, "MICROPYPATH": ":".join([*map(str, folders), ".frozen"])},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise PacklabError(f"the flash's wear could not be counted: {said[-1]}")
    words = [line.split() for line in done.stdout.splitlines()]
    counts = {name: int(numbers[0]) for name, *numbers in words if len(numbers) == 1}
    steps = tuple(Step(*map(int, numbers)) for name, *numbers in words if name == "step")
    return Wear(days, counts["writes"], counts["erases"], counts["worst"], steps)

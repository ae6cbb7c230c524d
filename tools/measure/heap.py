"""Bytes of heap the core holds, on the 32-bit port, where they are those of the chip."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packlab.errors import PacklabError

from .families import Family

_RUN = "import sys; sys.argv[:] = {arguments!r}; import heap_load"


@dataclass(frozen=True, slots=True)
class Heap:
    """Bytes in use beyond an interpreter that has loaded nothing. modules: code, names and tables.
    objects: what the core makes of them at the start. most: that was in use at once, with what the
    start alone needs."""

    modules: int
    objects: int
    most: int

    @property
    def total(self) -> int:
        """What the core holds once it has started."""
        return self.modules + self.objects


def measure(
    command: Sequence[str],
    folders: Sequence[Path],
    family: Family,
    image: Path | None = None,
    packs: int = 1,
) -> Heap:
    """Load one family, with as many batteries as have been heard, from the .mpy files in
    `folders`, or from a ROM file system's `image` run in place; heap_load.mpy is in the folders in
    both cases. The first of them is where it runs: names of files lie in the heap, and on a dongle
    they are short."""
    arguments = ["", family.name, family.profile, str(packs), *([str(image)] if image else [])]
    names = [os.path.relpath(folder, folders[0]) for folder in folders]
    done = subprocess.run(
        [*command, "-X", "heapsize=1m", "-c", _RUN.format(arguments=arguments)],
        env={**os.environ, "MICROPYPATH": ":".join([*names, ".frozen"])},
        cwd=folders[0],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise PacklabError(f"{family.name} could not be loaded: {said[-1]}")
    before, imported, left, made, kept = map(int, done.stdout.split())
    objects = made - left
    return Heap(kept - before - objects, objects, max(imported, made) - before)


def rom_image(folder: Path, image: Path) -> None:
    """Write what is in `folder` as a ROM file system, with mpremote as for a board."""
    subprocess.run(
        [sys.executable, "-m", "mpremote", "romfs", "--output", str(image), "build", str(folder)],
        check=True,
        capture_output=True,
    )

#!/usr/bin/env python3
"""Freeze the firmware into a 32-bit unix build and print what heap the core takes then.

    python3 tools/frozen.py --source TREE

TREE is a MicroPython source tree of 1.24 or later; gcc for 32 bit (gcc-multilib) and make are
needed, so `make bench` does not do this by itself. As on the dongle, what only the start needs is
let go before the second figure is taken (App does the same).
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import heap
from measure.families import families
from packlab.checkout import root
from packlab.errors import PacklabError

MANIFEST = """\
include("$(MPY_DIR)/extmod/asyncio")
package("deckwatch", base_path="{folder}", opt=3)
"""
FLAGS = (
    "MICROPY_PY_BTREE=0",
    "MICROPY_PY_SSL=0",
    "MICROPY_PY_FFI=0",
    "MICROPY_FORCE_32BIT=1",
)
BUDGET_BYTES = 24 * 1024  # of the design, for a frozen image


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, measure each family, print; 1 and a sentence when a step fails."""
    parser = argparse.ArgumentParser(prog="frozen.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--source", type=Path, required=True, metavar="TREE")
    options = parser.parse_args(arguments)
    try:
        with TemporaryDirectory(prefix="frozen-") as name:
            interpreter = build(options.source.resolve(), Path(name))
            tell(interpreter)
    except PacklabError as failure:
        print(f"frozen.py: {failure}", file=sys.stderr)
        return 1
    return 0


def build(tree: Path, work: Path) -> Path:
    """The 32-bit unix port with the firmware frozen in, built below `work`."""
    if not (tree / "ports" / "unix" / "Makefile").exists():
        raise PacklabError(f"{tree} is no MicroPython source tree; give the folder with ports/")
    frozen = work / "frozen"
    viper = shutil.ignore_patterns("*_viper.py", "__pycache__")
    shutil.copytree(root() / "firmware" / "deckwatch", frozen / "deckwatch", ignore=viper)
    manifest = work / "manifest.py"
    manifest.write_text(MANIFEST.format(folder=frozen))
    library = work / "no-library"
    library.mkdir()
    (library / "README.md").touch()
    cross = work / "mpy-cross" / "mpy-cross"
    _make(tree / "mpy-cross", cross.parent, [])
    unix = [f"FROZEN_MANIFEST={manifest}", f"MPY_LIB_DIR={library}", *FLAGS]
    unix += [f"MICROPY_MPYCROSS={cross}", f"MICROPY_MPYCROSS_DEPENDENCY={cross}"]
    _make(tree / "ports" / "unix", work / "unix", unix)
    return work / "unix" / "micropython"


def _make(folder: Path, output: Path, variables: list[str]) -> None:
    command = ["make", "-s", "-j2", f"BUILD={output}", f"PYTHON={sys.executable}", *variables]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "rror" in line] or ["no reason given"]
        raise PacklabError(f"{folder.name} does not build: {said[0]}; is gcc-multilib installed?")


def tell(interpreter: Path) -> None:
    """One line a family: the core's heap after its start, and what stays of it."""
    print(f"core frozen, 32 bit, bytes of heap (budget {BUDGET_BYTES}, measured)")
    for family in families():
        used = heap.measure([str(interpreter)], (root() / "boards" / "BENCH",), family)
        print(f"  {family.name:8} {used.total:6} after the start, {used.kept:6} kept")


if __name__ == "__main__":
    sys.exit(main())

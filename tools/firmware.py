#!/usr/bin/env python3
"""Build a whole image for a board, the linked firmware frozen in: `make firmware BOARD=…` does.

It needs what MicroPython's esp32 port needs: ESP-IDF, activated (`. export.sh`), and MicroPython's
source with micropython-lib, named by $MICROPYTHON_SOURCE. docs/flashing.md has the steps.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from compiled import write_linked
from packlab.errors import PacklabError
from packlab.flash import boards

ROOT = Path(__file__).resolve().parent.parent
MICROPYTHON = "v1.28.0"
IDF = "v5.5.1"  # what ports/esp32/README.md of that MicroPython recommends
_IDFS = ("5.3", "5.4", "5.5")  # what it says it works with


def main(arguments: list[str] | None = None) -> int:
    """Build and print where the image lies; 1 and a sentence when something is missing."""
    parser = argparse.ArgumentParser(
        prog="firmware.py", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("board", help=", ".join(boards.names()))
    options = parser.parse_args(arguments)
    try:
        board = boards.load(options.board)
        tree = _tree()
        _check_idf()
        write_linked()
        for command in commands(board, tree):
            _run(command)
        print(f"{_build(board) / 'firmware.bin'}: write it at {board.image_offset:#x}, or with")
        print(f"packlab flash --board {board.name} --port … --image {_build(board)}/firmware.bin")
    except PacklabError as error:
        print(f"firmware: {error}", file=sys.stderr)
        return 1
    return 0


def commands(board: boards.Board, tree: Path) -> list[list[str]]:
    """What is run, in order: the compiler, the port's submodules, the image."""
    port = ["make", "-C", str(tree / "ports" / "esp32")]
    where = [f"BOARD={board.name}", f"BOARD_DIR={ROOT / 'boards' / board.name}"]
    where.append(f"BUILD={_build(board)}")
    return [
        ["make", "-C", str(tree / "mpy-cross")],
        [*port, *where, "submodules"],
        [*port, *where, "all"],
    ]


def _build(board: boards.Board) -> Path:
    return ROOT / "build" / "firmware" / board.name


def _tree() -> Path:
    named = os.environ.get("MICROPYTHON_SOURCE")
    if not named:
        raise PacklabError(
            "where is MicroPython's source? Clone its tag"
            f" {MICROPYTHON} and set MICROPYTHON_SOURCE to the folder"
        )
    tree = Path(named).absolute()
    if not (tree / "ports" / "esp32" / "Makefile").is_file():
        raise PacklabError(
            f"{tree} has no ports/esp32; set MICROPYTHON_SOURCE to a clone of {MICROPYTHON}"
        )
    return tree


def _check_idf() -> None:
    if not os.environ.get("IDF_PATH") or shutil.which("idf.py") is None:
        raise PacklabError(
            f"ESP-IDF is not active; install {IDF} and run '. export.sh' in its folder first"
        )
    version = os.environ.get("ESP_IDF_VERSION", "")
    if version not in _IDFS:
        raise PacklabError(
            f"ESP-IDF {version or 'of an unknown version'} is active, but MicroPython"
            f" {MICROPYTHON} builds with {', '.join(_IDFS)}; take {IDF}"
        )


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise PacklabError(f"'{' '.join(command[:3])} …' failed, see above; mend that and repeat")


if __name__ == "__main__":
    sys.exit(main())

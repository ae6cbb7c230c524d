"""A dongle for the tests of flashing: the virtual board on a serial port of its own, whose plug
can be pulled; and what its flash holds. Its numbers are 32 bit wide and its heap is a chip's,
where there is such an interpreter."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLUG = ROOT / "boards" / "VIRTUAL" / "plug.py"


# Of the heap, without what the board itself takes: the budget for flashing, starting and all that
# follows. Stock MicroPython 1.27 has 165 KB on an ESP32 (by its gc at boot, its issue 18859).
STOCK_BYTES = 96 * 1024


@cache
def small() -> list[str]:
    """plug.py's words for a heap as on a small chip."""
    find = [sys.executable, str(ROOT / "tools" / "micropython.py"), "--bits", "32", "--no-fetch"]
    if subprocess.run(find, capture_output=True, check=False).returncode:
        return []
    return ["--bits=32", "--heap=1m", f"--room={STOCK_BYTES}"]


class Dongle:
    """A board plugged in; `port` is its device. `state` outlives it."""

    def __init__(self, state: Path, port: str, process: "subprocess.Popen[str]") -> None:
        self.state = state
        self.flash = state / "flash"
        self.port = port
        self._process = process

    def pull(self, after: int = 0) -> None:
        """Pull the plug, when so many more bytes have gone to the board."""
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"pull {after}\n")
            self._process.stdin.flush()
        if not after:
            self._process.wait(10)

    def numbers(self) -> dict[str, int]:
        """The firmware's numbers in the NVS."""
        return numbers(self.state)

    def files(self) -> dict[str, bytes]:
        """All files of its flash."""
        return {
            path.relative_to(self.flash).as_posix(): path.read_bytes()
            for path in sorted(self.flash.rglob("*"))
            if path.is_file()
        }


def numbers(state: Path) -> dict[str, int]:
    """The firmware's numbers in the NVS of a board's state folder."""
    path = state / "nvs.json"
    if not path.exists():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text())["deckwatch"]
    return {key[1:]: value for key, value in stored.items() if key[0] == "i"}


@contextlib.contextmanager
def plugged_in(state: Path, chip: str = "esp32c3", **options: object) -> Iterator[Dongle]:
    """The board with its flash in `state`, on a port."""
    words = [f"--{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, str(PLUG), str(state), "--chip", chip, *small(), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        port = process.stdout.readline().strip()
        assert port, "the board did not start"
        yield Dongle(state, port, process)
    finally:
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait(10)
        process.stdout.close()

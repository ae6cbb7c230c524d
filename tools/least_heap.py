#!/usr/bin/env python3
"""The smallest heap on which the whole app, copied for one family, starts and replays a real line.

    python3 tools/least_heap.py [FROM TO]

Bisects between two numbers of KB, 80 and 170 where none are given. The bundle is the one of an
ESP32-C3 for xiaomi, on the virtual board with a 32-bit interpreter, without Bluetooth and with
values told every second. Its hot loops run in their plain form there and take 5 KB of this heap,
where the chip has machine code beside it; what the board plays the chip with counts, too.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from interpreters import NoInterpreter, find
from packlab.capture import CaptureReader, Chunk
from packlab.checkout import root
from packlab.flash import bundle
from packlab.session import REAL_LINE
from packlab.virtual import launcher

BUDGET_KB = 96
_FIRST_MS = 3000  # the self-test is over
_END = "15000000 end"
_TROUBLE = ("died", "crash", "black box", "wants memory", "refused")


def main(arguments: Sequence[str] | None = None) -> int:
    """Find and print it; 1 when it does not even start with the most."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["80", "170"]
    if len(words) != 2 or not all(word.isdigit() for word in words):
        print("least_heap.py: give two numbers of KB, or none", file=sys.stderr)
        return 2
    low, high = map(int, words)
    try:
        command = find(32).command
    except NoInterpreter as failure:
        print(f"least_heap.py: {failure}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="least-") as name:
        folder = Path(name)
        fill(folder / "flash")
        if not works(command, folder, high):
            print(f"least_heap.py: it does not work with {high} KB", file=sys.stderr)
            return 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if works(command, folder, middle) else (middle, high)
    print(f"{high} KB of heap are enough (budget {BUDGET_KB}, measured)")
    return 0


def fill(flash: Path) -> None:
    """A dongle's flash with the bundle in its first slot."""
    made = bundle.build("esp32c3", "xiaomi")
    files = {f"app1/{path}": data for path, data in made.files.items()}
    files |= {f"app1/{bundle.LIST}": made.list_file(), **bundle.boot_files()}
    files["config.json"] = json.dumps({"console_s": 1, "bluetooth": 0}).encode()
    for path, data in files.items():
        (flash / path).parent.mkdir(parents=True, exist_ok=True)
        (flash / path).write_bytes(data)


def works(command: Sequence[str], folder: Path, room_kb: int) -> bool:
    """Does it start, hear the whole line, and tell what the line says, without any trouble?"""
    state, trace = folder / "state", folder / "trace.txt"
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(folder / "flash", state / "flash")
    trace.unlink(missing_ok=True)
    launch = launcher()
    with CaptureReader(root() / REAL_LINE) as reader:
        lines = [
            f"{event.t_us + 1000 * _FIRST_MS} bms {event.data.hex()}"
            for event in reader
            if isinstance(event, Chunk) and event.port == "bms_tx"
        ]
    feed = folder / "feed.txt"
    feed.write_text("\n".join([*launch.in_order(lines), _END]) + "\n")
    options = {"room": str(1024 * room_kb), "chip": "esp32c3"}
    try:
        launch.run(command, state / "flash", state, feed, trace, heap="1m", options=options)
    except launch.BoardError:
        return False
    said = trace.read_text()
    last = [line for line in said.splitlines() if " print live 1 " in line][-1:]
    return "pack_mv=35940" in "".join(last) and not any(word in said for word in _TROUBLE)


if __name__ == "__main__":
    sys.exit(main())

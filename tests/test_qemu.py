"""The core on bare 32-bit processors under QEMU, viper code and all, with 110 KB of heap: the same
trace as here, nothing allocated, instructions counted. `make test-qemu` runs it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from packlab import replay
from packlab.capture import CaptureReader
from packlab.session import REAL_LINE

pytestmark = pytest.mark.qemu

TOOL = """
import json, sys
from pathlib import Path
import qemu
from packlab.capture import CaptureReader
from packlab.replay import Settings
machine = qemu.MACHINES[sys.argv[1]]
image = qemu.build(machine, fetch={fetch})
with CaptureReader(Path({capture!r})) as reader:
    events = list(reader)
"""
REPLAY = """
settings = Settings({{"profile": "m365"}}, telemetry=True)
print(json.dumps(qemu.replay(machine, image, events, settings)))
"""
VIPER = """
print(json.dumps(qemu.run(machine, image, "import sys\\n"
    "from deckwatch import checksums_viper as v\\n"
    "print(v.__name__, sys.implementation._mpy >> 10 & 15, sys.maxsize)")))
"""
COUNT = """
counted = qemu.count(image, events)
print(json.dumps([counted.feed, counted.round, counted.worst, counted.bytes, counted.frames]))
"""
STACK = """
print(json.dumps([qemu.STACK_BYTES, *qemu.deepest(image)]))
"""
PROGRAMS = {
    "VIRT_RV32": ("qemu-system-riscv32", "riscv64-unknown-elf-gcc"),
    "MPS2_AN385": ("qemu-system-arm", "arm-none-eabi-gcc"),
}
# as MicroPython numbers what its native code may be: rv32imc; armv7em, which runs armv7m's
MARCH = {"VIRT_RV32": 11, "MPS2_AN385": 6}


def on_board(board: str, work: str) -> list[object]:
    """What a snippet of tools/qemu.py's finds out on a board."""
    missing = [tool for tool in PROGRAMS[board] if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed; CONTRIBUTING.md has the packages")
    code = TOOL.format(fetch="DECKWATCH_NO_FETCH" not in os.environ, capture=str(ROOT / REAL_LINE))
    done = subprocess.run(
        [sys.executable, "-c", code + work.format(), board],
        capture_output=True, text=True, check=False, cwd=ROOT / "tools",
    )  # fmt: skip
    if "StepFailed" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("board", PROGRAMS)
def test_the_real_line_gives_the_same_trace(board: str) -> None:
    settings = replay.Settings({"profile": "m365"}, telemetry=True)
    with CaptureReader(Path(ROOT / REAL_LINE)) as reader:
        expected = list(replay.replay(reader, settings))
    assert on_board(board, REPLAY) == expected
    assert len(expected) > 10


@pytest.mark.parametrize("board", PROGRAMS)
def test_the_viper_code_is_the_processor_s(board: str) -> None:
    name, march, maxsize = str(on_board(board, VIPER)[0]).split()
    assert name == "deckwatch.checksums_viper"
    assert int(march) == MARCH[board]
    assert int(maxsize) == 2**31 - 1


def test_instructions_are_counted_and_few_enough() -> None:
    """The same count on every run, to a clock tick of 100 a piece of the line; and an alert's way
    through the core well within its 25 ms."""
    first, second = ([int(str(n)) for n in on_board("VIRT_RV32", COUNT)] for _ in range(2))
    assert second == pytest.approx(first, rel=1e-3)
    feed, round_, worst, size, frames = first
    assert (size, frames) == (1785, 138)
    assert 0 < feed < round_
    assert worst < 25e-3 * 240e6


def test_the_app_stays_far_from_the_end_of_the_c_stack() -> None:
    """MicroPython ends a program that comes within a kilobyte or two of the end; a radio's and the
    collector's own calls are to find room above it as well."""
    size, start, passes = (int(str(n)) for n in on_board("VIRT_RV32", STACK))
    assert 1500 < start < size / 2
    assert 1500 < passes < size / 2

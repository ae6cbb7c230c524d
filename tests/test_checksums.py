"""Checksums: against published values, and the machine-code ones against the plain ones.

The published values come from catalogues and from frames of the protocol sheets, not from this
code.
"""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from conftest import MicroPython
from deckwatch import checksums_plain, framer
from deckwatch.framings import CHECK_NAMES

from tools.compiled import architecture, compile_folder

CHECKS = dict(zip(CHECK_NAMES[1:], checksums_plain.CHECKS, strict=True))
SCRIPT = Path(__file__).parent / "unix" / "checksums.py"
NINE = b"123456789"  # what check values of CRC catalogues are computed over

PUBLISHED = [
    ("crc16_modbus", NINE.hex(), 0x4B37),
    ("crc16_xmodem", NINE.hex(), 0x31C3),
    ("crc16_xmodem", "04", 0x4084),  # vesc.md 2
    ("sum16_inverted", "0e2501300100710e2f0003000a0e2b2b", 0xFE7B),  # xiaomi.md 2.1
    ("sum16_inverted", "0322011010", 0xFFB9),  # m365_standing.cap
    ("sum16_negated", "0300", 0xFFFD),  # jbd.md 2: dd a5 03 00 fffd 77
    ("sum8", "a54090080000000000000000", 0x7D),  # daly.md 2
    ("sum16", NINE.hex(), 0x1DD),
    ("sum8", NINE.hex(), 0xDD),
]

# Over nothing each gives its start value.
EMPTY = {
    "sum8": 0,
    "sum16": 0,
    "sum16_inverted": 0xFFFF,
    "sum16_negated": 0,
    "crc16_modbus": 0xFFFF,
    "crc16_xmodem": 0,
}


def test_each_is_called_as_the_rows_call_it() -> None:
    assert [check.__name__ for check in checksums_plain.CHECKS] == list(CHECK_NAMES[1:])


@pytest.mark.parametrize(("name", "text", "wanted"), PUBLISHED)
def test_published_values(name: str, text: str, wanted: int) -> None:
    data = bytes.fromhex(text)
    assert CHECKS[name](data, 0, len(data)) == wanted
    assert CHECKS[name](b"\xff" + data + b"\xff", 1, len(data) + 1) == wanted


@pytest.mark.parametrize("name", CHECKS)
def test_an_empty_range_gives_the_start_value(name: str) -> None:
    assert CHECKS[name](NINE, 4, 4) == EMPTY[name]


@pytest.mark.parametrize(("name", "mask"), [("sum8", 0xFF), ("sum16", 0xFFFF)])
def test_sums_wrap_at_their_width(name: str, mask: int) -> None:
    data = b"\xff" * 300
    assert CHECKS[name](data, 0, 300) == 76500 & mask
    if name == "sum16":
        assert CHECKS["sum16_inverted"](data, 0, 300) == 0xFFFF - (76500 & mask)
        assert CHECKS["sum16_negated"](data, 0, 300) == 0x10000 - (76500 & mask)


def jobs() -> list[tuple[str, int, int, bytes]]:
    """Every checksum over made-up data: whole, empty, all ones, and stretches from anywhere."""
    random = Random(16)
    made = []
    for name in CHECKS:
        made += [(name, 0, 300, b"\xff" * 300), (name, 5, 5, NINE), (name, 0, 1, b"\0")]
        for _ in range(40):
            data = random.randbytes(random.randint(1, 300))
            start = random.randint(0, len(data))
            made.append((name, start, random.randint(start, len(data)), data))
    return made


def native(interpreter: MicroPython) -> str:
    """The processor it makes machine code for, "" for none."""
    return architecture(interpreter.interpreter.command)


def asked(interpreter: MicroPython, folder: Path) -> list[str]:
    """What the framer's checksums give there for all jobs; first, which ones it took."""
    lines = [f"{name} {start} {end} {data.hex()}\n" for name, start, end, data in jobs()]
    stdin = "".join(lines).encode()
    return interpreter.run(SCRIPT, folders=(folder,), stdin=stdin).splitlines()


def plain() -> list[str]:
    return [str(CHECKS[name](data, start, end)) for name, start, end, data in jobs()]


def test_machine_code_gives_what_the_plain_ones_give(
    micropython: MicroPython, repo_root: Path
) -> None:
    taken = "viper" if native(micropython) else "plain"
    assert asked(micropython, repo_root / "firmware") == [taken, *plain()]


@pytest.mark.parametrize("march", ["x64", "x86"])
def test_compiled_ones_too_and_those_for_another_processor_are_passed_over(
    march: str, micropython: MicroPython, repo_root: Path, tmp_path: Path
) -> None:
    compile_folder(repo_root / "firmware", tmp_path, march, apart=True)
    taken = "viper" if march == native(micropython) else "plain"
    assert asked(micropython, tmp_path) == [taken, *plain()]


def test_without_the_file_the_plain_ones_serve(
    micropython: MicroPython, repo_root: Path, tmp_path: Path
) -> None:
    compile_folder(repo_root / "firmware", tmp_path, "", apart=True)
    assert not (tmp_path / "deckwatch" / "checksums_viper.mpy").exists()
    assert asked(micropython, tmp_path) == ["plain", *plain()]


def test_cpython_takes_the_plain_ones(repo_root: Path) -> None:
    assert framer.CHECKS is checksums_plain.CHECKS
    done = subprocess.run(
        [sys.executable, "-c", "import deckwatch.checksums_viper"],
        env={"PYTHONPATH": f"{repo_root}/firmware:{repo_root}/boards/CPYTHON"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "AttributeError: module 'micropython' has no attribute 'viper'" in done.stderr

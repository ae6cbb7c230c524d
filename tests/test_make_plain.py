"""tools/make_plain.py: what it takes away from machine code, and that the files it wrote are those
it would write now."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.make_plain import FIRMWARE, render, sources, target_of

VIPER = '''# ruff: noqa: F821
"""Loops, as machine code."""

import micropython
from micropython import const

from a.y_viper import other

_STEP = const(4)  # °


@micropython.viper
def walk(arrays, buf: ptr8, at: int, wide: object) -> int:
    """Sums."""
    values = ptr32(arrays[0])
    total = int(wide) + int(values[at] + 1) * 2  # µ
    return total + int(other(buf, int(len(arrays)))) + ptr8(wide)[at] + _STEP


@micropython.viper
def second(buf: ptr8, at: int) -> uint:
    return uint(buf[at])


@micropython.viper
def third(buf: object) -> object:
    return buf
'''

PLAIN = '''"""x_viper.py in plain Python; written by tools/make_plain.py, never by hand."""

from micropython import const

from a.y_plain import other

_STEP = const(4)  # °


def walk(arrays, buf, at: int, wide) -> int:
    """Sums."""
    values = arrays[0]
    total = wide + (values[at] + 1) * 2  # µ
    return total + other(buf, len(arrays)) + wide[at] + _STEP


def second(buf, at: int):
    return buf[at]


def third(buf):
    return buf
'''


def test_decorators_types_and_casts_fall_away() -> None:
    assert render("x_viper.py", VIPER) == PLAIN


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_the_written_files_are_up_to_date(source: Path) -> None:
    assert target_of(source).read_text() == render(source.name, source.read_text())


def test_check_tells_which_file_is_not(repo_root: Path, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "firmware" / "a").mkdir(parents=True)
    tool = tmp_path / "tools" / "make_plain.py"
    tool.write_text((repo_root / "tools" / "make_plain.py").read_text())
    (tmp_path / "firmware" / "a" / "x_viper.py").write_text(VIPER)

    def said(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, str(tool), *arguments], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    assert said("--check") == (1, "out of date, run python3 tools/make_plain.py: x_plain.py\n")
    assert said() == (0, "")
    assert (tmp_path / "firmware" / "a" / "x_plain.py").read_text() == PLAIN
    assert said("--check") == (0, "")


CONSTANT = re.compile(r"^(_?[A-Z][A-Z0-9_]*) = const\((.+?)\)(?:  #.*)?$", re.MULTILINE)


def constants(path: Path) -> dict[str, int]:
    """Numbers by name: const() takes nothing from another file, so some stand in two."""
    return {name: eval(value) for name, value in CONSTANT.findall(path.read_text())}


LAYOUTS = {
    "fields_viper": "rows.py",
    "judge_viper": "guardrails/compiled.py",
    "alerts_viper": "guardrails/compiled.py",
}


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_numbers_with_two_places_are_the_same(source: Path) -> None:
    """What a file shares with that beside it, with what lays out the bytes it reads, and with the
    telemetry's public ones."""
    beside = source.with_name(source.name.replace("_viper", ""))
    known = constants(FIRMWARE / "deckwatch/telemetry.py")
    known = {name: value for name, value in known.items() if not name.startswith("_")}
    layout = FIRMWARE / "deckwatch" / LAYOUTS.get(source.stem, "telemetry.py")
    for file in (beside, layout):
        known |= constants(file) if file.exists() and file.name != "telemetry.py" else {}
    public = {name.lstrip("_"): value for name, value in known.items()}
    for name, value in constants(source).items():
        assert public.get(name.lstrip("_"), value) == value, name

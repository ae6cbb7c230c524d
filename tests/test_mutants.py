"""The tool that breaks the meters and the judge, and the survivors docs/mutants.md argues."""

import ast
import subprocess
import sys
import types
from pathlib import Path

import pytest

from tools.mutation import changes, known, runs

ROOT = Path(__file__).resolve().parent.parent

SOURCE = """\
LIMIT = array("h", bytes(2 * 5))

def over(self, a, b):
    "text"
    if a < b and not self.held:
        self.count += 1
    return max(a, 5) % b
"""
CHANGES = [
    (5, "if a < b and (not self.held):", "if not (a < b and (not self.held)):"),
    (5, "a < b and (not self.held)", "a < b or not self.held"),
    (5, "a < b", "a <= b"),
    (5, "not self.held", "self.held"),
    (6, "self.count += 1", "self.count -= 1"),
    (6, "self.count += 1", "pass"),
    (6, "1", "2"),
    (6, "1", "0"),
    (7, "max(a, 5) % b", "max(a, 5) // b"),
    (7, "max(a, 5)", "min(a, 5)"),
    (7, "5", "6"),
    (7, "5", "4"),
]


def test_every_place_is_broken_in_every_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "every.py").write_text(SOURCE)
    monkeypatch.setattr(changes, "FIRMWARE", tmp_path)
    made = changes.mutants("every.py")
    assert [(mutant.line, mutant.old, mutant.new) for mutant in made] == CHANGES
    assert made[1].place == "over: if a < b and not self.held:"


def test_a_mutant_differs_from_its_source_in_that_place_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some.py").write_text("array = bytes\nx = 1 + 2 * y\nz = 3\n")
    monkeypatch.setattr(changes, "FIRMWARE", tmp_path)
    made = [ast.unparse(mutant.module()) for mutant in changes.mutants("some.py")]
    assert made[:3] == [f"array = bytes\nx = {x}\nz = 3" for x in CHANGED]
    assert made[-1] == "array = bytes\nx = 1 + 2 * y\nz = 2"


CHANGED = ("1 - 2 * y", "2 + 2 * y", "0 + 2 * y")


OWN = """\
from array import array
LIMIT = 5
_LEAST = 3
_MOST = _LEAST * 4
_WIDE = 9

class Meter:
    def over(self, a):
        return a > LIMIT or a > _WIDE

    def under(self, a, b=2):
        return (
            a
            < _WIDE
        )
"""


def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[changes.Mutant]:
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.setattr(changes, "FIRMWARE", tmp_path)
    changes.parsed.cache_clear()
    return changes.mutants("own.py")


def test_which_lines_show_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = own(tmp_path, monkeypatch)
    shown = {mutant.line: runs.reached_lines(mutant) for mutant in made}
    assert shown[9] == {9}
    assert shown[13] == {12, 13, 14, 15}  # of one statement
    assert shown[5] == {9, 12, 13, 14, 15}  # of the functions that name the constant
    assert shown[4] == set()  # nobody names it
    for line in (2, 3, 11):  # told outside, names another constant, is a default
        assert shown[line] is None


def test_a_change_is_exchanged_in_what_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = own(tmp_path, monkeypatch)
    module = types.ModuleType("own")
    exec(OWN, module.__dict__)
    held = module.Meter()
    assert held.over(6)
    wider = next(mutant for mutant in made if mutant.line == 5 and mutant.new == "8")
    assert held.under(8)
    runs.exchange(wider, module)
    assert not held.under(8)
    level = next(mutant for mutant in made if mutant.new == "a >= LIMIT")
    assert not held.over(5)
    runs.exchange(level, module)
    assert held.over(5)


def test_all_of_the_meters_and_of_the_judge_are_broken_and_have_tests() -> None:
    """Of machine code the plain form written from it."""
    paths = (ROOT / "firmware/deckwatch/meters").glob("*.py")
    meters = {f"meters/{path.name}" for path in paths if not path.stem.endswith("_viper")}
    names = ("alerts", "judge", "rules", "alerts_plain", "judge_plain")
    guards = {f"guardrails/{name}.py" for name in names}
    assert set(known.files()) == (meters | guards) - {"meters/__init__.py"}
    missing = [
        test
        for file in known.files()
        for test in known.tests_of(file)
        if not (ROOT / test).is_file()
    ]
    assert missing == []


def test_what_is_argued_is_still_in_the_code() -> None:
    argued = known.argued()
    assert argued
    assert all(argued.values())
    made = {mutant.key for file in {key[0] for key in argued} for mutant in changes.mutants(file)}
    assert set(argued) - made == set()


def test_a_broken_balance_is_noticed_and_a_share_too_high_fails() -> None:
    tool = [sys.executable, "tools/mutants.py", "meters/balance.py", "--seed", "1"]
    ran = subprocess.run(
        [*tool, "--sample", "1", "--least", "101"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "meters/balance.py: 1 of 1 killed: 100 %;" in ran.stdout
    assert ran.returncode == 1

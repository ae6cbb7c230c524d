"""The tool that breaks the meters and the judge, and the survivors docs/mutants.md argues."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools import mutants

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
    (tmp_path / "some.py").write_text(SOURCE)
    monkeypatch.setattr(mutants, "FIRMWARE", tmp_path)
    made = mutants.mutants("some.py")
    assert [(mutant.line, mutant.old, mutant.new) for mutant in made] == CHANGES
    assert made[1].place == "over: if a < b and not self.held:"


def test_a_mutant_differs_from_its_source_in_that_place_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some.py").write_text("array = bytes\nx = 1 + 2 * y\nz = 3\n")
    monkeypatch.setattr(mutants, "FIRMWARE", tmp_path)
    made = [ast.unparse(mutant.module()) for mutant in mutants.mutants("some.py")]
    assert made[:3] == [f"array = bytes\nx = {x}\nz = 3" for x in CHANGED]
    assert made[-1] == "array = bytes\nx = 1 + 2 * y\nz = 2"


CHANGED = ("1 - 2 * y", "2 + 2 * y", "0 + 2 * y")


def test_all_of_the_meters_and_of_the_judge_are_broken_and_have_tests() -> None:
    meters = {f"meters/{path.name}" for path in (ROOT / "firmware/deckwatch/meters").glob("*.py")}
    guards = {"guardrails/alerts.py", "guardrails/judge.py"}
    assert set(mutants.files()) == (meters | guards) - {"meters/__init__.py"}
    missing = [
        test
        for file in mutants.files()
        for test in mutants.tests_of(file)
        if not (ROOT / test).is_file()
    ]
    assert missing == []


def test_what_is_argued_is_still_in_the_code() -> None:
    argued = mutants.argued()
    assert argued
    assert all(argued.values())
    made = {mutant.key for file in {key[0] for key in argued} for mutant in mutants.mutants(file)}
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
    assert "meters/balance.py: 1 of 1 killed\n" in ran.stdout
    assert "1 of 1 killed: 100 %" in ran.stdout
    assert ran.returncode == 1

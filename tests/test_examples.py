"""The worked examples of docs/adding-a-*.md: their blocks are applied to a copy of the tree, their
commands run there, and print what the pages say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from packlab.capture import CaptureReader

BLOCK = re.compile(r"<!-- (\w+)(?:: (\S+))?(?: before: (.*?))? -->\n```\w*\n(.*?)```", re.S)
PARTS = ("firmware", "boards", "host", "tools", "tests/data/captures")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for part in PARTS:
        shutil.copytree(
            ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "phone")
        )
    return tmp_path


def follow(page: str, tree: Path) -> list[str]:
    """Does what the page says; what its commands printed."""
    told: list[str] = []
    for kind, path, mark, text in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")):
        if kind == "file":
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text, "utf-8")
        elif kind == "insert":
            lines = (tree / path).read_text("utf-8").splitlines(keepends=True)
            (place,) = [number for number, line in enumerate(lines) if mark in line]
            (tree / path).write_text("".join([*lines[:place], text, *lines[place:]]), "utf-8")
        else:
            assert kind == "run"
            for step in text.removeprefix("$ ").split("\n$ "):
                command, _, expected = step.partition("\n")
                told.append(run(command.split(), tree))
                for line in expected.splitlines():
                    assert line.strip() in told[-1], (command, told[-1])
    assert told
    return told


def run(words: list[str], tree: Path) -> str:
    given = ""
    if "<" in words:
        *words, _, name = words
        given = (tree / name).read_text("utf-8")
    assert words[0] == "python"
    done = subprocess.run(
        [sys.executable, *words[1:]], cwd=tree, capture_output=True, text=True, check=False,
        input=given,
        timeout=100, env={**os.environ, "PYTHONPATH": str(tree / "host")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_family(tree: Path) -> None:
    told = follow("adding-a-family.md", tree)
    for value in ("12000", "80", "4000", "4001", "4002"):
        assert value in told[-1]


def test_a_guardrail(tree: Path) -> None:
    follow("adding-a-guardrail.md", tree)


def test_a_board(tree: Path) -> None:
    follow("adding-a-board.md", tree)


def test_a_format(tree: Path) -> None:
    follow("adding-a-format.md", tree)
    there = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"
    with CaptureReader(there) as one, CaptureReader(tree / "back.cap") as other:
        assert list(one) == list(other)

"""The documents tell what is: every link leads somewhere, docs/architecture.md follows a byte
through functions that are there, and the README shows what the demo prints."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)[^)\s]*\)")
QUOTED = re.compile(r"`([^`]+)`")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text("utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{name_of(document)}: {target}"


def test_the_readme_shows_what_the_demo_prints(micropython64: object) -> None:
    """When the demo changes, copy these lines anew from `packlab demo`."""
    del micropython64  # only that there is one
    demo = [sys.executable, "-m", "packlab.cli", "demo"]
    printed = subprocess.run(demo, capture_output=True, text=True, check=True).stdout.splitlines()
    shown = re.findall(r"^  \d\d:\d\d\.\d .*$", (ROOT / "README.md").read_text("utf-8"), re.M)
    assert len(shown) > 10
    for line in shown:
        start = line.removesuffix("…")
        assert any(other.startswith(start) for other in printed), line


def defined(path: Path) -> set[str]:
    """Functions of a file, and methods as Class.method."""
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{item.name}"
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return names


def test_the_byte_passes_functions_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    steps = [line.split("|")[2] for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(steps) > 20
    for step in steps:
        names: set[str] = set()
        for word in QUOTED.findall(step):
            if word.endswith(".py"):
                names = defined(ROOT / word)
            else:
                assert word in names, step
        assert names, step

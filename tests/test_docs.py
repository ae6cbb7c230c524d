"""The documents name what exists: every link leads somewhere, and docs/architecture.md follows a
byte through functions that are there."""

import ast
import re
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

"""What is known beforehand: which files are broken, which tests cover each, and which changes no
test can notice."""

import re
from pathlib import Path

from .changes import FIRMWARE, Key

ROOT = Path(__file__).resolve().parents[2]
ARGUED = ROOT / "docs/mutants.md"

# What else than tests/test_NAME.py covers meters/NAME.py; the quickest first.
TESTS = {
    "guardrails/alerts.py": ("alerts", "guardrails"),
    "guardrails/alerts_plain.py": ("alerts",),
    "guardrails/judge.py": ("judge", "guardrails"),
    "guardrails/judge_plain.py": ("judge", "guardrails"),
    "guardrails/rules.py": ("config", "judge", "alerts", "guardrails"),
    "meters/cells.py": ("cells", "reports"),
    "meters/frozen.py": ("frozen_data",),
    "meters/median.py": ("reports", "cells", "load"),
    "meters/ocv.py": ("ocv", "curve"),
    "meters/probes_plain.py": ("probes",),
    "meters/tell_plain.py": ("session", "charge"),
    "meters/trip.py": ("trip", "load"),
}


def files() -> list[str]:
    """The files that are broken, as TESTS names them."""
    paths = [
        *(FIRMWARE / "meters").glob("[a-z]*.py"),
        *(FIRMWARE / "guardrails").glob("[ajr]*.py"),
    ]
    return sorted(str(p.relative_to(FIRMWARE)) for p in paths if not p.stem.endswith("_viper"))


def tests_of(file: str) -> list[str]:
    """The test files that cover it."""
    return [f"tests/test_{name}.py" for name in TESTS.get(file, (Path(file).stem,))]


def argued() -> dict[Key, str]:
    """The rows of docs/mutants.md: a mutant's key and why no test can notice it. A row names its
    file, its place, and what becomes what: `old` → `new`, `other`; `old` → `new`."""
    found = {}
    for line in ARGUED.read_text().splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r" (?<!\\)\| ", line)]
        if line.startswith("| `") and len(cells) == 4:
            file, place = cells[0].strip("| `"), cells[1].strip("`")
            for change in cells[2].split("; "):
                old, _, new = change.partition(" → ")
                for becomes in re.findall("`([^`]+)`", new):
                    found[file, place, old.strip("`"), becomes] = cells[3].rstrip(" |")
    return found

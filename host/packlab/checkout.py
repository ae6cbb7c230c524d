"""Where the firmware lies: packlab runs the very files that go onto the dongle, so it works from a
checkout of the project."""

import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from packlab.errors import PacklabError


@cache
def root() -> Path:
    """The top folder of the checkout this packlab was installed from."""
    top = Path(__file__).resolve().parents[2]
    if not (top / "firmware" / "deckwatch" / "pipeline.py").exists():
        raise PacklabError(
            f"{top} holds no firmware; install packlab from a checkout with 'make setup'"
        )
    return top


@cache
def firmware(module: str) -> ModuleType:
    """A module of the core, such as "framer" or "protocols.xiaomi", on this CPython."""
    return board(f"deckwatch.{module}")


@cache
def board(module: str) -> ModuleType:
    """A module of the board CPYTHON, such as "bench_rows", or of what runs on it."""
    for folder in ("firmware", "boards/CPYTHON"):
        path = str(root() / folder)
        if path not in sys.path:
            sys.path.insert(0, path)
    return importlib.import_module(module)

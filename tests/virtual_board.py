"""boards/VIRTUAL/launch.py as a module; its folder must not be on the path: what lies beside it
shadows."""

import importlib.util
from pathlib import Path
from types import ModuleType

BOARD = Path(__file__).resolve().parent.parent / "boards" / "VIRTUAL"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("board_launch", BOARD / "launch.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


launch = _load()

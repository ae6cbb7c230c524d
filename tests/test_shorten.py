"""Private names made short: the same program, and nothing of it known outside its file."""

import ast
import re
from collections import defaultdict
from functools import partial
from pathlib import Path

from deckwatch.telemetry import SLOTS_KEPT
from packlab.shorten import shorten

from tools.compiled import number_slots

_SHORT = re.compile(r"(?<![A-Za-z0-9_])_[a-z]{1,2}(?![A-Za-z0-9_])")
FIRMWARE = Path(__file__).parent.parent / "firmware"


BEFORE = """_LIMIT = 5
class Way:
    def __init__(self):
        self._at = _LIMIT  # _at
        self.on = '_at'
"""
AFTER = """_a = 5
class Way:
    def __init__(self):
        self._b = _a  # _at
        self.on = '_at'
"""


def test_only_private_names_change() -> None:
    assert shorten(BEFORE) == (AFTER, {"_a": "_LIMIT", "_b": "_at"})


def test_a_lone_underscore_and_magic_names_stay() -> None:
    source = "for _ in range(3):\n    print(__name__)\n"
    assert shorten(source) == (source, {})


def test_more_than_26_names_get_two_letters() -> None:
    source = "".join(f"_name{number} = {number}\n" for number in range(80))
    short, names = shorten(source)
    assert len(names) == 80
    scope: dict[str, int] = {}
    exec(short, scope)
    assert sorted(v for k, v in scope.items() if k in names) == list(range(80))


def _real(names: dict[str, str], match: re.Match[str]) -> str:
    return names.get(match[0], match[0])


def test_every_firmware_file_is_still_the_same_program() -> None:
    for path in FIRMWARE.rglob("*.py"):
        short, names = shorten(path.read_text())
        back = _SHORT.sub(partial(_real, names), short)
        assert ast.dump(ast.parse(back)) == ast.dump(ast.parse(path.read_text())), path


def test_slots_become_the_numbers_they_have() -> None:
    found = 0
    for path in FIRMWARE.rglob("*.py"):
        numbered = number_slots(path.read_text())
        for name, slot in re.findall(r'^(_\w+) = INDEX\["(\w+)"\]$', path.read_text(), re.M):
            number = SLOTS_KEPT.index(slot) if slot in SLOTS_KEPT else 0
            assert f"\n{name} = const({number})\n" in numbered, (path, name)
            found += 1
        assert len(numbered.splitlines()) == len(path.read_text().splitlines())
    assert found > 100


def test_no_firmware_file_reaches_for_a_private_name_of_another() -> None:
    """What makes shortening right: a private attribute is used only where it is made."""
    made = defaultdict(set)
    used = defaultdict(set)
    for path in FIRMWARE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and re.fullmatch(r"_[A-Za-z]\w*", node.attr):
                target = made if isinstance(node.ctx, ast.Store) else used
                target[path].add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                made[path].add(node.name)
            elif isinstance(node, ast.ImportFrom):
                for name in node.names:
                    assert not re.fullmatch(r"_[A-Za-z]\w*", name.name), (
                        f"{path} imports {name.name}"
                    )
    assert any(used.values())
    for path, names in used.items():
        assert names <= made[path], f"{path} uses {names - made[path]}"

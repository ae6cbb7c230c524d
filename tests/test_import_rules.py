"""The firmware's rules of the house, kept by reading its source: who may import whom, no hardware
and no clock in the core, integers only, each file says what it is, none asks if it is simulated.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# A file or folder directly below firmware/deckwatch belongs to a layer. What is not named wires
# the others together (pipeline, config, …): it may use all but the hardware, and none of them it.
LAYERS = {
    "vocabulary": {
        "telemetry",
        "frame",
        "alert",
        "names",
        "ticks",
        "faults",
        "controller_errors",
        "status",
        "memory",
        "passing",
    },
    "wire": {"checksums", "fields", "framer", "framings", "rows"},
    "protocols": {"protocols"},
    "meters": {"meters"},
    "guardrails": {"guardrails"},
    "outputs": {"outputs"},
    "profiles": {"profiles"},
    "hal": {"hal"},
    "app": {"app", "start", "making", "search", "remote", "keeper"},
}
MAY_IMPORT = {
    "vocabulary": {"vocabulary"},
    "wire": {"vocabulary", "wire"},
    "protocols": {"vocabulary", "wire", "protocols"},
    "meters": {"vocabulary", "meters"},
    "guardrails": {"vocabulary", "meters", "guardrails"},
    "outputs": {"vocabulary", "outputs"},
    "profiles": {"vocabulary", "profiles"},
    "wiring": {*LAYERS, "wiring"} - {"hal", "app"},
    "hal": {*LAYERS, "wiring"} - {"app"},
    "app": {*LAYERS, "wiring"},
}

HARDWARE = {"machine", "bluetooth", "aioble", "neopixel", "esp32", "select"}
CLOCKS = {"asyncio", "time"}
FLOATS = {"math", "cmath"}
SIMULATION = re.compile(
    r"simulat|\bsims?\b|\bis_sim|\bunix\b|\bsys\.(platform|implementation)", re.I
)


def violations(firmware: Path) -> list[str]:
    """Return every breach below `firmware` as `path:line: what`, sorted."""
    found = []
    for path in sorted(firmware.rglob("*.py")):
        tree = ast.parse(path.read_bytes(), str(path))
        for line, problem in _problems(path.relative_to(firmware), path.read_text(), tree):
            found.append(f"{path.relative_to(firmware)}:{line}: {problem}")
    return found


def _problems(path: Path, text: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    if not ast.get_docstring(tree):
        yield 1, "has no module docstring"
    if path.parts[0] != "deckwatch":  # main.py and boot.py belong to the board
        return
    for number, line in enumerate(text.splitlines(), 1):
        if SIMULATION.search(line):
            yield number, "mentions simulation"
    layer = _layer(path.with_suffix("").parts[1])
    for number, module in _imports(path, tree):
        yield from ((number, problem) for problem in _wrong_import(layer, module))
    if layer not in ("hal", "app"):
        yield from _floats(tree)


def _layer(name: str) -> str:
    part = name.removesuffix("_viper").removesuffix("_plain")  # of a file, its hot loops
    return next((layer for layer, names in LAYERS.items() if part in names), "wiring")


def _wrong_import(layer: str, module: str) -> Iterator[str]:
    top, *rest = module.split(".")
    plain = top.removeprefix("u") if top[1:] in HARDWARE | CLOCKS else top
    if plain in HARDWARE and layer != "hal":
        yield f"imports {top}, which belongs to hal/"
    if plain in CLOCKS and layer not in ("hal", "app"):
        yield f"imports {top}, which belongs to app.py and hal/"
    if plain in FLOATS and layer not in ("hal", "app"):
        yield f"imports {top}; the core has integers only"
    if top == "deckwatch" and rest and _layer(rest[0]) not in MAY_IMPORT[layer]:
        yield f"{layer} imports {module}, which is {_layer(rest[0])}"


def _imports(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every module imported anywhere in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = [*path.parts[: len(path.parts) - node.level]] if node.level else []
            module = ".".join([*package, *([node.module] if node.module else [])])
            if module == "deckwatch":
                yield from ((node.lineno, f"deckwatch.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__":
            yield node.lineno, _computed_name(node.args[0])


def _computed_name(argument: ast.expr) -> str:
    """What can be seen of a name given to __import__: its first literal."""
    literals = (node.value for node in ast.walk(argument) if isinstance(node, ast.Constant))
    return str(next(literals, "")).rstrip(".")


def _floats(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node.lineno, f"has the float {node.value}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield node.lineno, "divides with /"
        elif isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "uses float"


def test_the_firmware_keeps_the_rules(repo_root: Path) -> None:
    assert violations(repo_root / "firmware") == []


# Each rule, broken once in a file made for it, and what must be said of it.
BREACHES = [
    ("deckwatch/telemetry.py", "import deckwatch.framer", "vocabulary imports deckwatch.framer"),
    ("deckwatch/fields.py", "from deckwatch.protocols import xiaomi", "wire imports"),
    ("deckwatch/framer.py", "from deckwatch import pipeline", "wire imports deckwatch.pipeline"),
    ("deckwatch/protocols/x.py", "from deckwatch.guardrails import table", "protocols imports"),
    ("deckwatch/protocols/x.py", "from ..meters.cells import Spread", "protocols imports"),
    ("deckwatch/protocols/x.py", "from .. import outputs", "protocols imports deckwatch.outputs"),
    ("deckwatch/meters/x.py", "import deckwatch.guardrails.judge", "meters imports"),
    ("deckwatch/meters/x.py", "import deckwatch.protocols", "meters imports"),
    ("deckwatch/guardrails/x.py", "import deckwatch.protocols.xiaomi", "guardrails imports"),
    ("deckwatch/guardrails/x.py", "import deckwatch.framer", "guardrails imports"),
    ("deckwatch/outputs/x.py", "import deckwatch.guardrails.table", "outputs imports"),
    ("deckwatch/outputs/x.py", "import deckwatch.protocols.xiaomi", "outputs imports"),
    ("deckwatch/outputs/x.py", "import deckwatch.hal.pins", "outputs imports"),
    ("deckwatch/profiles/x.py", "import deckwatch.config", "profiles imports"),
    ("deckwatch/pipeline.py", "from deckwatch.hal import lines", "wiring imports"),
    ("deckwatch/pipeline.py", "import deckwatch.app", "wiring imports"),
    ("deckwatch/hal/x.py", "from deckwatch import app", "hal imports"),
    ("deckwatch/meters/x.py", "def f():\n    import deckwatch.outputs.led", ":3: meters imports"),
    ("deckwatch/meters/x.py", "__import__('deckwatch.protocols.' + 'x')", "meters imports"),
    *[
        ("deckwatch/pipeline.py", f"import {module}", f"imports {module}, which belongs to hal/")
        for module in sorted(HARDWARE)
    ],
    ("deckwatch/app.py", "from machine import Pin", "imports machine"),
    ("deckwatch/app.py", "import umachine", "imports umachine"),
    ("deckwatch/pipeline.py", "import asyncio", "which belongs to app.py and hal/"),
    ("deckwatch/ticks.py", "from time import ticks_ms", "which belongs to app.py and hal/"),
    ("deckwatch/ticks.py", "import utime as t", "which belongs to app.py and hal/"),
    ("deckwatch/meters/x.py", "import math", "the core has integers only"),
    ("deckwatch/meters/x.py", "LIMIT = 0.5", "has the float 0.5"),
    ("deckwatch/meters/x.py", "LIMIT = 1e3", "has the float 1000.0"),
    ("deckwatch/meters/x.py", "def f(a):\n    return a / 2", ":3: divides with /"),
    ("deckwatch/meters/x.py", "A = 4\nA /= 2", ":3: divides with /"),
    ("deckwatch/meters/x.py", "A = float(4)", "uses float"),
    ("deckwatch/meters/x.py", "# not when simulated", "mentions simulation"),
    ("deckwatch/app.py", "SIM = 1", "mentions simulation"),
    ("deckwatch/hal/x.py", "import sys\nX = sys.platform", ":3: mentions simulation"),
]


@pytest.mark.parametrize(("path", "code", "said"), BREACHES)
def test_a_breach_is_named(tmp_path: Path, path: str, code: str, said: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(f'"""A file."""\n{code}\n')
    (found,) = violations(tmp_path)
    assert found.startswith(f"{path}:")
    assert said in found


@pytest.mark.parametrize("path", ["main.py", "deckwatch/__init__.py", "deckwatch/hal/x.py"])
@pytest.mark.parametrize("code", ["", "A = 1\n", '""\n'])
def test_a_file_without_docstring_is_named(tmp_path: Path, path: str, code: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code)
    assert violations(tmp_path) == [f"{path}:1: has no module docstring"]


ALLOWED = {
    "main.py": "import machine\nfrom deckwatch import app",
    "deckwatch/frame.py": "from deckwatch.ticks import age_ms",
    "deckwatch/framer.py": "from deckwatch import checksums_plain, frame\nfrom array import array",
    "deckwatch/protocols/x.py": "from . import y\nfrom deckwatch.fields import read\nA = 7 // 2",
    "deckwatch/guardrails/x.py": "from deckwatch.meters.cells import Spread",
    "deckwatch/pipeline.py": "import deckwatch.protocols, deckwatch.guardrails, deckwatch.outputs",
    "deckwatch/hal/x.py": "import machine, asyncio, select\nfrom deckwatch import config\nA = 0.5",
    "deckwatch/app.py": "import asyncio, time\nfrom deckwatch.hal import lines\nA = 1 / 2",
}


def test_what_the_rules_allow_passes(tmp_path: Path) -> None:
    for path, code in ALLOWED.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f'"""A file."""\n{code}\n')
    assert violations(tmp_path) == []


def test_an_empty_tree_has_nothing_to_say(tmp_path: Path) -> None:
    assert violations(tmp_path) == []

"""Once everything is made the dongle lets go of its constructors (making.py): what is
made again later must say so."""

import ast
import sys
from collections.abc import Iterator

import pytest
from packlab.checkout import firmware, root
from packlab.linking.files import leaders
from packlab.linking.modules import parsed

FIRMWARE = root() / "firmware"
# Files that are loaded when the constructors go, and functions that ran before
LOADED = {"pipeline", "app", "keeper", "hal.power", "start"}
AT_THE_START = {
    "App._begin", "App._black_box", "App._settings", "_memory_of", "_poller_of", "_share_of",
    "open_battery_line", "open_lines",
}  # fmt: skip


def modules() -> dict[str, ast.Module]:
    paths = sorted((FIRMWARE / "deckwatch").rglob("*.py"))
    texts = {path.relative_to(FIRMWARE).as_posix(): path.read_text() for path in paths}
    found = parsed(texts)
    leader_of = leaders(found)
    is_loaded = {f"deckwatch.{name}" for name in LOADED}
    return {
        name: module.tree
        for name, module in found.items()
        if leader_of[name] in is_loaded or ".protocols." in leader_of[name]
    }


def calls(node: ast.AST, within: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(function, what it calls) below a node; "" = the top level."""
    for child in ast.iter_child_nodes(node):
        inner = within
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = (*within, child.name)
        if isinstance(child, ast.Call):
            called = child.func
            name = called.attr if isinstance(called, ast.Attribute) else ast.unparse(called)
            yield ".".join(within), name
        yield from calls(child, inner)


def test_what_is_made_after_the_start_says_so() -> None:
    trees = modules()
    classes = {
        one.name: {name for inner in one.body for name in _bound(inner)}
        for tree in trees.values()
        for one in tree.body
        if isinstance(one, ast.ClassDef)
    }
    assert len(classes) > 30
    assert {function for tree in trees.values() for function, _ in calls(tree)} >= AT_THE_START
    made_later = {
        called: function
        for tree in trees.values()
        for function, called in calls(tree)
        if "__init__" in classes.get(called, ())
        and not (function in AT_THE_START or function == "" or function.endswith("__init__"))
    }
    assert made_later == {"Parking": "App._park"}
    assert {name for name, names in classes.items() if "again" in names} == set(made_later)


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def test_constructors_are_gone_but_of_what_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Once:
        def __init__(self) -> None:
            self.kept = 3

    class Again(Once):
        again = True

        def __init__(self) -> None:
            super().__init__()

    class Bare:
        pass

    module = type(sys)("deckwatch.made")

    class Pin(Once):
        def __init__(self) -> None:
            super().__init__()

    vars(module).update(Once=Once, Again=Again, Bare=Bare, Pin=Pin)
    vars(module).update(QUESTIONS=b"asked", FRAMES=b"framed")
    making = type(sys)("deckwatch.making")
    machine = type(sys)("machine")
    machine.Pin = Pin  # type: ignore[attr-defined]  as far as a PC plays the chip it is no native one
    other = type(sys)("another")
    vars(other).update(Other=type("Other", (), {"__init__": Once.__init__}))
    loaded = {one.__name__: one for one in (module, other, machine, making)}
    one = Once()
    forget_making = firmware("making").forget_making
    with monkeypatch.context() as patched:
        patched.setattr(sys, "modules", loaded)
        forget_making()
    assert one.kept == 3
    assert "deckwatch.making" not in loaded
    assert not hasattr(module, "QUESTIONS")
    assert module.FRAMES == b"framed"
    assert vars(Once)["__init__"] is None
    assert vars(Again)["__init__"] is not None
    assert "__init__" not in vars(Bare)
    assert vars(Pin)["__init__"] is not None
    assert vars(other)["Other"]().kept == 3

"""What the values of a program's top level are, found out by running it here.

A value that is a number, text, bytes, or a tuple of such, and is bound once by a plain assignment,
is the same on the dongle; modules that touch hardware are not run, of them only `const(…)` of
known numbers is known."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from packlab.checkout import firmware
from packlab.linking.modules import BENCH_ONLY, PACKAGE, Module, bound, dotted

Value = object  # int, str, bytes, None, or a tuple of them


def values(
    texts: Mapping[str, str], modules: Mapping[str, Module]
) -> dict[tuple[str, str], Value]:
    """By (module, name)."""
    found: dict[tuple[str, str], Value] = {}
    with _in_place_of_the_firmware(texts):
        for name in modules:
            if ".hal" in name or name == f"{PACKAGE}.app":
                continue
            try:
                running = importlib.import_module(name)
            except Exception:  # it needs the chip, or is broken: then it is on the dongle, too
                continue
            for bound_name in _once(modules[name]):
                value = getattr(running, bound_name)
                if is_literal(value):
                    found[name, bound_name] = value
    for module in modules.values():
        _constants(module, found)
    return found


def is_literal(value: object) -> bool:
    """Can it stand in the text of a program?"""
    if isinstance(value, tuple):
        return all(is_literal(item) for item in value)
    return value is None or type(value) in (int, bool, str, bytes)


def _once(module: Module) -> Iterator[str]:
    """Names its top level binds once, by a plain assignment."""
    names = list(bound(module.tree.body))
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and names.count(target.id) == 1:
                yield target.id


def _constants(module: Module, found: dict[tuple[str, str], Value]) -> None:
    """Adds the `const(…)` of a module that was not run."""
    for statement in module.tree.body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)):
            continue
        target, call = statement.targets[0], statement.value
        if not (isinstance(target, ast.Name) and ast.unparse(call.func) == "const"):
            continue
        scope = {
            node.id: _known(module, node.id, found)
            for node in ast.walk(call.args[0])
            if isinstance(node, ast.Name)
        }
        found[module.name, target.id] = eval(ast.unparse(call.args[0]), {}, scope)


def _known(module: Module, name: str, found: Mapping[tuple[str, str], Value]) -> Value:
    source = module.taken.get(name)
    return found[(source.module, source.name) if source else (module.name, name)]


# --- running it ----------------------------------------------------------------------------------


class _Texts(MetaPathFinder, Loader):
    """Imports the firmware from texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {dotted(path): (path, text) for path, text in texts.items()}

    def find_spec(
        self,
        name: str,
        path: "Sequence[str] | None",  # noqa: ARG002  importlib's own arguments
        target: "ModuleType | None" = None,  # noqa: ARG002
    ) -> "ModuleSpec | None":
        if name in BENCH_ONLY:
            raise ImportError("the dongle has none")
        if name not in self._texts:
            return None
        package = self._texts[name][0].endswith("__init__.py")
        return importlib.util.spec_from_loader(name, self, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._texts[module.__name__][1], module.__name__, "exec"), module.__dict__)


@contextmanager
def _in_place_of_the_firmware(texts: Mapping[str, str]) -> Iterator[None]:
    firmware("ticks")  # so that Python finds what stands in for MicroPython's own modules

    def ours() -> list[str]:
        return [n for n in sys.modules if n.split(".")[0] in (PACKAGE, *BENCH_ONLY)]

    finder = _Texts(texts)
    before = {name: sys.modules.pop(name) for name in ours()}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in ours():
            del sys.modules[name]
        sys.modules.update(before)

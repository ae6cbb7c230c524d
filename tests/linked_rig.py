"""Runs texts of a linked firmware on CPython."""

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_aside() -> Iterator[None]:
    """Modules of the firmware that are made meanwhile are gone afterwards, and those there were
    are back."""
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    try:
        yield
    finally:
        for name in filter(_is_ours, list(sys.modules)):
            del sys.modules[name]
        sys.modules.update(before)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "deckwatch"


def result(files: dict[str, str], beside: str) -> object:
    """What run() of a program beside these files, by path, gives."""

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> object:
            from importlib.machinery import ModuleSpec

            paths = (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py")
            found = [path for path in paths if path in files]
            if not found:
                return None

            class Loader:
                @staticmethod
                def create_module(spec: object) -> None: ...

                @staticmethod
                def exec_module(module: types.ModuleType) -> None:
                    exec(compile(files[found[0]], found[0], "exec"), module.__dict__)

            return ModuleSpec(name, Loader(), is_package=found[0].endswith("__init__.py"))  # type: ignore[arg-type]

    sys.meta_path.insert(0, Finder)  # type: ignore[arg-type]
    try:
        with put_aside():
            scope: dict[str, object] = {}
            exec(beside, scope)
            run = scope["run"]
            assert callable(run)
            return run()
    finally:
        sys.meta_path.remove(Finder)  # type: ignore[arg-type]

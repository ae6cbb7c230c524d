"""What the functions of a linked file are called in the sources, for a traceback from a dongle: it
has short names and no lines.

One short name may stand for several functions of a file. The one meant is mostly known from its
caller, which must name it.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

_INIT = "__init__"
_STAMP = "deckwatch_origin"  # an attribute of a function's node, which rewriting leaves there


@dataclass(frozen=True)
class Origin:
    """A function of the sources. path: its file; name: with its class; says: all names in it,
    and in what the linker has put into it."""

    path: str
    name: str
    says: frozenset[str]

    @property
    def called(self) -> str:
        """The name its callers say."""
        parts = self.name.split(".")
        return parts[-2] if parts[-1] == _INIT and len(parts) > 1 else parts[-1]

    def __str__(self) -> str:
        return f"{self.name} ({self.path})"


@dataclass(frozen=True)
class Origins:
    """files: by a linked file's path and a short name, what that may be."""

    files: Mapping[str, Mapping[str, Sequence[Origin]]]

    def meant(self, frames: Sequence[tuple[str, str]]) -> list[list[Origin]]:
        """Per frame of a traceback, (file's path, short name), what it may be; nothing where it is
        none of ours. Outermost first, as a traceback is."""
        found = [list(self.files.get(path, {}).get(name, ())) for path, name in frames]
        for outer, inner in pairwise(range(len(found))):
            called = [one for one in found[inner] if self._may_call(found[outer], one)]
            found[inner] = called or found[inner]
        for outer, inner in reversed(list(pairwise(range(len(found))))):
            callers = [
                o for o in found[outer] if any(self._may_call([o], i) for i in found[inner])
            ]
            found[outer] = callers or found[outer]
        return found

    def _may_call(self, callers: Sequence[Origin], called: Origin) -> bool:
        return not callers or any(called.called in caller.says for caller in callers)


def made(files: Mapping[str, Iterable[tuple[str, Origin]]]) -> Origins:
    """Of the functions, stamped, that each linked file has."""
    found: dict[str, dict[str, list[Origin]]] = {}
    for path, functions in files.items():
        for name, origin in functions:
            found.setdefault(path, {}).setdefault(name, []).append(origin)
    return Origins(found)


def stamp(path: str, tree: ast.Module) -> None:
    """Notes at each function what it is, before its names are changed."""
    for name, node in _functions(tree, ""):
        said = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        said |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
        setattr(node, _STAMP, Origin(path, name, frozenset(said)))


def take_in(caller: ast.AST, callee: ast.AST) -> None:
    """Notes that a function has become part of another one: who says what it says."""
    mine, other = (getattr(node, _STAMP, None) for node in (caller, callee))
    if isinstance(mine, Origin) and isinstance(other, Origin):
        setattr(caller, _STAMP, replace(mine, says=mine.says | other.says))


def stamped(tree: ast.AST) -> Iterator[tuple[str, Origin]]:
    """(name, origin) of all functions in a program that have one."""
    for node in ast.walk(tree):
        origin = getattr(node, _STAMP, None)
        if isinstance(origin, Origin):
            yield getattr(node, "name", ""), origin


def _functions(tree: ast.AST, within: str) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + node.name, node
            yield from _functions(node, f"{within}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{within}{node.name}.")
        else:
            yield from _functions(node, within)

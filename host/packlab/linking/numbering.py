"""The names a file uses most come first in it.

In an .mpy a name is a number, counted on with each name that is met for the first time; those
below 128 take one byte in the bytecode that stays in the heap, all others two. So a file with
more names begins with a statement that is never run and names the most used, as attributes, which
the compiler numbers before all others; the bytecode of a file's top level is let go of once it
was imported."""

import ast
import keyword
from collections import Counter
from collections.abc import Iterator

from packlab.linking.modules import bound

_IN_ONE_BYTE = 128
_FIRST = 2  # taken already: the file's own name and <module>
_A_LINE = 16  # names in one expression: what takes ours apart goes as deep as it is long
_SHORT = 10  # letters up to which a text is a name to MicroPython
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def most_used_first(tree: ast.Module) -> str:
    """Text to begin the file with; "" where all its names have small numbers anyway."""
    used = Counter(_in_functions(tree))
    if len(set(used).union(_names(tree, set()))) < _IN_ONE_BYTE - _FIRST:
        return ""
    said = [name for name, _ in used.most_common() if name.isidentifier()]
    said = [name for name in said if not keyword.iskeyword(name)][: _IN_ONE_BYTE - _FIRST]
    lines = [said[start : start + _A_LINE] for start in range(0, len(said), _A_LINE)]
    return "if not __name__:\n" + "".join(f" {'.'.join(['__name__', *line])}\n" for line in lines)


def _in_functions(tree: ast.AST) -> Iterator[str]:
    """Names the bytecode of functions says, each as often as it does."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _Function):
            yield from _of(node, set())
        else:
            yield from _in_functions(node)


def _of(node: _Function, outer: "set[str]") -> Iterator[str]:
    """Of one function and those within it."""
    body = node.body if isinstance(node.body, list) else [node.body]
    arguments = [arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)]
    yield getattr(node, "name", "<lambda>")
    yield from arguments
    local = outer | {*arguments, *bound(body)}
    for statement in body:
        yield from _names(statement, local)


def _names(node: ast.AST, local: "set[str]") -> Iterator[str]:
    if isinstance(node, _Function):
        yield from _of(node, local)
        return
    if isinstance(node, ast.Name) and node.id not in local:
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.For) and _counts(node):
        assert isinstance(node.iter, ast.Call)
        for inner in (node.target, *node.iter.args, *node.body, *node.orelse):
            yield from _names(inner, local)
        return
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if len(node.value) <= _SHORT:
            yield node.value
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        local = local | {n for inner in node.generators for n in bound([inner.target])}
    for inner in ast.iter_child_nodes(node):
        yield from _names(inner, local)


def _counts(node: ast.For) -> bool:
    """`for i in range(…)` is compiled without the name."""
    function = node.iter.func if isinstance(node.iter, ast.Call) else None
    return isinstance(function, ast.Name) and function.id == "range"

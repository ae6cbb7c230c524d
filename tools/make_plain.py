"""Writes firmware/deckwatch/X_plain.py from X_viper.py: the same loops without machine code.

    python3 tools/make_plain.py [--check]

A chip runs the hot loops as machine code (micropython.viper). CPython and a MicroPython that makes
none take the plain file, so it must do the same, and is never written by hand: the decorator, the
machine's types and the casts to them fall away. What is written in X_viper.py must therefore mean
the same in Python: no number beyond 30 bits, no negative number read through a ptr32, none from a
ptr8 or ptr16 that has a sign. --check only compares (exit 1: run me).
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
TYPES = {"ptr8", "ptr16", "ptr32", "uint", "object"}
_CASTS = {*TYPES, "int"}
_ATOMS = (ast.Name, ast.Call, ast.Subscript, ast.Attribute, ast.Constant)


def sources(firmware: Path = FIRMWARE) -> list[Path]:
    """The files with machine code, sorted."""
    return sorted(firmware.rglob("*_viper.py"))


def target_of(source: Path) -> Path:
    """Where the plain form of X_viper.py lies."""
    return source.with_name(source.name.replace("_viper", "_plain"))


def render(name: str, text: str) -> str:
    """The text of X_plain.py. name: X_viper.py."""
    data = text.encode()  # a syntax tree counts columns in bytes
    parts = []
    at = 0
    for start, end, instead in sorted(_cuts(ast.parse(text), _Spots(data), name)):
        parts += [data[at:start], instead.encode()]
        at = end
    return b"".join([*parts, data[at:]]).decode()


class _Spots:
    """Places in a text from the lines and columns of its syntax tree."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lines = [0]
        for line in data.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def is_empty(self, at: int) -> bool:
        """Does an empty line begin there?"""
        return self._data[at : at + 1] == b"\n"

    def line(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """All of a node's lines."""
        assert node.end_lineno is not None
        return self._lines[node.lineno - 1], self._lines[node.end_lineno]


def _cuts(tree: ast.Module, spots: _Spots, name: str) -> Iterator[tuple[int, int, str]]:
    """(from, to, what stands there instead) for all that falls away."""
    first = tree.body[0]
    yield (
        0,
        spots.end(first),
        f'"""{name} in plain Python; written by tools/make_plain.py, never by hand."""',
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and node.names[0].name == "micropython":
            start, end = spots.line(node)
            yield start, end + spots.is_empty(end), ""
        elif isinstance(node, ast.ImportFrom) and (node.module or "").endswith("_viper"):
            end = spots.start(node) + len(f"from {node.module}")
            yield end - len("_viper"), end, "_plain"
        elif isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                yield *spots.line(decorator), ""
            if _is_type(node.returns):
                assert node.returns is not None
                yield spots.end(node.args.args[-1]) + 1, spots.end(node.returns), ""
        elif isinstance(node, ast.arg) and _is_type(node.annotation):
            yield spots.start(node) + len(node.arg), spots.end(node), ""
        elif isinstance(node, ast.Call) and _is_type(node.func, _CASTS):
            (inner,) = node.args
            around = ("", "") if isinstance(inner, _ATOMS) else ("(", ")")
            yield spots.start(node), spots.start(inner), around[0]
            yield spots.end(inner), spots.end(node), around[1]


def _is_type(node: ast.expr | None, types: set[str] = TYPES) -> bool:
    return isinstance(node, ast.Name) and node.id in types


def main() -> int:
    """Write, or compare with --check."""
    stale = []
    for source in sources():
        target = target_of(source)
        text = render(source.name, source.read_text())
        if not target.exists() or target.read_text() != text:
            stale.append(target.name)
            if "--check" not in sys.argv[1:]:
                target.write_text(text)
    if stale and "--check" in sys.argv[1:]:
        print(f"out of date, run python3 tools/make_plain.py: {', '.join(stale)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

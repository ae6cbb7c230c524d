"""Shortens the private names of a firmware file, so that it takes less of the chip's heap.

MicroPython keeps every name of a loaded .mpy in RAM, once. Names with one leading underscore
belong to their file alone (the house's rule, and a test's), so each file can call them _a, _b,
...: the same few for all files. Bundles for a board and the heap tests are made so; a frozen image
has its names in flash and does not need it.
"""

import io
import re
import string
import tokenize

_PRIVATE = re.compile(r"_[A-Za-z][A-Za-z0-9_]*")


def shorten(source: str) -> tuple[str, dict[str, str]]:
    """The same program with short private names, and the list of them: short -> real.

    Line numbers stay.
    """
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    found = [t for t in tokens if t.type == tokenize.NAME and _PRIVATE.fullmatch(t.string)]
    names: dict[str, str] = {}
    for token in found:
        names.setdefault(token.string, _short(len(names)))
    lines = source.splitlines(keepends=True)
    for token in reversed(found):
        row, column = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:column] + names[token.string] + line[token.end[1] :]
    return "".join(lines), {short: real for real, short in names.items()}


def _short(number: int) -> str:
    """_a ... _z, _aa ... _zz"""
    letters = string.ascii_lowercase
    if number < len(letters):
        return "_" + letters[number]
    high, low = divmod(number - len(letters), len(letters))
    return "_" + letters[high] + letters[low]

"""Short names for what the firmware calls its own.

MicroPython keeps every name of a module once, in the heap: a dozen bytes and its letters. What its
own modules call something is in flash already: those names are taken first, here as everywhere
without any meaning. Global names and attributes never meet, so both take the same ones; an
attribute that begins with an underscore is known in one module alone, and the next module's take
the same again.

Not renamed is what Python and MicroPython call something, what a string says (`getattr`, the
owner's options), what is passed by its name, and what programs beside the firmware use (SPOKEN).
"""

import ast
import builtins
import keyword
from array import array
from collections.abc import Iterable, Iterator
from itertools import count, islice, product

from packlab.linking.modules import Module, bound, strings

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# In every MicroPython from 1.24 on, whatever the port: names of py/ and extmod/
ROM = """
acos acosh asin asinh atan atan2 atanh ceil cos cosh erf erfc expm1 fabs floor fmod frexp gamma
isfinite isnan ldexp lgamma log10 log2 modf sin sinh sqrt tan tanh trunc radians copysign isalpha
islower isspace isupper center rindex getter setter deleter fromkeys popitem discard
difference_update intersection intersection_update isdisjoint issubset issuperset
symmetric_difference symmetric_difference_update closure iterable iterator bytecode bound_method
dict_view NoneType heapify heappop heappush deque popleft appendleft StringIO BytesIO getvalue
opt_level qstr_info mem_info mem_total mem_current mem_peak stack_use kbd_intr schedule pend_throw
throw randint randrange uniform getrandbits FrameBuffer blit hline vline fill_rect rect poly
ellipse scroll RGB565 GS8 MONO_HLSB MONO_HMSB MONO_VLSB MVLSB uctypes addressof sizeof bytes_at
bytearray_at UINT8 INT8 UINT16 INT16 UINT32 INT32 UINT64 INT64 FLOAT32 FLOAT64 ARRAY PTR VOID
BFUINT8 BFINT8 BFUINT16 BFINT16 BFUINT32 BFINT32 BF_POS BF_LEN NATIVE LITTLE_ENDIAN BIG_ENDIAN
USHORT ULONG LONGLONG ULONGLONG UINT INT Signal PinBase mem8 mem16 mem32 a2b_base64 b2a_base64 ps1
ps2 calcsize separators rmdir
"""
ARGUMENTS = (
    "nan",
    "tau",
    "imag",
    "doc",
    "sub",
    "match",
    "abs_tol",
    "rel_tol",
    "keepends",
    "indices",
)

# Names of objects MicroPython made, where the firmware has an attribute of that name, too; and
# of the firmware's objects in main.py and in programs packlab runs on a dongle
FIXED = frozenset(["close", "encrypt", "feed", "on_read", "run", "read", "look", "port", "buf"])
_KINDS: tuple[object, ...] = (
    builtins, str, bytes, bytearray, int, list, tuple, dict, set, memoryview, array("i"), OSError,
    StopIteration,
)  # fmt: skip
_BUILT_IN = frozenset(name for kind in _KINDS for name in dir(kind))


class Names:
    """`attribute` and `fresh_global` give the short ones."""

    def __init__(self, modules: Iterable[Module]) -> None:
        modules = list(modules)
        self._used = set(_BUILT_IN)
        said: set[str] = set()
        self.keywords = {"ports", "strict"}  # as the bench passes them
        owned: dict[str, None] = {}
        for module in modules:
            said.update(strings(module.tree))
            owned.update(dict.fromkeys(_attributes(module.tree)))
            for node in ast.walk(module.tree):
                self._used.update(_said_by(node))
                if isinstance(node, ast.keyword) and node.arg:
                    self.keywords.add(node.arg)
        taken = FIXED | _BUILT_IN | said
        renamed = [n for n in owned if n not in taken and not _is_magic(n)]
        public = [n for n in renamed if n[0] != "_"]
        order = self._order()
        self._attributes = dict(zip(public, order, strict=False))
        rest = list(islice(order, 400))
        self._private: dict[str, dict[str, str]] = {}
        for module in modules:
            own = [n for n in _attributes(module.tree) if n in renamed and n[0] == "_"]
            self._private[module.name] = dict(zip(dict.fromkeys(own), rest, strict=False))
        self._globals = self._order()
        self.real: dict[str, str] = {}

    def attribute(self, module: str, name: str) -> str:
        """The short name of an attribute, or itself."""
        return self._private.get(module, {}).get(name) or self._attributes.get(name, name)

    def fresh_global(self) -> str:
        """A name for a global that no other file has."""
        return next(self._globals)

    def _order(self) -> Iterator[str]:
        yield from (name for name in ROM.split() if name not in self._used)
        for size in count(1):
            for letters in product(_LETTERS, repeat=size):
                name = "".join(letters)
                if name not in self._used and not keyword.iskeyword(name):
                    yield name


def _is_magic(name: str) -> bool:
    return name.startswith("__") or name == "_"


def _said_by(node: ast.AST) -> Iterator[str]:
    """Identifiers a node holds, whatever for."""
    for attribute in ("id", "attr", "arg", "name", "asname"):
        value = getattr(node, attribute, None)
        if isinstance(value, str):
            yield from value.split(".")


def _attributes(tree: ast.Module) -> Iterator[str]:
    """Names of attributes and methods a program makes, in its order."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from bound(node.body)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr

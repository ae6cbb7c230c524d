"""Short names for what the firmware calls its own.

MicroPython keeps every name of a module once, in the heap: a dozen bytes and its letters. What its
own modules call something is in flash already: those names are taken first, here as everywhere
without any meaning. Global names and attributes never meet, so both take the same ones; an
attribute that begins with an underscore is known in one module alone, and the next module's take
the same again, as do globals that are known in one file alone. Which those are, and which are
needed at all, is known once all files are written: until then a mark stands for each.

Not renamed is what Python and MicroPython call something, what is asked for by a string
(`getattr`), what is passed by its name, and what programs beside the firmware use (SPOKEN).
"""

import ast
import builtins
import keyword
import re
from array import array
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import count, islice, product

from packlab.linking.modules import Module, bound, strings

_MARK = re.compile(r"\b_g\d+_\b")
_ATTRIBUTE = re.compile(r"\b_a\d+_\b")
_IMPORT = re.compile(r"^\s*from .*", re.MULTILINE)
_OF_A_FILE = re.compile(rf"(?<=\.){_MARK.pattern}")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# In every MicroPython an ESP32 or a PC runs: names of py/, extmod/, asyncio. One that is missing
# costs a dozen bytes, no more.
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
ps2 calcsize separators rmdir AF_INET AF_INET6 AUTO CancelledError DeflateIO EINPROGRESS Event
FileIO FrameBuffer1 GS2_HMSB GS4_HMSB GZIP IOBase IOQueue LONG Lock Loop OrderedDict POLLIN
POLLOUT PROTOCOL_TLS_CLIENT RAW RingIO SHORT SOCK_DGRAM SOCK_RAW SOCK_STREAM SOL_SOCKET
SO_BROADCAST SO_REUSEADDR SSLContext Server SingletonGenerator Stream StreamReader StreamWriter
Task TaskQueue TextIOWrapper ThreadSafeFlag VfsRom ViperTypeError ZLIB abs_tol accept aclose
acquire argv array asyncio attr aw awrite awritestr backlog binascii bind buf buffering builtins
byteorder call_exception_handler cancel cb chdir choice cmath code collect collections connect
const context core coro crc32 create_task cur_task current_task data default
default_exception_handler deflate degrees digest disable do_handshake_on_connect doc done drain dt
dump dumps e enable encoding end er errorcode event exc exc_type exception execfile exp factorial
file fill flags framebuf funcs function future gather gc generator get_event_loop
get_exception_handler get_extra_info getaddrinfo getcwd group handler hashlib heap_lock
heap_unlock heapq hexlify host idle idx ilistdir implementation indices inf invert io ipoll is_set
isclose isenabled isinf json keepends key libc_ver line listdir listen little load loads lock
locked log loop machine main_task makefile match math maxsize mem mem_alloc mem_free message
micropython mkdir mkfs mode modify module modules mount n name namedtuple nan native
new_event_loop newline off on open_connection os out_buf pack pack_into path peek peername ph_key
phase pi pixel platform polar poller port print_exception ptr ptr16 ptr32 ptr8 push
python_compiler queue_read queue_write r random rb re readexactly recv recvfrom register rel_tol
rename req return_exceptions run run_forever run_until_complete runq_len s search seed select self
sendto sep server_hostname server_side set_exception_handler setblocking setsockopt settimeout
sgen sha256 single sleep sleep_ms socket soft_reset ssl start start_server state statvfs stderr
stdin stdout step stop stream stream_awrite struct sub sync sys sz t task tau tb text threshold
ticks ticks_add ticks_diff ticks_ms time timeout uint umount unhexlify unlink unpack unpack_from
unregister usys v version version_info vfs viper wait wait_closed wait_for wait_for_ms
wait_io_event waiter waiting waitq_len wrap_socket
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
FIXED = frozenset(
    ["close", "encrypt", "feed", "on_read", "run", "read", "write", "look", "port", "buf"]
)
_KINDS: tuple[object, ...] = (
    builtins, str, bytes, bytearray, int, list, tuple, dict, set, memoryview, array("i"), OSError,
    StopIteration,
)  # fmt: skip
_BY_NAME = ("getattr", "setattr", "hasattr", "delattr")
_BUILT_IN = frozenset(name for kind in _KINDS for name in dir(kind))


class Names:
    """`attribute` and `mark` give what stands for an attribute and for a global until `named` puts
    the short ones in its place."""

    def __init__(self, modules: Iterable[Module]) -> None:
        modules = list(modules)
        self._used = set(_BUILT_IN)
        said: set[str] = set()
        self.keywords = {"ports", "strict"}  # as the bench passes them
        for module in modules:
            said.update(_asked_for(module.tree))
            for node in ast.walk(module.tree):
                self._used.update(_said_by(node))
                if isinstance(node, ast.keyword) and node.arg:
                    self.keywords.add(node.arg)
        taken = FIXED | _BUILT_IN | said
        renamed = {
            _known_as(module.name, name): None
            for module in modules
            for name in _attributes(module.tree)
            if name not in taken and not _is_magic(name)
        }
        self._attributes = {key: f"_a{number}_" for number, key in enumerate(renamed)}
        self._marks = count()
        self.called: dict[str, str] = {}  # by mark

    def attribute(self, module: str, name: str) -> str:
        """What stands for an attribute; its name, if it keeps it."""
        return self._attributes.get(_known_as(module, name), name)

    def mark(self) -> str:
        """What stands for one more global."""
        return f"_g{next(self._marks)}_"

    def named(self, texts: Mapping[str, str], beside: Container[str]) -> dict[str, str]:
        """The texts by path, with a name for each mark: for a global that stands in several of
        them one of its own, for the rest what is left, in each text anew. Programs beside the
        firmware have no say in it: they call globals what they like."""
        own = {path: text for path, text in texts.items() if path not in beside}
        marks = {path: dict.fromkeys(_MARK.findall(text)) for path, text in own.items()}
        texts_with = Counter(mark for found in marks.values() for mark in found)
        order = self._order(ARGUMENTS)
        called = {mark: next(order) for mark in texts_with if texts_with[mark] > 1}
        rest = list(islice(order, len(texts_with)))
        for found in marks.values():
            called.update(zip([mark for mark in found if mark not in called], rest, strict=False))
        said = {mark for text in own.values() for mark in _said_by_classes(ast.parse(text))}
        called.update(self._attributes_called(own.values(), {called.get(m, m) for m in said}))
        self.called = called

        def name(found: re.Match[str]) -> str:
            return called.get(found[0], found[0])

        def imported(line: re.Match[str]) -> str:
            return _MARK.sub(lambda found: f"{name(found)} as {found[0]}", line[0])

        made = {path: _MARK.sub(name, text) for path, text in own.items()}
        for path in texts.keys() - own.keys():
            made[path] = _OF_A_FILE.sub(name, _IMPORT.sub(imported, texts[path]))
        return {path: _ATTRIBUTE.sub(name, text) for path, text in made.items()}

    def _attributes_called(self, texts: Iterable[str], without: Iterable[str]) -> dict[str, str]:
        """By mark: short names for those in the texts; the others keep theirs. `without`: names
        that mean something else where attributes are made."""
        needed = {mark for text in texts for mark in _ATTRIBUTE.findall(text)}
        called = {mark: name for (_, name), mark in self._attributes.items()}
        by_module: dict[str, list[str]] = {"": []}
        for (module, _), mark in self._attributes.items():
            if mark in needed:
                by_module.setdefault(module, []).append(mark)
        order = self._order(without)
        called.update(zip(by_module.pop(""), order, strict=False))
        rest = list(islice(order, len(needed)))
        for marks in by_module.values():
            called.update(zip(marks, rest, strict=False))
        return called

    def _order(self, without: Iterable[str] = ()) -> Iterator[str]:
        taken = self._used.union(without)
        yield from (name for name in ROM.split() if name not in taken)
        for size in count(1):
            for letters in product(_LETTERS, repeat=size):
                name = "".join(letters)
                if name not in taken and not keyword.iskeyword(name):
                    yield name


def _known_as(module: str, name: str) -> tuple[str, str]:
    """(the only module that knows an attribute, "" = any may; its name)"""
    return module if name[0] == "_" else "", name


def _is_magic(name: str) -> bool:
    return name.startswith("__") or name == "_"


def _said_by(node: ast.AST) -> Iterator[str]:
    """Identifiers a node holds, whatever for."""
    for attribute in ("id", "attr", "arg", "name", "asname"):
        value = getattr(node, attribute, None)
        if isinstance(value, str):
            yield from value.split(".")


def _said_by_classes(tree: ast.Module) -> Iterator[str]:
    """Names that are looked up while a class is made, among those it already has."""
    for node in ast.walk(tree):
        for statement in node.body if isinstance(node, ast.ClassDef) else ():
            parts: list[ast.AST] = [statement]
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                defaults = [*statement.args.defaults, *statement.args.kw_defaults]
                parts = [part for part in (*statement.decorator_list, *defaults) if part]
            for part in parts:
                yield from (name.id for name in ast.walk(part) if isinstance(name, ast.Name))


def _asked_for(tree: ast.Module) -> Iterator[str]:
    """Attributes a program knows by strings: those it says at once, and where it may say one it
    has put together or chosen, all its strings."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=called), args=[_, name, *_]) if called in _BY_NAME:
                yield from strings(name if isinstance(name, ast.Constant) else tree)


def _attributes(tree: ast.Module) -> Iterator[str]:
    """Names of attributes and methods a program makes, in its order."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from bound(node.body)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr

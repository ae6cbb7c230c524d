"""What a format is: how its files end, what they keep, and how to read and write them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn, TypeVar

from packlab.capture import PORTS, Event, Header, LineSetting
from packlab.errors import PacklabError
from packlab.files import PACKED, opened

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_Opened = TypeVar("_Opened")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says about a file that does not say so itself.

    ports: port by the file's own name for a wire. lines: speed and character format by port.
    origin, source: for the header. lenient: skip damaged lines instead of refusing the file.
    baud: speed of the wires of a file that names none; None = what it looks like.
    """

    ports: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, LineSetting] = field(default_factory=dict)
    origin: str | None = None
    source: str | None = None
    lenient: bool = False
    baud: int | None = None

    def applied(self, header: Header) -> Header:
        """The header with what the user says on top."""
        named = header.lines or (dict.fromkeys(PORTS, self.setting()) if self.baud else {})
        return replace(
            header,
            origin=self.origin or header.origin,
            source=self.source or header.source,
            lines={**named, **self.lines},
        )

    def setting(self, looks_like: int = LineSetting().baud) -> LineSetting:
        """Of a wire whose speed the file does not name."""
        return LineSetting(self.baud or looks_like)


class Source:
    """A file being read, and what the user says about it. Its streams are closed together.

    skipped: damaged lines passed over so far.
    """

    def __init__(self, path: Path, options: Options) -> None:
        self.path = path
        self.options = options
        self.skipped = 0
        self._streams = ExitStack()

    @property
    def name(self) -> str:
        """The file's name as its format ends it, without .gz."""
        return self.path.name.removesuffix(PACKED)

    def open(self) -> BufferedReader:
        """The file from its beginning, unpacked; may be opened several times."""
        return self.enter(opened(self.path, lenient=self.options.lenient))

    def enter(self, one: "AbstractContextManager[_Opened]") -> _Opened:
        """Begin something that ends when the file is closed."""
        return self._streams.enter_context(one)

    def close(self) -> None:
        """Close all that was opened."""
        self._streams.close()

    def fail(self, what: str) -> NoReturn:
        """Refuse the file; `what` names the place in it and the remedy."""
        raise PacklabError(f"{self.path}{what}")


@dataclass(frozen=True, slots=True)
class Recording:
    """A file's content: the header, and the events to be taken once, in order of time."""

    header: Header
    events: Iterator[Event]


@dataclass(frozen=True, slots=True)
class Format:
    """suffix: what the names of its files end with; others: further endings that are read.

    meaning: one line for people. keeps_chunks: whether bytes stay together as they were received;
    otherwise those without a pause of a byte's length become one chunk. step_us: how exactly times
    are kept. late: whether bytes that would overlap on a wire are told later than they were
    stamped. knows: is this beginning of a file (at most 4 KB) in this format? It decides where the
    name does not: several formats share its ending, or other files have it, too.
    """

    suffix: str
    meaning: str
    read: Callable[[Source], Recording]
    write: Callable[[BinaryIO, Header, Iterable[Event]], None]
    others: tuple[str, ...] = ()
    keeps_chunks: bool = True
    step_us: int = 0
    late: bool = False
    knows: Callable[[bytes], bool] | None = None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """All endings, the one that is written first."""
        return (self.suffix, *self.others)

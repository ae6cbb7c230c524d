"""The capture format: the traffic of a battery line as text, one chunk or wire level a line.

    # deckwatch capture 1
    # origin: real
    # source: M365 on the bench, logic analyser
    # line: bms_tx 115200 8N1
    0.000000 bms_tx !idle
    1.898308 bms_tx 55aa0e2501300100710e2f0003000a0e2b2b7bfe

The first line is fixed. `origin` says whether the bytes passed over a wire (real), were changed
afterwards (derived) or never were on one (made). A port without a `line` header runs at
115200 8N1. After the header come the events: seconds with six decimals, never falling; the port;
then the bytes in hexadecimal, or a level behind a `!`. A chunk's time is the moment its last byte
was in. Blank lines and comments may stand anywhere, so a file can be appended to. Whatever reads
or writes captures does it through here.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import NoReturn, Self, TextIO

from packlab.errors import PacklabError
from packlab.files import MAX_LINE_BYTES, new_binary, opened

PORTS = ("bms_tx", "host_tx", "dash")
LEVELS = ("low", "idle", "break", "overrun")
ORIGINS = ("real", "derived", "made")

# More bytes than any driver hands over at once, and yet a line of their digits is not too long.
MAX_CHUNK_BYTES = MAX_LINE_BYTES // 2 - 64

FIRST_LINE = "deckwatch capture 1"
_EVENT = re.compile(r"(\d{1,9})\.(\d{6})[ \t]+(\S+)[ \t]+(\S+)", re.ASCII)
_SETTING = re.compile(r"(\S+)[ \t]+(\d{3,7})[ \t]+(\S+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes received on a port; t_us, in microseconds, is when the last of them was in."""

    t_us: int
    port: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Level:
    """What a wire did apart from bytes: one of LEVELS, from t_us on."""

    t_us: int
    port: str
    level: str


Event = Chunk | Level


@dataclass(frozen=True, slots=True)
class LineSetting:
    """Speed and character format of one port."""

    baud: int = 115200
    mode: str = "8N1"


@dataclass(frozen=True, slots=True)
class Header:
    """The top of a capture: origin (one of ORIGINS), source, settings by port, other notes."""

    origin: str
    source: str
    lines: Mapping[str, LineSetting] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()

    def line(self, port: str) -> LineSetting:
        """Return the port's setting, 115200 8N1 where the file does not say."""
        return self.lines.get(port, LineSetting())


class DamagedLineError(Exception):
    """Why one line cannot be used, and the remedy."""


class HeaderText:
    """The lines of a header, taken one by one; whoever reads them knows their places.

    DamagedLineError where one is unclear, or where in the end something is missing.
    """

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._lines: dict[str, LineSetting] = {}
        self._notes: list[tuple[str, str]] = []

    def take(self, text: str) -> None:
        """One line below the first, without its `#`; what has no colon is a remark."""
        key, colon, value = text.partition(":")
        key, value = key.strip(), value.strip()
        if key == "line":
            port, setting = parse_setting(value)
            self._lines[port] = setting
        elif key in ("origin", "source"):
            self._values[key] = value
        elif colon:
            self._notes.append((key, value))

    def header(self) -> Header:
        """What the lines say."""
        origin = self._values.get("origin", "")
        if origin not in ORIGINS:
            raise DamagedLineError(
                f"the header lacks '# origin: ' with {', '.join(ORIGINS)}; add it"
            )
        source = self._values.get("source", "not stated")
        return Header(origin, source, self._lines, tuple(self._notes))


def header_lines(header: Header) -> Iterator[str]:
    """A header as text, the first line included, each without its `#`."""
    yield FIRST_LINE
    yield f"origin: {header.origin}"
    yield f"source: {header.source}"
    for port, setting in header.lines.items():
        yield f"line: {port} {setting.baud} {setting.mode}"
    for key, value in header.notes:
        yield f"{key}: {value}"


def parse_setting(text: str) -> tuple[str, LineSetting]:
    """`bms_tx 115200 8N1` as port and setting."""
    match = _SETTING.fullmatch(text)
    if match is None or match[1] not in PORTS:
        raise DamagedLineError(
            f"'line: {text:.40}' is unclear; write it like 'line: bms_tx 115200 8N1'"
        )
    return match[1], LineSetting(int(match[2]), match[3])


class CaptureReader:
    """Read a capture's header on entering, then its events one by one; iterate once.

    A damaged, overlong or unsorted line raises PacklabError naming file, line and remedy; with
    `lenient` it is skipped and counted in `skipped`. A bad header raises in both cases.
    """

    def __init__(self, path: Path, *, lenient: bool = False) -> None:
        self.path = path
        self.lenient = lenient
        self.skipped = 0
        self._number = 0

    def __enter__(self) -> Self:
        self._file: BufferedReader = opened(self.path, lenient=self.lenient)
        try:
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Event]:
        last_us = 0
        while line := self._read_line():
            try:
                event = parse_event(line.decode("utf-8", "replace"), last_us)
            except DamagedLineError as damage:
                self._skip(damage)
                continue
            if event is not None:
                last_us = event.t_us
                yield event

    def _read_header(self) -> Header:
        if _comment(self._read_line()) != FIRST_LINE:
            self._fail(f"no capture begins like this; put '# {FIRST_LINE}' first")
        text = HeaderText()
        try:
            while self._file.peek(1)[:1] in (b"#", b"\n", b"\r"):
                text.take(_comment(self._read_line()))
            return text.header()
        except DamagedLineError as damage:
            self._fail(str(damage))

    def _read_line(self) -> bytes:
        """Return the next line, b'' at the end of the file; none is ever held beyond the limit."""
        while True:
            line = self._file.readline(MAX_LINE_BYTES)
            self._number += 1
            if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
                return line
            self._skip(f"the line is longer than {MAX_LINE_BYTES} bytes; split it")
            while line and not line.endswith(b"\n"):
                line = self._file.readline(MAX_LINE_BYTES)

    def _skip(self, why: object) -> None:
        if not self.lenient:
            self._fail(f"{why}, or skip it with --lenient")
        self.skipped += 1

    def _fail(self, what: str) -> NoReturn:
        raise PacklabError(f"{self.path}, line {self._number}: {what}")


def _comment(line: bytes) -> str:
    """Return the text behind a comment's `#`, '' for any other line."""
    text = line.decode("utf-8", "replace").strip()
    return text[1:].strip() if text.startswith("#") else ""


def parse_event(line: str, last_us: int = 0) -> Event | None:
    """The event a line tells, None for a comment or a blank line; DamagedLineError says why it
    cannot be used. last_us: time of the event before."""
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    match = _EVENT.fullmatch(text)
    if match is None:
        raise DamagedLineError("this is not 'seconds.micros port hexbytes'; mend the line")
    t_us, port, what = int(match[1]) * 1_000_000 + int(match[2]), match[3], match[4]
    if t_us < last_us:
        raise DamagedLineError("its time lies before that of an earlier line; sort the lines")
    if port not in PORTS:
        raise DamagedLineError(f"'{port:.20}' is no port; use one of {', '.join(PORTS)}")
    if what.startswith("!"):
        if what[1:] not in LEVELS:
            raise DamagedLineError(f"'{what:.20}' is no level; use one of !{', !'.join(LEVELS)}")
        return Level(t_us, port, what[1:])
    try:
        return Chunk(t_us, port, bytes.fromhex(what))
    except ValueError:
        raise DamagedLineError("the bytes are not pairs of hex digits; mend the line") from None


def event_line(event: Event) -> str:
    """The line that tells an event, without its end."""
    what = event.data.hex() if isinstance(event, Chunk) else "!" + event.level
    seconds, micros = divmod(event.t_us, 1_000_000)
    return f"{seconds}.{micros:06} {event.port} {what}"


class CaptureWriter:
    """Write a header, then events in rising time, to a text stream that the caller closes."""

    def __init__(self, stream: TextIO, header: Header) -> None:
        self._stream = stream
        self._last_us = 0
        for text in header_lines(header):
            self.comment(text)

    def comment(self, text: str) -> None:
        """Write one comment line; line ends inside the text become spaces."""
        self._stream.write(f"# {' '.join(text.split())}\n")

    def write(self, event: Event) -> None:
        """Write one event; ValueError if it is earlier than the one before."""
        if event.t_us < self._last_us:
            raise ValueError(f"event at {event.t_us} us after one at {self._last_us} us")
        self._last_us = event.t_us
        self._stream.write(event_line(event) + "\n")


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """Open a text stream that becomes `path` only when all went well: nobody reads half of it."""
    with new_binary(path) as stream:
        text = TextIOWrapper(stream, encoding="utf-8", newline="\n")
        try:
            yield text
        finally:
            text.detach()

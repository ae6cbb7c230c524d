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

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import NoReturn, Self, TextIO

from packlab.errors import PacklabError

PORTS = ("bms_tx", "host_tx", "dash")
LEVELS = ("low", "idle", "break", "overrun")
ORIGINS = ("real", "derived", "made")

# Room for a chunk of 32 KB, more than any driver hands over at once, and yet bounded memory.
MAX_LINE_BYTES = 64 * 1024

_FIRST_LINE = "deckwatch capture 1"
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


class _DamagedLineError(Exception):
    """Why one line cannot be used, and the remedy."""


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
        try:
            self._file: BufferedReader = self.path.open("rb")
        except OSError as error:
            why = error.strerror
            raise PacklabError(f"{self.path} cannot be read: {why}; check the path") from error
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
                event = _parse_event(line, last_us)
            except _DamagedLineError as damage:
                self._skip(damage)
                continue
            if event is not None:
                last_us = event.t_us
                yield event

    def _read_header(self) -> Header:
        if _comment(self._read_line()) != _FIRST_LINE:
            self._fail(f"no capture begins like this; put '# {_FIRST_LINE}' first")
        values: dict[str, str] = {}
        lines: dict[str, LineSetting] = {}
        notes: list[tuple[str, str]] = []
        while self._file.peek(1)[:1] in (b"#", b"\n", b"\r"):
            key, colon, value = _comment(self._read_line()).partition(":")
            key, value = key.strip(), value.strip()
            if key == "line":
                port, lines[port] = self._parse_setting(value)
            elif key in ("origin", "source"):
                values[key] = value
            elif colon:
                notes.append((key, value))
        if values.get("origin") not in ORIGINS:
            self._fail(f"the header lacks '# origin: ' with {', '.join(ORIGINS)}; add it")
        return Header(values["origin"], values.get("source", "not stated"), lines, tuple(notes))

    def _parse_setting(self, value: str) -> tuple[str, LineSetting]:
        match = _SETTING.fullmatch(value)
        if match is None or match[1] not in PORTS:
            self._fail(f"'line: {value:.40}' is unclear; write it like 'line: bms_tx 115200 8N1'")
        return match[1], LineSetting(int(match[2]), match[3])

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


def _parse_event(line: bytes, last_us: int) -> Event | None:
    """Return the line's event, None for a comment or a blank line."""
    text = line.decode("utf-8", "replace").strip()
    if not text or text.startswith("#"):
        return None
    match = _EVENT.fullmatch(text)
    if match is None:
        raise _DamagedLineError("this is not 'seconds.micros port hexbytes'; mend the line")
    t_us, port, what = int(match[1]) * 1_000_000 + int(match[2]), match[3], match[4]
    if t_us < last_us:
        raise _DamagedLineError("its time lies before that of an earlier line; sort the lines")
    if port not in PORTS:
        raise _DamagedLineError(f"'{port:.20}' is no port; use one of {', '.join(PORTS)}")
    if what.startswith("!"):
        if what[1:] not in LEVELS:
            raise _DamagedLineError(f"'{what:.20}' is no level; use one of !{', !'.join(LEVELS)}")
        return Level(t_us, port, what[1:])
    try:
        return Chunk(t_us, port, bytes.fromhex(what))
    except ValueError:
        raise _DamagedLineError("the bytes are not pairs of hex digits; mend the line") from None


class CaptureWriter:
    """Write a header, then events in rising time, to a text stream that the caller closes."""

    def __init__(self, stream: TextIO, header: Header) -> None:
        self._stream = stream
        self._last_us = 0
        self.comment(_FIRST_LINE)
        self.comment(f"origin: {header.origin}")
        self.comment(f"source: {header.source}")
        for port, setting in header.lines.items():
            self.comment(f"line: {port} {setting.baud} {setting.mode}")
        for key, value in header.notes:
            self.comment(f"{key}: {value}")

    def comment(self, text: str) -> None:
        """Write one comment line; line ends inside the text become spaces."""
        self._stream.write(f"# {' '.join(text.split())}\n")

    def write(self, event: Event) -> None:
        """Write one event; ValueError if it is earlier than the one before."""
        if event.t_us < self._last_us:
            raise ValueError(f"event at {event.t_us} us after one at {self._last_us} us")
        self._last_us = event.t_us
        what = event.data.hex() if isinstance(event, Chunk) else "!" + event.level
        seconds, micros = divmod(event.t_us, 1_000_000)
        self._stream.write(f"{seconds}.{micros:06} {event.port} {what}\n")


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """Open a text stream that becomes `path` only when all went well: nobody reads half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        part.replace(path)
    except OSError as error:
        why = error.strerror
        raise PacklabError(f"{path} cannot be written: {why}; check the path") from error
    finally:
        with suppress(OSError):
            part.unlink()

"""`.sr`: a sigrok session of PulseView or sigrok-cli, raw levels sampled at a fixed rate.

A zip file with `version`, `metadata` and the samples in `logic-1-1`, `logic-1-2`, ... Ours have
the header and what a wire does not show in an entry of their own, which sigrok passes over.
"""

import configparser
import heapq
import io
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO

from packlab.capture import PORTS, Event, Header
from packlab.errors import PacklabError
from packlab.files import MAX_LINE_BYTES, Lines
from packlab.formats.lib.base import Format, Recording, Source
from packlab.formats.lib.channels import END, read_channels
from packlab.formats.lib.comments import Remark, aside, find_event, find_header, head
from packlab.formats.wire.edge import Edge
from packlab.formats.wire.render import render
from packlab.formats.wire.uart import rest_ns

_NOTES = "deckwatch.txt"
_VERSION = b"2"
_RATE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?) *([kMG]?)(?:Hz)?")
_FACTOR = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_MOST_PROBES = 64
_MOST_DIRECTORY = 4 << 20  # bytes of a zip file's table of contents: 15,000 pieces
_MOST_SAMPLES = 1 << 38  # three days at 1 MHz
_SAMPLES_A_BIT = 8  # at least: sigrok's own UART decoder wants some
_PIECE_BYTES = 4 << 20
_BLOCK_BYTES = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, configparser.Error, EOFError, KeyError, NotImplementedError,
    OSError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Session:
    """What `metadata` says. names: of the probes, lowest bit first. pieces: entries with the
    samples, in order. unit: bytes of one sample of all probes."""

    names: list[str]
    rate_hz: int
    unit: int
    pieces: list[str]


class _Guarded(io.RawIOBase):
    """The zip file, refusing to be read in pieces that no honest one has."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        if size > _MOST_DIRECTORY:
            raise zipfile.BadZipFile("its table of contents is too long")
        return self._stream.read(size)


@contextmanager
def _told(source: Source) -> Iterator[None]:
    """What is wrong with a zip file, as one sentence."""
    try:
        yield
    except _DAMAGES as error:
        why = " ".join(str(error).split())[:80] or type(error).__name__
        raise PacklabError(
            f"{source.path} is no whole sigrok session ({why}); save it again in PulseView"
        ) from error


def _opened(source: Source) -> zipfile.ZipFile:
    stream: IO[bytes] = source.open()
    if not stream.seekable():
        unpacked = source.enter(tempfile.TemporaryFile())  # noqa: SIM115  ends with the source
        shutil.copyfileobj(stream, unpacked)
        stream = unpacked
    return source.enter(zipfile.ZipFile(_Guarded(stream)))


def _read(source: Source) -> Recording:
    with _told(source):
        archive = _opened(source)
        if _small(source, archive, "version").strip() != _VERSION:
            source.fail(", entry version: only sigrok sessions of version 2 are known; save it so")
        session = _session(source, archive)
        own = find_header(source, _notes(source, archive))

    def scan() -> Iterator[Edge | Event]:
        with _told(source):
            samples = ((edge.t_ns, 1, edge) for edge in _edges(archive, session))
            kept = ((event.t_us * 1000, 0, event) for event in _kept(source, archive))
            for _, _, change in heapq.merge(samples, kept, key=lambda row: row[:2]):
                yield change

    return read_channels(source, session.names, own, scan)


def _small(source: Source, archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as entry:
        data = entry.read(MAX_LINE_BYTES + 1)
    if len(data) > MAX_LINE_BYTES:
        source.fail(f", entry {name}: it is longer than {MAX_LINE_BYTES} bytes; save it again")
    return data


def _session(source: Source, archive: zipfile.ZipFile) -> _Session:
    place = ", entry metadata"
    metadata = configparser.ConfigParser(interpolation=None, strict=False)
    metadata.read_string(_small(source, archive, "metadata").decode("utf-8"))
    section = next((name for name in metadata.sections() if name.startswith("device")), None)
    if section is None:
        source.fail(f"{place}: it describes no device; save it again in PulseView")
    device = metadata[section]
    probes = [key for key in device if re.fullmatch(r"probe\d{1,3}", key)]
    unit = device.getint("unitsize", 1)
    if not 1 <= len(probes) <= _MOST_PROBES or not len(probes) <= 8 * unit <= 8 * _MOST_PROBES:
        source.fail(f"{place}: {len(probes)} probes in {unit:.0f} bytes make no sense; save again")
    names = {int(key[5:]): device[key] for key in probes}
    rate = _RATE.fullmatch(device.get("samplerate", ""))
    rate_hz = round(float(rate[1]) * _FACTOR[rate[2]]) if rate else 0
    if rate_hz <= 0:
        source.fail(f"{place}: it names no sample rate; save the session with one")
    pieces = _pieces(archive, device.get("capturefile", "logic-1"))
    size = sum(archive.getinfo(piece).file_size for piece in pieces)
    if size > _MOST_SAMPLES * unit:
        source.fail(
            f"{place}: {size // unit} samples are more than can be read; save a part of it"
        )
    ordered = [names.get(at + 1, f"unused {at + 1}") for at in range(max(names))]
    return _Session(ordered[: 8 * unit], rate_hz, unit, pieces)


def _pieces(archive: zipfile.ZipFile, name: str) -> list[str]:
    numbered = re.compile(re.escape(name) + r"-(\d{1,9})")
    found = {int(m[1]): m[0] for m in map(numbered.fullmatch, archive.namelist()) if m}
    return [found[number] for number in sorted(found)] or [name]


def _notes(source: Source, archive: zipfile.ZipFile) -> Iterator[Remark]:
    """The lines of our own entry."""
    if _NOTES not in archive.namelist():
        return
    with archive.open(_NOTES) as entry:
        lines = Lines(io.BufferedReader(entry), source.path, "text")  # type: ignore[arg-type]
        for line in lines:
            yield Remark(line.strip(), f", entry {_NOTES}, line {lines.number}")


def _kept(source: Source, archive: zipfile.ZipFile) -> Iterator[Event]:
    for remark in _notes(source, archive):
        if (event := find_event(source, remark)) is not None:
            yield event


def _edges(archive: zipfile.ZipFile, session: _Session) -> Iterator[Edge]:
    """Where a probe changes; the first sample tells of all of them."""
    rate_hz = session.rate_hz
    planes = [_Plane(session.names[at : at + 8]) for at in range(0, len(session.names), 8)]
    done = 0
    for block in _blocks(archive, session):
        changes = [
            plane.changes(block[number :: session.unit], done)
            for number, plane in enumerate(planes)
        ]
        for sample, name, level in heapq.merge(*changes):
            yield Edge(sample * 1_000_000_000 // rate_hz, name, level)
        done += len(block) // session.unit
    yield Edge(done * 1_000_000_000 // rate_hz, END, 0)


def _blocks(archive: zipfile.ZipFile, session: _Session) -> Iterator[bytes]:
    """The samples of all pieces, whole samples at a time."""
    rest = b""
    for piece in session.pieces:
        with archive.open(piece) as entry:
            while data := entry.read(_BLOCK_BYTES):
                data = rest + data
                whole = len(data) - len(data) % session.unit
                rest = data[whole:]
                yield data[:whole]


class _Plane:
    """Eight probes, one byte a sample."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._mask = (1 << len(names)) - 1
        self._value = -1
        self._runs: dict[int, re.Pattern[bytes]] = {}

    def changes(self, samples: bytes, first: int) -> Iterator[tuple[int, str, int]]:
        """Number of the sample, name and level of each change; `first` is the first's number."""
        at = 0
        while at < len(samples):
            value = samples[at]
            changed = self._mask & (value ^ self._value)
            if self._value < 0:
                changed = self._mask
            self._value = value
            for bit, name in enumerate(self._names):
                if changed >> bit & 1:
                    yield first + at, name, value >> bit & 1
            match = self._run(value).match(samples, at)
            assert match is not None
            at = match.end()

    def _run(self, value: int) -> re.Pattern[bytes]:
        if value not in self._runs:
            self._runs[value] = re.compile(b"(?:" + re.escape(bytes([value])) + b")+")
        return self._runs[value]


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    ports = [port for port in PORTS if port in header.lines]
    rate_hz = _rate_hz(header)
    # A zip file is written here and there; the stream may be packed.
    with tempfile.TemporaryFile() as whole, tempfile.TemporaryFile() as notes:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            _put(archive, "version", _VERSION)
            _put(archive, "metadata", _metadata(ports, rate_hz))
            notes.writelines(f"{text}\n".encode() for text in head(header))
            _Sampler(archive, ports, rate_hz, notes).write(render(events, header), rest_ns(header))
            notes.seek(0)
            with archive.open(zipfile.ZipInfo(_NOTES, _DATE), "w") as entry:
                shutil.copyfileobj(notes, entry)
        whole.seek(0)
        shutil.copyfileobj(whole, stream)


def _rate_hz(header: Header) -> int:
    fastest = max(setting.baud for setting in header.lines.values())
    rate_hz = 1_000_000
    while rate_hz < _SAMPLES_A_BIT * fastest:
        rate_hz *= 2
    return rate_hz


def _metadata(ports: list[str], rate_hz: int) -> bytes:
    lines = [
        "[global]", "sigrok version=0.5.2", "", "[device 1]", "capturefile=logic-1",
        f"total probes={len(ports)}", f"samplerate={rate_hz // 1_000_000} MHz", "total analog=0",
        *(f"probe{number}={port}" for number, port in enumerate(ports, 1)), "unitsize=1", "",
    ]  # fmt: skip
    return "\n".join(lines).encode()


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)


class _Sampler:
    """Writes the samples, piece by piece."""

    def __init__(
        self, archive: zipfile.ZipFile, ports: list[str], rate_hz: int, notes: IO[bytes]
    ) -> None:
        self._archive = archive
        self._bits = {port: 1 << bit for bit, port in enumerate(ports)}
        self._value = (1 << len(ports)) - 1
        self._rate_hz = rate_hz
        self._notes = notes
        self._sample = 0
        self._piece = bytearray()
        self._pieces = 0

    def write(self, changes: Iterable[Edge | Event], rest: int) -> None:
        """All samples up to `rest` nanoseconds behind the last change."""
        t_ns = 0
        for change in changes:
            if not isinstance(change, Edge):
                self._notes.write(f"{aside(change)}\n".encode())
                continue
            t_ns = change.t_ns
            self._fill(t_ns)
            self._value &= ~self._bits[change.name]
            self._value |= self._bits[change.name] * change.level
        self._fill(t_ns + rest)
        self._flush()

    def _fill(self, until_ns: int) -> None:
        """Samples before until_ns, rounded to the nearest."""
        until = (until_ns * self._rate_hz + 500_000_000) // 1_000_000_000
        if until > _MOST_SAMPLES:
            raise PacklabError(
                f"{until_ns // 10**9} s are too long to sample; convert to .vcd, or only a part"
            )
        missing = max(0, until - self._sample)
        self._sample += missing
        while missing:
            size = min(missing, _PIECE_BYTES - len(self._piece))
            self._piece += bytes([self._value]) * size
            missing -= size
            if len(self._piece) == _PIECE_BYTES:
                self._flush()

    def _flush(self) -> None:
        if self._piece:
            self._pieces += 1
            _put(self._archive, f"logic-1-{self._pieces}", bytes(self._piece))
            self._piece.clear()


def _knows(beginning: bytes) -> bool:
    return beginning.startswith(b"PK\x03\x04")


FORMAT = Format(
    suffix=".sr",
    meaning="raw levels for PulseView and sigrok-cli",
    read=_read,
    write=_write,
    keeps_chunks=False,
    step_us=1,
    late=True,
    knows=_knows,
)

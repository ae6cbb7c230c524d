"""`.txt`: hex dumps with time, as terminal programs write them. Ours:

    0.001898 bms_tx  55 AA 0E 25 01 30  |U..%.0|

Read with the time in seconds, as a clock or with a date, in brackets or not; then the wire as a
port, as RX or TX, as <<< or >>>, or none; then the bytes in pairs, with or without spaces, commas,
colons, 0x. Further brackets before the bytes and what stands in bars behind them are passed over.
"""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from packlab.capture import (
    LEVELS,
    MAX_CHUNK_BYTES,
    PORTS,
    Chunk,
    DamagedLineError,
    Event,
    Header,
    Level,
)
from packlab.files import Lines
from packlab.formats.lib.base import Format, Recording, Source
from packlab.formats.lib.channels import ports_of
from packlab.formats.lib.comments import Remark, find_header, head
from packlab.formats.lib.order import in_order
from packlab.formats.lib.seconds import Zero, decimal, nanoseconds

_DAY_NS = 86_400 * 10**9
_TIME = re.compile(
    r"\[?((?:\d{4}-\d\d-\d\d[ T])?\d[\d:]*(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?[:,;]?"
    r"(?:\[[^\]]*\])*:?\s*",  # what else a logger says of the line
    re.ASCII,
)
_BYTES = re.compile(r"(?:(?:0x)?[0-9a-fA-F]{2}[\s:,-]*)+")
_BETWEEN = re.compile(r"0x|[\s:,-]")
# What an adapter calls its own two wires: it receives what the battery says.
_PORT_OF_WORD = {"rx": "bms_tx", "<<<": "bms_tx", "tx": "host_tx", ">>>": "host_tx"}
_NAMELESS = "bytes"
_MOST_NAMES = 64
_WIDE = 64  # longer chunks are written without spaces and without text, so that a line has an end


def _read(source: Source) -> Recording:
    remarks, names = _survey(source)
    header = find_header(source, remarks)
    ports = {port: port for port in PORTS}
    if header is None:
        if not names:
            source.fail(
                " holds no line with a time and bytes like '0.001898 RX 55 AA'; dump it so"
            )
        ports = ports_of(source, names)
        lines = {port: source.options.setting() for port in ports.values()}
        header = Header("real", f"{source.name}, a hex dump", lines)
    return Recording(source.options.applied(header), in_order(_events(source, ports), source))


def _survey(source: Source) -> tuple[list[Remark], list[str]]:
    """The comments before the first bytes, and the wires there are."""
    remarks: list[Remark] = []
    names: dict[str, None] = {}
    for line in Lines(source.open(), source.path, "hex dump"):
        if line.startswith("#"):
            if not names:
                remarks.append(Remark(line[1:].strip(), f", line {len(remarks) + 1}"))
        elif len(names) < _MOST_NAMES and (parts := _split(line)) is not None:
            names[parts[1]] = None
    return remarks, list(names)


def _split(line: str) -> tuple[str, str, str] | None:
    """Time, wire and bytes of a line; None where it is something else."""
    text = line.split("|")[0].strip()
    match = _TIME.match(text)
    if match is None or match.end() == match.end(1):
        return None
    rest = text[match.end() :]
    name = _NAMELESS
    if not _BYTES.fullmatch(rest):
        word, _, rest = rest.partition(" ")
        name = _PORT_OF_WORD.get(word.rstrip(":").lower(), word.rstrip(":"))
        rest = rest.strip()
    return (match[1], name, rest) if name and rest else None


def _events(source: Source, ports: dict[str, str]) -> Iterator[tuple[Event, str]]:
    lines = Lines(source.open(), source.path, "hex dump")
    times = _Times()
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        parts = _split(line)
        try:
            if parts is None:
                raise DamagedLineError("no time and bytes stand there")
            if (event := _event(parts, ports, times)) is not None:
                yield event, f", line {lines.number}"
        except DamagedLineError as damage:
            if not source.options.lenient:
                lines.fail(f"{damage}; write it like '0.001898 RX 55 AA', or skip with --lenient")
            source.skipped += 1


class _Times:
    """A dump's times as they come; a clock goes on after midnight."""

    def __init__(self) -> None:
        self._zero = Zero()
        self._days_ns = 0
        self._last_ns = 0

    def take(self, text: str) -> int | None:
        t_ns = nanoseconds(text)
        if t_ns is None:
            return None
        if ":" in text and "-" not in text:
            if t_ns + self._days_ns < self._last_ns - _DAY_NS // 2:
                self._days_ns += _DAY_NS
            t_ns += self._days_ns
            self._last_ns = t_ns
        return self._zero.since(t_ns)


def _event(parts: tuple[str, str, str], ports: dict[str, str], times: _Times) -> Event | None:
    time, name, what = parts
    t_ns = times.take(time)
    if t_ns is None:
        raise DamagedLineError(f"'{time:.30}' is no time")
    port = ports.get(name)
    t_us = (t_ns + 500) // 1000
    if what[1:] in LEVELS and what.startswith("!"):
        return None if port is None else Level(t_us, port, what[1:])
    if not _BYTES.fullmatch(what):
        raise DamagedLineError(f"'{what:.20}' are no bytes")
    data = bytes.fromhex(_BETWEEN.sub("", what))
    if len(data) > MAX_CHUNK_BYTES:
        raise DamagedLineError(f"a line has more than {MAX_CHUNK_BYTES} bytes")
    return None if port is None else Chunk(t_us, port, data)


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    for text in head(header):
        stream.write(f"# {' '.join(text.split())}\n".encode())
    for event in events:
        what = f"!{event.level}" if isinstance(event, Level) else _dump(event.data)
        t = decimal(event.t_us * 1000)[:-3]
        stream.write(f"{t} {event.port:7} {what}\n".encode())


def _dump(data: bytes) -> str:
    if len(data) > _WIDE:
        return data.hex().upper()
    text = "".join(chr(byte) if 32 <= byte < 127 and byte != 0x7C else "." for byte in data)
    return f"{data.hex(' ').upper()}  |{text}|"


def _knows(beginning: bytes) -> bool:
    """The first line that is no comment says when and which bytes."""
    lines = beginning.decode("utf-8-sig", "replace").splitlines()
    parts = next((_split(line) for line in lines if line.strip() and line[0] != "#"), None)
    return parts is not None and bool(_BYTES.fullmatch(parts[2]) or parts[2][1:] in LEVELS)


FORMAT = Format(
    suffix=".txt",
    meaning="hex dumps with time",
    read=_read,
    write=_write,
    others=(".log", ".hex"),
    knows=_knows,
)

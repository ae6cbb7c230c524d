"""`.bytes.csv`: decoded bytes as a table, a row each.

Written as Saleae's Logic 2 exports the table of its Async Serial analyser (name, type, start_time,
duration, data); read so, and as Logic 1 does (Time [s], Value, Parity Error, Framing Error).
Values are shown as hex there. Wire levels have no row: ours stand in comments.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from packlab.capture import PORTS, Chunk, Event, Header, LineSetting
from packlab.formats.lib.base import Format, Recording, Source
from packlab.formats.lib.channels import drawn, ports_of
from packlab.formats.lib.order import in_order
from packlab.formats.lib.seconds import Zero, decimal, nanoseconds
from packlab.formats.lib.table import Table, TableWriter, rows_of
from packlab.formats.wire.edge import Edge, Frame
from packlab.formats.wire.render import place_bytes
from packlab.formats.wire.speed import USUAL_BAUDS
from packlab.formats.wire.uart import CHUNK_BYTES

_COLUMNS = ("name", "type", "start_time", "duration", "data")
_TIMES = ("start_time", "Time [s]", "Time[s]")
_VALUES = ("data", "Value")
_HEX = re.compile(r"0x([0-9a-fA-F]{2})")
_MOST_NAMES = 64
_OFF = 0.03  # a speed this far from a usual one is none of them


class _Rows:
    """One pass over the table; the events that its comments keep come as they are."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._table = Table(source)
        self.header = self._table.header()
        names = self._table.columns
        self._time = next((names.index(name) for name in _TIMES if name in names), -1)
        self._value = next((names.index(name) for name in _VALUES if name in names), -1)
        self._type = names.index("type") if "type" in names else -1
        self._name = names.index("name") if "name" in names else -1
        if min(self._time, self._value) < 0:
            source.fail(f"{self._table.place}: name the columns {','.join(_COLUMNS)} there")

    def __iter__(self) -> Iterator[tuple[Edge | Event, str]]:
        """Each byte as an edge whose level it is, with its place."""
        zero = Zero()
        for row, place in self._table.rows():
            yield from ((event, place) for event in self._table.events())
            if len(row) <= max(self._time, self._value, self._type, self._name):
                self._source.fail(f"{place}: the row is cut short; export the table again")
            if self._type >= 0 and row[self._type] != "data":
                continue
            t_ns = nanoseconds(row[self._time].strip())
            t_ns = None if t_ns is None else zero.since(t_ns)
            if t_ns is None:
                text = row[self._time]
                self._source.fail(f"{place}: '{text:.20}' is no time; write seconds like 1.898308")
            value = _HEX.fullmatch(row[self._value].strip())
            if value is None:
                text = row[self._value]
                self._source.fail(
                    f"{place}: '{text:.20}' is no byte like 0x55; set the analyser to show hex, "
                    "and export again"
                )
            name = row[self._name] if self._name >= 0 else "Value"
            yield Edge(t_ns, name, int(value[1], 16)), place
        yield from ((event, self._table.place) for event in self._table.events())


def _read(source: Source) -> Recording:
    header = _Rows(source).header
    ports = {port: port for port in PORTS}
    if header is None:
        speeds = _speeds(source)
        if not speeds:
            source.fail(" has no bytes below its heading; export the table again")
        ports = ports_of(source, list(speeds))
        lines = {port: source.options.setting(speeds[name]) for name, port in ports.items()}
        header = Header("real", f"{source.name}, decoded bytes", lines)
    header = drawn(source, source.options.applied(header))
    return Recording(header, in_order(_events(source, ports, header), source))


def _speeds(source: Source) -> dict[str, int]:
    """Each wire in the table, as fast as two of its bytes have come after each other."""
    nearest: dict[str, int] = {}
    latest: dict[str, int] = {}
    for change, place in _Rows(source):
        if isinstance(change, Edge):
            name = change.name
            if len(nearest) == _MOST_NAMES and name not in nearest:
                source.fail(f"{place}: there are more wires than {_MOST_NAMES}; export a few")
            apart = change.t_ns - latest.get(name, 0)
            nearest[name] = min(
                apart if name in latest and apart > 0 else 1 << 60, nearest.get(name, 1 << 60)
            )
            latest[name] = change.t_ns
    return {name: _usual(apart_ns) for name, apart_ns in nearest.items()}


def _usual(apart_ns: int) -> int:
    baud = 10 * 1e9 / apart_ns
    near = [usual for usual in USUAL_BAUDS if abs(baud / usual - 1) < _OFF]
    return near[0] if near else LineSetting().baud


@dataclass(slots=True)
class _Chunk:
    """What a wire has said without a pause."""

    frame: Frame
    data: bytearray = field(default_factory=bytearray)
    end_ns: int = 0
    place: str = ""

    def take(self, port: str) -> tuple[Event, str]:
        event = Chunk((self.end_ns + 500) // 1000, port, bytes(self.data))
        self.data.clear()
        return event, self.place


def _events(source: Source, ports: dict[str, str], header: Header) -> Iterator[tuple[Event, str]]:
    """Bytes put together to chunks, as the software UART does."""
    chunks = {port: _Chunk(Frame(header.line(port))) for port in ports.values()}
    for change, place in _Rows(source):
        if not isinstance(change, Edge):
            yield change, place
            continue
        for port, chunk in chunks.items():
            length_ns = chunk.frame.after_ns(chunk.frame.bits)
            is_over = change.t_ns - chunk.end_ns > length_ns or len(chunk.data) >= CHUNK_BYTES
            if chunk.data and is_over:
                yield chunk.take(port)
        if change.name in ports:
            chunk = chunks[ports[change.name]]
            chunk.data.append(change.level)
            chunk.end_ns = change.t_ns + chunk.frame.after_ns(chunk.frame.bits)
            chunk.place = place
    for port, chunk in chunks.items():
        if chunk.data:
            yield chunk.take(port)


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    writer = TableWriter(stream, header, _COLUMNS)
    frames = {port: Frame(header.line(port)) for port in PORTS}
    lengths = {port: decimal(frame.after_ns(frame.bits)) for port, frame in frames.items()}
    for change in place_bytes(events, header):
        if isinstance(change, Edge):
            t, name = decimal(change.t_ns), change.name
            writer.rows([f"{name},data,{t},{lengths[name]},0x{change.level:02X}"])
        else:
            writer.keep(change)


def _knows(beginning: bytes) -> bool:
    names = {name for row in rows_of(beginning)[:1] for name in row}
    return bool(names & set(_TIMES)) and bool(names & set(_VALUES))


FORMAT = Format(
    suffix=".bytes.csv",
    others=(".csv",),
    meaning="decoded bytes as Saleae's analysers export them",
    read=_read,
    write=_write,
    keeps_chunks=False,
    late=True,
    knows=_knows,
)

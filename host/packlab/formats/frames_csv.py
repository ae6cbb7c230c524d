"""`.csv`: a table of whole frames or chunks as people make it of a logic analyser's recording:
t_start_us, t_end_us, line, hex, one row each.

A chunk carries the row's END stamp: to a receiver a chunk exists when its last byte is in. `line`
is a port, or esc_tx for the wire on which the controller talks. Wire levels have no column; ours
stand in comments, and in others' tables there are none and none are invented.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from packlab.capture import PORTS, Chunk, Event, Header
from packlab.formats.lib.base import Format, Recording, Source
from packlab.formats.lib.channels import PORT_OF_WIRE
from packlab.formats.lib.order import in_order
from packlab.formats.lib.table import Table, TableWriter, rows_of
from packlab.formats.wire.edge import Frame

COLUMNS = ("t_start_us", "t_end_us", "line", "hex")


def _read(source: Source) -> Recording:
    table = Table(source)
    if not set(COLUMNS) <= set(table.columns):
        source.fail(f"{table.place}: name the columns {','.join(COLUMNS)} there")
    header = table.header()
    if header is None:
        ports = {event.port for event, _ in _events(source)}
        if not ports:
            source.fail(" has no frames below its heading; export the table again")
        lines = {port: source.options.setting() for port in PORTS if port in ports}
        header = Header("real", f"table {source.name}", lines)
    return Recording(source.options.applied(header), in_order(_events(source), source))


def _events(source: Source) -> Iterator[tuple[Event, str]]:
    table = Table(source)
    places = [table.columns.index(name) for name in COLUMNS]
    for row, place in table.rows():
        yield from ((event, place) for event in table.events())
        cells = [row[at] if at < len(row) else "" for at in places]
        yield _chunk(source, cells, place), place
    yield from ((event, table.place) for event in table.events())


def _chunk(source: Source, cells: list[str], place: str) -> Chunk:
    start, end, wire, digits = cells
    if wire not in PORT_OF_WIRE:
        source.fail(f"{place}: '{wire:.20}' is no line; use {', '.join(PORT_OF_WIRE)}")
    try:
        start_us, end_us, data = int(start), int(end), bytes.fromhex(digits)
    except ValueError:
        source.fail(f"{place}: stamps are whole numbers, hex is pairs; mend it")
    if not 0 <= start_us <= end_us or not data:
        source.fail(f"{place}: a frame has bytes and ends after it starts; mend it")
    return Chunk(end_us, PORT_OF_WIRE[wire], data)


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    writer = TableWriter(stream, header, COLUMNS)
    frames = {port: Frame(header.line(port)) for port in PORTS}
    for event in events:
        if isinstance(event, Chunk):
            frame = frames[event.port]
            length_us = frame.after_ns(len(event.data) * frame.bits) // 1000
            start_us = max(0, event.t_us - length_us)
            writer.rows([f"{start_us},{event.t_us},{event.port},{event.data.hex()}"])
        else:
            writer.keep(event)


def _knows(beginning: bytes) -> bool:
    return any(set(COLUMNS) <= set(row) for row in rows_of(beginning)[:1])


FORMAT = Format(
    suffix=".csv",
    meaning="a table of frames: t_start_us, t_end_us, line, hex",
    read=_read,
    write=_write,
    knows=_knows,
)

"""`.edges.csv`: raw levels as a table, a row where something changes. Written as Saleae's Logic 2
exports digital data (Time [s], then a column a wire); read so, and as sigrok-cli writes `-O csv`,
with times or with every sample."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from packlab.capture import PORTS, Event, Header
from packlab.formats.lib.base import Format, Recording, Source
from packlab.formats.lib.channels import END, read_channels
from packlab.formats.lib.comments import Remark
from packlab.formats.lib.seconds import Zero, decimal, nanoseconds
from packlab.formats.lib.table import Table, TableWriter, rows_of
from packlab.formats.wire.edge import Edge
from packlab.formats.wire.render import render

_TIME = "Time [s]"
# sigrok names the column after the unit, the shortest that is a sample.
_UNIT_NS = {
    "Time [s]": 1e9, "Time[s]": 1e9, "Time": 1e9, "seconds": 1e9, "milliseconds": 1e6,
    "microseconds": 1e3, "nanoseconds": 1.0, "picoseconds": 1e-3,
}  # fmt: skip
_SAMPLES = "logic"  # sigrok's name of a column without a name
_CHANNELS = re.compile(r"Channels \(\d+/\d+\): (.+)")
_RATE = re.compile(r"Samplerate: (\d+(?:\.\d+)?) ([kMG]?)Hz")
_FACTOR = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_LEVELS = {"0": 0, "1": 1}
_NO_DATA = ("x", "X", "")  # a gap of the recording, a channel that was off


def _read(source: Source) -> Recording:
    table = Table(source)
    names = _names(source, table)
    sample_ns = None if table.columns[0] in _UNIT_NS else _sample_ns(source, table)

    def scan() -> Iterator[Edge | Event]:
        return _scan(source, names, sample_ns)

    return read_channels(source, names, table.header(), scan)


def _names(source: Source, table: Table) -> list[str]:
    """The channels; those that sigrok did not name stand in a comment."""
    has_time = table.columns[:1] != [] and table.columns[0] in _UNIT_NS
    names = table.columns[has_time:]
    if set(names) == {_SAMPLES}:
        said = [match[1] for match in map(_CHANNELS.fullmatch, _texts(table.remarks)) if match]
        listed = [name.strip() for name in said[0].split(",")] if said else []
        names = listed if len(listed) == len(names) else [f"D{at}" for at in range(len(names))]
    if not names or len(set(names)) < len(names):
        source.fail(f"{table.place}: no two channels may have the same name; name them there")
    return names


def _texts(remarks: Iterable[Remark]) -> Iterator[str]:
    return (remark.text for remark in remarks)


def _sample_ns(source: Source, table: Table) -> float:
    """How far rows are apart where they have no times."""
    matches = [match for match in map(_RATE.fullmatch, _texts(table.remarks)) if match]
    rate_hz = float(matches[0][1]) * _FACTOR[matches[0][2]] if matches else 0.0
    if not rate_hz:
        source.fail(
            f"{table.place}: there are neither times nor a sample rate; write the file with "
            "'sigrok-cli -O csv:time=true'"
        )
    return 1e9 / rate_hz


def _scan(source: Source, names: Sequence[str], sample_ns: float | None) -> Iterator[Edge | Event]:
    table = Table(source)
    zero = Zero()
    last_ns = 0
    levels = [-1] * len(names)
    t_ns: int | None
    for number, (row, place) in enumerate(table.rows()):
        yield from table.events()
        if sample_ns is not None:
            t_ns, cells = round(number * sample_ns), row
        else:
            t_ns, cells = _time_ns(row[0], table.columns[0]), row[1:]
            t_ns = None if t_ns is None else zero.since(t_ns)
        if t_ns is None:
            source.fail(f"{place}: '{row[0]:.20}' is no time; write seconds like 1.898308")
        if t_ns < last_ns:
            source.fail(f"{place}: its time lies before that of an earlier row; sort the rows")
        if len(cells) != len(names):
            source.fail(f"{place}: it has not one level for each of the channels; mend the row")
        last_ns = t_ns
        for at, cell in enumerate(cells):
            level = _LEVELS.get(cell)
            if level is None:
                if cell not in _NO_DATA:
                    source.fail(f"{place}: '{cell:.20}' is no level; use 0 and 1")
            elif level != levels[at]:
                levels[at] = level
                yield Edge(t_ns, names[at], level)
    yield from table.events()
    if sample_ns is not None:
        yield Edge(last_ns, END, 0)


def _time_ns(text: str, unit: str) -> int | None:
    t_ns = nanoseconds(text.strip())
    return t_ns if t_ns is None or _UNIT_NS[unit] == 1e9 else round(t_ns * _UNIT_NS[unit] / 1e9)


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    ports = [port for port in PORTS if port in header.lines]
    writer = TableWriter(stream, header, [_TIME, *ports])
    levels = dict.fromkeys(ports, 1)
    row_ns = 0  # of the row that is not written yet

    def row() -> str:
        return ",".join([decimal(row_ns), *(str(level) for level in levels.values())])

    for change in render(events, header):
        if not isinstance(change, Edge):
            writer.keep(change)
            continue
        if change.t_ns != row_ns:
            writer.rows([row()])
            row_ns = change.t_ns
        levels[change.name] = change.level
    writer.rows([row()])


def _knows(beginning: bytes) -> bool:
    table: list[list[str]] = [*rows_of(beginning), []]
    names, *rows = table
    if not names or not (names[0] in _UNIT_NS or set(names) == {_SAMPLES}):
        return False
    cells = rows[0][names[0] in _UNIT_NS :]
    return all(cell in _LEVELS or cell in _NO_DATA for cell in cells)


FORMAT = Format(
    suffix=".edges.csv",
    others=(".csv",),
    meaning="raw levels as Saleae and sigrok export them",
    read=_read,
    write=_write,
    keeps_chunks=False,
    late=True,
    knows=_knows,
)

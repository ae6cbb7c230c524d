"""Turn a logic analyser's table of frames (CSV) into a capture; `packlab convert` calls this.

The table has the columns t_start_us, t_end_us, line and hex, one frame a row. A chunk in the
capture carries the frame's END stamp: to a receiver a chunk exists when its last byte is in.
Chunks are put in order of that stamp. Wire levels are not in such a table; none are invented.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packlab.capture import PORTS, CaptureWriter, Chunk, Header, LineSetting, new_file
from packlab.errors import PacklabError

COLUMNS = ("t_start_us", "t_end_us", "line", "hex")
# The wire on which the controller talks is called esc_tx in such tables.
PORT_OF_LINE = {"esc_tx": "host_tx"} | {port: port for port in PORTS}


@dataclass(frozen=True, slots=True)
class Summary:
    """What was converted: chunks and bytes by port, and the time of the last chunk."""

    chunks: dict[str, int]
    bytes: dict[str, int]
    end_us: int


def convert(src: Path, dst: Path, *, source: str | None = None, origin: str = "real") -> Summary:
    """Write the table `src` as the capture `dst`, with `source` (or its name) as the source note.

    Bad input raises PacklabError naming file, line and remedy, and leaves `dst` as it was.
    """
    chunks = sorted(_read_table(src), key=lambda chunk: chunk.t_us)
    if not chunks:
        raise PacklabError(f"{src} has no frames below its heading; export the table again")
    if dst.exists() and dst.samefile(src):
        raise PacklabError(f"{dst} is the table itself; give the capture another name")
    ports = [port for port in PORTS if any(chunk.port == port for chunk in chunks)]
    lines = {port: LineSetting() for port in ports}
    with new_file(dst) as stream:
        writer = CaptureWriter(stream, Header(origin, source or f"table {src.name}", lines))
        for chunk in chunks:
            writer.write(chunk)
    return _summary(ports, chunks)


def _summary(ports: list[str], chunks: list[Chunk]) -> Summary:
    sizes = {port: [len(chunk.data) for chunk in chunks if chunk.port == port] for port in ports}
    return Summary(
        {port: len(lengths) for port, lengths in sizes.items()},
        {port: sum(lengths) for port, lengths in sizes.items()},
        chunks[-1].t_us,
    )


def _read_table(src: Path) -> Iterator[Chunk]:
    try:
        with src.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise PacklabError(f"{src}, line 1: name the columns {','.join(COLUMNS)} there")
            for row in rows:
                yield _chunk(row, f"{src}, line {rows.line_num}")
    except OSError as error:
        raise PacklabError(f"{src} cannot be read: {error.strerror}; check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise PacklabError(f"{src} is no table of text ({error}); export it as CSV") from error


def _chunk(row: dict[str, str | None], place: str) -> Chunk:
    start, end, line, digits = (row[column] or "" for column in COLUMNS)
    if line not in PORT_OF_LINE:
        raise PacklabError(f"{place}: '{line:.20}' is no line; use {', '.join(PORT_OF_LINE)}")
    try:
        start_us, end_us, data = int(start), int(end), bytes.fromhex(digits)
    except ValueError:
        raise PacklabError(f"{place}: stamps are whole numbers, hex is pairs; mend it") from None
    if not 0 <= start_us <= end_us or not data:
        raise PacklabError(f"{place}: a frame has bytes and ends after it starts; mend it")
    return Chunk(end_us, PORT_OF_LINE[line], data)

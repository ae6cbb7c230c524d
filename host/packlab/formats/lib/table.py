"""Tables of comma-separated values with comments, as sigrok writes them: a line that begins with
`;` or `#` is one. Rows come with their place."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from packlab.capture import Event, Header
from packlab.files import Lines
from packlab.formats.lib.base import Source
from packlab.formats.lib.comments import Remark, aside, find_event, find_header, head

Row = tuple[list[str], str]


class Table:
    """One pass over a table. columns: its heading. remarks: the comments above it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = Lines(source.open(), source.path, "table of text")
        self._events: list[Event] = []
        self._is_headed = False
        self.remarks: list[Remark] = []
        self._rows = csv.reader(self._texts(), strict=True)
        self.columns = [name.strip() for name in next(self.rows(), ([], ""))[0]]
        self._is_headed = True

    @property
    def place(self) -> str:
        """Where the latest row stands."""
        return f", line {max(1, self._lines.number)}"

    def header(self) -> Header | None:
        """What the comments above the heading say, where we wrote them."""
        return find_header(self._source, self.remarks)

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty."""
        try:
            for row in self._rows:
                if row:
                    yield row, self.place
        except csv.Error as error:
            self._source.fail(
                f"{self.place}: this is no table of text ({error}); export it as CSV"
            )

    def events(self) -> Iterator[Event]:
        """The events kept in comments since this was last called."""
        yield from self._events
        self._events.clear()

    def _texts(self) -> Iterator[str]:
        for line in self._lines:
            if not line.startswith((";", "#")):
                yield line
                continue
            remark = Remark(line[1:].strip(), self.place)
            if not self._is_headed:
                self.remarks.append(remark)
            elif (event := find_event(self._source, remark)) is not None:
                self._events.append(event)


def rows_of(beginning: bytes) -> list[list[str]]:
    """Heading and first row of the table that begins so, as far as they are there."""
    lines = beginning.decode("utf-8-sig", "replace").splitlines()
    rows = [line for line in lines if line.strip() and not line.startswith((";", "#"))]
    return [[cell.strip().strip('"') for cell in row.split(",")] for row in rows[:2]]


class TableWriter:
    """Comments and rows; the header and the heading come first."""

    def __init__(self, stream: BinaryIO, header: Header, columns: Sequence[str]) -> None:
        self._stream = stream
        for text in head(header):
            self._comment(text)
        self.rows([",".join(columns)])

    def rows(self, rows: Iterable[str]) -> None:
        """Rows of plain words: none has a comma or a quotation mark in it."""
        self._stream.write("".join(f"{row}\n" for row in rows).encode())

    def keep(self, event: Event) -> None:
        """An event that the table has no place for."""
        self._comment(aside(event))

    def _comment(self, text: str) -> None:
        self._stream.write(f"; {' '.join(text.split())}\n".encode())

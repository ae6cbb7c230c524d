"""`.vcd`: value change dump, raw levels as GTKWave, PulseView and simulators read and write them
(IEEE 1364, section 18). pyvcd does the format. The header and what a wire does not show stand in
comments at the top: sigrok reads no further than the first comment among the changes. Read are
scalars, by the name they were declared with."""

import heapq
import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, BinaryIO

from vcd.common import Timescale, TimescaleUnit
from vcd.reader import ScalarChange, Token, TokenKind, VarDecl, VCDParseError, tokenize
from vcd.writer import VCDWriter

from packlab.capture import PORTS, Event, Header
from packlab.files import MAX_LINE_BYTES
from packlab.formats.lib.base import Format, Recording, Source
from packlab.formats.lib.channels import END, read_channels
from packlab.formats.lib.comments import Remark, aside, find_event, find_header, head
from packlab.formats.lib.seconds import Zero
from packlab.formats.wire.edge import Edge
from packlab.formats.wire.render import render
from packlab.formats.wire.uart import rest_ns

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SCOPE = "deckwatch"
_STEP_NS = 100  # at 1 ns sigrok-cli would sample for minutes
_MOST_CHANNELS = 256
_END = r"\x24end"
_MOST_REMARKS = 1 << 16
_UNIT_FS = {
    TimescaleUnit.second: 10**15,
    TimescaleUnit.millisecond: 10**12,
    TimescaleUnit.microsecond: 10**9,
    TimescaleUnit.nanosecond: 10**6,
    TimescaleUnit.picosecond: 10**3,
    TimescaleUnit.femtosecond: 1,
}
_NS_FS = 10**6
_LEVELS = {"0": 0, "L": 0, "l": 0, "1": 1, "H": 1, "h": 1}  # the others mean that nobody knows


class _Dump:
    """One pass over a dump: its declarations at once, then its changes.

    channels: name by the code that stands for it. remarks: the comments above the changes.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._meter = _Meter(source)
        self._scale_fs = _NS_FS
        self.channels: dict[str, str] = {}
        self.remarks: list[Remark] = []
        self._tokens = self._read()
        for token in self._tokens:
            if token.kind is TokenKind.ENDDEFINITIONS:
                return
            self._declare(token)
        source.fail(" is no whole value change dump; export it again")

    def _read(self) -> Iterator[Token]:
        """All tokens; what pyvcd raises is told as one sentence."""
        line = 1
        try:
            for token in tokenize(self._meter):
                line = token.span.end.line
                self._meter.line, self._meter.size = line, 0
                yield token
        except (VCDParseError, ValueError) as error:
            place = error.loc.line if isinstance(error, VCDParseError) else line
            self._source.fail(f", line {place}: this is no value change dump; export it again")

    def _declare(self, token: Token) -> None:
        place = f", line {token.span.start.line}"
        data = token.data
        if isinstance(data, Timescale):
            self._scale_fs = data.magnitude * _UNIT_FS[data.unit]
        elif isinstance(data, VarDecl) and data.size == 1:
            self.channels[data.id_code] = data.ref_str
            if len(self.channels) > _MOST_CHANNELS:
                most = f"{place}: there are more than {_MOST_CHANNELS} channels"
                self._source.fail(f"{most}; export those of the data line alone")
        elif token.kind is TokenKind.COMMENT:
            texts = map(str.strip, token.comment.splitlines())
            self.remarks += [Remark(_unescaped(text), place) for text in texts if text]
            if len(self.remarks) > _MOST_REMARKS:
                self._source.fail(f"{place}: there are too many comments; export it again")

    def changes(self) -> Iterator[Edge | Event]:
        """Edges, and events from comments, in order of time."""
        kept = ((event.t_us * 1000, 0, event) for event in self._kept())
        edges = ((edge.t_ns, 1, edge) for edge in self._edges())
        for _, _, change in heapq.merge(kept, edges, key=lambda row: row[:2]):
            yield change

    def _kept(self) -> Iterator[Event]:
        for remark in self.remarks:
            if (event := find_event(self._source, remark)) is not None:
                yield event

    def _edges(self) -> Iterator[Edge]:
        zero = Zero()
        t_ns = last_ns = 0
        is_quiet = False  # nothing changes at this time: it is the end
        for token in self._tokens:
            data = token.data
            if isinstance(data, ScalarChange):
                level = _LEVELS.get(data.value)
                if level is not None and data.id_code in self.channels:
                    is_quiet = False
                    yield Edge(t_ns, self.channels[data.id_code], level)
            elif token.kind is TokenKind.CHANGE_TIME:
                place = f", line {token.span.start.line}"
                since_ns = zero.since(token.time_change * self._scale_fs // _NS_FS)
                if since_ns is None or since_ns < last_ns:
                    self._source.fail(f"{place}: the time goes back or is absurd; export it again")
                t_ns = last_ns = since_ns
                is_quiet = True
        if is_quiet:
            yield Edge(t_ns, END, 0)


class _Meter(io.RawIOBase):
    """Hands the file on, and refuses it when one token gets too long for memory."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stream = source.open()
        self.line = 1
        self.size = 0  # since the latest token

    def readinto(self, buffer: "WriteableBuffer") -> int:
        size = self._stream.readinto(buffer)
        self.size += size
        if self.size > MAX_LINE_BYTES:
            self._source.fail(
                f", line {self.line}: something there is longer than {MAX_LINE_BYTES} bytes; "
                "export it again"
            )
        return size


def _read(source: Source) -> Recording:
    dump = _Dump(source)
    names = list(dump.channels.values())
    if not names:
        source.fail(" declares no wire of one bit; export the data line's channels")
    own = find_header(source, dump.remarks)
    return read_channels(source, names, own, lambda: _Dump(source).changes())


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    with tempfile.TemporaryFile() as changes:
        for text in head(header):
            stream.write(_comment(text))
        for event in _write_changes(changes, header, events):
            stream.write(_comment(aside(event)))
        changes.seek(0)
        shutil.copyfileobj(changes, stream)


def _write_changes(stream: IO[bytes], header: Header, events: Iterable[Event]) -> Iterator[Event]:
    """Writes all but the comments; yields what no wire shows."""
    text = io.TextIOWrapper(stream, encoding="ascii", newline="\n")
    writer = VCDWriter(text, timescale=f"{_STEP_NS} ns", date="")
    wires = {
        port: writer.register_var(_SCOPE, port, "wire", size=1, init=1)
        for port in PORTS
        if port in header.lines
    }
    step = 0
    for change in render(events, header):
        if isinstance(change, Edge):
            step = (change.t_ns + _STEP_NS // 2) // _STEP_NS
            writer.change(wires[change.name], step, change.level)
        else:
            yield change
    writer.close(step + rest_ns(header) // _STEP_NS)
    text.detach()


def _comment(text: str) -> bytes:
    """Escaped so that nothing ends the comment, and no letter is beyond what the format allows."""
    plain = (
        " ".join(text.split()).replace("\\", "\\\\").encode("ascii", "backslashreplace").decode()
    )
    return f"$comment {plain.replace('$end', _END)} $end\n".encode()


def _unescaped(text: str) -> str:
    """The text of a comment of ours; somebody else's may mean something else by it."""
    try:
        return text.encode("ascii").decode("unicode_escape")
    except UnicodeDecodeError:
        return text


def _knows(beginning: bytes) -> bool:
    return beginning.lstrip().startswith(b"$")


FORMAT = Format(
    suffix=".vcd",
    meaning="raw levels for GTKWave and PulseView",
    read=_read,
    write=_write,
    keeps_chunks=False,
    late=True,
    knows=_knows,
)

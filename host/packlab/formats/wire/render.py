"""Events -> the edges a logic analyser would have seen on the wires.

A chunk's bytes follow each other without a pause and end at its time stamp; where that leaves no
room after what went before on the wire, they come later. A wire rests high. What changes nothing
on a wire (an overrun belongs to the receiver; a level the wire has already) is passed on as it is,
so that the caller can keep it in a comment. `place_bytes` tells bytes as one mark each instead.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from packlab.capture import MAX_CHUNK_BYTES, Chunk, Event, Header, Level
from packlab.formats.wire.edge import Edge, Frame

BREAK_BITS = 12  # low for longer than a byte; uart.py takes up to LOW_BITS for a break
# So much may wait to be drawn; if a file claims more on a wire than it can carry, no more waits.
_MOST_WAITING = 4096


@dataclass(slots=True)
class _Wire:
    """free_ns: from when on it has room. items: what waits to be drawn."""

    frame: Frame
    level: int = 1
    free_ns: int = 0
    items: deque[Iterator[Edge]] = field(default_factory=deque)
    next: Edge | None = None

    def put(self, edges: Iterator[Edge]) -> None:
        self.items.append(edges)
        if self.next is None:
            self._advance()

    def take(self) -> Edge:
        """The next edge."""
        assert self.next is not None
        edge = self.next
        self._advance()
        return edge

    def _advance(self) -> None:
        while self.items:
            self.next = next(self.items[0], None)
            if self.next is not None:
                return
            self.items.popleft()
        self.next = None


def render(events: Iterable[Event], header: Header) -> Iterator[Edge | Event]:
    """Edges by port, and among them the events that are none, all in order of time."""
    return _drawn(events, _Artist(header, _byte_edges, shows_levels=True))


def place_bytes(events: Iterable[Event], header: Header) -> Iterator[Edge | Event]:
    """When each byte begins: an edge whose level is the byte. Levels are passed on as they are."""
    return _drawn(events, _Artist(header, _byte_marks, shows_levels=False))


def _drawn(events: Iterable[Event], artist: "_Artist") -> Iterator[Edge | Event]:
    for event in events:
        yield from artist.draw(event)
    yield from artist.flush(None)


class _Artist:
    def __init__(
        self,
        header: Header,
        draw_bytes: Callable[[str, int, bytes, Frame], Iterator[Edge]],
        *,
        shows_levels: bool,
    ) -> None:
        self._header = header
        self._draw = draw_bytes
        self._shows_levels = shows_levels
        self._wires: dict[str, _Wire] = {}
        self._asides: deque[Event] = deque()
        self._reach_ns = 0  # how far before its stamp a chunk can begin
        self._drawn_ns = 0

    def draw(self, event: Event) -> Iterator[Edge | Event]:
        wire = self._wires.get(event.port)
        if wire is None:
            wire = self._wires[event.port] = _Wire(Frame(self._header.line(event.port)))
            longest_ns = wire.frame.after_ns(MAX_CHUNK_BYTES * wire.frame.bits)
            self._reach_ns = max(self._reach_ns, longest_ns)
        wire.free_ns = max(wire.free_ns, self._drawn_ns)
        if isinstance(event, Chunk):
            self._draw_bytes(event, wire)
        elif not self._shows_levels or not self._draw_level(event, wire):
            self._asides.append(event)
        if max(len(wire.items), len(self._asides)) > _MOST_WAITING:
            yield from self.flush(None)
        else:
            yield from self.flush(event.t_us * 1000 - self._reach_ns)

    def _draw_bytes(self, chunk: Chunk, wire: _Wire) -> None:
        if not wire.level:
            wire.free_ns += wire.frame.after_ns(1)
        length_ns = wire.frame.after_ns(len(chunk.data) * wire.frame.bits)
        # Nothing falls at 0: an edge there would only say how the wire was.
        start_ns = max(chunk.t_us * 1000 - length_ns, wire.free_ns, wire.frame.after_ns(1))
        if not wire.level:  # nothing says when it rose: just in time
            self._change(chunk.port, wire, start_ns - wire.frame.after_ns(1), 1)
        wire.put(self._draw(chunk.port, start_ns, chunk.data, wire.frame))
        wire.free_ns = start_ns + length_ns

    def _draw_level(self, event: Level, wire: _Wire) -> bool:
        """False where the wire shows nothing of it."""
        t_ns = max(event.t_us * 1000, wire.free_ns)
        if event.level == "break" and wire.level:
            self._change(event.port, wire, t_ns, 0)
            self._change(event.port, wire, t_ns + wire.frame.after_ns(BREAK_BITS), 1)
            wire.free_ns += wire.frame.after_ns(1)
            return True
        level = {"low": 0, "idle": 1}.get(event.level, wire.level)
        if level == wire.level:
            return False
        self._change(event.port, wire, t_ns, level)
        return True

    @staticmethod
    def _change(port: str, wire: _Wire, t_ns: int, level: int) -> None:
        wire.put(iter((Edge(t_ns, port, level),)))
        wire.level = level
        wire.free_ns = t_ns

    def flush(self, until_ns: int | None) -> Iterator[Edge | Event]:
        """What nothing can come before any more; None = everything."""
        while True:
            wires = [wire for wire in self._wires.values() if wire.next is not None]
            wire = min(wires, key=lambda one: one.next or (0,), default=None)
            t_ns = None if wire is None or wire.next is None else wire.next.t_ns
            aside_ns = self._asides[0].t_us * 1000 if self._asides else None
            if aside_ns is not None and (t_ns is None or aside_ns <= t_ns):
                if until_ns is not None and aside_ns >= until_ns:
                    return
                self._drawn_ns = max(self._drawn_ns, aside_ns)
                yield self._asides.popleft()
                continue
            if wire is None or t_ns is None or (until_ns is not None and t_ns >= until_ns):
                return
            self._drawn_ns = t_ns
            yield wire.take()


def _byte_edges(port: str, start_ns: int, data: bytes, frame: Frame) -> Iterator[Edge]:
    """Only where the level changes; before the first byte the wire is high."""
    level = 1
    bit = 0
    for byte in data:
        for after in frame.levels(byte):
            if after != level:
                yield Edge(start_ns + frame.after_ns(bit), port, after)
                level = after
            bit += 1


def _byte_marks(port: str, start_ns: int, data: bytes, frame: Frame) -> Iterator[Edge]:
    for number, byte in enumerate(data):
        yield Edge(start_ns + frame.after_ns(number * frame.bits), port, byte)

"""The software UART: edges of one wire -> the bytes and levels on it, at any speed.

It works as the chip's does: a falling edge starts a byte, the start bit must still be low in its
middle, and each bit is read in its middle, anew from every start bit; so two clocks may differ by
some percent and edges may jitter by a good part of a bit. A byte without stop bit stays in place.
A low that lasts longer than a byte is a break, a longer one a wire held low. Bytes without a pause
of a byte's length between them are one chunk.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping

from packlab.capture import Chunk, Event, Header, Level, LineSetting
from packlab.formats.wire.edge import Edge, Frame

LOW_BITS = 16  # a low that lasts so long is no break any more
CHUNK_BYTES = 1024  # a chunk without a pause ends here
_NEVER = 1 << 80
_IDLE, _BYTE, _HELD = range(3)


class Uart:
    """One wire's receiver. `told` are the events since they were last taken away.

    bytes, framing_errors, glitches: counts; a glitch is a low too short to start a byte.
    """

    def __init__(self, port: str, setting: LineSetting) -> None:
        self.port = port
        self.told: list[Event] = []
        self.bytes = self.framing_errors = self.glitches = 0
        self.due_ns = _NEVER  # when something happens without an edge
        self._frame = Frame(setting)
        self._middles_ns = [self._frame.middle_ns(bit) for bit in range(self._frame.bits)]
        self._length_ns = self._frame.after_ns(self._frame.bits)
        self._low_ns = self._frame.after_ns(LOW_BITS)
        self._state = _IDLE
        self._level = 1
        self._start_ns = 0  # of the byte
        self._bit = 0
        self._byte = 0
        self._fell_ns = 0
        self._is_told = False  # the low that lasts
        self._is_byte = False  # the low that lasts belongs to a byte already
        self._chunk = bytearray()
        self._end_ns = 0  # of the chunk

    def begin(self, t_ns: int, level: int, *, tell_idle: bool) -> None:
        """What the wire was when the recording began; otherwise high. A low may be any byte's."""
        self._level = level
        if level and tell_idle:
            self._tell(Level(_us(t_ns), self.port, "idle"))
        if not level:
            self._fell_ns = t_ns
            self._hold(is_byte=True)

    def edge(self, t_ns: int, level: int) -> None:
        """The wire has `level` from t_ns on."""
        if self.due_ns < t_ns:
            self.advance(t_ns)
        if level == self._level:
            return
        self._level = level
        if not level:
            self._fell_ns = t_ns
            if self._state == _IDLE:
                self._state, self._bit, self._byte = _BYTE, 0, 0
                self._start_ns = t_ns
                self.due_ns = t_ns + self._middles_ns[0]
        elif self._state == _HELD:
            self._release(t_ns)

    def advance(self, t_ns: int) -> None:
        """Nothing changed until t_ns."""
        while self.due_ns < t_ns:
            if self._state == _BYTE:
                self._sample()
            elif self._state == _HELD:
                self._tell(Level(_us(self._fell_ns), self.port, "low"))
                self._is_told = True
                self.due_ns = _NEVER
            else:
                self._close_chunk()
                self.due_ns = _NEVER

    def finish(self, t_ns: int) -> None:
        """The recording ends."""
        self.advance(t_ns)
        self._close_chunk()

    def _sample(self) -> None:
        bit = self._bit
        if bit == 0 and self._level:
            self.glitches += 1
            self._rest()
            return
        if 1 <= bit <= self._frame.data_bits:
            self._byte |= self._level << bit - 1
        if bit > self._frame.checked_bits:
            self._stop()
            return
        self._bit += 1
        self.due_ns = self._start_ns + self._middles_ns[self._bit]

    def _stop(self) -> None:
        """The middle of the stop bit; the next byte may begin any moment."""
        if self._level:
            self._keep_byte()
            self._rest()
            return
        self.framing_errors += 1
        is_byte = self._fell_ns != self._start_ns  # else it was low all the time
        if is_byte:
            self._keep_byte()
        self._hold(is_byte=is_byte)

    def _keep_byte(self) -> None:
        if self._chunk and self._start_ns - self._end_ns > self._length_ns:
            self._close_chunk()
        self.bytes += 1
        self._chunk.append(self._byte)
        self._end_ns = self._start_ns + self._length_ns
        if len(self._chunk) >= CHUNK_BYTES:
            self._close_chunk()

    def _rest(self) -> None:
        self._state = _IDLE
        self.due_ns = self._end_ns + self._length_ns if self._chunk else _NEVER

    def _hold(self, *, is_byte: bool) -> None:
        self._state = _HELD
        self._is_told, self._is_byte = False, is_byte
        self.due_ns = self._fell_ns + self._low_ns

    def _release(self, t_ns: int) -> None:
        if self._is_told:
            self._tell(Level(_us(t_ns), self.port, "idle"))
        elif not self._is_byte:
            self._tell(Level(_us(self._fell_ns), self.port, "break"))
        self._rest()

    def _tell(self, event: Level) -> None:
        self._close_chunk()
        self.told.append(event)

    def _close_chunk(self) -> None:
        if self._chunk:
            self.told.append(Chunk(_us(self._end_ns), self.port, bytes(self._chunk)))
            self._chunk.clear()


def _us(t_ns: int) -> int:
    return (t_ns + 500) // 1000


def receive(
    changes: Iterable[Edge | Event],
    settings: Mapping[str, LineSetting],
    *,
    tell_idle: bool = False,
) -> Iterator[Event]:
    """Events of all wires in `settings`, in order of time.

    The first edge of a wire tells how it was; with `tell_idle` a wire that was high is told as an
    event. An edge of a wire that is not in settings only tells the time, and as the last one, when
    the recording ends; without it the wires stay as they are long enough to end a byte. Events
    among the edges are passed on in their place.
    """
    wires = _Wires(settings, tell_idle=tell_idle)
    for change in changes:
        if isinstance(change, Edge):
            wires.change(change)
        else:
            wires.keep(change)
        yield from wires.settled()
    yield from wires.finish()


class _Wires:
    """All receivers of a recording, and what they told until it can be put in order."""

    def __init__(self, settings: Mapping[str, LineSetting], *, tell_idle: bool) -> None:
        self._receivers = {port: Uart(port, setting) for port, setting in settings.items()}
        slowest = [Frame(setting).after_ns(LOW_BITS) for setting in settings.values()]
        self._low_ns = max(slowest, default=0)
        self._tell_idle = tell_idle
        self._begun: set[str] = set()
        self._waiting: list[tuple[int, int, Event]] = []
        self._number = 0
        self._t_ns = 0
        self._is_ended = False

    def change(self, edge: Edge) -> None:
        t_ns = self._t_ns = edge.t_ns
        for uart in self._receivers.values():
            if uart.due_ns < t_ns:
                uart.advance(t_ns)
                self._collect(uart)
        receiver = self._receivers.get(edge.name)
        self._is_ended = receiver is None
        if receiver is None:
            return
        if edge.name in self._begun:
            receiver.edge(t_ns, edge.level)
        else:
            self._begun.add(edge.name)
            receiver.begin(t_ns, edge.level, tell_idle=self._tell_idle)
        if receiver.told:
            self._collect(receiver)

    def keep(self, event: Event) -> None:
        heapq.heappush(self._waiting, (event.t_us, self._number, event))
        self._number += 1

    def _collect(self, uart: Uart) -> None:
        for event in uart.told:
            self.keep(event)
        uart.told.clear()

    def settled(self) -> Iterator[Event]:
        """What nothing earlier can come before: a chunk is told a byte's length after its end, a
        break or a low when it has lasted LOW_BITS."""
        until_us = (self._t_ns - 2 * self._low_ns) // 1000
        while self._waiting and self._waiting[0][0] < until_us:
            yield heapq.heappop(self._waiting)[2]

    def finish(self) -> Iterator[Event]:
        t_ns = self._t_ns if self._is_ended else self._t_ns + 2 * self._low_ns
        for uart in self._receivers.values():
            uart.finish(t_ns)
            self._collect(uart)
        while self._waiting:
            yield heapq.heappop(self._waiting)[2]


def rest_ns(header: Header) -> int:
    """How long the wires are to be seen at rest at the end of a drawing, so that the last byte or
    level is recognised."""
    return 2 * max(Frame(setting).after_ns(LOW_BITS) for setting in header.lines.values())

"""`.pcapng`: what Wireshark and tshark open, with the link type RTAC serial (250): each packet is
a chunk or what a wire did, behind twelve bytes that say when and what.

One interface a port. The time of a packet is that of its chunk's last byte; in a capture with a
note `started` (date and time) it is the date, else it counts from 1970. The header stands in the
section's comment, levels in packets' comments. Libraries for this format hold whole blocks of any
size and keep times as floating-point numbers; hence these lines. Sources: the pcapng draft
(IETF opsawg), tcpdump.org's page on LINKTYPE_RTAC_SERIAL.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from packlab.capture import PORTS, Chunk, Event, Header, Level, LineSetting
from packlab.formats.lib.base import Format, Recording, Source
from packlab.formats.lib.channels import PORT_OF_WIRE
from packlab.formats.lib.comments import Remark, find_header, head
from packlab.formats.lib.order import in_order
from packlab.formats.lib.seconds import Zero, nanoseconds
from packlab.formats.wire.edge import Frame

LINK_TYPE = 250
STARTED = "started"

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_ORDER_MAGIC = b"\x1a\x2b\x3c\x4d"
_COMMENT, _PACKET_FLAGS = 1, 2
_IF_NAME, _IF_SPEED, _IF_RESOLUTION, _IF_OFFSET = 2, 8, 9, 14
_INBOUND, _OUTBOUND = 1, 2
_MOST_BLOCK = 1 << 20
_MOST_INTERFACES = 64
# Event types. One adapter hears the battery (received) and the controller (sent).
_STATUS, _SENT, _RECEIVED, _BREAK, _OVERFLOW = 0, 3, 4, 9, 10
_STARTS = {1: _SENT, 2: _RECEIVED}  # stamped with the first byte, not the last
_TYPE_OF_LEVEL = {"low": _STATUS, "idle": _STATUS, "break": _BREAK, "overrun": _OVERFLOW}
_LEVEL_OF_TYPE = {_BREAK: "break", _OVERFLOW: "overrun"}
_MEANINGS = {
    "low": "the wire is held low",
    "idle": "the wire rests high",
    "break": "low for longer than a byte",
    "overrun": "bytes before this were lost",
}
_RTAC = struct.Struct(">IIBBH")
_SECOND_NS = 1_000_000_000


class _Block(NamedTuple):
    """kind, body, and place in the file for what may be said about it."""

    kind: int
    body: bytes
    place: str


@dataclass(slots=True)
class _Interface:
    """name: what the file calls it. tick: ticks a second. offset_ns: added to its times."""

    name: str
    link_type: int
    tick_hz: int = 1_000_000
    offset_ns: int = 0


class _File:
    """One pass over the blocks of a file, of all its sections."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stream = source.open()
        self._at = 0
        self.order = "<"

    def __iter__(self) -> Iterator[_Block]:
        while head := self._take(8, may_end=True):
            place = f", byte {self._at - 8}"
            if head[:4] == struct.pack("<I", _SECTION):
                yield self._section(head, place)
                continue
            if self._at == 8:
                self._source.fail(f"{place}: this is no pcapng file; save it as pcapng")
            kind, length = struct.unpack(self.order + "II", head)
            yield _Block(kind, self._body(length, 8, place), place)

    def _section(self, head: bytes, place: str) -> _Block:
        magic = self._take(4)
        if magic not in (_ORDER_MAGIC, _ORDER_MAGIC[::-1]):
            self._source.fail(f"{place}: this section has no byte order; save the file again")
        self.order = ">" if magic == _ORDER_MAGIC else "<"
        (length,) = struct.unpack(self.order + "I", head[4:])
        body = self._body(length, 12, place)
        major, minor = struct.unpack_from(self.order + "HH", body.ljust(4, b"\0"))
        if major != 1:
            self._source.fail(f"{place}: only version 1 is known, not {major}.{minor}; save it so")
        return _Block(_SECTION, body, place)

    def _body(self, length: int, taken: int, place: str) -> bytes:
        if length % 4 or not taken + 4 <= length <= _MOST_BLOCK:
            self._source.fail(f"{place}: a block of {length} bytes makes no sense; save it again")
        body = self._take(length - taken)
        (again,) = struct.unpack(self.order + "I", body[-4:])
        if again != length:
            self._source.fail(f"{place}: the block's two lengths differ; save the file again")
        return body[:-4]

    def _take(self, size: int, *, may_end: bool = False) -> bytes:
        data = self._stream.read(size)
        if len(data) < size and not (may_end and not data):
            raise _Cut(self._at)
        self._at += size
        return data


class _Cut(Exception):
    """The file ends in the middle of a block; its argument is the place."""


def _read(source: Source) -> Recording:
    own = None
    file = _File(source)
    try:
        first = next(iter(file), None)
    except _Cut:
        first = None
    if first is None:
        source.fail(" holds no pcapng section; save it again")
    for code, value in _options(first.body[12:], file.order):
        if code == _COMMENT:
            lines = value.decode("utf-8", "replace").splitlines()
            own = find_header(source, [Remark(line.strip(), first.place) for line in lines])
    header = own or Header("real", f"{source.name}, a packet capture")
    header = source.options.applied(header)
    return Recording(header, in_order(_events(source, header, own), source))


def _options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option, as far as they are whole."""
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, at)
        if code == 0 or at + 4 + size > len(data):
            return
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4


def _events(source: Source, header: Header, own: Header | None) -> Iterator[tuple[Event, str]]:
    file = _File(source)
    packets = _Packets(source, header, own)
    try:
        for block in file:
            if block.kind == _SECTION:
                packets.interfaces.clear()
            elif block.kind == _INTERFACE:
                packets.add_interface(block, file.order)
            elif block.kind == _PACKET:
                event = packets.event(block, file.order)
                if event is not None:
                    yield event, block.place
    except _Cut as cut:
        if not source.options.lenient:
            source.fail(f", byte {cut.args[0]}: the file breaks off; use what is left: --lenient")
        source.skipped += 1


class _Packets:
    """Packets -> events. interfaces: of the section so far."""

    def __init__(self, source: Source, header: Header, own: Header | None) -> None:
        self.interfaces: list[_Interface] = []
        self._source = source
        self._header = header
        self._zero = Zero() if own is None else Zero(_started_ns(own))

    def add_interface(self, block: _Block, order: str) -> None:
        """The next interface's description."""
        if len(block.body) < 8 or len(self.interfaces) == _MOST_INTERFACES:
            self._source.fail(f"{block.place}: this interface makes no sense; save the file again")
        (link_type,) = struct.unpack_from(order + "H", block.body)
        interface = _Interface(f"interface {len(self.interfaces)}", link_type)
        for code, value in _options(block.body[8:], order):
            if code == _IF_NAME:
                interface.name = value.decode("utf-8", "replace").rstrip("\0")
            elif code == _IF_RESOLUTION and len(value) == 1:
                power = value[0] & 0x7F
                interface.tick_hz = 2**power if value[0] & 0x80 else 10**power
            elif code == _IF_OFFSET and len(value) == 8:
                interface.offset_ns = struct.unpack(order + "q", value)[0] * _SECOND_NS
        self.interfaces.append(interface)

    def event(self, block: _Block, order: str) -> Event | None:
        """What a packet tells; None for what has no place in a capture."""
        if len(block.body) < 20:
            self._source.fail(f"{block.place}: this packet is too short; save the file again")
        number, high, low, size = struct.unpack_from(order + "IIII", block.body)
        if number >= len(self.interfaces) or size > len(block.body) - 20:
            self._source.fail(f"{block.place}: this packet makes no sense; save the file again")
        interface = self.interfaces[number]
        if interface.link_type != LINK_TYPE:
            self._source.fail(
                f"{block.place}: {interface.name:.20} has link type {interface.link_type}, not a "
                f"serial line's ({LINK_TYPE}); capture a serial line"
            )
        t_ns = (high << 32 | low) * _SECOND_NS // interface.tick_hz + interface.offset_ns
        since_ns = self._zero.since(t_ns)
        if since_ns is None:
            self._source.fail(f"{block.place}: its time is absurd; save the file again")
        data = block.body[20 : 20 + size]
        if len(data) < _RTAC.size:
            self._source.fail(f"{block.place}: this packet has no RTAC header; save it again")
        remarks = _options(block.body[20 + size + -size % 4 :], order)
        return self._told(interface.name, since_ns, data, dict(remarks))

    def _told(self, name: str, t_ns: int, data: bytes, options: dict[int, bytes]) -> Event | None:
        kind = _RTAC.unpack_from(data)[2]
        direction = "sent" if kind in (1, _SENT) else "received"
        said = self._source.options.ports
        port = said.get(name) or said.get(direction) or PORT_OF_WIRE.get(name)
        port = port or ("host_tx" if direction == "sent" else "bms_tx")
        if kind in _STARTS or kind in (_SENT, _RECEIVED):
            payload = data[_RTAC.size :]
            if kind in _STARTS:
                frame = Frame(self._header.line(port))
                t_ns += frame.after_ns(len(payload) * frame.bits)
            return Chunk((t_ns + 500) // 1000, port, payload) if payload else None
        level = _LEVEL_OF_TYPE.get(kind)
        if kind == _STATUS:
            word = options.get(_COMMENT, b"").decode("utf-8", "replace").partition(":")[0]
            level = word if _TYPE_OF_LEVEL.get(word) == _STATUS else None
        return None if level is None else Level((t_ns + 500) // 1000, port, level)


def _started_ns(header: Header) -> int:
    """The date at which the capture's time was 0, in nanoseconds since 1970; 0 where unknown."""
    text = dict(header.notes).get(STARTED, "")
    return nanoseconds(text) or 0 if "-" in text else 0


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    ports = [port for port in PORTS if port in header.lines]
    numbers = {port: number for number, port in enumerate(ports)}
    start_us = _started_ns(header) // 1000
    offset_s, rest_us = divmod(start_us, 1_000_000)
    comment = "\n".join(" ".join(line.split()) for line in head(header)).encode()
    section = _ORDER_MAGIC[::-1] + struct.pack("<HHq", 1, 0, -1)
    stream.write(_block(_SECTION, section + _option(_COMMENT, comment) + _END))
    for port in ports:
        stream.write(_block(_INTERFACE, _interface(port, header.line(port), offset_s)))
    for event in events:
        t_us = event.t_us + rest_us
        packet = _packet(event, divmod(event.t_us + start_us, 1_000_000))
        options = _packet_options(event)
        fixed = struct.pack(
            "<IIIII", numbers[event.port], t_us >> 32, t_us & 0xFFFFFFFF, len(packet), len(packet)
        )
        stream.write(_block(_PACKET, fixed + _padded(packet) + options))


def _interface(port: str, setting: LineSetting, offset_s: int) -> bytes:
    return (
        struct.pack("<HHI", LINK_TYPE, 0, 0)
        + _option(_IF_NAME, port.encode())
        + _option(_IF_SPEED, struct.pack("<Q", setting.baud))
        + _option(_IF_RESOLUTION, b"\x06")
        + _option(_IF_OFFSET, struct.pack("<q", offset_s))
        + _END
    )


def _packet(event: Event, at: tuple[int, int]) -> bytes:
    """The RTAC header, and the bytes."""
    if isinstance(event, Chunk):
        kind = _SENT if event.port == "host_tx" else _RECEIVED
        return _RTAC.pack(*at, kind, 0, 0) + event.data
    return _RTAC.pack(*at, _TYPE_OF_LEVEL[event.level], 0, 0)


def _packet_options(event: Event) -> bytes:
    """Directions for Wireshark's columns; the level in words."""
    direction = _OUTBOUND if event.port == "host_tx" else _INBOUND
    flags = _option(_PACKET_FLAGS, struct.pack("<I", direction))
    if isinstance(event, Chunk):
        return flags + _END
    return _option(_COMMENT, f"{event.level}: {_MEANINGS[event.level]}".encode()) + flags + _END


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


_END = struct.pack("<HH", 0, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _knows(beginning: bytes) -> bool:
    return beginning.startswith(b"\x0a\x0d\x0d\x0a")


FORMAT = Format(
    suffix=".pcapng",
    meaning="packets for Wireshark and tshark",
    read=_read,
    write=_write,
    knows=_knows,
)

"""Ninebot ES, Max, F and the Z10 wheel: 5A A5 frames (sheet xiaomi.md 2).

    5A A5 | L | source | destination | command | argument | payload ... | check    L = payload, whole frame L + 9 bytes

Registers are those of scooter_map.py. Address 0x23 is the external battery here (in the Xiaomi framing it is the controller).
"""

from micropython import const

from deckwatch.fields import Table
from deckwatch.frame import ACK, READ, REPLY, WRITE
from deckwatch.protocols import scooter_map
from deckwatch.protocols.dash import decode_input, decode_state
from deckwatch.protocols.scooter_map import OPEN_DC, SHORT_DC, STEADY  # noqa: F401  part of the family's contract

BAUDS = (115200,)
FRAMING = ((b"\x5a\xa5", (2, "B", 9, 9, 0x82 + 9), ("sum16_inverted", 2, 2, 2, "<H"), b""),)

# Controller words (sheet 3.5, ES series)
CONTROLLER = (
    (0x36, "<H", "error_code"),
    (0x3E, "<H", "mode"),
    (0x8E, "<H", "supply_mv", 10),
)

_BATTERY = Table(scooter_map.BATTERY)
_CONTROLLER = Table(CONTROLLER)

_CONTROLLER_ID = const(0x20)
_DASH_ID = const(0x21)
_MARGIN = const(9)


def _pack_of(address: int) -> int:
    """0 for the internal pack (0x22; Z10 0x11), 1 for the external one (0x23; Z10 0x12), -1 for anybody else."""
    if address == 0x22 or address == 0x11:
        return 0
    if address == 0x23 or address == 0x12:
        return 1
    return -1


def decode(frame, packs, memory=None) -> None:
    """Meaning and values of one checked frame."""
    buf = frame.buf
    at = frame.at
    source = buf[at + 3]
    destination = buf[at + 4]
    command = buf[at + 5]
    frame.register = buf[at + 6]
    frame.body = at + 7
    frame.body_size = frame.size - _MARGIN
    pack = _pack_of(source)
    if pack >= 0:
        frame.pack = pack
        _decode_battery(frame, packs, command)
    elif source == _CONTROLLER_ID and command == 0x64 and destination == _DASH_ID:
        decode_state(frame, packs[0])
    elif destination == _CONTROLLER_ID and (command == 0x61 or command == 0x64 or command == 0x65):
        decode_input(frame, packs[0], command)
    else:
        _decode_other(frame, packs, source, destination, command)


def _decode_battery(frame, packs, command: int) -> None:
    """A battery speaks: words to keep, or an acknowledgement."""
    if command == 0x04 or command == 0x5A or command == 0x55:
        frame.kind = REPLY
        frame.is_reply = True
        if frame.pack < len(packs):
            _BATTERY.read(frame.buf, frame.body, 2 * frame.register, frame.body_size, packs[frame.pack])
    elif command == 0x05 or 0x07 <= command <= 0x0B:
        frame.kind = ACK
        frame.is_reply = True


def _decode_other(frame, packs, source: int, destination: int, command: int) -> None:
    """Orders to a battery or controller, and what the controller and dashboard answer."""
    pack = _pack_of(destination)
    if pack >= 0:
        frame.pack = pack
    if command == 0x01:
        frame.kind = READ
        frame.is_request = pack >= 0
        if frame.body_size == 1:
            frame.wanted = frame.buf[frame.body]
    elif command == 0x04:
        frame.kind = REPLY
        if source == _CONTROLLER_ID:
            _CONTROLLER.read(frame.buf, frame.body, 2 * frame.register, frame.body_size, packs[0])
    elif command == 0x5A or command == 0x55:
        frame.kind = READ
        frame.is_request = pack >= 0
    elif command == 0x02 or command == 0x03:
        frame.kind = WRITE
    elif command == 0x05 or command == 0x0B:
        frame.kind = ACK
    elif 0x07 <= command <= 0x0A:
        frame.kind = "update"
    elif command == 0x06 or command == 0x18 or 0x50 <= command <= 0x5C:
        frame.kind = "service"

"""Xiaomi M365, Pro, Pro 2, 1S, Mi 3 and everything that imitates them: 55 AA frames (sheet xiaomi.md).

    55 AA | L | address | command | argument | payload ... | check    L = payload + 2, whole frame L + 6 bytes

The address says who it is for (0x20-0x22) or who answers (0x23-0x25). A reply's argument is its first word, so each decodes alone.
"""

from micropython import const

from deckwatch.fields import Table
from deckwatch.frame import ACK, READ, REPLY, WRITE
from deckwatch.protocols import scooter_map
from deckwatch.protocols.dash import decode_input, decode_state
from deckwatch.protocols.scooter_map import OPEN_DC, SHORT_DC, STEADY  # noqa: F401  part of the family's contract

BAUDS = (115200, 76800)  # 76800: BotoX firmware (sheet 5.3)

# Longest: a firmware page of 128 bytes, L = 0x82, with a little margin (sheet 2.4)
FRAMING = ((b"\x55\xaa", (2, "B", 6, 8, 0x84 + 6), ("sum16_inverted", 2, 2, 2, "<H"), b""),)

# Controller words (sheet 3.5). Word 17 is the owner's PIN: never read.
CONTROLLER = (
    (0x7C, "<H", "controller_temp_dc"),
    (0x160, "<H", "error_code"),
    (0x166, "<H", "mode"),
    (0x16A, "<h", "speed_mh"),
    (0x16E, "<I", "odometer_m"),
    (0x174, "<H", "trip_s"),
)

_BATTERY = Table(scooter_map.BATTERY)
_CONTROLLER = Table(CONTROLLER)

_TO_CONTROLLER = const(0x20)
_TO_DASH = const(0x21)
_TO_BMS = const(0x22)
_FROM_CONTROLLER = const(0x23)
_FROM_DASH = const(0x24)
_FROM_BMS = const(0x25)
_MARGIN = const(8)  # header, L, address, command, argument, check


def decode(frame, packs, memory=None) -> None:
    """Meaning and values of one checked frame."""
    buf = frame.buf
    at = frame.at
    address = buf[at + 3]
    command = buf[at + 4]
    frame.register = buf[at + 5]
    frame.body = at + 6
    frame.body_size = frame.size - _MARGIN
    if address == _FROM_BMS or address == _FROM_CONTROLLER or address == _FROM_DASH:
        _decode_answer(frame, packs, address, command)
    elif _TO_CONTROLLER <= address <= _TO_BMS:
        _decode_order(frame, packs, address, command)


def _decode_answer(frame, packs, address: int, command: int) -> None:
    if command == 0x01 or command == 0x5A or command == 0x55:
        frame.kind = REPLY
        frame.is_reply = address == _FROM_BMS
        if address == _FROM_BMS:
            _BATTERY.read(frame.buf, frame.body, 2 * frame.register, frame.body_size, packs[0])
        elif address == _FROM_CONTROLLER:
            _CONTROLLER.read(frame.buf, frame.body, 2 * frame.register, frame.body_size, packs[0])
    elif command == 0x02 or 0x07 <= command <= 0x0A:
        frame.kind = ACK
        frame.is_reply = address == _FROM_BMS
    elif command == 0xF1 or command == 0xF3 or command == 0xFA:
        frame.kind = "botox"


def _decode_order(frame, packs, address: int, command: int) -> None:
    if command == 0x01:
        frame.kind = READ
        frame.is_request = address == _TO_BMS
        if frame.body_size == 1:
            frame.wanted = frame.buf[frame.body]
    elif command == 0x02 or command == 0x03:
        frame.kind = WRITE
    elif 0x07 <= command <= 0x0A:
        frame.kind = "update"
    elif address == _TO_CONTROLLER and (command == 0x61 or command == 0x64 or command == 0x65):
        decode_input(frame, packs[0], command)
    elif address == _TO_DASH and command == 0x64:
        decode_state(frame, packs[0])
    elif address == _TO_BMS and (command == 0x5A or command == 0x55):
        frame.kind = READ
        frame.is_request = True
    elif address == _TO_BMS and (command == 0xF1 or command == 0xF3 or command == 0xFA):
        frame.kind = "botox"
    elif command == 0x06 or command == 0x18 or 0x50 <= command <= 0x5C:
        frame.kind = "service"

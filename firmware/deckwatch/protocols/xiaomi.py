"""Xiaomi M365, Pro, Pro 2, 1S, Mi 3 and everything that imitates them: 55 AA frames (xiaomi.md 2).

    55 AA | L | address | command | argument | payload ... | check
    L = payload + 2, whole frame L + 6 bytes

The address says who it is for (0x20-0x22) or who answers (0x23-0x25). A reply's argument is its
first word, so each decodes alone.
"""

from micropython import const

from deckwatch.fields import read
from deckwatch.frame import ACK, READ, REPLY, WRITE
from deckwatch.framings import framed
from deckwatch.protocols.dash import decode_input, decode_state
from deckwatch.protocols.scooter_map import (  # noqa: F401  the last three: the family's contract
    BATTERY,
    OPEN_DC,
    SHORT_DC,
    STEADY,
)
from deckwatch.rows import compiled, requested

BAUDS = (115200, 76800)  # 76800: BotoX firmware (xiaomi.md 5.3)

# Longest: a firmware page of 128 bytes, L = 0x82, with a little margin (xiaomi.md 2.4)
FRAMING = ((b"\x55\xaa", (2, "B", 6, 8, 0x84 + 6), ("sum16_inverted", 2, 2, 2, "<H"), b""),)
FRAMES = framed(FRAMING)

# The controller polls status about as often; a bare pack wants it so (xiaomi.md 1.3).
REQUESTS = (
    ("status", "55aa032201300c9dff", REPLY, 210),
    ("cells", "55aa032201401e7bff", REPLY, 1000),
    ("cell_16", "55aa0322014f0288ff", REPLY, 2000),  # stock packs have none: a Happy BMS may
    ("identity", "55aa0322011012b7ff", REPLY, 60000),
    ("counters", "55aa0322011b04baff", REPLY, 60000),
    ("dates", "55aa0322012006b3ff", REPLY, 60000),
    ("health", "55aa0322013b029cff", REPLY, 60000),
)
QUESTIONS = requested(REQUESTS)

# Controller words (xiaomi.md 3.5). Never read: 10 (the scooter's serial) and 17 (the owner's PIN).
# Of no use: 3B, B9, BC, BD (no source is sure of their unit), 70, 71 (orders, written only).
CONTROLLER = (
    (0x34, "<H", "controller_version"),
    (0x4A, "<H", "range_m", 10),
    (0x74, "<H", "trip_s"),
    (0x7C, "<h", "controller_temp_dc"),
    (0xCE, "bcd", "firmware"),  # the battery's, as the controller was told it
    (0xD0, "<H", "ble_version"),
    (0xF6, "<H", "regen_level"),
    (0xF8, "<H", "cruise"),
    (0xFA, "<H", "tail_light"),
    (0x160, "<H", "error_code"),
    (0x162, "<H", "alarm_code"),
    (0x164, "<H", "controller_flags"),
    (0x166, "<H", "mode"),
    (0x168, "<H", "controller_soc_pct"),
    (0x16A, "<h", "speed_mh"),
    (0x16C, "<h", "average_speed_mh"),
    (0x16E, "<I", "odometer_m"),
    (0x174, "<H", "trip_s"),
    (0x176, "<h", "controller_temp_dc"),
)

_BATTERY = compiled(BATTERY)
_CONTROLLER = compiled(CONTROLLER)
SPARE_CELLS = True  # the map has words for 16 cells, whatever is fitted

_TO_CONTROLLER = const(0x20)
_TO_DASH = const(0x21)
_TO_BMS = const(0x22)
_FROM_CONTROLLER = const(0x23)
_FROM_DASH = const(0x24)
_FROM_BMS = const(0x25)
_MARGIN = const(8)  # header, L, address, command, argument, check


def decode(frame, packs, memory) -> None:
    """Meaning and values of one checked frame."""
    buf = frame.buf
    at = frame.at
    address = buf[at + 3]
    command = buf[at + 4]
    frame.register = buf[at + 5]
    frame.body = at + 6
    frame.body_size = frame.size - _MARGIN
    if _FROM_CONTROLLER <= address <= _FROM_BMS:
        _decode_answer(frame, packs[0], address, command)
    elif _TO_CONTROLLER <= address <= _TO_BMS:
        _decode_order(frame, packs[0], address, command)


def _decode_answer(frame, t, address: int, command: int) -> None:
    from_bms = address == _FROM_BMS
    if command == 0x01 or command == 0x5A or command == 0x55:
        frame.kind = REPLY
        frame.is_reply = from_bms
        if from_bms:
            read(_BATTERY, frame.buf, frame.body, 2 * frame.register, frame.body_size, t)
        elif address == _FROM_CONTROLLER:
            read(_CONTROLLER, frame.buf, frame.body, 2 * frame.register, frame.body_size, t)
    elif command == 0x02 or 0x07 <= command <= 0x0A:
        frame.kind = ACK
        frame.is_reply = from_bms
    elif command == 0xF1 or command == 0xF3 or command == 0xFA:
        frame.kind = "botox"
        frame.is_reply = from_bms


def _decode_order(frame, t, address: int, command: int) -> None:
    to_bms = address == _TO_BMS
    if command == 0x01 or to_bms and (command == 0x5A or command == 0x55):
        frame.kind = READ
        frame.is_request = to_bms
        if frame.body_size:
            frame.wanted = frame.buf[frame.body]
    elif command == 0x02 or command == 0x03:
        frame.kind = WRITE
        frame.is_request = to_bms and command == 0x02
    elif 0x07 <= command <= 0x0A:
        frame.kind = "update"
        frame.is_request = to_bms
    elif address == _TO_CONTROLLER and (command == 0x61 or command == 0x64 or command == 0x65):
        decode_input(frame, t, command)
    elif address == _TO_DASH and command == 0x64:
        decode_state(frame, t)
    elif to_bms and (command == 0xF1 or command == 0xF3 or command == 0xFA):
        frame.kind = "botox"
        frame.is_request = True
    elif command == 0x06 or command == 0x18 or 0x50 <= command <= 0x5C or command == 0x80:
        frame.kind = "service"

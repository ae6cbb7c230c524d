"""Ninebot ES, Max, F and the Z10 wheel: 5A A5 frames (xiaomi.md 2).

    5A A5 | L | source | destination | command | argument | payload ... | check
    L = payload, whole frame L + 9 bytes

Registers are those of scooter_map.py. Address 0x23 is the external battery here; in the Xiaomi
framing it is the controller.
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

BAUDS = (115200,)
FRAMING = ((b"\x5a\xa5", (2, "B", 9, 9, 0x82 + 9), ("sum16_inverted", 2, 2, 2, "<H"), b""),)
FRAMES = framed(FRAMING)

# As the controller asks, or a bench tool in its stead (frames/xiaomi.json); 0x20 asks 0x22.
REQUESTS = (
    ("status", "5aa501202201300c7fff", REPLY, 210),
    ("cells", "5aa501202201401e5dff", REPLY, 1000),
    ("identity", "5aa501202201101299ff", REPLY, 60000),
    ("counters", "5aa5012022011b049cff", REPLY, 60000),
    ("dates", "5aa501202201200695ff", REPLY, 60000),
    ("health", "5aa5012022013b027eff", REPLY, 60000),
)
QUESTIONS = requested(REQUESTS)

# Words of the Z10 wheel's packs alone (xiaomi.md 3)
WHEEL = (
    (0x78, "<H", "board_lowest_mv"),
    (0x7C, "<H", "shown_pct"),
    (0x7E, "<H", "cell_count"),
)

# Controller words, ES series (xiaomi.md 3.5). Of no use: 3F, 40, 41 (unit not stated), 49 and 50
# (sources disagree which of them is the current).
CONTROLLER = (
    (0x36, "<H", "error_code"),
    (0x38, "<H", "alarm_code"),
    (0x3A, "<H", "controller_flags"),
    (0x3E, "<H", "mode"),
    (0x44, "<H", "controller_soc_pct"),
    # 10 mV by the ES app of benas1989/ScooterApp (NinebotBaseService.cs)
    (0x8E, "<H", "supply_mv", 10),
    (0x90, "<H", "controller_pack_mv", 10),
    (0xCE, "bcd", "firmware"),  # the internal battery's, as the controller was told it
    (0xD0, "<H", "ble_version"),
)
CONTROLLER_OF_SECOND = ((0xCC, "bcd", "firmware"),)  # what it was told by the external battery

_BATTERY = compiled(BATTERY)
_WHEEL = compiled(WHEEL)
_CONTROLLER = compiled(CONTROLLER)
_CONTROLLER_OF_SECOND = compiled(CONTROLLER_OF_SECOND)
SPARE_CELLS = True  # the map has words for 16 cells, whatever is fitted

_CONTROLLER_ID = const(0x20)
_DASH_ID = const(0x21)
_MARGIN = const(9)  # header, L, source, destination, command, argument, check


def _pack_of(address: int) -> int:
    """0 for the internal pack (0x22; Z10 0x11), 1 for the external one (0x23; Z10 0x12), -1 for
    anybody else."""
    if address == 0x22 or address == 0x11:
        return 0
    if address == 0x23 or address == 0x12:
        return 1
    return -1


def decode(frame, packs, memory) -> None:
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
        _decode_battery(frame, packs, source, command)
    elif source == _CONTROLLER_ID and command == 0x64 and destination == _DASH_ID:
        decode_state(frame, packs[0])
    elif destination == _CONTROLLER_ID and (command == 0x61 or 0x64 <= command <= 0x65):
        decode_input(frame, packs[0], command)
    elif command == 0x04:
        frame.kind = REPLY
        if source == _CONTROLLER_ID:
            _decode_controller(frame, packs)
    else:
        _decode_order(frame, _pack_of(destination), command)


def _decode_battery(frame, packs, source: int, command: int) -> None:
    """A battery speaks: words to keep, or an acknowledgement."""
    if command == 0x04 or command == 0x5A or command == 0x55:
        frame.kind = REPLY
        frame.is_reply = True
        if frame.pack < len(packs):
            t = packs[frame.pack]
            read(_BATTERY, frame.buf, frame.body, 2 * frame.register, frame.body_size, t)
            if source < _CONTROLLER_ID:
                read(_WHEEL, frame.buf, frame.body, 2 * frame.register, frame.body_size, t)
    elif command == 0x05 or 0x07 <= command <= 0x0B:
        frame.kind = ACK
        frame.is_reply = True


def _decode_controller(frame, packs) -> None:
    """The controller answers: words of its own, and what it knows of both batteries."""
    read(_CONTROLLER, frame.buf, frame.body, 2 * frame.register, frame.body_size, packs[0])
    if len(packs) > 1:
        start = 2 * frame.register
        read(_CONTROLLER_OF_SECOND, frame.buf, frame.body, start, frame.body_size, packs[1])


def _decode_order(frame, pack: int, command: int) -> None:
    """Orders to battery `pack`, or with -1 to anybody else, and others' acknowledgements."""
    to_bms = pack >= 0
    if to_bms:
        frame.pack = pack
    if command == 0x01 or command == 0x5A or command == 0x55:
        frame.kind = READ
        frame.is_request = to_bms
        if frame.body_size:
            frame.wanted = frame.buf[frame.body]
    elif command == 0x02 or command == 0x03:
        frame.kind = WRITE
        frame.is_request = to_bms and command == 0x02
    elif command == 0x05 or command == 0x0B:
        frame.kind = ACK
    elif 0x07 <= command <= 0x0A:
        frame.kind = "update"
        frame.is_request = to_bms
    elif command == 0x06 or command == 0x18 or 0x50 <= command <= 0x5C or command == 0x80:
        frame.kind = "service"

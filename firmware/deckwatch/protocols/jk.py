"""JK (Jikong) boards on all their wires (sheet jk.md): this file says what their frames look like,
what may be asked and who decodes which.

    jk_tlv.py      4E 57 ...          GPS / RS485 socket, 115200 baud
    jk02.py        55 AA EB 90 ...    Bluetooth module's wire and the PB bus, 115200 baud
    jk_modbus.py   address 03 | 10    the PB bus and newer boards, 115200 or 9600 baud
    jk_display.py  A5 5A | 5A A5      display sockets, 2400 baud; EB 90: active balancer, 9600 baud
"""

from deckwatch.frame import REPLY
from deckwatch.framings import framed
from deckwatch.passing import bits
from deckwatch.protocols import jk02, jk_display, jk_modbus, jk_tlv
from deckwatch.protocols.jk_modbus import Memory  # noqa: F401  part of the family's contract
from deckwatch.rows import requested

BAUDS = (115200, 9600, 2400)

_NO_CHECK = ("", 0, 0, 0, "")
_SUM = ("sum8", 0, 1, 1, "B")
_CRC = ("crc16_modbus", 0, 2, 2, "<H")
_BUS = (0, 15)  # addresses that the switches of a PB board can give, 0 the master (sheet 3)
_HOST = (1, 16)  # those of Modbus that no other family has (sheet 4)
_JUNK = 64  # most that firmware puts between two frames: "AT" and the like (sheet 2)
_ACK = (b"\x10", (0, "", 8, 8, 8), _CRC, b"", 0, _BUS)
_PADDED_ACK = (b"\x00", (0, "", 10, 10, 10), ("crc16_modbus", 1, 3, 3, "<H"), b"\x00")

FRAMING = (
    (b"\x4e\x57", (2, ">H", 2, 20, 402), ("sum16", 0, 4, 2, ">H"), b""),
    (b"\x55\xaa\xeb\x90", (0, "", 300, 300, 300), _SUM, b"", _JUNK, (), (_ACK, _PADDED_ACK)),
    (b"\xaa\x55\x90\xeb", (0, "", 20, 20, 20), _SUM, b"", _JUNK),
    _ACK,
    (b"\x10", (6, "B", 9, 11, 255), _CRC, b"", 0, _BUS),
    (b"\x03", (0, "", 8, 8, 8), _CRC, b"", 0, _HOST),
    (b"\x03", (2, "B", 5, 7, 255), _CRC, b"", 0, _HOST),
    (b"\x83", (0, "", 5, 5, 5), _CRC, b"", 0, _HOST),
    (b"\xa5\x5a\x5d\x82\x10\x00", (0, "", 96, 96, 96), _NO_CHECK, b""),
    (b"\x5a\xa5\x21\x82\x10\x00", (0, "", 36, 36, 36), _NO_CHECK, b""),
    (b"\x5a\xa5\x39\x82\x12\x10", (0, "", 60, 60, 60), _NO_CHECK, b""),
    (b"\xeb\x90", (0, "", 74, 74, 74), _SUM, b""),
    (b"\x55\xaa\x01\xff", (0, "", 7, 7, 7), _SUM, b""),
    (b"\xa5\x5a\x2b\x82\x13\x00", (0, "", 46, 46, 46), _NO_CHECK, b""),
    (b"\xa5\x5a\x05\x82", (0, "", 8, 8, 8), _NO_CHECK, b""),
    (b"\xa5\x5a\x03\x80", (0, "", 6, 6, 6), _NO_CHECK, b""),
    (b"\x5a\xa5\x05\x82", (0, "", 8, 8, 8), _NO_CHECK, b""),
    (b"\x5a\xa5\x03\x80", (0, "", 6, 6, 6), _NO_CHECK, b""),
)
FRAMES = framed(FRAMING)

# One wire answers to one of these ways of asking. Sources: sheet 1.3, 3, 4, 2, 6.
REQUESTS = (
    ("tlv_all", "4e5700130000000006030000000000006800000129", REPLY, 1000),
    ("bus_1_live", "011016200001020000d6f1", REPLY, 1000),
    ("bus_2_live", "021016200001020000c201", REPLY, 1000),
    ("bus_1_settings", "0110161e0001020000d22f", REPLY, 60000),
    ("bus_1_device", "0110161c0001020000d3cd", REPLY, 60000),
    ("modbus_cells", "0103120000258169", REPLY, 1000),
    ("modbus_live", "0103129000198155", REPLY, 1000),
    ("modbus_probes", "010312f800038142", REPLY, 5000),
    ("module_device", "aa5590eb97000000000000000000000000000011", REPLY, 60000),
    ("module_live", "aa5590eb96000000000000000000000000000010", REPLY, 60000),
    ("balancer", "55aa01ff0000ff", REPLY, 1000),
)
QUESTIONS = requested(REQUESTS)

# What a round brings on every wire but the balancer's and a PB board's display
STEADY = bits(
    "pack_mv",
    "current_ma",
    "soc_pct",
    "charge_fet",
    "discharge_fet",
    "faults_a",
    "temp_dc",
    "cell_mv",
)

# No source says what a broken probe reads. -200.0 degC is "none fitted" and never gets this far;
# nothing in a scooter is colder or hotter than this.
OPEN_DC = -400
SHORT_DC = 1200


def decode(frame, packs, memory) -> None:
    """Meaning and values of one checked frame."""
    row = frame.framing
    if row == 0:
        jk_tlv.decode(frame, packs)
    elif row == 1:
        jk02.decode(frame, packs, memory)
    elif row == 2:
        jk02.decode_command(frame)
    elif row <= 7:
        _decode_modbus(frame, packs, memory, row)
    else:
        _decode_display(frame, packs, row)


def _decode_modbus(frame, packs, memory, row: int) -> None:
    if row == 3:
        jk_modbus.decode_ack(frame)
    elif row == 4:
        jk_modbus.decode_order(frame)
    elif row == 5:
        jk_modbus.decode_read(frame, memory)
    elif row == 6:
        jk_modbus.decode_registers(frame, packs, memory)
    else:
        jk_modbus.decode_error(frame)


def _decode_display(frame, packs, row: int) -> None:
    if row == 8:
        jk_display.decode_display(frame, packs)
    elif row == 9:
        jk_display.decode_pb(frame, packs)
    elif row == 10:
        jk_display.decode_pb_cells(frame, packs)
    elif row == 11:
        jk_display.decode_balancer(frame, packs)
    elif row == 12:
        jk_display.decode_balancer_read(frame)
    else:
        jk_display.decode_paint(frame)

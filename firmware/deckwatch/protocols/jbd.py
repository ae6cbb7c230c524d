"""JBD, LLT, Xiaoxiang, Overkill: DD ... 77, on the wire as through the Bluetooth module (jbd.md).

    request  DD | A5 read, 5A write | register | n | data n | check | 77
    reply    DD | register | status | n | data n | check | 77

The check of a reply does not cover its register, so what a reply holds must also look like it. Old
firmware has A5 in that place: then the last request decides, or the shape of the data alone.
"""

from micropython import const

from deckwatch.fields import read
from deckwatch.frame import ACK, READ, REPLY, UNKNOWN, WRITE
from deckwatch.framings import framed
from deckwatch.passing import bits
from deckwatch.rows import compiled, requested
from deckwatch.ticks import age_ms

BAUDS = (9600,)

# Longest: 95 registers read at once. Up to four bytes a host sent behind its 77 come back behind
# the reply's (sheet 2).
FRAMING = ((b"\xdd", (3, "B", 7, 7, 3 + 190 + 7), ("sum16_negated", 2, 3, 3, ">H"), b"\x77", 4),)
FRAMES = framed(FRAMING)

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

OPEN_DC = -300  # an input without a probe (Overkill capture, sheet 8)
SHORT_DC = 1500  # no source says what a shorted probe reads; nothing else reads so much

REQUESTS = (
    ("basic", "dda50300fffd77", REPLY, 1000),
    ("cells", "dda50400fffc77", REPLY, 1000),
    ("counters", "dda5aa00ff5677", REPLY, 60000),
    ("name", "dda50500fffb77", REPLY, 600000),
)
QUESTIONS = requested(REQUESTS)

PROTECTION = (
    (0, "cell_over_voltage", 1),
    (1, "cell_under_voltage", 1),
    (2, "pack_over_voltage", 1),
    (3, "pack_under_voltage", 1),
    (4, "charge_over_temperature", 1),
    (5, "charge_under_temperature", 1),
    (6, "discharge_over_temperature", 1),
    (7, "discharge_under_temperature", 1),
    (8, "charge_over_current", 1),
    (9, "discharge_over_current", 1),
    (10, "short_circuit", 1),
    (11, "front_end", 1),
    (12, "software_lock", 1),
    (13, "charge_fet", 1),
    (14, "discharge_fet", 1),
)

# First stage, in the tail only
ALARMS = (
    (0, "cell_voltage_high", 1),
    (1, "cell_under_voltage", 1),
    (2, "pack_voltage_high", 1),
    (3, "pack_under_voltage", 1),
    (4, "charge_temperature_high", 1),
    (5, "charge_under_temperature", 1),
    (6, "discharge_temperature_high", 1),
    (7, "discharge_under_temperature", 1),
    (8, "charge_over_current", 1),
    (9, "discharge_over_current", 1),
    (10, "cell_difference", 1),
    (11, "low_charge", 1),
)

# The tail stands behind as many probes as there are; its rows have addresses of their own.
_TAIL = const(0x100)
_TEMPS = const(23)

BASIC = (
    (0, ">H", "pack_mv", 10),
    (8, ">H", "cycles"),
    (10, ">date", "made_on"),
    (12, ">H", "balance_a"),
    (14, ">H", "balance_b"),
    (16, ">H", "faults", PROTECTION),
    (18, "bcd2", "firmware"),
    (19, "B", "soc_pct"),
    (20, "B.0", "charge_fet"),
    (20, "B.1", "discharge_fet"),
    (21, "B", "cell_count"),
    (22, "B", "probe_count"),
    (23, ">H", "temp_dc", 1, 1, -2731, 8),
    (_TAIL + 0, "B", "humidity_pct", 1, 1, 0, 1, 0, 0),  # 0 in every capture: no sensor
    (_TAIL + 1, ">H", "faults", ALARMS),
    (_TAIL + 1, ">H", "alarm_1_raw"),
    (_TAIL + 7, ">H", "balance_ma"),
)
# Current and charge count in 10 mA and 10 mAh, or in ten times that (bit 7 of byte 20)
CHARGE = (
    (2, ">h", "current_ma", 10),
    (4, ">H", "remaining_mah", 10),
    (6, ">H", "design_mah", 10),
    (_TAIL + 3, ">H", "full_mah", 10),
)
CHARGE_X10 = (
    (2, ">h", "current_ma", 100),
    (4, ">H", "remaining_mah", 100),
    (6, ">H", "design_mah", 100),
    (_TAIL + 3, ">H", "full_mah", 100),
)
CELLS = ((0, ">H", "cell_mv", 1, 1, 0, 32),)
COUNTERS = (
    (0, ">H", "short_circuit_count"),
    (2, ">H", "charge_over_current_count"),
    (4, ">H", "discharge_over_current_count"),
    (6, ">H", "cell_over_voltage_count"),
    (8, ">H", "cell_under_voltage_count"),
    (10, ">H", "charge_over_temperature_count"),
    (12, ">H", "charge_under_temperature_count"),
    (14, ">H", "discharge_over_temperature_count"),
    (16, ">H", "discharge_under_temperature_count"),
    (18, ">H", "pack_over_voltage_count"),
    (20, ">H", "pack_under_voltage_count"),
    (22, ">H", "restart_count"),
)

_BASIC = compiled(BASIC)
_CHARGE = compiled(CHARGE)
_CHARGE_X10 = compiled(CHARGE_X10)
_CELLS = compiled(CELLS)
_COUNTERS = compiled(COUNTERS)
_MODEL = compiled(((0, "text", "model"),))

_MARGIN = const(7)
_READ = const(0xA5)
_WRITE = const(0x5A)
_BASIC_INFO = const(0x03)
_CELL_VOLTAGES = const(0x04)
_NAME = const(0x05)
_ERROR_COUNTS = const(0xAA)
_LEAST_CELLS = const(2)  # two bytes are a parameter
_MOST_CELLS = const(32)
_SHORTEST_TAIL = const(9)
_MOST_MV = const(0x2020)  # 8.2 V: no front end measures it, and text begins there
_MOST_MV_GUESSED = const(5000)  # sheet 2
_PATIENCE_MS = const(1000)  # hosts ask again after 300 to 500 ms (sheet 1)


class Memory:
    """The last read without an answer: its register, -1 = none, and when it passed."""

    def __init__(self) -> None:
        self.register = -1
        self.at = 0

    def take(self, now: int) -> int:
        """The register a reply answers, -1 when nobody was heard asking."""
        register = self.register
        self.register = -1
        return register if age_ms(now, self.at) <= _PATIENCE_MS else -1


def decode(frame, packs, memory) -> None:
    """Meaning and values of one checked frame."""
    first = frame.buf[frame.at + 1]
    second = frame.buf[frame.at + 2]
    frame.body = frame.at + 4
    frame.body_size = frame.size - _MARGIN
    frame.register = second
    if first == _WRITE:
        frame.kind = WRITE
    elif first == _READ and (second or not frame.body_size):
        frame.kind = READ
        frame.is_request = True
        memory.register = second
        memory.at = frame.now
    else:
        frame.is_reply = True
        asked = memory.take(frame.now)
        frame.register = first
        if first == _READ:
            frame.register = asked if asked >= 0 else _guess(frame)
        _decode_reply(frame, packs[0], second)


def _decode_reply(frame, t, status: int) -> None:
    buf = frame.buf
    body = frame.body
    size = frame.body_size
    register = frame.register
    if status or not size:
        frame.kind = ACK
        return
    frame.kind = REPLY
    if register == _BASIC_INFO and _is_basic(buf, body, size):
        _take_basic(buf, body, size, t)
    elif register == _CELL_VOLTAGES and _is_cells(buf, body, size, _MOST_MV):
        read(_CELLS, buf, body, 0, size, t)
    elif register == _NAME and _is_text(buf, body, size):
        read(_MODEL, buf, body, 0, size, t)
    elif register == _ERROR_COUNTS and (size == 22 or size == 24):
        read(_COUNTERS, buf, body, 0, size, t)
    elif _BASIC_INFO <= register <= _NAME or register == _ERROR_COUNTS:
        frame.kind = UNKNOWN


def _take_basic(buf, body: int, size: int, t) -> None:
    tail = _TEMPS + 2 * buf[body + 22]
    charge = _CHARGE_X10 if buf[body + 20] & 0x80 else _CHARGE
    read(charge, buf, body, 0, tail, t)
    read(charge, buf, body + tail, _TAIL, size - tail, t)
    read(_BASIC, buf, body, 0, tail, t)
    read(_BASIC, buf, body + tail, _TAIL, size - tail, t)


def _is_basic(buf, body: int, size: int) -> bool:
    """As long as its number of probes says, and for no more cells than have balance bits."""
    if size < _TEMPS:
        return False
    tail = size - _TEMPS - 2 * buf[body + 22]
    return (tail == 0 or tail >= _SHORTEST_TAIL) and buf[body + 21] <= _MOST_CELLS


def _is_cells(buf, body: int, size: int, most_mv: int) -> bool:
    if size & 1 or not 2 * _LEAST_CELLS <= size <= 2 * _MOST_CELLS:
        return False
    for at in range(body, body + size, 2):
        if buf[at] << 8 | buf[at + 1] > most_mv:
            return False
    return True


def _is_text(buf, body: int, size: int) -> bool:
    for at in range(body, body + size):
        if not 0x20 <= buf[at] < 0x7F:
            return False
    return True


def _guess(frame) -> int:
    """Which register old firmware answers, by the shape of the data (sheet 2)."""
    if _is_basic(frame.buf, frame.body, frame.body_size):
        return _BASIC_INFO
    if _is_cells(frame.buf, frame.body, frame.body_size, _MOST_MV_GUESSED):
        return _CELL_VOLTAGES
    return _NAME

"""VESC controllers, and the pack when a VESC BMS or a bridge that imitates one is there (vesc.md).

    02 | length | payload | crc hi lo | 03      03 | length hi lo | payload | crc hi lo | 03

The first byte of the payload is the command; question and answer share it and differ in length.
Fields follow one another in the order of mask bits, so that a whole answer is one with every bit
set, as far as its length goes. The wire says + = drawn from the pack.

While a BMS speaks through the controller it is the one who knows the pack: what the controller
measures at its own supply then goes to `supply_mv` and `supply_ma` alone.
"""

from array import array

from micropython import const

from deckwatch.fields import read
from deckwatch.frame import READ, REPLY, WRITE
from deckwatch.framings import framed
from deckwatch.passing import bits
from deckwatch.rows import compiled, moved, requested
from deckwatch.telemetry import INDEX, MAX_CELLS, MAX_PROBES, NO_PROBE
from deckwatch.ticks import age_ms

BAUDS = (115200,)
FRAMING = (
    (b"\x02", (1, "B", 5, 6, 260), ("crc16_xmodem", 2, 3, 3, ">H"), b"\x03"),
    (b"\x03", (1, ">H", 6, 261, 518), ("crc16_xmodem", 3, 3, 3, ">H"), b"\x03"),
)
FRAMES = framed(FRAMING)

# Answer to 4 and, by mask, 50 (sheet 4.1). 0 °C of the motor: no sensor. 0 V: not configured.
VALUES = (
    (1, ">h", "controller_temp_dc"),
    (3, ">h", "motor_temp_dc", 1, 1, 0, 1, 0, 0),
    (5, ">i", "motor_ma", 10),
    (9, ">i", "current_ma", -10),
    (9, ">i", "supply_ma", -10),
    (27, ">h", "pack_mv", 100, 1, 0, 1, 0, 0),
    (27, ">h", "supply_mv", 100, 1, 0, 1, 0, 0),
    (53, "B", "error_code"),
)
VALUES_WIDTHS = (
    b"\x02\x02\x04\x04\x04\x04\x02\x04\x02\x04\x04"
    b"\x04\x04\x04\x04\x01\x04\x01\x06\x04\x04\x01"
)

# Answer to 47 and, by mask, 51 (sheet 4.3): currents are sums of all controllers on the CAN bus.
SETUP = (
    (1, ">h", "controller_temp_dc"),
    (3, ">h", "motor_temp_dc", 1, 1, 0, 1, 0, 0),
    (5, ">i", "motor_ma", 10),
    (9, ">i", "current_ma", -10),
    (9, ">i", "supply_ma", -10),
    (19, ">i", "speed_mh", 18, -5),
    (23, ">h", "pack_mv", 100, 1, 0, 1, 0, 0),
    (23, ">h", "supply_mv", 100, 1, 0, 1, 0, 0),
    (25, ">h", "soc_pct", 1, -10),
    (25, ">h", "controller_soc_pct", 1, -10),
    (55, "B", "error_code"),
    (57, "B", "controllers"),
    (62, ">I", "odometer_m"),
)
SETUP_WIDTHS = (
    b"\x02\x02\x04\x04\x02\x04\x04\x02\x02\x04\x04"
    b"\x04\x04\x04\x04\x04\x01\x01\x01\x04\x04\x04"
)

# Answer to 4 of firmware 2.x (sheet 4.2)
OLD_VALUES = (
    (1, ">h", "controller_temp_dc"),
    (15, ">i", "motor_ma", 10),
    (19, ">i", "current_ma", -10),
    (19, ">i", "supply_ma", -10),
    (29, ">h", "pack_mv", 100, 1, 0, 1, 0, 0),
    (29, ">h", "supply_mv", 100, 1, 0, 1, 0, 0),
    (55, "B", "error_code"),
)

# Answer to 96 (sheet 5): before the cells; cells; behind the probes, from where they end. Of the
# two currents the second, measured by the monitor itself, counts unless it is 0.
BMS = (
    (1, ">i", "pack_mv", 1, -1000, 0, 1, 0, 0),
    (9, ">i", "current_ma", -1, -1000),
    (13, ">i", "current_ma", -1, -1000),
)
BMS_CELLS = ((26, ">h", "cell_mv", 1, 1, 0, 32),)
BMS_TAIL = (
    (0, ">h", "board_temp_dc", 1, -10, 0, 1, 0, 0),
    (4, ">h", "humidity_pct", 1, -100, 0, 1, 0, 0),
    (8, ">h", "soc_pct", 1, -10),
    (10, ">h", "health_pct", 1, -10, 0, 1, 0, 0),
    (13, ">f", "total_charge_mah", 1, 1, 0, 1, 0, 0),
)

# What a BMS says on the CAN bus, passed on as 113 (sheet 6); address = 8 * CAN command + place.
CAN = (
    (38 * 8, ">f", "pack_mv", 1, 1, 0, 1, 0, 0),
    (39 * 8, ">f", "current_ma", -1),
    (39 * 8 + 4, ">f", "current_ma", -1),
    (42 * 8 + 4, ">H", "balance_b"),
    (42 * 8 + 6, ">H", "balance_a"),
    (44 * 8 + 2, ">h", "humidity_pct", 1, -100, 0, 1, 0, 0),
    (44 * 8 + 4, ">h", "board_temp_dc", 1, -10, 0, 1, 0, 0),
    (45 * 8 + 4, "B", "soc_pct", 100, -255),
    (45 * 8 + 5, "B", "health_pct", 100, -255, 0, 1, 0, 0),
    (45 * 8 + 7, "B.0", "charging_flag"),
)

# Reads, and nothing else may ever be sent (sheet 3). A fault is reported only while it is held,
# half a second by default: ask often. Setup values know the current of all controllers.
REQUESTS = (
    ("values", "020104408403", REPLY, 200),
    ("setup", "02012fd58d03", REPLY, 1000),
    ("bms", "0201606ca603", REPLY, 1000),
    ("version", "020100000003", REPLY, 600000),
)
QUESTIONS = requested(REQUESTS)

# By error_code (sheet 4.6); 2.x knows 0 to 6, 30 to 33 came with 7.00.
FAULT_NAMES = (
    "none",
    "over-voltage",
    "under-voltage",
    "gate driver",
    "absolute over-current",
    "MOSFETs too hot",
    "motor too hot",
    "gate driver over-voltage",
    "gate driver under-voltage",
    "processor under-voltage",
    "restarted by the watchdog",
    "encoder bus",
    "sine/cosine encoder below minimum",
    "sine/cosine encoder above maximum",
    "flash damaged",
    "current sensor 1 offset",
    "current sensor 2 offset",
    "current sensor 3 offset",
    "unbalanced currents",
    "brake chopper",
    "resolver: signal lost",
    "resolver: signal degraded",
    "resolver: no signal",
    "flash damaged: application settings",
    "flash damaged: motor settings",
    "encoder: no magnet",
    "encoder: magnet too strong",
    "phase filter",
    "encoder",
    "low-voltage output",
    "encoder slips",
    "too fast",
    "too slow",
    "too fast, absolute limit",
)
# Supply out of range, power stage, heat: stop now, as for the scooters' own codes.
ALARMING_ERRORS = b"\x01\x02\x03\x04\x05\x06\x07\x08\x09"

STEADY = bits("pack_mv", "current_ma", "error_code")

OPEN_DC = -400
SHORT_DC = 1500  # no source says what a shorted probe reads; nothing else reads so much

_PLAIN_READS = b"\x00\x04\x2f\x3e\x60"  # 0 version, 4 values, 47 setup, 62 ping, 96 BMS
_FORWARD = const(34)
_SELECTIVE = const(50)
_SETUP_SELECTIVE = const(51)
_CAN_FRAME = const(113)
# Whatever sets, resets, moves or writes (sheet 3); some of these are answered in kind.
_WRITES = (
    b"\x01\x02\x03\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x10\x14\x18\x19\x1a\x1b\x1c\x1d\x1e\x23"
    b"\x61\x62\x63\x64\x65\x7e\x88"
)
_ALL = const(0x3FFFFF)  # all bits of either mask
_OLD_SIZE = const(56)
_LEAST_VALUES = const(59)
_LEAST_SETUP = const(62)
_CAN_CURRENT = const(39)
_CAN_CELLS = const(41)
_CAN_TEMPS = const(43)
_CAN_STATE = const(45)

_MOMENT_MS = const(500)  # longest a set in parts may take, as in meters/cells.py
_EMPTY_MV = const(3500)  # a pack whose every cell has more is not at 0 %
_COLDEST_DC = const(-400)  # a motor's sensor that reads less is not there: open ones give -80 °C
_HOTTEST_DC = const(3000)
_UNUSED = const(9900)  # raw of a probe that is not there; so is 0

_SOC = INDEX["soc_pct"]
_BALANCE_A = INDEX["balance_a"]
_BALANCE_B = INDEX["balance_b"]
_MOTOR_TEMP = INDEX["motor_temp_dc"]
_CONTROLLERS = INDEX["controllers"]


# Where the lists lie in one table, apart as far as the longest frame reaches
_VALUES = const(0)
_SETUP = const(0x60)
_OLD_VALUES = const(0xC0)
_BMS = const(0x180)
_BMS_TAIL = const(0x400)
_CAN = const(0x1000)


def _rows(of_pack: bool) -> tuple:
    """The rows of the controller that speak of the pack, or those that do not."""
    rows = VALUES + moved(SETUP, _SETUP) + moved(OLD_VALUES, _OLD_VALUES)
    slots = ("pack_mv", "current_ma", "soc_pct")
    return tuple([row for row in rows if (row[2] in slots) == of_pack])


_PACK_ROWS = compiled(_rows(True))
_ROWS = compiled(
    _rows(False)
    + moved(BMS + BMS_CELLS, _BMS)
    + moved(BMS_TAIL, _BMS_TAIL)
    + moved(CAN, _CAN)
)
# Behind the name is an identity: never read.
_VERSION = compiled(((1, "release", "firmware"), (3, "textz", "model")))


class Memory:
    """What BMS frames passed on from the CAN bus need: the sets half received, each in several
    frames and handed on only when whole, in order and of one moment, and whose they are.

    bms: CAN id of the first BMS heard; another one's values would mix with its own. raw: the set
    of cells, from MAX_CELLS on that of temperatures.
    """

    def __init__(self) -> None:
        self.bms = -1
        self.raw = array("h", bytes(2 * (MAX_CELLS + MAX_PROBES)))
        self._next = array("h", [-1, -1])  # number of the value that must come next; -1 = first
        self._began = array("i", [0, 0])

    def take(self, place: int, most: int, buf, at: int, size: int, now: int) -> int:
        """Keeps [first, total, value, ...] from raw[place] on, `most` values. Returns how many
        there are once the last one is in, else 0."""
        own = 1 if place else 0
        number = self._next[own]
        self._next[own] = -1
        if not buf[at]:
            number = 0
            self._began[own] = now
        if buf[at] != number or age_ms(now, self._began[own]) > _MOMENT_MS:
            return 0
        for value_at in range(at + 2, at + size - 1, 2):
            if number < most:
                self.raw[place + number] = _signed(buf, value_at)
            number += 1
        if number == buf[at + 1]:
            return min(number, most)
        self._next[own] = number
        return 0


def decode(frame, packs, memory) -> None:
    """Meaning and values of one checked frame."""
    buf = frame.buf
    t = packs[0]
    head = 3 if frame.framing else 2
    frame.body = frame.at + head
    frame.body_size = size = frame.size - head - 3
    frame.register = command = buf[frame.body]
    if _is_read(buf, frame.body, size):
        frame.kind = READ
        frame.is_request = True
    elif command == _FORWARD:
        frame.is_request = size > 2 and _is_read(buf, frame.body + 2, size - 2)
        frame.kind = READ if frame.is_request else WRITE
    elif command == _CAN_FRAME:
        _decode_can(frame, t, memory)
    elif command in _WRITES:
        frame.kind = WRITE
    else:
        _decode_answer(frame, t, command, size)


def _is_read(buf, place: int, size: int) -> bool:
    """Is buf[place : place + size] a question of those that only read? Its answer is longer."""
    if size == 1:
        return buf[place] in _PLAIN_READS
    return size == 5 and (buf[place] == _SELECTIVE or buf[place] == _SETUP_SELECTIVE)


def _decode_answer(frame, t, command: int, size: int) -> None:
    """Leaves the frame unknown when it is none of ours, or shorter than any of its kind."""
    buf = frame.buf
    body = frame.body
    if command == 4 and size == _OLD_SIZE:
        read(_ROWS, buf, body, _OLD_VALUES, size, t)
        if not _is_beside(t, frame.now):
            read(_PACK_ROWS, buf, body, _OLD_VALUES, size, t)
    elif command == 4 and size >= _LEAST_VALUES:
        _read_values(frame, 1, _ALL, t)
    elif command == _SELECTIVE and size > 5:
        _read_values(frame, 5, _mask(buf, body + 1), t)
    elif command == 47 and size >= _LEAST_SETUP:
        _read_setup(frame, 1, _ALL, t)
    elif command == _SETUP_SELECTIVE and size > 5:
        _read_setup(frame, 5, _mask(buf, body + 1), t)
    elif command == 96:
        if not _read_bms(frame, t):
            return
    elif command == 0 and size > 2:
        read(_VERSION, buf, body, 0, size, t)
    elif command != 62:  # the ids a ping found
        return
    frame.kind = REPLY
    frame.is_reply = True


def _mask(buf, place: int) -> int:
    """The bits of a u32 mask that have a meaning; those above come behind what they name."""
    return (buf[place + 1] & 0x3F) << 16 | buf[place + 2] << 8 | buf[place + 3]


def _is_beside(t, now: int) -> bool:
    """Does a BMS speak for the pack?"""
    return t.cells > 0 and age_ms(now, t.cell_stamp[0]) <= t.ttl_ms


def _read_values(frame, skip: int, mask: int, t) -> None:
    """One controller's; with several on the bus its current is not the pack's."""
    several = t.fresh(_CONTROLLERS, frame.now) and t.value[_CONTROLLERS] > 1
    is_pack = not several and not _is_beside(t, frame.now)
    _read_masked(frame, skip, mask, _VALUES, VALUES_WIDTHS, is_pack, t)


def _read_setup(frame, skip: int, mask: int, t) -> None:
    is_pack = not _is_beside(t, frame.now)
    _read_masked(frame, skip, mask, _SETUP, SETUP_WIDTHS, is_pack, t)


def _read_masked(
    frame, skip: int, mask: int, first: int, widths: bytes, is_pack: bool, t
) -> None:
    """Fields whose bits are set lie one behind the other, as far as the frame goes."""
    place = frame.body + skip
    end = frame.body + frame.body_size
    offset = first + 1  # the field's address
    for bit in range(len(widths)):
        width = widths[bit]
        if mask >> bit & 1:
            if place + width > end:
                break
            read(_ROWS, frame.buf, place, offset, width, t)
            if is_pack:
                read(_PACK_ROWS, frame.buf, place, offset, width, t)
            place += width
        offset += width
    if t.seen[_MOTOR_TEMP] and not _COLDEST_DC <= t.value[_MOTOR_TEMP] <= _HOTTEST_DC:
        t.drop(_MOTOR_TEMP)


def _read_bms(frame, t) -> bool:
    """False when the counts in it need more than there is. No cells: no BMS, all is zero."""
    buf = frame.buf
    body = frame.body
    size = frame.body_size
    cells = buf[body + 25] if size > 25 else 0
    temps_at = 27 + 3 * cells
    if size < temps_at:
        return False
    temps = buf[body + temps_at - 1]
    tail_at = temps_at + 2 * temps
    if size < tail_at + 12:  # up to state of health; what follows came later
        return False
    if cells:
        read(_ROWS, buf, body, _BMS, 5, t)
        measured = buf[body + 13] | buf[body + 14] | buf[body + 15] | buf[body + 16]
        place = 13 if measured else 9  # one of the two, so that a frame counts as one sample
        read(_ROWS, buf, body + place, _BMS + place, 4, t)
        read(_ROWS, buf, body + 26, _BMS + 26, 2 * cells, t)
        _read_balance(buf, body + 26 + 2 * cells, min(cells, MAX_CELLS), t)
        for number in range(temps):
            t.set_temp(number, _probe_dc(_signed(buf, body + temps_at + 2 * number)))
        read(_ROWS, buf, body + tail_at, _BMS_TAIL, size - tail_at, t)
        lowest = t.cell_mv[0]
        for cell in range(1, min(cells, MAX_CELLS)):
            lowest = min(lowest, t.cell_mv[cell])
        _hide_no_soc(t, lowest)
    return True


def _read_balance(buf, place: int, cells: int, t) -> None:
    """One byte per cell, 1 = it is being discharged."""
    low = high = 0
    for cell in range(cells):
        if buf[place + cell]:
            if cell < 16:
                low |= 1 << cell
            else:
                high |= 1 << cell - 16
    t.set(_BALANCE_A, low)
    t.set(_BALANCE_B, high)


def _hide_no_soc(t, lowest_mv: int) -> None:
    """Bridges that know no state of charge send 0 (sheet 5)."""
    if t.seen[_SOC] and not t.value[_SOC] and lowest_mv > _EMPTY_MV:
        t.drop(_SOC)


def _probe_dc(raw: int) -> int:
    """From 0.01 °C, to the nearest 0.1 °C."""
    return NO_PROBE if raw == 0 or raw == _UNUSED else (raw + 5) // 10


def _signed(buf, at: int) -> int:
    raw = buf[at] << 8 | buf[at + 1]
    return raw - 0x10000 if raw & 0x8000 else raw


def _decode_can(frame, t, memory) -> None:
    """[113, CAN id, CAN command, up to 8 bytes], which nobody asked for."""
    buf = frame.buf
    size = frame.body_size - 3
    if not 0 <= size <= 8:
        return
    frame.kind = "bms_can"
    if memory.bms < 0:
        memory.bms = buf[frame.body + 1]
    if memory.bms != buf[frame.body + 1]:
        return
    command = buf[frame.body + 2]
    place = frame.body + 3
    if command == _CAN_CELLS and size >= 2:
        for cell in range(memory.take(0, MAX_CELLS, buf, place, size, frame.now)):
            t.set_cell(cell, memory.raw[cell])
    elif command == _CAN_TEMPS and size >= 2:
        for number in range(memory.take(MAX_CELLS, MAX_PROBES, buf, place, size, frame.now)):
            t.set_temp(number, _probe_dc(memory.raw[MAX_CELLS + number]))
    elif command == _CAN_CURRENT:
        if size == 8:
            measured = buf[place + 4] | buf[place + 5] | buf[place + 6] | buf[place + 7]
            skip = 4 if measured else 0
            read(_ROWS, buf, place + skip, _CAN + 8 * _CAN_CURRENT + skip, 4, t)
    elif command != _CAN_STATE:
        read(_ROWS, buf, place, _CAN + 8 * command, size, t)
    elif size == 8:
        read(_ROWS, buf, place, _CAN + 8 * _CAN_STATE, 8, t)
        _hide_no_soc(t, _signed(buf, place))

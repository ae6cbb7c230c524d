"""ANT: the old 140-byte status and the protocol of boards since 2021, which answer both (ant.md).

    old  AA 55 AA FF | 134 bytes | sum        requests and settings: h h address dH dL sum
    new  7E A1 | function | address lo hi | length | data ... | crc lo hi | AA 55

A new read request carries the length it wants and no data. Replies to settings and passwords
carry six bytes more before their end. Discharge stands before charge in the new status: byte
46+o falls with the command "discharge off" (sheet 4), two well-known projects have it swapped.
"""

from micropython import const

from deckwatch.faults import FAULTS, WORD_BITS
from deckwatch.fields import read
from deckwatch.frame import ACK, READ, REPLY, WRITE
from deckwatch.framings import framed
from deckwatch.passing import bits
from deckwatch.rows import compiled, requested
from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms

BAUDS = (19200, 9600)

# New frames: a read request, all others, those with six bytes more. Longest: 32 cells, 4 probes.
FRAMING = (
    (b"\xaa\x55\xaa\xff", (0, "", 140, 140, 140), ("sum16", 4, 2, 2, ">H"), b""),
    (b"\x5a\x5a", (0, "", 6, 6, 6), ("sum8", 2, 1, 1, "B"), b""),
    (b"\xdb\xdb", (0, "", 6, 6, 6), ("sum8", 2, 1, 1, "B"), b""),
    (b"\xa5\xa5", (0, "", 6, 6, 6), ("sum8", 2, 1, 1, "B"), b""),
    (b"\x7e\xa1", (0, "", 10, 10, 10), ("crc16_modbus", 1, 4, 4, "<H"), b"\xaa\x55"),
    (b"\x7e\xa1", (5, "B", 10, 11, 188), ("crc16_modbus", 1, 4, 4, "<H"), b"\xaa\x55"),
    (b"\x7e\xa1", (5, "B", 16, 16, 194), ("crc16_modbus", 1, 10, 10, "<H"), b"\xaa\x55"),
)
FRAMES = framed(FRAMING)

# Old status, offsets in the frame (sheet 3). -40 °C: no probe. Capacity 0: unknown.
OLD_STATUS = (
    (4, ">H", "pack_mv", 100),
    (70, ">i", "current_ma", -100),  # the wire says + = discharge
    (74, "B", "soc_pct"),
    (75, ">I", "full_mah", 1, -1000, 0, 1, 0, 0),
    (79, ">I", "remaining_mah", 1, -1000),
    (91, ">h", "mos_temp_dc", 10, 1, 0, 1, 0, -40),
    (93, ">h", "board_temp_dc", 10, 1, 0, 1, 0, -40),
    (95, ">h", "temp_dc", 10, 1, 0, 4, 0, -40),
    (132, ">H", "balance_b"),
    (134, ">H", "balance_a"),
)
OLD_CELLS = ((6, ">H", "cell_mv", 1, 1, 0, 32),)

# New status: cells and probes follow one another, then the rest, here as if there were neither.
CELLS = ((34, "<H", "cell_mv", 1, 1, 0, 32),)
PROBES = ((34, "<h", "temp_dc", 10, 1, 0, 4, 0, -40),)
STATUS = (
    (34, "<h", "mos_temp_dc", 10, 1, 0, 1, 0, -40),
    (36, "<h", "board_temp_dc", 10, 1, 0, 1, 0, -40),
    (38, "<H", "pack_mv", 10),
    (40, "<h", "current_ma", -100),
    (42, "<H", "soc_pct"),
    (44, "<H", "health_pct"),
    (50, "<I", "full_mah", 1, -1000, 0, 1, 0, 0),
    (54, "<I", "remaining_mah", 1, -1000),
    (70, "<H", "balance_a"),
    (72, "<H", "balance_b"),
    (100, "<I", "total_charge_mah"),
)
# Settings by address; from 26C on, texts (sheet 4)
SETTINGS = (
    (0x000, "<H", "cell_high_mv"),
    (0x002, "<H", "cell_high_clear_mv"),
    (0x00C, "<H", "cell_low_mv"),
    (0x00E, "<H", "cell_low_clear_mv"),
    (0x26C, "text16", "model"),
    (0x27C, "text16", "firmware"),
)

# Why a MOSFET is off, by code; "" = no fault. There are no other fault bits with a known meaning.
DISCHARGE_FAULTS = (
    "",  # off
    "",  # on
    "cell_under_voltage",
    "discharge_over_current",
    "discharge_over_current",  # second level
    "pack_under_voltage",
    "discharge_over_temperature",
    "board_over_temperature",  # MOSFETs
    "current_sensor",
    "sense_wire",
    "board_over_temperature",
    "",  # charge MOSFET on
    "short_circuit",
    "discharge_fet",
    "vendor",  # start failed
    "",  # off by hand
    "deep_under_voltage",
    "discharge_under_temperature",
    "cell_difference",
    "",  # self-test
)
CHARGE_FAULTS = (
    "",  # off
    "",  # on
    "cell_voltage_high",  # first level: so ends every charge of the three full packs captured
    "charge_over_current",
    "",  # full
    "pack_over_voltage",
    "charge_over_temperature",
    "board_over_temperature",  # MOSFETs
    "current_sensor",
    "sense_wire",
    "board_over_temperature",
    "vendor",  # not named by any source
    "charge_fet",  # did not open
    "discharge_fet",
    "",  # waiting
    "",  # off by hand
    "cell_over_voltage",  # second level
    "charge_under_temperature",
    "cell_difference",
    "vendor",  # not named by any source
    "",  # self-test
)
BALANCE_FAULTS = ("", "", "", "balancer", "", "", "", "", "", "", "board_over_temperature")

REQUESTS = (
    ("status", "7ea1010000be1855aa55", REPLY, 1000),
    ("old_status", "5a5a00000000", REPLY, 1000),  # for boards that do not answer the first
    ("limits", "7ea10200003899b3aa55", REPLY, 600000),
    ("version", "7ea1026c022058c4aa55", REPLY, 600000),
)
QUESTIONS = requested(REQUESTS)

# One status says it all.
STEADY = bits(
    "pack_mv",
    "current_ma",
    "soc_pct",
    "cell_mv",
    "temp_dc",
    "mos_temp_dc",
    "charge_fet",
    "discharge_fet",
    "faults_a",
)

OPEN_DC = -400  # what a board says of a probe that is not there
SHORT_DC = 1500  # no source says what a shorted probe reads; nothing else reads so much

_OLD_STATUS = const(0)  # rows of FRAMING
_OLD_READ = const(1)
_OLD_DISPLAY = const(2)
_NEW = const(4)
_LONGER = const(6)

_OLD_TABLE = compiled(OLD_STATUS)
_OLD_CELLS_TABLE = compiled(OLD_CELLS)
_CELLS_TABLE = compiled(CELLS)
_PROBES_TABLE = compiled(PROBES)
_STATUS_TABLE = compiled(STATUS)
_SETTINGS_TABLE = compiled(SETTINGS)

_UNLISTED = const(21)  # every code from here on
_NO_FAULT = const(255)


def _numbers(names: tuple, unlisted: str) -> bytes:
    """Places in FAULTS by code."""
    padded = names + (unlisted,) * (_UNLISTED + 1 - len(names))
    return bytes([FAULTS.index(name) if name else _NO_FAULT for name in padded])


_DISCHARGE = _numbers(DISCHARGE_FAULTS, "vendor")
_CHARGE = _numbers(CHARGE_FAULTS, "vendor")
_BALANCE = _numbers(BALANCE_FAULTS, "")

_HEALTH = INDEX["health_pct"]  # in the new status alone
_CHARGE_FET = INDEX["charge_fet"]
_DISCHARGE_FET = INDEX["discharge_fet"]


def decode(frame, packs, memory) -> None:
    """Meaning and values of one checked frame."""
    if frame.framing >= _NEW:
        _decode_new(frame, packs[0])
    elif frame.framing == _OLD_STATUS:
        _decode_old_status(frame, packs[0])
    else:
        _decode_old_order(frame)


def _decode_old_status(frame, t) -> None:
    buf = frame.buf
    at = frame.at
    frame.kind = REPLY
    frame.is_reply = True
    frame.body = at + 4
    frame.body_size = 134
    if t.seen[_HEALTH] and age_ms(frame.now, t.stamp[_HEALTH]) <= t.ttl_ms:
        return  # the new status passes too, and says the same in finer steps
    read(_OLD_CELLS_TABLE, buf, at + 6, 6, 2 * buf[at + 123], t)
    read(_OLD_TABLE, buf, at, 0, frame.size, t)
    _take_codes(t, buf[at + 104], buf[at + 103], buf[at + 105])


def _decode_old_order(frame) -> None:
    """Six bytes either way: a setting read carries 0, its answer the value."""
    buf = frame.buf
    at = frame.at
    frame.register = buf[at + 2]
    frame.body = at + 3
    frame.body_size = 2
    if frame.framing > _OLD_DISPLAY:
        frame.kind = WRITE
    elif frame.framing == _OLD_READ and frame.register and (buf[at + 3] or buf[at + 4]):
        frame.kind = REPLY
        frame.is_reply = True
    else:
        frame.kind = READ
        frame.is_request = True


def _decode_new(frame, t) -> None:
    buf = frame.buf
    at = frame.at
    function = buf[at + 2]
    frame.register = buf[at + 3] | buf[at + 4] << 8
    frame.body = at + 6
    frame.body_size = frame.size - (16 if frame.framing == _LONGER else 10)
    if function == 0x11:
        _decode_status(frame, t)
    elif function == 0x12 or function == 0x14:
        frame.kind = REPLY
        frame.is_reply = True
        # 14 carries twelve bytes that may be the processor's id: not read
        if function == 0x12:
            read(_SETTINGS_TABLE, buf, frame.body, frame.register, frame.body_size, t)
    elif function == 0x01 or function == 0x02 or function == 0x04:
        frame.kind = READ
        frame.is_request = True
        frame.wanted = buf[at + 5]
    elif function == 0x22 or function == 0x51:
        frame.kind = WRITE
    elif function == 0x23:
        frame.kind = "service"  # a password in clear: not read
    elif function == 0x42 or function == 0x43 or function == 0x61:
        frame.kind = ACK
        frame.is_reply = True


def _decode_status(frame, t) -> None:
    """Leaves the frame unknown when the counts in it do not explain its length."""
    buf = frame.buf
    at = frame.at
    probes = 2 * buf[at + 8]
    cells = 2 * buf[at + 9]
    if frame.body_size != 106 + cells + probes:
        return
    frame.kind = REPLY
    frame.is_reply = True
    place = at + 34
    read(_CELLS_TABLE, buf, place, 34, cells, t)
    place += cells
    read(_PROBES_TABLE, buf, place, 34, probes, t)
    place += probes
    read(_STATUS_TABLE, buf, place, 34, 78, t)
    _take_codes(t, buf[place + 12], buf[place + 13], buf[place + 14])


def _take_codes(t, discharge: int, charge: int, balance: int) -> None:
    """A MOSFET is on for code 1 alone; every other code is a reason why it is off."""
    t.set(_DISCHARGE_FET, 1 if discharge == 1 else 0)
    t.set(_CHARGE_FET, 1 if charge == 1 else 0)
    t.add_faults(0, 0)
    _add_fault(t, _DISCHARGE, discharge)
    _add_fault(t, _CHARGE, charge)
    _add_fault(t, _BALANCE, balance)


def _add_fault(t, numbers: bytes, code: int) -> None:
    fault = numbers[min(code, _UNLISTED)]
    if fault < WORD_BITS:
        t.add_faults(1 << fault, 0)
    elif fault != _NO_FAULT:
        t.add_faults(0, 1 << fault - WORD_BITS)

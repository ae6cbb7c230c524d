"""JK's "4E 57" frames: the GPS or RS485 socket of B and BD boards, and of PB boards set to it
(sheet jk.md 1). One reply carries everything, as a list of registers; jk.py calls decode().

    4E 57 | length | terminal (4) | command | sender | type | registers ... | record (4) | 68 |
    00 00 | sum

A register is its number and data of a width the table knows. Cells come first and shift all that
follows, so nothing has a fixed place. Registers B2 (settings password), B4 and BA (names people
gave) pass by: their width is known, what they hold is never read.
"""

from micropython import const

from deckwatch.fields import read
from deckwatch.frame import ACK, READ, REPLY, WRITE
from deckwatch.rows import compiled
from deckwatch.telemetry import INDEX

# 8B (sheet 1.7). Bit 2 also fires as "battery full"; "309" is the measuring chip.
WARNINGS = (
    (0, "low_charge", 1),
    (1, "board_over_temperature", 1),
    (2, "pack_over_voltage", 1),
    (3, "pack_under_voltage", 1),
    (4, "over_temperature", 1),
    (5, "charge_over_current", 1),
    (6, "discharge_over_current", 1),
    (7, "cell_difference", 1),
    (8, "over_temperature", 1),
    (9, "under_temperature", 1),
    (10, "cell_over_voltage", 1),
    (11, "cell_under_voltage", 1),
    (12, "front_end", 1),
    (13, "front_end", 1),
)

# number, bytes, and where it has a slot a row of rows.py without its offset (sheet 1.4). 88 and
# 8D never appear; 8C bit 3 is read as both good and bad by others, and left alone.
REGISTERS = (
    (0x80, 2),
    (0x81, 2),
    (0x82, 2),
    (0x83, 2, ">H", "pack_mv", 10),
    (0x84, 2),
    (0x85, 1),
    (0x86, 1, "B", "probe_count"),
    (0x87, 2),
    (0x89, 4, ">I", "cycled_mah", 1000),
    (0x8A, 2, ">H", "cell_count"),
    (0x8B, 2, ">H", "faults", WARNINGS),
    (0x8C, 2, ">H.0", "charge_fet"),
    (0x8C, 2, ">H.1", "discharge_fet"),
    (0x8C, 2, ">H.2", "balancing"),
    (0x8E, 2, ">H", "pack_high_mv", 10),
    (0x8F, 2, ">H", "pack_low_mv", 10),
    (0x90, 2, ">H", "cell_high_mv"),
    (0x91, 2, ">H", "cell_high_clear_mv"),
    (0x92, 2),
    (0x93, 2, ">H", "cell_low_mv"),
    (0x94, 2, ">H", "cell_low_clear_mv"),
    (0x95, 2),
    (0x96, 2),
    (0x97, 2, ">H", "discharge_limit_ma", 1000),
    (0x98, 2),
    (0x99, 2, ">H", "charge_limit_ma", 1000),
    (0x9A, 2),
    (0x9B, 2, ">H", "balance_start_mv"),
    (0x9C, 2, ">H", "balance_on_mv"),
    (0x9D, 1),
    (0x9E, 2, ">H", "mos_hot_dc", 10),
    (0x9F, 2),
    (0xA0, 2),
    (0xA1, 2),
    (0xA2, 2),
    (0xA3, 2, ">H", "charge_hot_dc", 10),
    (0xA4, 2, ">H", "discharge_hot_dc", 10),
    (0xA5, 2, ">h", "charge_cold_dc", 10),
    (0xA6, 2),
    (0xA7, 2, ">h", "discharge_cold_dc", 10),
    (0xA8, 2),
    (0xA9, 1),
    (0xAA, 4, ">I", "design_mah", 1000),
    (0xAB, 1),
    (0xAC, 1),
    (0xAD, 2),
    (0xAE, 1),
    (0xAF, 1),
    (0xB0, 2),
    (0xB1, 1),
    (0xB2, 10),
    (0xB3, 1),
    (0xB4, 8),
    (0xB5, 4),
    (0xB6, 4, ">I", "run_time_s", 60),
    (0xB7, 15, "text15", "firmware"),
    (0xB8, 1),
    (0xB9, 4, ">I", "full_mah", 1000, 1, 0, 1, 0, 0),  # 0 before firmware 10.10: not told
    (0xBA, 24),
    (0xBB, 1),
    (0xBC, 1),
    (0xBD, 1),
    (0xBE, 2),
    (0xBF, 2),
    (0xC0, 1),
)

_CELLS = const(0x79)
_FIRST = const(0x80)
_MOS_TEMP = const(0x80)
_LAST_TEMP = const(0x82)
_CURRENT = const(0x84)
_SOC = const(0x85)
_CYCLES = const(0x87)
_FIRMWARE = const(0xB7)  # every list reaches it; that of 2020 ends with it
_CODING = const(0xC0)
_SPREAD = const(4)  # a register's address is its number << _SPREAD: wider than any that is read


def _widths() -> bytes:
    """Of each register from _FIRST on; 0 = nobody knows it."""
    widths = bytearray(_CODING - _FIRST + 1)
    for row in REGISTERS:
        widths[row[0] - _FIRST] = row[1]
    return bytes(widths)


_WIDTHS = _widths()
_TABLE = compiled(tuple([(row[0] << _SPREAD,) + row[2:] for row in REGISTERS if len(row) > 2]))

_MOS_TEMP_SLOT = INDEX["mos_temp_dc"]
_CURRENT_SLOT = INDEX["current_ma"]
_SOC_SLOT = INDEX["soc_pct"]
_CYCLES_SLOT = INDEX["cycles"]

_HEAD = const(11)
_MARGIN = const(20)  # head, record number, end marker, check
_END_MARK = const(0x68)
_MOST_RAW = const(140)  # temperature of -40 degC


def decode(frame, packs) -> None:
    """Meaning and values of one frame; one with a wrong end marker stays unknown."""
    buf = frame.buf
    at = frame.at
    if buf[at + frame.size - 5] != _END_MARK:
        return
    command = buf[at + 8]
    kind = buf[at + 10]
    frame.register = command
    frame.body = at + _HEAD
    frame.body_size = frame.size - _MARGIN
    if kind == 0:
        _decode_request(frame, command)
    elif kind == 1 or kind == 2:
        frame.is_reply = True
        if command == 0x03 or command == 0x06:
            frame.kind = REPLY
            _walk(buf, frame.body, frame.body + frame.body_size, packs[0])
        else:
            frame.kind = ACK


def _decode_request(frame, command: int) -> None:
    """What the host says. It comes back on the battery's wire where receive and transmit are
    swapped, as a valid frame (sheet 1.9)."""
    if command == 0x03 or command == 0x06:
        frame.kind = READ
        frame.is_request = True
    elif command == 0x01:
        frame.kind = "wake"
        frame.is_request = True
    elif command == 0x02 or command == 0x05:
        frame.kind = WRITE


def _walk(buf, place: int, end: int, t) -> None:
    """Register by register, to the end or to a number nobody knows."""
    current = soc = cycles = coding = -1
    listed = False
    width = _width(buf, place, end)
    while width:
        register = buf[place]
        data = place + 1
        if register == _CELLS:
            _take_cells(buf, data, t)
        elif register <= _LAST_TEMP:
            _take_temp(register, buf[data] << 8 | buf[data + 1], t)
        elif register == _CURRENT:
            current = buf[data] << 8 | buf[data + 1]
        elif register == _SOC:
            soc = buf[data]
        elif register == _CYCLES:
            cycles = buf[data] << 8 | buf[data + 1]
        elif register == _CODING:
            coding = buf[data]
        else:
            listed = listed or register == _FIRMWARE
            read(_TABLE, buf, data, register << _SPREAD, width, t)
        place = data + width
        width = _width(buf, place, end)
    if current >= 0:
        _take_current(current, coding, listed and place == end, t)
    # For 16 s after its start a board says 0 % and 0 cycles, whatever is true (sheet 1.1)
    if soc > 0 or cycles > 0:
        if soc >= 0:
            t.set(_SOC_SLOT, soc)
        if cycles >= 0:
            t.set(_CYCLES_SLOT, cycles)


def _width(buf, place: int, end: int) -> int:
    """Bytes of data of the register at buf[place]; 0 = nothing left, unknown, or cut short."""
    if place + 1 >= end:
        return 0
    register = buf[place]
    if register == _CELLS:
        width = 1 + buf[place + 1]
    elif _FIRST <= register <= _CODING:
        width = _WIDTHS[register - _FIRST]
    else:
        return 0
    return width if place + 1 + width <= end else 0


def _take_cells(buf, at: int, t) -> None:
    """Count of bytes, then number (from 1) and mV of each cell."""
    for place in range(at + 1, at + buf[at] - 1, 3):
        if buf[place]:
            t.set_cell(buf[place] - 1, buf[place + 1] << 8 | buf[place + 2])


def _take_temp(register: int, raw: int, t) -> None:
    """Above 100 it is below zero (sheet 1.5: vendor's rule; others differ by 1 degC near 0)."""
    if raw > _MOST_RAW:
        return
    dc = 10 * (raw if raw <= 100 else 100 - raw)
    if register == _MOS_TEMP:
        t.set(_MOS_TEMP_SLOT, dc)
    else:
        t.set_temp(register - _MOS_TEMP - 1, dc)


def _take_current(raw: int, coding: int, whole: bool, t) -> None:
    """Register C0, which comes last, says how to read 84. Only a whole list without it is one of
    2020, where 10000 is no current and less is charging; anything else tells nothing (sheet 1.6).
    """
    if coding == 1:
        ma = 10 * (raw & 0x7FFF)
        t.set(_CURRENT_SLOT, ma if raw & 0x8000 else -ma)
    elif coding <= 0 and whole:
        t.set(_CURRENT_SLOT, 10 * (10000 - raw))

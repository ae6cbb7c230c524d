"""Declared rows -> telemetry. A protocol's table of literal rows is compiled once, then walked without allocating.

A row is (offset, code, slot, mul, div, add, count, first, absent); what is left off takes 1, 1, 0, 1, 0, none.
  offset  byte address in the family's register space or payload
  code    a struct code "B" "b" "<H" ">h" "<I" ...; with ".n" appended, bit n of it; "date" (year-2000 in 7 bits, month 4, day 5, little
          endian; ">date" big endian), "bcd" (0x0115 -> 1.1.5), "text14" (14 ASCII bytes)
  slot    a telemetry slot; "cell_mv" and "temp_dc" run over `count` elements from number `first` (0-based)
  value   = raw * mul // div + add, floor division; a raw equal to `absent` means: no such probe
  For slot "faults" the fourth item is a tuple of (bit, fault name, value that means fault).
A value that does not fit 30 bits is left out: no real quantity of a scooter does.
"""

from array import array

from micropython import const

from deckwatch.faults import FAULTS, WORD_BITS
from deckwatch.telemetry import INDEX, NO_PROBE, TEXT_BYTES

_LIMIT = const((1 << 30) - 1)
_NEVER = const(-(1 << 30))

_CODES = ("B", "b", "<H", "<h", ">H", ">h", "<I", "<i", ">I", ">i")
_FIRST_LONG = const(6)  # codes from here on are 32 bits wide
_VALUE = const(0)
_CELL = const(1)
_TEMP = const(2)
_BIT = const(3)
_FAULTS = const(4)
_DATE = const(5)
_BCD = const(6)
_TEXT = const(7)
_ROW = const(10)  # integers per compiled row: offset, kind, code, width, target, mul, div, add, count, absent
_BLOCK = const(4)  # rows are looked up by offset >> _BLOCK


def _width(code: int) -> int:
    return 1 if code < 2 else 2 if code < 6 else 4


class Table:
    """Rows of one address space, sorted by offset and compiled to integers."""

    def __init__(self, rows: tuple) -> None:
        self.bits = []
        self.rows = array("i")
        last = 0
        for row in rows:
            if row[0] < last:
                raise ValueError("rows must be sorted by offset: %d" % row[0])
            last = row[0]
            self._add(row)
        self._skip = array("H")
        self._index()

    def _add(self, row: tuple) -> None:
        offset, code, slot = row[0], row[1], row[2]
        rest = list(row[3:]) + [1, 1, 0, 1, 0, _NEVER][len(row) - 3 :]
        kind, number, width, target = self._decode(code, slot)
        if kind == _FAULTS:
            rest = [len(self.bits), 1, 0, 1, 0, _NEVER]
            self.bits.append(tuple([(bit, FAULTS.index(name), wanted) for bit, name, wanted in row[3]]))
        if kind == _BIT:
            rest[0] = int(code.split(".")[1])
        mul, div, add, count, first, absent = rest
        if kind in (_CELL, _TEMP):
            target = first
        self.rows.extend(array("i", [offset, kind, number, width, target, mul, div, add, count, absent]))

    def _decode(self, code: str, slot: str) -> tuple:
        """(kind, code number, width in bytes, slot number)"""
        if code.startswith("text"):
            return _TEXT, 0, int(code[4:]), 0 if slot == "serial" else 1
        if code.endswith("date"):
            return _DATE, _CODES.index(">H" if code[0] == ">" else "<H"), 2, INDEX[slot]
        if code == "bcd":
            return _BCD, _CODES.index("<H"), 2, 0
        number = _CODES.index(code.split(".")[0])
        if slot == "faults":
            return _FAULTS, number, _width(number), 0
        if slot == "cell_mv":
            return _CELL, number, _width(number), 0
        if slot == "temp_dc":
            return _TEMP, number, _width(number), 0
        return _BIT if "." in code else _VALUE, number, _width(number), INDEX[slot]

    def _index(self) -> None:
        rows = self.rows
        last = rows[len(rows) - _ROW] if rows else 0
        for block in range((last >> _BLOCK) + 1):
            place = 0
            while place < len(rows) and rows[place] + rows[place + 3] * rows[place + 8] <= block << _BLOCK:
                place += _ROW
            self._skip.append(place)

    def read(self, buf, base: int, start: int, size: int, t) -> None:
        """Sets in telemetry `t` every row that lies wholly in [start, start + size); buf[base] holds address `start`."""
        rows = self.rows
        block = start >> _BLOCK
        if block >= len(self._skip):
            return
        place = self._skip[block]
        end = start + size
        base -= start
        while place < len(rows):
            offset = rows[place]
            if offset >= end:
                return
            width = rows[place + 3]
            number = 0
            count = rows[place + 8]
            while number < count:
                if offset >= start and offset + width <= end:
                    self._take(place, number, buf, base + offset, t)
                offset += width
                number += 1
            place += _ROW

    def _take(self, place: int, number: int, buf, at: int, t) -> None:
        rows = self.rows
        kind = rows[place + 1]
        target = rows[place + 4]
        if kind == _TEXT:
            _take_text(buf, at, rows[place + 3], t, target)
            return
        raw = number_at(buf, at, rows[place + 2])
        if raw is None:
            return
        if kind == _VALUE or kind == _CELL or kind == _TEMP:
            if raw == rows[place + 9]:
                if kind == _TEMP:
                    t.set_temp(target + number, NO_PROBE)
                return
            mul = rows[place + 5]
            if rows[place + 2] >= _FIRST_LONG and abs(raw) > _LIMIT // abs(mul):
                return
            value = raw * mul // rows[place + 6] + rows[place + 7]
            if kind == _VALUE:
                t.set(target, value)
            elif kind == _CELL:
                t.set_cell(target + number, value)
            else:
                t.set_temp(target + number, value)
        elif kind == _BIT:
            t.set(target, raw >> rows[place + 5] & 1)
        elif kind == _FAULTS:
            _take_faults(self.bits[rows[place + 5]], raw, t)
        elif kind == _DATE:
            if raw:
                t.set(target, (2000 + (raw >> 9)) * 10000 + (raw >> 5 & 15) * 100 + (raw & 31))
        else:
            _take_bcd(raw, t)


def number_at(buf, at: int, code: int):
    """The integer at buf[at] in code number `code` of _CODES; None when it does not fit 30 bits and a sign."""
    if code < 2:
        raw = buf[at]
        return raw - 256 if code and raw & 0x80 else raw
    if code < 6:
        raw = buf[at] | buf[at + 1] << 8 if code < 4 else buf[at] << 8 | buf[at + 1]
        return raw - 0x10000 if code & 1 and raw & 0x8000 else raw
    if code < 8:
        low = buf[at] | buf[at + 1] << 8
        high = buf[at + 2] | buf[at + 3] << 8
    else:
        low = buf[at + 2] << 8 | buf[at + 3]
        high = buf[at] << 8 | buf[at + 1]
    if code & 1 and high & 0x8000:
        high -= 0x10000
    if -0x4000 <= high < 0x4000:
        return high * 0x10000 + low
    return None


def _take_faults(bits: tuple, raw: int, t) -> None:
    """Maps a board's own bits to both fault words."""
    low = high = 0
    for bit, fault, wanted in bits:
        if raw >> bit & 1 == wanted:
            if fault < WORD_BITS:
                low |= 1 << fault
            else:
                high |= 1 << fault - WORD_BITS
    t.set(_FAULTS_A, low)
    t.set(_FAULTS_B, high)


def _take_text(buf, at: int, size: int, t, which: int) -> None:
    """Copies ASCII; NULs and spaces at either end are for whoever shows it to strip."""
    text = t.firmware if which else t.serial
    size = min(size, TEXT_BYTES)
    for i in range(size):
        text[i] = buf[at + i]
    if which:
        t.firmware_size = size
    else:
        t.serial_size = size


def _take_bcd(raw: int, t) -> None:
    """0x0115 -> b"1.1.5": low three digits; the top nibble may carry a board revision (Xiaomi sheet 3, word 17)."""
    text = t.firmware
    for i in range(3):
        text[2 * i] = 48 + (raw >> 8 - 4 * i & 15)
        text[2 * i + 1] = 46
    t.firmware_size = 5


_FAULTS_A = INDEX["faults_a"]
_FAULTS_B = INDEX["faults_b"]

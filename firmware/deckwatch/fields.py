"""Declared rows -> telemetry. A protocol's table of literal rows is compiled once, then walked
without allocating.

A row is (offset, code, slot, mul, div, add, count, first, absent); what is left off takes 1, 1, 0,
1, 0, none.
  offset  byte address in the family's register space or payload
  code    a struct code "B" "b" "<H" ">h" "<I" ...; with ".n" appended, bit n of it; ">f" (IEEE
          single, in thousandths); "date" (year-2000 in 7 bits, month 4, day 5, little endian;
          ">date" big endian; 0 = not set), "bcd" (0x0115 -> 1.1.5; 0 = not set), "text14" (14
          ASCII bytes)
  slot    a telemetry slot; "cell_mv", "temp_dc" and "wire_mohm" run over `count` elements from
          number `first` (0-based); "serial", "firmware" and "model" take text
  value   = raw * mul // div + add, rounded down, or to the nearest where div is written negative;
          a raw equal to `absent` means: no such probe
  For slot "faults" the fourth item is a tuple of (bit, fault name, value that means fault).
A 32-bit value beyond 30 bits is left out: no real quantity of a scooter needs them. Bits and
faults are read from their own byte, so all 32 of them count.
"""

from array import array

from micropython import const

from deckwatch.faults import FAULTS, WORD_BITS
from deckwatch.telemetry import INDEX, NO_PROBE, NOWHERE, TEXT_BYTES

_LIMIT = const((1 << 30) - 1)
_NEVER = const(-(1 << 30))  # what number_at never gives

_CODES = ("B", "b", "<H", "<h", ">H", ">h", "<I", "<i", ">I", ">i", ">f")
_FIRST_LONG = const(6)  # codes from here on are 32 bits wide
_SINGLE = const(10)
_TEXTS = ("serial", "firmware", "model")
SERIAL = const(0)
FIRMWARE = const(1)
MODEL = const(2)
_DIGITS = b"0123456789abcdef"

_VALUE = const(0)
_CELL = const(1)
_TEMP = const(2)
_WIRE = const(3)
_BIT = const(4)
_FAULTS = const(5)
_DATE = const(6)
_BCD = const(7)
_TEXT = const(8)

# A compiled row: offset, kind, code, width, target, mul, div, add, count, absent. For _BIT `add`
# is the byte and `mul` the bit in it; for _FAULTS `mul` is the place in Table.faults.
_ROW = const(10)
_BLOCK = const(4)  # rows are looked up by offset >> _BLOCK


class Table:
    """Rows of one address space, sorted by offset and compiled to integers."""

    def __init__(self, rows: tuple) -> None:
        self.faults: list = []
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
        kind, number, width, target = _decode(code, slot)
        if target == NOWHERE and kind in (_VALUE, _BIT, _DATE):
            return
        if kind == _FAULTS:
            rest = [len(self.faults), 1, 0, 1, 0, _NEVER]
            self.faults.append(_fault_bits(number, row[3]))
        elif kind == _BIT:
            bit = int(code.split(".")[1])
            rest[0] = bit & 7
            rest[2] = _byte_of(bit, number)
        mul, div, add, count, first, absent = rest
        if kind == _CELL or kind == _TEMP or kind == _WIRE:
            target = first
        compiled = [offset, kind, number, width, target, mul, div, add, count, absent]
        self.rows.extend(array("i", compiled))

    def _index(self) -> None:
        """For each block of addresses, the first row that does not end before it."""
        rows = self.rows
        end = 0
        for place in range(0, len(rows), _ROW):
            end = max(end, self._end(place))
        for block in range((end + (1 << _BLOCK) - 1) >> _BLOCK):
            place = 0
            while self._end(place) <= block << _BLOCK:
                place += _ROW
            self._skip.append(place)

    def _end(self, place: int) -> int:
        return self.rows[place] + self.rows[place + 3] * self.rows[place + 8]

    def read(self, buf, base: int, start: int, size: int, t) -> None:
        """Sets in telemetry `t` every row, and every element of a row, that lies wholly in
        [start, start + size); buf[base] holds address `start`."""
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
        if kind <= _WIRE:
            self._take_value(place, kind, target + number, buf, at, t)
        elif kind == _BIT:
            t.set(target, buf[at + rows[place + 7]] >> rows[place + 5] & 1)
        elif kind == _FAULTS:
            _take_faults(self.faults[rows[place + 5]], buf, at, t)
        elif kind == _TEXT:
            take_text(buf, at, rows[place + 3], t, target)
        elif kind == _DATE:
            _take_date(number_at(buf, at, rows[place + 2]), t, target)
        else:
            _take_bcd(number_at(buf, at, rows[place + 2]), rows[place + 3] + 1, t)

    def _take_value(self, place: int, kind: int, target: int, buf, at: int, t) -> None:
        rows = self.rows
        raw = number_at(buf, at, rows[place + 2])
        if raw is None:
            return
        if raw == rows[place + 9]:
            if kind == _TEMP:
                t.set_temp(target, NO_PROBE)
            return
        mul = rows[place + 5]
        if rows[place + 2] >= _FIRST_LONG and abs(raw) > _LIMIT // abs(mul):
            return
        value = _divided(raw * mul, rows[place + 6]) + rows[place + 7]
        if kind == _VALUE:
            t.set(target, value)
        elif kind == _CELL:
            t.set_cell(target, value)
        elif kind == _TEMP:
            t.set_temp(target, value)
        else:
            t.set_wire(target, value)


def _decode(code: str, slot: str) -> tuple:
    """(kind, code number, width in bytes, slot number)"""
    if code.startswith("text"):
        return _TEXT, 0, int(code[4:]), _TEXTS.index(slot)
    if code.endswith("date"):
        return _DATE, _CODES.index(">H" if code[0] == ">" else "<H"), 2, INDEX[slot]
    if code == "bcd":
        return _BCD, _CODES.index("<H"), 2, _TEXTS.index(slot)
    if code == "bcd2":
        return _BCD, _CODES.index("B"), 1, _TEXTS.index(slot)
    number = _CODES.index(code.split(".")[0])
    width = _width(number)
    if slot == "faults":
        return _FAULTS, number, width, 0
    if slot == "cell_mv":
        return _CELL, number, width, 0
    if slot == "temp_dc":
        return _TEMP, number, width, 0
    if slot == "wire_mohm":
        return _WIRE, number, width, 0
    return _BIT if "." in code else _VALUE, number, width, INDEX[slot]


def _width(code: int) -> int:
    return 1 if code < 2 else 2 if code < _FIRST_LONG else 4


def _byte_of(bit: int, code: int) -> int:
    """Which byte of a number holds its bit."""
    width = _width(code)
    if bit >= 8 * width:
        raise ValueError("%s has no bit %d" % (_CODES[code], bit))
    return width - 1 - (bit >> 3) if _CODES[code][0] == ">" else bit >> 3


def _fault_bits(code: int, bits: tuple) -> bytes:
    """Four bytes for each: byte, bit in it, number in FAULTS, value that means fault."""
    compiled = b""
    for bit, name, wanted in bits:
        compiled += bytes([_byte_of(bit, code), bit & 7, FAULTS.index(name), wanted])
    return compiled


def number_at(buf, at: int, code: int):
    """The integer at buf[at] in code number `code` of _CODES; None when 30 bits cannot hold it."""
    if code < 2:
        raw = buf[at]
        return raw - 256 if code and raw & 0x80 else raw
    if code < _FIRST_LONG:
        raw = buf[at] | buf[at + 1] << 8 if code < 4 else buf[at] << 8 | buf[at + 1]
        return raw - 0x10000 if code & 1 and raw & 0x8000 else raw
    if code == _SINGLE:
        return _thousandths(buf, at)
    if code < 8:
        low = buf[at] | buf[at + 1] << 8
        high = buf[at + 2] | buf[at + 3] << 8
    else:
        low = buf[at + 2] << 8 | buf[at + 3]
        high = buf[at] << 8 | buf[at + 1]
    if code & 1 and high & 0x8000:
        high -= 0x10000
    if -0x4000 < high < 0x4000 or high == -0x4000 and low:
        return high * 0x10000 + low
    return None


def _thousandths(buf, at: int):
    """A big-endian IEEE single times 1000, to the nearest; None when 30 bits cannot hold it.

    Of the 24 bits of its fraction the upper 22 are used, that the product fits 30 bits.
    """
    exponent = (buf[at] & 0x7F) << 1 | buf[at + 1] >> 7
    value = ((buf[at + 1] | 0x80) << 14 | buf[at + 2] << 6 | buf[at + 3] >> 2) * 125
    shift = 145 - exponent
    if shift < -1:
        return None
    if shift > 29:
        return 0
    value = value << 1 if shift < 0 else value + (1 << shift >> 1) >> shift
    return -value if buf[at] & 0x80 else value


def _divided(number: int, div: int) -> int:
    """Rounded down; by a negative div, divided by its amount and rounded to the nearest, halves
    away from 0."""
    if div > 0:
        return number // div
    size = abs(number)
    down = size // -div
    if (size + down * div) * 2 >= -div:
        down += 1
    return down if number > 0 else -down


def _take_faults(bits: bytes, buf, at: int, t) -> None:
    """Maps a board's own bits, as _fault_bits gives them, to both fault words."""
    low = high = 0
    for i in range(0, len(bits), 4):
        if buf[at + bits[i]] >> bits[i + 1] & 1 == bits[i + 3]:
            fault = bits[i + 2]
            if fault < WORD_BITS:
                low |= 1 << fault
            else:
                high |= 1 << fault - WORD_BITS
    t.add_faults(low, high)


def take_text(buf, at: int, size: int, t, which: int) -> None:
    """Copies the ASCII in buf[at : at + size], or what TEXT_BYTES hold of it, to text SERIAL,
    FIRMWARE or MODEL. NULs and spaces at either end are for whoever shows it to strip."""
    size = min(size, TEXT_BYTES)
    if which == SERIAL:
        text = t.serial
        t.serial_size = size
    elif which == FIRMWARE:
        text = t.firmware
        t.firmware_size = size
    else:
        text = t.model
        t.model_size = size
    for i in range(size):
        text[i] = buf[at + i]


def _take_date(raw: int, t, target: int) -> None:
    """As yyyymmdd; 0 is a date nobody has set."""
    if raw:
        t.set(target, (2000 + (raw >> 9)) * 10000 + (raw >> 5 & 15) * 100 + (raw & 31))


def _take_bcd(raw: int, digits: int, t) -> None:
    """0x0115 -> b"1.1.5"; the top nibble may carry a board revision (xiaomi.md 3, word 17).

    0 is a version nobody has set.
    """
    if raw:
        text = t.firmware
        for i in range(digits):
            text[2 * i] = _DIGITS[raw >> 4 * (digits - 1 - i) & 15]
            text[2 * i + 1] = 46
        t.firmware_size = 2 * digits - 1

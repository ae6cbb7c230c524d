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
faults are read from their own byte, so all 32 of them count. The walk over the rows is in
fields_viper.py, as machine code where the processor has it.
"""

from array import array

from micropython import const

from deckwatch.faults import FAULTS
from deckwatch.telemetry import INDEX, NOWHERE, TEXT_BYTES

try:
    from deckwatch.fields_viper import number_at, walk
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.fields_plain import number_at, walk

TOO_BIG = const(-0x3FFFFFFF - 1)  # what number_at gives for a number that 30 bits cannot hold

_CODES = ("B", "b", "<H", "<h", ">H", ">h", "<I", "<i", ">I", ">i", ">f")
_FIRST_LONG = const(6)  # codes from here on are 32 bits wide; the last is the single
_TEXTS = ("serial", "firmware", "model")
SERIAL = const(0)
FIRMWARE = const(1)
MODEL = const(2)
_DIGITS = b"0123456789abcdef"
_FAULTS_A = INDEX["faults_a"]

_VALUE = const(0)
_CELL = const(1)
_TEMP = const(2)
_WIRE = const(3)
_BIT = const(4)
_FAULTS = const(5)
_DATE = const(6)
_BCD = const(7)
_TEXT = const(8)

# A compiled row: offset, kind, code, width, target, mul, div, add, count, absent; mul, div, add
# and absent are kept _BIAS higher, since the walk reads no negative numbers, and absent is 0 where
# there is none. For _BIT `add` is the byte and `mul` the bit in it; for _FAULTS `mul` is the place
# in Table.faults. A last offset that no frame reaches ends the rows.
_ROW = const(10)
_BIAS = const(1 << 29)
_END = const(1 << 29)
_BLOCK = const(4)  # rows are looked up by offset >> _BLOCK


class Table:
    """Rows of one address space, sorted by offset and compiled to integers. rows, skip and faults
    are for read()."""

    def __init__(self, rows: tuple) -> None:
        self.faults: list = []
        self.rows = array("i")
        last = 0
        for row in rows:
            if row[0] < last:
                raise ValueError("rows must be sorted by offset: %d" % row[0])
            last = row[0]
            self._add(row)
        self.skip = array("H")
        self._index()
        self.rows.append(_END)

    def _add(self, row: tuple) -> None:
        offset, code, slot = row[0], row[1], row[2]
        rest = list(row[3:]) + [1, 1, 0, 1, 0, -_BIAS][len(row) - 3 :]
        kind, number, width, target = _decode(code, slot)
        if target == NOWHERE and kind in (_VALUE, _BIT, _DATE):
            return
        if kind == _FAULTS:
            rest = [len(self.faults), 1, 0, 1, 0, -_BIAS]
            self.faults.append(_fault_bits(number, row[3]))
        elif kind == _BIT:
            bit = int(code.split(".")[1])
            rest[0] = bit & 7
            rest[2] = _byte_of(bit, number)
        mul, div, add, count, first, absent = rest
        if kind == _CELL or kind == _TEMP or kind == _WIRE:
            target = first
        compiled = [offset, kind, number, width, target, _BIAS + mul, _BIAS + div, _BIAS + add]
        self.rows.extend(array("i", compiled + [count, _BIAS + absent]))

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
            self.skip.append(place)

    def _end(self, place: int) -> int:
        return self.rows[place] + self.rows[place + 3] * self.rows[place + 8]

    read = walk

    def take_text(self, place: int, buf, at: int, t) -> None:
        """A row of text that read() has met."""
        rows = self.rows
        width = rows[place + 3]
        if rows[place + 1] == _TEXT:
            take_text(buf, at, width, t, rows[place + 4])
        else:
            _take_bcd(number_at(buf, at, rows[place + 2]), width + 1, t)


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
        return _FAULTS, number, width, _FAULTS_A
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
    """How many bytes there are, then four for each: byte, bit in it, number in FAULTS, value that
    means fault."""
    compiled = bytes([1 + 4 * len(bits)])
    for bit, name, wanted in bits:
        compiled += bytes([_byte_of(bit, code), bit & 7, FAULTS.index(name), wanted])
    return compiled


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

"""Literal rows of a protocol -> the bytes that read() of fields.py walks. Pure, and known before
the firmware runs: the linker puts its results in its place, so that neither rows nor names nor
this file reach the chip.

A row is (offset, code, slot, mul, div, add, count, first, absent); what is left off takes 1, 1, 0,
1, 0, none.
  offset  byte address in the family's register space or payload
  code    a struct code "B" "b" "<H" ">h" "<I" ...; with ".n" appended, bit n of it; ">f" (IEEE
          single, in thousandths); "date" (year-2000 in 7 bits, month 4, day 5, little endian;
          ">date" big endian; 0 = not set). Of texts: "text14" (14 ASCII bytes), "text" (as far as
          the frame goes), "textz" (up to its NUL), "bcd" (0x0115 -> 1.1.5; 0 = not set), "release"
          (6, 5 -> 6.05)
  slot    a telemetry slot; "cell_mv", "temp_dc" and "wire_mohm" run over `count` elements from
          number `first` (0-based); TEXTS take texts
  value   = raw * mul // div + add, rounded down, or to the nearest where div is written negative;
          a raw equal to `absent` means: no such probe
  For slot "faults" the fourth item is a tuple of (bit, fault name, value that means fault).
A 32-bit value beyond 30 bits is left out: no real quantity of a scooter needs them. Bits and
faults are read from their own byte, so all 32 of them count.

A compiled row, least significant byte first:
  offset 2 | bytes of this row | kind << 4 | code | width | target | count | rest
    target  slot, number of the first element, or which text
    rest    of a bit: which byte << 3 | bit in it
            of faults: for each, byte << 4 | bit in it << 1 | value that means fault, then its
            number in FAULTS
            of numbers: mul 2, div 2, add 3, absent 3 as far as they are not the usual ones, each
            higher by half of what its bytes hold, since the walk reads no negative numbers
Two bytes FF end the rows. Slots the dongle does not keep have none. Texts and dates it never
keeps: on the bench their rows stand behind the end, where read() does not come to
(boards/CPYTHON/bench_rows.py).
"""

from micropython import const

from deckwatch.faults import FAULTS
from deckwatch.telemetry import INDEX, KEPT, NOWHERE

_CODES = ("B", "b", "<H", "<h", ">H", ">h", "<I", "<i", ">I", ">i", ">f")
_FIRST_LONG = const(6)  # codes from here on are 32 bits wide; the last is the single
TEXTS = ("serial", "firmware", "model")
_LISTS = (None, "cell_mv", "temp_dc", "wire_mohm")  # place = kind
_USUAL = (1, 1, 0, 1, 0, None)  # mul, div, add, count, first, absent
_END = const(0xFFFF)

# Kinds, shared with fields_viper.py, from DATE on with bench_rows.py
_VALUE = const(0)
_BIT = const(4)
_FAULTS = const(5)
DATE = const(6)
TEXT = const(7)
_BCD = const(8)
RELEASE = const(9)


def compiled(rows: tuple) -> bytes:
    """ValueError where a row cannot be meant, or its numbers have no room."""
    table = behind = b""
    last = 0
    for row in rows:
        if row[0] < last:
            raise ValueError("rows must be sorted by offset: %d" % row[0])
        last = row[0]
        made = _row(row)
        if made and made[3] >> 4 >= DATE:
            behind += made
        else:
            table += made
    return table + packed(_END, 2, last) + behind


def moved(rows: tuple, by: int) -> tuple:
    """The rows at higher addresses: one table of several lists takes less room than several."""
    return tuple([(row[0] + by,) + row[1:] for row in rows])


def requested(requests: tuple) -> bytes:
    """REQUESTS as poller.listed() takes them: bytes of a request | period_ms 3 | the request, one
    behind the other."""
    table = b""
    for name, text, _, period_ms in requests:
        request = bytes.fromhex(text)
        table += packed(len(request), 1, name) + packed(period_ms, 3, name) + request
    return table


def packed(number: int, size: int, row) -> bytes:
    """So many bytes, least significant first."""
    if number < 0 or number >> 8 * size:
        raise ValueError("row %s: %d has no room" % (row, number))
    return number.to_bytes(size, "little")


def _row(row: tuple) -> bytes:
    offset, code, slot = row[:3]
    kind, number, width, target = _decode(code, slot)
    if (slot in TEXTS) != (kind > DATE) or kind >= DATE and 0 < target < KEPT:
        raise ValueError("row %d: %s takes no %s" % (offset, slot, code))
    if target == NOWHERE and not 0 < kind < _BIT:
        return b""
    mul, div, add, count, first, absent = row[3:] + _USUAL[len(row) - 3 :]
    rest = b""
    if kind == _FAULTS:
        rest, count = _fault_bits(number, row[3]), 1
    elif kind == _BIT:
        bit = int(code.split(".")[1])
        rest = bytes([_byte_of(bit, number) << 3 | bit & 7])
    elif kind < _BIT:
        rest = _scaling(mul, div, add, absent, offset)
    if 0 < kind < _BIT:
        target = first
    if offset == _END or count > 1 and kind >= _BIT:
        raise ValueError("row %d has no room" % offset)
    head = packed(offset, 2, offset) + packed(7 + len(rest), 1, offset)
    head += bytes([kind << 4 | number, width, target]) + packed(count, 1, offset)
    return head + rest


def _scaling(mul: int, div: int, add: int, absent, offset: int) -> bytes:
    """mul, div, add, absent, without those at the end that are the usual ones."""
    if not mul or not div:
        raise ValueError("row %d multiplies or divides by 0" % offset)
    told = packed(mul + 0x8000, 2, offset)
    told += packed(div + 0x8000, 2, offset)
    told += packed(add + 0x800000, 3, offset)
    if absent is not None:
        return told + packed(absent + 0x800000, 3, offset)
    if add:
        return told
    return told[:4] if div != 1 else told[:2] if mul != 1 else b""


def _decode(code: str, slot: str) -> tuple:
    """(kind, code number, width in bytes, slot number)"""
    if code.startswith("text"):
        size = code[4:]
        return TEXT, size == "z", int(size) if size.isdigit() else 0, INDEX[slot]
    if code.endswith("date"):
        return DATE, _CODES.index(">H" if code[0] == ">" else "<H"), 2, INDEX[slot]
    if code == "release":
        return RELEASE, 0, 2, INDEX[slot]
    if code == "bcd":
        return _BCD, _CODES.index("<H"), 2, INDEX[slot]
    if code == "bcd2":
        return _BCD, _CODES.index("B"), 1, INDEX[slot]
    number = _CODES.index(code.split(".")[0])
    width = _width(number)
    if slot == "faults":
        return _FAULTS, number, width, INDEX["faults_a"]
    if slot in _LISTS:
        return _LISTS.index(slot), number, width, 0
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
    told = b""
    for bit, name, wanted in bits:
        told += bytes([_byte_of(bit, code) << 4 | (bit & 7) << 1 | wanted, FAULTS.index(name)])
    return told

# ruff: noqa: F821, RUF046  viper knows types of its own, such as ptr8, and turns objects to numbers by int()
"""Table.read, the walk over compiled rows, as machine code. fields.py says what rows mean and how
they are compiled; fields_plain.py is written from this file."""

import micropython
from micropython import const

from deckwatch.telemetry_viper import put, put_faults

_LIMIT = const((1 << 30) - 1)
_TOO_BIG = const(-0x3FFFFFFF - 1)
_FIRST_LONG = const(6)  # codes from here on are 32 bits wide
_SINGLE = const(10)

# A compiled row and its kinds, as in fields.py
_OFFSET = const(0)
_KIND = const(1)
_CODE = const(2)
_WIDTH = const(3)
_TARGET = const(4)
_MUL = const(5)
_DIV = const(6)
_ADD = const(7)
_COUNT = const(8)
_ABSENT = const(9)
_ROW = const(10)
_BLOCK = const(4)
_BIAS = const(1 << 29)
_SLOT = const(0)
_TEMP = const(2)
_WIRE = const(3)
_BIT = const(4)
_FAULTS = const(5)
_DATE = const(6)
_NO_PROBE = const(-0x8000)
_MARKS = const(1)  # in Telemetry.head: what the frame has set; cells, probes or wires
_COUNTED = const(14)


@micropython.viper
def walk(table, buf, base: int, start: int, size: int, t):
    """Table.read: sets in telemetry `t` every row, and every element of a row, that lies wholly in
    [start, start + size); buf[base] holds address `start`."""
    block = start >> _BLOCK
    if block >= int(len(table.skip)):
        return
    skip = ptr16(table.skip)
    place = skip[block]
    rows = ptr32(table.rows)
    own = ptr8(buf)
    arrays = t.arrays
    end = start + size
    base -= start
    offset = rows[place]
    while offset < end:
        kind = rows[place + _KIND]
        code = rows[place + _CODE]
        width = rows[place + _WIDTH]
        target = rows[place + _TARGET]
        behind = offset + width * rows[place + _COUNT]
        if behind > end:
            behind = end
        behind -= width
        while offset <= behind:
            if offset >= start:
                at = base + offset
                if kind > _DATE:
                    table.take_text(place, buf, at, t)
                elif kind == _BIT:
                    value = own[at + rows[place + _ADD] - _BIAS] >> (rows[place + _MUL] - _BIAS)
                    put(arrays, _SLOT, target, value & 1)
                elif kind == _FAULTS:
                    bits = table.faults[rows[place + _MUL] - _BIAS]
                    take_faults(bits, buf, at, arrays, target)
                else:
                    raw = int(number_at(buf, at, code))
                    absent = rows[place + _ABSENT]
                    if raw == _TOO_BIG:
                        pass
                    elif kind == _DATE:
                        if raw:
                            value = (2000 + (raw >> 9)) * 10000
                            value += (raw >> 5 & 15) * 100 + (raw & 31)
                            put(arrays, _SLOT, target, value)
                    elif absent and raw == absent - _BIAS:
                        if kind == _TEMP:
                            put(arrays, _TEMP, target, _NO_PROBE)
                    else:
                        mul = rows[place + _MUL] - _BIAS
                        fits = 1
                        if code >= _FIRST_LONG:
                            fits = int(is_small(raw, mul))
                        if fits:
                            value = raw * mul
                            div = rows[place + _DIV] - _BIAS
                            if div > 1:
                                value = value // div
                            elif div < 0:
                                value = int(nearest(value, 0 - div))
                            put(arrays, kind, target, value + rows[place + _ADD] - _BIAS)
            offset += width
            target += 1
        place += _ROW
        offset = rows[place]
    head = ptr32(arrays[0])
    if head[_MARKS] & _COUNTED:
        t.recount()


@micropython.viper
def is_small(number: int, mul: int) -> int:
    """Does the product fit 30 bits?"""
    if number < 0:
        number = 0 - number
    if mul < 0:
        mul = 0 - mul
    if number > _LIMIT // mul:
        return 0
    return 1


@micropython.viper
def nearest(number: int, div: int) -> int:
    """The quotient rounded to the nearest, halves away from 0."""
    size = number
    if number < 0:
        size = 0 - number
    down = size // div
    if (size - down * div) * 2 >= div:
        down += 1
    if number < 0:
        down = 0 - down
    return down


@micropython.viper
def take_faults(bits_, buf, at: int, arrays, target: int):
    """Maps a board's own bits, as fields.py compiles them, to both fault words from slot `target`
    on."""
    bits = ptr8(bits_)
    own = ptr8(buf)
    low = 0
    high = 0
    i = 1
    while i < bits[0]:
        if (own[at + bits[i]] >> bits[i + 1]) & 1 == bits[i + 3]:
            fault = bits[i + 2]
            if fault < 30:
                low |= 1 << fault
            else:
                high |= 1 << (fault - 30)
        i += 4
    put_faults(arrays, target, low, high)


@micropython.viper
def number_at(buf, at: int, code: int) -> int:
    """The integer at buf[at] in code number `code` of fields.py; _TOO_BIG when 30 bits cannot hold
    it."""
    own = ptr8(buf)
    first = own[at]
    if code < 2:
        if code and first & 0x80:
            first -= 256
        return first
    if code < _FIRST_LONG:
        if code < 4:
            first |= own[at + 1] << 8
        else:
            first = first << 8 | own[at + 1]
        if code & 1 and first & 0x8000:
            first -= 0x10000
        return first
    second = own[at + 1]
    third = own[at + 2]
    fourth = own[at + 3]
    if code == _SINGLE:
        return int(thousandths(first, second, third, fourth))
    if code < 8:
        low = first | second << 8
        high = third | fourth << 8
    else:
        low = third << 8 | fourth
        high = first << 8 | second
    if code & 1 and high & 0x8000:
        high -= 0x10000
    if high >= 0x4000 or high < -0x4000 or (high == -0x4000 and not low):
        return _TOO_BIG
    return high * 0x10000 + low


@micropython.viper
def thousandths(first: int, second: int, third: int, fourth: int) -> int:
    """A big-endian IEEE single times 1000, to the nearest; _TOO_BIG when 30 bits cannot hold it.

    Of the 24 bits of its fraction the upper 22 are used, that the product fits 30 bits.
    """
    shift = 145 - ((first & 0x7F) << 1 | second >> 7)
    value = ((second | 0x80) << 14 | third << 6 | fourth >> 2) * 125
    if shift < -1:
        return _TOO_BIG
    if shift > 29:
        return 0
    if shift < 0:
        value <<= 1
    else:
        value = (value + (1 << shift >> 1)) >> shift
    if first & 0x80:
        value = 0 - value
    return value

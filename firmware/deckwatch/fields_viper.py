# ruff: noqa: F821  viper's own types, such as ptr8, are known to MicroPython's compiler alone
"""read(), the walk over compiled rows, as machine code. rows.py says what rows mean and how they
are compiled; fields_plain.py is written from this file."""

import micropython
from micropython import const

from deckwatch.telemetry_viper import put, put_faults

_LIMIT = const((1 << 30) - 1)
_TOO_BIG = const(-0x3FFFFFFF - 1)
_FIRST_LONG = const(6)  # codes from here on are 32 bits wide
_SINGLE = const(10)
_TURNED = const(1 << 20)  # as in fields.py

# A compiled row, its lengths and its kinds, as in rows.py
_END = const(0xFFFF)
_BYTES = const(2)
_FORM = const(3)
_WIDTH = const(4)
_TARGET = const(5)
_COUNT = const(6)
_BIT_AT = const(7)
_MUL = const(7)
_DIV = const(9)
_ADD = const(11)
_ABSENT = const(14)
_PLAIN = const(7)
_WHOLE = const(17)
_HALF = const(0x8000)
_HALF_OF_3 = const(0x800000)
_SLOT = const(0)
_TEMP = const(2)
_BIT = const(4)
_FAULTS = const(5)
_NO_PROBE = const(-0x8000)
_MARKS = const(1)  # in Telemetry.head: what the frame has set; cells, probes or wires
_COUNTED = const(14)


@micropython.viper
def read(table, buf, base: int, start: int, size: int, t):
    """Sets in telemetry `t` every row, and every element of a row, that lies wholly in [start,
    start + size); buf[base] holds address `start`. With _TURNED added to `start`, what the rows
    have least significant byte first lies in `buf` with the most significant byte first."""
    rows = ptr8(table)
    own = ptr8(buf)
    arrays = t.arrays
    turned = 0
    if start >= _TURNED:
        start -= _TURNED
        turned = 1
    end = start + size
    if end > _END:  # frames may speak of addresses that no row has
        end = _END
    base -= start
    place = 0
    offset = rows[0] | rows[1] << 8
    while offset < end:
        width = rows[place + _WIDTH]
        behind = offset + width * rows[place + _COUNT]
        if behind > start:
            if behind > end:
                behind = end
            behind -= width
            length = rows[place + _BYTES]
            kind = rows[place + _FORM] >> 4
            code = rows[place + _FORM] & 15
            target = rows[place + _TARGET]
            flip = 0  # byte b of a number lies at b ^ flip
            if turned and width > 1:
                flip = width - 1
                code += 2
            while offset <= behind:
                if offset >= start:
                    at = base + offset
                    if kind == _BIT:
                        bit = rows[place + _BIT_AT]
                        put(arrays, _SLOT, target, own[at + (bit >> 3 ^ flip)] >> (bit & 7) & 1)
                    elif kind == _FAULTS:
                        take_faults(table, place, buf, at, flip, arrays)
                    else:
                        raw = int(number_at(buf, at, code))
                        if raw == _TOO_BIG:
                            pass
                        elif length == _PLAIN:
                            put(arrays, kind, target, raw)
                        elif length == _WHOLE and raw + _HALF_OF_3 == (
                            rows[place + _ABSENT]
                            | rows[place + _ABSENT + 1] << 8
                            | rows[place + _ABSENT + 2] << 16
                        ):
                            if kind == _TEMP:
                                put(arrays, _TEMP, target, _NO_PROBE)
                        else:
                            mul = (rows[place + _MUL] | rows[place + _MUL + 1] << 8) - _HALF
                            fits = 1
                            if code >= _FIRST_LONG:
                                fits = int(is_small(raw, mul))
                            if fits:
                                value = raw * mul
                                if length > _DIV:
                                    div = rows[place + _DIV] | rows[place + _DIV + 1] << 8
                                    div -= _HALF
                                    if div > 1:
                                        value = value // div
                                    elif div < 0:
                                        value = int(nearest(value, 0 - div))
                                    if length > _ADD:
                                        value += rows[place + _ADD] | rows[place + _ADD + 1] << 8
                                        value += (rows[place + _ADD + 2] << 16) - _HALF_OF_3
                                put(arrays, kind, target, value)
                offset += width
                target += 1
        place += rows[place + _BYTES]
        offset = rows[place] | rows[place + 1] << 8
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
def take_faults(table, place: int, buf, at: int, flip: int, arrays):
    """Maps a board's own bits, as the row at table[place] has them, to both fault words."""
    rows = ptr8(table)
    own = ptr8(buf)
    low = 0
    high = 0
    i = place + _PLAIN
    end = place + rows[place + _BYTES]
    while i < end:
        bit = rows[i]
        if (own[at + (bit >> 4 ^ flip)] >> (bit >> 1 & 7)) & 1 == bit & 1:
            fault = rows[i + 1]
            if fault < 30:
                low |= 1 << fault
            else:
                high |= 1 << (fault - 30)
        i += 2
    put_faults(arrays, rows[place + _TARGET], low, high)


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

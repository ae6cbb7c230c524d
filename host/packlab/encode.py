"""Values -> the bytes a battery would answer with, from the rows the firmware decodes by
(firmware/deckwatch/rows.py says what a row is); fake packs are made of it.

Because the rows are shared this proves nothing about their scales and signs: those are proven by
recorded frames and by tables of values written by hand.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from packlab.errors import PacklabError

Row = Sequence[Any]

_DEFAULTS = (1, 1, 0, 1, 0, None)  # mul, div, add, count, first, absent
_LISTS = ("cell_mv", "temp_dc", "wire_mohm")
# What the firmware reads of a number, and of a single's thousandths (it ends at 2**20).
_MOST = (1 << 30) - 1
_MOST_THOUSANDTHS = ((1 << 20) - 1) * 1000


def encode(rows: Iterable[Row], values: Mapping[str, Any]) -> bytearray:
    """The address space of `rows` from 0 to the last row's end, filled with `values`.

    Values are keyed and written as `packlab decode` writes them: numbers in the unit of the slot's
    name, lists for cells and probes (None = not fitted), names of faults, text, yyyy-mm-dd. What
    the rows have no place for is passed over; a place without a value holds 0. Of the raw numbers
    a row could send the one that decodes nearest to the value is taken. PacklabError for a value
    that does not fit its place.
    """
    rows = list(rows)
    image = bytearray(max(row[0] + width(row[1]) * _number(row)[3] for row in rows))
    for row in rows:
        if row[2] in values:
            _put(image, row, values[row[2]])
    return image


def width(code: str) -> int:
    """Bytes of one element in a row's code."""
    if code.startswith("text"):
        return int(code[4:])
    if code == "bcd2":
        return 1
    if code.endswith("date") or code == "bcd":
        return 2
    return struct.calcsize(code.split(".")[0])


def _number(row: Row) -> tuple[int, int, int, int, int, int | None]:
    """mul, div, add, count, first, absent; of rows that hold no number, the defaults."""
    given = () if row[2] == "faults" else tuple(row[3:])
    mul, div, add, count, first, absent = given + _DEFAULTS[len(given) :]
    return mul, div, add, count, first, absent


def _put(image: bytearray, row: Row, value: Any) -> None:
    offset, code, slot = row[:3]
    if slot == "faults":
        for bit, name, wanted in row[3]:
            _put_bit(image, offset, code, bit, wanted if name in value else 1 - wanted)
    elif "." in code:
        _put_bit(image, offset, code, int(code.split(".")[1]), int(value))
    elif slot in _LISTS:
        _, _, _, count, first, _ = _number(row)
        for number, element in enumerate(value[first : first + count]):
            at = offset + number * width(code)
            image[at : at + width(code)] = _packed(row, element)
    else:
        image[offset : offset + width(code)] = _packed(row, value)


def _put_bit(image: bytearray, offset: int, code: str, bit: int, state: int) -> None:
    size = width(code)
    at = offset + (size - 1 - bit // 8 if code.startswith(">") else bit // 8)
    image[at] = image[at] & ~(1 << bit % 8) | state << bit % 8


def _packed(row: Row, value: Any) -> bytes:
    """The bytes of one element."""
    code = row[1]
    try:
        if code.startswith("text"):
            return _text(value, width(code))
        if code.endswith("date"):
            return struct.pack(">H" if code.startswith(">") else "<H", _date(value))
        if code.startswith("bcd"):
            digits = int("".join(value.split(".")), 16)
            return digits.to_bytes(width(code), "little")
        raw = _raw(row, value)
        return struct.pack(code, raw / 1000 if code == ">f" else raw)
    except (struct.error, ValueError, OverflowError):
        raise PacklabError(
            f"{row[2]} = {value!r} does not fit its place at address {row[0]:#x} ({code}); "
            "give a value the field can hold"
        ) from None


def _text(value: str, size: int) -> bytes:
    data = value.encode("ascii")
    if len(data) > size:
        raise ValueError
    return data.ljust(size, b"\0")


def _date(value: str) -> int:
    year, month, day = map(int, value.split("-"))
    if not (2000 <= year < 2128 and 1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError
    return year - 2000 << 9 | month << 5 | day


def _raw(row: Row, value: int | None) -> int:
    """The number on the wire that decodes nearest to `value`; ValueError where that is not what
    the firmware would read back."""
    mul, div, add, _, _, absent = _number(row)
    if value is None:
        if absent is None:
            raise ValueError
        return absent
    guess = (value - add) * abs(div) // mul
    low, high = raw_range(row)
    near = [min(max(raw, low), high) for raw in range(guess - 1, guess + 2)]
    raw = min(near, key=lambda one: abs(decoded(row, one) - value))
    off = abs(decoded(row, raw) - value)
    if raw == absent or (off and off * abs(div) >= abs(mul)):
        raise ValueError
    return raw


def raw_range(row: Row) -> tuple[int, int]:
    """Lowest and highest number a row can send and the firmware reads; it has 30 bits for the
    product with mul."""
    letter = row[1][-1]
    bits = 8 * width(row[1])
    most = (_MOST_THOUSANDTHS if letter == "f" else _MOST) // abs(_number(row)[0])
    low, high = (0, (1 << bits) - 1) if letter in "BHI" else (-1 << bits - 1, (1 << bits - 1) - 1)
    return max(low, -most), min(high, most)


def decoded(row: Row, raw: int) -> int:
    """What the firmware makes of a raw number: raw * mul // div + add, or rounded to the nearest
    (halves away from 0) where div is written negative."""
    mul, div, add = _number(row)[:3]
    if div > 0:
        return raw * mul // div + add
    size = (2 * abs(raw * mul) - div) // (-2 * div)
    return (size if raw * mul > 0 else -size) + add

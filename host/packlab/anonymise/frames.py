"""Where frames of all families may stand in a stretch of bytes: every place whose header and
length fit a FRAMING row of the firmware (framings.py says what a row is), its check right or not.

Unlike the firmware's framer this one loses nothing to noise in front and takes damaged frames too:
a serial number with one bit wrong is still a serial number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from packlab.checkout import firmware

_STRONG = 2  # bytes of a header that a place cannot have by chance alone


@dataclass(frozen=True, slots=True)
class Check:
    """Where a frame keeps its check: `size` bytes at `at`, over start to stop."""

    compute: Callable[[bytes, int, int], int]
    start: int
    stop: int
    at: int
    size: int
    order: Literal["little", "big"]

    def stored(self, frame: bytes) -> int:
        """The check the frame carries."""
        return int.from_bytes(frame[self.at : self.at + self.size], self.order)

    def computed(self, frame: bytes) -> int:
        """The check it ought to carry."""
        return self.compute(frame, self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A frame at `start` that claims `size` bytes, by a family's FRAMING row. is_whole: they are
    there, and the check fits."""

    family: str
    row: int
    start: int
    size: int
    check: Check | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """One FRAMING row."""

    family: str
    number: int
    header: bytes
    lead: tuple[int, int] | None
    offset: int
    code: str
    add: int
    lowest: int
    highest: int
    check: tuple[str, int, int, int, str]
    tail: bytes

    def candidate(self, data: bytes, start: int, *, is_end: bool) -> Candidate | None:
        """The frame whose header stands at start + lead; one that is cut off only if this is the
        end of the data."""
        size = self._size(data, start)
        if start < 0 or not self.lowest <= size <= self.highest:
            return None
        if start + size > len(data):
            return (
                Candidate(self.family, self.number, start, size, None, False) if is_end else None
            )
        frame = data[start : start + size]
        if self.lead is not None and not self.lead[0] <= frame[0] <= self.lead[1]:
            return None
        check = self._check(size)
        fits = frame.endswith(self.tail)
        if check is not None and fits:
            fits = check.stored(frame) == check.computed(frame)
        return Candidate(self.family, self.number, start, size, check, fits)

    def _size(self, data: bytes, start: int) -> int:
        width = _width(self.code)
        return self.add + int.from_bytes(
            data[start + self.offset : start + self.offset + width], _order(self.code)
        )

    def _check(self, size: int) -> Check | None:
        name, start, end, at, code = self.check
        if not name:
            return None
        compute = getattr(firmware("checksums_plain"), name)
        return Check(compute, start, size - end, size - at, _width(code), _order(code))


def _width(code: str) -> int:
    return 2 if code.endswith("H") else len(code)


def _order(code: str) -> Literal["little", "big"]:
    return "big" if code.startswith(">") else "little"


@cache
def _rows(families: tuple[str, ...]) -> list[_Row]:
    return [
        _row(family, number, row)
        for family in families
        for number, row in enumerate(firmware(f"protocols.{family}").FRAMING)
    ]


def _row(family: str, number: int, row: Any) -> _Row:
    header, (offset, code, add, lowest, highest), check, tail = row[:4]
    lead = row[5] if len(row) > 5 and row[5] else None
    return _Row(family, number, header, lead, offset, code, add, lowest, highest, check, tail)


def longest(families: tuple[str, ...]) -> int:
    """Bytes of the longest frame."""
    return max(row.highest for row in _rows(families))


def candidates(
    data: bytes, families: tuple[str, ...], first: int, *, is_end: bool
) -> list[Candidate]:
    """Frames that begin at data[first:], in order of their beginnings; with `is_end` also those
    that the end of the data cuts off.

    Damaged ones only where their header is long enough not to stand there by chance.
    """
    found = []
    for row in _rows(families):
        lead = 0 if row.lead is None else 1
        at = data.find(row.header, first + lead)
        while at >= 0:
            one = row.candidate(data, at - lead, is_end=is_end)
            if one is not None and (one.is_whole or len(row.header) >= _STRONG):
                found.append(one)
            at = data.find(row.header, at + 1)
    return sorted(found, key=lambda one: (one.start, not one.is_whole))

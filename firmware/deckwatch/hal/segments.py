"""The black box in the file system: segments that are only appended to, the oldest dropped whole,
and slots, each of which holds one record that the next one takes the place of. LittleFS keeps one
of up to 128 bytes beside its name, which spares the erase that appending costs.

LittleFS takes what was written at close(), whole or not at all; so a batch of records is in flash
when append() says so, and a power cut before that leaves all that was there. Each call does one
thing to the flash, whose time is bounded (docs/journal.md). Trouble is counted, never raised.
"""

import os

from micropython import const

from deckwatch.outputs.journal import (
    CRC_BYTES,
    HEAD_BYTES,
    MOST_PAYLOAD,
    is_whole,
    seal,
    sequence_of,
)

FOLDER = "journal"
SEGMENT_BYTES = const(4096)  # a block of LittleFS: appending copies no more than that
SEGMENTS = const(32)  # 128 KB
_MOST_RECORD = HEAD_BYTES + MOST_PAYLOAD + CRC_BYTES
_GAP = const(256)  # more than a segment has records: numbers behind a damage are not used again
_SUFFIX = ".log"
_NO_SPACE = const(28)


class Segments:
    """A segment's file is called by the number of its first record.

    sequence: number of the next record; refused: times the flash did not take something; damaged:
    the newest segment had bytes that are no record when the dongle started.
    """

    def __init__(self, segment_bytes: int = SEGMENT_BYTES, segments: int = SEGMENTS) -> None:
        self._segment_bytes = segment_bytes
        self._segments = segments
        self.refused = 0
        self._record = bytearray(_MOST_RECORD)
        try:
            os.mkdir(FOLDER)
        except OSError:
            pass  # there already, or no room for it yet
        numbers = _numbers()  # not kept: a list that grows from ride to ride takes of the heap
        self._count = len(numbers)
        self._newest = numbers[-1] if numbers else 0
        self.sequence = numbers[-1] if numbers else 1
        self._size = 0 if numbers else segment_bytes  # of the newest; full: begin another
        self._whole = True
        if numbers:
            for size in self._records(self.sequence):
                self._size += size
                self.sequence = sequence_of(self._record, 0) + 1
        self.damaged = not self._whole
        if self.damaged:
            self.sequence += _GAP
            self._size = segment_bytes

    # --- writing ---

    def append(self, buf, size: int) -> bool:
        """Keeps the records in buf[0:size], which it numbers; False when the flash takes none."""
        if self._size + size > self._segment_bytes:
            self._newest = self.sequence
            self._count += 1
            self._size = 0
        at = 0
        sequence = self.sequence
        while at < size:
            at = seal(buf, at, sequence)
            sequence += 1
        if self._put(_path(self._newest), "ab", buf, size):
            self._size += size
            self.sequence = sequence
            return True
        if not self._size:
            self._count -= 1  # it was never begun
        self._size = self._segment_bytes  # what the flash refuses to add to is left alone
        return False

    def is_crowded(self) -> bool:
        """Are there more segments than there should be?"""
        return self._count > self._segments

    def drop(self) -> bool:
        """Removes the oldest segment when there are too many; True when it did."""
        return self.is_crowded() and self._drop_oldest()

    def keep(self, slot: str, buf, size: int) -> bool:
        """The one record in buf[0:size] takes the place of what the slot held."""
        seal(buf, 0, self.sequence)  # belongs before the next one of the segments
        return self._put(_file(slot), "wb", buf, size)

    def empty(self, slot: str) -> None:
        """What the slot held is not needed any more."""
        try:
            os.remove(_file(slot))
        except OSError:
            pass

    def _put(self, path: str, mode: str, buf, size: int) -> bool:
        """Writes; a full flash costs the oldest segment, and one more try."""
        for again in (True, False):
            try:
                with open(path, mode) as file:
                    file.write(memoryview(buf)[:size])
                return True
            except OSError as error:
                self.refused += 1
                full = error.args[0] == _NO_SPACE
            if not (again and full and self._count > 1 and self._drop_oldest()):
                return False
        return False

    def _drop_oldest(self) -> bool:
        numbers = _numbers()
        try:
            os.remove(_path(numbers[0]))
        except (OSError, IndexError):
            self.refused += 1
            return False
        self._count -= 1
        return True

    # --- reading ---

    def slot(self, slot: str) -> bytes:
        """The record of a slot, b"" when it holds none that is whole."""
        try:
            with open(_file(slot), "rb") as file:
                size = file.readinto(self._record)
        except OSError:
            return b""
        return bytes(self._record[:size]) if is_whole(self._record, 0, size) else b""

    def read(self, first: int, most: int, window) -> tuple:
        """Whole records from number `first` on, at most so many, into window: (number, bytes)."""
        count = size = 0
        numbers = _numbers()
        for place in range(len(numbers)):
            if place + 1 < len(numbers) and numbers[place + 1] <= first:
                continue
            records = self._records(numbers[place])
            for record in records:
                if sequence_of(self._record, 0) < first:
                    continue
                if count == most or size + record > len(window):
                    records.close()  # and with it the file
                    return count, size
                window[size : size + record] = memoryview(self._record)[:record]
                size += record
                count += 1
        return count, size

    def oldest(self) -> int:
        """Number of the oldest record."""
        numbers = _numbers()
        return numbers[0] if numbers else self.sequence

    def recent(self):
        """The records of the last two segments, one by one in a buffer that is used again."""
        for number in _numbers()[-2:]:
            for _ in self._records(number):
                yield self._record

    def _records(self, number: int):
        """Size of each whole record of a segment, up to the first damage; it lies in _record."""
        at = 0
        self._whole = False
        try:
            with open(_path(number), "rb") as file:
                while True:
                    file.seek(at)
                    size = file.readinto(self._record)
                    if not size or not is_whole(self._record, 0, size):
                        self._whole = not size
                        return
                    record = HEAD_BYTES + self._record[1] + CRC_BYTES
                    at += record
                    yield record
        except OSError:
            pass


def _numbers() -> list:
    """Of all segments in flash, the oldest first."""
    try:
        numbers = [_number(name) for name in os.listdir(FOLDER)]
    except OSError:
        return []
    return sorted([number for number in numbers if number])


def _file(name: str) -> str:
    return FOLDER + "/" + name


def _path(number: int) -> str:
    return "%s/%d%s" % (FOLDER, number, _SUFFIX)


def _number(name: str) -> int:
    """Of a segment's file; 0 for other files."""
    stem = name[: -len(_SUFFIX)]
    return int(stem) if name.endswith(_SUFFIX) and stem.isdigit() else 0

"""Bytes of one line -> whole, checked frames, driven by a protocol's FRAMING rows; every byte thrown away is counted by kind.

A frame counts only if header, length, checksum and tail fit. On failure one byte is skipped and the search starts again, so a
header inside a payload or a frame cut into another costs nothing but the damaged frame (Xiaomi sheet 2.4).

A FRAMING row is literal: (header, (offset, code, add, lowest, highest), (check, from, end, at, code), tail)
  length: total size = value at `offset` in `code` ("B", "<H", ">H"; "" = no length field) + add, between lowest and highest
  check:  name in checksums.py over frame[from : size - end], stored at size - at in `code`; ("", 0, 0, 0, "") = the frame has none
Several rows may share a header; the first that holds wins.
"""

import struct

from micropython import const

from deckwatch.checksums import CHECKS
from deckwatch.frame import Frame
from deckwatch.ticks import age_ms

CHUNK = const(128)  # feed() takes buffers of exactly this size
_CHUNK_FORMAT = "128s"
GAP_MS = const(100)  # silence inside a frame that ends it (BotoX firmware's own time-out, Xiaomi sheet 2.4)
_COUNT = const((1 << 30) - 1)

_WAIT = const(0)
_BAD = const(-1)


class _Framing:
    """One FRAMING row, unpacked."""

    def __init__(self, row: tuple) -> None:
        self.header, length, check, self.tail = row
        self.offset, code, self.add, self.lowest, self.highest = length
        self.width = 2 if code.endswith("H") else len(code)
        self.big = code.startswith(">")
        name, self.start, self.end, self.at, code = check
        self.check = CHECKS.get(name)
        self.check_width = 2 if code.endswith("H") else 1
        self.check_big = code.startswith(">")

    def measure(self, buf, at: int, available: int) -> int:
        """Total size the frame at `at` claims; _WAIT while its length is not in yet, _BAD when out of bounds."""
        if self.offset + self.width > available:
            return _WAIT
        size = self.add
        if self.width == 1:
            size += buf[at + self.offset]
        elif self.width == 2:
            size += _word(buf, at + self.offset, self.big)
        if size < self.lowest or size > self.highest:
            return _BAD
        return size

    def holds(self, buf, at: int, size: int) -> bool:
        """Checksum and tail of a complete candidate."""
        if self.tail:
            place = at + size - len(self.tail)
            if buf.find(self.tail, place, at + size) != place:
                return False
        if self.check is None:
            return True
        place = at + size - self.at
        if self.check_width == 2:
            stored = _word(buf, place, self.check_big)
        else:
            stored = buf[place]
        return self.check(buf, at + self.start, at + size - self.end) == stored


def _word(buf, at: int, big: bool) -> int:
    if big:
        return buf[at] << 8 | buf[at + 1]
    return buf[at] | buf[at + 1] << 8


class Framer:
    """One line's framer.

    `receiver.on_frame(framer)` is called for each frame with framer.frame filled in; it must not keep the frame. Counters: bytes,
    frames, bad_check, bad_length, cut (ended by silence), noise (bytes thrown away), damaged (how often the stream was lost and
    found again: the number of incidents behind bad_check, bad_length, cut and noise), frame_bytes.
    """

    def __init__(self, framings: tuple, receiver, port: int) -> None:
        self.receiver = receiver
        self.port = port
        self.frame = Frame()
        self._framings = [_Framing(row) for row in framings]
        longest = max([framing.highest for framing in self._framings])
        self._keep = max([len(framing.header) for framing in self._framings]) - 1
        self._buf = bytearray(longest + 2 * CHUNK)
        self.frame.buf = self._buf
        self._read = 0  # first byte not yet judged
        self._write = 0  # end of what was received
        self._last = 0  # when bytes last came
        self._lost = False
        self.bytes = self.frames = self.frame_bytes = 0
        self.bad_check = self.bad_length = self.cut = self.noise = self.damaged = 0

    def feed(self, buf, n: int, now: int) -> None:
        """Takes buf[0:n]; buf is CHUNK bytes long (a fixed size lets it be copied without allocating)."""
        if self._read != self._write and age_ms(now, self._last) > GAP_MS:
            self._scan(now, True)
        self._last = now
        self.bytes = (self.bytes + n) & _COUNT
        if self._write + CHUNK > len(self._buf):
            self._compact()
        struct.pack_into(_CHUNK_FORMAT, self._buf, self._write, buf)
        self._write += n
        self._scan(now, False)

    def idle(self, now: int) -> int:
        """Ends a frame that silence has cut. Returns the milliseconds until this must be asked again, 0 = nothing pending."""
        if self._read == self._write:
            return 0
        quiet = age_ms(now, self._last)
        if quiet > GAP_MS:
            self._scan(now, True)
            return 0
        return GAP_MS + 1 - quiet

    def lose(self, now: int) -> None:
        """Bytes were lost in front of us (overrun) or the line broke: what is pending cannot be completed."""
        if self._read != self._write:
            self._scan(now, True)

    def _compact(self) -> None:
        pending = self._write - self._read
        for i in range(pending):
            self._buf[i] = self._buf[self._read + i]
        self._read = 0
        self._write = pending

    def _scan(self, now: int, final: bool) -> None:
        """Judges what is there; with `final`, nothing more will come, so nothing is waited for."""
        while self._read < self._write:
            at = self._find_header()
            if at < 0:
                at = self._write if final else max(self._read, self._write - self._keep)
                self._discard(at - self._read)
                break
            self._discard(at - self._read)
            size = self._judge(at, final)
            if size == _WAIT:
                break
            if size == _BAD:
                self._discard(1)
                continue
            self._deliver(at, size, now)
        if self._read == self._write:
            self._read = self._write = 0

    def _find_header(self) -> int:
        first = -1
        end = self._write
        for framing in self._framings:
            at = self._buf.find(framing.header, self._read, end)
            if at >= 0 and (first < 0 or at < first):
                first = at
        return first

    def _judge(self, at: int, final: bool) -> int:
        """Size of the frame that holds at `at`, _WAIT, or _BAD (counted)."""
        available = self._write - at
        waiting = False
        checked = False
        number = 0
        for framing in self._framings:
            if self._buf.find(framing.header, at, at + len(framing.header)) == at:
                size = framing.measure(self._buf, at, available)
                if size == _WAIT or size > available:
                    waiting = True
                elif size != _BAD:
                    if framing.holds(self._buf, at, size):
                        self.frame.framing = number
                        return size
                    checked = True
            number += 1
        if waiting and not final:
            return _WAIT
        if checked:
            self.bad_check = (self.bad_check + 1) & _COUNT
        elif waiting:
            self.cut = (self.cut + 1) & _COUNT
        else:
            self.bad_length = (self.bad_length + 1) & _COUNT
        return _BAD

    def _deliver(self, at: int, size: int, now: int) -> None:
        self._lost = False
        self.frames = (self.frames + 1) & _COUNT
        self.frame_bytes = (self.frame_bytes + size) & _COUNT
        frame = self.frame
        frame.clear()
        frame.at = at
        frame.size = size
        frame.now = now
        self._read = at + size
        self.receiver.on_frame(self)

    def _discard(self, n: int) -> None:
        if n:
            self._read += n
            self.noise = (self.noise + n) & _COUNT
            if not self._lost:
                self._lost = True
                self.damaged = (self.damaged + 1) & _COUNT

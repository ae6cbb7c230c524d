"""Bytes of one line -> whole, checked frames, driven by a protocol's FRAMING rows; every byte
thrown away is counted by kind. The pipeline owns one framer per line.

A frame counts only if header, length, checksum and tail fit. On failure one byte is skipped and
the search starts again, so a header inside a payload or a frame cut into another costs nothing but
the damaged frame (xiaomi.md 2.4). What comes out does not depend on how the bytes were chunked,
but for silence.

A FRAMING row is literal:
  (header, (offset, code, add, lowest, highest), (check, from, end, at, code), tail, spare, before,
   after)
  length: total size = value at `offset` in `code` ("B", "<H", ">H"; "" = no length field) + add,
          between lowest and highest
  check:  name in checksums_viper.py over frame[from : size - end], stored at size - at in `code`;
          ("", 0, 0, 0, "") = the frame has none
  spare:  so many bytes behind a frame are passed over without being noise; this and what follows
          may be left off
  before: (lowest, highest) of one byte in front of the header, an address, with which the frame
          begins; () = none
  after:  rows of what may follow at once and then belongs to the frame (who spoke)
Several rows may share a header or the beginning of one; the first that holds wins.
"""

import struct

from micropython import const

from deckwatch.frame import Frame
from deckwatch.ticks import age_ms

try:
    from deckwatch.checksums_viper import CHECKS
except (ImportError, AttributeError, SyntaxError, ValueError):
    # In this order: the file was left out; CPython; a MicroPython without native emitter; an .mpy
    # made for another processor.
    from deckwatch.checksums_plain import CHECKS

CHUNK = const(128)  # feed() takes buffers of exactly this size
_CHUNK_FORMAT = "128s"
_AFTER_MS = const(20)  # silence that shows that nothing more belongs to a frame
GAP_MS = const(100)  # silence that ends a frame (BotoX firmware's own time-out, xiaomi.md 2.4)
_COUNT = const((1 << 30) - 1)

_WAIT = const(0)
_BAD = const(-1)

# Why nothing holds at a place, from the least to the most telling; the worst row's reason counts.
_NO_HEADER = const(0)
_BAD_LENGTH = const(1)
_CUT = const(2)
_BAD_CHECK = const(3)


class _Framing:
    """One FRAMING row, unpacked."""

    def __init__(self, row: tuple) -> None:
        self.header, length, check, self.tail = row[:4]
        self.spare = row[4] if len(row) > 4 else 0
        before = row[5] if len(row) > 5 else ()
        self.lead = 1 if before else 0
        self.first = before[0] if before else 0
        self.last = before[1] if before else 0
        self.after = [_Framing(inner) for inner in row[6]] if len(row) > 6 else []
        self.offset, code, self.add, self.lowest, self.highest = length
        self.longest = self.highest + max([0] + [inner.highest for inner in self.after])
        self.width = 2 if code.endswith("H") else len(code)
        self.big = code.startswith(">")
        name, self.start, self.end, self.at, code = check
        self.check = CHECKS[name] if name else None
        self.check_width = 2 if code.endswith("H") else 1
        self.check_big = code.startswith(">")

    def find(self, buf, start: int, end: int) -> int:
        """First place in buf[start:end] where the frame's beginning stands or, cut by the end,
        begins; or end."""
        lead = self.lead
        at = buf.find(self.header, start + lead, end)
        while at >= 0 and not self.begins(buf, at - lead, end):
            at = buf.find(self.header, at + 1, end)
        if at >= 0:
            return at - lead
        at = max(start, end - lead - len(self.header) + 1)
        while at < end and not self.begins(buf, at, end):
            at += 1
        return at

    def begins(self, buf, at: int, end: int) -> bool:
        """Does the frame's beginning stand at `at`, as far as buf[:end] shows?"""
        if self.lead and at < end:
            if not self.first <= buf[at] <= self.last:
                return False
            at += 1
        size = len(self.header)
        if at + size <= end:
            return buf.find(self.header, at, at + size) == at
        for i in range(end - at):
            if buf[at + i] != self.header[i]:
                return False
        return True

    def measure(self, buf, at: int, available: int) -> int:
        """Total size the frame at `at` claims; _WAIT while header and length are not in yet, _BAD
        when out of bounds."""
        if available < self.lead + len(self.header) or available < self.offset + self.width:
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


_latest: list = [(), []]  # rows, and the same unpacked


def _unpacked(framings: tuple) -> list:
    """The rows of one family unpacked, once for all its lines: nothing in them changes."""
    if _latest[0] is not framings:
        _latest[:] = framings, [_Framing(row) for row in framings]
    return _latest[1]


def _word(buf, at: int, big: bool) -> int:
    if big:
        return buf[at] << 8 | buf[at + 1]
    return buf[at] | buf[at + 1] << 8


class Framer:
    """One line's framer.

    `receiver.on_frame(framer)` is called for each frame with framer.frame filled in; it must not
    keep the frame. Counters, wrapping at 2**30: bytes; frames, frame_bytes; bad_check, bad_length
    and cut (ended by silence): candidates thrown away; noise: bytes thrown away; damaged: how
    often the stream was lost and found again, the number of incidents behind the four before.
    """

    def __init__(self, framings: tuple, receiver, port: int) -> None:
        self.receiver = receiver
        self.port = port
        self._framings = _unpacked(framings)
        longest = max([framing.longest for framing in self._framings])
        # What waits is shorter than a frame; a second chunk's room makes moving it rare.
        self._buf = bytearray(longest + 2 * CHUNK)
        self.frame = Frame()
        self.frame.buf = self._buf
        self._read = 0  # first byte not yet judged
        self._write = 0  # end of what was received
        self._last = 0  # when bytes last came
        self._lost = False
        self._held = 0  # size of the frame that waits for what may belong to it, 0 = none does
        self._spare = 0  # bytes behind the last frame that may still be passed over
        self.bytes = self.frames = self.frame_bytes = 0
        self.bad_check = self.bad_length = self.cut = self.noise = self.damaged = 0

    def feed(self, buf, n: int, now: int) -> None:
        """Takes buf[0:n]; buf is CHUNK bytes long, since a fixed size is copied without
        allocating."""
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
        """Ends a frame that silence has cut. Returns the ms until this must be asked again, 0 =
        nothing pending."""
        if self._read == self._write:
            return 0
        quiet = age_ms(now, self._last)
        if self._held and quiet > _AFTER_MS:
            self._deliver(self._read, self._held, now)
            self._scan(now, False)
            return self.idle(now)
        if quiet > GAP_MS:
            self._scan(now, True)
            return 0
        return (_AFTER_MS if self._held else GAP_MS) + 1 - quiet

    def lose(self, now: int) -> None:
        """Bytes were lost in front of us (overrun) or the line broke: what is pending cannot be
        completed."""
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
            self._discard(at - self._read)
            if at == self._write:
                break
            size = self._judge(at, final)
            if size == _WAIT:
                return
            if size == _BAD:
                self._discard(1)
            else:
                self._deliver(at, size, now)
        self._read = self._write = 0

    def _find_header(self) -> int:
        """First place where a frame may begin; the end of the data when there is none."""
        first = self._write
        for framing in self._framings:
            first = min(first, framing.find(self._buf, self._read, self._write))
            if first == self._read:
                break
        return first

    def _judge(self, at: int, final: bool) -> int:
        """Size of the frame that holds at `at`, _WAIT, or _BAD (counted).

        A row still waiting for bytes keeps those after it waiting: were they asked first, the
        chunks would decide which one wins.
        """
        available = self._write - at
        self._held = 0
        reason = _NO_HEADER
        number = 0
        for framing in self._framings:
            if framing.begins(self._buf, at, self._write):
                size = framing.measure(self._buf, at, available)
                if size == _WAIT or size > available:
                    if not final:
                        return _WAIT
                    if available >= framing.lead + len(framing.header):
                        reason = max(reason, _CUT)
                elif size == _BAD:
                    reason = max(reason, _BAD_LENGTH)
                elif framing.holds(self._buf, at, size):
                    self.frame.framing = number
                    more = self._follow(framing, at + size, final)
                    if more != _BAD:
                        return size + more
                    self._held = size
                    return _WAIT
                else:
                    reason = _BAD_CHECK
            number += 1
        self._count(reason)
        return _BAD

    def _follow(self, framing, at: int, final: bool) -> int:
        """Size of what follows at `at` and belongs to the frame; _BAD while it may yet come."""
        available = self._write - at
        for row in framing.after:
            if row.begins(self._buf, at, self._write):
                size = row.measure(self._buf, at, available)
                if size == _WAIT or size > available:
                    if not final:
                        return _BAD
                elif size != _BAD and row.holds(self._buf, at, size):
                    return size
        return 0

    def _count(self, reason: int) -> None:
        if reason == _BAD_CHECK:
            self.bad_check = (self.bad_check + 1) & _COUNT
        elif reason == _CUT:
            self.cut = (self.cut + 1) & _COUNT
        elif reason == _BAD_LENGTH:
            self.bad_length = (self.bad_length + 1) & _COUNT

    def _deliver(self, at: int, size: int, now: int) -> None:
        self._held = 0
        self._lost = False
        self.frames = (self.frames + 1) & _COUNT
        self.frame_bytes = (self.frame_bytes + size) & _COUNT
        frame = self.frame
        frame.clear()
        frame.at = at
        frame.size = size
        frame.now = now
        self._read = at + size
        self._spare = self._framings[frame.framing].spare
        self.receiver.on_frame(self)

    def _discard(self, n: int) -> None:
        self._read += n
        spared = min(n, self._spare)
        self._spare -= spared
        n -= spared
        if n:
            self.noise = (self.noise + n) & _COUNT
            if not self._lost:
                self._lost = True
                self.damaged = (self.damaged + 1) & _COUNT

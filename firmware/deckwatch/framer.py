"""Bytes of one line -> whole, checked frames, driven by a protocol's FRAMES (framings.py);
every byte thrown away is counted by kind. The pipeline owns one framer per line.

A frame counts only if header, length, checksum and tail fit. On failure one byte is skipped and
the search starts again, so a header inside a payload or a frame cut into another costs nothing but
the damaged frame (xiaomi.md 2.4). What comes out does not depend on how the bytes were chunked,
but for silence.

The loops are in framer_viper.py, as machine code where the processor has it.
"""

from array import array

from micropython import const

from deckwatch.frame import Frame
from deckwatch.ticks import age_ms

try:
    from deckwatch.checksums_viper import CHECKS
    from deckwatch.framer_viper import scan, take
except (ImportError, AttributeError, SyntaxError, ValueError):
    # In this order: the file was left out; CPython; a MicroPython without native emitter; an .mpy
    # made for another processor.
    from deckwatch.checksums_plain import CHECKS
    from deckwatch.framer_plain import scan, take

CHUNK = const(128)  # the most that feed() takes at once
_AFTER_MS = const(20)  # silence that shows that nothing more belongs to a frame
GAP_MS = const(100)  # silence that ends a frame (BotoX firmware's own time-out, xiaomi.md 2.4)
_COUNT = const((1 << 30) - 1)

# What a scan waits for
_NOTHING = const(0)
_FRAMES = const(1)  # but not for what may follow one
_ALL = const(2)

# A framer's numbers, shared with the loops
_READ = const(0)  # first byte not yet judged
_WRITE = const(1)  # end of what was received
_HELD = const(2)  # size of the frame that waits for what may belong to it, 0 = none does
_AT = const(5)  # the frame to deliver; in 3 and 4: bytes behind it that may be passed over, and
_SIZE = const(6)  # whether the stream is lost
_FRAMING = const(7)
_NEWS = const(8)  # something was thrown away; from here on what is to be counted
_NOISE = const(9)
_DAMAGED = const(10)
_BAD_LENGTH = const(11)
_CUT = const(12)
_BAD_CHECK = const(13)
_LAST_AT = const(14)  # when bytes last came
_NUMBERS = const(15)


class Framer:
    """One line's framer.

    frames: a family's FRAMES. `receiver.on_frame(framer)` is called for each frame with
    framer.frame filled in; it must not keep the frame, which several framers may share. Counters,
    wrapping at 2**30: bytes; frames, frame_bytes; bad_check, bad_length and cut (ended by
    silence): candidates thrown away; noise: bytes thrown away; damaged: how often the stream was
    lost and found again, the number of incidents behind the four before.
    """

    def __init__(self, frames: bytes, receiver, port: int, frame=None) -> None:
        self.receiver = receiver
        self.port = port
        longest = frames[0] | frames[1] << 8
        room = longest + CHUNK  # what waits is shorter than a frame
        self._loop = (array("i", bytes(4 * _NUMBERS)), bytearray(room), frames, CHECKS)
        self.frame = frame or Frame()
        self.bytes = self.frames = self.frame_bytes = 0
        self.bad_check = self.bad_length = self.cut = self.noise = self.damaged = 0

    def feed(self, buf, n: int, now: int) -> None:
        """Takes buf[0:n], CHUNK bytes at most."""
        state = self._loop[0]
        if state[_READ] != state[_WRITE] and age_ms(now, state[_LAST_AT]) > GAP_MS:
            self._scan(now, _NOTHING)
        state[_LAST_AT] = now
        self.bytes = (self.bytes + n) & _COUNT
        take(state, self._loop[1], buf, n)
        self._scan(now, _ALL)

    def idle(self, now: int) -> int:
        """Ends a frame that silence has cut. Returns the ms until this must be asked again, 0 =
        nothing pending."""
        state = self._loop[0]
        if state[_READ] == state[_WRITE]:
            return 0
        quiet = age_ms(now, state[_LAST_AT])
        if state[_HELD] and quiet > _AFTER_MS:
            self._scan(now, _FRAMES)
            return self.idle(now)
        if quiet > GAP_MS:
            self._scan(now, _NOTHING)
            return 0
        return (_AFTER_MS if state[_HELD] else GAP_MS) + 1 - quiet

    def lose(self, now: int) -> None:
        """Bytes were lost in front of us (overrun) or the line broke: what is pending cannot be
        completed."""
        self._scan(now, _NOTHING)

    def _scan(self, now: int, patience: int) -> None:
        """Judges what is there and delivers what holds."""
        state = self._loop[0]
        more = 1
        while more == 1:
            more = scan(self._loop, patience)
            if state[_NEWS]:
                self._tally(state)
            if more:
                size = state[_SIZE]
                self.frames = (self.frames + 1) & _COUNT
                self.frame_bytes = (self.frame_bytes + size) & _COUNT
                self.frame.begin(self._loop[1], state[_AT], size, state[_FRAMING], now)
                self.receiver.on_frame(self)

    def _tally(self, state) -> None:
        """What was thrown away is counted."""
        self.noise = (self.noise + state[_NOISE]) & _COUNT
        self.damaged = (self.damaged + state[_DAMAGED]) & _COUNT
        self.bad_length = (self.bad_length + state[_BAD_LENGTH]) & _COUNT
        self.cut = (self.cut + state[_CUT]) & _COUNT
        self.bad_check = (self.bad_check + state[_BAD_CHECK]) & _COUNT
        for number in range(_NEWS, _LAST_AT):
            state[number] = 0

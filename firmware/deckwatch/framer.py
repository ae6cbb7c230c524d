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
_LAST_AT = const(8)  # when bytes last came; behind it the counters of frame.py
_NUMBERS = const(17)


class Framer:
    """One line's framer.

    frames: a family's FRAMES. `receiver.on_frame(framer)` is called for each frame with
    framer.frame filled in; it must not keep the frame, which several framers may share. numbers:
    among them what was heard, counted by the loops where frame.py says.
    """

    def __init__(self, frames: bytes, receiver, port: int, frame=None) -> None:
        self.receiver = receiver
        self.port = port
        longest = frames[0] | frames[1] << 8
        room = longest + CHUNK  # what waits is shorter than a frame
        self.numbers = array("i", bytes(4 * _NUMBERS))
        self._loop = (self.numbers, bytearray(room), frames, CHECKS)
        self.frame = frame or Frame()

    def feed(self, buf, n: int, now: int) -> None:
        """Takes buf[0:n], CHUNK bytes at most."""
        state = self.numbers
        if state[_READ] != state[_WRITE] and age_ms(now, state[_LAST_AT]) > GAP_MS:
            self._scan(now, _NOTHING)
        state[_LAST_AT] = now
        take(state, self._loop[1], buf, n)
        self._scan(now, _ALL)

    def idle(self, now: int) -> int:
        """Ends a frame that silence has cut. Returns the ms until this must be asked again, 0 =
        nothing pending."""
        state = self.numbers
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
        state = self.numbers
        more = 1
        while more == 1:
            more = scan(self._loop, patience)
            if more:
                self.frame.begin(self._loop[1], state[_AT], state[_SIZE], state[_FRAMING], now)
                self.receiver.on_frame(self)

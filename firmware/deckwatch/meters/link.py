"""The data line itself: is it on, who talks, what goes unanswered, and how many bits go wrong.

A stock line has two wires: `bms_tx` carries what the battery says, `host_tx` what the controller asks; `dash` is another line. Both held low
means the scooter is off. Requests without replies, or a line that idles high and says nothing after having spoken, is silence.
"""

from array import array

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms

BMS_TX = const(0)
HOST_TX = const(1)
DASH = const(2)
PORTS = ("bms_tx", "host_tx", "dash")

NO_LEVEL = const(0)  # nobody has told
IDLE = const(1)
LOW = const(2)
BREAK = const(3)
OVERRUN = const(4)
LINE_STATES = ("unknown", "idle", "low", "break", "overrun")

_UNANSWERED = INDEX["unanswered_ms"]
_QUIET = INDEX["quiet_ms"]
_ERRORS = INDEX["bit_error_ppm"]

_IN_A_ROW = const(10)
_BUCKETS = const(6)
_BUCKET_MS = const(5000)
_ENOUGH = const(20)  # frames in the window before a score says anything
_HOUR_MS = const(3600000)


class Link:
    """Line state and quality. `framers`: one per port, None where no receiver is.

    is_off: every wire whose level is known is held low. score: percent of incidents-plus-frames that were good frames, over 30 s;
    worst: the lowest score since start. requests, replies: totals; their difference is what was never answered.
    """

    def __init__(self, framers: list) -> None:
        self._framers = framers
        self._level = bytearray(len(PORTS))
        self.is_off = False
        self.requests = 0
        self.replies = 0
        self.score = 100
        self.worst = 100
        self._good = array("i", bytes(4 * _BUCKETS))
        self._bad = array("i", bytes(4 * _BUCKETS))
        self._size = array("i", bytes(4 * _BUCKETS))
        self._bucket = 0
        self._bucket_at = 0
        self._filled = 0
        self._started = False
        self._frames = self._damaged = self._bytes = 0
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off: silence from here on means nothing."""
        self._spoke = False
        self._spoke_at = 0
        self._unanswered = 0
        self._asked_at = 0

    def line(self, port: int, state: int) -> bool:
        """A wire changed its level. True when this switched the scooter off or on."""
        if state == IDLE or state == LOW:
            self._level[port] = state
        off = self._held_low()
        changed = off != self.is_off
        self.is_off = off
        if changed:
            self.reset()
        return changed

    def _held_low(self) -> bool:
        low = False
        for port in (BMS_TX, HOST_TX):
            if self._level[port] == IDLE:
                return False
            if self._level[port] == LOW:
                low = True
        return low

    def heard(self, frame, port: int) -> None:
        """A valid frame passed; on the battery line, count questions and answers."""
        if port == DASH:
            return
        self._level[port] = IDLE
        self.is_off = False
        if frame.is_request:
            self.requests += 1
            if not self._unanswered:
                self._asked_at = frame.now
            if self._unanswered < _IN_A_ROW:
                self._unanswered += 1
        elif frame.is_reply:
            self.replies += 1
            self._unanswered = 0
        if port == BMS_TX:
            self._spoke = True
            self._spoke_at = frame.now

    def update(self, t, now: int) -> int:
        """Writes slots unanswered_ms, quiet_ms, bit_error_ppm. Returns the ms until either silence is a whole second longer."""
        unanswered = age_ms(now, self._asked_at) if self._unanswered >= _IN_A_ROW else 0
        t.derive(_UNANSWERED, min(unanswered, _HOUR_MS), 0, now, t.count[_UNANSWERED] + 1)
        quiet = 0
        if self._spoke and self._level[BMS_TX] == IDLE:
            quiet = age_ms(now, self._spoke_at)
        t.derive(_QUIET, min(quiet, _HOUR_MS), 0, now, t.count[_QUIET] + 1)
        self._measure(t, now)
        return 1000 - max(unanswered % 1000, quiet % 1000)

    def _measure(self, t, now: int) -> None:
        """Moves the 30 s window in 5 s steps and judges it."""
        frames = damaged = size = 0
        for framer in self._framers:
            if framer is not None:
                frames += framer.frames
                damaged += framer.damaged
                size += framer.frame_bytes
        if not self._started:
            self._started = True
            self._bucket_at = now
        k = self._bucket
        self._good[k] += frames - self._frames
        self._bad[k] += damaged - self._damaged
        self._size[k] += size - self._bytes
        self._frames = frames
        self._damaged = damaged
        self._bytes = size
        if age_ms(now, self._bucket_at) >= _BUCKET_MS:
            self._judge(t, now)
            self._bucket = k = (k + 1) % _BUCKETS
            self._good[k] = self._bad[k] = self._size[k] = 0
            self._bucket_at = now

    def _judge(self, t, now: int) -> None:
        good = bad = size = 0
        for k in range(_BUCKETS):
            good += self._good[k]
            bad += self._bad[k]
            size += self._size[k]
        if self._filled < _BUCKETS:
            self._filled += 1
        if good + bad >= _ENOUGH:
            self.score = good * 100 // (good + bad)
            self.worst = min(self.worst, self.score)
        if self._filled == _BUCKETS and good >= _ENOUGH:
            t.derive(_ERRORS, bit_error_ppm(good, bad, size), 0, now, t.count[_ERRORS] + 1)
        elif not good:
            t.drop(_ERRORS)


def bit_error_ppm(good: int, bad: int, good_bytes: int) -> int:
    """Bit errors per million that would spoil `bad` of `good + bad` frames of the good frames' mean length.

    -ln(1 - p) / bits, the logarithm as p + p^2/2 + p^3/3 in ten-thousandths (3 % low at p = 0.5), 10 bits a byte on the wire.
    """
    p = bad * 10000 // (good + bad)
    x = p + p * p // 20000 + p * p // 10000 * p // 30000
    return x * 100 // (good_bytes * 10 // good)

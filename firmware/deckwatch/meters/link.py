"""The data line itself: is it on, who talks, what goes unanswered, and how many bits go wrong.

A stock line has two wires: `bms_tx` carries what the battery says, `host_tx` what the controller
asks; `dash` is another line. Both held low means the scooter is off. Requests without replies, or
a line that idles high and says nothing after having spoken, is silence.
"""

from array import array

from micropython import const

from deckwatch.frame import BYTES_IN, COUNT, FRAMES_IN
from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

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
_ENOUGH_WORDS = const(2)  # one frame may be chance: noise that a checksum let through
_SECOND_MS = const(1000)
_HOUR_MS = const(3600000)

_BUCKETS = const(6)
_BUCKET_MS = const(5000)
# What is counted in each bucket, kind by kind; from _TOTALS on, how much of each ever came
_GOOD = const(0)  # frames, as frame.FRAMES_IN
_BAD = const(1)  # damages, and so on
_SIZE = const(2)  # bytes of the frames
_KINDS = const(3)
_TOTALS = const(18)
_ENOUGH = const(20)  # frames in the window before a score says anything
_FEW = const(3)  # damages in 30 s below this are accidents, whatever their share
_NOT_MEASURED = const(-1)
_TOO_MANY = const(64)  # bytes off a line held low: it is upside down, not switched off


class Link:
    """Line state and quality. `framers`: one per port, None where no receiver is.

    is_off: every battery wire whose level is known is held low, and nothing comes. score: good
    frames in per cent of good frames and damages, over 30 s; worst: the lowest score since start.
    requests, replies: totals; their difference is what was never answered. overruns: how often
    bytes were lost because nobody had taken them.
    """

    def __init__(self, framers: list) -> None:
        self._framers = framers
        self._level = bytearray(len(PORTS))
        self.is_off = False
        self.requests = 0
        self.replies = 0
        self.overruns = 0
        self.score = 100
        self.worst = 100
        self._window = array("i", bytes(4 * (_TOTALS + _KINDS)))
        self._measures = 0
        self._off_bytes = 0  # received until it was switched off
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off: silence from here on means nothing, noise begins anew."""
        self._asked = False
        self._asked_at = 0  # the first request of those now unanswered
        self._unanswered = 0
        self._words = 0  # valid frames on the battery's wire
        self._spoke_at = 0
        self._errors = _NOT_MEASURED
        self._measuring = False
        self._bucket = 0
        self._bucket_at = 0
        self._filled = 0
        for place in range(_KINDS * _BUCKETS):
            self._window[place] = 0

    def line(self, port: int, state: int) -> bool:
        """A wire changed its level. True when this switched the scooter off or on."""
        if state == IDLE or state == LOW:
            self._level[port] = state
        elif state == OVERRUN:
            self.overruns = (self.overruns + 1) & COUNT
        off = self._held_low()
        changed = off != self.is_off
        self.is_off = off
        if changed:
            self._off_bytes = self._received()
            self.reset()
        return changed

    def _received(self) -> int:
        total = 0
        for port in (BMS_TX, HOST_TX):
            if self._framers[port] is not None:
                total += self._framers[port].numbers[BYTES_IN]
        return total & COUNT

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
            self.requests = (self.requests + 1) & COUNT
            self._asked = True
            if not self._unanswered:
                self._asked_at = frame.now
            if self._unanswered < _IN_A_ROW:
                self._unanswered += 1
        elif frame.is_reply:
            self.replies = (self.replies + 1) & COUNT
            self._unanswered = 0
        if port == BMS_TX:
            if self._words < _ENOUGH_WORDS:
                self._words += 1
            self._spoke_at = frame.now

    def update(self, t, now: int) -> int:
        """Writes unanswered_ms once somebody has asked, quiet_ms once the battery has spoken,
        bit_error_ppm once measured. Returns the ms until a silence is a whole second longer.
        """
        if self.is_off and (self._received() - self._off_bytes) & COUNT >= _TOO_MANY:
            self.is_off = False
        unanswered = quiet = 0
        if self._asked:
            if self._unanswered >= _IN_A_ROW:
                unanswered = min(age_ms(now, self._asked_at), _HOUR_MS)
            t.derive(_UNANSWERED, unanswered, 0, now, t.count[_UNANSWERED] + 1)
        if self._words == _ENOUGH_WORDS:
            if self._level[BMS_TX] == IDLE:
                quiet = min(age_ms(now, self._spoke_at), _HOUR_MS)
            t.derive(_QUIET, quiet, 0, now, t.count[_QUIET] + 1)
        self._measure(now)
        if self._errors != _NOT_MEASURED:
            t.derive(_ERRORS, self._errors, 0, now, self._measures)
        return _SECOND_MS - max(unanswered % _SECOND_MS, quiet % _SECOND_MS)

    def _measure(self, now: int) -> None:
        """Moves the 30 s window in 5 s steps and judges it."""
        window = self._window
        if not self._measuring:
            self._measuring = True
            self._bucket_at = now
        for kind in range(_KINDS):
            total = 0
            for framer in self._framers:
                if framer is not None:
                    total += framer.numbers[FRAMES_IN + kind]
            window[kind * _BUCKETS + self._bucket] += (total - window[_TOTALS + kind]) & COUNT
            window[_TOTALS + kind] = total
        if age_ms(now, self._bucket_at) >= _BUCKET_MS:
            self._judge()
            self._bucket = (self._bucket + 1) % _BUCKETS
            for kind in range(_KINDS):
                window[kind * _BUCKETS + self._bucket] = 0
            self._bucket_at = now

    def _in_window(self, kind: int) -> int:
        total = 0
        for place in range(kind * _BUCKETS, (kind + 1) * _BUCKETS):
            total += self._window[place]
        return total

    def _judge(self) -> None:
        good = self._in_window(_GOOD)
        bad = self._in_window(_BAD)
        size = self._in_window(_SIZE)
        if self._filled < _BUCKETS:
            self._filled += 1
        if good + bad >= _ENOUGH:
            self.score = good * 100 // (good + bad)
            self.worst = min(self.worst, self.score)
        if self._filled < _BUCKETS or good < _ENOUGH:
            self._errors = _NOT_MEASURED
        else:
            self._errors = bit_error_ppm(good, bad, size) if bad >= _FEW else 0
            self._measures += 1

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._asked_at = saturated(now, self._asked_at)
        self._spoke_at = saturated(now, self._spoke_at)


def bit_error_ppm(good: int, bad: int, good_bytes: int) -> int:
    """Bit errors per million that would spoil `bad` of `good + bad` frames, all of the good ones'
    mean length.

    -ln(1 - p) / bits, the logarithm as p + p^2/2 + p^3/3 in ten-thousandths (3 % low at p = 0.5),
    10 bits a byte on the wire.
    """
    p = bad * 10000 // (good + bad)
    x = p + p * p // 20000 + p * p // 10000 * p // 30000
    return x * 100 // (good_bytes * 10 // good)

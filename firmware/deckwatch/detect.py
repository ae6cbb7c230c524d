"""Finds out what is on an unknown wire by listening alone: its speed, its polarity and the family
that speaks on it.

Nothing is sent and no time is lost on silence: bytes can be heard at any speed, right or wrong. A
burst of them is recorded and then judged, one family after the other, so that only one protocol
file is in memory at a time. Two whole, checked frames of one family settle it; bursts without any
move on to the next speed. The app opens the receiver as `baud` and `inverted` say, feeds what
comes, and asks tick() now and then.
"""

import sys

from micropython import const

from deckwatch.framer import CHUNK, Framer
from deckwatch.index import SPEEDS
from deckwatch.ticks import age_ms

SILENT = const(0)  # nothing has been heard yet
SEARCHING = const(1)
GARBAGE = const(2)  # every speed has been tried: bytes, but never a valid frame
ECHO = const(3)  # what the dongle has asked comes back, and nothing else
SETTLED = const(4)
SWAPPED = const(5)  # settled, but only questions pass here: the two wires are exchanged
VERDICTS = ("silent", "searching", "garbage", "echo", "settled", "swapped")

_RECORD = const(1024)
_BURST_GAP_MS = const(30)
_LONG_BURST = const(24)  # bytes: a burst this long without a frame condemns a speed alone
_PATIENCE = const(2)  # shorter bursts without a frame that do
_ENOUGH = const(2)  # frames of one family
_LIVE_MS = const(1000)  # requests asked this often are what a board answers first


class _Tally:
    """Receiver of a framer: counts the frames a family understands."""

    def __init__(self, protocol) -> None:
        from deckwatch.telemetry import Telemetry

        self._protocol = protocol
        self._packs = [Telemetry()]
        self._memory = protocol.Memory() if hasattr(protocol, "Memory") else None
        self.frames = 0
        self.requests = 0
        self.bytes = 0

    def on_frame(self, framer) -> None:
        frame = framer.frame
        self._packs[0].begin(0)
        self._protocol.decode(frame, self._packs, self._memory)
        if frame.kind != "unknown":
            self.frames += 1
            self.bytes += frame.size
            if frame.is_request:
                self.requests += 1


class Detector:
    """baud, inverted: how to listen now. verdict: one of the constants above. family: once
    settled. sure_pct: share of the bytes heard at this speed that valid frames explain. tried:
    speeds condemned so far.
    """

    def __init__(self) -> None:
        self._record = bytearray(_RECORD)
        self._chunk = bytearray(CHUNK)
        self._size = 0
        self._last = 0
        self._trial = 0
        self._rests_low = False
        self._question = b""
        self.restart()

    def restart(self) -> None:
        """Start over: the line contradicts what was found."""
        self.verdict = SILENT
        self.family = ""
        self.sure_pct = 0
        self.tried = 0
        self._held = False
        self._go(0, False)

    def aim(self, baud: int) -> None:
        """A question is being asked at `baud`: hear the answer at that speed and no other."""
        if baud != self.baud:
            for trial in range(len(SPEEDS)):
                if SPEEDS[trial][0] == baud:
                    self._go(trial, False)
        self._held = True

    def asked(self, request: bytes) -> None:
        """`request` has just been sent: that it comes back says nothing of a battery."""
        self._question = request

    def _go(self, trial: int, inverted: bool) -> None:
        self._trial = trial
        self.baud = SPEEDS[trial][0]
        self.inverted = inverted
        self._size = 0
        self._bad_bursts = 0
        self.hits = 0  # valid frames at this speed
        self._frames: dict = {}  # family -> (frames, questions among them)
        self._explained = 0
        self._heard = 0

    def rests(self, low: bool) -> None:
        """The level between bursts; a line that rests low and talks is inverted."""
        self._rests_low = low

    def feed(self, buf, n: int, now: int) -> None:
        """Bytes buf[0:n] came."""
        if self.verdict == SILENT:
            self.verdict = SEARCHING
        for i in range(min(n, _RECORD - self._size)):
            self._record[self._size] = buf[i]
            self._size += 1
        self._last = now

    def tick(self, now: int) -> bool:
        """Judges a finished burst. True when the receiver must be opened anew with another baud or
        polarity."""
        if self.verdict >= SETTLED or not self._size:
            return False
        if self._size < _RECORD and age_ms(now, self._last) < _BURST_GAP_MS:
            return False
        if self._is_echo() and not self._size:
            self.verdict = ECHO
            return False
        self._heard += self._size
        found = self._judge()
        if found:
            return False
        self._bad_bursts += _PATIENCE if self._size >= _LONG_BURST else 1
        self._size = 0
        if self._bad_bursts < _PATIENCE or self._held:
            return False
        return self._next()

    def _is_echo(self) -> bool:
        """Does the burst begin with our own question? Then that is taken off."""
        size = len(self._question)
        if not size or self._size < size:
            return False
        for i in range(size):
            if self._record[i] != self._question[i]:
                return False
        self._size -= size
        for i in range(self._size):
            self._record[i] = self._record[i + size]
        return True

    def _next(self) -> bool:
        """Another speed; after the last, the other polarity if the line rests low; then all over
        again."""
        self.tried += 1
        before = self.baud, self.inverted
        if self._trial + 1 < len(SPEEDS):
            self._go(self._trial + 1, self.inverted)
        else:
            self.verdict = GARBAGE
            self._go(0, self._rests_low and not self.inverted)
        return before != (self.baud, self.inverted)

    def _judge(self) -> bool:
        """Looks for frames of each family that speaks at this speed. True when there was any."""
        best = None
        best_name = ""
        for name in SPEEDS[self._trial][1]:
            tally = self._count(name)
            if tally.frames and (best is None or tally.bytes > best.bytes):
                best = tally
                best_name = name
        if best is None:
            return False
        self._size = 0
        self._explained += best.bytes
        self.hits += best.frames
        frames, requests = self._frames.get(best_name, (0, 0))
        frames += best.frames
        requests += best.requests
        self._frames[best_name] = (frames, requests)
        if frames >= _ENOUGH:
            self.family = best_name
            self.sure_pct = min(100, self._explained * 100 // self._heard)
            self.verdict = SWAPPED if requests == frames else SETTLED
        return True

    def _count(self, name: str) -> _Tally:
        """What one family makes of the record."""
        protocol, drop = _borrow(name)
        tally = _Tally(protocol)
        framer = Framer(protocol.FRAMES, tally, 0)
        for start in range(0, self._size, CHUNK):
            n = min(CHUNK, self._size - start)
            for i in range(n):
                self._chunk[i] = self._record[start + i]
            framer.feed(self._chunk, n, 0)
        framer.lose(0)
        if drop:
            _drop(name)
        return tally


def _borrow(family: str) -> tuple:
    """(protocol module, is it to be dropped again because nobody else had it)"""
    module = "deckwatch.protocols." + family
    loaded = module in sys.modules
    return __import__(module, None, None, ("decode",)), not loaded


def _drop(family: str) -> None:
    del sys.modules["deckwatch.protocols." + family]
    delattr(sys.modules["deckwatch.protocols"], family)


def probes() -> list:
    """(baud, request) of every question a silent board may be asked, all of them reads, those of
    the ANT last: they upset other boards (ant.md 1)."""
    rows: list = []
    for last in (False, True):
        for baud, families in SPEEDS:
            for family in families:
                if (family == "ant") == last:
                    protocol, drop = _borrow(family)
                    if baud in protocol.BAUDS:
                        _add_probes(rows, baud, protocol.QUESTIONS)
                    if drop:
                        _drop(family)
    return rows


def _add_probes(rows: list, baud: int, questions: bytes) -> None:
    from deckwatch.poller import listed  # there already: only mode poll asks

    for request, period_ms in listed(questions):
        if period_ms <= _LIVE_MS:
            rows.append((baud, request))

"""Decides when a request may be sent; it never sends: the hal does, and only what a family's
REQUESTS rows hold, all of them reads.

    assist   only on a line that has rested high and silent for 5 s; the first foreign request
             ends it until the next power-on
    poll     alone on a port: the rows in turn, each at its period; a second master is yielded to
             for a minute after it was last heard

In mode listen there is no Poller at all.

A question of ours may come back: on a wire that is joined to our transmitter, or through a
half-duplex adapter. Which wires do that is learnt from the first questions; on all others the same
words are somebody else's.

One request at a time: a gap before it, a reply or a time-out after it. Rows that were answered
come first; one that stays unanswered while others are answered belongs to a dialect this board
does not speak and is asked ever more rarely. A board that answers nothing may sleep: one quick
second try wakes it; then, once every row has been tried, the pauses grow.
"""

from array import array

from micropython import const

from deckwatch.ticks import age_ms, saturated

ASSIST = "assist"
POLL = "poll"

REPLY_MS = const(500)  # slowest family's time-out (JBD sheet 2)
GAP_MS = const(100)  # between exchanges (JBD 2, JK 1.1)
ASSIST_GAP_MS = const(5000)  # silence before the first question (design sheet)
YIELD_MS = const(60000)
_PORTS = const(3)
_ECHO_MS = const(100)  # a request of ours heard back within this is our own
_UNTRIED = const(0)  # does a wire carry our own questions back?
_ECHOES = const(1)
_MUTE = const(2)
_RESTS_MAX = const(6)  # pauses grow to 2**6 seconds
_TRIES = const(3)  # unanswered in a row before a row is asked more rarely
_RARELY = const(10)  # times its period
_MAX_PERIOD_MS = const(1 << 26)


def listed(questions: bytes) -> list:
    """(request, period_ms) of each of a family's QUESTIONS (rows.requested)."""
    listing = []
    at = 0
    while at < len(questions):
        period_ms = questions[at + 1] | questions[at + 2] << 8 | questions[at + 3] << 16
        start = at + 4
        at = start + questions[at]
        listing.append((questions[start:at], period_ms))
    return listing


class Poller:
    """One line's questioner. questions: a family's QUESTIONS. requests: bytes of each row. asked,
    answered, timeouts: totals. yielded: a foreign master is heard. telling: the core is being told
    of our own question (pipeline.asked)."""

    def __init__(self, questions: bytes, mode: str) -> None:
        self.mode = mode
        listing = listed(questions)
        rows = len(listing)
        self.requests = [request for request, _ in listing]
        self._period = array("i", [period_ms for _, period_ms in listing])
        self._last = array("i", bytes(4 * rows))
        self._tried = bytearray(rows)
        self._missed = bytearray(rows)
        self._known = bytearray(rows)  # rows that were answered when asked last
        self.asked = 0
        self.answered = 0
        self.timeouts = 0
        self._high = bytearray(_PORTS)  # wires seen to rest high
        self._low = bytearray(_PORTS)  # wires seen held low
        self.telling = False
        self._echo = bytearray(_PORTS)
        self._echoed = bytearray(_PORTS)  # wires that have carried the last question back
        self.restart()

    def restart(self) -> None:
        """The scooter or board was switched off or on: a new power cycle begins."""
        self.yielded = False
        self._yielded_at = 0
        self._waiting = -1  # row asked and not yet answered
        self._asked_at = 0
        self._sent = -1  # row asked last
        self._untry()
        self._quiet_since = 0
        self._silent = 0  # unanswered questions in a row, of whatever row

    def _untry(self) -> None:
        """Wires may have been changed: learn anew which carry our questions back."""
        for port in range(_PORTS):
            self._echo[port] = _UNTRIED
        self._sent = -1

    def rest(self, port: int, high: bool, now: int) -> None:
        """A wire was seen to rest high, or to be held low: while one is low nothing may be
        sent."""
        if high and not self._high[port]:
            self._quiet_since = now
        self._high[port] = high
        self._low[port] = not high

    def _rests(self) -> bool:
        """One wire at least rests high and none is low."""
        return any(self._high) and not any(self._low)

    def bytes_heard(self, now: int) -> None:
        """Anything at all passed on the wires of this line."""
        self._quiet_since = now

    def heard(self, frame, port: int, now: int) -> None:
        """A checked frame passed on a wire: our echo, a foreign request, or an answer."""
        self._quiet_since = now
        if self.telling:
            return
        if frame.is_request:
            if not self._is_echo(frame, port, now):
                self.yielded = True
                self._yielded_at = now
                self._waiting = -1
        elif frame.is_reply and self._waiting >= 0:
            self._missed[self._waiting] = 0
            self._known[self._waiting] = 1
            self._waiting = -1
            self._silent = 0
            self.answered += 1

    def echoes(self, port: int) -> bool:
        """Is a wire known to carry our own questions back?"""
        return self._echo[port] == _ECHOES

    def _is_echo(self, frame, port: int, now: int) -> bool:
        """Our last question, for the first time on a wire that may carry it back?"""
        if self._sent < 0 or self._echoed[port] or self._echo[port] == _MUTE:
            return False
        own = self.requests[self._sent]
        if frame.size != len(own) or age_ms(now, self._asked_at) > _ECHO_MS:
            return False
        for i in range(frame.size):
            if frame.buf[frame.at + i] != own[i]:
                return False
        self._echoed[port] = 1
        self._echo[port] = _ECHOES
        return True

    def next(self, now: int) -> int:
        """Number of the row to send at once, or -1. Whoever gets a row must send it and call
        sent()."""
        if not self._rests():
            return -1
        if self.yielded:
            if self.mode == ASSIST or age_ms(now, self._yielded_at) < YIELD_MS:
                return -1
            self.yielded = False
            self._untry()
        if self._waiting >= 0:
            if age_ms(now, self._asked_at) < REPLY_MS:
                return -1
            self._time_out()
        gap = ASSIST_GAP_MS if self.mode == ASSIST and not self.answered else GAP_MS
        if age_ms(now, self._quiet_since) < gap or age_ms(now, self._asked_at) < self._pause_ms():
            return -1
        return self._due(now)

    def _pause_ms(self) -> int:
        """None while the board answers, nor before it has been asked everything; the first miss is
        repeated at once, then 1, 2, 4 ... 64 s."""
        if self._silent < 2 or not all(self._tried):
            return 0
        return 1000 << min(self._silent - 2, _RESTS_MAX)

    def _time_out(self) -> None:
        row = self._waiting
        self._waiting = -1
        self.timeouts += 1
        self._silent = min(self._silent + 1, 255)
        self._missed[row] = min(self._missed[row] + 1, 255)
        if self._missed[row] >= _TRIES:
            self._known[row] = 0
        if self._silent == 1 and self._missed[row] < _TRIES:
            self._tried[row] = 0  # the request that wakes a board is lost on it: ask it again

    def _due(self, now: int) -> int:
        """The row that is most overdue, of those that were answered if there is one; else one that
        was never asked."""
        row = self._most_overdue(now, 1)
        if row < 0:
            row = self._tried.find(b"\0")
        return self._most_overdue(now, 0) if row < 0 else row

    def _most_overdue(self, now: int, known: int) -> int:
        best = -1
        most = -1
        for row in range(len(self.requests)):
            if self._known[row] != known or not self._tried[row]:
                continue
            period = self._period[row]
            if self._missed[row] >= _TRIES:
                period = min(period * _RARELY, _MAX_PERIOD_MS)
            late = age_ms(now, self._last[row]) - period
            if late >= 0 and late > most:
                most = late
                best = row
        return best

    def sent(self, row: int, now: int) -> None:
        """Row `row` has just left the transmitter."""
        for port in range(_PORTS):
            if self._sent >= 0 and not self._echoed[port]:
                self._echo[port] = _MUTE if self._echo[port] != _ECHOES else _UNTRIED
            self._echoed[port] = 0
        self._tried[row] = 1
        self._last[row] = now
        self._asked_at = now
        self._quiet_since = now
        self._waiting = row
        self._sent = row
        self.asked += 1

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        for row in range(len(self.requests)):
            self._last[row] = saturated(now, self._last[row])
        self._asked_at = saturated(now, self._asked_at)
        self._quiet_since = saturated(now, self._quiet_since)
        self._yielded_at = saturated(now, self._yielded_at)

"""Decides when a request may be sent; it never sends: the hal does, and only what a family's
REQUESTS rows hold, all of them reads.

    assist   only on a line that has rested high and silent for 5 s; the first foreign request
             ends it until the next power-on
    poll     alone on a port: the rows in turn, each at its period; a second master is yielded to
             for a minute after it was last heard

In mode listen there is no Poller at all.

One request at a time: a gap before it, a reply or a time-out after it. A row that stays unanswered
while others are answered belongs to a dialect this board does not speak and is asked ever more
rarely; a board that answers nothing may sleep: one quick second try wakes it, then the pauses
grow.
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
_RESTS_MAX = const(6)  # pauses grow to 2**6 seconds
_TRIES = const(3)  # unanswered in a row before a row is asked more rarely
_RARELY = const(10)  # times its period
_MAX_PERIOD_MS = const(1 << 26)


class Poller:
    """One line's questioner. requests: bytes of each row. asked, answered, timeouts: totals.
    yielded: a foreign master is heard."""

    def __init__(self, rows: tuple, mode: str) -> None:
        self.mode = mode
        self.requests = [bytes.fromhex(row[1]) for row in rows]
        self._period = array("i", [row[3] for row in rows])
        self._last = array("i", bytes(4 * len(rows)))
        self._tried = bytearray(len(rows))
        self._missed = bytearray(len(rows))
        self.asked = 0
        self.answered = 0
        self.timeouts = 0
        self._high = bytearray(_PORTS)  # wires seen to rest high
        self._low = bytearray(_PORTS)  # wires seen held low
        self.restart()

    def restart(self) -> None:
        """The scooter or board was switched off or on: a new power cycle begins."""
        self.yielded = False
        self._yielded_at = 0
        self._waiting = -1  # row asked and not yet answered
        self._asked_at = 0
        self._echo = -1  # row whose own echo may still come
        self._echoes = 0  # how often
        self._quiet_since = 0
        self._silent = 0  # unanswered questions in a row, of whatever row

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

    def heard(self, frame, now: int) -> None:
        """A checked frame passed: our echo, a foreign request, or an answer."""
        self._quiet_since = now
        if frame.is_request:
            if not self._is_echo(frame, now):
                self.yielded = True
                self._yielded_at = now
                self._waiting = -1
        elif frame.is_reply and self._waiting >= 0:
            self._missed[self._waiting] = 0
            self._waiting = -1
            self._silent = 0
            self.answered += 1

    def _is_echo(self, frame, now: int) -> bool:
        """Our own request, heard once after it was sent (wires joined, or our transmitter on a
        tapped wire)."""
        if self._echo < 0 or age_ms(now, self._asked_at) > _ECHO_MS:
            return False
        own = self.requests[self._echo]
        if frame.size != len(own):
            return False
        for i in range(frame.size):
            if frame.buf[frame.at + i] != own[i]:
                return False
        self._echoes -= 1
        if not self._echoes:
            self._echo = -1
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
        if self._waiting >= 0:
            if age_ms(now, self._asked_at) < REPLY_MS:
                return -1
            self._time_out()
        gap = ASSIST_GAP_MS if self.mode == ASSIST and not self.answered else GAP_MS
        if age_ms(now, self._quiet_since) < gap or age_ms(now, self._asked_at) < self._pause_ms():
            return -1
        return self._due(now)

    def _pause_ms(self) -> int:
        """None while the board answers; the first miss is repeated at once, then 1, 2, 4 ... 64
        s."""
        if self._silent < 2:
            return 0
        return 1000 << min(self._silent - 2, _RESTS_MAX)

    def _time_out(self) -> None:
        row = self._waiting
        self._waiting = -1
        self.timeouts += 1
        self._silent = min(self._silent + 1, 255)
        self._missed[row] = min(self._missed[row] + 1, 255)
        if self._silent == 1 and self._missed[row] < _TRIES:
            self._tried[row] = 0  # the request that wakes a board is lost on it: ask it again

    def _due(self, now: int) -> int:
        """The row that is most overdue."""
        best = -1
        most = -1
        for row in range(len(self.requests)):
            if not self._tried[row]:
                return row
            period = self._period[row]
            if self._missed[row] >= _TRIES:
                period = min(period * _RARELY, _MAX_PERIOD_MS)
            late = age_ms(now, self._last[row]) - period
            if late >= 0 and late > most:
                most = late
                best = row
        return best

    def sent(self, row: int, now: int, echoes: int = 1) -> None:
        """Row `row` has just left the transmitter; it may be heard back on so many receivers."""
        self._tried[row] = 1
        self._last[row] = now
        self._asked_at = now
        self._quiet_since = now
        self._waiting = row
        self._echo = row
        self._echoes = echoes
        self.asked += 1

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        for row in range(len(self.requests)):
            self._last[row] = saturated(now, self._last[row])
        self._asked_at = saturated(now, self._asked_at)
        self._quiet_since = saturated(now, self._quiet_since)
        self._yielded_at = saturated(now, self._yielded_at)

"""Has the battery cut out? Its discharge MOSFET opens while riding; or the line dies within a
second of a load; or the dongle itself lost its supply under load, which is seen at the next start.

A line dies when both its wires fall low, or when neither side says anything for 10 s: a board
polled once a second and noise that spoils one long frame in five make 3 s of silence. While
the controller goes on asking it has supply: then it is a wire that was lost, and `silence` tells.
A supply that was lost is recorder.py's to judge, from what it had stored, and to tell here.
"""

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

_CURRENT = INDEX["current_ma"]
_LOWEST = INDEX["lowest_mv"]
_RIDING = INDEX["riding"]
_FET = INDEX["discharge_fet"]
_QUIET = INDEX["quiet_ms"]
_UNANSWERED = INDEX["unanswered_ms"]
_TRIP_MA = INDEX["trip_ma"]
_TRIP_FET = INDEX["trip_fet"]

_DIED_MS = const(1000)
_SILENT_MS = const(10000)
_STANDS_MS = const(600000)  # how long a trip is told
_LEAST_MA = const(1000)  # less is a scooter that stands: its line dies when it is switched off


class Trip:
    """One pack's. trip_ma: the load at which it cut out (where: its weakest cell, if known), 0 =
    it has not; trip_fet: 1 = its MOSFET has opened."""

    def __init__(self) -> None:
        self._off = False  # switched off, not yet judged
        self._count = self._fets = self._frames = 0
        self._before_ma = 0  # the load one sample ago
        self._load_ma = 0  # by the last two samples
        self._load_at = 0
        self._load_cell = 0  # its weakest
        self._heard_at = 0
        self._closed = False
        self._open = 0  # samples in a row
        self._told_ma = self._told_fet = 0
        self._where = 0
        self._told_at = 0
        self._trips = 1  # the first sample, which says that there was none

    def reset(self) -> None:
        """The scooter was switched off, or on."""
        self._off = True
        self._closed = False
        self._open = 0

    def update(self, t, now: int) -> None:
        """Follows load, line and MOSFET; tells a trip for ten minutes."""
        if self._off:
            self._off = False
            self._die(now, self._load_at, now)
            self._before_ma = self._load_ma = 0
        if t.frames != self._frames:
            self._frames = t.frames
            self._heard_at = now
            self._follow(t, now)
        elif t.seen[_QUIET] and age_ms(now, self._heard_at) >= _SILENT_MS:
            if not t.fresh(_UNANSWERED, now) or not t.value[_UNANSWERED]:
                self._die(self._heard_at, self._load_at, now)
            self._load_ma = 0
        self._tell(t, now)

    def lost_supply(self, ma: int, now: int) -> None:
        """The start before this one ended under a load of `ma`, for want of supply."""
        self._trip(ma, 0, now)

    def _die(self, then: int, load_at: int, now: int) -> None:
        """The line died at `then`."""
        if self._load_ma >= _LEAST_MA and age_ms(then, load_at) <= _DIED_MS:
            self._trip(self._load_ma, self._load_cell, now)

    def _trip(self, ma: int, cell: int, now: int) -> None:
        self._told_ma = ma
        self._where = cell
        self._told_at = now
        self._trips = (self._trips + 1) & 0xFFFF

    def _follow(self, t, now: int) -> None:
        if t.count[_CURRENT] != self._count:
            self._count = t.count[_CURRENT]
            self._note_load(t, now)
        if t.count[_FET] != self._fets and t.fresh(_FET, now):
            self._fets = t.count[_FET]
            self._note_fet(t, now)

    def _note_load(self, t, now: int) -> None:
        """Load counts as what two samples have both seen."""
        ma = max(0, -t.value[_CURRENT])
        self._load_ma = min(ma, self._before_ma)
        self._before_ma = ma
        self._load_at = t.stamp[_CURRENT]
        self._load_cell = t.where[_LOWEST] if t.fresh(_LOWEST, now) else 0

    def _note_fet(self, t, now: int) -> None:
        """Closed, then open in two samples while riding."""
        if t.value[_FET]:
            self._closed = True
            self._open = 0
            return
        self._open += 1
        if self._closed and self._open == 2:
            self._closed = False
            if t.fresh(_RIDING, now) and t.value[_RIDING]:
                self._told_fet = 1
                self._told_at = now
                self._trips = (self._trips + 1) & 0xFFFF

    def _tell(self, t, now: int) -> None:
        """What has tripped is told while it stands, and that it is over."""
        over = age_ms(now, self._told_at) > _STANDS_MS
        if self._told_ma or t.fresh(_CURRENT, now):
            stamp = now if self._told_ma else t.stamp[_CURRENT]
            t.derive(_TRIP_MA, 0 if over else self._told_ma, self._where, stamp, self._trips)
        if self._told_fet or t.fresh(_FET, now):
            stamp = now if self._told_fet else t.stamp[_FET]
            t.derive(_TRIP_FET, 0 if over else self._told_fet, 0, stamp, self._trips)
        if over:
            self._told_ma = self._told_fet = 0

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._load_at = saturated(now, self._load_at)
        self._heard_at = saturated(now, self._heard_at)
        self._told_at = saturated(now, self._told_at)

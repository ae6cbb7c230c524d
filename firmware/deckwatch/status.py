"""The one thing all outputs show: how bad it is, in which hazard group, since when, and whether
the owner has heard it.
"""

from micropython import const

from deckwatch.ticks import age_ms, saturated

OFF = const(0)  # the scooter is off: nothing to say
NO_DATA = const(1)
PARTIAL = const(2)  # data, but not yet all that can be watched here
FINE = const(3)  # all that can be watched here is watched and fine
INFO = const(4)
UNKNOWN = const(5)  # something was wrong, and its values went stale
WARN = const(6)
ALARM = const(7)
LOOKS = ("off", "no_data", "partial", "fine", "info", "unknown", "warn", "alarm")

_FORGOTTEN_MS = const(600000)  # silence after which an old alert that stands again is news


class Status:
    """look: one of the constants above, the larger the worse. group: hazard group of alert.py, 0 =
    none. since: when look and group became so, ms tick. sound_since: when the sound began to
    count.

    muted: the owner has acknowledged; light goes on, sound stays silent until something new is
    set. A sound that was interrupted (its values went stale, the scooter was switched off) and
    comes back goes on where it was, so that a loose plug does not start it again and again.
    chirps, chirp_since: good news has come, and when.
    """

    def __init__(self) -> None:
        self.look = NO_DATA
        self.group = 0
        self.since = 0
        self.sound_since = 0
        self.muted = False
        self.chirps = False
        self.chirp_since = 0
        self._silent_since = 0

    def show(self, look: int, group: int, news: bool, now: int) -> None:
        """Called after each round; `news`: a warning or alarm was set or got worse in it."""
        if look >= WARN and self.look < WARN:
            news = news or age_ms(now, self._silent_since) > _FORGOTTEN_MS
        elif look < WARN and self.look >= WARN:
            self._silent_since = now
        if news:
            self.muted = False
            self.sound_since = now
        if news or look != self.look or group != self.group:
            self.look = look
            self.group = group
            self.since = now

    def chirp(self, now: int) -> None:
        """Something good has happened."""
        self.chirps = True
        self.chirp_since = now

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self.since = saturated(now, self.since)
        self.sound_since = saturated(now, self.sound_since)
        self.chirp_since = saturated(now, self.chirp_since)
        self._silent_since = saturated(now, self._silent_since)

"""The one thing all outputs show: how bad it is, in which hazard group, since when, and whether the owner has heard it."""

from micropython import const

from deckwatch.ticks import saturated

OFF = const(0)  # the scooter is off: nothing to say
NO_DATA = const(1)
PARTIAL = const(2)  # data, but not yet all that can be watched here
FINE = const(3)  # all that can be watched here is watched and fine
INFO = const(4)
UNKNOWN = const(5)  # something was wrong, and its values went stale
WARN = const(6)
ALARM = const(7)
LOOKS = ("off", "no_data", "partial", "fine", "info", "unknown", "warn", "alarm")


class Status:
    """look: one of the constants above, the larger the worse. group: hazard group of alert.py, 0 = none. since: when this began, ms tick.

    muted: the owner has acknowledged; light goes on, sound stays silent until something new is set.
    """

    def __init__(self) -> None:
        self.look = NO_DATA
        self.group = 0
        self.since = 0
        self.muted = False

    def show(self, look: int, group: int, news: bool, now: int) -> None:
        """Called after each round of judging; `news`: an alert was set or got worse in this round."""
        if news:
            self.muted = False
        if look != self.look or group != self.group or news:
            self.look = look
            self.group = group
            self.since = now

    def saturate(self, now: int) -> None:
        """Keeps an old stamp old across the tick wrap."""
        self.since = saturated(now, self.since)

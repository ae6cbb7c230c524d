"""What the owner's finger and ignition mean: a short press, a long one, the scooter switched off
and on twice."""

from micropython import const

from deckwatch.ticks import age_ms

NONE = const(0)
SHORT = const(1)
LONG = const(2)

_STEADY_MS = const(40)  # contacts bounce for less
_LONG_MS = const(1500)
_TWICE_MS = const(15000)  # off, on, off, on must fit in here


class Press:
    """A push button, looked at every few milliseconds."""

    def __init__(self) -> None:
        self._down = False
        self._raw = False
        self._raw_since = 0
        self._down_since = 0
        self._told = False

    def update(self, down: bool, now: int) -> int:
        """What this look completes: SHORT on release, LONG as soon as it has been held long
        enough, else NONE."""
        if down != self._raw:
            self._raw = down
            self._raw_since = now
        if self._raw != self._down and age_ms(now, self._raw_since) >= _STEADY_MS:
            self._down = self._raw
            if self._down:
                self._down_since = self._raw_since
                self._told = False
            elif not self._told:
                return SHORT
        if self._down and self._raw and not self._told:
            if age_ms(now, self._down_since) >= _LONG_MS:
                self._told = True
                return LONG
        return NONE


class Ignition:
    """The scooter's own switch, as the line shows it: twice off and on within 15 s
    acknowledges."""

    def __init__(self) -> None:
        self._off = False
        self._times = 0
        self._first_at = 0

    def update(self, is_off: bool, now: int) -> bool:
        """True when the second switching-on completes the gesture."""
        if self._times and age_ms(now, self._first_at) > _TWICE_MS:
            self._times = 0
        if is_off == self._off:
            return False
        self._off = is_off
        if is_off:
            if not self._times:
                self._first_at = now
            return False
        self._times += 1
        if self._times < 2:
            return False
        self._times = 0
        return True

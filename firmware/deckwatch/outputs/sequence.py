"""Short shows that lie over the normal pattern: the self-test at start, what is watched on a long
press, a faulty configuration."""

from micropython import const

from deckwatch.outputs.led import AMBER, BLUE, DARK, GREEN, RED, VIOLET
from deckwatch.ticks import age_ms

# A show is bytes, three a step: colour, tone in HZ, how long in MS
HZ = const(50)
MS = const(10)


def _steps(*rows: tuple) -> bytes:
    """A show of (colour, tone_hz, ms)."""
    return b"".join([bytes((colour, hz // HZ, ms // MS)) for colour, hz, ms in rows])


SELF_TEST = _steps(
    (RED, 0, 300),
    (AMBER, 0, 300),
    (GREEN, 0, 300),
    (BLUE, 0, 300),
    (DARK, 2700, 150),
    (DARK, 0, 250),
)
CONFIG_ERROR = _steps(
    (VIOLET, 0, 250),
    (AMBER, 2000, 250),
    (VIOLET, 0, 250),
    (AMBER, 0, 250),
    (VIOLET, 0, 250),
    (AMBER, 2000, 250),
    (DARK, 0, 500),
)
SAFE_MODE = _steps(
    (AMBER, 0, 150),
    (BLUE, 0, 150),
    (AMBER, 0, 150),
    (BLUE, 0, 150),
    (DARK, 0, 400),
)
_GROUP_MS = const(500)
_GROUP_GAP_MS = const(250)
_GROUPS = const(5)


def silent(steps):
    """The same show without its tones."""
    quiet = bytearray(steps)
    for at in range(1, len(quiet), 3):
        quiet[at] = 0
    return quiet


class Sequence:
    """Plays one show at a time. colour, tone_hz: what it wants now. playing: whether it wants
    anything."""

    def __init__(self) -> None:
        self.playing = False
        self.colour = DARK
        self.tone_hz = 0
        self._steps = b""
        self._watched = bytearray(_GROUPS)
        self._since = 0

    def play(self, steps, now: int) -> None:
        """Begins a show."""
        self._steps = steps
        self._since = now
        self.playing = True

    def play_watched(self, watched, now: int) -> None:
        """One light per hazard group: green = all that can be watched of it is, blue = it is not.
        `watched` has a flag a group."""
        for group in range(_GROUPS):
            self._watched[group] = watched[group]
        self.play(b"", now)

    def render(self, now: int) -> int:
        """Sets colour and tone for `now`. Returns ms until the next edge; at the end `playing` is
        false."""
        elapsed = age_ms(now, self._since)
        if not self._steps:
            return self._render_watched(elapsed)
        steps = self._steps
        for at in range(0, len(steps), 3):
            lasts_ms = MS * steps[at + 2]
            if elapsed < lasts_ms:
                self.colour = steps[at]
                self.tone_hz = HZ * steps[at + 1]
                return lasts_ms - elapsed
            elapsed -= lasts_ms
        self.playing = False
        return 1

    def _render_watched(self, elapsed: int) -> int:
        self.tone_hz = 0
        group = elapsed // (_GROUP_MS + _GROUP_GAP_MS)
        if group >= _GROUPS:
            self.playing = False
            return 1
        elapsed %= _GROUP_MS + _GROUP_GAP_MS
        if elapsed < _GROUP_MS:
            self.colour = GREEN if self._watched[group] else BLUE
            return _GROUP_MS - elapsed
        self.colour = DARK
        return _GROUP_MS + _GROUP_GAP_MS - elapsed

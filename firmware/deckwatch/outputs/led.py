"""The light: colour tells how bad, the number of blinks tells the hazard group (docs/signals.md
has the same table).

A light without colours tells the level by its rhythm: alarm quick, warning slow, information
mostly lit, no data rarely lit.
"""

from micropython import const

from deckwatch import status
from deckwatch.ticks import age_ms

DARK = const(0)
GREEN = const(1)
BLUE = const(2)
AMBER = const(3)
RED = const(4)
VIOLET = const(5)
COLOURS = ("off", "green", "blue", "amber", "red", "violet")

_GROUP = const(0)  # in place of a number: blink as often as the hazard group says
_STEADY_MS = const(60000)  # a steady light wants to be looked at again after this

# colour, blinks, on_ms, off_ms, pause_ms; a pause of -1: steady
PATTERNS = {
    status.OFF: (DARK, 1, 0, 0, -1),
    status.NO_DATA: (BLUE, 1, 200, 0, 1800),
    status.PARTIAL: (BLUE, 2, 200, 200, 1200),
    status.FINE: (GREEN, 1, 0, 0, -1),
    status.INFO: (GREEN, _GROUP, 400, 100, 1000),
    status.UNKNOWN: (VIOLET, _GROUP, 250, 250, 1500),
    status.WARN: (AMBER, _GROUP, 250, 250, 1000),
    status.ALARM: (RED, _GROUP, 100, 100, 500),
}


class Led:
    """colour: one of the constants, what the light shows now (DARK in the gaps)."""

    def __init__(self) -> None:
        self.colour = DARK

    def render(self, shown, now: int) -> int:
        """Sets `colour` for `now`. Returns the ms until the next edge."""
        colour, blinks, on_ms, off_ms, pause_ms = PATTERNS[shown.look]
        if pause_ms < 0:
            self.colour = colour
            return _STEADY_MS
        blinks = blinks or shown.group
        beat = on_ms + off_ms
        lit = blinks * beat
        phase = age_ms(now, shown.since) % (lit + pause_ms)
        if phase >= lit:
            self.colour = DARK
            return lit + pause_ms - phase
        phase %= beat
        if phase < on_ms:
            self.colour = colour
            return on_ms - phase
        self.colour = DARK
        return beat - phase

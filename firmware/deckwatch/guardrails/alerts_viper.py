# ruff: noqa: F821  viper's own types, such as ptr8, are known to MicroPython's compiler alone
"""Looking through all codes for the few that something has happened to: as machine code for the
chip, because it is done in every round. alerts.py and pipeline.py call it.
"""

import micropython
from micropython import const

from deckwatch.alert import CLEAR, SET

# Judge.state, as in judge.py
_LEVEL = const(3)
_WATCHED = const(8)


@micropython.viper
def next_moved(alerts, judge, code: int, collects: int) -> int:
    """The first code from `code` on whose record may have to change; their number when there is
    none. Without `collects` those are the alerts that stand; with it also what was lost, what the
    judge has set, and those that have begun or ceased to be watched.
    """
    state = ptr8(alerts.state)
    told = ptr8(alerts.watched)
    start = ptr8(judge.rules.start)
    states = ptr8(judge.state)
    clear = int(CLEAR)
    stands = int(SET)
    codes = int(alerts.codes)
    while code < codes:
        if state[code] == stands:
            return code
        if collects:
            if state[code] != clear:
                return code
            sees = 0
            for rule in range(start[code], start[code + 1]):
                if states[rule] & _LEVEL:
                    return code
                if states[rule] & _WATCHED:
                    sees = 1
            if told[code] != sees:
                return code
        code += 1
    return codes


@micropython.viper
def next_worse(alerts, state: int, code: int, than: int) -> int:
    """The first code from `code` on in `state` whose level is above `than`; their number when
    there is none."""
    states = ptr8(alerts.state)
    levels = ptr8(alerts.level)
    codes = int(alerts.codes)
    while code < codes:
        if states[code] == state and levels[code] > than:
            return code
        code += 1
    return codes


@micropython.viper
def is_any(flags, but, size: int) -> int:
    """Is any of the first `size` flags set that is not set in `but`? 0 or 1."""
    these = ptr8(flags)
    those = ptr8(but)
    for place in range(size):
        if these[place] and not those[place]:
            return 1
    return 0

"""alerts_viper.py in plain Python; written by tools/make_plain.py, never by hand."""

from micropython import const

from deckwatch.alert import CLEAR, SET

# Judge.state, as in judge.py
_LEVEL = const(3)
_WATCHED = const(8)


def next_moved(alerts, judge, code: int, collects: int) -> int:
    """The first code from `code` on whose record may have to change; their number when there is
    none. Without `collects` those are the alerts that stand; with it also what was lost, what the
    judge has set, and those that have begun or ceased to be watched.
    """
    state = alerts.state
    told = alerts.watched
    start = judge.rules.start
    states = judge.state
    clear = CLEAR
    stands = SET
    codes = alerts.codes
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


def next_worse(alerts, state: int, code: int, than: int) -> int:
    """The first code from `code` on in `state` whose level is above `than`; their number when
    there is none."""
    states = alerts.state
    levels = alerts.level
    codes = alerts.codes
    while code < codes:
        if states[code] == state and levels[code] > than:
            return code
        code += 1
    return codes


def is_any(flags, but, size: int) -> int:
    """Is any of the first `size` flags set that is not set in `but`? 0 or 1."""
    these = flags
    those = but
    for place in range(size):
        if these[place] and not those[place]:
            return 1
    return 0

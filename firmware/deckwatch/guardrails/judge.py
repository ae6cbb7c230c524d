"""What a round of judging one pack goes by, and what it leaves behind. How a rule is judged, with
limits, hysteresis, hold times and agreeing samples, is in judge_viper.py.

Rules is the table with the owner's limits, shared by all packs; Judge is one pack's state. Nothing
here allocates after start.
"""

from array import array

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import saturated

try:
    from deckwatch.guardrails.judge_viper import judge
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.guardrails.judge_plain import judge

_TICK_MS = const(100)  # hold times are kept in tenths of a second: 16 bits reach 109 minutes
UNARMED = const(-(1 << 29))
_NO_GATE = const(255)

# Judge.state of a rule: a level, and
LEVEL = const(3)
LOST = const(4)
WATCHED = const(8)
PENDING = const(16)


class Rules:
    """The table compiled to arrays.

    A rule has one place a level, from first[rule] to first[rule + 1] - 1. level, limit and hold
    are by place, all else by rule; hold and clear_hold in 0.1 s. armed: has any limit. A code's
    rules are those from start[code] to start[code + 1] - 1. group, of_the_line: by code; the
    latter is watched without a word from the battery. chirping: the code that is good news. The
    table itself is not needed any more once this is built: an app may let it go.
    """

    def __init__(self, config) -> None:
        from deckwatch.guardrails.table import CHIRPING, CODES, HOLDING, OF_THE_LINE, ROWS

        rows = len(ROWS)
        places = sum([len(row[8]) for row in ROWS])
        self.slot = bytearray(rows)
        self.gate = bytearray(rows)
        self.holding = bytearray(rows)
        self.armed = bytearray(rows)
        self.sign = array("b", bytes(rows))  # +1: too high is bad, -1: too low is bad
        self.strict = bytearray(rows)
        self.need = bytearray(rows)
        self.clear_by = array("H", bytes(2 * rows))
        self.clear_hold = array("H", bytes(2 * rows))
        self.first = bytearray(rows + 1)
        self.level = bytearray(places)
        self.limit = array("i", bytes(4 * places))
        self.hold = array("H", bytes(2 * places))
        self.group = bytearray(len(CODES))
        self.start = bytearray(len(CODES) + 1)
        self.chirping = CODES.index(CHIRPING)
        self.of_the_line = bytes([code in OF_THE_LINE for code in CODES])
        for rule in range(rows):
            code = CODES.index(ROWS[rule][0])
            self.group[code] = ROWS[rule][4]
            self.start[code + 1] = rule + 1
            self.holding[rule] = ROWS[rule][3] in HOLDING
            self._add(rule, ROWS[rule], config.limits_of(ROWS[rule]))

    def _add(self, rule: int, row: tuple, limits: list) -> None:
        self.slot[rule] = INDEX[row[1]]
        self.sign[rule] = 1 if row[2].startswith(">") else -1
        self.strict[rule] = len(row[2]) == 1
        self.gate[rule] = INDEX[row[3]] if row[3] else _NO_GATE
        self.need[rule] = row[5]
        self.clear_by[rule] = row[6]
        self.clear_hold[rule] = row[7] // _TICK_MS
        place = self.first[rule]
        for level, limit in zip(row[8], limits):
            self.level[place] = level[0]
            self.hold[place] = level[4] // _TICK_MS
            self.limit[place] = UNARMED if limit is None else limit
            if limit is not None:
                self.armed[rule] = True
            place += 1
        self.first[rule + 1] = place

    def place(self, rule: int, level: int) -> int:
        """Where a level of a rule is kept."""
        place = self.first[rule]
        while self.level[place] != level:
            place += 1
        return place


class Judge:
    """One pack's rules at work.

    state: per rule, the level that is set now, with LOST, it was set, then its values went stale
    or its gate closed, and nothing has confirmed it since; WATCHED, it has a limit, and its inputs
    are there; PENDING, a time or a sample is waited for. changed: one of the first three moved
    since the caller last looked (the caller clears it).
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.size = len(rules.slot)
        self.state = bytearray(self.size)
        self.changed = False
        # What is under way is judge_viper.py's. By place: since when the limit has been passed, of
        # the level that is set, since when it may be over; and on how many samples it was passed.
        # By rule: how many say that what is set is over, or from _STANDS on, that it still stands;
        # and the count of the slot when it was last judged.
        self.since = array("i", bytes(4 * len(rules.level)))
        self.agree = bytearray(len(rules.level))
        self.tally = bytearray(self.size)
        self.count = array("H", bytes(2 * self.size))

    def update(self, t, now: int, whole: bool, longest_ms: int) -> int:
        """Judges what is new (everything with `whole`).

        Returns ms until a hold time ends, at most longest_ms.
        """
        return judge(self, t, now, whole, longest_ms)

    def release(self) -> None:
        """Lets go of levels that have no limit any more, after the owner has changed the rules."""
        for rule in range(self.size):
            level = self.state[rule] & LEVEL
            if level and self.rules.limit[self.rules.place(rule, level)] == UNARMED:
                self.state[rule] &= WATCHED | PENDING
                self.tally[rule] = 0
                self.changed = True

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        for place in range(len(self.since)):
            self.since[place] = saturated(now, self.since[place])

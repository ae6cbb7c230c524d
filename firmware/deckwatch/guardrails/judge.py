"""Applies the table to one pack: the one place that knows limits, hysteresis, hold times and
agreeing samples.

Rules is the table with the owner's limits, shared by all packs; Judge is one pack's state. Nothing
here allocates after start.
"""

from array import array

from micropython import const

from deckwatch.alert import OK
from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

_TICK_MS = const(100)  # hold times are kept in tenths of a second: 16 bits reach 109 minutes
UNARMED = const(-(1 << 29))
_NO_GATE = const(255)


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

    def over(self, rule: int, place: int, value: int) -> bool:
        """Is `value` on the wrong side of the limit at `place`?"""
        beyond = (value - self.limit[place]) * self.sign[rule]
        return beyond > 0 or beyond == 0 and not self.strict[rule]

    def safe(self, rule: int, place: int, value: int) -> bool:
        """Is `value` far enough on the right side to clear?"""
        if self.over(rule, place, value):
            return False
        return (self.limit[place] - value) * self.sign[rule] >= self.clear_by[rule]


class Judge:
    """One pack's rules at work.

    level: per rule, what is set now. lost: it was set, then its values went stale or its gate
    closed, and nothing has confirmed it since. watched: it has a limit, and its inputs are there.
    changed: one of these moved since the caller last looked (the caller clears it).
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.size = len(rules.slot)
        self.level = bytearray(self.size)
        self.lost = bytearray(self.size)
        self.watched = bytearray(self.size)
        places = len(rules.level)
        self._since = array("i", bytes(4 * places))
        self._agree = bytearray(places)
        self._clear_since = array("i", bytes(4 * self.size))
        self._clear_agree = bytearray(self.size)
        self._confirm = bytearray(self.size)
        self._count = array("H", bytes(2 * self.size))
        self._pending = bytearray(self.size)
        self._wait_ms = 0
        self.changed = False

    def update(self, t, now: int, whole: bool, longest_ms: int) -> int:
        """Judges what is new (everything with `whole`).

        Returns ms until a hold time ends, at most longest_ms.
        """
        self._wait_ms = longest_ms
        slots = self.rules.slot
        armed = self.rules.armed
        count = t.count
        seen = t.seen
        judged = self._count
        pending = self._pending
        watched = self.watched
        for rule in range(self.size):
            slot = slots[rule]
            if whole or count[slot] != judged[rule] or pending[rule]:
                self._judge(rule, slot, t, now)
            elif not watched[rule] and seen[slot] and armed[rule]:
                self._judge(rule, slot, t, now)  # seen again, or its gate
        return self._wait_ms

    def _judge(self, rule: int, slot: int, t, now: int) -> None:
        rules = self.rules
        gate = rules.gate[rule]
        watched = (
            rules.armed[rule]
            and t.fresh(slot, now)
            and (gate == _NO_GATE or t.fresh(gate, now))
        )  # fmt: skip
        applies = gate == _NO_GATE or t.value[gate] != 0
        if self.watched[rule] != watched:
            self.watched[rule] = watched
            self.changed = True
        new = t.count[slot] != self._count[rule] or not applies
        self._count[rule] = t.count[slot]
        self._pending[rule] = False
        if not watched or not applies and rules.holding[rule]:
            self._suspend(rule)
            return
        if applies:
            self._raise(rule, t.value[slot], now, new)
        else:
            self._disagree(rule)
        if self.level[rule]:
            self._lower(rule, t.value[slot], now, new, applies)

    def _suspend(self, rule: int) -> None:
        """There is nothing to judge: agreement and hold times count from the next value on."""
        self._disagree(rule)
        self._clear_agree[rule] = 0
        self._confirm[rule] = 0
        if self.level[rule] and not self.lost[rule]:
            self.lost[rule] = True
            self.changed = True

    def _disagree(self, rule: int) -> None:
        for place in range(self.rules.first[rule], self.rules.first[rule + 1]):
            self._agree[place] = 0

    def _raise(self, rule: int, value: int, now: int, new: bool) -> None:
        rules = self.rules
        for place in range(rules.first[rule], rules.first[rule + 1]):
            if rules.limit[place] == UNARMED:
                continue
            level = rules.level[place]
            if not rules.over(rule, place, value):
                self._agree[place] = 0
            elif self._holds(place, rules.need[rule], now, new):
                if level > self.level[rule]:
                    self._set(rule, level)
            elif level > self.level[rule]:
                self._pending[rule] = True

    def _holds(self, place: int, need: int, now: int, new: bool) -> bool:
        """Has the condition at `place` held long enough, on enough samples?"""
        if not self._agree[place]:
            self._since[place] = now
            self._agree[place] = 1
        elif new and self._agree[place] < need:
            self._agree[place] += 1
        left = self.rules.hold[place] * _TICK_MS - age_ms(now, self._since[place])
        if left > 0:
            if left < self._wait_ms:
                self._wait_ms = left
            return False
        return self._agree[place] >= need

    def _lower(self, rule: int, value: int, now: int, new: bool, applies: bool) -> None:
        rules = self.rules
        place = rules.place(rule, self.level[rule])
        if applies and not rules.safe(rule, place, value):
            self._clear_agree[rule] = 0
            if self.lost[rule]:
                self._confirmed(rule, self.level[rule], new)
            return
        self._confirm[rule] = 0
        if not self._clear_agree[rule]:
            self._clear_since[rule] = now
            self._clear_agree[rule] = 1
        elif new and self._clear_agree[rule] < rules.need[rule]:
            self._clear_agree[rule] += 1
        left = rules.clear_hold[rule] * _TICK_MS - age_ms(now, self._clear_since[rule])
        if left > 0 or self._clear_agree[rule] < rules.need[rule]:
            self._pending[rule] = True
            if 0 < left < self._wait_ms:
                self._wait_ms = left
            return
        first = rules.first[rule]
        place -= 1
        while place >= first and (not applies or self._passed(rule, place, value)):
            place -= 1
        self._set(rule, rules.level[place] if place >= first else OK)

    def _passed(self, rule: int, place: int, value: int) -> bool:
        return self.rules.limit[place] == UNARMED or self.rules.safe(rule, place, value)

    def _confirmed(self, rule: int, level: int, new: bool) -> None:
        """What was lost is still wrong: it stands again once enough samples say so."""
        if new or not self._confirm[rule]:
            self._confirm[rule] += 1
        if self._confirm[rule] >= self.rules.need[rule]:
            self._set(rule, level)

    def _set(self, rule: int, level: int) -> None:
        self.level[rule] = level
        self.lost[rule] = False
        self._clear_agree[rule] = 0
        self.changed = True

    def release(self) -> None:
        """Lets go of levels that have no limit any more, after the owner has changed the rules."""
        for rule in range(self.size):
            level = self.level[rule]
            if level and self.rules.limit[self.rules.place(rule, level)] == UNARMED:
                self._set(rule, OK)

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        for place in range(len(self._since)):
            self._since[place] = saturated(now, self._since[place])
        for rule in range(self.size):
            self._clear_since[rule] = saturated(now, self._clear_since[rule])

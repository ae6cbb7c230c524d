"""What was found, one record per guardrail code and pack: the worst of its rules, since when, how bad, how often."""

from array import array

from micropython import const

from deckwatch.alert import CLEAR, OK, SET, UNKNOWN
from deckwatch.guardrails.table import CODES
from deckwatch.telemetry import INDEX
from deckwatch.ticks import saturated

_LEVELS = const(3)
_NAMED = (INDEX["fault_level"], INDEX["error_level"])  # another fault or code is news even at the same level


class Alerts:
    """One pack's alerts, arrays over CODES.

    state, level (of an UNKNOWN alert: what it was), slot (what was judged), since (ms tick of this incident), value, limit and peak (in the unit of the
    slot), where (cell, probe, fault or error number), count (incidents since start), watched (its inputs are there).
    `sink.on_alert(alerts, code)` is told of every change.
    """

    def __init__(self, pack: int, judge, sink) -> None:
        codes = len(CODES)
        self.pack = pack
        self._judge = judge
        self._sink = sink
        self.state = bytearray(codes)
        self.level = bytearray(codes)
        self.slot = bytearray(codes)
        self.where = bytearray(codes)
        self.watched = bytearray(codes)
        self.since = array("i", bytes(4 * codes))
        self.value = array("i", bytes(4 * codes))
        self.limit = array("i", bytes(4 * codes))
        self.peak = array("i", bytes(4 * codes))
        self.count = array("H", bytes(2 * codes))
        self._rule = bytearray(codes)  # the rule behind the record
        self.watch_changed = False

    def update(self, t, now: int) -> None:
        """Follows the judge after each of its rounds."""
        if self._judge.changed:
            self._judge.changed = False
            for code in range(len(CODES)):
                self._collect(code, t, now)
        else:
            for code in range(len(CODES)):
                if self.state[code] == SET:
                    self._follow(code, t, now)

    def _collect(self, code: int, t, now: int) -> None:
        """The worst rule of this code that can be judged; failing that, the worst that could."""
        judge = self._judge
        rules = judge.rules
        best = OK
        best_rule = 0
        lost = OK
        watched = False
        for rule in range(judge.size):
            if rules.code[rule] != code:
                continue
            if judge.watched[rule]:
                watched = True
            level = judge.level[rule]
            if judge.known[rule]:
                if level > best:
                    best = level
                    best_rule = rule
            elif level > lost:
                lost = level
        if self.watched[code] != watched:
            self.watched[code] = watched
            self.watch_changed = True
        if best:
            self._set(code, best, best_rule, t, now)
        elif lost:
            if self.state[code] != UNKNOWN:
                self._change(code, UNKNOWN, lost)
        elif self.state[code] != CLEAR:
            self._follow(code, t, now)
            self._change(code, CLEAR, OK)

    def _set(self, code: int, level: int, rule: int, t, now: int) -> None:
        rules = self._judge.rules
        slot = rules.slot[rule]
        named = slot in _NAMED and t.where[slot] != self.where[code]
        news = self.state[code] != SET or level != self.level[code] or named
        if self.state[code] == CLEAR:
            self.since[code] = now
            self.count[code] += 1
            self.peak[code] = t.value[slot]
        if rule != self._rule[code] or self.state[code] == CLEAR:
            self.peak[code] = t.value[slot]
        self._rule[code] = rule
        self.slot[code] = slot
        self.limit[code] = rules.limit[rule * _LEVELS + level - 1]
        if news:
            self.value[code] = t.value[slot]
            self.where[code] = t.where[slot]
            self._worsen(code, t.value[slot], rules.sign[rule])
            self._change(code, SET, level)
        else:
            self._follow(code, t, now)

    def _follow(self, code: int, t, now: int) -> None:
        """Keeps value and peak of a standing alert; another fault or error code is told."""
        slot = self.slot[code]
        if not t.fresh(slot, now):
            return
        self.value[code] = t.value[slot]
        self._worsen(code, t.value[slot], self._judge.rules.sign[self._rule[code]])
        if t.where[slot] != self.where[code]:
            self.where[code] = t.where[slot]
            if slot in _NAMED and t.where[slot] and self.state[code] == SET:
                self._change(code, SET, self.level[code])

    def _worsen(self, code: int, value: int, sign: int) -> None:
        if (value - self.peak[code]) * sign > 0:
            self.peak[code] = value

    def _change(self, code: int, state: int, level: int) -> None:
        self.state[code] = state
        self.level[code] = level
        self._sink.on_alert(self, code)

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        for code in range(len(CODES)):
            self.since[code] = saturated(now, self.since[code])

"""What was found, one record per guardrail code and pack: the worst of its rules, since when, how
bad, how often.
"""

from array import array

from micropython import const

from deckwatch.alert import CLEAR, OK, SET, UNKNOWN, WARN
from deckwatch.guardrails.compiled import CHIRPING, GROUP, RULE
from deckwatch.guardrails.judge import LEVEL, LOST, WATCHED
from deckwatch.telemetry import INDEX
from deckwatch.ticks import saturated

try:
    from deckwatch.guardrails.alerts_viper import next_moved
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.guardrails.alerts_plain import next_moved

_COUNT = const(0xFFFF)
_RIDING = INDEX["riding"]
# Of these `where` is a name, so that another one is news even at the same level
_NAMED = (INDEX["fault_level"], INDEX["error_level"])


class Alerts:
    """One pack's alerts, arrays over the table's CODES, `codes` of them.

    state, level (of an UNKNOWN alert: what it was), slot (what was judged), since (ms tick of this
    incident), value, limit and peak (in the unit of the slot), where (cell, probe, fault or error
    number), count (incidents since start, wraps at 65536), watched (its inputs are there).
    `sink.on_alert(alerts, code)` is told of every change. watch_changed: `watched` is not what was
    told last; news: a warning or alarm was set, got worse or got another name; good_news: one that
    is worth a chirp was set, for the first time since a ride; moved: anything of this, or a state
    or level; the caller clears all four. An alert that was unknown for a while and stands again as
    it was is no news.
    """

    def __init__(self, pack: int, judge, sink) -> None:
        codes = self.codes = len(GROUP)
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
        # of each _NAMED slot: another name, seen in one sample so far; and in which
        self._other = array("H", bytes(2 * len(_NAMED)))
        self._other_count = array("H", bytes(2 * len(_NAMED)))
        self.watch_changed = self.moved = True
        self.news = self.good_news = False
        self._chirped = False  # since the last ride

    def update(self, t, now: int) -> None:
        """Follows the judge after each of its rounds."""
        if t.seen[_RIDING] and t.value[_RIDING]:
            self._chirped = False
        judge = self._judge
        collects = judge.changed
        judge.changed = False
        code = next_moved(self, judge, 0, collects)
        while code < self.codes:
            if collects:
                self._collect(code, t, now)
            else:
                self._follow(code, t, now)
            code = next_moved(self, judge, code + 1, collects)

    def _collect(self, code: int, t, now: int) -> None:
        """The worst rule of this code that can be judged; failing that, the worst that could."""
        judge = self._judge
        rules = judge.rules
        best = OK
        best_rule = 0
        lost = OK
        watched = False
        for rule in range(rules.start[code], rules.start[code + 1]):
            state = judge.state[rule]
            if state & WATCHED:
                watched = True
            level = state & LEVEL
            if state & LOST:
                lost = max(lost, level)
            elif level > best:
                best = level
                best_rule = rule
        if self.watched[code] != watched:
            self.watched[code] = watched
            self.watch_changed = self.moved = True
        if best:
            self._set(code, best, best_rule, t, now)
        elif lost:
            if self.state[code] != UNKNOWN or self.level[code] != lost:
                self._change(code, UNKNOWN, lost)
        elif self.state[code] != CLEAR:
            self._follow(code, t, now)
            self._change(code, CLEAR, OK)

    def _set(self, code: int, level: int, rule: int, t, now: int) -> None:
        rules = self._judge.rules
        slot = rules.rows[rule * RULE]
        was = self.state[code]
        before = self.level[code]
        if was == CLEAR:
            self.since[code] = now
            self.count[code] = (self.count[code] + 1) & _COUNT
            if code == CHIRPING and not self._chirped:
                self.good_news = self._chirped = True
        if was == CLEAR or slot != self.slot[code]:
            self.peak[code] = t.value[slot]
            self.where[code] = t.where[slot]
        limit = rules.limit[rules.place(rule, level)]
        deeper = slot == self.slot[code] and rules.is_beyond(rule, limit, self.limit[code])
        self._rule[code] = rule
        self.slot[code] = slot
        self.limit[code] = limit
        if was == SET and level == before and not deeper:
            self._follow(code, t, now)
            return
        self.where[code] = t.where[slot] or self.where[code]
        self._measure(code, t.value[slot])
        if level >= WARN and (level > before or deeper):
            self.news = True
        self._change(code, SET, level)

    def _follow(self, code: int, t, now: int) -> None:
        """Keeps value, peak and place of a standing alert."""
        slot = self.slot[code]
        if not t.fresh(slot, now):
            return
        self._measure(code, t.value[slot])
        where = t.where[slot]
        if slot not in _NAMED:
            self.where[code] = where
        elif where == self.where[code]:
            self._other[_NAMED.index(slot)] = 0
        elif where:
            self._rename(code, _NAMED.index(slot), where, t.count[slot])

    def _rename(self, code: int, named: int, where: int, count: int) -> None:
        """Another fault or error code is told once two samples name it."""
        if where != self._other[named]:
            self._other[named] = where
            self._other_count[named] = count
        elif count != self._other_count[named] and self.state[code] == SET:
            self.where[code] = where
            if self.level[code] >= WARN:
                self.news = True
            self._change(code, SET, self.level[code])

    def _measure(self, code: int, value: int) -> None:
        self.value[code] = value
        if self._judge.rules.is_beyond(self._rule[code], value, self.peak[code]):
            self.peak[code] = value

    def _change(self, code: int, state: int, level: int) -> None:
        self.state[code] = state
        self.level[code] = level
        self.moved = True
        self._sink.on_alert(self, code)

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        for code in range(self.codes):
            self.since[code] = saturated(now, self.since[code])

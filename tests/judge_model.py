"""One rule of the judge as the guardrail sheet tells it, a second time and written to be read:
what test_judge.py holds the judge to, on rules and courses made by chance.

A rule has places, one a level, the mildest first; each has a limit and a hold time.
"""

from dataclasses import dataclass, field
from random import Random

UNARMED = -(1 << 29)
TICKS = 1 << 30
LEVELS = (1, 2, 3)


@dataclass
class Input:
    """What is known of one slot."""

    value: int = 0
    seen: bool = False
    lasting: bool = False
    at: int = 0
    count: int = 0

    def fresh(self, now: int, ttl_ms: int) -> bool:
        """Told, and not too long ago."""
        return self.seen and (self.lasting or (now - self.at) % TICKS <= ttl_ms)


@dataclass
class Rule:
    """A row of the table. sign: +1 where too high is bad; hold_ms, limits: by place."""

    slot: Input
    gate: Input | None
    limits: list[int]
    hold_ms: list[int]
    sign: int = 1
    strict: bool = False
    need: int = 2
    holding: bool = False
    clear_by: int = 0
    clear_hold_ms: int = 0

    level: int = 0
    lost: bool = False
    watched: bool = False
    judged: int = 0
    pending: bool = False
    since: list[int] = field(default_factory=lambda: [0, 0, 0])
    agree: list[int] = field(default_factory=lambda: [0, 0, 0])
    clear_since: int = 0
    clear_agree: int = 0
    confirm: int = 0

    @property
    def armed(self) -> bool:
        """Has it any limit?"""
        return any(limit != UNARMED for limit in self.limits)

    def over(self, place: int) -> bool:
        """Is the value on the wrong side of the limit?"""
        beyond = (self.slot.value - self.limits[place]) * self.sign
        return beyond > 0 or beyond == 0 and not self.strict

    def safe(self, place: int) -> bool:
        """Is it far enough on the right side to clear?"""
        inside = (self.limits[place] - self.slot.value) * self.sign
        return not self.over(place) and inside >= self.clear_by

    def judge(self, now: int, whole: bool, ttl_ms: int) -> list[int]:
        """One round; returns the times until a hold time ends."""
        known = self.slot.count == self.judged and not self.pending and not whole
        if known and (self.watched or not self.slot.seen or not self.armed):
            return []
        gate = self.gate
        self.watched = self.armed and self.slot.fresh(now, ttl_ms)
        if gate and not gate.fresh(now, ttl_ms):
            self.watched = False
        applies = gate is None or gate.value != 0
        new = self.slot.count != self.judged or not applies
        self.judged = self.slot.count
        self.pending = False
        if not self.watched or not applies and self.holding:
            self.agree = [0, 0, 0]
            self.clear_agree = self.confirm = 0
            self.lost = self.lost or self.level > 0
            return []
        waits = self.rise(now, new) if applies else []
        if not applies:
            self.agree = [0, 0, 0]
        if self.level:
            waits += self.fall(now, new, applies)
        return waits

    def rise(self, now: int, new: bool) -> list[int]:
        """Every level whose limit is passed for long enough, on enough samples, is set."""
        waits = []
        for place, level in enumerate(LEVELS):
            if self.limits[place] == UNARMED:
                continue
            if not self.over(place):
                self.agree[place] = 0
                continue
            if not self.agree[place]:
                self.since[place] = now
                self.agree[place] = 1
            elif new:
                self.agree[place] = min(self.agree[place] + 1, max(self.need, 1))
            left = self.hold_ms[place] - (now - self.since[place]) % TICKS
            if left > 0:
                waits.append(left)
            if left <= 0 and self.agree[place] >= self.need:
                if level > self.level:
                    self.set(level)
            elif level > self.level:
                self.pending = True
        return waits

    def fall(self, now: int, new: bool, applies: bool) -> list[int]:
        """A level that has been safe for long enough gives way to the worst that is not."""
        if applies and not self.safe(LEVELS.index(self.level)):
            self.clear_agree = 0
            if self.lost:
                self.confirm += new or not self.confirm
                if self.confirm >= self.need:
                    self.set(self.level)
            return []
        self.confirm = 0
        if not self.clear_agree:
            self.clear_since = now
            self.clear_agree = 1
        elif new:
            self.clear_agree = min(self.clear_agree + 1, max(self.need, 1))
        left = self.clear_hold_ms - (now - self.clear_since) % TICKS
        if left > 0 or self.clear_agree < self.need:
            self.pending = True
            return [left] if left > 0 else []
        milder = [level for level in LEVELS if level < self.level and applies]
        stand = [
            level
            for level in milder
            if self.limits[level - 1] != UNARMED and not self.safe(level - 1)
        ]
        self.set(max(stand, default=0))
        return []

    def set(self, level: int) -> None:
        """A level stands from here on."""
        self.level = level
        self.lost = False
        self.clear_agree = 0


def some_rule(chance: Random, slot: Input, gate: Input) -> Rule:
    """Any shape a row of the table may have; limits lie within -9 and 9."""
    sign = chance.choice((1, -1))
    limits = sorted(chance.sample(range(-6, 7), 3), reverse=sign < 0)
    limits = [limit if chance.random() < 0.8 else UNARMED for limit in limits]
    return Rule(
        slot,
        gate if chance.random() < 0.6 else None,
        limits,
        [100 * chance.choice((0, 0, 1, 3, 10, 30)) for _ in LEVELS],
        sign,
        chance.random() < 0.5,
        chance.choice((1, 2, 3)),
        chance.random() < 0.5,
        chance.choice((0, 1, 2, 3)),
        100 * chance.choice((0, 0, 1, 3, 10, 30)),
    )

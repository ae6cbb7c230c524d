"""The rules all packs are judged by: the table with the owner's limits. judge.py keeps the state
of one pack; nothing here allocates after start."""

from micropython import const

from deckwatch.guardrails import compiled
from deckwatch.guardrails.compiled import FIRST, GROUP, LEVEL, RISING, STANDS_ON, START
from deckwatch.passing import CELLS, DESIGN, GROUPS

UNARMED = const(-(1 << 29))


class Rules:
    """Fields as compiled.py has them; a rule is a row there. limit, by place, in the unit of the
    slot, UNARMED = none; armed, by rule: has any."""

    slot = compiled.SLOT
    holding = compiled.HOLDING
    rising = RISING
    strict = compiled.STRICT
    need = compiled.NEED
    clear_by = compiled.CLEAR_BY
    clear_hold = compiled.CLEAR_HOLD
    first = FIRST
    level = LEVEL
    hold = compiled.HOLD
    start = START
    group = GROUP

    def __init__(self, config) -> None:
        self.gate = compiled.GATE  # but for a session of the owner's
        self.take(config)

    def take(self, config) -> None:
        """Other limits are in force."""
        self.limit = config.limit
        self.armed = bytearray(len(RISING))
        for rule in range(len(RISING)):
            for place in range(FIRST[rule], FIRST[rule + 1]):
                if self.limit[place] != UNARMED:
                    self.armed[rule] = True

    def expected(self, config, steady: int) -> bytearray:
        """By code: can it be watched on a line where `steady` (passing.py) passes by, without
        anybody's doing?"""
        if config.series or steady & CELLS:
            steady |= GROUPS
        if config.design_mah:
            steady |= DESIGN
        found = bytearray(len(GROUP))
        for code in range(len(GROUP)):
            for rule in range(START[code], START[code + 1]):
                stands_on = STANDS_ON[2 * rule] | STANDS_ON[2 * rule + 1] << 8
                if self.armed[rule] and not stands_on & ~steady:
                    found[code] = True
        return found

    def place(self, rule: int, level: int) -> int:
        """Where a level of a rule is kept."""
        place = FIRST[rule]
        while LEVEL[place] != level:
            place += 1
        return place

    def is_beyond(self, rule: int, value: int, other: int) -> bool:
        """Does `value` lie further on a rule's bad side than `other`?"""
        return value > other if RISING[rule] else value < other

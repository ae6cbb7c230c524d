"""The rules all packs are judged by: the table with the owner's limits. judge.py keeps the state
of one pack; nothing here allocates after start."""

from micropython import const

from deckwatch.guardrails.compiled import (
    FIRST,
    FLAGS,
    PLACE,
    PLACES,
    RISING,
    RULE,
    RULES,
    START,
)

UNARMED = const(-(1 << 29))


class Rules:
    """What compiled.py says of the table: `rows` are its RULES, but for a session of the owner's,
    a rule is one of them; places, start. limit, by place, in the unit of the slot, UNARMED = none;
    armed, by rule: has any."""

    rows = RULES
    places = PLACES
    start = START

    def __init__(self, config) -> None:
        self.take(config)

    def take(self, config) -> None:
        """Other limits are in force."""
        self.limit = config.limit
        self.armed = bytearray(len(RULES) // RULE)
        for rule in range(len(self.armed)):
            for place in range(RULES[rule * RULE + FIRST], RULES[rule * RULE + RULE + FIRST]):
                if self.limit[place] != UNARMED:
                    self.armed[rule] = True

    def place(self, rule: int, level: int) -> int:
        """Where a level of a rule is kept."""
        place = RULES[rule * RULE + FIRST]
        while PLACES[place * PLACE] != level:
            place += 1
        return place

    def is_beyond(self, rule: int, value: int, other: int) -> bool:
        """Does `value` lie further on a rule's bad side than `other`?"""
        is_rising = RULES[rule * RULE + FLAGS] & RISING
        return value > other if is_rising else value < other

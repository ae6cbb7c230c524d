"""What a round of judging one pack goes by, and what it leaves behind. How a rule is judged, with
limits, hysteresis, hold times and agreeing samples, is in judge_viper.py.

Judge is one pack's state; the Rules (rules.py) are shared by all packs. Nothing here allocates
after start.
"""

from array import array

from micropython import const

from deckwatch.guardrails.compiled import PLACE, RULE
from deckwatch.guardrails.rules import UNARMED, Rules
from deckwatch.ticks import saturated

try:
    from deckwatch.guardrails.judge_viper import judge
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.guardrails.judge_plain import judge

# Judge.state of a rule: a level, and
LEVEL = const(3)
LOST = const(4)
WATCHED = const(8)
PENDING = const(16)


class Judge:
    """One pack's rules at work.

    state: per rule, the level that is set now, with LOST, it was set, then its values went stale
    or its gate closed, and nothing has confirmed it since; WATCHED, it has a limit, and its inputs
    are there; PENDING, a time or a sample is waited for. changed: one of the first three moved
    since the caller last looked (the caller clears it).
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.size = len(rules.rows) // RULE
        self.state = bytearray(self.size)
        self.changed = False
        # What is under way is judge_viper.py's. By place: since when the limit has been passed, of
        # the level that is set, since when it may be over; and on how many samples it was passed.
        # By rule: how many say that what is set is over, or from _STANDS on, that it still stands;
        # and the count of the slot when it was last judged.
        places = len(rules.places) // PLACE
        self.since = array("i", bytes(4 * places))
        self.agree = bytearray(places)
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
                self.changed = True

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        for place in range(len(self.since)):
            self.since[place] = saturated(now, self.since[place])

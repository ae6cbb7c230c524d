"""Judge and meters as machine code and in plain Python, side by side on the same slots: a line for
each difference, and at the end how many rounds there were, how many of them changed something, and
how many levels they have set. tests/test_judge.py runs it.

stdin: JSON {"config": {...}, "seed": n, "rounds": n}
"""

import json
import random
import sys
from array import array

from deckwatch import config
from deckwatch.guardrails import alerts_plain, alerts_viper, judge_plain, judge_viper
from deckwatch.guardrails.alerts import Alerts
from deckwatch.guardrails.compiled import CLEAR_BY, FIRST, GATE, RULE
from deckwatch.guardrails.judge import LEVEL, Judge
from deckwatch.guardrails.rules import UNARMED, Rules
from deckwatch.meters import probes_plain, probes_viper, tell_plain, tell_viper
from deckwatch.telemetry import SLOTS, Telemetry

STATE = ("state", "since", "agree", "tally", "count")
FAR = (-(1 << 30), -1, 0, 1, (1 << 30) - 1)


class Sink:
    def on_alert(self, alerts, code):
        pass


def near(rules, number):
    """One of a few rules, others from time to time, and a value at, beside or far from one of its
    limits."""
    rule = (number // 60 * 4 + random.getrandbits(2)) % len(rules.armed)
    at = rule * RULE
    first, end = rules.rows[at + FIRST], rules.rows[at + RULE + FIRST]
    limit = rules.limit[first + random.getrandbits(8) % (end - first)]
    away = random.getrandbits(8)
    if limit == UNARMED or away < 16:
        return rule, FAR[away % len(FAR)]
    clear = rules.rows[at + CLEAR_BY] | rules.rows[at + CLEAR_BY + 1] << 8
    return rule, limit + (-1, 0, 1, -clear - 1, -clear, 1 - clear, clear)[away % 7]


def set_levels(judge):
    return sum([state & LEVEL for state in judge.state])


def compare_meters(number, now):
    """The jump of probes that read anything or nothing, and results that are anything or none."""

    def readings(size):
        most = 1 << random.getrandbits(4)
        return [random.choice((-most, most - 1, 230, -0x8000)) for _ in range(size)]

    kept_dc = array("h", [dc for size in (8, 8, 16, 40) for dc in readings(size)])
    ages = (0, 1, 9999, 10000, 10001, 60000)
    kept_at = array("i", [(now - random.choice(ages)) & (1 << 30) - 1 for _ in range(5)])
    kept = random.getrandbits(8) % 6
    jumps = [code.jump(kept_dc, kept_at, 8, kept, now) for code in (probes_viper, probes_plain)]
    if jumps[0] != jumps[1]:
        print("round %d jumps %r" % (number, jumps))
    values = array("i", [random.choice(FAR) for _ in range(4)])
    slots = bytes([random.getrandbits(5) for _ in range(4)])
    source = random.getrandbits(5)
    both = []
    for code in (tell_viper, tell_plain):
        t = Telemetry()
        t.begin(now)
        t.set(source, number)
        code.tell(t, slots, values, source)
        both.append([list(part) for part in (t.value, t.stamp, t.count, t.where, t.seen)])
    if both[0] != both[1]:
        print("round %d tells otherwise" % number)


def main():
    given = json.loads(sys.stdin.readline())
    random.seed(given["seed"])
    rules = Rules(config.load(given["config"]))
    t = Telemetry()
    judges = (Judge(rules), Judge(rules))
    alerts = Alerts(0, judges[1], Sink())
    now = (1 << 30) - 100000
    changes = levels = 0
    for number in range(given["rounds"]):
        now = (now + random.getrandbits(random.getrandbits(3) * 2)) & (1 << 30) - 1
        t.begin(now)
        for _ in range(random.getrandbits(2)):
            rule, value = near(rules, number)
            slot, gate = rules.rows[rule * RULE], rules.rows[rule * RULE + GATE]
            t.set(slot, value)
            if gate < len(SLOTS):
                t.set(gate, random.getrandbits(3) > 0)
        if not random.getrandbits(6):
            t.drop(random.getrandbits(8) % len(SLOTS))
        whole = random.getrandbits(3) == 0
        before = set_levels(judges[1])
        waits = [
            code.judge(judge, t, now, whole, 1000)
            for code, judge in zip((judge_viper, judge_plain), judges)
        ]
        if waits[0] != waits[1] or judges[0].changed != judges[1].changed:
            print("round %d waits %r" % (number, waits))
        for name in STATE:
            if getattr(judges[0], name) != getattr(judges[1], name):
                print("round %d differs in %s" % (number, name))
        for collects in (False, True):
            for code in range(alerts.codes):
                found = [
                    f(alerts, judges[1], code, collects)
                    for f in (alerts_viper.next_moved, alerts_plain.next_moved)
                ]
                for state in range(3):
                    found.append(alerts_viper.next_worse(alerts, state, code, 1))
                    found.append(alerts_plain.next_worse(alerts, state, code, 1))
                if found[::2] != found[1::2]:
                    print("round %d code %d finds %r" % (number, code, found))
        flags = alerts.watched, judges[1].state, alerts.codes
        if alerts_viper.is_any(*flags) != alerts_plain.is_any(*flags):
            print("round %d differs in is_any" % number)
        if number % 8 == 0:
            compare_meters(number, now)
        changes += judges[0].changed
        levels += set_levels(judges[1]) > before
        judges[0].changed = False
        alerts.update(t, now)
    print(given["rounds"], changes, levels)


main()

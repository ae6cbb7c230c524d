"""The judge: limits, hold times, agreeing samples, hysteresis, gates, what is lost and found.

What each guardrail's limits are is test_guardrails.py's; here the rows only lend their shape:
cell_high  (ungated, two samples, three levels with hold times 2 s, 10 s, 2 s)
cell_spread  (judged while still), charge_hot (set while charging), ghost_voltage (three samples)
"""

import json
import struct
from array import array
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ROOT, MicroPython
from deckwatch.guardrails.compiled import GROUP
from deckwatch.guardrails.judge import LEVEL, LOST, WATCHED, Judge
from deckwatch.guardrails.rules import UNARMED, Rules
from deckwatch.guardrails.table import CODES, ROWS
from deckwatch.telemetry import FIRST_LASTING, SLOTS, Telemetry
from judge_model import LEVELS, TICKS, Input, Rule, some_rule
from pack_rig import PackRig

from tools.compiled import architecture

CLEAR, INFO, WARN, ALARM = (
    ("clear", "ok"),
    ("set", "info"),
    ("set", "warn"),
    ("set", "alarm"),
)


def held(rig: PackRig, slot: str, value: int, ms: int, every_ms: int = 500) -> None:
    """The same value again and again for a while, the first one now, the last at the end."""
    rig.judge(slot, value)
    for _ in range(ms // every_ms):
        rig.advance(every_ms)
        rig.judge(slot, value)


# --- setting -------------------------------------------------------------------------------------


def test_hold_time_runs_from_the_first_sample_over_the_limit() -> None:
    rig = PackRig()
    rig.judge("highest_mv", 4250)
    rig.advance(1000)
    assert rig.judge("highest_mv", 4250) == 1000
    rig.ms = 1999
    assert rig.round() == 1
    assert rig.events == []
    rig.ms = 2000
    rig.round()
    assert rig.state("cell_high") == ALARM


def test_judge_asks_to_be_called_when_the_first_hold_time_ends() -> None:
    rig = PackRig()
    rig.ms = 5000
    rig.judge("highest_mv", 4250)
    rig.ms = 6500
    assert rig.judge("highest_mv", 4250) == 500
    rig.ms = 7000
    rig.round()
    assert rig.state("cell_high") == ALARM
    assert rig.judge("highest_mv", 4200) == 1000


def test_value_within_the_limit_starts_the_hold_time_anew() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 1500)
    rig.judge("highest_mv", 4149)
    held(rig, "highest_mv", 4160, 1999, 1999)
    assert rig.state("cell_high") == CLEAR
    rig.advance(1)
    assert rig.state("cell_high") == INFO


def test_one_sample_is_not_enough_however_long_it_stands() -> None:
    rig = PackRig(fresh_ms=60000)
    rig.judge("highest_mv", 4300)
    rig.advance(30000)
    assert rig.state("cell_high") == CLEAR
    rig.judge("highest_mv", 4300)
    assert rig.state("cell_high") == ALARM


def test_same_sample_judged_again_is_not_a_second_one() -> None:
    rig = PackRig()
    rig.judge("dead_cells", 1)
    for _ in range(5):
        rig.round(whole=True)
    assert rig.state("ghost_voltage") == CLEAR


@pytest.mark.parametrize("good", [1, 2])
def test_three_samples_must_follow_each_other(good: int) -> None:
    rig = PackRig()
    for _ in range(good):
        rig.judge("dead_cells", 1)
    rig.judge("dead_cells", 0)
    for _ in range(2):
        rig.judge("dead_cells", 1)
    assert rig.state("ghost_voltage") == CLEAR
    rig.judge("dead_cells", 1)
    assert rig.state("ghost_voltage") == ALARM


def test_levels_have_hold_times_of_their_own() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4230, 12000)
    assert [(event.ms, event.level) for event in rig.events] == [(2000, "info"), (10000, "warn")]
    held(rig, "highest_mv", 4260, 3000)
    assert rig.events[-1] == (14000, "cell_high", "set", "alarm")


def test_jump_past_all_limits_sets_the_worst_that_has_held() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4260, 12000)
    assert [(event.ms, event.level) for event in rig.events] == [(2000, "alarm")]


def test_level_that_is_passed_by_keeps_its_own_time() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4230, 9000)
    held(rig, "highest_mv", 4160, 1000)
    held(rig, "highest_mv", 4230, 9500)
    assert rig.state("cell_high") == INFO
    held(rig, "highest_mv", 4230, 500)
    assert rig.state("cell_high") == WARN


# --- clearing ------------------------------------------------------------------------------------


def alarmed(rig: PackRig) -> None:
    """cell_high stands at alarm; time starts at 0 again for what is told."""
    held(rig, "highest_mv", 4260, 2000)
    assert rig.state("cell_high") == ALARM
    rig.events.clear()


def test_alert_stands_between_limit_and_clear_limit() -> None:
    rig = PackRig()
    alarmed(rig)
    held(rig, "highest_mv", 4231, 60000)
    assert rig.state("cell_high") == ALARM


def test_clear_hold_runs_from_the_first_safe_sample() -> None:
    rig = PackRig()
    alarmed(rig)
    since = rig.ms + 1000
    rig.ms = since
    held(rig, "highest_mv", 4100, 4000)
    rig.ms = since + 4999
    assert rig.round() == 1
    assert rig.state("cell_high") == ALARM
    rig.ms = since + 5000
    rig.round()
    assert rig.state("cell_high") == CLEAR


def test_judge_asks_to_be_called_when_a_clear_hold_ends() -> None:
    rig = PackRig()
    alarmed(rig)
    rig.judge("highest_mv", 4100)
    rig.ms += 4800
    assert rig.judge("highest_mv", 4100) == 200


def test_unsafe_sample_starts_the_clear_hold_anew() -> None:
    rig = PackRig()
    alarmed(rig)
    held(rig, "highest_mv", 4100, 4500)
    rig.judge("highest_mv", 4260)
    held(rig, "highest_mv", 4100, 4500)
    assert rig.state("cell_high") == ALARM
    rig.advance(500)
    assert rig.state("cell_high") == CLEAR


def test_one_safe_sample_does_not_clear() -> None:
    rig = PackRig(fresh_ms=60000)
    alarmed(rig)
    rig.judge("highest_mv", 4100)
    rig.advance(20000)
    assert rig.state("cell_high") == ALARM
    rig.judge("highest_mv", 4100)
    assert rig.state("cell_high") == CLEAR


@pytest.mark.parametrize(
    ("value", "after"), [(4230, WARN), (4201, WARN), (4200, INFO), (4131, INFO), (4130, CLEAR)]
)
def test_clearing_goes_down_to_the_level_that_still_stands(
    value: int, after: tuple[str, str]
) -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4260, 11000)
    held(rig, "highest_mv", value, 5000)
    assert rig.state("cell_high") == after


def test_unarmed_level_is_passed_by_on_the_way_down() -> None:
    rig = PackRig(cell_high_warn_mv=None, cell_high_info_mv=4100)
    alarmed(rig)
    held(rig, "highest_mv", 4150, 5000)
    assert rig.state("cell_high") == INFO


# --- what is unarmed -----------------------------------------------------------------------------


def test_unarmed_level_is_never_set() -> None:
    rig = PackRig(cell_high_alarm_mv=None)
    held(rig, "highest_mv", 4400, 20000)
    assert rig.state("cell_high") == WARN


def test_row_without_any_limit_is_not_watched() -> None:
    unarmed = dict.fromkeys(("discharge_current_warn_ma", "discharge_current_alarm_ma"), None)
    rig = PackRig(**unarmed)
    held(rig, "discharge_ma", 200_000, 5000)
    assert rig.state("discharge_current") == CLEAR
    assert rig.record("discharge_current", "watched") == 0
    rig = PackRig(**{**unarmed, "discharge_current_warn_ma": 20000})
    held(rig, "discharge_ma", 200_000, 5000)
    assert rig.state("discharge_current") == WARN
    assert rig.record("discharge_current", "watched") == 1


# --- freshness -----------------------------------------------------------------------------------


def test_watched_while_the_value_is_fresh() -> None:
    rig = PackRig()
    rig.round(whole=True)
    assert rig.record("cell_high", "watched") == 0
    rig.judge("highest_mv", 3700)
    assert rig.record("cell_high", "watched") == 1
    rig.ms = 5000
    rig.round(whole=True)
    assert rig.record("cell_high", "watched") == 1
    rig.ms = 5001
    rig.round()
    assert rig.record("cell_high", "watched") == 1  # seen once a second
    rig.round(whole=True)
    assert rig.record("cell_high", "watched") == 0


def test_gated_row_is_watched_while_both_are_fresh() -> None:
    rig = PackRig()
    rig.judge("hottest_dc", 250)
    assert rig.record("charge_hot", "watched") == 0
    assert rig.record("discharge_hot", "watched") == 1
    rig.put("charging", 0)
    rig.judge("hottest_dc", 250)
    assert rig.record("charge_hot", "watched") == 1
    rig.advance(4000)
    rig.put("charging", 0)
    rig.advance(2000)
    assert rig.record("charge_hot", "watched") == 0


def test_gate_is_fresh_as_long_as_a_value() -> None:
    rig = PackRig()
    rig.put("charging", 0)
    rig.ms = 5000
    rig.judge("hottest_dc", 250)
    assert rig.record("charge_hot", "watched") == 1
    rig.ms = 5001
    rig.judge("hottest_dc", 250)
    assert rig.record("charge_hot", "watched") == 0


def test_stale_value_makes_an_alert_unknown() -> None:
    rig = PackRig()
    alarmed(rig)
    rig.advance(5000)
    assert rig.state("cell_high") == ALARM
    rig.advance(1000)
    assert rig.events == [(8000, "cell_high", "unknown", "alarm")]


def test_agreement_is_not_kept_over_a_gap() -> None:
    rig = PackRig()
    rig.judge("dead_cells", 1)
    rig.judge("dead_cells", 1)
    rig.advance(6000)
    rig.judge("dead_cells", 1)
    rig.judge("dead_cells", 1)
    assert rig.state("ghost_voltage") == CLEAR
    rig.judge("dead_cells", 1)
    assert rig.state("ghost_voltage") == ALARM


def test_hold_time_does_not_run_over_a_gap() -> None:
    rig = PackRig(fresh_ms=1000)
    held(rig, "highest_mv", 4230, 8000)
    rig.advance(2000)
    held(rig, "highest_mv", 4230, 9500)
    assert rig.state("cell_high") == INFO
    held(rig, "highest_mv", 4230, 500)
    assert rig.state("cell_high") == WARN


def lost(rig: PackRig) -> None:
    """cell_high was at alarm, then its values went stale."""
    alarmed(rig)
    rig.advance(6000)
    assert rig.state("cell_high") == ("unknown", "alarm")
    rig.events.clear()


def test_lost_alert_stands_again_once_two_samples_confirm_it() -> None:
    rig = PackRig()
    lost(rig)
    rig.judge("highest_mv", 4260)
    rig.round(whole=True)
    assert rig.events == []
    rig.judge("highest_mv", 4260)
    assert rig.events == [(8000, "cell_high", "set", "alarm")]


def test_confirming_samples_must_follow_each_other() -> None:
    rig = PackRig()
    lost(rig)
    for value in (4260, 4100, 4260, 4100, 4260):
        rig.judge("highest_mv", value)
    assert rig.events == []


def test_lost_alert_is_confirmed_by_what_is_not_safe_yet() -> None:
    rig = PackRig()
    lost(rig)
    held(rig, "highest_mv", 4231, 500)
    assert rig.state("cell_high") == ALARM


def test_lost_alert_that_is_over_clears_without_a_word() -> None:
    rig = PackRig()
    lost(rig)
    held(rig, "highest_mv", 4000, 5000)
    assert rig.events == [(13000, "cell_high", "clear", "ok")]


def test_lost_alert_that_got_milder_comes_back_as_what_it_is() -> None:
    rig = PackRig()
    lost(rig)
    held(rig, "highest_mv", 4225, 5000)
    assert rig.events == [(13000, "cell_high", "set", "warn")]


def test_lost_alert_that_got_worse_is_set_when_that_has_held() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4225, 10000)
    rig.advance(6000)
    rig.events.clear()
    held(rig, "highest_mv", 4300, 3000)
    assert [(event.state, event.level) for event in rig.events] == [
        ("set", "warn"),
        ("set", "alarm"),
    ]


def test_loss_in_the_midst_of_clearing_keeps_the_alert() -> None:
    rig = PackRig(fresh_ms=1000)
    alarmed(rig)
    held(rig, "highest_mv", 4000, 3500)
    rig.advance(2500)
    held(rig, "highest_mv", 4000, 4500)
    assert rig.state("cell_high") == ("unknown", "alarm")
    held(rig, "highest_mv", 4000, 500)
    assert rig.state("cell_high") == CLEAR


# --- gates ---------------------------------------------------------------------------------------


def gated(rig: PackRig, gate: str, is_open: int, slot: str, value: int, ms: int) -> None:
    """Gate and value together again and again."""
    rig.put(gate, is_open)
    rig.judge(slot, value)
    for _ in range(ms // 500):
        rig.advance(500)
        rig.put(gate, is_open)
        rig.judge(slot, value)


def test_closed_gate_sets_nothing() -> None:
    rig = PackRig()
    gated(rig, "charging", 0, "hottest_dc", 480, 90000)
    assert rig.told("charge_hot") == []


def test_hold_time_starts_when_the_gate_opens() -> None:
    rig = PackRig()
    gated(rig, "charging", 0, "hottest_dc", 480, 60000)
    gated(rig, "charging", 1, "hottest_dc", 480, 29500)
    assert rig.told("charge_hot") == []
    gated(rig, "charging", 1, "hottest_dc", 480, 500)
    assert rig.state("charge_hot") == WARN


def test_gate_that_closes_clears_after_the_clear_hold() -> None:
    rig = PackRig()
    gated(rig, "charging", 1, "hottest_dc", 480, 30000)
    closed = rig.ms
    gated(rig, "charging", 0, "hottest_dc", 480, 4500)
    assert rig.state("charge_hot") == WARN
    gated(rig, "charging", 0, "hottest_dc", 480, 500)
    assert rig.told("charge_hot")[-1] == (closed + 5000, "charge_hot", "clear", "ok")


def test_gate_that_bounces_neither_clears_nor_sets_again() -> None:
    rig = PackRig()
    gated(rig, "charging", 1, "hottest_dc", 480, 30000)
    for _ in range(30):
        gated(rig, "charging", 0, "hottest_dc", 480, 500)
        gated(rig, "charging", 1, "hottest_dc", 480, 500)
    assert len(rig.told("charge_hot")) == 1


def test_closed_gate_clears_what_was_lost() -> None:
    rig = PackRig()
    gated(rig, "charging", 1, "hottest_dc", 480, 30000)
    rig.advance(6000)
    assert rig.state("charge_hot") == ("unknown", "warn")
    gated(rig, "charging", 0, "hottest_dc", 480, 5000)
    assert rig.state("charge_hot") == CLEAR


def test_holding_gate_suspends_judgement() -> None:
    rig = PackRig()
    gated(rig, "still", 1, "cell_spread_mv", 120, 5000)
    assert rig.state("cell_spread") == WARN
    gated(rig, "still", 0, "cell_spread_mv", 120, 60000)
    assert rig.state("cell_spread") == ("unknown", "warn")
    assert rig.record("cell_spread", "watched") == 1
    gated(rig, "still", 1, "cell_spread_mv", 120, 500)
    assert rig.state("cell_spread") == WARN


def test_holding_gate_neither_sets_nor_clears_while_closed() -> None:
    rig = PackRig()
    gated(rig, "still", 0, "cell_spread_mv", 500, 60000)
    assert rig.events == []
    gated(rig, "still", 1, "cell_spread_mv", 500, 5000)
    gated(rig, "still", 0, "cell_spread_mv", 0, 60000)
    assert rig.state("cell_spread") == ("unknown", "alarm")
    gated(rig, "still", 1, "cell_spread_mv", 0, 5000)
    assert rig.state("cell_spread") == CLEAR


# --- times ---------------------------------------------------------------------------------------


def test_hold_times_run_over_the_tick_wrap() -> None:
    rig = PackRig(start=(1 << 30) - 1000)
    held(rig, "highest_mv", 4260, 1500)
    assert rig.state("cell_high") == CLEAR
    rig.advance(500)
    assert rig.state("cell_high") == ALARM


@pytest.mark.parametrize("value", [4149, 4160])
def test_weeks_do_not_wear_a_hold_time_out(value: int) -> None:
    rig = PackRig()
    rig.judge("highest_mv", value)
    for _ in range(30 * 24):
        rig.ms += 3_600_000
        rig.put("highest_mv", value)
        rig.pack.saturate(rig.now)
        rig.round(whole=True)
        assert rig.state("cell_high") == (INFO if value == 4160 else CLEAR)


def test_clear_hold_that_never_ends_is_not_worn_out_either() -> None:
    """One safe sample, then nothing new for weeks on a board with patience."""
    rig = PackRig()
    alarmed(rig)
    rig.judge("highest_mv", 4000)
    for _ in range(30 * 24):
        rig.ms += 3_600_000
        rig.t.stamp[_slot("highest_mv")] = rig.now
        rig.pack.saturate(rig.now)
        rig.round(whole=True)
    rig.judge("highest_mv", 4000)
    assert rig.state("cell_high") == CLEAR


def _slot(name: str) -> int:
    from deckwatch.telemetry import INDEX

    return INDEX[name]


def test_sample_counts_may_wrap() -> None:
    rig = PackRig()
    rig.t.count[_slot("dead_cells")] = 65533
    for _ in range(3):
        rig.judge("dead_cells", 1)
    assert rig.state("ghost_voltage") == ALARM


# --- the rules -----------------------------------------------------------------------------------


def test_rules_are_the_table_with_the_owners_limits() -> None:
    rules = Rules(PackRig(cell_spread_warn_mv=80, cell_spread_alarm_mv=None).config)
    for number, code in enumerate(CODES):
        own = range(rules.start[number], rules.start[number + 1])
        assert {ROWS[rule][0] for rule in own} == {code}
    assert rules.start[len(CODES)] == len(ROWS)
    assert list(rules.limit[:2]) == [80, -(1 << 29)]
    unarmed = [row[0] for rule, row in enumerate(ROWS) if not rules.armed[rule]]
    assert unarmed == ["idle_pack"]  # there is but one pack
    assert len(rules.rows) == len(ROWS) * 8 + 4
    for rule, row in enumerate(ROWS):
        packed = struct.unpack_from("<BBBBHH", rules.rows, rule * 8)
        slot, gate, flags, first, clear_by, clear_hold = packed
        assert SLOTS[slot] == row[1]
        assert (gate == 255) if not row[3] else SLOTS[gate] == row[3]
        sense = ("<=", ">=", "<", ">")[flags & 3]
        assert (sense, flags >> 3) == (row[2], row[5])
        assert bool(flags & 4) == (row[3] in ("still", "resting"))
        assert (clear_by, clear_hold * 100) == (row[6], row[7])
        assert rules.rows[rule * 8 + 8 + 3] == first + len(row[8])
        for place, (level, _, _, _, hold_ms) in enumerate(row[8], first):
            assert struct.unpack_from("<BH", rules.places, place * 3) == (level, hold_ms // 100)
        assert GROUP[CODES.index(row[0])] == row[4]
    assert len(rules.places) == 3 * len(rules.limit)


@pytest.mark.parametrize(
    ("slot", "limit", "sense"),
    [("highest_mv", 4250, ">="), ("pack_mv", 42500, ">"), ("lowest_mv", 2900, "<="),
     ("coldest_dc", 0, "<")],
)  # fmt: skip
def test_senses(slot: str, limit: int, sense: str) -> None:
    rule = next(number for number, row in enumerate(ROWS) if row[1] == slot and len(row[8]) > 1)
    sides = {
        ">": (False, False, True),
        ">=": (False, True, True),
        "<=": (True, True, False),
        "<": (True, False, False),
    }
    found = []
    for value in (limit - 1, limit, limit + 1):
        rig = PackRig()
        for _ in range(62):
            rig.put("charging", 1)
            rig.put("still", 1)
            rig.judge(slot, value)
            rig.advance(1000)
        found.append(rig.pack.judge.state[rule] & LEVEL == 3)
    assert tuple(found) == sides[sense]


def test_release_lets_go_of_what_has_no_limit_any_more_and_of_nothing_else() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.judge("dead_cells", 1)
    held(rig, "highest_mv", 4250, 2000)
    assert (rig.state("cell_high"), rig.state("ghost_voltage")) == (ALARM, ALARM)
    rules = rig.pack.judge.rules
    rule = next(number for number, row in enumerate(ROWS) if row[1] == "highest_mv")
    rules.limit[rules.place(rule, 3)] = UNARMED
    rig.pack.judge.release()
    rig.alerts.update(rig.t, rig.now)
    assert rig.state("cell_high") == ("clear", "ok")
    assert rig.state("ghost_voltage") == ALARM
    assert rig.pack.judge.state[rule] == WATCHED


def test_release_lets_go_of_what_was_lost_too() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4250, 2000)
    rig.advance(6000)
    assert rig.state("cell_high") == ("unknown", "alarm")
    judge = rig.pack.judge
    rule = next(number for number, row in enumerate(ROWS) if row[1] == "highest_mv")
    assert judge.state[rule] & LOST
    judge.rules.limit[judge.rules.place(rule, 3)] = UNARMED
    judge.release()
    assert judge.state[rule] & (LEVEL | LOST) == 0


# --- as machine code -----------------------------------------------------------------------------


def test_machine_code_judges_as_the_plain_form_does(micropython: MicroPython) -> None:
    """Every state of every rule after each of many rounds near the limits, far from them, with
    closed gates, gaps and stale values; and what of it alerts and light look at."""
    if not architecture(micropython.interpreter.command):
        pytest.skip("this interpreter runs no machine code")
    given = {"config": {"profile": "m365"}, "seed": 1, "rounds": 1500}
    told = micropython.run(
        ROOT / "tests" / "unix" / "machine_code.py", stdin=json.dumps(given).encode()
    ).splitlines()
    assert len(told) == 1, told[:5]
    rounds, changes, levels = map(int, told[0].split())
    assert rounds == 1500
    assert changes > 300
    assert levels > 50


# --- against the model ---------------------------------------------------------------------------


def compiled_rules(rules: list[Rule], slots: list[int], gates: list[int]) -> Any:
    """The model's rules as `Rules` has them."""
    rows = b"".join(
        struct.pack(
            "<BBBBHH",
            slot,
            gate,
            (rule.sign > 0) | rule.strict << 1 | rule.holding << 2 | rule.need << 3,
            number * len(LEVELS),
            rule.clear_by,
            rule.clear_hold_ms // 100,
        )
        for number, (rule, slot, gate) in enumerate(zip(rules, slots, gates, strict=True))
    )
    holds = [hold for rule in rules for hold in zip(LEVELS, rule.hold_ms, strict=True)]
    return SimpleNamespace(
        rows=rows + bytes((0, 0, 0, len(rules) * len(LEVELS))),
        places=b"".join(struct.pack("<BH", level, ms // 100) for level, ms in holds),
        armed=bytearray(rule.armed for rule in rules),
        limit=array("i", [limit for rule in rules for limit in rule.limits]),
    )


STEPS_MS = (0, 1, 1, 49, 50, 99, 100, 100, 101, 199, 200, 299, 300, 999, 1000, 2900, 3000, 5001)


@pytest.mark.parametrize("seed", range(12))
def test_rules_made_by_chance_are_judged_as_the_model_does(seed: int) -> None:
    chance = Random(seed)
    t = Telemetry()
    rules, slots, gates = [], [], []
    for number in range(8):
        lasting = number == 7
        slot = FIRST_LASTING + (8 * (seed % 2) if lasting else number - 40)
        keeps = number > 0 and chance.random() < 0.2
        gate = FIRST_LASTING + (number - seed % 2 if keeps else number - 20)
        rule = some_rule(chance, Input(lasting=lasting), Input(lasting=gate >= FIRST_LASTING))
        rules.append(rule)
        slots.append(slot)
        gates.append(255 if rule.gate is None else gate)
    judge = Judge(compiled_rules(rules, slots, gates))
    assert not judge.changed
    now = (TICKS - 50_000) if seed % 2 else 0
    for step in range(400):
        long_ms = TICKS // 2 if chance.random() < 0.02 else 0
        now = (now + chance.choice(STEPS_MS) + long_ms) % TICKS
        for number, rule in enumerate(rules):
            if chance.random() < 0.6:
                tell(t, slots[number], rule.slot, chance.randrange(-9, 10), now)
            if rule.gate and chance.random() < 0.5:
                tell(t, gates[number], rule.gate, int(chance.random() < 0.8), now)
        if chance.random() < 0.02:
            t.forget()
            for rule in rules:
                rule.slot.seen = False
                if rule.gate:
                    rule.gate.seen = False
        whole = chance.random() < 0.3
        before = [(rule.level, rule.lost, rule.watched) for rule in rules]
        standing = [rule.lost for rule in rules]
        judge.changed = False
        wait = judge.update(t, now, whole, 1000)
        waits = [ms for rule in rules for ms in rule.judge(now, whole, t.ttl_ms)]
        after = [(rule.level, rule.lost, rule.watched) for rule in rules]
        told = [
            (state & LEVEL, bool(state & LOST), bool(state & WATCHED)) for state in judge.state
        ]
        assert told == after, (seed, step)
        assert wait == min([1000, *waits]), (seed, step)
        assert judge.changed or before == after
        assert not judge.changed or before != after or any(standing)


def tell(t: Telemetry, number: int, slot: Input, value: int, now: int) -> None:
    """A new sample, to both."""
    slot.value, slot.seen, slot.at = value, True, now
    slot.count = t.count[number] + 1
    t.derive(number, value, 0, now, slot.count)

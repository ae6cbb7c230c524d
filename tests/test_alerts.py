"""The record of what was found: one per guardrail, what the sink is told, what is news."""

from types import SimpleNamespace
from typing import Any

import pytest
from deckwatch.alert import CLEAR, SET, UNKNOWN
from deckwatch.faults import FAULTS, mask
from deckwatch.guardrails.alerts_plain import is_any, next_moved, next_worse
from deckwatch.guardrails.judge import WATCHED
from deckwatch.telemetry import INDEX
from pack_rig import PackRig

OVER, UNDER = FAULTS.index("over_temperature") + 1, FAULTS.index("cell_under_voltage") + 1


def held(rig: PackRig, slot: str, value: int, ms: int, where: int = 0) -> None:
    """The same value twice a second for a while."""
    rig.judge(slot, value, where)
    for _ in range(ms // 500):
        rig.advance(500)
        rig.judge(slot, value, where)


def faults(rig: PackRig, *names: str) -> None:
    """A frame with these faults."""
    rig.frame(faults_a=mask(names, 0), faults_b=mask(names, 1))
    rig.advance(200)


def news(rig: PackRig) -> bool:
    """Was there news since this was asked last?"""
    found = rig.alerts.news
    rig.alerts.news = False
    return bool(found)


# --- the record ----------------------------------------------------------------------------------


def test_record_of_an_alert() -> None:
    rig = PackRig(start=1000)
    rig.ms = 500
    held(rig, "cell_spread_mv", 0, 0)
    rig.put("still", 1)
    for _ in range(3):
        held(rig, "cell_spread_mv", 105, 2000, 7)
        rig.put("still", 1)
    assert rig.state("cell_spread") == ("set", "warn")
    assert rig.record("cell_spread", "value") == 105
    assert rig.record("cell_spread", "limit") == 100
    assert rig.record("cell_spread", "peak") == 105
    assert rig.record("cell_spread", "where") == 7
    assert rig.record("cell_spread", "since") == 1000 + 500 + 5000
    assert rig.record("cell_spread", "count") == 1


def test_value_place_and_peak_follow_without_a_word() -> None:
    rig = PackRig()
    held(rig, "lowest_mv", 3250, 5000, 3)
    told = len(rig.events)
    held(rig, "lowest_mv", 3200, 1000, 4)
    held(rig, "lowest_mv", 3290, 1000, 5)
    assert len(rig.events) == told
    assert [rig.record("cell_low", field) for field in ("value", "peak", "where")] == [
        3290,
        3200,
        5,
    ]


def test_peak_of_what_must_not_rise_is_its_highest() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 3000)
    held(rig, "highest_mv", 4210, 1000)
    held(rig, "highest_mv", 4170, 1000)
    assert rig.record("cell_high", "peak") == 4210


def test_next_level_has_its_own_limit_and_keeps_the_rest() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4230, 10000)
    assert [rig.record("cell_high", field) for field in ("limit", "since", "count")] == [
        4220,
        2000,
        1,
    ]


def test_value_that_clears_it_is_in_the_record() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 3000)
    held(rig, "highest_mv", 4000, 5000)
    assert rig.state("cell_high") == ("clear", "ok")
    assert rig.record("cell_high", "value") == 4000
    assert rig.record("cell_high", "peak") == 4160


def test_next_incident_is_counted_and_measured_anew() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4210, 3000, 2)
    held(rig, "highest_mv", 4000, 5000, 1)
    start = rig.ms
    held(rig, "highest_mv", 4160, 3000, 5)
    fields = ("count", "peak", "where", "since")
    assert [rig.record("cell_high", field) for field in fields] == [2, 4160, 5, start + 2000]


def test_count_may_wrap() -> None:
    rig = PackRig()
    for code in range(len(rig.alerts.count)):
        rig.alerts.count[code] = 65535
    held(rig, "highest_mv", 4160, 3000)
    assert rig.record("cell_high", "count") == 0


# --- several rules behind one name ---------------------------------------------------------------


def test_worst_rule_is_the_alert() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.judge("wild_cells", 1, 4)
    assert rig.state("ghost_voltage") == ("set", "warn")
    for _ in range(3):
        rig.judge("wild_cells", 2, 4)
        rig.judge("dead_cells", 1, 9)
    assert rig.state("ghost_voltage") == ("set", "alarm")
    assert [rig.record("ghost_voltage", field) for field in ("value", "peak", "where")] == [
        1,
        1,
        9,
    ]
    assert len(rig.events) == 2


def test_milder_rule_takes_over_when_the_worst_clears() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.judge("dead_cells", 1, 9)
        rig.judge("sum_error_mv", 3000)
    held(rig, "dead_cells", 0, 0)
    for _ in range(12):
        rig.advance(500)
        rig.judge("dead_cells", 0)
        rig.judge("sum_error_mv", 900)
    assert rig.state("ghost_voltage") == ("set", "warn")
    assert rig.record("ghost_voltage", "peak") == 900
    assert rig.record("ghost_voltage", "where") == 0
    assert rig.record("ghost_voltage", "limit") == 300


def test_rule_of_the_same_level_takes_over_silently() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.judge("sum_error_mv", 400)
        rig.judge("wild_cells", 1, 4)
    for _ in range(12):
        rig.advance(500)
        rig.judge("sum_error_mv", 0)
        rig.judge("wild_cells", 1, 4)
    assert [event.state for event in rig.events] == ["set"]
    fields = ("value", "limit", "where", "peak")
    assert [rig.record("ghost_voltage", field) for field in fields] == [1, 1, 4, 1]


def test_lost_rule_shows_only_when_no_other_stands() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.judge("dead_cells", 1, 9)
        rig.judge("sum_error_mv", 3000)
    for _ in range(12):
        rig.advance(500)
        rig.judge("sum_error_mv", 3000)
    assert rig.state("ghost_voltage") == ("set", "warn")
    for _ in range(11):
        rig.advance(500)
        rig.judge("sum_error_mv", 0)
    assert rig.state("ghost_voltage") == ("unknown", "alarm")
    assert rig.record("ghost_voltage", "watched") == 1


def test_worst_of_several_lost_rules_is_told() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.judge("sum_error_mv", 3000)
        rig.judge("dead_cells", 1, 9)
    rig.advance(6000)
    assert rig.state("ghost_voltage") == ("unknown", "alarm")
    for _ in range(10):
        rig.judge("dead_cells", 0)
        rig.advance(600)
    assert [event[2:] for event in rig.events] == [
        ("set", "warn"),
        ("set", "alarm"),
        ("unknown", "alarm"),
        ("unknown", "warn"),
    ]


# --- named faults --------------------------------------------------------------------------------


def test_other_fault_of_the_same_level_is_told_once_two_frames_name_it() -> None:
    rig = PackRig()
    faults(rig, "clock")
    faults(rig, "clock")
    faults(rig, "memory")
    assert len(rig.events) == 1
    faults(rig, "memory")
    assert rig.events[1][1:] == ("bms_fault", "set", "warn")
    assert rig.record("bms_fault", "where") == FAULTS.index("memory") + 1
    assert rig.record("bms_fault", "count") == 1


def test_same_frame_judged_twice_does_not_rename() -> None:
    rig = PackRig()
    for _ in range(2):
        faults(rig, "clock")
    rig.frame(faults_a=mask(("memory",), 0), faults_b=0)
    rig.round()
    rig.round(whole=True)
    assert len(rig.events) == 1
    assert rig.record("bms_fault", "where") == FAULTS.index("clock") + 1


def test_fault_between_others_is_not_told() -> None:
    rig = PackRig()
    for _ in range(5):
        faults(rig, "clock")
        faults(rig, "clock")
        faults(rig, "memory")
    for name in ("memory", "load", "memory", "load"):
        faults(rig, name)
    faults(rig, "clock")
    assert [event[1:] for event in rig.events] == [("bms_fault", "set", "warn")] * 2


def test_worse_fault_is_named_with_its_level() -> None:
    rig = PackRig()
    for _ in range(2):
        faults(rig, "cell_under_voltage")
    assert rig.record("bms_fault", "where") == UNDER
    for _ in range(2):
        faults(rig, "cell_under_voltage", "over_temperature")
    assert rig.state("bms_fault") == ("set", "alarm")
    assert rig.record("bms_fault", "where") == OVER


def test_what_cleared_keeps_its_name() -> None:
    rig = PackRig()
    for _ in range(2):
        faults(rig, "over_temperature")
    for _ in range(12):
        faults(rig)
    assert rig.events[-1][1:] == ("bms_fault", "clear", "ok")
    assert rig.record("bms_fault", "where") == OVER
    assert rig.record("bms_fault", "value") == 0


def test_fault_that_is_unknown_is_not_renamed() -> None:
    rig = PackRig()
    for _ in range(2):
        faults(rig, "clock")
    rig.advance(6000)
    faults(rig, "memory")
    assert rig.events[-1][2] == "unknown"
    faults(rig, "memory")
    assert rig.events[-1][2] == "set"
    assert rig.record("bms_fault", "where") == FAULTS.index("memory") + 1


def test_other_controller_error_is_told() -> None:
    rig = PackRig()
    for code in (10, 10, 14, 14):
        rig.frame(error_code=code)
        rig.advance(200)
    assert [event[1:] for event in rig.events] == [("controller_error", "set", "warn")] * 2
    assert rig.record("controller_error", "where") == 14


# --- news ----------------------------------------------------------------------------------------


def test_information_is_no_news() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 3000)
    assert rig.state("cell_high") == ("set", "info")
    assert not news(rig)


def test_warning_and_each_worse_level_is_news_and_milder_ones_are_not() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4230, 10000)
    assert news(rig)
    held(rig, "highest_mv", 4260, 2000)
    assert news(rig)
    held(rig, "highest_mv", 4225, 5000)
    assert rig.state("cell_high") == ("set", "warn")
    held(rig, "highest_mv", 4000, 5000)
    assert rig.state("cell_high") == ("clear", "ok")
    assert not news(rig)


def test_alert_that_was_unknown_and_stands_again_is_no_news() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4260, 3000)
    assert news(rig)
    rig.advance(6000)
    held(rig, "highest_mv", 4260, 1000)
    assert rig.state("cell_high") == ("set", "alarm")
    assert not news(rig)


def test_alert_that_was_unknown_and_is_worse_now_is_news() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4230, 10000)
    assert news(rig)
    rig.advance(6000)
    held(rig, "highest_mv", 4260, 2000)
    assert rig.state("cell_high") == ("set", "alarm")
    assert news(rig)


@pytest.mark.parametrize(
    ("first", "second", "is_news"),
    [("clock", "memory", True), ("default_password", "high_charge", False)],
)
def test_another_name_is_news_from_a_warning_on(first: str, second: str, is_news: bool) -> None:
    rig = PackRig()
    for _ in range(2):
        faults(rig, first)
    news(rig)
    for _ in range(2):
        faults(rig, second)
    assert len(rig.events) == 2
    assert news(rig) is is_news


# --- watching, and time --------------------------------------------------------------------------


def test_change_of_what_is_watched_is_noted_from_the_start() -> None:
    rig = PackRig()
    alerts: Any = rig.alerts
    assert alerts.watch_changed
    rig.round(whole=True)
    alerts.watch_changed = False
    rig.judge("highest_mv", 3700)
    assert alerts.watch_changed
    assert rig.record("cell_high", "watched") == 1
    alerts.watch_changed = False
    rig.judge("highest_mv", 3700)
    assert not alerts.watch_changed
    rig.advance(6000)
    assert alerts.watch_changed


def test_pack_is_named() -> None:
    rig = PackRig(number=1)
    assert rig.alerts.pack == 1


def test_since_stays_long_ago_over_the_wrap() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 3000)
    for _ in range(30 * 24):
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    assert (rig.now - rig.record("cell_high", "since")) % (1 << 30) == 1 << 28


def test_stale_alert_keeps_its_last_value() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 3000)
    rig.put("lowest_mv", 3700)
    rig.ms += 5001
    rig.judge("lowest_mv", 3700)
    assert rig.record("cell_high", "value") == 4160


# --- what has moved ------------------------------------------------------------------------------


def flags(rig: PackRig) -> tuple[bool, bool]:
    """moved and watch_changed, since this was asked last."""
    found = rig.alerts.moved, rig.alerts.watch_changed
    rig.alerts.moved = rig.alerts.watch_changed = False
    return bool(found[0]), bool(found[1])


def test_moved_is_what_was_told_or_what_is_watched() -> None:
    rig = PackRig()
    assert flags(rig) == (True, True)
    assert (rig.alerts.news, rig.alerts.good_news) == (False, False)
    rig.round()
    assert flags(rig) == (False, False)
    rig.judge("highest_mv", 4160)
    assert flags(rig) == (True, True)
    assert rig.pack.judge.changed is False
    rig.advance(1900)
    rig.judge("highest_mv", 4160)
    assert flags(rig) == (False, False)
    rig.advance(100)
    assert rig.state("cell_high") == ("set", "info")
    assert flags(rig) == (True, False)
    rig.judge("highest_mv", 4165)
    assert flags(rig) == (False, False)
    assert rig.record("cell_high", "value") == 4165
    rig.advance(6000)
    assert rig.state("cell_high") == ("unknown", "info")
    assert flags(rig) == (True, True)
    assert rig.pack.judge.changed is False
    rig.advance(1000)
    assert flags(rig) == (False, False)


def test_peak_and_place_of_a_level_that_is_passed_are_those_of_the_worst_value() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4225, 9500, 3)
    assert rig.state("cell_high") == ("set", "info")
    rig.judge("highest_mv", 4224, 0)
    assert rig.record("cell_high", "where") == 0
    rig.judge("highest_mv", 4230, 4)
    rig.advance(500)
    rig.judge("highest_mv", 4221, 5)
    assert rig.state("cell_high") == ("set", "warn")
    fields = ("value", "peak", "where", "limit")
    assert [rig.record("cell_high", field) for field in fields] == [4221, 4230, 5, 4220]
    assert rig.record("cell_high", "slot") == INDEX["highest_mv"]


def test_value_follows_while_it_is_known_only() -> None:
    rig = PackRig()
    held(rig, "lowest_mv", 3250, 5000, 3)
    rig.t.value[INDEX["lowest_mv"]] = 3100
    rig.advance(5000)
    assert rig.record("cell_low", "value") == 3100
    rig.t.value[INDEX["lowest_mv"]] = 3050
    rig.advance(1000)
    assert rig.state("cell_low") == ("unknown", "info")
    assert rig.record("cell_low", "value") == 3100


def test_value_of_the_very_sample_that_clears_it_is_in_the_record() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 3000)
    value = 4000
    while rig.state("cell_high") != ("clear", "ok"):
        value -= 1
        rig.ms += 500
        rig.judge("highest_mv", value)
        assert value > 3900
    assert rig.record("cell_high", "value") == value


def test_peak_rises_by_a_single_millivolt() -> None:
    rig = PackRig()
    held(rig, "highest_mv", 4160, 3000)
    rig.judge("highest_mv", 4161)
    rig.judge("highest_mv", 4160)
    assert rig.record("cell_high", "peak") == 4161


def test_another_slot_without_a_place_takes_the_place_away() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.judge("wild_cells", 1, 4)
    assert rig.record("ghost_voltage", "where") == 4
    for _ in range(3):
        rig.judge("dead_cells", 1, 0)
    assert rig.state("ghost_voltage") == ("set", "alarm")
    assert rig.record("ghost_voltage", "where") == 0


def test_value_follows_in_a_round_in_which_something_else_has_changed() -> None:
    rig = PackRig()
    held(rig, "lowest_mv", 3250, 5000, 3)
    rig.put("highest_mv", 3700)
    rig.judge("lowest_mv", 3210, 5)
    fields = ("value", "peak", "where")
    assert [rig.record("cell_low", field) for field in fields] == [3210, 3210, 5]


def test_first_fault_of_all_is_not_taken_for_one_that_was_seen() -> None:
    rig = PackRig()
    for where in (5, 5, 5, 1):
        rig.judge("fault_level", 2, where)
        rig.advance(200)
    assert rig.record("bms_fault", "where") == 5
    rig.judge("fault_level", 2, 1)
    assert rig.record("bms_fault", "where") == 1


# --- what is looked for among all codes, in the plain form ---------------------------------------


def some_alerts() -> Any:
    return SimpleNamespace(
        state=bytearray([SET, CLEAR, SET, UNKNOWN, SET]),
        level=bytearray([1, 3, 2, 3, 2]),
        watched=bytearray([1, 1, 0, 1, 1]),
        codes=5,
    )


@pytest.mark.parametrize(
    ("state", "code", "than", "found"),
    [
        (SET, 0, 0, 0),
        (SET, 0, 1, 2),
        (SET, 3, 1, 4),
        (SET, 0, 2, 5),
        (SET, 5, 0, 5),
        (UNKNOWN, 0, 2, 3),
        (UNKNOWN, 0, 3, 5),
        (UNKNOWN, 4, 0, 5),
    ],
)
def test_next_code_that_is_worse(state: int, code: int, than: int, found: int) -> None:
    assert next_worse(some_alerts(), state, code, than) == found


@pytest.mark.parametrize(
    ("flags", "but", "size", "found"),
    [
        (b"\x00\x01", b"\x00\x00", 2, 1),
        (b"\x00\x01", b"\x00\x00", 1, 0),
        (b"\x00\x01", b"\x01\x01", 2, 0),
        (b"\x00\x00", b"\x00\x00", 2, 0),
        (b"\x01\x01", b"\x01\x00", 2, 1),
    ],
)
def test_any_flag_but_those(flags: bytes, but: bytes, size: int, found: int) -> None:
    assert is_any(flags, but, size) == found


def test_next_code_that_may_have_moved() -> None:
    alerts = some_alerts()
    alerts.state = bytearray([CLEAR, SET, UNKNOWN, CLEAR, CLEAR])
    alerts.watched = bytearray([0, 1, 1, 1, 0])
    rules = SimpleNamespace(start=bytearray([0, 1, 2, 3, 5, 6]))
    judge = SimpleNamespace(rules=rules, state=bytearray([0, WATCHED, WATCHED, 0, WATCHED, 0]))
    assert [next_moved(alerts, judge, code, 0) for code in range(6)] == [1, 1, 5, 5, 5, 5]
    assert [next_moved(alerts, judge, code, 1) for code in range(6)] == [1, 1, 2, 5, 5, 5]
    judge.state[4] |= 2
    judge.state[0] = WATCHED
    assert [next_moved(alerts, judge, code, 1) for code in (0, 1, 3)] == [0, 1, 3]
    judge.state[4] = 0
    assert [next_moved(alerts, judge, code, 1) for code in (3, 4)] == [3, 5]

"""The owner's own sessions on the device: while recovering the known spread does not sound again,
temperature guards run without a current, and what came of it can be told."""

import pytest
from deckwatch.alert import ALARM, WARN
from deckwatch.guardrails.table import CODES
from deckwatch.sessions import COMMISSIONING, KINDS, ORDINARY, RECOVERING, Guided
from line_rig import LineRig

LOW = [3412, 3415, 3410, 2512, 3411, 3414, 3413, 3412, 3410, 3411]


def recovering(target_mv: int = 0, **ride: object) -> LineRig:
    """A pack with one deeply empty group, at rest until spread and low cell alarm; then the owner
    begins to recover it."""
    line = LineRig()
    line.ride(70, cells=LOW, pack_mv=sum(LOW), **ride)
    assert line.state("cell_spread") == ("set", "alarm")
    assert line.state("cell_low") == ("set", "alarm")
    line.core.begin(RECOVERING, target_mv)
    return line


def test_what_is_known_is_shown_and_sounds_no_more() -> None:
    line = recovering()
    line.ride(2, cells=LOW, pack_mv=sum(LOW))
    assert line.looks[-1][1:] == ("info", 1)
    before = len(line.beeps)
    line.ride(120, cells=LOW, pack_mv=sum(LOW))
    assert line.beeps[before:] == []
    assert line.state("cell_spread") == ("set", "alarm")  # it is still there to be read


def test_without_the_session_it_sounds_on() -> None:
    line = LineRig()
    line.ride(70, cells=LOW, pack_mv=sum(LOW))
    before = len(line.beeps)
    line.ride(30, cells=LOW, pack_mv=sum(LOW))
    assert len(line.beeps) > before


@pytest.mark.parametrize(("fall_mv", "look"), [(20, "info"), (21, "alarm")])
def test_what_gets_worse_than_known_sounds_again(fall_mv: int, look: str) -> None:
    line = recovering()
    cells = [*LOW[:3], LOW[3] - fall_mv, *LOW[4:]]
    line.ride(10, cells=cells, pack_mv=sum(cells))
    assert line.look == look


def test_a_cell_that_gets_low_only_during_the_session_is_news() -> None:
    line = LineRig()
    line.ride(70, cells=[3500] * 10, pack_mv=35000)
    line.core.begin(RECOVERING, 0)
    cells = [3500] * 9 + [2800]
    line.ride(10, cells=cells, pack_mv=sum(cells))
    assert line.state("cell_low") == ("set", "alarm")
    assert line.look == "alarm"


def test_a_spread_that_is_first_seen_in_the_session_is_known_from_then_on() -> None:
    line = LineRig()
    line.ride(70)
    line.core.begin(RECOVERING, 0)
    cells = [3500] * 9 + [3380]
    line.ride(10, cells=cells, pack_mv=sum(cells))
    assert line.state("cell_spread") == ("set", "warn")
    assert line.look == "info"
    cells = [3500] * 9 + [3350]
    line.ride(10, cells=cells, pack_mv=sum(cells))
    assert line.look == "alarm"


@pytest.mark.parametrize("kind", [ORDINARY, COMMISSIONING])
def test_cold_and_heat_of_charging_are_guarded_without_a_current_only_while_recovering(
    kind: int,
) -> None:
    line = LineRig()
    if kind:
        line.core.begin(kind, 0)
    line.ride(80, temps_c=(46, 2))
    assert line.state("charge_hot")[0] == line.state("charge_cold")[0] == "clear"
    line.core.begin(RECOVERING, 0)
    line.ride(80, temps_c=(46, 2))
    assert line.state("charge_hot") == ("set", "warn")
    assert line.state("charge_cold") == ("set", "warn")
    line.core.end()
    line.ride(10, temps_c=(46, 2))
    assert line.state("charge_hot")[0] == line.state("charge_cold")[0] == "clear"


def test_frost_while_recovering_is_a_cold_charge_and_not_a_cold_store() -> None:
    line = LineRig()
    line.core.begin(RECOVERING, 0)
    line.ride(80, temps_c=(-5, -5))
    assert line.state("charge_cold") == ("set", "alarm")
    assert line.state("storage") == ("clear", "ok")


def test_a_new_session_takes_the_place_of_the_former_and_the_gates_come_back() -> None:
    line = LineRig()
    rules = line.core.packs[0].judge.rules
    before = bytes(rules.rows)
    line.core.begin(RECOVERING, 0)
    assert bytes(rules.rows) != before
    line.core.begin(COMMISSIONING, 0)
    assert bytes(rules.rows) == before
    assert line.core.guided.kind == COMMISSIONING
    line.core.begin(RECOVERING, 0)
    line.core.begin(RECOVERING, 0)
    assert line.core.end() == "recovering ended after 0 min"
    assert bytes(rules.rows) == before
    assert line.core.guided is None
    assert line.core.end() == ""


def test_groups_start_slope_and_forecast() -> None:
    line = recovering(3500)
    line.ride(60, cells=LOW, pack_mv=sum(LOW))
    guided, t = line.core.guided, line.core.packs[0].telemetry
    assert list(guided.start_mv[:10]) == LOW
    uptime_s = line.core.uptime_s
    guided.began_s = uptime_s - 1800  # as if half an hour had passed
    t.cell_mv[3] = 2812
    assert guided.slope_mv_h(t, 3, uptime_s) == 600  # 300 mV in half an hour
    assert guided.left_min(t, 3, uptime_s) == 68  # 688 mV at 600 mV an hour, rounded down
    assert guided.left_min(t, 0, uptime_s) == -1  # it does not rise
    assert guided.told(t, uptime_s).startswith("recovering 30 min target 3500: 3412>3412 ")
    assert " 2512>2812 " in guided.told(t, uptime_s)
    assert line.core.end() == (
        "recovering ended after 30 min: 0 of 10 groups at 3500 mV, lowest 4: 2512 > 2812 mV, "
        "68 min to go"
    )


def test_inputs_without_a_cell_are_no_groups() -> None:
    line = LineRig()
    line.ride(3, cells=[*[3500] * 10, 0, 0, 41, 0, 0], pack_mv=35000)
    line.core.begin(RECOVERING, 3600)
    line.ride(3, cells=[*[3500] * 10, 0, 0, 41, 0, 0], pack_mv=35000)
    guided, t = line.core.guided, line.core.packs[0].telemetry
    assert guided.told(t, line.core.uptime_s).count(">") == 10
    assert "0 of 10 groups at 3600 mV, lowest 1: 3500 > 3500 mV" in line.core.end()


def test_within_a_few_mv_is_reached() -> None:
    line = recovering()  # no target: the highest group's start, 3415
    line.ride(70, cells=LOW, pack_mv=sum(LOW))
    guided, t = line.core.guided, line.core.packs[0].telemetry
    assert guided.goal_mv() == 3415
    for mv, left in ((3410, 0), (3409, -1)):
        t.cell_mv[0] = mv
        assert guided.left_min(t, 0, line.core.uptime_s) == left
    assert "8 of 10 groups at 3415 mV, lowest 4: 2512 > 2512 mV" in line.core.end()


def test_a_group_that_falls_has_a_negative_slope_towards_zero() -> None:
    line = recovering()
    line.ride(2, cells=LOW, pack_mv=sum(LOW))
    guided, t = line.core.guided, line.core.packs[0].telemetry
    t.cell_mv[3] = 2511
    assert guided.slope_mv_h(t, 3, guided.began_s + 59) == 0
    assert guided.slope_mv_h(t, 3, guided.began_s + 7201) == 0  # -0.49 mV an hour
    assert guided.slope_mv_h(t, 3, guided.began_s + 3600) == -1
    assert guided.slope_mv_h(t, 20, guided.began_s + 3600) == 0  # never read


def test_only_the_first_packs_spread_is_known() -> None:
    line = LineRig(packs=2)
    guided = Guided(RECOVERING, 0, line.core.packs, 0)
    code = CODES.index("cell_spread")
    for pack in line.core.packs:
        pack.alerts.level[code] = ALARM
        pack.alerts.peak[code] = 200
    assert guided.knows(line.core.packs[0].alerts, code)
    assert not guided.knows(line.core.packs[1].alerts, code)
    assert not guided.knows(line.core.packs[0].alerts, CODES.index("charge_hot"))
    assert KINDS[RECOVERING] == "recovering"
    assert WARN < ALARM

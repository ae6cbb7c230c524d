"""Cut-outs: by the MOSFET, by a line that dies under load, by what a start finds remembered."""

import pytest
from line_rig import LineRig
from pack_rig import PackRig

ALARM, CLEAR = ("set", "alarm"), ("clear", "ok")


# --- the line dies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ma", "after_ms", "trips"),
    [(-10_000, 790, True), (-9_990, 100, False), (-19_000, 500, True), (-19_000, 791, False)],
)
def test_both_wires_fall_low_within_a_second_of_a_load(
    ma: int, after_ms: int, trips: bool
) -> None:
    line = LineRig()
    line.ride(5, current_ma=ma)  # the last frame is 210 ms old
    line.advance(after_ms)
    line.level("low")
    assert (line.state("bms_trip") == ALARM) is trips
    line.advance(1000)
    assert (line.state("bms_trip") == ALARM) is trips
    assert line.look == ("alarm" if trips else "off")


def test_line_that_dies_while_the_scooter_stands_is_not_told_of() -> None:
    line = LineRig()
    line.ride(5, current_ma=-30)
    line.advance(8000)
    assert line.value("trip_ma") is None
    assert line.look == "no_data"


def test_trip_is_told_for_ten_minutes_though_the_scooter_stays_off() -> None:
    line = LineRig()
    line.ride(5, current_ma=-19_000)
    line.level("low")
    line.advance(600_000)
    assert line.state("bms_trip") == ALARM
    line.advance(2000)
    assert line.state("bms_trip") == CLEAR
    assert [event.state for event in line.told("bms_trip")] == ["set", "clear"]
    line.advance(10_000)
    assert line.value("trip_ma") is None


def test_trip_stands_when_the_scooter_comes_back() -> None:
    line = LineRig()
    line.ride(5, current_ma=-19_000)
    line.level("low")
    line.advance(20_000)
    line.level("idle")
    line.ride(30)
    assert line.state("bms_trip") == ALARM
    line.ride(600)
    assert line.state("bms_trip") == CLEAR
    assert len(line.told("bms_trip")) == 2


def test_load_of_one_frame_is_no_load() -> None:
    line = LineRig()
    line.ride(5, current_ma=-2000)
    line.poll(current_ma=-60_000)
    line.level("low")
    assert line.told("bms_trip") == []


@pytest.mark.parametrize("ma", [0, -5000, 15_000])
def test_switching_off_at_rest_or_braking_is_no_trip(ma: int) -> None:
    line = LineRig()
    line.ride(5, current_ma=ma)
    line.level("low")
    line.advance(5000)
    assert line.told("bms_trip") == []


def test_neither_side_says_anything_for_10_s() -> None:
    """Not 3 s: a noisy line of long frames, one a second, is that quiet now and then (found by
    an innocent hour of a JK board, tests/test_scenarios_chance.py)."""
    line = LineRig()
    line.level("idle")
    line.ride(5, current_ma=-15_000)
    line.advance(9700)
    assert line.state("bms_trip") == CLEAR
    line.advance(1100)
    assert line.state("bms_trip") == ALARM
    line.advance(60_000)
    assert len(line.told("bms_trip")) == 1


def test_lost_wire_is_not_a_trip_while_the_controller_asks() -> None:
    line = LineRig()
    line.ride(5, current_ma=-15_000)
    line.ask_in_vain(30)
    assert line.told("bms_trip") == []
    assert line.state("silence") == ALARM


def test_current_long_gone_when_the_line_dies_is_no_trip() -> None:
    line = LineRig()
    line.ride(5, current_ma=-15_000)
    for _ in range(6):
        line.cells([3700] * 10)
        line.advance(200)
    line.advance(10_000)
    assert line.told("bms_trip") == []


def test_second_pack_that_falls_silent_is_no_trip() -> None:
    """Line slots are kept with the first pack; of the other nobody knows whether it was asked."""
    rig = PackRig(number=1)
    rig.repeat(5, current_ma=-15_000)
    rig.advance(10_000)
    assert rig.told("bms_trip") == []


def test_nothing_is_watched_before_a_current_is_known() -> None:
    rig = PackRig()
    rig.frame(soc_pct=50)
    assert rig.value("trip_ma") is None
    rig.frame(current_ma=0)
    assert (rig.value("trip_ma"), rig.value("trip_fet")) == (0, None)


# --- the MOSFET ----------------------------------------------------------------------------------


def test_mosfet_that_opens_while_riding_trips_with_the_second_frame() -> None:
    rig = PackRig()
    rig.repeat(5, current_ma=-6000, discharge_fet=1)
    rig.frame(current_ma=0, discharge_fet=0)
    assert rig.state("bms_trip") == CLEAR
    rig.frame(current_ma=0, discharge_fet=0)
    assert rig.state("bms_trip") == ALARM
    assert rig.value("trip_fet") == 1
    rig.repeat(599, every_ms=1000, current_ma=0, discharge_fet=0)
    assert rig.state("bms_trip") == ALARM
    rig.repeat(4, every_ms=1000, current_ma=0, discharge_fet=0)
    assert rig.state("bms_trip") == CLEAR


def test_mosfet_that_opens_at_rest_or_was_never_closed_is_no_trip() -> None:
    rig = PackRig()
    rig.repeat(5, current_ma=0, discharge_fet=1)
    rig.repeat(5, current_ma=0, discharge_fet=0)
    rig.repeat(5, current_ma=-6000, discharge_fet=0)
    assert rig.told("bms_trip") == []
    rig.frame(current_ma=-6000, discharge_fet=1)
    rig.pack.forget()
    rig.repeat(5, current_ma=-6000, discharge_fet=0)
    assert rig.told("bms_trip") == []


def test_one_frame_that_calls_it_open_is_no_trip() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.repeat(2, current_ma=-6000, discharge_fet=1)
        rig.frame(current_ma=-6000, discharge_fet=0)
    assert rig.told("bms_trip") == []


def test_mosfet_is_watched_while_it_is_fresh() -> None:
    rig = PackRig()
    rig.frame(current_ma=0, discharge_fet=1)
    assert rig.value("trip_fet") == 0
    rig.advance(5001)
    assert rig.value("trip_fet") is None


# --- a supply that was lost ----------------------------------------------------------------------


def test_supply_lost_under_load_is_told_by_who_has_judged_it() -> None:
    rig = PackRig()
    rig.round(whole=True)
    assert rig.told("bms_trip") == []
    rig.pack.trip.lost_supply(17_000, rig.now)
    rig.round(whole=True)
    assert rig.state("bms_trip") == ALARM
    assert rig.record("bms_trip", "value") == 17_000


def test_weakest_cell_under_the_load_is_named() -> None:
    for wait, cell in ((0.2, 7), (5.4, 0)):
        rig = PackRig()
        rig.frame(current_ma=-12_000, cells=[3600] * 6 + [3300] + [3600] * 3)
        rig.repeat(wait, current_ma=-12_000)
        rig.pack.forget()
        rig.round()
        assert rig.state("bms_trip") == ALARM
        assert rig.record("bms_trip", "where") == cell


def test_two_weeks_make_no_old_load_new() -> None:
    wrap = 1 << 30
    rig = PackRig()
    rig.repeat(1, current_ma=-12_000)
    taken = rig.ms
    while rig.ms < taken + wrap:
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms = taken + wrap + 300
    rig.pack.forget()
    rig.round()
    assert rig.told("bms_trip") == []
    assert rig.pack.trip._told_ma == 0

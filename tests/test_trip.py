"""Cut-outs: by the MOSFET, by a line that dies under load, by what a start finds remembered."""

import pytest
from deckwatch.meters.trip import Trip
from deckwatch.telemetry import INDEX
from line_rig import LineRig
from pack_rig import MeterRig, PackRig

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


# --- exactly, the meter alone --------------------------------------------------------------------


def alone(start: int = 0) -> MeterRig:
    return MeterRig(Trip(), start)


def tripped(rig: MeterRig) -> tuple[int | None, int, int]:
    """Load, cell and sample of what is told."""
    return rig.value("trip_ma"), rig.where("trip_ma"), rig.count("trip_ma")


@pytest.mark.parametrize(
    ("loads", "after_ms", "ma"),
    [
        ((1000, 1000), 1000, 1000),
        ((999, 1000), 1000, 0),
        ((1000, 999), 1000, 0),
        ((9000, 8000), 1000, 8000),
        ((8000, 9000), 1000, 8000),
        ((9000, 9000), 500, 9000),
        ((9000, 9000), 1001, 0),
        ((9000,), 100, 0),
    ],
)
def test_line_falls_low_within_a_second_of_two_samples(
    loads: tuple[int, ...], after_ms: int, ma: int
) -> None:
    rig = alone()
    for load in loads:
        rig.tell(100, current_ma=-load)
    assert tripped(rig) == (0, 0, 1)
    rig.forget()
    rig.tell(after_ms)
    assert tripped(rig) == ((ma, 0, 2) if ma else (None, 0, 1))
    rig.forget()
    rig.tell(10)
    assert tripped(rig) == ((ma, 0, 2) if ma else (None, 0, 1))  # once


def test_weakest_cell_is_named_where_it_is_known() -> None:
    for age_ms, cell in ((5000, 7), (5001, 0)):
        rig = alone()
        rig.tell(lowest_mv=3000)
        rig.t.where[INDEX["lowest_mv"]] = 7
        rig.tell(age_ms - 100, current_ma=-9000)
        rig.tell(100, current_ma=-9000)
        rig.forget()
        rig.tell(500)
        assert tripped(rig) == (9000, cell, 2)


@pytest.mark.parametrize(
    ("told", "ma"),
    [
        ({"quiet_ms": 1}, 9000),
        ({"quiet_ms": 1, "unanswered_ms": 0}, 9000),
        ({"quiet_ms": 1, "unanswered_ms": 1}, 0),
        ({}, 0),
    ],
)
def test_line_is_dead_after_10_s_unless_somebody_goes_on_asking(
    told: dict[str, int], ma: int
) -> None:
    rig = alone()
    rig.every(100, 2, current_ma=-9000)
    for name, value in told.items():
        rig.t.derive(INDEX[name], value, 0, rig.now + 9999, 1)
    rig.tell(9_999)
    assert rig.value("trip_ma") is None
    rig.tell(1)
    assert rig.value("trip_ma") == (ma or None)
    before = rig.count("trip_ma")
    rig.tell(100)
    assert rig.count("trip_ma") == before


@pytest.mark.parametrize(("frame_ms", "ma"), [(1000, 9000), (1001, None)])
def test_load_counts_for_a_second_before_the_last_word(frame_ms: int, ma: int | None) -> None:
    rig = alone()
    rig.every(100, 2, current_ma=-9000)
    rig.tell(frame_ms, soc_pct=50)
    rig.t.derive(INDEX["quiet_ms"], 1, 0, rig.now, 1)
    rig.tell(10_000)
    assert rig.value("trip_ma") == ma


def test_question_that_has_gone_stale_keeps_no_line_alive() -> None:
    rig = alone()
    rig.every(100, 2, current_ma=-9000)
    rig.t.derive(INDEX["quiet_ms"], 1, 0, rig.now, 1)
    rig.t.derive(INDEX["unanswered_ms"], 5000, 0, rig.now + 4999, 1)
    rig.tell(10_000)
    assert rig.value("trip_ma") == 9000


def test_trip_stands_for_ten_minutes_and_is_told_to_be_over_once() -> None:
    rig = alone()
    rig.every(100, 2, current_ma=-9000)
    rig.forget()
    rig.tell(500)
    rig.tell(600_000)
    assert tripped(rig) == (9000, 0, 2)
    rig.tell(1)
    assert tripped(rig) == (0, 0, 2)
    assert rig.value("trip_fet") is None
    stamp = rig.t.stamp[INDEX["trip_ma"]]
    rig.tell(1)
    assert rig.t.stamp[INDEX["trip_ma"]] == stamp


def test_trips_are_counted() -> None:
    rig = alone()
    for number in (2, 3, 4):
        rig.every(100, 2, current_ma=-1000 * number)
        rig.forget()
        rig.tell(500)
        assert tripped(rig) == (1000 * number, 0, number)


def test_supply_lost_before_this_start_is_told() -> None:
    rig = alone()
    rig.meter.lost_supply(12_000, rig.now)
    rig.tell(1000)
    assert tripped(rig) == (12_000, 0, 2)
    rig.tell(599_000, current_ma=0)
    assert tripped(rig) == (12_000, 0, 2)
    rig.tell(1, current_ma=0)
    assert tripped(rig) == (0, 0, 2)


@pytest.mark.parametrize(
    ("fets", "riding", "trips"),
    [
        ((1, 0, 0), 1, 1),
        ((1, 0), 1, 0),
        ((1, 0, 1, 0), 1, 0),
        ((0, 0, 0), 1, 0),
        ((1, 0, 0), 0, 0),
        ((1, 0, 0), None, 0),
        ((1, 0, 0, 0, 0), 1, 1),
        ((1, 0, 0, 1, 0, 0), 1, 2),
    ],
)
def test_mosfet_that_was_closed_opens_in_two_samples_of_a_ride(
    fets: tuple[int, ...], riding: int | None, trips: int
) -> None:
    rig = alone()
    ride = {} if riding is None else {"riding": riding}
    for fet in fets:
        rig.tell(100, discharge_fet=fet, **ride)
        rig.tell(100, soc_pct=50)  # another frame is no sample of it
    told = rig.value("trip_fet"), rig.where("trip_fet"), rig.count("trip_fet")
    assert told == (min(trips, 1), 0, 1 + trips)
    assert rig.value("trip_ma") is None
    rig.tell(600_100)
    assert rig.value("trip_fet") == (0 if trips else None)


def test_mosfet_that_opens_long_after_the_ride_has_not_tripped() -> None:
    rig = alone()
    rig.tell(discharge_fet=1, riding=1)
    rig.tell(5001, discharge_fet=0)
    rig.tell(100, discharge_fet=0)
    assert rig.value("trip_fet") == 0


def test_switched_off_the_mosfet_is_not_known_to_have_been_closed() -> None:
    rig = alone()
    rig.tell(discharge_fet=1, riding=1)
    rig.tell(100, discharge_fet=0, riding=1)
    rig.forget()
    rig.tell(100, discharge_fet=0, riding=1)
    rig.tell(100, discharge_fet=0, riding=1)
    assert rig.value("trip_fet") == 0
    rig.tell(100, discharge_fet=1, riding=1)
    rig.tell(100, discharge_fet=0, riding=1)
    rig.forget()
    rig.tell(100, discharge_fet=1, riding=1)
    rig.tell(100, discharge_fet=0, riding=1)
    assert rig.value("trip_fet") == 0


def test_load_before_the_scooter_was_switched_off_is_not_one_after() -> None:
    rig = alone()
    rig.every(100, 2, current_ma=-900)
    rig.forget()
    rig.tell(100)
    rig.tell(100, current_ma=-9000)
    rig.forget()
    rig.tell(100)
    assert tripped(rig) == (None, 0, 1)


def test_current_that_flows_in_is_no_load() -> None:
    rig = alone()
    rig.every(100, 2, current_ma=9000)
    rig.forget()
    rig.tell(100)
    assert rig.value("trip_ma") is None


def test_a_fortnight_does_not_make_a_load_young() -> None:
    rig = alone()
    rig.every(100, 2, current_ma=-9000)
    rig.t.derive(INDEX["quiet_ms"], 1, 0, rig.now, 1)
    for _ in range((1 << 30) // 3_600_000):
        rig.now += 3_600_000
        rig.saturate()
    rig.now = 200
    rig.forget()
    rig.tell(500)
    assert rig.value("trip_ma") is None


def test_one_sample_does_not_agree_with_itself() -> None:
    rig = alone()
    rig.tell(current_ma=-9000)
    rig.tell(100, soc_pct=50)
    rig.forget()
    rig.tell(100)
    assert rig.value("trip_ma") is None

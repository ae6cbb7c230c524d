"""The heat meter: rises of the hottest probe within minutes, and a board hotter than its cells."""

from itertools import chain, repeat
from random import Random
from typing import Any

import pytest
from deckwatch.meters.heat import Heat
from deckwatch.telemetry import INDEX
from pack_rig import MeterRig, PackRig
from packlab.made.spec import PackSpec

WRAP = 1 << 30
CALM = ("clear", "ok")
WARN, ALARM = ("set", "warn"), ("set", "alarm")


def warm(rig: PackRig, course_dc: Any, every_ms: int = 1000, **frame: int) -> None:
    """One probe reading after the other, with a current of nothing unless another is given."""
    frame.setdefault("current_ma", 0)
    for dc in course_dc:
        rig.frame(temps=[200, dc], **frame)
        rig.advance(every_ms)


def ramp(start_dc: int, end_dc: int, seconds: int) -> list[int]:
    """What a probe of 1 °C resolution reads on the way, once a second."""
    return [
        (start_dc + (end_dc - start_dc) * second // seconds) // 10 * 10
        for second in range(seconds + 1)
    ]


# --- rises ---------------------------------------------------------------------------------------


def test_nothing_rises_at_the_first_reading() -> None:
    rig = PackRig()
    rig.frame(temps=[200, 200])
    assert (rig.value("heat_burst_dc"), rig.value("heat_rise_dc")) == (0, None)
    rig.advance(200)
    rig.frame(temps=[200, 210], current_ma=0)
    assert (rig.value("heat_burst_dc"), rig.value("heat_rise_dc")) == (0, 0)


@pytest.mark.parametrize(("rise_dc", "state"), [(40, CALM), (50, WARN), (60, WARN)])
def test_5_degrees_in_5_minutes_warn(rise_dc: int, state: tuple[str, str]) -> None:
    rig = PackRig()
    warm(rig, repeat(230, 60))
    warm(rig, ramp(230, 230 + rise_dc, 270))
    warm(rig, repeat(230 + rise_dc, 3))
    assert rig.value("heat_rise_dc") == rise_dc
    assert rig.where("heat_rise_dc") == 2
    assert rig.state("heat_rise") == state


@pytest.mark.parametrize(("rise_dc", "state"), [(90, WARN), (100, ALARM)])
def test_10_degrees_in_3_minutes_alarm(rise_dc: int, state: tuple[str, str]) -> None:
    rig = PackRig()
    warm(rig, repeat(230, 60))
    warm(rig, ramp(230, 230 + rise_dc, 150))
    warm(rig, repeat(230 + rise_dc, 3))
    assert rig.value("heat_burst_dc") == rise_dc
    assert rig.state("heat_rise") == state


def test_windows_are_never_longer_than_the_sheet_says() -> None:
    """5 °C take 301 s here, 10 °C 181 s: no alert, however the slices fall."""
    for start in range(0, 30, 7):
        rig = PackRig()
        warm(rig, repeat(230, 60 + start))
        warm(rig, [230 + 10 * (second // 76) for second in range(600)])
        assert rig.told("heat_rise") == []
        rig = PackRig()
        warm(rig, repeat(230, 60 + start), current_ma=-9000)
        warm(rig, [230 + 10 * (second // 21) for second in range(400)], current_ma=-9000)
        assert rig.told("heat_rise") == []


def test_a_rise_that_is_over_clears() -> None:
    rig = PackRig()
    warm(rig, chain(repeat(230, 60), repeat(290, 270)))
    assert rig.state("heat_rise") == WARN
    warm(rig, repeat(290, 60))
    assert rig.state("heat_rise") == CALM


def test_the_alarm_comes_whatever_flows_and_the_warning_only_with_little() -> None:
    for ma, wanted in ((-4999, WARN), (4999, WARN), (-5000, CALM), (6000, CALM)):
        rig = PackRig()
        warm(rig, chain(repeat(230, 60), repeat(290, 60)), current_ma=ma, charging_flag=0)
        assert rig.state("heat_rise") == wanted, ma
    rig = PackRig()
    warm(rig, chain(repeat(230, 60), repeat(340, 3)), current_ma=-20000)
    assert rig.state("heat_rise") == ALARM


def test_one_pull_starts_the_five_minutes_anew_and_one_wrong_sample_does_not() -> None:
    for currents, wanted in (((-9000, 0), WARN), ((-9000, -9000), CALM)):
        rig = PackRig()
        warm(rig, repeat(230, 60))
        for ma in currents:
            warm(rig, [230], current_ma=ma)
        warm(rig, repeat(280, 20))
        assert rig.state("heat_rise") == wanted
        assert rig.value("heat_burst_dc") == 50


def test_what_was_before_the_load_counts_no_more_but_what_came_after_does() -> None:
    rig = PackRig()
    warm(rig, repeat(230, 300))
    warm(rig, repeat(250, 30), current_ma=-15000)
    warm(rig, repeat(270, 100))
    assert rig.told("heat_rise") == []
    warm(rig, repeat(320, 20))
    assert rig.value("heat_rise_dc") == 50
    assert rig.state("heat_rise") == WARN


def test_while_the_current_is_unknown_only_the_alarm_is_watched() -> None:
    rig = PackRig()
    warm(rig, repeat(230, 60))
    for dc in chain(repeat(230, 30), repeat(290, 30)):
        rig.frame(temps=[200, dc])
        rig.advance(1000)
    assert rig.value("heat_rise_dc") is None
    assert rig.value("heat_burst_dc") == 60
    rig.frame(temps=[200, 290], current_ma=0)
    assert rig.value("heat_rise_dc") == 0  # what was in the meantime is not known to be calm


@pytest.mark.parametrize("wrong_dc", [-100, 900])
def test_one_wrong_reading_is_no_rise(wrong_dc: int) -> None:
    rig = PackRig()
    warm(rig, repeat(230, 45))
    warm(rig, [wrong_dc])
    warm(rig, repeat(230, 400))
    assert rig.told("heat_rise") == []


def test_probe_that_drops_out_and_comes_back_is_no_rise() -> None:
    rig = PackRig()
    for second in range(200):
        hot = -200 if 60 <= second < 120 else 330  # open: -20 °C
        rig.frame(temps=[200, hot], current_ma=0)
        rig.advance(1000)
    assert rig.told("heat_rise") == []
    assert rig.value("heat_burst_dc") == 0


def test_half_a_minute_without_a_probe_forgets_the_past() -> None:
    for gap_ms, wanted in ((29_000, 60), (29_999, 60), (30_000, 0)):
        rig = PackRig()
        warm(rig, repeat(230, 89))
        rig.frame(temps=[200, 230], current_ma=0)
        rig.advance(gap_ms)
        rig.frame(temps=[200, 290], current_ma=0)
        assert rig.value("heat_burst_dc") == wanted, gap_ms


def test_switching_off_forgets_the_past() -> None:
    rig = PackRig()
    warm(rig, repeat(230, 90))
    rig.pack.forget()
    rig.frame(temps=[200, 290], current_ma=0)
    assert (rig.value("heat_burst_dc"), rig.value("heat_rise_dc")) == (0, 0)


@pytest.mark.parametrize("start", [WRAP - 45_000, WRAP - 1])
def test_rises_run_over_the_wrap(start: int) -> None:
    rig = PackRig(start=start)
    warm(rig, chain(repeat(230, 60), repeat(280, 5)))
    assert rig.value("heat_rise_dc") == 50
    assert rig.state("heat_rise") == WARN


def test_a_past_of_weeks_ago_is_not_taken_for_fresh() -> None:
    rig = PackRig()
    warm(rig, repeat(230, 60))
    for _ in range(WRAP // 3_600_000):
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms += WRAP - rig.ms % WRAP
    rig.frame(temps=[200, 290], current_ma=0)
    assert rig.value("heat_burst_dc") == 0


@pytest.mark.parametrize(("hidden_ma", "wanted"), [(0, CALM), (30_000, WARN)])
def test_a_charge_of_the_model_pack_is_calm_and_heat_from_nowhere_is_not(
    hidden_ma: int, wanted: tuple[str, str]
) -> None:
    """Heat from nowhere is what 30 A make in the model's cells, while 2 A are told."""
    pack = PackSpec().build(Random(1), 300, 100)
    rig = PackRig()
    for _ in range(3600):
        pack.current_ma = hidden_ma or 2000
        pack.advance(1000, 200)
        rig.frame(temps=pack.temps_dc, current_ma=2000, charging_flag=1)
        rig.advance(1000)
        if rig.state("heat_rise") != CALM:
            break
    assert rig.state("heat_rise") == wanted
    assert rig.ms > 30_000


# --- board and MOSFETs ---------------------------------------------------------------------------


def board(rig: PackRig, seconds: int, **frame: Any) -> None:
    for _ in range(seconds):
        rig.frame(temps=[200, 230], **frame)
        rig.advance(1000)


def test_the_hotter_of_the_two_is_told() -> None:
    for frame, wanted in (
        ({"mos_temp_dc": 300}, 300),
        ({"board_temp_dc": 310}, 310),
        ({"mos_temp_dc": 300, "board_temp_dc": 310}, 310),
        ({"mos_temp_dc": 320, "board_temp_dc": 310}, 320),
        ({"mos_temp_dc": 1500, "board_temp_dc": 310}, 310),
        ({"mos_temp_dc": 300, "board_temp_dc": 1500}, 300),
        ({"mos_temp_dc": 1499}, 1499),
    ):
        rig = PackRig()
        rig.frame(**frame)
        assert rig.value("board_dc") == wanted, frame
    for frame in ({}, {"mos_temp_dc": 1500}, {"current_ma": 0}):
        rig = PackRig()
        rig.frame(**frame)
        assert rig.value("board_dc") is None


def test_hot_mosfets_warn_and_alarm() -> None:
    rig = PackRig()
    rig.frame(mos_temp_dc=960)
    rig.frame(mos_temp_dc=799)
    assert rig.told("board_hot") == []
    rig.frame(mos_temp_dc=800)
    rig.frame(mos_temp_dc=800)
    assert rig.state("board_hot") == WARN
    rig.frame(mos_temp_dc=950)
    rig.frame(mos_temp_dc=950)
    assert rig.state("board_hot") == ALARM


@pytest.mark.parametrize(("dc", "wanted"), [(379, CALM), (380, WARN)])
def test_15_degrees_above_the_cells_for_10_minutes(dc: int, wanted: tuple[str, str]) -> None:
    rig = PackRig()
    board(rig, 599, mos_temp_dc=dc, current_ma=999)
    assert rig.state("board_hot") == CALM
    board(rig, 2, mos_temp_dc=dc, current_ma=-999)
    assert rig.state("board_hot") == wanted


def test_board_may_be_warm_while_it_works() -> None:
    rig = PackRig()
    board(rig, 900, mos_temp_dc=500, current_ma=-1000)
    assert rig.value("board_over_dc") == 0
    assert rig.told("board_hot") == []


def test_board_is_compared_with_the_cells_only_when_all_three_are_known() -> None:
    rig = PackRig()
    rig.frame(mos_temp_dc=500, current_ma=0)
    assert rig.value("board_over_dc") is None
    rig.frame(mos_temp_dc=500, temps=[200, 230])
    assert rig.value("board_over_dc") == 270
    rig.advance(4000)
    rig.frame(temps=[200, 230], mos_temp_dc=500)
    assert rig.value("board_over_dc") == 270
    rig.advance(2000)
    rig.frame(mos_temp_dc=600)  # the current is 6 s old
    assert rig.value("board_over_dc") == 270
    rig.advance(4000)
    assert rig.value("board_over_dc") is None


def test_result_is_as_old_as_the_probe_it_was_compared_with() -> None:
    rig = PackRig()
    rig.frame(temps=[200, 230], current_ma=0)
    rig.advance(4000)
    rig.frame(mos_temp_dc=500, current_ma=0)
    assert rig.value("board_over_dc") == 270
    rig.advance(1001)
    assert rig.value("board_over_dc") is None
    assert rig.value("board_dc") == 500


def test_meter_stands_alone() -> None:
    rig = PackRig()
    meter = Heat()
    meter.update(rig.t, 0)
    meter.saturate(0)
    assert rig.value("heat_burst_dc") is None


# --- exactly, the meter alone --------------------------------------------------------------------


def alone(start: int = 0, believed: int = 2) -> MeterRig:
    rig = MeterRig(Heat(), start)
    rig.t.believed = believed
    return rig


def course(rig: MeterRig, every_ms: int, *readings: int, **told: int) -> list[int | None]:
    """The burst told after each reading of the hottest probe."""
    found = []
    for dc in readings:
        rig.tell(every_ms, hottest_dc=dc, **told)
        found.append(rig.value("heat_burst_dc"))
    return found


@pytest.mark.parametrize("start", [0, 7, (1 << 29) + 3, (1 << 30) - 40_001])
def test_a_slice_is_kept_after_half_a_minute_to_the_millisecond(start: int) -> None:
    rig = alone(start)
    rig.tell(hottest_dc=200)
    assert course(rig, 29_999, 250) == [0]  # the slice that runs has 250 for its highest
    assert course(rig, 1, 260) == [10]
    assert course(rig, 29_999, 300) == [50]
    rig.t.where[INDEX["hottest_dc"]] = 3
    assert course(rig, 1, 310) == [60]
    assert rig.where("heat_burst_dc") == 3


@pytest.mark.parametrize("start", [0, (1 << 29) + 3])
def test_slices_follow_each_other_without_losing_time(start: int) -> None:
    rig = alone(start)
    rig.tell(hottest_dc=200)
    assert course(rig, 25_000, 210, 150) == [0, 0]  # what ended at 30 s is kept at 50 s
    assert course(rig, 9_999, 155) == [0]
    assert course(rig, 1, 165) == [10]


def test_burst_looks_back_six_slices_and_rise_ten() -> None:
    rig = alone()
    rig.tell(hottest_dc=100, current_ma=0)
    for number in range(1, 14):
        rig.tell(29_000, hottest_dc=100 + 10 * number, current_ma=0)
        rig.tell(1_000, hottest_dc=100 + 10 * number, current_ma=0)
        assert rig.value("heat_burst_dc") == 10 * (min(number, 6) - 1)
        assert rig.value("heat_rise_dc") == 10 * (min(number, 10) - 1)
        assert rig.count("heat_rise_dc") == rig.count("heat_burst_dc")


def test_a_fall_is_no_rise() -> None:
    rig = alone()
    rig.tell(hottest_dc=300, current_ma=0)
    assert course(rig, 15_000, 290, 280, 270, 280) == [0, 0, 0, 0]
    assert course(rig, 15_000, 290, 300) == [10, 20]


@pytest.mark.parametrize(("gap_ms", "rise"), [(29_999, 100), (30_000, 0)])
def test_half_a_minute_without_a_reading_forgets(gap_ms: int, rise: int) -> None:
    rig = alone()
    rig.tell(hottest_dc=200)
    rig.tell(20_000, hottest_dc=200)
    rig.tell(20_000, hottest_dc=200)
    assert course(rig, gap_ms, 300) == [rise]


def test_another_number_of_probes_forgets() -> None:
    rig = alone()
    rig.tell(hottest_dc=200, current_ma=0)
    rig.tell(20_000, hottest_dc=200, current_ma=0)
    rig.tell(20_000, hottest_dc=200, current_ma=0)
    rig.t.believed = 1
    assert course(rig, 1_000, 300, current_ma=0) == [0]
    assert rig.value("heat_rise_dc") == 0
    assert course(rig, 20_000, 310, 320, current_ma=0) == [0, 10]
    assert rig.value("heat_rise_dc") == 10


@pytest.mark.parametrize(("ma", "rise"), [(4999, 60), (-4999, 60), (5000, 0), (-5000, 0)])
def test_two_samples_of_5_a_end_the_calm(ma: int, rise: int) -> None:
    rig = alone()
    rig.tell(hottest_dc=200, current_ma=0)
    rig.tell(20_000, hottest_dc=200, current_ma=0)
    rig.tell(20_000, hottest_dc=200, current_ma=0)
    rig.tell(100, current_ma=9000)
    rig.tell(100, current_ma=0)  # one is chance
    rig.tell(100, current_ma=ma)
    rig.tell(100, current_ma=-ma, hottest_dc=260)
    assert (rig.value("heat_rise_dc"), rig.value("heat_burst_dc")) == (rise, 60)


def test_calm_is_counted_anew_from_the_slice_after_the_load() -> None:
    rig = alone()
    rig.tell(hottest_dc=200, current_ma=6000)
    rig.tell(100, hottest_dc=200, current_ma=6000)
    told = []
    for dc in (210, 220, 230, 240):
        rig.tell(29_900, hottest_dc=dc, current_ma=0)
        rig.tell(100, hottest_dc=dc, current_ma=0)
        told.append(rig.value("heat_rise_dc"))
    assert told == [0, 10, 20, 30]  # of the slice in which the load ended nothing counts


def test_after_an_unknown_current_the_next_whole_slice_counts() -> None:
    rig = alone()
    rig.tell(hottest_dc=200, current_ma=0)
    rig.tell(20_000, hottest_dc=200)
    told = []
    for dc in (210, 220, 230, 240):
        rig.tell(29_900, hottest_dc=dc, current_ma=0)
        rig.tell(100, hottest_dc=dc, current_ma=0)
        told.append(rig.value("heat_rise_dc"))
    assert told == [0, 10, 20, 30]


def test_load_before_the_number_of_probes_changed_ends_the_calm_too() -> None:
    rig = alone()
    rig.tell(hottest_dc=300, current_ma=6000)
    rig.tell(100, hottest_dc=300, current_ma=6000)
    rig.t.believed = 1
    rig.tell(100, hottest_dc=200, current_ma=0)
    told = []
    for dc in (210, 220, 230):
        rig.tell(29_900, hottest_dc=dc, current_ma=0)
        told.append(rig.value("heat_burst_dc"))
        rig.tell(100, hottest_dc=dc, current_ma=0)
        told.append(rig.value("heat_rise_dc"))
    assert told == [0, 0, 10, 0, 20, 10]


def test_one_probe_in_the_frost_from_the_first_moment_on() -> None:
    rig = alone(believed=1)
    rig.tell(hottest_dc=-50)
    assert course(rig, 29_900, -50) == [0]
    assert course(rig, 100, -40) == [10]


def test_an_unknown_current_ends_the_calm_and_tells_no_rise() -> None:
    rig = alone()
    rig.tell(hottest_dc=200, current_ma=0)
    rig.tell(20_000, hottest_dc=200, current_ma=0)
    rig.tell(15_000, hottest_dc=200, current_ma=0)
    told = rig.count("heat_rise_dc")
    rig.tell(5_001, hottest_dc=260)
    assert rig.count("heat_rise_dc") == told
    assert rig.value("heat_burst_dc") == 60
    rig.tell(100, hottest_dc=260, current_ma=0)
    assert rig.value("heat_rise_dc") == 0


@pytest.mark.parametrize(
    ("told", "board", "over"),
    [
        ({"mos_temp_dc": 400}, 400, 200),
        ({"board_temp_dc": 400}, 400, 200),
        ({"mos_temp_dc": 400, "board_temp_dc": 401}, 401, 201),
        ({"mos_temp_dc": 401, "board_temp_dc": 400}, 401, 201),
        ({"mos_temp_dc": 1500, "board_temp_dc": 400}, 400, 200),
        ({"mos_temp_dc": 1499, "board_temp_dc": 1500}, 1499, 1299),
        ({"mos_temp_dc": 1500}, None, None),
        ({"mos_temp_dc": 400, "current_ma": 999}, 400, 200),
        ({"mos_temp_dc": 400, "current_ma": -1000}, 400, 0),
    ],
)
def test_the_hotter_of_mosfets_and_board(
    told: dict[str, int], board: int | None, over: int | None
) -> None:
    rig = alone()
    told = {"current_ma": 0} | told
    rig.tell(hottest_dc=200, current_ma=told["current_ma"])
    rig.t.where[INDEX["hottest_dc"]] = 2
    rig.tell(100, **told)
    assert (rig.value("board_dc"), rig.value("board_over_dc")) == (board, over)
    assert (rig.where("board_dc"), rig.where("board_over_dc")) == (0, 0)
    sample = rig.count("board_dc")
    rig.tell(100, current_ma=told["current_ma"])
    assert rig.count("board_dc") == sample
    assert rig.value("heat_rise_dc") == 0


def test_board_is_compared_with_probes_and_current_that_are_known() -> None:
    rig = alone()
    rig.tell(mos_temp_dc=400, hottest_dc=200)
    assert (rig.value("board_dc"), rig.value("board_over_dc")) == (400, None)
    rig.tell(100, mos_temp_dc=400, current_ma=0)
    assert rig.value("board_over_dc") == 200
    told = rig.count("board_over_dc")
    rig.tell(4_901, mos_temp_dc=400, current_ma=0)
    assert rig.count("board_over_dc") == told


def test_one_sample_of_a_current_is_not_yet_a_load() -> None:
    rig = alone()
    rig.tell(hottest_dc=200, current_ma=0)
    rig.tell(100, mos_temp_dc=400, current_ma=9000)
    assert rig.value("board_over_dc") == 200
    rig.tell(100, mos_temp_dc=400, current_ma=9000)
    assert rig.value("board_over_dc") == 0
    rig.tell(5_001, mos_temp_dc=400, hottest_dc=200)
    rig.tell(100, mos_temp_dc=400, hottest_dc=200, current_ma=9000)
    assert rig.value("board_over_dc") == 200  # the one before is not known


def test_switched_off_it_forgets_the_past() -> None:
    rig = alone()
    rig.tell(hottest_dc=200, current_ma=0)
    rig.tell(20_000, hottest_dc=200, current_ma=6000, mos_temp_dc=400)
    rig.tell(20_000, hottest_dc=200, current_ma=6000)
    rig.forget()
    rig.t.believed = 2
    rig.tell(100, hottest_dc=260, current_ma=6000)
    assert (rig.value("heat_burst_dc"), rig.value("heat_rise_dc")) == (0, 0)
    rig.tell(100, mos_temp_dc=400)
    assert rig.value("board_over_dc") == 140
    assert course(rig, 20_000, 250, 270, current_ma=0) == [0, 10]
    assert rig.value("heat_rise_dc") == 10


def test_a_fortnight_does_not_make_the_past_young() -> None:
    rig = alone()
    rig.tell(hottest_dc=200)
    for _ in range((1 << 30) // 3_600_000):
        rig.now += 3_600_000
        rig.saturate()
    rig.now = 100  # the tick of 100 ms after the first reading
    assert course(rig, 0, 300) == [0]
    assert course(rig, 29_900, 320) == [0]
    assert course(rig, 100, 330) == [10]


def test_board_is_compared_once_a_sample_of_its_own() -> None:
    rig = alone()
    rig.tell(mos_temp_dc=400, hottest_dc=200, current_ma=0)
    rig.tell(1000, hottest_dc=300, current_ma=0)
    assert rig.value("board_over_dc") == 200
    rig.tell(1000, mos_temp_dc=400, hottest_dc=300, current_ma=0)
    assert rig.value("board_over_dc") == 100


def test_of_equal_ones_the_mosfets_are_told() -> None:
    rig = alone()
    rig.tell(mos_temp_dc=400)
    rig.tell(1000, board_temp_dc=400)
    rig.tell(4000)
    assert rig.value("board_dc") == 400
    rig.tell(1)
    assert rig.value("board_dc") is None  # as old as what it was taken from

"""The cell meter: what counts as a sample, and what is derived from one."""

import pytest
from pack_rig import PackRig

TEN = [3700, 3701, 3702, 3703, 3704, 3705, 3706, 3707, 3708, 3709]
DERIVED = (
    "highest_mv",
    "lowest_mv",
    "cell_spread_mv",
    "top_spread_mv",
    "sum_error_mv",
    "sum_error_permille",
    "wild_cells",
    "dead_cells",
    "cell_jump_mv",
)


def samples(rig: PackRig) -> int:
    """How many samples of the cells there have been."""
    return int(rig.t.count[_slot("highest_mv")])


def _slot(name: str) -> int:
    from deckwatch.telemetry import INDEX

    return INDEX[name]


def steady(rig: PackRig, **frame: object) -> None:
    """Three seconds of the same current, so that it stands still."""
    rig.repeat(3, current_ma=0, **frame)


# --- highest, lowest, spread ---------------------------------------------------------------------


def test_extremes_name_their_cells() -> None:
    rig = PackRig()
    rig.frame(cells=[3700, 3650, 3700, 3720, 3700, 3700, 3700, 3700, 3700, 3700])
    assert (rig.value("highest_mv"), rig.where("highest_mv")) == (3720, 4)
    assert (rig.value("lowest_mv"), rig.where("lowest_mv")) == (3650, 2)
    assert (rig.value("cell_spread_mv"), rig.where("cell_spread_mv")) == (70, 2)


def test_of_equal_cells_the_first_is_named() -> None:
    rig = PackRig()
    rig.frame(cells=[3700] * 10)
    assert (rig.where("highest_mv"), rig.where("lowest_mv")) == (1, 1)
    assert rig.value("cell_spread_mv") == 0


@pytest.mark.parametrize(("highest", "top"), [(4149, 0), (4150, 60), (4200, 60)])
def test_top_spread_counts_within_50_mv_of_full(highest: int, top: int) -> None:
    rig = PackRig()
    rig.frame(cells=[highest] * 9 + [highest - 60])
    assert rig.value("cell_spread_mv") == 60
    assert rig.value("top_spread_mv") == top


def test_top_spread_of_lfp() -> None:
    rig = PackRig(chemistry="lfp")
    rig.frame(cells=[3600] * 9 + [3560])
    assert rig.value("top_spread_mv") == 40


# --- cells that cannot be ------------------------------------------------------------------------


def test_inputs_beyond_the_string_are_not_fitted() -> None:
    rig = PackRig()
    rig.frame(cells=[*TEN, 41, 41, 0, 499, 0])
    assert rig.value("lowest_mv") == 3700
    assert rig.value("wild_cells") == 0
    assert rig.value("dead_cells") == 0


def test_more_cells_than_configured_are_looked_at() -> None:
    rig = PackRig()
    rig.frame(cells=[*TEN, 500, 4700])
    assert (rig.value("lowest_mv"), rig.where("lowest_mv")) == (500, 11)
    assert (rig.value("wild_cells"), rig.where("wild_cells")) == (1, 12)


def test_cells_beyond_the_string_count_only_when_read_with_it() -> None:
    rig = PackRig()
    rig.frame(cells=[*TEN, 4100])
    assert rig.value("highest_mv") == 4100
    rig.advance(1000)
    rig.frame(cells=TEN)
    assert rig.value("highest_mv") == 3709
    rig.advance(1000)
    rig.hear(cells=dict(enumerate(TEN)))
    rig.advance(500)
    rig.hear(cells={10: 4100})
    rig.round()
    assert rig.value("highest_mv") == 4100


@pytest.mark.parametrize(
    ("mv", "wild", "dead"),
    [(0, 1, 1), (1, 1, 0), (499, 1, 0), (500, 0, 0), (4600, 0, 0), (4601, 1, 0), (65535, 1, 0)],
)
def test_readings_no_cell_of_the_string_can_give(mv: int, wild: int, dead: int) -> None:
    rig = PackRig()
    rig.frame(cells=[*TEN[:6], mv, *TEN[7:]])
    assert (rig.value("wild_cells"), rig.where("wild_cells")) == (wild, 7 * wild)
    assert (rig.value("dead_cells"), rig.where("dead_cells")) == (dead, 7 * dead)
    if wild:
        assert (rig.value("highest_mv"), rig.value("lowest_mv")) == (3709, 3700)


@pytest.mark.parametrize(("mv", "wild"), [(4000, 0), (4001, 1)])
def test_lfp_cells_read_less(mv: int, wild: int) -> None:
    rig = PackRig(chemistry="lfp")
    rig.frame(cells=[3300] * 9 + [mv])
    assert rig.value("wild_cells") == wild


def test_first_of_several_wild_cells_is_named() -> None:
    rig = PackRig()
    rig.frame(cells=[3700, 0, 4700, 0, *TEN[4:]])
    assert (rig.value("wild_cells"), rig.where("wild_cells")) == (3, 2)
    assert (rig.value("dead_cells"), rig.where("dead_cells")) == (2, 2)


def test_nothing_but_wild_cells_has_no_extremes() -> None:
    rig = PackRig()
    rig.frame(cells=[0] * 10)
    assert rig.value("dead_cells") == 10
    for slot in ("highest_mv", "lowest_mv", "cell_spread_mv", "top_spread_mv"):
        assert rig.value(slot) is None


# --- what is a sample ----------------------------------------------------------------------------


def test_nothing_is_told_of_half_a_string() -> None:
    rig = PackRig()
    rig.frame(cells=TEN[:9])
    assert [rig.value(slot) for slot in DERIVED] == [None] * len(DERIVED)


def test_string_read_in_two_halves_is_one_sample() -> None:
    rig = PackRig()
    rig.frame(cells=dict(enumerate(TEN[:5])))
    rig.advance(500)
    rig.frame(cells=dict(enumerate(TEN[5:], 5)))
    assert (rig.value("highest_mv"), samples(rig)) == (3709, 1)


def test_halves_further_apart_than_a_moment_are_none() -> None:
    rig = PackRig()
    rig.frame(cells=dict(enumerate(TEN[:5])))
    rig.advance(501)
    rig.frame(cells=dict(enumerate(TEN[5:], 5)))
    assert rig.value("highest_mv") is None


def test_half_a_new_set_changes_nothing_and_takes_nothing_away() -> None:
    rig = PackRig()
    rig.frame(cells=TEN)
    rig.advance(1000)
    rig.frame(cells=dict.fromkeys(range(5), 4000))
    assert (rig.value("highest_mv"), samples(rig)) == (3709, 1)
    rig.advance(200)
    rig.frame(cells=dict.fromkeys(range(5, 10), 4000))
    assert (rig.value("lowest_mv"), samples(rig)) == (4000, 2)


def test_half_a_set_within_the_moment_of_the_last_is_no_sample() -> None:
    rig = PackRig(start=50_000)
    rig.frame(cells=TEN)
    rig.advance(100)
    rig.frame(cells=dict.fromkeys(range(5), 4000))
    assert (rig.value("highest_mv"), samples(rig)) == (3709, 1)


def test_sample_is_as_old_as_its_oldest_cell() -> None:
    rig = PackRig()
    rig.frame(cells=dict(enumerate(TEN[:5])))
    rig.advance(400)
    rig.frame(cells=dict(enumerate(TEN[5:], 5)))
    rig.ms = 5000
    assert rig.value("highest_mv") == 3709
    rig.ms = 5001
    assert rig.value("highest_mv") is None


def test_rounds_without_cells_are_no_samples() -> None:
    rig = PackRig()
    rig.frame(cells=TEN)
    rig.advance(3000)
    rig.frame(soc_pct=50)
    assert samples(rig) == 1


def test_sample_that_waited_for_its_round_is_followed_by_the_next() -> None:
    rig = PackRig(start=50_000)
    rig.hear(cells=TEN)
    rig.advance(100)
    rig.round()
    rig.advance(50)
    rig.frame(cells=[4000] * 10)
    assert (rig.value("lowest_mv"), samples(rig)) == (4000, 2)


def test_two_reads_in_one_millisecond_are_one_sample() -> None:
    rig = PackRig()
    rig.frame(cells=TEN)
    rig.frame(cells=TEN)
    assert samples(rig) == 1


# --- how many cells ------------------------------------------------------------------------------


def test_series_of_zero_takes_the_boards_word() -> None:
    rig = PackRig(series=0)
    rig.frame(cell_count=13, cells=[3700] * 12)
    assert rig.value("highest_mv") is None
    rig.advance(1000)
    rig.frame(cells=[3700] * 12 + [0, 0])
    assert (rig.value("dead_cells"), rig.where("dead_cells")) == (1, 13)


def test_series_of_zero_without_a_word_goes_by_what_is_fitted() -> None:
    rig = PackRig(series=0)
    rig.frame(cells=[3700, 0, 3700, 500, 41, 0])
    assert (rig.value("dead_cells"), rig.where("dead_cells")) == (1, 2)
    assert (rig.value("wild_cells"), rig.where("lowest_mv")) == (1, 4)


def test_series_of_zero_and_nothing_fitted() -> None:
    rig = PackRig(series=0)
    rig.frame(cells=[0, 0, 41])
    assert rig.value("wild_cells") is None


# --- sum against the pack ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack_mv", "error", "permille"),
    [(37000, 0, 0), (37001, 1, 1), (37370, 370, 10), (36600, 400, 11), (36635, 365, 10)],
)
def test_sum_of_cells_against_the_pack(pack_mv: int, error: int, permille: int) -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=[3700] * 10, pack_mv=pack_mv)
    assert (rig.value("sum_error_mv"), rig.value("sum_error_permille")) == (error, permille)


@pytest.mark.parametrize(("pack_mv", "permille"), [(13200, 0), (13333, 10), (13334, 11)])
def test_one_per_cent_means_not_a_millivolt_more(pack_mv: int, permille: int) -> None:
    rig = PackRig(series=4)
    steady(rig)
    rig.frame(current_ma=0, cells=[3300] * 4, pack_mv=pack_mv)
    assert rig.value("sum_error_permille") == permille


def test_sum_counts_wild_cells_but_not_unfitted_ones() -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=[3700] * 9 + [300, 41], pack_mv=33600)
    assert rig.value("sum_error_mv") == 0


@pytest.mark.parametrize(("apart", "told"), [(-1001, False), (-1000, True), (1000, True)])
def test_pack_and_cells_are_compared_within_a_second(apart: int, told: bool) -> None:
    rig = PackRig()
    steady(rig)
    rig.hear(**({"pack_mv": 37000} if apart > 0 else {"cells": [3700] * 10}))
    rig.ms += abs(apart)
    rig.frame(current_ma=0, **({"cells": [3700] * 10} if apart > 0 else {"pack_mv": 37000}))
    assert (rig.value("sum_error_mv") == 0) is told


def test_sum_is_as_old_as_the_older_reading() -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, pack_mv=37000)
    heard = rig.ms
    rig.advance(900)
    rig.frame(current_ma=0, cells=[3700] * 10)
    rig.ms = heard + 5000
    assert rig.value("sum_error_mv") == 0
    rig.ms += 1
    assert rig.value("sum_error_mv") is None


def test_sum_is_not_compared_while_the_current_moves() -> None:
    rig = PackRig()
    rig.repeat(1.2, current_ma=0)
    rig.frame(current_ma=0, cells=[3700] * 10, pack_mv=35000)
    assert rig.value("sum_error_mv") is None
    rig.advance(800)
    rig.frame(current_ma=0)
    assert rig.value("sum_error_mv") == 2000


def test_load_that_sets_in_between_cells_and_pack_is_no_error() -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=[3700] * 10, pack_mv=37000)
    rig.advance(200)
    rig.frame(current_ma=-20000, pack_mv=34000)
    assert rig.value("sum_error_mv") == 0


def test_pack_that_reads_nothing_is_not_compared() -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=[3700] * 10, pack_mv=0)
    assert rig.value("sum_error_mv") is None


def test_stale_pack_is_not_compared() -> None:
    rig = PackRig()
    steady(rig, pack_mv=30000)
    rig.repeat(6, current_ma=0)
    rig.frame(current_ma=0, cells=[3700] * 10)
    assert rig.value("sum_error_mv") is None


def test_absurd_errors_stay_small_numbers() -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=[65535] * 32, pack_mv=10)
    assert rig.value("sum_error_mv") == 1_000_000
    assert rig.value("sum_error_permille") == 100_000_000


# --- jumps ---------------------------------------------------------------------------------------


def jumps(rig: PackRig, readings: list[int], **values: int) -> list[int | None]:
    """The jump told after each reading of cell 3, one a second."""
    told = []
    for mv in readings:
        rig.repeat(1, current_ma=values.get("current_ma", 0))
        rig.frame(current_ma=values.get("current_ma", 0), cells=[3700, 3700, mv, *TEN[3:]])
        told.append(rig.value("cell_jump_mv"))
    return told


def test_lasting_jump_shows_in_three_samples() -> None:
    rig = PackRig()
    steady(rig)
    assert jumps(rig, [3700] * 4 + [4100] * 4) == [0, 0, 0, 0, 400, 400, 400, 0]
    assert rig.where("cell_jump_mv") == 0


def test_jump_names_its_cell() -> None:
    rig = PackRig()
    steady(rig)
    jumps(rig, [3700, 4100])
    assert rig.where("cell_jump_mv") == 3


def test_single_wrong_reading_never_shows_in_three_in_a_row() -> None:
    rig = PackRig()
    steady(rig)
    assert jumps(rig, [3700] * 4 + [4100] + [3700] * 4) == [0, 0, 0, 0, 400, 400, 0, 400, 0]


def test_jittering_wire_shows_in_every_sample() -> None:
    rig = PackRig()
    steady(rig)
    assert jumps(rig, [3700, 4100, 3700, 4100, 3700]) == [0, 400, 400, 400, 400]


def test_nothing_is_compared_across_a_step_of_the_current() -> None:
    rig = PackRig()
    steady(rig)
    jumps(rig, [3700, 3700])
    rig.repeat(3, current_ma=-20000)
    assert jumps(rig, [3300, 3300], current_ma=-20000) == [0, 0]


@pytest.mark.parametrize(("ma", "jump"), [(-2999, 400), (-3000, 0)])
def test_step_of_3_a_excuses_a_jump(ma: int, jump: int) -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=[4000] * 10)
    rig.repeat(3, current_ma=ma)
    rig.frame(current_ma=ma, cells=[4000] * 9 + [3600])
    assert rig.value("cell_jump_mv") == jump


def test_after_a_step_the_second_sample_is_compared_again() -> None:
    rig = PackRig()
    steady(rig)
    jumps(rig, [3700, 3700])
    for _ in range(3):
        rig.frame(current_ma=-20000)
        rig.advance(200)
        rig.frame(current_ma=-20000, cells=TEN)
    rig.repeat(3, current_ma=-20000)
    assert jumps(rig, [3700, 4100], current_ma=-20000) == [0, 400]


def test_jump_on_a_steady_ride_is_compared() -> None:
    rig = PackRig()
    rig.repeat(3, current_ma=-20000)
    assert jumps(rig, [3700, 4100], current_ma=-20000) == [0, 400]


def test_while_the_current_moves_nothing_new_is_told() -> None:
    rig = PackRig()
    steady(rig)
    jumps(rig, [3700, 3700])
    rig.frame(current_ma=-5000)
    rig.advance(200)
    rig.frame(current_ma=-5000, cells=[3300] * 10)
    assert rig.value("cell_jump_mv") == 0
    rig.repeat(3, current_ma=-5000)
    rig.frame(current_ma=-5000, cells=[3700] * 10)
    assert rig.value("cell_jump_mv") == 0


@pytest.mark.parametrize(("apart", "jump"), [(10000, 400), (10001, 0)])
def test_samples_more_than_10_s_apart_are_not_compared(apart: int, jump: int) -> None:
    rig = PackRig(fresh_ms=60000)
    steady(rig)
    rig.frame(current_ma=0, cells=[3700] * 10)
    rig.ms += apart
    rig.frame(current_ma=0, cells=[3700] * 9 + [4100])
    assert rig.value("cell_jump_mv") == jump


# --- switching off, and long times ---------------------------------------------------------------


def test_switching_off_forgets_the_cells() -> None:
    rig = PackRig()
    steady(rig, pack_mv=37000)
    jumps(rig, [3700, 3700])
    before = samples(rig)
    rig.pack.forget()
    rig.round()
    assert [rig.value(slot) for slot in DERIVED] == [None] * len(DERIVED)
    steady(rig, pack_mv=30000)
    assert rig.value("sum_error_mv") is None
    assert jumps(rig, [4100]) == [0]
    assert samples(rig) == before + 1


def test_two_weeks_without_cells_do_not_make_old_ones_new() -> None:
    wrap = 1 << 30
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=[3700] * 10, pack_mv=37000)
    taken = rig.ms
    while rig.ms < taken + wrap + 300:
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms = taken + wrap + 300  # the tick is that of 300 ms later
    rig.repeat(2.4, current_ma=0, pack_mv=30000)
    assert rig.value("highest_mv") is None
    assert rig.value("sum_error_mv") is None
    rig.frame(current_ma=0, cells=[4100] * 10)
    assert rig.value("cell_jump_mv") == 0


def test_two_weeks_without_cells_do_not_hide_new_ones() -> None:
    wrap = 1 << 30
    rig = PackRig()
    rig.frame(cells=TEN)
    for _ in range(wrap // 3_600_000):
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms = wrap - 100
    rig.hear(cells=dict(enumerate(TEN[:5])))
    rig.ms = wrap + 100  # the tick is that of 100 ms after the last sample
    rig.frame(cells=dict(enumerate(TEN[5:], 5)))
    assert samples(rig) == 2


# --- how many cells there are --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "off"),
    [
        ([3700] * 10, 0),
        ([3700] * 11, 1),
        ([3700] * 13, 3),
        ([3700] * 10 + [499], 0),
        ([3700] * 10 + [41, 500], 2),
        ([3700] * 9 + [0], 0),  # one dead group at the end is a dead group
        ([3700] * 8 + [0, 0], 2),
        ([225] * 10, 0),
        ([3700] * 3 + [0, 0] + [3700] * 5, 0),
    ],
)
def test_cells_the_board_reads_are_counted(cells: list[int], off: int) -> None:
    rig = PackRig()
    rig.frame(cells=cells)
    assert rig.value("miscounted_cells") == off


def test_half_a_string_is_not_counted() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.frame(cells=[3700] * 9)
        rig.advance(500)
    assert rig.value("miscounted_cells") is None


@pytest.mark.parametrize(("named", "off"), [(10, 0), (9, 1), (13, 3)])
def test_number_the_board_names_is_believed_first(named: int, off: int) -> None:
    for cells in (9, 10, 13):
        rig = PackRig()
        rig.frame(cells=[3700] * cells, cell_count=named)
        assert rig.value("miscounted_cells") == off


def test_name_is_as_old_as_the_frame_it_came_in() -> None:
    rig = PackRig()
    rig.hear(cell_count=13)
    rig.advance(5000)
    rig.frame(cells=[3700] * 10)
    assert rig.value("miscounted_cells") == 3
    rig.ms += 1
    assert rig.value("miscounted_cells") is None
    rig.frame(cells=[3700] * 10)
    assert rig.value("miscounted_cells") == 0


def test_old_cell_beyond_the_string_is_not_counted() -> None:
    rig = PackRig()
    rig.frame(cells=[3700] * 11)
    rig.advance(600)
    rig.frame(cells=[3700] * 10)
    assert rig.value("miscounted_cells") == 0


def test_string_nobody_has_set_cannot_be_miscounted() -> None:
    rig = PackRig(series=0)
    rig.frame(cells=[3700] * 10, cell_count=13)
    rig.frame(cells=[3700] * 10)
    assert rig.value("miscounted_cells") is None


def test_wrong_count_warns_with_the_third_sample() -> None:
    rig = PackRig()
    for _ in range(2):
        rig.frame(cells=[3700] * 14)
        rig.advance(1000)
    assert rig.told("cell_count") == []
    rig.frame(cells=[3700] * 14)
    assert rig.state("cell_count") == ("set", "warn")
    assert rig.record("cell_count", "value") == 4


# --- exactly -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ma", "told"), [(-4999, None), (-5000, 9), (-8000, 9)])
def test_spread_under_load_is_told_from_5_a_that_last(ma: int, told: int | None) -> None:
    rig = PackRig()
    rig.repeat(1.8, current_ma=ma, cells=TEN)
    assert rig.value("load_spread_mv") is None
    rig.repeat(1, current_ma=ma, cells=TEN)
    assert rig.value("load_spread_mv") == told
    assert rig.where("load_spread_mv") == (1 if told else 0)
    assert rig.value("rest_spread_mv") is None


def test_spread_of_a_charge_is_one_at_rest() -> None:
    rig = PackRig()
    rig.frame(current_ma=-8000, charging_flag=1, cells=TEN)
    assert (rig.value("rest_spread_mv"), rig.where("rest_spread_mv")) == (9, 1)
    assert rig.value("load_spread_mv") is None


def test_cells_that_cannot_be_leave_the_spread_at_rest_as_it_was() -> None:
    rig = PackRig()
    rig.frame(current_ma=2000, charging_flag=1, cells=TEN)
    told = rig.t.count[_slot("rest_spread_mv")]
    rig.advance(200)
    rig.frame(current_ma=2000, charging_flag=1, cells=[0] * 10)
    assert rig.t.count[_slot("rest_spread_mv")] == told
    rig.advance(200)
    rig.frame(current_ma=2000, charging_flag=1, cells=TEN)
    assert rig.t.count[_slot("rest_spread_mv")] == told + 2


def test_number_the_board_names_is_compared_once_cells_come() -> None:
    rig = PackRig()
    rig.frame(cell_count=13)
    assert rig.value("miscounted_cells") is None
    rig.frame(cells=TEN, cell_count=10)
    rig.frame(cell_count=13)
    assert rig.value("miscounted_cells") == 0
    rig.frame(cells=TEN)
    assert (rig.value("miscounted_cells"), rig.where("miscounted_cells")) == (3, 0)


@pytest.mark.parametrize(("series", "last"), [(10, 31), (1, 1)])
def test_input_beyond_the_string_read_later_does_not_spoil_its_moment(
    series: int, last: int
) -> None:
    rig = PackRig(series=series)
    rig.frame(cells=[3700] * (last + 1))
    rig.advance(2000)
    rig.hear(cells=[3700] * series)
    rig.advance(501)
    rig.frame(cells={last: 3700})
    assert samples(rig) == 2
    assert (rig.value("miscounted_cells"), rig.t.groups) == (0, series)


def test_cells_beyond_the_string_are_counted_down_to_one_read_with_it() -> None:
    rig = PackRig()
    rig.frame(cells=[3700] * 13)
    rig.advance(600)
    rig.frame(cells=[3700] * 12)
    assert (rig.value("miscounted_cells"), rig.where("miscounted_cells")) == (2, 0)
    assert rig.t.groups == 10


@pytest.mark.parametrize("start", [1, (1 << 29) + 1, (1 << 30) - 2])
def test_age_of_a_sample_is_exact_wherever_the_clock_stands(start: int) -> None:
    rig = PackRig(start=start)
    rig.frame(cells=TEN)
    rig.ms = 5000
    assert rig.value("highest_mv") == 3709
    rig.ms = 5001
    assert rig.value("highest_mv") is None


@pytest.mark.parametrize("apart", [0, 1, 2])
def test_sum_is_as_old_as_the_pack_where_that_came_first(apart: int) -> None:
    rig = PackRig()
    steady(rig)
    rig.hear(pack_mv=37000)
    heard = rig.ms
    rig.ms += apart
    rig.frame(current_ma=0, cells=[3700] * 10)
    rig.ms = heard + 5000
    assert (rig.value("sum_error_mv"), rig.where("sum_error_mv")) == (0, 0)
    assert (rig.value("sum_error_permille"), rig.where("sum_error_permille")) == (0, 0)
    rig.ms += 1
    assert rig.value("sum_error_mv") is None


@pytest.mark.parametrize(
    ("pack_mv", "error", "permille"), [(999, 1, 2), (1000, 0, 0), (1, 999, 999000)]
)
def test_thousandths_are_rounded_up(pack_mv: int, error: int, permille: int) -> None:
    rig = PackRig(series=2)
    steady(rig)
    rig.frame(current_ma=0, cells=[500, 500], pack_mv=pack_mv)
    assert (rig.value("sum_error_mv"), rig.value("sum_error_permille")) == (error, permille)


def test_jump_is_not_compared_with_a_sample_before_the_current_moved() -> None:
    rig = PackRig()
    steady(rig)
    rig.frame(current_ma=0, cells=TEN)
    rig.frame(current_ma=-1500)
    rig.advance(200)
    rig.frame(current_ma=-1500, cells=TEN)
    rig.repeat(2, current_ma=-1500)
    rig.frame(current_ma=-1500, cells=[*TEN[:9], 4100])
    assert rig.value("cell_jump_mv") == 0

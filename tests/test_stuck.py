"""A cell whose reading stands still while the others move."""

from collections.abc import Iterable

import pytest
from deckwatch.meters.stuck import Stuck
from pack_rig import MeterRig, PackRig

WARN, CLEAR = ("set", "warn"), ("clear", "ok")


def read(rig: PackRig, sets: Iterable[list[int]], ma: int = 0) -> None:
    """Sets of cells, one a second."""
    for cells in sets:
        rig.frame(current_ma=ma, cells=cells)
        rig.advance(1000)


def rising(start: int, end: int, step: int = 5, still: int = 0) -> list[list[int]]:
    """All cells rise but number 6, which rises by `still` in all."""
    return [
        [mv] * 5 + [start + still * (mv - start) // (end - start)] + [mv] * 4
        for mv in range(start, end + 1, step)
    ]


def test_cell_that_stands_still_warns_with_the_fifth_sample() -> None:
    rig = PackRig()
    read(rig, rising(3600, 3645))
    assert (rig.value("stuck_cell_mv"), rig.where("stuck_cell_mv")) == (45, 6)
    assert rig.told("stuck_cell") == []
    read(rig, [[3650] * 5 + [3600] + [3650] * 4])
    assert rig.state("stuck_cell") == WARN
    assert rig.record("stuck_cell", "where") == 6


@pytest.mark.parametrize(("still", "stuck"), [(2, True), (3, False), (-2, True), (-3, False)])
def test_two_millivolts_are_no_movement(still: int, stuck: bool) -> None:
    rig = PackRig()
    read(rig, [[3600] * 10, *[[3640] * 9 + [3600 + still]] * 5])
    assert (rig.state("stuck_cell") == WARN) is stuck


@pytest.mark.parametrize(("moved", "stuck"), [(29, False), (30, True), (-30, True)])
def test_the_others_must_have_moved_by_30_mv(moved: int, stuck: bool) -> None:
    rig = PackRig()
    read(rig, [[3600] * 10, *[[3600 + moved] * 9 + [3600]] * 5])
    assert (rig.state("stuck_cell") == WARN) is stuck


def test_healthy_cells_ride_and_charge_innocently() -> None:
    rig = PackRig()
    for number in range(60):
        sag = number * 7919 % 300
        read(rig, [[3700 - sag - k for k in range(10)]], ma=-sag * 60)
    read(rig, [[3600 + 2 * n] * 10 for n in range(100)], ma=2000)
    assert rig.told("stuck_cell") == []


def test_set_torn_by_a_step_of_the_current_is_innocent() -> None:
    rig = PackRig()
    read(rig, [[3700] * 10] * 3)
    read(rig, [[3700] * 4 + [3500] * 6])
    read(rig, [[3700] * 10] * 8)
    assert rig.told("stuck_cell") == []


def test_cell_that_wakes_up_clears() -> None:
    rig = PackRig()
    read(rig, rising(3600, 3660))
    assert rig.state("stuck_cell") == WARN
    read(rig, [[3665] * 10] * 7)
    assert rig.state("stuck_cell") == CLEAR


def test_lfp_needs_a_step_of_the_current() -> None:
    for ma, stuck in ((2999, False), (3000, True)):
        rig = PackRig(chemistry="lfp", series=10)
        read(rig, [[3330] * 10])
        read(rig, [[3370] * 9 + [3331]] * 6, ma=ma)
        assert (rig.state("stuck_cell") == WARN) is stuck
    rig = PackRig(chemistry="lfp", series=10)
    for mv in (3330, 3370, 3370, 3370, 3370, 3370, 3370):
        rig.frame(cells=[mv] * 9 + [3330])
        rig.advance(1000)
    assert rig.told("stuck_cell") == []


@pytest.mark.parametrize(("gap_ms", "moved"), [(10_000, 40), (10_001, 0)])
def test_sets_far_apart_are_not_compared(gap_ms: int, moved: int) -> None:
    rig = PackRig()
    rig.frame(cells=[3600] * 10)
    rig.ms += gap_ms
    rig.frame(cells=[3640] * 9 + [3600])
    assert rig.value("stuck_cell_mv") == moved


def test_set_is_kept_for_half_an_hour() -> None:
    rig = PackRig()
    read(rig, [[3600] * 9 + [3600]] * 1790)
    read(rig, [[3640] * 9 + [3600]] * 11)
    assert rig.value("stuck_cell_mv") == 40
    read(rig, [[3640] * 9 + [3600]])
    assert rig.value("stuck_cell_mv") == 0


def test_impossible_readings_are_not_compared() -> None:
    rig = PackRig()
    read(rig, [[3600] * 10, *[[3640] * 8 + [3600, 0]] * 6])
    assert rig.value("stuck_cell_mv") is None or rig.told("stuck_cell") == []
    assert rig.told("stuck_cell") == []


def test_another_number_of_cells_begins_anew() -> None:
    rig = PackRig(series=0)
    read(rig, [[3600] * 10])
    read(rig, [[3640] * 11 + [3600]])
    assert rig.value("stuck_cell_mv") == 0


def test_switching_off_begins_anew() -> None:
    rig = PackRig()
    read(rig, [[3600] * 10])
    rig.pack.forget()
    read(rig, [[3640] * 9 + [3600]])
    assert rig.value("stuck_cell_mv") == 0


def test_set_of_weeks_ago_is_not_compared_after_the_wrap() -> None:
    wrap = 1 << 30
    rig = PackRig()
    rig.frame(cells=[3600] * 10)
    for _ in range(wrap // 3_600_000):
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms = wrap + 500
    rig.frame(cells=[3640] * 9 + [3600])
    assert rig.value("stuck_cell_mv") == 0


# --- exactly, the meter alone --------------------------------------------------------------------


def alone(full_mv: int = 4200, groups: int = 5, start: int = 0) -> MeterRig:
    rig = MeterRig(Stuck(0, full_mv), start)
    rig.t.groups = groups
    return rig


def look(rig: MeterRig, after: int, cells: list[int], **told: int) -> tuple[int | None, int]:
    """What is told of the next set: by how much the others moved, and who did not."""
    rig.tell(after, cells=cells, **{"highest_mv": max(cells), "wild_cells": 0} | told)
    return rig.value("stuck_cell_mv"), rig.where("stuck_cell_mv")


def but(cell: int, mv: int, others: int = 3700) -> list[int]:
    return [mv if number == cell else others for number in range(1, 6)]


@pytest.mark.parametrize(("mv", "told"), [(3702, (40, 4)), (3698, (40, 4)), (3703, (0, 0))])
def test_set_is_kept_until_each_group_has_moved_by_3_mv(mv: int, told: tuple[int, int]) -> None:
    rig = alone()
    assert look(rig, 0, but(4, 3700)) == (0, 1)  # the set that is kept, against itself
    assert look(rig, 1000, but(4, mv, 3740)) == told
    assert look(rig, 1000, but(4, mv, 3660)) == (40 if told[1] else 80, 4)


def test_first_of_two_that_stand_still_is_named() -> None:
    rig = alone()
    look(rig, 0, [3700] * 5)
    assert look(rig, 1000, [3740, 3700, 3740, 3700, 3740]) == (40, 2)


@pytest.mark.parametrize(("gap_ms", "told"), [(10_000, (40, 4)), (10_001, (0, 1))])
def test_sets_further_apart_than_10_s_are_not_compared(gap_ms: int, told: tuple[int, int]) -> None:
    rig = alone()
    look(rig, 0, but(4, 3700))
    look(rig, 5000, but(4, 3700, 3720))
    assert look(rig, gap_ms, but(4, 3700, 3740)) == told


@pytest.mark.parametrize(("last_ms", "told"), [(0, (40, 4)), (1, (0, 1))])
def test_a_set_is_kept_for_half_an_hour(last_ms: int, told: tuple[int, int]) -> None:
    rig = alone(start=5000)
    look(rig, 0, but(4, 3700))
    for _ in range(200):
        look(rig, 8_995, but(4, 3700, 3720))
    assert look(rig, 1000 + last_ms, but(4, 3700, 3740)) == told


def test_a_single_group_is_kept_too() -> None:
    assert look(alone(groups=1), 0, [3700]) == (0, 1)


def test_another_number_of_groups_begins_anew() -> None:
    rig = alone()
    look(rig, 0, but(4, 3700))
    rig.t.groups = 4
    assert look(rig, 1000, but(4, 3700, 3740)) == (0, 1)
    assert look(rig, 1000, but(4, 3700, 3760)) == (20, 4)


def test_sets_with_a_wild_cell_and_old_ones_are_passed_over() -> None:
    rig = alone()
    look(rig, 0, but(4, 3700))
    assert look(rig, 1000, but(4, 3700, 3740), wild_cells=1) == (0, 1)
    rig.tell(1000, cells=but(4, 3700, 3740))  # no set is told to be complete
    assert rig.value("stuck_cell_mv") == 0
    assert rig.count("stuck_cell_mv") == 1


@pytest.mark.parametrize(
    ("full_mv", "from_ma", "to_ma", "moved"),
    [
        (3999, 0, 2999, 0),
        (3999, 0, 3000, 40),
        (3999, 0, -3000, 40),
        (3999, -5000, -2001, 0),
        (3999, -5000, -2000, 40),
        (4000, 0, 0, 40),
    ],
)
def test_lfp_moves_with_a_step_of_3_a_alone(
    full_mv: int, from_ma: int, to_ma: int, moved: int
) -> None:
    rig = alone(full_mv)
    look(rig, 0, but(4, 3300, 3300), current_ma=from_ma)
    assert look(rig, 1000, but(4, 3300, 3340), current_ma=to_ma) == (moved, 4)


def test_lfp_needs_a_current_that_is_known() -> None:
    rig = alone(3650)
    look(rig, 0, but(4, 3300, 3300), current_ma=0)
    rig.tell(1000, current_ma=9000)
    assert look(rig, 5_001, but(4, 3300, 3340)) == (0, 4)


def test_switched_off_it_keeps_no_set() -> None:
    rig = alone()
    look(rig, 0, but(4, 3700))
    rig.forget()
    rig.t.groups = 5
    assert look(rig, 1000, but(4, 3700, 3740)) == (0, 1)


def test_a_fortnight_does_not_make_a_set_young() -> None:
    rig = alone()
    look(rig, 0, but(4, 3700))
    for _ in range((1 << 30) // 3_600_000):
        rig.now += 3_600_000
        rig.saturate()
    rig.now = 0  # the tick of the first set
    assert look(rig, 1000, but(4, 3700, 3740)) == (0, 1)

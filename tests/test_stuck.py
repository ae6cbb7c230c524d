"""A cell whose reading stands still while the others move."""

from collections.abc import Iterable

import pytest
from pack_rig import PackRig

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

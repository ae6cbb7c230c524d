"""What a pack does while nobody looks, against the pack model: loss a day, short by 2.5 % of the
charge over the span at most and never overstated; a group's fall, short by 2 mV over the span and
1 mV a day at most; storage and settling."""

from random import Random
from typing import Any

import pytest
from deckwatch.memory import EPOCH_S, SIZE, Memory
from pack_rig import PackRig
from packlab.made.chemistry import LFP
from packlab.made.pack import MAMS_PER_MAH, Pack
from packlab.made.spec import PackSpec

CALM = ("clear", "ok")
INFO, WARN = ("set", "info"), ("set", "warn")
NOON = 1_795_000_000 - EPOCH_S  # on the memory's line of time
DAY_S = 86_400
LEVEL = [3800] * 10


def rig_with(memory: bytes = b"", clock_s: int = NOON, **options: Any) -> PackRig:
    """A dongle that starts: with what it remembers, and the time of day unless that is 0."""
    rig = PackRig(**{"dongle_ua": 0, **options})
    if memory:
        assert rig.pack.memory.read(memory)
    if clock_s:
        rig.pack.memory.shift(clock_s - rig.pack.memory.now_s)
    return rig


def stand(rig: PackRig, seconds: int, cells: list[int] | None = None, **frame: Any) -> None:
    """Standing for a while, a frame each second; time of day goes on."""
    if cells:
        frame.setdefault("pack_mv", sum(cells))
    for _ in range(seconds):
        rig.frame(**{"current_ma": -30, "cells": cells} | frame)
        rig.ms += 1000
        rig.pack.memory.now_s += 1


def stored(rig: PackRig) -> bytes:
    buf = bytearray(SIZE)
    rig.pack.memory.write(buf)
    return bytes(buf)


def after_rest(cells: list[int] = LEVEL, **frame: Any) -> bytes:
    """What is stored after a ride and a minute of rest at noon."""
    rig = rig_with()
    stand(rig, 3, cells, current_ma=-8000)
    stand(rig, 60, cells)  # rest takes a minute
    assert rig.pack.memory.rest_s == 0
    stand(rig, 3, cells, **frame)
    return stored(rig)


# --- what is kept --------------------------------------------------------------------------------


def test_rest_is_kept_after_a_minute() -> None:
    memory = Memory()
    memory.read(after_rest([3800] * 9 + [3790], temps=[210, 190]))
    assert (memory.rest_mv, memory.rest_permille) == (37_990, 576)
    assert memory.rest_dc == 190 + 1000
    assert list(memory.cell_mv[:10]) == [3800] * 9 + [3790]
    assert memory.cells == 10
    assert NOON + 60 < memory.rest_s <= NOON + 70


def test_rest_without_cells_and_probes_says_so() -> None:
    rig = rig_with()
    stand(rig, 70, pack_mv=38_000)
    memory = rig.pack.memory
    assert (memory.rest_mv, memory.cells, memory.rest_dc, memory.due) == (38_000, 0, 0, 1)


def test_later_cells_belong_to_the_rest_and_earlier_ones_do_not() -> None:
    rig = rig_with(after_rest())
    stand(rig, 3, current_ma=-8000, pack_mv=37_000)
    stand(rig, 70, pack_mv=37_500)
    assert rig.pack.memory.cells == 0
    stand(rig, 2, [3750] * 10)
    assert rig.pack.memory.cells == 10


def test_groups_of_an_older_rest_are_not_kept_with_a_newer_one() -> None:
    rig = rig_with(after_rest(), NOON + DAY_S)
    memory = rig.pack.memory
    assert (memory.rest_mv, memory.cells) == (38_000, 10)
    stand(rig, 3, pack_mv=37_000, current_ma=-8000)
    for _ in range(70):
        stand(rig, 1, pack_mv=37_000)
        assert (memory.rest_mv, memory.cells) in ((38_000, 10), (37_000, 0))
    assert memory.rest_mv == 37_000


def test_cells_that_are_being_bled_are_not_kept() -> None:
    for slot in ("balance_a", "balance_b"):
        rig = rig_with()
        stand(rig, 70, LEVEL, **{slot: 4})
        assert (rig.pack.memory.rest_mv, rig.pack.memory.cells) == (38_000, 0)
        rig = rig_with()
        stand(rig, 70, LEVEL, **{slot: 0})
        assert rig.pack.memory.cells == 10


def test_rest_is_stored_again_when_it_has_moved_and_when_the_scooter_goes_off() -> None:
    rig = rig_with()
    stand(rig, 3, current_ma=-8000, pack_mv=37_000)
    memory = rig.pack.memory
    for mv, due in ((38_000, 1), (38_019, 0), (38_020, 1), (38_001, 0), (38_000, 1)):
        stand(rig, 70, pack_mv=mv)
        assert (memory.due, memory.rest_mv) == (due, mv)
        memory.due = 0
    rig.pack.forget()
    assert memory.due == 1


def test_nothing_new_to_store_when_the_scooter_goes_off_without_a_rest() -> None:
    rig = rig_with()
    stand(rig, 10, pack_mv=38_000)
    rig.pack.forget()
    assert rig.pack.memory.due == 0


def test_an_untouched_pack_keeps_its_older_rest() -> None:
    rig = rig_with(after_rest(), NOON + DAY_S)
    stand(rig, 100, [3790] * 10)
    assert rig.pack.memory.rest_mv == 38_000
    rig.pack.forget()
    stand(rig, 100, [3780] * 10)
    assert rig.pack.memory.rest_mv == 38_000


def test_rest_of_an_unknown_time_is_replaced() -> None:
    first = rig_with(clock_s=0)
    stand(first, 70, LEVEL)
    rig = rig_with(stored(first))
    stand(rig, 70, [3790] * 10)
    assert rig.pack.memory.rest_mv == 37_900


def test_after_a_charge_an_hour_of_rest_is_needed() -> None:
    rig = rig_with()
    stand(rig, 10, pack_mv=41_000, current_ma=2000, charging_flag=1)
    memory = rig.pack.memory
    stand(rig, 3600, pack_mv=40_800, charging_flag=0, current_ma=0)
    assert memory.rest_s == 0
    stand(rig, 3, pack_mv=40_800, charging_flag=0, current_ma=0)
    assert memory.rest_mv == 40_800
    assert memory.rest_s == memory.now_s - 1


def test_a_ride_after_the_charge_settles_it() -> None:
    rig = rig_with()
    stand(rig, 10, pack_mv=41_000, current_ma=2000, charging_flag=1)
    stand(rig, 10, pack_mv=40_000, current_ma=-8000, charging_flag=0)
    stand(rig, 70, pack_mv=40_400, charging_flag=0)
    assert rig.pack.memory.rest_mv == 40_400


# --- self_discharge ------------------------------------------------------------------------------


def leave(pack: Pack, days: int, ppm: int, group: int = 0, leak_ma: int = 0) -> None:
    """The pack stands, as Pack.advance would have it in many small steps."""
    for number, each in enumerate(pack.groups, 1):
        gone_mah = each.capacity_mah * ppm * days / 1_000_000
        gone_mah += 24 * days * leak_ma if number == group else 0
        each.charge_mams -= round(gone_mah * MAMS_PER_MAH)
    pack.advance(1, 200)


@pytest.mark.parametrize("days", [1, 3, 7, 30])
@pytest.mark.parametrize("leak_ppm", [1000, 6000, 10_000, 25_000])
def test_loss_a_day_against_the_model(days: int, leak_ppm: int) -> None:
    """What leaks is never overstated, and understated by 2.5 % of the charge over the whole span
    at most."""
    pack = PackSpec().build(Random(3), 900, 200)
    before = after_rest(pack.cells_mv)
    leave(pack, days, leak_ppm)
    rig = rig_with(before, NOON + days * DAY_S + 70)
    stand(rig, 4, pack.cells_mv)
    told = rig.value("loss_permille")
    assert told is not None
    assert leak_ppm / 1000 - 25 / days - 1 <= told <= leak_ppm / 1000 + 1
    assert rig.state("self_discharge") == (INFO if told > 10 else CALM)


def test_dongles_own_draw_is_taken_off() -> None:
    before = after_rest([3910] * 10)
    for dongle_ua, wanted in ((0, 8), (1300, 4), (3400, 0)):
        rig = rig_with(before, NOON + 10 * DAY_S, dongle_ua=dongle_ua)
        stand(rig, 3, [3820] * 10)
        assert rig.value("loss_permille") == wanted
    rig = rig_with(before, NOON + 10 * DAY_S, dongle_ua=1300, design_mah=0)
    stand(rig, 3, [3820] * 10)
    assert rig.value("loss_permille") == 2


def test_first_day_says_nothing_yet() -> None:
    before = after_rest()
    for span_s, found in ((DAY_S - 5, False), (DAY_S + 70, True)):
        rig = rig_with(before, NOON + span_s)
        stand(rig, 3, [3600] * 10)
        assert bool(rig.value("loss_permille")) is found


def test_charge_in_between_is_no_loss() -> None:
    rig = rig_with(after_rest(), NOON + 10 * DAY_S)
    stand(rig, 5, [4100] * 10)
    assert rig.value("loss_permille") == 0


def test_loss_is_over_once_the_pack_rides_or_charges() -> None:
    for use in ({"current_ma": -8000}, {"current_ma": 2000, "charging_flag": 1}):
        rig = rig_with(after_rest(), NOON + 3 * DAY_S)
        stand(rig, 5, [3600] * 10)
        assert rig.state("self_discharge") == INFO
        stand(rig, 12, [3600] * 10, **use)
        assert rig.state("self_discharge") == CALM


def test_loss_is_not_watched_without_the_time_of_day() -> None:
    rig = rig_with(after_rest(), clock_s=0)
    stand(rig, 100, [3600] * 10)
    assert rig.value("loss_permille") is None
    assert rig.record("self_discharge", "watched") == 0
    rig.pack.memory.shift(NOON + 3 * DAY_S)
    stand(rig, 3, [3600] * 10)
    assert rig.state("self_discharge") == INFO


def test_supply_that_never_went_needs_no_time_of_day() -> None:
    rig = rig_with(clock_s=0)
    stand(rig, 3, LEVEL, current_ma=-8000)
    stand(rig, 70, LEVEL)
    rig.pack.forget()
    rig.pack.memory.now_s += 3 * DAY_S
    stand(rig, 3, [3600] * 10)
    assert rig.state("self_discharge") == INFO


def test_only_idle_readings_are_compared() -> None:
    for frame in ({"current_ma": 500}, {"current_ma": -500}):
        rig = rig_with(after_rest(), NOON + 3 * DAY_S)
        stand(rig, 5, [3600] * 10, **frame)
        assert rig.value("loss_permille") == 0
    rig = rig_with(after_rest(), NOON + 3 * DAY_S)
    rig.frame(pack_mv=36_000)
    assert rig.value("loss_permille") is None
    rig.frame(current_ma=0, pack_mv=36_000)
    assert rig.value("loss_permille") == 0  # one sample of current


def test_cells_in_series_may_come_from_the_board() -> None:
    rig = rig_with(after_rest(), NOON + 3 * DAY_S, series=0)
    stand(rig, 5, pack_mv=36_000)
    assert rig.value("loss_permille") is None
    stand(rig, 5, [3600] * 10)
    assert (rig.value("loss_permille") or 0) > 80


def test_lfp_pack_that_stands_still_loses_nothing() -> None:
    spec = PackSpec(series=16, chemistry=LFP, capacity_mah=20_000)
    pack = spec.build(Random(5), 600, 200)
    options: dict[str, Any] = {"chemistry": "lfp", "series": 16}
    rig = rig_with(**options)
    stand(rig, 3, pack.cells_mv, current_ma=-8000)
    stand(rig, 70, pack.cells_mv)
    leave(pack, 1, 1000)
    rig = rig_with(stored(rig), NOON + DAY_S + 80, **options)
    stand(rig, 5, pack.cells_mv)
    assert rig.value("loss_permille") == 0


# --- a group that falls faster -------------------------------------------------------------------


@pytest.mark.parametrize(("leak_ma", "days"), [(0, 7), (4, 1), (4, 7), (8, 4)])
def test_a_leaking_group_against_the_model(leak_ma: int, days: int) -> None:
    pack = PackSpec().build(Random(3), 700, 200)
    before_mv = pack.cells_mv
    before = after_rest(before_mv)
    leave(pack, days, 1000, 4, leak_ma)
    rig = rig_with(before, NOON + days * DAY_S + 70)
    stand(rig, 4, pack.cells_mv)
    falls = sorted(a - b for a, b in zip(before_mv, pack.cells_mv, strict=True))
    real = (falls[-1] - falls[4]) / days
    told = rig.value("group_fall_mv")
    assert told is not None
    assert real - 2 / days - 1 <= told <= real + 0.5
    assert rig.where("group_fall_mv") == (4 if leak_ma else 0)
    assert rig.state("self_discharge") == (WARN if told >= 5 else CALM)


@pytest.mark.parametrize(
    ("lowest_mv", "told", "cell"), [(3790, 0, 0), (3788, 0, 0), (3787, 1, 10), (3783, 5, 10)]
)
def test_the_fall_counts_beyond_the_median_and_2_mv(lowest_mv: int, told: int, cell: int) -> None:
    rig = rig_with(after_rest(), NOON + DAY_S + 66)
    stand(rig, 3, [3790] * 9 + [lowest_mv])
    assert (rig.value("group_fall_mv"), rig.where("group_fall_mv")) == (told, cell)
    assert rig.state("self_discharge") == (WARN if told >= 5 else CALM)


def test_groups_are_compared_only_with_all_of_them_then_and_now() -> None:
    without = rig_with()
    stand(without, 3, pack_mv=38_000, current_ma=-8000)
    stand(without, 70, pack_mv=38_000)
    rig = rig_with(stored(without), NOON + 3 * DAY_S)
    stand(rig, 3, [3790] * 9 + [3600])
    assert rig.value("group_fall_mv") == 0
    rig = rig_with(after_rest(), NOON + 3 * DAY_S)
    stand(rig, 3, pack_mv=38_000)
    assert rig.value("group_fall_mv") is None
    assert rig.value("loss_permille") == 0


# --- storage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell_mv", "limit"), [(3901, 3900), (3900, 0), (3600, 0), (3599, 3600)])
def test_stored_too_full_or_too_empty(cell_mv: int, limit: int) -> None:
    rig = rig_with(after_rest(), NOON + 7 * DAY_S + 70)
    stand(rig, 3, [cell_mv] * 10)
    assert rig.state("storage") == (INFO if limit else CALM)
    assert rig.record("storage", "limit") == limit


def test_stored_below_freezing() -> None:
    rig = rig_with(after_rest(), NOON + 7 * DAY_S + 70)
    stand(rig, 3, LEVEL, temps=[10, -1])
    assert rig.state("storage") == INFO
    assert rig.record("storage", "where") == 2
    stand(rig, 8, LEVEL, temps=[30, 20])
    assert rig.state("storage") == CALM


def test_a_week_less_a_moment_is_no_storage() -> None:
    rig = rig_with(after_rest(), NOON + 7 * DAY_S)
    stand(rig, 30, [4100] * 10)
    assert (rig.value("stored"), rig.told("storage")) == (0, [])


def test_storage_is_over_once_the_pack_is_used_and_stays_what_it_was_until_then() -> None:
    rig = rig_with(after_rest(), NOON + 30 * DAY_S)
    stand(rig, 3, [3950] * 10)
    stand(rig, 60, [3890] * 10, current_ma=-600)
    assert rig.value("parked_cell_mv") == 3950
    assert rig.state("storage") == INFO
    stand(rig, 12, [3800] * 10, current_ma=-8000)
    assert rig.state("storage") == CALM


def test_lfp_is_stored_at_other_voltages() -> None:
    options: dict[str, Any] = {"chemistry": "lfp", "series": 16}
    first = rig_with(**options)
    stand(first, 70, [3300] * 16)
    for cell_mv, state in ((3401, INFO), (3400, CALM), (3200, CALM), (3199, INFO)):
        rig = rig_with(stored(first), NOON + 9 * DAY_S, **options)
        stand(rig, 3, [cell_mv] * 16)
        assert rig.state("storage") == state


# --- settle --------------------------------------------------------------------------------------


def charged(**options: Any) -> PackRig:
    """Just off the charger at 42 V."""
    rig = rig_with(**options)
    stand(rig, 5, pack_mv=42_200, current_ma=2000, charging_flag=1)
    stand(rig, 3, pack_mv=42_000, current_ma=0, charging_flag=0)
    assert rig.value("settle_mv") == 0
    return rig


@pytest.mark.parametrize(("mv", "state"), [(41_200, CALM), (41_190, INFO)])
def test_fall_within_an_hour_of_the_charge(mv: int, state: tuple[str, str]) -> None:
    rig = charged()
    stand(rig, 3, pack_mv=mv, current_ma=0, charging_flag=0)
    assert rig.state("settle") == state
    stand(rig, 8, pack_mv=41_400, current_ma=0, charging_flag=0)
    assert rig.state("settle") == CALM


def test_fall_after_an_hour_is_none_but_what_was_found_stays() -> None:
    rig = charged()
    stand(rig, 3500, pack_mv=41_500, current_ma=0, charging_flag=0)
    assert rig.value("settle_mv") == 500
    stand(rig, 200, pack_mv=40_000, current_ma=0, charging_flag=0)
    assert (rig.value("settle_mv") or 0) >= 1500
    rig = charged()
    stand(rig, 3602, pack_mv=41_500, current_ma=0, charging_flag=0)
    stand(rig, 20, pack_mv=40_000, current_ma=0, charging_flag=0)
    assert rig.value("settle_mv") == 500


def test_load_and_ride_are_no_settling() -> None:
    rig = charged()
    stand(rig, 10, pack_mv=40_000, current_ma=-600, charging_flag=0)
    assert rig.value("settle_mv") == 0
    stand(rig, 10, pack_mv=40_000, current_ma=-8000, charging_flag=0)
    stand(rig, 70, pack_mv=40_000, current_ma=0, charging_flag=0)
    assert (rig.value("settle_mv"), rig.told("settle")) == (0, [])


def test_settling_goes_on_over_a_power_off() -> None:
    rig = rig_with(stored(charged()), NOON + 1800)
    stand(rig, 4, pack_mv=41_000, current_ma=0)
    assert rig.state("settle") == INFO
    rig = rig_with(stored(charged()), NOON + 4000)
    stand(rig, 4, pack_mv=41_000, current_ma=0)
    assert rig.value("settle_mv") == 0
    rig = rig_with(stored(charged()), clock_s=0)
    stand(rig, 4, pack_mv=41_000, current_ma=0)
    assert rig.value("settle_mv") == 0


def test_next_charge_ends_what_was_found() -> None:
    rig = charged()
    stand(rig, 3, pack_mv=41_000, current_ma=0, charging_flag=0)
    assert rig.state("settle") == INFO
    stand(rig, 10, pack_mv=41_000, current_ma=300, charging_flag=1)
    assert rig.state("settle") == CALM

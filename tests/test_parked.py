"""What a pack does while nobody looks, against the pack model: loss a day, short by 2.5 % of the
charge over the span at most and never overstated; a group's fall, short by 2 mV over the span and
1 mV a day at most; storage and settling."""

from random import Random
from typing import Any

import pytest
from deckwatch import config
from deckwatch.memory import (
    CHARGE_MV,
    CHARGE_S,
    EPOCH_S,
    REST_DC,
    REST_MV,
    REST_PERMILLE,
    REST_S,
    SIZE,
    Memory,
)
from deckwatch.meters.parked import Parked
from pack_rig import MeterRig, PackRig
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
    assert rig.pack.memory.kept[REST_S] == 0
    stand(rig, 3, cells, **frame)
    return stored(rig)


# --- what is kept --------------------------------------------------------------------------------


def test_rest_is_kept_after_a_minute() -> None:
    memory = Memory()
    memory.read(after_rest([3800] * 9 + [3790], temps=[210, 190]))
    assert (memory.kept[REST_MV], memory.kept[REST_PERMILLE]) == (37_990, 576)
    assert memory.kept[REST_DC] == 190 + 1000
    assert list(memory.cell_mv[:10]) == [3800] * 9 + [3790]
    assert memory.cells == 10
    assert NOON + 60 < memory.kept[REST_S] <= NOON + 70


def test_rest_without_cells_and_probes_says_so() -> None:
    rig = rig_with()
    stand(rig, 70, pack_mv=38_000)
    memory = rig.pack.memory
    assert (memory.kept[REST_MV], memory.cells, memory.kept[REST_DC], memory.due) == (
        38_000,
        0,
        0,
        1,
    )


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
    assert (memory.kept[REST_MV], memory.cells) == (38_000, 10)
    stand(rig, 3, pack_mv=37_000, current_ma=-8000)
    for _ in range(70):
        stand(rig, 1, pack_mv=37_000)
        assert (memory.kept[REST_MV], memory.cells) in ((38_000, 10), (37_000, 0))
    assert memory.kept[REST_MV] == 37_000


def test_cells_that_are_being_bled_are_not_kept() -> None:
    for slot in ("balance_a", "balance_b"):
        rig = rig_with()
        stand(rig, 70, LEVEL, **{slot: 4})
        assert (rig.pack.memory.kept[REST_MV], rig.pack.memory.cells) == (38_000, 0)
        rig = rig_with()
        stand(rig, 70, LEVEL, **{slot: 0})
        assert rig.pack.memory.cells == 10


def test_rest_is_stored_again_when_it_has_moved_and_when_the_scooter_goes_off() -> None:
    rig = rig_with()
    stand(rig, 3, current_ma=-8000, pack_mv=37_000)
    memory = rig.pack.memory
    for mv, due in ((38_000, 1), (38_019, 0), (38_020, 1), (38_001, 0), (38_000, 1)):
        stand(rig, 70, pack_mv=mv)
        assert (memory.due, memory.kept[REST_MV]) == (due, mv)
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
    assert rig.pack.memory.kept[REST_MV] == 38_000
    rig.pack.forget()
    stand(rig, 100, [3780] * 10)
    assert rig.pack.memory.kept[REST_MV] == 38_000


def test_rest_of_an_unknown_time_is_replaced() -> None:
    first = rig_with(clock_s=0)
    stand(first, 70, LEVEL)
    rig = rig_with(stored(first))
    stand(rig, 70, [3790] * 10)
    assert rig.pack.memory.kept[REST_MV] == 37_900


def test_after_a_charge_an_hour_of_rest_is_needed() -> None:
    rig = rig_with()
    stand(rig, 10, pack_mv=41_000, current_ma=2000, charging_flag=1)
    memory = rig.pack.memory
    stand(rig, 3600, pack_mv=40_800, charging_flag=0, current_ma=0)
    assert memory.kept[REST_S] == 0
    stand(rig, 3, pack_mv=40_800, charging_flag=0, current_ma=0)
    assert memory.kept[REST_MV] == 40_800
    assert memory.kept[REST_S] == memory.now_s - 1


def test_a_ride_after_the_charge_settles_it() -> None:
    rig = rig_with()
    stand(rig, 10, pack_mv=41_000, current_ma=2000, charging_flag=1)
    stand(rig, 10, pack_mv=40_000, current_ma=-8000, charging_flag=0)
    stand(rig, 70, pack_mv=40_400, charging_flag=0)
    assert rig.pack.memory.kept[REST_MV] == 40_400


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


# --- exactly, the meter alone --------------------------------------------------------------------

IDLE = {"current_ma": 0}


def alone(ago_s: int = 0, cells: list[int] | None = None, **options: Any) -> MeterRig:
    """A dongle that starts so long after a rest with these cells; without a rest if 0."""
    memory = Memory()
    memory.now_s = NOON
    if ago_s:
        cells = cells or [3830] * 10
        memory.kept[REST_S] = NOON - ago_s
        memory.kept[REST_MV] = sum(cells)
        memory.cells = len(cells)
        for cell, mv in enumerate(cells):
            memory.cell_mv[cell] = mv
    given = config.load({"profile": "m365", "dongle_ua": 0, "design_mah": 10_000, **options})
    rig = MeterRig(Parked(given, memory))
    rig.t.series = given.series
    rig.memory = memory
    return rig


def start(rig: MeterRig, *packs: int, **told: Any) -> None:
    """Readings of a pack, 1 s apart on the dongle's clock; the time of day stands."""
    for pack_mv in packs:
        rig.tell(1000, pack_mv=pack_mv, **IDLE | told)


@pytest.mark.parametrize(
    ("ago_s", "pack_mv", "loss"),
    [
        (DAY_S - 1, 37_200, 0),
        (DAY_S, 37_200, 100),  # 3820 mV are 600 thousandths and 3730 mV 500: 10 mV off each
        (DAY_S, 37_209, 100),
        (DAY_S, 37_190, 102),
        (DAY_S, 38_200, 0),
        (10 * DAY_S, 37_200, 10),
        (909_473, 37_200, 10),  # 9.50001 a day
        (909_474, 37_200, 9),
        (2 * DAY_S, 37_200, 50),
    ],
)
def test_loss_a_day_is_to_the_nearest(ago_s: int, pack_mv: int, loss: int) -> None:
    rig = alone(ago_s)
    start(rig, pack_mv)
    assert (rig.value("loss_permille"), rig.where("loss_permille")) == (
        0,
        0,
    )  # one is not idle yet
    start(rig, pack_mv)
    assert (rig.value("loss_permille"), rig.where("loss_permille")) == (loss, 0)
    assert rig.count("loss_permille") == 2


@pytest.mark.parametrize(
    ("options", "loss"),
    [
        ({"dongle_ua": 0}, 50),
        ({"dongle_ua": 1000}, 48),  # 24 mAh of 10 Ah
        ({"dongle_ua": 50_000}, 0),
        ({"dongle_ua": 1000, "design_mah": 12_001}, 49),
        ({"dongle_ua": 1000, "design_mah": 12_000}, 48),
        ({"dongle_ua": 1000, "design_mah": 0}, 46),  # 5 Ah are taken
        ({"dongle_ua": 208, "design_mah": 0}, 50),
        ({"dongle_ua": 209, "design_mah": 0}, 49),
        ({"dongle_ua": 625, "design_mah": 0}, 47),
        ({"dongle_ua": 2083, "design_mah": 0}, 41),
        ({"dongle_ua": 12_500, "design_mah": 0}, 0),
    ],
)
def test_own_draw_is_taken_off_in_thousandths_of_the_capacity(
    options: dict[str, int], loss: int
) -> None:
    rig = alone(2 * DAY_S, **options)
    start(rig, 37_200, 37_200)
    assert rig.value("loss_permille") == loss


@pytest.mark.parametrize(
    ("ago_s", "stored"), [(604_799, 0), (604_800, 1), (604_801, 1), (DAY_S, 0)]
)
def test_storage_is_a_week_to_the_second(ago_s: int, stored: int) -> None:
    rig = alone(ago_s)
    start(rig, 37_209)
    assert (rig.value("stored"), rig.value("parked_cell_mv")) == (stored, 0)
    start(rig, 37_209, 36_000)
    assert (rig.value("stored"), rig.where("stored")) == (stored, 0)
    assert (rig.value("parked_cell_mv"), rig.where("parked_cell_mv")) == (3720, 0)


def test_rest_that_ended_in_this_very_second_is_one() -> None:
    rig = alone(60)
    rig.memory.kept[REST_S] = NOON
    start(rig, 37_209, 37_209)
    assert (rig.value("stored"), rig.value("parked_cell_mv")) == (0, 3720)


def test_mean_cell_is_told_within_a_day_too_and_once() -> None:
    rig = alone(60)
    start(rig, 37_209, 37_209, 36_000)
    assert rig.value("parked_cell_mv") == 3720


@pytest.mark.parametrize(
    ("before", "now", "ago_s", "fall", "cell"),
    [
        ([3830] * 10, [3800] * 9 + [3750], DAY_S, 48, 10),
        ([3830] * 10, [3798] + [3800] * 9, DAY_S, 0, 0),  # 2 mV are what the readings may be off
        ([3830] * 10, [3797] + [3800] * 9, DAY_S, 1, 1),
        ([3830] * 10, [3750, 3750] + [3800] * 8, DAY_S, 48, 1),
        ([3830] * 10, [3760, 3750] + [3800] * 8, DAY_S, 48, 2),
        ([3830] * 9 + [3780], [3800] * 9 + [3750], DAY_S, 0, 0),
        ([3830] * 10, [3800] * 9 + [3745], 2 * DAY_S, 27, 10),  # 26.5
        ([3830] * 10, [3800] * 9 + [3745], DAY_S - 1, 0, 0),
    ],
)
def test_fall_of_a_group_to_the_millivolt(
    before: list[int], now: list[int], ago_s: int, fall: int, cell: int
) -> None:
    rig = alone(ago_s, before)
    start(rig, sum(now))
    start(rig, sum(now), cells=now, highest_mv=max(now))
    assert (rig.value("group_fall_mv"), rig.where("group_fall_mv")) == (fall, cell)


def test_groups_need_all_cells_fresh_then_and_now() -> None:
    now = [3800] * 9 + [3700]
    for cells, groups in ((now[:9], 10), (now, 9)):
        rig = alone(DAY_S)
        rig.memory.cells = groups
        start(rig, 37_900)
        start(rig, 37_900, cells=cells, highest_mv=3800)
        assert rig.value("group_fall_mv") == 0
    rig = alone(DAY_S)
    start(rig, 37_900, cells=[*now, 3000], highest_mv=3800)
    start(rig, 37_900)
    assert (rig.value("group_fall_mv"), rig.where("group_fall_mv")) == (98, 10)
    rig = alone(DAY_S)
    rig.tell(cells=now, highest_mv=3800)
    rig.tell(5001)
    start(rig, 37_900, 37_900)
    assert rig.value("group_fall_mv") is None


@pytest.mark.parametrize(
    ("since_s", "mv", "settle"),
    [(0, 41_000, 800), (3600, 41_000, 800), (3601, 41_000, 0), (10, 41_800, 0), (10, 41_801, 0)],
)
def test_settling_is_followed_for_an_hour(since_s: int, mv: int, settle: int) -> None:
    rig = alone()
    rig.memory.kept[CHARGE_MV] = 41_800
    rig.memory.kept[CHARGE_S] = NOON - since_s
    start(rig, mv)
    assert (rig.value("settle_mv"), rig.where("settle_mv")) == (0, 0)
    start(rig, mv)
    assert rig.value("settle_mv") == settle
    assert rig.count("settle_mv") == 2


@pytest.mark.parametrize(("ma", "settle"), [(499, 800), (-499, 800), (500, 0), (-500, 0)])
def test_two_idle_readings_count(ma: int, settle: int) -> None:
    for currents in ((ma, 0), (0, ma)):
        rig = alone()
        rig.memory.kept[CHARGE_MV] = 41_800
        rig.memory.kept[CHARGE_S] = NOON
        for current in currents:
            start(rig, 41_000, current_ma=current)
        assert rig.value("settle_mv") == settle


@pytest.mark.parametrize("used", ["riding", "charging"])
def test_use_ends_what_was_found(used: str) -> None:
    rig = alone(8 * DAY_S)
    rig.memory.kept[CHARGE_MV] = 41_800
    rig.memory.kept[CHARGE_S] = NOON
    now = [3700] * 9 + [3600]
    start(rig, 36_900, 36_900, cells=now, highest_mv=3700)
    slots = ("loss_permille", "group_fall_mv", "settle_mv", "stored")
    assert all(rig.value(slot) for slot in slots)
    start(rig, 36_900, cells=now, highest_mv=3700, **{used: 1})
    assert [rig.value(slot) for slot in slots] == [0] * 4
    assert (rig.where("group_fall_mv"), rig.value("parked_cell_mv")) == (0, 3690)
    assert rig.memory.kept[CHARGE_MV] == (0 if used == "riding" else 41_800)
    rig.tell(5001, cells=now, highest_mv=3700)
    start(rig, 36_900, 36_900, cells=now, highest_mv=3700)
    assert [rig.value(slot) for slot in slots[:2]] == [0] * 2
    assert rig.value("settle_mv") == (0 if used == "riding" else 4_900)


def test_flags_count_for_as_long_as_they_are_known() -> None:
    for used in ("riding", "charging"):
        for age_ms, stored in ((5000, 0), (5001, 1)):
            rig = alone(8 * DAY_S)
            rig.tell(**{used: 1})
            rig.tell(age_ms, pack_mv=37_000, **IDLE)
            start(rig, 37_000)
            assert rig.value("stored") == stored


@pytest.mark.parametrize("lost", ["pack_mv", "current_ma"])
def test_reading_needs_voltage_and_current(lost: str) -> None:
    rig = alone(8 * DAY_S)
    told = {"pack_mv": 37_000, "current_ma": 0}
    del told[lost]
    rig.tell(1000, **told)
    rig.tell(1000, **told)
    assert rig.value("stored") is None
    start(rig, 37_000)
    assert rig.value("parked_cell_mv") == 0
    rig.tell(1000, **IDLE)
    assert rig.value("parked_cell_mv") == 0  # no new voltage
    start(rig, 37_000)
    assert rig.value("parked_cell_mv") == 3700


def test_without_a_rest_nothing_is_told_until_the_pack_is_used() -> None:
    rig = alone()
    start(rig, 37_000, 37_000)
    assert (rig.value("stored"), rig.value("settle_mv")) == (None, 0)
    start(rig, 37_000, riding=1)
    assert (rig.value("stored"), rig.value("loss_permille")) == (0, 0)
    assert rig.value("parked_cell_mv") == 0


def test_cells_in_series_are_the_owners_or_as_many_as_are_read() -> None:
    rig = alone(8 * DAY_S, series=0)
    start(rig, 37_000, 37_000)
    assert (rig.value("stored"), rig.value("settle_mv")) == (None, 0)
    rig.t.groups = 10
    start(rig, 37_000)
    assert (rig.value("stored"), rig.value("parked_cell_mv")) == (1, 3700)


# what is kept


def used(mv: int = 38_300, **options: Any) -> MeterRig:
    """A pack that has been ridden since the dongle started."""
    rig = alone(**options)
    start(rig, mv, riding=1)
    start(rig, mv, riding=0)
    return rig


def test_rest_is_kept_with_all_that_is_known() -> None:
    rig = used()
    cells = [3820] * 9 + [3810]
    start(rig, 38_209, resting=1)
    memory = rig.memory
    assert (memory.kept[REST_S], memory.kept[REST_MV], memory.kept[REST_PERMILLE]) == (
        NOON,
        38_209,
        600,
    )
    assert (memory.kept[REST_DC], memory.cells, memory.due) == (0, 0, 1)
    start(rig, 38_190, resting=1, coldest_dc=-15, cells=[*cells, 41], highest_mv=3820)
    assert (memory.kept[REST_DC], memory.cells, memory.kept[REST_PERMILLE]) == (985, 10, 598)
    assert list(memory.cell_mv[:11]) == [*cells, 0]
    rig.tell(5001)
    start(rig, 38_209, resting=1)
    assert (memory.kept[REST_DC], memory.cells) == (0, 10)  # the cells are those of this rest


@pytest.mark.parametrize(("mv", "due"), [(38_019, 0), (38_020, 1), (37_981, 0), (37_980, 1)])
def test_rest_is_stored_again_after_20_mv(mv: int, due: int) -> None:
    rig = used()
    start(rig, 38_000, resting=1)
    assert rig.memory.due == 1
    rig.memory.due = 0
    start(rig, mv, resting=1)
    assert (rig.memory.kept[REST_MV], rig.memory.due) == (mv, due)
    start(rig, mv + 19 if due else 38_000, resting=1)
    assert rig.memory.due == due


@pytest.mark.parametrize(("resting", "age_ms", "kept"), [(1, 5000, 1), (1, 5001, 0), (0, 0, 0)])
def test_only_a_rest_is_kept(resting: int, age_ms: int, kept: int) -> None:
    rig = alone()
    rig.tell(resting=resting)
    rig.tell(age_ms, pack_mv=38_000, **IDLE)
    assert rig.memory.kept[REST_MV] == 38_000 * kept


@pytest.mark.parametrize(("since_s", "kept"), [(3599, False), (3600, True), (0, False)])
def test_rest_after_a_charge_is_kept_after_an_hour(since_s: int, kept: bool) -> None:
    rig = alone()
    rig.memory.kept[CHARGE_MV] = 41_800
    rig.memory.kept[CHARGE_S] = NOON - since_s
    start(rig, 41_000, resting=1)
    assert bool(rig.memory.kept[REST_MV]) is kept
    rig.memory.kept[CHARGE_MV] = 0
    start(rig, 41_000, resting=1)
    assert rig.memory.kept[REST_MV] == 41_000


def test_charge_of_an_unknown_time_keeps_no_rest_away() -> None:
    rig = alone()
    rig.memory.kept[CHARGE_MV] = 41_800
    start(rig, 41_000, resting=1)
    assert rig.memory.kept[REST_MV] == 41_000


@pytest.mark.parametrize("slot", ["balance_a", "balance_b"])
def test_cells_being_bled_are_not_kept_while_that_is_known(slot: str) -> None:
    for bits, age_ms, cells in ((1, 5000, 0), (1, 5001, 10), (0, 0, 10)):
        rig = alone()
        rig.tell(**{slot: bits})
        rig.now += age_ms - 1000
        start(rig, 38_000, resting=1, cells=LEVEL, highest_mv=3800)
        assert rig.memory.cells == cells


def test_half_the_cells_are_not_kept() -> None:
    rig = used()
    start(rig, 38_000, resting=1, cells=LEVEL[:9], highest_mv=3800)
    assert rig.memory.cells == 0
    start(rig, 38_000, resting=1, cells={9: 3800})
    assert rig.memory.cells == 10


def test_older_rest_of_an_untouched_pack_stays_and_goes_with_a_ride() -> None:
    rig = alone(8 * DAY_S)
    start(rig, 37_000, 37_000, resting=1)
    assert (rig.memory.kept[REST_MV], rig.memory.due) == (38_300, 0)
    start(rig, 37_000, riding=1, resting=0)
    start(rig, 37_000, riding=0, resting=1)
    assert (rig.memory.kept[REST_MV], rig.memory.kept[REST_S], rig.memory.cells) == (
        37_000,
        NOON,
        0,
    )
    rig.memory.due = 0
    start(rig, 37_000, riding=1, resting=0)
    start(rig, 37_000, riding=0, resting=1)
    assert rig.memory.due == 1  # another ride, another rest


def test_switched_off_the_rest_is_stored_and_the_next_start_compares() -> None:
    rig = alone()
    rig.forget()
    assert rig.memory.due == 0
    start(rig, 38_300, riding=1)
    start(rig, 38_300, riding=0, resting=1)
    rig.memory.due = 0
    rig.forget()
    assert rig.memory.due == 1
    rig.memory.due = 0
    rig.memory.now_s += 7 * DAY_S
    start(rig, 37_200)
    assert (rig.value("stored"), rig.value("parked_cell_mv")) == (1, 0)
    start(rig, 37_200)
    assert (rig.value("loss_permille"), rig.value("parked_cell_mv")) == (14, 3720)
    rig.forget()
    assert rig.memory.due == 0
    rig.memory.now_s += DAY_S
    start(rig, 38_000, cells=LEVEL, highest_mv=3800)
    told = [rig.value(slot) for slot in ("loss_permille", "group_fall_mv", "parked_cell_mv")]
    assert told == [0, 0, 0]
    assert rig.value("settle_mv") == 0

"""Data that do not move while the scooter does, and chips that stand in for a battery."""

import pytest
from deckwatch.meters.frozen import Frozen
from pack_rig import MeterRig, PackRig

WARN, CLEAR = ("set", "warn"), ("clear", "ok")
STAND_IN = {"current_ma": 0, "pack_mv": 22_500, "cells": [2250] * 10, "temps": [200, 200]}


def test_constant_values_warn_after_30_s_of_a_proven_load() -> None:
    rig = PackRig()
    rig.repeat(100, pack_mv=38_000, current_ma=0, supply_ma=0)
    rig.repeat(29.8, pack_mv=38_000, current_ma=0, supply_ma=-5000)
    assert rig.told("frozen_data") == []
    rig.repeat(0.6, pack_mv=38_000, current_ma=0, supply_ma=-5000)
    assert rig.state("frozen_data") == WARN
    assert rig.record("frozen_data", "limit") == 30_000


def test_load_below_5_a_or_gone_stale_proves_nothing() -> None:
    rig = PackRig()
    rig.repeat(60, pack_mv=38_000, current_ma=0, supply_ma=-4999)
    rig.frame(pack_mv=38_000, current_ma=0, supply_ma=-9000)
    rig.repeat(60, pack_mv=38_000, current_ma=0)
    assert rig.told("frozen_data") == []


@pytest.mark.parametrize("slot", ["pack_mv", "current_ma"])
def test_one_value_that_moves_is_life(slot: str) -> None:
    rig = PackRig()
    for number in range(8):
        values = {"pack_mv": 38_000, "current_ma": -6000}
        values[slot] += 10 * (number % 2)
        rig.repeat(10, supply_ma=-6000, **values)
    assert rig.told("frozen_data") == []
    assert (rig.value("frozen_load_ms") or 0) < 10_000


@pytest.mark.parametrize(
    "proof", [{"speed_mh": 3000, "current_ma": 0}, {"speed_mh": 0, "current_ma": -1000}]
)
def test_constant_values_warn_after_15_min_of_a_ride(proof: dict[str, int]) -> None:
    rig = PackRig()
    rig.repeat(300, every_ms=500, pack_mv=38_000, current_ma=proof["current_ma"], speed_mh=0)
    rig.frame(pack_mv=38_010, current_ma=proof["current_ma"], speed_mh=3000)
    rig.repeat(899.5, every_ms=500, pack_mv=38_000, **proof)
    assert rig.told("frozen_data") == []
    rig.repeat(1.5, every_ms=500, pack_mv=38_000, **proof)
    assert rig.state("frozen_data") == WARN
    assert rig.record("frozen_data", "limit") == 900_000
    rig.repeat(6, every_ms=500, pack_mv=38_010, **proof)
    assert rig.state("frozen_data") == CLEAR


def test_standing_scooter_is_innocent_for_an_hour() -> None:
    rig = PackRig()
    rig.repeat(3600, every_ms=1000, pack_mv=38_000, current_ma=-20, speed_mh=2999)
    assert rig.told("frozen_data") == []


def test_half_of_the_values_is_not_judged() -> None:
    rig = PackRig()
    rig.repeat(40, current_ma=0, supply_ma=-9000)
    assert rig.value("frozen_load_ms") is None
    rig = PackRig()
    rig.repeat(40, pack_mv=38_000, supply_ma=-9000)
    assert rig.value("stand_in") is None


def test_repetition_counts_anew_after_a_gap() -> None:
    rig = PackRig()
    rig.repeat(25, pack_mv=38_000, current_ma=0, supply_ma=-9000)
    rig.advance(6000)
    rig.repeat(25, pack_mv=38_000, current_ma=0, supply_ma=-9000)
    assert rig.told("frozen_data") == []


# --- stand-ins -----------------------------------------------------------------------------------


def test_emulator_board_warns_with_the_third_set() -> None:
    rig = PackRig()
    for number in range(4):
        assert (rig.state("frozen_data") == WARN) is (number >= 3)
        rig.frame(**STAND_IN)  # type: ignore[arg-type]
        rig.advance(500)


@pytest.mark.parametrize(
    "changed",
    [
        {"current_ma": -10},
        {"cells": [2250] * 9 + [2251]},
        {"cells": [2501] * 10},
        {"temps": [200, 210]},
        {"temps": [200]},
        {"temps": None},
        {"cells": None},
    ],
)
def test_each_sign_of_life_clears_an_emulator(changed: dict[str, object]) -> None:
    rig = PackRig()
    rig.frame(**{**STAND_IN, **changed})  # type: ignore[arg-type]
    assert rig.value("stand_in") == 0


def test_pack_no_board_could_live_on_is_an_emulator_without_cells_too() -> None:
    for mv, found in ((2250, 1), (4999, 1), (5000, 0)):
        rig = PackRig()
        rig.frame(current_ma=0, pack_mv=mv, temps=[200, 200])
        assert rig.value("stand_in") == found
    rig = PackRig(series=0)
    rig.frame(current_ma=0, pack_mv=2250, temps=[200, 200])
    assert rig.value("stand_in") == 0


def test_probe_that_went_stale_is_no_sign_of_an_emulator() -> None:
    rig = PackRig()
    rig.hear(temps=[200, 200])
    rig.advance(5001)
    rig.frame(current_ma=0, pack_mv=2250)
    assert rig.value("stand_in") == 0


@pytest.mark.parametrize(
    ("mah", "moved", "ma", "found"),
    [
        (29_000, 1000, 0, 1), (29_100, 1000, 0, 1), (28_899, 1000, 0, 0), (29_101, 1000, 0, 0),
        (29_000, 999, 0, 0), (29_000, 1000, -10, 0),
    ],
)  # fmt: skip
def test_29_ah_that_never_change_while_the_voltage_does(
    mah: int, moved: int, ma: int, found: int
) -> None:
    rig = PackRig()
    rig.repeat(1, current_ma=ma, pack_mv=40_000, remaining_mah=mah)
    rig.repeat(1, current_ma=0, pack_mv=40_000 - moved, remaining_mah=mah)
    rig.repeat(1, current_ma=0, pack_mv=39_800, remaining_mah=mah)
    assert rig.value("stand_in") == found


def test_29_ah_that_stand_still_are_innocent() -> None:
    rig = PackRig()
    rig.repeat(600, every_ms=1000, current_ma=0, pack_mv=40_000, remaining_mah=29_000)
    assert rig.told("frozen_data") == []


def test_switching_off_begins_anew() -> None:
    rig = PackRig()
    rig.repeat(25, pack_mv=38_000, current_ma=0, supply_ma=-9000)
    rig.pack.forget()
    rig.repeat(25, pack_mv=38_000, current_ma=0, supply_ma=-9000)
    assert rig.told("frozen_data") == []


def test_frozen_for_weeks_stays_frozen() -> None:
    wrap = 1 << 30
    rig = PackRig(start=wrap - 50_000)
    frame = {"pack_mv": 38_000, "current_ma": 0, "supply_ma": -9000, "speed_mh": 9000}
    rig.repeat(40, **frame)
    assert rig.state("frozen_data") == WARN
    while rig.ms < 2 * wrap:
        rig.ms += 3_600_000
        rig.hear(**frame)
        rig.pack.saturate(rig.now)
        rig.round()
        assert rig.state("frozen_data") == WARN
        assert (rig.value("frozen_load_ms") or 0) >= 3_600_000


def test_a_pack_that_lives_has_been_frozen_for_no_time_and_names_no_cell() -> None:
    rig = PackRig()
    for mv in (37_000, 36_990):
        rig.frame(current_ma=-1000, pack_mv=mv, cells=[3700] * 10, temps=[200, 210])
        rig.advance(500)
    slots = ("frozen_load_ms", "frozen_ride_ms", "stand_in")
    assert [(rig.value(slot), rig.where(slot)) for slot in slots] == [(0, 0)] * 3


# --- exactly, the meter alone --------------------------------------------------------------------

PACK = {"pack_mv": 38_000, "current_ma": 0}


def alone(series: int = 10, start: int = 0) -> MeterRig:
    rig = MeterRig(Frozen(), start)
    rig.t.series = series
    return rig


@pytest.mark.parametrize(
    ("slot", "proof", "proves"),
    [
        ("frozen_load_ms", {"supply_ma": -5000}, True),
        ("frozen_load_ms", {"supply_ma": -4999}, False),
        ("frozen_load_ms", {"supply_ma": 5000}, False),
        ("frozen_ride_ms", {"speed_mh": 3000}, True),
        ("frozen_ride_ms", {"speed_mh": 2999}, False),
        ("frozen_ride_ms", {"riding": 1}, True),
        ("frozen_ride_ms", {"riding": 0}, False),
    ],
)
def test_time_since_both_the_proof_and_the_last_change(
    slot: str, proof: dict[str, int], proves: bool
) -> None:
    rig = alone()
    rig.tell(**PACK)
    rig.tell(300, **PACK)
    rig.tell(300, **PACK, **proof)
    assert (rig.value(slot), rig.where(slot)) == (0, 0)
    rig.tell(700, **PACK, **proof)
    rig.tell(700, **PACK, **proof)
    assert rig.value(slot) == (1400 if proves else 0)
    other = {"frozen_load_ms", "frozen_ride_ms"} - {slot}
    assert rig.value(other.pop()) == 0
    rig.tell(100, pack_mv=38_000, current_ma=10, **proof)
    assert rig.value(slot) == 0
    rig.tell(100, pack_mv=38_000, current_ma=10, **proof)
    assert rig.value(slot) == (100 if proves else 0)
    rig.tell(100, pack_mv=38_010, current_ma=10, **proof)
    assert rig.value(slot) == 0
    rig.tell(100, pack_mv=38_010, current_ma=10, **dict.fromkeys(proof, 0))
    rig.tell(100, pack_mv=38_010, current_ma=10, **proof)
    rig.tell(50, pack_mv=38_010, current_ma=10, **proof)
    assert rig.value(slot) == (50 if proves else 0)


@pytest.mark.parametrize("proof", [{"supply_ma": -5000}, {"speed_mh": 3000}, {"riding": 1}])
def test_proof_counts_for_as_long_as_it_is_known(proof: dict[str, int]) -> None:
    rig = alone()
    rig.tell(**PACK, **proof)
    rig.tell(5000, **PACK)
    assert max(rig.value("frozen_load_ms") or 0, rig.value("frozen_ride_ms") or 0) == 5000
    rig.tell(1, **PACK)
    assert (rig.value("frozen_load_ms"), rig.value("frozen_ride_ms")) == (0, 0)


@pytest.mark.parametrize("lost", ["pack_mv", "current_ma"])
def test_a_value_that_was_lost_begins_anew(lost: str) -> None:
    rig = alone()
    rig.tell(**PACK, supply_ma=-5000)
    kept = {name: value for name, value in PACK.items() if name != lost}
    rig.tell(5001, supply_ma=-5000, **kept)
    assert rig.value("frozen_load_ms") is None
    rig.tell(100, **PACK, supply_ma=-5000)
    assert rig.value("frozen_load_ms") == 0


def test_only_a_new_current_is_looked_at() -> None:
    rig = alone()
    rig.tell(**PACK, supply_ma=-5000)
    told = rig.count("frozen_load_ms")
    rig.tell(500, pack_mv=38_000)
    assert (rig.value("frozen_load_ms"), rig.count("frozen_load_ms")) == (0, told)
    rig.tell(500, **PACK, supply_ma=-5000)
    assert (rig.value("frozen_load_ms"), rig.count("frozen_load_ms")) == (1000, told + 1)


@pytest.mark.parametrize(
    ("moved_mv", "remaining", "told"),
    [
        (1000, 29_000, 1),
        (999, 29_000, 0),
        (-1000, 29_100, 1),
        (-1000, 28_900, 1),
        (1000, 29_101, 0),
        (1000, 28_899, 0),
    ],
)
def test_29_ah_while_the_voltage_has_moved_by_a_volt(
    moved_mv: int, remaining: int, told: int
) -> None:
    rig = alone()
    rig.tell(pack_mv=38_000, current_ma=0, remaining_mah=remaining)
    rig.tell(100, pack_mv=38_000 + moved_mv, current_ma=0, remaining_mah=remaining)
    assert (rig.value("stand_in"), rig.where("stand_in")) == (told, 0)
    rig.tell(100, pack_mv=38_000, current_ma=0, remaining_mah=remaining)
    assert rig.value("stand_in") == told
    rig.tell(100, pack_mv=38_000, current_ma=-10, remaining_mah=remaining)
    assert rig.value("stand_in") == 0
    rig.tell(100, pack_mv=38_000, current_ma=0, remaining_mah=remaining)
    assert rig.value("stand_in") == 0  # a current was told once


def test_remaining_charge_that_is_not_known_is_no_29_ah() -> None:
    rig = alone()
    rig.tell(**PACK, remaining_mah=29_000)
    rig.tell(5001, pack_mv=39_000, current_ma=0)
    rig.tell(100, pack_mv=38_000, current_ma=0)
    assert rig.value("stand_in") == 0


ALIKE = {"highest_mv": 2250, "lowest_mv": 2250}


@pytest.mark.parametrize(
    ("series", "told", "cells", "temps", "is_one"),
    [
        (10, ALIKE, [2250] * 10, [200, 200], 1),
        (10, {"highest_mv": 2500, "lowest_mv": 2500}, [2500] * 2, [200, 200, 200], 1),
        (10, {"highest_mv": 2501, "lowest_mv": 2501}, [2501] * 2, [200, 200], 0),
        (10, {"highest_mv": 2250, "lowest_mv": 2249}, [2250] * 10, [200, 200], 0),
        (10, ALIKE, [2250] * 10, [200], 0),
        (10, ALIKE, [2250] * 10, [200, 201], 0),
        (10, ALIKE, [2250] * 10, [199, 200], 0),
        (10, ALIKE, [2250] * 10, [200, 200, 210], 0),
        (10, ALIKE | {"pack_mv": 4999}, [2250], [200, 200], 1),  # one group is not "all alike"
        (10, ALIKE | {"pack_mv": 5000}, [2250], [200, 200], 0),
        (10, {"pack_mv": 4999}, [], [200, 200], 1),
        (10, {"pack_mv": 5000}, [], [200, 200], 0),
        (0, {"pack_mv": 499}, [], [200, 200], 1),
        (0, {"pack_mv": 500}, [], [200, 200], 0),
    ],
)
def test_what_stands_in(
    series: int, told: dict[str, int], cells: list[int], temps: list[int], is_one: int
) -> None:
    rig = alone(series)
    rig.t.groups = len(cells)
    rig.tell(cells=cells, temps=temps, **{"pack_mv": 22_500, "current_ma": 0} | told)
    assert rig.value("stand_in") == is_one


@pytest.mark.parametrize(("age_ms", "is_one"), [(5000, 1), (5001, 0)])
def test_probes_count_for_as_long_as_they_are_known(age_ms: int, is_one: int) -> None:
    rig = alone()
    rig.tell(temps=[200, 200], pack_mv=4000, current_ma=0)
    rig.tell(age_ms, temps={0: 200}, pack_mv=4000, current_ma=0)
    assert rig.value("stand_in") == is_one


def test_switched_off_it_knows_nothing() -> None:
    rig = alone()
    rig.tell(pack_mv=36_000, current_ma=-10, supply_ma=-5000, riding=1)
    rig.forget()
    rig.tell(100, pack_mv=38_000, current_ma=0, remaining_mah=29_000)
    assert (rig.value("stand_in"), rig.value("frozen_load_ms")) == (0, 0)
    rig.tell(100, pack_mv=39_000, current_ma=0, remaining_mah=29_000, supply_ma=-5000, riding=1)
    assert (rig.value("stand_in"), rig.value("frozen_load_ms")) == (1, 0)
    rig.tell(100, pack_mv=39_000, current_ma=0, supply_ma=-5000, riding=1)
    assert (rig.value("frozen_ride_ms"), rig.value("frozen_load_ms")) == (100, 100)


def test_what_stands_for_weeks_stays_long() -> None:
    rig = alone()
    for hour in range(24 * 13):
        rig.tell(3_600_000 if hour else 0, **PACK, supply_ma=-5000, riding=1)
        rig.saturate()
    assert (rig.value("frozen_load_ms") or 0) > 200_000_000
    assert (rig.value("frozen_ride_ms") or 0) > 200_000_000


def test_current_before_values_were_lost_does_not_count_after() -> None:
    rig = alone()
    rig.tell(pack_mv=38_000, current_ma=-10)
    rig.tell(5001)
    rig.tell(100, pack_mv=38_000, current_ma=0, remaining_mah=29_000)
    rig.tell(100, pack_mv=39_000, current_ma=0, remaining_mah=29_000)
    assert rig.value("stand_in") == 1

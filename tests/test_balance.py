"""Balancing over charges in a row, and how long it still has to go: 12 % of the pack model."""

from random import Random
from typing import Any

import pytest
from deckwatch import config
from deckwatch.memory import SPREAD_MV, STUCK_CHARGES, Memory
from deckwatch.meters.balance import Balance
from pack_rig import MeterRig, PackRig
from packlab.made.board import Board, Limits
from packlab.made.spec import PackSpec

CALM, INFO = ("clear", "ok"), ("set", "info")


def cells(spread_mv: int, top_mv: int = 4160) -> list[int]:
    return [top_mv] * 9 + [top_mv - spread_mv]


def charge(rig: PackRig, spread_mv: int, top_mv: int = 4160, **frame: int) -> None:
    """A charge that ends with that spread; a ride before it, so that it counts."""
    rig.repeat(1, current_ma=-8000, charging_flag=0)
    rig.repeat(61, every_ms=1000, current_ma=0, charging_flag=0)
    each = cells(spread_mv, top_mv)
    rig.repeat(5, every_ms=1000, current_ma=2000, charging_flag=1, cells=each, **frame)
    rig.repeat(7, every_ms=1000, current_ma=0, charging_flag=0, cells=each)


def stuck(rig: PackRig) -> int:
    return int(rig.pack.memory.kept[STUCK_CHARGES])


def test_three_charges_without_balancing() -> None:
    rig = PackRig()
    for number in range(1, 4):
        assert rig.state("balance_idle") == CALM
        charge(rig, 50, balance_a=0)
        assert stuck(rig) == number
    assert rig.state("balance_idle") == INFO
    charge(rig, 49, balance_a=0)
    assert stuck(rig) == 0
    assert rig.state("balance_idle") == CALM


@pytest.mark.parametrize(
    ("spreads", "frame", "wanted"),
    [
        ((80, 75, 70, 64), {"balance_a": 1}, 0),  # bled, and it helps
        ((80, 76, 72, 68), {"balance_a": 1}, 3),  # bled, and within 5 mV of the last
        ((80, 76, 72, 68), {"balance_b": 1}, 3),
        ((80, 60, 55, 50), {"balance_a": 0}, 4),  # shrinks by itself, but nobody bleeds
        ((80, 80, 90, 90), {}, 3),  # the board does not tell: by the spread alone
        ((80, 75, 70, 65), {}, 0),
        ((80, 80, 75, 75), {}, 1),
    ],
)
def test_what_gets_nowhere(spreads: tuple[int, ...], frame: dict[str, int], wanted: int) -> None:
    rig = PackRig()
    for spread in spreads:
        charge(rig, spread, **frame)
    assert stuck(rig) == wanted


def test_bleeding_at_any_time_of_the_charge_counts_once() -> None:
    rig = PackRig()
    charge(rig, 90, balance_a=4)
    charge(rig, 80, balance_a=0)
    assert stuck(rig) == 1


@pytest.mark.parametrize(("top_mv", "counted"), [(4149, 0), (4150, 1)])
def test_charge_counts_from_near_full_on(top_mv: int, counted: int) -> None:
    rig = PackRig()
    charge(rig, 80, top_mv, balance_a=0)
    assert stuck(rig) == counted


def test_pauses_of_one_charge_count_once() -> None:
    rig = PackRig()
    charge(rig, 80, balance_a=0)
    for _ in range(3):
        rig.repeat(5, every_ms=1000, current_ma=2000, charging_flag=1, cells=cells(80))
        rig.repeat(5, every_ms=1000, current_ma=0, charging_flag=0, cells=cells(80))
    assert stuck(rig) == 1


def test_charge_ends_with_the_scooter_switched_off_too() -> None:
    rig = PackRig()
    for number in (1, 2):
        frame: dict[str, Any] = {"charging_flag": 1, "cells": cells(80), "balance_a": 0}
        rig.repeat(5, every_ms=1000, current_ma=2000, **frame)
        rig.pack.forget()
        assert stuck(rig) == number
    assert rig.pack.memory.due == 1
    assert rig.pack.memory.kept[SPREAD_MV] == 80


def test_unknown_session_is_no_end() -> None:
    rig = PackRig()
    frame: dict[str, Any] = {"cells": cells(80), "balance_a": 0}
    rig.repeat(5, every_ms=1000, current_ma=2000, charging_flag=1, **frame)
    rig.advance(1000)
    assert stuck(rig) == 0


def test_stale_balance_bits_tell_nothing() -> None:
    rig = PackRig()
    rig.frame(balance_a=1)
    rig.advance(6000)
    charge(rig, 80)
    charge(rig, 74)
    assert stuck(rig) == 0


def test_memory_goes_on_over_a_power_off() -> None:
    rig = PackRig()
    rig.pack.memory.kept[STUCK_CHARGES] = 3
    rig.repeat(2, every_ms=1000, current_ma=0, cells=cells(10, 3800))
    assert rig.state("balance_idle") == INFO


# --- forecast ------------------------------------------------------------------------------------


def test_hours_to_balance_against_the_model() -> None:
    """The model's board bleeds what is high until half of what made it begin is left."""
    pack = PackSpec().build(Random(2), 960, 200)
    limits = Limits(bleed_ma=60, balance_start_mv=3000, balance_on_mv=2)
    board = Board(pack, limits)
    high_mv, low_mv = max(pack.cells_mv), min(pack.cells_mv)
    rig = PackRig(bleed_ma=60)
    rig.repeat(2, current_ma=0, charging_flag=1, cells=pack.cells_mv)
    told_h = rig.value("to_balance_h")
    assert told_h is not None
    hours = 0.0
    while max(pack.cells_mv) - min(pack.cells_mv) > 2:
        board.allow(0, 60_000)
        pack.advance(60_000, 200)
        hours += 1 / 60
        assert hours < 100
    assert high_mv - low_mv > 8
    assert abs(told_h - hours) <= max(hours * 0.12, 1)


@pytest.mark.parametrize(
    ("options", "frame", "hours"),
    [
        ({}, {"charging_flag": 1}, 12),  # 46 permille of 7.8 Ah at 30 mA
        ({"bleed_ma": 100}, {"charging_flag": 1}, 3),
        ({"bleed_ma": 0}, {"charging_flag": 1}, None),
        ({"design_mah": 0}, {"charging_flag": 1}, None),
        ({}, {}, None),  # neither at rest nor charging
    ],
)
def test_forecast_and_when_there_is_none(
    options: dict[str, int], frame: dict[str, int], hours: int | None
) -> None:
    rig = PackRig(**options)
    rig.repeat(1, current_ma=2000, cells=[4145] * 5 + [4095] * 5, **frame)
    assert rig.value("to_balance_h") == hours
    if hours is not None:
        assert rig.where("to_balance_h") == 1


@pytest.mark.parametrize(("bleed_ma", "hours"), [(3499, 2), (3500, 2), (3501, 1), (5000, 1)])
def test_hours_to_balance_are_whole_ones(bleed_ma: int, hours: int) -> None:
    """What is between 3610 and 4200 mV is 700 thousandths: of 10 Ah, 7000 mAh."""
    rig = PackRig(bleed_ma=bleed_ma, design_mah=10000)
    rig.frame(current_ma=2000, charging_flag=1, cells=[4200] * 9 + [3610])
    assert rig.value("to_balance_h") == hours


def test_end_of_a_charge_is_told_with_the_next_cells_and_stored() -> None:
    memory = Memory()
    rig = MeterRig(Balance(config.load({}), memory))
    told = {"highest_mv": 4160, "lowest_mv": 4080, "cell_spread_mv": 80, "balance_a": 0}
    rig.tell(charging=1, **told)
    assert memory.due == 0
    rig.tell(200, charging=0)
    assert (memory.kept[STUCK_CHARGES], memory.due) == (1, 1)
    assert (rig.value("stuck_charges"), rig.where("stuck_charges")) == (0, 0)
    rig.tell(200, **told)
    assert rig.value("stuck_charges") == 1

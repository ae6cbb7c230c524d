"""The charging session against the pack model, and each thing that can be wrong with a charge.

The errors that these tests hold the meter to: charge in, 0.2 %; capacity from a full charge, 4 %;
time to full, 15 % or 20 minutes; overtime and droop by the second.
"""

from functools import cache
from random import Random
from typing import Any

import pytest
from deckwatch import config
from deckwatch.memory import (
    CAPACITY_MAH,
    CHARGE_FROM_PERMILLE,
    CHARGE_MAH,
    CHARGE_MOST_MA,
    CHARGE_MV,
    CHARGE_S,
    SIZE,
    Memory,
)
from deckwatch.meters.charge import Charge
from deckwatch.telemetry import INDEX
from pack_rig import MeterRig, PackRig
from packlab.made.chemistry import LFP, NMC
from packlab.made.pack import MAMS_PER_MAH, Pack
from packlab.made.spec import PackSpec

WRAP = 1 << 30
STEP_MS = 5000
CALM = ("clear", "ok")
INFO, WARN = ("set", "info"), ("set", "warn")


class Charger:
    """A model pack on a charger, in front of the meters; what the board tells comes every 5 s."""

    def __init__(self, spec: PackSpec, soc_permille: int, start: int = 0, **options: Any) -> None:
        self.pack: Pack = spec.build(Random(7), soc_permille, 220)
        self.spec = spec
        options = {"series": spec.series, "chemistry": spec.chemistry.name, **options}
        self.rig = PackRig(start=start, design_mah=spec.capacity_mah, **options)
        self.in_mams = 0

    def step(self, ma: int, **told: int) -> None:
        """5 s with a current."""
        pack = self.pack
        pack.current_ma = ma
        pack.advance(STEP_MS, 220)
        self.in_mams += max(ma, 0) * STEP_MS
        told = {
            "pack_mv": pack.pack_mv // 10 * 10,
            "current_ma": ma // 10 * 10,
            "soc_pct": pack.soc_pct,
            "charging_flag": int(ma > 50),
        } | told
        self.rig.frame(**told)
        self.rig.ms += STEP_MS

    def charge(self, limit_ma: int, limit_mv: int, until_ma: int, seconds: int) -> int:
        """Constant current, then constant voltage, until the current has fallen; how long, in s.
        A charger without a voltage of its own has a limit beyond reach."""
        for second in range(0, seconds, STEP_MS // 1000):
            ma = self.pack.charge_current_ma(limit_ma, limit_mv)
            if ma < until_ma:
                return second
            self.step(ma)
        return seconds


# --- against the model ---------------------------------------------------------------------------

PACKS = {
    "m365": (PackSpec(), 2000),
    "pro2": (PackSpec(capacity_mah=12800), 1700),
    "botox": (PackSpec(series=13, capacity_mah=15000), 5000),
    "lfp": (PackSpec(series=16, chemistry=LFP, capacity_mah=20000), 5000),
}


@cache
def full_charge(name: str) -> tuple[Charger, list[tuple[int, int]], int]:
    """From nearly empty to a tenth of the current: (the charger, (s, minutes to full told), s)."""
    spec, limit_ma = PACKS[name]
    charger = Charger(spec, 60)
    told: list[tuple[int, int]] = []
    lasted = 0
    while True:
        passed = charger.charge(limit_ma, spec.full_mv, limit_ma // 10, 600)
        lasted += passed
        minutes = charger.rig.value("to_full_min")
        if minutes is not None:
            told.append((lasted, minutes))
        if passed < 600:
            break
    charger.step(0)
    charger.step(0)
    return charger, told, lasted


@pytest.mark.parametrize("name", PACKS)
def test_charge_that_flowed_in_within_2_permille(name: str) -> None:
    charger, _, _ = full_charge(name)
    counted = charger.rig.pack.memory.kept[CHARGE_MAH]
    assert abs(counted * MAMS_PER_MAH - charger.in_mams) <= charger.in_mams * 2 // 1000


@pytest.mark.parametrize("name", PACKS)
def test_capacity_of_a_full_charge_within_4_percent(name: str) -> None:
    charger, _, _ = full_charge(name)
    memory = charger.rig.pack.memory
    assert (
        abs(memory.kept[CAPACITY_MAH] - charger.pack.full_mah) <= charger.pack.full_mah * 4 // 100
    )
    wanted = memory.kept[CAPACITY_MAH] * 100 // charger.spec.capacity_mah
    assert charger.rig.value("capacity_pct") == wanted
    assert charger.rig.told("capacity") == []


@pytest.mark.parametrize("name", PACKS)
def test_time_to_full_within_15_percent_or_20_minutes(name: str) -> None:
    _, told, lasted = full_charge(name)
    assert len(told) > 15
    for second, minutes in told:
        left = (lasted - second) / 60
        assert abs(minutes - left) <= max(left * 0.15, 20), (second, minutes, left)


@pytest.mark.parametrize("name", PACKS)
def test_an_honest_charge_sets_nothing_but_its_target(name: str) -> None:
    charger, _, _ = full_charge(name)
    spoken = {event.code for event in charger.rig.events}
    assert spoken <= {"charge_target", "charge_current", "cell_low", "soc_mismatch"}
    assert "charge_target" in spoken


def test_session_is_remembered() -> None:
    charger, _, lasted = full_charge("m365")
    memory = charger.rig.pack.memory
    assert memory.due == 1
    assert memory.kept[CHARGE_FROM_PERMILLE] in range(50, 75)
    assert memory.kept[CHARGE_MOST_MA] == 2000
    assert memory.kept[CHARGE_MV] == charger.pack.pack_mv // 10 * 10
    assert memory.kept[CHARGE_S] == memory.now_s
    assert lasted > 3 * 3600


# --- counting ------------------------------------------------------------------------------------


def flow(rig: PackRig, seconds: int, every_ms: int = 2000, **frame: int) -> None:
    for _ in range(seconds * 1000 // every_ms):
        rig.frame(**{"charging_flag": 1, "soc_pct": 50, "pack_mv": 38000} | frame)
        rig.ms += every_ms


@pytest.mark.parametrize("start", [0, WRAP - 1_000_000, WRAP - 1])
def test_an_hour_at_2_a_is_2_ah(start: int) -> None:
    rig = PackRig(start=start)
    flow(rig, 3602, current_ma=2000)
    assert rig.value("charge_mah") == 2000
    assert rig.value("charge_time_s") == 3600


def test_mean_of_two_samples_counts() -> None:
    rig = PackRig()
    for _ in range(1800):
        flow(rig, 2, current_ma=1000)
        flow(rig, 2, current_ma=3000)
    assert rig.value("charge_mah") in (3998, 3999, 4000)


def test_nothing_is_lost_between_small_steps() -> None:
    rig = PackRig()
    flow(rig, 720, every_ms=200, current_ma=505)
    assert rig.value("charge_mah") == 100  # 101 mAh less one step


def test_gap_of_20_s_counts_and_a_longer_one_does_not() -> None:
    for gap_ms, mah in ((20_000, 11), (20_001, 0)):
        rig = PackRig(fresh_ms=60_000)
        rig.frame(current_ma=2000, charging_flag=1)
        rig.ms += gap_ms
        rig.frame(current_ma=2000, charging_flag=1)
        assert rig.value("charge_mah") == mah, gap_ms


def test_beyond_50_a_nothing_more_is_counted() -> None:
    rig = PackRig(fresh_ms=60_000)
    for _ in range(19):
        rig.frame(current_ma=300_000, charging_flag=1)
        rig.ms += 20_000
    assert rig.value("charge_mah") == 5000


def test_inflow_before_the_session_is_recognised_counts() -> None:
    rig = PackRig()
    flow(rig, 3602, charging_flag=0, current_ma=2000)
    assert rig.value("charge_mah") == 2000


def test_braking_is_no_charge() -> None:
    rig = PackRig()
    for _ in range(60):
        flow(rig, 10, charging_flag=0, current_ma=-8000)
        flow(rig, 4, charging_flag=0, current_ma=6000)
    assert (rig.value("charge_mah"), rig.value("charge_time_s")) == (0, 0)
    flow(rig, 62, charging_flag=0, current_ma=0)
    flow(rig, 362, current_ma=2000)
    assert rig.value("charge_mah") == 200


@pytest.mark.parametrize(("pause_s", "mah"), [(1798, 400), (1802, 200)])
def test_pause_of_less_than_half_an_hour_is_the_same_session(pause_s: int, mah: int) -> None:
    rig = PackRig()
    flow(rig, 362, current_ma=2000)
    flow(rig, pause_s, charging_flag=0, current_ma=0)
    assert rig.value("charge_mah") == 0
    flow(rig, 362, current_ma=2000)
    assert abs((rig.value("charge_mah") or 0) - mah) <= 2


def test_ride_ends_the_pause() -> None:
    rig = PackRig()
    flow(rig, 362, current_ma=2000)
    flow(rig, 10, charging_flag=0, current_ma=-8000)
    flow(rig, 70, charging_flag=0, current_ma=0)
    flow(rig, 362, current_ma=2000)
    assert rig.value("charge_mah") == 200


def test_pause_without_a_word_ends_the_session_too() -> None:
    rig = PackRig()
    flow(rig, 362, current_ma=2000)
    flow(rig, 4, charging_flag=0, current_ma=0)
    rig.ms += 1_900_000
    rig.pack.saturate(rig.now)
    flow(rig, 362, current_ma=2000)
    assert rig.value("charge_mah") == 200


def test_switching_off_ends_and_remembers_the_session() -> None:
    rig = PackRig()
    flow(rig, 362, current_ma=2000)
    rig.pack.forget()
    assert rig.pack.memory.kept[CHARGE_MAH] == 200
    assert rig.pack.memory.due == 1
    rig.pack.memory.kept[CHARGE_MAH] = 7
    rig.pack.forget()
    assert rig.pack.memory.kept[CHARGE_MAH] == 7
    rig.frame(current_ma=0, charging_flag=1)
    assert rig.value("charge_mah") == 0


def test_without_a_voltage_only_what_needs_one_is_missing() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.frame(current_ma=2000, soc_pct=50, charging_flag=1)
        rig.ms += 1000
    assert (rig.value("droop_s"), rig.value("untapered_s")) == (None, None)
    assert (rig.value("overtime_pct"), rig.value("stalled_pct")) == (0, 100)


def test_session_is_not_told_without_a_current() -> None:
    rig = PackRig()
    rig.frame(charging_flag=1, soc_pct=50, pack_mv=38000)
    assert rig.value("charge_mah") is None
    flow(rig, 4, current_ma=1000)
    rig.ms += 6000
    rig.frame(charging_flag=1)
    assert rig.value("charge_mah") is None


# --- charger_cc_only -----------------------------------------------------------------------------


def test_charger_without_a_voltage_of_its_own() -> None:
    charger = Charger(PackSpec(), 900)
    charger.charge(2000, 60_000, 0, 7200)
    assert charger.rig.state("charger_cc_only") == WARN
    near = next(event for event in charger.rig.events if event.code == "charger_cc_only")
    charge = Charger(PackSpec(), 900)
    while charge.pack.pack_mv < 41_790:
        charge.step(2000)
    # 3 % of 7.8 Ah are 7 min at 2 A; the pack is then well below what a board allows
    assert 400_000 < near.ms - charge.rig.ms < 450_000
    charge.charge(2000, 60_000, 0, 430)
    assert max(charge.pack.cells_mv) < 4230


def near_full(rig: PackRig, seconds: int, **frame: int) -> None:
    flow(rig, seconds, **{"soc_pct": 97, "pack_mv": 41_800, "current_ma": 2000} | frame)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({}, True),
        ({"pack_mv": 41_790}, True),
        ({"pack_mv": 41_780}, False),
        ({"current_ma": 1800}, True),
        ({"current_ma": 1790}, False),
    ],
)
def test_near_full_and_untapered(frame: dict[str, int], told: bool) -> None:
    rig = PackRig()
    flow(rig, 60, current_ma=2000)
    near_full(rig, 700, **frame)
    assert bool(rig.value("untapered_s")) is told


def test_five_minutes_are_enough_where_the_current_is_large() -> None:
    rig = PackRig()
    flow(rig, 60, current_ma=5000)
    near_full(rig, 300, current_ma=5000)
    assert rig.state("charger_cc_only") == CALM
    near_full(rig, 6, current_ma=5000)
    assert rig.state("charger_cc_only") == WARN
    near_full(rig, 10, current_ma=4000)
    assert rig.state("charger_cc_only") == CALM


def test_one_wrong_sample_neither_raises_the_most_nor_starts_the_time_anew() -> None:
    rig = PackRig()
    flow(rig, 60, current_ma=2000)
    flow(rig, 2, current_ma=20_000)
    flow(rig, 60, current_ma=2000)
    near_full(rig, 300)
    near_full(rig, 2, pack_mv=30_000)
    near_full(rig, 200)
    assert (rig.value("untapered_s") or 0) > 450


def test_a_current_that_stops_is_no_untapered_one() -> None:
    rig = PackRig()
    flow(rig, 60, current_ma=80)
    near_full(rig, 3600, current_ma=80)
    assert rig.value("untapered_s") == 0


def test_cells_in_series_may_come_from_the_board() -> None:
    rig = PackRig(series=0)
    flow(rig, 60, current_ma=5000)
    assert rig.value("untapered_s") is None
    rig.frame(cells=[4180] * 10)
    near_full(rig, 400, current_ma=5000)
    assert (rig.value("untapered_s") or 0) > 390


# --- charge_stalled ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "value"),
    [
        ({"current_ma": 0}, 50),
        ({"current_ma": 99}, 50),
        ({"current_ma": -99}, 50),
        ({"current_ma": 100}, 100),
        ({"current_ma": -100}, 100),
        ({"current_ma": 0, "charging_flag": 0}, 100),
        ({"current_ma": 0, "pack_mv": 40_990}, 50),
        ({"current_ma": 0, "pack_mv": 41_000}, 100),
    ],
)
def test_stalled_is_a_charger_without_current(frame: dict[str, int], value: int) -> None:
    rig = PackRig()
    flow(rig, 60, **frame)
    assert rig.value("stalled_pct") == value


def test_stalled_for_10_minutes_names_the_full_cell() -> None:
    for high_mv, cell in ((4149, 0), (4150, 4)):
        rig = PackRig()
        for _ in range(299):
            rig.frame(cells=[3900] * 3 + [high_mv] + [3900] * 6)
            flow(rig, 2, current_ma=0, pack_mv=39_000)
        assert rig.state("charge_stalled") == CALM
        flow(rig, 4, current_ma=0, pack_mv=39_000)
        assert rig.state("charge_stalled") == INFO
        assert rig.record("charge_stalled", "where") == cell


def test_charger_on_a_full_pack_has_not_stalled() -> None:
    rig = PackRig()
    flow(rig, 700, current_ma=0, soc_pct=90)
    flow(rig, 700, current_ma=0, soc_pct=0, pack_mv=41_500)  # a Happy BMS that lost its count
    assert rig.told("charge_stalled") == []


# --- charge_timer --------------------------------------------------------------------------------


def test_half_as_much_again_as_was_missing() -> None:
    rig = PackRig()  # 7.8 Ah
    flow(rig, 2, current_ma=2000, soc_pct=40, pack_mv=36_840)  # 3.66 V a cell at rest: 40 %
    flow(rig, 12_600, current_ma=2000)
    assert rig.value("overtime_pct") == 149
    flow(rig, 140, current_ma=2000)
    assert rig.state("charge_timer") == WARN
    flow(rig, 12, current_ma=0, charging_flag=0)
    assert rig.state("charge_timer") == CALM


@pytest.mark.parametrize(
    ("soc", "mv", "missing_permille"),
    [
        (40, 37_000, 600),
        (60, 36_840, 600),
        (95, 41_900, 300),
        (100, 42_000, 300),
        (0, 36_000, 1000),
    ],
)
def test_missing_goes_by_the_lower_of_percent_and_voltage(
    soc: int, mv: int, missing_permille: int
) -> None:
    rig = PackRig()
    flow(rig, 2, current_ma=2000, soc_pct=soc, pack_mv=mv)
    flow(rig, 3600, current_ma=2000)
    wanted = 2000 * 100 * 1000 // (7800 * missing_permille)
    assert abs((rig.value("overtime_pct") or 0) - wanted) <= 1


def test_a_larger_capacity_that_the_board_has_learned_counts() -> None:
    rig = PackRig()
    rig.frame(full_mah=15_600)
    flow(rig, 2, current_ma=2000, soc_pct=0)
    flow(rig, 3600, current_ma=2000)
    assert rig.value("overtime_pct") == 12


def test_nothing_is_overdue_where_no_capacity_or_no_start_is_known() -> None:
    rig = PackRig(profile="jbd")
    flow(rig, 3600, current_ma=2000)
    assert rig.value("overtime_pct") == 0
    assert rig.value("capacity_pct") is None
    assert rig.value("to_full_min") is None
    rig.frame(design_mah=7800)
    flow(rig, 60, current_ma=2000)
    assert (rig.value("overtime_pct") or 0) > 30
    assert rig.value("capacity_pct") == 100
    rig = PackRig(profile="jbd", design_mah=7800)
    rig.frame(current_ma=2000, charging_flag=1)
    rig.ms += 6000
    flow(rig, 3600, current_ma=2000)
    assert rig.value("overtime_pct") == 0


def test_charge_that_flows_on_2_h_after_the_target() -> None:
    rig = PackRig()
    flow(rig, 60, current_ma=2000, soc_pct=96, pack_mv=41_500)
    flow(rig, 7198, current_ma=100, soc_pct=97, pack_mv=41_500)
    assert rig.state("charge_timer") == CALM
    flow(rig, 8, current_ma=100, soc_pct=97, pack_mv=41_500)
    assert rig.state("charge_timer") == WARN
    assert rig.record("charge_timer", "limit") == 7200


@pytest.mark.parametrize(
    ("options", "frame"),
    [
        ({}, {"soc_pct": 96}),
        ({}, {"current_ma": 99}),
        ({}, {"pack_mv": 40_730}),  # the percent runs ahead of the voltage
        ({"charge_target_info_pct": 98}, {}),
        ({"charge_target_info_pct": None}, {"soc_pct": 96}),
    ],
)
def test_what_is_not_late(options: dict[str, int], frame: dict[str, int]) -> None:
    rig = PackRig(**options)
    late = {"soc_pct": 97, "pack_mv": 40_740, "current_ma": 200}
    flow(rig, 600, **late | frame)
    assert rig.value("late_s") == 0
    rig = PackRig(charge_target_info_pct=None)
    flow(rig, 602, **late)
    assert rig.value("late_s") == 600


# --- charger_droop -------------------------------------------------------------------------------


def test_no_rise_for_half_an_hour() -> None:
    rig = PackRig()
    flow(rig, 1802, current_ma=500)
    assert rig.state("charger_droop") == CALM
    flow(rig, 8, current_ma=500, pack_mv=37_990)
    assert rig.state("charger_droop") == INFO
    flow(rig, 10, current_ma=500, pack_mv=38_010)
    assert rig.state("charger_droop") == CALM


@pytest.mark.parametrize(
    "frame", [{"soc_pct": 80}, {"current_ma": 490}, {"charging_flag": 0, "current_ma": 0}]
)
def test_what_is_no_droop(frame: dict[str, int]) -> None:
    rig = PackRig()
    flow(rig, 2000, **{"current_ma": 500} | frame)
    assert rig.value("droop_s") == 0


def test_smaller_current_is_no_droop_of_the_pack() -> None:
    rig = PackRig()
    flow(rig, 60, current_ma=2000, pack_mv=38_240)
    flow(rig, 600, current_ma=1690, pack_mv=38_000)
    assert (rig.value("droop_s") or 0) in range(590, 601)


def test_one_wrong_voltage_is_no_high_mark() -> None:
    rig = PackRig()
    for second in range(2000):
        flow(rig, 2, current_ma=2000, pack_mv=65_000 if second == 9 else 38_000 + second)
    assert rig.told("charger_droop") == []


@pytest.mark.parametrize("chemistry", [NMC, LFP], ids=["nmc", "lfp"])
def test_slowest_honest_charge_rises_often_enough(chemistry: Any) -> None:
    """0.5 A into 20 Ah, through the flattest part of the curve."""
    charger = Charger(PackSpec(series=16, chemistry=chemistry, capacity_mah=20_000), 350)
    for _ in range(3 * 720):
        charger.step(500)
    assert charger.rig.told("charger_droop") == []


# --- capacity ------------------------------------------------------------------------------------


def measured(start_permille: int, wear_permille: int = 40, chemistry: Any = NMC) -> Charger:
    spec = PackSpec(wear_permille=wear_permille, chemistry=chemistry)
    charger = Charger(spec, start_permille)
    charger.charge(3000, spec.full_mv, 300, 6 * 3600)
    for _ in range(5):
        charger.step(0)
    return charger


def test_worn_pack_is_told_until_the_scooter_is_switched_off() -> None:
    charger = measured(100, wear_permille=360)
    assert charger.rig.state("capacity") == INFO
    assert abs(charger.rig.record("capacity", "value") - 64) <= 3
    charger.rig.pack.forget()
    charger.step(0)
    assert charger.rig.value("capacity_pct") == 100
    assert charger.rig.pack.memory.kept[CAPACITY_MAH] > 0


@pytest.mark.parametrize(
    ("start_permille", "chemistry", "known"),
    [(180, NMC, True), (240, NMC, False), (90, LFP, True), (180, LFP, False)],
)
def test_only_a_charge_from_low_down_measures(
    start_permille: int, chemistry: Any, known: bool
) -> None:
    charger = measured(start_permille, chemistry=chemistry)
    assert bool(charger.rig.pack.memory.kept[CAPACITY_MAH]) is known


def test_charge_that_did_not_end_full_measures_nothing() -> None:
    charger = Charger(PackSpec(), 100)
    charger.charge(3000, 42_000, 0, 3600)
    charger.step(0)
    charger.step(0)
    assert charger.rig.pack.memory.kept[CAPACITY_MAH] == 0


# --- time to full --------------------------------------------------------------------------------


def test_time_to_full_goes_by_the_boards_own_count() -> None:
    rig = PackRig()
    rig.frame(full_mah=8000, remaining_mah=6000)
    flow(rig, 4, current_ma=2000, soc_pct=50, remaining_mah=6000)
    assert rig.value("to_full_min") == 60 + 9
    flow(rig, 4, current_ma=2000, soc_pct=50, remaining_mah=9000)
    assert rig.value("to_full_min") == 9
    rig.ms += 6000
    flow(rig, 4, current_ma=2000, soc_pct=50)
    assert rig.value("to_full_min") == 120 + 9


def test_time_to_full_is_told_while_charge_flows_only() -> None:
    rig = PackRig()
    flow(rig, 4, current_ma=2000)
    assert rig.value("to_full_min") == 117 + 9
    flow(rig, 4, current_ma=1000)
    assert rig.value("to_full_min") == 234 * 16 // 10
    flow(rig, 10, current_ma=0)
    assert rig.value("to_full_min") is None
    flow(rig, 10, current_ma=-50)
    assert rig.value("to_full_min") is None


def test_stamps_are_kept_old() -> None:
    rig = PackRig()
    flow(rig, 10, current_ma=2000)
    for _ in range(WRAP // 3_600_000):
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms += WRAP - rig.ms % WRAP
    rig.frame(current_ma=2000, charging_flag=1)
    assert rig.value("charge_mah") == 4


def test_measured_capacity_outlives_the_supply() -> None:
    memory = Memory()
    memory.kept[CAPACITY_MAH] = 15_600
    buf = bytearray(SIZE)
    memory.write(buf)
    rig = PackRig()
    rig.pack.memory.read(buf)
    flow(rig, 2, current_ma=2000, soc_pct=0)
    flow(rig, 3600, current_ma=2000)
    assert rig.value("overtime_pct") == 12


def test_without_a_charge_all_that_counts_one_stands_at_nothing() -> None:
    rig = PackRig()
    flow(rig, 10, current_ma=-3000, soc_pct=50, pack_mv=37_000)
    slots = ("charge_mah", "charge_time_s", "untapered_s", "late_s", "droop_s")
    assert [rig.value(slot) for slot in slots] == [0] * len(slots)
    assert (rig.value("to_full_min"), rig.value("stalled_pct")) == (None, 100)


# --- exactly, the meter alone --------------------------------------------------------------------

CHARGES = {"charging": 1, "pack_mv": 38_000, "soc_pct": 50}


def alone(start: int = 0, memory: Memory | None = None, **options: Any) -> MeterRig:
    memory = memory or Memory()
    given = config.load({"profile": "m365", "series": 10, "design_mah": 10_000, **options})
    rig = MeterRig(Charge(given, memory), start)
    rig.t.series = given.series
    rig.memory = memory
    return rig


def course(rig: MeterRig, slot: str, every_ms: int, *currents: int, **told: int) -> list[Any]:
    """The slot after each current."""
    found = []
    for ma in currents:
        rig.tell(every_ms, current_ma=ma, **CHARGES | told)
        found.append(rig.value(slot))
    return found


@pytest.mark.parametrize("start", [0, (1 << 30) - 1500])
def test_a_second_at_3600_ma_is_a_milliampere_hour(start: int) -> None:
    assert course(alone(start), "charge_mah", 1000, 3600, 3600, 3600) == [0, 1, 2]
    assert course(alone(start), "charge_mah", 1000, 3599, 3599, 3599, 3602) == [0, 0, 1, 2]
    assert course(alone(start), "charge_mah", 1000, 0, 7200, 0, -7200, 7200) == [0, 1, 2, 2, 3]
    assert course(alone(start), "charge_mah", 1000, 3600, 3601, 3600) == [0, 1, 2]
    assert course(alone(start), "charge_mah", 20_000, 1800, 1800) == [0, 10]
    assert course(alone(start), "charge_mah", 20_001, 1800, 1800) == [0, 0]


def test_mean_current_is_50_a_at_most() -> None:
    rig = alone()
    told = course(rig, "charge_mah", 20_000, *[60_000] * 181)
    assert told[-1] == 50_000
    rig = alone()
    assert course(rig, "charge_mah", 20_000, *[49_999] * 181)[-1] == 49_999


def test_time_counts_while_two_samples_of_100_ma_flow() -> None:
    told = course(alone(), "charge_time_s", 1500, 100, 100, 100, 99, 100, 100, 0, 100, 5000)
    assert told == [0, 1, 3, 3, 3, 4, 4, 4, 6]
    rig = alone()
    assert course(rig, "charge_time_s", 20_001, 2000, 2000) == [0, 0]
    assert course(rig, "charge_time_s", 20_000, 2000, 2000) == [20, 40]


def test_totals_of_days_end_at_six_and_what_stands_for_weeks_stays_long() -> None:
    rig = alone(charge_target_info_pct=60)
    told = {"current_ma": 1000, "charging": 1, "soc_pct": 70, "pack_mv": 41_800}
    for sample in range(13 * 24 * 180):
        rig.tell(20_000, **told)
        if sample % 180 == 0:
            rig.saturate()
    assert (rig.value("charge_time_s"), rig.value("late_s")) == (536_870, 536_870)
    assert (rig.value("untapered_s") or 0) > 260_000
    assert (rig.value("droop_s") or 0) > 260_000


@pytest.mark.parametrize(("pause_ms", "mah"), [(1_799_999, 4), (1_800_000, 1)])
def test_pause_of_half_an_hour_to_the_millisecond(pause_ms: int, mah: int) -> None:
    rig = alone()
    course(rig, "charge_mah", 1000, 3600, 3600, 3600)
    assert course(rig, "charge_mah", 1000, 0, charging=0) == [0]
    assert rig.memory.kept[CHARGE_MAH] == 2
    course(rig, "charge_mah", pause_ms - 1000, 0, charging=0)
    course(rig, "charge_mah", 1000, 0)
    assert course(rig, "charge_mah", 1000, 3600, 3600)[-1] == mah


@pytest.mark.parametrize(("riding", "age_ms", "mah"), [(1, 0, 1), (0, 0, 4), (1, 5001, 4)])
def test_ride_in_a_pause_begins_anew_while_it_is_known(riding: int, age_ms: int, mah: int) -> None:
    rig = alone()
    course(rig, "charge_mah", 1000, 3600, 3600, 3600)
    course(rig, "charge_mah", 1000, 0, charging=0)
    rig.t.set(INDEX["riding"], riding)
    course(rig, "charge_mah", age_ms + 1000, 0, charging=0)
    course(rig, "charge_mah", 1000, 0)
    assert course(rig, "charge_mah", 1000, 3600, 3600)[-1] == mah


@pytest.mark.parametrize(("ma", "mah"), [(100, 2), (99, 0)])
def test_inflow_before_a_session_counts_from_100_ma_on(ma: int, mah: int) -> None:
    rig = alone()
    course(rig, "charge_mah", 1000, 7000, 7000, ma, charging=0)
    assert course(rig, "charge_mah", 1000, ma) == [mah]


@pytest.mark.parametrize(
    ("pack_mv", "ma", "soc", "permille"),
    [
        (37_540, 2000, 60, 500),  # 24 mV of 3754 are what 2 A cost
        (37_530, 2000, 60, 498),
        (37_530, 2000, 50, 498),
        (37_330, 333, 60, 500),
        (37_320, 333, 60, 498),
        (30_000, 2000, 60, 0),
        (37_549, 2000, 60, 500),
        (37_540, 2000, 50, 500),
        (37_540, 2000, 49, 490),
        (37_300, -5000, 60, 500),
        (37_300, 83, 60, 500),
        (37_310, 84, 60, 500),
        (43_300, 50_000, 60, 500),
        (43_300, 60_000, 60, 500),
        (None, 2000, 49, 490),
        (37_540, 2000, None, 500),
        (None, 2000, None, 0),
        (30_000, 2000, 0, 0),
    ],
)
def test_charge_at_the_start(pack_mv: int | None, ma: int, soc: int | None, permille: int) -> None:
    rig = alone()
    told = {"pack_mv": pack_mv, "soc_pct": soc}
    known = {name: value for name, value in told.items() if value is not None}
    rig.tell(charging=1, current_ma=ma, **known)
    rig.tell(1000, charging=0, current_ma=0, **known)
    assert rig.memory.kept[CHARGE_FROM_PERMILLE] == permille


def test_what_a_session_leaves_behind() -> None:
    rig = alone()
    rig.memory.now_s = 777
    course(rig, "charge_mah", 1000, 3600, 7200, 5400, 1800, pack_mv=37_730)
    assert rig.memory.due == 0
    course(rig, "charge_mah", 1000, 0, pack_mv=37_700, charging=0)
    memory = rig.memory
    assert (memory.kept[CHARGE_S], memory.kept[CHARGE_MV], memory.kept[CHARGE_MAH]) == (
        777,
        37_700,
        4,
    )
    assert (memory.kept[CHARGE_FROM_PERMILLE], memory.kept[CHARGE_MOST_MA], memory.due) == (
        500,
        5400,
        1,
    )
    assert memory.kept[CAPACITY_MAH] == 0
    memory.due = 0
    course(rig, "charge_mah", 1000, 0, 0, pack_mv=37_600, charging=0)
    assert (memory.kept[CHARGE_MV], memory.due) == (37_700, 0)


@pytest.mark.parametrize(
    ("options", "soc", "last_ma", "pack_mv", "capacity"),
    [
        ({}, 20, 1000, 41_790, 2500),
        ({}, 21, 1000, 41_790, 0),
        ({}, 20, 1001, 41_790, 0),
        ({}, 20, 1000, 41_789, 0),
        ({}, 10, 1000, 41_790, 2222),
        ({"chemistry": "lfp"}, 10, 1000, 36_317, 2222),
        ({"chemistry": "lfp"}, 11, 1000, 36_317, 0),
        ({"chemistry": "lfp"}, 10, 1000, 36_316, 0),
    ],
)
def test_capacity_of_a_full_charge(
    options: dict[str, str], soc: int, last_ma: int, pack_mv: int, capacity: int
) -> None:
    rig = alone(**options)
    rig.tell(current_ma=2000, charging=1, soc_pct=soc, pack_mv=41_000)
    rig.every(20_000, 180, current_ma=2000, charging=1, soc_pct=50, pack_mv=36_000)
    assert rig.value("charge_mah") == 2000
    told = {"charging": 1, "soc_pct": 99, "pack_mv": pack_mv}
    rig.tell(10, current_ma=last_ma, **told)
    rig.tell(10, current_ma=last_ma, **told)
    assert rig.value("capacity_pct") == 100
    rig.tell(10, current_ma=0, charging=0, soc_pct=99, pack_mv=pack_mv)
    assert rig.memory.kept[CAPACITY_MAH] == capacity
    assert rig.value("capacity_pct") == (capacity // 100 if capacity else 100)
    assert (rig.where("capacity_pct"), rig.count("capacity_pct")) == (0, rig.count("current_ma"))
    rig.forget()
    rig.tell(100, current_ma=0, pack_mv=40_000)
    assert rig.value("capacity_pct") == 100  # of another power-on


NEAR = {"pack_mv": 41_790, "soc_pct": 50, "charging": 1}


def near(rig: MeterRig, *currents: int, every_ms: int = 10_000, **told: int) -> list[Any]:
    return course(rig, "untapered_s", every_ms, *currents, **NEAR | told)


def test_untapered_from_3_percent_of_the_capacity_on() -> None:
    """1080 mA for 10 s are 3 mAh; two samples begin it."""
    rig = alone(design_mah=100)
    assert near(rig, 1080, 1080, 1080, 1080) == [0, 0, 10, 20]
    rig = alone(design_mah=101)
    assert near(rig, 1080, 1080, 1080, 1080) == [0, 0, 0, 20]
    assert (rig.where("untapered_s"), rig.count("untapered_s")) == (0, 4)
    assert near(rig, 1080, every_ms=999) == [20]
    assert near(rig, 1080, every_ms=1) == [21]


@pytest.mark.parametrize(
    ("currents", "told", "near_s"),
    [
        ((900, 900), {}, 20),  # 90 % of the most
        ((899, 900), {}, 20),  # one lower is chance
        ((900, 899), {}, 20),
        ((899, 899), {}, 0),
        ((900, 900), {"charging": 0}, 0),
    ],
)
def test_near_full_at_90_percent_of_the_most(
    currents: tuple[int, int], told: dict[str, int], near_s: int
) -> None:
    rig = alone(design_mah=30)
    near(rig, 1000, 1000)
    assert near(rig, *currents, **told)[-1] == near_s


def test_near_full_ends_with_two_voltages_below() -> None:
    rig = alone(design_mah=30)
    assert near(rig, 1000, 1000, 1000) == [0, 0, 10]
    assert near(rig, 1000, pack_mv=41_789) == [20]
    assert near(rig, 1000, pack_mv=41_789) == [0]
    assert near(rig, 1000) == [0]
    assert near(rig, 1000) == [10]


def test_near_full_needs_100_ma() -> None:
    for currents, told in (
        ((100, 100, 100), [0, 0, 20]),
        ((99, 99, 99, 99), [0, 0, 0, 0]),
        ((100, 100, 100, 99), [0, 0, 20, 0]),
    ):
        assert near(alone(design_mah=10), *currents, every_ms=20_000) == told


@pytest.mark.parametrize(
    ("soc", "pack_mv", "late"),
    [(97, 40_740, 20), (96, 40_740, 0), (97, 40_739, 0), (98, 41_000, 20)],
)
def test_late_counts_from_the_target_on_near_full(soc: int, pack_mv: int, late: int) -> None:
    rig = alone()
    told = course(rig, "late_s", 10_000, 1000, 1000, 1000, soc_pct=soc, pack_mv=pack_mv)
    assert told == [0, late // 2, late]
    assert rig.where("late_s") == 0
    assert course(rig, "late_s", 10_000, 99, soc_pct=soc, pack_mv=pack_mv) == [late]
    assert course(rig, "late_s", 10_000, 0, charging=0) == [0]


def test_late_goes_by_the_owners_target() -> None:
    rig = alone(charge_target_info_pct=80)
    assert course(rig, "late_s", 10_000, 1000, 1000, soc_pct=80, pack_mv=41_000) == [0, 10]
    assert course(rig, "late_s", 10_000, 1000, soc_pct=79, pack_mv=41_000) == [10]


@pytest.mark.parametrize(
    ("soc", "design_mah", "mah", "pct"),
    [
        (50, 1000, 5, 1),
        (49, 1000, 5, 0),  # 510 are missing
        (51, 1000, 5, 1),
        (70, 1000, 3, 1),
        (71, 1000, 3, 1),  # less than 300 are never said to be missing
        (90, 1000, 3, 1),
        (90, 1000, 2, 0),
        (69, 1000, 3, 0),
        (50, 0, 5, 0),
        (50, 1001, 5, 1),
        (50, 1002, 5, 0),
    ],
)
def test_overtime_of_what_was_missing(soc: int, design_mah: int, mah: int, pct: int) -> None:
    rig = alone(design_mah=design_mah)
    told = course(rig, "overtime_pct", 1000, *[3600] * (mah + 1), soc_pct=soc, pack_mv=41_000)
    assert told[-1] == pct
    assert rig.where("overtime_pct") == 0
    assert course(rig, "overtime_pct", 1000, 3600, charging=0) == [0]


def test_capacity_is_the_largest_anybody_knows() -> None:
    for board, learned, design, missing in (
        ({}, 0, 1000, 500),
        ({"full_mah": 2000}, 0, 1000, 1000),
        ({"full_mah": 900}, 0, 1000, 500),
        ({}, 3000, 1000, 1500),
        ({"design_mah": 4000}, 0, 0, 2000),
        ({"design_mah": 4000}, 0, 1000, 500),
        ({"design_mah": 4000, "full_mah": 600}, 0, 0, 300),
    ):
        rig = alone(design_mah=design)
        rig.memory.kept[CAPACITY_MAH] = learned
        rig.tell(**board)
        course(rig, "overtime_pct", 1000, *[36_000] * 11, pack_mv=43_000)
        assert rig.value("overtime_pct") == 100 * 100 // missing


@pytest.mark.parametrize(
    ("currents", "told", "value", "place"),
    [
        ((99, 99), {}, 50, 0),
        ((-99, 99), {}, 50, 0),
        ((99, -99), {}, 50, 0),
        ((100, 99), {}, 100, 0),
        ((99, 100), {}, 100, 0),
        ((-100, 0), {}, 100, 0),
        ((0, 0), {"charging": 0}, 100, 0),
        ((0, 0), {"pack_mv": 40_999}, 50, 0),
        ((0, 0), {"pack_mv": 41_000}, 100, 0),
        ((0, 0), {"highest_mv": 4149}, 50, 0),
        ((0, 0), {"highest_mv": 4150}, 50, 3),
    ],
)
def test_stalled_is_a_charger_without_a_current(
    currents: tuple[int, int], told: dict[str, int], value: int, place: int
) -> None:
    rig = alone()
    rig.t.where[INDEX["highest_mv"]] = 3
    course(rig, "stalled_pct", 0, 0)
    assert course(rig, "stalled_pct", 1000, *currents, **told)[-1] == value
    assert (rig.where("stalled_pct"), rig.count("stalled_pct")) == (place, 3)


def test_stalled_names_a_full_cell_while_it_is_known() -> None:
    rig = alone()
    rig.tell(highest_mv=4200)
    rig.t.where[INDEX["highest_mv"]] = 3
    course(rig, "stalled_pct", 2500, 0, 0)
    assert rig.where("stalled_pct") == 3
    course(rig, "stalled_pct", 1, 0)
    assert rig.where("stalled_pct") == 0


def test_stalled_without_a_number_of_cells() -> None:
    rig = alone(series=0)
    assert course(rig, "stalled_pct", 1000, 0, 0, pack_mv=41_000) == [50, 50]
    rig.t.groups = 10
    assert course(rig, "stalled_pct", 1000, 0, pack_mv=41_000) == [100]


def droop(rig: MeterRig, after: int, ma: int, mv: int, **told: int) -> Any:
    return course(rig, "droop_s", after, ma, pack_mv=mv, **told)[0]


def test_droop_is_the_time_since_the_last_rise() -> None:
    rig = alone()
    assert droop(rig, 0, 500, 37_000) == 0
    assert droop(rig, 1000, 500, 37_000) == 0  # two samples are the first mark
    assert droop(rig, 1000, 500, 37_000) == 1
    assert droop(rig, 999, 500, 37_001) == 1  # one voltage is chance
    assert droop(rig, 1, 500, 37_001) == 0
    assert droop(rig, 1999, 500, 37_000) == 1
    assert droop(rig, 1, 500, 37_001) == 2
    assert rig.where("droop_s") == 0


@pytest.mark.parametrize(
    ("ma", "told", "stands"),
    [
        (499, {}, 0),
        (500, {"soc_pct": 80}, 0),
        (500, {"soc_pct": 79}, 3),
        (500, {"charging": 0}, 0),
    ],
)
def test_droop_is_told_from_half_an_ampere_below_80_percent(
    ma: int, told: dict[str, int], stands: int
) -> None:
    rig = alone()
    found = [droop(rig, 1000, ma, 37_000, **told) for _ in range(5)]
    assert found[-1] == stands
    assert droop(rig, 1000, 499, 37_000) == 0
    assert droop(rig, 1000, 500, 36_000) == 0
    assert droop(rig, 1000, 500, 36_000) == 0  # a mark of its own
    assert droop(rig, 1000, 500, 36_000) == 1


@pytest.mark.parametrize(("ma", "stands"), [(1700, 3), (1699, 0)])
def test_a_current_smaller_by_300_ma_sets_another_mark(ma: int, stands: int) -> None:
    rig = alone()
    for _ in range(3):
        droop(rig, 1000, 2000, 37_000)
    assert droop(rig, 1000, ma, 36_900) == (2 if stands else 0)
    assert droop(rig, 1000, ma, 36_900) == (stands or 1)


@pytest.mark.parametrize(
    ("ma", "soc", "design_mah", "minutes"),
    [
        (2000, 50, 10_000, 162),  # 150, and 12 for the tail
        (2000, 99, 10_000, 15),
        (2000, 100, 10_000, 12),
        (2000, 101, 10_000, 12),
        (1999, 50, 10_000, 162),
        (2001, 50, 10_000, 160),  # 149.9 and 11.99
        (2000, 50, 0, None),
        (100, 50, 10_000, 3240),
        (99, 50, 10_000, None),
    ],
)
def test_minutes_to_full_of_a_steady_current(
    ma: int, soc: int, design_mah: int, minutes: int | None
) -> None:
    rig = alone(design_mah=design_mah)
    course(rig, "to_full_min", 1000, ma, ma, soc_pct=soc, pack_mv=41_000)
    assert (rig.value("to_full_min"), rig.where("to_full_min")) == (minutes, 0)
    course(rig, "to_full_min", 1000, ma, soc_pct=soc, charging=0)
    assert rig.count("to_full_min") == (2 if minutes is not None else 0)


@pytest.mark.parametrize(
    ("ma", "minutes"),
    [
        (4500, 66 + 5),  # nine tenths of the most
        (4499, 66 * 21 // 10),
        (4000, 75 * 21 // 10),
        (3500, 85 * 19 // 10),
        (3000, 100 * 18 // 10),
        (2500, 120 * 16 // 10),
        (2000, 150 * 14 // 10),
        (1500, 200 * 11 // 10),
        (1000, 300 * 7 // 10),
        (999, 0),
        (5500, 54 + 4),
    ],
)
def test_minutes_to_full_of_a_current_that_tapers(ma: int, minutes: int) -> None:
    rig = alone()
    course(rig, "to_full_min", 1000, 5000, 5000, 5000, pack_mv=43_000)
    told = course(rig, "to_full_min", 1000, ma, ma, pack_mv=43_000)
    assert told[0] == minutes


@pytest.mark.parametrize(
    ("board", "age_ms", "minutes"),
    [
        ({"remaining_mah": 4000, "full_mah": 8000}, 0, 120 + 12),
        ({"remaining_mah": 8000, "full_mah": 8000}, 0, 12),
        ({"remaining_mah": 9000, "full_mah": 8000}, 0, 12),
        ({"remaining_mah": 4000}, 0, 162),
        ({"full_mah": 8000}, 0, 162),
        ({"remaining_mah": 4000, "full_mah": 8000}, 5001, 162),
    ],
)
def test_minutes_to_full_by_the_boards_own_count(
    board: dict[str, int], age_ms: int, minutes: int
) -> None:
    rig = alone()
    rig.tell(**board)
    rig.now += age_ms
    assert course(rig, "to_full_min", 1000, 2000, 2000)[-1] == minutes


def test_only_a_new_current_is_taken() -> None:
    rig = alone()
    course(rig, "charge_mah", 1000, 3600, 3600)
    before = rig.count("charge_mah")
    rig.tell(1000, charging=0)
    assert (rig.value("charge_mah"), rig.count("charge_mah")) == (1, before)
    rig.tell(5001, current_ma=0, **CHARGES)
    rig.tell(5001, **CHARGES)
    assert rig.value("charge_mah") is None


def test_without_percent_or_voltage_the_rest_is_told() -> None:
    rig = alone()
    rig.tell(current_ma=2000, charging=1, pack_mv=41_800)
    slots = ("charge_mah", "untapered_s", "late_s", "droop_s", "stalled_pct", "overtime_pct")
    assert [rig.value(slot) for slot in slots] == [0, 0, None, None, None, None]
    rig = alone()
    rig.tell(current_ma=2000, charging=1, soc_pct=50)
    assert [rig.value(slot) for slot in slots] == [0, None, 0, None, 100, 0]
    rig.tell(5001, soc_pct=50, current_ma=2000, charging=1)
    assert rig.value("untapered_s") is None
    assert rig.value("capacity_pct") == 100


def test_switched_off_the_session_ends_and_all_begins_anew() -> None:
    rig = alone(design_mah=10)
    near(rig, 2000, 2000, 2000, soc_pct=97)
    rig.memory.now_s = 99
    rig.forget()
    assert (rig.memory.kept[CHARGE_MAH], rig.memory.kept[CHARGE_S]) == (11, 99)
    rig.forget()
    rig.memory.kept[CHARGE_S] = 0
    rig.forget()
    assert rig.memory.kept[CHARGE_S] == 0  # it has ended once
    assert near(rig, 1000, soc_pct=97) == [0]
    told = [rig.value(slot) for slot in ("charge_mah", "charge_time_s", "late_s", "overtime_pct")]
    assert told == [0, 0, 0, 0]
    assert near(rig, 1000, 1000, soc_pct=50) == [0, 10]  # 1 A is the most there was
    rig = alone()
    for _ in range(4):
        droop(rig, 1000, 2000, 38_000)
    rig.forget()
    assert [droop(rig, 1000, 2000, 37_000) for _ in range(3)] == [0, 0, 1]


def test_a_fortnight_does_not_make_a_session_young() -> None:
    for slot in ("charge_mah", "pause"):
        rig = alone()
        course(rig, "charge_mah", 1000, 3600, 3600, 3600, charging=1)
        if slot == "pause":
            course(rig, "charge_mah", 1000, 0, charging=0)
        for _ in range((1 << 30) // 3_600_000):
            rig.now += 3_600_000
            rig.saturate()
        rig.now = 5000
        told = course(rig, "charge_mah", 0, 3600, pack_mv=38_000)
        assert told == [2 if slot == "charge_mah" else 0]


def test_a_milliampere_hour_is_3600000_milliampere_milliseconds() -> None:
    rig = alone()
    course(rig, "charge_mah", 20_000, *[31] * 6)
    assert course(rig, "charge_mah", 16_129, 31) == [0]  # 3,599,999
    assert course(rig, "charge_mah", 1, 31) == [1]


def test_first_second_is_a_whole_one() -> None:
    told = {"soc_pct": 97, "pack_mv": 41_000}
    for slot in ("charge_time_s", "late_s"):
        rig = alone()
        assert course(rig, slot, 999, 2000, 2000, **told) == [0, 0]
        assert course(rig, slot, 1, 2000, **told) == [1]


def test_a_session_without_a_current_had_none() -> None:
    rig = alone()
    course(rig, "charge_mah", 1000, 0, 0)
    course(rig, "charge_mah", 1000, 0, charging=0)
    assert (rig.memory.kept[CHARGE_MOST_MA], rig.memory.kept[CHARGE_MAH]) == (0, 0)


def test_three_tenths_of_the_capacity_are_the_least_that_is_missing() -> None:
    rig = alone()
    told = course(rig, "overtime_pct", 1000, *[35_880] * 31, soc_pct=90, pack_mv=46_000)
    assert (rig.value("charge_mah"), told[-1]) == (299, 9)


@pytest.mark.parametrize("ended_by", ["half an hour", "a ride"])
def test_next_session_has_a_start_of_its_own(ended_by: str) -> None:
    rig = alone()
    course(rig, "charge_mah", 1000, 2000, 2000, soc_pct=20)
    course(rig, "charge_mah", 1000, 0, charging=0)
    assert rig.memory.kept[CHARGE_FROM_PERMILLE] == 200
    riding = {} if ended_by == "half an hour" else {"riding": 1}
    course(rig, "charge_mah", 1_800_000 if not riding else 1000, 0, charging=0, **riding)
    course(rig, "charge_mah", 1000, 2000, soc_pct=40, riding=0)
    course(rig, "charge_mah", 1000, 0, charging=0)
    assert rig.memory.kept[CHARGE_FROM_PERMILLE] == 400


def test_pause_keeps_the_start_of_the_session() -> None:
    rig = alone()
    course(rig, "charge_mah", 1000, 2000, 2000, soc_pct=20)
    course(rig, "charge_mah", 1000, 0, charging=0)
    course(rig, "charge_mah", 1000, 2000, soc_pct=40)
    course(rig, "charge_mah", 1000, 0, charging=0)
    assert rig.memory.kept[CHARGE_FROM_PERMILLE] == 200


@pytest.mark.parametrize(
    ("chemistry", "first", "capacity"),
    [
        ("nmc", {"pack_mv": 35_740}, 2500),  # 3550 mV and 24 for the current: 200 thousandths
        ("nmc", {"pack_mv": 35_750}, 0),
        ("nmc", {"pack_mv": 30_000}, 2000),  # from empty
        ("nmc", {}, 0),  # nobody knows from where
        ("lfp", {"pack_mv": 31_740}, 2222),
        ("lfp", {"pack_mv": 31_750}, 0),
    ],
)
def test_capacity_goes_by_the_voltage_it_began_at(
    chemistry: str, first: dict[str, int], capacity: int
) -> None:
    rig = alone(chemistry=chemistry)
    rig.tell(current_ma=2000, charging=1, **first)
    rig.every(20_000, 180, current_ma=2000, charging=1, pack_mv=36_000)
    rig.every(10, 2, current_ma=1000, charging=1, pack_mv=42_000)
    rig.tell(10, current_ma=0, charging=0, pack_mv=42_000)
    assert rig.memory.kept[CAPACITY_MAH] == capacity


def test_near_full_begins_anew_after_a_taper() -> None:
    rig = alone(design_mah=30)
    assert near(rig, 1000, 1000, 1000, 899, 899, 1000, 1000) == [0, 0, 10, 20, 0, 0, 10]


@pytest.mark.parametrize(("last_ms", "told"), [(2075, 0), (2223, 222)])
def test_3_percent_of_a_large_capacity_to_the_milliampere_hour(last_ms: int, told: int) -> None:
    """48.6 A for 20 s are 270 mAh; of 100 Ah 3000 are needed, and 2998 are not enough."""
    rig = alone(design_mah=100_000)
    near(rig, *[48_600] * 13, every_ms=20_000)
    assert rig.value("untapered_s") == 0
    assert near(rig, 48_600, every_ms=last_ms) == [told]


def test_half_a_mean_milliampere_is_dropped() -> None:
    assert course(alone(), "charge_mah", 2000, 3599, 0) == [0, 0]  # 1799 mA for 2 s
    assert course(alone(), "charge_mah", 2000, 0, 3599) == [0, 0]
    assert course(alone(), "charge_mah", 2000, 3600, -5, 0) == [
        0,
        1,
        1,
    ]  # out is no less than none
    assert course(alone(), "charge_mah", 2000, -5, 3600) == [0, 1]


def test_after_a_gap_one_sample_is_not_enough() -> None:
    rig = alone()
    course(rig, "to_full_min", 1000, 2000, 2000)
    assert rig.count("to_full_min") == 2
    course(rig, "to_full_min", 20_001, 2000)
    assert rig.count("to_full_min") == 2
    assert rig.value("droop_s") == 0


@pytest.mark.parametrize(("every_ms", "ma"), [(20_001, 1000), (10, 99), (10, 0), (10, -9)])
def test_time_in_which_no_charge_flows_is_not_late(every_ms: int, ma: int) -> None:
    rig = alone()
    told = course(rig, "late_s", every_ms, *[ma] * 1002, soc_pct=97, pack_mv=41_000)
    assert told[-1] == 0


def test_a_pause_that_is_over_ends_no_session_later() -> None:
    rig = alone()
    course(rig, "charge_mah", 20_000, 1800, 1800)
    course(rig, "charge_mah", 1000, 0, charging=0)
    course(rig, "charge_mah", 1000, 0)
    assert course(rig, "charge_mah", 20_000, *[1800] * 101)[-1] == 1015


def test_what_stood_when_the_charge_ended_begins_anew_with_the_next() -> None:
    rig = alone(design_mah=30)
    assert near(rig, 1000, 1000, 1000) == [0, 0, 10]
    assert near(rig, 1000, charging=0) == [0]
    assert rig.value("charge_time_s") == 0
    assert near(rig, 1000, 1000) == [0, 10]
    rig = alone()
    for _ in range(4):
        droop(rig, 1000, 2000, 37_000)
    assert rig.value("droop_s") == 2
    assert droop(rig, 1000, 2000, 37_000, charging=0) == 0
    assert [droop(rig, 1000, 2000, 37_000) for _ in range(2)] == [0, 1]


def test_without_a_voltage_nothing_is_told_of_one_that_does_not_charge() -> None:
    rig = alone()
    rig.tell(current_ma=0, charging=0, soc_pct=50)
    slots = ("untapered_s", "droop_s", "late_s", "charge_mah")
    assert [rig.value(slot) for slot in slots] == [None, None, 0, 0]


def test_capacity_in_per_cent_of_the_design_is_rounded_down() -> None:
    for design_mah, pct in ((2500, 100), (2501, 99), (1250, 200)):
        rig = alone(design_mah=design_mah)
        rig.tell(current_ma=2000, charging=1, soc_pct=20, pack_mv=41_000)
        rig.every(20_000, 180, current_ma=2000, charging=1, pack_mv=36_000)
        rig.every(10, 2, current_ma=1000, charging=1, pack_mv=42_000)
        rig.tell(10, current_ma=0, charging=0, pack_mv=42_000)
        rig.tell(10, current_ma=0, charging=0, pack_mv=42_000)
        assert (rig.memory.kept[CAPACITY_MAH], rig.value("capacity_pct")) == (2500, pct)


def test_charge_from_empty_may_be_overdue_too() -> None:
    rig = alone(design_mah=1000)
    told = course(rig, "overtime_pct", 1000, *[36_000] * 3, soc_pct=0, pack_mv=30_000)
    assert told == [0, 1, 2]


def test_capacity_of_almost_nothing_is_no_division_by_nothing() -> None:
    """The configuration allows it, and a board may tell it: what is missing is 1 mAh at least."""
    for design_mah in (1, 2, 3):
        rig = alone(design_mah=design_mah)
        told = course(rig, "overtime_pct", 1000, *[36_000] * 3, soc_pct=99, pack_mv=41_000)
        assert told == [0, 1000, 2000]

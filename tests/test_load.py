"""The load meter: resistances from clean steps, who gives way, and sag; against hand-made steps
and against the pack model."""

from random import Random

import pytest
from deckwatch.memory import BEST_UOHM, Memory
from deckwatch.meters.load import Estimate, Load
from deckwatch.meters.trip import Trip
from deckwatch.telemetry import INDEX
from pack_rig import MeterRig, PackRig
from packlab.made.chemistry import cold_permille
from packlab.made.pack import Pack
from packlab.made.spec import PackSpec


def load_of(rig: PackRig) -> Load:
    """The rig's load meter."""
    return next(meter for meter in rig.pack.meters if isinstance(meter, Load))


def volts(ma: int, uohm: int = 20_000, groups: int = 10, rest_mv: int = 3800) -> dict[str, object]:
    """A frame of equal groups at a current."""
    cells = [rest_mv + ma * uohm // 1_000_000] * groups
    return {"current_ma": ma, "pack_mv": sum(cells), "cells": cells}


def frames(rig: PackRig, ma: int, seconds: float = 1.0, temps: int = 200, **more: int) -> None:
    """Frames of one current, five a second."""
    rig.repeat(seconds, temps=[temps] * 2, **{**volts(ma), **more})


def pulls(rig: PackRig, count: int, **more: int) -> None:
    """Steps from no current to 10 A and back: two clean steps each."""
    for _ in range(count):
        frames(rig, 0, **more)
        frames(rig, -10_000, **more)


# --- estimates -----------------------------------------------------------------------------------


def test_three_readings_that_agree_are_an_estimate() -> None:
    estimate = Estimate()
    assert [estimate.take(reading) for reading in (1000, 1100, 1050)] == [False, True, True]
    assert (estimate.agreed, estimate.value) == (3, 1050)


def test_reading_a_fifth_away_agrees_and_one_more_does_not() -> None:
    for reading, agrees in ((1200, True), (1201, False), (800, True), (799, False)):
        estimate = Estimate()
        estimate.take(1000)
        assert estimate.take(reading) is agrees


def test_odd_reading_is_doubted_first_and_believed_when_it_goes_on() -> None:
    estimate = Estimate()
    for _ in range(3):
        estimate.take(1000)
    assert (estimate.take(3000), estimate.agreed, estimate.value) == (False, 2, 1000)
    assert (estimate.take(1000), estimate.agreed, estimate.value) == (True, 3, 1000)
    for agreed in (2, 1, 1):
        estimate.take(3000)
        assert estimate.agreed == agreed
    assert estimate.value == 3000


# --- the pack ------------------------------------------------------------------------------------


def test_resistance_is_known_with_the_third_clean_step() -> None:
    rig = PackRig()
    frames(rig, 0)
    for steps in range(1, 5):
        frames(rig, -10_000 if steps % 2 else 0)
        assert rig.value("pack_uohm") == (200_000 if steps >= 3 else None), steps
    assert rig.pack.memory.kept[BEST_UOHM] == 200_000
    assert rig.value("resistance_pct") == 100


@pytest.mark.parametrize(("ma", "known"), [(-4_999, False), (-5_000, True), (5_000, True)])
def test_step_is_5_a_or_more(ma: int, known: bool) -> None:
    rig = PackRig()
    for _ in range(3):
        frames(rig, 0)
        frames(rig, ma)
    assert (rig.value("pack_uohm") is not None) is known


@pytest.mark.parametrize(("ms", "known"), [(599, False), (600, True)])
def test_current_must_last(ms: int, known: bool) -> None:
    rig = PackRig()
    for ma in (0, -10_000) * 3:
        for wait in (ms, 50):
            rig.frame(**volts(ma))  # type: ignore[arg-type]
            rig.advance(wait)
    assert (rig.value("pack_uohm") is not None) is known


@pytest.mark.parametrize(("ma", "known"), [(-11_624, True), (-12_000, False)])
def test_current_that_drifts_does_not_last(ma: int, known: bool) -> None:
    rig = PackRig()
    for _ in range(3):
        frames(rig, 0)
        for now_ma in (-10_000, ma, -10_000, ma):
            frames(rig, now_ma, seconds=0.4)
    assert (rig.value("pack_uohm") is not None) is known


@pytest.mark.parametrize(("seconds", "known"), [(3.8, True), (5.6, False)])
def test_step_takes_5_s_at_the_most(seconds: float, known: bool) -> None:
    rig = PackRig()
    for _ in range(3):
        frames(rig, 0)
        for number in range(round(seconds * 5)):  # nothing lasts on the way
            rig.frame(**volts((-3000, -6500)[number % 2]))  # type: ignore[arg-type]
            rig.advance(200)
        frames(rig, -14_000)
    assert (rig.value("pack_uohm") is not None) is known


def test_voltage_of_another_moment_is_not_used() -> None:
    for apart, known in ((250, True), (251, False)):
        rig = PackRig()
        for ma in (0, -10_000) * 3:
            for _ in range(3):
                rig.hear(pack_mv=volts(ma)["pack_mv"])  # type: ignore[arg-type]
                rig.ms += apart
                rig.frame(current_ma=ma)
                rig.ms += 300
        assert (rig.value("pack_uohm") is not None) is known, apart


def test_voltage_told_after_its_current_counts_with_the_next() -> None:
    rig = PackRig()
    rig.frame(current_ma=0)
    assert rig.value("sag_permille") is None


def test_backward_and_absurd_steps_are_no_resistance() -> None:
    for mv in (38_000, 39_000, 37_995):  # none, negative, below a milliohm
        rig = PackRig()
        for _ in range(3):
            rig.repeat(1, current_ma=0, pack_mv=38_000)
            rig.repeat(1, current_ma=-10_000, pack_mv=mv)
        assert rig.value("pack_uohm") is None
    rig = PackRig()
    for _ in range(3):
        rig.repeat(1, current_ma=0, pack_mv=60_000)
        rig.repeat(1, current_ma=-5_000, pack_mv=34_000)
    assert rig.value("pack_uohm") is None


def test_large_steps_stay_small_numbers() -> None:
    rig = PackRig()
    for _ in range(3):
        rig.repeat(1, current_ma=0, pack_mv=60_000)
        rig.repeat(1, current_ma=-40_000, pack_mv=36_000)
    assert abs((rig.value("pack_uohm") or 0) - 600_000) <= 1000


def test_doubled_resistance_warns_after_two_steps_and_names_it() -> None:
    rig = PackRig()
    pulls(rig, 3)
    for _ in range(8):
        assert rig.state("sag") == ("clear", "ok") or rig.record("sag", "value") >= 200
        frames(rig, 0)
        rig.repeat(1, temps=[200] * 2, **volts(-10_000, 41_000))  # type: ignore[arg-type]
    assert rig.state("sag") == ("set", "warn")
    assert rig.record("sag", "value") >= 200
    assert rig.pack.memory.kept[BEST_UOHM] == 200_000


def test_resistance_is_compared_as_if_at_20_degrees() -> None:
    """Typical cells from -10 to 40 degC: within 7 % of what they have at 20 degC."""
    for dc in (-100, -50, 0, 100, 150, 200, 300, 400):
        rig = PackRig()
        uohm = 20_000 * cold_permille(dc) // 1000
        for _ in range(2):
            for ma in (0, -10_000):
                rig.repeat(1, temps=[dc] * 2, **volts(ma, uohm))  # type: ignore[arg-type]
        at_20 = rig.pack.memory.kept[BEST_UOHM]
        assert 0.93 <= at_20 / 200_000 <= 1.07, (dc, at_20)


def test_warmth_beyond_the_rule_is_held_at_its_end() -> None:
    for dc, factor in ((-300, 0.4), (700, 1.5)):
        rig = PackRig()
        pulls(rig, 2, temps=dc)
        if dc > -200:  # else the probe counts as open
            assert abs(rig.pack.memory.kept[BEST_UOHM] - 200_000 * factor) < 1000


def test_without_a_temperature_nothing_is_compared() -> None:
    rig = PackRig()
    for _ in range(3):
        for ma in (0, -10_000):
            rig.repeat(1, **volts(ma))  # type: ignore[arg-type]
    assert rig.value("pack_uohm") == 200_000
    assert rig.value("resistance_pct") is None
    assert rig.pack.memory.kept[BEST_UOHM] == 0


def test_best_is_stored_when_it_is_better_by_2_percent() -> None:
    rig = PackRig()
    rig.pack.meters = tuple(m for m in rig.pack.meters if not isinstance(m, Trip))
    for best, stored in ((203_000, 203_000), (205_000, 200_000)):
        rig.pack.memory.kept[BEST_UOHM] = best
        rig.pack.memory.due = 0
        pulls(rig, 3)
        assert rig.pack.memory.kept[BEST_UOHM] == stored
        assert rig.pack.memory.due == (0 if stored == best else 1)


# --- sag -----------------------------------------------------------------------------------------


def sags(rig: PackRig, *samples: tuple[int, int, int]) -> list[int | None]:
    """(ms since the one before, mA, mV) each."""
    told = []
    for wait, ma, mv in samples:
        rig.advance(wait)
        rig.frame(current_ma=ma, pack_mv=mv)
        told.append(rig.value("sag_permille"))
    return told


def test_sag_is_what_a_load_takes_within_2_s() -> None:
    rig = PackRig()
    light, loaded = (200, -1999, 40_000), (500, -5000, 34_000)
    assert sags(rig, light, loaded, loaded, (2000, -5000, 34_000), (1, -5000, 34_000)) == [
        0,
        150,
        150,
        150,
        0,
    ]


def test_load_is_counted_from_its_first_frame() -> None:
    rig = PackRig()
    assert sags(rig, (0, 0, 40_000), (500, -9000, 36_000), (2500, -9000, 34_000)) == [0, 100, 150]
    assert sags(rig, (1, -9000, 34_000)) == [0]


def test_load_that_grew_slowly_or_came_out_of_nothing_is_no_sag() -> None:
    rig = PackRig()
    assert sags(rig, (0, -6000, 34_000), (200, -6000, 34_000)) == [0, 0]
    assert sags(rig, (200, 0, 40_000), (200, -3000, 39_000), (2400, -9000, 34_000)) == [0, 0, 0]


def test_voltage_that_rises_is_no_sag() -> None:
    assert sags(PackRig(), (0, 0, 38_000), (200, -6000, 39_000)) == [0, 0]


def test_sag_warns_with_two_frames_and_clears_after_30_s() -> None:
    rig = PackRig()
    sags(rig, (0, 0, 40_000), (200, -20_000, 34_000))
    assert rig.events == []
    sags(rig, (200, -20_000, 33_000))
    assert rig.state("sag") == ("set", "warn")
    assert rig.record("sag", "peak") == 175
    rig.repeat(29, current_ma=-1000, pack_mv=39_000)
    assert rig.state("sag") == ("set", "warn")
    rig.repeat(3, current_ma=-1000, pack_mv=39_000)
    assert rig.state("sag") == ("clear", "ok")


def test_current_that_went_stale_begins_anew() -> None:
    rig = PackRig()
    sags(rig, (0, 0, 40_000))
    rig.advance(6000)
    assert sags(rig, (0, -9000, 30_000)) == [0]


# --- groups --------------------------------------------------------------------------------------


def ride(rig: PackRig, steps: int, weak: int = 3, factor: float = 1.0) -> None:
    """Clean steps of 10 A of ten groups of 20 milliohms, one of them `factor` times as many."""
    for number in range(steps):
        ma = -10_000 if number % 2 else 0
        drop = -ma * 20 // 1000
        cells = [3800 - drop] * 10
        cells[weak - 1] = 3800 - round(drop * factor)
        rig.repeat(1, current_ma=ma, pack_mv=sum(cells), cells=cells, temps=[200] * 2)


def test_group_resistances_are_known_with_the_third_step() -> None:
    rig = PackRig()
    ride(rig, 3, factor=1.5)
    meter = load_of(rig)
    assert meter.group_uohm(0) == 0
    ride(rig, 2, factor=1.5)
    assert meter.group_uohm(0) == 20_000
    assert meter.group_uohm(2) == 30_000


@pytest.mark.parametrize(("factor", "ratio"), [(1.595, 159), (1.6, 160), (2.0, 200)])
def test_weak_group_warns_with_the_third_step(factor: float, ratio: int) -> None:
    rig = PackRig()
    ride(rig, 3, factor=factor)
    assert rig.state("weak_cell") == ("clear", "ok")
    ride(rig, 2, factor=factor)
    assert (rig.value("weak_ratio_pct"), rig.where("weak_ratio_pct")) == (ratio, 3)
    assert rig.state("weak_cell") == (("set", "warn") if ratio >= 160 else ("clear", "ok"))


def test_weak_group_by_its_sag_alone() -> None:
    rig = PackRig(weak_cell_warn_pct=None)
    ride(rig, 5, factor=1.59)
    assert rig.value("weak_sag_mv") == 118
    assert rig.state("weak_cell") == ("clear", "ok")
    ride(rig, 5, factor=1.6)
    assert rig.record("weak_cell", "value") == 120


def test_another_group_each_time_is_no_weak_group() -> None:
    rig = PackRig()
    for number in range(12):
        ride(rig, 2, weak=1 + number % 10, factor=2.0)
    assert rig.told("weak_cell") == []


def test_group_that_recovers_clears_with_three_steps() -> None:
    rig = PackRig()
    ride(rig, 6, factor=2.0)
    assert rig.state("weak_cell") == ("set", "warn")
    ride(rig, 12, factor=1.0)
    assert rig.state("weak_cell") == ("clear", "ok")


def test_cells_read_while_the_current_moves_are_not_used() -> None:
    """The set comes between two currents; only the next tells that it was no clean one."""
    rig = PackRig()
    for _ in range(6):
        for ma, cells in ((0, [3800] * 10), (-10_000, [3800] * 9 + [3300])):
            rig.repeat(1, current_ma=0)
            rig.frame(cells=cells)
            rig.advance(100)
            rig.frame(current_ma=ma)
    assert rig.value("weak_ratio_pct") == 100
    assert rig.told("weak_cell") == []


def between(rig: PackRig, before: int, after: int, mv: int, apart_ms: tuple[int, int]) -> None:
    """One set of cells between two currents, so far from either."""
    rig.frame(current_ma=before)
    rig.advance(apart_ms[0])
    rig.frame(cells=[mv] * 9 + [mv - (3800 - mv)])
    rig.advance(apart_ms[1])
    rig.frame(current_ma=after)
    rig.advance(100)


@pytest.mark.parametrize(
    ("after", "apart_ms", "clean"),
    [
        (-20_000, (1500, 1500), True),
        (-20_000, (1501, 100), False),
        (-20_000, (100, 1501), False),
        (-17_000, (100, 100), True),
        (-16_999, (100, 100), False),
    ],
)
def test_currents_beside_a_set_are_near_and_alike(
    after: int, apart_ms: tuple[int, int], clean: bool
) -> None:
    rig = PackRig()
    between(rig, 0, 0, 3800, (100, 100))
    between(rig, -20_000, after, 3500, apart_ms)
    assert (rig.value("weak_ratio_pct") == 200) is clean


@pytest.mark.parametrize(
    ("before", "after", "clean"),
    [(-5000, -5000, True), (-4999, -4999, False), (-4000, -6668, False), (-4166, -6666, True)],
)
def test_step_is_5_a_and_twice_what_moved_beside_it(before: int, after: int, clean: bool) -> None:
    rig = PackRig()
    between(rig, 0, 0, 3800, (100, 100))
    between(rig, before, after, 3600, (100, 100))
    assert (rig.value("weak_ratio_pct") == 200) is clean


def test_set_that_makes_no_clean_step_leaves_the_one_before_it() -> None:
    rig = PackRig()
    between(rig, 0, 0, 3800, (100, 100))
    between(rig, -3000, -3000, 3700, (100, 100))
    between(rig, -6000, -6000, 3600, (100, 100))
    assert rig.value("weak_ratio_pct") == 200


def test_set_begun_before_the_step_is_not_used() -> None:
    rig = PackRig()
    rig.repeat(1, current_ma=0)
    rig.hear(cells=dict.fromkeys(range(5), 3800))
    rig.ms += 400
    rig.hear(current_ma=-10_000)
    rig.ms += 50
    rig.frame(cells=dict.fromkeys(range(5, 10), 3300))
    assert load_of(rig)._waits is False


@pytest.mark.parametrize(("seconds", "known"), [(8.0, True), (12.0, False)])
def test_sets_of_one_step_lie_within_10_s(seconds: float, known: bool) -> None:
    rig = PackRig()
    rig.repeat(2, **volts(0))  # type: ignore[arg-type]
    for number in range(round(seconds * 5)):
        rig.frame(current_ma=(-3000, -6500)[number % 2])
        rig.advance(200)
    rig.repeat(2, **volts(-14_000))  # type: ignore[arg-type]
    assert (rig.t.count[INDEX["weak_ratio_pct"]] > 1) is known


@pytest.mark.parametrize(("mv", "known"), [(19, False), (20, True)])
def test_small_drops_tell_nothing(mv: int, known: bool) -> None:
    rig = PackRig()
    for ma, cells in ((0, [3800] * 10), (-10_000, [3800 - mv] * 9 + [3500])):
        rig.repeat(1, current_ma=ma, cells=cells)
    assert (rig.value("weak_ratio_pct") != 100) is known


def test_impossible_cells_are_not_used() -> None:
    rig = PackRig()
    for ma, mv in ((0, 3800), (-10_000, 0)):
        rig.repeat(1, current_ma=ma, cells=[3800 + ma // 50] * 9 + [mv])
    assert rig.value("weak_ratio_pct") == 100


def test_steps_that_disagree_begin_the_groups_anew() -> None:
    rig = PackRig()
    ride(rig, 6)
    meter = load_of(rig)
    assert meter.group_uohm(4) == 20_000
    for number in range(12):
        ma = -10_000 if number % 2 else 0
        rig.repeat(1, **volts(ma, 40_000), temps=[200] * 2)  # type: ignore[arg-type]
    assert meter.group_uohm(4) == 40_000


def test_without_fresh_cells_nothing_is_told_of_groups() -> None:
    rig = PackRig()
    ride(rig, 6, factor=2.0)
    rig.repeat(6, current_ma=0)
    assert rig.value("weak_ratio_pct") is None
    assert rig.state("weak_cell") == ("unknown", "warn")


def test_estimates_outlive_switching_off_and_steps_do_not() -> None:
    rig = PackRig()
    pulls(rig, 3)
    frames(rig, 0)
    rig.pack.forget()
    rig.round()
    frames(rig, -10_000)
    assert rig.value("pack_uohm") is None  # no step was seen since
    assert load_of(rig)._pack.value == 200_000
    assert load_of(rig)._pack.agreed == 3


def test_two_weeks_of_standing_are_no_step() -> None:
    wrap = 1 << 30
    rig = PackRig()
    frames(rig, 0)
    taken = rig.ms
    for _ in range(wrap // 3_600_000):
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms = taken + wrap
    meter = load_of(rig)
    meter._count = -1
    rig.hear(**volts(-10_000))  # type: ignore[arg-type]
    rig.round()
    assert meter._loaded_mv == 0
    assert not meter._from_pack_mv or (rig.now - meter._from_at) % wrap > 5000


# --- against the pack model ----------------------------------------------------------------------


def modelled(rig: PackRig, pack: Pack, random: Random, ambient_dc: int) -> None:
    """Pulls of different strength, as a board with 1 mV and 10 mA tells them."""
    for _ in range(8):
        for ma in (0, -random.randint(8_000, 20_000)):
            for _ in range(10):
                pack.current_ma = ma + random.randint(-150, 150)
                pack.advance(200, ambient_dc)
                noisy = [mv + random.randint(-1, 1) for mv in pack.cells_mv]
                rig.frame(
                    current_ma=pack.current_ma // 10 * 10,
                    pack_mv=pack.pack_mv // 10 * 10,
                    cells=noisy,
                    temps=pack.temps_dc,
                )
                rig.advance(200)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("temp_dc", "series"), [(200, 10), (0, 13), (350, 16)])
def test_resistances_of_the_model_are_found(seed: int, temp_dc: int, series: int) -> None:
    """Stated error: the pack's within 4 %, a group's within 8 %, the weak one is named."""
    random = Random(seed)
    pack = PackSpec(series=series).build(random, 600, temp_dc, weak_group=4, weak_permille=350)
    rig = PackRig(series=series)
    modelled(rig, pack, random, temp_dc)
    cold = cold_permille(pack.temps_dc[0])
    real = [group.resistance_uohm * cold // 1000 for group in pack.groups]
    assert abs((rig.value("pack_uohm") or 0) / sum(real) - 1) <= 0.04
    meter = load_of(rig)
    for group, uohm in enumerate(real):
        assert abs(meter.group_uohm(group) / uohm - 1) <= 0.08, group
    assert rig.where("weak_ratio_pct") == 4
    assert rig.state("weak_cell") == ("set", "warn")


@pytest.mark.parametrize("seed", range(4))
def test_healthy_pack_of_the_model_is_innocent(seed: int) -> None:
    random = Random(seed)
    pack = PackSpec(series=10).build(random, 600, 200)
    rig = PackRig(series=10)
    modelled(rig, pack, random, 200)
    assert rig.told("weak_cell") == rig.told("sag") == []
    assert 95 <= (rig.value("resistance_pct") or 0) <= 110


@pytest.mark.parametrize(
    ("wait_ms", "ma", "permille"),
    [(2500, -5000, 100), (2501, -5000, 0), (2500, -4999, 0)],
)
def test_sag_begins_at_5_a_no_later_than_2500_ms_after_light(
    wait_ms: int, ma: int, permille: int
) -> None:
    rig = PackRig()
    rig.frame(current_ma=0, pack_mv=40_000)
    rig.ms += wait_ms
    rig.frame(current_ma=ma, pack_mv=36_000)
    assert rig.value("sag_permille") == permille


# --- exactly, the meter alone --------------------------------------------------------------------


def alone(groups: int = 3, start: int = 0) -> MeterRig:
    rig = MeterRig(Load(0, Memory()), start)
    rig.memory = rig.meter._memory
    rig.t.groups = groups
    return rig


def level(rig: MeterRig, ma: int, mv: int, lasts_ms: int = 600, **told: int) -> None:
    """A current that lasts so long."""
    rig.tell(100, current_ma=ma, pack_mv=mv, **told)
    rig.tell(lasts_ms, current_ma=ma, pack_mv=mv, **told)


def steps(rig: MeterRig, count: int, ma: int, drop_mv: int, **told: int) -> None:
    """So many clean steps between no current and one under which the pack drops."""
    for number in range(count + 1):
        level(rig, ma * (number % 2), 60_000 - drop_mv * (number % 2), **told)


@pytest.mark.parametrize(
    ("ma", "drop_mv", "uohm"),
    [
        (-5000, 5, 1000),
        (-10_000, 9, None),  # 900
        (-5000, 1000, 200_000),
        (-4999, 1000, None),
        (5000, -1000, 200_000),
        (-5003, 1000, 199_880),  # in steps of 10, rounded down
        (-9999, 10_000, 1_000_100),
        (-10_000, 10_001, 1_000_133),  # halved: down 1,000,200 and up 1,000,000
        (-5000, 24_990, 4_998_133),
        (-5000, 25_000, None),
        (-10_000, -1000, None),
    ],
)
def test_resistance_of_the_pack_in_steps_of_10_microohms(
    ma: int, drop_mv: int, uohm: int | None
) -> None:
    rig = alone()
    steps(rig, 3, ma, drop_mv)
    told = rig.value("pack_uohm")
    assert told == uohm
    assert (rig.where("pack_uohm"), rig.count("pack_uohm")) == (0, 1 if told else 0)


def test_estimate_is_a_running_mean() -> None:
    estimate = Estimate()
    values = []
    for reading in (1000, 1100, 1200, 1201, 950):
        estimate.take(reading)
        values.append(estimate.value)
    assert values == [1000, 1050, 1100, 1133, 1072]


@pytest.mark.parametrize(("on_the_way_ms", "known"), [(4400, True), (4401, False)])
def test_step_ends_5_s_after_the_current_before_it(on_the_way_ms: int, known: bool) -> None:
    rig = alone()
    for ma, mv in ((0, 60_000), (-10_000, 59_000)) * 2:
        rig.tell(on_the_way_ms, current_ma=ma, pack_mv=mv)
        rig.tell(600, current_ma=ma, pack_mv=mv)
    assert (rig.value("pack_uohm") == 100_000) is known


@pytest.mark.parametrize(("lasts_ms", "known"), [(600, True), (599, False)])
def test_both_currents_of_a_step_last(lasts_ms: int, known: bool) -> None:
    for short in (0, -10_000):
        rig = alone()
        for ma, mv in ((0, 60_000), (-10_000, 59_000)) * 3:
            level(rig, ma, mv, lasts_ms if ma == short else 600)
        assert (rig.value("pack_uohm") is not None) is known


@pytest.mark.parametrize(
    ("began_ma", "ma", "lasts"),
    [(0, 999, True), (0, 1000, False), (-16_000, -17_999, True), (-16_000, -18_000, False)],
)
def test_current_lasts_within_an_ampere_and_a_sixteenth(
    began_ma: int, ma: int, lasts: bool
) -> None:
    rig = alone()
    for number in range(4):
        if number % 2:
            level(rig, -40_000, 50_000)
        else:
            rig.tell(100, current_ma=began_ma, pack_mv=60_000)
            rig.tell(300, current_ma=ma, pack_mv=60_000)
            rig.tell(300, current_ma=began_ma, pack_mv=60_000)
    assert (rig.value("pack_uohm") is not None) is lasts


def test_one_step_is_taken_of_a_current_however_long_it_lasts() -> None:
    rig = alone()
    level(rig, 0, 60_000)
    level(rig, -10_000, 59_000)
    rig.every(600, 4, current_ma=-10_000, pack_mv=59_000)
    assert rig.value("pack_uohm") is None
    level(rig, 0, 60_000)
    assert rig.value("pack_uohm") is None
    level(rig, -10_000, 59_000)
    assert rig.value("pack_uohm") == 100_000


def test_voltage_and_current_of_one_moment() -> None:
    for apart_ms, known in ((250, True), (251, False)):
        for first in ("pack_mv", "current_ma"):
            rig = alone()
            for ma, mv in ((0, 60_000), (-10_000, 59_000)) * 2:
                told = {"pack_mv": mv, "current_ma": ma}
                for _ in range(2):
                    rig.now += 600 - apart_ms
                    rig.t.begin(rig.now)
                    rig.t.set(INDEX[first], told[first])
                    rig.tell(apart_ms, **{n: v for n, v in told.items() if n != first})
            assert (rig.value("pack_uohm") == 100_000) is known, first


@pytest.mark.parametrize(
    ("dc", "at_20"),
    [
        (200, 200_000),
        (199, 199_600),
        (-100, 80_000),
        (-101, 80_000),
        (-99, 80_400),
        (450, 300_000),
        (451, 300_000),
        (449, 299_600),
    ],
)
def test_resistance_at_20_degrees_is_exact(dc: int, at_20: int) -> None:
    rig = alone()
    steps(rig, 3, -5000, 1000, coldest_dc=dc)
    assert (rig.memory.kept[BEST_UOHM], rig.memory.due) == (at_20, 1)
    assert (rig.value("resistance_pct"), rig.where("resistance_pct")) == (100, 0)
    assert rig.count("resistance_pct") == 2


@pytest.mark.parametrize(
    ("best", "kept", "pct"),
    [
        (204_081, 204_081, 98),
        (204_082, 200_000, 100),
        (100_000, 100_000, 200),
        (100_009, 100_009, 200),
    ],
)
def test_best_is_replaced_by_one_2_percent_better(best: int, kept: int, pct: int) -> None:
    rig = alone()
    rig.memory.kept[BEST_UOHM] = best
    steps(rig, 3, -5000, 1000, coldest_dc=200)
    assert (rig.memory.kept[BEST_UOHM], rig.value("resistance_pct")) == (kept, pct)
    assert rig.memory.due == (1 if best != kept else 0)


def test_hundredths_of_a_milliohm_are_dropped() -> None:
    rig = alone()
    steps(rig, 3, -5003, 1000, coldest_dc=200)  # 199,880
    assert rig.memory.kept[BEST_UOHM] == 199_800
    rig = alone()
    rig.memory.kept[BEST_UOHM] = 150_000
    steps(rig, 3, -5003, 1000, coldest_dc=200)
    assert rig.value("resistance_pct") == 133


def test_growth_is_told_from_the_first_moment_with_a_temperature() -> None:
    rig = alone()
    rig.tell(current_ma=0, pack_mv=60_000)
    assert rig.value("resistance_pct") is None
    rig.tell(100, current_ma=0, pack_mv=60_000, coldest_dc=200)
    assert (rig.value("resistance_pct"), rig.count("resistance_pct")) == (100, 1)
    rig.tell(100, current_ma=0, pack_mv=0, coldest_dc=200)
    assert rig.t.stamp[INDEX["resistance_pct"]] == 100  # no voltage, no news


def sag(rig: MeterRig, after: int, ma: int, mv: int) -> int | None:
    rig.tell(after, current_ma=ma, pack_mv=mv)
    assert rig.where("sag_permille") == 0
    assert rig.count("sag_permille") == rig.count("current_ma")
    return rig.value("sag_permille")


@pytest.mark.parametrize(
    ("light_ma", "load_ma", "told"),
    [
        (-1999, -5000, 50),
        (1999, -5000, 50),
        (-2000, -5000, 0),
        (2000, -5000, 0),
        (0, -4999, 0),
        (0, 5000, 0),
    ],
)
def test_sag_from_less_than_2_a_to_5_a_and_more(light_ma: int, load_ma: int, told: int) -> None:
    rig = alone()
    assert sag(rig, 0, light_ma, 40_000) == 0
    assert sag(rig, 100, load_ma, 38_000) == told


@pytest.mark.parametrize(("mv", "told"), [(38_001, 49), (38_000, 50), (40_000, 0), (40_100, 0)])
def test_sag_is_in_whole_thousandths(mv: int, told: int) -> None:
    rig = alone()
    sag(rig, 0, 0, 40_000)
    assert sag(rig, 100, -9000, mv) == told


def test_sag_is_told_for_two_and_a_half_seconds_of_load() -> None:
    for wait_ms, told in ((2500, 50), (2501, 0)):
        rig = alone(start=100_000)
        sag(rig, 0, 0, 40_000)
        assert sag(rig, wait_ms, -9000, 38_000) == told  # since the light current
        rig = alone()
        sag(rig, 0, 0, 40_000)
        sag(rig, 500, -9000, 38_000)
        assert sag(rig, wait_ms, -9000, 38_000) == told  # since the load


def test_each_load_is_measured_from_the_light_current_before_it() -> None:
    rig = alone()
    sag(rig, 0, 0, 40_000)
    assert sag(rig, 100, -9000, 38_000) == 50
    assert sag(rig, 100, -4000, 38_000) == 0
    assert sag(rig, 100, -9000, 36_000) == 100  # of the same light one
    assert sag(rig, 100, 0, 39_000) == 0
    assert sag(rig, 100, -9000, 36_000) == 76


# groups


def cells_at(rig: MeterRig, ma: int, cells: list[int], **told: int) -> None:
    """A set of cells between two samples of a current."""
    rig.tell(100, current_ma=ma)
    rig.tell(100, cells=cells, **{"highest_mv": max(cells), "wild_cells": 0} | told)
    rig.tell(100, current_ma=ma)


def weak(rig: MeterRig) -> tuple[int | None, int | None, int]:
    """Ratio, millivolts and group."""
    assert rig.where("weak_ratio_pct") == rig.where("weak_sag_mv")
    assert rig.count("weak_ratio_pct") == rig.count("weak_sag_mv")
    return rig.value("weak_ratio_pct"), rig.value("weak_sag_mv"), rig.where("weak_sag_mv")


def test_weakest_group_against_the_median_up_and_down() -> None:
    rig = alone()
    cells_at(rig, 0, [3800, 3800, 3800])
    assert weak(rig) == (100, 0, 0)
    assert rig.count("weak_sag_mv") == 1
    cells_at(rig, -10_000, [3700, 3633, 3690])
    assert weak(rig) == (151, 57, 2)  # 167 of 110
    assert rig.count("weak_sag_mv") == 2
    cells_at(rig, 0, [3810, 3810, 3800])
    assert weak(rig) == (160, 67, 2)  # 177 of 110
    cells_at(rig, -10_000, [3610, 3710, 3700])
    assert weak(rig) == (100, 0, 1)  # another one: not yet agreed
    cells_at(rig, 0, [3810, 3810, 3810])
    assert weak(rig) == (181, 90, 1)


def test_of_equally_weak_groups_the_first_is_named() -> None:
    rig = alone()
    cells_at(rig, 0, [3800] * 3)
    cells_at(rig, -10_000, [3780, 3600, 3600])
    assert weak(rig) == (100, 0, 2)


@pytest.mark.parametrize(("drop_mv", "told"), [(19, (100, 0, 0)), (20, (1000, 180, 3))])
def test_median_group_drops_by_20_mv_or_nothing_is_told(
    drop_mv: int, told: tuple[int, int, int]
) -> None:
    rig = alone()
    cells_at(rig, 0, [3800] * 3)
    cells_at(rig, -10_000, [3800 - drop_mv, 3800 - drop_mv, 3600])
    assert weak(rig) == told


def test_group_resistances_are_means_of_three_steps() -> None:
    rig = alone()
    cells_at(rig, 0, [3800] * 3)
    cells_at(rig, -10_000, [3700, 3600, 3800])
    cells_at(rig, 0, [3800] * 3)
    assert [rig.meter.group_uohm(group) for group in range(3)] == [0, 0, 0]
    cells_at(rig, -10_000, [3700, 3570, 3810])
    found = [rig.meter.group_uohm(group) for group in range(3)]
    assert found == [10_000, 21_000, 0]
    cells_at(rig, 0, [3800] * 3)
    assert rig.meter.group_uohm(1) == 21_666


def test_group_resistance_ends_at_16_bits() -> None:
    rig = alone()
    for ma, cells in ((0, [3800] * 3), (-5000, [3700, 3700, 3472])) * 2:
        cells_at(rig, ma, cells)
    assert rig.meter.group_uohm(2) == 65_535
    rig = alone()
    for ma, cells in ((0, [3800] * 3), (-5000, [3700, 3700, 3473])) * 2:
        cells_at(rig, ma, cells)
    assert rig.meter.group_uohm(2) == 65_400


def test_group_steps_that_disagree_begin_anew() -> None:
    rig = alone()
    for ma, cells in ((0, [3800] * 3), (-10_000, [3700] * 3)) * 2:
        cells_at(rig, ma, cells)
    assert rig.meter.group_uohm(0) == 10_000
    cells_at(rig, 0, [4000] * 3)
    assert rig.meter.group_uohm(0) == 0
    cells_at(rig, -10_000, [3900] * 3)
    assert rig.meter.group_uohm(0) == 10_000


@pytest.mark.parametrize(("gap_ms", "told"), [(9800, 2), (9801, 1)])
def test_sets_of_a_step_are_10_s_apart_at_most(gap_ms: int, told: int) -> None:
    rig = alone()
    cells_at(rig, 0, [3800] * 3)
    rig.tell(4900, current_ma=-4000)
    rig.tell(gap_ms - 4900, current_ma=-10_000)
    rig.now -= 100
    cells_at(rig, -10_000, [3700] * 3)
    assert rig.count("weak_sag_mv") == told


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "told"), [(1500, 1500, 2), (1501, 0, 1), (0, 1501, 1)]
)
def test_currents_lie_a_second_and_a_half_beside_a_set(
    before_ms: int, after_ms: int, told: int
) -> None:
    rig = alone()
    cells_at(rig, 0, [3800] * 3)
    rig.tell(100, current_ma=-10_000)
    rig.tell(before_ms, cells=[3700] * 3, highest_mv=3700, wild_cells=0)
    rig.tell(after_ms, current_ma=-10_000)
    assert rig.count("weak_sag_mv") == told


@pytest.mark.parametrize(
    ("currents", "uohm"),
    [
        ((-10_000, -13_000), 8690),  # at their mean
        ((-10_000, -13_001), None),
        ((-13_000, -10_000), 8690),
        ((-13_001, -10_000), None),
        ((-5_000, -5_000), 20_000),
        ((-4_999, -5_000), 20_000),  # rounded down: 5 A
        ((-4_999, -4_999), None),
    ],
)
def test_mean_of_the_currents_beside_a_set(currents: tuple[int, int], uohm: int | None) -> None:
    rig = alone()
    for _ in range(2):
        cells_at(rig, 0, [3800] * 3)
        rig.tell(100, current_ma=currents[0])
        rig.tell(100, cells=[3700] * 3, highest_mv=3700, wild_cells=0)
        rig.tell(100, current_ma=currents[1])
    assert rig.meter.group_uohm(0) == (uohm or 0)


@pytest.mark.parametrize(("moved", "told"), [((0, 3000), 2), ((500, 2500), 2), ((501, 2500), 1)])
def test_what_moved_beside_both_sets_is_half_of_the_step_at_most(
    moved: tuple[int, int], told: int
) -> None:
    rig = alone()
    for ma, by, mv in ((0, moved[0], 3800), (-6000, moved[1], 3700)):
        rig.tell(100, current_ma=ma - by // 2)
        rig.tell(100, cells=[mv] * 3, highest_mv=mv, wild_cells=0)
        rig.tell(100, current_ma=ma - by // 2 + by)
    assert rig.count("weak_sag_mv") == told


def test_a_set_waits_for_one_current_only() -> None:
    rig = alone()
    cells_at(rig, 0, [3800] * 3)
    rig.tell(100, cells=[3700] * 3, highest_mv=3700, wild_cells=1)
    rig.tell(100, current_ma=-10_000)
    rig.tell(100, cells=[3700] * 3, highest_mv=3700, wild_cells=0)
    rig.tell(100, current_ma=0)  # not alike
    rig.tell(100, current_ma=-10_000)
    rig.tell(100, current_ma=-10_000)
    assert rig.count("weak_sag_mv") == 1


def test_a_current_lost_begins_the_steps_anew() -> None:
    rig = alone()
    level(rig, 0, 60_000)
    cells_at(rig, 0, [3800] * 3)
    rig.tell(5001)
    level(rig, -10_000, 59_000)
    cells_at(rig, -10_000, [3700] * 3)
    assert rig.count("weak_sag_mv") == 1
    level(rig, 0, 60_000)
    level(rig, -10_000, 59_000)
    level(rig, 0, 60_000)
    assert rig.value("pack_uohm") is None  # two steps
    level(rig, -10_000, 59_000)
    assert rig.value("pack_uohm") == 100_000


def test_a_fortnight_does_not_make_a_current_young() -> None:
    for lost in ("light", "level", "cells"):
        rig = alone()
        rig.t.ttl_ms = 1 << 29
        level(rig, 0, 60_000)
        cells_at(rig, 0, [3800] * 3)
        for _ in range((1 << 30) // 3_600_000):
            rig.now += 3_600_000
            rig.saturate()
        rig.now = 1100
        if lost == "light":
            assert sag(rig, 0, -9000, 50_000) == 0
        elif lost == "level":
            level(rig, -10_000, 59_000)
            level(rig, 0, 60_000)
            level(rig, -10_000, 59_000)
            assert rig.value("pack_uohm") is None
        else:
            cells_at(rig, -10_000, [3700] * 3)
            assert rig.count("weak_sag_mv") == 1


def test_current_of_one_sample_has_not_lasted() -> None:
    rig = alone(start=10_000)
    rig.tell(current_ma=0, pack_mv=60_000)
    level(rig, -10_000, 59_000)
    level(rig, 0, 60_000)
    level(rig, -10_000, 59_000)
    assert rig.value("pack_uohm") is None
    level(rig, 0, 60_000)
    assert rig.value("pack_uohm") == 100_000


@pytest.mark.parametrize("ma", [-40_000, 40_000])
def test_current_without_a_voltage_is_no_end_of_a_step(ma: int) -> None:
    rig = alone()
    for _ in range(4):
        rig.tell(300, current_ma=0)
        rig.tell(700, current_ma=0)
        level(rig, ma, 50_000)
    assert rig.value("pack_uohm") is None
    assert sag(rig, 100, 0, 1) == 0  # a millivolt is a voltage


@pytest.mark.parametrize(("ma", "uohm"), [(-7000, None), (-8000, 200_000)])
def test_step_between_two_loads_is_their_difference(ma: int, uohm: int | None) -> None:
    rig = alone()
    for _ in range(2):
        level(rig, -3000, 59_000)
        level(rig, ma, 58_000)
    assert rig.value("pack_uohm") == uohm


@pytest.mark.parametrize(("best", "kept"), [(50_000, 50_000), (50_010, 49_000)])
def test_exactly_2_percent_better_is_not_better(best: int, kept: int) -> None:
    rig = alone()
    rig.memory.kept[BEST_UOHM] = best
    steps(rig, 3, -5000, 245, coldest_dc=200)
    assert rig.memory.kept[BEST_UOHM] == kept


def test_voltage_from_before_the_scooter_was_switched_off_is_not_known() -> None:
    rig = alone()
    level(rig, 0, 60_000)
    rig.forget()
    rig.tell(100, current_ma=0)
    assert rig.value("sag_permille") is None


def fortnight(rig: MeterRig, tick: int, **told: int) -> None:
    """Nothing but these for so long that the tick comes round to `tick`."""
    rig.t.ttl_ms = 1 << 29
    for _ in range((1 << 30) // 3_600_000):
        rig.tell(3_600_000, **told)
        rig.saturate()
    rig.now = tick


def test_a_current_that_stands_for_weeks_has_lasted() -> None:
    rig = alone()
    rig.tell(current_ma=0, pack_mv=60_000)
    fortnight(rig, 50, current_ma=0, pack_mv=60_000)
    rig.tell(current_ma=0, pack_mv=60_000)
    for ma, mv in ((-10_000, 59_000), (0, 60_000), (-10_000, 59_000)):
        level(rig, ma, mv)
    assert rig.value("pack_uohm") == 100_000


def test_a_current_of_weeks_ago_begins_no_step_and_no_sag() -> None:
    rig = alone()
    level(rig, 0, 60_000)
    sag(rig, 100, -10_000, 59_000)
    fortnight(rig, 1400)
    assert sag(rig, 0, -10_000, 59_000) == 0
    level(rig, 0, 60_000)
    level(rig, -10_000, 59_000)
    assert rig.value("pack_uohm") is None

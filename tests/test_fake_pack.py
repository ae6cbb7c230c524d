"""The pack model behind fakes and scenarios: cells, heat, wear, chargers, a board that protects
and balances; the same for a seed, however time is cut up."""

from itertools import pairwise
from random import Random

import pytest
from packlab.made.board import Board, Limits
from packlab.made.chemistry import LFP, NMC, Chemistry, cold_permille
from packlab.made.pack import MAMS_PER_MAH, Group, Pack
from packlab.made.scenes import SCENES, scene
from packlab.made.spec import PackSpec
from packlab.made.story import STEP_US, Story
from packlab.made.world import Scene, World

SECOND_US = 1_000_000


def a_pack(
    soc_permille: int = 500, temp_dc: int = 200, chemistry: Chemistry = NMC, series: int = 10
) -> Pack:
    groups = [Group.at(soc_permille, 7800, 12_000, chemistry) for _ in range(series)]
    return Pack(groups, 7800, temp_dc * 100)


def a_story(name: str, seed: int = 1, spec: PackSpec | None = None) -> Story:
    return Story(scene(name, spec or PackSpec(), Limits()), Random(seed))


# --- cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chemistry", "soc_permille", "millivolts"),
    [
        (NMC, 0, 3000),
        (NMC, 500, 3730),
        (NMC, 1000, 4200),
        (NMC, -50, 2000),
        (LFP, 500, 3290),
        (LFP, 900, 3335),
        (LFP, 1000, 3600),
        (LFP, 0, 2600),
    ],
)
def test_open_circuit_voltage(chemistry: Chemistry, soc_permille: int, millivolts: int) -> None:
    group = Group.at(soc_permille, 7800, 12_000, chemistry)
    assert group.open_circuit_uv() == millivolts * 1000


@pytest.mark.parametrize("chemistry", [NMC, LFP])
def test_voltage_rises_with_charge(chemistry: Chemistry) -> None:
    curve = [Group.at(soc, 7800, 12_000, chemistry).open_circuit_uv() for soc in range(0, 1001, 5)]
    assert curve == sorted(curve)
    assert len(set(curve)) == len(curve)


def test_cold_cells_sag_more() -> None:
    assert [cold_permille(dc) for dc in (-300, -200, 0, 200, 250, 900)] == [
        3500,
        3500,
        1700,
        1000,
        925,
        680,
    ]
    sags = []
    for temp_dc in (0, 200, 400):
        pack = a_pack(temp_dc=temp_dc)
        rest_mv = pack.pack_mv
        pack.current_ma = -10_000
        sags.append(rest_mv - pack.pack_mv)
    assert sags == [2040, 1200, 912]  # 120 mΩ at 20 °C, x 1.7 and x 0.76


def test_wear_takes_capacity_and_adds_resistance() -> None:
    new, worn = Group.at(1000, 7800, 12_000), Group.at(1000, 7800, 12_000, wear_permille=200)
    assert worn.capacity_mah == 6240
    assert worn.resistance_uohm == 19_200
    assert worn.open_circuit_uv() == new.open_circuit_uv()


def test_self_discharge_is_that_of_the_group_per_day() -> None:
    pack = a_pack()
    pack.groups[2].self_discharge_ppm = 1000
    for _ in range(24):
        pack.advance(3_600_000, 200)
    lost = [(3900 * MAMS_PER_MAH - group.charge_mams) / MAMS_PER_MAH for group in pack.groups]
    assert lost[2] == pytest.approx(7.8)
    assert lost[:2] + lost[3:] == [0.0] * 9


# --- time ----------------------------------------------------------------------------------------


def ridden(step_ms: int) -> Pack:
    """An hour, 10 A out and 8 A in by turns of ten minutes, in steps of `step_ms`."""
    pack = a_pack(soc_permille=900)
    pack.groups[0].self_discharge_ppm = 1000
    for turn in range(6):
        pack.current_ma = 8000 if turn % 2 else -10_000
        for _ in range(600_000 // step_ms):
            pack.advance(step_ms, 100)
    return pack


@pytest.mark.parametrize("step_ms", [250, 1000, 20_000, 600_000])
def test_steps_do_not_matter(step_ms: int) -> None:
    """Charge is exact, temperatures agree to 0.05 °C (pack.py, STEP_MS)."""
    fine, coarse = ridden(100), ridden(step_ms)
    assert [group.charge_mams for group in fine.groups] == [
        group.charge_mams for group in coarse.groups
    ]
    assert fine.remaining_mah == coarse.remaining_mah
    assert abs(fine._temp_uc - coarse._temp_uc) < 50_000
    assert abs(fine._board_uc - coarse._board_uc) < 50_000
    assert abs(fine.pack_mv - coarse.pack_mv) <= 5


def test_a_story_depends_on_its_seed_and_not_on_who_asks() -> None:
    often, rarely, other = a_story("ride"), a_story("ride"), a_story("ride", seed=2)
    for t_us in range(0, 60 * SECOND_US, 70_000):
        often.at(t_us)
    assert often.at(60 * SECOND_US) == rarely.at(60 * SECOND_US)
    assert often.at(60 * SECOND_US) != other.at(60 * SECOND_US)


def test_between_two_steps_nothing_changes() -> None:
    story = a_story("ride")
    now = story.at(10 * SECOND_US)
    assert story.at(10 * SECOND_US + STEP_US - 1) is now
    assert story.at(10 * SECOND_US + STEP_US) is not now


# --- heat ----------------------------------------------------------------------------------------


def test_heat_flows_until_it_balances() -> None:
    """10 A through ten groups: what they dissipate, over 0.555 W/K, is how much warmer it gets."""
    pack = a_pack()
    for _ in range(100):
        pack.current_ma = -10_000
        pack.advance(300_000, 200)
        pack.current_ma = 10_000
        pack.advance(300_000, 200)
    temp_c = pack._temp_uc / 1e6
    watts = 0.012 * 10 * cold_permille(round(temp_c * 10)) / 1000 * 100
    assert temp_c - 20 == pytest.approx(watts / 0.555, rel=0.02)
    board_c = pack._board_uc / 1e6
    assert board_c - temp_c == pytest.approx(0.0025 * 100 / 0.25, rel=0.02)


def test_larger_packs_warm_as_slowly() -> None:
    spec = PackSpec(series=20, capacity_mah=20_000)
    large, small = spec.build(Random(1), 500, 300), PackSpec().build(Random(1), 500, 300)
    for pack in (large, small):
        pack.advance(1_800_000, 0)
    assert abs(large.temps_dc[0] - small.temps_dc[0]) <= 1
    assert 140 < small.temps_dc[0] < 170  # e^-0.67 of 30 K


def test_as_many_probes_as_are_asked_for() -> None:
    for probes in (0, 1, 4, 8):
        assert len(PackSpec(probes=probes).build(Random(1), 500, 200).temps_dc) == probes


# --- chargers ------------------------------------------------------------------------------------


def charged(seconds: int, pace: int = 10, **changes: object) -> list[tuple[int, int]]:
    """(mA, mV) every ten seconds of charging from 94 %."""
    world = World(a_pack(soc_permille=940), pace, Random(1))
    scene = Scene(charger_mv=42_000, **changes)  # type: ignore[arg-type]
    found = []
    for t_ms in range(0, seconds * 1000, 250):
        world.advance(t_ms, scene)
        if t_ms % 10_000 == 0:
            found.append((world.pack.current_ma, world.pack.pack_mv))
    return found


def test_a_good_charger_tapers() -> None:
    found = charged(600)
    assert found[0][0] == pytest.approx(2000, abs=10)
    assert found[-1][0] < 200
    assert max(mv for _, mv in found) <= 42_005
    late = [ma for ma, _ in found if ma < 1800]
    assert all(after <= before + 25 for before, after in pairwise(late))


def test_a_stretched_charger_gives_all_until_it_stops_for_good() -> None:
    found = charged(600, charger_tapers=False)
    stopped = [ma for ma, _ in found].index(0)
    assert all(abs(ma - 2000) <= 10 for ma, _ in found[:stopped])
    assert 41_900 < found[stopped - 1][1] < 42_010
    assert all(ma == 0 for ma, _ in found[stopped:])


def test_a_charger_that_holds_too_much_is_stopped_by_the_board() -> None:
    story = a_story("wrong_charger")
    seen = [story.at(second * SECOND_US) for second in range(400)]
    tripped = next(now for now in seen if now.faults)
    assert tripped.faults == {"cell_over_voltage"}
    assert not tripped.charge_fet
    assert tripped.discharge_fet
    assert tripped.current_ma <= 0
    assert max(now.cells_mv[0] for now in seen) < 4300
    assert tripped.trips == {"cell_over_voltage": 1}


def test_too_low_a_charger_gives_nothing() -> None:
    world = World(a_pack(), 1, Random(1))
    world.advance(0, Scene(charger_mv=30_000))
    assert abs(world.pack.current_ma) <= 10
    assert not world.charging


# --- protection ----------------------------------------------------------------------------------


def boarded(pack: Pack, limits: Limits | None = None) -> Board:
    return Board(pack, limits or Limits())


@pytest.mark.parametrize(
    ("asked_ma", "fault", "charge_fet", "discharge_fet"),
    [
        (-45_000, "discharge_over_current", True, False),
        (15_000, "charge_over_current", False, True),
        (-200_000, "short_circuit", True, False),
    ],
)
def test_too_much_current(
    asked_ma: int, fault: str, charge_fet: bool, discharge_fet: bool
) -> None:
    board = boarded(a_pack())
    delay_ms = 0 if fault == "short_circuit" else 1000
    for t_ms in range(0, delay_ms, 250):
        assert board.allow(asked_ma, 250) == (0 if t_ms >= delay_ms - 250 else asked_ma)
    assert board.allow(asked_ma, 250) == 0
    assert board.faults == {fault}
    assert (board.charge_fet, board.discharge_fet) == (charge_fet, discharge_fet)
    for _ in range(32 * 4 + 1):
        board.allow(0, 250)
    assert not board.faults
    assert board.trips[fault] == 1


@pytest.mark.parametrize(
    ("soc_permille", "temp_dc", "current_ma", "fault"),
    [
        (1080, 200, 100, "cell_over_voltage"),
        (-20, 200, -100, "cell_under_voltage"),
        (500, 520, 1000, "charge_over_temperature"),
        (500, -20, 1000, "charge_under_temperature"),
        (500, 670, -1000, "discharge_over_temperature"),
        (500, -220, -1000, "discharge_under_temperature"),
    ],
)
def test_limits_of_voltage_and_temperature(
    soc_permille: int, temp_dc: int, current_ma: int, fault: str
) -> None:
    """After a second, and only what is dangerous is stopped."""
    pack = a_pack(soc_permille, temp_dc)
    board = boarded(pack)
    pack.current_ma = current_ma
    for _ in range(3):
        assert board.allow(current_ma, 250) == current_ma
    assert board.allow(current_ma, 250) == 0
    assert board.faults == {fault}
    is_of_charging = current_ma > 0
    assert board.allow(-current_ma, 0) == (-current_ma)
    assert board.charge_fet == (not is_of_charging)
    assert board.discharge_fet == is_of_charging


def test_faults_let_go_only_well_inside_the_limit() -> None:
    pack = a_pack(1080)
    board = boarded(pack)
    for _ in range(4):
        board.allow(100, 250)
    for soc_permille, is_tripped in ((1030, True), (975, True), (900, True), (840, False)):
        for group in pack.groups:
            group.charge_mams = group.capacity_mah * MAMS_PER_MAH * soc_permille // 1000
        pack.advance(1, 200)
        board.allow(0, 250)
        assert bool(board.faults) == is_tripped, soc_permille


def test_an_empty_pack_still_takes_charge() -> None:
    story = a_story("flat")
    seen = [story.at(second * SECOND_US) for second in range(240)]
    tripped = next(now for now in seen if not now.discharge_fet)
    assert tripped.faults == {"cell_under_voltage"}
    assert tripped.charge_fet
    assert tripped.current_ma == tripped.load_ma == 0


def test_every_scene_plays_with_every_chemistry() -> None:
    for name in SCENES:
        for spec in (PackSpec(), PackSpec(series=16, chemistry=LFP, capacity_mah=50_000)):
            story = a_story(name, spec=spec)
            now = story.at(30 * SECOND_US)
            assert len(now.cells_mv) == spec.series
            assert abs(sum(now.cells_mv) - now.pack_mv) <= spec.series


# --- balancing -----------------------------------------------------------------------------------


def test_high_groups_are_bled_until_they_are_level() -> None:
    pack = a_pack(soc_permille=950)
    pack.groups[3].charge_mams += 200 * MAMS_PER_MAH
    board = boarded(pack, Limits(bleed_ma=100))
    board.allow(0, 250)
    assert board.balancing == (4,)
    spread_mv = max(pack.cells_mv) - min(pack.cells_mv)
    hours = 0
    while board.balancing and hours < 10:
        pack.advance(360_000, 200)
        board.allow(0, 250)
        hours += 0.1
    assert 1 < hours < 2.1  # 200 mAh at 100 mA, to within half of 10 mV
    assert max(pack.cells_mv) - min(pack.cells_mv) < spread_mv // 3
    assert pack.groups[0].charge_mams == 7410 * MAMS_PER_MAH


def test_no_bleeding_while_riding_or_below_the_start() -> None:
    for soc_permille, current_ma in ((950, -5000), (300, 0)):
        pack = a_pack(soc_permille)
        pack.groups[3].charge_mams += 400 * MAMS_PER_MAH
        pack.current_ma = current_ma
        board = boarded(pack)
        board.allow(current_ma, 250)
        assert board.balancing == ()


def test_a_weak_group_sags_and_a_leaking_one_falls_behind() -> None:
    weak = a_story("weak_group")
    riding = [weak.at(second * SECOND_US) for second in range(60)]
    loaded = min(riding, key=lambda now: now.current_ma)
    assert loaded.cells_mv.index(min(loaded.cells_mv)) == 2
    leaking = a_story("leaking_group")
    before, after = leaking.at(0), leaking.at(600 * SECOND_US)
    fell = [one - other for one, other in zip(before.cells_mv, after.cells_mv, strict=True)]
    assert fell.index(max(fell)) == 1
    assert max(fell) > 30
    assert before.remaining_mah - after.remaining_mah < 100  # the board does not see it

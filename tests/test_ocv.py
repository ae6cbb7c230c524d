"""Charge by voltage at rest, and the percent shown against it."""

from itertools import pairwise

import pytest
from deckwatch.meters.ocv import LFP, NMC, Ocv, curve_of, permille
from pack_rig import MeterRig, PackRig
from packlab.made.chemistry import CHEMISTRIES
from packlab.made.pack import Group

CURVES = {"nmc": NMC, "lfp": LFP}


@pytest.mark.parametrize(
    ("curve", "mv", "wanted"),
    [
        (NMC, 0, 0), (NMC, 3000, 0), (NMC, 3300, 50), (NMC, 3430, 100), (NMC, 3730, 500),
        (NMC, 3775, 550), (NMC, 4199, 999), (NMC, 4200, 1000), (NMC, 4400, 1000),
        (LFP, 2600, 0), (LFP, 3220, 200), (LFP, 3290, 500), (LFP, 3350, 960), (LFP, 3600, 1000),
    ],
)  # fmt: skip
def test_curve_at_and_between_its_points(curve: tuple[int, ...], mv: int, wanted: int) -> None:
    assert permille(curve, mv) == wanted


# the curves' points a second time: mV, thousandths
POINTS = {
    "nmc": [
        (3000, 0), (3300, 50), (3430, 100), (3550, 200), (3610, 300), (3660, 400), (3730, 500),
        (3820, 600), (3910, 700), (4010, 800), (4095, 900), (4200, 1000),
    ],
    "lfp": [
        (2600, 0), (2900, 30), (3050, 60), (3150, 100), (3220, 200), (3255, 300), (3280, 400),
        (3290, 500), (3305, 600), (3325, 700), (3330, 800), (3335, 900), (3350, 960),
        (3420, 990), (3600, 1000),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ["nmc", "lfp"])
def test_between_its_points_the_curve_is_straight(name: str) -> None:
    points = POINTS[name]
    for (low, less), (high, more) in pairwise(points):
        for mv in range(low, high + 1):
            share = (mv - low) * (more - less) // (high - low)
            assert permille(CURVES[name], mv) == less + share, mv


@pytest.mark.parametrize("curve", [NMC, LFP])
def test_curve_never_falls(curve: tuple[int, ...]) -> None:
    found = [permille(curve, mv) for mv in range(2400, 4300)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 1000)


@pytest.mark.parametrize("name", ["nmc", "lfp"])
def test_curve_against_the_model(name: str) -> None:
    """Stated error against the made packs' cells: 1 point (their curves are hand-drawn too)."""
    chemistry = CHEMISTRIES[name]
    assert curve_of(chemistry.full_mv) is CURVES[name]
    for shown in range(0, 1001, 5):
        group = Group.at(shown, 10_000, 12_000, chemistry)
        found = permille(CURVES[name], group.open_circuit_uv() // 1000)
        # a millivolt of LFP's flat part is up to 20 thousandths
        assert abs(found - shown) <= (20 if name == "lfp" and 400 < shown < 960 else 10), shown


def rested(rig: PackRig, **frame: int) -> None:
    """A minute at rest and a little."""
    rig.repeat(62, every_ms=1000, current_ma=0, **frame)


def test_percent_by_voltage_is_told_at_rest_only() -> None:
    rig = PackRig()
    rig.repeat(59, every_ms=1000, current_ma=0, pack_mv=37_300, soc_pct=50)
    assert rig.value("ocv_pct") is None
    assert rig.value("soc_error_pct") == 0
    rested(rig, pack_mv=37_300, soc_pct=50)
    assert rig.value("ocv_pct") == 50
    rig.repeat(2, current_ma=-5000, pack_mv=33_000, soc_pct=50)
    assert rig.value("soc_error_pct") == 0


def test_percent_and_error_follow_voltage_and_shown_percent_each_alone() -> None:
    rig = PackRig()
    rested(rig, pack_mv=36_100, soc_pct=50)
    assert (rig.value("ocv_pct"), rig.value("soc_error_pct")) == (30, 17)
    rig.repeat(2, every_ms=1000, current_ma=0, pack_mv=37_300, soc_pct=50)
    assert (rig.value("ocv_pct"), rig.value("soc_error_pct")) == (50, 0)
    rig.repeat(2, every_ms=1000, current_ma=0, pack_mv=37_300, soc_pct=90)
    assert (rig.value("ocv_pct"), rig.value("soc_error_pct")) == (50, 38)


# guardrail sheet, row 26: the three cases it was written for
@pytest.mark.parametrize(
    ("mv", "soc", "fires"), [(4070, 18, True), (3100, 31, True), (3410, 0, True)]
)
def test_cases_of_the_sheet(mv: int, soc: int, fires: bool) -> None:
    rig = PackRig()
    rig.repeat(598, every_ms=1000, current_ma=0, pack_mv=mv * 10, soc_pct=soc)
    assert rig.told("soc_mismatch") == []
    rig.repeat(4, every_ms=1000, current_ma=0, pack_mv=mv * 10, soc_pct=soc)
    assert (rig.state("soc_mismatch") == ("set", "info")) is fires


@pytest.mark.parametrize(
    ("mv", "soc", "error"),
    [
        (37_300, 50, 0),
        (37_300, 80, 28),  # 15 mV up is 51.6: 52 at most
        (37_300, 25, 22),  # 15 mV down is 47.8: 47 at least
        (33_700, 0, 7),
        (33_780, 0, 25),
        (33_780, 1, 6),
        (43_000, 100, 0),
    ],
)
def test_error_is_to_the_nearest_percent_15_mv_can_mean(mv: int, soc: int, error: int) -> None:
    rig = PackRig()
    rested(rig, pack_mv=mv, soc_pct=soc)
    assert rig.value("soc_error_pct") == error


def test_flat_curve_of_lfp_excuses_what_it_cannot_tell() -> None:
    for soc, error in ((38, 0), (60, 0), (37, 1), (82, 22), (20, 18)):
        rig = PackRig(chemistry="lfp", series=16)
        rested(rig, pack_mv=16 * 3290, soc_pct=soc)
        assert rig.value("soc_error_pct") == error, soc


def test_number_of_cells_is_the_owners_or_the_boards() -> None:
    rig = PackRig(series=0)
    rested(rig, pack_mv=48_490, soc_pct=50)
    assert rig.value("ocv_pct") is None
    rig.frame(current_ma=0, pack_mv=48_490, soc_pct=50, cells=[3730] * 13)
    assert rig.value("ocv_pct") == 50


@pytest.mark.parametrize("missing", ["pack_mv", "soc_pct", "current_ma"])
def test_nothing_without_its_inputs(missing: str) -> None:
    frame = {"pack_mv": 37_300, "soc_pct": 50, "current_ma": 0}
    del frame[missing]
    rig = PackRig()
    rig.repeat(62, every_ms=1000, **frame)
    assert rig.value("ocv_pct") == (50 if missing == "soc_pct" else None)
    assert rig.value("soc_error_pct") == (0 if missing == "current_ma" else None)


def test_pack_that_reads_nothing_has_no_charge() -> None:
    rig = PackRig()
    rested(rig, pack_mv=0, soc_pct=50)
    assert rig.value("ocv_pct") is None


def test_ride_suspends_the_judgement() -> None:
    rig = PackRig()
    rig.repeat(620, every_ms=1000, current_ma=0, pack_mv=40_700, soc_pct=18)
    assert rig.state("soc_mismatch") == ("set", "info")
    rig.repeat(3, current_ma=-5000, pack_mv=40_000, soc_pct=18)
    assert rig.state("soc_mismatch") == ("unknown", "info")
    rig.repeat(70, every_ms=1000, current_ma=0, pack_mv=40_700, soc_pct=18)
    assert rig.state("soc_mismatch") == ("set", "info")


# --- exactly, the meter alone --------------------------------------------------------------------


def alone(series: int = 10, full_mv: int = 4200) -> MeterRig:
    rig = MeterRig(Ocv(full_mv))
    rig.t.series = series
    return rig


@pytest.mark.parametrize(
    ("mv", "pct"),
    [(3729, 50), (3723, 49), (3724, 49), (3692, 45), (3691, 44), (3000, 0), (3030, 1), (3029, 0)],
)
def test_percent_is_to_the_nearest(mv: int, pct: int) -> None:
    rig = alone()
    rig.tell(pack_mv=10 * mv + 9, resting=1)
    assert (rig.value("ocv_pct"), rig.where("ocv_pct")) == (pct, 0)


@pytest.mark.parametrize(
    ("mv", "soc", "error"),
    [
        (3675, 40, 0),  # 15 mV lower is 400 thousandths
        (3674, 39, 0),
        (3675, 39, 1),
        (3715, 50, 0),  # 15 mV higher is 500
        (3715, 51, 1),
        (3716, 51, 0),  # 501 is as good as 51 %
        (3716, 52, 1),
        (3378, 0, 25),  # 80 thousandths
        (3377, 0, 7),
        (3378, -1, 25),
        (3378, 1, 6),
        (4000, 0, 77),
    ],
)
def test_error_to_the_millivolt(mv: int, soc: int, error: int) -> None:
    rig = alone()
    rig.tell(pack_mv=10 * mv, soc_pct=soc, resting=1)
    assert (rig.value("soc_error_pct"), rig.where("soc_error_pct")) == (error, 0)


def test_both_are_as_old_and_as_new_as_the_voltage() -> None:
    rig = alone()
    rig.tell(pack_mv=37_300, soc_pct=50, resting=1)
    rig.tell(2000, soc_pct=50, resting=1)
    rig.tell(3000, soc_pct=50, resting=1)
    for slot in ("ocv_pct", "soc_error_pct"):
        assert (rig.value(slot), rig.count(slot)) == (50 if slot == "ocv_pct" else 0, 1)
    rig.tell(1, soc_pct=50, resting=1)
    assert (rig.value("ocv_pct"), rig.value("soc_error_pct")) == (None, None)
    rig.tell(pack_mv=37_300, resting=1)
    assert rig.count("ocv_pct") == 2


def test_unknown_rest_and_unknown_percent() -> None:
    rig = alone()
    rig.tell(pack_mv=37_300, soc_pct=90, resting=1)
    assert rig.value("soc_error_pct") == 38
    rig.tell(5001, pack_mv=37_300, soc_pct=90)
    assert (rig.value("ocv_pct"), rig.value("soc_error_pct")) == (None, 0)
    rig.tell(5001, pack_mv=37_300, resting=1)
    assert (rig.value("ocv_pct"), rig.count("soc_error_pct")) == (50, 2)


@pytest.mark.parametrize(("series", "groups", "pct"), [(10, 12, 50), (0, 10, 50), (0, 0, None)])
def test_owners_number_of_cells_goes_first(series: int, groups: int, pct: int | None) -> None:
    rig = alone(series)
    rig.t.groups = groups
    rig.tell(pack_mv=37_300, resting=1)
    assert rig.value("ocv_pct") == pct


@pytest.mark.parametrize(("pack_mv", "pct"), [(1, 0), (0, None), (-1, None)])
def test_pack_of_a_millivolt_is_empty(pack_mv: int, pct: int | None) -> None:
    rig = alone()
    rig.tell(pack_mv=pack_mv, resting=1)
    assert rig.value("ocv_pct") == pct


def test_lfp_is_full_below_4_v() -> None:
    rig = alone(full_mv=3999)
    rig.tell(pack_mv=32_900, soc_pct=0, resting=1)
    assert (rig.value("ocv_pct"), rig.value("soc_error_pct")) == (50, 38)
    assert [permille(LFP, mv) for mv in (2600, 2610, 3600, 3601)] == [0, 1, 1000, 1000]

"""Charge by the voltage at rest: the model's knots, straight lines in between, and the ends."""

import pytest
from deckwatch.meters.ocv import LFP, NMC, curve_of, permille
from packlab.made import chemistry


def test_chemistry_goes_by_the_full_voltage() -> None:
    assert curve_of(4200) is NMC
    assert curve_of(3650) is LFP
    assert (curve_of(4000), curve_of(3999)) == (NMC, LFP)


@pytest.mark.parametrize("curve", [NMC, LFP], ids=["nmc", "lfp"])
def test_curve_rises_from_empty_to_full(curve: tuple[int, ...]) -> None:
    voltages, shares = curve[::2], curve[1::2]
    assert list(voltages) == sorted(set(voltages))
    assert list(shares) == sorted(set(shares))
    assert (shares[0], shares[-1]) == (0, 1000)
    found = [permille(curve, mv) for mv in range(voltages[0] - 100, voltages[-1] + 100)]
    assert found == sorted(found)
    assert (found[0], found[100], found[-100], found[-1]) == (0, 0, 1000, 1000)
    assert [permille(curve, mv) for mv in voltages] == list(shares)


@pytest.mark.parametrize(
    ("curve", "model"), [(NMC, chemistry.NMC), (LFP, chemistry.LFP)], ids=["nmc", "lfp"]
)
def test_voltage_of_the_model_gives_its_charge_within_2_permille(
    curve: tuple[int, ...], model: chemistry.Chemistry
) -> None:
    for share in range(1000):
        mv = model.open_circuit_uv(share, 10) // 1000
        assert abs(permille(curve, mv) - share) <= (2 if curve is NMC else 100)

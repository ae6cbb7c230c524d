"""The table of given frames: nothing in it is wrong, it counts what is there, and would notice."""

import json
from pathlib import Path
from typing import Any

import pytest
from deckwatch.index import PROTOCOLS
from packlab import proven
from packlab.decode import decode

FRAMES = Path(__file__).parent / "data" / "frames"
FOUND = {proof.family: proof for proof in proven.proofs()}


def test_every_given_frame_is_in_it_once() -> None:
    assert tuple(FOUND) == PROTOCOLS
    given = sum(len(json.loads(path.read_text("utf-8"))) for path in FRAMES.glob("*.json"))
    assert sum(proof.origins.total() for proof in FOUND.values()) == given
    assert proven.total(list(FOUND.values()))[1] == str(given)


@pytest.mark.parametrize("family", PROTOCOLS)
def test_every_frame_decodes_as_its_entry_says_or_is_rejected(family: str) -> None:
    proof = FOUND[family]
    assert proof.wrong == []
    assert proof.decoded + proof.rejected == proof.origins.total()
    assert proof.values >= 20


@pytest.mark.parametrize("family", PROTOCOLS)
def test_exactly_one_family_claims_a_frame(family: str) -> None:
    assert FOUND[family].foreign == 0


def test_a_wrong_expectation_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = proven.given("jbd")
    spoilt = [{**entry, "expect": dict(entry["expect"])} for entry in entries]
    victim = next(entry for entry in spoilt[1:] if "pack_mv" in entry["expect"])
    victim["expect"]["pack_mv"] += 10
    spoilt[0] = {**spoilt[0], "hex": "dd" + spoilt[0]["hex"][2:-4] + "0077"}
    monkeypatch.setattr(proven, "given", lambda family: spoilt if family == "jbd" else [])
    (proof,) = [proof for proof in proven.proofs() if proof.family == "jbd"]
    assert len(proof.wrong) == 2
    assert proof.decoded == len(entries) - 2
    assert any("pack_mv" in line for line in proven.lines([proof]))


def test_what_is_unproven_is_what_no_recorded_frame_has_set() -> None:
    """By hand for a few: the sheets say so, too."""
    assert {"current_ma", "cell_mv", "soc_pct"}.isdisjoint(FOUND["jbd"].unproven)
    assert FOUND["jbd"].faults_shown == {"software_lock": 2}
    assert "mos_temp_dc" in FOUND["xiaomi"].unproven
    assert "humidity_pct" in FOUND["jbd"].unproven
    assert FOUND["ninebot"].faults_unproven == sorted(
        ["cell_over_voltage", "cell_under_voltage", "configuration", "over_temperature"]
    )


@pytest.mark.parametrize("family", PROTOCOLS)
def test_nothing_is_shown_that_the_files_do_not_name(family: str) -> None:
    """Else the lists of the unproven would have holes."""
    proof = FOUND[family]
    assert set(proof.shown) <= proof.fields
    assert set(proof.faults_shown) <= proof.faults


def test_an_emulator_proves_nothing() -> None:
    entries: list[dict[str, Any]] = proven.given("xiaomi")
    spoofed = [e for e in entries if "emulator" in f"{e.get('provenance')}"]
    assert len(spoofed) == 6
    shown = sum(
        next(decode([e["hex"]], "xiaomi"))["values"].get("cell_mv") is not None
        for e in entries
        if e["origin"] == "real" and e not in spoofed
    )
    assert FOUND["xiaomi"].shown["cell_mv"] == shown

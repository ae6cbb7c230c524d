"""The scenario library: what was expected before it was made is what the firmware says; 0 missed,
0 false."""

import json
from pathlib import Path
from random import Random

import pytest
from packlab.capture import CaptureReader
from packlab.errors import PacklabError
from packlab.library import kit, play
from packlab.library.judge import LEVELS, Verdict, expectations, judge, worst
from packlab.library.play import tale, tales
from packlab.made.chemistry import LFP, NMC
from packlab.replay import Settings
from test_flash import packlab

# Those that take more than some seconds to make
LONG = {"charger_forgotten"}


def names() -> list[object]:
    marks = pytest.mark.soak
    return [pytest.param(name, marks=marks) if name in LONG else name for name in tales()]


@pytest.mark.parametrize("name", names())
def test_as_expected(name: str) -> None:
    verdict = judge(name, Settings(interpreter="unix"))
    assert (verdict.missed, verdict.false) == ([], [])


def test_the_library_and_its_expectations_name_the_same() -> None:
    assert set(expectations()) == set(tales())
    kinds = [told["kind"] for told in expectations().values()]
    assert len(kinds) >= 50
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "hazard": 50,
        "innocent": 29,
        "near": 10,
    }


def test_expectations_have_levels_and_amendments_their_reasons() -> None:
    from deckwatch.guardrails.table import CODES

    for name, told in expectations().items():
        for code, level in told["expect"].items():
            assert code in CODES, name
            assert level in LEVELS[1:], name
        assert ("was" in told) == ("amended" in told), name


def test_what_is_neither_missed_nor_false() -> None:
    verdict = Verdict("x", {"a": "warn", "b": "info"}, {"a": "alarm", "c": "warn"})
    assert verdict.missed == ["a alarm", "c warn"]
    assert verdict.false == ["b info"]
    line = {"event": "alert", "code": "a", "state": "set", "level": "warn"}
    trace = [{**line, "level": "alarm"}, line, {**line, "state": "clear", "level": "ok"}]
    assert worst(map(json.dumps, trace)) == {"a": "alarm"}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        code, out, err = packlab(
            "scenarios", "relay_bounce", "spread_warn", "--write", str(tmp_path / folder)
        )
        assert (code, err) == (0, "")
        assert "made with seed 1" in out
    for name in ("relay_bounce.cap", "spread_warn.cap"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with CaptureReader(tmp_path / "a" / "spread_warn.cap") as reader:
        assert reader.header.origin == "made"
        assert reader.header.source == "packlab scenarios spread_warn --seed 1"
        assert dict(reader.header.notes)["profile"] == "m365"


def test_the_command_judges() -> None:
    code, out, err = packlab("scenarios", "spread_warn", "standing")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ok  spread_warn: cell_spread warn",
        "ok  standing: nothing",
        "2 scenarios: 0 missed, 0 false",
    ]
    code, out, _ = packlab("scenarios", "--list")
    assert out.count("\n") == 2 * len(tales())


def test_the_command_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"spread_warn": {**expectations()["spread_warn"], "expect": {"cell_low": "warn"}}}
    monkeypatch.setattr("packlab.library.judge.expectations", lambda: told)
    code, out, err = packlab("scenarios", "spread_warn")
    assert code == 2
    assert "BAD spread_warn: cell_spread warn; missed: cell_low warn; false: cell_spread" in out
    assert "1 of 1 scenarios are not as expected" in err
    with pytest.raises(PacklabError, match="there is no scenario 'nobody'"):
        play.tale("nobody")


@pytest.mark.parametrize("chemistry", [NMC, LFP])
@pytest.mark.parametrize("mv", [2900, 3280, 3330, 3560])
def test_cells_rest_where_a_tale_says(chemistry: object, mv: int) -> None:
    told = kit.m365(1, (0, kit.ON), cells_mv=mv, chemistry=chemistry, differ_mv=0)
    assert all(abs(cell - mv) <= 1 for cell in told.pack(Random(1)).cells_mv)


def test_a_second_pack_can_misread_alone() -> None:
    told = tale("idle_external_pack")
    line = play.line(told, 1)
    assert told.second is not None
    assert line.fake is not None

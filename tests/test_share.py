"""Two packs on one line: which of them carries the ride."""

import json

import pytest
from conftest import ROOT, MicroPython
from line_rig import LineRig, ninebot, status

INFO, CLEAR = ("set", "info"), ("clear", "ok")


def both(line: LineRig, seconds: float, one: int, two: int, apart_mv: int = 0) -> None:
    """Both packs tell their currents."""
    for _ in range(round(seconds * 1000 / 210)):
        for address, ma, mv in ((0x22, one, 37_000), (0x23, two, 37_000 + apart_mv)):
            answer = status(current_ma=ma, pack_mv=mv)
            line.hear(ninebot(address, 0x20, 0x5A, 0x30, answer))
        line.advance(210)


def rig() -> LineRig:
    line = LineRig(profile="ninebot")
    line.level("idle")
    return line


def test_idle_pack_is_told_with_the_second_100_ampere_seconds() -> None:
    line = rig()
    both(line, 10.5, -10_000, -100)
    assert line.value("share_pct", 1) == 0
    assert line.state("idle_pack", 1) == CLEAR
    both(line, 11, -10_000, -100)
    assert line.state("idle_pack", 1) == INFO
    assert line.state("idle_pack", 0) == CLEAR
    assert (line.value("share_pct", 0), line.value("share_pct", 1)) == (99, 0)


@pytest.mark.parametrize(
    ("one", "two", "idle"), [(-9100, -900, 1), (-1100, -9900, 2), (-900, -9100, 0)]
)
def test_either_may_be_the_idle_one(one: int, two: int, idle: int) -> None:
    line = rig()
    both(line, 30, one, two)
    found = [pack for pack in (0, 1) if line.state("idle_pack", pack) == INFO]
    assert found == ([] if idle == 2 else [1] if idle == 1 else [0])


def test_packs_that_are_not_level_take_turns_by_right() -> None:
    for apart, told in ((500, True), (510, False), (-510, False)):
        line = rig()
        both(line, 30, -10_000, 0, apart)
        assert (line.state("idle_pack", 1) == INFO) is told


def test_light_loads_and_braking_are_not_added_up() -> None:
    for one, two in ((-4900, 0), (10_000, 0), (-10_000, 500)):
        line = rig()
        both(line, 60, one, two)
        assert line.value("share_pct", 1) == 100


def test_pack_that_is_not_there_is_no_idle_one() -> None:
    line = rig()
    for _ in range(300):
        line.hear(ninebot(0x22, 0x20, 0x5A, 0x30, status(current_ma=-10_000)))
        line.advance(210)
    assert line.value("share_pct", 0) == 100
    assert line.value("share_pct", 1) is None
    assert "idle_pack" in line.watched(0)
    assert line.told("idle_pack") == []


def test_pack_that_helps_again_clears() -> None:
    line = rig()
    both(line, 30, -10_000, 0)
    assert line.state("idle_pack", 1) == INFO
    both(line, 60, -5000, -5000)
    assert line.state("idle_pack", 1) == CLEAR


def test_switching_off_forgets_what_was_added_up() -> None:
    line = rig()
    both(line, 9.8, -10_000, 0)
    line.level("low")
    line.level("idle")
    both(line, 5, -10_000, 0)
    assert line.value("share_pct", 1) == 100


def test_one_pack_has_no_share() -> None:
    line = LineRig()
    line.ride(30, current_ma=-10_000)
    assert line.value("share_pct") is None


def test_pack_whose_voltage_is_unknown_is_not_level() -> None:
    from line_rig import words

    line = rig()
    for _ in range(150):
        line.hear(ninebot(0x22, 0x20, 0x5A, 0x30, status(current_ma=-10_000)))
        line.hear(ninebot(0x23, 0x20, 0x5A, 0x33, words([0])))
        line.advance(210)
    assert line.value("share_pct", 1) == 100


def test_two_packs_are_compared_without_a_byte_of_heap(micropython32: MicroPython) -> None:
    line = rig()
    both(line, 30, -10_000, 0)
    both(line, 60, -5000, -5000)
    head = json.dumps({"config": {"profile": "ninebot"}, "lock": True}) + "\n"
    said = micropython32.run(
        ROOT / "boards" / "BENCH" / "core_replay.py",
        folders=(ROOT / "firmware", ROOT / "boards" / "BENCH"),
        stdin="".join([head, *line.feed_lines]).encode(),
    )
    told = [json.loads(text) for text in said.splitlines()]
    alerts = [event for event in told if event["event"] == "alert"]
    assert [(e["pack"], e["code"], e["state"]) for e in alerts] == [
        (2, "idle_pack", "set"),
        (2, "idle_pack", "clear"),
    ]


def test_weeks_between_two_rounds_count_for_a_second() -> None:
    line = rig()
    both(line, 1, -10_000, 0)
    share = line.core._share
    assert share is not None
    for _ in range(90):
        line.ms += 3_600_000
        share.saturate(line.now)
    first, second = (pack.telemetry for pack in line.core.packs)
    before = list(share._flowed_mas)
    share.update(first, second, line.now)
    assert share._flowed_mas == before

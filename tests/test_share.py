"""Two packs on one line: which of them carries the ride."""

import json

import pytest
from conftest import ROOT, MicroPython
from deckwatch.meters.share import Share
from line_rig import LineRig, ninebot, status
from pack_rig import MeterRig

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


# --- exactly, the meter alone --------------------------------------------------------------------


class Pair:
    """The meter between two telemetries."""

    def __init__(self, start: int = 0) -> None:
        self.share = Share()
        self.one = MeterRig(self, start)
        self.two = MeterRig(self, start)

    def update(self, t: object, now: int) -> None:
        """Of one alone nothing is made."""

    def tell(self, after: int, one: int, two: int, apart_mv: int = 0, **told: int) -> None:
        """Both currents, positive out, and voltages; the meter adds up."""
        self.one.tell(after, current_ma=-one, **{"pack_mv": 37_000} | told)
        self.two.tell(after, current_ma=-two, **{"pack_mv": 37_000 + apart_mv} | told)
        self.add()

    def add(self) -> None:
        """A round."""
        self.share.update(self.one.t, self.two.t, self.one.now)

    def ride(self, seconds: int, one: int, two: int, apart_mv: int = 0) -> None:
        """A sample a second."""
        for _ in range(seconds):
            self.tell(1000, one, two, apart_mv)

    @property
    def told(self) -> tuple[int | None, int | None]:
        """The shares of both."""
        return self.one.value("share_pct"), self.two.value("share_pct")


def test_share_is_told_with_the_hundredth_ampere_second() -> None:
    pair = Pair()
    pair.tell(0, 0, 0)
    pair.ride(9, 9001, 999)
    pair.tell(999, 9001, 999)  # 90,000 and 8991 + 998 mAs, each rounded down
    assert pair.told == (100, 100)
    pair.tell(1, 9001, 1999)  # 99,999
    assert pair.told == (100, 100)
    pair.tell(1, 9001, 0)
    assert pair.told == (90, 9)
    assert (pair.one.where("share_pct"), pair.two.where("share_pct")) == (0, 0)
    pair.ride(10, 1000, 9000)
    assert pair.told == (10, 90)


def test_each_block_is_a_new_sample() -> None:
    pair = Pair()
    pair.tell(0, 0, 0)
    counts = []
    for _ in range(3):
        counts.append(pair.one.count("share_pct"))
        pair.ride(10, 5000, 5000)
        assert pair.two.count("share_pct") == pair.one.count("share_pct")
    assert counts == [1, 2, 3]


@pytest.mark.parametrize(
    ("one", "two", "apart_mv", "told"),
    [
        (5000, 0, 0, (100, 0)),
        (4999, 0, 0, (100, 100)),
        (0, 5000, 0, (0, 100)),
        (6000, -1, 0, (100, 100)),
        (-1, 6000, 0, (100, 100)),
        (4000, 1000, 500, (80, 20)),
        (4000, 1000, -500, (80, 20)),
        (4000, 1000, 501, (100, 100)),
        (4000, 1000, -501, (100, 100)),
    ],
)
def test_what_is_added_up(one: int, two: int, apart_mv: int, told: tuple[int, int]) -> None:
    pair = Pair()
    pair.tell(0, 0, 0)
    pair.ride(25, one, two, apart_mv)
    assert pair.told == told


def test_a_sample_stands_for_a_second_at_most() -> None:
    pair = Pair()
    pair.tell(0, 0, 0)
    for _ in range(9):
        pair.tell(3000, 8000, 2000)
    pair.tell(999, 8000, 2000)
    assert pair.told == (100, 100)
    pair.tell(1, 8000, 2000)
    assert pair.told == (80, 20)


def test_packs_that_were_not_level_begin_anew() -> None:
    pair = Pair()
    pair.tell(0, 0, 0)
    pair.ride(9, 8000, 2000)
    pair.ride(1, 8000, 2000, 501)
    pair.ride(9, 8000, 2000)
    assert pair.told == (100, 100)
    pair.ride(1, 8000, 2000)
    assert pair.told == (80, 20)


def test_what_one_pack_does_not_tell_is_not_added_up() -> None:
    for silent in ("one", "two"):
        pair = Pair()
        pair.tell(0, 8000, 2000)
        heard = pair.two if silent == "one" else pair.one
        lost = getattr(pair, silent)
        for _ in range(5):
            pair.one.now = pair.two.now = pair.one.now + 1000
            heard.tell(current_ma=-8000, pack_mv=37_000)
            pair.add()
        count = lost.count("share_pct")
        for _ in range(20):
            pair.one.now = pair.two.now = pair.one.now + 1000
            heard.tell(current_ma=-8000, pack_mv=37_000)
            lost.tell(pack_mv=37_000)
            pair.add()
        assert lost.value("share_pct") is None
        assert (heard.value("share_pct"), lost.count("share_pct")) == (100, count)


def test_voltage_that_is_not_known_is_not_level() -> None:
    for silent in ("one", "two"):
        pair = Pair()
        pair.tell(0, 0, 0)
        for _ in range(30):
            for rig in (pair.one, pair.two):
                rig.tell(1000, current_ma=-5000)
            (pair.two if silent == "one" else pair.one).tell(pack_mv=37_000)
            pair.add()
        assert pair.told in ((100, 100), (50, 50))
        assert pair.one.count("share_pct") == 1


def test_switched_off_it_begins_anew() -> None:
    pair = Pair()
    pair.tell(0, 0, 0)
    pair.ride(9, 8000, 2000)
    pair.share.reset()
    pair.ride(9, 2000, 8000)
    assert pair.told == (100, 100)
    pair.ride(1, 2000, 8000)
    assert pair.told == (20, 80)


def test_a_fortnight_is_no_moment() -> None:
    pair = Pair()
    pair.tell(0, 0, 0)
    for _ in range((1 << 30) // 3_600_000):
        pair.one.now += 3_600_000
        pair.share.saturate(pair.one.now)
    pair.one.now = pair.two.now = 0
    pair.tell(1, 8000, 2000)  # stands for a whole second: the round before was long ago
    pair.ride(9, 8000, 2000)
    assert pair.told == (80, 20)


def test_first_round_counts_from_the_start_of_the_clock() -> None:
    pair = Pair(start=500)
    pair.tell(0, 8000, 2000)
    pair.ride(9, 8000, 2000)
    pair.tell(499, 8000, 2000)
    assert pair.told == (100, 100)
    pair.tell(1, 8000, 2000)
    assert pair.told == (80, 20)

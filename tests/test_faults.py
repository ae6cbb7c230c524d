"""Line faults: what the command line accepts, and what each kind does to known bytes."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packlab.capture import Chunk, Event, Header, Level, LineSetting
from packlab.errors import PacklabError
from packlab.faults import KINDS, apply, parse
from packlab.faults.wave import collided, levels, receive

HEADER = Header("made", "test", {"bms_tx": LineSetting(115200), "host_tx": LineSetting(115200)})
FRAME = bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe")


def line(count: int = 200, ports: Iterable[str] = ("host_tx", "bms_tx")) -> list[Event]:
    """A chunk on each port every 100 ms, numbered in its last byte."""
    return [
        Chunk(number * 100_000 + place * 2_000, port, FRAME[:-1] + bytes([number & 255]))
        for number in range(count)
        for place, port in enumerate(ports)
    ]


def spoil(*faults: str, seed: int = 1, events: list[Event] | None = None) -> list[Event]:
    specs = [parse(fault) for fault in faults]
    return list(apply(line() if events is None else events, specs, HEADER, seed))


def changed(events: list[Event], port: str) -> int:
    before = [e for e in line() if e.port == port]
    after = [e for e in events if e.port == port]
    return sum(1 for one, other in zip(before, after, strict=False) if one != other)


@given(st.binary(max_size=300))
def test_a_clean_wave_gives_the_bytes_back(data: bytes) -> None:
    assert receive(levels(data)) == data


@pytest.mark.parametrize("percent", [-2.0, -1.0, 1.0, 2.0])
def test_two_percent_of_clock_error_harm_nothing(percent: float) -> None:
    data = bytes(range(256))
    assert receive(levels(data), 1 + percent / 100) == data


def test_ten_percent_of_clock_error_do() -> None:
    assert receive(levels(FRAME), 1.10) != FRAME


def test_a_low_bit_wins_a_collision() -> None:
    assert collided([0, 1, 1], [0, 0], 1) == [0, 0, 0]
    assert receive(collided(levels(b"\xff"), levels(b"\xff"), 3)) == bytes([0b11111011])


def test_bit_errors_come_at_their_rate() -> None:
    events = spoil("bits:1e-3")
    # a frame of 200 bits survives with 0.999 ** 200 = 82 %
    assert 20 <= changed(events, "bms_tx") <= 55
    assert spoil("bits:0") == line()


def test_a_fault_stays_on_its_port() -> None:
    events = spoil("bits:0.01@bms_tx")
    assert changed(events, "host_tx") == 0
    assert changed(events, "bms_tx") > 100


def test_the_same_seed_spoils_the_same_way() -> None:
    assert spoil("bits:1e-3", "lose:1e-3", seed=5) == spoil("bits:1e-3", "lose:1e-3", seed=5)
    assert spoil("bits:1e-3", seed=5) != spoil("bits:1e-3", seed=6)


def test_bursts_hit_only_what_they_meet() -> None:
    events = spoil("burst:1s+20ms")
    hit = {e.t_us for e, was in zip(events, line(), strict=False) if e != was}
    assert hit
    assert all(t_us % 1_000_000 < 120_000 for t_us in hit)


def test_bytes_are_lost_doubled_and_cut_off() -> None:
    total = sum(len(e.data) for e in line() if isinstance(e, Chunk))
    for fault, low, high in (("lose:0.01", 0.985, 0.995), ("double:0.01", 1.005, 1.015)):
        got = sum(len(e.data) for e in spoil(fault) if isinstance(e, Chunk))
        assert low < got / total < high
    short = [e for e in spoil("truncate:0.5") if isinstance(e, Chunk) and len(e.data) < len(FRAME)]
    assert 150 < len(short) < 250


def test_a_cut_wire_is_silent_and_a_stuck_one_low() -> None:
    cut = spoil("cut:5s+3s@bms_tx")
    assert not [e for e in cut if e.port == "bms_tx" and 5_000_000 <= e.t_us < 8_000_000]
    assert len([e for e in cut if e.port == "bms_tx"]) == 170
    stuck = spoil("stuck:5s+3s@bms_tx")
    assert [e for e in stuck if isinstance(e, Level)] == [
        Level(5_000_000, "bms_tx", "low"),
        Level(8_000_000, "bms_tx", "idle"),
    ]
    assert len([e for e in stuck if isinstance(e, Chunk) and e.port == "bms_tx"]) == 170


def test_wrong_speed_and_inversion_leave_no_frame_whole() -> None:
    for fault in ("speed:9600", "speed:57600", "invert"):
        assert all(FRAME[:-1] not in e.data for e in spoil(fault) if isinstance(e, Chunk))
    assert spoil("speed:115200") == line()


def test_an_echo_comes_on_the_other_wire() -> None:
    events = spoil("echo:300us@host_tx", events=line(3, ("host_tx",)))
    assert [(e.t_us, e.port) for e in events] == [
        (0, "host_tx"), (300, "bms_tx"),
        (100_000, "host_tx"), (100_300, "bms_tx"),
        (200_000, "host_tx"), (200_300, "bms_tx"),
    ]  # fmt: skip


def test_a_collision_spoils_a_chunk() -> None:
    events = spoil("collide:1@host_tx")
    assert changed(events, "host_tx") == 200
    assert changed(events, "bms_tx") == 0


def test_delay_reordering_and_stall_keep_times_sorted() -> None:
    late = spoil("delay:250ms")
    assert sorted(e.data for e in late if isinstance(e, Chunk)) == sorted(
        e.data for e in line() if isinstance(e, Chunk)
    )
    assert [e.data for e in late if isinstance(e, Chunk)] != [
        e.data for e in line() if isinstance(e, Chunk)
    ]
    swapped = spoil("reorder:0.5@bms_tx")
    numbers = [e.data[-1] for e in swapped if isinstance(e, Chunk) and e.port == "bms_tx"]
    assert numbers != sorted(numbers)
    assert sorted(numbers) == list(range(200))
    stalled = spoil("stall:5s+350ms")
    held = [e for e in stalled if e.t_us == 5_350_000]
    assert len(held) == 8
    for events in (late, swapped, stalled):
        assert [e.t_us for e in events] == sorted(e.t_us for e in events)


def test_old_data_are_replayed() -> None:
    events = spoil("old:10s+5s@bms_tx")
    numbers = [e.data[-1] for e in events if isinstance(e, Chunk) and e.port == "bms_tx"]
    assert max(numbers[100:150]) < 32
    assert numbers[150] == 150


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_example_is_accepted_and_changes_the_line(kind: str) -> None:
    spec = parse(KINDS[kind].example)
    assert spec.kind == kind
    events = line(2000)
    after = list(apply(events, [spec], HEADER, 3))
    assert after != events or kind == "skew"
    assert [e.t_us for e in after] == sorted(e.t_us for e in after)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bit:1", "no fault; use one of bits, burst"),
        ("bits", "write it like bits:1e-4"),
        ("bits:2", "between 0 and 1"),
        ("bits:x", "neither a number nor a time"),
        ("cut:5s", "write it like cut:12.5s+3s"),
        ("cut:5+3", "write it like cut:12.5s+3s"),
        ("bits:1e-3@tx", "no port; use bms_tx"),
    ],
)
def test_an_unclear_fault_is_named(text: str, words: str) -> None:
    with pytest.raises(PacklabError, match=re.escape(words)):
        parse(text)


def test_a_wire_upside_down_rests_low_and_says_other_bytes() -> None:
    events: list[Event] = [
        Level(0, "bms_tx", "idle"),
        Level(0, "host_tx", "idle"),
        Chunk(5_000, "bms_tx", FRAME),
        Level(9_000, "bms_tx", "low"),
        Level(9_500, "bms_tx", "break"),
    ]
    spoilt = spoil("invert@bms_tx", events=events)
    told = [(e.t_us, e.port, e.level) for e in spoilt if isinstance(e, Level)]
    assert told == [
        (0, "bms_tx", "low"),
        (0, "host_tx", "idle"),
        (9_000, "bms_tx", "idle"),
        (9_500, "bms_tx", "break"),
    ]
    (chunk,) = [e for e in spoilt if isinstance(e, Chunk)]
    assert chunk.data != FRAME

"""Replay: how a capture is fed to the core and when, what the trace tells, and how it ends when
something goes wrong."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import packlab.replay
import pytest
from packlab.capture import Chunk, Event, Level
from packlab.errors import PacklabError
from packlab.replay import BEAT_US, Settings, feed_line, head_line, paced, replay

REPLY = bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe")
REQUEST = bytes.fromhex("55aa032201300c9dff")
CPYTHON = Settings({"profile": "m365"}, "cpython")


def polls(number: int, every_us: int = 210_000) -> Iterator[Event]:
    """A line that is polled, as the M365's is."""
    for poll in range(number):
        yield Chunk(poll * every_us, "host_tx", REQUEST)
        yield Chunk(poll * every_us + 2_000, "bms_tx", REPLY)


def trace(events: Iterator[Event], settings: Settings = CPYTHON) -> list[dict[str, Any]]:
    return [json.loads(line) for line in replay(events, settings)]


def core(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Put another programme in the core's place."""
    script = folder / "core.py"
    script.write_text(code)
    monkeypatch.setattr(packlab.replay, "RUNNER", str(script))


# --- what the core is fed ------------------------------------------------------------------------


def test_lines_of_the_feed() -> None:
    assert feed_line(Chunk(1_898_308, "bms_tx", b"\x55\xaa")) == "1898308 bms_tx 55aa\n"
    assert feed_line(Level(0, "dash", "low")) == "0 dash !low\n"
    head = json.loads(head_line(Settings({"packs": 2}, edges=True), lock=True))
    assert head == {"config": {"packs": 2}, "telemetry": False, "edges": True, "lock": True}


# --- pace ----------------------------------------------------------------------------------------


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.s = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.s

    def sleep(self, s: float) -> None:
        self.slept.append(s)
        self.s += s


def at(clock: Clock, events: list[Event], speed: float) -> list[tuple[float, str]]:
    """When each line is handed out, in seconds since the start, rounded to the microsecond."""
    lines = paced(events, speed, clock.now, clock.sleep)
    return [(round(clock.now() - 1000, 6), line) for line in lines]


LATE = [Chunk(7_000_000, "bms_tx", b"\1"), Chunk(7_120_000, "bms_tx", b"\2")]


def test_in_real_time_each_event_comes_at_its_time_and_the_clock_ticks_between() -> None:
    assert BEAT_US == 50_000
    assert at(Clock(), list(LATE), 1) == [
        (0.0, "7000000 bms_tx 01\n"),  # the first is due at once, whatever its stamp
        (0.05, "7050000 clock -\n"),
        (0.10, "7100000 clock -\n"),
        (0.12, "7120000 bms_tx 02\n"),
    ]


def test_ten_times_as_fast_takes_a_tenth_with_beats_as_far_apart_for_the_watcher() -> None:
    events = [Chunk(0, "bms_tx", b"\1"), Chunk(1_200_000, "bms_tx", b"\2")]
    assert at(Clock(), events, 10) == [
        (0.0, "0 bms_tx 01\n"),
        (0.05, "500000 clock -\n"),
        (0.10, "1000000 clock -\n"),
        (0.12, "1200000 bms_tx 02\n"),
    ]


def test_slow_motion_still_tells_the_core_the_time() -> None:
    assert [s for s, _ in at(Clock(), list(LATE), 0.5)] == [0.0, 0.1, 0.2, 0.24]


def test_who_is_late_does_not_sleep_and_does_not_run_away() -> None:
    clock = Clock()
    lines = paced(list(LATE), 1, clock.now, clock.sleep)
    next(lines)
    clock.s += 0.11  # the core was busy
    assert next(lines) == "7050000 clock -\n"
    assert next(lines) == "7100000 clock -\n"
    assert clock.slept == [0.0, 0.0]
    assert next(lines) == "7120000 bms_tx 02\n"
    assert round(clock.now() - 1000, 6) == 0.12


def test_pace_changes_no_byte_of_the_trace() -> None:
    as_fast_as_it_goes = list(replay(polls(30), CPYTHON))
    start = time.monotonic()
    assert list(replay(polls(30), Settings(CPYTHON.config, "cpython", 20.0))) == as_fast_as_it_goes
    assert time.monotonic() - start >= 29 * 0.21 / 20


def test_a_paced_trace_comes_as_it_happens(
    micropython64: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    del micropython64  # only that there is one
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    for interpreter in ("cpython", "unix"):
        lines = replay(polls(3, 1_000_000), Settings(CPYTHON.config, interpreter, 1.0))
        next(lines)  # on a busy machine this takes a second of the two
        start = time.monotonic()
        assert "summary" in list(lines)[-1]
        assert time.monotonic() - start >= 0.5, interpreter  # 1 s, less the start


# --- the trace -----------------------------------------------------------------------------------


def test_summary_is_last_and_counts() -> None:
    summary = trace(polls(10))[-1]
    assert summary["event"] == "summary"
    assert (summary["frames"], summary["requests"], summary["replies"]) == (20, 10, 10)
    assert summary["seconds"] == 1.892
    assert summary["last"]["soc_pct"] == 47
    counts = {"bad_check", "bad_length", "cut", "noise", "unknown"}
    assert {summary[name] for name in counts} == {0}
    assert summary["link_score"] == 100


def test_each_kind_of_damage_is_counted() -> None:
    spoilt = bytearray(REPLY)
    spoilt[10] ^= 1
    events: list[Event] = [
        Chunk(0, "bms_tx", REPLY),
        Chunk(200_000, "bms_tx", bytes(spoilt)),
        Chunk(400_000, "bms_tx", bytes.fromhex("55aaff")),
        Chunk(600_000, "bms_tx", b"\x00\x11" + REPLY),
        Chunk(800_000, "bms_tx", REPLY[:7]),
        Chunk(1_200_000, "bms_tx", REPLY),
        Chunk(1_400_000, "bms_tx", bytes.fromhex("55aa0225770061ff")),
    ]
    summary = trace(iter(events))[-1]
    assert (summary["frames"], summary["replies"]) == (4, 3)
    assert (summary["bad_check"], summary["bad_length"], summary["cut"]) == (1, 1, 1)
    assert summary["unknown"] == 1
    assert summary["noise"] == 20 + 3 + 2 + 7


def test_an_alert_tells_code_level_value_and_limit() -> None:
    hot = bytearray(REPLY[:-2])
    hot[16:18] = bytes((62 + 20, 61 + 20))
    hot += (0xFFFF - sum(hot[2:])).to_bytes(2, "little")
    events = [Chunk(t * 210_000, "bms_tx", bytes(hot)) for t in range(100)]
    (alert,) = [
        event
        for event in trace(iter(events))
        if event["event"] == "alert" and event["code"] == "discharge_hot"
    ]
    assert (
        alert.items()
        >= {
            "code": "discharge_hot",
            "state": "set",
            "level": "alarm",
            "value": 620,
            "limit": 600,
            "probe": 1,
        }.items()
    )
    assert 10_000 <= alert["t_ms"] <= 11_000


def test_telemetry_and_edges_come_when_asked_for() -> None:
    def kinds(settings: Settings) -> set[str]:
        return {event["event"] for event in trace(polls(20), settings)}

    assert kinds(CPYTHON) == {"watch", "led", "summary"}
    assert kinds(Settings({}, "cpython", telemetry=True)) == kinds(CPYTHON) | {"telemetry"}
    assert kinds(Settings({}, "cpython", edges=True)) == kinds(CPYTHON) | {"edge"}


def test_telemetry_names_slots_in_their_units() -> None:
    events = trace(polls(12), Settings({}, "cpython", telemetry=True))
    told = [event for event in events if event["event"] == "telemetry"]
    assert [event["t_ms"] for event in told] == [2, 1050, 2100]
    expected = {"pack": 1, "pack_mv": 35940, "current_ma": -30, "soc_pct": 47}
    assert told[1].items() >= (expected | {"temp_dc": [230, 230]}).items()


def test_both_lines_low_means_off() -> None:
    events = [
        *polls(20),
        Level(5_000_000, "bms_tx", "low"),
        Level(5_000_000, "host_tx", "low"),
        Level(9_000_000, "dash", "low"),
    ]
    leds = [event["look"] for event in trace(iter(events)) if event["event"] == "led"]
    assert leds[-1] == "off"


def test_a_chunk_longer_than_any_buffer_is_fed_whole() -> None:
    (summary,) = trace(iter([Chunk(0, "bms_tx", REPLY * 100)]))[-1:]
    assert (summary["frames"], summary["noise"]) == (100, 0)


def test_nothing_at_all_is_summed_up_as_nothing() -> None:
    (summary,) = [event for event in trace(iter([])) if event["event"] == "summary"]
    assert (summary["frames"], summary["seconds"]) == (0, 0)


# --- when it goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("interpreter", ["cpython", "unix"])
def test_a_refused_configuration_is_told_in_the_cores_own_words(
    interpreter: str, micropython64: object
) -> None:
    del micropython64  # only that there is one
    with pytest.raises(PacklabError) as failure:
        list(replay(polls(1), Settings({"cell_spred_warn_mv": 80}, interpreter)))
    assert str(failure.value).startswith(
        'the configuration is refused: "cell_spred_warn_mv" is no option'
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise MemoryError('locked')", "the core stopped: MemoryError: locked; please report"),
        ("import sys; sys.exit(3)", "the core stopped: exit code 3; please report"),
        ("import os; os.kill(os.getpid(), 9)", "the core stopped: signal 9; please report"),
        ("print('{}'); print('oops')", "the core stopped: oops; please report"),
    ],
)
def test_a_core_that_dies_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, said: str
) -> None:
    core(monkeypatch, tmp_path, code)
    with pytest.raises(PacklabError) as failure:
        list(replay(polls(10_000), CPYTHON))
    assert str(failure.value).startswith(said)


def test_a_core_that_cannot_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packlab.replay, "command", lambda *_: (["/no/such/core"], {}))
    with pytest.raises(PacklabError, match=r"^/no/such/core cannot be run: No such file"):
        list(replay(polls(1), CPYTHON))


def test_half_a_capture_has_no_summary() -> None:
    def broken() -> Iterator[Event]:
        yield from polls(20)
        raise PacklabError("line 41 is damaged")

    seen = []
    with pytest.raises(PacklabError, match=r"^line 41 is damaged$"):
        seen.extend(replay(broken(), CPYTHON))
    assert not [line for line in seen if "summary" in line]


def test_who_has_seen_enough_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    core(
        monkeypatch,
        tmp_path,
        "import os, time; print('{\"pid\":%d}' % os.getpid(), flush=True); time.sleep(60)",
    )
    lines = replay(polls(100_000), CPYTHON)
    pid = json.loads(next(lines))["pid"]
    assert Path(f"/proc/{pid}").exists()
    lines.close()
    assert not Path(f"/proc/{pid}").exists()

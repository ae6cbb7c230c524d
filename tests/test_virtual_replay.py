"""Replay at app depth: the whole firmware on the virtual board decides, shows and sounds what the
core alone does, no later than a poll; the same bytes every time and from both widths; fast."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from app_rig import LEVEL_MS, POLL_MS, REPLY, REQUEST, ROOT
from deckwatch.outputs.buzzer import CHIRP
from packlab.capture import CaptureReader, Chunk, Event, Level
from packlab.errors import PacklabError
from packlab.made import made_capture_path
from packlab.replay import Settings, replay
from packlab.virtual import replay_app

from tools.measure.hour import replayed

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"
HOUR_BUDGET_S = 8.0  # design sheet, budgets

pytestmark = pytest.mark.usefixtures("micropython64")

Trace = list[dict[str, Any]]
State = tuple[str, int]


def capture(name: str) -> Path:
    return REAL if name == "real" else made_capture_path("charge_and_ride", int(name))


@cache
def events(name: str) -> tuple[Event, ...]:
    with CaptureReader(capture(name)) as reader:
        return tuple(reader)


@cache
def lines(name: str, depth: str, interpreter: str = "unix") -> list[str]:
    settings = Settings({"profile": "m365"}, interpreter, edges=True, telemetry=True)
    return list((replay if depth == "core" else replay_app)(events(name), settings))


def trace(name: str, depth: str) -> Trace:
    return [json.loads(line) for line in lines(name, depth)]


def of_kind(events: Trace, kind: str) -> Trace:
    return [event for event in events if event["event"] == kind]


# --- what both depths agree in -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["real", "1", "2", "3"])
def test_same_alerts_in_the_same_order_with_the_same_values(name: str) -> None:
    core, app = (of_kind(trace(name, depth), "alert") for depth in ("core", "app"))
    assert len(core) == (0 if name == "real" else 16)
    assert [_apart_from_time(alert) for alert in app] == [_apart_from_time(a) for a in core]
    for alone, whole in zip(core, app, strict=True):
        late_ms = whole["t_ms"] - alone["t_ms"]
        assert 0 <= late_ms <= LEVEL_MS, whole
        if alone["unit"].endswith("_ms"):  # how long nobody has answered, by who looks when
            assert abs(whole["value"] - alone["value"]) <= LEVEL_MS


def _apart_from_time(alert: dict[str, Any]) -> dict[str, Any]:
    leave = {"t_ms", "value", "peak"} if alert["unit"].endswith("_ms") else {"t_ms"}
    return {name: value for name, value in alert.items() if name not in leave}


def levels(name: str) -> set[int]:
    """When a wire changed its level, ms."""
    return {e.t_us // 1000 for e in events(name) if isinstance(e, Level)}


@pytest.mark.parametrize("name", ["real", "1", "2", "3"])
def test_same_looks_and_groups_of_beeps(name: str) -> None:
    kinds = {"led": ("look", "colour", "blinks"), "buzzer": ("tone_hz", "beeps")}
    for kind, members in kinds.items():
        core, app = (of_kind(trace(name, depth), kind) for depth in ("core", "app"))
        if kind == "buzzer":  # goes on until the app has seen that the line is off
            app = [
                e for e in app if not any(0 < e["t_ms"] - at <= LEVEL_MS for at in levels(name))
            ]
        seen = [[tuple(e[m] for m in members) for e in depth] for depth in (core, app)]
        if kind == "led" and seen[0][0] != seen[1][0]:  # it wakes before the line tells anything
            assert seen[1].pop(0) == ("no_data", "blue", 1)
        assert seen[0] == seen[1]
        assert len(seen[0]) >= (0 if kind == "buzzer" else 2)


@pytest.mark.parametrize("name", ["real", "1", "2", "3"])
def test_same_frames_are_counted(name: str) -> None:
    core, app = (trace(name, depth)[-1] for depth in ("core", "app"))
    names = ("profile", "family", "frames", "bad_check", "bad_length", "cut", "unknown")
    names += ("requests", "replies", "link_score", "worst_link_score", "worst_level")
    assert {n: app[n] for n in names} == {n: core[n] for n in names}
    # where a wire is switched off, the receiver reads one zero byte off the long low
    lows = [e for e in events(name) if isinstance(e, Level) and e.level == "low" and e.t_us]
    assert app["noise"] == core["noise"] + len(lows)


@pytest.mark.parametrize("name", ["real", "1", "2", "3"])
def test_light_and_buzzer_change_where_the_patterns_say(name: str) -> None:
    """Each edge of the core's, and no other, at the same distance from where its look began.

    Not compared is the look before the first change of looks: core and app begin it apart.
    """
    core = _shown(trace(name, "core"))[1:]
    app = _shown(trace(name, "app"))[-len(core) :]
    assert len(core) >= (1 if name == "real" else 11)
    assert sum(len(look.states) for look in core) > (0 if name == "real" else 900)
    for expected, seen in zip(core, app, strict=True):
        late_ms = LEVEL_MS if expected.t_ms in levels(name) else POLL_MS
        assert 0 <= seen.t_ms - expected.t_ms <= late_ms
        # what ends a look cuts its last beat, a poll sooner or later
        both = min(expected.lasts_ms, seen.lasts_ms) - POLL_MS
        assert _before(both, seen.states) == _before(both, expected.states), seen.name
        # a chirp begins with an alert, which the app may judge a poll later
        chirped = any(tone_hz == CHIRP[0][0] for _, (_, tone_hz) in expected.states)
        for (alone_ms, state), (whole_ms, _) in zip(expected.states, seen.states, strict=False):
            assert abs(whole_ms - alone_ms) <= POLL_MS * (1 + chirped), (seen.name, state)


@dataclass
class Look:
    """How one look was shown: when it began, and (ms since, (colour, tone)) of each change."""

    name: str
    t_ms: int
    lasts_ms: int
    states: list[tuple[int, State]]


def _shown(events: Trace) -> list[Look]:
    states: dict[int, State] = {}
    for edge in of_kind(events, "edge"):  # what changes at one instant is one change
        states[edge["t_ms"]] = (edge["colour"], edge["tone_hz"])
    begin = [(e["t_ms"], e["look"]) for e in of_kind(events, "led")]
    looks = []
    for (t_ms, name), (end_ms, _) in pairwise([*begin, (max(states) + 1, "")]):
        changes = [(at_ms - t_ms, s) for at_ms, s in states.items() if t_ms <= at_ms < end_ms]
        looks.append(Look(name, t_ms, end_ms - t_ms, changes))
    return looks


def _before(ms: int, states: list[tuple[int, State]]) -> list[State]:
    return [state for at_ms, state in states if at_ms <= ms]


def test_two_runs_and_both_widths_give_the_same_bytes(micropython32: object) -> None:
    del micropython32  # only that there is one
    first = lines("1", "app")
    settings = Settings({"profile": "m365"}, "unix", edges=True, telemetry=True)
    assert len(first) > 1900
    assert list(replay_app(events("1"), settings)) == first
    assert lines("1", "app", "unix32") == first


# --- how a trace is told -------------------------------------------------------------------------


def polls(number: int, reply: str = REPLY) -> Iterator[Event]:
    for poll in range(number):
        yield Chunk(poll * 210_000 + 1_000, "host_tx", bytes.fromhex(REQUEST))
        yield Chunk(poll * 210_000 + 6_000, "bms_tx", bytes.fromhex(reply))


def told(events: Iterable[Event], **options: Any) -> Trace:
    return [json.loads(line) for line in replay_app(events, Settings(**options))]


def test_time_never_goes_back_in_a_trace() -> None:
    times = [event["t_ms"] for event in trace("1", "app") if "t_ms" in event]
    assert times == sorted(times)


def test_start_settings_and_values_are_told() -> None:
    events = told(polls(12), config={"profile": "pro2"}, telemetry=True)
    assert events[0] == {"t_ms": 0, "event": "boot", "cause": "pwron"}
    (first, *_) = of_kind(events, "telemetry")
    assert (first["pack_mv"], first["current_ma"], first["soc_pct"]) == (35940, -30, 47)
    summary = events[-1]
    assert (summary["profile"], summary["family"]) == ("pro2", "xiaomi")
    assert summary["seconds"] == 2.315
    assert summary["last"]["temp_dc"] == [230, 230]


def test_bytes_that_found_no_room_are_told() -> None:
    events = told([*polls(10), Level(1_920_000, "bms_tx", "overrun"), *_later(polls(5))])
    assert of_kind(events, "lost") == []  # the buffer was empty
    unread = [Chunk(1_920_900, "bms_tx", bytes(11)), Level(1_920_950, "bms_tx", "overrun")]
    (lost,) = of_kind(told([*polls(10), *unread]), "lost")
    assert (lost["uart"], lost["bytes"]) == ("uart1", 11)


def _later(events: Iterable[Event]) -> Iterator[Event]:
    for event in events:
        assert isinstance(event, Chunk)
        yield Chunk(event.t_us + 2_100_000, event.port, event.data)


def test_the_app_needs_micropython_and_a_capture_with_events() -> None:
    with pytest.raises(PacklabError, match="the app runs on MicroPython only"):
        told(polls(1), interpreter="cpython")
    with pytest.raises(PacklabError, match="has no events"):
        told(iter([]))


def test_at_ten_times_real_time_it_takes_a_tenth() -> None:
    start = perf_counter()
    replayed = replay_app(polls(40), Settings(edges=True, speed=10.0))
    times = [json.loads(line).get("t_ms", 0) for line in replayed]
    assert perf_counter() - start >= (times[-2] - times[0]) / 1000 / 10 > 0.1


# --- how long it takes ---------------------------------------------------------------------------


@pytest.mark.soak
def test_a_recorded_hour_takes_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    took = replayed(replay_app, REAL, "unix")
    with capsys.disabled():
        print(f"\n  a recorded hour at app depth: {took.processor_s:.1f} s of a processor")
    assert took.processor_s <= HOUR_BUDGET_S

"""Hours by chance, with a fresh seed each time, which is printed: no warning in an innocent one,
no fault missed that is watched. A few in the usual run, a hundred and a hundred in `make soak`."""

import json
import os
import random
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from packlab.library import chance
from packlab.library.judge import LEVELS
from packlab.library.kit import Tale
from packlab.library.play import events
from packlab.replay import Settings, replay

FEW = 1
MANY = 100


def trace(tale: Tale, seed: int) -> list[dict[str, Any]]:
    settings = Settings(dict(tale.dongle), "unix")
    return [json.loads(line) for line in replay(events(tale, seed), settings)]


def false_in(seed: int) -> list[str]:
    """Warnings and alarms of an innocent hour."""
    tale = chance.innocent(seed)
    return [
        f"seed {seed}, {tale.line}: {event['code']} {event['level']} at {event['t_ms']} ms"
        for event in trace(tale, seed)
        if event["event"] == "alert" and event["state"] == "set" and event["level"] != "info"
    ]


def noticed(trace: Iterable[dict[str, Any]], fault: chance.Fault, at_s: int) -> tuple[bool, bool]:
    """(was the fault watched, was it told) from `at_s` on. An alert that stands then counts, too:
    a line is played up to a poll ahead, and may carry the fault a moment early."""
    watched = told = False
    for event in trace:
        has_begun = event.get("t_ms", 0) >= at_s * 1000  # the summary has no time
        if event["event"] == "watch" and event["pack"] == 1:
            now = fault.code in event["watched"]
            watched = watched or now if has_begun else now
        if event["event"] == "alert" and event["code"] == fault.code:
            now = event["state"] == "set" and LEVELS.index(event["level"]) >= LEVELS.index(
                fault.level
            )
            told = told or now if has_begun else now
    return watched or told, told


def missed_in(seed: int) -> tuple[bool, str]:
    """(was it watched, what was missed) of an hour with a fault."""
    tale, fault, at_s = chance.faulty(seed)
    watched, told = noticed(trace(tale, seed), fault, at_s)
    what = f"seed {seed}, {tale.line}: {fault.code} {fault.level} from {at_s} s"
    return watched, "" if told else what


def fresh() -> int:
    """Another one each time; DECKWATCH_SEED gives one again."""
    return int(os.environ.get("DECKWATCH_SEED", random.SystemRandom().randrange(10**9)))


def innocents(count: int) -> None:
    first = fresh()
    print(f"innocent hours from DECKWATCH_SEED={first}")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(false_in, range(first, first + count)))
    assert [one for hour in found for one in hour] == []


def faults(count: int) -> None:
    first = fresh()
    print(f"faulty hours from DECKWATCH_SEED={first}")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(missed_in, range(first, first + count)))
    watched = [missed for was_watched, missed in found if was_watched]
    print(f"{len(watched)} of {count} faults were watched")
    assert [missed for missed in watched if missed] == []
    assert len(watched) >= count * 3 // 4


def test_some_innocent_hours() -> None:
    innocents(FEW)


def test_some_faulty_hours() -> None:
    faults(2 * FEW)


@pytest.mark.soak
def test_a_hundred_innocent_hours() -> None:
    innocents(MANY)


@pytest.mark.soak
def test_a_hundred_faulty_hours() -> None:
    faults(MANY)


def test_what_counts_as_noticed() -> None:
    fault = chance.Fault("temp_sensor", "warn")

    def of(*told: tuple[int, str, str]) -> tuple[bool, bool]:
        watch = {"t_ms": 0, "event": "watch", "pack": 1, "watched": ["temp_sensor"]}
        alerts = [
            {"t_ms": t_ms, "event": "alert", "code": "temp_sensor", "state": state, "level": level}
            for t_ms, state, level in told
        ]
        return noticed([watch, *alerts, {"event": "summary"}], fault, 100)

    assert of() == (True, False)
    assert of((100_500, "set", "warn")) == (True, True)
    assert of((100_500, "set", "info")) == (True, False)
    assert of((99_904, "set", "warn")) == (True, True)  # DECKWATCH_SEED=941261686
    assert of((99_904, "set", "warn"), (100_500, "clear", "ok")) == (True, True)
    assert of((50_000, "set", "warn"), (60_000, "clear", "ok")) == (True, False)
    unseen = [{"t_ms": 0, "event": "watch", "pack": 1, "watched": []}]
    assert noticed(unseen, fault, 100) == (False, False)


def test_a_seed_gives_the_same_hour() -> None:
    one, fault, at_s = chance.faulty(7)
    other, same, when = chance.faulty(7)
    assert (one.line, one.beats, fault, at_s) == (other.line, other.beats, same, when)
    assert chance.innocent(7).beats != chance.innocent(8).beats
    assert {chance.faulty(seed)[1].code for seed in range(200)} == {f.code for f in chance.FAULTS}

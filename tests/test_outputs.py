"""Light and buzzer: every pattern of the table in docs/signals.md, edge by edge."""

from itertools import pairwise
from typing import Any

import pytest
from deckwatch import status
from deckwatch.outputs.buzzer import ALARM_HZ, WARN_HZ, Buzzer
from deckwatch.outputs.led import COLOURS, PATTERNS, Led
from deckwatch.status import Status

TICKS = 1 << 30


def shown(look: int, group: int = 0, since: int = 0) -> Status:
    """A status that began at `since`."""
    now = Status()
    now.look, now.group, now.since, now.sound_since = look, group, since, since
    return now


def course(output: Any, of: Status, read: str, span_ms: int, start: int = 0) -> list[Any]:
    """(ms, value) at each change within the span, found by looking every millisecond; along the
    way each wait that render() returns is held against it: nothing may change before its end."""
    changes: list[Any] = []
    promised = 0
    for ms in range(span_ms):
        wait = output.render(of, (start + ms) % TICKS)
        value = getattr(output, read)
        assert wait >= 1
        if not changes or value != changes[-1][1]:
            assert not changes or ms == promised, (ms, promised)
            changes.append((ms, value))
        promised = ms + wait
    return changes


def light(look: int, group: int = 0, span_ms: int = 6000, start: int = 0) -> list[tuple[int, str]]:
    changes = course(Led(), shown(look, group, start), "colour", span_ms, start)
    return [(ms, COLOURS[colour]) for ms, colour in changes]


def blinks(colour: str, on: int, off: int, pause: int, count: int, span_ms: int) -> list[Any]:
    """What a blinking light must look like."""
    expected, ms = [], 0
    while ms < span_ms:
        for _ in range(count):
            expected += [(ms, colour), (ms + on, "off")]
            ms += on + off
        ms += pause
    kept: list[Any] = []
    for change in expected:
        if change[0] < span_ms and (not kept or kept[-1][1] != change[1]):
            kept.append(change)
    return kept


# --- light ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("look", "colour"), [(status.OFF, "off"), (status.FINE, "green")])
def test_steady_lights(look: int, colour: str) -> None:
    assert light(look) == [(0, colour)]
    led = Led()
    assert led.render(shown(look), 0) == 60000


def test_no_data_is_a_rare_blue_flash() -> None:
    assert light(status.NO_DATA) == blinks("blue", 200, 0, 1800, 1, 6000)


def test_partial_is_two_blue_flashes() -> None:
    assert light(status.PARTIAL) == blinks("blue", 200, 200, 1200, 2, 6000)


@pytest.mark.parametrize("group", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("look", "colour", "on", "off", "pause"),
    [
        (status.INFO, "green", 400, 100, 1000),
        (status.UNKNOWN, "violet", 250, 250, 1500),
        (status.WARN, "amber", 250, 250, 1000),
        (status.ALARM, "red", 100, 100, 500),
    ],
)
def test_alerts_blink_as_often_as_their_group(
    look: int, colour: str, on: int, off: int, pause: int, group: int
) -> None:
    assert light(look, group, 9000) == blinks(colour, on, off, pause, group, 9000)


def test_every_look_has_a_pattern_and_no_two_share_one() -> None:
    assert sorted(PATTERNS) == list(range(len(status.LOOKS)))
    assert len(set(PATTERNS.values())) == len(PATTERNS)


def test_pattern_begins_when_the_look_began_and_runs_over_the_wrap() -> None:
    assert light(status.ALARM, 3, 3000, TICKS - 250) == blinks("red", 100, 100, 500, 3, 3000)


# --- buzzer --------------------------------------------------------------------------------------


def groups(look: int, span_ms: int, beeps: int = 2, start: int = 0) -> list[int]:
    """When each group of beeps begins; that all are whole groups is checked on the way."""
    buzzer, of = Buzzer(), shown(look, beeps, start)
    tones, ms = [], 0
    while ms < span_ms:
        wait = buzzer.render(of, (start + ms) % TICKS)
        if buzzer.tone_hz:
            tones.append((ms, wait, buzzer.tone_hz))
        ms += wait
    hertz = ALARM_HZ if look == status.ALARM else WARN_HZ
    starts = [ms for ms, _, _ in tones][::beeps]
    assert tones == [(at + 240 * k, 120, hertz) for at in starts for k in range(beeps)]
    return starts


@pytest.mark.parametrize("look", [look for look in range(len(status.LOOKS)) if look < status.WARN])
def test_only_warnings_and_alarms_sound(look: int) -> None:
    assert groups(look, 3_600_000) == []


@pytest.mark.parametrize("beeps", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("look", "hertz"), [(status.WARN, 2000), (status.ALARM, 2700)])
def test_beeps_count_the_group(look: int, hertz: int, beeps: int) -> None:
    expected = [
        (at, tone) for k in range(beeps) for at, tone in ((240 * k, hertz), (240 * k + 120, 0))
    ]
    assert course(Buzzer(), shown(look, beeps), "tone_hz", 4999) == expected


def test_warning_sounds_every_minute_for_5_minutes_then_never() -> None:
    assert groups(status.WARN, 3_600_000) == [0, 60_000, 120_000, 180_000, 240_000, 300_000]


def test_alarm_sounds_every_5_s_for_2_minutes_then_every_5_minutes() -> None:
    dense = list(range(0, 120_000, 5000))
    assert groups(status.ALARM, 1_500_000) == [*dense, *range(120_000, 1_500_000, 300_000)]


def test_sound_runs_over_the_wrap() -> None:
    assert groups(status.ALARM, 21_000, 5, TICKS - 10_100) == [0, 5000, 10_000, 15_000, 20_000]


def test_muted_is_silent_and_goes_on_where_it_would_be() -> None:
    buzzer, of = Buzzer(), shown(status.ALARM, 1)
    of.muted = True
    assert buzzer.render(of, 5000) == 60000
    assert buzzer.tone_hz == 0
    of.muted = False
    buzzer.render(of, 5000)
    assert buzzer.tone_hz == ALARM_HZ


def test_sound_counts_from_its_own_beginning() -> None:
    buzzer, of = Buzzer(), shown(status.WARN, 1, 0)
    of.since = 30_000
    buzzer.render(of, 60_000)
    assert buzzer.tone_hz == WARN_HZ
    buzzer.render(of, 90_000)
    assert buzzer.tone_hz == 0


def test_waits_never_pass_an_edge() -> None:
    """From wherever one looks first."""
    for look, beeps in ((status.WARN, 3), (status.ALARM, 5)):
        buzzer, of = Buzzer(), shown(look, beeps)
        period = 60_000 if look == status.WARN else 5000
        edges = [*range(0, 240 * beeps, 120), *range(period, period + 240 * beeps, 120)]
        for first, second in pairwise(edges):
            for ms in (first, (first + second) // 2, second - 1):
                assert buzzer.render(of, ms) == second - ms


# --- good news -----------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [status.OFF, status.PARTIAL, status.FINE, status.INFO])
def test_good_news_is_two_rising_tones_once(look: int) -> None:
    now = shown(look, 3)
    now.chirp(TICKS - 100)
    heard = course(Buzzer(), now, "tone_hz", 3000, TICKS - 100)
    assert heard == [(0, 1600), (90, 0), (130, 2400), (270, 0)]


def test_nobody_chirps_without_news() -> None:
    assert course(Buzzer(), shown(status.INFO, 3), "tone_hz", 1000) == [(0, 0)]


def test_acknowledging_does_not_silence_good_news_and_a_warning_drowns_it() -> None:
    now = shown(status.INFO, 3)
    now.muted = True
    now.chirp(0)
    assert course(Buzzer(), now, "tone_hz", 80)[0] == (0, 1600)
    for look, tone_hz in ((status.WARN, WARN_HZ), (status.ALARM, ALARM_HZ)):
        now = shown(look, 3)
        now.chirp(0)
        assert course(Buzzer(), now, "tone_hz", 100) == [(0, tone_hz)]

"""What all outputs show: since when, how long the sound has counted, muted or not."""

from deckwatch.status import ALARM, FINE, INFO, LOOKS, OFF, UNKNOWN, WARN, Status

TICKS = 1 << 30


def test_it_begins_without_data() -> None:
    shown = Status()
    assert LOOKS[shown.look] == "no_data"
    assert (shown.group, shown.muted) == (0, False)


def test_since_is_when_look_or_group_changed() -> None:
    shown = Status()
    shown.show(FINE, 0, False, 1000)
    shown.show(FINE, 0, False, 2000)
    assert (shown.look, shown.group, shown.since) == (FINE, 0, 1000)
    shown.show(INFO, 1, False, 3000)
    assert (shown.look, shown.group, shown.since) == (INFO, 1, 3000)
    shown.show(INFO, 2, False, 4000)
    assert (shown.look, shown.group, shown.since) == (INFO, 2, 4000)


def test_news_starts_light_and_sound_anew() -> None:
    shown = Status()
    shown.show(WARN, 1, True, 1000)
    shown.show(WARN, 1, False, 2000)
    assert (shown.since, shown.sound_since) == (1000, 1000)
    shown.show(WARN, 1, True, 3000)
    assert (shown.since, shown.sound_since) == (3000, 3000)


def test_good_news_is_kept_with_its_time() -> None:
    shown = Status()
    assert not shown.chirps
    shown.chirp(1000)
    assert (shown.chirps, shown.chirp_since) == (True, 1000)
    shown.saturate(TICKS - 1)
    assert (TICKS - 1 - shown.chirp_since) % TICKS == 1 << 28


def test_milder_alert_that_remains_does_not_start_the_sound_anew() -> None:
    shown = Status()
    shown.show(ALARM, 2, True, 1000)
    shown.show(WARN, 1, False, 9000)
    assert (shown.since, shown.sound_since) == (9000, 1000)


def test_sound_that_was_interrupted_goes_on_where_it_was() -> None:
    shown = Status()
    shown.show(ALARM, 2, True, 1000)
    shown.muted = True
    shown.show(UNKNOWN, 2, False, 6000)
    shown.show(ALARM, 2, False, 6000 + 600_000)
    assert (shown.since, shown.sound_since, shown.muted) == (606_000, 1000, True)


def test_sound_that_was_interrupted_for_long_starts_anew() -> None:
    shown = Status()
    shown.show(ALARM, 2, True, 1000)
    shown.muted = True
    shown.show(OFF, 0, False, 6000)
    shown.show(UNKNOWN, 2, False, 7000)
    shown.show(ALARM, 2, False, 6000 + 600_001)
    assert (shown.sound_since, shown.muted) == (606_001, False)


def test_mute_lasts_until_news() -> None:
    shown = Status()
    shown.show(WARN, 1, True, 1000)
    shown.muted = True
    shown.show(WARN, 1, False, 2000)
    shown.show(INFO, 1, False, 3000)
    shown.show(WARN, 1, False, 4000)
    assert shown.muted
    shown.show(ALARM, 2, True, 5000)
    assert not shown.muted


def test_stamps_stay_long_ago_over_the_wrap() -> None:
    shown = Status()
    shown.show(ALARM, 2, True, 1000)
    shown.show(UNKNOWN, 2, False, 2000)
    now = 2000
    for _ in range(30 * 24):
        now += 3_600_000
        shown.saturate(now % TICKS)
    for stamp in (shown.since, shown.sound_since):
        assert (now - stamp) % TICKS == 1 << 28
    shown.show(ALARM, 2, False, now % TICKS)
    assert shown.sound_since == now % TICKS

"""Short shows over the normal pattern: self-test, faulty configuration, what is watched."""

from deckwatch.outputs.led import COLOURS
from deckwatch.outputs.sequence import CONFIG_ERROR, SAFE_MODE, SELF_TEST, Sequence, silent

TICKS = 1 << 30


def played(show: Sequence, start: int = 0) -> list[tuple[int, str, int]]:
    """(ms, colour, tone) at each edge, following the waits; the last is (ms, "end", 0)."""
    course, ms = [], 0
    while ms < 20_000:
        wait = show.render((start + ms) % TICKS)
        if not show.playing:
            return [*course, (ms, "end", 0)]
        course.append((ms, COLOURS[show.colour], show.tone_hz))
        ms += wait
    raise AssertionError("never ends")


def test_nothing_plays_at_first() -> None:
    assert not Sequence().playing


def test_self_test_shows_every_colour_and_one_beep() -> None:
    show = Sequence()
    show.play(SELF_TEST, 0)
    assert played(show) == [
        (0, "red", 0),
        (300, "amber", 0),
        (600, "green", 0),
        (900, "blue", 0),
        (1200, "off", 2700),
        (1350, "off", 0),
        (1600, "end", 0),
    ]


def test_steps_of_the_other_shows() -> None:
    for steps in (CONFIG_ERROR, SAFE_MODE):
        show = Sequence()
        show.play(steps, 0)
        course = played(show)
        assert [(colour, tone) for _, colour, tone in course[:-1]] == [
            (COLOURS[steps[at]], 50 * steps[at + 1]) for at in range(0, len(steps), 3)
        ]
        assert course[-1][0] == 10 * sum(steps[2::3])
    quiet = Sequence()
    quiet.play(silent(CONFIG_ERROR), 0)
    assert {tone for _, _, tone in played(quiet)} == {0}
    assert [10 * sum(steps[2::3]) for steps in (CONFIG_ERROR, SAFE_MODE)] == [2000, 1000]


def test_show_runs_over_the_wrap_and_may_be_replaced() -> None:
    show = Sequence()
    show.play(SELF_TEST, TICKS - 500)
    assert played(show, TICKS - 500)[-1] == (1600, "end", 0)
    show.play(CONFIG_ERROR, 0)
    show.render(100)
    show.play(SELF_TEST, 200)
    assert show.render(200) == 300
    assert COLOURS[show.colour] == "red"


def test_groups_are_green_where_all_is_watched_and_blue_where_not() -> None:
    show = Sequence()
    flags = bytearray([1, 0, 1, 1, 0])
    show.play_watched(flags, 0)
    flags[0] = 0  # taken over when it began
    assert played(show) == [
        (0, "green", 0),
        (500, "off", 0),
        (750, "blue", 0),
        (1250, "off", 0),
        (1500, "green", 0),
        (2000, "off", 0),
        (2250, "green", 0),
        (2750, "off", 0),
        (3000, "blue", 0),
        (3500, "off", 0),
        (3750, "end", 0),
    ]


def test_tone_of_an_earlier_show_does_not_stay() -> None:
    show = Sequence()
    show.play(SELF_TEST, 0)
    show.render(1250)
    assert show.tone_hz == 2700
    show.play_watched(bytearray(5), 1300)
    show.render(1300)
    assert show.tone_hz == 0

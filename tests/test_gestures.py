"""What the owner's finger and ignition mean."""

from deckwatch.gestures import LONG, NONE, SHORT, Ignition, Press

WRAP = 1 << 30


def press(down_ms: int, start: int = 1000, step: int = 20) -> list[tuple[int, int]]:
    """(ms after the button went down, gesture) for a clean press, looked at every `step` ms."""
    button = Press()
    told = []
    for ms in range(-200, down_ms + 400, step):
        gesture = button.update(0 <= ms < down_ms, (start + ms) % WRAP)
        if gesture != NONE:
            told.append((ms, gesture))
    return told


def test_a_short_press_counts_on_release() -> None:
    assert press(200) == [(240, SHORT)]


def test_a_long_press_counts_while_held_and_only_once() -> None:
    assert press(4000) == [(1500, LONG)]
    assert press(1520) == [(1500, LONG)]
    assert press(1500) == [(1540, SHORT)]


def test_just_too_short_for_long() -> None:
    assert press(1480) == [(1520, SHORT)]


def test_bounces_are_ignored() -> None:
    button = Press()
    assert press(20) == []
    told = [button.update(ms // 20 % 2 == 0, ms) for ms in range(0, 400, 20)]
    assert told == [NONE] * 20


def test_presses_across_the_tick_wrap() -> None:
    assert press(200, start=WRAP - 100) == [(240, SHORT)]
    assert press(4000, start=WRAP - 700) == [(1500, LONG)]


def ignition(*times_s: float, start: int = 0) -> list[bool]:
    """Switched off, on, off, on … at these seconds; what each change completes."""
    switch = Ignition()
    told = [switch.update(False, start)]
    for number, at in enumerate(times_s):
        told.append(switch.update(number % 2 == 0, (start + round(at * 1000)) % WRAP))
    return told[1:]


def test_off_and_on_twice_within_fifteen_seconds() -> None:
    assert ignition(1, 3, 5, 7) == [False, False, False, True]
    assert ignition(1, 3, 5, 16) == [False, False, False, True]


def test_too_slow_or_only_once_is_no_gesture() -> None:
    assert ignition(1, 3, 5, 16.001) == [False] * 4
    assert ignition(1, 3) == [False, False]


def test_after_the_gesture_it_starts_anew() -> None:
    assert ignition(1, 2, 3, 4, 5, 6, 7, 8) == [False, False, False, True] * 2


def test_a_slow_first_time_does_not_spoil_the_next_two() -> None:
    assert ignition(1, 30, 40, 42, 44, 46)[-3:] == [False, False, True]


def test_standing_still_completes_nothing() -> None:
    switch = Ignition()
    assert not any(switch.update(True, ms) for ms in range(0, 5000, 100))


def test_ignition_across_the_tick_wrap() -> None:
    assert ignition(1, 3, 5, 7, start=WRAP - 4000) == [False, False, False, True]

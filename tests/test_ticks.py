"""Ages on a clock that wraps at 2**30 ms, to the millisecond."""

import pytest
from deckwatch.ticks import SATURATED_MS, age_ms, saturated

WRAP = 1 << 30


@pytest.mark.parametrize(
    ("now", "then", "age"),
    [
        (0, 0, 0),
        (1000, 400, 600),
        (WRAP - 1, 0, WRAP - 1),
        (0, WRAP - 1, 1),  # across the wrap
        (99, WRAP - 1, 100),
        (5, 6, WRAP - 1),  # the future counts as the furthest past
        (700_000_000, 100_000_000, 600_000_000),  # 6.9 days: ticks_diff would be negative
    ],
)
def test_age_is_the_unsigned_difference(now: int, then: int, age: int) -> None:
    assert age_ms(now, then) == age


@pytest.mark.parametrize("then", [0, 123, WRAP - 1])
def test_young_stamps_stay_and_old_ones_stop_ageing(then: int) -> None:
    assert SATURATED_MS == 268_435_456  # 3.1 days
    for age in (0, 1, SATURATED_MS):
        assert saturated((then + age) % WRAP, then) == then
    for age in (SATURATED_MS + 1, 2 * SATURATED_MS, WRAP - 1):
        now = (then + age) % WRAP
        assert age_ms(now, saturated(now, then)) == SATURATED_MS


def test_a_stamp_kept_saturated_never_becomes_young_again() -> None:
    stamp = 5000
    for day in range(1, 40):
        now = (5000 + day * 86_400_000) % WRAP
        stamp = saturated(now, stamp)
        assert age_ms(now, stamp) == min(day * 86_400_000, SATURATED_MS)

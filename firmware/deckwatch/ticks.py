"""Ages on a wrapping millisecond clock. The core is handed `now` and reads no clock itself.

`now` is what `time.ticks_ms()` gives: milliseconds modulo 2**30 (12.4 days). A stamp always lies
in the past, so an age is the unsigned difference; `ticks_diff` would turn negative after 6.2 days.
Whoever keeps a stamp calls `saturated` on it at least once every few days (the pipeline does,
hourly), so that a very old stamp stays "long ago" instead of becoming young again.
"""

from micropython import const

_MASK = const((1 << 30) - 1)
SATURATED_MS = const(1 << 28)  # 3.1 days


def age_ms(now: int, then: int) -> int:
    """Milliseconds from `then` to `now`, 0 to 2**30 - 1.

    Allocates nothing: the difference of two ticks fits a small int.
    """
    return (now - then) & _MASK


def saturated(now: int, then: int) -> int:
    """`then` itself, or where it lies further back SATURATED_MS before `now`: older than any value
    taken for known."""
    if (now - then) & _MASK > SATURATED_MS:
        return (now - SATURATED_MS) & _MASK
    return then

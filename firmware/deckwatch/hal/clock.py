"""The chip's millisecond clock, as the plain number the core is handed as `now`."""

import time

from machine import RTC
from micropython import const

_FROM_1970_TO_2000 = const(946684800)
_2026 = const(820454400)  # from 2000; a clock that was never set shows less


def now_ms() -> int:
    """Milliseconds, modulo 2**30 (ticks.py)."""
    return time.ticks_ms()  # type: ignore[return-value]


def wait_ms(ms: int) -> None:
    """Stands still; only for what runs before the tasks do."""
    time.sleep_ms(ms)


def unix_s() -> int:
    """Seconds since 1970 by the chip's clock; it begins in 2000 where nobody has set it."""
    return time.time() + _FROM_1970_TO_2000


def set_unix_s(seconds: int) -> bool:
    """Sets the chip's clock. False, and nothing done, when the time cannot be true."""
    since_2000 = seconds - _FROM_1970_TO_2000
    if since_2000 < _2026:
        return False
    year, month, day, hour, minute, second, weekday, _ = time.gmtime(since_2000)
    RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
    return True

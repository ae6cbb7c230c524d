"""The chip's millisecond clock, as the plain number the core is handed as `now`."""

import time


def now_ms() -> int:
    """Milliseconds, modulo 2**30 (ticks.py)."""
    return time.ticks_ms()  # type: ignore[return-value]


def wait_ms(ms: int) -> None:
    """Stands still; only for what runs before the tasks do."""
    time.sleep_ms(ms)

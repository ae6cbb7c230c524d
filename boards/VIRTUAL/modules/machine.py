"""The machine module of MicroPython's ESP32 on the virtual board, as far as the firmware uses
it."""

import time as _time

from umachine import *
from virtual import clock as _clock
from virtual import power as _power
from virtual import trace as _trace
from virtual.gpio import Pin  # noqa: F401
from virtual.i2c import I2C  # noqa: F401
from virtual.power import WDT  # noqa: F401
from virtual.pwm import PWM  # noqa: F401
from virtual.uart import UART  # noqa: F401

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
SLEEP = 2
DEEPSLEEP = 4
PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4

_freq = 160000000


def reset():
    _power.restart(HARD_RESET)


def soft_reset():
    _power.restart(SOFT_RESET)


def reset_cause():
    return _power.cause


def wake_reason():
    return _power.wake


def lightsleep(time_ms=None):
    _power.sleep_light(time_ms)


def deepsleep(time_ms=None):
    _power.sleep_deep(time_ms)


def unique_id():
    return b"\x02\x00\x00\x00\x00\x01"


def freq(hz=None):
    global _freq
    if hz is None:
        return _freq
    if hz // 1000000 not in (20, 40, 80, 160, 240):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _freq = hz
    _trace.line("freq %d" % hz)


def disable_irq():
    """Interrupts come only while time passes, and none passes between this and enable_irq."""
    return 0


def enable_irq(state):
    pass


class RTC:
    """The 2 KB of memory that outlive everything but a power cut, and the clock's time."""

    def datetime(self, fields=None):
        now = _time.time()
        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = _time.gmtime(now)
            return (year, month, day, weekday, hour, minute, second, 0)
        year, month, day, _, hour, minute, second, _ = fields
        wanted = _time.mktime((year, month, day, hour, minute, second, 0, 0))
        _clock.power_ms -= (wanted - now) * 1000

    def memory(self, data=None):
        if data is None:
            return _power.memory
        if len(data) > 2048:
            raise ValueError("buffer too long")
        _power.memory = bytes(data)

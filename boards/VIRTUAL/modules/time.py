"""MicroPython's time on the board's clock, with the ESP32's tick period of 2**30 and its epoch,
the year 2000.

time() counts from the moment the chip got power and goes on over resets, as its RTC does while
nobody sets it.
"""

import sys

import utime as _t
from virtual import clock as _c

_MASK = 0x3FFFFFFF
_PATIENCE = _c.PATIENCE
_2000 = 946684800  # seconds from 1970, where the unix port's dates begin


def ticks_ms():
    _c.spin += 1
    if _c.spin > _PATIENCE:
        _c.drag()
    return _c.ms & _MASK


def ticks_us():
    _c.touch()
    # (ms * 1000 + us) & _MASK by parts, none above 2**30
    low = (_c.ms & 0xFFFFF) * 1000
    high = ((_c.ms >> 20 & 0x3FF) * 1000 & 0x3FF) << 20
    room = _MASK - low
    t = high - room - 1 if high > room else high + low
    room = _MASK - t
    return _c.us - room - 1 if _c.us > room else t + _c.us


ticks_cpu = ticks_us

if sys.maxsize < 1 << 32:
    from utime import ticks_add, ticks_diff  # the same period there
else:

    def ticks_diff(a, b):
        return ((a - b + 0x20000000) & _MASK) - 0x20000000

    def ticks_add(a, b):
        if not -0x20000000 < b < 0x20000000:
            raise OverflowError("ticks interval overflow")
        return (a + b) & _MASK


def sleep_us(us):
    t = _c.us + us
    _c.advance(_c.ms + t // 1000, t % 1000)


def sleep_ms(ms):
    _c.advance(_c.ms + max(0, ms), _c.us)


def sleep(seconds):
    sleep_us(int(seconds * 1000000))


def time():
    return (_c.base_ms - _c.power_ms + _c.ms) // 1000


def time_ns():
    return (_c.base_ms - _c.power_ms + _c.ms) * 1000000 + _c.us * 1000


def gmtime(seconds=None):
    return _t.gmtime((time() if seconds is None else seconds) + _2000)[:8]


localtime = gmtime


def mktime(fields):
    return int(_t.mktime(tuple(fields[:8]) + (0,))) - _2000

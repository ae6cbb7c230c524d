"""Stands in for MicroPython's `time` where the app's work is counted: whole seconds since 2000, as
on the chip, on a clock that was never set."""

from utime import *


def time():
    return 0

"""Levels of an alert, its states, and the hazard groups that LED and buzzer count out."""

from micropython import const

OK = const(0)
INFO = const(1)
WARN = const(2)
ALARM = const(3)
LEVELS = ("ok", "info", "warn", "alarm")

CLEAR = const(0)
SET = const(1)
UNKNOWN = const(2)  # was set; the values it was judged on went stale
STATES = ("clear", "set", "unknown")

# How many times light and buzzer count: the group a person needs to know before looking at the
# phone
CELLS = const(1)
TEMPERATURE = const(2)
CHARGING = const(3)
CURRENT = const(4)
ELECTRONICS = const(5)
GROUPS = ("", "cells", "temperature", "charging", "current", "electronics and data line")

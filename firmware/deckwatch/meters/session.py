"""What the pack is doing: charging, riding, braking, resting; whether its current stands still.

Charging = the BMS says so or sees a charger, or current flowed in for 60 s with none out; a flag
during a ride is braking, never charging. Riding = current out of 1 A or more within the last 60 s.
Braking = more than 1 A in while riding, in two samples.
Resting = less than 0.5 A for 60 s (guardrail sheet). What took a minute to become true is not
ended by one odd sample: two in a row must say so.
"""

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms, saturated

try:
    from deckwatch.meters.tell_viper import NOTHING, tell, told
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.meters.tell_plain import NOTHING, tell, told

_CURRENT = INDEX["current_ma"]
_FLAG = INDEX["charging_flag"]
_CHARGER = INDEX["charger_present"]
_CHARGING = INDEX["charging"]
_RIDING = INDEX["riding"]
_RESTING = INDEX["resting"]
_STILL = INDEX["still"]
_STEADY = INDEX["steady"]
_BRAKING = INDEX["braking"]
_RESULTS = bytes((_CHARGING, _RIDING, _BRAKING, _RESTING, _STILL, _STEADY))

_MINUTE_MS = const(60000)
_RIDING_MA = const(1000)
_RESTING_MA = const(500)
_BRAKING_MA = const(1000)
_INFLOW_MA = const(100)  # above the dead band of every board that has one
_STEP_MA = const(1000)
_STEADY_MS = const(2000)


class Session:
    """One pack's session flags, slots of 0 or 1: charging, riding, braking, resting, still,
    steady."""

    def __init__(self) -> None:
        self._count = 0
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._before_ma = 0  # the sample before; a pack that has said nothing draws nothing
        self._rode = False
        self._rode_at = 0
        self._brakes = False
        self._in = False
        self._in_since = 0
        self._rest = False
        self._rest_since = 0
        self._level = False
        self._level_ma = 0
        self._level_since = 0

    def update(self, t, now: int) -> None:
        """Follows the current and writes the flags that can be told."""
        known = t.fresh(_CURRENT, now)
        if not known:
            self._in = self._rest = self._level = self._brakes = False
            self._before_ma = 0
        elif t.count[_CURRENT] != self._count:
            self._count = t.count[_CURRENT]
            self._follow(t.value[_CURRENT], t.stamp[_CURRENT])
        if self._rode and age_ms(now, self._rode_at) > _MINUTE_MS:
            self._rode = False
        flagged = t.fresh(_FLAG, now)
        charger = t.fresh(_CHARGER, now)
        plugged = flagged and t.value[_FLAG] != 0 or charger and t.value[_CHARGER] != 0
        flowing = self._in and age_ms(now, self._in_since) >= _MINUTE_MS
        charging = plugged and not self._rode or flowing
        if not (known or flagged or charger):
            return
        told[0] = charging
        if known:
            resting = self._rest and age_ms(now, self._rest_since) >= _MINUTE_MS
            told[1] = self._rode
            told[2] = self._rode and self._brakes
            told[3] = resting
            told[4] = resting or charging
            told[5] = self._level and age_ms(now, self._level_since) >= _STEADY_MS
        else:
            for k in range(1, len(_RESULTS)):
                told[k] = NOTHING
        tell(t, _RESULTS, told, _CURRENT if known else _FLAG if flagged else _CHARGER)

    def _follow(self, ma: int, stamp: int) -> None:
        """Takes a new sample: keeps the times at which the current last did something."""
        before = self._before_ma
        self._before_ma = ma
        self._brakes = ma > _BRAKING_MA and before > _BRAKING_MA
        if ma <= -_RIDING_MA and before <= -_RIDING_MA:
            self._rode = True
            self._rode_at = stamp
        if ma >= _INFLOW_MA:
            if not self._in:
                self._in = True
                self._in_since = stamp
        elif before < _INFLOW_MA:
            self._in = False
        if -_RESTING_MA < ma < _RESTING_MA:
            if not self._rest:
                self._rest = True
                self._rest_since = stamp
        elif not -_RESTING_MA < before < _RESTING_MA:
            self._rest = False
        if not self._level or not -_STEP_MA < ma - self._level_ma < _STEP_MA:
            self._level = True
            self._level_ma = ma
            self._level_since = stamp

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self._in_since = saturated(now, self._in_since)
        self._rest_since = saturated(now, self._rest_since)
        self._level_since = saturated(now, self._level_since)

"""What the pack is doing: charging, riding, resting, and whether the current stands still.

Charging = the BMS says so or sees a charger, or current flowed in for 60 s with none out; a flag during a ride is braking, never
charging. Riding = current out of 1 A or more within the last 60 s. Resting = less than 0.5 A for 60 s. (guardrail sheet)
"""

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms

_CURRENT = INDEX["current_ma"]
_FLAG = INDEX["charging_flag"]
_CHARGER = INDEX["charger_present"]
_CHARGING = INDEX["charging"]
_RIDING = INDEX["riding"]
_RESTING = INDEX["resting"]
_STILL = INDEX["still"]
_STEADY = INDEX["steady"]

_MINUTE_MS = const(60000)
_RIDING_MA = const(1000)
_RESTING_MA = const(500)
_INFLOW_MA = const(100)  # above the dead band of every board that has one
_STEP_MA = const(1000)
_STEADY_MS = const(2000)


class Session:
    """One pack's session flags: slots charging, riding, resting, still, steady (0 or 1)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off."""
        self._rode = False
        self._rode_at = 0
        self._in = False
        self._in_since = 0
        self._rest = False
        self._rest_since = 0
        self._known = False
        self._level_ma = 0
        self._level_since = 0

    def update(self, t, now: int) -> None:
        known = t.fresh(_CURRENT, now)
        if known:
            self._follow(t.value[_CURRENT], t.stamp[_CURRENT])
        else:
            self._in = self._rest = self._known = False
        flagged = t.fresh(_FLAG, now)
        charger = t.fresh(_CHARGER, now)
        riding = self._rode and age_ms(now, self._rode_at) <= _MINUTE_MS
        self._rode = riding
        resting = self._rest and age_ms(now, self._rest_since) >= _MINUTE_MS
        plugged = flagged and t.value[_FLAG] or charger and t.value[_CHARGER]
        flowing = self._in and age_ms(now, self._in_since) >= _MINUTE_MS
        charging = plugged and not riding or flowing
        if known or flagged or charger:
            source = _CURRENT if known else _FLAG if flagged else _CHARGER
            self._put(t, _CHARGING, charging, source)
        else:
            t.drop(_CHARGING)
        if known:
            self._put(t, _RIDING, riding, _CURRENT)
            self._put(t, _RESTING, resting, _CURRENT)
            self._put(t, _STILL, resting or charging, _CURRENT)
            self._put(t, _STEADY, age_ms(now, self._level_since) >= _STEADY_MS, _CURRENT)
        else:
            t.drop(_RIDING)
            t.drop(_RESTING)
            t.drop(_STILL)
            t.drop(_STEADY)

    def _follow(self, ma: int, stamp: int) -> None:
        """Keeps the times at which the current last did something."""
        if ma <= -_RIDING_MA:
            self._rode = True
            self._rode_at = stamp
        if ma < _INFLOW_MA:
            self._in = False
        elif not self._in:
            self._in = True
            self._in_since = stamp
        if not -_RESTING_MA < ma < _RESTING_MA:
            self._rest = False
        elif not self._rest:
            self._rest = True
            self._rest_since = stamp
        if not self._known or not -_STEP_MA < ma - self._level_ma < _STEP_MA:
            self._known = True
            self._level_ma = ma
            self._level_since = stamp

    def _put(self, t, slot: int, value, source: int) -> None:
        t.derive(slot, 1 if value else 0, 0, t.stamp[source], t.count[source])

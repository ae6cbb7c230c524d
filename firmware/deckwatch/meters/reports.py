"""What others report: the current as discharge, the worst fault the BMS names, the controller's error code, each with its level."""

from deckwatch.alert import ALARM, INFO, OK, WARN
from deckwatch.controller_errors import level_of
from deckwatch.faults import ALARMING, HARMLESS, WORD_BITS, mask
from deckwatch.telemetry import INDEX

_CURRENT = INDEX["current_ma"]
_DISCHARGE = INDEX["discharge_ma"]
_FAULTS_A = INDEX["faults_a"]
_FAULTS_B = INDEX["faults_b"]
_FAULT_LEVEL = INDEX["fault_level"]
_ERROR = INDEX["error_code"]
_ERROR_LEVEL = INDEX["error_level"]

_ALARM_A = mask(ALARMING, 0)
_ALARM_B = mask(ALARMING, 1)
_HARMLESS_A = mask(HARMLESS, 0)
_HARMLESS_B = mask(HARMLESS, 1)


def _first_bit(word: int) -> int:
    """1-based number of the lowest bit set; word is not 0."""
    number = 1
    while not word & 1:
        word >>= 1
        number += 1
    return number


class Reports:
    """Slots discharge_ma, fault_level (where = 1 + place in FAULTS) and error_level (where = the code)."""

    def reset(self) -> None:
        """Keeps nothing between frames."""

    def update(self, t, now: int) -> None:
        if t.fresh(_CURRENT, now):
            ma = t.value[_CURRENT]
            t.derive(_DISCHARGE, -ma if ma < 0 else 0, 0, t.stamp[_CURRENT], t.count[_CURRENT])
        else:
            t.drop(_DISCHARGE)
        if t.fresh(_FAULTS_A, now):
            self._judge_faults(t)
        else:
            t.drop(_FAULT_LEVEL)
        if t.fresh(_ERROR, now):
            code = t.value[_ERROR]
            t.derive(_ERROR_LEVEL, level_of(code), code & 0xFF, t.stamp[_ERROR], t.count[_ERROR])
        else:
            t.drop(_ERROR_LEVEL)

    def _judge_faults(self, t) -> None:
        low = t.value[_FAULTS_A]
        high = t.value[_FAULTS_B]
        level = OK
        where = 0
        if low & _ALARM_A:
            level = ALARM
            where = _first_bit(low & _ALARM_A)
        elif high & _ALARM_B:
            level = ALARM
            where = WORD_BITS + _first_bit(high & _ALARM_B)
        elif low & ~_HARMLESS_A:
            level = WARN
            where = _first_bit(low & ~_HARMLESS_A)
        elif high & ~_HARMLESS_B:
            level = WARN
            where = WORD_BITS + _first_bit(high & ~_HARMLESS_B)
        elif low or high:
            level = INFO
            where = _first_bit(low) if low else WORD_BITS + _first_bit(high)
        t.derive(_FAULT_LEVEL, level, where, t.stamp[_FAULTS_A], t.count[_FAULTS_A])

"""What others report: the current as discharge, the worst fault the BMS names, the controller's
error code, each with its level; and sense wires the board has measured.
"""

from deckwatch import controller_errors
from deckwatch.alert import ALARM, INFO, OK, WARN
from deckwatch.faults import ALARMING, HARMLESS, WORD_BITS, mask
from deckwatch.meters.median import median
from deckwatch.telemetry import INDEX

_CURRENT = INDEX["current_ma"]
_DISCHARGE = INDEX["discharge_ma"]
_FAULTS_A = INDEX["faults_a"]
_FAULTS_B = INDEX["faults_b"]
_FAULT_LEVEL = INDEX["fault_level"]
_ERROR = INDEX["error_code"]
_ERROR_LEVEL = INDEX["error_level"]
_WIRE_MOST = INDEX["wire_most_mohm"]
_WIRE_RATIO = INDEX["wire_ratio_pct"]
_WIRE_FAULT = INDEX["wire_fault"]

_ALARM_A = mask(ALARMING, 0)
_ALARM_B = mask(ALARMING, 1)
_HARMLESS_A = mask(HARMLESS, 0)
_HARMLESS_B = mask(HARMLESS, 1)
_WIRE = mask(("sense_wire",), 0)


class Reports:
    """discharge_ma, fault_level (where = 1 + place in FAULTS), error_level (where = code), and
    the sense wires' slots (where = cell).

    alarming: error codes of this family that are more than a warning.
    """

    def __init__(self, alarming: bytes = controller_errors.ALARMING) -> None:
        self._alarming = alarming
        self._currents = self._faults = self._errors = self._wires = 0  # samples taken

    def update(self, t, now: int) -> None:
        """Derives from what is new; results are as old as what they come from."""
        if t.count[_CURRENT] != self._currents:
            self._currents = t.count[_CURRENT]
            ma = t.value[_CURRENT]
            t.derive(_DISCHARGE, -ma if ma < 0 else 0, 0, t.stamp[_CURRENT], self._currents)
        if t.count[_FAULTS_A] != self._faults:
            self._faults = t.count[_FAULTS_A]
            _derive_fault(t, t.value[_FAULTS_A], t.value[_FAULTS_B])
        if t.count[_ERROR] != self._errors:
            self._errors = t.count[_ERROR]
            code = t.value[_ERROR]
            level = controller_errors.level_of(code, self._alarming)
            t.derive(_ERROR_LEVEL, level, code & 0xFF, t.stamp[_ERROR], self._errors)
        if t.wire_frames != self._wires:
            self._wires = t.wire_frames
            _derive_wires(t, now)


def _derive_fault(t, low: int, high: int) -> None:
    """Names the worst fault, of equally bad ones the first, and its level."""
    level = OK
    where = 0
    if low & _ALARM_A or high & _ALARM_B:
        level = ALARM
        where = _first_of(low & _ALARM_A, high & _ALARM_B)
    elif low & ~_HARMLESS_A or high & ~_HARMLESS_B:
        level = WARN
        where = _first_of(low & ~_HARMLESS_A, high & ~_HARMLESS_B)
    elif low or high:
        level = INFO
        where = _first_of(low, high)
    t.derive(_FAULT_LEVEL, level, where, t.stamp[_FAULTS_A], t.count[_FAULTS_A])


def _derive_wires(t, now: int) -> None:
    """The worst sense wire, how it stands to the median, and whether the board warns of one;
    nothing where none is measured."""
    most = cell = 0
    for wire in range(t.wires):
        if t.wire_mohm[wire] > most:
            most = t.wire_mohm[wire]
            cell = wire + 1
    middle = median(t.wire_mohm, t.wires)
    if middle:
        t.derive(_WIRE_MOST, most, cell, now, t.wire_frames)
        t.derive(_WIRE_RATIO, most * 100 // middle, cell, now, t.wire_frames)
        warns = t.fresh(_FAULTS_A, now) and t.value[_FAULTS_A] & _WIRE
        t.derive(_WIRE_FAULT, 1 if warns else 0, 0, now, t.wire_frames)


def _first_of(low: int, high: int) -> int:
    """1 + place in FAULTS of the first fault in two words that are not both 0."""
    number = 1
    if not low:
        low = high
        number += WORD_BITS
    while not low & 1:
        low >>= 1
        number += 1
    return number

"""Error codes of the scooter's controller (sheet xiaomi.md 3.6) and how serious each is; words and
advice live on the bench.
"""

from deckwatch.alert import ALARM, OK, WARN

# Lost battery line, supply out of range, shorted MOSFETs, charge over-current, heat, deep
# under-voltage, stop now: 16 17 21 24 28 29 38 39 40 41 42 45 46
ALARMING = b"\x10\x11\x15\x18\x1c\x1d\x26\x27\x28\x29\x2a\x2d\x2e"


def level_of(code: int, alarming: bytes = ALARMING) -> int:
    """OK for 0, ALARM for a code that is `alarming` in this family, WARN for any other."""
    if not code:
        return OK
    for other in alarming:
        if code == other:
            return ALARM
    return WARN

"""The table as the judge reads it: a byte, or two, per row, level or code. The rows themselves
never reach a dongle: the linker puts these values in place of what makes them (packlab/linking).

Of a row: SLOT, GATE (NO_GATE where it has none), HOLDING (its gate suspends judgement), RISING
(too high is bad), STRICT, NEED, CLEAR_BY, CLEAR_HOLD (0.1 s), STANDS_ON (bits of passing.py).
A row has one place a level, from FIRST[row] to FIRST[row + 1] - 1. Of a place: LEVEL, HOLD
(0.1 s). Of a code, whose rows are those from START[code] to START[code + 1] - 1: GROUP,
OF_THE_LINE. CHIRPING: the code that is good news.

Two bytes are the lower and the higher one: they may lie at any address, so no number is read from
them at once.
"""

from array import array

from micropython import const

from deckwatch.guardrails import table
from deckwatch.guardrails.table import CODES, ROWS, needs
from deckwatch.passing import NEVER, PASSING, bits
from deckwatch.telemetry import INDEX

NO_GATE = const(255)
_TICK_MS = const(100)  # hold times are kept in tenths of a second: 16 bits reach 109 minutes


def _pairs(values: list) -> bytes:
    return bytes(array("H", values))


def _stands_on(row: tuple) -> int:
    names = [name for name in needs(row) if name in PASSING]
    return bits(*names) | (NEVER if set(needs(row)) - set(names) else 0)


def _first() -> list:
    places = [0]
    for row in ROWS:
        places.append(places[-1] + len(row[8]))
    return places


SLOT = bytes([INDEX[row[1]] for row in ROWS])
GATE = bytes([INDEX[row[3]] if row[3] else NO_GATE for row in ROWS])
HOLDING = bytes([row[3] in table.HOLDING for row in ROWS])
RISING = bytes([row[2].startswith(">") for row in ROWS])
STRICT = bytes([len(row[2]) == 1 for row in ROWS])
NEED = bytes([row[5] for row in ROWS])
CLEAR_BY = _pairs([row[6] for row in ROWS])
CLEAR_HOLD = _pairs([row[7] // _TICK_MS for row in ROWS])
STANDS_ON = _pairs([_stands_on(row) for row in ROWS])

FIRST = bytes(_first())
LEVEL = bytes([level[0] for row in ROWS for level in row[8]])
HOLD = _pairs([level[4] // _TICK_MS for row in ROWS for level in row[8]])

START = bytes([[row[0] for row in ROWS].index(code) for code in CODES] + [len(ROWS)])
GROUP = bytes([ROWS[row][4] for row in START[:-1]])
OF_THE_LINE = bytes([code in table.OF_THE_LINE for code in CODES])
CHIRPING = CODES.index(table.CHIRPING)

"""The table as the judge reads it, in a few bytes per row, level and code. The rows themselves
never reach a dongle: the linker puts these values in place of what makes them (packlab/linking).

RULES has RULE bytes a row: its slot, GATE (a slot, or NO_GATE), FLAGS, FIRST; then in two bytes
each, the lower one first, CLEAR_BY and CLEAR_HOLD (0.1 s).
FLAGS: RISING, too high is bad; STRICT, the limit itself is not; HOLDING, its gate suspends
judgement; from NEED on, how many samples must agree.

A row has one place a level, from its FIRST to that of the next one; after the last row there is
one more. PLACES has PLACE bytes a place: its level, and HOLD (0.1 s) in two.

By code: START, its first row, and the one after the last code's; GROUP; OF_THE_LINE. CHIRPING: the
code that is good news.
"""

from micropython import const

from deckwatch.guardrails import table
from deckwatch.guardrails.table import CODES, ROWS
from deckwatch.telemetry import INDEX

RULE = const(8)
GATE = const(1)
FLAGS = const(2)
FIRST = const(3)
CLEAR_BY = const(4)
CLEAR_HOLD = const(6)
RISING = const(1)
STRICT = const(2)
HOLDING = const(4)
NEED = const(3)
PLACE = const(3)
HOLD = const(1)
NO_GATE = const(255)
_TICK_MS = const(100)  # hold times are kept in tenths of a second: 16 bits reach 109 minutes


def _pair(value: int) -> bytes:
    return bytes((value & 0xFF, value >> 8))


def _first(number: int) -> int:
    return sum([len(row[8]) for row in ROWS[:number]])


def _rule(number: int) -> bytes:
    row = ROWS[number]
    flags = row[5] << NEED
    flags |= RISING if row[2].startswith(">") else 0
    flags |= STRICT if len(row[2]) == 1 else 0
    flags |= HOLDING if row[3] in table.HOLDING else 0
    gate = INDEX[row[3]] if row[3] else NO_GATE
    fields = bytes((INDEX[row[1]], gate, flags, _first(number)))
    return fields + _pair(row[6]) + _pair(row[7] // _TICK_MS)


RULES = b"".join(
    [_rule(number) for number in range(len(ROWS))] + [bytes((0, 0, 0, _first(len(ROWS))))]
)
PLACES = b"".join(
    [bytes((level[0],)) + _pair(level[4] // _TICK_MS) for row in ROWS for level in row[8]]
)
START = bytes([[row[0] for row in ROWS].index(code) for code in CODES] + [len(ROWS)])
GROUP = bytes([ROWS[row][4] for row in START[:-1]])
OF_THE_LINE = bytes([code in table.OF_THE_LINE for code in CODES])
CHIRPING = CODES.index(table.CHIRPING)

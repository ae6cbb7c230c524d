"""Which guardrails can be watched on a line without anybody's doing: asked when the core is made
and when limits change, and let go in between."""

from deckwatch.guardrails.compiled import GROUP, START
from deckwatch.guardrails.table import ROWS, needs
from deckwatch.passing import CELLS, DESIGN, GROUPS, NEVER, PASSING, bits


def _stands_on(row: tuple) -> int:
    names = [name for name in needs(row) if name in PASSING]
    return bits(*names) | (NEVER if set(needs(row)) - set(names) else 0)


_STANDS_ON = tuple([_stands_on(row) for row in ROWS])  # bits of passing.py, by rule


def expected(config, armed, steady: int) -> bytearray:
    """By code: can it be watched where `steady` (passing.py) passes by? armed: Rules.armed."""
    if config.series or steady & CELLS:
        steady |= GROUPS
    if config.design_mah:
        steady |= DESIGN
    found = bytearray(len(GROUP))
    for code in range(len(GROUP)):
        for rule in range(START[code], START[code + 1]):
            if armed[rule] and not _STANDS_ON[rule] & ~steady:
                found[code] = True
    return found

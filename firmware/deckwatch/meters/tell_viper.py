# ruff: noqa: F821, RUF046  viper's types (ptr8, its int) are known to MicroPython alone
"""Writes several of a meter's results at once: as machine code for the chip, because it is done
for every sample. The meters with many results call it; for one there is Telemetry.derive.
"""

from array import array

import micropython
from micropython import const

NOTHING = const((1 << 30) - 1)  # in place of a value: no result
told = array("i", bytes(4 * 8))  # what a meter has worked out, until it is told at once


@micropython.viper
def tell(t, slots, values, source: int):
    """values[k] (an array of "i") is the result for slots[k] (bytes), of no cell or probe, as old
    and as new a sample as slot `source`."""
    number = ptr8(slots)
    given = ptr32(values)
    value = ptr32(t.value)
    stamp = ptr32(t.stamp)
    count = ptr16(t.count)
    where = ptr8(t.where)
    seen = ptr8(t.seen)
    for k in range(int(len(slots))):
        if given[k] != NOTHING:
            slot = number[k]
            value[slot] = given[k]
            stamp[slot] = stamp[source]
            count[slot] = count[source]
            where[slot] = 0
            seen[slot] = 1

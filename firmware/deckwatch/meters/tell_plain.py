"""tell_viper.py in plain Python; written by tools/make_plain.py, never by hand."""

from array import array

from micropython import const

NOTHING = const((1 << 30) - 1)  # in place of a value: no result
told = array("i", bytes(4 * 8))  # what a meter has worked out, until it is told at once


def tell(t, slots, values, source: int):
    """values[k] (an array of "i") is the result for slots[k] (bytes), of no cell or probe, as old
    and as new a sample as slot `source`."""
    number = slots
    given = values
    value = t.value
    stamp = t.stamp
    count = t.count
    where = t.where
    seen = t.seen
    for k in range(len(slots)):
        if given[k] != NOTHING:
            slot = number[k]
            value[slot] = given[k]
            stamp[slot] = stamp[source]
            count[slot] = count[source]
            where[slot] = 0
            seen[slot] = 1

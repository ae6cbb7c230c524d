"""The middle of a few numbers, for whoever compares one group with the others; allocates
nothing."""

from array import array

from deckwatch.telemetry import MAX_CELLS

_sorted = array("i", bytes(4 * MAX_CELLS))


def median(values, size: int, less=None) -> int:
    """The median of the first `size` of `values` (1 to MAX_CELLS), each minus its one of `less`
    where that is given; the lower one of two in the middle."""
    for number in range(size):
        value = values[number] if less is None else values[number] - less[number]
        at = number
        while at and _sorted[at - 1] > value:
            _sorted[at] = _sorted[at - 1]
            at -= 1
        _sorted[at] = value
    return _sorted[(size - 1) // 2]

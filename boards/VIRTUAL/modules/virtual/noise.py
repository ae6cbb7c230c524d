"""The board's dice: a small generator whose numbers are the same on every interpreter, for
floating wires."""

_state = 1


def seed(n):
    """Start again from a number; two boards with one seed roll alike."""
    global _state
    _state = 1 + n % 65536


def state():
    """What to hand to seed() to go on from here."""
    return _state - 1


def below(n):
    """A number from 0 to n - 1, n up to 1000."""
    global _state
    _state = _state * 75 % 65537  # stays below 2^30 on the way
    return (_state >> 3) % n

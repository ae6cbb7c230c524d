"""The trace: one line per thing that could be seen or heard on the board, `t_us kind args`,
written as it happens.

Nothing is kept: a list of an hour's edges would fill the heap that is being measured. The kinds
stand in ../README.md.
"""

import sys

from virtual import clock as _c

_out = sys.stdout


def to(path):
    """Write to the end of this file from now on; every life of the chip adds to it."""
    global _out
    _out = open(path, "a")


def line(text):
    """Write one line with the time; microseconds since the world began."""
    t_ms, t_us = _c.world()
    if t_ms:
        _out.write("%d%03d %s\n" % (t_ms, t_us, text))
    else:
        _out.write("%d %s\n" % (t_us, text))

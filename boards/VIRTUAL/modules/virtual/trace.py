"""The trace: one line per thing that could be seen or heard on the board, `t_us kind args`,
written as it happens.

Nothing is kept: a list of an hour's edges would fill the heap that is being measured. The kinds
stand in ../README.md.
"""

import sys

from virtual import clock as _c

_out = sys.stdout
_open = False  # a printed line is


def to(path):
    """Write to the end of this file from now on; every life of the chip adds to it."""
    global _out
    _out = open(path, "a")


def line(text):
    """Write one line with the time; microseconds since the world began."""
    _out.write("%s %s\n" % (_time(), text))


def printed(words, sep, end):
    """Write what was printed, word by word: a whole line of it may be more than there is room for
    in one piece. What `end` leaves open goes on with the next."""
    global _open
    if not _open:
        _out.write("%s print " % _time())
    for place, word in enumerate(words):
        text = str(word)
        if place:
            _out.write(sep)
        _out.write(text.replace("\n", "\\n") if "\n" in text else text)
    _open = end != "\n"
    _out.write(end)


def _time():
    t_ms, t_us = _c.world()
    return "%d%03d" % (t_ms, t_us) if t_ms else "%d" % t_us

"""The link step: the firmware's readable files -> fewer and smaller ones that do the same.

What is flashed, measured, frozen and run by the tests has all gone through `link`.

    files.py      which modules become one file
    modules.py    what binds what
    values.py     numbers known before the program runs: they take the place of their names
    names.py      short names for what the firmware calls its own
    rewrite.py    does it, file by file
    inlining.py   what is called in one place, or small, stands there: places.py (where and what
                  instead), bodies.py (a body as statements), effects.py (what may change what)
    numbering.py  the names a file uses most get the smallest numbers
    origins.py    what is meant by the short names in a traceback
"""

from packlab.linking.origins import Origin, Origins
from packlab.linking.program import link, origins

__all__ = ["Origin", "Origins", "link", "origins"]

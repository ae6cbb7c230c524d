"""Lets go of modules, so that what is needed now and then, or once, is not kept in the heap."""

import sys

PACKAGE = "deckwatch."


def forget(names: tuple) -> None:
    """Removes modules of the package, named without it, and those below them, and with them what
    nobody else holds."""
    for name in names:
        for known in list(sys.modules):
            if (known + ".").startswith(PACKAGE + name + "."):
                del sys.modules[known]
        parent, _, child = (PACKAGE + name).rpartition(".")
        holder = sys.modules.get(parent)
        if holder is not None and hasattr(holder, child):
            delattr(holder, child)

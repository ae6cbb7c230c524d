"""Lets go of modules that only the start needs, so that their code is not kept in the heap."""

import sys

_PACKAGE = "deckwatch."


def forget(names: tuple) -> None:
    """Removes modules of the package, named without it, and with them what nobody else holds."""
    for name in names:
        sys.modules.pop(_PACKAGE + name, None)
        parent, _, child = (_PACKAGE + name).rpartition(".")
        holder = sys.modules.get(parent)
        if holder is not None and hasattr(holder, child):
            delattr(holder, child)

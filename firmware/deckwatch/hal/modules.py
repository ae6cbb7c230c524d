"""Lets go of what only the start needs, so that it is not kept in the heap."""

import sys

_PACKAGE = "deckwatch."

# Needed to start and never again
BOOT_ONLY = (
    "start",
    "hal.store",
    "hal.damp",
    "config",
    "settings",
    "detect",
    "search",
    "guardrails.table",
    "index",
    "profiles",
)


def forget(names: tuple) -> None:
    """Removes modules of the package, named without it, and those below them, and with them what
    nobody else holds."""
    for name in names:
        for known in list(sys.modules):
            if (known + ".").startswith(_PACKAGE + name + "."):
                del sys.modules[known]
        parent, _, child = (_PACKAGE + name).rpartition(".")
        holder = sys.modules.get(parent)
        if holder is not None and hasattr(holder, child):
            delattr(holder, child)


def has_radio() -> bool:
    """Are Bluetooth and aioble there? Nothing stays loaded where they are not."""
    try:
        import aioble  # noqa: F401
        import bluetooth  # noqa: F401
    except ImportError:
        return False
    return True

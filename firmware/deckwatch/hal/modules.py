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
    "index",
    "expected",
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


def forget_making() -> None:
    """Removes the constructors of all classes of the package loaded so far, 3 to 5 KB, once their
    objects are made. A class with an attribute `again` is one to make objects of later, too."""
    theirs: list = []
    ours: list = []
    for name in sys.modules:
        (ours if name.startswith(_PACKAGE) else theirs).append(sys.modules[name].__dict__)
    for module in ours:
        for name in module:
            made = module[name]
            if isinstance(made, type) and "__init__" in made.__dict__:
                if not (hasattr(made, "again") or any([made is one.get(name) for one in theirs])):
                    setattr(made, "__init__", None)  # noqa: B010  deleted it would still hold on


def has_radio() -> bool:
    """Are Bluetooth and aioble there? Nothing stays loaded where they are not."""
    try:
        import aioble  # noqa: F401
        import bluetooth  # noqa: F401
    except ImportError:
        return False
    return True

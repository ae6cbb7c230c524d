"""Letting go of all that only the start has needed, so that it is not kept in the heap; of this
module, too. app.py, and nobody after it."""

import sys

from deckwatch.hal.modules import PACKAGE, forget

# Needed to start and never again
BOOT_ONLY = (
    "start",
    "hal.store",
    "hal.damp",
    "hal.fitted",
    "config",
    "settings",
    "detect",
    "search",
    "index",
    "expected",
    "profiles",
)
_TAKEN = ("QUESTIONS", "BAUDS")  # of a family; the poller has its own, and the line its speed


def forget_making() -> None:
    """Removes the constructors of all classes of the package loaded so far, 3 to 5 KB, what they
    alone take, and this module, once their objects are made. A class with an attribute `again` is
    one to make objects of later, too."""
    theirs: list = []
    ours: list = []
    for name in sys.modules:
        (ours if name.startswith(PACKAGE) else theirs).append(sys.modules[name].__dict__)
    for module in ours:
        for name in _TAKEN:
            module.pop(name, None)
        for name in module:
            made = module[name]
            if isinstance(made, type) and "__init__" in made.__dict__:
                if not (hasattr(made, "again") or any([made is one.get(name) for one in theirs])):
                    setattr(made, "__init__", None)  # noqa: B010  deleted it would still hold on
    forget(("making",))

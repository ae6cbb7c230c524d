"""How much of the heap the core holds once it is loaded; tools/bench.py runs this on the 32-bit
port.

Arguments: family, profile, how many batteries have been heard, and perhaps the image of a ROM file
system to import from (its own bytes are not counted: on the chip they lie in flash). Prints the
bytes in use before the first import of the firmware, after the last, after what only the start
needs is let go, after the core is made, and without its constructors, in the order of the app;
garbage collected each time.
"""

import gc
import sys

import in_place


def overwrite(depth):
    """Overwrites what former calls have left on the stack, where the collector looks for what is
    in use."""
    a = b = c = d = e = f = g = h = 0
    if depth:
        overwrite(depth - 1)
    return a + b + c + d + e + f + g + h


def in_use():
    """Bytes of the heap in use, after collecting."""
    overwrite(12)
    gc.collect()
    return gc.mem_alloc()


def settings_of(family, profile):
    """As the owner has them who has set nothing."""
    from deckwatch import config

    settings = config.load({"profile": profile})
    settings.family = family
    return settings


def start(family, profile, packs):
    """The core as the app makes it, and the bytes in use before: with all that is loaded, and
    without what only the start needs."""
    from deckwatch.hal.modules import forget
    from deckwatch.making import BOOT_ONLY
    from deckwatch.meters.link import BMS_TX, HOST_TX
    from deckwatch.pipeline import Pipeline, load_protocol

    settings = settings_of(family, profile)
    load_protocol(family)
    imported = in_use()
    forget(BOOT_ONLY)
    left = in_use()
    core = Pipeline(settings, None, ports=(BMS_TX, HOST_TX), count=packs)
    forget(BOOT_ONLY)
    return core, imported, left


def finish():
    """Lets go of all that was needed to make the core."""
    from deckwatch.making import forget_making

    forget_making()


def main(family, profile, packs, image=""):
    """Measures and prints."""
    rom = in_place.mount(image) if image else b""
    before = in_use()
    core, imported, left = start(family, profile, int(packs))
    made = in_use()
    finish()
    print(before, imported, left, made, in_use())
    return core, rom


main(*sys.argv[1:])

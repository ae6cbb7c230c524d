"""How much of the heap the core holds once it is loaded; tools/bench.py runs this on the 32-bit
port.

Arguments: family, profile, and perhaps the image of a ROM file system to import from (its own
bytes are not counted: on the chip they lie in flash). Prints the bytes in use before the first
import of the firmware, after the last, after the core is made, and after what only the start needs
is let go, as the app does; garbage collected each time.
"""

import gc
import sys

import in_place


def in_use():
    """Bytes of the heap in use, after collecting."""
    gc.collect()
    return gc.mem_alloc()


def start(family, profile):
    """The core as the app makes it, and the bytes in use between loading and making."""
    from deckwatch import config
    from deckwatch.meters.link import BMS_TX, HOST_TX
    from deckwatch.pipeline import Pipeline, load_protocol

    settings = config.load({"profile": profile})
    settings.family = family
    load_protocol(family)
    imported = in_use()
    return Pipeline(settings, None, ports=(BMS_TX, HOST_TX)), imported


def main(family, profile, image=""):
    """Measures and prints."""
    rom = in_place.mount(image) if image else b""
    before = in_use()
    core, imported = start(family, profile)
    made = in_use()

    from deckwatch.hal.modules import BOOT_ONLY, forget, forget_making

    forget(BOOT_ONLY)
    forget_making()
    print(before, imported, made, in_use())
    return core, rom


main(*sys.argv[1:])

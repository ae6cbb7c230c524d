"""How much of the heap the core holds once it is loaded; tools/bench.py runs this on the 32-bit
port.

Arguments: family, profile, and perhaps the image of a ROM file system to import from (its own
bytes are not counted: on the chip they lie in flash). Prints the bytes in use before the first
import of the firmware, after the last, and after the core is made; garbage collected each time.
"""

import gc
import sys

import in_place


def in_use():
    """Bytes of the heap in use, after collecting."""
    gc.collect()
    return gc.mem_alloc()


def main(family, profile, image=""):
    """Measures and prints."""
    rom = in_place.mount(image) if image else b""
    before = in_use()

    from deckwatch import config
    from deckwatch.pipeline import Pipeline, load_protocol

    settings = config.load({"profile": profile})
    settings.family = family
    load_protocol(family)
    imported = in_use()
    core = Pipeline(settings, None)
    print(before, imported, in_use())
    return core, rom


main(*sys.argv[1:])

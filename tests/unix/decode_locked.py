"""Feed a family's frames with the heap locked, from the first byte in to the last value set.

Argument: the family, which is also its profile. Standard input: frames, hex, one a line. Any
allocation ends the run with MemoryError. Prints how many frames held, and the bits of a small int.
"""

import binascii
import sys

import micropython
from deckwatch import config
from deckwatch.frame import FRAMES_IN
from deckwatch.framer import CHUNK
from deckwatch.pipeline import Pipeline

_STEP_MS = 50


class Sink:
    """Takes alerts and forgets them."""

    def on_alert(self, alerts, code):
        """Called by the core."""


def chunks_of(frame):
    """A frame as feed() takes it."""
    parts = [frame[start : start + CHUNK] for start in range(0, len(frame), CHUNK)]
    return [(bytearray(part + bytes(CHUNK - len(part))), len(part)) for part in parts]


def main():
    """Everything is made ready first; then the heap is locked."""
    core = Pipeline(config.load({"profile": sys.argv[1]}), Sink(), True)
    chunks = [chunk for line in sys.stdin for chunk in chunks_of(binascii.unhexlify(line.strip()))]
    now = 0
    micropython.heap_lock()
    try:
        for buf, n in chunks:
            core.feed(0, buf, n, now)
            now += _STEP_MS
    finally:
        micropython.heap_unlock()
    bits = 1
    while sys.maxsize >> bits:
        bits += 1
    print("frames", core.framers[0].numbers[FRAMES_IN], "bits", bits)


main()

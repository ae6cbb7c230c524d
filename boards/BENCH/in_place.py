"""Runs the firmware in place from the image of a ROM file system: as near to code frozen into
flash as the unix port comes. Used by heap_load.py and tests/test_golden.py.

The image is one object on the heap. What the chip would have is the heap without it.
"""

import os
import sys

import vfs


def mount(path):
    """Import from the image from now on; returns it, and it must be kept."""
    image = bytearray(os.stat(path)[6])  # read() would take room for twice as much on its way
    with open(path, "rb") as file:
        file.readinto(image)
    vfs.mount(vfs.VfsRom(image), "/rom")
    sys.path.insert(0, "/rom")
    return image

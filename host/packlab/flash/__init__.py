"""Puts the firmware onto a dongle and asks a dongle how it is: `packlab flash`, `packlab doctor`.

command.py and doctor.py are the commands. Below them: boards.py (which pins), bundle.py (which
files), image.py and chip.py (MicroPython itself), mip.py (aioble), link.py (the dongle at its
port), update.py (to the idle slot, verified, swapped), flashing.py (one after the other),
examine.py.
"""

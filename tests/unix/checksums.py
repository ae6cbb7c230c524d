"""Run by MicroPython from tests/test_checksums.py: which checksums the framer takes here, and what
each gives for the lines of standard input (name start end hex)."""

import binascii
import sys

from deckwatch.framer import CHECKS
from deckwatch.framings import CHECK_NAMES

print("viper" if "deckwatch.checksums_viper" in sys.modules else "plain")
while True:
    line = sys.stdin.readline()
    if not line:
        break
    name, start, end, text = line.split()
    print(CHECKS[CHECK_NAMES.index(name) - 1](binascii.unhexlify(text), int(start), int(end)))

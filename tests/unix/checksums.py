"""Run by MicroPython from tests/test_checksums.py: which checksums the framer takes here, and what
each gives for the lines of standard input (name start end hex)."""

import binascii
import sys

from deckwatch.framer import CHECKS

print("viper" if "deckwatch.checksums_viper" in sys.modules else "plain")
while True:
    line = sys.stdin.readline()
    if not line:
        break
    name, start, end, text = line.split()
    print(CHECKS[name](binascii.unhexlify(text), int(start), int(end)))

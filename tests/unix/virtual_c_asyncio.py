"""Run a firmware on the virtual board with MicroPython's own C task queue instead of the board's.

It reads the host's clock, so the board's starts ahead of it (32-bit interpreters only: ticks of 64
bits do not wrap where the ESP32's do). Arguments: the board's folder, then run.py's options.
"""

import sys
from time import ticks_ms

AHEAD_MS = 3600000

sys.path.insert(0, sys.argv[1])
import run  # noqa: E402

origin = (ticks_ms() + AHEAD_MS) & 0x3FFFFFFF
options = run.options(sys.argv[2:] + ["ticks=%d" % origin])
scenario = run.build(options)
del sys.modules["_asyncio"]
run.live(scenario)

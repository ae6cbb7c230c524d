"""A new dongle that is switched off and on, and a new key made with the button at a start."""

import ble_world as w
from ble_setup import NORMAL

LIFE_MS = 20000


def feed():
    w.frames[:] = NORMAL
    for life in range(3):
        begin = life * LIFE_MS
        if life == 2:
            yield from w.until(begin + 1500)
            yield "%d000 pin BUTTON 0" % (begin + 1510)
            yield from w.until(begin + 12000)
            yield "%d000 pin BUTTON z" % (begin + 12010)
        yield from w.until(begin + LIFE_MS - 1000)
        yield "%d000 power off" % (begin + LIFE_MS - 990)
        yield "%d000 power on" % (begin + LIFE_MS - 500)
    yield "%d000 end" % (3 * LIFE_MS + 1000)

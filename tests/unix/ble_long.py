"""A phone that listens for a thousand seconds."""

import ble_world as w
from ble_setup import KEY, NORMAL


def feed():
    w.frames[:] = NORMAL
    yield from w.until(1000)
    phone = w.Owner("c0:ff:ee:00:00:01", KEY)
    phone.link.subscribe("2")
    yield "1500000 heap"
    while phone.link.heard < 1000:
        yield from w.until(w._clock[0] // 10 * 10 + 1000)
        if phone.link.heard == 20:
            yield "%d000 heap" % (w._clock[0] // 10 * 10 + 10)
    yield "%d000 heap" % (w._clock[0] // 10 * 10 + 10)
    yield "%d000 end" % (w._clock[0] // 10 * 10 + 1000)

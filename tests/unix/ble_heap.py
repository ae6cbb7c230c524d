"""One central connected and subscribed, where there is a radio; then the heap is looked at."""

import ble_world as w
from ble_setup import KEY, NORMAL
from virtual import ether


def feed():
    w.frames[:] = NORMAL
    yield from w.until(2000)
    if ether.advertising:
        phone = w.Owner("c0:ff:ee:00:00:01", KEY)
        phone.link.subscribe("2")
    yield from w.until(6000)
    print("links", len(ether.links))
    yield "6010000 heap"
    yield "7000000 end"

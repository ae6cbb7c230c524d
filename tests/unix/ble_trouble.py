"""A radio that fails as FAILS says, while the guards have something to say."""

import ble_world as w
from ble_setup import FAILS, HOT, KEY, NORMAL
from virtual import ether


def broken(*_):
    raise OSError(5)


def feed():
    w.frames[:] = NORMAL
    yield from w.until(3000)
    if FAILS == "advertise":
        ether.advertise = broken
    elif FAILS == "update":
        ether.update = broken
    elif FAILS == "memory":

        def full(*_):
            raise MemoryError

        ether.advertise = full
    elif FAILS == "floods":
        phone = w.Owner("c0:ff:ee:00:00:01", KEY)
        for _ in range(100):
            phone.link.write("5", bytes(24))
        yield from w.until(3500)
        phone.link.room = 0
    yield from w.until(8000)
    w.frames[:] = HOT
    yield from w.until(30000)
    yield "31000000 end"

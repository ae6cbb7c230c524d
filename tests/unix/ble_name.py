"""What a dongle is called: on the air, by the radio, and by itself."""

import ble_world as w
import bluetooth
from ble_setup import KEY, NORMAL


def feed():
    w.frames[:] = NORMAL
    yield from w.until(3000)
    phone = w.Owner("c0:ff:ee:00:00:01", KEY)
    print("read 1", phone.link.read("1").hex())
    gap = bluetooth.BLE().config("gap_name")
    print("read gap", (gap.encode() if isinstance(gap, str) else gap).hex())
    yield "4000000 end"

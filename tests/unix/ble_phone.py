"""One phone: connects, reads everything, subscribes, commands, changes limits with and without the
key, drops and comes back."""

import ble_world as w
from ble_setup import HOT, KEY, LIMIT, NORMAL, SERIES
from virtual import ether


def told(link):
    for name in ("1", "2", "3", "7", "2a19", "2bed", "2be9", "2a24", "2a26", "2a29"):
        value = link.read(name)
        print("read", name, value if isinstance(value, int) else value.hex())


def feed():
    yield from w.until(1000)
    phone = w.Owner("c0:ff:ee:00:00:01", KEY)
    yield from w.until(1100)
    print("level before", phone.link.read("2a19"))
    w.frames[:] = NORMAL
    yield from w.until(4000)
    print("mtu", phone.link.mtu)
    told(phone.link)
    first, second = phone.link.read("4"), phone.link.read("4")
    print("nonces", len(first), len(second), first != second, phone.link.write("4", b"x"))
    phone.link.subscribe("2")
    phone.link.subscribe("2a19")
    yield from w.until(6500)
    # a stranger changes nothing, the owner does
    stranger = w.Owner("c0:ff:ee:00:00:02", "00" * 16)
    stranger.say(6, LIMIT)
    yield from w.until(6700)
    print("stranger", stranger.answer()[0])
    yield from w.until(20000)
    phone.say(6, LIMIT)
    yield from w.until(20200)
    print("limit", phone.answer())
    yield from w.until(33000)
    phone.say(6, SERIES)
    yield from w.until(33200)
    print("series", phone.answer())
    yield "33300000 pin BUTTON 0"
    yield from w.until(35500)
    yield "35600000 pin BUTTON z"
    yield from w.until(35800)
    print("held", phone.answer())
    phone.say(6, SERIES[:1] + b"\x63")
    yield from w.until(36000)
    print("refused", phone.answer())
    phone.say(5, (1796000000).to_bytes(4, "little"))
    yield from w.until(36200)
    print("time", phone.answer())
    phone.say(7, bytes(4) + b"\xff")
    yield from w.until(36400)
    print("log", phone.answer())
    print("records", phone.link.read("7").hex())
    phone.say(1)
    yield from w.until(36600)
    print("acknowledged", phone.answer()[0])
    phone.say(3)
    yield from w.until(37000)
    phone.say(4)
    yield from w.until(38000)
    phone.say(8, b"\x01\xac\x0d")
    yield from w.until(38200)
    print("guided", phone.answer())
    yield from w.until(40000)
    phone.say(8, b"\x00")
    yield from w.until(40200)
    print("over", phone.answer())
    phone.say(8, b"\x07")
    yield from w.until(40400)
    print("nosuch", phone.answer())
    yield from w.until(42000)
    # an alarm is on the air at once
    w.frames[:] = HOT
    yield from w.until(54000)
    phone.link.drop()
    yield from w.until(55000)
    again = w.Owner("c0:ff:ee:00:00:01", KEY)
    yield from w.until(55500)
    print("again", again.link.number, again.link.read("2")[1] != 0)
    again.say(1)
    yield from w.until(55700)
    print("again acknowledged", again.answer()[0])
    ether.links[again.link.number].drop()
    yield "56000000 heap"
    yield "57000000 end"

"""Four phones and a fifth that finds no room: one never reads, one keeps 23 bytes, one sends what
another was given; links drop and come back."""

import ble_world as w
from ble_setup import KEY, NORMAL
from virtual import ether


def feed():
    w.frames[:] = NORMAL
    yield from w.until(2000)
    phones = []
    for number in range(4):
        phone = w.Owner("c0:ff:ee:00:00:0%d" % number, KEY)
        phone.link.most_mtu = 23 if number == 1 else 247
        phone.link.subscribe("2")
        phones.append(phone)
        yield from w.until(2100 + 100 * number)
    print("fifth", ether.connect("c0:ff:ee:00:00:09"), ether.advertising[3])
    phones[2].link.room = 3  # it takes three more packets and never reads
    yield from w.until(10000)
    print("mtus", [phone.link.mtu for phone in phones])
    print("long read", phones[1].link.read("2").hex())
    # the nonce of another link
    other = phones[0].link.read("4")
    mine = phones[1].link.read("4")
    phones[1].link.write("5", phones[1].sign(3, b"", other))
    yield from w.until(10200)
    print("foreign nonce", phones[1].answer()[0])
    phones[0].link.write("5", phones[0].sign(3, b"", other))
    yield from w.until(10400)
    print("own nonce", phones[0].answer()[0], mine != other)
    # the deaf one commands, too: its answer waits to be read
    phones[2].say(3)
    yield from w.until(10800)
    print("deaf", phones[2].answer()[0])
    # all at once
    for phone in phones:
        phone.say(3)
    yield from w.until(11000)
    print("all", [phone.answer()[0] for phone in phones])
    print("queue", [link.room for link in ether.links.values()])
    # a link drops and another central takes its place; its nonce has gone with it
    old = phones[3].link.read("4")
    phones[3].link.drop()
    yield from w.until(11300)
    new = w.Owner("c0:ff:ee:00:00:0a", KEY)
    new.link.write("5", new.sign(3, b"", old))
    yield from w.until(11600)
    print("old nonce", new.link.number, new.answer()[0])
    print("full again", ether.connect("c0:ff:ee:00:00:09"))
    for link in list(ether.links.values()):
        link.drop()
    yield from w.until(12000)
    print("open", ether.advertising[3])
    for turn in range(20):
        phone = w.Owner("c0:ff:ee:00:00:01", KEY)
        yield from w.until(12100 + 200 * turn)
        phone.link.drop()
        yield from w.until(12200 + 200 * turn)
    print("after twenty", ether.advertising[3])
    yield "17000000 end"

"""What is between the dongle's radio and those who talk to it: attributes, links, and the
centrals of a scenario. modules/bluetooth.py is the firmware's side of it; bridge.py puts a real
stack in the centrals' place.

A scenario (../../README.md) plays a central by itself, at the time its feed has reached:

    phone = ether.connect("c0:ff:ee:00:00:01")   None where nobody can be connected to
    phone.read("2"), phone.write("5", data), phone.subscribe("2"), phone.heard, phone.drop()

A characteristic's name is its 16-bit number in hex, or the last digits of the first group of a
128-bit one, without zeros.
"""

from binascii import hexlify, unhexlify

from virtual import clock as _c
from virtual import trace

ADDRESS = b"\xa4\xc1\x38\x8d\x18\xb2"
SHORTEST_MTU = 23
MOST_LINKS = 4  # of an ESP32 as MicroPython builds it

CONNECT, DISCONNECT, WRITE, READ, INDICATE_DONE, MTU = 1, 2, 3, 4, 20, 21
READ_REFUSED, WRITE_REFUSED = 0x02, 0x03
_FLAG_READ, _FLAG_WRITES = 0x02, 0x0C

handler = None  # the firmware's, called with (event, data)
remote = None  # bridge.py, where a real stack listens
values = {}  # by handle
buffers = {}  # by handle: the longest write
flags = {}  # by handle
names = {}  # by handle
handles = {}  # by name
links = {}  # by number
services = ()
advertising = None  # (interval_us, data, response, connectable)


class Link:
    """One central, connected. heard: how many packets were sent to it, which the trace names;
    room: how many more it takes before it reads, None = it never stops reading. mtu: bytes;
    most_mtu: what it agrees to."""

    def __init__(self, number, address):
        self.number = number
        self.address = address
        self.heard = 0
        self.room = None
        self.mtu = SHORTEST_MTU
        self.most_mtu = 247
        self.subscribed = set()

    def take(self, kind, handle, value):
        """The stack hands over a notification; False: no room."""
        if remote:
            remote.send(kind, self.number, handle, value)
            return True
        if self.room is not None:
            if not self.room:
                return False
            self.room -= 1
        value = value[: self.mtu - 3]
        self.heard += 1
        trace.line("ble %s %d %s %s" % (kind, self.number, names[handle], _hex(value)))
        if kind == "indicate":
            _later(INDICATE_DONE, (self.number, handle, 0))
        return True

    def exchange(self, mtu):
        """Either side asked for longer packets."""
        if remote:
            remote.send("mtu", self.number, mtu, b"")
            return
        self.agreed(min(mtu, self.most_mtu))

    def agreed(self, mtu):
        self.mtu = max(SHORTEST_MTU, mtu)
        trace.line("ble mtu %d %d" % (self.number, self.mtu))
        _later(MTU, (self.number, self.mtu))

    def drop(self):
        """The link ends, whoever ended it."""
        if remote:
            remote.send("drop", self.number, 0, b"")
        elif links.pop(self.number, None):
            trace.line("ble drop %d" % self.number)
            interrupt(DISCONNECT, (self.number, 1, self.address))

    # What a scenario's central does. Each name is a characteristic's.

    def read(self, name):
        """Its whole value, or an ATT error code."""
        return read(self.number, handles[name])

    def write(self, name, data):
        """0, or an ATT error code."""
        return write(self.number, handles[name], data)

    def subscribe(self, name):
        self.subscribed.add(handles[name])


def connect(address):
    """A central connects; its Link, or None where nobody listens for it."""
    if not advertising or not advertising[3] or len(links) == MOST_LINKS:
        return None
    number = 0
    while number in links:
        number += 1
    return joined(number, unhexlify(address.replace(":", "")))


def joined(number, address):
    """A link is there; advertising has ended with it."""
    global advertising
    link = links[number] = Link(number, address)
    advertising = None
    trace.line("ble connect %d" % number)
    interrupt(CONNECT, (number, 1, address))
    return link


def left(number):
    """The other side has ended a link."""
    link = links.pop(number, None)
    if link:
        trace.line("ble drop %d" % number)
        interrupt(DISCONNECT, (number, 1, link.address))


def read(number, handle):
    """The value a central reads, or an ATT error code: the firmware is asked at every reading."""
    if not flags[handle] & _FLAG_READ:
        return READ_REFUSED
    status = handler(READ, (number, handle)) if handler else 0
    return status or values[handle]


def write(number, handle, data):
    """A central writes; 0, or an ATT error code. The firmware cannot refuse."""
    if not flags[handle] & _FLAG_WRITES:
        return WRITE_REFUSED
    values[handle] = bytes(data[: buffers.get(handle, 20)])
    interrupt(WRITE, (number, handle))
    return 0


def update(handle):
    """A value has changed: those who subscribed are told. Without room nobody learns it."""
    if remote:
        remote.send("update", 0, handle, values[handle])
        return
    for link in links.values():
        if handle in link.subscribed:
            kind = "indicate" if flags[handle] & 0x20 else "notify"
            link.take(kind, handle, values[handle])


def register(table):
    """The firmware's services; returns the value handles, as the stack numbers them."""
    global services
    services = table
    for known in (values, buffers, flags, names, handles):
        known.clear()
    handle = 16
    answer = []
    for _, characteristics in table:
        row = []
        for characteristic in characteristics:
            handle += 3  # declaration, value, and room for a CCCD
            name = _name(bytes(characteristic[0]))
            values[handle] = b""
            flags[handle] = characteristic[1]
            names[handle] = name
            handles[name] = handle
            row.append(handle)
        answer.append(tuple(row))
    if remote:
        remote.register(table, answer)
    return tuple(answer)


def advertise(interval_us, data, response, connectable):
    global advertising
    if interval_us is None:
        if advertising:
            trace.line("ble quiet")
        advertising = None
    else:
        advertising = (interval_us, data, response, connectable)
        kind = "adv" if connectable else "beacon"
        trace.line("ble %s %d %s %s" % (kind, interval_us, _hex(data), _hex(response)))
    if remote:
        remote.advertise(advertising)


def switch(on):
    """The radio goes on or off; off, everything is forgotten."""
    trace.line("ble %s" % ("on" if on else "off"))
    if not on:
        advertise(None, b"", b"", False)
        for number in list(links):
            if remote:
                remote.send("drop", number, 0, b"")
        links.clear()


def cut():
    """The chip is off, and its radio with it."""
    if services:
        switch(False)


def interrupt(event, data):
    """The firmware's handler is called; bridge.py does so, too."""
    if handler:
        _c.interrupt(lambda _: handler(event, data), None)


def _later(event, data):
    """An answer of the other side, which comes after the call that asked for it."""
    _c.after(1000, lambda _: interrupt(event, data), None)


def _name(uuid):
    if len(uuid) == 2:
        return "%x" % (uuid[0] | uuid[1] << 8)
    return "%x" % (uuid[12] | uuid[13] << 8)


def _hex(data):
    return hexlify(data).decode() or "-"

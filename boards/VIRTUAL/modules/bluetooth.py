"""MicroPython's bluetooth module on the virtual board, the GATT server's part of it: what aioble
needs in the peripheral's role.

Behaviour after ports/esp32 with NimBLE (extmod/nimble/modbluetooth_nimble.c): a write longer than
its buffer of 20 bytes, or what gatts_set_buffer said, is cut; a notification is cut to the MTU;
OSError 12 when the stack has no room for one; advertising ends when somebody connects. Who is on
the other side is virtual/ether.py's matter.
"""

from binascii import unhexlify

from virtual import ether

FLAG_READ = 0x0002
FLAG_WRITE_NO_RESPONSE = 0x0004
FLAG_WRITE = 0x0008
FLAG_NOTIFY = 0x0010
FLAG_INDICATE = 0x0020

_NOT_CONNECTED = 107
_NO_MEMORY = 12


class UUID:
    """16 or 128 bits; bytes(uuid) are as on the air, little endian."""

    def __init__(self, value):
        if isinstance(value, int):
            self._bytes = value.to_bytes(2, "little")
        elif isinstance(value, str):
            self._bytes = bytes(reversed(unhexlify(value.replace("-", ""))))
        else:
            self._bytes = bytes(value)

    def __iter__(self):
        return iter(self._bytes)

    def __len__(self):
        return len(self._bytes)

    def __eq__(self, other):
        return isinstance(other, UUID) and self._bytes == other._bytes

    def __hash__(self):
        return hash(self._bytes)


class BLE:
    """The one radio."""

    _only = None

    def __new__(cls):
        if BLE._only is None:
            BLE._only = super(BLE, cls).__new__(cls)
            BLE._only._begin()
        return BLE._only

    def _begin(self):
        self._active = False
        self._config = {"mac": (0, ether.ADDRESS), "mtu": 256, "gap_name": b"MPY ESP32"}

    def active(self, on=None):
        if on is not None and bool(on) != self._active:
            self._active = bool(on)
            ether.switch(self._active)
        return self._active

    def config(self, *name, **values):
        if name:
            return self._config[name[0]]
        self._config.update(values)

    def irq(self, handler):
        ether.handler = handler

    def gatts_register_services(self, services):
        self._must_be_active()
        if ether.advertising:
            raise OSError(16)  # EBUSY
        return ether.register(services)

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        self._must_be_active()
        for data in (adv_data, resp_data):
            if data is not None and len(data) > 31:
                raise OSError(22)
        ether.advertise(interval_us, bytes(adv_data or b""), bytes(resp_data or b""), connectable)

    def gatts_read(self, handle):
        return ether.values[handle]

    def gatts_write(self, handle, data, send_update=False):
        ether.values[handle] = bytes(data)
        if send_update:
            ether.update(handle)

    def gatts_set_buffer(self, handle, size, append=False):
        ether.buffers[handle] = size

    def gatts_notify(self, connection, handle, data=None):
        self._send("notify", connection, handle, data)

    def gatts_indicate(self, connection, handle, data=None):
        self._send("indicate", connection, handle, data)

    def _send(self, kind, connection, handle, data):
        link = ether.links.get(connection)
        if link is None:
            raise OSError(_NOT_CONNECTED)
        value = ether.values[handle] if data is None else bytes(data)
        if not link.take(kind, handle, value):
            raise OSError(_NO_MEMORY)

    def gattc_exchange_mtu(self, connection):
        link = ether.links.get(connection)
        if link is None:
            raise OSError(_NOT_CONNECTED)
        link.exchange(self._config["mtu"])

    def gap_disconnect(self, connection):
        link = ether.links.get(connection)
        if link is None:
            return False
        link.drop()
        return True

    def _must_be_active(self):
        if not self._active:
            raise OSError(19)  # ENODEV

"""A stand-in of the few calls of aioble the firmware makes, for machines on which the real one is
not found: the same tests run on it, and say so."""

import asyncio

import bluetooth

_CONNECT, _DISCONNECT, _WRITE, _READ, _MTU = 1, 2, 3, 4, 21
_QUEUE = 10  # writes that wait; one more pushes the oldest out, as in aioble
_ENOTCONN = 107
_STEP_MS = 10

_ble = bluetooth.BLE()
_links = {}
_characteristics = {}
_writes = []
_written = asyncio.ThreadSafeFlag()
_coming = []


def config(*names, **values):
    _ble.active(True)
    return _ble.config(*names, **values)


def stop():
    _ble.active(False)
    _links.clear()
    _characteristics.clear()
    _writes.clear()
    _coming.clear()


async def advertise(interval_us, adv_data=None, resp_data=None, connectable=True, timeout_ms=None):
    _ble.active(True)
    _ble.gap_advertise(interval_us, adv_data, resp_data=resp_data, connectable=connectable)
    try:
        await _until(lambda: _coming, timeout_ms)
        return _coming.pop(0)
    except asyncio.CancelledError:
        _ble.gap_advertise(None)
    except asyncio.TimeoutError:
        _ble.gap_advertise(None)
        raise


async def _until(happened, timeout_ms):
    left_ms = timeout_ms or 0
    while not happened():
        await asyncio.sleep_ms(_STEP_MS)
        left_ms -= _STEP_MS
        if timeout_ms and left_ms <= 0:
            raise asyncio.TimeoutError


class Connection:
    def __init__(self, number):
        self.number = number
        self.mtu = None

    def is_connected(self):
        return _links.get(self.number) is self

    async def exchange_mtu(self, mtu=None, timeout_ms=1000):
        _ble.config(mtu=mtu)
        _ble.gattc_exchange_mtu(self.number)
        await _until(lambda: self.mtu, timeout_ms)
        return self.mtu

    async def disconnected(self):
        await _until(lambda: not self.is_connected(), None)


class Service:
    def __init__(self, uuid):
        self.uuid = uuid
        self.characteristics = []


class BufferedCharacteristic:
    def __init__(
        self, service, uuid, read=False, write=False, notify=False, indicate=False,
        capture=False, max_len=20,  # noqa: ARG002  the stand-in captures every write
    ):  # fmt: skip
        service.characteristics.append(self)
        flags = bluetooth.FLAG_READ if read else 0
        flags |= bluetooth.FLAG_WRITE if write else 0
        flags |= bluetooth.FLAG_NOTIFY if notify else 0
        flags |= bluetooth.FLAG_INDICATE if indicate else 0
        self.row = (uuid, flags)
        self.max_len = max_len
        self.handle = None
        self._first = b""

    def read(self):
        return self._first if self.handle is None else _ble.gatts_read(self.handle)

    def write(self, data, send_update=False):
        if self.handle is None:
            self._first = data
        else:
            _ble.gatts_write(self.handle, data, send_update)

    def notify(self, connection, data=None):
        if not connection.is_connected():
            raise OSError(_ENOTCONN)
        _ble.gatts_notify(connection.number, self.handle, data)

    def on_read(self, connection):  # noqa: ARG002  as the real one calls it
        return 0

    async def written(self):
        while not _writes:
            await _written.wait()
        return _writes.pop(0)


def register_services(*services):
    _ble.active(True)
    rows = [(s.uuid, tuple([c.row for c in s.characteristics])) for s in services]
    handles = _ble.gatts_register_services(tuple(rows))
    for service, numbers in zip(services, handles):
        for characteristic, handle in zip(service.characteristics, numbers):
            characteristic.handle = handle
            _characteristics[handle] = characteristic
            characteristic.write(characteristic._first)
            _ble.gatts_set_buffer(handle, characteristic.max_len)


def _irq(event, data):
    link = _links.get(data[0])
    if event == _CONNECT:
        link = _links[data[0]] = Connection(data[0])
        _coming.append(link)
    elif event == _DISCONNECT:
        _links.pop(data[0], None)
    elif event == _MTU and link:
        link.mtu = data[1]
    elif event == _WRITE:
        _writes.append((link, _ble.gatts_read(data[1])))
        while len(_writes) > _QUEUE:
            _writes.pop(0)
        _written.set()
    elif event == _READ:
        return _characteristics[data[1]].on_read(link)
    return None


_ble.irq(_irq)

"""What the dongle says to everybody on the air: a BTHome v2 advertisement, plain or sealed, and
the scan response with name and service. hal/radio.py sends it.

Format and object ids: bthome.io/format, and the table in bthome-ble 3.25. The objects are the same
in every packet and in the same order, because a receiver numbers several of one kind by their
place. BTHome has no word for "unknown": an unknown value is sent as one that cannot be
(docs/bluetooth.md), and a dongle that knows nothing and misses nothing sends no values at all.
"""

from micropython import const

from deckwatch import status
from deckwatch.outputs.ccm import seal
from deckwatch.telemetry import INDEX

MOST = const(31)  # bytes of a legacy advertisement, and of a scan response
MOST_NAME = const(11)  # bytes of a name, beside the service
_FLAGS = b"\x02\x01\x06"  # general discoverable, no classic Bluetooth
_UUID = b"\xd2\xfc"
_PLAIN = const(0x40)  # version 2 in bits 5-7, bit 0: encrypted
_SEALED = const(0x41)
_SERVICE_DATA = const(0x16)
_NAME = const(0x09)
_SERVICES_128 = const(0x07)

_BATTERY = const(0x01)
_VOLTAGE_MV = const(0x0C)
_CHARGING = const(0x16)
_PROBLEM = const(0x26)
_VOLTAGE_DV = const(0x4A)
_TEMPERATURE = const(0x57)
_POWER = const(0x5C)

NO_PERCENT = const(255)
NO_VOLTAGE = const(0)
NO_TEMPERATURE = const(-128)
_NO_POWER = b"\x00\x00\x00\x80"  # -2**31, made of bytes: beyond a small int on the chip
_WIDEST_MV = const(0xFFFF)

_PACK_MV = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_SOC = INDEX["soc_pct"]
_LOW = INDEX["lowest_mv"]
_HIGH = INDEX["highest_mv"]
_HOT = INDEX["hottest_dc"]
_CHARGES = INDEX["charging"]


class Values:
    """What an advertisement tells of the first pack at one moment; core: the pipeline.

    known: whether there is anything to tell.
    """

    def __init__(self, core, now: int) -> None:
        self._t = core.packs[0].telemetry
        self._now = now
        look = core.status.look
        self.soc_pct = self._get(_SOC, NO_PERCENT)
        self.pack_mv = self._get(_PACK_MV, NO_VOLTAGE)
        self.low_mv = self._get(_LOW, NO_VOLTAGE)
        self.high_mv = self._get(_HIGH, NO_VOLTAGE)
        self.celsius = NO_TEMPERATURE
        if self._t.fresh(_HOT, now):
            self.celsius = max(-127, min(127, (self._t.value[_HOT] + 5) // 10))
        self.power = _NO_POWER
        if self._t.fresh(_CURRENT, now) and self._t.fresh(_PACK_MV, now):
            self.power = _bytes(power_cw(self.pack_mv, self._t.value[_CURRENT]), 4)
        self.charging = self._get(_CHARGES, 0)
        self.problem = 1 if look >= status.UNKNOWN else 0
        self.known = look > status.NO_DATA or self._t.fresh(_PACK_MV, now)

    def _get(self, slot: int, otherwise: int) -> int:
        return self._t.value[slot] if self._t.fresh(slot, self._now) else otherwise


def power_cw(pack_mv: int, current_ma: int) -> int:
    """Hundredths of a watt, positive into the pack, rounded towards zero; no step above 2**30."""
    sign = -1 if current_ma < 0 else 1
    ma = abs(current_ma)
    coarse = pack_mv * (ma // 100)
    fine = coarse % 100 * 100 + pack_mv * (ma % 100)
    return sign * (coarse // 100 + fine // 10000)


def plain(values: Values, tenths: bool) -> bytes:
    """The advertisement in clear, at most 30 bytes. tenths: the pack may pass 65.5 V, so its
    voltage goes out in tenths of a volt."""
    if not values.known:
        return _FLAGS
    v = values
    cells = _object(_VOLTAGE_MV, v.low_mv, 2) + _object(_VOLTAGE_MV, v.high_mv, 2)
    body = _object(_BATTERY, v.soc_pct, 1)
    if not tenths:
        body += _pack(v)
    body += cells + _object(_CHARGING, v.charging, 1) + _object(_PROBLEM, v.problem, 1)
    if tenths:
        body += _object(_VOLTAGE_DV, (v.pack_mv + 50) // 100, 2)
    body += _object(_TEMPERATURE, v.celsius, 1) + bytes((_POWER,)) + v.power
    return _FLAGS + _structure(_SERVICE_DATA, _UUID + bytes((_PLAIN,)) + body)


def sealed(values: Values, tenths: bool, encrypt, mac: bytes, counter: bytes) -> bytes:
    """The advertisement encrypted, at most 31 bytes: percent, voltages, problem, temperature.

    encrypt: AES of one block under the bind key; mac: the 6 bytes as printed; counter: 4 bytes,
    little endian, never twice with one key.
    """
    if not values.known:
        return _FLAGS
    v = values
    cells = _object(_VOLTAGE_MV, v.low_mv, 2) + _object(_VOLTAGE_MV, v.high_mv, 2)
    body = _object(_BATTERY, v.soc_pct, 1)
    if not tenths:
        body += _pack(v)
    body += cells + _object(_PROBLEM, v.problem, 1)
    if tenths:
        body += _object(_VOLTAGE_DV, (v.pack_mv + 50) // 100, 2)
    body += _object(_TEMPERATURE, v.celsius, 1)
    info = bytes((_SEALED,))
    text, tag = seal(encrypt, mac + _UUID + info + counter, body)
    return _FLAGS + _structure(_SERVICE_DATA, _UUID + info + text + counter + tag)


def fitting(name: str) -> str:
    """As much of a name as there is room for, in whole characters."""
    data = name.encode()[:MOST_NAME]
    while True:
        try:
            return data.decode()
        except UnicodeError:
            data = data[:-1]


def scan_response(name: str, service: bytes) -> bytes:
    """Name (at most MOST_NAME bytes) and the 128-bit service, bytes as on the air."""
    data = _structure(_SERVICES_128, service) + _structure(_NAME, name.encode())
    if len(data) > MOST:
        raise ValueError("the name %r is too long for a scan response" % name)
    return data


def _pack(values: Values) -> bytes:
    return _object(_VOLTAGE_MV, min(values.pack_mv, _WIDEST_MV), 2)


def _object(number: int, value: int, size: int) -> bytes:
    return bytes((number,)) + _bytes(value, size)


def _bytes(value: int, size: int) -> bytes:
    """Little endian, two's complement."""
    return bytes([value >> 8 * i & 0xFF for i in range(size)])


def _structure(kind: int, data: bytes) -> bytes:
    return bytes((len(data) + 1, kind)) + data

"""machine.I2C with one device that may be there: a Sensirion SHT4x, for which the feed says how
damp the air is. As on the ESP32, an address nobody answers at is OSError(ENODEV); so is a reading
that was not asked for, or asked for less than 8.3 ms ago."""

from virtual import clock as _c

_ADDRESS = 0x44
_MEASURING_MS = 9
_ENODEV = 19

air = None  # relative humidity in %; None = no sensor
spoilt = False  # its next bytes are damaged


class I2C:
    """As machine.I2C, for what the firmware asks of it."""

    def __init__(self, id, *, sda, scl, freq=400000):
        self._asked_ms = None

    def writeto(self, address, data):
        _find(address)
        if bytes(data) == b"\xfd":
            self._asked_ms = _c.ms
        return len(data)

    def readfrom_into(self, address, buf):
        _find(address)
        if self._asked_ms is None or _c.ms - self._asked_ms < _MEASURING_MS:
            raise OSError(_ENODEV)
        self._asked_ms = None
        raw = (air + 6) * 65535 // 125 + 1
        buf[:] = _word(0x6666) + _word(raw)
        if spoilt:
            buf[4] ^= 1


def _find(address):
    if air is None or address != _ADDRESS:
        raise OSError(_ENODEV)


def _word(number):
    data = bytes((number >> 8, number & 0xFF))
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    return data + bytes((crc,))

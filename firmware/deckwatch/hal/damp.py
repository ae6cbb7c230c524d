"""The optional humidity sensor in the deck: a Sensirion SHT4x on I2C. A board without its pins, or
where nobody answers at the start, has none."""

from machine import I2C
from micropython import const

from deckwatch.hal.board import pin

_ADDRESS = const(0x44)
_MEASURE = b"\xfd"  # both, high precision; takes 8.3 ms at most (data sheet, table 8)
_BYTES = const(6)  # temperature and its CRC, humidity and its CRC


class Damp:
    """read(): relative humidity in %, -1 where there is none."""

    def __init__(self) -> None:
        self._buf = bytearray(_BYTES)
        self._bus = None
        sda = pin("I2C_SDA")
        scl = pin("I2C_SCL")
        if sda is not None and scl is not None:
            try:
                bus = I2C(0, sda=sda, scl=scl, freq=100000)
                bus.writeto(_ADDRESS, _MEASURE)
                self._bus = bus
            except OSError:
                pass

    @property
    def is_fitted(self) -> bool:
        """Did it answer at the start?"""
        return self._bus is not None

    def read(self) -> int:
        """What was measured since the call before, which began it; begins the next. Trouble on the
        bus, or bytes that do not hold, is -1."""
        bus = self._bus
        if bus is None:
            return -1
        pct = -1
        try:
            bus.readfrom_into(_ADDRESS, self._buf)
            pct = relative_pct(self._buf)
        except OSError:
            pass
        try:
            bus.writeto(_ADDRESS, _MEASURE)
        except OSError:
            pass
        return pct


def relative_pct(buf) -> int:
    """Humidity of a reading, rounded down to 0 to 100 %; -1 where its CRC does not hold."""
    crc = 0xFF
    for place in (3, 4):
        crc ^= buf[place]
        for _ in range(8):
            crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
    if crc != buf[5]:
        return -1
    return max(0, min(100, 125 * (buf[3] << 8 | buf[4]) // 65535 - 6))

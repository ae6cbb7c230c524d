"""Checksums of the families' frames, each from its sheet; the fakes alone use them."""

from collections.abc import Callable


def sum8(data: bytes) -> int:
    """The low byte of the sum."""
    return sum(data) & 0xFF


def sum16(data: bytes) -> int:
    """The sum in 16 bits."""
    return sum(data) & 0xFFFF


def _table(step: Callable[[int], int], start: Callable[[int], int]) -> list[int]:
    """What each byte does to a CRC, `step` being one bit's doing."""
    table = []
    for byte in range(256):
        crc = start(byte)
        for _ in range(8):
            crc = step(crc)
        table.append(crc)
    return table


_MODBUS = _table(lambda crc: crc >> 1 ^ (0xA001 if crc & 1 else 0), lambda byte: byte)
_XMODEM = _table(
    lambda crc: crc << 1 & 0xFFFF ^ (0x1021 if crc & 0x8000 else 0), lambda byte: byte << 8
)


def crc16_modbus(data: bytes) -> int:
    """Polynomial A001 reflected, from FFFF."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _MODBUS[(crc ^ byte) & 0xFF]
    return crc


def crc16_xmodem(data: bytes) -> int:
    """Polynomial 1021, from 0."""
    crc = 0
    for byte in data:
        crc = crc << 8 & 0xFFFF ^ _XMODEM[crc >> 8 ^ byte]
    return crc


def with_modbus(data: bytes) -> bytes:
    """The data and its Modbus CRC, low byte first."""
    return data + crc16_modbus(data).to_bytes(2, "little")

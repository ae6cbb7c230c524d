"""Checksums of the families' frames, each from its sheet; the fakes alone use them."""


def sum8(data: bytes) -> int:
    """The low byte of the sum."""
    return sum(data) & 0xFF


def sum16(data: bytes) -> int:
    """The sum in 16 bits."""
    return sum(data) & 0xFFFF


def crc16_modbus(data: bytes) -> int:
    """Polynomial A001 reflected, from FFFF."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def crc16_xmodem(data: bytes) -> int:
    """Polynomial 1021, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = crc << 1 & 0xFFFF ^ (0x1021 if crc & 0x8000 else 0)
    return crc


def with_modbus(data: bytes) -> bytes:
    """The data and its Modbus CRC, low byte first."""
    return data + crc16_modbus(data).to_bytes(2, "little")

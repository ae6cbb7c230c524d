"""checksums_viper.py in plain Python; written by tools/make_plain.py, never by hand."""


def sum8(buf, start: int, end: int) -> int:
    """Low byte of the sum (Daly A5 sheet 2, JK02 sheet 2)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return total & 0xFF


def sum16(buf, start: int, end: int) -> int:
    """Low 16 bits of the sum (ANT sheet 3, JK 4E57 sheet 1.2)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return total & 0xFFFF


def sum16_inverted(buf, start: int, end: int) -> int:
    """0xFFFF minus the sum (Xiaomi and Ninebot sheet 2.1)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return ~total & 0xFFFF


def sum16_negated(buf, start: int, end: int) -> int:
    """0x10000 minus the sum, 16 bits (JBD sheet 2)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return (0 - total) & 0xFFFF


def crc16_modbus(buf, start: int, end: int) -> int:
    """Reflected polynomial A001, start FFFF (Daly D2, ANT 2021+, JK Modbus)."""
    crc = 0xFFFF
    for i in range(start, end):
        crc ^= buf[i]
        for _ in range(8):
            if crc & 1:
                crc = (crc >> 1) ^ 0xA001
            else:
                crc >>= 1
    return crc


def crc16_xmodem(buf, start: int, end: int) -> int:
    """Polynomial 1021, start 0 (VESC sheet 2: payload 04 gives 4084)."""
    crc = 0
    for i in range(start, end):
        crc ^= buf[i] << 8
        for _ in range(8):
            crc <<= 1
            if crc & 0x10000:
                crc ^= 0x11021
    return crc


# As framings.CHECK_NAMES has them, without "" for none
CHECKS = (sum8, sum16, sum16_inverted, sum16_negated, crc16_modbus, crc16_xmodem)

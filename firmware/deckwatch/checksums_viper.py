# ruff: noqa: F821  viper's own types, such as ptr8, are known to MicroPython's compiler alone
"""Every checksum the families use, as machine code for the chip.

framer.py takes these where they load: it needs a MicroPython with a native emitter, or an .mpy
compiled for the processor (`mpy-cross -march=xtensawin`). Elsewhere importing this file fails and
checksums_plain.py serves, which tools/make_plain.py writes from it. A test proves both equal.

Each function takes (buf, start, end), works on buf[start:end] and returns an integer of 8 or 16
bits; none allocates.
"""

import micropython


@micropython.viper
def sum8(buf: ptr8, start: int, end: int) -> int:
    """Low byte of the sum (Daly A5 sheet 2, JK02 sheet 2)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return total & 0xFF


@micropython.viper
def sum16(buf: ptr8, start: int, end: int) -> int:
    """Low 16 bits of the sum (ANT sheet 3, JK 4E57 sheet 1.2)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return total & 0xFFFF


@micropython.viper
def sum16_inverted(buf: ptr8, start: int, end: int) -> int:
    """0xFFFF minus the sum (Xiaomi and Ninebot sheet 2.1)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return ~total & 0xFFFF


@micropython.viper
def sum16_negated(buf: ptr8, start: int, end: int) -> int:
    """0x10000 minus the sum, 16 bits (JBD sheet 2)."""
    total = 0
    for i in range(start, end):
        total += buf[i]
    return (0 - total) & 0xFFFF


@micropython.viper
def crc16_modbus(buf: ptr8, start: int, end: int) -> int:
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


@micropython.viper
def crc16_xmodem(buf: ptr8, start: int, end: int) -> int:
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

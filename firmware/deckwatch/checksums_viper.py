# ruff: noqa: F821  viper's own types, such as ptr8, are known to MicroPython's compiler alone
"""The checksums of checksums.py as machine code, for the chip: the only work done for every byte.

framer.py takes these where they load: it needs a MicroPython with a native emitter, or an .mpy
compiled for the processor (`mpy-cross -march=xtensawin`). Elsewhere importing this file fails and
the plain ones serve. A test proves both equal.
"""

import micropython


@micropython.viper
def sum8(buf: ptr8, start: int, end: int) -> int:
    total = 0
    for i in range(start, end):
        total += buf[i]
    return total & 0xFF


@micropython.viper
def sum16(buf: ptr8, start: int, end: int) -> int:
    total = 0
    for i in range(start, end):
        total += buf[i]
    return total & 0xFFFF


@micropython.viper
def sum16_inverted(buf: ptr8, start: int, end: int) -> int:
    total = 0
    for i in range(start, end):
        total += buf[i]
    return ~total & 0xFFFF


@micropython.viper
def sum16_negated(buf: ptr8, start: int, end: int) -> int:
    total = 0
    for i in range(start, end):
        total += buf[i]
    return (0 - total) & 0xFFFF


@micropython.viper
def crc16_modbus(buf: ptr8, start: int, end: int) -> int:
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
    crc = 0
    for i in range(start, end):
        crc ^= buf[i] << 8
        for _ in range(8):
            crc <<= 1
            if crc & 0x10000:
                crc ^= 0x11021
    return crc


CHECKS = {
    "sum8": sum8,
    "sum16": sum16,
    "sum16_inverted": sum16_inverted,
    "sum16_negated": sum16_negated,
    "crc16_modbus": crc16_modbus,
    "crc16_xmodem": crc16_xmodem,
}

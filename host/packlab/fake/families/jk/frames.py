"""JK's frames of 300 bytes and the registers that hold the same: what the Bluetooth module's wire,
the PB bus and Modbus share (jk.md 2 and 4).

A field is (place in the frame for 32 cells, form, value). Frames have the low byte first; Modbus
the high one, at the place less 6.
"""

import struct
from collections.abc import Iterable

from packlab.fake.checks import sum8
from packlab.fake.numbers import bits, per, s16, u16
from packlab.made.board import Limits
from packlab.made.readings import Readings

Field = tuple[int, str, int]

SETTINGS, LIVE, DEVICE = 0x01, 0x02, 0x03
SIZE = 300

# Alarm bits (sheet 2.2)
ALARMS = {
    "sense_wire": 0,
    "board_over_temperature": 1,
    "cell_count": 2,
    "current_sensor": 3,
    "cell_over_voltage": 4,
    "pack_over_voltage": 5,
    "charge_over_current": 6,
    "charge_over_temperature": 8,
    "charge_under_temperature": 9,
    "communication": 10,
    "cell_under_voltage": 11,
    "pack_under_voltage": 12,
    "discharge_over_current": 13,
    "short_circuit": 14,
    "discharge_over_temperature": 15,
    "charge_fet": 16,
    "discharge_fet": 17,
    "default_password": 19,
    "temperature_sensor": 22,
    "discharge_under_temperature": 27,
}
_NO_SENSOR = -2000
_PASSWORD = b"NOT-REAL"  # wherever a pass code stands

_FIRST_OF_32 = 200  # from here on boards for 24 cells have nothing
_MOS_TEMP, _ALARMS = 144, 166


def live(now: Readings) -> list[Field]:
    """Type 02 (sheet 2.1)."""
    cells = now.cells_mv
    highest, lowest = max(cells), min(cells)
    first, second, third, fourth = (*_sensors(now), 0, 0)[:4]
    return [
        *((6 + 2 * n, "H", mv) for n, mv in enumerate(cells)),
        *((80 + 2 * n, "H", mohm) for n, mohm in enumerate(now.wires_mohm)),
        (70, "I", (1 << len(cells)) - 1),
        (74, "H", sum(cells) // len(cells)),
        (76, "H", highest - lowest),
        (78, "B", cells.index(highest)),
        (79, "B", cells.index(lowest)),
        (_MOS_TEMP, "h", now.board_dc),
        (150, "I", now.pack_mv),
        (154, "I", abs(now.current_ma) * now.pack_mv // 1000),
        (158, "i", now.current_ma),
        (162, "h", first),
        (164, "h", second),
        (_ALARMS, "I", bits(now.faults, ALARMS)),
        (170, "h", -now.balance_ma),
        (172, "B", 2 if now.balancing else 0),
        (173, "B", now.soc_pct),
        (174, "i", now.remaining_mah),
        (178, "I", now.full_mah),
        (182, "I", now.cycles),
        (186, "I", now.charged_mah + now.discharged_mah),
        (190, "B", now.health_pct),
        (194, "I", now.run_time_s),
        (198, "B", int(now.charge_fet)),
        (199, "B", int(now.discharge_fet)),
        (201, "B", 1),
        (214, "B", 0xFF),
        (234, "H", u16(per(now.pack_mv, 10))),
        (245, "B", int(now.charger_present)),
        (246, "I", now.run_time_s * 10),
        (254, "h", s16(now.board_dc)),
        (256, "h", third),
        (258, "h", fourth),
    ]


def _sensors(now: Readings) -> list[int]:
    """Two always; of a third and fourth that were never fitted 0 is told (sheet 2.1)."""
    sensors = [_NO_SENSOR if dc is None else dc for dc in now.temps_dc]
    return sensors + [_NO_SENSOR] * (2 - len(sensors))


def settings(now: Readings, limits: Limits, address: int = 0) -> list[Field]:
    """Type 01 (sheet 2.3); it lasts for both layouts but for the address."""
    high, low, clear = limits.cell_high_mv, limits.cell_low_mv, limits.cell_clear_mv
    warm = limits.temp_clear_dc
    return [
        (10, "I", low),
        (14, "I", low + clear),
        (18, "I", high),
        (22, "I", high - clear),
        (26, "I", limits.balance_on_mv),
        (50, "I", limits.charge_ma),
        (54, "I", limits.delay_ms // 1000),
        (58, "I", limits.again_ms // 1000),
        (62, "I", limits.discharge_ma),
        (66, "I", limits.delay_ms // 1000),
        (70, "I", limits.again_ms // 1000),
        (78, "I", limits.bleed_ma),
        (82, "i", limits.charge_hot_dc),
        (86, "i", limits.charge_hot_dc - warm),
        (90, "i", limits.discharge_hot_dc),
        (94, "i", limits.discharge_hot_dc - warm),
        (98, "i", limits.charge_cold_dc),
        (102, "i", limits.charge_cold_dc + warm),
        (106, "i", limits.board_hot_dc),
        (110, "i", limits.board_hot_dc - warm),
        (114, "I", len(now.cells_mv)),
        (118, "I", 1),
        (122, "I", 1),
        (126, "I", 1),
        (130, "I", now.design_mah),
        (138, "I", limits.balance_start_mv),
        (270, "I", address),
    ]


def device(now: Readings, serial: bytes = b"MADE0000001") -> bytes:
    """Type 03 (sheet 2.4), from byte 6 on; nothing in it depends on the byte order but two
    numbers."""
    data = bytearray(SIZE)
    for place, text in (
        (6, b"JK_MADE_UP"),
        (22, b"15A"),
        (30, b"15.41"),
        (46, b"DECKWATCH-MADE"),
        (62, _PASSWORD),
        (78, b"240403"),
        (86, serial),
        (97, _PASSWORD[:5]),
        (118, _PASSWORD),
    ):
        data[place : place + len(text)] = text
    struct.pack_into("<II", data, 38, now.run_time_s, 12)
    return bytes(data[6:])


def image(fields: Iterable[Field], order: str, *, cells_24: bool = False) -> bytes:
    """The frame's bytes from 6 on; order is struct's."""
    data = bytearray(SIZE)
    for place, form, value in fields:
        if cells_24:
            place, form, value = _for_24(place, form, value)
        if place:
            struct.pack_into(order + form, data, place, value)
    return bytes(data[6:])


def _for_24(place: int, form: str, value: int) -> Field:
    """Where a live field stands on boards for 24 cells; place 0: nowhere."""
    if place >= _FIRST_OF_32:
        return 0, form, 0
    if place == _MOS_TEMP:
        return 134, form, value
    if place == _ALARMS:
        return 136, "H", value & 0xFFFF
    if place >= 146:
        return place - 32, form, value
    return place - 16 if place >= 70 else place, form, value


def frame(kind: int, counter: int, content: bytes) -> bytes:
    """The whole frame; `content` is an image, or what begins like one."""
    body = b"\x55\xaa\xeb\x90" + bytes((kind, counter)) + content[: SIZE - 7]
    return body + bytes((sum8(body),))

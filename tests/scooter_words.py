"""What Xiaomi's and Ninebot's sheet says in words, put as values by hand: for the tests of both.

Nothing here is computed by the firmware. Byte sequences that are not of the sheet are chosen so
that no two registers could be taken for each other.
"""

from typing import Any

from bench_rows import text_of
from deckwatch.telemetry import Telemetry

# (word, payload, what it means), sheet section 3, in the order of its words
BATTERY_WORDS: list[tuple[int, str, dict[str, Any]]] = [
    (0x01, "6810", {"cell_high_mv": 4200}),
    (0x02, "0410", {"cell_high_clear_mv": 4100}),
    (0x03, "f00a", {"cell_low_mv": 2800}),
    (0x04, "b80b", {"cell_low_clear_mv": 3000}),
    (0x05, "a00f", {"balance_start_mv": 4000}),
    (0x06, "1e00", {"balance_on_mv": 30}),
    (0x07, "0f00", {"balance_off_mv": 15}),
    (0x08, "ac0d", {"discharge_limit1_raw": 3500}),
    (0x09, "0005", {"discharge_delay1_raw": 1280}),
    (0x0A, "7017", {"discharge_limit2_raw": 6000}),
    (0x0B, "0a00", {"discharge_delay2_raw": 10}),
    (0x0C, "5802", {"charge_limit_raw": 600}),
    (0x0D, "d007", {"charge_delay_raw": 2000}),
    (0x0F, "0300", {"fet_mode": 3}),
    (0x10, "334a5858583030585858303030 30", {"serial": "3JXXX00XXX0000"}),
    (0x17, "1501", {"firmware": "1.1.5"}),
    (0x17, "3641", {"firmware": "1.3.6"}),  # top nibble: board revision
    (0x17, "0009", {"firmware": "9.0.0"}),  # BotoX
    (0x18, "781e", {"design_mah": 7800}),
    (0x18, "ff7f", {"design_mah": 32767}),
    (0x18, "88b8", {"design_mah": 47240}),  # unsigned (sheet 5.3, capacity limit)
    (0x19, "561d", {"full_mah": 7510}),
    (0x1A, "ec13", {"design_mv": 51000}),  # Z10: 0x13EC = 51.00 V
    (0x1B, "0400", {"cycles": 4}),
    (0x1C, "1100", {"charges": 17}),
    (0x1D, "40e2 0100", {"total_charge_mah": 1234560}),
    (0x1F, "0207", {"over_current_count": 2, "over_discharge_count": 7}),
    (0x20, "2822", {"made_on": "2017-01-08"}),  # sheet: 0x2228
    (0x20, "a222", {"made_on": "2017-05-02"}),
    (0x20, "0000", {}),
    (0x21, "2124", {"first_used_on": "2018-01-01"}),
    (0x22, "0300", {"fault_code": 3}),
    (0x23, "0900", {"b_code": 9}),
    (0x30, "0100", {"faults": [], "charging_flag": False}),
    (0x31, "710e", {"remaining_mah": 3697}),
    (0x32, "2f00", {"soc_pct": 47}),
    (0x33, "0300", {"current_ma": -30}),  # the wire says + = discharge
    (0x33, "c4ff", {"current_ma": 600}),
    (0x33, "ff7f", {"current_ma": -327670}),
    (0x33, "0080", {"current_ma": 327680}),
    (0x33, "0000", {"current_ma": 0}),
    (0x34, "0a0e", {"pack_mv": 35940}),
    (0x34, "ffff", {"pack_mv": 655350}),
    (0x35, "2b2c", {"temp_dc": [230, 240]}),  # first byte on the wire = T1
    (0x35, "000a", {"temp_dc": [-200, -100]}),  # open probe; Rita's -10 °C
    (0x35, "77ff", {"temp_dc": [990, 2350]}),
    (0x36, "0302", {"balance": [1, 2, 10]}),
    (0x37, "0080", {"cells_low_bits": 0x8000}),
    (0x38, "0100", {"cells_high_bits": 1}),
    (0x39, "8c1d", {"coulomb_mah": 7564}),
    (0x3A, "be1d", {"voltage_mah": 7614}),
    (0x3B, "6200", {"health_pct": 98}),
    (0x40, "6b0f6a0f6f0f", {"cell_mv": [3947, 3946, 3951]}),
    (0x50, "0100", {"activated": True}),
    (0x51, "0400", {"board_version": 4}),
    (0x52, "3800", {"mos_temp_dc": 360, "mos2_temp_dc": -200}),
    (0x52, "003a", {"mos_temp_dc": -200, "mos2_temp_dc": 380}),
    (0x53, "3940", {"mos3_temp_dc": 370, "mos4_temp_dc": 440}),
]

# Known, never read: write password, "crypt" code, id of the microcontroller
SECRET_WORDS = (0x00, *range(0x60, 0x64), *range(0x70, 0x76))


def _tenths(celsius: float | list[int]) -> Any:
    return [10 * one for one in celsius] if isinstance(celsius, list) else round(10 * celsius)


# What the frames' own sources name -> (slot, in the slot's unit)
DECODED: dict[str, Any] = {
    "remaining_mAh": ("remaining_mah", int),
    "percent": ("soc_pct", int),
    "current_A_discharge_positive": ("current_ma", lambda amperes: round(-1000 * amperes)),
    "voltage_V": ("pack_mv", lambda volts: round(1000 * volts)),
    "temps_C": ("temp_dc", _tenths),
    "full_cycles": ("cycles", int),
    "charge_count": ("charges", int),
    "health_percent": ("health_pct", int),
    "date": ("made_on", str),
    "cells_mV": ("cell_mv", list),
    "serial": ("serial", str.strip),
    "fw_version": ("firmware", str),
    "design_capacity_mAh": ("design_mah", int),
    "throttle_raw": ("throttle_raw", int),
    "brake_raw": ("brake_raw", int),
    "mode": ("mode", int),
    "battery_bars_or_percent": ("controller_soc_pct", int),
    "battery_percent": ("controller_soc_pct", int),
    "speed_kmh": ("speed_mh", lambda kmh: 1000 * kmh),
    "speed": ("speed_mh", lambda kmh: 1000 * kmh),
    "error": ("error_code", int),
    "alarm": ("alarm_code", int),
    "flags_hex": ("controller_flags", lambda text: int(text, 16)),
    "speed_m_per_h": ("speed_mh", int),
    "avg_speed_m_per_h": ("average_speed_mh", int),
    "odometer_m": ("odometer_m", int),
    "on_time_s": ("trip_s", int),
    "trip_time_s": ("trip_s", int),
    "temp_C": ("controller_temp_dc", _tenths),
    "frame_temp_C": ("controller_temp_dc", _tenths),
    "esc_fw": ("controller_version", lambda text: int(text.replace(".", ""), 16)),
    "tail": ("tail_light", int),
}

# How `meaning` begins -> the frame's kind; the first that fits counts
KIND_BY_MEANING = [
    ("BMS read reply", "reply"),
    ("BMS 0x5A reply", "reply"),
    ("ESC read reply", "reply"),
    ("dashboard read reply", "reply"),
    ("read request", "read"),
    ("cmd 0x01", "read"),
    ("cmd 0x5A", "read"),
    ("cmd 0x55", "read"),
    ("dashboard input state", "dash_input"),
    ("dashboard read of ESC", "dash_input"),
    ("ESC to dashboard display state", "dash_state"),
    ("write without reply", "write"),
    ("firmware update page", "update"),
    ("reboot", "update"),
    ("ESC answer to update", "ack"),
    ("cmd 0xf", "botox"),
]


def texts_of(t: Telemetry) -> tuple[bytes, bytes]:
    """Serial number and firmware as they stand."""
    return text_of(t, "serial"), text_of(t, "firmware")

"""The battery registers Xiaomi and Ninebot share (xiaomi.md 3), for both their protocol files:
16-bit little-endian words, byte address = 2 * word.

Known, but never read, because they are secrets or tell one pack from all others: word 00 (write
password), 60-63 ("crypt" code), 70-75 (id of the microcontroller).
"""

from deckwatch.passing import bits

# Status word 0x30. Only these are kept up by stock firmware; its bits 1-5, 7 and 11-15 are not,
# and clear they mean nothing (xiaomi.md 3.1).
STATUS_FAULTS = (
    (0, "configuration", 0),
    (8, "cell_under_voltage", 1),
    (9, "cell_over_voltage", 1),
    (10, "over_temperature", 1),
)

BATTERY = (
    (0x02, "<H", "cell_high_mv"),
    (0x04, "<H", "cell_high_clear_mv"),
    (0x06, "<H", "cell_low_mv"),
    (0x08, "<H", "cell_low_clear_mv"),
    (0x0A, "<H", "balance_start_mv"),
    (0x0C, "<H", "balance_on_mv"),
    (0x0E, "<H", "balance_off_mv"),
    (0x10, "<H", "discharge_limit1_raw"),
    (0x12, "<H", "discharge_delay1_raw"),
    (0x14, "<H", "discharge_limit2_raw"),
    (0x16, "<H", "discharge_delay2_raw"),
    (0x18, "<H", "charge_limit_raw"),
    (0x1A, "<H", "charge_delay_raw"),
    (0x1E, "<H", "fet_mode"),
    (0x20, "text14", "serial"),
    (0x2E, "bcd", "firmware"),
    (0x30, "<H", "design_mah"),
    (0x32, "<H", "full_mah"),
    (0x34, "<H", "design_mv", 10),
    (0x36, "<H", "cycles"),
    (0x38, "<H", "charges"),
    (0x3A, "<I", "total_charge_mah", 10),
    (0x3E, "B", "over_current_count"),
    (0x3F, "B", "over_discharge_count"),
    (0x40, "date", "made_on"),
    (0x42, "date", "first_used_on"),
    (0x44, "<H", "fault_code"),
    (0x46, "<H", "b_code"),
    (0x60, "<H", "faults", STATUS_FAULTS),
    (0x60, "<H.6", "charging_flag"),
    (0x62, "<H", "remaining_mah"),
    (0x64, "<H", "soc_pct"),
    (0x66, "<h", "current_ma", -10),  # the wire says + = discharge (xiaomi.md 3.2)
    (0x68, "<H", "pack_mv", 10),
    (0x6A, "B", "temp_dc", 10, 1, -200, 2),
    (0x6C, "<H", "balance_a"),
    (0x6E, "<H", "cells_low_bits"),
    (0x70, "<H", "cells_high_bits"),
    (0x72, "<H", "coulomb_mah"),
    (0x74, "<H", "voltage_mah"),
    (0x76, "<H", "health_pct"),
    (0x80, "<H", "cell_mv", 1, 1, 0, 16),
    (0xA0, "<H", "activated"),
    (0xA2, "<H", "board_version"),
    (0xA4, "B", "mos_temp_dc", 10, 1, -200),
    (0xA5, "B", "mos2_temp_dc", 10, 1, -200),
    (0xA6, "B", "mos3_temp_dc", 10, 1, -200),
    (0xA7, "B", "mos4_temp_dc", 10, 1, -200),
)

# What passes by itself, every 210 ms while the scooter is on (xiaomi.md 1.3)
STEADY = bits(
    "faults_a",
    "charging_flag",
    "soc_pct",
    "current_ma",
    "pack_mv",
    "temp_dc",
)

OPEN_DC = -200  # raw 0
SHORT_DC = 990  # raw 0x77 and above (xiaomi.md 5.2)

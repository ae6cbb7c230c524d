"""What Daly's three dialects hold where (daly.md): A5 commands, registers of D2 and of 81/51.

All numbers are big endian. Rows are addressed by byte: 8 * command + place in A5, 2 * register in
the others. Left out on purpose: the passwords (D2 C9-CB, 81 126-128), and whatever is a left-over
of the board's buffer.
"""

# Alarm words, first byte in bits 0-7, second in 8-15 (sheet 2, command 98). Of two stages the
# first has its own name where the second would sound the alarm: it switches nothing off.
ALARMS_1 = (
    (0, "cell_voltage_high", 1),
    (1, "cell_over_voltage", 1),
    (2, "cell_under_voltage", 1),
    (3, "cell_under_voltage", 1),
    (4, "pack_voltage_high", 1),
    (5, "pack_over_voltage", 1),
    (6, "pack_under_voltage", 1),
    (7, "pack_under_voltage", 1),
    (8, "charge_temperature_high", 1),
    (9, "charge_over_temperature", 1),
    (10, "charge_under_temperature", 1),
    (11, "charge_under_temperature", 1),
    (12, "discharge_temperature_high", 1),
    (13, "discharge_over_temperature", 1),
    (14, "discharge_under_temperature", 1),
    (15, "discharge_under_temperature", 1),
)
ALARMS_2 = (
    (0, "charge_over_current", 1),
    (1, "charge_over_current", 1),
    (2, "discharge_over_current", 1),
    (3, "discharge_over_current", 1),
    (4, "high_charge", 1),
    (5, "high_charge", 1),
    (6, "low_charge", 1),
    (7, "low_charge", 1),
    (8, "cell_difference", 1),
    (9, "cell_difference", 1),
    (10, "temperature_difference", 1),
    (11, "temperature_difference", 1),
)
ALARMS_3 = (
    (0, "board_over_temperature", 1),  # the charge FETs
    (1, "board_over_temperature", 1),  # the discharge FETs
    (2, "temperature_sensor", 1),
    (3, "temperature_sensor", 1),
    (4, "charge_fet", 1),  # does not open
    (5, "discharge_fet", 1),
    (6, "charge_fet", 1),  # does not close
    (7, "discharge_fet", 1),
    (8, "front_end", 1),
    (9, "sense_wire", 1),
    (10, "temperature_sensor", 1),
    (11, "memory", 1),
    (12, "clock", 1),
    (13, "precharge", 1),
    (14, "communication", 1),
    (15, "communication", 1),
)
ALARMS_4 = (
    (0, "current_sensor", 1),
    (1, "front_end", 1),  # pack voltage not measured
    (2, "short_circuit", 1),
    (3, "deep_under_voltage", 1),  # too low to be charged
)

A5 = (
    (8 * 0x50, ">I", "design_mah"),
    (8 * 0x59 + 2, ">H", "cell_high_mv"),
    (8 * 0x59 + 6, ">H", "cell_low_mv"),
    (8 * 0x90, ">H", "pack_mv", 100),
    (8 * 0x90 + 4, ">H", "current_ma", -100, 1, 3000000),  # above 30000 discharges
    (8 * 0x90 + 6, ">H", "soc_pct", 1, 10),
    (8 * 0x93, "B.0", "charging_flag"),
    (8 * 0x93 + 1, "B.0", "charge_fet"),
    (8 * 0x93 + 2, "B.0", "discharge_fet"),
    (8 * 0x93 + 4, ">I", "remaining_mah"),
    (8 * 0x94, "B", "cell_count"),
    (8 * 0x94 + 1, "B", "probe_count"),
    (8 * 0x94 + 2, "B.0", "charger_present"),
    (8 * 0x94 + 5, ">H", "cycles"),
    (8 * 0x97, "<H", "balance_a"),
    (8 * 0x97 + 2, "<H", "balance_b"),
    (8 * 0x98, "<H", "faults", ALARMS_1),
    (8 * 0x98, ">H", "alarm_1_raw"),
    (8 * 0x98 + 2, "<H", "faults", ALARMS_2),
    (8 * 0x98 + 2, ">H", "alarm_2_raw"),
    (8 * 0x98 + 4, "<H", "faults", ALARMS_3),
    (8 * 0x98 + 4, ">H", "alarm_3_raw"),
    (8 * 0x98 + 6, "<H", "faults", ALARMS_4),
    (8 * 0x98 + 6, ">H", "alarm_4_raw"),
    (8 * 0x98 + 7, "B", "fault_code"),
)

D2 = (
    (0x00, ">H", "cell_mv", 1, 1, 0, 32),
    (0x40, ">H", "temp_dc", 10, 1, -400, 8, 0, 0xFF),
    (0x50, ">H", "pack_mv", 100),
    (0x52, ">H", "current_ma", 100, 1, -3000000),  # above 30000 charges
    (0x54, ">H", "soc_pct", 1, 10),
    (0x5E, ">H.0", "charging_flag"),
    (0x60, ">H", "remaining_mah", 100),
    (0x62, ">H", "cell_count"),
    (0x64, ">H", "probe_count"),
    (0x66, ">H", "cycles"),
    (0x6A, ">H.0", "charge_fet"),
    (0x6C, ">H.0", "discharge_fet"),
    (0x74, ">H", "faults", ALARMS_1),
    (0x74, ">H", "alarm_1_raw"),
    (0x76, ">H", "faults", ALARMS_2),
    (0x76, ">H", "alarm_2_raw"),
    (0x78, ">H", "faults", ALARMS_3),
    (0x78, ">H", "alarm_3_raw"),
    (0x7A, ">H", "faults", ALARMS_4),
    (0x7A, ">H", "alarm_4_raw"),
    (0x7C, ">H", "balance_a"),
    (0x7E, ">H", "balance_b"),
    (0x80, ">H", "balance_ma", 1, 1, -30000, 1, 0, 0),
    (0x84, ">H", "mos_temp_dc", 10, 1, -400, 1, 0, 0),
    (0x86, ">H", "board_temp_dc", 10, 1, -400, 1, 0, 0),
    (0x100, ">H", "design_mah", 100),
    (0x118, ">H", "cell_high_mv"),
    (0x11C, ">H", "cell_low_mv"),
    (0x146, ">H", "balance_start_mv"),
    (0x152, "text16", "firmware"),
    (0x162, "text32", "model"),  # in 16 bytes with a date behind, or in the second 16 alone
)

# Fault codes (sheet 4): two to a register, the even one in bits 0-7. Levels of three bits: 1 is
# the first stage, 2 to 7 the next.
CODES_0_1 = (
    (0, "cell_voltage_high", 1),
    (1, "cell_over_voltage", 1),
    (2, "cell_over_voltage", 1),
    (3, "cell_under_voltage", 1),
    (4, "cell_under_voltage", 1),
    (5, "cell_under_voltage", 1),
    (7, "charger", 1),
    (8, "cell_difference", 1),
    (9, "cell_difference", 1),
    (10, "cell_difference", 1),
    (11, "charge_temperature_high", 1),
    (12, "charge_over_temperature", 1),
    (13, "charge_over_temperature", 1),
    (15, "load", 1),
)
CODES_2_3 = (
    (0, "charge_under_temperature", 1),
    (1, "charge_under_temperature", 1),
    (2, "charge_under_temperature", 1),
    (3, "discharge_temperature_high", 1),
    (4, "discharge_over_temperature", 1),
    (5, "discharge_over_temperature", 1),
    (6, "board_over_temperature", 1),
    (7, "temperature_sensor", 1),
    (8, "discharge_under_temperature", 1),
    (9, "discharge_under_temperature", 1),
    (10, "discharge_under_temperature", 1),
    (11, "temperature_difference", 1),
    (12, "temperature_difference", 1),
    (13, "temperature_difference", 1),
    (14, "board_over_temperature", 1),
    (15, "temperature_sensor", 1),
)
CODES_4_5 = (
    (0, "pack_voltage_high", 1),
    (1, "pack_over_voltage", 1),
    (2, "pack_over_voltage", 1),
    (3, "pack_under_voltage", 1),
    (4, "pack_under_voltage", 1),
    (5, "pack_under_voltage", 1),
    (6, "short_circuit", 1),
    (8, "charge_over_current", 1),
    (9, "charge_over_current", 1),
    (10, "charge_over_current", 1),
    (11, "discharge_over_current", 1),
    (12, "discharge_over_current", 1),
    (13, "discharge_over_current", 1),
    (14, "pack_under_voltage", 1),  # while charging
    (15, "pack_over_voltage", 1),  # while discharging
)
CODES_6_7 = (
    (0, "low_charge", 1),
    (1, "low_charge", 1),
    (2, "low_charge", 1),
    (3, "low_health", 1),
    (4, "low_health", 1),
    (5, "low_health", 1),
    (7, "parallel", 1),
    (8, "board_over_temperature", 1),
    (9, "board_over_temperature", 1),
    (10, "board_over_temperature", 1),
    (11, "thermal_runaway", 1),
    (12, "thermal_runaway", 1),
    (13, "thermal_runaway", 1),
)
CODES_11 = (
    (8, "front_end", 1),
    (9, "front_end", 1),
    (10, "front_end", 1),
    (11, "front_end", 1),
    (12, "sense_wire", 1),
    (13, "front_end", 1),
    (14, "current_sensor", 1),
    (15, "temperature_sensor", 1),
)
CODES_12_13 = (
    (0, "temperature_sensor", 1),
    (1, "memory", 1),
    (2, "memory", 1),
    (3, "clock", 1),
    (4, "charge_fet", 1),
    (5, "discharge_fet", 1),
    (6, "precharge", 1),
    (7, "precharge", 1),
    (8, "software_lock", 1),
    (9, "software_lock", 1),
    (10, "software_lock", 1),
    (11, "software_lock", 1),
    (15, "heater", 1),
)

H81 = (
    (0x00, ">H", "cell_mv", 1, 1, 0, 32),
    (0x60, ">H", "temp_dc", 10, 1, -400, 8, 0, 0xFF),
    (0x70, ">H", "pack_mv", 100),
    (0x72, ">H", "current_ma", 100, 1, -3000000),  # above 30000 charges
    (0x74, ">H", "soc_pct", 1, 10),
    (0x78, ">H", "cell_count"),
    (0x7A, ">H", "probe_count"),
    (0x90, ">H.0", "charging_flag"),
    (0x96, ">H", "remaining_mah", 100),
    (0x98, ">H", "cycles"),
    (0x9C, ">H", "balance_ma", 1, 1, -30000, 1, 0, 0),
    (0x9E, ">H", "balance_a"),
    (0xA0, ">H", "balance_b"),
    (0xA4, ">H.0", "charge_fet"),
    (0xA6, ">H.0", "discharge_fet"),
    (0xB4, ">H", "mos_temp_dc", 10, 1, -400, 1, 0, 0),
    (0xB6, ">H", "board_temp_dc", 10, 1, -400, 1, 0, 0),
    (0xCC, ">H", "alarm_1_raw"),  # the order of their bytes is not proven (sheet 3)
    (0xCE, ">H", "alarm_2_raw"),
    (0xD0, ">H", "alarm_3_raw"),
    (0xD2, ">H", "alarm_4_raw"),
    (0xDA, ">H", "faults", CODES_0_1),
    (0xDC, ">H", "faults", CODES_2_3),
    (0xDE, ">H", "faults", CODES_4_5),
    (0xE0, ">H", "faults", CODES_6_7),
    (0xE4, ">H", "faults", CODES_11),
    (0xE6, ">H", "faults", CODES_12_13),
    (0x212, ">I", "design_mah"),
    (0x2F0, "text14", "firmware"),
    (0x2FE, "text14", "model"),
)

# A reply does not name its registers. One whose request was not heard is known by its length
# (sheet 3) if what it then says can be: (first byte, bytes, first register, ((place, least, most),
# ...)).
GUESSES = (
    (0xD2, 0x7C, 0x00, ((0x5E, 0, 2), (0x62, 1, 48), (0x64, 0, 8), (0x6A, 0, 1), (0x6C, 0, 1))),
    (0xD2, 0xA0, 0x00, ((0x5E, 0, 2), (0x62, 1, 48), (0x64, 0, 8), (0x6A, 0, 1), (0x6C, 0, 1))),
    (0x51, 0x80, 0x00, ((0x78, 1, 48), (0x7A, 0, 8), (0x7E, 1, 48))),
    (0x51, 0x7C, 0x41, ((0x0E, 0, 2), (0x22, 0, 1), (0x24, 0, 1))),
)

# What no pack can say (sheet 5): a board's way of saying nothing
LIMITS = (
    ("current_ma", -2999900, 2999900),
    ("soc_pct", 0, 100),
    ("mos_temp_dc", -390, 2000),
    ("board_temp_dc", -390, 2000),
    ("balance_ma", -29999, 29999),
    ("cell_count", 1, 48),
    ("probe_count", 0, 21),
)

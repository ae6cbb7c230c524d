-- Deckwatch's dissector for Wireshark and tshark: frames and fields of battery lines in packets of
-- the link type RTAC serial, as `packlab convert FROM TO.pcapng` writes them. docs/formats.md says
-- how to install it. It listens after Wireshark's own dissector and leaves that one's work alone.
-- Written by tools/make_wireshark.py from the firmware's tables and the files beside it.

local FITTED_MV = 500
local MAX_CELLS = 32
local MAX_PROBES = 8
local NO_PROBE = -32768
local TEXT_BYTES = 32
local OTHER = 0xff -- an address that makes no difference
local NAMES = { "ant", "daly", "jbd", "jk", "ninebot", "vesc", "xiaomi" }
local SLOTS = {
  "activated", "alarm_1_raw", "alarm_2_raw", "alarm_3_raw", "alarm_4_raw", "alarm_code",
  "average_speed_mh", "b_code", "balance_ma", "balance_off_mv", "balance_on_mv",
  "balance_start_mv", "balancing", "ble_version", "board_lowest_mv", "board_temp_dc",
  "board_version", "brake_raw", "cell_count", "cell_high_clear_mv", "cell_high_mv",
  "cell_low_clear_mv", "cell_low_mv", "cell_mv", "cell_over_voltage_count",
  "cell_under_voltage_count", "cells_high_bits", "cells_low_bits", "charge_cold_dc",
  "charge_delay_raw", "charge_fet", "charge_hot_dc", "charge_limit_ma", "charge_limit_raw",
  "charge_over_current_count", "charge_over_temperature_count", "charge_under_temperature_count",
  "charger_present", "charges", "charging_flag", "controller_flags", "controller_pack_mv",
  "controller_soc_pct", "controller_temp_dc", "controller_version", "controllers", "coulomb_mah",
  "cruise", "current_ma", "cycled_mah", "cycles", "design_mah", "design_mv", "discharge_cold_dc",
  "discharge_delay1_raw", "discharge_delay2_raw", "discharge_fet", "discharge_hot_dc",
  "discharge_limit1_raw", "discharge_limit2_raw", "discharge_limit_ma",
  "discharge_over_current_count", "discharge_over_temperature_count",
  "discharge_under_temperature_count", "error_code", "fault_code", "fet_mode", "full_mah",
  "health_pct", "heater", "humidity_pct", "mode", "mos2_temp_dc", "mos3_temp_dc", "mos4_temp_dc",
  "mos_hot_dc", "mos_temp_dc", "motor_ma", "motor_temp_dc", "odometer_m", "over_current_count",
  "over_discharge_count", "pack_high_mv", "pack_low_mv", "pack_mv", "pack_over_voltage_count",
  "pack_under_voltage_count", "probe_count", "range_m", "regen_level", "remaining_mah",
  "restart_count", "run_time_s", "short_circuit_count", "shown_pct", "soc_pct", "speed_mh",
  "supply_ma", "supply_mv", "tail_light", "temp_dc", "throttle_raw", "total_charge_mah", "trip_s",
  "voltage_mah", "wire_mohm",
}
local UNITS = {
  average_speed_mh = " m/h", balance_ma = " mA", balance_off_mv = " mV", balance_on_mv = " mV",
  balance_start_mv = " mV", board_lowest_mv = " mV", board_temp_dc = " 0.1 °C",
  cell_high_clear_mv = " mV", cell_high_mv = " mV", cell_low_clear_mv = " mV",
  cell_low_mv = " mV", cell_mv = " mV", charge_cold_dc = " 0.1 °C", charge_hot_dc = " 0.1 °C",
  charge_limit_ma = " mA", controller_pack_mv = " mV", controller_soc_pct = " %",
  controller_temp_dc = " 0.1 °C", coulomb_mah = " mAh", current_ma = " mA", cycled_mah = " mAh",
  design_mah = " mAh", design_mv = " mV", discharge_cold_dc = " 0.1 °C",
  discharge_hot_dc = " 0.1 °C", discharge_limit_ma = " mA", full_mah = " mAh", health_pct = " %",
  humidity_pct = " %", mos2_temp_dc = " 0.1 °C", mos3_temp_dc = " 0.1 °C",
  mos4_temp_dc = " 0.1 °C", mos_hot_dc = " 0.1 °C", mos_temp_dc = " 0.1 °C", motor_ma = " mA",
  motor_temp_dc = " 0.1 °C", odometer_m = " m", pack_high_mv = " mV", pack_low_mv = " mV",
  pack_mv = " mV", range_m = " m", remaining_mah = " mAh", run_time_s = " s", shown_pct = " %",
  soc_pct = " %", speed_mh = " m/h", supply_ma = " mA", supply_mv = " mV", temp_dc = " 0.1 °C",
  total_charge_mah = " mAh", trip_s = " s", voltage_mah = " mAh", wire_mohm = " mΩ",
}
local TEXTS = { "firmware", "first_used_on", "made_on", "model", "serial" }
local FRAMING = {
  ant = {
    { header = "\xaa\x55\xaa\xff", tail = "", offset = 0, code = "", add = 140, lowest = 140, highest = 140, check = "sum16", check_from = 4, check_end = 2, check_at = 2, check_code = ">H" },
    { header = "\x5a\x5a", tail = "", offset = 0, code = "", add = 6, lowest = 6, highest = 6, check = "sum8", check_from = 2, check_end = 1, check_at = 1, check_code = "B" },
    { header = "\xdb\xdb", tail = "", offset = 0, code = "", add = 6, lowest = 6, highest = 6, check = "sum8", check_from = 2, check_end = 1, check_at = 1, check_code = "B" },
    { header = "\xa5\xa5", tail = "", offset = 0, code = "", add = 6, lowest = 6, highest = 6, check = "sum8", check_from = 2, check_end = 1, check_at = 1, check_code = "B" },
    { header = "\x7e\xa1", tail = "\xaa\x55", offset = 0, code = "", add = 10, lowest = 10, highest = 10, check = "crc16_modbus", check_from = 1, check_end = 4, check_at = 4, check_code = "<H" },
    { header = "\x7e\xa1", tail = "\xaa\x55", offset = 5, code = "B", add = 10, lowest = 11, highest = 188, check = "crc16_modbus", check_from = 1, check_end = 4, check_at = 4, check_code = "<H" },
    { header = "\x7e\xa1", tail = "\xaa\x55", offset = 5, code = "B", add = 16, lowest = 16, highest = 194, check = "crc16_modbus", check_from = 1, check_end = 10, check_at = 10, check_code = "<H" },
  },
  daly = {
    { header = "\xa5", tail = "", offset = 3, code = "B", add = 5, lowest = 13, highest = 13, check = "sum8", check_from = 0, check_end = 1, check_at = 1, check_code = "B" },
    { header = "\xd2", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H" },
    { header = "\xd2\x03", tail = "", offset = 2, code = "B", add = 5, lowest = 7, highest = 255, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H" },
    { header = "\x03", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 129, 144 } },
    { header = "\x03", tail = "", offset = 2, code = "B", add = 5, lowest = 7, highest = 255, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 81, 96 } },
    { header = "\x06", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 129, 144 } },
    { header = "\x06", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 81, 96 } },
  },
  jbd = {
    { header = "\xdd", tail = "\x77", offset = 3, code = "B", add = 7, lowest = 7, highest = 200, check = "sum16_negated", check_from = 2, check_end = 3, check_at = 3, check_code = ">H" },
  },
  jk = {
    { header = "\x4e\x57", tail = "", offset = 2, code = ">H", add = 2, lowest = 20, highest = 402, check = "sum16", check_from = 0, check_end = 4, check_at = 2, check_code = ">H" },
    { header = "\x55\xaa\xeb\x90", tail = "", offset = 0, code = "", add = 300, lowest = 300, highest = 300, check = "sum8", check_from = 0, check_end = 1, check_at = 1, check_code = "B", after = { { header = "\x10", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 0, 15 } }, { header = "\x00", tail = "\x00", offset = 0, code = "", add = 10, lowest = 10, highest = 10, check = "crc16_modbus", check_from = 1, check_end = 3, check_at = 3, check_code = "<H" } } },
    { header = "\xaa\x55\x90\xeb", tail = "", offset = 0, code = "", add = 20, lowest = 20, highest = 20, check = "sum8", check_from = 0, check_end = 1, check_at = 1, check_code = "B" },
    { header = "\x10", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 0, 15 } },
    { header = "\x10", tail = "", offset = 6, code = "B", add = 9, lowest = 11, highest = 255, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 0, 15 } },
    { header = "\x03", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 1, 16 } },
    { header = "\x03", tail = "", offset = 2, code = "B", add = 5, lowest = 7, highest = 255, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 1, 16 } },
    { header = "\x83", tail = "", offset = 0, code = "", add = 5, lowest = 5, highest = 5, check = "crc16_modbus", check_from = 0, check_end = 2, check_at = 2, check_code = "<H", before = { 1, 16 } },
    { header = "\xa5\x5a\x5d\x82\x10\x00", tail = "", offset = 0, code = "", add = 96, lowest = 96, highest = 96, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
    { header = "\x5a\xa5\x21\x82\x10\x00", tail = "", offset = 0, code = "", add = 36, lowest = 36, highest = 36, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
    { header = "\x5a\xa5\x39\x82\x12\x10", tail = "", offset = 0, code = "", add = 60, lowest = 60, highest = 60, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
    { header = "\xeb\x90", tail = "", offset = 0, code = "", add = 74, lowest = 74, highest = 74, check = "sum8", check_from = 0, check_end = 1, check_at = 1, check_code = "B" },
    { header = "\x55\xaa\x01\xff", tail = "", offset = 0, code = "", add = 7, lowest = 7, highest = 7, check = "sum8", check_from = 0, check_end = 1, check_at = 1, check_code = "B" },
    { header = "\xa5\x5a\x2b\x82\x13\x00", tail = "", offset = 0, code = "", add = 46, lowest = 46, highest = 46, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
    { header = "\xa5\x5a\x05\x82", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
    { header = "\xa5\x5a\x03\x80", tail = "", offset = 0, code = "", add = 6, lowest = 6, highest = 6, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
    { header = "\x5a\xa5\x05\x82", tail = "", offset = 0, code = "", add = 8, lowest = 8, highest = 8, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
    { header = "\x5a\xa5\x03\x80", tail = "", offset = 0, code = "", add = 6, lowest = 6, highest = 6, check = "", check_from = 0, check_end = 0, check_at = 0, check_code = "" },
  },
  ninebot = {
    { header = "\x5a\xa5", tail = "", offset = 2, code = "B", add = 9, lowest = 9, highest = 139, check = "sum16_inverted", check_from = 2, check_end = 2, check_at = 2, check_code = "<H" },
  },
  vesc = {
    { header = "\x02", tail = "\x03", offset = 1, code = "B", add = 5, lowest = 6, highest = 260, check = "crc16_xmodem", check_from = 2, check_end = 3, check_at = 3, check_code = ">H" },
    { header = "\x03", tail = "\x03", offset = 1, code = ">H", add = 6, lowest = 261, highest = 518, check = "crc16_xmodem", check_from = 3, check_end = 3, check_at = 3, check_code = ">H" },
  },
  xiaomi = {
    { header = "\x55\xaa", tail = "", offset = 2, code = "B", add = 6, lowest = 8, highest = 138, check = "sum16_inverted", check_from = 2, check_end = 2, check_at = 2, check_code = "<H" },
  },
}
local TABLES = {
  ant = {
    OLD_STATUS = {
      { offset = 4, slot = "pack_mv", kind = "value", code = ">H", mul = 100 },
      { offset = 70, slot = "current_ma", kind = "value", code = ">i", mul = -100 },
      { offset = 74, slot = "soc_pct", kind = "value", code = "B" },
      { offset = 75, slot = "full_mah", kind = "value", code = ">I", div = -1000, absent = 0 },
      { offset = 79, slot = "remaining_mah", kind = "value", code = ">I", div = -1000 },
      { offset = 91, slot = "mos_temp_dc", kind = "value", code = ">h", mul = 10, absent = -40 },
      { offset = 93, slot = "board_temp_dc", kind = "value", code = ">h", mul = 10, absent = -40 },
      { offset = 95, slot = "temp_dc", kind = "value", code = ">h", mul = 10, count = 4, absent = -40 },
      { offset = 132, slot = "balance_b", kind = "balance", code = ">H", first_cell = 17 },
      { offset = 134, slot = "balance_a", kind = "balance", code = ">H", first_cell = 1 },
    },
    OLD_CELLS = {
      { offset = 6, slot = "cell_mv", kind = "value", code = ">H", count = 32 },
    },
    CELLS = {
      { offset = 34, slot = "cell_mv", kind = "value", code = "<H", count = 32 },
    },
    PROBES = {
      { offset = 34, slot = "temp_dc", kind = "value", code = "<h", mul = 10, count = 4, absent = -40 },
    },
    STATUS = {
      { offset = 34, slot = "mos_temp_dc", kind = "value", code = "<h", mul = 10, absent = -40 },
      { offset = 36, slot = "board_temp_dc", kind = "value", code = "<h", mul = 10, absent = -40 },
      { offset = 38, slot = "pack_mv", kind = "value", code = "<H", mul = 10 },
      { offset = 40, slot = "current_ma", kind = "value", code = "<h", mul = -100 },
      { offset = 42, slot = "soc_pct", kind = "value", code = "<H" },
      { offset = 44, slot = "health_pct", kind = "value", code = "<H" },
      { offset = 50, slot = "full_mah", kind = "value", code = "<I", div = -1000, absent = 0 },
      { offset = 54, slot = "remaining_mah", kind = "value", code = "<I", div = -1000 },
      { offset = 70, slot = "balance_a", kind = "balance", code = "<H", first_cell = 1 },
      { offset = 72, slot = "balance_b", kind = "balance", code = "<H", first_cell = 17 },
      { offset = 100, slot = "total_charge_mah", kind = "value", code = "<I" },
    },
    SETTINGS = {
      { offset = 0, slot = "cell_high_mv", kind = "value", code = "<H" },
      { offset = 2, slot = "cell_high_clear_mv", kind = "value", code = "<H" },
      { offset = 12, slot = "cell_low_mv", kind = "value", code = "<H" },
      { offset = 14, slot = "cell_low_clear_mv", kind = "value", code = "<H" },
      { offset = 620, slot = "model", kind = "text", width = 16 },
      { offset = 636, slot = "firmware", kind = "text", width = 16 },
    },
  },
  daly = {
    A5 = {
      { offset = 640, slot = "design_mah", kind = "value", code = ">I" },
      { offset = 714, slot = "cell_high_mv", kind = "value", code = ">H" },
      { offset = 718, slot = "cell_low_mv", kind = "value", code = ">H" },
      { offset = 1152, slot = "pack_mv", kind = "value", code = ">H", mul = 100 },
      { offset = 1156, slot = "current_ma", kind = "value", code = ">H", mul = -100, add = 3000000 },
      { offset = 1158, slot = "soc_pct", kind = "value", code = ">H", div = 10 },
      { offset = 1176, slot = "charging_flag", kind = "bit", code = "B", bit = 0 },
      { offset = 1177, slot = "charge_fet", kind = "bit", code = "B", bit = 0 },
      { offset = 1178, slot = "discharge_fet", kind = "bit", code = "B", bit = 0 },
      { offset = 1180, slot = "remaining_mah", kind = "value", code = ">I" },
      { offset = 1184, slot = "cell_count", kind = "value", code = "B" },
      { offset = 1185, slot = "probe_count", kind = "value", code = "B" },
      { offset = 1186, slot = "charger_present", kind = "bit", code = "B", bit = 0 },
      { offset = 1189, slot = "cycles", kind = "value", code = ">H" },
      { offset = 1208, slot = "balance_a", kind = "balance", code = "<H", first_cell = 1 },
      { offset = 1210, slot = "balance_b", kind = "balance", code = "<H", first_cell = 17 },
      { offset = 1216, slot = "faults", kind = "faults", code = "<H", faults = { { 0, "cell_voltage_high", 1 }, { 1, "cell_over_voltage", 1 }, { 2, "cell_under_voltage", 1 }, { 3, "cell_under_voltage", 1 }, { 4, "pack_voltage_high", 1 }, { 5, "pack_over_voltage", 1 }, { 6, "pack_under_voltage", 1 }, { 7, "pack_under_voltage", 1 }, { 8, "charge_temperature_high", 1 }, { 9, "charge_over_temperature", 1 }, { 10, "charge_under_temperature", 1 }, { 11, "charge_under_temperature", 1 }, { 12, "discharge_temperature_high", 1 }, { 13, "discharge_over_temperature", 1 }, { 14, "discharge_under_temperature", 1 }, { 15, "discharge_under_temperature", 1 } } },
      { offset = 1216, slot = "alarm_1_raw", kind = "value", code = ">H" },
      { offset = 1218, slot = "faults", kind = "faults", code = "<H", faults = { { 0, "charge_over_current", 1 }, { 1, "charge_over_current", 1 }, { 2, "discharge_over_current", 1 }, { 3, "discharge_over_current", 1 }, { 4, "high_charge", 1 }, { 5, "high_charge", 1 }, { 6, "low_charge", 1 }, { 7, "low_charge", 1 }, { 8, "cell_difference", 1 }, { 9, "cell_difference", 1 }, { 10, "temperature_difference", 1 }, { 11, "temperature_difference", 1 } } },
      { offset = 1218, slot = "alarm_2_raw", kind = "value", code = ">H" },
      { offset = 1220, slot = "faults", kind = "faults", code = "<H", faults = { { 0, "board_over_temperature", 1 }, { 1, "board_over_temperature", 1 }, { 2, "temperature_sensor", 1 }, { 3, "temperature_sensor", 1 }, { 4, "charge_fet", 1 }, { 5, "discharge_fet", 1 }, { 6, "charge_fet", 1 }, { 7, "discharge_fet", 1 }, { 8, "front_end", 1 }, { 9, "sense_wire", 1 }, { 10, "temperature_sensor", 1 }, { 11, "memory", 1 }, { 12, "clock", 1 }, { 13, "precharge", 1 }, { 14, "communication", 1 }, { 15, "communication", 1 } } },
      { offset = 1220, slot = "alarm_3_raw", kind = "value", code = ">H" },
      { offset = 1222, slot = "faults", kind = "faults", code = "<H", faults = { { 0, "current_sensor", 1 }, { 1, "front_end", 1 }, { 2, "short_circuit", 1 }, { 3, "deep_under_voltage", 1 } } },
      { offset = 1222, slot = "alarm_4_raw", kind = "value", code = ">H" },
      { offset = 1223, slot = "fault_code", kind = "value", code = "B" },
    },
    D2 = {
      { offset = 0, slot = "cell_mv", kind = "value", code = ">H", count = 32 },
      { offset = 64, slot = "temp_dc", kind = "value", code = ">H", mul = 10, add = -400, count = 8, absent = 255 },
      { offset = 80, slot = "pack_mv", kind = "value", code = ">H", mul = 100 },
      { offset = 82, slot = "current_ma", kind = "value", code = ">H", mul = 100, add = -3000000 },
      { offset = 84, slot = "soc_pct", kind = "value", code = ">H", div = 10 },
      { offset = 94, slot = "charging_flag", kind = "bit", code = ">H", bit = 0 },
      { offset = 96, slot = "remaining_mah", kind = "value", code = ">H", mul = 100 },
      { offset = 98, slot = "cell_count", kind = "value", code = ">H" },
      { offset = 100, slot = "probe_count", kind = "value", code = ">H" },
      { offset = 102, slot = "cycles", kind = "value", code = ">H" },
      { offset = 106, slot = "charge_fet", kind = "bit", code = ">H", bit = 0 },
      { offset = 108, slot = "discharge_fet", kind = "bit", code = ">H", bit = 0 },
      { offset = 116, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "cell_voltage_high", 1 }, { 1, "cell_over_voltage", 1 }, { 2, "cell_under_voltage", 1 }, { 3, "cell_under_voltage", 1 }, { 4, "pack_voltage_high", 1 }, { 5, "pack_over_voltage", 1 }, { 6, "pack_under_voltage", 1 }, { 7, "pack_under_voltage", 1 }, { 8, "charge_temperature_high", 1 }, { 9, "charge_over_temperature", 1 }, { 10, "charge_under_temperature", 1 }, { 11, "charge_under_temperature", 1 }, { 12, "discharge_temperature_high", 1 }, { 13, "discharge_over_temperature", 1 }, { 14, "discharge_under_temperature", 1 }, { 15, "discharge_under_temperature", 1 } } },
      { offset = 116, slot = "alarm_1_raw", kind = "value", code = ">H" },
      { offset = 118, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "charge_over_current", 1 }, { 1, "charge_over_current", 1 }, { 2, "discharge_over_current", 1 }, { 3, "discharge_over_current", 1 }, { 4, "high_charge", 1 }, { 5, "high_charge", 1 }, { 6, "low_charge", 1 }, { 7, "low_charge", 1 }, { 8, "cell_difference", 1 }, { 9, "cell_difference", 1 }, { 10, "temperature_difference", 1 }, { 11, "temperature_difference", 1 } } },
      { offset = 118, slot = "alarm_2_raw", kind = "value", code = ">H" },
      { offset = 120, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "board_over_temperature", 1 }, { 1, "board_over_temperature", 1 }, { 2, "temperature_sensor", 1 }, { 3, "temperature_sensor", 1 }, { 4, "charge_fet", 1 }, { 5, "discharge_fet", 1 }, { 6, "charge_fet", 1 }, { 7, "discharge_fet", 1 }, { 8, "front_end", 1 }, { 9, "sense_wire", 1 }, { 10, "temperature_sensor", 1 }, { 11, "memory", 1 }, { 12, "clock", 1 }, { 13, "precharge", 1 }, { 14, "communication", 1 }, { 15, "communication", 1 } } },
      { offset = 120, slot = "alarm_3_raw", kind = "value", code = ">H" },
      { offset = 122, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "current_sensor", 1 }, { 1, "front_end", 1 }, { 2, "short_circuit", 1 }, { 3, "deep_under_voltage", 1 } } },
      { offset = 122, slot = "alarm_4_raw", kind = "value", code = ">H" },
      { offset = 124, slot = "balance_a", kind = "balance", code = ">H", first_cell = 1 },
      { offset = 126, slot = "balance_b", kind = "balance", code = ">H", first_cell = 17 },
      { offset = 128, slot = "balance_ma", kind = "value", code = ">H", add = -30000, absent = 0 },
      { offset = 132, slot = "mos_temp_dc", kind = "value", code = ">H", mul = 10, add = -400, absent = 0 },
      { offset = 134, slot = "board_temp_dc", kind = "value", code = ">H", mul = 10, add = -400, absent = 0 },
      { offset = 256, slot = "design_mah", kind = "value", code = ">H", mul = 100 },
      { offset = 280, slot = "cell_high_mv", kind = "value", code = ">H" },
      { offset = 284, slot = "cell_low_mv", kind = "value", code = ">H" },
      { offset = 326, slot = "balance_start_mv", kind = "value", code = ">H" },
      { offset = 338, slot = "firmware", kind = "text", width = 16 },
      { offset = 354, slot = "model", kind = "text", width = 32 },
    },
    H81 = {
      { offset = 0, slot = "cell_mv", kind = "value", code = ">H", count = 32 },
      { offset = 96, slot = "temp_dc", kind = "value", code = ">H", mul = 10, add = -400, count = 8, absent = 255 },
      { offset = 112, slot = "pack_mv", kind = "value", code = ">H", mul = 100 },
      { offset = 114, slot = "current_ma", kind = "value", code = ">H", mul = 100, add = -3000000 },
      { offset = 116, slot = "soc_pct", kind = "value", code = ">H", div = 10 },
      { offset = 120, slot = "cell_count", kind = "value", code = ">H" },
      { offset = 122, slot = "probe_count", kind = "value", code = ">H" },
      { offset = 144, slot = "charging_flag", kind = "bit", code = ">H", bit = 0 },
      { offset = 150, slot = "remaining_mah", kind = "value", code = ">H", mul = 100 },
      { offset = 152, slot = "cycles", kind = "value", code = ">H" },
      { offset = 156, slot = "balance_ma", kind = "value", code = ">H", add = -30000, absent = 0 },
      { offset = 158, slot = "balance_a", kind = "balance", code = ">H", first_cell = 1 },
      { offset = 160, slot = "balance_b", kind = "balance", code = ">H", first_cell = 17 },
      { offset = 164, slot = "charge_fet", kind = "bit", code = ">H", bit = 0 },
      { offset = 166, slot = "discharge_fet", kind = "bit", code = ">H", bit = 0 },
      { offset = 180, slot = "mos_temp_dc", kind = "value", code = ">H", mul = 10, add = -400, absent = 0 },
      { offset = 182, slot = "board_temp_dc", kind = "value", code = ">H", mul = 10, add = -400, absent = 0 },
      { offset = 204, slot = "alarm_1_raw", kind = "value", code = ">H" },
      { offset = 206, slot = "alarm_2_raw", kind = "value", code = ">H" },
      { offset = 208, slot = "alarm_3_raw", kind = "value", code = ">H" },
      { offset = 210, slot = "alarm_4_raw", kind = "value", code = ">H" },
      { offset = 218, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "cell_voltage_high", 1 }, { 1, "cell_over_voltage", 1 }, { 2, "cell_over_voltage", 1 }, { 3, "cell_under_voltage", 1 }, { 4, "cell_under_voltage", 1 }, { 5, "cell_under_voltage", 1 }, { 7, "charger", 1 }, { 8, "cell_difference", 1 }, { 9, "cell_difference", 1 }, { 10, "cell_difference", 1 }, { 11, "charge_temperature_high", 1 }, { 12, "charge_over_temperature", 1 }, { 13, "charge_over_temperature", 1 }, { 15, "load", 1 } } },
      { offset = 220, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "charge_under_temperature", 1 }, { 1, "charge_under_temperature", 1 }, { 2, "charge_under_temperature", 1 }, { 3, "discharge_temperature_high", 1 }, { 4, "discharge_over_temperature", 1 }, { 5, "discharge_over_temperature", 1 }, { 6, "board_over_temperature", 1 }, { 7, "temperature_sensor", 1 }, { 8, "discharge_under_temperature", 1 }, { 9, "discharge_under_temperature", 1 }, { 10, "discharge_under_temperature", 1 }, { 11, "temperature_difference", 1 }, { 12, "temperature_difference", 1 }, { 13, "temperature_difference", 1 }, { 14, "board_over_temperature", 1 }, { 15, "temperature_sensor", 1 } } },
      { offset = 222, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "pack_voltage_high", 1 }, { 1, "pack_over_voltage", 1 }, { 2, "pack_over_voltage", 1 }, { 3, "pack_under_voltage", 1 }, { 4, "pack_under_voltage", 1 }, { 5, "pack_under_voltage", 1 }, { 6, "short_circuit", 1 }, { 8, "charge_over_current", 1 }, { 9, "charge_over_current", 1 }, { 10, "charge_over_current", 1 }, { 11, "discharge_over_current", 1 }, { 12, "discharge_over_current", 1 }, { 13, "discharge_over_current", 1 }, { 14, "pack_under_voltage", 1 }, { 15, "pack_over_voltage", 1 } } },
      { offset = 224, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "low_charge", 1 }, { 1, "low_charge", 1 }, { 2, "low_charge", 1 }, { 3, "low_health", 1 }, { 4, "low_health", 1 }, { 5, "low_health", 1 }, { 7, "parallel", 1 }, { 8, "board_over_temperature", 1 }, { 9, "board_over_temperature", 1 }, { 10, "board_over_temperature", 1 }, { 11, "thermal_runaway", 1 }, { 12, "thermal_runaway", 1 }, { 13, "thermal_runaway", 1 } } },
      { offset = 228, slot = "faults", kind = "faults", code = ">H", faults = { { 8, "front_end", 1 }, { 9, "front_end", 1 }, { 10, "front_end", 1 }, { 11, "front_end", 1 }, { 12, "sense_wire", 1 }, { 13, "front_end", 1 }, { 14, "current_sensor", 1 }, { 15, "temperature_sensor", 1 } } },
      { offset = 230, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "temperature_sensor", 1 }, { 1, "memory", 1 }, { 2, "memory", 1 }, { 3, "clock", 1 }, { 4, "charge_fet", 1 }, { 5, "discharge_fet", 1 }, { 6, "precharge", 1 }, { 7, "precharge", 1 }, { 8, "software_lock", 1 }, { 9, "software_lock", 1 }, { 10, "software_lock", 1 }, { 11, "software_lock", 1 }, { 15, "heater", 1 } } },
      { offset = 530, slot = "design_mah", kind = "value", code = ">I" },
      { offset = 752, slot = "firmware", kind = "text", width = 14 },
      { offset = 766, slot = "model", kind = "text", width = 14 },
    },
  },
  jbd = {
    BASIC = {
      { offset = 0, slot = "pack_mv", kind = "value", code = ">H", mul = 10 },
      { offset = 8, slot = "cycles", kind = "value", code = ">H" },
      { offset = 10, slot = "made_on", kind = "date", code = ">H" },
      { offset = 12, slot = "balance_a", kind = "balance", code = ">H", first_cell = 1 },
      { offset = 14, slot = "balance_b", kind = "balance", code = ">H", first_cell = 17 },
      { offset = 16, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "cell_over_voltage", 1 }, { 1, "cell_under_voltage", 1 }, { 2, "pack_over_voltage", 1 }, { 3, "pack_under_voltage", 1 }, { 4, "charge_over_temperature", 1 }, { 5, "charge_under_temperature", 1 }, { 6, "discharge_over_temperature", 1 }, { 7, "discharge_under_temperature", 1 }, { 8, "charge_over_current", 1 }, { 9, "discharge_over_current", 1 }, { 10, "short_circuit", 1 }, { 11, "front_end", 1 }, { 12, "software_lock", 1 }, { 13, "charge_fet", 1 }, { 14, "discharge_fet", 1 } } },
      { offset = 18, slot = "firmware", kind = "bcd", code = "B" },
      { offset = 19, slot = "soc_pct", kind = "value", code = "B" },
      { offset = 20, slot = "charge_fet", kind = "bit", code = "B", bit = 0 },
      { offset = 20, slot = "discharge_fet", kind = "bit", code = "B", bit = 1 },
      { offset = 21, slot = "cell_count", kind = "value", code = "B" },
      { offset = 22, slot = "probe_count", kind = "value", code = "B" },
      { offset = 23, slot = "temp_dc", kind = "value", code = ">H", add = -2731, count = 8 },
      { offset = 256, slot = "humidity_pct", kind = "value", code = "B", absent = 0 },
      { offset = 257, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "cell_voltage_high", 1 }, { 1, "cell_under_voltage", 1 }, { 2, "pack_voltage_high", 1 }, { 3, "pack_under_voltage", 1 }, { 4, "charge_temperature_high", 1 }, { 5, "charge_under_temperature", 1 }, { 6, "discharge_temperature_high", 1 }, { 7, "discharge_under_temperature", 1 }, { 8, "charge_over_current", 1 }, { 9, "discharge_over_current", 1 }, { 10, "cell_difference", 1 }, { 11, "low_charge", 1 } } },
      { offset = 257, slot = "alarm_1_raw", kind = "value", code = ">H" },
      { offset = 263, slot = "balance_ma", kind = "value", code = ">H" },
    },
    CHARGE = {
      { offset = 2, slot = "current_ma", kind = "value", code = ">h", mul = 10 },
      { offset = 4, slot = "remaining_mah", kind = "value", code = ">H", mul = 10 },
      { offset = 6, slot = "design_mah", kind = "value", code = ">H", mul = 10 },
      { offset = 259, slot = "full_mah", kind = "value", code = ">H", mul = 10 },
    },
    CHARGE_X10 = {
      { offset = 2, slot = "current_ma", kind = "value", code = ">h", mul = 100 },
      { offset = 4, slot = "remaining_mah", kind = "value", code = ">H", mul = 100 },
      { offset = 6, slot = "design_mah", kind = "value", code = ">H", mul = 100 },
      { offset = 259, slot = "full_mah", kind = "value", code = ">H", mul = 100 },
    },
    CELLS = {
      { offset = 0, slot = "cell_mv", kind = "value", code = ">H", count = 32 },
    },
    COUNTERS = {
      { offset = 0, slot = "short_circuit_count", kind = "value", code = ">H" },
      { offset = 2, slot = "charge_over_current_count", kind = "value", code = ">H" },
      { offset = 4, slot = "discharge_over_current_count", kind = "value", code = ">H" },
      { offset = 6, slot = "cell_over_voltage_count", kind = "value", code = ">H" },
      { offset = 8, slot = "cell_under_voltage_count", kind = "value", code = ">H" },
      { offset = 10, slot = "charge_over_temperature_count", kind = "value", code = ">H" },
      { offset = 12, slot = "charge_under_temperature_count", kind = "value", code = ">H" },
      { offset = 14, slot = "discharge_over_temperature_count", kind = "value", code = ">H" },
      { offset = 16, slot = "discharge_under_temperature_count", kind = "value", code = ">H" },
      { offset = 18, slot = "pack_over_voltage_count", kind = "value", code = ">H" },
      { offset = 20, slot = "pack_under_voltage_count", kind = "value", code = ">H" },
      { offset = 22, slot = "restart_count", kind = "value", code = ">H" },
    },
  },
  jk = {
    LIVE = {
      { offset = 150, slot = "pack_mv", kind = "value", code = "<I" },
      { offset = 158, slot = "current_ma", kind = "value", code = "<i" },
      { offset = 162, slot = "temp_dc", kind = "value", code = "<h", count = 2, absent = -2000 },
      { offset = 170, slot = "balance_ma", kind = "value", code = "<h" },
      { offset = 172, slot = "balancing", kind = "value", code = "B" },
      { offset = 173, slot = "soc_pct", kind = "value", code = "B" },
      { offset = 174, slot = "remaining_mah", kind = "value", code = "<i" },
      { offset = 178, slot = "full_mah", kind = "value", code = "<I" },
      { offset = 182, slot = "cycles", kind = "value", code = "<I" },
      { offset = 186, slot = "cycled_mah", kind = "value", code = "<I" },
      { offset = 190, slot = "health_pct", kind = "value", code = "B", absent = 0 },
      { offset = 194, slot = "run_time_s", kind = "value", code = "<I" },
      { offset = 198, slot = "charge_fet", kind = "value", code = "B" },
      { offset = 199, slot = "discharge_fet", kind = "value", code = "B" },
    },
    LIVE_32 = {
      { offset = 144, slot = "mos_temp_dc", kind = "value", code = "<h", absent = -2000 },
      { offset = 166, slot = "faults", kind = "faults", code = "<I", faults = { { 0, "sense_wire", 1 }, { 1, "board_over_temperature", 1 }, { 2, "cell_count", 1 }, { 3, "current_sensor", 1 }, { 4, "cell_over_voltage", 1 }, { 5, "pack_over_voltage", 1 }, { 6, "charge_over_current", 1 }, { 7, "short_circuit", 1 }, { 8, "charge_over_temperature", 1 }, { 9, "charge_under_temperature", 1 }, { 10, "communication", 1 }, { 11, "cell_under_voltage", 1 }, { 12, "pack_under_voltage", 1 }, { 13, "discharge_over_current", 1 }, { 14, "short_circuit", 1 }, { 15, "discharge_over_temperature", 1 }, { 16, "charge_fet", 1 }, { 17, "discharge_fet", 1 }, { 18, "gps_lost", 1 }, { 19, "default_password", 1 }, { 20, "discharge_start", 1 }, { 21, "over_temperature", 1 }, { 22, "temperature_sensor", 1 }, { 23, "parallel", 1 }, { 24, "short_circuit", 1 }, { 25, "discharge_over_current", 1 }, { 26, "discharge_over_current", 1 }, { 27, "discharge_under_temperature", 1 }, { 28, "software_lock", 1 } } },
      { offset = 215, slot = "heater", kind = "value", code = "B" },
    },
    LIVE_24 = {
      { offset = 134, slot = "mos_temp_dc", kind = "value", code = "<h", absent = -2000 },
      { offset = 136, slot = "faults", kind = "faults", code = "<H", faults = { { 0, "sense_wire", 1 }, { 1, "board_over_temperature", 1 }, { 2, "cell_count", 1 }, { 3, "current_sensor", 1 }, { 4, "cell_over_voltage", 1 }, { 5, "pack_over_voltage", 1 }, { 6, "charge_over_current", 1 }, { 7, "short_circuit", 1 }, { 8, "charge_over_temperature", 1 }, { 9, "charge_under_temperature", 1 }, { 10, "communication", 1 }, { 11, "cell_under_voltage", 1 }, { 12, "pack_under_voltage", 1 }, { 13, "discharge_over_current", 1 }, { 14, "short_circuit", 1 }, { 15, "discharge_over_temperature", 1 } } },
    },
    SETTINGS = {
      { offset = 10, slot = "cell_low_mv", kind = "value", code = "<I" },
      { offset = 14, slot = "cell_low_clear_mv", kind = "value", code = "<I" },
      { offset = 18, slot = "cell_high_mv", kind = "value", code = "<I" },
      { offset = 22, slot = "cell_high_clear_mv", kind = "value", code = "<I" },
      { offset = 26, slot = "balance_on_mv", kind = "value", code = "<I" },
      { offset = 50, slot = "charge_limit_ma", kind = "value", code = "<I" },
      { offset = 62, slot = "discharge_limit_ma", kind = "value", code = "<I" },
      { offset = 82, slot = "charge_hot_dc", kind = "value", code = "<i" },
      { offset = 90, slot = "discharge_hot_dc", kind = "value", code = "<i" },
      { offset = 98, slot = "charge_cold_dc", kind = "value", code = "<i" },
      { offset = 106, slot = "mos_hot_dc", kind = "value", code = "<i" },
      { offset = 130, slot = "design_mah", kind = "value", code = "<I" },
      { offset = 138, slot = "balance_start_mv", kind = "value", code = "<I" },
    },
    DEVICE = {
      { offset = 6, slot = "model", kind = "text", width = 14 },
      { offset = 30, slot = "firmware", kind = "text", width = 8 },
      { offset = 38, slot = "run_time_s", kind = "value", code = "<I" },
      { offset = 86, slot = "serial", kind = "text", width = 11 },
    },
    CELLS = {
      { offset = 6, slot = "cell_mv", kind = "value", code = "<H", count = 32 },
    },
    WIRES = {
      { offset = 80, slot = "wire_mohm", kind = "value", code = "<H", count = 32 },
    },
    PROBES = {
      { offset = 0, slot = "temp_dc", kind = "value", code = "<h", count = 2, first = 2, absent = -2000 },
    },
    DISPLAY = {
      { offset = 0, slot = "pack_mv", kind = "value", code = ">H", mul = 10 },
      { offset = 2, slot = "current_ma", kind = "value", code = ">h", mul = 100 },
      { offset = 6, slot = "soc_pct", kind = "value", code = ">H" },
      { offset = 18, slot = "balancing", kind = "value", code = ">H" },
      { offset = 20, slot = "charge_fet", kind = "value", code = ">H" },
      { offset = 22, slot = "discharge_fet", kind = "value", code = ">H" },
    },
    DISPLAY_TEMPS = {
      { offset = 10, slot = "mos_temp_dc", kind = "value", code = ">h", mul = 10 },
      { offset = 12, slot = "temp_dc", kind = "value", code = ">h", mul = 10 },
    },
    PB_MAIN = {
      { offset = 0, slot = "pack_mv", kind = "value", code = ">H", mul = 10 },
      { offset = 2, slot = "current_ma", kind = "value", code = ">h", mul = 100 },
      { offset = 4, slot = "soc_pct", kind = "value", code = ">H" },
      { offset = 10, slot = "remaining_mah", kind = "value", code = ">H", mul = 100 },
      { offset = 14, slot = "temp_dc", kind = "value", code = ">h", mul = 10 },
      { offset = 24, slot = "charge_fet", kind = "value", code = ">H" },
      { offset = 26, slot = "discharge_fet", kind = "value", code = ">H" },
    },
    BALANCER = {
      { offset = 4, slot = "pack_mv", kind = "value", code = ">H", mul = 10 },
      { offset = 8, slot = "cell_count", kind = "value", code = "B" },
      { offset = 11, slot = "balancing", kind = "value", code = "B" },
      { offset = 12, slot = "faults", kind = "faults", code = "B", faults = { { 1, "sense_wire", 1 }, { 2, "cell_over_voltage", 1 } } },
      { offset = 15, slot = "balance_ma", kind = "value", code = ">H" },
      { offset = 17, slot = "balance_on_mv", kind = "value", code = ">H" },
      { offset = 71, slot = "board_temp_dc", kind = "value", code = ">h" },
    },
    REGISTERS = {
      { offset = 2096, slot = "pack_mv", kind = "value", code = ">H", mul = 10 },
      { offset = 2144, slot = "probe_count", kind = "value", code = "B" },
      { offset = 2192, slot = "cycled_mah", kind = "value", code = ">I", mul = 1000 },
      { offset = 2208, slot = "cell_count", kind = "value", code = ">H" },
      { offset = 2224, slot = "faults", kind = "faults", code = ">H", faults = { { 0, "low_charge", 1 }, { 1, "board_over_temperature", 1 }, { 2, "pack_over_voltage", 1 }, { 3, "pack_under_voltage", 1 }, { 4, "over_temperature", 1 }, { 5, "charge_over_current", 1 }, { 6, "discharge_over_current", 1 }, { 7, "cell_difference", 1 }, { 8, "over_temperature", 1 }, { 9, "under_temperature", 1 }, { 10, "cell_over_voltage", 1 }, { 11, "cell_under_voltage", 1 }, { 12, "front_end", 1 }, { 13, "front_end", 1 } } },
      { offset = 2240, slot = "charge_fet", kind = "bit", code = ">H", bit = 0 },
      { offset = 2240, slot = "discharge_fet", kind = "bit", code = ">H", bit = 1 },
      { offset = 2240, slot = "balancing", kind = "bit", code = ">H", bit = 2 },
      { offset = 2272, slot = "pack_high_mv", kind = "value", code = ">H", mul = 10 },
      { offset = 2288, slot = "pack_low_mv", kind = "value", code = ">H", mul = 10 },
      { offset = 2304, slot = "cell_high_mv", kind = "value", code = ">H" },
      { offset = 2320, slot = "cell_high_clear_mv", kind = "value", code = ">H" },
      { offset = 2352, slot = "cell_low_mv", kind = "value", code = ">H" },
      { offset = 2368, slot = "cell_low_clear_mv", kind = "value", code = ">H" },
      { offset = 2416, slot = "discharge_limit_ma", kind = "value", code = ">H", mul = 1000 },
      { offset = 2448, slot = "charge_limit_ma", kind = "value", code = ">H", mul = 1000 },
      { offset = 2480, slot = "balance_start_mv", kind = "value", code = ">H" },
      { offset = 2496, slot = "balance_on_mv", kind = "value", code = ">H" },
      { offset = 2528, slot = "mos_hot_dc", kind = "value", code = ">H", mul = 10 },
      { offset = 2608, slot = "charge_hot_dc", kind = "value", code = ">H", mul = 10 },
      { offset = 2624, slot = "discharge_hot_dc", kind = "value", code = ">H", mul = 10 },
      { offset = 2640, slot = "charge_cold_dc", kind = "value", code = ">h", mul = 10 },
      { offset = 2672, slot = "discharge_cold_dc", kind = "value", code = ">h", mul = 10 },
      { offset = 2720, slot = "design_mah", kind = "value", code = ">I", mul = 1000 },
      { offset = 2912, slot = "run_time_s", kind = "value", code = ">I", mul = 60 },
      { offset = 2928, slot = "firmware", kind = "text", width = 15 },
      { offset = 2960, slot = "full_mah", kind = "value", code = ">I", mul = 1000, absent = 0 },
    },
    DISPLAY_CELLS = {
      { offset = 0, slot = "cell_mv", kind = "value", code = ">H", count = 24 },
    },
    LIVE_BIG = {
      { offset = 144, slot = "mos_temp_dc", kind = "value", code = ">h", absent = -2000 },
      { offset = 150, slot = "pack_mv", kind = "value", code = ">I" },
      { offset = 158, slot = "current_ma", kind = "value", code = ">i" },
      { offset = 162, slot = "temp_dc", kind = "value", code = ">h", count = 2, absent = -2000 },
      { offset = 166, slot = "faults", kind = "faults", code = ">I", faults = { { 0, "sense_wire", 1 }, { 1, "board_over_temperature", 1 }, { 2, "cell_count", 1 }, { 3, "current_sensor", 1 }, { 4, "cell_over_voltage", 1 }, { 5, "pack_over_voltage", 1 }, { 6, "charge_over_current", 1 }, { 7, "short_circuit", 1 }, { 8, "charge_over_temperature", 1 }, { 9, "charge_under_temperature", 1 }, { 10, "communication", 1 }, { 11, "cell_under_voltage", 1 }, { 12, "pack_under_voltage", 1 }, { 13, "discharge_over_current", 1 }, { 14, "short_circuit", 1 }, { 15, "discharge_over_temperature", 1 }, { 16, "charge_fet", 1 }, { 17, "discharge_fet", 1 }, { 18, "gps_lost", 1 }, { 19, "default_password", 1 }, { 20, "discharge_start", 1 }, { 21, "over_temperature", 1 }, { 22, "temperature_sensor", 1 }, { 23, "parallel", 1 }, { 24, "short_circuit", 1 }, { 25, "discharge_over_current", 1 }, { 26, "discharge_over_current", 1 }, { 27, "discharge_under_temperature", 1 }, { 28, "software_lock", 1 } } },
      { offset = 170, slot = "balance_ma", kind = "value", code = ">h" },
      { offset = 172, slot = "balancing", kind = "value", code = "B" },
      { offset = 173, slot = "soc_pct", kind = "value", code = "B" },
      { offset = 174, slot = "remaining_mah", kind = "value", code = ">i" },
      { offset = 178, slot = "full_mah", kind = "value", code = ">I" },
      { offset = 182, slot = "cycles", kind = "value", code = ">I" },
      { offset = 186, slot = "cycled_mah", kind = "value", code = ">I" },
      { offset = 190, slot = "health_pct", kind = "value", code = "B", absent = 0 },
      { offset = 194, slot = "run_time_s", kind = "value", code = ">I" },
      { offset = 198, slot = "charge_fet", kind = "value", code = "B" },
      { offset = 199, slot = "discharge_fet", kind = "value", code = "B" },
      { offset = 215, slot = "heater", kind = "value", code = "B" },
    },
    SETTINGS_BIG = {
      { offset = 10, slot = "cell_low_mv", kind = "value", code = ">I" },
      { offset = 14, slot = "cell_low_clear_mv", kind = "value", code = ">I" },
      { offset = 18, slot = "cell_high_mv", kind = "value", code = ">I" },
      { offset = 22, slot = "cell_high_clear_mv", kind = "value", code = ">I" },
      { offset = 26, slot = "balance_on_mv", kind = "value", code = ">I" },
      { offset = 50, slot = "charge_limit_ma", kind = "value", code = ">I" },
      { offset = 62, slot = "discharge_limit_ma", kind = "value", code = ">I" },
      { offset = 82, slot = "charge_hot_dc", kind = "value", code = ">i" },
      { offset = 90, slot = "discharge_hot_dc", kind = "value", code = ">i" },
      { offset = 98, slot = "charge_cold_dc", kind = "value", code = ">i" },
      { offset = 106, slot = "mos_hot_dc", kind = "value", code = ">i" },
      { offset = 130, slot = "design_mah", kind = "value", code = ">I" },
      { offset = 138, slot = "balance_start_mv", kind = "value", code = ">I" },
    },
    DEVICE_BIG = {
      { offset = 6, slot = "model", kind = "text", width = 14 },
      { offset = 30, slot = "firmware", kind = "text", width = 8 },
      { offset = 38, slot = "run_time_s", kind = "value", code = ">I" },
      { offset = 86, slot = "serial", kind = "text", width = 11 },
    },
    CELLS_BIG = {
      { offset = 6, slot = "cell_mv", kind = "value", code = ">H", count = 32 },
    },
    WIRES_BIG = {
      { offset = 80, slot = "wire_mohm", kind = "value", code = ">H", count = 32 },
    },
    PROBES_BIG = {
      { offset = 0, slot = "temp_dc", kind = "value", code = ">h", count = 2, first = 2, absent = -2000 },
    },
  },
  ninebot = {
    BATTERY = {
      { offset = 2, slot = "cell_high_mv", kind = "value", code = "<H" },
      { offset = 4, slot = "cell_high_clear_mv", kind = "value", code = "<H" },
      { offset = 6, slot = "cell_low_mv", kind = "value", code = "<H" },
      { offset = 8, slot = "cell_low_clear_mv", kind = "value", code = "<H" },
      { offset = 10, slot = "balance_start_mv", kind = "value", code = "<H" },
      { offset = 12, slot = "balance_on_mv", kind = "value", code = "<H" },
      { offset = 14, slot = "balance_off_mv", kind = "value", code = "<H" },
      { offset = 16, slot = "discharge_limit1_raw", kind = "value", code = "<H" },
      { offset = 18, slot = "discharge_delay1_raw", kind = "value", code = "<H" },
      { offset = 20, slot = "discharge_limit2_raw", kind = "value", code = "<H" },
      { offset = 22, slot = "discharge_delay2_raw", kind = "value", code = "<H" },
      { offset = 24, slot = "charge_limit_raw", kind = "value", code = "<H" },
      { offset = 26, slot = "charge_delay_raw", kind = "value", code = "<H" },
      { offset = 30, slot = "fet_mode", kind = "value", code = "<H" },
      { offset = 32, slot = "serial", kind = "text", width = 14 },
      { offset = 46, slot = "firmware", kind = "bcd", code = "<H" },
      { offset = 48, slot = "design_mah", kind = "value", code = "<H" },
      { offset = 50, slot = "full_mah", kind = "value", code = "<H" },
      { offset = 52, slot = "design_mv", kind = "value", code = "<H", mul = 10 },
      { offset = 54, slot = "cycles", kind = "value", code = "<H" },
      { offset = 56, slot = "charges", kind = "value", code = "<H" },
      { offset = 58, slot = "total_charge_mah", kind = "value", code = "<I", mul = 10 },
      { offset = 62, slot = "over_current_count", kind = "value", code = "B" },
      { offset = 63, slot = "over_discharge_count", kind = "value", code = "B" },
      { offset = 64, slot = "made_on", kind = "date", code = "<H" },
      { offset = 66, slot = "first_used_on", kind = "date", code = "<H" },
      { offset = 68, slot = "fault_code", kind = "value", code = "<H" },
      { offset = 70, slot = "b_code", kind = "value", code = "<H" },
      { offset = 96, slot = "faults", kind = "faults", code = "<H", faults = { { 0, "configuration", 0 }, { 8, "cell_under_voltage", 1 }, { 9, "cell_over_voltage", 1 }, { 10, "over_temperature", 1 } } },
      { offset = 96, slot = "charging_flag", kind = "bit", code = "<H", bit = 6 },
      { offset = 98, slot = "remaining_mah", kind = "value", code = "<H" },
      { offset = 100, slot = "soc_pct", kind = "value", code = "<H" },
      { offset = 102, slot = "current_ma", kind = "value", code = "<h", mul = -10 },
      { offset = 104, slot = "pack_mv", kind = "value", code = "<H", mul = 10 },
      { offset = 106, slot = "temp_dc", kind = "value", code = "B", mul = 10, add = -200, count = 2 },
      { offset = 108, slot = "balance_a", kind = "balance", code = "<H", first_cell = 1 },
      { offset = 110, slot = "cells_low_bits", kind = "value", code = "<H" },
      { offset = 112, slot = "cells_high_bits", kind = "value", code = "<H" },
      { offset = 114, slot = "coulomb_mah", kind = "value", code = "<H" },
      { offset = 116, slot = "voltage_mah", kind = "value", code = "<H" },
      { offset = 118, slot = "health_pct", kind = "value", code = "<H" },
      { offset = 128, slot = "cell_mv", kind = "value", code = "<H", count = 16 },
      { offset = 160, slot = "activated", kind = "value", code = "<H" },
      { offset = 162, slot = "board_version", kind = "value", code = "<H" },
      { offset = 164, slot = "mos_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
      { offset = 165, slot = "mos2_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
      { offset = 166, slot = "mos3_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
      { offset = 167, slot = "mos4_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
    },
    CONTROLLER = {
      { offset = 54, slot = "error_code", kind = "value", code = "<H" },
      { offset = 56, slot = "alarm_code", kind = "value", code = "<H" },
      { offset = 58, slot = "controller_flags", kind = "value", code = "<H" },
      { offset = 62, slot = "mode", kind = "value", code = "<H" },
      { offset = 68, slot = "controller_soc_pct", kind = "value", code = "<H" },
      { offset = 142, slot = "supply_mv", kind = "value", code = "<H", mul = 10 },
      { offset = 144, slot = "controller_pack_mv", kind = "value", code = "<H", mul = 10 },
      { offset = 206, slot = "firmware", kind = "bcd", code = "<H" },
      { offset = 208, slot = "ble_version", kind = "value", code = "<H" },
    },
    WHEEL = {
      { offset = 120, slot = "board_lowest_mv", kind = "value", code = "<H" },
      { offset = 124, slot = "shown_pct", kind = "value", code = "<H" },
      { offset = 126, slot = "cell_count", kind = "value", code = "<H" },
    },
  },
  vesc = {
    VALUES = {
      { offset = 1, slot = "controller_temp_dc", kind = "value", code = ">h" },
      { offset = 3, slot = "motor_temp_dc", kind = "value", code = ">h", absent = 0 },
      { offset = 5, slot = "motor_ma", kind = "value", code = ">i", mul = 10 },
      { offset = 9, slot = "current_ma", kind = "value", code = ">i", mul = -10 },
      { offset = 9, slot = "supply_ma", kind = "value", code = ">i", mul = -10 },
      { offset = 27, slot = "pack_mv", kind = "value", code = ">h", mul = 100, absent = 0 },
      { offset = 27, slot = "supply_mv", kind = "value", code = ">h", mul = 100, absent = 0 },
      { offset = 53, slot = "error_code", kind = "value", code = "B" },
    },
    SETUP = {
      { offset = 1, slot = "controller_temp_dc", kind = "value", code = ">h" },
      { offset = 3, slot = "motor_temp_dc", kind = "value", code = ">h", absent = 0 },
      { offset = 5, slot = "motor_ma", kind = "value", code = ">i", mul = 10 },
      { offset = 9, slot = "current_ma", kind = "value", code = ">i", mul = -10 },
      { offset = 9, slot = "supply_ma", kind = "value", code = ">i", mul = -10 },
      { offset = 19, slot = "speed_mh", kind = "value", code = ">i", mul = 18, div = -5 },
      { offset = 23, slot = "pack_mv", kind = "value", code = ">h", mul = 100, absent = 0 },
      { offset = 23, slot = "supply_mv", kind = "value", code = ">h", mul = 100, absent = 0 },
      { offset = 25, slot = "soc_pct", kind = "value", code = ">h", div = -10 },
      { offset = 25, slot = "controller_soc_pct", kind = "value", code = ">h", div = -10 },
      { offset = 55, slot = "error_code", kind = "value", code = "B" },
      { offset = 57, slot = "controllers", kind = "value", code = "B" },
      { offset = 62, slot = "odometer_m", kind = "value", code = ">I" },
    },
    OLD_VALUES = {
      { offset = 1, slot = "controller_temp_dc", kind = "value", code = ">h" },
      { offset = 15, slot = "motor_ma", kind = "value", code = ">i", mul = 10 },
      { offset = 19, slot = "current_ma", kind = "value", code = ">i", mul = -10 },
      { offset = 19, slot = "supply_ma", kind = "value", code = ">i", mul = -10 },
      { offset = 29, slot = "pack_mv", kind = "value", code = ">h", mul = 100, absent = 0 },
      { offset = 29, slot = "supply_mv", kind = "value", code = ">h", mul = 100, absent = 0 },
      { offset = 55, slot = "error_code", kind = "value", code = "B" },
    },
    BMS = {
      { offset = 1, slot = "pack_mv", kind = "value", code = ">i", div = -1000, absent = 0 },
      { offset = 9, slot = "current_ma", kind = "value", code = ">i", mul = -1, div = -1000 },
      { offset = 13, slot = "current_ma", kind = "value", code = ">i", mul = -1, div = -1000 },
    },
    BMS_CELLS = {
      { offset = 26, slot = "cell_mv", kind = "value", code = ">h", count = 32 },
    },
    BMS_TAIL = {
      { offset = 0, slot = "board_temp_dc", kind = "value", code = ">h", div = -10, absent = 0 },
      { offset = 4, slot = "humidity_pct", kind = "value", code = ">h", div = -100, absent = 0 },
      { offset = 8, slot = "soc_pct", kind = "value", code = ">h", div = -10 },
      { offset = 10, slot = "health_pct", kind = "value", code = ">h", div = -10, absent = 0 },
      { offset = 13, slot = "total_charge_mah", kind = "value", code = ">f", absent = 0 },
    },
    CAN = {
      { offset = 304, slot = "pack_mv", kind = "value", code = ">f", absent = 0 },
      { offset = 312, slot = "current_ma", kind = "value", code = ">f", mul = -1 },
      { offset = 316, slot = "current_ma", kind = "value", code = ">f", mul = -1 },
      { offset = 340, slot = "balance_b", kind = "balance", code = ">H", first_cell = 17 },
      { offset = 342, slot = "balance_a", kind = "balance", code = ">H", first_cell = 1 },
      { offset = 354, slot = "humidity_pct", kind = "value", code = ">h", div = -100, absent = 0 },
      { offset = 356, slot = "board_temp_dc", kind = "value", code = ">h", div = -10, absent = 0 },
      { offset = 364, slot = "soc_pct", kind = "value", code = "B", mul = 100, div = -255 },
      { offset = 365, slot = "health_pct", kind = "value", code = "B", mul = 100, div = -255, absent = 0 },
      { offset = 367, slot = "charging_flag", kind = "bit", code = "B", bit = 0 },
    },
  },
  xiaomi = {
    BATTERY = {
      { offset = 2, slot = "cell_high_mv", kind = "value", code = "<H" },
      { offset = 4, slot = "cell_high_clear_mv", kind = "value", code = "<H" },
      { offset = 6, slot = "cell_low_mv", kind = "value", code = "<H" },
      { offset = 8, slot = "cell_low_clear_mv", kind = "value", code = "<H" },
      { offset = 10, slot = "balance_start_mv", kind = "value", code = "<H" },
      { offset = 12, slot = "balance_on_mv", kind = "value", code = "<H" },
      { offset = 14, slot = "balance_off_mv", kind = "value", code = "<H" },
      { offset = 16, slot = "discharge_limit1_raw", kind = "value", code = "<H" },
      { offset = 18, slot = "discharge_delay1_raw", kind = "value", code = "<H" },
      { offset = 20, slot = "discharge_limit2_raw", kind = "value", code = "<H" },
      { offset = 22, slot = "discharge_delay2_raw", kind = "value", code = "<H" },
      { offset = 24, slot = "charge_limit_raw", kind = "value", code = "<H" },
      { offset = 26, slot = "charge_delay_raw", kind = "value", code = "<H" },
      { offset = 30, slot = "fet_mode", kind = "value", code = "<H" },
      { offset = 32, slot = "serial", kind = "text", width = 14 },
      { offset = 46, slot = "firmware", kind = "bcd", code = "<H" },
      { offset = 48, slot = "design_mah", kind = "value", code = "<H" },
      { offset = 50, slot = "full_mah", kind = "value", code = "<H" },
      { offset = 52, slot = "design_mv", kind = "value", code = "<H", mul = 10 },
      { offset = 54, slot = "cycles", kind = "value", code = "<H" },
      { offset = 56, slot = "charges", kind = "value", code = "<H" },
      { offset = 58, slot = "total_charge_mah", kind = "value", code = "<I", mul = 10 },
      { offset = 62, slot = "over_current_count", kind = "value", code = "B" },
      { offset = 63, slot = "over_discharge_count", kind = "value", code = "B" },
      { offset = 64, slot = "made_on", kind = "date", code = "<H" },
      { offset = 66, slot = "first_used_on", kind = "date", code = "<H" },
      { offset = 68, slot = "fault_code", kind = "value", code = "<H" },
      { offset = 70, slot = "b_code", kind = "value", code = "<H" },
      { offset = 96, slot = "faults", kind = "faults", code = "<H", faults = { { 0, "configuration", 0 }, { 8, "cell_under_voltage", 1 }, { 9, "cell_over_voltage", 1 }, { 10, "over_temperature", 1 } } },
      { offset = 96, slot = "charging_flag", kind = "bit", code = "<H", bit = 6 },
      { offset = 98, slot = "remaining_mah", kind = "value", code = "<H" },
      { offset = 100, slot = "soc_pct", kind = "value", code = "<H" },
      { offset = 102, slot = "current_ma", kind = "value", code = "<h", mul = -10 },
      { offset = 104, slot = "pack_mv", kind = "value", code = "<H", mul = 10 },
      { offset = 106, slot = "temp_dc", kind = "value", code = "B", mul = 10, add = -200, count = 2 },
      { offset = 108, slot = "balance_a", kind = "balance", code = "<H", first_cell = 1 },
      { offset = 110, slot = "cells_low_bits", kind = "value", code = "<H" },
      { offset = 112, slot = "cells_high_bits", kind = "value", code = "<H" },
      { offset = 114, slot = "coulomb_mah", kind = "value", code = "<H" },
      { offset = 116, slot = "voltage_mah", kind = "value", code = "<H" },
      { offset = 118, slot = "health_pct", kind = "value", code = "<H" },
      { offset = 128, slot = "cell_mv", kind = "value", code = "<H", count = 16 },
      { offset = 160, slot = "activated", kind = "value", code = "<H" },
      { offset = 162, slot = "board_version", kind = "value", code = "<H" },
      { offset = 164, slot = "mos_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
      { offset = 165, slot = "mos2_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
      { offset = 166, slot = "mos3_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
      { offset = 167, slot = "mos4_temp_dc", kind = "value", code = "B", mul = 10, add = -200 },
    },
    CONTROLLER = {
      { offset = 52, slot = "controller_version", kind = "value", code = "<H" },
      { offset = 74, slot = "range_m", kind = "value", code = "<H", mul = 10 },
      { offset = 116, slot = "trip_s", kind = "value", code = "<H" },
      { offset = 124, slot = "controller_temp_dc", kind = "value", code = "<h" },
      { offset = 206, slot = "firmware", kind = "bcd", code = "<H" },
      { offset = 208, slot = "ble_version", kind = "value", code = "<H" },
      { offset = 246, slot = "regen_level", kind = "value", code = "<H" },
      { offset = 248, slot = "cruise", kind = "value", code = "<H" },
      { offset = 250, slot = "tail_light", kind = "value", code = "<H" },
      { offset = 352, slot = "error_code", kind = "value", code = "<H" },
      { offset = 354, slot = "alarm_code", kind = "value", code = "<H" },
      { offset = 356, slot = "controller_flags", kind = "value", code = "<H" },
      { offset = 358, slot = "mode", kind = "value", code = "<H" },
      { offset = 360, slot = "controller_soc_pct", kind = "value", code = "<H" },
      { offset = 362, slot = "speed_mh", kind = "value", code = "<h" },
      { offset = 364, slot = "average_speed_mh", kind = "value", code = "<h" },
      { offset = 366, slot = "odometer_m", kind = "value", code = "<I" },
      { offset = 372, slot = "trip_s", kind = "value", code = "<H" },
      { offset = 374, slot = "controller_temp_dc", kind = "value", code = "<h" },
    },
  },
}
local READERS = { xiaomi = { [0x25] = { "BATTERY" }, [0x23] = { "CONTROLLER" } }, ninebot = { [0x22] = { "BATTERY" }, [0x23] = { "BATTERY" }, [0x11] = { "BATTERY", "WHEEL" }, [0x12] = { "BATTERY", "WHEEL" }, [0x20] = { "CONTROLLER" } } }
local WORDS = { -- kinds of frame by command
  { [0x4] = "reply", [0x5] = "ack", [0x7] = "ack", [0x8] = "ack", [0x9] = "ack", [0xa] = "ack", [0xb] = "ack", [0x55] = "reply", [0x5a] = "reply" },
  { [0x1] = "read", [0x2] = "write", [0x3] = "write", [0x4] = "reply", [0x5] = "ack", [0x6] = "service", [0x7] = "update", [0x8] = "update", [0x9] = "update", [0xa] = "update", [0xb] = "ack", [0x18] = "service", [0x50] = "service", [0x51] = "service", [0x52] = "service", [0x53] = "service", [0x54] = "service", [0x55] = "read", [0x56] = "service", [0x57] = "service", [0x58] = "service", [0x59] = "service", [0x5a] = "read", [0x5b] = "service", [0x5c] = "service", [0x80] = "service" },
  { [0x1] = "read", [0x2] = "write", [0x3] = "write", [0x4] = "reply", [0x5] = "ack", [0x6] = "service", [0x7] = "update", [0x8] = "update", [0x9] = "update", [0xa] = "update", [0xb] = "ack", [0x18] = "service", [0x50] = "service", [0x51] = "service", [0x52] = "service", [0x53] = "service", [0x54] = "service", [0x55] = "read", [0x56] = "service", [0x57] = "service", [0x58] = "service", [0x59] = "service", [0x5a] = "read", [0x5b] = "service", [0x5c] = "service", [0x61] = "dash_input", [0x64] = "dash_input", [0x65] = "dash_input", [0x80] = "service" },
  { [0x1] = "read", [0x2] = "write", [0x3] = "write", [0x4] = "reply", [0x5] = "ack", [0x6] = "service", [0x7] = "update", [0x8] = "update", [0x9] = "update", [0xa] = "update", [0xb] = "ack", [0x18] = "service", [0x50] = "service", [0x51] = "service", [0x52] = "service", [0x53] = "service", [0x54] = "service", [0x55] = "read", [0x56] = "service", [0x57] = "service", [0x58] = "service", [0x59] = "service", [0x5a] = "read", [0x5b] = "service", [0x5c] = "service", [0x64] = "dash_state", [0x80] = "service" },
  { [0x1] = "read", [0x2] = "write", [0x3] = "write", [0x6] = "service", [0x7] = "update", [0x8] = "update", [0x9] = "update", [0xa] = "update", [0x18] = "service", [0x50] = "service", [0x51] = "service", [0x52] = "service", [0x53] = "service", [0x54] = "service", [0x55] = "service", [0x56] = "service", [0x57] = "service", [0x58] = "service", [0x59] = "service", [0x5a] = "service", [0x5b] = "service", [0x5c] = "service", [0x61] = "dash_input", [0x64] = "dash_input", [0x65] = "dash_input", [0x80] = "service" },
  { [0x1] = "read", [0x2] = "write", [0x3] = "write", [0x6] = "service", [0x7] = "update", [0x8] = "update", [0x9] = "update", [0xa] = "update", [0x18] = "service", [0x50] = "service", [0x51] = "service", [0x52] = "service", [0x53] = "service", [0x54] = "service", [0x55] = "service", [0x56] = "service", [0x57] = "service", [0x58] = "service", [0x59] = "service", [0x5a] = "service", [0x5b] = "service", [0x5c] = "service", [0x64] = "dash_state", [0x80] = "service" },
  { [0x1] = "read", [0x2] = "write", [0x3] = "write", [0x6] = "service", [0x7] = "update", [0x8] = "update", [0x9] = "update", [0xa] = "update", [0x18] = "service", [0x50] = "service", [0x51] = "service", [0x52] = "service", [0x53] = "service", [0x54] = "service", [0x55] = "read", [0x56] = "service", [0x57] = "service", [0x58] = "service", [0x59] = "service", [0x5a] = "read", [0x5b] = "service", [0x5c] = "service", [0x80] = "service", [0xf1] = "botox", [0xf3] = "botox", [0xfa] = "botox" },
  { [0x1] = "reply", [0x2] = "ack", [0x7] = "ack", [0x8] = "ack", [0x9] = "ack", [0xa] = "ack", [0x55] = "reply", [0x5a] = "reply", [0xf1] = "botox", [0xf3] = "botox", [0xfa] = "botox" },
}
local ANT_FAULTS = {
 
  discharge = { "", "", "cell_under_voltage", "discharge_over_current", "discharge_over_current", "pack_under_voltage", "discharge_over_temperature", "board_over_temperature", "current_sensor", "sense_wire", "board_over_temperature", "", "short_circuit", "discharge_fet", "vendor", "", "deep_under_voltage", "discharge_under_temperature", "cell_difference", "" },
  charge = { "", "", "cell_voltage_high", "charge_over_current", "", "pack_over_voltage", "charge_over_temperature", "board_over_temperature", "current_sensor", "sense_wire", "board_over_temperature", "vendor", "charge_fet", "discharge_fet", "", "", "cell_over_voltage", "charge_under_temperature", "cell_difference", "vendor", "" },
  balance = { "", "", "", "balancer", "", "", "", "", "", "", "board_over_temperature", "", "", "", "", "", "", "", "", "", "" },
}
local VESC_WIDTHS = { VALUES = { 2, 2, 4, 4, 4, 4, 2, 4, 2, 4, 4, 4, 4, 4, 4, 1, 4, 1, 6, 4, 4, 1 }, SETUP = { 2, 2, 4, 4, 2, 4, 4, 2, 2, 4, 4, 4, 4, 4, 4, 4, 1, 1, 1, 4, 4, 4 } }
local VESC_READS = {
  [0] = true, [4] = true, [47] = true, [62] = true, [96] = true,
}
local VESC_WRITES = {
  [1] = true, [2] = true, [3] = true, [5] = true, [6] = true, [7] = true, [8] = true, [9] = true,
  [10] = true, [11] = true, [12] = true, [13] = true, [16] = true, [20] = true, [24] = true,
  [25] = true, [26] = true, [27] = true, [28] = true, [29] = true, [30] = true, [35] = true,
  [97] = true, [98] = true, [99] = true, [100] = true, [101] = true, [126] = true, [136] = true,
}
local DALY_LIMITS = { { "current_ma", -2999900, 2999900 }, { "soc_pct", 0, 100 }, { "mos_temp_dc", -390, 2000 }, { "board_temp_dc", -390, 2000 }, { "balance_ma", -29999, 29999 }, { "cell_count", 1, 48 }, { "probe_count", 0, 21 } }
local DALY_GUESSES = {
  { 210, 124, 0, { { 94, 0, 2 }, { 98, 1, 48 }, { 100, 0, 8 }, { 106, 0, 1 }, { 108, 0, 1 } } },
  { 210, 160, 0, { { 94, 0, 2 }, { 98, 1, 48 }, { 100, 0, 8 }, { 106, 0, 1 }, { 108, 0, 1 } } },
  { 81, 128, 0, { { 120, 1, 48 }, { 122, 0, 8 }, { 126, 1, 48 } } },
  { 81, 124, 65, { { 14, 0, 2 }, { 34, 0, 1 }, { 36, 0, 1 } } },
}
local JK_WIDTHS = {
  [0x80] = 2, [0x81] = 2, [0x82] = 2, [0x83] = 2, [0x84] = 2, [0x85] = 1, [0x86] = 1, [0x87] = 2,
  [0x89] = 4, [0x8a] = 2, [0x8b] = 2, [0x8c] = 2, [0x8e] = 2, [0x8f] = 2, [0x90] = 2, [0x91] = 2,
  [0x92] = 2, [0x93] = 2, [0x94] = 2, [0x95] = 2, [0x96] = 2, [0x97] = 2, [0x98] = 2, [0x99] = 2,
  [0x9a] = 2, [0x9b] = 2, [0x9c] = 2, [0x9d] = 1, [0x9e] = 2, [0x9f] = 2, [0xa0] = 2, [0xa1] = 2,
  [0xa2] = 2, [0xa3] = 2, [0xa4] = 2, [0xa5] = 2, [0xa6] = 2, [0xa7] = 2, [0xa8] = 2, [0xa9] = 1,
  [0xaa] = 4, [0xab] = 1, [0xac] = 1, [0xad] = 2, [0xae] = 1, [0xaf] = 1, [0xb0] = 2, [0xb1] = 1,
  [0xb2] = 10, [0xb3] = 1, [0xb4] = 8, [0xb5] = 4, [0xb6] = 4, [0xb7] = 15, [0xb8] = 1,
  [0xb9] = 4, [0xba] = 24, [0xbb] = 1, [0xbc] = 1, [0xbd] = 1, [0xbe] = 2, [0xbf] = 2, [0xc0] = 1,
}
local JK_DISPLAY_ALARMS = {
  "cell_under_voltage", "cell_over_voltage", "discharge_over_current", "board_over_temperature",
  "over_temperature", "short_circuit", "communication", "sense_wire", "cell_count",
}
local KINDS = { -- by address; Ninebot: source * 256 + destination
  ninebot = {
    [0x1111] = WORDS[1],
    [0x1112] = WORDS[1],
    [0x1120] = WORDS[1],
    [0x1121] = WORDS[1],
    [0x1122] = WORDS[1],
    [0x1123] = WORDS[1],
    [0x11ff] = WORDS[1],
    [0x1211] = WORDS[1],
    [0x1212] = WORDS[1],
    [0x1220] = WORDS[1],
    [0x1221] = WORDS[1],
    [0x1222] = WORDS[1],
    [0x1223] = WORDS[1],
    [0x12ff] = WORDS[1],
    [0x2011] = WORDS[2],
    [0x2012] = WORDS[2],
    [0x2020] = WORDS[3],
    [0x2021] = WORDS[4],
    [0x2022] = WORDS[2],
    [0x2023] = WORDS[2],
    [0x20ff] = WORDS[2],
    [0x2111] = WORDS[2],
    [0x2112] = WORDS[2],
    [0x2120] = WORDS[3],
    [0x2121] = WORDS[2],
    [0x2122] = WORDS[2],
    [0x2123] = WORDS[2],
    [0x21ff] = WORDS[2],
    [0x2211] = WORDS[1],
    [0x2212] = WORDS[1],
    [0x2220] = WORDS[1],
    [0x2221] = WORDS[1],
    [0x2222] = WORDS[1],
    [0x2223] = WORDS[1],
    [0x22ff] = WORDS[1],
    [0x2311] = WORDS[1],
    [0x2312] = WORDS[1],
    [0x2320] = WORDS[1],
    [0x2321] = WORDS[1],
    [0x2322] = WORDS[1],
    [0x2323] = WORDS[1],
    [0x23ff] = WORDS[1],
    [0xff11] = WORDS[2],
    [0xff12] = WORDS[2],
    [0xff20] = WORDS[3],
    [0xff21] = WORDS[2],
    [0xff22] = WORDS[2],
    [0xff23] = WORDS[2],
    [0xffff] = WORDS[2],
  },
  xiaomi = {
    [0x20] = WORDS[5],
    [0x21] = WORDS[6],
    [0x22] = WORDS[7],
    [0x23] = WORDS[8],
    [0x24] = WORDS[8],
    [0x25] = WORDS[8],
  },
}

local RTAC_BYTES = 12 -- RTAC serial's own header, in front of what passed
local GAP_S = 0.1 -- silence that ends a frame, as in the firmware's framer
local PATIENCE_S = 1 -- a reply belongs to a question no older than this
local SETTLED = 20 -- frames after which families that are behind are no longer tried
local NONE, BAD_LENGTH, CUT, BAD_CHECK = 0, 1, 2, 3

local xor, both = (bit32 or bit).bxor, (bit32 or bit).band
local floor = math.floor

-- Checksums: (bytes as a string, first and last place, 1-based) -> integer ------------------------

local function sum(text, first, last)
  local total = 0
  for i = first, last do
    total = total + text:byte(i)
  end
  return total
end

local function modbus(text, first, last)
  local crc = 0xFFFF
  for i = first, last do
    crc = xor(crc, text:byte(i))
    for _ = 1, 8 do
      local odd = crc % 2 == 1
      crc = floor(crc / 2)
      if odd then
        crc = xor(crc, 0xA001)
      end
    end
  end
  return crc
end

local function xmodem(text, first, last)
  local crc = 0
  for i = first, last do
    crc = xor(crc, text:byte(i) * 256)
    for _ = 1, 8 do
      crc = crc * 2
      if crc > 0xFFFF then
        crc = both(xor(crc, 0x1021), 0xFFFF)
      end
    end
  end
  return crc
end

local CHECKS = {
  sum8 = function(...) return sum(...) % 0x100 end,
  sum16 = function(...) return sum(...) % 0x10000 end,
  sum16_inverted = function(...) return (0xFFFF - sum(...)) % 0x10000 end,
  sum16_negated = function(...) return -sum(...) % 0x10000 end,
  crc16_modbus = modbus,
  crc16_xmodem = xmodem,
}

-- Numbers -----------------------------------------------------------------------------------------

local WIDTHS = { B = 1, b = 1, H = 2, h = 2, I = 4, i = 4, f = 4 }

-- A big-endian single in thousandths, as fields.py has it: of the 24 bits of its fraction the upper
-- 22 are used. Nil beyond 30 bits.
local function thousandths(text, at)
  local b0, b1, b2, b3 = text:byte(at + 1, at + 4)
  local exponent = b0 % 128 * 2 + floor(b1 / 128)
  local value = ((b1 % 128 + 128) * 16384 + b2 * 64 + floor(b3 / 4)) * 125
  local shift = 145 - exponent
  if shift < -1 then
    return nil
  end
  value = shift > 29 and 0 or shift < 0 and value * 2 or floor(value / 2 ^ shift + 0.5)
  return b0 >= 128 and -value or value
end

-- The number at a 0-based place, in a struct code of rows.py, and how many bytes it has.
local function number(text, at, code)
  local kind = code:sub(-1)
  local width = WIDTHS[kind]
  if kind == "f" then
    return thousandths(text, at), width
  end
  local value = 0
  for i = 0, width - 1 do
    local place = code:sub(1, 1) == ">" and i or width - 1 - i
    value = value * 256 + text:byte(at + place + 1)
  end
  if kind:lower() == kind and value >= 2 ^ (8 * width - 1) then
    value = value - 2 ^ (8 * width)
  end
  return value, width
end

-- Frames: what framer.py does, row by row ---------------------------------------------------------

-- Does the frame's beginning stand at `at` (0-based), as far as the text goes?
local function begins(row, text, at)
  local lead = 0
  if row.before then
    local address = text:byte(at + 1)
    if address and (address < row.before[1] or address > row.before[2]) then
      return false
    end
    lead = 1
  end
  local there = text:sub(at + lead + 1, at + lead + #row.header)
  return there == row.header:sub(1, #there)
end

-- Total size that a frame claims; nil while that is not in yet, false when out of bounds.
local function measure(row, text, at)
  local available = #text - at
  local width = row.code == "" and 0 or WIDTHS[row.code:sub(-1)]
  if available < (row.before and 1 or 0) + #row.header or available < row.offset + width then
    return nil
  end
  local size = row.add
  if width > 0 then
    size = size + number(text, at + row.offset, row.code)
  end
  return size >= row.lowest and size <= row.highest and size
end

local function holds(row, text, at, size)
  if row.tail ~= "" and text:sub(at + size - #row.tail + 1, at + size) ~= row.tail then
    return false
  end
  if row.check == "" then
    return true
  end
  local stored = number(text, at + size - row.check_at, row.check_code)
  return CHECKS[row.check](text, at + row.check_from + 1, at + size - row.check_end) == stored
end

-- Size of what belongs to the frame behind `at`. What has not come yet is a frame of its own here.
local function follows(row, text, at)
  for _, inner in ipairs(row.after or {}) do
    if at < #text and begins(inner, text, at) then
      local size = measure(inner, text, at)
      if size and at + size <= #text and holds(inner, text, at, size) then
        return size
      end
    end
  end
  return 0
end

-- What stands at `at`: a size, whether nothing checks it, and the number of the row; nil while bytes
-- are missing; or false, why not, and the size of the candidate.
local function judge(rows, text, at, final)
  local reason, damaged = NONE, 0
  for place, row in ipairs(rows) do
    if begins(row, text, at) then
      local size = measure(row, text, at)
      if size == nil or size and size > #text - at then
        if not final then
          return nil
        end
        reason = math.max(reason, CUT)
      elseif not size then
        reason = math.max(reason, BAD_LENGTH)
      elseif holds(row, text, at, size) then
        return size + follows(row, text, at + size), row.check == "", place
      else
        reason, damaged = BAD_CHECK, size
      end
    end
  end
  return false, reason, damaged
end

-- Takes a chunk; `pending` is what waited before it. Gives the frames that it completes, each with
-- its bytes and its place (0-based) in the chunk, and what waits now.
local function scan(rows, pending, chunk, final)
  local text = pending .. chunk
  local found, at = {}, 0
  while at < #text do
    local size, what, more = judge(rows, text, at, final)
    if size == nil then
      break
    elseif size then
      local frame = { text = text:sub(at + 1, at + size), at = at - #pending, row = more }
      frame.check = what and "none" or "good"
      found[#found + 1] = frame
      at = at + size
    else
      if what == BAD_CHECK then
        local bytes = text:sub(at + 1, at + more)
        found[#found + 1] = { text = bytes, at = at - #pending, check = "bad" }
      end
      at = at + 1
    end
  end
  return found, text:sub(at + 1)
end

-- Fields ------------------------------------------------------------------------------------------

local deckwatch = Proto("deckwatch", "Battery line (Deckwatch)")
local VALUES = base.UNIT_STRING

local fields = {
  family = ProtoField.string("deckwatch.family", "Family"),
  kind = ProtoField.string("deckwatch.kind", "Kind"),
  check = ProtoField.string("deckwatch.checksum", "Checksum"),
  bytes = ProtoField.bytes("deckwatch.frame", "Frame"),
  source = ProtoField.uint8("deckwatch.source", "Source address", base.HEX),
  address = ProtoField.uint8("deckwatch.address", "Address", base.HEX),
  command = ProtoField.uint8("deckwatch.command", "Command", base.HEX),
  register = ProtoField.uint16("deckwatch.register", "Register or argument", base.HEX),
  wanted = ProtoField.uint32("deckwatch.wanted", "Bytes asked for"),
  no_probe = ProtoField.uint8("deckwatch.no_probe", "Probe not fitted"),
  faults = ProtoField.string("deckwatch.faults", "Faults"),
  balance = ProtoField.string("deckwatch.balance", "Cells being balanced"),
}
local function label(slot)
  local words = slot:gsub("_[^_]+$", UNITS[slot] and "" or "%0"):gsub("_", " ")
  return words:sub(1, 1):upper() .. words:sub(2)
end
for _, slot in ipairs(SLOTS) do
  local unit = UNITS[slot]
  fields[slot] = unit and ProtoField.int32("deckwatch." .. slot, label(slot), VALUES, { unit })
    or ProtoField.int32("deckwatch." .. slot, label(slot))
end
for _, slot in ipairs(TEXTS) do
  fields[slot] = ProtoField.string("deckwatch." .. slot, label(slot))
end
deckwatch.fields = fields

-- A frame being shown: `text`, `row` of FRAMING, `asked`, the frame before it. What is found in it
-- is gathered first, for one part of a frame may say what another is worth; tell() shows it. -------

local View = {}
View.__index = View

function View:byte(at)
  return self.text:byte(at + 1)
end

function View:word(at)
  return number(self.text, at, ">H")
end

function View:set(slot, value, at, width)
  local one = { slot = slot, value = value, at = at, width = width }
  self.found[#self.found + 1] = one
  return one
end

-- Cells, probes and wires count from 0 here, from 1 for people. No value: a probe not fitted.
function View:set_one_of(slot, place, value, at, width)
  if place < (slot == "temp_dc" and MAX_PROBES or MAX_CELLS) then
    local least = slot == "temp_dc" and -0x7FFF or 0
    local most = slot == "temp_dc" and 0x7FFF or 0xFFFF
    if slot == "temp_dc" and value == NO_PROBE then
      value = nil
    end
    value = value and math.min(math.max(value, least), most)
    for number, one in ipairs(self.found) do
      if one.slot == slot and one.place == place + 1 then
        table.remove(self.found, number) -- said twice: the last counts
        break
      end
    end
    self:set(slot, value, at, width).place = place + 1
  end
end

function View:drop(slot)
  for place = #self.found, 1, -1 do
    if self.found[place].slot == slot then
      table.remove(self.found, place)
    end
  end
end

-- The last value found of a slot.
function View:value(slot)
  local value
  for _, one in ipairs(self.found) do
    value = one.slot == slot and one.value or value
  end
  return value
end

function View:reply(body, size)
  self.body, self.size = body, size
  return "reply"
end

-- Where there are inputs without a cell at the list's end, they are left out.
function View:without_spare_cells()
  local most, last = 0, 0
  for _, one in ipairs(self.found) do
    most = one.slot == "cell_mv" and math.max(most, one.value) or most
  end
  for place, one in ipairs(self.found) do
    if one.slot == "cell_mv" and (one.value >= FITTED_MV or most < FITTED_MV) then
      last = place
    end
  end
  for place = #self.found, last + 1, -1 do
    if self.found[place].slot == "cell_mv" then
      table.remove(self.found, place)
    end
  end
end

local NOTES = { cell_mv = "cell", temp_dc = "probe", no_probe = "probe", wire_mohm = "wire of cell" }

-- Faults and balanced cells come from several rows and are told once each.
local function tell_set(view, slot)
  local set, first, last = {}, nil, nil
  for _, one in ipairs(view.found) do
    if one.slot == slot then
      first, last = math.min(first or one.at, one.at), math.max(last or 0, one.at + one.width)
      for _, name in ipairs(one.value) do
        set[name] = true
      end
    end
  end
  if first then
    local names = {}
    for name in pairs(set) do
      names[#names + 1] = name
    end
    table.sort(names)
    local said = #names > 0 and table.concat(names, ",") or "none"
    view.tree:add(fields[slot], view.range(first, last - first), said)
  end
end

function View:tell()
  for _, one in ipairs(self.found) do
    if one.slot ~= "faults" and one.slot ~= "balance" then
      local slot, value = one.slot, one.value
      if slot == "temp_dc" and not value then
        slot, value = "no_probe", one.place
      end
      local item = self.tree:add(fields[slot], self.range(one.at, one.width), value)
      if one.place and slot ~= "no_probe" then
        item:append_text(string.format(" (%s %d)", NOTES[slot], one.place))
      end
    end
  end
  tell_set(self, "faults")
  tell_set(self, "balance")
end

-- Rows --------------------------------------------------------------------------------------------

local function text_of(raw, row)
  if row.kind == "bcd" then
    local digits = {}
    for place = 2 * WIDTHS[row.code:sub(-1)] - (row.code == "B" and 1 or 2), 0, -1 do
      digits[#digits + 1] = string.format("%x", floor(raw / 16 ^ place) % 16)
    end
    return table.concat(digits, ".")
  end
  return string.format("%04d-%02d-%02d", 2000 + floor(raw / 512), floor(raw / 32) % 16, raw % 32)
end

local function names_of(raw, faults)
  local set = {}
  for _, fault in ipairs(faults) do
    if floor(raw / 2 ^ fault[1]) % 2 == fault[3] then
      set[#set + 1] = fault[2]
    end
  end
  return set
end

local function cells_of(raw, first)
  local set = {}
  for cell = 0, 15 do
    if floor(raw / 2 ^ cell) % 2 == 1 then
      set[#set + 1] = cell + first
    end
  end
  return set
end

local function scaled(raw, row)
  local value, div, add = raw * (row.mul or 1), row.div or 1, row.add or 0
  if div < 0 then
    local whole = floor(math.abs(value) / -div + 0.5)
    return (value < 0 and -whole or whole) + add
  end
  return floor(value / div) + add
end

local ONE_OF = { cell_mv = true, temp_dc = true, wire_mohm = true }

local function take(view, row, element, at, width)
  local slot = row.slot
  local raw = number(view.text, at, row.code)
  if row.kind == "bcd" or row.kind == "date" then
    if raw ~= 0 then
      view:set(slot, text_of(raw, row), at, width)
    end
  elseif row.kind == "faults" then
    view:set("faults", names_of(raw, row.faults), at, width)
  elseif row.kind == "balance" then
    view:set("balance", cells_of(raw, row.first_cell), at, width)
  elseif row.kind == "bit" then
    view:set(slot, floor(raw / 2 ^ row.bit) % 2, at, width)
  elseif raw and raw == row.absent then
    if slot == "temp_dc" then
      view:set_one_of(slot, (row.first or 0) + element, nil, at, width)
    end
  elseif raw and (width < 4 or math.abs(raw) <= floor((2 ^ 30 - 1) / math.abs(row.mul or 1))) then
    local value = scaled(raw, row)
    if ONE_OF[slot] then
      view:set_one_of(slot, (row.first or 0) + element, value, at, width)
    else
      view:set(slot, value, at, width)
    end
  end
end

-- Finds every row of a table that lies wholly in `size` bytes from `body` on, where `start` stands.
function View:read(rows, body, start, size)
  local function within(offset, width)
    return offset >= start and offset + width <= start + size
  end
  for _, row in ipairs(rows) do
    if row.kind == "text" then
      if within(row.offset, row.width) then
        self:set_text(row.slot, body + row.offset - start, row.width)
      end
    else
      local width = WIDTHS[row.code:sub(-1)]
      for element = 0, (row.count or 1) - 1 do
        local offset = row.offset + element * width
        if within(offset, width) then
          take(self, row, element, body + offset - start, width)
        end
      end
    end
  end
end

function View:set_text(slot, at, size)
  size = math.min(size, TEXT_BYTES)
  local said = self.text:sub(at + 1, at + size):gsub("^%z+", ""):gsub("%z+$", "")
  self:set(slot, said, at, size)
end

-- Cells in a list of words without those at its end that are 0.
function View:fitted(at, cells)
  while cells > 0 and self:word(at + 2 * cells - 2) == 0 do
    cells = cells - 1
  end
  return cells
end

-- By family: finds what a frame says and gives its kind. ------------------------------------------

local SHOW = {}

-- Xiaomi and Ninebot: protocols/xiaomi.py, protocols/ninebot.py, protocols/dash.py ----------------

local function dash(view, body, size, kind, command)
  local function show(slot, place, value)
    view:set(slot, value or view:byte(place), place, 1)
  end
  if kind == "dash_input" then
    local first = body + (command == 0x61 and 2 or 1)
    if first + 2 <= body + size then
      show("throttle_raw", first)
      show("brake_raw", first + 1)
    end
  elseif kind == "dash_state" then
    if size >= 4 then
      show("mode", body)
    end
    if size >= 6 then
      show("controller_soc_pct", body + 1)
      show("speed_mh", body + 4, view:byte(body + 4) * 1000)
      show("error_code", body + 5)
    end
  end
end

local function scooter(view, family)
  local source = family == "ninebot" and view:byte(3)
  local at = source and 4 or 3 -- of the address
  local address, command, register = view:byte(at), view:byte(at + 1), view:byte(at + 2)
  local body, size = at + 3, #view.text - at - 5
  local kinds = KINDS[family][source and source * 256 + address or address]
    or KINDS[family][source and source * 256 + OTHER] or KINDS[family][OTHER * 256 + address]
    or KINDS[family][OTHER * 256 + OTHER]
  local kind = kinds and kinds[command] or "unknown"
  if source then
    view:set("source", source, 3, 1)
  end
  view:set("address", address, at, 1)
  view:set("command", command, at + 1, 1)
  view:set("register", register, at + 2, 1)
  if (kind == "read" or kind == "dash_input" and command == 0x61) and size > 0 then
    view:set("wanted", view:byte(body), body, 1)
  end
  if kind == "reply" then
    for _, name in ipairs(READERS[family][source or address] or {}) do
      view:read(TABLES[family][name], body, 2 * register, size)
    end
    view:without_spare_cells()
  end
  dash(view, body, size, kind, command)
  return kind
end

function SHOW.xiaomi(view)
  return scooter(view, "xiaomi")
end

function SHOW.ninebot(view)
  return scooter(view, "ninebot")
end

-- JBD: protocols/jbd.py ---------------------------------------------------------------------------

local JBD_READ, JBD_WRITE, JBD_TAIL, JBD_TEMPS = 0xA5, 0x5A, 0x100, 23

local function jbd_is_basic(view, body, size)
  if size < JBD_TEMPS then
    return false
  end
  local tail = size - JBD_TEMPS - 2 * view:byte(body + 22)
  return (tail == 0 or tail >= 9) and view:byte(body + 21) <= 32
end

local function jbd_is_cells(view, body, size, most_mv)
  if size % 2 == 1 or size < 4 or size > 64 then
    return false
  end
  for at = body, body + size - 2, 2 do
    if view:word(at) > most_mv then
      return false
    end
  end
  return true
end

-- The register old firmware answers with A5 in its place: as it was asked, else by the data's shape.
local function jbd_answered(view, body, size)
  local asked = view.asked
  if asked and asked:byte(2) == JBD_READ and (asked:byte(3) > 0 or #asked == 7) then
    return asked:byte(3)
  elseif jbd_is_basic(view, body, size) then
    return 3
  end
  return jbd_is_cells(view, body, size, 5000) and 4 or 5
end

local function jbd_basic(view, body, size)
  local tail = JBD_TEMPS + 2 * view:byte(body + 22)
  local charge = view:byte(body + 20) >= 128 and "CHARGE_X10" or "CHARGE"
  for _, name in ipairs({ charge, "BASIC" }) do
    view:read(TABLES.jbd[name], body, 0, tail)
    view:read(TABLES.jbd[name], body + tail, JBD_TAIL, size - tail)
  end
end

function SHOW.jbd(view)
  local first, second = view:byte(1), view:byte(2)
  local body, size = 4, #view.text - 7
  if first == JBD_WRITE then
    view:set("register", second, 2, 1)
    return "write"
  elseif first == JBD_READ and (second > 0 or size == 0) then
    view:set("register", second, 2, 1)
    return "read"
  end
  local register = first == JBD_READ and jbd_answered(view, body, size) or first
  view:set("register", register, 1, 1)
  if second > 0 or size == 0 then
    return "ack"
  elseif register == 3 and jbd_is_basic(view, body, size) then
    jbd_basic(view, body, size)
  elseif register == 4 and jbd_is_cells(view, body, size, 0x2020) then
    view:read(TABLES.jbd.CELLS, body, 0, size)
  elseif register == 5 and not view.text:sub(body + 1, body + size):find("[^\x20-\x7e]") then
    view:set_text("model", body, size)
  elseif register == 0xAA and (size == 22 or size == 24) then
    view:read(TABLES.jbd.COUNTERS, body, 0, size)
  elseif register >= 3 and register <= 5 or register == 0xAA then
    return "unknown"
  end
  return "reply"
end

-- ANT: protocols/ant.py ---------------------------------------------------------------------------

local ANT_KINDS = {
  [0x12] = "reply", [0x14] = "reply", [0x01] = "read", [0x02] = "read", [0x04] = "read",
  [0x22] = "write", [0x51] = "write", [0x23] = "service", [0x42] = "ack", [0x43] = "ack",
  [0x61] = "ack",
}

-- A MOSFET is on for code 1 alone; every other code is a reason why it is off.
local function ant_codes(view, discharge, charge, balance)
  local codes = { { "discharge", discharge }, { "charge", charge }, { "balance", balance } }
  local set = {}
  for _, one in ipairs(codes) do
    local which, at = one[1], one[2]
    local code = view:byte(at)
    if which ~= "balance" then
      view:set(which .. "_fet", code == 1 and 1 or 0, at, 1)
    end
    local names = ANT_FAULTS[which]
    local name = names[code + 1] or which ~= "balance" and "vendor" or ""
    if name ~= "" then
      set[#set + 1] = name
    end
  end
  local first = math.min(discharge, charge, balance)
  view:set("faults", set, first, math.max(discharge, charge, balance) - first + 1)
end

local function ant_old(view)
  view:read(TABLES.ant.OLD_CELLS, 6, 6, 2 * view:byte(123))
  view:read(TABLES.ant.OLD_STATUS, 0, 0, #view.text)
  ant_codes(view, 104, 103, 105)
  return "reply"
end

local function ant_old_order(view)
  local register = view:byte(2)
  view:set("register", register, 2, 1)
  if view.row > 3 then
    return "write"
  elseif view.row == 2 and register > 0 and view:word(3) > 0 then
    return "reply"
  end
  return "read"
end

local function ant_status(view, size)
  local probes, cells = 2 * view:byte(8), 2 * view:byte(9)
  if size ~= 106 + cells + probes then
    return "unknown"
  end
  view:read(TABLES.ant.CELLS, 34, 34, cells)
  view:read(TABLES.ant.PROBES, 34 + cells, 34, probes)
  local place = 34 + cells + probes
  view:read(TABLES.ant.STATUS, place, 34, 78)
  ant_codes(view, place + 12, place + 13, place + 14)
  return "reply"
end

function SHOW.ant(view)
  if view.row == 1 then
    return ant_old(view)
  elseif view.row < 5 then
    return ant_old_order(view)
  end
  local command, register = view:byte(2), number(view.text, 3, "<H")
  local size = #view.text - (view.row == 7 and 16 or 10)
  view:set("command", command, 2, 1)
  view:set("register", register, 3, 2)
  if command == 0x11 then
    return ant_status(view, size)
  end
  local kind = ANT_KINDS[command] or "unknown"
  if command == 0x12 then
    view:read(TABLES.ant.SETTINGS, 6, register, size)
  elseif kind == "read" then
    view:set("wanted", view:byte(5), 5, 1)
  end
  return kind
end

-- VESC: protocols/vesc.py -------------------------------------------------------------------------

local VESC_FORWARD, VESC_CAN = 34, 113
local VESC_ALL = 2 ^ 22 - 1
local VESC_UNUSED = 9900 -- raw of a probe that is not there; so is 0

local function vesc_is_read(view, body, size)
  local command = view:byte(body)
  return size == 1 and VESC_READS[command] or size == 5 and (command == 50 or command == 51)
end

-- Fields whose bits are set lie one behind the other, as far as the frame goes.
local function vesc_masked(view, body, size, skip, name)
  local mask = skip == 1 and VESC_ALL or number(view.text, body + 1, ">I")
  local place, offset = body + skip, 1
  for bit, width in ipairs(VESC_WIDTHS[name]) do
    if floor(mask / 2 ^ (bit - 1)) % 2 == 1 then
      if place + width > body + size then
        break
      end
      view:read(TABLES.vesc[name], place, offset, width)
      place = place + width
    end
    offset = offset + width
  end
  local motor_dc = view:value("motor_temp_dc")
  if motor_dc and (motor_dc < -400 or motor_dc > 3000) then
    view:drop("motor_temp_dc")
  end
end

local function vesc_probe(view, place, at)
  local raw = number(view.text, at, ">h")
  local is_there = raw ~= 0 and raw ~= VESC_UNUSED
  view:set_one_of("temp_dc", place, is_there and floor((raw + 5) / 10) or nil, at, 2)
end

-- Bridges that know no state of charge send 0.
local function vesc_hide_no_soc(view, lowest_mv)
  if view:value("soc_pct") == 0 and lowest_mv > 3500 then
    view:drop("soc_pct")
  end
end

local function vesc_bms(view, body, size)
  local cells = size > 25 and view:byte(body + 25) or 0
  local temps_at = 27 + 3 * cells
  if size < temps_at then
    return "unknown"
  end
  local temps = view:byte(body + temps_at - 1)
  local tail_at = temps_at + 2 * temps
  if size < tail_at + 12 then
    return "unknown"
  elseif cells == 0 then
    return "reply"
  end
  view:read(TABLES.vesc.BMS, body, 0, 5)
  local at = number(view.text, body + 13, ">I") ~= 0 and 13 or 9 -- its own current, if it has one
  view:read(TABLES.vesc.BMS, body + at, at, 4)
  view:read(TABLES.vesc.BMS_CELLS, body + 26, 26, 2 * cells)
  local balanced, first = {}, body + 26 + 2 * cells
  for cell = 1, math.min(cells, MAX_CELLS) do
    if view:byte(first + cell - 1) > 0 then
      balanced[#balanced + 1] = cell
    end
  end
  view:set("balance", balanced, first, cells)
  for place = 0, temps - 1 do
    vesc_probe(view, place, body + temps_at + 2 * place)
  end
  view:read(TABLES.vesc.BMS_TAIL, body + tail_at, 0, size - tail_at)
  local lowest = math.huge
  for _, one in ipairs(view.found) do
    lowest = one.slot == "cell_mv" and math.min(lowest, one.value) or lowest
  end
  vesc_hide_no_soc(view, lowest)
  return "reply"
end

-- Behind a version and a name is an identity: never shown as a field.
local function vesc_version(view, body, size)
  local major, minor = view:byte(body + 1), view:byte(body + 2)
  if major < 10 and minor < 100 then
    view:set("firmware", string.format("%d.%02d", major, minor), body + 1, 2)
  end
  local stop = view.text:find("\0", body + 4, true)
  if stop and stop - 1 > body + 3 and stop <= body + size then
    view:set_text("model", body + 3, stop - 1 - body - 3)
  end
  return "reply"
end

-- What a BMS says on the CAN bus. Cells and probes come in several frames; a set that is whole in
-- one is shown.
local function vesc_can(view, body, size)
  if size < 3 or size > 11 then
    return "unknown"
  end
  local command, place = view:byte(body + 2), body + 3
  size = size - 3
  if command == 41 or command == 43 then
    if size >= 4 and view:byte(place) == 0 and view:byte(place + 1) == floor(size / 2) - 1 then
      for at = 0, view:byte(place + 1) - 1 do
        if command == 43 then
          vesc_probe(view, at, place + 2 + 2 * at)
        else
          local mv = number(view.text, place + 2 + 2 * at, ">h")
          view:set_one_of("cell_mv", at, mv, place + 2 + 2 * at, 2)
        end
      end
    end
  elseif command == 39 then
    if size == 8 then
      local skip = number(view.text, place + 4, ">I") ~= 0 and 4 or 0
      view:read(TABLES.vesc.CAN, place + skip, 8 * 39 + skip, 4)
    end
  elseif command ~= 45 then
    view:read(TABLES.vesc.CAN, place, 8 * command, size)
  elseif size == 8 then
    view:read(TABLES.vesc.CAN, place, 8 * 45, 8)
    vesc_hide_no_soc(view, number(view.text, place, ">h"))
  end
  return "bms_can"
end

local function vesc_answer(view, body, size, command)
  if command == 4 and size == 56 then
    view:read(TABLES.vesc.OLD_VALUES, body, 0, size)
  elseif command == 4 and size >= 59 then
    vesc_masked(view, body, size, 1, "VALUES")
  elseif command == 50 and size > 5 then
    vesc_masked(view, body, size, 5, "VALUES")
  elseif command == 47 and size >= 62 then
    vesc_masked(view, body, size, 1, "SETUP")
  elseif command == 51 and size > 5 then
    vesc_masked(view, body, size, 5, "SETUP")
  elseif command == 96 then
    return vesc_bms(view, body, size)
  elseif command == 0 and size > 2 then
    return vesc_version(view, body, size)
  elseif command ~= 62 then
    return "unknown"
  end
  return "reply"
end

function SHOW.vesc(view)
  local body = view.row == 2 and 3 or 2
  local size = #view.text - body - 3
  local command = view:byte(body)
  view:set("command", command, body, 1)
  if vesc_is_read(view, body, size) then
    return "read"
  elseif command == VESC_FORWARD then
    return size > 2 and vesc_is_read(view, body + 2, size - 2) and "read" or "write"
  elseif command == VESC_CAN then
    return vesc_can(view, body, size)
  elseif VESC_WRITES[command] then
    return "write"
  end
  return vesc_answer(view, body, size, command)
end

-- Daly: protocols/daly.py, with what stands where in daly_map.py ----------------------------------

local DALY_D2, DALY_ASKED, DALY_ANSWERING, DALY_BOARDS = 0xD2, 0x81, 0x51, 2

local function daly_drop_impossible(view, cells)
  for _, limit in ipairs(DALY_LIMITS) do
    local value = view:value(limit[1])
    if value and (value < limit[2] or value > limit[3]) then
      view:drop(limit[1])
    end
  end
  local mv = view:value("pack_mv")
  if mv and cells > 0 and (mv < 1000 * cells or mv > 5000 * cells) then
    view:drop("pack_mv")
  end
end

-- Cells and temperatures come in sets, and another frame tells how many there are: here they are
-- shown as they stand, without what is 0.
local function daly_a5_list(view, command)
  local number = view:byte(4)
  if command == 0x95 and number >= 1 then
    for place = 0, 2 do
      if view:word(5 + 2 * place) > 0 then
        view:set_one_of("cell_mv", 3 * number - 3 + place, view:word(5 + 2 * place), 5 + 2 * place, 2)
      end
    end
  elseif command == 0x96 and number >= 1 then
    for place = 0, 6 do
      if view:byte(5 + place) > 0 then
        local dc = view:byte(5 + place) * 10 - 400
        view:set_one_of("temp_dc", 7 * number - 7 + place, dc, 5 + place, 1)
      end
    end
  end
end

local function daly_a5(view)
  local address, command = view:byte(1), view:byte(2)
  local is_read = command >= 0x90 and command <= 0x98 or command >= 0x50 and command <= 0x6F
  local is_write = command < 0x50 or command == 0xD9 or command == 0xDA
  view:set("address", address, 1, 1)
  view:set("command", command, 2, 1)
  if address >= 0x20 then
    return is_read and "read" or is_write and "write" or "unknown"
  elseif address < 1 or address > 0x10 then
    return "unknown"
  elseif is_read and address <= DALY_BOARDS then
    if command == 0x95 or command == 0x96 then
      daly_a5_list(view, command)
    else
      view:read(TABLES.daly.A5, 4, 8 * command, 8)
      daly_drop_impossible(view, 0)
    end
  end
  return is_read and "reply" or is_write and "ack" or "unknown"
end

local function daly_order(view, first)
  local is_board = first < DALY_ASKED
  local command = view:byte(1)
  view:set("address", first, 0, 1)
  view:set("command", command, 1, 1)
  view:set("register", view:word(2), 2, 2)
  if command == 3 then
    view:set("wanted", 2 * view:word(4), 4, 2)
    return "read"
  elseif command == 0x06 or command == 0x10 then
    return is_board and "ack" or "write"
  end
  return "unknown"
end

local function daly_fits(view, places)
  for _, one in ipairs(places) do
    local value = view:word(3 + one[1])
    if value < one[2] or value > one[3] then
      return false
    end
  end
  return true
end

-- First register of a reply: as it was asked for, else as its length has it, else nil.
local function daly_start(view, first, size)
  local asked = view.asked
  if asked and #asked == 8 and asked:byte(2) == 3 and asked:byte(1) ~= 0xA5 then
    local answerer = asked:byte(1) == DALY_D2 and DALY_D2
      or asked:byte(1) - (asked:byte(1) < DALY_ASKED and 0 or DALY_ASKED - DALY_ANSWERING)
    if answerer == first and 2 * number(asked, 4, ">H") == size then
      return number(asked, 2, ">H")
    end
  end
  local family = first == DALY_D2 and DALY_D2 or DALY_ANSWERING
  for _, guess in ipairs(DALY_GUESSES) do
    if guess[1] == family and guess[2] == size and daly_fits(view, guess[4]) then
      return guess[3]
    end
  end
end

-- What the frame, which begins at byte address `start`, has of addresses `from` to `to`.
local function daly_take(view, name, start, size, from, to, cells)
  from, to = math.max(from, start), math.min(to, start + size)
  if from < to then
    view:read(TABLES.daly[name], 3 + from - start, from, to - from)
  end
  daly_drop_impossible(view, cells)
end

local function daly_block(view, first)
  local size = #view.text - 5
  local register = daly_start(view, first, size)
  view:set("address", first, 0, 1)
  if not register then
    return "unknown"
  end
  view:set("register", register, 2, 1)
  if first ~= DALY_D2 and first - DALY_ANSWERING >= DALY_BOARDS then
    return "reply"
  end
  local start, is_d2 = 2 * register, first == DALY_D2
  local name, temps, counts = is_d2 and "D2" or "H81", is_d2 and 0x40 or 0x60, is_d2 and 0x62 or 0x78
  local cells, probes = 0, 0
  if start <= counts and counts + 4 <= start + size then
    local said, others = view:word(3 + counts - start), view:word(5 + counts - start)
    if said >= 1 and said <= 48 and others <= 21 then
      cells, probes = said, others
    end
  end
  daly_take(view, name, start, size, temps + 16, start + size, cells)
  daly_take(view, name, start, size, temps, temps + 2 * math.min(probes, 8), cells)
  local last = 2 * math.min(cells, MAX_CELLS)
  for at = 0, math.min(last - start, size) - 2, 2 do
    if view:word(3 + at) == 0 then
      return "reply" -- a cell at 0 V must be there twice
    end
  end
  if start < last then
    daly_take(view, name, start, size, 0, last, cells)
  end
  return "reply"
end

function SHOW.daly(view)
  local first = view:byte(0)
  if first == 0xA5 then
    return daly_a5(view)
  elseif #view.text == 8 then
    return daly_order(view, first)
  end
  return daly_block(view, first)
end

-- JK: protocols/jk.py and what it hands on to: jk_tlv, jk02, jk_modbus, jk_display ----------------

local JK = TABLES.jk

-- 4E 57: registers one behind the other.

local JK_CELLS, JK_FIRST, JK_CODING = 0x79, 0x80, 0xC0

local function jk_width(view, place, last)
  if place + 1 >= last then
    return 0
  end
  local register = view:byte(place)
  local width = register == JK_CELLS and 1 + view:byte(place + 1) or JK_WIDTHS[register] or 0
  return place + 1 + width <= last and width or 0
end

local function jk_temp(view, register, at)
  local raw = view:word(at)
  if raw > 140 then
    return
  end
  local dc = 10 * (raw <= 100 and raw or 100 - raw)
  if register == JK_FIRST then
    view:set("mos_temp_dc", dc, at, 2)
  else
    view:set_one_of("temp_dc", register - JK_FIRST - 1, dc, at, 2)
  end
end

-- Register C0 says how to read 84; a whole list without it is one of 2020.
local function jk_current(view, at, coding, is_whole)
  local raw = view:word(at)
  if coding == 1 then
    view:set("current_ma", raw >= 0x8000 and 10 * (raw - 0x8000) or -10 * raw, at, 2)
  elseif coding <= 0 and is_whole then
    view:set("current_ma", 10 * (10000 - raw), at, 2)
  end
end

local function jk_walk(view, place, last)
  local current_at, soc_at, cycles_at, coding, is_listed
  local width = jk_width(view, place, last)
  while width > 0 do
    local register, data = view:byte(place), place + 1
    if register == JK_CELLS then
      for at = data + 1, data + view:byte(data) - 2, 3 do
        if view:byte(at) > 0 then
          view:set_one_of("cell_mv", view:byte(at) - 1, view:word(at + 1), at, 3)
        end
      end
    elseif register <= 0x82 then
      jk_temp(view, register, data)
    elseif register == 0x84 then
      current_at = data
    elseif register == 0x85 then
      soc_at = data
    elseif register == 0x87 then
      cycles_at = data
    elseif register == JK_CODING then
      coding = view:byte(data)
    else
      is_listed = is_listed or register == 0xB7
      view:read(JK.REGISTERS, data, register * 16, width)
    end
    place = data + width
    width = jk_width(view, place, last)
  end
  if current_at then
    jk_current(view, current_at, coding or -1, is_listed and place == last)
  end
  local soc, cycles = soc_at and view:byte(soc_at), cycles_at and view:word(cycles_at)
  if soc and soc > 0 or cycles and cycles > 0 then -- a board that has just started says 0 of both
    if soc then
      view:set("soc_pct", soc, soc_at, 1)
    end
    if cycles then
      view:set("cycles", cycles, cycles_at, 2)
    end
  end
end

local function jk_tlv(view)
  local size = #view.text
  if view:byte(size - 5) ~= 0x68 then
    return "unknown"
  end
  local command, what = view:byte(8), view:byte(10)
  view:set("command", command, 8, 1)
  local is_known = command == 3 or command == 6
  if what == 0 then
    return is_known and "read" or command == 1 and "wake"
      or (command == 2 or command == 5) and "write" or "unknown"
  elseif what == 1 or what == 2 then
    if is_known then
      jk_walk(view, 11, size - 9)
    end
    return is_known and "reply" or "ack"
  end
  return "unknown"
end

-- 55 AA EB 90: 300 bytes in two layouts.

-- Cells in a mask of 32 bits from its `first` byte on: 0 = none, or with gaps between them.
local function jk_strung(view, at, code)
  local mask, cells = number(view.text, at, code), 0
  while mask % 2 == 1 do
    mask, cells = floor(mask / 2), cells + 1
  end
  return mask == 0 and cells or 0
end


local function jk_sum(view, at, cells, code)
  local total = 0
  for place = at, at + 2 * cells - 2, 2 do
    total = total + number(view.text, place, code)
  end
  return total
end

local function jk_is_32(view)
  if number(view.text, 54, "<I") == 0 then
    return true
  end
  local cells, pack_mv = jk_strung(view, 70, "<I"), number(view.text, 150, "<I")
  if cells == 0 or pack_mv >= 2 ^ 30 or view:fitted(6, 32) > cells then
    return false
  end
  return math.abs(jk_sum(view, 6, cells, "<H") - pack_mv) <= 5500
end

-- A board without a third and fourth sensor sends 0 in both.
local function jk_more_probes(view, at, rows)
  if number(view.text, at, "<I") ~= 0 then
    view:read(rows, at, 0, 4)
  else
    view:set_one_of("temp_dc", 2, nil, at, 2)
    view:set_one_of("temp_dc", 3, nil, at + 2, 2)
  end
end

local function jk_live(view)
  local is_32 = jk_is_32(view)
  local mask, most = is_32 and 70 or 54, is_32 and 32 or 24
  local cells = math.min(most, jk_strung(view, mask, "<I"))
  cells = cells > 0 and cells or view:fitted(6, most)
  view:set("cell_count", cells, mask, 4)
  view:read(JK.CELLS, 6, 6, 2 * cells)
  view:read(JK.WIRES, is_32 and 80 or 64, 80, 2 * cells)
  view:read(JK.LIVE, 0, is_32 and 0 or 32, 300)
  view:read(is_32 and JK.LIVE_32 or JK.LIVE_24, 0, 0, 300)
  if is_32 then
    jk_more_probes(view, 256, JK.PROBES)
  end
end

local function jk_device(view)
  view:read(JK.DEVICE, 0, 0, 300)
  local year, month, day = view.text:sub(79, 84):match("^(%d%d)(%d%d)(%d%d)$")
  if year then
    view:set("made_on", string.format("20%s-%s-%s", year, month, day), 78, 6)
  end
end

local function jk02(view)
  local kind = view:byte(4)
  view:set("command", kind, 4, 1)
  if kind == 1 then
    view:read(JK.SETTINGS, 0, 0, 300)
  elseif kind == 2 then
    jk_live(view)
  elseif kind == 3 then
    jk_device(view)
  end
  return (kind >= 1 and kind <= 3 or kind == 5) and "reply" or "unknown"
end

local function jk02_command(view)
  local command = view:byte(4)
  view:set("command", command, 4, 1)
  local is_read = command == 0x96 or command == 0x97 or command == 0xA1
  return is_read and "read" or command == 0xC8 and "ack" or "write"
end

-- Modbus: a reply does not say what was asked.

local function jk_registers(view)
  local asked, size = view.asked, #view.text - 5
  if not asked or #asked ~= 8 or asked:byte(2) ~= 3 or asked:byte(1) ~= view:byte(0)
    or 2 * number(asked, 4, ">H") ~= size then
    return "reply"
  end
  local register = number(asked, 2, ">H")
  local base, offset = floor(register / 512) * 512, register % 512
  local body, start = 3, offset + 6
  view:set("register", register, 2, 1)
  if base == 0x1200 then
    view:read(JK.LIVE_BIG, body, start, size)
    local cells, wires = 0, 0
    if offset <= 0x40 and 0x44 <= offset + size then
      cells = jk_strung(view, body + 0x40 - offset, ">I")
      if cells > 0 then
        view:set("cell_count", cells, body + 0x40 - offset, 4)
      end
    end
    if cells == 0 and offset < 0x40 then
      cells = floor(offset / 2) + view:fitted(body, floor(math.min(size, 0x40 - offset) / 2))
    end
    view:read(JK.CELLS_BIG, body, start, math.min(size, 2 * cells - offset))
    for _, one in ipairs(view.found) do
      wires = one.slot == "cell_mv" and one.place or wires
    end
    view:read(JK.WIRES_BIG, body, start, math.min(size, 0x4A + 2 * wires - offset))
    if offset <= 0xFA and 0xFE <= offset + size then
      jk_more_probes(view, body + 0xFA - offset, JK.PROBES_BIG)
    end
  elseif base == 0x1000 then
    view:read(JK.SETTINGS_BIG, body, start, size)
  elseif base == 0x1400 then
    view:read(JK.DEVICE_BIG, body, start, size)
  end
  return "reply"
end

local function jk_order(view)
  local register = view:word(2)
  view:set("register", register, 2, 2)
  local is_trigger = register >= 0x161C and register <= 0x1620 and register % 2 == 0
  return is_trigger and "read" or "write"
end

-- Displays and the balancer: values count only where those that must agree do.

local function jk_is_near(mv, pack_mv)
  return 100 * math.abs(mv - pack_mv) <= 3 * pack_mv
end

local function jk_are_cells(view, at, cells, pack_mv)
  for place = at, at + 2 * cells - 2, 2 do
    local mv = view:word(place)
    if mv > 0 and (mv < 500 or mv > 5000) then
      return false
    end
  end
  return cells > 0 and jk_is_near(jk_sum(view, at, cells, ">H"), pack_mv)
end

local function jk_is_charge(soc_pct, full, remaining)
  return soc_pct <= 100 and math.abs(soc_pct * full - 100 * remaining) <= 2 * full
end

local function jk_display(view)
  local cells = view:fitted(30, 24)
  if not jk_are_cells(view, 30, cells, 10 * view:word(6)) or view:word(12) > 100 then
    return "implausible"
  end
  view:read(JK.DISPLAY, 6, 0, 90)
  view:read(JK.DISPLAY_CELLS, 30, 0, 2 * cells)
  if view:word(16) > 0 or view:word(18) > 0 then
    view:read(JK.DISPLAY_TEMPS, 6, 0, 90)
  end
  local set = {}
  for place, name in ipairs(JK_DISPLAY_ALARMS) do
    if view:word(76 + 2 * place) > 0 then
      set[#set + 1] = name
    end
  end
  view:set("faults", set, 78, 2 * #JK_DISPLAY_ALARMS)
  return "reply"
end

local function jk_pb(view)
  if not jk_is_charge(view:word(10), view:word(14), view:word(16)) then
    return "implausible"
  end
  view:read(JK.PB_MAIN, 6, 0, 30)
  return "reply"
end

local function jk_pb_cells(view)
  local cells = view:fitted(6, 16)
  local is_charge = jk_is_charge(view:word(40), view:word(42), view:word(44))
  if not is_charge or not jk_are_cells(view, 6, cells, jk_sum(view, 6, cells, ">H")) then
    return "implausible"
  end
  view:read(JK.DISPLAY_CELLS, 6, 0, 2 * cells)
  return "reply"
end

local function jk_balancer(view)
  if view:byte(3) ~= 0xFF then
    return "unknown"
  end
  local cells = view:fitted(23, 24)
  if not jk_are_cells(view, 23, cells, 10 * view:word(4)) then
    return "implausible"
  end
  view:read(JK.BALANCER, 0, 0, #view.text)
  view:read(JK.DISPLAY_CELLS, 23, 0, 2 * cells)
  return "reply"
end

local JK_BY_ROW = {
  jk_tlv,
  jk02,
  jk02_command,
  function(view)
    view:set("register", view:word(2), 2, 2)
    return "ack"
  end,
  jk_order,
  function(view)
    view:set("register", view:word(2), 2, 2)
    view:set("wanted", 2 * view:word(4), 4, 2)
    return "read"
  end,
  jk_registers,
  function(view)
    view:set("register", view:byte(2), 2, 1)
    return "error"
  end,
  jk_display,
  jk_pb,
  jk_pb_cells,
  jk_balancer,
  function() return "read" end,
}

function SHOW.jk(view)
  local shown = JK_BY_ROW[view.row]
  return shown and shown(view) or "paint"
end

-- One frame's branch ------------------------------------------------------------------------------

local function show(tree, range, frame, family)
  local branch = tree:add(deckwatch, range(0, #frame.text))
  branch:add(fields.family, range(0, 0), family):set_generated()
  branch:add(fields.check, range(0, 0), frame.check):set_generated()
  branch:add(fields.bytes, range(0, #frame.text))
  local said = family
  if frame.check == "bad" then
    said = said .. ", checksum does not fit"
  else
    local view = { tree = branch, range = range, found = {} }
    view.text, view.row, view.asked = frame.text, frame.row, frame.asked
    setmetatable(view, View)
    local kind = SHOW[family](view)
    branch:add(fields.kind, range(0, 0), kind):set_generated()
    view:tell()
    said = said .. " " .. kind
  end
  branch:append_text(": " .. said)
  return said
end

-- Packets -----------------------------------------------------------------------------------------

local event = Field.new("rtacser.eventtype")
local interface = Field.new("frame.interface_id")

local CHOICES = { { 1, "found out", 0 } }
for place, name in ipairs(NAMES) do
  CHOICES[#CHOICES + 1] = { place + 1, name, place }
end
deckwatch.prefs.family = Pref.enum("Family", 0, "Who speaks on the line", CHOICES, false)

-- Pending bytes by wire and family; frames by family; the latest of them; what was found by packet.
local waiting, heard, latest, results

function deckwatch.init()
  waiting, heard, latest, results = {}, {}, {}, {}
  for _, name in ipairs(NAMES) do
    heard[name] = { frames = 0, bytes = 0 }
  end
end

-- The family with the most bytes in good frames, of all wires together.
local function leader()
  local best = NAMES[1]
  for _, name in ipairs(NAMES) do
    if heard[name].bytes > heard[best].bytes then
      best = name
    end
  end
  return best
end

local function listen(wire, chunk, now_s)
  local state = waiting[wire] or { last_s = now_s, pending = {} }
  waiting[wire] = state
  local silent = now_s - state.last_s > GAP_S
  state.last_s = now_s
  local chosen = NAMES[deckwatch.prefs.family]
  local first = leader()
  local all = {}
  for _, name in ipairs(NAMES) do
    local behind = heard[first].frames >= SETTLED and heard[name].bytes * 4 < heard[first].bytes
    if not chosen and not behind or name == chosen then
      local pending = state.pending[name] or ""
      local found = {}
      if silent and pending ~= "" then
        found = scan(FRAMING[name], pending, "", true)
        for _, frame in ipairs(found) do
          frame.at = -1 -- of packets before this one
        end
        pending = ""
      end
      local now
      now, state.pending[name] = scan(FRAMING[name], pending, chunk, false)
      for _, frame in ipairs(now) do
        found[#found + 1] = frame
      end
      all[name] = found
      for _, frame in ipairs(found) do
        if frame.check ~= "bad" then
          heard[name].frames = heard[name].frames + 1
          heard[name].bytes = heard[name].bytes + #frame.text
          local before = latest[name]
          frame.asked = before and now_s - before.at_s <= PATIENCE_S and before.text or nil
          latest[name] = { text = frame.text, at_s = now_s }
        end
      end
    end
  end
  local family = chosen or leader()
  return { family = family, frames = all[family] or {} }
end

function deckwatch.dissector(tvb, pinfo, tree)
  if not event() or tvb:len() <= RTAC_BYTES then
    return
  end
  local wire = interface() and interface().value or 0
  local done = results[pinfo.number]
  if not done then
    done = listen(wire, tvb:raw(RTAC_BYTES), pinfo.abs_ts)
    results[pinfo.number] = done
  end
  for _, frame in ipairs(done.frames) do
    local function range(at, size)
      return tvb(RTAC_BYTES + frame.at + at, size)
    end
    if frame.at < 0 then -- it began in a packet before this one
      local whole = ByteArray.new(frame.text, true):tvb("Frame of several chunks")
      range = function(at, size) return whole(at, size) end
    end
    local said = show(tree, range, frame, done.family)
    pinfo.cols.info:append(", " .. said)
  end
end

register_postdissector(deckwatch)

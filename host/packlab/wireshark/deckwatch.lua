-- Deckwatch's dissector for Wireshark and tshark: frames and fields of battery lines in packets of
-- the link type RTAC serial, as `packlab convert FROM TO.pcapng` writes them. docs/formats.md says
-- how to install it. It listens after Wireshark's own dissector and leaves that one's work alone.
-- Written by tools/make_wireshark.py from the firmware's tables and engine.lua.

local FITTED_MV = 500
local OTHER = 0xff -- an address that makes no difference
local NAMES = { "ant", "daly", "jbd", "jk", "ninebot", "vesc", "xiaomi" }
local SLOTS = {
  "activated", "alarm_code", "average_speed_mh", "b_code", "balance_off_mv", "balance_on_mv",
  "balance_start_mv", "ble_version", "board_lowest_mv", "board_version", "brake_raw",
  "cell_count", "cell_high_clear_mv", "cell_high_mv", "cell_low_clear_mv", "cell_low_mv",
  "cell_mv", "cells_high_bits", "cells_low_bits", "charge_delay_raw", "charge_limit_raw",
  "charges", "charging_flag", "controller_flags", "controller_pack_mv", "controller_soc_pct",
  "controller_temp_dc", "controller_version", "coulomb_mah", "cruise", "current_ma", "cycles",
  "design_mah", "design_mv", "discharge_delay1_raw", "discharge_delay2_raw",
  "discharge_limit1_raw", "discharge_limit2_raw", "error_code", "fault_code", "fet_mode",
  "full_mah", "health_pct", "mode", "mos2_temp_dc", "mos3_temp_dc", "mos4_temp_dc", "mos_temp_dc",
  "odometer_m", "over_current_count", "over_discharge_count", "pack_mv", "range_m", "regen_level",
  "remaining_mah", "shown_pct", "soc_pct", "speed_mh", "supply_mv", "tail_light", "temp_dc",
  "throttle_raw", "total_charge_mah", "trip_s", "voltage_mah",
}
local UNITS = {
  average_speed_mh = " m/h", balance_off_mv = " mV", balance_on_mv = " mV",
  balance_start_mv = " mV", board_lowest_mv = " mV", cell_high_clear_mv = " mV",
  cell_high_mv = " mV", cell_low_clear_mv = " mV", cell_low_mv = " mV", cell_mv = " mV",
  controller_pack_mv = " mV", controller_soc_pct = " %", controller_temp_dc = " 0.1 °C",
  coulomb_mah = " mAh", current_ma = " mA", design_mah = " mAh", design_mv = " mV",
  full_mah = " mAh", health_pct = " %", mos2_temp_dc = " 0.1 °C", mos3_temp_dc = " 0.1 °C",
  mos4_temp_dc = " 0.1 °C", mos_temp_dc = " 0.1 °C", odometer_m = " m", pack_mv = " mV",
  range_m = " m", remaining_mah = " mAh", shown_pct = " %", soc_pct = " %", speed_mh = " m/h",
  supply_mv = " mV", temp_dc = " 0.1 °C", total_charge_mah = " mAh", trip_s = " s",
  voltage_mah = " mAh",
}
local TEXTS = { "firmware", "first_used_on", "made_on", "serial" }
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
  ninebot = {
    BATTERY = {
      { offset = 2, slot = "cell_high_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 4, slot = "cell_high_clear_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 6, slot = "cell_low_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 8, slot = "cell_low_clear_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 10, slot = "balance_start_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 12, slot = "balance_on_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 14, slot = "balance_off_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 16, slot = "discharge_limit1_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 18, slot = "discharge_delay1_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 20, slot = "discharge_limit2_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 22, slot = "discharge_delay2_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 24, slot = "charge_limit_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 26, slot = "charge_delay_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 30, slot = "fet_mode", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 32, slot = "serial", count = 1, kind = "text", width = 14 },
      { offset = 46, slot = "firmware", count = 1, kind = "bcd", code = "<H" },
      { offset = 48, slot = "design_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 50, slot = "full_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 52, slot = "design_mv", count = 1, kind = "value", code = "<H", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 54, slot = "cycles", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 56, slot = "charges", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 58, slot = "total_charge_mah", count = 1, kind = "value", code = "<I", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 62, slot = "over_current_count", count = 1, kind = "value", code = "B", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 63, slot = "over_discharge_count", count = 1, kind = "value", code = "B", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 64, slot = "made_on", count = 1, kind = "date", code = "<H" },
      { offset = 66, slot = "first_used_on", count = 1, kind = "date", code = "<H" },
      { offset = 68, slot = "fault_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 70, slot = "b_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 96, slot = "faults", count = 1, kind = "faults", code = "<H", faults = { { 0, "configuration", 0 }, { 8, "cell_under_voltage", 1 }, { 9, "cell_over_voltage", 1 }, { 10, "over_temperature", 1 } } },
      { offset = 96, slot = "charging_flag", count = 1, kind = "bit", code = "<H", bit = 6 },
      { offset = 98, slot = "remaining_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 100, slot = "soc_pct", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 102, slot = "current_ma", count = 1, kind = "value", code = "<h", mul = -10, div = 1, add = 0, first = 0 },
      { offset = 104, slot = "pack_mv", count = 1, kind = "value", code = "<H", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 106, slot = "temp_dc", count = 2, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 108, slot = "balance_a", count = 1, kind = "balance", code = "<H" },
      { offset = 110, slot = "cells_low_bits", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 112, slot = "cells_high_bits", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 114, slot = "coulomb_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 116, slot = "voltage_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 118, slot = "health_pct", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 128, slot = "cell_mv", count = 16, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 160, slot = "activated", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 162, slot = "board_version", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 164, slot = "mos_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 165, slot = "mos2_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 166, slot = "mos3_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 167, slot = "mos4_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
    },
    CONTROLLER = {
      { offset = 54, slot = "error_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 56, slot = "alarm_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 58, slot = "controller_flags", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 62, slot = "mode", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 68, slot = "controller_soc_pct", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 142, slot = "supply_mv", count = 1, kind = "value", code = "<H", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 144, slot = "controller_pack_mv", count = 1, kind = "value", code = "<H", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 206, slot = "firmware", count = 1, kind = "bcd", code = "<H" },
      { offset = 208, slot = "ble_version", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
    },
    WHEEL = {
      { offset = 120, slot = "board_lowest_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 124, slot = "shown_pct", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 126, slot = "cell_count", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
    },
  },
  xiaomi = {
    BATTERY = {
      { offset = 2, slot = "cell_high_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 4, slot = "cell_high_clear_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 6, slot = "cell_low_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 8, slot = "cell_low_clear_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 10, slot = "balance_start_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 12, slot = "balance_on_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 14, slot = "balance_off_mv", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 16, slot = "discharge_limit1_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 18, slot = "discharge_delay1_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 20, slot = "discharge_limit2_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 22, slot = "discharge_delay2_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 24, slot = "charge_limit_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 26, slot = "charge_delay_raw", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 30, slot = "fet_mode", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 32, slot = "serial", count = 1, kind = "text", width = 14 },
      { offset = 46, slot = "firmware", count = 1, kind = "bcd", code = "<H" },
      { offset = 48, slot = "design_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 50, slot = "full_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 52, slot = "design_mv", count = 1, kind = "value", code = "<H", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 54, slot = "cycles", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 56, slot = "charges", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 58, slot = "total_charge_mah", count = 1, kind = "value", code = "<I", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 62, slot = "over_current_count", count = 1, kind = "value", code = "B", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 63, slot = "over_discharge_count", count = 1, kind = "value", code = "B", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 64, slot = "made_on", count = 1, kind = "date", code = "<H" },
      { offset = 66, slot = "first_used_on", count = 1, kind = "date", code = "<H" },
      { offset = 68, slot = "fault_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 70, slot = "b_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 96, slot = "faults", count = 1, kind = "faults", code = "<H", faults = { { 0, "configuration", 0 }, { 8, "cell_under_voltage", 1 }, { 9, "cell_over_voltage", 1 }, { 10, "over_temperature", 1 } } },
      { offset = 96, slot = "charging_flag", count = 1, kind = "bit", code = "<H", bit = 6 },
      { offset = 98, slot = "remaining_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 100, slot = "soc_pct", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 102, slot = "current_ma", count = 1, kind = "value", code = "<h", mul = -10, div = 1, add = 0, first = 0 },
      { offset = 104, slot = "pack_mv", count = 1, kind = "value", code = "<H", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 106, slot = "temp_dc", count = 2, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 108, slot = "balance_a", count = 1, kind = "balance", code = "<H" },
      { offset = 110, slot = "cells_low_bits", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 112, slot = "cells_high_bits", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 114, slot = "coulomb_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 116, slot = "voltage_mah", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 118, slot = "health_pct", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 128, slot = "cell_mv", count = 16, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 160, slot = "activated", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 162, slot = "board_version", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 164, slot = "mos_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 165, slot = "mos2_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 166, slot = "mos3_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
      { offset = 167, slot = "mos4_temp_dc", count = 1, kind = "value", code = "B", mul = 10, div = 1, add = -200, first = 0 },
    },
    CONTROLLER = {
      { offset = 52, slot = "controller_version", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 74, slot = "range_m", count = 1, kind = "value", code = "<H", mul = 10, div = 1, add = 0, first = 0 },
      { offset = 116, slot = "trip_s", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 124, slot = "controller_temp_dc", count = 1, kind = "value", code = "<h", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 206, slot = "firmware", count = 1, kind = "bcd", code = "<H" },
      { offset = 208, slot = "ble_version", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 246, slot = "regen_level", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 248, slot = "cruise", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 250, slot = "tail_light", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 352, slot = "error_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 354, slot = "alarm_code", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 356, slot = "controller_flags", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 358, slot = "mode", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 360, slot = "controller_soc_pct", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 362, slot = "speed_mh", count = 1, kind = "value", code = "<h", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 364, slot = "average_speed_mh", count = 1, kind = "value", code = "<h", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 366, slot = "odometer_m", count = 1, kind = "value", code = "<I", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 372, slot = "trip_s", count = 1, kind = "value", code = "<H", mul = 1, div = 1, add = 0, first = 0 },
      { offset = 374, slot = "controller_temp_dc", count = 1, kind = "value", code = "<h", mul = 1, div = 1, add = 0, first = 0 },
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

local WIDTHS = { B = 1, b = 1, H = 2, h = 2, I = 4, i = 4 }

-- The number at a 0-based place, in a struct code of fields.py, and how many bytes it has.
local function number(text, at, code)
  local kind = code:sub(-1)
  local width = WIDTHS[kind]
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

-- What stands at `at`: a size and NONE, nil while bytes are missing, or false, why not, and the
-- size of the candidate.
local function judge(rows, text, at, final)
  local reason, damaged = NONE, 0
  for _, row in ipairs(rows) do
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
        return size + follows(row, text, at + size), row.check == ""
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
    local size, what, damaged = judge(rows, text, at, final)
    if size == nil then
      break
    elseif size then
      local check = what and "none" or "good"
      found[#found + 1] = { text = text:sub(at + 1, at + size), at = at - #pending, check = check }
      at = at + size
    else
      if what == BAD_CHECK then
        local bytes = text:sub(at + 1, at + damaged)
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
  register = ProtoField.uint8("deckwatch.register", "Register or argument", base.HEX),
  wanted = ProtoField.uint8("deckwatch.wanted", "Bytes asked for"),
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

local function text_of(raw, code)
  if code == "bcd" then
    return string.format("%x.%x.%x", floor(raw / 256) % 16, floor(raw / 16) % 16, raw % 16)
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
  return #set > 0 and table.concat(set, ",") or "none"
end

local function cells_of(raw)
  local set = {}
  for cell = 1, 16 do
    if floor(raw / 2 ^ (cell - 1)) % 2 == 1 then
      set[#set + 1] = cell
    end
  end
  return #set > 0 and table.concat(set, ",") or "none"
end

local function scaled(raw, row)
  local value = raw * row.mul
  if row.div < 0 then
    local whole = floor(math.abs(value) / -row.div + 0.5)
    return (value < 0 and -whole or whole) + row.add
  end
  return floor(value / row.div) + row.add
end

-- Cells are shown as far as there are any: the list's end without a cell is left out.
local function fitted(cells)
  local last, most = #cells, 0
  for _, cell in ipairs(cells) do
    most = math.max(most, cell.value)
  end
  while most >= FITTED_MV and cells[last].value < FITTED_MV do
    last = last - 1
  end
  return last
end

-- Shows every row of a table that lies wholly in text[body : body + size], which holds `start`.
local function read(tree, range, text, body, start, size, rows)
  local cells = {}
  local function within(offset, width)
    return offset >= start and offset + width <= start + size
  end
  local function place(offset, width)
    return body + offset - start, range(body + offset - start, width)
  end
  for _, row in ipairs(rows) do
    local kind, slot = row.kind, row.slot
    if kind == "text" then
      if within(row.offset, row.width) then
        local at, where = place(row.offset, row.width)
        local said = text:sub(at + 1, at + row.width):gsub("^%z+", ""):gsub("%z+$", "")
        tree:add(fields[slot], where, said)
      end
    else
      for element = 0, row.count - 1 do
        local width = WIDTHS[row.code:sub(-1)]
        local offset = row.offset + element * width
        if within(offset, width) then
          local at, where = place(offset, width)
          local raw = number(text, at, row.code)
          local field = fields[slot]
          if kind == "bcd" or kind == "date" then
            if raw ~= 0 then
              tree:add(field, where, text_of(raw, kind))
            end
          elseif kind == "faults" then
            tree:add(fields.faults, where, names_of(raw, row.faults))
          elseif kind == "balance" then
            tree:add(fields.balance, where, cells_of(raw))
          elseif kind == "bit" then
            tree:add(field, where, floor(raw / 2 ^ row.bit) % 2)
          elseif raw == row.absent then
            if slot == "temp_dc" then
              tree:add(fields.no_probe, where, row.first + element + 1)
            end
          elseif width < 4 or math.abs(raw) <= floor((2 ^ 30 - 1) / math.abs(row.mul)) then
            local value = scaled(raw, row)
            if slot == "cell_mv" then
              cells[#cells + 1] = { value = value, where = where, first = row.first + element }
            else
              local item = tree:add(field, where, value)
              if slot == "temp_dc" then
                item:append_text(string.format(" (probe %d)", row.first + element + 1))
              end
            end
          end
        end
      end
    end
  end
  for i = 1, #cells > 0 and fitted(cells) or 0 do
    local item = tree:add(fields.cell_mv, cells[i].where, cells[i].value)
    item:append_text(string.format(" (cell %d)", cells[i].first + 1))
  end
end

-- Dashboard and controller of a scooter (protocols/dash.py).
local function dash(tree, range, text, body, size, kind, command)
  local function show(slot, place, value)
    tree:add(fields[slot], range(place, 1), value or text:byte(place + 1))
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
      show("speed_mh", body + 4, text:byte(body + 5) * 1000)
      show("error_code", body + 5)
    end
  end
end

-- What a scooter's frame says (protocols/xiaomi.py, protocols/ninebot.py).
local function scooter(tree, range, text, family)
  local source = family == "ninebot" and text:byte(4)
  local at = source and 4 or 3 -- of the address
  local address, command, register = text:byte(at + 1), text:byte(at + 2), text:byte(at + 3)
  local body, size = at + 3, #text - at - 5
  local kinds = KINDS[family][source and source * 256 + address or address]
    or KINDS[family][source and source * 256 + OTHER] or KINDS[family][OTHER * 256 + address]
    or KINDS[family][OTHER * 256 + OTHER]
  local kind = kinds and kinds[command] or "unknown"
  if source then
    tree:add(fields.source, range(3, 1), source)
  end
  tree:add(fields.address, range(at, 1), address)
  tree:add(fields.command, range(at + 1, 1), command)
  tree:add(fields.register, range(at + 2, 1), register)
  if (kind == "read" or kind == "dash_input" and command == 0x61) and size > 0 then
    tree:add(fields.wanted, range(body, 1), text:byte(body + 1))
  end
  if kind == "reply" then
    for _, name in ipairs(READERS[family][source or address] or {}) do
      read(tree, range, text, body, 2 * register, size, TABLES[family][name])
    end
  end
  dash(tree, range, text, body, size, kind, command)
  return kind
end

-- One frame's branch.
local function show(tree, range, frame, family)
  local branch = tree:add(deckwatch, range(0, #frame.text))
  branch:add(fields.family, range(0, 0), family):set_generated()
  branch:add(fields.check, range(0, 0), frame.check):set_generated()
  branch:add(fields.bytes, range(0, #frame.text))
  local said = family
  if frame.check ~= "bad" and KINDS[family] then
    local kind = scooter(branch, range, frame.text, family)
    branch:add(fields.kind, range(0, 0), kind):set_generated()
    said = said .. " " .. kind
  end
  if frame.check == "bad" then
    said = said .. ", checksum does not fit"
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

local waiting, heard, results -- pending bytes by wire and family; frames by family; by packet

function deckwatch.init()
  waiting, heard, results = {}, {}, {}
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

// Written by tools/make_phone.py, never by hand.

/** version of the layouts */
export const PROTOCOL = 1;

/** what the chooser looks for */
export const SERVICE = "d3c00000-7a1e-4b9f-9c52-6f0e8a41b7d5";

/** by name */
export const CHARACTERISTICS = {
 "INFO": "d3c00001-7a1e-4b9f-9c52-6f0e8a41b7d5",
 "LIVE": "d3c00002-7a1e-4b9f-9c52-6f0e8a41b7d5",
 "SETTINGS": "d3c00003-7a1e-4b9f-9c52-6f0e8a41b7d5",
 "NONCE": "d3c00004-7a1e-4b9f-9c52-6f0e8a41b7d5",
 "COMMAND": "d3c00005-7a1e-4b9f-9c52-6f0e8a41b7d5",
 "RESULT": "d3c00006-7a1e-4b9f-9c52-6f0e8a41b7d5",
 "LOG": "d3c00007-7a1e-4b9f-9c52-6f0e8a41b7d5"
};

/** bits of the live value's state */
export const STATE = {
 "MUTED": 64,
 "CHARGING": 128,
 "RIDING": 256,
 "SESSION_KNOWN": 512,
 "CHARGE_FET": 1024,
 "DISCHARGE_FET": 2048,
 "FETS_KNOWN": 4096,
 "GUIDED": 8192
};

/** charge not known */
export const NO_SOC = 255;

/** voltage not known */
export const NO_MV = 65535;

/** current not known */
export const NO_MA = -2147483648;

/** not fitted, or too old */
export const NO_PROBE = -32768;

/** age of what was never heard */
export const NEVER_S = 255;

/** by number, the larger the worse */
export const LOOKS = ["off", "no_data", "partial", "fine", "info", "unknown", "warn", "alarm"];

/** by number */
export const LEVELS = ["ok", "info", "warn", "alarm"];

/** guardrails by number */
export const CODES = ["cell_spread", "weak_cell", "cell_high", "cell_low", "ghost_voltage", "stuck_cell", "cell_count", "charge_cold", "charge_hot", "discharge_hot", "temp_sensor", "heat_rise", "board_hot", "charge_voltage", "charge_current", "charge_target", "charger_cc_only", "charge_stalled", "charge_timer", "charger_droop", "settle", "capacity", "balance_idle", "self_discharge", "storage", "discharge_current", "regen_current", "regen_full", "charge_fet_off", "bms_trip", "sag", "idle_pack", "soc_mismatch", "frozen_data", "bms_fault", "controller_error", "silence", "sense_wire", "humidity", "link_noise"];

/** bits of the capabilities */
export const CAN = {
 "COMMAND": 1,
 "LOG": 2,
 "MUTE": 4
};

/** commands */
export const OP = {
 "ACKNOWLEDGE": 1,
 "MUTE": 2,
 "BLINK": 3,
 "SELF_TEST": 4,
 "SET_TIME": 5,
 "SET_OPTION": 6,
 "READ_LOG": 7,
 "START_SESSION": 8
};

/** what becomes of them */
export const RESULT = {
 "DONE": 0,
 "AT_NEXT_START": 1,
 "MALFORMED": 4,
 "REFUSED": 5,
 "HOLD_BUTTON": 6,
 "NOT_HELD": 7,
 "NOTHING": 8,
 "TROUBLE": 9,
 "BAD_TAG": 2,
 "LOCKED": 3
};

/** an owner's, by number; the first ends one */
export const SESSIONS = ["ordinary", "recovering", "commissioning"];

/** how long the button is waited for */
export const HOLD_MS = 30000;

/** what a tag is made over, before nonce and command */
export const CONTEXT = "PM1";

/** of the HMAC */
export const TAG_BYTES = 16;

/** by number */
export const OPTIONS = [
 {"name": "profile", "choices": ["ant", "auto", "botox", "daly", "happy", "jbd", "jk", "m365", "ninebot", "pro2", "rita", "vesc"]},
 {"name": "series", "low": 0, "high": 32},
 {"name": "chemistry", "choices": ["nmc", "lfp"]},
 {"name": "packs", "low": 1, "high": 2},
 {"name": "design_mah", "low": 0, "high": 200000, "unit": "mah"},
 {"name": "bleed_ma", "low": 0, "high": 5000},
 {"name": "dongle_ua", "low": 0, "high": 50000},
 {"name": "fresh_ms", "low": 1000, "high": 60000, "unit": "ms"},
 {"name": "baud", "low": 1200, "high": 921600},
 {"name": "mode", "choices": ["listen", "assist", "poll"]},
 {"name": "probe", "low": 0, "high": 1},
 {"name": "console_s", "low": 0, "high": 3600, "unit": "s"},
 {"name": "bluetooth", "low": 0, "high": 1},
 {"name": "advert", "choices": ["plain", "encrypted"]},
 {"name": "ghost_cell_mv", "low": 3700, "high": 5000, "unit": "mv"},
 {"name": "current_reversed", "low": 0, "high": 1},
 {"name": "temp_messages", "low": 0, "high": 1},
 {"name": "cell_spread_warn_mv", "code": "cell_spread", "level": "warn", "low": 20, "high": 1000, "unit": "mv"},
 {"name": "cell_spread_alarm_mv", "code": "cell_spread", "level": "alarm", "low": 30, "high": 1000, "unit": "mv"},
 {"name": "cell_spread_info_mv", "code": "cell_spread", "level": "info", "low": 5, "high": 500, "unit": "mv"},
 {"name": "weak_cell_warn_pct", "code": "weak_cell", "level": "warn", "low": 120, "high": 400, "unit": "pct"},
 {"name": "weak_cell_warn_mv", "code": "weak_cell", "level": "warn", "low": 30, "high": 1000, "unit": "mv"},
 {"name": "cell_high_info_mv", "code": "cell_high", "level": "info", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "cell_high_warn_mv", "code": "cell_high", "level": "warn", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "cell_high_alarm_mv", "code": "cell_high", "level": "alarm", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "cell_low_info_mv", "code": "cell_low", "level": "info", "low": 1500, "high": 3700, "unit": "mv"},
 {"name": "cell_low_warn_mv", "code": "cell_low", "level": "warn", "low": 1500, "high": 3700, "unit": "mv"},
 {"name": "cell_low_alarm_mv", "code": "cell_low", "level": "alarm", "low": 1500, "high": 3700, "unit": "mv"},
 {"name": "ghost_voltage_warn_mv", "code": "ghost_voltage", "level": "warn", "low": 50, "high": 5000, "unit": "mv"},
 {"name": "ghost_voltage_warn_permille", "code": "ghost_voltage", "level": "warn", "low": 3, "high": 100, "unit": "permille"},
 {"name": "ghost_voltage_jump_warn_mv", "code": "ghost_voltage", "level": "warn", "part": "jump", "low": 50, "high": 2000, "unit": "mv"},
 {"name": "stuck_cell_warn_mv", "code": "stuck_cell", "level": "warn", "low": 10, "high": 500, "unit": "mv"},
 {"name": "charge_cold_warn_dc", "code": "charge_cold", "level": "warn", "low": -100, "high": 200, "unit": "dc"},
 {"name": "charge_cold_alarm_dc", "code": "charge_cold", "level": "alarm", "low": -200, "high": 150, "unit": "dc"},
 {"name": "charge_hot_info_dc", "code": "charge_hot", "level": "info", "low": 200, "high": 700, "unit": "dc"},
 {"name": "charge_hot_warn_dc", "code": "charge_hot", "level": "warn", "low": 200, "high": 700, "unit": "dc"},
 {"name": "charge_hot_alarm_dc", "code": "charge_hot", "level": "alarm", "low": 200, "high": 800, "unit": "dc"},
 {"name": "discharge_hot_warn_dc", "code": "discharge_hot", "level": "warn", "low": 300, "high": 800, "unit": "dc"},
 {"name": "discharge_hot_alarm_dc", "code": "discharge_hot", "level": "alarm", "low": 300, "high": 900, "unit": "dc"},
 {"name": "temp_sensor_jump_warn_dc", "code": "temp_sensor", "level": "warn", "part": "jump", "low": 30, "high": 500, "unit": "dc"},
 {"name": "temp_sensor_apart_warn_dc", "code": "temp_sensor", "level": "warn", "part": "apart", "low": 30, "high": 500, "unit": "dc"},
 {"name": "heat_rise_warn_dc", "code": "heat_rise", "level": "warn", "low": 20, "high": 200, "unit": "dc"},
 {"name": "heat_rise_alarm_dc", "code": "heat_rise", "level": "alarm", "low": 50, "high": 300, "unit": "dc"},
 {"name": "board_hot_warn_dc", "code": "board_hot", "level": "warn", "low": 400, "high": 1200, "unit": "dc"},
 {"name": "board_hot_alarm_dc", "code": "board_hot", "level": "alarm", "low": 500, "high": 1300, "unit": "dc"},
 {"name": "board_hot_idle_warn_dc", "code": "board_hot", "level": "warn", "part": "idle", "low": 50, "high": 500, "unit": "dc"},
 {"name": "charge_voltage_warn_permille", "code": "charge_voltage", "level": "warn", "low": 0, "high": 50, "unit": "permille"},
 {"name": "charge_voltage_alarm_permille", "code": "charge_voltage", "level": "alarm", "low": 0, "high": 80, "unit": "permille"},
 {"name": "charge_current_warn_ma", "code": "charge_current", "level": "warn", "low": 500, "high": 200000, "unit": "ma"},
 {"name": "charge_target_info_pct", "code": "charge_target", "level": "info", "low": 50, "high": 100, "unit": "pct"},
 {"name": "charge_target_info_mv", "code": "charge_target", "level": "info", "low": 3300, "high": 4250, "unit": "mv"},
 {"name": "charger_cc_only_warn_s", "code": "charger_cc_only", "level": "warn", "low": 60, "high": 3600, "unit": "s"},
 {"name": "charge_stalled_info_pct", "code": "charge_stalled", "level": "info", "low": 10, "high": 100, "unit": "pct"},
 {"name": "charge_timer_warn_pct", "code": "charge_timer", "level": "warn", "low": 110, "high": 500, "unit": "pct"},
 {"name": "charge_timer_late_warn_s", "code": "charge_timer", "level": "warn", "part": "late", "low": 600, "high": 28800, "unit": "s"},
 {"name": "charger_droop_info_s", "code": "charger_droop", "level": "info", "low": 600, "high": 14400, "unit": "s"},
 {"name": "settle_info_mv", "code": "settle", "level": "info", "low": 100, "high": 5000, "unit": "mv"},
 {"name": "capacity_info_pct", "code": "capacity", "level": "info", "low": 20, "high": 100, "unit": "pct"},
 {"name": "balance_idle_info_charges", "code": "balance_idle", "level": "info", "low": 1, "high": 20, "unit": "charges"},
 {"name": "self_discharge_info_permille", "code": "self_discharge", "level": "info", "low": 3, "high": 200, "unit": "permille"},
 {"name": "self_discharge_warn_mv", "code": "self_discharge", "level": "warn", "low": 2, "high": 100, "unit": "mv"},
 {"name": "storage_full_info_mv", "code": "storage", "level": "info", "part": "full", "low": 3300, "high": 4200, "unit": "mv"},
 {"name": "storage_empty_info_mv", "code": "storage", "level": "info", "part": "empty", "low": 2500, "high": 3900, "unit": "mv"},
 {"name": "storage_cold_info_dc", "code": "storage", "level": "info", "part": "cold", "low": -200, "high": 150, "unit": "dc"},
 {"name": "discharge_current_warn_ma", "code": "discharge_current", "level": "warn", "low": 1000, "high": 400000, "unit": "ma"},
 {"name": "discharge_current_alarm_ma", "code": "discharge_current", "level": "alarm", "low": 1000, "high": 400000, "unit": "ma"},
 {"name": "regen_current_warn_ma", "code": "regen_current", "level": "warn", "low": 1000, "high": 400000, "unit": "ma"},
 {"name": "regen_full_warn_pct", "code": "regen_full", "level": "warn", "low": 80, "high": 100, "unit": "pct"},
 {"name": "regen_full_warn_mv", "code": "regen_full", "level": "warn", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "bms_trip_alarm_ma", "code": "bms_trip", "level": "alarm", "low": 2000, "high": 100000, "unit": "ma"},
 {"name": "sag_warn_permille", "code": "sag", "level": "warn", "low": 50, "high": 500, "unit": "permille"},
 {"name": "sag_resistance_warn_pct", "code": "sag", "level": "warn", "part": "resistance", "low": 130, "high": 1000, "unit": "pct"},
 {"name": "idle_pack_info_pct", "code": "idle_pack", "level": "info", "low": 1, "high": 40, "unit": "pct"},
 {"name": "soc_mismatch_info_pct", "code": "soc_mismatch", "level": "info", "low": 10, "high": 100, "unit": "pct"},
 {"name": "frozen_data_load_warn_ms", "code": "frozen_data", "level": "warn", "part": "load", "low": 10000, "high": 600000, "unit": "ms"},
 {"name": "frozen_data_ride_warn_ms", "code": "frozen_data", "level": "warn", "part": "ride", "low": 60000, "high": 3600000, "unit": "ms"},
 {"name": "silence_unanswered_alarm_ms", "code": "silence", "level": "alarm", "part": "unanswered", "low": 2000, "high": 60000, "unit": "ms"},
 {"name": "silence_quiet_alarm_ms", "code": "silence", "level": "alarm", "part": "quiet", "low": 5000, "high": 60000, "unit": "ms"},
 {"name": "sense_wire_warn_mohm", "code": "sense_wire", "level": "warn", "low": 100, "high": 10000, "unit": "mohm"},
 {"name": "sense_wire_warn_pct", "code": "sense_wire", "level": "warn", "low": 120, "high": 1000, "unit": "pct"},
 {"name": "humidity_warn_pct", "code": "humidity", "level": "warn", "low": 50, "high": 100, "unit": "pct"},
 {"name": "link_noise_info_ppm", "code": "link_noise", "level": "info", "low": 20, "high": 10000, "unit": "ppm"},
];

/** the black box: fields as [name, format, value when not known] */
export const JOURNAL = {
 "MARK": 166,
 "HEAD": [["mark", "B", null], ["size", "B", null], ["kind", "B", null], ["pack", "B", null], ["number", "I", null], ["boot", "H", null], ["uptime_s", "I", null], ["wall_s", "I", null]],
 "CRC_BYTES": 4,
 "KINDS": ["", "boot", "alert", "ride", "charge", "checkpoint", "trace", "config", "note", "memory", "supply", "lost"],
 "CAUSES": ["unknown", "power_on", "hard", "watchdog", "wake", "soft"],
 "VERDICTS": ["", "tripped", "switched_off", "bounced", "restarted"],
 "STATES": ["clear", "set", "unknown"],
 "ALERT": [["code", "H", null], ["unit", "H", null], ["state", "B", null], ["level", "B", null], ["where", "B", null], ["value", "i", null], ["limit", "i", null], ["peak", "i", null], ["count", "H", null], ["age_s", "H", null]],
 "SPAN": [["seconds", "I", null], ["low_pack_mv", "I", 4294967295], ["high_pack_mv", "I", 4294967295], ["most_out_ma", "I", 4294967295], ["most_in_ma", "I", 4294967295], ["lowest_mv", "H", 65535], ["lowest_cell", "B", 0], ["highest_mv", "H", 65535], ["highest_cell", "B", 0], ["coldest_dc", "h", -32768], ["hottest_dc", "h", -32768], ["out_mah", "I", null], ["in_mah", "I", null], ["first_pct", "B", 255], ["last_pct", "B", 255]],
 "SNAPSHOT": [["pack_mv", "I", 4294967295], ["current_ma", "i", -2147483648], ["soc_pct", "B", 255], ["lowest_mv", "H", 65535], ["lowest_cell", "B", 0], ["highest_mv", "H", 65535], ["highest_cell", "B", 0], ["coldest_dc", "h", -32768], ["hottest_dc", "h", -32768]],
 "ROW": [["pack_cv", "H", null], ["current_ca", "h", null], ["lowest_mv", "H", 65535], ["lowest_cell", "B", 0], ["hottest_c", "b", null]],
 "NO_ROW": {"pack_cv": 65535, "current_ca": -32768, "hottest_c": -128},
 "LOST": [["without_room", "H", null], ["refused", "H", null], ["damaged_segments", "H", null]],
 "NAMES": {"53536": "cell_spread", "44097": "weak_cell", "36339": "cell_high", "61529": "cell_low", "37661": "ghost_voltage", "62149": "stuck_cell", "35286": "cell_count", "59353": "charge_cold", "5472": "charge_hot", "59703": "discharge_hot", "34695": "temp_sensor", "60939": "heat_rise", "29356": "board_hot", "5986": "charge_voltage", "49326": "charge_current", "41738": "charge_target", "30910": "charger_cc_only", "45083": "charge_stalled", "53810": "charge_timer", "64760": "charger_droop", "24778": "settle", "45428": "capacity", "17426": "balance_idle", "33338": "self_discharge", "6964": "storage", "2969": "discharge_current", "35059": "regen_current", "3668": "regen_full", "4423": "charge_fet_off", "22744": "bms_trip", "41222": "sag", "60493": "idle_pack", "14186": "soc_mismatch", "530": "frozen_data", "20940": "bms_fault", "19885": "controller_error", "40382": "silence", "51939": "sense_wire", "30658": "humidity", "51959": "link_noise", "12562": "nowhere", "1627": "pack_mv", "19415": "current_ma", "24383": "soc_pct", "40216": "remaining_mah", "42281": "mos_temp_dc", "30988": "board_temp_dc", "53472": "charge_fet", "11447": "discharge_fet", "50562": "charging_flag", "38413": "charger_present", "28568": "balance_a", "15906": "balance_b", "50861": "faults_a", "38679": "faults_b", "2796": "humidity_pct", "64932": "error_code", "2748": "speed_mh", "29844": "supply_mv", "48378": "motor_ma", "27842": "controller_temp_dc", "62739": "motor_temp_dc", "61779": "supply_ma", "18231": "controllers", "38948": "charging", "14972": "riding", "17146": "braking", "28476": "resting", "41918": "still", "23006": "steady", "11134": "highest_mv", "41471": "lowest_mv", "58727": "cell_spread_mv", "35699": "top_spread_mv", "35151": "sum_error_mv", "5280": "sum_error_permille", "39565": "wild_cells", "18083": "dead_cells", "286": "cell_jump_mv", "57754": "stuck_cell_mv", "7445": "miscounted_cells", "32899": "coldest_dc", "52516": "hottest_dc", "8659": "probe_faults", "56618": "probe_jump_dc", "16647": "probe_apart_dc", "1248": "temp_message", "3948": "heat_rise_dc", "6284": "heat_burst_dc", "48235": "board_dc", "16967": "board_over_dc", "42570": "charge_mah", "12470": "charge_time_s", "39212": "to_full_min", "45535": "untapered_s", "5119": "stalled_pct", "449": "overtime_pct", "28514": "late_s", "5574": "droop_s", "47346": "capacity_pct", "56566": "stuck_charges", "77": "to_balance_h", "33989": "loss_permille", "21707": "group_fall_mv", "63755": "stored", "35760": "parked_cell_mv", "52125": "settle_mv", "27407": "discharge_ma", "50339": "fault_level", "51033": "error_level", "7796": "weak_ratio_pct", "53178": "weak_sag_mv", "39784": "sag_permille", "55336": "resistance_pct", "8069": "trip_ma", "48637": "trip_fet", "47603": "share_pct", "28940": "ocv_pct", "61324": "soc_error_pct", "167": "frozen_load_ms", "60476": "frozen_ride_ms", "15769": "stand_in", "7734": "wire_most_mohm", "45957": "wire_ratio_pct", "42843": "wire_fault", "10145": "unanswered_ms", "31854": "quiet_ms", "3369": "bit_error_ppm", "10431": "full_mah", "38167": "design_mah", "35620": "cycles", "20506": "charges", "59155": "health_pct", "52071": "total_charge_mah", "13590": "probe_count", "42588": "pack_uohm", "28542": "rest_spread_mv", "55068": "load_spread_mv", "46342": "cell_high_mv", "53005": "cell_low_mv", "28847": "mos2_temp_dc", "25836": "mos3_temp_dc", "2341": "mos4_temp_dc", "37462": "balance_ma", "13435": "balancing", "2993": "heater", "1122": "alarm_1_raw", "32434": "alarm_2_raw", "22274": "alarm_3_raw", "35602": "alarm_4_raw", "25100": "shown_pct", "24020": "board_lowest_mv", "49077": "alarm_code", "45158": "controller_flags", "25342": "controller_soc_pct", "15258": "controller_pack_mv", "17932": "average_speed_mh", "37280": "range_m", "18347": "mode", "20916": "throttle_raw", "30247": "brake_raw", "32254": "design_mv", "56808": "coulomb_mah", "61438": "voltage_mah", "43682": "made_on", "63922": "first_used_on", "60205": "over_current_count", "10063": "over_discharge_count", "51338": "fault_code", "47212": "b_code", "37114": "cells_low_bits", "2587": "cells_high_bits", "62365": "activated", "64460": "board_version", "18310": "odometer_m", "60447": "trip_s", "60930": "controller_version", "21463": "ble_version", "25036": "regen_level", "28699": "cruise", "21690": "tail_light", "15176": "cell_high_clear_mv", "28532": "cell_low_clear_mv", "64615": "balance_start_mv", "36493": "balance_on_mv", "55321": "balance_off_mv", "31568": "discharge_limit1_raw", "38295": "discharge_delay1_raw", "384": "discharge_limit2_raw", "61255": "discharge_delay2_raw", "57287": "charge_limit_raw", "9720": "charge_delay_raw", "39533": "fet_mode", "52878": "short_circuit_count", "13262": "charge_over_current_count", "2906": "discharge_over_current_count", "53512": "cell_over_voltage_count", "50926": "cell_under_voltage_count", "46890": "charge_over_temperature_count", "3549": "charge_under_temperature_count", "18000": "discharge_over_temperature_count", "36366": "discharge_under_temperature_count", "54468": "pack_over_voltage_count", "12144": "pack_under_voltage_count", "31530": "restart_count", "38957": "cycled_mah", "36221": "run_time_s", "53196": "pack_high_mv", "2933": "pack_low_mv", "52450": "charge_limit_ma", "52006": "discharge_limit_ma", "33017": "charge_hot_dc", "52728": "charge_cold_dc", "34876": "discharge_hot_dc", "1743": "discharge_cold_dc", "2882": "mos_hot_dc", "51676": "serial", "55236": "firmware", "29401": "model"},
 "COLUMNS": ["number", "kind", "pack", "boot", "uptime_s", "time", "code", "state", "level", "value", "unit", "limit", "peak", "where", "count", "age_s", "pack_mv", "current_ma", "soc_pct", "lowest_mv", "lowest_cell", "highest_mv", "highest_cell", "coldest_dc", "hottest_dc", "seconds", "low_pack_mv", "high_pack_mv", "most_out_ma", "most_in_ma", "out_mah", "in_mah", "first_pct", "last_pct", "before_s", "cause", "failed", "firmware", "verdict", "session", "option", "old", "new", "text", "without_room", "refused", "damaged_segments"],
};

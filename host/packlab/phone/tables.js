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
 "FETS_KNOWN": 4096
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
export const CODES = ["cell_spread", "cell_high", "cell_low", "ghost_voltage", "cell_count", "charge_cold", "charge_hot", "discharge_hot", "temp_sensor", "heat_rise", "board_hot", "charge_voltage", "charge_current", "charge_target", "discharge_current", "regen_current", "regen_full", "charge_fet_off", "bms_fault", "controller_error", "silence", "sense_wire", "humidity", "link_noise"];

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
 {"name": "design_mah", "low": 1000, "high": 200000, "unit": "mah"},
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
 {"name": "cell_high_info_mv", "code": "cell_high", "level": "info", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "cell_high_warn_mv", "code": "cell_high", "level": "warn", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "cell_high_alarm_mv", "code": "cell_high", "level": "alarm", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "cell_low_info_mv", "code": "cell_low", "level": "info", "low": 1500, "high": 3700, "unit": "mv"},
 {"name": "cell_low_warn_mv", "code": "cell_low", "level": "warn", "low": 1500, "high": 3700, "unit": "mv"},
 {"name": "cell_low_alarm_mv", "code": "cell_low", "level": "alarm", "low": 1500, "high": 3700, "unit": "mv"},
 {"name": "ghost_voltage_warn_mv", "code": "ghost_voltage", "level": "warn", "low": 50, "high": 5000, "unit": "mv"},
 {"name": "ghost_voltage_warn_permille", "code": "ghost_voltage", "level": "warn", "low": 3, "high": 100, "unit": "permille"},
 {"name": "ghost_voltage_jump_warn_mv", "code": "ghost_voltage", "level": "warn", "part": "jump", "low": 50, "high": 2000, "unit": "mv"},
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
 {"name": "discharge_current_warn_ma", "code": "discharge_current", "level": "warn", "low": 1000, "high": 400000, "unit": "ma"},
 {"name": "discharge_current_alarm_ma", "code": "discharge_current", "level": "alarm", "low": 1000, "high": 400000, "unit": "ma"},
 {"name": "regen_current_warn_ma", "code": "regen_current", "level": "warn", "low": 1000, "high": 400000, "unit": "ma"},
 {"name": "regen_full_warn_pct", "code": "regen_full", "level": "warn", "low": 80, "high": 100, "unit": "pct"},
 {"name": "regen_full_warn_mv", "code": "regen_full", "level": "warn", "low": 3300, "high": 4400, "unit": "mv"},
 {"name": "silence_unanswered_alarm_ms", "code": "silence", "level": "alarm", "part": "unanswered", "low": 2000, "high": 60000, "unit": "ms"},
 {"name": "silence_quiet_alarm_ms", "code": "silence", "level": "alarm", "part": "quiet", "low": 5000, "high": 60000, "unit": "ms"},
 {"name": "sense_wire_warn_mohm", "code": "sense_wire", "level": "warn", "low": 100, "high": 10000, "unit": "mohm"},
 {"name": "sense_wire_warn_pct", "code": "sense_wire", "level": "warn", "low": 120, "high": 1000, "unit": "pct"},
 {"name": "humidity_warn_pct", "code": "humidity", "level": "warn", "low": 50, "high": 100, "unit": "pct"},
 {"name": "link_noise_info_ppm", "code": "link_noise", "level": "info", "low": 20, "high": 10000, "unit": "ppm"},
];

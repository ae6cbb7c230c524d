"""The guardrails as rows: which slot is compared with which limits, when, for how long. Source of
every limit: guardrail sheet.

A row is (code, slot, sense, gate, group, need, clear_by, clear_hold_ms, levels, stem, unit);
several rows may share a code, next to each other: the worst of them is the alert.
  sense   ">=" ">" "<=" "<": the alert is set while `slot sense limit`
  gate    a 0/1 slot; while it is 0 the row cannot be set, and one that was set clears. A gate in
          HOLDING instead suspends judgement
  need    samples in a row that must agree before anything is set or cleared
  clear_by  distance from the limit, towards health, at which it clears; 0 = as soon as the
          condition is false
  levels  (level, default limit, lowest and highest the owner may choose, hold_ms); a limit of None
          is unarmed until set
  stem, unit   option name = stem_level_unit; stem defaults to the code, unit to the slot's.
          lowest == highest: not an option. Unit "permille": thousandths above the full pack
          voltage; the limit in mV follows from series and chemistry.

Where the sheet states no time to clear, it is: 5 s for what is measured, as for `cell_spread`; 2 s
for what others report and for the discharge current, which changes with every pull at the
throttle; 10 s for probes; 30 s for a jump, which is over as soon as it has happened; 5 s of
answers for silence; none for link noise, which is a mean over 30 s itself, and must stand for a
minute to be set: a line with half as many errors passes the limit for one such mean by chance.
Where it states no time to set, it is 2 s for `cell_high` info, and none for what two or three
agreeing samples prove.
A weak group and the resistance clear by as many steps of the load as they were set by; what a
single pull shows clears 30 s after the last; braking into a full pack 10 minutes after, so that it
is told once a ride; a trip stands for 10 minutes.
Where it states no distance to clear: 20 mV for `cell_high` as for the spread, 50 mV for
`cell_low`, which recovers that much by resting alone, 0.1 V for the pack's charge voltage, 2 A for
its current and 0.2 A for the charger's, 2 °C for a rise of heat, 5 °C for a board and 3 °C for its
distance from the cells, 5 % for moisture, which takes a minute to be believed gone. A charge
target clears 3 % or 50 mV lower.
"""

from deckwatch.alert import (
    ALARM,
    CELLS,
    CHARGING,
    CURRENT,
    ELECTRONICS,
    INFO,
    LEVELS,
    TEMPERATURE,
    WARN,
)

HOLDING = ("still", "resting")

ROWS = (
    (
        "cell_spread", "cell_spread_mv", ">=", "still", CELLS, 2, 20, 5000,
        ((WARN, 100, 20, 1000, 5000), (ALARM, 150, 30, 1000, 5000)),
    ),
    (
        "cell_spread", "top_spread_mv", ">=", "still", CELLS, 2, 20, 5000,
        ((INFO, 30, 5, 500, 5000),),
    ),
    (
        "weak_cell", "weak_ratio_pct", ">=", "", CELLS, 3, 15, 5000,
        ((WARN, 160, 120, 400, 0),),
    ),
    ("weak_cell", "weak_sag_mv", ">=", "", CELLS, 3, 20, 5000, ((WARN, 120, 30, 1000, 0),)),
    (
        "cell_high", "highest_mv", ">=", "", CELLS, 2, 20, 5000,
        (
            (INFO, 4150, 3300, 4400, 2000),
            (WARN, 4220, 3300, 4400, 10000),
            (ALARM, 4250, 3300, 4400, 2000),
        ),
    ),
    # Named apart, for what to do about it: first, so that they name the limit where both are set
    ("cell_low", "lowest_mv", "<", "", CELLS, 2, 0, 5000, ((ALARM, 1500, 1500, 1500, 2000),)),
    ("cell_low", "lowest_mv", "<=", "", CELLS, 2, 50, 5000, ((ALARM, 2000, 2000, 2000, 2000),)),
    (
        "cell_low", "lowest_mv", "<=", "still", CELLS, 2, 50, 5000,
        (
            (INFO, 3300, 1500, 3700, 2000),
            (WARN, 3000, 1500, 3700, 2000),
            (ALARM, 2900, 1500, 3700, 2000),
        ),
    ),
    (
        "cell_low", "lowest_mv", "<=", "", CELLS, 2, 50, 5000,
        (
            (INFO, 3300, 1500, 3700, 5000),
            (WARN, 3000, 1500, 3700, 5000),
            (ALARM, 2900, 1500, 3700, 5000),
        ),
    ),
    ("ghost_voltage", "sum_error_mv", ">", "", CELLS, 3, 50, 5000, ((WARN, 300, 50, 5000, 0),)),
    ("ghost_voltage", "sum_error_permille", ">", "", CELLS, 3, 2, 5000, ((WARN, 10, 3, 100, 0),)),
    ("ghost_voltage", "wild_cells", ">=", "", CELLS, 3, 0, 5000, ((WARN, 1, 1, 1, 0),)),
    ("ghost_voltage", "dead_cells", ">=", "", CELLS, 3, 0, 5000, ((ALARM, 1, 1, 1, 0),)),
    (
        "ghost_voltage", "cell_jump_mv", ">", "", CELLS, 3, 0, 30000,
        ((WARN, 300, 50, 2000, 0),), "ghost_voltage_jump",
    ),
    ("stuck_cell", "stuck_cell_mv", ">=", "", CELLS, 5, 0, 5000, ((WARN, 30, 10, 500, 0),)),
    ("cell_count", "miscounted_cells", ">=", "", CELLS, 3, 0, 5000, ((WARN, 1, 1, 1, 0),)),
    (
        "charge_cold", "coldest_dc", "<", "charging", TEMPERATURE, 2, 20, 5000,
        ((WARN, 50, -100, 200, 60000), (ALARM, 0, -200, 150, 60000)),
    ),
    (
        "charge_hot", "hottest_dc", ">=", "charging", TEMPERATURE, 2, 50, 5000,
        (
            (INFO, 400, 200, 700, 30000),
            (WARN, 450, 200, 700, 30000),
            (ALARM, 550, 200, 800, 30000),
        ),
    ),
    (
        "discharge_hot", "hottest_dc", ">=", "", TEMPERATURE, 2, 50, 5000,
        ((WARN, 550, 300, 800, 10000), (ALARM, 600, 300, 900, 10000)),
    ),
    ("temp_sensor", "probe_faults", ">=", "", TEMPERATURE, 2, 0, 10000, ((WARN, 1, 1, 1, 0),)),
    (
        "temp_sensor", "probe_jump_dc", ">", "", TEMPERATURE, 2, 0, 30000,
        ((WARN, 100, 30, 500, 0),), "temp_sensor_jump",
    ),
    (
        "temp_sensor", "probe_apart_dc", ">", "", TEMPERATURE, 2, 20, 10000,
        ((WARN, 100, 30, 500, 60000),), "temp_sensor_apart",
    ),
    ("heat_rise", "heat_rise_dc", ">=", "", TEMPERATURE, 2, 20, 10000, ((WARN, 50, 20, 200, 0),)),
    (
        "heat_rise", "heat_burst_dc", ">=", "", TEMPERATURE, 2, 20, 10000,
        ((ALARM, 100, 50, 300, 0),),
    ),
    (
        "board_hot", "board_dc", ">=", "", TEMPERATURE, 2, 50, 10000,
        ((WARN, 800, 400, 1200, 0), (ALARM, 950, 500, 1300, 0)),
    ),
    (
        "board_hot", "board_over_dc", ">=", "", TEMPERATURE, 2, 30, 10000,
        ((WARN, 150, 50, 500, 600000),), "board_hot_idle",
    ),
    (
        "charge_voltage", "pack_mv", ">", "charging", CHARGING, 2, 100, 5000,
        ((WARN, 6, 0, 50, 30000), (ALARM, 12, 0, 80, 2000)), "charge_voltage", "permille",
    ),
    (
        "charge_current", "current_ma", ">", "charging", CHARGING, 2, 200, 5000,
        ((WARN, None, 500, 200000, 5000),),
    ),
    (
        "charge_target", "soc_pct", ">=", "charging", CHARGING, 2, 3, 5000,
        ((INFO, 97, 50, 100, 0),),
    ),
    (
        "charge_target", "highest_mv", ">=", "charging", CHARGING, 2, 50, 5000,
        ((INFO, 4150, 3300, 4250, 2000),),
    ),
    (
        "charger_cc_only", "untapered_s", ">=", "charging", CHARGING, 2, 0, 5000,
        ((WARN, 300, 60, 3600, 0),),
    ),
    (
        "charge_stalled", "stalled_pct", "<", "charging", CHARGING, 2, 0, 5000,
        ((INFO, 90, 10, 100, 600000),),
    ),
    (
        "charge_timer", "overtime_pct", ">", "charging", CHARGING, 2, 0, 5000,
        ((WARN, 150, 110, 500, 0),),
    ),
    (
        "charge_timer", "late_s", ">=", "charging", CHARGING, 2, 0, 5000,
        ((WARN, 7200, 600, 28800, 0),), "charge_timer_late",
    ),
    (
        "charger_droop", "droop_s", ">=", "charging", CHARGING, 2, 0, 5000,
        ((INFO, 1800, 600, 14400, 0),),
    ),
    ("settle", "settle_mv", ">", "", CHARGING, 2, 100, 5000, ((INFO, 800, 100, 5000, 0),)),
    ("capacity", "capacity_pct", "<", "", CELLS, 2, 0, 5000, ((INFO, 70, 20, 100, 0),)),
    (
        "balance_idle", "stuck_charges", ">=", "", CELLS, 2, 0, 5000, ((INFO, 3, 1, 20, 0),),
    ),
    ("self_discharge", "loss_permille", ">", "", CELLS, 2, 2, 5000, ((INFO, 10, 3, 200, 0),)),
    ("self_discharge", "group_fall_mv", ">=", "", CELLS, 2, 1, 5000, ((WARN, 5, 2, 100, 0),)),
    (
        "storage", "parked_cell_mv", ">", "stored", CELLS, 2, 50, 5000,
        ((INFO, 3900, 3300, 4200, 0),), "storage_full",
    ),
    (
        "storage", "parked_cell_mv", "<", "stored", CELLS, 2, 50, 5000,
        ((INFO, 3600, 2500, 3900, 0),), "storage_empty",
    ),
    (
        "storage", "coldest_dc", "<", "stored", CELLS, 2, 20, 5000,
        ((INFO, 0, -200, 150, 0),), "storage_cold",
    ),
    (
        "discharge_current", "discharge_ma", ">=", "", CURRENT, 2, 2000, 2000,
        ((WARN, None, 1000, 400000, 500), (ALARM, None, 1000, 400000, 500)),
    ),
    (
        "regen_current", "current_ma", ">", "braking", CURRENT, 2, 2000, 2000,
        ((WARN, None, 1000, 400000, 500),),
    ),
    (
        "regen_full", "soc_pct", ">=", "braking", CURRENT, 2, 1, 600000,
        ((WARN, 98, 80, 100, 0),),
    ),
    (
        "regen_full", "highest_mv", ">=", "braking", CURRENT, 2, 20, 600000,
        ((WARN, 4180, 3300, 4400, 0),),
    ),
    ("charge_fet_off", "charge_fet", "<=", "riding", CURRENT, 2, 0, 2000, ((ALARM, 0, 0, 0, 0),)),
    (
        "bms_trip", "trip_ma", ">=", "", CURRENT, 1, 0, 0,
        ((ALARM, 10000, 2000, 100000, 0),),
    ),
    ("bms_trip", "trip_fet", ">=", "", CURRENT, 1, 0, 0, ((ALARM, 1, 1, 1, 0),)),
    ("sag", "sag_permille", ">=", "", CURRENT, 2, 0, 30000, ((WARN, 150, 50, 500, 0),)),
    (
        "sag", "resistance_pct", ">=", "", CURRENT, 2, 20, 5000,
        ((WARN, 200, 130, 1000, 0),), "sag_resistance",
    ),
    ("idle_pack", "share_pct", "<", "", CURRENT, 2, 5, 5000, ((INFO, 10, 1, 40, 0),)),
    (
        "soc_mismatch", "soc_error_pct", ">=", "resting", ELECTRONICS, 2, 5, 5000,
        ((INFO, 25, 10, 100, 540000),),
    ),
    (
        "frozen_data", "frozen_load_ms", ">=", "", ELECTRONICS, 2, 0, 5000,
        ((WARN, 30000, 10000, 600000, 0),), "frozen_data_load",
    ),
    (
        "frozen_data", "frozen_ride_ms", ">=", "", ELECTRONICS, 2, 0, 5000,
        ((WARN, 900000, 60000, 3600000, 0),), "frozen_data_ride",
    ),
    ("frozen_data", "stand_in", ">=", "", ELECTRONICS, 3, 0, 5000, ((WARN, 1, 1, 1, 0),)),
    (
        "bms_fault", "fault_level", ">=", "", ELECTRONICS, 2, 0, 2000,
        ((INFO, 1, 1, 1, 0), (WARN, 2, 2, 2, 0), (ALARM, 3, 3, 3, 0)),
    ),
    (
        "controller_error", "error_level", ">=", "", ELECTRONICS, 2, 0, 2000,
        ((WARN, 2, 2, 2, 0), (ALARM, 3, 3, 3, 0)),
    ),
    (
        "silence", "unanswered_ms", ">=", "", ELECTRONICS, 1, 0, 5000,
        ((ALARM, 5000, 2000, 60000, 0),), "silence_unanswered",
    ),
    (
        "silence", "quiet_ms", ">=", "", ELECTRONICS, 1, 0, 5000,
        ((ALARM, 10000, 5000, 60000, 0),), "silence_quiet",
    ),
    (
        "sense_wire", "wire_most_mohm", ">", "", ELECTRONICS, 2, 100, 5000,
        ((WARN, 1000, 100, 10000, 0),),
    ),
    (
        "sense_wire", "wire_ratio_pct", ">=", "", ELECTRONICS, 2, 20, 5000,
        ((WARN, 200, 120, 1000, 0),),
    ),
    ("sense_wire", "wire_fault", ">=", "", ELECTRONICS, 2, 0, 2000, ((WARN, 1, 1, 1, 0),)),
    (
        "humidity", "humidity_pct", ">=", "", ELECTRONICS, 2, 5, 60000,
        ((WARN, 85, 50, 100, 600000),),
    ),
    (
        "link_noise", "bit_error_ppm", ">", "", ELECTRONICS, 1, 50, 0,
        ((INFO, 200, 20, 10000, 60000),),
    ),
)  # fmt: skip

CHIRPING = "charge_target"  # good news, worth one chirp

# Judged on the line itself: watched without a word from the battery
OF_THE_LINE = ("silence", "link_noise")

# Without meaning where the owner has not said how many cells there are
OF_SERIES = ("charge_voltage", "cell_count")
# and where there is but one battery
OF_TWO_PACKS = ("idle_pack",)

# Which measured slots each derived one stands on; what is not named here is measured itself or
# made by the link meter. "groups" is the number of cells, which the owner has set or cells show,
# "design" the capacity of the name plate, by the owner or the board, "second" another battery.
_CELLS = ("cell_mv",)
_SESSION = ("current_ma",)
NEEDS = {
    "charging": _SESSION,
    "riding": _SESSION,
    "braking": _SESSION,
    "still": _SESSION,
    "resting": _SESSION,
    "highest_mv": _CELLS,
    "lowest_mv": _CELLS,
    "cell_spread_mv": _CELLS,
    "top_spread_mv": _CELLS,
    "wild_cells": _CELLS,
    "dead_cells": _CELLS,
    "sum_error_mv": ("cell_mv", "pack_mv", "current_ma"),
    "sum_error_permille": ("cell_mv", "pack_mv", "current_ma"),
    "stuck_cell_mv": _CELLS,
    "miscounted_cells": _CELLS,
    "weak_ratio_pct": ("cell_mv", "current_ma"),
    "weak_sag_mv": ("cell_mv", "current_ma"),
    "sag_permille": ("pack_mv", "current_ma"),
    "resistance_pct": ("pack_mv", "current_ma", "temp_dc"),
    "trip_ma": _SESSION,
    "trip_fet": ("discharge_fet", "current_ma"),
    "share_pct": ("pack_mv", "current_ma", "second"),
    "soc_error_pct": ("soc_pct", "pack_mv", "groups"),
    "frozen_load_ms": ("pack_mv", "current_ma"),
    "frozen_ride_ms": ("pack_mv", "current_ma"),
    "stand_in": ("pack_mv", "current_ma", "temp_dc"),
    "cell_jump_mv": ("cell_mv", "current_ma"),
    "coldest_dc": ("temp_dc",),
    "hottest_dc": ("temp_dc",),
    "probe_faults": ("temp_dc",),
    "probe_jump_dc": ("temp_dc",),
    "probe_apart_dc": ("temp_dc",),
    "heat_rise_dc": ("temp_dc", "current_ma"),
    "heat_burst_dc": ("temp_dc",),
    "board_dc": ("mos_temp_dc",),
    "board_over_dc": ("mos_temp_dc", "temp_dc", "current_ma"),
    "untapered_s": ("pack_mv", "current_ma", "groups"),
    "stalled_pct": ("soc_pct", "current_ma", "charging_flag"),
    "overtime_pct": ("soc_pct", "current_ma"),
    "late_s": ("soc_pct", "current_ma"),
    "droop_s": ("soc_pct", "pack_mv", "current_ma"),
    "settle_mv": ("pack_mv", "current_ma"),
    "capacity_pct": ("pack_mv", "current_ma", "groups", "design"),
    "stuck_charges": ("cell_mv", "current_ma"),
    "loss_permille": ("pack_mv", "current_ma", "groups", "clock"),
    "group_fall_mv": ("cell_mv", "current_ma", "clock"),
    "stored": ("current_ma", "clock"),
    "parked_cell_mv": ("pack_mv", "groups"),
    "discharge_ma": _SESSION,
    "fault_level": ("faults_a",),
    "wire_most_mohm": ("wire_mohm",),
    "wire_ratio_pct": ("wire_mohm",),
    "wire_fault": ("wire_mohm", "faults_a"),
    "error_level": ("error_code",),
}


def _codes() -> tuple:
    codes = []
    for row in ROWS:
        if row[0] not in codes:
            codes.append(row[0])
    return tuple(codes)


CODES = _codes()
NAMES = "".join([code + " " for code in CODES])


def option_names(row: tuple) -> list:
    """The option of each level of a row, "" where the limit is not the owner's to choose."""
    stem = row[9] if len(row) > 9 else row[0]
    unit = row[10] if len(row) > 10 else row[1][row[1].rfind("_") + 1 :]
    return [
        "" if low == high else "%s_%s_%s" % (stem, LEVELS[level], unit)
        for level, _, low, high, _ in row[8]
    ]


def needs(row: tuple) -> tuple:
    """Measured slots a row stands on, its gate's included."""
    return NEEDS.get(row[1], (row[1],)) + NEEDS.get(row[3], ())

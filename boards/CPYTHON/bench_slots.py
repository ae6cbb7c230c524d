"""Slots the dongle has no use for and no room for, but the bench shows: what packlab decode tells
of a board's settings and counters. telemetry.py adds them where this file can be found.
"""

BENCH_SLOTS = (
    "mos2_temp_dc",
    "mos3_temp_dc",
    "mos4_temp_dc",
    "balance_ma",
    "balancing",  # 0 = at rest; JK tells 1 = charging a cell, 2 = discharging one
    "heater",
    "alarm_1_raw",  # alarm words as they stand on the wire, where their bits are not all proven
    "alarm_2_raw",
    "alarm_3_raw",
    "alarm_4_raw",
    "shown_pct",  # what the board lets the dashboard show
    "board_lowest_mv",  # lowest cell as the board itself names it
    "alarm_code",
    "controller_flags",
    "controller_soc_pct",
    "controller_pack_mv",
    "average_speed_mh",
    "range_m",
    "mode",
    "throttle_raw",
    "brake_raw",
    "design_mv",
    "coulomb_mah",
    "voltage_mah",
    "made_on",  # yyyymmdd
    "first_used_on",
    "over_current_count",
    "over_discharge_count",
    "fault_code",
    "b_code",
    "cells_low_bits",
    "cells_high_bits",
    "activated",
    "board_version",
    "odometer_m",
    "trip_s",
    "controller_version",  # binary-coded decimal, 0x0134 = 1.3.4
    "ble_version",
    "regen_level",
    "cruise",
    "tail_light",
    "cell_high_clear_mv",
    "cell_low_clear_mv",
    "balance_start_mv",
    "balance_on_mv",
    "balance_off_mv",
    "discharge_limit1_raw",  # unit not stated by any source
    "discharge_delay1_raw",
    "discharge_limit2_raw",
    "discharge_delay2_raw",
    "charge_limit_raw",
    "charge_delay_raw",
    "fet_mode",
    "short_circuit_count",  # how often the BMS says it has stepped in
    "charge_over_current_count",
    "discharge_over_current_count",
    "cell_over_voltage_count",
    "cell_under_voltage_count",
    "charge_over_temperature_count",
    "charge_under_temperature_count",
    "discharge_over_temperature_count",
    "discharge_under_temperature_count",
    "pack_over_voltage_count",
    "pack_under_voltage_count",
    "restart_count",
    "cycled_mah",  # all that ever went through the pack
    "run_time_s",
    "pack_high_mv",  # more limits the BMS itself keeps
    "pack_low_mv",
    "charge_limit_ma",
    "discharge_limit_ma",
    "charge_hot_dc",
    "charge_cold_dc",
    "discharge_hot_dc",
    "discharge_cold_dc",
    "mos_hot_dc",
    "serial",  # texts: bench_rows.py
    "firmware",
    "model",
)

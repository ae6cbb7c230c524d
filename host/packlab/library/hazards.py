"""What must be noticed: one hazard each, and what it brings with it."""

from dataclasses import replace

from packlab.library.kit import ON, RIDE, Tale, cell, fixed, jbd, m365, other, temps, warming
from packlab.made.board import NO_LIMITS, Limits
from packlab.made.readings import Readings

_CHARGER = {"charger_mv": 42_000}
_REST = (0, ON)


def _level(mv: int, lowest_mv: int = 0, number: int = 0, series: int = 13) -> list[int]:
    """Cells at one voltage but one."""
    cells = [mv] * series
    if number:
        cells[number - 1] = lowest_mv
    return cells


def _jumping(t_s: float, mv: int) -> int:
    return mv - 500 if 30 <= t_s < 50 and int(t_s) % 4 < 2 else mv


def _stalled(_: float, now: Readings) -> Readings:
    return replace(now, charge_fet=False, charging=False)


def _drooping(_: float, now: Readings) -> Readings:
    return replace(now, current_ma=800, charging=True, charger_present=True)


def _settling(t_s: float, now: Readings) -> Readings:
    """From the end of the charge on, 1.1 V in 40 min."""
    fallen_mv = max(0, min(85, int((t_s - 700) * 85 / 2400)))
    cells = tuple(mv - fallen_mv for mv in now.cells_mv)
    return replace(now, cells_mv=cells, pack_mv=now.pack_mv - fallen_mv * len(cells))


def _lying(_: float, now: Readings) -> Readings:
    return replace(now, soc_pct=18, remaining_mah=now.full_mah * 18 // 100)


def _wires(_: float, now: Readings) -> Readings:
    wires = [40] * len(now.cells_mv)
    wires[4] = 1200
    return replace(now, wires_mohm=tuple(wires))


def _board(dc: int) -> Tale:
    return other(
        "jk/tlv", {"profile": "jk"}, 130, (0, ON), (20, RIDE), series=14, temp_dc=300,
        misread=fixed(board_dc=dc),
    )  # fmt: skip


_TRIPS = Limits(
    discharge_ma=30_000, charge_ma=20_000, cell_low_mv=2500, delay_ms=500, again_ms=10_000
)

TALES = {
    # cells
    "spread_warn": m365(
        120, _REST, cells_mv=_level(3820, 3700, 3, 10), app=True, differ_mv=0
    ),
    "spread_alarm": m365(
        120, _REST, cells_mv=_level(3820, 3620, 3, 10), app=True, differ_mv=0
    ),
    "spread_at_the_top": jbd(120, _REST, cells_mv=_level(4170, 4125, 3), differ_mv=0),
    "weak_group": jbd(500, _REST, (20, RIDE), weak={3: 190}, capacity_mah=20_000),
    "cell_high_warn": jbd(
        900, _REST, (10, {"charger_mv": 55_055}), (880, {"charger_mv": 0}), cells_mv=4180, pace=4,
        differ_mv=0,
    ),
    "cell_high_alarm": jbd(
        900, _REST, (10, {"charger_mv": 55_705}), (880, {"charger_mv": 0}), cells_mv=4180, pace=4,
        differ_mv=0,
    ),
    "cell_low_info": jbd(120, _REST, cells_mv=3250),
    "cell_low_warn": jbd(120, _REST, cells_mv=2960),
    "cell_low_alarm": jbd(120, _REST, cells_mv=2850),
    "one_dead_group": jbd(
        120, _REST, cells_mv=3750, misread=cell(5, 1800, pack_too=True)
    ),
    "loose_sense_wire": jbd(120, _REST, misread=cell(4, lambda _, mv: mv - 400)),
    "cell_reads_zero": jbd(120, _REST, misread=cell(4, 0)),
    "jumping_wire": jbd(120, _REST, misread=cell(4, _jumping, pack_too=True)),
    "stuck_cell": jbd(
        200, _REST, (20, {"charger_mv": 54_600}), (150, {"charger_mv": 0}), cells_mv=3550, pace=10,
        misread=cell(6, 3550),
    ),
    "wrong_number_of_cells": jbd(
        120, _REST, series=14, dongle={"profile": "jbd", "series": 13}
    ),
    # temperature
    "charge_cold_warn": m365(
        200, _REST, (10, _CHARGER), cells_mv=3660, temp_dc=25, misread=temps(20, 30)
    ),
    "charge_cold_alarm": m365(
        200, _REST, (10, _CHARGER), cells_mv=3660, temp_dc=-35, misread=temps(-40, -30)
    ),
    "charge_hot_info": m365(
        200, _REST, (10, _CHARGER), cells_mv=3730, temp_dc=420, misread=temps(410, 420)
    ),
    "charge_hot_warn": m365(
        200, _REST, (10, _CHARGER), cells_mv=3730, temp_dc=480, misread=temps(470, 480)
    ),
    "charge_hot_alarm": m365(
        200, _REST, (10, _CHARGER), cells_mv=3730, temp_dc=570, misread=temps(560, 570)
    ),
    "discharge_hot_warn": m365(
        140, _REST, (10, RIDE), cells_mv=3730, temp_dc=560, misread=temps(560, 570)
    ),
    "discharge_hot_alarm": m365(
        140, _REST, (10, RIDE), cells_mv=3730, temp_dc=630, misread=temps(620, 640)
    ),
    "dead_probe": m365(120, _REST, (60, {"dead_probe": 2})),
    "probes_apart": m365(140, _REST, misread=temps(200, 340)),
    "heat_rise_warn": jbd(500, _REST, temp_dc=250, misread=warming(250, 12, 3, 10_000)),
    "heat_rise_alarm": jbd(320, _REST, temp_dc=250, misread=warming(250, 40, 3, 450)),
    # charging
    "charger_without_taper": m365(
        1400, _REST,
        (10, {"charger_mv": 42_200, "charger_ma": 1000, "charger_tapers": False}),
        cells_mv=4163,
    ),
    "inlet_overloaded": m365(
        200, _REST, (10, {"charger_mv": 42_000, "charger_ma": 4000}), cells_mv=3660
    ),
    "charge_stalled": other(
        "daly/a5", {"profile": "daly"}, 800, _REST, (20, {"charger_mv": 67_200, "charger_ma": 0}),
        series=16, capacity_mah=20_000, resistance_uohm=5000, misread=_stalled,
    ),
    "charger_forgotten": other(
        "ant/new", {"profile": "ant"}, 8200, _REST,
        (20, {"charger_mv": 84_000, "charger_ma": 300}),
        series=20, capacity_mah=30_000, resistance_uohm=4000, cells_mv=4167, probes=4,
    ),
    "drooping_charger": jbd(
        2200, (0, {**ON, "standing_ma": 500}), cells_mv=3730, misread=_drooping
    ),
    "charge_fet_open_while_riding": jbd(
        120, _REST, (20, RIDE), misread=fixed(charge_fet=False)
    ),
    "wrong_charger": jbd(
        600, _REST, (10, {"charger_mv": 54_600}), (590, {"charger_mv": 0}), series=12,
        cells_mv=4148, pace=6,
    ),
    "settling": jbd(
        3200, _REST, (10, {"charger_mv": 54_600}), (700, {"charger_mv": 0}), cells_mv=4168,
        misread=_settling,
    ),
    # current
    "overcurrent": m365(130, _REST, (10, {**RIDE, "ride_permille": 1500}), cells_mv=4010),
    "overcurrent_happy": other(
        "xiaomi/happy", {"profile": "happy"}, 130, _REST, (10, {**RIDE, "ride_permille": 2420}),
        series=16, capacity_mah=30_000, resistance_uohm=2500, cells_mv=4010,
    ),
    "hard_braking": m365(130, _REST, (10, {**RIDE, "brake_permille": 3900})),
    "braking_when_full": m365(
        130, _REST, (10, {**RIDE, "brake_permille": 850, "brakes_when_full": True}),
        cells_mv=4190,
    ),
    "trip_by_overcurrent": jbd(
        60, _REST, (10, {**RIDE, "ride_permille": 2000}), (40, {"riding": False}), limits=_TRIPS
    ),
    "trip_by_lost_supply": m365(
        70, _REST, (10, RIDE), (12, {"scooter_on": False, "riding": False}), (32, ON)
    ),
    "short_circuit": jbd(
        60, _REST, (10, RIDE), (13, {"shorted": True}), (15, {"shorted": False, "riding": False}),
        limits=replace(NO_LIMITS, short_ma=150_000, again_ms=10_000),
    ),
    "sag": jbd(120, _REST, (20, RIDE), cells_mv=3730, resistance_uohm=36_000),
    # electronics and data line
    "lying_percent": jbd(740, _REST, cells_mv=4070, misread=_lying),
    "emulator": other("xiaomi/emulator", {"profile": "m365"}, 130, _REST, app=True),
    "idle_external_pack": other(
        "ninebot/es4", {"profile": "ninebot", "packs": 2}, 330, _REST, (10, RIDE),
        second=fixed(current_ma=0),
    ),
    "cut_wire": m365(120, _REST, (60, {"reply_wire_cut": True})),
    "noisy_line": m365(
        240, *[(30.0 * n, {**ON, "riding": n % 2 == 1}) for n in range(8)], faults=("bits:5e-4",)
    ),
    "hot_board": _board(850),
    "very_hot_board": _board(970),
    "cold_joint": other(
        "jk/module", {"profile": "jk"}, 130, _REST, series=16, misread=_wires
    ),
}  # fmt: skip

"""What each row of the guardrail table compares, in an owner's words: documents, `packlab config`
and findings say it alike."""

from typing import Any

# By slot; {} is the sense and the limit.
CONDITIONS = {
    "cell_spread_mv": "highest cell minus lowest cell {}",
    "top_spread_mv": "highest cell minus lowest cell {}, with the highest within 50 mV of full",
    "highest_mv": "highest cell {}",
    "lowest_mv": "lowest cell {}",
    "sum_error_mv": "sum of the cells and pack voltage differ by {}",
    "sum_error_permille": "sum of the cells and pack voltage differ by {}",
    "wild_cells": "a cell reads below 0.5 V, or more than a cell can (`ghost_cell_mv`)",
    "dead_cells": "a cell reads 0 V",
    "weak_ratio_pct": "at a step of the load, one group gives way {} of the median one",
    "weak_sag_mv": "at a step of the load, one group gives way {} more than the median one",
    "stuck_cell_mv": "one cell's reading stands still (within 2 mV) while the median moves by {}",
    "sag_permille": "within 2 s of a load of 5 A or more the pack falls by {}",
    "resistance_pct": "resistance of the pack {} of its best, both at 20 °C",
    "trip_ma": "the line dies, or the dongle's supply, within a second of a load {}",
    "trip_fet": "the board opens its discharge MOSFET while riding",
    "share_pct": "share of the current of two packs at one voltage {}, while 5 A or more flow",
    "soc_error_pct": "percent shown and open-circuit voltage differ by {}",
    "frozen_load_ms": "voltage and current repeat exactly while the controller draws 5 A, for {}",
    "frozen_ride_ms": "voltage and current repeat exactly while riding, for {}",
    "stand_in": "the values are those of a chip that stands in for a battery",
    "miscounted_cells": "the board names or reads another number of cells than is set",
    "cell_jump_mv": "a cell jumps by {} while the current stands still",
    "coldest_dc": "coldest probe {}",
    "hottest_dc": "hottest probe {}",
    "probe_faults": "a probe reads what an open or shorted wire reads",
    "probe_jump_dc": "a probe changes by {} within 10 s",
    "probe_apart_dc": "two probes differ by {}",
    "heat_rise_dc": "hottest probe rises by {} within 5 min, in which less than 5 A flows",
    "heat_burst_dc": "hottest probe rises by {} within 3 min, whatever flows",
    "board_dc": "MOSFETs or board {}",
    "board_over_dc": "MOSFETs or board {} above the hottest cell probe, less than 1 A flowing",
    "untapered_s": "near full, and for {} no less than 90 % of the session's highest current",
    "stalled_pct": "no current to speak of, and charge {}",
    "overtime_pct": "more has flowed in than was missing: {} of it",
    "late_s": "charge goes on flowing after the target was reached, for {}",
    "droop_s": "0.5 A and more flow below 80 %, and the voltage has not risen for {}",
    "settle_mv": "within an hour of a charge the pack falls by {}",
    "capacity_pct": "a full charge holds {} of the design capacity",
    "stuck_charges": "charges in a row that end 50 mV apart, without balancing that helps: {}",
    "loss_permille": "loss a day while parked, beyond what the dongle draws {}",
    "group_fall_mv": "while parked a group falls by {} a day more than the median one",
    "parked_cell_mv": "cells stand at {}",
    "pack_mv": "pack {}",
    "current_ma": "current into the pack {}",
    "soc_pct": "percent shown {}",
    "charge_fet": "the board has opened its charge MOSFET",
    "wire_most_mohm": "worst sense wire {}",
    "wire_ratio_pct": "worst sense wire {} of the median one",
    "wire_fault": "the board itself warns of a sense wire",
    "discharge_ma": "current out of the pack {}",
    "fault_level": "the battery board reports {}",
    "error_level": "the controller reports {}",
    "humidity_pct": "air in the deck {} relative humidity",
    "unanswered_ms": "ten requests in a row or more are unanswered, for {}",
    "quiet_ms": "the battery's wire idles high after having spoken, for {}",
    "bit_error_ppm": "bit errors {}, over 30 s",
}
INPUTS = {
    "cell_mv": "every cell of the string, read within half a second",
    "pack_mv": "pack voltage",
    "current_ma": "current",
    "temp_dc": "cell probes",
    "soc_pct": "percent shown",
    "charge_fet": "state of the charge MOSFET",
    "discharge_fet": "state of the discharge MOSFET",
    "groups": "number of cells (`series`, or all cells read)",
    "wire_mohm": "resistance of the sense wires",
    "mos_temp_dc": "the probe of MOSFETs or board",
    "humidity_pct": "a humidity sensor in the deck, or the board's own",
    "charging_flag": "the board's word that a charger is there",
    "design": "capacity of the name plate (`design_mah`, or as the board says)",
    "second": "a second battery that has been heard",
    "clock": "the time of day, told by a phone or the bench before and after",
    "faults_a": "the board's fault bits",
    "error_code": "the controller's error code (dash wire, or a VESC's own line)",
    "unanswered_ms": "requests on the controller's wire",
    "quiet_ms": "the battery's wire",
    "bit_error_ppm": "20 good frames in 30 s (fewer than 3 damaged ones count as none)",
}
GATES = {
    "still": "at rest or charging",
    "resting": "at rest",
    "charging": "while charging",
    "riding": "while riding",
    "braking": "while braking",
    "stored": "at a power-on after 7 days and more",
    "": "",
}
REPORTED = ("", "something harmless", "something wrong", "something dangerous")
SENSES = {">=": "≥", ">": ">", "<=": "≤", "<": "<"}


def quantity(slot: str, number: int) -> str:
    """A number of a slot in the unit that ends its name."""
    match slot.rpartition("_")[2]:
        case "mv":
            return f"{number / 1000:.2f} V" if abs(number) >= 1000 else f"{number} mV"
        case "ma":
            return f"{number / 1000:g} A"
        case "dc":
            return f"{number / 10:g} °C"
        case "ms":
            return duration(number)
        case "s":
            return f"{number / 3600:g} h" if number >= 3600 else f"{number / 60:g} min"
        case "pct":
            return f"{number} %"
        case "mohm":
            return f"{number / 1000:g} Ω" if abs(number) >= 1000 else f"{number} mΩ"
        case "permille":
            return f"{number / 10:g} %"
        case "ppm":
            return f"{number / 100:g} in 10,000"
    return str(number)


def duration(ms: int) -> str:
    """`0.5 s`, `at once`."""
    return f"{ms / 1000:g} s" if ms else "at once"


def condition(row: Any, limit: int) -> str:
    """`while charging: hottest probe ≥ 45 °C`, for one row and one of its limits."""
    slot, sense, gate = row[1], SENSES[row[2]], GATES[row[3]]
    reported = slot in ("fault_level", "error_level")
    wanted = REPORTED[limit] if reported else f"{sense} {quantity(slot, limit)}"
    said = CONDITIONS[slot].format(wanted)
    return f"{gate}: {said}" if gate else said

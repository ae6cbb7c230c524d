"""Values of a trace as people read them: `42.62 V`, `1.98 A charging`, `01:40.1`.

The unit is the end of a slot's name. The firmware's integers come in, text goes out.
"""

from collections.abc import Mapping
from typing import Any

# What the slot of an alert is called in its sentence; others are called by their own name.
QUANTITIES = {
    "cell_spread_mv": "spread",
    "top_spread_mv": "spread when full",
    "highest_mv": "highest",
    "lowest_mv": "lowest",
    "sum_error_mv": "cells and pack differ by",
    "sum_error_permille": "cells and pack differ by",
    "wild_cells": "impossible readings",
    "dead_cells": "cells at 0 V",
    "cell_jump_mv": "jump of",
    "coldest_dc": "coldest probe",
    "hottest_dc": "hottest probe",
    "probe_faults": "broken probes",
    "probe_jump_dc": "jump of",
    "probe_apart_dc": "probes apart by",
    "weak_ratio_pct": "gives way, of the median",
    "weak_sag_mv": "gives way more than the median by",
    "stuck_cell_mv": "the others have moved by",
    "sag_permille": "sag of",
    "resistance_pct": "resistance, of its best",
    "trip_ma": "at a load of",
    "trip_fet": "switched off under way",
    "share_pct": "share",
    "soc_error_pct": "off by",
    "frozen_load_ms": "nothing has changed under load for",
    "frozen_ride_ms": "nothing has changed on a ride for",
    "stand_in": "answers of a stand-in",
    "miscounted_cells": "cells too many or too few",
    "untapered_s": "not eased off for",
    "stalled_pct": "charge",
    "overtime_pct": "charged in, of what was missing",
    "late_s": "still charging for",
    "droop_s": "no rise for",
    "settle_mv": "fallen by",
    "capacity_pct": "capacity",
    "stuck_charges": "charges in a row",
    "loss_permille": "loss a day",
    "group_fall_mv": "falls a day by",
    "parked_cell_mv": "a cell",
    "pack_mv": "pack",
    "current_ma": "current",
    "soc_pct": "shown",
    "charge_fet": "charge switch, 1 = closed",
    "wire_most_mohm": "sense wire",
    "wire_ratio_pct": "sense wire, of the median",
    "wire_fault": "warnings of the board",
    "heat_rise_dc": "risen by",
    "heat_burst_dc": "risen by",
    "board_dc": "electronics",
    "board_over_dc": "above the cells by",
    "humidity_pct": "humidity",
    "discharge_ma": "drawn",
    "unanswered_ms": "unanswered for",
    "quiet_ms": "silent for",
    "bit_error_ppm": "bit errors",
}
COUNTED = frozenset(
    {
        "wild_cells",
        "dead_cells",
        "probe_faults",
        "miscounted_cells",
        "charge_fet",
        "wire_fault",
        "trip_fet",
        "stand_in",
        "stuck_charges",
    }
)
LOWER_IS_WORSE = frozenset(
    {"lowest_mv", "coldest_dc", "charge_fet", "share_pct", "stalled_pct", "capacity_pct"}
)


def value(slot: str, number: int) -> str:
    """`number` in the unit that ends the slot's name."""
    if slot == "pack_mv":
        return f"{number / 1000:.2f} V"
    match slot.rpartition("_")[2]:
        case "mv":
            return f"{number / 1000:.3f} V"
        case "ma":
            return f"{number / 1000:.2f} A"
        case "mah":
            return f"{number} mAh"
        case "dc":
            return f"{number / 10:.1f} °C"
        case "s":
            return f"{number // 60} min {number % 60} s"
        case "min":
            return f"{number} min"
        case "h":
            return f"{number} h"
        case "ms":
            return f"{number / 1000:.1f} s"
        case "mohm":
            return f"{number / 1000:.3f} Ω"
        case "pct":
            return f"{number} %"
        case "permille":
            return f"{number / 10:.1f} %"
        case "ppm":
            return f"{number / 100:.1f} in 10,000"
    return str(number)


def quantity(slot: str, number: int) -> str:
    """`spread 0.112 V`, `broken probes: 1`."""
    name = QUANTITIES.get(slot) or slot.rpartition("_")[0].replace("_", " ") or slot
    return f"{name}{':' if slot in COUNTED else ''} {value(slot, number)}"


def battery(values: Mapping[str, Any]) -> list[str]:
    """What is known of a whole battery: `39.52 V`, `1.98 A charging`, `62 %`, `4836 mAh`."""
    return [
        current(values) if slot == "current_ma" else value(slot, values[slot])
        for slot in ("pack_mv", "current_ma", "soc_pct", "remaining_mah")
        if slot in values
    ]


def current(values: Mapping[str, Any]) -> str:
    """`1.98 A charging`; what flows into the pack while riding is braking."""
    ma = values["current_ma"]
    if ma < 0:
        word = "discharging"
    elif ma == 0:
        word = "(no current)"
    elif values.get("riding") and not values.get("charging"):
        word = "braking"
    else:
        word = "charging"
    return f"{abs(ma) / 1000:.2f} A {word}"


def session(values: Mapping[str, Any]) -> str:
    """What the scooter does: charging, riding, at rest, or '' when that is not clear."""
    for slot, word in (("charging", "charging"), ("riding", "riding"), ("resting", "at rest")):
        if values.get(slot):
            return word
    return ""


def temperatures(values: Mapping[str, Any]) -> list[str]:
    """Each cell probe in its order; '-' for one that is not fitted."""
    return ["-" if dc is None else value("dc", dc) for dc in values.get("temp_dc", ())]


def clock(t_ms: float) -> str:
    """`mm:ss.s`, from an hour on `h:mm:ss.s`; before the start is the start."""
    tenths = round(max(t_ms, 0) / 100)
    minutes, tenths = divmod(tenths, 600)
    text = f"{minutes % 60:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{minutes // 60}:{text}" if minutes >= 60 else text

"""The reasoning rules: what each fact says about where the fault is. docs/diagnose.md lists them,
made from this table.

A rule looks at the evidence and returns a Clue or None. Weights: 3 = hardly anything else explains
it, 2 = it points there, 1 = it fits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from packlab.advice import book
from packlab.diagnose.evidence import LOAD_MA, Evidence
from packlab.view.state import Alert
from packlab.view.words import LEVELS

SIDES = {
    "cells": "the cells",
    "bms": "the BMS, its probes or its wires",
    "charger": "the charger",
    "line": "the data line",
    "use": "the way it is used",
}

FAR_MV = 50  # a group this far from the median at rest is not just noise
SOFT_MV = 40  # under load, beyond what it differs by at rest: a third of what alarms weak_cell
MIRROR_MV = 40  # neighbours this far apart in opposite directions
DRIFT_MV = 30
DRIFT_S = 60.0
FEW = 5  # samples a mean needs
TRUE_SUM_MV = 300  # as guardrail ghost_voltage has it

_BOARD_FAULTS = (
    *("front_end", "charge_fet", "discharge_fet", "temperature_sensor", "current_sensor"),
    *("sense_wire", "communication", "memory", "configuration", "balancer", "precharge"),
)


@dataclass(frozen=True, slots=True)
class Clue:
    """What one rule found. side: of SIDES. group: which, 0 = none in particular."""

    rule: str
    side: str
    weight: int
    text: str
    group: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """says: the rule in one line, for the document."""

    name: str
    side: str
    weight: int
    says: str
    find: Callable[[Evidence], tuple[str, int] | None]

    def apply(self, evidence: Evidence) -> Clue | None:
        """The clue, if the evidence has one."""
        found = self.find(evidence)
        return Clue(self.name, self.side, self.weight, *found) if found else None


def _group(alert: Alert) -> int:
    """The group an alert names; of a second pack none, for the groups that were compared are the
    first's."""
    return alert.cell if alert.pack == 1 else 0


def _unloaded(evidence: Evidence) -> list[float]:
    """How the groups differ at rest, failing that while charging; [] where neither was seen."""
    return evidence.groups["rest"].mean_mv() or evidence.groups["charge"].mean_mv()


def _mirrored(evidence: Evidence) -> tuple[str, int] | None:
    away = _unloaded(evidence)
    for group, (one, other) in enumerate(pairwise(away), 1):
        if abs(one) >= MIRROR_MV and one * other < 0 and abs(one + other) <= abs(one) / 4:
            return (
                f"groups {group} and {group + 1} are off by {one:+.0f} and {other:+.0f} mV: what "
                "one has too much the other lacks, as with a bad sense wire between them"
            ), group
    return None


def _unequal(evidence: Evidence) -> tuple[str, int] | None:
    if _mirrored(evidence) or evidence.alert("ghost_voltage"):
        return None
    away = _unloaded(evidence)
    farthest = max(range(len(away)), key=lambda group: abs(away[group]), default=-1)
    if farthest >= 0 and abs(away[farthest]) >= FAR_MV:
        return (
            f"group {farthest + 1} is {away[farthest]:+.0f} mV from the median without load, and "
            "nothing contradicts the readings"
        ), farthest + 1
    spread = evidence.alert("cell_spread")
    if spread and LEVELS.index(spread.worst_level) >= LEVELS.index("warn"):
        return (
            f"the groups differ by up to {spread.worst} mV at rest or charging, and nothing "
            "contradicts the readings"
        ), _group(spread)
    return None


def _gives_way(evidence: Evidence) -> tuple[str, int] | None:
    load = evidence.groups["load"]
    if load.samples >= FEW:
        at_rest = _unloaded(evidence)
        if len(at_rest) == len(load.away_mv):
            softer = [one - other for one, other in zip(load.mean_mv(), at_rest, strict=True)]
            weakest = min(range(len(softer)), key=softer.__getitem__)
            if softer[weakest] <= -SOFT_MV:
                return (
                    f"group {weakest + 1} gives way {-softer[weakest]:.0f} mV more than the "
                    f"others at {-load.mean_ma() / 1000:.0f} A"
                ), weakest + 1
    weak = evidence.alert("weak_cell")
    if weak:
        return "one group gives way more than the others under load (weak_cell)", _group(weak)
    return None


def _drifts(evidence: Evidence) -> tuple[str, int] | None:
    if evidence.alert("stuck_cell"):
        return None  # the others have moved, not that one
    if evidence.drift_s < DRIFT_S or len(evidence.first_mv) != len(evidence.last_mv):
        return None
    moved = [b - a for a, b in zip(evidence.first_mv, evidence.last_mv, strict=True)]
    most = min(range(len(moved)), key=moved.__getitem__)
    if moved[most] <= -DRIFT_MV:
        return (
            f"group {most + 1} fell {-moved[most]:.0f} mV behind the others within "
            f"{evidence.drift_s / 60:.0f} min without load"
        ), most + 1
    return None


def _sum_is_wrong(evidence: Evidence) -> tuple[str, int] | None:
    ghost = evidence.alert("ghost_voltage")
    if ghost and ghost.unit.startswith("sum_error"):
        return "the groups do not add up to the pack's voltage", 0
    return None


def _dead_and_true(evidence: Evidence) -> tuple[str, int] | None:
    ghost = evidence.alert("ghost_voltage")
    if ghost and ghost.unit == "dead_cells" and _adds_up(evidence):
        return (
            "a group reads 0 V and the pack's own voltage lacks it, too: the group itself is dead"
        ), _group(ghost)
    return None


def _dead_and_false(evidence: Evidence) -> tuple[str, int] | None:
    ghost = evidence.alert("ghost_voltage")
    if ghost and ghost.unit in ("dead_cells", "wild_cells") and not _dead_and_true(evidence):
        return "a group reads what no cell can read: a wire or an input of the board", _group(
            ghost
        )
    return None


def _adds_up(evidence: Evidence) -> bool:
    return evidence.sum_error_mv is not None and evidence.sum_error_mv <= TRUE_SUM_MV


def _jumps(evidence: Evidence) -> tuple[str, int] | None:
    ghost = evidence.alert("ghost_voltage")
    if ghost and ghost.unit == "cell_jump_mv":
        return "a group jumped while the current stood still: a loose contact", _group(ghost)
    return None


def _board_names_it(evidence: Evidence) -> tuple[str, int] | None:
    fault = evidence.alert("bms_fault")
    if fault and fault.fault in _BOARD_FAULTS:
        return f"the board names a fault of its own: {fault.fault.replace('_', ' ')}", 0
    return None


def _protects(*faults: str) -> Callable[[Evidence], tuple[str, int] | None]:
    """A rule that the board's own protection fulfils."""

    def find(evidence: Evidence) -> tuple[str, int] | None:
        found = evidence.alert("bms_fault")
        if found and found.fault in faults:
            return f"the board protects the pack: {book('faults')[found.fault].title}", 0
        return None

    return find


def _tripped_weak(evidence: Evidence) -> tuple[str, int] | None:
    if not evidence.trips and not evidence.alert("bms_trip"):
        return None
    low = evidence.alert("weak_cell") or evidence.alert("cell_low")
    if low:
        return "the battery cut out, and one group was low or weak", _group(low)
    if evidence.lowest:
        group, times = max(evidence.lowest.items(), key=lambda item: item[1])
        if times >= FEW and times * 2 > sum(evidence.lowest.values()):
            return (
                f"the battery cut out, and group {group} was the lowest in {times} of "
                f"{sum(evidence.lowest.values())} checkpoints"
            ), group
    return None


def _tripped_hard(evidence: Evidence) -> tuple[str, int] | None:
    if (evidence.trips or evidence.alert("bms_trip")) and evidence.alert("discharge_current"):
        return "the battery cut out, and more current flowed than it is made for", 0
    return None


def _spoke(*codes: str) -> Callable[[Evidence], tuple[str, int] | None]:
    """A rule that a guardrail's speaking fulfils."""

    def find(evidence: Evidence) -> tuple[str, int] | None:
        for code in codes:
            found = evidence.alert(code)
            if found:
                return book("guardrails")[code].title, _group(found)
        return None

    return find


RULES = (
    Rule("neighbours", "bms", 3, "Two neighbouring groups are off by the same amount, one up, "
         f"one down (from {MIRROR_MV} mV): the sense wire between them.", _mirrored),
    Rule("unequal", "cells", 3, f"A group is {FAR_MV} mV or more from the median without load, "
         "and nothing contradicts the readings: no mirrored neighbour, the sum fits, no value "
         "that cannot be.", _unequal),
    Rule("gives_way", "cells", 3, f"At {LOAD_MA // 1000} A or more a group gives way {SOFT_MV} mV "
         "more than it differs at rest. Wires that only measure carry no current: it is the "
         "group, or the weld that feeds it.", _gives_way),
    Rule("drifts", "cells", 2, f"Without load a group falls {DRIFT_MV} mV or more behind within "
         "the recording: it leaks, or it is balanced.", _drifts),
    Rule("sum_wrong", "bms", 3, "The groups do not add up to the pack's voltage: at least one of "
         "the board's readings is wrong.", _sum_is_wrong),
    Rule("dead_group", "cells", 3, "A group reads 0 V and the sum still fits: the pack's own "
         "voltage lacks it, too.", _dead_and_true),
    Rule("impossible", "bms", 3, "A group reads 0 V, below 0.5 V or more than a cell can, and the "
         "sum does not confirm it.", _dead_and_false),
    Rule("jumps", "bms", 2, "A group jumps while the current stands still.", _jumps),
    Rule("stuck", "bms", 3, "A group's reading stands still while the others move.",
         _spoke("stuck_cell")),
    Rule("sense_wire", "bms", 3, "The board itself measures a bad sense wire.",
         _spoke("sense_wire")),
    Rule("board_fault", "bms", 3, "The board names a fault of its own (measuring chip, switches, "
         "probes, memory, balancer …).", _board_names_it),
    Rule("frozen", "bms", 3, "The values repeat exactly while the scooter is used: the board "
         "hangs, or an adapter answers.", _spoke("frozen_data")),
    Rule("probe", "bms", 1, "A probe reads what cannot be.", _spoke("temp_sensor")),
    Rule("hot_board", "bms", 2, "The board is hot.", _spoke("board_hot")),
    Rule("no_balancing", "bms", 1, "Balancing is not seen, or does not help.",
         _spoke("balance_idle")),
    Rule("counter", "bms", 1, "The percent shown does not fit the voltage: the board's counter.",
         _spoke("soc_mismatch")),
    Rule("switch", "bms", 1, "The charging path is open while riding.", _spoke("charge_fet_off")),
    Rule("settles", "cells", 1, "The voltage falls far after a charge.", _spoke("settle")),
    Rule("leaks", "cells", 2, "The pack or a group loses charge while parked.",
         _spoke("self_discharge")),
    Rule("tired", "cells", 2, "Less capacity than on the label, or voltage gives way under load.",
         _spoke("capacity", "sag")),
    Rule("self_heating", "cells", 2, "It heats up without current, or stands in the sun.",
         _spoke("heat_rise")),
    Rule("weak_trip", "cells", 2, "It cut out while one group was low or weak, or was the lowest "
         f"of most checkpoints ({FEW} or more).", _tripped_weak),
    Rule("hard_trip", "use", 2, "It cut out at more current than it is made for.", _tripped_hard),
    Rule("charger", "charger", 3, "Charging voltage too high, no taper, or no progress.",
         _spoke("charge_voltage", "charger_cc_only", "charger_droop")),
    Rule("charging", "charger", 1, "Charging current too high, too long, or stalled.",
         _spoke("charge_current", "charge_timer", "charge_stalled")),
    Rule("too_full", "charger", 1, "The board protects the pack from too much voltage or charging "
         "current.",
         _protects("cell_over_voltage", "pack_over_voltage", "charge_over_current", "charger")),
    Rule("protected", "use", 1, "The board protects the pack from cold, heat, current or being "
         "emptied.",
         _protects("charge_under_temperature", "charge_over_temperature", "over_temperature",
                   "under_temperature", "discharge_over_temperature", "discharge_over_current",
                   "discharge_under_temperature", "short_circuit", "cell_under_voltage",
                   "pack_under_voltage")),
    Rule("line", "line", 3, "No answer, or a disturbed line.", _spoke("silence", "link_noise")),
    Rule("use", "use", 2, "Current or braking beyond limits, cold or heat, stored badly.",
         _spoke("discharge_current", "regen_current", "regen_full", "charge_cold", "charge_hot",
                "discharge_hot", "storage")),
)  # fmt: skip


def clues(evidence: Evidence) -> list[Clue]:
    """All that the rules find, the weightiest first."""
    found = [clue for rule in RULES if (clue := rule.apply(evidence))]
    return sorted(found, key=lambda clue: -clue.weight)

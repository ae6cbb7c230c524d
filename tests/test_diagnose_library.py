"""packlab diagnose over the scenario library: whom each hazard's finding names, written down from
the story before it was run; an innocent's finding names nobody.

The library's own tests hold what is alerted; these hold what is made of it.
"""

import pytest
from deckwatch.guardrails.table import CODES
from packlab.diagnose.evidence import of_trace
from packlab.diagnose.finding import Finding, find
from packlab.library.judge import expectations
from packlab.library.play import kept, tale, tales
from packlab.replay import Settings
from packlab.traces import trace

# Nobody: nothing was found, or the cells were never seen, or what was found points nowhere
NOBODY = {"none", "unseen"}

# (side, group to look at first, 0 = any or none)
HAZARDS = {
    "spread_warn": ("cells", 3),
    "spread_alarm": ("cells", 3),
    "spread_at_the_top": ("none", 0),  # 45 mV at the top is no more than a remark
    "weak_group": ("cells", 3),
    "cell_high_warn": ("charger", 0),
    "cell_high_alarm": ("charger", 0),
    "cell_low_info": ("none", 0),  # all level: an empty pack
    "cell_low_warn": ("none", 0),
    "cell_low_alarm": ("none", 0),
    "one_dead_group": ("cells", 5),  # 1.8 V, and the pack's own voltage agrees
    "loose_sense_wire": ("bms", 0),
    "cell_reads_zero": ("bms", 4),
    "jumping_wire": ("bms", 4),
    "stuck_cell": ("bms", 6),
    "wrong_number_of_cells": ("none", 0),  # a setting
    "charge_cold_warn": ("use", 0),
    "charge_cold_alarm": ("use", 0),
    "charge_hot_info": ("use", 0),
    "charge_hot_warn": ("use", 0),
    "charge_hot_alarm": ("use", 0),
    "discharge_hot_warn": ("use", 0),
    "discharge_hot_alarm": ("use", 0),
    "dead_probe": ("bms", 0),
    "probes_apart": ("bms", 0),
    "heat_rise_warn": ("cells", 0),
    "heat_rise_alarm": ("cells", 0),
    "charger_without_taper": ("charger", 0),
    "inlet_overloaded": ("charger", 0),
    "charge_stalled": ("charger", 0),
    "charger_forgotten": ("charger", 0),
    "drooping_charger": ("charger", 0),
    "overcurrent": ("use", 0),
    "overcurrent_happy": ("use", 0),
    "hard_braking": ("use", 0),
    "braking_when_full": ("use", 0),
    "charge_fet_open_while_riding": ("bms", 0),
    "trip_by_overcurrent": ("use", 0),
    "trip_by_lost_supply": ("none", 0),  # neither a weak group nor a high current was seen
    "short_circuit": ("use", 0),
    "sag": ("cells", 0),
    "lying_percent": ("bms", 0),
    "emulator": ("bms", 0),
    "idle_external_pack": ("none", 0),
    "cut_wire": ("line", 0),
    "noisy_line": ("line", 0),
    "hot_board": ("bms", 0),
    "very_hot_board": ("bms", 0),
    "cold_joint": ("bms", 5),
    "wrong_charger": ("charger", 0),
    "settling": ("cells", 0),
}
# Less than an alert, and yet worth a look: 90 mV at rest
WORTH_A_LOOK = {"spread_just_below": ("cells", 3)}
SOME = ("spread_warn", "loose_sense_wire", "stuck_cell", "wrong_charger", "ride")


def finding(name: str) -> Finding:
    told = tale(name)
    events = trace(str(kept(name, 1)), Settings(dict(told.dongle), "cpython"))
    return find(of_trace(events, name, "made"))


def names() -> list[object]:
    """A few at once, all of them in the long tests."""
    return [pytest.param(name, marks=() if name in SOME else pytest.mark.soak) for name in tales()]


def test_each_hazard_has_its_culprit() -> None:
    kinds = {name: told["kind"] for name, told in expectations().items()}
    assert set(HAZARDS) == {name for name, kind in kinds.items() if kind == "hazard"}
    assert set(WORTH_A_LOOK) <= {name for name, kind in kinds.items() if kind == "near"}


@pytest.mark.parametrize("name", names())
def test_whom_it_names(name: str) -> None:
    absent = [code for code in expectations()[name]["expect"] if code not in CODES]
    if absent:
        pytest.skip(f"no guardrail yet: {', '.join(absent)}")
    found = finding(name)
    why = [clue.text for clue in found.clues]
    side, group = (HAZARDS | WORTH_A_LOOK).get(name, ("none", 0))
    if side == "none":
        assert found.side in NOBODY, why
    else:
        assert found.side == side, why
    if group:
        assert found.groups[0] == group, why

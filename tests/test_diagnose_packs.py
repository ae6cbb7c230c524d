"""packlab diagnose on whole lines: model packs with one thing wrong, in the cells or in what the
board says of them, through the fake board, the wire, the firmware and the rules.

What each must come to was written down before it was run. A Spoilt source stands between pack and
board: the pack is well, the board's readings are not.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest
from packlab.diagnose.evidence import of_trace
from packlab.diagnose.finding import Finding, find
from packlab.fake.bench import Order, build
from packlab.fake.line import InOrder
from packlab.made.readings import Readings, Source
from packlab.replay import Settings, replay

Change = Callable[[Readings], Readings]


@dataclass
class Spoilt:
    """A board that says something else than is so."""

    source: Source
    change: Change

    def at(self, t_us: int) -> Readings:
        return self.change(self.source.at(t_us))


def cells(now: Readings, pack_by_mv: int = 0, **by_mv: int) -> Readings:
    """Cells read other voltages, by number (c5=-60); a dead one reads 0 whatever it had (c5=0)."""
    told = list(now.cells_mv)
    for name, mv in by_mv.items():
        place = int(name[1:]) - 1
        told[place] = told[place] + mv if mv else 0
    return replace(now, cells_mv=tuple(told), pack_mv=now.pack_mv + pack_by_mv)


def dead_for_true(now: Readings) -> Readings:
    """Group 5 has no voltage, and the pack lacks it, too."""
    return cells(now, -now.cells_mv[4], c5=0)


def diagnosed(scene: str, change: Change | None, seconds: int, **config: object) -> Finding:
    order = Order("jbd", scene=scene, cells=10)
    line = build(order, (lambda source: Spoilt(source, change)) if change else (lambda s: s))
    in_order = InOrder(line.baud)
    events = [*in_order.add(line.advance(seconds * 1_000_000)), *in_order.rest()]
    settings = Settings({"profile": "jbd", "series": 10, **config}, "cpython", telemetry=True)
    return find(of_trace(map(json.loads, replay(iter(events), settings)), scene, "made"))


@pytest.mark.parametrize(
    ("scene", "change", "seconds", "side", "group", "rules"),
    [
        # nothing is wrong
        ("parked", None, 100, "none", 0, set()),
        ("ride", None, 150, "none", 0, set()),
        ("charge", None, 150, "none", 0, set()),
        # the cells
        ("weak_group", None, 150, "cells", 3, {"gives_way"}),
        ("leaking_group", None, 400, "cells", 2, {"drifts"}),
        ("parked", partial(cells, pack_by_mv=-80, c6=-80), 100, "cells", 6, {"unequal"}),
        ("parked", dead_for_true, 100, "cells", 5, {"dead_group"}),
        # the board, its wires, its probes
        ("parked", partial(cells, c4=60, c5=-60), 100, "bms", 4, {"neighbours"}),
        ("parked", partial(cells, c5=0), 100, "bms", 5, {"impossible"}),
        ("parked", partial(cells, pack_by_mv=-1000), 100, "bms", 0, {"sum_wrong"}),
        ("dead_probe", None, 100, "bms", 0, {"probe"}),
        # neither
        ("over_voltage", None, 500, "charger", 7, {"charger", "too_full"}),
        ("cold_charge", None, 100, "use", 0, {"protected"}),
    ],
)
def test_where_the_fault_is(
    scene: str, change: Change | None, seconds: int, side: str, group: int, rules: set[str]
) -> None:
    found = diagnosed(scene, change, seconds)
    assert found.side == side, [clue.text for clue in found.clues]
    assert rules <= {clue.rule for clue in found.clues}
    assert (found.groups[0] if found.groups else 0) == group

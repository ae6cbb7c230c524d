"""The scenarios that can be made: which pack, and what happens to it when.

A scenario is a table of beats; each says what is different from its time on. Times are line time;
pack time runs `pace` times as fast, which is how a whole charge fits into minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from packlab.made.board import NO_LIMITS, Limits
from packlab.made.pack import Group, Pack


@dataclass(frozen=True)
class Beat:
    """A turn of events: from start_s on, `changes` (fields of Scene) hold."""

    start_s: float
    title: str
    changes: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """How its pack is built, its beats, when it ends, its pace, and what its board protects."""

    build_pack: Callable[[Random], Pack]
    beats: tuple[Beat, ...]
    end_s: int
    pace: int = 1
    limits: Limits = field(default_factory=Limits)


def _cold_m365_pack(random: Random) -> Pack:
    """Ten groups at 23 %, 3 °C; group 7 is a little behind the others."""
    groups = [
        Group.at(
            soc_permille=190 if number == 7 else 230 + random.randint(-2, 2),
            capacity_mah=7750 + random.randint(-40, 40),
            resistance_uohm=12_000 + random.randint(-500, 500),
        )
        for number in range(1, 11)
    ]
    return Pack(groups, design_mah=7800, temp_mc=3200)


CHARGE_AND_RIDE = Scenario(
    build_pack=_cold_m365_pack,
    beats=(
        Beat(0, "put away in the cold, switched off", {"ambient_dc": 30}),
        Beat(8, "switched on, standing", {"scooter_on": True}),
        Beat(40, "charger plugged in: it would hold 42.38 V", {"charger_mv": 42_380}),
        Beat(150, "carried into a warmer room", {"ambient_dc": 76}),
        Beat(
            390,
            "an app reads the cells; group 7 leaks",
            {"app_reads_cells": True, "leaking_group": 7, "leak_ma": 1400},
        ),
        Beat(
            560,
            "app closed, leak gone, still charging",
            {"app_reads_cells": False, "leaking_group": 0, "leak_ma": 0},
        ),
        Beat(700, "the charger's regulation slips", {"charger_mv": 42_800}),
        Beat(722, "charger unplugged", {"charger_mv": 0}),
        Beat(745, "ride", {"riding": True, "ambient_dc": 120}),
        Beat(790, "the app reads the cells while riding", {"app_reads_cells": True}),
        Beat(825, "app closed", {"app_reads_cells": False}),
        Beat(835, "standing", {"riding": False}),
        Beat(855, "probe 2 breaks", {"dead_probe": 2}),
        Beat(885, "the wire from the battery is cut", {"reply_wire_cut": True}),
        Beat(900, "switched off", {"scooter_on": False}),
    ),
    end_s=905,
    pace=18,
    limits=NO_LIMITS,  # nothing may end the charge before its time
)

SCENARIOS = {"charge_and_ride": CHARGE_AND_RIDE}

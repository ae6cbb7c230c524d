"""What a board knows of its pack at one moment, in this project's units and signs: what every fake
pack encodes and every test compares with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Readings:
    """Current is + when it charges. temps_dc: None = the probe is broken. balancing: numbers of
    the cells being bled, from 1. faults: names of firmware/deckwatch/faults.py. trips: how often
    each protection has stepped in. load_ma: what the controller draws, - when it brakes."""

    pack_mv: int
    current_ma: int
    cells_mv: tuple[int, ...]
    temps_dc: tuple[int | None, ...]
    board_dc: int
    remaining_mah: int
    full_mah: int
    design_mah: int
    soc_pct: int
    charge_fet: bool = True
    discharge_fet: bool = True
    charger_present: bool = False
    charging: bool = False
    load_ma: int = 0
    balancing: tuple[int, ...] = ()
    balance_ma: int = 0
    faults: frozenset[str] = frozenset()
    trips: Mapping[str, int] = field(default_factory=dict)
    wires_mohm: tuple[int, ...] = ()
    cycles: int = 57
    health_pct: int = 98
    charged_mah: int = 0
    discharged_mah: int = 0
    run_time_s: int = 0


class Source(Protocol):
    """Whoever knows a pack over time."""

    def at(self, t_us: int) -> Readings:
        """The readings that are in force at `t_us` of line time, which never goes back."""
        ...

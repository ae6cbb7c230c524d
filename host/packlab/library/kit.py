"""The words in which a scenario is written: which pack on which board, what happens to it, what
the board misreads, and how the dongle is set.

Cells are given by their voltage at rest, in mV, because that is what a story tells; the charge
follows from the chemistry's curve.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from packlab.made.board import NO_LIMITS, Limits
from packlab.made.chemistry import NMC, Chemistry
from packlab.made.pack import MAMS_PER_MAH, Group, Pack
from packlab.made.readings import Readings
from packlab.made.scenarios import Beat

ON: Mapping[str, Any] = {"scooter_on": True}
RIDE: Mapping[str, Any] = {"scooter_on": True, "riding": True}
Misreading = Callable[[float, Readings], Readings]


@dataclass(frozen=True)
class Tale:
    """One scenario.

    line: family/profile of the fake pack. dongle: its configuration. beats: (from second, what is
    so from then on). cells_mv: at rest at the beginning, one for all or one each. weak: group ->
    times a hundred its resistance. temp_dc: pack and surroundings at the beginning. misread: what
    the board makes of it, at so many seconds. second: the same for a second pack. faults: on the
    wire.
    """

    line: str
    dongle: Mapping[str, Any]
    end_s: int
    beats: Sequence[tuple[float, Mapping[str, Any]]]
    series: int = 10
    cells_mv: int | Sequence[int] = 3820
    chemistry: Chemistry = NMC
    capacity_mah: int = 7800
    resistance_uohm: int = 12_000
    weak: Mapping[int, int] = field(default_factory=dict)
    temp_dc: int = 200
    probes: int = 2
    pace: int = 1
    limits: Limits = NO_LIMITS
    misread: Misreading | None = None
    second: Misreading | None = None
    app: bool = False
    faults: Sequence[str] = ()
    differ_mv: int = 1  # groups differ by up to so much either way

    def pack(self, random: Random) -> Pack:
        """The pack at the beginning."""
        mv = self.cells_mv
        cells = [mv] * self.series if isinstance(mv, int) else list(mv)
        groups = []
        for number, wanted_mv in enumerate(cells, 1):
            wanted_uv = wanted_mv * 1000 + random.randint(-1000, 1000) * self.differ_mv
            resistance = self.resistance_uohm * self.weak.get(number, 100) // 100
            group = Group.at(0, self.capacity_mah, resistance, self.chemistry)
            group.charge_mams = charge_mams(self.chemistry, self.capacity_mah, wanted_uv)
            groups.append(group)
        return Pack(groups, self.capacity_mah, self.temp_dc * 100, self.probes)

    def scene_beats(self) -> tuple[Beat, ...]:
        """As packlab.made plays them."""
        first: dict[str, Any] = {"ambient_dc": self.temp_dc, "app_reads_cells": self.app}
        beats = []
        for number, (start_s, changes) in enumerate(self.beats):
            beats.append(Beat(start_s, "", {**first, **changes} if not number else dict(changes)))
        return tuple(beats)


def charge_mams(chemistry: Chemistry, capacity_mah: int, rest_uv: int) -> int:
    """The charge at which a group of this capacity rests at a voltage (bisection on the curve)."""
    one_pct = capacity_mah * MAMS_PER_MAH // 100
    low, high = -20 * one_pct, 115 * one_pct
    while high - low > one_pct // 100_000:
        middle = (low + high) // 2
        if chemistry.open_circuit_uv(middle, one_pct) < rest_uv:
            low = middle
        else:
            high = middle
    return low


def m365(end_s: int, *beats: tuple[float, Mapping[str, Any]], **more: Any) -> Tale:
    """A stock M365 and its dongle."""
    given: dict[str, Any] = {"line": "xiaomi/m365", "dongle": {"profile": "m365"}, **more}
    return Tale(end_s=end_s, beats=beats, **given)


def jbd(end_s: int, *beats: tuple[float, Mapping[str, Any]], **more: Any) -> Tale:
    """A JBD board with 13 cells; the dongle knows how many."""
    series = more.get("series", 13)
    given: dict[str, Any] = {
        "line": "jbd/plain",
        "dongle": {"profile": "jbd", "series": series},
        "series": series,
        "probes": 3,
        **more,
    }
    return Tale(end_s=end_s, beats=beats, **given)


def other(
    line: str, dongle: Mapping[str, Any], end_s: int, *beats: tuple[float, Mapping[str, Any]],
    **more: Any,
) -> Tale:  # fmt: skip
    """Any other board."""
    return Tale(line, dongle, end_s, beats, **more)


# --- misreadings ---------------------------------------------------------------------------------


def temps(*dc: int | None) -> Misreading:
    """The probes read this, whatever the model's warmth."""
    return lambda _, now: replace(now, temps_dc=dc)


def warming(from_dc: int, dc_per_min: int, probes: int, until_dc: int) -> Misreading:
    """All probes rise evenly."""

    def read(t_s: float, now: Readings) -> Readings:
        dc = min(until_dc, from_dc + int(dc_per_min * t_s / 60))
        return replace(now, temps_dc=(dc,) * probes)

    return read


def cell(
    number: int, change: int | Callable[[float, int], int], *, pack_too: bool = False
) -> Misreading:
    """One cell is read otherwise: always so many mV, or change(seconds, mV). pack_too: the pack
    voltage with it."""

    def read(t_s: float, now: Readings) -> Readings:
        cells = list(now.cells_mv)
        before = cells[number - 1]
        cells[number - 1] = change if isinstance(change, int) else change(t_s, before)
        moved = cells[number - 1] - before if pack_too else 0
        return replace(now, cells_mv=tuple(cells), pack_mv=now.pack_mv + moved)

    return read


def fixed(**values: Any) -> Misreading:
    """Some readings are always this."""
    return lambda _, now: replace(now, **values)

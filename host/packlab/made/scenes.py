"""What a fake pack lives through: the scenes of `packlab fake --scene`, each for any pack.

Each is a scenario of a few beats; the last one goes on for ever. The charger's voltages follow the
pack's number of cells.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from packlab.made.board import Limits
from packlab.made.pack import Pack
from packlab.made.scenarios import Beat, Scenario
from packlab.made.spec import PackSpec
from packlab.made.world import RIDE_PEAK_MA

_FOR_EVER_S = 1 << 30
_ON = {"scooter_on": True}
_NO_CHARGER = {"charger_mv": 0, "charger_tapers": True, "charger_ma": 2000}


@dataclass(frozen=True)
class SceneKind:
    """What it shows, and how it is set."""

    meaning: str
    set_up: Callable[[PackSpec, Limits], Scenario]


def scene(name: str, spec: PackSpec, limits: Limits) -> Scenario:
    """The scene `name` of SCENES for this pack."""
    return SCENES[name].set_up(spec, limits)


def _scenario(
    spec: PackSpec,
    limits: Limits,
    *beats: Beat,
    soc_permille: int = 600,
    temp_dc: int = 180,
    pace: int = 1,
    weak_group: int = 0,
) -> Scenario:
    def build(random: Random) -> Pack:
        return spec.build(random, soc_permille, temp_dc, weak_group)

    return Scenario(build, beats, _FOR_EVER_S, pace, limits)


def _simple(title: str, soc_permille: int = 600, temp_dc: int = 180, **changes: Any) -> SceneKind:
    """One state of the surroundings, from the beginning."""

    def set_up(spec: PackSpec, limits: Limits) -> Scenario:
        beat = Beat(0, title, {"ambient_dc": temp_dc, **_ON, **changes})
        return _scenario(spec, limits, beat, soc_permille=soc_permille, temp_dc=temp_dc)

    return SceneKind(title, set_up)


def _charging(
    title: str, full_permille: int, soc_permille: int = 960, **changes: Any
) -> SceneKind:
    """A charger of so many thousandths of the right voltage."""

    def set_up(spec: PackSpec, limits: Limits) -> Scenario:
        charger = {"charger_mv": spec.full_mv * full_permille // 1000}
        beats = (Beat(0, "standing", _ON), Beat(5, title, charger | changes))
        return _scenario(spec, limits, *beats, soc_permille=soc_permille, pace=10)

    return SceneKind(title, set_up)


def _cold_charge(spec: PackSpec, limits: Limits) -> Scenario:
    beats = (
        Beat(0, "put away in the frost, switched on", {**_ON, "ambient_dc": -60}),
        Beat(10, "charger plugged in", {"charger_mv": spec.full_mv}),
        Beat(120, "carried into a warm room", {"ambient_dc": 220}),
    )
    return _scenario(spec, limits, *beats, temp_dc=-40, pace=10)


def _weak_group(spec: PackSpec, limits: Limits) -> Scenario:
    beat = Beat(0, "ride with a worn-out group 3", {**_ON, "riding": True})
    return _scenario(spec, limits, beat, weak_group=3)


def _leaking_group(spec: PackSpec, limits: Limits) -> Scenario:
    beat = Beat(0, "group 2 leaks", {**_ON, "leaking_group": 2, "leak_ma": 500})
    return _scenario(spec, limits, beat, pace=20)


def _switched_off(spec: PackSpec, limits: Limits) -> Scenario:
    return _scenario(spec, limits, Beat(0, "put away, switched off", {}))


def _everything(spec: PackSpec, limits: Limits, minutes: int) -> Scenario:
    """All there is, once. Pack time runs so much faster that it empties and fills the pack."""
    charger = {"charger_mv": spec.full_mv, "charger_ma": spec.capacity_mah // 4}
    most_permille = limits.discharge_ma * 1000 // RIDE_PEAK_MA
    usual = {"ride_permille": min(spec.capacity_mah * 1000 // 7800, most_permille * 3 // 4)}
    beats = (
        Beat(0, "standing", {**_ON, "ambient_dc": 150, **usual}),
        Beat(60, "ride", {"riding": True}),
        Beat(200, "standing", {"riding": False}),
        Beat(220, "far too steep", {"riding": True, "ride_permille": most_permille * 13 // 10}),
        Beat(250, "standing", {"riding": False, **usual}),
        Beat(320, "a ride until nothing is left", {"riding": True}),
        Beat(680, "standing", {"riding": False}),
        Beat(1200, "in the frost", {"ambient_dc": -150}),
        Beat(1800, "charger plugged in, too cold", charger),
        Beat(2000, "a warm room", {"ambient_dc": 250}),
        Beat(3000, "a probe breaks", {"dead_probe": 1}),
        Beat(3060, "the probe is mended", {"dead_probe": 0}),
        Beat(3300, "a charger for more cells", {"charger_mv": spec.full_mv * 110 // 100}),
        Beat(3450, "unplugged", _NO_CHARGER),
        Beat(3500, "a short circuit", {"shorted": True}),
        Beat(3510, "mended", {"shorted": False}),
    )
    shorter = tuple(replace(beat, start_s=beat.start_s * minutes // 60) for beat in beats)
    pace = 12 * 60 // minutes
    return _scenario(spec, limits, *shorter, soc_permille=800, temp_dc=150, pace=pace)


def _hour(spec: PackSpec, limits: Limits) -> Scenario:
    return _everything(spec, limits, 60)


def _ten_minutes(spec: PackSpec, limits: Limits) -> Scenario:
    return _everything(spec, limits, 10)


SCENES: dict[str, SceneKind] = {
    "parked": _simple("standing, switched on"),
    "ride": _simple("a ride: starts, rolling, braking", riding=True),
    "charge": _charging("a charger that tapers", 1000),
    "cc_only": _charging("a charger that never tapers", 1000, charger_tapers=False),
    "over_voltage": _charging("a charger that holds too much", 1015),
    "wrong_charger": _charging("a charger for more cells", 1300),
    "cold_charge": SceneKind("a charge in the frost, then in a warm room", _cold_charge),
    "hot": _simple("standing, far too hot", temp_dc=680),
    "flat": _simple("a ride until the board switches off", soc_permille=25, riding=True),
    "overload": _simple("more than the board allows", riding=True, ride_permille=4000),
    "short": _simple("a short circuit", shorted=True),
    "weak_group": SceneKind("a ride with a worn-out group", _weak_group),
    "leaking_group": SceneKind("a group with a soft short", _leaking_group),
    "dead_probe": _simple("probe 1 is broken", dead_probe=1),
    "off": SceneKind("put away, switched off: nobody asks", _switched_off),
    "hour": SceneKind("everything once, in an hour", _hour),
    "ten_minutes": SceneKind("the same in ten minutes", _ten_minutes),
}

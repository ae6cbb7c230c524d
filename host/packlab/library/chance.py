"""Hours nobody has written down: innocent ones of riding, parking and charging on any board, and
the same with one fault that comes at some moment. A seed gives the same hour everywhere.

An innocent hour stays within what every pack may do: charged between 10 and 30 °C by the right
charger, ridden gently enough, never near empty. So whatever is warned of in it is false.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from packlab.library.kit import Misreading, Tale, cell, temps
from packlab.made.readings import Readings

HOUR_S = 3600
NOISE = "bits:1e-4"
_MOST_RIDING_S = 900
_ROLLING_S = 10
_SETTLED_S = 120  # after a fault came: the longest hold time, and a second look


@dataclass(frozen=True)
class Bench:
    """A board and its dongle. scooter: its wires fall low with it. cells: told without an app."""

    line: str
    dongle: Mapping[str, Any]
    series: int
    capacity_mah: int
    resistance_uohm: int
    probes: int
    scooter: bool = False
    cells: bool = True


BENCHES = (
    Bench("xiaomi/m365", {"profile": "m365"}, 10, 7800, 12_000, 2, scooter=True, cells=False),
    Bench("xiaomi/pro", {"profile": "pro2"}, 10, 12_800, 7500, 2, scooter=True, cells=False),
    Bench("xiaomi/botox", {"profile": "botox"}, 12, 12_000, 8000, 2, scooter=True, cells=False),
    Bench("xiaomi/happy", {"profile": "happy"}, 14, 20_000, 5000, 2, scooter=True, cells=False),
    Bench("ninebot/es2", {"profile": "ninebot"}, 10, 5200, 18_000, 2, scooter=True, cells=False),
    Bench("jbd/plain", {"profile": "jbd"}, 13, 20_000, 4700, 3),
    Bench("jbd/tail", {"profile": "jbd"}, 16, 15_000, 6000, 3),
    Bench("jk/tlv", {"profile": "jk"}, 14, 20_000, 4700, 2),
    Bench("ant/new", {"profile": "ant"}, 20, 30_000, 3200, 4),
    Bench("daly/a5", {"profile": "daly"}, 16, 20_000, 4700, 2),
    Bench("vesc/bms", {"profile": "vesc"}, 12, 12_000, 8000, 3),
)


@dataclass(frozen=True)
class Fault:
    """One that may come. code: what must be set, at this level at least. charging, riding: what
    must go on meanwhile, else the scooter stands. scene: what is so from then on. misread: what
    the board reads then. cells, scooter: where it can be."""

    code: str
    level: str
    misread: Callable[[Random, Bench], Misreading] | None = None
    scene: Mapping[str, Any] | None = None
    charging: bool = False
    riding: bool = False
    cells: bool = False
    scooter: bool = False


def _some_cell(
    mv: Callable[[int], int], *, pack_too: bool
) -> Callable[[Random, Bench], Misreading]:
    def make(random: Random, bench: Bench) -> Misreading:
        number = random.randint(1, bench.series)
        return cell(number, lambda _, was: mv(was), pack_too=pack_too)

    return make


def _temps(dc: int) -> Callable[[Random, Bench], Misreading]:
    return lambda _, bench: temps(*(dc,) * bench.probes)


FAULTS = (
    Fault("cell_spread", "alarm", _some_cell(lambda mv: mv - 200, pack_too=True), cells=True),
    Fault("ghost_voltage", "alarm", _some_cell(lambda _: 0, pack_too=False), cells=True),
    Fault("ghost_voltage", "warn", _some_cell(lambda mv: mv - 650, pack_too=False), cells=True),
    Fault("cell_low", "alarm", _some_cell(lambda _: 2700, pack_too=True), cells=True),
    Fault("cell_high", "alarm", _some_cell(lambda _: 4300, pack_too=True), cells=True),
    Fault("discharge_hot", "alarm", _temps(630), riding=True),
    Fault("discharge_hot", "warn", _temps(570)),
    Fault("charge_cold", "warn", _temps(30), charging=True),
    Fault("charge_cold", "alarm", _temps(-40), charging=True),
    Fault("charge_hot", "warn", _temps(490), charging=True),
    Fault("temp_sensor", "warn", scene={"dead_probe": 1}, scooter=True),
    Fault("silence", "alarm", scene={"reply_wire_cut": True}, scooter=True),
)


def innocent(seed: int) -> Tale:
    """An hour in which nothing is wrong but a little noise."""
    random = Random(f"innocent/{seed}")
    bench = random.choice(BENCHES)
    return _hour(random, bench)


def faulty(seed: int) -> tuple[Tale, Fault, int]:
    """An hour with one fault, which, and when it comes (s)."""
    random = Random(f"faulty/{seed}")
    bench = random.choice(BENCHES)
    possible = [
        fault
        for fault in FAULTS
        if (bench.cells or not fault.cells) and (bench.scooter or not fault.scooter)
    ]
    fault = random.choice(possible)
    tale = _hour(random, bench)
    at_s = random.randint(300, HOUR_S - 600)
    beats = [beat for beat in tale.beats if beat[0] < at_s]
    state: dict[str, Any] = {
        "scooter_on": True,
        "riding": fault.riding,
        "charger_mv": bench.series * tale.chemistry.full_mv if fault.charging else 0,
        **(fault.scene or {}),
    }
    beats.append((at_s, state))
    misread = fault.misread(random, bench) if fault.misread else None
    if misread is not None:
        beats[-1] = (at_s - _SETTLED_S, state)  # what must go on has begun before
    return replace(tale, beats=tuple(beats), misread=_from(at_s, misread)), fault, at_s


def _from(at_s: int, misread: Misreading | None) -> Misreading | None:
    if misread is None:
        return None

    def read(t_s: float, now: Readings) -> Readings:
        return misread(t_s, now) if t_s >= at_s else now

    return read


def _hour(random: Random, bench: Bench) -> Tale:
    """Stretches of standing, riding, charging, and of being switched off."""
    full_mv = 4200 * bench.series
    at_s, ridden_s = 0, 0
    beats: list[tuple[float, Mapping[str, Any]]] = []
    while at_s < HOUR_S:
        span_s = random.randint(60, 600)
        kind = random.choice(("stand", "ride", "ride", "charge", "off"))
        if kind == "ride" and ridden_s + span_s > _MOST_RIDING_S:
            kind = "stand"
        ridden_s += span_s if kind == "ride" else 0
        if kind == "off" and beats and beats[-1][1]["riding"]:
            beats.append((at_s, {"riding": False}))  # nobody switches off at full throttle
            at_s += _ROLLING_S
        beats.append(
            (
                at_s,
                {
                    "scooter_on": kind != "off" or not bench.scooter,
                    "riding": kind == "ride",
                    "ride_permille": random.randint(500, 1000),
                    "charger_mv": full_mv if kind == "charge" else 0,
                    "charger_ma": random.randint(1500, 2500),
                },
            )
        )
        at_s += span_s
    return Tale(
        bench.line,
        bench.dongle,
        HOUR_S,
        beats,
        series=bench.series,
        cells_mv=random.randint(3780, 3950),
        capacity_mah=bench.capacity_mah,
        resistance_uohm=bench.resistance_uohm,
        temp_dc=random.randint(120, 280),
        probes=bench.probes,
        faults=(NOISE,),
        differ_mv=3,
    )

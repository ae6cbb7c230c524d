"""Guardrails no stock scooter line can show, and those that take long on one: set and cleared
from a feed of values, the same here and on a 32-bit MicroPython, where nothing may allocate."""

import json
from typing import Any

import pytest
from conftest import ROOT, MicroPython
from deckwatch.alert import LEVELS, STATES
from deckwatch.guardrails.table import CODES
from deckwatch.telemetry import INDEX
from pack_rig import TICKS, PackRig

OPTIONS = {"profile": "jk", "series": 10, "regen_current_warn_ma": 20000}
# Those of this feed; tests/test_pipeline.py has the others on a line.
SHOWN_HERE = {
    "cell_count",
    "regen_current",
    "regen_full",
    "charge_fet_off",
    "sense_wire",
    "weak_cell",
    "stuck_cell",
    "sag",
    "bms_trip",
    "soc_mismatch",
    "frozen_data",
    "idle_pack",  # in test_share.py, which has two packs
}


class Feed:
    """rows: one a frame, a frame every 500 ms."""

    def __init__(self, start: int) -> None:
        self.ms = start
        self.rows: list[list[Any]] = []

    def hear(
        self, seconds: float, cells: Any = (), temps: Any = (), wires: Any = (), **slots: int
    ) -> None:
        """The same frame again and again."""
        for _ in range(round(seconds * 2)):
            self.rows.append([self.ms, slots, list(cells), list(temps), list(wires)])
            self.ms += 500


def everything() -> Feed:
    """Sets and clears each guardrail of SHOWN_HERE, across the tick wrap."""
    feed = Feed(TICKS - 30_000)
    calm, wires = [3700] * 10, [40] * 10
    feed.hear(5, cells=[3700] * 12, current_ma=0)
    feed.hear(15, cells=calm, wires=wires, current_ma=0)
    feed.hear(5, wires=[*wires[1:], 1200], current_ma=0)
    feed.hear(15, wires=wires, current_ma=0)
    feed.hear(5, current_ma=-8000, charge_fet=0, soc_pct=99)
    feed.hear(5, current_ma=22000, charge_fet=1, soc_pct=99)
    feed.hear(610, current_ma=-8000, charge_fet=1, soc_pct=90)
    _pulls(feed, calm)
    feed.hear(35, current_ma=0, pack_mv=37000, cells=calm)
    feed.hear(5, current_ma=-5000, discharge_fet=1)
    feed.hear(610, current_ma=0, discharge_fet=0)
    feed.hear(620, current_ma=0, pack_mv=40700, soc_pct=18)
    feed.hear(70, current_ma=0, pack_mv=40700, soc_pct=88)
    feed.hear(4, cells=[2250] * 10, temps=[200] * 2, current_ma=0, pack_mv=22500)
    feed.hear(12, cells=calm, temps=[200] * 2, current_ma=0, pack_mv=37000)
    return feed


def _pulls(feed: Feed, calm: list[int]) -> None:
    """Steps of 10 A: group 4 gives way most, then no more; another's reading stands still."""
    for drop in (400, 400, 400, 200, 200, 200, 200, 200, 200):
        feed.hear(3, cells=calm, current_ma=0, pack_mv=37000, temps=[200] * 2)
        cells = [3700 - (drop if group == 3 else 200) for group in range(10)]
        feed.hear(3, cells=cells, current_ma=-10000, pack_mv=30000, temps=[200] * 2)
    feed.hear(4, cells=[3400] * 9 + [3500], current_ma=0)
    feed.hear(8, cells=[3700] * 9 + [3500], current_ma=0)
    feed.hear(12, cells=calm, current_ma=0)


@pytest.fixture(scope="module")
def feed() -> Feed:
    return everything()


@pytest.fixture(scope="module")
def told(feed: Feed) -> list[str]:
    """What an alert does, here."""
    rig = PackRig(**OPTIONS)
    alerts = rig.pack.alerts
    said: list[str] = []
    rig.on_alert = lambda _, code: said.append(  # type: ignore[method-assign]
        f"{rig.ms} {CODES[code]} {STATES[alerts.state[code]]} {LEVELS[alerts.level[code]]}"
    )
    for ms, slots, cells, temps, wires in feed.rows:
        rig.ms = ms
        rig.t.begin(rig.now)
        for name, value in slots.items():
            rig.t.set(INDEX[name], value)
        for number, mv in enumerate(cells):
            rig.t.set_cell(number, mv)
        for number, dc in enumerate(temps):
            rig.t.set_temp(number, dc)
        for number, mohm in enumerate(wires):
            rig.t.set_wire(number, mohm)
        rig.t.end()
        rig.round(whole=True)
    return said


def test_each_sets_and_clears(told: list[str]) -> None:
    for code in SHOWN_HERE - {"idle_pack"}:
        states = {text.split()[2] for text in told if text.split()[1] == code}
        assert states >= {"set", "clear"}, code


def test_it_does_so_without_a_byte_of_heap(
    micropython32: MicroPython, feed: Feed, told: list[str]
) -> None:
    text = "\n".join(json.dumps(row) for row in [OPTIONS, *feed.rows]) + "\n"
    said = micropython32.run(ROOT / "tests" / "unix" / "pack_locked.py", stdin=text.encode())
    assert said.splitlines() == told

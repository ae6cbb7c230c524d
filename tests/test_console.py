"""What the dongle tells on its USB console, line by line."""

from typing import Any

import pytest
from deckwatch.guardrails.table import CODES, NAMES
from deckwatch.outputs import live
from deckwatch.outputs.console import Console
from deckwatch.telemetry import KEPT
from line_rig import LineRig, ninebot, status, words


class Told:
    """A console on a made line, and what it said."""

    def __init__(self, **options: Any) -> None:
        self.lines: list[str] = []
        self.said = ""
        self.console = Console(self.say, NAMES, 0)
        self.line = LineRig(**options)
        first = self.line.on_alert

        def on_alert(alerts: Any, code: int) -> None:
            first(alerts, code)
            self.console.note(alerts, code)

        self.line.on_alert = on_alert  # type: ignore[method-assign]

    def say(self, *words: str, end: str = "\n") -> None:
        """As print does."""
        self.said += " ".join(words) + end
        *whole, self.said = self.said.split("\n")
        self.lines += whole

    def tell(self) -> list[str]:
        """What is new."""
        self.lines.clear()
        self.console.tell(self.line.core)
        return list(self.lines)


def test_first_it_tells_that_nothing_is_watched() -> None:
    told = Told()
    told.line.advance(0)
    assert told.tell() == ["watch 1", "look no_data 0"]
    assert told.tell() == []


def test_what_is_watched_and_how_it_looks() -> None:
    told = Told()
    told.line.answer(status())
    told.line.advance(210)
    told.line.answer(status())
    watched = told.line.watched()
    assert {"charge_cold", "discharge_current", "bms_trip", "bms_fault", "silence"} <= watched
    assert told.tell() == [
        "watch 1 " + " ".join(code for code in CODES if code in watched),
        "look fine 0",
    ]
    told.console.tell_missing(told.line.core.packs[0].alerts)
    missing = [code for code in CODES if code not in watched]
    assert {"cell_spread", "weak_cell", "controller_error", "link_noise"} <= set(missing)
    assert told.lines[-1] == "not watched: " + " ".join(missing)


def test_alert_with_all_there_is_to_know() -> None:
    told = Told()
    told.line.ride(11, temps_c=(40, 56))
    told.line.ride(1, temps_c=(40, 58))
    lines = told.tell()
    assert (
        "alert discharge_hot set warn value 580 limit 550 hottest_dc where 2 peak 580"
        " count 1 pack 1"
    ) in lines
    assert lines[-1] == "look warn 2"


def test_alerts_come_in_the_order_they_changed() -> None:
    told = Told()
    told.line.ride(12, temps_c=(23, 61), current_ma=-45000)
    codes = [line.split()[1] for line in told.tell() if line.startswith("alert")]
    assert codes == [event.code for event in told.line.events]
    assert codes == ["discharge_current", "discharge_hot"]


def test_more_changes_than_there_is_room_for_are_counted() -> None:
    told = Told()
    alerts = told.line.core.packs[0].alerts
    for number in range(35):
        told.console.note(alerts, number % 3)
    assert told.console.missed == 3
    lines = [line for line in told.tell() if line.startswith("alert")]
    assert [line.split()[1] for line in lines] == [CODES[number % 3] for number in range(32)]
    told.console.note(alerts, 5)
    assert [line.split()[1] for line in told.tell()] == [CODES[5]]


def test_live_values_of_what_is_fresh() -> None:
    told = Told()
    told.line.cells([3700] * 9 + [3650])
    told.line.answer(status(current_ma=-500, temps_c=(23, -19)))
    told.console.tell_live(told.line.core, told.line.now)
    live, link = told.lines
    assert live.startswith("live 1 pack_mv=37000 current_ma=-500 soc_pct=60 remaining_mah=4700 ")
    assert " lowest_mv=3650 " in live
    assert live.endswith(" cell_mv=" + "3700," * 9 + "3650 temp_dc=230,-190")
    assert "faults_" not in live
    assert link == (
        "link frames=2 bad_check=0 bad_length=0 cut=0 noise=0 damaged=0 unknown=0 requests=0"
        " replies=2 overruns=0 score=100 worst=100"
    )


def test_live_values_of_two_packs_once_both_speak() -> None:
    told = Told(profile="ninebot")
    told.line.hear(ninebot(0x22, 0x20, 0x5A, 0x30, status()))
    told.console.tell_live(told.line.core, told.line.now)
    assert [line.split()[:2] for line in told.lines] == [["live", "1"], ["link", "frames=1"]]
    told.lines.clear()
    told.line.hear(ninebot(0x23, 0x20, 0x04, 0x31, words([4700])))
    told.console.tell_live(told.line.core, told.line.now)
    assert told.lines[1] == "live 2 remaining_mah=4700"


def test_probe_that_is_not_fitted_is_a_dash() -> None:
    from deckwatch.telemetry import NO_PROBE

    told = Told()
    t = told.line.core.packs[0].telemetry
    t.begin(0)
    t.set_temp(0, NO_PROBE)
    t.set_temp(1, 250)
    t.end()
    told.console.tell_live(told.line.core, 0)
    assert told.lines[0] == "live 1 temp_dc=-,250"


def test_a_line_of_values_goes_once_over_the_names_and_takes_few_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told every second for an hour, a search for each value from the first name on took longer
    than the core."""

    class Names(str):
        found = 0

        def find(self, *what: Any) -> int:
            Names.found += 1
            return super().find(*what)

    told = Told()
    told.line.answer(status())
    told.line.advance(1000)
    monkeypatch.setattr(live, "SLOT_NAMES", Names(live.SLOT_NAMES))
    calls: list[str] = []
    told.console._say = lambda text, end="\n": calls.append(text + end)
    told.console.tell_live(told.line.core, 1000)
    values, counters = "".join(calls).splitlines()
    assert values.startswith("live 1 pack_mv=")
    assert not values.endswith(" ")
    assert "  " not in values
    assert counters.startswith("link frames=1 ")
    assert Names.found == KEPT
    assert len(values.split()) > 30
    assert len(calls) <= len(values.split()) // 16 + 2

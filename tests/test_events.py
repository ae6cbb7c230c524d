"""The form of the trace: every line is JSON, says what the core says, and names things by their
names.
"""

import json
import sys
from typing import Any

import pytest
from conftest import ROOT
from deckwatch import status
from deckwatch.faults import FAULTS, mask
from deckwatch.guardrails.table import CODES
from deckwatch.outputs.led import AMBER
from deckwatch.status import LOOKS, Status
from deckwatch.telemetry import NO_PROBE
from line_rig import LineRig
from pack_rig import PackRig

sys.path.append(str(ROOT / "boards" / "BENCH"))
import events


def alert(rig: PackRig, code: str) -> dict[str, Any]:
    """The alert's line, read back."""
    line = events.alert(rig.ms, rig.alerts, CODES.index(code))
    return dict(json.loads(line))


def test_alert_of_a_cell() -> None:
    rig = PackRig()
    rig.repeat(6, current_ma=3000, charging_flag=1, cells=[3700] * 7 + [3590, 3700, 3700])
    assert alert(rig, "cell_spread") == {
        "t_ms": 6000,
        "event": "alert",
        "code": "cell_spread",
        "state": "set",
        "level": "warn",
        "value": 110,
        "limit": 100,
        "unit": "cell_spread_mv",
        "cell": 8,
        "peak": 110,
        "count": 1,
        "pack": 1,
    }


def test_alert_of_a_probe_names_the_probe_and_the_pack() -> None:
    rig = PackRig(number=1)
    rig.repeat(11, temps=[230, 560])
    line = alert(rig, "discharge_hot")
    assert (line["probe"], line["pack"], line["unit"]) == (2, 2, "hottest_dc")
    assert "cell" not in line


def test_alert_of_a_fault_and_of_an_error() -> None:
    rig = PackRig()
    for _ in range(2):
        rig.frame(faults_a=0, faults_b=mask(("thermal_runaway",), 1), error_code=21)
    assert alert(rig, "bms_fault")["fault"] == "thermal_runaway"
    assert alert(rig, "controller_error")["error"] == 21
    assert FAULTS[rig.record("bms_fault", "where") - 1] == "thermal_runaway"


def test_alert_without_a_place_names_none() -> None:
    rig = PackRig()
    rig.repeat(1, current_ma=-30000)
    assert set(alert(rig, "discharge_current")) == {
        *("t_ms", "event", "code", "state", "level", "value", "limit", "unit", "peak"),
        *("count", "pack"),
    }


def test_unknown_and_clear() -> None:
    rig = PackRig()
    rig.repeat(1, current_ma=-30000)
    rig.advance(6000)
    assert (
        alert(rig, "discharge_current")["state"],
        alert(rig, "discharge_current")["level"],
    ) == (
        "unknown",
        "warn",
    )
    rig.repeat(4, current_ma=0)
    assert (
        alert(rig, "discharge_current")["state"],
        alert(rig, "discharge_current")["level"],
    ) == (
        "clear",
        "ok",
    )


@pytest.mark.parametrize(
    ("look", "group", "colour", "blinks"),
    [
        (status.OFF, 0, "off", 0),
        (status.NO_DATA, 0, "blue", 1),
        (status.PARTIAL, 0, "blue", 2),
        (status.FINE, 0, "green", 0),
        (status.INFO, 3, "green", 3),
        (status.UNKNOWN, 2, "violet", 2),
        (status.WARN, 1, "amber", 1),
        (status.ALARM, 5, "red", 5),
    ],
)
def test_light(look: int, group: int, colour: str, blinks: int) -> None:
    shown = Status()
    shown.look, shown.group = look, group
    assert json.loads(events.led(12, shown)) == {
        "t_ms": 12,
        "event": "led",
        "look": LOOKS[look],
        "colour": colour,
        "blinks": blinks,
    }


def test_buzzer_and_edges() -> None:
    shown = Status()
    shown.group = 4
    shown.look = LOOKS.index("alarm")
    assert json.loads(events.buzzer(7, shown, 2700)) == {
        "t_ms": 7, "event": "buzzer", "tone_hz": 2700, "beeps": 4,
    }  # fmt: skip
    shown.look = LOOKS.index("info")
    assert json.loads(events.buzzer(7, shown, 1600))["beeps"] == 0
    assert json.loads(events.edge(8, AMBER, 2000)) == {
        "t_ms": 8, "event": "edge", "colour": "amber", "tone_hz": 2000,
    }  # fmt: skip


def test_what_is_watched_and_what_is_not() -> None:
    rig = PackRig()
    rig.frame(temps=[230, 230])
    line = json.loads("".join(events.watch(5, rig.alerts)))
    assert line["watched"] == ["discharge_hot", "temp_sensor", "heat_rise"]
    assert sorted(line["watched"] + line["not_watched"]) == sorted(CODES)
    assert (line["t_ms"], line["event"], line["pack"]) == (5, "watch", 1)


def test_telemetry_has_what_is_fresh_in_units_of_its_names() -> None:
    rig = PackRig()
    rig.hear(soc_pct=50, cycles=12)
    rig.advance(3000)
    rig.hear(pack_mv=37000, cells=[3700, 3701], temps=[230, NO_PROBE, -15], faults_a=1)
    assert json.loads("".join(events.telemetry(rig.ms, 0, rig.t, rig.now))) == {
        "t_ms": 3000,
        "event": "telemetry",
        "pack": 1,
        "pack_mv": 37000,
        "soc_pct": 50,
        "cell_mv": [3700, 3701],
        "temp_dc": [230, None, -15],
        "cycles": 12,
    }
    rig.ms = 5500
    assert "soc_pct" not in json.loads("".join(events.telemetry(rig.ms, 0, rig.t, rig.now)))
    assert json.loads("{" + ",".join(events.values(rig.t, rig.now, True)) + "}")["soc_pct"] == 50


def test_telemetry_of_a_pack_of_which_nothing_is_known() -> None:
    rig = PackRig()
    assert json.loads("".join(events.telemetry(1, 1, rig.t, rig.now))) == {
        "t_ms": 1,
        "event": "telemetry",
        "pack": 2,
    }


def test_summary() -> None:
    line = LineRig()
    line.ride(8.4)
    line.hear(b"\x00\x55")
    line.advance(500)
    text = "".join(events.summary(line.core, 8421, ["cell_high", "silence"], 2))
    summary = json.loads(text)
    assert summary["event"] == "summary"
    assert (summary["profile"], summary["family"]) == ("m365", "xiaomi")
    assert (summary["frames"], summary["noise"], summary["damaged"]) == (80, 2, 1)
    assert (summary["requests"], summary["replies"]) == (40, 40)
    assert (summary["link_score"], summary["worst_link_score"]) == (100, 100)
    assert '"seconds":8.421,' in text
    assert summary["worst_level"] == "warn"
    assert summary["not_watched"] == ["cell_high", "silence"]
    assert summary["last"]["pack_mv"] == 37000
    for count in ("bad_check", "bad_length", "cut", "unknown"):
        assert summary[count] == 0

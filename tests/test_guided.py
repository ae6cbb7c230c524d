"""`packlab recover` and `packlab commission`: slopes, forecasts and what stops a recovery; each
item of the checklist passed, failed and not seen; from a capture, a kept trace and a dongle."""

import json
import os
import pty
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from deckwatch.outputs import journal as layout
from line_rig import LineRig
from packlab.cli import main
from packlab.guided.commission import FAILED, NOT_SEEN, PASSED, Commission, Commissioning
from packlab.guided.pages import commissioning_paper, recovery_line, recovery_paper
from packlab.guided.recover import Recovering, Recovery, of_note
from packlab.made import made_capture_path

CPYTHON = ("--interpreter", "cpython")
EVEN = [3400] * 10


def values(t_s: float, **more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"pack_mv": 37000, "current_ma": 0, "charging": 0, "riding": 0}
    known |= {"temp_dc": [230, 240], "hottest_dc": 240}
    return {"t_ms": round(t_s * 1000), "event": "telemetry", "pack": 1, **(known | more)}


def cells(*cell_mv: int) -> dict[str, Any]:
    return {"cell_mv": list(cell_mv), "highest_mv": max(cell_mv), "lowest_mv": min(cell_mv)}


def alert(t_s: float, code: str, level: str = "warn", **more: Any) -> dict[str, Any]:
    event = {"t_ms": round(t_s * 1000), "event": "alert", "code": code, "state": "set"}
    event |= {"level": level, "value": 1, "limit": 1, "unit": "", "peak": 1, "count": 1, "pack": 1}
    return event | more


def watch(*codes: str) -> dict[str, Any]:
    return {"t_ms": 0, "event": "watch", "pack": 1, "watched": list(codes), "not_watched": []}


def summary(worst: int = 100, frames: int = 100) -> dict[str, Any]:
    link = {"worst_link_score": worst, "frames": frames}
    return {"event": "summary", "seconds": 60.0, "profile": "m365", "family": "xiaomi", **link}


# --- recover -------------------------------------------------------------------------------------


def recovered(
    slope_mv_h: float, hours: float = 0.5, start_mv: int = 3200, **more: Any
) -> Recovery:
    """Group 4 moves evenly; everything else stands at 3400 mV."""
    attempt = Recovering("test", **more)
    steps = 30
    for step in range(steps + 1):
        t_h = hours * step / steps
        now = list(EVEN)
        now[3] = round(start_mv + slope_mv_h * t_h)
        attempt.follow(values(t_h * 3600, **cells(*now)))
    return attempt.result()


def test_slope_distance_and_forecast_of_a_rising_group() -> None:
    result = recovered(200)
    group = result.groups[3]
    assert (group.start_mv, group.now_mv, group.state) == (3200, 3300, "rising")
    assert group.slope_mv_h == pytest.approx(200, abs=3)
    assert group.away_mv == -100
    assert group.left_h == pytest.approx(95 / 200, abs=0.02)
    assert (result.outcome, result.target_mv) == ("on its way", 3400)
    assert result.why == "group 4 needs 0.5 h at this pace"
    assert (result.spread_start_mv, result.spread_now_mv) == (200, 100)


@pytest.mark.parametrize(
    ("slope", "start", "outcome", "state"),
    [
        (200, 3295, "reached", "reached"),  # 3395: within 5 mV
        (200, 3294, "on its way", "rising"),
        (0, 3200, "stuck", "standing"),
        (-100, 3200, "stuck", "falling"),
        (0, 3500, "on its way", "above"),
        (-100, 3500, "on its way", "falling"),  # is bled: 50 mV to go, at this pace half an hour
    ],
)
def test_outcomes(slope: int, start: int, outcome: str, state: str) -> None:
    result = recovered(slope, start_mv=start)
    assert (result.outcome, result.groups[3].state) == (outcome, state)


def test_the_slowest_group_decides() -> None:
    attempt = Recovering("test", target_mv=3500)
    for step in range(21):
        attempt.follow(values(step * 60, **cells(3400 + step, 3400 + 2 * step)))
    result = attempt.result()
    assert [group.state for group in result.groups] == ["rising", "rising"]
    assert result.left_h == result.groups[0].left_h
    assert result.left_h == pytest.approx(75 / 60, abs=0.03)


def test_too_early_to_tell() -> None:
    attempt = Recovering("test")
    attempt.follow(values(0, **cells(3400, 3400, 3000)))
    attempt.follow(values(59.9, **cells(3400, 3400, 3010)))
    assert attempt.result().groups[2].slope_mv_h is None
    assert "too early" in attempt.result().why
    attempt.follow(values(60, **cells(3400, 3400, 3010)))
    assert attempt.result().groups[2].slope_mv_h is not None


def test_the_slope_is_that_of_the_last_quarter_of_an_hour() -> None:
    attempt = Recovering("test", target_mv=3500)
    for minute in range(31):
        mv = 3000 + 10 * min(minute, 15) + max(0, minute - 15)
        attempt.follow(values(minute * 60, **cells(mv, 3500)))
    assert attempt.result().groups[0].slope_mv_h == pytest.approx(60, abs=0.5)


@pytest.mark.parametrize(
    ("event", "stops"),
    [
        (alert(10, "cell_high", "alarm", cell=3), True),
        (alert(10, "charge_hot", probe=1), True),
        (alert(10, "cell_high", "info"), False),
        (alert(10, "cell_spread", "alarm"), False),
        (alert(10, "cell_low", "alarm"), False),
        (alert(10, "charge_hot") | {"state": "clear", "level": "ok"}, False),
    ],
)
def test_heat_and_high_cells_stop_the_attempt_the_spread_does_not(
    event: dict[str, Any], stops: bool
) -> None:
    attempt = Recovering("test")
    attempt.follow(values(0, **cells(*EVEN)))
    attempt.follow(event)
    result = attempt.result()
    assert (result.outcome == "stopped") is stops
    assert bool(result.stops) is stops


@pytest.mark.parametrize(
    ("mv", "outcome", "warning"),
    [
        (2001, "on its way", ""),
        (2000, "on its way", "alone and gently"),
        (1500, "on its way", "alone and gently"),
        (1499, "stopped", "Do not charge this group at all"),
    ],
)
def test_deeply_empty_groups_are_named_apart(mv: int, outcome: str, warning: str) -> None:
    result = recovered(100, start_mv=mv - 50, target_mv=3400)
    assert result.groups[3].now_mv == mv
    assert result.outcome == outcome
    assert warning in result.groups[3].warning
    assert bool(result.groups[3].warning) is bool(warning)
    assert ("Deeply empty groups" in recovery_paper(result).text()) is bool(warning)


def test_without_cells_nothing_is_told() -> None:
    attempt = Recovering("test")
    attempt.follow(values(0))
    result = attempt.result()
    assert (result.outcome, result.groups) == ("unseen", ())
    assert "let an app or the dongle read them" in recovery_paper(result).text().replace("\n", " ")
    assert recovery_line(result, 1000).startswith("00:01.0  unseen: ")


def test_a_line_while_it_goes_on() -> None:
    said = recovery_line(recovered(200), 60_000)
    assert said.startswith("01:00.0  on its way: group 4 needs 0.5 h at this pace; lowest group 4")


def test_a_dongles_own_note_is_a_result() -> None:
    line = LineRig()
    low = [*EVEN[:9], 2900]
    line.ride(3, cells=low, pack_mv=sum(low))
    line.core.begin(1, 3400)
    line.ride(3, cells=low, pack_mv=sum(low))
    guided, t = line.core.guided, line.core.packs[0].telemetry
    t.cell_mv[9] = 3150
    note = guided.told(t, guided.began_s + 1800)
    result = of_note("journal", note)
    assert result is not None
    assert (result.target_mv, result.seconds, len(result.groups)) == (3400, 1800.0, 10)
    weak = result.groups[9]
    assert (weak.start_mv, weak.now_mv, weak.slope_mv_h) == (2900, 3150, 500.0)
    assert weak.left_h == pytest.approx(245 / 500)
    assert (result.outcome, result.spread_start_mv, result.spread_now_mv) == (
        "on its way",
        500,
        250,
    )
    assert of_note("journal", guided.result(t, 1800)) is None
    assert of_note("journal", "acknowledged") is None


@pytest.mark.parametrize("target", ["3400", "34000", "340000"])
def test_a_note_that_was_cut_off_loses_its_last_group_alone(target: str) -> None:
    note = (f"recovering 60 min target {target}: " + "3400>3410 " * 32)[:255]
    result = of_note("journal", note)
    assert result is not None
    assert [group.now_mv for group in result.groups] == [3410] * 22


def test_the_last_session_of_a_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    batch = layout.Batch(512)
    for text in (
        "recovering began, target 3400 mV",
        "recovering 5 min target 3400: 2900>2910 3400>3400",
        "recovering 60 min target 3400: 2910>3396 3400>3400",
    ):
        batch.text(layout.NOTE, text)
    at = 0
    for number in range(3):
        at = layout.seal(batch.buf, at, number + 1)
    path = tmp_path / "1.log"
    path.write_bytes(batch.buf[:at])
    assert main(["recover", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["outcome"], said["groups"][0]["now_mv"]) == ("reached", 3396)
    path.write_bytes(batch.buf[: layout.seal(batch.buf, 0, 1)])
    assert main(["recover", str(path)]) == 2
    assert "tells of no recovering session" in capsys.readouterr().err


# --- commission ----------------------------------------------------------------------------------


def judged(*events: dict[str, Any], **config: Any) -> Commissioning:
    run = Commission("test", {"profile": "m365", **config})
    for event in events:
        run.follow(event)
    return run.result()


def states(*events: dict[str, Any], **config: Any) -> dict[str, str]:
    return {item.name: item.state for item in judged(*events, **config).items}


def ride(seconds: int, start_s: int = 0, **more: Any) -> list[dict[str, Any]]:
    out = {"current_ma": -12_000, "riding": 1, **more}
    return [values(start_s + n, **out) for n in range(seconds + 1)]


def charge(*steps: tuple[int, int], start_s: int = 500) -> list[dict[str, Any]]:
    return [
        values(start_s + n, pack_mv=mv, current_ma=ma, charging=1)
        for n, (mv, ma) in enumerate(steps)
    ]


ALL = [
    watch("ghost_voltage", "bms_fault"),
    values(0, **cells(*[3700] * 9, 3680)),
    *ride(61, 10, charge_fet=1, discharge_fet=1),
    values(80, current_ma=4000, riding=1, charge_fet=1, discharge_fet=1),
    *charge((40_000, 2000), (41_900, 1900), (41_950, 400)),
    summary(),
]


def test_the_whole_list_passes() -> None:
    result = judged(*ALL)
    assert {item.state for item in result.items} == {PASSED}
    assert result.outcome == "passed"
    assert not any(item.how for item in result.items)
    assert "Passed: 10 passed, 0 failed, 0 not seen." in commissioning_paper(result).text()


def test_nothing_seen_is_not_complete_and_says_how() -> None:
    result = judged(values(0))
    by_name = {item.name: item for item in result.items}
    assert by_name["probes agree"].state == PASSED
    assert all(item.state == NOT_SEEN for item in result.items if item.name != "probes agree")
    assert all(item.how for item in result.items if item.state == NOT_SEEN)
    assert result.outcome == "not complete"


@pytest.mark.parametrize(
    ("item", "events", "state"),
    [
        ("groups counted", [values(0, **cells(*[3700] * 9))], FAILED),
        ("groups balanced", [values(0, **cells(*[3700] * 9, 3670))], PASSED),
        ("groups balanced", [values(0, **cells(*[3700] * 9, 3669))], FAILED),
        (
            "groups balanced",
            [values(0, current_ma=-600, **cells(*[3700] * 9, 3600))],
            NOT_SEEN,
        ),
        ("readings true", [watch("ghost_voltage")], PASSED),
        ("readings true", [watch("ghost_voltage"), alert(1, "ghost_voltage")], FAILED),
        ("probes agree", [values(0, temp_dc=[200, 250])], PASSED),
        ("probes agree", [values(0, temp_dc=[200, 251])], FAILED),
        ("probes agree", [values(0), alert(1, "temp_sensor")], FAILED),
        ("no fault reported", [watch("bms_fault"), alert(1, "bms_fault")], FAILED),
        ("no fault reported", [watch("bms_fault"), alert(1, "bms_fault", "info")], PASSED),
        ("charger ends where it should", charge((41_159, 100)), NOT_SEEN),
        ("charger ends where it should", charge((41_160, 2000)), NOT_SEEN),
        ("charger ends where it should", charge((41_160, 2000), (41_160, 501)), NOT_SEEN),
        ("charger ends where it should", charge((41_160, 2000), (41_160, 500)), PASSED),
        (
            "charger ends where it should",
            [*charge((41_160, 2000), (41_160, 500)), alert(600, "charge_voltage")],
            FAILED,
        ),
        ("first ride within the limits", ride(59), NOT_SEEN),
        ("first ride within the limits", ride(60), PASSED),
        ("first ride within the limits", [*ride(60), alert(61, "discharge_current")], FAILED),
        ("no trip", ride(60), PASSED),
        ("no trip", [*ride(60), alert(61, "bms_trip", "alarm")], FAILED),
        ("no trip", [alert(1, "silence", "alarm")], FAILED),
        ("line clean", [summary(worst=95)], PASSED),
        ("line clean", [summary(worst=94)], FAILED),
        ("line clean", [summary(frames=0)], NOT_SEEN),
    ],
)
def test_items(item: str, events: list[dict[str, Any]], state: str) -> None:
    assert states(*events)[item] == state


@pytest.mark.parametrize(
    ("before", "state"),
    [
        ({"charge_fet": 1, "discharge_fet": 1}, PASSED),
        ({"charge_fet": 0, "discharge_fet": 1}, FAILED),
        ({"charge_fet": 1, "discharge_fet": 0}, FAILED),
        ({}, NOT_SEEN),
    ],
)
def test_both_switches_must_be_on_before_the_first_braking(
    before: dict[str, int], state: str
) -> None:
    item = "both FETs on before braking"
    braking = values(11, current_ma=500, riding=1)
    assert states(*ride(10, **before), braking)[item] == state
    assert states(*ride(10, **before), braking | {"current_ma": 499})[item] == NOT_SEEN


def test_samples_far_apart_are_no_ride() -> None:
    far = [values(60 * n, current_ma=-12_000, riding=1) for n in range(10)]
    assert states(*far)["first ride within the limits"] == NOT_SEEN


def test_without_a_number_of_cells_they_cannot_be_counted() -> None:
    events = [values(0, **cells(*[3700] * 14))]
    assert states(*events, profile="jbd")["groups counted"] == NOT_SEEN
    assert states(*events, profile="jbd", series=14)["groups counted"] == PASSED


# --- the commands --------------------------------------------------------------------------------


def test_the_made_ride_fails_where_it_went_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(made_capture_path("charge_and_ride", 1))
    assert main(["commission", path, "--json", *CPYTHON]) == 0
    said = json.loads(capsys.readouterr().out)
    found = {item["name"]: item["state"] for item in said["items"]}
    assert said["outcome"] == "failed"
    assert found["charger ends where it should"] == FAILED
    assert found["probes agree"] == FAILED
    assert found["no trip"] == FAILED
    assert found["groups counted"] == PASSED
    assert found["first ride within the limits"] == PASSED
    out = tmp_path / "recovery.html"
    assert main(["recover", path, "-o", str(out), *CPYTHON]) == 0
    assert "wrote" in capsys.readouterr().out
    assert "<h1>Recovery: charge_and_ride-1" in out.read_text("utf-8")


def test_a_dongle_is_heard_at_its_port(capsys: pytest.CaptureFixture[str]) -> None:
    master, slave = pty.openpty()
    port = os.ttyname(slave)
    shown = ",".join(map(str, [*EVEN[:9], 3300]))
    live = f"live 1 pack_mv=33900 current_ma=0 highest_mv=3400 lowest_mv=3300 cell_mv={shown}\r\n"

    def talk() -> None:
        time.sleep(0.2)
        for line in ("guarding m365 family xiaomi baud 115200\r\n", "watch 1 cell_spread\r\n"):
            os.write(master, line.encode())
        for _ in range(3):
            os.write(master, live.encode())
            os.write(master, b"Traceback (most recent call last):\r\n")
            time.sleep(0.1)

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        assert main(["recover", port, "--seconds", "1.2", "--json"]) == 0
    finally:
        talker.join()
        os.close(master)
        os.close(slave)
    said = json.loads(capsys.readouterr().out)
    assert said["target_mv"] == 3400
    assert [group["now_mv"] for group in said["groups"]] == [*EVEN[:9], 3300]
    assert said["outcome"] == "on its way"


def test_a_live_trace_prints_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.dumps(values(n * 30, **cells(*EVEN[:9], 3300 + n))) for n in range(7)]
    monkeypatch.setattr("sys.stdin", iter(lines))
    assert main(["recover", "-"]) == 0
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines()[:3]] == ["01:00.0", "02:00.0", "03:00.0"]
    assert "Recovery: standard input" in text

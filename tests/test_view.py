"""What people see of a replay: words for every guardrail, the picture, timeline and drawing.

The events are those of boards/BENCH/events.py. Where the view repeats what the firmware knows
(codes, families, light and sound patterns), the two are compared here.
"""

import io
import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from deckwatch import controller_errors, faults, status
from deckwatch.alert import ALARM, GROUPS, LEVELS
from deckwatch.guardrails.table import CODES, ROWS
from deckwatch.outputs.buzzer import Buzzer
from deckwatch.outputs.led import COLOURS, PATTERNS, Led
from packlab import session
from packlab.capture import CaptureReader
from packlab.errors import PacklabError
from packlab.replay import Settings, replay
from packlab.view import player, reports, sentences, show, units, words
from packlab.view.dongle import COLOUR_STYLES, Frame, draw
from packlab.view.plain import Legible, ascii_only
from packlab.view.signals import is_lit, is_sounding
from packlab.view.state import Alert, Light, Picture, Sound
from rich.console import Console

REAL_LINE = "tests/data/captures/m365_standing.cap"

# The table of the guardrail sheet, rows 1 to 40.
SHEET = (
    *("cell_spread", "weak_cell", "cell_high", "cell_low", "ghost_voltage"),
    *("stuck_cell", "cell_count", "charge_cold", "charge_hot", "discharge_hot"),
    *("temp_sensor", "heat_rise", "charge_voltage", "charger_cc_only", "charge_current"),
    *("charge_target", "charge_stalled", "charge_timer", "charger_droop", "discharge_current"),
    *("regen_current", "regen_full", "charge_fet_off", "bms_trip", "sag"),
    *("soc_mismatch", "frozen_data", "idle_pack", "bms_fault", "controller_error"),
    *("silence", "link_noise", "self_discharge", "storage", "settle"),
    *("capacity", "balance_idle", "board_hot", "sense_wire", "humidity"),
)

WATCHED = ["charge_cold", "charge_hot", "temp_sensor", "charge_voltage", "silence"]
NOT_WATCHED = ["cell_spread", "cell_high", "controller_error"]


def watch(t_ms: int, *, cells: bool = False, pack: int = 1) -> dict[str, Any]:
    seen = WATCHED + (NOT_WATCHED[:2] if cells else [])
    unseen = NOT_WATCHED[2:] if cells else NOT_WATCHED
    return {"t_ms": t_ms, "event": "watch", "pack": pack, "watched": seen, "not_watched": unseen}


def telemetry(t_ms: int, pack: int = 1, **values: Any) -> dict[str, Any]:
    known = {"pack_mv": 39520, "current_ma": 1980, "soc_pct": 62, "charging": 1, "riding": 0}
    known |= {"temp_dc": [230, 240]}
    return {"t_ms": t_ms, "event": "telemetry", "pack": pack, **(known | values)}


def cells(*cell_mv: int) -> dict[str, Any]:
    highest, lowest = max(cell_mv), min(mv for mv in cell_mv if mv >= 500)
    spread = {"highest_mv": highest, "lowest_mv": lowest, "cell_spread_mv": highest - lowest}
    return {**spread, "cell_mv": list(cell_mv)}


def alert(t_ms: int, code: str, level: str, unit: str, value: int, **more: Any) -> dict[str, Any]:
    event = {"t_ms": t_ms, "event": "alert", "code": code, "state": "set", "level": level}
    event |= {"value": value, "limit": 100, "unit": unit, "peak": value, "count": 1, "pack": 1}
    return event | more


def led(t_ms: int, look: str, colour: str, blinks: int) -> dict[str, Any]:
    return {"t_ms": t_ms, "event": "led", "look": look, "colour": colour, "blinks": blinks}


def buzzer(t_ms: int, beeps: int, tone_hz: int = 2000) -> dict[str, Any]:
    return {"t_ms": t_ms, "event": "buzzer", "tone_hz": tone_hz, "beeps": beeps}


def summary(**more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("bad_check", "bad_length", "cut", "noise", "damaged", "unknown"), 0)
    event = {"event": "summary", "profile": "m365", "family": "xiaomi", "frames": 138, **counts}
    event |= {"requests": 89, "replies": 49, "link_score": 100, "worst_link_score": 97}
    event |= {"seconds": 10.359, "worst_level": "ok", "not_watched": ["controller_error"]}
    return event | {"last": {"pack_mv": 35940, "current_ma": -20, "soc_pct": 47}} | more


# A charge during which an app reads the cells and group 4 falls behind.
CHARGE = [
    watch(0),
    led(0, "no_data", "blue", 1),
    {"t_ms": 0, "event": "edge", "colour": "blue", "tone_hz": 0},
    telemetry(1000),
    led(1000, "fine", "green", 0),
    telemetry(2000),
    watch(60000, cells=True),
    telemetry(60000, **cells(3912, 3905, 3911, 3800, 0, 0)),
    alert(65000, "cell_spread", "warn", "cell_spread_mv", 112, cell=4),
    led(65000, "warn", "amber", 1),
    buzzer(65000, 1),
    buzzer(125000, 1),
    alert(130000, "cell_spread", "clear", "cell_spread_mv", 75, cell=4, peak=121)
    | {"state": "clear", "level": "ok"},
    led(130000, "fine", "green", 0),
    buzzer(140000, 1),
    summary(worst_level="warn", frames=4000),
]


def folded(*events: dict[str, Any]) -> Picture:
    picture = Picture()
    for event in events:
        picture.fold(event)
    return picture


def page(
    picture: Picture, now_ms: float | None = None, width: int = 80, height: int = 24
) -> list[str]:
    """The drawing as lines of text; the one before it was 50 ms of trace time earlier."""
    now = picture.now_ms if now_ms is None else now_ms
    console = Console(file=io.StringIO(), width=width, height=height)
    frame = Frame("a ride", now, now - 50, 200_000, 2.0)
    console.print(draw(picture, frame, width, height))
    return console.file.getvalue().splitlines()


def printed(events: list[dict[str, Any]], **options: Any) -> str:
    """What `show` writes where there is no terminal."""
    console = Console(file=io.StringIO(), **options)
    show(iter(events), title="a ride", total_s=140.0, speed=None, console=console)
    return console.file.getvalue()


# --- words ---------------------------------------------------------------------------------------


def test_every_guardrail_of_the_sheet_has_its_words() -> None:
    assert len(SHEET) == 40
    assert list(words.GUARDRAILS) == [*SHEET]
    assert set(CODES) <= set(SHEET)


@pytest.mark.parametrize("code", SHEET)
def test_the_words_are_short_titles_and_whole_sentences(code: str) -> None:
    said = words.words(code)
    assert len(said.title) <= 40
    assert not said.title.endswith(".")
    assert said.meaning.count(".") == 1
    for sentence in (said.meaning, said.advice, said.hint):
        assert sentence == "" or (sentence[0].isupper() and sentence.endswith("."))
    assert said.meaning
    assert said.advice
    assert "," not in said.subject  # subjects are counted by their commas
    assert ascii_only(said.title + said.meaning + said.advice + said.hint).count("?") == 0


def test_titles_and_subjects_tell_the_guardrails_apart() -> None:
    assert len({said.title for said in words.GUARDRAILS.values()}) == 40
    assert len({(said.family, said.subject) for said in words.GUARDRAILS.values()}) == 40


def test_families_and_levels_are_the_firmwares() -> None:
    assert words.FAMILIES == GROUPS
    assert words.LEVELS == LEVELS
    assert {row[0]: row[4] for row in ROWS} == {code: words.words(code).family for code in CODES}


def test_every_light_has_words_and_a_style() -> None:
    assert set(words.LOOKS) == set(status.LOOKS)
    assert set(COLOUR_STYLES) == set(COLOURS)


def test_an_unknown_code_is_shown_by_its_name() -> None:
    assert words.words("new_hazard").title == "New hazard"
    assert words.advice("new_hazard", "warn", 1) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [(2950, "charge soon"), (2000, "alone and gently"), (1500, "alone"), (1499, "Do not charge")],
)
def test_deeply_empty_groups_are_named_apart(value: int, said: str) -> None:
    assert said in words.advice("cell_low", "alarm", value)


def test_information_gets_the_milder_advice() -> None:
    assert "Nothing is wrong" in words.advice("cell_high", "info", 4150)
    assert "Unplug" in words.advice("cell_high", "warn", 4220)


def test_a_family_missed_altogether_needs_no_list() -> None:
    known = ["cell_high", "cell_low", "charge_hot", "charge_cold"]
    assert words.not_watched(["cell_low", "charge_cold", "cell_high"], known) == (
        "cells not watched; temperature not watched (charging in the cold)"
    )
    assert words.watched(["cell_high"], known) == "cells (too full)"
    assert words.not_watched([], known) == ""


@pytest.mark.parametrize(
    ("look", "colour", "blinks", "said"),
    [
        ("warn", "amber", 3, "amber, 3 blinks: warning, charging"),
        ("alarm", "red", 1, "red, 1 blink: alarm, cells"),
        ("no_data", "blue", 1, "blue, 1 blink: no data yet"),
        ("off", "off", 0, "off: the scooter is off"),
        ("fine", "green", 0, "green, steady: all that can be watched here is watched and fine"),
    ],
)
def test_a_light_in_words(look: str, colour: str, blinks: int, said: str) -> None:
    assert words.light(look, colour, blinks) == said


def test_faults_and_errors_of_the_firmware_have_words() -> None:
    said = [reports.fault(name) for name in faults.FAULTS]
    assert len(set(said)) == len(faults.FAULTS)
    assert not any("_" in text for text in said)
    alarming = [number for number in range(256) if controller_errors.level_of(number) == ALARM]
    assert len(alarming) == 13
    assert all(reports.error_advice(number) for number in alarming)
    assert reports.error(21) == "number 21, no connection to the battery's BMS"
    assert reports.error(99) == "number 99, meaning not known"
    assert reports.error_advice(99) == ""


def test_an_error_number_is_read_in_the_familys_own_book() -> None:
    error = alert(0, "controller_error", "alarm", "error_level", 3, error=4)
    picture = Picture("vesc")
    picture.fold(error)
    (found,) = picture.standing()
    said = sentences.alert(found, name_pack=False)
    assert said == "Controller error: number 4, absolute over-current"
    assert sentences.advice(found, "alarm").startswith("Ease off")
    unknown = folded(error)
    (found,) = unknown.standing()
    assert "meaning not known" in sentences.alert(found, name_pack=False)
    unknown.fold(summary(family="vesc"))  # the end tells what it was
    assert "absolute over-current" in sentences.alert(found, name_pack=False)


@pytest.mark.parametrize(
    ("config", "family"),
    [
        ({}, "xiaomi"),
        ({"profile": "vesc"}, "vesc"),
        ({"profile": "auto"}, ""),
        ({"profile": 5}, ""),
    ],
)
def test_the_family_is_the_profiles(config: dict[str, Any], family: str) -> None:
    assert session._family(config) == family


# --- values and sentences ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slot", "number", "said"),
    [
        ("pack_mv", 42370, "42.37 V"),
        ("lowest_mv", 2950, "2.950 V"),
        ("discharge_ma", 27350, "27.35 A"),
        ("coldest_dc", -5, "-0.5 °C"),
        ("unanswered_ms", 5792, "5.8 s"),
        ("bit_error_ppm", 310, "3.1 in 10,000"),
        ("sum_error_permille", 12, "1.2 %"),
        ("soc_pct", 47, "47 %"),
        ("remaining_mah", 3697, "3697 mAh"),
        ("cycles", 57, "57"),
    ],
)
def test_a_value_in_its_unit(slot: str, number: int, said: str) -> None:
    assert units.value(slot, number) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"current_ma": 1980, "charging": 1}, "1.98 A charging"),
        ({"current_ma": -27350, "riding": 1}, "27.35 A discharging"),
        ({"current_ma": 6000, "riding": 1, "charging": 0}, "6.00 A braking"),
        ({"current_ma": 0}, "0.00 A (no current)"),
    ],
)
def test_a_current_has_a_direction(values: dict[str, int], said: str) -> None:
    assert units.battery(values) == [said]


@pytest.mark.parametrize(
    ("t_ms", "said"),
    [(-1, "00:00.0"), (61_940, "01:01.9"), (59_960, "01:00.0"), (5_025_500, "1:23:45.5")],
)
def test_the_clock(t_ms: int, said: str) -> None:
    assert units.clock(t_ms) == said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            alert(0, "cell_spread", "warn", "cell_spread_mv", 112, cell=4),
            "Cells out of balance: spread 0.112 V (limit 0.100 V), cell 4",
        ),
        (
            alert(0, "charge_voltage", "alarm", "pack_mv", 42620, limit=42500),
            "Charging voltage too high: pack 42.62 V (limit 42.50 V)",
        ),
        (
            alert(0, "charge_cold", "warn", "coldest_dc", 30, limit=50, probe=1),
            "Charging too cold: coldest probe 3.0 °C (limit 5.0 °C), probe 1",
        ),
        (
            alert(0, "temp_sensor", "warn", "probe_faults", 1, limit=1, probe=2),
            "Temperature probe not believable: broken probes: 1, probe 2",
        ),
        (
            alert(0, "bms_fault", "alarm", "fault_level", 3, fault="short_circuit"),
            "The BMS reports a fault: short circuit",
        ),
        (
            alert(0, "controller_error", "alarm", "error_level", 3, error=40),
            "Controller error: number 40, controller temperature",
        ),
        (
            alert(0, "link_noise", "info", "bit_error_ppm", 310, limit=200),
            "Data line disturbed: bit errors 3.1 in 10,000 (limit 2.0 in 10,000)",
        ),
        (
            alert(0, "board_hot", "warn", "mos_temp_dc", 812, limit=800),
            "BMS board too hot: mos temp 81.2 °C (limit 80.0 °C)",
        ),
    ],
)
def test_an_alert_is_a_sentence(event: dict[str, Any], said: str) -> None:
    (found,) = folded(event).standing()
    assert sentences.alert(found, name_pack=False) == said
    assert sentences.alert(found, name_pack=True) == said + ", pack 1"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_every_rule_of_the_firmware_has_a_named_quantity(row: tuple[Any, ...]) -> None:
    slot = row[1]
    assert slot in units.QUANTITIES or slot in ("fault_level", "error_level")


def test_an_error_number_brings_its_own_advice() -> None:
    (found,) = folded(alert(0, "controller_error", "alarm", "error_level", 3, error=40)).standing()
    assert sentences.advice(found, "alarm") == "Stop and let it cool."


# --- the picture ---------------------------------------------------------------------------------


def test_the_real_and_the_shown_alert_follow_each_other() -> None:
    picture = folded(*CHARGE[:9])
    (found,) = picture.standing()
    assert (found.code, found.level, found.cell, found.worst) == ("cell_spread", "warn", 4, 112)
    picture.fold(telemetry(66000, **cells(3930, 3905, 3911, 3800)))
    assert (found.value, found.worst) == (130, 130)  # as the telemetry says, not only the alert
    for event in CHARGE[9:]:
        picture.fold(event)
    assert picture.standing() == []
    assert picture.past() == [found]
    assert (found.count, found.worst, found.worst_level) == (1, 130, "warn")
    assert (found.since_ms, found.until_ms) == (65000, 130000)


def test_an_alert_out_of_sight_keeps_its_level_and_ranks_below_those_in_sight() -> None:
    spread = alert(1000, "cell_spread", "alarm", "cell_spread_mv", 181, cell=7)
    picture = folded(
        spread,
        spread | {"t_ms": 5000, "state": "unknown"},
        alert(6000, "charge_cold", "warn", "coldest_dc", 30),
        alert(7000, "charge_voltage", "alarm", "pack_mv", 42620),
    )
    assert [(found.code, found.state) for found in picture.standing()] == [
        ("charge_voltage", "set"),
        ("charge_cold", "set"),
        ("cell_spread", "unknown"),
    ]
    assert picture.standing()[2].level == "alarm"
    picture.fold(spread | {"t_ms": 9000, "level": "warn", "peak": 190})
    found = picture.alerts[1, "cell_spread"]
    assert (found.state, found.level, found.worst_level) == ("set", "warn", "alarm")
    assert (found.since_ms, found.first_ms, found.until_ms) == (9000, 1000, None)


def test_the_worst_of_a_low_value_is_the_lowest() -> None:
    low = alert(0, "cell_low", "warn", "lowest_mv", 3000, cell=2)
    picture = folded(low, low | {"level": "alarm", "peak": 2890}, low | {"peak": 2950})
    assert picture.alerts[1, "cell_low"].worst == 2890


def test_inputs_without_a_cell_are_not_shown_but_a_dead_cell_is() -> None:
    picture = folded(telemetry(0, **cells(3900, 0, 3910, 0, 41)))
    assert picture.packs[1].cells_mv == [3900, 0, 3910]
    picture.fold(alert(1000, "ghost_voltage", "alarm", "dead_cells", 1, cell=4))
    picture.fold(telemetry(2000, **cells(3900, 0, 3910, 0, 41)))
    assert picture.packs[1].cells_mv == [3900, 0, 3910, 0]


def test_old_cells_are_not_taken_for_new_ones() -> None:
    picture = folded(telemetry(1000, **cells(3900, 3910)), telemetry(9000, cell_mv=[3900, 3910]))
    assert (picture.packs[1].cells_ms, picture.packs[1].at_ms) == (1000, 9000)


def test_what_one_battery_misses_is_not_watched() -> None:
    picture = folded(watch(0, cells=True), watch(0, pack=2))
    assert picture.not_watched() == ["controller_error"]  # the second has not spoken yet
    picture.fold(telemetry(1000))
    picture.fold(telemetry(1000, pack=2))
    assert picture.not_watched() == ["controller_error", "cell_spread", "cell_high"]
    assert picture.has_several_packs()


# --- light and sound -----------------------------------------------------------------------------


@pytest.mark.parametrize("look", PATTERNS)
@pytest.mark.parametrize("group", [1, 2, 3, 5])
def test_the_light_blinks_as_the_firmwares(look: int, group: int) -> None:
    colour, blinks, _, _, pause_ms = PATTERNS[look]
    told = 0 if pause_ms < 0 else blinks or group
    light = Light(status.LOOKS[look], COLOURS[colour], told, since_ms=1000)
    real = Led()
    shown = status.Status()
    shown.show(look, group, True, 1000)
    for now_ms in range(1000, 8000, 10):
        real.render(shown, now_ms)
        assert is_lit(light, now_ms) == (real.colour != 0), now_ms


@pytest.mark.parametrize("beeps", [1, 3, 5])
def test_the_buzzer_beeps_as_the_firmwares(beeps: int) -> None:
    real = Buzzer()
    shown = status.Status()
    shown.show(status.ALARM, beeps, True, 1000)
    sound = Sound(2700, beeps, at_ms=1000, groups=1)
    for now_ms in range(1000, 6000, 10):
        real.render(shown, now_ms)
        assert is_sounding(sound, now_ms) == bool(real.tone_hz), now_ms


def test_the_chirp_sounds_as_the_firmwares() -> None:
    real = Buzzer()
    shown = status.Status()
    shown.chirp(1000)
    sound = Sound(1600, 0, at_ms=1000, groups=1)
    for now_ms in range(1000, 2000, 10):
        real.render(shown, now_ms)
        assert is_sounding(sound, now_ms) == bool(real.tone_hz), now_ms


def test_the_chirp_is_called_one() -> None:
    assert words.beeps(0, 1600) == "a chirp: good news"
    assert words.beeps(2, 2000) == "2 beeps at 2000 Hz"


# --- the timeline --------------------------------------------------------------------------------


def test_the_timeline_tells_each_event_in_a_line() -> None:
    lines = printed(CHARGE, width=80).splitlines()
    box = next(number for number, line in enumerate(lines) if line.startswith("╭"))
    assert lines[:box] == [
        "a ride",
        "  00:00.0     watch  now watched: temperature, charging, electronics and data line "
        "(lost line); cells not watched; electronics and data line not watched "
        "(controller errors)",
        "  00:00.0  ●  light  blue, 1 blink: no data yet",
        "  00:01.0     values 39.52 V  1.98 A charging  62 %  23.0 °C  24.0 °C  (charging)",
        "  00:01.0  ●  light  green, steady: all that can be watched here is watched and fine",
        "  01:00.0     watch  now watched: cells; electronics and data line not watched "
        "(controller errors)",
        "  01:00.0     values 39.52 V  1.98 A charging  62 %  23.0 °C  24.0 °C  "
        "cells 3.800 to 3.912 V, spread 0.112 V  (charging)",
        "  01:05.0  !  WARN   Cells out of balance: spread 0.112 V (limit 0.100 V), cell 4",
        "  01:05.0  ●  light  amber, 1 blink: warning, cells",
        "  01:05.0  ♪  sound  1 beep at 2000 Hz, repeated",
        "  02:10.0  -  over   Cells out of balance: over, up to 0.121 V, cell 4",
        "  02:10.0  ●  light  green, steady: all that can be watched here is watched and fine",
        "  02:20.0  ♪  sound  1 beep at 2000 Hz, repeated",
    ]


def test_values_are_thinned_but_a_new_session_is_told() -> None:
    events = [telemetry(t_ms) for t_ms in range(0, 100_000, 1000)]
    ride = {"charging": 0, "riding": 1, "current_ma": -5000}
    events += [telemetry(t_ms, **ride) for t_ms in range(100_000, 109_000, 1000)]
    said = re.findall(r"(\d\d:\d\d\.\d) +values .*\((\w+)\)", printed([*events, summary()]))
    assert [when for when, what in said if what == "charging"][:2] == ["00:00.0", "00:05.0"]
    assert len(said) == 22
    assert said[20] == ("01:40.0", "riding")

    console = Console(file=io.StringIO())
    show(iter([*events, summary()]), title="", total_s=2000, speed=None, console=console)
    assert console.file.getvalue().count(" values ") == 3


def test_packs_are_named_when_there_are_two() -> None:
    text = printed(
        [
            telemetry(0),
            telemetry(1000, pack=2),
            alert(2000, "cell_high", "info", "highest_mv", 4150, pack=2, cell=3),
            watch(3000, pack=2),
            summary(),
        ]
    )
    assert "values pack 2  39.52 V" in text
    assert "(limit 0.100 V), cell 3, pack 2" in text
    assert "watch  pack 2: now watched" in text


def test_the_box_says_how_it_ended() -> None:
    box = printed(CHARGE, width=100)
    box = box[box.index("╭") :]
    for said in (
        "4000 frames in 10.4 s, 0 bad; 89 questions, 49 answered",
        "100 of 100, worst 97",
        "35.94 V  0.02 A discharging  47 %",
        "1 warning",
        "! WARN  Cells out of balance: once, up to 0.121 V, cell 4, from 01:05.0 to 02:10.0",
        "→ Balance the marked group",
        "3 groups of beeps",
        "electronics and data line not watched: controller errors",
    ):
        assert " ".join(said.split()) in " ".join(box.split()), said


def test_damage_on_the_line_is_counted_by_kind() -> None:
    bad = summary(bad_check=3, cut=1, noise=17, not_watched=[], last={})
    text = printed([bad], width=120)
    assert "138 frames in 10.4 s, 3 wrong check, 1 cut off, 17 bytes of noise" in text
    assert "nothing is known of the battery" in text
    assert "all was watched at one time or another" in text
    assert "no warning, no alarm" in text


def test_a_trace_without_its_end_is_one_sentence() -> None:
    with pytest.raises(PacklabError, match=r"breaks off at 01:05\.0 without a summary"):
        printed(CHARGE[:9])


def test_show_returns_the_summary() -> None:
    console = Console(file=io.StringIO())
    ended = show(iter(CHARGE), title="", total_s=140, speed=None, console=console)
    assert (ended.frames, ended.worst_level, ended.worst_link_score) == (4000, "warn", 97)
    assert ended.not_watched == ("controller_error",)
    assert [found.code for found in ended.alerts] == ["cell_spread"]
    assert ended.beep_groups == 3


def test_signs_stay_within_ascii_where_the_terminal_ends_there() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(file=file, width=80)
    show(iter(CHARGE), title="Füße…", total_s=140, speed=None, console=console)
    console.print(Legible(draw(folded(*CHARGE[:11]), Frame("", 65000, 0, 1, None), 80, 24)))
    file.flush()
    said = file.buffer.getvalue().decode("ascii")
    assert "O  light  green, steady" in said
    assert "F??e~" in said
    assert re.search(r" 4 #+[.]+ 3\.800 V v! ", said)
    assert "coldest" not in said


# --- the drawing ---------------------------------------------------------------------------------


def test_the_drawing_shows_light_values_cells_alerts_and_what_is_not_watched() -> None:
    lines = page(folded(*CHARGE[:11]))
    assert len(lines) <= 24
    assert {len(line) for line in lines} == {80}
    text = "\n".join(lines)
    for said in (
        "LIGHT   ●  amber, 1 blink: warning, cells",
        "BUZZER  ♪  1 beep at 2000 Hz",
        "PACK    39.52 V   1.98 A charging   62 %   (charging)",
        "PROBES  1: 23.0 °C   2: 24.0 °C",
        "CELLS   ▲ 1: 3.912 V   ▼ 4: 3.800 V   spread 0.112 V",
        "!  WARN   Cells out of balance: spread 0.112 V (limit 0.100 V), cell 4",
        "→ Balance the marked group",
        "WATCH   electronics and data line not watched (controller errors)",
        "01:05.0 of 03:20.0 ━",
        "32%  2×",
    ):
        assert said in text, said
    assert re.search(r" 1 █+.░+ 3\.912 V ▲ ", text)
    assert re.search(r" 4 █+.░+ 3\.800 V ▼! ", text)
    assert not re.search(r"[▲▼!]", next(line for line in lines if " 2 █" in line))


def test_bars_grow_with_the_voltage() -> None:
    lines = page(folded(telemetry(0, **cells(2500, 3400, 4300))))
    bars = [re.search(r" \d ([█░▏▎▍▌▋▊▉]+) ", line) for line in lines]
    drawn = [bar[1] for bar in bars if bar]
    assert [bar.count("█") for bar in drawn] == [0, len(drawn[0]) // 2, len(drawn[0])]


def test_the_dot_blinks_with_the_traces_time() -> None:
    picture = folded(led(1000, "warn", "amber", 2))
    shown = "".join(page(picture, now_ms)[1][10] for now_ms in range(1000, 3000, 250))
    assert shown == "●○●○○○○○"


def test_a_beep_between_two_drawings_is_seen() -> None:
    picture = folded(buzzer(1000, 2))
    assert "♪  2 beeps" in page(picture, 1000 + 49)[2]
    assert "♪" not in page(picture, 1000 + 130)[2]  # the gap
    assert "♪  2 beeps" in page(picture, 1000 + 250)[2]
    assert "-  silent; 2 beeps at 2000 Hz at 00:01.0" in page(picture, 2000)[2]
    picture = folded(buzzer(1000, 1))
    frame = Frame("", 400_000, 900, 800_000, 1000.0)  # a fast replay: the group is long over
    console = Console(file=io.StringIO(), width=80)
    console.print(draw(picture, frame, 80, 24))
    assert "♪  1 beep" in console.file.getvalue()


def test_old_values_tell_their_age() -> None:
    picture = folded(telemetry(1000, **cells(3900, 3910)), telemetry(30_000))
    assert any("CELLS" in line and "59 s ago" in line for line in page(picture, 60_000))
    assert any("PACK" in line and "30 s ago" in line for line in page(picture, 60_000))
    assert any("CELLS" in line and "3 min ago" in line for line in page(picture, 200_000))
    assert not any("ago" in line for line in page(picture, 5000))


def test_nothing_known_is_said() -> None:
    text = "\n".join(page(folded(watch(0), led(0, "no_data", "blue", 1))))
    assert "PACK    nothing heard yet" in text
    assert "ALERTS  none" in text
    assert "CELLS   nobody has read them yet" in "\n".join(page(folded(telemetry(0))))
    switched_off = {"t_ms": 0, "event": "telemetry", "pack": 1}
    assert "PACK    nothing known now" in "\n".join(page(folded(switched_off)))


def test_alerts_go_before_bars_and_advice() -> None:
    many = [telemetry(0, **cells(*range(3600, 3632)))]
    picture = folded(*many, *(alert(t, c, "warn", "pack_mv", t) for t, c in enumerate(SHEET[:3])))
    assert " 32 █" in "\n".join(page(picture, height=26))
    picture = folded(*many, *(alert(t, c, "warn", "pack_mv", t) for t, c in enumerate(SHEET[:16])))
    lines = page(picture, height=26)
    assert len(lines) == 26
    text = "\n".join(lines)
    assert "CELLS   ▲ 32: 3.631 V" in text
    assert " 32 █" not in text
    shown = [code for code in SHEET[:16] if words.words(code).title + ":" in text]
    assert shown == [*SHEET[16 - len(shown) : 16]]  # the newest
    assert f"… and {16 - len(shown)} more" in text
    tall = "\n".join(page(picture, height=80))
    assert all(words.words(code).title + ":" in tall for code in SHEET[:16])
    assert "→ " in tall
    assert " 32 █" in tall


@pytest.mark.parametrize("width", [1, 10, 30, 60, 80, 200])
@pytest.mark.parametrize("height", [1, 10, 24])
def test_no_page_is_too_small(width: int, height: int) -> None:
    picture = folded(*CHARGE[:11], telemetry(66000, pack=2, **cells(*range(3600, 3632))))
    assert all(len(line) <= width for line in page(picture, width=width, height=height))
    assert page(Picture(), width=width, height=height)


# --- live ----------------------------------------------------------------------------------------


def terminal() -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=80, height=24, legacy_windows=False
    )


def test_a_terminal_is_drawn_on_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    console = terminal()

    def paced() -> Iterator[dict[str, Any]]:
        for event in CHARGE:
            time.sleep(0.02)
            yield event

    ended = show(paced(), title="a ride", total_s=140, speed=None, console=console)
    said = console.file.getvalue()
    enter, leave = said.index("\x1b[?1049h"), said.index("\x1b[?1049l")
    assert "LIGHT" in said[enter:leave]
    assert "Cells out of balance" in said[leave:]
    assert "LIGHT" not in said[leave:]
    assert ended.frames == 4000


def test_a_failing_replay_gives_the_terminal_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    console = terminal()

    def broken() -> Iterator[dict[str, Any]]:
        yield from CHARGE[:9]
        time.sleep(0.1)
        raise PacklabError("the core stopped")

    with pytest.raises(PacklabError, match="the core stopped"):
        show(broken(), title="", total_s=140, speed=None, console=console)
    assert "\x1b[?1049l" in console.file.getvalue()


def test_a_slow_terminal_takes_a_tenth_of_the_time_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    drawn = []

    def slow(*arguments: Any) -> Any:
        drawn.append(time.monotonic())
        time.sleep(0.03)
        return draw(*arguments)

    monkeypatch.setattr(player, "draw", slow)
    steady = (time.sleep(0.1) or event for event in CHARGE)
    show(steady, title="", total_s=140, speed=None, console=terminal())
    assert len(drawn) >= 2
    gaps = [later - earlier for earlier, later in pairwise(drawn)]
    assert min(gaps) >= 11 * 0.03


def test_between_events_the_clock_runs_on_at_the_replays_speed() -> None:
    wall_s = 10.0
    clock = player.TraceClock(140_000, 100.0, lambda: wall_s)
    assert clock.now_ms() == 0
    clock.set(1000)
    wall_s += 0.5
    assert clock.now_ms() == 51_000
    clock.set(2000)
    assert clock.now_ms() == 51_000  # never back
    wall_s += 60
    assert clock.now_ms() == 140_000  # nor beyond the end


def test_at_full_speed_the_clock_is_that_of_the_events() -> None:
    wall_s = 10.0
    clock = player.TraceClock(140_000, None, lambda: wall_s)
    clock.set(1000)
    wall_s += 5
    assert clock.now_ms() == 1000


# --- a real line ---------------------------------------------------------------------------------


def test_the_real_line_reads_as_it_should(repo_root: Path) -> None:
    with CaptureReader(repo_root / REAL_LINE) as reader:
        settings = Settings({"profile": "m365"}, "cpython", None, telemetry=True)
        events = [json.loads(line) for line in replay(reader, settings)]
    text = printed(events, width=80)
    for said in (
        "values 35.94 V  0.03 A discharging  47 %  3697 mAh  23.0 °C  23.0 °C",
        "●  light  green, steady: all that can be watched here is watched and fine",
        "138 frames in 10.4 s, 0 bad; 89 questions, 49 answered",
        "no warning, no alarm",
        "cells not watched: balance, weak group, too full, too empty, ",
    ):
        assert said in text, said
    assert "WARN" not in text
    assert "ALARM" not in text


def test_alert_defaults_name_nothing() -> None:
    found = Alert(
        "cell_high", 1, since_ms=0, first_ms=0, unit="highest_mv", value=4150, limit=4150
    )
    assert sentences.alert(found, name_pack=False) == (
        "Cell very full: highest 4.150 V (limit 4.150 V)"
    )

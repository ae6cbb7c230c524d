"""The app as its rider meets it: start, self-test, button, ignition, a wrong configuration, safe
mode, a flash that fails, boards that lack a part."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from app_rig import (
    LEVEL_MS,
    POLL_MS,
    Dongle,
    Trace,
    cells,
    end,
    merged,
    off,
    on,
    polls,
    press,
    status,
)
from deckwatch import config
from deckwatch.expected import expected
from deckwatch.guardrails.rules import Rules
from deckwatch.guardrails.table import CODES
from deckwatch.protocols import xiaomi

WATCHDOG_MS = 7000
LOOK_MS = 40  # how often the button is looked at; it must be steady for as long
SELF_TEST = ["red", "amber", "green", "blue", "off"]
ALARM = ["discharge_hot set alarm"]
HOT = status(temps_c=(62, 61))  # above 60 °C for 10 s: discharge_hot, alarm
UNEVEN = cells([3800] * 9 + [3680])  # 120 mV apart for 5 s: cell_spread, warning


def hot(from_ms: int, to_ms: int) -> Iterator[str]:
    return polls(from_ms, to_ms, HOT)


def uneven(from_ms: int, to_ms: int) -> Iterator[str]:
    """A pack that charges; every second poll tells the cells."""
    for number, line in enumerate(
        polls(from_ms, to_ms, status(current_ma=2000, pack_mv=37880, word=0x41))
    ):
        yield line
        if number % 4 == 3:
            yield f"{int(line.split()[0]) + 20000} bms {UNEVEN}"


def between(trace: Trace, from_ms: int, to_ms: int) -> list[str]:
    """The colours shown in a stretch."""
    return [colour for t_ms, colour in trace.colours() if from_ms <= t_ms < to_ms]


def groups(trace: Trace, from_ms: int) -> list[str]:
    """The colour each hazard group is shown in, when what is watched is shown from then on."""
    shown = []
    for begin_ms in range(from_ms, from_ms + 5 * 750, 750):
        assert colour_at(trace, begin_ms + 625) == "off"
        shown.append(colour_at(trace, begin_ms + 250))
    return shown


def colour_at(trace: Trace, at_ms: int) -> str:
    return next(colour for t_ms, colour in reversed(trace.colours()) if t_ms <= at_ms)


def beeps(trace: Trace, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """(ms, Hz) of the tones that began in a stretch."""
    return [(t_ms, hz) for t_ms, hz in trace.tones() if hz and from_ms <= t_ms < to_ms]


# --- start ---------------------------------------------------------------------------------------


def test_a_new_dongle_shows_its_lights_beeps_once_and_waits_for_data(dongle64: Dongle) -> None:
    trace = dongle64.run([*on(), end(4000)])
    assert [colour for _, colour in trace.colours()][:6] == ["off", *SELF_TEST]
    assert beeps(trace, 0, 4000) == [(1200, 2700)]
    assert trace.tones()[1] == (1350, 0)
    assert trace.looks() == ["no_data"]
    assert between(trace, 1600, 4000) == ["blue", "off"] * 2
    assert trace.said("deckwatch") == ["deckwatch boot 1 cause power_on failed 0 safe 0"]
    assert trace.said("guarding") == ["guarding m365 family xiaomi baud 115200"]


def test_the_light_is_green_as_soon_as_all_that_passes_is_watched(dongle64: Dongle) -> None:
    trace = dongle64.run([*on(), *polls(2000, 4000), end(4500)])
    # the first answer's last byte is in at 2006 ms; two samples must agree
    at_ms = next(t_ms for t_ms, colour in trace.colours() if colour == "green" and t_ms > 1600)
    assert at_ms <= 2006 + POLL_MS
    assert trace.looks() == ["no_data", "fine"]


def test_an_alarm_breaks_into_the_self_test(dongle64: Dongle) -> None:
    feed = merged(on(), hot(0, 20000), press(14000, 1600), [end(20000)])
    trace = dongle64.run(feed)
    assert trace.alerts()[-1] == "discharge_hot set alarm"
    assert "button: self-test" in trace.said()
    at_ms = trace.said_at("look alarm")[0]
    assert set(between(trace, at_ms, 20000)) == {"red", "off"}


def test_a_reset_is_told_by_its_cause_and_kept(dongle64: Dongle) -> None:
    cut = ["5000000 power off", "6000000 power on"]
    trace = dongle64.run(merged(on(), cut, ["9000000 stall 8000000"], [end(22000)]))
    assert trace.said("deckwatch") == [
        "deckwatch boot 1 cause power_on failed 0 safe 0",
        "deckwatch boot 2 cause power_on failed 0 safe 0",
        "deckwatch boot 3 cause watchdog failed 1 safe 0",
    ]
    kept = json.loads((trace.state / "nvs.json").read_text())["deckwatch"]
    assert (kept["iboots"], kept["ifailed"], kept["icause"]) == (3, 2, 3)  # 3 = WDT_RESET


# --- button and ignition -------------------------------------------------------------------------


def test_a_short_press_mutes_an_alarm_and_the_light_goes_on(dongle64: Dongle) -> None:
    feed = merged(on(), hot(2000, 60000), press(30000, 200), [end(60000)])
    trace = dongle64.run(feed)
    alarm_ms = trace.said_at("look alarm")[0]
    assert len(beeps(trace, alarm_ms, 30000)) >= 6  # two beeps every 5 s
    assert trace.said("button") == ["button: acknowledged"]
    assert beeps(trace, 30200 + 2 * LOOK_MS + 10, 60000) == []
    assert between(trace, 59000, 60000).count("red") >= 1


def test_a_bounce_is_no_press_and_a_long_one_no_short_one(dongle64: Dongle) -> None:
    bounce = [line for at in range(5000, 5035, 7) for line in press(at, 3)]
    trace = dongle64.run(merged(on(), bounce, press(7000, 2500), [end(12000)]))
    assert trace.said("button") == ["button: self-test"]


def test_after_an_acknowledgement_a_new_alarm_sounds_again(dongle64: Dongle) -> None:
    feed = merged(
        on(), uneven(2000, 40000), press(20000, 200), hot(40000, 70000), [end(70000)]
    )  # fmt: skip
    trace = dongle64.run(feed)
    assert trace.alerts()[0] == "cell_spread set warn"
    assert beeps(trace, 21000, 40000) == []
    assert len(beeps(trace, 40000, 70000)) >= 4


def test_a_long_press_runs_the_self_test_and_tells_what_is_watched(dongle64: Dongle) -> None:
    feed = merged(on(), polls(2000, 20000), press(10000, 2000), [end(20000)])
    trace = dongle64.run(feed)
    begin_ms = trace.said_at("button: self-test")[0]
    assert 11500 <= begin_ms <= 11500 + 2 * LOOK_MS
    assert between(trace, begin_ms, begin_ms + 1500) == SELF_TEST
    assert [t_ms - begin_ms for t_ms, _ in beeps(trace, 10000, 20000)] == [1200]
    # five groups: on a stock M365 line all that can be watched of each is
    told_ms = trace.said_at("watched group 1")[0]
    assert told_ms == begin_ms + 2000
    assert groups(trace, told_ms) == ["green"] * 5
    assert trace.said("watched group") == [f"watched group {n}: all" for n in (1, 2, 3, 4, 5)]
    settings = config.load({})
    watched = expected(settings, Rules(settings).armed, xiaomi.STEADY)
    unwatched = [code for number, code in enumerate(CODES) if not watched[number]]
    unwatched.remove("silence")  # which needs no word from the battery
    assert trace.said("not watched")[0].split()[2:] == unwatched
    assert trace.colours()[-1][1] == "green"


def test_the_self_test_on_a_silent_line_shows_blue_for_what_is_not_watched(
    dongle64: Dongle,
) -> None:
    trace = dongle64.run(merged(on(), press(3000, 2000), [end(12000)]))
    told_ms = trace.said_at("watched group 1")[0]
    assert groups(trace, told_ms) == ["blue"] * 5


@pytest.mark.parametrize(("apart_ms", "mutes"), [(2500, True), (6000, False)])
def test_the_ignition_twice_off_and_on_acknowledges(
    dongle64: Dongle, apart_ms: int, mutes: bool
) -> None:
    """Off, on, off, on within 15 s."""
    times = [20000 + apart_ms * n for n in range(4)]
    back_ms = times[3]
    feed = merged(
        on(), hot(2000, times[0]), off(times[0]), on(times[1]),
        off(times[2]), on(back_ms), hot(back_ms + 500, back_ms + 30000), [end(back_ms + 30000)],
    )  # fmt: skip
    trace = dongle64.run(feed)
    assert len(beeps(trace, 12000, 20000)) >= 2
    # the alarm stands again once its 10 s are over; the light says so, the buzzer if it may
    assert "red" in between(trace, back_ms + 25000, back_ms + 30000)
    assert (beeps(trace, back_ms + LEVEL_MS, back_ms + 30000) == []) is mutes


# --- configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('{"cell_spred_warn_mv": 80}', '"cell_spred_warn_mv" is no option'),
        ('{"cell_spread_warn_mv": 5}', "it must be a whole number from 20 to 1000"),
        ('{"profile": "m356"}', "\"profile\" is 'm356'; it must be one of"),
        ("[1]", "config.json must hold a JSON object"),
        ('{"profile": m365}', "config refused:"),
        ("", "config refused:"),
        ("[" * 3000, "config refused:"),
        ("\x00\x01 no text \x7f", "config refused:"),
    ],
)
def test_a_wrong_configuration_is_shown_and_guarded_without(
    dongle64: Dongle, config: str, says: str
) -> None:
    trace = dongle64.run(merged(on(), hot(3000, 18000), [end(18000)]), config)
    (told,) = trace.said("config refused")
    assert says in told
    assert between(trace, 0, 2500)[:8] == ["off", *["violet", "amber"] * 3, "off"]
    assert [hz for _, hz in beeps(trace, 0, 2500)] == [2000, 2000]
    assert trace.said("guarding") == ["guarding m365 family xiaomi baud 115200"]
    assert trace.alerts() == ALARM
    assert trace.causes() == ["PWRON"]


def test_a_wrong_configuration_is_shown_again_while_nothing_is_wrong(dongle64: Dongle) -> None:
    trace = dongle64.run(merged(on(), polls(3000, 100000), [end(100000)]), '{"profil": 1}')
    shown = [t_ms for t_ms, colour in trace.colours() if colour == "violet"]
    begins = [t_ms for t_ms in shown if not any(t_ms - 2000 < s < t_ms for s in shown)]
    assert [round(t_ms / 1000) for t_ms in begins] == [0, 30, 60, 90]
    assert [t_ms for t_ms, hz in trace.tones() if hz] == [250, 1250]  # once, and then light alone


def test_a_family_that_this_firmware_does_not_know_is_searched_anew(dongle64: Dongle) -> None:
    first = dongle64.run(merged(on(), polls(500, 12000), [end(12000)]), {"profile": "auto"})
    assert first.said("guarding") == ["guarding m365 family xiaomi baud 115200"]
    kept = first.state / "nvs.json"
    told = json.loads(kept.read_text())
    told["deckwatch"]["bfamily"] = b"nobody".hex()
    kept.write_text(json.dumps(told))
    again = dongle64.run(merged(on(), polls(500, 12000), [end(12000)]), state=first.state)
    assert again.said("guarding") == ["guarding m365 family xiaomi baud 115200"]
    assert again.causes() == ["PWRON"]
    assert json.loads(kept.read_text())["deckwatch"]["bfamily"] == b"xiaomi".hex()


# --- safe mode -----------------------------------------------------------------------------------

BROKEN = '"""A poller that cannot be."""\nraise RuntimeError("broken")\n'
ASKS = {"mode": "assist"}


def broken(dongle: Dongle) -> Path:
    """A firmware in which the owner's mode ends every start."""
    return dongle.changed(dongle.firmware, {"deckwatch/poller.py": BROKEN})


def test_safe_mode_comes_after_five_failed_starts_and_goes_after_a_good_minute(
    dongle64: Dongle,
) -> None:
    trace = dongle64.run(
        merged(on(), hot(30000, 73000), [end(76000)]), ASKS, firmware=broken(dongle64)
    )
    starts = [line.split()[-3:] for line in trace.said("deckwatch")]
    assert starts[:6] == [[str(n), "safe", "0"] for n in range(5)] + [["5", "safe", "1"]]
    safe_ms = trace.said_at("deckwatch")[5]
    assert safe_ms == 5 * 2300  # each: a pause of 2 s, then the chip's own 300 ms
    assert between(trace, safe_ms, safe_ms + 1000) == ["off", *["amber", "blue"] * 2, "off"]
    assert trace.alerts() == ALARM
    # it has lasted a minute: the owner's settings get another chance
    again_ms = trace.said_at("deckwatch")[6]
    assert safe_ms + 60000 <= again_ms <= safe_ms + 63500
    assert starts[6] == ["0", "safe", "0"]


def test_a_start_that_lasts_a_minute_ends_the_count(dongle64: Dongle) -> None:
    firmware = broken(dongle64)
    first = dongle64.run([*on(), end(8000)], ASKS, firmware=firmware)
    assert [line.split()[-3] for line in first.said("deckwatch")] == ["0", "1", "2", "3"]
    well = dongle64.run(["70000000 stall 8000000", end(90000)], {}, state=first.state)
    assert [line.split()[-3] for line in well.said("deckwatch")] == ["0", "0"]


def test_a_supply_switched_on_and_off_is_no_failure(dongle64: Dongle) -> None:
    feed = [
        line for n in range(12)
        for line in (f"{(n * 3 + 2) * 1000000} power off", f"{(n * 3 + 3) * 1000000} power on")
    ]  # fmt: skip
    trace = dongle64.run([*feed, end(40000)])
    assert len(trace.said("deckwatch")) == 13
    assert {line.split()[-1] for line in trace.said("deckwatch")} == {"0"}


# --- flash ---------------------------------------------------------------------------------------

NVS = """\
from esp32_whole import *
from esp32_whole import NVS as _NVS

class NVS(_NVS):
    pass

def fails(self, *args):
    raise OSError(-0x1105, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")

NVS.{method} = fails
"""


@pytest.mark.parametrize(
    "method", ["__init__", "get_i32", "set_i32", "get_blob", "set_blob", "commit", "erase_key"]
)
def test_an_nvs_that_fails_does_not_stop_the_guards(dongle64: Dongle, method: str) -> None:
    board = dongle64.changed(dongle64.board, {"modules/esp32.py": NVS.format(method=method)})
    whole = dongle64.board / "modules" / "esp32.mpy"
    (board / "modules" / "esp32_whole.mpy").write_bytes(whole.read_bytes())
    trace = dongle64.run(merged(on(), hot(2000, 80000), [end(80000)]), {"profile": "auto"},
                         board=board)  # fmt: skip
    assert trace.said("guarding") == ["guarding m365 family xiaomi baud 115200"]
    assert trace.alerts() == ALARM
    assert trace.causes() == ["PWRON"]


def test_a_slow_flash_does_not_stop_the_guards(dongle64: Dongle) -> None:
    slow = ["0 flash 80000"]
    trace = dongle64.run(merged(slow, on(), hot(2000, 80000), [end(80000)]), {"console_s": 1})
    assert trace.alerts() == ALARM
    link = trace.link()
    assert (link["bad_check"], link["cut"], link["noise"]) == (0, 0, 0)


# --- boards --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lacks", ["NEOPIXEL", "LED", "BUZZER", "BUTTON", "HOST_TX_RX", "DASH_RX"])
def test_a_board_without_a_part_guards_with_the_rest(dongle64: Dongle, lacks: str) -> None:
    finger = [line.replace("BUTTON", "0") for line in press(15000, 200)]
    feed = merged(on(), hot(2000, 20000), finger, [end(20000)])
    trace = dongle64.run(feed, pins=dongle64.with_pins(without=[lacks]))
    assert trace.causes() == ["PWRON"]
    assert trace.alerts() == ALARM
    assert (trace.of("sound") == []) is (lacks == "BUZZER")
    assert (trace.of("pix") == []) is (lacks == "NEOPIXEL")
    assert (trace.said("button") == []) is (lacks == "BUTTON")


@pytest.mark.parametrize("chip", ["esp32", "esp32s3", "esp32c3"])
def test_every_chip_guards_with_the_receivers_it_has(dongle64: Dongle, chip: str) -> None:
    trace = dongle64.run(merged(on(), hot(2000, 20000), [end(20000)]), {"console_s": 1}, chip=chip)
    assert trace.causes() == ["PWRON"]
    assert trace.alerts() == ALARM
    (missing,) = [trace.said("line 1")] if chip == "esp32c3" else [["none"]]
    assert len(missing) == 1  # a C3 has no UART 2: said once
    assert (trace.link()["requests"] == 0) is (chip == "esp32c3")


def test_a_plain_light_tells_the_level_by_its_rhythm(dongle64: Dongle) -> None:
    pins = dongle64.with_pins(without=["NEOPIXEL"])
    trace = dongle64.run(merged(on(), hot(2000, 20000), [end(20000)]), pins=pins)
    alarm_ms = trace.said_at("look alarm")[0]
    edges = [(x.t_ms - alarm_ms, int(x.rest.split()[1])) for x in trace.of("pin")
             if x.t_ms >= alarm_ms and x.rest.startswith("2 ")]  # fmt: skip
    lit = [t_ms for t_ms, level in edges if level]
    assert [b - a for a, b in pairwise(lit)][:4] == [700, 200, 700, 200]

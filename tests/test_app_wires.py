"""In mode listen no pin wired to the scooter is ever an output, in the whole life of the app, on
every chip and every board of this project."""

from collections.abc import Callable
from pathlib import Path

import pytest
from app_rig import (
    BOARD,
    ROOT,
    Dongle,
    Trace,
    end,
    merged,
    off,
    on,
    polls,
    press,
    status,
)

# What UART(1) and UART(2) drive when they are not told (MicroPython 1.24 to 1.28).
DEFAULT_TX = {10, 17}
WIRED = ("BMS_TX_RX", "HOST_TX_RX", "DASH_RX", "BMS_RX_TX")
# chip, board
BOARDS = [
    ("esp32", "VIRTUAL"),
    ("esp32s3", "VIRTUAL"),
    ("esp32c3", "VIRTUAL"),
    ("esp32", "ESP32_DEV"),
    ("esp32s3", "ESP32_S3_MINI"),
    ("esp32c3", "ESP32_C3_MINI"),
]
HOT = status(temps_c=(62, 61))


def pins_of(path: Path) -> dict[str, int]:
    rows = (row.split(",GPIO") for row in path.read_text().splitlines() if ",GPIO" in row)
    return {name.lstrip("-"): int(number) for name, number in rows}


# --- the lives -----------------------------------------------------------------------------------


def ride(dongle: Dongle, **board: str) -> Trace:
    """Start, self-test, data, an alarm, the scooter off and on, a hang, a supply that fails."""
    feed = merged(
        on(), polls(1000, 4000), polls(4000, 25000, HOT), off(25000), on(27000),
        polls(28000, 30000), ["30000000 stall 9000000"], on(40000), polls(41000, 44000),
        ["44000000 power off", "46000000 power on"], polls(47000, 50000), [end(52000)],
    )  # fmt: skip
    return dongle.run(feed, {"console_s": 1}, **board)


def buttons(dongle: Dongle, **board: str) -> Trace:
    """Both presses, with nothing on the line."""
    pin = pins_of(Path(board["pins"]))["BUTTON"]
    feed = merged(on(), press(3000, 200), press(6000, 2500), [end(14000)])
    return dongle.run([line.replace("BUTTON", str(pin)) for line in feed], **board)


def wrong_configuration(dongle: Dongle, **board: str) -> Trace:
    return dongle.run(merged(on(), polls(1000, 40000), [end(40000)]), '{"mode": "asist"}', **board)


def search(dongle: Dongle, **board: str) -> Trace:
    """Through all speeds and polarities in vain, then found, then contradicted and found anew."""
    noise = [f"{2000000 + n * 400000} bms {'5a96c3' * 12}" for n in range(20)]
    slow = ["40000000 bms baud 76800"]
    feed = merged(on(), noise, polls(12000, 39000), slow, polls(41000, 60000), [end(60000)])
    return dongle.run(feed, {"profile": "auto"}, **board)


def safe_mode(dongle: Dongle, **board: str) -> Trace:
    """Five starts that fail, a minute of safe mode, and again."""
    broken = dongle.changed(dongle.firmware, {"deckwatch/search.py": "raise RuntimeError(1)\n"})
    feed = merged(on(), polls(12000, 80000), [end(80000)])
    return dongle.run(feed, {"profile": "auto"}, firmware=broken, **board)


def dying(dongle: Dongle, **board: str) -> Trace:
    """No start ever gets as far as the tasks."""
    broken = dongle.changed(dongle.firmware, {"deckwatch/outputs/console.py": "1 / 0\n"})
    return dongle.run(merged(on(), polls(1000, 20000), [end(20000)]), firmware=broken, **board)


def bad_wires(dongle: Dongle, **board: str) -> Trace:
    troubles = ("cut", "noise", "short0", "short1", "ok", "break", "overrun", "low", "idle")
    feed = [f"{2000000 + n * 1000000} bms !{what}" for n, what in enumerate(troubles)]
    return dongle.run(merged(on(), polls(1000, 14000), feed, [end(15000)]), **board)


LIVES = (ride, buttons, wrong_configuration, search, safe_mode, dying, bad_wires)


# --- what must hold ------------------------------------------------------------------------------


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize(
    ("chip", "board"), BOARDS, ids=lambda v: getattr(v, "parent", Path(v)).name
)
def test_no_pin_wired_to_the_scooter_is_ever_an_output(
    dongle64: Dongle, life: Callable[..., Trace], chip: str, board: str
) -> None:
    pins = ROOT / "boards" / board / "pins.csv"
    trace = life(dongle64, chip=chip, pins=str(pins))
    names = pins_of(pins)
    park = names["TX_PARK"]
    wired = {names[name] for name in WIRED if name in names}
    assert len(wired) >= 2
    assert trace.of("boot")
    assert trace.outputs() & (wired | DEFAULT_TX - {park}) == set()
    assert trace.of("tx", "break") == []
    assert parked(trace, park) is (life is not dying)


def parked(trace: Trace, park: int) -> bool:
    """A UART has taken the parking pin, and each time it was an input again at that instant."""
    taken_us = -1
    seen = False
    for line in trace.of("mode"):
        number, mode = line.rest.split()[:2]
        assert taken_us in (-1, line.t_us)
        if int(number) == park:
            taken_us = -1 if mode == "in" else line.t_us
            seen = True
    return seen and taken_us == -1


@pytest.mark.parametrize(
    ("lives_do", "words"),
    [
        (ride, ["look alarm", "look unknown", "deckwatch boot 2 cause watchdog",
                "deckwatch boot 3 cause power_on"]),
        (buttons, ["button: acknowledged", "button: self-test"]),
        (wrong_configuration, ["config refused", "look fine"]),
        (search, ["search: garbage", "search: xiaomi at 115200", "search: the line contradicts",
                  "search: xiaomi at 76800"]),
        (safe_mode, ["deckwatch boot 6 cause hard failed 5 safe 1", "deckwatch boot 7"]),
    ],
)  # fmt: skip
def test_the_lives_are_what_they_say(
    dongle64: Dongle, lives_do: Callable[..., Trace], words: list[str]
) -> None:
    trace = lives_do(dongle64, pins=str(BOARD / "pins.csv"))
    for word in words:
        assert trace.said(word), (word, trace.said())


@pytest.mark.parametrize("chip", ["esp32", "esp32s3", "esp32c3"])
def test_a_forgotten_parking_pin_would_be_seen(dongle64: Dongle, chip: str) -> None:
    lines = ROOT / "firmware" / "deckwatch" / "hal" / "lines.py"
    careless = lines.read_text().replace("tx=self._tx, ", "")
    assert careless != lines.read_text()
    firmware = dongle64.changed(dongle64.firmware, {"deckwatch/hal/lines.py": careless})
    trace = dongle64.run([*on(), end(2000)], firmware=firmware, chip=chip)
    assert trace.outputs() & DEFAULT_TX


def test_a_board_without_a_parking_pin_opens_nothing_and_says_so(dongle64: Dongle) -> None:
    pins = dongle64.with_pins(without=["TX_PARK"])
    trace = dongle64.run([*on(), *polls(1000, 40000), end(40000)], pins=pins)
    assert trace.outputs() == {2, 5, 8, 43}  # light, buzzer, pixel; the boot ROM's console
    assert trace.said("line 0") == ["line 0 has no receiver: the board names no TX_PARK"]
    assert trace.causes() == ["PWRON"]
    assert trace.looks() == ["no_data"]
    assert [colour for _, colour in trace.colours()][1:3] == ["violet", "amber"]


def test_in_mode_poll_only_the_pin_that_leads_to_the_battery_is_one(dongle64: Dongle) -> None:
    config = {"profile": "jbd", "mode": "poll"}
    trace = dongle64.run([*on(), end(20000)], config)
    names = pins_of(BOARD / "pins.csv")
    assert trace.of("tx")
    assert {line.rest.split()[0] for line in trace.of("tx")} == {str(names["BMS_RX_TX"])}
    assert trace.outputs() & {names[name] for name in WIRED} == {names["BMS_RX_TX"]}

"""Sleep beside a scooter that is off: when, how it wakes, what it keeps; on the virtual board,
whose deep sleep is a restart as on the chip."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from app_rig import Dongle, end, merged, off, on, polls
from deckwatch.parking import Parking

MINUTE = 60_000


def asleep_at(parking: Parking, said: Callable[[int], tuple[int, bool, bool, bool]]) -> int:
    """The second at which it first wants to sleep, -1 for never within two hours."""
    for second in range(7200):
        if parking.update(*said(second), second * 1000):
            return second
    return -1


def test_it_sleeps_when_the_scooter_has_been_off_so_long() -> None:
    assert asleep_at(Parking(10, 0), lambda s: (5, s >= 100, False, False)) == 99 + 600
    assert asleep_at(Parking(0, 0), lambda _: (5, True, True, False)) == -1
    assert asleep_at(Parking(10, 0), lambda _: (5, False, False, False)) == -1


def test_bytes_the_button_and_a_phone_keep_it_awake() -> None:
    assert asleep_at(Parking(10, 0), lambda s: (s // 300, True, False, False)) == -1
    assert asleep_at(Parking(10, 0), lambda s: (5, True, False, s % 599 == 0)) == -1
    assert asleep_at(Parking(10, 0), lambda s: (5, True, False, s == 300)) == 900


def test_a_spent_pack_is_left_alone_after_a_minute_of_silence() -> None:
    assert asleep_at(Parking(10, 0), lambda s: (min(s, 100), False, True, False)) == 160
    assert asleep_at(Parking(10, 0), lambda s: (s, False, True, False)) == -1


def test_time_that_wraps() -> None:
    parking = Parking(1, (1 << 30) - 30_000)
    assert not parking.update(0, True, False, False, ((1 << 30) + 29_999) & (1 << 30) - 1)
    assert parking.update(0, True, False, False, ((1 << 30) + 30_000) & (1 << 30) - 1)


# --- the whole firmware --------------------------------------------------------------------------


@pytest.mark.parametrize("chip", ["esp32s3", "esp32c3"])
def test_it_sleeps_when_off_and_wakes_with_the_scooter(
    chip: str, dongle64: Dongle, tmp_path: Path
) -> None:
    pins = dongle64.with_pins("BMS_TX_RX,GPIO4", "BUTTON,GPIO3", without=("HOST_TX_RX", "DASH_RX"))
    state = tmp_path / "parked"
    (state / "flash").mkdir(parents=True)
    (state / "flash" / "board.json").write_text(json.dumps({"park_min": 2}))
    feed = merged(
        on(),
        polls(1000, 20_000),
        off(21_000),
        on(400_000),
        polls(402_000, 420_000),
        [end(421_000)],
    )
    trace = dongle64.run(feed, {"console_s": 1}, state=state, chip=chip, pins=pins)
    assert trace.causes() == ["PWRON", "DEEPSLEEP"], trace.said("task")
    slept = next(x.t_ms for x in trace.of("sleep"))
    assert 21_000 + 2 * MINUTE <= slept < 21_000 + 2 * MINUTE + 3000
    assert trace.said("parked")
    woke = next(x.t_ms for x in trace.of("boot") if x.rest == "DEEPSLEEP")
    assert 400_000 <= woke < 400_500
    assert trace.looks()[-1] == "fine"  # it heard the ride that woke it
    assert trace.said("deckwatch boot 2 cause wake failed 0 safe 0")
    dark = [x.rest for x in trace.of("pix") if x.t_ms <= slept]
    assert dark[-1].split()[-1] == "000000"


def test_it_stays_awake_when_not_told_to_park(dongle64: Dongle) -> None:
    feed = merged(on(), polls(1000, 20_000), off(21_000), [end(3_700_000)])
    assert dongle64.run(feed, {"console_s": 1}).causes() == ["PWRON"]

"""The humidity sensor: its bytes, a deck without one, one that fails, and the warning."""

import sys
from types import ModuleType
from typing import Any

import pytest
from app_rig import Dongle, end, merged, on, polls

# A reading as the data sheet has its CRC: 0xBEEF -> 0x92 (Sensirion's own example)
SHEET = bytes((0xBE, 0xEF, 0x92, 0xBE, 0xEF, 0x92))


@pytest.fixture
def damp(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, on a machine without hardware."""
    machine: Any = ModuleType("machine")
    machine.I2C = machine.Pin = None
    monkeypatch.setitem(sys.modules, "machine", machine)
    for name in ("deckwatch.hal.board", "deckwatch.hal.damp"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import deckwatch.hal.damp as module

    yield module
    for name in ("deckwatch.hal.board", "deckwatch.hal.damp"):
        sys.modules.pop(name, None)


def test_reading_whose_crc_holds(damp: Any) -> None:
    assert damp.relative_pct(SHEET) == 125 * 0xBEEF // 65535 - 6 == 87


@pytest.mark.parametrize("place", [3, 4, 5])
def test_reading_with_a_wrong_bit(damp: Any, place: int) -> None:
    spoilt = bytearray(SHEET)
    spoilt[place] ^= 0x10
    assert damp.relative_pct(spoilt) == -1


def test_dry_and_wet_ends_are_cut_off(damp: Any) -> None:
    for word, crc, pct in ((0x0000, 0x81, 0), (0xFFFF, 0xAC, 100)):
        reading = bytes(3) + word.to_bytes(2, "big") + bytes((crc,))
        assert damp.relative_pct(reading) == pct


def air(*events: tuple[int, str]) -> list[str]:
    return [f"{ms * 1000} air {word}" for ms, word in events]


def watched(trace: Any) -> list[bool]:
    """Whether moisture was among what is watched, each time that was told."""
    return ["humidity" in line.split()[2:] for line in trace.said("watch ")]


def test_damp_deck_is_a_warning_after_10_minutes_and_clears(dongle64: Dongle) -> None:
    feed = merged(air((0, "80")), on(), air((5000, "85"), (700_000, "80")), [end(780_000)])
    trace = dongle64.run(feed)
    assert [line for line in trace.alerts() if "humidity" in line] == [
        "humidity set warn",
        "humidity clear ok",
    ]
    told = [line.t_ms for line in trace.of("print") if line.rest.startswith("alert humidity")]
    assert 605_000 <= told[0] <= 610_500
    assert 760_000 <= told[1] <= 765_500


def test_deck_without_a_sensor_is_not_watched(dongle64: Dongle) -> None:
    trace = dongle64.run(merged(on(), polls(1000, 20_000), air((8000, "90")), [end(20_000)]))
    assert trace.causes() == ["PWRON"]
    assert not any(watched(trace))


def test_sensor_that_fails_is_no_longer_watched_until_it_is_back(dongle64: Dongle) -> None:
    for trouble in ("none", "spoilt"):
        feed = merged(
            air((0, "60"), (10_000, trouble), (30_000, "60")),
            on(),
            polls(1000, 45_000),
            [end(45_000)],
        )
        trace = dongle64.run(feed)
        assert trace.causes() == ["PWRON"]
        seen = watched(trace)
        assert seen[-1] is True, trouble
        assert True in seen[: seen.index(False, seen.index(True))]

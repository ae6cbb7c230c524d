"""A second battery on the line: the whole firmware makes room for it at the start after it was
first heard, once, and watches both from then on."""

import json
from collections.abc import Iterator

import pytest
from app_rig import FIRMWARE, TELL_MS, Dongle, Trace, end, merged, on
from line_rig import ninebot, status
from test_app import NVS

NINEBOT = {"profile": "ninebot", "bluetooth": 0, "console_s": 1}
INNER, OUTER = 0x22, 0x23


def answers(source: int, from_ms: int, to_ms: int, **values: object) -> Iterator[str]:
    """A battery tells its state, five times a second."""
    told = ninebot(source, 0x20, 0x5A, 0x30, status(**values)).hex()
    for t in range(from_ms, to_ms, 200):
        yield f"{t * 1000 + 1000 * (source - INNER) * 50} bms {told}"


def asks(destination: int, from_ms: int, to_ms: int) -> Iterator[str]:
    """The controller asks a battery for its state."""
    asked = ninebot(0x20, destination, 0x01, 0x30, b"\x0c").hex()
    for t in range(from_ms, to_ms, 200):
        yield f"{t * 1000 - 5000} host {asked}"


def restarts(trace: Trace) -> list[int]:
    """When the firmware has started for a second battery, ms."""
    return trace.said_at("second battery: watched from")


def watched(trace: Trace) -> set[str]:
    """Packs of which something was watched, by number."""
    return {line.split()[1] for line in trace.said("watch ")}


def kept(trace: Trace) -> int:
    """What the flash knows of how many there are, 0 = nothing."""
    nvs = json.loads((trace.state / "nvs.json").read_text())["deckwatch"]
    return int(nvs.get("ipacks", 0))


def test_a_second_battery_is_watched_from_the_start_after_it_was_heard(dongle64: Dongle) -> None:
    feed = merged(on(), answers(INNER, 1000, 20000), answers(OUTER, 4000, 20000), [end(20000)])
    trace = dongle64.run(feed, NINEBOT)
    assert trace.causes() == ["PWRON", "HARD"]
    (at_ms,) = restarts(trace)
    # its third answer, the task that looks for it twice a second, and what is said
    assert 4450 <= at_ms <= 4450 + 500 + TELL_MS
    assert kept(trace) == 2
    assert watched(trace) == {"1", "2"}
    # from then on both are there at once, and nothing starts anew
    later = dongle64.run(
        merged(on(), answers(INNER, 1000, 9000), answers(OUTER, 1000, 9000), [end(9000)]),
        state=trace.state,
    )
    assert (later.causes(), restarts(later)) == (["PWRON"], [])
    assert watched(later) == {"1", "2"}
    assert {line.split()[1] for line in later.said("live ")} == {"1", "2"}


def test_one_that_is_only_asked_for_or_damaged_is_not_there(dongle64: Dongle) -> None:
    spoilt = [line[:-4] + "0000" for line in answers(OUTER, 4000, 9000)]
    twice = list(answers(OUTER, 9000, 9400))
    feed = merged(on(), answers(INNER, 1000, 12000), asks(OUTER, 4000, 12000), spoilt, twice)
    trace = dongle64.run([*feed, end(12000)], NINEBOT)
    assert (trace.causes(), restarts(trace), kept(trace)) == (["PWRON"], [], 0)
    assert watched(trace) == {"1"}


def test_an_owner_who_has_one_battery_gets_no_second(dongle64: Dongle) -> None:
    feed = merged(on(), answers(INNER, 1000, 9000), answers(OUTER, 1000, 9000), [end(9000)])
    trace = dongle64.run(feed, {**NINEBOT, "packs": 1})
    assert (trace.causes(), restarts(trace), watched(trace)) == (["PWRON"], [], {"1"})


def test_an_alarm_is_not_cut_short(dongle64: Dongle) -> None:
    """The first battery is too hot until 30 s."""
    hot = answers(INNER, 1000, 30000, temps_c=(61, 61))
    cool = answers(INNER, 30000, 60000, temps_c=(54, 54))
    feed = merged(on(), hot, cool, answers(OUTER, 20000, 60000), [end(60000)])
    trace = dongle64.run(feed, NINEBOT)
    cleared_ms = trace.said_at("alert discharge_hot set warn")[-1]
    (at_ms,) = restarts(trace)
    assert "discharge_hot set alarm" in trace.alerts()
    assert 30000 < cleared_ms <= at_ms <= cleared_ms + 500 + TELL_MS
    assert trace.causes() == ["PWRON", "HARD"]


def test_the_owners_session_is_not_cut_short(dongle64: Dongle) -> None:
    main = (FIRMWARE / "main.py").read_text()
    begun = "app = App(); app.core.begin(1, 3500); app.run()"
    assert main.count("App().run()") == 1
    firmware = dongle64.changed(dongle64.firmware, {"main.py": main.replace("App().run()", begun)})
    feed = merged(on(), answers(INNER, 1000, 9000), answers(OUTER, 1000, 9000), [end(9000)])
    trace = dongle64.run(feed, NINEBOT, firmware=firmware)
    assert trace.said("session recovering")
    assert (trace.causes(), restarts(trace), watched(trace)) == (["PWRON"], [], {"1"})


@pytest.mark.parametrize("method", ["get_i32", "set_i32", "commit"])
def test_where_the_flash_refuses_the_first_goes_on_being_watched(
    dongle64: Dongle, method: str
) -> None:
    board = dongle64.changed(dongle64.board, {"modules/esp32.py": NVS.format(method=method)})
    whole = dongle64.board / "modules" / "esp32.mpy"
    (board / "modules" / "esp32_whole.mpy").write_bytes(whole.read_bytes())
    feed = merged(on(), answers(INNER, 1000, 20000), answers(OUTER, 4000, 20000), [end(20000)])
    trace = dongle64.run(feed, NINEBOT, board=board)
    assert trace.causes() == ["PWRON"]
    assert trace.said("second battery: not") == ["second battery: not watched, the flash refuses"]
    assert restarts(trace) == []
    assert watched(trace) == {"1"}

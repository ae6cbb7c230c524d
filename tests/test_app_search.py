"""What the whole firmware says of a line it cannot make sense of: its own questions back, swapped
receivers, another speed than the owner's."""

import json
from pathlib import Path

from app_rig import REQUEST, Dongle, end, merged, on, polls
from conftest import ROOT, MicroPython
from test_virtual_board import launch

ECHO = """
def feed():
    yield "0 bms baud 9600"
    yield "0 bms !idle"
    yield "60000000 end"


def on_tx(world, _pin, data):
    world.send("bms", data, 20)
"""


def test_a_line_that_only_gives_back_what_is_asked_is_called_an_echo(
    tmp_path: Path, micropython64: MicroPython
) -> None:
    """Both wires joined, and no battery: every question at 9600 baud comes back whole."""
    flash = tmp_path / "state" / "flash"
    flash.mkdir(parents=True)
    config = {"profile": "auto", "mode": "poll", "probe": 1, "bluetooth": 0}
    (flash / "config.json").write_text(json.dumps(config))
    scenario, trace = tmp_path / "echo.py", tmp_path / "trace.txt"
    scenario.write_text(ECHO)
    launch.run(
        [micropython64.path],
        ROOT / "firmware",
        tmp_path / "state",
        trace=trace,
        options={"scenario": str(scenario)},
    )
    said = [line for line in trace.read_text().splitlines() if " print search: " in line]
    assert any(line.endswith("search: echo") for line in said)
    assert not any(word in line for line in said for word in ("settled", "swapped", "sure"))


def test_swapped_receivers_are_told_at_every_start(dongle64: Dongle) -> None:
    questions = [f"{t * 1000} bms {REQUEST}" for t in range(1000, 9000, 210)]
    feed = merged(on(), questions, [end(9000)])
    first = dongle64.run(feed, {"profile": "auto", "bluetooth": 0})
    for trace in (first, dongle64.run(feed, state=first.state)):
        assert "search: swapped" in trace.said("search:")
        (told,) = [line for line in trace.said("search:") if "swap the two receivers" in line]
        assert "only questions" in told


def test_bytes_that_are_never_a_frame_are_told_once(dongle64: Dongle) -> None:
    """The owner has named a profile, but the line has another speed."""
    slow = ["0 bms baud 76800", "0 host baud 76800"]
    trace = dongle64.run(
        merged(slow, on(), polls(1000, 30000), [end(30000)]), {"profile": "m365", "bluetooth": 0}
    )
    assert trace.said("line:") == [
        "line: bytes, but never a frame of xiaomi: other speed, polarity or family"
    ]
    assert "fine" not in trace.looks()


def test_a_good_line_is_not_complained_about(dongle64: Dongle) -> None:
    trace = dongle64.run(
        merged(on(), polls(1000, 15000), [end(15000)]), {"profile": "m365", "bluetooth": 0}
    )
    assert trace.said("line:") == []

"""The latency figure of `make bench`: what is counted, how it adds up, and that a count from
another processor can take its place."""

import json
import re
import shutil
from pathlib import Path

import pytest
from app_rig import FIRMWARE, POLL_MS, Dongle, end, merged, on, polls, status
from conftest import ROOT, MicroPython
from packlab.errors import PacklabError

from tools.compiled import architecture, compile_folder
from tools.measure import latency
from tools.measure.latency import Work

ROUND = Work(
    "round numbers", 10_000, 800_000, 320_000, 40_000,
    (2_000.0, 4_000.0, 8_000.0), (280_000.0, 440_000.0, 600_000.0),
)  # fmt: skip
FAULT = status(word=0x0401)  # over-temperature, which makes an alarm on the second frame
FRAME_US = len(FAULT) // 2 * 10 * 1_000_000 // 115_200


def test_the_poll_period_is_the_apps() -> None:
    app = (FIRMWARE / "deckwatch" / "app.py").read_text()
    load = (ROOT / "boards" / "BENCH" / "latency_load.py").read_text()
    assert re.findall(r"^_POLL_MS = const\((\d+)\)", app, re.M) == [str(latency.POLL_MS)]
    assert re.findall(r"^POLL_MS = (\d+)", load, re.M) == [str(latency.POLL_MS)]
    assert latency.POLL_MS == POLL_MS
    assert re.findall(r"^_SOON_MS = const\((\d+)\)", app, re.M) == [str(latency.SOON_MS)]
    assert f"sleep_ms(max({latency.LEAST_MS}, left))" in app


def test_idle_is_one_poll_and_one_pass() -> None:
    assert ROUND.idle_ms(160) == pytest.approx(POLL_MS + 850_000 / 160_000)
    assert ROUND.crowded_ms(160) == pytest.approx(POLL_MS + (320 + 4 * 40 + 10 + 800) / 160)


def test_full_lines_make_the_period_longer_until_they_are_too_much() -> None:
    # 4,000 instructions a byte are 46 of 160 million a second: of the 10 ms from pass to pass 7.12
    # are left, and a round with its pause takes 4; the others' 3 ms become 4.21
    share = 4_000 * 11_520 / 160e6
    assert ROUND.saturated_ms(2, 160) == pytest.approx(10 + 3 / (1 - share) + 5)
    # 8,000 leave 4.24 ms, and a round takes 5
    share = 8_000 * 11_520 / 160e6
    assert ROUND.saturated_ms(3, 160) == pytest.approx((5 + 3) / (1 - share) + 5)
    one, two, three = (ROUND.saturated_ms(lines, 240) for lines in (1, 2, 3))
    assert one is not None
    assert two is not None
    assert three is not None
    assert one < two < three
    assert ROUND.saturated_ms(3, 90) is None


def test_the_share_of_the_processor_is_bytes_rounds_and_the_others() -> None:
    # two lines at 240 MHz: a round of 2 ms each 10
    share = 4_000 * 11_520 / 240e6
    assert ROUND.busy(2, 240) == pytest.approx(share + 2 / 10 + 0.002)
    assert ROUND.busy(3, 90) == 1


def test_counts_of_two_sizes_are_bytes_and_the_rest() -> None:
    passes = [(1_000 + 180 * n, 1_000 + 360 * n) for n in (10, 20, 30)]
    found = latency.work("x", 1, 2, 3, 4, passes)
    assert found == Work("x", 1, 2, 3, 4, (10.0, 20.0, 30.0), (1_000.0, 1_000.0, 1_000.0))


def test_a_count_made_elsewhere_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rv32.json"
    given = {"target": "rv32", "empty": 1, "pin": 2, "others": 3, "switch": 4, "full": [5, 6, 7]}
    given["round"] = [8, 9, 10]
    path.write_text(json.dumps(given))
    assert latency.read(path) == Work("rv32", 1, 2, 3, 4, (5.0, 6.0, 7.0), (8.0, 9.0, 10.0))
    for change in (
        {"full": [5, 6]},
        {"round": [8, 9]},
        {"round": [8, 0, 10]},
        {"pin": 0},
        {"pin": None},
        {"more": 1},
        {"full": ["x", 1, 2]},
    ):
        path.write_text(json.dumps({**given, **change}))
        with pytest.raises(PacklabError, match=r"rv32.json holds no counts; it must be"):
            latency.read(path)
    with pytest.raises(PacklabError, match="holds no counts"):
        latency.read(tmp_path / "none.json")


def test_what_is_counted_repeats_and_is_in_proportion(
    micropython64: MicroPython, tmp_path: Path
) -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    command = micropython64.interpreter.command
    for source in ("firmware", "boards/BENCH"):
        compile_folder(ROOT / source, tmp_path, architecture(command))
    folders = (tmp_path, tmp_path / "hardware")

    def once(work: str, times: int) -> int:
        return latency.callgrind(command, folders, "latency_load", [work, times, 1, 0, 0])

    none, pin = once("pin", 0), once("pin", 1)
    assert once("pin", 1) == pytest.approx(pin, rel=1e-4)
    empty = once("empty", 1) - once("empty", 0)
    assert 0 < 5 * empty < pin - none


def test_the_pin_changes_within_a_poll_of_the_last_byte(dongle64: Dongle) -> None:
    """The part that needs no processor: on the virtual board code costs no time. The frame that
    completes the alarm ends at each of 24 places between two polls of a line at rest."""
    late = set()
    for step in range(24):
        at_us = 20_000_000 + step * 500
        feed = merged(
            on(), polls(1000, 19500), [f"19800000 bms {FAULT}", f"{at_us} bms {FAULT}"],
            [end(21000)],
        )  # fmt: skip
        trace = dongle64.run(feed)
        reds = [x.t_us for x in trace.of("pix") if x.rest.split()[1] == "500000"]
        red = next(t_us for t_us in reds if t_us > 19_500_000)
        late.add((red - at_us) // 1000)
    assert min(late) == 0
    # a pass that finds the frame's first bytes is followed by another soon
    assert max(late) == (POLL_MS * 1000 - FRAME_US) // 1000

"""The wiring and power pages tell what their tools compute, and the pictures are as they are
drawn."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from conftest import ROOT
from packlab.flash import boards

from tools import power, tap

WIRING = (ROOT / "docs" / "wiring.md").read_text("utf-8")
POWER = (ROOT / "docs" / "power.md").read_text("utf-8")


def test_pages_show_what_the_tools_print() -> None:
    """When a figure changes, copy the tool's lines anew."""
    assert "\n".join(tap.lines(3.3, 10_000)) in WIRING
    assert "\n".join(power.lines(36.0, 7800.0)) in POWER


def test_no_resistor_alone_will_do_and_the_buffer_does() -> None:
    assert tap.dead_through_resistor(3.3, 10_000, 1000) == pytest.approx(0.845, abs=0.001)
    assert tap.least_resistor(3.3, 10_000) > tap.most_resistor(3.3)
    # at the least resistor the dead line is at the very threshold, at the most one the low is
    least = tap.least_resistor(3.3, 10_000)
    assert tap.dead_through_resistor(3.3, 10_000, least) == pytest.approx(0.7 * 3.3)
    most = tap.most_resistor(3.3)
    assert 3.3 * most / (most + 45_000) == pytest.approx(0.25 * 3.3)
    for pull_up_ohm in (1000, 10_000, 47_000):
        assert tap.dead_behind_buffer(3.3, pull_up_ohm) > 0.7 * 3.3
    assert tap.edge_s(10_000) < 0.15 / 115_200


def test_power_adds_up() -> None:
    deck, _, bench = power.BOARDS
    good, cheap = power.CONVERTERS
    inside = 28.0 + 0.06 + 0.52 + 12 * 48 / 255 + 0.01
    assert power.awake_ma(deck, good, 36) == pytest.approx(inside * 5 / (36 * 0.8) + 0.03)
    inside = 0.005 + 0.06 + 0.01 + 1.0
    parked = power.parked_ma(deck, good, 36, pixel_off=False)
    assert parked == pytest.approx(inside * 5 / (36 * 0.6) + 0.03)
    assert parked <= power.TARGET_MA < power.parked_ma(bench, good, 36, pixel_off=True)
    assert power.parked_ma(deck, cheap, 36, pixel_off=True) > power.TARGET_MA
    assert [board.name for board in power.BOARDS] != []
    assert {board.name for board in power.BOARDS} == set(boards.names())


def test_tools_refuse_numbers_nothing_has() -> None:
    assert tap.main(["--rail", "48"]) == 2
    assert power.main(["--pack", "3.3"]) == 2
    assert power.main(["--check"]) == 0


def test_pictures_are_as_drawn_and_fit() -> None:
    drawing = ROOT / "docs" / "images" / "wiring.py"
    done = subprocess.run(
        [sys.executable, str(drawing), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    for path in sorted((drawing.parent / "wiring").glob("*.svg")):
        assert f"images/wiring/{path.name}" in WIRING
        check_fits(path)


def check_fits(path: Path) -> None:
    """No text runs out of the picture (0.6 of its size a letter), and each picture warns."""
    picture = ET.fromstring(path.read_text("utf-8"))
    width = float(picture.attrib["width"])
    texts = [node for node in picture if node.tag.endswith("text")]
    assert len(texts) > 8
    for text in texts:
        letters = len(text.text or "") * float(text.attrib["font-size"]) * 0.6
        assert float(text.attrib["x"]) + letters <= width + 5, (path.name, text.text)
    assert sum(node.attrib.get("fill") == "#b3261e" for node in texts) >= 2

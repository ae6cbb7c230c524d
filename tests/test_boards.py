"""The real boards: every pin against what its chip can do, and the definitions against
MicroPython's own tools."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MicroPython
from packlab.errors import PacklabError
from packlab.flash import boards

from tools.boards import CHIPS, NAMES, WIRES, complaints
from tools.compiled import LINKED, linked, write_linked

ROOT = Path(__file__).resolve().parent.parent
BOARDS = boards.names()
# What MicroPython's build of the esp32 port takes from a board's folder.
FILES = {
    "board.json",
    "manifest.py",
    "manifest_app.py",
    "mpconfigboard.cmake",
    "mpconfigboard.h",
    "pins.csv",
    "sdkconfig.board",
}


def test_there_are_three_and_all_are_complete() -> None:
    assert BOARDS == ["ESP32_C3_MINI", "ESP32_DEV", "ESP32_S3_MINI"]
    assert {boards.load(name).chip for name in BOARDS} == set(CHIPS)
    for name in BOARDS:
        assert {path.name for path in (ROOT / "boards" / name).iterdir()} == FILES


@pytest.mark.parametrize("name", BOARDS)
def test_no_complaint(name: str) -> None:
    assert complaints(boards.load(name)) == []


@pytest.mark.parametrize(
    ("name", "changes", "complaint"),
    [
        ("ESP32_DEV", {"BMS_TX_RX": 12}, "BMS_TX_RX is on a pin that decides how the chip starts"),
        ("ESP32_DEV", {"BMS_TX_RX": 9}, "BMS_TX_RX is on 9, which is flash"),
        ("ESP32_DEV", {"BMS_TX_RX": 24}, "24 of BMS_TX_RX does not exist"),
        ("ESP32_DEV", {"BMS_TX_RX": 22}, "BMS_TX_RX is on a pin that cannot wake the chip"),
        ("ESP32_DEV", {"BMS_RX_TX": 36}, "BMS_RX_TX is on a pin that cannot be an output"),
        ("ESP32_DEV", {"TX_PARK": 39}, "TX_PARK is on a pin that cannot be an output"),
        ("ESP32_DEV", {"HOST_TX_RX": 3}, "HOST_TX_RX is on 3, which is UART 0's console"),
        ("ESP32_DEV", {"DASH_RX": 36}, "3 wires are listened to, but 2 UARTs are free"),
        ("ESP32_DEV", {"DASH_RX": 36}, "DASH_RX needs UART 0, which is the console"),
        ("ESP32_C3_MINI", {"BUZZER": 18}, "BUZZER is on 18, which is USB"),
        ("ESP32_C3_MINI", {"BUTTON": 9}, "BUTTON is on a pin that decides how the chip starts"),
        ("ESP32_C3_MINI", {"HOST_TX_RX": 0}, "HOST_TX_RX needs UART 2, which the chip does not"),
        ("ESP32_C3_MINI", {"BMS_RX_TX": 10}, "BMS_RX_TX is on a pin MicroPython's UART drives"),
        ("ESP32_C3_MINI", {"BUZZER": 6}, "6 is used twice"),
        ("ESP32_C3_MINI", {"TX_PARK": None}, "TX_PARK is missing"),
        ("ESP32_C3_MINI", {"NEOPIXEL": None}, "it has no light: LED or NEOPIXEL is needed"),
        ("ESP32_S3_MINI", {"HOST_TX_RX": 17}, "HOST_TX_RX is on a pin MicroPython's UART drives"),
        ("ESP32_S3_MINI", {"BUZER": 13}, "BUZER is no name the firmware knows"),
        ("ESP32_S3_MINI", {"LED": 26}, "LED is on 26, which is flash"),
    ],
)
def test_each_mistake_is_found(name: str, changes: dict[str, int | None], complaint: str) -> None:
    board = boards.load(name)
    pins = {key: pin for key, pin in {**board.pins, **changes}.items() if pin is not None}
    found = complaints(replace(board, pins=pins))
    assert any(problem.startswith(f"{name}: {complaint}") for problem in found), found


def test_firmware_asks_for_the_names_the_boards_know() -> None:
    asked = set()
    for path in (ROOT / "firmware").rglob("*.py"):
        text = path.read_text()
        asked |= {name for name in (*NAMES, "DASH_TX") if f'"{name}"' in text}
    assert asked == set(NAMES)


def test_virtual_chips_have_the_same_facts(micropython64: MicroPython) -> None:
    code = (
        "import sys, json; sys.path.append('boards/VIRTUAL/modules')\n"
        "from virtual import chip\n"
        "found = {}\n"
        "for name in ('esp32', 'esp32c3', 'esp32s3'):\n"
        "  chip.select(name)\n"
        "  found[name] = [chip.last_pin, chip.first_input_only, sorted(chip.wake_pins),\n"
        "    [list(pair) for pair in chip.uart_pins]]\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [micropython64.path, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for name, (last, first_input_only, wakes, uarts) in json.loads(done.stdout).items():
        chip = CHIPS[name]
        assert max(chip.pins) == last
        assert chip.input_only == {pin for pin in chip.pins if pin >= first_input_only}
        assert sorted(chip.wakes) == wakes
        assert tuple(uarts[0]) == chip.console
        assert chip.uart_tx == {tx for tx, _ in uarts[1:]}
        assert chip.uarts == len(uarts)


def test_over_stock_leaves_out_what_the_console_has() -> None:
    board = boards.load("ESP32_S3_MINI")
    pins = board.over_stock()["pins"]
    assert isinstance(pins, dict)
    assert board.pins.keys() - pins.keys() == {"DASH_RX"}
    assert pins.items() <= board.pins.items()


def test_image_addresses_are_those_of_the_chips() -> None:
    offsets = {boards.load(name).chip: boards.load(name).image_offset for name in BOARDS}
    assert offsets == {"esp32": 0x1000, "esp32c3": 0, "esp32s3": 0}


def test_pins_csv_refuses_a_name_twice(tmp_path: Path) -> None:
    path = tmp_path / "pins.csv"
    path.write_text("LED,GPIO1\nLED,GPIO2\n")
    with pytest.raises(ValueError, match="LED stands there twice"):
        boards.read_pins(path)


def test_an_unknown_board_is_named() -> None:
    with pytest.raises(
        PacklabError, match="there is no board VIRTUAL; give --board one of: ESP32"
    ):
        boards.load("VIRTUAL")


def test_tool_prints_every_pin() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "boards.py")]
    done = subprocess.run(tool, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("no complaint\n")
    for name in BOARDS:
        for wire, pin in boards.load(name).pins.items():
            assert f"  {wire:11} GPIO{pin}" in done.stdout
    assert "BMS_TX_RX   GPIO34  cannot be an output, wakes the chip" in done.stdout
    assert WIRES[0] in done.stdout


# --- MicroPython's own tools ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree() -> Path:
    """MicroPython's source: $MICROPYTHON_SOURCE or the distribution's source package."""
    code = "import firmware_source as s; print(s.tree(fetch={}))"
    fetch = "DECKWATCH_NO_FETCH" not in os.environ
    done = subprocess.run(
        [sys.executable, "-c", code.format(fetch)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "tools",
    )
    if done.returncode:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    return Path(done.stdout.strip())


def make_pins(tree: Path, csv: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    port = tree / "ports" / "esp32" / "boards"
    return subprocess.run(
        [
            sys.executable, str(port / "make-pins.py"), "--board-csv", str(csv),
            "--prefix", str(port / "pins_prefix.c"),
            "--output-source", str(folder / "pins.c"), "--output-header", str(folder / "pins.h"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", BOARDS)
def test_micropython_makes_the_pins(name: str, tree: Path, tmp_path: Path) -> None:
    done = make_pins(tree, ROOT / "boards" / name / "pins.csv", tmp_path)
    assert done.returncode == 0, done.stderr
    header = (tmp_path / "pins.h").read_text()
    for wire, pin in boards.load(name).pins.items():
        assert f"#define pin_{wire} pin_GPIO{pin}\n" in header
        assert f"MP_QSTR_{wire})" in (tmp_path / "pins.c").read_text()


def test_micropython_refuses_a_wrong_pin(tree: Path, tmp_path: Path) -> None:
    csv = tmp_path / "pins.csv"
    csv.write_text("LED,GPIO99\n")
    assert "Unknown cpu pin" in make_pins(tree, csv, tmp_path).stdout


@pytest.mark.parametrize("name", BOARDS)
def test_micropython_evaluates_the_app_manifest(name: str, tree: Path) -> None:
    """It freezes what the linker gives, as it stands in the checkout now."""
    write_linked()
    manifest = ROOT / "boards" / name / "manifest_app.py"
    done = subprocess.run(
        [sys.executable, str(tree / "tools" / "manifestfile.py"), "--freeze", str(manifest)],
        capture_output=True, text=True, check=True, cwd=manifest.parent,
    )  # fmt: skip
    frozen = {
        line.split("target_path='")[1].split("'")[0] for line in done.stdout.splitlines()[1:]
    }
    texts = linked(ROOT / "firmware")
    assert frozen == texts.keys()
    assert "opt=3" in done.stdout
    assert {path: (ROOT / LINKED / path).read_text() for path in texts} == texts


@pytest.mark.parametrize("name", BOARDS)
def test_an_image_has_the_port_s_modules_aioble_and_the_app(name: str) -> None:
    """Evaluated with functions that only note: the real ones need micropython-lib."""
    noted: list[tuple[str, str]] = []
    functions = {
        word: lambda what, word=word: noted.append((word, what)) for word in ("include", "require")
    }
    exec((ROOT / "boards" / name / "manifest.py").read_text(), functions)
    assert noted == [
        ("include", "$(PORT_DIR)/boards/manifest.py"),
        ("require", "aioble"),
        ("include", "manifest_app.py"),
    ]
    cmake = (ROOT / "boards" / name / "mpconfigboard.cmake").read_text()
    assert "set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)" in cmake
    assert f"set(IDF_TARGET {boards.load(name).chip})" in cmake

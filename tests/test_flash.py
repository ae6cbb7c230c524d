"""packlab flash and packlab doctor as they are typed, on the virtual board at a port; and the
dongle they leave, replaying the real line."""

import contextlib
import fcntl
import importlib.util
import io
import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MicroPython
from dongle import STOCK_BYTES, Dongle, numbers, plugged_in
from packlab import cli
from packlab.capture import CaptureReader, Chunk
from packlab.flash import boards, bundle, chip, examine, flashing, image, link
from packlab.journal.source import read
from virtual_board import launch

from tools.boards import WIRES

ROOT = Path(__file__).resolve().parent.parent
REAL_LINE = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"
PORTS = {"bms_tx": "bms", "host_tx": "host", "dash": "dash"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never answers is given up sooner than on a desk."""
    monkeypatch.setattr(link, "_PROMPT_S", 0.5)
    monkeypatch.setattr(link, "_READ_S", 0.5)


def packlab(*words: str) -> tuple[int, str, str]:
    """One command's exit code, output and complaint."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(words)
    return code, out.getvalue(), err.getvalue()


def flash(dongle: Dongle, board: str = "ESP32_C3_MINI", *words: str) -> str:
    """What a flash that must succeed says; without Bluetooth when not told otherwise."""
    air = [] if "--aioble" in words else ["--aioble", "none"]
    code, out, err = packlab("flash", "--board", board, "--port", dongle.port, *air, *words)
    assert (code, err) == (0, ""), out + err
    return out


def refused(*words: str) -> str:
    """The sentence of a command that must fail."""
    code, _, err = packlab(*words)
    assert code == 2
    assert err.count("\n") == 1, err
    return err.removeprefix("packlab: ").strip()


# --- from an empty board to a replayed capture ---------------------------------------------------


@pytest.fixture
def dongle(tmp_path: Path) -> Iterator[Dongle]:
    """An ESP32-C3 with stock MicroPython at a port."""
    with plugged_in(tmp_path / "state") as plugged:
        yield plugged


def test_flash_leaves_what_it_says_and_doctor_tells_it(
    dongle: Dongle, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = flash(dongle, "ESP32_C3_MINI", "--profile", "pro2", "--name", "garage")
    made = bundle.build("esp32c3")
    assert said.splitlines() == [
        f"{made.name} copied and verified",
        "written: boot.py, main.py, board.json, config.json",
        "the dongle runs: start 1",
    ]
    files = dongle.files()
    assert {p.removeprefix("app1/") for p in files if p.startswith("app1/")} == {
        *made.files,
        "bundle.json",
    }
    for path, data in made.files.items():
        assert files[f"app1/{path}"] == data
    assert json.loads(files["board.json"]) == {
        "name": "ESP32_C3_MINI",
        "called": "garage",
        "pins": boards.load("ESP32_C3_MINI").pins,
    }
    assert json.loads(files["config.json"]) == {"profile": "pro2"}

    # a moment later its black box has begun; again: nothing to copy, settings kept
    deadline_s = time.monotonic() + 20
    while not any(path.startswith("journal/") for path in dongle.files()):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    assert flash(dongle).splitlines() == [
        f"{made.name} is there already",
        "the dongle runs: start 2",
    ]
    assert json.loads(dongle.files()["config.json"]) == {"profile": "pro2"}

    monkeypatch.setattr(examine, "_LISTEN_S", 2.5)
    code, told, err = packlab("doctor", dongle.port)
    assert (code, err) == (0, "")
    facts = dict(line.split(None, 1) for line in told.splitlines() if line[0] != " ")
    assert facts["board"] == 'ESP32_C3_MINI, called "garage"'
    assert facts["chip"] == "esp32c3, MicroPython 1.28.0"
    assert (
        facts["firmware"] == f"{made.name} (all families), on trial until it has run for a minute"
    )
    assert facts["former"] == "none"
    assert facts["settings"] == "profile pro2"
    assert facts["journal"].endswith("records; the last ('packlab journal' has all):")
    assert "option profile: default -> pro2" in told
    assert facts["starts"] == "2 so far"
    assert facts["now"].startswith("start 3; blue: nothing heard")
    assert "a restart that it asked for itself" in told


@pytest.mark.parametrize("name", boards.names())
def test_flashed_tree_replays_the_real_line(
    name: str, tmp_path: Path, micropython32: MicroPython
) -> None:
    """What the copied, compiled tree does on each board, in a chip's heap, is what the checkout's
    sources do in any."""
    board = boards.load(name)
    state = tmp_path / "state"
    with plugged_in(state, board.chip) as dongle:
        flash(dongle, name, "--family", "xiaomi")
    config = {"console_s": 1}
    (state / "flash" / "config.json").write_text(json.dumps(config))
    flashed = replay(micropython32, state / "flash", state, board, tmp_path, STOCK_BYTES)

    other = tmp_path / "other"
    (other / "flash").mkdir(parents=True)
    (other / "flash" / "config.json").write_text(json.dumps(config))
    (other / "flash" / "board.json").write_text(json.dumps(board.over_stock()))
    source = replay(micropython32, ROOT / "firmware", other, board, tmp_path)
    assert seen(flashed) == seen(source)
    assert "black box" not in "".join(flashed)
    assert [r.kind for r in read(str(state)).records] == ["boot", "config"]
    assert [r.kind for r in read(str(other)).records] == ["boot", "config"]

    said = [line.split(" print ", 1)[1] for line in flashed if " print " in line]
    lives = [line for line in said if line.startswith("live 1 ")]
    assert "pack_mv=35940" in lives[-1]
    assert "soc_pct=47" in lives[-1]
    links = [line for line in said if line.startswith("link ")]
    frames = sum(1 for event in events() if isinstance(event, Chunk) and heard(event.port, board))
    assert f"frames={frames} bad_check=0" in links[-1]
    assert not [line for line in said if line.startswith("alert ")]

    driven = launch.outputs(flashed)
    assert not driven & {board.pins[wire] for wire in WIRES if wire in board.pins}


def test_the_least_heap_is_found_and_is_within_the_budget(micropython32: MicroPython) -> None:
    assert micropython32.bits == 32
    tool = [sys.executable, str(ROOT / "tools" / "least_heap.py")]
    done = subprocess.run([*tool, "84", "96"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"(\d+) KB of heap are enough \(budget 96, measured\)\n", done.stdout)
    assert found
    assert 84 < int(found[1]) <= 96
    done = subprocess.run([*tool, "40", "60"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "least_heap.py: it does not work with 60 KB\n")


def replay(
    micropython: MicroPython,
    tree: Path,
    state: Path,
    board: boards.Board,
    folder: Path,
    room: int = 0,
) -> list[str]:
    """The board's trace of the real line; `tree` has main.py, `state` the flash; room: bytes of
    heap left to the firmware, 0 = as much as it likes."""
    lines = [
        f"{event.t_us + 3_000_000} {PORTS[event.port]} "
        + (event.data.hex() if isinstance(event, Chunk) else f"!{event.level}")
        for event in events()
        if heard(event.port, board)
    ]
    lines = launch.in_order(lines)
    feed = folder / "feed.txt"
    feed.write_text("\n".join([*lines, "18000000 end"]) + "\n")
    trace = folder / "trace.txt"
    trace.unlink(missing_ok=True)
    options = {"chip": board.chip, "pins": str(ROOT / "boards" / board.name / "pins.csv")}
    options["room"] = str(room)
    launch.run([micropython.path], tree, state, feed, trace, heap="2m", options=options)
    return trace.read_text().splitlines()


def heard(port: str, board: boards.Board) -> bool:
    return port == "bms_tx" or "HOST_TX_RX" in board.pins


def events() -> list[object]:
    with CaptureReader(REAL_LINE) as reader:
        return list(reader)


def seen(trace: list[str]) -> list[str]:
    """A trace without the count of starts, which differs."""
    return [line for line in trace if "deckwatch boot" not in line and " boot " not in line]


# --- one sentence for everything that goes wrong -------------------------------------------------

AT = ("--aioble", "none", "--board", "ESP32_C3_MINI", "--port")


def test_no_such_board() -> None:
    sentence = refused("flash", "--board", "ESP8266", "--port", "/dev/null")
    assert sentence == (
        "there is no board ESP8266; give --board one of: ESP32_C3_MINI, ESP32_DEV, ESP32_S3_MINI"
    )


def test_no_such_port_profile_family_or_library(tmp_path: Path) -> None:
    assert refused("flash", *AT, "/dev/no-such").startswith("there is no port /dev/no-such; ")
    assert "/dev/null" in refused("flash", *AT, "/dev/null")
    assert refused("flash", *AT, "x", "--profile", "m356").startswith('--profile: "profile" is')
    assert "there is no family rita; there are: ant, " in refused(
        "flash", *AT, "x", "--family", "rita"
    )
    assert "is no folder" in refused("flash", *AT, "x", "--aioble", str(tmp_path / "none"))
    assert "holds no Python modules" in refused("flash", *AT, "x", "--aioble", str(tmp_path))


def test_port_in_use(dongle: Dongle) -> None:
    with open(dongle.port, "rb") as other:  # noqa: PTH123  a device
        fcntl.flock(other, fcntl.LOCK_EX)
        sentence = refused("flash", *AT, dongle.port)
    assert sentence.startswith(f"{dongle.port} is in use by another program; close")


def test_no_permission() -> None:
    # root may open everything, so that a real refusal cannot be had here
    sentence = link.why("/dev/ttyACM0", 13, "Permission denied")
    assert sentence.startswith("no permission to open /dev/ttyACM0; on Linux run 'sudo usermod")


@pytest.mark.parametrize(
    ("name", "size"), [("garage of mine", 14), ("Grüne Garage", 13), ("", 0), ("a\nb", 3)]
)
def test_a_name_that_the_air_has_no_room_for(
    name: str, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["flash", "--board", "ESP32_C3_MINI", "--port", "/dev/null", "--name", name])
    assert capsys.readouterr().err.endswith(
        f"a Bluetooth name has 1 to 11 bytes and no line ends; '{name}' has {size}\n"
    )


def test_wrong_chip(dongle: Dongle) -> None:
    before = dongle.files()
    sentence = refused("flash", "--aioble", "none", "--board", "ESP32_DEV", "--port", dongle.port)
    assert sentence == (
        "the chip is an esp32c3, but ESP32_DEV has an esp32; use --board ESP32_C3_MINI"
    )
    assert dongle.files() == before


def test_another_kind_of_board(dongle: Dongle, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "import json; print(json.dumps(['rp2', '1.28.0', 'Raspberry Pi Pico with RP2040']))"
    monkeypatch.setattr(flashing, "_WHO", answer)
    assert "there is a rp2 (Raspberry Pi Pico with RP2040), not an ESP32" in refused(
        "flash", *AT, dongle.port
    )
    old = "import json; print(json.dumps(['esp32', '1.23.0', 'ESP32C3 module with ESP32C3']))"
    monkeypatch.setattr(flashing, "_WHO", old)
    assert "runs MicroPython 1.23.0, too old; repeat the command with --image" in refused(
        "flash", *AT, dongle.port
    )


@pytest.mark.usefixtures("impatient")
def test_nothing_answers_and_esptool_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    end, port = pty.openpty()
    try:
        sentence = refused("flash", *AT, os.ttyname(port))
        assert sentence.startswith(
            "a board without MicroPython needs it first, and for that esptool"
        )
        assert "answers as MicroPython does" in refused("doctor", os.ttyname(port))
    finally:
        os.close(end)
        os.close(port)


@pytest.mark.parametrize("after", [60, 3000, 40000])
def test_cable_pulled(dongle: Dongle, after: int) -> None:
    dongle.pull(after)
    sentence = refused("flash", *AT, dongle.port)
    assert sentence.startswith(f"the dongle at {dongle.port} fell silent when ")
    assert sentence.endswith("check the cable, plug it in again and repeat the command")
    assert "slot" not in numbers(dongle.state)
    with plugged_in(dongle.state) as again:
        assert "the dongle runs: start 1" in flash(again)


@pytest.mark.usefixtures("micropython64")
def test_flash_full(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with plugged_in(state, blocks=40) as dongle:
        sentence = refused("flash", *AT, dongle.port, "--family", "xiaomi")
        assert "KB are free, " in sentence
        assert sentence.endswith("flash one family only with --family")
        assert not [path for path in dongle.files() if path.startswith("app")]
        assert "slot" not in dongle.numbers()


def test_flash_full_although_it_said_otherwise(
    dongle: Dongle, monkeypatch: pytest.MonkeyPatch
) -> None:
    flash(dongle, "ESP32_C3_MINI", "--family", "jbd")
    before = dongle.numbers()
    write = link.Link.write

    def full(self: link.Link, path: str, data: bytes) -> None:
        if path.endswith("xiaomi.mpy"):
            raise link.Full(f"the dongle's flash was full when {path} was written")
        write(self, path, data)

    monkeypatch.setattr(link.Link, "write", full)
    sentence = refused("flash", *AT, dongle.port, "--family", "xiaomi")
    assert sentence.startswith("the dongle's flash was full when /app2/deckwatch/protocols/xiaomi")
    assert not [path for path in dongle.files() if path.startswith("app2")]
    assert dongle.numbers()["slot"] == before["slot"] == 1


def test_silent_after_flashing(dongle: Dongle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "_BOOT_S", 1.0)
    broken = bundle.boot_files() | {"main.py": b"raise ValueError('no such luck')"}
    monkeypatch.setattr(bundle, "boot_files", lambda: broken)
    sentence = refused("flash", *AT, dongle.port)
    assert "does not say that it runs (it says: ValueError: no such luck)" in sentence


# --- MicroPython on an empty board ---------------------------------------------------------------


class Esptool:
    """A stand-in for esptool that is run as `python -m esptool`: it notes what it was asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.notes = folder / "asked.txt"
        self.answer = folder / "answer.txt"
        folder.mkdir()
        (folder / "esptool.py").write_text(
            "import pathlib, sys\n"
            f"with open({str(self.notes)!r}, 'a') as f: print(*sys.argv[1:], file=f)\n"
            f"print(pathlib.Path({str(self.answer)!r}).read_text())\n"
            "sys.exit('rror' in pathlib.Path(" + repr(str(self.answer)) + ").read_text())\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(folder))
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())

    def asked(self) -> list[str]:
        return self.notes.read_text().splitlines()


@pytest.fixture
def esptool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Esptool:
    return Esptool(tmp_path / "esptool", monkeypatch)


def test_image_is_written_before_all_else(
    dongle: Dongle, esptool: Esptool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "mp.bin"
    given.write_bytes(b"as pinned")
    pinned = image.Stock("mp.bin", bundle.sha256(b"as pinned"), 5)
    monkeypatch.setitem(image.STOCK, "esp32c3", pinned)
    esptool.answer.write_text(f"Connected to ESP32-C3 on {dongle.port}:")
    said = flash(dongle, "ESP32_C3_MINI", "--image", str(given))
    assert said.startswith("writing MicroPython 1.28.0, as pinned")
    port = f"--port {dongle.port}"
    assert esptool.asked() == [
        f"{port} chip-id",
        f"{port} --chip esp32c3 erase-flash",
        f"{port} --chip esp32c3 --baud 460800 write-flash 0x0 {given}",
    ]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            "Connected to ESP32-S3 on x:",
            "the chip is an esp32s3, but ESP32_C3_MINI has an",
        ),
        ("Connected to ESP32-P4 on x:", "no board of ours has that chip"),
        ("A fatal error: Failed to connect to ESP32", "hold the board's BOOT button"),
        (
            "A fatal error occurred: MD5 of file does not match",
            "repeat the command, it begins anew",
        ),
        ("all is well", "esptool found something"),
    ],
)
def test_what_esptool_finds(
    answer: str, sentence: str, dongle: Dongle, esptool: Esptool, tmp_path: Path
) -> None:
    given = tmp_path / "mp.bin"
    given.write_bytes(b"")
    esptool.answer.write_text(answer)
    assert sentence in refused("flash", *AT, dongle.port, "--image", str(given))
    assert not [line for line in esptool.asked() if "flash" in line.split()[-1]]


def test_chip_names() -> None:
    for name in ("ESP32-C3", "ESP32C3", "ESP32-C3FH4"):
        assert chip.normal(name) == "esp32c3"
    for name in ("ESP32", "ESP32-D0WDQ6", "ESP32-UNICORE"):
        assert chip.normal(name) == "esp32"
    assert chip.normal("ESP32S3") == "esp32s3"


def test_installed_esptool_has_these_words() -> None:
    """Where esptool is installed, the words sent to it exist in it."""
    pytest.importorskip("esptool", reason="esptool is optional: pip install 'packlab[flash]'")
    for word in ("chip-id", "erase-flash", "write-flash"):
        done = subprocess.run(
            [sys.executable, "-m", "esptool", word, "--help"], capture_output=True, check=False
        )
        assert done.returncode == 0

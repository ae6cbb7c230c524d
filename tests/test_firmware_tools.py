"""A whole image by `make firmware`, with a stand-in for ESP-IDF: what is run and what is refused;
and the firmware by `mpremote mip install`, from a checkout and from a bundle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from dongle import Dongle, plugged_in
from packlab.flash import boards
from packlab.flash.flashing import BOOT
from packlab.flash.link import Link

from tools.compiled import LINKED

TOOL = ROOT / "tools" / "firmware.py"


class Bench:
    """A MicroPython tree and an ESP-IDF of which only the names are there, and a make that
    notes."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "micropython"
        (self.tree / "ports" / "esp32").mkdir(parents=True)
        (self.tree / "ports" / "esp32" / "Makefile").touch()
        self.notes = folder / "made.txt"
        tools = folder / "bin"
        tools.mkdir()
        for name, does in (("make", f'echo "$@" >> {self.notes}; exit $CODE'), ("idf.py", "true")):
            (tools / name).write_text(f"#!/bin/sh\n{does}\n")
            (tools / name).chmod(0o755)
        self.variables = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "CODE": "0",
            "MICROPYTHON_SOURCE": str(self.tree),
            "IDF_PATH": str(folder),
            "ESP_IDF_VERSION": "5.5",
        }

    def run(self, board: str = "ESP32_DEV", **variables: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, str(TOOL), board],
            capture_output=True, text=True, check=False, env={**self.variables, **variables},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("name", boards.names())
def test_what_builds_an_image(name: str, bench: Bench) -> None:
    stale = ROOT / LINKED / "stale.py"  # of an earlier link
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.touch()
    code, out, err = bench.run(name)
    assert (code, err) == (0, "")
    assert not stale.exists()
    output = ROOT / "build" / "firmware" / name
    port = (
        f"-C {bench.tree}/ports/esp32 BOARD={name} BOARD_DIR={ROOT}/boards/{name} BUILD={output}"
    )
    assert bench.notes.read_text().splitlines() == [
        f"-C {bench.tree}/mpy-cross",
        f"{port} submodules",
        f"{port} all",
    ]
    assert f"{output}/firmware.bin: write it at {boards.load(name).image_offset:#x}" in out


def test_what_is_missing_is_said(bench: Bench, tmp_path: Path) -> None:
    cases = [
        ({"MICROPYTHON_SOURCE": ""}, "where is MicroPython's source? Clone its tag v1.28.0 and"),
        ({"MICROPYTHON_SOURCE": str(tmp_path)}, f"{tmp_path} has no ports/esp32; set"),
        ({"IDF_PATH": ""}, "ESP-IDF is not active; install v5.5.1 and run '. export.sh' in"),
        ({"ESP_IDF_VERSION": "4.4"}, "ESP-IDF 4.4 is active, but MicroPython v1.28.0 builds with"),
        ({"CODE": "2"}, "mpy-cross …' failed, see above; mend that and repeat"),
    ]
    for variables, sentence in cases:
        code, _, err = bench.run(**variables)
        assert code == 1
        assert sentence in err
        assert err.count("\n") == 1
    code, _, err = bench.run("ESP8266")
    assert (code, err.startswith("firmware: there is no board ESP8266; ")) == (1, True)


# --- mip -----------------------------------------------------------------------------------------


def mip_install(dongle: Dongle, package: Path) -> None:
    command = [sys.executable, "-m", "mpremote", "connect", dongle.port, "mip", "install"]
    subprocess.run(
        [*command, "--target", "/", str(package)], check=True, capture_output=True, timeout=60
    )


def first_words(dongle: Dongle) -> str:
    with Link(dongle.port) as link:
        link.enter()
        link.restart()
        return next(line for line in link.lines(15) if BOOT.match(line))


@pytest.mark.usefixtures("micropython64")
def test_mip_installs_from_a_checkout(tmp_path: Path) -> None:
    """Sources, compiled when they start: that does not fit into 96 KB (docs/flashing.md)."""
    with plugged_in(tmp_path / "state", room=0) as dongle:
        mip_install(dongle, ROOT / "package.json")
        firmware = ROOT / "firmware"
        assert dongle.files() == {
            path.relative_to(firmware).as_posix(): path.read_bytes()
            for path in firmware.rglob("*.py")
        }
        pins = boards.load("ESP32_C3_MINI").over_stock()
        (dongle.flash / "board.json").write_text(json.dumps(pins))
        assert first_words(dongle).startswith("deckwatch boot 1 ")


@pytest.mark.usefixtures("micropython64")
def test_mip_installs_a_bundle(tmp_path: Path) -> None:
    made = tmp_path / "c3"
    tool = [sys.executable, str(ROOT / "tools" / "bundle.py"), "ESP32_C3_MINI", str(made)]
    subprocess.run([*tool, "--family", "vesc"], check=True, capture_output=True)
    with plugged_in(tmp_path / "state") as dongle:
        mip_install(dongle, made / "package.json")
        files = dongle.files()
        assert "app1/deckwatch/app.mpy" in files
        assert files.keys() == {
            path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()
        } - {"package.json"}
        assert first_words(dongle).startswith("deckwatch boot 1 ")


def test_package_json_is_current() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "make_package.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

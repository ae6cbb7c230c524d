"""`packlab phone`: the page served to this computer alone, and opened with a virtual dongle in
reach. Chromium is a stand-in here that notes how it was called; test_phone_page.py has the real
one."""

import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import MicroPython
from packlab.air import bus
from packlab.air.page import PAGE, PORT
from packlab.key import sheet

COMMAND = [sys.executable, "-m", "packlab.cli", "phone", "--port", "0"]
_NOTES = """#!/bin/sh
echo "$DBUS_SYSTEM_BUS_ADDRESS" > {folder}/bus
for word; do echo "$word"; done > {folder}/words
test -S "${{DBUS_SYSTEM_BUS_ADDRESS#unix:path=}}" && echo there > {folder}/socket
"""


def test_the_page_is_served_until_ctrl_c() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            (address,) = re.findall(r"http://localhost:\d+/", process.stdout.readline())
            for name, kind in (
                ("", "text/html"), ("app.js", "text/javascript"),
                ("manifest.webmanifest", "application/manifest+json"),
            ):  # fmt: skip
                with urllib.request.urlopen(address + name, timeout=10) as answer:
                    assert answer.headers["Content-Type"].startswith(kind)
                    assert answer.read() == (PAGE / (name or "index.html")).read_bytes()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_a_port_that_is_taken_and_a_screen_that_is_missing_are_said(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    (tmp_path / "chromium").symlink_to("/bin/true")
    bare["PATH"] = f"{tmp_path}:{bare['PATH']}"
    if not bus.missing():
        said = _refused([*COMMAND, "--virtual"], bare)
        assert said == (
            "packlab: there is no screen to open a browser on; docs/phone.md shows what you"
            " would see\n"
        )
    said = _refused([*COMMAND, "--virtual"], {**bare, "PATH": str(tmp_path / "nothing")})
    assert said == "packlab: dbus-daemon is missing: apt install dbus-daemon\n"
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        (port,) = re.findall(r"localhost:(\d+)/", first.stdout.readline())
        said = _refused([*COMMAND[:-1], port], bare)
        first.kill()
    assert said.startswith(f"packlab: port {port} cannot be used")


def test_the_qr_code_leads_to_where_the_page_is() -> None:
    assert f"http://localhost:{PORT}/" == sheet.PAGE


def test_a_browser_finds_the_virtual_dongle(micropython64: MicroPython, tmp_path: Path) -> None:
    del micropython64
    if lack := bus.missing():
        pytest.skip(lack)
    program = tmp_path / "chromium"
    program.write_text(_NOTES.format(folder=tmp_path))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        [*COMMAND, "--virtual"], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": path, "DISPLAY": ":99"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.match(
        r"DW-18B2 is on the air with .*aioble and replays charge_and_ride", done.stdout
    )
    words = (tmp_path / "words").read_text().split()
    assert "--enable-features=WebBluetooth" in words
    assert re.fullmatch(r"http://localhost:\d+/#d=DW-18B2&k=[0-9a-f]{32}", words[-1])
    assert (tmp_path / "socket").read_text() == "there\n"
    socket = (tmp_path / "bus").read_text().strip().removeprefix("unix:path=")
    assert not Path(socket).parent.exists()  # nothing is left behind


def _refused(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.returncode == 2
    return done.stderr

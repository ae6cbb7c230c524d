"""The chip below MicroPython, through Espressif's esptool: which one it is, and what its flash
starts with.

esptool is an optional part of packlab: a dongle that runs MicroPython already needs none of this.
"""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from packlab.errors import PacklabError

_ERASE_AND_WRITE_S = 300
_LOOK_S = 60

# What esptool says when no chip answers; its boot loader must be started by hand then.
_NO_CHIP = ("Failed to connect", "No serial data received", "Could not open", "Wrong boot mode")


def normal(name: str) -> str:
    """A chip's name as the boards have it: ESP32-C3, ESP32C3, ESP32-C3FH4 -> esp32c3."""
    match = re.match(r"(ESP32)-?([CSHP]\d+)?", name.upper())
    return "".join(part or "" for part in match.groups()).lower() if match else name.lower()


def detect(port: str) -> str:
    """The chip at a port, such as "esp32c3"; PacklabError when none answers."""
    said = _esptool(["--port", port, "chip-id"], f"the chip at {port} was looked for", _LOOK_S)
    match = re.search(r"Connected to (ESP\S+) on", said)
    if match is None:
        raise PacklabError(
            f"esptool found something at {port} that it does not name; check that it is the"
            " dongle's port"
        )
    return normal(match[1])


def write_image(port: str, chip: str, image: Path, offset: int) -> None:
    """Erase the whole flash and put an image there; esptool verifies it."""
    what = f"{image.name} was written"
    _esptool(["--port", port, "--chip", chip, "erase-flash"], what, _ERASE_AND_WRITE_S)
    write = ["--baud", "460800", "write-flash", hex(offset), str(image)]
    _esptool(["--port", port, "--chip", chip, *write], what, _ERASE_AND_WRITE_S)


def _esptool(arguments: list[str], what: str, limit_s: int) -> str:
    if importlib.util.find_spec("esptool") is None:
        raise PacklabError(
            "a board without MicroPython needs it first, and for that esptool: type 'make flash'"
            " in the checkout, which installs it, or 'pip install esptool' beside packlab"
        )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "esptool", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PacklabError(
            f"esptool came to no end when {what}; unplug the dongle, plug it in and repeat"
        ) from None
    if done.returncode == 0:
        return done.stdout
    if any(sign in done.stdout for sign in _NO_CHIP):
        raise PacklabError(
            f"no ESP32 answered when {what}; hold the board's BOOT button while you plug it in,"
            " then repeat the command"
        )
    raise PacklabError(
        f"esptool failed when {what}: {_complaint(done.stdout)}; repeat the command, it begins"
        " anew"
    )


def _complaint(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["not a word"])[-1].rstrip(".")

"""Which Chromium there is, and how it is started so that Web Bluetooth works in it."""

import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--enable-features=WebBluetooth",  # off on Linux otherwise
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_REMEDY = "Chromium is missing: apt install chromium"


def find() -> str:
    """Path of a Chromium, "" where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


def missing() -> str:
    """What has to be installed first, "" for nothing."""
    return "" if find() else _REMEDY


def command(profile: Path, address: str, *more: str) -> list[str]:
    """The command line of a Chromium with a profile of its own."""
    return [find(), *FLAGS, *more, f"--user-data-dir={profile}", address]

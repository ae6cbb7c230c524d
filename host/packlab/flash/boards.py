"""The boards a dongle can be: read from boards/*/, the same files MicroPython's own build reads.

pins.csv names the pins, board.json the chip and where its image begins.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from packlab.checkout import root
from packlab.errors import PacklabError

# A stock image keeps UART 0 for its console (MICROPY_HW_ENABLE_UART_REPL of ESP32_GENERIC_C3 and
# _S3; ESP32_GENERIC has no other), and the firmware listens to the dashboard on that one.
_NEEDS_OWN_IMAGE = ("DASH_RX",)


@dataclass(frozen=True)
class Board:
    """One board: its folder's name, its chip as MicroPython and esptool call it ("esp32c3"), the
    GPIO number of every named pin, and the address its image begins at."""

    name: str
    product: str
    chip: str
    pins: dict[str, int]
    image_offset: int

    def over_stock(self) -> dict[str, object]:
        """What firmware/deckwatch/hal/board.py reads as board.json where a stock image runs."""
        pins = {name: pin for name, pin in self.pins.items() if name not in _NEEDS_OWN_IMAGE}
        return {"name": self.name, "pins": pins}


def names() -> list[str]:
    """All boards that can be flashed."""
    return sorted(path.parent.name for path in _folder().glob("*/board.json"))


def load(name: str) -> Board:
    """The board called `name`; PacklabError lists the ones there are."""
    if name not in names():
        raise PacklabError(f"there is no board {name}; give --board one of: {', '.join(names())}")
    folder = _folder() / name
    about = json.loads((folder / "board.json").read_text(encoding="utf-8"))
    return Board(
        name=name,
        product=about["product"],
        chip=about["mcu"],
        pins=read_pins(folder / "pins.csv"),
        image_offset=int(about["deploy_options"]["flash_offset"], 0),
    )


def read_pins(path: Path) -> dict[str, int]:
    """GPIO number by name of a pins.csv (`NAME,GPIOn`; ValueError where a name comes twice)."""
    pins: dict[str, int] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream):
            if not row or row[0].startswith("#"):
                continue
            name, gpio = row
            if name in pins:
                raise ValueError(f"{path}: {name} stands there twice")
            pins[name] = int(gpio.removeprefix("GPIO"))
    return pins


def _folder() -> Path:
    return root() / "boards"

"""Pin names of the board. A board image knows them from pins.csv; over a stock image `board.json`,
written by packlab flash, does."""

import json

from machine import Pin

_FILE = "board.json"  # {"name": "ESP32_C3_MINI", "called": "garage", "pins": {"LED": 8, ...}}


def _read() -> dict:
    try:
        with open(_FILE) as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return {}


_BOARD = _read()
NAME = _BOARD.get("name", "")
CALLED = _BOARD.get("called", "")  # by its owner
PARK_MIN = _BOARD.get("park_min", 0)  # minutes until it sleeps beside a scooter that is off


def pin(name: str):
    """The Pin called `name`, as it is after reset; None where this board has no such pin."""
    pins = _BOARD.get("pins")
    if pins is not None:
        number = pins.get(name)
        return None if number is None else Pin(number)
    try:
        return Pin(name)
    except ValueError:
        return None

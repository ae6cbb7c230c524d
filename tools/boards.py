#!/usr/bin/env python3
"""Check the pins of every board against what its chip can do; the tests and builders call this.

    python3 tools/boards.py

prints each board's pins with what is special about them, and every complaint. The facts are those
of Espressif's data sheets and of MicroPython 1.24 to 1.28.
"""

import sys
from dataclasses import dataclass

from packlab.flash.boards import Board, load, names


@dataclass(frozen=True)
class Chip:
    """Pins of one chip by what they are for, and its UARTs."""

    pins: frozenset[int]
    strapping: frozenset[int]  # decide how the chip starts: nothing from outside may hold them
    flash: frozenset[int]  # the module's own flash and PSRAM
    usb: frozenset[int]
    console: tuple[int, int]  # UART 0 (TX, RX): the boot ROM talks there, whoever listens
    input_only: frozenset[int]
    wakes: frozenset[int]  # from deep sleep
    uart_tx: frozenset[int]  # what MicroPython's UART 1 and 2 drive when told no TX pin
    uarts: int
    source: str


def _pins(*parts: int | range) -> frozenset[int]:
    return frozenset(n for part in parts for n in (part if isinstance(part, range) else [part]))


CHIPS = {
    "esp32": Chip(
        pins=_pins(range(20), range(21, 24), range(25, 28), range(32, 40)),
        strapping=_pins(0, 2, 5, 12, 15),
        flash=_pins(range(6, 12), 16, 17),  # 16 and 17: PSRAM of WROVER modules
        usb=frozenset(),
        console=(1, 3),
        input_only=_pins(range(34, 40)),
        wakes=_pins(0, 2, 4, range(12, 16), range(25, 28), range(32, 40)),
        uart_tx=_pins(10, 17),
        uarts=3,
        source="ESP32 Series Datasheet, sections on pins and strapping pins",
    ),
    "esp32c3": Chip(
        pins=_pins(range(22)),
        strapping=_pins(2, 8, 9),
        flash=_pins(range(11, 18)),  # 11 is VDD_SPI
        usb=_pins(18, 19),
        console=(21, 20),
        input_only=frozenset(),
        wakes=_pins(range(6)),
        uart_tx=_pins(10),
        uarts=2,
        source="ESP32-C3 Series Datasheet, sections on pins and strapping pins",
    ),
    "esp32s3": Chip(
        pins=_pins(range(22), range(26, 49)),
        strapping=_pins(0, 3, 45, 46),
        flash=_pins(range(26, 38)),  # 33 to 37: octal flash or PSRAM
        usb=_pins(19, 20),
        console=(43, 44),
        input_only=frozenset(),
        wakes=_pins(range(22)),
        uart_tx=_pins(10, 17),
        uarts=3,
        source="ESP32-S3 Series Datasheet, sections on pins and strapping pins",
    ),
}

RECEIVERS = ("BMS_TX_RX", "HOST_TX_RX", "DASH_RX")
WIRES = (*RECEIVERS, "BMS_RX_TX")  # what leads to the scooter
DRIVEN = ("LED", "NEOPIXEL", "BUZZER", "BMS_RX_TX", "TX_PARK", "I2C_SDA", "I2C_SCL")
NEEDED = ("BUZZER", "BUTTON", "BMS_TX_RX", "BMS_RX_TX", "TX_PARK")
NAMES = (*NEEDED, "LED", "NEOPIXEL", "HOST_TX_RX", "DASH_RX", "I2C_SDA", "I2C_SCL")
# The boards whose console is UART 0 have one receiver less.
CONSOLE_ON_UART = ("esp32",)


def complaints(board: Board) -> list[str]:
    """What is wrong with a board's pins, a sentence each."""
    chip = CHIPS[board.chip]
    return [
        f"{board.name}: {problem}"
        for check in (_names, _exist, _once, _starting, _driven, _wires, _wake, _receivers)
        for problem in check(board.pins, chip, board.chip)
    ]


def _names(pins: dict[str, int], _: Chip, __: str) -> list[str]:
    found = [f"{name} is missing" for name in NEEDED if name not in pins]
    found += [f"{name} is no name the firmware knows" for name in pins if name not in NAMES]
    if "LED" not in pins and "NEOPIXEL" not in pins:
        found.append("it has no light: LED or NEOPIXEL is needed")
    return found


def _exist(pins: dict[str, int], chip: Chip, _: str) -> list[str]:
    found = [f"{n} of {name} does not exist" for name, n in pins.items() if n not in chip.pins]
    reserved = {"flash": chip.flash, "USB": chip.usb, "UART 0's console": set(chip.console)}
    for what, taken in reserved.items():
        found += [f"{name} is on {n}, which is {what}" for name, n in pins.items() if n in taken]
    return found


def _once(pins: dict[str, int], _: Chip, __: str) -> list[str]:
    numbers = list(pins.values())
    return [f"{n} is used twice" for n in sorted(set(numbers)) if numbers.count(n) > 1]


def _starting(pins: dict[str, int], chip: Chip, _: str) -> list[str]:
    # a LED that a dev board has on such a pin itself is made for it
    held = [name for name, n in pins.items() if n in chip.strapping and name != "LED"]
    return [f"{name} is on a pin that decides how the chip starts" for name in held]


def _driven(pins: dict[str, int], chip: Chip, _: str) -> list[str]:
    driven = [name for name in DRIVEN if pins.get(name) in chip.input_only]
    return [f"{name} is on a pin that cannot be an output" for name in driven]


def _wires(pins: dict[str, int], chip: Chip, _: str) -> list[str]:
    wired = [name for name in pins if name != "TX_PARK" and pins[name] in chip.uart_tx]
    return [f"{name} is on a pin MicroPython's UART drives by default" for name in wired]


def _wake(pins: dict[str, int], chip: Chip, _: str) -> list[str]:
    deaf = [name for name in ("BMS_TX_RX", "BUTTON") if pins.get(name) not in chip.wakes]
    return [f"{name} is on a pin that cannot wake the chip" for name in deaf]


def _receivers(pins: dict[str, int], chip: Chip, name: str) -> list[str]:
    wanted = [wire for wire in RECEIVERS if wire in pins]
    free = chip.uarts - (name in CONSOLE_ON_UART)
    found = []
    if len(wanted) > free:
        found.append(f"{len(wanted)} wires are listened to, but {free} UARTs are free")
    if "DASH_RX" in pins and name in CONSOLE_ON_UART:
        found.append("DASH_RX needs UART 0, which is the console")
    if "HOST_TX_RX" in pins and chip.uarts < 3:
        found.append("HOST_TX_RX needs UART 2, which the chip does not have")
    return found


def main() -> int:
    """Print all boards; 1 when there is a complaint."""
    problems = []
    for name in names():
        board = load(name)
        chip = CHIPS[board.chip]
        print(f"{name}: {board.product} (pins: {chip.source})")
        for pin, number in board.pins.items():
            marks = [
                mark
                for mark, group in (
                    ("cannot be an output", chip.input_only),
                    ("wakes the chip", chip.wakes),
                    ("decides how the chip starts", chip.strapping),
                )
                if number in group
            ]
            print(f"  {pin:11} GPIO{number:<3} {', '.join(marks)}".rstrip())
        problems += complaints(board)
    print("\n".join(problems) or "no complaint")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Compute what the dongle draws from the pack, awake and parked; the figures of docs/power.md.

    python3 tools/power.py [--pack 36] [--mah 7800] [--check]

Currents are those of data sheets, their upper ends where they give a range, and duty cycles are
the firmware's own. Nothing here has been measured. --check: 1 when the board that fits a deck
draws more than the target when parked.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TARGET_MA = 1.0  # parked, at the pack
DECK_BOARD = "ESP32_C3_MINI"
INSIDE_V = 5.0  # what the converter makes; a board's linear regulator takes the same current at it

# The radio: one advertisement a second (firmware/deckwatch/hal/radio.py) on three channels, and
# listening after each. ESP32 Series Datasheet, Bluetooth LE at 0 dBm: 130 mA; taken for all chips.
RADIO_MA, RADIO_DUTY = 130.0, 0.004
# The light: WS2812B, 12 mA a colour at full duty, about 1 mA when dark (its data sheet names no
# figure; measured by many at 0.6 to 1 mA). The firmware's green is 0x30 of 0xff, lit all the time.
PIXEL_DARK_MA, PIXEL_LIT_MA = 1.0, 12.0 * 0x30 / 0xFF
# 74LVC1G17: at most 10 uA (data sheet)
BUFFER_MA = 0.01


@dataclass(frozen=True)
class Board:
    """Milliamperes at 3.3 V. awake: 160 MHz, no radio; deep: deep sleep with RTC memory; rest:
    what else is on the board and cannot be switched off."""

    name: str
    awake: float
    deep: float
    rest: float
    source: str


@dataclass(frozen=True)
class Converter:
    """From the pack to 5 V. own: mA at the pack without load; good, poor: efficiency at tens of mA
    and below one."""

    name: str
    own: float
    good: float
    poor: float


BOARDS = (
    Board("ESP32_C3_MINI", 28.0, 0.005, 0.06, "ESP32-C3 Series Datasheet; ME6211 regulator 60 uA"),
    Board("ESP32_S3_MINI", 40.0, 0.008, 0.06, "ESP32-S3 Series Datasheet; ME6211 regulator 60 uA"),
    Board("ESP32_DEV", 44.0, 0.01, 17.0, "ESP32 Series Datasheet; AMS1117 5 mA, CP2102 12 mA"),
)
CONVERTERS = (
    Converter("LMR36506 or the like (65 V, sleeps between pulses)", 0.03, 0.80, 0.60),
    Converter("cheap 100 V module (XL7015)", 5.0, 0.70, 0.30),
)


def awake_ma(board: Board, converter: Converter, pack_v: float) -> float:
    """At the pack, watching, green, nobody connected."""
    inside = board.awake + board.rest + RADIO_MA * RADIO_DUTY + PIXEL_LIT_MA + BUFFER_MA
    return inside * INSIDE_V / (pack_v * converter.good) + converter.own


def parked_ma(board: Board, converter: Converter, pack_v: float, *, pixel_off: bool) -> float:
    """At the pack, in deep sleep. pixel_off: the light's own supply is switched off with it."""
    inside = board.deep + board.rest + BUFFER_MA + (0.0 if pixel_off else PIXEL_DARK_MA)
    efficiency = converter.good if inside > 1.5 else converter.poor
    return inside * INSIDE_V / (pack_v * efficiency) + converter.own


def lines(pack_v: float, pack_mah: float) -> Iterator[str]:
    """The table in words: computed, every figure of it."""
    yield f"mA at a pack of {pack_v:g} V (computed; target parked {TARGET_MA:g} mA)"
    for converter in CONVERTERS:
        yield converter.name
        yield "  board            awake   parked   light's supply off   a full pack lasts, parked"
        for board in BOARDS:
            awake = awake_ma(board, converter, pack_v)
            dark = parked_ma(board, converter, pack_v, pixel_off=False)
            off = parked_ma(board, converter, pack_v, pixel_off=True)
            verdict = "within" if dark <= TARGET_MA else "OVER"
            days = pack_mah / dark / 24
            yield (
                f"  {board.name:15}{awake:7.1f}{dark:9.2f} {verdict:7}{off:13.2f}{days:20.0f} days"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; with --check 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="power.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pack", type=float, default=36.0, metavar="V")
    parser.add_argument("--mah", type=float, default=7800.0)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    if not 18 <= options.pack <= 100 or options.mah <= 0:
        print("power.py: a pack has 18 to 100 V and some mAh", file=sys.stderr)
        return 2
    print("\n".join(lines(options.pack, options.mah)))
    deck = next(board for board in BOARDS if board.name == DECK_BOARD)
    worst = parked_ma(deck, CONVERTERS[0], options.pack, pixel_off=False)
    return 1 if options.check and worst > TARGET_MA else 0


if __name__ == "__main__":
    sys.exit(main())

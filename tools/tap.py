#!/usr/bin/env python3
"""Compute what a tap does to a data line when the dongle is dead and when it is alive; the figures
of docs/wiring.md, all computed.

    python3 tools/tap.py [--pull-up 10000] [--rail 3.3]

A line rests high through the battery's own pull-up or driver resistance, which nobody has measured
on a scooter: 10 kOhm is what emulator boards were given.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

DIODE_V = 0.6  # an unpowered chip's input conducts from here on
HIGH = 0.7  # of the rail: from here on a CMOS input is sure to read high
LOW = 0.25  # of the rail: up to here an ESP32 input is sure to read low (its data sheet, VIL)
INSIDE_OHM = 45_000  # the ESP32's own pull-up (data sheet), which the firmware switches on
SERIES_OHM = 1_000  # protects the buffer; limits a short to the pack's plus to a few tens of mA
IOFF_A = 10e-6  # 74LVC1G17 without supply, input up to 5.5 V, at most (data sheet, Ioff)
INPUT_F, CABLE_F = 10e-12, 30e-12  # the buffer's input; 30 cm of wire
BAUD = 115_200


def dead_through_resistor(rail_v: float, pull_up_ohm: float, series_ohm: float) -> float:
    """Volts left on a high line when only a resistor leads to a dead dongle."""
    return DIODE_V + (rail_v - DIODE_V) * series_ohm / (series_ohm + pull_up_ohm)


def least_resistor(rail_v: float, pull_up_ohm: float) -> float:
    """Ohms from which on a dead dongle leaves the line a valid high."""
    return pull_up_ohm * (HIGH * rail_v - DIODE_V) / (rail_v - HIGH * rail_v)


def most_resistor(rail_v: float) -> float:
    """Ohms up to which a living ESP32 still reads a low against its own pull-up."""
    return INSIDE_OHM * LOW * rail_v / (rail_v - LOW * rail_v)


def dead_behind_buffer(rail_v: float, pull_up_ohm: float) -> float:
    """Volts left on a high line when the buffer has no supply."""
    return rail_v - IOFF_A * pull_up_ohm


def edge_s(pull_up_ohm: float) -> float:
    """Seconds the tap adds to a rising edge, to 90 %."""
    return 2.3 * (pull_up_ohm * (INPUT_F + CABLE_F) + SERIES_OHM * INPUT_F)


def lines(rail_v: float, pull_up_ohm: float) -> Iterator[str]:
    """All of it in words."""
    needed_v = HIGH * rail_v
    bare_v = dead_through_resistor(rail_v, pull_up_ohm, SERIES_OHM)
    buffer_v = dead_behind_buffer(rail_v, pull_up_ohm)
    verdict = "valid" if buffer_v >= needed_v else "NOT VALID"
    pull_up, series = f"{pull_up_ohm / 1000:.0f} kOhm", f"{SERIES_OHM / 1000:.0f} kOhm"
    yield f"line {rail_v:.1f} V, pull-up {pull_up}: high is {needed_v:.2f} V or more"
    yield (
        f"dead dongle behind {series} alone: {bare_v:.2f} V"
        f" ({'valid' if bare_v >= needed_v else 'NOT VALID: the scooter stops'})"
    )
    least, most = least_resistor(rail_v, pull_up_ohm), most_resistor(rail_v)
    yield (
        f"a resistor alone would need {least / 1000:.1f} kOhm or more for a dead dongle and"
        f" {most / 1000:.1f} kOhm or less for a living one: "
        + ("possible" if least <= most else "there is none that does both")
    )
    yield f"dead dongle behind {series} and a 74LVC1G17: {buffer_v:.2f} V ({verdict})"
    late_s = edge_s(pull_up_ohm)
    yield (
        f"the tap adds {late_s * 1e6:.2f} us to an edge,"
        f" {100 * late_s * BAUD:.0f} % of a bit at {BAUD} baud"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 2 for numbers no line has."""
    parser = argparse.ArgumentParser(prog="tap.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pull-up", type=float, default=10_000, metavar="OHM")
    parser.add_argument("--rail", type=float, default=3.3, metavar="V")
    options = parser.parse_args(arguments)
    if not 10 <= options.pull_up <= 1e6 or not 1.8 <= options.rail <= 5.5:
        print("tap.py: a pull-up has 10 to 1000000 ohms, a rail 1.8 to 5.5 V", file=sys.stderr)
        return 2
    print("\n".join(lines(options.rail, options.pull_up)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

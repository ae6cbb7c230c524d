"""The options of the owner that are no guardrail's limit, as rows for people: name, default, what
is allowed, meaning; and what a cell chemistry changes. config.py makes of them, and of the
guardrails' table, what a dongle needs.
"""

from deckwatch.guardrails.table import ROWS, option_names
from deckwatch.index import PROFILES

MODES = ("listen", "assist", "poll")
CHEMISTRY_NAMES = ("nmc", "lfp")

# name, default, what is allowed (lowest and highest, or the choices), meaning
OPTIONS = (
    ("series", 10, (0, 32), "cells in series; 0 = as many as the board names"),
    ("chemistry", "nmc", CHEMISTRY_NAMES, "cell chemistry, decides full voltage and cell limits"),
    ("packs", 1, (1, 2), "most batteries on the line: 2 with an external one, once it was heard"),
    ("design_mah", 0, (0, 200000), "capacity printed on the pack; 0 = as the board says"),
    ("bleed_ma", 30, (0, 5000), "what the board bleeds off a group to balance; 0 = not known"),
    ("dongle_ua", 1000, (0, 50000), "what the dongle draws from the parked pack (docs/power.md)"),
    ("fresh_ms", 5000, (1000, 60000), "how long a live value counts as known"),
    ("baud", 115200, (1200, 921600), "speed of the line; with profile auto it is found out"),
    ("mode", "listen", MODES, "listen: never send; assist, poll: may ask (docs/wiring.md first)"),
    ("probe", 0, (0, 1), "1 = in mode poll a silent board may be asked what it is"),
    ("console_s", 0, (0, 3600), "how often values are told on the USB console; 0 = never"),
    ("bluetooth", 1, (0, 1), "0 = the radio stays off"),
    ("advert", "plain", ("plain", "encrypted"), "what is told to everybody: docs/bluetooth.md"),
    ("ghost_cell_mv", 4600, (3700, 5000), "no cell of this chemistry can read more"),
    ("current_reversed", 0, (0, 1), "1 = this Daly board counts its current the other way round"),
    ("temp_messages", 0, (0, 1), "1 = a Rita: -10 and 100 degrees are messages (profile rita)"),
)

# full voltage of a cell, mV, and what else differs from the defaults
CHEMISTRIES = {
    "nmc": (4200, {}),
    "lfp": (
        3650,
        {
            "ghost_cell_mv": 4000,
            "cell_high_info_mv": 3550,
            "cell_high_warn_mv": 3650,
            "cell_high_alarm_mv": 3750,
            "charge_target_info_mv": 3500,
            "storage_full_info_mv": 3400,
            "storage_empty_info_mv": 3200,
            "cell_low_info_mv": 3000,
            "cell_low_warn_mv": 2800,
            "cell_low_alarm_mv": 2600,
            "regen_full_warn_mv": 3630,
        },
    ),
}

DEFAULT_PROFILE = "m365"


def limits() -> list:
    """(name, default, (lowest, highest)) of every limit the owner may choose, in the order of the
    table."""
    found: list = []
    for row in ROWS:
        for level, name in zip(row[8], option_names(row)):
            if name and name not in [option[0] for option in found]:
                found.append((name, level[1], (level[2], level[3])))
    return found


def every() -> list:
    """(name, default, what is allowed) by an option's number: the profile, the general ones, the
    limits."""
    return [("profile", DEFAULT_PROFILE, PROFILES)] + [row[:3] for row in OPTIONS] + limits()


def names() -> list:
    """All options by number."""
    return [option[0] for option in every()]

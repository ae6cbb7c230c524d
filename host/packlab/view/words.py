"""Every guardrail in plain words: its family and subject, and what packlab.advice says of it.

Also levels, hazard families and lights. The views read it; a code that is missing here is shown by
its own name.
"""

from collections.abc import Iterable
from typing import NamedTuple

from packlab.advice import book

CELLS, TEMPERATURE, CHARGING, CURRENT, ELECTRONICS = range(1, 6)
# By number of blinks and beeps; the firmware's alert.py counts the same way.
FAMILIES = ("", "cells", "temperature", "charging", "current", "electronics and data line")

LEVELS = ("ok", "info", "warn", "alarm")
LEVEL_WORDS = {"ok": "ok", "info": "info", "warn": "WARN", "alarm": "ALARM"}
LEVEL_MARKS = {"ok": "-", "info": "i", "warn": "!", "alarm": "!!"}
LEVEL_STYLES = {"ok": "green", "info": "cyan", "warn": "bold yellow", "alarm": "bold red"}
UNKNOWN_MARK, UNKNOWN_STYLE = "?", "bold magenta"

LOOKS = {
    "off": "the scooter is off",
    "no_data": "no data yet",
    "partial": "not yet all that can be watched here",
    "fine": "all that can be watched here is watched and fine",
    "info": "information",
    "unknown": "alert out of sight",
    "warn": "warning",
    "alarm": "alarm",
}


class Words(NamedTuple):
    """One guardrail. hint: what to do at level info, where that is milder than `advice`."""

    family: int
    subject: str
    title: str
    meaning: str
    advice: str
    hint: str = ""


# Family and subject; the rest is the advice's.
_SUBJECTS = {
    "cell_spread": (CELLS, "balance"),
    "weak_cell": (CELLS, "weak group"),
    "cell_high": (CELLS, "too full"),
    "cell_low": (CELLS, "too empty"),
    "ghost_voltage": (CELLS, "false readings"),
    "stuck_cell": (CELLS, "frozen reading"),
    "cell_count": (CELLS, "number of cells"),
    "charge_cold": (TEMPERATURE, "charging in the cold"),
    "charge_hot": (TEMPERATURE, "charging in the heat"),
    "discharge_hot": (TEMPERATURE, "battery heat"),
    "temp_sensor": (TEMPERATURE, "probes"),
    "heat_rise": (TEMPERATURE, "heating by itself"),
    "charge_voltage": (CHARGING, "voltage"),
    "charger_cc_only": (CHARGING, "taper"),
    "charge_current": (CHARGING, "current"),
    "charge_target": (CHARGING, "target"),
    "charge_stalled": (CHARGING, "stalled"),
    "charge_timer": (CHARGING, "duration"),
    "charger_droop": (CHARGING, "progress"),
    "discharge_current": (CURRENT, "discharge"),
    "regen_current": (CURRENT, "braking current"),
    "regen_full": (CURRENT, "braking when full"),
    "charge_fet_off": (CURRENT, "charging path"),
    "bms_trip": (CURRENT, "cut-outs"),
    "sag": (CURRENT, "voltage sag"),
    "soc_mismatch": (ELECTRONICS, "percent shown"),
    "frozen_data": (ELECTRONICS, "frozen data"),
    "idle_pack": (CURRENT, "second pack"),
    "bms_fault": (ELECTRONICS, "BMS faults"),
    "controller_error": (ELECTRONICS, "controller errors"),
    "silence": (ELECTRONICS, "lost line"),
    "link_noise": (ELECTRONICS, "line noise"),
    "self_discharge": (CELLS, "loss while parked"),
    "storage": (CELLS, "storage"),
    "settle": (CHARGING, "settling"),
    "capacity": (CELLS, "capacity"),
    "balance_idle": (CELLS, "balancing"),
    "board_hot": (TEMPERATURE, "board heat"),
    "sense_wire": (ELECTRONICS, "sense wires"),
    "humidity": (ELECTRONICS, "moisture"),
}
GUARDRAILS = {
    code: Words(*_SUBJECTS[code], said.title, said.meaning, said.now, said.hint)
    for code, said in book("guardrails").items()
}

# Deeply empty groups: the guardrail sheet names them apart (row 4).
DEEP_MV = 2000
DEAD_MV = 1500


def words(code: str) -> Words:
    """Return the words of a guardrail; those of an unknown code are made from its name."""
    name = code.replace("_", " ")
    return GUARDRAILS.get(code) or Words(ELECTRONICS, name, name.capitalize(), "", "")


def advice(code: str, level: str, value: int) -> str:
    """Return what to do about an alert, one sentence; `value` in the unit of the alert."""
    if code == "cell_low" and value <= DEEP_MV:
        said_of = book("guardrails")[code]
        return said_of.dead if value < DEAD_MV else said_of.deep
    said = words(code)
    return said.hint or said.advice if level == "info" else said.advice


def by_family(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Return the codes as (family, subjects joined by commas), in the order of FAMILIES."""
    found = [words(code) for code in codes]
    return [
        (name, ", ".join(said.subject for said in found if said.family == family))
        for family, name in enumerate(FAMILIES)
        if any(said.family == family for said in found)
    ]


def watched(codes: Iterable[str], known: Iterable[str]) -> str:
    """`cells, charging (voltage)`: subjects only of a family with other codes among `known`."""
    return ", ".join(_grouped(codes, known, "{}"))


def not_watched(codes: Iterable[str], known: Iterable[str]) -> str:
    """`cells not watched; charging not watched (voltage)`, '' for no codes; see watched()."""
    return "; ".join(_grouped(codes, known, "{} not watched"))


def _grouped(codes: Iterable[str], known: Iterable[str], phrase: str) -> list[str]:
    whole = {family: subjects.count(",") for family, subjects in by_family(known)}
    return [
        phrase.format(family) + ("" if whole[family] == subjects.count(",") else f" ({subjects})")
        for family, subjects in by_family(codes)
    ]


def light(look: str, colour: str, blinks: int) -> str:
    """A light pattern: `amber, 3 blinks: warning, charging`."""
    meaning = LOOKS.get(look, look)
    if look in ("info", "unknown", "warn", "alarm") and 0 < blinks < len(FAMILIES):
        meaning += f", {FAMILIES[blinks]}"
    rhythm = f", {count(blinks, 'blink')}" if blinks else "" if colour == "off" else ", steady"
    return f"{colour}{rhythm}: {meaning}"


def beeps(number: int, tone_hz: int) -> str:
    """`3 beeps at 2000 Hz`; none are the chirp of good news."""
    return f"{count(number, 'beep')} at {tone_hz} Hz" if number else "a chirp: good news"


def count(number: int, noun: str) -> str:
    """`1 blink`, `3 blinks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

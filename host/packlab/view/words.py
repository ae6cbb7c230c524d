"""Every guardrail in plain words: what is watched, what an alert means for a rider, what to do.

Also levels, hazard families and lights. The views read it; a code that is missing here is shown by
its own name.
"""

from collections.abc import Iterable
from typing import NamedTuple

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


GUARDRAILS = {
    "cell_spread": Words(
        CELLS,
        "balance",
        "Cells out of balance",
        "One group of cells has drifted away from the others, so it fills or empties first "
        "and ends the charge or the ride early.",
        "Balance the marked group from outside before blaming the BMS; do not leave it charging.",
        "Note it and look again after the next full charge.",
    ),
    "weak_cell": Words(
        CELLS,
        "weak group",
        "Weak group of cells",
        "One group gives way more than the others when you accelerate, which costs range and "
        "can cut the power without warning.",
        "Ride gently; have the marked group tested.",
    ),
    "cell_high": Words(
        CELLS,
        "too full",
        "Cell very full",
        "A group is charged higher than is good for it: a little ages it, a lot makes it "
        "dangerous.",
        "Unplug the charger and stay near; brake gently until the pack has come down.",
        "Nothing is wrong; stop charging a little earlier for a longer life.",
    ),
    "cell_low": Words(
        CELLS,
        "too empty",
        "Cell very empty",
        "A group is so empty that the pack may switch off, and deeper it takes lasting harm.",
        "Stop riding and charge soon; leave it standing no longer than you must.",
        "Ride home gently and charge.",
    ),
    "ghost_voltage": Words(
        CELLS,
        "false readings",
        "Cell reading that cannot be true",
        "The BMS reports cell voltages that do not fit together, so moisture, a loose sense wire "
        "or a dead group is hiding the real state.",
        "Do not charge; have the sense wires and the marked group measured with a meter.",
    ),
    "stuck_cell": Words(
        CELLS,
        "frozen reading",
        "Cell reading stands still",
        "One group's reading does not move while the others do, so the BMS no longer sees what "
        "that group really does.",
        "Measure that group with a meter; the BMS board is the suspect.",
    ),
    "cell_count": Words(
        CELLS,
        "number of cells",
        "Wrong number of cells",
        "The battery shows another number of cells than the dongle was set up for, so its limits "
        "may be wrong.",
        "Check the pack's label and the 'series' setting; do not charge before they agree.",
    ),
    "charge_cold": Words(
        TEMPERATURE,
        "charging in the cold",
        "Charging too cold",
        "Cells charged near or below freezing take damage that stays and can make them unsafe.",
        "Unplug and bring the scooter somewhere warm before charging on.",
    ),
    "charge_hot": Words(
        TEMPERATURE,
        "charging in the heat",
        "Charging too hot",
        "The cells get too warm while charging, which wears them quickly and, hotter still, "
        "is dangerous.",
        "Unplug and let the battery cool; stay near while it is hot.",
        "Give it air; some BMS pause here until about 35 °C.",
    ),
    "discharge_hot": Words(
        TEMPERATURE,
        "battery heat",
        "Battery too hot",
        "The cells are near the highest temperature they are made for.",
        "Stop, switch off and let it cool in the open; do not charge it hot.",
    ),
    "temp_sensor": Words(
        TEMPERATURE,
        "probes",
        "Temperature probe not believable",
        "A temperature probe reads what cannot be, so nobody is watching the heat there.",
        "Check the probe and its wire; do not charge unattended until it is mended.",
    ),
    "heat_rise": Words(
        TEMPERATURE,
        "heating by itself",
        "Heating up without a reason",
        "The battery warms quickly although little current flows: the earliest sign of a short "
        "inside a group.",
        "Unplug, move it outdoors away from anything that burns, and keep watching.",
    ),
    "charge_voltage": Words(
        CHARGING,
        "voltage",
        "Charging voltage too high",
        "The charger pushes the pack above full: a wrong or altered charger, or one with a fault.",
        "Unplug the charger now; measure its voltage before it is used again.",
    ),
    "charger_cc_only": Words(
        CHARGING,
        "taper",
        "Charger does not ease off",
        "Near full the current should fall and does not, as with altered chargers that never "
        "regulate their voltage.",
        "Unplug at the target by hand; replace the charger.",
    ),
    "charge_current": Words(
        CHARGING,
        "current",
        "Charging current too high",
        "More current flows in than the charging socket and its wires can bear for long.",
        "Use a smaller charger; feel whether plug and socket are hot.",
    ),
    "charge_target": Words(
        CHARGING,
        "target",
        "Charge target reached",
        "The battery is as full as you wanted it.",
        "Unplug; the room that is left is good for braking downhill.",
    ),
    "charge_stalled": Words(
        CHARGING,
        "stalled",
        "Charging has stopped early",
        "The charger is connected but hardly any current flows, and the battery is not full.",
        "Look for a full cell, cold or heat, a tripped BMS, or a bad charging socket.",
    ),
    "charge_timer": Words(
        CHARGING,
        "duration",
        "Charging takes too long",
        "This charge goes on longer than battery and charger explain.",
        "Unplug; check whether the charger ever switches to full.",
    ),
    "charger_droop": Words(
        CHARGING,
        "progress",
        "Charging without getting fuller",
        "Current is said to flow in, yet the pack's voltage does not rise: the charger gives way.",
        "Try another charger of the right voltage.",
    ),
    "discharge_current": Words(
        CURRENT,
        "discharge",
        "Current too high",
        "The motor draws more than the pack or its BMS is rated for; the BMS may cut the power.",
        "Accelerate more gently; write down what happened before changing anything.",
    ),
    "regen_current": Words(
        CURRENT,
        "braking current",
        "Braking current too high",
        "The motor brake pushes more current into the pack than the electronics are made for.",
        "Brake earlier and softer, or lower the brake's strength in the app.",
    ),
    "regen_full": Words(
        CURRENT,
        "braking when full",
        "Braking into a full battery",
        "The pack is too full to take what the motor brake gives back, and the controller can "
        "be damaged.",
        "Use the mechanical brake until the battery has some room.",
    ),
    "charge_fet_off": Words(
        CURRENT,
        "charging path",
        "Charging path open while riding",
        "The BMS has closed the way in, so the energy of braking has nowhere to go and can "
        "kill the controller.",
        "Stop using the motor brake and find out why the BMS blocks charging.",
    ),
    "bms_trip": Words(
        CURRENT,
        "cut-outs",
        "The battery has cut out",
        "The BMS has switched the battery off under load, which on the road is dangerous.",
        "Ride home gently or push; find the cause before the next ride.",
    ),
    "sag": Words(
        CURRENT,
        "voltage sag",
        "Voltage gives way under load",
        "The pack's voltage falls far when you accelerate, so it may cut out with charge left.",
        "Ride gently, keep away from hills; have the cells and plugs tested.",
    ),
    "soc_mismatch": Words(
        ELECTRONICS,
        "percent shown",
        "Percent shown is wrong",
        "The percentage does not fit the voltage, so the range you expect is not there, or more "
        "is left than shown.",
        "Trust the voltage; one full charge after a near-empty ride lets the BMS learn anew.",
    ),
    "frozen_data": Words(
        ELECTRONICS,
        "frozen data",
        "Data does not change",
        "The values repeat exactly while the scooter is used, so they are not those of a living "
        "battery.",
        "Find out what really answers: an adapter may be standing in for the BMS.",
    ),
    "idle_pack": Words(
        CURRENT,
        "second pack",
        "One battery does not take part",
        "Of two batteries one carries nearly all the load.",
        "Check plug, fuse and switch of the idle one; ride gently meanwhile.",
    ),
    "bms_fault": Words(
        ELECTRONICS,
        "BMS faults",
        "The BMS reports a fault",
        "The battery's own protection says that something is wrong, and it knows first.",
        "Stop, look at the named cause, and do not work around the protection.",
        "Nothing to do; the board says so by itself.",
    ),
    "controller_error": Words(
        ELECTRONICS,
        "controller errors",
        "Controller error",
        "The scooter's controller shows an error number on the dashboard.",
        "Look up the number named here and act on it.",
    ),
    "silence": Words(
        ELECTRONICS,
        "lost line",
        "No answer from the battery",
        "The battery no longer talks, so nothing is watched and the scooter falls back to limp "
        "mode.",
        "Check the data wires and their plug between battery and controller.",
    ),
    "link_noise": Words(
        ELECTRONICS,
        "line noise",
        "Data line disturbed",
        "Part of what the battery says arrives damaged: a corroded plug, a noisy charger, or "
        "another device on the line.",
        "Clean and press the plug; see whether it stops without the charger.",
    ),
    "self_discharge": Words(
        CELLS,
        "loss while parked",
        "Loses charge while parked",
        "The pack, or one of its groups, empties faster at rest than it should.",
        "Keep it outdoors or watched; have the pack checked for a leaking group.",
        "Look for something that draws current while the scooter is off.",
    ),
    "storage": Words(
        CELLS,
        "storage",
        "Stored too full, too empty or too cold",
        "The battery stood for days in a state that ages it.",
        "Park it at 3.7 to 3.8 V a cell and above freezing; let it warm up before charging.",
    ),
    "settle": Words(
        CHARGING,
        "settling",
        "Voltage falls a lot after charging",
        "After the charge the pack settled further than usual: cells are uneven or tired.",
        "Compare after the next charges; look at the balance of the cells.",
    ),
    "capacity": Words(
        CELLS,
        "capacity",
        "Less capacity than on the label",
        "A full charge holds clearly less than the battery was made for, so the range is short.",
        "Plan with the smaller figure; age or a false label are the usual causes.",
    ),
    "balance_idle": Words(
        CELLS,
        "balancing",
        "Balancing does not help",
        "The groups stay apart charge after charge: the BMS does not balance or cannot keep up.",
        "Leave it on the charger at full for some hours, watched; else balance from outside.",
    ),
    "board_hot": Words(
        TEMPERATURE,
        "board heat",
        "BMS board too hot",
        "The battery's electronics are hotter than they should be.",
        "Stop charging or riding and let it cool; if it was idle, have the board checked.",
    ),
    "sense_wire": Words(
        ELECTRONICS,
        "sense wires",
        "Bad sense wire",
        "A thin wire that measures a group makes poor contact, so the BMS sees faults that are "
        "not there.",
        "Re-solder or press the wire of the marked group.",
    ),
    "humidity": Words(
        ELECTRONICS,
        "moisture",
        "Moisture in the deck",
        "The air around the battery is so damp that water can settle on it.",
        "Dry the deck before charging and mend its seal.",
    ),
}

# Deeply empty groups: the guardrail sheet names them apart (row 4).
DEEP_MV = 2000
DEAD_MV = 1500
_DEEP = "Charge this group alone and gently; never charge it through the pack."
_DEAD = "Do not charge this group at all; have the pack taken apart by someone who knows how."


def words(code: str) -> Words:
    """Return the words of a guardrail; those of an unknown code are made from its name."""
    name = code.replace("_", " ")
    return GUARDRAILS.get(code) or Words(ELECTRONICS, name, name.capitalize(), "", "")


def advice(code: str, level: str, value: int) -> str:
    """Return what to do about an alert, one sentence; `value` in the unit of the alert."""
    if code == "cell_low" and value <= DEEP_MV:
        return _DEAD if value < DEAD_MV else _DEEP
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


def count(number: int, noun: str) -> str:
    """`1 blink`, `3 blinks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

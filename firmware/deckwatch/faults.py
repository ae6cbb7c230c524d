"""The names of everything a battery board can report wrong about itself, shared by all families.

A protocol file maps its own bits onto these names; position in FAULTS is the number that travels
in telemetry and alerts. They are kept in two slots of 30 bits (`faults_a`, `faults_b`) because a
32-bit MicroPython has 30 usable bits in a small int.
"""

from micropython import const

WORD_BITS = const(30)

FAULTS = (
    "cell_over_voltage",
    "cell_under_voltage",
    "pack_over_voltage",
    "pack_under_voltage",
    "charge_over_temperature",
    "charge_under_temperature",
    "discharge_over_temperature",
    "discharge_under_temperature",
    "charge_over_current",
    "discharge_over_current",
    "short_circuit",
    "front_end",
    "software_lock",
    "charge_fet",
    "discharge_fet",
    "over_temperature",
    "under_temperature",
    "board_over_temperature",
    "temperature_sensor",
    "current_sensor",
    "cell_difference",
    "sense_wire",
    "cell_count",
    "configuration",
    "not_activated",
    "low_charge",
    "communication",
    "memory",
    "precharge",
    "temperature_difference",
    # second word
    "charge_error",
    "deep_under_voltage",
    "high_charge",
    "heater",
    "clock",
    "parallel",
    "charger",
    "load",
    "thermal_runaway",
    "balancer",
    "low_health",
    "default_password",
    "vendor",
    # The first of two stages, where the second has an alarming name: the board warns and goes on.
    "cell_voltage_high",
    "pack_voltage_high",
    "charge_temperature_high",
    "discharge_temperature_high",
    "gps_lost",
    "discharge_start",  # switching the discharge on has failed
)

# Levels (alert.py): a fault that announces danger to people or hardware is an alarm, the rest are
# warnings.
ALARMING = (
    "cell_over_voltage",
    "pack_over_voltage",
    "charge_over_temperature",
    "discharge_over_temperature",
    "over_temperature",
    "board_over_temperature",
    "short_circuit",
    "charge_fet",
    "discharge_fet",
    "thermal_runaway",
)
# Reported, shown, but no reason to warn: set on healthy boards (JK sheet 2.2 bit 19; Daly sheet 4
# code 6, whose board without a partner misses one).
HARMLESS = ("default_password", "high_charge", "parallel", "gps_lost")


def mask(names: tuple, word: int) -> int:
    """Bits of word 0 or 1 that stand for `names`."""
    bits = 0
    for name in names:
        number = FAULTS.index(name)
        if number // WORD_BITS == word:
            bits |= 1 << (number % WORD_BITS)
    return bits

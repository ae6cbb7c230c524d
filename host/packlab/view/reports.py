"""What battery boards and controllers say of themselves: fault names and error numbers in words.

Error numbers: protocol sheet xiaomi 3.6. sentences.py reads both tables.
"""

# Only where the firmware's name with spaces is not plain enough.
_FAULTS = {
    "front_end": "measuring chip failed",
    "software_lock": "locked by its software",
    "charge_fet": "charging switch failed",
    "discharge_fet": "discharging switch failed",
    "over_temperature": "too hot",
    "under_temperature": "too cold",
    "board_over_temperature": "board too hot",
    "temperature_sensor": "temperature probe failed",
    "current_sensor": "current measurement failed",
    "cell_difference": "cells too far apart",
    "sense_wire": "sense wire open",
    "cell_count": "wrong number of cells",
    "configuration": "settings damaged",
    "precharge": "pre-charge failed",
    "temperature_difference": "probes too far apart",
    "deep_under_voltage": "emptied too deeply",
    "clock": "clock not set",
    "parallel": "packs in parallel disagree",
    "low_health": "worn out",
    "default_password": "password never changed",
    "vendor": "a fault its maker does not explain",
}

_UNPLUG = "Stop charging and let the scooter rest; if it comes back, have the pack checked."
_SENSING = "Switch off and on; if it stays, the controller needs repair."
_LEVER = "Check the plug and magnet of the lever; do not ride while it shows."
_PLUGS = "Check the plugs between battery and controller."
_SETTINGS = "Its settings need to be written anew by somebody with the tools."
_COOL = "Stop and let it cool."

_ERRORS = {
    10: ("no connection to the dashboard", "Check the cable between dashboard and controller."),
    11: ("current sensing of phase A", _SENSING),
    12: ("current sensing of phase B", _SENSING),
    13: ("current sensing of phase C", _SENSING),
    14: ("throttle sensor", _LEVER),
    15: ("brake lever sensor", _LEVER),
    16: ("charging switch of the internal battery", _UNPLUG),
    17: ("charging switch of the external battery", _UNPLUG),
    18: ("motor sensor", "Check the motor's plug; do not ride while it shows."),
    19: ("voltage of the internal battery", _PLUGS),
    20: ("voltage of the external battery", _PLUGS),
    21: ("no connection to the battery's BMS", "Check the data wires and their plug."),
    22: ("the BMS reports trouble or lacks its settings", "Look at the balance of the cells."),
    23: ("the BMS is not activated or has a default serial", "It must be activated or replaced."),
    24: (
        "supply voltage out of range",
        "Do not ride: stock controllers take 43 V, 12 cells need changed firmware.",
    ),
    26: ("saving settings failed", _SETTINGS),
    27: ("the controller's settings are missing", _SETTINGS),
    28: ("shorted MOSFET, high side", "Do not ride: the controller must be replaced."),
    29: ("shorted MOSFET, low side", "Do not ride: the controller must be replaced."),
    31: ("the controller's program failed", _SENSING),
    32: ("no connection to the rental module", "Check the module's plug."),
    35: ("the scooter's serial is a default one", _SETTINGS),
    36: ("fault inside the internal battery", "Have the internal battery checked."),
    37: ("fault inside the internal battery", "Have the internal battery checked."),
    38: ("charging current too high", "Unplug and use the right charger."),
    39: ("battery temperature", _COOL + " Some adapters raise it on purpose at high current."),
    40: ("controller temperature", _COOL),
    41: ("temperature of the external battery", _COOL),
    42: ("no connection to the external battery", "Check its data wires and their plug."),
    43: ("the external battery's settings", _SETTINGS),
    44: ("the external battery is not activated", "It must be activated or replaced."),
    45: ("the internal battery reports a fault", "Have the internal battery checked."),
    46: ("the external battery reports a fault", "Have the external battery checked."),
    49: ("battery and controller software do not fit", _SETTINGS),
    50: ("battery and controller software do not fit", _SETTINGS),
}


def fault(name: str) -> str:
    """Return a fault name of the firmware in words."""
    return _FAULTS.get(name, name.replace("_", " "))


def error(number: int) -> str:
    """Return an error number with its meaning."""
    if number in _ERRORS:
        return f"number {number}, {_ERRORS[number][0]}"
    return f"number {number}, meaning not known"


def error_advice(number: int) -> str:
    """Return what to do about an error number, '' where nobody knows."""
    return _ERRORS[number][1] if number in _ERRORS else ""

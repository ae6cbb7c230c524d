"""Writes host/packlab/wireshark/deckwatch.lua, the dissector for Wireshark: the parts beside it,
behind the firmware's own FRAMING rows, field tables and kinds of frame, as Lua tables.

    .venv/bin/python tools/make_wireshark.py [--check]

Kinds of the scooters' frames are not copied by hand: the firmware's decoders are asked for every
address and command. Which table is read where, by the other families, is code there and code in
FAMILY.lua here; tests/test_wireshark.py holds the two against each other.
--check only compares (exit 1: run me).
"""

import sys
from collections.abc import Iterator
from typing import Any

from packlab import decode
from packlab.checkout import board, firmware, root
from packlab.encode import width

FOLDER = root() / "host" / "packlab" / "wireshark"
TARGET = FOLDER / "deckwatch.lua"
SCOOTERS = ("ninebot", "xiaomi")
PARTS = ("engine", "scooter", "jbd", "ant", "vesc", "daly", "jk", "packets")
# The tables of the other families, by the module they stand in.
TABLES_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "jbd": {"jbd": ("BASIC", "CHARGE", "CHARGE_X10", "CELLS", "COUNTERS")},
    "ant": {"ant": ("OLD_STATUS", "OLD_CELLS", "CELLS", "PROBES", "STATUS", "SETTINGS")},
    "vesc": {"vesc": ("VALUES", "SETUP", "OLD_VALUES", "BMS", "BMS_CELLS", "BMS_TAIL", "CAN")},
    "daly": {"daly_map": ("A5", "D2", "H81")},
    "jk": {
        "jk02": ("LIVE", "LIVE_32", "LIVE_24", "SETTINGS", "DEVICE", "CELLS", "WIRES", "PROBES"),
        "jk_display": ("DISPLAY", "DISPLAY_TEMPS", "PB_MAIN", "BALANCER"),
    },
}
# What code sets that no row names.
_SET_BY_CODE = ("charge_fet", "discharge_fet", "mos_temp_dc", "current_ma", "soc_pct", "cycles")
# By the address that speaks: the tables its replies are read with, as each protocol's decode does.
READERS = {
    "xiaomi": {0x25: ["BATTERY"], 0x23: ["CONTROLLER"]},
    "ninebot": {
        0x22: ["BATTERY"],
        0x23: ["BATTERY"],
        0x11: ["BATTERY", "WHEEL"],
        0x12: ["BATTERY", "WHEEL"],
        0x20: ["CONTROLLER"],
    },
}
_NAMED = (0x11, 0x12, 0x20, 0x21, 0x22, 0x23)  # Ninebot's addresses that make a difference
_OTHER = 0xFF  # stands for all the rest
_UNITS = {
    "mv": "mV", "ma": "mA", "mah": "mAh", "pct": "%", "s": "s", "m": "m", "mh": "m/h",
    "dc": "0.1 °C", "mohm": "mΩ", "permille": "‰",
}  # fmt: skip
_DASH = ("throttle_raw", "brake_raw", "mode", "controller_soc_pct", "speed_mh", "error_code")
_LINE = 98


class Raw(str):
    """Lua that is written as it stands."""


def lua(value: Any) -> str:
    """A Python value in Lua."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, bytes):
        return '"' + "".join(f"\\x{byte:02x}" for byte in value) + '"'
    if value is None:
        return "nil"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        keys = (k if isinstance(k, str) else f"[{k:#x}]" for k in value)
        pairs = zip(keys, value.values(), strict=True)
        return "{ " + ", ".join(f"{k} = {lua(v)}" for k, v in pairs) + " }"
    if isinstance(value, list | tuple):
        return "{ " + ", ".join(map(lua, value)) + " }" if value else "{}"
    return str(value)


def framing(row: tuple[Any, ...]) -> dict[str, Any]:
    """A FRAMING row (framings.py) with names."""
    header, length, check, tail = row[:4]
    named = {"header": header, "tail": tail}
    named |= dict(zip(("offset", "code", "add", "lowest", "highest"), length, strict=True))
    parts = ("check", "check_from", "check_end", "check_at", "check_code")
    named |= dict(zip(parts, check, strict=True))
    if len(row) > 5 and row[5]:
        named["before"] = list(row[5])
    if len(row) > 6:
        named["after"] = [framing(inner) for inner in row[6]]
    return named


def field(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of a field table (rows.py) with names; what has its default is left off."""
    offset, code, slot = row[:3]
    named: dict[str, Any] = {"offset": offset, "slot": slot}
    if code.startswith("text"):
        return named | {"kind": "text", "width": width(code)}
    if code in ("bcd", "bcd2"):
        return named | {"kind": "bcd", "code": "B" if code == "bcd2" else "<H"}
    if code.endswith("date"):
        return named | {"kind": "date", "code": ">H" if code[0] == ">" else "<H"}
    if slot == "faults":
        return named | {"kind": "faults", "code": code, "faults": [list(bit) for bit in row[3]]}
    if slot in ("balance_a", "balance_b"):
        return named | {"kind": "balance", "code": code, "first_cell": 1 + 16 * (slot[-1] == "b")}
    if "." in code:
        base, bit = code.split(".")
        return named | {"kind": "bit", "code": base, "bit": int(bit)}
    names = ("mul", "div", "add", "count", "first", "absent")
    given = dict(zip(names, row[3:], strict=False))
    usual = {"mul": 1, "div": 1, "add": 0, "count": 1, "first": 0}
    changed = {name: value for name, value in given.items() if usual.get(name) != value}
    return named | {"kind": "value", "code": code} | changed


def kinds(family: str) -> dict[int, dict[int, str]]:
    """By address (Ninebot: source * 256 + destination), the kind of each command that has one."""
    if family == "xiaomi":
        return {a: found for a in range(0x20, 0x26) if (found := _kinds(family, bytes([a])))}
    ends = (*_NAMED, _OTHER)
    return {a << 8 | b: _kinds(family, bytes([a, b])) for a in ends for b in ends}


def _kinds(family: str, addresses: bytes) -> dict[int, str]:
    """What the firmware's decoder calls each command between these addresses."""
    module = firmware(f"protocols.{family}")
    found = {}
    for command in range(256):
        body = addresses + bytes([command, 0xFF])  # a register nothing is kept of
        frame = firmware("frame").Frame()
        frame.buf = bytearray(b"\0\0\0" + body + b"\0\0")
        frame.size = len(frame.buf)
        packs = [firmware("telemetry").Telemetry() for _ in range(2)]
        module.decode(frame, packs, None)
        if frame.kind != "unknown":
            found[command] = frame.kind
    return found


def slots(made: dict[str, dict[str, list[dict[str, Any]]]]) -> tuple[list[str], list[str]]:
    """The slots that hold numbers, and those that hold text, of all families' tables."""
    rows = [row for tables in made.values() for table in tables.values() for row in table]
    text = {row["slot"] for row in rows if row["kind"] in ("text", "bcd", "date")}
    apart = text | {"faults", "balance_a", "balance_b"}
    numbers = {row["slot"] for row in rows} | set(_DASH) | set(_SET_BY_CODE)
    return sorted(numbers - apart), sorted(text)


def tables(family: str) -> dict[str, list[dict[str, Any]]]:
    """Every table of a family by name."""
    places: dict[str, tuple[str, ...]] = TABLES_OF.get(family, {})
    if family in SCOOTERS:
        names = sorted({name for names in READERS[family].values() for name in names})
        places = {family: tuple(names)}
    found = {}
    for module, named in places.items():
        for name in named:
            rows = getattr(firmware(f"protocols.{module}"), name)
            found[name] = [field(row) for row in rows]
    return found | (_more_of_jk() if family == "jk" else {})


def _more_of_jk() -> dict[str, list[dict[str, Any]]]:
    """Registers of 4E 57, at sixteen times their number as the firmware has them; the tables of
    JK02 once more for Modbus, with the most significant byte first."""
    tlv, jk02 = (firmware(f"protocols.{name}") for name in ("jk_tlv", "jk02"))
    rows = [(row[0] << 4, *row[2:]) for row in tlv.REGISTERS if len(row) > 2]
    found = {"REGISTERS": [field(row) for row in rows]}
    found["DISPLAY_CELLS"] = [field(row) for row in firmware("protocols.jk_display").CELLS]
    for name in ("LIVE", "SETTINGS", "DEVICE", "CELLS", "WIRES", "PROBES"):
        both = getattr(jk02, name) + (jk02.LIVE_32 if name == "LIVE" else ())
        big = [(row[0], row[1].replace("<", ">"), *row[2:]) for row in sorted(both)]
        found[f"{name}_BIG"] = [field(row) for row in big]
    return found


def constants() -> Iterator[str]:
    """What else the families' code goes by."""
    ant, vesc, daly = (firmware(f"protocols.{name}") for name in ("ant", "vesc", "daly_map"))
    faults = {"discharge": ant.DISCHARGE_FAULTS, "charge": ant.CHARGE_FAULTS}
    yield from _long("ANT_FAULTS", [f"{n} = {lua(v)}" for n, v in faults.items()] + [
        f"balance = {lua(padded(ant.BALANCE_FAULTS, len(ant.CHARGE_FAULTS)))}"
    ])  # fmt: skip
    widths = {name: list(getattr(vesc, f"{name}_WIDTHS")) for name in ("VALUES", "SETUP")}
    yield f"local VESC_WIDTHS = {lua(widths)}"
    for name in ("READS", "WRITES"):
        commands = getattr(vesc, {"READS": "_PLAIN_READS", "WRITES": "_WRITES"}[name])
        yield from _long(f"VESC_{name}", [f"[{command}] = true" for command in commands])
    yield f"local DALY_LIMITS = {lua(daly.LIMITS)}"
    yield from _long("DALY_GUESSES", list(map(lua, daly.GUESSES)))
    registers = firmware("protocols.jk_tlv").REGISTERS
    widths_of = {row[0]: row[1] for row in registers}
    yield from _long(
        "JK_WIDTHS", [f"[{number:#x}] = {size}" for number, size in widths_of.items()]
    )
    alarms = firmware("protocols.jk_display").DISPLAY_ALARMS
    yield from _long("JK_DISPLAY_ALARMS", list(map(lua, alarms)))


def padded(names: tuple[str, ...], size: int) -> tuple[str, ...]:
    """Codes behind the last one that has a name have none."""
    return names + ("",) * (size - len(names))


def text() -> str:
    """The whole dissector."""
    made = "\n".join(_made())
    head, *parts = ((FOLDER / f"{name}.lua").read_text("utf-8") for name in ("head", *PARTS))
    how = (
        "-- Written by tools/make_wireshark.py from the firmware's tables and the files beside it."
    )
    return f"{head}{how}\n\n{made}\n{''.join(parts)}"


def _made() -> Iterator[str]:
    names = list(firmware("index").PROTOCOLS)
    made = {name: tables(name) for name in names}
    numbers, texts = slots(made)
    units = {n: " " + _UNITS[u] for n in numbers if (u := n.rpartition("_")[2]) in _UNITS}
    yield f"local FITTED_MV = {decode.FITTED_MV}"
    telemetry = firmware("telemetry")
    for name in ("MAX_CELLS", "MAX_PROBES", "NO_PROBE"):
        yield f"local {name} = {getattr(telemetry, name)}"
    yield f"local TEXT_BYTES = {board('bench_rows').TEXT_BYTES}"
    yield f"local OTHER = {_OTHER:#x} -- an address that makes no difference"
    yield f"local NAMES = {lua(names)}"
    yield from _long("SLOTS", list(map(lua, numbers)))
    yield from _long("UNITS", [f"{slot} = {lua(unit)}" for slot, unit in units.items()])
    yield f"local TEXTS = {lua(texts)}"
    yield "local FRAMING = {"
    for name in names:
        yield f"  {name} = {{"
        yield from (f"    {lua(framing(row))}," for row in firmware(f"protocols.{name}").FRAMING)
        yield "  },"
    yield "}"
    yield "local TABLES = {"
    for family in names:
        yield f"  {family} = {{"
        for name, rows in made[family].items():
            yield f"    {name} = {{"
            yield from (f"      {lua(row)}," for row in rows)
            yield "    },"
        yield "  },"
    yield "}"
    yield f"local READERS = {lua(READERS)}"
    known: list[dict[int, str]] = []
    lines = []
    for family in SCOOTERS:
        lines.append(f"  {family} = {{")
        for key, found in kinds(family).items():
            if found not in known:
                known.append(found)
            lines.append(f"    [{key:#x}] = WORDS[{known.index(found) + 1}],")
        lines.append("  },")
    yield "local WORDS = { -- kinds of frame by command"
    yield from (f"  {lua(found)}," for found in known)
    yield "}"
    yield from constants()
    yield "local KINDS = { -- by address; Ninebot: source * 256 + destination"
    yield from lines
    yield "}"


def _long(name: str, items: list[str]) -> Iterator[str]:
    """A table over as many lines as it needs."""
    yield f"local {name} = {{"
    line = " "
    for item in items:
        if len(line) + len(item) + 2 > _LINE:
            yield line
            line = " "
        line += f" {item},"
    yield line
    yield "}"


def main() -> int:
    made = text()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text("utf-8") != made:
            print(f"{TARGET.name} is not current; run .venv/bin/python tools/make_wireshark.py")
            return 1
        return 0
    TARGET.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

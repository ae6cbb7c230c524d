"""Writes host/packlab/wireshark/deckwatch.lua, the dissector for Wireshark: engine.lua behind the
firmware's own FRAMING rows, field tables and kinds of frame, as Lua tables.

    .venv/bin/python tools/make_wireshark.py [--check]

Kinds are not copied by hand: the firmware's decoders are asked for every address and command.
--check only compares (exit 1: run me).
"""

import sys
from collections.abc import Iterator
from typing import Any

from packlab import decode
from packlab.checkout import firmware, root
from packlab.encode import width

FOLDER = root() / "host" / "packlab" / "wireshark"
TARGET = FOLDER / "deckwatch.lua"
SCOOTERS = ("ninebot", "xiaomi")
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
    "dc": "0.1 °C",
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
    """A FRAMING row (framer.py) with names."""
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
    """A row of a field table (fields.py) with names and all that was left off."""
    offset, code, slot = row[:3]
    named: dict[str, Any] = {"offset": offset, "slot": slot, "count": 1}
    if code.startswith("text"):
        return named | {"kind": "text", "width": width(code)}
    if code in ("bcd", "date"):
        return named | {"kind": code, "code": "<H"}
    if slot == "faults":
        return named | {"kind": "faults", "code": code, "faults": [list(bit) for bit in row[3]]}
    if slot == "balance_a":
        return named | {"kind": "balance", "code": code}
    if "." in code:
        base, bit = code.split(".")
        return named | {"kind": "bit", "code": base, "bit": int(bit)}
    given = row[3:]
    rest = (*given, *(1, 1, 0, 1, 0)[len(given) :])
    named |= {"kind": "value", "code": code}
    named |= dict(zip(("mul", "div", "add", "count", "first"), rest[:5], strict=True))
    return named | ({"absent": rest[5]} if len(rest) > 5 else {})


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


def slots() -> tuple[list[str], list[str]]:
    """The slots that hold numbers, and those that hold text, of both scooter families."""
    rows = [row for family in SCOOTERS for table in tables(family).values() for row in table]
    text = {row["slot"] for row in rows if row["kind"] in ("text", "bcd", "date")}
    apart = text | {"faults", "balance_a"}
    return sorted(({row["slot"] for row in rows} | set(_DASH)) - apart), sorted(text)


def tables(family: str) -> dict[str, list[dict[str, Any]]]:
    module = firmware(f"protocols.{family}")
    names = sorted({name for names in READERS[family].values() for name in names})
    return {name: [field(row) for row in getattr(module, name)] for name in names}


def text() -> str:
    """The whole dissector."""
    made = "\n".join(_made())
    head, engine = ((FOLDER / name).read_text("utf-8") for name in ("head.lua", "engine.lua"))
    how = "-- Written by tools/make_wireshark.py from the firmware's tables and engine.lua."
    return f"{head}{how}\n\n{made}\n{engine}"


def _made() -> Iterator[str]:
    names = list(firmware("index").PROTOCOLS)
    numbers, texts = slots()
    units = {n: " " + _UNITS[u] for n in numbers if (u := n.rpartition("_")[2]) in _UNITS}
    yield f"local FITTED_MV = {decode.FITTED_MV}"
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
    for family in SCOOTERS:
        yield f"  {family} = {{"
        for name, rows in tables(family).items():
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

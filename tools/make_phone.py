"""Writes two files of the phone page (host/packlab/phone/): tables.js, what it has to know of the
firmware, and shell.js, the files it is made of and their version.

    .venv/bin/python tools/make_phone.py [--check]

tables.js comes from the firmware's own tables: identifiers, layouts' constants, guardrail codes,
operations, results, and every option with its unit and range. The page's words are not in it:
titles and advice stand in advice.*.json, the rest in words.*.js. shell.js is what the service
worker keeps; its version is a sum over all files, so it has to be written after any change of the
page. --check only compares (exit 1: run me).
"""

import hashlib
import json
import re
import sys
from typing import Any

from packlab.checkout import firmware, root
from packlab.journal import records, telling

PAGE = root() / "host" / "packlab" / "phone"
_MADE = "// Written by tools/make_phone.py, never by hand.\n"
_ASIDE = ("sw.js", "shell.js")  # the service worker does not keep itself
_GENERAL_UNITS = ("mv", "mah", "ms", "s", "min", "pct")  # ends of general options that are units
_CHARACTERISTICS = ("INFO", "LIVE", "SETTINGS", "NONCE", "COMMAND", "RESULT", "LOG")
_STATE_BITS = (
    "MUTED", "CHARGING", "RIDING", "SESSION_KNOWN", "CHARGE_FET", "DISCHARGE_FET", "FETS_KNOWN",
    "GUIDED",
)  # fmt: skip
_OPERATIONS = (
    "ACKNOWLEDGE", "MUTE", "BLINK", "SELF_TEST", "SET_TIME", "SET_OPTION", "READ_LOG",
    "START_SESSION",
)  # fmt: skip
_RESULTS = (
    "DONE", "AT_NEXT_START", "MALFORMED", "REFUSED", "HOLD_BUTTON", "NOT_HELD", "NOTHING",
    "TROUBLE",
)  # fmt: skip


def unit(option: str, *, is_limit: bool) -> str:
    """The unit an option's name ends with, as every limit's does; "" where it has none."""
    last = option.rpartition("_")[2]
    return last if is_limit or last in _GENERAL_UNITS else ""


def options() -> list[dict[str, Any]]:
    """Every option, its place in the list being its number on the air."""
    table = firmware("guardrails.table")
    found = []
    limits = {}
    for row in table.ROWS:
        for level, name in zip(row[8], table.option_names(row), strict=True):
            if name:
                limits[name] = {"code": row[0], "level": firmware("alert").LEVELS[level[0]]}
                if len(row) > 9 and row[9] != row[0]:  # one of several limits of a guardrail
                    limits[name]["part"] = row[9].removeprefix(row[0] + "_")
    for name, _, allowed in firmware("options").every():
        if isinstance(allowed[0], str):
            option: dict[str, Any] = {"choices": list(allowed)}
        else:
            option = {**limits.get(name, {}), "low": allowed[0], "high": allowed[1]}
        if ends := unit(name, is_limit=name in limits):
            option["unit"] = ends
        found.append({"name": name, **option})
    return found


def journal() -> dict[str, Any]:
    """How records of the black box are read, with the columns packlab gives their table."""
    layout, alert = firmware("outputs.journal"), firmware("alert")

    def fields(form: str, names: tuple[str, ...]) -> list[list[Any]]:
        """(name, letter of its format, what stands there when it was not known) of each."""
        return [
            [name, letter, records.not_known(name)]
            for name, letter in zip(names, form.lstrip("<"), strict=True)
        ]

    return {
        "MARK": layout.MARK,
        "HEAD": fields(layout.HEAD, ("mark", "size", "kind", "pack", "number", "boot", "uptime_s",
                                     "wall_s")),
        "CRC_BYTES": layout.CRC_BYTES,
        "KINDS": records.KINDS,
        "CAUSES": layout.CAUSES,
        "VERDICTS": records.VERDICTS,
        "STATES": alert.STATES,
        "ALERT": fields(layout.ALERT_FORMAT, records.ALERT),
        "SPAN": fields(layout.SPAN_FORMAT, records.SPAN),
        "SNAPSHOT": fields(layout.SNAPSHOT_FORMAT, records.SNAPSHOT),
        "ROW": fields(
            layout.ROW_FORMAT, ("pack_cv", "current_ca", *records.ROW[2:4], "hottest_c"),
        ),
        "NO_ROW": {
            "pack_cv": layout.NO_U16, "current_ca": layout.NO_I16, "hottest_c": layout.NO_I8,
        },
        "LOST": fields(layout.LOST_FORMAT, ("without_room", "refused", "damaged_segments")),
        "NAMES": records.names(),
        "COLUMNS": list(telling.COLUMNS),
    }  # fmt: skip


def tables() -> list[tuple[str, str, Any]]:
    """(name, what it is, value) of each constant of tables.js."""
    commands, owner = firmware("commands"), firmware("owner")
    sessions = firmware("sessions")
    gatt, alert = firmware("outputs.gatt"), firmware("alert")
    results = {name: getattr(commands, name) for name in _RESULTS}
    results |= {"BAD_TAG": owner.BAD_TAG, "LOCKED": owner.LOCKED}
    return [
        ("PROTOCOL", "version of the layouts", gatt.PROTOCOL),
        ("SERVICE", "what the chooser looks for", gatt.uuid(gatt.SERVICE)),
        (
            "CHARACTERISTICS", "by name",
            {name: gatt.uuid(getattr(gatt, name)) for name in _CHARACTERISTICS},
        ),
        ("STATE", "bits of the live value's state", {n: getattr(gatt, n) for n in _STATE_BITS}),
        ("NO_SOC", "charge not known", gatt.NO_SOC),
        ("NO_MV", "voltage not known", gatt.NO_MV),
        ("NO_MA", "current not known", -(2**31)),
        ("NO_PROBE", "not fitted, or too old", firmware("telemetry").NO_PROBE),
        ("NEVER_S", "age of what was never heard", gatt.NEVER_S),
        ("LOOKS", "by number, the larger the worse", list(firmware("status").LOOKS)),
        ("LEVELS", "by number", list(alert.LEVELS)),
        ("CODES", "guardrails by number", list(firmware("guardrails.table").CODES)),
        ("CAN", "bits of the capabilities", {
            "COMMAND": gatt.CAN_COMMAND, "LOG": gatt.CAN_LOG, "MUTE": gatt.CAN_MUTE,
        }),
        ("OP", "commands", {name: getattr(commands, name) for name in _OPERATIONS}),
        ("RESULT", "what becomes of them", results),
        ("SESSIONS", "an owner's, by number; the first ends one", list(sessions.KINDS)),
        ("HOLD_MS", "how long the button is waited for", commands.HOLD_MS),
        ("CONTEXT", "what a tag is made over, before nonce and command", owner._CONTEXT.decode()),
        ("TAG_BYTES", "of the HMAC", owner.TAG_BYTES),
        ("OPTIONS", "by number", options()),
        ("JOURNAL", "the black box: fields as [name, format, value when not known]", journal()),
    ]  # fmt: skip


def render_tables() -> str:
    """The text of tables.js."""
    parts = [_MADE]
    for name, what, value in tables():
        text = json.dumps(value, indent=1 if isinstance(value, dict) else None)
        if name == "OPTIONS":
            text = "[\n" + "".join(f" {json.dumps(row)},\n" for row in value) + "]"
        elif name == "JOURNAL":
            rows = (f" {json.dumps(key)}: {json.dumps(part)},\n" for key, part in value.items())
            text = "{\n" + "".join(rows) + "}"
        parts.append(f"\n/** {what} */\nexport const {name} = {text};\n")
    return "".join(parts)


def render_shell() -> str:
    """The text of shell.js."""
    names = sorted(path.name for path in PAGE.iterdir() if path.name not in _ASIDE)
    total = hashlib.sha256()
    for name in (*names, "sw.js"):
        total.update(name.encode() + (PAGE / name).read_bytes())
    shell = {"version": f"deckwatch-{total.hexdigest()[:12]}", "files": ["./", *names]}
    return f"{_MADE}self.SHELL = {json.dumps(shell, indent=1)};\n"


def missing_words() -> list[str]:
    """What the page would have no word for in one of its languages: options, parts of limits;
    and units it would not know how to write."""
    needed = {
        f"part_{option['part']}" if "code" in option else f"option_{option['name']}"
        for option in options()
        if "part" in option or "code" not in option
    }
    missing = []
    for path in sorted(PAGE.glob("words.*.js")):
        there = set(re.findall(r"^  (\w+):", path.read_text(), re.MULTILINE))
        missing += [f"{path.name} has no {word}" for word in sorted(needed - there)]
    units = set(re.findall(r"^  (\w+): \[", (PAGE / "options.js").read_text(), re.MULTILINE))
    used = {option["unit"] for option in options() if "unit" in option}
    return missing + [f"options.js has no unit {unit}" for unit in sorted(used - units)]


def main() -> int:
    """Write, or compare with --check."""
    if missing := missing_words():
        print(f"{PAGE}: {'; '.join(missing)}: write one beside its like, then run me again")
        return 1
    for name, render in (("tables.js", render_tables), ("shell.js", render_shell)):
        path, text = PAGE / name, render()
        if path.exists() and path.read_text() == text:
            continue
        if "--check" in sys.argv[1:]:
            print(f"{name} is out of date: run .venv/bin/python tools/make_phone.py")
            return 1
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

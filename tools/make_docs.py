"""Writes the generated parts of documents from the firmware's own tables and the bench's own
files, so that they say what the dongle does.

    .venv/bin/python tools/make_docs.py [--check]

What stands between a pair of markers is replaced; the rest is written by hand. --check only
compares (exit 1: run me).
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from packlab import coverage, proven
from packlab.advice import KINDS, Advice, book
from packlab.checkout import firmware, root
from packlab.diagnose.rules import RULES, SIDES
from packlab.faults import KINDS as KINDS_OF_FAULT
from packlab.limits import of_row
from packlab.options import options
from packlab.view.conditions import INPUTS, condition, duration, quantity
from packlab.view.words import GUARDRAILS

BEGIN = "<!-- made by tools/make_docs.py from {}: do not edit -->"
END = "<!-- end of what is made -->"

LOOKS = {
    "off": "the scooter is off",
    "no_data": "no data yet",
    "partial": "data, but not yet all that can be watched here",
    "fine": "all that can be watched here is watched, and fine",
    "info": "a remark, no sound",
    "unknown": "something was wrong and can no longer be seen: silent until it is seen again",
    "warn": "warning",
    "alarm": "alarm",
}
MINUTE_MS = 60_000
HEARD_MS = 20 * MINUTE_MS


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table."""
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


# --- docs/guardrails.md --------------------------------------------------------------------------


def guardrails() -> str:
    """One section a guardrail, then the other options, then what profiles differ in."""
    rules = firmware("guardrails.table")
    lines: list[str] = []
    for code in rules.CODES:
        lines += _guardrail(code, [row for row in rules.ROWS if row[0] == code])
    lines += ["## Other options", "", *_options(), "", "## Profiles", "", *_profiles(), ""]
    lines += ["## What is watched by itself", "", *_watched(), ""]
    lines += ["## What can be watched where", "", *_coverage()]
    return "\n".join(lines)


def _guardrail(code: str, rows: list[Any]) -> Iterator[str]:
    words = GUARDRAILS[code]
    group = rows[0][4]
    hint = f" At level info: {words.hint}" if words.hint else ""
    yield f"## `{code}`: {words.title}"
    yield ""
    yield words.meaning
    yield ""
    yield f"**What to do:** {words.advice}{hint}"
    yield ""
    yield f"Group {group}, {firmware('alert').GROUPS[group]}. {_needs(rows)}"
    yield ""
    limits = [limit for row in rows for limit in _limits(row)]
    yield from table(("level", "set when", "for", "clears", "after", "option"), limits)
    yield ""


def _needs(rows: list[Any]) -> str:
    needs = firmware("guardrails.table").needs
    slots = list(dict.fromkeys(slot for row in rows for slot in needs(row)))
    agreeing = sorted({row[5] for row in rows})
    said = f"Needs: {'; '.join(INPUTS[slot] for slot in slots)}."
    if agreeing != [1]:
        said += f" Samples that must agree: {' or '.join(map(str, agreeing))}."
    return said


def _limits(row: Any) -> Iterator[tuple[str, ...]]:
    levels = firmware("alert").LEVELS
    names = firmware("guardrails.table").option_names(row)
    limits = of_row(firmware("config").load({"packs": 2}), row)
    for limit, name, (level, default, low, high, hold_ms) in zip(
        limits, names, row[8], strict=True
    ):
        set_when = condition(row, limit)
        if row[1] == "pack_mv":
            set_when += f" (full + {default / 10:g} %, 10 cells)"
        tenths = " (0.1 °C)" if name.endswith("_dc") else ""
        own = f"`{name}` {low} … {high}{tenths}" if name else "–"
        clears = _clears(row, limit)
        yield levels[level], set_when, duration(hold_ms), clears, duration(row[7]), own


def _clears(row: Any, limit: int) -> str:
    slot, sense, away = row[1], row[2], row[6]
    if not away:
        return "when it is no longer so"
    return f"{'≤' if sense.startswith('>') else '≥'} " + quantity(
        slot, limit - away if sense.startswith(">") else limit + away
    )


def _options() -> Iterator[str]:
    rows = []
    for name, default, allowed, meaning in firmware("options").OPTIONS:
        if isinstance(allowed[0], str):
            wanted = ", ".join(f"`{word}`" for word in allowed)
        else:
            wanted = f"{allowed[0]} … {allowed[1]}"
        rows.append((f"`{name}`", f"`{default}`", wanted, meaning))
    profiles = ", ".join(f"`{name}`" for name in firmware("index").PROFILES)
    rows.insert(0, ("`profile`", "`m365`", profiles, "which pack it is: sets the options below"))
    yield from table(("option", "default", "allowed", "meaning"), rows)


def _profiles() -> Iterator[str]:
    rows = []
    for name in firmware("index").PROFILES:
        options = dict(firmware(f"profiles.{name}").OPTIONS)
        family = options.pop("family")
        own = ", ".join(f"`{option}` {value}" for option, value in options.items())
        rows.append((f"`{name}`", family, own or "nothing"))
    yield from table(("profile", "family", "differs in"), rows)
    for chemistry, (full_mv, options) in firmware("options").CHEMISTRIES.items():
        own = ", ".join(f"`{option}` {value}" for option, value in options.items())
        yield ""
        yield f"Chemistry `{chemistry}`: a full cell has {full_mv / 1000:.2f} V" + (
            f"; differs in {own}." if own else "."
        )


def _watched() -> Iterator[str]:
    codes = firmware("guardrails.table").CODES
    profiles = [name for name in firmware("index").PROFILES if name != "auto"]
    rows = []
    for number, code in enumerate(codes):
        marks = ("●" if _expects(profile, number) else "" for profile in profiles)
        rows.append((f"`{code}`", *marks))
    yield from table(("", *(f"`{profile}`" for profile in profiles)), rows)


def _coverage() -> Iterator[str]:
    """R, S, C by guardrail, family and mode."""
    families = firmware("index").PROTOCOLS
    columns = [(family, mode) for family in families for mode in coverage.modes(family)]
    rows = [
        (f"`{code}`", *(coverage.watched(family, mode, code) for family, mode in columns))
        for code in firmware("guardrails.table").CODES
    ]
    yield from table(("", *(f"{family}: {mode}" for family, mode in columns)), rows)


def _expects(profile: str, code: int) -> bool:
    settings = firmware("config").load({"profile": profile})
    steady = firmware(f"protocols.{settings.family}").STEADY
    of_the_line = firmware("guardrails.table").OF_THE_LINE
    named = firmware("guardrails.table").CODES[code] in of_the_line
    armed = firmware("guardrails.rules").Rules(settings).armed
    return named or bool(firmware("expected").expected(settings, armed, steady)[code])


# --- docs/signals.md -----------------------------------------------------------------------------


def signals() -> str:
    """Light, groups, buzzer, shows."""
    lines = ["## Light", "", *_lights(), "", "## What it is about", "", *_groups(), ""]
    lines += ["## Buzzer", "", *_sounds(), "", "## Short shows", "", *_shows()]
    return "\n".join(lines)


def _lights() -> Iterator[str]:
    led, names = firmware("outputs.led"), firmware("status").LOOKS
    rows = []
    for look in reversed(range(len(names))):
        colour, blinks, on_ms, off_ms, pause_ms = led.PATTERNS[look]
        if pause_ms < 0:
            count = "" if colour == led.DARK else "steady"
            rhythm = ""
        else:
            count = str(blinks) if blinks else "as many as the group"
            between = f", {off_ms} ms off" if blinks != 1 else ""
            rhythm = f"{on_ms} ms on{between}; {off_ms + pause_ms} ms dark at the end"
        rows.append((led.COLOURS[colour], count, rhythm, LOOKS[names[look]]))
    yield from table(("light", "blinks", "rhythm", "meaning"), rows)


def _groups() -> Iterator[str]:
    rules, groups = firmware("guardrails.table"), firmware("alert").GROUPS
    rows = []
    for number, group in enumerate(groups):
        codes = dict.fromkeys(row[0] for row in rules.ROWS if row[4] == number)
        if group:
            rows.append((str(number), group, ", ".join(f"`{code}`" for code in codes)))
    yield from table(("blinks, beeps", "group", "guardrails"), rows)


def _sounds() -> Iterator[str]:
    status = firmware("status")
    rows = []
    for name, look in (("warning", status.WARN), ("alarm", status.ALARM)):
        tone_hz, on_ms, beat_ms, groups = listen(look)
        beeps = f"{tone_hz} Hz, {on_ms} ms a beep, {beat_ms - on_ms} ms between"
        heard = ", then ".join(
            f"every {_clock(step)} from {_clock(first)} to {_clock(last)}"
            for first, last, step in runs(groups)
        )
        rows.append((name, beeps, heard + (", and so on" if groups[-1] > HEARD_MS // 2 else "")))
    chirp = ", ".join(f"{hz} Hz {ms} ms" for hz, ms in firmware("outputs.buzzer").CHIRP if hz)
    rows.append(("good news", chirp, "one chirp, where nothing worse is heard: the charge target"))
    head = ("", "beeps, as many as the group", "groups of beeps (minutes after it was set)")
    yield from table(head, rows)


def listen(look: int) -> tuple[int, int, int, list[int]]:
    """Lets the firmware's buzzer sound for 20 minutes: (Hz, ms a beep, ms from beep to beep, ms at
    which each group of two begins)."""
    shown = firmware("status").Status()
    shown.look, shown.group = look, 2
    buzzer = firmware("outputs.buzzer").Buzzer()
    beeps: list[tuple[int, int]] = []
    ms = tone_hz = 0
    while ms < HEARD_MS:
        wait = buzzer.render(shown, ms)
        if buzzer.tone_hz:
            tone_hz = buzzer.tone_hz
            beeps.append((ms, wait))
        ms += wait
    return tone_hz, beeps[0][1], beeps[1][0] - beeps[0][0], [at for at, _ in beeps[::2]]


def runs(times: list[int]) -> Iterator[tuple[int, int, int]]:
    """(first, last, step) of each evenly spaced stretch of two or more."""
    start = 0
    for end in range(2, len(times) + 1):
        step = times[start + 1] - times[start]
        if end == len(times) or times[end] - times[end - 1] != step:
            yield times[start], times[end - 1], step
            start = end


def _clock(ms: int) -> str:
    return f"{ms // MINUTE_MS}:{ms % MINUTE_MS // 1000:02d}"


def _shows() -> Iterator[str]:
    sequence, colours = firmware("outputs.sequence"), firmware("outputs.led").COLOURS
    shows = (
        ("self-test, at start and on a long press", sequence.SELF_TEST),
        ("the configuration was refused, defaults are in force", sequence.CONFIG_ERROR),
        ("safe mode, after five starts that failed", sequence.SAFE_MODE),
    )
    rows = []
    for meaning, steps in shows:
        seen = (
            f"{colours[colour]}{' with a beep' if tone else ''} {sequence.MS * lasts} ms"
            for colour, tone, lasts in zip(steps[::3], steps[1::3], steps[2::3], strict=True)
        )
        rows.append((meaning, ", ".join(seen)))
    yield from table(("show", "steps"), rows)


# --- docs/bluetooth.md ---------------------------------------------------------------------------


def bluetooth() -> str:
    """The numbers of guardrail codes and options on the air."""
    codes = ((str(number), f"`{code}`") for number, code in enumerate(_codes()))
    options = ((str(number), f"`{name}`") for number, name in enumerate(_option_names()))
    lines = ["## Codes by number", "", *table(("number", "code"), codes), ""]
    lines += ["## Options by number", ""]
    lines += ["A choice travels as its place among the choices, counted from 0.", ""]
    return "\n".join([*lines, *table(("number", "option"), options)])


def _codes() -> Iterable[str]:
    codes: Iterable[str] = firmware("guardrails.table").CODES
    return codes


def _option_names() -> Iterable[str]:
    names: Iterable[str] = firmware("options").names()
    return names


# --- docs/configuration.md -----------------------------------------------------------------------


def configuration() -> str:
    """Every option, then what profiles and chemistries set."""
    rows = [
        (f"`{one.name}`", _value(one.default), one.allowed, one.unit, one.meaning)
        for one in options()
    ]
    head = ("option", "default", "allowed", "unit", "meaning")
    lines = ["## Options", "", *table(head, rows), "", "## What profiles and chemistries set", ""]
    return "\n".join([*lines, *_profiles()])


def _value(default: object) -> str:
    return "none" if default is None else f"`{default}`"


# --- docs/diagnose.md ----------------------------------------------------------------------------


def diagnose() -> str:
    """The reasoning rules of packlab diagnose."""
    rows = ((f"`{rule.name}`", rule.says, SIDES[rule.side], str(rule.weight)) for rule in RULES)
    return "\n".join(table(("rule", "what it looks for", "speaks against", "weight"), rows))


# --- docs/advice.md ------------------------------------------------------------------------------

CHAPTERS = {
    "guardrails": "Guardrails",
    "faults": "Faults a battery board names itself",
    "scooter_errors": "Error numbers of Xiaomi's and Ninebot's controllers",
    "vesc_faults": "Fault numbers of a VESC",
}


def advice() -> str:
    """A chapter a kind, a section a code."""
    lines: list[str] = []
    for kind in KINDS:
        lines += [f"## {CHAPTERS[kind]}", ""]
        for code, said in book(kind).items():
            lines += _advice(code, said)
    return "\n".join(lines).rstrip()


def _advice(code: str, said: Advice) -> Iterator[str]:
    yield f"### `{code}`: {said.title}"
    yield ""
    yield said.meaning
    yield ""
    yield from (f"{place}. {cause}" for place, cause in enumerate(said.causes, 1))
    yield ""
    yield f"**Now:** {said.now}"
    for when, text in (
        ("At level info", said.hint),
        ("At 2.0 V or less", said.deep),
        ("Below 1.5 V", said.dead),
    ):
        if text:
            yield f"*{when}:* {text}"
    yield ""
    yield f"**Later:** {said.later}"
    yield ""


# --- docs/protocols/proven.md --------------------------------------------------------------------


def given_frames() -> str:
    """The table of given frames, then what no recorded frame has shown."""
    found = list(proven.proofs())
    rows = [proof.row() for proof in found]
    lines = [*table(proven.HEAD, [*rows, proven.total(found)])]
    for proof in found:
        lines += ["", f"## {proof.family}", ""]
        for what, all_of_them, unproven in (
            ("fields", proof.fields, proof.unproven),
            ("faults", proof.faults, proof.faults_unproven),
        ):
            shown = len(all_of_them) - len(unproven)
            said = f"Of {len(all_of_them)} {what} recorded frames have shown {shown}."
            names = ", ".join(f"`{name}`" for name in unproven)
            lines += [f"{said} Unproven: {names}." if names else said, ""] if all_of_them else []
        lines.pop()
    return "\n".join(lines)


# --- docs/fake.md --------------------------------------------------------------------------------


def faults() -> str:
    """Every kind of line fault, as it is written and what it does."""
    rows = ((f"`{kind.example}`", kind.meaning) for kind in KINDS_OF_FAULT.values())
    return "\n".join(table(("--fault", "what it does"), rows))


# --- files ---------------------------------------------------------------------------------------

PAGES = {
    "guardrails.md": ("firmware/deckwatch/guardrails/table.py and options.py", guardrails),
    "signals.md": ("firmware/deckwatch/outputs", signals),
    "bluetooth.md": ("firmware/deckwatch/options.py and guardrails/table.py", bluetooth),
    "configuration.md": ("firmware/deckwatch/options.py and guardrails/table.py", configuration),
    "diagnose.md": ("host/packlab/diagnose/rules.py", diagnose),
    "advice.md": ("host/packlab/advice", advice),
    "fake.md": ("host/packlab/faults/kinds.py", faults),
    "protocols/proven.md": ("tests/data/frames and firmware/deckwatch/protocols", given_frames),
}


def page(name: str, text: str) -> str:
    """`text` of a page with its made part made anew."""
    source, make = PAGES[name]
    begin = BEGIN.format(source)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"docs/{name} needs the lines '{begin}' and '{END}'")
    return f"{before}{begin}\n\n{make()}\n\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write, or compare with --check."""
    stale = []
    for name in PAGES:
        path = root() / "docs" / name
        text = path.read_text("utf-8")
        made = page(name, text)
        if made != text:
            stale.append(f"docs/{name}")
            if "--check" not in arguments:
                path.write_text(made, "utf-8")
    if stale and "--check" in arguments:
        print(f"{' and '.join(stale)} out of date: run .venv/bin/python tools/make_docs.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

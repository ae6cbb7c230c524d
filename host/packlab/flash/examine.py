"""What `packlab doctor` tells: versions, memory, settings, starts, and what is watched, in plain
words.

The firmware is stopped without a reset first, because a reset would hide what the last one was;
then the dongle is restarted and heard for some seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from packlab.checkout import firmware
from packlab.flash import chip, update
from packlab.flash.crash import BEGIN, Crash, explained
from packlab.flash.flashing import BOOT, ROLLED_BACK
from packlab.flash.link import Link
from packlab.journal.records import parse
from packlab.journal.source import from_link
from packlab.journal.telling import lines
from packlab.view.words import words

_START_S = 15.0
_LAST = 5
_LISTEN_S = 4.0  # after the start: what is watched is told within one

_MEMORY = """
import gc, json, machine, os
gc.collect()
u = os.uname()
print(json.dumps([u.release, u.machine, gc.mem_free(), machine.reset_cause()]))
"""

_NUMBERS = """
import json
from esp32 import NVS
found = {}
for key in ("boots", "failed", "baud"):
    try:
        found[key] = NVS("deckwatch").get_i32(key)
    except OSError:
        pass
try:
    name = bytearray(16)
    found["family"] = bytes(name[:NVS("deckwatch").get_blob("family", name)]).decode()
except OSError:
    pass
print(json.dumps(found))
"""

_CAUSES = {
    1: "the supply was switched on",
    2: "a restart that it asked for itself, or a crash",
    3: "the watchdog: something hung",
    4: "it woke from deep sleep",
    5: "the console restarted it",
}

_LOOKS = {
    "off": "dark: the scooter is off",
    "no_data": "blue: nothing heard from the battery yet",
    "partial": "blue: not everything is known yet that can be watched here",
    "fine": "green: all that can be watched here is watched and fine",
    "info": "green with a note",
    "unknown": "something was wrong, and its values are too old to tell whether it still is",
    "warn": "amber: a warning",
    "alarm": "red: an alarm",
}

_TROUBLE = (
    ROLLED_BACK,
    "config refused",
    "config damaged",
    "black box",
    "task ",
    "line ",
    "alert ",
)


def examine(port: str) -> Iterator[str]:
    """What the dongle at a port is and says, line by line."""
    with Link(port) as link:
        link.enter(fresh=False)
        release, machine, heap, cause = link.ask(_MEMORY, "its memory was read")
        link.enter()
        state = update.state(link)
        yield from _identity(link, release, machine)
        yield from _firmware(link, state)
        yield f"memory    {heap // 1024} KB of heap free beside the firmware,"
        yield f"          {state.free // 1024} KB of flash free"
        yield from _journal(link)
        numbers = link.ask(_NUMBERS, "its counters were read")
        yield from _settings(link, numbers)
        yield f"last reset  {_CAUSES.get(cause, 'of a kind MicroPython does not name')}"
        yield f"starts    {numbers.get('boots', 0)} so far"
        running = _bundle(link, state.slot)
        link.restart()
        yield from _heard(_listen(link), running)


def _identity(link: Link, release: str, machine: str) -> Iterator[str]:
    about = update.read_json(link, "/board.json")
    called = about.get("called")
    board = about.get("name") or "no board.json: an image of its own, or never flashed"
    yield f"board     {board}" + (f', called "{called}"' if called else "")
    yield f"chip      {chip.normal(machine.rpartition(' with ')[2])}, MicroPython {release}"


def _firmware(link: Link, state: update.State) -> Iterator[str]:
    if not state.slot:
        yield "firmware  not put there by 'packlab flash'"
        return
    now, former = (_listed(link, slot) for slot in (state.slot, 3 - state.slot))
    yield f"firmware  {now}, {_trial(state.trial)}"
    yield f"former    {former}"


def _bundle(link: Link, slot: int) -> dict[str, Any]:
    """What bundle.json of a slot says, {} for none."""
    return update.read_json(link, f"{update.SLOTS[slot]}/bundle.json") if slot else {}


def _listed(link: Link, slot: int) -> str:
    listing = _bundle(link, slot)
    if not listing:
        return "none"
    family = listing.get("family")
    return f"{listing.get('name')} ({'all families' if family == 'all' else family})"


def _trial(trial: int) -> str:
    if trial == -1:
        return "taken back after a newer one had failed to start three times"
    return "on trial until it has run for a minute" if trial else "proven"


def _journal(link: Link) -> Iterator[str]:
    """How much the black box holds, and its last words."""
    journal = parse(from_link(link))
    told = list(lines(journal))
    if not told:
        yield "journal   empty"
        return
    yield f"journal   {len(journal.records)} records; the last ('packlab journal' has all):"
    for line in told[-_LAST:]:
        yield f"          {line}"


def _settings(link: Link, numbers: dict[str, Any]) -> Iterator[str]:
    config = update.read_json(link, "/config.json")
    profile = config.pop("profile", None)
    chosen = profile or f"{firmware('options').DEFAULT_PROFILE} (the default)"
    others = "".join(f", {name} {value}" for name, value in sorted(config.items()))
    yield f"settings  profile {chosen}{others}"
    if profile == "auto" and "family" in numbers:
        yield f"          found on the line: {numbers['family']} at {numbers.get('baud')} baud"


# --- what it says itself -------------------------------------------------------------------------


@dataclass
class _Said:
    """The console's words of the first seconds."""

    boot: str = ""
    look: str = ""
    problems: list[str] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)
    watched: dict[str, list[str]] = field(default_factory=dict)

    def note(self, line: str) -> None:
        """Take one line in."""
        if line == BEGIN:
            self.crashes.append(Crash())
            return
        if self.crashes and self.crashes[-1].take(line):
            return
        kind, _, rest = line.partition(" ")
        match = BOOT.match(line)
        if match:
            safe = " in safe mode" if match["safe"] == "1" else ""
            self.boot = f"start {match['number']}{safe}"
        elif kind == "watch":
            number, *codes = rest.split()
            self.watched[number] = codes
        elif kind == "look":
            self.look = rest.split()[0]
        elif line.startswith(_TROUBLE) or (not self.boot and "Error" in line):
            self.problems.append(line)


def _listen(link: Link) -> _Said:
    said = _Said()
    for line in link.lines(_START_S):
        said.note(line)
        if said.boot:
            break
    if said.boot:
        for line in link.lines(_LISTEN_S):
            said.note(line)
    return said


def _heard(said: _Said, running: dict[str, Any]) -> Iterator[str]:
    """running: bundle.json of the firmware that said it."""
    for problem in dict.fromkeys(said.problems):
        yield f"it says   {problem}"
    crashes: list[Crash] = []
    for crash in said.crashes:
        if crash not in crashes:
            crashes.append(crash)
            first, *others = explained(crash, running)
            yield f"crash     {first}"
            yield from (f"          {line}" for line in others)
    if not said.boot:
        yield "now       it does not start: run 'packlab flash' again"
        return
    yield f"now       {said.boot}; {_LOOKS.get(said.look, 'its light has not been told yet')}"
    known = firmware("guardrails.table").CODES
    for number, codes in said.watched.items():
        names = ", ".join(words(code).title for code in codes if code in known) or "nothing yet"
        yield f"watched   pack {number}: {names}"
    if not said.watched:
        yield "watched   nothing yet: no value has come over the line"

"""What published frames prove: every given frame held against its entry and offered to every other
family, and, family by family, which fields and faults a recorded frame has shown.

`make bench` prints the table, tools/make_docs.py puts it and the lists into
docs/protocols/proven.md, the tests want nothing wrong in it. A frame counts as recorded when every
byte that carries a value is as somebody recorded it from a battery: blanked identities do no harm,
edited frames and emulators do.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packlab.checkout import firmware, root
from packlab.decode import decode

FRAMES = "tests/data/frames"
ORIGINS = ("real", "derived", "made")
HEAD = ("family", "given", *ORIGINS, "decoded", "rejected", "values", "foreign", "wrong")

_RECORDED_KINDS = (None, "real", "redacted")
_QUOTED = re.compile(r'"([a-z][a-z0-9_]+)"')
_FAULT_ROW = re.compile(r'\(\d+, "(\w+)", [01]\)')
_IMPORTED = re.compile(r"from deckwatch\.protocols(?:\.| import )(\w+(?:, \w+)*)")
_LISTS = {"cell_mv", "temp_dc", "wire_mohm"}
_ANYWHERE = {"temp_dc": "set_temp("}  # set by code that names no slot
_AS_TOLD = {"faults_a": "faults", "faults_b": "faults", "balance_a": "balance"}
_NOT_TOLD = {"nowhere", "balance_b"}
# Daly boards count their current either way round; which, no single frame can tell (daly.md 2).
_EITHER_SIGN = {("daly", "current_ma")}


@dataclass
class Proof:
    """One family. origins: given frames by origin. decoded: frames that are one frame of the
    family and give all their entry expects; rejected: those whose entry says so; values: values
    held against entries; foreign: frames that another family takes for one of its own; wrong:
    what does not fit, one line each. fields, faults: all the family's files name. shown,
    faults_shown: by how many recorded frames."""

    family: str
    origins: Counter[str] = field(default_factory=Counter)
    decoded: int = 0
    rejected: int = 0
    values: int = 0
    foreign: int = 0
    wrong: list[str] = field(default_factory=list)
    fields: frozenset[str] = frozenset()
    faults: frozenset[str] = frozenset()
    shown: Counter[str] = field(default_factory=Counter)
    faults_shown: Counter[str] = field(default_factory=Counter)

    @property
    def unproven(self) -> list[str]:
        """Fields no recorded frame has set."""
        return sorted(self.fields - set(self.shown))

    @property
    def faults_unproven(self) -> list[str]:
        """Faults no recorded frame has had."""
        return sorted(self.faults - set(self.faults_shown))

    def row(self) -> tuple[str, ...]:
        """As below HEAD."""
        counts = [self.origins.total(), *(self.origins[origin] for origin in ORIGINS)]
        counts += [self.decoded, self.rejected, self.values, self.foreign, len(self.wrong)]
        return (self.family, *map(str, counts))


def proofs() -> Iterator[Proof]:
    """A Proof for each family, in the order of index.py."""
    for family in firmware("index").PROTOCOLS:
        proof = Proof(family)
        proof.fields, proof.faults = _named(family)
        for entry in given(family):
            _hold(proof, entry)
        yield proof


def given(family: str) -> list[dict[str, Any]]:
    """The sheet's entries of a family; Xiaomi and Ninebot share one."""
    sheet = "xiaomi" if family == "ninebot" else family
    entries = json.loads((root() / FRAMES / f"{sheet}.json").read_text("utf-8"))
    return [entry for entry in entries if entry.get("framing", family) == family]


def _hold(proof: Proof, entry: dict[str, Any]) -> None:
    proof.origins[entry["origin"]] += 1
    asked = [entry["request_hex"]] if entry.get("request_hex") else []
    *_, result = decode([*asked, entry["hex"]], proof.family)
    proof.foreign += sum(
        next(decode([entry["hex"]], other))["ok"]
        for other in firmware("index").PROTOCOLS
        if other != proof.family
    )
    if entry.get("must") == "reject":
        proof.rejected += not result["ok"]
        proof.wrong += [f"not rejected: {entry['meaning']}"] if result["ok"] else []
        return
    misses = list(_misses(proof.family, result, entry["expect"]))
    proof.decoded += not misses
    proof.values += len(entry["expect"]) - len(misses)
    proof.wrong += [f"{miss}: {entry['meaning']}" for miss in misses]
    if _is_recorded(entry):
        proof.shown.update(list(result["values"]))
        proof.faults_shown.update(result["values"].get("faults", ()))


def _misses(family: str, result: dict[str, Any], expect: dict[str, Any]) -> Iterator[str]:
    if not result["ok"]:
        yield result["error"]
        return
    for slot, wanted in expect.items():
        got = result["values"].get(slot)
        fits = got == wanted or (family, slot) in _EITHER_SIGN and got == -wanted
        if not fits:
            yield f"{slot} is {got}, not {wanted}"


def _is_recorded(entry: dict[str, Any]) -> bool:
    is_pack = "emulator" not in f"{entry.get('provenance')}"
    is_whole = entry["origin"] == "real" or "changed" in entry
    return is_pack and is_whole and entry.get("kind") in _RECORDED_KINDS


def _named(family: str) -> tuple[frozenset[str], frozenset[str]]:
    """(fields, faults) that a family's files name, its helper files included."""
    texts = [path.read_text("utf-8") for path in _files(family)]
    words = {word for text in texts for word in _QUOTED.findall(text)}
    slots, known = set(firmware("telemetry").SLOTS), set(firmware("faults").FAULTS)
    rows = {name for text in texts for name in _FAULT_ROW.findall(text)}
    faults = words & (known - slots) | rows & known  # some names are both a field and a fault
    words |= {name for name, code in _ANYWHERE.items() if any(code in text for text in texts)}
    fields = {_AS_TOLD.get(word, word) for word in words & (slots | _LISTS)} - _NOT_TOLD
    return frozenset(fields | ({"faults"} if faults else set())), frozenset(faults)


def _files(family: str) -> list[Path]:
    """The family's file and those of protocols/ it imports, in turn."""
    folder = root() / "firmware" / "deckwatch" / "protocols"
    found = [folder / f"{family}.py"]
    for path in found:
        for names in _IMPORTED.findall(path.read_text("utf-8")):
            others = (folder / f"{name}.py" for name in names.split(", "))
            found += [other for other in others if other not in found]
    return found


def total(found: list[Proof]) -> tuple[str, ...]:
    """The last row of the table."""
    columns = zip(*(proof.row()[1:] for proof in found), strict=True)
    return ("all", *(str(sum(map(int, column))) for column in columns))


def lines(found: list[Proof]) -> Iterator[str]:
    """The table for a terminal, with what is wrong below it, and what the frames have shown."""
    for row in (HEAD, *(proof.row() for proof in found), total(found)):
        yield f"{row[0]:8}" + "".join(f"{cell:>9}" for cell in row[1:])
    for proof in found:
        yield from (f"{proof.family}: {line}" for line in proof.wrong)
    for proof in found:
        fields = f"{len(proof.fields) - len(proof.unproven)} of {len(proof.fields)} fields"
        faults = f"{len(proof.faults) - len(proof.faults_unproven)} of {len(proof.faults)} faults"
        yield f"{proof.family:8} recorded frames have shown {fields}, {faults}"

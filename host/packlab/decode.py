"""One frame, given as hex, to names and values: the firmware's own framer and protocol files, run
here on CPython.

A frame belongs to the family whose framing holds for all of it. Families that need the request
before a reply (Daly D2, JK Modbus) remember the lines before, so a conversation can be decoded
line by line.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from packlab.checkout import board, firmware
from packlab.errors import PacklabError

_PACKS = 18  # a JK bus has addresses 0 to 16, and what noise makes of them is one more
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_BOOLEAN = ("charge_fet", "discharge_fet", "charging_flag", "charger_present", "activated")
_DATE = ("made_on", "first_used_on")
# Below this, at the end of the list, is an input without a cell (sheet xiaomi.md 3.4).
FITTED_MV = 500


class _Family:
    """One protocol module with what it remembers between frames."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._module = firmware(f"protocols.{name}")
        self._memory = self._fresh_memory()
        self._frames: list[dict[str, Any]] = []
        self._sizes: list[int] = []

    def _fresh_memory(self) -> Any:
        return self._module.Memory() if hasattr(self._module, "Memory") else None

    def on_frame(self, framer: Any) -> None:
        """Called by the framer for each frame that holds. Only a question is remembered, and only
        until the frame after it: lines need not come from one board."""
        frame = framer.frame
        packs = [firmware("telemetry").Telemetry() for _ in range(_PACKS)]
        for pack in packs:
            pack.begin(0)
        self._module.decode(frame, packs, self._memory)
        self._sizes.append(frame.size)
        spare = getattr(self._module, "SPARE_CELLS", False)
        self._frames.append(_describe(frame, packs, spare_cells=spare))
        if not frame.is_request:
            self._memory = self._fresh_memory()

    def decode(self, raw: bytes) -> tuple[dict[str, Any] | None, str]:
        """The frame's description when it is one whole frame of this family, else None and why
        not."""
        self._frames.clear()
        self._sizes.clear()
        chunk = firmware("framer").CHUNK
        framer = firmware("framer").Framer(self._module.FRAMES, self, 0)
        for start in range(0, len(raw), chunk):
            part = raw[start : start + chunk]
            framer.feed(bytearray(part.ljust(chunk, b"\0")), len(part), 0)
        framer.lose(0)
        if self._sizes == [len(raw)]:
            return self._frames[0], ""
        frame, counted = firmware("frame"), framer.numbers
        if counted[frame.BAD_CHECK]:
            return None, "the checksum does not fit"
        if counted[frame.BAD_LENGTH] or counted[frame.CUT] or self._frames:
            return None, "its length does not fit"
        return None, "no frame begins in it"

    def is_headed(self, raw: bytes) -> bool:
        """Does the frame begin as this family's do?"""
        return any(raw.startswith(row[0], _before(row)) for row in self._module.FRAMING)


def _before(row: tuple[Any, ...]) -> int:
    """How many bytes a FRAMING row has ahead of its header (framings.py)."""
    return 1 if len(row) > 5 and row[5] else 0


def decode(lines: Iterable[str], protocol: str | None = None) -> Iterator[dict[str, Any]]:
    """One result a line: protocol, ok, error, kind, values keyed by slot, and request for
    requests.

    `protocol` names a family; without it all are tried. Blank lines and lines that begin with #
    are passed over.
    """
    names = firmware("index").PROTOCOLS
    if protocol is not None and protocol not in names:
        raise PacklabError(f"'{protocol}' is no protocol; use one of {', '.join(names)}")
    families = [_Family(name) for name in ([protocol] if protocol else names)]
    for line in lines:
        text = "".join(line.split())
        if not text or text.startswith("#"):
            continue
        if not _HEX.fullmatch(text):
            yield _failed("this is not pairs of hex digits; one frame a line")
            continue
        yield _decode_one(bytes.fromhex(text), families)


def _decode_one(raw: bytes, families: list[_Family]) -> dict[str, Any]:
    found: dict[str, Any] | None = None
    reason = "no family begins its frames like this"
    for family in families:
        if not family.is_headed(raw):
            continue
        described, why = family.decode(raw)
        if described is None:
            reason = f"{family.name}: {why}"
        elif found is None or found["kind"] == "unknown":
            found = {"protocol": family.name, "ok": True, "error": None, **described}
    return found or _failed(reason)


def _failed(reason: str) -> dict[str, Any]:
    return {"protocol": None, "ok": False, "error": reason, "kind": None, "values": {}}


def _describe(frame: Any, packs: list[Any], *, spare_cells: bool) -> dict[str, Any]:
    known = values(packs[frame.pack], spare_cells=spare_cells)
    described: dict[str, Any] = {"kind": frame.kind, "values": known}
    if frame.is_request or frame.kind == "read":
        request: dict[str, Any] = {"register": frame.register}
        if frame.wanted >= 0:
            request["bytes"] = frame.wanted
        described["request"] = request
    if frame.pack:
        described["pack"] = frame.pack + 1
    return described


def values(t: Any, *, spare_cells: bool = True) -> dict[str, Any]:
    """What telemetry `t` knows, keyed by slot in the units of the name; lists for cells, probes,
    balance and faults."""
    telemetry = firmware("telemetry")
    known: dict[str, Any] = {}
    for slot, name in enumerate(telemetry.SLOTS):
        if not t.seen[slot] or name.startswith(("faults_", "balance_a", "balance_b")):
            continue
        is_text = name in firmware("rows").TEXTS
        known[name] = text_of(t, name) if is_text else _plain(name, t.value[slot])
    if t.cells:
        cells = list(t.cell_mv[: t.cells])
        known["cell_mv"] = _fitted(cells) if spare_cells else cells
    if t.wires:
        known["wire_mohm"] = list(t.wire_mohm[: t.wires])
    if t.probes:
        absent = telemetry.NO_PROBE
        known["temp_dc"] = [None if dc == absent else dc for dc in t.temp_dc[: t.probes]]
    faults = telemetry.INDEX["faults_a"]
    if t.seen[faults]:
        known["faults"] = fault_names(t.value[faults], t.value[telemetry.INDEX["faults_b"]])
    low, high = telemetry.INDEX["balance_a"], telemetry.INDEX["balance_b"]
    if t.seen[low]:
        bits = t.value[low] | t.value[high] << 16
        known["balance"] = [cell + 1 for cell in range(32) if bits >> cell & 1]
    return known


def text_of(t: Any, name: str) -> str:
    """One of what telemetry `t` knows as text, "" = not known."""
    raw: bytes = board("bench_rows").text_of(t, name)
    return raw.decode("ascii", "replace").strip("\0")


def _plain(name: str, value: int) -> int | bool | str:
    if name in _BOOLEAN:
        return bool(value)
    if name in _DATE:
        return f"{value // 10000:04}-{value // 100 % 100:02}-{value % 100:02}"
    return value


def _fitted(cells: list[int]) -> list[int]:
    """Without the inputs at the end that no cell is on; an emulator whose cells are all low keeps
    them."""
    if max(cells) < FITTED_MV:
        return cells
    while cells[-1] < FITTED_MV:
        cells.pop()
    return cells


def fault_names(low: int, high: int) -> list[str]:
    """Names of the faults set in both words of telemetry."""
    faults = firmware("faults")
    bits = low | high << faults.WORD_BITS
    return [name for number, name in enumerate(faults.FAULTS) if bits >> number & 1]

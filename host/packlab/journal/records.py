"""Bytes of the black box to records. What is damaged is skipped and counted; what was kept twice
counts once; times of day are worked out for a whole start from any record of it that knew one.

The layouts are the firmware's own (outputs/journal.py); fields carry the units in their names.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from types import ModuleType
from typing import Any

from packlab.checkout import firmware

# Names of the firmware's numbers, which begin with 1
KINDS = (
    "", "boot", "alert", "ride", "charge", "checkpoint", "trace", "config", "note", "memory",
    "supply", "lost",
)  # fmt: skip
VERDICTS = ("", "tripped", "switched_off", "bounced", "restarted")

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

SPAN = (
    "seconds", "low_pack_mv", "high_pack_mv", "most_out_ma", "most_in_ma",
    "lowest_mv", "lowest_cell", "highest_mv", "highest_cell", "coldest_dc", "hottest_dc",
    "out_mah", "in_mah", "first_pct", "last_pct",
)  # fmt: skip
SNAPSHOT = (
    "pack_mv", "current_ma", "soc_pct", "lowest_mv", "lowest_cell", "highest_mv", "highest_cell",
    "coldest_dc", "hottest_dc",
)  # fmt: skip
ALERT = (
    "code", "unit", "state", "level", "where", "value", "limit", "peak", "count", "age_s",
)  # fmt: skip
ROW = ("pack_mv", "current_ma", "lowest_mv", "lowest_cell", "hottest_dc")


@dataclass(frozen=True)
class Record:
    """One record. kind: a name of KINDS. pack: 1 or 2, 0 = the dongle itself.
    boot: number of the start, uptime_s: seconds after it. time: None where nobody told the dongle.
    fields: what it says, None = was not known; those of a trace are `rows`, oldest first, each
    with its age `before_s`."""

    sequence: int
    kind: str
    pack: int
    boot: int
    uptime_s: int
    time: datetime | None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Journal:
    """records: in order of their numbers. damaged: stretches of bytes that were no whole record;
    unknown: records of kinds a newer firmware keeps; missing: numbers between the first and the
    last that are not there."""

    records: tuple[Record, ...]
    damaged: int
    unknown: int
    missing: int


def parse(pieces: Iterable[bytes]) -> Journal:
    """The records in all the pieces (segment files, or several in one)."""
    found: dict[tuple[int, str, int], Record] = {}
    damaged = unknown = 0
    for piece in pieces:
        for data in _split(piece):
            if data is None:
                damaged += 1
                continue
            record = _record(data)
            if record is None:
                unknown += 1
            else:
                found[record.sequence, record.kind, record.pack] = record
    records = tuple(_timed(found[key] for key in sorted(found)))
    numbers = {record.sequence for record in records}
    missing = max(numbers) - min(numbers) + 1 - len(numbers) - unknown if numbers else 0
    return Journal(records, damaged, unknown, max(0, missing))


def _layout() -> ModuleType:
    return firmware("outputs.journal")


def _split(piece: bytes) -> Iterator[bytes | None]:
    """Whole records one by one, None for each stretch that is none."""
    layout = _layout()
    at = 0
    in_damage = False
    while at < len(piece):
        if layout.is_whole(piece, at, len(piece)):
            end = at + layout.HEAD_BYTES + piece[at + 1] + layout.CRC_BYTES
            yield piece[at:end]
            at = end
            in_damage = False
            continue
        if not in_damage:
            in_damage = True
            yield None
        following = piece.find(bytes((layout.MARK,)), at + 1)
        at = following if following > 0 else len(piece)


def _record(data: bytes) -> Record | None:
    layout = _layout()
    _, size, kind, pack, sequence, boot, uptime_s, wall_s = struct.unpack_from(layout.HEAD, data)
    if not 0 < kind < len(KINDS):
        return None
    name = KINDS[kind]
    payload = data[layout.HEAD_BYTES : layout.HEAD_BYTES + size]
    time = _EPOCH + timedelta(seconds=wall_s) if wall_s else None
    try:
        fields = _READERS[name](payload)
    except (struct.error, IndexError, ValueError):
        return None  # of a newer firmware: shorter or longer than here
    return Record(sequence, name, pack, boot, uptime_s, time, fields)


def _timed(records: Iterable[Record]) -> Iterator[Record]:
    """Every record of a start gets its time of day once one of them has it: the last told."""
    listed = list(records)
    began = {
        record.boot: record.time - timedelta(seconds=record.uptime_s)
        for record in listed
        if record.time is not None
    }
    for record in listed:
        if record.time is None and record.boot in began:
            yield replace(record, time=began[record.boot] + timedelta(seconds=record.uptime_s))
        else:
            yield record


# --- payloads ------------------------------------------------------------------------------------


def _boot(payload: bytes) -> dict[str, Any]:
    layout = _layout()
    cause, failed = struct.unpack_from(layout.BOOT_FORMAT, payload)
    causes = layout.CAUSES
    return {
        "cause": causes[cause] if cause < len(causes) else causes[0],
        "failed": failed,
        "firmware": _text(payload[struct.calcsize(layout.BOOT_FORMAT) :]),
    }


def _alert(payload: bytes) -> dict[str, Any]:
    alert = firmware("alert")
    values = struct.unpack_from(_layout().ALERT_FORMAT, payload)
    fields: dict[str, Any] = dict(zip(ALERT, values, strict=True))
    fields["code"] = names().get(fields["code"], f"guardrail_{fields['code']:04x}")
    fields["unit"] = names().get(fields["unit"], "")
    fields["state"] = alert.STATES[fields["state"]]
    fields["level"] = alert.LEVELS[fields["level"]]
    return fields


def _session(payload: bytes) -> dict[str, Any]:
    return _span(payload, 0)


def _checkpoint(payload: bytes) -> dict[str, Any]:
    layout = _layout()
    at = 1 + layout.SNAPSHOT_BYTES
    return {
        "session": KINDS[payload[0]],
        **_known(SNAPSHOT, struct.unpack_from(layout.SNAPSHOT_FORMAT, payload, 1)),
        "since_last": _span(payload, at),
        "so_far": _span(payload, at + layout.SPAN_BYTES),
    }


def _trace(payload: bytes) -> dict[str, Any]:
    layout = _layout()
    rows = []
    before_s = payload[0]
    for row in struct.iter_unpack(layout.ROW_FORMAT, payload[1:]):
        mv, ma, lowest_mv, cell, hottest = row
        mv = 10 * mv if mv != layout.NO_U16 else layout.NO_MV
        ma = 10 * ma if ma != layout.NO_I16 else layout.NO_MA
        hottest = 10 * hottest if hottest != layout.NO_I8 else layout.NO_I16
        rows.append(
            {"before_s": before_s, **_known(ROW, (mv, ma, lowest_mv, cell, hottest))}
        )  # fmt: skip
        before_s -= 1
    return {"rows": rows}


def _config(payload: bytes) -> dict[str, Any]:
    option, old, new = _text(payload).split("\0")
    return {"option": option, "old": old, "new": new}


def _note(payload: bytes) -> dict[str, Any]:
    return {"text": _text(payload)}


def _memory(payload: bytes) -> dict[str, Any]:
    memory = firmware("memory")
    kept = memory.Memory()
    if not kept.read(payload.ljust(memory.SIZE, b"\0")):
        raise ValueError("of another version")
    known = {name: value for name, value in zip(memory.FIELDS, kept.kept, strict=True) if value}
    cells = list(kept.cell_mv[: kept.cells])
    return known | ({"cell_mv": cells} if cells else {})


def _supply(payload: bytes) -> dict[str, Any]:
    layout = _layout()
    verdict, session = struct.unpack_from(layout.SUPPLY_FORMAT, payload)
    return {"verdict": VERDICTS[verdict], "session": KINDS[session]}


def _lost(payload: bytes) -> dict[str, Any]:
    without_room, refused, damaged = struct.unpack_from(_layout().LOST_FORMAT, payload)
    return {"without_room": without_room, "refused": refused, "damaged_segments": damaged}


_READERS = {
    "boot": _boot,
    "alert": _alert,
    "ride": _session,
    "charge": _session,
    "checkpoint": _checkpoint,
    "trace": _trace,
    "config": _config,
    "note": _note,
    "memory": _memory,
    "supply": _supply,
    "lost": _lost,
}


def _span(payload: bytes, at: int) -> dict[str, Any]:
    return _known(SPAN, struct.unpack_from(_layout().SPAN_FORMAT, payload, at))


def _known(names: tuple[str, ...], values: tuple[int, ...]) -> dict[str, Any]:
    """Values by name, None for those that were not known; a cell goes with its voltage."""
    return {
        name: None if value == not_known(name) else value
        for name, value in zip(names, values, strict=True)
    }


def not_known(name: str) -> int | None:
    """What stands in a field whose value was not known."""
    layout = _layout()
    match name.rpartition("_")[2]:
        case "mv":
            return int(layout.NO_MV if "pack" in name else layout.NO_U16)
        case "ma":
            return int(layout.NO_MV if "most" in name else layout.NO_MA)
        case "dc":
            return int(layout.NO_I16)
        case "pct":
            return int(layout.NO_U8)
        case "cell":
            return 0
    return None


@cache
def names() -> dict[int, str]:
    """Guardrails and slots by what a record keeps of their names."""
    name_id = _layout().name_id
    names = (*firmware("guardrails.table").CODES, *firmware("telemetry").SLOTS)
    return {name_id(name): name for name in names}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")

"""Records as people read them, one line each, and as rows for a table."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from packlab.journal.records import Journal, Record
from packlab.view import units
from packlab.view.words import LEVEL_MARKS, LEVEL_WORDS, words

_CAUSES = {
    "power_on": "the supply was switched on",
    "hard": "a restart that it asked for itself, or a crash",
    "watchdog": "the watchdog: something hung",
    "wake": "it woke from deep sleep",
    "soft": "the console restarted it",
}
_VERDICTS = {
    "tripped": "the supply went away under load: the BMS tripped, or a plug opened",
    "switched_off": "switched off without load",
    "bounced": "the supply was gone for a moment under load: a contact bounced",
    "restarted": "ended by a restart of the dongle itself",
}

# Columns of the table, besides those every record has
_COLUMNS = (
    "code", "state", "level", "value", "unit", "limit", "peak", "where", "count", "age_s",
    "pack_mv", "current_ma", "soc_pct", "lowest_mv", "lowest_cell", "highest_mv", "highest_cell",
    "coldest_dc", "hottest_dc", "seconds", "low_pack_mv", "high_pack_mv", "most_out_ma",
    "most_in_ma", "out_mah", "in_mah", "first_pct", "last_pct", "before_s", "cause", "failed",
    "firmware", "verdict", "session", "option", "old", "new", "text", "without_room", "refused",
    "damaged_segments",
)  # fmt: skip
COLUMNS = ("number", "kind", "pack", "boot", "uptime_s", "time", *_COLUMNS)


def lines(journal: Journal) -> Iterator[str]:
    """The journal in words, a heading for each start, and at last what is missing."""
    boot = None
    for record in journal.records:
        if record.boot != boot:
            boot = record.boot
            yield f"start {boot}"
        for text in _told(record):
            yield f"  {_when(record):>19}  {text}"
    yield from summary(journal)


def summary(journal: Journal) -> Iterator[str]:
    """What cannot be told."""
    for number, what in (
        (journal.damaged, "damaged stretches were skipped"),
        (journal.missing, "records are missing in between"),
        (journal.unknown, "records are of a kind this packlab does not know; update it"),
    ):
        if number:
            yield f"{number} {what}"


def rows(record: Record) -> Iterator[dict[str, Any]]:
    """A record as rows over COLUMNS: one, and of a trace one for each second."""
    head = {
        "number": record.sequence,
        "kind": record.kind,
        "pack": record.pack,
        "boot": record.boot,
        "uptime_s": record.uptime_s,
        "time": record.time.isoformat() if record.time else "",
    }
    for fields in record.fields.get("rows", (record.fields,)):
        row = {**head, **{name: fields[name] for name in _COLUMNS if name in fields}}
        if "before_s" in fields:
            row["uptime_s"] = record.uptime_s - fields["before_s"]
            if record.time:
                row["time"] = (record.time - timedelta(seconds=fields["before_s"])).isoformat()
        yield row


def as_json(record: Record) -> dict[str, Any]:
    """A record as one object, nothing left out."""
    return {
        "number": record.sequence,
        "kind": record.kind,
        "pack": record.pack,
        "boot": record.boot,
        "uptime_s": record.uptime_s,
        "time": record.time.isoformat() if record.time else None,
        **record.fields,
    }


def _when(record: Record) -> str:
    if record.time is not None:
        return f"{record.time:%Y-%m-%d %H:%M:%S}"
    return units.clock(record.uptime_s * 1000)


def _told(record: Record) -> Iterator[str]:
    told = _TELLERS.get(record.kind)
    pack = f"pack {record.pack}: " if record.pack > 1 else ""
    if told:
        yield pack + told(record.fields)
    for row in record.fields.get("rows", ()):
        yield f"{pack}{-row['before_s']:>5} s  {_values(row)}"


def _boot(fields: dict[str, Any]) -> str:
    after = f", after {fields['failed']} failed starts" if fields["failed"] else ""
    cause = _CAUSES.get(fields["cause"], "a reset of unknown kind")
    return f"started: {cause}{after}; firmware {fields['firmware']}"


def _alert(fields: dict[str, Any]) -> str:
    title = words(fields["code"]).title
    place = f", number {fields['where']}" if fields["where"] else ""
    if fields["state"] == "clear":
        return f"-  over   {title}: after {fields['age_s']} s, at worst {_peak(fields)}{place}"
    if fields["state"] == "unknown":
        return f"?  unseen {title}: can no longer be seen, at worst {_peak(fields)}{place}"
    level = fields["level"]
    limit = units.value(fields["unit"], fields["limit"])
    value = units.quantity(fields["unit"], fields["value"])
    head = f"{LEVEL_MARKS[level]:2} {LEVEL_WORDS[level]:6}"
    return f"{head} {title}: {value} (limit {limit}){place}, time {fields['count']}"


def _peak(fields: dict[str, Any]) -> str:
    return units.value(fields["unit"], fields["peak"])


def _session(name: str, fields: dict[str, Any]) -> str:
    return f"{name} of {fields['seconds'] / 60:.1f} min: {_span(fields)}"


def _span(fields: dict[str, Any]) -> str:
    parts = []
    for low, high, what in (
        ("low_pack_mv", "high_pack_mv", ""),
        ("lowest_mv", "highest_mv", "groups "),
        ("coldest_dc", "hottest_dc", ""),
        ("first_pct", "last_pct", ""),
    ):
        if fields[low] is not None and fields[high] is not None:
            unit = "pack_mv" if "pack" in low else low
            parts.append(
                f"{what}{units.value(unit, fields[low])} to {units.value(unit, fields[high])}"
            )
    if fields["lowest_cell"]:
        parts.append(f"weakest group {fields['lowest_cell']}")
    for name, what in (("out", "out"), ("in", "in")):
        ma = fields[f"most_{name}_ma"]
        if ma:
            amount = f"{ma / 1000:.2f} A {what} at most, {fields[f'{name}_mah']} mAh"
            parts.append(amount)
    return ", ".join(parts) or "no values"


def _checkpoint(fields: dict[str, Any]) -> str:
    return (
        f"checkpoint of a {fields['session']}: {_values(fields)}; "
        f"the {fields['since_last']['seconds']} s before it: {_span(fields['since_last'])}"
    )


def _values(fields: dict[str, Any]) -> str:
    """What was read at one moment."""
    parts = []
    if fields.get("pack_mv") is not None:
        parts.append(units.value("pack_mv", fields["pack_mv"]))
    if fields.get("current_ma") is not None:
        parts.append(units.current(fields))
    if fields.get("soc_pct") is not None:
        parts.append(f"{fields['soc_pct']} %")
    if fields.get("lowest_mv") is not None:
        lowest = units.value("lowest_mv", fields["lowest_mv"])
        parts.append(f"group {fields['lowest_cell']} lowest at {lowest}")
    if fields.get("hottest_dc") is not None:
        parts.append(units.value("dc", fields["hottest_dc"]))
    return ", ".join(parts) or "no values"


def _lost(fields: dict[str, Any]) -> str:
    return (
        f"journal: {fields['without_room']} records found no room, {fields['refused']} the flash "
        f"did not take, {fields['damaged_segments']} damaged segments"
    )


_TELLERS = {
    "boot": _boot,
    "alert": _alert,
    "ride": lambda fields: _session("ride", fields),
    "charge": lambda fields: _session("charge", fields),
    "checkpoint": _checkpoint,
    "config": lambda f: f"option {f['option']}: {f['old']} -> {f['new']}",
    "note": lambda fields: str(fields["text"]),
    "supply": lambda f: f"that {f['session']} ended: {_VERDICTS.get(f['verdict'], f['verdict'])}",
    "memory": lambda _: "what is remembered of the pack was stored",
    "trace": lambda fields: f"the {len(fields['rows'])} s up to then:",
    "lost": _lost,
}

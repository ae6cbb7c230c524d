"""Traces as Parquet tables, for DuckDB, pandas and the like; `packlab export` calls this.

captures: one row a capture, its header and summary. telemetry: one row a second and pack, every
slot a column, cells and probes as lists; what was not fresh is null. alerts: one row a change.
The column `capture` joins them. Needs pyarrow, the extra `export`.
"""

import json
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from packlab.checkout import firmware
from packlab.corpus.cases import Case
from packlab.corpus.trace import trace
from packlab.errors import PacklabError
from packlab.files import new_binary
from packlab.formats import header_of

_COUNTERS = (
    *("frames", "bad_check", "bad_length", "cut", "noise", "damaged", "unknown"),
    *("requests", "replies", "link_score", "worst_link_score"),
)
# A list goes on standing in the events when it has gone stale; its extremes do not.
_FRESH_WITH = {"cell_mv": "highest_mv", "temp_dc": "coldest_dc"}
_ROWS = 100_000  # so many go to a file at once

Tables = dict[str, Any]  # name -> pyarrow.Table


def tables(case: Case) -> Tables:
    """One capture as three tables. PacklabError when it cannot be replayed."""
    header = header_of(case.path, case.reading)
    rows: dict[str, list[dict[str, Any]]] = {"captures": [], "telemetry": [], "alerts": []}
    for line in trace(case):
        event = {"capture": case.name, **json.loads(line)}
        match event["event"]:
            case "summary":
                rows["captures"].append(event | {"origin": header.origin, "source": header.source})
            case "telemetry":
                rows["telemetry"].append(_fresh(event))
            case "alert":
                rows["alerts"].append(event)
    table = _arrow().Table
    return {name: table.from_pylist(rows[name], schema) for name, schema in _schemas().items()}


def _fresh(event: dict[str, Any]) -> dict[str, Any]:
    stale = [slot for slot, extreme in _FRESH_WITH.items() if extreme not in event]
    return {name: value for name, value in event.items() if name not in stale}


class Files:
    """A folder's three files, growing capture by capture; they are there when the context ends
    well, and are what they were when it does not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = ExitStack()
        self._writers: dict[str, Any] = {}
        self._waiting: dict[str, list[Any]] = {}

    def __enter__(self) -> Self:
        parquet = _arrow("parquet")
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as files:
            for name, schema in _schemas().items():
                stream = files.enter_context(new_binary(self._folder / f"{name}.parquet"))
                writer = parquet.ParquetWriter(stream, schema, compression="zstd")
                self._writers[name] = files.enter_context(writer)
                self._waiting[name] = []
            self._files = files.pop_all()
        return self

    def __exit__(self, kind: Any, error: Any, where: Any) -> None:
        if error is None:
            for name in self._writers:
                self._write(name)
        self._files.__exit__(kind, error, where)

    def add(self, found: Tables) -> None:
        """One more capture."""
        for name, table in found.items():
            self._waiting[name].append(table)
            if sum(table.num_rows for table in self._waiting[name]) >= _ROWS:
                self._write(name)

    def _write(self, name: str) -> None:
        if self._waiting[name]:
            self._writers[name].write_table(_arrow().concat_tables(self._waiting[name]))
            self._waiting[name] = []


def _schemas() -> dict[str, Any]:
    """The columns do not depend on what was captured."""
    arrow = _arrow()
    number, text = arrow.int32(), arrow.string()
    word = arrow.dictionary(arrow.int32(), text)
    numbers = arrow.list_(number)
    kept = firmware("telemetry").SLOTS_KEPT[1:]
    slots = [slot for slot in kept if not slot.startswith("faults_")]
    telemetry = {"capture": word, "pack": number, "t_ms": arrow.int64()}
    telemetry |= {"cell_mv": numbers, "temp_dc": numbers} | dict.fromkeys(slots, number)
    captures = dict.fromkeys(("capture", "origin", "source", "profile", "family"), text)
    captures |= {"seconds": arrow.float64(), "worst_level": text}
    captures |= dict.fromkeys(_COUNTERS, number) | {"not_watched": arrow.list_(text)}
    alerts = {"capture": word, "pack": number, "t_ms": arrow.int64()}
    alerts |= dict.fromkeys(("code", "state", "level", "unit", "fault"), word)
    counted = ("value", "limit", "peak", "count", "cell", "probe", "error")
    alerts |= dict.fromkeys(counted, number)
    columns = {"captures": captures, "telemetry": telemetry, "alerts": alerts}
    return {name: arrow.schema(list(fields.items())) for name, fields in columns.items()}


def _arrow(part: str = "") -> Any:
    """pyarrow, or a part of it."""
    try:
        return import_module(f"pyarrow.{part}" if part else "pyarrow")
    except ImportError as error:
        raise PacklabError(
            "Parquet needs the package pyarrow, which is not installed; "
            "install it with \"pip install -e '.[export]'\" in the checkout"
        ) from error

"""Keeps live values as a table, a row each; the time is this computer's."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from packlab.errors import PacklabError
from packlab.watch import page
from packlab.watch.live import Live

COLUMNS = (
    *("time", "look", "soc_pct", "pack_mv", "current_ma", "charging", "riding", "delta_mv"),
    *("cells_mv", "temps_dc", "alerts"),
)


class Log:
    """A context; appends to a file that is there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        try:
            self._stream = self._path.open("a", newline="")
        except OSError as error:
            raise PacklabError(
                f"{self._path} cannot be written: {error.strerror}; check the path"
            ) from error
        self._rows = csv.writer(self._stream)
        if not self._stream.tell():
            self._rows.writerow(COLUMNS)
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def take(self, live: Live) -> None:
        """One row, on the disk at once."""
        alerts = " ".join(f"{code}:{level}" for code, level, _ in page.alerts(live))
        cells = " ".join(map(str, live.cells_mv))
        temps = " ".join("" if dc is None else str(dc) for dc in live.temps_dc)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._rows.writerow((
            now, live.look, live.soc_pct, live.pack_mv, live.current_ma,
            live.charging, live.riding, live.delta_mv, cells, temps, alerts,
        ))  # fmt: skip
        self._stream.flush()

"""The progress bar over many captures: how many are done, and hours of line a second. Where there
is no terminal nothing is drawn."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Bar:
    """A context; `advance` after each capture, `say` for a line above the bar."""

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_interactive,
        )
        self._task = self._progress.add_task("", total=total, rate="")
        self._began = time.monotonic()
        self._line_s = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, line_s: float) -> None:
        """One more is done; it was so long."""
        self._line_s += line_s
        rate = rate_text(self._line_s, time.monotonic() - self._began)
        self._progress.update(self._task, advance=1, rate=rate)

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, markup=False)


def rate_text(line_s: float, wall_s: float) -> str:
    """`12.5 h of line, 0.31 h/s`."""
    hours = line_s / 3600
    return f"{hours:.1f} h of line, {hours / max(wall_s, 1e-3):.2f} h/s"

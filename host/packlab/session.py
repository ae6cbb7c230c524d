"""One replay as a person asks for it: a file, how fast, and whether to print the trace or draw the
dongle; also the demo."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from packlab.capture import CaptureReader
from packlab.checkout import root
from packlab.made import made_capture_path
from packlab.replay import Settings, replay
from packlab.view import show

REAL_LINE = "tests/data/captures/m365_standing.cap"
DEMO_SPEED = 60.0  # a quarter of an hour in a quarter of a minute


def replay_file(
    path: Path,
    *,
    config: dict[str, Any],
    interpreter: str,
    speed: float | None,
    as_json: bool,
    telemetry: bool,
    edges: bool,
    lenient: bool,
) -> int:
    """Replay one capture; with `as_json` the trace goes to standard output as it is."""
    with CaptureReader(path, lenient=lenient) as reader:
        settings = Settings(
            config, interpreter, speed, telemetry=telemetry or not as_json, edges=edges
        )
        trace = replay(reader, settings)
        if as_json:
            for line in trace:
                sys.stdout.write(line + "\n")
        else:
            title = f"{path.name} ({reader.header.origin}: {reader.header.source})"
            _draw(trace, title, _length_s(path, lenient=lenient), speed)
        if reader.skipped:
            print(f"{path}: {reader.skipped} damaged lines skipped", file=sys.stderr)
    return 0


def demo() -> int:
    """A real line, then a made ride, on MicroPython's unix port."""
    console = Console()
    made = made_capture_path("charge_and_ride", 1)
    for path, speed in ((root() / REAL_LINE, 4.0), (made, DEMO_SPEED)):
        pace = speed if console.is_terminal else None
        with CaptureReader(path) as reader:
            title = f"{path.name} ({reader.header.origin}: {reader.header.source})"
            settings = Settings({"profile": "m365"}, speed=pace, telemetry=True)
            _draw(replay(reader, settings), title, _length_s(path), pace)
    return 0


def _draw(trace: Iterator[str], title: str, total_s: float, speed: float | None) -> None:
    events = (json.loads(line) for line in trace)
    show(events, title=title, total_s=total_s, speed=speed, console=Console())


def _length_s(path: Path, *, lenient: bool = False) -> float:
    """Time of the last event, for the progress bar."""
    last_us = 0
    with CaptureReader(path, lenient=lenient) as reader:
        for event in reader:
            last_us = event.t_us
    return last_us / 1e6

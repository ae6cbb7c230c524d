"""One replay as a person asks for it: a file, how fast, and whether to print the trace or draw the
dongle; also the demo."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packlab.capture import CaptureReader, Event
from packlab.checkout import root
from packlab.errors import PacklabError
from packlab.replay import Settings, replay

REAL_LINE = "tests/data/captures/m365_standing.cap"
DEMO_SPEED = 60.0  # a quarter of an hour in a quarter of a minute


def print_trace(path: Path, settings: Settings, *, lenient: bool = False) -> None:
    """Replay one capture and print its trace, a JSON object a line, as the events come."""
    with CaptureReader(path, lenient=lenient) as reader:
        for line in replay(_events(reader), settings):
            print(line, flush=True)
        _tell_skipped(reader)


def draw(path: Path, settings: Settings, *, lenient: bool = False) -> None:
    """Replay one capture and draw the dongle, or its timeline where there is no terminal."""
    from rich.console import Console

    from packlab.view import show

    total_s = _length_s(path, lenient=lenient)
    with CaptureReader(path, lenient=lenient) as reader:
        trace = replay(_events(reader), replace(settings, telemetry=True))
        show(
            (json.loads(line) for line in trace),
            title=f"{path.name} ({reader.header.origin}: {reader.header.source})",
            total_s=total_s,
            speed=settings.speed,
            console=Console(),
        )
        _tell_skipped(reader)


def demo() -> None:
    """A real line, then a made ride, on MicroPython's unix port; paced for a watching person."""
    from rich.console import Console

    from packlab.made import made_capture_path

    live = Console().is_terminal
    made = made_capture_path("charge_and_ride", 1)
    for path, speed in ((root() / REAL_LINE, 4.0), (made, DEMO_SPEED)):
        draw(path, Settings({"profile": "m365"}, speed=speed if live else None))


def _events(reader: CaptureReader) -> Iterator[Event]:
    """The capture's events; a capture without any is an error."""
    empty = True
    for event in reader:
        empty = False
        yield event
    if empty:
        unusable = f" that can be used, {reader.skipped} were skipped" if reader.skipped else ""
        raise PacklabError(f"{reader.path} holds no events{unusable}; record it again")


def _tell_skipped(reader: CaptureReader) -> None:
    if reader.skipped:
        lines = "line" if reader.skipped == 1 else "lines"
        print(f"{reader.path}: {reader.skipped} damaged {lines} skipped", file=sys.stderr)


def _length_s(path: Path, *, lenient: bool) -> float:
    """Time of the last event, for the progress bar; finds what is wrong before anything is
    drawn."""
    last_us = 0
    with CaptureReader(path, lenient=lenient) as reader:
        for event in _events(reader):
            last_us = event.t_us
    return last_us / 1e6

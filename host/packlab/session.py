"""One replay as a person asks for it: a file, how fast, and whether to print the trace or draw the
dongle; also the demo."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packlab.capture import CaptureReader, Event, Header
from packlab.checkout import firmware, root
from packlab.errors import PacklabError
from packlab.faults import apply, parse
from packlab.replay import Settings, replay

REAL_LINE = "tests/data/captures/m365_standing.cap"
DEMO_SPEED = 60.0  # a quarter of an hour in a quarter of a minute


@dataclass(frozen=True, slots=True)
class Spoiling:
    """Line faults to lay over a capture before it is replayed, and the seed of their chance."""

    faults: tuple[str, ...] = ()
    seed: int = 1

    def lay_over(self, events: Iterator[Event], header: Header) -> Iterator[Event]:
        """The same events, spoilt."""
        return apply(events, [parse(fault) for fault in self.faults], header, self.seed)


NO_FAULTS = Spoiling()


def print_trace(
    path: Path, settings: Settings, *, lenient: bool = False, spoiling: Spoiling = NO_FAULTS
) -> None:
    """Replay one capture and print its trace, a JSON object a line, as the events come."""
    with CaptureReader(path, lenient=lenient) as reader:
        events = spoiling.lay_over(_events(reader), reader.header)
        for line in _replay(events, settings):
            print(line, flush=True)
        _tell_skipped(reader)


def _replay(events: Iterator[Event], settings: Settings) -> Iterator[str]:
    """The trace from the depth the settings ask for."""
    if settings.depth == "app":
        from packlab.virtual import replay_app

        _check(settings.config)
        return replay_app(events, settings)
    return replay(events, settings)


def _check(config: dict[str, Any]) -> None:
    """The app goes on with defaults when it is refused its configuration; a person who mistyped
    it wants to hear of that."""
    rules = firmware("config")
    try:
        rules.load(config)
    except rules.ConfigError as error:
        raise PacklabError(f"the configuration is refused: {error}") from error


def draw(
    path: Path, settings: Settings, *, lenient: bool = False, spoiling: Spoiling = NO_FAULTS
) -> None:
    """Replay one capture and draw the dongle, or its timeline where there is no terminal."""
    from rich.console import Console

    from packlab.view import show

    total_s = _length_s(path, lenient=lenient)
    with CaptureReader(path, lenient=lenient) as reader:
        events = spoiling.lay_over(_events(reader), reader.header)
        trace = _replay(events, replace(settings, telemetry=True))
        show(
            (json.loads(line) for line in trace),
            title=f"{path.name} ({reader.header.origin}: {reader.header.source})",
            total_s=total_s,
            speed=settings.speed,
            console=Console(),
            family=_family(settings.config),
        )
        _tell_skipped(reader)


def demo() -> None:
    """A real line, then a made ride, through the whole firmware on the virtual board; paced for a
    watching person."""
    from rich.console import Console

    from packlab.made import made_capture_path

    live = Console().is_terminal
    made = made_capture_path("charge_and_ride", 1)
    for path, speed in ((root() / REAL_LINE, 4.0), (made, DEMO_SPEED)):
        draw(path, Settings({"profile": "m365"}, speed=speed if live else None, depth="app"))


def _family(config: dict[str, Any]) -> str:
    """Of the profile; "" where it is to be found out, or nobody knows the profile."""
    found = str(config.get("profile", firmware("config").DEFAULT_PROFILE))
    if found not in firmware("index").PROFILES:
        return ""  # the core will say so
    family = str(firmware(f"profiles.{found}").OPTIONS["family"])
    return "" if family == "auto" else family


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

"""One replay as a person asks for it: a file, how fast, and whether to print the trace or draw the
dongle; also the demo."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packlab import formats
from packlab.capture import Event, Header
from packlab.checkout import firmware, root
from packlab.errors import PacklabError
from packlab.faults import apply, parse
from packlab.playing import AS_RECORDED, FOR_EVER, Playing
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


class Played:
    """A capture as it is to be played: its header, and the events, each time from the beginning.
    skipped: damaged lines of the latest round."""

    def __init__(
        self,
        path: Path,
        *,
        reading: formats.Options | None = None,
        spoiling: Spoiling = NO_FAULTS,
        playing: Playing = AS_RECORDED,
    ) -> None:
        self.path = path
        self.skipped = 0
        self.rounds = playing.rounds
        self._reading = reading
        self._spoiling = spoiling
        self._playing = playing
        self.header = formats.header_of(path, reading)

    def events(self) -> Iterator[Event]:
        """As the firmware is to hear them; a capture without any is an error."""
        return self._spoiling.lay_over(self._playing.over(self._round), self.header)

    def _round(self) -> Iterator[Event]:
        with formats.reading(self.path, self._reading) as recording:
            yield from recording.some()
            self.skipped = recording.skipped

    def tell_skipped(self) -> None:
        """On standard error, where there are any."""
        if self.skipped:
            lines = "line" if self.skipped == 1 else "lines"
            print(f"{self.path}: {self.skipped} damaged {lines} skipped", file=sys.stderr)


def print_trace(played: Played, settings: Settings) -> None:
    """Replay one capture and print its trace, a JSON object a line, as the events come."""
    for line in _replay(played.events(), settings):
        print(line, flush=True)
    played.tell_skipped()


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


def draw(played: Played, settings: Settings) -> None:
    """Replay one capture and draw the dongle, or its timeline where there is no terminal."""
    from rich.console import Console

    from packlab.view import show

    header = played.header
    total_s = _length_s(played)
    trace = _replay(played.events(), replace(settings, telemetry=True))
    show(
        (json.loads(line) for line in trace),
        title=f"{played.path.name} ({header.origin}: {header.source})",
        total_s=total_s,
        speed=settings.speed,
        console=Console(),
        family=_family(settings.config),
    )
    played.tell_skipped()


def demo() -> None:
    """A real line, then a made ride, through the whole firmware on the virtual board; paced for a
    watching person."""
    from rich.console import Console

    from packlab.made import made_capture_path

    live = Console().is_terminal
    made = made_capture_path("charge_and_ride", 1)
    for path, speed in ((root() / REAL_LINE, 4.0), (made, DEMO_SPEED)):
        settings = Settings({"profile": "m365"}, speed=speed if live else None, depth="app")
        draw(Played(path), settings)


def _family(config: dict[str, Any]) -> str:
    """Of the profile; "" where it is to be found out, or nobody knows the profile."""
    found = str(config.get("profile", firmware("options").DEFAULT_PROFILE))
    if found not in firmware("index").PROFILES:
        return ""  # the core will say so
    family = str(firmware(f"profiles.{found}").OPTIONS["family"])
    return "" if family == "auto" else family


def _length_s(played: Played) -> float:
    """Time of the last event, for the progress bar, 0 where there is no last one; finds what is
    wrong before anything is drawn."""
    if played.rounds == FOR_EVER:
        return 0.0
    last_us = 0
    for event in played.events():
        last_us = event.t_us
    return last_us / 1e6

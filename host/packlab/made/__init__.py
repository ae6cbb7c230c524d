"""Captures that were never on a wire: scenarios played with a model pack, always `origin: made`.

`make` writes one to a stream, `made_capture_path` keeps it in the user's cache; demo and tests use
both. The same name and seed give the same bytes on every machine.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TextIO

from packlab.capture import CaptureWriter, Event, Header, LineSetting, new_file
from packlab.errors import PacklabError
from packlab.made.scenarios import SCENARIOS, Beat, Scenario
from packlab.made.story import Story

PORTS = ("bms_tx", "host_tx")


def make(name: str, seed: int, out: TextIO) -> None:
    """Write the scenario `name` as a capture; an unknown name is a PacklabError."""
    scenario = _scenario(name)
    header = Header(
        "made",
        f"packlab made {name} --seed {seed}",
        {port: LineSetting() for port in PORTS},
        (("note", f"no scooter was involved; pack time runs {scenario.pace} times line time"),),
    )
    writer = CaptureWriter(out, header)
    for event in _play(scenario, Random(seed)):
        if isinstance(event, Beat):
            writer.comment(f"{event.start_s} s: {event.title}")
        else:
            writer.write(event)


def made_capture_path(name: str, seed: int) -> Path:
    """Return the scenario's capture in the user's cache, made now if it is not there yet."""
    _scenario(name)
    folder = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deckwatch" / "made"
    )
    path = folder / f"{name}-{seed}-{_version()}.cap"
    if not path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = error.strerror
            raise PacklabError(f"{folder} cannot be made: {why}; set XDG_CACHE_HOME") from error
        with new_file(path) as stream:
            make(name, seed, stream)
    return path


def _scenario(name: str) -> Scenario:
    try:
        return SCENARIOS[name]
    except KeyError:
        known = ", ".join(sorted(SCENARIOS))
        raise PacklabError(f"there is no scenario '{name:.40}'; make one of {known}") from None


def _play(scenario: Scenario, random: Random) -> Iterator[Event | Beat]:
    """Yield the beats and the events between them, in order of time."""
    # Lines read the model, which lies beside this file: at the top this would go in a circle.
    from packlab.fake.families import xiaomi
    from packlab.fake.line import InOrder, Line

    story = Story(scenario, random)
    pack = xiaomi.Pack(story, xiaomi.stock, random)
    line = Line(pack, story, xiaomi.Controller(story, random), is_scooter=True)
    sorted_ = InOrder(line.baud)
    ends_s = [beat.start_s for beat in scenario.beats[1:]] + [scenario.end_s]
    for beat, end_s in zip(scenario.beats, ends_s, strict=True):
        yield beat
        yield from sorted_.add(line.advance(int(end_s * 1_000_000) - 1))
    yield from sorted_.rest()


def _version() -> str:
    """Return what changes whenever the program that makes or writes captures changes."""
    here = Path(__file__).parent
    packlab = here.parent
    sources = [*sorted(here.glob("*.py")), *sorted((packlab / "fake").rglob("*.py"))]
    sources.append(packlab / "capture.py")
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    return digest.hexdigest()[:12]

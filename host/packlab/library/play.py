"""Makes a capture of a scenario: the same name and seed give the same bytes. `origin: made`."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import TextIO

from packlab.capture import CaptureWriter, Event, new_file
from packlab.errors import PacklabError
from packlab.fake import families
from packlab.fake.line import InOrder, Line
from packlab.fake.play import header
from packlab.faults import parse
from packlab.library import hazards, innocents, near_misses
from packlab.library.kit import Misreading, Tale
from packlab.made.readings import Readings, Source
from packlab.made.scenarios import Scenario
from packlab.made.story import Story


@cache
def tales() -> dict[str, Tale]:
    """All scenarios by name."""
    return {**innocents.TALES, **near_misses.TALES, **hazards.TALES}


def tale(name: str) -> Tale:
    """One; PacklabError names those there are."""
    try:
        return tales()[name]
    except KeyError:
        known = ", ".join(tales())
        raise PacklabError(f"there is no scenario '{name:.40}'; take one of {known}") from None


class _Misread:
    """A source whose readings pass through the board's errors."""

    def __init__(self, source: Source, misread: Misreading) -> None:
        self._source = source
        self._misread = misread

    def at(self, t_us: int) -> Readings:
        """As Source."""
        return self._misread(t_us / 1e6, self._source.at(t_us))


def line(told: Tale, seed: int) -> Line:
    """The line at time 0."""
    family, _, profile_name = told.line.partition("/")
    profile = families.profile(family, profile_name)
    scenario = Scenario(told.pack, told.scene_beats(), told.end_s, told.pace, told.limits)
    stories = [Story(scenario, Random(f"{seed}/{n}")) for n in range(profile.packs)]
    sources: list[Source] = list(stories)
    for number, misread in enumerate((told.misread, told.second)):
        if misread is not None:
            sources[number] = _Misread(sources[number], misread)
    fake = profile.make(sources, Random(f"{seed}/fake"))
    master = profile.master(stories[0], Random(f"{seed}/master")) if profile.master else None
    return Line(
        fake, stories[0], master, baud=profile.baud, shared_wire=profile.shared_wire,
        is_scooter=profile.is_scooter, faults=[parse(fault) for fault in told.faults], seed=seed,
    )  # fmt: skip


def events(told: Tale, seed: int) -> Iterator[Event]:
    """What passes, in order of time."""
    played = line(told, seed)
    try:
        in_order = InOrder(played.baud)
        yield from in_order.add(played.advance(told.end_s * 1_000_000))
        yield from in_order.rest()
    finally:
        played.close()


def write(name: str, seed: int, stream: TextIO) -> None:
    """The capture of one scenario."""
    told = tale(name)
    top = header(line(told, seed), f"packlab scenarios {name} --seed {seed}")
    notes = (*top.notes, ("profile", str(told.dongle["profile"])))
    if told.pace != 1:
        notes = (*notes, ("pace", str(told.pace)))
    writer = CaptureWriter(stream, replace(top, notes=notes))
    for event in events(told, seed):
        writer.write(event)


def kept(name: str, seed: int, *, fingerprint: Callable[[], str] | None = None) -> Path:
    """The capture in the user's cache, made now if it is not there yet."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = (fingerprint or _fingerprint)()
    path = cache_home / "deckwatch" / "scenarios" / f"{name}-{seed}-{version}.cap"
    if not path.exists():
        tale(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as stream:
            write(name, seed, stream)
    return path


@cache
def _fingerprint() -> str:
    """Changes whenever a program that makes captures does."""
    packlab = Path(__file__).parent.parent
    sources = [
        path
        for folder in ("library", "made", "fake", "faults")
        for path in sorted((packlab / folder).rglob("*.py"))
    ]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    return digest.hexdigest()[:12]

"""All that is known of one capture: replayed once, kept as figures that travel between
processes."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from packlab.capture import Header
from packlab.checkout import firmware
from packlab.corpus.cases import Case, settled
from packlab.corpus.trace import trace
from packlab.formats import header_of
from packlab.report.bands import Band, Bands
from packlab.report.facts import limits, pace_of, pack_name, recorded
from packlab.report.linkscore import LinkScore
from packlab.report.resistance import Resistance, resistance
from packlab.report.samples import Point, Samples
from packlab.report.sessions import Session, sessions
from packlab.view.state import Picture
from packlab.view.summary import Summary


@dataclass(frozen=True, slots=True)
class PackStudy:
    """One battery of a capture."""

    number: int
    samples: Samples
    sessions: list[Session]
    resistance: Resistance | None


@dataclass(frozen=True, slots=True)
class Study:
    """One capture.

    pack: whose it is. when: ISO date, and `when_from` says where that is known from. pace: as in
    sessions(). limits: slot -> (level, limit). from_ms, to_ms: first and last event. link: (t_ms,
    score) whenever it changes.
    """

    name: str
    pack: str
    when: str
    when_from: str
    header: Header
    pace: int
    limits: dict[str, list[tuple[str, int]]]
    from_ms: int
    to_ms: int
    summary: Summary
    packs: list[PackStudy]
    bands: list[Band]
    link: list[Point]


def study(case: Case) -> Study:
    """Replay a capture and look at it. PacklabError when it cannot be replayed."""
    settings = replace(settled(case), telemetry=True)
    case = replace(case, settings=settings)
    header = header_of(case.path, case.reading)
    link = LinkScore(firmware("config").load(settings.config).family)
    events = map(json.loads, trace(case, link.watch))
    picture, samples, bands = _fold(events)
    summary = Summary.of(picture)
    from_ms = picture.first_ms or 0
    to_ms = from_ms + round(summary.seconds * 1000)
    when, when_from = recorded(case, header)
    pace = pace_of(header)
    return Study(
        case.name,
        pack_name(case, header),
        when,
        when_from,
        header,
        pace,
        limits(settings.config),
        from_ms,
        to_ms,
        summary,
        [_pack(number, samples[number], pace) for number in sorted(samples)],
        bands.all(to_ms),
        link.points,
    )


def _fold(events: Iterable[dict[str, Any]]) -> tuple[Picture, dict[int, Samples], Bands]:
    picture = Picture()
    samples: dict[int, Samples] = {}
    bands = Bands()
    for event in events:
        picture.fold(event)
        if event["event"] == "telemetry":
            pack = picture.packs[event["pack"]]
            are_fresh = pack.cells_ms == picture.now_ms
            columns = samples.setdefault(pack.number, Samples())
            columns.add(event, pack.cells_mv if are_fresh else ())
        elif event["event"] == "alert":
            bands.take(event)
    return picture, samples, bands


def _pack(number: int, samples: Samples, pace: int) -> PackStudy:
    return PackStudy(number, samples, sessions(samples, pace), resistance(samples))

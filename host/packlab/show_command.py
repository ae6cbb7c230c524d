"""`packlab show`: the dongle and what it knows as one page, at a moment of a recording, or live
from adapters or a dongle that passes on what it hears."""

import argparse
import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from packlab import formats, reading_options
from packlab.errors import PacklabError
from packlab.playing import Playing, _time

if TYPE_CHECKING:
    from packlab.capture import Event
    from packlab.record.heard import Heard
    from packlab.replay import Moment, Settings


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `show` to packlab's commands."""
    from packlab.record.command import add_sources

    parser = commands.add_parser(
        "show",
        help="cells, delta, temperatures, alerts, link, what is not watched: as one page",
        description="Show the dongle and all it knows as one page: at a moment of a recording,"
        " or live, from adapters or a dongle.",
    )
    parser.add_argument("capture", nargs="?", type=Path, metavar="CAPTURE")
    parser.add_argument("--at", type=_time, metavar="90s", help="which moment (default: the end)")
    parser.add_argument("--profile", metavar="P", help="which pack it is")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the dongle's configuration")
    add_sources(parser)
    reading_options.add_options(parser, baud=False)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from packlab import configuration
    from packlab.replay import Settings

    config = configuration.read(options.config, options.profile)
    settings = Settings(config, telemetry=True)
    if options.capture is None:
        _live(options, settings)
    else:
        reading = reading_options.asked(options, config)
        _page(options.capture, options.at, settings, reading)


def _page(path: Path, at_us: int | None, settings: "Settings", reading: "formats.Options") -> None:
    from rich.console import Console

    from packlab.replay import replay
    from packlab.view.dongle import Frame, draw
    from packlab.view.plain import Legible
    from packlab.view.state import Picture

    picture = Picture()
    end_us = 0
    with formats.reading(path, reading) as recording:

        def events() -> "Iterator[Event]":
            nonlocal end_us
            for event in Playing(to_us=None if at_us is None else at_us + 1).once(
                recording.events
            ):
                end_us = event.t_us
                yield event

        for line in replay(events(), settings):
            picture.fold(json.loads(line))
        title = f"{path.name} ({recording.header.origin}: {recording.header.source})"
    if not end_us:
        raise PacklabError(f"{path} holds no events before that moment; choose a later one")
    console = Console()
    end_ms = end_us / 1000
    frame = Frame(title, end_ms, end_ms, end_ms, None)
    console.print(Legible(draw(picture, frame, console.width, 200)))


def _live(options: argparse.Namespace, settings: "Settings") -> None:
    from rich.console import Console

    from packlab.record.command import open_sources
    from packlab.replay import replay
    from packlab.view import show

    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    sources, _ = open_sources(options, heard)
    for source in sources:
        source.start()
    try:
        show(
            map(json.loads, replay(_as_it_comes(heard, options.span), settings)),
            title=", ".join(source.name for source in sources),
            total_s=options.span or 0,
            speed=1.0,
            console=Console(),
        )
    finally:
        for source in sources:
            source.end()


def _as_it_comes(
    heard: "queue.SimpleQueue[Heard]", span_s: int | None
) -> "Iterator[Event | Moment]":
    """What is heard, as events; where nothing is, what time it is."""
    from packlab.capture import Chunk, Level
    from packlab.replay import Moment

    start_ns = time.monotonic_ns()
    last_us = 0
    while span_s is None or time.monotonic_ns() - start_ns < span_s * 1_000_000_000:
        try:
            one = heard.get(timeout=0.05)
        except queue.Empty:
            yield Moment((time.monotonic_ns() - start_ns) // 1000)
            continue
        last_us = max(last_us, (one.t_ns - start_ns) // 1000)
        if one.level:
            yield Level(last_us, one.port, one.level)
        elif one.data:
            yield Chunk(last_us, one.port, one.data)

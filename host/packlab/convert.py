"""Turn a recording of one format into another's; `packlab convert` and `share` call this.

The source is read twice: first to find what is wrong with it and which ports it has, before
anything is written, then to write. Nothing is held in memory.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from packlab import formats
from packlab.capture import PORTS, Chunk, Event, Header
from packlab.errors import PacklabError
from packlab.formats import Options


@dataclass(frozen=True, slots=True)
class Summary:
    """What was converted: chunks and bytes by port, and the time of the last event."""

    chunks: dict[str, int]
    bytes: dict[str, int]
    end_us: int


_Prepared = tuple[Iterator[Event], Callable[[Header], Header]]


def survey(path: Path, options: Options | None = None) -> tuple[Header, Summary]:
    """What a recording holds; every port it has is named in the header's lines.

    PacklabError names the file, the place and the remedy, also for a recording without events.
    """
    count = _Count()
    with formats.reading(path, options) as recording:
        for _ in count.over(recording.events):
            pass
    if count.end_us < 0:
        raise PacklabError(f"{path} holds no events; record it again")
    header = recording.header
    lines = {port: header.line(port) for port in PORTS if port in count.chunks}
    return replace(header, lines={**header.lines, **lines}), count.summary()


def convert(
    src: Path,
    dst: Path,
    *,
    source: str | None = None,
    origin: str | None = None,
    options: Options | None = None,
    anonymise: bool = False,
) -> Summary:
    """Write the recording in `src` to `dst`, each in the format its name says.

    source, origin: for the header, where the file does not say. Bad input raises PacklabError
    naming file, place and remedy, and leaves `dst` as it was.
    """
    options = options or Options()
    options = replace(options, source=source or options.source, origin=origin or options.origin)
    formats.format_of(dst)
    header, summary = survey(src, options)
    if dst.exists() and dst.samefile(src):
        raise PacklabError(f"{dst} is the table itself or the capture; give the new file a name")
    with _events(src, options, anonymise=anonymise) as (events, described):
        formats.write(dst, described(header), events)
    return summary


@contextmanager
def _events(src: Path, options: Options, *, anonymise: bool) -> Iterator[_Prepared]:
    """The events to be written, and what becomes of the header."""
    from packlab.anonymise import anonymised, described, learn

    if not anonymise:
        with formats.reading(src, options) as recording:
            yield recording.events, lambda header: header
        return
    with formats.reading(src, options) as recording:
        secrets = learn(recording.events)
    with formats.reading(src, options) as recording:
        yield anonymised(recording.events, secrets), lambda header: described(header, secrets)


class _Count:
    """Counts events on their way."""

    def __init__(self) -> None:
        self.chunks: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.end_us = -1

    def over(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events."""
        for event in events:
            self.end_us = event.t_us
            if isinstance(event, Chunk):
                self.chunks[event.port] += 1
                self.bytes[event.port] += len(event.data)
            else:
                self.chunks[event.port] += 0
            yield event

    def summary(self) -> Summary:
        """By port, in the usual order."""
        ports = [port for port in PORTS if port in self.chunks]
        return Summary(
            {port: self.chunks[port] for port in ports},
            {port: self.bytes[port] for port in ports},
            self.end_us,
        )

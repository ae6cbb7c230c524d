"""`.cap`: our own text (packlab/capture.py says how it is written). It keeps all there is."""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from packlab.capture import FIRST_LINE, CaptureReader, CaptureWriter, Event, Header
from packlab.formats.lib.base import Format, Recording, Source


def _read(source: Source) -> Recording:
    reader = source.enter(CaptureReader(source.path, lenient=source.options.lenient))

    def events() -> Iterator[Event]:
        yield from reader
        source.skipped = reader.skipped

    return Recording(source.options.applied(reader.header), events())


def _write(stream: BinaryIO, header: Header, events: Iterable[Event]) -> None:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n", write_through=False)
    try:
        writer = CaptureWriter(text, header)
        for event in events:
            writer.write(event)
    finally:
        text.detach()


def _knows(beginning: bytes) -> bool:
    return beginning.startswith(f"# {FIRST_LINE}".encode())


FORMAT = Format(suffix=".cap", meaning="our own text", read=_read, write=_write, knows=_knows)

"""A trace, wherever it comes from: a capture sent through the firmware, a trace that was kept or
is being printed (`packlab replay --json --telemetry`), or a dongle that works, at its port.

Findings and guided sessions read events from here and need not know the source.
"""

import contextlib
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from packlab import formats
from packlab.errors import PacklabError
from packlab.replay import Settings, replay

Trace = Iterator[dict[str, Any]]

_BAUD = 115200
_CAPTURE = b"# deckwatch capture"


def is_capture(source: str) -> bool:
    """Is it a recording by its name and beginning, or does it begin as our own text does?"""
    return formats.is_recording(Path(source)) or _beginning(source).startswith(_CAPTURE)


def is_trace(source: str) -> bool:
    """Is it standard input, or a file of JSON lines?"""
    return source == "-" or _beginning(source).startswith(b"{")


def _beginning(source: str) -> bytes:
    path = Path(source)
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_CAPTURE))
    except OSError as error:
        raise PacklabError(f"{source} cannot be read: {error.strerror}; check the path") from error


def trace(
    source: str,
    settings: Settings,
    seconds: float | None = None,
    reading: formats.Options | None = None,
) -> Trace:
    """The events of `source`, values included. Of a dongle: for so many seconds, None until
    somebody interrupts. reading: what is said about a capture's file."""
    if is_capture(source):
        yield from _of_capture(Path(source), settings, reading)
    elif source == "-":
        yield from _of_lines(sys.stdin, "standard input")
    elif is_trace(source):
        with Path(source).open(encoding="utf-8") as stream:
            yield from _of_lines(stream, source)
    elif Path(source).is_file():
        raise PacklabError(
            f"{source} is neither a capture nor a trace; packlab convert makes a capture of it"
        )
    elif not Path(source).exists() and Path(source).suffix:
        raise PacklabError(f"there is no file {source}; check the path")
    else:
        yield from _of_dongle(source, settings, seconds)


def _of_capture(path: Path, settings: Settings, reading: formats.Options | None) -> Trace:
    with formats.reading(path, reading) as recording:
        for line in replay(recording.some(), replace(settings, telemetry=True)):
            yield json.loads(line)


def _of_lines(lines: Iterable[str], name: str) -> Trace:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            _ = event["event"]
        except (ValueError, TypeError, KeyError) as error:
            raise PacklabError(
                f"{name}, line {number} is no event of a trace; "
                "make one with packlab replay --json --telemetry"
            ) from error
        yield event


def _of_dongle(port: str, settings: Settings, seconds: float | None) -> Trace:
    """What a working dongle says on its console; it is not stopped for that."""
    import serial

    from packlab.virtual import Story

    line = serial.Serial(baudrate=_BAUD, timeout=0.5)
    line.port = port
    line.dtr = line.rts = False  # they would reset many boards
    try:
        line.open()
    except (OSError, ValueError) as error:
        raise PacklabError(f"{port} cannot be opened: {error}; check the cable") from error
    story = Story(replace(settings, telemetry=True), 0)
    start = time.monotonic()
    heard = b""
    with line, contextlib.suppress(KeyboardInterrupt):
        while seconds is None or time.monotonic() - start < seconds:
            try:
                heard += line.read(max(1, line.in_waiting))
            except OSError:
                break  # unplugged: what was heard counts
            *whole, heard = heard.split(b"\n")
            now_us = int((time.monotonic() - start) * 1e6)
            for text in whole:
                yield from story.follow(f"{now_us} print {text.decode('utf-8', 'replace')}")
    yield story.summary()

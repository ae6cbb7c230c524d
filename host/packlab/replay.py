"""Replays a capture into the firmware and yields the trace, event by event; `packlab replay` and
the demo call this.

The core runs in a process of its own on the chosen interpreter (boards/BENCH/core_replay.py), so
that CPython and MicroPython go exactly the same way. The feed is sent as recorded, or paced
against the wall clock.
"""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from packlab.capture import Chunk, Event
from packlab.errors import PacklabError
from packlab.interpreters import command

RUNNER = "boards/BENCH/core_replay.py"
_BEAT_US = (
    50_000  # a paced feed moves the core's clock at least this often, for lights between frames
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to replay. config: as in the dongle's config file. speed: times real time, None = as
    fast as it goes."""

    config: dict[str, Any] = field(default_factory=dict)
    interpreter: str = "unix"
    speed: float | None = None
    telemetry: bool = False
    edges: bool = False
    heap_locked: bool = False
    heap: str | None = None


def feed_line(event: Event) -> str:
    """One event in the form core_replay.py reads: `t_us port hex` or `t_us port !level`."""
    what = event.data.hex() if isinstance(event, Chunk) else "!" + event.level
    return f"{event.t_us} {event.port} {what}\n"


def replay(events: Iterable[Event], settings: Settings) -> Iterator[str]:
    """The trace of `events` as JSON lines without line ends, the last one the summary.

    PacklabError when the core refuses the configuration or dies; a reader that raises ends it,
    too.
    """
    arguments, variables = command(settings.interpreter, RUNNER, heap=settings.heap)
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **variables},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = _Feeder(process.stdin, events, settings)
    feeder.start()
    rest: list[str] = []
    try:
        for line in process.stdout:
            if line.startswith("{") and not rest:
                yield line.rstrip("\n")
            else:
                rest.append(line.rstrip("\n"))
        process.wait()
    finally:
        process.kill()
        process.wait()
        feeder.join()
    if feeder.failure is not None:
        raise feeder.failure
    if process.returncode or rest:
        raise PacklabError(_reason(rest))


def _reason(said: list[str]) -> str:
    """One sentence from what a failed core printed."""
    last = next((line for line in reversed(said) if line.strip()), "nothing")
    name, _, text = last.partition(": ")
    if name.endswith("ConfigError") and text:
        return f"the configuration is refused: {text}"
    return f"the core stopped: {last}; please report this with the capture"


class _Feeder(threading.Thread):
    """Writes the feed while the trace is read; `failure` is what stopped it early."""

    def __init__(self, stream: IO[str], events: Iterable[Event], settings: Settings) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._events = events
        self._settings = settings
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._stream.write(self._head())
            if self._settings.speed is None:
                for event in self._events:
                    self._stream.write(feed_line(event))
            else:
                self._pace(self._settings.speed)
        except BrokenPipeError:
            pass  # the core ended first; it has said why
        except BaseException as failure:
            self.failure = failure
        finally:
            with contextlib.suppress(BrokenPipeError):
                self._stream.close()

    def _head(self) -> str:
        settings = self._settings
        return (
            json.dumps(
                {
                    "config": settings.config,
                    "telemetry": settings.telemetry,
                    "edges": settings.edges,
                    "lock": settings.heap_locked,
                }
            )
            + "\n"
        )

    def _pace(self, speed: float) -> None:
        start: float | None = None
        now_us = 0
        for event in self._events:
            if start is None:
                start = time.monotonic() - event.t_us / 1e6 / speed
                now_us = event.t_us
            while now_us < event.t_us:
                now_us = min(now_us + max(_BEAT_US, int(_BEAT_US * speed)), event.t_us)
                self._stream.flush()
                time.sleep(max(0.0, start + now_us / 1e6 / speed - time.monotonic()))
                if now_us < event.t_us:
                    self._stream.write(f"{now_us} clock -\n")
            self._stream.write(feed_line(event))
        self._stream.flush()

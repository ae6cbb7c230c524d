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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from packlab.capture import Chunk, Event
from packlab.errors import PacklabError
from packlab.interpreters import command

RUNNER = "boards/BENCH/core_replay.py"

# A paced feed tells the core the time at least this often, for the lights between two frames.
BEAT_US = 50_000


@dataclass(frozen=True, slots=True)
class Settings:
    """How to replay. config: as in the dongle's config file. interpreter: one of INTERPRETERS.
    speed: times real time, None = as fast as it goes. telemetry, edges: what else the trace
    tells. depth: "core", or "app" for the whole firmware on the virtual board. session: the
    owner's own session the core is in from the start, and its target in mV; (0, 0) = none. flash:
    with depth "app", the folder that keeps the dongle's flash from one replay to the next."""

    config: dict[str, Any] = field(default_factory=dict)
    interpreter: str = "unix"
    speed: float | None = None
    telemetry: bool = False
    edges: bool = False
    depth: str = "core"
    session: tuple[int, int] = (0, 0)
    flash: Path | None = None


def head_line(settings: Settings, *, lock: bool = False) -> str:
    """The first line core_replay.py reads; with `lock` the heap is locked from feed to render."""
    head = {
        "config": settings.config,
        "telemetry": settings.telemetry,
        "edges": settings.edges,
        "lock": lock,
        **({"session": settings.session} if settings.session[0] else {}),
    }
    return json.dumps(head) + "\n"


@dataclass(frozen=True, slots=True)
class Moment:
    """Time has passed, and nothing has come: what a live source says between events."""

    t_us: int


def feed_line(event: Event | Moment) -> str:
    """One event in the form core_replay.py reads: `t_us port hex`, `t_us port !level` or `t_us
    clock -`."""
    if isinstance(event, Moment):
        return f"{event.t_us} clock -\n"
    what = event.data.hex() if isinstance(event, Chunk) else "!" + event.level
    return f"{event.t_us} {event.port} {what}\n"


def paced(
    events: Iterable[Event | Moment],
    speed: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Feed lines, each handed out when its time has come at `speed` times real time.

    The first event is due at once. Between distant events lines come that tell the time alone.
    `now` and `sleep` are in seconds.
    """
    beat_us = max(BEAT_US, int(BEAT_US * speed))
    start = now()
    first_us = at_us = -1
    for event in events:
        if first_us < 0:
            first_us = at_us = event.t_us
        while at_us < event.t_us:
            at_us = min(at_us + beat_us, event.t_us)
            sleep(max(0.0, start + (at_us - first_us) / 1e6 / speed - now()))
            if at_us < event.t_us:
                yield f"{at_us} clock -\n"
        yield feed_line(event)


def replay(events: Iterable[Event | Moment], settings: Settings) -> Iterator[str]:
    """The trace of `events` as JSON lines without line ends, the last one the summary.

    PacklabError when the core refuses the configuration or dies. What reading `events` raises is
    raised here, too, and then there is no summary.
    """
    process = _start(settings.interpreter)
    feeder = _Feeder(process, events, settings)
    feeder.start()
    rest: list[str] = []
    assert process.stdout is not None
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
        process.stdout.close()
    if feeder.failure is not None:
        raise feeder.failure
    if process.returncode or rest:
        raise PacklabError(_reason(rest, process.returncode))


def _start(interpreter: str) -> "subprocess.Popen[str]":
    arguments, variables = command(interpreter, RUNNER)
    try:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **variables},
        )
    except OSError as error:
        raise PacklabError(f"{arguments[0]} cannot be run: {error.strerror}") from error


def _reason(said: list[str], code: int) -> str:
    """One sentence from what a failed core printed and how it ended."""
    end = f"signal {-code}" if code < 0 else f"exit code {code}"
    last = next((line for line in reversed(said) if line.strip()), end)
    name, _, text = last.partition(": ")
    if name.endswith("ConfigError") and text:
        return f"the configuration is refused: {text}"
    return f"the core stopped: {last}; please report this with the capture"


class _Feeder(threading.Thread):
    """Writes the feed while the trace is read; `failure` is what stopped it early."""

    def __init__(
        self,
        process: "subprocess.Popen[str]",
        events: Iterable[Event | Moment],
        settings: Settings,
    ) -> None:
        super().__init__(daemon=True)
        assert process.stdin is not None
        self._stream: IO[str] = process.stdin
        self._process = process
        self._events = events
        self._settings = settings
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._write()
        except BrokenPipeError:
            pass  # the core ended first; it has said why
        except BaseException as failure:
            self.failure = failure
            self._process.kill()  # half a capture must not end in a summary
        finally:
            with contextlib.suppress(BrokenPipeError):
                self._stream.close()

    def _write(self) -> None:
        speed = self._settings.speed
        self._stream.write(head_line(self._settings))
        if speed is None:
            self._stream.writelines(map(feed_line, self._events))
            return
        for line in paced(self._events, speed):
            self._stream.write(line)
            self._stream.flush()

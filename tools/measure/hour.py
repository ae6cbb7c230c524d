"""How long the replay of a recorded hour takes: the polling of a real line, over and over."""

import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packlab.capture import CaptureReader, Chunk, Event
from packlab.replay import Settings

HOUR_S = 3600

Replayer = Callable[[Iterable[Event], Settings], Iterator[str]]


def repeated(capture: Path, seconds: int = HOUR_S) -> Iterator[Chunk]:
    """The polls of `capture`, each with its answer, until `seconds` have passed.

    A stretch between two equal requests is repeated, so the rhythm does not break at the seam.
    """
    with CaptureReader(capture) as reader:
        chunks = [event for event in reader if isinstance(event, Chunk)]
    request = next(chunk for chunk in reversed(chunks) if chunk.port == "host_tx")
    polls = [i for i, chunk in enumerate(chunks) if chunk.data == request.data]
    first, last = polls[1], polls[-1]  # the first poll comes early, at power-on
    start_us, span_us = chunks[first].t_us, chunks[last].t_us - chunks[first].t_us
    shift_us = -start_us
    while True:
        for chunk in chunks[first:last]:
            t_us = chunk.t_us + shift_us
            if t_us > seconds * 1_000_000:
                return
            yield replace(chunk, t_us=t_us)
        shift_us += span_us


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from starting the interpreter to the summary: on the clock, and of a processor,
    which says more on a busy machine."""

    wall_s: float
    processor_s: float


def replayed(depth: Replayer, capture: Path, interpreter: str, seconds: int = HOUR_S) -> Took:
    """How long so many seconds of the line take.

    depth: packlab.replay.replay (the core) or packlab.virtual.replay_app (the whole firmware).
    """
    events = list(repeated(capture, seconds))
    start_s, used_s = time.perf_counter(), _children_s()
    for _ in depth(events, Settings(interpreter=interpreter)):
        pass
    return Took(time.perf_counter() - start_s, _children_s() - used_s)


def _children_s() -> float:
    """Processor seconds of all programmes this one has started and seen end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

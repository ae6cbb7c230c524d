"""How long the replay of a recorded hour takes: the polling of a real line, over and over."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packlab.capture import CaptureReader, Chunk
from packlab.replay import Settings, replay

HOUR_S = 3600


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


def replayed_s(capture: Path, interpreter: str, seconds: int = HOUR_S) -> float:
    """Wall seconds for so many of the line's, from starting the core to its summary."""
    events = list(repeated(capture, seconds))
    start = time.perf_counter()
    for _ in replay(events, Settings(interpreter=interpreter)):
        pass
    return time.perf_counter() - start

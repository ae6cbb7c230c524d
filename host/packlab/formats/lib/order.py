"""Events in order of time, from files that tell them in order of something near it."""

import heapq
from collections.abc import Iterable, Iterator

from packlab.capture import Event
from packlab.formats.lib.base import Source

_WAITING = 4096


def in_order(events: Iterable[tuple[Event, str]], source: Source) -> Iterator[Event]:
    """The events sorted, each given with its place; one that comes more than _WAITING late makes
    the file refused: its rows are not in order at all, and memory has an end."""
    heap: list[tuple[int, int, Event]] = []
    last_us = 0
    for number, (event, place) in enumerate(events):
        if event.t_us < last_us:
            source.fail(f"{place}: its time lies far before that of earlier rows; sort the rows")
        heapq.heappush(heap, (event.t_us, number, event))
        if len(heap) > _WAITING:
            first = heapq.heappop(heap)[2]
            last_us = first.t_us
            yield first
    while heap:
        yield heapq.heappop(heap)[2]

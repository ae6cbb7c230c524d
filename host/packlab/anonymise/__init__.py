"""Takes out of a recording what identifies somebody: serial numbers, ids, PINs, passwords, names.

`packlab share`, `convert --anonymise` and `capture --anonymise` use this. Frames keep their
length, their place in time and their check, right or wrong as it was; texts keep their shape.
Identities that were found once are recognised wherever else they stand, so a recording that is
gone through twice (`learn` first) hides them also in damaged frames before the first whole one.

What it cannot know: what a maker hides in registers that no sheet explains, and that a ride can be
recognised by its times and voltages.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from packlab.anonymise.frames import candidates
from packlab.anonymise.identities import FAMILIES, REGISTER_FAMILIES, read_of
from packlab.anonymise.masker import Masker, Secrets
from packlab.capture import Chunk, Event, Header

__all__ = ["Anonymiser", "Secrets", "anonymised", "described", "learn"]

CHANGED = "identities blanked and the checks set to match; every other byte is as recorded"
_SILENCE_US = 500_000  # no frame goes on after such a pause
_REPLY_US = 1_000_000  # a later one answers nothing (as the firmware has it)
_READS = 64
_TAIL = 7  # of a read of eight bytes that comes in two chunks


class Anonymiser:
    """Events in, events out a little later, in order of time."""

    def __init__(
        self, secrets: Secrets | None = None, families: Sequence[str] = tuple(FAMILIES)
    ) -> None:
        self.secrets = Secrets() if secrets is None else secrets
        self._families = families
        self._maskers: dict[str, Masker] = {}
        self._waiting: list[tuple[int, int, Event]] = []
        self._number = 0
        self._reads: deque[tuple[int, int, int]] = deque(maxlen=_READS)
        self._tails: dict[str, bytes] = {}

    def feed(self, event: Event) -> Iterator[Event]:
        """What is known to be finished after one more event."""
        for masker in self._maskers.values():
            if masker.pending_us is not None and event.t_us - masker.latest_us > _SILENCE_US:
                self._keep(masker.flush())
        if isinstance(event, Chunk):
            self._hear(event)
            masker = self._maskers.get(event.port) or self._new(event.port)
            self._keep(masker.feed(event))
        else:
            self._keep([event])
        return self._finished()

    def finish(self) -> Iterator[Event]:
        """The rest."""
        for masker in self._maskers.values():
            self._keep(masker.flush())
        return self._finished()

    def _new(self, port: str) -> Masker:
        masker = self._maskers[port] = Masker(self._families, self.secrets, self._asked)
        return masker

    def _keep(self, events: Sequence[Event]) -> None:
        for event in events:
            heapq.heappush(self._waiting, (event.t_us, self._number, event))
            self._number += 1

    def _finished(self) -> Iterator[Event]:
        pending = [m.pending_us for m in self._maskers.values() if m.pending_us is not None]
        until_us = min(pending, default=None)
        while self._waiting and (until_us is None or self._waiting[0][0] <= until_us):
            yield heapq.heappop(self._waiting)[2]

    def _hear(self, chunk: Chunk) -> None:
        """Remember reads of registers, for the replies that do not repeat them."""
        data = self._tails.get(chunk.port, b"") + chunk.data
        self._tails[chunk.port] = data[-_TAIL:]
        families = tuple(name for name in REGISTER_FAMILIES if name in self._families)
        for one in candidates(data, families, 0, is_end=False) if families else ():
            read = read_of(data[one.start : one.start + one.size]) if one.is_whole else None
            if read is not None:
                self._reads.append((chunk.t_us, *read))

    def _asked(self, t_us: int, size: int) -> int:
        for asked_us, register, wanted in reversed(self._reads):
            if wanted == size and 0 <= t_us - asked_us <= _REPLY_US:
                return register
        return -1


def learn(events: Iterable[Event]) -> Secrets:
    """What identifies somebody in a whole recording, for a second run over it."""
    anonymiser = Anonymiser()
    for event in events:
        for _ in anonymiser.feed(event):
            pass
    for _ in anonymiser.finish():
        pass
    return anonymiser.secrets


def anonymised(events: Iterable[Event], secrets: Secrets) -> Iterator[Event]:
    """The events without what identifies somebody."""
    anonymiser = Anonymiser(secrets)
    for event in events:
        yield from anonymiser.feed(event)
    yield from anonymiser.finish()


def described(header: Header, secrets: Secrets | None = None) -> Header:
    """The header of the anonymised recording: a real one is now derived, and says why."""
    hide = str if secrets is None else secrets.hide
    notes = tuple((key, hide(value)) for key, value in header.notes)
    if ("changed", CHANGED) not in notes:
        notes += (("changed", CHANGED),)
    origin = "derived" if header.origin == "real" else header.origin
    return replace(header, origin=origin, source=hide(header.source), notes=notes)

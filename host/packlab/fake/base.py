"""What all fake packs and fake masters have in common: one end of a line as a state machine that
hears bytes and gives back what it sends and when. No clock is read here: times are microseconds of
line time, handed in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from packlab.made.board import Limits
from packlab.made.readings import Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

# Bytes to send, and when the first of them begins.
Sent = tuple[int, bytes]

NEVER_US = 1 << 62
_GAP_US = 100_000  # a pause this long ends what has begun


class Master(Protocol):
    """One who asks. due_us: when it wants to speak."""

    due_us: int

    def switched_on(self, t_us: int) -> None:
        """The scooter, or whatever powers it, is switched on."""
        ...

    def hear(self, data: bytes) -> None:
        """Something came from the pack."""
        ...

    def speak(self, t_us: int) -> list[Sent]:
        """What it sends now that `due_us` has come."""
        ...


class Fake:
    """A pack's end. A family says how long a request is, whether it is whole, and what answers it.

    due_us: when it wants to speak unasked. ignored: bytes that belonged to no request.
    """

    def __init__(self) -> None:
        self.due_us = NEVER_US
        self.ignored = 0
        self._buffer = b""
        self._heard_us = 0

    def measure(self, data: bytes) -> int:
        """How long the request at the beginning of `data` is; 0: more must come to know, -1: none
        begins here."""
        raise NotImplementedError

    def holds(self, request: bytes) -> bool:
        """Does its check fit?"""
        raise NotImplementedError

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """The reply to a whole request whose last byte was in at `t_us`; nothing where the board
        keeps silent."""
        raise NotImplementedError

    def hear(self, data: bytes, t_us: int) -> list[Sent]:
        """Put together what comes in pieces, and answer every whole request."""
        if t_us - self._heard_us > _GAP_US:
            self.ignored += len(self._buffer)
            self._buffer = b""
        self._heard_us = t_us
        self._buffer += data
        return [sent for request in self._requests() for sent in self.answer(request, t_us)]

    def _requests(self) -> Iterator[bytes]:
        while self._buffer:
            size = self.measure(self._buffer)
            if size == 0 or size > len(self._buffer):
                return
            request = self._buffer[: max(size, 0)]
            if size > 0 and self.holds(request):
                self._buffer = self._buffer[size:]
                yield request
            else:
                self._buffer = self._buffer[1:]
                self.ignored += 1

    def switched_on(self, t_us: int) -> None:
        """Most boards live on the pack and do not care."""

    def speak(self, t_us: int) -> list[Sent]:
        """What it says unasked now that `due_us` has come; most boards never do."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, and how long after the one before it is sent."""

    wait_us: int
    data: bytes


class Asker:
    """A master with a round of requests at fixed times, whatever comes back: display, module, app.
    `first` is sent once, after it is switched on."""

    def __init__(self, round_: Sequence[Ask], first: Sequence[Ask] = ()) -> None:
        self._round = tuple(round_)
        self._first = tuple(first)
        self._queue: list[Ask] = []
        self.due_us = NEVER_US

    def switched_on(self, t_us: int) -> None:
        """Begin anew."""
        self._queue = [*self._first, *self._round]
        self.due_us = t_us + self._queue[0].wait_us

    def hear(self, data: bytes) -> None:
        """It shows what it hears and asks on."""

    def speak(self, t_us: int) -> list[Sent]:
        """The next request of the round."""
        data = self._queue.pop(0).data
        if not self._queue:
            self._queue = list(self._round)
        self.due_us = t_us + self._queue[0].wait_us if self._queue else NEVER_US
        return [(t_us, data)]


@dataclass(frozen=True)
class Profile:
    """One board, or way of speaking, of a family.

    make(sources, random): the fake pack; a source per pack. master(story, random): who asks on
    such a line, None where nobody does. most_cells: room in its frames. shared_wire: both
    directions pass one wire (RS485). is_scooter: its wires are low while the scooter is off or the
    pack has opened its discharge MOSFETs.
    """

    meaning: str
    make: Callable[[Sequence[Source], Random], Fake]
    master: Callable[[Story, Random], Master] | None = None
    baud: int = 115200
    spec: PackSpec = field(default_factory=PackSpec)
    limits: Limits = field(default_factory=Limits)
    packs: int = 1
    most_cells: int = 32
    shared_wire: bool = False
    is_scooter: bool = False

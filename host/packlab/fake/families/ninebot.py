"""Ninebot ES, Max and F packs, internal and external, and the controller that asks them
(xiaomi.md 2 and 3): Xiaomi's words in frames of 5A A5.

Recorded on an ES2 (sheet 1.3): every 210.0 ms a refresh (5A) and a read of the status, back to
back; of 85 reads 62 were answered, of the refreshes all. As if a pack that is busy kept one
question and lost the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from packlab.fake.base import NEVER_US, Fake, Profile, Sent
from packlab.fake.families import xiaomi
from packlab.made.board import Limits
from packlab.made.readings import Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

CONTROLLER, INTERNAL, EXTERNAL = 0x20, 0x22, 0x23
READ, ANSWER, REFRESH = 0x01, 0x04, 0x5A

POLL_US = 210_000
STATUS_AFTER_IDENTITY_US = 10_000
WAKE_US = 590_000  # as the M365's: no record says
REPLY_GAP_US = 210
BUSY_EVERY_US, BUSY_US = 100_200, 27_000  # 23 of 85 reads unanswered
SERIALS = {INTERNAL: b"DECKWATCH-MADE", EXTERNAL: b"DECKWATCH-MORE"}


def frame(source: int, destination: int, command: int, argument: int, payload: bytes) -> bytes:
    """A Ninebot frame: its length counts the payload alone (sheet 2.1)."""
    body = bytes((len(payload), source, destination, command, argument)) + payload
    return b"\x5a\xa5" + body + (0xFFFF - sum(body) & 0xFFFF).to_bytes(2, "little")


class Packs(Fake):
    """One or two packs; the external one answers as 23, as it does through the controller."""

    def __init__(self, sources: Mapping[int, Source]) -> None:
        super().__init__()
        self._sources = sources
        self._keeps_until_us = dict.fromkeys(sources, 0)  # the answer to the question it keeps

    def measure(self, data: bytes) -> int:
        if data[:2] not in (b"\x5a", b"\x5a\xa5"):
            return -1
        return data[2] + 9 if len(data) > 2 else 0

    def holds(self, request: bytes) -> bool:
        check = 0xFFFF - sum(request[2:-2]) & 0xFFFF
        return request[-2:] == check.to_bytes(2, "little")

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """Reads and refreshes; no source says what a write is answered with."""
        who, to, command, word = request[3:7]
        if to not in self._sources or command not in (READ, REFRESH):
            return []
        busy_us = max(BUSY_US - t_us % BUSY_EVERY_US, 0)
        if busy_us and self._keeps_until_us[to] == t_us + busy_us:
            return []
        self._keeps_until_us[to] = t_us + busy_us
        start_us = t_us + max(busy_us, REPLY_GAP_US)
        words = xiaomi.stock(self._sources[to].at(t_us), SERIALS[to], 0x0136)
        if command == REFRESH:
            data = xiaomi.payload(words, 0x30, 12)
            return [(start_us, frame(to, who, REFRESH, 0x30, data))]
        data = xiaomi.payload(words, word, request[7])
        return [(start_us, frame(to, who, ANSWER, word, data))]


def read(pack: int, word: int, count: int) -> bytes:
    """A read by the controller."""
    return frame(CONTROLLER, pack, READ, word, bytes((count,)))


class Controller:
    """Asks every pack in turn; while an app reads, for the cells and more."""

    def __init__(self, packs: Sequence[int], story: Story) -> None:
        self.due_us = NEVER_US
        self._packs = packs
        self._story = story
        self._polls = 0
        self._queue: list[Sent] = []
        self._poll_us = 0

    def switched_on(self, t_us: int) -> None:
        self._polls = 0
        first_us = t_us + WAKE_US
        self._poll_us = first_us + STATUS_AFTER_IDENTITY_US
        self._queue = [(first_us, read(pack, 0x10, 18)) for pack in self._packs]
        self.due_us = first_us

    def hear(self, data: bytes) -> None:
        """It asks on, whatever comes."""

    def speak(self, t_us: int) -> list[Sent]:
        due = [sent for sent in self._queue if sent[0] <= t_us]
        self._queue = [sent for sent in self._queue if sent[0] > t_us]
        if not self._queue:
            self._plan(self._poll_us)
            self._poll_us += POLL_US
        self.due_us = self._queue[0][0]
        return due

    def _plan(self, t_us: int) -> None:
        for number, pack in enumerate(self._packs):
            start_us = t_us + number * POLL_US // 2
            self._queue.append((start_us, frame(CONTROLLER, pack, REFRESH, 0x00, b"")))
            self._queue.append((start_us, read(pack, 0x30, 12)))
            if self._polls % xiaomi.APP_EVERY == 1 and self._story.scene(t_us).app_reads_cells:
                delay_us = 40_000
                self._queue.append((start_us + delay_us, read(pack, 0x40, 30)))
                self._queue.append((start_us + delay_us + 30_000, read(pack, 0x1B, 4)))
        self._queue.sort()
        self._polls += 1


_ES = Profile(
    "ES2's internal pack",
    lambda sources, _: Packs({INTERNAL: sources[0]}),
    lambda story, _: Controller((INTERNAL,), story),
    spec=PackSpec(capacity_mah=5200),
    limits=Limits(charge_ma=20_000),
    most_cells=16,
    is_scooter=True,
)
PROFILES = {
    "es2": _ES,
    "es4": replace(
        _ES,
        meaning="internal and external pack",
        make=lambda sources, _: Packs({INTERNAL: sources[0], EXTERNAL: sources[1]}),
        master=lambda story, _: Controller((INTERNAL, EXTERNAL), story),
        packs=2,
    ),
    "max": replace(_ES, meaning="Max G30's pack, 15.3 Ah", spec=PackSpec(capacity_mah=15_300)),
    "bare": replace(
        _ES, meaning="a pack out of the scooter, nobody asks", master=None, is_scooter=False
    ),
}

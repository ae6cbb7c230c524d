"""The wire between a JK board and its Bluetooth module: a command starts it, then it streams
(jk.md 2)."""

from packlab.fake.base import NEVER_US, Fake, Sent
from packlab.fake.checks import sum8
from packlab.fake.families.jk import frames
from packlab.made.board import Limits
from packlab.made.readings import Source

INFO, START = 0x97, 0x96
READY = bytes.fromhex("aa5590ebc8010100000000000000000000000044")

REPLY_GAP_US = 5_000  # no source has measured it
STREAM_US = 1_000_000
SETTINGS_EVERY = 30  # "occasionally"


def command(number: int) -> bytes:
    """20 bytes: what the module, or who takes its place, says."""
    body = b"\xaa\x55\x90\xeb" + bytes((number,)) + bytes(14)
    return body + bytes((sum8(body),))


class Board(Fake):
    """Tells of itself when asked, and streams once it is told to."""

    def __init__(self, source: Source, limits: Limits, *, cells_24: bool) -> None:
        super().__init__()
        self.source = source
        self._limits = limits
        self._cells_24 = cells_24
        self._counter = 0
        self._streamed = 0

    def measure(self, data: bytes) -> int:
        return 20 if b"\xaa\x55\x90\xeb".startswith(data[:4]) else -1

    def holds(self, request: bytes) -> bool:
        return request[-1] == sum8(request[:-1])

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """The logbook (A1) is not played; writes change nothing."""
        now = self.source.at(t_us)
        start_us = t_us + REPLY_GAP_US
        if request[4] == INFO:
            return [(start_us, self._frame(frames.DEVICE, frames.device(now)))]
        if request[4] == START:
            self.due_us = t_us + STREAM_US
            self._streamed = 0
            return [(start_us, self._settings(t_us)), (start_us, READY)]
        return []

    def speak(self, t_us: int) -> list[Sent]:
        self._streamed += 1
        self.due_us = self.due_us + STREAM_US if self.due_us < NEVER_US else NEVER_US
        content = frames.image(frames.live(self.source.at(t_us)), "<", cells_24=self._cells_24)
        sent = [(t_us, self._frame(frames.LIVE, content))]
        if self._streamed % SETTINGS_EVERY == 0:
            sent.append((t_us, self._settings(t_us)))
        return sent

    def _settings(self, t_us: int) -> bytes:
        fields = frames.settings(self.source.at(t_us), self._limits)
        return self._frame(frames.SETTINGS, frames.image(fields, "<"))

    def _frame(self, kind: int, content: bytes) -> bytes:
        self._counter = self._counter + 1 & 0xFF
        return frames.frame(kind, self._counter, content)

"""Brings the black box to flash between two polls of the line, one thing at a time; app.py starts
it as a task of its own, whose trouble is nobody else's. What is recorded recorder.py decides.

While flash is written the processor stands still. So a write waits until an answer has just passed
on the line, which leaves most of the time to the next poll; light and buzzer were set in the round
before.
"""

import asyncio
from struct import pack

from micropython import const

from deckwatch import __version__
from deckwatch.frame import BYTES_IN
from deckwatch.hal.clock import now_ms
from deckwatch.hal.segments import Segments
from deckwatch.memory import BOOTS, SIZE
from deckwatch.outputs import journal
from deckwatch.recorder import Recorder

_LOOK_MS = const(250)
_STEP_MS = const(15)
_GAP_MS = const(30)  # silence after bytes: the answer is over, and the next poll far
_SILENT_MS = const(300)  # nobody polls
_PATIENCE_MS = const(1500)  # a line that never falls silent is written over
_SOON_S = const(10)
_AGAIN_S = const(60)  # after the flash refused
_FULL = const(384)  # bytes at which a batch does not wait
_WINDOW_BYTES = const(502)  # of records at a time for a phone: with their head what a value holds


class Keeper:
    """box: the Segments; recorder: what fills them."""

    def __init__(self, core, names: str, starts) -> None:
        self._core = core
        self.box = Segments()
        self.recorder = Recorder(core, names, starts.boots)
        self._boots = starts.boots
        self._slot = journal.Batch(journal.HEAD_BYTES + SIZE + journal.CRC_BYTES)
        self._due_s = -1  # uptime at which what waits is written; -1: nothing waits
        self._remember_s = [-1] * len(core.packs)
        self._blocked_s = 0
        self._told_refused = 0
        self.recorder.start(starts.cause, starts.failed, __version__)
        if self.box.damaged:
            self.recorder.losses(0, 1)
        for number in range(len(core.packs)):
            self._recall(number)

    def _recall(self, number: int) -> None:
        record = self.box.slot(_memory_slot(number))
        if record:
            kept = bytearray(SIZE)
            payload = record[journal.HEAD_BYTES : -journal.CRC_BYTES]
            kept[: len(payload)] = payload
            self._core.recall(number, kept)
        record = self.box.slot(_checkpoint_slot(number))
        if record:
            self.recorder.recall(number, record, self.box.recent())

    # --- what others tell ---

    def note(self, text: str) -> None:
        """Something the owner did, or that was done to the lock."""
        self.recorder.words(journal.NOTE, text)

    def changed(self, name: str, old, new) -> None:
        """An option has another value."""
        self.recorder.words(journal.CONFIG, "%s\0%s\0%s" % (name, old, new))
        self.recorder.urgent = True

    def window(self, first: int, most: int) -> bytes:
        """Records from number `first` on for a phone: version u8, how many u8, number of the
        oldest u32 and of the next one to come u32, then the records as they lie in flash."""
        records = bytearray(_WINDOW_BYTES)
        count, size = self.box.read(first, most, records)
        head = pack("<BBII", 1, count, self.box.oldest(), self.box.sequence)
        return head + bytes(records[:size])

    def flush(self) -> None:
        """Before a restart on purpose: all that waits, without waiting for a gap."""
        self._append()

    # --- the task ---

    async def run(self) -> None:
        """For ever."""
        while True:
            self.recorder.look(now_ms())
            if self._is_due():
                await self._gap()
                self._write()
            await asyncio.sleep_ms(_LOOK_MS)

    async def _gap(self) -> None:
        """Waits for the end of an answer, or for a line that nobody uses."""
        heard = self._heard()
        waited = quiet = 0
        spoke = False
        while waited < _PATIENCE_MS:
            await asyncio.sleep_ms(_STEP_MS)
            waited += _STEP_MS
            quiet += _STEP_MS
            if self._heard() != heard:
                heard = self._heard()
                quiet = 0
                spoke = True
            if quiet >= (_GAP_MS if spoke else _SILENT_MS):
                return

    def _heard(self) -> int:
        return sum([framer.numbers[BYTES_IN] for framer in self._core.framers if framer])

    def _is_due(self) -> bool:
        """Is there anything to write now?"""
        uptime_s = self._core.uptime_s
        if uptime_s < self._blocked_s:
            return False
        batch = self.recorder.batch
        if batch.size and self._due_s < 0:
            self._due_s = uptime_s + _SOON_S
        if batch.size and (self.recorder.urgent or batch.size >= _FULL):
            self._due_s = uptime_s
        if 0 <= self._due_s <= uptime_s:
            return True
        for log in self.recorder.logs:
            if log.due and not log.lost or log.clear and not batch.size:
                return True
        return self._to_remember() >= 0 or self.box.is_crowded()

    def _to_remember(self) -> int:
        """Number of a pack whose memory is to be stored now, -1 for none."""
        uptime_s = self._core.uptime_s
        for number in range(len(self._remember_s)):
            due = self._core.packs[number].memory.due
            if due and self._remember_s[number] < 0:
                self._remember_s[number] = uptime_s + _SOON_S
            if due > 1 or due and self._remember_s[number] <= uptime_s:
                return number
        return -1

    def _write(self) -> None:
        """One thing, the most urgent."""
        if 0 <= self._due_s <= self._core.uptime_s:
            self._append()
            return
        logs = self.recorder.logs
        for number in range(len(logs)):
            if logs[number].due and not logs[number].lost:
                self._checkpoint(number)
                return
        number = self._to_remember()
        if number >= 0:
            self._remember(number)
            return
        for number in range(len(logs)):
            if logs[number].clear and not self.recorder.batch.size:
                logs[number].clear = False
                self.box.empty(_checkpoint_slot(number))
                return
        self.box.drop()

    def _append(self) -> None:
        batch = self.recorder.batch
        if not batch.size:
            self._due_s = -1
        elif self.box.append(batch.buf, batch.size):
            batch.clear()
            self._due_s = -1
            self.recorder.urgent = False
            self._tell_losses()
        else:
            self._blocked_s = self._core.uptime_s + _AGAIN_S

    def _tell_losses(self) -> None:
        """The flash takes records again: how many it did not take."""
        refused = self.box.refused - self._told_refused
        if refused or self.recorder.batch.lost:
            self._told_refused = self.box.refused
            self.recorder.losses(refused, 0)

    def _checkpoint(self, number: int) -> None:
        log = self.recorder.logs[number]
        log.checkpoint(self._stamped(), now_ms())
        log.clear = False
        self._keep(_checkpoint_slot(number))

    def _remember(self, number: int) -> None:
        memory = self._core.packs[number].memory
        memory.due = 0
        self._remember_s[number] = -1
        memory.kept[BOOTS] = self._boots
        kept = bytearray(SIZE)
        memory.write(kept)
        self._stamped().data(journal.MEMORY, number + 1, bytes(kept).rstrip(b"\0"))
        self._keep(_memory_slot(number))

    def _stamped(self):
        """The batch for the one record of a slot, which knows what time it is."""
        slot = self._slot
        slot.boot = self._boots
        slot.uptime_s = self._core.uptime_s
        slot.wall_s = self._core.wall_s
        return slot

    def _keep(self, name: str) -> None:
        if not self.box.keep(name, self._slot.buf, self._slot.size):
            self._blocked_s = self._core.uptime_s + _AGAIN_S
        self._slot.clear()


def _checkpoint_slot(number: int) -> str:
    return "ride%d" % (number + 1)


def _memory_slot(number: int) -> str:
    return "pack%d" % (number + 1)

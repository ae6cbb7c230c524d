"""Days of riding on LittleFS in RAM with the geometry of a 4 MB chip: what the black box erases
and programs. tools/measure/wear.py runs this on the unix port, and calculates years and stalls.

Arguments: days, and files of the firmware beside it, in KB. A day is PATTERN. Prints, as words and
numbers: writes, erases, most of one block, then of the steps that take the longest, by erases: how
many times, and the most that one of them programs (calls of at most 128 bytes).
"""

import os
import sys

import vfs
from deckwatch.hal.segments import Segments
from deckwatch.memory import SIZE
from deckwatch.outputs import journal
from nor_flash import NorFlash

BLOCKS = 512
BLOCK_BYTES = 4096
# Of a day: starts, minutes of riding, seconds between checkpoints, load that comes or goes in a
# minute, hours of charging, changes of alerts, alarms, times a memory is stored
PATTERN = (4, 60, 10, 6, 4, 12, 2, 24)
CELLS = 10  # in series; the memory of more than 14 groups takes a block of its own
_CHARGE_EVERY_S = 300


class Counted(NorFlash):
    """Counts calls that program, too."""

    programs = 0

    def writeblocks(self, block, buf, offset=0):
        self.programs += 1
        super().writeblocks(block, buf, offset)


class Days:
    def __init__(self, flash):
        self.flash = flash
        self.box = Segments()
        self.batch = journal.Batch(768)
        self.slot = journal.Batch(journal.HEAD_BYTES + SIZE + journal.CRC_BYTES)
        self.times = {}
        self.most = {}
        self.writes = 0

    def step(self, write, *args):
        erases = sum(self.flash.erases)
        programs = self.flash.programs
        assert write(*args) is not False
        self.writes += 1
        erases = sum(self.flash.erases) - erases
        programs = self.flash.programs - programs
        self.times[erases] = self.times.get(erases, 0) + 1
        self.most[erases] = max(self.most.get(erases, 0), programs)

    def keep(self, slot, kind, size):
        self.slot.clear()
        self.slot.data(kind, 1, bytes([self.writes & 0xFF] * size))
        self.step(self.box.keep, slot, self.slot.buf, self.slot.size)

    def append(self, *records):
        self.batch.clear()
        for kind, size in records:
            self.batch.data(kind, 1, bytes([self.writes & 0xFF] * size))
        self.step(self.box.append, self.batch.buf, self.batch.size)
        if self.box.is_crowded():
            self.step(self.box.drop)

    def checkpoint(self):
        self.keep("ride1", journal.CHECKPOINT, journal.CHECKPOINT_BYTES)

    def day(self):
        starts, ride_min, every_s, loads, charge_h, alerts, alarms, memories = PATTERN
        for _ in range(starts):
            self.append((journal.BOOT, 8))
        for _ in range(ride_min * 60 // every_s):
            self.checkpoint()
        for _ in range(ride_min * loads):
            self.checkpoint()
        for _ in range(charge_h * 3600 // _CHARGE_EVERY_S):
            self.checkpoint()
        for _ in range(memories):
            self.keep("pack1", journal.MEMORY, SIZE - 2 * (32 - CELLS))
        for _ in range(starts):
            self.append((journal.RIDE, journal.SPAN_BYTES))
            self.step(self.box.empty, "ride1")
        for _ in range(alerts):
            self.append((journal.ALERT, journal.ALERT_BYTES))
        for _ in range(alarms):
            trace = (journal.TRACE, 1 + journal.TRACE_ROWS * journal.ROW_BYTES)
            self.append((journal.ALERT, journal.ALERT_BYTES), trace, trace, trace)
            self.append(trace)


def main(days, firmware_kb):
    flash = Counted(BLOCKS, BLOCK_BYTES)
    vfs.VfsLfs2.mkfs(flash)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(flash), "/")
    os.chdir("/")
    os.mkdir("app1")
    for number in range(firmware_kb // 8):
        with open("app1/%d.mpy" % number, "wb") as file:
            file.write(bytes(8192))
    flash.erases = [0] * BLOCKS
    lived = Days(flash)
    for _ in range(days):
        lived.day()
    print("writes", lived.writes)
    print("erases", sum(flash.erases))
    print("worst", max(flash.erases))
    for erases in sorted(lived.times):
        print("step", erases, lived.times[erases], lived.most[erases])


main(int(sys.argv[1]), int(sys.argv[2]))

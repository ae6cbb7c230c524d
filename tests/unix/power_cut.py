"""Cuts the supply at every byte of a step of the black box or the configuration file, on LittleFS
in RAM, and looks what the next start finds.

Arguments: the step, one of STEPS, and the size of a block. Prints how many bytes the step has
written, after how many cuts it was not done and after how many it was; any loss ends it with an
AssertionError.
"""

import os
import sys

import vfs
from nor_flash import NorFlash

sys.modules["esp32"] = type("esp32", (), {"NVS": None})

from deckwatch.hal import segments, store  # noqa: E402
from deckwatch.outputs import journal  # noqa: E402

_BLOCKS = 32
# With 1024 a slot's 128 bytes are still kept inline, and there are fewer bytes to cut
_BLOCK_BYTES = int(sys.argv[2])
flash = NorFlash(_BLOCKS, _BLOCK_BYTES)
window = bytearray(20000)


def mount(left=None):
    """The supply comes (for so many bytes): files that were open are so no more."""
    global flash
    flash.gone = True
    flash = NorFlash(_BLOCKS, _BLOCK_BYTES, flash.data)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(flash), "/")
    flash.left = left
    os.chdir("/")


def box(most=32):
    return segments.Segments(_BLOCK_BYTES, most)


def batch(words, notes=3):
    made = journal.Batch(600)
    for number in range(notes):
        made.text(journal.NOTE, "%s %d of several words, as long as most are" % (words, number))
    return made


def kept(box):
    """The words of all records, oldest first."""
    count, size = box.read(0, 1000, window)
    at = 0
    found = []
    last = 0
    while at < size:
        assert journal.is_whole(window, at, size)
        number = journal.sequence_of(window, at)
        assert number > last, "numbers go up"
        last = number
        end = at + journal.HEAD_BYTES + window[at + 1]
        found.append(bytes(window[at + journal.HEAD_BYTES : end]).decode())
        at = end + journal.CRC_BYTES
    assert len(found) == count
    return found


def words(made):
    at = 0
    found = []
    while at < made.size:
        end = at + journal.HEAD_BYTES + made.buf[at + 1]
        found.append(bytes(made.buf[at + journal.HEAD_BYTES : end]).decode())
        at = end + journal.CRC_BYTES
    return found


# --- the steps: before() once, then step() is cut; look() gives the state found ------------------


class Append:
    """A batch goes to a segment that is full to so many tenths, or begins another."""

    def __init__(self, tenths):
        self.bytes = tenths * _BLOCK_BYTES // 10
        self.new = batch("new")

    def before(self):
        made = batch("old")
        while self.bytes >= made.size:
            assert box().append(made.buf, made.size)
            self.bytes -= made.size

    def step(self):
        assert box().append(self.new.buf, self.new.size)

    def look(self):
        return kept(box())


class Torn(Append):
    """Wrong: half of the batch is committed apart."""

    def step(self):
        half = batch("new", 1)
        assert box().append(half.buf, half.size)
        super().step()


class Drop(Append):
    """The oldest segment goes."""

    def step(self):
        assert box(2).drop()


class Slot:
    """The record of a slot takes the place of another, or is the first."""

    def __init__(self, there):
        self.there = there

    def put(self, text):
        made = journal.Batch(128)
        made.text(journal.CHECKPOINT, text)
        assert box().keep("pack1", made.buf, made.size)

    def before(self):
        os.mkdir("journal")
        if self.there:
            self.put("the former one, which is as long as a checkpoint can be, or nearly so " * 2)

    def step(self):
        self.put("new")

    def look(self):
        return box().slot("pack1")[journal.HEAD_BYTES : -journal.CRC_BYTES]


class Config:
    """The owner's options are replaced, or the first ones written."""

    def __init__(self, there):
        self.there = there

    def before(self):
        if self.there:
            store.write_config({"profile": "m365", "cell_high_warn_mv": 4180, "design_mah": 7800})

    def step(self):
        store.write_config({"profile": "happy", "series": 13, "design_mah": 12800, "packs": 2})

    def look(self):
        return sorted(store.read_config().items())


class Removed(Config):
    """Wrong: the former file goes first."""

    def step(self):
        os.remove(store.CONFIG)
        super().step()


class Good(Config):
    """The copy of the last good options is renewed; what is in force is not touched."""

    def before(self):
        store.write_config({"series": 13})
        store.keep_good_config({"series": 10})

    def step(self):
        assert store.keep_good_config({"series": 13})

    def look(self):
        assert store.read_config() == {"series": 13}
        return store.good_config()


STEPS = {
    "append": Append(5),
    "segment": Append(10),
    "first": Append(0),
    "torn": Torn(5),
    "drop": Drop(25),
    "slot": Slot(True),
    "first slot": Slot(False),
    "config": Config(True),
    "first config": Config(False),
    "removed": Removed(True),
    "good": Good(True),
}


def main(name):
    subject = STEPS[name]
    vfs.VfsLfs2.mkfs(flash)
    mount()
    subject.before()
    old = subject.look()
    image = bytes(flash.data)
    done = flash.programmed + sum(flash.erases)
    subject.step()
    total = flash.programmed + sum(flash.erases) - done
    new = subject.look()
    assert new != old
    results = [0, 0]
    for cut in range(total + 1):
        flash.data[:] = image
        mount(cut)
        said = True
        try:
            subject.step()
        except (AssertionError, OSError):
            said = False
        mount()  # the next start
        found = subject.look()
        assert found in (old, new), "cut at byte %d of %d: %s" % (cut, total, found)
        assert found == new or not said, "cut at byte %d: said to be kept, and lost" % cut
        results[found == new] += 1
        more = batch("more")  # and it goes on
        assert box().append(more.buf, more.size)
        assert kept(box())[-3:] == words(more)
        store.write_config({"series": 11})
        assert store.read_config() == {"series": 11}
    print(total, results[0], results[1])


main(sys.argv[1])

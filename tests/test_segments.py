"""The black box in flash: what is in it after any damage, how old segments go, and that nothing is
lost when the supply goes at any byte (LittleFS in RAM, on the unix port)."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, MicroPython
from deckwatch.hal import segments
from deckwatch.hal.segments import Segments
from deckwatch.outputs import journal as layout
from deckwatch.outputs.journal import Batch
from packlab.journal.records import parse

CUT = ROOT / "tests" / "unix" / "power_cut.py"
FOLDERS = (ROOT / "firmware", ROOT / "boards" / "BENCH")
NOTE = 4 + layout.HEAD_BYTES + layout.CRC_BYTES  # bytes of one with four letters


@pytest.fixture(autouse=True)
def flash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the black box."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / segments.FOLDER


def put(box: Segments, *words: str) -> bool:
    made = Batch(4096)
    for word in words:
        made.text(layout.NOTE, word)
    return box.append(made.buf, made.size)


def read(box: Segments, first: int = 0, most: int = 1000, room: int = 10_000) -> list[str]:
    window = bytearray(room)
    count, size = box.read(first, most, window)
    journal = parse([bytes(window[:size])])
    assert len(journal.records) == count
    assert journal.damaged == 0
    return [record.fields["text"] for record in journal.records]


def small(segments: int = 3) -> Segments:
    """Segments of four notes."""
    return Segments(4 * NOTE, segments)


# --- appending and reading -----------------------------------------------------------------------


def test_numbers_go_on_after_a_start(flash: Path) -> None:
    assert put(small(), "aaaa", "bbbb")
    assert put(small(), "cccc")
    box = small()
    assert (box.sequence, box.damaged, box.oldest()) == (4, False, 1)
    assert read(box) == ["aaaa", "bbbb", "cccc"]
    assert [path.name for path in flash.iterdir()] == ["1.log"]


def test_a_batch_that_does_not_fit_begins_a_segment(flash: Path) -> None:
    box = small()
    put(box, "aaaa", "bbbb", "cccc")
    put(box, "dddd", "eeee")
    put(box, "ffff")
    assert sorted(path.name for path in flash.iterdir()) == ["1.log", "4.log"]
    assert read(small()) == ["aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff"]


def test_the_oldest_goes_whole_and_in_a_step_of_its_own(flash: Path) -> None:
    box = small(2)
    for word in ("aaaa", "bbbb", "cccc"):
        put(box, word, word, word)
    assert len(list(flash.iterdir())) == 3
    assert box.drop() is True
    assert box.drop() is False
    assert sorted(path.name for path in flash.iterdir()) == ["4.log", "7.log"]
    assert (box.oldest(), read(box)) == (4, ["bbbb"] * 3 + ["cccc"] * 3)


def test_a_window_begins_and_ends_where_it_is_told_to() -> None:
    box = small(9)
    words = [f"n{number:03}" for number in range(1, 31)]
    for word in words:
        put(box, word)
    for first in range(1, 32):
        assert read(box, first) == words[first - 1 :]
        assert read(box, first, 5) == words[first - 1 : first + 4]
        assert read(box, first, 5, 2 * NOTE + NOTE - 1) == words[first - 1 : first + 1]
    assert read(box, 32) == []
    assert read(Segments(), 1) == words


def test_an_empty_flash_has_nothing_to_tell() -> None:
    box = Segments()
    assert (box.sequence, box.oldest(), read(box), list(box.recent())) == (1, 1, [], [])
    assert box.slot("pack1") == b""
    assert box.drop() is False


def test_the_recent_records_are_those_of_the_last_two_segments() -> None:
    box = small(9)
    for word in ("aaaa", "bbbb", "cccc"):
        put(box, word, word, word)
    found = [bytes(record[layout.HEAD_BYTES :][:4]) for record in small().recent()]
    assert found == [b"bbbb"] * 3 + [b"cccc"] * 3


# --- slots ---------------------------------------------------------------------------------------


def test_a_slot_holds_the_last_record_whole_or_none(flash: Path) -> None:
    box = Segments()
    put(box, "aaaa")
    for word in ("longer than the next", "new"):
        made = Batch(128)
        made.text(layout.NOTE, word)
        assert box.keep("pack1", made.buf, made.size)
        (record,) = parse([Segments().slot("pack1")]).records
        assert (record.fields["text"], record.sequence) == (word, 2)
    assert (box.sequence, read(Segments())) == (2, ["aaaa"])
    data = (flash / "pack1").read_bytes()
    for damage in (b"", data[:-1], data[:10] + b"?" + data[11:]):
        (flash / "pack1").write_bytes(damage)
        assert Segments().slot("pack1") == b""
    box.empty("pack1")
    box.empty("pack1")
    assert not (flash / "pack1").exists()


# --- damage --------------------------------------------------------------------------------------


def test_damage_anywhere_in_the_newest_segment_costs_no_number_twice(flash: Path) -> None:
    put(small(), "aaaa", "bbbb", "cccc", "dddd")
    put(small(), "eeee", "ffff", "gggg")
    newest = flash / "5.log"
    whole = newest.read_bytes()
    for at in range(len(whole)):
        newest.write_bytes(whole[:at] + bytes((whole[at] ^ 0x10,)) + whole[at + 1 :])
        box = small()
        assert box.damaged is True
        assert box.sequence > 7, at
        assert put(box, "hhhh")
        journal = parse(path.read_bytes() for path in flash.iterdir())
        assert [record.fields["text"] for record in journal.records][-1] == "hhhh"
        assert len(journal.records) == 7
        assert journal.damaged == 1
        later = small()
        assert (later.damaged, later.sequence) == (False, box.sequence)
        (flash / f"{box.sequence - 1}.log").unlink()


def test_a_cut_off_end_is_left_alone(flash: Path) -> None:
    put(small(), "aaaa", "bbbb")
    (flash / "1.log").write_bytes((flash / "1.log").read_bytes()[:-3])
    box = small()
    assert box.damaged is True
    assert put(box, "cccc")
    assert len(list(flash.iterdir())) == 2
    assert read(small()) == ["aaaa", "cccc"]


def test_other_files_are_no_segments(flash: Path) -> None:
    flash.mkdir()
    for name in ("pack1", "x.log", ".log", "7.txt", "config.json"):
        (flash / name).write_bytes(b"\xa6anything")
    box = small()
    assert (box.sequence, box.damaged) == (1, False)
    assert put(box, "aaaa")
    assert read(small()) == ["aaaa"]


# --- a flash that does not take it ---------------------------------------------------------------


class Refusing:
    """open() as a flash has it that is full or worn: refuses so many times."""

    def __init__(self, number: int, times: int) -> None:
        self.number = number
        self.times = times
        self.open: Callable[..., Any] = open

    def __call__(self, path: str, mode: str) -> Any:
        if mode != "rb" and self.times:
            self.times -= 1
            raise OSError(self.number, "refused")
        return self.open(path, mode)


def refuse(monkeypatch: pytest.MonkeyPatch, number: int, times: int) -> Refusing:
    refusing = Refusing(number, times)
    monkeypatch.setattr(segments, "open", refusing, raising=False)
    return refusing


def test_a_full_flash_costs_the_oldest_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    box = small(9)
    for word in ("aaaa", "bbbb", "cccc"):
        put(box, word, word, word)
    refuse(monkeypatch, errno.ENOSPC, 1)
    assert put(box, "dddd")
    assert (box.refused, box.oldest()) == (1, 4)
    assert read(small(9)) == ["bbbb"] * 3 + ["cccc"] * 3 + ["dddd"]


def test_a_flash_that_stays_full_keeps_the_newest_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    box = small(9)
    put(box, "aaaa", "aaaa", "aaaa")
    put(box, "bbbb", "bbbb", "bbbb")
    refusing = refuse(monkeypatch, errno.ENOSPC, 2)
    assert put(box, "cccc", "cccc") is False
    assert read(small()) == ["bbbb"] * 3
    refusing.times = 0
    assert put(box, "dddd")
    assert read(small()) == ["bbbb"] * 3 + ["dddd"]


def test_a_worn_flash_is_tried_again_elsewhere(
    flash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = small(9)
    put(box, "aaaa")
    refusing = refuse(monkeypatch, errno.EIO, 3)
    for refused in (1, 2, 3):
        assert put(box, "bbbb") is False
        assert box.refused == refused
    assert refusing.times == 0
    assert put(box, "cccc")
    assert sorted(path.name for path in flash.iterdir()) == ["1.log", "2.log"]
    assert read(small(9)) == ["aaaa", "cccc"]


# --- LittleFS ------------------------------------------------------------------------------------


def cut(micropython64: MicroPython, step: str, block_bytes: int = 1024) -> tuple[int, int, int]:
    said = micropython64.run(CUT, step, str(block_bytes), heapsize="4m", folders=FOLDERS)
    # files that were open at a cut, and are collected later, say so before the last line
    written, not_done, done = map(int, said.splitlines()[-1].split())
    return written, not_done, done


STEPS = (
    "append", "segment", "first", "drop", "slot", "first slot", "config", "first config", "good",
)  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_power_cut_at_any_byte_loses_nothing(step: str, micropython64: MicroPython) -> None:
    """Of a batch, a change of segments, a slot and a configuration file; every start goes on."""
    written, not_done, done = cut(micropython64, step)
    assert written >= 32
    assert not_done + done == written + 1
    assert not_done > 0
    assert done > 0


@pytest.mark.parametrize("step", ["torn", "removed"])
def test_a_loss_would_be_seen(step: str, micropython64: MicroPython) -> None:
    with pytest.raises(AssertionError, match="cut at byte"):
        cut(micropython64, step)


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS)
def test_a_power_cut_at_any_byte_of_the_chips_own_blocks(
    step: str, micropython64: MicroPython
) -> None:
    written, not_done, done = cut(micropython64, step, 4096)
    assert not_done + done == written + 1


TROUBLE = """
import os, vfs
from nor_flash import NorFlash
from deckwatch.hal.segments import Segments
from deckwatch.outputs import journal
flash = NorFlash(24, 4096)
vfs.VfsLfs2.mkfs(flash)
vfs.mount(vfs.VfsLfs2(flash), "/")
os.chdir("/")
batch = journal.Batch(1000)
for n in range(12):
    batch.text(journal.NOTE, "a note of forty letters, more or less")
box = Segments()
def put():
    return box.append(batch.buf, batch.size)
"""


def test_littlefs_that_is_full_goes_on_with_the_newest(micropython: MicroPython) -> None:
    code = TROUBLE + (
        "for n in range(200):\n"
        "    assert put(), n\n"
        "again = Segments()\n"
        "window = bytearray(100000)\n"
        "count, size = again.read(0, 10000, window)\n"
        "print(box.refused > 0, again.damaged, again.sequence, count, again.oldest())\n"
    )
    refused, damaged, sequence, count, oldest = micropython.execute(code, "1m", FOLDERS).split()
    assert (refused, damaged, sequence) == ("True", "False", "2401")
    assert int(count) == 2401 - int(oldest)
    assert int(count) >= 600


def test_littlefs_on_a_worn_flash_is_read_and_refused_to_write(micropython: MicroPython) -> None:
    code = TROUBLE + (
        "print(put(), put())\n"
        "flash.worn = True\n"
        "print(put(), put(), box.keep('pack1', batch.buf, 59), box.refused)\n"
        "print(Segments().sequence)\n"
        "flash.worn = False\n"
        "print(put(), Segments().sequence)\n"
    )
    said = micropython.execute(code, "1m", FOLDERS).splitlines()
    assert said == ["True True", "False False False 3", "25", "True 37"]

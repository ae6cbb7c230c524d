"""What outlives a power-off: the bytes it is stored as, and a line of time that knows what it does
not know."""

from typing import Any

import pytest
from conftest import MicroPython
from deckwatch import config
from deckwatch import memory as layout
from deckwatch.memory import (
    BOOTS,
    CHARGE_MOST_MA,
    CHARGE_S,
    EPOCH_S,
    FIELDS,
    REST_MV,
    REST_S,
    SIZE,
    WALL_S,
    Memory,
)
from deckwatch.pipeline import Pipeline
from deckwatch.telemetry import MAX_CELLS

IN_2026 = 1_795_000_000
APRIL_2024 = EPOCH_S + (1 << 27)


def core(**options: Any) -> Pipeline:
    return Pipeline(config.load(options), None, strict=True)


def stored(memory: Memory) -> bytearray:
    buf = bytearray(SIZE)
    memory.write(buf)
    return buf


# --- bytes ---------------------------------------------------------------------------------------


def test_nothing_is_known_at_first() -> None:
    memory = Memory()
    assert list(memory.kept) == [0] * len(FIELDS)
    assert (memory.cells, memory.due, set(memory.cell_mv)) == (0, 0, {0})


def test_every_field_has_its_place() -> None:
    assert [getattr(layout, name.upper()) for name in FIELDS] == list(range(len(FIELDS)))


def test_every_field_and_every_cell_comes_back() -> None:
    memory = Memory()
    memory.shift(200_000_000)
    for number in range(len(FIELDS)):
        memory.kept[number] = (1 << 27) + 7919 * number
    for cell in range(MAX_CELLS):
        memory.cell_mv[cell] = 3700 + 300 * cell % 65536
    memory.cells = MAX_CELLS
    again = Memory()
    assert again.read(stored(memory)) is True
    assert again.kept[WALL_S] == 200_000_001
    assert list(again.kept[1:]) == [(1 << 27) + 7919 * number for number in range(1, len(FIELDS))]
    assert (again.cells, again.cell_mv) == (memory.cells, memory.cell_mv)


@pytest.mark.parametrize("value", [0, 1, -1, 255, 256, -256, (1 << 30) - 1, -(1 << 30)])
def test_a_field_holds_what_the_core_counts(value: int) -> None:
    memory = Memory()
    memory.kept[CHARGE_MOST_MA] = value
    again = Memory()
    again.read(stored(memory))
    assert again.kept[CHARGE_MOST_MA] == value


def test_layout() -> None:
    memory = Memory()
    memory.kept[BOOTS] = 0x01020304
    memory.cell_mv[MAX_CELLS - 1] = 0x1234
    memory.cells = 10
    buf = stored(memory)
    assert len(buf) == SIZE
    assert (bytes(buf[:2]), bytes(buf[6:10])) == (b"\2\x0a", b"\4\3\2\1")
    assert bytes(buf[-2:]) == b"\x34\x12"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda buf: buf[:-1],
        lambda buf: b"\0" + buf[1:],
        lambda buf: b"\1" + buf[1:],
        lambda buf: b"\3" + buf[1:],
        lambda buf: buf[:1] + bytes([MAX_CELLS + 1]) + buf[2:],
    ],
    ids=["short", "empty", "former version", "later version", "more cells than there can be"],
)
def test_bytes_of_another_kind_change_nothing(spoil: Any) -> None:
    memory = Memory()
    memory.kept[REST_MV] = 41000
    buf = stored(memory)
    memory.kept[REST_MV] = 39000
    assert memory.read(spoil(buf)) is False
    assert memory.kept[REST_MV] == 39000


def test_a_longer_buffer_will_do() -> None:
    buf = bytearray(SIZE + 10)
    memory = Memory()
    memory.kept[REST_MV] = 41000
    memory.write(buf)
    assert Memory().read(buf) is True
    assert not any(buf[SIZE:])


def test_writing_takes_no_byte_of_heap(micropython32: MicroPython) -> None:
    said = micropython32.execute(
        "import micropython\n"
        "from deckwatch.memory import CHARGE_MOST_MA, REST_S, WALL_S, Memory, SIZE\n"
        "memory = Memory(); buf = bytearray(SIZE)\n"
        "memory.shift(200000000)\n"
        "memory.kept[CHARGE_MOST_MA] = -44000; memory.kept[REST_S] = 200000000\n"
        "micropython.heap_lock()\n"
        "memory.write(buf); memory.want(2); memory.since_s(memory.kept[REST_S])\n"
        "micropython.heap_unlock()\n"
        "other = Memory()\n"
        "kept = other.kept\n"
        "print(other.read(buf), kept[CHARGE_MOST_MA], kept[WALL_S], kept[REST_S])\n"
    )
    assert said.split() == ["True", "-44000", "200000001", "200000000"]


def test_the_more_urgent_wish_stands() -> None:
    memory = Memory()
    for due, wanted in ((1, 1), (2, 2), (1, 2)):
        memory.want(due)
        assert memory.due == wanted


# --- time ----------------------------------------------------------------------------------------


def test_times_of_one_start_compare_without_a_clock() -> None:
    memory = Memory()
    memory.kept[REST_S] = memory.now_s
    memory.now_s += 3600
    assert memory.since_s(memory.kept[REST_S]) == 3600
    assert memory.since_s(0) == -1


def test_times_of_this_start_move_to_the_wall_clock_once_it_is_known() -> None:
    memory = Memory()
    memory.kept[REST_S] = memory.now_s
    memory.now_s += 100
    memory.kept[CHARGE_S] = 0
    memory.shift(205_000_000)
    assert memory.since_s(memory.kept[REST_S]) == 100
    assert memory.kept[CHARGE_S] == 0
    assert stored(memory)[2:6] == (205_000_101).to_bytes(4, "little")


def test_stored_times_of_an_unknown_clock_are_not_known() -> None:
    memory = Memory()
    memory.kept[REST_S] = memory.now_s
    again = Memory()
    again.read(stored(memory))
    assert (again.kept[WALL_S], again.kept[REST_S]) == (0, 0)


def test_a_span_over_a_power_off_needs_the_clock_on_both_sides() -> None:
    memory = Memory()
    memory.shift(205_000_000)
    memory.kept[REST_S] = memory.now_s
    again = Memory()
    again.read(stored(memory))
    assert again.since_s(again.kept[REST_S]) == -1
    again.shift(205_000_000 + 86_400 * 9)
    assert again.since_s(again.kept[REST_S]) == 86_400 * 9


def test_a_clock_that_was_set_back_makes_no_negative_span() -> None:
    memory = Memory()
    memory.shift(205_000_000)
    memory.kept[REST_S] = memory.now_s
    memory.shift(-500)
    assert memory.since_s(memory.kept[REST_S]) == 0


# --- in the pipeline -----------------------------------------------------------------------------


def test_pipeline_counts_seconds_with_and_without_a_clock() -> None:
    pipeline = core()
    memory = pipeline.packs[0].memory
    pipeline.tick(0)
    pipeline.tick(7300)
    assert (memory.now_s, pipeline.wall_s) == (8, 0)
    assert pipeline.clock(IN_2026, 9400) is True  # 2 s after the last round
    pipeline.tick(9400)
    assert pipeline.wall_s == memory.now_s == IN_2026 - EPOCH_S
    pipeline.tick(19_000)
    assert pipeline.wall_s == memory.now_s == IN_2026 - EPOCH_S + 10


def test_pipeline_takes_the_clock_before_it_starts() -> None:
    pipeline = core()
    assert pipeline.clock(IN_2026, 123) is True
    pipeline.tick(5000)
    pipeline.tick(6000)
    assert pipeline.wall_s == pipeline.packs[0].memory.now_s == IN_2026 - EPOCH_S + 1


def test_clock_that_was_set_right_goes_on_right() -> None:
    pipeline = core()
    pipeline.tick(0)
    pipeline.clock(IN_2026, 0)
    pipeline.clock(IN_2026 + 50, 0)
    pipeline.tick(1000)
    assert pipeline.wall_s == pipeline.packs[0].memory.now_s == IN_2026 + 51 - EPOCH_S


@pytest.mark.parametrize("unix_s", [0, EPOCH_S, APRIL_2024 - 1])
def test_time_that_cannot_be_true_is_refused(unix_s: int) -> None:
    pipeline = core()
    assert pipeline.clock(unix_s, 0) is False
    assert (pipeline.wall_s, pipeline.packs[0].memory.now_s) == (0, 1)
    assert pipeline.clock(APRIL_2024, 0) is True


def test_each_pack_remembers_for_itself() -> None:
    pipeline = core(profile="ninebot")
    memory = Memory()
    memory.kept[REST_MV] = 40500
    assert pipeline.recall(1, stored(memory)) is True
    assert [pack.memory.kept[REST_MV] for pack in pipeline.packs] == [0, 40500]
    assert pipeline.recall(0, b"") is False

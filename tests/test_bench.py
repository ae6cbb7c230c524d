"""The benchmark's parts give figures that can be trusted: repeatable, in the order they must have,
from the frames they claim."""

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT, MicroPython
from deckwatch.index import PROTOCOLS
from packlab.errors import PacklabError

from tools.compiled import architecture, compile_folder
from tools.measure import heap, hour, instructions, wear
from tools.measure.families import Family, families

REAL = Path(__file__).parent / "data" / "captures" / "m365_standing.cap"


@pytest.fixture(scope="module")
def xiaomi() -> Family:
    (family,) = [family for family in families() if family.name == "xiaomi"]
    return family


def test_every_family_is_measured_with_frames_that_bring_it_values() -> None:
    found = {family.name: family for family in families()}
    assert set(found) == set(PROTOCOLS)
    assert found["xiaomi"].profile == "m365"
    assert all(frame.startswith("55aa") for frame in found["xiaomi"].frames)
    assert "55aa0e2501300100710e2f0003000a0e2b2b7bfe" in found["xiaomi"].frames
    assert "55aa032201300c9dff" not in found["xiaomi"].frames  # a question brings no values
    assert all(frame.startswith("5aa5") for frame in found["ninebot"].frames)


# --- instructions --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counter(
    micropython64: MicroPython, tmp_path_factory: pytest.TempPathFactory
) -> instructions.Counter:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    folder = tmp_path_factory.mktemp("x64")
    command = micropython64.interpreter.command
    for source in ("firmware", "boards/BENCH"):
        compile_folder(ROOT / source, folder, architecture(command))
    return instructions.Counter(command, (folder,))


def test_instructions_a_byte_do_not_depend_on_how_often(
    counter: instructions.Counter, xiaomi: Family
) -> None:
    few, many = counter.per_byte(xiaomi, 2), counter.per_byte(xiaomi, 6)
    assert few.round_bytes == many.round_bytes == sum(len(f) // 2 for f in xiaomi.frames)
    # What is left of start-up or of the first round would show.
    assert few.feed == pytest.approx(many.feed, rel=0.02)
    assert few.plain == pytest.approx(many.plain, rel=0.02)
    # The floor lies below, and machine code below bytecode.
    assert 0 < many.check < many.plain < many.feed


def test_frames_that_the_core_cannot_take_are_an_error(counter: instructions.Counter) -> None:
    with pytest.raises(PacklabError, match=r"^morse's frames: valgrind could not run .*morse"):
        counter.per_byte(Family("morse", "m365", ("55aa",)))


def test_without_valgrind_the_remedy_is_named(
    xiaomi: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        PacklabError, match=r"^xiaomi's frames: valgrind is not installed; .*apt install valgr"
    ):
        instructions.Counter(["micropython"], ()).per_byte(xiaomi)


# --- heap ----------------------------------------------------------------------------------------


def test_heap_in_place_saves_the_bytecode_and_nothing_of_the_objects(
    micropython32: MicroPython, compiled: Path, xiaomi: Family, tmp_path: Path
) -> None:
    if micropython32.execute("import vfs; print(hasattr(vfs, 'VfsRom'))") == "False\n":
        pytest.skip("this MicroPython runs nothing in place from ROM; 1.25 does")
    shutil.copytree(compiled / "deckwatch", tmp_path / "rom" / "deckwatch")
    (tmp_path / "bench").mkdir()
    for name in ("heap_load", "in_place"):
        shutil.copy(compiled / f"{name}.mpy", tmp_path / "bench")
    heap.rom_image(tmp_path / "rom", tmp_path / "rom.img")
    command = micropython32.interpreter.command
    copied = heap.measure(command, (compiled,), xiaomi)
    in_place = heap.measure(command, (tmp_path / "bench",), xiaomi, tmp_path / "rom.img")
    assert in_place.modules < 0.8 * copied.modules
    assert in_place.objects == pytest.approx(copied.objects, rel=0.05)
    assert copied.total == copied.modules + copied.objects
    assert in_place.total > 8 * 1024  # framers and telemetry alone hold more than half of that


def test_a_family_that_cannot_be_loaded_is_an_error(
    micropython32: MicroPython, compiled: Path
) -> None:
    with pytest.raises(PacklabError, match=r"^morse could not be loaded: .*morse"):
        heap.measure(micropython32.interpreter.command, (compiled,), Family("morse", "m365", ()))


# --- the hour ------------------------------------------------------------------------------------


def test_the_hour_keeps_the_recorded_rhythm_across_its_seams() -> None:
    chunks = list(hour.repeated(REAL, 60))
    assert chunks[0].t_us == 0
    assert 59_700_000 < chunks[-1].t_us <= 60_000_000
    assert all(a.t_us <= b.t_us for a, b in pairwise(chunks))
    polls = [chunk for chunk in chunks if chunk.port == "host_tx"]
    assert {chunk.data.hex() for chunk in polls} == {"55aa032201300c9dff"}
    assert {209_500 <= b.t_us - a.t_us <= 209_570 for a, b in pairwise(polls)} == {True}
    assert 0 <= len(polls) - (len(chunks) - len(polls)) <= 1  # each is answered


# --- all of it -----------------------------------------------------------------------------------


@pytest.mark.soak
def test_the_benchmark_prints_every_part(
    micropython64: MicroPython, micropython32: MicroPython
) -> None:
    del micropython64, micropython32  # only that there are both
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "bench.py")],
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    for family in PROTOCOLS:
        assert rows.count(family) == (2 if shutil.which("valgrind") else 1)
    assert {"unix", "unix32", "cpython"} <= set(rows)


# --- the black box's flash -----------------------------------------------------------------------


def test_the_black_box_wears_and_stalls_no_more_than_its_document_says(
    micropython64: MicroPython,
) -> None:
    """docs/journal.md: 59 erases a day, at most two in a write."""
    found = wear.measure(micropython64.interpreter.command, days=4)
    assert found.writes / found.days == 820
    assert 50 <= found.erases / found.days <= 70
    assert found.least_years > 10  # four days are too few for LittleFS to move the worst block
    assert found.even_years > 500
    assert {step.erases for step in found.steps} <= {0, 1, 2}
    slots = found.steps[0]
    assert slots.times > 0.9 * found.writes
    assert slots.stall_ms() < 5
    assert max(step.programs for step in found.steps) <= 40
    assert found.steps[1].stall_ms() < 80  # the design's budget for a stall

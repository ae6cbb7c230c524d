"""The linked firmware frozen into an image: a unix build with a board's own manifest replays the
demo as the sources do; and what the tool says when it cannot build."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, MicroPython
from packlab import replay
from packlab.capture import CaptureReader, Chunk
from packlab.made import made_capture_path
from packlab.session import REAL_LINE
from virtual_board import launch

from tools.compiled import linked, write_bench
from tools.interpreters.locate import _cache

BUILD = """
import sys
from pathlib import Path
import firmware_source, frozen
print(frozen.build(firmware_source.tree(fetch={fetch}), Path(sys.argv[1]), 64))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, micropython64: MicroPython) -> Path:
    """A 64-bit unix port with everything manifest_app.py names frozen in. The first build takes
    half a minute of a processor and is kept in the cache; a later one only freezes anew."""
    missing = [tool for tool in ("gcc", "make") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{missing[0]} is missing: apt install gcc make pkg-config")
    home = _cache() / f"frozen-{micropython64.interpreter.version}-64"
    home.mkdir(exist_ok=True)
    fetch = "DECKWATCH_NO_FETCH" not in os.environ
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", BUILD.format(fetch=fetch), str(home)],
            capture_output=True, text=True, check=False, cwd=ROOT / "tools",
        )  # fmt: skip
        if "StepFailed" in done.stderr:
            pytest.skip(done.stderr.strip().splitlines()[-1])
        assert done.returncode == 0, done.stderr
        copy = tmp_path_factory.mktemp("image") / "micropython"
        shutil.copy(done.stdout.strip(), copy)
    return copy


def test_all_of_it_is_in_the_image(image: Path) -> None:
    code = "help('modules')"
    said = subprocess.run([image, "-c", code], capture_output=True, text=True, check=True).stdout
    mine = [name for name in said.split() if name.startswith("deckwatch")]
    found = {name.removesuffix("/__init__") for name in mine}
    files = [path for path in linked(ROOT / "firmware") if path.startswith("deckwatch/")]
    assert found == {path.removesuffix(".py").removesuffix("/__init__") for path in files}
    assert "deckwatch/pipeline" in found
    assert "deckwatch/guardrails/judge" not in found  # part of the pipeline's file
    assert {"boot", "main"} <= set(said.split())


@pytest.mark.parametrize("line", ["real", "made"])
def test_the_demo_replays_from_frozen_code(
    line: str, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ROOT / REAL_LINE if line == "real" else made_capture_path("charge_and_ride", 1)
    settings = replay.Settings({"profile": "m365"}, telemetry=True, edges=True)
    with CaptureReader(path) as reader:
        expected = list(replay.replay(reader, settings))
    bench = write_bench(tmp_path)
    frozen = ([str(image), str(bench / "core_replay.py")], {"MICROPYPATH": f"{bench}:.frozen"})
    monkeypatch.setattr(replay, "command", lambda *_: frozen)
    with CaptureReader(path) as reader:
        found = list(replay.replay(reader, settings))
    assert found == expected
    assert len(found) > (15 if line == "real" else 1000)


def test_the_image_starts_by_itself(image: Path, tmp_path: Path) -> None:
    """The board's flash is empty but for the owner's settings; boot.py and main.py are frozen."""
    state = tmp_path / "state"
    (state / "flash").mkdir(parents=True)
    (state / "flash" / "config.json").write_text(json.dumps({"console_s": 1}))
    empty = tmp_path / "empty"
    empty.mkdir()
    # the board wants a main.py; this one makes way for the frozen one
    way = "import sys\nsys.modules.pop('main')\nsys.path.pop(1)\nimport main\n"
    (empty / "main.py").write_text(way)
    with CaptureReader(ROOT / REAL_LINE) as reader:
        lines = [
            f"{event.t_us + 3_000_000} bms {event.data.hex()}"
            for event in reader
            if isinstance(event, Chunk) and event.port == "bms_tx"
        ]
    feed, trace = tmp_path / "feed.txt", tmp_path / "trace.txt"
    feed.write_text("\n".join([*launch.in_order(lines), "15000000 end"]) + "\n")
    launch.run([str(image)], empty, state, feed, trace)
    said = trace.read_text()
    assert "print deckwatch boot 1 cause power_on failed 0 safe 0" in said
    assert "pack_mv=35940" in said
    assert "died" not in said
    assert "crash" not in said


# --- when it cannot be built ---------------------------------------------------------------------


def frozen(*arguments: str) -> tuple[int, str]:
    tool = ROOT / "tools" / "frozen.py"
    command = [sys.executable, str(tool), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_folder_that_is_no_source_tree(tmp_path: Path) -> None:
    code, said = frozen("--source", str(tmp_path))
    assert code == 1
    assert said == (
        f"frozen.py: {tmp_path} is no MicroPython source tree; give the folder with ports/\n"
    )


def test_a_tree_that_does_not_build(tmp_path: Path) -> None:
    folder = tmp_path / "ports" / "unix"
    folder.mkdir(parents=True)
    (folder / "Makefile").write_text("all:\n\t@echo an error here >&2; false\n")
    code, said = frozen("--source", str(tmp_path))
    assert code == 1
    assert said.startswith("frozen.py: unix does not build: an error here; is gcc-multilib")
    assert said.count("\n") == 1

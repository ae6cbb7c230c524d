"""The firmware as it is copied to a dongle: complete, compiled for the chip, always the same."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MicroPython
from packlab.checkout import firmware
from packlab.errors import PacklabError
from packlab.flash import boards, bundle
from virtual_board import launch

from tools.compiled import linked

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = bundle.families()
# Numbers MicroPython gives to machine code in a file's third byte (its manual, ".mpy files").
MACHINE = {"xtensawin": 10, "rv32imc": 11}


@pytest.mark.parametrize("chip", bundle.MARCH)
def test_every_file_is_there_and_compiled_for_the_chip(chip: str) -> None:
    made = bundle.build(chip)
    texts = linked(ROOT / "firmware")  # what the benchmark and the tests run
    sources = {
        path.relative_to(ROOT / "firmware").as_posix(): path.read_bytes()
        for path in sorted((ROOT / "firmware" / "deckwatch").rglob("*.py"))
    }
    same = {path: text.decode() for path, text in bundle._linked(sources).items()}
    assert same.items() <= texts.items()
    paths = {path for path in texts if path.startswith("deckwatch/")}
    assert {path.replace(".mpy", ".py") for path in made.files} == paths
    machines = {path: data[2] >> 2 for path, data in made.files.items()}
    loops = {path for path in machines if path.endswith("_viper.mpy")}
    assert "deckwatch/checksums_viper.mpy" in loops
    assert {machines.pop(path) for path in loops} == {MACHINE[bundle.MARCH[chip]]}
    assert set(machines.values()) == {0}
    assert all(data[:2] == b"M\x06" for data in made.files.values())
    assert made.listing["files"] == {path: bundle.sha256(d) for path, d in made.files.items()}
    assert json.loads(made.list_file()) == made.listing
    assert made.listing["chip"] == chip


def test_same_sources_give_the_same_bytes_and_name(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "firmware"
    shutil.copytree(ROOT / "firmware", copy)
    first, second = bundle.build("esp32"), bundle.build("esp32", source=copy)
    assert first == second
    text = (copy / "deckwatch" / "sessions.py").read_text()
    (copy / "deckwatch" / "sessions.py").write_text(text + "\nprint(7)\n")
    third = bundle.build("esp32", source=copy)
    assert third.name != first.name
    changed = [path for path, data in third.files.items() if first.files[path] != data]
    assert changed == ["deckwatch/sessions.mpy"]


@pytest.mark.parametrize("family", FAMILIES)
def test_one_family_has_all_it_imports_and_runs(
    family: str, micropython64: MicroPython, tmp_path: Path
) -> None:
    made = bundle.build("esp32s3", family)
    assert made.listing["family"] == family
    whole = bundle.build("esp32s3")
    assert made.files.keys() < whole.files.keys()
    others = {f"deckwatch/protocols/{name}.mpy" for name in FAMILIES if name != family}
    assert not others & made.files.keys()
    state = tmp_path / "state"
    flash = state / "flash"
    for path, data in {**made.files, **bundle.boot_files()}.items():
        (flash / path).parent.mkdir(parents=True, exist_ok=True)
        (flash / path).write_bytes(data)
    profiles = [path for path in made.files if path.startswith("deckwatch/profiles/")]
    names = [Path(path).stem for path in profiles if "__init__" not in path]
    assert names
    for name in names:
        (flash / "config.json").write_text(json.dumps({"profile": name}))
        feed = tmp_path / "feed.txt"
        feed.write_text("5000000 end\n")
        trace = tmp_path / "trace.txt"
        trace.unlink(missing_ok=True)
        launch.run([micropython64.path], flash, state, feed, trace)
        told = trace.read_text()
        assert "print deckwatch boot" in told
        assert "refused" not in told
        assert "crash" not in told
        assert "died" not in told


def test_one_family_offers_no_other_profile() -> None:
    texts = {
        path.relative_to(ROOT / "firmware").as_posix(): path.read_bytes()
        for path in (ROOT / "firmware" / "deckwatch").rglob("*.py")
    }
    index: dict[str, object] = {}
    exec(bundle._for_family(texts, "xiaomi")["deckwatch/index.py"], index)
    assert index["PROTOCOLS"] == ("xiaomi",)
    assert index["PROFILES"] == tuple(
        name
        for name in firmware("index").PROFILES
        if firmware(f"profiles.{name}").OPTIONS["family"] == "xiaomi"
    )
    assert index["SPEEDS"] == ((115200, ("xiaomi",)), (76800, ("xiaomi",)))


def test_what_does_not_fit_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PacklabError, match="there is no family m365; there are: ant, "):
        bundle.build("esp32", "m365")
    (tmp_path / "deckwatch").mkdir()
    (tmp_path / "deckwatch" / "app.py").write_text("def\n")
    with pytest.raises(PacklabError, match=r"deckwatch/app.py does not compile: SyntaxError"):
        bundle.build("esp32", source=tmp_path)


def test_library_is_compiled_below_lib(tmp_path: Path) -> None:
    (tmp_path / "aioble").mkdir()
    (tmp_path / "aioble" / "core.py").write_text("x = 1\n")
    (tmp_path / "notes.txt").write_text("not a module")
    made = bundle.compile_library(tmp_path, "esp32c3")
    assert list(made) == ["/lib/aioble/core.mpy"]
    assert made["/lib/aioble/core.mpy"][:1] == b"M"


def test_tool_lays_out_a_flash_that_starts(tmp_path: Path, micropython64: MicroPython) -> None:
    state = tmp_path / "state"
    tool = [sys.executable, str(ROOT / "tools" / "bundle.py")]
    done = subprocess.run(
        [*tool, "ESP32_S3_MINI", str(state / "flash"), "--family", "xiaomi"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(bundle.build("esp32s3", "xiaomi").name)
    board = json.loads((state / "flash" / "board.json").read_text())
    assert board == boards.load("ESP32_S3_MINI").over_stock()
    feed = tmp_path / "feed.txt"
    feed.write_text("2000000 end\n")
    launch.run([micropython64.path], state / "flash", state, feed, tmp_path / "trace.txt")
    assert "print deckwatch boot 1 " in (tmp_path / "trace.txt").read_text()
    failed = subprocess.run([*tool, "NONE", "x"], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("bundle: there is no board NONE; ")

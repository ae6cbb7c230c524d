"""Updating a dongle: staged beside what runs, interrupted anywhere, swapped at once, and taken
back by firmware/boot.py when the new firmware does not last."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MicroPython
from dongle import Dongle, numbers, plugged_in
from packlab.errors import PacklabError
from packlab.flash import bundle, update
from packlab.flash.link import Link
from virtual_board import launch

ROOT = Path(__file__).resolve().parent.parent
MINUTE_US = 60_000_000


def made(name: str, **files: bytes) -> bundle.Bundle:
    """A bundle of a few files whose content does not matter."""
    contents = {f"deckwatch/{path.replace('__', '/')}": data for path, data in files.items()}
    hashes = {path: bundle.sha256(data) for path, data in contents.items()}
    return bundle.Bundle(contents, {"name": name, "files": hashes})


FIRST = made("1", app=b"a" * 700, same=b"s" * 1500, hal__pins=b"p", gone=b"g")
SECOND = made("2", app=b"b" * 700, same=b"s" * 1500, hal__pins=b"q", hal__deep__new=b"n")


def silent(_: str) -> None:
    """No report."""


@pytest.fixture
def dongle(tmp_path: Path) -> Iterator[Dongle]:
    """With a heap of 96 KB: an update needs no more."""
    with plugged_in(tmp_path / "state") as plugged:
        yield plugged


def install(dongle: Dongle, wanted: bundle.Bundle) -> list[str]:
    """Install a bundle and return the paths that were reported."""
    reported: list[str] = []
    with Link(dongle.port) as link:
        link.enter()
        update.install(link, wanted, reported.append)
    return reported


def in_slot(dongle: Dongle, slot: int) -> dict[str, bytes]:
    head = f"app{slot}/"
    files = dongle.files().items()
    return {path.removeprefix(head): data for path, data in files if path.startswith(head)}


def whole(wanted: bundle.Bundle) -> dict[str, bytes]:
    return {**wanted.files, "bundle.json": wanted.list_file()}


def test_slots_take_turns_and_only_differences_are_sent(
    dongle: Dongle, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    write = Link.write

    def noting(self: Link, path: str, data: bytes) -> None:
        sent.append(path)
        write(self, path, data)

    monkeypatch.setattr(Link, "write", noting)
    assert len(install(dongle, FIRST)) == 4
    assert in_slot(dongle, 1) == whole(FIRST)
    assert dongle.numbers() == {"slot": 1, "trial": 1, "failed": 0}

    sent.clear()
    install(dongle, SECOND)
    assert in_slot(dongle, 1) == whole(FIRST)
    assert in_slot(dongle, 2) == whole(SECOND)
    assert dongle.numbers()["slot"] == 2
    # what the first slot has was copied there
    assert sent == [
        "/app2/deckwatch/app",
        "/app2/deckwatch/hal/pins",
        "/app2/deckwatch/hal/deep/new",
        "/app2/bundle.json",
    ]

    sent.clear()
    assert install(dongle, SECOND) == []
    assert sent == []

    third = made("3", app=b"b" * 700, same=b"s" * 1500, hal__pins=b"p")
    install(dongle, third)
    assert in_slot(dongle, 1) == whole(third)  # nothing of the first is left
    assert dongle.numbers()["slot"] == 1
    assert sent == ["/app1/bundle.json"]


class Interrupted(Exception):
    """The user has had enough."""


@pytest.mark.parametrize("former", [None, FIRST], ids=["empty", "over another"])
def test_interrupted_at_every_step(
    dongle: Dongle, former: bundle.Bundle | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever order to the dongle it ends: what ran stays whole and in charge, and the next
    run completes it."""
    if former:
        install(dongle, former)
    before = dongle.numbers()
    slot = 2 if former else 1
    clean = dongle.files()
    with Link(dongle.port) as link:
        link.enter()
        for orders in range(100):
            restore(dongle, clean)
            (dongle.state / "nvs.json").write_text(json.dumps(nvs(before)))
            with monkeypatch.context() as patch:
                let_pass(orders, patch)
                try:
                    update.install(link, SECOND, silent)
                    break
                except Interrupted:
                    pass
            assert dongle.numbers() == before
            assert in_slot(dongle, 3 - slot) == (whole(former) if former else {})
            if "bundle.json" in in_slot(dongle, slot):
                assert in_slot(dongle, slot) == whole(SECOND)
            update.install(link, SECOND, silent)
            assert in_slot(dongle, slot) == whole(SECOND)
            assert dongle.numbers()["slot"] == slot
    assert 10 < orders < 100


def nvs(found: dict[str, int]) -> dict[str, dict[str, int]]:
    return {"deckwatch": {f"i{key}": value for key, value in found.items()}}


def restore(dongle: Dongle, files: dict[str, bytes]) -> None:
    for found in dongle.flash.iterdir():
        shutil.rmtree(found)
    for path, data in files.items():
        (dongle.flash / path).parent.mkdir(parents=True, exist_ok=True)
        (dongle.flash / path).write_bytes(data)


def let_pass(orders: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many orders to the dongle pass, and none after."""
    left = [orders]
    run, write = Link.run, Link.write

    def count() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted

    def counted_run(self: Link, code: str, what: str) -> str:
        count()
        return run(self, code, what)

    def counted_write(self: Link, path: str, data: bytes) -> None:
        count()
        write(self, path, data)

    monkeypatch.setattr(Link, "run", counted_run)
    monkeypatch.setattr(Link, "write", counted_write)


def test_damage_on_the_way_is_noticed(dongle: Dongle, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Link.write

    def damaging(self: Link, path: str, data: bytes) -> None:
        write(self, path, data.replace(b"q", b"Q"))

    monkeypatch.setattr(Link, "write", damaging)
    with pytest.raises(PacklabError, match="/app1/deckwatch/hal/pins arrived damaged"):
        install(dongle, SECOND)
    assert "slot" not in dongle.numbers()
    assert "bundle.json" not in in_slot(dongle, 1)


def test_root_files_are_replaced_whole(dongle: Dongle) -> None:
    (dongle.flash / "board.json").write_text("{}")
    with Link(dongle.port) as link:
        link.enter()
        changed = update.write_whole(link, {"board.json": b"[1]", "main.py": b"pass"})
        again = update.write_whole(link, {"board.json": b"[1]", "main.py": b"pass"})
    assert (changed, again) == (["board.json", "main.py"], [])
    assert dongle.files() == {"board.json": b"[1]", "main.py": b"pass"}


def test_library_is_copied_where_it_differs(dongle: Dongle) -> None:
    reported: list[str] = []
    files = {"/lib/aioble/core.mpy": b"1", "/lib/one.mpy": b"2"}
    with Link(dongle.port) as link:
        link.enter()
        update.copy_folder(link, files, reported.append)
        update.copy_folder(link, {**files, "/lib/one.mpy": b"3"}, reported.append)
    assert reported == ["/lib/aioble/core.mpy", "/lib/one.mpy", "/lib/one.mpy"]
    assert dongle.files() == {"lib/aioble/core.mpy": b"1", "lib/one.mpy": b"3"}


# --- trial and return: the real firmware in virtual time -----------------------------------------


@pytest.fixture(scope="module")
def good() -> bundle.Bundle:
    """The firmware as it is, for one family."""
    return bundle.build("esp32s3", "xiaomi")


def spoilt(folder: Path, path: str, old: str, new: str) -> bundle.Bundle:
    """The firmware with one change."""
    source = folder / "firmware"
    if not source.exists():
        shutil.copytree(ROOT / "firmware", source, ignore=shutil.ignore_patterns("__pycache__"))
    text = (source / path).read_text()
    assert text.count(old) == 1
    (source / path).write_text(text.replace(old, new))
    return bundle.build("esp32s3", "xiaomi", source)


class Flash:
    """A dongle's flash without a port: bundles are laid into its slots, and it lives in virtual
    time."""

    def __init__(self, state: Path, micropython: MicroPython) -> None:
        self.state = state
        self._micropython = micropython
        for name, data in bundle.boot_files().items():
            self._write(name, data)

    def _write(self, path: str, data: bytes) -> None:
        target = self.state / "flash" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def stage(self, slot: int, wanted: bundle.Bundle) -> None:
        """What update.install leaves."""
        for path, data in whole(wanted).items():
            self._write(f"app{slot}/{path}", data)
        kept = {**numbers(self.state), "slot": slot, "trial": 1, "failed": 0}
        (self.state / "nvs.json").write_text(json.dumps(nvs(kept)))

    def live(self, *feed: str) -> list[str]:
        """From power on to the feed's end; what the console said, with the resets."""
        script = self.state / "feed.txt"
        script.write_text("".join(f"{line}\n" for line in feed))
        trace = self.state / "trace.txt"
        trace.unlink(missing_ok=True)
        launch.run([self._micropython.path], self.state / "flash", self.state, script, trace)
        lines = (line.split(" ", 1)[1] for line in trace.read_text().splitlines())
        return [line.removeprefix("print ") for line in lines if is_told(line)]


def is_told(line: str) -> bool:
    return line.startswith(("print deckwatch boot", "print boot:", "reset", "boot ", "print slot"))


@pytest.fixture
def flash(tmp_path: Path, micropython64: MicroPython) -> Flash:
    return Flash(tmp_path / "state", micropython64)


def test_a_minute_of_running_ends_the_trial(flash: Flash, good: bundle.Bundle) -> None:
    flash.stage(1, good)
    flash.live(f"{MINUTE_US + 2_000_000} end")
    assert numbers(flash.state)["trial"] == 2
    assert numbers(flash.state)["failed"] == 0
    flash.live("5000000 end")
    assert numbers(flash.state)["trial"] == 0


def test_power_cuts_prove_nothing(flash: Flash, good: bundle.Bundle) -> None:
    flash.stage(1, good)
    for _ in range(6):
        assert "deckwatch boot" in " ".join(flash.live("5000000 end"))
    assert numbers(flash.state)["trial"] == 2
    assert numbers(flash.state)["slot"] == 1


CRASHES = "        self._dog = power.watchdog()\n"
BROKEN = {
    "cannot be imported": ("deckwatch/app.py", "import asyncio\n", "import asyncio, no_such\n"),
    "raises at once": ("deckwatch/app.py", CRASHES, CRASHES + "        1 // 0\n"),
    "raises before it counts": (
        "deckwatch/app.py",
        "        self.starts = power.Starts()\n",
        "        1 // 0\n        self.starts = power.Starts()\n",
    ),
    "hangs": (
        "deckwatch/app.py",
        CRASHES,
        CRASHES + "        import time\n        while True:\n            time.sleep_ms(100)\n",
    ),
    "hangs when imported": (
        "deckwatch/app.py",
        "import asyncio\n",
        "import asyncio, time\nwhile True:\n    time.sleep_ms(100)\n",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_firmware_that_fails_is_taken_back(
    how: str, flash: Flash, good: bundle.Bundle, tmp_path: Path
) -> None:
    flash.stage(1, good)
    flash.live(f"{MINUTE_US + 2_000_000} end")
    flash.live("5000000 end")
    boots = numbers(flash.state)["boots"]
    flash.stage(2, spoilt(tmp_path, *BROKEN[how]))
    said = flash.live("200000000 end")
    back = said.index("boot: the new firmware failed 3 times, back to the former")
    assert sum(line.startswith("reset") for line in said[:back]) == 3
    assert said[back + 1].startswith("deckwatch boot")
    assert said[back + 1].endswith("failed 0 safe 0")
    assert len(said) == back + 2  # and it lives on
    kept = numbers(flash.state)
    assert (kept["slot"], kept["trial"], kept["failed"]) == (1, -1, 0)
    assert kept["boots"] <= boots + 4


def test_firmware_that_fails_with_nothing_to_go_back_to(flash: Flash, tmp_path: Path) -> None:
    """It stays, and after five failed starts its own safe mode has its turn."""
    flash.stage(1, spoilt(tmp_path, *BROKEN["raises at once"]))
    said = flash.live("30000000 end")
    assert not [line for line in said if line.startswith("boot:")]
    assert [line[-1] for line in said if line.startswith("deckwatch boot")][:6] == list("000001")
    assert numbers(flash.state)["slot"] == 1
    assert numbers(flash.state)["trial"] == 0


def test_half_a_bundle_never_starts(flash: Flash, good: bundle.Bundle) -> None:
    """The NVS names a slot that is not whole: only a fault of the flash can do that."""
    flash.stage(1, good)
    flash.stage(2, good)
    (flash.state / "flash" / "app2" / "bundle.json").unlink()
    (flash.state / "flash" / "app2" / "deckwatch" / "app.mpy").unlink()
    assert "deckwatch boot 1" in " ".join(flash.live("5000000 end"))


def test_lost_nvs_leaves_a_dongle_that_starts(flash: Flash, good: bundle.Bundle) -> None:
    flash.stage(2, good)
    (flash.state / "nvs.json").unlink()
    assert "deckwatch boot 1" in " ".join(flash.live("5000000 end"))

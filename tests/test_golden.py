"""Whole lines through the core: the real one against its committed trace, the made ride against
windows written by hand, the same bytes from every interpreter, and nothing allocated on the way.

After a change that is meant to change the real line's trace, look at the difference this makes,
and commit it:

    packlab replay tests/data/captures/m365_standing.cap --json --telemetry \\
        > tests/data/captures/m365_standing.exp
"""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import MicroPython
from packlab.capture import CaptureReader
from packlab.interpreters import INTERPRETERS
from packlab.made import made_capture_path
from packlab.replay import Settings, feed_line, head_line, replay

from tools.compiled import linked_beside
from tools.measure.heap import rom_image

CAPTURES = Path(__file__).parent / "data" / "captures"
REAL = CAPTURES / "m365_standing.cap"
TRACE = CAPTURES / "m365_standing.exp"
EXPECTED = json.loads((CAPTURES / "charge_and_ride.expect.json").read_text("utf-8"))
CELL_GUARDRAILS = {"cell_spread", "cell_high", "cell_low", "ghost_voltage"}
SETTINGS = {"profile": "m365"}

# Bytes, less than an ESP32 without PSRAM leaves a program (110 KB: design sheet, budgets).
ESP32_HEAP = 96 * 1024
SESSION_HEAP = 4 * 1024  # what the owner's own session may take on top, while it lasts


def ride(seed: int = 1) -> Path:
    return made_capture_path("charge_and_ride", seed)


@cache
def lines(path: Path, interpreter: str, session: tuple[int, int] = (0, 0)) -> list[str]:
    """The trace, with telemetry."""
    settings = Settings(SETTINGS, interpreter, telemetry=True, session=session)
    with CaptureReader(path) as reader:
        return list(replay(reader, settings))


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(path, "cpython")]


@pytest.fixture(params=INTERPRETERS)
def interpreter(request: pytest.FixtureRequest) -> str:
    """Each interpreter's name, skipped where it cannot be had."""
    if request.param != "cpython":
        request.getfixturevalue("micropython32" if request.param == "unix32" else "micropython64")
    return str(request.param)


# --- the real line -------------------------------------------------------------------------------


def test_real_line_gives_its_committed_trace(interpreter: str) -> None:
    assert lines(REAL, interpreter) == TRACE.read_text("utf-8").splitlines()


def test_real_line_shows_what_was_recorded() -> None:
    summary = events(REAL)[-1]
    assert summary["event"] == "summary"
    assert summary["frames"] == 138
    for count in ("bad_check", "bad_length", "cut", "noise", "damaged", "unknown"):
        assert summary[count] == 0, count
    assert summary["seconds"] == 10.358
    # The last answer in the capture: 55aa0e2501300100710e2f0002000a0e2b2b7cfe.
    assert summary["last"]["pack_mv"] == 35940
    assert summary["last"]["soc_pct"] == 47
    assert summary["last"]["remaining_mah"] == 3697
    assert summary["last"]["current_ma"] == -20
    assert summary["last"]["temp_dc"] == [230, 230]


def test_real_line_raises_nothing_and_says_what_is_not_watched() -> None:
    trace = events(REAL)
    assert [event for event in trace if event["event"] == "alert"] == []
    assert trace[-1]["worst_level"] == "ok"
    watches = [event for event in trace if event["event"] == "watch"]
    assert watches
    for watch in [*watches, trace[-1]]:
        assert set(watch["not_watched"]) >= CELL_GUARDRAILS
    assert {"charge_cold", "temp_sensor", "charge_voltage", "silence"} <= set(
        watches[-1]["watched"]
    )


# --- the made ride -------------------------------------------------------------------------------


def alerts(seed: int) -> list[dict[str, Any]]:
    return [event for event in events(ride(seed)) if event["event"] == "alert"]


def at_s(event: dict[str, Any]) -> float:
    return float(event["t_ms"]) / 1000


def within(event: dict[str, Any], window: list[float]) -> bool:
    return window[0] <= at_s(event) <= window[1]


def is_set(event: dict[str, Any], code: str, level: str) -> bool:
    return (event["code"], event["state"], event["level"]) == (code, "set", level)


def test_ride_is_the_same_on_every_interpreter(interpreter: str) -> None:
    assert lines(ride(), interpreter) == lines(ride(), "cpython")


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("want", EXPECTED["alerts"], ids=lambda want: want["code"] + want["level"])
def test_ride_sets_and_ends_each_alert_in_its_window(seed: int, want: dict[str, Any]) -> None:
    found = [a for a in alerts(seed) if a["code"] == want["code"]]
    number = next(i for i, a in enumerate(found) if is_set(a, want["code"], want["level"]))
    assert within(found[number], want["set_s"])
    if "cell" in want:
        assert want["cell"] in (found[number].get("cell"), found[number].get("probe"))
    end = found[number + 1]
    assert within(end, want["ends_s"])
    assert end["level" if want["ends"] == "alarm" else "state"] in want["ends"].split(" or ")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ride_sets_nothing_else_above_info(seed: int) -> None:
    for alert in alerts(seed):
        if alert["state"] == "set" and alert["level"] != "info":
            windows = [
                want["set_s"]
                for want in EXPECTED["alerts"]
                if (want["code"], want["level"]) == (alert["code"], alert["level"])
            ]
            assert any(within(alert, window) for window in windows), alert
        assert alert["code"] not in EXPECTED["never"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ride_says_when_cells_are_not_watched(seed: int) -> None:
    watches = [event for event in events(ride(seed)) if event["event"] == "watch"]
    for start, end in EXPECTED["not_watched"]["cell_spread"]:
        before = [watch for watch in watches if at_s(watch) <= start]
        during = [watch for watch in watches if start < at_s(watch) <= end]
        assert before
        for watch in [before[-1], *during]:
            assert "cell_spread" in watch["not_watched"], (start, end)
    assert any("cell_spread" in watch["watched"] for watch in watches)


# --- no allocation -------------------------------------------------------------------------------


class Chip:
    """The 32-bit port with an ESP32's heap and the firmware in place from ROM, as from flash."""

    def __init__(self, port: MicroPython, compiled: Path, folder: Path) -> None:
        self._port = port
        self._bench = folder / "bench"
        self._bench.mkdir()
        for name in ("core_replay", "events", "in_place"):
            shutil.copy(compiled / f"{name}.mpy", self._bench)
        firmware = folder / "firmware"
        shutil.copytree(compiled / "deckwatch", firmware / "deckwatch")
        self._image = folder / "rom.img"
        rom_image(firmware, self._image)

    def replay(
        self, path: Path, *, lock: bool, change: str = "", session: tuple[int, int] = (0, 0)
    ) -> list[str]:
        """The trace of a capture; with `lock` an allocation from feed to render ends it. `change`
        is code to run before."""
        with CaptureReader(path) as reader:
            text = "".join(map(feed_line, reader))
        head = head_line(Settings(SETTINGS, telemetry=True, session=session), lock=lock)
        mount = f"import in_place; image = in_place.mount({str(self._image)!r})\n"
        run = "import core_replay; core_replay.main()"
        own = SESSION_HEAP if session[0] else 0
        heap = str(ESP32_HEAP + own + self._image.stat().st_size)  # the port has the image there
        change = linked_beside({"change.py": change})["change.py"]
        said = self._port.execute(
            mount + change + run, heap, (self._bench,), (head + text).encode()
        )
        return said.splitlines()


@pytest.fixture(scope="module")
def chip(
    micropython32: MicroPython, compiled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Chip:
    if micropython32.execute("import vfs; print(hasattr(vfs, 'VfsRom'))") == "False\n":
        pytest.skip("this MicroPython runs nothing in place from ROM; 1.25 does")
    return Chip(micropython32, compiled, tmp_path_factory.mktemp("chip"))


@pytest.mark.parametrize("name", ["real", "ride", "recovering"])
def test_nothing_is_allocated_from_feed_to_render(name: str, chip: Chip) -> None:
    path = REAL if name == "real" else ride()
    session = (1, 3500) if name == "recovering" else (0, 0)
    assert chip.replay(path, lock=True, session=session) == lines(path, "cpython", session)


def test_the_heap_is_locked_indeed(chip: Chip) -> None:
    allocating = (
        "from deckwatch.pipeline import Pipeline\n"
        "render = Pipeline.render\n"
        "Pipeline.render = lambda core, now: render(core, [now][0])\n"
    )
    assert chip.replay(REAL, lock=False, change=allocating) == lines(REAL, "cpython")
    with pytest.raises(AssertionError, match="heap is locked"):
        chip.replay(REAL, lock=True, change=allocating)


def test_the_port_counts_as_the_chip_does(micropython32: MicroPython) -> None:
    assert micropython32.execute("import sys; print(sys.maxsize)").strip() == str(2**31 - 1)

"""docs/faults.md is the list of single faults; each test it names exists, and each fault the issue
of the brain names stands in it. And the tests of those faults that nothing else has tested."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from app_rig import ROOT, Dongle, end, merged, on, polls, status
from deckwatch.frame import NOISE
from line_rig import LineRig
from line_rig import status as words_of

TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "faults.md"

# What must stand there, word for word from the issue
WANTED = (
    "cut", "shorted", "swapped", "stuck",
    "probe open", "probe shorted",
    "BMS", "frozen", "lies", "reboots",
    "full", "worn", "corrupt",
    "wraps", "heap low", "radio dead", "a task hung", "dongle itself dead",
)  # fmt: skip


def rows() -> Iterator[tuple[str, str]]:
    """(fault, tests) of each row."""
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "fault":
            assert len(cells) == 4, line
            yield cells[0], cells[3]


@cache
def functions(file: str) -> frozenset[str]:
    """Names of the test functions of a file."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


# --- the page ------------------------------------------------------------------------------------


def test_each_test_that_is_named_exists() -> None:
    named = 0
    for fault, cell in rows():
        tests = re.findall(r"`(test_\w+\.py)::(test_\w+)`", cell)
        if not tests:
            assert cell.startswith("none: "), f"{fault}: no test, and no reason why"
        for file, name in tests:
            named += 1
            assert name in functions(file), f"{fault}: {file} has no {name}"
    assert named >= 60


def test_every_fault_of_the_issue_stands_there_and_once_only() -> None:
    text = PAGE.read_text("utf-8")
    for word in WANTED:
        assert word in text, word
    faults = [fault for fault, _ in rows()]
    assert len(set(faults)) == len(faults)
    assert sum(cell.startswith("none: ") for _, cell in rows()) == 1  # no software runs there


# --- wires ---------------------------------------------------------------------------------------


def test_wires_joined_tell_everything_twice_and_nothing_wrong() -> None:
    """Both receivers hear both directions; the address in the frame says whose word it is."""
    line = LineRig()
    heard = line.hear
    joined = {"bms_tx": "host_tx", "host_tx": "bms_tx"}

    def hear(data: bytes, port: str = "bms_tx") -> None:
        heard(data, port)
        heard(data, joined[port])

    line.hear = hear  # type: ignore[method-assign]
    line.ride(30, cells=[3700] * 10, current_ma=-4000)
    assert line.events == []
    assert line.look == "fine"
    assert line.core.link.score == 100
    t = line.core.packs[0].telemetry
    assert list(t.cell_mv[:10]) == [3700] * 10
    assert "silence" in line.watched()


# --- the BMS -------------------------------------------------------------------------------------


def unanswered(line: LineRig, ms: int) -> None:
    """The controller asks on, every 210 ms, and nobody answers."""
    for _ in range(ms // 210):
        line.ask()
        line.advance(210)


def test_a_bms_that_reboots_within_5_s_raises_nothing() -> None:
    line = LineRig()
    line.ride(10)
    unanswered(line, 4600)
    assert line.look == "fine"  # the values are not too old yet
    line.ride(10, pack_mv=36500)
    assert line.events == []
    assert line.look == "fine"
    assert [look for _, look, _ in line.looks] == ["no_data", "fine"]


def test_a_bms_that_is_gone_for_longer_is_silence_until_it_has_answered_for_5_s() -> None:
    line = LineRig()
    line.ride(10)
    gone_ms = line.ms
    unanswered(line, 8000)
    (alarm,) = line.events
    assert (alarm.code, alarm.level) == ("silence", "alarm")
    assert 5000 <= alarm.ms - gone_ms <= 5210
    back_ms = line.ms
    line.ride(12)
    cleared = line.events[-1]
    assert (cleared.code, cleared.state) == ("silence", "clear")
    assert 5000 <= cleared.ms - back_ms <= 5210
    assert line.look == "fine"


def test_a_bms_that_prints_while_it_starts_is_noise_and_no_alarm() -> None:
    line = LineRig()
    line.ride(10)
    unanswered(line, 2100)
    line.hear(b"BOOTED!\r\n")
    line.ride(10)
    assert line.events == []
    assert line.core.framers[0].numbers[NOISE] == 9
    assert line.look == "fine"


def test_an_answer_after_the_start_that_is_all_zero_is_no_empty_pack() -> None:
    """One frame of zeros, as a board may send before it has measured: two must agree."""
    line = LineRig()
    line.ride(10, cells=[3700] * 10)
    line.answer(words_of(0, 0, (23, 23), 1, 0))
    line.cells([0] * 10)
    line.ride(10, cells=[3700] * 10)
    assert line.events == []


# --- flash ---------------------------------------------------------------------------------------


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """hal/store.py over a folder; the NVS is not touched."""
    nvs = ModuleType("esp32")
    nvs.NVS = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "esp32", nvs)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "deckwatch.hal.store", raising=False)
    found = importlib.import_module("deckwatch.hal.store")
    monkeypatch.delitem(sys.modules, "deckwatch.hal.store")
    return found


@pytest.mark.parametrize("at", ["open", "write", "rename"])
def test_a_full_flash_refuses_the_change_and_keeps_the_former_file(
    store: ModuleType, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    store.write_config({"series": 10})

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "ENOSPC")

    with monkeypatch.context() as broken:
        if at == "open":
            broken.setattr("builtins.open", full)
        elif at == "write":
            broken.setattr(store.json, "dump", full)
        else:
            broken.setattr(store.os, "rename", full)
        with pytest.raises(OSError, match="ENOSPC"):
            store.write_config({"series": 13})
    assert store.read_config() == {"series": 10}
    store.write_config({"series": 13})
    assert store.read_config() == {"series": 13}


# --- the dongle ----------------------------------------------------------------------------------


def test_a_stuck_button_stops_no_guard(dongle64: Dongle) -> None:
    hot = status(temps_c=(62, 61))
    feed = merged(on(), ["0 pin BUTTON 0"], polls(2000, 20000, hot), [end(21000)])
    trace = dongle64.run(feed, {"console_s": 1})
    assert trace.causes() == ["PWRON"]
    assert trace.alerts() == ["discharge_hot set alarm"]
    assert trace.said("button") == ["button: self-test"]
    assert trace.looks()[-1] == "alarm"

"""The black box of the whole firmware on the virtual board: a supply that goes under load, a flash
that stands still, is full, worn or corrupt, a keeper that fails; the guards go on in all of them.
"""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from app_rig import FIRMWARE, ROOT, Dongle, Trace, cells, end, merged, on, polls, status
from dongle import plugged_in
from packlab.cli import main
from packlab.journal import Record, read

WEAK = [3550] * 3 + [3320] + [3550] * 6
HOT = status(temps_c=(62, 61))
PULL = status(current_ma=-21_000, pack_mv=35_270)
CALM = status(current_ma=-120, pack_mv=36_500)


def journal(trace: Trace, *kinds: str) -> list[Record]:
    found = read(str(trace.state / "flash" / "journal"))
    assert (found.damaged, found.unknown, found.missing) == (0, 0, 0)
    return [record for record in found.records if not kinds or record.kind in kinds]


def with_cells(from_ms: int, to_ms: int) -> list[str]:
    """An app reads the cells every second."""
    return [f"{t * 1000 + 60_000} bms {cells(WEAK)}" for t in range(from_ms, to_ms, 1050)]


def ride(
    off_ms: int, *last: list[str], back_after_ms: int = 20_000, then: str = CALM
) -> list[str]:
    """Cruising and pulling for half a minute; then the dongle's supply goes, and returns."""
    back_ms = off_ms + back_after_ms
    return merged(
        on(),
        polls(500, 20_000, status(current_ma=-4000, pack_mv=36_000)),
        polls(20_000, min(off_ms, 33_000), PULL),
        with_cells(10_000, off_ms - 1100),
        *last,
        [f"{off_ms * 1000} power off", f"{back_ms * 1000} power on"],
        polls(back_ms + 500, back_ms + 12_000, then),
        [end(back_ms + 14_000)],
    )


# --- a supply that goes --------------------------------------------------------------------------


@pytest.mark.parametrize("off_ms", [21_400, 28_100, 33_000])
def test_a_trip_under_load_is_told_at_the_next_start(dongle64: Dongle, off_ms: int) -> None:
    """The dongle's own supply goes in the instant in which the BMS trips."""
    trace = dongle64.run(ride(off_ms))
    assert trace.lives == 2
    (supply,) = journal(trace, "supply")
    assert (supply.boot, supply.fields["verdict"]) == (2, "tripped")
    (checkpoint,) = journal(trace, "checkpoint")
    fields = checkpoint.fields
    assert checkpoint.boot == 1
    age_ms = off_ms - 1000 * checkpoint.uptime_s
    assert age_ms <= 10_000 + 2_000  # every 10 s at most, and the wait for a gap
    assert (fields["current_ma"], fields["pack_mv"]) == (-21_000, 35_270)
    assert (fields["lowest_mv"], fields["lowest_cell"]) == (3320, 4)
    assert fields["since_last"]["most_out_ma"] == 21_000
    assert fields["since_last"]["low_pack_mv"] == 35_270
    assert fields["since_last"]["seconds"] <= 12
    (told,) = journal(trace, "ride")
    assert told.fields["most_out_ma"] == 21_000
    assert told.fields["seconds"] >= off_ms // 1000 - 15
    assert not (trace.state / "flash" / "journal" / "ride1").exists()
    assert trace.alerts().count("bms_trip set alarm") == 1
    (alert,) = (r for r in journal(trace, "alert") if r.fields["code"] == "bms_trip")
    assert (alert.boot, alert.fields["value"]) == (2, 21_000)


@pytest.mark.parametrize("standing_ms", [2_000, 15_000])
def test_switching_off_is_no_trip(dongle64: Dongle, standing_ms: int) -> None:
    standing = list(polls(33_000, 33_000 + standing_ms, CALM))
    trace = dongle64.run(ride(33_000 + standing_ms, standing))
    (supply,) = journal(trace, "supply")
    assert supply.fields["verdict"] == "switched_off"
    assert "bms_trip set alarm" not in trace.alerts()


def test_a_contact_that_bounces_is_no_trip(dongle64: Dongle) -> None:
    trace = dongle64.run(ride(33_000, back_after_ms=100, then=PULL))
    (supply,) = journal(trace, "supply")
    assert supply.fields["verdict"] == "bounced"
    assert "bms_trip set alarm" not in trace.alerts()


def test_switching_on_through_a_bouncing_contact_tells_nothing(dongle64: Dongle) -> None:
    bounces = [
        line
        for t in range(700, 3_000, 400)
        for line in (f"{t}000 power off", f"{t + 50}000 power on")
    ]
    trace = dongle64.run(merged(on(), bounces, polls(3_500, 9_000, CALM), [end(20_000)]))
    assert trace.lives == 7
    assert journal(trace, "supply", "ride", "checkpoint") == []
    assert {record.fields["cause"] for record in journal(trace, "boot")} == {"power_on"}


def test_a_watchdog_s_restart_is_told_as_one(dongle64: Dongle) -> None:
    text = (FIRMWARE / "deckwatch" / "keeper.py").read_text()
    hung = text.replace(
        "            self.recorder.look(now_ms())\n",
        "            self.recorder.look(now_ms())\n"
        "            import time\n"
        "            while self._core.uptime_s > 25 and self._boots == 1: time.ticks_ms()\n",
    )
    assert hung != text
    firmware = dongle64.changed(dongle64.firmware, {"deckwatch/keeper.py": hung})
    feed = merged(on(), polls(500, 45_000, PULL), [end(50_000)])
    trace = dongle64.run(feed, firmware=firmware)
    assert trace.causes() == ["PWRON", "WDT"]
    assert [record.fields["cause"] for record in journal(trace, "boot")] == [
        "power_on",
        "watchdog",
    ]
    assert [record.fields["verdict"] for record in journal(trace, "supply")] == ["restarted"]


# --- the flash -----------------------------------------------------------------------------------


def overheating(flash_us: int = 0) -> list[str]:
    stall = [f"0 flash {flash_us}"] if flash_us else []
    return merged(on(), stall, polls(500, 30_000, PULL), polls(30_000, 60_000, HOT), [end(60_000)])


def alarm_ms(trace: Trace) -> int:
    (told,) = (x.t_ms for x in trace.of("print") if "discharge_hot set alarm" in x.rest)
    red = [t_ms for t_ms, colour in trace.colours() if colour == "red" and t_ms >= told]
    tones = [t_ms for t_ms, hz in trace.tones() if hz and t_ms >= told]
    assert red[0] == told
    assert tones[0] == told
    return told


def _is_alarm(record: Record) -> bool:
    return (record.fields["level"], record.fields["state"]) == ("alarm", "set")


def test_writing_never_delays_an_alarm_and_loses_no_byte(dongle64: Dongle) -> None:
    """Each commit stands still for 80 ms; a poll comes every 210 ms."""
    without = dongle64.run(overheating())
    trace = dongle64.run(overheating(80_000))
    assert len(trace.of("flash")) > 8
    assert alarm_ms(trace) - alarm_ms(without) <= 15
    assert trace.of("lost") == []
    records = journal(trace)
    (alarm,) = [r for r in records if r.fields.get("code") == "discharge_hot" and _is_alarm(r)]
    stalls = [line.t_ms for line in trace.of("flash")]
    told = alarm_ms(trace)
    assert told < min(t_ms for t_ms in stalls if t_ms >= told)
    rows = [
        row for r in records if r.kind == "trace" and r.sequence > alarm.sequence
        for row in r.fields["rows"]
    ]  # fmt: skip
    assert [row["before_s"] for row in rows[:30]] == list(range(29, -1, -1))


def test_writes_lie_between_two_polls(dongle64: Dongle) -> None:
    trace = dongle64.run(overheating(1_000))
    answers = [*range(506, 30_000, 210), *range(30_006, 60_000, 210)]
    after = [
        line.t_ms - max(t_ms for t_ms in answers if t_ms <= line.t_ms)
        for line in trace.of("flash") if line.t_ms > 2_000
    ]  # fmt: skip
    assert len(after) >= 6
    assert all(30 <= ms <= 70 for ms in after), after


REFUSING = """
import io as _io
def open(path, mode="r", _open=open):
    if "r" not in mode:
        raise OSError({number})
    return _open(path, mode)
"""


@pytest.mark.parametrize("number", [28, 5], ids=["full", "worn"])
def test_a_flash_that_takes_nothing_does_not_stop_the_guards(
    dongle64: Dongle, number: int
) -> None:
    text = (FIRMWARE / "deckwatch" / "hal" / "segments.py").read_text()
    changed = text.replace("import os\n", "import os\n" + REFUSING.format(number=number), 1)
    files = {"deckwatch/hal/segments.py": changed}
    trace = dongle64.run(overheating(), firmware=dongle64.changed(dongle64.firmware, files))
    assert alarm_ms(trace) > 40_000
    assert trace.lives == 1
    assert trace.said("black box") == []
    assert not list((trace.state / "flash" / "journal").iterdir())


def test_when_the_flash_takes_records_again_it_says_what_is_missing(dongle64: Dongle) -> None:
    text = (FIRMWARE / "deckwatch" / "hal" / "segments.py").read_text()
    patient = REFUSING.format(number=5).replace(
        'if "r" not in mode:', "import time\n    if 'r' not in mode and time.ticks_ms() < 100000:"
    )
    changed = text.replace("import os\n", "import os\n" + patient, 1)
    files = {"deckwatch/hal/segments.py": changed}
    feed = merged(on(), polls(500, 150_000, PULL), [end(151_000)])
    trace = dongle64.run(feed, firmware=dongle64.changed(dongle64.firmware, files))
    boot, *_, lost = journal(trace, "boot", "lost")
    assert boot.kind == "boot"
    assert lost.fields["refused"] >= 2


def test_a_corrupt_segment_is_left_alone_and_told(dongle64: Dongle) -> None:
    first = dongle64.run(overheating())
    segment = first.state / "flash" / "journal" / "1.log"
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 0xFF
    segment.write_bytes(data)
    feed = merged(on(), polls(500, 20_000), [end(20_000)])
    trace = dongle64.run(feed, state=first.state)
    found = read(str(trace.state / "flash" / "journal"))
    assert found.damaged == 1
    assert [r.fields["damaged_segments"] for r in found.records if r.kind == "lost"] == [1]
    assert [r.boot for r in found.records if r.kind == "boot"] == [1, 2]


# --- a keeper that fails -------------------------------------------------------------------------

SABOTAGE = {
    "raises": "raise ValueError('sabotage')",
    "memory": "raise MemoryError('sabotage')",
    "hangs": "await asyncio.Event().wait()",
    "cancelled": "raise asyncio.CancelledError",
}


@pytest.mark.parametrize("act", SABOTAGE)
def test_the_guards_go_on_without_their_keeper(dongle64: Dongle, act: str) -> None:
    text = (FIRMWARE / "deckwatch" / "keeper.py").read_text()
    changed = text.replace(
        "            self.recorder.look(now_ms())\n",
        f"            self.recorder.look(now_ms())\n            {SABOTAGE[act]}\n",
    )
    assert changed != text
    files = {"deckwatch/keeper.py": changed}
    trace = dongle64.run(overheating(), firmware=dongle64.changed(dongle64.firmware, files))
    assert alarm_ms(trace) > 40_000
    assert trace.lives == 1
    assert bool(trace.said("black box failed")) == (act != "hangs")


def test_a_recorder_that_raises_inside_a_round_does_not_end_it(dongle64: Dongle) -> None:
    text = (FIRMWARE / "deckwatch" / "recorder.py").read_text()
    changed = text.replace(
        "        log = self.logs[alerts.pack]\n", "        log = None.sabotage\n"
    )
    assert changed != text
    files = {"deckwatch/recorder.py": changed}
    trace = dongle64.run(overheating(), firmware=dongle64.changed(dongle64.firmware, files))
    assert alarm_ms(trace) > 40_000
    assert trace.said("task") == []


# --- the configuration file ----------------------------------------------------------------------

OPTIONS = {"profile": "pro2", "discharge_hot_alarm_dc": 450}


@pytest.mark.parametrize("damage", ["", '{"profile": "pro', "\0" * 40])
def test_a_damaged_configuration_falls_back_to_the_last_good_one(
    dongle64: Dongle, damage: str
) -> None:
    feed = merged(on(), polls(500, 5_000), [end(8_000)])
    first = dongle64.run(feed, config=OPTIONS)
    assert first.said("guarding pro2")
    trace = dongle64.run(feed, config=damage, state=first.state)
    assert trace.said("guarding pro2")
    assert trace.said("config damaged, the last good one is in force")
    assert (trace.state / "flash" / "config.json").read_text() == damage


def test_leftovers_of_a_cut_off_write_count_nothing(dongle64: Dongle, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "flash").mkdir(parents=True)
    (state / "flash" / "config.new").write_text('{"profile": "ha')
    feed = merged(on(), polls(500, 5_000), [end(8_000)])
    trace = dongle64.run(feed, config=OPTIONS, state=state)
    assert trace.said("guarding pro2")
    assert trace.said("config ") == []


def test_changes_of_the_file_are_kept_with_old_and_new_value(dongle64: Dongle) -> None:
    feed = merged(on(), polls(500, 5_000), [end(16_000)])
    first = dongle64.run(feed, config=OPTIONS)
    new = {"profile": "pro2", "discharge_hot_alarm_dc": 480, "series": 10}
    trace = dongle64.run(feed, config=new, state=first.state)
    trace = dongle64.run(feed, state=trace.state)
    told: list[tuple[int, dict[str, Any]]] = [(r.boot, r.fields) for r in journal(trace, "config")]
    assert told == [
        (1, {"option": "discharge_hot_alarm_dc", "old": "default", "new": "450"}),
        (1, {"option": "profile", "old": "default", "new": "pro2"}),
        (2, {"option": "discharge_hot_alarm_dc", "old": "450", "new": "480"}),
        (2, {"option": "series", "old": "default", "new": "10"}),
    ]


# --- at a port -----------------------------------------------------------------------------------


def test_packlab_reads_it_from_a_port(
    dongle64: Dongle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = dongle64.run(overheating()).state
    firmware = [
        "--board", "ESP32_C3_MINI", "--profile", "m365", "--family", "xiaomi",
    ]  # fmt: skip
    with plugged_in(state) as plugged:
        assert main(["flash", "--port", plugged.port, *firmware]) == 0
        capsys.readouterr()
        assert main(["journal", plugged.port, "--json", "--save", str(tmp_path / "kept")]) == 0
        time.sleep(4)  # the start after it, which knows the time
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [record["kind"] for record in said]
    assert kinds[0] == "boot"
    assert {"alert", "trace"} <= set(kinds)
    assert main(["journal", str(tmp_path / "kept"), "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == said
    last = read(str(state)).records[-1]
    assert last.boot > max(record["boot"] for record in said)
    assert last.time
    assert abs((datetime.now(UTC) - last.time).total_seconds()) < 60


def test_a_replay_leaves_a_journal_and_the_next_one_goes_on_with_it(
    tmp_path: Path, micropython64: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    del micropython64  # only that there is one
    capture, flash = (
        ROOT / "tests" / "data" / "captures" / "m365_standing.cap",
        tmp_path / "dongle",
    )
    for _ in range(2):
        replay = ["replay", str(capture), "--json", "--depth", "app", "--flash", str(flash)]
        assert main(replay) == 0
    capsys.readouterr()
    assert main(["journal", str(flash), "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["boot"], r["cause"]) for r in said if r["kind"] == "boot"] == [
        (1, "power_on"), (2, "power_on"),
    ]  # fmt: skip
    assert main(["replay", str(capture), "--flash", str(flash)]) == 2
    assert "add --depth app" in capsys.readouterr().err

"""What goes into the black box and when: alerts, rides and charges, traces around alarms,
checkpoints, and what the next start makes of the last one."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import MicroPython
from deckwatch.guardrails.table import NAMES
from deckwatch.outputs import journal as layout
from deckwatch.recorder import Recorder
from line_rig import LineRig
from packlab.journal.records import Record, parse

CELLS = [3700] * 6 + [3650] + [3700] * 3
LOOK_MS = 250


class Boxed(LineRig):
    """A line whose alerts and values are recorded; looked at every 250 ms, as keeper.py does.

    saved: all records; slots: what the checkpoint slot held, one after the other.
    """

    def __init__(self, boots: int = 7, start: int = 0, **options: Any) -> None:
        super().__init__(start, **options)
        self.recorder = Recorder(self.core, NAMES, boots)
        self.saved = bytearray()
        self.slots: list[bytes] = []
        self.cleared = 0
        self._number = 1
        self._looked = 0

    def on_alert(self, alerts: Any, code: int) -> None:
        super().on_alert(alerts, code)
        self.recorder.note(alerts, code)

    def advance(self, ms: int) -> None:
        end = self.ms + ms
        while self.ms < end:
            super().advance(min(50, end - self.ms))
            if self.ms - self._looked >= LOOK_MS:
                self._looked = self.ms
                self.recorder.look(self.now)
                self.keep()

    def keep(self) -> None:
        """What keeper.py does, without a flash."""
        batch = self.recorder.batch
        at = 0
        while at < batch.size:
            at = layout.seal(batch.buf, at, self._number)
            self._number += 1
        self.saved += batch.buf[: batch.size]
        batch.clear()
        self.recorder.urgent = False
        for log in self.recorder.logs:
            if log.due and not log.lost:
                made = layout.Batch(128)
                made.boot, made.uptime_s = batch.boot, batch.uptime_s
                log.checkpoint(made, self.now)
                layout.seal(made.buf, 0, self._number)
                self.slots.append(bytes(made.buf[: made.size]))
            elif log.clear:
                log.clear = False
                self.cleared += 1

    def records(self, *kinds: str) -> list[Record]:
        journal = parse([bytes(self.saved)])
        assert (journal.damaged, journal.unknown, journal.missing) == (0, 0, 0)
        return [record for record in journal.records if not kinds or record.kind in kinds]

    def checkpoints(self) -> list[dict[str, Any]]:
        return [parse([slot]).records[0].fields for slot in self.slots]


def ridden(**options: Any) -> Boxed:
    """A ride of 40 s at 5 A, cells read."""
    rig = Boxed(**options)
    rig.level("idle")
    rig.ride(40, CELLS, current_ma=-5000)
    return rig


# --- sessions ------------------------------------------------------------------------------------


def test_a_ride_tells_its_extremes_when_it_is_over() -> None:
    rig = ridden()
    rig.ride(20, CELLS, current_ma=-18_000, pack_mv=35_500, temps_c=(31, 30))
    rig.ride(10, CELLS, current_ma=4_000, pack_mv=37_500, soc_pct=58)
    assert rig.records("ride") == []
    rig.ride(70, CELLS, current_ma=0)
    (ride,) = rig.records("ride")
    assert (ride.pack, ride.boot) == (1, 7)
    fields = ride.fields
    assert 118 <= fields["seconds"] <= 132
    assert fields["low_pack_mv"] == 35_500
    assert fields["high_pack_mv"] == 37_500
    assert (fields["most_out_ma"], fields["most_in_ma"]) == (18_000, 4_000)
    assert (fields["lowest_mv"], fields["lowest_cell"]) == (3650, 7)
    assert (fields["coldest_dc"], fields["hottest_dc"]) == (230, 310)
    assert (fields["first_pct"], fields["last_pct"]) == (60, 60)
    drawn_mah = (5 * 40 + 18 * 20) / 3.6
    assert drawn_mah - 3 <= fields["out_mah"] <= drawn_mah + 3
    assert fields["in_mah"] == 11
    assert rig.cleared == 1


def test_a_ride_ends_when_the_scooter_is_switched_off() -> None:
    rig = ridden()
    rig.level("low")
    rig.advance(2000)
    (ride,) = rig.records("ride")
    assert 38 <= ride.fields["seconds"] <= 41
    assert rig.recorder.logs[0].session == 0


def test_a_line_that_fails_for_less_than_a_minute_does_not_end_a_ride() -> None:
    rig = ridden()
    rig.advance(50_000)
    rig.ride(10, CELLS, current_ma=-5000)
    assert rig.records("ride") == []
    rig.advance(70_000)
    (ride,) = rig.records("ride")
    assert 150 <= ride.fields["seconds"] <= 175


def test_a_charge_is_told_apart_and_kept_every_five_minutes() -> None:
    rig = Boxed()
    rig.level("idle")
    rig.ride(660, None, current_ma=2000, bits=0x41)
    assert [checkpoint["session"] for checkpoint in rig.checkpoints()] == ["charge"] * 3
    assert [c["so_far"]["seconds"] // 10 for c in rig.checkpoints()] == [0, 30, 60]
    rig.ride(10, None, current_ma=0, bits=1)
    (charge,) = rig.records("charge")
    assert 360 <= charge.fields["in_mah"] <= 370
    assert charge.fields["most_in_ma"] == 2000


# --- checkpoints ---------------------------------------------------------------------------------


def test_while_riding_a_checkpoint_is_due_every_10_s() -> None:
    rig = ridden()
    found = [parse([slot]).records[0] for slot in rig.slots]
    times = [record.uptime_s for record in found]
    assert len(times) >= 4
    assert max(b - a for a, b in pairwise(times)) <= 10
    fields = found[-1].fields
    assert fields["session"] == "ride"
    assert (fields["pack_mv"], fields["current_ma"], fields["soc_pct"]) == (36_950, -5000, 60)
    assert (fields["lowest_mv"], fields["lowest_cell"]) == (3650, 7)
    assert 9 <= fields["since_last"]["seconds"] <= 10
    assert fields["so_far"]["seconds"] >= 29


def test_the_load_s_coming_and_going_is_kept_at_once() -> None:
    rig = ridden()
    before = len(rig.slots)
    rig.ride(1.5, None, current_ma=-20_000, pack_mv=35_000)
    assert [c["current_ma"] for c in rig.checkpoints()[before:]][:1] == [-20_000]
    rig.ride(1.5, None, current_ma=-3_000)
    mark = len(rig.slots)
    rig.ride(1.5, None, current_ma=-500)
    after = rig.checkpoints()[mark:]
    assert [c["current_ma"] for c in after][:1] == [-500]
    assert after[0]["since_last"]["most_out_ma"] >= 3_000
    assert len(rig.slots) - before <= 4


def test_extremes_since_the_last_checkpoint_begin_anew_with_each() -> None:
    rig = ridden()
    rig.ride(9, None, current_ma=-9_000, pack_mv=35_200)
    rig.ride(25, None, current_ma=-2_000)
    last = rig.checkpoints()[-1]
    assert last["since_last"]["most_out_ma"] == 2_000
    assert last["so_far"]["most_out_ma"] == 9_000
    assert last["so_far"]["low_pack_mv"] == 35_200


# --- alerts and traces ---------------------------------------------------------------------------


def test_an_alarm_brings_the_30_s_before_it_and_10_s_after() -> None:
    rig = ridden(discharge_current_alarm_ma=20_000)
    rig.ride(3, CELLS, current_ma=-25_000)
    (alarm,) = rig.records("alert")
    fields = alarm.fields
    assert (fields["code"], fields["level"], fields["state"]) == (
        "discharge_current", "alarm", "set",
    )  # fmt: skip
    assert (fields["value"], fields["limit"], fields["peak"]) == (25_000, 20_000, 25_000)
    traces = rig.records("trace")
    rows = [row for trace in traces for row in trace.fields["rows"]]
    assert [row["before_s"] for row in rows] == list(range(29, -1, -1))
    assert [row["current_ma"] for row in rows][:28] == [-5000] * 28
    assert rows[0]["lowest_cell"] == 7
    rig.ride(30, CELLS, current_ma=-25_000)
    (after,) = rig.records("trace")[len(traces) :]
    assert [row["current_ma"] for row in after.fields["rows"]] == [-25_000] * 10
    assert 9 <= after.uptime_s - alarm.uptime_s <= 11


def test_a_warning_is_recorded_without_a_trace() -> None:
    rig = ridden(discharge_current_warn_ma=20_000)
    rig.ride(3, CELLS, current_ma=-25_000)
    rig.ride(3, CELLS, current_ma=-5_000)
    told = [(r.fields["code"], r.fields["state"], r.fields["peak"]) for r in rig.records("alert")]
    assert told == [("discharge_current", "set", 25_000), ("discharge_current", "clear", 25_000)]
    assert rig.records("trace") == []


def test_an_alert_that_flutters_does_not_push_out_the_rest() -> None:
    rig = Boxed()
    rig.level("idle")
    for _ in range(12):
        rig.ride(4, None, bits=1, temps_c=(23, 23))
        rig.error(21)
        rig.error(21)
        rig.ride(4, None)
        rig.error(0)
        rig.error(0)
        rig.ride(3, None)
    told = [r for r in rig.records("alert") if r.fields["code"] == "controller_error"]
    assert len(rig.told("controller_error")) > 15
    assert len(told) == 8
    rig.advance(3_600_000 - rig.ms % 3_600_000)
    mark = len(rig.records("alert"))
    rig.ride(5, None)
    rig.error(21)
    rig.error(21)
    rig.ride(1, None)
    assert "controller_error" in [r.fields["code"] for r in rig.records("alert")[mark:]]


def test_words_are_kept_twenty_an_hour_and_the_others_counted() -> None:
    rig = Boxed()
    rig.advance(250)
    for number in range(30):
        rig.recorder.words(layout.NOTE, str(number))
        rig.advance(250)
    assert [r.fields["text"] for r in rig.records("note")] == [str(n) for n in range(20)]
    assert rig.recorder.batch.lost == 10
    rig.recorder.losses(2, 0)
    rig.advance(3_600_000)
    rig.recorder.words(layout.NOTE, "again")
    rig.advance(250)
    lost, again = rig.records("lost", "note")[-2:]
    assert lost.fields == {"without_room": 10, "refused": 2, "damaged_segments": 0}
    assert again.fields["text"] == "again"


# --- the next start ------------------------------------------------------------------------------


def next_start(slot: bytes, saved: bytes = b"", cause: str = "power_on") -> Boxed:
    rig = Boxed(boots=8)
    rig.recorder.start(cause, 0, "0.1.0")
    records = [bytearray(record) for record in _split(saved)]
    rig.recorder.recall(0, slot, iter(records))
    rig.level("idle")
    return rig


def _split(data: bytes) -> list[bytes]:
    found = []
    at = 0
    while at < len(data):
        end = at + layout.HEAD_BYTES + data[at + 1] + layout.CRC_BYTES
        found.append(data[at:end])
        at = end
    return found


def under_load() -> Boxed:
    rig = ridden()
    rig.ride(13, [3600] * 6 + [3300] + [3600] * 3, current_ma=-22_000)
    return rig


def test_a_supply_that_went_under_load_was_a_trip() -> None:
    before = under_load()
    rig = next_start(before.slots[-1])
    rig.ride(2, None)
    assert rig.records("supply") == []
    rig.ride(3, None)
    boot, checkpoint, ride, supply, alert, _trace = rig.records()
    assert boot.fields["cause"] == "power_on"
    assert (checkpoint.boot, checkpoint.fields["current_ma"]) == (7, -22_000)
    assert checkpoint.fields["lowest_cell"] == 7
    assert checkpoint.fields["since_last"]["lowest_mv"] == 3300
    assert checkpoint.fields["since_last"]["low_pack_mv"] == 35_700
    assert checkpoint.fields["since_last"]["seconds"] <= 10
    assert (ride.kind, ride.boot) == ("ride", 7)
    assert ride.fields == checkpoint.fields["so_far"]
    assert (supply.boot, supply.fields) == (8, {"verdict": "tripped", "session": "ride"})
    rig.ride(1, None)
    assert rig.state("bms_trip") == ("set", "alarm")
    assert rig.told("bms_trip")[0].ms >= 3_000
    alert = next(r for r in rig.records("alert") if r.fields["code"] == "bms_trip")
    assert (alert.boot, alert.fields["value"]) == (8, 22_000)
    assert (alert.kind, alert.fields["code"], alert.fields["value"]) == (
        "alert",
        "bms_trip",
        22_000,
    )
    assert rig.cleared == 1


@pytest.mark.parametrize("standing_s", [1.5, 5, 30])
def test_a_scooter_that_is_switched_off_has_not_tripped(standing_s: float) -> None:
    before = under_load()
    before.ride(standing_s, None, current_ma=-150)
    rig = next_start(before.slots[-1])
    rig.ride(4, None)
    assert [r.fields["verdict"] for r in rig.records("supply")] == ["switched_off"]
    assert rig.told("bms_trip") == []


def test_load_that_goes_on_at_once_was_a_contact_that_bounced() -> None:
    rig = next_start(under_load().slots[-1])
    rig.ride(4, None, current_ma=-15_000)
    assert [r.fields["verdict"] for r in rig.records("supply")] == ["bounced"]
    assert rig.told("bms_trip") == []
    assert len(rig.records("ride")) == 1


@pytest.mark.parametrize("cause", ["watchdog", "hard", "soft", "wake", "unknown"])
def test_a_restart_of_the_dongle_s_own_was_no_trip(cause: str) -> None:
    rig = next_start(under_load().slots[-1], cause=cause)
    rig.ride(4, None)
    assert [r.fields["verdict"] for r in rig.records("supply")] == ["restarted"]


def test_a_second_bounce_before_it_is_judged_leaves_it_for_the_next_start() -> None:
    slot = under_load().slots[-1]
    rig = next_start(slot)
    rig.ride(1, None)
    assert rig.records("supply") == []
    assert rig.cleared == 0
    again = next_start(slot, bytes(rig.saved))
    again.ride(4, None)
    assert [r.fields["verdict"] for r in again.records("supply")] == ["tripped"]


def test_nothing_is_told_twice_when_the_supply_goes_before_the_slot_is_cleared() -> None:
    before = under_load()
    rig = next_start(before.slots[-1])
    rig.ride(4, None)
    again = next_start(before.slots[-1], bytes(rig.saved))
    again.ride(4, None)
    assert again.records("supply", "ride") == []
    assert again.cleared == 1
    before.level("low")
    before.advance(2000)
    after = next_start(before.slots[-1], bytes(before.saved))
    after.ride(4, None)
    assert after.records("supply", "ride") == []


def test_no_checkpoint_takes_the_place_of_one_that_is_not_judged_yet() -> None:
    rig = next_start(under_load().slots[-1])
    rig.ride(2.5, None, current_ma=-900)
    rig.ride(0.4, None, current_ma=-1_500)
    assert rig.slots == []


# --- on the chip ---------------------------------------------------------------------------------

LOCKED = """
import micropython
from deckwatch import config
from deckwatch.guardrails.table import NAMES
from deckwatch.outputs import journal
from deckwatch.pipeline import Pipeline
from deckwatch.recorder import Recorder
from deckwatch.telemetry import INDEX
core = Pipeline(config.load({}), None)
recorder = Recorder(core, NAMES, 3)
slot = journal.Batch(128)
pack = core.packs[0]
t = pack.telemetry
names = [INDEX[n] for n in ("current_ma", "pack_mv", "soc_pct", "riding", "charging", "coldest_dc",
         "hottest_dc", "lowest_mv", "highest_mv")]
alerts = pack.alerts
def second(now, ma, riding):
    t.begin(now)
    for name in names:
        t.set(name, 3700)
    t.set(names[0], ma)
    t.set(names[3], riding)
    t.set(names[4], 0)
    t.end()
    core.uptime_s += 1
    recorder.look(now)
def work(now):
    for n in range(40):
        now += 1000
        second(now, -20000 + 500 * n, 1)
        recorder.batch.clear()
        if recorder.logs[0].due:
            recorder.logs[0].checkpoint(slot, now)
            slot.clear()
    alerts.state[0] = 1
    alerts.level[0] = 3
    recorder.note(alerts, 0)
    second(now + 1000, 0, 0)
    size = recorder.batch.size
    recorder.batch.clear()
    core.uptime_s += 3600
    return size
work(0)
micropython.heap_lock()
size = work(100000)
micropython.heap_unlock()
print(size)
"""


def test_nothing_is_allocated_while_it_records(micropython32: MicroPython) -> None:
    alert = layout.HEAD_BYTES + layout.ALERT_BYTES + layout.CRC_BYTES
    trace = layout.HEAD_BYTES + 1 + 10 * layout.ROW_BYTES + layout.CRC_BYTES
    ride = layout.HEAD_BYTES + layout.SPAN_BYTES + layout.CRC_BYTES
    assert int(micropython32.execute(LOCKED)) == alert + 3 * trace + ride


WEIGHED = """
import gc, os
os.chdir(FOLDER)
from deckwatch import config
from deckwatch.guardrails.table import NAMES
from deckwatch.hal.segments import Segments
from deckwatch.pipeline import Pipeline
from deckwatch.recorder import Recorder
core = Pipeline(config.load({}), None)
gc.collect()
before = gc.mem_alloc()
kept = Recorder(core, NAMES, 3), Segments()
gc.collect()
print(gc.mem_alloc() - before)
"""


def test_what_it_keeps_in_the_heap_is_bounded(micropython32: MicroPython, tmp_path: Path) -> None:
    """docs/journal.md: 2.5 KB for one pack, its code apart, which lies in flash when frozen."""
    said = micropython32.execute(WEIGHED.replace("FOLDER", repr(str(tmp_path))))
    assert 1500 < int(said) <= 2560

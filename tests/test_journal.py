"""Records of the black box: what is written comes back, what is damaged is skipped and counted,
and the words, the table and the JSON of `packlab journal`."""

import csv
import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import MicroPython
from deckwatch.guardrails.table import CODES
from deckwatch.memory import REST_MV, SIZE, Memory
from deckwatch.outputs import journal as layout
from deckwatch.outputs.journal import Batch, Span
from deckwatch.telemetry import SLOTS
from pack_rig import PackRig
from packlab.cli import main
from packlab.journal.records import KINDS, VERDICTS, Journal, Record, parse

SECOND = 1000


def batch(room: int = 1024, **stamps: int) -> Batch:
    made = Batch(room)
    made.boot, made.uptime_s, made.wall_s = 7, 65, 0
    for name, value in stamps.items():
        setattr(made, name, value)
    return made


def sealed(made: Batch, first: int = 100) -> bytes:
    at = 0
    while at < made.size:
        at = layout.seal(made.buf, at, first)
        first += 1
    assert at == made.size
    return bytes(made.buf[:at])


def only(made: Batch) -> Record:
    journal = parse([sealed(made)])
    assert (journal.damaged, journal.unknown, journal.missing) == (0, 0, 0)
    (record,) = journal.records
    return record


def notes(texts: list[str], first: int = 1) -> bytes:
    made = batch(60 * len(texts))
    for text in texts:
        made.text(layout.NOTE, text)
    return sealed(made, first)


def texts(journal: Journal) -> list[str]:
    return [record.fields["text"] for record in journal.records]


# --- bytes ---------------------------------------------------------------------------------------


def test_a_record_byte_by_byte() -> None:
    made = batch(boot=0x10203, uptime_s=0x01020304, wall_s=0x05060708)
    made.text(layout.NOTE, "hi")
    data = sealed(made, 0x090A0B0C)
    head = bytes.fromhex("a6 02 08 00 0c0b0a09 0302 04030201 08070605")
    assert data == head + b"hi" + struct.pack("<I", zlib.crc32(head + b"hi"))
    assert layout.HEAD_BYTES == len(head) == struct.calcsize(layout.HEAD)


@pytest.mark.parametrize(
    ("size", "format_"),
    [
        (layout.ALERT_BYTES, layout.ALERT_FORMAT),
        (layout.SNAPSHOT_BYTES, layout.SNAPSHOT_FORMAT),
        (layout.SPAN_BYTES, layout.SPAN_FORMAT),
        (layout.ROW_BYTES, layout.ROW_FORMAT),
        (layout.CHECKPOINT_BYTES, "<B" + 19 * "B" + 80 * "B"),
    ],
)
def test_the_sizes_are_those_of_the_layouts(size: int, format_: str) -> None:
    assert size == struct.calcsize(format_)


def test_a_checkpoint_and_a_memory_of_14_groups_stay_within_what_littlefs_keeps_inline() -> None:
    assert layout.HEAD_BYTES + layout.CHECKPOINT_BYTES + layout.CRC_BYTES <= 128


def test_every_name_has_its_own_number() -> None:
    names = {*CODES, *SLOTS}
    assert len({layout.name_id(name) for name in names}) == len(names)


def test_kinds_and_verdicts_have_the_firmware_s_numbers() -> None:
    for number, name in enumerate(KINDS[1:], 1):
        assert getattr(layout, name.upper()) == number
    for number, name in enumerate(VERDICTS[1:], 1):
        assert getattr(layout, name.upper()) == number


# --- there and back ------------------------------------------------------------------------------


def test_a_start() -> None:
    made = batch()
    made.boot_record("watchdog", 3, "0.1.0")
    record = only(made)
    assert (record.kind, record.pack, record.boot, record.uptime_s) == ("boot", 0, 7, 65)
    assert record.fields == {
        "cause": "watchdog", "failed": 3, "firmware": "0.1.0"
    }  # fmt: skip
    made = batch()
    made.boot_record("of its own", 300, "")
    assert only(made).fields["cause"] == "unknown"
    assert only(made).fields["failed"] == 255


def test_an_alert_with_all_that_belongs_to_it() -> None:
    rig = PackRig(number=1)
    for _ in range(70):
        rig.frame(current_ma=0, cells=[3700] * 9 + [3500])
        rig.advance(SECOND)
    code = CODES.index("cell_spread")
    assert rig.state("cell_spread") == ("set", "alarm")
    rig.frame(current_ma=0, cells=[3700] * 9 + [3520])
    made = batch()
    slot = rig.alerts.slot[code]
    ids = layout.name_id("cell_spread"), layout.name_id(SLOTS[slot])
    since = rig.alerts.since[code]
    made.alert(rig.alerts, code, *ids, (since + 12_345) % (1 << 30))
    record = only(made)
    assert (record.kind, record.pack) == ("alert", 2)
    assert record.fields == {
        "code": "cell_spread", "unit": "cell_spread_mv", "state": "set", "level": "alarm",
        "where": 10, "value": 180, "limit": 150, "peak": 200, "count": 1, "age_s": 12,
    }  # fmt: skip


def test_an_alert_of_a_guardrail_that_is_gone_keeps_its_number() -> None:
    rig = PackRig()
    made = batch()
    made.alert(rig.alerts, 0, 0x1234, 0x5678, 0)
    assert only(made).fields["code"] == "guardrail_1234"


def spans_of(span: Span) -> dict[str, Any]:
    made = batch()
    at = made.begin(layout.RIDE, 1, layout.SPAN_BYTES)
    span.write(made.buf, at)
    return only(made).fields


def test_a_span_keeps_the_extremes() -> None:
    rig = PackRig()
    span = Span()
    assert {value for name, value in spans_of(span).items() if name != "seconds"} == {None, 0}
    for mv, ma, cells, temps in (
        (40_000, -500, [4000] * 9 + [3990], [200, 210]),
        (35_100, -18_000, [3600] * 4 + [3400] + [3650] * 5, [250, 230]),
        (41_000, 3_000, [4100] * 10, [190, 200]),
    ):
        rig.frame(pack_mv=mv, current_ma=ma, cells=cells, temps=temps, soc_pct=ma % 100)
        span.take(rig.t, rig.now)
        for _ in range(600):
            span.second(rig.t, rig.now)
        rig.advance(SECOND)
    assert spans_of(span) == {
        "seconds": 1800, "low_pack_mv": 35_100, "high_pack_mv": 41_000,
        "most_out_ma": 18_000, "most_in_ma": 3_000, "lowest_mv": 3400, "lowest_cell": 5,
        "highest_mv": 4100, "highest_cell": 1, "coldest_dc": 190, "hottest_dc": 250,
        "out_mah": 3083, "in_mah": 500, "first_pct": -500 % 100, "last_pct": 3000 % 100,
    }  # fmt: skip
    span.restart()
    assert spans_of(span)["seconds"] == 0
    assert spans_of(span)["most_out_ma"] is None


def test_stale_values_are_not_known() -> None:
    rig = PackRig()
    rig.frame(pack_mv=40_000, current_ma=-500, soc_pct=50, cells=[4000] * 10, temps=[200, 200])
    span = Span()
    late = (rig.now + 20 * SECOND) % (1 << 30)
    span.take(rig.t, late)
    span.second(rig.t, late)
    fields = spans_of(span)
    assert fields.pop("seconds") == 1
    assert set(fields.values()) == {None, 0}
    made = batch()
    at = made.begin(layout.TRACE, 1, 1 + 2 * layout.ROW_BYTES)
    made.buf[at] = 1
    layout.row(made.buf, at + 1, rig.t, rig.now)
    layout.row(made.buf, at + 1 + layout.ROW_BYTES, rig.t, late)
    first, second = only(made).fields["rows"]
    assert first == {
        "before_s": 1, "pack_mv": 40_000, "current_ma": -500, "lowest_mv": 4000, "lowest_cell": 1,
        "hottest_dc": 200,
    }  # fmt: skip
    assert second == {"before_s": 0, **dict.fromkeys(list(first)[1:])}


@pytest.mark.parametrize("mv", [0, 65_535, 67_200, 100_000])
@pytest.mark.parametrize("ma", [-400_000, -44_000, 0, 327_670, 400_000])
def test_a_snapshot_holds_what_any_pack_gives(mv: int, ma: int) -> None:
    rig = PackRig()
    rig.frame(pack_mv=mv, current_ma=ma, soc_pct=101, cells=[5000] * 10, temps=[-200, 1200])
    made = batch()
    at = made.begin(layout.CHECKPOINT, 1, layout.CHECKPOINT_BYTES)
    made.buf[at] = layout.RIDE
    layout.snapshot(made.buf, at + 1, rig.t, rig.now)
    span = Span()
    span.take(rig.t, rig.now)
    span.write(made.buf, at + 1 + layout.SNAPSHOT_BYTES)
    span.write(made.buf, at + 1 + layout.SNAPSHOT_BYTES + layout.SPAN_BYTES)
    fields = only(made).fields
    assert (fields["session"], fields["pack_mv"], fields["current_ma"]) == ("ride", mv, ma)
    assert fields["soc_pct"] == 101
    assert fields["since_last"] == fields["so_far"]
    assert fields["so_far"]["most_out_ma"] == max(0, -ma)
    at = made.begin(layout.TRACE, 1, 1 + layout.ROW_BYTES)
    layout.row(made.buf, at + 1, rig.t, rig.now)
    (row,) = parse([sealed(made)]).records[1].fields["rows"]
    assert row["pack_mv"] == mv // 10 * 10
    assert row["current_ma"] == max(-327_670, min(327_670, ma))


def test_words_configuration_supply_losses_and_memory() -> None:
    made = batch()
    made.text(layout.CONFIG, "cell_high_warn_mv\0004220\0004180")
    made.text(layout.NOTE, "é" * 200)
    made.data(layout.SUPPLY, 2, bytes((layout.TRIPPED, layout.RIDE)))
    made.data(layout.LOST, 0, struct.pack(layout.LOST_FORMAT, 1, 2, 3))
    kept = Memory()
    kept.kept[REST_MV], kept.cells = 37_000, 2
    kept.cell_mv[0], kept.cell_mv[1] = 3700, 3690
    buf = bytearray(SIZE)
    kept.write(buf)
    made.data(layout.MEMORY, 1, bytes(buf).rstrip(b"\0"))
    config, note, supply, lost, memory = parse([sealed(made)]).records
    assert config.fields == {"option": "cell_high_warn_mv", "old": "4220", "new": "4180"}
    assert note.fields["text"].startswith("é" * 127)
    assert (supply.pack, supply.fields) == (2, {"verdict": "tripped", "session": "ride"})
    assert lost.fields == {"without_room": 1, "refused": 2, "damaged_segments": 3}
    assert memory.fields == {"rest_mv": 37_000, "cell_mv": [3700, 3690]}


def test_what_finds_no_room_is_counted_and_leaves_the_others_whole() -> None:
    made = batch(80)
    made.text(layout.NOTE, "one")
    made.text(layout.NOTE, "x" * 34)
    assert (made.lost, texts(parse([sealed(made)]))) == (1, ["one"])
    made.text(layout.NOTE, "x" * 33)
    assert made.size == 80
    assert made.lost == 1
    made.clear()
    made.text(layout.NOTE, "two")
    assert texts(parse([sealed(made)])) == ["two"]


# --- damage --------------------------------------------------------------------------------------

FIVE = notes(["one", "two", "three", "four", "five"])


def test_records_are_put_in_order_and_kept_once() -> None:
    later, earlier = notes(["c", "d"], 3), notes(["a", "b"], 1)
    assert texts(parse([later, earlier, later])) == ["a", "b", "c", "d"]


def test_one_wrong_bit_anywhere_costs_one_record() -> None:
    for bit in range(8 * len(FIVE)):
        damaged = bytearray(FIVE)
        damaged[bit // 8] ^= 1 << bit % 8
        journal = parse([bytes(damaged)])
        assert len(journal.records) == 4, bit
        assert journal.damaged == 1


def test_cut_off_anywhere_all_records_before_it_are_there() -> None:
    ends = [i for i in range(len(FIVE) + 1) if parse([FIVE[:i]]).damaged == 0]
    assert len(ends) == 6
    for cut in range(len(FIVE)):
        journal = parse([FIVE[:cut]])
        assert len(journal.records) == sum(end <= cut for end in ends) - 1


def test_bytes_of_anything_else_give_no_record() -> None:
    for seed in range(200):
        noise = Random(seed).randbytes(400)
        assert parse([noise]).records == ()
    mixed = FIVE[:25] + b"\xa6" * 100 + FIVE[25:]
    assert texts(parse([mixed])) == ["one", "two", "three", "four", "five"]
    assert parse([mixed]).damaged == 1


def test_missing_numbers_are_counted() -> None:
    assert parse([notes(["a"], 1), notes(["b"], 5)]).missing == 3


def test_kinds_of_a_newer_firmware_are_counted() -> None:
    made = batch()
    made.data(200, 0, b"?")
    made.text(layout.NOTE, "known")
    made.data(layout.SUPPLY, 0, b"")
    journal = parse([sealed(made)])
    assert (texts(journal), journal.unknown, journal.damaged) == (["known"], 2, 0)


# --- time ----------------------------------------------------------------------------------------


def test_a_start_is_timed_by_whichever_record_knew() -> None:
    wall = int(
        (datetime(2026, 11, 28, 18, tzinfo=UTC) - datetime(2020, 1, 1, tzinfo=UTC)).total_seconds()
    )
    made = batch(boot=8, uptime_s=10)
    made.text(layout.NOTE, "before it was told")
    made.uptime_s, made.wall_s = 100, wall
    made.text(layout.NOTE, "told")
    made.boot, made.uptime_s, made.wall_s = 9, 5, 0
    made.text(layout.NOTE, "another start")
    times = [record.time for record in parse([sealed(made)]).records]
    told = datetime(2026, 11, 28, 18, tzinfo=UTC)
    assert times == [told - timedelta(seconds=90), told, None]


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal in two segments, the second with a damaged end."""
    made = batch()
    made.boot_record("power_on", 0, "0.1.0")
    rig = PackRig()
    rig.frame(pack_mv=36_000, current_ma=-12_000, cells=[3600] * 10, temps=[250, 250])
    at = made.begin(layout.TRACE, 1, 1 + 3 * layout.ROW_BYTES)
    made.buf[at] = 2
    for row in range(3):
        layout.row(made.buf, at + 1 + row * layout.ROW_BYTES, rig.t, rig.now)
    made.text(layout.CONFIG, "series\x0010\x0013")
    (tmp_path / "1.log").write_bytes(sealed(made, 1))
    (tmp_path / "2.log").write_bytes(notes(["acknowledged"], 4) + b"\xa6\x00half")
    return tmp_path


def test_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", str(folder)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "start 7"
    assert said[1].endswith("started: the supply was switched on; firmware 0.1.0")
    assert [line.split("  ")[-1].strip() for line in said[3:6]] == [
        "36.00 V, 12.00 A discharging, group 1 lowest at 3.600 V, 25.0 °C"
    ] * 3
    assert "option series: 10 -> 13" in said[6]
    assert said[7].endswith("acknowledged")
    assert said[8] == "1 damaged stretches were skipped"


def test_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", str(folder), "--json"]) == 0
    told = capsys.readouterr()
    records = [json.loads(line) for line in told.out.splitlines()]
    assert [record["kind"] for record in records] == ["boot", "trace", "config", "note"]
    assert records[0]["cause"] == "power_on"
    assert records[1]["rows"][0]["lowest_cell"] == 1
    assert told.err == "packlab: 1 damaged stretches were skipped\n"


def test_as_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", str(folder), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["kind"] for row in rows] == ["boot", "trace", "trace", "trace", "config", "note"]
    assert [row["uptime_s"] for row in rows[1:4]] == ["63", "64", "65"]
    assert rows[1]["current_ma"] == "-12000"
    assert rows[4]["new"] == "13"


def test_one_file_and_what_was_saved(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.log"
    assert main(["journal", str(folder), "--save", str(kept)]) == 0
    assert kept.read_bytes() == b"".join(
        (folder / name).read_bytes() for name in ("1.log", "2.log")
    )
    assert main(["journal", str(kept)]) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"not a journal at all", "holds no whole record"), (b"", "is empty")],
)
def test_other_files_are_refused_in_a_sentence(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    assert main(["journal", str(path)]) == 2
    assert said in capsys.readouterr().err
    assert main(["journal", str(tmp_path / "none.log")]) == 2
    assert "there is no file" in capsys.readouterr().err
    assert main(["journal", "/dev/ttyNONE7"]) == 2
    assert "there is no port /dev/ttyNONE7" in capsys.readouterr().err


# --- on the chip ---------------------------------------------------------------------------------

LOCKED = """
import micropython
from deckwatch import config
from deckwatch.outputs import journal
from deckwatch.pipeline import Pipeline
core = Pipeline(config.load({}), None)
pack = core.packs[0]
t = pack.telemetry
batch = journal.Batch(512)
span = journal.Span()
t.begin(1000)
for cell in range(10):
    t.set_cell(cell, 3700 + cell)
for slot in range(1, 40):
    t.set(slot, 1 << 29)
t.end()
def work():
    batch.alert(pack.alerts, 0, 0xFFFF, 0xFFFF, (1 << 30) - 1)
    at = batch.begin(journal.CHECKPOINT, 1, journal.CHECKPOINT_BYTES)
    span.take(t, 2000)
    span.second(t, 2000)
    journal.snapshot(batch.buf, at + 1, t, 2000)
    span.write(batch.buf, at + 20)
    span.write(batch.buf, at + 60)
    journal.row(batch.buf, at, t, 2000)
    span.restart()
    span.write(batch.buf, at + 60)
    journal.snapshot(batch.buf, at + 1, t, 1 << 20)
    EXTRA
    batch.clear()
work()
micropython.heap_lock()
work()
micropython.heap_unlock()
print("done")
"""


def test_nothing_is_allocated_while_records_are_made(micropython32: MicroPython) -> None:
    assert micropython32.execute(LOCKED.replace("EXTRA", "pass")) == "done\n"
    with pytest.raises(AssertionError, match="heap is locked"):
        micropython32.execute(LOCKED.replace("EXTRA", "[at]"))


def test_the_chip_seals_as_the_bench_reads(micropython: MicroPython) -> None:
    code = (
        "from deckwatch.outputs import journal as j\n"
        "b = j.Batch(300)\n"
        "b.boot, b.uptime_s, b.wall_s = 3, 4, 5\n"
        "for n in range(6): b.text(j.NOTE, 'note %d' % n)\n"
        "at = 0\n"
        "for n in range(6): at = j.seal(b.buf, at, 2**32 - 10 + n)\n"
        "print([j.is_whole(b.buf, 0, n) for n in (28, 27)], j.sequence_of(b.buf, 0))\n"
        "print(bytes(b.buf[:b.size]).hex())\n"
    )
    whole, data = micropython.execute(code).splitlines()
    assert whole == f"[True, False] {2**32 - 10}"
    journal = parse([bytes.fromhex(data)])
    assert texts(journal) == [f"note {n}" for n in range(6)]
    assert [r.sequence for r in journal.records] == [2**32 - 10 + n for n in range(6)]

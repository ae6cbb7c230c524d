"""Made-up captures: repeatable, labelled, timed like the recorded line, telling what they promise.

The scenario is judged from the bytes alone by a small reader of frames written here: neither the
model that made them nor the firmware is asked. data/captures/charge_and_ride.expect.json was
written before the model existed; the times found here must lie in its windows.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from packlab.capture import CaptureReader, Chunk, Event, Level, LineSetting
from packlab.errors import PacklabError
from packlab.made import made_capture_path, make
from packlab.made.pack import MAMS_PER_MAH, Group, Pack
from packlab.made.world import Scene, World

SCENARIO = "charge_and_ride"
CAPTURES = Path(__file__).parent / "data" / "captures"
EXPECTED = json.loads((CAPTURES / f"{SCENARIO}.expect.json").read_text("utf-8"))
SEEDS = [1, 2, 3]


class Sample(NamedTuple):
    """A reply: when its last byte was in, and its words; the names fit words 30 or 40 on."""

    t_s: float
    words: tuple[int, ...]

    @property
    def pack_mv(self) -> int:
        return self.words[4] * 10

    @property
    def discharge_ma(self) -> int:
        return ((self.words[3] ^ 0x8000) - 0x8000) * 10

    @property
    def temps_c(self) -> tuple[int, int]:
        return (self.words[5] & 0xFF) - 20, (self.words[5] >> 8) - 20

    @property
    def spread_mv(self) -> int:
        return max(self.words[:10]) - min(self.words[:10])


@cache
def events(seed: int) -> list[Event]:
    with CaptureReader(made_capture_path(SCENARIO, seed)) as reader:
        return list(reader)


def chunks(seed: int, port: str) -> list[Chunk]:
    return [event for event in events(seed) if isinstance(event, Chunk) and event.port == port]


def samples(seed: int, word: int) -> list[Sample]:
    """Return all replies that start at the word."""
    found = []
    for chunk in chunks(seed, "bms_tx"):
        if chunk.data[5] == word:
            pairs = zip(chunk.data[6:-2:2], chunk.data[7:-2:2], strict=True)
            found.append(Sample(chunk.t_us / 1e6, tuple(low | high << 8 for low, high in pairs)))
    return found


def when(found: Sequence[Sample], holds: Callable[[Sample], bool], for_s: float) -> float:
    """Return the first moment at which `holds` has been true of all samples for `for_s`."""
    since: float | None = None
    for sample in found:
        if not holds(sample):
            since = None
        elif since is None:
            since = sample.t_s
        if since is not None and sample.t_s - since >= for_s:
            return sample.t_s
    raise AssertionError("never")


def window(code: str, level: str, edge: str = "set_s") -> tuple[float, float]:
    (alert,) = (a for a in EXPECTED["alerts"] if (a["code"], a["level"]) == (code, level))
    return alert[edge][0], alert[edge][1]


def is_charging(sample: Sample) -> bool:
    return bool(sample.words[0] & 0x40)


# --- the file ----------------------------------------------------------------------------------


def test_header_calls_it_made_and_tells_how() -> None:
    with CaptureReader(made_capture_path(SCENARIO, 7)) as reader:
        header = reader.header
    assert header.origin == "made"
    assert header.source == "packlab made charge_and_ride --seed 7"
    assert header.lines == {"bms_tx": LineSetting(), "host_tx": LineSetting()}
    assert "no scooter was involved" in dict(header.notes)["note"]


def test_a_seed_gives_the_same_bytes_in_another_process_without_the_firmware() -> None:
    code = (
        "import sys; from packlab.made import make; make('charge_and_ride', 5, sys.stdout);"
        "assert not [name for name in sys.modules if name.startswith('deckwatch')]"
    )
    here, there = (
        io.StringIO(),
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": "99"},
            capture_output=True,
            text=True,
            check=True,
        ),
    )
    make(SCENARIO, 5, here)
    assert here.getvalue() == there.stdout


def test_another_seed_gives_another_capture() -> None:
    assert events(1) != events(2)


def test_the_file_is_made_once_and_kept_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = made_capture_path(SCENARIO, 1)
    assert path.parent == tmp_path / "deckwatch" / "made"
    path.write_text("kept")
    assert made_capture_path(SCENARIO, 1).read_text() == "kept"
    assert made_capture_path(SCENARIO, 2) != path


def test_a_cache_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(PacklabError, match=r"made cannot be made: .*; set XDG_CACHE_HOME"):
        made_capture_path(SCENARIO, 1)


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    message = "there is no scenario 'fairy_tale'; make one of charge_and_ride"
    with pytest.raises(PacklabError, match=message):
        make("fairy_tale", 1, io.StringIO())
    with pytest.raises(PacklabError, match=message):
        made_capture_path("fairy_tale", 1)


# --- the line, against the recorded one --------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_every_frame_is_whole(seed: int) -> None:
    for chunk in chunks(seed, "bms_tx") + chunks(seed, "host_tx"):
        data = chunk.data
        assert data[:2] == b"\x55\xaa"
        assert len(data) == data[2] + 6
        assert sum(data[2:-2]) + int.from_bytes(data[-2:], "little") == 0xFFFF
        assert data[3] == (0x25 if chunk.port == "bms_tx" else 0x22)


def test_requests_are_the_recorded_ones() -> None:
    with CaptureReader(CAPTURES / "m365_standing.cap") as reader:
        recorded = {e.data for e in reader if isinstance(e, Chunk) and e.port == "host_tx"}
    made = {chunk.data for chunk in chunks(1, "host_tx")}
    of_the_app = {word.to_bytes() for word in (0x40, 0x3B, 0x1B)}
    assert {data for data in made if data[5:6] not in of_the_app} == recorded
    # Published requests of an app (frames/xiaomi.json).
    assert bytes.fromhex("55aa032201401e7bff") in made
    assert bytes.fromhex("55aa0322011b04baff") in made


@pytest.mark.parametrize("seed", SEEDS)
def test_wires_are_low_before_power_on_and_at_the_end(seed: int) -> None:
    levels = [event for event in events(seed) if isinstance(event, Level)]
    assert [(level.port, level.level) for level in levels] == [
        (port, level) for level in ("low", "idle", "low") for port in ("bms_tx", "host_tx")
    ]
    assert events(seed)[:2] == levels[:2]
    assert levels[0].t_us == 0
    assert 8e6 <= levels[2].t_us < 9e6
    assert events(seed)[-2:] == levels[4:]
    assert 900e6 <= levels[4].t_us < 901e6


@pytest.mark.parametrize("seed", SEEDS)
def test_power_on_asks_until_the_battery_answers(seed: int) -> None:
    asked = [chunk.t_us for chunk in chunks(seed, "host_tx") if chunk.data[5] == 0x10]
    (answer,) = (chunk for chunk in chunks(seed, "bms_tx") if chunk.data[5] == 0x10)
    assert 35 <= len(asked) <= 47
    assert {b - a for a, b in pairwise(asked)} == {14_970}
    assert 8_000 < answer.t_us - asked[-1] < 12_000
    assert answer.data[6:-2] == b"DECKWATCH-MADE\x15\x01"


@pytest.mark.parametrize("seed", SEEDS)
def test_polls_and_replies_keep_the_recorded_times(seed: int) -> None:
    polls = [chunk.t_us for chunk in chunks(seed, "host_tx") if chunk.data[5] == 0x30]
    gaps = [b - a for a, b in pairwise(polls)]
    assert gaps[0] == 104_800
    assert all(209_500 <= gap <= 209_560 for gap in gaps[1:])
    starts = [chunk.t_us - 1736 for chunk in chunks(seed, "bms_tx") if chunk.data[5] == 0x30]
    delays = [start - poll for poll, start in zip(polls, starts, strict=False)]
    prompt = [delay for delay in delays if delay < 250]
    assert min(delays) > 195
    assert 30_000 < max(delays) < 36_500
    assert 0.55 < len(prompt) / len(delays) < 0.75  # 7 of 11 as recorded


# --- the scenario, against what was written down before ----------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_cold_charge_and_its_end(seed: int) -> None:
    found = samples(seed, 0x30)
    low, high = window("charge_cold", "warn")
    assert low <= when(found, lambda s: is_charging(s) and min(s.temps_c) < 5, 60) <= high
    assert {min(sample.temps_c) for sample in found if sample.t_s < high} == {3}
    late = [sample for sample in found if sample.t_s > high]
    low, high = window("charge_cold", "warn", "ends_s")
    assert low <= when(late, lambda s: min(s.temps_c) >= 7, 5) <= high
    assert min(min(sample.temps_c) for sample in found if is_charging(sample)) >= 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("level", "limit_mv"), [("warn", 100), ("alarm", 150)])
def test_drifting_group(seed: int, level: str, limit_mv: int) -> None:
    low, high = window("cell_spread", level)
    found = samples(seed, 0x40)
    assert low <= when(found, lambda s: s.spread_mv >= limit_mv, 5) <= high
    first = [sample for sample in found if sample.t_s < 600]
    assert first[0].spread_mv < 80
    assert {sample.words.index(min(sample.words[:10])) for sample in first} == {6}
    assert {sample.words[10:] for sample in found} == {(0,) * 5}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("level", "limit_mv", "hold_s"), [("warn", 42_250, 30), ("alarm", 42_500, 2)]
)
def test_charger_too_high(seed: int, level: str, limit_mv: int, hold_s: float) -> None:
    low, high = window("charge_voltage", level)
    found = samples(seed, 0x30)
    assert low <= when(found, lambda s: is_charging(s) and s.pack_mv > limit_mv, hold_s) <= high


@pytest.mark.parametrize("seed", SEEDS)
def test_failed_probe(seed: int) -> None:
    low, high = window("temp_sensor", "warn")
    found = samples(seed, 0x30)
    assert low <= when(found, lambda s: s.temps_c[1] == -20, 0.4) <= high
    assert all(3 <= sample.temps_c[0] <= 40 for sample in found)
    assert all(3 <= sample.temps_c[1] <= 40 for sample in found if sample.t_s < low)
    assert all(abs(sample.temps_c[0] - sample.temps_c[1]) < 3 for sample in found[:3900])


@pytest.mark.parametrize("seed", SEEDS)
def test_cut_line(seed: int) -> None:
    low, high = window("silence", "alarm")
    last_s = samples(seed, 0x30)[-1].t_s
    unanswered = [c.t_us / 1e6 for c in chunks(seed, "host_tx") if c.t_us / 1e6 > last_s]
    assert low <= max(unanswered[9], last_s + 5) <= high
    assert last_s + 10 < unanswered[-1] < 900


@pytest.mark.parametrize("seed", SEEDS)
def test_ride(seed: int) -> None:
    found = samples(seed, 0x30)
    ride = [sample for sample in found if 745 <= sample.t_s < 836]
    out_ma = [sample.discharge_ma for sample in ride]
    assert 18_000 < max(out_ma) < 22_000
    assert -8_000 < min(out_ma) < -4_000
    assert ride[-1].temps_c[0] - ride[0].temps_c[0] >= 8
    (standing,) = (s.pack_mv for s, after in pairwise(found) if s.t_s < 745 <= after.t_s)
    assert standing - min(sample.pack_mv for sample in ride) > 2000
    others = [sample.discharge_ma for sample in found if not 745 <= sample.t_s < 836]
    assert -2_050 < min(others) < -1_950
    assert max(others) <= 30


@pytest.mark.parametrize("seed", SEEDS)
def test_what_must_never_fire_has_no_cause(seed: int) -> None:
    found, cells = samples(seed, 0x30), samples(seed, 0x40)
    assert {sample.words[0] for sample in found} == {0x0001, 0x0041}  # bms_fault
    assert max(sample.discharge_ma for sample in found) < 27_000  # discharge_current
    assert max(max(sample.temps_c) for sample in found) < 40  # charge_hot, discharge_hot
    assert max(max(sample.words[:10]) for sample in cells) < 4150  # cell_high
    assert min(min(sample.words[:10]) for sample in cells) > 3300  # cell_low
    standing = [sample for sample in cells if sample.t_s < 600]
    for sample in standing:  # ghost_voltage
        status = max((s for s in found if s.t_s < sample.t_s), key=lambda s: s.t_s)
        assert abs(sum(sample.words) - status.pack_mv) < 50


@pytest.mark.parametrize("seed", SEEDS)
def test_cells_pass_by_only_while_the_app_reads_them(seed: int) -> None:
    cells = samples(seed, 0x40)
    dark = EXPECTED["not_watched"]["cell_spread"]
    assert not [c.t_s for c in cells if any(start <= c.t_s <= end for start, end in dark)]
    gaps = [b.t_s - a.t_s for a, b in pairwise(cells)]
    assert sum(gap > 1.2 for gap in gaps) == 1
    assert len(samples(seed, 0x1B)) == len(samples(seed, 0x3B)) == len(cells)


# --- the model ---------------------------------------------------------------------------------


def a_pack(soc_permille: int = 500, temp_mc: int = 20_000) -> Pack:
    return Pack([Group.at(soc_permille, 7800, 12_000) for _ in range(10)], 7800, temp_mc)


@pytest.mark.parametrize(
    ("soc_permille", "millivolts"),
    [(0, 3000), (500, 3730), (550, 3775), (1000, 4200), (1050, 4260), (1100, 4320)],
)
def test_open_circuit_voltage_follows_the_table(soc_permille: int, millivolts: int) -> None:
    assert Group.at(soc_permille, 7800, 12_000).open_circuit_uv() == millivolts * 1000


def test_current_moves_charge_and_voltage() -> None:
    pack = a_pack()
    pack.current_ma = -10_000
    assert pack.cells_mv == [3730 - 120] * 10
    assert pack.pack_mv == 36_100
    pack.advance(360_000, 200)
    assert pack.remaining_mah == 3900 - 1000
    assert [group.charge_mams for group in pack.groups] == [2900 * MAMS_PER_MAH] * 10
    assert pack.soc_pct == 37


def test_a_leak_empties_its_group_behind_the_counters_back() -> None:
    pack = a_pack()
    pack.groups[3].leak_ma = 780
    pack.advance(3_600_000, 200)
    assert pack.remaining_mah == 3900
    assert pack.cells_mv == [3730] * 3 + [3660] + [3730] * 6


def test_current_heats_and_the_room_cools() -> None:
    pack = a_pack()
    pack.current_ma = -10_000  # 10 A through 0.12 ohm: 12 W, at 1500 J/K 8 mK a second
    pack.advance(100_000, 200)
    assert pack.temps_dc == [208, 215]
    cooling = a_pack(temp_mc=30_000)
    cooling.advance(100_000, 200)  # 10 K x 0.555 W/K / 1500 J/K: 3.7 mK a second
    assert cooling.temps_dc == [296, 303]


def test_charger_gives_constant_current_then_constant_voltage() -> None:
    pack = a_pack(soc_permille=995)  # 41.9475 V at rest, 0.12 ohm
    assert a_pack().charge_current_ma(2000, 42_000) == 2000
    assert pack.charge_current_ma(2000, 42_000) == 437
    assert pack.charge_current_ma(2000, 41_000) == 0


def test_no_braking_into_a_full_pack() -> None:
    worlds = [World(a_pack(soc), 1, Random(1)) for soc in (940, 990)]
    for world in worlds:
        world.advance(0, Scene(scooter_on=True, riding=True))
        world.advance(15_500, world.scene)
    assert 5_500 < worlds[0].pack.current_ma < 6_500
    assert -50 < worlds[1].pack.current_ma <= 0

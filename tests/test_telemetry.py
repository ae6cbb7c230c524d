"""The slots of one pack: what is set, how old it is, and what does not outlive a power-off."""

import pytest
from deckwatch.telemetry import (
    FIRST_LASTING,
    INDEX,
    MAX_CELLS,
    MAX_PROBES,
    NO_PROBE,
    SLOTS,
    Telemetry,
)
from deckwatch.ticks import SATURATED_MS, age_ms

WRAP = 1 << 30
PACK = INDEX["pack_mv"]
CYCLES = INDEX["cycles"]


@pytest.fixture
def t() -> Telemetry:
    fresh = Telemetry()
    fresh.begin(1000)
    return fresh


def test_slots_have_unique_names_and_lasting_ones_come_last() -> None:
    assert len(set(SLOTS)) == len(SLOTS) < 256
    assert [SLOTS[slot] for slot in (INDEX["soc_pct"], FIRST_LASTING)] == ["soc_pct", "full_mah"]
    assert INDEX["bit_error_ppm"] < FIRST_LASTING < CYCLES


def test_nothing_is_known_at_first(t: Telemetry) -> None:
    assert not any(t.seen)
    assert not any(t.fresh(slot, 1000) for slot in range(len(SLOTS)))
    assert (t.cells, t.probes) == (0, 0)


def test_set_keeps_value_stamp_and_number_of_samples(t: Telemetry) -> None:
    t.set(PACK, 35940)
    t.set(PACK, 35950)
    assert (t.value[PACK], t.stamp[PACK], t.count[PACK], t.seen[PACK]) == (35950, 1000, 2, 1)
    assert t.end() is True
    assert (t.frames, t.cell_frames, t.temp_frames) == (1, 0, 0)


def test_samples_are_counted_modulo_65536(t: Telemetry) -> None:
    t.count[PACK] = t.frames = 0xFFFF
    t.set(PACK, 1)
    t.end()
    assert t.count[PACK] == t.frames == 0


def test_a_frame_that_sets_nothing_is_not_counted(t: Telemetry) -> None:
    assert t.end() is False
    assert t.frames == 0
    t.set(PACK, 1)
    t.begin(1001)  # a new frame has set nothing yet
    assert t.end() is False


@pytest.mark.parametrize("now", [1000, 5, WRAP - 3])
def test_live_slots_go_stale_and_lasting_ones_do_not(now: int) -> None:
    t = Telemetry()
    t.begin(now)
    t.set(PACK, 35940)
    t.set(CYCLES, 4)
    t.ttl_ms = 5000
    assert t.fresh(PACK, (now + 5000) % WRAP)
    assert not t.fresh(PACK, (now + 5001) % WRAP)
    assert t.fresh(CYCLES, (now + 500_000_000) % WRAP)


def test_faults_of_several_fields_of_a_frame_add_up(t: Telemetry) -> None:
    a, b = INDEX["faults_a"], INDEX["faults_b"]
    t.add_faults(1, 0)
    t.add_faults(6, 8)
    assert (t.value[a], t.value[b], t.count[a]) == (7, 8, 1)
    t.begin(2000)
    t.add_faults(0, 0)  # the next frame says: none any more
    assert (t.value[a], t.value[b], t.stamp[a], t.count[a]) == (0, 0, 2000, 2)


def test_cells_and_probes_are_counted_by_the_highest_heard_of(t: Telemetry) -> None:
    for cell in range(10):
        t.set_cell(cell, 3600 + cell)
    t.set_temp(0, 230)
    t.set_temp(1, NO_PROBE)
    assert t.end() is True
    assert (t.cells, t.probes) == (10, 2)
    assert list(t.cell_mv[:11]) == [*range(3600, 3610), 0]
    assert list(t.temp_dc[:2]) == [230, NO_PROBE]
    assert (t.frames, t.cell_frames, t.temp_frames) == (1, 1, 1)
    t.begin(1200)
    t.set_cell(3, 3000)
    t.end()
    assert (t.cells, t.cell_mv[3], t.cell_stamp[3], t.cell_stamp[4]) == (10, 3000, 1200, 1000)


def test_cells_beyond_the_last_are_dropped(t: Telemetry) -> None:
    t.set_cell(MAX_CELLS, 3600)
    t.set_temp(MAX_PROBES, 200)
    assert t.end() is False
    assert (t.cells, t.probes) == (0, 0)
    t.set_cell(MAX_CELLS - 1, 3600)
    t.set_temp(MAX_PROBES - 1, 200)
    assert (t.cells, t.probes) == (32, 8)


def test_cells_passed_over_are_long_ago_even_right_after_start() -> None:
    t = Telemetry()
    t.begin(20)  # 20 ms after the tick was 0, which is also what an untouched stamp holds
    t.set_cell(2, 3600)
    t.set_temp(2, 230)
    assert (t.cells, list(t.cell_mv[:3])) == (3, [0, 0, 3600])
    assert (t.probes, list(t.temp_dc[:3])) == (3, [NO_PROBE, NO_PROBE, 230])
    for stamps in (t.cell_stamp, t.temp_stamp):
        assert [age_ms(20, stamp) for stamp in stamps[:3]] == [SATURATED_MS, SATURATED_MS, 0]


def test_cells_heard_before_power_off_do_not_come_back(t: Telemetry) -> None:
    t.set_cell(0, 3600)
    t.set_cell(1, 3600)
    t.set_temp(0, 230)
    t.forget()
    t.begin(1100)
    t.set_cell(1, 3700)
    t.set_temp(1, 240)
    assert list(t.cell_mv[:2]) == [0, 3700]
    assert age_ms(1100, t.cell_stamp[0]) == SATURATED_MS
    assert list(t.temp_dc[:2]) == [NO_PROBE, 240]
    assert age_ms(1100, t.temp_stamp[0]) == SATURATED_MS


@pytest.mark.parametrize(
    ("given", "kept"), [(-1, 0), (-70000, 0), (65535, 65535), (65536, 65535), (655350, 65535)]
)
def test_a_cell_voltage_beyond_16_bits_is_kept_as_the_nearest(
    t: Telemetry, given: int, kept: int
) -> None:
    t.set_cell(0, given)
    assert t.cell_mv[0] == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [(32767, 32767), (32768, 32767), (62804, 32767), (-32767, -32767), (-40000, -32767)],
)
def test_a_temperature_beyond_16_bits_is_kept_as_the_nearest_but_never_as_no_probe(
    t: Telemetry, given: int, kept: int
) -> None:
    t.set_temp(0, given)
    assert t.temp_dc[0] == kept


def test_wires_are_counted_by_the_highest_told(t: Telemetry) -> None:
    t.set_wire(2, 70)
    t.set_wire(0, 65536)
    t.set_wire(1, -1)
    t.set_wire(MAX_CELLS, 50)
    assert t.end() is True
    assert (t.wires, list(t.wire_mohm[:4])) == (3, [65535, 0, 70, 0])
    t.forget()
    assert t.wires == 0
    t.begin(1)
    t.set_wire(1, 30)
    assert (t.wires, list(t.wire_mohm[:3])) == (2, [0, 30, 70])
    t.begin(2)
    t.set_wire(MAX_CELLS, 50)
    assert t.end() is False


def test_forget_leaves_nothing_known(t: Telemetry) -> None:
    t.set(PACK, 1)
    t.set(CYCLES, 1)
    t.set_cell(0, 1)
    t.set_temp(0, 1)
    t.end()
    t.forget()
    assert not any(t.seen)
    assert not t.fresh(CYCLES, 1000)
    assert (t.cells, t.probes) == (0, 0)
    assert (t.frames, t.cell_frames, t.temp_frames) == (0, 0, 0)
    assert t.end() is False


def test_a_derived_value_is_as_old_as_its_inputs(t: Telemetry) -> None:
    spread = INDEX["cell_spread_mv"]
    t.ttl_ms = 5000
    t.derive(spread, 30, 7, 400, 0x10002)
    assert (t.value[spread], t.where[spread], t.stamp[spread]) == (30, 7, 400)
    assert t.count[spread] == 2
    assert t.fresh(spread, 5400)
    assert not t.fresh(spread, 5401)
    t.drop(spread)
    assert not t.fresh(spread, 1000)


def test_saturate_keeps_all_old_stamps_old(t: Telemetry) -> None:
    t.set(PACK, 1)
    t.set_cell(0, 3600)
    t.set_temp(0, 230)
    now = 1000
    for _ in range(200):  # hours; the tick wraps after 298
        now = (now + 7_200_000) % WRAP
        t.saturate(now)
    for stamp in (t.stamp[PACK], t.cell_stamp[0], t.temp_stamp[0]):
        assert age_ms(now, stamp) == SATURATED_MS
    assert not t.fresh(PACK, now)

"""The probe meter: coldest and hottest, and probes that cannot be right."""

from array import array

import pytest
from deckwatch.meters.probes import Probes, jump
from deckwatch.telemetry import INDEX, MAX_PROBES, NO_PROBE
from pack_rig import TICKS, MeterRig, PackRig

DERIVED = ("coldest_dc", "hottest_dc", "probe_faults", "probe_jump_dc", "probe_apart_dc")


def test_coldest_and_hottest_name_their_probes() -> None:
    rig = PackRig()
    rig.frame(temps=[230, 210, 250])
    assert (rig.value("coldest_dc"), rig.where("coldest_dc")) == (210, 2)
    assert (rig.value("hottest_dc"), rig.where("hottest_dc")) == (250, 3)
    assert (rig.value("probe_apart_dc"), rig.where("probe_apart_dc")) == (40, 3)
    assert rig.value("probe_faults") == 0


def test_frost_is_colder_than_nothing() -> None:
    rig = PackRig()
    rig.frame(temps=[-50, -150])
    assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == (-150, -50)


def test_of_equal_probes_the_first_is_named() -> None:
    rig = PackRig()
    rig.frame(temps=[230, 230])
    assert (rig.where("coldest_dc"), rig.where("hottest_dc")) == (1, 1)
    for dc in (230, 230, 230, 350, 350):
        rig.frame(temps=[dc, dc])
        rig.advance(1000)
    assert (rig.value("probe_jump_dc"), rig.where("probe_jump_dc")) == (120, 1)


def test_one_probe_is_not_apart_from_anything() -> None:
    rig = PackRig()
    rig.frame(temps=[230])
    assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == (230, 230)
    assert rig.value("probe_apart_dc") is None


def test_probe_that_is_not_fitted_is_not_there() -> None:
    rig = PackRig()
    rig.frame(temps=[230, NO_PROBE, 250])
    assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == (230, 250)
    assert rig.value("probe_faults") == 0


def test_nothing_but_unfitted_probes_is_nothing() -> None:
    rig = PackRig()
    rig.frame(temps=[NO_PROBE, NO_PROBE])
    assert [rig.value(slot) for slot in DERIVED] == [None] * len(DERIVED)


@pytest.mark.parametrize(
    ("dc", "faults"), [(-201, 1), (-200, 1), (-199, 0), (989, 0), (990, 1), (2350, 1)]
)
def test_open_and_shorted_probes_are_counted_and_nothing_else(dc: int, faults: int) -> None:
    rig = PackRig()
    rig.frame(temps=[230, dc])
    assert (rig.value("probe_faults"), rig.where("probe_faults")) == (faults, 2 * faults)
    if faults:
        assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == (230, 230)
        assert rig.value("probe_apart_dc") is None


def test_first_of_several_broken_probes_is_named() -> None:
    rig = PackRig()
    rig.frame(temps=[230, 990, -200])
    assert (rig.value("probe_faults"), rig.where("probe_faults")) == (2, 2)


def test_when_all_are_broken_nothing_is_cold_or_hot() -> None:
    rig = PackRig()
    rig.frame(temps=[-200, -200])
    assert rig.value("probe_faults") == 2
    assert [rig.value(slot) for slot in ("coldest_dc", "hottest_dc", "probe_jump_dc")] == [
        None
    ] * 3


# --- samples and age -----------------------------------------------------------------------------


def test_sample_waits_until_every_probe_has_spoken_again() -> None:
    rig = PackRig()
    rig.frame(temps=[230, 230])
    rig.advance(100)
    rig.frame(temps={0: 600})
    assert rig.value("hottest_dc") == 230
    rig.advance(100)
    rig.frame(temps={1: 600})
    assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == (600, 600)


def test_probe_that_fell_silent_is_waited_for_only_until_it_is_stale() -> None:
    rig = PackRig()
    rig.frame(temps=[230, 300])
    rig.ms = 5000
    rig.frame(temps={0: 230})
    assert rig.value("hottest_dc") == 300
    rig.ms = 5001
    rig.frame(temps={0: 230})
    assert rig.value("hottest_dc") == 230


def test_sample_is_as_old_as_its_oldest_probe() -> None:
    rig = PackRig()
    rig.hear(temps={0: 230})
    rig.ms = 400
    rig.frame(temps={1: 240})
    rig.ms = 5000
    assert rig.value("hottest_dc") == 240
    rig.ms = 5001
    assert rig.value("hottest_dc") is None


def test_rounds_without_temperatures_are_no_samples() -> None:
    rig = PackRig()
    rig.frame(temps=[230, 230])
    count = rig.t.count[_slot("hottest_dc")]
    rig.advance(2500)
    rig.frame(soc_pct=50)
    assert rig.t.count[_slot("hottest_dc")] == count
    rig.frame(temps=[230, 230])
    assert rig.t.count[_slot("hottest_dc")] == count + 1


def test_sample_that_waited_for_its_round_is_followed_by_the_next() -> None:
    rig = PackRig(start=50_000)
    rig.hear(temps=[230, 230])
    rig.advance(100)
    rig.round()
    rig.advance(50)
    rig.frame(temps=[250, 240])
    assert rig.value("hottest_dc") == 250


def test_part_of_a_sample_right_after_another_is_none() -> None:
    rig = PackRig(start=50_000)
    rig.frame(temps=[230, 230])
    for _ in range(3):
        rig.advance(100)
        rig.frame(temps={1: 600})
    assert rig.value("hottest_dc") == 230


def _slot(name: str) -> int:
    from deckwatch.telemetry import INDEX

    return INDEX[name]


# --- jumps ---------------------------------------------------------------------------------------


def readings(rig: PackRig, values: list[int], every_ms: int = 1000) -> list[int | None]:
    """The jump told after each reading of probe 2."""
    told = []
    for dc in values:
        rig.frame(temps=[230, dc])
        told.append(rig.value("probe_jump_dc"))
        rig.advance(every_ms)
    return told


def test_jump_shows_from_its_second_reading_on_and_for_10_s() -> None:
    rig = PackRig()
    assert readings(rig, [230] * 4 + [350] * 2) == [0, 0, 0, 0, 0, 120]
    assert rig.where("probe_jump_dc") == 2
    assert readings(rig, [350] * 12) == [120] * 9 + [0] * 3


def test_single_wrong_reading_is_no_jump() -> None:
    rig = PackRig()
    assert readings(rig, [230] * 9 + [900] + [230] * 12) == [0] * 22


def test_jittering_probe_jumps() -> None:
    rig = PackRig()
    assert readings(rig, [230, 350] * 4) == [0, 0, 0] + [120] * 5


def test_slow_rise_is_no_jump() -> None:
    rig = PackRig()
    assert max(filter(None, readings(rig, list(range(230, 430, 10))))) == 100


@pytest.mark.parametrize("jumping", range(MAX_PROBES))
def test_each_of_all_probes_has_readings_of_its_own(jumping: int) -> None:
    rig = alone()
    told = []
    for second in range(8):
        temps = [200 + 30 * probe for probe in range(MAX_PROBES)]
        temps[jumping] += 100 * (second >= 4)
        rig.tell(1000, temps=temps)
        told.append((rig.value("probe_jump_dc"), rig.where("probe_jump_dc")))
    assert told == [(0, 0)] * 5 + [(100, jumping + 1)] * 3


def test_fall_is_a_jump_too() -> None:
    rig = PackRig()
    assert readings(rig, [230] * 4 + [100] * 2)[-1] == 130


@pytest.mark.parametrize(("gap_ms", "jump"), [(9000, 120), (10000, 120), (10001, 0)])
def test_what_was_before_a_gap_is_compared_for_10_s(gap_ms: int, jump: int) -> None:
    rig = PackRig(fresh_ms=60000)
    readings(rig, [230] * 3, 100)
    rig.ms += gap_ms - 100
    assert readings(rig, [350] * 3, 100)[-1] == jump


# at the start of a new round of the clock: within its span, beyond it, half a round ago
AGES = [(4000, True), (10_001, False), ((1 << 29) + 1000, False)]


@pytest.mark.parametrize(("age_ms", "counts"), AGES)
def test_a_kept_reading_counts_by_its_age_at_the_wrap(age_ms: int, counts: bool) -> None:
    now = 2000
    kept = array("h", [NO_PROBE] * (5 * MAX_PROBES))
    kept[0] = kept[MAX_PROBES] = 350  # the median now, and the one before
    kept[4 * MAX_PROBES] = 230  # the first of those kept
    found = jump(kept, array("i", [(now - age_ms) % TICKS]), 1, 1, now)
    assert found == (120 * 16 + 1 if counts else 0)


@pytest.mark.parametrize(("age_ms", "speaks"), AGES)
def test_a_probe_speaks_by_its_age_at_the_wrap(age_ms: int, speaks: bool) -> None:
    rig = MeterRig(Probes(-400, 1200, 0), start=2000)
    rig.tell(temps=[230, 350])
    rig.t.temp_stamp[1] = (rig.now - age_ms) % TICKS
    rig.tell(temps={0: 230})
    rig.tell(100, temps={0: 230})
    assert rig.value("hottest_dc") == (350 if speaks else 230)


def test_broken_readings_are_compared_with_nothing() -> None:
    rig = PackRig()
    assert readings(rig, [230] * 4 + [-200] * 4 + [230] * 4) == [0] * 12
    assert rig.value("probe_faults") == 0


def test_jump_of_a_probe_that_breaks_is_over_with_it() -> None:
    rig = PackRig()
    assert readings(rig, [230] * 4 + [350] * 3 + [-200] * 2)[-3:] == [120, 0, 0]


def test_probe_that_was_silent_for_a_minute_has_not_jumped() -> None:
    rig = PackRig()
    for second in range(90):
        rig.hear(temps={0: 230})
        if not 10 <= second < 70:
            rig.hear(temps={1: 230 if second < 10 else 400})
        rig.round()
        assert rig.value("probe_jump_dc") in (None, 0), second
        rig.advance(1000)
    assert rig.value("hottest_dc") == 400


def test_probe_that_appears_later_has_not_jumped() -> None:
    rig = PackRig()
    for _ in range(6):
        rig.frame(temps=[230])
        rig.advance(1000)
    assert readings(rig, [310] * 6) == [0] * 6


# --- a Rita's messages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("temps", "message"),
    [
        ([230, 240], 0),
        ([-100, 240], 1),
        ([230, -100], 1),
        ([1000, 240], 2),
        ([1000, -100], 2),
        ([-100, 1000], 2),
        ([-99, 999], 0),
        ([-101, 1001], 0),
    ],
)
def test_message_of_a_rita_is_told_and_the_stronger_wins(temps: list[int], message: int) -> None:
    rig = PackRig(temp_messages=1)
    rig.frame(temps=temps)
    assert rig.value("temp_message") == message


def test_probe_that_reads_a_message_tells_no_temperature() -> None:
    rig = PackRig(temp_messages=1)
    rig.frame(temps=[-100, 240, 1000])
    assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == (240, 240)
    assert rig.where("coldest_dc") == 2
    assert rig.value("probe_faults") == 0
    assert rig.value("probe_apart_dc") is None


def test_without_a_rita_frost_is_frost_and_nothing_a_message() -> None:
    rig = PackRig()
    rig.frame(temps=[-100, 240])
    assert rig.value("coldest_dc") == -100
    assert rig.value("temp_message") is None


# --- switching off, and long times ---------------------------------------------------------------


def test_switching_off_forgets_the_probes() -> None:
    rig = PackRig()
    readings(rig, [230] * 6)
    rig.pack.forget()
    rig.round()
    assert [rig.value(slot) for slot in DERIVED] == [None] * len(DERIVED)
    assert readings(rig, [350] * 6) == [0] * 6


def test_two_weeks_without_temperatures_do_not_make_old_ones_new() -> None:
    wrap = 1 << 30
    rig = PackRig()
    readings(rig, [230] * 4)
    taken = rig.ms
    for _ in range(wrap // 3_600_000):
        rig.ms += 3_600_000
        rig.pack.saturate(rig.now)
    rig.ms = taken + wrap  # the tick is that of the last reading's second
    assert readings(rig, [350] * 4) == [0] * 4


# --- exactly, the meter alone --------------------------------------------------------------------


def alone(messages: int = 0, start: int = 0) -> MeterRig:
    return MeterRig(Probes(-200, 990, messages), start)


@pytest.mark.parametrize(
    ("dc", "fault"), [(-200, 1), (-199, 0), (989, 0), (990, 1), (-201, 1), (991, 1)]
)
def test_open_and_short_values_are_exact(dc: int, fault: int) -> None:
    rig = alone()
    rig.tell(temps=[230, dc, 240])
    assert (rig.value("probe_faults"), rig.where("probe_faults")) == (fault, 2 * fault)
    assert rig.t.believed == 3 - fault
    extremes = (230, 240) if fault else (min(dc, 230), max(dc, 240))
    assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == extremes
    assert rig.value("probe_apart_dc") == extremes[1] - extremes[0]
    assert rig.where("probe_apart_dc") == rig.where("hottest_dc")


@pytest.mark.parametrize("start", [1, (1 << 29) + 1, (1 << 30) - 2])
def test_age_of_a_sample_is_exact_wherever_the_clock_stands(start: int) -> None:
    rig = alone(start=start)
    rig.tell(temps=[210, 220])
    rig.tell(600, temps={0: 230})
    rig.tell(400, temps={1: 240})
    assert rig.count("coldest_dc") == 2
    rig.tell(4600)
    assert rig.value("coldest_dc") == 230
    rig.tell(1)
    assert rig.value("coldest_dc") is None


def test_a_probe_speaks_for_as_long_as_it_is_known() -> None:
    for age_ms, coldest in ((5000, 200), (5001, 230)):
        rig = alone()
        rig.tell(temps=[200, 230])
        rig.tell(1000, temps={1: 230})
        told = rig.count("coldest_dc")
        assert told == 1
        rig.tell(age_ms - 1000, temps={1: 230})
        assert rig.t.value[INDEX["coldest_dc"]] == coldest
        assert rig.t.believed == (1 if age_ms > 5000 else 2)


@pytest.mark.parametrize(
    ("temps", "message"),
    [
        ([230, -100], 1),
        ([-100, 230], 1),
        ([230, -99], 0),
        ([230, -101], 0),
        ([230, 1000], 2),
        ([1000, -100], 2),
        ([-100, 1000], 2),
        ([230, 999], 0),
        ([230, 1001], 0),
    ],
)
def test_messages_are_exact(temps: list[int], message: int) -> None:
    rig = alone(messages=1)
    rig.tell(temps=temps)
    assert (rig.value("temp_message"), rig.where("temp_message")) == (message, 0)
    before = rig.count("temp_message")
    rig.tell(100, soc_pct=50)
    assert rig.count("temp_message") == before
    rig.tell(100, temps=temps)
    assert rig.count("temp_message") > before
    assert rig.t.believed == sum(dc not in (-100, 1000) and -200 < dc < 990 for dc in temps)


def jumps(rig: MeterRig, every_ms: int, *values: int) -> list[int | None]:
    found = []
    for dc in values:
        rig.tell(every_ms, temps=[dc])
        found.append(rig.value("probe_jump_dc"))
    return found


def test_calm_value_is_the_median_of_three() -> None:
    rig = alone()
    assert jumps(rig, 100, 200, 210, 230) == [0, 0, 0]
    # 230, 230, 250 and 260 after 210
    assert jumps(rig, 100, 250, 190, 260, 270) == [20, 0, 20, 10]


@pytest.mark.parametrize(("last_ms", "jump"), [(4500, 60), (4501, 0)])
def test_jump_is_seen_for_10_s(last_ms: int, jump: int) -> None:
    rig = alone()
    jumps(rig, 500, 200, 200, 200, 200, 200)  # kept at 2.5 s
    assert jumps(rig, 500, 260, 260) == [0, 60]
    assert jumps(rig, 4500, 260) == [60]
    assert jumps(rig, last_ms, 260) == [jump]


def test_readings_are_kept_each_2_s() -> None:
    rig = alone()
    jumps(rig, 500, 200, 200, 200, 200)
    assert jumps(rig, 499, 260, 260, 260) == [0, 60, 0]  # 1999 ms after the first nothing is kept
    rig = alone()
    jumps(rig, 500, 200, 200, 200, 200)
    assert jumps(rig, 500, 260, 260, 260) == [0, 60, 60]


def test_five_readings_are_kept() -> None:
    rig = alone()
    assert jumps(rig, 2000, *[200] * 5, *[260] * 8) == [0] * 6 + [60] * 5 + [0] * 2


def test_largest_jump_is_named_and_of_equals_the_first() -> None:
    rig = alone()
    for temps in ([200, 200, 200, 200],) * 3 + ([250, 270, 270, 200],) * 2:
        rig.tell(500, temps=temps)
    assert (rig.value("probe_jump_dc"), rig.where("probe_jump_dc")) == (70, 2)


def test_jump_against_the_reading_just_before() -> None:
    rig = alone()
    jumps(rig, 500, 200, 200, 200, 300, 300)
    assert jumps(rig, 500, 200, 200) == [0, 100]
    assert rig.where("probe_jump_dc") == 1


@pytest.mark.parametrize(("gap_ms", "jump"), [(10_000, 100), (10_001, 0)])
def test_a_gap_of_more_than_10_s_forgets(gap_ms: int, jump: int) -> None:
    rig = alone()
    rig.t.ttl_ms = 60_000
    jumps(rig, 100, 200, 200, 200, 200)
    assert jumps(rig, gap_ms, 300, 300)[0] == 0
    assert jumps(rig, 0, 300) == [jump]


def test_switched_off_the_past_is_forgotten() -> None:
    rig = alone()
    jumps(rig, 500, 200, 200, 200)
    rig.forget()
    assert rig.t.believed == 0
    assert jumps(rig, 500, 300, 300, 300, 300) == [0] * 4
    assert rig.count("coldest_dc") == 7


def test_a_fortnight_does_not_make_readings_young() -> None:
    rig = alone()
    rig.t.ttl_ms = 1 << 27
    jumps(rig, 500, 200, 200, 200)
    for _ in range((1 << 30) // 3_600_000):
        rig.now += 3_600_000
        rig.saturate()
    rig.now = 1500
    assert jumps(rig, 500, 300, 300, 300) == [0, 0, 0]
    assert rig.count("coldest_dc") == 6


def test_without_a_temperature_a_rita_has_no_message_and_there_is_no_sample() -> None:
    rig = alone(messages=1)
    rig.tell(soc_pct=50)
    assert rig.value("temp_message") is None
    rig.tell(100, temps=[NO_PROBE])
    assert (rig.count("probe_faults"), rig.t.believed) == (0, 0)


@pytest.mark.parametrize(("past", "now"), [(201, 200), (200, 201), (201, 262), (-33, -34)])
def test_jump_of_a_tenth_of_a_degree(past: int, now: int) -> None:
    rig = alone()
    assert jumps(rig, 500, past, past, past, past, past, now, now)[-2:] == [0, abs(now - past)]
    assert jumps(rig, 500, now) == [abs(now - past)]  # against what was kept

"""The session meter: when the pack charges, rides, rests, and when its current stands still."""

from array import array

import pytest
from deckwatch.meters.session import Session
from deckwatch.meters.tell_plain import NOTHING, tell
from deckwatch.telemetry import Telemetry
from pack_rig import MeterRig, PackRig


def flags(rig: PackRig | MeterRig) -> dict[str, int | None]:
    """What the meter tells now."""
    slots = ("charging", "riding", "braking", "resting", "still", "steady")
    return {slot: rig.value(slot) for slot in slots}


def test_nothing_is_told_before_anything_is_known() -> None:
    rig = PackRig()
    rig.frame(soc_pct=50)
    assert set(flags(rig).values()) == {None}


@pytest.mark.parametrize("ma", [0, 400, -400])
def test_first_sample_tells_that_nothing_has_lasted_yet(ma: int) -> None:
    rig = PackRig(start=100_000)
    rig.frame(current_ma=ma)
    assert flags(rig) == dict.fromkeys(flags(rig), 0)


# --- charging ------------------------------------------------------------------------------------


@pytest.mark.parametrize("slot", ["charging_flag", "charger_present"])
def test_board_says_that_it_charges(slot: str) -> None:
    rig = PackRig()
    rig.frame(current_ma=0, **{slot: 1})
    assert rig.value("charging") == 1
    rig.frame(current_ma=0, **{slot: 0})
    assert rig.value("charging") == 0


@pytest.mark.parametrize("slot", ["charging_flag", "charger_present"])
def test_board_is_believed_without_a_current(slot: str) -> None:
    rig = PackRig()
    rig.frame(**{slot: 1})
    assert rig.value("charging") == 1
    assert rig.value("still") is None
    rig.advance(5001)
    assert rig.value("charging") is None


def test_either_flag_is_enough() -> None:
    rig = PackRig()
    rig.frame(current_ma=0, charging_flag=0, charger_present=1)
    assert rig.value("charging") == 1


def test_flag_that_went_stale_says_nothing() -> None:
    rig = PackRig()
    rig.frame(current_ma=0, charging_flag=1)
    rig.advance(5001)
    rig.frame(current_ma=0)
    assert rig.value("charging") == 0


def test_inflow_of_a_minute_is_charging() -> None:
    rig = PackRig()
    rig.repeat(60, current_ma=100)
    assert rig.ms == 60000
    rig.ms = 59999
    rig.frame(current_ma=100)
    assert rig.value("charging") == 0
    rig.ms = 60000
    rig.round()
    assert rig.value("charging") == 1


def test_inflow_below_the_dead_band_is_not_charging() -> None:
    rig = PackRig()
    rig.repeat(90, current_ma=99)
    assert rig.value("charging") == 0


def test_inflow_ends_with_two_samples_without_not_with_one() -> None:
    rig = PackRig()
    rig.repeat(70, current_ma=2000)
    rig.frame(current_ma=-8000)
    assert rig.value("charging") == 1
    rig.repeat(1, current_ma=2000)
    assert rig.value("charging") == 1
    rig.repeat(0.4, current_ma=0)
    assert rig.value("charging") == 0
    rig.repeat(59.8, current_ma=2000)
    assert rig.value("charging") == 0


def test_inflow_at_the_dead_band_is_still_inflow() -> None:
    rig = PackRig()
    rig.repeat(70, current_ma=100)
    rig.frame(current_ma=0)
    assert rig.value("charging") == 1
    rig.frame(current_ma=99)
    assert rig.value("charging") == 0


def test_inflow_is_forgotten_while_the_current_is_unknown() -> None:
    rig = PackRig()
    rig.repeat(55, current_ma=2000)
    rig.advance(6000)
    rig.repeat(10, current_ma=2000)
    assert rig.value("charging") == 0


# --- riding, and braking -------------------------------------------------------------------------


def test_riding_lasts_a_minute_after_the_last_amp() -> None:
    rig = PackRig()
    rig.repeat(0.4, current_ma=-1000)
    assert rig.value("riding") == 1
    last = rig.ms - 200
    rig.repeat(58, current_ma=-999)
    rig.ms = last + 60000
    rig.frame(current_ma=-999)
    assert rig.value("riding") == 1
    rig.ms += 1
    rig.frame(current_ma=-999)
    assert rig.value("riding") == 0


def test_riding_needs_two_samples() -> None:
    rig = PackRig()
    rig.frame(current_ma=-30000)
    rig.frame(current_ma=0)
    assert rig.value("riding") == 0
    rig.frame(current_ma=-30000)
    rig.frame(current_ma=-30000)
    assert rig.value("riding") == 1


def test_same_sample_judged_twice_is_still_one() -> None:
    rig = PackRig()
    rig.frame(current_ma=-30000)
    rig.round()
    assert rig.value("riding") == 0


def test_samples_before_and_after_a_gap_do_not_follow_each_other() -> None:
    rig = PackRig()
    rig.frame(current_ma=-30000)
    rig.advance(6000)
    rig.frame(current_ma=-30000)
    assert rig.value("riding") == 0


def test_flag_while_riding_is_braking() -> None:
    rig = PackRig()
    rig.repeat(10, current_ma=-8000, charging_flag=0)
    rig.repeat(5, current_ma=6000, charging_flag=1)
    assert (rig.value("riding"), rig.value("charging")) == (1, 0)


def test_charger_right_after_a_ride_counts_once_the_ride_is_over() -> None:
    rig = PackRig()
    rig.repeat(1, current_ma=-8000)
    rig.repeat(59, current_ma=2000, charging_flag=1)
    assert rig.value("charging") == 0
    rig.repeat(2, current_ma=2000, charging_flag=1)
    assert rig.value("charging") == 1


def test_one_wrong_sample_does_not_hide_a_charging_session() -> None:
    rig = PackRig()
    rig.repeat(2, current_ma=2000, charging_flag=1)
    rig.frame(current_ma=-30000, charging_flag=1)
    rig.frame(current_ma=2000, charging_flag=1)
    assert rig.value("charging") == 1


@pytest.mark.parametrize(("ma", "braking"), [(1000, 0), (1001, 1)])
def test_braking_is_an_amp_in_twice_while_riding(ma: int, braking: int) -> None:
    rig = PackRig()
    rig.repeat(1, current_ma=-5000)
    rig.frame(current_ma=20000)
    assert rig.value("braking") == 0
    rig.frame(current_ma=ma)
    assert rig.value("braking") == braking
    rig.frame(current_ma=ma)
    assert rig.value("braking") == braking
    rig.frame(current_ma=-1)
    assert rig.value("braking") == 0


def test_charger_does_not_brake() -> None:
    rig = PackRig()
    rig.repeat(2, current_ma=5000)
    assert rig.value("braking") == 0


def test_braking_is_not_carried_over_a_gap() -> None:
    rig = PackRig()
    rig.repeat(1, current_ma=-5000)
    rig.repeat(1, current_ma=5000)
    assert rig.value("braking") == 1
    rig.advance(6000)
    assert rig.value("braking") is None
    rig.frame(current_ma=5000)
    assert rig.value("braking") == 0


# --- rest and steadiness -------------------------------------------------------------------------


@pytest.mark.parametrize("ma", [-499, 0, 499])
def test_rest_is_a_minute_below_half_an_amp(ma: int) -> None:
    rig = PackRig()
    rig.repeat(59.8, current_ma=ma)
    rig.ms = 59999
    rig.frame(current_ma=ma)
    assert (rig.value("resting"), rig.value("still")) == (0, 0)
    rig.ms = 60000
    rig.frame(current_ma=ma)
    assert (rig.value("resting"), rig.value("still")) == (1, 1)


@pytest.mark.parametrize("ma", [-500, 500])
def test_rest_ends_with_two_samples_of_half_an_amp(ma: int) -> None:
    rig = PackRig()
    rig.repeat(61, current_ma=0)
    rig.frame(current_ma=ma)
    assert rig.value("resting") == 1
    rig.frame(current_ma=ma)
    assert rig.value("resting") == 0
    rig.repeat(59, current_ma=0)
    assert rig.value("resting") == 0


def test_charging_is_still_but_not_rest() -> None:
    rig = PackRig()
    rig.repeat(2, current_ma=3000, charging_flag=1)
    assert (rig.value("resting"), rig.value("still")) == (0, 1)


def test_rest_starts_anew_after_the_current_was_unknown() -> None:
    rig = PackRig()
    rig.repeat(61, current_ma=0)
    rig.advance(5001)
    assert rig.value("resting") is None
    rig.frame(current_ma=0)
    assert rig.value("resting") == 0


@pytest.mark.parametrize(("ma", "steady"), [(999, 1), (-999, 1), (1000, 0), (-1000, 0)])
def test_steady_is_2_s_within_an_amp(ma: int, steady: int) -> None:
    rig = PackRig()
    rig.frame(current_ma=0)
    rig.ms = 1999
    rig.frame(current_ma=0)
    assert rig.value("steady") == 0
    rig.ms = 2000
    rig.frame(current_ma=ma)
    assert rig.value("steady") == steady


def test_steady_ride_is_steady() -> None:
    rig = PackRig()
    rig.repeat(2, current_ma=-8000)
    rig.frame(current_ma=-8300)
    assert rig.value("steady") == 1
    rig.frame(current_ma=-7000)
    assert rig.value("steady") == 0


def test_steady_creep_of_an_amp_in_all_is_noticed() -> None:
    rig = PackRig()
    for ma in range(0, 1000, 100):
        rig.repeat(1, current_ma=ma)
    assert rig.value("steady") == 1
    rig.frame(current_ma=1000)
    assert rig.value("steady") == 0


# --- switching off, and long times ---------------------------------------------------------------


def test_switching_off_forgets_all_of_it() -> None:
    rig = PackRig()
    rig.repeat(61, current_ma=100)
    rig.pack.forget()
    rig.frame(current_ma=-1000)
    assert flags(rig) == dict.fromkeys(flags(rig), 0)


@pytest.mark.parametrize(("slot", "ma"), [("resting", 0), ("charging", 200), ("steady", 200)])
def test_what_lasts_goes_on_for_weeks_and_over_the_wrap(slot: str, ma: int) -> None:
    wrap = 1 << 30
    rig = PackRig(start=wrap - 61_500)
    rig.repeat(61, current_ma=ma)
    assert rig.value(slot) == 1
    for _ in range(3):
        for _ in range(wrap // 3_600_000):
            rig.ms += 3_600_000
            rig.hear(current_ma=ma)
            rig.pack.saturate(rig.now)
            rig.round()
            assert rig.value(slot) == 1
        rig.ms += wrap % 3_600_000 - 61_000  # the tick is that of the first sample
        rig.frame(current_ma=ma)
        assert rig.value(slot) == 1
        rig.ms += 61_000


# --- exactly, the meter alone --------------------------------------------------------------------


def alone(start: int = 0) -> MeterRig:
    return MeterRig(Session(), start)


def course(rig: MeterRig, slot: str, every_ms: int, *currents: int) -> list[int | None]:
    """The flag after each current."""
    found = []
    for ma in currents:
        rig.tell(every_ms, current_ma=ma)
        found.append(rig.value(slot))
    return found


@pytest.mark.parametrize("start", [0, 7, (1 << 30) - 30_000])
@pytest.mark.parametrize(
    ("slot", "ma", "lasts_ms"),
    [
        ("charging", 100, 60_000),
        ("resting", 499, 60_000),
        ("resting", -499, 60_000),
        ("still", 100, 60_000),
        ("steady", 9000, 2_000),
    ],
)
def test_what_has_lasted_is_told_to_the_millisecond(
    slot: str, ma: int, lasts_ms: int, start: int
) -> None:
    rig = alone(start)
    rig.tell(current_ma=ma)
    rig.now += 1
    rig.tell(current_ma=ma)
    rig.every(1000, lasts_ms // 1000 - 1, current_ma=ma)
    rig.tell(998)
    assert rig.value(slot) == 0
    rig.tell(1)
    assert (rig.value(slot), rig.where(slot)) == (1, 0)
    assert rig.count(slot) == rig.count("current_ma")


@pytest.mark.parametrize(("slot", "ma"), [("charging", 99), ("resting", 500), ("resting", -500)])
def test_what_is_a_milliampere_off_never_lasts(slot: str, ma: int) -> None:
    rig = alone()
    assert set(course(rig, slot, 1000, *[ma] * 70)) == {0}


def test_one_odd_sample_ends_nothing_two_do() -> None:
    for slot, ma, odd in (("charging", 100, 99), ("resting", 0, 500), ("resting", 0, -500)):
        rig = alone()
        rig.every(1000, 61, current_ma=ma)
        assert course(rig, slot, 1000, ma, odd, ma, odd, odd) == [1, 1, 1, 1, 0], (slot, odd)
        assert course(rig, slot, 1000, *[ma] * 60) == [0] * 60
        assert course(rig, slot, 1000, ma) == [1]


def test_an_odd_sample_does_not_start_the_minute_anew() -> None:
    for slot, ma, odd in (("charging", 100, 99), ("resting", 0, 500)):
        rig = alone()
        rig.every(1000, 31, current_ma=ma)
        rig.tell(1000, current_ma=odd)
        assert course(rig, slot, 1000, *[ma] * 29)[-2:] == [0, 1], slot


@pytest.mark.parametrize(("step", "steady"), [(999, 1), (-999, 1), (1000, 0), (-1000, 0)])
def test_current_is_steady_within_an_ampere_of_what_it_began_as(step: int, steady: int) -> None:
    rig = alone()
    rig.every(1000, 3, current_ma=-3000)
    assert course(rig, "steady", 1000, -3000 + step, -3000 + step) == [steady] * 2
    assert course(rig, "steady", 1000, -3000 + step) == [1]


@pytest.mark.parametrize(
    ("currents", "riding"),
    [
        ((-1000, -1000), 1),
        ((-999, -1000), 0),
        ((-1000, -999), 0),
        ((-1000, 0, -1000), 0),
        ((1000, 1000), 0),
    ],
)
def test_two_samples_of_an_ampere_are_a_ride(currents: tuple[int, ...], riding: int) -> None:
    rig = alone()
    assert course(rig, "riding", 1000, *currents)[-1] == riding


def test_ride_ends_a_minute_after_the_last_two_samples() -> None:
    rig = alone()
    rig.every(1000, 2, current_ma=-1000)
    rig.every(1000, 59, current_ma=0)
    rig.tell(1000)
    assert rig.value("riding") == 1
    rig.tell(1)
    assert rig.value("riding") == 0


@pytest.mark.parametrize(
    ("ride_ma", "currents", "brakes"),
    [
        (-1000, (1001, 1001), [0, 1]),
        (-1000, (1000, 1001), [0, 0]),
        (-1000, (1001, 1000), [0, 0]),
        (-999, (1001, 1001), [0, 0]),
    ],
)
def test_two_samples_of_more_than_an_ampere_in_are_braking(
    ride_ma: int, currents: tuple[int, int], brakes: list[int]
) -> None:
    rig = alone()
    rig.every(1000, 2, current_ma=ride_ma)
    assert course(rig, "braking", 1000, *currents) == brakes
    assert course(rig, "braking", 1000, 0) == [0]


def test_a_flag_during_a_ride_is_no_charge_but_a_minute_of_inflow_is() -> None:
    rig = alone()
    rig.every(1000, 2, current_ma=-1000, charging_flag=1, charger_present=1)
    rig.tell(1000, current_ma=2000, charging_flag=1)
    assert (rig.value("charging"), rig.value("still")) == (0, 0)
    assert course(rig, "charging", 1000, *[2000] * 60)[-2:] == [0, 1]


@pytest.mark.parametrize("slot", ["charging_flag", "charger_present"])
def test_charging_without_a_current_is_as_old_as_what_says_so(slot: str) -> None:
    rig = alone()
    rig.tell(**{slot: 0})
    rig.tell(1000, **{slot: 1})
    rig.tell(4999)
    assert rig.value("charging") == 1
    assert rig.count("charging") == rig.count(slot) == 2
    rig.tell(2)
    assert rig.value("charging") is None


def test_flag_goes_before_charger_and_either_will_do() -> None:
    rig = alone()
    rig.tell(charger_present=1)
    rig.tell(100, charging_flag=0)
    rig.tell(100, charging_flag=0)
    assert (rig.value("charging"), rig.count("charging")) == (1, 2)
    rig.tell(100, current_ma=0)
    assert rig.count("charging") == 1
    assert (rig.value("charging"), rig.value("still"), rig.value("resting")) == (1, 1, 0)


def test_unknown_current_forgets_what_had_lasted() -> None:
    rig = alone()
    rig.every(1000, 62, current_ma=400)
    assert (rig.value("charging"), rig.value("resting"), rig.value("steady")) == (1, 1, 1)
    rig.tell(5001)
    rig.tell(charging_flag=0)
    assert flags(rig) == dict.fromkeys(flags(rig)) | {"charging": 0}  # nothing else is known
    rig.tell(1000, current_ma=400)
    assert (rig.value("charging"), rig.value("resting"), rig.value("steady")) == (0, 0, 0)
    rig.every(1000, 2, current_ma=-1000)
    rig.tell(5001)
    assert course(rig, "riding", 56_000, -1000) == [0]  # one sample is none, and that was long ago


def test_unknown_current_is_none_before_the_next() -> None:
    rig = alone()
    rig.every(1000, 2, current_ma=-1000)
    rig.every(1000, 1, current_ma=2000)
    rig.tell(5001)
    assert course(rig, "braking", 100, 2000, 2000) == [0, 1]


def test_only_a_new_sample_is_followed() -> None:
    rig = alone()
    rig.tell(current_ma=-1000)
    rig.tell(100)
    assert rig.value("riding") == 0  # the same sample does not agree with itself
    rig.tell(100, current_ma=-1000)
    assert rig.value("riding") == 1


def test_switched_off_it_forgets_all() -> None:
    rig = alone()
    rig.every(1000, 62, current_ma=400)
    rig.every(1000, 2, current_ma=-1000)
    rig.every(1000, 2, current_ma=2000)
    rig.forget()
    assert course(rig, "riding", 100, 2000) == [0]
    assert (rig.value("braking"), rig.value("steady"), rig.value("resting")) == (0, 0, 0)
    assert course(rig, "braking", 100, 2000) == [0]
    rig.forget()
    rig.tell(100, charging_flag=1)
    assert rig.value("charging") == 1
    rig.forget()
    assert course(rig, "riding", 100, -1000) == [0]


def test_results_are_as_old_and_as_new_as_what_they_come_from() -> None:
    """In the plain form of what machine code does on the dongle."""
    t = Telemetry()
    for number in (1, 2, 3):
        t.derive(number, 50 + number, 7, 20, 5)
    t.derive(4, 0, 0, 900, 41)
    t.seen[1] = 0
    tell(t, bytes((1, 2, 3)), array("i", (11, NOTHING, 33)), 4)
    told = [(t.value[n], t.where[n], t.stamp[n], t.count[n], t.seen[n]) for n in (1, 2, 3)]
    assert told == [(11, 0, 900, 41, 1), (52, 7, 20, 5, 1), (33, 0, 900, 41, 1)]

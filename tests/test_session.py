"""The session meter: when the pack charges, rides, rests, and when its current stands still."""

import pytest
from pack_rig import PackRig


def flags(rig: PackRig) -> dict[str, int | None]:
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

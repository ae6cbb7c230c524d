"""What others report: discharge, the worst fault of the board, the controller's error."""

import pytest
from deckwatch.faults import ALARMING, FAULTS, HARMLESS, WORD_BITS, mask
from deckwatch.meters.median import median
from deckwatch.meters.reports import Reports
from deckwatch.telemetry import INDEX
from pack_rig import MeterRig, PackRig

OK, INFO, WARN, ALARM = range(4)


def fault_words(*names: str) -> dict[str, int]:
    """Both fault slots with these faults set."""
    return {"faults_a": mask(names, 0), "faults_b": mask(names, 1)}


@pytest.mark.parametrize(("ma", "discharge"), [(-27000, 27000), (-1, 1), (0, 0), (5000, 0)])
def test_discharge_is_what_flows_out(ma: int, discharge: int) -> None:
    rig = PackRig()
    rig.frame(current_ma=ma)
    assert rig.value("discharge_ma") == discharge


def test_every_fault_has_a_name_a_place_and_a_level() -> None:
    for place, name in enumerate(FAULTS):
        rig = PackRig()
        rig.frame(**fault_words(name))
        level = ALARM if name in ALARMING else INFO if name in HARMLESS else WARN
        assert (rig.value("fault_level"), rig.where("fault_level")) == (level, place + 1), name


def test_no_fault_is_level_0() -> None:
    rig = PackRig()
    rig.frame(faults_a=0, faults_b=0)
    assert (rig.value("fault_level"), rig.where("fault_level")) == (OK, 0)


@pytest.mark.parametrize(
    ("names", "level", "named"),
    [
        (("configuration", "cell_over_voltage"), ALARM, "cell_over_voltage"),
        (("cell_under_voltage", "thermal_runaway"), ALARM, "thermal_runaway"),
        (("over_temperature", "thermal_runaway"), ALARM, "over_temperature"),
        (("high_charge", "clock"), WARN, "clock"),
        (("clock", "memory"), WARN, "memory"),
        (("default_password", "high_charge"), INFO, "high_charge"),
    ],
)
def test_worst_fault_is_named_and_of_equals_the_first(
    names: tuple[str, ...], level: int, named: str
) -> None:
    rig = PackRig()
    rig.frame(**fault_words(*names))
    assert rig.value("fault_level") == level
    assert FAULTS[rig.where("fault_level") - 1] == named


def test_last_bit_of_the_first_word_and_first_of_the_second() -> None:
    for place in (WORD_BITS - 1, WORD_BITS):
        rig = PackRig()
        rig.frame(**fault_words(FAULTS[place]))
        assert rig.where("fault_level") == place + 1


@pytest.mark.parametrize(
    ("code", "level"),
    [(0, OK), (10, WARN), (14, WARN), (22, WARN), (23, WARN), (99, WARN)]
    + [(code, ALARM) for code in (16, 17, 21, 24, 28, 29, 38, 39, 40, 41, 42, 45, 46)],
)
def test_controller_errors_have_levels(code: int, level: int) -> None:
    rig = PackRig()
    rig.frame(error_code=code)
    assert (rig.value("error_level"), rig.where("error_level")) == (level, code)


@pytest.mark.parametrize(
    ("slot", "frame"),
    [
        ("discharge_ma", {"current_ma": -1000}),
        ("fault_level", {"faults_a": 1, "faults_b": 0}),
        ("error_level", {"error_code": 21}),
    ],
)
def test_reports_age_with_what_they_come_from(slot: str, frame: dict[str, int]) -> None:
    rig = PackRig()
    rig.frame(soc_pct=50)
    assert rig.value(slot) is None
    rig.frame(**frame)
    rig.ms = 5000
    rig.round()
    assert rig.value(slot) is not None
    rig.ms = 5001
    rig.round()
    assert rig.value(slot) is None


def test_switching_off_forgets_reports() -> None:
    rig = PackRig()
    rig.frame(current_ma=-1000, error_code=21, **fault_words("load"))
    rig.pack.forget()
    rig.round()
    assert [rig.value(slot) for slot in ("discharge_ma", "fault_level", "error_level")] == [
        None
    ] * 3
    rig.frame(current_ma=-1000)
    assert rig.value("discharge_ma") == 1000


# --- sense wires ---------------------------------------------------------------------------------


def wires(rig: PackRig, mohm: list[int], **slots: int) -> None:
    """The board tells the resistances of its sense wires."""
    rig.t.begin(rig.now)
    for name, value in slots.items():
        rig.t.set(INDEX[name], value)
    for cell, wire in enumerate(mohm):
        rig.t.set_wire(cell, wire)
    rig.t.end()
    rig.round()


def test_worst_wire_is_named_and_compared_with_the_median() -> None:
    rig = PackRig()
    wires(rig, [40, 41, 38, 120, 39, 40])
    assert (rig.value("wire_most_mohm"), rig.where("wire_most_mohm")) == (120, 4)
    assert (rig.value("wire_ratio_pct"), rig.where("wire_ratio_pct")) == (300, 4)
    assert rig.value("wire_fault") == 0


def test_real_boards_wires_are_innocent() -> None:
    """Four JK boards of the sheet's frames: up to 1.54 times the median."""
    for mohm in (
        [51, 52, 63, 66, 77, 88, 102, 113, 119, 113, 102, 98, 90, 68, 64, 54],
        [104, 104, 122, 115, 114, 133, 112, 103, 130, 119, 101, 102, 126, 120, 116, 156],
        [64, 61, 64, 61, 65, 63, 65, 62, 65, 62, 65, 61, 64, 62, 65, 63],
        [83, 80, 79, 74, 77, 75, 77, 77, 83, 78, 77, 74, 76, 77, 82, 81],
    ):
        rig = PackRig()
        wires(rig, mohm)
        wires(rig, mohm)
        assert (rig.value("wire_ratio_pct") or 0) < 160
        assert rig.events == []


def test_board_that_measures_no_wires_tells_nothing() -> None:
    rig = PackRig()
    wires(rig, [0, 0, 0, 0])
    wires(rig, [], **fault_words("sense_wire"))
    assert rig.value("wire_most_mohm") is None
    assert rig.value("wire_fault") is None


def test_boards_own_warning_counts_while_it_is_fresh() -> None:
    rig = PackRig()
    wires(rig, [40, 41], **fault_words("sense_wire"))
    assert rig.value("wire_fault") == 1
    wires(rig, [40, 41], **fault_words("clock"))
    assert rig.value("wire_fault") == 0
    rig.frame(**fault_words("sense_wire"))
    rig.advance(5001)
    wires(rig, [40, 41])
    assert rig.value("wire_fault") == 0


def test_wires_go_stale() -> None:
    rig = PackRig()
    wires(rig, [40, 1200])
    rig.advance(5001)
    assert rig.value("wire_most_mohm") is None


def test_bad_wire_warns_with_the_second_frame() -> None:
    rig = PackRig()
    wires(rig, [40, 40, 1200])
    assert rig.events == []
    wires(rig, [40, 40, 1200])
    assert rig.state("sense_wire") == ("set", "warn")
    assert rig.record("sense_wire", "where") == 3


# --- the median ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([7], 7),
        ([9, 2], 2),
        ([3, 1, 2], 2),
        ([4, 1, 3, 2], 2),
        ([5] * 31 + [1], 5),
        ([-1, -9, 4], -1),
    ],
)
def test_median_is_the_lower_middle(values: list[int], middle: int) -> None:
    assert median(values, len(values)) == middle
    assert median([*values, 100], len(values)) == middle


def test_median_of_differences() -> None:
    assert median([10, 20, 40], 3, [1, 15, 5]) == 9


# --- exactly, the meter alone --------------------------------------------------------------------


def test_each_report_is_told_anew_with_its_own_sample_only() -> None:
    rig = MeterRig(Reports())
    slots = {"discharge_ma": "current_ma", "fault_level": "faults_a", "error_level": "error_code"}
    for derived, source in slots.items():
        rig.tell(100, **{source: 1})
        assert rig.count(derived) == 1
        others = {count: rig.count(count) for count in slots}
        rig.tell(100, soc_pct=50)
        assert {count: rig.count(count) for count in slots} == others
        rig.t.stamp[INDEX[source]] = rig.now - 50  # another stamp without a sample is no news
        rig.tell(0, soc_pct=50)
        assert rig.t.stamp[INDEX[derived]] == rig.now - 100
        rig.tell(100, **{source: 1})
        assert (rig.count(derived), rig.t.stamp[INDEX[derived]]) == (2, rig.now)
    assert rig.where("discharge_ma") == 0


@pytest.mark.parametrize(("code", "where"), [(255, 255), (256, 0), (300, 44), (-1, 255)])
def test_error_code_is_named_by_its_low_byte(code: int, where: int) -> None:
    rig = MeterRig(Reports())
    rig.tell(error_code=code)
    assert (rig.value("error_level"), rig.where("error_level")) == (WARN, where)


def test_family_says_which_codes_alarm() -> None:
    rig = MeterRig(Reports(b"\x07"))
    for code, level in ((7, ALARM), (21, WARN), (0, OK)):
        rig.tell(100, error_code=code)
        assert rig.value("error_level") == level


def test_faults_of_both_words_at_once() -> None:
    def of(word: int, names: tuple[str, ...]) -> list[str]:
        places = [FAULTS.index(name) for name in names]
        return [FAULTS[place] for place in sorted(places) if place // WORD_BITS == word]

    others = tuple(name for name in FAULTS if name not in ALARMING and name not in HARMLESS)
    for names in (ALARMING, others, HARMLESS):
        for low in of(0, names)[:2]:
            for high in of(1, names)[:2]:
                rig = MeterRig(Reports())
                rig.tell(**fault_words(low, high))
                assert rig.where("fault_level") == 1 + FAULTS.index(low)
    for worse, better in ((ALARMING, others), (others, HARMLESS), (ALARMING, HARMLESS)):
        for bad in of(1, worse)[-1:]:
            for good in [*of(0, better)[:1], *of(1, better)[:1]]:
                rig = MeterRig(Reports())
                rig.tell(**fault_words(good, bad))
                assert rig.where("fault_level") == 1 + FAULTS.index(bad)


def test_wires_are_told_once_a_frame_and_of_equals_the_first() -> None:
    rig = PackRig()
    wires(rig, [40, 90, 90])
    rig.frame(soc_pct=50)
    for slot, value, where in (
        ("wire_most_mohm", 90, 2),
        ("wire_ratio_pct", 100, 2),
        ("wire_fault", 0, 0),
    ):
        assert (rig.value(slot), rig.where(slot)) == (value, where)
        assert rig.t.count[INDEX[slot]] == 1
    rig.advance(300)
    wires(rig, [40, 41, 61])
    assert rig.value("wire_ratio_pct") == 148  # 148.8
    assert rig.t.count[INDEX["wire_ratio_pct"]] == 2
    assert rig.t.stamp[INDEX["wire_ratio_pct"]] == rig.now


def test_wires_of_a_milliohm_are_named() -> None:
    rig = PackRig()
    wires(rig, [0, 1, 1])
    assert (rig.value("wire_most_mohm"), rig.where("wire_most_mohm")) == (1, 2)


@pytest.mark.parametrize(("values", "middle"), [([3, 3, 1], 3), ([1, 3, 3, 2], 2), ([2, 2], 2)])
def test_median_of_equals(values: list[int], middle: int) -> None:
    assert median(values, len(values)) == middle
    assert median([value + 7 for value in values], len(values), [7] * len(values)) == middle

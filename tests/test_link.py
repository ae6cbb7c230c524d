"""The link meter: off and on, questions and answers, silence, noise."""

import math
from typing import Any

import pytest
from deckwatch.frame import BYTES_IN, COUNT, DAMAGED, FRAME_BYTES, FRAMES_IN, Frame
from deckwatch.meters.link import (
    BMS_TX,
    BREAK,
    DASH,
    HOST_TX,
    IDLE,
    LINE_STATES,
    LOW,
    NO_LEVEL,
    OVERRUN,
    PORTS,
    Link,
    bit_error_ppm,
)
from deckwatch.telemetry import INDEX, Telemetry

TICKS = 1 << 30
WRAP = COUNT + 1


def counter(place: int) -> Any:
    """One of a framer's numbers, by name."""
    return property(
        lambda framer: framer.numbers[place],
        lambda framer, count: framer.numbers.__setitem__(place, count),
    )


class Counters:
    """A framer as the meter sees it."""

    frames = counter(FRAMES_IN)
    damaged = counter(DAMAGED)
    frame_bytes = counter(FRAME_BYTES)
    bytes = counter(BYTES_IN)

    def __init__(self) -> None:
        self.numbers = [0] * (BYTES_IN + 1)


class Rig:
    """A link, its receivers' counters, and a clock."""

    def __init__(self, start: int = 0) -> None:
        self.counters = Counters()
        self.link = Link([self.counters, None, None])
        self.t = Telemetry()
        self.ms = 0
        self.start = start

    @property
    def now(self) -> int:
        return (self.start + self.ms) % TICKS

    def request(self, port: int = HOST_TX) -> None:
        self.heard(port, is_request=True)

    def reply(self, port: int = BMS_TX) -> None:
        self.heard(port, is_reply=True)

    def heard(self, port: int, **kind: bool) -> None:
        frame = Frame()
        frame.now = self.now
        for name, value in kind.items():
            setattr(frame, name, value)
        self.link.heard(frame, port)

    def value(self, slot: str) -> int | None:
        """After a round, what is known."""
        self.link.update(self.t, self.now)
        number = INDEX[slot]
        return int(self.t.value[number]) if self.t.fresh(number, self.now) else None

    def traffic(self, seconds: int, good: int, bad: int = 0, size: int = 20) -> None:
        """So many frames of `size` bytes every second, with a round in each."""
        for _ in range(seconds):
            self.counters.frames += good
            self.counters.damaged += bad
            self.counters.frame_bytes += good * size
            self.ms += 1000
            self.link.update(self.t, self.now)


# --- off and on ----------------------------------------------------------------------------------


def test_both_lines_held_low_is_off() -> None:
    link = Rig().link
    assert link.line(BMS_TX, IDLE) is False
    assert link.line(HOST_TX, IDLE) is False
    assert link.line(BMS_TX, LOW) is False
    assert link.is_off is False
    assert link.line(HOST_TX, LOW) is True
    assert link.is_off is True
    assert link.line(BMS_TX, IDLE) is True
    assert link.is_off is False


def test_one_wire_low_while_the_other_is_not_tapped_is_off() -> None:
    link = Rig().link
    assert link.line(BMS_TX, LOW) is True
    assert link.is_off is True


@pytest.mark.parametrize("state", [BREAK, OVERRUN])
def test_damage_is_no_level(state: int) -> None:
    link = Rig().link
    link.line(BMS_TX, LOW)
    assert link.line(BMS_TX, state) is False
    assert link.is_off is True


def test_overruns_and_nothing_else_are_counted() -> None:
    link = Rig().link
    for state in (OVERRUN, LOW, OVERRUN, BREAK, IDLE, OVERRUN):
        link.line(BMS_TX, state)
    assert link.overruns == 3


def test_dash_line_does_not_tell_off_or_on() -> None:
    link = Rig().link
    assert link.line(DASH, LOW) is False
    assert link.line(BMS_TX, LOW) is True
    assert link.line(DASH, IDLE) is False
    assert link.is_off is True


def test_one_wire_low_while_the_other_talks_is_a_cut_wire() -> None:
    rig = Rig()
    rig.request()
    assert rig.link.line(BMS_TX, LOW) is False
    assert rig.link.is_off is False


def test_frame_proves_that_the_scooter_is_on() -> None:
    rig = Rig()
    rig.link.line(BMS_TX, LOW)
    rig.heard(DASH)
    assert rig.link.is_off is True
    rig.reply()
    assert rig.link.is_off is False


@pytest.mark.parametrize("start", [0, WRAP - 10])
def test_a_line_held_low_that_brings_bytes_is_upside_down_and_not_off(start: int) -> None:
    rig = Rig()
    rig.counters.bytes = start
    rig.link.line(BMS_TX, LOW)
    for number in range(1, 64):  # a fall that lasts reads as a zero byte, contacts bounce
        rig.counters.bytes = (start + number) % WRAP
        rig.link.update(rig.t, rig.now)
        assert rig.link.is_off is True
    rig.counters.bytes = (start + 64) % WRAP
    rig.link.update(rig.t, rig.now)
    assert rig.link.is_off is False
    rig.link.line(BMS_TX, IDLE)
    rig.link.line(BMS_TX, LOW)
    rig.link.update(rig.t, rig.now)
    assert rig.link.is_off is True  # what came before does not count


# --- questions and answers -----------------------------------------------------------------------


def test_requests_and_replies_are_counted() -> None:
    rig = Rig()
    for _ in range(3):
        rig.request()
    rig.reply()
    rig.heard(BMS_TX)
    rig.heard(DASH, is_request=True)
    assert (rig.link.requests, rig.link.replies) == (3, 1)


def test_nobody_asked_says_nothing() -> None:
    rig = Rig()
    rig.reply()
    assert rig.value("unanswered_ms") is None
    rig.request()
    assert rig.value("unanswered_ms") == 0


def test_ten_requests_in_a_row_count_from_the_first() -> None:
    rig = Rig()
    rig.ms = 1000
    for _ in range(9):
        rig.request()
        rig.ms += 600
    assert rig.value("unanswered_ms") == 0
    rig.request()
    assert rig.value("unanswered_ms") == 5400
    rig.request()
    rig.ms += 1
    assert rig.value("unanswered_ms") == 5401


def test_any_reply_ends_the_row() -> None:
    rig = Rig()
    for _ in range(20):
        rig.request()
    rig.ms = 6000
    rig.reply()
    assert rig.value("unanswered_ms") == 0
    rig.request()
    rig.ms = 9000
    for _ in range(8):
        rig.request()
    assert rig.value("unanswered_ms") == 0
    rig.request()
    assert rig.value("unanswered_ms") == 3000


def test_acknowledgement_of_another_kind_does_not_end_the_row() -> None:
    rig = Rig()
    for _ in range(10):
        rig.request()
    rig.heard(BMS_TX)
    rig.ms = 5000
    assert rig.value("unanswered_ms") == 5000


# --- quiet ---------------------------------------------------------------------------------------


def test_line_that_never_spoke_is_not_quiet() -> None:
    rig = Rig()
    rig.link.line(BMS_TX, IDLE)
    rig.request()
    rig.ms = 20000
    assert rig.value("quiet_ms") is None


def test_quiet_counts_from_the_last_word_of_the_battery() -> None:
    rig = Rig()
    rig.reply()
    rig.ms = 3000
    rig.heard(BMS_TX)
    rig.ms = 4000
    rig.request()
    rig.heard(DASH)
    rig.ms = 13000
    assert rig.value("quiet_ms") == 10000


def test_one_frame_alone_is_no_battery_that_could_fall_silent() -> None:
    rig = Rig()
    rig.reply()
    rig.ms = 8000
    assert rig.value("quiet_ms") is None
    rig.reply()
    rig.ms = 9000
    assert rig.value("quiet_ms") == 1000


def test_line_held_low_is_not_quiet() -> None:
    rig = Rig()
    rig.reply()
    rig.reply()
    rig.request()
    rig.ms = 8000
    assert rig.value("quiet_ms") == 8000
    rig.link.line(BMS_TX, LOW)
    assert rig.value("quiet_ms") == 0
    rig.link.line(BMS_TX, IDLE)
    assert rig.value("quiet_ms") == 8000


def test_switching_off_forgets_questions_and_answers() -> None:
    rig = Rig()
    rig.reply()
    for _ in range(10):
        rig.request()
    rig.link.line(BMS_TX, LOW)
    rig.link.line(HOST_TX, LOW)
    rig.ms = 20000
    assert rig.value("unanswered_ms") is None
    assert rig.value("quiet_ms") is None


def test_round_is_due_when_a_silence_is_a_whole_second_longer() -> None:
    rig = Rig()
    rig.ms = 300
    assert rig.link.update(rig.t, rig.now) == 1000
    rig.reply()
    rig.reply()
    rig.ms = 1000
    for _ in range(10):
        rig.request()
    rig.ms = 5100  # quiet for 4.8 s, unanswered for 4.1 s
    assert rig.link.update(rig.t, rig.now) == 200
    rig.ms = 5900  # 5.6 s and 4.9 s
    assert rig.link.update(rig.t, rig.now) == 100


def test_silence_of_weeks_stays_an_hour_over_the_wrap() -> None:
    rig = Rig(start=TICKS - 1000)
    rig.reply()
    rig.reply()
    for _ in range(10):
        rig.request()
    for _ in range(30 * 24):
        rig.ms += 3_600_000
        rig.link.saturate(rig.now)
        assert rig.value("quiet_ms") == 3_600_000
        assert rig.value("unanswered_ms") == 3_600_000


# --- noise ---------------------------------------------------------------------------------------


def test_noise_is_told_after_30_s() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.traffic(29, 10)
    assert rig.value("bit_error_ppm") is None
    rig.traffic(1, 10)
    assert rig.value("bit_error_ppm") == 0


def test_noise_is_the_share_of_damages_corrected_for_length() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.traffic(30, 19, 1, 20)
    assert rig.value("bit_error_ppm") == 256  # -ln(0.95) / 200 bits
    assert (rig.link.score, rig.link.worst) == (95, 95)
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.traffic(30, 19, 1, 300)
    assert rig.value("bit_error_ppm") == 17


def test_noise_is_forgotten_after_30_s_but_the_worst_is_kept() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.traffic(5, 10, 10)
    rig.traffic(25, 10)
    assert rig.link.score == 85
    assert rig.value("bit_error_ppm") == 769  # 300 of 350: -ln(6 / 7) / 200 bits is 770.8
    rig.traffic(5, 10)
    assert rig.value("bit_error_ppm") == 0
    assert (rig.link.score, rig.link.worst) == (100, 50)


@pytest.mark.parametrize(("damages", "ppm"), [(2, 0), (3, 361)])
def test_two_damages_in_30_s_are_accidents(damages: int, ppm: int) -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.counters.damaged = damages
    rig.counters.frames = 40
    rig.counters.frame_bytes = 800
    rig.traffic(30, 0)
    assert rig.value("bit_error_ppm") == ppm


def test_too_few_frames_say_nothing() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.counters.frames = 19
    rig.counters.frame_bytes = 380
    rig.counters.damaged = 19
    rig.traffic(30, 0)
    assert rig.value("bit_error_ppm") is None
    assert rig.link.score == 50
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.counters.frames = 10
    rig.counters.damaged = 9
    rig.traffic(30, 0)
    assert rig.link.score == 100


def test_measure_ends_when_frames_stop() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.traffic(30, 10)
    rig.traffic(30, 0)
    rig.traffic(5, 0)
    assert rig.value("bit_error_ppm") is None


def test_measure_stays_fresh_between_its_steps() -> None:
    rig = Rig()
    rig.t.ttl_ms = 1000
    rig.link.update(rig.t, rig.now)
    rig.traffic(30, 10)
    for _ in range(20):
        rig.traffic(1, 10)
        assert rig.value("bit_error_ppm") == 0


def test_each_measure_is_one_sample() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.traffic(32, 10)
    count = rig.t.count[INDEX["bit_error_ppm"]]
    assert count == 1
    rig.traffic(2, 10)
    assert rig.t.count[INDEX["bit_error_ppm"]] == count
    rig.traffic(1, 10)
    assert rig.t.count[INDEX["bit_error_ppm"]] == count + 1


def test_switching_on_starts_the_measure_anew() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.traffic(30, 10, 10)
    rig.link.line(BMS_TX, LOW)
    rig.link.line(BMS_TX, IDLE)
    rig.t.forget()
    rig.link.update(rig.t, rig.now)
    rig.traffic(29, 10)
    assert rig.value("bit_error_ppm") is None
    rig.traffic(1, 10)
    assert rig.value("bit_error_ppm") == 0


def test_a_battery_that_has_said_much_falls_silent_like_one_that_has_said_little() -> None:
    rig = Rig()
    rig.link.line(BMS_TX, IDLE)
    for _ in range(20):
        rig.reply()
    rig.ms += 3000
    assert rig.value("quiet_ms") == 3000


def test_counters_may_wrap() -> None:
    rig = Rig()
    rig.counters.frames = rig.counters.damaged = rig.counters.frame_bytes = WRAP - 1
    rig.link.update(rig.t, rig.now)
    rig.link.reset()
    rig.link.update(rig.t, rig.now)
    rig.counters.frames = rig.counters.damaged = rig.counters.frame_bytes = -1
    rig.traffic(30, 19, 1, 20)
    assert rig.value("bit_error_ppm") == 256


@pytest.mark.parametrize("bad", [0, 1, 5, 20, 50, 100])
def test_bit_errors_follow_the_logarithm(bad: int) -> None:
    exact = -math.log(1 - bad / (100 + bad)) / (20 * 10) * 1e6
    assert bit_error_ppm(100, bad, 2000) == pytest.approx(exact, rel=0.04, abs=1)


# --- exactly -------------------------------------------------------------------------------------


def test_bit_errors_are_three_terms_of_the_logarithm_each_rounded_down() -> None:
    for p in range(10_000):  # of 10,000 frames of 10 bytes are damaged
        good = 10_000 - p
        terms = p + p**2 // 20_000 + p**2 // 10_000 * p // 30_000
        assert bit_error_ppm(good, p, 10 * good) == terms
    assert bit_error_ppm(72, 1, 720) == 136  # of 10,000, rounded down
    assert bit_error_ppm(2, 1, 41) == (3333 + 555 + 123) * 100 // 205


def test_totals_wrap_at_28_bits() -> None:
    rig = Rig()
    link = rig.link
    link.requests = link.replies = link.overruns = WRAP - 2
    for total in (WRAP - 1, 0, 1):
        rig.request()
        rig.reply()
        link.line(BMS_TX, OVERRUN)
        assert (link.requests, link.replies, link.overruns) == (total, total, total)


def wired(*ports: int) -> tuple[Rig, list[Counters]]:
    """A link with receivers at these ports."""
    rig = Rig()
    counters = [Counters() for _ in range(3)]
    rig.link = Link([counters[port] if port in ports else None for port in range(3)])
    return rig, counters


@pytest.mark.parametrize(("port", "off"), [(BMS_TX, False), (HOST_TX, False), (DASH, True)])
def test_bytes_of_either_wire_of_the_battery_tell_that_it_is_on(port: int, off: bool) -> None:
    rig, counters = wired(BMS_TX, HOST_TX, DASH)
    for counter in counters:
        counter.bytes = 1000
    rig.link.line(BMS_TX, IDLE)
    rig.link.line(HOST_TX, LOW)
    assert rig.link.line(BMS_TX, LOW) is True
    counters[port].bytes += 63
    rig.link.update(rig.t, rig.now)
    assert rig.link.is_off is True
    counters[port].bytes += 1
    rig.link.update(rig.t, rig.now)
    assert rig.link.is_off is off


@pytest.mark.parametrize("port", [BMS_TX, HOST_TX])
def test_a_frame_on_a_wire_held_low_raises_its_level(port: int) -> None:
    rig = Rig()
    rig.link.line(BMS_TX, LOW)
    rig.link.line(HOST_TX, LOW)
    rig.heard(port)
    assert rig.link.is_off is False
    assert rig.link.line(HOST_TX if port == BMS_TX else BMS_TX, LOW) is False
    assert rig.link.line(port, LOW) is True


def test_switching_on_again_forgets_too() -> None:
    rig = Rig()
    rig.link.line(BMS_TX, LOW)
    rig.request()
    rig.link.is_off = True
    assert rig.link.line(BMS_TX, IDLE) is True
    assert rig.value("unanswered_ms") is None


def test_reply_or_frame_of_the_other_wire_is_no_word_of_the_battery() -> None:
    rig = Rig()
    for _ in range(3):
        rig.reply(HOST_TX)
    assert rig.link.replies == 3
    rig.ms = 2000
    assert rig.value("quiet_ms") is None
    rig.reply()
    rig.reply()
    rig.ms = 3000
    rig.reply(HOST_TX)
    rig.ms = 4500
    assert rig.value("quiet_ms") == 2500


def test_silences_name_no_cell_and_are_a_new_sample_each_round() -> None:
    rig = Rig()
    rig.reply()
    rig.reply()
    rig.request()
    for number in (1, 2, 3):
        rig.link.update(rig.t, rig.now)
        for slot in ("unanswered_ms", "quiet_ms"):
            assert (rig.t.count[INDEX[slot]], rig.t.where[INDEX[slot]]) == (number, 0)
    assert rig.t.stamp[INDEX["quiet_ms"]] == rig.now


@pytest.mark.parametrize(("ms", "wait"), [(0, 1000), (1, 999), (999, 1), (1000, 1000)])
def test_round_is_due_at_a_whole_second_of_quiet(ms: int, wait: int) -> None:
    rig = Rig()
    rig.reply()
    rig.reply()
    rig.ms = ms
    assert rig.link.update(rig.t, rig.now) == wait


def test_silences_are_told_as_an_hour_at_most() -> None:
    rig = Rig()
    rig.reply()
    rig.reply()
    for _ in range(10):
        rig.request()
    for ms, told in ((3_599_999, 3_599_999), (3_600_000, 3_600_000), (3_600_001, 3_600_000)):
        rig.ms = ms
        assert rig.value("unanswered_ms") == rig.value("quiet_ms") == told


def test_a_step_of_the_measure_is_5_s_to_the_millisecond() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.counters.frames = 30
    rig.counters.damaged = 10
    for ms, score in ((4999, 100), (5000, 75), (5001, 75)):
        rig.ms = ms
        rig.link.update(rig.t, rig.now)
        assert rig.link.score == score
    rig.counters.damaged = 30  # 30 of each
    for ms, score in ((9999, 75), (10_000, 50)):
        rig.ms = ms
        rig.link.update(rig.t, rig.now)
        assert rig.link.score == score


def test_all_receivers_are_measured() -> None:
    rig, counters = wired(BMS_TX, HOST_TX, DASH)
    rig.link.update(rig.t, rig.now)
    for counter in counters:
        counter.frames, counter.damaged, counter.frame_bytes = 20, 2, 400
    for _ in range(6):
        rig.ms += 5000
        rig.link.update(rig.t, rig.now)
    assert rig.link.score == 90  # 60 of 66
    assert rig.value("bit_error_ppm") == bit_error_ppm(60, 6, 1200)
    assert rig.t.where[INDEX["bit_error_ppm"]] == 0


@pytest.mark.parametrize(
    ("good", "bad", "score", "ppm"),
    [
        (20, 3, 86, bit_error_ppm(20, 3, 400)),
        (20, 2, 90, 0),
        (19, 3, 86, None),
        (19, 1, 95, None),
        (18, 1, 100, None),
        (0, 20, 0, None),
    ],
)
def test_what_a_measure_needs(good: int, bad: int, score: int, ppm: int | None) -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.counters.frames, rig.counters.damaged, rig.counters.frame_bytes = good, bad, 20 * good
    for number in range(6):
        assert rig.value("bit_error_ppm") is None, number
        rig.ms += 5000
        rig.link.update(rig.t, rig.now)
    assert (rig.link.score, rig.link.worst) == (score, score)
    assert rig.value("bit_error_ppm") == ppm


def test_a_measure_looks_back_six_steps() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.counters.damaged = 40
    scores = []
    for _ in range(9):
        rig.counters.frames += 20
        rig.counters.frame_bytes += 400
        rig.ms += 5000
        rig.link.update(rig.t, rig.now)
        scores.append(rig.link.score)
    assert scores == [33, 50, 60, 66, 71, 75, 100, 100, 100]
    assert rig.link.worst == 33


def test_switching_off_begins_the_window_with_the_next_round() -> None:
    rig = Rig()
    rig.link.update(rig.t, rig.now)
    rig.counters.frames, rig.counters.damaged = 30, 10
    rig.ms = 4000
    rig.link.update(rig.t, rig.now)
    rig.link.reset()
    rig.ms = 6000
    rig.link.update(rig.t, rig.now)
    rig.counters.frames = 60
    rig.ms = 10_999
    rig.link.update(rig.t, rig.now)
    assert rig.link.score == 100
    rig.counters.damaged = 40
    rig.ms = 11_000
    rig.link.update(rig.t, rig.now)
    assert rig.link.score == 50


def test_a_new_link_has_heard_nothing() -> None:
    link = Rig().link
    assert (link.requests, link.replies, link.overruns) == (0, 0, 0)
    assert (link.score, link.worst, link.is_off) == (100, 100, False)


def test_states_and_ports_are_named_by_their_numbers() -> None:
    states = {"unknown": NO_LEVEL, "idle": IDLE, "low": LOW, "break": BREAK, "overrun": OVERRUN}
    assert [states[name] for name in LINE_STATES] == list(range(5))
    ports = {"bms_tx": BMS_TX, "host_tx": HOST_TX, "dash": DASH}
    assert [ports[name] for name in PORTS] == list(range(3))

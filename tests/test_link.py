"""The link meter: off and on, questions and answers, silence, noise."""

import math

import pytest
from deckwatch.frame import Frame
from deckwatch.meters.link import (
    BMS_TX,
    BREAK,
    DASH,
    HOST_TX,
    IDLE,
    LOW,
    OVERRUN,
    Link,
    bit_error_ppm,
)
from deckwatch.telemetry import INDEX, Telemetry

TICKS = 1 << 30


class Counters:
    """A framer as the meter sees it."""

    def __init__(self) -> None:
        self.frames = self.damaged = self.frame_bytes = self.bytes = 0


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


@pytest.mark.parametrize("start", [0, TICKS - 10])
def test_a_line_held_low_that_brings_bytes_is_upside_down_and_not_off(start: int) -> None:
    rig = Rig()
    rig.counters.bytes = start
    rig.link.line(BMS_TX, LOW)
    for number in range(1, 64):  # a fall that lasts reads as a zero byte, contacts bounce
        rig.counters.bytes = (start + number) % TICKS
        rig.link.update(rig.t, rig.now)
        assert rig.link.is_off is True
    rig.counters.bytes = (start + 64) % TICKS
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


def test_counters_may_wrap() -> None:
    rig = Rig()
    rig.counters.frames = rig.counters.damaged = rig.counters.frame_bytes = TICKS - 1
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

"""When a question may be asked, and what ends the asking."""

import itertools
from types import SimpleNamespace

import pytest
from deckwatch.config import load
from deckwatch.pipeline import Pipeline
from deckwatch.poller import ASSIST, POLL, Poller

ROWS = (
    ("status", "55aa032201300c9dff", "reply", 210),
    ("cells", "55aa032201401e7bff", "reply", 1000),
)
WRAP = 1 << 30


def frame(data: bytes, *, request: bool = False, reply: bool = False) -> SimpleNamespace:
    """What a framer hands over, as far as the poller looks."""
    return SimpleNamespace(buf=data, at=0, size=len(data), is_request=request, is_reply=reply)


REPLY = frame(bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe"), reply=True)
FOREIGN = frame(bytes.fromhex("55aa03220110 10b9ff"), request=True)


class Bus:
    """A line whose board answers as told, stepped millisecond by millisecond."""

    def __init__(self, mode: str, start: int = 0, rows: tuple = ROWS) -> None:
        self.poller = Poller(rows, mode)
        self.start = start
        self.ms = 0
        self.sent: list[tuple[int, int]] = []
        self.answers = {0, 1}
        self.echoes = False

    @property
    def now(self) -> int:
        return (self.start + self.ms) % WRAP

    def run(self, ms: int) -> list[tuple[int, int]]:
        """(time, row) of the questions of the next `ms`; a reply comes 3 ms after each."""
        first = len(self.sent)
        due = -1
        for _ in range(ms):
            self.ms += 1
            row = self.poller.next(self.now)
            if row >= 0:
                self.poller.sent(row, self.now)
                self.sent.append((self.ms, row))
                if self.echoes:
                    self.poller.heard(frame(self.poller.requests[row], request=True), self.now)
                due = self.ms + 3 if row in self.answers else -1
            elif self.ms == due:
                self.poller.heard(REPLY, self.now)
        return self.sent[first:]


def idle(mode: str, **how: int) -> Bus:
    bus = Bus(mode, **how)
    bus.poller.rest(0, True, bus.now)
    return bus


def test_in_listen_there_is_nobody_who_could_ask() -> None:
    core = Pipeline(load({"profile": "m365"}), None, strict=True)
    assert core.poller is None
    assert [core.question(ms) for ms in range(0, 60_000, 10)] == [-1] * 6_000
    assert Pipeline(load({"profile": "m365", "mode": "poll"}), None).poller.mode == POLL


def test_nothing_is_sent_on_a_line_that_does_not_rest_high() -> None:
    bus = Bus(POLL)
    assert bus.run(2_000) == []
    bus.poller.rest(0, False, bus.now)
    assert bus.run(20_000) == []
    bus.poller.rest(0, True, bus.now)
    assert bus.run(2_000) != []


def test_one_wire_held_low_forbids_asking() -> None:
    bus = idle(POLL)
    bus.poller.rest(1, False, bus.now)
    assert bus.run(10_000) == []
    bus.poller.rest(1, True, bus.now)
    assert bus.run(1_000) != []


def test_assist_waits_for_five_seconds_of_silence() -> None:
    bus = idle(ASSIST)
    assert bus.run(4_999) == []
    assert bus.run(1) == [(5_000, 0)]


def test_bytes_of_anybody_start_the_five_seconds_again() -> None:
    bus = idle(ASSIST)
    bus.run(4_000)
    bus.poller.bytes_heard(bus.now)
    assert bus.run(4_999) == []
    assert bus.run(1) == [(9_000, 0)]


def test_assist_stops_for_good_at_the_first_foreign_request() -> None:
    bus = idle(ASSIST)
    assert bus.run(6_000) != []
    bus.poller.heard(FOREIGN, bus.now)
    assert bus.poller.yielded
    assert bus.run(200_000) == []
    bus.poller.rest(0, True, bus.now)
    assert bus.run(200_000) == []


def test_a_new_power_cycle_lets_assist_ask_again() -> None:
    bus = idle(ASSIST)
    bus.poller.heard(FOREIGN, bus.now)
    bus.poller.rest(0, False, bus.now)
    bus.poller.restart()
    assert bus.run(10_000) == []
    bus.poller.rest(0, True, bus.now)
    assert bus.run(5_000)[0][0] == bus.ms - 0


def test_poll_asks_each_row_at_its_period_with_gaps() -> None:
    asked = idle(POLL).run(10_000)
    status = [ms for ms, row in asked if row == 0]
    cells = [ms for ms, row in asked if row == 1]
    assert 9 <= len(cells) <= 10
    assert 38 <= len(status) <= 48
    assert min(b - a for (a, _), (b, _) in itertools.pairwise(asked)) >= 100
    assert min(b - a for a, b in itertools.pairwise(cells)) >= 1000


def test_an_own_echo_is_no_foreign_master() -> None:
    bus = idle(POLL)
    bus.echoes = True
    assert len(bus.run(5_000)) > 10
    assert not bus.poller.yielded
    bus.poller.heard(frame(bus.poller.requests[0], request=True), bus.now)
    assert bus.poller.yielded  # the same words once more are somebody else's


def test_an_echo_that_comes_too_late_is_foreign() -> None:
    bus = idle(POLL)
    (ms, row), *_ = bus.run(200)
    bus.ms = ms + 101
    bus.poller.heard(frame(bus.poller.requests[row], request=True), bus.now)
    assert bus.poller.yielded


def test_poll_yields_to_a_second_master_for_a_minute() -> None:
    bus = idle(POLL)
    bus.run(1_000)
    bus.poller.heard(FOREIGN, bus.now)
    assert bus.run(59_999) == []
    assert bus.run(500) != []
    bus.poller.heard(FOREIGN, bus.now)
    assert bus.run(30_000) == []


def test_the_first_miss_is_repeated_at_once_then_pauses_grow() -> None:
    bus = idle(POLL)
    bus.answers = set()
    asked = [ms for ms, _ in bus.run(200_000)]
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert gaps[0] == 500
    assert gaps[1:7] == [1000, 2000, 4000, 8000, 16000, 32000]
    assert set(gaps[7:]) == {64000}
    assert [row for _, row in bus.sent[:2]] == [0, 0]
    assert bus.poller.timeouts == len(asked)


def test_a_woken_board_is_polled_at_full_pace_again() -> None:
    bus = idle(POLL)
    bus.answers = set()
    bus.run(40_000)
    bus.answers = {0, 1}
    bus.run(64_000)
    assert len(bus.run(5_000)) > 15


def test_a_row_of_another_dialect_is_asked_ever_more_rarely() -> None:
    bus = idle(POLL)
    bus.answers = {0}
    bus.run(20_000)
    cells = [ms for ms, row in bus.run(60_000) if row == 1]
    assert len(cells) <= 7
    assert len([row for _, row in bus.sent if row == 0]) > 100


@pytest.mark.parametrize("start", [WRAP - 3_000, WRAP - 60])
def test_across_the_tick_wrap_nothing_changes(start: int) -> None:
    assert idle(POLL, start=start).run(20_000) == idle(POLL).run(20_000)


def test_old_stamps_stay_old() -> None:
    bus = idle(POLL)
    bus.run(3_000)
    bus.poller.rest(0, False, bus.now)
    for _ in range(30):  # half a day each
        bus.ms += 43_200_000
        bus.poller.saturate(bus.now)
    bus.poller.rest(0, True, bus.now)
    assert len(bus.run(1_000)) >= 3

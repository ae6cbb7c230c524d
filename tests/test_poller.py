"""When a question may be asked, and what ends the asking."""

import itertools
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from deckwatch.config import load
from deckwatch.pipeline import Pipeline
from deckwatch.poller import ASSIST, POLL, Poller
from deckwatch.rows import requested

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
        self.poller = Poller(requested(rows), mode)
        self.start = start
        self.ms = 0
        self.sent: list[tuple[int, int]] = []
        self.answers = {0, 1}
        self.echoes: tuple[int, ...] = ()  # ports that carry our questions back

    @property
    def now(self) -> int:
        return (self.start + self.ms) % WRAP

    def _echo(self, row: int) -> None:
        for port in self.echoes:
            self.poller.heard(frame(self.poller.requests[row], request=True), port, self.now)

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
                self._echo(row)
                due = self.ms + 3 if row in self.answers else -1
            elif self.ms == due:
                self.poller.heard(REPLY, 0, self.now)
        return self.sent[first:]


def idle(mode: str, **how: Any) -> Bus:
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
    bus.poller.heard(FOREIGN, 1, bus.now)
    assert bus.poller.yielded
    assert bus.run(200_000) == []
    bus.poller.rest(0, True, bus.now)
    assert bus.run(200_000) == []


def test_a_new_power_cycle_lets_assist_ask_again() -> None:
    bus = idle(ASSIST)
    bus.poller.heard(FOREIGN, 1, bus.now)
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
    bus.echoes = (0, 1)
    assert len(bus.run(5_000)) > 10
    assert not bus.poller.yielded
    bus.poller.heard(frame(bus.poller.requests[0], request=True), 1, bus.now)
    assert bus.poller.yielded  # the same words once more are somebody else's


def test_a_wire_that_stays_mute_after_a_question_never_echoes() -> None:
    bus = idle(POLL)
    bus.run(500)
    assert len(bus.sent) >= 2
    assert not bus.poller.echoes(1)
    bus.poller.heard(frame(bus.poller.requests[bus.sent[-1][1]], request=True), 1, bus.now)
    assert bus.poller.yielded  # it may be in step with us for ever: so it is told at once


def test_which_wire_echoes_is_learnt_and_one_lost_echo_is_forgiven() -> None:
    bus = idle(POLL)
    bus.echoes = (0,)
    bus.run(2_000)
    assert [bus.poller.echoes(port) for port in range(3)] == [True, False, False]
    bus.echoes = ()
    while len(bus.run(1)) == 0:
        pass
    bus.echoes = (0,)
    bus.run(2_000)
    assert not bus.poller.yielded
    assert bus.poller.echoes(0)


def test_two_lost_echoes_and_a_third_is_foreign() -> None:
    bus = idle(POLL)
    bus.echoes = (0,)
    bus.run(2_000)
    bus.echoes = ()
    bus.run(1_000)
    bus.echoes = (0,)
    bus.run(1_000)
    assert bus.poller.yielded


def test_after_yielding_wires_are_tried_anew() -> None:
    bus = idle(POLL)
    bus.run(1_000)
    bus.poller.heard(FOREIGN, 1, bus.now)
    bus.echoes = (1,)
    bus.run(70_000)
    assert bus.poller.echoes(1)
    assert not bus.poller.yielded


def test_an_echo_that_comes_too_late_is_foreign() -> None:
    bus = idle(POLL)
    (ms, row), *_ = bus.run(200)
    bus.ms = ms + 101
    bus.poller.heard(frame(bus.poller.requests[row], request=True), 1, bus.now)
    assert bus.poller.yielded


def test_poll_yields_to_a_second_master_for_a_minute() -> None:
    bus = idle(POLL)
    bus.run(1_000)
    bus.poller.heard(FOREIGN, 1, bus.now)
    assert bus.run(59_999) == []
    assert bus.run(500) != []
    bus.poller.heard(FOREIGN, 1, bus.now)
    assert bus.run(30_000) == []


def test_the_first_miss_is_repeated_at_once_then_pauses_grow() -> None:
    bus = idle(POLL)
    bus.answers = set()
    asked = [ms for ms, _ in bus.run(200_000)]
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert gaps[:2] == [500, 500]  # row 0 once more, and row 1 for the first time
    assert gaps[2:7] == [2000, 4000, 8000, 16000, 32000]
    assert set(gaps[7:]) == {64000}
    assert [row for _, row in bus.sent[:3]] == [0, 0, 1]
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


def test_a_board_that_knows_only_the_last_of_many_rows_is_asked_that_one_in_time() -> None:
    """As a Daly of the D2 kind does; pauses must not grow before everything was asked once."""
    rows = tuple((f"row {n}", f"55aa03220130{n:02x}9dff", "reply", 1000) for n in range(12))
    bus = idle(POLL, rows=rows)
    bus.answers = {11}
    asked = bus.run(20_000)
    first = next(ms for ms, row in asked if row == 11)
    assert first <= 13 * 600 + 200
    mine = [ms for ms, row in bus.run(20_000) if row == 11]
    assert len(mine) >= 12
    assert max(b - a for a, b in itertools.pairwise(mine)) <= 2_100
    later = bus.run(60_000)
    others = [ms for ms, row in later if row != 11]
    assert 0 < len(others) <= 11 * 7
    assert max(b - a for a, b in itertools.pairwise([ms for ms, row in later if row == 11])) < 2100


def test_answered_rows_do_not_keep_the_others_from_being_asked() -> None:
    rows = (("often", "55aa032201300c9dff", "reply", 200), *ROWS)
    bus = idle(POLL, rows=rows)
    bus.answers = {0, 1, 2}
    asked = Counter(row for _, row in bus.run(20_000))
    assert asked[0] >= 60
    assert min(asked[1], asked[2]) >= 15


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

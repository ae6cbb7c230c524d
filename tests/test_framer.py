"""Bytes to frames: resynchronisation (xiaomi.md 2.4), every counter, every kind of row, and the
same frames however the bytes were cut.

Rows and frames that no family has are made up here and say so.
"""

from collections.abc import Callable
from typing import Any

import pytest
from deckwatch.frame import (
    BAD_CHECK,
    BAD_LENGTH,
    BYTES_IN,
    COUNT,
    CUT,
    DAMAGED,
    FRAME_BYTES,
    FRAMES_IN,
    NOISE,
)
from deckwatch.framer import CHUNK, GAP_MS, Framer
from deckwatch.framings import framed
from deckwatch.meters.link import PORTS
from hypothesis import given, settings
from hypothesis import strategies as st
from test_checksums import CHECKS

WRAP = 1 << 30
COUNTERS = {
    "frames": FRAMES_IN,
    "bad_check": BAD_CHECK,
    "bad_length": BAD_LENGTH,
    "cut": CUT,
    "noise": NOISE,
    "damaged": DAMAGED,
}

# Real, from m365_standing.cap: a request for 12 bytes from word 0x30, and its reply.
ASK = bytes.fromhex("55aa032201300c9dff")
REPLY = bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe")
XIAOMI = ((b"\x55\xaa", (2, "B", 6, 8, 0x84 + 6), ("sum16_inverted", 2, 2, 2, "<H"), b""),)

Rows = tuple[Any, ...]

LEFT_OVER = b"\xff\x55\xaa" * CHUNK


class Line:
    """A framer, and all it delivered."""

    def __init__(self, rows: Rows) -> None:
        self.framer = Framer(framed(rows), self, 0)
        self.frames: list[bytes] = []
        self.rows: list[int] = []
        self.times: list[int] = []

    def on_frame(self, framer: Framer) -> None:
        frame = framer.frame
        self.frames.append(bytes(frame.buf[frame.at : frame.at + frame.size]))
        self.rows.append(frame.framing)
        self.times.append(frame.now)

    def feed(self, data: bytes, now: int = 0, chunk: int = CHUNK) -> "Line":
        for start in range(0, len(data), chunk):
            part = data[start : start + chunk]
            # What lies behind the part in the driver's buffer is left over from before.
            self.framer.feed(bytearray((part + LEFT_OVER)[:CHUNK]), len(part), now)
        return self

    def counters(self) -> dict[str, int]:
        """Those that are not 0."""
        counted = self.framer.numbers
        return {name: counted[place] for name, place in COUNTERS.items() if counted[place]}


def heard(rows: Rows, *pieces: bytes, chunk: int = CHUNK) -> Line:
    """The pieces in one go, then the line is lost."""
    line = Line(rows)
    for piece in pieces:
        line.feed(piece, 0, chunk)
    line.framer.lose(0)
    return line


# --- a stock line --------------------------------------------------------------------------------


def test_a_frame_is_delivered_whole_with_its_time() -> None:
    line = Line(XIAOMI).feed(ASK, 1000)
    assert line.frames == [ASK]
    assert line.times == [1000]
    assert line.framer.numbers[BYTES_IN] == line.framer.numbers[FRAME_BYTES] == 9
    assert line.counters() == {"frames": 1}


def test_meaning_is_cleared_for_the_next_frame() -> None:
    line = Line(XIAOMI)
    line.framer.frame.kind = "reply"
    line.framer.frame.is_reply = True
    line.framer.frame.pack = line.framer.frame.wanted = 1
    line.feed(ASK)
    frame = line.framer.frame
    assert (frame.kind, frame.pack, frame.register, frame.wanted) == ("unknown", 0, 0, -1)
    assert (frame.body, frame.body_size, frame.is_request, frame.is_reply) == (0, 0, False, False)


def test_a_frame_may_be_cut_at_any_byte_into_chunks() -> None:
    data = ASK + REPLY + ASK
    for cut in range(len(data) + 1):
        line = Line(XIAOMI).feed(data[:cut], 0).feed(data[cut:], GAP_MS)
        assert line.frames == [ASK, REPLY, ASK], cut
        assert line.counters() == {"frames": 3}


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 8, 9, 64, 127, 128])
def test_many_frames_in_chunks_of_any_size(chunk: int) -> None:
    line = heard(XIAOMI, (ASK + REPLY) * 40, chunk=chunk)
    assert line.frames == [ASK, REPLY] * 40
    assert line.counters() == {"frames": 80}
    assert line.framer.numbers[BYTES_IN] == line.framer.numbers[FRAME_BYTES] == 40 * 29


def test_every_wrong_byte_of_a_frame_loses_that_frame_alone() -> None:
    for place in range(len(REPLY)):
        for flip in (0x01, 0x80, 0xFF):
            spoilt = bytearray(REPLY)
            spoilt[place] ^= flip
            line = heard(XIAOMI, ASK + spoilt + ASK * 4)
            assert line.frames == [ASK] * 5, (place, flip)
            assert line.framer.numbers[NOISE] == len(REPLY)
            assert line.framer.numbers[DAMAGED] == 1


def test_a_frame_that_lacks_any_one_byte_is_not_taken() -> None:
    for place in range(len(REPLY)):
        line = heard(XIAOMI, REPLY[:place] + REPLY[place + 1 :], ASK * 16)
        assert line.frames == [ASK] * 16, place
        assert line.framer.numbers[NOISE] == len(REPLY) - 1


def test_two_frames_cut_into_each_other_leave_the_second() -> None:
    for cut in range(1, len(REPLY)):
        line = heard(XIAOMI, REPLY[:cut] + ASK + ASK + ASK)
        assert line.frames == [ASK] * 3, cut
        assert (line.framer.numbers[NOISE], line.framer.numbers[DAMAGED]) == (cut, 1)


def test_noise_before_between_and_after_is_counted_by_bytes_and_incidents() -> None:
    line = heard(XIAOMI, b"\x00\xff\x17", ASK, b"BOOTED!", REPLY, b"\x01\x02\x55")
    assert line.frames == [ASK, REPLY]
    assert line.counters() == {"frames": 2, "noise": 13, "damaged": 3}


def test_headers_inside_a_payload_do_not_matter() -> None:
    body = b"\x0e\x25\x01\x30" + b"\x55\xaa\x03\x22\x55\xaa\x55\xaa\x02\x55\x55\xaa"
    inner = b"\x55\xaa" + body + (0xFFFF - sum(body)).to_bytes(2, "little")
    line = heard(XIAOMI, inner, ASK, chunk=1)
    assert line.frames == [inner, ASK]
    assert line.counters() == {"frames": 2}


def test_doubled_header_bytes_do_not_hide_a_frame() -> None:
    line = heard(XIAOMI, b"\x55\x55\x55" + ASK, b"\x55\xaa" + ASK[1:] + ASK)
    assert line.frames == [ASK, ASK]


@pytest.mark.parametrize(("length", "taken"), [(1, 0), (2, 1), (0x84, 1), (0x85, 0)])
def test_the_length_must_lie_within_its_limits(length: int, taken: int) -> None:
    body = bytes([length, 0x25, 1, *([0] * (length - 1))])
    frame = b"\x55\xaa" + body + (0xFFFF - sum(body)).to_bytes(2, "little")
    line = heard(XIAOMI, frame, ASK)
    assert line.frames == [frame, ASK][1 - taken :]
    if not taken:
        assert line.counters() == {
            "frames": 1, "bad_length": 1, "noise": len(frame), "damaged": 1
        }  # fmt: skip


def test_the_sum_of_counters_does_not_outgrow_a_small_int() -> None:
    places = (BYTES_IN, FRAMES_IN, FRAME_BYTES, BAD_CHECK, BAD_LENGTH, CUT, NOISE, DAMAGED)
    assert COUNT * len(PORTS) < WRAP
    line = Line(XIAOMI)
    for place in places:
        line.framer.numbers[place] = COUNT
    line.feed(b"\x55\xaa\x00" + ASK + REPLY[:-1] + b"\x00" + FALSE)
    line.framer.lose(0)
    assert [line.framer.numbers[place] for place in places] == [34, 0, 8, 0, 0, 0, 25, 1]


# --- silence -------------------------------------------------------------------------------------

FALSE = b"\x55\xaa\x80"  # claims 134 bytes


def test_a_false_header_with_a_long_length_gives_way_after_the_gap() -> None:
    line = Line(XIAOMI).feed(FALSE + ASK, 1000)
    assert line.frames == []  # may still be the beginning of something long
    assert line.framer.idle(1000) == GAP_MS + 1
    assert line.framer.idle(1000 + GAP_MS) == 1
    assert line.frames == []
    assert line.framer.idle(1001 + GAP_MS) == 0
    assert line.frames == [ASK]
    assert line.counters() == {"frames": 1, "cut": 1, "noise": 3, "damaged": 1}
    assert line.framer.idle(5000) == 0


def test_the_next_bytes_end_it_too_when_nobody_asked_in_between() -> None:
    line = Line(XIAOMI).feed(FALSE, 1000).feed(ASK, 1001 + GAP_MS)
    assert line.frames == [ASK]
    assert line.times == [1001 + GAP_MS]
    assert line.counters() == {"frames": 1, "cut": 1, "noise": 3, "damaged": 1}


def test_within_the_gap_bytes_belong_together() -> None:
    line = Line(XIAOMI).feed(REPLY[:5], 1000).feed(REPLY[5:], 1000 + GAP_MS)
    assert line.frames == [REPLY]
    line = Line(XIAOMI).feed(REPLY[:5], 1000).feed(REPLY[5:], 1001 + GAP_MS)
    assert line.frames == []
    line.framer.lose(0)
    assert line.counters() == {"cut": 1, "noise": 20, "damaged": 1}


def test_the_gap_is_measured_across_the_tick_wrap() -> None:
    line = Line(XIAOMI).feed(REPLY[:5], WRAP - 40)
    assert line.framer.idle(GAP_MS - 40) == 1
    line.feed(REPLY[5:], GAP_MS - 40)
    assert line.frames == [REPLY]
    line = Line(XIAOMI).feed(FALSE, WRAP - 40)
    assert line.framer.idle(GAP_MS - 39) == 0
    assert line.counters() == {"cut": 1, "noise": 3, "damaged": 1}


def test_silence_is_pending_only_while_something_waits() -> None:
    line = Line(XIAOMI)
    assert line.framer.idle(0) == 0
    assert line.feed(ASK, 0).framer.idle(50) == 0
    assert line.feed(b"noise", 100).framer.idle(150) == 0
    assert line.feed(b"\x55", 200).framer.idle(250) == GAP_MS - 49
    assert line.framer.idle(400) == 0
    assert line.counters() == {"frames": 1, "noise": 6, "damaged": 1}  # one 0x55 is no candidate


def test_a_break_ends_what_is_pending() -> None:
    line = Line(XIAOMI).feed(FALSE + REPLY, 10)
    line.framer.lose(10)
    assert line.frames == [REPLY]
    line.framer.lose(11)  # nothing pending: nothing happens
    assert line.counters() == {"frames": 1, "cut": 1, "noise": 3, "damaged": 1}


def test_damage_is_counted_once_from_one_good_frame_to_the_next() -> None:
    line = Line(XIAOMI)
    for now in range(0, 3000, 300):  # ten times noise, and no frame in between
        line.feed(b"\x55\xaa\x05\x00", now)
        line.framer.idle(now + 200)
    assert line.counters() == {"cut": 10, "noise": 40, "damaged": 1}
    line.feed(ASK, 4000).feed(b"\x00", 4001)
    assert line.counters() == {"frames": 1, "cut": 10, "noise": 41, "damaged": 2}


# --- the buffer ----------------------------------------------------------------------------------


def test_the_buffer_is_compacted_at_every_fill_level() -> None:
    longest = 0x84 + 6
    body = bytes([0x84, 0x25, 1]) + bytes(range(longest - 7))
    frame = b"\x55\xaa" + body + (0xFFFF - sum(body)).to_bytes(2, "little")
    assert len(frame) == longest
    for lead in range(CHUNK + 1):
        line = Line(XIAOMI).feed(b"\x00" * lead + frame[:1], 0, CHUNK)
        for _ in range(4):
            line.feed(frame[1:] + frame[:1], 0, CHUNK)
        line.framer.lose(0)
        assert line.frames == [frame] * 4, lead
        assert line.framer.numbers[NOISE] == lead + 1


def test_a_waiting_frame_and_a_full_chunk_always_fit() -> None:
    row = ((b"\x01", (1, "B", 2, 3, 200), ("", 0, 0, 0, ""), b""),)  # made up
    claim = b"\x01\xc6"  # 200 bytes
    for before in range(198):
        line = Line(row).feed(claim + bytes(before), 0, 1).feed(bytes(198 - before), 0)
        assert line.frames == [claim + bytes(198)], before


def test_so_do_a_frame_and_all_that_may_follow_it() -> None:
    inner = row(b"\x0a", (0, "", 200, 200, 200), NO_CHECK)
    rows = (row(b"\x7e", (0, "", 3, 3, 3), NO_CHECK, b"\x77", 0, (), (inner,)),)
    both = b"\x7e\x01\x77\x0a" + bytes(199)
    for before in range(len(both)):
        line = Line(rows).feed(both[:before], 0, 1).feed(both[before:] + both, 0)
        assert line.frames == [both] * 2, before


# --- every kind of row (made up) -----------------------------------------------------------------


def row(
    header: bytes = b"\x7e",
    length: tuple[Any, ...] = (1, "B", 4, 4, 20),
    check: tuple[Any, ...] = ("sum8", 1, 1, 1, "B"),
    tail: bytes = b"",
    *more: Any,
) -> tuple[Any, ...]:
    return (header, length, check, tail, *more)


NO_CHECK = ("", 0, 0, 0, "")


@pytest.mark.parametrize(
    ("framing", "frame", "spoilt"),
    [
        (row(), "7e 01 aa bb 66", "7e 01 aa bb 67"),
        (row(check=("sum16", 1, 2, 2, "<H")), "7e 02 aa bb 67 01", "7e 02 aa bb 01 67"),
        (row(check=("sum16", 1, 2, 2, ">H")), "7e 02 aa bb 01 67", "7e 02 aa bb 67 01"),
        (row(check=NO_CHECK), "7e 00 01 02", None),
        (row(length=(0, "", 5, 5, 5)), "7e 01 aa bb 66", "7e 01 aa bb 65"),
        (row(length=(1, ">H", 4, 4, 300)), "7e 00 02 aa bb 67", "7e 02 00 aa bb 67"),
        (row(length=(1, "<H", 4, 4, 300)), "7e 02 00 aa bb 67", "7e 00 02 aa bb 67"),
        (row(length=(3, ">H", 5, 5, 300)), "7e aa bb 00 01 66", "7e aa bb 01 00 66"),
        (row(check=("sum8", 0, 3, 3, "B")), "7e 02 aa 2a 01 02", "7e 02 aa 2b 01 02"),
        (row(check=NO_CHECK, tail=b"\x0d\x0a"), "7e 01 aa 0d 0a", "7e 01 aa 0d 0b"),
        (
            row(check=("sum8", 1, 3, 3, "B"), tail=b"\x0d\x0a"),
            "7e 03 aa bb 68 0d 0a",
            "7e 03 aa bb 69 0d 0a",
        ),
        (row(check=NO_CHECK, tail=b"\x77"), "7e 01 aa bb 77", "7e 01 aa bb 78"),
    ],
)
def test_a_row_means_what_it_says(framing: Any, frame: str, spoilt: str | None) -> None:
    good = bytes.fromhex(frame)
    for chunk in (1, 2, 3, CHUNK):
        line = heard((framing,), good, good, chunk=chunk)
        assert line.frames == [good, good]
        assert line.counters() == {"frames": 2}
    if spoilt:
        line = heard((framing,), bytes.fromhex(spoilt), chunk=1)
        assert line.frames == []
        assert line.framer.numbers[NOISE] == len(good)
        assert sum(line.framer.numbers[place] for place in (BAD_CHECK, BAD_LENGTH, CUT)) == 1


def test_an_unknown_checksum_is_an_error_not_no_check() -> None:
    with pytest.raises(ValueError, match="index"):
        framed((row(check=("sum17", 1, 1, 1, "B")),))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (row(b"\x55\xaa", (256, "B", 6, 8, 9)), "row of 55aa: 257 has no room"),
        (row(b"\x55\xaa", (0, "", 65536, 8, 9)), "row of 55aa: 65536 has no room"),
        (row(b"\x55\xaa", (0, "", 6, -1, 9)), "row of 55aa: -1 has no room"),
        (row(b"\x55\xaa", (0, "", 6, 8, 65536)), "row of 55aa: 65536 has no room"),
        (row(b"\x55" * 240), "has no room"),
    ],
)
def test_numbers_without_room_in_a_row_are_an_error(given: Rows, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        framed((given,))


def test_the_first_row_that_holds_wins() -> None:
    rows = (
        row(length=(0, "", 4, 4, 4), check=NO_CHECK, tail=b"\x01"),
        row(length=(0, "", 4, 4, 4), check=NO_CHECK),
    )
    both, second = b"\x7e\x00\x01\x01", b"\x7e\x00\x00\x09"
    line = heard(rows, both, second)
    assert line.frames == [both, second]
    assert line.rows == [0, 1]


def test_a_longer_row_that_waits_is_waited_for_and_then_the_shorter_one_asked() -> None:
    rows = (
        row(length=(0, "", 6, 6, 6), check=NO_CHECK, tail=b"\x77"),
        row(length=(0, "", 4, 4, 4), check=NO_CHECK),
    )
    long, short = b"\x7e\x01\x02\x03\x04\x77", b"\x7e\x01\x02\x03"
    for chunk in (1, 2, 5, CHUNK):
        line = heard(rows, long, short, short, chunk=chunk)
        assert line.frames == [long, short, short], chunk
        assert line.rows == [0, 1, 1]
        assert line.framer.numbers[NOISE] == 0
    waiting = Line(rows).feed(short, 0)
    assert waiting.frames == []
    waiting.framer.idle(GAP_MS + 1)
    assert waiting.frames == [short]


def test_a_header_that_begins_another_is_not_taken_before_the_other_is_ruled_out() -> None:
    rows = (
        row(b"\xaa\x55\x90\xeb", (4, "B", 5, 5, 9), NO_CHECK),
        row(b"\xaa\x55", (2, "B", 3, 3, 9), NO_CHECK),
        row(b"\x55", (0, "", 2, 2, 2), NO_CHECK, b"\x90"),
    )
    long, short, tiny = b"\xaa\x55\x90\xeb\x01\x00", b"\xaa\x55\x01\x07", b"\x55\x90"
    for chunk in (1, 2, 3, CHUNK):
        line = heard(rows, long, short, tiny, long, chunk=chunk)
        assert line.frames == [long, short, tiny, long], chunk
        assert line.rows == [0, 1, 2, 0]
        assert line.counters() == {"frames": 4}


def test_why_a_place_was_given_up_is_the_most_telling_reason_of_its_rows() -> None:
    short = row(length=(1, "B", 0, 4, 4), check=NO_CHECK, tail=b"\x77")
    long = row(length=(0, "", 9, 9, 9), check=NO_CHECK)
    cases: list[tuple[Rows, bytes, str]] = [
        ((short,), b"\x7e\x09\x00\x00", "bad_length"),
        ((short,), b"\x7e\x04\x00\x00", "bad_check"),
        ((short,), b"\x7e\x04\x00", "cut"),
        ((short, long), b"\x7e\x09\x00\x00", "cut"),
        ((short, long), b"\x7e\x04\x00\x00", "bad_check"),
        ((long, short), b"\x7e\x04\x00\x00", "bad_check"),
    ]
    for rows, data, reason in cases:
        assert heard(rows, data).counters() == {reason: 1, "noise": len(data), "damaged": 1}
    assert heard((row(b"\x7e\x7f"),), b"\x7e").counters() == {"noise": 1, "damaged": 1}


def test_spare_bytes_behind_a_frame_are_passed_over_but_not_more_and_not_elsewhere() -> None:
    frame = b"\x7e\x01\xaa\xbb\x66"
    rows = (row(b"\x7e", (1, "B", 4, 4, 20), ("sum8", 1, 1, 1, "B"), b"", 2),)
    for chunk in (1, 2, CHUNK):
        line = heard(rows, frame, b"\x01\x02", frame, b"\x03", frame, chunk=chunk)
        assert line.frames == [frame] * 3
        assert line.counters() == {"frames": 3}
        line = heard(rows, frame, b"\x01\x02\x03", frame, chunk=chunk)
        assert line.counters() == {"frames": 2, "noise": 1, "damaged": 1}
    assert heard(rows, b"\x01\x02", frame).counters() == {"frames": 1, "noise": 2, "damaged": 1}


def test_an_address_in_front_of_the_header_belongs_to_the_frame() -> None:
    first, last = b"\x10\x03\x01\x00\x77", b"\x12\x03\x01\x00\x77"
    rows = (row(b"\x03", (2, "B", 4, 4, 9), NO_CHECK, b"\x77", 0, (0x10, 0x12)),)
    for chunk in (1, 2, 3, CHUNK):
        line = heard(rows, b"\x03\x03", first, b"\x13\x03\x01\x00\x77", last, chunk=chunk)
        assert line.frames == [first, last], chunk
        assert line.counters() == {"frames": 2, "noise": 7, "damaged": 2}
    line = Line(rows).feed(first[:1])
    assert line.framer.idle(0) == GAP_MS + 1
    assert line.feed(b"\x55").framer.idle(0) == 0


AFTER = (
    row(
        b"\x7e", (0, "", 3, 3, 3), NO_CHECK, b"\x77", 0, (),
        (
            row(b"\x0a", (0, "", 3, 3, 3), NO_CHECK, b"\x0b"),
            row(b"\x0a", (0, "", 4, 4, 4), NO_CHECK, b"\x0c"),
        ),
    ),
    row(b"\x0a", (0, "", 2, 2, 2), NO_CHECK),
)  # fmt: skip
ALONE, BACK, OTHER = b"\x7e\x01\x77", b"\x0a\x05\x0b", b"\x0a\x05\x06\x0c"


def test_what_follows_at_once_belongs_to_the_frame() -> None:
    for chunk in (1, 2, 3, 4, CHUNK):
        line = heard(AFTER, ALONE + BACK, ALONE + OTHER, ALONE, ALONE + BACK, chunk=chunk)
        assert line.frames == [ALONE + BACK, ALONE + OTHER, ALONE, ALONE + BACK], chunk
        assert line.counters() == {"frames": 4}


def test_a_frame_waits_20_ms_for_what_may_follow() -> None:
    line = Line(AFTER).feed(ALONE, 100)
    assert line.frames == []
    assert line.framer.idle(100) == 21
    assert line.framer.idle(120) == 1
    assert line.framer.idle(121) == 0
    assert (line.frames, line.times) == ([ALONE], [121])
    line.feed(BACK, 130)  # too late: what it is by itself
    line.framer.lose(130)
    assert line.frames == [ALONE, BACK[:2]]


def test_what_cannot_follow_ends_the_waiting() -> None:
    line = Line(AFTER).feed(ALONE, 100).feed(ALONE, 101)
    assert line.frames == [ALONE]
    assert Line(AFTER).feed(ALONE + b"\x0a\x05\x00", 0).framer.idle(21) == 0
    line = Line(AFTER).feed(ALONE + b"\x0a\x05\x06\x0d", 0)
    assert line.frames == [ALONE, b"\x0a\x05"]
    line = Line(AFTER).feed(ALONE + b"\x0a", 0)
    assert line.framer.idle(21) == GAP_MS - 20  # the frame is out, one byte still waits
    assert line.frames == [ALONE]


# --- however it is cut ---------------------------------------------------------------------------


def stored(data: bytes, at: int, code: str) -> int:
    big = code.startswith(">")
    return int.from_bytes(
        data[at : at + (2 if code.endswith("H") else 1)], "big" if big else "little"
    )


def one(framing: Any, data: bytes, at: int) -> int:
    """Bytes of the frame of a row at a place of a whole line, 0 = none; written from the docs."""
    header, (offset, code, add, low, high), (check, start, end, back, form), tail = framing[:4]
    before = framing[5] if len(framing) > 5 else ()
    if before and not before[0] <= data[at] <= before[1]:
        return 0
    if not data.startswith(header, at + bool(before)):
        return 0
    if offset + len(code.strip("<>")) * (2 if "H" in code else 1) > len(data) - at:
        return 0
    size = add + (stored(data, at + offset, code) if code else 0)
    frame = data[at : at + size]
    if not low <= size <= high or len(frame) < size or not frame.endswith(tail):
        return 0
    if check and CHECKS[check](frame, start, size - end) != stored(frame, size - back, form):
        return 0
    for inner in framing[6] if len(framing) > 6 else ():
        more = one(inner, data, at + size) if at + size < len(data) else 0
        if more:
            return size + more
    return size


def expected(rows: Rows, data: bytes) -> list[bytes]:
    """The frames of a whole line, found by trying every row at every place in turn."""
    found = []
    at = 0
    while at < len(data):
        size = next((size for framing in rows if (size := one(framing, data, at))), 0)
        if size:
            found.append(data[at : at + size])
        at += size or 1
    return found


LINES: dict[str, Rows] = {
    "xiaomi": XIAOMI,
    "one byte": (row(length=(1, "B", 4, 4, 9)),),
    "shared": (
        row(length=(0, "", 3, 3, 3)),
        row(length=(1, "B", 4, 5, 9)),
        row(length=(0, "", 6, 6, 6), check=NO_CHECK, tail=b"\x01"),
    ),
    "nested": (
        row(b"\x7e\x01\x02", (3, "B", 4, 4, 8), ("sum8", 0, 1, 1, "B")),
        row(b"\x7e\x01", (0, "", 4, 4, 4), ("sum8", 0, 1, 1, "B")),
        row(b"\x01\x02", (0, "", 3, 3, 3), NO_CHECK, b"\x00"),
    ),
    "address": (
        row(b"\x01", (2, "B", 4, 4, 8), ("sum8", 0, 1, 1, "B"), b"", 0, (0x01, 0x02)),
        row(b"\x7e", (0, "", 3, 3, 3), ("sum8", 0, 1, 1, "B")),
    ),
    "after": AFTER,
}


def with_check(framing: Any, body: bytes) -> bytes:
    """A frame around `body`, cut or filled to the row's limits, its checksum made to fit; with
    what follows it where the row has that."""
    header, (offset, code, add, low, high), (check, start, end, back, form), tail = framing[:4]
    before = framing[5] if len(framing) > 5 else ()
    after = framing[6] if len(framing) > 6 else ()
    margin = len(header) + bool(before) + bool(code) + len(tail)
    size = max(low, min(high, margin + len(body)))
    frame = bytearray(bytes(before[:1]) + header + body).ljust(size, b"\x02")[:size]
    _store(frame, offset, code, size - add)
    frame[size - len(tail) :] = tail
    if check:
        _store(frame, size - back, form, CHECKS[check](frame, start, size - end))
    return bytes(frame) + (with_check(after[-1], body) if after and len(body) % 2 else b"")


def _store(frame: bytearray, at: int, code: str, value: int) -> None:
    if code:
        width = 2 if code.endswith("H") else 1
        order = "big" if code.startswith(">") else "little"
        frame[at : at + width] = value.to_bytes(width, order)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", LINES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_frames_do_not_depend_on_how_the_bytes_were_cut(name: str, data: st.DataObject) -> None:
    rows = LINES[name]
    few = st.sampled_from(b"\x7e\x55\xaa\x00\x01\x02\x03\x04\x77\x0a\x0b\x0c")
    noise = st.lists(few, max_size=12).map(bytes)
    frames = st.builds(with_check, st.sampled_from(rows), noise)
    pieces = data.draw(st.lists(st.one_of(noise, frames), max_size=12))
    cuts = data.draw(st.lists(st.integers(0, 3), max_size=len(pieces)))
    line = b"".join(
        piece[: len(piece) - cut] for piece, cut in zip(pieces, cuts + [0] * 12, strict=False)
    )
    wanted = expected(rows, line)
    for chunk in (1, data.draw(st.integers(2, 20)), CHUNK):
        got = heard(rows, line, chunk=chunk)
        assert got.frames == wanted, chunk
        assert got.framer.numbers[FRAME_BYTES] == sum(map(len, wanted))
        assert got.framer.numbers[NOISE] == len(line) - got.framer.numbers[FRAME_BYTES]
        assert got.framer.numbers[BYTES_IN] == len(line)


def test_a_receiver_that_raises_loses_no_frame_behind_it() -> None:
    line = Line(XIAOMI)
    keep: Callable[[Framer], None] = line.on_frame

    def fail(_: Framer) -> None:
        line.on_frame = keep  # type: ignore[method-assign]
        raise RuntimeError

    line.on_frame = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        line.feed(ASK + REPLY[:7])
    line.feed(REPLY[7:])
    assert line.frames == [REPLY]
    assert line.counters() == {"frames": 2}

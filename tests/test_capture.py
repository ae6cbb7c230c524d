"""The capture format: what is read, what is refused with place and remedy, what is written."""

import io
import tracemalloc
from pathlib import Path

import pytest
from packlab.capture import (
    MAX_LINE_BYTES,
    CaptureReader,
    CaptureWriter,
    Chunk,
    Event,
    Header,
    Level,
    LineSetting,
    new_file,
)
from packlab.errors import PacklabError

HEADER = "# deckwatch capture 1\n# origin: made\n# source: a test\n# line: bms_tx 115200 8N1\n"


def capture(folder: Path, events: str, header: str = HEADER) -> Path:
    path = folder / "a.cap"
    path.write_bytes((header + events).encode())
    return path


def read(path: Path, *, lenient: bool = False) -> tuple[Header, list[Event], int]:
    with CaptureReader(path, lenient=lenient) as reader:
        events = list(reader)
        return reader.header, events, reader.skipped


def refusal(path: Path) -> str:
    with pytest.raises(PacklabError) as caught:
        read(path)
    return str(caught.value)


def test_header_and_events_come_back_typed(tmp_path: Path) -> None:
    path = capture(
        tmp_path,
        "\n0.000000 bms_tx !idle\n# a remark\n1.898308 bms_tx 55aa0E\r\n\r\n"
        "12.000001  host_tx\t01\n12.000001 dash !break\n",
        HEADER + "# line: host_tx 76800 8E1\n# seed: 7\n",
    )
    header, events, skipped = read(path)
    assert header.origin == "made"
    assert header.source == "a test"
    assert header.line("bms_tx") == LineSetting(115200, "8N1")
    assert header.line("host_tx") == LineSetting(76800, "8E1")
    assert header.line("dash") == LineSetting(115200, "8N1")
    assert header.notes == (("seed", "7"),)
    assert events == [
        Level(0, "bms_tx", "idle"),
        Chunk(1_898_308, "bms_tx", b"\x55\xaa\x0e"),
        Chunk(12_000_001, "host_tx", b"\x01"),
        Level(12_000_001, "dash", "break"),
    ]
    assert skipped == 0


@pytest.mark.parametrize("level", ["low", "idle", "break", "overrun"])
def test_every_level_is_read(tmp_path: Path, level: str) -> None:
    assert read(capture(tmp_path, f"3.5{'0' * 5} dash !{level}\n"))[1] == [
        Level(3_500_000, "dash", level)
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2.000000 bms_tx 55a", "the bytes are not pairs of hex digits"),
        ("2.000000 bms_tx zz", "the bytes are not pairs of hex digits"),
        ("2.000000 bms_tx", "this is not 'seconds.micros port hexbytes'"),
        ("2.0000 bms_tx 55", "this is not 'seconds.micros port hexbytes'"),
        ("-2.000000 bms_tx 55", "this is not 'seconds.micros port hexbytes'"),
        ("2.000000 bms_tx 55 aa", "this is not 'seconds.micros port hexbytes'"),
        ("2.000000 bms_rx 55", "'bms_rx' is no port; use one of bms_tx, host_tx, dash"),
        ("2.000000 bms_tx !high", "'!high' is no level; use one of !low, !idle, !break, !overrun"),
        ("0.999999 bms_tx 55", "its time lies before that of an earlier line; sort the lines"),
        ("\ufffd", "this is not 'seconds.micros port hexbytes'"),
    ],
)
def test_damaged_line_is_named_or_skipped(tmp_path: Path, line: str, why: str) -> None:
    path = capture(tmp_path, f"1.000000 bms_tx 01\n{line}\n3.000000 bms_tx 02\n")
    message = refusal(path)
    assert message.startswith(f"{path}, line 6: {why}")
    assert message.endswith("or skip it with --lenient")
    _, events, skipped = read(path, lenient=True)
    assert events == [Chunk(1_000_000, "bms_tx", b"\x01"), Chunk(3_000_000, "bms_tx", b"\x02")]
    assert skipped == 1


def test_line_cut_short_at_the_end_of_the_file(tmp_path: Path) -> None:
    path = capture(tmp_path, "1.000000 bms_tx 01\n2.0000")
    assert f"{path}, line 6" in refusal(path)
    assert read(path, lenient=True)[2] == 1


@pytest.mark.parametrize(
    ("header", "line", "why"),
    [
        ("", 1, "no capture begins like this; put '# deckwatch capture 1' first"),
        ("1.000000 bms_tx 55\n", 1, "no capture begins like this"),
        ("# deckwatch capture 2\n", 1, "no capture begins like this"),
        ("# deckwatch capture 1\n# source: x\n", 2, "the header lacks '# origin: '"),
        ("# deckwatch capture 1\n# origin: found\n", 2, "the header lacks '# origin: '"),
        ("# deckwatch capture 1\n# line: bms_rx 9600 8N1\n", 2, "'line: bms_rx 9600 8N1' is"),
        ("# deckwatch capture 1\n# line: bms_tx fast\n", 2, "'line: bms_tx fast' is unclear"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_bad_header_is_refused(
    tmp_path: Path, header: str, line: int, why: str, lenient: bool
) -> None:
    path = capture(tmp_path, "", header)
    with pytest.raises(PacklabError) as caught:
        read(path, lenient=lenient)
    assert str(caught.value).startswith(f"{path}, line {line}: {why}")


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none.cap"
    assert refusal(missing) == (
        f"{missing} cannot be read: No such file or directory; check the path"
    )
    assert refusal(tmp_path) == f"{tmp_path} cannot be read: Is a directory; check the path"


def test_overlong_line_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    size = 200 * MAX_LINE_BYTES
    path = capture(tmp_path, f"1.000000 bms_tx 01\n2.0 {'5' * size}\n3.000000 bms_tx 02\n")
    tracemalloc.start()
    message = refusal(path)
    _, events, skipped = read(path, lenient=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message.startswith(f"{path}, line 6: the line is longer than 65536 bytes; split it")
    assert [event.t_us for event in events] == [1_000_000, 3_000_000]
    assert skipped == 1
    assert peak < 10 * MAX_LINE_BYTES < size


def test_longest_allowed_chunk_is_read(tmp_path: Path) -> None:
    start = "1.000000 bms_tx "
    digits = "ab" * ((MAX_LINE_BYTES - len(start)) // 2 - 1)
    event = read(capture(tmp_path, f"{start}{digits}\n"))[1][0]
    assert isinstance(event, Chunk)
    assert len(event.data) == len(digits) // 2


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    header = Header(
        "derived",
        "somewhere",
        {"host_tx": LineSetting(9600, "7E1"), "dash": LineSetting()},
        (("seed", "3"), ("note", "two words")),
    )
    events: list[Event] = [
        Level(0, "dash", "low"),
        Chunk(5, "host_tx", bytes(range(256))),
        Chunk(999_999_999_999_999, "dash", b"\x00"),
    ]
    path = tmp_path / "b.cap"
    with new_file(path) as stream:
        writer = CaptureWriter(stream, header)
        for event in events:
            writer.write(event)
            writer.comment("in\nbetween")
    assert read(path) == (header, events, 0)


def test_written_form_is_exact() -> None:
    stream = io.StringIO()
    writer = CaptureWriter(stream, Header("made", "a test", {"bms_tx": LineSetting()}))
    writer.write(Level(0, "bms_tx", "idle"))
    writer.write(Chunk(1_898_308, "bms_tx", b"\x55\xaa\x12"))
    assert stream.getvalue() == HEADER + "0.000000 bms_tx !idle\n1.898308 bms_tx 55aa12\n"


def test_writer_refuses_to_go_back_in_time() -> None:
    writer = CaptureWriter(io.StringIO(), Header("made", "a test"))
    writer.write(Level(10, "bms_tx", "idle"))
    with pytest.raises(ValueError, match="event at 9 us after one at 10 us"):
        writer.write(Level(9, "bms_tx", "low"))


def test_new_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "c.cap"
    path.write_text("before")
    with pytest.raises(TypeError), new_file(path) as stream:
        stream.writelines(["half", None])  # type: ignore[list-item]
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.cap"]


@pytest.mark.parametrize("place", ["missing/c.cap", "file/c.cap"])
def test_new_file_names_a_path_it_cannot_write(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    refused = pytest.raises(PacklabError, match=r"c\.cap cannot be written: .*; check")
    with refused, new_file(tmp_path / place) as stream:
        stream.write("x")

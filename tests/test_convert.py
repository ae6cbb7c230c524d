"""Tables of frames become captures: end stamps, order, names of ports, and refusals."""

from pathlib import Path

import pytest
from packlab.capture import CaptureReader, Chunk, Event, Header, LineSetting
from packlab.convert import Summary, convert
from packlab.errors import PacklabError

HEADING = "t_start_us,t_end_us,line,hex\n"


def table(folder: Path, text: str) -> Path:
    path = folder / "frames.csv"
    path.write_text(text, newline="")
    return path


def read(path: Path) -> tuple[Header, list[Event]]:
    with CaptureReader(path) as reader:
        return reader.header, list(reader)


def test_chunks_carry_end_stamps_in_order(tmp_path: Path) -> None:
    # Two frames that overlap on the two wires: the one that starts first ends last.
    src = table(
        tmp_path,
        HEADING + "100,5000,bms_tx,55AA\r\n200,980,esc_tx,55aa0322\r\n6000,6100,host_tx,01\r\n",
    )
    dst = tmp_path / "out.cap"
    summary = convert(src, dst, source="my scooter")
    header, events = read(dst)
    assert header == Header(
        "real", "my scooter", {"bms_tx": LineSetting(), "host_tx": LineSetting()}
    )
    assert events == [
        Chunk(980, "host_tx", b"\x55\xaa\x03\x22"),
        Chunk(5000, "bms_tx", b"\x55\xaa"),
        Chunk(6100, "host_tx", b"\x01"),
    ]
    assert summary == Summary({"bms_tx": 1, "host_tx": 2}, {"bms_tx": 2, "host_tx": 5}, 6100)


def test_header_names_only_the_ports_seen_and_the_table(tmp_path: Path) -> None:
    dst = tmp_path / "out.cap"
    convert(table(tmp_path, HEADING + "1,2,dash,55\n"), dst)
    assert read(dst)[0] == Header("real", "table frames.csv", {"dash": LineSetting()})


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("", ", line 1", "name the columns t_start_us,t_end_us,line,hex there"),
        ("time,hex\n1,55\n", ", line 1", "name the columns"),
        (HEADING + "1,2,bms_tx,55\n1,2,gps,55\n", ", line 3", "'gps' is no line"),
        (HEADING + "1,2,bms_tx,5\n", ", line 2", "stamps are whole numbers, hex is pairs"),
        (HEADING + "1.5,2,bms_tx,55\n", ", line 2", "stamps are whole numbers, hex is pairs"),
        (HEADING + "1,2\n", ", line 2", "'' is no line"),
        (HEADING + "2,1,bms_tx,55\n", ", line 2", "a frame has bytes and ends after it starts"),
        (HEADING + "-2,1,bms_tx,55\n", ", line 2", "a frame has bytes and ends after it starts"),
        (HEADING + "1,2,bms_tx,\n", ", line 2", "a frame has bytes and ends after it starts"),
        (HEADING, " has no frames", "export the table again"),
    ],
)
def test_bad_table_is_named_and_nothing_is_written(
    tmp_path: Path, text: str, place: str, why: str
) -> None:
    src, dst = table(tmp_path, text), tmp_path / "out.cap"
    dst.write_text("before")
    with pytest.raises(PacklabError) as caught:
        convert(src, dst)
    assert str(caught.value).startswith(f"{src}{place}")
    assert why in str(caught.value)
    assert dst.read_text() == "before"


def test_unreadable_tables_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    with pytest.raises(PacklabError, match=r"none\.csv cannot be read: No such file"):
        convert(missing, tmp_path / "out.cap")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PacklabError, match=r"binary\.csv is no table of text"):
        convert(binary, tmp_path / "out.cap")


def test_the_table_itself_is_never_overwritten(tmp_path: Path) -> None:
    src = table(tmp_path, HEADING + "1,2,bms_tx,55\n")
    with pytest.raises(PacklabError, match=r"frames\.csv is the table itself"):
        convert(src, src)
    assert src.read_text() == HEADING + "1,2,bms_tx,55\n"

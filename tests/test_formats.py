"""Every format there and back, and through every other; bad files of each; fuzz."""

import gzip
import itertools
import random
import tracemalloc
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packlab import formats
from packlab.capture import (
    CaptureReader,
    CaptureWriter,
    Chunk,
    Event,
    Header,
    Level,
    LineSetting,
    new_file,
)
from packlab.convert import convert
from packlab.errors import PacklabError
from packlab.formats import Options, all_formats
from packlab.formats.lib.base import Format

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"
FORMATS = all_formats()
PAIRS = list(itertools.product(FORMATS, FORMATS))
BIT_US = 1e6 / 115200
LINES = {"bms_tx": LineSetting(), "host_tx": LineSetting(9600), "dash": LineSetting(19200, "8E1")}


def ids(one: Format) -> str:
    return one.suffix


def recording(seed: int, chunks: int = 60) -> list[Event]:
    """Chunks on three wires, none touching another of its wire, and levels between them."""
    chance = random.Random(seed)
    events: list[Event] = []
    t_us = 200_000
    for _ in range(chunks):
        port = chance.choice(list(LINES))
        size = chance.randint(1, 24)
        t_us += int(size * 11 * 1e6 / LINES[port].baud) + chance.randint(3_000, 40_000)
        kind = chance.random()
        if kind < 0.08:
            events.append(Level(t_us, port, "low"))
            t_us += 30_000
            events.append(Level(t_us, port, "idle"))
        elif kind < 0.12:
            events.append(Level(t_us, port, "overrun"))
        elif kind < 0.16:
            events.append(Level(t_us, port, "break"))
            t_us += 30_000
        else:
            events.append(Chunk(t_us, port, chance.randbytes(size)))
    return events


def written(path: Path, events: list[Event], lines: dict[str, LineSetting] | None = None) -> Path:
    with new_file(path) as stream:
        header = Header("made", "tests/test_formats.py", lines or LINES, (("pack", "no 7"),))
        writer = CaptureWriter(stream, header)
        for event in events:
            writer.write(event)
    return path


def read(path: Path) -> tuple[Header, list[Event]]:
    with CaptureReader(path) as reader:
        return reader.header, list(reader)


def by_port(events: list[Event]) -> dict[str, list[bytes | str]]:
    """What passed on each wire, in order, without times."""
    told: dict[str, list[bytes | str]] = {}
    for event in events:
        what = event.data if isinstance(event, Chunk) else event.level
        told.setdefault(event.port, []).append(what)
    return told


def furthest_us(before: list[Event], after: list[Event]) -> int:
    """How far the same event of the same wire has moved."""
    moved = 0
    for port in LINES:
        pairs = zip(
            [event.t_us for event in before if event.port == port],
            [event.t_us for event in after if event.port == port],
            strict=True,
        )
        moved = max([moved, *(abs(a - b) for a, b in pairs)])
    return moved


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda one: one.suffix)
def test_through_any_two_formats_nothing_is_lost(
    first: Format, second: Format, tmp_path: Path
) -> None:
    events = recording(5)
    src = written(tmp_path / "src.cap", events)
    one, two = tmp_path / f"one{first.suffix}", tmp_path / f"two{second.suffix}"
    back = tmp_path / "back.cap"
    convert(src, one)
    convert(one, two)
    convert(two, back)
    header, found = read(back)
    assert by_port(found) == by_port(events)
    # raw levels have steps, and a break is told when it is over
    assert furthest_us(events, found) <= 2 + 2 * max(first.step_us, second.step_us)
    assert (header.origin, header.source) == ("made", "tests/test_formats.py")
    assert dict(header.notes) == {"pack": "no 7"}
    assert dict(header.lines) == LINES


@pytest.mark.parametrize("one", FORMATS, ids=ids)
def test_packed_the_real_line_comes_back(one: Format, tmp_path: Path) -> None:
    _, events = read(REAL)
    packed = tmp_path / f"real{one.suffix}.gz"
    convert(REAL, packed)
    assert packed.read_bytes()[:2] == b"\x1f\x8b"
    convert(packed, tmp_path / "back.cap")
    _, found = read(tmp_path / "back.cap")
    if one.keeps_chunks:
        assert found == events
    else:
        joined = {
            port: b"".join(e.data for e in some if isinstance(e, Chunk) and e.port == port)
            for port in LINES
            for some in (events,)
        }
        again = {
            port: b"".join(e.data for e in found if isinstance(e, Chunk) and e.port == port)
            for port in LINES
        }
        assert again == joined


@pytest.mark.parametrize("one", FORMATS, ids=ids)
def test_the_same_content_gives_the_same_bytes(one: Format, tmp_path: Path) -> None:
    for name in ("a", "b"):
        convert(REAL, tmp_path / f"{name}{one.suffix}")
    first, second = ((tmp_path / f"{name}{one.suffix}").read_bytes() for name in ("a", "b"))
    assert first == second


# --- bad files -----------------------------------------------------------------------------------


def refused(path: Path, *, lenient: bool = False) -> str:
    """The one sentence a file is refused with; '' when it can be read."""
    try:
        with formats.reading(path, Options(lenient=lenient)) as found:
            for _ in found.events:
                pass
    except PacklabError as error:
        text = str(error)
        assert text.startswith(str(path)), text
        assert "\n" not in text
        return text
    return ""


@pytest.mark.parametrize("one", FORMATS, ids=ids)
def test_empty_and_junk_are_refused_in_a_sentence(one: Format, tmp_path: Path) -> None:
    for name, data in (
        ("empty", b""),
        ("junk", random.Random(1).randbytes(5000)),
        ("zeros", bytes(5000)),
        ("text", b"the quick brown fox\n" * 50),
    ):
        path = tmp_path / f"{name}{one.suffix}"
        path.write_bytes(data)
        said = refused(path)
        if not said:  # a format without a beginning of its own finds nothing in it
            with pytest.raises(PacklabError, match=r"holds no events"):
                convert(path, tmp_path / "x.cap")


@pytest.mark.parametrize("one", FORMATS, ids=ids)
def test_cut_anywhere(one: Format, tmp_path: Path) -> None:
    """A file that breaks off is read as far as it goes, or refused in a sentence."""
    whole = tmp_path / f"whole{one.suffix}"
    convert(written(tmp_path / "src.cap", recording(3, 12)), whole)
    data = whole.read_bytes()
    cut = tmp_path / f"cut{one.suffix}"
    for size in sorted({*range(0, len(data), max(1, len(data) // 60)), len(data) - 1}):
        cut.write_bytes(data[:size])
        refused(cut)


@pytest.mark.parametrize("one", FORMATS, ids=ids)
def test_packed_and_cut_or_damaged(one: Format, tmp_path: Path) -> None:
    whole = tmp_path / f"whole{one.suffix}.gz"
    convert(REAL, whole)
    data = whole.read_bytes()
    cut = tmp_path / f"cut{one.suffix}.gz"
    cut.write_bytes(data[: len(data) // 2])
    assert "breaks off" in refused(cut) or "zip" in refused(cut)
    cut.write_bytes(b"no gzip at all")
    assert refused(cut)
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 0xFF
    cut.write_bytes(damaged)
    refused(cut)


@pytest.mark.parametrize(
    ("suffix", "first"),
    [
        (".cap", b"# deckwatch capture 2\n"),
        (".txt", b"# deckwatch capture 9\n# origin: made\n0.1 bms_tx 55\n"),
        (".csv", b"# deckwatch capture 9\nt_start_us,t_end_us,line,hex\n1,2,bms_tx,55\n"),
    ],
)
def test_another_version_is_refused(suffix: str, first: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(first)
    said = refused(path)
    assert "another packlab" in said or "no capture begins like this" in said


TEXT = [one for one in FORMATS if one.suffix not in (".pcapng", ".sr")]


@pytest.mark.parametrize("one", TEXT, ids=ids)
def test_a_line_without_an_end_takes_no_memory(one: Format, tmp_path: Path) -> None:
    path = tmp_path / f"long{one.suffix}"
    head = tmp_path / f"head{one.suffix}"
    convert(written(tmp_path / "src.cap", recording(3, 3)), head)
    with path.open("wb") as stream:
        stream.write(head.read_bytes())
        for _ in range(64):
            stream.write(b"5" * (1 << 20))
    tracemalloc.start()
    said = refused(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said
    assert most < 16 << 20


@pytest.mark.parametrize("suffix", [".bytes.csv", ".vcd"])
def test_a_line_nobody_can_draw_is_refused_with_its_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bad{suffix}"
    convert(written(tmp_path / "src.cap", recording(3, 12)), path)
    path.write_bytes(path.read_bytes().replace(b" 8N1", b" 9X1"))
    assert refused(path).startswith(f"{path}: nobody can draw '9X1' bits; ")


@pytest.mark.soak
@pytest.mark.parametrize("one", TEXT, ids=ids)
def test_a_line_of_a_gigabyte(one: Format, tmp_path: Path) -> None:
    path = tmp_path / f"long{one.suffix}.gz"
    head = tmp_path / f"head{one.suffix}"
    convert(written(tmp_path / "src.cap", recording(3, 3)), head)
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(head.read_bytes())
        for _ in range(1024):
            stream.write(b"5" * (1 << 20))
    tracemalloc.start()
    said = refused(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said
    assert most < 16 << 20


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("one", FORMATS, ids=ids)
@given(data=st.data())
def test_damaged_anywhere_it_is_read_or_refused_in_a_sentence(
    one: Format, tmp_path: Path, data: st.DataObject
) -> None:
    whole = tmp_path / f"whole{one.suffix}"
    if not whole.exists():
        convert(written(tmp_path / "src.cap", recording(3, 12)), whole)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=5))
    path = tmp_path / f"bad{one.suffix}"
    path.write_bytes(bytes(content))
    refused(path)
    refused(path, lenient=True)

"""What is on a recorded line: the real one, every family's frames, swapped wires, and nothing
known."""

import json
from pathlib import Path

import pytest
from deckwatch.index import PROTOCOLS
from packlab.capture import CaptureReader, Chunk, Header
from packlab.errors import PacklabError
from packlab.identify import identify, lines

DATA = Path(__file__).parent / "data"
HEADER = Header("made", "test")


def frames(family: str) -> list[bytes]:
    """The sound published frames of one family."""
    name = "xiaomi" if family == "ninebot" else family
    entries = json.loads((DATA / "frames" / f"{name}.json").read_text())
    return [
        bytes.fromhex(entry["hex"])
        for entry in entries
        if entry["checksum_ok"] is not False
        and entry.get("must") != "reject"
        and entry.get("framing", family) == family
    ]


def on(port: str, data: list[bytes]) -> list[Chunk]:
    return [Chunk(number * 500_000, port, each) for number, each in enumerate(data)]


def test_the_real_line_is_a_xiaomi_one_in_both_directions() -> None:
    with CaptureReader(DATA / "captures" / "m365_standing.cap") as reader:
        found = identify(reader, reader.header)
    assert [(f.port, f.family, f.sure_pct, f.verdict) for f in found] == [
        ("bms_tx", "xiaomi", 100, "settled"),
        ("host_tx", "xiaomi", 100, "settled"),
    ]
    assert [s.frames for f in found for s in f.shares] == [49, 89]
    assert lines(found)[0].startswith("bms_tx: xiaomi, 100 % of ")


@pytest.mark.parametrize("family", PROTOCOLS)
def test_every_family_is_told_by_its_own_frames_and_by_nobody_elses(family: str) -> None:
    (found,) = identify(on("bms_tx", frames(family)), HEADER)
    assert found.family == family
    assert [share.family for share in found.shares] == [family]
    assert found.sure_pct >= 95


def test_swapped_wires_are_named() -> None:
    questions = [f for f in frames("xiaomi") if f[3] == 0x22 and f[4] == 1]
    answers = [f for f in frames("xiaomi") if f[3] == 0x25]
    (found,) = identify(on("bms_tx", questions), HEADER)
    assert "swapped" in found.verdict
    (found,) = identify(on("host_tx", answers), HEADER)
    assert "swapped" in found.verdict


def test_one_frame_is_too_little() -> None:
    (found,) = identify(on("bms_tx", frames("jbd")[:1]), HEADER)
    assert "too little" in found.verdict


def test_bytes_without_a_frame_are_said_to_be_so() -> None:
    (found,) = identify(on("bms_tx", [bytes(range(200))]), HEADER)
    assert (found.family, found.sure_pct) == ("", 0)
    assert "never a valid frame" in found.verdict
    assert lines([found]) == [f"bms_tx: unknown, 0 % of 200 bytes at 115200 baud; {found.verdict}"]


def test_a_capture_without_bytes_is_an_error() -> None:
    with pytest.raises(PacklabError, match="holds no bytes"):
        identify([], HEADER)

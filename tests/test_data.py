"""The test data: complete, told apart by origin, checks right where they should be, no identities.

Frames and the real capture are derived from published originals by data/make_data.py. The
originals are not here; what of them must be gone, or must be as it was, is checked by hash.
"""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packlab.capture import CaptureReader, Chunk

DATA = Path(__file__).parent / "data"
sys.path.insert(0, str(DATA))  # its programs are run by hand and are no package

from frame_checks import is_valid  # noqa: E402
from identities import blank, identities  # noqa: E402

# Frames by origin: real, derived, made.
COUNTS = {
    "xiaomi": (104, 18, 7),
    "jbd": (41, 3, 8),
    "jk": (34, 20, 1),
    "ant": (37, 2, 1),
    "daly": (64, 4, 0),
    "vesc": (12, 4, 5),
}
STANDING = DATA / "captures" / "m365_standing.cap"


def entries(sheet: str) -> list[dict[str, Any]]:
    return list(json.loads((DATA / "frames" / f"{sheet}.json").read_text("utf-8")))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def anonymised_by_author(entry: dict[str, Any]) -> bool:
    return "anonymised by the author" in entry.get("provenance", "")


@pytest.mark.parametrize("sheet", COUNTS)
def test_every_frame_is_there_and_says_its_origin(sheet: str) -> None:
    origins = Counter(entry["origin"] for entry in entries(sheet))
    assert tuple(origins[origin] for origin in ("real", "derived", "made")) == COUNTS[sheet]
    assert origins.total() == sum(COUNTS[sheet])


@pytest.mark.parametrize("sheet", COUNTS)
def test_every_frame_names_source_and_meaning_and_what_to_expect(sheet: str) -> None:
    for entry in entries(sheet):
        assert entry["source"]
        assert entry["meaning"]
        assert (entry["expect"] is None) is (entry.get("must") == "reject")


@pytest.mark.parametrize("sheet", COUNTS)
def test_checks_fit_exactly_where_the_entry_says_so(sheet: str) -> None:
    for entry in entries(sheet):
        valid = is_valid(sheet, bytes.fromhex(entry["hex"]))
        assert valid is entry["checksum_ok"], entry["meaning"]
        assert (entry.get("must") == "reject") is (valid is False), entry["meaning"]


@pytest.mark.parametrize("sheet", COUNTS)
def test_a_blanked_frame_is_never_called_real(sheet: str) -> None:
    for entry in entries(sheet):
        assert ("changed" not in entry) or entry["origin"] == "derived"


@pytest.mark.parametrize("sheet", COUNTS)
def test_every_identity_is_blank(sheet: str) -> None:
    for entry in entries(sheet):
        frame = bytes.fromhex(entry["hex"])
        if entry["origin"] != "made" and not anonymised_by_author(entry):
            for identity in identities(sheet, frame):
                assert frame[identity.start : identity.stop] == blank(frame, identity)


def test_identities_are_found_in_every_kind_of_frame_that_has_them() -> None:
    found = Counter(
        sheet
        for sheet in COUNTS
        for entry in entries(sheet)
        for _ in identities(sheet, bytes.fromhex(entry["hex"]))
    )
    assert found == {"xiaomi": 12, "jk": 42, "ant": 2, "daly": 1, "vesc": 1}


def test_no_original_identity_is_left_anywhere() -> None:
    hashes: dict[int, set[str]] = {}
    for line in (DATA / "frames" / "blanked.sha256").read_text().splitlines():
        length, digest = line.split()
        hashes.setdefault(int(length), set()).add(digest)
    assert sum(map(len, hashes.values())) > 20
    texts = {text for sheet in COUNTS for text in strings(entries(sheet))}
    with CaptureReader(STANDING) as reader:
        payloads = {event.data for event in reader if isinstance(event, Chunk)}
    payloads |= {text.encode() for text in texts} | {_unhex(text) for text in texts}
    for length, digests in hashes.items():
        windows = {
            data[start : start + length]
            for data in payloads
            for start in range(len(data) - length + 1)
        }
        assert digests.isdisjoint(hashlib.sha256(window).hexdigest() for window in windows)


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def test_the_standing_m365_is_whole_and_called_derived() -> None:
    with CaptureReader(STANDING) as reader:
        events = [event for event in reader if isinstance(event, Chunk)]
        header = reader.header
    assert header.origin == "derived"
    assert "etransport/ninebot-docs" in header.source
    assert "serial number" in dict(header.notes)["changed"]
    assert Counter(event.port for event in events) == {"host_tx": 89, "bms_tx": 49}
    assert (events[0].t_us, events[-1].t_us) == (1_883_095, 12_241_756)
    assert all(is_valid("xiaomi", event.data) for event in events)
    replies = Counter(event.data[5] for event in events if event.port == "bms_tx")
    assert replies == {0x10: 1, 0x30: 48}


def test_the_standing_m365_keeps_every_stamp_and_every_byte_but_the_serial() -> None:
    with CaptureReader(STANDING) as reader:
        chunks = [event for event in reader if isinstance(event, Chunk)]
    lines = [
        f"{chunk.t_us} {chunk.port} {_without_serial(chunk.data).hex()}\n" for chunk in chunks
    ]
    # Taken from the original table: end stamp, port, bytes of every row, as below.
    recorded = "1eb215259bc7de59e107ace26887f26d1b5c7daa9252713b97f45366448ff67e"
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == recorded


def _without_serial(frame: bytes) -> bytes:
    return b"" if frame[3:6] == bytes([0x25, 0x01, 0x10]) else frame

"""The dissector for Wireshark: tshark with it tells of every frame what `packlab decode` tells, on
the real line, on all known frames and on made ones of the whole register map."""

import json
import random
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import ROOT
from packlab.capture import CaptureReader, CaptureWriter, Chunk, Header, LineSetting, new_file
from packlab.convert import convert
from packlab.decode import decode
from test_formats_tools import program, said

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"
SCRIPT = ROOT / "host" / "packlab" / "wireshark" / "deckwatch.lua"
BOOLEAN = ("activated", "charging_flag")
LISTS = ("cell_mv", "temp_dc")
OWN = {"family", "kind", "checksum", "frame", "source", "address", "command", "register", "wanted"}


class Shown(NamedTuple):
    """One frame as tshark shows it: its bytes, family, kind, checksum, and fields by name."""

    frame: str
    family: str
    kind: str | None
    checksum: str
    fields: dict[str, list[str]]


def dissected(path: Path) -> list[Shown]:
    tshark = program("tshark", "tshark")
    told = said(tshark, "-X", f"lua_script:{SCRIPT}", "-r", str(path), "-T", "pdml")
    frames = []
    for proto in ElementTree.fromstring(told).iter("proto"):
        if proto.get("name") != "deckwatch":
            continue
        fields: dict[str, list[str]] = {}
        for field in proto.iter("field"):
            name = (field.get("name") or "").removeprefix("deckwatch.")
            number = re.search(r" \((?:cell|probe) (\d+)\)", field.get("showname") or "")
            if number:  # those before it, which the frame does not name
                blank = "0" if name == "cell_mv" else "-"
                missing = int(number[1]) - 1 - len(fields.get(name, []))
                fields.setdefault(name, []).extend([blank] * missing)
            fields.setdefault(name, []).append(field.get("show") or "")
        (family,), (checksum,) = fields["family"], fields["checksum"]
        raw = fields["frame"][0].replace(":", "")
        frames.append(Shown(raw, family, fields.get("kind", [None])[0], checksum, fields))
    return frames


def values(shown: Shown) -> dict[str, Any]:
    """The fields as `packlab decode` would write them, None for probes that are not fitted."""
    known: dict[str, Any] = {}
    for name, told in shown.fields.items():
        if name in OWN or name == "no_probe":
            continue
        if name in LISTS:
            known[name] = [None if one == "-" else int(one) for one in told]
        elif name in ("faults", "balance"):
            names = [] if told == ["none"] else told[-1].split(",")
            known[name] = [int(one) for one in names] if name == "balance" else names
        elif told[-1].lstrip("-").isdigit() and name not in ("serial", "firmware"):
            known[name] = int(told[-1])
        else:
            known[name] = told[-1]
    for probe in shown.fields.get("no_probe", []):
        known.setdefault("temp_dc", []).extend([None] * (int(probe) - len(known["temp_dc"])))
    return known | {name: bool(known[name]) for name in BOOLEAN if name in known}


def expected(result: dict[str, Any]) -> dict[str, Any]:
    """Faults in the order of their names."""
    return {n: sorted(v) if n == "faults" else v for n, v in result["values"].items()}


def assert_same(
    frames: list[str], shown: list[Shown], protocol: str | None = None
) -> Counter[str]:
    """Every frame is shown with what packlab decode says; how many of each kind there were."""
    kinds: Counter[str] = Counter()
    assert [one.frame for one in shown] == frames
    for one, result in zip(shown, decode(frames, protocol), strict=True):
        assert result["ok"], one.frame
        assert (one.family, one.kind) == (result["protocol"], result["kind"]), one.frame
        assert one.checksum == "good"
        got = values(one)
        if "faults" in got:
            got["faults"].sort()
        assert got == expected(result), one.frame
        request = result.get("request", {})
        if "bytes" in request:
            assert int(one.fields["wanted"][0]) == request["bytes"]
        kinds[one.kind or ""] += 1
    return kinds


def line(path: Path, chunks: Iterable[bytes], apart_us: int = 20_000) -> None:
    """A made capture of chunks on the battery's wire."""
    with new_file(path) as stream:
        header = Header("made", "tests/test_wireshark.py", {"bms_tx": LineSetting()})
        writer = CaptureWriter(stream, header)
        for number, chunk in enumerate(chunks, 1):
            writer.write(Chunk(number * apart_us, "bms_tx", chunk))


def shown_of(tmp_path: Path, chunks: Iterable[bytes], apart_us: int = 20_000) -> list[Shown]:
    line(tmp_path / "made.cap", chunks, apart_us)
    convert(tmp_path / "made.cap", tmp_path / "made.pcapng")
    return dissected(tmp_path / "made.pcapng")


def known_frames(family: str) -> list[str]:
    entries = json.loads((ROOT / "tests/data/frames/xiaomi.json").read_text("utf-8"))
    return [
        entry["hex"]
        for entry in entries
        if entry["framing"] == family and next(iter(decode([entry["hex"]], family)))["ok"]
    ]


def made_frames(family: str) -> Iterator[str]:
    """Replies with chance bytes from every part of the map of everybody who speaks, and every
    command with a short payload."""
    chance = random.Random(8)
    speakers = {"xiaomi": (b"\x23", b"\x25"), "ninebot": (b"\x22\x20", b"\x20\x21", b"\x11\x20")}
    others = {"xiaomi": (b"\x20", b"\x21", b"\x22"), "ninebot": (b"\x3e\x22", b"\x21\x20")}
    reply = b"\x01" if family == "xiaomi" else b"\x04"
    for speaker in speakers[family]:
        for register in range(0, 0xC0, 5):
            body = bytearray(chance.randbytes(chance.choice((2, 10, 32, 61))))
            for place in range(len(body)):
                if 0x20 <= 2 * register + place < 0x2E:  # the serial number is text
                    body[place] = chance.choice(b"ABCXYZ")
            yield framed(family, speaker + reply + bytes([register]) + body)
    for ends in (*speakers[family], *others[family]):
        for command in range(256):
            yield framed(family, ends + bytes([command, 0xF0]) + chance.randbytes(6))


def framed(family: str, body: bytes) -> str:
    header, less = (b"\x55\xaa", 1) if family == "xiaomi" else (b"\x5a\xa5", 4)
    rest = bytes([len(body) - less]) + body
    return (header + rest + (~sum(rest) & 0xFFFF).to_bytes(2, "little")).hex()


def test_the_dissector_is_current() -> None:
    """As the firmware's tables and kinds of frame are now."""
    done = said(sys.executable, str(ROOT / "tools" / "make_wireshark.py"), "--check")
    assert done == ""


def test_the_real_line_is_shown_as_decode_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "real.pcapng"
    convert(REAL, path)
    with CaptureReader(REAL) as reader:
        frames = [event.data.hex() for event in reader if isinstance(event, Chunk)]
    kinds = assert_same(frames, dissected(path))
    assert kinds == {"read": 89, "reply": 49}


@pytest.mark.parametrize("family", ["xiaomi", "ninebot"])
def test_known_and_made_frames_are_shown_as_decode_tells_them(tmp_path: Path, family: str) -> None:
    frames = [*known_frames(family), *made_frames(family)]
    shown = shown_of(tmp_path, map(bytes.fromhex, frames))
    kinds = assert_same(frames, shown, family)
    assert {"read", "reply", "write", "ack", "update", "service", "unknown"} <= set(kinds)
    assert {"dash_input", "dash_state"} <= set(kinds)
    assert kinds["reply"] > 100


def test_frames_of_every_family_are_found(tmp_path: Path) -> None:
    """The family is found out; a frame that was cut into chunks, noise, and a damaged byte."""
    asked = {
        "ant": "dbdb00000000",
        "jbd": "dda50300fffd77",
        "jk": "aa5590eb97000000000000000000000000000011",
        "daly": "a540900800000000000000007d",
        "vesc": "020104408403",
    }
    for family, text in asked.items():
        frame = bytes.fromhex(text)
        cut = [frame, b"\x17" + frame[:4], frame[4:] + frame, b"\x17"]
        shown = shown_of(tmp_path, [*cut, frame], apart_us=50_000)
        assert {one.family for one in shown} == {family}
        assert [one.frame for one in shown if one.checksum == "good"][:4] == [text] * 4
    frame = bytes.fromhex("55aa032201300c9dff")
    damaged = frame[:5] + b"\x31" + frame[6:]
    shown = shown_of(tmp_path, [frame, damaged, frame])
    assert [one.checksum for one in shown] == ["good", "bad", "good"]
    assert shown[1].frame == damaged.hex()
    assert shown[1].kind is None

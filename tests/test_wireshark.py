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
from packlab.fake import families
from packlab.fake.bench import Order, build
from test_formats_tools import program, said

sys.path.insert(0, str(ROOT / "tests" / "data"))
from frame_checks import checks

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"
SCRIPT = ROOT / "host" / "packlab" / "wireshark" / "deckwatch.lua"
BOOLEAN = ("activated", "charging_flag", "charge_fet", "discharge_fet", "charger_present")
LISTS = ("cell_mv", "temp_dc", "wire_mohm")
TEXTS = ("serial", "firmware", "model")
BLANK = {"cell_mv": "0", "temp_dc": "-", "wire_mohm": "0"}  # what a frame does not name
NO_CHECK = ("a55a", "5aa5")  # JK's displays
DALY_SETS = ("95", "96")  # of cells and temperatures, shown as they stand
OWN = {"family", "kind", "checksum", "frame", "source", "address", "command", "register", "wanted"}


class Shown(NamedTuple):
    """One frame as tshark shows it: its bytes, family, kind, checksum, and fields by name."""

    frame: str
    family: str
    kind: str | None
    checksum: str
    fields: dict[str, list[str]]


def dissected(path: Path, family: str = "found out") -> list[Shown]:
    tshark = program("tshark", "tshark")
    chosen = f"deckwatch.family:{family}"
    pdml = said(
        tshark, "-X", f"lua_script:{SCRIPT}", "-o", chosen, "-r", str(path), "-T", "pdml"
    )  # fmt: skip
    frames = []
    for proto in ElementTree.fromstring(pdml).iter("proto"):
        if proto.get("name") != "deckwatch":
            continue
        fields: dict[str, list[str]] = {}
        for field in proto.iter("field"):
            name = (field.get("name") or "").removeprefix("deckwatch.")
            number = re.search(
                r" \((?:wire of )?(?:cell|probe) (\d+)\)", field.get("showname") or ""
            )
            told = fields.setdefault(name, [])
            if number:  # at its place; those before it the frame does not name
                told.extend([BLANK[name]] * (int(number[1]) - len(told)))
                told[int(number[1]) - 1] = field.get("show") or ""
            else:
                told.append(field.get("show") or "")
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
        elif told[-1].lstrip("-").isdigit() and name not in TEXTS:
            known[name] = int(told[-1])
        else:
            known[name] = told[-1]
    for probe in shown.fields.get("no_probe", []):
        probes = known.setdefault("temp_dc", [])
        probes.extend([None] * (int(probe) - len(probes)))
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
        assert one.checksum == "good" or one.family == "jk" and one.frame[:4] in NO_CHECK
        got = values(one)
        if one.family == "daly" and one.frame[4:6] in DALY_SETS and one.kind == "reply":
            assert result["values"] == {}  # a frame alone is no set
            got = {}
        if "faults" in got:
            got["faults"].sort()
        want = expected(result)
        for name in TEXTS:  # tshark escapes what is no text
            if not str(want.get(name, "")).isprintable():
                del want[name]
                del got[name]
        assert got == want, one.frame
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


def shown_of(
    tmp_path: Path, chunks: Iterable[bytes], apart_us: int = 20_000, family: str = "found out"
) -> list[Shown]:
    line(tmp_path / "made.cap", chunks, apart_us)
    convert(tmp_path / "made.cap", tmp_path / "made.pcapng")
    return dissected(tmp_path / "made.pcapng", family)


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


OTHERS = ("jbd", "ant", "vesc", "daly", "jk")


def given_frames(family: str) -> list[str]:
    """The published frames of a family that hold, each behind its question where that is given."""
    entries = json.loads((ROOT / f"tests/data/frames/{family}.json").read_text("utf-8"))
    frames = []
    for entry in entries:
        if entry.get("must") != "reject":
            asked = [entry["request_hex"]] if entry.get("request_hex") else []
            frames += [*asked, entry["hex"]]
    return [one for one in frames if is_whole(one, family)]


@pytest.mark.parametrize("family", OTHERS)
def test_published_frames_are_shown_as_decode_tells_them(tmp_path: Path, family: str) -> None:
    frames = given_frames(family)
    shown = shown_of(tmp_path, map(bytes.fromhex, frames), 120_000, family)
    kinds = assert_same(frames, shown, family)
    print(family, kinds)
    assert kinds["reply"] > 10


def changed(family: str, frame: str, chance: random.Random) -> str:
    """The frame with some bytes by chance and checks that hold."""
    raw = bytearray.fromhex(frame)
    for _ in range(chance.choice((1, 2, 8, 30))):
        raw[chance.randrange(2, len(raw))] = chance.choice(
            (0, 1, 0x80, 0xFF, chance.randrange(256))
        )
    for check in checks(family, bytes(raw)):
        place = slice(check.at, check.at + check.size)
        raw[place] = check.computed(bytes(raw)).to_bytes(check.size, check.order)
    return raw.hex()


def is_whole(frame: str, family: str) -> bool:
    return bool(next(iter(decode([frame], family)))["ok"])


@pytest.mark.parametrize("family", OTHERS)
def test_changed_frames_are_shown_as_decode_tells_them(tmp_path: Path, family: str) -> None:
    """Paths no published frame takes: other counts, bits, signs and lengths."""
    chance = random.Random(11)
    given = [one for one in given_frames(family) for _ in range(6)]
    frames = [one for frame in given if is_whole(one := changed(family, frame, chance), family)]
    shown = shown_of(tmp_path, map(bytes.fromhex, frames), 120_000, family)
    kinds = assert_same(frames, shown, family)
    assert kinds.total() > len(given) // 4


def talk(family: str, profile: str) -> list[Chunk]:
    """Ten seconds of a made pack that is charged, and of who asks it."""
    line = build(Order(family, profile, scene="charge", seed=3))
    return [event for event in line.advance(10_000_000) if isinstance(event, Chunk)]


@pytest.mark.parametrize(
    ("family", "profile"),
    [(family, name) for family in OTHERS for name in families.profiles(family)],
)
def test_a_made_conversation_is_shown_as_decode_tells_it(
    tmp_path: Path, family: str, profile: str
) -> None:
    path = tmp_path / "talk.cap"
    with new_file(path) as stream:
        header = Header("made", "tests/test_wireshark.py", {"bms_tx": LineSetting()})
        writer = CaptureWriter(stream, header)
        for chunk in sorted(talk(family, profile), key=lambda chunk: chunk.t_us):
            writer.write(chunk)
    convert(path, tmp_path / "talk.pcapng")
    shown = dissected(tmp_path / "talk.pcapng", family)
    kinds = assert_same([one.frame for one in shown], shown, family)
    assert kinds["reply"] + kinds["bms_can"] >= 9


def test_parts_of_dalys_sets_are_shown_as_they_stand(tmp_path: Path) -> None:
    """packlab decode waits for the whole set; the eye need not."""
    frames = [one for one in given_frames("daly") if one[:2] == "a5" and one[4:6] in DALY_SETS]
    shown = shown_of(tmp_path, map(bytes.fromhex, frames), 120_000, "daly")
    told = [values(one) for one in shown if one.kind == "reply"]
    assert len(told) > 5
    for one, got in zip([one for one in shown if one.kind == "reply"], told, strict=True):
        data = bytes.fromhex(one.frame)[4:12]
        if one.frame[4:6] == "95":
            cells = [data[1] << 8 | data[2], data[3] << 8 | data[4], data[5] << 8 | data[6]]
            assert [mv for mv in got.get("cell_mv", []) if mv] == [mv for mv in cells if mv]
        else:
            probes = [raw * 10 - 400 for raw in data[1:] if raw]
            assert [dc for dc in got.get("temp_dc", []) if dc is not None] == probes


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

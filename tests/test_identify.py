"""What is on a recorded line: the real one, every family's frames, swapped wires, and nothing
known."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from deckwatch.index import PROTOCOLS
from packlab.capture import PORTS, CaptureReader, Chunk, Event, Header, LineSetting
from packlab.errors import PacklabError
from packlab.fake import families
from packlab.fake.bench import Order, build
from packlab.fake.line import InOrder
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


# --- the matrix: every line against every family -------------------------------------------------

CAPTURES = sorted((DATA / "captures").glob("*.cap"))
LINES = [(family, name) for family in families.names() for name in families.profiles(family)]
# Nobody asks on the first four; the last says one frame over and over, and its sum is wrong.
SILENT = {("xiaomi", "bare"), ("ninebot", "bare"), ("jk", "display"), ("xiaomi", "attiny")}


def claims(events: Iterable[Event], header: Header) -> set[str]:
    """Families that understand a frame of any port."""
    return {share.family for found in identify(events, header) for share in found.shares}


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_exactly_one_family_claims_a_capture(path: Path) -> None:
    with CaptureReader(path) as reader:
        assert len(claims(reader, reader.header)) == 1


@pytest.mark.parametrize(("family", "profile"), LINES)
def test_exactly_one_family_claims_a_fakes_line(family: str, profile: str) -> None:
    events, header = made(Order(family, profile, master="app"), 10)
    if not any(isinstance(event, Chunk) for event in events):
        assert (family, profile) in SILENT
        return
    wanted = set() if (family, profile) == ("xiaomi", "attiny") else {family}
    assert claims(events, header) == wanted


# --- what answers in place of a stock pack -------------------------------------------------------

# profile of the fake, what happens, master: what must be said of its battery wire
STANDINS = (
    ("m365", "ride", "app", ()),
    ("pro", "charge", "app", ()),
    ("botox", "ride", "app", ("BotoX firmware: its serial number is BOTOX001",)),
    ("happy", "ride", "app", ()),  # nobody reads its capacity
    ("rita", "charge", "controller", ("Rita: −10 °C (do not brake) as messages",)),
    ("rita", "parked", "controller", ("Rita standing in for the battery: 29 Ah and never",)),
    ("rita_new", "ride", "controller", ("Rita: 100 °C (stop) as messages",)),
    ("emulator", "ride", "app", ("an emulator and no battery: 2.25 V",)),
)


def made(order: Order, seconds: int) -> tuple[list[Event], Header]:
    """A fake line."""
    line = build(order)
    events = list(InOrder(line.baud).add(line.advance(seconds * 1_000_000)))
    header = Header("made", "test", {port: LineSetting(line.baud) for port in PORTS})
    line.close()
    return events, header


@pytest.mark.parametrize(("profile", "scene", "master", "signs"), STANDINS)
def test_what_stands_in_for_a_pack_is_named_with_its_reason(
    profile: str, scene: str, master: str, signs: tuple[str, ...]
) -> None:
    events, header = made(Order("xiaomi", profile, scene, master=master), 60)
    bms, host = identify(events, header)
    assert (bms.family, bms.verdict) == ("xiaomi", "settled")
    assert len(bms.signs) == len(signs)
    for said, wanted in zip(bms.signs, signs, strict=True):
        assert said.startswith(wanted)
        assert f"  looks like {said}" in lines([bms])
    expected = ("BotoX firmware: the line's speed is 76800; take profile botox",)
    assert host.signs == (expected if profile == "botox" else ())


def test_a_charge_that_ends_where_sixteen_bits_do_is_a_happy_bms() -> None:
    events, header = made(Order("xiaomi", "happy", master="app"), 20)
    asked = Chunk(20_000_000, "host_tx", with_check("55aa032201180c"))
    told = Chunk(20_010_000, "bms_tx", with_check("55aa062501 18 ff7f ff7f"))
    found = identify([*events, asked, told], header)
    assert [sign[:39] for sign in found[0].signs] == ["Happy BMS: its charge ends at 32.767 Ah"]


def test_a_counter_at_zero_with_charge_left_is_named() -> None:
    status = "55aa0e2501300100000000000000a40e2b2b"
    cells = "55aa162501400a" + "0f" + "680e" * 9  # 3.85 V and nine of 3.69 V
    line = [with_check(text) for text in (status, cells) * 3]
    (found,) = identify(on("bms_tx", line), HEADER)
    assert [sign[:56] for sign in found.signs] == [
        "charge and percent read 0 with every cell at 3.69 V or m"
    ]


def with_check(text: str) -> bytes:
    """A Xiaomi frame with its sum (made)."""
    data = bytes.fromhex(text)
    return data + (0xFFFF - sum(data[2:]) & 0xFFFF).to_bytes(2, "little")

"""ANT: every published frame, scales and signs by a table written from the sheet, every code of
both MOSFETs, damage, noise, and a decoder that allocates nothing.

Run with -s to see how many frames of which kind decode.
"""

import random
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bench_rows import text_of
from conftest import MicroPython
from deckwatch.frame import DAMAGED, NOISE
from deckwatch.index import PROTOCOLS
from families import Heard, entries, listen, listener
from hypothesis import given, settings
from hypothesis import strategies as st

ENTRIES = entries("ant")
LOCKED = Path(__file__).parent / "unix" / "decode_locked.py"
OLD_READ = "5a5a00000000"


# --- frames made here, byte by byte from the sheet -----------------------------------------------


def crc16(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def old_status(*fields: tuple[int, str, int], cells: int = 0) -> bytes:
    """A status of the old protocol: MOSFETs on, no probes, all else 0 but `fields`."""
    frame = bytearray(140)
    frame[:4] = b"\xaa\x55\xaa\xff"
    struct.pack_into(">6h", frame, 91, *[-40] * 6)
    frame[103:106] = b"\x01\x01\x00"
    frame[123] = cells
    for offset, code, raw in fields:
        struct.pack_into(code, frame, offset, raw)
    struct.pack_into(">H", frame, 138, sum(frame[4:138]) & 0xFFFF)
    return bytes(frame)


def new(function: int, address: int, data: bytes = b"", length: int = -1, more: str = "") -> bytes:
    """A frame of the new protocol; `length` is what a read wants, `more` the extra bytes."""
    size = len(data) if length < 0 else length
    covered = struct.pack("<BBHB", 0xA1, function, address, size) + data
    return b"\x7e" + covered + struct.pack("<H", crc16(covered)) + bytes.fromhex(more + "aa55")


def status(
    cells: list[int], temps: list[int], *fields: tuple[int, str, int], off_by: int = 0
) -> bytes:
    """A status of the new protocol. The offsets of `fields` are the sheet's, with o for what
    cells and probes take: behind 34+o."""
    o = 2 * (len(cells) + len(temps))
    data = bytearray(106 + o + off_by)
    data[2:4] = bytes([len(temps), len(cells)])
    struct.pack_into(f"<{len(cells)}H{len(temps)}h", data, 28, *cells, *temps)
    struct.pack_into("<2h", data, 28 + o, -40, -40)
    data[40 + o : 43 + o] = b"\x01\x01\x00"
    for offset, code, raw in fields:
        struct.pack_into(code, data, offset - 6 + o, raw)
    return new(0x11, 0, bytes(data))


# --- published frames ----------------------------------------------------------------------------


def test_family_is_in_the_index() -> None:
    assert "ant" in PROTOCOLS


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["meaning"][:40])
def test_every_published_frame_decodes_to_what_is_expected(entry: dict[str, Any]) -> None:
    heard = listen("ant", entry["hex"])
    assert [frame.data.hex() for frame in heard.frames] == [entry["hex"]]
    assert heard.frames[0].kind != "unknown"
    known = heard.values()
    assert {slot: known.get(slot) for slot in entry["expect"]} == entry["expect"]


def test_all_published_frames_are_counted() -> None:
    kinds: Counter[tuple[str, str]] = Counter()
    values = 0
    for entry in ENTRIES:
        heard = listen("ant", entry["hex"])
        form = "old" if entry["hex"].startswith("aa55") else "new"
        kinds[form, heard.frames[0].kind] += 1
        values += len(entry["expect"])
        assert heard.framer.numbers[NOISE] == 0
    print(f"\nant: {len(ENTRIES)} frames, {values} expected values")
    for (form, kind), count in sorted(kinds.items()):
        print(f"  {form} {kind:8} {count}")
    assert kinds == {("old", "reply"): 16, ("new", "reply"): 18, ("new", "ack"): 6}
    assert values == 207


@pytest.mark.parametrize(
    "request_hex", sorted({entry["request_hex"] for entry in ENTRIES} - {None})
)
def test_requests_named_beside_the_frames_are_reads_or_writes(request_hex: str) -> None:
    (frame,) = listen("ant", request_hex).frames
    kinds = {"7ea122": "write", "7ea151": "write"}
    assert frame.kind == kinds.get(request_hex[:6], "read")
    assert frame.is_request is (frame.kind == "read")


# Sheet chapter 6 and the field map each frame was published with, in the sheet's own units.
DETAILS = {
    "mos_temp_dc": lambda d: d["temps_C"][0] * 10 if "mos_T" not in d else d["mos_T"] * 10,
    "board_temp_dc": lambda d: (d["temps_C"][1] if "mos_T" not in d else d["balancer_T"]) * 10,
    "full_mah": lambda d: round(d["capacity_Ah"] * 1000) or None,
    "health_pct": lambda d: d.get("soh_pct"),
    "total_charge_mah": lambda d: round(d["total_chg_Ah"] * 1000) if "total_chg_Ah" in d else None,
    "balance": lambda d: [cell + 1 for cell in range(32) if d["balance_mask"] >> cell & 1],
    "cell_mv": lambda d: d["cell_mV"],
}


def test_what_else_the_published_status_frames_say() -> None:
    checked = 0
    for entry in ENTRIES:
        decoded = entry["decoded"]
        if "cell_mV" not in decoded or "balance_mask" not in decoded:
            continue
        known = listen("ant", entry["hex"]).values()
        for slot, expected in DETAILS.items():
            assert known.get(slot) == expected(decoded), (entry["meaning"], slot)
            checked += 1
    assert checked == 7 * 21


def test_lithium_iron_pack_of_16_cells() -> None:
    (entry,) = [entry for entry in ENTRIES if entry["meaning"] == "status 16S 280 Ah"]
    known = listen("ant", entry["hex"]).values()
    wanted = ("pack_mv", "current_ma", "soc_pct", "remaining_mah", "full_mah", "mos_temp_dc")
    assert [known[slot] for slot in wanted] == [52840, -300, 91, 252602, 280000, 20]
    assert known["board_temp_dc"] == 70


def test_discharge_stands_before_charge() -> None:
    """The capture around the command "discharge off": only its first code falls (sheet 4)."""
    codes = {}
    for entry in ENTRIES:
        if entry["meaning"].startswith("status 22S: state"):
            known = listen("ant", entry["hex"]).values()
            name = entry["meaning"].partition("discharge ")[2]
            codes[name] = (known["discharge_fet"], known["charge_fet"])
    assert codes == {
        "code 15, charge code 15, balance code 4": (False, False),
        "code 1, charge code 1, balance code 0": (True, True),
        "code 15, charge code 1, balance code 4": (False, True),
        "code 15, charge code 15, balance code 0": (False, False),
    }


# --- scales and signs, written by hand from the sheet --------------------------------------------

OLD_FIELDS = [
    (4, ">H", 488, "pack_mv", 48800),
    (4, ">H", 1344, "pack_mv", 134400),
    (70, ">i", 80, "current_ma", -8000),
    (70, ">i", -107, "current_ma", 10700),
    (74, ">B", 41, "soc_pct", 41),
    (75, ">I", 170_000_000, "full_mah", 170000),
    (75, ">I", 0, "full_mah", None),
    (79, ">I", 68_740_525, "remaining_mah", 68741),
    (79, ">I", 499, "remaining_mah", 0),
    (79, ">I", 500, "remaining_mah", 1),
    (79, ">I", 1_073_741_823, "remaining_mah", 1_073_742),
    (79, ">I", 0xFFFFFFFF, "remaining_mah", None),
    (91, ">h", 22, "mos_temp_dc", 220),
    (91, ">h", -7, "mos_temp_dc", -70),
    (91, ">h", -40, "mos_temp_dc", None),
    (93, ">h", 31, "board_temp_dc", 310),
    (93, ">h", -40, "board_temp_dc", None),
    (95, ">h", -5, "temp_dc", [-50, None, None, None]),
    (97, ">h", 21, "temp_dc", [None, 210, None, None]),
    (99, ">h", 0, "temp_dc", [None, None, 0, None]),
    (101, ">h", 127, "temp_dc", [None, None, None, 1270]),
    (132, ">I", 0x00000001, "balance", [1]),
    (132, ">I", 0x00018000, "balance", [16, 17]),
    (132, ">I", 0x80000000, "balance", [32]),
]


@pytest.mark.parametrize(("offset", "code", "raw", "slot", "value"), OLD_FIELDS)
def test_old_field(offset: int, code: str, raw: int, slot: str, value: Any) -> None:
    assert listen("ant", old_status((offset, code, raw))).values().get(slot) == value


NEW_FIELDS = [
    (34, "<h", 2, "mos_temp_dc", 20),
    (34, "<h", -12, "mos_temp_dc", -120),
    (34, "<h", -40, "mos_temp_dc", None),
    (36, "<h", 7, "board_temp_dc", 70),
    (36, "<h", -40, "board_temp_dc", None),
    (38, "<H", 5284, "pack_mv", 52840),
    (38, "<H", 13440, "pack_mv", 134400),
    (40, "<h", 3, "current_ma", -300),
    (40, "<h", -215, "current_ma", 21500),
    (42, "<H", 91, "soc_pct", 91),
    (44, "<H", 97, "health_pct", 97),
    (50, "<I", 280_000_000, "full_mah", 280000),
    (50, "<I", 0, "full_mah", None),
    (54, "<I", 252_601_500, "remaining_mah", 252602),
    (54, "<I", 252_601_499, "remaining_mah", 252601),
    (70, "<I", 0x00000002, "balance", [2]),
    (70, "<I", 0x40010000, "balance", [17, 31]),
    (100, "<I", 15_492_648, "total_charge_mah", 15_492_648),
]


@pytest.mark.parametrize("probes", [0, 1, 4])
@pytest.mark.parametrize("cells", [1, 8, 32])
@pytest.mark.parametrize(("offset", "code", "raw", "slot", "value"), NEW_FIELDS)
def test_new_field(
    offset: int, code: str, raw: int, slot: str, value: Any, cells: int, probes: int
) -> None:
    data = status([3300] * cells, [25] * probes, (offset, code, raw))
    assert listen("ant", data).values().get(slot) == value


@pytest.mark.parametrize("count", [1, 8, 16, 17, 32])
def test_cells_and_probes_move_what_follows(count: int) -> None:
    cells = [3000 + 7 * number for number in range(count)]
    for temps in ([], [21], [21, -5, -40, 0]):
        known = listen("ant", status(cells, temps)).values()
        assert known["cell_mv"] == cells
        expected = [None if temp == -40 else temp * 10 for temp in temps]
        assert known.get("temp_dc", []) == expected


@pytest.mark.parametrize("count", [0, 1, 24, 32, 40])
def test_old_cells_are_those_the_board_counts(count: int) -> None:
    words = [(6 + 2 * number, ">H", 3200 + number) for number in range(32)]
    known = listen("ant", old_status(*words, cells=count)).values()
    assert known.get("cell_mv", []) == [3200 + number for number in range(min(count, 32))]


SETTINGS = [
    (0x000, 4150, {"cell_high_mv": 4150}),
    (0x002, 3550, {"cell_high_clear_mv": 3550}),
    (0x00C, 2100, {"cell_low_mv": 2100}),
    (0x00E, 2500, {"cell_low_clear_mv": 2500}),
    (0x004, 3800, {}),
    (0x09A, 16, {}),
]


@pytest.mark.parametrize("more", ["", "ff0b000041f2"])
@pytest.mark.parametrize(("address", "raw", "expected"), SETTINGS)
def test_one_setting(address: int, raw: int, expected: dict[str, int], more: str) -> None:
    heard = listen("ant", new(0x12, address, struct.pack("<H", raw), more=more))
    assert heard.frames[0].kind == "reply"
    assert heard.frames[0].body == struct.pack("<H", raw)
    assert heard.values() == expected


def test_names_of_board_and_software() -> None:
    texts = b"24BHA0TB110A\0\0\0\0" + b"24BHUB00-220823A"
    t = listen("ant", new(0x12, 0x26C, texts, more="ff0b000041f2")).packs[0]
    assert text_of(t, "model") == texts[:16]
    assert text_of(t, "firmware") == texts[16:]


# --- codes ---------------------------------------------------------------------------------------

OFF = ""  # off without a fault
DISCHARGE = [
    OFF, OFF, "cell_under_voltage", "discharge_over_current", "discharge_over_current",
    "pack_under_voltage", "discharge_over_temperature", "board_over_temperature",
    "current_sensor", "sense_wire", "board_over_temperature", OFF, "short_circuit",
    "discharge_fet", "vendor", OFF, "deep_under_voltage", "discharge_under_temperature",
    "cell_difference", OFF, "vendor", "vendor",
]  # fmt: skip
CHARGE = [
    OFF, OFF, "cell_voltage_high", "charge_over_current", OFF, "pack_over_voltage",
    "charge_over_temperature", "board_over_temperature", "current_sensor", "sense_wire",
    "board_over_temperature", "vendor", "charge_fet", "discharge_fet", OFF, OFF,
    "cell_over_voltage", "charge_under_temperature", "cell_difference", "vendor", OFF, "vendor",
]  # fmt: skip
BALANCE = [OFF, OFF, OFF, "balancer", OFF, OFF, OFF, OFF, OFF, OFF, "board_over_temperature", OFF]


def by_code(names: list[str]) -> list[tuple[int, str]]:
    """Each code with its fault; the last also for the highest a byte can hold."""
    return [*enumerate(names), (255, names[-1])]


@pytest.mark.parametrize("form", ["old", "new"])
@pytest.mark.parametrize(("code", "fault"), by_code(DISCHARGE))
def test_discharge_code(code: int, fault: str, form: str) -> None:
    data = old_status((104, "B", code)) if form == "old" else status([], [], (46, "B", code))
    known = listen("ant", data).values()
    assert known["faults"] == ([fault] if fault else [])
    assert known["discharge_fet"] is (code == 1)
    assert known["charge_fet"] is True


@pytest.mark.parametrize("form", ["old", "new"])
@pytest.mark.parametrize(("code", "fault"), by_code(CHARGE))
def test_charge_code(code: int, fault: str, form: str) -> None:
    data = old_status((103, "B", code)) if form == "old" else status([], [], (47, "B", code))
    known = listen("ant", data).values()
    assert known["faults"] == ([fault] if fault else [])
    assert known["charge_fet"] is (code == 1)
    assert known["discharge_fet"] is True


@pytest.mark.parametrize("form", ["old", "new"])
@pytest.mark.parametrize(("code", "fault"), by_code(BALANCE))
def test_balance_code(code: int, fault: str, form: str) -> None:
    data = old_status((105, "B", code)) if form == "old" else status([], [], (48, "B", code))
    assert listen("ant", data).values()["faults"] == ([fault] if fault else [])


def test_faults_of_both_mosfets_add_up_and_go_again() -> None:
    both = status([], [], (46, "B", 16), (47, "B", 9), (48, "B", 3))
    heard = listen("ant", both)
    assert heard.values()["faults"] == ["sense_wire", "deep_under_voltage", "balancer"]
    assert heard.feed(status([], []), now=1).values()["faults"] == []


# --- kinds ---------------------------------------------------------------------------------------

KINDS = [
    # hex, kind, is_request, is_reply, register, wanted
    ("5a5a00000000", "read", True, False, 0, -1),
    ("5a5a00000101", "read", True, False, 0, -1),
    ("dbdb00000000", "read", True, False, 0, -1),
    ("dbdb01000001", "read", True, False, 1, -1),
    ("5a5a18000018", "read", True, False, 0x18, -1),
    ("5a5a18001028", "reply", False, True, 0x18, -1),
    ("5a5a18010019", "reply", False, True, 0x18, -1),
    ("a5a5f90001fa", "write", False, False, 0xF9, -1),
    ("a5a5ff0000ff", "write", False, False, 0xFF, -1),
    ("7ea1010000be1855aa55", "read", True, False, 0, 0xBE),
    ("7ea1026c022058c4aa55", "read", True, False, 0x26C, 0x20),
    ("7ea10200003899b3aa55", "read", True, False, 0, 0x38),
    ("7ea10400000c98ecaa55", "read", True, False, 0, 0x0C),
    ("7ea1510300007925aa55", "write", False, False, 3, -1),
    ("7ea122000002420ebdecaa55", "write", False, False, 0, -1),
    # passwords, factory defaults printed in the sheet
    ("7ea1236a010c3132333435363738396162632062aa55", "service", False, False, 0x16A, -1),
    ("7ea1236a010831323334353637387090aa55", "service", False, False, 0x16A, -1),
    ("7ea1234a01083132333435363738db50aa55", "service", False, False, 0x14A, -1),
    (new(0x43, 0x16A, b"\x05\0").hex(), "ack", False, True, 0x16A, -1),
    (new(0x43, 0x14A, b"\x05\0", more="ff0500002031").hex(), "ack", False, True, 0x14A, -1),
    (new(0x42, 0, b"\x42\x0e", more="ff0a00001032").hex(), "ack", False, True, 0, -1),
    (new(0x61, 7, b"\x01\0").hex(), "ack", False, True, 7, -1),
    (new(0x14, 0, bytes(12)).hex(), "reply", False, True, 0, -1),
    (new(0x77, 5, b"\x01").hex(), "unknown", False, False, 5, -1),
    (new(0x11, 0).hex(), "unknown", False, False, 0, -1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "kind", "is_request", "is_reply", "register", "wanted"), KINDS, ids=lambda x: str(x)
)
def test_kind(
    data: str, kind: str, is_request: bool, is_reply: bool, register: int, wanted: int
) -> None:
    heard = listen("ant", data)
    (frame,) = heard.frames
    assert (frame.kind, frame.is_request, frame.is_reply) == (kind, is_request, is_reply)
    assert (frame.register, frame.wanted) == (register, wanted)
    assert frame.data.hex() == data
    assert heard.values() == {}


def test_secrets_that_pass_are_kept_nowhere() -> None:
    secret = b"12345678"
    for data in (new(0x23, 0x16A, secret), new(0x14, 0, secret + b"\x55\xaa\x55\xaa")):
        t = listen("ant", data).packs[0]
        assert not any(t.seen)
        assert not any(t.value)


@pytest.mark.parametrize("off_by", [-2, -1, 1, 2])
def test_status_whose_counts_do_not_explain_its_length_says_nothing(off_by: int) -> None:
    heard = listen("ant", status([3300] * 8, [20] * 2, (38, "<H", 2640), off_by=off_by))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert heard.values() == {}


# --- requests ------------------------------------------------------------------------------------

READS = {"7ea101", "7ea102", "5a5a00"}


def test_requests_are_valid_reads_and_nothing_else() -> None:
    rows = listener("ant").family.REQUESTS
    assert [row[0] for row in rows] == ["status", "old_status", "limits", "version"]
    for _, text, answer, period_ms in rows:
        (frame,) = listen("ant", text).frames
        assert frame.data.hex() == text
        assert (frame.kind, frame.is_request, answer) == ("read", True, "reply")
        assert text[:6] in READS
        assert period_ms >= 200  # the vendor's own application asks every 200 ms


# --- two protocols at once -----------------------------------------------------------------------


def test_old_status_beside_the_new_one_changes_nothing() -> None:
    """A board of 2021 answers both; the old one counts the voltage in 0.1 V."""
    heard = listener("ant")
    heard.feed(status([3301], [], (38, "<H", 5284), (44, "<H", 100)), now=0)
    old = old_status((4, ">H", 528), (6, ">H", 3300), cells=1)
    heard.feed(old, now=1000)
    assert [frame.kind for frame in heard.frames] == ["reply", "reply"]
    assert (heard.values()["pack_mv"], heard.values()["cell_mv"]) == (52840, [3301])
    heard.feed(old, now=5001)  # the new one has stopped
    assert (heard.values()["pack_mv"], heard.values()["cell_mv"]) == (52800, [3300])


# --- damage --------------------------------------------------------------------------------------


def wrong_values(heard: Heard, good: dict[str, Any]) -> dict[str, Any]:
    return {slot: value for slot, value in heard.values().items() if good.get(slot) != value}


@pytest.mark.parametrize("form", ["aa55", "7ea1"])
def test_one_damaged_byte_never_gives_a_wrong_value(form: str) -> None:
    noise = random.Random(form)
    frames = {entry["hex"] for entry in ENTRIES if entry["hex"].startswith(form)}
    rejected = harmless = 0
    for text in sorted(frames):
        good = listen("ant", text).values()
        for place in range(len(text) // 2):
            damaged = bytearray.fromhex(text)
            damaged[place] ^= noise.randint(1, 255)
            heard = listen("ant", bytes(damaged))
            if heard.frames:
                # only the six bytes more, which say nothing, may be damaged unnoticed
                assert len(damaged) - 8 <= place < len(damaged) - 2
                harmless += 1
            else:
                rejected += 1
            assert wrong_values(heard, good) == {}
    print(f"\nant {form}: {rejected} of {rejected + harmless} damaged frames rejected")
    longer = [text for text in frames if text[4:6] in ("12", "42") and "ff0" in text[-16:]]
    assert len(longer) == {"aa55": 0, "7ea1": 4}[form]
    assert harmless == 6 * len(longer)
    assert rejected == sum(map(len, frames)) // 2 - harmless


def test_a_damaged_frame_costs_no_other() -> None:
    good = status([3300] * 4, [20])
    damaged = bytearray(good)
    damaged[50] ^= 0x10
    heard = listen("ant", bytes(damaged), good, old_status(), bytes.fromhex(OLD_READ))
    assert [frame.kind for frame in heard.frames] == ["reply", "reply", "read"]
    assert heard.framer.numbers[DAMAGED] == 1


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_how_the_bytes_are_chunked_does_not_matter(chunk: int) -> None:
    everything = [entry["hex"] for entry in ENTRIES]
    whole = listen("ant", *everything)
    parts = listen("ant", *everything, chunk=chunk)
    assert [frame.kind for frame in parts.frames] == [frame.kind for frame in whole.frames]
    assert parts.values() == whole.values()


# --- noise ---------------------------------------------------------------------------------------


def assert_small(heard: Heard) -> None:
    """Nothing a 32-bit MicroPython would have to allocate."""
    for pack in heard.packs:
        assert all(-(1 << 30) <= value < 1 << 30 for value in pack.value)


@given(st.binary(max_size=600))
@settings(max_examples=150, deadline=None)
def test_noise_raises_nothing(data: bytes) -> None:
    assert_small(listen("ant", data))


@given(st.binary(min_size=134, max_size=134))
@settings(max_examples=100, deadline=None)
def test_any_old_status_that_holds_is_read(body: bytes) -> None:
    fields = [(4 + place, "B", byte) for place, byte in enumerate(body)]
    heard = listen("ant", old_status(*fields))
    assert [frame.kind for frame in heard.frames] == ["reply"]
    assert heard.values()["pack_mv"] == (body[0] << 8 | body[1]) * 100
    assert_small(heard)


@given(st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(max_size=178))
@settings(max_examples=150, deadline=None)
def test_any_new_frame_that_holds_is_taken(function: int, address: int, data: bytes) -> None:
    heard = listen("ant", new(function, address, data))
    assert [frame.register for frame in heard.frames] == [address]
    assert_small(heard)


# --- without allocating --------------------------------------------------------------------------


def test_decoding_allocates_nothing(micropython32: MicroPython) -> None:
    frames = [entry["hex"] for entry in ENTRIES] + [row[0] for row in KINDS]
    frames += [old_status((79, ">I", 0xFFFFFFFF), (70, ">i", -(1 << 31)), cells=32).hex()]
    frames += [status([4200] * 32, [60, -40, -1, 5], (50, "<I", 0xFFFFFFFF)).hex()]
    said = micropython32.run(LOCKED, "ant", stdin="\n".join(frames).encode())
    assert said.split() == ["frames", str(len(frames)), "bits", "31"]

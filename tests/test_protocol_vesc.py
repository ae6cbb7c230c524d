"""VESC: every published frame, every layout by length, scales and signs by a table written from
the sheet, the pack behind the controller, damage, noise, and a decoder that allocates nothing.

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
from deckwatch import config
from deckwatch.alert import ALARM, OK, WARN
from deckwatch.fields import TOO_BIG, number_at
from deckwatch.frame import BAD_CHECK, DAMAGED
from deckwatch.index import PROTOCOLS
from deckwatch.pipeline import Pipeline
from deckwatch.telemetry import INDEX
from families import Heard, entries, listen, listener
from hypothesis import given, settings
from hypothesis import strategies as st

ENTRIES = entries("vesc")
LOCKED = Path(__file__).parent / "unix" / "decode_locked.py"


# --- frames made here, byte by byte from the sheet -----------------------------------------------


def crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def packet(payload: bytes, long: bool = False) -> bytes:
    """A payload in the frame its length asks for; `long` forces the two-byte length."""
    if long or len(payload) > 255:
        head = struct.pack(">BH", 3, len(payload))
    else:
        head = struct.pack("BB", 2, len(payload))
    return head + payload + struct.pack(">HB", crc16(payload), 3)


def payload(command: int, size: int, *fields: tuple[int, str, int]) -> bytes:
    """Zeros but for the command and `fields`; offsets from the command, as in the sheet."""
    data = bytearray(size)
    data[0] = command
    for offset, code, raw in fields:
        struct.pack_into(code, data, offset, raw)
    return bytes(data)


def bms(
    cells: list[int],
    temps: list[int] | None = None,
    *tail: tuple[int, str, int],
    size: int = 31,
    balance: tuple[int, ...] = (),
    head: tuple[tuple[int, str, int], ...] = ((1, ">i", 40_000_000), (13, ">i", 250_000)),
) -> bytes:
    """An answer to 96. Offsets of `tail` count from the IC's temperature, field 12; `size` is that
    of the tail: 12 up to state of health, 13 with the CAN id, 31 up to the pressure."""
    temps = [] if temps is None else temps
    data = payload(96, 25, *head) + struct.pack(f">B{len(cells)}h", len(cells), *cells)
    data += bytes(cell + 1 in balance for cell in range(len(cells)))
    data += struct.pack(f">B{len(temps)}h", len(temps), *temps)
    return data + payload(0, size, *tail)


def can(command: int, data: bytes, sender: int = 10) -> bytes:
    """A BMS frame the controller passes on from its CAN bus."""
    return packet(bytes([113, sender, command]) + data)


def can_cells(cells: list[int], command: int = 41, sender: int = 10) -> list[bytes]:
    """A whole set, three values a frame."""
    return [
        can(
            command,
            struct.pack(f">BB{len(cells[at : at + 3])}h", at, len(cells), *cells[at : at + 3]),
            sender,
        )
        for at in range(0, len(cells), 3)
    ]


# --- published frames ----------------------------------------------------------------------------


def test_family_is_in_the_index() -> None:
    assert "vesc" in PROTOCOLS


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["meaning"][:40])
def test_every_published_frame_decodes_or_is_rejected(entry: dict[str, Any]) -> None:
    heard = listen("vesc", entry["hex"])
    if entry.get("must") == "reject":
        assert heard.frames == []
        assert heard.values() == {}
        assert heard.framer.numbers[BAD_CHECK] > 0
        return
    assert [frame.data.hex() for frame in heard.frames] == [entry["hex"]]
    known = heard.values()
    assert {slot: known.get(slot) for slot in entry["expect"]} == entry["expect"]


def test_all_published_frames_are_counted() -> None:
    kinds: Counter[str] = Counter()
    values = 0
    for entry in ENTRIES:
        heard = listen("vesc", entry["hex"])
        kinds[heard.frames[0].kind if heard.frames else "rejected"] += 1
        values += len(entry["expect"] or {})
    print(f"\nvesc: {len(ENTRIES)} frames, {values} expected values")
    for kind, count in sorted(kinds.items()):
        print(f"  {kind:8} {count}")
    assert kinds == {"reply": 15, "read": 3, "write": 1, "unknown": 1, "rejected": 1}
    assert values == 33


def test_what_else_the_published_bms_frames_say() -> None:
    checked = 0
    for entry in ENTRIES:
        if entry["family"] != "vesc_bms_values":
            continue
        decoded = entry["decoded"]
        known = listen("vesc", entry["hex"]).values()
        assert known["board_temp_dc"] == (round(decoded["temp_ic"] * 100) + 5) // 10
        probes = [None if dc in (0, 99) else round(dc * 10) for dc in decoded["temps"][:8]]
        assert known["temp_dc"] == probes
        on = [cell + 1 for cell, flag in enumerate(decoded["balancing"]) if flag]
        assert known["balance"] == on
        # all 0 in this pack: nobody measures them
        for slot in ("soc_pct", "health_pct", "humidity_pct", "total_charge_mah"):
            assert slot not in known
        checked += 1
    assert checked == 7


def test_what_else_the_published_controller_frames_say() -> None:
    checked = 0
    for entry in ENTRIES:
        decoded = entry["decoded"]
        if "fault" not in decoded or entry.get("must"):
            continue
        known = listen("vesc", entry["hex"]).values()
        assert known["error_code"] == decoded["fault"]
        assert known["supply_mv"] == known["pack_mv"]
        assert known["supply_ma"] == known["current_ma"]
        assert "motor_temp_dc" not in known  # 0 in all of them: no sensor
        if "motor_current_a" in decoded:
            assert known["motor_ma"] == round(decoded["motor_current_a"] * 1000)
            assert known["controller_temp_dc"] in (269, 246)
        checked += 1
    assert checked == 6


def test_version_is_kept_and_the_identity_behind_it_is_not() -> None:
    identity = bytes(range(1, 13))
    t = listen("vesc", packet(b"\x00\x06\x05VESC Express T\x00" + identity + bytes(8))).packs[0]
    assert text_of(t, "firmware") == b"6.05"
    assert text_of(t, "model") == b"VESC Express T"
    assert not any(byte in identity for byte in text_of(t, "model"))
    assert text_of(t, "serial") == b""


@pytest.mark.parametrize(
    ("answer", "firmware", "model"),
    [
        (b"\x00\x03\x40", b"3.64", b""),
        (b"\x00\x07\x01410\x00", b"7.01", b"410"),
        (b"\x00\x05\x03\x00" + b"secret", b"5.03", b""),
        (b"\x00\x06\x06never ends", b"6.06", b""),
        (b"\x00\x0a\x00A\x00", b"", b"A"),
        (b"\x00\x01\x64A\x00", b"", b"A"),
    ],
)
def test_version(answer: bytes, firmware: bytes, model: bytes) -> None:
    heard = listen("vesc", packet(answer))
    assert [frame.kind for frame in heard.frames] == ["reply"]
    t = heard.packs[0]
    assert text_of(t, "firmware") == firmware
    assert text_of(t, "model") == model


# --- scales and signs, written by hand from the sheet --------------------------------------------

VALUES = [
    # offset in the whole answer, code, raw, slot, value
    (1, ">h", 269, "controller_temp_dc", 269),
    (1, ">h", -55, "controller_temp_dc", -55),
    (3, ">h", 881, "motor_temp_dc", 881),
    (3, ">h", 0, "motor_temp_dc", None),
    (3, ">h", -909, "motor_temp_dc", None),
    (3, ">h", -400, "motor_temp_dc", -400),
    (3, ">h", 3000, "motor_temp_dc", 3000),
    (3, ">h", 3001, "motor_temp_dc", None),
    (5, ">i", 92, "motor_ma", 920),
    (5, ">i", -4510, "motor_ma", -45100),
    (9, ">i", 12, "current_ma", -120),
    (9, ">i", -733, "current_ma", 7330),
    (9, ">i", 12, "supply_ma", -120),
    (27, ">h", 373, "pack_mv", 37300),
    (27, ">h", 1511, "supply_mv", 151100),
    (27, ">h", 0, "pack_mv", None),
    (27, ">h", 0, "supply_mv", None),
    (53, "B", 33, "error_code", 33),
]


@pytest.mark.parametrize("size", [59, 65, 73, 74, 90])
@pytest.mark.parametrize(("offset", "code", "raw", "slot", "value"), VALUES)
def test_field_of_values_in_every_length(
    offset: int, code: str, raw: int, slot: str, value: int | None, size: int
) -> None:
    heard = listen("vesc", packet(payload(4, size, (offset, code, raw))))
    assert [frame.kind for frame in heard.frames] == ["reply"]
    assert heard.values().get(slot) == value


OLD_VALUES = [
    (1, ">h", 246, "controller_temp_dc", 246),
    (15, ">i", 23, "motor_ma", 230),
    (19, ">i", 6, "current_ma", -60),
    (19, ">i", -6, "supply_ma", 60),
    (29, ">h", 238, "pack_mv", 23800),
    (29, ">h", 238, "supply_mv", 23800),
    (55, "B", 6, "error_code", 6),
]


@pytest.mark.parametrize(("offset", "code", "raw", "slot", "value"), OLD_VALUES)
def test_field_of_old_values(offset: int, code: str, raw: int, slot: str, value: int) -> None:
    known = listen("vesc", packet(payload(4, 56, (offset, code, raw)))).values()
    assert known[slot] == value
    assert "motor_temp_dc" not in known


SETUP = [
    (1, ">h", 301, "controller_temp_dc", 301),
    (3, ">h", 455, "motor_temp_dc", 455),
    (3, ">h", 0, "motor_temp_dc", None),
    (5, ">i", 1234, "motor_ma", 12340),
    (9, ">i", 2500, "current_ma", -25000),
    (9, ">i", 2500, "supply_ma", -25000),
    (19, ">i", 6944, "speed_mh", 24998),
    (19, ">i", -1000, "speed_mh", -3600),
    (23, ">h", 412, "pack_mv", 41200),
    (23, ">h", 412, "supply_mv", 41200),
    (25, ">h", 754, "soc_pct", 75),
    (25, ">h", 755, "soc_pct", 76),
    (25, ">h", 1000, "controller_soc_pct", 100),
    (55, "B", 5, "error_code", 5),
    (57, "B", 2, "controllers", 2),
]


@pytest.mark.parametrize("size", [62, 66, 70, 80])
@pytest.mark.parametrize(("offset", "code", "raw", "slot", "value"), SETUP)
def test_field_of_setup_values(
    offset: int, code: str, raw: int, slot: str, value: int | None, size: int
) -> None:
    heard = listen("vesc", packet(payload(47, size, (offset, code, raw))))
    assert [frame.kind for frame in heard.frames] == ["reply"]
    assert heard.values().get(slot) == value


def test_odometer_came_with_newer_firmware() -> None:
    fields = (62, ">I", 1_234_567)
    assert listen("vesc", packet(payload(47, 66, fields))).values()["odometer_m"] == 1_234_567
    assert "odometer_m" not in listen("vesc", packet(payload(47, 62))).values()


# What each mask bit is: sheet 4.1 and 4.3, written again.
VALUES_BITS = "hhiiiihihiiiiiiBiBtiiB"
SETUP_BITS = "hhiihiihhiiiiiiiBBBiII"
SIZES = {"B": 1, "h": 2, "i": 4, "I": 4, "t": 6}  # t: three temperatures


@pytest.mark.parametrize(
    ("whole", "selective", "bits", "table"),
    [(4, 50, VALUES_BITS, VALUES), (47, 51, SETUP_BITS, SETUP)],
    ids=["values", "setup"],
)
@pytest.mark.parametrize("others", [0, 1, 2, 3])
def test_field_in_an_answer_by_mask(
    whole: int, selective: int, bits: str, table: list[Any], others: int
) -> None:
    """Each field alone, and with every second or each other field around it."""
    offsets = [1 + sum(SIZES[bit] for bit in bits[:number]) for number in range(len(bits))]
    for offset, code, raw, slot, value in table:
        bit = offsets.index(offset)
        mask = (0, 0x155555, 0x2AAAAA, 0x3FFFFF)[others] | 1 << bit
        data = struct.pack(">BI", selective, mask)
        for number, form in enumerate(bits):
            if number == bit:
                data += struct.pack(code, raw)
            elif mask >> number & 1:
                data += bytes(SIZES[form])
        heard = listen("vesc", packet(data))
        assert heard.values().get(slot) == value, (slot, hex(mask))
        assert heard.frames[0].register == selective
        answer = listen("vesc", packet(payload(whole, 74, (offset, code, raw))))
        assert answer.values().get(slot) == value, slot


def test_bits_nobody_knows_stand_behind_those_that_are_known() -> None:
    data = struct.pack(">BIhB", 50, 0x80008100, 373, 4) + bytes(9)
    known = listen("vesc", packet(data)).values()
    assert known == {"pack_mv": 37300, "supply_mv": 37300, "error_code": 4}


def test_answer_by_mask_that_is_cut_gives_what_is_whole() -> None:
    data = struct.pack(">BIhh", 50, 0x00000103, 269, 881) + b"\x01"
    assert listen("vesc", packet(data)).values() == {
        "controller_temp_dc": 269,
        "motor_temp_dc": 881,
    }


# --- the pack behind the controller --------------------------------------------------------------

BMS_HEAD = [
    (((1, ">i", 83_607_992),), "pack_mv", 83608),
    (((1, ">i", 0),), "pack_mv", None),
    (((13, ">i", 145_312),), "current_ma", -145),
    (((13, ">i", 137_500),), "current_ma", -138),
    (((13, ">i", -5_250_000),), "current_ma", 5250),
    (((9, ">i", 2_000_000),), "current_ma", -2000),
    (((9, ">i", -1_000_000), (13, ">i", 3_000_000)), "current_ma", -3000),
    ((), "current_ma", 0),
]


@pytest.mark.parametrize(("head", "slot", "value"), BMS_HEAD)
def test_bms_field_before_the_cells(head: Any, slot: str, value: int | None) -> None:
    heard = listen("vesc", packet(bms([3700, 3800], head=head)))
    assert heard.values().get(slot) == value


def test_a_bms_current_counts_as_one_sample() -> None:
    """Guardrails ask for samples that agree, and a frame is one."""
    head = ((9, ">i", -1_000_000), (13, ">i", 3_000_000))
    t = listen("vesc", packet(bms([3700], head=head))).packs[0]
    assert t.count[INDEX["current_ma"]] == 1


BMS_TAIL = [
    (0, ">h", 4432, "board_temp_dc", 443),
    (0, ">h", -1005, "board_temp_dc", -101),
    (0, ">h", 0, "board_temp_dc", None),
    (2, ">h", 2100, "humidity_pct", None),  # the humidity sensor's own temperature
    (4, ">h", 4650, "humidity_pct", 47),
    (4, ">h", 0, "humidity_pct", None),
    (6, ">h", 3000, "board_temp_dc", None),  # hottest cell: no place, the probes tell it
    (8, ">h", 874, "soc_pct", 87),
    (8, ">h", 1000, "soc_pct", 100),
    (10, ">h", 985, "health_pct", 99),
    (10, ">h", 0, "health_pct", None),
]


@pytest.mark.parametrize("size", [12, 13, 31, 40])
@pytest.mark.parametrize("temps", [0, 3, 24])
@pytest.mark.parametrize("cells", [1, 20, 50])
@pytest.mark.parametrize(("offset", "code", "raw", "slot", "value"), BMS_TAIL)
def test_bms_field_behind_cells_and_probes(
    offset: int,
    code: str,
    raw: int,
    slot: str,
    value: int | None,
    cells: int,
    temps: int,
    size: int,
) -> None:
    data = packet(bms([3700] * cells, [2500] * temps, (offset, code, raw), size=size))
    assert listen("vesc", data).values().get(slot) == value


@pytest.mark.parametrize(
    ("amp_hours", "mah"),
    [
        (0.0, None),
        (1.0, 1000),
        (123.4567, 123457),
        (0.0004, None),
        (0.0006, 1),
        (500000.0, 500_000_000),
        (2000000.0, None),
    ],
)
def test_lifetime_charge_is_a_float_on_the_wire(amp_hours: float, mah: int | None) -> None:
    (bits,) = struct.unpack(">I", struct.pack(">f", amp_hours))
    known = listen("vesc", packet(bms([3700], [], (13, ">I", bits)))).values()
    assert known.get("total_charge_mah") == mah


@given(st.floats(-1_000_000, 1_000_000, width=32))
@settings(max_examples=300, deadline=None)
def test_float_in_thousandths_is_what_the_host_makes_of_it(value: float) -> None:
    got = number_at(struct.pack(">f", value), 0, 10)
    assert abs(got - value * 1000) <= 0.5 + abs(value) * 1000 * 3 / (1 << 23)


@pytest.mark.parametrize("bits", [0x7F800000, 0xFF800000, 0x7FC00000, 0x4A000001 + (1 << 23)])
def test_float_too_large_for_30_bits_is_left_out(bits: int) -> None:
    assert number_at(struct.pack(">I", bits), 0, 10) == TOO_BIG


@pytest.mark.parametrize("count", [1, 2, 16, 17, 20, 32, 33, 50])
def test_bms_cells_and_balance(count: int) -> None:
    cells = [3001 + 9 * number for number in range(count)]
    on = tuple(cell for cell in (1, 2, 16, 17, 31, 32, 33, 50) if cell <= count)
    heard = listen("vesc", packet(bms(cells, balance=on)))
    assert heard.frames[0].framing == 0
    assert heard.values()["cell_mv"] == cells[:32]
    assert heard.values()["balance"] == [cell for cell in on if cell <= 32]


def test_the_longest_bms_answer_needs_the_long_frame() -> None:
    data = packet(bms([4000 + cell for cell in range(50)], [2000 + n for n in range(50)], size=72))
    assert data[0] == 3
    assert len(data) > 300
    heard = listen("vesc", data)
    assert heard.frames[0].framing == 1
    assert heard.values()["cell_mv"] == [4000 + cell for cell in range(32)]
    assert heard.values()["temp_dc"] == [200, 200, 200, 200, 200, 201, 201, 201]


def test_bms_probes_that_are_not_there() -> None:
    temps = [2800, 0, 9900, -1234, 9899, 1]
    known = listen("vesc", packet(bms([3700], temps))).values()
    assert known["temp_dc"] == [280, None, None, -123, 990, 0]


def test_answer_without_cells_is_from_no_bms() -> None:
    heard = listen("vesc", packet(bms([], head=((1, ">i", 0),))))
    assert [frame.kind for frame in heard.frames] == ["reply"]
    assert heard.values() == {}


@pytest.mark.parametrize(
    ("lowest", "soc", "shown"), [(3501, 0, None), (3500, 0, 0), (3000, 0, 0), (4100, 5, 1)]
)
def test_state_of_charge_nobody_knows_is_hidden(lowest: int, soc: int, shown: int | None) -> None:
    heard = listen("vesc", packet(bms([4000, lowest, 4000], [], (8, ">h", soc))))
    assert heard.values().get("soc_pct") == shown


@pytest.mark.parametrize("cut", [1, 12, 13, 20, 21, 22, 33, 34, 57])
def test_bms_answer_shorter_than_its_counts_says_nothing(cut: int) -> None:
    data = bms([3700] * 4, [2500] * 4, size=12)
    heard = listen("vesc", packet(data[: len(data) - cut]))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert heard.values() == {}


# --- BMS frames passed on from the CAN bus -------------------------------------------------------


def test_can_set_of_cells_is_taken_whole() -> None:
    cells = [4000 + cell for cell in range(20)]
    heard = listener("vesc")
    parts = can_cells(cells)
    for number, part in enumerate(parts):
        assert "cell_mv" not in heard.values()
        heard.feed(part, now=10 * number)
    assert [frame.kind for frame in heard.frames] == ["bms_can"] * 7
    assert not any(frame.is_reply or frame.is_request for frame in heard.frames)
    assert heard.values() == {"cell_mv": cells}
    assert heard.packs[0].cell_frames == 1


@pytest.mark.parametrize("lost", range(7))
def test_can_set_with_a_hole_is_not_taken(lost: int) -> None:
    parts = can_cells([4000] * 20)
    del parts[lost]
    heard = listen("vesc", *parts)
    assert heard.values() == {}
    heard.feed(b"".join(can_cells([3900] * 20)))
    assert heard.values() == {"cell_mv": [3900] * 20}


def test_can_set_with_a_part_twice_is_not_taken() -> None:
    parts = can_cells([4000 + cell for cell in range(6)])
    assert listen("vesc", parts[0], parts[0]).values() == {}
    assert listen("vesc", parts[0], *can_cells([4100] * 12)[1:3]).values() == {}
    first, second, third = can_cells([4000 + cell for cell in range(9)])
    assert listen("vesc", first, second, second, third).values() == {}
    assert listen("vesc", first, third, second).values() == {}


def test_can_set_that_does_not_end_where_it_says() -> None:
    too_many = can(41, struct.pack(">BBhhh", 0, 2, 4000, 4001, 4002))
    assert listen("vesc", too_many).values() == {}
    heard = listen("vesc", *can_cells([4000] * 6), can(41, b"\x06\x06"))
    assert heard.packs[0].cell_frames == 1


def test_can_set_is_of_one_moment() -> None:
    first, second = can_cells([4000] * 6)
    heard = listener("vesc").feed(first, now=0).feed(second, now=501)
    assert heard.values() == {}
    heard.feed(first, now=1000).feed(second, now=1500)
    assert heard.values() == {"cell_mv": [4000] * 6}


def test_can_set_of_more_cells_than_are_kept() -> None:
    cells = [3000 + cell for cell in range(50)]
    assert listen("vesc", *can_cells(cells)).values() == {"cell_mv": cells[:32]}


def test_can_set_of_nothing() -> None:
    assert listen("vesc", can(41, b"\0\0"), can(43, b"\0\0"), can(41, b"\0")).values() == {}


def test_can_probes() -> None:
    heard = listen("vesc", *can_cells([2749, 9900, 0, -512], command=43))
    assert heard.values() == {"temp_dc": [275, None, None, -51]}


FLOAT_84 = struct.pack(">f", 84.25)
NOTHING = bytes(4)

CAN = [
    (38, FLOAT_84 + NOTHING, {"pack_mv": 84250}),
    (38, bytes(8), {}),
    (39, NOTHING + struct.pack(">f", 12.5), {"current_ma": -12500}),
    (39, struct.pack(">f", -3.25) + NOTHING, {"current_ma": 3250}),
    (39, struct.pack(">ff", 1.0, -0.5), {"current_ma": 500}),
    (39, bytes(8), {"current_ma": 0}),
    (39, bytes(7), {}),
    (40, FLOAT_84 + FLOAT_84, {}),
    (42, bytes.fromhex("1400000000080001"), {"balance": [1, 20]}),
    (42, bytes.fromhex("3800000080010000"), {"balance": [17, 32]}),
    (44, struct.pack(">hhh", 2100, 5550, 3845), {"humidity_pct": 56, "board_temp_dc": 385}),
    (44, struct.pack(">hhhh", 0, 0, 0, 10132), {}),
    (
        45,
        struct.pack(">hhBBbB", 3900, 3950, 255, 255, 25, 1),
        {"soc_pct": 100, "health_pct": 100, "charging_flag": True},
    ),
    (
        45,
        struct.pack(">hhBBbB", 3300, 3950, 127, 0, -5, 0xFE),
        {"soc_pct": 50, "charging_flag": False},
    ),
    (45, struct.pack(">hhBBbB", 3501, 3950, 0, 0, 0, 0), {"charging_flag": False}),
    (
        45,
        struct.pack(">hhBBbB", 3500, 3950, 0, 0, 0, 0),
        {"soc_pct": 0, "charging_flag": False},
    ),
    (45, struct.pack(">hhBBb", 3900, 3950, 51, 255, 25), {}),
    (53, FLOAT_84 + FLOAT_84, {}),
    (9, bytes(8), {}),
    (38, b"", {}),
]


@pytest.mark.parametrize(("command", "data", "expected"), CAN)
def test_can_frame(command: int, data: bytes, expected: dict[str, Any]) -> None:
    heard = listen("vesc", can(command, data))
    assert [frame.kind for frame in heard.frames] == ["bms_can"]
    assert heard.values() == expected


@pytest.mark.parametrize("size", [1, 2, 12])
def test_passed_on_frame_of_a_length_can_has_not(size: int) -> None:
    heard = listen("vesc", packet(bytes([113, 10, 38] + [66] * 9)[:size]))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert heard.values() == {}


def test_a_second_bms_on_the_bus_is_kept_apart() -> None:
    heard = listen("vesc", can(38, FLOAT_84 + NOTHING, sender=10))
    heard.feed(can(38, struct.pack(">ff", 60.0, 0.0), sender=11))
    heard.feed(b"".join(can_cells([3333] * 6, sender=11)))
    assert heard.values() == {"pack_mv": 84250}
    assert heard.frames[-1].kind == "bms_can"


# --- who speaks for the pack ---------------------------------------------------------------------

ASKED = packet(payload(4, 74, (9, ">i", 1200), (27, ">h", 840)))
ASKED_OLD = packet(payload(4, 56, (19, ">i", 1200), (29, ">h", 840)))
ASKED_SETUP = packet(payload(47, 70, (9, ">i", 1200), (23, ">h", 840), (25, ">h", 500)))


@pytest.mark.parametrize("answer", [ASKED, ASKED_OLD, ASKED_SETUP], ids=["now", "old", "setup"])
def test_beside_a_bms_the_controller_speaks_for_itself(answer: bytes) -> None:
    heard = listener("vesc").feed(packet(bms([4190] * 20, head=((1, ">i", 83_774_000),))), now=0)
    heard.feed(answer, now=5000)
    known = heard.values()
    assert (known["pack_mv"], known["current_ma"]) == (83774, 0)
    assert (known["supply_mv"], known["supply_ma"]) == (84000, -12000)
    assert "soc_pct" not in known
    heard.feed(answer, now=5001)  # the BMS has been silent for longer than its values hold
    known = heard.values()
    assert (known["pack_mv"], known["current_ma"]) == (84000, -12000)


def test_one_of_several_controllers_does_not_speak_for_the_pack() -> None:
    """Each knows its own current; their sum is in the setup values."""
    both = packet(payload(47, 70, (9, ">i", 2400), (23, ">h", 840), (57, "B", 2)))
    heard = listener("vesc").feed(both, now=0).feed(ASKED, now=5000)
    known = heard.values()
    assert (known["current_ma"], known["supply_ma"]) == (-24000, -12000)
    heard.feed(ASKED, now=5001)  # nobody sums any more: better one than none
    assert heard.values()["current_ma"] == -12000


def test_a_single_controller_that_sums_alone_speaks_for_the_pack() -> None:
    one = packet(payload(47, 70, (9, ">i", 2400), (23, ">h", 840), (57, "B", 1)))
    heard = listener("vesc").feed(one, now=0).feed(ASKED, now=100)
    assert heard.values()["current_ma"] == -12000


# --- kinds ---------------------------------------------------------------------------------------

KINDS = [
    # hex, kind, is_request, is_reply, register
    ("020100000003", "read", True, False, 0),
    ("020104408403", "read", True, False, 4),
    ("020532000001007b5c03", "read", True, False, 50),
    ("0205320000810ca14803", "read", True, False, 50),
    ("02012fd58d03", "read", True, False, 47),
    ("0201606ca603", "read", True, False, 96),
    ("02013ed79d03", "read", True, False, 62),
    ("02032254002add03", "read", True, False, 34),
    ("0203220a606bcb03", "read", True, False, 34),
    (packet(bytes([51, 0, 0, 1, 0])).hex(), "read", True, False, 51),
    (packet(bytes([34, 10, 50, 0, 0, 1, 0])).hex(), "read", True, False, 34),
    ("0207220108000004d26e6303", "write", False, False, 34),
    (packet(bytes([34, 10])).hex(), "write", False, False, 34),
    (packet(bytes([34])).hex(), "write", False, False, 34),
    (packet(bytes([30])).hex(), "write", False, False, 30),
    (packet(bytes([8, 0, 0, 4, 210])).hex(), "write", False, False, 8),
    (packet(bytes([126])).hex(), "write", False, False, 126),
    (packet(bytes([62, 84, 10])).hex(), "reply", False, True, 62),
    (packet(bytes([4, 0, 0])).hex(), "unknown", False, False, 4),
    (packet(payload(4, 57)).hex(), "unknown", False, False, 4),
    (packet(payload(47, 61)).hex(), "unknown", False, False, 47),
    (packet(bytes([0, 6])).hex(), "unknown", False, False, 0),
    (packet(bytes([50, 0, 0])).hex(), "unknown", False, False, 50),
    (packet(bytes([51])).hex(), "unknown", False, False, 51),
    (packet(bytes([128, 0, 1])).hex(), "unknown", False, False, 128),
    ("0203de0400b25103", "unknown", False, False, 222),
]


@pytest.mark.parametrize(
    ("data", "kind", "is_request", "is_reply", "register"), KINDS, ids=lambda x: str(x)[:30]
)
def test_kind(data: str, kind: str, is_request: bool, is_reply: bool, register: int) -> None:
    heard = listen("vesc", data)
    (frame,) = heard.frames
    assert (frame.kind, frame.is_request, frame.is_reply) == (kind, is_request, is_reply)
    assert frame.register == register
    assert frame.data.hex() == data
    assert heard.values() == {}


WRITES = {*range(1, 4), *range(5, 14), 16, 20, *range(24, 31), 35, *range(97, 102), 126, 136}


@pytest.mark.parametrize("command", range(256))
def test_command_alone_is_a_read_a_write_or_unknown(command: int) -> None:
    """The sheet's allow-list, and what it calls dangerous."""
    (frame,) = listen("vesc", packet(bytes([command]))).frames
    kind = "read" if command in (0, 4, 47, 62, 96) else "unknown"
    kind = "write" if command in WRITES or command == 34 else kind
    assert frame.kind == kind
    assert frame.is_request is (kind == "read")
    (frame,) = listen("vesc", packet(bytes([34, 10, command]))).frames
    assert frame.kind == ("read" if kind == "read" else "write")


def test_requests_are_valid_reads_of_the_allow_list() -> None:
    rows = listener("vesc").family.REQUESTS
    assert [row[0] for row in rows] == ["values", "setup", "bms", "version"]
    for _, text, answer, _ in rows:
        (frame,) = listen("vesc", text).frames
        assert frame.data.hex() == text
        assert (frame.kind, frame.is_request, answer) == ("read", True, "reply")
        assert frame.body in (b"\x04", b"\x2f", b"\x60", b"\x00")
    assert rows[0][3] <= 250  # a fault is held half a second by default


# --- framing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "long", "holds"),
    [
        (1, False, True),
        (255, False, True),
        (255, True, True),
        (254, True, False),  # the firmware refuses this form too
        (256, True, True),
        (512, True, True),
        (513, True, False),
    ],
)
def test_length_of_a_payload(size: int, long: bool, holds: bool) -> None:
    heard = listen("vesc", packet(payload(200, size), long))
    assert [len(frame.body) for frame in heard.frames] == ([size] if holds else [])


def test_a_frame_with_frames_in_it_is_one() -> None:
    inner = bytes.fromhex("020104408403")
    heard = listen("vesc", packet(b"\xc8" + inner + inner))
    assert [frame.register for frame in heard.frames] == [200]


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_how_the_bytes_are_chunked_does_not_matter(chunk: int) -> None:
    everything = [entry["hex"] for entry in ENTRIES if not entry.get("must")]
    whole = listen("vesc", *everything)
    parts = listen("vesc", *everything, chunk=chunk)
    assert [frame.kind for frame in parts.frames] == [frame.kind for frame in whole.frames]
    assert parts.values() == whole.values()


# --- faults --------------------------------------------------------------------------------------


def test_every_fault_has_a_name_and_alarms_are_among_them() -> None:
    family = listener("vesc").family
    assert len(family.FAULT_NAMES) == 34
    assert len(set(family.FAULT_NAMES)) == 34
    named = {0: "none", 2: "under-voltage", 5: "MOSFETs too hot", 18: "unbalanced currents"}
    for code, name in named.items():
        assert family.FAULT_NAMES[code] == name
    assert list(family.ALARMING_ERRORS) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("family", "code", "level"),
    [
        ("vesc", 0, OK),
        ("vesc", 2, ALARM),  # under-voltage
        ("vesc", 10, WARN),  # restarted by the watchdog
        ("vesc", 21, WARN),  # a resolver
        ("m365", 2, WARN),
        ("m365", 21, ALARM),  # the battery line is lost
    ],
)
def test_a_code_has_the_level_it_has_in_its_family(family: str, code: int, level: int) -> None:
    core = Pipeline(config.load({"profile": family}), None, strict=True)
    pack = core.packs[0]
    pack.telemetry.begin(0)
    pack.telemetry.set(INDEX["error_code"], code)
    for meter in pack.meters:
        meter.update(pack.telemetry, 0)
    assert pack.telemetry.value[INDEX["error_level"]] == level
    assert pack.telemetry.where[INDEX["error_level"]] == code


# --- damage --------------------------------------------------------------------------------------


def test_one_damaged_byte_never_gives_a_wrong_value() -> None:
    noise = random.Random("vesc")
    rejected = 0
    frames = {entry["hex"] for entry in ENTRIES if not entry.get("must")}
    for text in sorted(frames):
        for place in range(len(text) // 2):
            damaged = bytearray.fromhex(text)
            damaged[place] ^= noise.randint(1, 255)
            heard = listen("vesc", bytes(damaged))
            assert heard.frames == []
            assert heard.values() == {}
            rejected += 1
    print(f"\nvesc: {rejected} of {rejected} damaged frames rejected")
    assert rejected == sum(map(len, frames)) // 2


def test_a_damaged_frame_costs_no_other() -> None:
    damaged = bytearray(ASKED)
    damaged[20] ^= 0x04
    heard = listen("vesc", bytes(damaged), ASKED_SETUP, packet(bms([3700])), bytes([2, 1, 4]))
    assert [frame.register for frame in heard.frames] == [47, 96]
    assert heard.framer.numbers[DAMAGED] == 2


# --- noise ---------------------------------------------------------------------------------------


def assert_small(heard: Heard) -> None:
    """Nothing a 32-bit MicroPython would have to allocate."""
    for pack in heard.packs:
        assert all(-(1 << 30) <= value < 1 << 30 for value in pack.value)


@given(st.binary(max_size=900))
@settings(max_examples=150, deadline=None)
def test_noise_raises_nothing(data: bytes) -> None:
    assert_small(listen("vesc", data))


COMMANDS = st.sampled_from([0, 4, 34, 47, 50, 51, 62, 96, 113]) | st.integers(0, 255)


@given(st.lists(st.tuples(COMMANDS, st.binary(max_size=511)), max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_frame_that_holds_is_taken(payloads: list[tuple[int, bytes]]) -> None:
    heard = listen("vesc", *[packet(bytes([command]) + data) for command, data in payloads])
    assert [frame.register for frame in heard.frames] == [command for command, _ in payloads]
    assert_small(heard)


@given(st.lists(st.tuples(st.integers(36, 46), st.binary(max_size=8)), max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_can_frame_that_holds_is_taken(frames: list[tuple[int, bytes]]) -> None:
    heard = listen("vesc", *[can(command, data) for command, data in frames])
    assert [frame.kind for frame in heard.frames] == ["bms_can"] * len(frames)
    assert_small(heard)


# --- without allocating --------------------------------------------------------------------------


def test_decoding_allocates_nothing(micropython32: MicroPython) -> None:
    frames = [bytes.fromhex(entry["hex"]) for entry in ENTRIES if not entry.get("must")]
    frames += [bytes.fromhex(row[0]) for row in KINDS]
    frames += [can(command, data) for command, data, _ in CAN]
    frames += can_cells([4000] * 20) + can_cells([2500] * 5, command=43)
    frames += [packet(bms([4200] * 50, [2500] * 50, (13, ">I", 0x7F7FFFFF), size=72))]
    frames += [ASKED, ASKED_OLD, ASKED_SETUP]
    frames += [packet(payload(4, 74, (5, ">i", -(1 << 31)), (9, ">i", (1 << 31) - 1)))]
    said = micropython32.run(LOCKED, "vesc", stdin="\n".join(map(bytes.hex, frames)).encode())
    assert said.split() == ["frames", str(len(frames)), "bits", "31"]

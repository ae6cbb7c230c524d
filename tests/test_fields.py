"""Rows to telemetry: every code, every kind of row, and any stretch of an address space.

Rows are made up here; expected values are worked out by hand.
"""

import struct
from random import Random
from typing import Any

import pytest
from bench_rows import text_of
from deckwatch import fields
from deckwatch.faults import FAULTS, WORD_BITS
from deckwatch.fields import TOO_BIG, TURNED, number_at
from deckwatch.rows import compiled
from deckwatch.telemetry import INDEX, NO_PROBE, SLOTS, Telemetry

CODES = ("B", "b", "<H", "<h", ">H", ">h", "<I", "<i", ">I", ">i")
LIMIT = (1 << 30) - 1

Row = tuple[Any, ...]


def fresh() -> Telemetry:
    t = Telemetry()
    t.begin(7)
    return t


def read(rows: tuple[Row, ...], data: bytes, start: int = 0) -> Telemetry:
    """Rows read from `data`, which holds the addresses from `start` on."""
    t = fresh()
    fields.read(compiled(rows), b"\xee" * 3 + data + b"\xee" * 3, 3, start, len(data), t)
    return t


def one(row: Row, text: str) -> int | None:
    """Value of the one numeric slot a row sets; None when it leaves it alone."""
    t = read((row,), bytes.fromhex(text), row[0])
    slot = INDEX[row[2]]
    return t.value[slot] if t.seen[slot] else None


def names(t: Telemetry) -> list[str]:
    low, high = t.value[INDEX["faults_a"]], t.value[INDEX["faults_b"]]
    return [
        name
        for number, name in enumerate(FAULTS)
        if (low >> number if number < WORD_BITS else high >> number - WORD_BITS) & 1
    ]


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_numbers_of_every_code(code: str) -> None:
    bits = 8 * struct.calcsize(code)
    signed = code[-1].islower()
    low, high = (-1 << bits - 1, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    for value in (low, low + 1, -1, 0, 1, 0x55, 0x1234, 0x123456, high - 1, high):
        if low <= value <= high:
            packed = b"\xcc" + struct.pack(code, value)
            wanted = value if -LIMIT <= value <= LIMIT else TOO_BIG
            assert number_at(packed, 1, CODES.index(code)) == wanted, value


@pytest.mark.parametrize("code", ["<I", "<i", ">I", ">i"])
def test_30_bits_and_a_sign_are_read_of_32(code: str) -> None:
    number = CODES.index(code)
    assert number_at(struct.pack(code, LIMIT), 0, number) == LIMIT
    assert number_at(struct.pack(code, LIMIT + 1), 0, number) == TOO_BIG
    if code[1] == "i":
        assert number_at(struct.pack(code, -LIMIT), 0, number) == -LIMIT
        assert number_at(struct.pack(code, -LIMIT - 1), 0, number) == TOO_BIG


@pytest.mark.parametrize(
    ("single", "thousandths"),
    [
        (0.0, 0),
        (1.0, 1000),
        (-2.5, -2500),
        (36.125, 36125),
        (0.0006, 1),
        (0.0004, 0),
        (1e-30, 0),
        (-1e-9, 0),
        (1048575.0, 1048575000),
        (1048576.0, None),
        (-3e38, None),
        (float("inf"), None),
        (float("nan"), None),
        (123456.789, 123456789),
    ],
)
def test_singles_become_thousandths(single: float, thousandths: int | None) -> None:
    got = number_at(struct.pack(">f", single), 0, 10)
    if thousandths is None:
        assert got == TOO_BIG
    elif abs(thousandths) < 1 << 22:
        assert got == thousandths
    else:  # 22 bits of the fraction are used
        assert abs(got - thousandths) <= abs(thousandths) >> 21


@pytest.mark.parametrize(
    ("row", "text", "value"),
    [
        ((4, "<H", "pack_mv"), "640e", 3684),
        ((4, "<H", "pack_mv", 10), "0a0e", 35940),
        ((4, "<h", "current_ma", -10), "0300", -30),
        ((4, "<h", "current_ma", -10), "f6ff", 100),
        ((4, "B", "mos_temp_dc", 10, 1, -200), "2b", 230),
        ((4, ">H", "mos_temp_dc", 1, 1, -2731), "0bb8", 269),
        ((4, "<H", "soc_pct", 1, 10), "0f00", 1),  # rounded down
        ((4, "<h", "current_ma", 1, 10), "f1ff", -2),  # -1.5 down
        ((4, "<h", "current_ma", 1, -10), "f1ff", -2),  # -1.5 to the nearest, halves away from 0
        ((4, "<h", "current_ma", 1, -10), "f2ff", -1),
        ((4, "<H", "soc_pct", 1, -10), "0f00", 2),
        ((4, "<H", "soc_pct", 1, -10), "0e00", 1),
        ((4, "<H", "soc_pct", 1, -10), "0000", 0),
        ((4, "<i", "speed_mh", 18, -5), "05000000", 18),
        ((4, ">f", "pack_mv"), "42108000", 36125),
        ((4, "<I", "total_charge_mah", 10), "02000100", 655380),
        ((4, "<I", "total_charge_mah", 10), "66666606", 1073741820),
        ((4, "<I", "total_charge_mah", 10), "67666606", None),  # the product has 31 bits
        ((4, "<i", "current_ma", -1), "010000c0", LIMIT),
        ((4, "<i", "current_ma", -1), "000000c0", None),
        ((4, "<I", "cycles", 1, 1, 0, 1, 0, 0), "00000000", None),
        ((4, "<I", "cycles", 1, 1, 0, 1, 0, 0), "01000000", 1),
        ((4, "B", "soc_pct", 1, 1, 5, 1, 0, 255), "ff", None),
        ((4, "B", "soc_pct", 1, 1, 5, 1, 0, 255), "fe", 259),
        ((4, "b", "current_ma", -0x8000), "ff", 0x8000),
        ((4, "b", "current_ma", 0x7FFF, -0x8000), "02", 2),
        ((4, "<h", "current_ma", 1, 0x7FFF, (1 << 23) - 1), "0080", (1 << 23) - 3),
        ((4, "b", "current_ma", 1, 1, -(1 << 23)), "ff", -(1 << 23) - 1),
        ((4, "<i", "current_ma", 1, 1, 0, 1, 0, -(1 << 23)), "000080ff", None),
        ((4, "<i", "current_ma", 1, 1, 0, 1, 0, -(1 << 23)), "010080ff", 1 - (1 << 23)),
        ((0xFFFD, "B", "soc_pct"), "07", 7),
    ],
)
def test_values_are_scaled(row: Row, text: str, value: int | None) -> None:
    assert one(row, text) == value


def test_an_absent_value_sets_nothing_at_all() -> None:
    t = read(((0, "B", "soc_pct", 1, 1, 0, 1, 0, 255),), b"\xff")
    assert not any(t.seen)
    assert (t.probes, t.end()) == (0, False)


def test_a_value_is_stamped_and_counted() -> None:
    t = read(((0, "B", "soc_pct"),), b"\x2f")
    slot = INDEX["soc_pct"]
    assert (t.value[slot], t.stamp[slot], t.count[slot], t.end()) == (47, 7, 1, True)
    assert sum(t.seen) == 1


# --- lists ---------------------------------------------------------------------------------------


def test_cells_and_probes_run_from_their_first_number() -> None:
    rows = (
        (0x10, "<H", "cell_mv", 1, 1, 0, 3, 2),
        (0x20, "B", "temp_dc", 10, 1, -400, 3, 1, 0),
    )
    data = bytes.fromhex("100e 110e 120e") + bytes(10) + bytes.fromhex("28 00 29")
    t = read(rows, data, 0x10)
    assert (t.cells, list(t.cell_mv[:5])) == (5, [0, 0, 3600, 3601, 3602])
    assert (t.probes, list(t.temp_dc[:4])) == (4, [NO_PROBE, 0, NO_PROBE, 10])
    assert list(t.temp_stamp[1:4]) == [7, 7, 7]  # the one not fitted was told, too


def test_an_absent_cell_leaves_its_place_alone() -> None:
    t = read(((0, "<H", "cell_mv", 1, 1, 0, 3, 0, 0xFFFF),), bytes.fromhex("100e ffff 120e"))
    assert list(t.cell_mv[:3]) == [3600, 0, 3602]
    assert t.cells == 3


def test_values_too_large_for_their_list_are_kept_as_the_nearest() -> None:
    t = read(((0, "<H", "cell_mv", 10), (2, ">H", "temp_dc", 1, 1, -2731)), b"\xff\xff\xff\xff")
    assert (t.cell_mv[0], t.temp_dc[0]) == (65535, 32767)


def test_wires_have_their_own_list() -> None:
    t = read(((0, "<H", "wire_mohm", 1, 1, 0, 2, 1),), bytes.fromhex("2c01 2d01"))
    assert list(t.wire_mohm[:3]) == [0, 300, 301]


# --- bits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["B", "<H", ">H", "<I", ">I"])
def test_every_bit_of_every_width_and_order(code: str) -> None:
    for bit in range(8 * struct.calcsize(code)):
        row = (4, f"{code}.{bit}", "charge_fet")
        every = (1 << 8 * struct.calcsize(code)) - 1
        assert one(row, struct.pack(code, 1 << bit).hex()) == 1, bit
        assert one(row, struct.pack(code, every ^ 1 << bit).hex()) == 0, bit


def test_bits_keep_their_rows_apart() -> None:
    rows = (
        (0, "<H.1", "charge_fet"),
        (0, "<H.9", "discharge_fet"),
        (2, ">H.3", "charging_flag"),
        (2, ">H.14", "activated"),
    )
    for number in range(4):
        data = bytearray(4)
        place, bit = ((0, 1), (1, 1), (3, 3), (2, 6))[number]
        data[place] = 1 << bit
        t = read(rows, bytes(data))
        assert [t.value[INDEX[row[2]]] for row in rows] == [int(n == number) for n in range(4)]


@pytest.mark.parametrize("code", ["B", "<H", ">H", "<I", ">I"])
def test_every_bit_may_be_a_fault(code: str) -> None:
    size = struct.calcsize(code)
    bits = tuple((bit, FAULTS[bit], 1) for bit in range(8 * size))
    for bit in range(8 * size):
        t = read(((4, code, "faults", bits),), struct.pack(code, 1 << bit), 4)
        assert names(t) == [FAULTS[bit]], bit


def test_faults_of_both_words_and_bits_that_mean_well() -> None:
    bits = ((0, "configuration", 0), (3, "cell_over_voltage", 1), (9, "thermal_runaway", 1))
    rows = ((0, "<H", "faults", bits),)
    assert names(read(rows, b"\x01\x00")) == []
    assert names(read(rows, b"\x00\x00")) == ["configuration"]
    assert names(read(rows, b"\x09\x02")) == ["cell_over_voltage", "thermal_runaway"]
    t = read(rows, b"\x01\x00")
    assert (t.seen[INDEX["faults_a"]], t.seen[INDEX["faults_b"]]) == (1, 1)


def test_faults_of_two_fields_add_up_within_a_frame_and_not_beyond() -> None:
    rows = (
        (0, "B", "faults", ((0, "short_circuit", 1),)),
        (1, "B", "faults", ((0, "heater", 1),)),
    )
    t = read(rows, b"\x01\x01")
    assert names(t) == ["short_circuit", "heater"]
    t.begin(8)
    fields.read(compiled(rows), b"\x00\x01", 0, 0, 2, t)
    assert names(t) == ["heater"]


# --- text, dates, versions -----------------------------------------------------------------------


def test_texts_are_copied_as_they_stand() -> None:
    rows = ((0, "text5", "serial"), (5, "text3", "firmware"), (8, "text2", "model"))
    t = read(rows, b" A1\0 1.2XY")
    assert text_of(t, "serial") == b" A1\0 "
    assert text_of(t, "firmware") == b"1.2"
    assert text_of(t, "model") == b"XY"


def test_a_text_is_taken_whole_or_not_at_all() -> None:
    assert text_of(read(((0, "text5", "serial"),), b"ABCD"), "serial") == b""


def test_a_text_may_go_as_far_as_the_frame_or_to_its_end() -> None:
    """Of a long one the first 32 bytes are kept."""
    long = bytes(range(65, 105))
    assert text_of(read(((1, "text", "model"),), b"-" + long), "model") == long[:32]
    assert text_of(read(((1, "text", "model"),), b"-"), "model") == b""
    for data, told in ((b"-ab\0cd\0", b"ab"), (b"-\0cd", b""), (b"-ab", b"")):
        assert text_of(read(((1, "textz", "model"),), data), "model") == told


def test_a_frame_of_texts_alone_counts_for_nothing_as_on_the_dongle() -> None:
    t = read(((0, "text1", "serial"), (1, "date", "made_on")), b"A\x28\x22")
    assert (text_of(t, "serial"), t.value[INDEX["made_on"]]) == (b"A", 20170108)
    assert t.end() is False
    t.forget()
    assert text_of(t, "serial") == b""


@pytest.mark.parametrize(
    ("code", "text", "value"),
    [
        ("date", "2822", 20170108),  # xiaomi.md 3: 0x2228 = 2017-01-08
        ("date", "a222", 20170502),
        ("date", "2124", 20180101),
        ("date", "ffff", 21271531),  # as it stands; whoever shows it judges
        ("date", "0000", None),
        (">date", "2228", 20170108),
        (">date", "0000", None),
    ],
)
def test_dates(code: str, text: str, value: int | None) -> None:
    assert one((0x40, code, "made_on"), text) == value


@pytest.mark.parametrize(
    ("code", "told", "version"),
    [
        ("bcd", "1501", b"1.1.5"),
        ("bcd", "1551", b"1.1.5"),  # the top nibble may carry a board revision
        ("bcd", "0009", b"9.0.0"),  # BotoX (xiaomi.md 5.3)
        ("bcd", "fa0b", b"b.f.a"),
        ("bcd", "0000", b""),
        ("bcd2", "16", b"1.6"),
        ("bcd2", "00", b""),
        ("release", "0605", b"6.05"),
        ("release", "0963", b"9.99"),
        ("release", "0a00", b""),
        ("release", "0064", b""),
    ],
)
def test_versions(code: str, told: str, version: bytes) -> None:
    t = read(((0x2E, code, "firmware"),), bytes.fromhex(told), 0x2E)
    assert text_of(t, "firmware") == version


# --- stretches of the address space --------------------------------------------------------------

# Gaps, two rows at one address, a long list, and one list at the very end.
SPACE: tuple[Row, ...] = (
    (0x02, "B", "soc_pct"),
    (0x03, "<H", "cycles"),
    (0x06, ">I", "odometer_m"),
    (0x06, ">I.0", "charge_fet"),
    (0x21, "B", "health_pct"),
    (0x22, "<H", "wire_mohm", 1, 1, 0, 20),
    (0x2F, "B", "mode"),
    (0x60, "<H", "pack_mv"),
    (0x62, "<H", "cell_mv", 1, 1, 0, 30),
)
SPACE_END = 0x62 + 60


def wanted(start: int, size: int) -> set[str]:
    """Names, with the number in lists, of all that lies wholly in a stretch; from the rows' own
    words."""
    found = set()
    for offset, code, slot, *rest in SPACE:
        width = struct.calcsize(code.split(".")[0])
        for number in range(rest[3] if len(rest) > 3 else 1):
            at = offset + number * width
            if start <= at and at + width <= start + size:
                found.add(f"{slot}{number}" if len(rest) > 3 else slot)
    return found


def test_any_stretch_sets_what_lies_wholly_in_it() -> None:
    table = compiled(SPACE)
    data = bytes(range(1, SPACE_END + 9))
    for start in range(SPACE_END + 8):
        for size in (0, 1, 2, 3, 5, 16, 17, 33, 64, SPACE_END - start, SPACE_END + 8 - start):
            if not 0 <= size <= SPACE_END + 8 - start:
                continue
            t = fresh()
            fields.read(table, b"\0\0" + data[start : start + size], 2, start, size, t)
            got = {slot for number, slot in enumerate(SLOTS) if t.seen[number]}
            got |= {f"cell_mv{cell}" for cell in range(32) if t.cell_mv[cell]}
            got |= {f"wire_mohm{wire}" for wire in range(32) if t.wire_mohm[wire]}
            assert got == wanted(start, size), (start, size)
            for cell in range(30):
                at = 0x62 + 2 * cell
                if f"cell_mv{cell}" in got:
                    assert t.cell_mv[cell] == data[at] | data[at + 1] << 8


def test_a_table_may_be_empty_and_a_stretch_negative() -> None:
    t = fresh()
    fields.read(compiled(()), b"\1\2", 0, 0, 2, t)
    fields.read(compiled(SPACE), b"\1\2", 0, 2, -5, t)
    assert t.end() is False


@pytest.mark.parametrize("start", [0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x1FF62])
def test_addresses_beyond_all_rows_set_nothing(start: int) -> None:
    t = fresh()
    fields.read(compiled(SPACE), bytes(range(1, 161)), 0, start, 160, t)
    assert t.end() is False


TURNABLE: tuple[Row, ...] = (
    (0x00, "B", "soc_pct"),
    (0x01, "<H", "cycles"),
    (0x03, "<h", "current_ma", -10, 3, 7),
    (0x05, "<I", "pack_mv"),
    (0x09, "<i", "remaining_mah"),
    (0x0D, "<H", "cell_mv", 1, 1, 0, 3),
    (0x13, "<h", "temp_dc", 1, 1, 0, 1, 0, 0x0102),
    (0x15, "<I.9", "charge_fet"),
    (0x15, "<H.3", "discharge_fet"),
    (0x19, "B.5", "heater"),
    (0x1A, "<H", "faults", ((0, "sense_wire", 1), (9, "parallel", 0))),
    (0x1C, "<I", "faults", ((31, "communication", 1), (12, "cell_count", 1), (7, "gps_lost", 1))),
    (0x20, "date", "made_on"),
    (0x22, "text5", "serial"),
)
TURNABLE_END = 0x27


def test_one_table_serves_both_orders_of_bytes() -> None:
    """The other one is what the same rows say that are written most significant byte first."""
    turned = tuple(
        (row[0], row[1].replace("<", ">").replace("date", ">date"), *row[2:]) for row in TURNABLE
    )
    random = Random("turned")
    for _ in range(300):
        start = random.randrange(TURNABLE_END)
        data = bytes(
            random.choice((0, 1, 2, 0x3F, 0x80, 0xFF, random.randrange(256)))
            for _ in range(TURNABLE_END - start)
        )
        here, there = fresh(), fresh()
        fields.read(compiled(TURNABLE), data, 0, TURNED + start, len(data), here)
        fields.read(compiled(turned), data, 0, start, len(data), there)
        assert all(list(a) == list(b) for a, b in zip(here.arrays, there.arrays, strict=True))
        assert text_of(here, "serial") == text_of(there, "serial")


# --- tables that cannot be meant -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (((4, "B", "soc_pct"), (2, "B", "mode")), "sorted by offset: 2"),
        (((0, "B", "no_such_slot"),), None),
        (((0, "<Q", "soc_pct"),), None),
        (((0, "B.8", "charge_fet"),), "B has no bit 8"),
        (((0, "<H", "faults", ((16, "heater", 1),)),), "<H has no bit 16"),
        (((0, "B", "faults", ((0, "no_such_fault", 1),)),), None),
        (((0, "text8", "soc_pct"),), None),
        (((0, "bcd", "soc_pct"),), "row 0: soc_pct takes no bcd"),
        (((0, "B", "serial"),), "row 0: serial takes no B"),
        (((0, "date", "cycles"),), "row 0: cycles takes no date"),
        (((0xFFFF, "B", "soc_pct"),), "row 65535 has no room"),
        (((2, "<H", "pack_mv", 0x8000),), "row 2: 65536 has no room"),
        (((2, "<H", "pack_mv", -0x8001),), "row 2: -1 has no room"),
        (((2, "<H", "pack_mv", 1, 0x8000),), "row 2: 65536 has no room"),
        (((2, "<H", "pack_mv", 1, 1, 1 << 23),), "row 2: 16777216 has no room"),
        (((2, "<H", "pack_mv", 1, 1, 0, 1, 0, 1 << 23),), "row 2: 16777216 has no room"),
        (((2, "<H", "cell_mv", 1, 1, 0, 256),), "row 2: 256 has no room"),
        (((2, "<H", "pack_mv", 0),), "row 2 multiplies or divides by 0"),
        (((2, "<H", "pack_mv", 1, 0),), "row 2 multiplies or divides by 0"),
        (((2, "B.1", "charge_fet", 1, 1, 0, 2),), "row 2 has no room"),
    ],
)
def test_a_wrong_row_is_an_error_at_once(rows: tuple[Row, ...], said: str | None) -> None:
    with pytest.raises(ValueError, match=said):
        compiled(rows)

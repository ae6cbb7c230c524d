"""The encoder of fake packs: what it writes, the firmware reads back, for every row of every
family; and what it writes at all, against bytes worked out by hand."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from bench_rows import text_of
from deckwatch.fields import read
from deckwatch.rows import TEXTS, compiled
from deckwatch.telemetry import SLOTS, Telemetry
from hypothesis import given, settings
from hypothesis import strategies as st
from packlab.decode import values as known
from packlab.encode import decoded, encode, raw_range, width
from packlab.errors import PacklabError

PROTOCOLS = Path(__file__).parent.parent / "firmware" / "deckwatch" / "protocols"
CODE = re.compile(r"[Bb](\.[0-7])?|[<>][HhIi](\.\d+)?|>f|>?date|bcd2?|text\d+")
SPECIAL = {"cell_mv", "temp_dc", "wire_mohm", "faults", "serial", "firmware", "model"}
LIMIT = (1 << 30) - 1
LIMITS = {"cell_mv": (0, 65535), "temp_dc": (-32767, 32767), "wire_mohm": (0, 65535)}

Row = tuple[Any, ...]


def is_row(thing: Any) -> bool:
    return (
        isinstance(thing, tuple)
        and len(thing) >= 3
        and isinstance(thing[0], int)
        and isinstance(thing[1], str)
        and CODE.fullmatch(thing[1]) is not None
        and (thing[2] in SLOTS or thing[2] in SPECIAL)
    )


def tables() -> Iterator[Any]:
    """Every literal table of rows in every protocol file, once."""
    seen: set[int] = set()
    for path in sorted(PROTOCOLS.glob("[a-z]*.py")):
        module = import_module(f"deckwatch.protocols.{path.stem}")
        for name, thing in vars(module).items():
            if name.isupper() and isinstance(thing, tuple) and thing and is_row(thing[0]):
                assert all(map(is_row, thing)), f"{path.stem}.{name}"
                if id(thing) not in seen:
                    yield pytest.param(thing, id=f"{path.stem}.{name}")
                seen.add(id(thing))


def tlv() -> Any:
    """JK's registers, which have a width before the code, as their own file compiles them."""
    registers = import_module("deckwatch.protocols.jk_tlv").REGISTERS
    rows = tuple((row[0] << 4, *row[2:]) for row in registers if len(row) > 2)
    assert len(rows) > 20
    assert all(map(is_row, rows))
    return pytest.param(rows, id="jk_tlv.REGISTERS")


TABLES = [*tables(), tlv()]


def read_back(rows: tuple[Row, ...], image: bytes) -> dict[str, Any]:
    """What the firmware makes of an address space; numbers, cells and probes as telemetry has
    them."""
    t = Telemetry()
    t.begin(0)
    read(compiled(rows), image, 0, 0, len(image), t)
    lists = {name: list(getattr(t, name)) for name in LIMITS if hasattr(t, name)}
    numbers = {name: t.value[slot] for slot, name in enumerate(SLOTS) if t.seen[slot]}
    texts = {name: text_of(t, name).decode().rstrip("\0") for name in TEXTS}
    return {**known(t), **numbers, **lists, **texts}


def number(row: Row) -> tuple[int, int, int, int, int, int | None]:
    given = row[3:]
    mul, div, add, count, first, absent = given + (1, 1, 0, 1, 0, None)[len(given) :]
    return mul, div, add, count, first, absent


def holdable(row: Row) -> tuple[int, int]:
    """Lowest and highest value a row can carry and telemetry keep."""
    low, high = sorted(decoded(row, raw) for raw in raw_range(row))
    least, most = LIMITS.get(row[2], (low, high))
    return max(low, least), min(high, most)


def agree(row: Row, sent: int, got: int) -> bool:
    """Within the row's resolution; a single keeps 22 bits of its number."""
    mul, div = number(row)[:2]
    step = abs(sent) >> 20 if row[1] == ">f" else 0
    return got == sent or (abs(got - sent) - step) * abs(div) < abs(mul)


def check_number(row: Row, sent: int) -> None:
    mul, div, _, count, first, absent = number(row)
    if absent is not None and abs(sent - decoded(row, absent)) * abs(div) < abs(mul):
        return  # this value is what "not fitted" looks like
    is_list = row[2] in LIMITS
    image = encode((row,), {row[2]: [0] * first + [sent] * count if is_list else sent})
    got = read_back((row,), bytes(image))[row[2]]
    assert agree(row, sent, got[first] if is_list else got), (row, sent, got, image.hex())


def edges(row: Row) -> list[int]:
    low, high = holdable(row)
    return [low, high, (low + high) // 2]


def is_number(row: Row) -> bool:
    return CODE.fullmatch(row[1])[0][-1] in "BbHhIif" and row[2] != "faults"  # type: ignore[index]


def test_the_tables_of_all_families_are_found() -> None:
    found = {table.id for table in TABLES}
    assert found >= {"ninebot.BATTERY", "xiaomi.CONTROLLER", "ninebot.WHEEL", "jbd.BASIC"}
    assert sum(len(table.values[0]) for table in TABLES) > 150


@pytest.mark.parametrize("rows", TABLES)
def test_the_ends_of_every_number_come_back(rows: tuple[Row, ...]) -> None:
    for row in filter(is_number, rows):
        for value in edges(row):
            check_number(row, value)


@pytest.mark.parametrize("rows", TABLES)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_number_of_every_row_comes_back(rows: tuple[Row, ...], data: st.DataObject) -> None:
    for row in filter(is_number, rows):
        low, high = holdable(row)
        check_number(row, data.draw(st.integers(low, high)))


@pytest.mark.parametrize("rows", TABLES)
def test_bits_faults_text_and_dates_of_every_row_come_back(rows: tuple[Row, ...]) -> None:
    for row in rows:
        _, code, slot = row[:3]
        if slot == "faults":
            names = sorted({name for _, name, _ in row[3]})
            for chosen in ([], names, names[::2], names[1::2]):
                image = encode((row,), {"faults": chosen})
                assert sorted(read_back((row,), image)["faults"]) == sorted(chosen), row
        elif "." in code:
            for state in (0, 1):
                assert read_back((row,), encode((row,), {slot: state}))[slot] == state, row
        elif code.startswith("text"):
            said = "A1-b2.C3 d4/E5_f6"[: width(code)].strip()
            assert read_back((row,), encode((row,), {slot: said}))[slot] == said, row
        elif code.startswith("bcd"):
            said = "1.5" if code == "bcd2" else "1.0.5"
            assert read_back((row,), encode((row,), {slot: said}))[slot] == said, row
        elif code.endswith("date"):
            for date in ("2000-01-01", "2017-05-02", "2127-12-31"):
                wanted = int(date.replace("-", ""))
                assert read_back((row,), encode((row,), {slot: date}))[slot] == wanted, row
        else:
            assert is_number(row)


ROWS = (
    (0x00, "<h", "current_ma", -10),
    (0x02, ">H", "pack_mv", 10),
    (0x04, "B", "temp_dc", 10, 1, -200, 3, 1, 255),
    (0x08, "<I", "faults", ((0, "configuration", 0), (17, "short_circuit", 1))),
    (0x08, "<I.30", "charging_flag"),
    (0x0C, ">I.30", "activated"),
    (0x10, "text6", "serial"),
    (0x16, "bcd", "firmware"),
    (0x18, ">date", "made_on"),
    (0x1A, "date", "first_used_on"),
    (0x1C, "<H", "cell_mv", 1, 1, 0, 2),
    (0x20, ">i", "speed_mh", 18, -5),
)


def test_bytes_are_those_worked_out_by_hand() -> None:
    image = encode(
        ROWS,
        {
            "current_ma": 12344,  # charging: the wire says - and has steps of 10 mA
            "pack_mv": 35938,
            "temp_dc": [999, 236, None, -200, 777],  # probes 2 to 4 stand here
            "faults": ["short_circuit", "thermal_runaway"],
            "charging_flag": True,
            "activated": 1,
            "serial": "3JX",
            "firmware": "1.1.5",
            "made_on": "2017-05-02",
            "first_used_on": "2018-01-01",
            "cell_mv": [3951],
            "speed_mh": -25,  # -25 * 5 / 18 = -6.9
            "soc_pct": 50,  # no row has it
        },
    )
    assert image.hex(" ", -4) == (
        "2efb0e0a 2cff0000 01000240 40000000 334a5800 00001501 22a22124 6f0f0000 fffffff9"
    )


def test_an_element_is_as_wide_as_its_code_says() -> None:
    codes = ("B", "b", "<H", ">h", "<I", ">f", "B.3", ">I.9", "date", "bcd", "bcd2", "text9")
    assert [width(code) for code in codes] == [1, 1, 2, 2, 4, 4, 1, 4, 2, 2, 1, 9]


def test_bits_of_one_byte_are_put_beside_each_other() -> None:
    rows = ((0, "B.1", "charge_fet"), (0, "B.0", "discharge_fet"), (0, "B.2", "activated"))
    names = [row[2] for row in rows]
    for states, byte in (((1, 1, 1), 7), ((1, 0, 1), 6), ((0, 1, 0), 1)):
        assert encode(rows, dict(zip(names, states, strict=True)))[0] == byte


@pytest.mark.parametrize(
    ("row", "most"),
    [
        ((0, "<I", "total_charge_mah"), (1 << 30) - 1),
        ((0, ">i", "current_ma", -1), (1 << 30) - 1),
        ((0, "<I", "total_charge_mah", 10), ((1 << 30) - 1) // 10 * 10),
        ((0, ">f", "pack_mv"), 1_048_575_000),
    ],
)
def test_what_the_firmware_would_not_read_is_refused(row: Row, most: int) -> None:
    check_number(row, most)
    with pytest.raises(PacklabError, match="does not fit"):
        encode((row,), {row[2]: most + 1000})


def test_the_fault_that_is_a_cleared_bit_is_set_where_nothing_is_wrong() -> None:
    assert encode(ROWS[3:4], {"faults": []}).hex() == "00" * 8 + "01000000"
    assert encode(ROWS[3:4], {"faults": ["configuration"]}).hex() == "00" * 12


def test_places_without_a_value_hold_0() -> None:
    assert encode(ROWS, {}) == bytearray(0x24)


@pytest.mark.parametrize(
    ("slot", "value", "place"),
    [
        ("current_ma", 400_000, "0x0 (<h)"),
        ("pack_mv", -1000, "0x2 (>H)"),
        ("temp_dc", [0, 2600], "0x4 (B)"),
        ("temp_dc", [0, 2350], "0x4 (B)"),  # 255 would be read as "not fitted"
        ("cell_mv", [None], "0x1c (<H)"),
        ("serial", "longer than it is", "0x10 (text6)"),
        ("serial", "3Jé", "0x10 (text6)"),
        ("firmware", "new", "0x16 (bcd)"),
        ("firmware", "1.1.5.0.1", "0x16 (bcd)"),
        ("made_on", "1999-12-31", "0x18 (>date)"),
        ("made_on", "2017-13-01", "0x18 (>date)"),
        ("speed_mh", 1 << 30, "0x20 (>i)"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(slot: str, value: Any, place: str) -> None:
    with pytest.raises(PacklabError, match=r"does not fit its place at address") as refusal:
        encode(ROWS, {slot: value})
    assert slot in str(refusal.value)
    assert place in str(refusal.value)

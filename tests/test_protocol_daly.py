"""Daly (sheet daly.md): every given frame, what its source says it means, hand-written tables."""

from pathlib import Path
from typing import Any

import pytest
from bench_rows import text_of
from conftest import MicroPython
from deckwatch import config
from deckwatch.frame import DAMAGED, NOISE
from deckwatch.framer import CHUNK
from deckwatch.passing import names
from deckwatch.pipeline import Pipeline
from deckwatch.protocols import daly
from deckwatch.rows import TEXTS
from deckwatch.telemetry import INDEX, NO_PROBE, SLOTS
from families import Heard, entries, listen, listener
from given_frames import check, check_damaged, hear, known, requests

D2_STATUS = "d2030000003ed7b9"
D2_STATUS_80 = "d203000000505655"
CELLS_81 = "8103000000405bfa"
STATE_81 = "81030041003e8bce"


def a5(command: int, data: str, address: int = 1) -> bytes:
    """An A5 frame as sheet section 2 builds it; data that is short is filled with left-overs."""
    body = bytes([0xA5, address, command, 8]) + bytes.fromhex(data).ljust(8, b"\x40")
    return body + bytes([sum(body) & 0xFF])


def crc(body: bytes) -> bytes:
    """With CRC16-Modbus behind it, low byte first (sheet section 3)."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return body + value.to_bytes(2, "little")


def read(address: int, register: int, count: int) -> bytes:
    return crc(bytes([address, 3]) + register.to_bytes(2, "big") + count.to_bytes(2, "big"))


def block(address: int, first: int, count: int, words: dict[int, int]) -> bytes:
    """Reply with `count` registers from `first`, all zero but `words` (register: value)."""
    data = b"".join(words.get(first + n, 0).to_bytes(2, "big") for n in range(count))
    return crc(bytes([address, 3, len(data)]) + data)


def status(words: dict[int, int] | None = None, count: int = 62) -> bytes:
    """D2 status of a 4S pack with one probe at 20 °C, at rest; `words` differ."""
    usual = {0: 3300, 1: 3300, 2: 3300, 3: 3300, 0x20: 60, 0x28: 132, 0x29: 30000, 0x2A: 500}
    return block(0xD2, 0, count, {**usual, 0x31: 4, 0x32: 1, **(words or {})})


def state(words: dict[int, int], address: int = 0x51) -> bytes:
    """81's second block."""
    return block(address, 0x41, 62, words)


def values_of(*data: bytes | str, pack: int = 0) -> dict[str, Any]:
    return known(listen("daly", *data), pack)


# --- what was given


def test_every_given_frame_decodes_to_what_its_entry_expects() -> None:
    def same(data: str, slot: str, expected: Any, got: Any) -> bool:
        if slot == "current_ma" and data.startswith("a5"):  # by size: the sign is the unit's
            return bool(abs(got) == expected)
        return bool(got == expected)

    kinds, slots = check("daly", same)
    assert kinds == {"reply": 66, "ack": 2}
    assert slots == {
        "pack_mv": 13,
        "soc_pct": 13,
        "current_ma": 12,
        "remaining_mah": 12,
        "charge_fet": 12,
        "discharge_fet": 12,
        "cycles": 11,
        "cell_mv": 7,
        "temp_dc": 7,
    }


# What sources and the sheet's author say, name by name: (slot, how many of the slot's unit in one)
TOLD = {
    "voltage_V": ("pack_mv", 1000),
    "current_A": ("current_ma", 1000),
    "remaining_Ah": ("remaining_mah", 1000),
    "rated_Ah": ("design_mah", 1000),
    "cell_ov_alarm_mV": ("cell_high_mv", 1),
    "cell_uv_alarm_mV": ("cell_low_mv", 1),
    "balance_start_mV": ("balance_start_mv", 1),
    "balance_current_A": ("balance_ma", 1000),
    "mos_T": ("mos_temp_dc", 10),
    "board_T": ("board_temp_dc", 10),
    "cycles": ("cycles", 1),
    "charge_mos": ("charge_fet", 1),
    "discharge_mos": ("discharge_fet", 1),
    "cells": ("cell_count", 1),
    "temps": ("probe_count", 1),
    "charger": ("charger_present", 1),
}
STATES = {"idle": False, "Idle": False, "discharging": False, "charging": True}


def test_values_are_what_sources_say_they_are() -> None:
    compared = dict.fromkeys([*TOLD, "state", "cell_mV", "temps_C", "soc_pct", "sw"], 0)
    for entry in entries("daly"):
        told = entry.get("field_map_decode", entry["decoded"])
        heard = hear("daly", entry)
        values = known(heard, heard.frames[-1].pack)
        for name, (slot, scale) in TOLD.items():
            if told.get(name) is None:
                continue
            assert values[slot] == round(told[name] * scale), (entry["meaning"], name)
            compared[name] += 1
        for name, slot in (("cell_mV", "cell_mv"), ("sw", "firmware")):
            if name in told:
                # The version frame of 81 has its model right behind the number.
                assert str(told[name]).startswith(str(values[slot])), (entry["meaning"], name)
                compared[name] += 1
        if "temps_C" in told:
            expected = [None if t is None else round(t * 10) for t in told["temps_C"]]
            assert values["temp_dc"] == expected, entry["meaning"]
            compared["temps_C"] += 1
        if "soc_pct" in told:
            assert values["soc_pct"] == int(told["soc_pct"]), entry["meaning"]
            compared["soc_pct"] += 1
        if told.get("state") in STATES:
            assert values["charging_flag"] is STATES[told["state"]], entry["meaning"]
            compared["state"] += 1
    print("\ndaly: compared with sources", compared)
    assert compared == {
        "voltage_V": 14,
        "current_A": 7,
        "remaining_Ah": 12,
        "rated_Ah": 1,
        "cell_ov_alarm_mV": 1,
        "cell_uv_alarm_mV": 1,
        "balance_start_mV": 1,
        "balance_current_A": 2,
        "mos_T": 6,
        "board_T": 2,
        "cycles": 11,
        "charge_mos": 12,
        "discharge_mos": 12,
        "cells": 10,
        "temps": 10,
        "charger": 3,
        "state": 12,
        "cell_mV": 7,
        "temps_C": 7,
        "soc_pct": 14,
        "sw": 4,
    }


def test_models_and_rated_charge_in_real_frames() -> None:
    found = [known(hear("daly", entry)) for entry in entries("daly")]
    assert [values["model"] for values in found if "model" in values] == [
        "H2.0_103R_309F9F20240229",
        "BMS",
        "SH39F003",
        "ESS-DL-BMS",
    ]
    assert [v["design_mah"] for v in found if "design_mah" in v] == [105000, 314000, 314000]


def test_faults_in_real_frames() -> None:
    found = {
        tuple(known(hear("daly", entry)).get("faults", ["none"])) for entry in entries("daly")
    }
    assert found == {("none",), (), ("parallel",), ("temperature_sensor", "low_charge")}


def test_a_damaged_frame_gives_no_wrong_value() -> None:
    assert check_damaged("daly") == {"rejected": 2 * 3022, "without a value": 2 * 3022}


# --- A5: addresses and kinds


@pytest.mark.parametrize(
    ("address", "pack"),
    [(0x40, 0), (0x41, 1), (0x4F, 15), (0x80, 0), (0x20, 0), (0xFF, 15)],
)
def test_requests_of_every_host(address: int, pack: int) -> None:
    (frame,) = listen("daly", a5(0x90, "00" * 8, address)).frames
    assert (frame.kind, frame.is_request, frame.is_reply) == ("read", True, False)
    assert (frame.pack, frame.register, len(frame.data)) == (pack, 0x90, 13)


@pytest.mark.parametrize(("address", "pack"), [(1, 0), (2, 1), (16, 15)])
def test_replies_of_every_board(address: int, pack: int) -> None:
    (frame,) = listen("daly", a5(0x93, "00", address)).frames
    assert (frame.kind, frame.is_request, frame.is_reply) == ("reply", False, True)
    assert (frame.pack, frame.register) == (pack, 0x93)


@pytest.mark.parametrize("address", [0x00, 0x11, 0x1F])
def test_addresses_nobody_has(address: int) -> None:
    heard = listen("daly", a5(0x90, "0109 0000 75cf 030a", address))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert known(heard) == {}


@pytest.mark.parametrize("command", [0x50, 0x59, 0x61, 0x6F, 0x90, 0x91, 0x98])
def test_commands_that_read(command: int) -> None:
    assert kinds_of(command) == ["read", "reply"]


@pytest.mark.parametrize("command", [0x00, 0x10, 0x21, 0x4F, 0xD9, 0xDA])
def test_commands_that_write(command: int) -> None:
    assert kinds_of(command) == ["write", "ack"]


@pytest.mark.parametrize("command", [0x70, 0x8F, 0x99, 0xD8, 0xDB, 0xFF])
def test_commands_nobody_knows(command: int) -> None:
    assert kinds_of(command) == ["unknown", "unknown"]


def kinds_of(command: int) -> list[str]:
    heard = listen("daly", a5(command, "01" * 8, 0x40), a5(command, "01" * 8, 1))
    return [frame.kind for frame in heard.frames]


def test_an_acknowledged_switch_is_no_fet_state() -> None:
    assert values_of("a501d908010d130d210d17c0ba", "a501d908000d130d210d17c0b9") == {}


# --- A5: single frames


@pytest.mark.parametrize(
    ("command", "data", "expected"),
    [
        (0x90, "0109 0000 7530 030a", {"pack_mv": 26500, "current_ma": 0, "soc_pct": 77}),
        (0x90, "0109 0000 7531 0000", {"pack_mv": 26500, "current_ma": -100, "soc_pct": 0}),
        (0x90, "0109 0000 752f 03e8", {"pack_mv": 26500, "current_ma": 100, "soc_pct": 100}),
        (0x90, "0109 0000 0001 0009", {"pack_mv": 26500, "current_ma": 2999900, "soc_pct": 0}),
        (0x90, "0109 0000 ea5f 000a", {"pack_mv": 26500, "current_ma": -2999900, "soc_pct": 1}),
        # the board's ways of saying nothing
        (0x90, "0109 0000 0000 03f2", {"pack_mv": 26500}),
        (0x90, "0109 0000 ea60 ffff", {"pack_mv": 26500}),
        (0x90, "0109 0000 ffff 03f2", {"pack_mv": 26500}),
        (0x91, "0cb5 02 0cb2 01 0003", {}),
        (0x92, "37 01 37 01", {}),
        (
            0x93,
            "00 00 00 78 0000 0001",
            {
                "charging_flag": False,
                "charge_fet": False,
                "discharge_fet": False,
                "remaining_mah": 1,
            },
        ),
        (
            0x93,
            "01 01 00 78 0003 cb40",
            {
                "charging_flag": True,
                "charge_fet": True,
                "discharge_fet": False,
                "remaining_mah": 248640,
            },
        ),
        (
            0x93,
            "02 00 01 78 00ff ffff",
            {
                "charging_flag": False,
                "charge_fet": False,
                "discharge_fet": True,
                "remaining_mah": 16777215,
            },
        ),
        (
            0x94,
            "10 02 01 01 ff 0102",
            {"cell_count": 16, "probe_count": 2, "charger_present": True, "cycles": 258},
        ),
        (0x94, "31 02 00 00 00 0001", {"probe_count": 2, "charger_present": False, "cycles": 1}),
        (0x94, "04 16 00 00 00 0001", {"cell_count": 4, "charger_present": False, "cycles": 1}),
        (0x97, "01 80 02 40 ff ff", {"balance": [1, 16, 18, 31]}),
        (0x50, "0001 e848 0cb5 0cb5", {"design_mah": 125000}),
        (0x59, "0e10 0e42 0af0 0a28", {"cell_high_mv": 3650, "cell_low_mv": 2600}),
        (0x57, "01 4142434445464748", {}),
    ],
)
def test_single_frames(command: int, data: str, expected: dict[str, Any]) -> None:
    assert values_of(a5(command, data)) == expected


@pytest.mark.parametrize(
    ("mv", "is_told"), [(3900, False), (4000, True), (20000, True), (20100, False)]
)
def test_a_pack_voltage_no_cells_can_add_up_to_is_dropped(mv: int, is_told: bool) -> None:
    counts = a5(0x94, "04 01 00 00 00 0001")
    values = values_of(counts, a5(0x90, f"{mv // 100:04x} 0000 7530 01f4"))
    assert ("pack_mv" in values) is is_told
    assert values["soc_pct"] == 50


def test_what_was_known_is_dropped_when_the_board_says_nothing() -> None:
    whole = a5(0x90, "0109 0000 75cf 030a")
    assert "current_ma" not in values_of(whole, a5(0x90, "0109 0000 0000 030a"))


# Sheet 2, command 98: byte, bit, name. Two stages where two bits are given.
A5_ALARMS = [
    (0, 0, "cell_voltage_high"),
    (0, 1, "cell_over_voltage"),
    (0, 2, "cell_under_voltage"),
    (0, 3, "cell_under_voltage"),
    (0, 4, "pack_voltage_high"),
    (0, 5, "pack_over_voltage"),
    (0, 6, "pack_under_voltage"),
    (0, 7, "pack_under_voltage"),
    (1, 0, "charge_temperature_high"),
    (1, 1, "charge_over_temperature"),
    (1, 2, "charge_under_temperature"),
    (1, 3, "charge_under_temperature"),
    (1, 4, "discharge_temperature_high"),
    (1, 5, "discharge_over_temperature"),
    (1, 6, "discharge_under_temperature"),
    (1, 7, "discharge_under_temperature"),
    (2, 0, "charge_over_current"),
    (2, 1, "charge_over_current"),
    (2, 2, "discharge_over_current"),
    (2, 3, "discharge_over_current"),
    (2, 4, "high_charge"),
    (2, 5, "high_charge"),
    (2, 6, "low_charge"),
    (2, 7, "low_charge"),
    (3, 0, "cell_difference"),
    (3, 1, "cell_difference"),
    (3, 2, "temperature_difference"),
    (3, 3, "temperature_difference"),
    (4, 0, "board_over_temperature"),
    (4, 1, "board_over_temperature"),
    (4, 2, "temperature_sensor"),
    (4, 3, "temperature_sensor"),
    (4, 4, "charge_fet"),
    (4, 5, "discharge_fet"),
    (4, 6, "charge_fet"),
    (4, 7, "discharge_fet"),
    (5, 0, "front_end"),
    (5, 1, "sense_wire"),
    (5, 2, "temperature_sensor"),
    (5, 3, "memory"),
    (5, 4, "clock"),
    (5, 5, "precharge"),
    (5, 6, "communication"),
    (5, 7, "communication"),
    (6, 0, "current_sensor"),
    (6, 1, "front_end"),
    (6, 2, "short_circuit"),
    (6, 3, "deep_under_voltage"),
]


@pytest.mark.parametrize("byte", range(7))
@pytest.mark.parametrize("bit", range(8))
def test_each_alarm_bit_by_name_in_both_dialects(byte: int, bit: int) -> None:
    expected = [name for at, number, name in A5_ALARMS if (at, number) == (byte, bit)]
    data = bytearray(8)
    data[byte] = 1 << bit
    values = values_of(a5(0x98, data.hex()))
    assert values["faults"] == expected
    raw = int.from_bytes(data[byte & 6 : (byte & 6) + 2], "big")
    assert values[f"alarm_{byte // 2 + 1}_raw"] == raw
    # D2 keeps byte 0 in the low half of its register, as far as anybody knows.
    word = 1 << bit + 8 * (byte & 1)
    values = values_of(status({0x3A + byte // 2: word}))
    assert values["faults"] == expected
    assert values[f"alarm_{byte // 2 + 1}_raw"] == word


def test_alarms_of_several_bytes_add_up_and_the_fault_code_is_kept() -> None:
    values = values_of(a5(0x98, "02 00 00 01 10 04 04 2a"))
    assert values["faults"] == [
        "cell_over_voltage",
        "short_circuit",
        "charge_fet",
        "temperature_sensor",
        "cell_difference",
    ]
    assert values["fault_code"] == 42


# --- A5: sets of cells, probes


def cell_frame(number: int, *mv: int, address: int = 1) -> bytes:
    return a5(0x95, f"{number:02x}" + "".join(f"{one:04x}" for one in mv), address)


def counts(cells: int, probes: int = 1, address: int = 1) -> bytes:
    return a5(0x94, f"{cells:02x} {probes:02x} 00 00 00 0000", address)


EIGHT = [3301, 3302, 3303, 3304, 3305, 3306, 3307, 3308]
FIRST = cell_frame(1, 3301, 3302, 3303)
SECOND = cell_frame(2, 3304, 3305, 3306)
THIRD = cell_frame(3, 3307, 3308, 3301)  # the spare place holds a copy


def say(heard: Heard, *spoken: tuple[bytes, int]) -> dict[str, Any]:
    for data, now in spoken:
        heard.feed(data, now)
    return known(heard)


def eight() -> Heard:
    return listener("daly").feed(counts(8))


@pytest.mark.parametrize(
    "order",
    [(1, 2, 3), (3, 1, 2), (2, 3, 1), (1, 1, 2, 3), (1, 2, 2, 3), (2, 3, 3, 1)],
)
def test_a_set_is_whole_in_any_order_and_with_repeats(order: tuple[int, ...]) -> None:
    frames = [(FIRST, SECOND, THIRD)[number - 1] for number in order]
    heard = eight()
    *before, last = [(data, 10 * place) for place, data in enumerate(frames)]
    assert "cell_mv" not in say(heard, *before)
    assert say(heard, last)["cell_mv"] == EIGHT
    assert heard.packs[0].cell_frames == 1
    assert set(heard.packs[0].cell_stamp[:8]) == {last[1]}


@pytest.mark.parametrize("missing", [FIRST, SECOND, THIRD], ids=["first", "second", "third"])
def test_a_set_that_lacks_a_frame_is_not_handed_on(missing: bytes) -> None:
    present = [frame for frame in (FIRST, SECOND, THIRD) if frame != missing]
    heard = eight()
    assert "cell_mv" not in say(heard, *[(data, 10) for data in present])
    # The missing one of a later burst does not make the old set whole,
    assert "cell_mv" not in say(heard, (missing, 511))
    # but the later burst may become whole itself.
    assert say(heard, *[(data, 520) for data in present])["cell_mv"] == EIGHT


def test_a_frame_missing_within_a_moment_may_still_come() -> None:
    assert say(eight(), (FIRST, 10), (SECOND, 20), (THIRD, 510))["cell_mv"] == EIGHT


def test_a_lost_frame_leaves_the_cells_of_the_set_before() -> None:
    heard = eight()
    say(heard, (FIRST, 0), (SECOND, 10), (THIRD, 20))
    lower = [cell_frame(1, 3001, 3002, 3003), cell_frame(3, 3007, 3008, 0)]
    assert say(heard, (lower[0], 1000), (lower[1], 1010))["cell_mv"] == EIGHT
    assert set(heard.packs[0].cell_stamp[:8]) == {20}


def test_the_next_set_begins_anew() -> None:
    heard = eight()
    say(heard, (FIRST, 0), (SECOND, 10), (THIRD, 20), (FIRST, 30), (SECOND, 40))
    assert heard.packs[0].cell_frames == 1
    say(heard, (THIRD, 50))
    assert heard.packs[0].cell_frames == 2


def test_without_the_number_of_cells_no_cell_is_handed_on() -> None:
    heard = listener("daly")
    assert say(heard, (FIRST, 0), (SECOND, 10), (THIRD, 20)) == {}
    assert say(heard, (counts(8), 30), (FIRST, 40), (SECOND, 50), (THIRD, 60))["cell_mv"] == EIGHT


def test_another_number_of_cells_begins_a_set_anew() -> None:
    heard = eight()
    assert "cell_mv" not in say(heard, (FIRST, 0), (SECOND, 10), (counts(9), 20), (THIRD, 30))
    values = say(heard, (FIRST, 40), (SECOND, 50))
    assert values["cell_mv"] == [*EIGHT, 3301]


def test_the_same_number_of_cells_does_not() -> None:
    assert say(eight(), (FIRST, 0), (SECOND, 10), (counts(8), 20), (THIRD, 30))["cell_mv"] == EIGHT


@pytest.mark.parametrize(("cells", "probes"), [(0, 1), (49, 1), (8, 22)])
def test_impossible_counts_are_not_believed(cells: int, probes: int) -> None:
    heard = eight()
    values = say(heard, (counts(cells, probes), 0), (FIRST, 10), (SECOND, 20), (THIRD, 30))
    assert values["cell_mv"] == EIGHT


@pytest.mark.parametrize("number", [0x00, 0x04, 0xFF])
def test_frame_numbers_outside_the_set_are_passed_over(number: int) -> None:
    stray = cell_frame(number, 1111, 1111, 1111)
    values = say(eight(), (FIRST, 0), (stray, 5), (SECOND, 10), (THIRD, 20))
    assert values["cell_mv"] == EIGHT


def test_the_bluetooth_host_gets_sixteen_frames_of_which_the_rest_are_empty() -> None:
    asked = bytes.fromhex("a58095080000000000000000c2")
    empty = [(cell_frame(number, 0, 0, 0), 13 * number) for number in range(4, 17)]
    heard = eight()
    values = say(heard, (asked, 0), (FIRST, 13), (SECOND, 26), (THIRD, 39), *empty)
    assert values["cell_mv"] == EIGHT
    assert heard.packs[0].cell_frames == 1


@pytest.mark.parametrize("cells", [1, 2, 3, 4, 16, 31, 32, 33, 48])
def test_sets_of_any_size_cut_at_the_number_of_cells(cells: int) -> None:
    mv = [3000 + number for number in range(48)]
    frames = [(cell_frame(n + 1, *mv[3 * n : 3 * n + 3]), 13 * n) for n in range(16)]
    heard = listener("daly").feed(counts(cells))
    assert say(heard, *frames)["cell_mv"] == mv[: min(cells, 32)]


def test_the_captured_sixteen_cells_and_a_last_frame_cut_short() -> None:
    """Frames 1 to 4 of a real stream; 5 and 6 are made: the data has them from other streams."""
    real = {
        entry["hex"]
        for entry in entries("daly")
        if entry["source"].endswith("test_build_result_cell_voltages")
    }
    assert len(real) == 4
    stream = [bytes.fromhex(data) for data in sorted(real, key=lambda data: data[8:10])]
    heard = listener("daly").feed("a5019408100100000000034096")
    short = cell_frame(6, 3400, 0, 0)
    assert "cell_mv" not in say(heard, *[(data, 10) for data in stream], (short[:-3], 20))
    values = say(heard, (cell_frame(5, 3420, 3421, 3422), 30), (short, 40))
    assert values["cell_mv"] == [
        *(3413, 3396, 3406, 3425, 3420, 3404),
        *(3402, 3414, 3412, 3417, 3422, 3426),
        *(3420, 3421, 3422, 3400),
    ]


ZERO = cell_frame(2, 3304, 0, 3306)


def test_a_cell_at_zero_is_believed_when_it_is_there_twice() -> None:
    heard = eight()
    assert "cell_mv" not in say(heard, (FIRST, 0), (ZERO, 10), (THIRD, 20))
    assert say(heard, (FIRST, 1000), (ZERO, 1010), (THIRD, 1020))["cell_mv"][4] == 0
    healthy = say(heard, (FIRST, 2000), (SECOND, 2010), (THIRD, 2020))
    assert healthy["cell_mv"] == EIGHT
    assert say(heard, (FIRST, 3000), (ZERO, 3010), (THIRD, 3020))["cell_mv"] == EIGHT


def test_two_boards_on_one_bus_are_kept_apart() -> None:
    heard = listener("daly").feed(counts(3)).feed(counts(6, 1, 2))
    say(heard, (cell_frame(1, 4001, 4002, 4003, address=2), 0), (FIRST, 5))
    assert known(heard)["cell_mv"] == [3301, 3302, 3303]
    assert "cell_mv" not in known(heard, 1)
    say(heard, (cell_frame(2, 4004, 4005, 4006, address=2), 10))
    assert known(heard, 1)["cell_mv"] == [4001, 4002, 4003, 4004, 4005, 4006]
    assert known(heard)["cell_mv"] == [3301, 3302, 3303]


def test_the_real_second_board_and_boards_nobody_configured() -> None:
    second = "a502900800820000753001f45b"
    heard = listen("daly", second)
    assert known(heard) == {}
    assert known(heard, 1) == {"pack_mv": 13000, "current_ma": 0, "soc_pct": 50}
    assert known(listen("daly", second, packs=1)) == {}
    third = listen("daly", a5(0x90, "0082 0000 7530 01f4", 3), packs=3)
    assert [frame.pack for frame in third.frames] == [2]
    assert [known(third, pack) for pack in range(3)] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("probes", "frames", "expected"),
    [
        (1, ["01 37 ff ff ff ff ff ff"], [150]),
        (4, ["01 28 27 00 ff 99 99 99"], [0, -10, -400, 2150]),
        (7, ["01 29 2a 2b 2c 2d 2e 2f"], [10, 20, 30, 40, 50, 60, 70]),
        (8, ["01 29 2a 2b 2c 2d 2e 2f", "02 30 31"], [10, 20, 30, 40, 50, 60, 70, 80]),
        (9, ["02 30 31", "01 29 2a 2b 2c 2d 2e 2f"], [10, 20, 30, 40, 50, 60, 70, 80]),
    ],
)
def test_probes_up_to_their_number(probes: int, frames: list[str], expected: Any) -> None:
    told = [a5(0x96, data) for data in frames]
    assert values_of(counts(8, probes), *told).get("temp_dc") == expected
    assert "temp_dc" not in values_of(*told)


def test_a_frame_of_probes_with_number_0_is_passed_over() -> None:
    heard = listen("daly", counts(8, 8), a5(0x96, "00 29 2a 2b 2c 2d 2e 2f"))
    assert list(heard.packs[0].temp_dc) == [0] * 8
    assert heard.packs[0].probes == 0


def test_a_second_frame_alone_leaves_the_first_probes_unknown() -> None:
    heard = listen("daly", counts(8, 8), a5(0x96, "02 30"))
    assert list(heard.packs[0].temp_dc[:8]) == [NO_PROBE] * 7 + [80]


# --- the direction of the current


def pack(raw: int) -> bytes:
    return a5(0x90, f"0109 0000 {raw:04x} 030a")


def mos(number: int) -> bytes:
    return a5(0x93, f"{number:02x} 01 01 78 0003 cb40")


CHARGING, DISCHARGING, IDLE = 1, 2, 0
CONTRADICTION = (pack(30100), mos(CHARGING))  # 10 A out, says the sheet; charging, says the board


def test_five_contradictions_in_a_row_turn_the_current_round() -> None:
    assert values_of(*CONTRADICTION * 4)["current_ma"] == -10000
    assert "current_ma" not in values_of(*CONTRADICTION * 5)
    assert values_of(*CONTRADICTION * 5, pack(30100))["current_ma"] == 10000
    assert values_of(*CONTRADICTION * 20, pack(29900))["current_ma"] == -10000


def test_a_wrong_word_of_the_owner_is_turned_back() -> None:
    heard = reversed_by_the_owner()
    agreed = (pack(30100), mos(DISCHARGING))
    assert say(heard, (pack(30100), 0))["current_ma"] == 10000
    say(heard, *[(data, 0) for data in agreed * 5])
    assert say(heard, (pack(30100), 0))["current_ma"] == -10000


def reversed_by_the_owner() -> Heard:
    heard = listener("daly")
    heard.memory.configure(config.load({"profile": "daly", "current_reversed": 1}))
    return heard


@pytest.mark.parametrize(
    "between",
    [(pack(30100), mos(DISCHARGING)), (pack(29900), mos(CHARGING))],
    ids=["out", "in"],
)
def test_one_agreement_begins_the_count_anew(between: tuple[bytes, ...]) -> None:
    values = values_of(*CONTRADICTION * 4, *between, *CONTRADICTION * 4, pack(30100))
    assert values["current_ma"] == -10000


@pytest.mark.parametrize("raw", [30019, 30000])
def test_small_currents_prove_nothing(raw: int) -> None:
    assert values_of(*(pack(raw), mos(CHARGING)) * 9, pack(30100))["current_ma"] == -10000
    assert values_of(*(pack(30020), mos(CHARGING)) * 5, pack(30100))["current_ma"] == 10000


@pytest.mark.parametrize("number", [IDLE, 3, 255])
def test_other_states_prove_nothing(number: int) -> None:
    assert values_of(*(pack(30100), mos(number)) * 9, pack(30100))["current_ma"] == -10000


def test_a_state_without_a_current_of_the_same_second_proves_nothing() -> None:
    assert values_of(*[mos(CHARGING)] * 9, pack(30100))["current_ma"] == -10000
    for late, expected in ((1000, 10000), (1001, -10000)):
        heard = listener("daly")
        for second in range(0, 50000, 10000):
            say(heard, (pack(30100), second), (mos(CHARGING), second + late))
        assert say(heard, (pack(30100), 60000))["current_ma"] == expected


def test_each_board_has_its_own_direction() -> None:
    heard = listener("daly")
    say(heard, *[(data, 0) for data in CONTRADICTION * 5])
    say(heard, (pack(30100), 0), (a5(0x90, "0109 0000 7594 030a", 2), 0))
    assert (known(heard)["current_ma"], known(heard, 1)["current_ma"]) == (10000, -10000)


def test_d2_checks_its_direction_within_one_frame() -> None:
    agreeing = status({0x29: 29900, 0x2F: DISCHARGING})
    assert values_of(*[agreeing] * 9)["current_ma"] == -10000
    contradicting = status({0x29: 29900, 0x2F: CHARGING})
    assert values_of(*[contradicting] * 4)["current_ma"] == -10000
    assert "current_ma" not in values_of(*[contradicting] * 5)
    assert values_of(*[contradicting] * 6)["current_ma"] == 10000


def test_81_checks_its_direction_over_two_frames() -> None:
    cells = block(0x51, 0, 64, {0x38: 132, 0x39: 30100, 0x3C: 4, 0x3D: 1, 0x3F: 1})
    asked = read(0x81, 0, 64)
    wrong = (asked, cells, state({0x48: DISCHARGING}))
    assert values_of(*wrong * 4)["current_ma"] == 10000
    assert values_of(*wrong * 5, asked, cells)["current_ma"] == -10000


def over_currents(data: str) -> list[str]:
    heard = reversed_by_the_owner()
    return list(say(heard, (a5(0x98, data + "00" * 5), 0))["faults"])


def test_over_current_alarms_turn_round_with_the_current() -> None:
    assert over_currents("00 00 02") == ["discharge_over_current"]
    assert over_currents("00 00 08") == ["charge_over_current"]
    assert over_currents("00 00 0a") == ["charge_over_current", "discharge_over_current"]
    assert over_currents("02 00 00") == ["cell_over_voltage"]
    assert over_currents("02 00 02") == ["cell_over_voltage", "discharge_over_current"]


def test_a_reversed_board_keeps_what_other_frames_said() -> None:
    heard = reversed_by_the_owner()
    assert say(heard, (pack(30100), 0), (mos(CHARGING), 0))["current_ma"] == 10000
    faults = say(heard, (a5(0x98, "00 00 02" + "00" * 5), 0), (pack(30100), 0))["faults"]
    assert faults == ["discharge_over_current"]
    d2 = reversed_by_the_owner()
    values = say(d2, (status({0x29: 29900, 0x3B: 0x02}), 0))
    assert (values["current_ma"], values["faults"]) == (10000, ["discharge_over_current"])


# --- D2


@pytest.mark.parametrize(
    ("register", "word", "slot", "expected"),
    [
        (0x00, 3, "cell_mv", [3, 3300, 3300, 3300]),
        (0x03, 4250, "cell_mv", [3300, 3300, 3300, 4250]),
        (0x04, 4250, "cell_mv", [3300, 3300, 3300, 3300]),
        (0x20, 0, "temp_dc", [-400]),
        (0x20, 40, "temp_dc", [0]),
        (0x20, 65, "temp_dc", [250]),
        (0x20, 0xFF, "temp_dc", [None]),
        (0x21, 65, "temp_dc", [200]),
        (0x28, 199, "pack_mv", 19900),
        (0x29, 30001, "current_ma", 100),
        (0x29, 29999, "current_ma", -100),
        (0x29, 1, "current_ma", -2999900),
        (0x29, 0, "current_ma", None),
        (0x29, 60000, "current_ma", None),
        (0x2A, 999, "soc_pct", 99),
        (0x2A, 1010, "soc_pct", None),
        (0x2F, 1, "charging_flag", True),
        (0x2F, 2, "charging_flag", False),
        (0x30, 1178, "remaining_mah", 117800),
        (0x33, 60, "cycles", 60),
        (0x35, 1, "charge_fet", True),
        (0x36, 1, "discharge_fet", True),
        (0x3E, 0x8001, "balance", [1, 16]),
        (0x3F, 0x8001, "balance", [17, 32]),
        (0x40, 29500, "balance_ma", -500),
        (0x40, 30001, "balance_ma", 1),
        (0x40, 0, "balance_ma", None),
        (0x40, 60000, "balance_ma", None),
        (0x42, 78, "mos_temp_dc", 380),
        (0x42, 0, "mos_temp_dc", None),
        (0x42, 0xFFFF, "mos_temp_dc", None),
        (0x43, 65, "board_temp_dc", 250),
        (0x43, 0xFFFF, "board_temp_dc", None),
    ],
)
def test_scales_and_signs_of_d2(register: int, word: int, slot: str, expected: Any) -> None:
    assert values_of(D2_STATUS_80, status({register: word}, 80)).get(slot) == expected


@pytest.mark.parametrize(
    ("register", "word", "slot", "expected"),
    [
        (0x80, 1050, "design_mah", 105000),
        (0x8C, 3650, "cell_high_mv", 3650),
        (0x8E, 2600, "cell_low_mv", 2600),
        (0xA3, 3200, "balance_start_mv", 3200),
    ],
)
def test_settings_of_d2(register: int, word: int, slot: str, expected: int) -> None:
    assert (
        values_of(read(0xD2, 0x80, 41), block(0xD2, 0x80, 41, {register: word}))[slot] == expected
    )


def test_d2_reads_of_a_part_take_the_counts_from_before() -> None:
    cells = block(0xD2, 0x01, 2, {1: 3401, 2: 3402})
    probes = block(0xD2, 0x20, 2, {0x20: 66, 0x21: 67})
    asked = (read(0xD2, 1, 2), cells, read(0xD2, 0x20, 2), probes)
    assert values_of(*asked) == {}
    values = values_of(status(), *asked)
    assert values["cell_mv"] == [3300, 3401, 3402, 3300]
    assert values["temp_dc"] == [260]


def test_d2_cells_beyond_thirty_two_are_dropped() -> None:
    words = dict.fromkeys(range(32), 3300) | {0x21: 99, 0x28: 1500, 0x31: 48}
    values = values_of(status(words))
    assert values["cell_mv"] == [3300] * 32
    assert values["temp_dc"] == [200]


def test_d2_cell_at_zero_is_believed_when_it_is_there_twice() -> None:
    assert "cell_mv" not in values_of(status({2: 0}))
    assert values_of(status({2: 0}), status({2: 0}))["cell_mv"] == [3300, 3300, 0, 3300]
    assert values_of(status({2: 0}), status(), status({2: 0}))["cell_mv"] == [3300] * 4
    assert values_of(status({2: 0}))["soc_pct"] == 50


@pytest.mark.parametrize("count", [62, 80])
@pytest.mark.parametrize(
    "words", [{0x2F: 3}, {0x31: 0}, {0x31: 49}, {0x32: 9}, {0x35: 2}, {0x36: 2}, {0x36: 0xFFFF}]
)
def test_a_d2_reply_seen_alone_must_look_like_a_status(count: int, words: dict[int, int]) -> None:
    heard = listen("daly", status(words, count))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert known(heard) == {}
    asked = listen("daly", read(0xD2, 0, count), status(words, count))
    assert known(asked)["soc_pct"] == 50
    assert known(listen("daly", status(None, count)))["soc_pct"] == 50


def test_a_reply_of_another_length_needs_its_request() -> None:
    settings = block(0xD2, 0x80, 41, {0x80: 1050})
    heard = listen("daly", settings)
    assert [(frame.kind, frame.is_reply) for frame in heard.frames] == [("unknown", True)]
    assert known(heard) == {}
    heard = listen("daly", read(0xD2, 0x80, 41), settings)
    assert [(frame.kind, frame.register) for frame in heard.frames] == [
        ("read", 0x80),
        ("reply", 0x80),
    ]
    assert [frame.wanted for frame in heard.frames] == [82, -1]


@pytest.mark.parametrize(
    ("asked", "late", "is_understood"),
    [
        (read(0xD2, 0x80, 41), 1000, True),
        (read(0xD2, 0x80, 41), 1001, False),
        (read(0xD2, 0x80, 40), 100, False),
        (read(0x81, 0x80, 41), 100, False),
    ],
    ids=["right", "late", "other length", "other board"],
)
def test_only_the_right_and_recent_request_counts(
    asked: bytes, late: int, is_understood: bool
) -> None:
    heard = listener("daly").feed(asked, 5000)
    values = say(heard, (block(0xD2, 0x80, 41, {0x80: 1050}), 5000 + late))
    assert ("design_mah" in values) is is_understood


def test_a_request_is_answered_once() -> None:
    settings = block(0xD2, 0x80, 41, {0x80: 1050})
    heard = listen("daly", read(0xD2, 0x80, 41), settings, settings)
    assert [frame.kind for frame in heard.frames] == ["read", "reply", "unknown"]


def test_a_request_decides_over_the_length() -> None:
    heard = listen("daly", read(0xD2, 0x100, 62), status())
    assert heard.frames[-1].register == 0x100
    assert known(heard) == {}


def test_version_strings_of_d2() -> None:
    words = {0xA9: 0x5230, 0xAA: 0x3100, 0xB1: 0x4432, 0xC1: 0x5858}
    values = values_of(read(0xD2, 0xA9, 32), block(0xD2, 0xA9, 32, words))
    assert values == {"firmware": "R01", "model": "D2"}


# --- 81 and 51


@pytest.mark.parametrize(
    ("register", "word", "slot", "expected"),
    [
        (0x03, 4250, "cell_mv", [3300, 3300, 3300, 4250]),
        (0x30, 0xFF, "temp_dc", [None]),
        (0x30, 30, "temp_dc", [-100]),
        (0x38, 199, "pack_mv", 19900),
        (0x39, 29911, "current_ma", -8900),
        (0x39, 30001, "current_ma", 100),
        (0x3A, 864, "soc_pct", 86),
    ],
)
def test_scales_and_signs_of_81_cells(register: int, word: int, slot: str, expected: Any) -> None:
    usual = {0: 3300, 1: 3300, 2: 3300, 3: 3300, 0x30: 60, 0x38: 132, 0x39: 30000}
    reply = block(0x51, 0, 64, {**usual, 0x3C: 4, 0x3D: 1, 0x3F: 1, register: word})
    assert values_of(reply)[slot] == expected


@pytest.mark.parametrize(
    ("register", "word", "slot", "expected"),
    [
        (0x48, 1, "charging_flag", True),
        (0x4B, 2709, "remaining_mah", 270900),
        (0x4C, 7, "cycles", 7),
        (0x4E, 30250, "balance_ma", 250),
        (0x4E, 0, "balance_ma", None),
        (0x4F, 0x8001, "balance", [1, 16]),
        (0x50, 0x0002, "balance", [18]),
        (0x51, 0xFFFF, "balance", []),
        (0x52, 1, "charge_fet", True),
        (0x53, 1, "discharge_fet", True),
        (0x5A, 64, "mos_temp_dc", 240),
        (0x5A, 0, "mos_temp_dc", None),
        (0x5B, 70, "board_temp_dc", 300),
        (0x5B, 0xFF, "board_temp_dc", None),
        (0x66, 0x1234, "alarm_1_raw", 0x1234),
        (0x69, 0x0080, "alarm_4_raw", 0x0080),
    ],
)
def test_scales_and_signs_of_81_state(register: int, word: int, slot: str, expected: Any) -> None:
    assert values_of(state({register: word})).get(slot) == expected


# Sheet 4: code, bits, name of the first stage where it has its own, name.
CODES_81 = [
    (0, (0, 1, 2), "cell_voltage_high", "cell_over_voltage"),
    (0, (3, 4, 5), None, "cell_under_voltage"),
    (0, (7,), None, "charger"),
    (1, (0, 1, 2), None, "cell_difference"),
    (1, (3, 4, 5), "charge_temperature_high", "charge_over_temperature"),
    (1, (7,), None, "load"),
    (2, (0, 1, 2), None, "charge_under_temperature"),
    (2, (3, 4, 5), "discharge_temperature_high", "discharge_over_temperature"),
    (2, (6,), None, "board_over_temperature"),
    (2, (7,), None, "temperature_sensor"),
    (3, (0, 1, 2), None, "discharge_under_temperature"),
    (3, (3, 4, 5), None, "temperature_difference"),
    (3, (6,), None, "board_over_temperature"),
    (3, (7,), None, "temperature_sensor"),
    (4, (0, 1, 2), "pack_voltage_high", "pack_over_voltage"),
    (4, (3, 4, 5), None, "pack_under_voltage"),
    (4, (6,), None, "short_circuit"),
    (5, (0, 1, 2), None, "charge_over_current"),
    (5, (3, 4, 5), None, "discharge_over_current"),
    (5, (6,), None, "pack_under_voltage"),
    (5, (7,), None, "pack_over_voltage"),
    (6, (0, 1, 2), None, "low_charge"),
    (6, (3, 4, 5), None, "low_health"),
    (6, (7,), None, "parallel"),
    (7, (0, 1, 2), None, "board_over_temperature"),
    (7, (3, 4, 5), None, "thermal_runaway"),
    (11, (0, 1, 2, 3, 5), None, "front_end"),
    (11, (4,), None, "sense_wire"),
    (11, (6,), None, "current_sensor"),
    (11, (7,), None, "temperature_sensor"),
    (12, (0,), None, "temperature_sensor"),
    (12, (1, 2), None, "memory"),
    (12, (3,), None, "clock"),
    (12, (4,), None, "charge_fet"),
    (12, (5,), None, "discharge_fet"),
    (12, (6, 7), None, "precharge"),
    (13, (0, 1, 2, 3), None, "software_lock"),
    (13, (7,), None, "heater"),
]


@pytest.mark.parametrize("code", range(14))
@pytest.mark.parametrize("bit", range(8))
def test_each_fault_code_bit_of_81_by_name(code: int, bit: int) -> None:
    expected = [
        first if first and bit == bits[0] else name
        for number, bits, first, name in CODES_81
        if number == code and bit in bits
    ]
    word = 1 << bit + 8 * (code & 1)  # the even code in the low byte
    assert values_of(state({0x6D + code // 2: word}))["faults"] == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (1, ["cell_voltage_high"]),
        (2, ["cell_over_voltage"]),
        (3, ["cell_over_voltage", "cell_voltage_high"]),
        (4, ["cell_over_voltage"]),
    ],
)
def test_levels_of_81(level: int, expected: list[str]) -> None:
    assert values_of(state({0x6D: level}))["faults"] == expected


@pytest.mark.parametrize("words", [{0x48: 3}, {0x52: 2}, {0x53: 2}])
def test_an_81_state_seen_alone_must_look_like_one(words: dict[int, int]) -> None:
    assert values_of(state(words)) == {}
    assert values_of(STATE_81, state(words))["cycles"] == 0


@pytest.mark.parametrize("words", [{0x3C: 0}, {0x3C: 49}, {0x3D: 9}, {0x3F: 0}, {0x3F: 49}])
def test_81_cells_seen_alone_must_look_like_them(words: dict[int, int]) -> None:
    usual = {0x3A: 500, 0x3C: 4, 0x3D: 1, 0x3F: 1}
    assert values_of(block(0x51, 0, 64, {**usual, **words})) == {}
    assert values_of(CELLS_81, block(0x51, 0, 64, {**usual, **words}))["soc_pct"] == 50
    assert values_of(block(0x51, 0, 64, usual))["soc_pct"] == 50


def test_the_second_numbered_board() -> None:
    cells = {0: 3300, 0x39: 29900, 0x3A: 500, 0x3C: 1, 0x3D: 1, 0x3F: 1}
    spoken = (read(0x82, 0x100, 12), block(0x52, 0x100, 12, {0x109: 4, 0x10A: 0xCA90}))
    heard = listen("daly", block(0x52, 0, 64, cells), state({0x4C: 9}, 0x52), *spoken)
    assert [frame.pack for frame in heard.frames] == [1, 1, 1, 1]
    assert known(heard) == {}
    values = known(heard, 1)
    assert (values["cell_mv"], values["current_ma"], values["cycles"]) == ([3300], -10000, 9)
    assert values["design_mah"] == 314000
    assert known(listen("daly", block(0x52, 0, 64, cells), packs=1)) == {}


def test_a_reply_of_one_board_is_not_the_answer_of_the_other() -> None:
    heard = listen("daly", read(0x82, 0x100, 12), block(0x51, 0x100, 12, {0x109: 4}))
    assert [frame.kind for frame in heard.frames] == ["read", "unknown"]
    assert known(heard) == {}


@pytest.mark.parametrize(
    ("data", "kind", "is_request", "is_reply", "pack"),
    [
        ("d2030000003ed7b9", "read", True, False, 0),
        ("8103000000405bfa", "read", True, False, 0),
        (read(0x82, 0, 64).hex(), "read", True, False, 1),
        ("d20600a500014b8a", "write", False, False, 0),
        ("810601210001063c", "write", False, False, 0),
        (crc(bytes.fromhex("510601210001")).hex(), "ack", False, True, 0),
        (crc(bytes.fromhex("520601210001")).hex(), "ack", False, True, 1),
        (crc(bytes.fromhex("d21000a50002")).hex(), "write", False, False, 0),
        (crc(bytes.fromhex("600601210001")).hex(), "ack", False, True, 15),
        (crc(bytes.fromhex("900300000040")).hex(), "read", True, False, 15),
        (crc(bytes.fromhex("900601210001")).hex(), "write", False, False, 15),
        (crc(bytes.fromhex("d20400000001")).hex(), "unknown", False, False, 0),
    ],
)
def test_orders(data: str, kind: str, is_request: bool, is_reply: bool, pack: int) -> None:
    heard = listen("daly", data)
    (frame,) = heard.frames
    assert (frame.kind, frame.is_request, frame.is_reply) == (kind, is_request, is_reply)
    assert (frame.pack, frame.register) == (pack, int(data[4:8], 16))
    assert known(heard) == {}


# --- all together


def test_no_password_is_kept_anywhere() -> None:
    secrets = [e for e in entries("daly") if "313233343536" in e["hex"]]
    assert len(secrets) == 3
    for entry in secrets:
        heard = hear("daly", entry)
        assert [frame.data.hex() for frame in heard.frames] == [entry["request_hex"], entry["hex"]]
        t = heard.packs[0]
        kept = b"".join(text_of(t, name) for name in TEXTS)
        numbers = [*t.value, *t.cell_mv, *t.temp_dc, *heard.memory.set_mv]
        assert b"1" not in kept
        assert not {0x3132, 0x3334, 0x3536} & set(numbers)


def test_a_stream_of_all_dialects_in_pieces() -> None:
    spoken = [data for e in entries("daly") for data in (e["request_hex"], e["hex"])]
    for chunk in (1, 5, 128):
        heard = listen("daly", "".join(spoken), chunk=chunk)
        assert [frame.data.hex() for frame in heard.frames] == spoken
        assert (heard.framer.numbers[NOISE], heard.framer.numbers[DAMAGED]) == (0, 0)


def test_requests_are_the_sheets_and_only_reads() -> None:
    assert requests("daly") == [
        "a54094080000000000000000" + "81",
        "a54090080000000000000000" + "7d",
        "a54093080000000000000000" + "80",
        "a54095080000000000000000" + "82",
        "a54096080000000000000000" + "83",
        "a54098080000000000000000" + "85",
        "a54097080000000000000000" + "84",
        "a54050080000000000000000" + "3d",
        "a54059080000000000000000" + "46",
        "d2030000003ed7b9",
        "d203003e0009f7a3",
        "d20300800029965f",
        "d20300a900208791",
        "8103000000405bfa",
        "81030041003e8bce",
        "81030178004a5a18",
    ]


class Sink:
    """Takes alerts and forgets them."""

    def on_alert(self, alerts: Any, code: int) -> None:
        pass


def test_on_the_dongle_a_torn_set_of_cells_is_never_judged() -> None:
    core = Pipeline(config.load({"profile": "daly", "current_reversed": 1}), Sink(), strict=True)

    def feed(data: bytes, now: int) -> None:
        core.feed(0, bytearray(data.ljust(CHUNK, b"\0")), len(data), now)
        core.tick(now)

    lowest = INDEX["lowest_mv"]
    t = core.packs[0].telemetry
    feed(counts(8), 1000)
    for data, now in ((FIRST, 1010), (SECOND, 1020), (THIRD, 1030)):
        assert not t.seen[lowest]
        feed(data, now)
    assert (t.value[lowest], t.value[INDEX["cell_spread_mv"]]) == (3301, 7)
    for now in (2010, 3010, 4010):  # from here on the last frame of each burst is lost
        feed(cell_frame(1, 2500, 2500, 2500), now)
        feed(cell_frame(2, 2500, 2500, 2500), now + 10)
        assert t.value[lowest] == 3301
    feed(pack(30100), 4100)
    assert t.value[INDEX["current_ma"]] == 10000
    assert core.unknown == 0


def test_decoding_allocates_nothing(micropython32: MicroPython, repo_root: Path) -> None:
    script: Path = repo_root / "tests" / "unix" / "decode_locked.py"
    sets = [counts(8), FIRST, SECOND, THIRD, a5(0x96, "01 37"), a5(0x98, "0202020202020202")]
    made = [*CONTRADICTION * 6, *sets, status({2: 0}), status(), state({0x6D: 0xFFFF})]
    frames = [data for e in entries("daly") for data in (e["request_hex"], e["hex"])]
    frames += [data.hex() for data in made]
    said = micropython32.run(script, "daly", stdin="\n".join(frames).encode())
    assert said.split() == ["frames", str(len(frames)), "bits", "31"]


def test_the_family_says_what_the_pipeline_asks_of_it() -> None:
    assert daly.BAUDS == (9600,)
    assert set(names(daly.STEADY)) <= {*SLOTS, "cell_mv", "temp_dc"}

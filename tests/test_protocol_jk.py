"""JK on all its wires: every published frame, what their sources say of them, scales and signs
from tables written by hand, packs of a bus kept apart, damage, noise, and secrets that pass by.

Run with -s to see how many frames of which kind decode.
"""

import random
import struct
from pathlib import Path
from typing import Any

import pytest
from bench_rows import text_of
from conftest import MicroPython
from deckwatch.frame import DAMAGED, NOISE
from deckwatch.index import PROFILES, PROTOCOLS
from deckwatch.passing import names
from deckwatch.protocols import jk_tlv
from deckwatch.protocols.jk_modbus import Memory
from deckwatch.rows import TEXTS
from deckwatch.telemetry import INDEX, SLOTS
from families import Heard, entries, listen, listener, protocol
from given_frames import check, damaged, hear, known, requests
from hypothesis import assume, given, settings
from hypothesis import strategies as st

ENTRIES = entries("jk")
LOCKED = Path(__file__).parent / "unix" / "decode_locked.py"


def entry_of(meaning: str) -> dict[str, Any]:
    """The one published frame whose meaning begins so."""
    (found,) = [entry for entry in ENTRIES if entry["meaning"].startswith(meaning)]
    return found


# --- frames made here, byte by byte from the sheet -----------------------------------------------


def crc16(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def tlv(registers: str = "", command: int = 6, kind: int = 1, mark: int = 0x68) -> bytes:
    """A "4E 57" frame (1.2); `registers` is the hex of its information field."""
    inner = bytes.fromhex(registers)
    frame = b"\x4e\x57" + struct.pack(">H", 18 + len(inner)) + bytes(4)
    frame += bytes([command, 0, kind]) + inner + bytes(4) + bytes([mark])
    return frame + bytes(2) + struct.pack(">H", sum(frame) & 0xFFFF)


def summed(frame: bytes) -> bytes:
    return frame + bytes([sum(frame) & 0xFF])


def jk02(kind: int, *fields: tuple[int, str, int], counter: int = 0x77) -> bytes:
    """A frame of 300 bytes (2), all 0 but `fields`: (place, struct code, raw)."""
    frame = bytearray(299)
    frame[:6] = bytes([0x55, 0xAA, 0xEB, 0x90, kind, counter])
    for place, code, raw in fields:
        struct.pack_into(code, frame, place, raw)
    return summed(bytes(frame))


def live_32(cells: list[int], *fields: tuple[int, str, int], counter: int = 0x77) -> bytes:
    """Live data of a board for 32 cells; its pack voltage is the sum unless `fields` say else."""
    words = [(6 + 2 * cell, "<H", mv) for cell, mv in enumerate(cells)]
    head = [(70, "<I", (1 << len(cells)) - 1), (150, "<I", sum(cells))]
    return jk02(2, *words, *head, *fields, counter=counter)


def live_24(cells: list[int], *fields: tuple[int, str, int]) -> bytes:
    """Live data of a board for 24 cells."""
    words = [(6 + 2 * cell, "<H", mv) for cell, mv in enumerate(cells)]
    head = [(54, "<I", (1 << len(cells)) - 1), (118, "<I", sum(cells))]
    return jk02(2, *words, *head, *fields)


def ack(address: int, register: int = 0x1620) -> bytes:
    data = struct.pack(">BBHH", address, 0x10, register, 1)
    return data + crc16(data)


def trigger(address: int, register: int = 0x1620) -> bytes:
    data = struct.pack(">BBHHBH", address, 0x10, register, 1, 2, 0)
    return data + crc16(data)


def ask(register: int, words: int, address: int = 1) -> bytes:
    data = struct.pack(">BBHH", address, 3, register, words)
    return data + crc16(data)


def answer(data: bytes, address: int = 1) -> bytes:
    head = bytes([address, 3, len(data)]) + data
    return head + crc16(head)


def image(size: int, *fields: tuple[int, str, int]) -> bytes:
    """An address space of so many bytes, all 0 but `fields`."""
    data = bytearray(size)
    for place, code, raw in fields:
        struct.pack_into(code, data, place, raw)
    return bytes(data)


def kinds(heard: Heard) -> list[str]:
    return [frame.kind for frame in heard.frames]


# --- published frames ----------------------------------------------------------------------------


def test_family_and_profile_are_in_the_index() -> None:
    assert "jk" in PROTOCOLS
    assert "jk" in PROFILES
    assert protocol("jk").BAUDS == (115200, 9600, 2400)


def test_every_published_frame_decodes_to_what_is_expected() -> None:
    found, slots = check("jk", lambda _hex, _slot, expected, got: got == expected)
    assert found == {"reply": 48, "paint": 2, "ack": 1, "rejected": 4}
    assert slots == {
        "pack_mv": 34,
        "cell_mv": 33,
        "current_ma": 30,
        "soc_pct": 30,
        "charge_fet": 28,
        "discharge_fet": 28,
        "cycles": 26,
        "remaining_mah": 18,
    }


def milli(value: float) -> int:
    return round(value * 1000)


def deci(value: float) -> int:
    return round(value * 10)


# What the sources of the frames, or the sheet's author by hand, say of them: name there -> slot
# and scale. Kept apart from the firmware's rows.
TOLD = {
    "jk_4e57": {
        "mos_temp_c": ("mos_temp_dc", deci),
        "voltage_v": ("pack_mv", milli),
        "current_a": ("current_ma", milli),
        "soc_pct": ("soc_pct", int),
        "ntc_count": ("probe_count", int),
        "cycles": ("cycles", int),
        "cycle_capacity_ah": ("cycled_mah", milli),
        "strings": ("cell_count", int),
        "capacity_ah": ("design_mah", milli),
        "runtime_min": ("run_time_s", lambda minutes: 60 * minutes),
        "charge_mos_on": ("charge_fet", bool),
        "discharge_mos_on": ("discharge_fet", bool),
        "balancing": ("balancing", int),
        "software": ("firmware", str),
    },
    "settings": {
        "pack_ovp_v": ("pack_high_mv", milli),
        "pack_uvp_v": ("pack_low_mv", milli),
        "cell_ovp_mv": ("cell_high_mv", int),
        "cell_ovpr_mv": ("cell_high_clear_mv", int),
        "cell_uvp_mv": ("cell_low_mv", int),
        "cell_uvpr_mv": ("cell_low_clear_mv", int),
        "discharge_ocp_a": ("discharge_limit_ma", milli),
        "charge_ocp_a": ("charge_limit_ma", milli),
    },
    "jk02": {
        "voltage_v": ("pack_mv", milli),
        "current_a": ("current_ma", milli),
        "mos_temp_c": ("mos_temp_dc", deci),
        "balance_current_a": ("balance_ma", milli),
        "balance_action": ("balancing", int),
        "soc_pct": ("soc_pct", int),
        "remaining_ah": ("remaining_mah", milli),
        "full_capacity_ah": ("full_mah", milli),
        "cycles": ("cycles", int),
        "cycle_capacity_ah": ("cycled_mah", milli),
        "runtime_s": ("run_time_s", int),
        "charge_fet": ("charge_fet", bool),
        "discharge_fet": ("discharge_fet", bool),
        "heating": ("heater", int),
        "cell_uvp_v": ("cell_low_mv", milli),
        "cell_uvpr_v": ("cell_low_clear_mv", milli),
        "cell_ovp_v": ("cell_high_mv", milli),
        "cell_ovpr_v": ("cell_high_clear_mv", milli),
        "balance_trigger_v": ("balance_on_mv", milli),
        "max_charge_a": ("charge_limit_ma", milli),
        "max_discharge_a": ("discharge_limit_ma", milli),
        "charge_otp_c": ("charge_hot_dc", deci),
        "discharge_otp_c": ("discharge_hot_dc", deci),
        "charge_utp_c": ("charge_cold_dc", deci),
        "mos_otp_c": ("mos_hot_dc", deci),
        "nominal_capacity_ah": ("design_mah", milli),
        "balance_start_v": ("balance_start_mv", milli),
        "model": ("model", str),
        "sw": ("firmware", str),
        "uptime_s": ("run_time_s", int),
        "date": ("made_on", lambda date: f"20{date[:2]}-{date[2:4]}-{date[4:]}"),
        "serial": ("serial", str),
    },
    "jk_display_a55a": {
        "voltage_v": ("pack_mv", milli),
        "current_a": ("current_ma", milli),
        "soc_pct": ("soc_pct", int),
        "balance_switch": ("balancing", int),
        "charge_mos": ("charge_fet", bool),
        "discharge_mos": ("discharge_fet", bool),
    },
    "jk_display_pb_5aa5": {
        "voltage_v": ("pack_mv", milli),
        "current_a": ("current_ma", milli),
        "soc_pct": ("soc_pct", int),
        "remaining_ah": ("remaining_mah", milli),
        "temp_c": ("temp_dc", lambda celsius: [10 * celsius]),
    },
    "jk_balancer_eb90": {
        "voltage_v": ("pack_mv", milli),
        "balance_current_ma": ("balance_ma", int),
        "cells_detected": ("cell_count", int),
        "trigger_mv": ("balance_on_mv", int),
        "temp_raw": ("board_temp_dc", int),
    },
}


def compare(values: dict[str, Any], told: dict[str, Any], names: dict[str, Any]) -> int:
    """Counts the values that agree; the first that does not fails the test."""
    agreed = 0
    for name, (slot, scale) in names.items():
        if name in told:
            assert values[slot] == scale(told[name]), (name, values[slot])
            agreed += 1
    return agreed


def test_frames_say_what_their_sources_say() -> None:
    agreed: dict[str, int] = {}
    for entry in ENTRIES:
        if entry.get("must") == "reject":
            continue
        told = entry["decoded"]
        heard = hear("jk", entry)
        values = known(heard, heard.frames[-1].pack)
        family = "jk02" if entry["hex"].startswith("55aaeb90") else entry["family"]
        count = compare(values, told, TOLD.get(family, {}))
        if family == "jk_4e57":
            count += compare(values, told["settings"], TOLD["settings"])
            assert values["temp_dc"] == [10 * told["t1_box_c"], 10 * told["t2_batt_c"]]
            assert values.get("full_mah", 0) == 1000 * told["actual_capacity_ah"]
        if "cells_mv" in told:
            assert values["cell_mv"] == told["cells_mv"]
        if "cell_resistance_mohm" in told:
            t = heard.packs[heard.frames[-1].pack]
            assert list(t.wire_mohm[: t.wires]) == told["cell_resistance_mohm"]
        if "t1_c" in told:
            assert values["temp_dc"][:2] == [deci(told["t1_c"]), deci(told["t2_c"])]
            assert values.get("health_pct", 0) == told["soh_pct"]
        if count:
            agreed[family] = agreed.get(family, 0) + count
    assert agreed == {
        "jk_4e57": 10 * 22,
        "jk02": 16 * 13 + 12 + 3 * 13 + 9 * 5,
        "jk_balancer_eb90": 4 * 5,
        "jk_display_a55a": 2 * 6,
        "jk_display_pb_5aa5": 2 * 5,
    }


# Signs and scales of real frames, read off the bytes by hand.
BY_HAND = [
    (
        # 84 80 D0, 83 14 EF, 80 00 1D, 81 00 1E, 82 00 1C, A5 FF EC
        "read-all (cmd 06) reply, 14S Li-ion, charging +2.08 A",
        {"current_ma": 2080, "pack_mv": 53590, "mos_temp_dc": 290, "temp_dc": [300, 280]}
        | {"charge_cold_dc": -200, "discharge_limit_ma": 7000, "charge_limit_ma": 5000},
    ),
    (
        # 84 03 70, 89 00 00 16 86, B6 00 01 7F 2A
        "read-all reply, 16S LFP, JK_B1A24S15P fw 11.262H: discharging -8.80 A",
        {"current_ma": -8800, "cycled_mah": 5_766_000, "run_time_s": 98_090 * 60},
    ),
    (
        # 84 83 F4, AA 00 00 00 E6, B9 00 00 00 E6
        "read-all reply, 16S LFP, JK_B1A24S15P fw 11.262H: charging +10.12 A",
        {"current_ma": 10120, "design_mah": 230_000, "full_mah": 230_000},
    ),
    (
        # 8B 02 00, 8C 00 02
        "read-all reply, 16S LFP, JK_B1A24S15P fw 11.262H: cold pack",
        {"faults": ["under_temperature"], "charge_fet": False, "discharge_fet": True}
        | {"balancing": 0, "temp_dc": [30, 30], "charge_cold_dc": 30},
    ),
    (
        # 8B 00 08, 8C 00 05, 85 00, 87 00 23
        "read-all reply, 16S LFP, JK_B1A24S15P fw 11.262H: empty pack",
        {"faults": ["pack_under_voltage"], "charge_fet": True, "discharge_fet": False}
        | {"balancing": 1, "soc_pct": 0, "cycles": 35},
    ),
    (
        # 158: 3E 21 00 00, 144: D7 00, 166: 00 00 08 00, 162: D5 00 D9 00, 256: D4 00 DA 00
        "STATUS, 16S, charging +8.510 A",
        {"current_ma": 8510, "mos_temp_dc": 215, "temp_dc": [213, 217, 212, 218]}
        | {"faults": ["default_password"], "full_mah": 280_000, "health_pct": 100},
    ),
    (
        # 130: E1 FF E3 FF, 134: 05 00, 118: 22 A7 00 00, 154: B8 12 72 00
        "JK02 300-byte frame CELL_INFO_JK02_24S_V10_NEG_TEMPS",
        {"temp_dc": [-31, -29], "mos_temp_dc": 5, "pack_mv": 42786, "cycled_mah": 7_475_896},
    ),
    (
        # 136: 04 00, 141: 00, 158: 00
        "JK02 24S cell info, 4S pack, recorded on the UART",
        {"faults": ["cell_count"], "soc_pct": 0, "cell_count": 4, "temp_dc": [204, 200]},
    ),
    (
        # 126: BB 2F 00 00
        "cell info, 8S, fw 10.02 (24S layout), raw current +12.219 A",
        {"current_ma": 12219, "mos_temp_dc": 283, "temp_dc": [268, 248], "cell_count": 8},
    ),
    (
        # 158: 74 CE FF FF, 170: C6 07, 172: 01, 256: F5 00 F0 00
        "cell info frame, JK02_32S_v19.27",
        {"current_ma": -12684, "balance_ma": 1990, "balancing": 1}
        | {"temp_dc": [233, 236, 245, 240]},
    ),
    (
        # 256: 30 F8 30 F8
        "cell info (temperature sensors 4/5 absent = -200.0)",
        {"temp_dc": [277, 275, None, None], "current_ma": 445, "health_pct": 99},
    ),
    (
        # 256: 00 00 00 00
        "cell info, 4S, JK_B2A8S20P fw 11.50",
        {"temp_dc": [300, 304, None, None], "current_ma": 33292, "health_pct": 79}
        | {"cycled_mah": 107_478_918, "faults": ["default_password"]},
    ),
    (
        # 98: 9C FF FF FF, 50: F0 49 02 00, 130: 60 5B 03 00, 138: 16 0D 00 00
        "SETTINGS payload + 8-byte FC10 ack",
        {"charge_cold_dc": -100, "charge_limit_ma": 150_000, "design_mah": 220_000}
        | {"balance_start_mv": 3350, "cell_high_mv": 3650, "balance_on_mv": 5},
    ),
]


@pytest.mark.parametrize(("meaning", "expected"), BY_HAND, ids=lambda x: str(x)[:40])
def test_signs_and_scales_of_real_frames(meaning: str, expected: dict[str, Any]) -> None:
    heard = hear("jk", entry_of(meaning))
    values = known(heard, heard.frames[-1].pack)
    assert {slot: values[slot] for slot in expected} == expected


def displays() -> list[dict[str, Any]]:
    return [known(hear("jk", entry)) for entry in ENTRIES if entry["hex"].startswith("a55a5d")]


def test_display_of_a_board_that_tells_its_temperatures_and_of_one_that_does_not() -> None:
    without, told = displays()
    assert (told["pack_mv"], told["soc_pct"], told["mos_temp_dc"]) == (52530, 99, 260)
    assert (told["temp_dc"], told["balancing"], told["faults"]) == ([240], 0, [])
    assert (without["pack_mv"], without["soc_pct"], without["balancing"]) == (26610, 100, 1)
    assert "mos_temp_dc" not in without
    assert "temp_dc" not in without


def test_display_of_a_pb_board_counts_what_flows_out_as_negative() -> None:
    values = known(hear("jk", entry_of("PB series LCD V1.0 cell frame")))
    first = [3273, 3273, 3272, 3270, 3272, 3273, 3270, 3275]
    assert values == {"cell_mv": [*first, 3274, 3275, 3272, 3274, 3270, 3273, 3273, 3270]}
    main = [entry for entry in ENTRIES if entry["hex"].startswith("5aa521")]
    for entry in main:
        values = known(hear("jk", entry))
        assert (values["current_ma"], values["remaining_mah"]) == (-6600, 208_700)
        assert (values["charge_fet"], values["discharge_fet"]) == (True, True)
    assert len(main) == 2


# --- 4E 57 ---------------------------------------------------------------------------------------

# A list as boards send it, short: firmware (B7) says that it is one, C0 = 1 the way of the current
FIRMWARE = "b7" + b"11.XW_S11.262H_".hex()
NEW = "c001"


def tlv_values(registers: str) -> dict[str, Any]:
    heard = listen("jk", tlv(registers))
    assert kinds(heard) == ["reply"]
    assert heard.frames[0].body.hex() == registers
    return known(heard)


TEMPERATURES = [
    (0, 0),
    (1, 10),
    (99, 990),
    (100, 1000),
    (101, -10),
    (116, -160),
    (140, -400),
]


@pytest.mark.parametrize(("raw", "dc"), TEMPERATURES)
def test_tlv_temperatures_above_100_are_below_zero(raw: int, dc: int) -> None:
    values = tlv_values(f"80{raw:04x}81{raw:04x}820019")
    assert values == {"mos_temp_dc": dc, "temp_dc": [dc, 250]}


def test_tlv_temperature_out_of_range_is_none() -> None:
    assert tlv_values("80008d81ffff820019") == {"temp_dc": [None, 250]}


CURRENTS = [
    # 84, rest of the list, mA
    ("0045", FIRMWARE + NEW, -690),
    ("80d0", FIRMWARE + NEW, 2080),
    ("ffff", FIRMWARE + NEW, 327_670),
    ("7fff", FIRMWARE + NEW, -327_670),
    ("8000", FIRMWARE + NEW, 0),
    ("8001", NEW, 10),  # C0 = 1 says it, list or not
    ("2710", FIRMWARE, 0),
    ("2328", FIRMWARE, 10_000),
    ("2af8", FIRMWARE, -10_000),
    ("2af8", FIRMWARE + "c000", -10_000),
    ("2af8", FIRMWARE + "c002", None),  # nobody knows a second way
    ("2af8", "", None),  # an answer to a read of 84 alone
    ("2af8", FIRMWARE + "d00000", None),  # what follows is unknown, C0 may be among it
    ("2af8", FIRMWARE + "b9000000", None),  # cut short
]


@pytest.mark.parametrize(("raw", "rest", "ma"), CURRENTS)
def test_tlv_current_is_read_as_c0_says(raw: str, rest: str, ma: int | None) -> None:
    assert tlv_values("84" + raw + rest).get("current_ma") == ma


@pytest.mark.parametrize(
    ("registers", "soc", "cycles"),
    [
        ("8500870000", None, None),  # the first 16 s
        ("8500870001", 0, 1),
        ("8501870000", 1, 0),
        ("8500", None, None),
        ("8537", 55, None),
        ("870000", None, None),
        ("870023", None, 35),
    ],
)
def test_tlv_charge_and_cycles_of_a_board_just_started(
    registers: str, soc: int | None, cycles: int | None
) -> None:
    values = tlv_values(registers)
    assert (values.get("soc_pct"), values.get("cycles")) == (soc, cycles)


def test_tlv_cells_go_by_their_number() -> None:
    assert tlv_values("79060f0ce4100ce5")["cell_mv"] == [0] * 14 + [3300, 3301]
    assert tlv_values("7906000ce4010ce5") == {"cell_mv": [3301]}  # they count from 1
    assert not any(listen("jk", tlv("7903000ce4")).packs[0].cell_mv)
    assert tlv_values("7905010ce4020c") == {"cell_mv": [3300]}  # the second is cut
    assert tlv_values("790083149f") == {"pack_mv": 52790}
    most = "".join(f"{cell:02x}{3000 + cell:04x}" for cell in range(1, 41))
    assert tlv_values(f"79{40 * 3:02x}{most}")["cell_mv"] == [3001 + cell for cell in range(32)]


def test_tlv_dead_cell_stays_at_0() -> None:
    assert tlv_values("7909010ce4020000030ce4")["cell_mv"] == [3300, 0, 3300]


@pytest.mark.parametrize("unknown", ["8800", "8d0000", "7f01", "78", "c100", "ff00000000"])
def test_tlv_stops_at_what_it_does_not_know(unknown: str) -> None:
    assert tlv_values("8301f4" + unknown + "850a870001") == {"pack_mv": 5000}


@pytest.mark.parametrize("cut", ["83", "8301", "7906010ce402", "79", "b7313233"])
def test_tlv_stops_where_a_register_is_cut_short(cut: str) -> None:
    assert tlv_values("8a0010" + cut) == {"cell_count": 16}


REGISTERS = [
    ("83149f", "pack_mv", 52790),
    ("8602", "probe_count", 2),
    ("8900001686", "cycled_mah", 5_766_000),
    ("89ffffffff", "cycled_mah", None),
    ("8a0020", "cell_count", 32),
    ("8e16b2", "pack_high_mv", 58100),
    ("8f10f4", "pack_low_mv", 43400),
    ("901036", "cell_high_mv", 4150),
    ("911004", "cell_high_clear_mv", 4100),
    ("930c1c", "cell_low_mv", 3100),
    ("940c80", "cell_low_clear_mv", 3200),
    ("97006e", "discharge_limit_ma", 110_000),
    ("990055", "charge_limit_ma", 85_000),
    ("9b0bb8", "balance_start_mv", 3000),
    ("9c0032", "balance_on_mv", 50),
    ("9e0064", "mos_hot_dc", 1000),
    ("a3003c", "charge_hot_dc", 600),
    ("a40046", "discharge_hot_dc", 700),
    ("a5ffec", "charge_cold_dc", -200),
    ("a50003", "charge_cold_dc", 30),
    ("a7ffec", "discharge_cold_dc", -200),
    ("aa00000118", "design_mah", 280_000),
    ("b6000182e3", "run_time_s", 99_043 * 60),
    ("b900000131", "full_mah", 305_000),
    ("b900000000", "full_mah", None),
    ("8c0001", "charge_fet", True),
    ("8c0001", "discharge_fet", False),
    ("8c0002", "discharge_fet", True),
    ("8c0002", "charge_fet", False),
    ("8c0004", "balancing", 1),
    ("8cfff8", "balancing", 0),
    (FIRMWARE, "firmware", "11.XW_S11.262H_"),
]


@pytest.mark.parametrize(("registers", "slot", "expected"), REGISTERS)
def test_tlv_registers(registers: str, slot: str, expected: Any) -> None:
    assert tlv_values(registers).get(slot) == expected


# Registers whose meaning is one number in one place; 80 to 82, 84, 85 and 87 hang on others.
PLAIN = [
    row
    for row in jk_tlv.REGISTERS
    if len(row) > 3 and row[2] in (">H", ">h", ">I", "B")
    if row[0] not in (0x84, 0x85, 0x87) and row[3] in SLOTS
]


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: f"{row[0]:02X}")
@given(data=st.data())
def test_tlv_any_number_of_a_register_comes_back(row: Any, data: st.DataObject) -> None:
    """Walked like any other, with a cell before and the percent behind it."""
    wire = data.draw(st.binary(min_size=row[1], max_size=row[1]))
    mul, div, add, _, _, absent = (*row[4:], *(1, 1, 0, 1, 0, None)[len(row) - 4 :])
    raw = int.from_bytes(wire, "big", signed=row[2] == ">h")
    heard = listen("jk", tlv(f"790301 0ce4 {row[0]:02x}{wire.hex()} 8532"))
    t = heard.packs[0]
    fits = abs(raw * mul) < 1 << 30 and -(1 << 30) < raw < 1 << 30 and raw != absent
    assert bool(t.seen[INDEX[row[3]]]) is fits
    if fits:
        assert t.value[INDEX[row[3]]] == raw * mul // div + add
    assert t.cell_mv[0] == 3300
    assert t.value[INDEX["soc_pct"]] == 50


def test_tlv_text_is_not_taken_for_the_registers_behind_it() -> None:
    text = b"NW_1_0_0\0\0\0\5\0\0\0"
    assert tlv_values("b7" + text.hex()) == {"firmware": text.decode().strip("\0")}


WARNINGS = [
    "low_charge",
    "board_over_temperature",
    "pack_over_voltage",
    "pack_under_voltage",
    "over_temperature",
    "charge_over_current",
    "discharge_over_current",
    "cell_difference",
    "over_temperature",
    "under_temperature",
    "cell_over_voltage",
    "cell_under_voltage",
    "front_end",
    "front_end",
]


@pytest.mark.parametrize("bit", range(16))
def test_tlv_warnings_by_name(bit: int) -> None:
    assert tlv_values(f"8b{1 << bit:04x}")["faults"] == WARNINGS[bit : bit + 1]


TLV_KINDS = [
    # command, type, kind, is_request, is_reply
    (6, 0, "read", True, False),
    (3, 0, "read", True, False),
    (1, 0, "wake", True, False),
    (2, 0, "write", False, False),
    (5, 0, "write", False, False),
    (9, 0, "unknown", False, False),
    (6, 1, "reply", False, True),
    (3, 1, "reply", False, True),
    (6, 2, "reply", False, True),
    (1, 1, "ack", False, True),
    (2, 1, "ack", False, True),
    (5, 1, "ack", False, True),
    (6, 3, "unknown", False, False),
]


@pytest.mark.parametrize(("command", "kind", "meaning", "is_request", "is_reply"), TLV_KINDS)
def test_tlv_kinds(
    command: int, kind: int, meaning: str, is_request: bool, is_reply: bool
) -> None:
    """Only what the board says counts: on swapped wires one's own request comes back."""
    heard = listen("jk", tlv("83149f", command, kind))
    (frame,) = heard.frames
    assert (frame.kind, frame.is_request, frame.is_reply) == (meaning, is_request, is_reply)
    assert frame.register == command
    assert known(heard) == ({"pack_mv": 52790} if meaning == "reply" else {})


@pytest.mark.parametrize(
    "text",
    [
        "4e5700130000000006030000000000006800000129",
        "4e5700130000000006020000000000006800000128",
        "4e57001200000000060300000000006800000128",
        "4e57001300000000030300830000000068000001a9",
        "4e5700130000000001030000000000006800000124",
    ],
)
def test_tlv_requests_of_the_sheet_hold_and_say_nothing(text: str) -> None:
    heard = listen("jk", text)
    (frame,) = heard.frames
    assert frame.is_request
    assert heard.values() == {}


def test_tlv_without_its_end_mark_is_unknown() -> None:
    heard = listen("jk", tlv("83149f", mark=0x67))
    assert kinds(heard) == ["unknown"]
    assert heard.values() == {}


# --- JK02 ----------------------------------------------------------------------------------------

ALARMS = [
    "sense_wire",
    "board_over_temperature",
    "cell_count",
    "current_sensor",
    "cell_over_voltage",
    "pack_over_voltage",
    "charge_over_current",
    "short_circuit",
    "charge_over_temperature",
    "charge_under_temperature",
    "communication",
    "cell_under_voltage",
    "pack_under_voltage",
    "discharge_over_current",
    "short_circuit",
    "discharge_over_temperature",
    "charge_fet",
    "discharge_fet",
    "gps_lost",
    "default_password",
    "discharge_start",
    "over_temperature",
    "temperature_sensor",
    "parallel",
    "short_circuit",
    "discharge_over_current",
    "discharge_over_current",
    "discharge_under_temperature",
    "software_lock",
]


@pytest.mark.parametrize("bit", range(32))
def test_alarms_of_32_cells_by_name(bit: int) -> None:
    values = known(listen("jk", live_32([3300] * 8, (166, "<I", 1 << bit))))
    assert values["faults"] == ALARMS[bit : bit + 1]


@pytest.mark.parametrize("bit", range(16))
def test_alarms_of_24_cells_by_name(bit: int) -> None:
    values = known(listen("jk", live_24([3300] * 8, (136, "<H", 1 << bit))))
    assert values["faults"] == [ALARMS[bit]]


# place in the 32-cell layout (in the other one 32 less), code, raw, slot, value
BOTH = [
    (158, "<i", 31_881, "current_ma", 31_881),
    (158, "<i", -1, "current_ma", -1),
    (158, "<i", -400_000, "current_ma", -400_000),
    (162, "<h", -31, "temp_dc", [-31, 0]),
    (164, "<h", -2000, "temp_dc", [0, None]),
    (170, "<h", -600, "balance_ma", -600),
    (172, "<B", 2, "balancing", 2),
    (173, "<B", 99, "soc_pct", 99),
    (174, "<I", 280_000, "remaining_mah", 280_000),
    (178, "<I", 304_000, "full_mah", 304_000),
    (182, "<I", 427, "cycles", 427),
    (186, "<I", 107_478_918, "cycled_mah", 107_478_918),
    (190, "<B", 79, "health_pct", 79),
    (190, "<B", 0, "health_pct", None),
    (194, "<I", 58_217_709, "run_time_s", 58_217_709),
    (194, "<I", 0xFFFFFFFF, "run_time_s", None),
    (198, "<B", 1, "charge_fet", True),
    (199, "<B", 1, "discharge_fet", True),
]


@pytest.mark.parametrize(("place", "code", "raw", "slot", "expected"), BOTH)
def test_live_values_of_both_layouts(
    place: int, code: str, raw: int, slot: str, expected: Any
) -> None:
    for data in (live_32([3300] * 13, (place, code, raw)),
                 live_24([3300] * 13, (place - 32, code, raw))):  # fmt: skip
        values = known(listen("jk", data))
        assert values["pack_mv"] == 13 * 3300
        got = values.get(slot)
        assert (got[:2] if slot == "temp_dc" else got) == expected


@pytest.mark.parametrize(
    ("data", "slot", "expected"),
    [
        (live_32([3300] * 8, (144, "<h", -105)), "mos_temp_dc", -105),
        (live_32([3300] * 8, (144, "<h", -2000)), "mos_temp_dc", None),
        (live_24([3300] * 8, (134, "<h", -105)), "mos_temp_dc", -105),
        (live_24([3300] * 8, (134, "<h", -2000)), "mos_temp_dc", None),
        (live_32([3300] * 8, (215, "<B", 1)), "heater", 1),
        (live_24([3300] * 8, (215, "<B", 1)), "heater", None),
        (live_32([3300] * 8, (256, "<h", -5), (258, "<h", 0)), "temp_dc", [0, 0, -5, 0]),
        (live_32([3300] * 8, (258, "<h", 250)), "temp_dc", [0, 0, 0, 250]),
        (live_32([3300] * 8, (256, "<h", -2000)), "temp_dc", [0, 0, None, 0]),
        (live_32([3300] * 8), "temp_dc", [0, 0, None, None]),
    ],
)  # fmt: skip
def test_live_values_of_one_layout(data: bytes, slot: str, expected: Any) -> None:
    assert known(listen("jk", data)).get(slot) == expected


def wires(heard: Heard) -> list[int]:
    t = heard.packs[0]
    return list(t.wire_mohm[: t.wires])


def test_wire_resistances_of_both_layouts() -> None:
    ohms = [(2 * cell, "<H", 50 + cell) for cell in range(24)]
    for cells in (4, 24):
        in_32 = live_32([3300] * cells, *[(80 + at, code, raw) for at, code, raw in ohms])
        in_24 = live_24([3300] * cells, *[(64 + at, code, raw) for at, code, raw in ohms])
        # The wires of the 24-cell layout reach over the place where the other has its voltage
        expected = [50 + cell for cell in range(cells)]
        assert wires(listen("jk", in_32)) == expected
        assert wires(listen("jk", in_24)) == expected


CELLS = [3300 + cell for cell in range(32)]


@pytest.mark.parametrize("cells", range(1, 33))
def test_32_cells_layout_with_every_number_of_cells(cells: int) -> None:
    values = known(listen("jk", live_32(CELLS[:cells])))
    assert (values["cell_mv"], values["cell_count"]) == (CELLS[:cells], cells)


@pytest.mark.parametrize("cells", range(1, 25))
def test_24_cells_layout_with_every_number_of_cells(cells: int) -> None:
    values = known(listen("jk", live_24(CELLS[:cells])))
    assert (values["cell_mv"], values["cell_count"]) == (CELLS[:cells], cells)


def test_two_broken_wires_do_not_change_the_layout() -> None:
    """Their cells read 0, and the sum no longer fits the pack."""
    cells = [3300, 0, 3300, 0, *[3300] * 12]
    values = known(listen("jk", live_32(cells, (150, "<I", 52_800))))
    assert (values["cell_mv"], values["pack_mv"]) == (cells, 52_800)
    values = known(listen("jk", live_24(cells, (118, "<I", 52_800))))
    assert (values["cell_mv"], values["pack_mv"]) == (cells, 52_800)


def test_a_mask_with_gaps_counts_to_the_last_cell_that_reads() -> None:
    cells = [3300, 0, 3300, 3300]
    values = known(listen("jk", live_32(cells, (70, "<I", 0b1101), (150, "<I", 9_900))))
    assert (values["cell_mv"], values["cell_count"], values["pack_mv"]) == (cells, 4, 9_900)
    values = known(listen("jk", live_24(cells, (54, "<I", 0b1101), (118, "<I", 9_900))))
    assert (values["cell_mv"], values["cell_count"], values["pack_mv"]) == (cells, 4, 9_900)


@pytest.mark.parametrize(
    "other",
    [
        (70, "<I", 0b1101),  # gaps
        (70, "<I", 0xFF),  # cells where it has none: the sum does not fit
        (150, "<I", 0xFFFFFFFF),  # no voltage
        (150, "<I", 26_400 + 5501),
    ],
)
def test_what_does_not_fit_32_cells_is_the_other_layout(other: tuple[int, str, int]) -> None:
    """Its words 24 to 31 stand where the 24-cell layout has mask, mean and spread."""
    fields = [(70, "<I", 0xFF), (150, "<I", 26_400), other]
    values = known(listen("jk", live_24([3300] * 8, *fields)))
    assert values["pack_mv"] == 26_400
    assert "heater" not in values


def test_cells_outside_the_mask_speak_for_the_other_layout() -> None:
    fields = [(20 + 6, "<H", 3300), (70, "<I", 0xFF), (150, "<I", 26_400)]
    values = known(listen("jk", live_24([3300] * 8, *fields)))
    assert "heater" not in values


def test_a_pack_of_more_than_24_cells_fits_32_by_mask_and_sum() -> None:
    low = [3300] * 26
    at_the_edge = live_32(low, (150, "<I", sum(low) + 5500))
    assert known(listen("jk", at_the_edge))["cell_count"] == 26
    at_the_other = live_32(low, (150, "<I", sum(low) - 5500))
    assert known(listen("jk", at_the_other))["cell_count"] == 26
    for pack_mv in (sum(low) + 5501, sum(low) - 5501, 0xFFFFFFFF):
        assert "heater" not in known(listen("jk", live_32(low, (150, "<I", pack_mv))))


def test_no_more_than_24_cells_in_the_layout_for_24() -> None:
    values = known(listen("jk", live_24(CELLS[:24], (54, "<I", 0x3FFFFFF))))
    assert (values["cell_mv"], values["cell_count"]) == (CELLS[:24], 24)


def test_frame_without_any_cell() -> None:
    values = known(listen("jk", jk02(2, (150, "<I", 50_000))))
    assert (values["cell_count"], values["pack_mv"]) == (0, 50_000)
    assert "cell_mv" not in values


SETTINGS = [
    (10, 2650, "cell_low_mv", 2650),
    (14, 2710, "cell_low_clear_mv", 2710),
    (18, 3650, "cell_high_mv", 3650),
    (22, 3498, "cell_high_clear_mv", 3498),
    (26, 5, "balance_on_mv", 5),
    (50, 150_000, "charge_limit_ma", 150_000),
    (62, 350_000, "discharge_limit_ma", 350_000),
    (82, 600, "charge_hot_dc", 600),
    (90, 650, "discharge_hot_dc", 650),
    (98, -100 & 0xFFFFFFFF, "charge_cold_dc", -100),
    (106, 1000, "mos_hot_dc", 1000),
    (130, 220_000, "design_mah", 220_000),
    (138, 3350, "balance_start_mv", 3350),
]


@pytest.mark.parametrize(("place", "raw", "slot", "expected"), SETTINGS)
def test_settings(place: int, raw: int, slot: str, expected: int) -> None:
    heard = listen("jk", jk02(1, (place, "<I", raw)))
    assert kinds(heard) == ["reply"]
    assert heard.values()[slot] == expected
    asked = ask(0x1000 + place - 6, 2)
    heard = listen("jk", asked, answer(struct.pack(">I", raw)))
    assert heard.values() == {slot: expected}


def test_a_date_that_is_none_is_left_out() -> None:
    date = [(78 + n, "<B", ord(digit)) for n, digit in enumerate("24051X")]
    assert "made_on" not in known(listen("jk", jk02(3, *date)))
    assert "made_on" not in known(listen("jk", jk02(3)))
    date[5] = (83, "<B", ord("6"))
    assert known(listen("jk", jk02(3, *date)))["made_on"] == "2024-05-16"


@pytest.mark.parametrize(("kind", "meaning"), [(0, "unknown"), (4, "unknown"), (6, "unknown"),
                                               (5, "reply"), (255, "unknown")])  # fmt: skip
def test_frames_without_values(kind: int, meaning: str) -> None:
    heard = listen("jk", jk02(kind, (150, "<I", 50_000)))
    (frame,) = heard.frames
    assert (frame.kind, frame.is_reply, frame.register) == (meaning, True, kind)
    assert heard.values() == {}


@pytest.mark.parametrize(
    ("command", "kind", "is_request"),
    [
        (0x96, "read", True),
        (0x97, "read", True),
        (0xA1, "read", True),
        (0xC8, "ack", False),
        (0x1D, "write", False),
    ],
)
def test_commands_of_the_module(command: int, kind: str, is_request: bool) -> None:
    (frame,) = listen("jk", summed(b"\xaa\x55\x90\xeb" + bytes([command]) + bytes(14))).frames
    assert (frame.kind, frame.is_request, frame.is_reply) == (kind, is_request, False)
    assert frame.register == command


def test_junk_between_the_frames_of_a_stream_is_no_damage() -> None:
    ready = entry_of("READY/command-ack")["hex"]
    one = live_32([3300] * 8, counter=1)
    two = live_32([3310] * 8, counter=2)
    heard = listen("jk", one, ready, b"AT\r\n", two, bytes(40))
    assert kinds(heard) == ["reply", "ack", "reply"]
    assert (heard.framer.numbers[NOISE], heard.framer.numbers[DAMAGED]) == (0, 0)
    assert heard.values()["cell_mv"] == [3310] * 8


# --- the bus -------------------------------------------------------------------------------------

ONE = live_32([3301] * 16, counter=0)
TWO = live_32([3402] * 15, counter=5)


def padded(frame: bytes, address: int) -> bytes:
    return frame + b"\0" + ack(address) + b"\0"


@pytest.mark.parametrize("chunk", [1, 13, 128])
def test_two_packs_on_one_bus_are_kept_apart(chunk: int) -> None:
    heard = listener("jk")
    for turn in range(3):
        heard.feed(trigger(1) + ONE + ack(1), 1000 * turn, chunk)
        heard.feed(trigger(2) + padded(TWO, 2), 1000 * turn + 200, chunk)
    assert kinds(heard) == ["read", "reply"] * 6
    assert [frame.pack for frame in heard.frames if frame.is_reply] == [0, 1] * 3
    assert [len(frame.data) for frame in heard.frames if frame.is_reply] == [308, 310] * 3
    assert heard.values(0)["cell_mv"] == [3301] * 16
    assert heard.values(1)["cell_mv"] == [3402] * 15
    assert (heard.framer.numbers[NOISE], heard.framer.numbers[DAMAGED]) == (0, 0)


def test_the_longer_form_names_its_pack_too() -> None:
    heard = listen("jk", padded(ONE, 1), padded(TWO, 2), padded(ONE, 1), padded(TWO, 0))
    assert [frame.pack for frame in heard.frames] == [0, 1, 0, 2]


def test_a_master_that_tells_of_itself_and_its_slave_in_real_frames() -> None:
    slave = entry_of("STATUS, 16S, charging +8.510 A")["hex"]
    master = entry_of("STATUS self-broadcast by the master")["hex"]
    heard = listen("jk", slave, master, slave)
    assert [frame.pack for frame in heard.frames] == [0, 1, 0]
    assert (heard.values(0)["pack_mv"], heard.values(1)["pack_mv"]) == (53035, 53529)
    assert (heard.values(0)["current_ma"], heard.values(1)["current_ma"]) == (8510, 0)


def test_on_a_bus_a_frame_nobody_owns_tells_nothing() -> None:
    """Its acknowledgement was damaged; a stream's frame is known by its counter."""
    spoiled = ack(2)[:-1] + b"\xff"
    heard = listen("jk", ONE + ack(1), TWO + spoiled)
    assert kinds(heard) == ["reply", "reply"]
    assert heard.values(0)["cell_mv"] == [3301] * 16
    assert heard.values(1) == {}
    heard.feed(live_32([3500] * 8), 500)
    heard.framer.lose(500)
    assert heard.values(0)["cell_mv"][:8] == [3500] * 8


def test_a_lone_board_on_a_bus_wire_without_acknowledgements_is_pack_0() -> None:
    heard = listen("jk", ONE)
    assert heard.values(0)["cell_mv"] == [3301] * 16


def test_what_does_not_follow_at_once_is_not_waited_for() -> None:
    heard = listener("jk")
    heard.feed(ONE, 1000)
    assert heard.frames == []
    assert heard.framer.idle(1010) == 11
    assert heard.framer.idle(1021) == 0
    assert [frame.now for frame in heard.frames] == [1021]
    heard.feed(ack(1), 1030)
    assert kinds(heard) == ["reply", "ack"]


def test_a_third_pack_has_no_place() -> None:
    heard = listen("jk", ONE + ack(3), TWO + ack(1), live_32([3000] * 4) + ack(15))
    assert [frame.pack for frame in heard.frames] == [0, 1, 2]
    assert heard.values(0)["cell_mv"] == [3301] * 16
    assert heard.values(1)["cell_mv"] == [3402] * 15


def test_all_addresses_of_bus_and_modbus_find_a_place() -> None:
    heard = listener("jk", packs=17)
    for address in range(16):
        heard.feed(live_32([3000 + address] * 4) + ack(address))
    heard.feed(ask(0x1290, 2, 16) + answer(struct.pack(">I", 12_000), 16))
    assert [heard.values(pack).get("cell_mv") for pack in range(16)] == [
        [3000 + address] * 4 for address in range(16)
    ]
    assert heard.values(16)["pack_mv"] == 12_000


def test_an_address_beyond_seventeen_takes_nobodys_place() -> None:
    memory = Memory()
    assert [memory.pack_of(address) for address in range(20, 37)] == list(range(17))
    assert [memory.pack_of(address) for address in (0, 37, 255)] == [17] * 3
    assert [memory.pack_of(address) for address in (20, 36)] == [0, 16]
    assert memory.packs_known == 17


@pytest.mark.parametrize(
    ("data", "kind", "is_request", "is_reply", "register"),
    [
        (bytes.fromhex("011016200001020000d6f1"), "read", True, False, 0x1620),
        (bytes.fromhex("021016200001020000c201"), "read", True, False, 0x1620),
        (bytes.fromhex("031016200001020000cf91"), "read", True, False, 0x1620),
        (bytes.fromhex("0f10162000010200009a91"), "read", True, False, 0x1620),
        (bytes.fromhex("0110161e0001020000d22f"), "read", True, False, 0x161E),
        (bytes.fromhex("0110161c0001020000d3cd"), "read", True, False, 0x161C),
        (trigger(1, 0x161D), "write", False, False, 0x161D),
        (trigger(1, 0x1622), "write", False, False, 0x1622),
        (trigger(1, 0x1000), "write", False, False, 0x1000),
        (bytes.fromhex("03101620000105a9"), "ack", False, True, 0x1620),
        (bytes.fromhex("0110161e00016587"), "ack", False, True, 0x161E),
        (bytes.fromhex("001016200001059a"), "ack", False, True, 0x1620),
        (bytes.fromhex("018302") + crc16(bytes.fromhex("018302")), "error", False, True, 2),
        (bytes.fromhex("010312000020416a"), "read", True, False, 0x1200),
        (bytes.fromhex("0103120000258169"), "read", True, False, 0x1200),
        (bytes.fromhex("0103129000198155"), "read", True, False, 0x1290),
        (bytes.fromhex("010312f800038142"), "read", True, False, 0x12F8),
        (bytes.fromhex("0103140000144035"), "read", True, False, 0x1400),
        (bytes.fromhex("010312900002c15e"), "read", True, False, 0x1290),
        (bytes.fromhex("55aa01ff0000ff"), "read", True, False, 0),
    ],
)
def test_kinds_on_the_bus(
    data: bytes, kind: str, is_request: bool, is_reply: bool, register: int
) -> None:
    heard = listen("jk", data)
    (frame,) = heard.frames
    assert (frame.kind, frame.is_request, frame.is_reply) == (kind, is_request, is_reply)
    assert (frame.register, frame.data) == (register, data)
    assert heard.values() == {}


@pytest.mark.parametrize("first", [0x10, 0x11, 0x51, 0x81, 0xD2])
def test_addresses_of_other_families_are_left_to_them(first: int) -> None:
    for data in (trigger(first), ack(first), ask(0x1200, 2, first + 1)):
        assert listen("jk", data).frames == []


@pytest.mark.parametrize("sheet", ["xiaomi", "jbd", "ant", "daly", "vesc"])
def test_frames_of_other_families_are_left_to_them(sheet: str) -> None:
    for entry in entries(sheet):
        assert listen("jk", entry["hex"]).frames == []


# --- Modbus reads --------------------------------------------------------------------------------

# Offsets, codes and values as the sheet lists them (4), with what they must become
LIVE = [
    (0x8A, ">h", -105, "mos_temp_dc", -105),
    (0x90, ">I", 52_695, "pack_mv", 52_695),
    (0x98, ">i", -8800, "current_ma", -8800),
    (0x98, ">i", 8510, "current_ma", 8510),
    (0x9C, ">h", -31, "temp_dc", [-31, 0]),
    (0xA4, ">h", -600, "balance_ma", -600),
    (0xA6, ">B", 1, "balancing", 1),
    (0xA7, ">B", 55, "soc_pct", 55),
    (0xA8, ">i", 155_219, "remaining_mah", 155_219),
    (0xAC, ">I", 280_000, "full_mah", 280_000),
    (0xB0, ">I", 62, "cycles", 62),
    (0xB4, ">I", 17_414_022, "cycled_mah", 17_414_022),
    (0xB8, ">B", 100, "health_pct", 100),
    (0xBC, ">I", 48_570_884, "run_time_s", 48_570_884),
    (0xC0, ">B", 1, "charge_fet", True),
    (0xC1, ">B", 1, "discharge_fet", True),
    (0xD1, ">B", 1, "heater", 1),
]


@pytest.mark.parametrize(("offset", "code", "raw", "slot", "expected"), LIVE)
def test_live_registers(offset: int, code: str, raw: int, slot: str, expected: Any) -> None:
    data = image(0x60, (offset - 0x80, code, raw))
    heard = listen("jk", ask(0x1280, 0x30), answer(data))
    assert kinds(heard) == ["read", "reply"]
    assert heard.frames[1].register == 0x1280
    assert known(heard)[slot] == expected


@pytest.mark.parametrize("bit", range(32))
def test_alarm_registers_by_name(bit: int) -> None:
    heard = listen("jk", ask(0x12A0, 2), answer(struct.pack(">I", 1 << bit)))
    assert heard.values() == {"faults": ALARMS[bit : bit + 1]}


def test_the_three_reads_of_the_sheet_give_what_a_status_frame_gives() -> None:
    """Made from the values of a real frame: no complete reply was ever published."""
    told = entry_of("STATUS payload (300 bytes)")["decoded"]
    cells = image(74, *[(2 * n, ">H", mv) for n, mv in enumerate(told["cells_mv"])],
                  (0x40, ">I", 0xFFFF), (0x44, ">H", 3293), (0x48, ">B", 1))  # fmt: skip
    live = image(50, (0, ">I", 52_695), (0x0C, ">h", 195), (0x0E, ">h", 198), (0x17, ">B", 55),
                 (0x18, ">I", 155_219), (0x1C, ">I", 280_000), (0x20, ">I", 62),
                 (0x24, ">I", 17_414_022), (0x28, ">B", 100), (0x2C, ">I", 48_570_884),
                 (0x30, ">B", 1), (0x31, ">B", 1))  # fmt: skip
    probes = struct.pack(">hhh", 203, 194, 199)
    heard = listen("jk", "0103120000258169", answer(cells), "0103129000198155", answer(live),
                   "010312f800038142", answer(probes))  # fmt: skip
    assert kinds(heard) == ["read", "reply"] * 3
    status = known(hear("jk", entry_of("STATUS payload (300 bytes)")))
    missing = {"mos_temp_dc", "heater", "wire_mohm"}  # in no read that is known to work
    assert known(heard) == {slot: status[slot] for slot in status.keys() - missing}
    assert known(heard)["cell_mv"] == told["cells_mv"]


def test_without_its_mask_the_cells_end_with_the_last_that_reads() -> None:
    data = image(64, *[(2 * n, ">H", mv) for n, mv in enumerate([3300, 0, 3302])])
    values = known(listen("jk", ask(0x1200, 32), answer(data)))
    assert values == {"cell_mv": [3300, 0, 3302]}


def test_a_mask_with_gaps_is_as_good_as_none() -> None:
    data = image(68, (0, ">H", 3300), (4, ">H", 3302), (0x40, ">I", 0b101))
    values = known(listen("jk", ask(0x1200, 34), answer(data)))
    assert values["cell_mv"] == [3300, 0, 3302]
    assert "cell_count" not in values


def test_a_dead_last_cell_counts_where_the_mask_has_it() -> None:
    data = image(68, (0, ">H", 3300), (0x40, ">I", 0b11))
    values = known(listen("jk", ask(0x1200, 34), answer(data)))
    assert (values["cell_mv"], values["cell_count"]) == ([3300, 0], 2)


def test_cells_and_wires_read_in_parts() -> None:
    heard = listen("jk", ask(0x1204, 2), answer(struct.pack(">HH", 3302, 3303)),
                   ask(0x1200, 2), answer(struct.pack(">HH", 3300, 3301)),
                   ask(0x124E, 3), answer(struct.pack(">HHH", 52, 53, 54)))  # fmt: skip
    assert known(heard)["cell_mv"] == [3300, 3301, 3302, 3303]
    assert wires(heard) == [0, 0, 52, 53]


def test_all_wires_in_one_read() -> None:
    data = image(0x8A, *[(2 * n, ">H", 3300) for n in range(32)], (0x40, ">I", 0xFFFFFFFF),
                 *[(0x4A + 2 * n, ">H", 50 + n) for n in range(32)])  # fmt: skip
    heard = listen("jk", ask(0x1200, 0x45), answer(data))
    assert wires(heard) == [50 + n for n in range(32)]
    assert known(heard)["cell_count"] == 32


@pytest.mark.parametrize(
    ("raw", "temps"),
    [
        ((203, 0, 0), [None, None, None, None]),
        ((203, -2000, 199), [None, None, None, 199]),
        ((203, 194, -31), [None, None, 194, -31]),
    ],
)
def test_more_probes(raw: tuple[int, int, int], temps: list[int | None]) -> None:
    heard = listen("jk", ask(0x12F8, 3), answer(struct.pack(">hhh", *raw)))
    assert known(heard) == {"temp_dc": temps}


def test_one_of_the_probes_alone_cannot_tell_that_it_is_missing() -> None:
    heard = listen("jk", ask(0x12FA, 1), answer(struct.pack(">h", 194)))
    assert heard.values() == {}


def test_device_registers() -> None:
    data = b"JK_PB2A16S20P\0\0\0" + b"15A\0\0\0\0\0" + b"15.41\0\0\0" + struct.pack(">I", 3600)
    heard = listen("jk", ask(0x1400, 18), answer(data))
    values = known(heard)
    assert (values["model"], values["firmware"]) == ("JK_PB2A16S20P", "15.41")
    assert values["run_time_s"] == 3600


LIVE_REPLY = answer(struct.pack(">I", 52_695))


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [ask(0x1290, 2, address=2)],
        [ask(0x1290, 3)],
        [ask(0x1290, 2), ask(0x1400, 1)],
        [ask(0x1290, 2), LIVE_REPLY, ask(0x1600, 2)],  # of a base that is not read
    ],
)
def test_a_reply_to_something_else_tells_nothing(asked: list[bytes]) -> None:
    heard = listener("jk")
    for data in asked:
        heard.feed(data)
    before = heard.values()
    heard.feed(LIVE_REPLY, 10)
    assert heard.frames[-1].kind == "reply"
    assert heard.frames[-1].is_reply
    assert heard.values() == before


def test_a_reply_answers_once_and_in_time() -> None:
    for wait_ms, expected in ((1000, {"pack_mv": 52_695}), (1001, {})):
        heard = listener("jk").feed(ask(0x1290, 2), 0)
        assert heard.frames[0].wanted == 4
        assert heard.feed(LIVE_REPLY, wait_ms).values() == expected
    heard = listener("jk").feed(ask(0x1290, 2)).feed(LIVE_REPLY)
    heard.feed(answer(struct.pack(">I", 11)))
    assert heard.values() == {"pack_mv": 52_695}


def test_packs_on_modbus_are_kept_apart() -> None:
    heard = listener("jk")
    for address, mv in ((4, 50_000), (9, 48_000), (4, 50_100), (7, 1_000)):
        heard.feed(ask(0x1290, 2, address) + answer(struct.pack(">I", mv), address))
    assert [frame.pack for frame in heard.frames if frame.is_reply] == [0, 1, 0, 2]
    assert (heard.values(0)["pack_mv"], heard.values(1)["pack_mv"]) == (50_100, 48_000)


# --- displays and balancer -----------------------------------------------------------------------

DISPLAY = "a55a5d821000"


def display(cells: list[int], *fields: tuple[int, str, int]) -> bytes:
    """The frame of a B or BD board; its voltage is the sum unless `fields` say else."""
    words = [(24 + 2 * n, ">H", mv) for n, mv in enumerate(cells)]
    data = image(90, (0, ">H", sum(cells) // 10), (10, ">H", 25), (12, ">H", 24), *words, *fields)
    return bytes.fromhex(DISPLAY) + data


@pytest.mark.parametrize(
    ("place", "code", "raw", "slot", "expected"),
    [
        (2, ">h", 123, "current_ma", 12_300),
        (2, ">h", -66, "current_ma", -6_600),
        (6, ">H", 100, "soc_pct", 100),
        (10, ">h", -4, "mos_temp_dc", -40),
        (12, ">h", -4, "temp_dc", [-40]),
        (10, ">H", 0, "mos_temp_dc", 0),  # one of them may be 0
        (12, ">H", 0, "temp_dc", [0]),
        (18, ">H", 1, "balancing", 1),
        (20, ">H", 1, "charge_fet", True),
        (22, ">H", 1, "discharge_fet", True),
        (72, ">H", 1, "faults", ["cell_under_voltage"]),
        (74, ">H", 1, "faults", ["cell_over_voltage"]),
        (76, ">H", 1, "faults", ["discharge_over_current"]),
        (78, ">H", 1, "faults", ["board_over_temperature"]),
        (80, ">H", 1, "faults", ["over_temperature"]),
        (82, ">H", 1, "faults", ["short_circuit"]),
        (84, ">H", 1, "faults", ["communication"]),
        (86, ">H", 1, "faults", ["sense_wire"]),
        (88, ">H", 1, "faults", ["cell_count"]),
    ],
)
def test_display(place: int, code: str, raw: int, slot: str, expected: Any) -> None:
    heard = listen("jk", display([3300] * 24, (place, code, raw)))
    assert kinds(heard) == ["reply"]
    values = known(heard)
    assert values[slot] == expected
    assert (values["pack_mv"], values["cell_mv"]) == (79_200, [3300] * 24)


IMPLAUSIBLE = [
    display([3300] * 8, (0, ">H", 2640 * 103 // 100 + 9)),
    display([3300] * 8, (0, ">H", 2640 * 96 // 100)),
    display([3300] * 8, (6, ">H", 101)),
    display([3300] * 7 + [499], (0, ">H", 2360)),
    display([3300] * 7 + [5001], (0, ">H", 2810)),
    display([], (0, ">H", 2640)),
    display([]),
    display([3300, 0, 3300, 3300], (0, ">H", 1320)),  # a broken wire
]


@pytest.mark.parametrize("data", IMPLAUSIBLE)
def test_display_that_contradicts_itself_is_not_believed(data: bytes) -> None:
    heard = listen("jk", data)
    assert kinds(heard) == ["implausible"]
    assert heard.values() == {}


def test_display_within_three_percent_is_believed() -> None:
    for volts in (2640 * 103 // 100, 2640 * 98 // 100):
        assert kinds(listen("jk", display([3300] * 8, (0, ">H", volts)))) == ["reply"]
    low = display([500, 5000, 500], (0, ">H", 600))
    assert known(listen("jk", low))["cell_mv"] == [500, 5000, 500]


def pb_main(*fields: tuple[int, str, int]) -> bytes:
    """A PB board's main frame: 52.36 V, 75 % of 280 Ah, mean 3273 mV."""
    words = [(0, ">H", 5236), (4, ">H", 75), (8, ">H", 2800), (10, ">H", 2087), (20, ">H", 3273)]
    return bytes.fromhex("5aa521821000") + image(30, *words, *fields)


def pb_cells(cells: list[int], *fields: tuple[int, str, int]) -> bytes:
    words = [(2 * n, ">H", mv) for n, mv in enumerate(cells)]
    charge = [(34, ">H", 75), (36, ">H", 2800), (38, ">H", 2087)]
    return bytes.fromhex("5aa539821210") + image(54, *words, *charge, *fields)


@pytest.mark.parametrize(
    ("place", "code", "raw", "slot", "expected"),
    [
        (0, ">H", 5300, "pack_mv", 53_000),
        (2, ">h", -66, "current_ma", -6_600),
        (2, ">h", 66, "current_ma", 6_600),
        (4, ">H", 73, "soc_pct", 73),
        (4, ">H", 76, "soc_pct", 76),
        (10, ">H", 2100, "remaining_mah", 210_000),
        (14, ">h", -5, "temp_dc", [-50]),
        (24, ">H", 1, "charge_fet", True),
        (26, ">H", 1, "discharge_fet", True),
    ],
)
def test_pb_main_frame(place: int, code: str, raw: int, slot: str, expected: Any) -> None:
    heard = listen("jk", pb_main((place, code, raw)))
    assert kinds(heard) == ["reply"]
    assert heard.values()[slot] == expected


@pytest.mark.parametrize(
    "data",
    [
        pb_main((4, ">H", 101), (10, ">H", 2820)),
        pb_main((4, ">H", 77)),
        pb_main((10, ">H", 1900)),
        pb_cells([3273] * 16, (34, ">H", 7)),
        pb_cells([3273] * 15 + [5100]),
        pb_cells([]),
    ],
)
def test_pb_frame_that_contradicts_itself_is_not_believed(data: bytes) -> None:
    heard = listen("jk", data)
    assert kinds(heard) == ["implausible"]
    assert heard.values() == {}


def test_pb_frames_must_agree_with_each_other() -> None:
    cells = pb_cells([3273] * 16)
    heard = listen("jk", cells, pb_main(), pb_main((0, ">H", 5500)), pb_main((20, ">H", 3100)))
    assert kinds(heard) == ["reply", "reply", "implausible", "implausible"]
    assert (heard.values()["pack_mv"], heard.values()["cell_mv"]) == (52_360, [3273] * 16)
    heard = listen("jk", pb_main(), pb_cells([3273] * 15), cells, now=0)
    assert kinds(heard) == ["reply", "implausible", "reply"]


def test_pb_cells_are_believed_again_once_the_voltage_is_old() -> None:
    heard = listener("jk").feed(pb_main(), 0).feed(pb_cells([3000] * 15), 5000)
    assert kinds(heard) == ["reply", "implausible"]
    heard.feed(pb_cells([3000] * 15), 5001)
    assert heard.values()["cell_mv"] == [3000] * 15


@pytest.mark.parametrize(
    "data",
    ["a55a03800140", "a55a0582200307e0", "5aa503800100", "5aa50582100e0004",
     "a55a2b821300" + "00" * 40],
)  # fmt: skip
def test_what_only_paints_the_display(data: str) -> None:
    heard = listen("jk", data)
    assert kinds(heard) == ["paint"]
    assert (heard.frames[0].is_reply, heard.values(), heard.framer.numbers[NOISE]) == (True, {}, 0)


def balancer(cells: list[int], *fields: tuple[int, str, int], status: int = 0xFF) -> bytes:
    words = [(23 + 2 * n, ">H", mv) for n, mv in enumerate(cells)]
    head = [(0, ">H", 0xEB90), (2, ">B", 1), (3, ">B", status), (4, ">H", sum(cells) // 10)]
    return summed(image(73, *head, *words, *fields))


@pytest.mark.parametrize(
    ("place", "code", "raw", "slot", "expected"),
    [
        (8, ">B", 17, "cell_count", 17),
        (11, ">B", 2, "balancing", 2),
        (12, ">B", 1, "faults", []),  # set on healthy ones
        (12, ">B", 2, "faults", ["sense_wire"]),
        (12, ">B", 4, "faults", ["cell_over_voltage"]),
        (15, ">H", 1990, "balance_ma", 1990),
        (17, ">H", 11, "balance_on_mv", 11),
        (71, ">h", 163, "board_temp_dc", 163),
        (71, ">h", -31, "board_temp_dc", -31),
    ],
)
def test_balancer(place: int, code: str, raw: int, slot: str, expected: Any) -> None:
    heard = listen("jk", balancer([3300] * 17, (place, code, raw)))
    assert kinds(heard) == ["reply"]
    values = known(heard)
    assert values[slot] == expected
    assert (values["pack_mv"], values["cell_mv"]) == (56_100, [3300] * 17)


def test_balancer_that_contradicts_itself_or_speaks_of_something_else() -> None:
    assert kinds(listen("jk", balancer([3300] * 17, (4, ">H", 5000)))) == ["implausible"]
    heard = listen("jk", balancer([3300] * 17, status=0xF0))
    assert kinds(heard) == ["unknown"]
    assert heard.values() == {}


# --- requests, and what the family promises ------------------------------------------------------


def test_requests_are_valid_reads_and_nothing_else() -> None:
    texts = requests("jk")
    assert len(texts) == 11
    # the sheet's own bytes
    for text in ("4e5700130000000006030000000000006800000129", "011016200001020000d6f1",
                 "021016200001020000c201", "0110161e0001020000d22f", "0110161c0001020000d3cd",
                 "0103120000258169", "0103129000198155", "010312f800038142",
                 "55aa01ff0000ff"):  # fmt: skip
        assert text in texts


def test_what_passes_steadily_are_slots_or_lists() -> None:
    for slot in names(protocol("jk").STEADY):
        assert slot in SLOTS or slot in ("cell_mv", "temp_dc")


def test_a_sensor_that_is_not_fitted_is_no_broken_one() -> None:
    module = protocol("jk")
    assert -2000 < module.OPEN_DC < -200
    assert module.SHORT_DC > 1000


# --- secrets -------------------------------------------------------------------------------------

MARK = b"\x91SECRET\x92"


def everything(heard: Heard) -> bytes:
    """All bytes that are kept after the frame: telemetry and memory."""
    kept = b""
    for thing in [*heard.packs, heard.memory]:
        for value in vars(thing).values():
            if isinstance(value, int):
                kept += struct.pack("<q", value)
            elif hasattr(value, "tobytes"):
                kept += value.tobytes()
            elif isinstance(value, tuple):
                kept += b"".join(bytes(part) for part in value)
            else:
                kept += bytes(value)
    return kept + b"".join(text_of(pack, name) for pack in heard.packs for name in TEXTS)


def test_everything_kept_is_looked_at() -> None:
    heard = listen("jk", tlv("b7" + (MARK * 2)[:15].hex()))
    assert MARK in everything(heard)


def test_passwords_and_names_that_pass_are_kept_nowhere() -> None:
    texts = "b2" + (MARK + bytes(2)).hex() + "b4" + MARK.hex() + "ba" + (MARK * 3).hex()
    heard = listen("jk", tlv(texts))
    assert kinds(heard) == ["reply"]
    assert MARK not in everything(heard)
    asked = listen("jk", tlv("b2" + (MARK + bytes(2)).hex(), 5, 0))
    assert MARK not in everything(asked)


@pytest.mark.parametrize("place", [46, 62, 97, 102, 118, 134])
def test_passcodes_and_names_in_the_device_frame_are_kept_nowhere(place: int) -> None:
    size = 5 if place == 97 else len(MARK)
    heard = listen("jk", jk02(3, *[(place + n, "<B", MARK[n]) for n in range(size)]))
    assert kinds(heard) == ["reply"]
    assert MARK[:5] not in everything(heard)


# --- damage --------------------------------------------------------------------------------------


def unwatched(text: str) -> set[int]:
    """Places of a frame that no check covers: where 4E 57 frames leave room for another check,
    and the acknowledgement behind a JK02 frame."""
    size = len(text) // 2
    return {size - 4, size - 3} if text.startswith("4e57") else set(range(300, size))


def test_one_damaged_byte_never_gives_a_wrong_value_where_there_is_a_check() -> None:
    outcome = {"rejected": 0, "still a reply": 0}
    wholes: dict[str, list[dict[str, Any]]] = {}
    for entry, place, data in damaged("jk"):
        if not entry["checksum_ok"]:
            continue
        if entry["hex"] not in wholes:
            whole = listen("jk", entry["hex"])
            wholes[entry["hex"]] = [known(whole, pack) for pack in range(2)]
        good = wholes[entry["hex"]]
        heard = listen("jk", data)
        for pack in range(2):
            values = known(heard, pack)
            wrong = {slot: v for slot, v in values.items() if good[pack].get(slot) != v}
            assert not wrong, (entry["meaning"], place, wrong)
        if any(frame.kind == "reply" for frame in heard.frames):
            outcome["still a reply"] += 1
            assert place in unwatched(entry["hex"]), (entry["meaning"], place)
        else:
            outcome["rejected"] += 1
    print(f"\njk: damaged {outcome}")
    # 10 "4E 57" frames with two such places, 4 acknowledgements of 8 bytes, each damaged twice
    assert outcome == {"rejected": 23_596, "still a reply": 2 * (10 * 2 + 4 * 8)}


def test_of_damaged_display_frames_few_are_believed() -> None:
    believed: dict[int, int] = {}
    frames = [entry for entry in ENTRIES if entry["hex"].startswith("a55a5d")]
    for entry in frames:
        for place in range(96):
            data = bytearray.fromhex(entry["hex"])
            data[place] ^= 0xFF
            if kinds(listen("jk", bytes(data))) == ["reply"]:
                believed[place] = believed.get(place, 0) + 1
    values = known(hear("jk", frames[0]))
    assert values["soc_pct"] == 100
    # header, voltage's high byte, charge and the high byte of every cell there is are watched over
    cells = {30 + 2 * cell for cell in range(8)}
    assert believed.keys().isdisjoint({0, 1, 2, 3, 4, 5, 6, 12, 13} | cells)
    print(f"\njk display: believed with a byte inverted at {sorted(believed)}")


def test_a_damaged_frame_costs_no_other() -> None:
    spoiled = bytearray(ONE)
    spoiled[100] ^= 0x10
    heard = listen("jk", bytes(spoiled) + ack(1), TWO + ack(2), tlv("83149f"), ask(0x1290, 2))
    assert kinds(heard) == ["ack", "reply", "reply", "read"]
    assert heard.framer.numbers[DAMAGED] == 1


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_how_the_bytes_are_chunked_does_not_matter(chunk: int) -> None:
    texts = [entry["hex"] for entry in ENTRIES]
    whole = listen("jk", *texts)
    parts = listen("jk", *texts, chunk=chunk)
    assert [frame.data for frame in parts.frames] == [frame.data for frame in whole.frames]
    assert kinds(parts) == kinds(whole)
    assert [parts.values(pack) for pack in range(2)] == [whole.values(pack) for pack in range(2)]
    assert len(whole.frames) >= 51


# --- noise ---------------------------------------------------------------------------------------


def assert_small(heard: Heard) -> None:
    """Nothing a 32-bit MicroPython would have to allocate."""
    for pack in heard.packs:
        assert all(-(1 << 30) <= value < 1 << 30 for value in pack.value)


@given(st.binary(max_size=600))
@settings(max_examples=100, deadline=None)
def test_noise_raises_nothing(data: bytes) -> None:
    assert_small(listen("jk", data))


@given(st.binary(max_size=380), st.sampled_from([3, 6]), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_any_tlv_frame_that_holds_is_walked(inner: bytes, command: int, kind: int) -> None:
    heard = listen("jk", tlv(inner.hex(), command, kind))
    assert len(heard.frames) == 1
    assert_small(heard)


@given(st.binary(min_size=293, max_size=293), st.integers(0, 6), st.integers(0, 15))
@settings(max_examples=150, deadline=None)
def test_any_jk02_frame_that_holds_is_read(body: bytes, kind: int, address: int) -> None:
    frame = summed(b"\x55\xaa\xeb\x90" + bytes([kind, 5]) + body)
    heard = listen("jk", frame + ack(address))
    assert [frame.register for frame in heard.frames] == [kind]
    assert_small(heard)


@given(st.integers(0x1000, 0x15FF), st.binary(min_size=1, max_size=123))
@settings(max_examples=150, deadline=None)
def test_any_registers_are_read(register: int, half: bytes) -> None:
    reply = answer(half + half)
    # Once in 65,536 replies the first eight bytes are a whole request by their own checksum.
    assume(crc16(reply[:6]) != reply[6:8])
    heard = listen("jk", ask(register, len(half)), reply)
    assert kinds(heard) == ["read", "reply"]
    assert_small(heard)


@given(
    st.sampled_from(["a55a5d821000", "5aa521821000", "5aa539821210"]),
    st.binary(min_size=90, max_size=90),
)
@settings(max_examples=100, deadline=None)
def test_any_display_frame_is_judged(head: str, data: bytes) -> None:
    heard = listen("jk", bytes.fromhex(head) + data)
    assert heard.frames[0].kind in ("reply", "implausible")
    assert_small(heard)


def test_frames_are_found_again_in_a_noisy_line() -> None:
    noise = random.Random(7)
    heard = listener("jk")
    texts = [
        entry["hex"] for entry in ENTRIES if entry["checksum_ok"] and entry["hex"][:4] != "eb90"
    ]
    now = 0
    for text in texts:
        heard.feed(noise.randbytes(noise.randrange(40)), now)
        heard.feed(text, now)
        now += 200
        heard.framer.idle(now)
    found = [frame.data.hex() for frame in heard.frames]
    assert [text for text in texts if text in found] == texts


# --- without allocating --------------------------------------------------------------------------


def test_decoding_allocates_nothing(micropython32: MicroPython) -> None:
    frames = [entry["hex"] for entry in ENTRIES if entry.get("must") != "reject"]
    made = [tlv("83149f", command, kind) for command, kind, *_ in TLV_KINDS]
    made += [tlv("84" + raw + rest) for raw, rest, _ in CURRENTS]
    made += [tlv(f"80{raw:04x}89ffffffff") for raw, _ in TEMPERATURES]
    made += [live_32(CELLS, (166, "<I", 0xFFFFFFFF), (158, "<i", -(1 << 31)), counter=9)]
    made += [live_24(CELLS[:24], (136, "<H", 0xFFFF), (126, "<i", (1 << 31) - 1))]
    made += [ONE + ack(1), padded(TWO, 2), live_32([3000]) + ack(3), ack(4), trigger(5)]
    made += [ask(0x1200, 0x45), answer(bytes(range(0x8A))), ask(0x1290, 2), LIVE_REPLY]
    made += [ask(0x12F8, 3), answer(bytes(6)), LIVE_REPLY, ask(0x1000, 70), answer(bytes(140))]
    made += [ask(0x1400, 60), answer(b"1" * 120), display(CELLS[:24]), *IMPLAUSIBLE]
    made += [pb_main(), pb_cells([3273] * 16), balancer([3300] * 24), balancer([1])]
    frames += [frame.hex() for frame in made]
    said = micropython32.run(LOCKED, "jk", stdin="\n".join(frames).encode())
    assert said.split() == ["frames", str(len(frames)), "bits", "31"]

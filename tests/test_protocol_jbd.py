"""JBD (sheet jbd.md): every given frame, what its source says it means, tables written by hand."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench_rows import text_of
from conftest import MicroPython
from deckwatch import config
from deckwatch.frame import DAMAGED, NOISE
from deckwatch.framer import CHUNK
from deckwatch.pipeline import Pipeline
from deckwatch.telemetry import INDEX
from families import entries, listen, listener
from given_frames import check, check_damaged, hear, known, requests

BASIC_REQUEST = "dda50300fffd77"
CELLS_REQUEST = "dda50400fffc77"
NAME_REQUEST = "dda50500fffb77"
# Captured: golden cells of the sheet, and the three replies of old firmware (frames/jbd.json)
CELLS = "dd0400080f450f3d0f370f3dfec677"
OLD_CELLS = "dda500181039103a1038103a103c103910371039103b103f1036103afc7477"
OLD_BASIC = "dda5001b13780000000003e8000022c70000000000001900030c020b640b5ffc8377"
OLD_NAME = "dda500144c482d53503135533030312d503133532d333041fb3977"


def reply(register: int, data: bytes, status: int = 0) -> bytes:
    """A reply as sheet section 2 builds it."""
    covered = bytes([status, len(data)]) + data
    return (
        bytes([0xDD, register]) + covered + (-sum(covered) & 0xFFFF).to_bytes(2, "big") + b"\x77"
    )


def basic(at: dict[int, int] | None = None, probes: str = "", tail: str = "") -> bytes:
    """Basic info, all zero but the bytes `at` and those behind byte 22, which is set to fit."""
    data = bytearray(23)
    for place, value in (at or {}).items():
        data[place] = value
    data[22] = len(bytes.fromhex(probes)) // 2
    return bytes(data) + bytes.fromhex(probes) + bytes.fromhex(tail)


def heard_basic(
    at: dict[int, int] | None = None, probes: str = "", tail: str = ""
) -> dict[str, Any]:
    heard = listen("jbd", reply(3, basic(at, probes, tail)))
    assert [frame.kind for frame in heard.frames] == ["reply"]
    return known(heard)


def test_every_given_frame_decodes_to_what_its_entry_expects() -> None:
    kinds, slots = check("jbd", lambda _hex, _slot, expected, got: got == expected)
    assert kinds == {"reply": 46, "ack": 6}
    assert slots == {
        "pack_mv": 17,
        "current_ma": 16,
        "soc_pct": 15,
        "remaining_mah": 17,
        "cycles": 17,
        "temp_dc": 15,
        "charge_fet": 15,
        "discharge_fet": 15,
        "cell_mv": 9,
    }


def sources() -> Iterator[Any]:
    """Entries whose source, or the sheet's author by hand, gives the values of basic info."""
    for entry in entries("jbd"):
        told = entry.get("field_map_decode", entry["decoded"])
        if "voltage_V" in told:
            yield pytest.param(entry, told, id=entry["meaning"][:40])


@pytest.mark.parametrize(("entry", "told"), list(sources()))
def test_basic_info_says_what_its_source_says(entry: Any, told: Any) -> None:
    values = known(hear("jbd", entry))
    expected = {
        "pack_mv": round(told["voltage_V"] * 1000),
        "current_ma": round(told["current_A"] * 1000),
        "remaining_mah": round(told["remaining_Ah"] * 1000),
        "design_mah": round(told["nominal_Ah"] * 1000),
        "cycles": told["cycles"],
        "made_on": told["date"],
        "soc_pct": told["soc_pct"],
        "charge_fet": told["charge_fet"],
        "discharge_fet": told["discharge_fet"],
        "cell_count": told["cells"],
        "probe_count": told["ntc_count"],
        "firmware": f"{told['sw_raw'] >> 4}.{told['sw_raw'] & 15}",
        "balance": [n + 1 for n in range(16) if told["balance_1_16"] >> n & 1],
    }
    if told["temps_C"]:
        expected["temp_dc"] = [round(celsius * 10) for celsius in told["temps_C"]]
    if "full_capacity_Ah" in told:
        expected["full_mah"] = round(told["full_capacity_Ah"] * 1000)
        expected["alarm_1_raw"] = told["alarm"]
        expected["balance_ma"] = told["balance_current_mA"]
    assert {slot: values[slot] for slot in expected} == expected


def test_the_sources_tell_of_nineteen_basic_infos() -> None:
    assert len(list(sources())) == 19


def test_protection_bits_of_real_packs_and_of_one_edited_frame() -> None:
    found = Counter(
        (entry["origin"], name)
        for entry in entries("jbd")
        for name in known(hear("jbd", entry)).get("faults", [])
    )
    assert found == {("real", "software_lock"): 2, ("derived", "cell_over_voltage"): 1}


@pytest.mark.parametrize(
    ("at", "slot", "expected"),
    [
        ({0: 0x00, 1: 0x01}, "pack_mv", 10),
        ({0: 0xFF, 1: 0xFF}, "pack_mv", 655350),
        ({2: 0x00, 3: 0x01}, "current_ma", 10),
        ({2: 0x7F, 3: 0xFF}, "current_ma", 327670),
        ({2: 0x80, 3: 0x00}, "current_ma", -327680),
        ({2: 0xFF, 3: 0xFF}, "current_ma", -10),
        ({4: 0x03, 5: 0xE8}, "remaining_mah", 10000),
        ({6: 0x03, 7: 0xE8}, "design_mah", 10000),
        ({2: 0xFF, 3: 0x9C, 20: 0x80}, "current_ma", -10000),
        ({2: 0x00, 3: 0x64, 20: 0x83}, "current_ma", 10000),
        ({4: 0xFF, 5: 0xFF, 20: 0x80}, "remaining_mah", 6553500),
        ({6: 0x10, 7: 0x00, 20: 0x80}, "design_mah", 409600),
        ({0: 0x10, 1: 0x00, 20: 0x80}, "pack_mv", 40960),
        ({8: 0x01, 9: 0x02}, "cycles", 258),
        ({10: 0x2C, 11: 0x7C}, "made_on", "2022-03-28"),
        ({18: 0x16}, "firmware", "1.6"),
        ({18: 0x80}, "firmware", "8.0"),
        ({19: 100}, "soc_pct", 100),
        ({20: 0x01}, "charge_fet", True),
        ({20: 0x01}, "discharge_fet", False),
        ({20: 0x02}, "charge_fet", False),
        ({20: 0x02}, "discharge_fet", True),
        ({20: 0x0C}, "charge_fet", False),  # limiter and heater are no FETs
        ({20: 0x0C}, "discharge_fet", False),
        ({21: 32}, "cell_count", 32),
        ({12: 0x80, 13: 0x01}, "balance", [1, 16]),
        ({14: 0x80, 15: 0x01}, "balance", [17, 32]),
    ],
)
def test_scales_and_signs_of_basic_info(at: dict[int, int], slot: str, expected: Any) -> None:
    assert heard_basic(at)[slot] == expected


def test_a_date_nobody_has_set_is_no_date() -> None:
    assert "made_on" not in heard_basic({0: 1})


@pytest.mark.parametrize(
    ("probes", "expected"),
    [
        ("0aab", [0]),
        ("0aaa", [-1]),
        ("0ba5", [250]),
        ("0c3b", [400]),
        ("0000", [-2731]),
        ("ffff", [32767]),
        ("0ba50baf", [250, 260]),
        ("0aab0aac0aad0aae0aaf0ab00ab10ab2", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("0aab0aac0aad0aae0aaf0ab00ab10ab20ab30ab4", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_any_number_of_probes_and_no_more_than_eight_kept(
    probes: str, expected: list[int]
) -> None:
    values = heard_basic({0: 1}, probes)
    assert values["temp_dc"] == expected
    assert values["probe_count"] == len(probes) // 4


def test_without_probes_there_are_no_temperatures() -> None:
    assert "temp_dc" not in heard_basic({0: 1})


@pytest.mark.parametrize("probes", ["", "0ba5", "0ba50baf0bb9"])
def test_the_tail_stands_behind_however_many_probes(probes: str) -> None:
    values = heard_basic({6: 0x4E, 7: 0x20}, probes, "37 0000 4650 4adf 0064")
    assert values["humidity_pct"] == 55
    assert values["full_mah"] == 180000
    assert values["design_mah"] == 200000
    assert values["remaining_mah"] == 0
    assert values["balance_ma"] == 100
    assert values["temp_dc" if probes else "probe_count"] == (
        [250, 260, 270][: len(probes) // 4] or 0
    )


def test_ten_times_the_unit_holds_in_the_tail_too() -> None:
    values = heard_basic({6: 0x4E, 7: 0x20, 20: 0x80}, "", "00 0000 4650 4adf 0064")
    assert (values["design_mah"], values["full_mah"], values["balance_ma"]) == (
        2000000,
        1800000,
        100,
    )


def test_no_humidity_is_a_missing_sensor() -> None:
    assert "humidity_pct" not in heard_basic({0: 1}, "", "00 0000 4650 4adf 0064")


def test_a_tail_may_go_on_with_what_nobody_knows() -> None:
    assert heard_basic({0: 1}, "", "00 0000 4650 4adf 0064" + "ff" * 7)["full_mah"] == 180000


PROTECTION = [
    "cell_over_voltage",
    "cell_under_voltage",
    "pack_over_voltage",
    "pack_under_voltage",
    "charge_over_temperature",
    "charge_under_temperature",
    "discharge_over_temperature",
    "discharge_under_temperature",
    "charge_over_current",
    "discharge_over_current",
    "short_circuit",
    "front_end",
    "software_lock",
    "charge_fet",
    "discharge_fet",
    None,
]
ALARMS = [
    "cell_voltage_high",
    "cell_under_voltage",
    "pack_voltage_high",
    "pack_under_voltage",
    "charge_temperature_high",
    "charge_under_temperature",
    "discharge_temperature_high",
    "discharge_under_temperature",
    "charge_over_current",
    "discharge_over_current",
    "cell_difference",
    "low_charge",
    None,
    None,
    None,
    None,
]


@pytest.mark.parametrize("bit", range(16))
def test_each_protection_bit_by_name(bit: int) -> None:
    values = heard_basic({16: 1 << bit >> 8, 17: 1 << bit & 0xFF})
    assert values["faults"] == [name for name in [PROTECTION[bit]] if name]


@pytest.mark.parametrize("bit", range(16))
def test_each_alarm_bit_of_the_tail_by_name(bit: int) -> None:
    values = heard_basic(None, "", f"00 {1 << bit:04x} 0000 0000 0000")
    assert values["faults"] == [name for name in [ALARMS[bit]] if name]
    assert values["alarm_1_raw"] == 1 << bit


def test_protection_and_alarm_bits_add_up_and_go_with_the_next_frame() -> None:
    both = reply(3, basic({17: 0x02}, "", "00 0400 0000 0000 0000"))
    assert known(listen("jbd", both))["faults"] == ["cell_under_voltage", "cell_difference"]
    assert known(listen("jbd", both, reply(3, basic({16: 0x04}))))["faults"] == ["short_circuit"]
    heard = listen("jbd", both)
    assert heard.packs[0].count[INDEX["faults_a"]] == 1


@pytest.mark.parametrize(
    "data",
    [
        basic()[:22],
        basic() + b"\0",  # a byte too many
        basic() + bytes(8),  # too short for a tail
        basic(None, "0ba5")[:-1],
        basic(None, "0ba50baf")[:-2],
        basic({21: 33}),  # more cells than balance bits
    ],
    ids=["short", "long", "tail of 8", "half a probe", "a probe less", "33 cells"],
)
def test_basic_info_that_contradicts_itself_is_not_believed(data: bytes) -> None:
    heard = listen("jbd", reply(3, data))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert known(heard) == {}


@pytest.mark.parametrize("count", [2, 4, 10, 16, 20, 31, 32])
def test_as_many_cells_as_the_reply_is_long(count: int) -> None:
    sent = [3000 + 37 * n for n in range(count)]
    heard = listen("jbd", reply(4, b"".join(mv.to_bytes(2, "big") for mv in sent)))
    assert known(heard) == {"cell_mv": sent}


def test_a_cell_at_zero_and_one_beyond_reason_are_both_told() -> None:
    heard = listen("jbd", reply(4, bytes.fromhex("0e10 0000 1c20 2020")))
    assert known(heard)["cell_mv"] == [3600, 0, 7200, 8224]


@pytest.mark.parametrize(
    "data",
    [bytes(66), bytes.fromhex("0e10"), bytes.fromhex("0e10 0e10 0e"), bytes.fromhex("0e10 2021")],
    ids=["33 cells", "1 cell", "odd", "text"],
)
def test_what_cannot_be_cells_is_not_believed(data: bytes) -> None:
    heard = listen("jbd", reply(4, data))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert known(heard) == {}


COUNTERS = [
    "short_circuit_count",
    "charge_over_current_count",
    "discharge_over_current_count",
    "cell_over_voltage_count",
    "cell_under_voltage_count",
    "charge_over_temperature_count",
    "charge_under_temperature_count",
    "discharge_over_temperature_count",
    "discharge_under_temperature_count",
    "pack_over_voltage_count",
    "pack_under_voltage_count",
    "restart_count",
]


@pytest.mark.parametrize("size", [22, 24])
def test_counters_in_the_order_of_the_sheet(size: int) -> None:
    sent = [0x0101 * (n + 1) for n in range(size // 2)]
    heard = listen("jbd", reply(0xAA, b"".join(number.to_bytes(2, "big") for number in sent)))
    assert known(heard) == dict(zip(COUNTERS[: size // 2], sent, strict=True))


def test_the_captured_counters() -> None:
    (values,) = [
        known(hear("jbd", entry))
        for entry in entries("jbd")
        if entry["meaning"] == "protection counters (24-byte)"
    ]
    assert values == {
        name: int(name in ("cell_under_voltage_count", "restart_count")) for name in COUNTERS
    }


@pytest.mark.parametrize("size", [20, 23, 26])
def test_counters_of_another_length_are_not_believed(size: int) -> None:
    heard = listen("jbd", reply(0xAA, bytes(size)))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert known(heard) == {}


def test_names_as_sources_give_them() -> None:
    told = {
        entry["decoded"]["name"]: hear("jbd", entry)
        for entry in entries("jbd")
        if "name" in entry["decoded"]
    }
    assert {name: known(heard) for name, heard in told.items()} == {
        "JBD-SP04S034-L4S-200A-B-U": {"model": "JBD-SP04S034-L4S-200A-B-U"},
        "0123456789": {"model": "0123456789"},
    }


@pytest.mark.parametrize("data", [b"JBD\x7f", b"JBD\x1f", b"\xd6\xd0", b"JBD\0"])
def test_a_name_that_is_no_text_is_not_believed(data: bytes) -> None:
    heard = listen("jbd", reply(5, data))
    assert [frame.kind for frame in heard.frames] == ["unknown"]
    assert known(heard) == {}


OLD = {
    OLD_CELLS: (
        4,
        "cell_mv",
        [4153, 4154, 4152, 4154, 4156, 4153, 4151, 4153, 4155, 4159, 4150, 4154],
    ),
    OLD_BASIC: (3, "pack_mv", 49840),
    OLD_NAME: (5, "model", "LH-SP15S001-P13S-30A"),
}


@pytest.mark.parametrize("old", OLD)
@pytest.mark.parametrize("is_asked", [True, False])
def test_old_firmware_is_understood_with_and_without_the_request(old: str, is_asked: bool) -> None:
    register, slot, expected = OLD[old]
    asked = {3: BASIC_REQUEST, 4: CELLS_REQUEST, 5: NAME_REQUEST}[register]
    heard = listen("jbd", *([asked] if is_asked else []), old)
    frame = heard.frames[-1]
    assert (frame.kind, frame.register, frame.is_reply) == ("reply", register, True)
    assert known(heard)[slot] == expected


def test_old_basic_info_in_full() -> None:
    assert known(listen("jbd", OLD_BASIC)) == {
        "pack_mv": 49840,
        "current_ma": 0,
        "remaining_mah": 0,
        "design_mah": 10000,
        "cycles": 0,
        "made_on": "2017-06-07",
        "balance": [],
        "faults": [],
        "firmware": "1.9",
        "soc_pct": 0,
        "charge_fet": True,
        "discharge_fet": True,
        "cell_count": 12,
        "probe_count": 2,
        "temp_dc": [185, 180],
    }


def test_old_firmware_answers_the_last_request_only_and_only_soon() -> None:
    def registers(*spoken: tuple[str, int]) -> list[int]:
        heard = listener("jbd")
        for data, now in spoken:
            heard.feed(data, now)
        return [frame.register for frame in heard.frames if frame.is_reply]

    counters = "dda5001600" + "00" * 21 + "ffea77"  # would be taken for eleven cells
    asked = "dda5aa00ff5677"
    assert registers((counters, 0)) == [4]
    assert registers((asked, 0), (counters, 1000)) == [0xAA]
    assert registers((asked, 5000), (counters, 5900)) == [0xAA]
    assert registers((asked, 0), (counters, 1001)) == [4]
    assert registers((asked, 0), (counters, 50), (counters, 100)) == [0xAA, 4]
    assert registers((asked, 0), (CELLS_REQUEST, 500), (counters, 600)) == [4]


def test_old_firmware_that_answers_something_else_is_not_believed() -> None:
    heard = listen("jbd", CELLS_REQUEST, OLD_BASIC)
    assert [frame.kind for frame in heard.frames] == ["read", "unknown"]
    assert known(heard) == {}


@pytest.mark.parametrize(
    ("data", "register"),
    [
        (basic(), 3),
        (basic(None, "0ba50baf"), 3),
        (basic(None, "0ba5", "00 0000 4650 4adf 0064"), 3),
        (bytes.fromhex("1388 0e10"), 4),  # 5.000 V is a cell, one more is text
        (bytes.fromhex("1389 0e10"), 5),
        (b"JBD-SP10S009", 5),
        (b"JBD-SP10S", 5),
    ],
)
def test_without_a_request_the_shape_decides(data: bytes, register: int) -> None:
    assert listen("jbd", reply(0xA5, data)).frames[0].register == register


def test_a_read_of_register_0_is_no_old_reply() -> None:
    (frame,) = listen("jbd", "dda50000000077").frames
    assert (frame.kind, frame.is_request, frame.register) == ("read", True, 0)


@pytest.mark.parametrize("status", [0x80, 0x81, 0x82, 0x83])
@pytest.mark.parametrize("register", [0x03, 0x04, 0x05, 0x24, 0xAA])
def test_an_error_reply_is_an_answer_without_values(register: int, status: int) -> None:
    heard = listen("jbd", reply(register, b"", status))
    (frame,) = heard.frames
    assert (frame.kind, frame.is_reply, frame.register) == ("ack", True, register)
    assert known(heard) == {}
    assert known(listen("jbd", reply(register, CELLS_DATA, status))) == {}


CELLS_DATA = bytes.fromhex("0f450f3d0f370f3d")


def test_requests_writes_acknowledgements_and_other_replies() -> None:
    spoken = {
        "dda50300fffd77": ("read", 0x03, True, False),
        "dda5fa03003810febb77": ("read", 0xFA, True, False),
        "dd5ae1020003ff1a77": ("write", 0xE1, False, False),
        "dd5a00025678ff3077": ("write", 0x00, False, False),
        "dde10000000077": ("ack", 0xE1, False, True),
        "dd000000000077": ("ack", 0x00, False, True),
        "dd2400020ea6ff4a77": ("reply", 0x24, False, True),
        "ddfa00070001020fa01036ff0177": ("reply", 0xFA, False, True),
    }
    heard = listen("jbd", *spoken)
    seen = {f.data.hex(): (f.kind, f.register, f.is_request, f.is_reply) for f in heard.frames}
    assert seen == spoken
    assert known(heard) == {}
    assert {frame.wanted for frame in heard.frames} == {-1}


@pytest.mark.parametrize("size", range(5))
def test_what_a_host_appends_comes_back_and_is_no_noise(size: int) -> None:
    extra = "a1b2c3d4"[: 2 * size]
    heard = listen("jbd", CELLS_REQUEST + extra, CELLS + extra, CELLS_REQUEST, CELLS)
    assert [frame.kind for frame in heard.frames] == ["read", "reply", "read", "reply"]
    assert (heard.framer.numbers[NOISE], heard.framer.numbers[DAMAGED]) == (0, 0)


def test_a_fifth_byte_is_noise() -> None:
    heard = listen("jbd", CELLS + "a1b2c3d4e5", CELLS)
    assert len(heard.frames) == 2
    assert (heard.framer.numbers[NOISE], heard.framer.numbers[DAMAGED]) == (1, 1)


def test_a_damaged_frame_gives_no_wrong_value() -> None:
    # 1284 bytes wrong in two ways; all that the check of the 52 replies leaves open is a register.
    assert check_damaged("jbd") == {
        "rejected": 2 * (1284 - 52),
        "still a frame": 2 * 52,
        "without a value": 2 * 1284,
    }


def test_three_wrong_bits_in_the_register_give_no_wrong_value() -> None:
    for entry in entries("jbd"):
        frame = bytes.fromhex(entry["hex"])
        right = known(hear("jbd", entry))
        for register in range(256):
            if 1 <= (register ^ frame[1]).bit_count() <= 3:
                values = known(listen("jbd", frame[:1] + bytes([register]) + frame[2:]))
                wrong = {slot: value for slot, value in values.items() if right.get(slot) != value}
                assert not wrong, (entry["meaning"], register)


def test_a_reply_split_anywhere_and_in_front_of_noise_is_found() -> None:
    data = bytes.fromhex("00dd77dd0300" + CELLS)
    for chunk in (1, 2, 3, 7):
        heard = listen("jbd", data, chunk=chunk)
        assert known(heard)["cell_mv"] == [3909, 3901, 3895, 3901]


def test_requests_are_the_sheets_and_only_reads() -> None:
    assert requests("jbd") == [
        "dda50300fffd77",
        "dda50400fffc77",
        "dda5aa00ff5677",
        "dda50500fffb77",
    ]


class Sink:
    """Takes alerts and forgets them."""

    def on_alert(self, alerts: Any, code: int) -> None:
        pass


def feed(core: Pipeline, data: str, now: int, port: int = 0) -> None:
    raw = bytes.fromhex(data)
    core.feed(port, bytearray(raw.ljust(CHUNK, b"\0")), len(raw), now)


def test_on_the_dongle_the_request_may_pass_on_the_other_wire() -> None:
    core = Pipeline(config.load({"profile": "jbd"}), Sink(), strict=True)
    feed(core, NAME_REQUEST, 0, 1)
    feed(core, OLD_NAME, 40)
    feed(core, CELLS, 300)
    core.tick(300)
    t = core.packs[0].telemetry
    assert text_of(t, "model") == b"LH-SP15S001-P13S-30A"
    slots = ("highest_mv", "lowest_mv", "cell_spread_mv")
    assert [t.value[INDEX[slot]] for slot in slots] == [3909, 3895, 14]
    assert (core.link.requests, core.link.replies, core.unknown) == (1, 2, 0)


def test_decoding_allocates_nothing(micropython32: MicroPython, repo_root: Path) -> None:
    script = repo_root / "tests" / "unix" / "decode_locked.py"
    frames = [data for e in entries("jbd") for data in (e["request_hex"], e["hex"]) if data]
    said = micropython32.run(script, "jbd", stdin="\n".join(frames).encode())
    assert said.split() == ["frames", str(len(frames)), "bits", "31"]

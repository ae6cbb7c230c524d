"""Xiaomi, 55 AA (sheet xiaomi.md): every given frame, every register by hand-written values, every
kind of frame, any start word and length, and no secret in telemetry.

Frames that are not from the sheet's data are built here, from the sheet's words alone.
"""

from itertools import product
from random import Random
from typing import Any

import pytest
from bench_rows import text_of
from deckwatch.frame import BAD_CHECK, BAD_LENGTH, CUT, NOISE
from deckwatch.protocols import scooter_map, xiaomi
from deckwatch.rows import TEXTS
from families import Heard, entries, listen
from scooter_words import BATTERY_WORDS, DECODED, KIND_BY_MEANING, SECRET_WORDS, texts_of

GIVEN = entries("xiaomi", "xiaomi")
# The frame that stands whole inside a damaged one (data/frames/xiaomi.json, losnir's log).
INNER = "55aa062061b02002282757fe"


def frame(address: int, command: int, argument: int, payload: bytes = b"") -> bytes:
    """Sheet 2.1."""
    body = bytes([len(payload) + 2, address, command, argument]) + payload
    return b"\x55\xaa" + body + (0xFFFF - sum(body) % 0x10000).to_bytes(2, "little")


def reply(word: int, payload: str | bytes) -> bytes:
    """The battery answers."""
    return frame(0x25, 1, word, bytes.fromhex(payload) if isinstance(payload, str) else payload)


def values(*frames: bytes) -> dict[str, Any]:
    return listen("xiaomi", *frames, packs=1).values()


def test_the_builder_builds_the_sheets_example() -> None:
    built = reply(0x30, "0100 710e 2f00 0300 0a0e 2b2b")
    assert built.hex() == "55aa0e2501300100710e2f0003000a0e2b2b7bfe"


def same(got: Any, expected: Any) -> bool:
    """Equal, but for the spaces around a serial number: the sheet has them stripped (3.4)."""
    return bool(got.strip() == expected.strip() if isinstance(got, str) else got == expected)


# --- given frames --------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [e for e in GIVEN if not e.get("must")], ids=lambda e: e["hex"])
def test_a_given_frame_means_what_its_source_says(entry: dict[str, Any]) -> None:
    heard = listen("xiaomi", entry["hex"], packs=1)
    (seen,) = heard.frames
    assert seen.data.hex() == entry["hex"]
    assert heard.framer.numbers[NOISE] == 0
    known = heard.values()
    for slot, expected in entry["expect"].items():
        assert same(known[slot], expected), slot
    decoded = entry["decoded"]
    for name, (slot, convert) in DECODED.items():
        if name in decoded and not (name == "battery_bars_or_percent" and len(decoded) == 4):
            assert same(known[slot], convert(decoded[name])), slot
    kind = next(kind for start, kind in KIND_BY_MEANING if entry["meaning"].startswith(start))
    assert seen.kind == kind
    assert seen.is_reply == (entry["meaning"].startswith("BMS"))
    assert seen.is_request == ("0x22" in entry["meaning"])
    if "reg" in decoded:
        assert seen.register == decoded["reg"]
    if kind == "read" or "of ESC word" in entry["meaning"]:
        assert seen.wanted == decoded.get("bytes", -1)
    else:
        assert seen.wanted == -1


@pytest.mark.parametrize("entry", [e for e in GIVEN if e.get("must")], ids=lambda e: e["hex"])
def test_a_damaged_given_frame_is_rejected(entry: dict[str, Any]) -> None:
    heard = listen("xiaomi", entry["hex"], packs=1)
    inner = [INNER] if INNER in entry["hex"] else []
    assert [seen.data.hex() for seen in heard.frames] == inner
    size = len(entry["hex"]) // 2
    assert heard.framer.numbers[NOISE] == size - sum(len(text) // 2 for text in inner)
    assert heard.framer.numbers[BAD_CHECK] + heard.framer.numbers[CUT] >= 1
    allowed = {"throttle_raw", "brake_raw"} if inner else set()
    assert set(heard.values()) == allowed


def test_given_frames_are_all_there() -> None:
    assert len(GIVEN) == 105
    assert sum(1 for entry in GIVEN if entry.get("must")) == 8


def test_every_given_frame_is_found_however_the_line_is_cut() -> None:
    whole = [entry["hex"] for entry in GIVEN if not entry.get("must")]
    for chunk in (1, 5, 16, 128):
        heard = listen("xiaomi", "".join(whole), chunk=chunk)
        assert [seen.data.hex() for seen in heard.frames] == whole


# --- registers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "payload", "expected"), BATTERY_WORDS)
def test_a_battery_register_by_hand(word: int, payload: str, expected: dict[str, Any]) -> None:
    assert values(reply(word, payload)) == expected


def test_no_battery_register_is_left_out() -> None:
    rows = {slot for _, _, slot, *_ in scooter_map.BATTERY}
    tried = {slot for _, _, expected in BATTERY_WORDS for slot in expected}
    assert {"balance_a" if slot == "balance" else slot for slot in tried} == rows


CONTROLLER_WORDS = [
    (0x1A, "3401", {"controller_version": 0x0134}),
    (0x25, "7b00", {"range_m": 1230}),  # 123 = 1.23 km
    (0x3A, "7c02 0a00", {"trip_s": 636}),
    (0x3E, "1801", {"controller_temp_dc": 280}),
    (0x3E, "ceff", {"controller_temp_dc": -50}),
    (0x67, "1501 7200", {"firmware": "1.1.5", "ble_version": 0x72}),
    (0x7B, "0200 0100 0200", {"regen_level": 2, "cruise": 1, "tail_light": 2}),
    (0xB0, "1500", {"error_code": 21}),
    (0xB1, "0900", {"alarm_code": 9}),
    (0xB2, "0208", {"controller_flags": 0x0802}),
    (0xB3, "0100", {"mode": 1}),
    (0xB4, "6300", {"controller_soc_pct": 99}),
    (0xB5, "a861", {"speed_mh": 25000}),
    (0xB5, "18fc", {"speed_mh": -1000}),
    (0xB6, "5046", {"average_speed_mh": 18000}),
    (0xB7, "4fe7 0700", {"odometer_m": 517967}),
    (0xBA, "0600", {"trip_s": 6}),
    (0xBB, "fa00", {"controller_temp_dc": 250}),
]


@pytest.mark.parametrize(("word", "payload", "expected"), CONTROLLER_WORDS)
def test_a_controller_register_by_hand(word: int, payload: str, expected: dict[str, Any]) -> None:
    heard = listen("xiaomi", frame(0x23, 1, word, bytes.fromhex(payload)))
    assert heard.values() == expected
    assert heard.values(1) == {}  # 0x23 is the controller here, never a second pack
    assert not heard.frames[0].is_reply


def test_no_controller_register_is_left_out() -> None:
    rows = {slot for _, _, slot, *_ in xiaomi.CONTROLLER}
    assert {slot for _, _, expected in CONTROLLER_WORDS for slot in expected} == rows


def test_words_nobody_is_sure_of_or_that_are_only_written_set_nothing() -> None:
    for word in (0x3B, 0x70, 0x71, 0xB9, 0xBC, 0xBD):
        assert values(frame(0x23, 1, word, b"\x17\x2b")) == {}, hex(word)


def test_an_odometer_cut_in_two_is_not_half_taken() -> None:
    assert values(frame(0x23, 1, 0xB7, b"\x4f\xe7"), frame(0x23, 1, 0xB8, b"\x07\0")) == {}


# --- status word ---------------------------------------------------------------------------------

STATUS = [
    (0x0001, [], False),  # real: standing, switched on
    (0x0003, [], False),  # real: idle
    (0x0043, [], True),  # real: charging
    (0x0140, ["configuration", "cell_under_voltage"], True),  # CamiAlfa's emulator
    (0x0000, ["configuration"], False),
    (0x0101, ["cell_under_voltage"], False),
    (0x0201, ["cell_over_voltage"], False),
    (0x0401, ["over_temperature"], False),
    (0xF8BF, [], False),  # bits that stock firmware does not keep up (sheet 3.1)
]


@pytest.mark.parametrize(("word", "faults", "charging"), STATUS)
def test_status_bits(word: int, faults: list[str], charging: bool) -> None:
    known = values(reply(0x30, word.to_bytes(2, "little")))
    assert sorted(known["faults"]) == sorted(faults)
    assert known["charging_flag"] is charging
    assert set(known) == {"faults", "charging_flag"}


# --- any start word and length -------------------------------------------------------------------


def image() -> bytes:
    """The whole address space of a battery, from the hand-written registers; what they leave
    free holds a mark that no value may show."""
    space = bytearray(b"\xa5\x5a" * 256)
    for word, payload, _ in reversed(BATTERY_WORDS):  # of several for one word the first stays
        data = bytes.fromhex(payload)
        space[2 * word : 2 * word + len(data)] = data
    return bytes(space)


IMAGE = image()
WIDE = {"serial": 7, "total_charge_mah": 2}  # words a register takes if it takes more than one


def single(word: int, count: int = 1) -> dict[str, Any]:
    return values(reply(word, IMAGE[2 * word : 2 * (word + count)]))


def test_every_cut_of_the_registers_gives_the_sum_of_its_words() -> None:
    alone = {word: single(word) for word in range(0x80)}
    wide = {0x10: single(0x10, 7), 0x1D: single(0x1D, 2)}
    assert wide[0x10].keys() == {"serial"}
    assert wide[0x1D].keys() == {"total_charge_mah"}
    random = Random(55)
    stretches = list(product(range(0, 0x78, 3), (1, 2, 3, 6, 15)))
    stretches += [(random.randrange(0x70), random.randint(1, 64)) for _ in range(150)]
    for start, count in stretches:
        heard = listen("xiaomi", reply(start, IMAGE[2 * start : 2 * (start + count)]), packs=1)
        wanted: dict[str, Any] = {}
        for word in range(start, min(start + count, 0x80)):
            wanted |= alone[word]
            if word in wide and word + WIDE[next(iter(wide[word]))] <= start + count:
                wanted |= wide[word]
        wanted.pop("cell_mv", None)
        got = heard.values()
        got.pop("cell_mv", None)
        assert got == wanted, (hex(start), count)
        cells = [
            int.from_bytes(IMAGE[2 * word : 2 * word + 2], "little") if start <= word else 0
            for word in range(0x40, min(start + count, 0x50))
            if start < 0x50
        ]
        assert list(heard.packs[0].cell_mv[: heard.packs[0].cells]) == cells, (hex(start), count)


def test_half_a_word_at_the_end_is_left_alone() -> None:
    assert values(reply(0x31, "710e 2f")) == {"remaining_mah": 3697}
    assert values(reply(0x35, "2b")) == {"temp_dc": [230]}
    assert values(reply(0x31, "")) == {}


def test_replies_beyond_the_known_words_give_what_is_known() -> None:
    longest = reply(0x30, IMAGE[0x60 : 0x60 + 128])
    assert len(longest) == 0x82 + 6
    assert values(longest)["pack_mv"] == 35940
    for word in (0x54, 0x78, 0x80, 0xC0, 0xFF):
        assert values(reply(word, b"\x11" * 64)) == {}, hex(word)


def test_probes_that_cannot_be_right_are_those_of_the_sheet() -> None:
    """Sheet 5.2: raw 0 is open, 0x77 and above shorted."""
    for raw, is_broken in ((0x00, True), (0x01, False), (0x76, False), (0x77, True), (0xFF, True)):
        (dc,) = values(reply(0x35, bytes([raw])))["temp_dc"]
        assert (dc <= xiaomi.OPEN_DC or dc >= xiaomi.SHORT_DC) is is_broken, hex(raw)


def test_frames_longer_than_a_page_of_firmware_are_none() -> None:
    page = frame(0x20, 0x08, 209, bytes(128))
    most, over = frame(0x20, 0x08, 209, bytes(130)), frame(0x20, 0x08, 209, bytes(131))
    assert [seen.data for seen in listen("xiaomi", page, most).frames] == [page, most]
    heard = listen("xiaomi", over)
    assert (heard.frames, heard.framer.numbers[BAD_LENGTH]) == ([], 1)


def test_a_register_is_read_again_and_again() -> None:
    heard = listen("xiaomi", *[reply(0x31, bytes([n, 0, n, 0])) for n in range(5)])
    assert heard.values() == {"remaining_mah": 4, "soc_pct": 4}


# --- secrets -------------------------------------------------------------------------------------


def traces(heard: Heard) -> bytes:
    """Everything telemetry holds, as bytes."""
    return b"".join(
        bytes(part)
        for t in heard.packs
        for part in (t.value, t.cell_mv, t.temp_dc, *(text_of(t, name) for name in TEXTS))
    )


@pytest.mark.parametrize("word", SECRET_WORDS)
def test_secrets_of_the_battery_never_reach_telemetry(word: int) -> None:
    heard = listen("xiaomi", reply(word, "a55a"))
    assert heard.frames[0].kind == "reply"
    assert heard.values() == {}
    assert not any(traces(heard))


def test_secrets_do_not_ride_on_longer_replies() -> None:
    """Words around a secret are read, and it is not: telemetry is the same without it."""
    for word, start in ((0x00, 0x00), (0x60, 0x50), (0x63, 0x50), (0x70, 0x50), (0x75, 0x50)):
        with_it = bytearray(IMAGE[2 * start : 2 * start + 120])
        without = bytearray(with_it)
        with_it[2 * (word - start) : 2 * (word - start) + 2] = b"\xa5\x5a"
        without[2 * (word - start) : 2 * (word - start) + 2] = b"\x00\x00"
        assert with_it != without
        heard = [listen("xiaomi", reply(start, bytes(data))) for data in (with_it, without)]
        assert heard[0].values() != {}
        assert traces(heard[0]) == traces(heard[1]), hex(word)


def test_the_owners_pin_and_the_scooters_serial_never_reach_telemetry() -> None:
    given = "55aa0823011731323334353687fe"  # PIN 123456 (edited by its author)
    heard = listen("xiaomi", given, frame(0x23, 1, 0x10, b"13000/00000000" + b"123456"))
    assert [seen.kind for seen in heard.frames] == ["reply", "reply"]
    assert not any(traces(heard))


def test_secrets_written_are_not_kept_either() -> None:
    heard = listen("xiaomi", frame(0x20, 3, 0x17, b"123456"), frame(0x22, 2, 0x00, b"\x5a\x5a"))
    assert [seen.kind for seen in heard.frames] == ["write", "write"]
    assert not any(traces(heard))


# --- the dash wire -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "payload", "expected"),
    [
        (0x64, "06 c4 56 00 00 72 00", {"throttle_raw": 0xC4, "brake_raw": 0x56}),
        (0x65, "04 26 bc 00 00", {"throttle_raw": 0x26, "brake_raw": 0xBC}),
        (0x61, "20 02 28 27", {"throttle_raw": 0x28, "brake_raw": 0x27}),
        (0x61, "20 02 28", {}),
        (0x61, "", {}),
        (0x64, "06 c4", {}),
        (0x65, "", {}),
    ],
)
def test_dashboard_to_controller(command: int, payload: str, expected: dict[str, Any]) -> None:
    body = bytes.fromhex(payload)
    heard = listen("xiaomi", frame(0x20, command, 0xB0, body))
    assert heard.frames[0].kind == "dash_input"
    assert heard.frames[0].wanted == (0x20 if command == 0x61 and body else -1)
    assert heard.values() == expected


PRO = ("mode", "controller_soc_pct", "speed_mh", "error_code")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("02 04 00 00", {"mode": 2}),  # four lit bars are no percentage
        ("05 4b 00 00 1e 00", dict(zip(PRO, (5, 75, 30000, 0), strict=True))),
        ("01 4b 64 01 08 15", dict(zip(PRO, (1, 75, 8000, 21), strict=True))),
        ("02 04 00 00 07", {"mode": 2}),
        ("02 04 00", {}),
    ],
)
def test_controller_to_dashboard(payload: str, expected: dict[str, Any]) -> None:
    heard = listen("xiaomi", frame(0x21, 0x64, 0, bytes.fromhex(payload)))
    assert heard.frames[0].kind == "dash_state"
    assert heard.values() == expected


# --- kinds ---------------------------------------------------------------------------------------

UPDATES = (0x07, 0x08, 0x09, 0x0A)
BOTOX = (0xF1, 0xF3, 0xFA)
SERVICE = (0x06, 0x18, *range(0x50, 0x5D), 0x80)

# (addresses, commands, kind, is_request, is_reply); the first that fits counts, else unknown.
KINDS: list[tuple[tuple[int, ...], tuple[int, ...], str, bool, bool]] = [
    ((0x22,), (0x01, 0x55, 0x5A), "read", True, False),
    ((0x20, 0x21), (0x01,), "read", False, False),
    ((0x22,), (0x02,), "write", True, False),
    ((0x20, 0x21, 0x22), (0x02, 0x03), "write", False, False),
    ((0x22,), UPDATES, "update", True, False),
    ((0x20, 0x21), UPDATES, "update", False, False),
    ((0x20,), (0x61, 0x64, 0x65), "dash_input", False, False),
    ((0x21,), (0x64,), "dash_state", False, False),
    ((0x22,), BOTOX, "botox", True, False),
    ((0x20, 0x21, 0x22), SERVICE, "service", False, False),
    ((0x25,), (0x01, 0x55, 0x5A), "reply", False, True),
    ((0x23, 0x24), (0x01, 0x55, 0x5A), "reply", False, False),
    ((0x25,), (0x02, *UPDATES), "ack", False, True),
    ((0x23, 0x24), (0x02, *UPDATES), "ack", False, False),
    ((0x25,), BOTOX, "botox", False, True),
    ((0x23, 0x24), BOTOX, "botox", False, False),
]


def test_every_address_and_command_has_its_kind() -> None:
    addresses = [*range(0x1E, 0x28), 0x00, 0x01, 0x3D, 0x3E, 0x55, 0xAA, 0xFF]
    for address, command in product(addresses, range(256)):
        heard = listen("xiaomi", frame(address, command, 0x7E, b"\x0c"))
        (seen,) = heard.frames
        fits = [row for row in KINDS if address in row[0] and command in row[1]]
        kind, is_request, is_reply = fits[0][2:] if fits else ("unknown", False, False)
        got = (seen.kind, seen.is_request, seen.is_reply)
        assert got == (kind, is_request, is_reply), (hex(address), hex(command))
        assert (seen.register, seen.body, seen.pack) == (0x7E, b"\x0c", 0)
        assert seen.wanted == (
            12 if kind == "read" or (kind, command) == ("dash_input", 0x61) else -1
        )


def test_a_refresh_asks_for_no_number_of_bytes() -> None:
    (seen,) = listen("xiaomi", frame(0x22, 0x5A, 0)).frames
    assert (seen.kind, seen.is_request, seen.wanted) == ("read", True, -1)


@pytest.mark.parametrize("command", [0x55, 0x5A])
def test_words_come_in_answers_to_refresh_and_heartbeat_too(command: int) -> None:
    known = values(frame(0x25, command, 0x31, bytes.fromhex("710e2f00")))
    assert known == {"remaining_mah": 3697, "soc_pct": 47}


def test_the_dashboards_own_words_are_not_the_batterys() -> None:
    assert values(frame(0x24, 1, 0x30, b"\x11" * 12)) == {}


def test_values_are_taken_from_the_second_pack_of_nobody() -> None:
    heard = listen("xiaomi", reply(0x31, "710e"))
    assert heard.values(1) == {}


def test_texts_are_stripped_where_they_are_shown() -> None:
    heard = listen("xiaomi", reply(0x10, b"BOTOX001\0\0\0\0\0\0\x00\x09"))
    assert texts_of(heard.packs[0]) == (b"BOTOX001\0\0\0\0\0\0", b"9.0.0")
    assert heard.values() == {"serial": "BOTOX001", "firmware": "9.0.0"}

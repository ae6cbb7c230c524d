"""Ninebot, 5A A5 (sheet xiaomi.md): every given frame, both packs, the Z10 wheel, the controller,
every kind of frame, and no secret in telemetry.

Frames that are not from the sheet's data are built here, from the sheet's words alone.
"""

from itertools import product
from typing import Any

import pytest
from deckwatch.frame import BAD_LENGTH, FRAMES_IN, NOISE
from deckwatch.protocols import ninebot
from families import entries, listen
from scooter_words import BATTERY_WORDS, DECODED, KIND_BY_MEANING, SECRET_WORDS

GIVEN = entries("xiaomi", "ninebot")
CONTROLLER, DASH, APP, WHEEL_MAIN = 0x20, 0x21, 0x3E, 0x14
BATTERIES = (0x11, 0x12, 0x22, 0x23)
PACKS = [(0x22, 0), (0x23, 1), (0x11, 0), (0x12, 1)]


def frame(source: int, destination: int, command: int, argument: int, payload: Any = b"") -> bytes:
    """Sheet 2.1; payload in bytes or hex."""
    data = bytes.fromhex(payload) if isinstance(payload, str) else payload
    body = bytes([len(data), source, destination, command, argument]) + data
    return b"\x5a\xa5" + body + (0xFFFF - sum(body) % 0x10000).to_bytes(2, "little")


def values(*frames: bytes, pack: int = 0) -> dict[str, Any]:
    return listen("ninebot", *frames).values(pack)


def test_the_builder_builds_a_recorded_frame() -> None:
    built = frame(0x22, 0x20, 4, 0x30, "0100 1910 4f00 0400 5e0f 2f30")
    assert built.hex() == "5aa50c22200430010019104f0004005e0f2f3034fe"


@pytest.mark.parametrize("entry", GIVEN, ids=lambda entry: entry["hex"])
def test_a_given_frame_means_what_its_source_says(entry: dict[str, Any]) -> None:
    heard = listen("ninebot", entry["hex"])
    (seen,) = heard.frames
    assert seen.data.hex() == entry["hex"]
    assert heard.framer.numbers[NOISE] == 0
    known = heard.values()
    for slot, expected in entry["expect"].items():
        assert known[slot] == expected, slot
    decoded = entry["decoded"]
    for name, (slot, convert) in DECODED.items():
        if name in decoded:
            assert known[slot] == convert(decoded[name]), slot
    kind = next(kind for start, kind in KIND_BY_MEANING if entry["meaning"].startswith(start))
    assert seen.kind == kind
    assert seen.is_reply == entry["meaning"].startswith("BMS")
    destination = bytes.fromhex(entry["hex"])[4]
    asked = kind == "read" and destination in BATTERIES
    assert seen.is_request == asked
    assert seen.pack == (1 if asked and destination in (0x12, 0x23) else 0)
    assert seen.register == decoded.get("reg", seen.register)
    if decoded.get("bytes"):
        assert seen.wanted == decoded["bytes"]


def test_given_frames_are_all_there_and_none_is_damaged() -> None:
    assert len(GIVEN) == 24
    assert not any(entry.get("must") for entry in GIVEN)


def test_every_given_frame_is_found_however_the_line_is_cut() -> None:
    whole = [entry["hex"] for entry in GIVEN]
    for chunk in (1, 5, 16, 128):
        heard = listen("ninebot", "".join(whole), chunk=chunk)
        assert [seen.data.hex() for seen in heard.frames] == whole


# --- packs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "payload", "expected"), BATTERY_WORDS)
def test_a_battery_register_by_hand_in_either_pack(
    word: int, payload: str, expected: dict[str, Any]
) -> None:
    for address, pack in PACKS:
        heard = listen("ninebot", frame(address, APP, 4, word, payload))
        assert heard.frames[0].pack == pack
        assert heard.frames[0].is_reply
        assert heard.values(pack) == expected
        assert heard.values(1 - pack) == {}


def test_0x23_is_the_external_battery_here_and_the_controller_in_the_other_dialect() -> None:
    payload = "1500 0000"  # word B0 of a controller: error 21; of a battery: nothing
    assert values(frame(0x23, APP, 4, 0xB0, payload)) == {}
    body = bytes.fromhex("06 23 01 b0") + bytes.fromhex(payload)
    other = b"\x55\xaa" + body + (0xFFFF - sum(body)).to_bytes(2, "little")
    assert listen("xiaomi", other).values() == {"error_code": 21, "alarm_code": 0}
    words = "710e 2f00"  # words 31 and 32 of a battery
    assert values(frame(0x23, APP, 4, 0x31, words), pack=1) == {
        "remaining_mah": 3697,
        "soc_pct": 47,
    }
    body = bytes.fromhex("06 23 01 31") + bytes.fromhex(words)
    other = b"\x55\xaa" + body + (0xFFFF - sum(body)).to_bytes(2, "little")
    assert listen("xiaomi", other).values() == {}


def test_both_packs_are_kept_apart() -> None:
    heard = listen(
        "ninebot",
        frame(0x22, CONTROLLER, 4, 0x31, "1910 4f00"),
        frame(0x23, CONTROLLER, 4, 0x31, "0a00 0100"),
    )
    assert heard.values(0) == {"remaining_mah": 4121, "soc_pct": 79}
    assert heard.values(1) == {"remaining_mah": 10, "soc_pct": 1}


def test_an_external_pack_nobody_configured_is_recognised_and_dropped() -> None:
    heard = listen("ninebot", frame(0x23, CONTROLLER, 4, 0x31, "0a00"), packs=1)
    assert (heard.frames[0].kind, heard.frames[0].pack) == ("reply", 1)
    assert heard.values() == {}


@pytest.mark.parametrize("command", [0x04, 0x55, 0x5A])
def test_words_come_in_replies_refreshes_and_heartbeats(command: int) -> None:
    known = values(frame(0x22, CONTROLLER, command, 0x30, "0100 1910 4f00 0300 5e0f 2f30"))
    assert known == {
        "faults": [],
        "charging_flag": False,
        "remaining_mah": 4121,
        "soc_pct": 79,
        "current_ma": -30,
        "pack_mv": 39340,
        "temp_dc": [270, 280],
    }


WHEEL_WORDS = [
    (0x3C, "440e", {"board_lowest_mv": 3652}),
    (0x3E, "3200", {"shown_pct": 50}),
    (0x3F, "0e00", {"cell_count": 14}),
]


@pytest.mark.parametrize(("word", "payload", "expected"), WHEEL_WORDS)
def test_the_wheels_own_words_are_read_from_a_wheel_alone(
    word: int, payload: str, expected: dict[str, Any]
) -> None:
    assert values(frame(0x11, WHEEL_MAIN, 4, word, payload)) == expected
    assert values(frame(0x12, WHEEL_MAIN, 4, word, payload), pack=1) == expected
    for scooter, pack in ((0x22, 0), (0x23, 1)):
        assert values(frame(scooter, APP, 4, word, payload), pack=pack) == {}
    assert {slot for _, _, slot in ninebot.WHEEL} == {
        slot for _, _, known in WHEEL_WORDS for slot in known
    }


@pytest.mark.parametrize("word", SECRET_WORDS)
def test_secrets_never_reach_telemetry(word: int) -> None:
    for address, pack in PACKS:
        assert values(frame(address, APP, 4, word, "a55a"), pack=pack) == {}


# --- controller ----------------------------------------------------------------------------------

CONTROLLER_WORDS = [
    (0x1B, "1500", {"error_code": 21}),
    (0x1C, "0900", {"alarm_code": 9}),
    (0x1D, "0208", {"controller_flags": 0x0802}),
    (0x1F, "0200", {"mode": 2}),
    (0x22, "4f00", {"controller_soc_pct": 79}),
    (0x47, "5e0f", {"supply_mv": 39340}),
    (0x48, "600f", {"controller_pack_mv": 39360}),
    (0x67, "3601", {"firmware": "1.3.6"}),
    (0x68, "8102", {"ble_version": 0x0281}),
]


@pytest.mark.parametrize(("word", "payload", "expected"), CONTROLLER_WORDS)
def test_a_controller_register_by_hand(word: int, payload: str, expected: dict[str, Any]) -> None:
    heard = listen("ninebot", frame(CONTROLLER, APP, 4, word, payload))
    assert heard.values() == expected
    assert heard.values(1) == {}
    assert (heard.frames[0].kind, heard.frames[0].is_reply) == ("reply", False)


def test_no_controller_register_is_left_out() -> None:
    rows = {slot for _, _, slot, *_ in ninebot.CONTROLLER}
    assert {slot for _, _, expected in CONTROLLER_WORDS for slot in expected} == rows


def test_the_controller_tells_the_version_of_either_battery() -> None:
    both = frame(CONTROLLER, APP, 4, 0x66, "3501 3601")
    assert (values(both, pack=0), values(both, pack=1)) == (
        {"firmware": "1.3.6"},
        {"firmware": "1.3.5"},
    )
    assert listen("ninebot", both, packs=1).values() == {"firmware": "1.3.6"}


def test_words_nobody_is_sure_of_and_secrets_of_the_controller_set_nothing() -> None:
    for word in (0x10, 0x17, 0x3F, 0x40, 0x41, 0x49, 0x50):
        heard = listen("ninebot", frame(CONTROLLER, APP, 4, word, b"123456"))
        assert heard.values() == {}, hex(word)
        assert not any(heard.packs[0].value), hex(word)


def test_the_dashboards_own_words_are_nobodys() -> None:
    heard = listen("ninebot", frame(DASH, CONTROLLER, 4, 0x1B, "1500"))
    assert heard.frames[0].kind == "reply"
    assert heard.values() == {}


# --- the dash wire -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "payload", "expected"),
    [
        (0x64, "06 c4 56 00 00 72 00", {"throttle_raw": 0xC4, "brake_raw": 0x56}),
        (0x65, "04 28 22 02 00", {"throttle_raw": 0x28, "brake_raw": 0x22}),
        (0x61, "20 02 28 27", {"throttle_raw": 0x28, "brake_raw": 0x27}),
        (0x61, "", {}),
    ],
)
def test_dashboard_to_controller(command: int, payload: str, expected: dict[str, Any]) -> None:
    heard = listen("ninebot", frame(DASH, CONTROLLER, command, 0xB0, payload))
    assert heard.frames[0].kind == "dash_input"
    assert heard.frames[0].wanted == (0x20 if command == 0x61 and payload else -1)
    assert heard.values() == expected


def test_controller_to_dashboard() -> None:
    assert values(frame(CONTROLLER, DASH, 0x64, 0, "05 64 00 00 1b 0a")) == {
        "mode": 5,
        "controller_soc_pct": 100,
        "speed_mh": 27000,
        "error_code": 10,
    }
    assert values(frame(CONTROLLER, DASH, 0x64, 0, "04 03 00 00")) == {"mode": 4}
    assert values(frame(CONTROLLER, DASH, 0x64, 0, "04 03 00")) == {}


# --- kinds ---------------------------------------------------------------------------------------

UPDATES = (0x07, 0x08, 0x09, 0x0A)
SERVICE = (0x06, 0x18, 0x50, 0x51, 0x52, 0x53, 0x54, 0x56, 0x57, 0x58, 0x59, 0x5B, 0x5C, 0x80)


def kind_of(source: int, destination: int, command: int) -> tuple[str, bool, bool]:
    """(kind, is_request, is_reply) by the sheet's tables 2.2 and 2.3."""
    to_battery = destination in BATTERIES
    if source in BATTERIES:
        if command in (0x04, 0x55, 0x5A):
            return "reply", False, True
        if command in (0x05, 0x0B, *UPDATES):
            return "ack", False, True
        return "unknown", False, False
    if (source, destination, command) == (CONTROLLER, DASH, 0x64):
        return "dash_state", False, False
    if destination == CONTROLLER and command in (0x61, 0x64, 0x65):
        return "dash_input", False, False
    for kind, commands, is_request in (
        ("reply", (0x04,), False),
        ("read", (0x01, 0x55, 0x5A), to_battery),
        ("write", (0x02,), to_battery),
        ("write", (0x03,), False),
        ("ack", (0x05, 0x0B), False),
        ("update", UPDATES, to_battery),
        ("service", SERVICE, False),
    ):
        if command in commands:
            return kind, is_request, False
    return "unknown", False, False


def test_every_source_destination_and_command_has_its_kind() -> None:
    addresses = (0x00, 0x11, 0x12, 0x14, CONTROLLER, DASH, 0x22, 0x23, 0x3D, APP, 0xFF)
    for source, destination, command in product(addresses, addresses, range(0x82)):
        (seen,) = listen("ninebot", frame(source, destination, command, 0x7D, b"\x0c")).frames
        wanted = kind_of(source, destination, command)
        where = tuple(map(hex, (source, destination, command)))
        assert (seen.kind, seen.is_request, seen.is_reply) == wanted, where
        assert (seen.register, seen.body) == (0x7D, b"\x0c")
        asks = wanted[0] == "read" or (wanted[0] == "dash_input" and command == 0x61)
        assert seen.wanted == (12 if asks else -1), where


def test_a_refresh_asks_for_no_number_of_bytes() -> None:
    (seen,) = listen("ninebot", frame(CONTROLLER, 0x23, 0x5A, 0)).frames
    assert (seen.kind, seen.is_request, seen.wanted, seen.pack) == ("read", True, -1, 1)


def test_an_app_may_ask_with_a_number_of_two_bytes() -> None:
    (seen,) = listen("ninebot", frame(APP, 0x22, 0x01, 0x40, "1e00")).frames
    assert seen.wanted == 30


def test_the_longest_frame_is_a_page_of_firmware() -> None:
    page = frame(DASH, 0x22, 0x08, 209, bytes(range(128)))
    longest = listen("ninebot", frame(DASH, 0x22, 0x08, 209, bytes(0x82)))
    assert longest.framer.numbers[FRAMES_IN] == 1
    (seen,) = listen("ninebot", page).frames
    assert (seen.kind, seen.is_request, seen.data) == ("update", True, page)
    heard = listen("ninebot", frame(DASH, 0x22, 0x08, 209, bytes(0x83)))
    assert heard.frames == []
    assert heard.framer.numbers[BAD_LENGTH] == 1

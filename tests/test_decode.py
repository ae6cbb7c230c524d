"""packlab decode: published frames to the values their sources state, and what is no frame to a
reason."""

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
from families import entries
from packlab.decode import decode, fault_names
from packlab.errors import PacklabError

FRAMES = entries("xiaomi")
GOOD = [entry for entry in FRAMES if entry.get("must") != "reject"]
BAD = [entry for entry in FRAMES if entry.get("must") == "reject"]


def one(line: str, protocol: str | None = None) -> dict[str, Any]:
    (result,) = decode([line], protocol)
    return result


def made(header: str, body: str) -> str:
    """A made frame: `body` is hex from the length to the last payload byte; the check follows."""
    check = 0xFFFF - (sum(bytes.fromhex(body)) & 0xFFFF)
    return header + body + check.to_bytes(2, "little").hex()


def xiaomi(body: str) -> str:
    return made("55aa", body)


def packlab_decode(lines: Iterable[bytes], *options: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "packlab.cli", "decode", *options]
    return subprocess.run(command, input=b"\n".join(lines), capture_output=True, check=False)


# --- published frames ----------------------------------------------------------------------------


def test_every_published_frame_gives_its_values_on_the_command_line() -> None:
    done = packlab_decode([entry["hex"].encode() for entry in FRAMES], "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(FRAMES) == len(GOOD) + len(BAD)
    for entry, result in zip(FRAMES, results, strict=True):
        if entry in BAD:
            assert (result["ok"], result["protocol"], result["values"]) == (False, None, {})
            assert result["error"]
            continue
        assert (result["ok"], result["error"]) == (True, None), entry["meaning"]
        assert result["protocol"] == entry["framing"], entry["meaning"]
        got = {name: result["values"].get(name) for name in entry["expect"]}
        assert got == entry["expect"], entry["meaning"]


@pytest.mark.parametrize("entry", BAD, ids=lambda entry: entry["hex"][:24])
def test_a_damaged_frame_says_what_does_not_fit(entry: dict[str, Any]) -> None:
    reasons = ("xiaomi: the checksum does not fit", "xiaomi: its length does not fit")
    assert one(entry["hex"])["error"] in reasons


def test_requests_tell_register_and_size_as_their_sources_do() -> None:
    asked = [e for e in GOOD if e["meaning"].startswith("read request") and e["decoded"]["bytes"]]
    assert len(asked) > 20
    for entry in asked:
        result = one(entry["hex"])
        want = {"register": entry["decoded"]["reg"], "bytes": entry["decoded"]["bytes"]}
        assert (result["kind"], result["request"]) == ("read", want), entry["meaning"]
        assert result["values"] == {}


# By hand from the register map (xiaomi.md 3); the frames are published ones.
@pytest.mark.parametrize(
    ("frame", "values"),
    [
        ("55aa0425013b620038ff", {"health_pct": 98}),
        ("55aa08250120a22200000000edfe", {"made_on": "2017-05-02"}),
        ("55aa04250118781e27ff", {"design_mah": 7800}),
    ],
)
def test_values_beyond_the_published_table(frame: str, values: dict[str, Any]) -> None:
    assert values.items() <= one(frame)["values"].items()


# --- made frames, for what no published one shows ------------------------------------------------


def test_faults_are_named_and_charging_is_a_flag() -> None:
    # Status 0x0641: bits 6, 9 and 10; bit 0 says that the configuration is valid.
    result = one(xiaomi("042501304106"))
    assert result["values"]["faults"] == ["cell_over_voltage", "over_temperature"]
    assert result["values"]["charging_flag"] is True


def test_balancing_lists_cells_from_one() -> None:
    assert one(xiaomi("042501360502"))["values"]["balance"] == [1, 3, 10]


def test_current_is_positive_while_charging() -> None:
    assert one(xiaomi("0425013338ff"))["values"]["current_ma"] == 2000  # wire: -2.00 A


def test_inputs_without_a_cell_are_left_out_and_a_dead_cell_between_is_not() -> None:
    cells = [3600] * 4 + [0] + [3600] * 5 + [0] * 6
    payload = b"".join(mv.to_bytes(2, "little") for mv in cells).hex()
    values = one(xiaomi("22250140" + payload))["values"]
    assert values["cell_mv"] == [3600] * 4 + [0] + [3600] * 5


def test_a_serial_number_keeps_its_spaces() -> None:
    serial = b"  MADE000UP   "
    values = one(xiaomi("10250110" + serial.hex()))["values"]
    assert values["serial"] == serial.decode()


def test_fault_names_of_both_words() -> None:
    from deckwatch.faults import FAULTS, WORD_BITS

    assert fault_names(0b101, 0b10) == [FAULTS[0], FAULTS[2], FAULTS[WORD_BITS + 1]]
    assert fault_names(0, 0) == []


# --- the family ----------------------------------------------------------------------------------


def test_address_23_is_the_controller_in_one_framing_and_a_pack_in_the_other() -> None:
    controller = one(made("55aa", "042301322f00"))
    assert (controller["protocol"], controller["kind"]) == ("xiaomi", "reply")
    assert "soc_pct" not in controller["values"]
    pack = one(made("5aa5", "02232004322f00"))
    assert (pack["protocol"], pack["kind"], pack["pack"]) == ("ninebot", "reply", 2)
    assert pack["values"] == {"soc_pct": 47}


def test_a_named_protocol_is_the_only_one_asked() -> None:
    frame = next(entry["hex"] for entry in GOOD if entry["framing"] == "ninebot")
    assert one(frame, "ninebot")["protocol"] == "ninebot"
    assert one(frame, "xiaomi")["error"] == "no family begins its frames like this"


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PacklabError, match=r"'morse' is no protocol; use one of .*\bxiaomi\b"):
        one("55aa", "morse")


# --- lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("55aa0", "this is not pairs of hex digits; one frame a line"),
        ("hello", "this is not pairs of hex digits; one frame a line"),
        ("00112233", "no family begins its frames like this"),
        ("55aa", "xiaomi: its length does not fit"),
        ("55aa0322011010b9ff" * 2, "xiaomi: its length does not fit"),
        ("55aa0322011010b9fe", "xiaomi: the checksum does not fit"),
    ],
)
def test_a_line_that_is_no_frame_says_why(line: str, error: str) -> None:
    assert one(line) == {
        "protocol": None,
        "ok": False,
        "error": error,
        "kind": None,
        "values": {},
    }


def test_spaces_capitals_comments_and_blank_lines_are_allowed() -> None:
    results = list(decode(["# a request", "", "55 AA 03 22 01 10 10 B9 FF\r\n"]))
    assert [result["kind"] for result in results] == ["read"]


def test_bytes_that_are_no_text_are_answered_line_by_line() -> None:
    done = packlab_decode([b"\xff\xfe\x00", b"55aa0322011010b9ff"], "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["ok"] for line in done.stdout.splitlines()] == [False, True]


def test_in_words() -> None:
    frames = [b"55aa0425013b620038ff", b"55aa0322011010b9ff", b"55aa0322011010b9fe"]
    assert packlab_decode(frames).stdout.decode().splitlines() == [
        "xiaomi reply: health_pct 98",
        "xiaomi read: request {'register': 16, 'bytes': 16}",
        "rejected: xiaomi: the checksum does not fit",
    ]

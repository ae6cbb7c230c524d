"""What every family must keep to, whichever it is: its contract, rows that fit 30 bits, its given
frames alone and beside those of all others, the same on every interpreter, and no allocation.

A family that joins deckwatch/index.py is held to it without a change here.
"""

import struct
import subprocess
import sys
from inspect import signature
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from conftest import MicroPython
from deckwatch.frame import NOISE
from deckwatch.framer import GAP_MS
from deckwatch.framings import CHECK_NAMES
from deckwatch.index import PROTOCOLS
from deckwatch.passing import names
from deckwatch.poller import listed
from deckwatch.telemetry import SLOTS
from families import Heard, entries, listen, listener, protocol
from test_encode import LIMIT, TABLES, number, raw_range

UNIX = Path(__file__).parent / "unix"
LISTS = ("cell_mv", "temp_dc")


def given(family: str) -> list[dict[str, Any]]:
    """The sheet's frames of a family; Xiaomi and Ninebot share one."""
    if family in ("xiaomi", "ninebot"):
        return entries("xiaomi", family)
    return entries(family)


def whole(family: str) -> list[dict[str, Any]]:
    return [entry for entry in given(family) if not entry.get("must")]


def conversation(entry: dict[str, Any]) -> list[str]:
    """The frame, behind its request where one is given."""
    asked = entry.get("request_hex")
    return [asked, entry["hex"]] if asked else [entry["hex"]]


# --- contract ------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", PROTOCOLS)
def test_a_family_offers_what_the_pipeline_asks_for(family: str) -> None:
    module = protocol(family)
    assert module.__doc__
    assert list(signature(module.decode).parameters) == ["frame", "packs", "memory"]
    assert set(module.BAUDS) <= {2400, 9600, 19200, 76800, 115200}
    assert module.BAUDS
    assert module.OPEN_DC < -150
    assert module.SHORT_DC > 900
    assert "current_ma" in names(module.STEADY)
    assert set(names(module.STEADY)) <= {*SLOTS, *LISTS}
    if hasattr(module, "Memory"):
        module.Memory()


def framings(rows: Any) -> list[Any]:
    """Rows, and those of what may follow them."""
    return [inner for row in rows for inner in (row, *(framings(row[6]) if len(row) > 6 else ()))]


@pytest.mark.parametrize("family", PROTOCOLS)
def test_framing_rows_can_be_meant(family: str) -> None:
    for row in framings(protocol(family).FRAMING):
        header, (offset, code, add, lowest, highest), (check, start, end, at, form), tail = row[:4]
        assert header
        width = struct.calcsize(code) if code else 0
        assert offset + width <= lowest <= highest < 1024, row
        assert code in ("", "B", "<H", ">H")
        assert code or add == lowest == highest
        assert len(header) + len(tail) <= lowest
        if not check:
            assert (start, end, at, form) == (0, 0, 0, ""), row
            continue
        assert check in CHECK_NAMES
        assert form in (("B",) if check == "sum8" else ("<H", ">H"))
        assert 0 <= start <= lowest - end  # what is summed is not less than nothing
        assert struct.calcsize(form) <= at <= lowest  # the check lies inside
        assert at <= end  # and is not summed itself


@pytest.mark.parametrize("family", PROTOCOLS)
def test_requests_are_whole_reads_and_nothing_that_writes(family: str) -> None:
    names = set()
    for name, asked, answer, period_ms in protocol(family).REQUESTS:
        heard = listen(family, asked)
        (seen,) = heard.frames
        assert seen.data.hex() == asked, name
        assert (seen.kind, seen.is_request, seen.is_reply) == ("read", True, False), name
        assert heard.framer.numbers[NOISE] == 0
        assert heard.values() == {}
        assert answer == "reply"
        assert 200 <= period_ms <= 600_000
        names.add(name)
    assert len(names) == len(protocol(family).REQUESTS) > 0
    assert listed(protocol(family).QUESTIONS) == [
        (bytes.fromhex(asked), period_ms) for _, asked, _, period_ms in protocol(family).REQUESTS
    ]


@pytest.mark.parametrize("rows", TABLES)
def test_no_number_of_16_bits_outgrows_a_small_int_on_its_way(rows: Any) -> None:
    for row in rows:
        if row[2] != "faults" and row[1][-1] in "BbHh":
            mul, div, add = number(row)[:3]
            for raw in raw_range(row):
                assert abs(raw * mul) <= LIMIT, row
                assert abs(raw * mul // abs(div)) + abs(add) <= LIMIT, row
            bits = 8 * struct.calcsize(row[1])
            assert raw_range(row)[1] >= (1 << bits - 1) - 1, row  # nothing is left out


def test_the_index_names_every_family(repo_root: Path) -> None:
    tool = repo_root / "tools" / "make_index.py"
    done = subprocess.run([sys.executable, str(tool), "--check"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


# --- given frames --------------------------------------------------------------------------------


@pytest.mark.parametrize("family", PROTOCOLS)
def test_every_given_frame_is_one_whole_frame_of_a_kind_or_is_rejected(family: str) -> None:
    assert len(given(family)) > 20
    for entry in given(family):
        seen = [frame.data.hex() for frame in listen(family, entry["hex"]).frames]
        if entry.get("must") == "reject":
            assert entry["hex"] not in seen, entry["meaning"]
        else:
            assert seen == [entry["hex"]], entry["meaning"]


@pytest.mark.parametrize("family", PROTOCOLS)
def test_a_given_frame_cut_by_silence_is_no_frame_and_harms_none_behind_it(family: str) -> None:
    for entry in whole(family)[::5]:
        frame = bytes.fromhex(entry["hex"])
        for cut in range(1, len(frame), max(1, len(frame) // 12)):
            heard = listener(family)
            heard.feed(frame[:cut], 0)
            heard.framer.idle(GAP_MS + 1)
            inside = len(heard.frames)
            heard.feed(frame, GAP_MS + 2)
            heard.framer.lose(GAP_MS + 2)
            assert heard.frames[inside].data == frame, (entry["hex"], cut)
            assert all(seen.data != frame for seen in heard.frames[:inside])
            whole_bytes = sum(len(seen.data) for seen in heard.frames)
            assert whole_bytes + heard.framer.numbers[NOISE] <= cut + len(frame)


@pytest.mark.parametrize(("family", "other"), list(permutations(PROTOCOLS, 2)))
def test_no_family_hears_anything_in_anothers_frames(family: str, other: str) -> None:
    for entry in whole(other):
        heard = listen(family, entry["hex"])
        assert heard.frames == []
        assert heard.framer.numbers[NOISE] == len(entry["hex"]) // 2


# --- interpreters --------------------------------------------------------------------------------


def lines(family: str) -> bytes:
    return "".join(" ".join(conversation(entry)) + "\n" for entry in given(family)).encode()


@pytest.mark.parametrize("family", PROTOCOLS)
def test_given_frames_mean_the_same_on_every_interpreter(
    family: str, micropython: MicroPython, repo_root: Path
) -> None:
    script = UNIX / "decode_given.py"
    # boards/CPYTHON has the slots that the dongle does not keep; here all are compared.
    folders = (repo_root / "firmware", repo_root / "boards" / "CPYTHON")
    here = subprocess.run(
        [sys.executable, str(script), family],
        input=lines(family),
        capture_output=True,
        env={"PYTHONPATH": ":".join(map(str, folders))},
        check=True,
    )
    there = micropython.run(script, family, folders=folders, stdin=lines(family))
    assert there.splitlines() == here.stdout.decode().splitlines()
    assert there.count("\n") >= 5 * len(given(family)) - 8


PROFILES = {"xiaomi": "m365"}  # where it is not called like the family


@pytest.mark.parametrize("family", PROTOCOLS)
def test_given_frames_are_decoded_without_allocating(
    family: str, micropython32: MicroPython
) -> None:
    frames = [text for entry in whole(family) for text in conversation(entry)]
    stdin = "\n".join(frames).encode()
    profile = PROFILES.get(family, family)
    said = micropython32.run(UNIX / "decode_locked.py", profile, stdin=stdin)
    assert said.split() == ["frames", str(len(frames)), "bits", "31"]


# --- any wrong byte ------------------------------------------------------------------------------


def held(heard: Heard) -> bytes:
    return b"".join(bytes(t.value) + bytes(t.cell_mv) + bytes(t.temp_dc) for t in heard.packs)


@pytest.mark.parametrize("family", ["xiaomi", "ninebot"])
def test_one_wrong_byte_anywhere_leaves_nothing_behind(family: str) -> None:
    for entry in whole(family):
        frame = bytes.fromhex(entry["hex"])
        for place in range(len(frame)):
            for flip in (1 << place % 8, 0xFF):
                spoilt = frame[:place] + bytes([frame[place] ^ flip]) + frame[place + 1 :]
                heard = listen(family, spoilt)
                assert heard.frames == []
                assert not any(held(heard))

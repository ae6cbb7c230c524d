"""The hot loops as machine code against the same loops in plain Python: given frames, spoilt ones
and noise, through framing, rows and telemetry of every family, give the same frames, counters and
values to the last bit."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from conftest import MicroPython
from deckwatch.index import PROTOCOLS
from families import protocol
from test_checksums import native
from test_framer import with_check
from test_protocol_matrix import whole

SCRIPT = Path(__file__).parent / "unix" / "loops.py"
ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "firmware", ROOT / "boards" / "CPYTHON")  # the second: slots of the bench, too


def spoilt(random: Random, frame: bytes) -> bytes:
    """A frame as it was, cut, with a wrong byte, or noise in its place."""
    way = random.randrange(6)
    if way == 0:
        return frame[: random.randrange(len(frame))]
    if way == 1:
        at = random.randrange(len(frame))
        return frame[:at] + random.randbytes(1) + frame[at + 1 :]
    if way == 2:
        return random.randbytes(random.randrange(8))
    return frame


def any_content(random: Random, framing: tuple[tuple, ...]) -> bytes:  # type: ignore[type-arg]
    """A frame that holds, filled with anything."""
    row = random.choice(framing)
    return with_check(row, random.randbytes(random.randrange(row[1][4])))


def lines() -> list[str]:
    made = []
    for family in PROTOCOLS:
        random = Random(f"loops {family}")
        frames = [bytes.fromhex(entry["hex"]) for entry in whole(family)]
        for step in (1, 9, 64, 128):
            random.shuffle(frames)
            data = b"".join(spoilt(random, frame) for frame in frames[:40])
            made.append(f"{family} {step} {data.hex()}\n")
            data = b"".join(any_content(random, protocol(family).FRAMING) for _ in range(30))
            made.append(f"{family} {step} {data.hex()}\n")
        headers = b"".join(row[0] for row in protocol(family).FRAMING)
        data = bytes(random.choice(headers + b"\x00\x01\x08") for _ in range(600))
        made.append(f"{family} 50 {data.hex()}\n")
    return made


@pytest.fixture(scope="module")
def plain() -> list[str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        input="".join(lines()),
        env={**os.environ, "PYTHONPATH": ":".join(map(str, FOLDERS))},
        capture_output=True,
        text=True,
        check=True,
    )
    taken, *told = done.stdout.splitlines()
    assert taken == "plain"
    return told


def test_machine_code_does_what_the_plain_loops_do(
    micropython: MicroPython, plain: list[str]
) -> None:
    made = lines()
    told = micropython.run(SCRIPT, folders=FOLDERS, stdin="".join(made).encode())
    taken, *found = told.splitlines()
    assert taken == ("viper" if native(micropython) else "plain")
    assert len(found) == len(plain) == len(made)
    for line, own, other in zip(made, found, plain, strict=True):
        assert own == other, line


def test_the_lines_hold_frames_and_faults_of_every_kind(plain: list[str]) -> None:
    counted = [eval(told.split("] [")[1].split("]")[0]) for told in plain]
    for kind in range(8):
        assert sum(counts[kind] for counts in counted) > 20, kind

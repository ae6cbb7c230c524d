"""packlab run --pty: the virtual dongle hears, in real time, what a serial tool writes on its
wires, and tells on its console."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from app_rig import REPLY, REQUEST


@contextlib.contextmanager
def running(*words: str) -> Iterator[dict[str, str]]:
    """The command, and its terminals by name."""
    process = subprocess.Popen(
        [sys.executable, "-m", "packlab.cli", "run", "--pty", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        lines = [process.stdout.readline().split() for _ in range(4)]
        yield {line[0]: line[1] for line in lines}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        process.stdout.close()


def heard(console: int, word: bytes, within_s: float) -> bytes:
    """What the console said until a line with that word was whole."""
    said = b""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if select.select([console], [], [], 0.1)[0]:
            said += os.read(console, 4096)
            if word in said and said[said.index(word) :].count(b"\n"):
                return said
    raise AssertionError(said.decode(errors="replace"))


pytestmark = pytest.mark.usefixtures("micropython64")


def test_a_serial_tool_talks_on_the_wires_and_the_light_turns_green() -> None:
    with running("--profile", "m365") as ports:
        assert set(ports) == {"console", "bms_tx", "host_tx", "dash"}
        console = os.open(ports["console"], os.O_RDONLY | os.O_NOCTTY)
        assert b"no_data" in heard(console, b"look no_data", 30)
        begun = time.monotonic()
        with serial.Serial(ports["bms_tx"]) as bms, serial.Serial(ports["host_tx"]) as host:
            for _ in range(6):
                host.write(bytes.fromhex(REQUEST))
                bms.write(bytes.fromhex(REPLY))
                time.sleep(0.21)
        said = heard(console, b"look fine", 20)
        assert time.monotonic() - begun < 20
        assert b"task" not in said
        os.close(console)


def test_what_the_dongle_asks_can_be_read_on_the_batterys_wire(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"profile": "jbd", "mode": "poll"}')
    with running("--config", str(config)) as ports, serial.Serial(ports["bms_tx"]) as bms:
        bms.timeout = 30
        assert bms.read(2) == b"\xdd\xa5"  # a JBD read

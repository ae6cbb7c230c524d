"""The programs people already use read what we write, and we read what they write: tshark,
sigrok-cli. And the software UART on jittering edges of clocks that run wrong."""

import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from packlab.capture import (
    CaptureReader,
    CaptureWriter,
    Chunk,
    Event,
    Header,
    LineSetting,
    new_file,
)
from packlab.convert import convert
from packlab.formats import Options
from packlab.formats.wire.edge import Edge, Frame
from packlab.formats.wire.uart import Uart
from packlab.made import made_capture_path

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"


def program(name: str, package: str) -> str:
    """A program's path; without it the test is skipped with what brings it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not here; 'sudo apt install {package}' brings it")
    return path


def said(*words: str) -> str:
    done = subprocess.run(
        words, capture_output=True, text=True, errors="replace", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def read(path: Path) -> list[Event]:
    with CaptureReader(path) as reader:
        return list(reader)


def test_tshark_opens_a_pcapng(tmp_path: Path) -> None:
    tshark = program("tshark", "tshark")
    path = tmp_path / "real.pcapng"
    convert(REAL, path)
    events = read(REAL)
    told = said(
        tshark, "-r", str(path), "-T", "fields",
        "-e", "frame.time_epoch", "-e", "frame.interface_name", "-e", "rtacser.eventtype",
        "-e", "data.data",
    )  # fmt: skip
    rows = [line.split("\t") for line in told.splitlines()]
    assert len(rows) == len(events)
    for row, event in zip(rows, events, strict=True):
        assert row[1] == event.port
        assert round(float(row[0]) * 1e6) == event.t_us
        if isinstance(event, Chunk):
            assert row[3] == event.data.hex()
        else:
            assert row[3] == ""
    received = {row[2] for row in rows if row[1] == "bms_tx" and row[3]}
    sent = {row[2] for row in rows if row[1] == "host_tx" and row[3]}
    assert len(received) == len(sent) == 1
    assert received != sent


def test_sigrok_opens_a_session_and_decodes_its_bytes(tmp_path: Path) -> None:
    sigrok = program("sigrok-cli", "sigrok-cli")
    path = tmp_path / "real.sr"
    convert(REAL, path)
    shown = said(sigrok, "-i", str(path), "--show")
    assert "bms_tx" in shown
    assert "host_tx" in shown
    for port in ("bms_tx", "host_tx"):
        told = said(
            sigrok, "-i", str(path), "-P", f"uart:rx={port}:baudrate=115200:format=hex",
            "-A", "uart=rx-data",
        )  # fmt: skip
        decoded = bytes(int(byte, 16) for byte in re.findall(r"uart-1: ([0-9A-F]{2})\b", told))
        expected = b"".join(
            event.data for event in read(REAL) if isinstance(event, Chunk) and event.port == port
        )
        assert decoded == expected


def test_what_sigrok_exports_is_read(tmp_path: Path) -> None:
    sigrok = program("sigrok-cli", "sigrok-cli")
    session, table = tmp_path / "real.sr", tmp_path / "real.edges.csv"
    small = tmp_path / "small.cap"
    frames = [event for event in read(REAL) if isinstance(event, Chunk)][:6]
    with new_file(small) as stream:  # close together: sigrok's table has a row for each sample
        lines = dict.fromkeys(("bms_tx", "host_tx"), LineSetting())
        writer = CaptureWriter(stream, Header("derived", "the real line's first frames", lines))
        for number, event in enumerate(frames, 1):
            writer.write(Chunk(number * 5000, event.port, event.data))
    convert(small, session)
    for kind, path in (("csv", table), ("vcd", tmp_path / "real.vcd")):
        said(sigrok, "-i", str(session), "-O", kind, "-o", str(path))
        back = tmp_path / f"{kind}.cap"
        setting = {port: LineSetting() for port in ("bms_tx", "host_tx")}
        convert(path, back, options=Options(lines=setting, origin="derived", source="sigrok"))
        for port in setting:
            assert joined(read(back), port) == joined(read(small), port)


def joined(events: list[Event], port: str) -> bytes:
    return b"".join(e.data for e in events if isinstance(e, Chunk) and e.port == port)


# --- the software UART ---------------------------------------------------------------------------


def edges(
    chunks: list[Chunk], setting: LineSetting, skew: float, jitter_ns: int
) -> Iterator[Edge]:
    """The raw levels of chunks whose sender's clock runs wrong by `skew`, every edge off by up to
    `jitter_ns` either way."""
    frame = Frame(setting)
    chance = random.Random(11)
    for chunk in chunks:
        length_ns = frame.after_ns(len(chunk.data) * frame.bits)
        start_ns = chunk.t_us * 1000 - length_ns
        level, bit = 1, 0
        for byte in chunk.data:
            for after in frame.levels(byte):
                if after != level:
                    t_ns = start_ns + round(frame.after_ns(bit) * (1 + skew))
                    yield Edge(t_ns + chance.randint(-jitter_ns, jitter_ns), chunk.port, after)
                    level = after
                bit += 1


@pytest.mark.parametrize("baud", [9600, 19200, 76800, 115200])
@pytest.mark.parametrize("skew", [-0.02, 0.0, 0.02])
def test_bytes_come_back_from_jittering_edges(baud: int, skew: float) -> None:
    """A made line, every edge off by up to a tenth of a bit, the sender's clock by 2 %."""
    setting = LineSetting(baud)
    chunks = []
    t_us = 100_000
    with CaptureReader(made_capture_path("charge_and_ride", 1)) as reader:
        for event in reader:
            if isinstance(event, Chunk) and event.port == "bms_tx":
                t_us += int(len(event.data) * 10.5e6 / baud) + 5000
                chunks.append(Chunk(t_us, "bms_tx", event.data))
            if len(chunks) == 400:
                break
    uart = Uart("bms_tx", setting)
    uart.begin(0, 1, tell_idle=False)
    for edge in edges(chunks, setting, skew, round(0.1e9 / baud)):
        uart.edge(edge.t_ns, edge.level)
    uart.advance(t_us * 1000 + 1_000_000_000)
    heard = [event for event in uart.told if isinstance(event, Chunk)]
    assert [event.data for event in heard] == [chunk.data for chunk in chunks]
    assert uart.framing_errors == uart.glitches == 0
    assert uart.bytes == sum(len(chunk.data) for chunk in chunks)


def test_a_clock_that_runs_too_wrong_is_noticed() -> None:
    """The check above can fail: at 8 % the stop bit is missed."""
    setting = LineSetting(115200)
    chunks = [Chunk(100_000 + 20_000 * n, "bms_tx", bytes(range(n, n + 20))) for n in range(20)]
    uart = Uart("bms_tx", setting)
    uart.begin(0, 1, tell_idle=False)
    for edge in edges(chunks, setting, 0.08, 0):
        uart.edge(edge.t_ns, edge.level)
    uart.advance(2_000_000_000)
    heard = [event.data for event in uart.told if isinstance(event, Chunk)]
    assert heard != [chunk.data for chunk in chunks]
    assert uart.framing_errors > 0

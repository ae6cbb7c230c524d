"""Where a fake pack can be played: captures, feeds for the virtual board, the virtual board itself
answering what its firmware asks, and a terminal as a serial port; and the words of the command."""

import argparse
import io
import json
import os
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from conftest import MicroPython
from packlab.capture import CaptureReader, Chunk, Level
from packlab.errors import PacklabError
from packlab.fake import families
from packlab.fake.bench import Order, build
from packlab.fake.bridge import Bridge
from packlab.fake.command import add_command
from packlab.fake.families import jbd
from packlab.fake.play import Live, Recorder, capture, feed
from packlab.fake.ports import Pty, SerialPort
from packlab.faults import parse
from packlab.made.scenes import scene
from packlab.made.story import Story
from test_virtual_board import launch, said

SECOND_US = 1_000_000


def command(*words: str) -> None:
    """Run it as cli.py will."""
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    options = parser.parse_args(["fake", *words])
    options.run(options)


# --- captures ------------------------------------------------------------------------------------


def test_a_capture_says_that_it_is_made_and_how(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jbd.cap"
    words = ("--profile", "tail", "--cells", "10", "--scene", "charge", "--fault", "bits:1e-4")
    command("jbd", "--capture", str(path), "--for", "20s", "--seed", "3", *words)
    assert capsys.readouterr().out == f"wrote {path}, made with seed 3, 20 s\n"
    with CaptureReader(path) as reader:
        events = list(reader)
        header = reader.header
    assert header.origin == "made"
    assert header.source == (
        "packlab fake jbd --profile tail --cells 10 --scene charge --seed 3 --for 20s"
        " --fault bits:1e-4"
    )
    assert {setting.baud for setting in header.lines.values()} == {9600}
    assert set(header.lines) == {"bms_tx", "host_tx"}
    assert "no battery was involved" in dict(header.notes)["note"]
    asked = [e for e in events if isinstance(e, Chunk) and e.port == "host_tx"]
    assert len(asked) == 40
    assert {event.t_us // SECOND_US for event in events} == set(range(20))


def test_the_same_words_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    code = (
        "import argparse, sys; from packlab.fake.command import add_command;"
        "parser = argparse.ArgumentParser(); add_command(parser.add_subparsers());"
        "options = parser.parse_args(sys.argv[1:]); options.run(options);"
        "assert not [name for name in sys.modules if name.startswith('deckwatch')]"
    )
    words = ["fake", "jk", "--profile", "bus", "--for", "20s", "--fault", "lose:1e-3"]
    paths = [tmp_path / "here.cap", tmp_path / "there.cap", tmp_path / "other.cap"]
    command(*words[1:], "--capture", str(paths[0]))
    subprocess.run(
        [sys.executable, "-c", code, *words, "--capture", str(paths[1])],
        env=os.environ | {"PYTHONHASHSEED": "77"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    command(*words[1:], "--seed", "2", "--capture", str(paths[2]))
    here, there, other = (path.read_bytes() for path in paths)
    assert here == there
    assert here != other


def test_a_capture_can_be_paced() -> None:
    line = build(Order("jbd"))
    start = time.monotonic()
    capture(line, 4 * SECOND_US, Recorder(io.StringIO(), line, "test"), speed=20.0)
    assert 0.15 < time.monotonic() - start < 2.0


# --- words that are refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("jbd",), "nothing to play on; give --capture FILE, --port DEV, --pty or --feed"),
        (
            ("jbd", "--capture", "x", "--scene", "dusk"),
            "there is no scene 'dusk'; use one of park",
        ),
        (
            ("jbd", "--capture", "x", "--profile", "v9"),
            "jbd has no profile 'v9'; use one of plain",
        ),
        (("xiaomi", "--capture", "x", "--cells", "20"), "room for 3 to 16 cells, not 20"),
        (("jbd", "--capture", "x", "--for", "long"), "'long' is no time; write it like 12.5s"),
        (("jbd", "--capture", "x", "--fault", "gremlin"), "'gremlin' is no fault"),
        (("jbd", "--capture", "/nowhere/x"), "/nowhere/x cannot be written"),
        (("jbd", "--port", "/dev/no-such-port"), "cannot be opened at 9600 baud"),
        (("jbd", "--board", "/nowhere"), "/nowhere cannot hold a scenario"),
    ],
)
def test_bad_words_give_one_sentence(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(PacklabError, match=why.replace("(", r"\(")):
        command(*words)


def test_the_list_names_profiles_scenes_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    command("ant", "--list")
    said = capsys.readouterr().out
    for part in ("  new ", "  old ", "  cold_charge ", "  bits:1e-4 "):
        assert part in said


# --- the virtual board ---------------------------------------------------------------------------


def test_a_feed_has_the_boards_grammar_and_order() -> None:
    line = build(Order("xiaomi"))
    lines = list(feed(line, 3 * SECOND_US))
    assert lines[:4] == ["0 bms baud 115200", "0 host baud 115200", "0 bms !idle", "0 host !idle"]
    assert lines[-1] == "3000000 end"
    assert launch.in_order(lines[4:]) == lines[4:]
    assert any(text.split()[1:] == ["host", "55aa032201300c9dff"] for text in lines)


Board = Callable[[str, Bridge], list[str]]


@pytest.fixture
def board(tmp_path: Path, micropython64: MicroPython) -> Board:
    """Runs a main.py on the virtual board with a fake pack at its wires; gives the trace."""

    def run(main: str, bridge: Bridge) -> list[str]:
        firmware = tmp_path / "firmware"
        firmware.mkdir(exist_ok=True)
        (firmware / "main.py").write_text(main)
        trace = tmp_path / "trace.txt"
        launch.run(
            [micropython64.path],
            firmware,
            tmp_path / "state",
            trace=trace,
            options={"scenario": str(bridge.scenario)},
        )
        return trace.read_text().splitlines()

    return run


ASKING = """
import time
from binascii import hexlify
from machine import UART

uart = UART(1, {baud}, tx=15, rx=4, rxbuf=2048)
time.sleep_ms(1500)
for number in range({times}):
    uart.write(bytes.fromhex("{request}"))
    time.sleep_ms({pause})
    print(number, hexlify(uart.read() or b"").decode())
"""


def test_the_board_asks_and_is_answered(tmp_path: Path, board: Board) -> None:
    """What the firmware reads is what the fake gives for that moment, twice the same."""
    main = ASKING.format(baud=9600, times=20, request=jbd.read(0x03).hex(), pause=500)
    heard = []
    for _ in range(2):
        line = build(Order("jbd", master="none"))
        with Bridge(line, tmp_path, 20 * SECOND_US) as bridge:
            heard.append(said(board(main, bridge)))
            assert bridge.sent == 20
        (tmp_path / "trace.txt").unlink()
    assert heard[0] == heard[1]
    assert len(heard[0]) == 20
    twin = build(Order("jbd", master="none"))
    # main.py asks first 1.8 s after power: 0.3 s of boot code; then twice a second
    asked_us = 1_500_000 + 7 * 10_000_000 // 9600
    wanted = []
    for number in range(20):
        twin.receive(jbd.read(0x03), asked_us + number * 500_000)
        replies = [
            event.data
            for event in twin.advance(asked_us + number * 500_000 + 100_000)
            if isinstance(event, Chunk) and event.port == "bms_tx"
        ]
        wanted.append(f"{number} {replies[0].hex()}")
    assert heard[0] == wanted


@pytest.mark.parametrize(("pause_ms", "bytes_in"), [(13, 0), (44, 30), (48, 33)])
def test_the_board_gets_its_answer_byte_by_byte(
    tmp_path: Path, board: Board, pause_ms: int, bytes_in: int
) -> None:
    """7.3 ms for the question, 5 ms to think, 1.04 ms a byte."""
    main = ASKING.format(baud=9600, times=1, request=jbd.read(0x04).hex(), pause=pause_ms)
    line = build(Order("jbd", master="none"))
    with Bridge(line, tmp_path, 3 * SECOND_US) as bridge:
        (told,) = said(board(main, bridge))
    assert len(told.partition(" ")[2]) == 2 * bytes_in


def test_the_board_listens_while_another_asks_and_the_line_is_spoilt(
    tmp_path: Path, board: Board
) -> None:
    """A stock scooter's line into the board: levels, both wires, and a cut."""
    main = (
        "import time\n"
        "from machine import UART, Pin\n"
        "bms = UART(1, 115200, tx=15, rx=4, rxbuf=2048)\n"
        "host = UART(2, 115200, tx=16, rx=17, rxbuf=2048)\n"
        "for number in range(8):\n"
        "    time.sleep_ms(1000)\n"
        "    print(number, len(bms.read() or b''), len(host.read() or b''), Pin(4).value())\n"
    )
    faults = (parse("cut:5s+2s@bms_tx"),)
    line = build(Order("xiaomi", scene="parked", faults=faults))
    with Bridge(line, tmp_path, 9 * SECOND_US) as bridge:
        trace = said(board(main, bridge))
        assert bridge.sent == 0
    counts = [[int(word) for word in text.split()] for text in trace]
    assert [row[3] for row in counts] == [1] * 8
    assert [row[2] > 0 for row in counts] == [True] * 8
    assert [row[1] > 0 for row in counts] == [False] + [True] * 4 + [False] * 2 + [True]


ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("family", "profile", "within_mv"),
    [("xiaomi", "bare", 5), ("jbd", "tail", 5), ("ant", "new", 5), ("vesc", "bms", 0)],
)
def test_the_whole_firmware_polls_a_fake_pack(
    tmp_path: Path, micropython64: MicroPython, family: str, profile: str, within_mv: int
) -> None:
    """main.py as flashed, in mode poll: what it tells on its console is what the model had."""
    seconds = 30
    line = build(Order(family, profile, "parked", master="none"))
    state = tmp_path / "state"
    (state / "flash").mkdir(parents=True)
    config = {"profile": "m365" if family == "xiaomi" else family, "mode": "poll"}
    config |= {"console_s": 1, "baud": line.baud}
    (state / "flash" / "config.json").write_text(json.dumps(config))
    trace = tmp_path / "trace.txt"
    with Bridge(line, tmp_path, seconds * SECOND_US) as bridge:
        launch.run(
            [micropython64.path],
            ROOT / "firmware",
            state,
            trace=trace,
            options={"scenario": str(bridge.scenario)},
        )
        assert bridge.sent > 20
    lines = [text for text in trace.read_text().splitlines() if " print live 1 " in text]
    told = [int(text.split(" pack_mv=")[1].split()[0]) for text in lines[-10:]]
    board = families.profile(family, profile)
    story = Story(scene("parked", board.spec, board.limits), Random("1/0"))
    model = [story.at(t_us).pack_mv for t_us in range(0, seconds * SECOND_US, 250_000)]
    assert len(told) == 10
    assert all(min(model) - within_mv <= mv <= max(model) + within_mv for mv in told)
    assert max(model) - min(model) < 100
    assert " lost uart1 " not in trace.read_text()


# --- a port --------------------------------------------------------------------------------------


def test_a_terminal_round_trip() -> None:
    """A programme opens the terminal as a serial port, asks, and gets the answer in time."""
    pty = Pty()
    line = build(Order("jbd", master="none"))
    recorded: list[object] = []
    live = Live(line, pty, record=recorded.extend)
    dongle = SerialPort(pty.name, 9600)
    try:
        live.step(500_000)
        dongle.write(jbd.read(0x04))
        live.step(600_000)
        assert dongle.read() == b""  # 33 bytes at 9600 baud take 34 ms
        live.step(630_000)
        assert dongle.read() == b""
        live.step(645_000)
        reply = read_all(dongle)
    finally:
        dongle.close()
        pty.close()
    assert reply[:4] == b"\xdd\x04\x00\x1a"
    assert len(reply) == 33
    ports = [event.port for event in recorded if isinstance(event, Chunk)]
    assert ports == ["host_tx", "bms_tx"]
    assert isinstance(recorded[0], Level)


def read_all(port: SerialPort) -> bytes:
    """What comes within half a second."""
    data, until = b"", time.monotonic() + 0.5
    while time.monotonic() < until and len(data) < 33:
        data += port.read()
    return data


def test_live_in_real_time(tmp_path: Path) -> None:
    """The command itself: a terminal, a question, an answer within a second, a capture after
    it."""
    path = tmp_path / "live.cap"
    code = (
        "import argparse, sys; from packlab.fake.command import add_command;"
        "parser = argparse.ArgumentParser(); add_command(parser.add_subparsers());"
        "options = parser.parse_args(sys.argv[1:]); options.run(options)"
    )
    words = ["fake", "daly", "--pty", "--for", "1.5s", "--capture", str(path)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        name = process.stdout.readline().split()[2]
        handle = os.open(name, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(handle)
        os.write(handle, bytes.fromhex("a540900800000000000000007d"))
        reply = b""
        while len(reply) < 13:
            reply += os.read(handle, 64)
        os.close(handle)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    assert reply[:4] == b"\xa5\x01\x90\x08"
    with CaptureReader(path) as reader:
        chunks = [event for event in reader if isinstance(event, Chunk)]
    assert [chunk.port for chunk in chunks] == ["host_tx", "bms_tx"]
    assert chunks[1].data == reply
    assert chunks[1].t_us - chunks[0].t_us == 30_000 + 13 * 10_000_000 // 9600


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Wire:
    """A port that keeps what is sent."""

    name = "wire"
    keeps_time = True

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.sent.clear()


def test_a_master_in_the_fake_drives_a_listening_dongle_on_a_port() -> None:
    """Only what comes from the pack goes out; a speed of 10 plays ten seconds in one."""
    clock, wire = Clock(), Wire()
    line = build(Order("xiaomi", scene="parked"))
    Live(line, wire, speed=10.0, clock=clock.read, sleep=clock.sleep).run(10 * SECOND_US)
    assert 0.99 < clock.now < 1.01
    assert len(wire.sent) == 1 + 43  # the identity, then 43 polls in the 8.8 s that are left
    assert all(data[3] == 0x25 for data in wire.sent)

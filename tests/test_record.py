"""packlab capture: from pseudo terminals and a dongle into files, and what happens to them when
things go wrong."""

import os
import pty
import queue
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from dongle import plugged_in
from packlab.capture import CaptureReader, Chunk, Event, Header, Level, LineSetting
from packlab.errors import PacklabError
from packlab.record.adapters import Adapter
from packlab.record.book import Book, Rotation, mend, newest
from packlab.record.gauge import Gauge
from packlab.record.heard import Heard
from packlab.record.recorder import Recorder
from test_flash import flash, packlab, refused

REPLY = bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe")
REQUEST = bytes.fromhex("55aa032201300c9dff")
HEADER = Header("real", "a test", {"bms_tx": LineSetting()})


def content(path: Path, *, lenient: bool = False) -> list[Event]:
    """A capture's events."""
    with CaptureReader(path, lenient=lenient) as reader:
        return list(reader)


def heard_bytes(path: Path, port: str) -> bytes:
    """All bytes of a port."""
    return b"".join(
        event.data for event in content(path) if isinstance(event, Chunk) and event.port == port
    )


class Wire:
    """A pseudo terminal: `device` is the adapter's name, `send` what passes."""

    def __init__(self) -> None:
        self.near, self.far = pty.openpty()
        tty.setraw(self.far)
        self.device = os.ttyname(self.far)

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.near, data) :]

    def close(self) -> None:
        for end in (self.near, self.far):
            os.close(end)


@pytest.fixture
def wires() -> Iterator[tuple[Wire, Wire]]:
    pair = Wire(), Wire()
    yield pair
    for wire in pair:
        wire.close()


# --- the whole command ---------------------------------------------------------------------------


def started(path: Path, *words: str) -> "subprocess.Popen[str]":
    """The command in a process of its own, once it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "packlab.cli", "capture", str(path), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 20
    while not (path.exists() and path.stat().st_size) and time.monotonic() < end:
        if process.poll() is not None:
            break
        time.sleep(0.02)
    time.sleep(0.5)  # the file is there before the first byte is listened for
    return process


def test_two_wires_until_ctrl_c(wires: tuple[Wire, Wire], tmp_path: Path) -> None:
    bms, host = wires
    path = tmp_path / "line.cap"
    process = started(
        path, "--bms-tx", bms.device, "--host-tx", host.device, "--source", "two terminals"
    )
    begun = time.monotonic()
    for _ in range(20):
        host.send(REQUEST)
        time.sleep(0.01)
        bms.send(REPLY)
        time.sleep(0.02)
    sent_us = (time.monotonic() - begun) * 1e6
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == f"wrote {path}"
    assert heard_bytes(path, "bms_tx") == REPLY * 20
    assert heard_bytes(path, "host_tx") == REQUEST * 20
    events = content(path)
    ports = [event.port for event in events]
    in_turn = sum(pair == ("host_tx", "bms_tx") for pair in pairwise(ports))
    assert in_turn > 3  # a busy computer hands many over late
    assert abs(events[-1].t_us - events[0].t_us - sent_us) < 200_000
    with CaptureReader(path) as reader:
        assert (reader.header.origin, reader.header.source) == ("real", "two terminals")
        assert dict(reader.header.notes)["accuracy"].startswith("a chunk is stamped")


def test_killed_it_loses_a_second_at_most_and_goes_on(
    wires: tuple[Wire, Wire], tmp_path: Path
) -> None:
    bms, _ = wires
    path = tmp_path / "line.cap"
    process = started(path, "--bms-tx", bms.device)
    for _ in range(10):
        bms.send(REPLY)
        time.sleep(0.02)
    time.sleep(1.0)
    process.kill()
    process.communicate()
    assert heard_bytes(path, "bms_tx") == REPLY * 10
    with path.open("a") as stream:
        stream.write("9.000000 bms_tx 55a")  # torn in the middle of a byte

    process = started(path, "--bms-tx", bms.device, "--resume")
    time.sleep(1.0)
    bms.send(REPLY)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert heard_bytes(path, "bms_tx") == REPLY * 11
    assert "19 bytes of a torn line cut off" in path.read_text()
    events = content(path)
    assert events[-1].t_us - events[-2].t_us > 1_000_000  # the pause is in the times


def test_for_so_long_and_shared(wires: tuple[Wire, Wire], tmp_path: Path) -> None:
    bms, _ = wires
    serial = bytes.fromhex("55aa1025011033473241423132333435363738397afc")
    timer = threading.Timer(0.5, lambda: bms.send(REPLY + serial))
    timer.start()
    path = tmp_path / "line.cap"
    code, out, err = packlab(
        "capture", str(path), "--bms-tx", bms.device, "--for", "2s", "--anonymise"
    )
    assert (code, err) == (0, "")
    assert out.endswith("line-shared.cap, identities blanked\n")
    assert REPLY in heard_bytes(path, "bms_tx")
    assert heard_bytes(tmp_path / "line-shared.cap", "bms_tx").startswith(REPLY)


def test_what_it_refuses(wires: tuple[Wire, Wire], tmp_path: Path) -> None:
    bms, _ = wires
    path = tmp_path / "line.cap"
    assert "name where to listen" in refused("capture", str(path))
    assert "must end in .cap" in refused("capture", str(tmp_path / "x.vcd"), "--bms-tx", "y")
    assert "no-such" in refused("capture", str(path), "--bms-tx", "/dev/no-such")
    path.write_text("something else")
    assert "is there already" in refused("capture", str(path), "--bms-tx", bms.device)
    assert "there is no" in refused(
        "capture", str(tmp_path / "new.cap"), "--bms-tx", bms.device, "--resume"
    )
    assert "cannot be written" in refused(
        "capture", str(tmp_path / "nowhere" / "x.cap"), "--bms-tx", bms.device
    )


# --- files ---------------------------------------------------------------------------------------


def chunk(t_us: int, data: bytes = REPLY) -> Chunk:
    return Chunk(t_us, "bms_tx", data)


def test_files_take_turns(tmp_path: Path) -> None:
    book = Book(tmp_path / "a.cap", HEADER, Rotation(seconds=2), resume=False)
    book.write([chunk(1_000_000), chunk(1_900_000)])
    book.write([chunk(2_000_000), chunk(4_100_000)])
    book.close()
    assert [path.name for path in book.files] == ["a.cap", "a-002.cap", "a-003.cap"]
    assert [[event.t_us for event in content(path)] for path in book.files] == [
        [1_000_000, 1_900_000],
        [0],
        [0],
    ]
    assert newest(tmp_path / "a.cap") == tmp_path / "a-003.cap"
    assert "goes on in a-002.cap" in (tmp_path / "a.cap").read_text()


def test_a_file_is_full_by_bytes(tmp_path: Path) -> None:
    book = Book(tmp_path / "a.cap", HEADER, Rotation(bytes=1000), resume=False)
    for number in range(100):
        book.write([chunk(number * 1000)])
    book.close()
    assert len(book.files) > 5
    assert all(path.stat().st_size < 1200 for path in book.files)
    assert sum(len(content(path)) for path in book.files) == 100


def test_a_full_disk_loses_nothing_that_memory_holds(tmp_path: Path) -> None:
    book = Book(tmp_path / "a.cap", HEADER, Rotation(), resume=False)

    class Full:
        """A stream that takes so many bytes, then refuses."""

        room = 10

        def write(self, data: bytes) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            taken = min(self.room, len(data))
            self.room -= taken
            real.write(data[:taken])
            return taken

        def fileno(self) -> int:
            return real.fileno()

        def close(self) -> None:
            real.close()

    real = book._stream
    assert real is not None
    book._stream = full = Full()  # type: ignore[assignment]
    book.write([chunk(1000)])
    book.flush()
    assert book.trouble == "No space left on device"
    assert book.waiting > 0
    book.write([chunk(2000)])
    full.room = 1 << 20  # somebody has made room
    book.flush()
    assert (book.trouble, book.waiting, book.dropped) == ("", 0, 0)
    book.close()
    assert [event.t_us for event in content(tmp_path / "a.cap")] == [1000, 2000]


def test_a_disk_that_stays_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packlab.record.book._MOST_WAITING", 200)
    book = Book(tmp_path / "a.cap", HEADER, Rotation(), resume=False)
    assert book._stream is not None
    book._stream.close()  # every write is refused from now on
    book._stream = open("/dev/full", "ab", buffering=0)  # noqa: SIM115, PTH123
    book.write([chunk(number) for number in range(10)])
    book.flush()
    assert book.dropped > 0
    with pytest.raises(PacklabError, match=r"bytes of the recording could not be written"):
        book.close()


def test_a_torn_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    path.write_bytes(b"# x\n1.0 y\n2.0")
    assert mend(path) == 3
    assert path.read_bytes() == b"# x\n1.0 y\n"
    assert mend(path) == 0


# --- order, and sources that go ------------------------------------------------------------------


def recorder(tmp_path: Path) -> tuple[Recorder, "queue.SimpleQueue[Heard]", list[str]]:
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    said: list[str] = []
    book = Book(tmp_path / "a.cap", HEADER, Rotation(), resume=False)
    return (
        Recorder([], heard, book, Gauge(("bms_tx", "host_tx"), 115200), said.append),
        heard,
        said,
    )


def test_events_of_two_sources_are_put_in_order(tmp_path: Path) -> None:
    one, heard, said = recorder(tmp_path)
    base = time.monotonic_ns() + 1_000_000
    heard.put(Heard(base + 3_000_000, "bms_tx", REPLY))
    heard.put(Heard(base + 1_000_000, "host_tx", REQUEST))
    heard.put(Heard(base + 2_000_000, "bms_tx", level="low"))
    heard.put(Heard(base + 4_000_000, "bms_tx", lost="unplugged"))
    heard.put(Heard(base + 5_000_000, "bms_tx", back=True))
    one.step()
    one.end()
    events = content(tmp_path / "a.cap")
    assert [type(event) for event in events] == [Chunk, Level, Chunk]
    assert [event.t_us - events[0].t_us for event in events] == [0, 1000, 2000]
    assert said == ["bms_tx is gone (unplugged); waiting for it", "bms_tx is back"]
    assert "bms_tx is gone (unplugged)" in (tmp_path / "a.cap").read_text()


def test_an_adapter_that_is_unplugged_and_comes_back(tmp_path: Path) -> None:
    first = Wire()
    link = tmp_path / "adapter"
    link.symlink_to(first.device)
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    adapter = Adapter("bms_tx", str(link), LineSetting(), heard)
    adapter.start()
    first.send(REPLY)
    assert heard.get(timeout=5).data == REPLY
    second = Wire()
    os.close(first.near)
    lost = heard.get(timeout=5)
    assert lost.lost
    link.unlink()
    link.symlink_to(second.device)
    assert heard.get(timeout=5).back
    second.send(REQUEST)
    assert heard.get(timeout=5).data == REQUEST
    adapter.end()
    os.close(first.far)
    second.close()


def test_the_gauge_finds_the_family_and_its_score() -> None:
    gauge = Gauge(("bms_tx",), 115200)
    gauge.take([chunk(1000 * number) for number in range(3)])
    assert gauge.family == "xiaomi"
    gauge.take([chunk(5000, REPLY[:10] + REPLY)])
    gauge._since -= 10
    gauge.take([chunk(6000)])
    rate = gauge.rates["bms_tx"]
    assert rate.bytes == 5 * 20 + 10
    assert 0 < rate.score < 100
    assert rate.bytes_per_s > 0
    assert "xiaomi" in gauge.line()
    assert f"link {rate.score} %" in gauge.line()


def test_a_dongle_passes_on_what_it_hears(tmp_path: Path) -> None:
    with plugged_in(tmp_path / "state") as dongle:
        assert "does not listen" in refused(
            "capture", str(tmp_path / "x.cap"), "--dongle", dongle.port
        )
        flash(dongle)
        path = tmp_path / "line.cap"
        code, _, err = packlab("capture", str(path), "--dongle", dongle.port, "--for", "2s")
        assert (code, err) == (0, "")
        events = content(path)
        assert {event.port for event in events} == {"bms_tx"}  # a C3 has one receiver
        assert [event.level for event in events if isinstance(event, Level)] == ["idle"]
        with CaptureReader(path) as reader:
            assert "dongle's own clock" in dict(reader.header.notes)["accuracy"]
        # and it runs its own firmware again
        assert "start" in flash(dongle)


@pytest.mark.soak
def test_ten_minutes_at_both_lines_saturated(wires: tuple[Wire, Wire], tmp_path: Path) -> None:
    """115200 baud are 11,520 bytes a second on each wire."""
    path = tmp_path / "line.cap"
    process = started(path, "--bms-tx", wires[0].device, "--host-tx", wires[1].device)
    status = Path(f"/proc/{process.pid}/status")
    sizes = []
    chunk_of = [REPLY * 6, REQUEST * 13]
    rounds = 600 * 96
    start = time.monotonic()
    for number in range(rounds):
        for wire, data in zip(wires, chunk_of, strict=True):
            wire.send(data)
        if number % 5760 == 0:
            text = status.read_text()
            sizes.append(int(text.split("VmRSS:")[1].split()[0]))
        time.sleep(max(0.0, start + number / 96 - time.monotonic()))
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    for port, data in zip(("bms_tx", "host_tx"), chunk_of, strict=True):
        assert heard_bytes(path, port) == data * rounds
    print(f"memory, KB: {sizes}")
    assert sizes[-1] - sizes[2] < 4000

"""Slices, loops and skipped gaps; out of serial ports; one page; completion; the pytest plugin."""

import os
import pty
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import pytest
from conftest import ROOT
from packlab.capture import Chunk, Event, Header, Level, LineSetting
from packlab.errors import PacklabError
from packlab.made import made_capture_path
from packlab.play_command import play
from packlab.playing import FOR_EVER, Playing, looped, sliced, without_gaps
from test_flash import packlab, refused

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"


def events(*times_s: float) -> list[Event]:
    """Chunks of one byte, its number."""
    return [Chunk(round(t * 1e6), "bms_tx", bytes((n,))) for n, t in enumerate(times_s)]


def told(found: "list[Event]") -> list[tuple[float, int]]:
    return [(one.t_us / 1e6, one.data[0]) for one in found if isinstance(one, Chunk)]


def test_a_slice_begins_at_0_with_the_levels_of_its_wires() -> None:
    whole: list[Event] = [Level(0, "bms_tx", "idle"), Level(0, "host_tx", "low")]
    whole += [*events(1, 2, 3, 4), Level(5_000_000, "bms_tx", "low")]
    found = list(sliced(whole, 2_000_000, 4_000_000))
    assert found[:2] == [Level(0, "bms_tx", "idle"), Level(0, "host_tx", "low")]
    assert told(found) == [(0.0, 1), (1.0, 2)]
    assert list(sliced(whole, 10_000_000, None)) == []
    assert told(list(sliced(whole, 0, 1_000_001))) == [(1.0, 0)]


def test_gaps_are_cut_and_nothing_else() -> None:
    found = list(without_gaps(events(5, 5.5, 60, 61, 200), 2_000_000))
    assert told(found) == [(5.0, 0), (5.5, 1), (7.5, 2), (8.5, 3), (10.5, 4)]


def test_rounds_follow_each_other() -> None:
    found = list(looped(lambda: events(1, 3), 3))
    assert told(found) == [(1, 0), (3, 1), (5, 0), (7, 1), (9, 0), (11, 1)]
    endless = looped(lambda: events(1), FOR_EVER)
    assert [next(endless).t_us for _ in range(4)] == [1_000_000, 3_000_000, 5_000_000, 7_000_000]
    assert list(looped(list, 1)) == []
    with pytest.raises(PacklabError, match="nothing to play"):
        list(looped(list, FOR_EVER))


def test_all_together() -> None:
    playing = Playing(2_000_000, 60_000_000, 1_000_000, 2)
    found = list(playing.over(lambda: events(1, 2, 30, 90)))
    assert told(found) == [(0.0, 1), (1.0, 2), (2.0, 1), (3.0, 2)]


def test_replay_of_a_slice_and_of_a_loop() -> None:
    code, out, err = packlab("replay", str(REAL), "--json", "--from", "5s", "--to", "8s")
    assert (code, err) == (0, "")
    summary = out.splitlines()[-1]
    assert '"seconds":2.' in summary
    code, out, _ = packlab("replay", str(REAL), "--json", "--loop", "2")
    assert '"frames":276' in out.splitlines()[-1]
    assert "lies before" in refused("replay", str(REAL), "--from", "9s", "--to", "1s")


# --- out of ports --------------------------------------------------------------------------------


class Recorded:
    """A port that notes when it was written."""

    def __init__(self, clock: "list[float]", *, keeps_time: bool) -> None:
        self.name = "x"
        self.keeps_time = keeps_time
        self.sent: list[tuple[float, bytes]] = []
        self._clock = clock

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        self.sent.append((self._clock[0], data))

    def close(self) -> None:
        """Nothing to let go."""


def test_a_chunk_leaves_so_that_its_last_byte_is_out_in_time() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    header = Header("made", "x", {"bms_tx": LineSetting(9600)})
    for keeps_time, first in ((True, 1 - 20 * 10 / 9600), (False, 1.0)):
        now[0] = 0.0
        port = Recorded(now, keeps_time=keeps_time)
        whole: list[Event] = [
            Level(0, "bms_tx", "idle"), Chunk(1_000_000, "bms_tx", bytes(20)),
            Chunk(1_500_000, "host_tx", b"x"), Chunk(3_000_000, "bms_tx", b"y"),
        ]  # fmt: skip
        sent = play(whole, {"bms_tx": port}, header, 1.0, lambda: now[0], sleep)
        assert sent == {"bms_tx": 21}
        assert [t for t, _ in port.sent] == pytest.approx([first, 3.0], abs=0.002)


def test_play_out_of_a_port() -> None:
    near, far = pty.openpty()
    tty.setraw(far)
    os.set_blocking(near, False)
    heard = bytearray()
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            try:
                heard.extend(os.read(near, 4096))
            except BlockingIOError:
                time.sleep(0.01)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        code, out, err = packlab(
            "play", str(REAL), "--bms-tx", os.ttyname(far), "--speed", "20", "--to", "8s"
        )
        time.sleep(0.1)
    finally:
        done.set()
        thread.join()
    assert (code, err) == (0, "")
    assert f"sent {len(heard)} bytes on bms_tx" in out
    assert heard.count(b"\x55\xaa") >= 20
    assert "name an adapter" in refused("play", str(REAL))
    assert "must be more than 0" in refused("play", str(REAL), "--bms-tx", "x", "--speed", "0")


# --- one page ------------------------------------------------------------------------------------


def test_the_page_of_a_moment() -> None:
    made = str(made_capture_path("charge_and_ride", 1))
    code, out, err = packlab("show", made, "--at", "540s")
    assert (code, err) == (0, "")
    assert "Cells out of balance" in out
    code, out, _ = packlab("show", str(REAL))
    assert "35.94 V" in out
    assert "not watched" in out
    assert "Cells out of balance" not in out.partition("not watched")[0]
    assert "no events before that moment" in refused("show", made, "--at", "0s")
    assert "name where to listen" in refused("show")


def test_live_from_an_adapter() -> None:
    near, far = pty.openpty()
    tty.setraw(far)
    reply = bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe")
    done = threading.Event()

    def talk() -> None:
        while not done.wait(0.2):
            os.write(near, reply)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        code, out, err = packlab("show", "--bms-tx", os.ttyname(far), "--for", "4s")
    finally:
        done.set()
        thread.join()
    assert (code, err) == (0, "")
    assert "35.94 V" in out
    assert "47 %" in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_every_command(shell: str) -> None:
    code, out, err = packlab("completion", shell)
    assert (code, err) == (0, "")
    for word in ("replay", "capture", "report", "watch", "completion", "--profile"):
        assert word.removeprefix("--") in out


def test_bash_completes(tmp_path: Path) -> None:
    _, script, _ = packlab("completion", "bash")
    path = tmp_path / "packlab.bash"
    path.write_text(script)
    asked = "COMP_WORDS=(packlab rep); COMP_CWORD=1; _shtab_packlab; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "-c", f". {path}; {asked}"], capture_output=True, text=True, check=False
    )
    assert set(done.stdout.split()) == {"replay", "report"}, done.stderr


# --- the pytest plugin ---------------------------------------------------------------------------

THREE_LINES = """
import pytest

@pytest.mark.capture("real.cap", profile="m365")
def test_no_alarm(replayed):
    assert replayed.worst() == {}
    assert replayed.last("pack_mv") == 35940
    assert replayed.summary["frames"] == 138

@pytest.mark.capture("real.cap", config={"discharge_hot_warn_dc": 300, "charge_hot_info_dc": 200})
def test_that_fails(replayed):
    assert replayed.alerts()

def test_whole_firmware(virtual_dongle, fake_pack):
    events = fake_pack("xiaomi", seconds=30, scene="dead_probe")
    trace = virtual_dongle(events, profile="m365")
    assert trace.worst() == {"temp_sensor": "warn"}
    assert virtual_dongle("real.cap").worst() == {}

def test_unmarked(replayed):
    pass
"""


def test_others_test_their_changes_in_three_lines(tmp_path: Path) -> None:
    (tmp_path / "real.cap").write_text(REAL.read_text())
    (tmp_path / "test_mine.py").write_text(THREE_LINES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", "."],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    last = done.stdout.splitlines()[-1]
    assert "2 passed" in last, done.stdout
    assert "1 failed" in last
    assert "1 error" in last
    assert "mark the test with @pytest.mark.capture" in done.stdout

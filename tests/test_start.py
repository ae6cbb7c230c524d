"""A newcomer's walk through docs/start.md: every command in it, in its order, with the virtual
dongle standing in for the board."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs" / "start.md").read_text("utf-8")
COMMAND = re.compile(r"^(\.venv/bin/|make |echo |cat )")
STAYS = ("packlab run --pty", "plug.py", "packlab fake", "cat /dev/pts/")
SLOW = "--speed"  # as fast as it happened: in a window of its own, beside the rest
PORT = re.compile(r"/dev/pts/\d+")
# What the page tells in a sentence, not in a block: files the reader is to have by then.
OWN_FILES = {
    "poll.json": '{"profile": "jbd", "mode": "poll"}\n',
    "my.csv": "t_start_us,t_end_us,line,hex\n"
    "0,1600,bms_tx,55aa0e2501300100710e2f0003000a0e2b2b7bfe\n"
    "210000,211600,bms_tx,55aa0e2501300100710e2f0003000a0e2b2b7bfe\n",
}


def blocks() -> Iterator[list[str]]:
    """The lines between the fences."""
    for block in re.findall(r"^```\n(.*?)^```$", PAGE, re.M | re.S):
        yield block.splitlines()


class Walk:
    """A reader with a few windows open. `ports`: what the last program that stays has printed."""

    def __init__(self, desk: Path) -> None:
        self.desk = desk
        self.ports: list[str] = []
        self.said: dict[str, str] = {}
        self._open: list[subprocess.Popen[str]] = []
        self._slow: list[subprocess.Popen[str]] = []

    def type(self, line: str) -> None:
        """One line of the page, with the ports that this machine has."""
        command = line.partition("  #")[0].strip()
        named = iter(self.ports)
        wanted = dict.fromkeys(PORT.findall(command))
        for name in wanted:
            command = command.replace(name, self._port(command, named))
        if any(word in command for word in STAYS):
            self._stay(command)
        elif SLOW in command:
            self._slow.append(self._start(command))
        else:
            self._run(line, command)

    def _port(self, command: str, named: Iterator[str]) -> str:
        """The console comes first, the battery's wire second, where there are several."""
        first = next(named)
        return self.ports[1] if "packlab fake" in command else first

    def _run(self, line: str, command: str) -> None:
        folder = ROOT if command.startswith("make ") else self.desk
        done = subprocess.run(
            command, shell=True, cwd=folder, capture_output=True, text=True, check=False,
            timeout=120, env={**os.environ, "COLUMNS": "100"},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        self.said[line] = done.stdout

    def _start(self, command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command, shell=True, cwd=self.desk, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def _stay(self, command: str) -> None:
        process = self._start(command)
        self._open.append(process)
        assert process.stdout
        if "cat " in command or "packlab fake" in command:
            return
        self.ports = []
        wanted = 4 if "run --pty" in command else 1
        for line in process.stdout:
            self.ports += PORT.findall(line)
            if len(self.ports) >= wanted:
                break
        assert len(self.ports) >= wanted, command

    def wait(self) -> None:
        """Until what takes its time is over."""
        for process in self._slow:
            said, _ = process.communicate(timeout=60)
            assert process.returncode == 0, said
            self.said[str(process.args)] = said

    def close(self) -> None:
        """All windows; whoever stays must still be there."""
        ended = [process.args for process in self._open if process.poll() is not None]
        for process in self._open:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        for process in self._open:
            try:
                process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        assert not ended


@pytest.mark.usefixtures("micropython64")
def test_every_command_of_the_first_steps(tmp_path: Path) -> None:
    for name in (".venv", "tests", "boards", "firmware", "host", "tools", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name, text in OWN_FILES.items():
        (tmp_path / name).write_text(text)
    walk = Walk(tmp_path)
    typed = 0
    try:
        for block in blocks():
            for line in block:
                if COMMAND.match(line):
                    walk.type(line)
                    typed += 1
                elif line.startswith("{"):  # the file whose name the sentence before it has
                    before = PAGE[: PAGE.index(line)]
                    name = re.findall(r"`(\w+\.json)`", before)[-1]
                    (tmp_path / name).write_text(line + "\n")
                else:
                    raise AssertionError(f"docs/start.md: is this a command? {line}")
        walk.wait()
    finally:
        walk.close()
    assert typed > 12
    said = "\n".join(walk.said.values())
    assert "the dongle runs: start 1" in said  # flash
    assert 'called "garage"' in said  # doctor
    assert "pack_mv" in said  # decode
    assert (tmp_path / "finding.html").stat().st_size > 1000

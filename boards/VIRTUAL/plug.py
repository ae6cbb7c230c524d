#!/usr/bin/env python3
"""Plug the virtual board into this computer: it gets a serial port, as a dongle's USB would.

    python3 boards/VIRTUAL/plug.py STATE [--chip esp32c3]

prints the port and serves it until it is interrupted; with --wires also a terminal for each data
wire, whose bytes the receivers hear. STATE is the folder with the board's flash;
it outlives the program and fits launch.py. `pull` on standard input, or its end, pulls the plug in
the middle of whatever passes; `pull N` does so N bytes to the board later.
"""

import argparse
import contextlib
import os
import pty
import select
import subprocess
import sys
import tty
from pathlib import Path

HERE = Path(__file__).resolve().parent

# What MicroPython 1.28 says of itself in os.uname().machine
MACHINES = {
    "esp32": "Generic ESP32 module with ESP32",
    "esp32c3": "ESP32C3 module with ESP32C3",
    "esp32s3": "Generic ESP32S3 module with ESP32S3",
}

WIRES = ("bms", "host", "dash")


class Chip:
    """The interpreter behind the port; `keep_alive` starts the next life when one has ended."""

    def __init__(
        self, command: list[str], state: Path, terminal: int, wires: dict[str, int]
    ) -> None:
        """wires: a file for each wire, by the name a feed calls it."""
        ends = ",".join(f"{name}:{end}" for name, end in wires.items())
        self._command = [*command, f"wires={ends}"] if wires else command
        self._wires = tuple(wires.values())
        self._life = state / "life.json"
        self._terminal = terminal
        self._life.unlink(missing_ok=True)
        self._start()

    def _start(self) -> None:
        self._before = self._left()
        self._process = subprocess.Popen(
            self._command,
            stdin=self._terminal,
            stdout=self._terminal,
            stderr=self._terminal,
            pass_fds=self._wires,
            start_new_session=True,
        )

    def _left(self) -> bytes:
        return self._life.read_bytes() if self._life.exists() else b""

    def keep_alive(self) -> bool:
        """False when the interpreter has ended and left nothing to go on from."""
        if self._process.poll() is None:
            return True
        if self._left() == self._before:
            return False
        self._start()
        return True

    def stop(self) -> None:
        """The supply fails."""
        self._process.kill()
        self._process.wait()


def laid(names: tuple[str, ...]) -> tuple[dict[str, int], list[str]]:
    """(the chip's end of each wire, the ports of the others)"""
    ends, ports = {}, []
    for name in names:
        chip_end, port = pty.openpty()
        for end in (chip_end, port):
            tty.setraw(end)  # the port stays open: a wire outlives whoever talks on it
        os.set_blocking(chip_end, False)
        ends[name] = chip_end
        ports.append(f"{name} {os.ttyname(port)}")
    return ends, ports


def serve(command: list[str], state: Path, names: tuple[str, ...] = ()) -> int:
    """Relay between the chip and the port, whose name is printed, until the plug is pulled."""
    ends, ports = laid(names)
    chip_end, terminal = pty.openpty()
    port_end, port = pty.openpty()
    for end in (terminal, port):
        tty.setraw(end)
    chip = Chip(command, state, terminal, ends)
    print("\n".join([os.ttyname(port), *ports]), flush=True)
    left = None  # bytes until the plug is pulled
    try:
        while chip.keep_alive():
            ready, _, _ = select.select([chip_end, port_end, 0], [], [], 0.05)
            if 0 in ready:
                words = sys.stdin.readline().split() or ["pull"]
                left = int(words[1]) if len(words) > 1 else 0
            if chip_end in ready:
                os.write(port_end, os.read(chip_end, 4096))
            if port_end in ready:
                data = os.read(port_end, 4096)
                os.write(chip_end, data)
                left = None if left is None else left - len(data)
            if left is not None and left <= 0:
                return 0
    finally:
        chip.stop()
    print("plug.py: the board has stopped", file=sys.stderr)
    return 1


def main(arguments: list[str] | None = None) -> int:
    """Serve the board that the command line describes."""
    parser = argparse.ArgumentParser(prog="plug.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("state", type=Path, help="folder with the board's flash")
    parser.add_argument("--chip", choices=sorted(MACHINES), default="esp32s3")
    parser.add_argument("--bits", choices=("64", "32"), default="64", help="integers' width")
    parser.add_argument("--heap", default="", help="MicroPython's heap, e.g. 120k, board and all")
    parser.add_argument("--room", type=int, default=0, help="bytes of it left to the firmware")
    parser.add_argument("--blocks", type=int, default=0, help="size of the flash, 4096 bytes each")
    parser.add_argument("--wires", action="store_true", help="a terminal for each data wire, too")
    parser.add_argument("--pins", type=Path, default=HERE / "pins.csv", help="another pins.csv")
    options = parser.parse_args(arguments)
    find = [sys.executable, str(HERE.parent.parent / "tools" / "micropython.py")]
    found = subprocess.run(
        [*find, "--bits", options.bits], stdout=subprocess.PIPE, text=True, check=False
    )
    if found.returncode:
        return 1
    state = options.state.resolve()
    (state / "flash").mkdir(parents=True, exist_ok=True)
    command = [found.stdout.strip(), *(["-X", f"heapsize={options.heap}"] if options.heap else [])]
    command += [str(HERE / "console.py"), f"state={state}", f"firmware={state / 'flash'}"]
    command += [f"trace={state / 'trace.txt'}", f"chip={options.chip}", f"pins={options.pins}"]
    command += [f"machine={MACHINES[options.chip]}", f"blocks={options.blocks}"]
    command += [f"room={options.room}"]
    with contextlib.suppress(KeyboardInterrupt):
        return serve(command, state, WIRES if options.wires else ())
    return 0


if __name__ == "__main__":
    sys.exit(main())

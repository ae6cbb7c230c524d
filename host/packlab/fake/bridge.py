"""A fake pack at the end of the virtual board's wires: what the firmware sends there is answered
by the line in this process, at the board's own time.

`Bridge` writes a scenario (boards/VIRTUAL/README.md) for the board's MicroPython and serves it
over two named pipes. The board's clock stands still while it waits for an answer, so a run depends
on nothing but its inputs.
"""

import os
import threading
from pathlib import Path
from typing import IO, Self

from packlab.capture import Chunk, Event
from packlab.errors import PacklabError
from packlab.fake.line import HOST_TX, Line

_SCENARIO = '''\
"""Made by packlab fake: a fake pack that runs in packlab answers what the firmware sends."""

from binascii import hexlify, unhexlify

from virtual import clock, wire
from virtual import feed as world

_ask = open({asked!r}, "wb")
_told = open({told!r}, "rb")
_turn = 0  # exchanges; a tick that was planned before the last one has nothing to ask any more


def _exchange(data):
    """Tell the time and what was sent; do what comes back, and come again when more is due."""
    global _turn
    ms, us = clock.world()
    _ask.write(b"%d %d %s\\n" % (ms, us, hexlify(data) or b"-"))
    words = _told.read(int(_told.read(8))).split()
    for n in range(0, len(words) - 1, 3):
        port = str(words[n], "ascii")
        if words[n + 2] == b"!low":
            wire.get(port).become(0)
        elif words[n + 2] == b"!idle":
            wire.get(port).become(1)
        elif words[n + 2] == b"!break":
            wire.get(port).break_off()
        else:
            world.send(port, unhexlify(words[n + 2]), int(words[n + 1]))
    _turn += 1
    clock.after(int(words[-1]), _tick, _turn)


def _tick(turn):
    if turn == _turn:
        _exchange(b"")


def feed():
    clock.after(0, _tick, _turn)
    for port in ("bms", "host"):
        yield "0 %s baud {baud}" % port
    yield "{until_us} end"


def on_tx(_world, _pin, data):
    _exchange(data)
'''
_LONGEST_US = 60_000_000
_PORTS = {"bms_tx": "bms", "host_tx": "host"}


class Bridge:
    """Use it with `with`: within, `scenario` is the file to give to the board. The line's time is
    the world's, from 0 to `until_us`. sent: chunks the firmware has sent."""

    def __init__(self, line: Line, folder: Path, until_us: int) -> None:
        self.scenario = folder / "fake_pack.py"
        self.sent = 0
        self._line = line
        self._until_us = until_us
        self._asked = folder / "asked"
        self._told = folder / "told"
        self._stop = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        text = _SCENARIO.format(
            asked=str(self._asked.resolve()),
            told=str(self._told.resolve()),
            baud=self._line.baud,
            until_us=self._until_us,
        )
        try:
            for pipe in (self._asked, self._told):
                pipe.unlink(missing_ok=True)
                os.mkfifo(pipe)
            self.scenario.write_text(text, encoding="ascii")
        except OSError as error:
            why = error.strerror
            raise PacklabError(
                f"{self.scenario.parent} cannot hold a scenario: {why}; name another folder"
            ) from error
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        # Whoever waits for the other end of a pipe goes on, and finds that it is over.
        ends = [os.open(pipe, os.O_RDWR | os.O_NONBLOCK) for pipe in (self._asked, self._told)]
        for end in ends:
            os.close(end)
        self._thread.join(1)
        for pipe in (self._asked, self._told, self.scenario):
            pipe.unlink()

    def wait(self, seconds: float | None = None) -> None:
        """Until the thread ends or so long."""
        self._thread.join(seconds)

    def _serve(self) -> None:
        """One life of the chip after another."""
        while not self._stop:
            with self._asked.open("rb") as asked, self._told.open("wb", buffering=0) as told:
                self._serve_life(asked, told)

    def _serve_life(self, asked: IO[bytes], told: IO[bytes]) -> None:
        for text in asked:
            ms, us, data = text.split()
            now_us = int(ms) * 1000 + int(us)
            begun = list(self._line.advance(now_us))
            if data != b"-":
                begun += self._receive(bytes.fromhex(data.decode()), now_us)
            wait_us = min(max(self._line.due_us - now_us, 1), _LONGEST_US)
            said = " ".join([*(self._said(event, now_us) for event in begun), str(wait_us)])
            try:
                told.write(f"{len(said):8}{said}".encode())
            except BrokenPipeError:
                return

    def _receive(self, data: bytes, now_us: int) -> list[Event]:
        """The firmware begins to send; the pack hears it when the last byte is out."""
        self.sent += 1
        end_us = now_us + len(data) * 10_000_000 // self._line.baud
        return [event for event in self._line.receive(data, end_us) if event.port != HOST_TX]

    def _said(self, event: Event, now_us: int) -> str:
        if not isinstance(event, Chunk):
            return f"{_PORTS[event.port]} 0 !{event.level}"
        start_us = event.t_us - len(event.data) * 10_000_000 // self._line.baud
        return f"{_PORTS[event.port]} {max(start_us - now_us, 0)} {event.data.hex()}"

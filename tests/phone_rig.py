"""The phone page's stage: the firmware on the virtual board replaying a capture in real time, and
the pretended BlueZ before it, in a thread of their own, for tests that drive a real Chromium."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Self

from app_rig import REQUEST
from packlab.air.bluez import Bluez
from packlab.air.dongle import VirtualDongle
from packlab.air.play import play
from packlab.capture import Event

KEY = bytes(range(16)).hex()
DEVICE = "DW-18B2"
_POLL_S = 0.21
_WAIT_S = 15.0


class Stage:
    """`with Stage() as stage`: what tests do to the dongle, from outside its thread. trace: lines
    the board has said."""

    def __init__(self, key: str = KEY) -> None:
        self.trace: list[str] = []
        self._bluez = Bluez()
        self._dongle = VirtualDongle(self._bluez, key=key, on_trace=self.trace.append)
        self._loop = asyncio.new_event_loop()
        self._playing: asyncio.Task[None] | None = None
        self._stack = contextlib.AsyncExitStack()

    def __enter__(self) -> Self:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._do(self._begin())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def environment(self) -> dict[str, str]:
        return self._bluez.environment

    def replay(self, events: Iterable[Event], from_s: float = 0) -> None:
        """A capture, from a time on, in place of what was played before."""
        self._do(self._play(play(self._dongle, events, from_s)))

    def tell(self, *frames: str) -> None:
        """The battery answers every poll with these, in place of what was played before."""
        self._do(self._play(self._poll(frames)))

    def drop(self) -> None:
        """The link is lost."""
        self._loop.call_soon_threadsafe(self._bluez.drop)

    def limit_mtu(self, mtu: int) -> None:
        """What the next connection agrees to, at most."""
        self._bluez.most_mtu = mtu

    def line(self, text: str) -> None:
        """One line of the board's feed."""
        self._loop.call_soon_threadsafe(self._dongle.line, text)

    def said(self, word: str) -> list[str]:
        """What the console said, from a word on."""
        return [line.split(" ", 2)[2] for line in self.trace if f" print {word}" in line]

    def told(self) -> dict[str, str]:
        """The values the console told last."""
        return dict(word.split("=") for word in self.said("live 1")[-1].split()[2:])

    def config(self) -> str:
        """The owner's options as the dongle's flash has them."""
        return (self._dongle.flash / "config.json").read_text()

    @property
    def journal(self) -> Path:
        """Where the dongle's black box lies."""
        return self._dongle.flash / "journal"

    def until(self, true: Callable[[], Any]) -> None:
        """Wait for something the board says."""

        async def wait() -> None:
            while not true():
                await asyncio.sleep(0.02)

        self._do(asyncio.wait_for(wait(), _WAIT_S))

    async def _begin(self) -> None:
        await self._stack.enter_async_context(self._dongle)
        await self._stack.enter_async_context(self._bluez.on_air(self._dongle))
        for port in ("bms", "host"):
            self._dongle.line(f"{port} !idle")

    async def _end(self) -> None:
        if self._playing:
            self._playing.cancel()
        await self._stack.aclose()

    async def _play(self, what: Coroutine[Any, Any, None]) -> None:
        if self._playing:
            self._playing.cancel()
        self._playing = asyncio.create_task(what)

    async def _poll(self, frames: tuple[str, ...]) -> None:
        while True:
            self._dongle.line(f"host {REQUEST}")
            await asyncio.sleep(0.006)
            self._dongle.line(f"bms {''.join(frames)}")
            await asyncio.sleep(_POLL_S)

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(3 * _WAIT_S)

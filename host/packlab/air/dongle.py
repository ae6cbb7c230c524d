"""The firmware on the virtual board, in real time, its radio in our hands: a stack's adapter
(bluez.py, or any other) is its Listener and connects, reads and writes for its centrals.

boards/VIRTUAL/modules/virtual/bridge.py is the other end and has the words that pass.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from packlab.checkout import root
from packlab.errors import PacklabError
from packlab.interpreters import micropython

LAUNCHER = "boards/VIRTUAL/launch.py"
NEVER_S = 10**9
READ, WRITE, NOTIFY, INDICATE = 0x02, 0x08, 0x10, 0x20  # a characteristic's flags
_START_S = 20.0
_ANSWER_S = 5.0
_NOBODY = 0x0E  # "unlikely error": the chip is just starting
_LINE_BYTES = 1 << 16


class Refused(Exception):
    """The dongle refuses a reading, a writing or a link; `code`: of the attribute protocol."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused with {code:#04x}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Characteristic:
    """uuid: bytes as on the air. flags: READ and so on."""

    uuid: bytes
    flags: int
    handle: int


@dataclass(frozen=True, slots=True)
class Service:
    """uuid: bytes as on the air."""

    uuid: bytes
    characteristics: tuple[Characteristic, ...]


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What the dongle sends to everybody, until it says something else."""

    interval_us: int
    data: bytes
    response: bytes
    connectable: bool

    def structures(self) -> dict[int, bytes]:
        """The AD structures of both packets by their kind."""
        found: dict[int, bytes] = {}
        for packet in (self.data, self.response):
            at = 0
            while at + 1 < len(packet) and packet[at]:
                found[packet[at + 1]] = packet[at + 2 : at + 1 + packet[at]]
                at += 1 + packet[at]
        return found

    @property
    def name(self) -> str:
        """The complete local name, "" where there is none."""
        return self.structures().get(0x09, b"").decode(errors="replace")


class Listener:
    """What an adapter is told; each does nothing here."""

    def on_table(self, services: list[Service]) -> None:
        """The attribute table, once at each start of the chip."""

    def on_advertisement(self, advertisement: Advertisement | None) -> None:
        """None: the dongle is silent."""

    def on_value(self, link: int | None, handle: int, value: bytes, *, indicate: bool) -> None:
        """A notification; link None: for every link that subscribed. The adapter cuts it to its
        MTU, and answers an indication with `VirtualDongle.done`."""

    def on_mtu(self, link: int, mtu: int) -> None:
        """The dongle asks for longer packets; answer with `VirtualDongle.agree`."""

    def on_drop(self, link: int) -> None:
        """The dongle ended a link."""

    def on_gone(self) -> None:
        """The chip restarts: all links are gone, and it will be heard again."""


def aioble() -> tuple[Path, str]:
    """(folder of aioble, what to call it): the real one where MicroPython looks for it, else the
    stand-in of the tests."""
    real = Path.home() / ".micropython" / "lib" / "aioble"
    if (real / "server.py").exists():
        return real, "aioble"
    return root() / "tests" / "unix" / "standin" / "aioble", "the stand-in for aioble"


class VirtualDongle:
    """`async with VirtualDongle(listener) as dongle`: a dongle that has begun to advertise.

    config: as in the dongle's config file. key: the owner's, hex; without one the dongle makes its
    own and tells it in its trace. on_trace: called with every line of the board's trace. flash:
    the folder of the board's own files, while it runs.
    """

    def __init__(
        self,
        listener: Listener,
        config: Mapping[str, Any] | None = None,
        key: str = "",
        on_trace: Callable[[str], None] | None = None,
        interpreter: str = "unix",
    ) -> None:
        self._listener = listener
        self._config = {"console_s": 1, **(config or {})}
        self._key = key
        self._on_trace = on_trace
        self._interpreter = interpreter
        self._folder = tempfile.TemporaryDirectory(prefix="packlab-air-")
        self.flash = Path(self._folder.name) / "state" / "flash"
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._heard = asyncio.Event()
        self._said: list[str] = []
        self.advertisement: Advertisement | None = None
        self.services: list[Service] = []

    async def __aenter__(self) -> Self:
        micropython(self._interpreter)  # says what to do where there is none
        self._lay_out()
        self._server = await asyncio.start_server(self._life, "127.0.0.1", limit=_LINE_BYTES)
        port = self._server.sockets[0].getsockname()[1]
        state = self.flash.parent
        feed = state.parent / "feed"
        feed.write_text(f"{NEVER_S * 1000000} end\n")
        bits = "32" if self._interpreter == "unix32" else "64"
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, str(root() / LAUNCHER), "--firmware", str(root() / "firmware"),
            "--feed", str(feed), "--state", str(state), "--bits", bits, "--bridge", str(port),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=_LINE_BYTES,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read_trace())
        await self._begun()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener = Listener()
        self._server.close()
        if self._writer is not None:
            self._writer.close()  # the board ends, and with it the launcher
        try:
            await asyncio.wait_for(self._process.wait(), _ANSWER_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader
        self._folder.cleanup()

    def _lay_out(self) -> None:
        """The flash as the owner has set it up."""
        (self.flash / "lib").mkdir(parents=True)
        library, _ = aioble()
        shutil.copytree(library, self.flash / "lib" / "aioble")
        (self.flash / "config.json").write_text(json.dumps(self._config))
        if self._key:
            kept = {"deckwatch": {"bowner": self._key}}
            (self.flash.parent / "nvs.json").write_text(json.dumps(kept))

    async def _begun(self) -> None:
        """Until it advertises, or until it is clear that it will not."""
        heard = asyncio.create_task(self._heard.wait())
        tasks = {heard, self._reader}
        await asyncio.wait(tasks, timeout=_START_S, return_when=asyncio.FIRST_COMPLETED)
        if not heard.done():
            heard.cancel()
            said = " / ".join(self._said[-3:]) or "it said nothing"
            await self.__aexit__(None, None, None)
            raise PacklabError(f"the virtual dongle did not begin to advertise: {said}")

    async def _read_trace(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            self._said = [*self._said[-9:], text]
            if self._on_trace:
                self._on_trace(text)

    # --- one life of the chip ---

    async def _life(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        try:
            async for line in reader:
                self._hear(json.loads(line))
        except ConnectionError:
            pass
        writer.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_result({"error": _NOBODY})
        self._waiting.clear()
        self.advertisement = None
        self._listener.on_gone()

    def _hear(self, said: dict[str, Any]) -> None:
        match said["op"]:
            case "answer":
                future = self._waiting.pop(said["id"], None)
                if future is not None and not future.done():
                    future.set_result(said)
            case "table":
                self.services = [_service(*row) for row in said["services"]]
                self._listener.on_table(self.services)
            case "advertise":
                self.advertisement = Advertisement(
                    said["interval_us"], bytes.fromhex(said["data"]),
                    bytes.fromhex(said["response"]), said["connectable"],
                )  # fmt: skip
                self._heard.set()
                self._listener.on_advertisement(self.advertisement)
            case "quiet":
                self.advertisement = None
                self._listener.on_advertisement(None)
            case "mtu":
                self._listener.on_mtu(said["link"], said["mtu"])
            case "drop":
                self._listener.on_drop(said["link"])
            case "notify" | "indicate" | "update" as kind:
                value = bytes.fromhex(said["value"])
                link = said.get("link")
                self._listener.on_value(link, said["handle"], value, indicate=kind == "indicate")

    # --- what an adapter does ---

    async def connect(self, address: str) -> int:
        """The number of a new link of a central with this address; Refused where the
        dongle listens for none."""
        answer = await self._ask({"op": "connect", "address": address})
        return int(answer["link"])

    async def read(self, link: int, handle: int) -> bytes:
        """The whole value; Refused where it is refused."""
        answer = await self._ask({"op": "read", "link": link, "handle": handle})
        return bytes.fromhex(answer["value"])

    async def write(self, link: int, handle: int, value: bytes) -> None:
        """Refused where it is refused."""
        await self._ask({"op": "write", "link": link, "handle": handle, "value": value.hex()})

    def agree(self, link: int, mtu: int) -> None:
        """Both sides have agreed upon a MTU."""
        self._say({"op": "mtu", "link": link, "mtu": mtu})

    def done(self, link: int, handle: int, status: int = 0) -> None:
        """An indication was acknowledged."""
        self._say({"op": "done", "link": link, "handle": handle, "status": status})

    def leave(self, link: int) -> None:
        """The central, or the air between, has ended a link."""
        self._say({"op": "left", "link": link})

    def line(self, text: str) -> None:
        """One line of the board's feed (boards/VIRTUAL/README.md) without its time, at once."""
        self._say({"op": "line", "text": text})

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._writer is None or self._writer.is_closing():
            raise Refused(_NOBODY)
        self._count += 1
        answer = self._waiting[self._count] = asyncio.get_running_loop().create_future()
        self._say({**message, "id": self._count})
        said: dict[str, Any] = await asyncio.wait_for(answer, _ANSWER_S)
        if "error" in said:
            raise Refused(said["error"])
        return said

    def _say(self, message: dict[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")


def _service(uuid: str, rows: list[tuple[str, int, int]]) -> Service:
    found = tuple(Characteristic(bytes.fromhex(u), flags, handle) for u, flags, handle in rows)
    return Service(bytes.fromhex(uuid), found)

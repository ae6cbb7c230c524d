"""The virtual dongle in front of Bumble centrals: real ATT on both sides, and the firmware's own
values, answers and refusals."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
from app_rig import REPLY, REQUEST, cells
from bumble.att import ATT_Error
from bumble.core import UUID, ProtocolError
from bumble.device import Device, Peer
from bumble.gatt import GATT_BATTERY_LEVEL_CHARACTERISTIC
from bumble.link import LocalLink
from conftest import MicroPython
from deckwatch import commands
from deckwatch.outputs import gatt
from deckwatch.owner import tag
from packlab.air.attributes import Peripheral, device
from packlab.air.dongle import VirtualDongle, aioble
from test_ble_gatt import live_of

KEY = bytes(range(16))
_TRIES = 4
_DISCOVERY_S = 4.0
CELLS_MV = [3700 + 3 * i for i in range(10)]


class Central:
    """A phone made of Bumble."""

    def __init__(self, link: LocalLink, address: str) -> None:
        self._device: Device = device(link, f"central {address[:2]}", address)

    async def connect(self) -> None:
        """As a phone does: where discovery gets no answer, it connects anew. (Under load Bumble's
        link now and then loses a packet of a connection that has only just begun.)"""
        await self._device.power_on()
        for _ in range(_TRIES):
            await self._find()
            self.peer = Peer(self.connection)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DISCOVERY_S):
                    await self.peer.discover_services()
                    await self.peer.discover_characteristics()
                    return
            await self.connection.disconnect()
        raise AssertionError("the dongle does not answer")

    @property
    def is_connected(self) -> bool:
        return self.connection in self._device.connections.values()

    def send(self, channel: int, data: bytes) -> None:
        """A packet as it stands, past Bumble's own client."""
        self._device.send_l2cap_pdu(self.connection.handle, channel, data)

    async def _find(self) -> None:
        heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def on_advertisement(found: Any) -> None:
            if not heard.done():
                heard.set_result(found)

        self._device.on("advertisement", on_advertisement)
        await self._device.start_scanning()
        found = await asyncio.wait_for(heard, 10)
        await self._device.stop_scanning()
        self.connection = await self._device.connect(found.address)

    def _at(self, number: int | UUID) -> Any:
        wanted = number if isinstance(number, UUID) else UUID(gatt.uuid(number))
        (found,) = self.peer.get_characteristics_by_uuid(wanted)
        return found

    async def read(self, number: int | UUID) -> bytes:
        return bytes(await self.peer.read_value(self._at(number)))

    async def write(self, number: int, data: bytes) -> None:
        await self.peer.write_value(self._at(number), data, with_response=True)

    async def subscribe(self, number: int, heard: Callable[[bytes], Any]) -> None:
        await self.peer.subscribe(self._at(number), lambda value: heard(bytes(value)))

    async def command(self, key: bytes, op: int, payload: bytes = b"") -> bytes:
        """The dongle's answer: req, code, text."""
        body = bytes((op, 9, len(payload))) + payload
        nonce = await self.read(gatt.NONCE)
        await self.write(gatt.COMMAND, body + tag(key, nonce, body))
        await asyncio.sleep(0.2)
        return await self.read(gatt.RESULT)


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.02)


async def story() -> None:
    link = LocalLink()
    peripheral = Peripheral(link)
    trace: list[str] = []
    dongle = VirtualDongle(peripheral, key=KEY.hex(), on_trace=trace.append)
    async with dongle, peripheral.on_air(dongle):
        for text in ("bms !idle", "host !idle", f"host {REQUEST}"):
            dongle.line(text)
        await asyncio.sleep(0.05)
        dongle.line(f"bms {REPLY}")
        dongle.line(f"bms {cells(CELLS_MV)}")
        first = Central(link, "C0:FF:EE:00:00:01")
        await first.connect()
        heard: list[bytes] = []
        await first.subscribe(gatt.LIVE, heard.append)
        await until(lambda: first.connection.att_mtu == 247)  # asked for by the dongle
        heard.clear()
        await until(lambda: len(heard) >= 2)
        live = live_of(heard[-1])
        assert live["cell_mv"] == CELLS_MV
        assert live["size"] == len(heard[-1])
        assert [data[1] for data in heard] == [heard[0][1] + i & 0xFF for i in range(len(heard))]
        settings = await first.read(gatt.SETTINGS)  # a long read
        assert len(settings) > 100
        level = await first.read(GATT_BATTERY_LEVEL_CHARACTERISTIC)
        assert level == bytes((47,))
        with pytest.raises((ATT_Error, ProtocolError)):
            await first.write(gatt.LIVE, b"x")
        # a second central at the same time; each has its own nonce and its own answer
        second = Central(link, "C0:FF:EE:00:00:02")
        await second.connect()
        assert (await second.command(bytes(16), commands.ACKNOWLEDGE))[1] == 2
        assert (await first.command(KEY, commands.ACKNOWLEDGE))[1] == commands.DONE
        assert (await second.read(gatt.RESULT))[1] == 2
        assert sum("print owner: acknowledged" in line for line in trace) == 1
        # whoever wants encryption gets it; nothing depends on it
        await first.connection.pair()
        assert first.connection.is_encrypted
        assert (await first.command(KEY, commands.MUTE, b"\x05"))[1] == commands.DONE
        await first.connection.disconnect()
        await until(lambda: any(" ble drop 0" in line for line in trace))
        third = Central(link, "C0:FF:EE:00:00:03")
        await third.connect()
        assert await third.read(gatt.INFO) == await second.read(gatt.INFO)


def test_bumble_centrals_talk_to_the_firmware(
    micropython64: MicroPython, capsys: pytest.CaptureFixture[str]
) -> None:
    del micropython64
    with capsys.disabled():
        print(f" [on {aioble()[1]}]", end="", file=sys.stderr)
    asyncio.run(story())

"""Every byte a central can send, through Bumble's stack at the real firmware; and the standard
services as Bumble's own classes read them."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator

import pytest
from app_rig import REPLY, REQUEST, cells
from bumble import att
from bumble.link import LocalLink
from bumble.profiles.battery_service import BatteryServiceProxy
from bumble.profiles.device_information_service import DeviceInformationServiceProxy
from conftest import MicroPython
from deckwatch.outputs import gatt
from packlab.air.attributes import Peripheral
from packlab.air.dongle import VirtualDongle, aioble
from test_air_bumble import CELLS_MV, KEY, Central
from test_ble_gatt import live_of

_WRITES = (0x12, 0x16, 0x18, 0x52, 0xD2)


@pytest.fixture(autouse=True)
def _named(micropython64: MicroPython, capsys: pytest.CaptureFixture[str]) -> None:
    """There is an interpreter, and the output says which aioble it is."""
    del micropython64
    with capsys.disabled():
        print(f" [on {aioble()[1]}]", end="", file=sys.stderr)


async def scooter_on(dongle: VirtualDongle) -> None:
    """One round of the line, cells and all."""
    for text in ("bms !idle", "host !idle", f"host {REQUEST}"):
        dongle.line(text)
    await asyncio.sleep(0.05)
    dongle.line(f"bms {REPLY}")
    dongle.line(f"bms {cells(CELLS_MV)}")


@contextlib.asynccontextmanager
async def on_air(trace: list[str]) -> AsyncIterator[tuple[VirtualDongle, LocalLink]]:
    link = LocalLink()
    peripheral = Peripheral(link)
    dongle = VirtualDongle(peripheral, key=KEY.hex(), on_trace=trace.append)
    async with dongle, peripheral.on_air(dongle):
        await scooter_on(dongle)
        yield dongle, link


async def told(battery: BatteryServiceProxy) -> int:
    """The level, once the line's first round has come."""
    assert battery.battery_level
    for _ in range(50):
        with contextlib.suppress(att.ATT_Error):  # not known yet
            return int(await battery.battery_level.read_value())
        await asyncio.sleep(0.1)
    raise AssertionError("no level within 5 s")


async def standard_services() -> None:
    async with on_air([]) as (_, link):
        central = Central(link, "C0:FF:EE:00:00:01")
        await central.connect()
        battery = central.peer.create_service_proxy(BatteryServiceProxy)
        about = central.peer.create_service_proxy(DeviceInformationServiceProxy)
        assert battery
        assert battery.battery_level
        assert about
        assert about.manufacturer_name
        assert await told(battery) == 47
        assert await about.manufacturer_name.read_value() == "Deckwatch"


def test_the_standard_services_as_bumble_reads_them() -> None:
    asyncio.run(standard_services())


async def every_byte(rounds: int) -> tuple[list[str], int]:
    """(trace, requests sent): whole ATT requests of noise, every opcode, every handle; a link may
    be dropped for it, and nothing else. Bumble lets a central overwrite its own table of
    attributes, so writes go to values alone."""
    chance = random.Random(4)
    trace: list[str] = []
    sent = 0
    async with on_air(trace) as (dongle, link):
        first = Central(link, "C0:FF:EE:00:00:01")
        await first.connect()
        services = first.peer.services
        handles = [one.handle for service in services for one in service.characteristics]
        stranger = Central(link, "C0:FF:EE:00:00:02")
        await stranger.connect()
        for number in range(rounds):
            if number % 8 == 0:
                dongle.line(f"bms {REPLY}")
            kind = number % 3
            if kind == 0:
                opcode = number % 256
                if opcode in _WRITES:
                    continue
                request = bytes((opcode,)) + chance.randbytes(chance.randint(0, 40))
            elif kind == 1:  # writes to every value
                handle = chance.choice(handles).to_bytes(2, "little")
                data = chance.randbytes(chance.randint(0, 200))
                request = bytes((chance.choice((0x12, 0x52, 0x16)),)) + handle + data
            else:  # reads and long reads of every handle
                handle = chance.randint(0, 80).to_bytes(2, "little")
                request = bytes((chance.choice((0x0A, 0x0C)),)) + handle + bytes(2)
            if not stranger.is_connected:
                await stranger.connect()
            stranger.send(att.ATT_CID, request)
            sent += 1
            if number % 16 == 0:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        dongle.line(f"bms {REPLY}")
        last = Central(link, "C0:FF:EE:00:00:03")
        await last.connect()
        assert live_of(await last.read(gatt.LIVE))["look"] == "fine"
    return trace, sent


def check(trace: list[str]) -> None:
    text = "\n".join(trace)
    assert "bluetooth failed" not in text
    assert " died" not in text
    assert text.count(" boot PWRON") == 1
    assert " reset " not in text
    assert "owner: option" not in text
    assert "owner: acknowledged" not in text


def test_every_byte_a_central_can_send() -> None:
    trace, sent = asyncio.run(every_byte(400))
    assert sent > 390
    check(trace)


@pytest.mark.soak
def test_every_byte_a_central_can_send_for_long() -> None:
    trace, sent = asyncio.run(every_byte(20_000))
    assert sent > 19_800
    check(trace)

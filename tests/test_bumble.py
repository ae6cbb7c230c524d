"""Bumble's own stack as the phone: advertisements, ATT and GATT packets, Bumble's own readers of
the standard services, and every byte a central can send, all against the real firmware."""

import asyncio
import random
import sys
from typing import Any

import pytest
from app_rig import REPLY, REQUEST, cells
from bumble import att
from bumble.core import ProtocolError
from bumble.device import Device, Peer
from bumble.profiles.battery_service import BatteryServiceProxy
from bumble.profiles.device_information_service import DeviceInformationServiceProxy
from bumble_rig import on_air, phone
from conftest import MicroPython
from deckwatch.outputs import gatt
from deckwatch.owner import tag
from packlab.air.dongle import VirtualDongle, aioble
from test_ble_advert import Receiver
from test_ble_gatt import live_of

KEY = bytes(range(16))
_WRITES = (0x12, 0x16, 0x18, 0x52, 0xD2)
CELLS_MV = [3700 + 3 * i for i in range(10)]


@pytest.fixture(autouse=True)
def _named(micropython64: MicroPython, capsys: pytest.CaptureFixture[str]) -> None:
    """There is an interpreter, and the output says which aioble it is."""
    del micropython64
    with capsys.disabled():
        print(f" [on {aioble()[1]}]", end="", file=sys.stderr)


async def until(true: Any, timeout_s: float = 15) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.02)


async def scooter_on(dongle: VirtualDongle) -> None:
    for text in ("bms !idle", "host !idle", f"host {REQUEST}"):
        dongle.line(text)
    await asyncio.sleep(0.05)
    dongle.line(f"bms {REPLY}")
    dongle.line(f"bms {cells(CELLS_MV)}")


async def found(central: Device) -> Any:
    """The dongle's advertisement with values in it."""
    heard: list[Any] = []
    central.on("advertisement", heard.append)
    await central.start_scanning(active=True)
    await until(lambda: heard)
    await central.stop_scanning()
    return heard[-1]


async def connected(central: Device) -> Peer:
    advertisement = await found(central)
    connection = await central.connect(advertisement.address)
    peer = Peer(connection)
    await peer.discover_services()
    for service in peer.services:
        await peer.discover_characteristics(service=service)
    return peer


def at(peer: Peer, number: int) -> Any:
    from bumble.core import UUID

    (characteristic,) = peer.get_characteristics_by_uuid(UUID(gatt.uuid(number)))
    return characteristic


async def whole_story() -> None:
    trace: list[str] = []
    async with on_air(key=KEY.hex(), trace=trace) as (dongle, link):
        await scooter_on(dongle)
        central = await phone(link)
        advertisement = await found(central)
        assert str(advertisement.data.get(0x09) or b"DW-18B2").find("DW-18B2") >= 0
        await until(lambda: dongle.advertisement and len(dongle.advertisement.data) > 3)
        assert dongle.advertisement
        values = Receiver().hear(dongle.advertisement.data)
        assert values["voltage_2"] == min(CELLS_MV) / 1000

        peer = await connected(central)
        # the dongle begins the exchange of the MTU by itself
        await until(lambda: peer.connection.att_mtu == 247)
        assert (await at(peer, gatt.INFO).read_value())[-7:] == b"DW-18B2"
        live = live_of(await at(peer, gatt.LIVE).read_value())
        assert live["cell_mv"] == CELLS_MV
        assert live["soc"] == 47
        # some hundred options
        settings = await peer.read_value(at(peer, gatt.SETTINGS))
        assert len(settings) > 150
        assert settings[0] == 1

        battery = peer.create_service_proxy(BatteryServiceProxy)
        assert battery
        assert battery.battery_level
        assert await battery.battery_level.read_value() == 47
        about = peer.create_service_proxy(DeviceInformationServiceProxy)
        assert about
        assert about.manufacturer_name
        assert await about.manufacturer_name.read_value() == "Deckwatch"

        heard: list[bytes] = []
        await peer.subscribe(at(peer, gatt.LIVE), lambda value: heard.append(bytes(value)))
        await until(lambda: len(heard) >= 2)
        assert live_of(heard[-1])["cell_mv"] == CELLS_MV

        answers: list[bytes] = []
        await peer.subscribe(at(peer, gatt.RESULT), lambda value: answers.append(bytes(value)))
        nonce = await at(peer, gatt.NONCE).read_value()
        command = bytes((1, 7, 0))
        await at(peer, gatt.COMMAND).write_value(command + tag(KEY, nonce, command), True)
        await until(lambda: answers)
        assert answers == [bytes((7, 0))]
        # the nonce is spent
        await at(peer, gatt.COMMAND).write_value(command + tag(KEY, nonce, command), True)
        await until(lambda: len(answers) == 2)
        assert answers[-1] == bytes((7, 2))

        with pytest.raises(ProtocolError):
            await at(peer, gatt.COMMAND).read_value()
        await peer.connection.disconnect()
        await until(lambda: any(" ble drop 0" in line for line in trace))
        again = await connected(central)
        assert await again.read_value(at(again, gatt.LIVE))
        await again.connection.disconnect()


def test_discover_read_subscribe_command_and_return() -> None:
    asyncio.run(whole_story())


async def every_byte(rounds: int) -> tuple[list[str], dict[str, int]]:
    """Whole ATT requests of noise, every opcode and every handle; the link may be dropped for it,
    and nothing else. Bumble lets a central overwrite its own table of attributes, so writes go to
    values alone."""
    chance = random.Random(4)
    trace: list[str] = []
    counts = {"sent": 0, "dropped": 0}
    async with on_air(key=KEY.hex(), trace=trace) as (dongle, link):
        await scooter_on(dongle)
        central = await phone(link)
        first = await connected(await phone(link, "E0:E1:E2:E3:E4:E7"))
        handles = [one.handle for service in first.services for one in service.characteristics]
        connection = await central.connect((await found(central)).address)
        for number in range(rounds):
            if number % 8 == 0:
                dongle.line(f"bms {REPLY}")
            opcode = number % 256
            kind = number % 3
            if kind == 0:
                request = bytes((opcode,)) + chance.randbytes(chance.randint(0, 40))
                if opcode in _WRITES:
                    continue
            elif kind == 1:  # writes to every handle
                handle = chance.choice(handles).to_bytes(2, "little")
                data = chance.randbytes(chance.randint(0, 200))
                request = bytes((chance.choice((0x12, 0x52, 0x16)),)) + handle + data
            else:  # reads and long reads of every handle
                handle = chance.randint(0, 80).to_bytes(2, "little")
                request = bytes((chance.choice((0x0A, 0x0C)),)) + handle + bytes(2)
            counts["sent"] += 1
            if connection not in central.connections.values():
                counts["dropped"] += 1
                connection = await central.connect((await found(central)).address)
            central.send_l2cap_pdu(connection.handle, att.ATT_CID, request)
            if number % 16 == 0:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        dongle.line(f"bms {REPLY}")
        fresh = await connected(await phone(link, "E0:E1:E2:E3:E4:E6"))
        live = live_of(await at(fresh, gatt.LIVE).read_value())
        assert live["look"] == "fine"
    return trace, counts


def check(trace: list[str]) -> None:
    text = "\n".join(trace)
    assert "bluetooth failed" not in text
    assert " died" not in text
    assert text.count(" boot PWRON") == 1
    assert " reset " not in text
    assert "owner: option" not in text
    assert "owner: acknowledged" not in text


def test_every_byte_a_central_can_send() -> None:
    trace, counts = asyncio.run(every_byte(400))
    assert counts["sent"] > 390
    check(trace)


@pytest.mark.soak
def test_every_byte_a_central_can_send_for_long() -> None:
    trace, counts = asyncio.run(every_byte(20_000))
    assert counts["sent"] > 19_800
    check(trace)

"""The virtual dongle behind a Bumble peripheral: real advertising, ATT and GATT packets between
two controllers on one local link, with the firmware answering."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from bumble import att, core, gatt
from bumble.controller import Controller
from bumble.device import AdvertisingType, Connection, Device
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from packlab.air.dongle import (
    INDICATE,
    NOTIFY,
    READ,
    WRITE,
    Advertisement,
    Listener,
    Refused,
    Service,
    VirtualDongle,
)

DONGLE = "A4:C1:38:8D:18:B2"
PHONE = "E0:E1:E2:E3:E4:E5"


def device(link: LocalLink, name: str, address: str) -> Device:
    """A device with a controller of its own on the link."""
    host = Host()
    host.controller = Controller(name, link=link, public_address="F0" + address[2:])
    return Device(name=name, address=Address(address), host=host)


class Peripheral(Listener):
    """The dongle's side: what the firmware serves is served by Bumble."""

    def __init__(self, link: LocalLink) -> None:
        self.device = device(link, "dongle", DONGLE)
        self.dongle: VirtualDongle | None = None
        self._at: dict[int, gatt.Characteristic[bytes]] = {}
        self._links: dict[Connection, int] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._served = False
        self.device.on("connection", self._connected)

    def _connected(self, connection: Connection) -> None:
        connection.on("disconnection", lambda _: self._left(connection))
        self._later(self._join(connection))

    async def _join(self, connection: Connection) -> None:
        assert self.dongle
        address = str(connection.peer_address).partition("/")[0].lower()
        self._links[connection] = await self.dongle.connect(address)

    def _left(self, connection: Connection) -> None:
        number = self._links.pop(connection, None)
        if number is not None and self.dongle:
            self.dongle.leave(number)

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what the firmware says ---

    def on_table(self, services: list[Service]) -> None:
        if self._served:
            return
        self._served = True
        for service in services:
            characteristics = []
            for one in service.characteristics:
                properties = gatt.Characteristic.Properties(0)
                permissions = att.Attribute.Permissions(0)
                for flag, prop in (
                    (READ, gatt.Characteristic.Properties.READ),
                    (WRITE, gatt.Characteristic.Properties.WRITE),
                    (NOTIFY, gatt.Characteristic.Properties.NOTIFY),
                    (INDICATE, gatt.Characteristic.Properties.INDICATE),
                ):
                    if one.flags & flag:
                        properties |= prop
                if one.flags & READ:
                    permissions |= att.Attribute.Permissions.READABLE
                if one.flags & WRITE:
                    permissions |= att.Attribute.Permissions.WRITEABLE
                value = gatt.CharacteristicValue(
                    read=self._reader(one.handle), write=self._writer(one.handle)
                )
                made = gatt.Characteristic(
                    core.UUID.from_bytes(one.uuid), properties, permissions, value
                )
                self._at[one.handle] = made
                characteristics.append(made)
            self.device.add_service(
                gatt.Service(core.UUID.from_bytes(service.uuid), characteristics)
            )

    def _reader(self, handle: int) -> Any:
        async def read(connection: Connection) -> bytes:
            assert self.dongle
            try:
                return await self.dongle.read(self._links[connection], handle)
            except Refused as refusal:
                raise att.ATT_Error(att.ErrorCode(refusal.code)) from None

        return read

    def _writer(self, handle: int) -> Any:
        async def write(connection: Connection, value: bytes) -> None:
            assert self.dongle
            try:
                await self.dongle.write(self._links[connection], handle, value)
            except Refused as refusal:
                raise att.ATT_Error(att.ErrorCode(refusal.code)) from None

        return write

    def on_advertisement(self, advertisement: Advertisement | None) -> None:
        self._later(self._advertise(advertisement))

    async def _advertise(self, advertisement: Advertisement | None) -> None:
        with contextlib.suppress(Exception):
            await self.device.stop_advertising()
        if advertisement is None or not self.device.powered_on:
            return
        self.device.advertising_data = advertisement.data
        self.device.scan_response_data = advertisement.response
        kind = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
        if not advertisement.connectable:
            kind = AdvertisingType.UNDIRECTED_SCANNABLE
        with contextlib.suppress(Exception):  # a newer one has taken its place meanwhile
            await self.device.start_advertising(
                advertising_type=kind, advertising_interval_min=20, advertising_interval_max=20
            )

    def on_value(self, link: int | None, handle: int, value: bytes, *, indicate: bool) -> None:
        for connection, number in list(self._links.items()):
            if link in (None, number):
                self._later(self._tell(connection, number, handle, value, indicate=indicate))

    async def _tell(
        self, connection: Connection, number: int, handle: int, value: bytes, *, indicate: bool
    ) -> None:
        made = self._at[handle]
        if indicate:
            await self.device.gatt_server.indicate_subscriber(connection, made, value)
            assert self.dongle
            self.dongle.done(number, handle)
        else:
            await self.device.gatt_server.notify_subscriber(connection, made, value)

    def on_mtu(self, link: int, mtu: int) -> None:
        self._later(self._agree(link, mtu))

    async def _agree(self, link: int, mtu: int) -> None:
        while link not in self._links.values():  # the answer to `connect` is on its way
            await asyncio.sleep(0.01)
        (connection,) = (one for one, number in self._links.items() if number == link)
        agreed = await connection.gatt_client.request_mtu(mtu)
        assert self.dongle
        self.dongle.agree(link, agreed)

    def on_drop(self, link: int) -> None:
        for connection, number in list(self._links.items()):
            if number == link:
                self._later(connection.disconnect())


@contextlib.asynccontextmanager
async def on_air(
    config: Mapping[str, Any] | None = None, key: str = "", trace: list[str] | None = None
) -> AsyncIterator[tuple[VirtualDongle, LocalLink]]:
    """The dongle advertising on a link that phones may join."""
    link = LocalLink()
    peripheral = Peripheral(link)
    await peripheral.device.power_on()
    said = [] if trace is None else trace
    dongle = VirtualDongle(peripheral, config, key, said.append)
    peripheral.dongle = dongle
    async with dongle:
        yield dongle, link


async def phone(link: LocalLink, address: str = PHONE) -> Device:
    """A phone on the link."""
    made = device(link, "phone", address)
    await made.power_on()
    return made

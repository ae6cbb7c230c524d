"""The virtual dongle as a peripheral on a Bumble link: centrals made of Bumble connect to it over
real HCI, L2CAP and ATT, several at a time, and pair where they want to.

What Bumble's server does by itself (discovery, subscriptions, long reads, refusing what a
characteristic's properties do not allow) is as on NimBLE; the values come from the firmware.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from bumble.att import ATT_Error
from bumble.controller import Controller
from bumble.core import UUID
from bumble.device import AdvertisingType, Connection, Device, Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink

from packlab.air import dongle as air
from packlab.air.dongle import Advertisement, Listener, Refused, VirtualDongle

ADDRESS = "A4:C1:38:8D:18:B2"
_PROPERTIES = 0x3E  # read, writes, notify, indicate: the flags and Bumble's properties are one
_ANSWER_S = 2.0
_NOBODY = 0x0E  # "unlikely error"
_QUICKEST_MS = 20  # a test need not wait for the dongle's own interval


def device(link: LocalLink, name: str, address: str) -> Device:
    """A Bumble device with a controller of its own on a link."""
    controller = Controller(name, link=link, public_address=address)
    host = Host()
    host.controller = controller
    return Device(name=name, address=Address(address), host=host)


class Peripheral(Listener):
    """Make it, make the dongle with it as its listener, then `async with it.on_air(dongle)`."""

    def __init__(self, link: LocalLink, address: str = ADDRESS) -> None:
        self._device = device(link, "dongle", address)
        self._dongle: VirtualDongle | None = None
        self._characteristics: dict[int, Characteristic[bytes]] = {}
        self._links: dict[Connection, asyncio.Task[int]] = {}
        self._over = False
        self._waiting: asyncio.Queue[Callable[[], Awaitable[Any]]] = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def on_air(self, dongle: VirtualDongle) -> AsyncIterator["Peripheral"]:
        """Serve, while the dongle runs."""
        self._dongle = dongle
        self._device.add_services([self._service(service) for service in dongle.services])
        self._device.on("connection", self._on_connection)
        await self._device.power_on()
        worker = asyncio.create_task(self._work())
        self.on_advertisement(dongle.advertisement)
        try:
            yield self
        finally:
            self._over = True
            worker.cancel()
            await asyncio.wait({worker}, timeout=_ANSWER_S)
            await self._device.power_off()

    def _service(self, service: air.Service) -> Service:
        return Service(UUID.from_bytes(service.uuid), [
            self._characteristic(one) for one in service.characteristics
        ])  # fmt: skip

    def _characteristic(self, one: air.Characteristic) -> Characteristic[bytes]:
        async def read(connection: Connection) -> bytes:
            return bytes(await self._obey(connection, lambda d, link: d.read(link, one.handle)))

        async def write(connection: Connection, value: bytes) -> None:
            await self._obey(connection, lambda d, link: d.write(link, one.handle, value))

        may = Characteristic.Permissions(0)
        if one.flags & air.READ:
            may |= Characteristic.READABLE
        if one.flags & air.WRITE:
            may |= Characteristic.WRITEABLE
        made: Characteristic[bytes] = Characteristic(
            UUID.from_bytes(one.uuid), Characteristic.Properties(one.flags & _PROPERTIES), may,
            CharacteristicValue(read=read, write=write),
        )  # fmt: skip
        self._characteristics[one.handle] = made
        return made

    async def _obey(
        self, connection: Connection, do: Callable[[VirtualDongle, int], Awaitable[Any]]
    ) -> Any:
        """What a central asks of the dongle; its refusals go back as they are."""
        assert self._dongle
        try:
            link = await self._links[connection]
            return await do(self._dongle, link)
        except (Refused, KeyError) as refusal:
            code = refusal.code if isinstance(refusal, Refused) else _NOBODY
            raise ATT_Error(code) from None

    # --- centrals come and go ---

    def _on_connection(self, connection: Connection) -> None:
        connection.on("disconnection", lambda _: self._gone(connection))
        connection.on("connection_att_mtu_update", lambda: self._agreed(connection))
        self._links[connection] = asyncio.create_task(self._join(connection))

    async def _join(self, connection: Connection) -> int:
        """The number the dongle gives it; a dongle that listens for nobody ends the link."""
        assert self._dongle
        try:
            return await self._dongle.connect(str(connection.peer_address).partition("/")[0])
        except Refused:
            self._waiting.put_nowait(connection.disconnect)
            raise

    def _gone(self, connection: Connection) -> None:
        joined = self._links.pop(connection, None)
        link = _number(joined)
        if link is not None and self._dongle:
            self._dongle.leave(link)

    def _agreed(self, connection: Connection) -> None:
        link = _number(self._links.get(connection))
        if self._dongle and link is not None:
            self._dongle.agree(link, connection.att_mtu)

    def _connections(self, link: int | None) -> list[tuple[Connection, int]]:
        """Those of a link, or all of them, with their numbers."""
        found = [(connection, _number(task)) for connection, task in self._links.items()]
        return [
            (one, number) for one, number in found if number is not None and link in (None, number)
        ]

    # --- what the dongle says ---

    def on_advertisement(self, advertisement: Advertisement | None) -> None:
        if self._dongle:  # before, there is nobody to hear it
            self._waiting.put_nowait(lambda: self._advertise(advertisement))

    async def _advertise(self, advertisement: Advertisement | None) -> None:
        if self._device.is_advertising:
            await self._device.stop_advertising()
        if advertisement is None:
            return
        kind = AdvertisingType.UNDIRECTED_SCANNABLE
        if advertisement.connectable:
            kind = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
        await self._device.start_advertising(
            kind, advertising_data=advertisement.data, scan_response_data=advertisement.response,
            advertising_interval_min=_QUICKEST_MS, advertising_interval_max=_QUICKEST_MS,
        )  # fmt: skip

    def on_value(self, link: int | None, handle: int, value: bytes, *, indicate: bool) -> None:
        self._waiting.put_nowait(lambda: self._send(link, handle, value, indicate=indicate))

    async def _send(self, link: int | None, handle: int, value: bytes, *, indicate: bool) -> None:
        one = self._characteristics[handle]
        indicates = indicate or not one.properties & Characteristic.Properties.NOTIFY
        for connection, number in self._connections(link):
            if indicates:
                await self._device.indicate_subscriber(connection, one, value)
            else:
                await self._device.notify_subscriber(connection, one, value)
            if indicate and self._dongle:
                self._dongle.done(number, handle)

    def on_mtu(self, link: int, mtu: int) -> None:
        self._waiting.put_nowait(lambda: self._ask_mtu(link, mtu))

    async def _ask_mtu(self, link: int, mtu: int) -> None:
        """The dongle is the asker here, as a client of the central's."""
        await asyncio.gather(*self._links.values(), return_exceptions=True)
        for connection, _ in self._connections(link):
            await asyncio.wait_for(Peer(connection).request_mtu(mtu), _ANSWER_S)
            self._agreed(connection)

    def on_drop(self, link: int) -> None:
        for connection, _ in self._connections(link):
            self._waiting.put_nowait(connection.disconnect)

    def on_gone(self) -> None:
        for connection in list(self._links):
            self._waiting.put_nowait(connection.disconnect)
        self._links.clear()

    async def _work(self) -> None:
        """One after the other, in the order in which it was said."""
        while not self._over:
            work = await self._waiting.get()
            with contextlib.suppress(Exception):  # a central that has just gone
                await work()


def _number(task: "asyncio.Task[int] | None") -> int | None:
    """The number a link has got, None as long as it has none."""
    if task is None or not task.done() or task.cancelled() or task.exception():
        return None
    return task.result()

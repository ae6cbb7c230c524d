"""A pretend BlueZ on a private bus, with one adapter, in front of the virtual dongle: Chromium's
Web Bluetooth and bleak talk to it as they do to the real one (doc/org.bluez.*.rst of BlueZ 5.66).

It is stricter than BlueZ in one point: two operations at a time on the attributes are refused with
InProgress, as Android does, so that a page that lets them overlap is caught.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from packlab.air.bus import Bus, BusError, Reply
from packlab.air.dongle import (
    INDICATE,
    NOTIFY,
    READ,
    WRITE,
    Advertisement,
    Characteristic,
    Listener,
    Refused,
    Service,
    VirtualDongle,
)

ADAPTER_PATH = "/org/bluez/hci0"
ADAPTER, DEVICE, SERVICE, CHARACTERISTIC, DESCRIPTOR = (
    "org.bluez." + name
    for name in ("Adapter1", "Device1", "GattService1", "GattCharacteristic1", "GattDescriptor1")
)
MOST_MTU = 247
_BASE = "-0000-1000-8000-00805f9b34fb"
_CONFIGURE = "00002902" + _BASE  # the client characteristic configuration descriptor
_FLAGS = ((READ, "read"), (WRITE, "write"), (NOTIFY, "notify"), (INDICATE, "indicate"))
_NOT_PERMITTED = (0x02, 0x03)
_HEARD_S = 0.2  # between two packets of the dongle's that are reported
_UUIDS_128, _SERVICE_DATA_16 = 0x07, 0x16


class Bluez(Listener):
    """Make it, make the dongle with it as its listener, then `async with bluez.on_air(dongle)`.

    address: the dongle's. most_mtu: what the next connection agrees to.
    """

    def __init__(
        self, address: str = "A4:C1:38:8D:18:B2", central: str = "00:1a:7d:da:71:13"
    ) -> None:
        self._central = central
        self._address = address
        self._path = f"{ADAPTER_PATH}/dev_{address.replace(':', '_')}"
        self._bus = Bus("org.bluez", self._call)
        self._dongle: VirtualDongle | None = None
        self._services: list[Service] = []
        self._heard: Advertisement | None = None
        self._link: int | None = None
        self._busy = False
        self._at: dict[str, Characteristic] = {}  # by path
        self._searching: asyncio.Task[None] | None = None
        self._mtu = 23
        self.most_mtu = MOST_MTU
        self._bus.objects = {
            "/": {},
            "/org/bluez": {"org.bluez.AgentManager1": {}},
            ADAPTER_PATH: {ADAPTER: _adapter(central)},
        }

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program take the private bus for the system's."""
        return self._bus.environment

    @contextlib.asynccontextmanager
    async def on_air(self, dongle: VirtualDongle) -> AsyncIterator["Bluez"]:
        """Serve, while the dongle runs."""
        self._dongle = dongle
        async with self._bus:
            try:
                yield self
            finally:
                self._search(False)

    def drop(self) -> None:
        """The link is lost, as when the phone goes out of reach."""
        if self._link is not None and self._dongle:
            self._dongle.leave(self._link)
        self._disconnected()

    # --- what the dongle says ---

    def on_table(self, services: list[Service]) -> None:
        self._services = services

    def on_advertisement(self, advertisement: Advertisement | None) -> None:
        self._heard = advertisement or self._heard

    def on_value(self, link: int | None, handle: int, value: bytes, *, indicate: bool) -> None:
        for path, characteristic in self._at.items():
            if characteristic.handle == handle and link in (None, self._link):
                if self._bus.get(path, CHARACTERISTIC, "Notifying"):
                    cut = value[: self._mtu - 3]
                    self._bus.set(path, CHARACTERISTIC, Value=("ay", cut))
                if indicate and self._dongle and self._link is not None:
                    self._dongle.done(self._link, handle)

    def on_mtu(self, link: int, mtu: int) -> None:
        if self._dongle:
            self._mtu = min(mtu, self.most_mtu)
            self._dongle.agree(link, self._mtu)

    def on_drop(self, link: int) -> None:
        if link == self._link:
            self.drop()

    def on_gone(self) -> None:
        """BlueZ remembers a device it no longer hears."""
        self._disconnected()
        self._heard = None

    # --- what the computer's programs say ---

    async def _call(
        self, path: str, interface: str, member: str, values: tuple[Any, ...]
    ) -> Reply:
        match interface.removeprefix("org.bluez."), member:
            case "Adapter1", "StartDiscovery" | "StopDiscovery":
                self._search(member == "StartDiscovery")
            case "Device1", "Connect":
                await self._connect()
            case "Device1", "Disconnect":
                self.drop()
            case "GattCharacteristic1", "ReadValue":
                return "ay", (await self._read(path, values[0]),)
            case "GattCharacteristic1", "WriteValue":
                await self._write(path, bytes(values[0]))
            case "GattCharacteristic1", "StartNotify" | "StopNotify":
                async with self._operation():
                    notifying = ("b", member == "StartNotify")
                    await asyncio.sleep(0)
                    if path in self._at:
                        self._bus.set(path, CHARACTERISTIC, Notifying=notifying)
            case "GattDescriptor1", "ReadValue":
                return "ay", (b"\0\0",)
        return None

    def _search(self, on: bool) -> None:
        if ADAPTER_PATH in self._bus.objects:
            self._bus.set(ADAPTER_PATH, ADAPTER, Discovering=("b", on))
        if on and self._searching is None:
            self._searching = asyncio.create_task(self._hear())
        elif not on and self._searching is not None:
            self._searching.cancel()
            self._searching = None

    async def _hear(self) -> None:
        """Each packet heard is reported with another strength: without a change nothing is."""
        strength = -50
        while True:
            if self._heard is not None:
                strength = -50 if strength != -50 else -51
                found = _device(self._address, self._heard, strength)
                if self._path not in self._bus.objects:
                    self._bus.add(self._path, DEVICE, found)
                else:
                    told = {name: found[name] for name in ("RSSI", "ServiceData")}
                    self._bus.set(self._path, DEVICE, **told)
            await asyncio.sleep(_HEARD_S)

    async def _connect(self) -> None:
        if self._link is not None:
            return
        assert self._dongle
        self._mtu = 23
        try:
            self._link = await self._dongle.connect(self._central)
        except Refused:
            failed = "le-connection-abort-by-local"
            raise BusError("org.bluez.Error.Failed", failed) from None
        self._bus.set(self._path, DEVICE, Connected=("b", True))
        for number, service in enumerate(self._services):
            self._add(number, service)
        uuids = [_uuid(service.uuid) for service in self._services]
        self._bus.set(self._path, DEVICE, UUIDs=("as", uuids), ServicesResolved=("b", True))

    def _add(self, number: int, service: Service) -> None:
        path = f"{self._path}/service{number:04x}"
        self._bus.add(path, SERVICE, {
            "UUID": ("s", _uuid(service.uuid)), "Device": ("o", self._path),
            "Primary": ("b", True), "Includes": ("ao", []),
        })  # fmt: skip
        for one in service.characteristics:
            at = f"{path}/char{one.handle:04x}"
            self._at[at] = one
            self._bus.add(at, CHARACTERISTIC, {
                "UUID": ("s", _uuid(one.uuid)), "Service": ("o", path), "Value": ("ay", b""),
                "Notifying": ("b", False), "MTU": ("q", self.most_mtu),
                "Flags": ("as", [name for flag, name in _FLAGS if one.flags & flag]),
            })  # fmt: skip
            if one.flags & (NOTIFY | INDICATE):
                self._bus.add(f"{at}/desc{one.handle + 1:04x}", DESCRIPTOR, {
                    "UUID": ("s", _CONFIGURE), "Characteristic": ("o", at),
                    "Value": ("ay", b"\0\0"), "Flags": ("as", ["read", "write"]),
                })  # fmt: skip

    def _disconnected(self) -> None:
        self._link = None
        if not self._at:
            return
        self._at.clear()
        below = sorted(
            (p for p in self._bus.objects if p.startswith(self._path + "/")), reverse=True
        )
        no = ("b", False)
        self._bus.set(self._path, DEVICE, ServicesResolved=no, Connected=no)
        for path in below:
            self._bus.remove(path)

    @contextlib.asynccontextmanager
    async def _operation(self) -> AsyncIterator[int]:
        """One at a time, on a link."""
        if self._link is None:
            raise BusError("org.bluez.Error.NotConnected")
        if self._busy:
            raise BusError("org.bluez.Error.InProgress", "another operation is in progress")
        self._busy = True
        try:
            yield self._link
        except Refused as refusal:
            kind = "NotPermitted" if refusal.code in _NOT_PERMITTED else "Failed"
            raise BusError(f"org.bluez.Error.{kind}", str(refusal)) from None
        finally:
            self._busy = False

    async def _read(self, path: str, options: dict[str, Any]) -> bytes:
        assert self._dongle
        async with self._operation() as link:
            value = await self._dongle.read(link, self._at[path].handle)
        value = value[options.get("offset", ("q", 0))[1] :]
        if path in self._at:  # BlueZ tells, too, and Chromium waits for it
            self._bus.set(path, CHARACTERISTIC, Value=("ay", value))
        return value

    async def _write(self, path: str, value: bytes) -> None:
        assert self._dongle
        if path not in self._at:  # a descriptor
            return
        async with self._operation() as link:
            await self._dongle.write(link, self._at[path].handle, value)


def _uuid(on_air: bytes) -> str:
    text = on_air[::-1].hex()
    if len(text) == 4:
        return "0000" + text + _BASE
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _adapter(address: str) -> dict[str, tuple[str, Any]]:
    return {
        "Address": ("s", address), "AddressType": ("s", "public"), "Name": ("s", "pretended"),
        "Alias": ("s", "pretended"), "Class": ("u", 0), "Powered": ("b", True),
        "Discoverable": ("b", False), "Pairable": ("b", True), "PairableTimeout": ("u", 0),
        "DiscoverableTimeout": ("u", 0), "Discovering": ("b", False), "UUIDs": ("as", []),
        "Roles": ("as", ["central"]), "Modalias": ("s", "usb:v1D6Bp0246d0542"),
    }  # fmt: skip


def _device(address: str, heard: Advertisement, strength: int) -> dict[str, tuple[str, Any]]:
    structures = heard.structures()
    uuids = [_uuid(structures[_UUIDS_128])] if _UUIDS_128 in structures else []
    data = structures.get(_SERVICE_DATA_16, b"")
    service_data = {_uuid(data[:2]): ("ay", data[2:])} if data else {}
    no = ("b", False)
    return {
        "Address": ("s", address), "AddressType": ("s", "random"), "Name": ("s", heard.name),
        "Alias": ("s", heard.name), "Paired": no, "Bonded": no, "Trusted": no, "Blocked": no,
        "LegacyPairing": no, "Connected": no, "UUIDs": ("as", uuids),
        "Adapter": ("o", ADAPTER_PATH), "ServicesResolved": no, "RSSI": ("n", strength),
        "ServiceData": ("a{sv}", service_data),
    }  # fmt: skip

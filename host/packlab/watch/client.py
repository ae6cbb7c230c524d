"""Finds a dongle by Bluetooth (bleak), listens to its live values, and connects again whenever the
link is lost. A link with short packets is read instead of listened to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

from packlab.checkout import firmware
from packlab.errors import PacklabError
from packlab.watch.live import Live, decode

SEARCH_S = 15.0
_AGAIN_S = 1.0
_SILENT_S = 5.0  # a dongle speaks every second


def _uuid(name: str) -> str:
    gatt = firmware("outputs.gatt")
    text: str = gatt.uuid(getattr(gatt, name))
    return text


async def watch(name: str | None) -> AsyncIterator[Live | str]:
    """Live values of the dongle of this name (None: the first that is found), and remarks between
    them when the link is lost or there again. PacklabError when none is found at first."""
    device = await _find(name)
    if device is None:
        wanted = f"'{name}'" if name else "a dongle"
        raise PacklabError(
            f"{wanted} was not heard within {SEARCH_S:g} s; go nearer, check that its radio is on"
            " (option bluetooth) and that this computer's Bluetooth is"
        )
    while True:
        yield f"connecting to {device.name}"
        with contextlib.suppress(BleakError, TimeoutError, OSError, EOFError):
            async for live in _listen(device):
                yield live
        yield "the link is lost; trying again"
        await asyncio.sleep(_AGAIN_S)
        device = await _find(device.name) or device


async def _find(name: str | None) -> Any:
    service = _uuid("SERVICE")
    try:
        return await BleakScanner.find_device_by_filter(
            lambda device, heard: device.name == name if name else service in heard.service_uuids,
            timeout=SEARCH_S,
        )
    except (BleakError, OSError) as error:
        raise PacklabError(
            f"this computer's Bluetooth cannot be used: {error}; switch it on"
        ) from error


async def _listen(device: Any) -> AsyncIterator[Live]:
    """Until the link is lost."""
    characteristic = _uuid("LIVE")
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with BleakClient(device) as client:
        await client.start_notify(characteristic, lambda _, data: heard.put_nowait(bytes(data)))
        live = decode(bytes(await client.read_gatt_char(characteristic)))
        if live is not None:
            yield live
        while client.is_connected:
            try:
                data = await asyncio.wait_for(heard.get(), _SILENT_S)
            except TimeoutError:
                data = b""
            live = decode(data) or decode(bytes(await client.read_gatt_char(characteristic)))
            if live is not None:
                yield live

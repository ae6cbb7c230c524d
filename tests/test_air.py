"""The virtual dongle on the air: a real bleak client finds the real firmware through the pretended
BlueZ, reads what the board's own trace tells, is notified, is refused what Android would refuse,
loses the link and finds it again, also after the chip has restarted."""

import asyncio
import os
import sys
from typing import Any

import pytest
from app_rig import REPLY, REQUEST, cells
from conftest import MicroPython
from deckwatch.outputs import gatt
from packlab.air import bus
from packlab.air.bluez import Bluez
from packlab.air.dongle import VirtualDongle, aioble
from test_ble_gatt import live_of

KEY = bytes(range(16)).hex()
CELLS_MV = [3700 + 3 * i for i in range(10)]


async def until(true: Any, timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.02)


async def story() -> None:
    import bleak

    bluez = Bluez()
    trace: list[str] = []
    dongle = VirtualDongle(bluez, key=KEY, on_trace=trace.append)
    async with dongle, bluez.on_air(dongle):
        os.environ.update(bluez.environment)
        for text in ("bms !idle", "host !idle", f"host {REQUEST}"):
            dongle.line(text)
        await asyncio.sleep(0.05)
        dongle.line(f"bms {REPLY}")
        dongle.line(f"bms {cells(CELLS_MV)}")
        device = await bleak.BleakScanner.find_device_by_name("DW-18B2", timeout=10)
        assert device
        heard: list[bytes] = []
        async with bleak.BleakClient(device) as client:
            assert bytes(await client.read_gatt_char(gatt.uuid(gatt.INFO)))[-7:] == b"DW-18B2"
            assert await client.read_gatt_char("2a29") == b"Deckwatch"
            first = await client.read_gatt_char(gatt.uuid(gatt.NONCE))
            assert len(first) == 16
            assert first != await client.read_gatt_char(gatt.uuid(gatt.NONCE))
            await client.start_notify(gatt.uuid(gatt.LIVE), lambda _, v: heard.append(bytes(v)))
            await until(lambda: len(heard) >= 2)
            live = live_of(heard[-1])
            told = next(line for line in reversed(trace) if " live 1 " in line)
            assert f"cell_mv={','.join(map(str, live['cell_mv']))}" in told
            assert f"pack_mv={live['pack_mv']}" in told
            assert live["cell_mv"] == CELLS_MV
            with pytest.raises(bleak.exc.BleakError, match=r"(?i)not ?permitted"):
                await client.read_gatt_char(gatt.uuid(gatt.COMMAND))
            # Android refuses what overlaps, and so does the pretended BlueZ
            at = next(path for path, c in bluez._at.items() if c.handle == 19)
            overlapping = await asyncio.gather(
                bluez._read(at, {}), bluez._read(at, {}), return_exceptions=True
            )
            assert [type(x) for x in overlapping] == [bytes, bus.BusError]
            bluez.drop()
            await until(lambda: not client.is_connected)
        assert any(" ble drop 0" in line for line in trace)
        dongle.line("power off")
        await until(lambda: dongle.advertisement is None)
        dongle.line("power on")
        await until(lambda: dongle.advertisement is not None)
        async with bleak.BleakClient(device) as client:
            assert await client.read_gatt_char("2a29") == b"Deckwatch"
    assert any(" boot PWRON" in line for line in trace[1:])


def test_bleak_talks_to_the_firmware(
    micropython64: MicroPython, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del micropython64
    if lack := bus.missing():
        pytest.skip(lack)
    with capsys.disabled():
        print(f" [on {aioble()[1]}]", end="", file=sys.stderr)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
    asyncio.run(story())

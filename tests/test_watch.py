"""packlab watch: a real bleak client on the pretended BlueZ, in front of the real firmware; the
live value taken apart as the document has it."""

import asyncio
import csv
import io
import os
import sys
from pathlib import Path

import pytest
from conftest import MicroPython
from deckwatch.outputs.gatt import Live as Encoder
from line_rig import LineRig
from packlab.air import bus
from packlab.air.bluez import Bluez
from packlab.air.dongle import VirtualDongle, aioble
from packlab.errors import PacklabError
from packlab.watch import client, page
from packlab.watch.live import Live, decode
from packlab.watch.log import COLUMNS, Log
from rich.console import Console
from test_air_bumble import CELLS_MV
from test_air_fuzz import scooter_on
from test_ble_gatt import live_of
from test_flash import refused


def encoded(line: LineRig) -> bytes:
    """The live value as the firmware makes it."""
    encoder = Encoder()
    encoder.encode(line.core, line.now)
    return bytes(encoder.buf[: encoder.size])


def known(data: bytes) -> Live:
    live = decode(data)
    assert live is not None
    return live


def riding() -> LineRig:
    line = LineRig()
    line.ride(4, cells=CELLS_MV, current_ma=-12340, temps_c=(23, 31))
    return line


def test_what_the_firmware_encodes_is_understood() -> None:
    data = encoded(riding())
    live, told = known(data), live_of(data)
    assert (live.look, live.soc_pct, live.pack_mv) == ("fine", 60, 37130)
    assert (live.current_ma, live.riding, live.charging) == (-12340, True, False)
    assert list(live.cells_mv) == CELLS_MV
    assert live.temps_dc == (230, 310)
    assert live.delta_mv == 27
    assert live.watts == pytest.approx(-458.18, abs=0.01)
    watched = {code for number, code in enumerate(page.codes()) if number in live.watched}
    assert watched == told["watched"]
    assert set(page.not_watched(live)) == set(page.codes()) - watched
    assert (live.pack_age_s, live.cells_age_s) == (0, 0)


def test_an_alarm_has_its_words() -> None:
    line = riding()
    line.ride(15, temps_c=(62, 61))
    live = known(encoded(line))
    assert ("discharge_hot", "alarm", True) in list(page.alerts(live))
    assert "alarm discharge_hot" in page.line(live)
    console = Console(file=io.StringIO(), width=110)
    console.print(page.draw("DW-18B2", live))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for words in ("DW-18B2", "ALARM Battery too hot", "red: an alarm", "probe 1 62.0 °C", "▲"):
        assert words in text


def test_nothing_known_yet() -> None:
    live = known(encoded(LineRig()))
    assert (live.look, live.soc_pct, live.pack_mv, live.current_ma) == ("no_data",) + (None,) * 3
    assert (live.charging, live.delta_mv, live.watts, live.pack_age_s) == (None,) * 4
    assert page.line(live) == "no_data"
    console = Console(file=io.StringIO(), width=110)
    console.print(page.draw("x", live))
    assert "no values yet" in console.file.getvalue()  # type: ignore[attr-defined]


def test_cut_mixed_and_foreign_values() -> None:
    data = encoded(riding())
    assert decode(b"") is None
    for size in range(1, len(data)):
        assert decode(data[:size]) is None
    mixed = bytearray(data)
    mixed[-1] ^= 1
    assert decode(bytes(mixed)) is None
    with pytest.raises(PacklabError, match="version 9"):
        decode(b"\x09" + data[1:])


def test_a_log_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for _ in range(2):
        with Log(path) as log:
            log.take(known(encoded(riding())))
    with path.open(newline="") as stream:
        heads, *rows = list(csv.reader(stream))
    assert tuple(heads) == COLUMNS
    assert len(rows) == 2
    row = dict(zip(heads, rows[1], strict=True))
    assert (row["look"], row["pack_mv"], row["delta_mv"]) == ("fine", "37130", "27")
    assert row["cells_mv"] == " ".join(map(str, CELLS_MV))
    with pytest.raises(PacklabError, match="cannot be written"), Log(tmp_path / "no" / "x.csv"):
        pass


async def story() -> list[Live | str]:
    bluez = Bluez()
    trace: list[str] = []
    dongle = VirtualDongle(bluez, on_trace=trace.append)
    told: list[Live | str] = []
    async with dongle, bluez.on_air(dongle):
        os.environ.update(bluez.environment)
        await scooter_on(dongle)
        async for one in client.watch("DW-18B2"):
            if isinstance(one, Live) and not one.cells_mv:
                continue  # the line's first round is still on its way
            told.append(one)
            if isinstance(one, str):
                continue
            values = sum(isinstance(other, Live) for other in told)
            if values == 3:
                bluez.drop()
            elif values > 5:
                break
    return told


def test_it_listens_and_comes_back(
    micropython64: MicroPython, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del micropython64
    if lack := bus.missing():
        pytest.skip(lack)
    with capsys.disabled():
        print(f" [on {aioble()[1]}]", end="", file=sys.stderr)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "")
    told = asyncio.run(asyncio.wait_for(story(), 60))
    remarks = [one for one in told if isinstance(one, str)]
    assert remarks == [
        "connecting to DW-18B2",
        "the link is lost; trying again",
        "connecting to DW-18B2",
    ]
    lives = [one for one in told if isinstance(one, Live)]
    assert [list(live.cells_mv) for live in lives] == [CELLS_MV] * len(lives)
    assert lives[0].soc_pct == 47


def test_nobody_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(_: str | None) -> None:
        return None

    monkeypatch.setattr(client, "_find", nobody)
    assert refused("watch", "DW-0000").startswith("'DW-0000' was not heard within 15 s")
    assert refused("watch").startswith("a dongle was not heard")

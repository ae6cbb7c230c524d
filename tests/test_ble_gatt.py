"""What a phone reads, byte by byte as docs/bluetooth.md has it, and the Battery Service as Bumble
understands it."""

from typing import Any

import pytest
from deckwatch.alert import LEVELS
from deckwatch.guardrails.table import CODES
from deckwatch.outputs import gatt
from deckwatch.status import LOOKS
from deckwatch.telemetry import NO_PROBE
from line_rig import LineRig


def live_of(data: bytes) -> dict[str, Any]:
    """The live value by the table in docs/bluetooth.md, written without the encoder."""

    def number(at: int, size: int, signed: bool = False) -> int:
        return int.from_bytes(data[at : at + size], "little", signed=signed)

    cells, probes, codes = data[13], data[14], data[15]
    temps_at = 16 + 2 * cells
    levels_at = temps_at + 2 * probes
    watched_at = levels_at + -(-codes // 4)
    unknown_at = watched_at + -(-codes // 8)
    tail = unknown_at + -(-codes // 8)
    levels = number(levels_at, -(-codes // 4))
    watched, unknown = (number(at, -(-codes // 8)) for at in (watched_at, unknown_at))
    state = number(4, 2)
    return {
        "version": data[0],
        "seq": (data[1], data[tail + 2]),
        "size": number(2, 2),
        "look": LOOKS[state & 7],
        "group": state >> 3 & 7,
        "state": state >> 6,
        "codes": codes,
        "alerts": {
            code: LEVELS[levels >> 2 * i & 3]
            for i, code in enumerate(CODES)
            if levels >> 2 * i & 3
        },
        "soc": None if data[6] == 255 else data[6] / 2,
        "pack_mv": None if number(7, 2) == 0xFFFF else number(7, 2) * 10,
        "current_ma": None if number(9, 4, True) == -(2**31) else number(9, 4, True),
        "cell_mv": [number(16 + 2 * i, 2) for i in range(cells)],
        "temp_dc": [number(temps_at + 2 * i, 2, True) for i in range(probes)],
        "watched": {code for i, code in enumerate(CODES) if watched >> i & 1},
        "unknown": {code for i, code in enumerate(CODES) if unknown >> i & 1},
        "pack_age_s": data[tail],
        "cells_age_s": data[tail + 1],
    }


def live(line: LineRig, encoder: gatt.Live | None = None) -> dict[str, Any]:
    encoder = encoder or gatt.Live()
    encoder.encode(line.core, line.now)
    found = live_of(bytes(encoder.buf[: encoder.size]))
    assert found["size"] == encoder.size
    assert found["seq"][0] == found["seq"][1]
    return found


def test_the_owners_session_is_told_in_two_bits() -> None:
    line = LineRig()
    line.ride(4)
    assert live(line)["state"] >> 7 == 0
    for kind in (1, 2):
        line.core.begin(kind, 0)
        assert live(line)["state"] >> 7 == kind
    line.core.end()
    assert live(line)["state"] >> 7 == 0


def test_the_codes_fit_into_the_live_value() -> None:
    assert len(CODES) <= gatt.MOST_CODES


def test_a_riding_pack() -> None:
    line = LineRig()
    cells = [3700 + 3 * i for i in range(10)]
    line.ride(4, cells=cells, current_ma=-12340, temps_c=(23, 31))
    encoder = gatt.Live()
    found = live(line, encoder)
    bitmaps = -(-len(CODES) // 4) + 2 * -(-len(CODES) // 8)
    assert encoder.size == 16 + 20 + 4 + bitmaps + 3
    assert found["codes"] == len(CODES)
    assert found["version"] == 1
    assert found["look"] == "fine"
    assert found["alerts"] == {}
    assert (found["soc"], found["pack_mv"], found["current_ma"]) == (60, 37130, -12340)
    assert found["cell_mv"] == cells
    assert found["temp_dc"] == [230, 310]
    assert found["watched"] == line.watched()
    assert found["unknown"] == set()
    assert (found["pack_age_s"], found["cells_age_s"]) == (0, 0)
    riding_and_known = found["state"] >> 2 & 3
    assert riding_and_known == 3
    assert live(line, encoder)["seq"] == (2, 2)


def test_nothing_known_is_said_to_be_unknown() -> None:
    line = LineRig()
    line.advance(2000)
    found = live(line)
    assert found["look"] == "no_data"
    assert (found["soc"], found["pack_mv"], found["current_ma"]) == (None, None, None)
    assert found["cell_mv"] == found["temp_dc"] == []
    assert (found["pack_age_s"], found["cells_age_s"]) == (255, 255)
    assert found["state"] >> 3 & 1 == 0


def test_an_alarm_is_in_it_with_its_level_and_goes_unknown_with_its_values() -> None:
    line = LineRig()
    line.ride(12, temps_c=(61, 23))
    found = live(line)
    assert (found["look"], found["group"]) == ("alarm", 2)
    assert found["alerts"] == {"discharge_hot": "alarm"}
    assert found["unknown"] == set()
    line.core.acknowledge()
    assert live(line)["state"] & 1
    line.level("low", "bms_tx")
    line.ask()
    line.advance(7000)
    found = live(line)
    assert "discharge_hot" in found["unknown"]
    assert found["alerts"]["discharge_hot"] == "alarm"
    assert found["soc"] is None
    assert found["temp_dc"] == [NO_PROBE, NO_PROBE]
    assert found["pack_age_s"] >= 6


def test_cells_keep_their_last_value_and_tell_their_age() -> None:
    line = LineRig()
    line.ride(2, cells=[3700] * 10)
    line.ride(20)
    found = live(line)
    assert found["cell_mv"] == [3700] * 10
    assert 19 <= found["cells_age_s"] <= 21
    assert found["pack_age_s"] == 0


def test_the_longest_value_fits_into_one_characteristic() -> None:
    line = LineRig()
    t = line.core.packs[0].telemetry
    t.begin(line.now)
    for cell in range(32):
        t.set_cell(cell, 3000 + cell)
    for probe in range(8):
        t.set_temp(probe, -100 + probe)
    t.end()
    encoder = gatt.Live()
    found = live(line, encoder)
    assert encoder.size <= gatt.LIVE_MOST == 123
    assert found["cell_mv"] == list(range(3000, 3032))
    assert found["temp_dc"] == list(range(-100, -92))


def test_info() -> None:
    line = LineRig()
    line.ride(2, cells=[3700] * 10)
    told = gatt.info(line.core, gatt.CAN_COMMAND | gatt.CAN_MUTE, "0.1.0", "DW-18B2")
    assert told == b"\x01\x0a\x02\x05\x000.1.0\x00DW-18B2"


@pytest.mark.parametrize(
    ("soc", "current_ma", "expected"),
    [
        (60, -5000, "06 c1 00 3c 00"),  # phone sheet, section 5: discharging, good
        (60, 0, "06 e1 00 3c 00"),
        (20, -5000, "06 41 01 14 00"),
        (5, -5000, "06 c1 01 05 00"),
    ],
)
def test_level_status(soc: int, current_ma: int, expected: str) -> None:
    line = LineRig()
    line.ride(4, soc_pct=soc, current_ma=current_ma)
    assert gatt.level_status(line.core, line.now) == bytes.fromhex(expected)
    assert gatt.battery_level(line.core, line.now) == soc
    assert gatt.critical_status(line.core, line.now) == (b"\x01" if soc == 5 else b"\x00")


def test_level_status_of_nothing_and_of_an_alarm() -> None:
    line = LineRig()
    line.advance(1000)
    assert gatt.battery_level(line.core, line.now) == -1
    assert gatt.level_status(line.core, line.now) == bytes.fromhex("04 15 00 00")
    line.ride(12, temps_c=(61, 23))
    assert gatt.level_status(line.core, line.now)[-1] == 1
    assert gatt.critical_status(line.core, line.now) == b"\x02"


def test_charging_is_a_wired_source() -> None:
    line = LineRig()
    line.ride(70, current_ma=2000)
    power = int.from_bytes(gatt.level_status(line.core, line.now)[1:3], "little")
    assert power & 1
    assert power >> 1 & 3 == 1
    assert power >> 5 & 3 == 1

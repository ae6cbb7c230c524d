"""The advertisement, read back by the package Home Assistant reads it with, plain and sealed."""

import random
from typing import Any

import pytest
from bluetooth_data_tools import monotonic_time_coarse
from bthome_ble import BTHomeBluetoothDeviceData
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from deckwatch.outputs import advert
from deckwatch.outputs.ccm import seal
from deckwatch.outputs.gatt import SERVICE, on_air, uuid
from habluetooth import BluetoothServiceInfoBleak
from line_rig import LineRig

BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"
ADDRESS = "A4:C1:38:8D:18:B2"
MAC = bytes.fromhex(ADDRESS.replace(":", ""))
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")


def ecb(key: bytes) -> Any:
    """One block under a key, as MicroPython's cryptolib.aes(key, 1).encrypt does it."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update


def structures(data: bytes) -> list[tuple[int, bytes]]:
    """Type and content of each part; they must fill the packet exactly."""
    assert len(data) <= 31
    parts = []
    while data:
        size = data[0]
        assert 0 < size < len(data) + 1
        parts.append((data[1], data[2 : size + 1]))
        data = data[size + 1 :]
    return parts


class Receiver:
    """Home Assistant's ear for one device."""

    def __init__(self, key: bytes | None = None) -> None:
        self.parser = BTHomeBluetoothDeviceData(bindkey=key)

    def hear(self, data: bytes) -> dict[str, Any]:
        (flags, service) = structures(data)
        assert flags == (1, b"\x06")
        assert service[0] == 0x16
        assert service[1][:2] == b"\xd2\xfc"
        heard = BluetoothServiceInfoBleak(
            name="DW-18B2", address=ADDRESS, rssi=-60, manufacturer_data={},
            service_data={BTHOME: service[1][2:]}, service_uuids=[BTHOME], source="test",
            device=None, advertisement=None, connectable=True,
            time=monotonic_time_coarse(), tx_power=-127, raw=None,
        )  # fmt: skip
        update = self.parser.update(heard)
        values = {key.key: value.native_value for key, value in update.entity_values.items()}
        values |= {k.key: v.native_value for k, v in update.binary_entity_values.items()}
        values.pop("signal_strength", None)
        return values


def riding(**options: Any) -> LineRig:
    line = LineRig(**options)
    line.ride(4, cells=[3700 + 3 * i for i in range(10)], current_ma=-12340, temps_c=(23, 31))
    return line


def values(line: LineRig) -> advert.Values:
    return advert.Values(line.core, line.now)


def slot(line: LineRig, name: str) -> int:
    from deckwatch.telemetry import INDEX

    t = line.core.packs[0].telemetry
    assert t.fresh(INDEX[name], line.now), name
    return t.value[INDEX[name]]


def test_plain_reads_as_what_the_core_knows() -> None:
    line = riding()
    heard = Receiver().hear(advert.plain(values(line), False))
    watts = slot(line, "pack_mv") * slot(line, "current_ma") / 1e6
    assert heard == {
        "battery": slot(line, "soc_pct"),
        "voltage_1": slot(line, "pack_mv") / 1000,
        "voltage_2": 3.7,
        "voltage_3": 3.727,
        "battery_charging": False,
        "problem": False,
        "temperature": 31,
        "power": pytest.approx(watts, abs=0.01),
    }


def test_sealed_reads_the_same_with_the_key_and_not_without() -> None:
    line = riding()
    counter = (0x00112233).to_bytes(4, "little")
    packet = advert.sealed(values(line), False, ecb(KEY), MAC, counter)
    heard = Receiver(KEY).hear(packet)
    assert heard == {
        "battery": slot(line, "soc_pct"),
        "voltage_1": slot(line, "pack_mv") / 1000,
        "voltage_2": 3.7,
        "voltage_3": 3.727,
        "problem": False,
        "temperature": 31,
    }
    assert "battery" not in Receiver(bytes(16)).hear(packet)
    assert packet[8:23] not in advert.plain(values(line), False)


def test_a_problem_is_told_and_a_receiver_takes_only_newer_counters() -> None:
    line = riding()
    receiver = Receiver(KEY)
    first = advert.sealed(values(line), False, ecb(KEY), MAC, (2000).to_bytes(4, "little"))
    assert receiver.hear(first)["problem"] is False
    line.ride(12, temps_c=(61, 61))
    assert line.look == "alarm"
    assert Receiver().hear(advert.plain(values(line), False))["problem"] is True
    second = advert.sealed(values(line), False, ecb(KEY), MAC, (2001).to_bytes(4, "little"))
    assert receiver.hear(second)["problem"] is True
    old = advert.sealed(values(line), False, ecb(KEY), MAC, (1500).to_bytes(4, "little"))
    assert receiver.parser.encryption_counter == 2001
    receiver.hear(old)
    assert receiver.parser.encryption_counter == 2001


def test_a_pack_above_65_volts_goes_out_in_tenths() -> None:
    line = riding()
    seen = values(line)
    seen.pack_mv = 83960
    heard = Receiver().hear(advert.plain(seen, True))
    assert heard["voltage_3"] == 84.0
    assert (heard["voltage_1"], heard["voltage_2"]) == (3.7, 3.727)
    counter = (7).to_bytes(4, "little")
    heard = Receiver(KEY).hear(advert.sealed(seen, True, ecb(KEY), MAC, counter))
    assert heard["voltage_3"] == 84.0


@pytest.mark.parametrize("tenths", [False, True])
def test_the_same_objects_in_the_same_order_whatever_is_known(tenths: bool) -> None:
    """A receiver numbers voltages by their place: an entity must not change its meaning."""
    full = riding()
    little = LineRig()
    little.ride(2)
    short = little.core.packs[0].telemetry
    known = advert.plain(values(full), tenths)
    unknown = advert.plain(values(little), tenths)
    assert len(known) == len(unknown) == 30
    numbers = ids(known)
    assert numbers == ids(unknown) == sorted(numbers)
    assert short.cells == 0
    heard = Receiver().hear(unknown)
    lows = ("voltage_1", "voltage_2") if tenths else ("voltage_2", "voltage_3")
    assert [heard[name] for name in lows] == [0, 0]
    one = advert.sealed(values(full), tenths, ecb(KEY), MAC, bytes(4))
    other = advert.sealed(values(little), tenths, ecb(KEY), MAC, bytes(4))
    assert len(one) == len(other) == 31


def ids(packet: bytes) -> list[int]:
    """Object numbers of a plain packet."""
    sizes = {0x01: 1, 0x0C: 2, 0x16: 1, 0x26: 1, 0x4A: 2, 0x57: 1, 0x5C: 4}
    body, found = packet[8:], []
    while body:
        found.append(body[0])
        body = body[1 + sizes[body[0]] :]
    return found


def test_nothing_known_and_nothing_wrong_sends_no_values() -> None:
    line = LineRig()
    line.advance(3000)
    assert advert.plain(values(line), False) == b"\x02\x01\x06"
    assert advert.sealed(values(line), False, ecb(KEY), MAC, bytes(4)) == b"\x02\x01\x06"


def test_what_was_wrong_and_went_stale_is_still_a_problem() -> None:
    line = LineRig()
    line.ride(12, temps_c=(23, 56))
    line.level("low", "bms_tx")
    line.ask()
    line.advance(9000)
    assert line.look in ("unknown", "alarm")
    heard = Receiver().hear(advert.plain(values(line), False))
    assert heard["problem"] is True
    assert heard["battery"] == advert.NO_PERCENT
    assert heard["temperature"] == advert.NO_TEMPERATURE
    assert heard["voltage_1"] == 0
    assert heard["power"] == -(2**31) / 100


@pytest.mark.parametrize("ma", [0, 99, -99, 12340, -12340, 400000, -400000])
@pytest.mark.parametrize("mv", [0, 21000, 65535, 84000])
def test_power_is_exact_to_its_unit_and_no_step_overflows(mv: int, ma: int) -> None:
    assert advert.power_cw(mv, ma) == int(mv * ma / 10000)
    assert mv * (abs(ma) // 100) < 2**30


def test_scan_response_has_name_and_service() -> None:
    service = on_air(SERVICE)
    assert service[::-1].hex() == uuid(SERVICE).replace("-", "")
    packet = advert.scan_response("DW-A4C138B2"[:11], service)
    assert len(packet) == 31
    assert structures(packet) == [(7, service), (9, b"DW-A4C138B2")]
    with pytest.raises(ValueError, match="too long"):
        advert.scan_response("DW-A4C138B2X", service)


def test_ccm_is_that_of_a_pc() -> None:
    chance = random.Random(60)
    for size in range(60):
        key, nonce, text = (chance.randbytes(n) for n in (16, 13, size))
        assert b"".join(seal(ecb(key), nonce, text)) == AESCCM(key, 4).encrypt(nonce, text, None)
    with pytest.raises(ValueError, match="13"):
        seal(ecb(KEY), bytes(12), b"")


def test_the_sealed_sample_of_the_format() -> None:
    """A packet made by another program (Home Assistant's parser has taken it)."""
    text = bytes.fromhex("013f0cc1cc150026 0157fc5dcccf".replace(" ", ""))
    counter = bytes.fromhex("33221100")
    sealed, tag = seal(ecb(KEY), MAC + b"\xd2\xfc\x41" + counter, text)
    assert (sealed + counter + tag).hex() == "0985554fe362f6a6ee6ef1c9d6d733221100dee17716"

"""What stands in for a stock Xiaomi pack: BotoX, Happy BMS, Rita, emulators. All lines here are
made: of Happy and Rita no capture is public (docs/protocols/aftermarket.md)."""

from typing import Any

import pytest
from bench_rows import text_of
from deckwatch import config
from deckwatch.framer import CHUNK
from deckwatch.guardrails.table import CODES
from deckwatch.meters.link import LINE_STATES, PORTS
from deckwatch.pipeline import Pipeline
from deckwatch.telemetry import INDEX
from line_rig import LineRig
from packlab.capture import Chunk
from packlab.fake.bench import Order, build
from packlab.fake.line import InOrder
from packlab.limits import by_name

OF_TEMPERATURE = {"charge_cold", "charge_hot", "discharge_hot", "temp_sensor"}
BRAKE_NOT, STOP = 1, 2


def alerted(rig: LineRig) -> set[str]:
    """Guardrails about temperature that were ever set."""
    return {event.code for event in rig.events if event.state == "set"} & OF_TEMPERATURE


# --- Rita's messages -----------------------------------------------------------------------------

MESSAGES = (
    ((-10, -10), BRAKE_NOT),
    ((100, 100), STOP),
    ((-10, 23), BRAKE_NOT),
    ((23, 100), STOP),
    ((100, -10), STOP),
)


@pytest.mark.parametrize(("temps_c", "message"), MESSAGES)
def test_a_message_is_no_temperature(temps_c: tuple[int, int], message: int) -> None:
    """Charging for two minutes, after a mild beginning and with a mild end."""
    rig = LineRig(profile="rita")
    rig.level("idle")
    for temps in ((23, 24), temps_c, (23, 24)):
        rig.ride(130, current_ma=2000, temps_c=temps, bits=0x41)
        if temps == temps_c:
            assert rig.value("temp_message") == message
    assert alerted(rig) == set()
    assert rig.value("temp_message") == 0
    assert rig.value("coldest_dc") == 230


@pytest.mark.parametrize(
    ("temps_c", "raised"),
    [((-10, -10), {"charge_cold"}), ((100, 100), {"temp_sensor"}), ((-10, 23), {"charge_cold"})],
)
def test_elsewhere_the_same_bytes_alarm(temps_c: tuple[int, int], raised: set[str]) -> None:
    rig = LineRig(profile="m365")
    rig.level("idle")
    for temps in ((23, 24), temps_c):
        rig.ride(130, current_ma=2000, temps_c=temps, bits=0x41)
    assert alerted(rig) >= raised
    assert rig.value("temp_message") is None


def test_a_probe_that_is_told_is_judged_beside_a_message() -> None:
    rig = LineRig(profile="rita")
    rig.level("idle")
    rig.ride(60, temps_c=(-10, 62))
    assert rig.state("discharge_hot") == ("set", "alarm")
    assert (rig.value("coldest_dc"), rig.value("hottest_dc")) == (620, 620)


def test_while_all_probes_are_messages_nobody_claims_to_watch_temperatures() -> None:
    rig = LineRig(profile="rita")
    rig.level("idle")
    rig.ride(10, temps_c=(23, 24))
    assert "discharge_hot" in rig.watched()
    rig.ride(30, temps_c=(-10, -10))
    assert not rig.watched() & OF_TEMPERATURE
    assert rig.look != "fine"


@pytest.mark.parametrize("celsius", [-11, -9, 98, 101])
def test_only_these_two_are_messages(celsius: int) -> None:
    rig = LineRig(profile="rita")
    rig.level("idle")
    rig.ride(5, temps_c=(celsius, celsius))
    assert rig.value("temp_message") == 0
    assert rig.value("probe_faults") == (2 if celsius > 98 else 0)


# --- whole lines of the fakes --------------------------------------------------------------------


class Dongle:
    """A profile's pipeline at a fake's line."""

    def __init__(self, profile: str, **options: Any) -> None:
        self.core = Pipeline(config.load({"profile": profile, **options}), self, strict=True)
        self.told: set[str] = set()
        self.messages: set[int] = set()

    def on_alert(self, _: Any, code: int) -> None:
        """Called by the core."""
        self.told.add(CODES[code])

    def hear(self, order: Order, seconds: int) -> "Dongle":
        """Play the order's line into it."""
        line = build(order)
        core = self.core
        next_ms = 0
        for event in InOrder(line.baud).add(line.advance(seconds * 1_000_000)):
            now = event.t_us // 1000
            while next_ms <= now:
                next_ms += max(10, core.tick(next_ms))
            if isinstance(event, Chunk):
                data = bytearray(event.data.ljust(CHUNK, b"\0"))
                core.feed(PORTS.index(event.port), data, len(event.data), now)
                core.tick(now)
                t = core.packs[0].telemetry
                if t.fresh(INDEX["temp_message"], now):
                    self.messages.add(t.value[INDEX["temp_message"]])
            else:
                core.line(PORTS.index(event.port), LINE_STATES.index(event.level), now)
        line.close()
        return self

    def value(self, slot: str) -> int:
        """What was last known of it."""
        t = self.core.packs[0].telemetry
        assert t.seen[INDEX[slot]], slot
        return int(t.value[INDEX[slot]])


def test_a_rita_that_charges_says_not_to_brake() -> None:
    heard = Dongle("rita", series=12).hear(Order("xiaomi", "rita", "charge"), 180)
    assert heard.messages >= {BRAKE_NOT}
    assert not heard.told & OF_TEMPERATURE


def test_a_rita_without_an_external_pack_says_stop() -> None:
    heard = Dongle("rita", series=12).hear(Order("xiaomi", "rita_new", "ride"), 120)
    assert heard.messages == {STOP}
    assert not heard.told & OF_TEMPERATURE


def test_a_happy_bms_tells_sixteen_cells() -> None:
    heard = Dongle("happy", series=16).hear(Order("xiaomi", "happy", "parked", master="app"), 60)
    t = heard.core.packs[0].telemetry
    # its app reads 15, as a stock one; the dongle's own question is for the 16th
    assert t.cells == 15
    heard.core.feed(PORTS.index("bms_tx"), bytearray(cell_16().ljust(CHUNK, b"\0")), 10, 60_000)
    assert t.cells == 16
    assert t.cell_mv[15] == 3701


def cell_16() -> bytes:
    """Its answer to `cell_16` (made)."""
    body = bytes.fromhex("0425014f") + (3701).to_bytes(2, "little")
    return b"\x55\xaa" + body + (0xFFFF - sum(body)).to_bytes(2, "little")


def test_a_botox_board_is_guarded_by_its_own_limits() -> None:
    settings = config.load(config.as_found({}, "xiaomi", 76800))
    assert (settings.profile, settings.baud) == ("botox", 76800)
    heard = Dongle("botox", series=13).hear(Order("xiaomi", "botox", "parked", master="app"), 60)
    t = heard.core.packs[0].telemetry
    assert text_of(t, "serial").rstrip(b"\0") == b"BOTOX001"
    assert "cell_high" not in heard.told
    assert heard.value("highest_mv") > 3500


@pytest.mark.parametrize(
    ("profile", "warn_ma", "alarm_ma"),
    [("rita", 30_000, 44_000), ("happy", None, 44_000), ("botox", 35_000, 44_000)],
)
def test_limits_are_those_of_the_sheet(
    profile: str, warn_ma: int | None, alarm_ma: int | None
) -> None:
    limits = by_name(config.load({"profile": profile}))
    assert limits["discharge_current_warn_ma"] == warn_ma
    assert limits["discharge_current_alarm_ma"] == alarm_ma

"""JBD, LLT, Xiaoxiang, Overkill boards and the Bluetooth module or app that asks them (jbd.md)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from packlab.fake.base import Ask, Asker, Fake, Profile, Sent
from packlab.fake.numbers import bits, cell_bits, per, s16, u16
from packlab.made.board import Limits
from packlab.made.readings import Readings, Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

READ, WRITE = 0xA5, 0x5A
OK, UNKNOWN_REGISTER, NOT_ALLOWED = 0x00, 0x80, 0x81

MOST_BEHIND = 4
REPLY_GAP_US = 5_000  # no source has measured it
SLEEP_US = 30_000_000  # a setting of the board's: no source has its factory value

# Protection bits (sheet 3)
PROTECTION = {
    "cell_over_voltage": 0,
    "cell_under_voltage": 1,
    "pack_over_voltage": 2,
    "pack_under_voltage": 3,
    "charge_over_temperature": 4,
    "charge_under_temperature": 5,
    "discharge_over_temperature": 6,
    "discharge_under_temperature": 7,
    "charge_over_current": 8,
    "discharge_over_current": 9,
    "short_circuit": 10,
    "front_end": 11,
    "software_lock": 12,
    "charge_fet": 13,
    "discharge_fet": 14,
}
# Counters of register AA, in their order (sheet 4)
COUNTED = (
    "short_circuit",
    "charge_over_current",
    "discharge_over_current",
    "cell_over_voltage",
    "cell_under_voltage",
    "charge_over_temperature",
    "charge_under_temperature",
    "discharge_over_temperature",
    "discharge_under_temperature",
    "pack_over_voltage",
    "pack_under_voltage",
)
_NO_PROBE_DC = -300  # what an open input gives (sheet 8)


@dataclass(frozen=True)
class Kind:
    """What differs between boards: tail behind the probes, A5 in the place of the register (old
    firmware), units ten times as large, software version, production date."""

    has_tail: bool = False
    is_old: bool = False
    is_x10: bool = False
    version: int = 0x20
    made_on: tuple[int, int, int] = (2022, 4, 17)
    name: bytes = b"DECKWATCH-MADE-JBD"


def reply(register: int, status: int, data: bytes) -> bytes:
    """A reply; its check does not cover the register (sheet 2)."""
    body = bytes((status, len(data))) + data
    check = -sum(body) & 0xFFFF
    return b"\xdd" + bytes((register,)) + body + check.to_bytes(2, "big") + b"\x77"


def read(register: int) -> bytes:
    """A request to read one register."""
    check = -register & 0xFFFF
    return bytes((0xDD, READ, register, 0)) + check.to_bytes(2, "big") + b"\x77"


def basic(now: Readings, kind: Kind) -> bytes:
    """Register 03 (sheet 3): 10 mV, 10 mA + when charging, 10 mAh, probes in 0.1 K."""
    unit = 100 if kind.is_x10 else 10
    year, month, day = kind.made_on
    low, high = cell_bits(now.balancing) & 0xFFFF, cell_bits(now.balancing) >> 16
    fets = (1 if now.charge_fet else 0) | (2 if now.discharge_fet else 0)
    data = struct.pack(
        ">HhHHHHHHHBBBBB",
        u16(per(now.pack_mv, 10)),
        s16(per(now.current_ma, unit)),
        u16(per(now.remaining_mah, unit)),
        u16(per(now.design_mah, unit)),
        now.cycles,
        year - 2000 << 9 | month << 5 | day,
        low,
        high,
        bits(now.faults, PROTECTION),
        kind.version,
        now.soc_pct,
        fets | (0x80 if kind.is_x10 else 0),
        len(now.cells_mv),
        len(now.temps_dc),
    )
    probes = [_NO_PROBE_DC if dc is None else dc for dc in now.temps_dc]
    data += b"".join(struct.pack(">H", 2731 + dc) for dc in probes)
    return data + (tail(now, unit) if kind.has_tail else b"")


def tail(now: Readings, unit: int) -> bytes:
    """What newer firmware puts behind the probes: humidity, alarms (unused), capacities, balance
    current."""
    full = u16(per(now.full_mah, unit))
    remaining = u16(per(now.remaining_mah, unit))
    return struct.pack(">BHHHH", 0, 0, full, remaining, now.balance_ma)


class Board(Fake):
    """Silent until asked; the first question after a sleep is lost on it."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__()
        self.source = source
        self._kind = kind
        self._last_us = 0

    def measure(self, data: bytes) -> int:
        if data[0] != 0xDD or len(data) > 1 and data[1] not in (READ, WRITE):
            return -1
        return data[3] + 7 if len(data) > 3 else 0

    def holds(self, request: bytes) -> bool:
        """A wrong check is met with silence (sheet 2, status 82)."""
        check = -sum(request[2:-3]) & 0xFFFF
        return request[-1] == 0x77 and request[-3:-1] == check.to_bytes(2, "big")

    def hear(self, data: bytes, t_us: int) -> list[Sent]:
        asleep = t_us - self._last_us > SLEEP_US and self.source.at(t_us).current_ma == 0
        self._last_us = t_us
        return [] if asleep else super().hear(data, t_us)

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """Up to four bytes behind a request come back behind its reply (sheet 2)."""
        behind = b"" if self._buffer.startswith(b"\xdd") else self._buffer[:MOST_BEHIND]
        self._buffer = self._buffer[len(behind) :]
        status, data = self._content(request, self.source.at(t_us))
        named = READ if self._kind.is_old and data else request[2]
        return [(t_us + REPLY_GAP_US, reply(named, status, data) + behind)]

    def _content(self, request: bytes, now: Readings) -> tuple[int, bytes]:
        """Writes, and settings outside factory mode, are refused (sheet 2, 5)."""
        register = request[2]
        if request[1] == WRITE or 0x10 <= register <= 0x3F:
            return NOT_ALLOWED, b""
        if register == 0x03:
            return OK, basic(now, self._kind)
        if register == 0x04:
            return OK, struct.pack(f">{len(now.cells_mv)}H", *now.cells_mv)
        if register == 0x05:
            return OK, self._kind.name
        if register == 0xAA:
            counts = [now.trips.get(name, 0) for name in COUNTED]
            return OK, struct.pack(">12H", *counts, 1)
        return UNKNOWN_REGISTER, b""


def _app(_: Story, __: Random) -> Asker:
    """The vendor's app: basic information and cells by turns, about a second each (sheet 1)."""
    return Asker((Ask(500_000, read(0x03)), Ask(500_000, read(0x04))), (Ask(300_000, read(0x05)),))


def _board(kind: Kind) -> Profile:
    def make(sources: Sequence[Source], _: Random) -> Fake:
        return Board(sources[0], kind)

    return Profile(
        "",
        make,
        _app,
        baud=9600,
        spec=PackSpec(series=13, capacity_mah=20_000, probes=3),
        limits=Limits(discharge_ma=60_000, charge_ma=20_000),
    )


PROFILES = {
    "plain": replace(_board(Kind()), meaning="basic information without tail"),
    "tail": replace(_board(Kind(has_tail=True)), meaning="newer firmware with the tail"),
    "old": replace(_board(Kind(is_old=True)), meaning="old firmware: A5 instead of the register"),
    "x10": replace(
        _board(Kind(has_tail=True, is_x10=True)),
        meaning="large packs: current and charge in units ten times as large",
        spec=PackSpec(series=16, capacity_mah=280_000, probes=4),
        limits=Limits(discharge_ma=140_000, charge_ma=100_000),
    ),
}

"""JK's 4E 57 socket: one reply with everything, as a list of registers (jk.md 1)."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from packlab.fake.base import Fake, Sent
from packlab.fake.checks import sum16
from packlab.fake.numbers import bits, per, u16
from packlab.made.board import Limits
from packlab.made.readings import Readings, Source

ACTIVATE, READ_ONE, READ_ALL = 0x01, 0x03, 0x06
PC = 0x03

REPLY_GAP_US = 350  # measured by others: 0.2 to 0.5 ms
NO_CHARGE_YET_US = 16_000_000  # after its start the board says 0 % and 0 cycles (sheet 1.1)

# Warnings, register 8B (sheet 1.7): no bit tells a short circuit
WARNINGS = {
    "low_charge": 0,
    "board_over_temperature": 1,
    "pack_over_voltage": 2,
    "pack_under_voltage": 3,
    "charge_over_temperature": 4,
    "discharge_over_temperature": 4,
    "charge_over_current": 5,
    "discharge_over_current": 6,
    "cell_difference": 7,
    "charge_under_temperature": 9,
    "discharge_under_temperature": 9,
    "cell_over_voltage": 10,
    "cell_under_voltage": 11,
    "front_end": 12,
}
_BROKEN_PROBE = 140  # -40 °C; no source says what a broken probe reads
_PASSWORD = b"NOT-REAL\0\0"  # the place of the settings password


@dataclass(frozen=True)
class Kind:
    """is_of_2020: current around 10000, and the list ends with the software version."""

    is_of_2020: bool = False
    software: bytes = b"11.MADE_S11.99_"


def frame(command: int, sender: int, kind: int, info: bytes) -> bytes:
    """A frame either way; kind 0 request, 1 reply (sheet 1.2)."""
    length = 18 + len(info)
    head = b"\x4e\x57" + length.to_bytes(2, "big") + bytes(4) + bytes((command, sender, kind))
    body = head + info + bytes(4) + b"\x68" + bytes(2)
    return body + sum16(body).to_bytes(2, "big")


def read_all() -> bytes:
    """The request peers send, as a PC."""
    return frame(READ_ALL, PC, 0, b"\x00")


def temperature(dc: int | None) -> int:
    """Above 100 it is below zero: 101 is -1 °C (sheet 1.5, the vendor's rule)."""
    if dc is None:
        return _BROKEN_PROBE
    degrees = per(dc, 10)
    return degrees if degrees >= 0 else 100 - degrees


def current(ma: int, kind: Kind) -> int:
    """10 mA either way: bit 15 while charging, or down from 10000 (sheet 1.6)."""
    raw = per(ma, 10)
    if kind.is_of_2020:
        return u16(10_000 - raw)
    return min(abs(raw), 0x7FFF) | (0x8000 if raw > 0 else 0)


def registers(
    now: Readings, limits: Limits, kind: Kind, *, knows_charge: bool
) -> dict[int, bytes]:
    """Every register's data (sheet 1.4), in the order they are sent."""
    cells = b"".join(struct.pack(">BH", number, mv) for number, mv in enumerate(now.cells_mv, 1))
    found: dict[int, bytes] = {0x79: bytes((len(cells),)) + cells}

    def put(number: int, form: str, value: int) -> None:
        found[number] = struct.pack(">" + form, value)

    first, second = (*now.temps_dc, None, None)[:2]
    put(0x80, "H", temperature(now.board_dc))
    put(0x81, "H", temperature(first))
    put(0x82, "H", temperature(second))
    put(0x83, "H", u16(per(now.pack_mv, 10)))
    put(0x84, "H", current(now.current_ma, kind))
    put(0x85, "B", now.soc_pct if knows_charge else 0)
    put(0x86, "B", 2)
    put(0x87, "H", now.cycles if knows_charge else 0)
    put(0x89, "I", (now.charged_mah + now.discharged_mah) // 1000)
    put(0x8A, "H", len(now.cells_mv))
    low = {"low_charge"} if now.soc_pct <= 20 else set()
    put(0x8B, "H", bits(now.faults | low, WARNINGS))
    fets = (1 if now.charge_fet else 0) | (2 if now.discharge_fet else 0)
    put(0x8C, "H", fets | (4 if now.balancing else 0))
    _put_settings(put, len(now.cells_mv), limits)
    put(0xA9, "B", len(now.cells_mv))
    put(0xAA, "I", now.design_mah // 1000)
    for number, form, value in ((0xAB, "B", 1), (0xAC, "B", 1), (0xAD, "H", 1000)):
        put(number, form, value)
    for number, form, value in ((0xAE, "B", 1), (0xAF, "B", 1), (0xB0, "H", 10), (0xB1, "B", 20)):
        put(number, form, value)
    found |= {0xB2: _PASSWORD, 0xB3: b"\0", 0xB4: b"MADE-UP\0", 0xB5: b"2404"}
    put(0xB6, "I", now.run_time_s // 60)
    found[0xB7] = kind.software
    if not kind.is_of_2020:
        put(0xB8, "B", 0)
        put(0xB9, "I", now.full_mah // 1000)
        found[0xBA] = b"MADE-UP".ljust(24, b"\0")
        put(0xC0, "B", 1)
    return found


def _put_settings(put: Callable[[int, str, int], None], cells: int, limits: Limits) -> None:
    """8E to A8; degrees below zero as they are, unlike those of the probes."""
    high, low, clear = limits.cell_high_mv, limits.cell_low_mv, limits.cell_clear_mv
    board, hot = limits.board_hot_dc // 10, limits.charge_hot_dc // 10
    cold, coldest = limits.charge_cold_dc // 10, limits.discharge_cold_dc // 10
    warm = limits.temp_clear_dc // 10
    for number, form, value in (
        (0x8E, "H", u16(cells * high // 10)),
        (0x8F, "H", u16(cells * low // 10)),
        (0x90, "H", high),
        (0x91, "H", high - clear),
        (0x92, "H", 5),
        (0x93, "H", low),
        (0x94, "H", low + clear),
        (0x95, "H", 5),
        (0x96, "H", 300),
        (0x97, "H", limits.discharge_ma // 1000),
        (0x98, "H", 60),
        (0x99, "H", limits.charge_ma // 1000),
        (0x9A, "H", 30),
        (0x9B, "H", limits.balance_start_mv),
        (0x9C, "H", limits.balance_on_mv),
        (0x9D, "B", 1),
        (0x9E, "H", board),
        (0x9F, "H", board - warm),
        (0xA0, "H", 100),
        (0xA1, "H", 100),
        (0xA2, "H", 20),
        (0xA3, "H", hot),
        (0xA4, "H", limits.discharge_hot_dc // 10),
        (0xA5, "h", cold),
        (0xA6, "h", cold + warm),
        (0xA7, "h", coldest),
        (0xA8, "h", coldest + warm),
    ):
        put(number, form, value)


class Board(Fake):
    """Answers whoever asks, be it for all or for one register."""

    def __init__(self, source: Source, limits: Limits, kind: Kind) -> None:
        super().__init__()
        self.source = source
        self._limits = limits
        self._kind = kind
        self._on_us = 0

    def switched_on(self, t_us: int) -> None:
        """For a while it does not know its charge."""
        self._on_us = t_us

    def measure(self, data: bytes) -> int:
        if data[:2] not in (b"\x4e", b"\x4e\x57"):
            return -1
        return int.from_bytes(data[2:4], "big") + 2 if len(data) > 3 else 0

    def holds(self, request: bytes) -> bool:
        return len(request) >= 20 and request[-2:] == sum16(request[:-4]).to_bytes(2, "big")

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """Writes and passwords are met with silence: what comes back, no source shows."""
        command, kind = request[8], request[10]
        if kind != 0:
            return []
        knows_charge = t_us - self._on_us > NO_CHARGE_YET_US
        found = registers(
            self.source.at(t_us), self._limits, self._kind, knows_charge=knows_charge
        )
        if command == READ_ALL:
            info = b"".join(bytes((number,)) + data for number, data in found.items())
        elif command == READ_ONE and request[11] in found:
            info = request[11:12] + found[request[11]]
        elif command == ACTIVATE:
            info = b"\x00"
        else:
            return []
        return [(t_us + REPLY_GAP_US, frame(command, 0, 1, info))]

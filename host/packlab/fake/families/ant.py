"""ANT boards: the old status of 140 bytes and the protocol of boards since 2021, which answer both
(ant.md)."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from packlab.fake.base import Ask, Asker, Fake, Profile, Sent
from packlab.fake.checks import crc16_modbus, sum8, sum16, with_modbus
from packlab.fake.numbers import cell_bits, per, s16, u16, u32
from packlab.made.board import Limits
from packlab.made.readings import Readings, Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

REPLY_GAP_US = 10_000  # no source has measured it
APP_US = 200_000

STATUS, SETTINGS = 0x01, 0x02
ANSWER = 0x10  # added to a function by who answers
_MODEL_AT = 0x26C
_STATES = {"idle": 1, "charge": 2, "discharge": 3}
_ABSENT = -40
_NMC, _LFP = 0xFAF1, 0xFAF2

# Why a MOSFET is open (sheet 3, charge and discharge codes); 1 = it conducts
CHARGE_CODES = {
    "cell_over_voltage": 2,
    "charge_over_current": 3,
    "pack_over_voltage": 5,
    "charge_over_temperature": 6,
    "board_over_temperature": 7,
    "current_sensor": 8,
    "sense_wire": 9,
    "software_lock": 15,
    "charge_under_temperature": 17,
    "cell_difference": 18,
}
DISCHARGE_CODES = {
    "cell_under_voltage": 2,
    "discharge_over_current": 3,
    "pack_under_voltage": 5,
    "discharge_over_temperature": 6,
    "board_over_temperature": 7,
    "current_sensor": 8,
    "sense_wire": 9,
    "short_circuit": 12,
    "software_lock": 15,
    "discharge_under_temperature": 17,
    "cell_difference": 18,
}
_OFF = 0


def code(now: Readings, codes: dict[str, int], *, conducts: bool) -> int:
    """The first reason in the table's order, plain off where it names none."""
    if conducts:
        return 1
    return next((number for name, number in codes.items() if name in now.faults), _OFF)


def _degrees(dc: int | None) -> int:
    return _ABSENT if dc is None else per(dc, 10)


def old_status(now: Readings) -> bytes:
    """The 140 bytes (sheet 3): big endian, current + while discharging, charge in 1e-6 Ah."""
    cells = now.cells_mv
    highest, lowest = max(cells), min(cells)
    data = bytearray(140)
    data[:4] = b"\xaa\x55\xaa\xff"
    temps = [_degrees(dc) for dc in (*now.temps_dc, None, None, None, None)[:4]]
    for place, form, value in (
        (4, "H", u16(per(now.pack_mv, 100))),
        *((6 + 2 * number, "H", mv) for number, mv in enumerate(cells)),
        (70, "i", per(-now.current_ma, 100)),
        (74, "B", now.soc_pct),
        (75, "I", u32(now.design_mah * 1000)),
        (79, "I", u32(now.remaining_mah * 1000)),
        (83, "I", now.discharged_mah),
        (87, "I", now.run_time_s),
        (91, "h", _degrees(now.board_dc)),
        (93, "h", _degrees(now.board_dc)),
        *((95 + 2 * number, "h", degrees) for number, degrees in enumerate(temps)),
        (103, "B", code(now, CHARGE_CODES, conducts=now.charge_fet)),
        (104, "B", code(now, DISCHARGE_CODES, conducts=now.discharge_fet)),
        (105, "B", 4 if now.balancing else 0),
        (111, "i", per(-now.current_ma * now.pack_mv, 1_000_000)),
        (115, "B", cells.index(highest) + 1),
        (116, "H", highest),
        (118, "B", cells.index(lowest) + 1),
        (119, "H", lowest),
        (121, "H", sum(cells) // len(cells)),
        (123, "B", len(cells)),
        (132, "I", cell_bits(now.balancing)),
    ):
        struct.pack_into(">" + form, data, place, value)
    struct.pack_into(">H", data, 138, sum16(bytes(data[4:138])))
    return bytes(data)


def status(now: Readings, *, is_lfp: bool = False) -> bytes:
    """The data of a reply 11 (sheet 4), from offset 6 on: little endian."""
    cells = now.cells_mv
    highest, lowest = max(cells), min(cells)
    temps = [_degrees(dc) for dc in now.temps_dc[:4]]
    state = "charge" if now.current_ma > 0 else "discharge" if now.current_ma < 0 else "idle"
    head = struct.pack(
        "<BBBBQQQ",
        5,
        _STATES[state],
        len(temps),
        len(cells),
        protection_bits(now),
        warning_bits(now),
        cell_bits(now.balancing),
    )
    middle = struct.pack(f"<{len(cells)}H{len(temps)}h", *cells, *temps)
    tail = struct.pack(
        "<hhHhHHBBBBIIIiIIHHHHHHhHHHHIIII",
        _degrees(now.board_dc),
        _degrees(now.board_dc),
        u16(per(now.pack_mv, 10)),
        s16(per(-now.current_ma, 100)),
        now.soc_pct,
        now.health_pct,
        code(now, DISCHARGE_CODES, conducts=now.discharge_fet),
        code(now, CHARGE_CODES, conducts=now.charge_fet),
        4 if now.balancing else 0,
        0,
        u32(now.full_mah * 1000),
        u32(now.remaining_mah * 1000),
        now.discharged_mah,
        per(-now.current_ma * now.pack_mv, 1_000_000),
        now.run_time_s,
        cell_bits(now.balancing),
        highest,
        cells.index(highest) + 1,
        lowest,
        cells.index(lowest) + 1,
        highest - lowest,
        sum(cells) // len(cells),
        0,
        112,
        112,
        0,
        _LFP if is_lfp else _NMC,
        now.discharged_mah,
        now.charged_mah,
        now.run_time_s,
        0,
    )
    return head + middle + tail


def protection_bits(now: Readings) -> int:
    """Those that are known (sheet 4)."""
    return (1 << 1 if "cell_over_voltage" in now.faults else 0) | (
        1 << 17 | 1 << 21 if "software_lock" in now.faults else 0
    )


def warning_bits(now: Readings) -> int:
    """Those that are known: both MOSFETs and balancing."""
    return (
        (1 << 23 if now.charge_fet else 0)
        | (1 << 24 if now.discharge_fet else 0)
        | (1 << 29 if now.balancing else 0)
    )


def request(function: int, address: int, wanted: int) -> bytes:
    """A read of the new protocol: it carries the length it wants and no data."""
    return _closed(bytes((0xA1, function)) + address.to_bytes(2, "little") + bytes((wanted,)))


def reply(function: int, address: int, data: bytes) -> bytes:
    """An answer; those to settings have six bytes more, a second small frame's worth."""
    body = bytes((0xA1, function)) + address.to_bytes(2, "little") + bytes((len(data),)) + data
    more = with_modbus(b"\xff\x0b\x00\x00") if function == SETTINGS + ANSWER else b""
    return _closed(body, more)


def _closed(body: bytes, more: bytes = b"") -> bytes:
    return b"\x7e" + with_modbus(body) + more + b"\xaa\x55"


class Board(Fake):
    """Old boards know the old requests alone."""

    def __init__(self, source: Source, limits: Limits, *, is_old: bool, is_lfp: bool) -> None:
        super().__init__()
        self.source = source
        self._limits = limits
        self._is_old = is_old
        self._is_lfp = is_lfp

    def measure(self, data: bytes) -> int:
        head = data[:2]
        if head in (b"\x5a\x5a", b"\xdb\xdb", b"\xa5\xa5"):
            return 6
        if head == b"\x7e\xa1":
            if len(data) < 6:
                return 0
            return 10 if data[2] in (STATUS, SETTINGS, 0x04) else 10 + data[5]
        return 0 if len(head) == 1 and head in (b"\x5a", b"\xdb", b"\xa5", b"\x7e") else -1

    def holds(self, request: bytes) -> bool:
        if request[0] != 0x7E:
            return request[5] == sum8(request[2:5])
        check = crc16_modbus(request[1:-4]).to_bytes(2, "little")
        return request[-2:] == b"\xaa\x55" and request[-4:-2] == check

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """Writes, commands and passwords change nothing and get no answer."""
        now = self.source.at(t_us)
        if request[0] != 0x7E:
            data = self._old(request, now)
        else:
            data = b"" if self._is_old else self._new(request, now)
        return [(t_us + REPLY_GAP_US, data)] if data else []

    def _old(self, request: bytes, now: Readings) -> bytes:
        if request[0] == 0xA5:
            return b""
        if request[0] == 0x5A and request[2]:
            value = self._parameter(request[2])
            body = bytes((request[2],)) + value.to_bytes(2)
            return b"\x5a\x5a" + body + bytes((sum8(body),))
        return old_status(now)

    def _parameter(self, number: int) -> int:
        """Old settings (sheet 3); of those not played 0 is told."""
        limits = self._limits
        known = {3: limits.cell_high_mv, 4: limits.cell_low_mv, 11: limits.discharge_ma // 1000}
        return known.get(number, 0)

    def _new(self, request: bytes, now: Readings) -> bytes:
        function, address = request[2], int.from_bytes(request[3:5], "little")
        if function == STATUS:
            return reply(STATUS + ANSWER, 0, status(now, is_lfp=self._is_lfp))
        if function == SETTINGS:
            data = self._settings()[address : address + request[5]]
            return reply(SETTINGS + ANSWER, address, data.ljust(request[5], b"\0"))
        return b""

    def _settings(self) -> bytes:
        """The space of settings (sheet 4), texts at 26C."""
        limits = self._limits
        clear = limits.cell_clear_mv
        data = bytearray(_MODEL_AT + 32)
        struct.pack_into("<HH", data, 0x00, limits.cell_high_mv, limits.cell_high_mv - clear)
        struct.pack_into("<HH", data, 0x0C, limits.cell_low_mv, limits.cell_low_mv + clear)
        struct.pack_into("<H", data, 0x68, limits.charge_ma // 100)
        struct.pack_into("<H", data, 0x6C, limits.discharge_ma // 100)
        data[_MODEL_AT:] = b"ANT-MADE-UP".ljust(16, b"\0") + b"MADE-1".ljust(16, b"\0")
        return bytes(data)


def _app(_: Story, __: Random) -> Asker:
    """The app asks for the status five times a second (sheet 1)."""
    info = Ask(APP_US, request(SETTINGS, _MODEL_AT, 0x20))
    return Asker((Ask(APP_US, request(STATUS, 0, 0xBE)),), (info,))


def _display(_: Story, __: Random) -> Asker:
    """The display of an old board; its pace is not known, so the app's."""
    return Asker((Ask(APP_US, bytes.fromhex("dbdb00000000")),))


def _board(*, is_old: bool) -> Profile:
    limits = Limits(discharge_ma=80_000, charge_ma=20_000)

    def make(sources: Sequence[Source], _: Random) -> Fake:
        return Board(sources[0], limits, is_old=is_old, is_lfp=False)

    return Profile(
        "",
        make,
        _display if is_old else _app,
        baud=19_200,
        spec=PackSpec(series=16, capacity_mah=30_000, probes=4),
        limits=limits,
    )


PROFILES = {
    "new": replace(_board(is_old=False), meaning="a board since 2021: answers both protocols"),
    "old": replace(_board(is_old=True), meaning="a board of 2019: the old status alone"),
    "old_9600": replace(
        _board(is_old=True), meaning="the same through a module at 9600 baud", baud=9600
    ),
}

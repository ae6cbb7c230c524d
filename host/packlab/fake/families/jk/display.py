"""What JK boards send to a display: one way, unasked, once a second (jk.md 5)."""

import struct

from packlab.fake.base import Fake, Sent
from packlab.fake.numbers import per, s16, u16
from packlab.made.readings import Readings, Source

PERIOD_US = 1_000_000
GREEN, RED = 0x07E0, 0xF800
# Places of the alarms from 72 on (sheet 5.1), and what raises each
ALARMS = (
    {"cell_under_voltage", "pack_under_voltage"},
    {"cell_over_voltage", "pack_over_voltage"},
    {"charge_over_current", "discharge_over_current"},
    {"board_over_temperature"},
    {"charge_over_temperature", "discharge_over_temperature"},
    {"short_circuit"},
    {"communication"},
    {"sense_wire"},
    {"cell_count"},
)


def status(now: Readings) -> bytes:
    """A5 5A 5D 82 10 00 and 90 bytes (sheet 5.1); current + when charging, 0.1 A, as the vendor
    writes: no capture shows one."""
    data = bytearray(90)
    first = next((dc for dc in now.temps_dc if dc is not None), 0)
    cells = now.cells_mv
    for place, value in (
        (0, u16(per(now.pack_mv, 10))),
        (2, s16(per(now.current_ma, 100)) & 0xFFFF),
        (6, now.soc_pct),
        (8, max(cells) - min(cells)),
        (10, per(now.board_dc, 10) & 0xFFFF),
        (12, per(first, 10) & 0xFFFF),
        (14, int(bool(now.faults))),
        (16, sum(cells) // len(cells)),
        (18, int(bool(now.balancing))),
        (20, int(now.charge_fet)),
        (22, int(now.discharge_fet)),
        *((24 + 2 * number, mv) for number, mv in enumerate(cells)),
        *((72 + 2 * n, int(bool(names & now.faults))) for n, names in enumerate(ALARMS)),
    ):
        struct.pack_into(">H", data, place, value)
    return bytes.fromhex("a55a5d821000") + data


def colour(cell: int, value: int) -> bytes:
    """The field of a cell, from 0, is painted."""
    return bytes.fromhex("a55a0582") + bytes((0x20, cell << 4 | 3)) + value.to_bytes(2)


def pb_main(now: Readings) -> bytes:
    """5A A5 21 82 10 00 and 30 bytes (sheet 5.2); what no source explains stands as captured."""
    first = next((dc for dc in now.temps_dc if dc is not None), 0)
    mean_mv = sum(now.cells_mv) // len(now.cells_mv)
    words = (
        u16(per(now.pack_mv, 10)),
        s16(per(now.current_ma, 100)) & 0xFFFF,
        now.soc_pct,
        15,
        u16(per(now.full_mah, 100)),
        u16(per(now.remaining_mah, 100)),
        mean_mv,
        per(first, 10) & 0xFFFF,
        0,
        1,
        mean_mv,
        3,
        int(now.charge_fet),
        int(now.discharge_fet),
        0,
    )
    return bytes.fromhex("5aa521821000") + struct.pack(">15H", *words)


def pb_cells(now: Readings) -> bytes:
    """5A A5 39 82 12 10 and 54 bytes, 16 cells at most."""
    cells = now.cells_mv[:16]
    first = next((dc for dc in now.temps_dc if dc is not None), 0)
    words = (
        *cells,
        *[0] * (16 - len(cells)),
        2,
        now.soc_pct,
        u16(per(now.full_mah, 100)),
        u16(per(now.remaining_mah, 100)),
        max(cells) - min(cells),
        1,
        per(first, 10) & 0xFFFF,
        s16(per(now.current_ma, 100)) & 0xFFFF,
        1,
        0,
        1,
    )
    return bytes.fromhex("5aa539821210") + struct.pack(">27H", *words)


class Board(Fake):
    """Deaf; speaks by the second."""

    def __init__(self, source: Source, *, is_pb: bool) -> None:
        super().__init__()
        self.source = source
        self.due_us = PERIOD_US
        self._is_pb = is_pb

    def measure(self, data: bytes) -> int:
        return -1 if data else 0

    def speak(self, t_us: int) -> list[Sent]:
        self.due_us = t_us + PERIOD_US
        now = self.source.at(t_us)
        if self._is_pb:
            return [(t_us, pb_main(now)), (t_us, pb_cells(now))]
        highest, lowest = max(now.cells_mv), min(now.cells_mv)
        paint = (
            (now.cells_mv.index(highest), GREEN),
            (now.cells_mv.index(lowest), RED),
        )
        painted = [(t_us, colour(cell % 16, value)) for cell, value in paint]
        return [(t_us, status(now)), *painted]

"""Daly smart boards in their three dialects: A5, D2, and 81 asked / 51 answered (daly.md)."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from packlab.fake.base import Ask, Asker, Fake, Profile, Sent
from packlab.fake.checks import crc16_modbus, sum8, with_modbus
from packlab.fake.numbers import cell_bits, per, u16
from packlab.made.board import Limits
from packlab.made.readings import Readings, Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

PC, BLUETOOTH = 0x40, 0x80  # hosts
BOARD = 0x01
D2, TO_NUMBERED, FROM_NUMBERED = 0xD2, 0x81, 0x51

REPLY_GAP_US = 30_000  # "starts within about 100 ms"
ROUND_GAP_US = 250_000  # between requests: 20 to 250 ms are used
SLEEP_US = 3_600_000_000  # factory setting; nothing on the wire wakes it
STALE = 0x89  # left-over bytes keep one value through a burst

# Alarms (sheet 2, command 98): byte, bit; of two levels the second, which opens a MOSFET
ALARMS = {
    "cell_over_voltage": (0, 1),
    "cell_under_voltage": (0, 3),
    "pack_over_voltage": (0, 5),
    "pack_under_voltage": (0, 7),
    "charge_over_temperature": (1, 1),
    "charge_under_temperature": (1, 3),
    "discharge_over_temperature": (1, 5),
    "discharge_under_temperature": (1, 7),
    "charge_over_current": (2, 1),
    "discharge_over_current": (2, 3),
    "cell_difference": (3, 1),
    "board_over_temperature": (4, 1),
    "front_end": (5, 0),
    "sense_wire": (5, 1),
    "temperature_sensor": (5, 2),
    "short_circuit": (6, 2),
}
# Fault codes of 81/51 (sheet 4): code, bit; levels are given as 1 in their three bits but where
# the first is only a warning
CODES = {
    "cell_over_voltage": (0, 1),
    "cell_under_voltage": (0, 3),
    "cell_difference": (1, 0),
    "charge_over_temperature": (1, 4),
    "charge_under_temperature": (2, 0),
    "discharge_over_temperature": (2, 4),
    "discharge_under_temperature": (3, 0),
    "pack_over_voltage": (4, 1),
    "pack_under_voltage": (4, 3),
    "short_circuit": (4, 6),
    "charge_over_current": (5, 0),
    "discharge_over_current": (5, 3),
    "board_over_temperature": (7, 0),
    "sense_wire": (11, 4),
    "temperature_sensor": (11, 7),
}


def alarm_bytes(now: Readings, places: Mapping[str, tuple[int, int]], size: int) -> bytes:
    """The bits of all faults that have one."""
    data = bytearray(size)
    for name in now.faults & places.keys():
        byte, bit = places[name]
        data[byte] |= 1 << bit
    return bytes(data)


def state(now: Readings) -> int:
    """0 idle, 1 charge, 2 discharge."""
    return 1 if now.current_ma > 0 else 2 if now.current_ma < 0 else 0


def current(ma: int) -> int:
    """0.1 A around 30000; callers turn the sign as their dialect has it."""
    return u16(30_000 + per(ma, 100))


def temperature(dc: int | None, absent: int) -> int:
    """°C + 40."""
    return absent if dc is None else per(dc, 10) + 40


# --- A5 ------------------------------------------------------------------------------------------


def a5(address: int, command: int, data: bytes) -> bytes:
    """13 bytes either way (sheet 2)."""
    body = bytes((0xA5, address, command, 8)) + data.ljust(8, b"\0")
    return body + bytes((sum8(body),))


@dataclass(frozen=True)
class A5Kind:
    """is_reversed: current above 30000 charges, the other way round than most. tells_cycles:
    boards of the first document do."""

    is_reversed: bool = False
    tells_cycles: bool = True


def a5_data(command: int, host: int, now: Readings, limits: Limits, kind: A5Kind) -> list[bytes]:
    """The data of all frames that answer a command; none: the board does not know it."""
    if command == 0x95:
        return _a5_cells(now, host)
    if command == 0x96:
        return _a5_probes(now, host)
    single = _a5_single(command, now, limits, kind)
    return [] if single is None else [single]


def _a5_single(command: int, now: Readings, limits: Limits, kind: A5Kind) -> bytes | None:
    cells, stale = now.cells_mv, bytes((STALE, STALE))
    if command == 0x90:
        out_ma = now.current_ma if kind.is_reversed else -now.current_ma
        pack = u16(per(now.pack_mv, 100))
        return struct.pack(">HHHH", pack, 0, current(out_ma), now.soc_pct * 10)
    if command == 0x91:
        high, low = max(cells), min(cells)
        numbers = cells.index(high) + 1, cells.index(low) + 1
        return struct.pack(">HBHB", high, numbers[0], low, numbers[1]) + stale
    if command == 0x92:
        warm = [temperature(dc, 0) for dc in now.temps_dc]
        high, low = max(warm), min(warm)
        data = bytes((high, warm.index(high) + 1, low, warm.index(low) + 1))
        return data + stale + stale
    if command == 0x93:
        head = bytes((state(now), now.charge_fet, now.discharge_fet, now.run_time_s & 0xFF))
        return head + now.remaining_mah.to_bytes(4)
    if command == 0x94:
        cycles = now.cycles if kind.tells_cycles else 0
        flags = (len(cells), len(now.temps_dc), now.charger_present, bool(now.load_ma), 0)
        return bytes(flags) + cycles.to_bytes(2) + stale[:1]
    if command == 0x97:
        return cell_bits(now.balancing).to_bytes(6, "little") + stale
    if command == 0x98:
        return alarm_bytes(now, ALARMS, 8)
    if command == 0x50:
        return now.design_mah.to_bytes(4) + (3600).to_bytes(4)
    if command == 0x59:
        high, low = limits.cell_high_mv, limits.cell_low_mv
        return struct.pack(">HHHH", high - 50, high, low + 100, low)
    return None


def _a5_cells(now: Readings, host: int) -> list[bytes]:
    """Three to a frame, numbered from 1; a Bluetooth host gets all 16 frames."""
    frames = 16 if host == BLUETOOTH else -(-len(now.cells_mv) // 3)
    cells = [*now.cells_mv, *[0] * 48]
    return [
        struct.pack(">BHHH", number + 1, *cells[3 * number : 3 * number + 3]) + bytes((STALE,))
        for number in range(frames)
    ]


def _a5_probes(now: Readings, host: int) -> list[bytes]:
    """Seven to a frame; those beyond the board's number are left over."""
    frames = 3 if host == BLUETOOTH else -(-len(now.temps_dc) // 7)
    probes = [*(temperature(dc, 0) for dc in now.temps_dc), *[STALE] * 21]
    return [bytes((number + 1, *probes[7 * number : 7 * number + 7])) for number in range(frames)]


# --- D2 ------------------------------------------------------------------------------------------


def d2_registers(now: Readings, limits: Limits) -> dict[int, int]:
    """Sheet 3; current + while charging. Others read 0. The password's place stays empty."""
    cells = now.cells_mv
    words = dict(enumerate(cells))
    probes = [temperature(dc, 0xFF) for dc in now.temps_dc]
    words |= {0x20 + place: 0xFF for place in range(8)}
    words |= {0x20 + place: raw for place, raw in enumerate(probes)}
    fitted = [raw for raw in probes if raw != 0xFF] or [0]
    alarms = alarm_bytes(now, ALARMS, 8)
    words |= {
        0x28: u16(per(now.pack_mv, 100)),
        0x29: current(now.current_ma),
        0x2A: now.soc_pct * 10,
        0x2B: max(cells),
        0x2C: min(cells),
        0x2D: max(fitted),
        0x2E: min(fitted),
        0x2F: state(now),
        0x30: u16(per(now.remaining_mah, 100)),
        0x31: len(cells),
        0x32: len(probes),
        0x33: now.cycles,
        0x34: int(bool(now.balancing)),
        0x35: int(now.charge_fet),
        0x36: int(now.discharge_fet),
        0x37: sum(cells) // len(cells),
        0x38: max(cells) - min(cells),
        0x39: u16(abs(now.current_ma) * now.pack_mv // 1_000_000),
        # byte 0 of each pair is the low one; which is sent first, no capture proves (sheet 3)
        **{0x3A + n: int.from_bytes(alarms[2 * n : 2 * n + 2], "little") for n in range(4)},
        0x3E: cell_bits(now.balancing) & 0xFFFF,
        0x3F: cell_bits(now.balancing) >> 16,
        0x40: 30_000 - now.balance_ma if now.balance_ma else 30_000,
        0x42: temperature(now.board_dc, 0),
        0x43: temperature(now.board_dc, 0),
        0x80: u16(per(now.design_mah, 100)),
        0x81: 3600,
        0x82: 1,
        0x83: len(cells),
        0x86: len(probes),
        0x89: 1,
        0x8C: limits.cell_high_mv,
        0x8E: limits.cell_low_mv,
        0xA3: limits.balance_start_mv,
        0xA5: int(now.charge_fet),
        0xA6: int(now.discharge_fet),
    }
    return words | _text(0xA9, b"MADE-UP-SW", 8) | _text(0xB1, b"MADE-UP-HW", 8)


def _text(first: int, text: bytes, words: int) -> dict[int, int]:
    padded = text.ljust(2 * words, b"\0")
    return {first + n: int.from_bytes(padded[2 * n : 2 * n + 2]) for n in range(words)}


# --- 81/51 ---------------------------------------------------------------------------------------


def numbered_registers(now: Readings) -> dict[int, int]:
    """Sheet 4; current + while charging."""
    cells = now.cells_mv
    words = dict(enumerate(cells))
    probes = [temperature(dc, 0xFF) for dc in now.temps_dc]
    words |= {0x30 + place: 0xFF for place in range(8)}
    words |= {0x30 + place: raw for place, raw in enumerate(probes)}
    fitted = [raw for raw in probes if raw != 0xFF] or [0]
    highest, lowest = max(cells), min(cells)
    codes = alarm_bytes(now, CODES, 14)
    masks = cell_bits(now.balancing)
    words |= {
        0x38: u16(per(now.pack_mv, 100)),
        0x39: current(now.current_ma),
        0x3A: now.soc_pct * 10,
        0x3B: now.run_time_s & 0xFF,
        0x3C: len(cells),
        0x3D: len(probes),
        0x3E: highest,
        0x3F: cells.index(highest) + 1,
        0x40: lowest,
        0x41: cells.index(lowest) + 1,
        0x42: highest - lowest,
        0x43: max(fitted),
        0x44: probes.index(max(fitted)) + 1 if probes else 0,
        0x45: min(fitted),
        0x46: probes.index(min(fitted)) + 1 if probes else 0,
        0x47: max(fitted) - min(fitted),
        0x48: state(now),
        0x4B: u16(per(now.remaining_mah, 100)),
        0x4C: now.cycles,
        0x4D: 1 if now.balancing else 0,
        0x4E: 30_000 - now.balance_ma,
        0x4F: masks & 0xFFFF,
        0x50: masks >> 16 & 0xFFFF,
        0x52: int(now.charge_fet),
        0x53: int(now.discharge_fet),
        0x57: sum(cells) // len(cells),
        0x58: u16(abs(now.current_ma) * now.pack_mv // 1_000_000),
        0x5A: temperature(now.board_dc, 0),
        0x5B: temperature(now.board_dc, 0),
        0x6A: current(now.current_ma),
        0x6C: now.soc_pct * 10,
        **{0x6D + n: int.from_bytes(codes[2 * n : 2 * n + 2], "little") for n in range(7)},
        0x100: 1,
        0x101: len(cells),
        0x106: len(probes),
        0x109: now.design_mah >> 16,
        0x10A: now.design_mah & 0xFFFF,
        0x114: 3600,
        0x121: int(now.charge_fet),
        0x122: int(now.discharge_fet),
    }
    return words | _text(0x178, b"MADE-UP-SW", 7) | _text(0x17F, b"MADE-UP-HW", 7)


# --- the boards ----------------------------------------------------------------------------------


class Board(Fake):
    """One dialect of a board; asleep it hears nothing at all, until current flows."""

    def __init__(self, source: Source, limits: Limits) -> None:
        super().__init__()
        self.source = source
        self._limits = limits
        self._flowed_us = 0

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        now = self.source.at(t_us)
        if now.current_ma or now.charger_present:
            self._flowed_us = t_us
        if t_us - self._flowed_us > SLEEP_US:
            return []
        return [(t_us + REPLY_GAP_US, reply) for reply in self._replies(request, now)]

    def _replies(self, request: bytes, now: Readings) -> Iterator[bytes]:
        raise NotImplementedError


class A5Board(Board):
    """Frames of 13 bytes; cells and probes come in several."""

    def __init__(self, source: Source, limits: Limits, kind: A5Kind) -> None:
        super().__init__(source, limits)
        self._kind = kind

    def measure(self, data: bytes) -> int:
        if data[0] != 0xA5 or len(data) > 1 and data[1] not in (PC, BLUETOOTH, 0x20):
            return -1
        return 13 if len(data) < 4 or data[3] == 8 else -1

    def holds(self, request: bytes) -> bool:
        return request[-1] == sum8(request[:-1])

    def _replies(self, request: bytes, now: Readings) -> Iterator[bytes]:
        host, command = request[1], request[2]
        for data in a5_data(command, host, now, self._limits, self._kind):
            yield a5(BOARD, command, data)


class RegisterBoard(Board):
    """D2 answers D2; 81 is answered by 51. What it does not have it keeps silent about."""

    def __init__(self, source: Source, limits: Limits, asked_as: int) -> None:
        super().__init__(source, limits)
        self._asked_as = asked_as

    def measure(self, data: bytes) -> int:
        return -1 if data[0] != self._asked_as or len(data) > 1 and data[1] != 0x03 else 8

    def holds(self, request: bytes) -> bool:
        return request[-2:] == crc16_modbus(request[:-2]).to_bytes(2, "little")

    def _replies(self, request: bytes, now: Readings) -> Iterator[bytes]:
        first, count = int.from_bytes(request[2:4]), int.from_bytes(request[4:6])
        if not 1 <= count <= 125 or first + count > 0x250:
            return
        if self._asked_as == D2:
            head, words = D2, d2_registers(now, self._limits)
        else:
            head, words = FROM_NUMBERED, numbered_registers(now)
        data = b"".join(words.get(first + n, 0).to_bytes(2) for n in range(count))
        yield with_modbus(bytes((head, 0x03, len(data))) + data)


def _module(host: int) -> Asker:
    """A Bluetooth dongle or a PC: everything in turn. Their real pace is in no source."""
    commands = (0x94, 0x90, 0x93, 0x95, 0x96, 0x98, 0x97)
    return Asker([Ask(ROUND_GAP_US, a5(host, command, b"")) for command in commands])


def _reader(first: int, *reads: tuple[int, int]) -> Asker:
    asks = [
        Ask(500_000, with_modbus(bytes((first, 3)) + register.to_bytes(2) + count.to_bytes(2)))
        for register, count in reads
    ]
    return Asker(asks)


_LIMITS = Limits(discharge_ma=60_000, charge_ma=30_000)
_PROFILE = Profile(
    "",
    lambda sources, _: A5Board(sources[0], _LIMITS, A5Kind()),
    lambda _, __: _module(PC),
    baud=9600,
    spec=PackSpec(series=14, capacity_mah=30_000, probes=2),
    limits=_LIMITS,
)


def _a5_reversed(sources: Sequence[Source], _: Random) -> Fake:
    return A5Board(sources[0], _LIMITS, A5Kind(is_reversed=True, tells_cycles=False))


def _d2_master(_: Story, __: Random) -> Asker:
    return _reader(D2, (0x00, 62), (0x3E, 9))


def _numbered_master(_: Story, __: Random) -> Asker:
    return _reader(TO_NUMBERED, (0x00, 64), (0x41, 62))


PROFILES = {
    "a5": replace(_PROFILE, meaning="A5 frames, a PC asks"),
    "a5_bluetooth": replace(
        _PROFILE,
        meaning="A5 frames, the Bluetooth dongle asks",
        master=lambda _, __: _module(BLUETOOTH),
    ),
    "a5_reversed": replace(
        _PROFILE, meaning="A5 frames, current the other way round", make=_a5_reversed
    ),
    "d2": replace(
        _PROFILE,
        meaning="D2 registers, current + while charging",
        make=lambda sources, _: RegisterBoard(sources[0], _LIMITS, D2),
        master=_d2_master,
        spec=PackSpec(series=16, capacity_mah=30_000, probes=4),
    ),
    "81": replace(
        _PROFILE,
        meaning="81 asked, 51 answered: H, K, M, S boards",
        make=lambda sources, _: RegisterBoard(sources[0], _LIMITS, TO_NUMBERED),
        master=_numbered_master,
        spec=PackSpec(series=16, capacity_mah=30_000, probes=4),
    ),
}

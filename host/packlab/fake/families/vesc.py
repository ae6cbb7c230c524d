"""VESC controllers, with a VESC BMS on their CAN bus or without, and the display that asks them
(vesc.md).

What the motor does is a sketch: motor current, duty and speed follow the pack's current so that
signs and sizes are right.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from packlab.fake.base import Ask, Asker, Fake, Profile, Sent
from packlab.fake.checks import crc16_xmodem
from packlab.fake.numbers import per, s16
from packlab.made.board import Limits
from packlab.made.readings import Readings, Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

VERSION, VALUES, FORWARD, SETUP, VALUES_BY_MASK, SETUP_BY_MASK, PING, BMS, CAN_FRAME = (
    0, 4, 34, 47, 50, 51, 62, 96, 113
)  # fmt: skip
ALL_BITS = 0xFFFFFFFF

REPLY_GAP_US = 500  # no source has measured it
PING_US = 2_500_000  # 255 probes of 10 ms
BROADCAST_US = 200_000
BMS_ID, SECOND_ID = 10, 84
_NO_SENSOR_DC = -850  # an open motor sensor
_ROLLING_AMPERES_FULL_DUTY = 30_000


@dataclass(frozen=True)
class Kind:
    """values_size: how much of the answer to 4 the firmware has (59, 65, 73, 74 bytes); 56 is the
    layout of 2.x. has_bms: a VESC BMS is on the bus. forwards: it passes the BMS's frames on.
    controllers: on the bus, the pack's current is shared between them."""

    values_size: int = 74
    has_bms: bool = True
    forwards: bool = False
    controllers: int = 1
    version: tuple[int, int] = (6, 5)


def frame(payload: bytes) -> bytes:
    """Start, length, payload, CRC, end (sheet 2); 255 bytes still go with a short length."""
    head = b"\x02" + bytes((len(payload),))
    if len(payload) > 255:
        head = b"\x03" + len(payload).to_bytes(2)
    return head + payload + crc16_xmodem(payload).to_bytes(2) + b"\x03"


def motor_ma(load_ma: int) -> int:
    """More than the pack gives, while the duty is small."""
    return load_ma * 2


def duty(load_ma: int) -> int:
    """In thousandths."""
    return min(max(load_ma * 1000 // _ROLLING_AMPERES_FULL_DUTY, -950), 950)


def values(now: Readings, kind: Kind) -> list[tuple[str, int]]:
    """Fields of 4 in mask order (sheet 4.1): form and raw number; + is drawn from the pack."""
    load_ma = now.load_ma // kind.controllers
    out_mah, in_mah = now.discharged_mah, now.charged_mah
    return [
        ("h", now.board_dc),
        ("h", _NO_SENSOR_DC),
        ("i", per(motor_ma(load_ma), 10)),
        ("i", per(load_ma, 10)),
        ("i", 0),
        ("i", per(motor_ma(load_ma), 10)),
        ("h", duty(load_ma)),
        ("i", duty(load_ma) * 20),
        ("h", s16(per(now.pack_mv, 100))),
        ("i", out_mah * 10),
        ("i", in_mah * 10),
        ("i", out_mah * 360),
        ("i", in_mah * 360),
        ("i", now.run_time_s),
        ("i", now.run_time_s),
        ("B", fault(now)),
        ("i", 0),
        ("B", 1),
        ("h", now.board_dc),
        ("h", -1000),
        ("h", -1000),
        ("i", 0),
        ("i", 0),
        ("B", 0),
    ]


# Bit 18 covers three fields
_VALUE_BITS = [*range(18), 18, 18, 18, 19, 20, 21]


def setup(now: Readings, kind: Kind) -> list[tuple[str, int]]:
    """Fields of 47 in mask order (sheet 4.3): currents are those of all controllers."""
    load_ma = now.load_ma
    speed_mm_s = abs(duty(load_ma)) * 7
    return [
        ("h", now.board_dc),
        ("h", _NO_SENSOR_DC),
        ("i", per(motor_ma(load_ma), 10)),
        ("i", per(load_ma, 10)),
        ("h", duty(load_ma)),
        ("i", duty(load_ma) * 20),
        ("i", speed_mm_s),
        ("h", s16(per(now.pack_mv, 100))),
        ("h", now.soc_pct * 10),
        ("i", now.discharged_mah * 10),
        ("i", now.charged_mah * 10),
        ("i", now.discharged_mah * 360),
        ("i", now.charged_mah * 360),
        ("i", now.run_time_s * 1000),
        ("i", now.run_time_s * 1000),
        ("i", 0),
        ("B", fault(now)),
        ("B", 1),
        ("B", kind.controllers),
        ("i", now.remaining_mah * 36),
        ("I", now.run_time_s),
        ("I", now.run_time_s * 1000),
    ]


def fault(now: Readings) -> int:
    """What the controller itself would complain of."""
    if "cell_over_voltage" in now.faults:
        return 1
    if "cell_under_voltage" in now.faults:
        return 2
    return 4 if "short_circuit" in now.faults else 0


def chosen(fields: Sequence[tuple[str, int]], bits: Sequence[int], mask: int) -> bytes:
    """The fields whose bits are set, one behind the other."""
    return b"".join(
        struct.pack(">" + form, value)
        for (form, value), bit in zip(fields, bits, strict=True)
        if mask >> bit & 1
    )


def old_values(now: Readings) -> bytes:
    """The layout of firmware 2.x (sheet 4.2)."""
    load_ma = now.load_ma
    return bytes((VALUES,)) + struct.pack(
        ">7hiihihiiiiiiB",
        *[now.board_dc] * 7,
        per(motor_ma(load_ma), 10),
        per(load_ma, 10),
        duty(load_ma),
        duty(load_ma) * 20,
        s16(per(now.pack_mv, 100)),
        now.discharged_mah * 10,
        now.charged_mah * 10,
        now.discharged_mah * 360,
        now.charged_mah * 360,
        now.run_time_s,
        now.run_time_s,
        fault(now),
    )


def bms_values(now: Readings | None) -> bytes:
    """Answer to 96 (sheet 5), None = no BMS on the bus: zeros, no cells, id 255. Currents are +
    when drawn; the first of the two is not measured on such hardware."""
    if now is None:
        tail = struct.pack(">hhhhhhB4fh", *[0] * 6, 255, *[0.0] * 4, 0)
        return bytes((BMS,)) + bytes(24) + b"\0" + b"\0" + tail
    cells = now.cells_mv
    temps = [0 if dc is None else dc * 10 for dc in now.temps_dc]
    hottest = max((dc for dc in now.temps_dc if dc is not None), default=0)
    head = struct.pack(
        ">6i",
        now.pack_mv * 1000,
        42_000_000 if now.charger_present else 0,
        0,
        -now.current_ma * 1000,
        now.discharged_mah - now.charged_mah,
        0,
    )
    body = struct.pack(f">B{len(cells)}h", len(cells), *cells)
    body += bytes(number in now.balancing for number in range(1, len(cells) + 1))
    body += struct.pack(f">B{len(temps)}h", len(temps), *temps)
    tail = struct.pack(
        ">hhhhhhB4fh",
        now.board_dc * 10,
        0,
        0,
        hottest * 10,
        now.soc_pct * 10,
        now.health_pct * 10,
        BMS_ID,
        now.charged_mah / 1000,
        now.charged_mah * 0.036,
        now.discharged_mah / 1000,
        now.discharged_mah * 0.036,
        10_132,
    )
    return bytes((BMS,)) + head + body + tail


def can_frames(now: Readings) -> list[bytes]:
    """What a BMS broadcasts, as the controller passes it on (sheet 6)."""
    cells = now.cells_mv
    temps = [0 if dc is None else dc * 10 for dc in now.temps_dc]
    told = [
        (38, struct.pack(">ff", now.pack_mv / 1000, 0.0)),
        (39, struct.pack(">ff", 0.0, -now.current_ma / 1000)),
    ]
    told += [(41, _part(cells, first)) for first in range(0, len(cells), 3)]
    balance = sum(1 << number - 1 for number in now.balancing)
    told.append((42, bytes((len(cells),)) + balance.to_bytes(7)))
    told += [(43, _part(temps, first)) for first in range(0, len(temps), 3)]
    told.append((44, struct.pack(">hhhh", 0, 0, now.board_dc * 10, 10_132)))
    flags = int(now.charging) | (2 if now.balancing else 0) | 4
    scaled = per(now.soc_pct * 255, 100), per(now.health_pct * 255, 100)
    state = struct.pack(">hhBBbB", min(cells), max(cells), *scaled, 0, flags)
    told.append((45, state))
    return [bytes((CAN_FRAME, BMS_ID, command)) + data for command, data in told]


def _part(numbers: Sequence[int], first: int) -> bytes:
    three = numbers[first : first + 3]
    return bytes((first, len(numbers))) + struct.pack(f">{len(three)}h", *three)


class Controller(Fake):
    """Answers reads; whatever sets, resets or moves is not obeyed."""

    def __init__(self, source: Source, kind: Kind) -> None:
        super().__init__()
        self.source = source
        self._kind = kind
        if kind.forwards:
            self.due_us = BROADCAST_US

    def measure(self, data: bytes) -> int:
        if data[0] == 2:
            return data[1] + 5 if len(data) > 1 and data[1] else 0 if len(data) == 1 else -1
        if data[0] == 3 and len(data) > 2:
            size = int.from_bytes(data[1:3])
            return size + 6 if 255 <= size <= 512 else -1
        return 0 if data[0] == 3 else -1

    def holds(self, request: bytes) -> bool:
        payload = self._payload(request)
        return request[-1] == 3 and request[-3:-1] == crc16_xmodem(payload).to_bytes(2)

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        payload = self._payload(request)
        gap_us = PING_US if payload[0] == PING else REPLY_GAP_US
        if payload[0] == FORWARD and len(payload) > 2:
            # the answer of the one behind comes back bare (sheet 3)
            reply = self._forwarded(payload[1], payload[2:], self.source.at(t_us))
        else:
            reply = self._reply(payload, self.source.at(t_us))
        return [(t_us + gap_us, frame(reply))] if reply else []

    def speak(self, t_us: int) -> list[Sent]:
        self.due_us = t_us + BROADCAST_US
        return [(t_us, frame(data)) for data in can_frames(self.source.at(t_us))]

    @staticmethod
    def _payload(request: bytes) -> bytes:
        return request[2 if request[0] == 2 else 3 : -3]

    def _forwarded(self, to: int, payload: bytes, now: Readings) -> bytes:
        if to == BMS_ID and self._kind.has_bms:
            return bms_values(now) if payload[0] == BMS else b""
        if to == SECOND_ID and self._kind.controllers > 1:
            return self._reply(payload, now)
        return b""

    def _reply(self, payload: bytes, now: Readings) -> bytes:
        command, kind = payload[0], self._kind
        if command == VERSION:
            major, minor = kind.version
            name = b"MADE_UP\0"
            return bytes((VERSION, major, minor)) + name + bytes(12) + bytes((0, 0, 0, 0))
        if command == VALUES and kind.values_size == 56:
            return old_values(now)
        if command == VALUES:
            whole = bytes((VALUES,)) + chosen(values(now, kind), _VALUE_BITS, ALL_BITS)
            return whole[: kind.values_size]
        if command == VALUES_BY_MASK and len(payload) == 5:
            mask = int.from_bytes(payload[1:])
            return payload + chosen(values(now, kind), _VALUE_BITS, mask)
        if command == SETUP:
            return bytes((SETUP,)) + chosen(setup(now, kind), range(22), ALL_BITS)
        if command == SETUP_BY_MASK and len(payload) == 5:
            return payload + chosen(setup(now, kind), range(22), int.from_bytes(payload[1:]))
        if command == BMS:
            return bms_values(now if kind.has_bms else None)
        if command == PING:
            ids = [BMS_ID] if kind.has_bms else []
            return bytes((PING, *ids, *([SECOND_ID] if kind.controllers > 1 else [])))
        return b""


def _display(_: Story, __: Random) -> Asker:
    """Values five times a second, the BMS once (sheet 3)."""
    ask = Ask(200_000, frame(bytes((VALUES,))))
    bms = Ask(200_000, frame(bytes((BMS,))))
    version = Ask(500_000, frame(bytes((VERSION,))))
    return Asker((ask, ask, ask, ask, bms), (version,))


def _selective(_: Story, __: Random) -> Asker:
    """A display that wants currents, voltage and fault alone, and setup values now and then."""
    mask = (1 << 0 | 1 << 2 | 1 << 3 | 1 << 8 | 1 << 15).to_bytes(4)
    few = Ask(200_000, frame(bytes((VALUES_BY_MASK,)) + mask))
    all_of_them = Ask(200_000, frame(bytes((SETUP,))))
    return Asker((few, few, few, few, all_of_them))


def _profile(meaning: str, kind: Kind) -> Profile:
    return Profile(
        meaning,
        lambda sources, _: Controller(sources[0], kind),
        _display,
        spec=PackSpec(series=12, capacity_mah=20_000, probes=3),
        limits=Limits(discharge_ma=60_000, charge_ma=30_000),
        most_cells=32,
    )


PROFILES = {
    "bms": _profile("a controller with a VESC BMS behind it", Kind()),
    "plain": _profile("a controller without BMS", Kind(has_bms=False)),
    "selective": replace(
        _profile(
            "two controllers, a display that asks by mask", Kind(has_bms=False, controllers=2)
        ),
        master=_selective,
    ),
    "can": _profile(
        "a controller that passes the BMS's CAN frames on unasked", Kind(forwards=True)
    ),
    "v5": _profile("firmware 5: 73 bytes", Kind(73, has_bms=False, version=(5, 3))),
    "v3_5": _profile("firmware 3.5x: 65 bytes", Kind(65, has_bms=False, version=(3, 56))),
    "v3_4": _profile("firmware 3.40: 59 bytes", Kind(59, has_bms=False, version=(3, 40))),
    "v2": _profile("firmware 2.x: the old layout", Kind(56, has_bms=False, version=(2, 18))),
}

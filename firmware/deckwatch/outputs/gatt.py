"""What a phone can read: the values of our own service and of the standard Battery Service, as
bytes. hal/radio.py puts them on the air; docs/bluetooth.md has the same layouts as tables.

All numbers are little endian; a reader skips what it does not know at the end of a value.
"""

from micropython import const

from deckwatch import status
from deckwatch.alert import OK, SET, UNKNOWN
from deckwatch.telemetry import INDEX, MAX_CELLS, MAX_PROBES, NO_PROBE
from deckwatch.ticks import age_ms

PROTOCOL = const(1)  # rises when a field moves; adding fields at the end does not raise it

# Characteristics of our service: its number n stands in the first group of BASE
BASE = "d3c0%04x-7a1e-4b9f-9c52-6f0e8a41b7d5"
SERVICE = const(0)
INFO = const(1)
LIVE = const(2)
SETTINGS = const(3)
NONCE = const(4)
COMMAND = const(5)
RESULT = const(6)
LOG = const(7)

# Bluetooth SIG: services and characteristics by their 16-bit numbers
BATTERY_SERVICE = const(0x180F)
BATTERY_LEVEL = const(0x2A19)
LEVEL_STATUS = const(0x2BED)
CRITICAL_STATUS = const(0x2BE9)
DEVICE_SERVICE = const(0x180A)
MODEL = const(0x2A24)
FIRMWARE = const(0x2A26)
MAKER = const(0x2A29)

# Bits of `state` in the live value, above the look (3 bits) and the group (3 bits)
MUTED = const(1 << 6)
CHARGING = const(1 << 7)
RIDING = const(1 << 8)
SESSION_KNOWN = const(1 << 9)
CHARGE_FET = const(1 << 10)
DISCHARGE_FET = const(1 << 11)
FETS_KNOWN = const(1 << 12)
GUIDED = const(1 << 13)  # times the kind of the owner's session (sessions.py): two bits

# Bits of `capabilities` in the info value
CAN_COMMAND = const(1)
CAN_LOG = const(2)
CAN_MUTE = const(4)

MOST_CODES = const(48)
NO_SOC = const(255)
NO_MV = const(0xFFFF)
_NO_MA = (0, 0, 0, 0x80)  # -2**31
NEVER_S = const(255)
OLD_S = const(254)

_PACK_MV = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_SOC = INDEX["soc_pct"]
_CHARGING = INDEX["charging"]
_RIDING = INDEX["riding"]
_CHARGE_FET = INDEX["charge_fet"]
_DISCHARGE_FET = INDEX["discharge_fet"]

_LIVE_HEAD = const(16)
_LIVE_TAIL = const(3)
LIVE_MOST = _LIVE_HEAD + 2 * MAX_CELLS + 2 * MAX_PROBES + MOST_CODES // 2 + _LIVE_TAIL

_LOW_PCT = const(20)
_CRITICAL_PCT = const(5)


def uuid(number: int) -> str:
    """The UUID of one of our characteristics, or of the service (0)."""
    return BASE % number


def on_air(number: int) -> bytes:
    """The same as it stands in a packet: 16 bytes, little endian."""
    text = uuid(number).replace("-", "")
    return bytes([int(text[at : at + 2], 16) for at in range(30, -1, -2)])


class Live:
    """The live value, encoded into one buffer: `buf`, of which `size` bytes count.

    0 version, 1 seq, 2 size u16, 4 state u16, 6 charge 0.5 % u8, 7 pack 10 mV u16, 9 current mA
    i32, 13 cells u8, 14 probes u8, 15 guardrail codes u8, cells x u16 mV, probes x i16 0.1 degC;
    then alert levels (2 bits a code), watched and unknown (a bit a code), each from the lowest bit
    of its own first byte; age of the pack's values and of the oldest cell's, s u8 each, and seq
    again: where the two differ, two readings were mixed.
    """

    def __init__(self) -> None:
        self.buf = bytearray(LIVE_MOST)
        self.size = 0
        self.buf[0] = PROTOCOL

    def encode(self, core, now: int) -> None:
        """All of the first pack, and the alerts of all packs."""
        buf = self.buf
        t = core.packs[0].telemetry
        buf[1] = (buf[1] + 1) & 0xFF
        self._state(core, t, now)
        buf[6] = NO_SOC
        if t.fresh(_SOC, now):
            buf[6] = max(0, min(200, 2 * t.value[_SOC]))
        pack = NO_MV
        if t.fresh(_PACK_MV, now):
            pack = max(0, min(NO_MV - 1, (t.value[_PACK_MV] + 5) // 10))
        _put16(buf, 7, pack)
        known = t.fresh(_CURRENT, now)
        for i in range(4):
            buf[9 + i] = t.value[_CURRENT] >> 8 * i & 0xFF if known else _NO_MA[i]
        buf[13] = t.cells
        buf[14] = t.probes
        at = _LIVE_HEAD
        for cell in range(t.cells):
            _put16(buf, at, t.cell_mv[cell])
            at += 2
        for probe in range(t.probes):
            dc = t.temp_dc[probe]
            if dc != NO_PROBE and age_ms(now, t.temp_stamp[probe]) > t.ttl_ms:
                dc = NO_PROBE
            _put16(buf, at, dc)
            at += 2
        at = self._alerts(core, at)
        buf[at] = _age_s(now, t.stamp[_PACK_MV]) if t.seen[_PACK_MV] else NEVER_S
        buf[at + 1] = _oldest_s(t, now)
        buf[at + 2] = buf[1]
        self.size = at + _LIVE_TAIL
        _put16(buf, 2, self.size)

    def _state(self, core, t, now: int) -> None:
        shown = core.status
        state = shown.look | shown.group << 3
        if shown.muted:
            state |= MUTED
        if t.fresh(_CHARGING, now):
            state |= SESSION_KNOWN
            if t.value[_CHARGING]:
                state |= CHARGING
            if t.fresh(_RIDING, now) and t.value[_RIDING]:
                state |= RIDING
        if t.fresh(_CHARGE_FET, now) and t.fresh(_DISCHARGE_FET, now):
            state |= FETS_KNOWN
            if t.value[_CHARGE_FET]:
                state |= CHARGE_FET
            if t.value[_DISCHARGE_FET]:
                state |= DISCHARGE_FET
        if core.guided is not None:
            state |= core.guided.kind * GUIDED
        _put16(self.buf, 4, state)

    def _alerts(self, core, at: int) -> int:
        """Per code the worst level of all packs; watched is what the first pack has. Returns where
        the next field begins."""
        buf = self.buf
        codes = min(MOST_CODES, len(core.packs[0].alerts.state))
        buf[15] = codes
        watched_at = at + (codes + 3) // 4
        unknown_at = watched_at + (codes + 7) // 8
        end = unknown_at + (codes + 7) // 8
        for i in range(at, end):
            buf[i] = 0
        for code in range(codes):
            worst = OK
            for pack in core.packs:
                state = pack.alerts.state[code]
                if state == SET or state == UNKNOWN:
                    worst = max(worst, pack.alerts.level[code])
                if state == UNKNOWN:
                    buf[unknown_at + code // 8] |= 1 << code % 8
            buf[at + code // 4] |= worst << code % 4 * 2
            if core.packs[0].alerts.watched[code]:
                buf[watched_at + code // 8] |= 1 << code % 8
        return end


def info(core, capabilities: int, version: str, device: str) -> bytes:
    """protocol u8, cells u8, probes u8, capabilities u16, firmware text, 0, device id text."""
    t = core.packs[0].telemetry
    head = bytes((PROTOCOL, t.cells, t.probes, capabilities & 0xFF, capabilities >> 8))
    return head + version.encode() + b"\0" + device.encode()


def battery_level(core, now: int) -> int:
    """0 to 100, -1 = unknown, for which the standard has no value."""
    t = core.packs[0].telemetry
    return max(0, min(100, t.value[_SOC])) if t.fresh(_SOC, now) else -1


def level_status(core, now: int) -> bytes:
    """Battery Level Status (0x2BED): flags, power state u16, level if known, additional status.

    Field order as in BTstack's battery_service_v1_server.c and Zephyr's bas.h.
    """
    t = core.packs[0].telemetry
    level = battery_level(core, now)
    state = 1  # present
    if not t.fresh(_CHARGING, now):
        state |= 2 << 1 | 2 << 3  # sources unknown
    elif t.value[_CHARGING]:
        state |= 1 << 1 | 1 << 5  # wired source, charging
    elif t.fresh(_RIDING, now) and t.value[_RIDING]:
        state |= 2 << 5  # discharging, active
    else:
        state |= 3 << 5  # discharging, inactive
    if level >= 0:
        state |= (3 if level <= _CRITICAL_PCT else 2 if level <= _LOW_PCT else 1) << 7
    service = 1 if core.status.look == status.ALARM else 0
    flags = 4 if level < 0 else 6
    head = bytes((flags, state & 0xFF, state >> 8))
    return head + (b"" if level < 0 else bytes((level,))) + bytes((service,))


def critical_status(core, now: int) -> bytes:
    """Battery Critical Status (0x2BE9): bit 0 critical power, bit 1 service required at once."""
    bits = 1 if 0 <= battery_level(core, now) <= _CRITICAL_PCT else 0
    if core.status.look == status.ALARM:
        bits |= 2
    return bytes((bits,))


def _put16(buf, at: int, value: int) -> None:
    buf[at] = value & 0xFF
    buf[at + 1] = value >> 8 & 0xFF


def _age_s(now: int, stamp: int) -> int:
    return min(OLD_S, age_ms(now, stamp) // 1000)


def _oldest_s(t, now: int) -> int:
    """Age of the oldest cell value that was told."""
    oldest = -1
    for cell in range(t.cells):
        if t.cell_mv[cell]:
            oldest = max(oldest, _age_s(now, t.cell_stamp[cell]))
    return NEVER_S if oldest < 0 else oldest

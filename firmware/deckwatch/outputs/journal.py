"""Records of the black box as bytes, and a batch they are made in. recorder.py fills batches,
hal/segments.py puts them into flash; packlab reads the same layouts (docs/journal.md).

A record is HEAD, a payload of `size` bytes, and a CRC-32 over both, all little endian. Sequence
number and CRC are set last, by seal(), when it is known that the flash takes the record. What does
not fit a field is kept as the nearest that does; what was not known is the highest value of an
unsigned field, the lowest of a signed one.
"""

from binascii import crc32
from struct import pack_into

from micropython import const

from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms

# mark u8, size u8, kind u8, pack u8 (1 or 2; 0 = the dongle itself), sequence number u32, boot
# count u16 (wraps), uptime s u32, s since 2020 u32 (0 = nobody had told the time)
HEAD = "<BBBBIHII"
HEAD_BYTES = const(18)
CRC_BYTES = const(4)
MARK = const(0xA6)
MOST_PAYLOAD = const(255)

# Kinds; packlab.journal.records has their names. New ones go to the end, and a reader skips those
# it does not know.
BOOT = const(1)
ALERT = const(2)
RIDE = const(3)
CHARGE = const(4)
CHECKPOINT = const(5)
TRACE = const(6)
CONFIG = const(7)
NOTE = const(8)
MEMORY = const(9)
SUPPLY = const(10)
LOST = const(11)

# Payloads. Names of guardrails and slots are kept as name_id(), which outlives their order.
BOOT_FORMAT = "<BB"  # cause (place in CAUSES), starts in a row that failed before; then version
CAUSES = ("unknown", "power_on", "hard", "watchdog", "wake", "soft")
# code id, slot id, state, level, where, value, limit, peak, count, age s
ALERT_FORMAT = "<HHBBBiiiHH"
ALERT_BYTES = const(23)
# pack mV, current mA, percent, lowest mV and cell, highest mV and cell, coldest, hottest dc
SNAPSHOT_FORMAT = "<IiBHBHBhh"
# s, lowest and highest pack mV, most out and in mA, lowest mV and cell, highest mV and cell,
# coldest, hottest dc, out and in mAh, percent at its beginning and end
SPAN_FORMAT = "<IIIIIHBHBhhIIBB"
SNAPSHOT_BYTES = const(19)
SPAN_BYTES = const(40)
# CHECKPOINT: the kind of its session (RIDE, CHARGE), a snapshot, the span since the checkpoint
# before, the span of the session. RIDE and CHARGE: the span.
CHECKPOINT_BYTES = const(1 + 19 + 2 * 40)
# TRACE: seconds from its first row to the record's time u8, then a row a second: pack 10 mV,
# current 10 mA, lowest mV and cell, hottest degC
ROW_FORMAT = "<HhHBb"
ROW_BYTES = const(8)
TRACE_ROWS = const(10)
# SUPPLY, what became of a session that lost its supply: verdict, kind of the session; LOST:
# records without room, records the flash did not take, damaged segments
SUPPLY_FORMAT = "<BB"
TRIPPED = const(1)  # under load, and it stayed away
SWITCHED_OFF = const(2)  # without load
BOUNCED = const(3)  # under load, but the load went on at once
RESTARTED = const(4)  # the dongle restarted by itself
LOST_FORMAT = "<HHH"
LOST_BYTES = const(6)

NO_U8 = const(0xFF)
NO_U16 = const(0xFFFF)
NO_MV = 0xFFFFFFFF  # never met in a calculation: 2**32 - 1 is no small integer on the chip
NO_I16 = const(-0x8000)
NO_I8 = const(-0x80)
NO_MA = -0x80000000

_RESIDUE = 0x2144DF1C  # the CRC-32 of anything with its own CRC behind it
_MOST_U16 = const(0xFFFE)
_MOST_I16 = const(0x7FFF)
_MAS_IN_MAH = const(3600)

_PACK = INDEX["pack_mv"]
_CURRENT = INDEX["current_ma"]
_SOC = INDEX["soc_pct"]
_LOWEST = INDEX["lowest_mv"]
_HIGHEST = INDEX["highest_mv"]
_COLDEST = INDEX["coldest_dc"]
_HOTTEST = INDEX["hottest_dc"]


def name_id(name: str) -> int:
    """16 bits that stand for a name, whatever its place in a list: of its CRC."""
    return crc32(name.encode()) & 0xFFFF


def seal(buf, at: int, sequence: int) -> int:
    """Completes the record at `at`; returns where the next one begins. Allocates: a CRC is no
    small integer."""
    end = at + HEAD_BYTES + buf[at + 1]
    pack_into("<I", buf, at + 4, sequence)
    pack_into("<I", buf, end, crc32(memoryview(buf)[at:end]))
    return end + CRC_BYTES


def is_whole(buf, at: int, size: int) -> bool:
    """Does a record begin at `at`, and is it as it was sealed? `size`: bytes that count."""
    if at + HEAD_BYTES + CRC_BYTES > size or buf[at] != MARK:
        return False
    end = at + HEAD_BYTES + buf[at + 1]
    if end + CRC_BYTES > size:
        return False
    return crc32(memoryview(buf)[at : end + CRC_BYTES]) == _RESIDUE


def sequence_of(buf, at: int) -> int:
    """The sequence number of the record at `at`."""
    return buf[at + 4] | buf[at + 5] << 8 | buf[at + 6] << 16 | buf[at + 7] << 24


class Batch:
    """Records that wait for the flash: buf[0:size], made before the first of them.

    boot, uptime_s, wall_s: what is written into each; whoever knows them keeps them true. lost:
    records for which there was no room since somebody last set it to 0.
    """

    def __init__(self, room: int) -> None:
        self.buf = bytearray(room)
        self.size = 0
        self.lost = 0
        self.boot = self.uptime_s = self.wall_s = 0

    def has_room(self, size: int) -> bool:
        """For a payload of `size` bytes?"""
        return self.size + HEAD_BYTES + size + CRC_BYTES <= len(self.buf)

    def begin(self, kind: int, pack: int, size: int) -> int:
        """Room for a payload of `size` bytes: its place in buf, 0 where there is none."""
        at = self.size
        end = at + HEAD_BYTES + size + CRC_BYTES
        if not self.has_room(size) or size > MOST_PAYLOAD:
            self.lost = min(_MOST_U16, self.lost + 1)
            return 0
        pack_into(
            HEAD, self.buf, at, MARK, size, kind, pack, 0, self.boot & 0xFFFF, self.uptime_s,
            self.wall_s,
        )  # fmt: skip
        self.size = end
        return at + HEAD_BYTES

    def clear(self) -> None:
        """They are in flash."""
        self.size = 0

    def text(self, kind: int, words: str) -> None:
        """A record of words. Allocates; for what happens seldom."""
        self.data(kind, 0, words.encode()[:MOST_PAYLOAD])

    def data(self, kind: int, pack: int, data) -> None:
        """A record of bytes."""
        at = self.begin(kind, pack, len(data))
        if at:
            for i in range(len(data)):
                self.buf[at + i] = data[i]

    def copy(self, record) -> None:
        """A whole record of an earlier start, which keeps its time."""
        if len(record) <= len(self.buf) - self.size:
            self.buf[self.size : self.size + len(record)] = record
            self.size += len(record)

    def boot_record(self, cause: str, failed: int, version: str) -> None:
        """The dongle has started."""
        number = CAUSES.index(cause) if cause in CAUSES else 0
        self.data(BOOT, 0, bytes((number, min(255, failed))) + version.encode())

    def alert(self, alerts, code: int, code_id: int, slot_id: int, now: int) -> None:
        """An alert as it stands now. Allocates nothing: it is called inside a round."""
        at = self.begin(ALERT, alerts.pack + 1, ALERT_BYTES)
        if at:
            age_s = min(_MOST_U16, age_ms(now, alerts.since[code]) // 1000)
            pack_into(
                ALERT_FORMAT, self.buf, at, code_id, slot_id, alerts.state[code],
                alerts.level[code], alerts.where[code], alerts.value[code], alerts.limit[code],
                alerts.peak[code], alerts.count[code], age_s,
            )  # fmt: skip


def snapshot(buf, at: int, t, now: int) -> None:
    """What is known of a pack at this moment."""
    cells = t.fresh(_LOWEST, now)
    temps = t.fresh(_COLDEST, now)
    pack_into(
        SNAPSHOT_FORMAT, buf, at,
        t.value[_PACK] if t.fresh(_PACK, now) else NO_MV,
        t.value[_CURRENT] if t.fresh(_CURRENT, now) else NO_MA,
        _percent(t, now),
        _u16(t.value[_LOWEST]) if cells else NO_U16,
        t.where[_LOWEST] if cells else 0,
        _u16(t.value[_HIGHEST]) if cells else NO_U16,
        t.where[_HIGHEST] if cells else 0,
        _i16(t.value[_COLDEST]) if temps else NO_I16,
        _i16(t.value[_HOTTEST]) if temps else NO_I16,
    )  # fmt: skip


def row(buf, at: int, t, now: int) -> None:
    """One second of a trace."""
    cells = t.fresh(_LOWEST, now)
    hottest = t.value[_HOTTEST] // 10 if t.fresh(_HOTTEST, now) else NO_I8
    pack_into(
        ROW_FORMAT, buf, at,
        _u16(t.value[_PACK] // 10) if t.fresh(_PACK, now) else NO_U16,
        _i16(t.value[_CURRENT] // 10) if t.fresh(_CURRENT, now) else NO_I16,
        _u16(t.value[_LOWEST]) if cells else NO_U16,
        t.where[_LOWEST] if cells else 0,
        max(NO_I8, min(127, hottest)),
    )  # fmt: skip


class Span:
    """Extremes of one pack over a stretch of time.

    seconds; most_out_ma, most_in_ma: both positive, -1 = the current was never known; lowest_mv
    and its cell: 0 = no cell was read. Nothing here allocates after start.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new stretch begins."""
        self.seconds = 0
        self.low_pack_mv = self.high_pack_mv = -1
        self.most_out_ma = self.most_in_ma = -1
        self.lowest_mv = self.lowest_cell = 0
        self.highest_mv = self.highest_cell = 0
        self.coldest_dc = _MOST_I16
        self.hottest_dc = NO_I16
        self._out_mas = self._in_mas = 0
        self.out_mah = self.in_mah = 0
        self.first_pct = self.last_pct = NO_U8

    def take(self, t, now: int) -> None:
        """What is fresh of a pack now; called at every look, which is oftener than a second."""
        if t.fresh(_PACK, now):
            mv = max(0, t.value[_PACK])
            if self.low_pack_mv < 0 or mv < self.low_pack_mv:
                self.low_pack_mv = mv
            if mv > self.high_pack_mv:
                self.high_pack_mv = mv
        if t.fresh(_CURRENT, now):
            ma = t.value[_CURRENT]
            self.most_out_ma = max(self.most_out_ma, -ma, 0)
            self.most_in_ma = max(self.most_in_ma, ma, 0)
        if t.fresh(_LOWEST, now):
            if not self.lowest_mv or t.value[_LOWEST] < self.lowest_mv:
                self.lowest_mv = t.value[_LOWEST]
                self.lowest_cell = t.where[_LOWEST]
            if t.value[_HIGHEST] > self.highest_mv:
                self.highest_mv = t.value[_HIGHEST]
                self.highest_cell = t.where[_HIGHEST]
        if t.fresh(_COLDEST, now):
            self.coldest_dc = min(self.coldest_dc, t.value[_COLDEST])
            self.hottest_dc = max(self.hottest_dc, t.value[_HOTTEST])
        pct = _percent(t, now)
        if pct != NO_U8:
            self.last_pct = pct
            if self.first_pct == NO_U8:
                self.first_pct = pct

    def second(self, t, now: int) -> None:
        """A second has passed: the current counts as flowing all through it."""
        self.seconds += 1
        if t.fresh(_CURRENT, now):
            ma = t.value[_CURRENT]
            if ma < 0:
                self._out_mas -= ma
                self.out_mah += self._out_mas // _MAS_IN_MAH
                self._out_mas %= _MAS_IN_MAH
            else:
                self._in_mas += ma
                self.in_mah += self._in_mas // _MAS_IN_MAH
                self._in_mas %= _MAS_IN_MAH

    def write(self, buf, at: int) -> None:
        """SPAN_BYTES of it."""
        pack_into(
            SPAN_FORMAT, buf, at,
            self.seconds,
            NO_MV if self.low_pack_mv < 0 else self.low_pack_mv,
            NO_MV if self.low_pack_mv < 0 else self.high_pack_mv,
            NO_MV if self.most_out_ma < 0 else self.most_out_ma,
            NO_MV if self.most_out_ma < 0 else self.most_in_ma,
            _u16(self.lowest_mv) if self.lowest_mv else NO_U16, self.lowest_cell,
            _u16(self.highest_mv) if self.lowest_mv else NO_U16, self.highest_cell,
            NO_I16 if self.hottest_dc == NO_I16 else _i16(self.coldest_dc),
            NO_I16 if self.hottest_dc == NO_I16 else _i16(self.hottest_dc),
            self.out_mah, self.in_mah, self.first_pct, self.last_pct,
        )  # fmt: skip


def _percent(t, now: int) -> int:
    return max(0, min(NO_U8 - 1, t.value[_SOC])) if t.fresh(_SOC, now) else NO_U8


def _u16(value: int) -> int:
    return max(0, min(_MOST_U16, value))


def _i16(value: int) -> int:
    return max(-_MOST_I16, min(_MOST_I16, value))

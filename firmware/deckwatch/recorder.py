"""What goes into the black box, and when: alerts, rides and charges with their extremes, the
seconds around an alarm, and checkpoints from which the next start can tell what the last one lost.
keeper.py calls it and brings the records to flash; it knows neither flash nor clock.

    note(alerts, code)   inside a round: an alert changed; allocates nothing
    look(now)            four times a second: extremes, seconds, sessions, what has become due
    checkpoint(number)   the record for the slot of a pack whose `due` is set

A BMS that trips takes the dongle's supply with it. So while riding a checkpoint is due every 10 s,
and at once when the load comes or goes: the last one tells whether the supply went under load.
"""

from array import array
from struct import pack_into, unpack_from

from micropython import const

from deckwatch.alert import ALARM, SET
from deckwatch.outputs import journal
from deckwatch.telemetry import INDEX, SLOTS_KEPT

_ROOM = const(768)  # the worst second: an alarm with its trace of 30 s, and two alerts
_ROWS = const(30)
_AFTER_S = const(10)  # an alarm's trace goes on so long
_RIDE_EVERY_S = const(10)
_CHARGE_EVERY_S = const(300)
_SILENT_S = const(60)  # a session outlives a line that says nothing for so long
_LOAD_MA = const(10000)  # bms_trip, guardrail sheet 24
_CALM_MA = const(1000)
_BOUNCE_S = const(3)  # load so soon after a start: the BMS has not tripped
_HOUR_S = const(3600)
_PER_HOUR = const(8)  # changes of one alert an hour: one that flutters must not push out the rest
_WORDS_PER_HOUR = const(20)  # nor must a stranger who tries the lock
_ROW_BYTES = const(8)
_JUDGED_BYTES = const(186)  # a checkpoint, its session's end, and one record more, but for a head

_CURRENT = INDEX["current_ma"]
_RIDING = INDEX["riding"]
_CHARGING = INDEX["charging"]
_SLOT_IDS = b"".join([journal.name_id(slot).to_bytes(2, "little") for slot in SLOTS_KEPT])


class PackLog:
    """One pack's session, extremes and last seconds.

    due: a checkpoint is to be made; clear: its slot is not needed any more once the batch is in
    flash; lost: the checkpoint of a start before this one, until it is known what became of it.
    """

    def __init__(self, pack, codes: int) -> None:
        self.pack = pack
        self.number = pack.alerts.pack + 1
        self.due = self.clear = False
        self.lost = b""
        self.left = bytearray(codes)  # changes of each alert that are still kept this hour
        self.session = 0
        self._since = journal.Span()
        self._whole = journal.Span()
        self._silent_s = 0
        self._loaded = False
        self._made_s = 0  # since the last checkpoint
        self._ring = bytearray(_ROWS * _ROW_BYTES)
        self._next = 0
        self._rows = 0  # of the ring, not yet in a record
        self.trace_due = False
        self.after_s = 0  # so long the trace of an alarm still goes on

    def look(self, now: int) -> None:
        """Extremes and the load, which must not wait for the second to be full."""
        if not self.session:
            return
        t = self.pack.telemetry
        self._since.take(t, now)
        self._whole.take(t, now)
        if self.session == journal.RIDE and t.fresh(_CURRENT, now):
            out_ma = -t.value[_CURRENT]
            if out_ma >= _LOAD_MA and not self._loaded or out_ma < _CALM_MA and self._loaded:
                self.due = True

    def second(self, batch, now: int, is_off: bool) -> None:
        """A second has passed."""
        t = self.pack.telemetry
        journal.row(self._ring, self._next * _ROW_BYTES, t, now)
        self._next = (self._next + 1) % _ROWS
        self._rows = min(_ROWS, self._rows + 1)
        if self.after_s:
            self.after_s -= 1
            if not self.after_s:
                self.trace_due = True
        riding = t.fresh(_RIDING, now) and t.value[_RIDING] != 0
        charging = t.fresh(_CHARGING, now) and t.value[_CHARGING] != 0
        wanted = journal.RIDE if riding else journal.CHARGE if charging else 0
        if self.session:
            self._since.second(t, now)
            self._whole.second(t, now)
            self._silent_s = 0 if t.fresh(_CURRENT, now) else self._silent_s + 1
            if not is_off and 0 < self._silent_s < _SILENT_S or wanted == self.session:
                self._made_s += 1
                every_s = _RIDE_EVERY_S if self.session == journal.RIDE else _CHARGE_EVERY_S
                if self._made_s >= every_s:
                    self.due = True
            else:
                self._end(batch)
        if wanted and not self.session:
            self.session = wanted
            self._since.restart()
            self._whole.restart()
            self._silent_s = 0
            self._loaded = False
            self.due = True

    def _end(self, batch) -> None:
        """The session is over, and tells its extremes."""
        at = batch.begin(self.session, self.number, journal.SPAN_BYTES)
        if at:
            self._whole.write(batch.buf, at)
        self.session = 0
        self.due = False
        self.clear = True

    def checkpoint(self, batch, now: int) -> None:
        """The record of a checkpoint; the next one counts its extremes from here."""
        self.due = False
        at = batch.begin(journal.CHECKPOINT, self.number, journal.CHECKPOINT_BYTES)
        if not at:
            return
        t = self.pack.telemetry
        batch.buf[at] = self.session
        journal.snapshot(batch.buf, at + 1, t, now)
        at += 1 + journal.SNAPSHOT_BYTES
        self._since.write(batch.buf, at)
        self._whole.write(batch.buf, at + journal.SPAN_BYTES)
        self._since.restart()
        self._made_s = 0
        if t.fresh(_CURRENT, now):
            self._loaded = -t.value[_CURRENT] >= _LOAD_MA

    def trace(self, batch) -> None:
        """The seconds of the ring that are in no record yet, as far as the batch has room."""
        while self._rows:
            rows = min(journal.TRACE_ROWS, self._rows)
            size = 1 + rows * _ROW_BYTES
            if not batch.has_room(size):
                return
            at = batch.begin(journal.TRACE, self.number, size)
            batch.buf[at] = self._rows - 1
            at += 1
            first = (self._next - self._rows) % _ROWS
            for row in range(rows):
                place = (first + row) % _ROWS * _ROW_BYTES
                for i in range(_ROW_BYTES):
                    batch.buf[at + i] = self._ring[place + i]
                at += _ROW_BYTES
            self._rows -= rows
        self.trace_due = False


class Recorder:
    """batch: records for the segments, to be in flash soon, `urgent` ones at once. logs: a PackLog
    per pack. names: the guardrails', each with a space after it."""

    def __init__(self, core, names: str, boots: int) -> None:
        self._core = core
        self.batch = journal.Batch(_ROOM)
        self.batch.boot = boots
        self.urgent = False
        codes = names.split()
        self.logs = [PackLog(pack, len(codes)) for pack in core.packs]
        self._code_ids = array("H", [journal.name_id(code) for code in codes])
        self._second = -1
        self._hour = -1
        self._words = _WORDS_PER_HOUR
        self._now = 0
        self._lost_supply = False
        self._stamp()

    def start(self, cause: str, failed: int, version: str) -> None:
        """The first record of a start."""
        self._lost_supply = cause == "power_on"
        self.batch.boot_record(cause, failed, version)
        self.urgent = True

    def words(self, kind: int, text: str) -> None:
        """A record in words, NOTE or CONFIG."""
        if self._words:
            self._words -= 1
            self.batch.text(kind, text)
        else:
            self.batch.lost = min(0xFFFE, self.batch.lost + 1)

    def losses(self, refused: int, damaged: int) -> None:
        """What the black box could not keep: records without room, what the flash refused, and
        segments in which it was damaged."""
        batch = self.batch
        lost = batch.lost
        batch.lost = 0
        at = batch.begin(journal.LOST, 0, journal.LOST_BYTES)
        if at:
            pack_into(journal.LOST_FORMAT, batch.buf, at, lost, min(refused, 0xFFFE), damaged)

    def recall(self, number: int, checkpoint: bytes, recent) -> None:
        """What the slot of pack `number` held at the start; `recent` yields the newest records of
        the segments, which may tell the end of that session already."""
        boot_at, uptime_at = 8, 10
        boot = checkpoint[boot_at:uptime_at]
        uptime_s = unpack_from("<I", checkpoint, uptime_at)[0]
        for record in recent:
            kind = record[2]
            if record[3] != number + 1 or record[boot_at:uptime_at] != boot:
                continue
            if kind == journal.RIDE or kind == journal.CHARGE:
                if unpack_from("<I", record, uptime_at)[0] >= uptime_s:
                    self.logs[number].clear = True
                    return
        self.logs[number].lost = checkpoint

    def note(self, alerts, code: int) -> None:
        """An alert changed. Called inside a round: allocates nothing."""
        log = self.logs[alerts.pack]
        level = alerts.level[code]
        if level == ALARM and alerts.state[code] == SET:
            log.trace_due = self.urgent = True
            log.after_s = _AFTER_S
        if log.left[code]:
            log.left[code] -= 1
            at = 2 * alerts.slot[code]
            slot = _SLOT_IDS[at] | _SLOT_IDS[at + 1] << 8
            self.batch.alert(alerts, code, self._code_ids[code], slot, self._now)

    def look(self, now: int) -> None:
        """What has become due."""
        self._now = now
        core = self._core
        new = core.uptime_s != self._second
        if new:
            self._second = core.uptime_s
            self._stamp()
        if core.uptime_s // _HOUR_S != self._hour:
            self._hour = core.uptime_s // _HOUR_S
            self._words = _WORDS_PER_HOUR
            for log in self.logs:
                for code in range(len(log.left)):
                    log.left[code] = _PER_HOUR
        for log in self.logs:
            log.look(now)
            if new:
                log.second(self.batch, now, core.link.is_off)
            if log.trace_due:
                log.trace(self.batch)
            if log.lost:
                self._judge_lost(log, now)
            if log.clear and self.batch.size:
                self.urgent = True

    def _judge_lost(self, log, now: int) -> None:
        """What became of a session that an earlier start could not end."""
        record = log.lost
        session, _, current_ma = unpack_from("<BIi", record, journal.HEAD_BYTES)
        t = log.pack.telemetry
        if not self._lost_supply:
            verdict = journal.RESTARTED
        elif session != journal.RIDE or current_ma == journal.NO_MA or -current_ma < _LOAD_MA:
            verdict = journal.SWITCHED_OFF
        elif t.fresh(_CURRENT, now) and -t.value[_CURRENT] >= _CALM_MA:
            verdict = journal.BOUNCED
        elif self._core.uptime_s < _BOUNCE_S:
            return
        else:
            verdict = journal.TRIPPED
        if not self.batch.has_room(_JUDGED_BYTES):
            return
        self.batch.copy(record)
        span = record[-journal.CRC_BYTES - journal.SPAN_BYTES :]
        head = bytes((journal.MARK, journal.SPAN_BYTES, session)) + record[3 : journal.HEAD_BYTES]
        self.batch.copy(head + span)
        self.batch.data(journal.SUPPLY, log.number, bytes((verdict, session)))
        if verdict == journal.TRIPPED:
            log.pack.trip.lost_supply(-current_ma, now)
            log.pack.trip.lost_supply(-current_ma, now)
        log.lost = b""
        log.clear = self.urgent = True

    def _stamp(self) -> None:
        self.batch.uptime_s = self._core.uptime_s
        self.batch.wall_s = self._core.wall_s

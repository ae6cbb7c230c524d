"""From bytes to alerts: the page to read first. Everything is a plain call; nothing is queued,
nothing allocates after start.

    feed(port, buf, n, now)  bytes came in on a line  -> framer -> protocol -> telemetry
    line(port, state, now)   a wire changed its level -> link; off and on again forget all
    tick(now)                meters, guardrails, status; returns ms until the next round is due
    render(now)              light and buzzer; returns ms until their next edge
    question(now)            the request that may be sent now, where the owner lets the dongle ask

    recall(pack, buf)        before the first tick: what was remembered of a pack (memory.py)
    clock(unix_s, now)       somebody has told what time it is
    begin(kind, target_mv)   the owner starts a session of his own (sessions.py); end() closes it
    humidity(pct, now)       a sensor of the dongle's own has been read

`now` is a millisecond tick (ticks.py). The sink is told `on_alert(alerts, code)` whenever an alert
is set, changes, clears or becomes unknown.
"""

from micropython import const

from deckwatch import status
from deckwatch.alert import INFO, OK, SET, UNKNOWN, WARN
from deckwatch.controller_errors import ALARMING
from deckwatch.frame import Frame
from deckwatch.framer import Framer
from deckwatch.guardrails.alerts import Alerts
from deckwatch.guardrails.compiled import GROUP, OF_THE_LINE
from deckwatch.guardrails.judge import Judge
from deckwatch.guardrails.rules import Rules
from deckwatch.memory import Memory, clock_of
from deckwatch.meters.balance import Balance
from deckwatch.meters.cells import Cells
from deckwatch.meters.charge import Charge
from deckwatch.meters.frozen import Frozen
from deckwatch.meters.heat import Heat
from deckwatch.meters.link import HOST_TX, IDLE, LOW, PORTS, Link
from deckwatch.meters.load import Load
from deckwatch.meters.ocv import Ocv
from deckwatch.meters.parked import Parked
from deckwatch.meters.probes import Probes
from deckwatch.meters.reports import Reports
from deckwatch.meters.session import Session
from deckwatch.meters.stuck import Stuck
from deckwatch.meters.trip import Trip
from deckwatch.outputs.buzzer import Buzzer
from deckwatch.outputs.led import Led
from deckwatch.status import Status
from deckwatch.telemetry import INDEX, Telemetry, begin, touched
from deckwatch.ticks import age_ms

try:
    from deckwatch.guardrails.alerts_viper import is_any, next_worse
except (ImportError, AttributeError, SyntaxError, ValueError):  # as in framer.py
    from deckwatch.guardrails.alerts_plain import is_any, next_worse

_SECOND_MS = const(1000)  # everything is judged anew at least this often, so that staleness shows
_HOUR_S = const(3600)
_HUMIDITY = INDEX["humidity_pct"]

MORE = const(3)  # answers that are sure to be a battery's: damage can look like one
ALL_PORTS = tuple(range(len(PORTS)))
_LOOK = (status.FINE, status.INFO, status.WARN, status.ALARM)  # by alert level


def load_protocol(family: str):
    """The protocol module of a family named in index.py."""
    return __import__("deckwatch.protocols." + family, None, None, ("decode",))


def _memory_of(protocol, config):
    """What a family keeps from frame to frame, one object per line; None when it needs nothing."""
    if not hasattr(protocol, "Memory"):
        return None
    memory = protocol.Memory()
    if hasattr(memory, "configure"):
        memory.configure(config)
    return memory


def _poller_of(protocol, mode: str):
    """Who decides when to ask; None in mode listen, so that there is nothing that could."""
    if mode == "listen":
        return None
    from deckwatch.poller import Poller

    return Poller(protocol.QUESTIONS, mode)


def _expected(config, armed, steady: int):
    """By code: can it be watched without anybody's doing?"""
    from deckwatch.expected import expected

    return expected(config, armed, steady)


def _session_of(kind: int, target_mv: int, core):
    """The owner's session, begun now; loaded for it."""
    from deckwatch.sessions import Guided

    return Guided(kind, target_mv, core.packs, core.uptime_s)


def _share_of(packs: int):
    """Who compares two packs; None for one."""
    if packs == 1:
        return None
    from deckwatch.meters.share import Share

    return Share()


class Pack:
    """One battery: what is known of it, the meters that derive more, and its judge.

    spoke: it has told something since the scooter was switched on. memory: what outlives a
    power-off. trip: to be told of a supply that was lost under load.
    """

    def __init__(self, number: int, config, protocol, rules, sink) -> None:
        self.telemetry = Telemetry()
        self.telemetry.ttl_ms = config.fresh_ms
        self.telemetry.series = config.series
        self.memory = Memory()
        self.trip = Trip()
        self.meters = (
            Session(),
            Cells(config.series, config.full_mv, config.ghost_cell_mv),
            Probes(protocol.OPEN_DC, protocol.SHORT_DC, config.temp_messages),
            Heat(),
            Reports(getattr(protocol, "ALARMING_ERRORS", ALARMING)),
            Load(config.series, self.memory),
            Stuck(config.series, config.full_mv),
            Ocv(config.full_mv),
            self.trip,
            Frozen(),
            Charge(config, self.memory),
            Balance(config, self.memory),
            Parked(config, self.memory),
        )
        self.judge = Judge(rules)
        self.alerts = Alerts(number, self.judge, sink)
        self.spoke = False

    def forget(self) -> None:
        """The scooter was switched off."""
        self.telemetry.forget()
        self.spoke = False
        for meter in self.meters:
            if hasattr(meter, "reset"):
                meter.reset()

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self.telemetry.saturate(now)
        for meter in self.meters:
            if hasattr(meter, "saturate"):
                meter.saturate(now)
        self.judge.saturate(now)
        self.alerts.saturate(now)


class Pipeline:
    """The core of the dongle for one line of one family.

    profile, family: their names; the config itself is not kept. packs: Pack per battery, the first
    also carries controller and link slots. link: line state and quality. unknown: whole, valid
    frames of an unknown kind. decode_errors: decoders that raised, a bug; with `strict` (tests) it
    is raised. framers: one per port, None for those not in `ports`. uptime_s: since the start;
    wall_s: seconds since 2020, 0 = nobody has told. guided: the owner's session, None = there is
    none. moved: a round has found an alert, what is watched or the line another one (the caller
    clears it). more: answers of a battery the owner has said there may be, and that is not among
    the `count` that there are (None: all that may be); ends at MORE.
    """

    def __init__(
        self,
        config,
        sink,
        strict: bool = False,
        ports: tuple = ALL_PORTS,
        count: "int | None" = None,
    ) -> None:
        self.profile = config.profile
        self.family = config.family
        self._protocol = load_protocol(config.family)
        self._strict = strict
        self._most = config.packs
        count = count or config.packs
        rules = Rules(config)
        self._expected = _expected(config, rules.armed, self._protocol.STEADY)
        self.packs = [Pack(number, config, self._protocol, rules, sink) for number in range(count)]
        self._share = _share_of(count)
        self._telemetries = [pack.telemetry for pack in self.packs]
        self._memory = _memory_of(self._protocol, config)
        frame = Frame()
        self.framers: list = [
            Framer(self._protocol.FRAMES, self, port, frame) if port in ports else None
            for port in ALL_PORTS
        ]
        self.link = Link(self.framers)
        self.poller = _poller_of(self._protocol, config.mode)
        self.status = Status()
        self.led = Led()
        self.buzzer = Buzzer()
        self.unknown = 0
        self.decode_errors = 0
        self.more = 0
        self.uptime_s = 0
        self.wall_s = 0
        self.guided = None
        self.moved = False
        self._fresh = False  # a frame brought values since the last round
        self._forgot = True  # all that was known is gone since the last round
        self._unshown = True  # what decides light and sound beside alerts and line is new
        self._shown_off = False
        self._due_ms = 0
        self._started = False
        self._round_at = 0  # last round of judging
        self._second_at = 0  # last whole round

    def recall(self, number: int, buf) -> bool:
        """What was remembered of pack `number`, as Memory.write wrote it; before the first tick.
        False when it cannot be read."""
        return self.packs[number].memory.read(buf)

    def clock(self, unix_s: int, now: int) -> bool:
        """The time of day at `now`, seconds since 1970. False when it cannot be true."""
        wall_s = clock_of(unix_s)
        if not wall_s:
            return False
        if self._started:
            wall_s -= age_ms(now, self._second_at) // _SECOND_MS
        for pack in self.packs:
            pack.memory.shift(wall_s - pack.memory.now_s)
        self.wall_s = wall_s
        return True

    def feed(self, port: int, buf, n: int, now: int) -> None:
        """Bytes buf[0:n] were received on `port` up to `now`; buf is framer.CHUNK bytes long."""
        if self.poller is not None:
            self.poller.bytes_heard(now)
        self.framers[port].feed(buf, n, now)

    def line(self, port: int, state: int, now: int) -> None:
        """The wire of `port` was seen to change (link.IDLE, LOW, BREAK, OVERRUN)."""
        if state != IDLE:
            self.framers[port].lose(now)
        if self.poller is not None and (state == IDLE or state == LOW):
            self.poller.rest(port, state == IDLE, now)
        if self.link.line(port, state):
            if self.poller is not None:
                self.poller.restart()
            for pack in self.packs:
                pack.forget()
            self._unshown = True
            if self._share is not None:
                self._share.reset()
            self._forgot = True

    def humidity(self, pct: int, now: int) -> None:
        """Relative humidity of the air in the deck."""
        telemetry = self._telemetries[0]
        telemetry.begin(now)
        telemetry.set(_HUMIDITY, pct)
        self._fresh = telemetry.end()

    def on_frame(self, framer) -> None:
        """A framer has a checked frame (called during feed)."""
        frame = framer.frame
        begin(self._telemetries, frame.now)
        try:
            self._protocol.decode(frame, self._telemetries, self._memory)
        except Exception:
            self.decode_errors += 1
            if self._strict:
                raise
        if touched(self._telemetries):
            self._fresh = True
            for telemetry in self._telemetries:
                telemetry.end()
        if frame.kind == "unknown":
            self.unknown += 1
        if frame.is_reply and len(self.packs) <= frame.pack < self._most:
            self.more = min(self.more + 1, MORE)
        self.link.heard(frame, framer.port)
        if self.poller is not None:
            self.poller.heard(frame, framer.port, frame.now)

    def tick(self, now: int) -> int:
        """One round, when there is something to judge. Returns ms until the next one is due."""
        wait = _SECOND_MS
        for framer in self.framers:
            pending = 0 if framer is None else framer.idle(now)
            if pending and pending < wait:
                wait = pending
        if not self._started:
            self._started = True
            self._second_at = self._round_at = now
        whole = self._forgot
        if age_ms(now, self._second_at) >= _SECOND_MS:
            whole = True
            self._pass_time(now)
        if whole or self._fresh or age_ms(now, self._round_at) >= self._due_ms:
            self._due_ms = self._judge(now, whole)
            self._round_at = now
        left = self._due_ms - age_ms(now, self._round_at)
        return max(1, min(wait, left, _SECOND_MS - age_ms(now, self._second_at)))

    def _pass_time(self, now: int) -> None:
        passed = age_ms(now, self._second_at)
        seconds = passed // _SECOND_MS
        self._second_at = (now - passed % _SECOND_MS) & (1 << 30) - 1
        if self.uptime_s // _HOUR_S != (self.uptime_s + seconds) // _HOUR_S:
            for pack in self.packs:
                pack.saturate(now)
            self.link.saturate(now)
            if self._share is not None:
                self._share.saturate(now)
            if self.poller is not None:
                self.poller.saturate(now)
            self.status.saturate(now)
        self.uptime_s += seconds
        if self.wall_s:
            self.wall_s += seconds
        for pack in self.packs:
            pack.memory.now_s += seconds
        if self.guided is not None:
            self.guided.follow(self.packs[0].telemetry, now)

    def _judge(self, now: int, whole: bool) -> int:
        self._fresh = self._forgot = False
        wait = self.link.update(self.packs[0].telemetry, now)
        if self._share is not None:
            self._share.update(self._telemetries[0], self._telemetries[1], now)
        for pack in self.packs:
            if not pack.spoke and pack.telemetry.frames:
                pack.spoke = self._unshown = True
            for meter in pack.meters:
                meter.update(pack.telemetry, now)
            wait = pack.judge.update(pack.telemetry, now, whole, wait)
            pack.alerts.update(pack.telemetry, now)
        self._show(now)
        return wait

    def _show(self, now: int) -> None:
        """The worst alert of all packs decides light and sound. Looked for when something has
        moved, and while an owner's session says what it makes of it."""
        off = self.link.is_off
        moved = self._unshown or off != self._shown_off or self.guided is not None
        for pack in self.packs:
            moved = moved or pack.alerts.moved
        if not moved:
            return
        self.moved = True
        self._unshown = False
        self._shown_off = off
        level = lost = OK
        group = lost_group = 0
        news = False
        for pack in self.packs:
            alerts = pack.alerts
            alerts.moved = False
            news = news or alerts.news
            alerts.news = False
            if alerts.good_news:
                alerts.good_news = False
                self.status.chirp(now)
            code = next_worse(alerts, SET, 0, level)
            while code < len(GROUP):
                found = alerts.level[code]
                if self.guided is not None and self.guided.knows(alerts, code):
                    found = INFO  # the owner works on it
                if found > level:
                    level = found
                    group = GROUP[code]
                code = next_worse(alerts, SET, code + 1, level)
            code = next_worse(alerts, UNKNOWN, 0, lost)
            while code < len(GROUP):
                lost = alerts.level[code]
                lost_group = GROUP[code]
                code = next_worse(alerts, UNKNOWN, code + 1, lost)
        if level >= WARN:
            self.status.show(_LOOK[level], group, news, now)
        elif lost >= WARN:
            self.status.show(status.UNKNOWN, lost_group, False, now)
        elif off:
            self.status.show(status.OFF, 0, False, now)
        elif not self._is_any_watched():
            self.status.show(status.NO_DATA, 0, False, now)
        elif self._is_any_missing():
            self.status.show(status.PARTIAL, 0, False, now)
        else:
            self.status.show(_LOOK[level], group, False, now)

    def _is_any_watched(self) -> bool:
        """Is anything watched that a battery tells?"""
        for pack in self.packs:
            if is_any(pack.alerts.watched, OF_THE_LINE, len(GROUP)):
                return True
        return False

    def _is_any_missing(self) -> bool:
        """Is something not watched that could be? A second pack counts once it has spoken."""
        for pack in self.packs:
            if pack.alerts.pack == 0 or pack.spoke:
                if is_any(self._expected, pack.alerts.watched, len(GROUP)):
                    return True
        return False

    def question(self, now: int) -> int:
        """Number of the request in poller.requests to send at once, -1 = none. Whoever sends it
        calls asked().
        """
        return -1 if self.poller is None else self.poller.next(now)

    def asked(self, row: int, buf, now: int) -> None:
        """Request `row` has just been sent. Unless the controller's wire is known to carry it
        back, the core hears it as if it had: some answers mean nothing without their question.

        buf: framer.CHUNK bytes to work with.
        """
        poller = self.poller
        poller.sent(row, now)
        if not poller.echoes(HOST_TX):
            request = poller.requests[row]
            for i in range(len(request)):
                buf[i] = request[i]
            poller.telling = True
            self.framers[HOST_TX].feed(buf, len(request), now)
            self.framers[HOST_TX].lose(now)  # nothing follows it
            poller.telling = False

    def watched_groups(self, flags) -> None:
        """flags[group - 1] = 1 where all that can be watched of a hazard group is watched, or
        nothing of it can be.
        """
        for group in range(len(flags)):
            flags[group] = 1
        alerts = self.packs[0].alerts
        for code in range(len(GROUP)):
            if self._expected[code] and not alerts.watched[code]:
                flags[GROUP[code] - 1] = 0

    def relimit(self, config) -> None:
        """Takes over other limits while everything goes on. An alert whose limit is gone goes with
        it."""
        rules = self.packs[0].judge.rules
        rules.take(config)
        for pack in self.packs:
            pack.judge.release()
        self._expected = _expected(config, rules.armed, self._protocol.STEADY)
        self._unshown = True

    def begin(self, kind: int, target_mv: int) -> None:
        """Starts a session of the owner's in place of the one that may be going on."""
        self.end()
        self.guided = _session_of(kind, target_mv, self)
        self._judge_anew()

    def end(self) -> str:
        """Ends the owner's session; how it went, "" when there was none."""
        guided = self.guided
        if guided is None:
            return ""
        self.guided = None
        guided.close(self.packs)
        self._judge_anew()
        return guided.result(self.packs[0].telemetry, self.uptime_s)

    def _judge_anew(self) -> None:
        self._forgot = True  # everything is judged in the next round, new values or not
        self._unshown = True

    def acknowledge(self) -> None:
        """The owner has heard: silence until something new is set."""
        self.status.muted = True

    def render(self, now: int) -> int:
        """Light and buzzer for `now`. Returns ms until the next edge of either."""
        return min(self.led.render(self.status, now), self.buzzer.render(self.status, now))

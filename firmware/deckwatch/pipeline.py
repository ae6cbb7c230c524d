"""From bytes to alerts: the page to read first. Everything is a plain call; nothing is queued, nothing allocates after start.

    feed(port, buf, n, now)  bytes came in on a line  -> framer -> protocol -> telemetry
    line(port, state, now)   a wire changed its level -> link; off and on again forget what was known
    tick(now)                meters, guardrails, status; returns the ms after which it wants to be called again
    render(now)              light and buzzer; returns the ms until their next edge

`now` is a millisecond tick (ticks.py). The sink is told `on_alert(alerts, code)` whenever an alert is set, changes, clears or becomes unknown.
"""

from micropython import const

from deckwatch import status
from deckwatch.alert import OK, SET, UNKNOWN, WARN
from deckwatch.framer import Framer
from deckwatch.guardrails.alerts import Alerts
from deckwatch.guardrails.judge import Judge, Rules
from deckwatch.guardrails.table import CODES
from deckwatch.meters.cells import Cells
from deckwatch.meters.link import PORTS, Link
from deckwatch.meters.probes import Probes
from deckwatch.meters.reports import Reports
from deckwatch.meters.session import Session
from deckwatch.outputs.buzzer import Buzzer
from deckwatch.outputs.led import Led
from deckwatch.status import Status
from deckwatch.telemetry import Telemetry
from deckwatch.ticks import age_ms

_SECOND_MS = const(1000)  # everything is judged anew at least this often, so that staleness shows
_HOUR_S = const(3600)

_LOOK = (status.FINE, status.INFO, status.WARN, status.ALARM)  # by alert level


def load_protocol(family: str):
    """The protocol module of a family named in index.py."""
    return __import__("deckwatch.protocols." + family, None, None, ("decode",))


def _memory_of(protocol, config):
    """What a family keeps from frame to frame, one object per line; None for families that need nothing."""
    if not hasattr(protocol, "Memory"):
        return None
    memory = protocol.Memory()
    if hasattr(memory, "configure"):
        memory.configure(config)
    return memory


class Pack:
    """One battery: what is known of it, the meters that derive more, and its judge."""

    def __init__(self, number: int, config, protocol, rules, sink) -> None:
        self.telemetry = Telemetry()
        self.telemetry.ttl_ms = config.fresh_ms
        self.meters = (
            Session(),
            Cells(config.series, config.full_mv, config.ghost_cell_mv),
            Probes(protocol.OPEN_DC, protocol.SHORT_DC),
            Reports(),
        )
        self.judge = Judge(rules)
        self.alerts = Alerts(number, self.judge, sink)

    def forget(self) -> None:
        """The scooter was switched off."""
        self.telemetry.forget()
        for meter in self.meters:
            meter.reset()

    def saturate(self, now: int) -> None:
        """Keeps old stamps old across the tick wrap."""
        self.telemetry.saturate(now)
        self.judge.saturate(now)
        self.alerts.saturate(now)


class Pipeline:
    """The core of the dongle for one line of one family.

    packs: Pack per battery, the first also carries controller and link slots. link: line state and quality. unknown: whole, valid frames
    of an unknown kind. decode_errors: decoders that raised, a bug; with `strict` (tests) it is raised.
    """

    def __init__(self, config, sink, strict: bool = False) -> None:
        self.config = config
        self._protocol = load_protocol(config.family)
        config.steady = self._protocol.STEADY
        self._sink = sink
        self._strict = strict
        rules = Rules(config)
        self._group = rules.group
        self._expected = bytes([config.expects(code) for code in range(len(CODES))])
        self.packs = [Pack(number, config, self._protocol, rules, self) for number in range(config.packs)]
        self._telemetries = [pack.telemetry for pack in self.packs]
        self._memory = _memory_of(self._protocol, config)
        self.framers = [Framer(self._protocol.FRAMING, self, port) for port in range(len(PORTS))]
        self.link = Link(self.framers)
        self.status = Status()
        self.led = Led()
        self.buzzer = Buzzer()
        self.unknown = 0
        self.decode_errors = 0
        self.uptime_s = 0
        self._fresh = False  # a frame brought values since the last round
        self._news = False  # an alert was set or got worse in this round
        self._due_ms = 0
        self._started = False
        self._round_at = 0  # last round of judging
        self._second_at = 0  # last whole round

    def feed(self, port: int, buf, n: int, now: int) -> None:
        """Bytes buf[0:n] were received on `port` up to `now`; buf is framer.CHUNK bytes long."""
        self.framers[port].feed(buf, n, now)

    def line(self, port: int, state: int, now: int) -> None:
        """The wire of `port` was seen to change (link.IDLE, LOW, BREAK, OVERRUN)."""
        self.framers[port].lose(now)
        if self.link.line(port, state):
            for pack in self.packs:
                pack.forget()
            self._fresh = True

    def on_frame(self, framer) -> None:
        """A framer has a checked frame (called during feed)."""
        frame = framer.frame
        for telemetry in self._telemetries:
            telemetry.begin(frame.now)
        try:
            self._protocol.decode(frame, self._telemetries, self._memory)
        except Exception:
            self.decode_errors += 1
            if self._strict:
                raise
        for telemetry in self._telemetries:
            if telemetry.end():
                self._fresh = True
        if frame.kind == "unknown":
            self.unknown += 1
        self.link.heard(frame, framer.port)

    def on_alert(self, alerts, code: int) -> None:
        """An alert changed (called during tick)."""
        if alerts.state[code] == SET:
            self._news = True
        self._sink.on_alert(alerts, code)

    def tick(self, now: int) -> int:
        """One round, when there is something to judge. Returns ms until the next one is due."""
        wait = _SECOND_MS
        for framer in self.framers:
            pending = framer.idle(now)
            if pending and pending < wait:
                wait = pending
        if not self._started:
            self._started = True
            self._second_at = self._round_at = now
            self._fresh = True
        whole = age_ms(now, self._second_at) >= _SECOND_MS
        if whole:
            self._pass_time(now)
        if whole or self._fresh or age_ms(now, self._round_at) >= self._due_ms:
            self._due_ms = self._judge(now, whole)
            self._round_at = now
        left = self._due_ms - age_ms(now, self._round_at)
        return max(1, min(wait, left, _SECOND_MS - age_ms(now, self._second_at)))

    def _pass_time(self, now: int) -> None:
        seconds = age_ms(now, self._second_at) // _SECOND_MS
        self._second_at = (self._second_at + seconds * _SECOND_MS) & (1 << 30) - 1
        if self.uptime_s // _HOUR_S != (self.uptime_s + seconds) // _HOUR_S:
            for pack in self.packs:
                pack.saturate(now)
            self.status.saturate(now)
        self.uptime_s += seconds

    def _judge(self, now: int, whole: bool) -> int:
        self._fresh = False
        wait = self.link.update(self.packs[0].telemetry, now)
        for pack in self.packs:
            for meter in pack.meters:
                meter.update(pack.telemetry, now)
            wait = pack.judge.update(pack.telemetry, now, whole, wait)
            pack.alerts.update(pack.telemetry, now)
        self._show(now)
        return wait

    def _show(self, now: int) -> None:
        """The worst alert of all packs decides light and sound."""
        level = lost = OK
        group = lost_group = 0
        for pack in self.packs:
            alerts = pack.alerts
            for code in range(len(CODES)):
                if alerts.state[code] == SET and alerts.level[code] > level:
                    level = alerts.level[code]
                    group = self._group[code]
                elif alerts.state[code] == UNKNOWN and alerts.level[code] > lost:
                    lost = alerts.level[code]
                    lost_group = self._group[code]
        if level >= WARN:
            look = _LOOK[level]
        elif self.link.is_off:
            look = status.OFF
            group = 0
        elif lost >= WARN:
            look = status.UNKNOWN
            group = lost_group
        elif self._unwatched():
            look = status.PARTIAL if self._any_watched() else status.NO_DATA
            group = 0
        else:
            look = _LOOK[level]
        self.status.show(look, group, self._news, now)
        self._news = False

    def _unwatched(self) -> bool:
        """Is something not watched that could be? A second pack counts once it has spoken."""
        for pack in self.packs:
            if pack.alerts.pack == 0 or pack.telemetry.frames:
                for code in range(len(CODES)):
                    if self._expected[code] and not pack.alerts.watched[code]:
                        return True
        return False

    def _any_watched(self) -> bool:
        watched = self.packs[0].alerts.watched
        for code in range(len(CODES)):
            if self._expected[code] and watched[code]:
                return True
        return False

    def watched_groups(self, flags) -> None:
        """flags[group - 1] = 1 where all that can be watched of a hazard group is watched, or nothing of it can be."""
        for group in range(len(flags)):
            flags[group] = 1
        alerts = self.packs[0].alerts
        for code in range(len(CODES)):
            if self._expected[code] and not alerts.watched[code]:
                flags[self._group[code] - 1] = 0

    def acknowledge(self) -> None:
        """The owner has heard: silence until something new is set."""
        self.status.muted = True

    def render(self, now: int) -> int:
        """Light and buzzer for `now`. Returns ms until the next edge of either."""
        return min(self.led.render(self.status, now), self.buzzer.render(self.status, now))

"""What the dongle tells on its USB console, for mpremote, packlab doctor and whoever watches:
alerts, what is watched, live values.

Lines of words: `alert CODE STATE LEVEL value V limit L SLOT where N peak P count C pack N`, `watch
PACK CODE...`, `look LOOK GROUP`, `live PACK slot=value...`, `link counter=value...`. They are made
between rounds of judging, never inside one.
"""

from micropython import const

from deckwatch.alert import LEVELS, STATES
from deckwatch.status import LOOKS
from deckwatch.telemetry import FIRST_LASTING, KEPT, NO_PROBE, NOWHERE, SLOTS

_ROOM = const(32)


class Console:
    """Remembers what changed and says it with `say` (print). codes: the guardrails' names.
    live_ms:
    how often values are told, 0 = never."""

    def __init__(self, say, codes: tuple, live_ms: int) -> None:
        self._say = say
        self._names = codes
        self.live_ms = live_ms
        self._alerts = [None] * _ROOM
        self._codes = bytearray(_ROOM)
        self._first = 0
        self._waiting = 0
        self._look = -1
        self._group = -1
        self.missed = 0

    def note(self, alerts, code: int) -> None:
        """An alert changed. Called inside a round: allocates nothing; beyond _ROOM changes between
        two calls of tell() are only counted."""
        if self._waiting == _ROOM:
            self.missed += 1
            return
        place = (self._first + self._waiting) % _ROOM
        self._alerts[place] = alerts
        self._codes[place] = code
        self._waiting += 1

    def tell(self, core) -> None:
        """Says what has changed since the last call."""
        while self._waiting:
            alerts = self._alerts[self._first]
            code = self._codes[self._first]
            self._first = (self._first + 1) % _ROOM
            self._waiting -= 1
            self._say(_alert(alerts, code, self._names[code]))
        for pack in core.packs:
            if pack.alerts.watch_changed:
                pack.alerts.watch_changed = False
                self._say(_watch(pack.alerts, self._names))
        shown = core.status
        if shown.look != self._look or shown.group != self._group:
            self._look = shown.look
            self._group = shown.group
            self._say("look %s %d" % (LOOKS[shown.look], shown.group))

    def tell_missing(self, alerts) -> None:
        """Says what is not watched."""
        missing = [name for code, name in enumerate(self._names) if not alerts.watched[code]]
        self._say("not watched: %s" % " ".join(missing))

    def tell_live(self, core, now: int) -> None:
        """Says the fresh values of each pack that has spoken, and the state of the line."""
        for pack in core.packs:
            if pack.telemetry.frames:
                self._say(_live(pack.alerts.pack + 1, pack.telemetry, now))
        self._say(_link(core))


def _alert(alerts, code: int, name: str) -> str:
    return "alert %s %s %s value %d limit %d %s where %d peak %d count %d pack %d" % (
        name,
        STATES[alerts.state[code]],
        LEVELS[alerts.level[code]],
        alerts.value[code],
        alerts.limit[code],
        SLOTS[alerts.slot[code]],
        alerts.where[code],
        alerts.peak[code],
        alerts.count[code],
        alerts.pack + 1,
    )


def _watch(alerts, names: tuple) -> str:
    watched = [names[code] for code in range(len(names)) if alerts.watched[code]]
    return "watch %d %s" % (alerts.pack + 1, " ".join(watched))


def _live(number: int, t, now: int) -> str:
    parts = ["live %d" % number]
    for slot in range(NOWHERE + 1, KEPT):
        if slot == FIRST_LASTING:
            if t.cells:
                cells = [str(t.cell_mv[cell]) for cell in range(t.cells)]
                parts.append("cell_mv=" + ",".join(cells))
            if t.probes:
                temps = [_temp(t.temp_dc[probe]) for probe in range(t.probes)]
                parts.append("temp_dc=" + ",".join(temps))
        if t.fresh(slot, now) and not SLOTS[slot].startswith("faults_"):
            parts.append("%s=%d" % (SLOTS[slot], t.value[slot]))
    return " ".join(parts)


def _temp(dc: int) -> str:
    return "-" if dc == NO_PROBE else str(dc)


def _link(core) -> str:
    parts = ["link"]
    framers = [framer for framer in core.framers if framer is not None]
    for name in ("frames", "bad_check", "bad_length", "cut", "noise", "damaged"):
        parts.append("%s=%d" % (name, sum([getattr(framer, name) for framer in framers])))
    link = core.link
    parts.append("unknown=%d requests=%d replies=%d" % (core.unknown, link.requests, link.replies))
    parts.append("overruns=%d score=%d worst=%d" % (link.overruns, link.score, link.worst))
    return " ".join(parts)

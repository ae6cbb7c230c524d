"""What the dongle tells on its USB console, for mpremote, packlab doctor and whoever watches:
alerts, what is watched, live values.

Lines of words: `alert CODE STATE LEVEL value V limit L SLOT where N peak P count C pack N`, `watch
PACK CODE...`, `look LOOK GROUP`, `live PACK slot=value...`, `link counter=value...`. They are made
between rounds of judging, never inside one.
"""

from micropython import const

from deckwatch.alert import LEVELS, STATES
from deckwatch.names import name_of
from deckwatch.status import LOOKS
from deckwatch.telemetry import SLOTS

_ROOM = const(32)
_WORDS = const(16)  # told at once, some 300 bytes
_PACK = const(64)  # a change is kept as its code, and so much more for the second pack
SLOT_NAMES = "".join([slot + " " for slot in SLOTS])


class Console:
    """Remembers what changed and says it with `say` (print). names: the guardrails', each with a
    space after it. live_ms: how often values are told, 0 = never."""

    def __init__(self, say, names: str, live_ms: int) -> None:
        self._say = say
        self._names = names
        self.live_ms = live_ms
        self._changes = bytearray(_ROOM)
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
        self._changes[place] = alerts.pack * _PACK + code
        self._waiting += 1

    def tell(self, core) -> None:
        """Says what has changed since the last call."""
        while self._waiting:
            change = self._changes[self._first]
            alerts = core.packs[change // _PACK].alerts
            code = change % _PACK
            self._first = (self._first + 1) % _ROOM
            self._waiting -= 1
            self._say(_alert(alerts, code, name_of(self._names, code)))
        for pack in core.packs:
            if pack.alerts.watch_changed:
                pack.alerts.watch_changed = False
                watched = _named(self._names, pack.alerts.watched, 1)
                self._tell("watch %d" % (pack.alerts.pack + 1), watched)
        shown = core.status
        if shown.look != self._look or shown.group != self._group:
            self._look = shown.look
            self._group = shown.group
            self._say("look %s %d" % (LOOKS[shown.look], shown.group))

    def tell_missing(self, alerts) -> None:
        """Says what is not watched."""
        self._tell("not watched:", _named(self._names, alerts.watched, 0))

    def tell_live(self, core, now: int) -> None:
        """Says the fresh values of each pack that has spoken, and the state of the line."""
        from deckwatch.outputs.live import counters, values

        for pack in core.packs:
            if pack.telemetry.frames:
                words = values(pack.telemetry, now)
                self._tell("live %d" % (pack.alerts.pack + 1), words)
        self._tell("link", counters(core))

    def _tell(self, head: str, words) -> None:
        """A long line, a few words at a time: in one piece it might not fit between what else the
        heap holds, and each piece costs a call."""
        piece = [head]
        for word in words:
            piece.append(word)
            if len(piece) > _WORDS:
                self._say(" ".join(piece), end="")
                piece = [""]
        self._say(" ".join(piece))


def _alert(alerts, code: int, name: str) -> str:
    return "alert %s %s %s value %d limit %d %s where %d peak %d count %d pack %d" % (
        name,
        STATES[alerts.state[code]],
        LEVELS[alerts.level[code]],
        alerts.value[code],
        alerts.limit[code],
        name_of(SLOT_NAMES, alerts.slot[code]),
        alerts.where[code],
        alerts.peak[code],
        alerts.count[code],
        alerts.pack + 1,
    )


def _named(names: str, marks, mark: int):
    """The names whose mark is this one."""
    for number in range(names.count(" ")):
        if marks[number] == mark:
            yield name_of(names, number)

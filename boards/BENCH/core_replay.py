"""Replays a line through the core on whatever interpreter runs this: CPython, unix port 64 or 32
bit; the trace must be the same.

Standard input: one JSON line of settings ({"config": {...}, "telemetry": bool, "edges": bool,
"lock": bool, "memory": hex of what is remembered of the first pack, "unix_s": time of day at the
start}), then the line feed, `t_us port hex`, `t_us port !level`, `t_us humidity PCT` (the
dongle's own sensor), or `t_us clock -` (time passes, nothing comes), sorted by time. Standard
output: the trace, JSON lines. `lock` locks the heap from feed to render, so that any allocation
there ends the run with MemoryError. Started by packlab replay.
"""

import binascii
import json
import sys

import events
import micropython
from deckwatch import config
from deckwatch.alert import SET
from deckwatch.framer import CHUNK
from deckwatch.guardrails.table import CODES
from deckwatch.meters.link import LINE_STATES, PORTS
from deckwatch.pipeline import Pipeline

_TICKS = (1 << 30) - 1
_PENDING = 64


class Replay:
    """One run. Its time `ms` counts on from 0; the core gets it wrapped as on the chip."""

    def __init__(self, settings):
        self._telemetry = settings.get("telemetry", False)
        self._edges = settings.get("edges", False)
        self._locked = settings.get("lock", False)
        self._changed_pack = bytearray(_PENDING)
        self._changed_code = bytearray(_PENDING)
        self._changes = 0
        self._buf = bytearray(CHUNK)
        loaded = config.load(settings.get("config", {}))
        self.core = Pipeline(loaded, self, settings.get("strict", True))
        if "memory" in settings:
            self.core.recall(0, binascii.unhexlify(settings["memory"]))
        if "unix_s" in settings:
            self.core.clock(settings["unix_s"], 0)
        session = settings.get("session")
        if session:
            self.core.begin(session[0], session[1])
        self._tick_at = 0
        self._render_at = 0
        self._look = -1
        self._group = -1
        self._colour = -1
        self._tone = 0
        self._silent_since = -1000
        self._told_frames = [0] * len(self.core.packs)
        self._told_at = -1000
        self._ever_watched = bytearray(len(CODES))
        self._highest = 0
        self._first = None
        self.ms = 0

    def on_alert(self, alerts, code):
        """Called inside the locked stretch: remember, tell later."""
        self._changed_pack[self._changes] = alerts.pack
        self._changed_code[self._changes] = code
        self._changes += 1

    def run_to(self, ms):
        """All rounds and renders that fall due before `ms`; time begins with the first event."""
        if self._first is None:
            self._first = self._tick_at = self._render_at = ms
        while True:
            due = min(self._tick_at, self._render_at)
            if due >= ms:
                break
            self._step(due, due >= self._tick_at)
        self.ms = ms

    def feed(self, ms, port, data):
        """A chunk arrived at `ms`."""
        self.run_to(ms)
        self.ms = ms
        now = ms & _TICKS
        for start in range(0, len(data), CHUNK):
            part = data[start : start + CHUNK]
            self._buf[: len(part)] = part
            self._lock()
            self.core.feed(port, self._buf, len(part), now)
            self._unlock()
        self._step(ms, True)

    def line(self, ms, port, state):
        """A wire changed."""
        self.run_to(ms)
        self.ms = ms
        now = ms & _TICKS
        self._lock()
        self.core.line(port, state, now)
        self._unlock()
        self._step(ms, True)

    def humidity(self, ms, pct):
        """The sensor was read."""
        self.run_to(ms)
        self.ms = ms
        now = ms & _TICKS
        self._lock()
        self.core.humidity(pct, now)
        self._unlock()
        self._step(ms, True)

    def _step(self, ms, with_tick):
        now = ms & _TICKS
        core = self.core
        self._lock()
        if with_tick:
            tick_wait = core.tick(now)
        render_wait = core.render(now)
        self._unlock()
        if with_tick:
            self._tick_at = ms + tick_wait
        self._render_at = ms + render_wait
        self._tell(ms)

    def _lock(self):
        if self._locked:
            micropython.heap_lock()

    def _unlock(self):
        if self._locked:
            micropython.heap_unlock()

    def _tell(self, ms):
        core = self.core
        for k in range(self._changes):
            alerts = core.packs[self._changed_pack[k]].alerts
            code = self._changed_code[k]
            if alerts.state[code] == SET and alerts.level[code] > self._highest:
                self._highest = alerts.level[code]
            say(events.alert(ms, alerts, code))
        self._changes = 0
        for pack in core.packs:
            if pack.alerts.watch_changed:
                pack.alerts.watch_changed = False
                self._note_watched(pack.alerts)
                say_pieces(events.watch(ms, pack.alerts))
        self._tell_outputs(ms)
        if self._telemetry and ms - self._told_at >= 1000:
            self._tell_telemetry(ms)

    def _tell_outputs(self, ms):
        shown = self.core.status
        if shown.look != self._look or shown.group != self._group:
            self._look = shown.look
            self._group = shown.group
            say(events.led(ms, shown))
        tone = self.core.buzzer.tone_hz
        colour = self.core.led.colour
        if self._edges and (tone != self._tone or colour != self._colour):
            say(events.edge(ms, colour, tone))
        self._colour = colour
        if tone and not self._tone and ms - self._silent_since >= 500:
            say(events.buzzer(ms, shown, tone))
        if self._tone and not tone:
            self._silent_since = ms
        self._tone = tone

    def _tell_telemetry(self, ms):
        for number in range(len(self.core.packs)):
            t = self.core.packs[number].telemetry
            if t.frames != self._told_frames[number]:
                self._told_frames[number] = t.frames
                self._told_at = ms
                say_pieces(events.telemetry(ms, number, t, ms & _TICKS))

    def _note_watched(self, alerts):
        for code in range(len(CODES)):
            if alerts.watched[code]:
                self._ever_watched[code] = 1

    def finish(self):
        """The summary line."""
        never = [CODES[code] for code in range(len(CODES)) if not self._ever_watched[code]]
        seconds_ms = self.ms - (self._first or 0)
        say_pieces(events.summary(self.core, seconds_ms, never, self._highest))


def say(text):
    """One line of the trace."""
    sys.stdout.write(text)
    sys.stdout.write("\n")


def say_pieces(pieces):
    """One line that is never whole in memory."""
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.write("\n")


def main():
    """Settings and feed from standard input, trace to standard output."""
    source = sys.stdin
    replay = Replay(json.loads(source.readline()))
    while True:
        line = source.readline()
        if not line:
            break
        t_us, port, data = line.split()
        ms = int(t_us) // 1000
        if port == "clock":
            replay.run_to(ms)
            continue
        if port == "humidity":
            replay.humidity(ms, int(data))
            continue
        port = PORTS.index(port)
        if data.startswith("!"):
            replay.line(ms, port, LINE_STATES.index(data[1:]))
        else:
            replay.feed(ms, port, binascii.unhexlify(data))
    replay.finish()


if __name__ == "__main__":
    main()

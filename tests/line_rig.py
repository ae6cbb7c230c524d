"""A made scooter line in front of the whole pipeline, on a clock that a test moves. Every frame
here is made, none was recorded.

    line = LineRig()
    line.ride(10, current_ma=-5000)     polls and answers for 10 s, as an M365's line has them
    line.cells([3700] * 10)             an app reads the cells
    line.advance(500)                   nothing comes
    line.events, line.look, line.beeps
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from deckwatch import config
from deckwatch.alert import LEVELS, STATES
from deckwatch.framer import CHUNK
from deckwatch.guardrails.table import CODES
from deckwatch.meters.link import LINE_STATES, PORTS
from deckwatch.pipeline import Pipeline
from deckwatch.status import LOOKS
from deckwatch.telemetry import INDEX

TICKS = 1 << 30
POLL_MS = 210


def xiaomi(address: int, command: int, argument: int, payload: bytes) -> bytes:
    """A 55 AA frame."""
    body = bytes([len(payload) + 2, address, command, argument]) + payload
    return b"\x55\xaa" + body + (0xFFFF - sum(body)).to_bytes(2, "little")


def ninebot(source: int, destination: int, command: int, argument: int, payload: bytes) -> bytes:
    """A 5A A5 frame."""
    body = bytes([len(payload), source, destination, command, argument]) + payload
    return b"\x5a\xa5" + body + (0xFFFF - sum(body)).to_bytes(2, "little")


def status(
    current_ma: int = 0,
    pack_mv: int = 37000,
    temps_c: tuple[int, int] = (23, 23),
    bits: int = 1,
    soc_pct: int = 60,
) -> bytes:
    """Payload of words 0x30 to 0x35."""
    words = (bits, 4700, soc_pct, -current_ma // 10 & 0xFFFF, pack_mv // 10)
    return b"".join(word.to_bytes(2, "little") for word in words) + bytes(
        celsius + 20 for celsius in temps_c
    )


def words(values: list[int]) -> bytes:
    """16-bit words, such as cells."""
    return b"".join(value.to_bytes(2, "little") for value in values)


class Told(NamedTuple):
    """One change of an alert."""

    ms: int
    pack: int
    code: str
    state: str
    level: str


class LineRig:
    """events: changes of alerts. looks: (ms, look, group) as it changed. beeps: ms at which the
    buzzer began to sound. feed_lines: all that came in, as the core's replay takes it."""

    def __init__(
        self,
        start: int = 0,
        memory: bytes = b"",
        unix_s: int = 0,
        count: int | None = None,
        **options: Any,
    ) -> None:
        settings = config.load({"profile": "m365", **options})
        self.core = Pipeline(settings, self, strict=True, count=count)
        if memory:
            assert self.core.recall(0, memory)
        if unix_s:
            assert self.core.clock(unix_s, start % TICKS)
        self.events: list[Told] = []
        self.looks: list[tuple[int, str, int]] = []
        self.beeps: list[int] = []
        self.feed_lines: list[str] = []
        self.ms = 0
        self._start = start
        self._tick_at = self._render_at = 0
        self._tone = 0

    @property
    def now(self) -> int:
        """The tick of this moment."""
        return (self._start + self.ms) % TICKS

    def on_alert(self, alerts: Any, code: int) -> None:
        """Called by Alerts."""
        state, level = STATES[alerts.state[code]], LEVELS[alerts.level[code]]
        self.events.append(Told(self.ms, alerts.pack, CODES[code], state, level))

    # --- what the line does ---

    def hear(self, data: bytes, port: str = "bms_tx") -> None:
        """Bytes come in; a round follows."""
        self._feed(port, data.hex())
        for at in range(0, len(data), CHUNK):
            part = data[at : at + CHUNK]
            buf = bytearray(part.ljust(CHUNK, b"\0"))
            self.core.feed(PORTS.index(port), buf, len(part), self.now)
        self._step(True)

    def level(self, state: str, *ports: str) -> None:
        """Wires change their level; a round follows each."""
        for port in ports or ("bms_tx", "host_tx"):
            self._feed(port, f"!{state}")
            self.core.line(PORTS.index(port), LINE_STATES.index(state), self.now)
            self._step(True)

    def humidity(self, pct: int) -> None:
        """The dongle's own sensor is read."""
        self._feed("humidity", str(pct))
        self.core.humidity(pct, self.now)
        self._step(True)

    def ask(self, register: int = 0x30, wanted: int = 12) -> None:
        """The controller asks the battery."""
        self.hear(xiaomi(0x22, 0x01, register, bytes([wanted])), "host_tx")

    def answer(self, payload: bytes, register: int = 0x30) -> None:
        """The battery tells words."""
        self.hear(xiaomi(0x25, 0x01, register, payload))

    def cells(self, cells: list[int]) -> None:
        """The battery tells its cells."""
        self.answer(words(cells), 0x40)

    def error(self, code: int) -> None:
        """The controller tells its error code on the dash line."""
        self.hear(xiaomi(0x21, 0x64, 0x00, bytes([0, 50, 0, 0, 0, code])), "dash")

    def poll(self, **values: Any) -> None:
        """One request and its answer; 210 ms pass."""
        self.ask()
        self.answer(status(**values))
        self.advance(POLL_MS)

    def ride(self, seconds: float, cells: list[int] | None = None, **values: Any) -> None:
        """Polls for a while; with `cells` an app reads them in every fifth, and their sum is the
        pack's voltage where no other is given."""
        if cells:
            values.setdefault("pack_mv", sum(cells))
        for number in range(round(seconds * 1000 / POLL_MS)):
            if cells and number % 5 == 0:
                self.cells(cells)
            self.poll(**values)

    def ask_in_vain(self, seconds: float, every_ms: int = POLL_MS) -> None:
        """Requests without answers."""
        for _ in range(round(seconds * 1000 / every_ms)):
            self.ask()
            self.advance(every_ms)

    def advance(self, ms: int) -> None:
        """Time passes: rounds and renders as they fall due."""
        end = self.ms + ms
        while True:
            due = min(self._tick_at, self._render_at)
            if due > end:
                break
            self.ms = due
            self._step(due >= self._tick_at)
        self.ms = end
        self._feed("clock", "-")

    def _feed(self, port: str, data: str) -> None:
        self.feed_lines.append(f"{self._start + self.ms}000 {port} {data}\n")

    def _step(self, with_tick: bool) -> None:
        if with_tick:
            self._tick_at = self.ms + self.core.tick(self.now)
        self._render_at = self.ms + self.core.render(self.now)
        shown = self.core.status
        look = (LOOKS[shown.look], shown.group)
        if not self.looks or look != self.looks[-1][1:]:
            self.looks.append((self.ms, *look))
        tone = self.core.buzzer.tone_hz
        if tone and not self._tone:
            self.beeps.append(self.ms)
        self._tone = tone

    # --- what came of it ---

    @property
    def look(self) -> str:
        """What all outputs show now."""
        return self.looks[-1][1]

    def state(self, code: str, pack: int = 0) -> tuple[str, str]:
        """State and level of an alert."""
        alerts, number = self.core.packs[pack].alerts, CODES.index(code)
        return STATES[alerts.state[number]], LEVELS[alerts.level[number]]

    def watched(self, pack: int = 0) -> set[str]:
        """Guardrails that are watched now."""
        alerts = self.core.packs[pack].alerts
        return {CODES[code] for code in range(len(CODES)) if alerts.watched[code]}

    def value(self, slot: str, pack: int = 0) -> int | None:
        """What is known of a slot now."""
        t, number = self.core.packs[pack].telemetry, INDEX[slot]
        return int(t.value[number]) if t.fresh(number, self.now) else None

    def told(self, code: str) -> list[Told]:
        """What the sink was told of one guardrail."""
        return [event for event in self.events if event.code == code]

    def beep_groups(self, pause_ms: int = 500) -> Iterator[int]:
        """When each group of beeps began."""
        last = -pause_ms
        for at in self.beeps:
            if at - last >= pause_ms:
                yield at
            last = at

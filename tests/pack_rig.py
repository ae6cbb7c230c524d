"""One pack as the pipeline makes it, meters, judge and alerts, on a clock that a test moves.

rig = PackRig(cell_spread_warn_mv=80)
rig.frame(current_ma=0, cells=[3700] * 10)      measured values come in, a round follows
rig.judge("highest_mv", 4250)                   a derived value is put in place of a meter's
rig.advance(4999)                               time passes as for the pipeline
rig.events, rig.state("cell_spread")
"""

from typing import Any, NamedTuple

from deckwatch import config
from deckwatch.alert import LEVELS, STATES
from deckwatch.guardrails.rules import Rules
from deckwatch.guardrails.table import CODES
from deckwatch.pipeline import Pack
from deckwatch.protocols import xiaomi
from deckwatch.telemetry import INDEX, Telemetry

TICKS = 1 << 30
SECOND_MS = 1000


class Told(NamedTuple):
    """One change of an alert; `ms` counts from the rig's start."""

    ms: int
    code: str
    state: str
    level: str


class PackRig:
    """events: what the sink was told. ms: time since the start; `now`: the tick it stands for."""

    def __init__(self, start: int = 0, number: int = 0, **options: Any) -> None:
        self.config = config.load({"profile": "m365", **options})
        self.pack = Pack(number, self.config, xiaomi, Rules(self.config), self)
        self.t = self.pack.telemetry
        self.alerts = self.pack.alerts
        self.events: list[Told] = []
        self.ms = 0
        self._start = start
        self._metering = True
        self._due_ms = 0

    @property
    def now(self) -> int:
        """The tick of this moment."""
        return (self._start + self.ms) % TICKS

    def on_alert(self, alerts: Any, code: int) -> None:
        """Called by Alerts."""
        state, level = STATES[alerts.state[code]], LEVELS[alerts.level[code]]
        self.events.append(Told(self.ms, CODES[code], state, level))

    def frame(
        self, *, cells: list[int] | None = None, temps: list[int] | None = None, **slots: int
    ) -> int:
        """A frame brings measured values; a round follows. Returns what the judge returned."""
        self.hear(cells=cells, temps=temps, **slots)
        return self.round()

    def hear(
        self,
        *,
        cells: list[int] | dict[int, int] | None = None,
        temps: list[int] | dict[int, int] | None = None,
        **slots: int,
    ) -> None:
        """A frame without a round; a dict names cells or probes from 0."""
        self.t.begin(self.now)
        for name, value in slots.items():
            self.t.set(INDEX[name], value)
        for cell, mv in _numbered(cells):
            self.t.set_cell(cell, mv)
        for probe, dc in _numbered(temps):
            self.t.set_temp(probe, dc)
        self.t.end()

    def put(self, slot: str, value: int, where: int = 0) -> None:
        """A new sample of any slot, past the meters."""
        number = INDEX[slot]
        self.t.derive(number, value, where, self.now, self.t.count[number] + 1)

    def judge(self, slot: str, value: int, where: int = 0) -> int:
        """A new sample of a derived slot and a round without meters, now and from here on."""
        self._metering = False
        self.put(slot, value, where)
        return self.round()

    def round(self, whole: bool = False) -> int:
        """One round, as Pipeline does it."""
        if self._metering:
            for meter in self.pack.meters:
                meter.update(self.t, self.now)
        wait = self.pack.judge.update(self.t, self.now, whole, SECOND_MS)
        self.alerts.update(self.t, self.now)
        self._due_ms = self.ms + wait
        return wait

    def advance(self, ms: int) -> None:
        """Time passes: a whole round each second, another whenever the judge asked for one."""
        end = self.ms + ms
        while self.ms < end:
            second = (self.ms // SECOND_MS + 1) * SECOND_MS
            due = self._due_ms if self._due_ms > self.ms else second
            self.ms = min(end, second, due)
            if self.ms in (second, due):
                self.round(self.ms == second)

    def repeat(self, seconds: float, every_ms: int = 200, **frame: Any) -> None:
        """The same frame again and again, first now; ends `every_ms` after the last."""
        for _ in range(round(seconds * 1000 / every_ms)):
            self.frame(**frame)
            self.advance(every_ms)

    def value(self, slot: str) -> int | None:
        """What is known of a slot now; None when it is unknown or stale."""
        number = INDEX[slot]
        return int(self.t.value[number]) if self.t.fresh(number, self.now) else None

    def where(self, slot: str) -> int:
        """The cell, probe, fault or error that goes with a derived slot."""
        return int(self.t.where[INDEX[slot]])

    def state(self, code: str) -> tuple[str, str]:
        """State and level of an alert."""
        number = CODES.index(code)
        return STATES[self.alerts.state[number]], LEVELS[self.alerts.level[number]]

    def record(self, code: str, field: str) -> int:
        """One field of an alert's record."""
        return int(getattr(self.alerts, field)[CODES.index(code)])

    def told(self, code: str) -> list[Told]:
        """What the sink was told of one guardrail."""
        return [event for event in self.events if event.code == code]


class MeterRig:
    """One meter alone: what it takes from others is told to it as if it were measured.

    rig = MeterRig(Stuck(10, 4200))
    rig.tell(highest_mv=3700, cells=[3700] * 10)    told now; the meter looks
    rig.tell(after=500, current_ma=0)               the same half a second later
    rig.value("stuck_cell_mv"), rig.where("stuck_cell_mv"), rig.count("stuck_cell_mv")
    """

    def __init__(self, meter: Any, start: int = 0) -> None:
        self.meter = meter
        self.t = Telemetry()
        self.now = start % TICKS

    def tell(
        self,
        after: int = 0,
        *,
        cells: list[int] | dict[int, int] | None = None,
        temps: list[int] | dict[int, int] | None = None,
        **slots: int,
    ) -> Any:
        """Time passes, values come in. Returns what the meter does."""
        self.now = (self.now + after) % TICKS
        self.t.begin(self.now)
        for name, value in slots.items():
            self.t.set(INDEX[name], value)
        for cell, mv in _numbered(cells):
            self.t.set_cell(cell, mv)
        for probe, dc in _numbered(temps):
            self.t.set_temp(probe, dc)
        self.t.end()
        return self.meter.update(self.t, self.now)

    def every(self, ms: int, times: int, **told: Any) -> None:
        """The same so many times more."""
        for _ in range(times):
            self.tell(ms, **told)

    def forget(self) -> None:
        """The scooter is switched off."""
        self.t.forget()
        if hasattr(self.meter, "reset"):
            self.meter.reset()

    def saturate(self) -> None:
        """As the pipeline does now and then."""
        self.t.saturate(self.now)
        if hasattr(self.meter, "saturate"):
            self.meter.saturate(self.now)

    def value(self, slot: str) -> int | None:
        """What is known of a slot now; None when it is unknown or stale."""
        number = INDEX[slot]
        return int(self.t.value[number]) if self.t.fresh(number, self.now) else None

    def where(self, slot: str) -> int:
        """The cell, probe, fault or error that goes with a derived slot."""
        return int(self.t.where[INDEX[slot]])

    def count(self, slot: str) -> int:
        """The number of the slot's sample."""
        return int(self.t.count[INDEX[slot]])


def _numbered(values: list[int] | dict[int, int] | None) -> list[tuple[int, int]]:
    return list(values.items() if isinstance(values, dict) else enumerate(values or []))

"""Plays a fake pack's line into the firmware's decoders on CPython and holds every value that
comes out against the model's; the tests of fake packs use it.

What a dialect can tell, and how finely, is written here by hand from the protocol sheets: the
fakes' own tables are not asked.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from deckwatch.faults import FAULTS, WORD_BITS
from deckwatch.frame import FRAMES_IN
from deckwatch.telemetry import INDEX, NO_PROBE, Telemetry
from families import Heard, listener
from packlab.capture import Chunk, Event, Level
from packlab.fake.bench import Order, build
from packlab.fake.line import InOrder
from packlab.made.readings import Readings, Source

# A value passes as long after it was read: the longest frame (400 ms at 2400 baud) and its
# waiting.
LATE_MS = 650

# After this silence the firmware hands on a frame behind which more might have come.
QUIET_MS = 25

Of = Callable[[Readings], int]


def constant(value: int) -> Of:
    """A value that never changes."""
    return lambda _: value


# What a slot of the firmware's telemetry says of the model.
MODEL: dict[str, Of] = {
    "pack_mv": lambda now: now.pack_mv,
    "current_ma": lambda now: now.current_ma,
    "soc_pct": lambda now: now.soc_pct,
    "remaining_mah": lambda now: now.remaining_mah,
    "full_mah": lambda now: now.full_mah,
    "design_mah": lambda now: now.design_mah,
    "cycles": lambda now: now.cycles,
    "health_pct": lambda now: now.health_pct,
    "charge_fet": lambda now: int(now.charge_fet),
    "discharge_fet": lambda now: int(now.discharge_fet),
    "charging_flag": lambda now: int(now.charging),
    "charger_present": lambda now: int(now.charger_present),
    "mos_temp_dc": lambda now: now.board_dc,
    "board_temp_dc": lambda now: now.board_dc,
    "controller_temp_dc": lambda now: now.board_dc,
    "balance_a": lambda now: sum(1 << number - 1 for number in now.balancing if number <= 16),
    "balance_b": lambda now: sum(1 << number - 17 for number in now.balancing if number > 16),
    "balance_ma": lambda now: now.balance_ma,
    "cell_count": lambda now: len(now.cells_mv),
    "probe_count": lambda now: len(now.temps_dc),
    "cycled_mah": lambda now: now.charged_mah + now.discharged_mah,
    "total_charge_mah": lambda now: now.charged_mah,
    "run_time_s": lambda now: now.run_time_s,
    "supply_mv": lambda now: now.pack_mv,
    "supply_ma": lambda now: -now.load_ma,
}


@dataclass(frozen=True)
class Dialect:
    """slots: how far each may lie from the model's value, at most (half the wire's unit). other:
    slots whose meaning differs from MODEL's. cells: does it tell them; probes: how many it tells.
    temp_dc: how far those may lie. broken: what a broken probe reads, and whether 0.0 °C looks
    like that. faults: the model's fault -> the name under which it comes out, None = it tells
    none; told: the same where it takes more than names. prepare: settings of the owner's.
    settled_ms: from when on it holds."""

    slots: Mapping[str, int]
    other: Mapping[str, Of] = field(default_factory=dict)
    cells: bool = True
    probes: int = 2
    temp_dc: int = 0
    broken: int = NO_PROBE
    zero_is_broken: bool = False
    faults: Mapping[str, str] | None = None
    told: Callable[[Readings], set[str]] | None = None
    prepare: Callable[[Heard], None] | None = None
    settled_ms: int = 0


class Tap:
    """Stands between a pack and its fake and remembers what was read when."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read: deque[tuple[int, int, Readings]] = deque(maxlen=64)  # first and last asked
        self.faults: set[str] = set()

    def at(self, t_us: int) -> Readings:
        """As the source says."""
        now = self._source.at(t_us)
        first_us = t_us
        if self._read and self._read[-1][2] is now:
            first_us = self._read.pop()[0]
        self._read.append((first_us, t_us, now))
        self.faults |= now.faults
        return now

    def lately(self, stamp_ms: int) -> list[Readings]:
        """What a value of that age may have come from."""
        since_us, until_us = 1000 * (stamp_ms - LATE_MS), 1000 * (stamp_ms + 1)
        return [
            now
            for first_us, last_us, now in self._read
            if last_us >= since_us and first_us <= until_us
        ]


@dataclass
class Played:
    """What became of a line: chunks by port, frames decoded, values compared by slot, the packs'
    taps, the ears."""

    chunks: Counter[str]
    compared: Counter[str]
    taps: list[Tap]
    bms: Heard
    host: Heard
    events: list[Event]


class Ears:
    """One for each wire; what they know they share, as in the pipeline."""

    def __init__(self, family: str, packs: int, baud: int) -> None:
        self.bms, self.host = listener(family, packs), listener(family, packs)
        self.host.memory, self.host.packs = self.bms.memory, self.bms.packs
        self._byte_us = 10_000_000 // baud
        self._last_ms = 0

    def silence_ms(self, chunk: Chunk) -> int:
        """Let the silence before the chunk pass; returns when it counted as one, 0 = it did
        not."""
        quiet_ms = self._last_ms + QUIET_MS
        if (chunk.t_us - len(chunk.data) * self._byte_us) // 1000 > quiet_ms:
            for ear in (self.bms, self.host):
                ear.framer.idle(quiet_ms)
        return quiet_ms

    def hear(self, chunk: Chunk) -> int:
        """The chunk into the ear of its port; returns when its last byte was in."""
        self._last_ms = chunk.t_us // 1000
        ear = self.bms if chunk.port == "bms_tx" else self.host
        ear.feed(chunk.data, self._last_ms)
        ear.frames.clear()
        return self._last_ms


def play(
    order: Order,
    dialect: Dialect | None,
    seconds: int,
    *,
    packs: int = 1,
    every_ms: int = 150,
    keep: bool = False,
) -> Played:
    """Play the order for so long; compare with the dialect, at most once in `every_ms`."""
    taps: list[Tap] = []

    def listen_in(source: Source) -> Source:
        taps.append(Tap(source))
        return taps[-1]

    line = build(order, listen_in)
    ears = Ears(order.family, packs, line.baud)
    if dialect is not None and dialect.prepare is not None:
        dialect.prepare(ears.bms)
    played = Played(Counter(), Counter(), taps, ears.bms, ears.host, [])
    in_order = InOrder(line.baud)
    next_ms = dialect.settled_ms if dialect else 0
    for event in in_order.add(line.advance(seconds * 1_000_000)):
        if keep:
            played.events.append(event)
        if isinstance(event, Level):
            continue
        played.chunks[event.port] += 1
        for listen in (ears.silence_ms, ears.hear):
            frames = ears.bms.framer.numbers[FRAMES_IN]
            now_ms = listen(event)
            if dialect and ears.bms.framer.numbers[FRAMES_IN] != frames and now_ms >= next_ms:
                next_ms = now_ms + every_ms
                for number, tap in enumerate(taps[:packs]):
                    compare(ears.bms.packs[number], dialect, tap, now_ms, played.compared)
    for ear in (ears.bms, ears.host):
        ear.framer.lose(seconds * 1000)
    line.close()
    return played


def compare(t: Telemetry, dialect: Dialect, tap: Tap, now_ms: int, compared: Counter[str]) -> None:
    """Every value the telemetry has got lately against the readings of its moment."""
    for slot, within in dialect.slots.items():
        index = INDEX[slot]
        if t.seen[index] and now_ms - t.stamp[index] <= LATE_MS // 2:
            model = dialect.other.get(slot) or MODEL[slot]
            wanted = {model(now) for now in tap.lately(t.stamp[index])}
            assert any(abs(t.value[index] - value) <= within for value in wanted), (
                slot,
                t.value[index],
                wanted,
                now_ms,
            )
            compared[slot] += 1
    if dialect.cells and t.cells and now_ms - t.cell_stamp[0] <= LATE_MS // 2:
        cells = tuple(t.cell_mv[: t.cells])
        while not cells[-1]:  # scooters' words have room for more
            cells = cells[:-1]
        wanted_cells = {now.cells_mv for now in tap.lately(t.cell_stamp[0])}
        assert cells in wanted_cells, (cells, wanted_cells, now_ms)
        compared["cell_mv"] += 1
    if dialect.probes and t.probes and now_ms - t.temp_stamp[0] <= LATE_MS // 2:
        _compare_probes(t, dialect, tap, compared)
    if dialect.faults is not None:
        _compare_faults(t, dialect, tap, now_ms, compared)


def _compare_probes(t: Telemetry, dialect: Dialect, tap: Tap, compared: Counter[str]) -> None:
    count = dialect.probes
    found = list(t.temp_dc[:count])
    wanted = [now.temps_dc[:count] for now in tap.lately(t.temp_stamp[0])]

    def is_broken(dc: int | None) -> bool:
        return dc is None or dialect.zero_is_broken and dc == 0

    def fits(temps_dc: Iterable[int | None]) -> bool:
        return all(
            got == dialect.broken if is_broken(dc) else abs(got - (dc or 0)) <= dialect.temp_dc
            for got, dc in zip(found, temps_dc, strict=True)
        )

    assert any(fits(temps_dc) for temps_dc in wanted), (found, wanted)
    compared["temp_dc"] += 1


def _compare_faults(
    t: Telemetry, dialect: Dialect, tap: Tap, now_ms: int, compared: Counter[str]
) -> None:
    index = INDEX["faults_a"]
    if not t.seen[index] or now_ms - t.stamp[index] > LATE_MS // 2:
        return
    bits = t.value[index] | t.value[INDEX["faults_b"]] << WORD_BITS
    found = {name for number, name in enumerate(FAULTS) if bits >> number & 1}
    assert dialect.faults is not None
    names = dialect.faults
    wanted = [
        dialect.told(now)
        if dialect.told
        else {names[name] for name in now.faults if name in names}
        for now in tap.lately(t.stamp[index])
    ]
    assert found in wanted, (found, wanted, now_ms)
    compared["faults"] += 1
    for name in found:
        compared[f"fault {name}"] += 1

"""The kinds of fault, one small filter each. A filter takes events in order of time and yields
events in order of time."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from packlab.capture import Chunk, Event, Header, Level
from packlab.faults.spec import Spec
from packlab.faults.wave import BITS_A_BYTE, collided, flipped, levels, receive

_Act = Callable[[Iterator[Event], Spec, Header, Random], Iterator[Event]]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a fault is written and what it does. numbers, times: how many of each its arguments
    hold."""

    act: _Act
    numbers: int
    times: int
    example: str
    meaning: str
    is_rate: bool = False


def _with_data(chunk: Chunk, data: bytes) -> Iterator[Chunk]:
    if data:
        yield Chunk(chunk.t_us, chunk.port, data)


def _bits(events: Iterator[Event], spec: Spec, _: Header, random: Random) -> Iterator[Event]:
    rate = spec.numbers[0]
    for event in events:
        if not isinstance(event, Chunk) or not spec.touches(event.port):
            yield event
            continue
        hits = [random.random() < rate for _ in range(BITS_A_BYTE * len(event.data))]
        if not any(hits):
            yield event
            continue
        wave = [bit ^ hit for bit, hit in zip(levels(event.data), hits, strict=True)]
        yield from _with_data(event, receive(wave))


def _burst(events: Iterator[Event], spec: Spec, header: Header, random: Random) -> Iterator[Event]:
    """A disturbance of the given length, the given time apart: bits within it are chance."""
    every_us, length_us = spec.times_us
    for event in events:
        if not isinstance(event, Chunk) or not spec.touches(event.port):
            yield event
            continue
        bit_us = 1e6 / header.line(event.port).baud
        wave = levels(event.data)
        begin_us = event.t_us - len(wave) * bit_us
        spoilt = [
            random.randrange(2) if (begin_us + place * bit_us) % every_us < length_us else level
            for place, level in enumerate(wave)
        ]
        yield from _with_data(event, event.data if spoilt == wave else receive(spoilt))


def _lose(events: Iterator[Event], spec: Spec, _: Header, random: Random) -> Iterator[Event]:
    yield from _each_byte(
        events, spec, lambda byte: [] if random.random() < spec.numbers[0] else [byte]
    )


def _double(events: Iterator[Event], spec: Spec, _: Header, random: Random) -> Iterator[Event]:
    yield from _each_byte(
        events, spec, lambda byte: [byte, byte] if random.random() < spec.numbers[0] else [byte]
    )


def _each_byte(
    events: Iterator[Event], spec: Spec, become: Callable[[int], list[int]]
) -> Iterator[Event]:
    for event in events:
        if isinstance(event, Chunk) and spec.touches(event.port):
            yield from _with_data(event, bytes(b for byte in event.data for b in become(byte)))
        else:
            yield event


def _truncate(events: Iterator[Event], spec: Spec, _: Header, random: Random) -> Iterator[Event]:
    for event in events:
        hit = isinstance(event, Chunk) and spec.touches(event.port)
        if isinstance(event, Chunk) and hit and random.random() < spec.numbers[0]:
            yield from _with_data(event, event.data[: random.randrange(len(event.data))])
        else:
            yield event


def _cut(events: Iterator[Event], spec: Spec, _: Header, __: Random) -> Iterator[Event]:
    """The wire is open and its receiver's pull-up holds it high: nothing arrives."""
    for event in events:
        if not (spec.touches(event.port) and spec.covers(event.t_us)):
            yield event


def _stuck(events: Iterator[Event], spec: Spec, _: Header, __: Random) -> Iterator[Event]:
    """The wire is held low for a while; what was to pass then is lost."""
    start_us, length_us = spec.times_us
    ports: set[str] = set()
    marks = [(start_us, "low"), (start_us + length_us, "idle")]
    for event in events:
        while marks and event.t_us >= marks[0][0]:
            t_us, level = marks.pop(0)
            for port in sorted(ports):
                yield Level(t_us, port, level)
        if spec.touches(event.port):
            ports.add(event.port)
            if spec.covers(event.t_us):
                continue
        yield event


def _speed(events: Iterator[Event], spec: Spec, header: Header, _: Random) -> Iterator[Event]:
    """The receiver listens at the given speed, whatever the line's is."""
    yield from _sampled(
        events, spec, lambda port: header.line(port).baud / spec.numbers[0], upside_down=False
    )


def _skew(events: Iterator[Event], spec: Spec, _: Header, __: Random) -> Iterator[Event]:
    """The sender's clock is off by so many percent."""
    ratio = 1 + spec.numbers[0] / 100
    yield from _sampled(events, spec, lambda _: ratio, upside_down=False)


def _invert(events: Iterator[Event], spec: Spec, _: Header, __: Random) -> Iterator[Event]:
    """The wire reaches the receiver upside down: it rests low."""
    other = {"idle": "low", "low": "idle"}
    for event in _sampled(events, spec, lambda _: 1.0, upside_down=True):
        if isinstance(event, Level) and spec.touches(event.port):
            yield replace(event, level=other.get(event.level, event.level))
        else:
            yield event


def _sampled(
    events: Iterator[Event], spec: Spec, ratio: Callable[[str], float], *, upside_down: bool
) -> Iterator[Event]:
    for event in events:
        if not isinstance(event, Chunk) or not spec.touches(event.port):
            yield event
            continue
        wave = levels(event.data)
        wave = flipped(wave) if upside_down else wave
        yield from _with_data(event, receive(wave, ratio(event.port)))


_OTHER_WIRE = {"host_tx": "bms_tx", "bms_tx": "host_tx"}


def _echo(events: Iterator[Event], spec: Spec, _: Header, __: Random) -> Iterator[Event]:
    """What one wire carries is heard on the other, too, a little later."""

    def both() -> Iterator[Event]:
        for event in events:
            yield event
            if isinstance(event, Chunk) and spec.touches(event.port) and event.port in _OTHER_WIRE:
                other = _OTHER_WIRE[event.port]
                yield Chunk(event.t_us + spec.times_us[0], other, event.data)

    yield from _sorted(both(), spec.times_us[0])


def _collide(events: Iterator[Event], spec: Spec, _: Header, random: Random) -> Iterator[Event]:
    """A second master sends the same bytes over the first, at a random bit: a low bit wins."""
    for event in events:
        hit = isinstance(event, Chunk) and spec.touches(event.port)
        if isinstance(event, Chunk) and hit and random.random() < spec.numbers[0]:
            wave = levels(event.data)
            spoilt = collided(wave, wave, random.randrange(1, len(wave)))
            yield from _with_data(event, receive(spoilt))
        else:
            yield event


def _delay(events: Iterator[Event], spec: Spec, _: Header, random: Random) -> Iterator[Event]:
    """Everything comes later, by anything up to the given time; the order may change."""

    def later() -> Iterator[Event]:
        for event in events:
            if isinstance(event, Chunk) and spec.touches(event.port):
                yield Chunk(
                    event.t_us + random.randrange(spec.times_us[0] + 1), event.port, event.data
                )
            else:
                yield event

    yield from _sorted(later(), spec.times_us[0])


def _sorted(events: Iterator[Event], at_most_us: int) -> Iterator[Event]:
    """Events that are late by at most so much, back in order of time."""
    heap: list[tuple[int, int, Event]] = []
    for number, event in enumerate(events):
        heapq.heappush(heap, (event.t_us, number, event))
        while heap[0][0] + at_most_us < event.t_us:
            yield heapq.heappop(heap)[2]
    while heap:
        yield heapq.heappop(heap)[2]


def _reorder(events: Iterator[Event], spec: Spec, _: Header, random: Random) -> Iterator[Event]:
    """A chunk changes places with the next one of its port."""
    held: Chunk | None = None
    for event in events:
        if not isinstance(event, Chunk) or not spec.touches(event.port):
            yield event
        elif held is not None and held.port == event.port:
            yield Chunk(event.t_us, event.port, event.data)
            yield Chunk(event.t_us, held.port, held.data)
            held = None
        elif held is None and random.random() < spec.numbers[0]:
            held = event
        else:
            yield event


def _old(events: Iterator[Event], spec: Spec, _: Header, __: Random) -> Iterator[Event]:
    """For a while each chunk is replaced by the first ones of that port, over and over: replayed
    data."""
    kept: dict[str, list[bytes]] = {}
    turn = 0
    for event in events:
        if not isinstance(event, Chunk) or not spec.touches(event.port):
            yield event
        elif spec.covers(event.t_us) and event.port in kept:
            turn += 1
            old = kept[event.port]
            yield Chunk(event.t_us, event.port, old[turn % len(old)])
        else:
            first = kept.setdefault(event.port, [])
            if len(first) < _OLD_CHUNKS:
                first.append(event.data)
            yield event


_OLD_CHUNKS = 32


def _stall(events: Iterator[Event], spec: Spec, _: Header, __: Random) -> Iterator[Event]:
    """The receiving program stands still: what comes meanwhile is handed over all at once
    afterwards."""
    end_us = sum(spec.times_us)

    def held() -> Iterator[Event]:
        for event in events:
            waits = spec.touches(event.port) and spec.covers(event.t_us)
            yield replace(event, t_us=end_us) if waits else event

    yield from _sorted(held(), spec.times_us[1])


KINDS: dict[str, Kind] = {
    "bits": Kind(_bits, 1, 0, "bits:1e-4", "each bit is wrong with this chance", True),
    "burst": Kind(_burst, 0, 2, "burst:5s+2ms", "every so often, bits are chance for so long"),
    "lose": Kind(_lose, 1, 0, "lose:1e-3", "a byte is lost with this chance", True),
    "double": Kind(_double, 1, 0, "double:1e-3", "a byte comes twice with this chance", True),
    "truncate": Kind(
        _truncate, 1, 0, "truncate:0.01", "a chunk breaks off with this chance", True
    ),
    "cut": Kind(_cut, 0, 2, "cut:12.5s+3s", "from then, for so long, the wire is open"),
    "stuck": Kind(_stuck, 0, 2, "stuck:12.5s+3s", "from then, for so long, the wire is low"),
    "speed": Kind(_speed, 1, 0, "speed:9600", "the receiver listens at this speed"),
    "skew": Kind(_skew, 1, 0, "skew:2%", "the sender's clock is slow by so much"),
    "invert": Kind(_invert, 0, 0, "invert", "the wire is upside down"),
    "echo": Kind(
        _echo, 0, 1, "echo:200us@host_tx", "one wire is heard on the other so much later"
    ),
    "collide": Kind(_collide, 1, 0, "collide:0.01@host_tx", "two masters send at once", True),
    "delay": Kind(_delay, 0, 1, "delay:50ms", "chunks come up to so much later"),
    "reorder": Kind(_reorder, 1, 0, "reorder:0.01", "a chunk changes places with the next", True),
    "old": Kind(_old, 0, 2, "old:60s+30s", "from then, for so long, old data are replayed"),
    "stall": Kind(_stall, 0, 2, "stall:10s+80ms", "from then, for so long, nobody reads"),
}

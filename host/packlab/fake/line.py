"""One line of the bench: a fake pack at one end, a master at the other or none, and the faults
between. Everything that passes comes out as events of the capture format.

Time is what the caller says it is: `advance` plays up to a moment, `receive` hands in what
somebody outside has sent. A fault lies on the wire, so pack, master and listener all hear the
same.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from packlab.capture import Chunk, Event, Header, Level, LineSetting
from packlab.fake.base import NEVER_US, Fake, Master, Sent
from packlab.fake.live import LiveFaults
from packlab.faults import Spec
from packlab.made.story import STEP_US, Story

BMS_TX, HOST_TX = "bms_tx", "host_tx"
_TICK_US = 10_000  # how often faults that hold events back are told the time


class Line:
    """begun: events by the time at which they begin, chunks stamped with their end."""

    def __init__(
        self,
        fake: Fake,
        story: Story,
        master: Master | None = None,
        *,
        baud: int = 115200,
        shared_wire: bool = False,
        is_scooter: bool = False,
        faults: Sequence[Spec] = (),
        seed: int = 1,
    ) -> None:
        self.fake = fake
        self.master = master
        self.baud = baud
        self.host_port = BMS_TX if shared_wire else HOST_TX
        ports = (BMS_TX,) if shared_wire else (BMS_TX, HOST_TX)
        self.settings = {port: LineSetting(baud) for port in ports}
        self._story = story
        self._is_scooter = is_scooter
        self._is_up: bool | None = None
        header = Header("made", "", dict.fromkeys((BMS_TX, HOST_TX), LineSetting(baud)))
        self._faults = LiveFaults(faults, header, seed)
        self._agenda: list[tuple[int, int, Callable[[int], Iterable[Event]]]] = []
        self._number = 0
        self._free_us = dict.fromkeys((BMS_TX, HOST_TX), 0)  # when each sender can send again
        self._scene_us = 0
        self._tick_us = 0 if faults else NEVER_US

    @property
    def due_us(self) -> int:
        """When something happens next."""
        first_us = self._agenda[0][0] if self._agenda else NEVER_US
        master_us = self.master.due_us if self.master and self._is_up else NEVER_US
        return min(first_us, master_us, self.fake.due_us, self._scene_us, self._tick_us)

    def advance(self, t_us: int) -> Iterator[Event]:
        """Play up to and including `t_us`: what begins until then."""
        while (now_us := self.due_us) <= t_us:
            yield from self._step(now_us)

    def receive(self, data: bytes, t_us: int) -> list[Event]:
        """Somebody outside has sent `data` to the pack; the last byte is in at `t_us`."""
        return list(self._pass_on(Chunk(t_us, HOST_TX, data), t_us))

    def close(self) -> None:
        """No more."""
        self._faults.close()

    def _step(self, now_us: int) -> Iterator[Event]:
        if self._scene_us <= now_us:
            yield from self._look_around(now_us)
            self._scene_us = now_us + STEP_US
        elif self._tick_us <= now_us:
            self._tick_us = now_us + _TICK_US
            yield from self._deliver(self._faults.pass_time(now_us), now_us)
        elif self._agenda and self._agenda[0][0] <= now_us:
            yield from heapq.heappop(self._agenda)[2](now_us)
        elif self.fake.due_us <= now_us:
            self._send(BMS_TX, self.fake.speak(now_us))
        elif self.master:
            self._send(HOST_TX, self.master.speak(now_us))

    def _look_around(self, now_us: int) -> Iterator[Event]:
        """Wires rise and fall with the scooter; who asks is off while the scooter is."""
        is_up = self._story.scene(now_us).scooter_on
        if self._is_scooter:
            is_up = is_up and self._story.at(now_us).discharge_fet
        if is_up == self._is_up:
            return
        was_known, self._is_up = self._is_up is not None, is_up
        if self._is_scooter or not was_known:
            for port in self.settings:
                level = "low" if self._is_scooter and not is_up else "idle"
                yield from self._deliver(self._faults.push(Level(now_us, port, level)), now_us)
        if is_up:
            self.fake.switched_on(now_us)
            if self.master is not None:
                self.master.switched_on(now_us)

    def _send(self, port: str, sent: list[Sent]) -> None:
        for start_us, data in sent:
            start_us = max(start_us, self._free_us[port])
            self._free_us[port] = end_us = start_us + self._duration_us(data)
            self._plan(start_us, partial(self._begin, port, end_us, data))

    def _begin(self, port: str, end_us: int, data: bytes, now_us: int) -> Iterator[Event]:
        if self._is_scooter and not self._is_up:
            return
        if port == BMS_TX and self._story.scene(now_us).reply_wire_cut:
            return
        yield from self._pass_on(Chunk(end_us, port, data), now_us)

    def _pass_on(self, chunk: Chunk, now_us: int) -> Iterator[Event]:
        """From a sender through the faults to all who hear."""
        yield from self._deliver(self._faults.push(chunk), now_us)

    def _deliver(self, events: Iterable[Event], now_us: int) -> Iterator[Event]:
        for event in events:
            if isinstance(event, Chunk):
                self._plan(max(event.t_us, now_us), partial(self._heard, event))
                shown = Chunk(event.t_us, self._port_of(event), event.data)
                start_us = event.t_us - self._duration_us(event.data)
                if start_us <= now_us:
                    yield shown
                else:
                    self._plan(start_us, partial(_shown, shown))
            else:
                yield event

    def _heard(self, chunk: Chunk, now_us: int) -> Iterable[Event]:
        if chunk.port == HOST_TX:
            self._send(BMS_TX, self.fake.hear(chunk.data, now_us))
        elif self.master is not None:
            self.master.hear(chunk.data)
        return ()

    def _port_of(self, chunk: Chunk) -> str:
        return self.host_port if chunk.port == HOST_TX else chunk.port

    def _plan(self, t_us: int, what: Callable[[int], Iterable[Event]]) -> None:
        self._number += 1
        heapq.heappush(self._agenda, (t_us, self._number, what))

    def _duration_us(self, data: bytes) -> int:
        return len(data) * 10_000_000 // self.baud


def _shown(event: Event, _: int) -> Iterable[Event]:
    return (event,)


class InOrder:
    """Events as `Line.advance` gives them, by their beginning, come out sorted by their stamps, as
    a capture needs them."""

    def __init__(self, baud: int) -> None:
        self._baud = baud
        self._heap: list[tuple[int, int, Event]] = []
        self._number = 0

    def add(self, begun: Iterable[Event]) -> Iterator[Event]:
        """What no later event can precede."""
        for event in begun:
            start_us = event.t_us
            if isinstance(event, Chunk):
                start_us -= len(event.data) * 10_000_000 // self._baud
            yield from self._until(start_us)
            self._number += 1
            heapq.heappush(self._heap, (event.t_us, self._number, event))

    def rest(self) -> Iterator[Event]:
        """What is left at the end."""
        yield from self._until(NEVER_US)

    def _until(self, t_us: int) -> Iterator[Event]:
        while self._heap and self._heap[0][0] <= t_us:
            yield heapq.heappop(self._heap)[2]

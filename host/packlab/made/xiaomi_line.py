"""The two wires between an M365's controller and its battery, talking about a made-up pack.

Framing, registers, order and timing are those of the protocol sheet (xiaomi 1.3, 2.1, 3) and of
the one real recording (tests/data/captures/m365_standing.cap). Nothing is shared with the
firmware's decoder, so that the two can only agree by both being right.
"""

from collections.abc import Generator, Iterator
from random import Random

from packlab.capture import Chunk, Event, Level
from packlab.made.world import World

PORTS = ("bms_tx", "host_tx")
TO_BMS, FROM_BMS, READ = 0x22, 0x25, 0x01

# Recorded: polls 209.504 to 209.554 ms apart; the first asks for the identity every 14.97 ms until
# the battery has woken up (41 times), 0.59 s after the wires have risen.
POLL_US = 209_530
POLL_JITTER_US = 25
WAKE_US = 590_000
ASK_AGAIN_US = 14_970
ASK_TIMES = 41
FIRST_REPLY_US = 9_600
SECOND_POLL_US = 104_800
# Recorded: replies come after 0.21 ms, but four in eleven after 31, 22, 13 and 7 ms in turn: as if
# a task of 36 ms every 100.2 ms kept the battery from answering.
REPLY_GAP_US = 212
BUSY_EVERY_US, BUSY_US = 100_200, 36_000

# What the app has the controller ask, at every fifth poll: word, bytes, and when after the poll.
APP_EVERY = 5
APP_READS = ((0x40, 30, 50_000), (0x3B, 2, 95_000), (0x1B, 4, 140_000))

SERIAL = b"DECKWATCH-MADE"
BMS_FIRMWARE = 0x0115  # 1.1.5, as in the recording
HEALTH_PCT, CYCLES, CHARGES = 98, 57, 91
PROBE_OPEN = 0x00  # xiaomi 5.2: an open probe reads raw 0, which means -20 °C


def frame(address: int, command: int, argument: int, payload: bytes) -> bytes:
    """Return a Xiaomi frame (xiaomi 2.1)."""
    body = bytes((len(payload) + 2, address, command, argument)) + payload
    return b"\x55\xaa" + body + (0xFFFF - sum(body) & 0xFFFF).to_bytes(2, "little")


def registers(world: World) -> dict[int, int]:
    """Return the words an M365's battery would give about the world (xiaomi 3); others read 0."""
    pack = world.pack
    words = {0x10 + n: int.from_bytes(SERIAL[2 * n : 2 * n + 2], "little") for n in range(7)}
    words |= {0x17: BMS_FIRMWARE, 0x18: pack.design_mah, 0x1B: CYCLES, 0x1C: CHARGES}
    words |= {0x30: 0x0041 if world.charging else 0x0001, 0x31: pack.remaining_mah}
    # On the wire current is positive while discharging, in 10 mA; voltage in 10 mV.
    words |= {0x32: pack.soc_pct, 0x33: (5 - pack.current_ma) // 10 & 0xFFFF}
    words |= {0x34: pack.pack_mv // 10, 0x35: _probe_word(world), 0x3B: HEALTH_PCT}
    words |= {0x40 + n: cell_mv for n, cell_mv in enumerate(pack.cells_mv)}
    return words


def _probe_word(world: World) -> int:
    first, second = (
        PROBE_OPEN if temp_dc is None else temp_dc // 10 + 20 for temp_dc in world.temps_dc
    )
    return first | second << 8


class XiaomiLine:
    """The traffic of both wires, step by step, which is what a scenario needs of any line."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._is_up: bool | None = None
        self._polls = 0

    def step(self, t_us: int) -> Generator[Event, None, int]:
        """Yield what passes from t_us on, in order of time, and return when the next step is due.

        The world must stand at t_us.
        """
        is_up = self._world.scene.scooter_on
        if is_up != self._is_up:
            self._is_up = is_up
            for port in PORTS:
                yield Level(t_us, port, "idle" if is_up else "low")
            return (yield from self._wake(t_us)) if is_up else t_us + POLL_US
        if is_up:
            yield from self._poll(t_us)
        return t_us + POLL_US + self._random.randint(-POLL_JITTER_US, POLL_JITTER_US)

    def _wake(self, t_us: int) -> Generator[Event, None, int]:
        """The controller asks for the identity until it gets it, then for the first status."""
        t_us += WAKE_US
        for _ in range(ASK_TIMES + self._random.randint(-4, 4)):
            yield _request(t_us, 0x10, 16)
            t_us += ASK_AGAIN_US
        yield self._reply(t_us - ASK_AGAIN_US + FIRST_REPLY_US, 0x10, 16)
        yield from self._exchange(t_us, 0x30, 12)
        return t_us + SECOND_POLL_US

    def _poll(self, t_us: int) -> Iterator[Event]:
        """The controller asks for the status, and at times for what an app wants to know."""
        yield from self._exchange(t_us, 0x30, 12)
        if self._world.scene.app_reads_cells and self._polls % APP_EVERY == 0:
            for word, count, delay_us in APP_READS:
                yield from self._exchange(t_us + delay_us, word, count)
        self._polls += 1

    def _exchange(self, t_us: int, word: int, count: int) -> Iterator[Event]:
        request = _request(t_us, word, count)
        yield request
        if not self._world.scene.reply_wire_cut:
            busy_us = max(BUSY_US - request.t_us % BUSY_EVERY_US, 0)
            gap_us = REPLY_GAP_US + self._random.randint(-8, 8)
            yield self._reply(request.t_us + max(busy_us, gap_us), word, count)

    def _reply(self, start_us: int, word: int, count: int) -> Chunk:
        words = registers(self._world)
        payload = b"".join(
            words.get(index, 0).to_bytes(2, "little") for index in range(word, word + count // 2)
        )
        return _chunk(start_us, "bms_tx", frame(FROM_BMS, READ, word, payload))


def _request(start_us: int, word: int, count: int) -> Chunk:
    return _chunk(start_us, "host_tx", frame(TO_BMS, READ, word, bytes((count,))))


def _chunk(start_us: int, port: str, data: bytes) -> Chunk:
    """Return the bytes sent from start_us on, stamped when the last is in: ten bits each."""
    return Chunk(start_us + len(data) * 10_000_000 // 115_200, port, data)

"""Xiaomi scooters' packs and controller, and what stands in for them: BotoX, Happy BMS, Rita,
emulators (xiaomi.md).

Words and frames are those of sections 2 and 3; the times of an M365 are recorded
(tests/data/captures/m365_standing.cap). Of Happy and Rita no register list is public: the words
are Xiaomi's, and what sheet 5.3 reports of their behaviour is played over them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from packlab.fake.base import NEVER_US, Fake, Profile, Sent
from packlab.fake.numbers import per, s16, u16
from packlab.made.board import Limits
from packlab.made.readings import Readings, Source
from packlab.made.spec import PackSpec
from packlab.made.story import Story

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

PROBE_OPEN = 0x00  # sheet 5.2: an open probe reads raw 0, which means -20 °C
MADE_ON = (2017, 1, 8)

Words = Mapping[int, int]


def frame(address: int, command: int, argument: int, payload: bytes) -> bytes:
    """A Xiaomi frame (sheet 2.1)."""
    body = bytes((len(payload) + 2, address, command, argument)) + payload
    return b"\x55\xaa" + body + (0xFFFF - sum(body) & 0xFFFF).to_bytes(2, "little")


def date(year: int, month: int, day: int) -> int:
    """A date in 16 bits (sheet 3, word 20)."""
    return year - 2000 << 9 | month << 5 | day


def text_words(first: int, text: bytes) -> dict[int, int]:
    """Two characters a word."""
    return {
        first + place // 2: int.from_bytes(text[place : place + 2], "little")
        for place in range(0, len(text), 2)
    }


def payload(words: Words, word: int, count: int) -> bytes:
    """`count` bytes from `word` on; words nobody has named read 0."""
    data = b"".join(
        words.get(index, 0).to_bytes(2, "little") for index in range(word, word + (count + 1) // 2)
    )
    return data[:count]


def probe_word(temps_dc: Sequence[int | None]) -> int:
    """Word 35: two probes, °C + 20, the first one low."""
    raw = [
        PROBE_OPEN if dc is None else min(max(dc // 10 + 20, 0), 255)
        for dc in (*temps_dc, None, None)
    ]
    return raw[0] | raw[1] << 8


def stock(now: Readings, serial: bytes = b"DECKWATCH-MADE", firmware: int = 0x0115) -> Words:
    """The words a stock pack has (sheet 3), current + while discharging."""
    words = text_words(0x10, serial)
    words |= {0x17: firmware, 0x18: u16(now.design_mah), 0x19: u16(now.full_mah)}
    words |= {0x1B: now.cycles, 0x1C: 91, 0x20: date(*MADE_ON)}
    words |= {0x30: status(now), 0x31: u16(now.remaining_mah), 0x32: now.soc_pct}
    words |= {0x33: s16(per(-now.current_ma, 10)) & 0xFFFF, 0x34: u16(per(now.pack_mv, 10))}
    words |= {0x35: probe_word(now.temps_dc), 0x3B: now.health_pct}
    words |= {0x40 + place: mv for place, mv in enumerate(now.cells_mv[:16])}
    return words


def status(now: Readings) -> int:
    """Word 30: the bits stock firmware keeps (sheet 3.1)."""
    hot = now.faults & {
        "charge_over_temperature",
        "discharge_over_temperature",
        "board_over_temperature",
    }
    return (
        0x0001
        | (0x0040 if now.charging else 0)
        | (0x0100 if "cell_under_voltage" in now.faults else 0)
        | (0x0200 if "cell_over_voltage" in now.faults else 0)
        | (0x0400 if hot else 0)
    )


class Pack(Fake):
    """Answers reads from its words. `words` turns readings into them; busy: whether its processor
    at times has better to do."""

    def __init__(
        self,
        source: Source,
        words: Callable[[Readings], Words],
        random: Random,
        *,
        boots: bool = True,
        busy: bool = True,
    ) -> None:
        super().__init__()
        self.source = source
        self._words = words
        self._random = random
        self._boots = boots
        self._busy = busy
        self._awake_us = 0
        self._is_first = False

    def switched_on(self, t_us: int) -> None:
        """It boots for as long as the recorded one did, give or take four questions."""
        if self._boots:
            tries = ASK_TIMES - 1 + self._random.randint(-4, 4)
            self._awake_us = t_us + WAKE_US + tries * ASK_AGAIN_US
            self._is_first = True

    def measure(self, data: bytes) -> int:
        if not data.startswith((b"\x55\xaa", b"\x55")) or data[1:2] not in (b"\xaa", b""):
            return -1
        return data[2] + 6 if len(data) > 2 else 0

    def holds(self, request: bytes) -> bool:
        check = 0xFFFF - sum(request[2:-2]) & 0xFFFF
        return len(request) >= 8 and request[-2:] == check.to_bytes(2, "little")

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """Reads get words; everything else is passed over, as no source says what comes back."""
        if t_us < self._awake_us or request[3:5] != bytes((TO_BMS, READ)) or len(request) < 9:
            return []
        word, count = request[5], request[6]
        reply = frame(
            FROM_BMS, READ, word, payload(self._words(self.source.at(t_us)), word, count)
        )
        return [(t_us + self._delay_us(t_us), reply)]

    def _delay_us(self, t_us: int) -> int:
        if self._is_first:
            self._is_first = False
            return FIRST_REPLY_US
        busy_us = max(BUSY_US - t_us % BUSY_EVERY_US, 0) if self._busy else 0
        return max(busy_us, REPLY_GAP_US + self._random.randint(-8, 8))


# --- BotoX (sheet 5.3) ---------------------------------------------------------------------------

SLEEP_US = 5_000_000


def botox(now: Readings) -> Words:
    """Its own meanings of 1A and 1D to 1F; remaining charge is percent of the design."""
    words = dict(stock(now, b"BOTOX001".ljust(14, b"\0"), 0x0900))
    is_uneven = max(now.cells_mv) - min(now.cells_mv) > 100
    is_valid = not (is_uneven or now.faults)
    words[0x30] = words[0x30] & 0x0640 | (1 if is_valid else 0)
    words[0x31] = u16(now.design_mah * now.soc_pct // 100)
    words |= {0x1A: 3600, 0x1D: u16(per(now.pack_mv, 10)), 0x1E: 1950, 0x1F: 200}
    return words


class BotoxPack(Pack):
    """Sleeps after 5 s of silence; the byte that wakes it is lost, and what it says on waking is
    no frame."""

    def __init__(self, source: Source, random: Random) -> None:
        super().__init__(source, botox, random, boots=False, busy=False)
        self._last_us = 0

    def hear(self, data: bytes, t_us: int) -> list[Sent]:
        asleep, self._last_us = t_us - self._last_us > SLEEP_US, t_us
        if not asleep:
            return super().hear(data, t_us)
        return [(t_us + 2000, b"BOOTED!\r\n"), *super().hear(data[1:], t_us)]


# --- Happy BMS (sheet 5.3) -----------------------------------------------------------------------

MOST_MAH = 32_767


def happy(now: Readings) -> Words:
    """It counts in 16 signed bits: what is beyond is not there, and 0 % comes early."""
    beyond_mah = max(now.full_mah - MOST_MAH, 0)
    remaining_mah = max(now.remaining_mah - beyond_mah, 0)
    full_mah = min(now.full_mah, MOST_MAH)
    counted = replace(
        now,
        design_mah=min(now.design_mah, MOST_MAH),
        full_mah=full_mah,
        remaining_mah=remaining_mah,
        soc_pct=remaining_mah * 100 // full_mah,
    )
    return stock(counted, b"HAPPY-MADE\0\0\0\0", 0x0115)


# --- Rita (sheet 5.3) ----------------------------------------------------------------------------

RITA_MAH = 29_000
BLIP_MA = 1000
_NO_REGEN_RAW = 10  # -10 °C
_NOT_CONFIGURED_RAW = 120  # 100 °C


class Rita:
    """Stands in for a pack: no current, 29 Ah, a voltage that stands still until the throttle is
    touched, and messages where temperatures belong."""

    def __init__(self, *, is_configured: bool = True) -> None:
        self._is_configured = is_configured
        self._pack_mv = 0

    def words(self, now: Readings) -> Words:
        """What the controller is told."""
        if not self._pack_mv or abs(now.load_ma) >= BLIP_MA:
            self._pack_mv = now.pack_mv
        cell_mv = self._pack_mv // len(now.cells_mv)
        soc_pct = min(max((cell_mv - 3400) * 100 // 800, 0), 100)  # "empty" at 3.4 V a cell
        told = replace(
            now,
            pack_mv=self._pack_mv,
            current_ma=0,
            charging=False,
            faults=frozenset(),
            design_mah=RITA_MAH,
            full_mah=RITA_MAH,
            remaining_mah=RITA_MAH * soc_pct // 100,
            soc_pct=soc_pct,
        )
        words = dict(stock(told, b"RITA-MADE\0\0\0\0\0", 0x0115))
        no_regen = now.charger_present or max(now.cells_mv) >= 4180
        raw = _NOT_CONFIGURED_RAW if not self._is_configured else 0
        raw = raw or (_NO_REGEN_RAW if no_regen else 0)
        words[0x35] = raw * 0x0101 if raw else words[0x35]
        return words


# --- emulators (sheet 5.2, 5.3) ------------------------------------------------------------------


def emulator(_: Readings) -> Words:
    """A commercial board's constants, as recorded."""
    words = text_words(0x10, b"  IVAN100KWT  ") | {0x17: 0x0115, 0x18: 7800, 0x3B: 98}
    words |= {0x30: 0x0001, 0x34: 0x00E1, 0x35: 0x2828}
    return words | {0x40 + cell: 0x00E1 for cell in range(15)}


class Attiny(Fake):
    """The ATtiny13 emulator: one constant a second, unasked, its check wrong as published."""

    CONSTANT = bytes.fromhex("55aa0e2501300100000000000000e100282891fe")

    def __init__(self) -> None:
        super().__init__()
        self.due_us = 1_000_000

    def measure(self, data: bytes) -> int:
        return -1 if data else 0

    def speak(self, t_us: int) -> list[Sent]:
        self.due_us = t_us + 1_000_000
        return [(t_us, self.CONSTANT)]


# --- the controller ------------------------------------------------------------------------------


def request(word: int, count: int) -> bytes:
    """A read of `count` bytes from `word` on."""
    return frame(TO_BMS, READ, word, bytes((count,)))


class Controller:
    """An M365's: asks who is there until somebody is, then for the status every 210 ms; while an
    app reads, for the cells and more (sheet 1.3)."""

    def __init__(self, story: Story, random: Random) -> None:
        self.due_us = NEVER_US
        self._story = story
        self._random = random
        self._knows_pack = False
        self._polls = 0
        self._app: list[tuple[int, bytes]] = []
        self._poll_us = NEVER_US

    def switched_on(self, t_us: int) -> None:
        self._knows_pack = False
        self._polls = 0
        self._app = []
        self._poll_us = self.due_us = t_us + WAKE_US

    def hear(self, data: bytes) -> None:
        """An identity is what it waits for at first."""
        if data[:2] == b"\x55\xaa" and data[3:6] == bytes((FROM_BMS, READ, 0x10)):
            self._knows_pack = True

    def speak(self, t_us: int) -> list[Sent]:
        if self._app and self._app[0][0] <= t_us:
            data = self._app.pop(0)[1]
        elif not self._knows_pack:
            data = request(0x10, 16)
            self._poll_us = t_us + ASK_AGAIN_US
        else:
            data = self._poll(t_us)
        self.due_us = min(self._poll_us, self._app[0][0] if self._app else NEVER_US)
        return [(t_us, data)]

    def _poll(self, t_us: int) -> bytes:
        jitter_us = self._random.randint(-POLL_JITTER_US, POLL_JITTER_US)
        self._poll_us = t_us + (POLL_US + jitter_us if self._polls else SECOND_POLL_US)
        if (
            self._polls
            and self._polls % APP_EVERY == 0
            and self._story.scene(t_us).app_reads_cells
        ):
            self._app = [(t_us + delay_us, request(word, n)) for word, n, delay_us in APP_READS]
        self._polls += 1
        return request(0x30, 12)


# --- profiles ------------------------------------------------------------------------------------


def _stock(sources: Sequence[Source], random: Random) -> Fake:
    return Pack(sources[0], stock, random)


def _happy(sources: Sequence[Source], random: Random) -> Fake:
    return Pack(sources[0], happy, random, boots=False, busy=False)


def _emulator(sources: Sequence[Source], random: Random) -> Fake:
    return Pack(sources[0], emulator, random, boots=False, busy=False)


def _rita(*, is_configured: bool) -> Callable[[Sequence[Source], Random], Fake]:
    def make(sources: Sequence[Source], random: Random) -> Fake:
        words = Rita(is_configured=is_configured).words
        return Pack(sources[0], words, random, boots=False, busy=False)

    return make


_M365 = Profile(
    "stock M365 pack",
    _stock,
    Controller,
    limits=Limits(charge_ma=20_000),
    most_cells=16,
    is_scooter=True,
)
PROFILES = {
    "m365": _M365,
    "pro": replace(_M365, meaning="stock Pro pack, 12.8 Ah", spec=PackSpec(capacity_mah=12_800)),
    "bare": replace(
        _M365,
        meaning="stock M365 pack out of the scooter: wires rest high, nobody asks",
        master=None,
        is_scooter=False,
    ),
    "botox": replace(
        _M365,
        meaning="BotoX firmware: 76800 baud, up to 15 cells, sleeps",
        make=lambda sources, random: BotoxPack(sources[0], random),
        baud=76_800,
        spec=PackSpec(series=13),
        limits=Limits(4200, 2800, discharge_ma=35_000, charge_ma=20_000, charge_hot_dc=450),
        most_cells=15,
    ),
    "happy": replace(
        _M365,
        meaning="Happy BMS: 16 cells, 35 Ah counted in 16 bits",
        make=_happy,
        spec=PackSpec(series=16, capacity_mah=35_000, wear_permille=0, spread_permille=0),
        limits=Limits(4230, 3000, discharge_ma=44_000, charge_ma=20_000, charge_hot_dc=400),
    ),
    "rita": replace(
        _M365,
        meaning="Rita standing in for the pack: no current, 29 Ah, messages as temperatures",
        make=_rita(is_configured=True),
        spec=PackSpec(series=12, capacity_mah=20_000),
    ),
    "rita_new": replace(
        _M365,
        meaning="Rita whose external pack is not configured: 100 °C",
        make=_rita(is_configured=False),
        spec=PackSpec(series=12, capacity_mah=20_000),
    ),
    "emulator": replace(
        _M365, meaning="a commercial emulator's constants, 2 % fast", make=_emulator, baud=117_600
    ),
    "attiny": replace(
        _M365,
        meaning="the ATtiny13 emulator: one constant a second, unasked, wrong check",
        make=lambda _, __: Attiny(),
        master=None,
    ),
}

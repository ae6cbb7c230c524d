"""Random and mutated bytes through every family and the whole pipeline: nothing raises, nothing
alarms, the work is bounded, and the next good frame is heard.

`make test` sends 200,000 bytes a family and kind, always the same; `make soak` sends 10 million,
each time others. The seed is printed; $DECKWATCH_SEED takes it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import MicroPython
from deckwatch import config, framer_plain
from deckwatch.alert import ALARM, SET
from deckwatch.frame import BYTES_IN, FRAME_BYTES, FRAMES_IN, NOISE
from deckwatch.framer import CHUNK
from deckwatch.guardrails.table import CODES
from deckwatch.index import PROTOCOLS
from deckwatch.pipeline import Pipeline
from deckwatch.telemetry import SLOTS
from families import protocol
from test_framer import with_check
from test_protocol_matrix import PROFILES, UNIX, conversation, whole

FEW = 200_000
MANY = 10_000_000
PORTS = 3
WRAP = 1 << 30


class Line:
    """A family's pipeline on a clock that runs as fast as the bytes come in.

    alarms: what was raised. judged: places at which the framers looked for a frame. fed: chunks.
    """

    def __init__(self, family: str, start: int = 0) -> None:
        self.core = Pipeline(config.load({"profile": PROFILES.get(family, family)}), self, True)
        self.byte_us = 10_000_000 // protocol(family).BAUDS[0]
        self.us = start * 1000
        self.alarms: list[tuple[int, str, int]] = []
        self.fed = self.bytes = 0

    @property
    def now(self) -> int:
        return self.us // 1000 % WRAP

    def on_alert(self, alerts: Any, code: int) -> None:
        """Called by the core."""
        if alerts.state[code] == SET and alerts.level[code] == ALARM:
            self.alarms.append((self.us // 1000, CODES[code], alerts.value[code]))

    def send(self, port: int, data: bytes) -> None:
        """Bytes come in on a port, a chunk at a time."""
        for start in range(0, len(data), CHUNK):
            part = data[start : start + CHUNK]
            self.us += len(part) * self.byte_us
            self.core.feed(port, bytearray(part.ljust(CHUNK, b"\xff")), len(part), self.now)
            self.fed += 1
            self.bytes += len(part)
            self.round()

    def round(self) -> int:
        wait = self.core.tick(self.now)
        self.core.render(self.now)
        return wait

    def rest(self, ms: int) -> None:
        """Nothing comes for a while."""
        end = self.us + 1000 * ms
        while self.us < end:
            self.us = min(end, self.us + 1000 * self.round())
        self.round()


# --- what is sent --------------------------------------------------------------------------------


def healthy(family: str) -> list[bytes]:
    """Given frames, and their requests, that raise no alarm when they come again and again."""
    frames = []
    for entry in whole(family):
        line = Line(family)
        for _ in range(20):
            for frame in conversation(entry):
                line.send(0, bytes.fromhex(frame))
                line.rest(200)
        if not line.alarms:
            frames += [bytes.fromhex(frame) for frame in conversation(entry)]
    return frames


def mutated(random: Random, frame: bytes) -> bytes:
    """A frame as a bad line would hand it over: bits flipped, bytes lost, doubled or put in."""
    spoilt = bytearray(frame)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        place = random.randrange(len(spoilt) + 1)
        how = random.randrange(5)
        if how == 0:
            spoilt[place:place] = random.randbytes(random.randint(1, 3))
        elif how == 1:
            del spoilt[place : place + random.randint(1, 4)]
        elif how == 2:
            spoilt[place:place] = spoilt[place : place + random.randint(1, 4)]
        elif place < len(spoilt):
            spoilt[place] ^= 1 << random.randrange(8)
    return bytes(spoilt) if frame not in spoilt else mutated(random, frame)


def bad_line(random: Random, frames: list[bytes], headers: list[bytes]) -> bytes:
    """A stretch of what may come in on a bad line."""
    kind = random.randrange(8)
    if kind == 0:
        return random.randbytes(random.randint(1, 300))
    if kind == 1:
        return random.choice(headers) * random.randint(1, 40)
    if kind == 2:  # false beginnings
        return b"".join(
            random.choice(headers) + random.randbytes(random.randint(0, 6)) for _ in range(12)
        )
    if kind == 3:  # two frames cut into each other
        first, second = random.choice(frames), random.choice(frames)
        return first[: random.randrange(len(first))] + second[random.randrange(len(second)) :]
    return b"".join(mutated(random, random.choice(frames)) for _ in range(random.randint(1, 6)))


def liar(random: Random, rows: Any) -> bytes:
    """Frames that hold, with any content: what the decoder must bear."""
    made = []
    for _ in range(random.randint(1, 4)):
        row = random.choice(rows)
        size = random.choice((random.randint(0, 12), random.randint(0, row[1][4] - row[1][3])))
        body = random.randbytes(size)
        if random.random() < 0.3:
            body = random.choice((b"\x00", b"\xff", b"\x80", b"\x7f")) * size
        made.append(with_check(row, body))
    return b"".join(made)


# --- the tests -----------------------------------------------------------------------------------


def seed_of(repeatable: bool) -> int:
    """The seed, printed."""
    chosen = os.environ.get("DECKWATCH_SEED")
    seed = int(chosen) if chosen else 1 if repeatable else int.from_bytes(os.urandom(4), "big")
    print(f"DECKWATCH_SEED={seed}")
    return seed


def check_small(line: Line) -> None:
    """No value that a 32-bit MicroPython would have to allocate."""
    for pack in line.core.packs:
        values = pack.telemetry.value
        assert all(-WRAP < value < WRAP for value in values), SLOTS[
            max(range(len(values)), key=lambda slot: abs(values[slot]))
        ]


def check_work(line: Line, judged: int) -> None:
    """Every byte is the possible beginning of a row's frame once, and once again for each chunk or
    round that comes while it waits for more."""
    rounds = 2 * line.fed + 50
    rows = sum(
        1 + len(row[6] if len(row) > 6 else ()) for row in protocol(line.core.family).FRAMING
    )
    assert 0 < judged <= rows * (line.bytes + PORTS * rounds)
    for framer in line.core.framers:
        heard = framer.numbers
        counted = heard[FRAME_BYTES] + heard[NOISE]
        spare = sum(row[4] for row in protocol(line.core.family).FRAMING if len(row) > 4)
        assert heard[BYTES_IN] - spare * heard[FRAMES_IN] <= counted <= heard[BYTES_IN]


def send_all(line: Line, size: int, random: Random, make: Callable[[], bytes]) -> None:
    while line.bytes < size:
        data = make()
        line.send(random.randrange(PORTS), data)
        if random.random() < 0.05:
            line.rest(random.choice((1, 30, 101, 150, 1200)))
        if random.random() < 0.001:
            line.core.line(random.randrange(2), random.randrange(1, 5), line.now)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often a framer has held a row against a place, from here on."""
    fit = framer_plain.fit
    count = [0]

    def counting(*arguments: Any) -> int:
        count[0] += 1
        return fit(*arguments)

    monkeypatch.setattr(framer_plain, "fit", counting)
    return count


def hear_again(line: Line, family: str) -> None:
    """After silence the next good frames are heard, each whole."""
    line.rest(300)
    framer = line.core.framers[0]
    frames, noise = framer.numbers[FRAMES_IN], framer.numbers[NOISE]
    for entry in whole(family):
        line.send(0, bytes.fromhex(entry["hex"]))
        line.rest(120)
    assert framer.numbers[FRAMES_IN] == frames + len(whole(family))
    assert framer.numbers[NOISE] == noise


def bear_a_bad_line(family: str, size: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(f"{seed} bad line {family}")
    frames = healthy(family)
    headers = [row[0] for row in protocol(family).FRAMING]
    judged = counted(monkeypatch)
    line = Line(family, WRAP - size * 2)  # the tick wraps on the way
    send_all(line, size, random, lambda: bad_line(random, frames, headers))
    # Some frames get through, changed where their check cannot see it. What they say must not
    # alarm; that they stop coming is silence, and true.
    assert [alarm for alarm in line.alarms if alarm[1] != "silence"] == []
    line.rest(300)
    check_work(line, judged[0])
    check_small(line)
    hear_again(line, family)


def bear_a_liar(family: str, size: int, seed: int) -> None:
    random = Random(f"{seed} liar {family}")
    line = Line(family)
    send_all(line, size, random, lambda: liar(random, protocol(family).FRAMING))
    assert sum(framer.numbers[FRAMES_IN] for framer in line.core.framers) > size // 500
    check_small(line)
    hear_again(line, family)


@pytest.mark.parametrize("family", PROTOCOLS)
def test_a_bad_line_raises_no_error_and_no_alarm(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bear_a_bad_line(family, FEW, seed_of(True), monkeypatch)


@pytest.mark.parametrize("family", PROTOCOLS)
def test_frames_with_any_content_raise_no_error(family: str) -> None:
    bear_a_liar(family, FEW, seed_of(True))


@pytest.mark.parametrize("family", PROTOCOLS)
def test_one_lucky_frame_is_no_battery_that_fell_silent(family: str) -> None:
    """Of random bytes on a Daly's or an ANT's line one in 2**24 begins a frame that holds."""
    line = Line(family)
    line.rest(3000)
    line.send(0, healthy(family)[-1])
    line.rest(60_000)
    assert line.alarms == []


@pytest.mark.soak
@pytest.mark.parametrize("family", PROTOCOLS)
def test_a_very_long_bad_line(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bear_a_bad_line(family, MANY, seed_of(False), monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("family", PROTOCOLS)
def test_very_many_frames_with_any_content(family: str) -> None:
    bear_a_liar(family, MANY, seed_of(False))


@pytest.mark.parametrize("family", PROTOCOLS)
def test_frames_with_any_content_are_decoded_without_allocating(
    family: str, micropython32: MicroPython
) -> None:
    random = Random(f"{seed_of(True)} locked {family}")
    rows = protocol(family).FRAMING
    lines = [liar(random, rows).hex() for _ in range(400)]
    profile = PROFILES.get(family, family)
    script: Path = UNIX / "decode_locked.py"
    said = micropython32.run(script, profile, heapsize="8m", stdin="\n".join(lines).encode())
    frames = int(said.split()[1])
    assert said.split() == ["frames", str(frames), "bits", "31"]
    assert frames > 400

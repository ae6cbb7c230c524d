"""Assist on a line whose owner wakes up: the controller is switched on at every bit of our
request.

Both send on one wire, where a low bit wins (open drain). What is counted is what the controller
asked and the battery did not get whole.
"""

import pytest
from deckwatch.config import load
from deckwatch.framer import CHUNK
from deckwatch.meters.link import BMS_TX, HOST_TX, IDLE
from deckwatch.pipeline import Pipeline
from deckwatch.poller import Poller
from packlab.faults.wave import levels

BITS_A_MS = 115.2
POLL_MS = 12
FIRST = bytes.fromhex("55aa0322011010b9ff")  # the controller's own first words (xiaomi.md 1.3)
THEN = bytes.fromhex("55aa032201300c9dff")
REPLY = bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe")
REPEAT_MS = 14.97
PERIOD_MS = 209.5


class Wire:
    """One wire as bits, a low one of any sender winning, and a UART that reads it."""

    def __init__(self, ms: int) -> None:
        self.bits = bytearray(b"\1" * int(ms * BITS_A_MS))
        self._at = 0
        self._heard: dict[int, int] = {}  # where a byte began -> the byte

    def send(self, at_bit: int, data: bytes) -> None:
        for place, level in enumerate(levels(data)):
            self.bits[at_bit + place] &= level

    def whole(self, at_bit: int, data: bytes) -> bool:
        """Did a receiver get just these bytes there? It may have been out of step."""
        return all(self._heard.get(at_bit + 10 * k) == byte for k, byte in enumerate(data))

    def received(self, until_bit: int) -> bytes:
        """Bytes completed since the last call."""
        data = bytearray()
        while True:
            start = self.bits.find(0, self._at, until_bit)
            if start < 0 or start + 10 > until_bit:
                return bytes(data)
            byte = sum(self.bits[start + 1 + bit] << bit for bit in range(8))
            self._heard[start] = byte
            data.append(byte)
            self._at = self.bits.find(1, start + 9)


def power_on(offset_bits: int) -> tuple[int, int, bool]:
    """The controller wakes `offset_bits` after one of our requests began. Returns (requests of it
    that were spoilt, our
    requests sent after its first whole one, did we ever yield)."""
    core = Pipeline(load({"profile": "m365", "mode": "assist"}), None, strict=True)
    core.line(HOST_TX, IDLE, 0)
    core.line(BMS_TX, IDLE, 0)
    wire = Wire(12_000)
    chunk = bytearray(CHUNK)

    def feed(port: int, data: bytes, now: int) -> None:
        chunk[: len(data)] = data
        core.feed(port, chunk, len(data), now)

    asked: list[int] = []
    sent: list[tuple[int, bytes]] = []
    next_bit = -1
    answered = 0
    for now in range(POLL_MS, 11_000, POLL_MS):
        now_bit = int(now * BITS_A_MS)
        heard = wire.received(now_bit)
        for start in range(0, len(heard), CHUNK):
            feed(HOST_TX, heard[start : start + CHUNK], now)
        while answered < len(sent) and sent[answered][0] + 100 < now_bit:
            if wire.whole(*sent[answered]):
                feed(BMS_TX, REPLY, now)
            answered += 1
        while 0 <= next_bit < now_bit + POLL_MS * BITS_A_MS:
            known = any(wire.whole(*each) for each in sent)
            sent.append((next_bit, THEN if known else FIRST))
            wire.send(*sent[-1])
            next_bit += int((PERIOD_MS if known else REPEAT_MS) * BITS_A_MS)
        core.tick(now)
        row = core.question(now)
        if row >= 0:
            wire.send(now_bit, core.poller.requests[row])
            core.poller.sent(row, now)
            asked.append(now_bit)
            if next_bit < 0:
                feed(BMS_TX, REPLY, now)
            if len(asked) == 4:  # the fifth will follow as the fourth did the third
                next_bit = now_bit + asked[3] - asked[2] + offset_bits
    wire.received(len(wire.bits))
    spoilt = [each for each in sent if not wire.whole(*each)]
    first_whole = next(bit for bit, words in sent if wire.whole(bit, words))
    late = [bit for bit in asked if bit > first_whole + 90 + POLL_MS * BITS_A_MS]
    return len(spoilt), len(late), core.poller.yielded


@pytest.mark.parametrize("offsets", [range(start, start + 30) for start in range(-90, 120, 30)])
def test_at_most_one_frame_is_spoilt_and_none_after_the_first_whole_one(offsets: range) -> None:
    for offset in offsets:
        spoilt, late, yielded = power_on(offset)
        assert spoilt <= 1, offset
        assert late == 0, offset
        assert yielded, offset


def test_collisions_do_happen_here() -> None:
    assert power_on(20)[0] == power_on(-5)[0] == 1
    assert power_on(-20)[0] == 0  # its first bytes are heard before ours would begin
    assert power_on(400)[0] == 0


def test_without_yielding_the_rule_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Poller.heard

    def deaf(self: Poller, frame: object, port: int, now: int) -> None:
        heard(self, frame, port, now)
        self.yielded = False

    monkeypatch.setattr(Poller, "heard", deaf)
    assert power_on(20)[1] > 0

"""Bytes as what is really on the wire, a level over time, and the receiver that makes bytes of it
again.

8N1: a start bit 0, eight data bits lowest first, a stop bit 1; the wire rests at 1. The receiver
looks for a falling edge and samples the middle of each bit at its own speed, as a UART does; a
missing stop bit leaves the byte in place and the line must rise before the next.
"""

from collections.abc import Iterable

BITS_A_BYTE = 10


def levels(data: bytes) -> list[int]:
    """The level of each bit time, start and stop bits included."""
    wave: list[int] = []
    for byte in data:
        wave.append(0)
        wave.extend(byte >> bit & 1 for bit in range(8))
        wave.append(1)
    return wave


def receive(wave: list[int], ratio: float = 1.0) -> bytes:
    """What a UART reads of `wave`, one entry a bit time of the sender, at `ratio` sender bit times
    to one of its own bits."""
    received = bytearray()
    position = 0.0
    end = len(wave)
    while True:
        start = _next_low(wave, position)
        if start is None:
            return bytes(received)
        byte = 0
        for bit in range(8):
            byte |= _at(wave, start + (bit + 1.5) * ratio) << bit
        received.append(byte)
        position = start + 9.5 * ratio
        while position < end and not _at(wave, position):
            position += ratio / 16


def _next_low(wave: list[int], position: float) -> float | None:
    """Where the line next is low, from `position` on: a UART notices the edge at once."""
    if _at(wave, position) == 0 and position < len(wave):
        return position
    for place in range(int(position), len(wave)):
        if wave[place] == 0:
            return max(float(place), position)
    return None


def _at(wave: list[int], position: float) -> int:
    place = int(position)
    return wave[place] if 0 <= place < len(wave) else 1


def flipped(wave: Iterable[int]) -> list[int]:
    """The same wave upside down."""
    return [1 - level for level in wave]


def collided(one: list[int], other: list[int], offset: int) -> list[int]:
    """Two senders on one wire, `other` starting `offset` bit times after `one`: a low bit wins, as
    with open drain."""
    length = max(len(one), offset + len(other))
    wave = one + [1] * (length - len(one))
    for place, level in enumerate(other):
        wave[offset + place] &= level
    return wave

"""Replays a capture into the virtual dongle, each event when its time has come."""

import asyncio
from collections.abc import Iterable

from packlab.air.dongle import VirtualDongle
from packlab.capture import Chunk, Event

PORTS = {"bms_tx": "bms", "host_tx": "host", "dash": "dash"}


def line(event: Event) -> str:
    """An event as a line of the board's feed, without its time."""
    what = event.data.hex() if isinstance(event, Chunk) else "!" + event.level
    return f"{PORTS[event.port]} {what}"


async def play(dongle: VirtualDongle, events: Iterable[Event], from_s: float = 0) -> None:
    """In real time. What lies before `from_s` is left out, but for the wires' levels."""
    loop = asyncio.get_running_loop()
    start = loop.time() - from_s
    for event in events:
        if event.t_us / 1e6 < from_s:
            if not isinstance(event, Chunk):
                dongle.line(line(event))
            continue
        await asyncio.sleep(max(0.0, start + event.t_us / 1e6 - loop.time()))
        dongle.line(line(event))

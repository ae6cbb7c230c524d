"""Feeds bytes to one family as the pipeline would, and hands back frames and values; all family
tests use it.

    heard = listen("xiaomi", "55aa0e2501300100710e2f0003000a0e2b2b7bfe")
    heard.frames[0].kind, heard.values() -> "reply", {"soc_pct": 47, "pack_mv": 35940, ...}
"""

import json
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from deckwatch.framer import CHUNK, Framer
from deckwatch.telemetry import Telemetry
from packlab.decode import values

FRAMES = Path(__file__).parent / "data" / "frames"


@dataclass(frozen=True)
class Seen:
    """One frame as the family understood it; the names are those of deckwatch.frame.Frame."""

    data: bytes
    kind: str
    pack: int
    register: int
    wanted: int
    body: bytes
    is_request: bool
    is_reply: bool
    framing: int
    now: int


@dataclass
class Heard:
    """What a family made of some bytes: its frames in order, the framer with its counters, the
    packs' telemetry."""

    family: Any
    packs: list[Telemetry]
    frames: list[Seen] = field(default_factory=list)
    framer: Any = None
    memory: Any = None

    def on_frame(self, framer: Any) -> None:
        """Called by the framer for each frame that holds."""
        frame = framer.frame
        for pack in self.packs:
            pack.begin(frame.now)
        self.family.decode(frame, self.packs, self.memory)
        for pack in self.packs:
            pack.end()
        body = frame.buf[frame.body : frame.body + frame.body_size]
        self.frames.append(
            Seen(
                bytes(frame.buf[frame.at : frame.at + frame.size]),
                frame.kind,
                frame.pack,
                frame.register,
                frame.wanted,
                bytes(body),
                frame.is_request,
                frame.is_reply,
                frame.framing,
                frame.now,
            )
        )

    def values(self, pack: int = 0) -> dict[str, Any]:
        """All that is known of a pack by now, named as `packlab decode` names it."""
        return values(self.packs[pack])

    def feed(self, data: bytes | str, now: int = 0, chunk: int = CHUNK) -> "Heard":
        """Bytes, or hex, that came in at `now`, in chunks of at most `chunk` bytes."""
        raw = bytes.fromhex(data) if isinstance(data, str) else data
        for start in range(0, len(raw), chunk):
            part = raw[start : start + chunk]
            self.framer.feed(bytearray(part.ljust(CHUNK, b"\0")), len(part), now)
        return self


def protocol(family: str) -> Any:
    """The family's module."""
    return import_module(f"deckwatch.protocols.{family}")


def listener(family: str, packs: int = 2) -> Heard:
    """A family that has heard nothing yet."""
    module = protocol(family)
    heard = Heard(module, [Telemetry() for _ in range(packs)])
    heard.memory = module.Memory() if hasattr(module, "Memory") else None
    heard.framer = Framer(module.FRAMES, heard, 0)
    return heard


def listen(
    family: str, *data: bytes | str, now: int = 0, chunk: int = CHUNK, packs: int = 2
) -> Heard:
    """Feed the pieces one after another, then silence, so that nothing stays pending."""
    heard = listener(family, packs)
    for piece in data:
        heard.feed(piece, now, chunk)
    heard.framer.lose(now)
    return heard


def entries(sheet: str, framing: str = "") -> list[dict[str, Any]]:
    """Frames of tests/data/frames/<sheet>.json; of one framing where the sheet holds several."""
    found = json.loads((FRAMES / f"{sheet}.json").read_text("utf-8"))
    return [entry for entry in found if not framing or entry["framing"] == framing]

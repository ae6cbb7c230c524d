"""The families that are measured, and the published frames each is measured with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packlab.checkout import firmware, root
from packlab.decode import decode


@dataclass(frozen=True, slots=True)
class Family:
    """A family of deckwatch.index.PROTOCOLS. profile: one that names it. frames: hex, every known
    frame that brings the family a value. packs: how many batteries the profile allows."""

    name: str
    profile: str
    frames: tuple[str, ...]
    packs: int = 1


def families() -> Iterator[Family]:
    """Every family that has frames in tests/data/frames, whichever sheet they stand in."""
    known = [entry["hex"] for path in _sheets() for entry in json.loads(path.read_text("utf-8"))]
    for name in firmware("index").PROTOCOLS:
        results = zip(known, decode(known, name), strict=True)
        frames = tuple(frame for frame, result in results if result["ok"] and result["values"])
        if frames:
            profile = _profile(name)
            packs = firmware("config").load({"profile": profile}).packs
            yield Family(name, profile, frames, packs)


def _sheets() -> list[Path]:
    return sorted((root() / "tests" / "data" / "frames").glob("*.json"))


def _profile(family: str) -> str:
    """The profile a line of the family is guarded with when nobody says more."""
    return str(firmware("config").as_found({}, family, 0)["profile"])

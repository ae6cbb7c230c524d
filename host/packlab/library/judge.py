"""Replays scenarios through the firmware and holds what it says against what was expected of it
before."""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from packlab import formats
from packlab.library.play import kept, tale
from packlab.replay import Settings, replay

LEVELS = ("ok", "info", "warn", "alarm")
_EXPECTED = Path(__file__).parent / "expected.toml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one scenario raised, at its highest level, and what it should have."""

    name: str
    raised: dict[str, str]
    expected: dict[str, str]

    @property
    def missed(self) -> list[str]:
        """Codes that were to be set, or to get worse than they did."""
        return [
            f"{code} {level}"
            for code, level in self.expected.items()
            if LEVELS.index(self.raised.get(code, "ok")) < LEVELS.index(level)
        ]

    @property
    def false(self) -> list[str]:
        """Codes that were not to be set, or not so high."""
        return [
            f"{code} {level}"
            for code, level in self.raised.items()
            if LEVELS.index(level) > LEVELS.index(self.expected.get(code, "ok"))
        ]


@cache
def expectations() -> dict[str, dict[str, Any]]:
    """expected.toml."""
    return tomllib.loads(_EXPECTED.read_text("utf-8"))


def worst(trace: Iterable[str]) -> dict[str, str]:
    """The highest level of each code that was set in a trace."""
    raised: dict[str, str] = {}
    for line in trace:
        event = json.loads(line)
        if event["event"] == "alert" and event["state"] == "set":
            level = max(raised.get(event["code"], "ok"), event["level"], key=LEVELS.index)
            raised[event["code"]] = level
    return raised


def judge(name: str, settings: Settings, seed: int = 1) -> Verdict:
    """Replay one scenario; its own configuration goes into the settings."""
    settings = replace(settings, config=dict(tale(name).dongle))
    with formats.reading(kept(name, seed)) as recording:
        raised = worst(replay(recording.events, settings))
    return Verdict(name, raised, dict(expectations()[name]["expect"]))

"""Replays a capture into the whole firmware, as flashed, on boards/VIRTUAL; `packlab replay
--depth app` and the demo call this.

The virtual board prints a trace of pins, sounds and console lines; here it becomes the same JSON
lines that the core's replay prints, plus `boot`, `reset`, `crash` and `lost` (bytes that found the
receive buffer full). Time is virtual: an hour takes seconds.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packlab.capture import Chunk, Event
from packlab.checkout import firmware, root
from packlab.errors import PacklabError
from packlab.replay import Settings

LAUNCHER = "boards/VIRTUAL/launch.py"
_FEED_PORT = {"bms_tx": "bms", "host_tx": "host", "dash": "dash"}
_AFTER_US = (
    1_500_000  # the board runs on after the last event, so that what it decides is still told
)
_BEEPS_APART_MS = 500


def replay_app(events: Iterable[Event], settings: Settings) -> Iterator[str]:
    """The trace of `events` as JSON lines without line ends, the last one the summary."""
    if settings.interpreter == "cpython":
        raise PacklabError("the app runs on MicroPython only; use --interpreter unix or unix32")
    with tempfile.TemporaryDirectory(prefix="packlab-") as name:
        folder = Path(name)
        feed = folder / "feed"
        span_ms = _write_feed(events, feed)
        state = settings.flash or folder / "state"
        flash = state / "flash"
        flash.mkdir(parents=True, exist_ok=True)
        config = {"console_s": 1, **settings.config}
        (flash / "config.json").write_text(json.dumps(config), encoding="utf-8")
        story = Story(settings, span_ms)
        wait = _Pace(settings.speed)
        for line in _launch(feed, state, settings):
            for event in story.follow(line):
                wait.until(event["t_ms"])
                yield _dump(event)
        yield _dump(story.summary())


class _Pace:
    """Holds events back to so many times real time; None = not at all."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._start: float | None = None

    def until(self, t_ms: int) -> None:
        """Wait until trace time `t_ms` has come."""
        if self._speed is None:
            return
        due = t_ms / 1000 / self._speed
        if self._start is None:
            self._start = time.monotonic() - due
        time.sleep(max(0.0, self._start + due - time.monotonic()))


def _write_feed(events: Iterable[Event], path: Path) -> int:
    """The board's feed, in order of each chunk's beginning. Returns the capture's length in ms."""
    lines = []
    first_us = last_us = None
    for event in events:
        what = event.data.hex() if isinstance(event, Chunk) else "!" + event.level
        lines.append(f"{event.t_us} {_FEED_PORT[event.port]} {what}")
        first_us = event.t_us if first_us is None else first_us
        last_us = event.t_us
    if first_us is None or last_us is None:
        raise PacklabError("the capture has no events; nothing to replay")
    lines = launcher().in_order(lines)
    lines.append(f"{last_us + _AFTER_US} end")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return (last_us - first_us) // 1000


def launcher() -> Any:
    """boards/VIRTUAL/launch.py as a module."""
    folder = str(root() / "boards" / "VIRTUAL")
    if folder not in sys.path:
        sys.path.append(folder)  # behind everything: modules there shadow nothing, they lie deeper
    import launch  # type: ignore[import-not-found]

    return launch


def _launch(feed: Path, state: Path, settings: Settings) -> Iterator[str]:
    bits = "32" if settings.interpreter == "unix32" else "64"
    command = [sys.executable, str(root() / LAUNCHER), "--firmware", str(root() / "firmware")]
    command += ["--feed", str(feed), "--state", str(state), "--bits", bits]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for line in process.stdout:
            yield line.rstrip("\n")
        said = process.stderr.read().strip()
        if process.wait():
            raise PacklabError(said.splitlines()[-1] if said else "the virtual board stopped")
    finally:
        process.kill()
        process.wait()


def _dump(event: dict[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":"))


class Story:
    """Follows the board's trace and tells it as events."""

    def __init__(self, settings: Settings, span_ms: int) -> None:
        self._settings = settings
        self._span_ms = span_ms
        self._codes = list(firmware("guardrails.table").CODES)
        self._colours = self._colour_names()
        self._group = 0
        self._colour = "off"
        self._tone_hz = 0
        self._silent_since = -_BEEPS_APART_MS
        self._group_began: tuple[int, int] | None = None
        self._counters: dict[str, int] = {}
        self._last: dict[str, Any] = {}
        self._ever_watched: set[str] = set()
        self._worst = 0
        self._profile = self._family = ""

    @staticmethod
    def _colour_names() -> dict[str, str]:
        rgb = (0x000000, 0x003000, 0x000040, 0x401C00, 0x500000, 0x280030)
        return {f"{value:06x}": name for value, name in zip(rgb, _colours(), strict=True)}

    def follow(self, line: str) -> Iterator[dict[str, Any]]:
        """The events one trace line stands for."""
        words = line.split()
        if not words or not words[0].isdigit():  # a traceback on the console: `died` names it, too
            return
        t_ms = int(words[0]) // 1000
        if self._group_began is not None and t_ms > self._group_began[0]:
            yield from self._beeps()
        kind, rest = words[1], words[2:]
        if kind == "print" and rest:
            yield from self._console(t_ms, rest)
        elif kind == "pix":
            self._colour = self._colours.get(rest[1], rest[1])
            yield from self._edge(t_ms)
        elif kind == "sound":
            yield from self._sound(t_ms, int(rest[1]))
        elif kind in ("boot", "reset"):
            yield {"t_ms": t_ms, "event": kind, "cause": rest[0].lower()}
        elif kind == "crash":
            yield {"t_ms": t_ms, "event": "crash", "error": " ".join(rest)}
        elif kind == "lost":
            yield {"t_ms": t_ms, "event": "lost", "uart": rest[0], "bytes": int(rest[1])}

    def _edge(self, t_ms: int) -> Iterator[dict[str, Any]]:
        if self._settings.edges:
            edge = {"colour": self._colour, "tone_hz": self._tone_hz}
            yield {"t_ms": t_ms, "event": "edge", **edge}

    def _sound(self, t_ms: int, tone_hz: int) -> Iterator[dict[str, Any]]:
        if tone_hz and not self._tone_hz and t_ms - self._silent_since >= _BEEPS_APART_MS:
            self._group_began = (t_ms, tone_hz)
        if self._tone_hz and not tone_hz:
            self._silent_since = t_ms
        self._tone_hz = tone_hz
        yield from self._edge(t_ms)

    def _console(self, t_ms: int, words: list[str]) -> Iterator[dict[str, Any]]:
        kind, rest = words[0], words[1:]
        if kind == "alert":
            yield {"t_ms": t_ms, "event": "alert", **self._alert(rest)}
        elif kind == "watch":
            self._ever_watched.update(rest[1:])
            missing = [code for code in self._codes if code not in rest[1:]]
            watch = {"pack": int(rest[0]), "watched": rest[1:], "not_watched": missing}
            yield {"t_ms": t_ms, "event": "watch", **watch}
        elif kind == "look":
            yield {"t_ms": t_ms, "event": "led", **self._look(rest[0], int(rest[1]))}
        elif kind == "live":
            live = _members(rest[1:])
            self._last = live if rest[0] == "1" else self._last
            if self._settings.telemetry:
                yield {"t_ms": t_ms, "event": "telemetry", "pack": int(rest[0]), **live}
        elif kind == "guarding":
            self._profile, self._family = rest[0], rest[2]
        elif kind == "link":
            self._counters = _members(rest)

    def _beeps(self) -> Iterator[dict[str, Any]]:
        """A group of beeps that began; its look is told right after its first tone. The
        self-test's beep is no group."""
        assert self._group_began is not None
        t_ms, tone_hz = self._group_began
        self._group_began = None
        if tone_hz == firmware("outputs.buzzer").CHIRP[0][0]:
            yield {"t_ms": t_ms, "event": "buzzer", "tone_hz": tone_hz, "beeps": 0}
        elif self._group:
            yield {"t_ms": t_ms, "event": "buzzer", "tone_hz": tone_hz, "beeps": self._group}

    def _alert(self, words: list[str]) -> dict[str, Any]:
        """`CODE STATE LEVEL value V limit L SLOT where N peak P count C pack N`"""
        code, state, level, _, value, _, limit, slot, _, where, _, peak, _, count, _, pack = words
        levels = firmware("alert").LEVELS
        self._worst = max(self._worst, levels.index(level) if state == "set" else 0)
        alert: dict[str, Any] = {"code": code, "state": state, "level": level}
        alert |= {"value": int(value), "limit": int(limit), "unit": slot}
        alert |= place(slot, int(where))
        return alert | {"peak": int(peak), "count": int(count), "pack": int(pack)}

    def _look(self, look: str, group: int) -> dict[str, Any]:
        patterns = firmware("outputs.led").PATTERNS
        colour, blinks, _, _, pause_ms = patterns[firmware("status").LOOKS.index(look)]
        self._group = group if look in ("warn", "alarm") else 0
        blinks = 0 if pause_ms < 0 else blinks or group
        return {"look": look, "colour": _colours()[colour], "blinks": blinks}

    def summary(self) -> dict[str, Any]:
        """The last line of the trace."""
        counters = dict(self._counters)
        score, worst = counters.pop("score", 100), counters.pop("worst", 100)
        levels = firmware("alert").LEVELS
        never = [code for code in self._codes if code not in self._ever_watched]
        return {
            "event": "summary",
            "profile": self._profile,
            "family": self._family,
            **counters,
            "link_score": score,
            "worst_link_score": worst,
            "seconds": self._span_ms / 1000,
            "worst_level": levels[self._worst],
            "not_watched": never,
            "last": self._last,
        }


def _colours() -> tuple[str, ...]:
    names: tuple[str, ...] = firmware("outputs.led").COLOURS
    return names


def place(slot: str, where: int) -> dict[str, Any]:
    """What `where` counts, by the slot that was judged: a cell, a probe, a fault or an error
    code."""
    if not where:
        return {}
    if slot == "fault_level":
        return {"fault": firmware("faults").FAULTS[where - 1]}
    if slot == "error_level":
        return {"error": where}
    is_probe = slot.startswith(("probe_", "coldest", "hottest", "heat_"))
    return {"probe" if is_probe else "cell": where}


def _members(words: list[str]) -> dict[str, Any]:
    """`slot=value` words as numbers, lists where there are commas or the slot is one."""
    members: dict[str, Any] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name in ("cell_mv", "temp_dc"):
            members[name] = [None if part == "-" else int(part) for part in text.split(",")]
        else:
            members[name] = int(text)
    return members

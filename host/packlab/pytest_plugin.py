"""For those who test a change of their own against captures: pytest finds this by itself where
packlab is installed.

    @pytest.mark.capture("ride.cap", profile="pro2")
    def test_no_alarm(replayed):
        assert replayed.worst() == {}

`replayed` is the trace of the capture, in any format (its path is seen from the test's file).
`virtual_dongle` replays a capture, or events, into the whole firmware on the virtual board.
`fake_pack` makes the events of a fake pack.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from packlab import formats
from packlab.capture import Event
from packlab.replay import Settings, replay

LEVELS = ("ok", "info", "warn", "alarm")


@dataclass(frozen=True)
class Replayed:
    """A trace. events: as `packlab replay --json --telemetry` prints them."""

    events: tuple[dict[str, Any], ...]

    @property
    def summary(self) -> dict[str, Any]:
        """The last event: frames, errors, link score."""
        return self.events[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind: alert, led, buzzer, watch, telemetry."""
        return [event for event in self.events if event["event"] == kind]

    def alerts(self) -> list[tuple[str, str, str]]:
        """(code, state, level) of each change."""
        return [(one["code"], one["state"], one["level"]) for one in self.of("alert")]

    def worst(self) -> dict[str, str]:
        """The highest level of each code that was set."""
        found: dict[str, str] = {}
        for code, state, level in self.alerts():
            if state == "set":
                found[code] = max(found.get(code, "ok"), level, key=LEVELS.index)
        return found

    def last(self, slot: str, pack: int = 1) -> Any:
        """The last value told of a slot, such as pack_mv or cell_mv."""
        for event in reversed(self.of("telemetry")):
            if event["pack"] == pack and slot in event:
                return event[slot]
        raise KeyError(f"nobody told {slot} of pack {pack}")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers",
        "capture(path, profile=None, config=None, depth='core', interpreter='cpython'): the"
        " capture that `replayed` replays",
    )


def _replayed(events: Iterable[Event], settings: Settings) -> Replayed:
    if settings.depth == "app":
        from packlab.virtual import replay_app

        lines: Iterator[str] = replay_app(events, settings)
    else:
        lines = replay(events, settings)
    return Replayed(tuple(json.loads(line) for line in lines))


def _settings(
    profile: str | None = None,
    config: dict[str, Any] | None = None,
    depth: str = "core",
    interpreter: str = "",
) -> Settings:
    whole = {**({"profile": profile} if profile else {}), **(config or {})}
    usual = "unix" if depth == "app" else "cpython"
    return Settings(whole, interpreter or usual, telemetry=True, depth=depth)


@pytest.fixture
def replayed(request: pytest.FixtureRequest) -> Replayed:
    """The trace of the capture that the mark names."""
    mark = request.node.get_closest_marker("capture")
    if mark is None:
        pytest.fail("mark the test with @pytest.mark.capture('FILE.cap')", pytrace=False)
    path = Path(request.path).parent / mark.args[0]
    with formats.reading(path) as recording:
        return _replayed(recording.some(), _settings(**mark.kwargs))


@pytest.fixture
def virtual_dongle() -> Callable[..., Replayed]:
    """virtual_dongle(capture or events, profile=…, config=…): the whole firmware's trace."""

    def run(what: Path | str | Iterable[Event], **settings: Any) -> Replayed:
        chosen = _settings(depth="app", **settings)
        if isinstance(what, Path | str):
            with formats.reading(Path(what)) as recording:
                return _replayed(recording.some(), chosen)
        return _replayed(what, chosen)

    return run


@pytest.fixture
def fake_pack() -> Callable[..., list[Event]]:
    """fake_pack(family, seconds=60, profile=None, scene="ride", …): what passes on its line; the
    other arguments are those of packlab.fake.bench.Order."""

    def play(family: str, seconds: float = 60, **order: Any) -> list[Event]:
        from packlab.fake.bench import Order, build
        from packlab.fake.line import InOrder

        line = build(Order(family, **order))
        try:
            in_order = InOrder(line.baud)
            events = list(in_order.add(line.advance(round(seconds * 1_000_000))))
            return [*events, *in_order.rest()]
        finally:
            line.close()

    return play

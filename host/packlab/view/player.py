"""Shows a trace while it comes in: drawn live in a terminal, as a timeline where there is none."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from threading import Lock

from rich.console import Console
from rich.live import Live
from rich.text import Text

from packlab.view import summary
from packlab.view.dongle import Frame, draw
from packlab.view.plain import Legible
from packlab.view.state import Event, Picture
from packlab.view.summary import Summary
from packlab.view.timeline import Timeline

_SHORTEST_S = 1 / 20  # between two drawings
_REST = 10  # a drawing is followed by as many times its own cost of doing nothing


def show(
    events: Iterable[Event],
    *,
    title: str,
    total_s: float,
    speed: float | None,
    console: Console,
    family: str = "",
) -> Summary:
    """Show a trace until it ends; its pace is that of `events`, which may block.

    total_s: when the trace will end, on its own clock. speed: times real time, None for as fast as
    it goes; between two events the drawing's clock runs on by it. family: as far as it is known,
    for the meaning of error numbers. PacklabError when the trace breaks off before its summary.
    """
    if console.is_interactive:
        picture = _draw(events, _Artist(title, total_s, speed, console, family))
    else:
        picture = _print(events, title, Timeline(total_s, family), console)
    ended = Summary.of(picture)
    console.print(Legible(summary.box(ended, title)))
    return ended


def _print(events: Iterable[Event], title: str, timeline: Timeline, console: Console) -> Picture:
    console.print(Legible(Text(title, "bold")), soft_wrap=True)
    for event in events:
        line = timeline.tell(event)
        if line is not None:
            console.print(Legible(line), soft_wrap=True)
    return timeline.picture


def _draw(events: Iterable[Event], artist: "_Artist") -> Picture:
    """Fold in this thread, draw in another, so that neither waits for the other's work."""
    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(artist.run)
        try:
            for event in events:
                artist.take(event)
        finally:
            artist.done.set()
            drawing.result()
    return artist.picture


class _Artist:
    """Holds the picture and draws it again and again until `done` is set."""

    def __init__(
        self, title: str, total_s: float, speed: float | None, console: Console, family: str
    ) -> None:
        self.picture = Picture(family)
        self.done = Flag()
        self._title = title
        self._speed = speed
        self._console = console
        self._lock = Lock()
        self._clock = TraceClock(total_s * 1000, speed)
        self._drawn_ms = 0.0

    def take(self, event: Event) -> None:
        """Fold an event in."""
        with self._lock:
            self.picture.fold(event)
            self._clock.set(self.picture.now_ms)

    def run(self) -> None:
        """Draw until done: not more often than can be seen, nor a tenth of the time."""
        wait_s = 0.0
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            while not self.done.wait(wait_s):
                began = time.monotonic()
                live.update(self._page(), refresh=True)
                wait_s = max(_SHORTEST_S, _REST * (time.monotonic() - began))

    def _page(self) -> Legible:
        with self._lock:
            now_ms = self._clock.now_ms()
            frame = Frame(self._title, now_ms, self._drawn_ms, self._clock.end_ms, self._speed)
            self._drawn_ms = now_ms
            return Legible(draw(self.picture, frame, *self._console.size))


class TraceClock:
    """The time of the trace between its events: the last one's, run on by the replay's speed.

    It never goes back and not beyond end_ms; at full speed it stands still between events.
    """

    def __init__(
        self, end_ms: float, speed: float | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.end_ms = end_ms
        self._rate = (speed or 0) * 1000
        self._monotonic = monotonic
        self._event_ms: float | None = None
        self._set_at = 0.0
        self._told_ms = 0.0

    def set(self, event_ms: float) -> None:
        """An event of this time has just come in."""
        self._event_ms = event_ms
        self._set_at = self._monotonic()

    def now_ms(self) -> float:
        """Return the time at this moment; 0 before the first event."""
        if self._event_ms is not None:
            run_ms = (self._monotonic() - self._set_at) * self._rate
            self._told_ms = max(min(self._event_ms + run_ms, self.end_ms), self._told_ms)
        return self._told_ms

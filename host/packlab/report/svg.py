"""The few shapes a plot is made of, as text: axes with round numbers, lines, areas, bands, limits.

A Plot states in data attributes which times and values its frame spans, so that whoever has the
page can turn every line back into numbers. How things look is page.css's business: everything has
a class.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

Stroke = Sequence[tuple[float, float]]  # a line drawn without lifting the pen: time and value

WIDTH = 960
LEFT, RIGHT = 56, 142  # room for the numbers of the axis, and for the names of lines
TOP, BOTTOM = 26, 20  # room for the title, and for the times
_LABEL_PX = 13  # names of lines are kept so far apart
_TEXT_PX = 11  # words of limits nearer than this to each other would overlap
_LIMIT_TEXT_PX = 66
_ROUND = (1, 2, 2.5, 5)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values `low` to `high` on pixels `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether a value lies on it."""
        return self.low <= value <= self.high


def round_steps(low: float, high: float, most: int) -> list[float]:
    """Round numbers between the two, at most `most` of them."""
    scale = 10.0**-3
    while True:
        for digit in _ROUND:
            step = scale * digit
            first = -(-low // step)
            count = int(high // step - first) + 1
            if count <= most:
                return [round((first + k) * step, 6) for k in range(count)]
        scale *= 10


def fitting(
    values: Sequence[float], least: float, *, floor: float | None = None
) -> tuple[float, float]:
    """The span of an axis: all values, some room, and at least `least` from end to end."""
    low, high = min(values), max(values)
    missing = max(0.0, least - (high - low)) / 2
    margin = max((high - low) * 0.06, missing)
    return (low - margin if floor is None else min(floor, low)), high + margin


class Plot:
    """One frame over a span of time, drawn into from back to front."""

    def __init__(
        self,
        name: str,
        title: str,
        times: tuple[float, float],
        values: tuple[float, float],
        height: int,
        *,
        width: int = WIDTH,
        right: int = RIGHT,
    ) -> None:
        self.x = Axis(*times, LEFT, width - right)
        self.y = Axis(*values, height - BOTTOM, TOP)
        self._name = name
        self._title = title
        self._size = width, height
        self._shapes: list[str] = []
        self._labels: list[tuple[float, str, str]] = []
        self._limits_y: list[float] = []

    def grid(self, steps: Iterable[float], text: Callable[[float], str]) -> None:
        """Horizontal lines with their values."""
        for value in steps:
            y = self.y.at(value)
            self._line(self.x.start, y, self.x.end, y, "grid")
            self._text(self.x.start - 8, y + 4, text(value), "tick value")

    def times(self, steps: Iterable[float], text: Callable[[float], str]) -> None:
        """Vertical lines with their times."""
        for value in steps:
            x = self.x.at(value)
            self._line(x, self.y.start, x, self.y.end, "grid")
            self._text(x, self.y.start + 14, text(value), "tick time")

    def band(self, start: float, end: float, level: str, tip: str) -> None:
        """A stretch of time from top to bottom of the frame, at least a pixel wide."""
        x = self.x.at(start)
        width = max(1.0, self.x.at(end) - x)
        height = self.y.start - self.y.end
        self._shapes.append(
            f'<rect class="band {level}" x="{x:.1f}" y="{self.y.end:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}"><title>{escape(tip)}</title></rect>'
        )

    def bar(self, start: float, end: float, value: float, level: str, tip: str) -> None:
        """A stretch of time in a lane of its own."""
        x = self.x.at(start)
        width = max(2.0, self.x.at(end) - x)
        self._shapes.append(
            f'<rect class="bar {level}" x="{x:.1f}" y="{self.y.at(value) - 6:.1f}" '
            f'width="{width:.1f}" height="12" rx="2"><title>{escape(tip)}</title></rect>'
        )

    def limit(self, value: float, level: str, text: str) -> None:
        """A line from edge to edge, if the frame holds it; its words stand to the left of those of
        a limit close by."""
        if not self.y.holds(value):
            return
        y = self.y.at(value)
        self._line(self.x.start, y, self.x.end, y, f"limit {level}")
        near = [place for place in self._limits_y if abs(place - y) < _TEXT_PX]
        self._limits_y.append(y)
        x = self.x.end - 4 - _LIMIT_TEXT_PX * len(near)
        self._text(x, y - 3, text, f"limit-text {level}")

    def line(self, series: str, strokes: Iterable[Stroke], kind: str) -> None:
        """Values over time; `series` names them for whoever reads them back."""
        path = " ".join(map(self._stroke, strokes))
        self._shapes.append(
            f'<path class="line {escape(kind)}" data-series="{escape(series)}" d="{path}"/>'
        )

    def area(self, strokes: Iterable[Stroke], base: float, kind: str) -> None:
        """What lies between the values and `base`, filled."""
        y = self.y.at(base)
        path = " ".join(
            f"M{self.x.at(stroke[0][0]):.1f} {y:.1f} {self._points(stroke)} "
            f"L{self.x.at(stroke[-1][0]):.1f} {y:.1f}Z"
            for stroke in strokes
        )
        self._shapes.append(f'<path class="area {kind}" d="{path}"/>')

    def label(self, value: float, text: str, kind: str) -> None:
        """The name of a line, at the right, near its value; names make room for each other."""
        self._labels.append((self.y.at(value), text, kind))

    def note(self, x: float, value: float, text: str, anchor: str) -> None:
        """Words inside the frame; anchor: start or end."""
        self._text(x, self.y.at(value) + 4, text, f"note {anchor}")

    def render(self) -> str:
        """The picture as an `svg` element."""
        width, height = self._size
        self._place_labels()
        spans = (
            f'data-plot="{escape(self._name)}" data-times="{self.x.low:g} {self.x.high:.12g}" '
            f'data-values="{self.y.low:.9g} {self.y.high:.9g}" '
            f'data-x="{self.x.start:g} {self.x.end:g}" data-y="{self.y.start:g} {self.y.end:g}"'
        )
        title = escape(self._title)
        return (
            f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{title}" '
            f"{spans}>\n"
            f'<rect class="frame" x="{self.x.start:g}" y="{self.y.end:g}" '
            f'width="{self.x.end - self.x.start:g}" height="{self.y.start - self.y.end:g}"/>\n'
            f'<text class="title" x="{LEFT - 48}" y="15">{title}</text>\n'
            + "\n".join(self._shapes)
            + "\n</svg>\n"
        )

    def _stroke(self, stroke: Stroke) -> str:
        """A single point becomes a dot: a line of no length with round ends."""
        only = "h0" if len(stroke) == 1 else ""
        return "M" + self._points(stroke).removeprefix("L") + only

    def _points(self, stroke: Stroke) -> str:
        return "L" + " ".join(f"{self.x.at(t):.1f} {self.y.at(v):.1f}" for t, v in stroke)

    def _place_labels(self) -> None:
        """From top to bottom, each as near its line as the ones above let it; then pushed up again
        where the last ones would hang out."""
        lowest = self.y.start + 4
        placed: list[float] = []
        labels = sorted(self._labels)
        for y, _, _ in labels:
            placed.append(max(y + 4, placed[-1] + _LABEL_PX if placed else self.y.end + 4))
        for number in reversed(range(len(placed))):
            placed[number] = min(placed[number], lowest)
            lowest = placed[number] - _LABEL_PX
        for y, (_, text, kind) in zip(placed, labels, strict=True):
            self._text(self.x.end + 8, y, text, f"name {kind}")

    def _line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        self._shapes.append(
            f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )

    def _text(self, x: float, y: float, text: str, kind: str) -> None:
        self._shapes.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')

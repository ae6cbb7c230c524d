"""The same output for terminals whose encoding cannot show it: ASCII signs of equal width."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

_SIGNS = {
    **dict.fromkeys("▋▊▉█", "#"),
    **dict.fromkeys("▏▎▍▌░", "."),
    "━": "=",
    "─": "-",
    "●": "O",
    "○": ".",
    "♪": "~",
    "▲": "^",
    "▼": "v",
    "→": ">",
    "…": "~",
    "°": " ",
    "–": "-",
    "×": "x",
}
_TABLE = str.maketrans(_SIGNS)


def ascii_only(text: str) -> str:
    """Return the text in ASCII, as many characters long; what has no stand-in becomes `?`."""
    return text.translate(_TABLE).encode("ascii", "replace").decode("ascii")


@dataclass(frozen=True, slots=True)
class Legible:
    """Whatever can be rendered, in signs that this console can show."""

    renderable: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.renderable, options):
            if options.ascii_only and not segment.control:
                yield Segment(ascii_only(segment.text), segment.style)
            else:
                yield segment

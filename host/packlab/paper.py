"""A written result, as text for a terminal and as one HTML file that needs nothing else: headings,
sentences, lists, tables and bars.

Findings and guided sessions fill it; they know nothing of layout, and this knows nothing of packs.
"""

import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from packlab.capture import new_file

WIDTH = 96
_CELL = 44  # of a table
_TEMPLATES = Path(__file__).parent / "report" / "templates"  # one look for all pages


@dataclass(slots=True)
class Section:
    """A heading and what stands under it, in order. A block is a sentence, a list of sentences, a
    Table or Bars."""

    heading: str
    blocks: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are plain text; head may be empty."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Numbers around zero, one bar each, named."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    unit: str

    def parts(self) -> list[tuple[float, float]]:
        """(share of the longest, 0 to 1, left of zero; the same right of it) of each bar."""
        most = max((abs(value) for value in self.values), default=0) or 1
        return [(max(0, -value) / most, max(0, value) / most) for value in self.values]


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence with a level (alarm, warn, info, ok, dim) for its colour; the headline is what is
    read first."""

    text: str
    level: str
    headline: bool = False


@dataclass(slots=True)
class Paper:
    """A result to hand to somebody."""

    title: str
    sections: list[Section] = field(default_factory=list)

    def section(self, heading: str, *blocks: Any) -> Section:
        """Add a section."""
        made = Section(heading, list(blocks))
        self.sections.append(made)
        return made

    def text(self) -> str:
        """For a terminal, at most WIDTH wide."""
        lines = [self.title, "=" * len(self.title)]
        for section in self.sections:
            lines += ["", section.heading, "-" * len(section.heading)]
            for block in section.blocks:
                lines += _as_text(block)
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """One page, without a script and without anything from elsewhere."""
        page = _environment().get_template("paper.html")
        return page.render(paper=self, css=Markup(_css()), version=version("packlab")) + "\n"


def keep(path: Path, paper: Paper, data: object) -> None:
    """Write the result: .html as a page, .json as `data`, anything else as text."""
    if path.suffix == ".html":
        text = paper.html()
    elif path.suffix == ".json":
        text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    else:
        text = paper.text()
    with new_file(path) as stream:
        stream.write(text)


def _as_text(block: Any) -> Iterable[str]:
    if isinstance(block, Marked):
        return textwrap.wrap(block.text, WIDTH)
    if isinstance(block, str):
        return textwrap.wrap(block, WIDTH)
    if isinstance(block, Table):
        return _table_text(block)
    if isinstance(block, Bars):
        return _bars_text(block)
    lines: list[str] = []
    for item in block:
        text = item.text if isinstance(item, Marked) else item
        lines += textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ")
    return lines


def _table_text(table: Table) -> Iterable[str]:
    rows = [table.head, *table.rows] if table.head else list(table.rows)
    widths = [min(_CELL, max(len(cell) for cell in column)) for column in zip(*rows, strict=True)]
    for row in rows:
        wrapped = [
            textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)
        ]
        for line in zip_longest(*wrapped, fillvalue=""):
            yield "  ".join(
                cell.ljust(width) for cell, width in zip(line, widths, strict=True)
            ).rstrip()


def _bars_text(bars: Bars) -> Iterable[str]:
    most = max((abs(value) for value in bars.values), default=0) or 1
    wide = max(len(name) for name in bars.names) if bars.names else 0
    for name, value in zip(bars.names, bars.values, strict=True):
        length = round(abs(value) / most * 20)
        left = ("#" * length).rjust(20) if value < 0 else " " * 20
        right = "#" * length if value >= 0 else ""
        yield f"{name:{wide}} {left}|{right:20} {value:+.0f} {bars.unit}"


# --- the page ------------------------------------------------------------------------------------


def _kind(block: Any) -> str:
    """What the template has to lay out."""
    names = {str: "text", Marked: "marked", Table: "table", Bars: "bars"}
    return names.get(type(block), "list")


@cache
def _css() -> str:
    """The look of packlab report's pages."""
    return (_TEMPLATES / "page.css").read_text("utf-8")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["kind"] = _kind
    return made

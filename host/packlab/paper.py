"""A written result, as text for a terminal and as one HTML file that needs nothing else: headings,
sentences, lists, tables and bars.

Findings and guided sessions fill it; they know nothing of layout, and this knows nothing of packs.
"""

import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import Any

from packlab.capture import new_file

WIDTH = 96
_CELL = 44  # of a table

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;
color:#1a1a1a;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:1.6rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem .25rem 0;
vertical-align:top;border-bottom:1px solid #e4e4e4}
.alarm{color:#b00020}.warn{color:#8a5a00}.info{color:#00539c}.ok{color:#1b6e2c}.dim{color:#666}
svg{display:block;margin:.4rem 0}@media print{body{margin:0}}
"""


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


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence with a level (alarm, warn, info, ok, dim) for its colour."""

    text: str
    level: str


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
        body = [f"<h1>{escape(self.title)}</h1>"]
        for section in self.sections:
            body.append(f"<h2>{escape(section.heading)}</h2>")
            body += [_as_html(block) for block in section.blocks]
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head>\n<body>\n"
            + "\n".join(body)
            + "\n</body></html>\n"
        )


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


def _as_html(block: Any) -> str:
    if isinstance(block, Marked):
        return f'<p class="{escape(block.level)}">{escape(block.text)}</p>'
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>"
    if isinstance(block, Table):
        head = "".join(f"<th>{escape(cell)}</th>" for cell in block.head)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in block.rows
        )
        return f"<table>{f'<tr>{head}</tr>' if head else ''}{rows}</table>"
    if isinstance(block, Bars):
        return _bars_html(block)
    items = "".join(
        f'<li class="{escape(item.level)}">{escape(item.text)}</li>'
        if isinstance(item, Marked)
        else f"<li>{escape(item)}</li>"
        for item in block
    )
    return f"<ul>{items}</ul>"


def _bars_html(bars: Bars) -> str:
    most = max((abs(value) for value in bars.values), default=0) or 1
    parts = []
    for place, (name, value) in enumerate(zip(bars.names, bars.values, strict=True)):
        y = place * 20
        length = abs(value) / most * 150
        x = 260 - length if value < 0 else 260
        parts.append(
            f'<text x="0" y="{y + 14}">{escape(name)}</text>'
            f'<rect x="{x:.1f}" y="{y + 3}" width="{length:.1f}" height="13" fill="#4a7ebb"/>'
            f'<text x="430" y="{y + 14}">{value:+.0f} {escape(bars.unit)}</text>'
        )
    height = 20 * len(bars.values)
    return (
        f'<svg viewBox="0 0 520 {height}" width="520" height="{height}" font-size="13" role="img">'
        f'<line x1="260" y1="0" x2="260" y2="{height}" stroke="#999"/>{"".join(parts)}</svg>'
    )

"""Writes a page: content laid out by the templates, the numbers as JSON, nothing to be loaded."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

import jinja2
from markupsafe import Markup

from packlab.report import data
from packlab.report.content import Content
from packlab.report.fleet import Pack
from packlab.report.study import Study
from packlab.report.trends import FleetContent

_TEMPLATES = Path(__file__).parent / "templates"


def write(
    stream: TextIO,
    title: str,
    studies: Sequence[Study],
    packs: Sequence[Pack],
    captures: Sequence[Content],
    fleet: FleetContent | None,
) -> None:
    """An index if there is a fleet, then each capture; `studies` and `packs` are what JSON tells
    of."""
    page = _environment().get_template("page.html")
    stream.write(
        page.render(
            title=title,
            css=Markup((_TEMPLATES / "page.css").read_text("utf-8")),
            version=version("packlab"),
            fleet=fleet,
            captures=captures,
            made=any(study.header.origin == "made" for study in studies),
            data=Markup(data.text(studies, packs)),
        )
    )
    stream.write("\n")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )

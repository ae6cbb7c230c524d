"""What a file of ours says in its comments, however its format writes them: the header, and each
event the format itself has no place for, both in the words of our own text. So nothing is lost on
the way through another program's format."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from packlab.capture import (
    FIRST_LINE,
    DamagedLineError,
    Event,
    Header,
    HeaderText,
    event_line,
    header_lines,
    parse_event,
)
from packlab.formats.lib.base import Source

_ANY_VERSION = "deckwatch capture"


class Remark(NamedTuple):
    """One comment of a file, and where it stands: `, line 3`."""

    text: str
    place: str


def head(header: Header) -> Iterator[str]:
    """The comments with which a file of ours begins."""
    return header_lines(header)


def aside(event: Event) -> str:
    """The comment that keeps an event."""
    return event_line(event)


def find_header(source: Source, remarks: Iterable[Remark]) -> Header | None:
    """The header in the comments before the first data; None in a file that is not ours."""
    text = None
    for remark in remarks:
        if text is None:
            if remark.text == FIRST_LINE:
                text = HeaderText()
            elif remark.text.startswith(_ANY_VERSION):
                source.fail(
                    f"{remark.place}: '{remark.text:.40}' was written by another packlab; "
                    "convert it with that one"
                )
            continue
        try:
            text.take(remark.text)
        except DamagedLineError as damage:
            source.fail(f"{remark.place}: {damage}")
    try:
        return None if text is None else text.header()
    except DamagedLineError as damage:
        source.fail(f": {damage}")


def find_event(source: Source, remark: Remark) -> Event | None:
    """The event a comment keeps, None for a remark."""
    if not remark.text[:1].isdigit():
        return None
    try:
        return parse_event(remark.text)
    except DamagedLineError as damage:
        source.fail(f"{remark.place}: {damage}")

"""The formats a capture can have, one file each, chosen by how a file's name ends; `.gz` behind it
means packed. `packlab convert`, `play` and whatever else takes a recording comes through here.

    with formats.reading(Path("ride.sr")) as recording:
        for event in recording.events: ...

A format is a module beside this file with a FORMAT (lib/base.py says what that is); nothing else
needs to know of it. docs/formats.md tells people what each of them keeps.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from packlab.capture import Event, Header
from packlab.errors import PacklabError
from packlab.files import PACKED, new_binary, opened
from packlab.formats.lib.base import Format, Options, Recording, Source

__all__ = ["Format", "Options", "Recording", "all_formats", "format_of", "reading", "write"]

_BEGINNING = 4096


@cache
def all_formats() -> tuple[Format, ...]:
    """Every format there is, by module name."""
    names = sorted(one.name for one in pkgutil.iter_modules(__path__) if not one.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module.FORMAT for module in modules)


def format_of(path: Path) -> Format:
    """The format that a file of this name is written in; PacklabError names those there are."""
    return _nearest(path, _by_name(path))


def _by_name(path: Path) -> list[Format]:
    candidates = [one for one in all_formats() if _ending(one, path)]
    if not candidates:
        endings = ", ".join(one.suffix for one in all_formats())
        raise PacklabError(f"{path} has no ending that says its format; use one of {endings}")
    return candidates


def _ending(one: Format, path: Path) -> str:
    name = path.name.removesuffix(PACKED).lower()
    return max((suffix for suffix in one.suffixes if name.endswith(suffix)), key=len, default="")


def _nearest(path: Path, candidates: list[Format]) -> Format:
    """The one with the longest ending, and among equals the one whose own it is."""
    return max(
        candidates, key=lambda one: (len(_ending(one, path)), _ending(one, path) == one.suffix)
    )


def _read_as(path: Path, *, lenient: bool) -> Format:
    """The format of a file that is there; several that share an ending look at its beginning."""
    candidates = _by_name(path)
    if len(candidates) > 1:
        with opened(path, lenient=lenient) as stream:
            beginning = stream.read(_BEGINNING)
        candidates = [
            one for one in candidates if one.knows and one.knows(beginning)
        ] or candidates
    return _nearest(path, candidates)


@contextmanager
def reading(path: Path, options: Options | None = None) -> Iterator[Recording]:
    """The recording in a file. PacklabError names the file, the place in it and the remedy; while
    the events are taken, too."""
    options = options or Options()
    source = Source(path, options)
    try:
        yield _read_as(path, lenient=options.lenient).read(source)
    finally:
        source.close()


def write(path: Path, header: Header, events: Iterable[Event]) -> None:
    """Write a recording to a new file, which appears when all of it is written. header.lines names
    every port of the events, as `packlab.convert.survey` sees to."""
    with new_binary(path) as stream:
        format_of(path).write(stream, header, events)

"""The formats a capture can have, one file each, chosen by how a file's name ends; `.gz` behind it
means packed. Whatever takes a recording comes through here.

    with formats.reading(Path("ride.sr")) as recording:
        for event in recording.events: ...

A format is a module beside this file with a FORMAT (lib/base.py says what that is); nothing else
needs to know of it. docs/formats.md tells people what each of them keeps.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

from packlab.capture import Event, Header
from packlab.errors import PacklabError
from packlab.files import PACKED, new_binary, opened
from packlab.formats.lib.base import Format, Options, Recording, Source

__all__ = [
    "Format",
    "Opened",
    "Options",
    "all_formats",
    "format_of",
    "header_of",
    "is_recording",
    "reading",
    "stem",
    "write",
]

_BEGINNING = 4096


@cache
def all_formats() -> tuple[Format, ...]:
    """Every format there is, by module name."""
    names = sorted(one.name for one in pkgutil.iter_modules(__path__) if not one.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module.FORMAT for module in modules)


def format_of(path: Path) -> Format:
    """The format that a file of this name is written in; PacklabError names those there are."""
    candidates = _by_name(path)
    if not candidates:
        _refuse(path)
    return _nearest(path, candidates)


def stem(path: Path) -> str:
    """The file's name without what says its format."""
    candidates = _by_name(path)
    name = path.name.removesuffix(PACKED)
    return name[: -len(_ending(_nearest(path, candidates), path))] if candidates else name


def is_recording(path: Path) -> bool:
    """Whether it is a file that is one by its name; endings that other files have, too (.csv,
    .txt), are looked into."""
    candidates = _by_name(path)
    if not path.is_file() or not candidates:
        return False
    is_settled = len(candidates) == 1 and not candidates[0].others
    return is_settled or bool(_that_know(_beginning(path), candidates))


def _by_name(path: Path) -> list[Format]:
    return [one for one in all_formats() if _ending(one, path)]


def _ending(one: Format, path: Path) -> str:
    name = path.name.removesuffix(PACKED).lower()
    return max((suffix for suffix in one.suffixes if name.endswith(suffix)), key=len, default="")


def _nearest(path: Path, candidates: list[Format]) -> Format:
    """The one with the longest ending, and among equals the one whose own it is."""
    return max(
        candidates, key=lambda one: (len(_ending(one, path)), _ending(one, path) == one.suffix)
    )


def _beginning(path: Path, *, lenient: bool = True) -> bytes:
    with opened(path, lenient=lenient) as stream:
        return stream.read(_BEGINNING)


def _that_know(beginning: bytes, candidates: Iterable[Format]) -> list[Format]:
    return [one for one in candidates if one.knows and one.knows(beginning)]


def _refuse(path: Path) -> NoReturn:
    endings = ", ".join(one.suffix for one in all_formats())
    raise PacklabError(f"{path} has no ending that says its format; use one of {endings}")


def _read_as(path: Path, *, lenient: bool) -> Format:
    """The format of a file that is there; where its name does not settle it, its beginning
    does."""
    candidates = _by_name(path)
    if len(candidates) != 1:
        beginning = _beginning(path, lenient=lenient)
        candidates = _that_know(beginning, candidates or all_formats()) or candidates
    if not candidates:
        _refuse(path)
    return _nearest(path, candidates)


@dataclass(frozen=True, slots=True)
class Opened(Recording):
    """A recording whose file is open."""

    source: Source

    @property
    def skipped(self) -> int:
        """Damaged lines passed over so far."""
        return self.source.skipped

    def some(self) -> Iterator[Event]:
        """The events; PacklabError at the end where there were none."""
        empty = True
        for event in self.events:
            empty = False
            yield event
        if empty:
            unusable = f" that can be used, {self.skipped} were skipped" if self.skipped else ""
            self.source.fail(f" holds no events{unusable}; record it again")


@contextmanager
def reading(path: Path, options: Options | None = None) -> Iterator[Opened]:
    """The recording in a file. PacklabError names the file, the place in it and the remedy; while
    the events are taken, too."""
    options = options or Options()
    source = Source(path, options)
    try:
        recording = _read_as(path, lenient=options.lenient).read(source)
        yield Opened(recording.header, recording.events, source)
    finally:
        source.close()


def header_of(path: Path, options: Options | None = None) -> Header:
    """What the file says of itself, with what the user says on top."""
    with reading(path, options) as recording:
        return recording.header


def write(path: Path, header: Header, events: Iterable[Event]) -> None:
    """Write a recording to a new file, which appears when all of it is written. header.lines names
    every port of the events, as `packlab.convert.survey` sees to."""
    with new_binary(path) as stream:
        format_of(path).write(stream, header, events)

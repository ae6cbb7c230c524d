"""A traceback from a dongle's console with the names of the sources.

The dongle's files have short names and no lines (packlab.linking). They are known again for the
very bundle this packlab makes; of another one they are left as they are.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from packlab.errors import PacklabError
from packlab.flash import bundle
from packlab.linking import Origin

BEGIN = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s*File "(?P<file>[^"]*)"(, line (?P<line>\d+))?(, in (?P<name>.+))?$')
_NO_LINES = ("", "1")  # what is compiled without them says so
_MOST = 3  # functions that a short name may stand for before none is guessed


@dataclass
class Crash:
    """frames: (file, line, function) as the dongle says them; error: the last line, "" while it
    has not come."""

    frames: list[tuple[str, str, str]] = field(default_factory=list)
    error: str = ""

    def take(self, line: str) -> bool:
        """Take the next line in; False when the traceback was over before it."""
        if self.error:
            return False
        match = _FRAME.match(line)
        if match:
            self.frames.append((match["file"], match["line"] or "", match["name"] or ""))
        else:
            self.error = line
        return True


def explained(crash: Crash, listing: Mapping[str, Any]) -> Iterator[str]:
    """The crash line by line. listing: bundle.json of what runs there, {} for none."""
    meant, why_not = _meant(crash, listing)
    yield crash.error or "a crash whose end was not heard"
    for (file, line, name), origins in zip(crash.frames, meant, strict=True):
        if 0 < len(origins) <= _MOST:
            yield "  in " + ", or ".join(map(str, origins))
        else:
            where = f", line {line}" if line not in _NO_LINES else ""
            yield f"  in {name or 'a file'} ({file}{where})"
    if why_not:
        yield f"  (names as on the dongle: {why_not})"


def _meant(crash: Crash, listing: Mapping[str, Any]) -> tuple[Sequence[Sequence[Origin]], str]:
    """(what each frame may be, why that is not known)"""
    nothing: list[list[Origin]] = [[] for _ in crash.frames]
    name, chip, family = (str(listing.get(key)) for key in ("name", "chip", "family"))
    if chip not in bundle.MARCH:
        return nothing, "it runs nothing that 'packlab flash' has put there"
    wanted = None if family == "all" else family
    try:
        mine = bundle.build(chip, wanted).name
    except PacklabError as error:
        return nothing, str(error)
    if mine != name:
        return nothing, f"it runs {name}, and this packlab makes {mine}"
    origins = bundle.origins(wanted)
    paths = {PurePosixPath(path).stem: path for path in origins.files}
    frames = [(paths.get(PurePosixPath(file).stem, ""), name) for file, _, name in crash.frames]
    return origins.meant(frames), ""

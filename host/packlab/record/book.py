"""The files a recording goes into: always readable, never more than half a second behind, begun
anew when one is full, gone on with after an interruption. What the disk has no room for waits in
memory.

The files are ordinary captures. A kill at any moment leaves whole lines, or one torn last line,
which `resumed` cuts off.
"""

import io
import os
import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from packlab.capture import CaptureReader, Event, Header, event_line, header_lines
from packlab.errors import PacklabError

FLUSH_S = 0.5
STARTED = "started"
_MOST_WAITING = 64 * 1024 * 1024  # bytes held for a full disk: 9 hours of a stock scooter's line
_NUMBERED = re.compile(r"(?P<stem>.*)-(?P<number>\d{3,})$")


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a file is full: after so many seconds or bytes; 0 = never."""

    seconds: int = 0
    bytes: int = 0

    def is_due(self, seconds: float, size: int) -> bool:
        """Is a file of this length and size full?"""
        return bool(self.seconds and seconds >= self.seconds or self.bytes and size >= self.bytes)


class Book:
    """One recording's files. path: the first one's; `files` lists all of this run.

    dropped: bytes of text given up because disk and memory were full; trouble: what the disk says
    at the moment, "" = nothing.
    """

    def __init__(self, path: Path, header: Header, rotation: Rotation, *, resume: bool) -> None:
        self._header = header
        self._rotation = rotation
        self._waiting: deque[bytes] = deque()
        self._size_waiting = 0
        self._flushed_at = time.monotonic()
        self.dropped = 0
        self.trouble = ""
        self.files: list[Path] = []
        self._stream: io.FileIO | None = None
        self._offset_us = 0
        self._last_us = 0
        if resume:
            self._resume(path)
        else:
            self._begin(path, 0)

    # --- files -----------------------------------------------------------------------------------

    def _begin(self, path: Path, at_us: int) -> None:
        """A new file, whose time 0 is `at_us` of this run."""
        if path.exists():
            raise PacklabError(
                f"{path} is there already; give another name, or --resume to go on with it"
            )
        self._open(path)
        self._offset_us = -at_us
        self._begun_us = at_us
        self._last_us = 0
        now = datetime.now(UTC)
        notes = (*self._header.notes, (STARTED, now.isoformat(timespec="milliseconds")))
        header = Header(self._header.origin, self._header.source, self._header.lines, notes)
        self._put("".join(f"# {line}\n" for line in header_lines(header)))
        self.flush()

    def _resume(self, path: Path) -> None:
        """Go on with the newest file of this name, its times too."""
        path = newest(path)
        cut = mend(path)
        with CaptureReader(path, lenient=True) as reader:
            last_us = max((event.t_us for event in reader), default=0)
            started = dict(reader.header.notes).get(STARTED, "")
        try:
            passed = datetime.now(UTC) - datetime.fromisoformat(started)
        except ValueError:
            passed = timedelta(microseconds=last_us)
        self._open(path)
        self._last_us = last_us
        self._offset_us = max(last_us, passed // timedelta(microseconds=1))
        self._begun_us = -self._offset_us
        torn = f", {cut} bytes of a torn line cut off" if cut else ""
        self.remark(f"resumed after {(self._offset_us - last_us) / 1e6:.1f} s{torn}")

    def _open(self, path: Path) -> None:
        try:
            self._stream = path.open("ab", buffering=0)
        except OSError as error:
            raise PacklabError(
                f"{path} cannot be written: {error.strerror}; check the path"
            ) from error
        self.files.append(path)

    def _rotate(self, at_us: int) -> None:
        path = self.files[-1]
        match = _NUMBERED.match(path.stem)
        stem, number = (match["stem"], int(match["number"])) if match else (path.stem, 1)
        following = path.with_name(f"{stem}-{number + 1:03}{path.suffix}")
        self.remark(f"goes on in {following.name}")
        self.flush()
        if self.trouble:
            return  # not before this one is whole
        self._close()
        self._begin(following, at_us)

    # --- content ---------------------------------------------------------------------------------

    def write(self, events: Iterable[Event]) -> None:
        """Events of this run, its beginning at 0, in rising time."""
        for event in events:
            self._note(event)
        if time.monotonic() - self._flushed_at >= FLUSH_S:
            self.flush()

    def _note(self, event: Event) -> None:
        if self._is_full(event.t_us):
            self._rotate(event.t_us)
        t_us = max(self._last_us, event.t_us + self._offset_us)
        self._last_us = t_us
        self._put(event_line(replace(event, t_us=t_us)) + "\n")

    def _is_full(self, at_us: int) -> bool:
        if self._stream is None or self.trouble:
            return False
        written = os.fstat(self._stream.fileno()).st_size if self._rotation.bytes else 0
        return self._rotation.is_due((at_us - self._begun_us) / 1e6, written + self._size_waiting)

    def remark(self, text: str) -> None:
        """A comment between the events."""
        self._put(f"# {' '.join(text.split())}\n")

    def _put(self, text: str) -> None:
        data = text.encode()
        if self._size_waiting + len(data) > _MOST_WAITING:
            self.dropped += len(data)
            return
        self._waiting.append(data)
        self._size_waiting += len(data)

    def flush(self) -> None:
        """Hand everything to the disk; what it refuses waits for the next time."""
        self._flushed_at = time.monotonic()
        if self._stream is None:
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        written = 0
        try:
            while written < len(data):
                written += self._stream.write(data[written:]) or 0
            os.fsync(self._stream.fileno())
            self.trouble = ""
        except OSError as error:
            self.trouble = error.strerror or str(error)
        left = data[written:]
        if left:
            self._waiting.append(left)
        self._size_waiting = len(left)

    @property
    def waiting(self) -> int:
        """Bytes of text not yet on the disk."""
        return self._size_waiting

    def close(self) -> None:
        """The end; PacklabError says how much the disk had no room for."""
        self.flush()
        self._close()
        lost = self._size_waiting + self.dropped
        if lost:
            raise PacklabError(
                f"{lost} bytes of the recording could not be written to {self.files[-1]}"
                f" ({self.trouble or 'the disk was full'}); what came before is kept"
            )

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def newest(path: Path) -> Path:
    """The file to go on with: the one with the highest number of this name; PacklabError when
    there is none."""
    found = [(0, path)] if path.exists() else []
    for other in path.parent.glob(f"{path.stem}-*{path.suffix}"):
        match = _NUMBERED.match(other.stem)
        if match and match["stem"] == path.stem:
            found.append((int(match["number"]), other))
    if not found:
        raise PacklabError(f"there is no {path} to go on with; leave --resume away")
    return max(found)[1]


def mend(path: Path) -> int:
    """Cut a torn last line off a file; says how many bytes that were."""
    try:
        with path.open("r+b") as stream:
            size = stream.seek(0, io.SEEK_END)
            back = min(size, 1 << 20)
            stream.seek(size - back)
            keep = stream.read().rfind(b"\n") + 1
            cut = back - keep
            if cut:
                stream.truncate(size - cut)
            return cut
    except OSError as error:
        raise PacklabError(f"{path} cannot be changed: {error.strerror}; check it") from error

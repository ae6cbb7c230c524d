"""Files to read and to write, packed where their name ends in .gz, and one sentence for whatever
the system says; captures and all other formats open theirs here."""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn, cast

from packlab.errors import PacklabError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = ".gz"

# Of a line of text, whatever it holds: bounded memory.
MAX_LINE_BYTES = 64 * 1024


class _Unpacked(io.RawIOBase):
    """A packed file's content; damage is told as one sentence, with `lenient` it is the end."""

    def __init__(self, path: Path, *, lenient: bool) -> None:
        self._path = path
        self._lenient = lenient
        self._file = gzip.open(path, "rb")  # noqa: SIM115  closed with this stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        try:
            data = self._file.read1(len(view))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            if self._lenient:
                return 0
            why = "breaks off" if isinstance(error, EOFError) else f"is damaged ({error})"
            raise PacklabError(
                f"{self._path} {why}; copy it again, or use what is left with --lenient"
            ) from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def opened(path: Path, *, lenient: bool = False) -> io.BufferedReader:
    """The file's content as bytes, unpacked where the name says .gz; PacklabError naming it."""
    try:
        if path.suffix == PACKED:
            return io.BufferedReader(_Unpacked(path, lenient=lenient))
        return path.open("rb")
    except OSError as error:
        why = error.strerror
        raise PacklabError(f"{path} cannot be read: {why}; check the path") from error


class Lines:
    """A file's lines as text, none longer than MAX_LINE_BYTES; `number` is the latest one's.

    noun: what the file is, for the sentence told when it is no text at all.
    """

    def __init__(self, stream: io.BufferedReader, path: Path, noun: str) -> None:
        self.number = 0
        self._stream = stream
        self._path = path
        self._noun = noun

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(MAX_LINE_BYTES):
            self.number += 1
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                self.fail(f"the line is longer than {MAX_LINE_BYTES} bytes; split it")
            yield self._text(line)

    def _text(self, line: bytes) -> str:
        try:
            text = line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise PacklabError(
                f"{self._path} is no {self._noun} ({error.reason} in line {self.number}); "
                "export it again as text"
            ) from error
        if "\0" in text:
            raise PacklabError(
                f"{self._path} is no {self._noun} (a zero byte in line {self.number}); "
                "export it again as text"
            )
        return text

    def fail(self, what: str) -> NoReturn:
        """Say what is wrong with the latest line, and the remedy."""
        raise PacklabError(f"{self._path}, line {self.number}: {what}")


@contextmanager
def new_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a stream that becomes `path` only when all went well: nobody reads half of it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            if path.suffix == PACKED:
                # Neither name nor time inside: the same content gives the same bytes.
                with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield stream
        part.replace(path)
    except OSError as error:
        why = error.strerror
        raise PacklabError(f"{path} cannot be written: {why}; check the path") from error
    finally:
        with suppress(OSError):
            part.unlink()

"""Where a journal lies: one or several segment files, a folder of them, or a dongle at a port."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from packlab.errors import PacklabError
from packlab.journal.records import Journal, parse

if TYPE_CHECKING:
    from packlab.flash.link import Link

FOLDER = "/journal"  # on the dongle

# Printed block by block: the dongle has no heap for a whole journal.
_FILES = """
import os
from binascii import hexlify
try:
    names = sorted(os.listdir("FOLDER"))
except OSError:
    names = []
block = bytearray(256)
for name in names:
    print("file", name)
    with open("FOLDER/" + name, "rb") as file:
        while True:
            size = file.readinto(block)
            if not size:
                break
            print(hexlify(memoryview(block)[:size]).decode())
""".replace("FOLDER", FOLDER)


def read(source: str) -> Journal:
    """The journal in a file, a folder or a dongle; PacklabError when there is none."""
    return understood(pieces(source), source)


def understood(data: list[bytes], source: str) -> Journal:
    """The records in what pieces() gave."""
    journal = parse(data)
    if not journal.records:
        if journal.damaged:
            raise PacklabError(
                f"{source} holds no whole record of a journal; give a file of the dongle's"
                f" {FOLDER} folder, that folder, or the dongle's port"
            )
        raise PacklabError(f"the journal at {source} is empty; the dongle has not kept any yet")
    return journal


def pieces(source: str) -> list[bytes]:
    """The bytes as they lie there."""
    path = Path(source)
    if (path / "flash" / "journal").is_dir():  # what 'packlab replay --flash' has kept
        path = path / "flash" / "journal"
    if path.is_dir():
        return [_content(file) for file in sorted(path.iterdir()) if file.is_file()]
    if path.is_file():
        return [_content(path)]
    if not path.exists() and path.suffix:  # no port's name has one
        raise PacklabError(f"there is no file {source}; check the path")
    return list(_from_dongle(source))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PacklabError(f"{path} cannot be read: {error.strerror}; check the path") from error


def _from_dongle(port: str) -> Iterator[bytes]:
    """The files of a dongle at a serial port; its firmware is stopped and started again, and
    knows the time from then on."""
    from packlab.flash.link import Link

    with Link(port) as link:
        link.enter()
        yield from from_link(link)
        link.tell_time()


def from_link(link: "Link") -> list[bytes]:
    """The files of a dongle whose firmware is stopped."""
    found: list[bytes] = []
    for line in link.run(_FILES, "its journal was read").splitlines():
        if line.startswith("file "):
            found.append(b"")
        elif found:
            found[-1] += bytes.fromhex(line)
    return found

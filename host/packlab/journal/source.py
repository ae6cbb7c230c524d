"""Where a journal lies: one or several segment files, a folder of them, or a dongle at a port."""

import json
from collections.abc import Iterator
from pathlib import Path

from packlab.errors import PacklabError
from packlab.journal.records import Journal, parse

FOLDER = "/journal"  # on the dongle

_FILES = """
import json, os
from binascii import hexlify
found = {}
try:
    for name in os.listdir("FOLDER"):
        with open("FOLDER/" + name, "rb") as file:
            found[name] = hexlify(file.read()).decode()
except OSError:
    pass
print(json.dumps(found))
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
        files = link.ask(_FILES, "its journal was read")
        link.tell_time()
    if not isinstance(files, dict):
        raise PacklabError(f"the answer of {port} is no list of files: {json.dumps(files)[:60]}")
    for name in sorted(files):
        yield bytes.fromhex(files[name])

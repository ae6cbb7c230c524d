"""The owner's key as a person gets it: text and a QR code in the terminal, or a file to print."""

import io
from pathlib import Path

import segno

from packlab.errors import PacklabError
from packlab.key.keys import OwnerKey

PAGE = "http://localhost:8765/"
SUFFIXES = (".svg", ".png")


def lines(owner: OwnerKey, page: str) -> list[str]:
    """What is printed beside the code."""
    return [
        f"dongle    {owner.name or 'without a radio'}",
        f"key       {owner.key.hex()}",
        f"bind key  {owner.bind_key.hex()}  (for Home Assistant, when `advert` is encrypted)",
        f"page      {owner.address(page)}",
    ]


def terminal_code(owner: OwnerKey, page: str) -> str:
    """The QR code of the page's address, drawn with half blocks."""
    out = io.StringIO()
    segno.make(owner.address(page), error="m").terminal(out=out, compact=True, border=2)
    return out.getvalue()


def check(path: Path) -> None:
    """Refuse a picture of a kind that cannot be made."""
    if path.suffix not in SUFFIXES:
        raise PacklabError(f"{path} must end in {' or '.join(SUFFIXES)}")


def write_code(owner: OwnerKey, page: str, path: Path) -> None:
    """The QR code as a picture; PacklabError where it cannot be written."""
    try:
        segno.make(owner.address(page), error="m").save(str(path), scale=8, border=4)
    except OSError as error:
        raise PacklabError(f"{path} cannot be written: {error.strerror}") from error

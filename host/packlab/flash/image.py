"""The stock MicroPython a dongle runs on: which release, and is a file that image, whole and for
this chip?

The images are upstream's own. Their SHA-256 are pinned here; a file of the user's is also taken
when it is another release, if its own checksums hold and it is for the chip.
"""

import hashlib
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from packlab.errors import PacklabError

RELEASE = "1.28.0"
_SITE = "https://micropython.org/resources/firmware/"
_LIMIT_S = 60


@dataclass(frozen=True)
class Stock:
    """Upstream's image for one chip, and the number by which its header names the chip."""

    file: str
    sha256: str
    chip_id: int


# The sums come from public records, not from a download of our own: the ESP32's stands alike in
# several unrelated repositories, the other two in the documents of one of them. A wrong one would
# refuse a good image, and --image would still take it.
STOCK = {
    "esp32": Stock(
        "ESP32_GENERIC-20260406-v1.28.0.bin",
        "cd7820d02c35d34dd403b44263129c6a511b350aea8446c229890753fe240784",
        0,
    ),
    "esp32c3": Stock(
        "ESP32_GENERIC_C3-20260406-v1.28.0.bin",
        "c749c22b6fe00cb8211a3b227ed6c0ce9babb518fd8f5a661f7496eb878fa895",
        5,
    ),
    "esp32s3": Stock(
        "ESP32_GENERIC_S3-20260406-v1.28.0.bin",
        "8c6039d40024cae3c6b04bb434f77901548f5487df9789af15548c54f9e11d7f",
        9,
    ),
}

# Where things lie in flash (ESP-IDF's and MicroPython's partition table).
_TABLE_AT = 0x8000
_TABLE_MAGIC = b"\xaa\x50"
_APP_AT = 0x10000

# An ESP image: header of 24 bytes, segments with 8 bytes before each, a check byte that ends a
# block of 16, and SHA-256 of all that where byte 23 says so.
_MAGIC = 0xE9
_HEADER = 24
_SEGMENT = 8
_HAS_SHA256 = 23
_CHIP_AT = 12


def find(chip: str, given: Path | None, offset: int) -> tuple[Path, str]:
    """The image to write, and what it is in words. `given` is the user's file; without it the
    pinned one comes from the cache or from upstream. PacklabError when it cannot be trusted."""
    if given is not None:
        return given, _examine(given, chip, offset)
    path = _cache() / STOCK[chip].file
    if not (path.exists() and _sha256(path) == STOCK[chip].sha256):
        _download(chip, path)
    return path, _examine(path, chip, offset)


def _examine(path: Path, chip: str, offset: int) -> str:
    try:
        image = path.read_bytes()
    except OSError as error:
        raise PacklabError(f"{path} cannot be read: {error.strerror}; check the path") from error
    if hashlib.sha256(image).hexdigest() == STOCK[chip].sha256:
        return f"MicroPython {RELEASE}, as pinned"
    problem = damage(image, chip, offset)
    if problem:
        raise PacklabError(
            f"{path.name} is no MicroPython image for this board: {problem}; take"
            f" {STOCK[chip].file} from micropython.org"
        )
    return f"{path.name}, not the pinned release, but whole and for this chip"


def damage(image: bytes, chip: str, offset: int) -> str:
    """What is wrong with an image that is to be written at `offset`; "" for nothing."""
    boot, app = image[:1], image[_APP_AT - offset :]
    if not boot or boot[0] != _MAGIC:
        return "it does not begin as an ESP image does"
    if image[_TABLE_AT - offset :][:2] != _TABLE_MAGIC:
        return f"there is no partition table where one must be; is it made for {offset:#x}?"
    for name, part in (("boot loader", image), ("program", app)):
        problem = _part_damage(part, STOCK[chip].chip_id)
        if problem:
            return f"its {name} {problem}"
    return ""


def _part_damage(part: bytes, chip_id: int) -> str:
    if len(part) < _HEADER or part[0] != _MAGIC:
        return "is missing"
    if int.from_bytes(part[_CHIP_AT : _CHIP_AT + 2], "little") != chip_id:
        return "is for another chip"
    end = _HEADER
    for _ in range(part[1]):
        size = int.from_bytes(part[end + 4 : end + _SEGMENT], "little")
        end += _SEGMENT + size
        if end > len(part):
            return "is cut short"
    end += 16 - end % 16
    if part[_HAS_SHA256] != 1:
        return "carries no checksum"
    if hashlib.sha256(part[:end]).digest() != part[end : end + 32]:
        return "is damaged: its checksum does not fit"
    return ""


def _download(chip: str, path: Path) -> None:
    """Fetch the pinned image; keep it only when its sum is right."""
    url = _SITE + STOCK[chip].file
    remedy = f"fetch {url} by other means and give it with --image"
    try:
        with urllib.request.urlopen(url, timeout=_LIMIT_S) as answer:
            image = answer.read()
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise PacklabError(
            f"{STOCK[chip].file} could not be fetched ({reason}); {remedy}"
        ) from None
    if hashlib.sha256(image).hexdigest() != STOCK[chip].sha256:
        raise PacklabError(
            f"what came for {url} is not the pinned image: its SHA-256 differs; try again later,"
            f" or {remedy}"
        )
    new = path.with_suffix(".new")
    new.write_bytes(image)
    new.replace(path)


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deckwatch"
    folder /= "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""What is kept in the chip's flash: the owner's configuration file, and what was found on the
line."""

import json
import os

from esp32 import NVS

CONFIG = "config.json"
_CONFIG_NEW = "config.new"  # while one is written; left behind by a power cut, it counts nothing
_CONFIG_GOOD = "config.good"  # the last one the dongle has started with


def read_config():
    """The owner's options as a dict, {} when there is no file; ValueError when it cannot be read
    as a JSON object."""
    return _read_options(CONFIG)


def good_config():
    """The last options the dongle has started with, for a file that was damaged since; {} when
    there are none."""
    try:
        return _read_options(_CONFIG_GOOD)
    except ValueError:
        return {}


def _read_options(path: str) -> dict:
    try:
        with open(path) as stream:
            options = json.load(stream)
    except OSError:
        return {}
    if not isinstance(options, dict):
        raise ValueError("%s must hold a JSON object" % path)
    return options


def write_config(options: dict) -> None:
    """Replaces the owner's options, whole or not at all: a file of its own takes the place of the
    former."""
    _replace(CONFIG, options)


def config_changes(options: dict) -> list:
    """[(name, former value, new value)] since the last start with good options, "default" where
    one is not set; these are the good ones from now on."""
    before = good_config()
    changes = []
    for name in sorted(set(before) | set(options)):
        old = before.get(name, "default")
        new = options.get(name, "default")
        if old != new:
            changes.append((name, old, new))
    if changes:
        keep_good_config(options)
    return changes


def keep_good_config(options: dict) -> bool:
    """The dongle has started with these. Says whether they are kept; else the former are."""
    try:
        _replace(_CONFIG_GOOD, options)
        return True
    except OSError:
        return False


def _replace(path: str, options: dict) -> None:
    with open(_CONFIG_NEW, "w") as stream:
        json.dump(options, stream)
    os.rename(_CONFIG_NEW, path)


_SPACE = "deckwatch"
_NAME_BYTES = 16


def read_found():
    """(family, baud, inverted) as an earlier search has found them; None when there is nothing."""
    name = bytearray(_NAME_BYTES)
    try:
        nvs = NVS(_SPACE)
        size = nvs.get_blob("family", name)
        if not size:
            return None
        return bytes(name[:size]).decode(), nvs.get_i32("baud"), bool(nvs.get_i32("inverted"))
    except OSError:
        return None


def keep_found(family: str, baud: int, inverted: bool) -> None:
    """Remembers what the search has found; trouble with the flash only costs the next search."""
    try:
        nvs = NVS(_SPACE)
        nvs.set_blob("family", family.encode())
        nvs.set_i32("baud", baud)
        nvs.set_i32("inverted", int(inverted))
        nvs.commit()
    except OSError:
        print("search: the answer could not be kept")


def forget_found() -> None:
    """The line contradicts what was found: search anew at the next start."""
    try:
        nvs = NVS(_SPACE)
        nvs.erase_key("family")
        nvs.commit()
    except OSError:
        pass


def read_packs() -> int:
    """How many batteries have been heard on this line, 1 while nothing is known."""
    try:
        return NVS(_SPACE).get_i32("packs")
    except OSError:
        return 1


def keep_packs(packs: int) -> bool:
    """Says whether the next start will know of them."""
    try:
        nvs = NVS(_SPACE)
        nvs.set_i32("packs", packs)
        nvs.commit()
    except OSError:
        return False
    return read_packs() == packs


_KEY_BYTES = 16


def read_key() -> bytes:
    """The owner's key, b"" when none was made."""
    key = bytearray(_KEY_BYTES)
    try:
        return bytes(key) if NVS(_SPACE).get_blob("owner", key) == _KEY_BYTES else b""
    except OSError:
        return b""


def keep_key(key: bytes) -> bool:
    """Says whether it is kept."""
    try:
        nvs = NVS(_SPACE)
        nvs.set_blob("owner", key)
        nvs.commit()
        return True
    except OSError:
        return False


def reserve_counters() -> int:
    """The number of a block of packet counters that no start has used or will use again; -1 when
    the flash cannot promise that."""
    try:
        nvs = NVS(_SPACE)
        try:
            block = nvs.get_i32("counters")
        except OSError:
            block = 0
        nvs.set_i32("counters", block + 1)
        nvs.commit()
        return block + 1
    except OSError:
        return -1

"""What is kept in the chip's flash: the owner's configuration file, and what was found on the
line."""

import json

from esp32 import NVS

CONFIG = "config.json"


def read_config():
    """The owner's options as a dict, {} when there is no file; ValueError when it cannot be read
    as a JSON object."""
    try:
        with open(CONFIG) as stream:
            options = json.load(stream)
    except OSError:
        return {}
    if not isinstance(options, dict):
        raise ValueError("%s must hold a JSON object" % CONFIG)
    return options


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

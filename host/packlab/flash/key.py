"""The owner's key: 16 bytes that say who may change a dongle's settings over Bluetooth.

`packlab flash` makes one where there is none, puts it into the dongle's NVS and shows it this
once, as a QR code and as text. The dongle makes one itself when it first has a radio without it
(firmware/deckwatch/remote.py); it keeps whichever was there first.
"""

import io
import secrets
from collections.abc import Iterator
from urllib.parse import quote

import segno

from packlab.flash.link import Link

BYTES = 16

_NAME = """
import bluetooth
ble = bluetooth.BLE()
ble.active(True)
mac = bytes(ble.config("mac")[1])
print("DW-%02X%02X" % (mac[4], mac[5]))
"""

_HAS = """
from esp32 import NVS
try:
    print(NVS("deckwatch").get_blob("owner", bytearray(64)))
except OSError:
    print(0)
"""

_KEEP = """
from esp32 import NVS
nvs = NVS("deckwatch")
nvs.set_blob("owner", bytes.fromhex("{key}"))
nvs.commit()
"""


def is_there(link: Link) -> bool:
    """Has the dongle an owner already?"""
    return link.run(_HAS, "its owner's key was looked for") == str(BYTES)


def make(link: Link) -> bytes:
    """A new key, kept by the dongle from now on."""
    key = secrets.token_bytes(BYTES)
    link.run(_KEEP.format(key=key.hex()), "its owner's key was written")
    return key


def name_on_air(link: Link) -> str:
    """What the dongle calls itself over Bluetooth: DW- and four digits of its address."""
    return link.run(_NAME, "its name was asked for").splitlines()[-1]


def address(name: str, key: bytes, page: str = "") -> str:
    """What the QR code says: the phone page's address with name and key behind the #, a part that
    browsers keep to themselves; without a page that part alone, to be scanned by the page."""
    return f"{page}#d={quote(name)}&k={key.hex()}"


def shown(name: str, key: bytes, page: str = "") -> Iterator[str]:
    """The key for a person: lines of a QR code, then text."""
    code = io.StringIO()
    segno.make(address(name, key, page), error="m").terminal(out=code, compact=True, border=2)
    yield from code.getvalue().splitlines()
    yield f"owner's key of {name}: {key.hex()}"
    yield "  It is shown this once. Whoever has it may change this dongle's settings; keep it."

"""Reads, makes and renews the owner's key of a dongle at a serial port.

The key lies in the NVS of the dongle, where firmware/deckwatch/hal/store.py keeps it. Whoever
holds the cable holds the dongle, so nothing guards it here; over the air it is never told.
"""

import secrets
from dataclasses import dataclass

from packlab.checkout import firmware
from packlab.errors import PacklabError
from packlab.flash.link import Link

KEY_BYTES = 16

_READ = """
import json
from esp32 import NVS
key = bytearray(16)
try:
    size = NVS("deckwatch").get_blob("owner", key)
except OSError:
    size = 0
try:
    import bluetooth
    radio = bluetooth.BLE()
    radio.active(True)
    mac = radio.config("mac")[1]
    name = "DW-%02X%02X" % (mac[4], mac[5])
    radio.active(False)
except Exception:
    name = ""
print(json.dumps([key.hex() if size == 16 else "", name]))
"""

_WRITE = """
import json
from esp32 import NVS
nvs = NVS("deckwatch")
nvs.set_blob("owner", bytes.fromhex("{key}"))
nvs.commit()
print(json.dumps(True))
"""


@dataclass(frozen=True, slots=True)
class OwnerKey:
    """key: 16 bytes; name: as the dongle calls itself on the air, "" where it has no radio."""

    key: bytes
    name: str

    @property
    def bind_key(self) -> bytes:
        """The key of the encrypted advertisement, as the firmware makes it of the owner's."""
        made: bytes = firmware("owner").bind_key(self.key)
        return made

    def address(self, page: str) -> str:
        """Where the phone's page opens with this key: what stands behind # is never sent."""
        return f"{page}#d={self.name}&k={self.key.hex()}"


def read(link: Link) -> OwnerKey | None:
    """The key of a dongle whose firmware is stopped; None when it has made none yet."""
    key, name = link.ask(_READ, "its key was read")
    return OwnerKey(bytes.fromhex(key), name) if key else None


def renew(link: Link) -> OwnerKey:
    """Give the dongle a new key of this computer's best random bytes; the former one is void."""
    key = secrets.token_bytes(KEY_BYTES)
    link.ask(_WRITE.format(key=key.hex()), "its new key was written")
    kept = read(link)
    if kept is None or kept.key != key:
        raise PacklabError("the dongle did not keep its new key; repeat the command")
    return kept


def make_if_none(link: Link) -> tuple[OwnerKey, bool]:
    """(key, whether it is new): a dongle that has none gets one."""
    kept = read(link)
    return (kept, False) if kept else (renew(link), True)

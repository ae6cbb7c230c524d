"""One change of a wire, and the character format that gives the changes a meaning."""

import re
from typing import NamedTuple

from packlab.capture import LineSetting
from packlab.errors import PacklabError

_MODE = re.compile(r"([5-8])([NEO])([12])")
_SECOND_NS = 1_000_000_000


class Edge(NamedTuple):
    """The wire `name` has `level` (0 or 1) from t_ns on."""

    t_ns: int
    name: str
    level: int


class Frame:
    """How a byte stands on the wire: start bit 0, data bits lowest first, perhaps a parity bit,
    stop bits 1. bits: of all of it."""

    def __init__(self, setting: LineSetting) -> None:
        match = _MODE.fullmatch(setting.mode)
        if match is None:
            raise PacklabError(
                f"nobody can draw '{setting.mode:.20}' bits; a line's format is written like 8N1, "
                "7E1 or 8N2"
            )
        self.data_bits = int(match[1])
        self.parity = match[2]
        self.stop_bits = int(match[3])
        self.checked_bits = self.data_bits + (self.parity != "N")
        self.bits = 1 + self.checked_bits + self.stop_bits
        self.baud = setting.baud

    def after_ns(self, bits: int) -> int:
        """How long so many bit times last, rounded to the nanosecond."""
        return (2 * bits * _SECOND_NS + self.baud) // (2 * self.baud)

    def middle_ns(self, bit: int) -> int:
        """From the start of a byte to the middle of one of its bits."""
        return (2 * bit + 1) * _SECOND_NS // (2 * self.baud)

    def levels(self, byte: int) -> list[int]:
        """The level in each bit time; what does not fit the data bits is lost, as on a wire."""
        data = [byte >> bit & 1 for bit in range(self.data_bits)]
        parity = [] if self.parity == "N" else [sum(data) % 2 ^ (self.parity == "O")]
        return [0, *data, *parity, *[1] * self.stop_bits]

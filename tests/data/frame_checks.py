"""Where each family's frames keep their check and how it is computed, for the test data alone.

make_data.py repairs frames with it and test_data.py checks them; it shares nothing with the
firmware, so that the two agree only if both are right. Sources: the protocol sheets, named below.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One check in a frame: `size` bytes from `at`, in `order`, over the bytes start to stop."""

    at: int
    size: int
    order: Literal["little", "big"]
    compute: Callable[[bytes], int]
    start: int
    stop: int

    def stored(self, frame: bytes) -> int:
        """Return the check the frame carries."""
        return int.from_bytes(frame[self.at : self.at + self.size], self.order)

    def computed(self, frame: bytes) -> int:
        """Return the check the frame ought to carry."""
        return self.compute(frame[self.start : self.stop])


def is_valid(sheet: str, frame: bytes) -> bool | None:
    """Say whether all checks of the frame fit; None if its kind has none."""
    fits = [check.stored(frame) == check.computed(frame) for check in checks(sheet, frame)]
    return all(fits) if fits else None


def checks(sheet: str, frame: bytes) -> list[Check]:
    """Return the checks of a frame from `<sheet>.json`."""
    return list(_SHEETS[sheet](frame))


def _xiaomi(frame: bytes) -> Iterator[Check]:  # xiaomi 2.1: the length says where the check is
    end = frame[2] + (4 if frame.startswith(b"\x55\xaa") else 7)
    yield Check(end, 2, "little", _inverted_sum16, 2, end)


def _jbd(frame: bytes) -> Iterator[Check]:  # jbd, framing: status to last data byte
    yield Check(len(frame) - 3, 2, "big", _negated_sum16, 2, len(frame) - 3)


def _jk(frame: bytes) -> Iterator[Check]:
    if frame.startswith(b"\x4e\x57"):  # jk 1.2
        yield Check(len(frame) - 2, 2, "big", _sum16, 0, len(frame) - 4)
    elif frame.startswith(b"\x55\xaa\xeb\x90"):  # jk 2
        yield Check(299, 1, "little", _sum8, 0, 299)
        if len(frame) == 308:  # jk 3: an acknowledgement stands behind the frame
            yield Check(306, 2, "little", _crc16_modbus, 300, 306)
    elif frame.startswith((b"\xaa\x55\x90\xeb", b"\xeb\x90")):  # jk 2 and 6
        yield Check(len(frame) - 1, 1, "little", _sum8, 0, len(frame) - 1)


def _ant(frame: bytes) -> Iterator[Check]:
    if frame.startswith(b"\xaa\x55\xaa\xff"):  # ant, old protocol
        yield Check(138, 2, "big", _sum16, 4, 138)
    else:  # ant, new protocol; some replies carry a second, checked tail
        end = 6 + frame[5]
        yield Check(end, 2, "little", _crc16_modbus, 1, end)
        if len(frame) == end + 10:
            yield Check(end + 6, 2, "little", _crc16_modbus, end + 2, end + 6)


def _daly(frame: bytes) -> Iterator[Check]:
    if frame.startswith(b"\xa5"):  # daly, A5
        yield Check(12, 1, "little", _sum8, 0, 12)
    else:  # daly, D2 and 51
        yield Check(len(frame) - 2, 2, "little", _crc16_modbus, 0, len(frame) - 2)


def _vesc(frame: bytes) -> Iterator[Check]:  # vesc 2; all frames in the data are short ones
    yield Check(len(frame) - 3, 2, "big", _crc16_xmodem, 2, len(frame) - 3)


_SHEETS = {"xiaomi": _xiaomi, "jbd": _jbd, "jk": _jk, "ant": _ant, "daly": _daly, "vesc": _vesc}


def _sum8(data: bytes) -> int:
    return sum(data) & 0xFF


def _sum16(data: bytes) -> int:
    return sum(data) & 0xFFFF


def _inverted_sum16(data: bytes) -> int:
    return ~sum(data) & 0xFFFF


def _negated_sum16(data: bytes) -> int:
    return -sum(data) & 0xFFFF


def _crc16_modbus(data: bytes) -> int:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def _crc16_xmodem(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc

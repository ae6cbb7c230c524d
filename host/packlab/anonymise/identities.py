"""Where in a battery line's frames somebody or something is named: serial numbers, ids of
processors, PINs, passwords, names people gave. One function a family, from the protocol sheets.

A function is given one frame, the number of its FRAMING row, and whom to ask for the register with
which a reply begins that does not say so itself; it yields places. Factory defaults (123456, a
model as name) are nobody's.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """The bytes start to stop of a frame; of `binary` ones not even the shape is kept. is_unique:
    what stands there can be recognised elsewhere; a name may be made of the model's."""

    start: int
    stop: int
    binary: bool = False
    is_unique: bool = True


# First register of a reply with so many bytes of data, -1 where nobody was heard asking.
Asked = Callable[[int], int]
Family = Callable[[bytes, int, Asked], Iterator[Place]]


def _overlap(
    start: int, stop: int, base: int, secrets: Sequence[tuple[int, int, bool]]
) -> Iterator[Place]:
    """Secret byte addresses that lie in a payload frame[start:stop] which begins at address
    `base`."""
    for first, last, binary in secrets:
        low = max(first - base + start, start)
        high = min(last - base + start, stop)
        if low < high:
            yield Place(low, high, binary)


# Xiaomi and Ninebot, byte address = 2 * word. Battery: 00 password, 10-16 serial (its first two
# letters name the model), 60-63 "crypt", 70-75 processor (xiaomi.md 3). Controller: 10-16 serial,
# 17-19 PIN (3.5).
_SCOOTER_BATTERY = (
    (0x00, 0x02, True),
    (0x22, 0x2E, False),
    (0xC0, 0xC8, True),
    (0xE0, 0xEC, True),
)
_SCOOTER_CONTROLLER = ((0x22, 0x2E, False), (0x2E, 0x34, False))
_WRITES = (0x02, 0x03)
_DEFAULT = re.compile(rb"123456\0*")
# Serial, name and the like are set by these; 55 and 5A are reads of the battery (xiaomi.md 2.3).
_SERVICES = (0x06, 0x18, *range(0x50, 0x55), *range(0x56, 0x5A), 0x5B, 0x5C)


def xiaomi(frame: bytes, _: int, __: Asked) -> Iterator[Place]:
    """Answers and writes of words; of the dashboard's own, everything."""
    address, command, word = frame[3:6]
    start, stop = 6, len(frame) - 2
    is_answer = 0x23 <= address <= 0x25 and command in (0x01, 0x55, 0x5A)
    yield from _scooter(command, word, start, stop, _XIAOMI_WHO.get(address, ""), is_answer)


def ninebot(frame: bytes, _: int, __: Asked) -> Iterator[Place]:
    """As xiaomi; who is meant by an order is its destination, by an answer its source."""
    source, destination, command, word = frame[3:7]
    start, stop = 7, len(frame) - 2
    is_answer = command == 0x04 or source in _NINEBOT_PACKS and command in (0x55, 0x5A)
    who = _NINEBOT_WHO.get(source if is_answer else destination, "")
    yield from _scooter(command, word, start, stop, who, is_answer)


_XIAOMI_WHO = {
    0x20: "controller", 0x21: "dash", 0x22: "battery",
    0x23: "controller", 0x24: "dash", 0x25: "battery",
}  # fmt: skip
_NINEBOT_PACKS = (0x22, 0x23, 0x11, 0x12)
_NINEBOT_WHO = {0x20: "controller", 0x14: "controller", 0x21: "dash"} | dict.fromkeys(
    _NINEBOT_PACKS, "battery"
)


def _scooter(
    command: int, word: int, start: int, stop: int, who: str, is_answer: bool
) -> Iterator[Place]:
    if command in _SERVICES:
        yield Place(start, stop)
    elif not is_answer and command not in _WRITES:
        return
    elif who == "dash":
        if stop - start > 1:
            yield Place(start, stop)
    elif who == "controller":
        yield from _overlap(start, stop, 2 * word, _SCOOTER_CONTROLLER)
    else:
        yield from _overlap(start, stop, 2 * word, _SCOOTER_BATTERY)


# Names that a maker gives, not an owner.
_JBD_MODEL = re.compile(
    rb"(?:(?:JBD|LLT|LT|SP|DP|AP|UP|DH)[A-Z0-9 ._-]*|[A-Z0-9 ._-]*\d{1,2}S\d*[A-Z0-9 ._-]*"
    rb"|xiaoxiang[ a-z]*)\0*",
    re.IGNORECASE,
)
_JBD_NAME, _JBD_SERIAL = 0x05, 0x16
_JBD_SECRETS = (0x06, 0x07, 0x09, 0xA0, 0xA1, 0xA2)  # passwords, labels
_JBD_LIST = 0xFA


def jbd(frame: bytes, _: int, __: Asked) -> Iterator[Place]:
    """Replies and writes; a reply of old firmware does not name its register (jbd.md 2)."""
    first, second = frame[1:3]
    body = Place(4, len(frame) - 3)
    if first == 0xA5 and not (second == 0 and body.stop > body.start):
        return  # a read
    register = second if first == 0x5A else first
    data = frame[body.start : body.stop]
    is_text = first == 0xA5 and all(0x20 <= byte < 0x7F for byte in data)
    if (register == _JBD_NAME or is_text) and not _JBD_MODEL.fullmatch(data):
        yield body._replace(is_unique=False)
    elif register == _JBD_LIST:  # behind the first register's number and how many there are
        yield Place(body.start + 3, body.stop)
    elif register in _JBD_SECRETS:
        yield body
    elif register == _JBD_SERIAL:
        yield body._replace(binary=True)


# Byte address = 2 * register (daly.md 3 and 4): D2 C9-CB and 81 126-128 passwords; in the version
# block of the 81 dialect, from 178 on, a text that none of the sources explains: like a serial.
_DALY_D2 = ((2 * 0xC9, 2 * 0xCC, False),)
_DALY_81 = ((2 * 0x126, 2 * 0x129, False), (2 * 0x178 + 42, 2 * 0x178 + 56, False))
_DALY_81_BLOCKS = {0x94: 0x178, 0xA2: 0x100}  # by their bytes, where nobody was heard asking
_DALY_CODE = 0x57


def daly(frame: bytes, row: int, asked: Asked) -> Iterator[Place]:
    """A5: the battery code. Register dialects: replies as they were asked for, and writes."""
    if row == 0:
        if frame[2] == _DALY_CODE:
            yield Place(5, 12)
        return
    is_d2 = frame[0] == 0xD2
    secrets = _DALY_D2 if is_d2 else _DALY_81
    if len(frame) == 8:
        if frame[1] == 0x06:
            yield from _overlap(4, 6, 2 * (frame[2] << 8 | frame[3]), secrets)
        return
    register = asked(frame[2])
    if register < 0 and not is_d2:
        register = _DALY_81_BLOCKS.get(frame[2], -1)
    places = _overlap(3, len(frame) - 2, 2 * register, secrets) if register >= 0 else iter(())
    yield from (one for one in places if not _DEFAULT.fullmatch(frame[one.start : one.stop]))


# jk.md 1.4: registers stand in rising order, so each lies between its own number and the next.
_JK_REGISTERS = re.compile(
    rb"\xb2(?P<password>.{10})\xb3|\xb4(?P<device>.{8})\xb5|\xba(?P<user>.{12})(?P<name>.{12})",
    re.DOTALL,
)
_JK_WIDTHS = {0xB2: 10, 0xB4: 8, 0xBA: 24}
# jk.md 2.4: name, passcodes, serial, user data twice; the same places, less 6, in Modbus (4)
_JK_DEVICE = ((46, 62), (62, 78), (86, 97), (97, 102), (102, 118), (118, 134), (134, 150))
_JK_NAMES = ((46, 62), (102, 118), (134, 150))
_JK_DEVICE_BASE = 0x1400 - 6
_JK_DEFAULT = re.compile(
    rb"(123456|1234|0000|Input Us|Input Userda|Input Userdata|JK-BMS|JK[-_][A-Z0-9]+)?\0*"
)
_TLV, _JK02, _MODBUS_REPLY = 0, 1, 6
_TLV_WRITES = (0x02, 0x05)


def jk(frame: bytes, row: int, asked: Asked) -> Iterator[Place]:
    """All wires of a JK board but the displays, which name nobody."""
    if row == _TLV:
        places = list(_jk_registers(frame))
    elif row == _JK02 and frame[4] == 3:
        places = [
            Place(start, stop, is_unique=(start, stop) not in _JK_NAMES)
            for start, stop in _JK_DEVICE
        ]
    elif row == _MODBUS_REPLY:
        secrets = [(start, stop, False) for start, stop in _JK_DEVICE]
        register = asked(frame[2])
        base = register - _JK_DEVICE_BASE
        places = list(_overlap(3, len(frame) - 2, base, secrets)) if register >= 0 else []
    else:
        return
    yield from (one for one in places if not _JK_DEFAULT.fullmatch(frame[one.start : one.stop]))


def _jk_registers(frame: bytes) -> Iterator[Place]:
    command, first = frame[8], frame[11]
    if command in _TLV_WRITES and first in _JK_WIDTHS:
        yield Place(12, min(12 + _JK_WIDTHS[first], len(frame) - 9))
        return
    # The cells stand in front and may hold any byte; the texts lie in the last 110 bytes.
    for match in _JK_REGISTERS.finditer(frame, max(11, len(frame) - 110)):
        for name in match.groupdict():
            if match[name] is not None:
                yield Place(*match.span(name), is_unique=name not in ("user", "name"))


_ANT_OLD_WRITE = 3
_ANT_PASSWORD_ADDRESSES = ((0x14A, 0x156, False), (0x16A, 0x176, False))


def ant(frame: bytes, row: int, _: Asked) -> Iterator[Place]:
    """Passwords, in clear; twelve bytes that may be the processor's id (ant.md 4)."""
    if row == _ANT_OLD_WRITE:
        if 0xF1 <= frame[2] <= 0xF4:
            yield Place(3, 5)
        return
    if row < _ANT_OLD_WRITE + 2:
        return
    function, address = frame[2], frame[3] | frame[4] << 8
    start, stop = 6, 6 + frame[5]
    if function == 0x23:
        yield Place(start, stop)
    elif function == 0x14:
        yield Place(start, stop, binary=True)
    elif function in (0x12, 0x22):
        yield from _overlap(start, stop, address, _ANT_PASSWORD_ADDRESSES)


def vesc(frame: bytes, row: int, _: Asked) -> Iterator[Place]:
    """The version's answer: 12 bytes behind the hardware's name are the device (vesc.md 4.4)."""
    body = 3 if row else 2
    if frame[body] != 0 or len(frame) - body - 3 < 16:
        return
    end = frame.find(0, body + 3, len(frame) - 3)
    if end > 0:
        yield Place(end + 1, min(end + 13, len(frame) - 3), binary=True)


def read_of(frame: bytes) -> tuple[int, int] | None:
    """First register and bytes wanted, where a frame is a read of registers (Daly D2 and 81, JK
    Modbus): eight bytes, of which the second is 3."""
    if len(frame) != 8 or frame[1] != 0x03:
        return None
    return frame[2] << 8 | frame[3], 2 * (frame[4] << 8 | frame[5])


REGISTER_FAMILIES = ("daly", "jk")  # whose replies do not say what was asked
FAMILIES: dict[str, Family] = {
    "ant": ant, "daly": daly, "jbd": jbd, "jk": jk, "ninebot": ninebot, "vesc": vesc,
    "xiaomi": xiaomi,
}  # fmt: skip


def blank(data: bytes, *, binary: bool) -> bytes:
    """What stands in place of an identity: 0, or the text's shape, so that blanking twice changes
    nothing: letters become X or x, digits 0, all else stays."""
    return bytes(len(data)) if binary else bytes(_BLANK[byte] for byte in data)


_BLANK = [
    0x30 if 0x30 <= byte <= 0x39 else 0x58 if 0x41 <= byte <= 0x5A else 0x78
    if 0x61 <= byte <= 0x7A else byte
    for byte in range(256)
]  # fmt: skip

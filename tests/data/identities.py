"""What in a frame belongs to one owner or one device, and how the test data blanks it.

Serial numbers, PINs, passwords, names people gave, processor ids. A blanked field keeps its shape:
letters become X or x, digits 0, all else stays; so blanking twice changes nothing. Factory
defaults (123456, Input Userdata, a model as name) are nobody's and stay. For make_data.py and its
test.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Identity(NamedTuple):
    """The bytes start to stop of a frame; `binary` ones are zeroed, texts blanked."""

    start: int
    stop: int
    binary: bool = False


def blank(frame: bytes, identity: Identity) -> bytes:
    """Return what the test data has in place of the identity."""
    field = frame[identity.start : identity.stop]
    return bytes(len(field)) if identity.binary else blank_text(field.decode("latin-1"))


def blank_text(text: str) -> bytes:
    """Return the text in its blanked form."""
    text = re.sub("[A-Z]", "X", re.sub("[a-z]", "x", re.sub("[0-9]", "0", text)))
    return text.encode("latin-1")


def identities(sheet: str, frame: bytes) -> list[Identity]:
    """Return where a frame from `<sheet>.json` identifies somebody or something."""
    return list(_SHEETS[sheet](frame))


def _xiaomi(frame: bytes) -> Iterator[Identity]:
    # Words 10-16 are a serial number, whose first two letters name the model (xiaomi 3); the
    # controller's words 17-19 are its PIN (3.5); the dashboard's words are names and numbers.
    xiaomi = frame.startswith(b"\x55\xaa")
    sender, command, word, start = (*frame[3:6], 6) if xiaomi else (frame[3], *frame[5:7], 7)
    stop = len(frame) - 2
    if command != (0x01 if xiaomi else 0x04) or stop - start < 2:
        return
    if sender == (0x24 if xiaomi else 0x21):
        yield Identity(start, stop)
    elif word == 0x10:
        yield Identity(start + 2, start + 14)
    elif word == 0x17 and sender == (0x23 if xiaomi else 0x20):
        yield Identity(start, start + 6)


def _jk(frame: bytes) -> Iterator[Identity]:
    if frame.startswith(b"\x4e\x57"):
        fields = _jk_registers(frame)
    elif frame.startswith(b"\x55\xaa\xeb\x90\x03"):
        fields = _JK_DEVICE_INFO
    else:
        return
    for start, stop in fields:
        if not _JK_DEFAULT.fullmatch(frame[start:stop]):
            yield Identity(start, stop)


# jk 2.4: name, passcodes, serial, user data twice
_JK_DEVICE_INFO = [(46, 62), (62, 78), (86, 97), (97, 102), (102, 118), (118, 134), (134, 150)]
_JK_DEFAULT = re.compile(
    rb"(123456|1234|0000|Input Us|Input Userda|Input Userdata|JK-BMS|JK[-_][A-Z0-9]+)?\0*"
)
# jk 1.4: registers stand in rising order, so each lies between its own number and the next one.
_JK_REGISTERS = re.compile(
    rb"\xb2(?P<password>.{10})\xb3|\xb4(?P<device>.{8})\xb5|\xba(?P<user>.{12})(?P<name>.{12})",
    re.DOTALL,
)


def _jk_registers(frame: bytes) -> Iterator[tuple[int, int]]:
    # The cells stand in front and may hold any byte; the texts lie in the last 110 bytes.
    for match in _JK_REGISTERS.finditer(frame, len(frame) - 110):
        for name in match.groupdict():
            if match[name] is not None:
                yield match.span(name)


def _ant(frame: bytes) -> Iterator[Identity]:
    if frame.startswith(b"\x7e\xa1\x14"):  # 96 bits of unknown meaning, as a processor's id has
        yield Identity(6, 18, binary=True)


def _daly(frame: bytes) -> Iterator[Identity]:
    if frame.startswith(b"\x51\x03\x94"):  # version block 0x178: software, hardware, this, date
        yield Identity(45, 59)


def _vesc(frame: bytes) -> Iterator[Identity]:
    if frame[2] == 0:  # vesc 4.4: version, name ended by a zero byte, processor id
        name_end = frame.index(0, 5)
        yield Identity(name_end + 1, name_end + 13, binary=True)


def _none(_frame: bytes) -> Iterator[Identity]:  # the JBD frames name boards, not owners
    yield from ()


_SHEETS = {"xiaomi": _xiaomi, "jbd": _none, "jk": _jk, "ant": _ant, "daly": _daly, "vesc": _vesc}

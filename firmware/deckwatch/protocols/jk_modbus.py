"""JK on Modbus: the triggers of the PB bus, to which a JK02 frame answers, and plain reads of
registers (sheet jk.md 3 and 4). jk.py calls the functions here.

    address | 03 | register | words | CRC    ->    address | 03 | bytes | data ... | CRC
    address | 10 | 1620 | 0001 | 02 | 0000 | CRC    ->    a frame of jk02.py and
                                                          address | 10 | 1620 | 0001 | CRC

A register's number is its base plus a byte offset, which is the place in the JK02 frame less 6:
the same rows serve both, here most significant byte first. A reply does not say what was asked.
"""

from micropython import const

from deckwatch.fields import TURNED, read
from deckwatch.frame import ACK, READ, REPLY, WRITE
from deckwatch.protocols import jk02
from deckwatch.telemetry import INDEX
from deckwatch.ticks import age_ms

_CELL_COUNT = INDEX["cell_count"]

_SETTINGS_BASE = const(0x1000)
_LIVE_BASE = const(0x1200)
_DEVICE_BASE = const(0x1400)
_OFFSET = const(0x1FF)
_BEHIND = const(6)  # place in a JK02 frame less offset
_MASK = const(0x40)
_WIRE_PLACE = const(0x4A)
_MORE_PROBES = const(0xFA)
_TRIGGERS = const(0x161C)  # device; 161E settings, 1620 live
_LAST_TRIGGER = const(0x1620)
_REPLY_MS = const(1000)  # a reply starts within milliseconds; one this late belongs to nothing
_ADDRESSES = const(17)  # 0 to 16


class Memory:
    """What one line's JK frames need from those before them: which addresses have spoken, and what
    was asked last. packs_known: how many addresses have spoken."""

    def __init__(self) -> None:
        self._address = bytearray(_ADDRESSES)  # of each pack, in the order they were first heard
        self.packs_known = 0
        self._asked = -1  # the register; -1 = nothing is outstanding
        self._asked_of = 0
        self._asked_bytes = 0
        self._asked_at = 0

    def pack_of(self, address: int) -> int:
        """Number of the pack that answers at `address`: the first to speak is pack 0. More than a
        bus has room for, as noise makes them, are all one pack that nobody keeps."""
        for pack in range(self.packs_known):
            if self._address[pack] == address:
                return pack
        if self.packs_known == _ADDRESSES:
            return _ADDRESSES
        self._address[self.packs_known] = address
        self.packs_known += 1
        return self.packs_known - 1

    def ask(self, address: int, register: int, size: int, now: int) -> None:
        """A read has passed."""
        self._asked = register
        self._asked_of = address
        self._asked_bytes = size
        self._asked_at = now

    def asked(self, address: int, size: int, now: int) -> int:
        """Register that a reply of `size` bytes from `address` tells of, once; -1 = not known."""
        register = self._asked
        self._asked = -1
        fits = self._asked_of == address and self._asked_bytes == size
        return register if fits and age_ms(now, self._asked_at) <= _REPLY_MS else -1


def decode_read(frame, memory) -> None:
    """A host asks for registers."""
    buf = frame.buf
    at = frame.at
    words = buf[at + 4] << 8 | buf[at + 5]
    _take_register(frame)
    frame.wanted = 2 * words
    frame.kind = READ
    frame.is_request = True
    memory.ask(buf[at], frame.register, 2 * words, frame.now)


def decode_registers(frame, packs, memory) -> None:
    """A pack answers a read."""
    address = frame.buf[frame.at]
    frame.body = frame.at + 3
    frame.body_size = frame.size - 5
    frame.kind = REPLY
    frame.is_reply = True
    register = memory.asked(address, frame.body_size, frame.now)
    if register < 0:
        return
    frame.register = register
    frame.pack = memory.pack_of(address)
    if frame.pack < len(packs):
        _take(frame, register, packs[frame.pack])


def _take(frame, register: int, t) -> None:
    buf = frame.buf
    body = frame.body
    size = frame.body_size
    base = register & ~_OFFSET
    offset = register & _OFFSET
    start = TURNED + _BEHIND + offset
    if base == _LIVE_BASE:
        read(jk02.ROWS, buf, body, jk02.LIVE_AT + start, size, t)
        read(jk02.ROWS, buf, body, jk02.LIVE_32_AT + start, size, t)
        _take_cells(buf, body, offset, start, size, t)
        if offset <= _MORE_PROBES and _MORE_PROBES + 4 <= offset + size:
            jk02.take_more_probes(buf, body + _MORE_PROBES - offset, TURNED, t)
    elif base == _SETTINGS_BASE:
        read(jk02.ROWS, buf, body, jk02.SETTINGS_AT + start, size, t)
    elif base == _DEVICE_BASE:
        read(jk02.ROWS, buf, body, jk02.DEVICE_AT + start, size, t)


def _take_cells(buf, body: int, offset: int, start: int, size: int, t) -> None:
    """Cells and their wires, as far as the reply reaches. How many cells there are says the mask
    where the reply has it, else the last one that is not 0."""
    cells = 0
    if offset <= _MASK and _MASK + 4 <= offset + size:
        cells = jk02.strung(buf, body + _MASK - offset, 3)
        if cells:
            t.set(_CELL_COUNT, cells)
    if not cells and offset < _MASK:
        cells = offset // 2 + jk02.fitted(buf, body, min(size, _MASK - offset) // 2)
    read(jk02.ROWS, buf, body, jk02.CELLS_AT + start, min(size, 2 * cells - offset), t)
    size = min(size, _WIRE_PLACE + 2 * t.cells - offset)
    read(jk02.ROWS, buf, body, jk02.WIRES_AT + start, size, t)


def decode_order(frame) -> None:
    """Function 10 from a host: on a PB bus the way to ask for a JK02 frame; all else writes."""
    _take_register(frame)
    if _TRIGGERS <= frame.register <= _LAST_TRIGGER and not frame.register & 1:
        frame.kind = READ
        frame.is_request = True
    else:
        frame.kind = WRITE


def decode_ack(frame) -> None:
    """Function 10 from a pack, not directly behind the frame it belongs to."""
    _take_register(frame)
    frame.kind = ACK
    frame.is_reply = True


def decode_error(frame) -> None:
    """Function 83 from a pack: 1 no such register, 2 function, 3 data, 4 CRC (sheet 4)."""
    frame.register = frame.buf[frame.at + 2]
    frame.kind = "error"
    frame.is_reply = True


def _take_register(frame) -> None:
    frame.register = frame.buf[frame.at + 2] << 8 | frame.buf[frame.at + 3]

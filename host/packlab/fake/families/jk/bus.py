"""The RS485 bus of JK's PB boards: triggers that frames answer, plain Modbus reads, and the board
at address 0 that asks all others (jk.md 3 and 4)."""

from collections.abc import Mapping

from packlab.fake.base import NEVER_US, Fake, Sent
from packlab.fake.checks import crc16_modbus, with_modbus
from packlab.fake.families.jk import frames
from packlab.made.board import Limits
from packlab.made.readings import Source

TRIGGERS = {0x161C: frames.DEVICE, 0x161E: frames.SETTINGS, 0x1620: frames.LIVE}
_NUMBERS = {kind: register for register, kind in TRIGGERS.items()}
BAD_REGISTER, BAD_DATA = 1, 3

TRIGGER_GAP_US = 10_000  # the whole reply is there 38 ms after the trigger, 27 of them its bytes
READ_GAP_US = 10_000  # no source has measured it
SLOT_US = 220_000  # 38 ms and a pause of 180 after a reply; 220 without one
LAST_ADDRESS = 15
MOST_WORDS = 123
_SETTINGS_BASE, _LIVE_BASE, _DEVICE_BASE = 0x1000, 0x1200, 0x1400
_BLOCK = 0x124  # bytes in each base's space


def trigger(address: int, kind: int) -> bytes:
    """Function 10, the way to ask for a frame."""
    return with_modbus(
        bytes((address, 0x10)) + _NUMBERS[kind].to_bytes(2) + bytes((0, 1, 2, 0, 0))
    )


def acknowledged(address: int, kind: int, frame: bytes, *, padded: bool) -> bytes:
    """A frame and who it is from; some boards put a zero on either side of that."""
    ack = with_modbus(bytes((address, 0x10)) + _NUMBERS[kind].to_bytes(2) + b"\x00\x01")
    return frame + b"\0" + ack + b"\0" if padded else frame + ack


class Contents:
    """What one board has to tell, in every form."""

    def __init__(self, source: Source, limits: Limits, address: int) -> None:
        self.source = source
        self._limits = limits
        self._address = address

    def frame(self, kind: int, t_us: int) -> bytes:
        """One of the frames of 300 bytes; on the bus the counter is 0."""
        return frames.frame(kind, 0, self._image(kind, t_us, "<"))

    def registers(self, register: int, size: int, t_us: int) -> bytes | None:
        """`size` bytes from a Modbus register on; None where there are none."""
        kinds = {
            _SETTINGS_BASE: frames.SETTINGS,
            _LIVE_BASE: frames.LIVE,
            _DEVICE_BASE: frames.DEVICE,
        }
        base, offset = register & ~0x1FF, register & 0x1FF
        if base not in kinds or offset + size > _BLOCK:
            return None
        return self._image(kinds[base], t_us, ">")[offset : offset + size]

    def _image(self, kind: int, t_us: int, order: str) -> bytes:
        now = self.source.at(t_us)
        if kind == frames.DEVICE:
            return frames.device(now, f"MADE{self._address:07}".encode())
        if kind == frames.SETTINGS:
            return frames.image(frames.settings(now, self._limits, self._address), order)
        return frames.image(frames.live(now), order)


class Boards(Fake):
    """All boards on the bus but the master's. takes_triggers: False = a single newer board, which
    knows plain Modbus alone."""

    def __init__(
        self,
        sources: Mapping[int, Source],
        limits: Limits,
        *,
        takes_triggers: bool = True,
        padded: bool = True,
    ) -> None:
        super().__init__()
        self._contents = {
            address: Contents(source, limits, address) for address, source in sources.items()
        }
        self._takes_triggers = takes_triggers
        self._padded = padded

    def measure(self, data: bytes) -> int:
        if data[0] > LAST_ADDRESS:
            return -1
        if len(data) < 7:
            return -1 if len(data) > 1 and data[1] not in (0x03, 0x10) else 0
        return 8 if data[1] == 0x03 else 9 + data[6] if data[1] == 0x10 else -1

    def holds(self, request: bytes) -> bool:
        return request[-2:] == crc16_modbus(request[:-2]).to_bytes(2, "little")

    def answer(self, request: bytes, t_us: int) -> list[Sent]:
        """No answer from addresses nobody has."""
        address, function = request[0], request[1]
        if address not in self._contents:
            return []
        register = int.from_bytes(request[2:4])
        contents = self._contents[address]
        if function == 0x03:
            words = int.from_bytes(request[4:6])
            return [(t_us + READ_GAP_US, self._read(contents, address, register, words, t_us))]
        if not self._takes_triggers or register not in TRIGGERS:
            return []
        kind = TRIGGERS[register]
        frame = contents.frame(kind, t_us)
        reply = acknowledged(address, kind, frame, padded=self._padded)
        return [(t_us + TRIGGER_GAP_US, reply)]

    def _read(
        self, contents: Contents, address: int, register: int, words: int, t_us: int
    ) -> bytes:
        if not 1 <= words <= MOST_WORDS:
            return with_modbus(bytes((address, 0x83, BAD_DATA)))
        data = contents.registers(register, 2 * words, t_us)
        if data is None:
            return with_modbus(bytes((address, 0x83, BAD_REGISTER)))
        return with_modbus(bytes((address, 0x03, len(data))) + data)


class ResidentMaster:
    """The board at address 0: asks each address for its state and who answers for its settings,
    then tells its own to all, unasked and as address 0 (sheet 3)."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self.due_us = NEVER_US
        self._own = Contents(source, limits, 0)
        self._address = 0
        self._kind = frames.LIVE
        self._heard = False

    def switched_on(self, t_us: int) -> None:
        self._address, self._kind = 0, frames.SETTINGS  # the end of a round
        self._heard = False
        self.due_us = t_us + SLOT_US

    def hear(self, data: bytes) -> None:
        """Somebody is there."""
        self._heard = self._heard or data.startswith(b"\x55\xaa\xeb\x90")

    def speak(self, t_us: int) -> list[Sent]:
        self._step()
        self.due_us = t_us + SLOT_US
        if self._address:
            return [(t_us, trigger(self._address, self._kind))]
        frame = self._own.frame(self._kind, t_us)
        return [(t_us, acknowledged(0, self._kind, frame, padded=True))]

    def _step(self) -> None:
        """State, then of itself and those who answered the settings, too."""
        more = self._kind == frames.LIVE and (self._heard or not self._address)
        self._heard = False
        if more:
            self._kind = frames.SETTINGS
            return
        self._kind = frames.LIVE
        self._address = self._address + 1 if self._address < LAST_ADDRESS else 0

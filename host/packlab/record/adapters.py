"""A USB-serial adapter whose RX hangs on one wire. Unplugged, it is waited for; what was heard
before is kept."""

import queue

import serial

from packlab.capture import LineSetting
from packlab.errors import PacklabError
from packlab.record.heard import Heard, Source

_WAIT_S = 0.2
_AGAIN_S = 0.5
_BITS = {"7": serial.SEVENBITS, "8": serial.EIGHTBITS}
_PARITIES = {"N": serial.PARITY_NONE, "E": serial.PARITY_EVEN, "O": serial.PARITY_ODD}
_STOPS = {"1": serial.STOPBITS_ONE, "2": serial.STOPBITS_TWO}


class Adapter(Source):
    """One adapter on one wire. PacklabError where it cannot be opened at the beginning."""

    accuracy = (
        "a chunk is stamped when the system hands it over: within 2 ms of its last byte, and up to"
        " 16 ms later where the adapter gathers bytes (FTDI's latency timer)"
    )

    def __init__(
        self, port: str, device: str, setting: LineSetting, into: "queue.SimpleQueue[Heard]"
    ) -> None:
        super().__init__(device, into)
        self._port = port
        self._device = device
        self._setting = setting
        try:
            self._serial: serial.Serial | None = self._open()
        except (OSError, ValueError, KeyError) as error:
            raise PacklabError(
                f"{device} cannot be opened at {setting.baud} {setting.mode}: {error}; check its"
                " name, that nobody else uses it, and that you may (on Linux: group dialout)"
            ) from error

    def _open(self) -> serial.Serial:
        bits, parity, stops = tuple(self._setting.mode)
        return serial.Serial(
            self._device,
            self._setting.baud,
            timeout=_WAIT_S,
            bytesize=_BITS[bits],
            parity=_PARITIES[parity],
            stopbits=_STOPS[stops],
        )

    def run(self) -> None:
        """Until `end`: whole chunks, as the system has them."""
        while not self.ending.is_set():
            if self._serial is None and not self._returns():
                continue
            assert self._serial is not None
            try:
                data = self._serial.read(1)
                if data:
                    data += self._serial.read(self._serial.in_waiting)
                    self.tell(self._port, data)
            except (OSError, TypeError) as error:  # pyserial: TypeError for one closed meanwhile
                self._leave()
                self.tell(self._port, lost=str(error) or "it was unplugged")
        self._leave()

    def _returns(self) -> bool:
        try:
            self._serial = self._open()
        except (OSError, ValueError):
            self.ending.wait(_AGAIN_S)
            return False
        self.tell(self._port, back=True)
        return True

    def _leave(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None

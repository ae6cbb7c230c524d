"""Where a line can be played live: a serial adapter with a dongle at its end, or a pseudo terminal
that a programme opens as if it were one."""

import os
import tty
from typing import Protocol

import serial

from packlab.errors import PacklabError

_MOST_BYTES = 4096


class Port(Protocol):
    """name: how the other side finds it. keeps_time: bytes leave at the line's speed, so they are
    handed over when the first is due, not the last."""

    name: str
    keeps_time: bool

    def read(self) -> bytes:
        """What has come in, at once; b'' if nothing has."""
        ...

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


class SerialPort:
    """A serial adapter at the line's speed."""

    keeps_time = True

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        try:
            self._serial = serial.Serial(name, baud, timeout=0)
        except (OSError, ValueError) as error:
            raise PacklabError(
                f"{name} cannot be opened at {baud} baud: {error}; check its name, that nobody "
                "else uses it, and that you may (on Linux: group dialout)"
            ) from error

    def read(self) -> bytes:
        """As Port."""
        try:
            return bytes(self._serial.read(_MOST_BYTES))
        except serial.SerialException as error:
            raise self._gone(error) from error

    def write(self, data: bytes) -> None:
        """As Port."""
        try:
            self._serial.write(data)
        except serial.SerialException as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """As Port."""
        self._serial.close()

    def _gone(self, error: Exception) -> PacklabError:
        return PacklabError(f"{self.name} is gone: {error}; plug it in and begin again")


class Pty:
    """A pseudo terminal; it has no speed, so bytes come when the last of them would be in."""

    keeps_time = False

    def __init__(self) -> None:
        # The far end stays open here, too: else reading fails until somebody opens it.
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.name = os.ttyname(self._far)

    def read(self) -> bytes:
        """As Port."""
        try:
            return os.read(self._near, _MOST_BYTES)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """As Port; what nobody reads is lost once the terminal is full, as on a wire."""
        try:
            os.write(self._near, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """As Port."""
        os.close(self._near)
        os.close(self._far)

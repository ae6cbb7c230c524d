"""A dongle at its serial port: runs code there, moves files, restarts it, hears its console.

mpremote does the talking. What goes wrong becomes one sentence that says what to do. Used by
update.py, command.py and doctor.py, always as `with Link(port) as link`.
"""

import contextlib
import errno
import io
import json
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import serial
from mpremote.transport import (  # type: ignore[import-untyped]
    TransportError,
    TransportExecError,
)
from mpremote.transport_serial import SerialTransport  # type: ignore[import-untyped]
from serial.tools import list_ports

from packlab.errors import PacklabError

_BAUD = 115200
_READ_S = 2.0  # the longest the dongle may think about a byte
_PROMPT_S = 3.0
_RETURN_S = 12.0  # a board with native USB is gone for a moment when it restarts
_CHUNK = 512

OLDEST = (1, 24)

_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
_DENIED = (errno.EACCES, errno.EPERM)

_RESET = "import machine\nmachine.reset()"
_NO_ROOM = ("ENOSPC", "OSError: 28")


class Silent(PacklabError):
    """Nothing at the port answers as MicroPython does; the board may be empty."""


class Full(PacklabError):
    """The dongle's flash has no room for a file."""


class Link:
    """The port is opened at once (PacklabError says why it cannot be); `enter` stops the firmware.

    Leaving the `with` block restarts the dongle if its firmware was stopped and nobody did so.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self._stopped = False
        self._heard = b""
        self._transport: Any = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(TransportError, OSError):
            if self._stopped:
                self._transport.exec_raw_no_follow(_RESET)
        self.close()

    def close(self) -> None:
        """Let the port go."""
        with contextlib.suppress(OSError):
            self._transport.close()

    def _open(self) -> None:
        try:
            self._transport = SerialTransport(self.port, baudrate=_BAUD, timeout=_READ_S)
        except TransportError:
            raise PacklabError(_why_closed(self.port)) from None
        except OSError as error:
            raise PacklabError(f"{self.port} is no serial port: {error}; {_ports()}") from error

    # --- code ------------------------------------------------------------------------------------

    def enter(self, *, fresh: bool = True, tries: int = 3) -> None:
        """Stop the firmware and wait for orders; Silent when nothing answers.

        fresh: with an empty heap, after boot.py has run once more; else everything stays as it is.
        """
        for left in reversed(range(tries)):
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it got
                    self._transport.enter_raw_repl(soft_reset=fresh, timeout_overall=_PROMPT_S)
                self._stopped = True
                return
            except TransportError:
                if not left:
                    break
            except OSError as error:
                raise self._gone("it was asked for its prompt") from error
        raise Silent(
            f"nothing at {self.port} answers as MicroPython does; check that it is the dongle's"
            f" port ({_ports()}), press its reset button and try again"
        )

    def run(self, code: str, what: str) -> str:
        """What the code prints. `what` names the step for messages: "the files were listed"."""
        try:
            said: bytes = self._transport.exec(code)
        except TransportExecError as error:
            last = error.error_output.strip().splitlines()[-1]
            if any(sign in error.error_output for sign in _NO_ROOM):
                raise Full(f"the dongle's flash was full when {what}") from error
            raise PacklabError(
                f"the dongle refused when {what}: {last}; run 'packlab flash' again"
            ) from error
        except (TransportError, OSError) as error:
            raise self._gone(what) from error
        return said.decode(errors="replace").strip()

    def ask(self, code: str, what: str) -> Any:
        """What the code prints as JSON, as an object."""
        said = self.run(code, what)
        try:
            return json.loads(said)
        except ValueError:
            raise PacklabError(
                f"the dongle's answer was damaged when {what}; try a shorter cable"
            ) from None

    def follow(self, code: str, what: str) -> None:
        """Run code that goes on by itself; `lines` hears what it prints."""
        try:
            self._transport.exec_raw_no_follow(code)
        except (TransportError, OSError) as error:
            raise self._gone(what) from error

    def tell_time(self) -> None:
        """Set the chip's clock, in UTC; it runs on over a restart, and the journal is dated."""
        now = time.gmtime()
        date = (*now[:3], now.tm_wday, *now[3:6], 0)
        self.run(f"from machine import RTC\nRTC().datetime({date})", "it was told the time")

    def write(self, path: str, data: bytes) -> None:
        """Write a file; its folder must be there. Full when it does not fit."""
        what = f"{path} was written"
        try:
            self._transport.fs_writefile(path, data, chunk_size=_CHUNK)
        except TransportError as error:
            raise self._gone(what) from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise Full(f"the dongle's flash was full when {what}") from error
            raise self._gone(what) from error

    def _gone(self, what: str) -> PacklabError:
        self._stopped = False  # out of reach
        return PacklabError(
            f"the dongle at {self.port} fell silent when {what}; it still has its former firmware:"
            " check the cable, plug it in again and repeat the command"
        )

    # --- restarting and listening ----------------------------------------------------------------

    def restart(self) -> None:
        """Restart the chip, as its reset button does."""
        try:
            self._transport.exec_raw_no_follow(_RESET)
        except (TransportError, OSError) as error:
            raise self._gone("it was told to restart") from error
        self._stopped = False

    def start(self) -> None:
        """Start boot.py and main.py without restarting the chip, so that native USB stays."""
        with contextlib.suppress(OSError):
            self._transport.serial.write(b"\r\x03\x03\x02\x04")
        self._stopped = False

    def lines(self, seconds: float) -> Iterator[str]:
        """What the console says from now on; the port may vanish and return meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self._heard += self._read(min(end, time.monotonic() + 0.2))
            except OSError:
                self._reopen()
            while b"\n" in self._heard:  # one by one: who has heard enough may leave in between
                line, _, self._heard = self._heard.partition(b"\n")
                yield line.decode(errors="replace").strip()

    def _read(self, until: float) -> bytes:
        port = self._transport.serial
        port.timeout = max(0.01, until - time.monotonic())
        try:
            data: bytes = port.read(max(1, port.in_waiting))
        finally:
            port.timeout = _READ_S
        return data

    def _reopen(self) -> None:
        self.close()
        end = time.monotonic() + _RETURN_S
        while True:
            time.sleep(0.2)
            try:
                self._open()
                return
            except PacklabError:
                if time.monotonic() > end:
                    raise self._gone("it restarted") from None


# --- why a port cannot be opened -----------------------------------------------------------------


def _why_closed(port: str) -> str:
    """One sentence with the remedy, after a second look; mpremote drops the reason."""
    try:
        serial.serial_for_url(port, exclusive=True).close()
    except ValueError as error:
        return f"{port} is no port: {error}; {_ports()}"
    except OSError as error:
        return why(port, error.errno or 0, str(error))
    return f"{port} could not be opened just now; try again"


def why(port: str, number: int, said: str) -> str:
    """One sentence for the system's error number."""
    if number == errno.ENOENT:
        return f"there is no port {port}; {_ports()}"
    if number in _DENIED:
        return (
            f"no permission to open {port}; on Linux run 'sudo usermod -aG dialout $USER' once,"
            " log out and in again"
        )
    if number in _BUSY:
        return f"{port} is in use by another program; close serial monitors and Thonny, then retry"
    return f"{port} cannot be opened ({said}); {_ports()}"


def _ports() -> str:
    found = [port.device for port in list_ports.comports() if port.vid is not None]
    if found:
        return f"USB ports here: {', '.join(found)}"
    return "no USB port is here: plug the dongle in with a cable that carries data"

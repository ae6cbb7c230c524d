"""Starting and restarting: why the chip was reset, how many starts failed in a row, the
watchdog."""

import sys
import time

import esp32
import machine
from esp32 import NVS
from micropython import const

WATCHDOG_MS = const(7000)  # with a feed at most every second, a hang ends within 8 s
_CONSOLE_MS = const(3600000)
_PAUSE_MS = const(2000)
_SPACE = "deckwatch"

_CAUSES = {
    machine.PWRON_RESET: "power_on",
    machine.HARD_RESET: "hard",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "wake",
    machine.SOFT_RESET: "soft",
}


class Starts:
    """Counts starts in flash, and keeps why the last one was (`cause`, the chip's number).

    cause: why this one, a word; boots: all starts so far; failed: starts in a row, before this
    one, that lasted less than a minute. Trouble with the flash is not trouble with guarding: the
    counts then stay at 0.
    """

    def __init__(self) -> None:
        self.cause = _CAUSES.get(machine.reset_cause(), "unknown")
        self.boots = 0
        self.failed = 0
        self._works = False
        try:
            self._nvs = NVS(_SPACE)
            self.boots = self._get("boots") + 1
            if self.cause != "power_on":  # a supply that was switched off is no failure
                self.failed = self._get("failed")
            self._nvs.set_i32("boots", self.boots)
            self._nvs.set_i32("cause", machine.reset_cause())
            self._nvs.set_i32("failed", self.failed + 1)
            self._nvs.commit()
            self._works = True
        except OSError:
            pass

    def _get(self, key: str) -> int:
        try:
            return self._nvs.get_i32(key)
        except OSError:
            return 0

    def succeed(self) -> None:
        """This start has lasted a minute: it did not fail."""
        if not self._works:
            return
        try:
            self._nvs.set_i32("failed", 0)
            self._nvs.commit()
        except OSError:
            self._works = False


def watchdog():
    """The chip's watchdog; once started it cannot be stopped, only fed."""
    return machine.WDT(timeout=WATCHDOG_MS)


def loosen_watchdog() -> None:
    """Somebody works on the console: give an hour."""
    machine.WDT(timeout=_CONSOLE_MS)


def park(pin, level: int) -> None:
    """Deep sleep until `pin` is at `level`; then the chip starts anew. Where the chip cannot wake
    so (an ESP32-C3 before MicroPython 1.27), AttributeError, and it stays awake."""
    if hasattr(esp32, "wake_on_ext0"):
        esp32.wake_on_ext0(pin, bool(level))
    else:
        esp32.wake_on_gpio((pin,), bool(level))
    machine.deepsleep()


def report(failure) -> None:
    """What ended the app, on the console."""
    sys.print_exception(failure)


def restart() -> None:
    """A fresh start after a short pause, so that a fault at start does not spin."""
    time.sleep_ms(_PAUSE_MS)
    machine.reset()

"""Stands in for MicroPython's `machine` where the app's work is counted (latency_load.py): silent,
and as cheap as can be, since the hardware's own share is not counted."""

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


class Done(SystemExit):
    """The light's pin was written: what is counted is over. Of the kind that no task holds up."""


watched = False  # while set, writing the light's pin raises Done


def reset_cause():
    return PWRON_RESET


class RTC:
    pass


class WDT:
    def __init__(self, timeout=0):
        pass

    def feed(self):
        pass


class Pin:
    """A plain light, a button nobody presses, three lines that rest high."""

    IN, OUT, PULL_UP, PULL_DOWN = 0, 1, 2, 3

    def __init__(self, name):
        if name == "NEOPIXEL":
            raise ValueError
        self._is_light = name == "LED"

    def init(self, *mode, value=1):
        pass

    def value(self, level=None):
        if self._is_light and watched:
            raise Done
        return 1


class I2C:
    """Nobody answers."""

    def __init__(self, number, **kwargs):
        pass

    def writeto(self, address, data):
        raise OSError


class PWM:
    def __init__(self, pin, freq=0, duty_u16=0):
        pass

    def freq(self, hz):
        pass

    def duty_u16(self, duty):
        pass


class UART:
    """bring(data): what has been received until the next pass."""

    INV_RX = 4
    opened = {}  # the last one of each number

    def __init__(self, number, *args, **kwargs):
        self.bring(b"")
        UART.opened[number] = self

    def bring(self, data):
        self._data = data
        self._at = 0

    def any(self):
        return len(self._data) - self._at

    def readinto(self, buf):
        n = min(len(buf), len(self._data) - self._at)
        if not n:
            return None
        buf[:n] = self._data[self._at : self._at + n]
        self._at += n
        return n

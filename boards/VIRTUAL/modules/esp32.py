"""MicroPython's esp32 module: NVS that outlives restarts, and what wakes the chip."""

from machine import Pin
from virtual import chip, flash, power

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True

_NOT_FOUND = (-0x1102, "ESP_ERR_NVS_NOT_FOUND")
_KEY_TOO_LONG = (-0x1109, "ESP_ERR_NVS_KEY_TOO_LONG")
_INVALID_LENGTH = (-0x110C, "ESP_ERR_NVS_INVALID_LENGTH")


class NVS:
    """One namespace. Numbers and blobs of one name are two things, as in ESP-IDF."""

    def __init__(self, namespace):
        _check(namespace)
        self._nvs = flash.Nvs(namespace)

    def get_i32(self, key):
        return self._get("i" + _check(key))

    def set_i32(self, key, value):
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("overflow converting long int to machine word")
        self._nvs.set("i" + _check(key), value)

    def get_blob(self, key, buffer):
        blob = bytes.fromhex(self._get("b" + _check(key)))
        if len(blob) > len(buffer):
            raise OSError(*_INVALID_LENGTH)
        buffer[: len(blob)] = blob
        return len(blob)

    def set_blob(self, key, value):
        self._nvs.set("b" + _check(key), bytes(value).hex())

    def erase_key(self, key):
        found = False
        for kind in "ib":
            if self._nvs.get(kind + key) is not None:
                self._nvs.set(kind + key, None)
                found = True
        if not found:
            raise OSError(*_NOT_FOUND)

    def commit(self):
        self._nvs.commit()

    def _get(self, key):
        value = self._nvs.get(key)
        if value is None:
            raise OSError(*_NOT_FOUND)
        return value


def wake_on_ext0(pin, level):
    power.ext0 = None if pin is None else (_wakes(pin), 1 if level else 0)


def wake_on_ext1(pins, level):
    power.ext1 = ([_wakes(p) for p in pins], level) if pins else None


def wake_on_gpio(pins, level):
    power.on_gpio = ([Pin(p).n for p in pins], 1 if level else 0) if pins else None


def mcu_temperature():
    """Degrees Celsius of the chip; this one is always at 35."""
    return 35


def _check(name):
    if len(name) > 15:
        raise OSError(*_KEY_TOO_LONG)
    return name


def _wakes(pin):
    n = Pin(pin).n
    if n not in chip.wake_pins:
        raise ValueError("invalid pin")
    return n

"""machine.PWM: a sound on a pin, traced as `sound pin freq duty_u16` whenever it changes."""

from virtual import trace
from virtual.gpio import Pin


class PWM:
    """As machine.PWM on the ESP32, where a new one starts at once: 5 kHz, half on, if not told
    otherwise."""

    def __init__(self, dest, freq=-1, **kwargs):
        self._pin = pin = Pin(dest)
        self._freq = 5000
        self._duty = 32768
        self._told = (0, 0)
        if pin.user and pin.user is not self:
            pin.user.let_go()
        pin.user = self
        pin.set_mode(3, " pwm")
        self.init(freq, **kwargs)

    def init(self, freq=-1, *, duty=-1, duty_u16=-1, duty_ns=-1, invert=False):
        if freq != -1:
            self._freq = _in_range("frequency", freq, 1, 40000000)
        if duty_u16 != -1:
            self._duty = _in_range("duty_u16", duty_u16, 0, 65535)
        elif duty_ns != -1:
            self._duty = min(65535, duty_ns * self._freq * 65535 // 1000000000)
        elif duty != -1:
            self._duty = _in_range("duty", duty, 0, 1023) << 6
        if self._pin.user is not self:  # after deinit
            self._pin.user = self
            self._pin.set_mode(3, " pwm")
        self._tell(self._freq if self._duty else 0, self._duty)

    def freq(self, value=None):
        if value is None:
            return self._active()._freq
        self._active().init(value)

    def duty_u16(self, value=None):
        if value is None:
            return self._active()._duty
        self._active().init(duty_u16=value)

    def duty(self, value=None):
        if value is None:
            return self._active()._duty >> 6
        self._active().init(duty=value)

    def duty_ns(self, value=None):
        if value is None:
            return self._active()._duty * 1000000000 // (65535 * self._freq)
        self._active().init(duty_ns=value)

    def deinit(self):
        if self._pin.user is self:
            self.let_go()
            self._pin.user = None
            self._pin.show(0)

    def level(self):
        """What reads back at the pin: not simulated bit by bit."""
        return 1 if self._duty >= 32768 else 0

    def let_go(self):
        """The pin is taken for something else."""
        self._tell(0, 0)

    def _active(self):
        if self._pin.user is not self:
            raise RuntimeError("PWM inactive")
        return self

    def _tell(self, freq, duty):
        if (freq, duty) != self._told:
            self._told = (freq, duty)
            trace.line("sound %d %d %d" % (self._pin.n, freq, duty))


def _in_range(name, value, low, high):
    if not low <= value <= high:
        raise ValueError("%s must be from %d to %d" % (name, low, high))
    return value

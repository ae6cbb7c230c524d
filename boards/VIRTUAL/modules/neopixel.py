"""neopixel.NeoPixel: a string of colour LEDs, traced as `pix pin rrggbb …` when they change."""

from machine import Pin
from virtual import trace


class NeoPixel:
    """As the driver of MicroPython: colours are set in a buffer and shown by write()."""

    ORDER = (1, 0, 2, 3)

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.buf = bytearray(n * bpp)
        self.timing = timing
        self._shown = None
        pin.init(Pin.OUT)

    def __len__(self):
        return self.n

    def __setitem__(self, i, colour):
        for k in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[k]] = colour[k]

    def __getitem__(self, i):
        return tuple(self.buf[i * self.bpp + self.ORDER[k]] for k in range(self.bpp))

    def fill(self, colour):
        for i in range(self.n):
            self[i] = colour

    def write(self):
        if self.buf != self._shown:
            self._shown = bytes(self.buf)
            colours = " ".join(bytes(self[i]).hex() for i in range(self.n))
            trace.line("pix %d %s" % (self.pin.n, colours))

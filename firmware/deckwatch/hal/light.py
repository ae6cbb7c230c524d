"""The light: a NeoPixel where the board has one, else a plain LED; it is written to only when its
colour changes."""

from machine import Pin

from deckwatch.hal.board import pin
from deckwatch.outputs.led import DARK

# By colour number of outputs/led.py; dim enough to look at, bright enough for a deck light-pipe
_RGB = b"\0\0\0" b"\0\x30\0" b"\0\0\x40" b"\x40\x1c\0" b"\x50\0\0" b"\x28\0\x30"


class Light:
    """show(colour) with a colour of outputs/led.py."""

    def __init__(self) -> None:
        self._shown = -1
        self._pixel = None
        self._led = None
        pixel = pin("NEOPIXEL")
        if pixel is not None:
            from neopixel import NeoPixel

            self._pixel = NeoPixel(pixel, 1)
        led = pin("LED")
        if led is not None:
            led.init(Pin.OUT, value=0)
            self._led = led
        self.show(DARK)

    def show(self, colour: int) -> None:
        """Carries out what the pattern wants."""
        if colour == self._shown:
            return
        self._shown = colour
        if self._led is not None:
            self._led.value(1 if colour else 0)
        if self._pixel is not None:
            at = 3 * colour
            self._pixel[0] = (_RGB[at], _RGB[at + 1], _RGB[at + 2])
            self._pixel.write()

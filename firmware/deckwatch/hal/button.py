"""The button: between its pin and ground, held up by the chip."""

from machine import Pin

from deckwatch.hal.board import pin


class Button:
    """is_down(): pressed now; a board without a button never is."""

    def __init__(self) -> None:
        self._pin = pin("BUTTON")
        if self._pin is not None:
            self._pin.init(Pin.IN, Pin.PULL_UP)

    def is_down(self) -> bool:
        return self._pin is not None and not self._pin.value()

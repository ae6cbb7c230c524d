"""The buzzer: a passive piezo on PWM, silent between tones."""

from machine import PWM
from micropython import const

from deckwatch.hal.board import pin

_HALF = const(32768)


class Sound:
    """show(tone_hz), 0 = silence. A board without a buzzer stays silent."""

    def __init__(self) -> None:
        place = pin("BUZZER")
        self._pwm = None if place is None else PWM(place, freq=2000, duty_u16=0)
        self._tone_hz = 0

    def show(self, tone_hz: int) -> None:
        """Carries out what the pattern wants."""
        if tone_hz == self._tone_hz or self._pwm is None:
            return
        self._tone_hz = tone_hz
        if tone_hz:
            self._pwm.freq(tone_hz)
            self._pwm.duty_u16(_HALF)
        else:
            self._pwm.duty_u16(0)

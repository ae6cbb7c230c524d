"""The buzzer: as many beeps as the hazard group says; a warning repeats for 5 minutes, an alarm
until somebody reacts (guardrail sheet). Good news is one chirp of two rising tones, where nothing
worse is to be heard."""

from micropython import const

from deckwatch import status
from deckwatch.ticks import age_ms

WARN_HZ = const(2000)
ALARM_HZ = const(2700)  # where small piezo discs are loudest
CHIRP = ((1600, 90), (0, 40), (2400, 140))  # Hz, ms

_BEEP_MS = const(120)
_GAP_MS = const(120)
_SILENT_MS = const(60000)  # nothing to do: look again after this

_WARN_EVERY_MS = const(60000)
_WARN_LAST_MS = const(300000)
_ALARM_EVERY_MS = const(5000)
_ALARM_DENSE_MS = const(120000)
_ALARM_LATER_MS = const(300000)


class Buzzer:
    """tone_hz: what sounds now, 0 = silent."""

    def __init__(self) -> None:
        self.tone_hz = 0

    def render(self, shown, now: int) -> int:
        """Sets `tone_hz` for `now`. Returns the ms until the next edge."""
        self.tone_hz = 0
        if shown.look < status.WARN:
            return self._chirp(age_ms(now, shown.chirp_since)) if shown.chirps else _SILENT_MS
        if shown.muted:
            return _SILENT_MS
        elapsed = age_ms(now, shown.sound_since)
        if shown.look == status.ALARM:
            if elapsed < _ALARM_DENSE_MS:
                phase = elapsed % _ALARM_EVERY_MS
                return self._group(phase, _ALARM_EVERY_MS, shown.group, ALARM_HZ)
            phase = (elapsed - _ALARM_DENSE_MS) % _ALARM_LATER_MS
            return self._group(phase, _ALARM_LATER_MS, shown.group, ALARM_HZ)
        if elapsed < _WARN_LAST_MS + _WARN_EVERY_MS:
            return self._group(elapsed % _WARN_EVERY_MS, _WARN_EVERY_MS, shown.group, WARN_HZ)
        return _SILENT_MS

    def _chirp(self, elapsed: int) -> int:
        for tone_hz, lasts_ms in CHIRP:
            if elapsed < lasts_ms:
                self.tone_hz = tone_hz
                return lasts_ms - elapsed
            elapsed -= lasts_ms
        return _SILENT_MS

    def _group(self, phase: int, period: int, beeps: int, tone_hz: int) -> int:
        """One group of beeps at the start of each period."""
        if phase >= beeps * (_BEEP_MS + _GAP_MS) - _GAP_MS:
            return period - phase
        phase %= _BEEP_MS + _GAP_MS
        if phase < _BEEP_MS:
            self.tone_hz = tone_hz
            return _BEEP_MS - phase
        return _BEEP_MS + _GAP_MS - phase

"""When light and buzzer are on within their patterns: the drawing blinks and beeps in trace time.

The figures are those of the firmware's outputs/led.py and outputs/buzzer.py; a test holds the two
side by side.
"""

from packlab.view.state import Light, Sound

# look: milliseconds on, off, and of pause after the last blink
_RHYTHMS = {
    "no_data": (200, 0, 1800),
    "partial": (200, 200, 1200),
    "info": (400, 100, 1000),
    "unknown": (250, 250, 1500),
    "warn": (250, 250, 1000),
    "alarm": (100, 100, 500),
}
_BEEP_MS, _GAP_MS = 120, 120
_CHIRP_MS = ((0, 90), (130, 270))


def is_lit(light: Light, now_ms: float) -> bool:
    """Whether the light is on at this moment of the trace."""
    if not light.blinks or light.look not in _RHYTHMS:
        return light.colour != "off"
    on_ms, off_ms, pause_ms = _RHYTHMS[light.look]
    beat_ms = on_ms + off_ms
    phase_ms = (now_ms - light.since_ms) % (light.blinks * beat_ms + pause_ms)
    return phase_ms < light.blinks * beat_ms and phase_ms % beat_ms < on_ms


def is_sounding(sound: Sound, now_ms: float) -> bool:
    """Whether a beep sounds at this moment of the trace."""
    phase_ms = now_ms - sound.at_ms
    if not sound.beeps:
        return any(begin <= phase_ms < end for begin, end in _CHIRP_MS)
    beat_ms = _BEEP_MS + _GAP_MS
    return 0 <= phase_ms < sound.beeps * beat_ms and phase_ms % beat_ms < _BEEP_MS

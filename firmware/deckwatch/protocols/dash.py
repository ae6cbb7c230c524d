"""What controller and dashboard tell each other on the dash wire, the same payloads in both
framings (xiaomi.md 2.3); called by xiaomi.py and ninebot.py."""

from deckwatch.telemetry import INDEX

_MODE = INDEX["mode"]
_SPEED = INDEX["speed_mh"]
_ERROR = INDEX["error_code"]
_SOC = INDEX["controller_soc_pct"]
_THROTTLE = INDEX["throttle_raw"]
_BRAKE = INDEX["brake_raw"]


def decode_input(frame, t, command: int) -> None:
    """Dashboard to controller: 0x61 [bytes wanted, 2, throttle, brake], 0x64 and 0x65 [n,
    throttle, brake, ...]."""
    frame.kind = "dash_input"
    place = 1
    if command == 0x61:
        place = 2
        if frame.body_size:
            frame.wanted = frame.buf[frame.body]
    if frame.body_size >= place + 2:
        t.set(_THROTTLE, frame.buf[frame.body + place])
        t.set(_BRAKE, frame.buf[frame.body + place + 1])


def decode_state(frame, t) -> None:
    """Controller to dashboard, 0x64: [mode, battery, light, beep] and on Pro-class scooters
    [, speed km/h, error]. `battery` is percent on those, on the M365 the number of lit bars."""
    frame.kind = "dash_state"
    body = frame.body
    if frame.body_size >= 4:
        t.set(_MODE, frame.buf[body])
    if frame.body_size >= 6:
        t.set(_SOC, frame.buf[body + 1])
        t.set(_SPEED, frame.buf[body + 4] * 1000)
        t.set(_ERROR, frame.buf[body + 5])

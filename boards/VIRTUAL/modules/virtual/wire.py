"""The scooter's side of a data line: bytes at their times, levels, and everything that can be
wrong with a wire.

Feed lines (feed.py) and a scenario's replies come in here; the pin at the board's end and the UART
on it hear them.
"""

from virtual import clock as _c
from virtual import noise, state
from virtual.gpio import Pin, named

# the receivers of pins.csv, by the name a feed calls the line
PORTS = {"bms": "BMS_TX_RX", "host": "HOST_TX_RX", "dash": "DASH_RX"}
OK, CUT, NOISE, LOW, HIGH = 0, 1, 2, 3, 4

_wires = {}


class Wire:
    """One line: what its far end drives, and what becomes of it on the way."""

    def __init__(self):
        self.pin = None
        self.baud = 115200
        self.flip = 0  # 1: the line is upside down
        self.rest = 1  # between bytes: 1 idle, 0 held low
        self.fault = OK
        self._bits = b""

    def level(self):
        """What the line drives into the pin now: 0, 1, or None where it floats."""
        if self.fault:
            return None if self.fault < LOW else self.fault - LOW
        if self._bits:
            tenths = ((self._end_ms - _c.ms) * 1000 + self._end_us - _c.us) * 10
            byte = 100000000 // self.baud
            gone = len(self._bits) * byte - tenths
            if tenths <= 0 or gone < 0:
                self._bits = b""
            else:
                n = gone // byte
                k = gone % byte * 10 // byte
                bit = 1 if k == 9 else self._bits[n] >> (k - 1) & 1 if k else 0
                return bit ^ self.flip
        return self.rest ^ self.flip

    def start(self, length, end_ms, end_us):
        """The instant at which so many bytes that end then begin, as (ms, us)."""
        t = end_us - length * (100000000 // self.baud) // 10
        return (end_ms + t // 1000, t % 1000)

    def send(self, data, end_ms, end_us):
        """The line carries bytes, from now until then."""
        self.rest = 1
        if self.fault:
            return
        self._bits = data
        self._end_ms = end_ms
        self._end_us = end_us
        pin = self.pin
        if pin:
            if pin.uart:
                pin.uart.hear(data, end_ms, end_us, self.baud, self.flip)
            pin.start_bit()

    def become(self, rest=None, fault=None, flip=None):
        """The line changes and stays so."""
        before = self.pin.outside() if self.pin else 1
        self._bits = b""
        self.rest = self.rest if rest is None else rest
        self.flip = self.flip if flip is None else flip
        if fault is not None:
            self.fault = fault
            if fault == NOISE:
                _c.after(1000, self._crackle, None)
        if self.pin:
            self.pin.edge(before, self.pin.outside())

    def break_off(self):
        """Hold the line low for more than a byte, then idle again."""
        self.become(0)
        self.become(1)

    def join(self, pin):
        """The line ends at this pin from now on (None: nowhere)."""
        if self.pin:
            self.pin.wire = None
        self.pin = pin
        if pin:
            pin.wire = self

    def _crackle(self, _):
        """A burst of the bytes that a receiver makes of a floating wire; then the next."""
        if self.fault != NOISE:
            return
        uart = self.pin.uart if self.pin else None
        if uart:
            n = 1 + noise.below(8)
            data = bytes([noise.below(256) for _ in range(n)])
            t = _c.us + n * (100000000 // uart.baud) // 10
            uart.hear_own(data, _c.ms + t // 1000, t % 1000)
        _c.after(2000 + noise.below(1000) * 40, self._crackle, None)


def get(name):
    """The wire of that name; KeyError if there is none."""
    return _wires[name]


def lay():
    """Lay the wires: as a new world has them, or as they were when the chip restarted."""
    was = state.before.get("wires")
    for name, label in PORTS.items():
        w = _wires[name] = Wire()
        if was:
            n, w.baud, w.flip, w.rest, fault = was[name]
            w.join(None if n is None else Pin(n))
            w.become(fault=fault)
        else:
            n = named(label)  # a board need not have a receiver for each
            w.join(None if n is None else Pin(n))


def _keep():
    return {k: (w.pin and w.pin.n, w.baud, w.flip, w.rest, w.fault) for k, w in _wires.items()}


state.parts["wires"] = _keep

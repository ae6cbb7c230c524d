"""One receiver per tapped wire. The transmit side parks on a pin nobody has wired, and is an input
again before a byte can pass.

`UART(1, rx=x)` on MicroPython up to 1.28 drives its default TX pin (GPIO10 for UART 1, 17 for UART
2), which may be wired to the scooter: so TX is always named, and taken back.
"""

from machine import UART, Pin
from micropython import const

from deckwatch.framer import CHUNK
from deckwatch.hal import power
from deckwatch.hal.board import pin
from deckwatch.meters.link import BMS_TX, DASH, HOST_TX, IDLE, LOW, NO_LEVEL
from deckwatch.ticks import age_ms

RX_BYTES = const(2048)  # 177 ms at 115200: outlives an 80 ms flash erase (design sheet, budgets)
_HELD_MS = const(30)  # a level that lasts longer than any byte at 9600 baud, three times over

# port, UART number, receiver pin, in order of importance: a chip with one free UART listens to the
# battery
_WIRES = ((BMS_TX, 1, "BMS_TX_RX"), (HOST_TX, 2, "HOST_TX_RX"), (DASH, 0, "DASH_RX"))


class Line:
    """A tapped wire: bytes and levels in, and nothing out unless `tx` is given.

    buf: what was read last, of whichever wire: it is taken on at once. ValueError or OSError where
    the chip has no such receiver, or the board no TX_PARK.
    """

    buf = bytearray(CHUNK)

    def __init__(self, port: int, uart: int, rx, baud: int, inverted: bool, tx=None) -> None:
        self.port = port
        self._rx = rx
        self._asks = tx is not None
        self._low_level = 1 if inverted else 0
        self._tx = tx or pin("TX_PARK")
        if self._tx is None:  # without a name UART takes its default pin
            raise ValueError("the board names no TX_PARK")
        # an open wire rests, whatever the IDF version sets
        rx.init(Pin.IN, Pin.PULL_DOWN if inverted else Pin.PULL_UP)
        invert = UART.INV_RX if inverted else 0
        self._uart = UART(uart, baud, rx=rx, tx=self._tx, rxbuf=RX_BYTES, timeout=0, invert=invert)
        if not self._asks:
            self._tx.init(Pin.IN)
        self.level = NO_LEVEL
        self._low = False
        self._since = 0

    def read(self) -> int:
        """Bytes put into `buf`, 0 when there are none."""
        return self._uart.readinto(self.buf) or 0

    def write(self, request: bytes) -> None:
        """Sends a request; only a line opened to ask does."""
        if self._asks:
            self._uart.write(request)

    def waiting(self) -> int:
        """Bytes received and not yet read; RX_BYTES or more: some that followed may be lost."""
        return self._uart.any()

    def close(self) -> None:
        """Lets the receiver go, and its transmit pin, which deinit() leaves an output."""
        self._uart.deinit()
        self._tx.init(Pin.IN)

    def park(self) -> None:
        """Deep sleep until this wire leaves the level at which it rests now."""
        power.park(self._rx, 0 if self._rx.value() else 1)

    def look(self, now: int) -> int:
        """The level when it has changed and held (IDLE, LOW), else NO_LEVEL. Called while no bytes
        come."""
        low = self._rx.value() == self._low_level
        if low != self._low:
            self._low = low
            self._since = now
        level = LOW if low else IDLE
        if level == self.level or age_ms(now, self._since) < _HELD_MS:
            return NO_LEVEL
        self.level = level
        return level


def open_lines(baud: int, inverted: bool, asks: bool) -> list:
    """A Line for every tapped wire this board and chip have a receiver for, the battery's wire
    last; `asks`: that one may send, on the pin that leads to the battery's receiver."""
    lines = []
    for port, uart, name in _WIRES:
        rx = pin(name)
        if rx is None:
            continue
        tx = pin("BMS_RX_TX") if asks and port == BMS_TX else None
        try:
            lines.append(Line(port, uart, rx, baud, inverted, tx))
        except (ValueError, OSError) as why:
            print("line %d has no receiver: %s" % (port, why))
    lines.reverse()
    return lines


def open_battery_line(baud: int, inverted: bool, asks: bool):
    """The Line of the battery's wire alone; every board has it. `asks`: it may send."""
    port, uart, name = _WIRES[0]
    tx = pin("BMS_RX_TX") if asks else None
    return Line(port, uart, pin(name), baud, inverted, tx)

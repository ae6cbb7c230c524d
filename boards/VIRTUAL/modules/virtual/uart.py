"""machine.UART as the ESP32 has it: its default pins, its receive buffer that runs over, its habit
of driving TX.

Bytes land one by one as time passes: a chunk on the wire is kept whole with the instant it ends,
and how much of it has landed is worked out when somebody looks. Sources:
ports/esp32/machine_uart.c v1.25.0 (pins, arguments, time-outs), ESP-IDF
components/esp_driver_uart/src/uart.c (when the receive buffer is full the driver stops emptying
the hardware FIFO of 128 bytes; when that overflows it is cleared, and what was in it is lost).
"""

import io

from virtual import chip, trace
from virtual import clock as _c
from virtual.gpio import Pin

_FIFO = 128

opened = {}  # the UARTs in use, by number
deaf = False  # their clocks stand still
on_tx = None  # called with (pin, bytes) when the firmware begins to send


class UART(io.IOBase):
    """As machine.UART on the ESP32; a blocking read lets time pass."""

    INV_TX = 1 << 5
    INV_RX = 1 << 2
    INV_RTS = 1 << 6
    INV_CTS = 1 << 3
    RTS = 1
    CTS = 2

    def __init__(self, id, *args, **kwargs):
        if not 0 <= id < len(chip.uart_pins):
            raise ValueError("UART(%d) does not exist" % id)
        if id in opened:
            opened[id].deinit()
        self.id = id
        self.baud = 115200
        self.bits = 8
        self.parity = None
        self.stop = 1
        self.flip = 0  # 1 if it reads its line upside down
        self.lost = 0  # bytes that found no room
        self._tx, self._rx = chip.uart_pins[id]
        self._rxbuf = 256
        self._timeout = 0
        self._sent_ms = self._sent_us = 0
        self.init(*args, **kwargs)

    # fmt: off
    def init(self, baudrate=0, bits=0, parity=-1, stop=0, *, tx=None, rx=None, rts=None, cts=None,
             txbuf=-1, rxbuf=-1, timeout=-1, timeout_char=-1, invert=-1, flow=-1):
        # fmt: on
        self.baud = baudrate or self.baud
        self.bits = bits or self.bits
        self.parity = self.parity if parity == -1 else parity
        self.stop = stop or self.stop
        if rxbuf >= 0:
            self._rxbuf = rxbuf
        if timeout >= 0:
            self._timeout = timeout
        if invert >= 0:
            self.flip = 1 if invert & self.INV_RX else 0
        # -1 for "no pin" is an error in the versions simulated
        self._tx = self._tx if tx is None else Pin(tx).n
        self._stop_hearing()
        self._rx = self._rx if rx is None else Pin(rx).n
        self._plain = self.bits == 8 and self.parity is None
        self._byte_tenths = 100000000 // self.baud  # of a microsecond, for ten bits
        self._received = b""
        self._fifo = b""
        self._coming = b""
        opened[self.id] = self
        self._take_pins()

    def _take_pins(self):
        name = " uart%d" % self.id
        rx = Pin(self._rx)
        rx.uart = self
        if not rx.user:
            rx.set_mode(1, name)
        tx = Pin(self._tx)
        if tx.n >= chip.first_input_only:
            raise OSError(-1, "ESP_FAIL")
        if tx.user and tx.user is not self:
            tx.user.let_go()
        tx.user = self
        tx.set_mode(3, name)
        tx.show(1)

    def deinit(self):
        """Stop receiving; like the chip under MicroPython to 1.28, leave TX an output."""
        self._stop_hearing()
        opened.pop(self.id, None)
        self._received = self._fifo = self._coming = b""

    def _stop_hearing(self):
        rx = Pin(self._rx)
        if rx.uart is self:
            rx.uart = None

    def any(self):
        if self._coming:
            self._land()
        if not self._received:
            _c.touch()
        return len(self._received)

    def readinto(self, buf, nbytes=-1):
        if self._coming:
            self._land()
        if not self._received and not self._timeout:
            _c.touch()
            return None
        room = len(buf)
        if 0 <= nbytes < room:
            room = nbytes
        if self._timeout:
            self._wait_for(room)
            if not self._received:
                return None
        n = len(self._received)
        if n <= room:
            buf[:n] = self._received
            self._received = b""
        else:
            n = room
            buf[:n] = self._received[:n]
            self._received = self._received[n:]
        if self._fifo:
            self._refill()
        return n

    def read(self, nbytes=-1):
        if self._coming:
            self._land()
        if self._timeout:
            self._wait_for(nbytes)
        if not self._received:
            _c.touch()
            return None
        got = self._received if nbytes < 0 else self._received[:nbytes]
        self._received = self._received[len(got) :]
        if self._fifo:
            self._refill()
        return got

    def readline(self):
        self.any()
        end = self._received.find(b"\n") + 1
        return self.read(end or -1)

    def write(self, buf):
        data = bytes(buf)
        pin = Pin(self._tx)
        now_ms, now_us = _c.ms, _c.us
        if now_ms > self._sent_ms or (now_ms == self._sent_ms and now_us > self._sent_us):
            self._sent_ms, self._sent_us = now_ms, now_us
        t = self._sent_us + len(data) * self._byte_tenths // 10
        self._sent_ms += t // 1000
        self._sent_us = t % 1000
        if pin.user is self:
            trace.line("tx %d %s" % (pin.n, data.hex()))
            if on_tx:
                on_tx(pin.n, data)
        return len(data)

    def txdone(self):
        _c.touch()
        return _c.ms > self._sent_ms or (_c.ms == self._sent_ms and _c.us >= self._sent_us)

    def flush(self):
        _c.advance(self._sent_ms, self._sent_us)

    def sendbreak(self):
        if Pin(self._tx).user is self:
            trace.line("break %d" % self._tx)
        _c.stall(13000000 // self.baud)

    def irq(self, handler=None, trigger=0, hard=False):
        raise NotImplementedError("not simulated: poll the UART")

    def ioctl(self, request, arg):
        if request == 3:  # poll
            return arg & (5 if self.any() else 4)
        if request == 11:
            self.flush()
        return 0

    # What the wire, the pin and the chip call.

    def hear(self, data, end_ms, end_us, line_baud, line_flip):
        """Bytes are on the line, whose last ends then; the first begins now."""
        flip = self.flip ^ line_flip
        if flip or line_baud != self.baud or not self._plain:
            from virtual.sampler import sample

            parity = 0 if self.parity is None else 1
            data = sample(data, line_baud, self.baud, self.bits, parity, flip)
        self.hear_own(data, end_ms, end_us)

    def hear_own(self, data, end_ms, end_us):
        """As hear, for bytes at this receiver's own speed."""
        if self._coming:
            self._put(self._coming)  # a wire has one byte at a time: these have landed
        self._coming = data
        self._end_ms = end_ms
        self._end_us = end_us

    def next_byte(self):
        """The instant the next byte lands, as (ms, us); None if none is coming."""
        if not self._coming:
            return None
        t = self._end_us - ((len(self._coming) - 1) * self._byte_tenths) // 10
        return (self._end_ms + t // 1000, t % 1000)

    def level_changed(self, level):
        """The line stays at a new level; a fall that lasts reads as one zero byte."""
        if not level ^ self.flip:
            t = _c.us + self._byte_tenths // 10
            self.hear_own(b"\0", _c.ms + t // 1000, t % 1000)

    def overrun(self):
        """Lose what has not been read yet."""
        self._land()
        self._lose(len(self._received) + len(self._fifo))
        self._received = self._fifo = b""

    def level(self):
        """What TX reads back as, between bytes."""
        return 1

    def let_go(self):
        """TX is taken for something else; nothing this UART sends goes anywhere."""

    def _land(self):
        left_us = (self._end_ms - _c.ms) * 1000 + self._end_us - _c.us
        new = self._coming
        if left_us > 0:
            n = len(new) - (left_us * 10 + self._byte_tenths - 1) // self._byte_tenths
            if n <= 0:
                return
            self._coming = new[n:]
            new = new[:n]
        else:
            self._coming = b""
        self._put(new)

    def _put(self, new):
        if deaf:
            return
        room = self._rxbuf - len(self._received)
        if len(new) <= room and not self._fifo:
            self._received += new
            return
        if room and not self._fifo:
            self._received += new[:room]
            new = new[room:]
        self._fifo += new
        while len(self._fifo) > _FIFO:
            self._lose(_FIFO + 1)  # the byte too many empties it
            self._fifo = self._fifo[_FIFO + 1 :]

    def _refill(self):
        room = self._rxbuf - len(self._received)
        self._received += self._fifo[:room]
        self._fifo = self._fifo[room:]

    def _lose(self, n):
        if n:
            self.lost += n
            trace.line("lost uart%d %d" % (self.id, n))

    def _wait_for(self, n):
        """Block as a read with a time-out does: until n bytes are there, or none comes so long."""
        while len(self._received) < n or n < 0:
            before = len(self._received)
            end = _c.ms + self._timeout
            while _c.ms < end and (n < 0 or len(self._received) < n):
                _c.advance(_c.ms + 1)
                if self._coming:
                    self._land()
            if len(self._received) == before:
                return

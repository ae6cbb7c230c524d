"""machine.Pin: every pin has a level that the world drives, a direction the firmware chooses, and
a trace of both.

The world reaches pins through `pin(n).ext` and wires (wire.py); UART and PWM take and lose a pin
as the chip's GPIO matrix would: `Pin.init(mode)` takes it back from them.
"""

from virtual import chip, noise, state, trace
from virtual import clock as _c

names_csv = None  # path of the pins.csv that names this board's pins

_pins = {}
_MODES = {0: "in", 1: "in", 3: "out", 7: "od"}
_PULLS = {0: "", 1: " down", 2: " up"}


class _Board:
    def __getattr__(self, name):
        try:
            return Pin(name)
        except ValueError:
            raise AttributeError(name)


class Pin:
    """As machine.Pin on the ESP32; one object per pin."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3
    board = _Board()

    def __new__(cls, id, *args, **kwargs):
        n = _number(id)
        p = _pins.get(n)
        if p is None:
            p = object.__new__(cls)
            _pins[n] = p
            p.n = n
            p.mode = 0  # as after a reset: an input nobody has asked for
            p.pull = 0
            p.out = 0  # what it would drive
            p.shown = None  # the level the trace says it drives
            p.told = None  # the mode it says it has
            p.user = None  # the PWM or UART that drives it
            p.ext = None  # what the world drives: 0, 1, or None for nothing
            p.wire = None  # the wire that ends here
            p.uart = None  # the UART that receives here
            p.handler = None
            p.trigger = 0
        return p

    def __init__(self, id, mode=None, pull=-1, *, value=None, drive=None, hold=None):
        if mode is not None or pull != -1 or value is not None:
            self.init(mode, pull, value=value)

    def init(self, mode=None, pull=-1, *, value=None, drive=None, hold=None):
        if value is not None:
            self.out = 1 if value else 0
        if mode is not None:
            if self.n >= chip.first_input_only and mode != 1:
                raise ValueError("pin can only be input")
            if self.user:
                self.user.let_go()
                self.user = None
        if pull != -1:
            self.pull = pull or 0
        self.set_mode(self.mode if mode is None else mode, "")

    def set_mode(self, mode, user):
        """Change direction and pull; user names the peripheral that did it, for the trace."""
        self.mode = mode
        told = "%s%s%s" % (_MODES[mode], _PULLS[self.pull], user)
        if told != self.told:
            self.told = told
            trace.line("mode %d %s" % (self.n, told))
        if mode <= 1:
            self.shown = None
        elif not self.user:
            self.show(self.out)

    def show(self, level):
        """Trace the level that the pin drives, if it is a new one."""
        if self.mode == 7 and level:
            level = "z"
        if level != self.shown:
            self.shown = level
            trace.line("pin %d %s" % (self.n, level))

    def value(self, x=None):
        if x is None:
            return self.level()
        self.out = 1 if x else 0
        if self.mode > 1 and not self.user:
            self.show(self.out)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(1 - self.out)

    def irq(self, handler=None, trigger=3, wake=None):
        if wake is not None:
            raise NotImplementedError("not simulated: use esp32.wake_on_ext0")
        self.handler = handler
        self.trigger = trigger if handler else 0
        return self

    def level(self):
        """What is on the pin now: 0 or 1."""
        _c.touch()
        if self.user:
            return self.user.level()
        if self.mode == 3 or (self.mode == 7 and not self.out):
            return self.out
        return self.outside()

    def outside(self):
        """What the world and the pull make of it; a pin that neither holds floats, and reads as it
        likes."""
        level = self.wire.level() if self.wire else self.ext
        if level is not None:
            return level
        if self.pull:
            return 1 if self.pull == 2 else 0
        return noise.below(2)

    def drive(self, level):
        """The world changes what it drives: 0, 1 or None."""
        before = self.outside()
        self.ext = level
        self.edge(before, self.outside())

    def edge(self, before, now):
        """Tell whoever listens that the level has changed."""
        if before == now:
            return
        if self.uart:
            self.uart.level_changed(now)
        if self.trigger & (1 if now else 2):
            _c.interrupt(self.handler, self)

    def start_bit(self):
        """A byte begins here; handlers see its falling edge alone, not each bit's."""
        if self.trigger & 2:
            _c.interrupt(self.handler, self)

    def __repr__(self):
        return "Pin(%d)" % self.n


def named(name):
    """The number of a pin that pins.csv names; None if it does not."""
    if names_csv:
        with open(names_csv) as f:
            for row in f:
                key, _, gpio = row.strip().partition(",")
                if key.lstrip("-") == name:
                    return int(gpio[4:])
    return None


def restore():
    """Put the pins under the levels the world drove when the chip restarted."""
    for n, level in state.before.get("pins", ()):
        Pin(n).ext = level


def switch_off():
    """The chip stops: no pin is driven, nobody listens."""
    for p in _pins.values():
        p.mode = p.trigger = 0
        p.user = p.uart = p.handler = p.shown = None


def _number(id):
    if isinstance(id, Pin):
        return id.n
    n = named(id) if isinstance(id, str) else id
    if n is None or not 0 <= n <= chip.last_pin:
        raise ValueError("invalid pin")
    return n


def _keep():
    return [(n, p.ext) for n, p in _pins.items() if p.ext is not None]


state.parts["pins"] = _keep

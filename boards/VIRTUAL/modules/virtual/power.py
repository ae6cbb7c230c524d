"""Resets, sleep, the watchdog and the power switch: everything that ends one life of the chip and
may begin the next.

A restart is a new process. In the old one nothing of the firmware may run on, no `finally`, no
handler of SystemExit: so it leaves life.json behind and has itself killed, and launch.py starts
the next interpreter, which is as fresh as the chip is (3 ms; cleaning a used one of modules, tasks
and heap is neither safe nor faster).
"""

import os

from virtual import chip, ether, gpio, noise, state, trace, uart
from virtual import clock as _c

PWRON, HARD, WDT_CAUSE, DEEPSLEEP, SOFT = 1, 2, 3, 4, 5
_NAMES = ("", "PWRON", "HARD", "WDT", "DEEPSLEEP", "SOFT")

boot_ms = 300  # from reset to main.py, an assumption; what is on the wires meanwhile is lost
cause = PWRON
wake = 0  # why it woke: machine.wake_reason()
memory = b""  # machine.RTC().memory()
over = False  # the world has ended
ext0 = None  # (pin, level) that wakes it from sleep
ext1 = None  # (pins, level)
on_gpio = None  # (pins, level)

_off = False
_lives = 1


def begin(origin_ms):
    """Start the chip: at the world's time 0, or when and how the last life ended."""
    global cause, wake, memory, _lives
    left = state.before.get("power")
    if left:
        cause, wake, _lives, memory, _c.base_ms, _c.base_us, _c.power_ms, dice = left
        memory = bytes.fromhex(memory)
        noise.seed(dice)
    else:
        _c.base_ms = _c.power_ms = -boot_ms
    # a tick origin other than 0 lets a test see the ticks wrap
    _c.base_ms -= origin_ms
    _c.ms = origin_ms


def boot():
    """Let the boot loader's time pass; then main.py may run."""
    _c.advance(_c.ms + boot_ms)
    trace.line("boot %s" % _NAMES[cause])
    trace.line("mode %d out rom" % chip.uart_pins[0][0])  # its messages leave there, on every chip


def restart(why):
    """End this life at once; the next one begins at this instant."""
    trace.line("reset %s" % _NAMES[why])
    _leave(why, 0)


def sleep_light(for_ms):
    """Stop the processor and the UARTs' clocks until a time or a wake pin."""
    global wake
    trace.line("sleep light")
    _hear_out(False)
    wake = _sleep(for_ms)
    _hear_out(True)
    uart.deaf = False
    trace.line("wake")


def sleep_deep(for_ms):
    """Switch all off until a time or a wake pin; then restart."""
    trace.line("sleep deep")
    _switch_off()
    _leave(DEEPSLEEP, _sleep(for_ms))


def cut(_):
    """The board loses its supply; when it returns, it starts anew."""
    global memory
    trace.line("power off")
    _switch_off()
    while _off:
        _c.step(_c.FAR, 0)
    trace.line("power on")
    memory = b""
    _c.power_ms = _c.world()[0]
    _leave(PWRON, 0)


def restore(_):
    """The supply is back."""
    global _off
    _off = False


def end(code=0):
    """The world ends: leave the firmware, or kill it if it does not want to go."""
    global over
    if over:
        _die()
    over = True
    trace.line("end")
    raise SystemExit(code)


class WDT:
    """As machine.WDT on the ESP32: once started it cannot be stopped; unfed it resets the chip."""

    _armed = False
    _timeout_ms = 0
    _fed_ms = 0

    def __init__(self, id=0, timeout=5000):
        if id:
            raise ValueError
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        WDT._timeout_ms = timeout
        self.feed()
        if not WDT._armed:
            WDT._armed = True
            _watch(None)

    def feed(self):
        WDT._fed_ms = _c.ms


def _watch(_):
    """Look whether the watchdog starved, and look again when it next might have."""
    if _off:
        return
    deadline = WDT._fed_ms + WDT._timeout_ms
    if _c.ms >= deadline:
        restart(WDT_CAUSE)
    _c.at(deadline, _c.us, _watch, None)


def _switch_off():
    global _off
    _off = True
    uart.opened.clear()
    ether.cut()
    gpio.switch_off()


def _sleep(for_ms):
    """Let time pass until a wake-up; say which, as machine.wake_reason() does."""
    end_ms = _c.FAR if for_ms is None else _c.ms + for_ms
    end_us = _c.us
    while True:
        if ext0 and gpio.Pin(ext0[0]).outside() == ext0[1]:
            return 2
        if ext1 and _any_or_all(*ext1):
            return 3
        if on_gpio and any(gpio.Pin(n).outside() == on_gpio[1] for n in on_gpio[0]):
            return 7
        if _c.ms >= end_ms:
            return 4
        _c.step(end_ms, end_us)


def _hear_out(deaf):
    """What has landed by now counts as heard, or not, and what comes next does not."""
    uart.deaf = deaf
    for u in uart.opened.values():
        u.any()
    uart.deaf = True


def _any_or_all(pins, high):
    """ext1 wakes on any pin high, or on all pins low."""
    if high:
        return any(gpio.Pin(n).outside() for n in pins)
    return not any(gpio.Pin(n).outside() for n in pins)


def _leave(why, woke):
    global cause, wake
    if state.folder is None:
        end(why)
    cause = why
    wake = woke
    state.write()
    _die()


def _die():
    os.system("kill -9 $PPID")
    while True:
        pass


def _keep():
    t_ms, t_us = _c.world()
    return (cause, wake, _lives + 1, memory.hex(), t_ms, t_us, _c.power_ms, noise.state())


state.parts["power"] = _keep

"""One life of the virtual chip with its console, in real time: boot.py, main.py, and MicroPython's
prompt with its raw mode, which is what mpremote talks to. plug.py starts it and gives it a port.

    micropython console.py state=DIR [machine=TEXT] [blocks=N] [name=value …]

machine: what os.uname() says the board is; blocks: how large its flash is, of 4096 bytes each;
wires: NAME:FD,…, open files, not blocking, from which the bytes of a wire come (and to bms's goes
what the firmware sends); the others are run.py's. Standard input and output are a terminal. There
is no feed: without `wires` nothing happens on the wires.
"""

import builtins
import gc
import os
import sys
import time as _clock  # the port's own: build() puts another in its place
from collections import namedtuple
from select import POLLIN, poll

import run

_in = sys.stdin.buffer
_out = sys.stdout.buffer
_print = print
_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))

RELEASE = "1.28.0"
_SLICE_MS = 20  # Ctrl-C is heard between two of them, and the wires
_CATCH_UP_MS = 50  # of what code has taken since the last wait
_WINDOW = 128
_CTRL_C = b"\x03"

globals_ = {"__name__": "__main__"}
held = []
listens = [False]  # Ctrl-C interrupts what runs; else it is a byte like others


class Os:
    """The os module, with the two functions that tell a chip from a PC."""

    def __init__(self, machine):
        self._uname = _Uname("esp32", "esp32", RELEASE, "v%s, virtual" % RELEASE, machine)
        self._real = os

    def __getattr__(self, name):
        return getattr(self._real, name)

    def uname(self):
        return self._uname


class Silence:
    """A scenario in which nothing ever happens."""

    @staticmethod
    def feed():
        return iter(["999999999999000 end"])


def main():
    mine = {"machine": "Generic ESP32S3 module with ESP32S3"}
    mine.update({"blocks": "0", "wires": ""})
    words = []
    for word in sys.argv[1:]:
        name, _, value = word.partition("=")
        if name in mine:
            mine[name] = value
        else:
            words.append(word)
    chosen = run.options(words)
    run.build(chosen)
    builtins.print = _print
    from virtual import clock, feed, flash, power, state, uart, wire

    wires = Wires(mine["wires"], clock, wire)
    uart.on_tx = wires.answer
    sys.modules["os"] = Os(mine["machine"])
    sys.path.remove(flash.host(chosen["firmware"]))  # the firmware is what lies in the flash
    clock.advance = in_real_time(clock, wires)
    if int(mine["blocks"]):
        limit(flash, flash.host(chosen["state"]) + "/flash", int(mine["blocks"]))
    mode = state.before.get("console", "friendly")
    feed.start(Silence)
    gc.collect()  # the firmware starts with a heap without the board's litter
    held.extend(run.take_all_but(int(chosen["room"])))
    power.boot()
    listens[0] = True
    if start("boot.py") and mode == "friendly":
        start("main.py")
    listens[0] = False
    if mode == "raw":
        raw_prompts()
    while True:
        friendly_prompts()
        raw_prompts()


class Wires:
    """The other ends of the wires, each an open file; see `wires` above."""

    def __init__(self, text, clock, wire):
        pairs = [pair.split(":") for pair in text.split(",") if pair]
        self._ends = [(wire.get(name), open(int(fd), "r+b")) for name, fd in pairs]
        self._battery = [end for line, end in self._ends if line is wire.get("bms")]
        self._clock = clock
        self._buf = bytearray(128)

    def hear(self):
        """What has come in since the last call is on the wires from now on."""
        now = self._clock
        for line, end in self._ends:
            n = end.readinto(self._buf)
            if n:
                t = now.us + n * (100000000 // line.baud) // 10
                line.send(bytes(self._buf[:n]), now.ms + t // 1000, t % 1000)

    def answer(self, pin, data):
        """The firmware sends."""
        for end in self._battery:
            end.write(data)


def in_real_time(clock, wires):
    """The clock's jump, made to take as long as it says, code included. It hears Ctrl-C: the
    port's own would break in anywhere, even into a collection of garbage, as a chip's does not."""
    jump = clock.advance
    keyboard = poll()
    keyboard.register(sys.stdin, POLLIN)
    last = [_clock.ticks_ms()]

    def look():
        while listens[0] and keyboard.poll(0):
            if _in.read(1) == _CTRL_C:
                raise KeyboardInterrupt

    def advance(to_ms, to_us=0):
        passes = to_ms > clock.ms
        behind = _clock.ticks_diff(_clock.ticks_ms(), last[0])
        left = to_ms - clock.ms - min(behind, _CATCH_UP_MS)
        while left > 0:
            _clock.sleep_ms(min(left, _SLICE_MS))
            left -= _SLICE_MS
            look()
        if passes:
            look()
        last[0] = _clock.ticks_ms()
        jump(to_ms, to_us)
        wires.hear()

    return advance


def limit(flash, root, blocks):
    """Let the flash have so many blocks, and be full when its files take them."""
    flash._BLOCKS = blocks
    write = flash._Written.write

    def limited(self, data):
        size = self._f.tell() + len(data)
        if flash._used(root) + (size + flash._BLOCK - 1) // flash._BLOCK > blocks:
            raise OSError(28)
        return write(self, data)

    flash._Written.write = limited


def start(name):
    """Run a script of the flash's root, as the chip does; False when it failed."""
    try:
        with open(name) as f:
            source = f.read()
    except OSError:
        return True
    return execute(source, name)


def execute(source, name):
    try:
        exec(compile(source, name, "exec"), globals_)
        return True
    except SystemExit:
        soft_reset("friendly")
    except BaseException as failure:
        sys.print_exception(failure, sys.stdout)
    return False


def soft_reset(mode):
    """A new process; `mode` is the prompt it comes up with."""
    from virtual import power, state

    _out.write(b"MPY: soft reboot\r\n")
    state.parts["console"] = lambda: mode
    power.restart(power.SOFT)


# --- the prompts ---------------------------------------------------------------------------------


def byte():
    got = _in.read(1)
    if not got:
        sys.exit(0)
    return got[0]


def friendly_prompts():
    """The prompt for people, as far as tools need it; returns when raw mode is asked for."""
    _out.write(b"\r\nMicroPython v%s; virtual\r\n>>> " % RELEASE.encode())
    while True:
        got = byte()
        if got == 1:
            return
        if got == 4:
            soft_reset("friendly")
        if got == 13:
            _out.write(b"\r\n>>> ")


def raw_prompts():
    """Raw mode: code comes as text ended by Ctrl-D, or by raw paste; returns when it is left."""
    _out.write(b"raw REPL; CTRL-B to exit\r\n>")
    source = bytearray()
    while True:
        got = byte()
        if got == 1:
            source = bytearray()
            _out.write(b"raw REPL; CTRL-B to exit\r\n>")
        elif got == 2:
            return
        elif got == 3:
            source = bytearray()
        elif got == 5 and not source:
            byte(), byte()
            source = pasted()
            if source is not None:
                answer(source)
            source = bytearray()
            _out.write(b">")
        elif got == 4:
            if not source:
                _out.write(b"OK\r\n")
                soft_reset("raw")
            _out.write(b"OK")
            answer(source)
            source = bytearray()
            _out.write(b">")
        else:
            source.append(got)


def pasted():
    """What is sent in raw paste mode, window by window; None when it was broken off."""
    _out.write(b"R\x01" + bytes((_WINDOW, 0)) + b"\x01")
    source = bytearray()
    left = _WINDOW
    while True:
        got = byte()
        if got == 3:
            return None
        if got == 4:
            _out.write(b"\x04")
            return source
        source.append(got)
        left -= 1
        if not left:
            _out.write(b"\x01")
            left = _WINDOW


def answer(source):
    """Run code and say what it printed, and what it raised."""
    failure = None
    listens[0] = True
    try:
        exec(compile(bytes(source), "<stdin>", "exec"), globals_)
    except BaseException as raised:
        failure = raised
    listens[0] = False
    _out.write(b"\x04")
    if isinstance(failure, SystemExit):
        _out.write(b"\x04")
        soft_reset("raw")
    if failure is not None:
        sys.print_exception(failure, sys.stdout)
    _out.write(b"\x04")


main()

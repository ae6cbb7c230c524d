"""The world's script: lines of text, each a time and what happens then, read as the clock gets
there.

The grammar stands in ../README.md. Lines come from standard input, block by block, or from a
scenario: a Python module with `feed()`, a generator of the same lines, and perhaps `on_tx(world,
pin, data)`, called when the firmware has sent bytes on a pin, where `world` is this module and
`send` answers. Lines stand in the order in which things begin (for bytes: their first start bit);
one that comes too late happens as soon as it is read.
"""

import gc
import sys
from binascii import unhexlify

from virtual import clock as _c
from virtual import flash, gpio, i2c, power, state, trace, uart, wire

_BLOCK = 512

board_bytes = 0  # what the board itself had taken of the heap before the firmware began
_read = None  # returns the next line as bytes, or None at the end
_count = 0  # lines read so far, for messages and for a scenario's next life
_next = None  # the line that waits for its time
_block = bytearray(_BLOCK)
_have = _pos = 0
_tail = b""  # the beginning of a line whose end is in the next block


def start(scenario):
    """Begin the script, or go on with it where the last life stopped."""
    global _read, _count, _have
    _c.when_dry = power.end
    was = state.before.get("feed")
    if scenario:
        lines = iter(scenario.feed())
        _read = lambda: next(lines, None)  # noqa: E731
        if hasattr(scenario, "on_tx"):
            world = sys.modules[__name__]
            uart.on_tx = lambda pin, data: scenario.on_tx(world, pin, data)
    else:
        _read = _from_stdin
    if was:
        count, pending, unread = was
        if scenario:
            for _ in range(count):
                _read()
        _count = count
        _have = len(unread)
        _block[:_have] = unread.encode()
        if pending and _wait_for(pending.encode().split()):
            return
    _go_on(None)


def send(port, data, delay_us=0):
    """A scenario's reply: bytes whose first begins on a line in so many microseconds."""
    w = wire.get(port)
    t = _c.us + delay_us
    at_ms = _c.ms + t // 1000
    t = t % 1000 + len(data) * (100000000 // w.baud) // 10
    end = (at_ms + t // 1000, t % 1000)
    _c.after(delay_us, lambda _: w.send(data, end[0], end[1]), None)


def do(text):
    """One line without its time, at once: bridge.py is told so by the world outside."""
    words = text.encode().split()
    if len(words) == 2 and words[0] not in _VERBS and words[1][0] != 33:  # "!"
        send(text.split()[0], unhexlify(words[1]))
    else:
        _carry_out([b"0"] + words)


def _go_on(_):
    """Do what waited, and every further line whose time has come; then wait for the next."""
    global _count
    if _next:
        _do(_next)
    while True:
        line = _read()
        if line is None:
            _ends()
            return
        _count += 1
        words = line.split() if isinstance(line, bytes) else line.encode().split()
        if words and not words[0].startswith(b"#") and _wait_for(words):
            return


def _wait_for(words):
    """Set the clock for a line; do it now and say False if its time has come."""
    global _next
    _next = words
    try:
        t_ms, t_us = _instant(words[0])
        if len(words) == 3 and words[1] not in _VERBS and words[2][0] != 33:  # "!"
            t_ms, t_us = wire.get(str(words[1], "ascii")).start(len(words[2]) // 2, t_ms, t_us)
    except (ValueError, KeyError, IndexError):
        _wrong()
    if t_ms < _c.ms or (t_ms == _c.ms and t_us <= _c.us):
        _do(words)
        return False
    _c.at(t_ms, t_us, _go_on, None)
    return True


def _instant(word):
    """Microseconds of the world, as text, on the board's clock: (ms, us), without a number too big
    to be small."""
    return _c.since(int(word[:-3] or b"0"), int(word[-3:]))


def _do(words):
    global _next
    _next = None
    _carry_out(words)


def _carry_out(words):
    try:
        verb = _VERBS.get(words[1])
        if verb:
            verb(*words[2:])
        else:
            _on_wire(words)
    except (ValueError, KeyError, IndexError, TypeError):
        _wrong(words)


def _on_wire(words):
    w = wire.get(str(words[1], "ascii"))
    what = words[2]
    if what[0] == 33:
        _CHANGES[what](w)
    elif what in _JOINTS:
        _JOINTS[what](w, words[3])
    else:
        w.send(unhexlify(what), *_instant(words[0]))


def _wrong(words=None):
    said = (_count, str(b" ".join(words or _next), "ascii"))
    remedy = "not understood; boards/VIRTUAL/README.md shows what can be said"
    print("feed line %d, '%s': %s" % (said + (remedy,)), file=sys.stderr)
    power.end(2)


def _ends():
    power.end()


def _overrun(w):
    if w.pin and w.pin.uart:
        w.pin.uart.overrun()


def _baud(w, n):
    w.baud = int(n)


def _join(w, word):
    w.join(None if word == b"none" else _pin(word))


_CHANGES = {
    b"!low": lambda w: w.become(0),
    b"!idle": lambda w: w.become(1),
    b"!break": lambda w: w.break_off(),
    b"!overrun": _overrun,
    b"!ok": lambda w: w.become(fault=wire.OK),
    b"!cut": lambda w: w.become(fault=wire.CUT),
    b"!noise": lambda w: w.become(fault=wire.NOISE),
    b"!short0": lambda w: w.become(fault=wire.LOW),
    b"!short1": lambda w: w.become(fault=wire.HIGH),
}
_JOINTS = {b"baud": _baud, b"invert": lambda w, n: w.become(flip=int(n)), b"join": _join}


def _pin(word):
    return gpio.Pin(int(word) if word.isdigit() else str(word, "ascii"))


def _drive(word, level):
    _pin(word).drive(None if level == b"z" else int(level))


def _stall(us):
    trace.line("stall %d" % int(us))
    _c.hold(int(us))


def _power(word):
    # off by itself, when the next line waits already: time passes in it until the one that says on
    _c.after(0, {b"off": power.cut, b"on": power.restore}[word], None)


def _flash(us):
    flash.commit_us = int(us)


def _air(word):
    i2c.spoilt = word == b"spoilt"
    if not i2c.spoilt:
        i2c.air = None if word == b"none" else int(word)


def _heap():
    gc.collect()
    trace.line("heap %d %d" % (gc.mem_alloc(), board_bytes))


_VERBS = {
    b"pin": _drive,
    b"stall": _stall,
    b"power": _power,
    b"flash": _flash,
    b"air": _air,
    b"heap": _heap,
    b"wait": lambda: None,
    b"end": power.end,
}


def _from_stdin():
    """The next line of standard input; None at its end."""
    global _have, _pos, _tail
    while True:
        i = _block.find(b"\n", _pos, _have)
        if i >= 0:
            line = _tail + _block[_pos:i]
            _tail = b""
            _pos = i + 1
            return bytes(line)
        _tail += bytes(_block[_pos:_have])
        _pos = 0
        _have = sys.stdin.buffer.readinto(_block) or 0
        if not _have:
            line = _tail
            _tail = b""
            return line or None


def _keep():
    pending = _next and str(b" ".join(_next), "ascii")
    return (_count, pending, str(bytes(_block[_pos:_have]), "ascii"))


state.parts["feed"] = _keep

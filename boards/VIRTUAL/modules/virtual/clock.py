"""The board's only clock: time since the chip started, and what will happen on the way.

Time passes only while the firmware waits (sleep, poll, a blocking read, a stall): the clock then
jumps from one event to the next, so that an idle hour costs nothing. Instants are pairs of
milliseconds and microseconds (0..999), both small integers on a 32-bit interpreter for twelve
days; one number of microseconds would not be after 18 minutes. Everything else in this folder
reads `ms` and `us` and calls `at`, `advance`, `step`, `hold` and `interrupt`.
"""

import sys

FAR = 1 << 40  # later than any instant
# An endless loop that only looks (ticks_ms, any, sleep_ms(0)) would stop the clock for good: after
# so many looks without a wait, each costs the time it might take on the chip.
PATIENCE = 1000
_LOOK_US = 50

ms = 0
us = 0
base_ms = 0  # the world's time at ms == us == 0
base_us = 0
power_ms = 0  # the world's time when the chip last got power
spin = 0  # looks since time last passed
when_dry = None  # called when somebody waits and nothing will ever happen

_queue = []  # (ms, us, function, argument), soonest first, first come first served
_next_ms = FAR
_hold_ms = -1  # the processor stands still until here
_hold_us = 0
_held = []  # interrupts that wait for it


def at(t_ms, t_us, run, arg):
    """Call run(arg) at an instant; one that has passed means the next time time passes."""
    global _next_ms
    i = len(_queue)
    while i:
        e = _queue[i - 1]
        if e[0] < t_ms or (e[0] == t_ms and e[1] <= t_us):
            break
        i -= 1
    _queue.insert(i, (t_ms, t_us, run, arg))
    _next_ms = _queue[0][0]


def after(delay_us, run, arg):
    """Call run(arg) in so many microseconds."""
    t = us + delay_us
    at(ms + t // 1000, t % 1000, run, arg)


def advance(to_ms, to_us=0):
    """Let time pass up to an instant, do on the way what is due, and sit out any stall met
    there."""
    global ms, us, spin
    spin = 0
    while True:
        while _next_ms <= to_ms and _due(to_ms, to_us):
            _run_next()
        if to_ms > ms:
            ms = to_ms
            us = to_us
        elif to_ms == ms and to_us > us:
            us = to_us
        if _hold_ms < 0:
            return
        to_ms = _hold_ms
        to_us = _hold_us


def step(to_ms, to_us):
    """As advance, but come back after the first instant at which anything happened."""
    if _queue:
        e = _queue[0]
        if e[0] < to_ms or (e[0] == to_ms and e[1] <= to_us):
            to_ms = max(e[0], ms)
            to_us = e[1] if e[0] >= ms else us
    elif to_ms >= FAR:
        when_dry()
    advance(to_ms, to_us)


def forever():
    """Let time pass until something ends the chip's life."""
    while True:
        step(FAR, 0)


def hold(for_us):
    """The processor stands still from now (GC, flash erase): wires, sounds and the watchdog go on,
    interrupts wait."""
    global _hold_ms, _hold_us
    t = us + for_us
    t_ms = ms + t // 1000
    t_us = t % 1000
    if t_ms > _hold_ms or (t_ms == _hold_ms and t_us > _hold_us):
        _hold_ms = t_ms
        _hold_us = t_us
        at(t_ms, t_us, _release, None)


def stall(for_us):
    """Called by what the firmware itself called: stand still, then go on."""
    hold(for_us)
    advance(ms, us)


def interrupt(run, arg):
    """Run a handler of the firmware's, now or at the end of a stall; what it raises is printed, as
    on the chip."""
    if _hold_ms >= 0:
        _held.append((run, arg))
        return
    try:
        run(arg)
    except Exception as failure:
        sys.print_exception(failure)


def touch():
    """Count a look at something that changes only with time, see PATIENCE."""
    global spin
    spin += 1
    if spin > PATIENCE:
        drag()


def drag():
    """Let a look take its time, and stay impatient."""
    global spin
    looks = spin
    t = us + _LOOK_US
    advance(ms + t // 1000, t % 1000)
    spin = looks


def since(world_ms, world_us):
    """An instant of the world in this clock's time, as (ms, us)."""
    t_us = world_us - base_us
    t_ms = world_ms - base_ms
    return (t_ms, t_us) if t_us >= 0 else (t_ms - 1, t_us + 1000)


def world():
    """Now in the world's time, as (ms, us)."""
    t_us = us + base_us
    t_ms = ms + base_ms
    return (t_ms, t_us) if t_us < 1000 else (t_ms + 1, t_us - 1000)


def _release(_):
    """The end of a stall, unless a longer one has begun; now come the interrupts."""
    global _hold_ms
    if ms < _hold_ms or (ms == _hold_ms and us < _hold_us):
        return
    _hold_ms = -1
    while _held:
        run, arg = _held.pop(0)
        interrupt(run, arg)


def _due(to_ms, to_us):
    if not _queue:
        return False
    e = _queue[0]
    return e[0] < to_ms or (e[0] == to_ms and e[1] <= to_us)


def _run_next():
    global ms, us, _next_ms
    e = _queue.pop(0)
    _next_ms = _queue[0][0] if _queue else FAR
    if e[0] > ms:
        ms = e[0]
        us = e[1]
    elif e[0] == ms and e[1] > us:
        us = e[1]
    e[2](e[3])

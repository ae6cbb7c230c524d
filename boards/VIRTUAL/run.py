"""Run a firmware on the virtual board: `micropython run.py firmware=DIR [name=value …] <FEED`;
launch.py restarts it.

Options (folders and files as absolute paths): firmware, the folder with main.py; state, the folder
that outlives restarts and holds the board's flash (without it the first reset ends the run);
trace, the file the trace is added to; scenario, a Python file instead of a feed on standard input;
pins, another pins.csv; chip (esp32s3, esp32, esp32c3); boot_ms, from a reset to main.py; ticks,
what the clock starts at; seed, of the noise; bridge, the TCP port of a real Bluetooth stack
(modules/virtual/bridge.py); room, bytes of heap left to the firmware, the board's own apart. This
is also what the chip's boot code does: clock, wires, file system, boot.py, main.py, and if that
ends, an idle prompt.
"""

import builtins
import gc
import os
import sys

HERE = __file__.rpartition("/")[0]
if HERE[:1] != "/":
    HERE = (os.getcwd() + "/" + HERE).rstrip("/")
MODULES = HERE + "/modules"
OPTIONS = {"firmware": "", "state": "", "trace": "", "scenario": "", "pins": HERE + "/pins.csv",
           "chip": "esp32s3", "boot_ms": "300", "ticks": "0", "seed": "0", "bridge": "",
           "room": "0"}


def options(words):
    """The options as a dictionary; ends the program with a sentence if one is not known."""
    chosen = dict(OPTIONS)
    for word in words:
        name, _, value = word.partition("=")
        if name not in chosen:
            known = ", ".join(sorted(OPTIONS))
            print("run.py: there is no option '%s'; there are %s" % (name, known))
            sys.exit(2)
        chosen[name] = value
    if not chosen["firmware"]:
        print("run.py: say which firmware: firmware=FOLDER")
        sys.exit(2)
    return chosen


def build(chosen):
    """Make the board from the options and what its last life left; return the scenario or None."""
    sys.path.append(MODULES)
    from virtual import state

    if chosen["state"]:
        state.read(chosen["state"])
    # all of it now, so that the heap it takes can be told from the firmware's
    import esp32, machine, neopixel, select, time  # noqa: E401, F401, I001
    from virtual import chip, feed, flash, gpio, noise, power, tasks, trace, wire  # noqa: F401

    sys.modules["_asyncio"] = tasks
    if chosen["trace"]:
        trace.to(chosen["trace"])
    try:
        chip.select(chosen["chip"])
    except KeyError:
        print("run.py: chip must be esp32s3, esp32 or esp32c3, not '%s'" % chosen["chip"])
        sys.exit(2)
    if chosen["chip"] == "esp32c3":  # which has neither
        del esp32.wake_on_ext0, esp32.wake_on_ext1
    noise.seed(int(chosen["seed"]))
    gpio.names_csv = chosen["pins"]
    power.boot_ms = int(chosen["boot_ms"])
    power.begin(int(chosen["ticks"]))
    gpio.restore()
    wire.lay()
    if chosen["bridge"]:
        from virtual import bridge

        bridge.start(int(chosen["bridge"]))
    scenario = None
    if chosen["scenario"]:
        folder, name = chosen["scenario"].rsplit("/", 1)
        sys.path.append(folder)
        scenario = __import__(name[:-3])
        sys.path.remove(folder)
    paths = ["", chosen["firmware"], ".frozen", "/lib", MODULES]
    if chosen["state"]:
        # from here on the root is the board's own
        flash.mount(chosen["state"])
        state.folder = flash.host(chosen["state"])
        gpio.names_csv = flash.host(chosen["pins"])
        paths = ["", flash.host(chosen["firmware"]), ".frozen", "/lib", flash.host(MODULES)]
    sys.path[:] = paths
    sys.modules["virtual"].__path__ = paths[-1] + "/virtual"
    builtins.print = to_trace
    return scenario


def to_trace(*args, sep=" ", end="\n", file=None):
    """print(): the console is part of the trace."""
    from virtual import trace

    if file is None:
        trace.printed(args, sep, end)
    else:
        file.write(sep.join(str(a) for a in args) + end)


def boot(script):
    """Run one of the firmware's scripts, as the chip does after a reset."""
    try:
        __import__(script)
    except ImportError as missing:
        if script == "boot" and "'boot'" in str(missing):
            return
        crashed(missing)
    except Exception as failure:
        crashed(failure)


def crashed(failure):
    from virtual import trace

    trace.line("crash %s" % repr(failure))
    sys.print_exception(failure, sys.stderr)


def take_all_but(room):
    """What has to be held so that so many bytes of the heap are left, in one piece as on a chip
    that starts; 0: all of it is left."""
    if not room:
        return ()
    chain = None
    whole = [bytearray(largest())]
    try:
        while True:  # into the holes between the board's objects
            chain = (chain,)
    except MemoryError:
        whole.clear()
    gc.collect()
    return chain, bytearray(largest() - room)


def largest():
    """Bytes of the largest object that the heap has room for."""
    low, high = 0, gc.mem_free()
    while high - low > 16:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
        gc.collect()
    return low


def live(scenario, room=0):
    """One life of the chip, to its end."""
    from virtual import clock, feed, power, trace

    try:
        feed.start(scenario)
        gc.collect()
        held = take_all_but(room)  # noqa: F841
        feed.board_bytes = gc.mem_alloc()
        power.boot()
        boot("boot")
        boot("main")
        trace.line("prompt")
        clock.forever()
    except SystemExit as leaving:
        if power.over:
            sys.exit(leaving.value)
        power.restart(power.SOFT)  # what sys.exit() does on the chip


if __name__ == "__main__":
    chosen = options(sys.argv[1:])
    live(build(chosen), int(chosen["room"]))

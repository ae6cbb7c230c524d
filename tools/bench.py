#!/usr/bin/env python3
"""Measure the core and print the figures beside their budgets; `make bench` calls this.

Takes about a minute. `counted` figures are the same on every machine with the same interpreter,
`measured` ones are this machine's, `computed` ones follow from others.
"""

import argparse
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import qemu
from compiled import architecture, compile_folder
from interpreters import Interpreter, NoInterpreter, find
from interpreters.interpreter import StepFailed
from measure import heap, hour, instructions, latency, wear
from measure.families import Family, families
from packlab import proven
from packlab.checkout import root
from packlab.errors import PacklabError
from packlab.replay import replay
from packlab.session import REAL_LINE
from packlab.virtual import replay_app

KB = 1024
# The design's budgets for an ESP32 without PSRAM.
HEAP_MPY = 48 * KB
HOURS: tuple[tuple[str, hour.Replayer, str, float], ...] = (
    ("core", replay, "unix", 3),
    ("core", replay, "unix32", 3),
    ("core", replay, "cpython", 3),
    ("app", replay_app, "unix", 8),
)

# Two receivers at 115200 8N1, all lines full: ten bits a byte.
LINE_BYTES_S = 2 * 115200 // 10
HALF_A_CORE_HZ = 240_000_000 // 2

PIN_MS = 25
RECEIVERS, CORE_PCT = 2, 50
CHIP_MHZ = (160, 240)

NOT_MEASURED = """\
Budgets that are measured elsewhere
  heap after boot, frozen                      24 KB  tools/frozen.py --source TREE
  frames lost in a flash stall of 80 ms            0  a test, tests/test_app_lines.py
  heap growth over a day of rides                  0  a test, tests/test_app_lines.py (make soak)
  bytes allocated a frame, tick or render          0  a test, tests/test_golden.py"""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--counts",
        type=Path,
        metavar="FILE",
        help="instructions of the app's passes on another processor (measure/latency.py)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all figures that can be had here; what cannot is said in its place."""
    options = _options(arguments)
    print(f"{platform.machine()}, Python {platform.python_version()}\n")
    known = list(families())
    for part in (_instructions, _heap):
        with _told():
            part(known)
        print()
    with _told():
        _latency(options.counts)
    print()
    _hour()
    print()
    with _told():
        _wear()
    print(
        "\nGiven frames (counted), each held against its entry and offered to every other family"
    )
    print("\n".join(f"  {line}" for line in proven.lines(list(proven.proofs()))))
    print(f"\n{NOT_MEASURED}")
    return 0


@contextmanager
def _told() -> Iterator[None]:
    """What cannot be measured is told where its figures would stand."""
    try:
        yield
    except (PacklabError, NoInterpreter) as failure:
        print(f"  not measured: {failure}")


def _instructions(known: list[Family]) -> None:
    print("Instructions for a byte received (counted: callgrind)")
    found = find(64)
    with _compiled(found) as (core, bench):
        print(f"  MicroPython {found.version}, {architecture(found.command)}")
        print("  family     frames  bytes    feed()  checksum  in bytecode  both lines full")
        counter = instructions.Counter(found.command, (core, bench))
        for family in known:
            count = counter.per_byte(family)
            rate = count.feed * LINE_BYTES_S / 1e6
            print(
                f"  {family.name:10}{len(family.frames):7}{count.round_bytes:7}{count.feed:10.0f}"
                f"{count.check:10.0f}{count.plain:13.0f}{rate:13.0f} M/s"
            )
    print(
        "  feed() is framing, checksum, decoding and telemetry. The floor is the checksum alone,\n"
        "  called bare: as the chip runs it (machine code), and in bytecode. Both lines full is\n"
        f"  computed, {LINE_BYTES_S} bytes a second; half a core has {HALF_A_CORE_HZ // 10**6} M"
        " cycles, but an instruction\n  of a PC is not one of the chip."
    )


def _heap(known: list[Family]) -> None:
    print("Bytes of heap in use with one family loaded (counted: 32-bit port)")
    found = find(32)
    with _compiled(found) as (core, bench), TemporaryDirectory() as other:
        image = Path(other) / "rom.img"
        heap.rom_image(core, image)
        print(f"  MicroPython {found.version}")
        print("  family         .mpy = modules + objects   budget          in place from ROM")
        for family in known:
            copied = heap.measure(found.command, (core, bench), family)
            in_place = heap.measure(found.command, (bench,), family, image)
            print(
                f"  {family.name:10}{copied.total:9}{copied.modules:10}{copied.objects:10}"
                f"{HEAP_MPY:9} {_against(copied.total, HEAP_MPY):9}{in_place.total:16}"
            )
            if family.packs > 1:
                both = heap.measure(found.command, (core, bench), family, packs=family.packs)
                print(f"    {family.packs} heard {both.total:8}{both.modules:10}{both.objects:10}")
    print(
        "  The core alone, once it has started and let go of what only the start needs.\n"
        "  In place from ROM the bytecode stays in flash, but not names and tables; frozen into\n"
        "  an image they do, too."
    )


def _latency(counts: Path | None) -> None:
    print("Last byte of a frame that makes an alarm at once, to the light's pin (computed)")
    work = latency.read(counts) if counts else _counted()
    head = "".join(f"{f'ms at {mhz} MHz':>22}" for mhz in CHIP_MHZ)
    print(f"  instructions of {work.target}\n  {'lines':34}{head}{'budget':>8}")
    full = [(f"{n} of {latency.LINES} full", n) for n in range(1, latency.LINES + 1)]
    for name, lines in [("at rest", 0), ("at rest, every other task first", -1), *full]:
        row = "".join(f"{_late(work, lines, mhz):>22}" for mhz in CHIP_MHZ)
        print(f"  {name:34}{row}{PIN_MS:8}")
    share = work.busy(RECEIVERS, CHIP_MHZ[-1]) * 100
    print(
        f"  both receivers full: {share:.0f} % of a core at {CHIP_MHZ[-1]} MHz, budget"
        f" {CORE_PCT} % {_against(share, CORE_PCT)}"
    )
    print(
        f"  Poll period of {latency.POLL_MS} ms + instructions, one a cycle. Not in it: the"
        " chip's receiver, which hands\n  bytes over after a rest of some byte times or when its"
        " FIFO fills; the garbage collector."
    )


def _late(work: latency.Work, lines: int, mhz: int) -> str:
    if lines > 0:
        late_ms = work.saturated_ms(lines, mhz)
    else:
        late_ms = work.crowded_ms(mhz) if lines else work.idle_ms(mhz)
    if late_ms is None:
        return "falls behind OVER"
    return f"{late_ms:.1f} {_against(late_ms, PIN_MS)}"


def _counted() -> latency.Work:
    """On rv32 under QEMU, where that is installed, else here."""
    if not qemu.missing(qemu.MACHINES["VIRT_RV32"]):
        try:
            return qemu.passes(qemu.build(qemu.MACHINES["VIRT_RV32"]))
        except (PacklabError, StepFailed) as failure:
            print(f"  rv32 not counted: {failure}")
    found = find(64)
    with _compiled(found) as (core, bench):
        name = f"{architecture(found.command)}: not those of a chip"
        return latency.count(found.command, (core, bench, bench / "hardware"), name)


def _hour() -> None:
    print("Seconds for a recorded hour (measured; a real line's polls, over and over)")
    print("  depth interpreter   wall  budget         of a processor")
    for name, depth, interpreter, budget_s in HOURS:
        with _told():
            took = hour.replayed(depth, root() / REAL_LINE, interpreter)
            within = _against(took.wall_s, budget_s)
            print(
                f"  {name:6}{interpreter:11}{took.wall_s:7.2f}{budget_s:8.0f} {within:7}"
                f"{took.processor_s:15.2f}"
            )


def _wear() -> None:
    print("The black box on LittleFS in RAM (counted), a day as boards/BENCH/wear.py has it")
    found = wear.measure(find(64).command)
    print(
        f"  {found.writes / found.days:.0f} writes and {found.erases / found.days:.0f} erases a"
        f" day; worst block {found.worst} erases in {found.days} days\n"
        f"  {wear.CYCLES} cycles last {found.least_years:.0f} years (computed) for the worst"
        f" block, {found.even_years:.0f} if spread evenly\n"
        "  erases in a write   writes   programs at most   stall (computed): typical   at most"
    )
    for step in found.steps:
        print(
            f"{step.erases:19}{step.times:9}{step.programs:19}{step.stall_ms():24.0f} ms"
            f"{step.stall_ms(typical=False):7.0f} ms"
        )


def _against(figure: float, budget: float) -> str:
    return "within" if figure <= budget else "OVER"


@contextmanager
def _compiled(found: Interpreter) -> Iterator[tuple[Path, Path]]:
    """The firmware and boards/BENCH as .mpy for an interpreter, a folder each."""
    with TemporaryDirectory() as name:
        core, bench = Path(name) / "firmware", Path(name) / "bench"
        march = architecture(found.command)
        compile_folder(root() / "firmware", core, march)
        compile_folder(root() / "boards" / "BENCH", bench, march)
        yield core, bench


if __name__ == "__main__":
    sys.exit(main())

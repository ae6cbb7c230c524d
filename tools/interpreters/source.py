"""MicroPython built from source, for systems without a package: upstream's tag or a tree the user gives."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .interpreter import StepFailed

TAG = "v1.25.0"
REPOSITORY = "https://github.com/micropython/micropython"
CLONE_LIMIT_S = 600
BUILD_LIMIT_S = 1800

# Of the frozen modules the firmware needs asyncio alone, and that is no submodule. What needs one is off.
MANIFEST = 'include("$(MPY_DIR)/extmod/asyncio")\n'
WITHOUT_SUBMODULES = ["MICROPY_PY_BTREE=0", "MICROPY_PY_SSL=0", "MICROPY_PY_FFI=0"]

# Trees up to 1.26 know the variable, later ones only the flags.
FLAGS_32_BIT = ["MICROPY_FORCE_32BIT=1", "CFLAGS_EXTRA=-m32", "LDFLAGS_EXTRA=-m32"]


@dataclass(frozen=True)
class Build:
    """A build of the unix port, out of the tree: the tree itself is not touched."""

    bits: int
    tree: str | None = None  # None: clone upstream's tag

    @property
    def step(self) -> str:
        """Its name in messages."""
        return f"build from {self.tree or f'source {TAG}'}"

    @property
    def folder(self) -> str:
        """Its folder in the cache: the tag, or the place and version of the tree."""
        return f"micropython-source-{self._mark() if self.tree else TAG}-{self.bits}"

    def _mark(self) -> str:
        tree = Path(self.tree or "").absolute()
        header = tree / "py" / "mpconfig.h"  # holds the version
        content = header.read_bytes() if header.is_file() else b""
        return hashlib.sha256(str(tree).encode() + b"\0" + content).hexdigest()[:12]

    def make(self, home: Path) -> None:
        """Build into `home`; StepFailed when a tool, the source or the build is not there."""
        self._check_tools()
        work = home / "work"
        work.mkdir()
        tree = Path(self.tree).absolute() if self.tree else self._clone(work / "tree")
        if not (tree / "ports" / "unix" / "Makefile").is_file():
            raise StepFailed(self.step, "it is no MicroPython source tree", "give the folder that has ports/unix")
        self._build(tree, work)
        (work / "unix" / "micropython").rename(home / "micropython")
        shutil.copy(tree / "LICENSE", home / "LICENSE")
        shutil.rmtree(work)

    def _check_tools(self) -> None:
        needed = ["gcc", "make"] if self.tree else ["gcc", "make", "git"]
        missing = [tool for tool in needed if shutil.which(tool) is None]
        if missing:
            names = " and ".join(missing)
            raise StepFailed(self.step, f"{names} not found", f"install {names}")
        flags = ["-m32"] if self.bits == 32 else []
        program = "#include <stdio.h>\nint main(void) { return sizeof(void *) != %d; }" % (self.bits // 8)
        command = ["gcc", *flags, "-x", "c", "-", "-o", os.devnull]
        done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            remedy = "install gcc-multilib" if self.bits == 32 else "install libc6-dev (or your system's name for it)"
            raise StepFailed(self.step, f"gcc makes no {self.bits}-bit programs here", remedy)

    def _clone(self, tree: Path) -> Path:
        command = ["git", "clone", "-q", "--depth=1", f"--branch={TAG}", REPOSITORY, str(tree)]
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, timeout=CLONE_LIMIT_S, check=False
            )
            problem = (done.stderr.strip().splitlines() or [""])[-1] if done.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"git did not end within {CLONE_LIMIT_S} s"
        if problem:
            remedy = "check the network, or give a MicroPython source tree with --source or MICROPYTHON_SOURCE"
            raise StepFailed(self.step, problem, remedy)
        return tree

    def _build(self, tree: Path, work: Path) -> None:
        (work / "manifest.py").write_text(MANIFEST)
        library = work / "no-library"  # stands for micropython-lib, a submodule nothing here needs
        library.mkdir()
        (library / "README.md").touch()
        cross = work / "mpy-cross" / "mpy-cross"
        self._compile([f"-C{tree / 'mpy-cross'}", f"BUILD={cross.parent}"])
        self._compile(
            [
                f"-C{tree / 'ports' / 'unix'}",
                f"BUILD={work / 'unix'}",
                f"FROZEN_MANIFEST={work / 'manifest.py'}",
                f"MPY_LIB_DIR={library}",
                f"MICROPY_MPYCROSS={cross}",
                f"MICROPY_MPYCROSS_DEPENDENCY={cross}",
                *WITHOUT_SUBMODULES,
                *(FLAGS_32_BIT if self.bits == 32 else []),
            ]
        )

    def _compile(self, arguments: list[str]) -> None:
        """Run make quietly; on failure the compiler's first complaint is the message."""
        make = ["make", "-s", f"-j{os.cpu_count() or 1}", f"PYTHON={sys.executable}", "V=0", *arguments]
        try:
            done = subprocess.run(make, capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            raise StepFailed(self.step, f"make did not end within {BUILD_LIMIT_S} s", "try again") from None
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            gist = next((line for line in lines if "error" in line.lower() or "***" in line), lines[-1])
            raise StepFailed(self.step, f"make failed ({gist})", "mend that, or give another tree with --source")

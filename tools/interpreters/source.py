"""MicroPython built from source where there is no package: upstream's tag, or a tree given."""

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from .interpreter import StepFailed
from .program import complaint

TAG = "v1.25.0"
REPOSITORY = "https://github.com/micropython/micropython"
TRIAL_LIMIT_S = 60
CLONE_LIMIT_S = 600
BUILD_LIMIT_S = 1800

# Of the frozen modules the firmware needs asyncio alone. What needs a submodule is left out.
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
        if " " in str(home):  # make cannot quote
            raise StepFailed(
                self.step, f"{home} has a space", "set XDG_CACHE_HOME to a path without"
            )
        work = home / "work"
        work.mkdir()
        self._check_tools(work)
        tree = Path(self.tree).absolute() if self.tree else self._clone(work)
        if not (tree / "ports" / "unix" / "Makefile").is_file():
            raise StepFailed(self.step, f"{tree} has no ports/unix", "give MicroPython's own tree")
        self._build(tree, work)
        (work / "unix" / "micropython").rename(home / "micropython")
        shutil.copy(tree / "LICENSE", home / "LICENSE")
        shutil.rmtree(work)

    def _check_tools(self, work: Path) -> None:
        needed = ["gcc", "make"] if self.tree else ["gcc", "make", "git"]
        missing = " and ".join(tool for tool in needed if shutil.which(tool) is None)
        if missing:
            raise StepFailed(self.step, f"{missing} not found", f"install {missing}")
        program = work / "trial.c"
        program.write_text("#include <stdio.h>\nint main(void) { return puts(__FILE__) < 0; }\n")
        flags = ["-m32"] if self.bits == 32 else []
        trial = ["gcc", *flags, str(program), "-o", str(work / "trial")]
        if complaint(trial, ("error",), TRIAL_LIMIT_S, work):
            remedy = f"install {'gcc-multilib' if self.bits == 32 else 'the C library for gcc'}"
            raise StepFailed(self.step, f"gcc makes no {self.bits}-bit programs here", remedy)

    def _clone(self, work: Path) -> Path:
        tree = work / "tree"
        clone = ["git", "clone", "-q", "--depth=1", f"--branch={TAG}", REPOSITORY, str(tree)]
        problem = complaint(clone, ("fatal:",), CLONE_LIMIT_S, work)
        if problem:
            remedy = "check the network, or give a MicroPython source tree in MICROPYTHON_SOURCE"
            raise StepFailed(self.step, problem, remedy)
        return tree

    def _build(self, tree: Path, work: Path) -> None:
        (work / "manifest.py").write_text(MANIFEST)
        library = work / "no-library"  # stands for micropython-lib, a submodule nothing here needs
        library.mkdir()
        (library / "README.md").touch()
        cross = work / "mpy-cross" / "mpy-cross"
        unix = [
            f"FROZEN_MANIFEST={work / 'manifest.py'}",
            f"MPY_LIB_DIR={library}",
            f"MICROPY_MPYCROSS={cross}",
            f"MICROPY_MPYCROSS_DEPENDENCY={cross}",
            *WITHOUT_SUBMODULES,
            *(FLAGS_32_BIT if self.bits == 32 else []),
        ]
        self._compile(tree / "mpy-cross", cross.parent, [])
        self._compile(tree / "ports" / "unix", work / "unix", unix)

    def _compile(self, folder: Path, build: Path, variables: list[str]) -> None:
        jobs = f"-j{os.cpu_count() or 1}"
        make = ["make", "-s", jobs, f"BUILD={build}", f"PYTHON={sys.executable}", *variables]
        problem = complaint(make, ("error", "Error", "***"), BUILD_LIMIT_S, folder)
        if problem:
            raise StepFailed(self.step, problem, "mend that, or give another tree")

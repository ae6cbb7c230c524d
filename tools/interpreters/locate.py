"""The order in which an interpreter is looked for, and the cache that all checkouts share."""

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from . import archive, source
from .interpreter import OLDEST, Interpreter, StepFailed, examined

VARIABLES = {64: "MICROPYTHON", 32: "MICROPYTHON32"}


class NoInterpreter(Exception):
    """No way led to an interpreter; the text has one line for each step that was tried."""

    def __init__(self, bits: int, failures: list[StepFailed]) -> None:
        lines = [f"There is no {bits}-bit MicroPython, and none could be made:"]
        super().__init__("\n  ".join([*lines, *dict.fromkeys(map(str, failures))]))


class Way(Protocol):
    """One way to make an interpreter."""

    @property
    def step(self) -> str:
        """What the way is called in messages."""

    @property
    def folder(self) -> str:
        """The name of its folder in the cache; it changes with whatever changes the result."""

    def make(self, home: Path) -> None:
        """Fill the empty folder `home` so that home/micropython runs; raise StepFailed."""


def find(bits: int, tree: str | None = None, *, fetch: bool = True) -> Interpreter:
    """Return a working interpreter with integers of `bits` (64 or 32), or raise NoInterpreter.

    The order: `$MICROPYTHON` or `$MICROPYTHON32`; PATH; the package of a Debian or Ubuntu mirror;
    a build of upstream's tag. `tree` (default `$MICROPYTHON_SOURCE`) is a source tree to build
    instead of the last three. With `fetch=False` nothing is downloaded or built, but the cache is
    still looked into.
    """
    failures = []
    for step in _steps(bits, tree or os.environ.get("MICROPYTHON_SOURCE") or None, fetch):
        try:
            return step()
        except StepFailed as failure:
            failures.append(failure)
    raise NoInterpreter(bits, failures)


def _steps(bits: int, tree: str | None, fetch: bool) -> Iterator[Callable[[], Interpreter]]:
    named = os.environ.get(VARIABLES[bits])
    if named:
        yield partial(_named, named, bits)
        return
    if not tree:
        yield partial(_on_path, bits)
    ways = _ways(bits, tree)
    yield partial(_cached, ways, bits)
    if fetch:
        for way in ways:
            yield partial(_made, way, bits)


def _ways(bits: int, tree: str | None) -> list[Way]:
    if tree:
        return [source.Build(bits, tree)]
    package = archive.package(bits)
    return [*([package] if package else []), source.Build(bits)]


def _named(named: str, bits: int) -> Interpreter:
    variable = VARIABLES[bits]
    try:
        return examined(shutil.which(named) or named, bits, f"${variable}")
    except ValueError as problem:
        remedy = f"point it at a {bits}-bit MicroPython of {_oldest()} or newer, or unset it"
        raise StepFailed(f"${variable}", str(problem), remedy) from None


def _on_path(bits: int) -> Interpreter:
    try:
        path = shutil.which("micropython")
        if path is None:
            raise ValueError("no `micropython` is there")
        return examined(path, bits, "PATH")
    except ValueError as problem:
        remedy = f"install a {bits}-bit MicroPython of {_oldest()} or newer"
        raise StepFailed("PATH", str(problem), remedy) from None


def _oldest() -> str:
    return ".".join(map(str, OLDEST))


# --- the cache -----------------------------------------------------------------------------------


def _cached(ways: list[Way], bits: int) -> Interpreter:
    cache = _cache()
    for way in ways:
        with contextlib.suppress(ValueError):
            return examined(str(cache / way.folder / "micropython"), bits, way.step)
    remedy = "run tools/micropython.py with the network at hand"
    raise StepFailed("cache", f"{cache} holds no working one yet", remedy)


def _made(way: Way, bits: int) -> Interpreter:
    home = _cache() / way.folder
    try:
        with _only_one(home.with_name(f"{way.folder}.lock")):
            with contextlib.suppress(ValueError):
                return examined(
                    str(home / "micropython"), bits, way.step
                )  # another run was quicker
            _say(f"getting a {bits}-bit MicroPython: {way.step}")
            _make(way, bits, home)
        return examined(str(home / "micropython"), bits, way.step)
    except ValueError as problem:
        remedy = f"tell us about your system, or set {VARIABLES[bits]} to an interpreter of yours"
        raise StepFailed(way.step, str(problem), remedy) from None
    except OSError as problem:
        remedy = "make room there, or set XDG_CACHE_HOME to a folder of yours"
        raise StepFailed("cache", str(problem), remedy) from None


def _make(way: Way, bits: int, home: Path) -> None:
    """Make it beside `home` and move it there in one step when it has proved to work."""
    new = home.with_name(f"{way.folder}.new")
    shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
    try:
        new.mkdir()
        way.make(new)
        examined(str(new / "micropython"), bits, way.step)
        shutil.rmtree(home, ignore_errors=True)  # of one that stopped working
        new.rename(home)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _cache() -> Path:
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute()
        folder /= "deckwatch"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as problem:
        remedy = "set XDG_CACHE_HOME to a folder of yours"
        raise StepFailed("cache", str(problem), remedy) from None
    return folder


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Hold `lock`: of two runs one makes the interpreter, the other waits and finds it made."""
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another run is getting MicroPython; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

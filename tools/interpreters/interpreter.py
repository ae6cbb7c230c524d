"""What an interpreter is, and how one is asked what it is; every way of getting one ends here."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = (1, 24)
"""The firmware needs this version or a later one."""

WIDTHS = (64, 32)
LARGEST_INT = {64: 2**63 - 1, 32: 2**31 - 1}
"""`sys.maxsize` of each width. Only this is to be trusted: a build may ignore the flag for it."""

# asyncio is asked for too: a build without it starts, but cannot run the firmware.
PROBE = """\
import sys, asyncio
print(sys.implementation.name, *sys.implementation.version[:3], sys.maxsize)
"""
PROBE_LIMIT_S = 20


class StepFailed(Exception):
    """One way to an interpreter led nowhere; the text names the step, the problem and a remedy."""

    def __init__(self, step: str, problem: str, remedy: str) -> None:
        super().__init__(f"{step}: {problem}; {remedy}.")


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that was run and answered."""

    path: str
    command: tuple[str, ...]  # the same without the shell in front, for valgrind and the like
    bits: int
    version: str
    origin: str


def examined(path: str, bits: int, origin: str) -> Interpreter:
    """Run `path`, check version and width; raise ValueError with what is wrong with it."""
    answer = re.fullmatch(r"micropython (\d+) (\d+) (\d+) (\d+)\s*", _ask(path))
    if answer is None:
        raise ValueError(f"{path} is not MicroPython")
    major, minor, micro, largest = map(int, answer.groups())
    version = f"{major}.{minor}.{micro}"
    if (major, minor) < OLDEST:
        raise ValueError(f"{path} is MicroPython {version}, older than {OLDEST[0]}.{OLDEST[1]}")
    if largest != LARGEST_INT[bits]:
        raise ValueError(f"{path} is not a {bits}-bit build (its sys.maxsize is {largest})")
    return Interpreter(path, _command(path), bits, version, origin)


def _ask(path: str) -> str:
    environment = {key: text for key, text in os.environ.items() if key != "MICROPYPATH"}
    try:
        done = subprocess.run(
            [path, "-c", PROBE],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_LIMIT_S,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ValueError(f"{path} does not run ({problem})") from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ValueError(f"{path} does not run ({last})")
    return done.stdout


# --- an unpacked package: bin/micropython runs through the loader among its own libraries --------

LAUNCHER = """\
#!/bin/sh
here=${0%/*}
exec "$here/lib/ld.so" --library-path "$here/lib" "$here/bin/micropython" "$@"
"""


def write_launcher(home: Path) -> None:
    """Write `home`/micropython, which runs home/bin/micropython through home/lib/ld.so."""
    launcher = home / "micropython"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)


def _command(path: str) -> tuple[str, ...]:
    home = Path(path).parent
    if not (home / "lib" / "ld.so").exists():
        return (path,)
    lib = str(home / "lib")
    return (f"{lib}/ld.so", "--library-path", lib, str(home / "bin" / "micropython"))

"""Which interpreter runs the firmware: this CPython, or MicroPython's unix port of 64 or 32 bit as
tools/micropython.py finds it."""

import subprocess
import sys
from functools import cache

from packlab.checkout import root
from packlab.errors import PacklabError

INTERPRETERS = ("cpython", "unix", "unix32")
_BITS = {"unix": "64", "unix32": "32"}


@cache
def micropython(name: str) -> str:
    """Path of the unix port called `name`; PacklabError with the remedy when there is none."""
    tool = root() / "tools" / "micropython.py"
    done = subprocess.run(
        [sys.executable, str(tool), "--bits", _BITS[name]],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PacklabError(" ".join(done.stderr.split()) or f"{tool} found no {name}")
    return done.stdout.strip()


def command(name: str, script: str) -> tuple[list[str], dict[str, str]]:
    """The command line that runs `script` (below the checkout) with the firmware importable.

    Returns the arguments and the environment variables to add. PacklabError without interpreter.
    """
    top = root()
    path = top / script
    folders = [str(top / "firmware"), str(path.parent)]
    if name == "cpython":
        folders.append(str(top / "boards" / "CPYTHON"))
        # -u: the trace of a paced replay is wanted at once.
        return [sys.executable, "-u", str(path)], {"PYTHONPATH": ":".join(folders)}
    return [micropython(name), str(path)], {"MICROPYPATH": ":".join([*folders, ".frozen"])}

"""Run another program for its effect; what it says on failure becomes one short complaint."""

import os
import subprocess
from pathlib import Path


def complaint(
    command: list[str], marks: tuple[str, ...], limit_s: int, folder: Path
) -> str | None:
    """Run `command` in `folder`; return None when all went well, else the gist of what went wrong.

    The gist is the first line on its standard error that has one of the `marks`, else the last.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {limit_s} s"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    marked = [line for line in lines if any(mark in line for mark in marks)]
    return f"{command[0]} says: {(marked or lines[-1:])[0].strip().rstrip('.')}"


def output(command: list[str]) -> str:
    """Return what `command` prints, whether or not it succeeds."""
    done = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, errors="replace", check=False
    )
    return done.stdout


def _environment() -> dict[str, str]:
    """This one's, in plain English, unattended, without the settings of a make that called us."""
    kept = {key: text for key, text in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS")}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}

"""Make this checkout's virtual environment with everything pyproject.toml pins; for `make setup`.

It runs on whatever Python the user has: nothing here may be too new to say that one is too old.
"""

import pathlib
import subprocess
import sys

OLDEST = (3, 11)
ROOT = pathlib.Path(__file__).resolve().parent.parent


class SetupFailed(Exception):
    """A step of the set-up failed; the text is one sentence with the remedy."""


def main() -> int:
    """Create or repair the environment named on the command line; return the exit code."""
    folder = pathlib.Path(sys.argv[1])
    try:
        check_python()
        print(f"setting up {folder} (half a minute the first time)", flush=True)
        create(folder)
        install(folder)
    except SetupFailed as failure:
        print(f"set-up: {failure}", file=sys.stderr)
        return 1
    return 0


def check_python() -> None:
    """Refuse a Python that is too old, or that cannot make environments."""
    here = f"Python {sys.version_info[0]}.{sys.version_info[1]} ({sys.executable})"
    oldest = ".".join(map(str, OLDEST))
    if sys.version_info < OLDEST:
        remedy = f"install Python {oldest} or newer and run `make setup PYTHON=python{oldest}`"
        raise SetupFailed(f"{here} is too old; {remedy}.")
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        remedy = "on Debian and Ubuntu `sudo apt install python3-venv` brings it"
        raise SetupFailed(f"{here} comes without its venv module; {remedy}.") from None


def create(folder: pathlib.Path) -> None:
    """Create the environment, or a new one in place of one whose Python is gone."""
    if not works(folder):
        remedy = f"make room, or remove {folder} by hand"
        run([sys.executable, "-m", "venv", "--clear", str(folder)], remedy)


def works(folder: pathlib.Path) -> bool:
    """Say whether the environment's own Python and pip answer."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "--version"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(folder: pathlib.Path) -> None:
    """Install packlab (editable) and the developer's tools, and apart from them the stubs."""
    import tomllib  # not in a Python that is too old

    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    remedy = "check the network and pip's settings, then run `make setup` again"
    run([*pip, "install", "-q", "-e", f"{ROOT}[dev]"], remedy)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    stubs = project["optional-dependencies"]["stubs"]
    run([*pip, "install", "-q", "--upgrade", "--target", str(folder / "typings"), *stubs], remedy)


def run(command: "list[str]", remedy: str) -> None:
    """Run one program; on failure show the end of what it said, and the remedy."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-15:]), file=sys.stderr)
        raise SetupFailed(f"`{' '.join(command[:5])} …` failed, see above; {remedy}.")


if __name__ == "__main__":
    sys.exit(main())

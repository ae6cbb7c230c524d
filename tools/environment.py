"""Make the virtual environment of this checkout with everything pyproject.toml pins; `make setup` calls it.

It runs on whatever Python the user has, so it keeps to what old ones understand until the version is checked.
"""

import pathlib
import subprocess
import sys

OLDEST = (3, 11)
ROOT = pathlib.Path(__file__).resolve().parent.parent


class SetupFailed(Exception):
    """A step of the set-up failed; the text is one sentence with the remedy."""


def main():
    """Create or repair the environment named on the command line; return the exit code."""
    folder = pathlib.Path(sys.argv[1])
    try:
        check_python()
        print("setting up %s (about a minute the first time)" % folder, flush=True)
        create(folder)
        install(folder)
    except SetupFailed as failure:
        print("set-up: %s" % failure, file=sys.stderr)
        return 1
    return 0


def check_python():
    """Refuse a Python that is too old or lacks the parts that make environments."""
    here = "Python %d.%d (%s)" % (sys.version_info[0], sys.version_info[1], sys.executable)
    if sys.version_info < OLDEST:
        raise SetupFailed(
            "%s is too old; install Python %d.%d or newer and run `make setup PYTHON=python%d.%d`."
            % (here, *OLDEST, *OLDEST)
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise SetupFailed(
            "%s has no venv module; on Debian and Ubuntu `sudo apt install python3-venv` brings it." % here
        ) from None


def create(folder):
    """Create the environment, or a new one in place of one whose Python is gone."""
    if not works(folder):
        run([sys.executable, "-m", "venv", "--clear", folder], "make room, or remove %s by hand" % folder)


def works(folder):
    """Say whether the environment's own Python and pip answer."""
    try:
        command = [str(folder / "bin" / "python"), "-m", "pip", "--version"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(folder):
    """Install packlab (editable), the developer's tools, and the MicroPython stubs apart from them."""
    import tomllib

    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    remedy = "check the network and pip's settings, then run `make setup` again"
    run([*pip, "-e", "%s[dev]" % ROOT], remedy)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    stubs = project["optional-dependencies"]["stubs"]
    run([*pip, "--upgrade", "--target", folder / "typings", *stubs], remedy)


def run(command, remedy):
    """Run one program; on failure show the end of what it said, and the remedy."""
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-15:]), file=sys.stderr)
        raise SetupFailed("`%s` failed, see above; %s." % (" ".join(map(str, command[:5])), remedy))


if __name__ == "__main__":
    sys.exit(main())

"""`packlab run`: the whole firmware on the virtual board, in real time, at pseudo terminals that
serial tools open as if a dongle and its wires were there."""

import argparse
import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from packlab import configuration
from packlab.checkout import root
from packlab.errors import PacklabError

PLUG = "boards/VIRTUAL/plug.py"
_LINES = {
    "bms": "bms_tx   {}  what is written here the battery says; a request can be read here",
    "host": "host_tx  {}  what is written here the controller asks",
    "dash": "dash     {}  the dashboard's wire",
}


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `run` to packlab's commands."""
    parser = commands.add_parser(
        "run",
        help="run the virtual dongle in real time, at pseudo terminals",
        description="Run the whole firmware on the virtual board in real time, until Ctrl-C.",
    )
    parser.add_argument(
        "--pty",
        action="store_true",
        required=True,
        help="a terminal for the console and for each data wire; their names are printed",
    )
    parser.add_argument("--profile", metavar="P", help="which pack it is (default: m365)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the dongle's configuration file (JSON)"
    )
    parser.add_argument(
        "--chip", choices=("esp32", "esp32c3", "esp32s3"), default="esp32s3", help="which chip"
    )
    parser.add_argument(
        "--state", type=Path, metavar="FOLDER", help="keep its flash and trace there"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    config = configuration.read(options.config, options.profile)
    with ExitStack() as stack:
        state = options.state or Path(stack.enter_context(TemporaryDirectory(prefix="packlab-")))
        _fill(state / "flash", config)
        command = [sys.executable, str(root() / PLUG), str(state), "--wires"]
        process = stack.enter_context(
            subprocess.Popen(
                [*command, "--chip", options.chip],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(_pull, process)
        _tell(process)
        if process.wait():
            raise PacklabError("the virtual board has stopped; its console said why")


def _fill(flash: Path, config: dict[str, object]) -> None:
    """The firmware and its configuration, as they are copied onto a chip."""
    ignore = shutil.ignore_patterns("__pycache__", "boot.py")
    try:
        shutil.copytree(root() / "firmware", flash, ignore=ignore, dirs_exist_ok=True)
        (flash / "config.json").write_text(json.dumps(config), encoding="utf-8")
    except OSError as error:
        raise PacklabError(f"{flash} cannot be written: {error}; name another --state") from error


def _pull(process: "subprocess.Popen[str]") -> None:
    """The plug: the end of its input stops the board."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def _tell(process: "subprocess.Popen[str]") -> None:
    """Print the names of the terminals as they come."""
    assert process.stdout is not None
    for number, line in enumerate(process.stdout):
        name, _, port = line.strip().rpartition(" ")
        said = _LINES[name].format(port) if number else f"console  {port}"
        print(said, flush=True)

"""`packlab flash`: the words of the command line; flashing.py does it."""

import argparse
from pathlib import Path


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `flash` to packlab's commands."""
    from packlab.key.sheet import PAGE

    parser = commands.add_parser(
        "flash",
        help="put the firmware onto a dongle, or a new one onto an old",
        description="Put the firmware onto a dongle. Interrupted at any step, run it again.",
    )
    parser.add_argument(
        "--board", required=True, metavar="B", help="a folder of boards/, such as ESP32_C3_MINI"
    )
    parser.add_argument("--port", required=True, metavar="P", help="such as /dev/ttyACM0 or COM4")
    parser.add_argument("--profile", metavar="P", help="which pack it is (kept when not given)")
    parser.add_argument(
        "--name",
        type=_name,
        metavar="N",
        help="what you call this dongle; everybody near reads it on the air, 11 bytes at most",
    )
    parser.add_argument("--family", metavar="F", help="leave out all other families' code")
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="write this MicroPython image first; erases all"
    )
    parser.add_argument(
        "--aioble",
        metavar="FOLDER",
        help="take the Bluetooth library from this folder, not from the net; none: do without",
    )
    parser.add_argument(
        "--page", default=PAGE, metavar="URL", help=f"where the phone's page is (default: {PAGE})"
    )
    parser.add_argument(
        "--park",
        type=int,
        metavar="MIN",
        choices=range(1441),
        help="let it sleep after so many minutes beside a scooter that is off (0: never)",
    )
    parser.set_defaults(run=_run)


def _name(text: str) -> str:
    from packlab.checkout import firmware

    most = firmware("outputs.advert").MOST_NAME
    if not text.isprintable() or not 1 <= len(text.encode()) <= most:
        raise argparse.ArgumentTypeError(
            f"a Bluetooth name has 1 to {most} bytes and no line ends; '{text:.20}' has"
            f" {len(text.encode())}"
        )
    return text


def _run(options: argparse.Namespace) -> None:
    from packlab.flash.flashing import Wishes, flash

    wishes = Wishes(
        options.profile,
        options.name,
        options.family,
        options.image,
        options.aioble,
        options.page,
        options.park,
    )
    flash(options.board, options.port, wishes)

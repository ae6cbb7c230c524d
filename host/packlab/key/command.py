"""`packlab key`: the words of the command line; keys.py asks the dongle, sheet.py shows."""

import argparse
import sys
from pathlib import Path


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `key` to packlab's commands."""
    from packlab.key.sheet import PAGE

    parser = commands.add_parser(
        "key",
        help="show the owner's key of a dongle, or give it a new one",
        description="Show the owner's key of a dongle as text and QR code, or give it a new one."
        " Keep it to yourself: who has it may change the dongle's settings. The firmware is"
        " stopped for that and started again.",
    )
    parser.add_argument("port", metavar="PORT", help="such as /dev/ttyACM0 or COM4")
    parser.add_argument(
        "--renew", action="store_true", help="make a new key; the former one is worth nothing then"
    )
    parser.add_argument("--qr", type=Path, metavar="FILE", help="the code as .svg or .png")
    parser.add_argument(
        "--page", default=PAGE, metavar="URL", help=f"where the phone's page is (default: {PAGE})"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from packlab.flash.link import Link
    from packlab.key import keys, sheet

    if options.qr:
        sheet.check(options.qr)
    with Link(options.port) as link:
        link.enter()
        if options.renew:
            owner, is_new = keys.renew(link), True
        else:
            owner, is_new = keys.make_if_none(link)
        link.restart()
    if options.qr:
        sheet.write_code(owner, options.page, options.qr)
        print(f"wrote {options.qr}")
    elif sys.stdout.isatty():
        print(sheet.terminal_code(owner, options.page))
    print("a new key; scan it again with every phone" if is_new else "the key it has")
    print("\n".join(sheet.lines(owner, options.page)))

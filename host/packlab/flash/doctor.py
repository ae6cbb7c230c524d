"""`packlab doctor`: the words of the command line; examine.py asks the dongle."""

import argparse


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor` to packlab's commands."""
    parser = commands.add_parser(
        "doctor",
        help="ask a dongle how it is",
        description="Ask a dongle how it is. Its firmware is stopped for that and started again.",
    )
    parser.add_argument("port", metavar="PORT", help="such as /dev/ttyACM0 or COM4")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from packlab.flash.examine import examine

    for line in examine(options.port):
        print(line, flush=True)

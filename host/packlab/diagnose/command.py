"""`packlab diagnose`: the words of the command line."""

import argparse
import json
from pathlib import Path

from packlab import configuration, reading_options
from packlab.interpreters import INTERPRETERS

_Commands = argparse._SubParsersAction  # the only name argparse has for it


def add_command(commands: "_Commands[argparse.ArgumentParser]") -> None:
    """Add `diagnose` to packlab's commands."""
    parser = commands.add_parser(
        "diagnose",
        help="write a one-page finding for a pack, from a capture or a dongle's journal",
        description="Say what is wrong with a pack, how sure that is, which group, what to do, "
        "whether cells or BMS are the likely culprit, and what could not be watched.",
    )
    parser.add_argument(
        "source",
        metavar="CAPTURE|JOURNAL",
        help="a capture, a kept trace, a journal's file or folder, or a dongle's port",
    )
    parser.add_argument(
        "-o",
        dest="output",
        type=Path,
        metavar="FILE",
        help="write it there: .html, .json, else text (default: print it)",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    add_replay_options(parser)
    parser.set_defaults(run=_run)


def add_replay_options(parser: argparse.ArgumentParser) -> None:
    """How a capture is to be replayed."""
    parser.add_argument("--profile", metavar="P", help="which pack it is (default: m365)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the dongle's configuration file (JSON)"
    )
    parser.add_argument(
        "--interpreter",
        choices=INTERPRETERS,
        default="unix",
        help="what runs the firmware (default: MicroPython's unix port, 64 bit)",
    )
    reading_options.add_options(parser)


def _run(options: argparse.Namespace) -> None:
    from packlab.diagnose.finding import find
    from packlab.diagnose.gather import gather
    from packlab.diagnose.pages import data, paper
    from packlab.paper import keep
    from packlab.replay import Settings

    config = configuration.read(options.config, options.profile)
    reading = reading_options.asked(options, config)
    finding = find(gather(options.source, Settings(config, options.interpreter), reading))
    if options.output:
        keep(options.output, paper(finding), data(finding))
        print(f"wrote {options.output}: {finding.culprit} ({finding.sure})")
    elif options.json:
        print(json.dumps(data(finding), ensure_ascii=False, indent=1))
    else:
        print(paper(finding).text(), end="")

"""Options of the commands that work on many captures: which, how replayed, and where."""

import argparse
from pathlib import Path

from packlab import reading_options
from packlab.configuration import read
from packlab.replay import Settings


def add_replay_options(parser: argparse.ArgumentParser) -> None:
    """Which captures, and how they are replayed."""
    parser.add_argument("places", type=Path, nargs="+", metavar="CAPTURE|DIR")
    parser.add_argument(
        "--profile",
        metavar="P",
        help="which pack it is (default: what the capture's header names, else what is heard)",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the dongle's configuration file (JSON)"
    )
    reading_options.add_options(parser)


def settings(options: argparse.Namespace) -> Settings:
    """What add_replay_options has understood."""
    return Settings(read(options.config, options.profile), telemetry=True)


def add_work_options(group: argparse._ActionsContainer) -> None:
    """Where the work is done; executors.py says more."""
    group.add_argument(
        "--jobs", type=_count, metavar="N", help="how many at once (default: one a processor)"
    )
    group.add_argument(
        "--executor",
        default="processes",
        metavar="E",
        help="processes (default), dask[:ADDRESS], ray[:ADDRESS], or MODULE:FACTORY, "
        "which returns a concurrent.futures executor",
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of workers; write 1 or more")
    return int(text)

"""`packlab journal`: the words of the command line; source.py reads, telling.py tells."""

import argparse
import csv
import json
import sys
from pathlib import Path


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `journal` to packlab's commands."""
    parser = commands.add_parser(
        "journal",
        help="read a dongle's black box, from a port or from files",
        description="Read a dongle's black box: alerts, starts, rides, charges, changes. At a port"
        " the firmware is stopped for that and started again.",
    )
    parser.add_argument(
        "source", metavar="FILE|PORT", help="a segment file, a folder of them, or a serial port"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON object a record")
    form.add_argument("--csv", action="store_true", help="print a table; traces by the second")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="keep the bytes as they are, too"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from packlab.files import new_binary
    from packlab.journal.source import pieces, understood
    from packlab.journal.telling import COLUMNS, as_json, lines, rows, summary

    data = pieces(options.source)
    journal = understood(data, options.source)
    if options.save:
        with new_binary(options.save) as stream:
            stream.write(b"".join(data))
    if options.csv:
        table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        table.writeheader()
        for record in journal.records:
            table.writerows(rows(record))
    elif options.json:
        for record in journal.records:
            print(json.dumps(as_json(record), separators=(",", ":")))
    else:
        for line in lines(journal):
            print(line)
        return
    for line in summary(journal):
        print(f"packlab: {line}", file=sys.stderr)

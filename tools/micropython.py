#!/usr/bin/env python3
"""Print the path of one executable that behaves like `micropython`, finding or making it first.

The Makefile, the tests and packlab's replay call this as a program. The work is done by the
package `interpreters` beside it. Both need the standard library only, so that they run before
anything is installed.
"""

import argparse
import dataclasses
import json
import sys

from interpreters import WIDTHS, NoInterpreter, find


def main(arguments: list[str] | None = None) -> int:
    """Print the path, or with --json all that is known; say why there is none and return 1."""
    parser = argparse.ArgumentParser(prog="micropython.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--bits", type=int, choices=WIDTHS, default=64, help="width of its integers (default: 64)"
    )
    parser.add_argument(
        "--source", metavar="TREE", help="build this MicroPython source tree ($MICROPYTHON_SOURCE)"
    )
    parser.add_argument(
        "--no-fetch", action="store_true", help="only look: download and build nothing"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--where", action="store_true", help="print the path alone (what happens anyway)"
    )
    form.add_argument(
        "--json", action="store_true", help="print path, command, bits, version and origin"
    )
    options = parser.parse_args(arguments)
    try:
        found = find(options.bits, options.source, fetch=not options.no_fetch)
    except NoInterpreter as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(dataclasses.asdict(found)) if options.json else found.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`packlab convert` and `packlab share`: the words of the command line; convert.py does it."""

import argparse
from pathlib import Path

from packlab import reading_options
from packlab.capture import ORIGINS

_Commands = argparse._SubParsersAction  # the only name argparse has for it


def add_command(commands: "_Commands[argparse.ArgumentParser]") -> None:
    """Add `convert` and `share` to packlab's commands."""
    parser = commands.add_parser(
        "convert",
        help="turn a recording into another format: pcapng, sigrok, Saleae, VCD, hex dump, ...",
        description="Turn a recording into another format. The endings of the names say which.",
    )
    parser.add_argument("--formats", action=_ListFormats, nargs=0, help="list them, and end")
    parser.add_argument(
        "src", type=Path, metavar="FROM", help="the recording, packed (.gz) or not"
    )
    parser.add_argument("dst", type=Path, metavar="TO", help="the file to write, e.g. ride.pcapng")
    parser.add_argument(
        "--anonymise", action="store_true", help="blank serial numbers, ids, passwords and names"
    )
    _add_reading_options(parser)
    parser.set_defaults(run=_convert)
    parser = commands.add_parser(
        "share",
        help="make a copy of a recording that names nobody",
        description="Copy a recording with serial numbers, ids, passwords and names blanked and "
        "the checksums set to match.",
    )
    parser.add_argument("src", type=Path, metavar="FROM")
    parser.add_argument("dst", type=Path, metavar="TO", help="any format, e.g. ride.cap.gz")
    parser.add_argument(
        "--as-recorded", dest="anonymise", action="store_false", help="leave everything in it"
    )
    _add_reading_options(parser)
    parser.set_defaults(run=_convert)


class _ListFormats(argparse.Action):
    """Prints the formats there are and ends, as --version does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from packlab.formats import all_formats

        width = max(len(one.suffix) for one in all_formats())
        for one in all_formats():
            print(f"{one.suffix:{width}}  {one.meaning}")
        print("Each also packed: NAME.cap.gz. docs/formats.md says what each of them keeps.")
        parser.exit()


def _add_reading_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("for the new file's header")
    group.add_argument("--source", metavar="TEXT", help="where it comes from")
    group.add_argument("--origin", choices=ORIGINS, help="whether it passed over a wire (real)")
    reading_options.add_options(parser)


def _convert(options: argparse.Namespace) -> None:
    from packlab.convert import convert

    summary = convert(
        options.src,
        options.dst,
        source=options.source,
        origin=options.origin,
        options=reading_options.asked(options),
        anonymise=options.anonymise,
    )
    for port, chunks in summary.chunks.items():
        print(f"{port}: {chunks} chunks, {summary.bytes[port]} bytes")
    said = ", identities blanked" if options.anonymise else ""
    print(f"wrote {options.dst}, {summary.end_us / 1e6:.1f} s{said}")

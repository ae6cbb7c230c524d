"""`packlab convert` and `packlab share`: the words of the command line; convert.py does it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from packlab.capture import ORIGINS, PORTS, DamagedLineError, LineSetting, parse_setting

if TYPE_CHECKING:
    from packlab.formats import Options

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
    add_reading_options(parser)
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
    add_reading_options(parser)
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


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """What the user may have to say about a file of somebody else's."""
    group = parser.add_argument_group("about a recording that does not say so itself")
    group.add_argument("--source", metavar="TEXT", help="where it comes from, for the header")
    group.add_argument("--origin", choices=ORIGINS, help="whether it passed over a wire (real)")
    group.add_argument(
        "--port",
        dest="ports",
        type=_port,
        action="append",
        default=[],
        metavar="CHANNEL=PORT",
        help=f"which channel is which wire ({', '.join(PORTS)}); may be given several times",
    )
    group.add_argument(
        "--line",
        dest="lines",
        type=_line,
        action="append",
        default=[],
        metavar="'PORT BAUD 8N1'",
        help="speed and character format of a wire (raw levels: default is to find out)",
    )
    group.add_argument("--lenient", action="store_true", help="skip damaged lines, where possible")


def reading_options(options: argparse.Namespace) -> "Options":
    """What add_reading_options took."""
    from packlab.formats import Options

    return Options(
        dict(options.ports), dict(options.lines), options.origin, options.source, options.lenient
    )


def _port(text: str) -> tuple[str, str]:
    name, _, port = text.rpartition("=")
    if not name or port not in PORTS:
        raise argparse.ArgumentTypeError(
            f"'{text}' is unclear; write it like 'Channel 0=bms_tx', with {', '.join(PORTS)}"
        )
    return name, port


def _line(text: str) -> tuple[str, LineSetting]:
    try:
        return parse_setting(text)
    except DamagedLineError as damage:
        raise argparse.ArgumentTypeError(str(damage)) from None


def _convert(options: argparse.Namespace) -> None:
    from packlab.convert import convert

    summary = convert(
        options.src,
        options.dst,
        options=reading_options(options),
        anonymise=options.anonymise,
    )
    for port, chunks in summary.chunks.items():
        print(f"{port}: {chunks} chunks, {summary.bytes[port]} bytes")
    said = ", identities blanked" if options.anonymise else ""
    print(f"wrote {options.dst}, {summary.end_us / 1e6:.1f} s{said}")

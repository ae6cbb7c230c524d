"""What a user may have to say about a recording that does not say so itself; the words for every
command that takes one."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from packlab.capture import PORTS, DamagedLineError, LineSetting, parse_setting

if TYPE_CHECKING:
    from packlab.formats import Options


def add_options(parser: argparse.ArgumentParser, *, baud: bool = True) -> None:
    """Channels, speeds, and whether to pass over damage. baud: unless the parser has it."""
    group = parser.add_argument_group("about a recording that does not say so itself")
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
        help="speed and character format of one wire",
    )
    if baud:
        group.add_argument(
            "--baud",
            type=_baud,
            metavar="N",
            help="speed of all wires (raw levels: default is the profile's, else what they look"
            " like)",
        )
    group.add_argument("--lenient", action="store_true", help="skip damaged lines, and count them")


def asked(options: argparse.Namespace, config: Mapping[str, Any] | None = None) -> "Options":
    """What add_options has understood; config: the dongle's, whose profile knows a speed, too."""
    from packlab.formats import Options

    return Options(
        dict(options.ports),
        dict(options.lines),
        lenient=options.lenient,
        baud=options.baud or _configured(config or {}),
    )


def _configured(config: Mapping[str, Any]) -> int | None:
    """The speed that follows from what was said of the pack; None where nothing was."""
    from packlab.checkout import firmware

    rules = firmware("config")
    try:
        loaded = rules.load(dict(config))
    except rules.ConfigError:
        return None  # whoever uses the configuration says so
    is_known = loaded.family != "auto" and ("profile" in config or "baud" in config)
    return int(loaded.baud) if is_known else None


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


def _baud(text: str) -> int:
    if not text.isdecimal() or not 300 <= int(text) <= 3_000_000:
        raise argparse.ArgumentTypeError(f"'{text}' is no speed; write 9600 or 115200")
    return int(text)

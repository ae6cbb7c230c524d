"""The command line: `packlab COMMAND --help` is enough to work with. Each command parses its words
here and calls one module."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from packlab import (
    completion,
    config_command,
    configuration,
    convert_command,
    phone_command,
    play_command,
    playing,
    reading_options,
    run_command,
    show_command,
)
from packlab.corpus import command as corpus
from packlab.corpus import export as export_command
from packlab.diagnose import command as diagnose_command
from packlab.errors import PacklabError
from packlab.fake import command as fake_command
from packlab.flash import command as flash_command
from packlab.flash import doctor as doctor_command
from packlab.guided import command as guided_command
from packlab.interpreters import INTERPRETERS
from packlab.journal import command as journal_command
from packlab.key import command as key_command
from packlab.library import command as scenarios_command
from packlab.record import command as capture_command
from packlab.report import command as report_command
from packlab.watch import command as watch_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input prints one sentence and gives exit code 2."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
        return 0
    except PacklabError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `packlab … | head` has seen enough
        _drop_output()
        return 0
    except OSError as error:  # a full disk, a folder given as standard input
        _drop_output()
        return _fail(f"the system refuses: {error.strerror}; make room, or check where it goes")


def _fail(why: str) -> int:
    print(f"packlab: {why}", file=sys.stderr)
    return 2


def _drop_output() -> None:
    """What is left in the buffer would fail again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="packlab",
        description="The bench of Deckwatch: replay, decode, convert a scooter's battery line.",
    )
    parser.add_argument("--version", action="version", version=f"packlab {version('packlab')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_replay(commands)
    _add_decode(commands)
    _add_identify(commands)
    convert_command.add_command(commands)
    _add_made(commands)
    _add_demo(commands)
    run_command.add_command(commands)
    export_command.add_command(commands)
    fake_command.add_command(commands)
    flash_command.add_command(commands)
    doctor_command.add_command(commands)
    journal_command.add_command(commands)
    key_command.add_command(commands)
    capture_command.add_command(commands)
    report_command.add_command(commands)
    scenarios_command.add_command(commands)
    watch_command.add_command(commands)
    play_command.add_command(commands)
    show_command.add_command(commands)
    completion.add_command(commands, _parser)
    config_command.add_command(commands)
    diagnose_command.add_command(commands)
    guided_command.add_command(commands)
    phone_command.add_command(commands)
    return parser


_Commands = argparse._SubParsersAction  # the only name argparse has for it


def _add_replay(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "replay",
        help="send a capture through the firmware and show what it notices",
        description="Send a capture through the firmware and show what it notices.",
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a capture, in any format, or a folder of them"
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="max|1x|Nx",
        help="how fast (default: max, as fast as it goes)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the trace, a JSON object a line"
    )
    parser.add_argument("--telemetry", action="store_true", help="with --json: values, too")
    parser.add_argument(
        "--edges", action="store_true", help="with --json: each edge of the light and tone"
    )
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
    parser.add_argument(
        "--depth",
        choices=("core", "app"),
        default="core",
        help="core: the part that judges; app: all of it, on the virtual board (default: core)",
    )
    parser.add_argument(
        "--flash",
        type=Path,
        metavar="FOLDER",
        help="with --depth app: keep the dongle's flash here, for 'packlab journal FOLDER'",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="SPEC",
        help="spoil the line first, e.g. bits:1e-4 or cut:12.5s+3s@bms_tx; may be repeated",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the faults' chance (default: 1)")
    reading_options.add_options(parser)
    playing.add_options(parser)
    corpus.add_options(parser)
    parser.set_defaults(run=_replay)


def _replay(options: argparse.Namespace) -> None:
    from packlab import session
    from packlab.replay import Settings

    show = session.print_trace if options.json else session.draw
    settings = Settings(
        configuration.read(options.config, options.profile),
        options.interpreter,
        options.speed,
        telemetry=options.telemetry,
        edges=options.edges,
        depth=options.depth,
        flash=options.flash,
    )
    if options.flash and options.depth != "app":
        raise PacklabError("only the whole firmware has a flash: add --depth app to --flash")
    spoiling = session.Spoiling(tuple(options.fault), options.seed)
    if options.file.is_dir():
        corpus.replay_folder(options, settings, spoiling)
        return
    show(
        session.Played(
            options.file,
            reading=reading_options.asked(options, settings.config),
            spoiling=spoiling,
            playing=playing.asked(options),
        ),
        settings,
    )


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is no speed; write max, 1x or 20x")
    return speed


def _add_decode(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "decode",
        help="explain frames given as hex on standard input",
        description="Explain frames given as hex on standard input, one a line.",
    )
    parser.add_argument("--protocol", metavar="P", help="only this family (default: try all)")
    parser.add_argument("--json", action="store_true", help="print a JSON object a line")
    parser.set_defaults(run=_decode)


def _decode(options: argparse.Namespace) -> None:
    from packlab.decode import decode

    lines = (line.decode("ascii", "replace") for line in sys.stdin.buffer)
    for result in decode(lines, options.protocol):
        said = json.dumps(result, separators=(",", ":")) if options.json else _in_words(result)
        print(said, flush=True)  # somebody may wait for it before sending the next


def _in_words(result: dict[str, Any]) -> str:
    if not result["ok"]:
        return f"rejected: {result['error']}"
    parts = [f"{name} {value}" for name, value in result["values"].items()]
    parts += [f"request {result['request']}"] if "request" in result else []
    return f"{result['protocol']} {result['kind']}: {', '.join(parts) or 'no values'}"


def _add_identify(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "identify",
        help="say what is on a recorded line, and why",
        description="Say which family speaks on a recorded line, and why.",
    )
    parser.add_argument("capture", type=Path, metavar="CAPTURE", help="in any format")
    reading_options.add_options(parser)
    parser.set_defaults(run=_identify)


def _identify(options: argparse.Namespace) -> None:
    from packlab import formats
    from packlab.identify import identify, lines

    with formats.reading(options.capture, reading_options.asked(options)) as recording:
        print("\n".join(lines(identify(recording.events, recording.header))))


def _add_made(commands: "_Commands[argparse.ArgumentParser]") -> None:
    from packlab.made.scenarios import SCENARIOS

    parser = commands.add_parser(
        "made",
        help="make a capture from the pack model",
        description="Make a capture from the pack model; its header says that it is made.",
    )
    parser.add_argument(
        "name", choices=sorted(SCENARIOS), metavar="NAME", help=", ".join(sorted(SCENARIOS))
    )
    parser.add_argument("capture", type=Path, metavar="CAPTURE")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (default: 1)")
    parser.set_defaults(run=_made)


def _made(options: argparse.Namespace) -> None:
    from packlab.capture import new_file
    from packlab.made import make

    with new_file(options.capture) as stream:
        make(options.name, options.seed, stream)
    print(f"wrote {options.capture}, made with seed {options.seed}")


def _add_demo(commands: "_Commands[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "demo",
        help="watch a real scooter line and a made ride go through the firmware",
        description="Replay a real M365 line, then a made charge and ride, through the firmware.",
    )
    parser.set_defaults(run=_demo)


def _demo(_: argparse.Namespace) -> None:
    from packlab import session

    session.demo()


if __name__ == "__main__":
    sys.exit(main())

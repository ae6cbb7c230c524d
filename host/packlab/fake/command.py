"""`packlab fake`: its words, and what it does with them. cli.py calls add_command."""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from packlab.capture import Event, new_file
from packlab.errors import PacklabError
from packlab.fake import families
from packlab.fake.base import NEVER_US
from packlab.fake.bench import MASTERS, Order, build
from packlab.fake.line import Line
from packlab.faults import KINDS, parse
from packlab.faults.spec import time_us
from packlab.made.scenes import SCENES

_CAPTURE_US = 60_000_000
_Commands = argparse._SubParsersAction  # the only name argparse has for it


def add_command(commands: "_Commands[argparse.ArgumentParser]") -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "fake",
        help="play a fake pack: on a serial port, a terminal, into a capture",
        description="Play a fake pack with the values of a model, at its family's real speed.",
    )
    names = families.names()
    parser.add_argument("family", choices=names, metavar="FAMILY", help=", ".join(names))
    parser.add_argument(
        "--list", action="store_true", help="the family's profiles, all scenes, all faults"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", metavar="DEV", help="a serial adapter, for a real dongle")
    where.add_argument("--pty", action="store_true", help="a pseudo terminal; its name is printed")
    where.add_argument("--feed", type=Path, metavar="FILE", help="a feed for the virtual board")
    where.add_argument(
        "--board",
        type=Path,
        metavar="FOLDER",
        help="answer the virtual board: its scenario is put there",
    )
    parser.add_argument("--capture", type=Path, metavar="FILE", help="what passes, as a capture")
    parser.add_argument("--profile", metavar="P", help="which board")
    parser.add_argument("--cells", type=int, metavar="N", help="cells in series")
    parser.add_argument(
        "--scene", default="ride", metavar="S", help="what happens (default: ride)"
    )
    parser.add_argument(
        "--master",
        choices=MASTERS,
        help="who asks: nobody, the family's own, or that with an app (default: nobody on a port, "
        "else the family's own)",
    )
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (default: 1)")
    parser.add_argument(
        "--speed", type=_speed, metavar="max|1x|Nx", help="how fast (live 1x, else max)"
    )
    parser.add_argument("--for", dest="span", metavar="60s", help="how long (live: until Ctrl-C)")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="SPEC", help="what is wrong with the line"
    )
    parser.set_defaults(run=run)


def _tell(family: str) -> None:
    """All there is to choose from, the usual first."""
    profiles = [(name, board.meaning) for name, board in families.profiles(family).items()]
    scenes = [(name, kind.meaning) for name, kind in SCENES.items()]
    faults = [(kind.example, kind.meaning) for kind in KINDS.values()]
    for title, rows in (("--profile", profiles), ("--scene", scenes), ("--fault", faults)):
        print(title)
        for name, meaning in rows:
            print(f"  {name:20} {meaning}")


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


def run(options: argparse.Namespace) -> None:
    """Play, or tell what could be played."""
    if options.list:
        _tell(options.family)
        return
    is_live = bool(options.port or options.pty or options.board)
    if not (is_live or options.feed or options.capture):
        raise PacklabError("nothing to play on; give --capture FILE, --port DEV, --pty or --feed")
    order = Order(
        options.family,
        options.profile,
        options.scene,
        options.cells,
        options.seed,
        options.master or ("none" if is_live else "controller"),
        tuple(map(parse, options.fault)),
    )
    span_us = time_us(options.span) if options.span else NEVER_US if is_live else _CAPTURE_US
    line = build(order)
    try:
        _play(options, line, span_us)
    finally:
        line.close()


def _play(options: argparse.Namespace, line: Line, span_us: int) -> None:
    if options.feed:
        _write_feed(options.feed, line, span_us)
    elif options.board:
        _serve_board(options.board, line, span_us)
    elif options.port or options.pty:
        _play_live(options, line, span_us)
    else:
        _write_capture(options, line, span_us)


def _command(options: argparse.Namespace) -> str:
    """The command again, as it would make the same bytes."""
    words = ["packlab fake", options.family]
    for name in ("profile", "cells", "scene", "master", "seed", "for"):
        value = getattr(options, "span" if name == "for" else name)
        words += [f"--{name} {value}"] if value is not None else []
    return " ".join([*words, *(f"--fault {fault}" for fault in options.fault)])


def _write_capture(options: argparse.Namespace, line: Line, span_us: int) -> None:
    from packlab.fake.play import Recorder, capture

    with new_file(options.capture) as stream:
        recorder = Recorder(stream, line, _command(options))
        capture(line, span_us, recorder, options.speed)
        recorder.close()
    print(f"wrote {options.capture}, made with seed {options.seed}, {span_us / 1e6:g} s")


def _write_feed(path: Path, line: Line, span_us: int) -> None:
    from packlab.fake.play import feed

    with new_file(path) as stream:
        stream.writelines(text + "\n" for text in feed(line, span_us))
    print(f"wrote {path}, {span_us / 1e6:g} s; boards/VIRTUAL/launch.py --feed reads it")


def _serve_board(folder: Path, line: Line, span_us: int) -> None:
    from packlab.fake.bridge import Bridge

    end_us = min(span_us, _CAPTURE_US * 60)
    with Bridge(line, folder, end_us) as bridge:
        print(f"boards/VIRTUAL/launch.py --scenario {bridge.scenario}", flush=True)
        print("plays until Ctrl-C", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            bridge.wait()


def _play_live(options: argparse.Namespace, line: Line, span_us: int) -> None:
    from packlab.fake.play import Live
    from packlab.fake.ports import Port, Pty, SerialPort

    port: Port = SerialPort(options.port, line.baud) if options.port else Pty()
    print(f"plays on {port.name} at {line.baud} baud until Ctrl-C", flush=True)
    try:
        with _recorder(options, line) as record, contextlib.suppress(KeyboardInterrupt):
            Live(line, port, speed=options.speed or 1.0, record=record).run(span_us)
    finally:
        port.close()


@contextlib.contextmanager
def _recorder(options: argparse.Namespace, line: Line) -> Iterator[Callable[[list[Event]], None]]:
    """Where what passes is to be noted, if it is."""
    from packlab.fake.play import Recorder

    if options.capture is None:
        yield lambda _: None
        return
    with new_file(options.capture) as stream:
        recorder = Recorder(stream, line, _command(options) + ", live")
        yield recorder.take
        recorder.close()
    print(f"wrote {options.capture}")

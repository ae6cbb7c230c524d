"""`packlab capture`: the words of the command line; recorder.py does it."""

import argparse
import contextlib
import queue
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from packlab.capture import PORTS, Header, LineSetting
from packlab.errors import PacklabError
from packlab.record.book import Rotation

if TYPE_CHECKING:
    from packlab.record.heard import Heard, Source

_SPAN = re.compile(r"(\d+)(s|min|h|KB|MB|GB)")
_UNITS = {"s": 1, "min": 60, "h": 3600, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_PROGRESS_S = 1.0
_PLAIN_PROGRESS_S = 60.0


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `capture` to packlab's commands."""
    parser = commands.add_parser(
        "capture",
        help="record a line: one or two serial adapters, or a dongle that passes on what it hears",
        description="Record a line into a capture. Ctrl-C ends it; what was received is kept,"
        " whatever happens to the adapter, the disk or this computer.",
    )
    parser.add_argument("capture", type=Path, metavar="CAPTURE", help="the file, NAME.cap")
    add_sources(parser)
    parser.add_argument(
        "--rotate", type=_rotation, default=Rotation(), metavar="1h|10MB", help="begin a new file"
    )
    parser.add_argument("--resume", action="store_true", help="go on with CAPTURE, or its newest")
    parser.add_argument("--source", metavar="TEXT", help="what is recorded, for the header")
    parser.add_argument(
        "--anonymise",
        action="store_true",
        help="at the end, also write CAPTURE-shared.cap without serial numbers, ids, passwords",
    )
    parser.set_defaults(run=_run)


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and for how long."""
    for port, whose in zip(PORTS, ("the battery says", "the controller says", ""), strict=True):
        meaning = f"adapter on the wire with what {whose}" if whose else "on the dashboard's wire"
        parser.add_argument(f"--{port.replace('_', '-')}", metavar="DEV", dest=port, help=meaning)
    parser.add_argument("--dongle", metavar="DEV", help="a dongle instead of adapters")
    parser.add_argument("--baud", type=int, help="the line's speed (115200)")
    parser.add_argument("--mode", default="8N1", choices=("8N1", "8E1", "8O1", "8N2", "7E1"))
    parser.add_argument("--inverted", action="store_true", help="(dongle) the line rests low")
    parser.add_argument("--for", dest="span", type=_seconds, metavar="10min", help="then end")


def _size(text: str) -> tuple[int, str]:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}' is unclear; write 90s, 10min, 1h or 10MB")
    return int(match[1]) * _UNITS[match[2]], match[2]


def _seconds(text: str) -> int:
    number, unit = _size(text)
    if unit.endswith("B"):
        raise argparse.ArgumentTypeError(f"'{text}' is no time; write 90s, 10min or 1h")
    return number


def _rotation(text: str) -> Rotation:
    number, unit = _size(text)
    return Rotation(bytes=number) if unit.endswith("B") else Rotation(seconds=number)


def _run(options: argparse.Namespace) -> None:
    if options.capture.suffix != ".cap":
        raise PacklabError(
            f"{options.capture} must end in .cap, which can be appended to; 'packlab convert'"
            " makes other formats of it"
        )
    files = _record(options)
    for path in files:
        print(f"wrote {path}")
    if options.anonymise:
        from packlab.convert import convert

        for path in files:
            shared = path.with_name(f"{path.stem}-shared{path.suffix}")
            convert(path, shared, anonymise=True)
            print(f"wrote {shared}, identities blanked")


def _record(options: argparse.Namespace) -> list[Path]:
    """Record until Ctrl-C or the time is up; the files it made."""
    from packlab.record.book import Book
    from packlab.record.gauge import Gauge
    from packlab.record.heard import Heard
    from packlab.record.recorder import Recorder

    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    sources, ports = open_sources(options, heard)
    setting = _setting(options)
    notes = (("accuracy", sources[0].accuracy),)
    said = options.source or f"packlab capture on {', '.join(one.name for one in sources)}"
    header = Header("real", said, dict.fromkeys(ports, setting), notes)
    book = Book(options.capture, header, options.rotate, resume=options.resume)
    gauge = Gauge(ports, setting.baud)
    recorder = Recorder(sources, heard, book, gauge, lambda text: print(f"\n{text}"))
    with _told_to_end() as ended, _progress() as show:
        recorder.start()
        try:
            while not ended() and not (options.span and recorder.seconds >= options.span):
                recorder.step()
                trouble = f"; NOT WRITTEN: {book.trouble}" if book.trouble else ""
                show(f"{recorder.seconds:.0f} s: {gauge.line()}{trouble}")
        finally:
            recorder.end()
    return book.files


def open_sources(
    options: argparse.Namespace, heard: "queue.SimpleQueue[Heard]"
) -> "tuple[Sequence[Source], tuple[str, ...]]":
    """What listens, and the ports it hears."""
    from packlab.record.adapters import Adapter
    from packlab.record.dongle import PassOn

    devices = {port: getattr(options, port) for port in PORTS if getattr(options, port)}
    if bool(devices) == bool(options.dongle):
        raise PacklabError(
            "name where to listen: --bms-tx DEV, if you have two adapters --host-tx DEV, too;"
            " or --dongle DEV alone"
        )
    setting = _setting(options)
    if options.dongle:
        source = PassOn(options.dongle, setting.baud, heard, inverted=options.inverted)
        return [source], source.ports
    adapters = [Adapter(port, device, setting, heard) for port, device in devices.items()]
    return adapters, tuple(devices)


def _setting(options: argparse.Namespace) -> LineSetting:
    return LineSetting(options.baud or LineSetting().baud, options.mode)


@contextlib.contextmanager
def _told_to_end() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and a polite kill set a flag instead of breaking in somewhere."""
    ended: list[bool] = []

    def note(_: int, __: FrameType | None) -> None:
        ended.append(True)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(ended)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line that is written over, or one a minute where there is no terminal."""
    live = sys.stdout.isatty()
    last = time.monotonic() - _PLAIN_PROGRESS_S

    def show(text: str) -> None:
        nonlocal last
        if time.monotonic() - last < (_PROGRESS_S if live else _PLAIN_PROGRESS_S):
            return
        last = time.monotonic()
        print(f"\r{text:<100}" if live else text, end="" if live else "\n", flush=True)

    yield show
    if live:
        print()

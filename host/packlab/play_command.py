"""`packlab play`: a recording out of serial ports, to a real dongle on the bench, each chunk so
that its last byte is out when it was in."""

import argparse
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from packlab import reading_options
from packlab.capture import PORTS, Chunk, Event, Header
from packlab.errors import PacklabError
from packlab.fake.ports import Port, SerialPort
from packlab.playing import add_options, asked


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `play` to packlab's commands."""
    parser = commands.add_parser(
        "play",
        help="play a recording out of serial ports, to a real dongle",
        description="Play a recording out of serial adapters, to a real dongle on the bench."
        " Never on a line that a real pack or controller is on.",
    )
    parser.add_argument("capture", type=Path, metavar="CAPTURE", help="in any format")
    for port in PORTS:
        parser.add_argument(
            f"--{port.replace('_', '-')}", dest=port, metavar="DEV", help=f"adapter for {port}"
        )
    parser.add_argument("--speed", type=float, default=1.0, metavar="N", help="times real time")
    add_options(parser)
    reading_options.add_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from packlab import formats
    from packlab.convert import survey

    devices = {port: getattr(options, port) for port in PORTS if getattr(options, port)}
    if not devices:
        raise PacklabError("name an adapter: --bms-tx DEV, --host-tx DEV, --dash DEV")
    if not options.speed > 0:
        raise PacklabError("--speed must be more than 0")
    playing = asked(options)
    reading = reading_options.asked(options)
    header, _ = survey(options.capture, reading)

    def events() -> Iterable[Event]:
        with formats.reading(options.capture, reading) as recording:
            yield from recording.events

    with contextlib.ExitStack() as stack:
        ports: dict[str, Port] = {}
        for port, device in devices.items():
            ports[port] = SerialPort(device, header.line(port).baud)
            stack.callback(ports[port].close)
        print(f"plays {options.capture} until its end, or Ctrl-C", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sent = play(playing.over(events), ports, header, options.speed)
            print(f"sent {', '.join(f'{size} bytes on {port}' for port, size in sent.items())}")


def play(
    events: Iterable[Event],
    ports: Mapping[str, Port],
    header: Header,
    speed: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, int]:
    """Bytes sent by port. Levels cannot be sent by an adapter and are passed over."""
    start = clock()
    sent = dict.fromkeys(ports, 0)
    for event in events:
        port = ports.get(event.port)
        if port is None or not isinstance(event, Chunk):
            continue
        due_us = event.t_us
        if port.keeps_time:
            due_us -= len(event.data) * 10_000_000 // header.line(event.port).baud
        sleep(max(0.0, start + due_us / 1e6 / speed - clock()))
        port.write(event.data)
        sent[event.port] += len(event.data)
    return sent

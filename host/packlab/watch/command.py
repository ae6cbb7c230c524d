"""`packlab watch`: the words of the command line; client.py listens, page.py shows."""

import argparse
import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packlab.watch.live import Live


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `watch` to packlab's commands."""
    parser = commands.add_parser(
        "watch",
        help="show a dongle near by, live, over Bluetooth",
        description="Show a dongle near by, live, over Bluetooth; connects again by itself."
        " Ctrl-C ends it.",
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="such as DW-18B2 (default: the first that is heard)",
    )
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="append each value to a table (CSV)"
    )
    parser.add_argument("--count", type=int, metavar="N", help="end after so many values")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from packlab.watch.log import Log

    with contextlib.ExitStack() as stack:
        keep = stack.enter_context(Log(options.log)).take if options.log else _nothing
        asyncio.run(_watch(options.name, options.count, keep))


def _nothing(_: "Live") -> None:
    """No log is kept."""


async def _watch(name: str | None, count: int | None, keep: Callable[["Live"], None]) -> None:
    from rich.console import Console
    from rich.live import Live as Screen

    from packlab.watch import page
    from packlab.watch.client import watch

    console = Console()
    seen = 0
    title = name or "dongle"
    with contextlib.ExitStack() as stack:
        screen = None
        if console.is_interactive:
            screen = stack.enter_context(Screen(console=console, auto_refresh=False))
        async for told in watch(name):
            if isinstance(told, str):
                title = told.removeprefix("connecting to ")
                console.print(told, markup=False, highlight=False)
                continue
            keep(told)
            if screen:
                screen.update(page.draw(title, told), refresh=True)
            else:
                console.print(page.line(told), markup=False, highlight=False, soft_wrap=True)
            seen += 1
            if seen == count:
                return

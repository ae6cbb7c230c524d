"""`packlab phone` and `make demo-phone`: serves the phone page on this computer, and opens it in a
Chromium that finds a virtual dongle."""

import argparse
import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from packlab import formats
from packlab.capture import Event
from packlab.errors import PacklabError

if TYPE_CHECKING:
    from packlab.air.bluez import Bluez

_Commands = argparse._SubParsersAction  # the only name argparse has for it

_SIZE = "--window-size=430,980"  # as a phone shows it
_MADE_FROM_S = 400.0  # of the made ride: the cells are being read, and begin to part


def add_command(commands: "_Commands[argparse.ArgumentParser]") -> None:
    """Add `packlab phone`."""
    parser = commands.add_parser(
        "phone",
        help="open the phone page on this computer, with a real dongle or a virtual one",
        description="Serve the phone page on this computer alone, for a browser here.",
    )
    parser.add_argument("--port", type=int, default=8765, help="of the page (default: 8765)")
    parser.add_argument(
        "--virtual",
        action="store_true",
        help="open it in a Chromium that finds a virtual dongle, which replays a capture",
    )
    parser.add_argument(
        "--capture", type=Path, metavar="FILE", help="what it replays (default: the made ride)"
    )
    parser.add_argument(
        "--from", dest="from_s", type=float, metavar="S", help="where in the capture to begin"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="with --virtual: say how to start one instead"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    asyncio.run(_virtual(options) if options.virtual else _serve(options))


async def _serve(options: argparse.Namespace) -> None:
    from packlab.air.page import PageServer

    with PageServer(options.port) as server:
        print(f"the phone page is at {server.address}; Ctrl-C ends it", flush=True)
        await asyncio.Event().wait()


async def _virtual(options: argparse.Namespace) -> None:
    from packlab.air import bus
    from packlab.air.bluez import Bluez
    from packlab.air.dongle import VirtualDongle, aioble
    from packlab.air.page import PageServer
    from packlab.air.play import play

    _check(options, bus.missing())
    capture, from_s = _capture(options)
    events = _events(capture)
    bluez = Bluez()
    key = os.urandom(16).hex()
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(PageServer(options.port))
        dongle = await stack.enter_async_context(VirtualDongle(bluez, key=key))
        await stack.enter_async_context(bluez.on_air(dongle))
        assert dongle.advertisement
        name = dongle.advertisement.name
        address = f"{server.address}#d={name}&k={key}"
        print(f"{name} is on the air with {aioble()[1]} and replays {capture.name}", flush=True)
        playing = asyncio.create_task(play(dongle, events, from_s))
        async with _browser(options, bluez, address) as ended:
            await ended
        playing.cancel()


def _check(options: argparse.Namespace, lack: str) -> None:
    """Everything there? Else one sentence with what to install."""
    from packlab.air import chromium

    if lack:
        raise PacklabError(lack)
    if options.no_browser:
        return
    if chromium.missing():
        raise PacklabError(chromium.missing())
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise PacklabError(
            "there is no screen to open a browser on; docs/phone.md shows what you would see"
        )


def _capture(options: argparse.Namespace) -> tuple[Path, float]:
    from packlab.made import made_capture_path

    if options.capture:
        return options.capture, options.from_s or 0.0
    from_s = _MADE_FROM_S if options.from_s is None else options.from_s
    return made_capture_path("charge_and_ride", 1), from_s


def _events(capture: Path) -> list[Event]:
    with formats.reading(capture) as recording:
        return list(recording.some())


@contextlib.asynccontextmanager
async def _browser(
    options: argparse.Namespace, bluez: "Bluez", address: str
) -> AsyncIterator["asyncio.Future[int]"]:
    """The browser; what is yielded is over when its window is closed."""
    from packlab.air import chromium

    if options.no_browser:
        (setting,) = (f"{name}={value}" for name, value in bluez.environment.items())
        program = " ".join((chromium.find() or "chromium", chromium.FLAGS[0]))
        print(f"{setting} {program} '{address}'", flush=True)
        yield asyncio.get_running_loop().create_future()
        return
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with tempfile.TemporaryDirectory(prefix="packlab-chromium-") as profile:
        process = await asyncio.create_subprocess_exec(
            *chromium.command(Path(profile), address, _SIZE, *as_root),
            env={**os.environ, **bluez.environment},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        print("press Connect in the page and choose the dongle; close the window to end")
        try:
            yield asyncio.ensure_future(process.wait())
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()

"""What `packlab flash` does: from an empty board, or an older dongle, to one that says itself
that it runs.

The steps, each of which can be repeated: is it the right chip, MicroPython (only where there is
none, or another image is asked for), aioble, the owner's key, pins and configuration, the bundle
(update.py), restart, and the dongle's own word.
"""

import contextlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from packlab.checkout import firmware
from packlab.errors import PacklabError
from packlab.flash import boards, bundle, chip, image, mip, update
from packlab.flash.boards import Board
from packlab.flash.link import OLDEST, Link, Silent
from packlab.key import keys, sheet

_BOOT_S = 15.0
_WHO = "import json, os\nu = os.uname()\nprint(json.dumps([u.sysname, u.release, u.machine]))"
_TRIES_AFTER_IMAGE = 6

# What the dongle's console says at a start (firmware/deckwatch/app.py, firmware/boot.py).
BOOT = re.compile(
    r"deckwatch boot (?P<number>\d+) cause (?P<cause>\w+) failed (?P<failed>\d+) safe (?P<safe>\d)"
)
ROLLED_BACK = "boot: the new firmware failed"


@dataclass(frozen=True)
class Wishes:
    """What the owner asks for; None: as it is, or as is usual. image is a file; aioble a folder or
    "none"; page the phone page's address; park_min minutes."""

    profile: str | None = None
    name: str | None = None
    family: str | None = None
    image: Path | None = None
    aioble: str | None = None
    page: str = sheet.PAGE
    park_min: int | None = None


def flash(board_name: str, port: str, wishes: Wishes) -> None:
    """Do it all and say how it goes; PacklabError at the first thing that does not fit."""
    board = boards.load(board_name)
    config = _config(wishes.profile)
    made = bundle.build(board.chip, wishes.family)
    library = _library(wishes.aioble, board.chip)
    with contextlib.ExitStack() as stack:
        link = _reach(port, board, wishes.image, stack)
        _check(link, board)
        _put(link, board, made, config, library, wishes)
        if library:
            _lock(link, wishes.page)
        link.restart()
        _say(confirm(link))


def _say(text: str) -> None:
    print(text, flush=True)


def _progress(path: str) -> None:
    if sys.stdout.isatty():
        print(f"\r  {path:<60}", end="", flush=True)


def _config(profile: str | None) -> dict[str, object]:
    """What to set in the dongle's configuration; PacklabError for a profile there is not."""
    if profile is None:
        return {}
    try:
        firmware("config").load({"profile": profile})
    except ValueError as error:
        raise PacklabError(f"--profile: {error}") from None
    return {"profile": profile}


def _library(wanted: str | None, name: str) -> dict[str, bytes]:
    """aioble by its paths on the dongle. Without the net the dongle is filled all the same: it
    guards without Bluetooth."""
    try:
        return mip.library(wanted, name)
    except PacklabError as why:
        if wanted is not None:
            raise
        _say(f"without Bluetooth for now: {why}")
        return {}


def _lock(link: Link, page: str) -> None:
    """Make a new owner's key and show it at once; one that is there stays."""
    owner, is_new = keys.make_if_none(link)
    if is_new:
        _say(sheet.terminal_code(owner, page))
        _say("the owner's key, shown this once ('packlab key' shows it again over the cable):")
        for line in sheet.lines(owner, page):
            _say(f"  {line}")


# --- reaching it ---------------------------------------------------------------------------------


def _reach(port: str, board: Board, given: Path | None, stack: contextlib.ExitStack) -> Link:
    """A link to MicroPython with the firmware stopped; puts MicroPython there where it is missing
    or an image is given."""
    if given is None:
        link = stack.enter_context(Link(port))
        try:
            link.enter()
            return link
        except Silent:
            _say("no MicroPython answers; asking the chip itself")
            link.close()
    _refuse_other(chip.detect(port), board)
    path, about = image.find(board.chip, given, board.image_offset)
    _say(f"writing {about} (a minute; everything on the chip is erased)")
    chip.write_image(port, board.chip, path, board.image_offset)
    link = stack.enter_context(Link(port))
    link.enter(tries=_TRIES_AFTER_IMAGE)
    return link


def _check(link: Link, board: Board) -> None:
    system, release, machine = link.ask(_WHO, "it was asked what it is")
    if system != "esp32":
        raise PacklabError(
            f"at {link.port} there is a {system} ({machine}), not an ESP32; check --port"
        )
    _refuse_other(chip.normal(machine.rpartition(" with ")[2]), board)
    if tuple(int(part) for part in re.findall(r"\d+", release)[:2]) < OLDEST:
        raise PacklabError(
            f"the dongle runs MicroPython {release}, too old; repeat the command with --image and"
            f" MicroPython {image.RELEASE}"
        )


def _refuse_other(found: str, board: Board) -> None:
    if found == board.chip:
        return
    fitting = [name for name in boards.names() if boards.load(name).chip == found]
    remedy = f"use --board {' or '.join(fitting)}" if fitting else "no board of ours has that chip"
    raise PacklabError(f"the chip is an {found}, but {board.name} has an {board.chip}; {remedy}")


# --- filling it ----------------------------------------------------------------------------------


def _put(
    link: Link,
    board: Board,
    made: bundle.Bundle,
    config: dict[str, object],
    library: dict[str, bytes],
    wishes: Wishes,
) -> None:
    """Everything but the restart."""
    if library:
        update.copy_folder(link, library, _progress)
    about = update.read_json(link, "/board.json")
    called = wishes.name or about.get("called")
    park_min = about.get("park_min") if wishes.park_min is None else wishes.park_min
    pins = board.over_stock() | ({"called": called} if called else {})
    pins |= {"park_min": park_min} if park_min else {}
    files = {**bundle.boot_files(), "board.json": _as_json(pins)}
    if config:
        kept = update.read_json(link, "/config.json")
        files["config.json"] = _as_json({**kept, **config})
    # first what starts the firmware: it knows how to start a dongle without a bundle, too
    changed = update.write_whole(link, files)
    is_new = update.install(link, made, _progress)
    if sys.stdout.isatty():
        print("\r" + " " * 64, end="\r")
    _say(f"{made.name} {'copied and verified' if is_new else 'is there already'}")
    if changed:
        _say(f"written: {', '.join(changed)}")


def _as_json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def confirm(link: Link) -> str:
    """What the dongle says of its own start, in words; PacklabError when it says nothing."""
    heard: list[str] = []
    boot = _boot_line(link, heard)
    if boot is None:  # native USB may have come back too late to hear it
        link.start()
        boot = _boot_line(link, heard)
    if boot is None:
        errors = [line for line in heard if "Error" in line]
        said = f" (it says: {errors[-1]})" if errors else ""
        raise PacklabError(
            f"the dongle was filled but does not say that it runs{said}; press its reset button,"
            " then try 'packlab doctor'"
        )
    safe = ", in safe mode: 'packlab doctor' says more" if boot["safe"] == "1" else ""
    return f"the dongle runs: start {boot['number']}{safe}"


def _boot_line(link: Link, heard: list[str]) -> re.Match[str] | None:
    for line in link.lines(_BOOT_S):
        heard.append(line)
        match = BOOT.match(line)
        if match:
            return match
        if line.startswith(ROLLED_BACK):
            raise PacklabError(
                "the new firmware failed to start and the dongle went back to its former one;"
                " please report this, with what 'packlab doctor' says"
            )
    return None

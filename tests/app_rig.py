"""The whole firmware on the virtual board, for tests: compiled once, given a feed, its trace read
back as pins, sounds, lines of the console and starts."""

import functools
import importlib.util
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from deckwatch.outputs.led import COLOURS

from tools.compiled import architecture, compile_folder

if TYPE_CHECKING:
    from conftest import MicroPython

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
BOARD = ROOT / "boards" / "VIRTUAL"
POLL_MS = 12  # of the listening task: what bytes cause shows within so long
LEVEL_MS = 2 * 48 + POLL_MS  # what a level causes: two looks, for it has to last
TELL_MS = 250 + POLL_MS  # what the console says of it

REPLY = "55aa0e2501300100710e2f0003000a0e2b2b7bfe"  # status 1, 3697 mAh, 47 %, 35.94 V, 23 °C
REQUEST = "55aa032201300c9dff"

# How hal/light.py shows each colour of outputs/led.py
_RGB = ("000000", "003000", "000040", "401c00", "500000", "280030")
_COLOUR = dict(zip(_RGB, COLOURS, strict=True))


def _load(path: Path) -> ModuleType:
    """A file of the board's as a module; its folder must not be on the path: it shadows."""
    spec = importlib.util.spec_from_file_location("virtual_" + path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


launch = _load(BOARD / "launch.py")
in_order = launch.in_order
BoardError = launch.BoardError


@dataclass(frozen=True)
class Line:
    """One line of the trace."""

    t_us: int
    kind: str
    rest: str

    @property
    def t_ms(self) -> int:
        return self.t_us // 1000


class Trace:
    """What could be seen and heard of one run."""

    def __init__(self, text: str, lives: int, state: Path) -> None:
        self.text = text
        self.lives = lives
        self.state = state
        self.lines = [_parse(line) for line in text.splitlines()]

    def of(self, *kinds: str) -> list[Line]:
        return [line for line in self.lines if line.kind in kinds]

    def said(self, word: str = "") -> list[str]:
        """What the console said, or those lines of it that begin with a word."""
        return [line.rest for line in self.of("print") if line.rest.startswith(word)]

    def said_at(self, word: str) -> list[int]:
        """When the console began a line with a word, ms."""
        return [line.t_ms for line in self.of("print") if line.rest.startswith(word)]

    def causes(self) -> list[str]:
        """Why the chip started, each time."""
        return [line.rest for line in self.of("boot")]

    def colours(self) -> list[tuple[int, str]]:
        """(ms, colour) of every change of the light's colour."""
        return [(x.t_ms, _COLOUR[x.rest.split()[1]]) for x in self.of("pix")]

    def tones(self) -> list[tuple[int, int]]:
        """(ms, Hz) of every change of the buzzer, 0 = silence."""
        return [(x.t_ms, int(x.rest.split()[1])) for x in self.of("sound")]

    def looks(self) -> list[str]:
        """What the light meant, as the console names it."""
        return [line.split()[1] for line in self.said("look ")]

    def alerts(self) -> list[str]:
        """`CODE STATE LEVEL` of each alert told."""
        return [" ".join(line.split()[1:4]) for line in self.said("alert ")]

    def link(self) -> dict[str, int]:
        """The last counters the console told."""
        pairs = (word.split("=") for word in self.said("link ")[-1].split()[1:])
        return {name: int(value) for name, value in pairs}

    def live(self) -> dict[str, str]:
        """The last values the console told of the first pack."""
        return dict(word.split("=") for word in self.said("live 1")[-1].split()[2:])

    def outputs(self) -> set[int]:
        """Pins that ever were an output, whoever made them so."""
        return set(launch.outputs(self.text.splitlines()))


def _parse(line: str) -> Line:
    words = line.split(" ", 2)
    if not words[0].isdigit() or len(words) < 2:
        return Line(-1, "", line)  # a traceback
    return Line(int(words[0]), words[1], words[2] if len(words) > 2 else "")


@dataclass(frozen=True)
class Dongle:
    """A firmware on a board, compiled for one interpreter."""

    micropython: "MicroPython"
    firmware: Path
    board: Path
    folder: Path

    def run(
        self,
        feed: Iterable[str],
        config: Mapping[str, Any] | str | None = None,
        *,
        firmware: Path | None = None,
        board: Path | None = None,
        state: Path | None = None,
        heap: str = "",
        limit_s: float = 120,
        **options: str,
    ) -> Trace:
        """Run the firmware through a feed. config: the owner's file, as an object or as text.

        state: what an earlier run left, to go on with its flash; else the chip is new.
        """
        state = state or self._new("state")
        if config is not None:
            text = config if isinstance(config, str) else json.dumps(config)
            (state / "flash").mkdir(parents=True, exist_ok=True)
            (state / "flash" / "config.json").write_text(text)
        script = self.folder / "feed.txt"
        script.write_text("".join(line + "\n" for line in feed))
        trace = self.folder / "trace.txt"
        trace.unlink(missing_ok=True)
        lives = launch.run(
            [self.micropython.path], firmware or self.firmware, state, script, trace,
            board=board or self.board, heap=heap, limit_s=limit_s, options=options,
        )  # fmt: skip
        return Trace(trace.read_text(), lives, state)

    def changed(self, part: Path, files: Mapping[str, str]) -> Path:
        """A copy of the firmware (as it is before it is linked) or board in which some files are
        other texts; the names are paths in it."""
        target = self._new(part.name)
        if part == self.firmware:
            part = _apart(self.micropython.path, part.with_name("apart"))
        shutil.copytree(part, target)
        for path, text in files.items():
            place = target / path
            place.with_suffix(".mpy").unlink(missing_ok=True)
            place.write_text(text)
        return target

    def with_pins(self, *lines: str, without: Iterable[str] = ()) -> str:
        """The path of a pins.csv with other lines in it (NAME,GPIOn), and without some names."""
        changed = {line.split(",")[0] for line in lines} | set(without)
        kept = (self.board / "pins.csv").read_text().split()
        path = self._new("pins.csv")
        rows = [*(row for row in kept if row.split(",")[0] not in changed), *lines]
        path.write_text("".join(row + "\n" for row in rows))
        return str(path)

    def _new(self, name: str) -> Path:
        return self.folder / f"{len(list(self.folder.iterdir()))}-{name}"


@functools.cache
def _compiled(path: str, target: Path) -> tuple[Path, Path]:
    """(firmware, board) as .mpy: a start then takes a tenth of a second."""
    firmware, board = target / "firmware", target / "board"
    march = architecture([path])
    compile_folder(FIRMWARE, firmware, march)
    compile_folder(BOARD / "modules", board / "modules", march)
    for name in ("run.py", "pins.csv"):
        shutil.copy(BOARD / name, board)
    return firmware, board


@functools.cache
def _apart(path: str, target: Path) -> Path:
    """The firmware as .mpy, a file for each of its own."""
    compile_folder(FIRMWARE, target, architecture([path]), apart=True)
    return target


def dongle(micropython: "MicroPython", shared: Path, folder: Path) -> Dongle:
    """The firmware as it is copied onto a chip; `shared` is kept for the session."""
    firmware, board = _compiled(micropython.path, shared / str(micropython.bits))
    return Dongle(micropython, firmware, board, folder)


# --- feeds ---------------------------------------------------------------------------------------


def on(at_ms: int = 0) -> list[str]:
    """Both wires rest high from now on."""
    return [f"{at_ms * 1000} {port} !idle" for port in ("host", "bms")]


def off(at_ms: int) -> list[str]:
    """The scooter is switched off: both wires are held low."""
    return [f"{at_ms * 1000} {port} !low" for port in ("host", "bms")]


def frame(body: str) -> str:
    """A Xiaomi frame around a body (length to payload), in hex (sheet xiaomi 2.1)."""
    data = bytes.fromhex(body)
    return "55aa" + body + (0xFFFF - sum(data) & 0xFFFF).to_bytes(2, "little").hex()


def status(
    *, pack_mv: int = 35940, current_ma: int = -30, temps_c: tuple[int, int] = (23, 23),
    soc_pct: int = 47, word: int = 1,
) -> str:  # fmt: skip
    """The answer to the controller's status poll (sheet xiaomi 3); current is positive when it
    charges the pack."""
    words = (word, 3697, soc_pct, -current_ma // 10 & 0xFFFF, pack_mv // 10)
    body = b"\x0e\x25\x01\x30" + b"".join(w.to_bytes(2, "little") for w in words)
    return frame((body + bytes(t + 20 for t in temps_c)).hex())


def cells(cells_mv: Iterable[int]) -> str:
    """The answer that tells the cells."""
    words = b"".join(mv.to_bytes(2, "little") for mv in cells_mv)
    return frame((bytes((len(words) + 2, 0x25, 0x01, 0x40)) + words).hex())


def polls(from_ms: int, to_ms: int, reply: str = REPLY, every_ms: int = 210) -> Iterator[str]:
    """The controller asks for the status and the battery answers, over and over."""
    for t in range(from_ms, to_ms, every_ms):
        yield f"{t * 1000 + 1000} host {REQUEST}"
        if reply:
            yield f"{t * 1000 + 6000} bms {reply}"


def end(at_ms: int) -> str:
    return f"{at_ms * 1000} end"


def press(at_ms: int, for_ms: int) -> list[str]:
    """The button is held for so long."""
    return [f"{at_ms * 1000} pin BUTTON 0", f"{(at_ms + for_ms) * 1000} pin BUTTON 1"]


def merged(*parts: Iterable[str]) -> list[str]:
    """Feeds made one, by time."""
    lines = [line for part in parts for line in part]
    return sorted(lines, key=lambda line: int(line.split()[0]))

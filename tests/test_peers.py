"""Our decoders beside somebody else's: aiobmsble from its registry, on the families it shares with
us, over every recorded frame it takes and over thousands of a fake pack's. `make soak` runs it.

aiobmsble needs Python 3.12; it gets an environment of its own in the user's cache. Without such a
Python, or without a registry, the tests are skipped and say why. Where the two disagree and the
sheets say who is right, the disagreement itself is held (KNOWN).
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from packlab.capture import Chunk
from packlab.decode import decode
from packlab.fake.bench import Order, build
from packlab.fake.line import InOrder
from packlab.proven import given

PACKAGE = "aiobmsble==0.31.0"
SCRIPT = Path(__file__).parent / "peers" / "aiobmsble_decode.py"
SECONDS = 600

pytestmark = pytest.mark.soak


# --- an environment for it -----------------------------------------------------------------------


def pythons() -> Iterator[str]:
    """Interpreters that may be new enough, those of pyenv included."""
    for minor in (12, 13, 14):
        found = shutil.which(f"python3.{minor}")
        if found:
            yield found
    yield from sorted(map(str, Path.home().glob(".pyenv/versions/3.1[2-9].*/bin/python3")))


def is_new_enough(python: str) -> bool:
    code = "import sys; sys.exit(sys.version_info < (3, 12))"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def peer() -> str:
    """A Python that has the package."""
    python = next(filter(is_new_enough, pythons()), None)
    if python is None:
        pytest.skip("aiobmsble needs Python 3.12 or newer, and none was found")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "deckwatch" / PACKAGE.replace("==", "-")
    inside = folder / "bin" / "python"
    if not (folder / "ready").exists():
        if os.environ.get("DECKWATCH_NO_FETCH"):
            pytest.skip(f"{PACKAGE} is not in the cache, and nothing may be fetched")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        install = [str(inside), "-m", "pip", "install", "--quiet", PACKAGE]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["nothing"]
            pytest.skip(f"{PACKAGE} cannot be had: {said[-1]}")
        (folder / "ready").touch()
    return str(inside)


# --- what is put to both -------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """One moment of a board: the frames that tell it, as requests and replies, and how the package
    must be set up for it."""

    bms: str
    answers: dict[str, str]
    set_up: dict[str, int] = field(default_factory=dict)

    def ours(self, family: str) -> dict[str, Any]:
        """What our decoder makes of all its frames."""
        told: dict[str, Any] = {}
        for asked, reply in self.answers.items():
            *_, result = decode([*([asked] if asked else []), reply], family)
            told |= result["values"]
        return told


def chunks(family: str, profile: str, scene: str = "ten_minutes") -> Iterator[str]:
    """What a fake pack says, as hex."""
    line = build(Order(family, profile, scene, master="app"))
    for event in InOrder(line.baud).add(line.advance(SECONDS * 1_000_000)):
        if isinstance(event, Chunk) and event.port == "bms_tx":
            yield event.data.hex()
    line.close()


def recorded(family: str) -> list[str]:
    return [entry["hex"] for entry in given(family) if entry.get("must") != "reject"]


JBD_BASIC, JBD_CELLS = "dda50300fffd77", "dda50400fffc77"


def jbd(frames: list[str]) -> Iterator[Question]:
    """Each basic information with the cells told last."""
    cells = next(frame for frame in frames if frame.startswith("dd0400"))
    for frame in frames:
        if frame.startswith("dd0400"):
            cells = frame
        elif frame.startswith("dd0300"):
            yield Question("jbd_bms", {JBD_BASIC: frame, JBD_CELLS: cells})


def ant(frames: list[str]) -> Iterator[Question]:
    for frame in frames:
        if frame.startswith("7ea111"):
            yield Question("ant_bms", {"": frame})


def ant_old(frames: list[str]) -> Iterator[Question]:
    for frame in frames:
        if frame.startswith("aa55aaff"):
            yield Question("ant_leg_bms", {"": frame})


def jk(frames: list[str], version: int) -> Iterator[Question]:
    """32 cells from version 11 on, 24 before."""
    set_up = {"_sw_version": version, "_prot_offset": 0 if version >= 11 else -32}
    for frame in frames:
        if frame.startswith("55aaeb9002"):
            yield Question("jikong_bms", {"": frame[:600]}, set_up)


D2_STATUS, H81_CELLS, H81_STATE = "d2030000003ed7b9", "8103000000405bfa", "81030041003e8bce"


def d2(frames: list[str]) -> Iterator[Question]:
    for frame in frames:
        if frame.startswith("d2037c"):
            yield Question("daly_bms", {D2_STATUS: frame}, {"_mos_avail": False})


def h81(frames: list[str]) -> Iterator[Question]:
    cells = ""
    for frame in frames:
        if frame.startswith("510380"):
            cells = frame
        elif frame.startswith("51037c") and cells:
            answers = {H81_CELLS: cells, H81_STATE: frame}
            yield Question("daly_bms", answers, {"_mos_avail": False, "_proto": 0x81})


def jk_recorded(layout: str) -> list[str]:
    return [
        entry["hex"]
        for entry in given("jk")
        if entry.get("must") != "reject" and (entry["decoded"] or {}).get("layout") == layout
    ]


# --- how the two are compared --------------------------------------------------------------------


def same(key: str, slot: str, scale: float, within: float = 0.5) -> tuple[str, str, Callable]:
    def fits(theirs: Any, ours: Any) -> bool:
        return abs(theirs * scale - ours) <= within

    return key, slot, fits


def equal(key: str, slot: str) -> tuple[str, str, Callable]:
    return key, slot, lambda theirs, ours: bool(theirs) == ours


def cells_of(theirs: Any, ours: Any) -> bool:
    """It leaves out cells at 0 V."""
    shown = [mv for mv in ours if mv]
    return [round(volt * 1000) for volt in theirs] == shown[: len(theirs)]


def temps_of(theirs: Any, ours: Any) -> bool:
    """An absent probe it tells as what it reads."""
    told = zip(theirs, ours, strict=False)
    return all(dc is None or abs(celsius * 10 - dc) <= 0.5 for celsius, dc in told)


COMMON = (
    same("voltage", "pack_mv", 1000),
    same("current", "current_ma", 1000),
    same("battery_level", "soc_pct", 1, 1),
    same("cycle_charge", "remaining_mah", 1000, 1),
    same("cycles", "cycles", 1),
    same("battery_health", "health_pct", 1),
    equal("chrg_mosfet", "charge_fet"),
    equal("dischrg_mosfet", "discharge_fet"),
    ("cell_voltages", "cell_mv", cells_of),
)
TEMPS = ("temp_values", "temp_dc", temps_of)
MASK = ("balancer", "balance", lambda theirs, ours: theirs == sum(1 << c - 1 for c in ours))
DESIGN = same("design_capacity", "design_mah", 1000, 1000)
FULL = same("design_capacity", "full_mah", 1000, 1000)

# Where the sheets prove the package wrong, and what it says instead (ant.md 4): the board counts
# discharge as positive, and byte 46 is the discharge MOSFET. Not compared: JBD's unit ten times
# larger, whose flag each looks for elsewhere (docs/protocols/jbd.md).
KNOWN = {
    ("ant_bms", "current"): ("current_ma", lambda theirs, ours: round(theirs * -1000) == ours),
    ("ant_bms", "chrg_mosfet"): ("discharge_fet", lambda theirs, ours: theirs == ours),
    ("ant_bms", "dischrg_mosfet"): ("charge_fet", lambda theirs, ours: theirs == ours),
}

CASES: dict[str, tuple[str, tuple[Any, ...], Callable[[], Iterator[Question]]]] = {
    "jbd recorded": ("jbd", (*COMMON, TEMPS, MASK, DESIGN), lambda: jbd(recorded("jbd"))),
    "jbd played": ("jbd", (*COMMON, TEMPS, MASK, DESIGN), lambda: jbd([*chunks("jbd", "plain")])),
    "ant recorded": ("ant", (*COMMON, TEMPS, FULL), lambda: ant(recorded("ant"))),
    "ant played": ("ant", (*COMMON, TEMPS, FULL), lambda: ant([*chunks("ant", "new")])),
    "ant old recorded": ("ant", COMMON, lambda: ant_old(recorded("ant"))),
    "ant old played": ("ant", COMMON, lambda: ant_old([*chunks("ant", "old")])),
    "jk 32 recorded": ("jk", (*COMMON, FULL), lambda: jk(jk_recorded("32S"), 11)),
    "jk 32 played": ("jk", (*COMMON, FULL), lambda: jk([*chunks("jk", "module")], 11)),
    "jk 24 recorded": ("jk", (*COMMON, FULL), lambda: jk(jk_recorded("24S"), 10)),
    "jk 24 played": ("jk", (*COMMON, FULL), lambda: jk([*chunks("jk", "module_24")], 10)),
    "daly d2 recorded": ("daly", (*COMMON, TEMPS), lambda: d2(recorded("daly"))),
    "daly d2 played": ("daly", (*COMMON, TEMPS), lambda: d2([*chunks("daly", "d2")])),
    "daly 81 recorded": ("daly", (*COMMON, TEMPS), lambda: h81(recorded("daly"))),
    "daly 81 played": ("daly", (*COMMON, TEMPS), lambda: h81([*chunks("daly", "81")])),
}


@pytest.mark.parametrize("name", CASES)
def test_both_decoders_say_the_same(name: str, peer: str) -> None:
    family, fields, make = CASES[name]
    questions = list(make())
    told = asked_of(peer, questions)
    counts: Counter[str] = Counter()
    for question, theirs in zip(questions, told, strict=True):
        if "error" in theirs:
            counts["not taken"] += 1
            continue
        ours = question.ours(family)
        for key, slot, fits in fields:
            known = KNOWN.get((question.bms, key))
            if known is not None:
                slot, fits = known
            if key in theirs and slot in ours:
                assert fits(theirs[key], ours[slot]), (key, theirs[key], ours[slot], question)
                counts[key] += 1
    print(f"\n{name}: {len(questions)} moments, {dict(sorted(counts.items()))}")
    assert counts["not taken"] <= len(questions) // 10
    assert min(counts[key] for key in ("voltage", "current", "cell_voltages")) > 0


def asked_of(peer: str, questions: list[Question]) -> list[dict[str, Any]]:
    """The package's answer to each."""
    lines = (
        json.dumps({"bms": each.bms, "set": each.set_up, "answers": each.answers}) + "\n"
        for each in questions
    )
    done = subprocess.run(
        [peer, str(SCRIPT)], input="".join(lines), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_wrong_scale_would_be_noticed(peer: str) -> None:
    question = next(jbd(recorded("jbd")))
    (told,) = asked_of(peer, [question])
    ours = question.ours("jbd")
    fits = COMMON[0][2]
    assert fits(told["voltage"], ours["pack_mv"])
    assert not fits(told["voltage"], ours["pack_mv"] * 10)
    assert not cells_of(told["cell_voltages"], ours["cell_mv"][::-1])

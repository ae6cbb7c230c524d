"""Fake pack -> virtual board -> firmware as flashed, for each family at its real speed and times:
the dongle finds out by itself what it hears, then every value its console tells is the model's of
a moment ago within the wire's resolution, and no frame is lost.

`make soak` plays the hour in which everything happens once; `make test` seventy seconds of
riding. The time recognition took is printed (pytest -s).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, MicroPython
from deckwatch.telemetry import SLOTS_KEPT
from fake_rig import MODEL, Dialect
from packlab.capture import Chunk, Event, Level
from packlab.fake.bench import Order, build
from packlab.fake.bridge import Bridge
from packlab.fake.line import Line
from packlab.made.readings import Readings, Source
from test_fake_families import HOURS, SHORTER
from test_virtual_board import launch

SECOND_US = 1_000_000
BOOTED = b"BOOTED!\r\n"  # what a BotoX says when it wakes: no frame
FRESH_US = 5_700_000  # how long a value counts as known, and the longest frame
DIALECTS: Mapping[tuple[str, str], Dialect] = {**HOURS, **SHORTER}


@dataclass(frozen=True)
class Case:
    """A line. asks: the dongle does, in mode poll; else the family's own master, and an app.
    within_s: recognition must be over so soon after the first bytes, or the first question."""

    family: str
    profile: str
    asks: bool
    within_s: float = 10.0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.family}-{self.profile}"


# The bus goes round in 4.4 s: three of its cycles. A dongle that asks begins after 5 s of silence,
# and each question that is not the right one costs it 0.7 s.
CASES = (
    Case("xiaomi", "m365", asks=False),
    Case("xiaomi", "botox", asks=False),
    Case("ninebot", "es2", asks=False),
    Case("jbd", "tail", asks=False),
    Case("jbd", "plain", asks=True, within_s=30),
    Case("jk", "bus", asks=False, within_s=3 * 4.4),
    Case("jk", "tlv", asks=True, within_s=30),
    Case("ant", "new", asks=True, within_s=30),
    Case("daly", "a5", asks=True, within_s=30),
    Case("daly", "d2", asks=True, within_s=30),
    Case("daly", "81", asks=True, within_s=30),
    Case("vesc", "bms", asks=True, within_s=30),
)
FOR_TEST = ("xiaomi-m365", "ninebot-es2", "jbd-plain", "jk-tlv", "ant-new", "daly-d2", "vesc-bms")


class Tap:
    """Stands between the pack and its fake and keeps what was read when."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read: list[list[Any]] = []  # first and last asked, readings

    def at(self, t_us: int) -> Readings:
        """As the source says."""
        now = self._source.at(t_us)
        if self._read and self._read[-1][2] is now:
            self._read[-1][1] = t_us
        else:
            self._read.append([t_us, t_us, now])
        return now

    def before(self, t_us: int) -> Iterator[Readings]:
        """What was told within the time that values count as known."""
        recent = takewhile(lambda row: row[1] >= t_us - FRESH_US, reversed(self._read))
        return (row[2] for row in recent if row[0] <= t_us)


@dataclass
class Run:
    """One run: the board's trace by time, what passed on the wires (end of each chunk), how often
    a wire fell, the first pack's tap."""

    trace: list[tuple[int, str]]
    passed_us: list[int]
    falls: int
    tap: Tap

    def said(self, word: str) -> list[tuple[int, str]]:
        """What the console said with a first word."""
        begin = f"print {word} "
        return [(t_us, text[len(begin) :]) for t_us, text in self.trace if text.startswith(begin)]


def logged(line: Line) -> list[Event]:
    """What the line lets pass from now on."""
    passed: list[Event] = []
    advance = line.advance

    def noting(t_us: int) -> Iterator[Event]:
        for event in advance(t_us):
            passed.append(event)
            yield event

    line.advance = noting  # type: ignore[method-assign]
    return passed


def play(case: Case, scene: str, seconds: int, folder: Path, micropython: MicroPython) -> Run:
    taps: list[Tap] = []

    def listen_in(source: Source) -> Source:
        taps.append(Tap(source))
        return taps[-1]

    master = "none" if case.asks else "app"
    line = build(Order(case.family, case.profile, scene, master=master), listen_in)
    passed = logged(line)
    flash = folder / "state" / "flash"
    flash.mkdir(parents=True)
    config = {"profile": "auto", "console_s": 1, "bluetooth": 0, **case.options}
    config |= {"mode": "poll", "probe": 1} if case.asks else {}
    (flash / "config.json").write_text(json.dumps(config))
    trace = folder / "trace.txt"
    with Bridge(line, folder, seconds * SECOND_US) as bridge:
        launch.run(
            [micropython.path],
            ROOT / "firmware",
            folder / "state",
            trace=trace,
            limit_s=1800,
            options={"scenario": str(bridge.scenario)},
        )
    line.close()
    rows = (text.partition(" ") for text in trace.read_text().splitlines())
    return Run(
        [(int(t), rest) for t, _, rest in rows if t.isdigit()],
        [event.t_us for event in passed if isinstance(event, Chunk) and event.data != BOOTED],
        sum(isinstance(event, Level) and event.level == "low" for event in passed),
        taps[0],
    )


# --- what must hold ------------------------------------------------------------------------------


def check(case: Case, run: Run, seconds: int) -> None:
    found_us = check_recognition(case, run)
    counts = check_values(case, run)
    check_nothing_is_lost(case, run, found_us, seconds)
    print(f"  {counts.total()} values compared: {dict(sorted(counts.items()))}")


def check_recognition(case: Case, run: Run) -> int:
    """Returns when it was sure. What counts begins with the first byte, or the first question."""
    ((searched, text),) = [row for row in run.said("search:") if " sure" in row[1]]
    begins_us = (
        next(t_us for t_us, rest in run.trace if rest.startswith("tx "))
        if case.asks
        else (run.passed_us[0])
    )
    took_s = (searched - begins_us) / SECOND_US
    print(f"\n{case.name}: {text} after {took_s:.2f} s")
    family, _, baud_text = text.partition(" at ")
    assert family == case.family
    sure_pct = int(baud_text.split(", ")[1].split()[0])
    assert sure_pct >= 90
    assert took_s <= case.within_s
    return searched


def check_values(case: Case, run: Run) -> Counter[str]:
    """Every live line of the first pack."""
    dialect = DIALECTS[case.family, case.profile]
    counts: Counter[str] = Counter()
    live = [(t_us, text) for t_us, text in run.said("live") if text.startswith("1 ")]
    for t_us, text in live:
        told = dict(word.split("=") for word in text.split()[1:])
        recent = list(run.tap.before(t_us))
        for slot, within in dialect.slots.items():
            if slot in told:
                model = dialect.other.get(slot) or MODEL[slot]
                wanted = {model(now) for now in recent}
                got = int(told[slot])
                assert any(abs(got - value) <= within for value in wanted), (
                    t_us,
                    slot,
                    got,
                    wanted,
                )
                counts[slot] += 1
        if dialect.cells and "highest_mv" in told:  # they are fresh
            cells = [int(mv) for mv in told["cell_mv"].split(",")]
            while not cells[-1]:
                cells.pop()
            assert tuple(cells) in {now.cells_mv for now in recent}, (t_us, cells)
            counts["cell_mv"] += 1
        if dialect.probes and "probe_faults" in told:
            check_probes(dialect, told["temp_dc"].split(","), recent, t_us)
            counts["temp_dc"] += 1
    for slot in [slot for slot in dialect.slots if slot in SLOTS_KEPT]:
        assert counts[slot] >= len(live) // 2, (slot, counts, len(live))
    assert len(live) > 20
    return counts


def check_probes(dialect: Dialect, told: list[str], recent: list[Readings], t_us: int) -> None:
    def fits(text: str, dc: int | None) -> bool:
        if dc is None or dialect.zero_is_broken and dc == 0:
            return text == "-" or int(text) == dialect.broken
        return text != "-" and abs(int(text) - dc) <= dialect.temp_dc

    found = told[: dialect.probes]
    wanted = [now.temps_dc[: dialect.probes] for now in recent]
    assert any(
        all(fits(text, dc) for text, dc in zip(found, temps, strict=True)) for temps in wanted
    ), (t_us, found, wanted)


def check_nothing_is_lost(case: Case, run: Run, found_us: int, seconds: int) -> None:
    """A wire that falls is read as a byte of noise; a BotoX that wakes says BOOTED!, no frame."""
    t_us, text = run.said("link")[-1]
    counters = {name: int(value) for name, value in (word.split("=") for word in text.split())}
    if case.profile != "botox":
        assert [counters[name] for name in ("bad_check", "bad_length", "cut")] == [0, 0, 0], text
        assert counters["noise"] == counters["damaged"] <= run.falls, (text, run.falls)
    assert counters["unknown"] == 0, text
    assert not [rest for _, rest in run.trace if rest.startswith("lost ")]
    # Each chunk is one frame at least; the last may still be waited for.
    passed = sum(found_us + 100_000 < end_us < t_us - 200_000 for end_us in run.passed_us)
    assert counters["frames"] >= passed, (counters, passed)
    assert passed > seconds
    assert counters["replies"] > seconds


def soak(cases: tuple[Case, ...]) -> Callable[..., Any]:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@soak(tuple(case for case in CASES if case.name in FOR_TEST))
def test_a_ride_on_the_virtual_board(
    case: Case, tmp_path: Path, micropython64: MicroPython
) -> None:
    check(case, play(case, "ride", 70, tmp_path, micropython64), 40)


@pytest.mark.soak
@soak(CASES)
def test_an_hour_on_the_virtual_board(
    case: Case, tmp_path: Path, micropython64: MicroPython
) -> None:
    check(case, play(case, "hour", 3600, tmp_path, micropython64), 2000)

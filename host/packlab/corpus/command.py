"""What `packlab replay` does with a folder: replays all of it with a progress bar, says what is
not as expected, writes a JUnit file."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from packlab import reading_options
from packlab.corpus.options import add_work_options
from packlab.errors import PacklabError

if TYPE_CHECKING:
    from packlab.corpus.cases import Case
    from packlab.corpus.judge import Outcome
    from packlab.replay import Settings
    from packlab.session import Spoiling


def add_options(parser: argparse.ArgumentParser) -> None:
    """Where the work is done, and what becomes of the outcomes."""
    group = parser.add_argument_group("a folder of captures")
    add_work_options(group)
    group.add_argument("--junit", type=Path, metavar="FILE", help="write the outcomes as JUnit")
    group.add_argument(
        "--update",
        action="store_true",
        help="write the traces as what is expected (.exp) from now on, instead of comparing",
    )


def replay_folder(options: argparse.Namespace, settings: "Settings", spoiling: "Spoiling") -> None:
    """Replay all captures below options.file, compare, and tell; PacklabError when any is not as
    expected."""
    from packlab.corpus import junit
    from packlab.corpus.cases import find
    from packlab.corpus.judge import BAD

    _refuse(options, spoiling)
    settings = replace(settings, telemetry=True)  # the expected traces have it
    reading = reading_options.asked(options, settings.config)
    cases = find([options.file], settings, reading=reading, spoiling=spoiling)
    began = time.monotonic()
    outcomes = _judged(cases, options)
    if options.junit is not None:
        junit.write(outcomes, f"packlab replay {options.file}", options.junit)
    _tell(outcomes, time.monotonic() - began)
    bad = sum(outcome.verdict in BAD for outcome in outcomes)
    if bad:
        raise PacklabError(
            f"{bad} of {len(outcomes)} captures are not as expected, see above; "
            "where the new traces are right, accept them with --update"
        )


def _refuse(options: argparse.Namespace, spoiling: "Spoiling") -> None:
    """What makes no sense for a folder."""
    for name, given in (
        ("json", options.json),
        ("edges", options.edges),
        ("speed", options.speed),
    ):
        if given:
            raise PacklabError(
                f"the traces of a folder are compared, not shown; leave out --{name}"
            )
    if options.update and spoiling.faults:
        raise PacklabError("an expected trace is that of a sound line; leave out --fault")


def _judged(cases: Sequence["Case"], options: argparse.Namespace) -> list["Outcome"]:
    from packlab.corpus.executors import executor
    from packlab.corpus.judge import BAD, FAILED, Outcome, judge
    from packlab.corpus.progress import Bar
    from packlab.corpus.run import spread

    outcomes = []
    with executor(options.executor, options.jobs) as pool, Bar(len(cases)) as bar:
        for case, found in spread(partial(judge, update=options.update), cases, pool):
            outcome = (
                found if isinstance(found, Outcome) else Outcome(case.name, FAILED, str(found))
            )
            bar.advance(outcome.line_s)
            if outcome.verdict in BAD:
                bar.say(f"{outcome.verdict} {outcome.name}: {outcome.detail}")
            outcomes.append(outcome)
    return sorted(outcomes, key=lambda outcome: outcome.name)


def _tell(outcomes: Sequence["Outcome"], wall_s: float) -> None:
    """A line for each that is not simply as before, and the sum."""
    from packlab.corpus.judge import FAILED, SAME
    from packlab.corpus.progress import rate_text
    from packlab.view.units import clock
    from packlab.view.words import count

    for outcome in outcomes:
        if outcome.verdict not in (SAME, FAILED):
            length = clock(outcome.line_s * 1000)
            print(f"{outcome.verdict:8} {length:>10}  {outcome.worst_level:6} {outcome.name}")
    verdicts = [outcome.verdict for outcome in outcomes]
    counted = [f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts)]
    rate = rate_text(sum(outcome.line_s for outcome in outcomes), wall_s)
    number = count(len(outcomes), "capture")
    print(f"{number}, {rate} in {wall_s:.1f} s: {', '.join(counted)}")

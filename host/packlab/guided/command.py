"""`packlab recover` and `packlab commission`: the words of the command line."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packlab import configuration, reading_options
from packlab.diagnose.command import add_replay_options
from packlab.errors import PacklabError

if TYPE_CHECKING:
    from packlab.guided.recover import Recovery
    from packlab.paper import Paper
    from packlab.replay import Settings

_Commands = argparse._SubParsersAction  # the only name argparse has for it
_RECOVERING, _COMMISSIONING = 1, 2  # as firmware sessions.py numbers them
_EVERY_MS = 60_000


def add_command(commands: "_Commands[argparse.ArgumentParser]") -> None:
    """Add `recover` and `commission` to packlab's commands."""
    parser = commands.add_parser(
        "recover",
        help="watch a deeply discharged or unbalanced pack on its way back",
        description="Watch a pack that is balanced from outside or charged gently: each group's "
        "start, slope, distance to the target, time to go, and what says stop.",
    )
    parser.add_argument(
        "--target-mv", type=int, default=0, metavar="MV", help="of a group (default: the median)"
    )
    parser.add_argument(
        "--within-mv", type=int, default=5, metavar="MV", help="what counts as reached (5)"
    )
    _add_common(parser)
    parser.set_defaults(run=_recover)
    parser = commands.add_parser(
        "commission",
        help="go through the checklist for a repaired or new pack",
        description="Judge the checklist for a repaired or new pack: groups counted and balanced, "
        "probes, switches, the end of a charge, the first ride.",
    )
    _add_common(parser)
    parser.set_defaults(run=_commission)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a capture, a kept trace, - for a trace on standard input, or a dongle's port; to "
        "recover also a dongle's journal, which tells of the last session",
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="of a dongle: how long (default: until Ctrl-C)"
    )
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="FILE", help="write it there: .html, .json or text"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    add_replay_options(parser)


def _settings(options: argparse.Namespace, session: tuple[int, int]) -> "Settings":
    from packlab.replay import Settings

    config = configuration.read(options.config, options.profile)
    return Settings(config, options.interpreter, session=session)


def _recover(options: argparse.Namespace) -> None:
    from packlab.guided.pages import as_data, recovery_line, recovery_paper
    from packlab.guided.recover import Recovering
    from packlab.traces import is_capture, trace

    if _is_journal(options.source):
        result = _from_journal(options.source, options.within_mv)
        _hand_over(
            options, recovery_paper(result), as_data(result), f"{result.outcome}: {result.why}"
        )
        return
    settings = _settings(options, (_RECOVERING, options.target_mv))
    attempt = Recovering(_name(options.source), options.target_mv, options.within_mv)
    is_live = not is_capture(options.source) and not Path(options.source).is_file()
    due_ms = _EVERY_MS
    reading = reading_options.asked(options, settings.config)
    for event in trace(options.source, settings, options.seconds, reading):
        attempt.follow(event)
        if is_live and not options.json and attempt.now_ms >= due_ms:
            due_ms = attempt.now_ms + _EVERY_MS
            print(recovery_line(attempt.result(), attempt.now_ms), flush=True)
    result = attempt.result()
    _hand_over(options, recovery_paper(result), as_data(result), f"{result.outcome}: {result.why}")


def _is_journal(source: str) -> bool:
    """A folder, or a file that is neither a capture nor a trace."""
    from packlab.traces import is_capture, is_trace

    path = Path(source)
    return path.is_dir() or path.is_file() and not (is_capture(source) or is_trace(source))


def _from_journal(source: str, within_mv: int) -> "Recovery":
    """The last session a dongle's journal tells of."""
    from packlab.guided.recover import of_note
    from packlab.journal import read

    notes = [record.fields["text"] for record in read(source).records if record.kind == "note"]
    found = [result for note in notes if (result := of_note(_name(source), note, within_mv))]
    if not found:
        raise PacklabError(f"the journal {source} tells of no recovering session")
    return found[-1]


def _commission(options: argparse.Namespace) -> None:
    from packlab.guided.commission import Commission
    from packlab.guided.pages import as_data, commissioning_paper
    from packlab.traces import trace

    settings = _settings(options, (_COMMISSIONING, 0))
    run = Commission(_name(options.source), settings.config)
    reading = reading_options.asked(options, settings.config)
    for event in trace(options.source, settings, options.seconds, reading):
        run.follow(event)
    result = run.result()
    _hand_over(options, commissioning_paper(result), as_data(result), result.outcome)


def _name(source: str) -> str:
    return "standard input" if source == "-" else Path(source).name


def _hand_over(
    options: argparse.Namespace, paper: "Paper", data: dict[str, Any], short: str
) -> None:
    from packlab.paper import keep

    if options.output:
        keep(options.output, paper, data)
        print(f"wrote {options.output}: {short}")
    elif options.json:
        print(json.dumps(data, ensure_ascii=False, indent=1))
    else:
        print(paper.text(), end="")

"""The command `packlab report`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from packlab import reading_options
from packlab.corpus.options import add_replay_options, add_work_options, settings
from packlab.errors import PacklabError

if TYPE_CHECKING:
    from packlab.report.study import Study


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`packlab report`."""
    parser = commands.add_parser(
        "report",
        help="write what captures show as a page to read, print and hand on",
        description="Write one page with plots, findings and tables. Of several captures it has "
        "an index and the packs' trends; of a folder, the index links to a page a capture.",
    )
    add_replay_options(parser)
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("report.html"), metavar="FILE",
        help="the page (default: report.html)",
    )  # fmt: skip
    parser.add_argument("--title", help="of the index (default: the folder's name)")
    add_work_options(parser)
    parser.set_defaults(run=_report)


def _studies(options: argparse.Namespace) -> "tuple[list[Study], list[str]]":
    """Every capture looked at, in the order of their names, and why some could not be."""
    from packlab.corpus.cases import find
    from packlab.corpus.executors import executor
    from packlab.corpus.progress import Bar
    from packlab.corpus.run import spread
    from packlab.report.study import Study, study

    how = settings(options)
    cases = find(options.places, how, reading=reading_options.asked(options, how.config))
    studies, failed = [], []
    with executor(options.executor, options.jobs) as pool, Bar(len(cases)) as bar:
        for _, found in spread(study, cases, pool, in_order=True):
            if isinstance(found, Study):
                studies.append(found)
                bar.advance(found.summary.seconds)
            else:
                failed.append(str(found))
    return studies, failed


def _report(options: argparse.Namespace) -> None:
    from packlab.report.write import write_report

    studies, failed = _studies(options)
    if not studies:
        raise PacklabError(f"no capture could be read: {failed[0]}")
    folders = [place for place in options.places if place.is_dir()]
    title = options.title or (folders or options.places)[0].resolve().name
    pages = write_report(studies, failed, options.out, title, apart=bool(folders))
    for why in failed:
        print(f"left out: {why}")
    print(f"wrote {options.out}" + (f" and {pages} pages in {options.out.stem}/" if pages else ""))

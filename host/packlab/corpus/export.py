"""The command `packlab export`."""

import argparse
from pathlib import Path

from packlab import reading_options
from packlab.corpus.options import add_replay_options, add_work_options, settings
from packlab.errors import PacklabError


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`packlab export`."""
    parser = commands.add_parser(
        "export",
        help="write captures as Parquet tables, for DuckDB or pandas",
        description="Replay captures and write what they tell as Parquet: captures.parquet, "
        "telemetry.parquet (a row a second, a column a slot) and alerts.parquet.",
    )
    add_replay_options(parser)
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER")
    add_work_options(parser)
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    from packlab.corpus.cases import find
    from packlab.corpus.executors import executor
    from packlab.corpus.progress import Bar
    from packlab.corpus.run import spread
    from packlab.corpus.tables import Files, tables

    how = settings(options)
    cases = find(options.places, how, reading=reading_options.asked(options, how.config))
    failed = 0
    with (
        Files(options.out) as files,
        executor(options.executor, options.jobs) as pool,
        Bar(len(cases)) as bar,
    ):
        for case, found in spread(tables, cases, pool, in_order=True):
            if isinstance(found, PacklabError):
                failed += 1
                bar.say(f"{case.name}: {found}")
            else:
                files.add(found)
                bar.advance(found["captures"]["seconds"][0].as_py())
    print(f"wrote {len(cases) - failed} of {len(cases)} captures to {options.out}")
    if failed:
        raise PacklabError(f"{failed} captures were left out, see above; mend or remove them")

"""`packlab scenarios`: its words; play.py makes captures, judge.py compares."""

import argparse
from pathlib import Path

from packlab.errors import PacklabError
from packlab.interpreters import INTERPRETERS


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `scenarios` to packlab's commands."""
    parser = commands.add_parser(
        "scenarios",
        help="hazards, near misses and innocents: make their captures, or judge the firmware",
        description="The scenario library: what each must raise was written down before it was"
        " made. Without options each is replayed and held against that.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    parser.add_argument("--list", action="store_true", help="names, kinds and stories")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the captures there")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (default: 1)")
    parser.add_argument(
        "--interpreter", choices=INTERPRETERS, default="unix", help="what runs the firmware"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from packlab.library.judge import expectations
    from packlab.library.play import tale, tales

    names = options.names or list(tales())
    for name in names:
        tale(name)
    if options.list:
        for name in names:
            told = expectations()[name]
            print(f"{name} ({told['kind']})\n  {told['story']}")
    elif options.write:
        _write(names, options.write, options.seed)
    else:
        _judge(names, options)


def _write(names: list[str], folder: Path, seed: int) -> None:
    from packlab.capture import new_file
    from packlab.library.play import write

    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / f"{name}.cap"
        with new_file(path) as stream:
            write(name, seed, stream)
        print(f"wrote {path}, made with seed {seed}")


def _judge(names: list[str], options: argparse.Namespace) -> None:
    from packlab.library.judge import judge
    from packlab.replay import Settings

    bad = 0
    for name in names:
        verdict = judge(name, Settings(interpreter=options.interpreter), options.seed)
        said = ", ".join(f"{code} {level}" for code, level in verdict.raised.items()) or "nothing"
        wrong = [f"missed: {', '.join(verdict.missed)}"] if verdict.missed else []
        wrong += [f"false: {', '.join(verdict.false)}"] if verdict.false else []
        bad += bool(wrong)
        print(f"{'BAD' if wrong else 'ok ':3} {name}: {'; '.join([said, *wrong])}", flush=True)
    if bad:
        raise PacklabError(f"{bad} of {len(names)} scenarios are not as expected, see above")
    print(f"{len(names)} scenarios: 0 missed, 0 false")

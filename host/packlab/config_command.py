"""`packlab config check|explain|diff`: the words of the command line; options.py knows."""

import argparse
import json
from pathlib import Path
from typing import Any

from packlab import configuration
from packlab.checkout import firmware
from packlab.errors import PacklabError

_Commands = argparse._SubParsersAction  # the only name argparse has for it


def add_command(commands: "_Commands[argparse.ArgumentParser]") -> None:
    """Add `config` to packlab's commands."""
    parser = commands.add_parser(
        "config",
        help="check, explain and compare the dongle's configuration",
        description="Check, explain and compare the dongle's configuration (config.json).",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="name every option that is wrong, with its range",
        description="Name every option the dongle would refuse, with its range.",
    )
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=_check)
    explain = actions.add_parser(
        "explain",
        help="list every option: value in force, where it comes from, default, range, meaning",
        description="List every option with the value in force, where it comes from (default, "
        "chemistry, profile, owner), its default, its range and its meaning.",
    )
    explain.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="default: an empty one"
    )
    explain.add_argument("--profile", metavar="P", help="which pack it is, instead of the file's")
    explain.add_argument("--set", action="store_true", help="only what is not at its default")
    explain.add_argument("--json", action="store_true", help="print one JSON array")
    explain.set_defaults(run=_explain)
    diff = actions.add_parser(
        "diff",
        help="show what differs between two configurations",
        description="Show every option whose value in force differs between two configurations.",
    )
    diff.add_argument("first", metavar="A", help="a file, or the name of a profile")
    diff.add_argument("second", metavar="B")
    diff.set_defaults(run=_diff)


def _check(options: argparse.Namespace) -> None:
    from packlab.options import in_force, shadowed, wrong

    source = configuration.read(options.file, None)
    found = list(wrong(source))
    for sentence in found:
        print(sentence)
    if found:
        what = "1 option is" if len(found) == 1 else f"{len(found)} options are"
        raise PacklabError(f"{options.file}: {what} wrong; the dongle would guard with defaults")
    for sentence in shadowed(source):
        print(f"note: {sentence}")
    owner = sum(row.origin == "owner" for row in in_force(source))
    print(f"{options.file}: good, {owner} of its options set by the owner")


def _explain(options: argparse.Namespace) -> None:
    from packlab.options import in_force

    source = configuration.read(options.file, options.profile)
    _refuse(source, str(options.file or "the command line"))
    rows = in_force(source)
    if options.set:
        rows = [row for row in rows if row.origin != "default"]
    if options.json:
        print(json.dumps([_as_json(row) for row in rows], ensure_ascii=False, indent=1))
        return
    for row in rows:
        option = row.option
        unit = f" {option.unit}" if option.unit and row.value is not None else ""
        print(f"{option.name} = {_said(row.value)}{unit}  ({row.origin})")
        print(f"    {option.meaning}")
        print(f"    default {_said(option.default)}, allowed {option.allowed}")


def _diff(options: argparse.Namespace) -> None:
    from packlab.options import in_force

    sides = []
    for name in (options.first, options.second):
        source = _side(name)
        _refuse(source, name)
        sides.append(in_force(source))
    differing = [
        (one, other) for one, other in zip(*sides, strict=True) if one.value != other.value
    ]
    for one, other in differing:
        unit = f" {one.option.unit}" if one.option.unit else ""
        print(
            f"{one.option.name}: {_said(one.value)} ({one.origin}) -> "
            f"{_said(other.value)} ({other.origin}){unit}"
        )
    if not differing:
        print("no option differs")


def _side(name: str) -> dict[str, Any]:
    if not Path(name).exists() and name in firmware("index").PROFILES:
        return {"profile": name}
    return configuration.read(Path(name), None)


def _refuse(source: dict[str, Any], where: str) -> None:
    from packlab.options import wrong

    found = next(wrong(source), None)
    if found:
        raise PacklabError(f"{where}: {found}; packlab config check names all")


def _said(value: Any) -> str:
    return "null" if value is None else str(value)


def _as_json(row: Any) -> dict[str, Any]:
    option = row.option
    allowed = list(option.choices) or [option.lowest, option.highest]
    return {
        "name": option.name,
        "value": row.value,
        "origin": row.origin,
        "default": option.default,
        "allowed": allowed,
        "null": option.nullable,
        "unit": option.unit,
        "meaning": option.meaning,
    }

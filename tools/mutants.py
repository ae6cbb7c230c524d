"""Mutation testing of the meters and of the judge: breaks the code at one place after another and
looks if a test of that module notices. docs/mutants.md argues the changes no test can notice.

    tools/mutants.py --sample 150 --seed 1      a part, drawn by the seed
    tools/mutants.py meters/cells.py            every mutant of one file
    tools/mutants.py --least 90                 all; fails if fewer are killed (`make soak`)

Each mutant runs in a forked process that has pytest loaded and no line of the firmware yet; the
source on disk is never touched. Table rows are no code: tests/test_guardrails.py holds them.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import io
import os
import random
import signal
import sys
import time
import types
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware/deckwatch"
ARGUED = ROOT / "docs/mutants.md"

# What else than tests/test_NAME.py covers meters/NAME.py; the quickest first.
TESTS = {
    "guardrails/alerts.py": ("alerts", "guardrails"),
    "guardrails/judge.py": ("judge", "guardrails"),
    "meters/cells.py": ("cells", "reports"),
    "meters/frozen.py": ("frozen_data",),
    "meters/median.py": ("reports", "cells", "load"),
    "meters/ocv.py": ("ocv", "curve"),
    "meters/trip.py": ("trip", "load"),
}
# Of the processor: a mutant that turns for ever is stopped, and counts as killed.
LIMIT_S = 120

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
SWAPPED = {"min": "max", "max": "min"}
# The size of a buffer: one byte more changes nothing, one less raises.
BUFFERS = {"array", "bytes", "bytearray"}


@dataclass(frozen=True)
class Mutant:
    """One change. place: the function it is in, if any, and the line without its comment."""

    file: str
    line: int
    place: str
    old: str
    new: str
    tree: ast.Module
    node: ast.AST
    changed: ast.AST

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same while lines move: how docs/mutants.md names it."""
        return (self.file, self.place, self.old, self.new)

    def module(self) -> ast.Module:
        """The whole file with the change; deepcopy takes what its memo holds for a copy."""
        memo = {id(self.node): self.changed}
        return ast.fix_missing_locations(copy.deepcopy(self.tree, memo))


def files() -> list[str]:
    """The files that are broken, as TESTS names them."""
    meters = [f"meters/{path.name}" for path in sorted((FIRMWARE / "meters").glob("[a-z]*.py"))]
    return [*meters, "guardrails/alerts.py", "guardrails/judge.py"]


def tests_of(file: str) -> list[str]:
    """The test files that cover it."""
    return [f"tests/test_{name}.py" for name in TESTS.get(file, (Path(file).stem,))]


def mutants(file: str) -> list[Mutant]:
    """Every change of one file, in the order of its source."""
    source = (FIRMWARE / file).read_text()
    tree = ast.parse(source, file)
    lines = [line.split("  # ")[0].strip() for line in source.splitlines()]
    return [
        Mutant(
            file,
            line,
            f"{scope}: {lines[line - 1]}".removeprefix(": "),
            _first_line(node),
            _first_line(changed),
            tree,
            node,
            changed,
        )
        for scope, node, changed, line in _changes(tree, "")
    ]


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


def _changes(node: ast.AST, scope: str) -> Iterator[tuple[str, ast.AST, ast.AST, int]]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUFFERS:
        return
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        scope = f"{scope}.{node.name}".lstrip(".")
    for changed in _variants(node):
        yield scope, node, ast.copy_location(changed, node), getattr(node, "lineno", 0)
    for child in ast.iter_child_nodes(node):
        yield from _changes(child, scope)


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                swapped = [*ops[:place], COMPARED[type(op)](), *ops[place + 1 :]]
                yield ast.Compare(node.left, swapped, node.comparators)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            yield ast.BinOp(node.left, COMPUTED[type(op)](), node.right)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield ast.Call(ast.Name(SWAPPED[name], ast.Load()), node.args, node.keywords)
        case ast.IfExp(test=test):
            yield ast.IfExp(test, node.orelse, node.body)
        case ast.If(test=test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.AugAssign(op=op):
            if type(op) in COMPUTED:
                yield ast.AugAssign(node.target, COMPUTED[type(op)](), node.value)
            yield ast.Pass()
        case ast.Expr(value=ast.Call()) | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield ast.Pass()


class _Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the broken module before Python finds the sound one."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = "deckwatch." + mutant.file.removesuffix(".py").replace("/", ".")
        self.path = str(FIRMWARE / mutant.file)
        self.code = compile(mutant.module(), self.path, "exec")

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Called by `import`."""
        if fullname != self.name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=self.path)

    def exec_module(self, module: types.ModuleType) -> None:
        """Called by `import`."""
        exec(self.code, module.__dict__)


def passes(file: str, mutant: Mutant | None = None) -> bool:
    """Do the tests of a file pass, with a mutant of it or as it is?"""
    return _ended(_begin(file, mutant))[1]


def _begin(file: str, mutant: Mutant | None) -> int:
    """Runs the tests of a file in a fork; returns its process."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        import pytest

        if mutant:
            sys.meta_path.insert(0, _Broken(mutant))
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            code = int(pytest.main([*options, *tests_of(file)]))
    finally:
        os._exit(code)


def _ended(child: int = -1) -> tuple[int, bool]:
    """Waits for that child, or for any: its process, and whether all tests passed in it."""
    process, status = os.waitpid(child, 0)
    return process, os.waitstatus_to_exitcode(status) == 0


def survivors(chosen: Sequence[Mutant], jobs: int) -> Iterator[Mutant]:
    """Those that no test notices, as they are found."""
    waiting = list(reversed(chosen))
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            running[_begin(mutant.file, mutant)] = mutant
        process, passed = _ended()
        mutant = running.pop(process)
        if passed:
            yield mutant


def argued() -> dict[tuple[str, str, str, str], str]:
    """The rows of docs/mutants.md: a mutant's key and why no test can notice it."""
    found = {}
    for line in ARGUED.read_text().splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 5:
            file, place, old, new, why = (cell.replace("\\|", "|") for cell in cells)
            found[file, place, old, new] = why
    return found


def main(arguments: list[str] | None = None) -> int:
    """Break, test, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="such as meters/cells.py; all")
    parser.add_argument("--sample", type=int, help="only so many, drawn from all")
    parser.add_argument("--seed", type=int, help="of the draw; one is made up and printed")
    parser.add_argument("--least", type=int, default=0, help="percent that must be killed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once")
    options = parser.parse_args(arguments)
    os.chdir(ROOT)
    wanted = options.files or files()
    if strangers := set(wanted) - set(files()):
        parser.error(f"{strangers.pop()} is none of {', '.join(files())}")
    every = [mutant for file in wanted for mutant in mutants(file)]
    seed = options.seed if options.seed is not None else random.randrange(1 << 16)
    chosen = every
    if options.sample and options.sample < len(every):
        drawn = set(random.Random(seed).sample(range(len(every)), options.sample))
        chosen = [mutant for place, mutant in enumerate(every) if place in drawn]
    print(f"{len(chosen)} of {len(every)} mutants, seed {seed}", flush=True)
    return _run(chosen, options.jobs, options.least)


def _run(chosen: list[Mutant], jobs: int, least: int) -> int:
    import hypothesis  # noqa: F401 (loaded once for all forks)
    import pytest  # noqa: F401

    known = argued()
    alive = unargued = 0
    began = time.monotonic()
    for file in dict.fromkeys(mutant.file for mutant in chosen):
        of_file = [mutant for mutant in chosen if mutant.file == file]
        if not passes(file):
            print(f"{file}: {' '.join(tests_of(file))} are red without any mutant")
            return 2
        before = alive
        for mutant in survivors(of_file, jobs):
            alive += 1
            unargued += mutant.key not in known
            why = known.get(mutant.key, "not argued")
            change = f"`{mutant.old}` becomes `{mutant.new}`"
            print(f"  {file}:{mutant.line} {mutant.place}: {change}: {why}", flush=True)
        print(f"{file}: {len(of_file) - alive + before} of {len(of_file)} killed", flush=True)
    killed = len(chosen) - alive
    percent = 100 * killed // max(1, len(chosen))
    took_s = time.monotonic() - began
    print(f"{killed} of {len(chosen)} killed: {percent} %, in {took_s:.0f} s")
    print(f"of {alive} survivors {alive - unargued} are argued in docs/mutants.md")
    return 1 if percent < least else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the tests of one file on its mutants, in forks; the source on disk is never touched.

pytest collects once, with the firmware sound. A fork of that notes which lines of the file each
test reaches, and how long it takes. Then each mutant gets a fork in which the code of its function
is exchanged, or its constant, and the tests that reach its line run, the quickest first, until one
fails. What is used from outside or already while pytest collects is exchanged before Python
imports the file, and pytest collects anew.
"""

import ast
import gc
import importlib.abc
import importlib.machinery
import json
import os
import resource
import signal
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .changes import FIRMWARE, Mutant, parsed

# Of the processor, for pytest to collect and for each test: a mutant that turns for ever is
# stopped, and counts as killed.
COLLECT_S = 20
LEAST_S = 1
TIMES = 3  # what the test has taken, with every line noted

OPTIONS = ["-x", "--assert=plain", "--capture=sys"]
OPTIONS += ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:terminal"]


class Red(Exception):
    """The tests fail on the sound file."""


@dataclass
class Reach:
    """What running the tests has shown: of each the lines it reaches and its seconds of processor
    time; and the lines reached before any ran."""

    seconds: list[float] = field(default_factory=list)
    lines: list[set[int]] = field(default_factory=list)
    before: set[int] = field(default_factory=set)

    def tests(self, reached: set[int] | None) -> list[int]:
        """Those that reach one of these lines, all for None, the quickest first."""
        found = [
            test for test, lines in enumerate(self.lines) if reached is None or lines & reached
        ]
        return sorted(found, key=lambda test: self.seconds[test])

    def limit_s(self, test: int) -> float:
        """How long a mutant may take for it."""
        return LEAST_S + TIMES * self.seconds[test]


def survivors(
    chosen: Sequence[Mutant], tests: Sequence[str], jobs: int
) -> Iterator[tuple[Mutant, bool]]:
    """Those of one file that no test notices, as they are found, and if any test reaches them."""
    report, write = os.pipe()
    child = _fork(lambda: pytest.main([*OPTIONS, *tests], [_Quick(chosen, jobs, write)]))
    os.close(write)
    slow = []
    done = False
    with os.fdopen(report) as lines:
        for line in lines:
            match json.loads(line):
                case {"alive": number, "reached": reached}:
                    yield chosen[number], reached
                case {"slow": number, "tests": limits_s}:
                    slow.append((chosen[number], limits_s))
                case {"done": True}:
                    done = True
    os.waitpid(child, 0)
    if not done:
        raise Red(f"{' '.join(tests)} are red without any mutant")
    runs = [(mutant, _slow(mutant, tests, limits_s)) for mutant, limits_s in slow]
    for mutant in _alive(runs, jobs):
        yield mutant, True


def _slow(mutant: Mutant, tests: Sequence[str], limits_s: dict[str, float]) -> Callable[[], int]:
    def run() -> int:
        _stop_after(COLLECT_S)
        sys.meta_path.insert(0, _Broken(mutant))
        return int(pytest.main([*OPTIONS, *tests], [_Chosen(limits_s)]))

    return run


def _stop_after(seconds: float) -> None:
    """Of processor time."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


Run = tuple[Mutant, Callable[[], int]]


def _alive(runs: Sequence[Run], jobs: int) -> Iterator[Mutant]:
    """Runs each in a fork, so many at once, and gives those that end well."""
    waiting = list(reversed(runs))
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, run = waiting.pop()
            running[_fork(run)] = mutant
        process, status = os.wait()
        mutant = running.pop(process)
        if os.waitstatus_to_exitcode(status) == 0:
            yield mutant


def _fork(run: Callable[[], int]) -> int:
    """Starts `run` in a silent process of its own."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = int(run())
    finally:
        os._exit(code)


class _Quick:
    """The pytest plugin that collects once and lets each mutant run from there."""

    def __init__(self, chosen: Sequence[Mutant], jobs: int, report: int) -> None:
        self.chosen = chosen
        self.jobs = jobs
        self.report = report
        self.file = chosen[0].file
        self.tracer = _Tracer(FIRMWARE / self.file)
        self.tracer.start()

    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """Called by pytest after each part of a test: a failure needs no report, it is the end."""
        if call.excinfo and not call.excinfo.errisinstance(pytest.skip.Exception):
            os._exit(1)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Called by pytest instead of running the tests."""
        reach = Reach(before=self.tracer.stop())
        if session.testsfailed or not _measure(session, self.tracer, reach):
            return True
        gc.freeze()
        module = sys.modules["deckwatch." + self.file.removesuffix(".py").replace("/", ".")]
        runs: list[Run] = []
        numbers = {id(mutant): number for number, mutant in enumerate(self.chosen)}
        for number, mutant in enumerate(self.chosen):
            tests = reach.tests(reached_lines(mutant))
            tests = tests or reach.tests(_lines_of(mutant.where.scope, self.file))
            limits = [(session.items[test], reach.limit_s(test)) for test in tests]
            if not tests:
                self._tell(alive=number, reached=False)
            elif _is_quick(mutant, reach.before):
                runs.append((mutant, _exchanged(mutant, module, limits)))
            else:
                self._tell(slow=number, tests={item.nodeid: limit for item, limit in limits})
        for mutant in _alive(runs, self.jobs):
            self._tell(alive=numbers[id(mutant)], reached=True)
        self._tell(done=True)
        return True

    def _tell(self, **what: object) -> None:
        os.write(self.report, json.dumps(what).encode() + b"\n")


def _measure(session: pytest.Session, tracer: "_Tracer", reach: Reach) -> bool:
    """Runs every test once, in a fork so that nothing of it stays. False if one fails."""
    read, write = os.pipe()

    def run() -> int:
        with os.fdopen(write, "w") as told:
            for item in session.items:
                _forget(item)
                began = _cpu_s()
                tracer.start()
                if not _passes(item):
                    return 1
                lines = tracer.stop()
                json.dump([_cpu_s() - began, sorted(lines)], told)
                told.write("\n")
        return 0

    child = _fork(run)
    os.close(write)
    with os.fdopen(read) as told:
        for line in told:
            seconds, lines = json.loads(line)
            reach.seconds.append(seconds)
            reach.lines.append(set(lines))
    return os.waitpid(child, 0)[1] == 0


def _forget(item: pytest.Item) -> None:
    """Empties the caches of a test's file, so that each test is seen to do all it relies on."""
    for value in vars(getattr(item, "module", None) or object).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _passes(item: pytest.Item) -> bool:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return not item.session.testsfailed


def reached_lines(mutant: Mutant) -> set[int] | None:
    """The lines that show the change: its statement's, for a constant those of the functions that
    name it; None where it may show anywhere."""
    where = mutant.where
    if where.function:
        return set(range(where.first, where.last + 1))
    return _functions_naming(mutant)


def _functions_naming(mutant: Mutant) -> set[int] | None:
    """None for what is no constant of the file's own."""
    name = _own_constant(mutant)
    if not name:
        return None
    lines: set[int] = set()
    for statement in mutant.tree.body:
        names = [node for node in ast.walk(statement) if _is_use(node, name)]
        if names and not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            return None
        for part in ast.walk(statement):
            if isinstance(part, ast.FunctionDef) and any(
                part.lineno <= getattr(node, "lineno", 0) <= (part.end_lineno or 0)
                for node in names
            ):
                lines |= set(range(part.body[0].lineno, (part.end_lineno or 0) + 1))
    return lines


def _is_use(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _own_constant(mutant: Mutant) -> str:
    """The name of the constant of the file's own in whose line the change is."""
    if mutant.where.function or mutant.where.scope:
        return ""
    for statement in mutant.tree.body:
        if statement.lineno == mutant.where.first and isinstance(statement, ast.Assign):
            target = statement.targets[0]
            if isinstance(target, ast.Name) and target.id.startswith("_"):
                return target.id
    return ""


def _lines_of(scope: str, file: str) -> set[int]:
    """All lines of a function's body; none for what is no function."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef) and node.name == scope.rpartition(".")[2]:
            holder = scope.rpartition(".")[0]
            if not holder or any(
                isinstance(outer, ast.ClassDef) and outer.name == holder and node in outer.body
                for outer in parsed(file).body
            ):
                return set(range(node.body[0].lineno, (node.end_lineno or 0) + 1))
    return set()


def _is_quick(mutant: Mutant, before: set[int]) -> bool:
    """Can it be exchanged after the import?"""
    lines = reached_lines(mutant)
    return lines is not None and not lines & before


def _exchanged(
    mutant: Mutant, module: types.ModuleType, limits_s: Sequence[tuple[pytest.Item, float]]
) -> Callable[[], int]:
    def run() -> int:
        exchange(mutant, module)
        for item, limit_s in limits_s:
            _stop_after(limit_s)
            if not _passes(item):
                return 1
        return 0

    return run


def exchange(mutant: Mutant, module: types.ModuleType) -> None:
    """Puts the change into a module that has been imported."""
    changed: dict[str, Any] = {"__name__": module.__name__}
    exec(mutant.code(), changed)
    if name := _own_constant(mutant):
        setattr(module, name, changed[name])
        return
    here: Any = module
    there: Any = types.SimpleNamespace(**changed)
    for name in mutant.where.scope.split("."):
        here, there = getattr(here, name), getattr(there, name)
    here.__code__ = there.__code__


class _Tracer:
    """Notes the lines of one file that Python runs."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._lines: set[int] = set()

    def start(self) -> None:
        self._lines = set()
        sys.settrace(self._called)

    def stop(self) -> set[int]:
        sys.settrace(None)
        return self._lines

    def _called(self, frame: types.FrameType, event: str, argument: object) -> Any:  # noqa: ARG002
        if frame.f_code.co_filename != self._path or frame.f_code.co_name == "<module>":
            return None
        return self._ran

    def _ran(self, frame: types.FrameType, event: str, argument: object) -> Any:  # noqa: ARG002
        self._lines.add(frame.f_lineno)
        return self._ran


class _Chosen:
    """The pytest plugin that runs only these tests, in this order, each for so long at most."""

    def __init__(self, limits_s: dict[str, float]) -> None:
        self.limits_s = limits_s

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Called by pytest after collecting."""
        found = {item.nodeid: item for item in items}
        items[:] = [found[name] for name in self.limits_s]

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Called by pytest before a test."""
        _stop_after(self.limits_s[item.nodeid])


class _Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the broken module before Python finds the sound one."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = "deckwatch." + mutant.file.removesuffix(".py").replace("/", ".")
        self.path = str(FIRMWARE / mutant.file)
        self.code = mutant.code()

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

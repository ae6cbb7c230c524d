"""Mutation testing of the meters and of the judge: breaks the code at one place after another and
looks if a test of that module notices. docs/mutants.md argues the changes no test can notice.

    tools/mutants.py --sample 150 --seed 1      a part, drawn by the seed
    tools/mutants.py meters/cells.py            every mutant of one file
    tools/mutants.py --least 90                 all; fails if fewer are killed (`make soak`)

tools/mutation makes the changes and runs the tests on them. Table rows are no
code: tests/test_guardrails.py holds them.
"""

import argparse
import os
import random
import sys
import time
from dataclasses import dataclass

from mutation.changes import Mutant, mutants
from mutation.known import ROOT, argued, files, tests_of
from mutation.runs import Red, survivors


@dataclass
class _Row:
    """What has come of the mutants of one file, or of all."""

    name: str
    mutants: int = 0
    alive: int = 0
    argued: int = 0

    @property
    def killed(self) -> int:
        """Those that a test has noticed."""
        return self.mutants - self.alive

    @property
    def percent(self) -> int:
        """Rounded down."""
        return 100 * self.killed // max(1, self.mutants)

    def add(self, other: "_Row") -> None:
        """Takes another row into this sum."""
        self.mutants += other.mutants
        self.alive += other.alive
        self.argued += other.argued

    def __str__(self) -> str:
        of_rest = 100 * self.killed / max(1, self.mutants - self.argued)
        return (
            f"{self.name}: {self.killed} of {self.mutants} killed: {self.percent} %; of the other "
            f"{self.alive} argued: {self.argued}; killed of the rest: {of_rest:.1f} %"
        )


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
    known = argued()
    table = [_Row("all")]
    for file in dict.fromkeys(mutant.file for mutant in chosen):
        of_file = [mutant for mutant in chosen if mutant.file == file]
        row = _Row(file, len(of_file))
        began = time.monotonic()
        try:
            for mutant, reached in survivors(of_file, tests_of(file), jobs):
                row.alive += 1
                row.argued += mutant.key in known
                why = known.get(mutant.key, "not argued" if reached else "no test gets there")
                change = f"`{mutant.old}` becomes `{mutant.new}`"
                print(f"  {file}:{mutant.line} {mutant.place}: {change}: {why}", flush=True)
        except Red as red:
            print(f"{file}: {red}")
            return 2
        print(f"{row}, in {time.monotonic() - began:.0f} s", flush=True)
        table[0].add(row)
        table.append(row)
    if len(table) > 2:
        print("\n".join(map(str, table[::-1])))
    return 1 if table[0].percent < least else 0


if __name__ == "__main__":
    sys.exit(main())

"""`packlab completion`: what a shell needs to complete packlab's words; shtab makes it of the
parser itself, so that it knows every option there is."""

import argparse
from collections.abc import Callable

import shtab

SHELLS = ("bash", "zsh", "tcsh")
_WHERE = {
    "bash": "packlab completion bash > ~/.local/share/bash-completion/completions/packlab",
    "zsh": "packlab completion zsh > a folder of $fpath, as _packlab",
    "tcsh": "packlab completion tcsh >> ~/.cshrc",
}


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    whole: Callable[[], argparse.ArgumentParser],
) -> None:
    """Add `completion` to packlab's commands; `whole` makes the parser of all of them."""
    parser = commands.add_parser(
        "completion",
        help="words for your shell, so that it completes packlab's",
        description="Print what a shell needs to complete packlab's words. "
        + "; ".join(f"{shell}: {where}" for shell, where in _WHERE.items()),
    )
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=lambda options: print(shtab.complete(whole(), options.shell)))

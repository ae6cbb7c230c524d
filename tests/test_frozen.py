"""The frozen build's tool: what it says when it cannot build. A build itself needs gcc for 32 bit
and a source tree; CONTRIBUTING.md has the command."""

import subprocess
import sys
from pathlib import Path


def frozen(*arguments: str) -> tuple[int, str]:
    tool = Path(__file__).parent.parent / "tools" / "frozen.py"
    command = [sys.executable, str(tool), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_folder_that_is_no_source_tree(tmp_path: Path) -> None:
    code, said = frozen("--source", str(tmp_path))
    assert code == 1
    assert said == (
        f"frozen.py: {tmp_path} is no MicroPython source tree; give the folder with ports/\n"
    )


def test_a_tree_that_does_not_build(tmp_path: Path) -> None:
    for folder in ("mpy-cross", "ports/unix"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Makefile").write_text("all:\n\t@echo an error here >&2; false\n")
    code, said = frozen("--source", str(tmp_path))
    assert code == 1
    assert said.startswith("frozen.py: mpy-cross does not build: an error here; is gcc-multilib")
    assert said.count("\n") == 1

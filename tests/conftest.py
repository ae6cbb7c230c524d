"""What every test may ask for: the checkout, and MicroPython's unix port, 64 and 32 bit.

With $DECKWATCH_NO_FETCH set nothing is downloaded or built for a test.
"""

import os
import subprocess
from pathlib import Path

import pytest
from app_rig import Dongle, dongle

from tools.compiled import architecture, compile_folder
from tools.interpreters import Interpreter, NoInterpreter, find

ROOT = Path(__file__).resolve().parent.parent


class MicroPython:
    """One interpreter of the unix port, and how the tests run programs on it."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.path = interpreter.path
        self.bits = interpreter.bits

    def run(
        self,
        script: Path,
        *arguments: str,
        heapsize: str | None = None,
        folders: tuple[Path, ...] = (ROOT / "firmware",),
        stdin: bytes = b"",
        timeout_s: float = 60,
    ) -> str:
        """Run `script` and return what it printed; its failure fails the test with its own words.

        `heapsize` is -X heapsize's, such as "96k". `folders` is where modules are looked for, in
        this order and before the frozen ones; the script's own folder comes before them all.
        """
        return self._run([str(script), *arguments], heapsize, folders, stdin, timeout_s)

    def execute(
        self,
        code: str,
        heapsize: str | None = None,
        folders: tuple[Path, ...] = (ROOT / "firmware",),
        stdin: bytes = b"",
    ) -> str:
        """Run `code` as `-c` does and return what it printed."""
        return self._run(["-c", code], heapsize, folders, stdin, 60)

    def _run(
        self,
        arguments: list[str],
        heapsize: str | None,
        folders: tuple[Path, ...],
        stdin: bytes,
        timeout_s: float,
    ) -> str:
        options = ["-X", f"heapsize={heapsize}"] if heapsize else []
        done = subprocess.run(
            [self.path, *options, *arguments],
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            env={**os.environ, "MICROPYPATH": ":".join([*map(str, folders), ".frozen"])},
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, said + done.stderr.decode(errors="replace")
        return said


def _micropython(bits: int) -> MicroPython:
    try:
        return MicroPython(find(bits, fetch="DECKWATCH_NO_FETCH" not in os.environ))
    except NoInterpreter as failure:
        pytest.skip(str(failure))


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The top folder of this checkout."""
    return ROOT


@pytest.fixture(scope="session")
def micropython64() -> MicroPython:
    """The unix port with 64-bit integers."""
    return _micropython(64)


@pytest.fixture(scope="session")
def micropython32() -> MicroPython:
    """The unix port with 32-bit integers, as on the chip; what it counts in bytes is meant."""
    return _micropython(32)


@pytest.fixture(scope="session", params=[64, 32], ids=["unix64", "unix32"])
def micropython(request: pytest.FixtureRequest) -> MicroPython:
    """Each width in turn: the test runs twice."""
    return _micropython(request.param)


@pytest.fixture(scope="session")
def compiled(micropython32: MicroPython, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the firmware and boards/BENCH as .mpy for the 32-bit port."""
    folder = tmp_path_factory.mktemp("compiled")
    march = architecture(micropython32.interpreter.command)
    compile_folder(ROOT / "firmware", folder, march)
    compile_folder(ROOT / "boards" / "BENCH", folder, march)
    return folder


@pytest.fixture
def dongle64(
    micropython64: MicroPython, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> Dongle:
    """The whole firmware on the virtual board, 64 bit, where the width makes no difference."""
    return dongle(micropython64, tmp_path_factory.getbasetemp(), tmp_path)


@pytest.fixture
def dongle32(
    micropython32: MicroPython, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> Dongle:
    """The whole firmware on the virtual board, 32 bit as on the chip."""
    return dongle(micropython32, tmp_path_factory.getbasetemp(), tmp_path)

"""MicroPython's own source tree, for its board and manifest tools; the tests and firmware.py ask.

$MICROPYTHON_SOURCE if it is set, else the source package of the Debian release that also brings
the interpreter, unpacked in the user's cache. Nothing of it enters the checkout.
"""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from interpreters import archive
from interpreters.interpreter import StepFailed
from interpreters.locate import _cache, _only_one
from interpreters.program import complaint

VERSION = "1.25.0+ds-1"
_STEP = "MicroPython's source"
_MARK = "ports/esp32/boards/make-pins.py"


def tree(*, fetch: bool = True) -> Path:
    """The top of the tree; StepFailed says why there is none and what to do."""
    named = os.environ.get("MICROPYTHON_SOURCE")
    if named:
        if (Path(named) / _MARK).is_file():
            return Path(named)
        raise StepFailed(_STEP, f"{named} holds no {_MARK}", "point MICROPYTHON_SOURCE at a tree")
    home = _cache() / f"micropython-tree-{VERSION}"
    with _only_one(home.with_suffix(".lock")):
        if not (home / _MARK).is_file():
            if not fetch:
                raise StepFailed(_STEP, "it is not there yet", "run without DECKWATCH_NO_FETCH")
            _fetch(home)
    return home


def _fetch(home: Path) -> None:
    debian = archive.ARCHIVES["debian"]
    mirrors = archive._mirrors(debian)
    if not mirrors:
        raise StepFailed(_STEP, "apt knows no Debian mirror", "set MICROPYTHON_SOURCE to a tree")
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        work = Path(folder)
        for name in ("state", "lists/partial", "cache/archives/partial", "source"):
            (work / name).mkdir(parents=True)
        (work / "status").touch()
        options = f"signed-by={debian.keyring}"
        line = f"deb-src [{options}] {mirrors[0]} {debian.suite} {debian.components}\n"
        (work / "sources.list").write_text(line)
        conf = work / "apt.conf"
        conf.write_text(archive.APT_CONF.format(work=work, architecture="amd64"))
        apt = ["apt-get", "-q", "-c", str(conf)]
        source = ["source", "--download-only", f"micropython={VERSION}"]
        for command in ([*apt, "--error-on=any", "update"], [*apt, *source]):
            problem = complaint(command, ("E:",), archive.DOWNLOAD_LIMIT_S, work / "source")
            if problem:
                raise StepFailed(_STEP, problem, archive.REMEDY)
        packed = next((work / "source").glob("*.orig.tar.*"))
        with tarfile.open(packed) as tar:
            tar.extractall(work / "tree", filter="data")
        top = next((work / "tree").glob("*/py")).parent
        shutil.rmtree(home, ignore_errors=True)
        top.rename(home)

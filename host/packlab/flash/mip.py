"""aioble, the Bluetooth library the firmware stands on: from MicroPython's package index (mip),
from what an earlier run has kept of it, or from a folder of the owner's. flashing.py calls it.

The index names each file by the beginning of its SHA-256, and the files are copied as everything
else is (update.copy_folder): what has arrived halfway is completed by the next run.
"""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from packlab.errors import PacklabError
from packlab.flash import bundle

INDEX = "https://micropython.org/pi/v2"
PACKAGES = ("aioble-peripheral", "aioble-server")  # with aioble-core, on which both depend
NONE = "none"

_MPY = 6  # version of the .mpy files that MicroPython 1.19 and later load
_LIMIT_S = 30


def library(wanted: str | None, chip: str) -> dict[str, bytes]:
    """aioble's files by their paths on a dongle; {} for `none`.

    wanted: "none", a folder that holds aioble/, or None for the index. PacklabError says how to do
    without the net.
    """
    if wanted == NONE:
        return {}
    if wanted is None:
        return {f"/lib/{path}": data for path, data in _from_index().items()}
    folder = Path(wanted)
    if not folder.is_dir():
        raise PacklabError(f"--aioble {folder} is no folder; name the one that holds aioble/")
    return bundle.compile_library(folder, chip)


def _from_index() -> dict[str, bytes]:
    kept = _cache()
    if (kept / "whole").exists():
        return {
            path.relative_to(kept / "files").as_posix(): path.read_bytes()
            for path in sorted((kept / "files").rglob("*.mpy"))
        }
    found: dict[str, bytes] = {}
    for package in PACKAGES:
        _add(package, "latest", found)
    for path, data in found.items():
        target = kept / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    (kept / "whole").touch()
    return found


def _add(package: str, version: str, found: dict[str, bytes]) -> None:
    """A package and all it depends on."""
    about = json.loads(_get(f"package/{_MPY}/{package}/{version}.json"))
    for path, mark in about.get("hashes", ()):
        data = _get(f"file/{mark[:2]}/{mark}")
        if not bundle.sha256(data).startswith(mark):
            raise PacklabError(f"{path} came damaged from {INDEX}; repeat the command")
        found[path] = data
    for other, its_version in about.get("deps", ()):
        _add(other, its_version, found)


def _get(path: str) -> bytes:
    try:
        with urllib.request.urlopen(f"{INDEX}/{path}", timeout=_LIMIT_S) as answer:
            data: bytes = answer.read()
            return data
    except (urllib.error.URLError, OSError) as error:
        raise PacklabError(
            f"aioble could not be fetched ({getattr(error, 'reason', error)}); give the folder"
            " that holds aioble/ with --aioble, or --aioble none to do without Bluetooth"
        ) from None


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "deckwatch" / "aioble"

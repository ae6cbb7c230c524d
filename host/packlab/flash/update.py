"""Puts a bundle onto a dongle without ever leaving it without firmware.

The dongle has two slots (firmware/boot.py). The bundle goes into the one that is not in use; only
what differs is sent, and what the other slot has already is copied on the dongle. When every
file's hash has been read back right, one commit to the NVS makes the next start use it, on trial.
Interrupted anywhere before that, the dongle starts as it did; the next run goes on from there.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from packlab.errors import PacklabError
from packlab.flash.bundle import LIST, Bundle, sha256
from packlab.flash.link import Full, Link

SLOTS = {1: "/app1", 2: "/app2"}
_BLOCK = 4096  # LittleFS gives out whole ones
_SPARE_BLOCKS = 8  # for folders, and for what the firmware itself will keep

# What runs on the dongle. Each piece is given whole, so that nothing depends on an earlier one.
_STATE = """
import json, os
from esp32 import NVS
def number(key):
    try:
        return NVS("deckwatch").get_i32(key)
    except OSError:
        return 0
v = os.statvfs("/")
print(json.dumps([number("slot"), number("trial"), v[0] * v[3]]))
"""

_HASHES = """
import hashlib, os
from binascii import hexlify
def walk(path):
    try:
        mode = os.stat(path)[0]
    except OSError:
        return
    if mode & 0x4000:
        for entry in os.ilistdir(path):
            walk(path + "/" + entry[0])
        return
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while True:
            block = f.read(512)
            if not block:
                break
            h.update(block)
    print(hexlify(h.digest()).decode(), path)
for path in {paths!r}:
    walk(path)
"""

_FOLDERS = """
import os
for folder in {folders!r}:
    try:
        os.mkdir(folder)
    except OSError:
        pass
"""

_REMOVE = """
import os
for path in {paths!r}:
    os.remove(path)
"""

_COPY = """
for old, new in {pairs!r}:
    with open(old, "rb") as a, open(new, "wb") as b:
        while True:
            block = a.read(512)
            if not block:
                break
            b.write(block)
"""

_RENAME = """
import os
os.rename({new!r}, {path!r})
"""

_SWAP = """
from esp32 import NVS
nvs = NVS("deckwatch")
nvs.set_i32("slot", {slot})
nvs.set_i32("trial", 1)
nvs.set_i32("failed", 0)
nvs.commit()
"""

_FORGIVE = """
from esp32 import NVS
nvs = NVS("deckwatch")
try:
    on_trial = nvs.get_i32("trial") > 0
except OSError:
    on_trial = False
if not on_trial:  # there 0 would say that it has passed
    nvs.set_i32("failed", 0)
    nvs.commit()
"""

Report = Callable[[str], None]


@dataclass(frozen=True)
class State:
    """slot: 1, 2, or 0 for a dongle never flashed; trial: see firmware/boot.py; free: bytes."""

    slot: int
    trial: int
    free: int


def state(link: Link) -> State:
    """How the dongle stands."""
    return State(*link.ask(_STATE, "its state was read"))


def hashes(link: Link, paths: list[str]) -> dict[str, str]:
    """SHA-256 by path of the dongle's files, and of all below its folders, that are there."""
    said = link.run(_HASHES.format(paths=paths), "its files were compared")
    lines = (line.split(" ", 1) for line in said.splitlines())
    return {path.strip(): digest for digest, path in lines}


def install(link: Link, bundle: Bundle, report: Report) -> bool:
    """Bring a bundle onto the dongle and make the next start use it; False if it is in use
    already. The firmware must have been stopped. Failed starts of before are forgotten either way.
    """
    before = state(link)
    there = hashes(link, list(SLOTS.values()))
    if before.slot and _holds(there, SLOTS[before.slot], bundle):
        link.run(_FORGIVE, "failed starts were forgotten")
        return False
    slot = 2 if before.slot == 1 else 1
    _fill(link, SLOTS[slot], bundle, there, before.free, report)
    link.run(_SWAP.format(slot=slot), "the new firmware was put in charge")
    return True


def write_whole(link: Link, files: Mapping[str, bytes]) -> list[str]:
    """Replace files in the root of the dongle's flash, each at once; only those that differ.
    Returns their names."""
    changed = []
    there = hashes(link, [f"/{name}" for name in files])
    for name, data in files.items():
        path, new = f"/{name}", f"/{name}.new"
        if there.get(path) == sha256(data):
            continue
        link.write(new, data)
        _verify(link, {new: sha256(data)})
        link.run(_RENAME.format(new=new, path=path), f"{name} was replaced")
        changed.append(name)
    return changed


def copy_folder(link: Link, files: Mapping[str, bytes], report: Report) -> None:
    """Put files, given by absolute path, onto the dongle; only those that differ."""
    there = hashes(link, list(files))
    sent = {path: data for path, data in files.items() if there.get(path) != sha256(data)}
    link.run(_FOLDERS.format(folders=_folders(sent)), "folders were made")
    for path, data in sent.items():
        report(path)
        link.write(path, data)
    _verify(link, {path: sha256(data) for path, data in sent.items()})


def _holds(there: Mapping[str, str], slot: str, bundle: Bundle) -> bool:
    wanted = {f"{slot}/{path}": sha256(data) for path, data in bundle.files.items()}
    wanted[f"{slot}/{LIST}"] = sha256(bundle.list_file())
    return wanted == {path: it for path, it in there.items() if path.startswith(f"{slot}/")}


def _fill(
    link: Link,
    slot: str,
    bundle: Bundle,
    there: Mapping[str, str],
    free: int,
    report: Report,
) -> None:
    """Make a slot hold the bundle, whatever it holds now."""
    wanted = {f"{slot}/{path}": sha256(data) for path, data in bundle.files.items()}
    # its list goes first: from here on the slot is not whole, and never started
    stale = [path for path in there if path.startswith(f"{slot}/") and path not in wanted]
    stale.sort(key=lambda path: not path.endswith(f"/{LIST}"))
    link.run(_REMOVE.format(paths=stale), "old files were removed")
    missing = [path for path, digest in wanted.items() if there.get(path) != digest]
    room = sum(-(-len(bundle.files[path[len(slot) + 1 :]]) // _BLOCK) + 1 for path in missing)
    if free < (room + _SPARE_BLOCKS) * _BLOCK:
        raise _no_room(f"{free // 1024} KB are free, {room * _BLOCK // 1024} KB are needed")
    link.run(_FOLDERS.format(folders=_folders(wanted)), "folders were made")
    try:
        _send(link, slot, bundle, there, missing, report)
        _verify(link, wanted)
        link.write(f"{slot}/{LIST}", bundle.list_file())
    except Full as full:
        left = list(hashes(link, [slot]))
        link.run(_REMOVE.format(paths=left), "room was made again")
        raise _no_room(str(full)) from full


def _send(
    link: Link,
    slot: str,
    bundle: Bundle,
    there: Mapping[str, str],
    missing: list[str],
    report: Report,
) -> None:
    """Copy on the dongle what its other slot has; send the rest."""
    at = {digest: path for path, digest in there.items() if not path.startswith(f"{slot}/")}
    for path in missing:
        data = bundle.files[path[len(slot) + 1 :]]
        twin = at.get(sha256(data))
        report(path)
        if twin is not None:
            link.run(_COPY.format(pairs=[(twin, path)]), f"{path} was copied")
        else:
            link.write(path, data)


def _verify(link: Link, wanted: Mapping[str, str]) -> None:
    there = hashes(link, list(wanted))
    wrong = [path for path, digest in wanted.items() if there.get(path) != digest]
    if wrong:
        raise PacklabError(
            f"{wrong[0]} arrived damaged ({len(wrong)} files); the dongle keeps its former"
            " firmware: try a shorter cable and run it again"
        )


def _folders(paths: Mapping[str, object]) -> list[str]:
    """All folders that hold the files, the outer ones first."""
    found = set()
    for path in paths:
        parts = path.split("/")[1:-1]
        found |= {"/" + "/".join(parts[: i + 1]) for i in range(len(parts))}
    return sorted(found)


def _no_room(said: str) -> PacklabError:
    return PacklabError(
        f"{said}; the dongle keeps its former firmware: delete files of yours on it, or flash one"
        " family only with --family"
    )


def read_json(link: Link, path: str) -> dict[str, object]:
    """A JSON object kept on the dongle, {} when there is none or it is damaged."""
    code = f"try:\n print(open({path!r}).read())\nexcept OSError:\n print('{{}}')"
    try:
        found = json.loads(link.run(code, f"{path} was read"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

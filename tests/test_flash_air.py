"""Bluetooth at flash time: aioble from MicroPython's package index, from what is kept of it or
from a folder, and the owner's key, made once and shown once."""

import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno
from dongle import Dongle, plugged_in
from packlab.errors import PacklabError
from packlab.flash import mip
from packlab.flash.link import Link
from packlab.key import keys
from test_flash import AT, packlab

CORE = {"aioble/core.mpy": b"M\x06core"}
FILES = {
    "aioble-peripheral": {**CORE, "aioble/peripheral.mpy": b"M\x06peripheral"},
    "aioble-server": {**CORE, "aioble/server.mpy": b"M\x06server"},
}
ALL = {f"/lib/{path}": data for files in FILES.values() for path, data in files.items()}


class Index:
    """MicroPython's package index as mip finds it, on this machine; `asked` counts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        for name, files in FILES.items():
            marks = {path: hashlib.sha256(data).hexdigest()[:8] for path, data in files.items()}
            self.put(f"package/6/{name}/latest.json", json.dumps({"hashes": [*marks.items()]}))
            for path, data in files.items():
                self.put(f"file/{marks[path][:2]}/{marks[path]}", data)

    def put(self, path: str, content: bytes | str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    index = Index(tmp_path / "index")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            index.asked.append(self.path)

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(index.folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(mip, "INDEX", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(mip, "_cache", lambda: tmp_path / "kept")
    yield index
    server.shutdown()
    server.server_close()


@pytest.fixture
def dongle(tmp_path: Path) -> Iterator[Dongle]:
    with plugged_in(tmp_path / "state") as plugged:
        yield plugged


def test_index_is_asked_once_and_then_kept(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mip.library(None, "esp32c3") == ALL
    assert len(index.asked) == 6
    monkeypatch.setattr(mip, "INDEX", "http://127.0.0.1:1")  # nobody is there any more
    assert mip.library(None, "esp32c3") == ALL


def test_damaged_file_is_refused_and_not_kept(index: Index) -> None:
    mark = hashlib.sha256(CORE["aioble/core.mpy"]).hexdigest()[:8]
    index.put(f"file/{mark[:2]}/{mark}", b"M\x06c0re")
    with pytest.raises(PacklabError, match=r"aioble/core\.mpy came damaged"):
        mip.library(None, "esp32c3")
    index.put(f"file/{mark[:2]}/{mark}", CORE["aioble/core.mpy"])
    assert mip.library(None, "esp32c3") == ALL


def test_packages_that_need_others(index: Index) -> None:
    index.put("package/6/aioble-server/latest.json", json.dumps({"deps": [["more", "1.2"]]}))
    mark = hashlib.sha256(b"x").hexdigest()[:8]
    index.put("package/6/more/1.2.json", json.dumps({"hashes": [["more.mpy", mark]]}))
    index.put(f"file/{mark[:2]}/{mark}", b"x")
    assert mip.library(None, "esp32c3")["/lib/more.mpy"] == b"x"


@pytest.mark.usefixtures("index")
def test_key_is_made_once_and_shown_once(dongle: Dongle, tmp_path: Path) -> None:
    folder = tmp_path / "own" / "aioble"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("x = 1\n")
    command = ["flash", *AT[2:], dongle.port, "--family", "vesc", "--page", "https://x/app/"]
    code, out, err = packlab(*command, "--aioble", str(folder.parent))
    assert (code, err) == (0, "")
    assert "lib/aioble/__init__.mpy" in dongle.files()
    stored = json.loads((dongle.state / "nvs.json").read_text())["deckwatch"]["bowner"]
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("the owner's key, shown"))
    name = lines[at + 1].split()[1]
    assert name.startswith("DW-")
    assert lines[at + 2].split() == ["key", stored]
    assert lines[-1] == "the dongle runs: start 1"

    # what the picture says: its dark and light halves are the code's own
    code_ = segno.make(f"https://x/app/#d={name}&k={stored}", error="m")
    rows = [*code_.matrix_iter(border=2)]
    drawn = [
        pair for line in lines[at - 1 - (len(rows) + 1) // 2 : at - 1] for pair in halves(line)
    ]
    assert drawn[: len(rows)] == [[int(bit) for bit in row] for row in rows]

    _, again, _ = packlab(*command)  # from the index now
    assert "owner's key" not in again
    assert json.loads((dongle.state / "nvs.json").read_text())["deckwatch"]["bowner"] == stored
    assert dongle.files()["lib/aioble/server.mpy"] == b"M\x06server"


def halves(line: str) -> tuple[list[int], list[int]]:
    """Upper and lower modules of a line of half blocks, which are the light on a dark ground."""
    return [int(c not in "▀█") for c in line], [int(c not in "▄█") for c in line]


def test_without_the_net_it_guards_without_bluetooth(
    dongle: Dongle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mip, "INDEX", "http://127.0.0.1:1")
    monkeypatch.setattr(mip, "_cache", lambda: tmp_path / "kept")
    code, out, err = packlab("flash", *AT[2:], dongle.port, "--family", "vesc")
    assert (code, err) == (0, "")
    said = out.splitlines()
    assert said[0].startswith("without Bluetooth for now: aioble could not be fetched (")
    assert "with --aioble" in said[0]
    assert said[-1] == "the dongle runs: start 1"
    assert "owner's key" not in out
    with Link(dongle.port) as link:
        link.enter()
        assert keys.read(link) is None

"""A traceback from a dongle: its short names become those of the sources, where it runs what this
checkout makes."""

import ast
import json
from pathlib import Path

import pytest
from conftest import ROOT
from dongle import plugged_in
from packlab import cli
from packlab.flash import bundle, crash, examine
from packlab.linking import Origins, link, origins

# What ends with a `finally` stands in no caller.
TEXTS = {
    "deckwatch/__init__.py": "",
    "deckwatch/app.py": """
from deckwatch.pipeline import Pipeline
class App:
    def run(self):
        self._start()
    def _start(self):
        core = Pipeline()
        core.tick()
        core.tick()
""",
    "deckwatch/pipeline.py": """
from deckwatch.judge import Judge
from deckwatch.link import Link, counted
class Pipeline:
    def __init__(self):
        self.judge = Judge()
        self.line = Link()
    def tick(self):
        try:
            self.judge.watch()
            return self.line.watch()
        finally:
            self.judge.state = 0
""",
    "deckwatch/judge.py": """
class Judge:
    def __init__(self):
        self.state = 0
    def watch(self):
        self._weigh()
        self._weigh()
    def _weigh(self):
        try:
            raise ValueError(self.state)
        finally:
            self.state = 1
""",
    "deckwatch/link.py": """
class Link:
    def __init__(self):
        self.level = counted(3) or counted(4)
    def watch(self):
        self._measure()
        self._measure()
    def _measure(self):
        try:
            raise OSError(self.level)
        finally:
            self.level = None
def counted(number):
    try:
        return range(number)
    finally:
        number = 0
""",
}
FILE = "deckwatch/pipeline.py"


def short(known: Origins, name: str) -> str:
    """What the linker calls a function, by its name with the class."""
    (found,) = (
        called for called, every in known.files[FILE].items() if name in [o.name for o in every]
    )
    return found


def meant(known: Origins, *names: str) -> list[list[str]]:
    """What a traceback through these functions may be."""
    frames = [(FILE, short(known, name)) for name in names]
    return [[origin.name for origin in every] for every in known.meant(frames)]


def test_every_function_of_the_linked_firmware_has_an_origin() -> None:
    paths = sorted((ROOT / "firmware" / "deckwatch").rglob("*.py"))
    texts = {path.relative_to(ROOT / "firmware").as_posix(): path.read_text() for path in paths}
    known = origins(texts)
    found = 0
    for path, text in link(texts).items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                every = known.files[path][node.name]
                assert all(f"def {one.name.split('.')[-1]}(" in texts[one.path] for one in every)
                found += 1
    assert found > 450
    named = {str(one) for every in known.files["deckwatch/app.py"].values() for one in every}
    assert "App.run (deckwatch/app.py)" in named
    assert "Light.show (deckwatch/hal/light.py)" in named


def test_a_name_of_many_is_told_by_who_calls_and_who_is_called() -> None:
    known = origins(TEXTS)
    # both classes' methods that only they know have the same short names
    assert short(known, "Judge._weigh") == short(known, "Link._measure")
    assert meant(known, "Judge._weigh") == [["Judge._weigh", "Link._measure"]]
    # down a chain, and up it
    assert meant(known, "Pipeline.tick", "Link.watch", "Link._measure")[0] == ["Pipeline.tick"]
    assert meant(known, "Pipeline.__init__", "counted") == [["Link.__init__"], ["counted"]]
    # a frame between that is none of ours forbids nothing
    frames = [(FILE, short(known, "Pipeline.tick")), ("asyncio/core.py", "x")]
    outer, inner = known.meant(frames)
    assert "Pipeline.tick" in [one.name for one in outer]
    assert inner == []


def test_what_stands_in_its_caller_is_said_by_it() -> None:
    (run,) = origins(TEXTS).files["deckwatch/app.py"]["run"]
    assert run.name == "App.run"
    assert {"Pipeline", "tick"} <= run.says  # as its _start does, which is no function any more


def test_a_traceback_is_taken_in_to_its_last_line() -> None:
    taken = crash.Crash()
    lines = [
        '  File "main.py", line 17, in main',
        'File "app", line 1',
        "OSError: 5",
        "look off 0",
    ]
    assert [taken.take(line) for line in lines] == [True, True, True, False]
    assert taken.frames == [("main.py", "17", "main"), ("app", "1", "")]
    assert list(crash.explained(taken, {})) == [
        "OSError: 5",
        "  in main (main.py, line 17)",
        "  in a file (app)",
        "  (names as on the dongle: it runs nothing that 'packlab flash' has put there)",
    ]


@pytest.mark.usefixtures("micropython64")
def test_doctor_tells_a_crash_as_the_sources_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(examine, "_LISTEN_S", 0.5)
    state = tmp_path / "state"
    made = bundle.build("esp32c3", "xiaomi")
    with plugged_in(state) as dongle:
        flash = ["--board", "ESP32_C3_MINI", "--port", dongle.port, "--aioble", "none"]
        assert cli.main(["flash", *flash, "--family", "xiaomi"]) == 0
        (dongle.flash / "app1" / "deckwatch" / "protocols" / "xiaomi.mpy").unlink()
        capsys.readouterr()
        assert cli.main(["doctor", dongle.port]) == 0
        told = capsys.readouterr().out
        assert (
            "crash     ImportError: no module named 'deckwatch.protocols.xiaomi'\n"
            "            in main (main.py, line 17)\n"
            "            in App.__init__ (deckwatch/app.py)\n"
            "            in Pipeline.__init__ (deckwatch/pipeline.py)\n"
            "            in load_protocol (deckwatch/pipeline.py)\n"
            "now       start "
        ) in told
        listing = dongle.flash / "app1" / "bundle.json"
        listing.write_text(json.dumps({**made.listing, "name": "0.0.9-abcdef12"}))
        assert cli.main(["doctor", dongle.port]) == 0
        told = capsys.readouterr().out
        assert "App.__init__" not in told
        assert "            in __init__ (pipeline)\n" in told
        why = f"names as on the dongle: it runs 0.0.9-abcdef12, and this packlab makes {made.name}"
        assert f"            ({why})\nnow " in told

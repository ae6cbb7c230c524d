"""The firmware on the virtual board with aioble in its flash and phones around it: the real aioble
where MicroPython itself would look for it, else the stand-in of tests/unix/standin.

`python3 -m mpremote mip install aioble` puts the real one on a dongle; for the tests
`micropython -m mip install aioble` puts it where LIBRARY looks.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from app_rig import Dongle, Trace
from line_rig import status, words, xiaomi

UNIX = Path(__file__).resolve().parent / "unix"
REAL = Path.home() / ".micropython" / "lib" / "aioble"
STANDIN = UNIX / "standin" / "aioble"
LIBRARY = REAL if (REAL / "server.py").exists() else STANDIN
NAME = "aioble" if LIBRARY is REAL else "aioble-stand-in"

KEY = bytes(range(16)).hex()
NORMAL = [xiaomi(0x25, 0x01, 0x30, status(current_ma=-12340, pack_mv=37135)).hex()]
CELLS = [xiaomi(0x25, 0x01, 0x40, words([3700 + 3 * i for i in range(10)])).hex()]
HOT = [xiaomi(0x25, 0x01, 0x30, status(temps_c=(62, 61))).hex()]


def run(
    dongle: Dongle,
    scenario: str,
    tmp_path: Path,
    config: dict[str, Any] | None = None,
    library: Path | None = LIBRARY,
    key: str = KEY,
    heap: str = "",
    limit_s: float = 300,
    **constants: Any,
) -> Trace:
    """Run a scenario of tests/unix. constants: what it imports from ble_setup, beside the frames;
    library: which aioble, None = none; key: the owner's, "" = a new dongle."""
    folder = tmp_path / "scenario"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in (f"{scenario}.py", "ble_world.py"):
        shutil.copy(UNIX / name, folder / name)
    given = {"KEY": key or KEY, "NORMAL": NORMAL + CELLS, "HOT": HOT + CELLS, **constants}
    setup = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    (folder / "ble_setup.py").write_text(setup)
    state = tmp_path / "state"
    if not state.exists():
        (state / "flash" / "lib").mkdir(parents=True)
        if library:
            shutil.copytree(library, state / "flash" / "lib" / "aioble")
        if key:
            (state / "nvs.json").write_text(json.dumps({"deckwatch": {"bowner": key}}))
    return dongle.run(
        [], {"console_s": 1, **(config or {})}, state=state, heap=heap, limit_s=limit_s,
        scenario=str(folder / f"{scenario}.py"),
    )  # fmt: skip


def on_air(trace: Trace) -> list[tuple[int, list[str]]]:
    """(ms, words) of everything the radio did."""
    return [(line.t_ms, line.rest.split()) for line in trace.of("ble")]


def heard(trace: Trace, link: int, name: str) -> list[tuple[int, bytes]]:
    """(ms, value) of each notification of a characteristic on a link."""
    return [
        (ms, bytes.fromhex(words[3].replace("-", "")))
        for ms, words in on_air(trace)
        if words[0] in ("notify", "indicate") and words[1] == str(link) and words[2] == name
    ]


def packets(trace: Trace) -> list[tuple[int, bytes, bytes]]:
    """(ms, advertisement, scan response) each time one began."""
    return [
        (ms, bytes.fromhex(words[2]), bytes.fromhex(words[3]))
        for ms, words in on_air(trace)
        if words[0] in ("adv", "beacon")
    ]

"""Whatever takes a capture takes it in every format: replay of a file and of a folder, and all
that is built on it; somebody else's raw levels with a speed from the command line, the profile
or the edges."""

import json
from pathlib import Path

import pytest
from conftest import ROOT
from packlab import formats
from packlab.cli import main
from packlab.convert import convert
from packlab.corpus.cases import find
from packlab.formats import all_formats
from packlab.replay import Settings

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"
EXPECTED = REAL.with_suffix(".exp").read_text("utf-8")
ENDINGS = [one.suffix for one in all_formats()]
RAW = [one.suffix for one in all_formats() if not one.keeps_chunks]
CPYTHON = ("--interpreter", "cpython")


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


def foreign(path: Path, baud: int, data: bytes) -> Path:
    """Raw levels of one wire as a logic analyser exports them; nothing in it says the speed."""
    bit_s, t_s = 1 / baud, 1.0
    rows = ["Time [s],Channel 0", "0.000000000,1"]
    level = 1
    for byte in data:
        for number, bit in enumerate((0, *(byte >> place & 1 for place in range(8)), 1)):
            if bit != level:
                rows.append(f"{t_s + number * bit_s:.9f},{bit}")
                level = bit
        t_s += 11 * bit_s
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [*ENDINGS, ".sr.gz"])
def test_the_trace_is_the_same_from_every_format(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"real{ending}"
    convert(REAL, path)
    assert run("replay", path, "--json", "--telemetry", *CPYTHON) == 0
    assert capsys.readouterr().out == EXPECTED


def test_a_folder_with_every_format_is_as_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place, ending in enumerate([*ENDINGS, ".vcd.gz"]):
        convert(REAL, tmp_path / f"{place}{ending}")
        (tmp_path / f"{place}.exp").write_text(EXPECTED, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("2026-11-28 12:00:01 the charger was warm\n", "utf-8")
    (tmp_path / "prices.csv").write_text("part,price\nbuffer,0.4\n", "utf-8")
    (tmp_path / "flash.log").write_text("12:00:01 ERROR no port\n", "utf-8")
    (tmp_path / ".half.sr").touch()
    assert run("replay", tmp_path, *CPYTHON, "--jobs", "2") == 0
    said = capsys.readouterr().out.splitlines()[-1]
    count = len(ENDINGS) + 1
    assert said.startswith(f"{count} captures, ")
    assert said.endswith(f": {count} same")
    # and one that is not as expected is noticed, whatever it is written in
    (tmp_path / "0.exp").write_text(
        EXPECTED.replace("35.", "36.").replace("3594", "3595"), "utf-8"
    )
    assert run("replay", tmp_path, *CPYTHON, "--jobs", "2") == 2


def test_what_is_built_on_replay_takes_them_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*words: str | Path) -> str:
        assert run(*words) == 0
        return capsys.readouterr().out

    for ending in (".sr", ".pcapng", ".txt"):
        path = tmp_path / f"m365_standing{ending}"
        convert(REAL, path)
        assert told("identify", path) == told("identify", REAL)
        assert told("diagnose", path, "--json", *CPYTHON).replace(ending, ".cap") == told(
            "diagnose", REAL, "--json", *CPYTHON
        )
        assert "35.94 V" in told("show", path)
        assert json.loads(told("commission", path, "--json", *CPYTHON))["items"]
        page = tmp_path / "report.html"
        told("report", path, "-o", page)
        assert "35.94" in page.read_text("utf-8")


@pytest.mark.parametrize("ending", RAW)
def test_faults_lie_over_raw_levels_as_over_text(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"real{ending}"
    convert(REAL, path)
    spoilt = []
    for one in (REAL, path):
        assert run("replay", one, "--json", "--fault", "cut:3s+7s@bms_tx", *CPYTHON) == 0
        spoilt.append(capsys.readouterr().out)
    assert spoilt[0] == spoilt[1]
    assert '"code":"silence","state":"set"' in spoilt[0]


REPLY = bytes.fromhex("55aa0e2501300100710e2f0003000a0e2b2b7bfe")


def frames_of(path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> int:
    """Frames that the core has found in a file."""
    port = () if "--port" in words else ("--port", "Channel 0=bms_tx")
    assert run("replay", path, "--json", *words, *port, *CPYTHON) == 0
    frames: int = json.loads(capsys.readouterr().out.splitlines()[-1])["frames"]
    return frames


def test_somebody_elses_levels_find_their_speed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = foreign(tmp_path / "logic.csv", 115200, REPLY * 3)
    assert frames_of(path, capsys) == 3
    assert frames_of(path, capsys, "--baud", "115200") == 3
    assert frames_of(path, capsys, "--line", "bms_tx 115200 8N1") == 3
    # what the user says is taken, also where it is wrong
    assert frames_of(path, capsys, "--baud", "9600") == 0
    assert frames_of(path, capsys, "--profile", "m365") == 3
    assert frames_of(path, capsys, "--profile", "botox") == 0  # 76800 baud
    assert frames_of(path, capsys, "--profile", "botox", "--baud", "115200") == 3


def test_too_few_edges_ask_for_the_speed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = foreign(tmp_path / "logic.csv", 115200, b"\x55")
    assert run("replay", path, *CPYTHON) == 2
    assert capsys.readouterr().err == (
        f"packlab: {path} has edges from which no speed can be told; say it with --baud 115200, "
        "or of one wire with --line 'bms_tx 115200 8N1'\n"
    )
    assert frames_of(path, capsys, "--baud", "115200") == 0
    with pytest.raises(SystemExit):
        run("replay", path, "--baud", "fast")
    assert "'fast' is no speed; write 9600 or 115200" in capsys.readouterr().err


def test_a_name_without_an_ending_is_known_by_its_beginning(tmp_path: Path) -> None:
    for one in all_formats():
        whole, bare = tmp_path / f"real{one.suffix}", tmp_path / "bare"
        convert(REAL, whole)
        whole.rename(bare)
        if one.suffix in (".cap", ".pcapng", ".sr"):
            with formats.reading(bare) as recording:
                assert sum(1 for _ in recording.some()) == 138
        (case,) = find([bare], Settings())  # a file is taken whatever it is called
        assert case.path == bare


def test_the_stem_is_what_stands_before_the_format() -> None:
    for ending in [*ENDINGS, ".log", ".cap.gz", ".edges.csv.gz"]:
        assert formats.stem(Path(f"my.ride{ending}")) == "my.ride"
    assert formats.stem(Path("my.ride")) == "my.ride"

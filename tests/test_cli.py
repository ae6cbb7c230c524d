"""The command line as a person or a script meets it: every command and option, and for each thing
that can go wrong one sentence on standard error, exit code 2 and no traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from packlab.capture import CaptureReader
from packlab.made.scenarios import SCENARIOS

CAPTURES = Path(__file__).parent / "data" / "captures"
REAL = str(CAPTURES / "m365_standing.cap")
COMMAND = [sys.executable, "-m", "packlab.cli"]
HEAD = "# deckwatch capture 1\n# origin: made\n# source: tests/test_cli.py\n"
REPLY = "55aa0e2501300100710e2f0003000a0e2b2b7bfe"
HERE = ("--interpreter", "cpython")  # the fastest to start, for tests of what is around the core


def packlab(
    *arguments: str | Path, stdin: str = "", **variables: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=60,
        check=False,
    )


def said(*arguments: str | Path, **variables: str) -> str:
    """Standard output of a command that went well, and without a murmur."""
    done = packlab(*arguments, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def complaint(*arguments: str | Path, **variables: str) -> str:
    """The one sentence of a command that failed."""
    done = packlab(*arguments, **variables)
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("packlab: ")
    return sentence.removeprefix("packlab: ")


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def cap(tmp_path: Path) -> Path:
    """A made capture of five answers, a second apart."""
    path = tmp_path / "five.cap"
    path.write_text(HEAD + "".join(f"{s}.000000 bms_tx {REPLY}\n" for s in range(5)))
    return path


# --- replay --------------------------------------------------------------------------------------


@pytest.mark.parametrize("interpreter", ["cpython", "unix", "unix32"])
def test_replay_prints_a_trace_from_the_interpreter_asked_for(
    interpreter: str, request: pytest.FixtureRequest
) -> None:
    if interpreter != "cpython":
        request.getfixturevalue("micropython32" if interpreter == "unix32" else "micropython64")
    trace = events(said("replay", REAL, "--json", "--interpreter", interpreter))
    assert trace[-1]["event"] == "summary"
    assert (trace[-1]["frames"], trace[-1]["seconds"]) == (138, 10.358)


def test_replay_runs_on_micropython_unless_told_otherwise(tmp_path: Path, cap: Path) -> None:
    fake = tmp_path / "micropython"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    assert "There is no 64-bit MicroPython" in complaint("replay", cap, MICROPYTHON=str(fake))
    assert said("replay", cap, "--json", *HERE, MICROPYTHON=str(fake))


def test_replay_without_json_prints_a_timeline_for_people(cap: Path) -> None:
    text = said("replay", cap, *HERE)
    assert "five.cap (made: tests/test_cli.py)" in text
    assert "5 frames" in text
    assert "47 %" in text
    assert not [line for line in text.splitlines() if line.startswith("{")]


def test_telemetry_and_edges_are_asked_for(cap: Path) -> None:
    def kinds(*options: str) -> set[str]:
        return {event["event"] for event in events(said("replay", cap, "--json", *HERE, *options))}

    assert kinds() == {"watch", "led", "summary"}
    assert kinds("--telemetry") == {"watch", "led", "summary", "telemetry"}
    assert kinds("--edges") == {"watch", "led", "summary", "edge"}


def test_speed_is_kept(cap: Path) -> None:
    fast = said("replay", cap, "--json", *HERE, "--speed", "max")
    start = time.monotonic()
    assert said("replay", cap, "--json", *HERE, "--speed", "8x") == fast
    assert 4 / 8 <= time.monotonic() - start < 4


def test_profile_and_configuration_reach_the_core(cap: Path, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"profile": "ninebot", "fresh_ms": 4000}')
    trace = events(said("replay", cap, "--json", *HERE, "--profile", "ninebot"))
    assert trace[-1]["profile"] == "ninebot"
    assert trace[-1]["noise"] == 5 * len(REPLY) // 2  # another framing
    trace = events(said("replay", cap, "--json", *HERE, "--config", file))
    assert trace[-1]["profile"] == "ninebot"
    # The command line's profile goes before the file's.
    trace = events(said("replay", cap, "--json", *HERE, "--config", file, "--profile", "m365"))
    assert trace[-1]["profile"] == "m365"
    assert trace[-1]["frames"] == 5


def test_lenient_skips_and_counts(cap: Path) -> None:
    with cap.open("a") as file:
        file.write("3.0 bms_tx 55\n4.500000 bms_tx zz\n6.000000 bms_tx 55aa0322011010b9ff\n")
    done = packlab("replay", cap, "--json", "--lenient", *HERE)
    assert done.returncode == 0
    assert events(done.stdout)[-1]["frames"] == 6
    assert done.stderr == f"{cap}: 2 damaged lines skipped\n"


@pytest.mark.parametrize("interpreter", ["unix", "unix32"])
def test_the_whole_firmware_replays_the_same_line(
    interpreter: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("micropython32" if interpreter == "unix32" else "micropython64")
    trace = events(said("replay", REAL, "--json", "--depth", "app", "--interpreter", interpreter))
    assert (trace[0]["event"], trace[0]["cause"]) == ("boot", "pwron")
    assert [event["look"] for event in trace if event["event"] == "led"] == ["no_data", "fine"]
    summary = trace[-1]
    assert (summary["frames"], summary["bad_check"], summary["noise"]) == (138, 0, 0)
    assert summary["last"].items() >= {"pack_mv": 35940, "soc_pct": 47}.items()


def test_faults_spoil_the_line_as_their_seed_says() -> None:
    def summary(*options: str) -> dict[str, Any]:
        return events(said("replay", REAL, "--json", *HERE, *options))[-1]

    noisy = summary("--fault", "bits:1e-2")
    assert noisy["frames"] < 138
    assert noisy["bad_check"] > 10
    assert summary("--fault", "bits:1e-2", "--seed", "1") == noisy
    assert summary("--fault", "bits:1e-2", "--seed", "2") != noisy
    cut = summary("--fault", "cut:4s+3s@bms_tx")
    assert (cut["requests"], cut["bad_check"]) == (89, 0)
    assert 49 - 3000 / 209 - 1 <= cut["replies"] <= 49 - 3000 / 210 + 1
    both = summary("--fault", "cut:4s+3s@bms_tx", "--fault", "cut:4s+3s@host_tx")
    assert (both["replies"], both["requests"] < 89) == (cut["replies"], True)


# --- replay refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", ", line 1: no capture begins like this; put '# deckwatch capture 1' first"),
        ("# deckwatch capture 1\n", "header lacks '# origin: ' with real, derived, made; add it"),
        (HEAD, " holds no events; record it again"),
        (HEAD + "0.0 bms_tx 55\n", ", line 4: this is not 'seconds.micros port hexbytes'; mend"),
        (HEAD + "1.000000 bms_tx 55\n0.000000 bms_tx 55\n", ", line 5: its time lies before"),
        (HEAD + "1.000000 rs485 55\n", ", line 4: 'rs485' is no port; use one of bms_tx,"),
        (HEAD + "1.000000 bms_tx !high\n", ", line 4: '!high' is no level; use one of !low,"),
        (HEAD + "1.000000 bms_tx 5\n", ", line 4: the bytes are not pairs of hex digits; mend"),
    ],
)
def test_a_bad_capture_is_named_with_line_and_remedy(
    tmp_path: Path, content: str, sentence: str
) -> None:
    file = tmp_path / "bad.cap"
    file.write_text(content)
    told = complaint("replay", file, "--json", *HERE)
    assert told.startswith(str(file))
    assert sentence in told


def test_a_bad_capture_is_found_before_anything_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "bad.cap"
    file.write_text(HEAD + f"0.000000 bms_tx {REPLY}\n1.0 bms_tx 55\n")
    done = packlab("replay", file, *HERE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"packlab: {file}, line 5: this is not 'seconds.micros port")


def test_a_capture_damaged_throughout_has_nothing_to_replay(tmp_path: Path) -> None:
    file = tmp_path / "bad.cap"
    file.write_text(HEAD + "x\ny\n")
    assert complaint("replay", file, "--lenient", *HERE) == (
        f"{file} holds no events that can be used, 2 were skipped; record it again"
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing.cap"
    why = f"{missing} cannot be read: No such file or directory; check the path"
    assert complaint("replay", missing) == why
    assert complaint("replay", missing, "--json") == why
    assert complaint("replay", tmp_path).endswith(".vcd); name another place")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"profile": "m366"}', "the configuration is refused: \"profile\" is 'm366'; it must be"),
        ('{"cell_spred": 1}', 'the configuration is refused: "cell_spred" is no option; '),
        ('{"series": 400}', 'the configuration is refused: "series" is 400; it must be a whole'),
        ('{"series": 1.5}', 'the configuration is refused: "series" is 1.5; it must be a whole'),
        ('{"series": ', "is no JSON: Expecting value: line 1 column 12 (char 11); mend it there"),
        ("[" * 100_000, "is no JSON: "),
        ("[]", 'must hold one JSON object: {"profile": "m365"}'),
    ],
)
def test_a_bad_configuration_names_the_option_and_its_range(
    cap: Path, tmp_path: Path, content: str, sentence: str
) -> None:
    file = tmp_path / "config.json"
    file.write_text(content)
    assert sentence in complaint("replay", cap, "--json", *HERE, "--config", file)


def test_a_configuration_that_is_not_there(cap: Path, tmp_path: Path) -> None:
    told = complaint("replay", cap, "--config", tmp_path / "none.json")
    assert told == f"{tmp_path / 'none.json'} cannot be read: No such file or directory; " + (
        "check the path"
    )


def test_an_unknown_profile_is_refused_with_the_known_ones(cap: Path) -> None:
    told = complaint("replay", cap, "--json", *HERE, "--profile", "m366")
    assert told.startswith(
        "the configuration is refused: \"profile\" is 'm366'; it must be one of"
    )
    assert "m365" in told.removeprefix("the configuration is refused: \"profile\" is 'm366'")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--fault", "gremlins"), "'gremlins' is no fault; use one of bits, "),
        (("--depth", "app", *HERE), "the app runs on MicroPython only; use --interpreter unix"),
        (("--depth", "app", "--profile", "m366"), 'the configuration is refused: "profile" is'),
    ],
)
def test_what_cannot_be_is_refused(
    cap: Path, options: Sequence[str], sentence: str, micropython64: object
) -> None:
    del micropython64  # only that there is one
    assert complaint("replay", cap, "--json", *options).startswith(sentence)


def test_no_interpreter_names_step_and_remedy(cap: Path) -> None:
    told = complaint(
        "replay", cap, "--json", "--interpreter", "unix32", MICROPYTHON32="/no/such/micropython"
    )
    assert told.startswith("There is no 32-bit MicroPython, and none could be made: ")
    assert "$MICROPYTHON32: /no/such/micropython does not run" in told
    assert told.endswith("or unset it.")


def test_a_core_that_dies_on_the_way(cap: Path, tmp_path: Path) -> None:
    fake = tmp_path / "micropython"
    fake.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"if '-c' in sys.argv: print('micropython 1 25 0', {2**63 - 1})\n"
        "else: print('{\"t_ms\":0}'); raise MemoryError('no more')\n"
    )
    fake.chmod(0o755)
    told = complaint("replay", cap, "--json", MICROPYTHON=str(fake))
    assert told == "the core stopped: MemoryError: no more; please report this with the capture"


@pytest.mark.parametrize("speed", ["0", "-1x", "fast", "nan", "x", "1xx", ""])
def test_a_speed_that_is_none(cap: Path, speed: str) -> None:
    done = packlab("replay", cap, f"--speed={speed}")
    assert done.returncode == 2
    assert f"'{speed}' is no speed; write max, 1x or 20x" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [(), ("fly",), ("replay",), ("replay", REAL, "--interpreter", "pypy"), ("made", "x", "y")],
)
def test_wrong_words_are_answered_with_the_usage(arguments: Sequence[str]) -> None:
    done = packlab(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: packlab")
    assert "Traceback" not in done.stderr


# --- interrupted ---------------------------------------------------------------------------------


def children(pid: int) -> list[str]:
    """Wait for the process to start others."""
    while not (found := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("form", [("--json",), ()], ids=["json", "drawn"])
def test_ctrl_c_ends_quietly_and_takes_the_core_along(tmp_path: Path, form: Sequence[str]) -> None:
    file = tmp_path / "long.cap"
    file.write_text(HEAD + f"0.000000 bms_tx {REPLY}\n3600.000000 bms_tx {REPLY}\n")
    with subprocess.Popen(
        [*COMMAND, "replay", str(file), "--speed", "1x", *form, *HERE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        core = children(process.pid)[0]
        time.sleep(0.3)  # until it is under way
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: both get it
        _, stderr = process.communicate(timeout=10)
    assert (process.returncode, stderr) == (130, b"")
    assert not Path(f"/proc/{core}").exists()


@pytest.mark.parametrize("form", [("--json",), ()], ids=["json", "drawn"])
def test_a_reader_that_has_seen_enough(tmp_path: Path, form: Sequence[str]) -> None:
    file = tmp_path / "long.cap"
    rows = (f"{s}.000000 bms_tx {'!break' if s % 7 else REPLY}\n" for s in range(20_000))
    file.write_text(HEAD + "".join(rows))
    with subprocess.Popen(
        [*COMMAND, "replay", str(file), "--telemetry", *form, *HERE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        stderr = process.stderr.read()
    # rich, which draws, calls it 1.
    assert (process.returncode, stderr) == (0 if form else 1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(cap: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "replay", str(cap), "--json", *HERE],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == (
        "packlab: the system refuses: No space left on device; make room, or check where it goes\n"
    )


# --- the other commands --------------------------------------------------------------------------


def test_convert_makes_a_capture_that_replays(tmp_path: Path) -> None:
    table, capture = tmp_path / "a.csv", tmp_path / "a.cap"
    table.write_text(
        "t_start_us,t_end_us,line,hex\n"
        "100,880,esc_tx,55aa032201300c9dff\n"
        f"1000,2736,bms_tx,{REPLY}\n"
    )
    assert said("convert", table, capture, "--source", "my bench").splitlines() == [
        "bms_tx: 1 chunks, 20 bytes",
        "host_tx: 1 chunks, 9 bytes",
        f"wrote {capture}, 0.0 s",
    ]
    with CaptureReader(capture) as reader:
        assert (reader.header.origin, reader.header.source) == ("real", "my bench")
    assert events(said("replay", capture, "--json", *HERE))[-1]["replies"] == 1


def test_convert_refuses(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    assert "cannot be read: No such file" in complaint("convert", table, tmp_path / "a.cap")
    table.write_text("time,hex\n")
    told = complaint("convert", table, tmp_path / "a.cap")
    assert told == f"{table}, line 1: name the columns t_start_us,t_end_us,line,hex there"
    assert not (tmp_path / "a.cap").exists()


def test_decode_refuses_an_unknown_protocol() -> None:
    told = complaint("decode", "--protocol", "morse")
    assert told.startswith("'morse' is no protocol; use one of ")
    assert "xiaomi" in told.split("use one of ")[1]


def test_decode_takes_a_named_protocol() -> None:
    done = packlab("decode", "--protocol", "xiaomi", "--json", stdin=REPLY)
    (result,) = events(done.stdout)
    assert (result["protocol"], result["values"]["pack_mv"]) == ("xiaomi", 35940)


def test_made_writes_the_scenario_for_its_seed(tmp_path: Path) -> None:
    name = sorted(SCENARIOS)[0]
    capture = tmp_path / "made.cap"
    told = said("made", name, capture, "--seed", "4")
    assert told == f"wrote {capture}, made with seed 4\n"
    with CaptureReader(capture) as reader:
        assert reader.header.origin == "made"
        assert "--seed 4" in reader.header.source
    elsewhere = tmp_path / "no" / "where.cap"
    assert complaint("made", name, elsewhere) == (
        f"{elsewhere} cannot be written: No such file or directory; check the path"
    )


def test_demo_shows_the_real_line_then_the_made_ride(micropython64: object) -> None:
    del micropython64  # only that there is one
    text = said("demo")
    real, ride = text.index("m365_standing.cap (derived:"), text.index("(made: packlab made")
    assert real < ride
    assert "35.94 V" in text[real:ride]
    assert "47 %" in text[real:ride]
    assert "138 frames" in text[real:ride]


def test_version_and_help() -> None:
    assert said("--version").startswith("packlab 0.")
    text = said("--help")
    for command in ("replay", "decode", "convert", "made", "demo"):
        assert command in text
    for option in ("--speed", "--json", "--telemetry", "--profile", "--interpreter"):
        assert option in said("replay", "--help")

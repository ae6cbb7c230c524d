"""Many captures at once: the same traces whoever replays them, differences told with their place,
a JUnit file, Parquet tables."""

import gzip
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
from packlab.capture import CaptureWriter, Header
from packlab.cli import main
from packlab.corpus.cases import Case, find, settled
from packlab.corpus.executors import executor
from packlab.corpus.judge import DIFFERS, NEW, SAME, WRITTEN, expected_path, judge
from packlab.corpus.run import spread
from packlab.corpus.trace import trace
from packlab.errors import PacklabError
from packlab.fake.bench import Order, build
from packlab.fake.line import InOrder
from packlab.replay import Settings
from packlab.session import Spoiling

DATA = Path(__file__).parent / "data" / "captures"
REAL = DATA / "m365_standing.cap"
CPYTHON = Settings(interpreter="cpython", telemetry=True)
SECONDS = 20


def made(
    path: Path, family: str, scene: str = "ride", *, seconds: int = SECONDS, seed: int = 1
) -> Path:
    """A capture of a fake pack."""
    line = build(Order(family, scene=scene, seed=seed))
    ordered = InOrder(line.baud)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        writer = CaptureWriter(stream, Header("made", f"{family} {scene} {seed}", line.settings))
        for event in ordered.add(line.advance(seconds * 1_000_000)):
            writer.write(event)
        for event in ordered.rest():
            writer.write(event)
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four captures of three families, one of them packed, and what is not to be found."""
    folder = tmp_path / "corpus"
    made(folder / "b" / "jbd.cap", "jbd")
    made(folder / "a" / "xiaomi.cap", "xiaomi")
    packed = made(folder / "jk.cap", "jk")
    with gzip.open(folder / "jk.cap.gz", "wb") as stream:
        stream.write(packed.read_bytes())
    packed.unlink()
    shutil.copy(REAL, folder / "real.cap")
    (folder / ".half.cap.12.part").touch()
    (folder / ".half.cap").touch()
    (folder / "notes.txt").touch()
    return folder


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def cpython(*arguments: object) -> int:
    return run("replay", *arguments, "--interpreter", "cpython", "--jobs", 2)


# --- which captures, and as what ---------------------------------------------------------------


def test_finds_captures_below_a_folder_by_name(corpus: Path) -> None:
    names = [case.name for case in find([corpus], CPYTHON)]
    assert names == ["a/xiaomi.cap", "b/jbd.cap", "jk.cap.gz", "real.cap"]


def test_two_places_keep_their_names_apart(corpus: Path) -> None:
    names = [case.name for case in find([corpus / "a", REAL], CPYTHON)]
    assert names == [str(corpus / "a" / "xiaomi.cap"), str(REAL)]


def test_a_folder_without_captures_is_told(tmp_path: Path) -> None:
    with pytest.raises(PacklabError, match=r"holds no capture \(.*\.cap, .*\.vcd\)"):
        find([tmp_path], CPYTHON)


def test_a_mistyped_option_is_told_before_anything_runs(corpus: Path) -> None:
    with pytest.raises(PacklabError, match='refused: "serie" is no option'):
        find([corpus], Settings({"serie": 10}))


@pytest.mark.parametrize(
    ("name", "profile"),
    [("a/xiaomi.cap", "m365"), ("b/jbd.cap", "jbd"), ("jk.cap.gz", "jk"), ("real.cap", "m365")],
)
def test_profile_is_that_of_the_family_heard(corpus: Path, name: str, profile: str) -> None:
    case = Case(corpus / name, name, Settings({"series": 10}))
    assert settled(case).config == {"series": 10, "profile": profile}


def test_profile_asked_for_comes_before_the_headers_and_that_before_hearing(corpus: Path) -> None:
    path = corpus / "b" / "jbd.cap"
    text = path.read_text("utf-8")
    path.write_text(text.replace("# source", "# profile: pro2\n# source"), "utf-8")
    assert settled(Case(path, "", Settings())).config == {"profile": "pro2"}
    assert settled(Case(path, "", Settings({"profile": "ant"}))).config == {"profile": "ant"}


def test_a_capture_without_bytes_is_taken_for_the_usual_pack(tmp_path: Path) -> None:
    path = tmp_path / "x.cap"
    path.write_text("# deckwatch capture 1\n# origin: real\n0.000000 bms_tx !idle\n", "utf-8")
    assert settled(Case(path, "", Settings())).config == {"profile": "m365"}


# --- one capture against its expected trace ------------------------------------------------------


@pytest.fixture
def real(tmp_path: Path) -> Case:
    """The real line and its committed trace."""
    for path in (REAL, REAL.with_suffix(".exp")):
        shutil.copy(path, tmp_path)
    return Case(tmp_path / REAL.name, REAL.name, CPYTHON)


def test_the_real_line_is_as_committed(real: Case) -> None:
    outcome = judge(real)
    expected = expected_path(real).read_bytes()
    assert (outcome.verdict, outcome.detail) == (SAME, "")
    assert outcome.digest == sha256(expected).hexdigest()
    assert outcome.line_s == 10.358
    assert outcome.worst_level == "ok"


def edited(case: Case, change: Callable[[list[str]], list[str]]) -> str:
    """What is told when the expected trace was another one."""
    path = expected_path(case)
    lines = change(path.read_text("utf-8").splitlines())
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    outcome = judge(case)
    assert outcome.verdict == DIFFERS
    assert outcome.digest == sha256((REAL.with_suffix(".exp")).read_bytes()).hexdigest()
    return outcome.detail


def test_the_first_difference_is_told_with_its_line(real: Case) -> None:
    def change(lines: list[str]) -> list[str]:
        return [*lines[:3], lines[3].replace("fine", "warn"), *lines[4:-1], "gone"]

    said = edited(real, change)
    assert said.startswith("m365_standing.exp, line 4: expected ")
    assert '"look":"warn"' in said.split(", got ")[0]
    assert '"look":"fine"' in said.split(", got ")[1]


def test_a_trace_longer_or_shorter_than_expected_differs(real: Case) -> None:
    count = len(expected_path(real).read_text("utf-8").splitlines())
    said = edited(real, lambda lines: [*lines, "and more"])
    assert said.endswith(f"line {count + 1}: expected and more, got no more")
    said = edited(real, lambda lines: lines[:-2])
    assert f"line {count}: expected no more, got " in said


def test_update_writes_what_is_new_and_leaves_what_is_the_same(real: Case) -> None:
    expected = expected_path(real)
    before = expected.read_bytes()
    assert judge(real, update=True).verdict == SAME
    expected.write_text("another\n", "utf-8")
    assert judge(real, update=True).verdict == WRITTEN
    assert expected.read_bytes() == before
    expected.unlink()
    assert judge(real).verdict == NEW
    assert judge(real, update=True).verdict == WRITTEN
    assert judge(real).verdict == SAME


def test_a_spoilt_line_is_not_compared(real: Case) -> None:
    spoilt = Case(real.path, real.name, CPYTHON, spoiling=Spoiling(("bits:0.01",), 3))
    outcome = judge(spoilt)
    assert outcome.verdict == NEW
    assert outcome.digest != judge(real).digest


def test_the_apps_trace_is_expected_apart(real: Case) -> None:
    app = Case(real.path.with_name("x.cap.gz"), "x", Settings(depth="app"))
    assert expected_path(app).name == "x.app.exp"


def test_an_expected_trace_that_is_no_text_is_told(real: Case) -> None:
    expected_path(real).write_bytes(b"\xff\xfe\x00junk")
    with pytest.raises(PacklabError, match=r"m365_standing\.exp is no trace"):
        judge(real)


# --- many at once --------------------------------------------------------------------------------


class StandIn(Executor):
    """Does the work at once and in this process, and remembers whose."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.failure: Exception | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.given.append(args[0].name)
        try:
            if self.failure is not None:
                raise self.failure
            future.set_result(fn(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """An executor that `--executor stand_in:make` names."""
    made = StandIn()
    module = ModuleType("stand_in")
    module.make = lambda: made  # type: ignore[attr-defined]
    module.nothing = lambda: 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stand_in", module)
    return made


def digests(cases: list[Case], name: str, jobs: int) -> dict[str, str]:
    with executor(name, jobs) as pool:
        found = list(spread(judge, cases, pool))
    return {case.name: outcome.digest for case, outcome in found}  # type: ignore[union-attr]


def test_every_executor_gives_the_same_traces(corpus: Path, stand_in: StandIn) -> None:
    cases = find([corpus], CPYTHON)
    alone = {case.name: "\n".join([*trace(case), ""]) for case in cases}
    expected = {name: sha256(text.encode()).hexdigest() for name, text in alone.items()}
    assert len(set(expected.values())) == 4
    assert digests(cases, "processes", 1) == expected
    assert digests(cases, "processes", 3) == expected
    assert digests(cases, "stand_in:make", 1) == expected
    assert sorted(stand_in.given) == [case.name for case in cases]


def test_the_longest_is_begun_first_unless_order_is_asked_for(
    corpus: Path, stand_in: StandIn
) -> None:
    cases = find([corpus], CPYTHON)
    list(spread(lambda case: case.name, cases, stand_in))
    sizes = [(corpus / name).stat().st_size for name in stand_in.given]
    assert sizes == sorted(sizes, reverse=True)
    ordered = spread(lambda case: case.name, cases, stand_in, in_order=True)
    assert [name for _, name in ordered] == [case.name for case in cases]


def test_a_dead_worker_is_told_in_a_sentence(corpus: Path, stand_in: StandIn) -> None:
    stand_in.failure = BrokenExecutor("gone")
    with pytest.raises(PacklabError, match=r"a worker died, .* near .*; use fewer --jobs"):
        list(spread(judge, find([corpus], CPYTHON), stand_in))


def test_what_has_not_begun_when_one_leaves_is_cancelled(corpus: Path) -> None:
    futures: list[Future[Any]] = []

    class Slow(Executor):
        def submit(self, _: Callable[..., Any], /, *__: Any, **___: Any) -> Future[Any]:
            futures.append(Future())
            return futures[-1]

    found = spread(judge, find([corpus], CPYTHON), Slow(), in_order=True)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Future, "result", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(found)
    assert [future.cancelled() for future in futures] == [False, True, True, True]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dusk", "'dusk' is no executor; use processes, dask, ray, or MODULE:FACTORY"),
        ("no_such_module:make", "--executor no_such_module:make cannot be had: No module named"),
        ("stand_in:absent", "--executor stand_in:absent cannot be had: "),
        ("stand_in:nothing", "gives no concurrent.futures.Executor but int"),
    ],
)
def test_an_executor_that_cannot_be_had_is_told(name: str, said: str, stand_in: StandIn) -> None:
    del stand_in
    with pytest.raises(PacklabError) as error, executor(name, 1):
        pass
    assert said in str(error.value)


@pytest.mark.parametrize(("name", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_cluster_without_its_library_is_told(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PacklabError, match=f"pip install {package}"), executor(name, 1):
        pass


# --- the command ---------------------------------------------------------------------------------


def test_folder_is_replayed_updated_and_compared(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cpython(corpus) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said[:-1]] == ["new"] * 4
    assert said[0].split()[1:] == ["00:19.9", "ok", "a/xiaomi.cap"]
    assert said[-1].startswith("4 captures, 0.0 h of line, ")
    assert said[-1].endswith(": 4 new")
    assert cpython(corpus, "--update") == 0
    assert capsys.readouterr().out.endswith(": 4 written\n")
    assert (corpus / "jk.exp").exists()
    assert cpython(corpus) == 0
    assert capsys.readouterr().out.endswith(": 4 same\n")


def test_what_differs_and_what_fails_is_told_and_counted_in_junit(
    corpus: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = tmp_path / "junit.xml"
    shutil.copy(REAL.with_suffix(".exp"), corpus / "real.exp")
    (corpus / "a" / "xiaomi.exp").write_text("<&\n", "utf-8")
    (corpus / "b" / "jbd.cap").write_text("no capture\n", "utf-8")
    assert cpython(corpus, "--junit", report) == 2
    said = capsys.readouterr()
    assert "differs a/xiaomi.cap: xiaomi.exp, line 1: expected <&, got {" in said.err
    assert "failed b/jbd.cap: " in said.err
    assert "jbd.cap, line 1: no capture begins like this" in said.err
    assert said.err.endswith("accept them with --update\n")
    assert "2 of 4 captures are not as expected" in said.err
    suite = ElementTree.parse(report).getroot()[0]
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    found = {
        f"{case.get('classname')}/{case.get('name')}": [child.tag for child in case]
        for case in suite
    }
    assert found == {
        "a/xiaomi.cap": ["failure"],
        "b/jbd.cap": ["error"],
        "./jk.cap.gz": ["skipped"],
        "./real.cap": [],
    }
    failure = suite[0][0].get("message") or ""
    assert failure.startswith("xiaomi.exp, line 1: expected <&, got ")


def test_executor_is_chosen_by_one_option(
    corpus: Path, stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cpython(corpus, "--executor", "stand_in:make") == 0
    assert len(stand_in.given) == 4
    assert capsys.readouterr().out.endswith(": 4 new\n")


def test_update_of_a_spoilt_line_is_refused(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cpython(corpus, "--update", "--fault", "bits:1e-4") == 2
    assert "leave out --fault" in capsys.readouterr().err
    assert not list(corpus.rglob("*.exp"))


@pytest.mark.parametrize("option", [["--json"], ["--edges"], ["--speed", "1x"]])
def test_a_folder_is_not_shown(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", DATA, *option) == 2
    assert f"leave out {option[0]}\n" in capsys.readouterr().err


def test_number_of_jobs_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("replay", DATA, "--jobs", "0")
    assert "'0' is no number of workers; write 1 or more" in capsys.readouterr().err


# --- tables --------------------------------------------------------------------------------------


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra [export] is not installed")
    rows: list[dict[str, Any]] = parquet.read_table(folder / f"{name}.parquet").to_pylist()
    return rows


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The tables of two captures, and where these are."""
    pytest.importorskip("pyarrow", reason="the extra [export] is not installed")
    folder = tmp_path_factory.mktemp("export")
    shutil.copy(REAL, made(folder / "in" / "jbd.cap", "jbd", "cold_charge", seconds=90).parent)
    assert run("export", folder / "in", "-o", folder / "out", "--jobs", 2) == 0
    return folder / "in", folder / "out"


def test_tables_hold_what_the_traces_tell(exported: tuple[Path, Path]) -> None:
    captures, out = exported
    telemetry: list[dict[str, Any]] = []
    alerts: list[dict[str, Any]] = []
    for case in find([captures], CPYTHON):
        events = [{"capture": case.name, **json.loads(line)} for line in trace(case)]
        telemetry += [event for event in events if event["event"] == "telemetry"]
        alerts += [event for event in events if event["event"] == "alert"]
        summary = events[-1]
        (row,) = [row for row in table(out, "captures") if row["capture"] == case.name]
        known = {name: value for name, value in summary.items() if name in row}
        assert known.items() <= row.items()
        assert len(known) > 15
    assert {"jbd.cap", "m365_standing.cap"} == {row["capture"] for row in table(out, "captures")}
    rows = table(out, "telemetry")
    assert len(rows) == len(telemetry) > 60
    for row, event in zip(rows, telemetry, strict=True):
        known = {name: value for name, value in row.items() if value is not None}
        if "highest_mv" not in event:
            event.pop("cell_mv", None)
        assert known == {name: value for name, value in event.items() if name != "event"}
    rows = table(out, "alerts")
    assert len(rows) == len(alerts) > 0
    for row, event in zip(rows, alerts, strict=True):
        known = {name: value for name, value in row.items() if value is not None}
        assert known == {name: value for name, value in event.items() if name != "event"}


def test_cells_that_have_gone_stale_are_null(tmp_path: Path) -> None:
    """The made ride's app reads cells for a while and then closes."""
    pytest.importorskip("pyarrow", reason="the extra [export] is not installed")
    from packlab.corpus.tables import tables
    from packlab.made import made_capture_path

    del tmp_path
    ride = made_capture_path("charge_and_ride", 1)
    rows = tables(Case(ride, "ride", Settings(telemetry=True)))["telemetry"].to_pylist()
    told = {row["t_ms"] // 1000: row["cell_mv"] for row in rows}
    assert told[300] is None
    assert len(told[500]) >= 10
    assert told[700] is None


def test_a_capture_that_cannot_be_read_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(REAL, folder)
    (folder / "bad.cap").write_text("junk\n", "utf-8")
    out = tmp_path / "out"
    assert run("export", folder, "-o", out, "--jobs", 1) == 2
    said = capsys.readouterr()
    assert "bad.cap, line 1: no capture begins like this" in said.err
    assert "1 captures were left out" in said.err
    assert [row["capture"] for row in table(out, "captures")] == ["m365_standing.cap"]


def test_without_pyarrow_the_remedy_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert run("export", REAL, "-o", tmp_path / "out") == 2
    assert "pip install -e '.[export]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- soak ----------------------------------------------------------------------------------------

HOURS = 200
FAMILIES = ("xiaomi", "jbd", "jk", "ant")
SCENES = ("hour", "ride", "charge", "weak_group", "parked")


class Worked(NamedTuple):
    """What a worker tells of one capture, and of itself: most memory so far, in KB."""

    digest: str
    line_s: float
    worker: int
    memory_kb: int


def work(case: Case) -> Worked:
    outcome = judge(case)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Worked(outcome.digest, outcome.line_s, os.getpid(), usage.ru_maxrss)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Case]]:
    """200 hours: an hour each, of four families and five scenes."""
    folder = tmp_path_factory.mktemp("fleet")
    for number in range(HOURS):
        family, scene = FAMILIES[number % 4], SCENES[number // 4 % 5]
        made(folder / family / f"{number:03}.cap", family, scene, seconds=3600, seed=number)
    yield find([folder], Settings(telemetry=True))
    shutil.rmtree(folder)


def timed(cases: list[Case], name: str, jobs: int) -> tuple[dict[str, str], list[Worked]]:
    """Digests by name, and what the workers told in the order they did; the rate is printed."""
    began = time.monotonic()
    with executor(name, jobs) as pool:
        found = list(spread(work, cases, pool))
    seconds = time.monotonic() - began
    told = [worked for _, worked in found if isinstance(worked, Worked)]
    assert len(told) == len(cases)
    hours = sum(worked.line_s for worked in told) / 3600
    most_mb = max(worked.memory_kb for worked in told) / 1024
    rate = f"{hours:.0f} h in {seconds:.0f} s, {hours / seconds:.2f} h/s"
    print(f"\n{name}, {jobs} at once: {rate}, {most_mb:.0f} MB a worker")
    return {case.name: worked.digest for (case, _), worked in zip(found, told, strict=True)}, told


@pytest.mark.soak
def test_200_hours_are_the_same_from_one_process_and_from_many(fleet: list[Case]) -> None:
    many, told = timed(fleet, "processes", os.cpu_count() or 1)
    one, _ = timed(fleet, "processes", 1)
    assert many == one
    assert len(many) == HOURS
    assert_flat(told)


def assert_flat(told: list[Worked]) -> None:
    """A worker that has done a quarter needs hardly more for the rest."""
    for worker in {worked.worker for worked in told}:
        memory_kb = [worked.memory_kb for worked in told if worked.worker == worker]
        assert memory_kb[-1] - memory_kb[len(memory_kb) // 4] < 8 * 1024
        assert memory_kb[-1] < 150 * 1024


@pytest.mark.soak
def test_a_local_dask_cluster_gives_the_same_traces(fleet: list[Case]) -> None:
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    some = fleet[:: HOURS // 20]
    assert timed(some, "dask", 2)[0] == timed(some, "processes", 2)[0]

"""`packlab diagnose`: what each reasoning rule finds and what it must not find, how sure a finding
is, whose fault it is, and the page."""

import json
import re
import struct
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from deckwatch.alert import ALARM, SET
from deckwatch.guardrails.table import CODES
from deckwatch.memory import SIZE, Memory
from deckwatch.outputs import journal as layout
from packlab.cli import main
from packlab.diagnose.evidence import Evidence, Groups, of_journal, of_trace, state_of
from packlab.diagnose.finding import Finding, find
from packlab.diagnose.pages import data, paper
from packlab.diagnose.rules import RULES, SIDES, clues
from packlab.errors import PacklabError
from packlab.made import made_capture_path
from packlab.paper import Bars, Paper, Table
from packlab.replay import Settings
from packlab.traces import trace
from packlab.view.state import Alert

REAL_LINE = "tests/data/captures/m365_standing.cap"
CPYTHON = ("--interpreter", "cpython")
EVEN = [3700] * 10


def alert(code: str, level: str = "warn", **more: Any) -> Alert:
    given: dict[str, Any] = {"state": "clear", "level": level, "worst_level": level, "count": 1}
    given |= {"until_ms": 90_000, **more}
    return Alert(code, 1, 0, 0, **given)


def evidence(*alerts: Alert, **more: Any) -> Evidence:
    given = {"profile": "jk", "family": "jk", "watched": set(), "link_score": 100}
    return Evidence("trace", "test", alerts=list(alerts), **(given | more))


def groups(cells_mv: list[int], current_ma: int = 0, samples: int = 10) -> Groups:
    made = Groups()
    for _ in range(samples):
        made.add(cells_mv, current_ma)
    return made


def states(**more: Groups) -> dict[str, Groups]:
    return {"rest": Groups(), "load": Groups(), "charge": Groups()} | more


def named(found: Evidence) -> dict[str, int]:
    """Rules that fire, with the group they name."""
    return {clue.rule: clue.group for clue in clues(found)}


def off(group: int, mv: int) -> list[int]:
    cells = list(EVEN)
    cells[group - 1] += mv
    return cells


# --- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mv", "fires"), [(-50, True), (-49, False), (50, True), (49, False)])
def test_a_group_apart_without_load_speaks_against_the_cells(mv: int, fires: bool) -> None:
    found = named(evidence(groups=states(rest=groups(off(4, mv)))))
    assert (found == {"unequal": 4}) is fires


@pytest.mark.parametrize(
    ("cells", "rules"),
    [
        ([3700, 3740, 3660, *EVEN[3:]], {"neighbours": 2}),
        ([3700, 3780, 3600, *EVEN[3:]], {"neighbours": 2}),  # a quarter may remain
        ([3700, 3780, 3599, *EVEN[3:]], {"unequal": 3}),  # more than that is no mirror image
        ([3700, 3739, 3661, *EVEN[3:]], {}),
    ],
)
def test_neighbours_off_in_opposite_directions_share_a_wire(
    cells: list[int], rules: dict[str, int]
) -> None:
    assert named(evidence(groups=states(rest=groups(cells)))) == rules


@pytest.mark.parametrize(("mv", "fires"), [(-40, True), (-39, False)])
def test_a_group_that_gives_way_under_load_is_a_weak_group(mv: int, fires: bool) -> None:
    both = states(rest=groups(off(3, -20)), load=groups(off(3, -20 + mv), -12_000))
    assert ("gives_way" in named(evidence(groups=both))) is fires


def test_load_alone_tells_nothing_without_a_rest_to_compare_with() -> None:
    assert named(evidence(groups=states(load=groups(off(3, -200), -12_000)))) == {}
    few = states(rest=groups(EVEN), load=groups(off(3, -200), -12_000, samples=4))
    assert named(evidence(groups=few)) == {}


@pytest.mark.parametrize(
    ("last_mv", "drift_s", "fires"), [(-30, 60, True), (-29, 60, False), (-30, 59, False)]
)
def test_a_group_that_falls_behind_leaks(last_mv: int, drift_s: int, fires: bool) -> None:
    last = [0.0, float(last_mv), 0.0]
    found = evidence(first_mv=[0.0] * 3, last_mv=last, drift_s=float(drift_s))
    assert (named(found) == {"drifts": 2}) is fires


def test_a_reading_that_stands_still_is_no_group_that_falls_behind() -> None:
    drift = {"first_mv": [0.0] * 3, "last_mv": [0.0, -55.0, 0.0], "drift_s": 100.0}
    assert named(evidence(**drift)) == {"drifts": 2}
    assert named(evidence(alert("stuck_cell", cell=2), **drift)) == {"stuck": 2}


@pytest.mark.parametrize(
    ("found", "rules"),
    [
        (alert("ghost_voltage", unit="sum_error_mv"), {"sum_wrong": 0}),
        (alert("ghost_voltage", unit="sum_error_permille"), {"sum_wrong": 0}),
        (alert("ghost_voltage", "alarm", unit="dead_cells", cell=5), {"impossible": 5}),
        (alert("ghost_voltage", unit="wild_cells", cell=2), {"impossible": 2}),
        (alert("ghost_voltage", unit="cell_jump_mv", cell=2), {"jumps": 2}),
        (alert("stuck_cell", cell=6), {"stuck": 6}),
        (alert("soc_mismatch"), {"counter": 0}),
        (alert("charge_fet_off"), {"switch": 0}),
        (alert("settle"), {"settles": 0}),
        (alert("charge_hot"), {"use": 0}),
        (alert("sense_wire", cell=6), {"sense_wire": 6}),
        (alert("bms_fault", fault="front_end"), {"board_fault": 0}),
        (alert("bms_fault", fault="cell_over_voltage"), {"too_full": 0}),
        (alert("bms_fault", fault="charge_under_temperature"), {"protected": 0}),
        (alert("bms_fault", fault="default_password"), {}),
        (alert("frozen_data"), {"frozen": 0}),
        (alert("temp_sensor", probe=1), {"probe": 0}),
        (alert("board_hot"), {"hot_board": 0}),
        (alert("balance_idle"), {"no_balancing": 0}),
        (alert("self_discharge", cell=3), {"leaks": 3}),
        (alert("sag"), {"tired": 0}),
        (alert("heat_rise"), {"self_heating": 0}),
        (alert("weak_cell", cell=8), {"gives_way": 8}),
        (alert("charge_voltage"), {"charger": 0}),
        (alert("charge_current"), {"charging": 0}),
        (alert("silence"), {"line": 0}),
        (alert("storage"), {"use": 0}),
        (alert("cell_spread", cell=7, worst=120), {"unequal": 7}),
        (alert("cell_spread", "info", cell=7, worst=40), {}),
    ],
)
def test_what_a_guardrail_says_about_the_culprit(found: Alert, rules: dict[str, int]) -> None:
    assert named(evidence(found)) == rules


@pytest.mark.parametrize(
    ("sum_error_mv", "rule"),
    [(300, "dead_group"), (301, "impossible"), (None, "impossible")],
)
def test_a_group_at_0_v_is_dead_only_where_the_pack_lacks_it_too(
    sum_error_mv: int | None, rule: str
) -> None:
    dead = alert("ghost_voltage", "alarm", unit="dead_cells", cell=5)
    assert named(evidence(dead, sum_error_mv=sum_error_mv)) == {rule: 5}


@pytest.mark.parametrize(
    ("found", "rules"),
    [
        (evidence(alert("bms_trip"), alert("cell_low", cell=4)), {"weak_trip": 4}),
        (evidence(alert("bms_trip"), alert("discharge_current")), {"hard_trip": 0, "use": 0}),
        (evidence(alert("bms_trip")), {}),
        (evidence(trips=1, lowest={3: 5, 1: 4}), {"weak_trip": 3}),
        (evidence(trips=1, lowest={3: 5, 1: 5}), {}),
        (evidence(trips=1, lowest={3: 4}), {}),
        (evidence(lowest={3: 9}), {}),
    ],
)
def test_a_cut_out_is_the_weak_groups_or_the_loads(found: Evidence, rules: dict[str, int]) -> None:
    assert named(found) == rules


def test_a_false_sum_takes_away_what_the_cells_seem_to_say() -> None:
    rest = states(rest=groups(off(4, -200)))
    assert named(evidence(alert("ghost_voltage", unit="sum_error_mv"), groups=rest)) == {
        "sum_wrong": 0
    }


def test_every_rule_has_a_side_and_a_document_line() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.side in SIDES
        assert rule.weight in (1, 2, 3)
        assert rule.says.endswith(".")


# --- the culprit and how sure --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alerts", "side", "sure"),
    [
        ([], "unseen", "possible"),
        ([alert("weak_cell", cell=2), alert("self_discharge", cell=2)], "cells", "sure"),
        ([alert("weak_cell", cell=2)], "cells", "likely"),
        ([alert("self_discharge", cell=2)], "cells", "possible"),
        ([alert("stuck_cell", cell=2), alert("sense_wire", cell=2)], "bms", "sure"),
        ([alert("stuck_cell"), alert("weak_cell")], "both", "possible"),
        ([alert("stuck_cell"), alert("self_discharge")], "both", "possible"),
        ([alert("weak_cell"), alert("balance_idle")], "cells", "likely"),
        ([alert("charge_voltage")], "charger", "likely"),
        ([alert("charge_stalled")], "charger", "possible"),
        ([alert("silence")], "line", "likely"),
        ([alert("storage")], "use", "possible"),
        ([alert("cell_high", "info")], "none", "possible"),
    ],
)
def test_the_culprit(alerts: list[Alert], side: str, sure: str) -> None:
    found = find(evidence(*alerts))
    assert (found.side, found.sure) == (side, sure)


def test_all_seen_and_nothing_found() -> None:
    found = find(evidence(groups=states(rest=groups(EVEN))))
    assert (found.side, found.sure, found.problems) == ("none", "likely", ())
    assert found.culprit == "Nothing was found in what could be watched."


@pytest.mark.parametrize(
    ("about", "others", "link_score", "sure", "why"),
    [
        (alert("cell_low", until_ms=None, state="set"), [], 100, "sure", "to the end"),
        (alert("cell_low", until_ms=60_000), [], 100, "sure", "minute or more"),
        (alert("cell_low", until_ms=59_999), [], 100, "likely", "seen once, for 60 s"),
        (alert("cell_low", count=2, until_ms=5), [], 90, "sure", "2 times"),
        (alert("cell_low", count=2, until_ms=5), [], 89, "likely", "2 times"),
        (alert("cell_low"), [], 69, "possible", "link score down to 69"),
        (alert("cell_low"), [], 70, "sure", "minute"),
        (alert("silence"), [], 10, "sure", "minute"),
        (alert("cell_low"), [alert("ghost_voltage")], 100, "possible", "readings are false"),
        (alert("cell_low"), [alert("frozen_data")], 100, "possible", "stood still"),
        (alert("charge_hot", probe=1), [alert("temp_sensor", probe=1)], 100, "possible", "probe"),
        (alert("charge_hot", probe=1), [alert("temp_sensor", probe=2)], 100, "sure", "minute"),
    ],
)
def test_how_sure_a_problem_is(
    about: Alert, others: list[Alert], link_score: int, sure: str, why: str
) -> None:
    found = find(evidence(about, *others, link_score=link_score)).problems[0]
    assert found.sure == sure
    assert why in found.why


def test_a_named_fault_and_a_numbered_error_bring_their_own_advice() -> None:
    fault = find(evidence(alert("bms_fault", fault="short_circuit"))).problems[0]
    assert fault.title == "Short circuit"
    assert "look for damage" in fault.now
    ten = alert("controller_error", error=10)
    assert find(evidence(ten, family="vesc")).problems[0].title == "Restarted by the watchdog"
    assert find(evidence(ten, family="xiaomi")).problems[0].title.startswith("No connection to")
    unknown = find(evidence(alert("controller_error", error=99), family="xiaomi")).problems[0]
    assert unknown.title == "Controller error"


def test_the_group_most_named_comes_first() -> None:
    found = find(evidence(alert("weak_cell", cell=3), alert("cell_low", "alarm", cell=5)))
    assert found.groups == (3, 5)


def test_a_second_packs_group_is_named_with_its_pack_and_not_taken_for_the_firsts() -> None:
    second = alert("weak_cell", cell=3)
    second.pack = 2
    found = find(evidence(second))
    assert found.problems[0].where == "group 3 of pack 2"
    assert found.groups == ()
    assert (found.side, named(evidence(second))) == ("cells", {"gives_way": 0})


def test_what_was_watched_at_any_time_is_not_missing() -> None:
    seen = set(CODES) - {"cell_low", "silence"}
    found = unwatched(find(evidence(watched=seen)))
    assert sorted(found.values()) == ["Cell very empty", "No answer from the battery"]
    assert find(evidence(watched=set(CODES))).unwatched == ()


def unwatched(found: Finding) -> dict[str, str]:
    return {need: titles for titles, need in found.unwatched}


def test_a_limit_that_is_not_set_is_what_is_missing() -> None:
    jk = unwatched(find(evidence(profile="jk")))
    assert "Current too high" in jk["a limit of yours: none is set"]
    m365 = unwatched(find(evidence(profile="m365")))
    assert "Current too high" not in m365.get("a limit of yours: none is set", "")


# --- evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current_ma", "state"),
    [
        (-5000, "load"),
        (-4999, ""),
        (-500, ""),
        (-499, "rest"),
        (499, "rest"),
        (500, "charge"),
    ],
)
def test_state_of_the_pack_by_its_current(current_ma: int, state: str) -> None:
    assert state_of(current_ma) == state


def test_another_number_of_cells_starts_the_means_anew() -> None:
    made = groups([3700, 3600, 3700])
    made.add(EVEN, 0)
    assert (made.samples, made.mean_mv()) == (1, [0.0] * 10)


def record(kind: str, uptime_s: int, boot: int = 1, pack: int = 1, **fields: Any) -> Any:
    time = datetime(2026, 11, 1, tzinfo=UTC)
    return SimpleNamespace(
        kind=kind, boot=boot, uptime_s=uptime_s, pack=pack, time=time, fields=fields, sequence=1
    )


def test_a_journal_becomes_evidence() -> None:
    low = {"code": "cell_low", "unit": "lowest_mv", "level": "alarm", "where": 4, "limit": 2900}
    low |= {"value": 2880, "peak": 2850, "count": 1}
    records = [
        record("alert", 100, state="set", **low),
        *(record("checkpoint", 110 + n, lowest_cell=4, lowest_mv=2900) for n in range(5)),
        record("supply", 0, boot=2, pack=0, verdict="tripped", session="ride"),
        record("memory", 30, boot=2, cell_mv=[3600, 3600, 3600, 3500]),
        record("note", 31, boot=2, text="recovering ended after 30 min"),
        record("note", 32, boot=2, text="acknowledged"),
        record("boot", 0, boot=2, cause="power_on"),
    ]
    found = of_journal(SimpleNamespace(records=records), "ride.jrn")
    assert [(a.code, a.cell, a.worst, a.state) for a in found.alerts] == [
        ("cell_low", 4, 2850, "set")
    ]
    assert (found.trips, found.lowest, found.rest_mv[3]) == (1, {4: 5}, 3500)
    assert found.seconds == 114 + 32
    finding = find(found)
    assert (finding.side, finding.groups[0]) == ("cells", 4)
    assert {clue.rule for clue in finding.clues} == {"weak_trip", "unequal"}
    text = paper(finding).text().replace("\n", " ")
    assert "does not tell what was watched" in text
    assert "It holds 1 start; supply lost under load: 1." in text
    assert "Owner: recovering ended after 30 min." in text
    assert "acknowledged" not in text


def test_the_bytes_of_a_black_box_become_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = layout.Batch(2048)
    batch.boot, batch.uptime_s, batch.wall_s = 3, 100, 0
    name_id = layout.name_id
    low = (name_id("cell_low"), name_id("lowest_mv"), SET, ALARM, 4, 2880, 2900, 2850, 1, 3)
    batch.data(layout.ALERT, 1, struct.pack(layout.ALERT_FORMAT, *low))
    batch.boot, batch.uptime_s = 4, 0
    supply = struct.pack(layout.SUPPLY_FORMAT, layout.TRIPPED, layout.RIDE)
    batch.data(layout.SUPPLY, 0, supply)
    memory, kept = Memory(), bytearray(SIZE)
    memory.cells = 10
    for cell in range(10):
        memory.cell_mv[cell] = 3500 if cell == 3 else 3600
    memory.write(kept)
    batch.data(layout.MEMORY, 1, kept)
    at = number = 0
    while at < batch.size:
        number += 1
        at = layout.seal(batch.buf, at, number)
    path = tmp_path / "segment"
    path.write_bytes(batch.buf[: batch.size])
    assert main(["diagnose", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["kind"], said["culprit"], said["sure"]) == ("journal", "cells", "sure")
    assert said["groups"][0] == 4
    assert {clue["rule"]: clue["group"] for clue in said["clues"]} == {
        "unequal": 4,
        "weak_trip": 4,
    }
    assert said["problems"][0]["code"] == "cell_low"
    assert said["unwatched"][0]["guardrails"] == "unknown"
    path.write_bytes(b"no journal at all")
    assert main(["diagnose", str(path)]) == 2
    assert "no whole record" in capsys.readouterr().err


def test_the_made_ride_is_the_leaking_group_and_says_so() -> None:
    path = made_capture_path("charge_and_ride", 1)
    events = trace(str(path), Settings({"profile": "m365"}, "cpython"))
    finding = find(of_trace(events, path.name, "made"))
    assert (finding.side, finding.groups[0]) == ("cells", 7)
    assert {"unequal", "gives_way", "drifts", "charger", "line"} <= {
        clue.rule for clue in finding.clues
    }
    alarms = [problem.code for problem in finding.problems if problem.level == "alarm"]
    assert alarms[0] == "cell_spread"
    assert {"charge_voltage", "silence"} < set(alarms)
    assert finding.problems[0].sure == "sure"
    text = paper(finding).text()
    assert "Group to look at first: 7" in text
    assert "no scooter was involved" in text


# --- the command and the page --------------------------------------------------------------------


class Page(HTMLParser):
    """Collects tags and attributes, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "line", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_real_standing_line_is_a_page_that_needs_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "finding.html"
    assert main(["diagnose", REAL_LINE, *CPYTHON, "-o", str(out)]) == 0
    assert "the cells were never seen" in capsys.readouterr().out
    text = out.read_text("utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.addresses == []
    assert "script" not in page.tags
    assert "No guardrail spoke." in text
    assert "cells pass by only while an app reads them" in re.sub(r"\s+", " ", text)
    assert main(["diagnose", REAL_LINE, *CPYTHON, "-o", str(tmp_path / "finding.json")]) == 0
    said = json.loads((tmp_path / "finding.json").read_text("utf-8"))
    assert (said["culprit"], said["origin"], said["family"]) == ("unseen", "derived", "xiaomi")


def test_a_kept_trace_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", REAL_LINE, *CPYTHON, "--json", "--telemetry"]) == 0
    kept = tmp_path / "ride.jsonl"
    kept.write_text(capsys.readouterr().out, "utf-8")
    assert main(["diagnose", str(kept), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "trace"
    kept.write_text('{"event": "led"\n', "utf-8")
    assert main(["diagnose", str(kept)]) == 2
    assert "line 1 is no event of a trace" in capsys.readouterr().err


def test_names_from_outside_are_escaped() -> None:
    made = Paper("<b>")
    made.section("a & b", "1 < 2", ["<i>"], Table(("<",), (("&",),)), Bars(("<",), (1.0,), "mV"))
    text = made.html()
    page = Page()
    page.feed(text)
    assert page.open == []
    assert "<i>" not in text
    assert "<b>" not in text
    assert "1 &lt; 2" in text


def test_what_is_no_source_is_told(tmp_path: Path) -> None:
    other = tmp_path / "x.csv"
    other.write_text("t,hex\n")
    with pytest.raises(PacklabError, match="packlab convert"):
        list(trace(str(other), Settings()))
    with pytest.raises(PacklabError, match="there is no file"):
        list(trace(str(tmp_path / "gone.cap"), Settings()))


def test_data_is_plain_json() -> None:
    finding = find(evidence(alert("weak_cell", cell=2), groups=states(rest=groups(EVEN))))
    said = json.loads(json.dumps(data(finding)))
    assert said["groups"] == [2]
    assert said["scores"] == {"cells": 3, "bms": 0, "charger": 0, "line": 0, "use": 0}

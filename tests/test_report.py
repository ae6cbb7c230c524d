"""packlab report: every number of a page is read back from the page and held against what it must
be; trends over months; what cannot be read is left out and said."""

import html
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from packlab.capture import CaptureReader, CaptureWriter, Header, new_file
from packlab.made import made_capture_path
from packlab.report.samples import strokes
from packlab.report.svg import Plot
from test_flash import packlab, refused

REAL = ROOT / "tests" / "data" / "captures" / "m365_standing.cap"


def report(*places: Path, out: Path, words: tuple[str, ...] = ()) -> tuple[str, dict[str, Any]]:
    """The page's text and the numbers in it; the command must succeed."""
    code, said, err = packlab("report", *map(str, places), "-o", str(out), *words)
    assert (code, err) == (0, ""), said + err
    return page(out)


def page(path: Path) -> tuple[str, dict[str, Any]]:
    """A page and its JSON."""
    text = path.read_text("utf-8")
    element = '<script type="application/json" id="packlab-report">'
    numbers: dict[str, Any] = json.loads(text.partition(element)[2].partition("</script>")[0])
    return text, numbers


def visible(text: str) -> str:
    """What a person reads: no markup, no script, no style."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def plotted(text: str, plot: str, series: str) -> list[tuple[float, float]]:
    """(t_ms, value) of one drawn line, from its place in the picture and the axes it states."""
    svg = re.search(rf'<svg [^>]*data-plot="{plot}".*?</svg>', text, re.S)
    assert svg
    spans = {
        name: tuple(map(float, value.split()))
        for name, value in re.findall(r'data-(times|values|x|y)="([^"]+)"', svg[0])
    }
    path = re.search(rf'data-series="{series}" d="([^"]+)"', svg[0])
    assert path
    (t0, t1), (v0, v1), (x0, x1), (y0, y1) = (spans[n] for n in ("times", "values", "x", "y"))
    points = re.findall(r"[ML]?(-?[\d.]+) (-?[\d.]+)", path[1])
    return [
        (
            t0 + (float(x) - x0) / (x1 - x0) * (t1 - t0),
            v0 + (float(y) - y0) / (y1 - y0) * (v1 - v0),
        )
        for x, y in points
    ]


def test_the_real_line(tmp_path: Path) -> None:
    text, numbers = report(REAL, out=tmp_path / "real.html", words=("--profile", "m365"))
    (capture,) = numbers["captures"]
    assert (capture["origin"], capture["summary"]["frames"]) == ("derived", 138)
    assert capture["summary"]["bad_check"] == 0
    assert capture["alerts"] == capture["bands"] == []
    (pack,) = capture["packs"]
    assert pack["extremes"]["pack_mv"]["last"] == 35_940
    assert pack["extremes"]["soc_pct"]["first"] == 47
    assert pack["extremes"]["coldest_dc"]["lowest"] == 230
    read = visible(text)
    assert "nothing found, as far as it was watched" in read
    assert "35.94 V" in read
    assert "47 %" in read
    assert "cells and their delta" in read  # not plotted, because nobody told it
    assert "Cells out of balance" not in read.partition("Not watched at any time")[0]
    assert "recorded on a wire and changed since" in read


def test_the_made_ride(tmp_path: Path) -> None:
    text, numbers = report(made_capture_path("charge_and_ride", 1), out=tmp_path / "ride.html")
    (capture,) = numbers["captures"]
    (pack,) = capture["packs"]
    found = {alert["code"]: alert["worst"] for alert in capture["alerts"]}
    assert found.pop("silence") == pytest.approx(14_950, abs=60)
    assert found == {
        "cell_spread": 180,
        "charge_voltage": 42_800,
        "charge_cold": 30,
        "temp_sensor": 1,
        "charge_target": 100,
        "heat_rise": 130,
    }
    levels = [(band["code"], band["level"]) for band in capture["bands"]]
    assert levels[:4] == [
        ("charge_cold", "warn"),
        ("cell_spread", "warn"),
        ("cell_spread", "alarm"),
        ("cell_spread", "unknown"),
    ]
    charge, ride = pack["sessions"][:2]
    assert (charge["kind"], ride["kind"]) == ("charge", "ride")
    # 2 A for eleven minutes at 18 times the line's pace, less the taper
    assert charge["into_mah"] == pytest.approx(6488, abs=40)
    assert charge["told_mah"] == pytest.approx(5994, abs=40)
    assert ride["most_out_ma"] == pack["extremes"]["current_ma"]["lowest"] * -1
    # ten groups of 12 mΩ at some 12 °C, 1.25 times that at 20 °C
    assert pack["resistance"]["pack_mohm"] == pytest.approx(134, abs=8)
    read = visible(text)
    assert "4 alarms, 2 warnings, 1 remark" in read
    assert "Cells out of balance: once, up to 0.180 V, cell 7" in read
    assert "the made pack's time runs 18 times as fast" in read
    assert "made by a program: no battery was involved" in read


def test_lines_drawn_are_the_numbers_told(tmp_path: Path) -> None:
    text, numbers = report(made_capture_path("charge_and_ride", 1), out=tmp_path / "ride.html")
    (capture,) = numbers["captures"]
    series = capture["packs"][0]["series"]
    for plot, name, exact in (("pack_mv", "pack_mv", 60), ("soc_pct", "soc_pct", 1.5)):
        drawn = plotted(text, plot, name)
        told = [point for stroke in series[name] for point in stroke]
        assert len(drawn) >= len(told)
        for (t_ms, value), (told_ms, told_value) in zip(drawn, told, strict=False):
            assert t_ms == pytest.approx(told_ms, abs=900)
            assert value == pytest.approx(told_value, abs=exact)


def test_nothing_is_loaded_and_nothing_escapes(tmp_path: Path) -> None:
    evil = tmp_path / "evil.cap"
    with CaptureReader(REAL) as reader, new_file(evil) as stream:
        source = "</script><script>alert(1)</script>"
        writer = CaptureWriter(stream, Header("real", source, reader.header.lines))
        for event in reader:
            writer.write(event)
    text, numbers = report(evil, out=tmp_path / "evil.html")
    assert numbers["captures"][0]["source"] == source
    assert "<script>alert" not in text
    assert text.count("<script") == 1
    assert not re.search(r'(src|href)="(?!#|evil)|url\(|@import', text)


def dated(folder: Path, day: date, mv: int, soc_pct: int) -> None:
    """A capture of a pack at rest that day: ten cells, one of them behind."""
    from line_rig import status, words, xiaomi

    path = folder / f"{day.isoformat()}.cap"
    with new_file(path) as stream:
        writer = CaptureWriter(stream, Header("made", "tests/test_report.py"))
        from packlab.capture import Chunk

        cells = [mv] * 9 + [mv - (day - date(2026, 1, 1)).days // 4]
        for number in range(160):
            writer.write(
                Chunk(
                    number * 500_000,
                    "bms_tx",
                    xiaomi(
                        0x25, 0x01, 0x30,
                        status(current_ma=0, pack_mv=sum(cells), soc_pct=soc_pct),
                    ),
                )
            )  # fmt: skip
            writer.write(
                Chunk(number * 500_000 + 100_000, "bms_tx", xiaomi(0x25, 0x01, 0x40, words(cells)))
            )


def test_trends_over_months(tmp_path: Path) -> None:
    folder = tmp_path / "packs" / "Anna's Pro 2"
    folder.mkdir(parents=True)
    for number in range(4):
        dated(folder, date(2026, 1, 1) + timedelta(days=60 * number), 3900 - 10 * number, 70)
    (folder / "2026-09-01.cap").write_text("not a capture")
    out = tmp_path / "index.html"
    code, said, err = packlab("report", str(tmp_path / "packs"), "-o", str(out))
    assert (code, err) == (0, "")
    assert "left out" in said
    assert "and 4 pages in index/" in said
    text, numbers = page(out)
    (pack,) = numbers["packs"]
    assert pack["name"] == "Anna's Pro 2"
    assert [reading["when"] for reading in pack["readings"]] == [
        "2026-01-01", "2026-03-02", "2026-05-01", "2026-06-30",
    ]  # fmt: skip
    assert [reading["rest_spread_mv"] for reading in pack["readings"]] == [0, 15, 30, 45]
    parked = pack["parked"][0]
    assert (parked["days"], parked["lost_pct_per_day"]) == (60, 0.0)
    assert parked["groups_mv_per_day"] == [0.17] * 9 + [0.42]
    read = visible(text)
    assert "1 pack, 4 captures" in read
    assert "Delta at rest 0.045 V" in read
    assert "no capture begins like this" in read
    drawn = plotted(text, "rest_spread_mv", "rest_spread_mv")
    assert [round(value) for _, value in drawn] == [0, 15, 30, 45]
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == [
        f"Anna-s-Pro-2-{reading['when']}.cap.html" for reading in pack["readings"]
    ]
    for link in re.findall(r'href="([^"]+)"', text):
        assert (tmp_path / link).exists()


def test_several_files_share_one_page(tmp_path: Path) -> None:
    made = made_capture_path("charge_and_ride", 1)
    text, numbers = report(REAL, made, out=tmp_path / "both.html", words=("--title", "Both"))
    assert [len(numbers["captures"]), len(numbers["packs"])] == [2, 2]
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{anchor}"' in text
    assert "<title>Both</title>" in text


def test_what_it_refuses(tmp_path: Path) -> None:
    assert "holds no capture" in refused("report", str(tmp_path))
    bad = tmp_path / "bad.cap"
    bad.write_text("x")
    sentence = refused("report", str(bad), "-o", str(tmp_path / "x.html"))
    assert "no capture could be read" in sentence
    assert not (tmp_path / "x.html").exists()
    assert "cannot be written" in refused(
        "report", str(REAL), "-o", str(tmp_path / "nowhere" / "x.html")
    )
    assert "is no option" in refused(
        "report", str(REAL), "--config", str(_config(tmp_path)), "-o", str(tmp_path / "x.html")
    )


def _config(folder: Path) -> Path:
    path = folder / "config.json"
    path.write_text('{"serie": 10}')
    return path


def test_no_peak_is_lost_in_a_long_plot() -> None:
    points = [(second * 1000, 5) for second in range(10_000)]
    points[4321] = (4_321_000, 99)
    points[8000] = (8_000_000, -7)
    drawn = [point for stroke in strokes(points, 0, 10_000_000) for point in stroke]
    assert len(drawn) < 1000
    assert (4_321_000, 99) in drawn
    assert (8_000_000, -7) in drawn
    assert [t_ms for t_ms, _ in drawn] == sorted(t_ms for t_ms, _ in drawn)


def test_words_of_limits_that_lie_close_make_room() -> None:
    plot = Plot("p", "P", (0, 1000), (0, 100), 150)
    plot.limit(90, "warn", "warn")
    plot.limit(92, "alarm", "alarm")
    plot.limit(10, "info", "info")
    plot.limit(200, "alarm", "out of the frame")
    places = re.findall(r'<text[^>]*x="([\d.]+)"[^>]*class="limit-text (\w+)"', plot.render())
    if not places:
        places = [
            (x, level)
            for level, x in re.findall(r'class="limit-text (\w+)"[^>]*x="([\d.]+)"', plot.render())
        ]
    x = {level: float(value) for value, level in places}
    assert x["warn"] == x["info"] > x["alarm"]

"""The pages that are made from the firmware's tables say what the firmware does."""

from pathlib import Path

import pytest
from conftest import ROOT
from deckwatch import status
from deckwatch.guardrails.table import CODES

from tools import make_docs

DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", make_docs.PAGES)
def test_page_is_up_to_date(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert text == make_docs.page(name, text), "run .venv/bin/python tools/make_docs.py"


def test_every_guardrail_and_every_option_has_its_place() -> None:
    text = (DOCS / "guardrails.md").read_text("utf-8")
    for code in CODES:
        assert text.count(f"\n## `{code}`: ") == 1
    row = "| warn | at rest or charging: highest cell minus lowest cell ≥ 100 mV | 5 s | ≤ 80 mV |"
    assert f"{row} 5 s | `cell_spread_warn_mv` 20 … 1000 |" in text
    assert "| `fresh_ms` | `5000` | 1000 … 60000 |" in text


def test_light_and_buzzer_are_told() -> None:
    text = (DOCS / "signals.md").read_text("utf-8")
    assert "| red | as many as the group | 100 ms on, 100 ms off; 600 ms dark at the end |" in text
    assert "| 5 | electronics and data line | `soc_mismatch`, " in text
    assert "every 0:05 from 0:00 to 2:00, then every 5:00 from 7:00 to 17:00, and so on" in text


def test_what_is_between_the_markers_is_replaced_and_nothing_else() -> None:
    begin = make_docs.BEGIN.format(make_docs.PAGES["signals.md"][0])
    text = f"before\n{begin}\nstale\n{make_docs.END}\nafter\n"
    made = make_docs.page("signals.md", text)
    assert made.startswith(f"before\n{begin}\n\n## Light\n")
    assert made.endswith(f"|\n\n{make_docs.END}\nafter\n")
    assert "stale" not in made


@pytest.mark.parametrize("text", ["", make_docs.END, "<!-- made by tools/make_docs.py"])
def test_page_without_markers_is_refused(text: str) -> None:
    with pytest.raises(SystemExit, match=r"docs/signals\.md needs the lines"):
        make_docs.page("signals.md", text)


def test_stale_page_is_told_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs" / "protocols").mkdir(parents=True)
    for name in make_docs.PAGES:
        text = (DOCS / name).read_text("utf-8")
        (tmp_path / "docs" / name).write_text(text.replace("100 ms", "101 ms"), "utf-8")
    monkeypatch.setattr(make_docs, "root", lambda: tmp_path)
    assert make_docs.main(["--check"]) == 1
    assert capsys.readouterr().out == (
        "docs/signals.md out of date: run .venv/bin/python tools/make_docs.py\n"
    )
    assert make_docs.main([]) == 0
    assert make_docs.main(["--check"]) == 0
    for name in make_docs.PAGES:
        assert (tmp_path / "docs" / name).read_text("utf-8") == (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("slot", "number", "said"),
    [
        ("highest_mv", 4250, "4.25 V"),
        ("cell_spread_mv", 30, "30 mV"),
        ("discharge_ma", 27000, "27 A"),
        ("coldest_dc", -5, "-0.5 °C"),
        ("quiet_ms", 500, "0.5 s"),
        ("sum_error_permille", 8, "0.8 %"),
        ("bit_error_ppm", 150, "1.5 in 10,000"),
        ("wild_cells", 1, "1"),
    ],
)
def test_quantities_have_their_units(slot: str, number: int, said: str) -> None:
    assert make_docs.quantity(slot, number) == said


def test_stretches_of_times() -> None:
    assert list(make_docs.runs([0, 5, 10, 40, 70])) == [(0, 10, 5), (40, 70, 30)]
    assert list(make_docs.runs([0, 60])) == [(0, 60, 60)]


def test_buzzer_is_listened_to() -> None:
    assert make_docs.listen(status.WARN)[:3] == (2000, 120, 240)
    assert make_docs.listen(status.ALARM)[3][:3] == [0, 5000, 10000]

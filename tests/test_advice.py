"""Advice: nothing the dongle can say lacks its meaning, causes and what to do, in English and in
German; and what the phone page carries is what the files say."""

import json
from pathlib import Path

import pytest
from deckwatch import controller_errors, faults
from deckwatch.alert import ALARM
from deckwatch.guardrails.table import CODES
from deckwatch.protocols import vesc
from packlab.advice import KINDS, LANGUAGES, Advice, book, error
from packlab.advice import book as advice_book
from packlab.advice.book import _entry
from packlab.advice.export import FILES, for_the_phone
from packlab.checkout import root
from packlab.errors import PacklabError
from packlab.view import sentences
from packlab.view.plain import ascii_only
from packlab.view.state import Alert
from packlab.view.words import GUARDRAILS

from tools import make_advice

# Error numbers the sheet xiaomi.md 3.6 lists
SCOOTER = [*range(10, 25), 26, 27, 28, 29, 31, 32, *range(35, 47), 49, 50]
SHEET_ROWS = 40


def test_every_guardrail_has_advice_and_no_advice_is_orphaned() -> None:
    assert list(book("guardrails")) == list(GUARDRAILS)
    assert len(book("guardrails")) == SHEET_ROWS
    assert set(CODES) <= set(book("guardrails"))
    if len(CODES) >= SHEET_ROWS:
        assert set(CODES) == set(book("guardrails"))


def test_every_fault_of_the_firmware_has_advice_in_its_order() -> None:
    assert tuple(book("faults")) == faults.FAULTS


def test_every_error_of_the_scooters_sheet_has_advice() -> None:
    assert [int(code) for code in book("scooter_errors")] == SCOOTER
    alarming = [code for code in range(256) if controller_errors.level_of(code) == ALARM]
    assert set(alarming) <= set(SCOOTER)


def test_every_vesc_fault_has_advice_under_the_firmwares_name() -> None:
    said = book("vesc_faults")
    assert [int(code) for code in said] == list(range(1, len(vesc.FAULT_NAMES)))
    for code, entry in said.items():
        assert entry.title == vesc.FAULT_NAMES[int(code)]


@pytest.mark.parametrize("kind", KINDS)
def test_entries_are_short_titles_and_whole_sentences(kind: str) -> None:
    for code, said in book(kind).items():
        assert len(said.title) <= 52, code
        assert said.meaning.count(". ") == 0, code
        assert 1 <= len(said.causes) <= 5, code
        assert len(set(said.causes)) == len(said.causes), code
        for text in (said.meaning, said.now, said.later, *said.causes):
            assert text.endswith("."), f"{code}: {text}"
            assert text[0].isupper() or text[0] in "−0123456789", f"{code}: {text}"
        assert "?" not in ascii_only("".join((said.meaning, said.now, said.hint)))


@pytest.mark.parametrize("kind", KINDS)
def test_german_says_the_same_codes_in_german(kind: str) -> None:
    english, german = book(kind, "de"), book(kind)
    assert list(english) == list(german)
    for code in english:
        mine, theirs = english[code], german[code]
        assert mine.meaning != theirs.meaning, code
        assert mine.now.endswith("."), code
        assert mine.meaning.endswith("."), code
        for optional in ("hint", "deep", "dead"):
            assert bool(getattr(mine, optional)) == bool(getattr(theirs, optional)), code


def test_titles_of_faults_tell_them_apart_in_both_languages() -> None:
    for language in LANGUAGES:
        for kind in ("guardrails", "faults", "vesc_faults"):
            titles = [said.title for said in book(kind, language).values()]
            assert len(set(titles)) == len(titles), (kind, language)


def test_the_same_number_means_another_thing_on_a_vesc() -> None:
    scooter, motor = error(10, "xiaomi"), error(10, "vesc")
    assert scooter is not None
    assert motor is not None
    assert scooter.title == "no connection to the dashboard"
    assert motor.title == "restarted by the watchdog"
    assert error(99, "xiaomi") is None
    assert error(4, "ninebot") is None
    assert error(34, "vesc") is None


def test_a_named_fault_gives_its_own_advice() -> None:
    found = Alert("bms_fault", 1, 0, 0, fault="thermal_runaway", level="alarm")
    assert "fire service" in sentences.advice(found, "alarm")
    found.fault = "not_in_the_book"
    assert sentences.advice(found, "alarm").startswith("Stop, look at the named cause")


def test_deeply_empty_groups_have_their_own_sentences() -> None:
    said = book("guardrails")["cell_low"]
    assert "alone and gently" in said.deep
    assert said.dead.startswith("Do not charge this group at all")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"title": "t", "meaning": "m", "causes": ["c"], "now": "n"}, "lacks later"),
        ({"title": "t", "meaning": "m", "causes": [], "now": "n", "later": "l"}, "lacks causes"),
        (
            {
                "title": "t",
                "meaning": "m",
                "causes": ["c"],
                "now": "n",
                "later": "l",
                "other": "x",
            },
            "does not know other",
        ),
        (
            {"title": "t", "meaning": "m", "causes": "c", "now": "n", "later": "l"},
            "must hold texts",
        ),
        ({"title": 1, "meaning": "m", "causes": ["c"], "now": "n", "later": "l"}, "must hold"),
    ],
)
def test_an_entry_that_is_not_whole_is_refused(row: dict[str, object], says: str) -> None:
    with pytest.raises(PacklabError, match=says):
        _entry("x.toml", "code", row, "en")


def test_what_the_phone_carries_is_up_to_date() -> None:
    for name, language in FILES.items():
        text = (root() / name).read_text("utf-8")
        assert text == for_the_phone(language), "run .venv/bin/python tools/make_advice.py"


def test_the_phones_german_has_title_meaning_and_now() -> None:
    page = json.loads(for_the_phone("de"))
    assert page["language"] == "de"
    assert page["guardrails"]["silence"]["title"] == "Batterie antwortet nicht"
    assert page["scooter_errors"]["21"]["now"] == "Datenleitungen und ihren Stecker prüfen."
    assert page["faults"]["short_circuit"]["title"] == "Kurzschluss"
    assert set(page["vesc_faults"]["4"]) == {"title", "meaning", "now"}
    assert set(page["guardrails"]["cell_low"]) >= {"hint", "deep", "dead"}


def test_stale_export_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_advice, "root", lambda: tmp_path)
    assert make_advice.main(["--check"]) == 1
    assert "tools/make_advice.py" in capsys.readouterr().out
    assert not (tmp_path / "host").exists()
    assert make_advice.main([]) == 0
    assert make_advice.main(["--check"]) == 0


def test_an_entry_without_optional_parts_is_plain() -> None:
    row = {"title": "t", "meaning": "m.", "now": "n."}
    assert _entry("x.de.toml", "code", row, "de") == Advice("t", "m.", "n.")
    assert advice_book("faults") is advice_book("faults")  # read once

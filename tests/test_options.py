"""`packlab config`: every option with its range and meaning, where values come from, and what is
wrong with a file, all in the firmware's own words."""

import json
from pathlib import Path

import pytest
from deckwatch import config
from deckwatch.index import PROFILES
from deckwatch.options import names
from packlab import limits
from packlab.cli import main
from packlab.options import Setting, in_force, options, shadowed, wrong


def by_name(source: dict[str, object]) -> dict[str, Setting]:
    return {row.option.name: row for row in in_force(source)}


def test_options_are_all_the_firmware_numbers_for_the_air() -> None:
    assert [option.name for option in options()] == names()


def test_every_option_has_one_line_of_meaning_and_its_range() -> None:
    ranges = limits.ranges()
    for option in options():
        assert option.meaning, option.name
        assert "\n" not in option.meaning
        assert "{}" not in option.meaning
        if option.nullable:
            assert (option.lowest, option.highest) == ranges[option.name]
            assert option.unit, option.name
            assert option.meaning.split()[0] in ("info", "warn", "alarm")
        if not option.choices and option.default is not None:
            assert option.lowest <= option.default <= option.highest, option.name
    assert sum(option.nullable for option in options()) == len(ranges)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("cell_high_warn_mv", "warn when highest cell ≥ this"),
        ("cell_low_alarm_mv", "alarm when lowest cell ≤ this"),  # its gate differs row by row
        ("charge_hot_info_dc", "info while charging: hottest probe ≥ this"),
        ("charge_voltage_warn_permille", "warn while charging: pack more than this above full"),
    ],
)
def test_meaning_of_a_limit_is_made_of_its_row(name: str, meaning: str) -> None:
    assert next(option for option in options() if option.name == name).meaning == meaning


def test_values_come_from_default_chemistry_profile_or_owner() -> None:
    rows = by_name({"profile": "m365", "chemistry": "lfp", "cell_high_warn_mv": 3600})
    assert (rows["cell_high_warn_mv"].value, rows["cell_high_warn_mv"].origin) == (3600, "owner")
    assert (rows["cell_low_warn_mv"].value, rows["cell_low_warn_mv"].origin) == (2800, "chemistry")
    assert (rows["design_mah"].value, rows["design_mah"].origin) == (7800, "profile")
    assert (rows["fresh_ms"].value, rows["fresh_ms"].origin) == (5000, "default")
    assert (rows["chemistry"].value, rows["chemistry"].origin) == ("lfp", "owner")
    assert (rows["profile"].value, rows["profile"].origin) == ("m365", "owner")


def test_a_limit_switched_off_is_the_owners_null() -> None:
    row = by_name({"charge_hot_info_dc": None})["charge_hot_info_dc"]
    assert (row.value, row.origin) == (None, "owner")
    unset = by_name({"profile": "jbd"})["discharge_current_warn_ma"]
    assert (unset.value, unset.origin) == (None, "default")


@pytest.mark.parametrize("profile", PROFILES)
def test_values_in_force_are_what_the_firmware_loads(profile: str) -> None:
    loaded = config.load({"profile": profile})
    in_the_firmware = limits.by_name(loaded)
    for row in in_force({"profile": profile}):
        if row.option.nullable:
            assert row.value == in_the_firmware[row.option.name]
        else:
            assert row.value == getattr(loaded, row.option.name)


def test_every_wrong_option_is_named_with_its_range() -> None:
    source = {"series": 99, "cell_high_warn_mv": 9999, "cell_spred_warn_mv": 80, "fresh_ms": 5000}
    found = list(wrong(source))
    assert found[0] == '"series" is 99; it must be a whole number from 0 to 32'
    assert found[1].startswith('"cell_high_warn_mv" is 9999; it must be a whole number from 3300')
    assert found[2].endswith('"cell_spread_warn_mv" is meant?')
    assert len(found) == 3
    assert list(wrong({"profile": "m365"})) == []


def test_a_wrong_profile_does_not_hide_other_faults() -> None:
    found = list(wrong({"profile": "m356", "chemistry": "lead", "series": -1}))
    assert [sentence.split('"')[1] for sentence in found] == ["profile", "chemistry", "series"]
    assert "m365" in found[0]


def test_limits_that_never_speak_are_noted() -> None:
    assert list(shadowed({})) == []
    found = list(shadowed({"cell_spread_warn_mv": 200, "cell_low_info_mv": 2950}))
    assert found == [
        '"cell_spread_warn_mv" is 200, which is never reached: "cell_spread_alarm_mv" at 150 is '
        "alarm before",
        '"cell_low_info_mv" is 2950, which is never reached: "cell_low_warn_mv" at 3000 is '
        "warn before",
    ]


# --- the command ---------------------------------------------------------------------------------


def test_check_tells_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"series": 99, "baud": 1}')
    assert main(["config", "check", str(path)]) == 2
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 2
    assert "2 options are wrong" in told.err
    path.write_text('{"series": 13, "cell_high_warn_mv": 4260}')
    assert main(["config", "check", str(path)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith('note: "cell_high_warn_mv" is 4260')
    assert "good, 2 of its options set by the owner" in told.out


def test_explain_lists_all_or_only_what_is_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"profile": "jk", "series": 16, "chemistry": "lfp"}')
    assert main(["config", "explain", str(path)]) == 0
    text = capsys.readouterr().out
    assert text.count("\n") == 3 * len(options())
    assert "cell_high_alarm_mv = 3750 mV  (chemistry)" in text
    assert "    default 4250, allowed 3300 … 4400, null" in text
    assert main(["config", "explain", str(path), "--set", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["series"]["value"] == 16
    assert rows["series"]["origin"] == "owner"
    assert "fresh_ms" not in rows


def test_explain_refuses_what_check_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"baud": 1}')
    assert main(["config", "explain", str(path)]) == 2
    assert "packlab config check names all" in capsys.readouterr().err


def test_diff_shows_what_differs_and_from_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"profile": "m365", "cell_spread_warn_mv": 80}')
    assert main(["config", "diff", "m365", str(path)]) == 0
    assert capsys.readouterr().out == "cell_spread_warn_mv: 100 (default) -> 80 (owner) mV\n"
    assert main(["config", "diff", "m365", "m365"]) == 0
    assert capsys.readouterr().out == "no option differs\n"
    assert main(["config", "diff", "m365", "no_such"]) == 2

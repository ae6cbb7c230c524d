"""What the owner may set: every option, its range, and what a refusal says."""

import pytest
from deckwatch import config
from deckwatch.config import ConfigError, load
from deckwatch.expected import expected
from deckwatch.guardrails.rules import Rules
from deckwatch.guardrails.table import CODES, ROWS, needs, option_names
from deckwatch.index import PROFILES
from deckwatch.options import CHEMISTRIES, OPTIONS
from deckwatch.passing import bits
from deckwatch.telemetry import SLOTS
from packlab import limits

RANGES = limits.ranges()
NUMBERS = [(name, *allowed) for name, _, allowed, _ in OPTIONS if isinstance(allowed[0], int)]

# Written by hand: name, default in the m365 profile, lowest, highest.
LIMITS = [
    ("cell_spread_warn_mv", 100, 20, 1000),
    ("cell_spread_alarm_mv", 150, 30, 1000),
    ("cell_spread_info_mv", 30, 5, 500),
    ("weak_cell_warn_pct", 160, 120, 400),
    ("weak_cell_warn_mv", 120, 30, 1000),
    ("cell_high_info_mv", 4150, 3300, 4400),
    ("cell_high_warn_mv", 4220, 3300, 4400),
    ("cell_high_alarm_mv", 4250, 3300, 4400),
    ("cell_low_info_mv", 3300, 1500, 3700),
    ("cell_low_warn_mv", 3000, 1500, 3700),
    ("cell_low_alarm_mv", 2900, 1500, 3700),
    ("ghost_voltage_warn_mv", 300, 50, 5000),
    ("ghost_voltage_warn_permille", 10, 3, 100),
    ("ghost_voltage_jump_warn_mv", 300, 50, 2000),
    ("stuck_cell_warn_mv", 30, 10, 500),
    ("charge_cold_warn_dc", 50, -100, 200),
    ("charge_cold_alarm_dc", 0, -200, 150),
    ("charge_hot_info_dc", 400, 200, 700),
    ("charge_hot_warn_dc", 450, 200, 700),
    ("charge_hot_alarm_dc", 550, 200, 800),
    ("discharge_hot_warn_dc", 550, 300, 800),
    ("discharge_hot_alarm_dc", 600, 300, 900),
    ("temp_sensor_jump_warn_dc", 100, 30, 500),
    ("temp_sensor_apart_warn_dc", 100, 30, 500),
    ("heat_rise_warn_dc", 50, 20, 200),
    ("heat_rise_alarm_dc", 100, 50, 300),
    ("board_hot_warn_dc", 800, 400, 1200),
    ("board_hot_alarm_dc", 950, 500, 1300),
    ("board_hot_idle_warn_dc", 150, 50, 500),
    ("charge_voltage_warn_permille", 6, 0, 50),
    ("charge_voltage_alarm_permille", 12, 0, 80),
    ("charge_current_warn_ma", 3000, 500, 200000),
    ("charge_target_info_pct", 97, 50, 100),
    ("charge_target_info_mv", 4150, 3300, 4250),
    ("charger_cc_only_warn_s", 300, 60, 3600),
    ("charge_stalled_info_pct", 90, 10, 100),
    ("charge_timer_warn_pct", 150, 110, 500),
    ("charge_timer_late_warn_s", 7200, 600, 28800),
    ("charger_droop_info_s", 1800, 600, 14400),
    ("settle_info_mv", 800, 100, 5000),
    ("capacity_info_pct", 70, 20, 100),
    ("balance_idle_info_charges", 3, 1, 20),
    ("self_discharge_info_permille", 10, 3, 200),
    ("self_discharge_warn_mv", 5, 2, 100),
    ("storage_full_info_mv", 3900, 3300, 4200),
    ("storage_empty_info_mv", 3600, 2500, 3900),
    ("storage_cold_info_dc", 0, -200, 150),
    ("discharge_current_warn_ma", 27000, 1000, 400000),
    ("discharge_current_alarm_ma", 44000, 1000, 400000),
    ("regen_current_warn_ma", 20000, 1000, 400000),
    ("regen_full_warn_pct", 98, 80, 100),
    ("regen_full_warn_mv", 4180, 3300, 4400),
    ("bms_trip_alarm_ma", 10000, 2000, 100000),
    ("sag_warn_permille", 150, 50, 500),
    ("sag_resistance_warn_pct", 200, 130, 1000),
    ("idle_pack_info_pct", None, 1, 40),
    ("soc_mismatch_info_pct", 25, 10, 100),
    ("frozen_data_load_warn_ms", 30000, 10000, 600000),
    ("frozen_data_ride_warn_ms", 900000, 60000, 3600000),
    ("silence_unanswered_alarm_ms", 5000, 2000, 60000),
    ("silence_quiet_alarm_ms", 10000, 5000, 60000),
    ("sense_wire_warn_mohm", 1000, 100, 10000),
    ("sense_wire_warn_pct", 200, 120, 1000),
    ("humidity_warn_pct", 85, 50, 100),
    ("link_noise_info_ppm", 200, 20, 10000),
]


def in_force(settings: config.Config) -> dict[str, int | None]:
    """Every limit by its option's name."""
    found = {}
    for row in ROWS:
        found.update(zip(option_names(row), limits.of_row(settings, row), strict=True))
    found.pop("", None)
    return found


def refusal(source: object) -> str:
    """What load() says."""
    with pytest.raises(ConfigError) as caught:
        load(source)  # type: ignore[arg-type]
    return str(caught.value)


# --- limits --------------------------------------------------------------------------------------


def test_options_are_these() -> None:
    assert [(name, low, high) for name, _, low, high in LIMITS] == [
        (name, *limits) for name, limits in RANGES.items()
    ]


def test_defaults_are_these() -> None:
    expected = {name: default for name, default, _, _ in LIMITS}
    expected["charge_voltage_warn_permille"] = 42250
    expected["charge_voltage_alarm_permille"] = 42500
    assert in_force(load({})) == expected


@pytest.mark.parametrize(("name", "low", "high"), [(n, low, high) for n, _, low, high in LIMITS])
def test_limit_may_be_set_within_its_range_or_switched_off(name: str, low: int, high: int) -> None:
    for value in (low, high, None):
        settings = load({name: value, "packs": 2})
        found = in_force(settings)[name]
        if name.startswith("charge_voltage") and value is not None:
            value = (42_000_000 + 42_000 * value + 5000) // 10000 * 10
        assert found == value
    said = f'"{name}" is %r; it must be a whole number from {low} to {high}, or null for no limit'
    for value in (low - 1, high + 1, 1.5, "100", True, [100]):
        assert refusal({name: value}) == said % (value,)


def test_limits_without_a_choice_are_no_options() -> None:
    assert refusal({"bms_fault_warn_level": 2}).startswith('"bms_fault_warn_level" is no option')
    assert refusal({"ghost_voltage_warn_cells": 2}).startswith('"ghost_voltage_warn_cells" is no')


def test_both_low_cell_rows_take_the_owners_limit() -> None:
    rows = [row for row in ROWS if row[0] == "cell_low" and len(row[8]) > 1]
    settings = load({"cell_low_warn_mv": 3111})
    assert [limits.of_row(settings, row)[1] for row in rows] == [3111, 3111]


# --- other options -------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "low", "high"), NUMBERS)
def test_number_may_be_set_within_its_range(name: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(load({name: value}), name) == value
    said = f'"{name}" is %r; it must be a whole number from {low} to {high}'
    for value in (low - 1, high + 1, 2.0, "10", None, True, {}):
        assert refusal({name: value}) == said % (value,)


@pytest.mark.parametrize("value", ["LISTEN", "", 0, None])
def test_mode_is_one_of_three(value: object) -> None:
    for mode in ("listen", "assist", "poll"):
        assert load({"mode": mode}).mode == mode  # type: ignore[attr-defined]
    said = f'"mode" is {value!r}; it must be one of: listen, assist, poll'
    assert refusal({"mode": value}) == said


def test_defaults_of_the_other_options() -> None:
    settings = load({"profile": "pro2"})
    assert (settings.profile, settings.family, settings.full_mv) == ("pro2", "xiaomi", 4200)
    profile = {"series": 10, "design_mah": 12800}
    for name, default, _, _ in OPTIONS:
        assert getattr(settings, name) == profile.get(name, default), name


@pytest.mark.parametrize("value", ["lipo", 4, None, ["nmc"], {}])
def test_chemistry_is_one_of_two(value: object) -> None:
    assert (
        refusal({"chemistry": value}) == f'"chemistry" is {value!r}; it must be one of: nmc, lfp'
    )


@pytest.mark.parametrize("value", ["m366", 1, None, ["m365"], {}])
def test_profile_is_one_of_those_there_are(value: object) -> None:
    assert refusal({"profile": value}) == (
        f'"profile" is {value!r}; it must be one of: {", ".join(PROFILES)}'
    )


@pytest.mark.parametrize("name", ["cell_spread_warn", "sereis", "family", "full_mv", "limits", ""])
def test_unknown_option_is_named(name: str) -> None:
    assert refusal({name: 1}) == f'"{name}" is no option; docs/guardrails.md has the list'


@pytest.mark.parametrize("source", [[], None, "m365", 5])
def test_configuration_is_an_object(source: object) -> None:
    assert refusal(source) == f"the configuration is {source!r}; it must be a JSON object"


def test_refusal_is_a_value_error() -> None:
    assert issubclass(ConfigError, ValueError)


# --- precedence ----------------------------------------------------------------------------------


def test_chemistry_comes_before_the_table() -> None:
    settings = load({"chemistry": "lfp"})
    assert settings.full_mv == 3650
    assert settings.ghost_cell_mv == 4000
    limits = in_force(settings)
    assert [limits[f"cell_high_{level}_mv"] for level in ("info", "warn", "alarm")] == [
        3550,
        3650,
        3750,
    ]
    assert [limits[f"cell_low_{level}_mv"] for level in ("info", "warn", "alarm")] == [
        3000,
        2800,
        2600,
    ]
    assert limits["cell_spread_warn_mv"] == 100


def test_profile_comes_before_the_chemistry(monkeypatch: pytest.MonkeyPatch) -> None:
    from deckwatch.profiles import pro2

    monkeypatch.setattr(
        pro2, "OPTIONS", {"family": "xiaomi", "chemistry": "lfp", "cell_high_warn_mv": 3620}
    )
    settings = load({"profile": "pro2"})
    limits = in_force(settings)
    assert (settings.full_mv, settings.chemistry) == (3650, "lfp")
    assert (limits["cell_high_warn_mv"], limits["cell_high_alarm_mv"]) == (3620, 3750)


def test_owner_comes_before_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    from deckwatch.profiles import pro2

    monkeypatch.setattr(pro2, "OPTIONS", {"family": "xiaomi", "chemistry": "lfp", "series": 16})
    settings = load(
        {"profile": "pro2", "chemistry": "nmc", "series": 13, "discharge_current_warn_ma": None}
    )
    assert (settings.full_mv, settings.series, settings.ghost_cell_mv) == (4200, 13, 4600)
    assert in_force(settings)["discharge_current_warn_ma"] is None


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_loads(profile: str) -> None:
    settings = load({"profile": profile})
    assert settings.profile == profile
    assert settings.family


def test_family_that_was_found_takes_its_profile_and_the_owners_options() -> None:
    owner = {"profile": "auto", "cell_spread_warn_mv": 80}
    assert config.as_found(owner, "xiaomi", 115200) == {
        "profile": "m365",
        "cell_spread_warn_mv": 80,
    }
    assert config.as_found(owner, "jbd", 9600) == {"profile": "jbd", "cell_spread_warn_mv": 80}
    assert config.as_found({}, "xiaomi", 76800) == {"profile": "botox"}
    assert owner["profile"] == "auto"


def test_chemistries_set_options_that_exist() -> None:
    names = {name for name, _, _, _ in OPTIONS} | set(RANGES)
    for _, differences in CHEMISTRIES.values():
        assert set(differences) <= names


# --- what follows from them ----------------------------------------------------------------------


def test_charge_voltage_needs_to_know_the_cells() -> None:
    limits = in_force(load({"series": 0}))
    assert limits["charge_voltage_warn_permille"] is None
    assert limits["charge_voltage_alarm_permille"] is None


@pytest.mark.parametrize(
    ("series", "permille", "mv"),
    [(10, 0, 42000), (10, 6, 42250), (13, 6, 54930), (14, 12, 59510), (32, 80, 145150)],
)
def test_voltage_above_full_is_rounded_to_10_mv(series: int, permille: int, mv: int) -> None:
    assert config.above_full_mv(load({"series": series}), permille) == mv


def expected_codes(settings: config.Config, *steady: str) -> set[str]:
    """What can be watched where these slots pass by."""
    found = expected(settings, Rules(settings).armed, bits(*steady))
    return {code for number, code in enumerate(CODES) if found[number]}


def test_guardrail_is_expected_when_all_it_stands_on_passes_by() -> None:
    settings = load({})
    assert expected_codes(settings) == set()
    assert expected_codes(settings, "pack_mv") == set()
    assert expected_codes(settings, "pack_mv", "current_ma") == {
        "charge_voltage",
        "charge_current",
        "charger_cc_only",
        "settle",
        "capacity",
        "discharge_current",
        "regen_current",
        "bms_trip",
        "sag",
        "frozen_data",
    }
    # nobody knows before it is heard whether there is a second battery
    assert "idle_pack" not in expected_codes(load({"packs": 2}), "pack_mv", "current_ma")
    told = ("pack_mv", "current_ma", "soc_pct")
    assert "soc_mismatch" in expected_codes(settings, *told)
    assert "soc_mismatch" not in expected_codes(load({"series": 0}), *told)
    assert "soc_mismatch" in expected_codes(load({"series": 0}), "cell_mv", *told)
    assert expected_codes(settings, "temp_dc") == {"discharge_hot", "temp_sensor", "heat_rise"}
    assert expected_codes(settings, "cell_mv") == {
        "cell_high",
        "cell_low",
        "ghost_voltage",
        "cell_count",
        "stuck_cell",
    }
    assert "cell_count" not in expected_codes(load({"series": 0}), "cell_mv")
    assert expected_codes(settings, "soc_pct", "current_ma") >= {"charge_target"}
    assert expected_codes(settings, "mos_temp_dc") == {"board_hot"}
    assert expected_codes(settings, "humidity_pct") == {"humidity"}
    assert expected_codes(settings, "cell_mv", "current_ma") >= {"cell_spread"}
    assert expected_codes(settings, "faults_a", "error_code") == {"bms_fault", "controller_error"}


def test_guardrail_without_a_limit_is_not_expected() -> None:
    off: dict[str, None] = dict.fromkeys(
        (
            "charge_current_warn_ma",
            "discharge_current_warn_ma",
            "discharge_current_alarm_ma",
            "regen_current_warn_ma",
        )
    )
    limits = {"charge_voltage", "discharge_current", "regen_current"}
    for options, left in ((off, {"charge_voltage"}), ({"series": 0}, limits - {"charge_voltage"})):
        assert expected_codes(load(options), "pack_mv", "current_ma") & limits == left


OTHERS = ("cell_mv", "temp_dc", "wire_mohm", "groups", "design", "second", "clock")


def test_needs_are_measured_slots() -> None:
    for row in ROWS:
        for slot in needs(row):
            assert slot in SLOTS or slot in OTHERS, row[:2]

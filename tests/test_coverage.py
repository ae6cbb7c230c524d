"""What can be watched where: the table against the guardrail sheet, and against what a core that
hears each family's packs really watches."""

import pytest
from deckwatch.guardrails.table import CODES, OF_THE_LINE, OF_TWO_PACKS, ROWS
from deckwatch.index import PROTOCOLS
from packlab import coverage
from packlab.coverage import BOARD_MODES, SCOOTER_MODES

# guardrail sheet, "What can be watched where": stock Xiaomi and Ninebot, by number of the row
ON = {"discharge_hot", "temp_sensor", "heat_rise", "discharge_current", "regen_current"}
ON |= {"regen_full", "bms_trip", "sag", "soc_mismatch", "frozen_data", "bms_fault"}
ON |= {"silence", "link_noise"}
CHARGING = {"charge_cold", "charge_hot", "charge_voltage", "charge_current", "charge_target"}
CELLS = {"cell_spread", "weak_cell", "cell_high", "cell_low", "ghost_voltage", "stuck_cell"}
CELLS |= {"cell_count"}
NEVER = {"charge_fet_off", "board_hot", "sense_wire", "controller_error", "humidity"}


def of(family: str, mode: str) -> dict[str, str]:
    """The table's column."""
    return {code: coverage.watched(family, mode, code) for code in CODES}


@pytest.mark.parametrize("family", coverage.SCOOTERS)
def test_stock_scooters_are_as_the_sheet_says(family: str) -> None:
    listen, app, assist = (of(family, mode) for mode in SCOOTER_MODES)
    for code in ON:
        assert "R" in listen[code] or listen[code] == "S", code
    for code in CHARGING:
        assert listen[code] == assist[code] == "C", code
    for code in CELLS:
        assert listen[code] == "", code
        assert app[code], code
    for code in CELLS - {"weak_cell"}:
        assert "C" in assist[code], code
    for code in NEVER:
        assert listen[code] == app[code] == assist[code] == "", code


def test_dongle_that_assists_never_rides() -> None:
    for family in coverage.SCOOTERS:
        assert not any("R" in letters.upper() for letters in of(family, "assist").values())


@pytest.mark.parametrize("family", [f for f in PROTOCOLS if f not in coverage.SCOOTERS])
def test_smart_boards_have_two_modes_and_riding_in_both(family: str) -> None:
    assert coverage.modes(family) == BOARD_MODES
    for mode in BOARD_MODES:
        assert "R" in coverage.watched(family, mode, "bms_trip").upper()


def test_what_the_owner_must_set_first_stands_in_brackets() -> None:
    assert coverage.watched("jbd", "poll", "charge_voltage") == "(C)"
    assert coverage.watched("xiaomi", "listen", "charge_voltage") == "C"
    assert coverage.watched("ninebot", "listen", "idle_pack") == "R"
    assert coverage.watched("ant", "poll", "idle_pack") == ""


def test_what_only_some_boards_tell_is_small() -> None:
    """JK's older dialects do not tell of wires."""
    assert coverage.watched("jk", "poll", "sense_wire") == "rsc"


BOARDS = [(family, board) for family in PROTOCOLS for board in coverage.boards(family)]


@pytest.mark.parametrize(("family", "board"), BOARDS)
def test_core_watches_what_its_rows_need_and_nothing_else(family: str, board: str) -> None:
    """So the table cannot claim what the meters do not give, nor leave out what they do."""
    core = coverage.asked(family, board)
    slots = coverage.answered(family, board)
    options = coverage.settings(family)
    can = {row[0] for row in ROWS if coverage.can_judge(row, slots, options)}
    alerts = core.packs[0].alerts
    does = {code for number, code in enumerate(CODES) if alerts.watched[number]}
    # A charger that gives nothing is told by a flag; without one the meter sees nothing to judge
    apart = {*OF_THE_LINE, *OF_TWO_PACKS, "charge_stalled"}
    assert does - apart == can - apart

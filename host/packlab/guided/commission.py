"""The checklist for a repaired or new pack, judged from a trace: cells, probes, switches, the end
of a charge, the first ride.

follow() takes the events of a trace; result() says of each item: passed, failed or not seen, and
what would show it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from packlab.advice import book
from packlab.checkout import firmware
from packlab.view import units
from packlab.view.state import Alert, Picture
from packlab.view.words import LEVELS

PASSED, FAILED, NOT_SEEN = "passed", "failed", "not seen"

BALANCED_MV = 30  # the guardrail sheet's first step of `cell_spread`
PROBES_DC = 50  # two probes of a resting pack may differ by so much
REST_MA, RIDE_MA, REGEN_MA = 500, 1000, 500
RIDE_S = 60  # under load, all in all
APART_MS = 5000  # samples further apart leave a gap
TAPER_PERCENT = 25  # of the session's highest current: the charger eases off
FULL_PERMILLE = 20  # a charge has come to its end within so much of full
GOOD_LINK = 95


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list. found: what was seen; how: what would show it, "" once it is."""

    name: str
    state: str
    found: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Commissioning:
    """The list. outcome: "passed", "failed" or "not complete"."""

    source: str
    profile: str
    seconds: float
    items: tuple[Item, ...]
    outcome: str


@dataclass(slots=True)
class _Seen:
    """What passed by. Extremes are None until something did."""

    samples: int = 0
    cells: int = 0
    spread_mv: int | None = None  # the last at rest
    probes_apart_dc: int | None = None
    probes: int = 0
    charge_mv: int | None = None  # highest while charging
    most_in_ma: int = 0
    last_in_ma: int | None = None  # near full
    most_out_ma: int = 0
    load_ms: int = 0
    at_ms: int = 0  # the sample before
    fets: bool | None = None  # both on, just before the first braking
    fets_now: bool | None = None
    regen_ma: int = 0


class Commission:
    """One run through the list, for a dongle that is set up as `config` says."""

    def __init__(self, source: str, config: dict[str, Any]) -> None:
        self.source = source
        self._config = firmware("config").load(config)
        self._picture = Picture()
        self._seen = _Seen()
        self._ever: set[str] = set()

    def follow(self, event: Mapping[str, Any]) -> None:
        """Take one event of the trace."""
        self._picture.fold(event)
        if event["event"] == "watch":
            self._ever.update(event["watched"])
        if event["event"] == "telemetry" and event["pack"] == 1:
            self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        seen, pack = self._seen, self._picture.packs[1]
        seen.samples += 1
        ma = event.get("current_ma")
        if pack.cells_ms == self._picture.now_ms:
            seen.cells = len(pack.cells_mv)
            if ma is not None and abs(ma) < REST_MA:
                seen.spread_mv = pack.highest_mv - pack.lowest_mv
        temps = [dc for dc in event.get("temp_dc", ()) if dc is not None]
        if temps and "hottest_dc" in event:
            seen.probes = len(temps)
            seen.probes_apart_dc = max(temps) - min(temps)
        if "charge_fet" in event and "discharge_fet" in event:
            seen.fets_now = bool(event["charge_fet"] and event["discharge_fet"])
        if ma is not None:
            self._take_current(ma, event)
        seen.at_ms = self._picture.now_ms

    def _take_current(self, ma: int, event: Mapping[str, Any]) -> None:
        seen = self._seen
        if event.get("charging"):
            mv = event.get("pack_mv", 0)
            seen.charge_mv = max(seen.charge_mv or 0, mv)
            seen.most_in_ma = max(seen.most_in_ma, ma)
            if self._full_mv() and mv >= self._full_mv() * (1000 - FULL_PERMILLE) // 1000:
                seen.last_in_ma = ma
            return
        seen.most_out_ma = max(seen.most_out_ma, -ma)
        if ma <= -RIDE_MA:
            seen.load_ms += min(APART_MS, self._picture.now_ms - seen.at_ms)
        if ma >= REGEN_MA and event.get("riding"):
            if not seen.regen_ma:
                seen.fets = seen.fets_now
            seen.regen_ma = max(seen.regen_ma, ma)

    def _full_mv(self) -> int:
        cells = self._config.series or self._seen.cells
        return int(self._config.full_mv) * cells

    def result(self) -> Commissioning:
        """The list as it stands."""
        items = tuple(check(self) for check in _CHECKS)
        states = {item.state for item in items}
        outcome = (
            "failed" if FAILED in states else "not complete" if NOT_SEEN in states else "passed"
        )
        summary = self._picture.summary
        first = self._picture.first_ms or 0
        seconds = summary["seconds"] if summary else (self._picture.now_ms - first) / 1000
        return Commissioning(self.source, self._config.profile, seconds, items, outcome)

    # --- the list ---

    def _spoke(self, *codes: str) -> list[Alert]:
        """Alerts of these codes that came as a warning or worse."""
        return [
            alert
            for alert in self._picture.alerts.values()
            if alert.code in codes and LEVELS.index(alert.worst_level) >= LEVELS.index("warn")
        ]

    def counted(self) -> Item:
        """Are there as many groups as there should be?"""
        seen, wanted = self._seen, self._config.series
        if not seen.cells:
            return Item("groups counted", NOT_SEEN, "no cells passed by", _READ_CELLS)
        if not wanted:
            found = f"{seen.cells} groups; no number is configured to compare with"
            return Item("groups counted", NOT_SEEN, found, "set the option `series`")
        found = f"{seen.cells} groups of {wanted}"
        return Item("groups counted", PASSED if seen.cells == wanted else FAILED, found)

    def balanced(self) -> Item:
        """Are the groups level at rest, and do they add up?"""
        spread = self._seen.spread_mv
        if spread is None:
            how = _READ_CELLS + ", at rest"
            return Item("groups balanced", NOT_SEEN, "no cells passed by at rest", how)
        found = f"{spread} mV apart at rest (at most {BALANCED_MV})"
        return Item("groups balanced", PASSED if spread <= BALANCED_MV else FAILED, found)

    def true_readings(self) -> Item:
        """Do the readings add up to the pack's voltage?"""
        wrong = self._spoke("ghost_voltage", "stuck_cell", "sense_wire", "cell_count")
        if wrong:
            return Item("readings true", FAILED, _titles(wrong))
        if "ghost_voltage" not in self._ever:
            return Item(
                "readings true", NOT_SEEN, "cells and pack never seen together", _READ_CELLS
            )
        return Item("readings true", PASSED, "the groups add up to the pack's voltage")

    def probes_agree(self) -> Item:
        """Do the probes agree?"""
        seen, wrong = self._seen, self._spoke("temp_sensor")
        if wrong:
            return Item("probes agree", FAILED, _titles(wrong))
        if seen.probes_apart_dc is None:
            return Item("probes agree", NOT_SEEN, "no probe was read", "switch the scooter on")
        found = f"{seen.probes} probes, {seen.probes_apart_dc / 10:.1f} °C apart"
        good = seen.probes_apart_dc <= PROBES_DC
        return Item("probes agree", PASSED if good else FAILED, found)

    def switches_on(self) -> Item:
        """Were both FETs on before the first braking?"""
        seen = self._seen
        if self._spoke("charge_fet_off"):
            return Item("both FETs on before braking", FAILED, "the charging path was open")
        if not seen.regen_ma:
            how = "with both switches on, brake once with the motor, slowly and with room"
            return Item("both FETs on before braking", NOT_SEEN, "no motor braking was seen", how)
        braked = f"braked with {seen.regen_ma / 1000:.1f} A"
        if seen.fets is None:
            how = "this line does not tell its switches; read them in the BMS's app"
            return Item("both FETs on before braking", NOT_SEEN, braked, how)
        state = PASSED if seen.fets else FAILED
        return Item("both FETs on before braking", state, f"{braked}, both on: {seen.fets}")

    def charger_ends(self) -> Item:
        """Does the charger stop where it should?"""
        seen, full = self._seen, self._full_mv()
        name = "charger ends where it should"
        wrong = self._spoke("charge_voltage", "charger_cc_only", "charger_droop", "cell_high")
        if wrong:
            return Item(name, FAILED, _titles(wrong))
        if seen.charge_mv is None:
            return Item(name, NOT_SEEN, "no charge was seen", "charge to the end, watched")
        found = f"up to {seen.charge_mv / 1000:.2f} V of {full / 1000:.2f}"
        if seen.last_in_ma is None:
            return Item(name, NOT_SEEN, found, "charge on to the end, watched")
        found += f", from {seen.most_in_ma / 1000:.2f} A down to {seen.last_in_ma / 1000:.2f} A"
        if seen.last_in_ma * 100 > seen.most_in_ma * TAPER_PERCENT:
            return Item(name, NOT_SEEN, found, "charge on until the current has fallen")
        return Item(name, PASSED, found)

    def first_ride(self) -> Item:
        """Did the first ride stay within the limits?"""
        seen, name = self._seen, "first ride within the limits"
        wrong = self._spoke(
            *("discharge_current", "regen_current", "sag", "weak_cell", "cell_low"),
            *("discharge_hot", "regen_full"),
        )
        if wrong:
            return Item(name, FAILED, _titles(wrong))
        load_s = seen.load_ms // 1000
        found = f"{load_s} s under load, at most {seen.most_out_ma / 1000:.1f} A"
        if load_s < RIDE_S:
            how = f"ride, gently first: {RIDE_S} s under load in all"
            return Item(name, NOT_SEEN, found, how)
        return Item(name, PASSED, found)

    def no_trip(self) -> Item:
        """Did the BMS hold?"""
        wrong = self._spoke("bms_trip", "silence")
        if wrong:
            return Item("no trip", FAILED, _titles(wrong))
        if self._seen.load_ms < RIDE_S * 1000:
            return Item("no trip", NOT_SEEN, "hardly any load yet", "ride, gently first")
        return Item("no trip", PASSED, "the battery held under load")

    def no_faults(self) -> Item:
        """Do BMS and controller report nothing?"""
        wrong = self._spoke(
            "bms_fault", "controller_error", "frozen_data", "heat_rise", "board_hot"
        )
        if wrong:
            return Item("no fault reported", FAILED, _titles(wrong))
        if not {"bms_fault", "controller_error"} & self._ever:
            how = "switch the scooter on; stock boards tell few of theirs"
            return Item("no fault reported", NOT_SEEN, "no fault word passed by", how)
        return Item("no fault reported", PASSED, "none")

    def good_line(self) -> Item:
        """Is the data line clean?"""
        summary = self._picture.summary
        if summary is None or not summary["frames"]:
            return Item("line clean", NOT_SEEN, "no frame passed by", "check the tap")
        worst = summary["worst_link_score"]
        state = PASSED if worst >= GOOD_LINK else FAILED
        return Item("line clean", state, f"worst link score {worst} (at least {GOOD_LINK})")


_READ_CELLS = "let an app read the cells, or let the dongle ask (mode assist or poll)"

_CHECKS: tuple[Callable[[Commission], Item], ...] = (
    Commission.counted,
    Commission.balanced,
    Commission.true_readings,
    Commission.probes_agree,
    Commission.no_faults,
    Commission.charger_ends,
    Commission.switches_on,
    Commission.first_ride,
    Commission.no_trip,
    Commission.good_line,
)


def _titles(alerts: list[Alert]) -> str:
    parts = []
    for alert in alerts:
        where = f" (group {alert.cell})" if alert.cell else ""
        worst = f", {units.value(alert.unit, alert.worst)}" if alert.unit else ""
        parts.append(f"{book('guardrails')[alert.code].title}{where}{worst}")
    return "; ".join(parts)

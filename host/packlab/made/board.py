"""The board of a pack: it measures, opens its MOSFETs when a limit is passed, closes them again,
and bleeds the highest cells. world.py asks it which current may flow.

Stock limits are those common to published data sheets of such boards; a profile or scenario has
its own. Faults have the names of firmware/deckwatch/faults.py.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from packlab.made.pack import Pack

CHARGE, DISCHARGE = "charge", "discharge"
_FLOWS_MA = 200  # a current above the noise of its measurement


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the board steps in; cell_clear_mv and temp_clear_dc: how far back on the good side it
    lets go."""

    cell_high_mv: int = 4250
    cell_low_mv: int = 2800
    cell_clear_mv: int = 200
    charge_ma: int = 10_000
    discharge_ma: int = 40_000
    short_ma: int = 150_000
    charge_hot_dc: int = 500
    charge_cold_dc: int = 0
    discharge_hot_dc: int = 650
    discharge_cold_dc: int = -200
    board_hot_dc: int = 950
    temp_clear_dc: int = 50
    delay_ms: int = 1000
    again_ms: int = 32_000  # after too much current
    balance_start_mv: int = 4000
    balance_on_mv: int = 10  # above the lowest cell
    bleed_ma: int = 30


OFF = 1 << 40
# A board that lets everything pass
NO_LIMITS = Limits(OFF, -OFF, 0, OFF, OFF, OFF, OFF, -OFF, OFF, -OFF, OFF, bleed_ma=0)


@dataclass(frozen=True, slots=True)
class _Guard:
    """One protection: it trips when `value` reaches `trip`, and clears below `clear`."""

    fault: str
    stops: tuple[str, ...]
    value: int
    trip: int
    clear: int


class Board:
    """MOSFETs, faults and balancing of one pack; times are line time."""

    def __init__(self, pack: Pack, limits: Limits) -> None:
        self.limits = limits
        self.faults: set[str] = set()
        self.trips: Counter[str] = Counter()
        self.balancing: tuple[int, ...] = ()
        self._pack = pack
        self._over_ms: Counter[str] = Counter()
        self._again_ms: dict[str, int] = {}  # until too much current is tried again
        self._stopped: dict[str, tuple[str, ...]] = {}

    @property
    def charge_fet(self) -> bool:
        """Does it conduct?"""
        return not any(CHARGE in self._stopped[fault] for fault in self.faults)

    @property
    def discharge_fet(self) -> bool:
        """Does it conduct?"""
        return not any(DISCHARGE in self._stopped[fault] for fault in self.faults)

    def allow(self, asked_ma: int, dt_ms: int) -> int:
        """The current that flows when `asked_ma` is offered (+) or drawn (-), `dt_ms` after the
        last time."""
        cells_mv, temps_dc = self._pack.cells_mv, self._pack.temps_dc
        for guard in self._guards(cells_mv, temps_dc):
            self._watch(guard, dt_ms)
        self._watch_current(asked_ma, dt_ms)
        self._balance(cells_mv)
        blocked = asked_ma > 0 and not self.charge_fet or asked_ma < 0 and not self.discharge_fet
        return 0 if blocked else asked_ma

    def _guards(self, cells_mv: list[int], temps_dc: list[int]) -> Iterator[_Guard]:
        limits, ma = self.limits, self._pack.current_ma
        highest, lowest = max(cells_mv), min(cells_mv)
        hottest, coldest = max(temps_dc), min(temps_dc)
        high_clear = limits.cell_high_mv - limits.cell_clear_mv
        low_clear = limits.cell_low_mv + limits.cell_clear_mv
        warm = limits.temp_clear_dc
        yield _Guard("cell_over_voltage", (CHARGE,), highest, limits.cell_high_mv, high_clear)
        yield _Guard("cell_under_voltage", (DISCHARGE,), -lowest, -limits.cell_low_mv, -low_clear)
        hot, cold = limits.charge_hot_dc, limits.charge_cold_dc
        if ma > _FLOWS_MA or "charge_over_temperature" in self.faults:
            yield _Guard("charge_over_temperature", (CHARGE,), hottest, hot, hot - warm)
        if ma > _FLOWS_MA or "charge_under_temperature" in self.faults:
            yield _Guard("charge_under_temperature", (CHARGE,), -coldest, -cold, -cold - warm)
        hot, cold = limits.discharge_hot_dc, limits.discharge_cold_dc
        yield _Guard("discharge_over_temperature", (DISCHARGE,), hottest, hot, hot - warm)
        yield _Guard("discharge_under_temperature", (DISCHARGE,), -coldest, -cold, -cold - warm)
        hot = limits.board_hot_dc
        both = (CHARGE, DISCHARGE)
        yield _Guard("board_over_temperature", both, self._pack.board_dc, hot, hot - warm)

    def _watch(self, guard: _Guard, dt_ms: int) -> None:
        if guard.fault in self.faults:
            if guard.value < guard.clear:
                self.faults.discard(guard.fault)
        elif guard.value < guard.trip:
            self._over_ms[guard.fault] = 0
        else:
            self._over_ms[guard.fault] += dt_ms
            if self._over_ms[guard.fault] >= self.limits.delay_ms:
                self._trip(guard.fault, guard.stops)

    def _watch_current(self, asked_ma: int, dt_ms: int) -> None:
        for fault in list(self._again_ms):
            self._again_ms[fault] -= dt_ms
            if self._again_ms[fault] <= 0:
                del self._again_ms[fault]
                self.faults.discard(fault)
        limits = self.limits
        for fault, stops, over_ma, delay_ms in (
            ("short_circuit", DISCHARGE, -asked_ma - limits.short_ma, 0),
            (
                "discharge_over_current",
                DISCHARGE,
                -asked_ma - limits.discharge_ma,
                limits.delay_ms,
            ),
            ("charge_over_current", CHARGE, asked_ma - limits.charge_ma, limits.delay_ms),
        ):
            conducts = self.discharge_fet if stops == DISCHARGE else self.charge_fet
            if over_ma <= 0 or not conducts:
                self._over_ms[fault] = 0
                continue
            self._over_ms[fault] += dt_ms
            if self._over_ms[fault] >= delay_ms:
                self._trip(fault, (stops,))
                self._again_ms[fault] = limits.again_ms

    def _trip(self, fault: str, stops: tuple[str, ...]) -> None:
        self.faults.add(fault)
        self.trips[fault] += 1
        self._over_ms[fault] = 0
        self._stopped[fault] = stops

    def _balance(self, cells_mv: list[int]) -> None:
        """Bleed what is high and well above the lowest, until half of that is gone."""
        limits = self.limits
        lowest_mv = min(cells_mv)
        # What a switched-on controller draws is rest enough.
        resting = self._pack.current_ma > -_FLOWS_MA and limits.bleed_ma > 0
        bled = []
        for number, mv in enumerate(cells_mv, 1):
            above_mv = limits.balance_on_mv // (2 if number in self.balancing else 1)
            if resting and mv >= max(limits.balance_start_mv, lowest_mv + above_mv):
                bled.append(number)
        self.balancing = tuple(bled)
        for number, group in enumerate(self._pack.groups, 1):
            group.bleed_ma = limits.bleed_ma if number in self.balancing else 0

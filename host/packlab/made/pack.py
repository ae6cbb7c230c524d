"""A battery pack that charges, sags, warms and drifts: what a made-up line has to talk about.

Groups in series, each with its capacity, resistance and open-circuit voltage; one lump of heat
with two probes on it. All of it in integers, so that a seed gives the same bytes everywhere. It
knows no protocol and no clock: the world (world.py) sets the current and lets time pass.
"""

from bisect import bisect_right
from dataclasses import dataclass

# Open-circuit voltage (mV) by state of charge (%): typical of NMC 18650 cells at rest. The last
# point lies beyond full, for chargers that do not stop.
# fmt: off
NMC_MV = (
    (0, 3000), (5, 3300), (10, 3430), (20, 3550), (30, 3610), (40, 3660), (50, 3730),
    (60, 3820), (70, 3910), (80, 4010), (90, 4095), (100, 4200), (110, 4320),
)
# fmt: on
_KNOTS_PCT = [percent for percent, _ in NMC_MV]

# Charge is counted in milliampere milliseconds, so that adding up small steps loses nothing.
MAMS_PER_MAH = 3_600_000


@dataclass
class Group:
    """One parallel group: capacity, resistance, the charge in it, and what leaks inside it."""

    capacity_mah: int
    resistance_uohm: int
    charge_mams: int
    leak_ma: int = 0

    @classmethod
    def at(cls, soc_permille: int, capacity_mah: int, resistance_uohm: int) -> "Group":
        """Return a group charged to `soc_permille` of its capacity."""
        charge_mams = capacity_mah * MAMS_PER_MAH * soc_permille // 1000
        return cls(capacity_mah, resistance_uohm, charge_mams)

    def open_circuit_uv(self) -> int:
        """Return the voltage with no current, interpolated in NMC_MV, in microvolts."""
        one_pct_mams = self.capacity_mah * MAMS_PER_MAH // 100
        above = bisect_right(_KNOTS_PCT, self.charge_mams // one_pct_mams)
        above = min(max(above, 1), len(NMC_MV) - 1)
        (low_pct, low_mv), (high_pct, high_mv) = NMC_MV[above - 1 : above + 1]
        over_mams = self.charge_mams - low_pct * one_pct_mams
        span_mams = (high_pct - low_pct) * one_pct_mams
        return low_mv * 1000 + (high_mv - low_mv) * 1000 * over_mams // span_mams

    def voltage_uv(self, current_ma: int) -> int:
        """Return the voltage while `current_ma` flows in, in microvolts."""
        return self.open_circuit_uv() + current_ma * self.resistance_uohm // 1000


class Pack:
    """Groups in series with one temperature; current is positive when it charges."""

    # Thirty cells of 45 g with their holder, in a deck: half an hour and more to warm through.
    HEAT_CAPACITY_J_PER_K = 1500
    COOLING_MW_PER_K = 555

    def __init__(self, groups: list[Group], design_mah: int, temp_mc: int) -> None:
        """Begin at rest; `temp_mc` is the temperature in 0.001 °C."""
        self.groups = groups
        self.design_mah = design_mah
        self.full_mah = sum(group.capacity_mah for group in groups) // len(groups)
        self.current_ma = 0
        # The BMS counts what flows through its shunt; leaks inside a group pass it by.
        self._counted_mams = sum(group.charge_mams for group in groups) // len(groups)
        self._temp_uc = temp_mc * 1000
        self._probe_offsets_mc = (0, 700)

    def advance(self, dt_ms: int, ambient_dc: int) -> None:
        """Let `current_ma` flow for `dt_ms` in surroundings of `ambient_dc` (0.1 °C)."""
        heat_mw = sum(
            self.current_ma**2 * group.resistance_uohm // 1_000_000_000 for group in self.groups
        )
        cooling_mw = self.COOLING_MW_PER_K * (self._temp_uc - ambient_dc * 100_000) // 1_000_000
        self._temp_uc += (heat_mw - cooling_mw) * dt_ms // self.HEAT_CAPACITY_J_PER_K
        for group in self.groups:
            group.charge_mams += (self.current_ma - group.leak_ma) * dt_ms
        counted = self._counted_mams + self.current_ma * dt_ms
        self._counted_mams = min(max(counted, 0), self.full_mah * MAMS_PER_MAH)

    @property
    def cells_mv(self) -> list[int]:
        """The group voltages at the present current."""
        return [group.voltage_uv(self.current_ma) // 1000 for group in self.groups]

    @property
    def pack_mv(self) -> int:
        """The pack voltage at the present current."""
        return sum(group.voltage_uv(self.current_ma) for group in self.groups) // 1000

    @property
    def remaining_mah(self) -> int:
        """The charge left as the BMS counts it."""
        return self._counted_mams // MAMS_PER_MAH

    @property
    def soc_pct(self) -> int:
        """The state of charge as the BMS counts it."""
        return self.remaining_mah * 100 // self.full_mah

    @property
    def temps_dc(self) -> list[int]:
        """The probes' temperatures in 0.1 °C."""
        return [(self._temp_uc // 1000 + offset) // 100 for offset in self._probe_offsets_mc]

    def charge_current_ma(self, limit_ma: int, limit_mv: int) -> int:
        """Return what a charger drives in: constant current until it reaches its voltage."""
        gap_uv = limit_mv * 1000 - sum(group.open_circuit_uv() for group in self.groups)
        at_limit_ma = gap_uv * 1000 // sum(group.resistance_uohm for group in self.groups)
        return min(max(at_limit_ma, 0), limit_ma)

"""A battery pack that charges, sags, warms, ages and drifts: what a made-up line has to talk
about.

Groups in series, each with its capacity, resistance and open-circuit voltage; one lump of heat for
the cells with probes on it, a small one for the board with its MOSFETs. All of it in integers, so
that a seed gives the same bytes everywhere. It knows no protocol and no clock: the world
(world.py) sets the current and lets time pass. Where it is simpler than cells are: no slow
polarisation, one temperature for all groups, and wear is given, not grown.
"""

from dataclasses import dataclass

from packlab.made.chemistry import NMC, RESISTANCE_PER_WEAR, Chemistry, cold_permille

# Charge is counted in milliampere milliseconds, so that adding up small steps loses nothing.
MAMS_PER_MAH = 3_600_000
# Longer times are taken in steps of this: charge is then exact however time is cut up, and after
# an hour of riding temperatures agree to 0.05 °C (tests/test_fake_pack.py).
STEP_MS = 5000


@dataclass
class Group:
    """One parallel group: capacity, resistance at 20 °C, the charge in it, what leaks inside it,
    what the board bleeds off, and by how many millionths of its capacity a day it discharges
    itself."""

    capacity_mah: int
    resistance_uohm: int
    charge_mams: int
    leak_ma: int = 0
    chemistry: Chemistry = NMC
    bleed_ma: int = 0
    self_discharge_ppm: int = 0

    @classmethod
    def at(
        cls,
        soc_permille: int,
        capacity_mah: int,
        resistance_uohm: int,
        chemistry: Chemistry = NMC,
        wear_permille: int = 0,
    ) -> "Group":
        """A group charged to `soc_permille` of the capacity that wear has left of `capacity_mah`;
        resistance is that of a new one."""
        capacity_mah = capacity_mah * (1000 - wear_permille) // 1000
        resistance_uohm = resistance_uohm * (1000 + RESISTANCE_PER_WEAR * wear_permille) // 1000
        charge_mams = capacity_mah * MAMS_PER_MAH * soc_permille // 1000
        return cls(capacity_mah, resistance_uohm, charge_mams, chemistry=chemistry)

    def open_circuit_uv(self) -> int:
        """The voltage with no current, in microvolts."""
        return self.chemistry.open_circuit_uv(
            self.charge_mams, self.capacity_mah * MAMS_PER_MAH // 100
        )


class Pack:
    """Groups in series; current is positive when it charges."""

    # Thirty cells of 45 g with their holder, in a deck: half an hour and more to warm through.
    # Other packs weigh and cool as much more as they store.
    HEAT_CAPACITY_J_PER_K = 1500
    COOLING_MW_PER_K = 555
    OF_GROUPS_MAH = 78_000  # groups x capacity of the pack that these two are of
    # A board of 50 g with a finger of aluminium, between the cells and the deck's lid
    BOARD_J_PER_K = 40
    BOARD_MW_PER_K = 250
    FET_UOHM = 2500
    PROBE_OFFSETS_MC = (0, 700, 300, 1100, 500, 900, 200, 600)

    def __init__(
        self, groups: list[Group], design_mah: int, temp_mc: int, probes: int = 2
    ) -> None:
        """Begin at rest; `temp_mc` is the temperature in 0.001 °C."""
        self.groups = groups
        self.design_mah = design_mah
        self.full_mah = sum(group.capacity_mah for group in groups) // len(groups)
        self.current_ma = 0
        self.charged_mams = 0  # since the beginning, and so is what came out
        self.discharged_mams = 0
        # The BMS counts what flows through its shunt; leaks inside a group pass it by.
        self._counted_mams = sum(group.charge_mams for group in groups) // len(groups)
        self._size_mah = max(self.full_mah * len(groups), 1)
        self._temp_uc = self._board_uc = temp_mc * 1000
        self._probe_offsets_uc = [1000 * mc for mc in self.PROBE_OFFSETS_MC[:probes]]
        self._cold = cold_permille(temp_mc // 100)
        self._leaked = [0] * len(groups)
        self._rest_uv: list[int] = []  # open-circuit voltages, until charge moves

    def advance(self, dt_ms: int, ambient_dc: int) -> None:
        """Let `current_ma` flow for `dt_ms` in surroundings of `ambient_dc` (0.1 °C)."""
        while dt_ms > 0:
            step_ms = min(dt_ms, STEP_MS)
            self._warm(step_ms, ambient_dc * 100_000)
            self._flow(step_ms)
            dt_ms -= step_ms
        self._rest_uv = []

    def _warm(self, dt_ms: int, ambient_uc: int) -> None:
        size_mah, of_mah = self._size_mah, self.OF_GROUPS_MAH
        heat_mw = self.current_ma**2 * sum(group.resistance_uohm for group in self.groups)
        heat_mw = heat_mw * self._cold // 1_000_000_000_000
        cooling_mw = self.COOLING_MW_PER_K * size_mah // of_mah
        cooling_mw = cooling_mw * (self._temp_uc - ambient_uc) // 1_000_000
        heat_j_per_k = max(self.HEAT_CAPACITY_J_PER_K * size_mah // of_mah, 1)
        bleeding_mw = sum(group.bleed_ma for group in self.groups) * 4
        board_mw = self.current_ma**2 * self.FET_UOHM // 1_000_000_000 + bleeding_mw
        board_mw -= self.BOARD_MW_PER_K * (self._board_uc - self._temp_uc) // 1_000_000
        self._temp_uc += (heat_mw - cooling_mw) * dt_ms // heat_j_per_k
        self._board_uc += board_mw * dt_ms // self.BOARD_J_PER_K
        self._cold = cold_permille(self._temp_uc // 100_000)

    def _flow(self, dt_ms: int) -> None:
        flowed_mams = self.current_ma * dt_ms
        for number, group in enumerate(self.groups):
            # Millionths of mAh a day, kept until a whole mA ms has gone.
            self._leaked[number] += group.capacity_mah * group.self_discharge_ppm * dt_ms
            gone, self._leaked[number] = divmod(self._leaked[number], 24_000_000)
            lost_ma = group.leak_ma + group.bleed_ma
            group.charge_mams += flowed_mams - lost_ma * dt_ms - gone
        counted = self._counted_mams + flowed_mams
        self._counted_mams = min(max(counted, 0), self.full_mah * MAMS_PER_MAH)
        self.charged_mams += max(flowed_mams, 0)
        self.discharged_mams += max(-flowed_mams, 0)

    def _voltages_uv(self) -> list[int]:
        if not self._rest_uv:
            self._rest_uv = [group.open_circuit_uv() for group in self.groups]
        scaled_ma = self.current_ma * self._cold
        return [
            rest_uv + scaled_ma * group.resistance_uohm // 1_000_000
            for rest_uv, group in zip(self._rest_uv, self.groups, strict=True)
        ]

    @property
    def cells_mv(self) -> list[int]:
        """The group voltages at the present current."""
        return [uv // 1000 for uv in self._voltages_uv()]

    @property
    def pack_mv(self) -> int:
        """The pack voltage at the present current."""
        return sum(self._voltages_uv()) // 1000

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
        return [
            (self._temp_uc + offset_uc + 50_000) // 100_000 for offset_uc in self._probe_offsets_uc
        ]

    @property
    def board_dc(self) -> int:
        """The temperature of the board and its MOSFETs in 0.1 °C."""
        return (self._board_uc + 50_000) // 100_000

    def charge_current_ma(self, limit_ma: int, limit_mv: int) -> int:
        """Return what a charger drives in: constant current until it reaches its voltage."""
        resting = self._rest_uv or [group.open_circuit_uv() for group in self.groups]
        gap_uv = limit_mv * 1000 - sum(resting)
        ohms = sum(group.resistance_uohm for group in self.groups) * self._cold // 1000
        return min(max(gap_uv * 1000 // ohms, 0), limit_ma)

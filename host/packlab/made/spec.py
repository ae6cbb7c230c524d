"""A pack as a few numbers, and the pack with its seed's small differences that is built of
them."""

from dataclasses import dataclass
from random import Random

from packlab.made.chemistry import NMC, Chemistry
from packlab.made.pack import Group, Pack

_SELF_DISCHARGE_PPM = 1000  # a day: 3 % a month


@dataclass(frozen=True)
class PackSpec:
    """Cells in series, what they are of, capacity when new, probes, and their wear: on the
    average, and by how much groups differ (thousandths of the capacity)."""

    series: int = 10
    chemistry: Chemistry = NMC
    capacity_mah: int = 7800
    probes: int = 2
    wear_permille: int = 40
    spread_permille: int = 6

    @property
    def full_mv(self) -> int:
        """The voltage a right charger holds."""
        return self.series * self.chemistry.full_mv

    def build(
        self,
        random: Random,
        soc_permille: int,
        temp_dc: int,
        weak_group: int = 0,
        weak_permille: int = 300,
    ) -> Pack:
        """The pack; group number `weak_group` (0: none) has lost `weak_permille` of its
        capacity."""
        groups = []
        for number in range(1, self.series + 1):
            wear = self.wear_permille + random.randint(0, self.spread_permille)
            group = Group.at(
                soc_permille + random.randint(-8, 8),
                self.capacity_mah,
                # 12 mΩ for a group of 7.8 Ah, three cells of 35 mΩ side by side
                12_000 * 7800 // self.capacity_mah + random.randint(-300, 300),
                self.chemistry,
                weak_permille if number == weak_group else wear,
            )
            group.self_discharge_ppm = _SELF_DISCHARGE_PPM
            groups.append(group)
        return Pack(groups, self.capacity_mah, temp_dc * 100, self.probes)

"""Whether balancing gets anywhere: over charges in a row, and how long it still has to go.

A charge counts once it has brought a group within 50 mV of full, where boards balance; one between
two rides, however often the charger pauses. It got nowhere when at its end the groups stood 50 mV
apart or more, and either no group was bled on a board that tells so, or the spread was within 5 mV
of that of the charge before or wider.
"""

from micropython import const

from deckwatch.memory import SPREAD_MV, STUCK_CHARGES
from deckwatch.meters.ocv import curve_of, permille
from deckwatch.telemetry import INDEX

_HIGHEST = INDEX["highest_mv"]
_LOWEST = INDEX["lowest_mv"]
_SPREAD = INDEX["cell_spread_mv"]
_BALANCING = (INDEX["balance_a"], INDEX["balance_b"])
_CHARGING = INDEX["charging"]
_RIDING = INDEX["riding"]
_STILL = INDEX["still"]
_STUCK = INDEX["stuck_charges"]
_TO_BALANCE = INDEX["to_balance_h"]

_TOP_MV = const(50)
_APART_MV = const(50)
_SHRUNK_MV = const(5)


class Balance:
    """stuck_charges: in a row that got nowhere; to_balance_h: hours until the board has bled the
    highest group to the lowest, by their voltages while the pack stands still or charges.

    Of the config: full_mv; bleed_ma, what the board bleeds off a group; design_mah; 0 = not known.
    """

    def __init__(self, config, memory) -> None:
        self._top_mv = config.full_mv - _TOP_MV
        self._curve = curve_of(config.full_mv)
        self._design_mah = config.design_mah
        self._bleed_ma = config.bleed_ma
        self._memory = memory
        self._count = 0
        self._topped = False
        self.reset()

    def reset(self) -> None:
        """The scooter was switched off, and a charge with it ends."""
        self._conclude()
        self._counted = False
        self._bleeds = self._can_tell = False
        self._spread_mv = 0

    def update(self, t, now: int) -> None:
        """Takes each new set of cells, and the end of a charge."""
        if t.fresh(_RIDING, now) and t.value[_RIDING]:
            self._counted = False
        charging = t.fresh(_CHARGING, now) and t.value[_CHARGING] != 0
        if t.seen[_CHARGING] and not charging:
            self._conclude()
        if t.count[_SPREAD] == self._count or not t.fresh(_SPREAD, now):
            return
        self._count = t.count[_SPREAD]
        if charging:
            self._follow(t, now)
        t.derive(_STUCK, self._memory.kept[STUCK_CHARGES], 0, t.stamp[_SPREAD], self._count)
        if self._bleed_ma and self._design_mah and t.fresh(_STILL, now) and t.value[_STILL]:
            apart = permille(self._curve, t.value[_HIGHEST])
            apart -= permille(self._curve, t.value[_LOWEST])
            hours = apart * self._design_mah // 1000 // self._bleed_ma
            t.derive(_TO_BALANCE, hours, t.where[_HIGHEST], t.stamp[_SPREAD], self._count)

    def _follow(self, t, now: int) -> None:
        """A charge with its cells in view."""
        for slot in _BALANCING:
            if t.fresh(slot, now):
                self._can_tell = True
                self._bleeds = self._bleeds or t.value[slot] != 0
        self._topped = self._topped or t.value[_HIGHEST] >= self._top_mv
        self._spread_mv = t.value[_SPREAD]

    def _conclude(self) -> None:
        if not self._topped:
            return
        self._topped = False
        if self._counted:
            return
        self._counted = True
        memory = self._memory
        grows = memory.kept[SPREAD_MV] and self._spread_mv > memory.kept[SPREAD_MV] - _SHRUNK_MV
        if self._spread_mv < _APART_MV:
            memory.kept[STUCK_CHARGES] = 0
        elif self._can_tell and not self._bleeds or grows:
            memory.kept[STUCK_CHARGES] += 1
        else:
            memory.kept[STUCK_CHARGES] = 0
        memory.kept[SPREAD_MV] = self._spread_mv
        self._bleeds = False
        memory.want(1)
